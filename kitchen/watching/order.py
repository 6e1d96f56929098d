"""What the text of a program says: which of its awaits need the one before, and which were ordered on purpose."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from kitchen.watching.asked import (
    asked,
    asked_calls,
    changes_of,
    comes_first,
    guards,
    is_entry_of_its_own,
    is_felt_by,
    is_guarded,
    is_ordered,
    names_in,
    names_of_others,
    parameters,
    paths,
    says_order,
)
from kitchen.watching.program import FUNCTIONS, awaits, function_of, is_inside, last_part, path_of, statement_of
from kitchen.watching.rounds import in_free_loop

STORES = {"dump", "flush", "input", "save", "store"}  # what does this must not be interrupted by its like
SIDE_BY_SIDE = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Call, ast.keyword, ast.Starred, ast.BinOp, ast.Await)


def independent(tree: ast.Module, row: list) -> Iterator[list]:
    """The parts of a row of calls of one function of which its text says that none needs the one before."""
    part = []
    for line, calls in groupby(row, key=lambda call: call.frame.line):
        calls = list(calls)
        again = len(calls) > 1
        if not again and part and all(_free_neighbours(tree, before.frame.line, line) for before in part):
            part += calls
            continue
        if len(part) > 1:
            yield part
        part = [] if again else calls
        if again and (in_free_loop(tree, line) or _in_one_expression(tree, line, len(calls))):
            yield calls
    if len(part) > 1:
        yield part


@lru_cache(maxsize=4096)
def _in_one_expression(tree, line, number):
    """Whether so many awaits stand side by side in one expression of a line, each asking for something else."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Await) and node.lineno <= line <= node.end_lineno]
    if len(nodes) != number or len({ast.dump(node) for node in nodes}) < number:
        return False
    return all(_are_side_by_side(nodes[0], node) for node in nodes[1:])


def _are_side_by_side(one, other):
    """Whether two awaits are parts of one expression that needs both, and neither needs the other."""
    if any(is_ordered(node) or comes_first(node) or is_guarded(node) for node in (one, other)):
        return False
    around = list(_around(one))
    return not (is_inside(one, other) or is_inside(other, one)) and any(node in around for node in _around(other))


def _around(node):
    """What an await is a part of, as long as all parts of that are needed."""
    while isinstance(node := node.parent, SIDE_BY_SIDE):
        yield node


def needs_guard(node: ast.AST, given: ast.AST | None) -> bool:
    """Whether the text says that an await, which has `given` done elsewhere, is rightly in a block that holds something:
    it happens in an order, or stands between a load and a save, or between a look at what is there and its change."""
    functions = [call.func for call in asked_calls(node)] + ([] if given is None else [getattr(given, "func", given)])
    if is_ordered(node) or any(says_order(function) or _stores(function) for function in functions):
        return True
    outer = getattr(node, "parent", None)
    while outer is not None and not isinstance(outer, FUNCTIONS):
        if guards(outer) and (_hands_on(outer) or _looks_and_changes(outer)):
            return True
        outer = getattr(outer, "parent", None)
    return False


def _stores(function):
    return not STORES.isdisjoint(last_part(function).lower().split("_"))


def _looks_and_changes(block):
    """Whether a block sets what it has read, and what is not its own: others must not come in between."""
    inside, function = [inner for part in block.body for inner in ast.walk(part)], function_of(block)
    own, of_others = parameters(function), names_of_others(function)
    things = [
        change.value if isinstance(change, ast.Subscript) else change
        for change in changes_of(block)
        if not is_entry_of_its_own(change)
    ]
    things += [
        inner for inner in inside if isinstance(inner, ast.Name) and inner.id in of_others and not _is_read(inner)
    ]
    for thing in things:
        path = path_of(thing)
        reads = [inner for inner in inside if path_of(inner) == path and _is_read(inner) and inner is not thing]
        if path and reads and path.partition(".")[0] not in own:
            return True
    return False


def _is_read(node):
    return isinstance(node.ctx, ast.Load)


def _hands_on(block):
    """Whether an await in a block needs what an earlier one gave; to read an answer is a part of getting it."""
    inside = [inner for part in block.body for inner in ast.walk(part)]
    steps = [inner for inner in inside if isinstance(inner, (ast.Await, ast.Assign))]
    given = set()
    for step in sorted(steps, key=lambda step: (step.end_lineno, step.end_col_offset, isinstance(step, ast.Assign))):
        needs = bool(paths([step.value]) & given)
        if isinstance(step, ast.Await):
            if needs and getattr(getattr(step.value, "func", None), "attr", "") not in ("json", "read", "text"):
                return True
        elif needs or any(isinstance(inner, ast.Await) for inner in ast.walk(step.value)):
            given |= names_in(step, ast.Store) | {path_of(target) for target in step.targets} - {""}
    return False


def keeps_order(node: ast.AST, function: ast.AST) -> bool:
    """Whether something in a function makes its calls happen one at a time, or in an order: it holds what guards, or it
    appends to what is not its own."""
    if guards(node):
        return True
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    of = path_of(node.func.value)
    return node.func.attr in ("append", "write", "extend", "put_nowait") and of not in names_in(function, ast.Store)


@lru_cache(maxsize=4096)
def _free_neighbours(tree, before, line):
    """Whether the awaits of these two lines stand in statements of one block, the later needing nothing of the earlier."""
    one, other = awaits(tree, before), awaits(tree, line)
    if one is None or other is None or not isinstance(one, ast.Await) or not isinstance(other, ast.Await):
        return False
    if is_ordered(one) or is_ordered(other) or comes_first(one) or ast.dump(one) == ast.dump(other):
        return False  # the same call twice was meant to get two answers
    if statement_of(one) is statement_of(other):
        return _are_side_by_side(one, other)
    awaited, one, other = other, statement_of(one), statement_of(other)
    if one.parent is not other.parent or isinstance(one.parent, ast.While) or is_guarded(one):
        return False
    if isinstance(one.parent, (ast.For, ast.AsyncFor)) or not (_keeps_value(one) and _keeps_value(other)):
        return False
    block = next((block for _, block in ast.iter_fields(one.parent) if isinstance(block, list) and one in block), [])
    if other not in block or block.index(other) <= block.index(one):
        return False
    between = block[block.index(one) : block.index(other)]
    stored = {name for statement in between for name in names_in(statement, ast.Store)}
    if stored & names_in(other, ast.Load) or any(_acts(statement) for statement in between[1:]):
        return False
    used = paths(asked(awaited))
    return not any(is_felt_by(change, awaited, used) for statement in between for change in changes_of(statement))


def _keeps_value(statement):
    """Whether a statement assigns what it awaits: then it is wanted for that, and not for what it does."""
    return isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Await)


def _acts(statement):
    """Whether a statement calls anything besides what it awaits, and might so be needed by the next one."""
    calls = [inner for inner in ast.walk(statement) if isinstance(inner, ast.Call)]
    return not _keeps_value(statement) or any(not isinstance(call.parent, ast.Await) for call in calls)
