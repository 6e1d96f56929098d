"""A program's text as a syntax tree: where its awaits stand, what cleans up, what is held."""

import ast
import linecache
from functools import lru_cache

from kitchen.watching.garbage import unswept

AWAITS = (ast.Await, ast.AsyncWith, ast.AsyncFor)
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


def last_part(node: ast.AST) -> str:
    """The last part of a name, whatever it is asked of; "" for anything else."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


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
            if any(part.lineno <= line <= part.end_lineno for part in last) and first_line(function_of(node)) >= first:
                return True
    return False


def function_of(node: ast.AST) -> ast.AST:
    """The innermost function around a node, or else the whole file."""
    while not isinstance(node, (*FUNCTIONS, ast.Module)):
        node = node.parent
    return node


def root_of(node: ast.AST) -> ast.AST:
    """The whole file around a node."""
    while (above := getattr(node, "parent", None)) is not None:
        node = above
    return node


def first_line(function: ast.AST) -> int:
    """The line at which a function begins, for Python: that of its first decorator, if it has any."""
    lines = [node.lineno for node in getattr(function, "decorator_list", ())]
    return min([getattr(function, "lineno", 1), *lines])


def functions_at(file: str, first: int) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that begin at line `first` of a file; [] where that is not known."""
    nodes = ast.walk(tree) if (tree := tree_of(file)) is not None else ()
    functions = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [function for function in functions if first_line(function) == first]


def is_endless(file: str, first: int) -> bool:
    """Whether the function that begins at line `first` of a file awaits in a `while`, or an `async for`: it goes on until
    somebody cancels it, as `asyncio.run` does in the end."""
    functions = [node for node in functions_at(file, first) if isinstance(node, ast.AsyncFunctionDef)]
    inside = [inner for node in functions for inner in ast.walk(node)]
    loops = [loop for loop in inside if isinstance(loop, ast.While)]
    awaits_in_one = any(isinstance(inner, AWAITS) for loop in loops for inner in ast.walk(loop))
    return awaits_in_one or any(isinstance(inner, ast.AsyncFor) for inner in inside)


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


@lru_cache(maxsize=4096)
def releases_later(tree: ast.Module, line: int) -> bool:
    """Whether what a line waits for may be given up, and something is released after that, in the same function."""
    for node in ast.walk(tree):
        if not _gives_up(node) or not node.body[0].lineno <= line <= node.body[-1].end_lineno:
            continue
        function = function_of(node)
        if not any(isinstance(one, FUNCTIONS) and one.lineno <= line <= one.end_lineno for one in ast.walk(node)):
            calls = [
                one for one in ast.walk(function) if isinstance(one, ast.Call) and last_part(one.func) == "release"
            ]
            if any(call.lineno > node.body[-1].end_lineno for call in calls):
                return True
    return False


def _gives_up(node):
    """Whether a statement catches the end of a timeout, and the function goes on after it."""
    if isinstance(node, ast.Try):
        return any(not isinstance(handler.body[-1], (ast.Return, ast.Raise)) for handler in node.handlers)
    return isinstance(node, ast.With) and any("suppress" in ast.unparse(item.context_expr) for item in node.items)
