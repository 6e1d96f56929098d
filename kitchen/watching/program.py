"""A program's text as a syntax tree: where its awaits stand, what cleans up, which calls come to nothing."""

import ast
import linecache
from functools import lru_cache

from kitchen.watching.garbage import unswept

AWAITS = (ast.Await, ast.AsyncWith, ast.AsyncFor)
KEEPS = {"append", "appendleft", "add", "insert", "put_nowait"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@lru_cache(maxsize=64)
def _parsed(source):
    try:
        with unswept():  # on Python 3.11 it fails where garbage is collected meanwhile, and what runs then parses, too
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent
    return tree


_trees = {}  # by file: its lines, as they were when they were parsed, and the tree


def tree_of(file: str) -> ast.Module | None:
    """The text of a file as a syntax tree, whose nodes know their parents; None when it cannot be had."""
    lines = linecache.getlines(file)
    known = _trees.get(file)
    if known is None or known[0] is not lines:
        source = "".join(lines)
        if source.startswith("%%"):  # a cell, whose magic is no Python
            source = "\n" + source.partition("\n")[2]
        known = _trees[file] = lines, _parsed(source) if source else None
    return known[1]


@lru_cache(maxsize=4096)
def awaits(tree: ast.Module, line: int) -> ast.Await | ast.AsyncWith | None:
    """The one await, or `async with`, of a line; None when there is none, or several."""
    found = all_awaits(tree, line)
    least = [node for node in found if not any(other is not node and is_inside(other, node) for other in found)]
    return least[0] if len(least) == 1 else None


def all_awaits(tree: ast.Module, line: int) -> list[ast.Await | ast.AsyncWith]:
    """Every await, and every `async with`, of a line."""
    return [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Await) and node.lineno <= line <= node.end_lineno)
        or (isinstance(node, ast.AsyncWith) and any(item.context_expr.lineno == line for item in node.items))
    ]


def is_inside(node: ast.AST | None, outer: ast.AST) -> bool:
    """Whether a node of a `tree_of` is `outer`, or a part of it."""
    while node is not None:
        if node is outer:
            return True
        node = getattr(node, "parent", None)
    return False


def path_of(node: ast.AST) -> str:
    """A name with its attributes, as it is written; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (of := path_of(node.value)):
        return f"{of}.{node.attr}"
    return ""


def statement_of(node: ast.AST) -> ast.stmt:
    """The innermost statement around a node."""
    while not isinstance(node, ast.stmt):
        node = node.parent
    return node


@lru_cache(maxsize=4096)
def cleans_up(tree: ast.Module, line: int, first: int) -> bool:
    """Whether a line of the function that begins at line `first` belongs to what follows an error: `finally`, `except`,
    or the way out of an `async with`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncWith) and any(item.context_expr.lineno == line for item in node.items):
            return True
        if isinstance(node, (ast.Try, ast.TryStar)):
            last = [*node.handlers, *node.finalbody]
            if (
                any(part.lineno <= line <= part.end_lineno for part in last)
                and _first_line(_function_of(node)) >= first
            ):
                return True
    return False


def _function_of(node):
    """The innermost function around a node, or else the whole file."""
    while not isinstance(node, (*FUNCTIONS, ast.Module)):
        node = node.parent
    return node


@lru_cache(maxsize=4096)
def called_in_vain(tree: ast.Module, name: str, at: int, ran: frozenset[int] = frozenset()) -> list[int]:
    """The lines at which a function is called whose result is not awaited at once, or handed on to another call.

    Those in the function that begins at line `at`, or in which that line stands; else those in functions that `ran`, given
    by their first lines, or where these keep the result, or hand the function itself on to what will call it; else those in
    the whole file. And if there are any of whose result nothing is ever read, only these.
    """
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _last(node.func) == name and not _is_handed_on(node)
    ]
    around = {call: _function_of(call) for call in calls}
    handed = [
        node
        for node in ast.walk(tree)
        if _is_argument(node)
        and (
            (isinstance(node, (ast.Name, ast.Attribute)) and _last(node) == name)
            or (isinstance(node, ast.Call) and _last(node.func) == name and _last(node.parent.func) in KEEPS)
        )
    ]
    calls = (
        [call for call in calls if _first_line(around[call]) == at]
        or [call for call in calls if _has_line(around[call], at)]
        or [call for call in calls if _first_line(around[call]) in ran]
        or [thing for thing in handed if _first_line(_function_of(thing)) in ran]
        or calls
    )
    calls = [call for call in calls if not _is_read_later(statement_of(call))] or calls
    return sorted(call.lineno for call in calls)


def _last(node):
    return path_of(node).rpartition(".")[2]


def _has_line(function, line):
    return not isinstance(function, ast.Module) and function.lineno <= line <= function.end_lineno


def _is_argument(node):
    call = getattr(node, "parent", None)
    return isinstance(call, ast.Call) and node in call.args


def _first_line(function):
    lines = [node.lineno for node in getattr(function, "decorator_list", ())]
    return min([getattr(function, "lineno", 1), *lines])


def _is_handed_on(call):
    node = call.parent
    while not isinstance(node, ast.stmt):
        if isinstance(node, (ast.Await, ast.Call, ast.Yield)):
            return True
        node = node.parent
    return isinstance(node, ast.Return)


def _is_read_later(statement):
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return False
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    inside = ast.walk(_function_of(statement))
    return any(isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names for node in inside)


def imports(file: str, line: int) -> bool:
    """Whether this line of a file is an import."""
    tree = tree_of(file)
    return tree is not None and any(
        isinstance(node, (ast.Import, ast.ImportFrom)) and node.lineno <= line <= node.end_lineno
        for node in ast.walk(tree)
    )


def calls_in(file: str, line: int) -> set[str]:
    """The names of what is called in the function in which this line of a file stands."""
    tree = tree_of(file)
    if tree is None:
        return set()
    around = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS) and node.lineno <= line <= node.end_lineno]
    inside = max(around, key=lambda node: node.lineno, default=tree)
    return {path_of(node.func).rpartition(".")[2] for node in ast.walk(inside) if isinstance(node, ast.Call)}


@lru_cache(maxsize=4096)
def held_around(tree: ast.Module, line: int, enters: bool = True) -> list[str]:
    """What is held at a line by the `async with` blocks around it, as it is written.

    Not in a block that begins at this very line, unless it is known that nothing is entered, or left, there: it may still
    wait for what it is to hold.
    """
    return [
        path
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith) and node.body[0].lineno <= line <= node.end_lineno
        for item in node.items
        if not (enters and item.context_expr.end_lineno >= line) and (path := path_of(item.context_expr))
    ]


@lru_cache(maxsize=4096)
def locks_at(tree: ast.Module, line: int) -> list[str]:
    """What the `async with` of a line takes, as it is written."""
    found = [
        path_of(item.context_expr)
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if item.context_expr.lineno == line
    ]
    return [path for path in found if path]
