"""For all tests: notebooks are run as Run All runs them, what measures runs alone, and figures stand in tables at the end.

nbval sends a cell, waits for its answer, and sends the next. JupyterLab's Run All asks for all cells at once, and that is
not the same: an event loop that somebody has tampered with can lose the cells that wait. So here all are asked for at once.

The whole gate runs in three processes (``pytest -n 3``), since most tests mostly wait. Those that measure come last, and
wait until the other processes have ended.
"""

import tempfile
from collections import Counter, deque
from pathlib import Path

import pytest
from anywhere.tables import aligned
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

try:
    import fcntl
except ImportError:  # on Windows, where the whole gate is one process
    fcntl = None

SECONDS = pytest.StashKey[Counter]()
TABLE = "table"  # under this name a report carries one, also from one process to the other
MEASURES = (  # what compares times, so that nothing may run beside it
    "tests/benchmarks/",
    "tests/browser/test_speed.py",
    "tests/test_fetch.py",
    "tests/test_perform.py",
    "tests/test_race.py",
    "tests/test_sampler.py",
    "tests/test_watch.py",
    "notebooks/",
    "tests/test_run_all.py::test_the_whole_series",  # adds up what the notebooks took
)
LONGEST = "tests/test_third_party.py"  # begun first, lest one process waits for the other at the end


class RunAll:
    """A plugin, since the notebooks do not lie below this folder: what a conftest.py says holds only there."""

    def pytest_collection_modifyitems(self, items):
        """What measures comes last, of that the notebooks, since their kernels leave threads, then how long these took."""
        items.sort(
            key=lambda item: (
                item.nodeid.startswith(MEASURES),
                not item.nodeid.startswith(LONGEST),
                "seconds" in getattr(item, "fixturenames", ()),
                isinstance(item, IPyNbCell),
            )
        )

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


class Alone:
    """In one of several processes: a lock that all hold until they end, and that whoever measures wants for itself alone."""

    def __init__(self, run):
        self.path = Path(tempfile.gettempdir(), f"kitchen-tests-{run}")
        self.file = self.path.open("w")
        self.mine = False
        fcntl.flock(self.file, fcntl.LOCK_SH)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if item.nodeid.startswith(MEASURES) and not self.mine:
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self.mine = True

    def pytest_unconfigure(self):
        self.file.close()
        self.path.unlink(missing_ok=True)


class Files(LoadScopeScheduling):
    """Hands out the tests to the processes file by file; all that measures goes to the same one."""

    def _split_scope(self, nodeid):
        return "what measures" if nodeid.startswith(MEASURES) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Files(config, log)


def pytest_configure(config):
    config.pluginmanager.register(RunAll(), "run all")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Alone(config.workerinput["testrunuid"]), "alone")


@pytest.fixture
def seconds(request):
    """How many seconds each notebook took that was run before this test, by its file's name."""
    return request.config.stash.get(SECONDS, Counter())


@pytest.fixture
def report(request):
    """`report(title, headings, rows)` adds a table of texts to the end of pytest's report; call it before asserting."""

    def add(title, headings, rows):
        request.node.user_properties.append((TABLE, [title, [headings, *rows]]))

    return add


def pytest_terminal_summary(terminalreporter):
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    calls = [report for report in reports if getattr(report, "when", None) == "call"]
    tables = [value for report in calls for name, value in report.user_properties if name == TABLE]
    for title, rows in tables:
        terminalreporter.section(title, sep="-")
        for line in aligned(rows):
            terminalreporter.write_line(line)
