"""Loops, as their text tells: whether a round of one needs what an earlier round has got."""

import ast
from functools import lru_cache

from kitchen.watching.asked import (
    THINGS,
    asked,
    changes_of,
    guards,
    is_clock,
    is_felt_by,
    is_guarded,
    is_ordered,
    is_pop,
    names_in,
    names_of_others,
    paths,
)
from kitchen.watching.program import AWAITS, FUNCTIONS, awaits, function_of, is_inside, last_part, path_of, root_of

EXITS = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
HARMLESS = {"print", "len", "str", "repr", "int", "float", "range", "enumerate", "zip", "min", "max", "sum", "sorted"}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SETS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)
BEGINS = {"create_task", "ensure_future", "run_in_executor", "run_sync", "start_soon", "submit", "to_thread"}
HANDS_ON = {"emit", "enqueue", "publish", "put", "put_nowait", "send", "send_nowait", "write"}
IN_ORDER = {"reversed", "static_order", "topological_sort", "toposort"}


@lru_cache(maxsize=4096)
def in_free_loop(tree: ast.Module, line: int) -> bool:
    """Whether the one await of this line stands in a loop, or a comprehension, in which no round needs the one before."""
    node = awaits(tree, line)
    if node is None or is_guarded(node) or is_ordered(node):
        return False
    inner = node
    while inner is not None and not isinstance(inner, FUNCTIONS):
        outer = getattr(inner, "parent", None)
        if isinstance(outer, COMPREHENSIONS):
            return _is_free_comprehension(outer, node)
        if isinstance(outer, ast.While) and inner in outer.body:
            return (_takes_out(outer) or bool(_counted(outer))) and _rounds_are_free(outer, node)
        if isinstance(outer, (ast.AsyncFor, ast.While)) or (isinstance(outer, ast.Try) and inner not in outer.body):
            return False
        if isinstance(outer, ast.For) and inner in outer.body:
            return _rounds_are_free(outer, node)
        inner = outer
    return False


def _is_free_comprehension(outer, node):
    first, used = outer.generators[0], names_in(node, ast.Load)
    tests = [test for test in first.ifs if not is_inside(node, test)]
    if len(outer.generators) > 1 or first.is_async or tests or _is_in_order(first):
        return False
    kept = {inner.target.id for inner in ast.walk(outer) if isinstance(inner, ast.NamedExpr)}
    return bool(names_in(first.target, ast.Store) & used) and not kept & used


def _is_in_order(loop):
    """Whether what a loop goes through says that the order is meant."""
    source = loop.test if isinstance(loop, ast.While) else loop.iter
    called = {last_part(inner.func) for inner in _calls(source)}
    targets = _targets(loop) if isinstance(loop, ast.While) else names_in(loop.target, ast.Store)
    names = {*targets, path_of(source).rpartition(".")[2]}
    return bool(called & IN_ORDER) or any(name.lower().rpartition("_")[2].rstrip("s") in THINGS for name in names)


def _calls(node):
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]


@lru_cache(maxsize=4096)
def is_handed_its_rounds(tree: ast.Module, line: int) -> bool:
    """Whether the loop around the one await of a line goes through what its function was handed: others may share that."""
    node = awaits(tree, line)
    while node is not None and not isinstance(node, (ast.For, ast.While, *COMPREHENSIONS, *FUNCTIONS)):
        node = getattr(node, "parent", None)
    if isinstance(node, COMPREHENSIONS):
        source = node.generators[0].iter
    elif isinstance(node, (ast.For, ast.While)):
        source = node.iter if isinstance(node, ast.For) else node.test
    else:
        return False
    root = path_of(source).partition(".")[0]
    return bool(root) and root not in names_in(function_of(node), ast.Store)


