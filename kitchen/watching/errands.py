"""What a function is really asked to do by an await: the call inside of create_task, wait_for, to_thread and their like."""

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from kitchen.watching.asked import (
    group_of_one,
    is_clock,
    is_entry_of_its_own,
    names_in,
    names_of_others,
    names_of_rounds,
    parameters,
    paths,
    says_order,
)
from kitchen.watching.facts import Frame
from kitchen.watching.order import keeps_order, needs_guard
from kitchen.watching.program import (
    FUNCTIONS,
    all_awaits,
    awaits,
    first_line,
    function_of,
    is_inside,
    last_part,
    path_of,
    tree_of,
)
from kitchen.watching.whose import is_readers

IN_TASKS = {"create_task", "ensure_future", "gather", "shield", "wait_for", "wrap_future"}  # the call is their argument
IN_THREADS = {"to_thread": 0, "run_in_executor": 1, "run_sync": 0}  # the function is this argument
FUTURES = {"Future", "create_future"}
READS = ("communicate", "read", "receive", "recv", "wait")  # what has begun already
UNDER_WAY = {"shield", "wait", "wait_for", "wrap_future"}  # wait for what their argument does already
# Libraries whose connections do one thing at a time.
TAKE_TURNS = {"aiomysql", "aiopg", "aiosqlite", "asyncpg", "psycopg", "sqlalchemy", "websockets"}
ONE = {"limit", "limit_per_host", "max_connections", "max_size", "maxsize", "max_workers", "pool_size", "max_rate"}
LIMITS = re.compile(r"limit|throttl|pace|polite|rate_|_rate|acquire|debounce|bucket", re.IGNORECASE)


def errand_of(tree: ast.Module, line: int) -> str:
    """The name of what a line has done elsewhere, in a task or in a thread, and awaits; "" if it does not."""
    node = awaits(tree, line)
    if isinstance(node, ast.AsyncWith):
        return _name(group_of_one(node))
    return _name(_given(node.value, node)) if node is not None else ""


@lru_cache(maxsize=4096)
def is_rightly_guarded(tree: ast.Module, line: int) -> bool:
    """Whether the text says that something that a line awaits is rightly in a block that holds something."""
    nodes = all_awaits(tree, line)
    return any(needs_guard(node, _given(getattr(node, "value", None), node)) for node in nodes)


def _given(value, node):
    """What an awaited expression stands for: the call, or the function, that it hands on."""
    if isinstance(value, ast.Name):
        value = _set_just_before(value.id, node)
    if not isinstance(value, ast.Call):
        return None
    name = last_part(value.func)
    if name in IN_THREADS and len(value.args) > IN_THREADS[name]:
        return value.args[IN_THREADS[name]]
    if name == "wait" and value.args and isinstance(value.args[0], (ast.List, ast.Tuple, ast.Set)):
        return _given(value.args[0].elts[0], node) if len(value.args[0].elts) == 1 else None
    if name in IN_TASKS and value.args and (name != "gather" or len(value.args) == 1):
        inner = value.args[0]
        if isinstance(inner, ast.Name):
            inner = _set_just_before(inner.id, node) or inner
        return _given(inner, node) or (inner if isinstance(inner, ast.Call) else None)
    return None


def _set_just_before(name, node):
    """The value that a name was given last before an await, in the same round of a loop, if nothing was awaited since then,
    and no other task made."""
    scope = node
    while not isinstance(scope, (ast.For, ast.AsyncFor, ast.While, *FUNCTIONS)) and hasattr(scope, "parent"):
        scope = scope.parent
    start, inside = (node.lineno, node.col_offset), list(ast.walk(scope))
    before = [inner for inner in inside if isinstance(inner, ast.Assign) and _end(inner) <= start]
    given = [inner for inner in before if [path_of(target) for target in inner.targets] == [name]]
    last = max(given, key=_end, default=None)
    if last is None:
        return None
    since = [
        inner for inner in inside if isinstance(inner, (ast.Await, ast.Call)) and _end(last) < _end(inner) <= start
    ]
    return None if any(isinstance(inner, ast.Await) or _name(inner) in IN_TASKS for inner in since) else last.value


def _end(node):
    return node.end_lineno, node.end_col_offset


def _name(thing):
    if isinstance(thing, ast.Call) and path_of(thing.func).rpartition(".")[2] == "partial" and thing.args:
        return _name(thing.args[0])
    thing = thing.func if isinstance(thing, ast.Call) else thing
    return path_of(thing).rpartition(".")[2] if thing is not None else ""


