"""`%%gantt` on the first line of a cell: what its tasks and threads do, drawn while they do it, and a diagnosis below.

A cell magic of the usual kind gets its cell as text and could not await anything: the kernel's loop runs already. So the
first line is turned into a mark, and the rest of the cell is put into an `async with` block, where it runs as it would
without the magic: with top-level await, with its own line numbers, and its last expression shown.
"""

import argparse
import ast
import shlex
from contextlib import asynccontextmanager

from IPython import get_ipython
from IPython.core.error import UsageError
from IPython.core.magic import no_var_expand

from kitchen.live import live
from kitchen.watch import watch

MAGIC = "%%gantt"
MARK = "__gantt__"
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


@asynccontextmanager
async def block(line: str):
    """What a cell under `%%gantt` runs in. `line`: what stands behind the magic; UsageError when it is not understood."""
    try:
        given = options.parse_args(shlex.split(line))
        run = watch(" ".join(given.title) or "this cell", at_once=given.at_once, body="this cell")
    except ValueError as error:
        options.error(str(error))
    if given.o is not None and not given.o.isidentifier():
        options.error(f"-o {given.o!r}: give a name as Python has them")
    with live():
        async with run:
            if given.o:
                get_ipython().user_ns[given.o] = run
            yield


def mark(lines: list[str]) -> list[str]:
    """A cell, with the magic's line turned into the mark that `Wrap` looks for; other cells as they are."""
    if not lines or lines[0].split(maxsplit=1)[:1] != [MAGIC]:
        return lines
    return [f"await {MARK}({lines[0].split(MAGIC, 1)[1].strip()!r})\n", *lines[1:]]


class Wrap(ast.NodeTransformer):
    """Puts a cell that begins with the mark into the block."""

    def visit_Module(self, cell):
        first, *rest = cell.body or [None]
        match first:
            case ast.Expr(ast.Await(ast.Call(ast.Name(id=name), [ast.Constant(value=line)]))) if name == MARK:
                pass
            case _:
                return cell
        shown = []
        if rest and isinstance(rest[-1], ast.Expr):  # the value of a cell's last line is shown
            last = rest[-1]
            rest[-1] = ast.copy_location(ast.Assign([ast.Name(VALUE, ast.Store())], last.value), last)
            shown = [ast.copy_location(ast.Expr(ast.Name(VALUE, ast.Load())), last)]
        call = ast.parse(f"__import__('kitchen.magic', fromlist=['block']).block({line!r})", mode="eval").body
        around = ast.AsyncWith([ast.withitem(call)], rest or [ast.Pass()])
        cell.body = [ast.copy_location(around, first), *shown]
        return ast.fix_missing_locations(cell)


@no_var_expand
def gantt(line, cell=None):
    """Draws what the tasks and threads of this cell do, while they do it; a diagnosis in words stands below."""
    raise UsageError(f"{MAGIC} has to stand on the first line of a cell")


gantt.__doc__ += "\n\n" + options.format_help()
wrap = Wrap()


def load(ipython) -> None:
    """What `%load_ext kitchen` does."""
    unload(ipython)
    ipython.input_transformers_cleanup.append(mark)
    ipython.ast_transformers.append(wrap)
    ipython.register_magic_function(gantt, "cell", MAGIC.lstrip("%"))


def unload(ipython) -> None:
    """What `%unload_ext kitchen` does."""
    for ours, theirs in ((mark, ipython.input_transformers_cleanup), (wrap, ipython.ast_transformers)):
        while ours in theirs:
            theirs.remove(ours)
    ipython.magics_manager.magics["cell"].pop(MAGIC.lstrip("%"), None)
