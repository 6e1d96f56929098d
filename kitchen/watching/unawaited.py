"""Which call of a program made a coroutine that nobody awaited: Python knows only where it was dropped."""

import ast
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from kitchen.watching.program import FUNCTIONS, first_line, last_part, statement_of, tree_of
from kitchen.watching.whose import is_readers

KEEPS = {"append", "appendleft", "add", "insert", "put_nowait"}
CALLS = {"call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_done_callback", "add_signal_handler"}
RUNS = {"to_thread", "run_in_executor", "submit", "Thread", "Timer", "run", "run_until_complete", "wait", "partial"}
TAKES = {"gather", "create_task", "ensure_future", "shield", "wait_for", "as_completed", "run_coroutine_threadsafe"}
OWN = {"send", "throw", "close", "__await__", "cr_code", "cr_frame", "cr_await", "cr_running"}  # what a coroutine has
# What becomes of a coroutine, or of the function that makes it: from what is surely amiss to what is as it should be.
UNUSED, GIVEN, MISUSED, HANDED, RETURNED, PASSED, TAKEN = range(7)
# How near the function of a call is to the place: it is there, or around it, ran, is named by what ran.
HERE, AROUND, RAN, NAMED, ANYWHERE = range(5)


class Mention(NamedTuple):
    """A call of a function, or the function itself where it is handed on, and what becomes of that."""

    node: ast.expr
    use: int
    function: ast.AST


def call_in_vain(file: str, line: int, name: str, ran: dict[str, set[int]]) -> tuple[str, int]:
    """Where a function was called whose coroutine was dropped at this line; that line, if no call is found.

    Asked are the file and those of the functions that ran, which `ran` gives by their first lines.
    """
    found = []
    for other in dict.fromkeys([file, *ran]):
        tree = tree_of(other) if is_readers(other) else None
        if tree is None:
            continue
        at = line if other == file else 0
        if at and _comes_to_nothing(tree, name, at):
            return file, line
        rank, lines = called_in_vain(tree, name, at, frozenset(ran.get(other, ())))
        if lines:
            found.append((rank, other, lines[0]))
    _, file, line = min(found, key=lambda one: one[0], default=(0, file, line))
    return file, line


@lru_cache(maxsize=4096)
def called_in_vain(
    tree: ast.Module, name: str, at: int, ran: frozenset[int] = frozenset()
) -> tuple[tuple[int, ...], list[int]]:
    """How doubtful the least doubtful calls are of a function whose coroutine nobody awaited, and their lines.

    `at`: the line at which the coroutine was dropped, or at which the function begins that keeps it, or the one that is
    called: then what dropped it is a library, which was given the function. `ran`: the first lines of those that ran.
    """
    is_dropped_elsewhere = not at or any(first_line(one) == at for one in _named(tree) if one.name == name)
    at = 0 if is_dropped_elsewhere else at
    here = _innermost(tree, at)
    ranks = {}
    for one in _mentions(tree, name):
        near = _nearness(tree, one.function, here, ran)
        if (one.use == TAKEN and near > AROUND) or (one.use == PASSED and not is_dropped_elsewhere):
            continue
        is_likely = is_dropped_elsewhere and one.use == GIVEN
        ranks.setdefault((one.use == TAKEN, near, not is_likely, one.use), []).append(one)
    if not ranks:
        return (2,), []
    best = min(ranks)
    found = [one for one in ranks[best] if one.use != UNUSED or not _is_read_later(statement_of(one.node))]
    lines = sorted(one.node.lineno for one in found or ranks[best])
    before = [line for line in lines if line <= at]
    is_handed_on = ranks[best][0].use != UNUSED  # then it is dropped soon after
    return best, ([before[-1]] if before and is_handed_on else lines)


def _comes_to_nothing(tree, name, line):
    """Whether a call at this line comes to nothing there and then: one of this name, or of what a variable stands for."""
    for node, use, _ in _mentions(tree, name):
        if use not in (RETURNED, PASSED, TAKEN) and node.lineno <= line <= node.end_lineno:
            return True
    statements = [
        node for node in ast.walk(tree) if isinstance(node, ast.Expr) and node.lineno <= line <= node.end_lineno
    ]
    return any(isinstance(node.value, ast.Call) and _is_variable(node.value.func) for node in statements)


def _is_variable(callee):
    """Whether what is called is a variable of the function around it, or part of a list."""
    if isinstance(callee, ast.Subscript):
        return True
    inside = ast.walk(_function_of(callee)) if isinstance(callee, ast.Name) else ()
    bound = (node.arg if isinstance(node, ast.arg) else node.id for node in inside if _is_bound(node))
    return getattr(callee, "id", None) in bound