def is_limited(inside: tuple[Frame, ...], frame: Frame, errand: str) -> bool:
    """Whether a call does one thing at a time on purpose, as the text of what it calls says; `inside`: the frames in it.

    So does one that waits for what is under way already, and one over a connection of a library that takes turns.
    """
    if any(LIMITS.search(inner.code.co_name) for inner in inside):
        return True
    tree, last = tree_of(frame.code.co_filename), (frame, *inside)[-1]
    if last.callee is not None and not TAKE_TURNS.isdisjoint(Path(last.callee.co_filename).parts):
        return True
    if tree is None:
        return False
    if _lets_one_in(tree) or (inside and _waits_for_what_is_there(tree_of(last.code.co_filename), last.line)):
        return True
    if errand:
        node = awaits(tree, frame.line)
        given = _given(node.value, node) if isinstance(node, ast.Await) else None
        function = getattr(given, "func", given)
        shared = shared_with(tree, frame.line, tree, errand)
        return (function is not None and says_order(function, True)) or limits_itself(tree, errand, shared=shared)
    others = is_of_another(tree, frame.line)
    for at, code in enumerate([frame.callee, *(inner.code for inner in inside[1:])]):
        of_callee = tree_of(code.co_filename) if code is not None and is_readers(code.co_filename) else None
        if of_callee is not None:
            shared = () if at else shared_with(tree, frame.line, of_callee, code.co_firstlineno)
            if limits_itself(of_callee, code.co_firstlineno, others and not at, shared):
                return True
    return False


def _function(tree, which):
    """A function given by its first line or its name; None where it is not there, or has no statements."""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS) and not isinstance(node, ast.Lambda)]
    return next((node for node in functions if which in (first_line(node), node.name)), None)


@lru_cache(maxsize=4096)
def only_pauses(tree: ast.Module, which: int | str) -> bool:
    """Whether a function does nothing but sleep."""
    function = _function(tree, which)
    if function is None:
        return False
    body = function.body[1:] if ast.get_docstring(function) else function.body
    asked = [getattr(statement, "value", None) for statement in body]
    return all(isinstance(value, ast.Await) and _name(value.value) == "sleep" for value in asked)


def is_of_another(tree: ast.Module, line: int) -> bool:
    """Whether a line awaits a method of what its loop goes through: each time that of another thing."""
    node = awaits(tree, line)
    call = getattr(node, "value", None)
    name = path_of(call.func).partition(".")[0] if isinstance(call, ast.Call) else ""
    while node is not None:
        if isinstance(node, (ast.For, ast.AsyncFor)) and name in names_in(node.target, ast.Store):
            return True
        node = getattr(node, "parent", None)
    return False


@lru_cache(maxsize=64)
def _lets_one_in(tree):
    """Whether a file makes something that lets one in at a time, and no more."""
    return any(
        isinstance(node, ast.keyword)
        and node.arg in ONE
        and isinstance(node.value, ast.Constant)
        and node.value.value == 1
        for node in ast.walk(tree)
    )


def _waits_for_what_is_there(tree, line):
    """Whether a line of a function awaits something that the function was given, or has as an attribute: a task, say. Or a
    future, which somebody else will set, one after the other, perhaps."""
    node = awaits(tree, line) if tree is not None else None
    value = node.value if isinstance(node, ast.Await) else None
    while isinstance(value, ast.Call) and _name(value) in UNDER_WAY and value.args:
        value = value.args[0]
        while isinstance(value, (ast.List, ast.Set, ast.Tuple)) and len(value.elts) == 1:
            value = value.elts[0]
    if isinstance(value, ast.Call):
        of, _, name = path_of(value.func).rpartition(".")
        return name.startswith(READS) and of.partition(".")[0] in parameters(function_of(node))
    path = path_of(value) if value is not None else ""
    function = function_of(node) if path else ast.Pass()
    made = [
        inner for inner in ast.walk(function) if isinstance(inner, ast.Assign) and path in map(path_of, inner.targets)
    ]
    is_own = path in names_in(function, ast.Store) and not any(_is_a_future(inner.value) for inner in made)
    return bool(path) and ("." in path or not is_own)


def _is_a_future(value):
    return isinstance(value, ast.Call) and last_part(value.func) in FUTURES


@lru_cache(maxsize=4096)
def shared_with(tree: ast.Module, line: int, of_callee: ast.Module, which: int | str) -> frozenset[str]:
    """The parameters of a function that a line gives one and the same thing each time: not what its loop goes through."""
    function, node = _function(of_callee, which), awaits(tree, line)
    if function is None or not isinstance(node, ast.Await):
        return frozenset()
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    given = _given(node.value, node)
    call = given if isinstance(given, ast.Call) else node.value
    if given is not None and call is not given:  # a function, and what it is to be called with
        call = next((inner for inner in ast.walk(call) if isinstance(inner, ast.Call) and given in inner.args), None)
    if not isinstance(call, ast.Call):
        return frozenset()
    args = call.args[call.args.index(given) + 1 :] if given in call.args else call.args
    pairs = [*zip(names, args, strict=False), *((keyword.arg, keyword.value) for keyword in call.keywords)]
    own = names_of_rounds(node)
    return frozenset(name for name, value in pairs if name and path_of(value) and not names_in(value, ast.Load) & own)


