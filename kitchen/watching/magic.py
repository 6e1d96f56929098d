"""`%%gantt` on the first line of a cell: what its tasks and threads do, drawn while they do it, and a diagnosis below.

A cell magic of the usual kind gets its cell as text and could not await anything: the kernel's loop runs already. So the
first line is turned into a mark, and the rest of the cell is put into a `with` block, where it runs as it would without the
magic: with its own line numbers, and its last expression shown. A cell that awaits is put into an `async with` block; one
that does not stays synchronous, so that an interrupt ends it as ever. The mark is a string, since that alone may stand
before `from __future__ import …`.
"""

import argparse
import ast
import inspect
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from IPython import get_ipython
from IPython.core.error import UsageError
from IPython.core.magic import no_var_expand

from kitchen.interrupts import looking_up
from kitchen.views.live import live
from kitchen.watching.watch import watch

MAGIC = "%%gantt"
MARK = f"{MAGIC} "  # what a traceback shows of the first line
VALUE = "__gantt_value__"


class _Options(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(f"{MAGIC}: {message}\n{self.format_usage()}")


options = _Options(prog=MAGIC, add_help=False, description="Draws what the tasks and threads of this cell do.")
options.add_argument("title", nargs="*", help="what stands above the picture")
options.add_argument("-o", metavar="NAME", help="keep the watch under this name: NAME.timeline, NAME.findings")
options.add_argument(
    "--at-once", type=int, default=100, metavar="N", help="say so when more tasks wait for the outside"
)


@contextmanager
def block(line: str) -> Iterator[None]:
    """What a cell under `%%gantt` runs in. `line`: what stands behind the magic; UsageError when it is not understood."""
    run = _watch(line)
    with live(), run:
        yield


@asynccontextmanager
async def block_that_awaits(line: str) -> AsyncIterator[None]:
    """The same for a cell that awaits, which hears of an interrupt soon, whatever it waits for."""
    run = _watch(line)
    with live():
        async with run:
            with looking_up():
                yield


def _watch(line):
    try:
        given = options.parse_args(shlex.split(line))
        run = watch(" ".join(given.title) or "this cell", at_once=given.at_once, body="this cell")
    except ValueError as error:
        options.error(str(error))
    if given.o is not None and not given.o.isidentifier():
        options.error(f"-o {given.o!r}: give a name as Python has them")
    if given.o:
        get_ipython().user_ns[given.o] = run
    return run


def mark(lines: list[str]) -> list[str]:
    """A cell, with the magic's line turned into the mark that `Wrap` looks for; other cells as they are."""
    if not lines or lines[0].split(maxsplit=1)[:1] != [MAGIC]:
        return lines
    return [f"{MARK + lines[0].split(MAGIC, 1)[1].strip()!r}\n", *lines[1:]]


class Wrap(ast.NodeTransformer):
    """Puts a cell that begins with the mark into the block."""

    def visit_Module(self, cell: ast.Module) -> ast.Module:
        """A cell, in the block if the mark is on it."""
        match cell.body:
            case [ast.Expr(ast.Constant(str(text))) as first, *rest] if text.startswith(MARK):
                line = text.removeprefix(MARK)
            case _:
                return cell
        rules = [statement for statement in rest if _is_rule(statement)]  # they have to stand at the beginning
        rest = [statement for statement in rest if statement not in rules]
        name, kind = ("block_that_awaits", ast.AsyncWith) if _awaits(rest) else ("block", ast.With)
        shown = []
        if rest and isinstance(rest[-1], ast.Expr):  # the value of a cell's last line is shown
            last = rest[-1]
            rest[-1] = ast.copy_location(ast.Assign([ast.Name(VALUE, ast.Store())], last.value), last)
            shown = [ast.copy_location(ast.Expr(ast.Name(VALUE, ast.Load())), last)]
        call = ast.parse(f"__import__('kitchen.watching.magic', fromlist=['x']).{name}({line!r})", mode="eval").body
        around = kind([ast.withitem(call)], rest or [ast.Pass()])
        cell.body = [*rules, ast.copy_location(around, first), *shown]
        return ast.fix_missing_locations(cell)


def _is_rule(statement):
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _awaits(statements):
    """Whether a cell awaits something itself, and not only in a function: as IPython asks."""
    try:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(ast.Module(statements, []), "<cell>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):  # which it hears of in a moment
        return False
    return bool(code.co_flags & inspect.CO_COROUTINE)


@no_var_expand
def gantt(line: str, cell: str | None = None) -> None:
    """Draws what the tasks and threads of this cell do, while they do it; a diagnosis in words stands below."""
    raise UsageError(f"{MAGIC} has to stand on the first line of a cell")


gantt.__doc__ += "\n\n" + options.format_help()
wrap = Wrap()


def load(ipython: Any) -> None:
    """What `%load_ext kitchen` does."""
    unload(ipython)
    ipython.input_transformers_cleanup.append(mark)
    ipython.ast_transformers.append(wrap)
    ipython.register_magic_function(gantt, "cell", MAGIC.lstrip("%"))


def unload(ipython: Any) -> None:
    """What `%unload_ext kitchen` does."""
    for ours, theirs in ((mark, ipython.input_transformers_cleanup), (wrap, ipython.ast_transformers)):
        while ours in theirs:
            theirs.remove(ours)
    ipython.magics_manager.magics["cell"].pop(MAGIC.lstrip("%"), None)
