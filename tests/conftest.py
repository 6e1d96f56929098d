"""For all tests: notebooks are run as Run All runs them, and what was measured stands in tables at the end.

nbval sends a cell, waits for its answer, and sends the next. JupyterLab's Run All asks for all cells at once, and that is
not the same: an event loop that somebody has tampered with can lose the cells that wait. So here all are asked for at once.
"""

from collections import Counter, deque

import pytest
from nbval.plugin import IPyNbCell

TABLES = pytest.StashKey[list]()
SECONDS = pytest.StashKey[Counter]()


class RunAll:
    """A plugin, since the notebooks do not lie below this folder: what a conftest.py says holds only there."""

    def pytest_collection_modifyitems(self, items):
        """What tells how long the notebooks took comes after them, and they come last: their kernels leave threads here."""
        items.sort(key=lambda item: "seconds" in getattr(item, "fixturenames", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item):
        """Once a notebook's kernel is there, it is asked for all cells; nbval then finds each of them asked for."""
        if isinstance(item, IPyNbCell) and "execute_cell_input" not in vars(item.parent.kernel):
            kernel = item.parent.kernel
            cells = [other for other in item.session.items if other.parent is item.parent and not other.options["skip"]]
            asked = deque(kernel.execute_cell_input(cell.cell.source, allow_stdin=False) for cell in cells)
            kernel.execute_cell_input = lambda source, allow_stdin: asked.popleft()

    def pytest_runtest_makereport(self, item, call):
        """Adds up how long each notebook takes, its kernel's start included."""
        if isinstance(item, IPyNbCell):
            item.config.stash.setdefault(SECONDS, Counter())[item.parent.name] += call.duration


def pytest_configure(config):
    config.pluginmanager.register(RunAll(), "run all")


@pytest.fixture
def seconds(request):
    """How many seconds each notebook took that was run before this test, by its file's name."""
    return request.config.stash.get(SECONDS, Counter())


@pytest.fixture
def report(request):
    """`report(title, headings, rows)` adds a table of texts to the end of pytest's report; call it before asserting."""

    def add(title, headings, rows):
        request.config.stash.setdefault(TABLES, []).append((title, [headings, *rows]))

    return add


def pytest_terminal_summary(terminalreporter, config):
    for title, rows in config.stash.get(TABLES, []):
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        terminalreporter.section(title, sep="-")
        for first, *others in rows:
            figures = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
            terminalreporter.write_line("   ".join([first.ljust(widths[0]), *figures]))
