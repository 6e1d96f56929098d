"""Notebooks as tests, run as Run All runs them.

nbval sends a cell, waits for its answer, and sends the next. JupyterLab's Run All asks for all cells at once, and that is
not the same: an event loop that somebody has tampered with can lose the cells that wait. So here all are asked for at once.
"""

from collections import deque

import pytest
from nbval.plugin import IPyNbCell
from scripts.tables import TABLE

from kitchen.lesson.steady import BUSY


class RunAll:
    """A plugin, since the notebooks do not lie below this folder: what a conftest.py says of a test holds only there."""

    def pytest_itemcollected(self, item):
        if isinstance(item, IPyNbCell):
            item.add_marker("notebook")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item):
        """Once a notebook's kernel is there, it is asked for all cells; nbval then finds each of them asked for."""
        if isinstance(item, IPyNbCell) and "execute_cell_input" not in vars(item.parent.kernel):
            kernel = item.parent.kernel
            cells = [other for other in item.session.items if other.parent is item.parent and not other.options["skip"]]
            asked = deque(kernel.execute_cell_input(cell.cell.source, allow_stdin=False) for cell in cells)
            kernel.execute_cell_input = lambda source, allow_stdin: asked.popleft()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        """A cell that tells its reader that the computer was busy stands in a table at the end."""
        result = yield
        if isinstance(item, IPyNbCell) and BUSY in str(item.test_outputs):
            item.user_properties.append((TABLE, ["Told that the computer was busy", [["cell"], [item.nodeid]]]))
        return result
