"""Tasks that ask again and again whether something has happened yet, and give way in between: `while not done: sleep(0)`."""

import ast

from kitchen.timeline import READY, Finding, Span
from kitchen.watching.facts import Facts, Poll
from kitchen.watching.program import path_of, tree_of
from kitchen.watching.whose import place

OFTEN = 10_000  # steps; fewer are not worth a word
NOTHING_SECONDS = 5e-4  # of a step in the mean, on a busy computer: one that does something takes longer


def polling(facts: Facts) -> list[Finding]:
    """Tasks that gave way very often in a `while` loop whose body does nothing else."""
    return [_of_poll(facts, poll) for poll in facts.polls if _is_poll(poll)]


def _is_poll(poll: Poll) -> bool:
    often = poll.steps >= OFTEN and poll.busy < NOTHING_SECONDS * poll.steps
    return often and poll.code is not None and _does_nothing(poll.code.co_filename, poll.line)


def _of_poll(facts: Facts, poll: Poll) -> Finding:
    lane = facts.timeline.lanes[poll.lane]
    text = (
        f"{lane} ran {poll.steps:,} steps that did nothing, at {place(poll.code.co_filename, poll.line)}: it asked again "
        "and again. Await an asyncio.Event, which whoever has news sets."
    )
    span = Span(lane, READY, poll.code.co_name, poll.start, poll.end, True)
    return Finding("polling", text, poll.code.co_filename, poll.line, span)


def _does_nothing(file: str, line: int) -> bool:
    """Whether the innermost loop around a line is a `while` that only awaits, tests and leaves."""
    tree = tree_of(file)
    loops = [
        node
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, (ast.While, ast.For, ast.AsyncFor)) and node.lineno <= line <= node.end_lineno
    ]
    if not loops:
        return False
    inner = max(loops, key=lambda node: node.lineno)
    return isinstance(inner, ast.While) and all(map(_is_idle, inner.body))


def _is_idle(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(body=body, orelse=orelse):
            return all(map(_is_idle, [*body, *orelse]))
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=[]):
            rest = [inner for handler in handlers for inner in handler.body]
            return all(_is_idle(inner) or _asks(inner) for inner in body) and all(map(_is_idle, [*rest, *orelse]))
        case ast.Expr(ast.Await() | ast.Constant()) | ast.AugAssign(value=ast.Constant()):
            return True
    return isinstance(statement, (ast.Pass, ast.Break, ast.Continue, ast.Return))


def _asks(statement: ast.stmt) -> bool:
    """Whether a statement only asks whether something is there yet: `get_nowait`."""
    value = statement.value if isinstance(statement, (ast.Assign, ast.Expr)) else None
    return isinstance(value, ast.Call) and path_of(value.func).endswith("_nowait")
