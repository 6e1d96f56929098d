"""What a function is really asked to do by an await: the call inside of create_task, wait_for, to_thread and their like."""

import ast
import re
from functools import lru_cache

from kitchen.watching.facts import Frame
from kitchen.watching.order import group_of_one, keeps_order, names_in, needs_guard
from kitchen.watching.program import FUNCTIONS, all_awaits, awaits, is_inside, path_of, statement_of, tree_of
from kitchen.watching.whose import is_readers

IN_TASKS = {"create_task", "ensure_future", "gather", "shield", "wait_for", "wrap_future"}  # the call is their argument
IN_THREADS = {"to_thread": 0, "run_in_executor": 1, "run_sync": 0}  # the function is this argument
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
    name = path_of(value.func).rpartition(".")[2] or getattr(value.func, "attr", "")
    if name in IN_THREADS and len(value.args) > IN_THREADS[name]:
        return value.args[IN_THREADS[name]]
    if name == "wait" and value.args and isinstance(value.args[0], (ast.List, ast.Tuple, ast.Set)):
        return _given(value.args[0].elts[0], node) if len(value.args[0].elts) == 1 else None
    if name in IN_TASKS and value.args and (name != "gather" or len(value.args) == 1):
        inner = value.args[0]
        return _given(inner, node) or (inner if isinstance(inner, ast.Call) else None)
    return None


def _set_just_before(name, node):
    """The value that the statement before this one gives to a name."""
    statement = statement_of(node)
    for _, block in ast.iter_fields(statement.parent):
        if isinstance(block, list) and statement in block and (at := block.index(statement)):
            before = block[at - 1]
            if isinstance(before, ast.Assign) and [path_of(target) for target in before.targets] == [name]:
                return before.value
    return None


def _name(thing):
    if isinstance(thing, ast.Call) and path_of(thing.func).rpartition(".")[2] == "partial" and thing.args:
        return _name(thing.args[0])
    thing = thing.func if isinstance(thing, ast.Call) else thing
    return path_of(thing).rpartition(".")[2] if thing is not None else ""


def is_limited(inside: tuple[Frame, ...], frame: Frame, errand: str) -> bool:
    """Whether a call does one thing at a time on purpose, as the text of what it calls says; `inside`: the frames in it."""
    if any(LIMITS.search(inner.code.co_name) for inner in inside):
        return True
    callee = frame.callee
    tree = tree_of(frame.code.co_filename)
    if not errand and callee is not None and is_readers(callee.co_filename):
        of_callee, others = tree_of(callee.co_filename), tree is not None and is_of_another(tree, frame.line)
        return of_callee is not None and limits_itself(of_callee, callee.co_firstlineno, others)
    return tree is not None and bool(errand) and limits_itself(tree, errand)


def _function(tree, which):
    """A function given by its first line or its name; None where it is not there, or has no statements."""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS) and not isinstance(node, ast.Lambda)]
    return next((node for node in functions if which in (_begins(node), node.name)), None)


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


@lru_cache(maxsize=4096)
def limits_itself(tree: ast.Module, which: int | str, is_of_another: bool = False) -> bool:
    """Whether a function, given by its first line or its name, does one thing at a time on purpose: it holds what guards,
    makes a pause, keeps an order, goes by what it has set itself. `is_of_another`: its `self` is another one each time."""
    function = _function(tree, which)
    if function is None:
        return False
    inside = [node for statement in function.body for node in ast.walk(statement)]
    waits = [node for node in inside if isinstance(node, (ast.Await, ast.AsyncWith, ast.AsyncFor))]
    pauses = [node for node in waits if isinstance(node, ast.Await) and _name(node.value) == "sleep"]
    if pauses and len(waits) > len(pauses):
        return True
    if any(keeps_order(node, function) or LIMITS.search(_asked(node)) for node in inside):
        return True
    outside = _set_outside(function, inside)
    shared = [(path, target) for path, target in outside if not (is_of_another and path.startswith("self."))]
    return any(_is_read_before(path, target, inside) for path, target in shared)


def _set_outside(function, inside):
    """What a function sets that is not its own, nor that of what it was called with: an attribute, a global. And where."""
    told = {name for node in inside if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    given = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)} - {"self", "cls"}
    own = (given | names_in(ast.Module(function.body, []), ast.Store)) - told
    for statement in (node for node in inside if isinstance(node, ast.Assign)):
        for target in statement.targets:
            is_entry = isinstance(target, ast.Subscript)
            if is_entry and names_in(target.slice, ast.Load):
                continue  # an entry for each call
            path = path_of(target.value if is_entry else target)
            if path and path.partition(".")[0] not in own:
                yield path, target


def _is_read_before(path, target, inside):
    """Whether something is read before an await, and set only after it: a later call goes by what this one sets."""
    read = [node for node in inside if path_of(node) == path and isinstance(node.ctx, ast.Load)]
    reads = [(node.lineno, node.col_offset) for node in read if not is_inside(node, target)]
    end = statement_of(target).end_lineno, statement_of(target).end_col_offset
    ends = [(node.end_lineno, node.end_col_offset) for node in inside if isinstance(node, ast.Await)]
    return any(min(reads, default=end) < awaited <= end for awaited in ends)


def _begins(function):
    return min([function.lineno, *(node.lineno for node in getattr(function, "decorator_list", ()))])


def _asked(node):
    if isinstance(node, ast.Await):
        return ast.unparse(node.value)
    return ", ".join(ast.unparse(item.context_expr) for item in node.items) if isinstance(node, ast.AsyncWith) else ""
