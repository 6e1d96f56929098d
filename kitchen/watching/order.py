"""What the text of a program says: which of its awaits need the one before, and which were ordered on purpose."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from kitchen.watching.program import AWAITS, FUNCTIONS, awaits, is_inside, path_of, statement_of


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
        if again and (_in_free_loop(tree, line) or _in_one_expression(tree, line, len(calls))):
            yield calls
    if len(part) > 1:
        yield part


EXITS = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
HARMLESS = {"print", "len", "str", "repr", "int", "float", "range", "enumerate", "zip", "min", "max", "sum", "sorted"}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Whoever does one of these does it in an order, over one connection, say: a function is taken at its word.
ORDERED_WORDS = """
    accept add advance append apply begin check click commit connect cursor delete deploy drag enqueue enter
    execute executemany extend fetchall fetchmany fetchone fetchrow fetchval fill focus go goto hover insert log
    login logout migrate move navigate next play pop press print publish push put query read reboot receive record
    recv reply respond restart rollback say scroll select send set show sign speak start step stop submit tap
    transaction turn type update upsert write
"""
# And so does whoever asks one of these.
ONE_AT_A_TIME_WORDS = """
    browser channel conn connection cur cursor db device driver ftp machine modem printer reader robot serial
    shell sock socket ssh tab tx websocket wire writer ws
"""
ORDERED, ONE_AT_A_TIME = frozenset(ORDERED_WORDS.split()), frozenset(ONE_AT_A_TIME_WORDS.split())
FIRST = re.compile(
    r"\b(log.?in|log.?out|auth|tokens?|sign.?in|handshake|setup|commit|sessions?)\b", re.IGNORECASE
)  # in what is asked for


@lru_cache(maxsize=4096)
def _in_free_loop(tree, line):
    """Whether the await of this line stands in a `for` loop in which no round needs the one before."""
    node = awaits(tree, line)
    if node is None or _is_guarded(node) or _is_ordered(node):
        return False
    inner = node
    while inner is not None and not isinstance(inner, FUNCTIONS):
        outer = getattr(inner, "parent", None)
        if isinstance(outer, COMPREHENSIONS):
            first = outer.generators[0]
            tests = [test for test in first.ifs if not is_inside(node, test)]
            simple = len(outer.generators) == 1 and not first.is_async and not tests
            return simple and bool(names_in(first.target, ast.Store) & names_in(node, ast.Load))
        if isinstance(outer, ast.While) and inner in outer.body:
            return (_takes_out(outer) or bool(_counted(outer))) and _rounds_are_free(outer, node)
        if isinstance(outer, (ast.AsyncFor, ast.While)) or (isinstance(outer, ast.Try) and inner not in outer.body):
            return False
        if isinstance(outer, ast.For) and inner in outer.body:
            return _rounds_are_free(outer, node)
        inner = outer
    return False


SIDE_BY_SIDE = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Call, ast.keyword, ast.Starred, ast.BinOp, ast.Await)


@lru_cache(maxsize=4096)
def _in_one_expression(tree, line, number):
    """Whether so many awaits stand side by side in one expression of a line, each asking for something else."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Await) and node.lineno <= line <= node.end_lineno]
    if len(nodes) != number or len({ast.dump(node) for node in nodes}) < number:
        return False
    return all(_are_side_by_side(nodes[0], node) for node in nodes[1:])


def _are_side_by_side(one, other):
    """Whether two awaits are parts of one expression that needs both, and neither needs the other."""
    if any(_is_ordered(node) or _comes_first(node) or _is_guarded(node) for node in (one, other)):
        return False
    around = list(_around(one))
    return not (is_inside(one, other) or is_inside(other, one)) and any(node in around for node in _around(other))


def _around(node):
    """What an await is a part of, as long as all parts of that are needed."""
    while isinstance(node := node.parent, SIDE_BY_SIDE):
        yield node


def group_of_one(node: ast.AST) -> ast.Call | None:
    """What a TaskGroup in which there is only one task has that task do."""
    match node:
        case ast.AsyncWith(
            items=[ast.withitem(ast.Call(func))],
            body=[ast.Expr(made) | ast.Assign(value=made)],
        ) if path_of(func).rpartition(".")[2] == "TaskGroup":
            match made:
                case ast.Call(ast.Attribute(attr="create_task"), [ast.Call() as call, *_]):
                    return call
    return None


