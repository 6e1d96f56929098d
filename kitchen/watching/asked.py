"""What an await asks for, as its text says: which call it is, and whether its words say that it happens in an order."""

import ast
import re
from collections.abc import Collection

from kitchen.watching.program import FUNCTIONS, awaits, last_part, path_of, root_of

# Whoever does one of these does it in an order, over one connection, say: a function is taken at its word.
ORDERED_WORDS = """
    accept aclose add advance append apply begin build check click close commit connect cursor delete deploy dispatch drag
    draw drop emit enqueue enter execute executemany extend fetchall fetchmany fetchone fetchrow fetchval fill fire flush
    focus git go goto hover input insert install log login logout migrate move navigate next patch play pop post press
    print prompt publish push put query read readline reboot receive record recv reply respond restart rollback rollout
    say scroll select send set sh show sign speak start step stop submit tap transaction turn type uninstall update
    upgrade upsert write
"""
# Of these only a method: a function of this name that gives something is asked for that.
ASKING_WORDS = "check query read select show"
# And of these, too, where a function's name says what, or whom to: `send_mail`.
SENDING_WORDS = "add append delete insert log post publish push put record reply respond send set update write"
# And so does whoever asks one of these.
ONE_AT_A_TIME_WORDS = """
    browser channel con conn connection cur cursor db device driver ftp machine modem printer reader robot serial
    shell sock socket ssh tab tx websocket wire writer ws
"""
# Or goes through these, one by one.
THINGS_WORDS = "command event frame instruction migration move note operation scene stage statement step turn"
ORDERED, ASKING = frozenset(ORDERED_WORDS.split()), frozenset(ASKING_WORDS.split())
SENDING = frozenset(SENDING_WORDS.split())
ONE_AT_A_TIME, THINGS = frozenset(ONE_AT_A_TIME_WORDS.split()), frozenset(THINGS_WORDS.split())
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "time"}
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}  # what a server is told to do, in an order
FIRST = re.compile(
    r"\b(log.?in|log.?out|auth|tokens?|sign.?in|handshake|setup|start|commit|sessions?)\b", re.IGNORECASE
)  # in what is asked for


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
    call = next(iter(asked(node)), None) if node is not None else None
    return path_of(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""


def asked(node: ast.AST) -> list:
    """What an await, or an `async with`, calls."""
    if isinstance(node, ast.Await):
        return [node.value]
    call = group_of_one(node)
    return [call] if call is not None else [item.context_expr for item in node.items]


def asked_calls(node: ast.AST) -> list[ast.Call]:
    """Every call that is a part of what an await calls."""
    return [inner for value in asked(node) for inner in ast.walk(value) if isinstance(inner, ast.Call)]


def is_ordered(node: ast.AST) -> bool:
    """Whether the name of what is called, or what it is told, says that it happens in an order."""
    is_kept, own = not isinstance(getattr(node, "parent", None), ast.Expr), names_of_rounds(node)
    calls = [call for call in asked_calls(node) if not is_pop(call)]
    return any(says_order(call.func, is_kept, own) or _is_told_to_change(call) for call in calls)


def says_order(function: ast.AST, is_kept: bool = False, own: Collection[str] = ()) -> bool:
    """Whether the name of a function, or of what is asked, says that it happens in an order. `is_kept`: what it gives is
    used, and so it is asked for that; `own`: names of what is another thing in each round."""
    name = last_part(function)
    word = name.strip("_").partition("_")[0].lower()
    if not isinstance(function, ast.Attribute):
        names_it = "_" in name.strip("_") and word in ASKING | SENDING
        return word in ORDERED and not names_it and not (is_kept and word in ASKING)
    of = path_of(function.value)
    if of.partition(".")[0] in own and word in ASKING:
        return False
    return word in ORDERED or not ONE_AT_A_TIME.isdisjoint(of.rpartition(".")[2].lower().split("_"))


def _is_told_to_change(call):
    """Whether a call is told in so many words to change something: "POST", or "submit"."""
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    texts = [text for text in texts if isinstance(text, str)]
    return any(text in CHANGES or text.lower() in ORDERED - ASKING for text in texts)


def comes_first(node: ast.AST) -> bool:
    """Whether what is asked for says that it comes before all else: a login."""
    texts = [inner.value for value in asked(node) for inner in ast.walk(value) if isinstance(inner, ast.Constant)]
    return any(isinstance(text, str) and FIRST.search(text) for text in texts)


def is_pop(call: ast.Call) -> bool:
    """Whether a call takes something out of what is to be done."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("pop", "popleft") and not call.keywords


def is_clock(call: ast.Call) -> bool:
    """Whether a call looks at a clock."""
    return last_part(call.func) in CLOCKS


def guards(node: ast.AST) -> bool:
    """Whether this is a block that holds something without a name, as one holds a lock; a timeout, or what suppresses an
    error, does not."""
    if not isinstance(node, (ast.With, ast.AsyncWith)) or any(item.optional_vars for item in node.items):
        return False
    return not any(re.search("timeout|suppress", ast.unparse(item.context_expr)) for item in node.items)


def is_guarded(node: ast.AST) -> bool:
    """Whether something in a function stands in such a block, and is not asked of the very thing that is held."""
    inner, outer = node, getattr(node, "parent", None)
    while outer is not None and not isinstance(outer, FUNCTIONS):
        if guards(outer) and inner in outer.body and not _is_asked_of(node, outer):
            return True
        inner, outer = outer, getattr(outer, "parent", None)
    return False


def _is_asked_of(node, block):
    """Whether an await calls a method of what a block holds: a client, say."""
    held = {path_of(item.context_expr) for item in block.items} - {""}
    return isinstance(node, ast.Await) and any(
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and path_of(value.func.value) in held
        for value in asked(node)
    )


def paths(nodes: list) -> set[str]:
    """Every name, with and without its attributes, that is read somewhere."""
    return {path_of(inner) for node in nodes for inner in ast.walk(node)} - {""}


def parameters(function: ast.AST) -> set[str]:
    """The names that a function, with those inside of it, gives to what it is called with; not that of its own object."""
    return {inner.arg for inner in ast.walk(function) if isinstance(inner, ast.arg)} - {"self", "cls"}


def names_of_others(function: ast.AST) -> set[str]:
    """The names that a function sets, and that are not its own: `global`, `nonlocal`."""
    told = [inner for inner in ast.walk(function) if isinstance(inner, (ast.Global, ast.Nonlocal))]
    return {name for inner in told for name in inner.names}


def names_in(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The names that are read somewhere (`ast.Load`), or set (`ast.Store`)."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, context)}


def names_of_rounds(node: ast.AST | None) -> set[str]:
    """The names that the loops around a node set anew in each round."""
    names = set()
    while node is not None and not isinstance(node, FUNCTIONS):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            names |= names_in(node, ast.Store)
        names |= {name for part in getattr(node, "generators", ()) for name in names_in(part.target, ast.Store)}
        node = getattr(node, "parent", None)
    return names


def is_entry_of_its_own(change: ast.AST) -> bool:
    """Whether what is set is an entry under a name of its own, and not a change of what was there."""
    is_new = isinstance(change.parent, (ast.Assign, ast.AnnAssign))
    return isinstance(change, ast.Subscript) and is_new and bool(names_in(change.slice, ast.Load))


def changes_of(node: ast.AST) -> list[ast.AST]:
    """The attributes and items that a statement sets, with what stands in it."""
    kinds = (ast.Attribute, ast.Subscript)
    return [inner for inner in ast.walk(node) if isinstance(inner, kinds) and not isinstance(inner.ctx, ast.Load)]


def is_felt_by(change: ast.AST, node: ast.AST, used: set[str]) -> bool:
    """Whether an await goes by an attribute, or an item, that the text sets. `used`: the names that the await goes by.

    It does if it reads the thing itself; and if it is a call of, or with, what the attribute belongs to, it may, but for a
    function whose text is there, and in which that attribute, or name, is not read.
    """
    thing = path_of(change.value if isinstance(change, ast.Subscript) else change)
    if not thing:
        return bool(names_in(change, ast.Load) & used)
    if any(path == thing or path.startswith(f"{thing}.") for path in used):
        return True
    of, _, name = thing.rpartition(".")
    if of and of not in used:
        return False
    called = {path_of(call.func).rpartition(".")[2] for call in asked_calls(node)}
    known = [
        inner
        for inner in ast.walk(root_of(node))
        if getattr(inner, "name", None) in called and isinstance(inner, FUNCTIONS)
    ]
    if not known:
        return bool(of)
    return any(_reads(inner, name, bool(of)) for function in known for inner in ast.walk(function))


def _reads(node, name, is_attribute):
    if is_attribute:
        return isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