def _is_bound(node):
    return isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


@lru_cache(maxsize=256)
def _mentions(tree, name):
    found = []
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and last_part(node.func) == name
        if is_call:
            use = _use(node)
        elif isinstance(node, (ast.Name, ast.Attribute)) and last_part(node) == name and (call := _argument_of(node)):
            callee = last_part(call.func)
            use = _use(call, in_list=True) if callee == "map" else GIVEN if callee in CALLS | RUNS else PASSED
        else:
            continue
        if use is not None:
            found.append(Mention(node, use, _function_of(node)))
    return found


def _use(call, in_list=False):
    """What becomes of the result of a call, or of all in it; None where it is awaited, or somebody else's affair."""
    node = call
    while not isinstance(node, ast.stmt):
        inner, node = node, node.parent
        if isinstance(node, ast.keyword):
            continue
        if isinstance(node, ast.Attribute) and node.attr in OWN:
            return None
        if isinstance(node, (ast.Attribute, ast.Subscript)) and node.value is inner:
            return UNUSED  # a coroutine has none of that
        if isinstance(node, ast.Await):
            return None if not in_list else UNUSED
        if isinstance(node, ast.Yield):
            return None
        if isinstance(node, ast.Call):
            return UNUSED if node.func is inner else _use_by(last_part(node.func), in_list)
        if isinstance(node, ast.Lambda):
            outer = _argument_of(node)
            return GIVEN if outer is not None and last_part(outer.func) in CALLS | RUNS else HANDED
        if isinstance(node, ast.Starred):
            in_list = False
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.Dict)):
            in_list = True
    if isinstance(node, ast.Return):
        return RETURNED if isinstance(_function_of(node), ast.AsyncFunctionDef) else None
    return UNUSED


def _use_by(callee, in_list):
    """What a function does with a coroutine that it is given."""
    if callee in TAKES:
        return MISUSED if in_list and callee != "as_completed" else TAKEN
    return MISUSED if callee in KEEPS | CALLS | RUNS else HANDED


def _argument_of(node):
    """The call that is given this argument; None where it is none."""
    call = node.parent.parent if isinstance(node.parent, ast.keyword) else node.parent
    return call if isinstance(call, ast.Call) and node is not call.func else None


def _function_of(node):
    """The innermost function around a node that has a name, or else the whole file."""
    while not isinstance(node, (*FUNCTIONS, ast.Module)) or isinstance(node, ast.Lambda):
        node = node.parent
    return node


def _nearness(tree, function, here, ran):
    if function is here:
        return HERE
    if here is not None and function in _around(here):
        return AROUND
    if isinstance(function, ast.Module) or first_line(function) in ran:
        return RAN
    return NAMED if function in _named_by_what_ran(tree, here, ran) else ANYWHERE


@lru_cache(maxsize=256)
def _named(tree):
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS) and not isinstance(node, ast.Lambda)]


def _innermost(tree, line):
    """The innermost function around a line, or else the whole file; None: it is not in this file."""
    around = [one for one in _named(tree) if first_line(one) <= line <= one.end_lineno]
    return max(around, key=first_line, default=tree) if line else None


def _around(function):
    """The functions around a function."""
    while (function := getattr(function, "parent", None)) is not None:
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield function


@lru_cache(maxsize=256)
def _named_by_what_ran(tree, here, ran):
    """The functions that are named by those that ran, and by these, and so on."""
    following = [one for one in _named(tree) if one is here or first_line(one) in ran]
    by_name = {}
    for function in _named(tree):
        by_name.setdefault(function.name, []).append(function)
    reached = set()
    while following:
        function = following.pop()
        if function not in reached:
            reached.add(function)
            others = [other for name in _names(function) for other in by_name.get(name, ())]
            following += [other for other in others if _is_known_in(other, function)]
    return reached


def _is_known_in(function, other):
    """Whether the name of a function may stand for it in another one: not if it is inside of a third."""
    outer = next(_around(function), None)
    return outer is None or outer is other or outer in _around(other)


def _names(nodes: ast.AST) -> Iterable[str]:
    return {last_part(node) for node in ast.walk(nodes) if isinstance(node, (ast.Name, ast.Attribute))}


def _is_read_later(statement):
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return False
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    inside = ast.walk(_function_of(statement))
    return any(isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names for node in inside)