def asked_at(tree: ast.Module, line: int) -> str:
    """The name of what the one await of a line calls; "" where it does not say."""
    node = awaits(tree, line)
    call = next(iter(_asked(node)), None) if node is not None else None
    return path_of(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""


def _asked(node):
    """What an await, or an `async with`, calls."""
    if isinstance(node, ast.Await):
        return [node.value]
    call = group_of_one(node)
    return [call] if call is not None else [item.context_expr for item in node.items]


def _is_ordered(node):
    """Whether the name of what is called says that it happens in an order."""
    calls = [inner for asked in _asked(node) for inner in ast.walk(asked) if isinstance(inner, ast.Call)]
    return any(_says_order(call.func) for call in calls if not _is_pop(call))


def _says_order(function):
    """Whether the name of a function, or of what is asked, says that it happens in an order."""
    name = getattr(function, "attr", None) or getattr(function, "id", "")
    asked = path_of(function.value).rpartition(".")[2].strip("_") if isinstance(function, ast.Attribute) else ""
    return asked.lower() in ONE_AT_A_TIME or name.strip("_").partition("_")[0].lower() in ORDERED


def needs_guard(node: ast.AST, given: ast.AST | None) -> bool:
    """Whether the text says that an await, which has `given` done elsewhere, is rightly in a block that holds something:
    it happens in an order, or stands between a load and a save."""
    if _is_ordered(node) or (given is not None and _says_order(getattr(given, "func", given))):
        return True
    outer = getattr(node, "parent", None)
    while outer is not None and not isinstance(outer, FUNCTIONS):
        if _guards(outer) and _hands_on(outer):
            return True
        outer = getattr(outer, "parent", None)
    return False


def _hands_on(block):
    """Whether an await in a block needs what an earlier one gave; to read an answer is a part of getting it."""
    inside = [inner for part in block.body for inner in ast.walk(part)]
    steps = [inner for inner in inside if isinstance(inner, (ast.Await, ast.Assign))]
    given = set()
    for step in sorted(steps, key=lambda step: (step.end_lineno, step.end_col_offset, isinstance(step, ast.Assign))):
        needs = bool(_paths([step.value]) & given)
        if isinstance(step, ast.Await):
            if needs and getattr(getattr(step.value, "func", None), "attr", "") not in ("json", "read", "text"):
                return True
        elif needs or any(isinstance(inner, ast.Await) for inner in ast.walk(step.value)):
            given |= names_in(step, ast.Store) | {path_of(target) for target in step.targets} - {""}
    return False


def _comes_first(node):
    """Whether what is asked for says that it comes before all else: a login."""
    texts = [inner.value for asked in _asked(node) for inner in ast.walk(asked) if isinstance(inner, ast.Constant)]
    return any(isinstance(text, str) and FIRST.search(text) for text in texts)


def keeps_order(node: ast.AST, function: ast.AST) -> bool:
    """Whether something in a function makes its calls happen one at a time, or in an order: it holds what guards, or it
    appends to what is not its own."""
    if _guards(node):
        return True
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    of = path_of(node.func.value)
    return node.func.attr in ("append", "write", "extend", "put_nowait") and of not in names_in(function, ast.Store)


def _is_pop(call):
    """Whether a call takes something out of what is to be done."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("pop", "popleft") and not call.keywords


def _guards(node):
    """Whether this is a block that holds something without a name, as one holds a lock; a timeout does not."""
    if not isinstance(node, (ast.With, ast.AsyncWith)) or any(item.optional_vars for item in node.items):
        return False
    return not any("timeout" in ast.unparse(item.context_expr) for item in node.items)


def _is_guarded(node):
    """Whether something in a function stands in such a block, and is not asked of the very thing that is held."""
    inner, outer = node, getattr(node, "parent", None)
    while outer is not None and not isinstance(outer, FUNCTIONS):
        if _guards(outer) and inner in outer.body and not _is_asked_of(node, outer):
            return True
        inner, outer = outer, getattr(outer, "parent", None)
    return False


def _is_asked_of(node, block):
    """Whether an await calls a method of what a block holds: a client, say."""
    held = {path_of(item.context_expr) for item in block.items} - {""}
    return isinstance(node, ast.Await) and any(
        isinstance(asked, ast.Call) and isinstance(asked.func, ast.Attribute) and path_of(asked.func.value) in held
        for asked in _asked(node)
    )


def _rounds_are_free(loop, node):
    """Whether no round of this loop depends on what an earlier one got, as far as its text tells."""
    inside = [inner for statement in loop.body for inner in ast.walk(statement)]
    if loop.orelse or any(isinstance(inner, EXITS) for inner in inside):
        return False  # a search, a retry
    targets = _targets(loop)
    if not all(_is_of_this_round(inner, node, loop, targets) for inner in inside if isinstance(inner, AWAITS)):
        return False  # it does more than this: a pause out of politeness, say
    asked = ast.Tuple(_asked(node), ast.Load())
    if not _derived(loop, targets) & names_in(asked, ast.Load) and not any(
        _is_pop(inner) for inner in ast.walk(asked) if isinstance(inner, ast.Call)
    ):
        return False  # the same again and again: whatever it is for, it is not a list of errands
    tests = [inner.test for inner in inside if isinstance(inner, (ast.If, ast.IfExp)) and _decides(inner, node)]
    for inner in inside:
        if isinstance(inner, ast.BoolOp):
            tests += _decided_by(inner, node)
    source = [loop.iter if isinstance(loop, ast.For) else loop.test]
    used = _paths([*_asked(node), *source, *tests]) - targets
    return not used & (_carried(loop, node) | _changed(inside, node))


def _decides(test, node):
    """Whether an `if` decides whether something is awaited in this round."""
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
    return set(names) & _paths([loop.test]) if isinstance(loop.test, ast.Compare) else set()


def _takes_out(loop):
    """Whether a `while` loop takes out of what its condition is about, and puts nothing in."""
    todo = _paths([loop.test])
    inside = [inner for statement in loop.body for inner in ast.walk(statement) if isinstance(inner, ast.Call)]
    return any(_is_pop(call) and path_of(call.func.value) in todo for call in inside)


def _targets(loop):
    """The names that stand for what a round is about."""
    if isinstance(loop, ast.For):
        return names_in(loop.target, ast.Store)
    taken = [
        statement
        for statement in loop.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call) and _is_pop(statement.value)
    ]
    return {name for statement in taken for name in names_in(statement, ast.Store)} | _counted(loop)


def _derived(loop, targets):
    """The targets, and what is made of them in the same round."""
    derived = set(targets)
    for statement in (inner for part in loop.body for inner in ast.walk(part) if isinstance(inner, ast.Assign)):
        if derived & names_in(statement.value, ast.Load):
            derived |= names_in(statement, ast.Store)
    return derived


def _is_of_this_round(inner, node, loop, targets):
    """Whether an await of a loop is the one that is looked at, or belongs to it: it works on what this round has got."""
    if inner is node or (is_inside(inner, node) and not isinstance(node, ast.AsyncWith)):
        return True
    if isinstance(inner, ast.AsyncWith) and not _guards(inner):
        return True  # a timeout, or what is opened for this round
    if isinstance(inner, ast.AsyncFor):
        return False
    got = set()
    for statement in loop.body:
        for part in ast.walk(statement):
            if isinstance(part, (ast.AsyncWith, ast.Assign, ast.AnnAssign)):
                got |= names_in(ast.Module(part.items if isinstance(part, ast.AsyncWith) else [part], []), ast.Store)
    used = names_in(ast.Tuple(_asked(inner), ast.Load()), ast.Load)
    return bool(got & used) or (bool(targets & used) and not _is_ordered(inner))


def _carried(loop, node):
    """Names that the loop sets, but not before the await of the same round."""
    set_before, set_at_all = _opened_around(node, loop), set()
    before = True
    for statement in loop.body:
        before = before and not any(inner is node for inner in ast.walk(statement))
        names = names_in(statement, ast.Store)
        set_at_all |= names
        if before and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            set_before |= names
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
    """Things that the loop changes, or may change: by a method, by an item or attribute, by handing them to a function."""
    changed = set()
    for inner in inside:
        if isinstance(inner, (ast.Subscript, ast.Attribute)) and not isinstance(inner.ctx, ast.Load):
            changed.add(path_of(inner.value))
        elif (
            isinstance(inner, ast.Call)
            and not _is_pop(inner)
            and not any(is_inside(inner, call) for call in _asked(node))
        ):
            if isinstance(inner.func, ast.Attribute):
                changed.add(path_of(inner.func.value))
            elif getattr(inner.func, "id", None) not in HARMLESS:
                changed |= {path_of(argument) for argument in inner.args}
    return changed - {""}


def _paths(nodes):
    """Every name, with and without its attributes, that is read somewhere."""
    return {path_of(inner) for node in nodes for inner in ast.walk(node)} - {""}


def names_in(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The names that are read somewhere (`ast.Load`), or set (`ast.Store`)."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, context)}


@lru_cache(maxsize=4096)
def _free_neighbours(tree, before, line):
    """Whether the awaits of these two lines stand in statements of one block, the later needing nothing of the earlier."""
    one, other = awaits(tree, before), awaits(tree, line)
    if one is None or other is None or not isinstance(one, ast.Await) or not isinstance(other, ast.Await):
        return False
    if _is_ordered(one) or _comes_first(one) or ast.dump(one) == ast.dump(other):
        return False  # the same call twice was meant to get two answers
    if statement_of(one) is statement_of(other):
        return _are_side_by_side(one, other)
    one, other = statement_of(one), statement_of(other)
    if one.parent is not other.parent or isinstance(one.parent, ast.While) or _is_guarded(one):
        return False
    if isinstance(one.parent, (ast.For, ast.AsyncFor)) or not (_keeps_value(one) and _keeps_value(other)):
        return False
    block = next((block for _, block in ast.iter_fields(one.parent) if isinstance(block, list) and one in block), [])
    if other not in block or block.index(other) <= block.index(one):
        return False
    between = block[block.index(one) : block.index(other)]
    stored = {name for statement in between for name in names_in(statement, ast.Store)}
    return not stored & names_in(other, ast.Load) and not any(_acts(statement) for statement in between[1:])


def _keeps_value(statement):
    """Whether a statement assigns what it awaits: then it is wanted for that, and not for what it does."""
    return isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Await)


def _acts(statement):
    """Whether a statement calls anything besides what it awaits, and might so be needed by the next one."""
    calls = [inner for inner in ast.walk(statement) if isinstance(inner, ast.Call)]
    return not _keeps_value(statement) or any(not isinstance(call.parent, ast.Await) for call in calls)