def _rounds_are_free(loop, node):
    """Whether no round of this loop depends on what an earlier one got, as far as its text tells."""
    inside = [inner for statement in loop.body for inner in ast.walk(statement)]
    if loop.orelse or any(isinstance(inner, EXITS) for inner in inside):
        return False  # a search, a retry
    if _is_in_order(loop) or _prepares(loop, node) or _measures(loop, node):
        return False
    targets, got = _targets(loop), _got(loop)
    if not all(_is_of_this_round(inner, node, got, targets) for inner in inside if isinstance(inner, AWAITS)):
        return False  # it does more than this: a pause out of politeness, say
    if any(_hands_on(inner, node, got) for inner in inside if isinstance(inner, ast.Call)):
        return False  # in this order, and no faster than it is taken
    what = ast.Tuple(asked(node), ast.Load())
    if not _derived(loop, targets) & names_in(what, ast.Load) and not any(is_pop(inner) for inner in _calls(what)):
        return False  # the same again and again: whatever it is for, it is not a list of errands
    tests = [
        _test(inner) for inner in inside if isinstance(inner, (ast.If, ast.IfExp, ast.Match)) and _decides(inner, node)
    ]
    for inner in inside:
        if isinstance(inner, ast.BoolOp):
            tests += _decided_by(inner, node)
    source = [loop.iter if isinstance(loop, ast.For) else loop.test]
    used = _with_what_they_are_made_of(paths([*asked(node), *source, *tests]), inside) - targets
    carried = _carried(loop, node)
    anew = got - carried  # each round has its own
    changed = {path for path in _changed(inside, node) if path.partition(".")[0] not in anew | _imported(loop)}
    if used & (carried | changed):
        return False
    changes = [change for statement in loop.body for change in changes_of(statement)]
    return not any(is_felt_by(change, node, used) for change in changes)


def _test(inner):
    return inner.subject if isinstance(inner, ast.Match) else inner.test


def _decides(test, node):
    """Whether an `if`, or a `match`, decides whether something is awaited in this round."""
    return is_inside(node, test) or any(isinstance(inner, ast.Continue) for inner in ast.walk(test))


def _decided_by(operation, node):
    """What decides, in an `and` or an `or`, whether something in it is awaited."""
    at = next((at for at, value in enumerate(operation.values) if is_inside(node, value)), 0)
    return operation.values[:at]


def _counted(loop):
    """The name that a `while` loop counts up or down, and that its condition is about."""
    names = [
        inner.target.id
        for inner in loop.body
        if isinstance(inner, ast.AugAssign)
        and isinstance(inner.target, ast.Name)
        and isinstance(inner.value, ast.Constant)
    ]
    return set(names) & paths([loop.test]) if isinstance(loop.test, ast.Compare) else set()


def _takes_out(loop):
    """Whether a `while` loop takes out of what its condition is about, and puts nothing in."""
    todo = paths([loop.test])
    inside = [call for statement in loop.body for call in _calls(statement)]
    return any(is_pop(call) and path_of(call.func.value) in todo for call in inside)


def _targets(loop):
    """The names that stand for what a round is about."""
    if isinstance(loop, ast.For):
        return names_in(loop.target, ast.Store)
    taken = [
        statement
        for statement in loop.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call) and is_pop(statement.value)
    ]
    return {name for statement in taken for name in names_in(statement, ast.Store)} | _counted(loop)


def _derived(loop, targets):
    """The targets, and what is made of them in the same round."""
    derived = set(targets)
    for statement in (inner for part in loop.body for inner in ast.walk(part) if isinstance(inner, ast.Assign)):
        if derived & names_in(statement.value, ast.Load):
            derived |= names_in(statement, ast.Store)
    return derived


def _with_what_they_are_made_of(used, inside):
    """Names, and those that they are made of in the same round."""
    made = [inner for inner in inside if isinstance(inner, SETS) and inner.value is not None]
    while more := {path for inner in made if names_in(inner, ast.Store) & used for path in paths([inner.value])} - used:
        used = used | more
    return used


def _prepares(loop, node):
    """Whether a round sets something, before its await, that is not its own: what is awaited may go by it."""
    own = _targets(loop) | {name for statement in loop.body for name in names_in(statement, ast.Store)}
    of_others = names_of_others(function_of(loop))
    for statement in _before(loop, node):
        changed = {path_of(change.value).partition(".")[0] for change in changes_of(statement)}
        sets = [call for call in _calls(statement) if getattr(call.func, "attr", "") == "set"]
        changed |= {path_of(call.func.value).partition(".")[0] for call in sets if isinstance(call.parent, ast.Expr)}
        if changed - own - {""} or names_in(statement, ast.Store) & of_others:
            return True
    return False


