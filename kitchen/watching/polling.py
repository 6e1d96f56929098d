"""Tasks that ask again and again whether something has happened yet, and give way in between: `while not done: sleep(0)`."""

import ast
import re
from types import CodeType

from kitchen.timeline import READY, Finding, Span
from kitchen.watching.asked import parameters
from kitchen.watching.facts import Facts, Place, Poll
from kitchen.watching.program import functions_at, path_of, tree_of
from kitchen.watching.whose import place

OFTEN = 10_000  # steps; fewer are not worth a word
NOTHING_SECONDS = 5e-4  # of a step in the mean, on a busy computer: one that does something takes longer
# The same where the text alone does not say that a step does nothing: only some ways through the loop's body do not.
NEXT_TO_NOTHING_SECONDS = 1e-4
EMPTY = re.compile(r"Empty|Full|IndexError|KeyError|BlockingIOError")  # exceptions that say: not yet


def polling(facts: Facts) -> list[Finding]:
    """Tasks that gave way very often in a `while` loop whose body does nothing else."""
    return [_of_poll(facts, poll) for poll in facts.polls if _is_poll(poll)]


def gave_way_at(place: Place) -> tuple[CodeType | None, int]:
    """Where a task gave way: if that was in a function that does nothing else, where this is called. None, 0: not known."""
    for code, line, _ in reversed(place.spots):
        if not _only_gives_way(code):
            return code, line
    return place.spots[-1][:2] if place.spots else (None, 0)


def _only_gives_way(code):
    """Whether a function does nothing else, and nothing is handed to it, which would be done by then."""
    functions = functions_at(code.co_filename, code.co_firstlineno)
    return any(not parameters(function) and all(map(_is_idle, function.body)) for function in functions)


def _is_poll(poll: Poll) -> bool:
    mean = poll.busy / poll.steps
    if poll.steps < OFTEN or mean >= NOTHING_SECONDS or poll.code is None:
        return False
    body = _body(poll.code.co_filename, poll.line)
    idle = all(map(_is_idle, body)) or (mean < NEXT_TO_NOTHING_SECONDS and _has_idle_way(body, poll.line))
    return bool(body) and idle


def _of_poll(facts: Facts, poll: Poll) -> Finding:
    lane = facts.timeline.lanes[poll.lane]
    text = (
        f"{lane} ran {poll.steps:,} steps that did nothing, at {place(poll.code.co_filename, poll.line)}: it asked again "
        "and again. Await an asyncio.Event, which whoever has news sets."
    )
    span = Span(lane, READY, poll.code.co_name, poll.start, poll.end, True)
    return Finding("polling", text, poll.code.co_filename, poll.line, span)


def _body(file: str, line: int) -> list[ast.stmt]:
    """What the innermost loop around a line does, if it is a `while`."""
    tree = tree_of(file)
    loops = [
        node
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, (ast.While, ast.For, ast.AsyncFor)) and node.lineno <= line <= node.end_lineno
    ]
    inner = max(loops, key=lambda node: node.lineno, default=None)
    return inner.body if isinstance(inner, ast.While) else []


def _is_idle(statement: ast.stmt) -> bool:
    """Whether a statement only awaits, tests and leaves."""
    match statement:
        case ast.If(body=body, orelse=orelse):
            return all(map(_is_idle, [*body, *orelse]))
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=[]):
            rest = [inner for handler in handlers for inner in handler.body]
            return all(_is_idle(inner) or _asks(inner) for inner in body) and all(map(_is_idle, [*rest, *orelse]))
        case (
            ast.Expr(ast.Await() | ast.Constant() | ast.Yield(None))
            | ast.Assign(value=ast.Constant())
            | ast.AugAssign(value=ast.Constant())
        ):
            return True
    return isinstance(statement, (ast.Pass, ast.Break, ast.Continue, ast.Return))


def _asks(statement: ast.stmt) -> bool:
    """Whether a statement only asks whether something is there yet: `get_nowait`."""
    value = statement.value if isinstance(statement, (ast.Assign, ast.Expr)) else None
    return isinstance(value, ast.Call) and path_of(value.func).endswith("_nowait")


def _has_idle_way(block: list[ast.stmt], line: int) -> bool:
    """Whether one can pass through these statements, and through this line if it is in there, and do nothing else."""
    leaves = (ast.Break, ast.Return) if _has(block, line) else (ast.Break, ast.Return, ast.Continue)
    for statement in block:
        if isinstance(statement, leaves) or not _has_way(statement, line):
            return False
        if _goes_round(statement, line):
            break
    return True


def _goes_round(statement: ast.stmt, line: int) -> bool:
    """Whether what stands behind this line, in a part of a statement, is a `continue`: the rest is left out then."""
    parts = [part for inner in ast.walk(statement) for _, part in ast.iter_fields(inner) if isinstance(part, list)]
    return any(isinstance(part[-1], ast.Continue) and _has(part, line) for part in parts if part)


def _has_way(statement: ast.stmt, line: int) -> bool:
    match statement:
        case ast.If(body=body, orelse=orelse):
            ways = [body, orelse]
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=[]):
            ways = [handler.body for handler in handlers if _has(handler.body, line) or _is_not_yet(handler)]
            ways += [[*body, *orelse]] if all(map(_is_idle, body)) else []
        case _:
            return _is_idle(statement)
    through = [way for way in ways if _has(way, line)] or ([] if _has([statement], line) else ways)
    return any(_has_idle_way(way, line) for way in through)


def _has(block, line):
    return any(inner.lineno <= line <= inner.end_lineno for inner in block)


def _is_not_yet(handler):
    return handler.type is not None and bool(EMPTY.search(ast.unparse(handler.type)))