@lru_cache(maxsize=4096)
def limits_itself(
    tree: ast.Module, which: int | str, is_of_another: bool = False, shared: Iterable[str] = frozenset()
) -> bool:
    """Whether a function, given by its first line or its name, does one thing at a time on purpose: it holds what guards,
    makes a pause, keeps an order, goes by what it has set itself. `is_of_another`: its `self` is another one each time;
    `shared`: those of its parameters that are the same each time."""
    function = _function(tree, which)
    if function is None:
        return False
    inside = [node for statement in function.body for node in ast.walk(statement)]
    waits = [node for node in inside if isinstance(node, (ast.Await, ast.AsyncWith, ast.AsyncFor))]
    pauses = [node for node in waits if isinstance(node, ast.Await) and _name(node.value) == "sleep"]
    if (pauses and len(waits) > len(pauses)) or any(map(_is_a_measure, inside)):
        return True
    if any(keeps_order(node, function) or LIMITS.search(_asked(node)) for node in inside):
        return True
    if _asks_and_is_answered(function, inside):
        return True
    sets = [
        (path, target, statement)
        for path, target, statement in _set_outside(function, inside, shared)
        if not (is_of_another and path.startswith("self."))
    ]
    return any(_goes_by(path, target, statement, inside) for path, target, statement in sets)


def _is_a_measure(node):
    """Whether a function gives back for how long something took: together that would be something else."""
    parts = ast.walk(node) if isinstance(node, ast.Return) else ()
    differences = [part.left for part in parts if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub)]
    return any(isinstance(left, ast.Call) and is_clock(left) for left in differences)


def _asks_and_is_answered(function, inside):
    """Whether a function sends something over a connection that is not its own, and receives the answer."""
    own = names_in(ast.Module(function.body, []), ast.Store)
    calls = [node for node in inside if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    of = {
        word: {path_of(call.func.value) for call in calls if call.func.attr.startswith(words)} - {""}
        for word, words in {"asks": ("send", "write"), "is answered": ("recv", "receive", "read")}.items()
    }
    return any(path.partition(".")[0] not in own for path in of["asks"] & of["is answered"])


def _set_outside(function, inside, shared):
    """What a function sets that is not its own, nor that of what it alone was called with: an attribute, a global. And
    the target, and the statement."""
    own = parameters(function) - set(shared) | names_in(ast.Module(function.body, []), ast.Store)
    own -= names_of_others(function)
    for statement in (node for node in inside if isinstance(node, (ast.Assign, ast.AugAssign))):
        for target in getattr(statement, "targets", None) or [statement.target]:
            path = path_of(target.value if isinstance(target, ast.Subscript) else target)
            if path and path.partition(".")[0] not in own:
                yield path, target, statement


def _goes_by(path, target, statement, inside):
    """Whether a function goes by what an earlier call of it has set: it reads that, or has not done with it."""
    reads = [
        node
        for node in inside
        if path_of(node) == path and isinstance(node.ctx, ast.Load) and not is_inside(node, target)
    ]
    if is_entry_of_its_own(target):
        return any(_asks_another_entry(node, target) for node in reads)
    if reads:
        return not _is_made_once(path, statement)
    if isinstance(statement, ast.AugAssign):
        return False  # it counts
    ends = [(node.lineno, node.col_offset) for node in inside if isinstance(node, ast.Await)]
    return any(end > (statement.end_lineno, statement.end_col_offset) for end in ends)


def _asks_another_entry(read, target):
    above = read.parent
    if isinstance(above, ast.Subscript) and above.value is read:
        return ast.dump(above.slice) != ast.dump(target.slice)
    is_test = isinstance(above, ast.Compare) and isinstance(above.ops[0], (ast.In, ast.NotIn))
    return not is_test and not (isinstance(above, ast.Attribute) and above.attr == "get")


def _is_made_once(path, statement):
    """Whether something is set only as long as it is not there: a client, say."""
    is_tested = isinstance(statement.parent, ast.If) and path in paths([statement.parent.test])
    has_await = any(isinstance(node, ast.Await) for node in ast.walk(statement))
    return is_tested and not has_await and not isinstance(statement, ast.AugAssign)


def _asked(node):
    if isinstance(node, ast.Await):
        return ast.unparse(node.value)
    return ", ".join(ast.unparse(item.context_expr) for item in node.items) if isinstance(node, ast.AsyncWith) else ""