def _before(loop, node):
    """The statements of a loop before the one in which an await stands."""
    at = next(at for at, statement in enumerate(loop.body) if is_inside(node, statement))
    return loop.body[:at]


def _measures(loop, node):
    """Whether a round looks at a clock before its await, and after it, and keeps how long it took, instead of only showing
    it: together that would be something else."""
    before = _before(loop, node)
    kept = [part for part in loop.body[len(before) :] if _keeps(part)]
    looks = [any(is_clock(call) for part in parts for call in _calls(part)) for parts in (before, kept)]
    return all(looks)


def _keeps(statement):
    is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    return isinstance(statement, (ast.Assign, ast.AugAssign)) or (
        is_call and last_part(statement.value.func) == "append"
    )


def _got(loop):
    """The names of what a round gets, or opens for itself."""
    got = set()
    for statement in loop.body:
        for part in ast.walk(statement):
            if isinstance(part, (ast.AsyncWith, ast.Assign, ast.AnnAssign)):
                got |= names_in(ast.Module(part.items if isinstance(part, ast.AsyncWith) else [part], []), ast.Store)
    return got


def _is_of_this_round(inner, node, got, targets):
    """Whether an await of a loop is the one that is looked at, or belongs to it: it works on what this round has got."""
    if inner is node or (is_inside(inner, node) and not isinstance(node, ast.AsyncWith)):
        return True
    if isinstance(inner, ast.AsyncWith) and not guards(inner):
        return True  # a timeout, or what is opened for this round
    if isinstance(inner, ast.AsyncFor):
        return False
    used = names_in(ast.Tuple(asked(inner), ast.Load()), ast.Load)
    return bool(got & used) or (bool(targets & used) and not is_ordered(inner))


def _hands_on(call, node, got):
    """Whether a call hands on what a round has got, to what is not the round's own: a queue, say."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in HANDS_ON or is_inside(call, node):
        return False
    if path_of(call.func.value).partition(".")[0] in got:
        return False
    return any(names_in(argument, ast.Load) & got or is_inside(node, argument) for argument in call.args)


def _carried(loop, node):
    """Names that the loop sets, but not before the await of the same round, or not without what they were."""
    set_before, set_at_all = _opened_around(node, loop), set()
    before = True
    for statement in loop.body:
        before = before and not any(inner is node for inner in ast.walk(statement))
        names = names_in(statement, ast.Store)
        set_at_all |= names
        if before and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            of_itself = names_in(statement.value, ast.Load) if statement.value else set()
            set_before |= names - (of_itself - set_before)
    return set_at_all - set_before


def _opened_around(node, loop):
    """The names of what a round opens for itself around one of its awaits."""
    names, outer = set(), node.parent
    while outer is not loop:
        if isinstance(outer, (ast.With, ast.AsyncWith)):
            names |= names_in(ast.Module(outer.items, []), ast.Store)
        outer = outer.parent
    return names


def _changed(inside, node):
    """Things that the loop may change: by a method, or by handing them to a function."""
    changed = set()
    for inner in inside:
        if not isinstance(inner, ast.Call) or is_pop(inner) or any(is_inside(inner, call) for call in asked(node)):
            continue
        if isinstance(inner.func, ast.Attribute) and inner.func.attr in BEGINS:
            continue
        if isinstance(inner.func, ast.Attribute):
            changed.add(path_of(inner.func.value))
        elif getattr(inner.func, "id", None) not in HARMLESS:
            changed |= {path_of(argument) for argument in inner.args}
    return changed - {""}


def _imported(node):
    """The names that the file around a node imports: to call a module's function does not change the module."""
    imports = [inner for inner in ast.walk(root_of(node)) if isinstance(inner, (ast.Import, ast.ImportFrom))]
    return {(name.asname or name.name).partition(".")[0] for inner in imports for name in inner.names}
