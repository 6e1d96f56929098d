"""For all tests: notebooks are run as Run All runs them, what measures runs alone, and figures stand in tables at the end.

nbval sends a cell, waits for its answer, and sends the next. JupyterLab's Run All asks for all cells at once, and that is
not the same: an event loop that somebody has tampered with can lose the cells that wait. So here all are asked for at once.

The whole gate runs in three processes (``pytest -n 3``), since most tests mostly wait, and in phases: what measures runs
alone, when all else has been done, and after it the notebooks in two processes, of which one mostly waits.
"""

import os
import shutil
import tempfile
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path

import pytest
from anywhere.tables import aligned
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

try:
    import fcntl
except ImportError:  # on Windows, where the whole gate is one process
    fcntl = None

FOLDER = pytest.StashKey[Path]()  # what the processes of one run share
TABLE = "table"  # under this name a report carries one, also from one process to the other
PHASES = (  # nobody begins one while somebody is in one before it; what is not named here comes first
    (  # what compares times, so that nothing may run beside it
        "tests/benchmarks/",
        "tests/browser/test_speed.py",
        "tests/test_fetch.py",
        "tests/test_perform.py",
        "tests/test_race.py",
        "tests/test_sampler.py",
        "tests/test_watch.py",
        "notebooks/10",  # has work for two cores
    ),
    ("notebooks/",),
    ("tests/test_run_all.py::test_the_whole_series",),  # adds up what the notebooks took
)
MOSTLY_WAIT = ("notebooks/01", "notebooks/06", "notebooks/08", "notebooks/09")  # the other notebooks run beside them
LONGEST = "tests/test_third_party.py"  # begun first, lest one process waits for the other at the end


def phase(nodeid):
    """The number of a test's phase: the first that names it."""
    return next((n for n, names in enumerate(PHASES, 1) if nodeid.startswith(names)), 0)


class RunAll:
    """A plugin, since the notebooks do not lie below this folder: what a conftest.py says holds only there."""

    def pytest_collection_modifyitems(self, items):
        """Phase by phase; within one the notebooks last, since their kernels leave threads."""
        items.sort(
            key=lambda item: (
                phase(item.nodeid),
                not item.nodeid.startswith(LONGEST),
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
        """Writes down how long each notebook takes, its kernel's start included."""
        if isinstance(item, IPyNbCell):
            with item.config.stash[FOLDER].joinpath("seconds").open("a") as file:
                print(call.duration, item.parent.name, file=file)


class Phases:
    """In one of several processes: each phase has a file, which all hold locked until they are past that phase."""

    def __init__(self, folder):
        self.files = [folder.joinpath(f"phase-{n}").open("w") for n in range(len(PHASES))]
        for file in self.files:
            fcntl.flock(file, fcntl.LOCK_SH)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        earlier = self.files[: phase(item.nodeid)]
        for file in earlier:
            fcntl.flock(file, fcntl.LOCK_UN)
        for file in earlier:  # nobody holds it any more, once one process alone could have it
            fcntl.flock(file, fcntl.LOCK_EX)
            fcntl.flock(file, fcntl.LOCK_UN)

    def pytest_unconfigure(self):
        for file in self.files:
            file.close()


class Files(LoadScopeScheduling):
    """Hands out the tests to the processes file by file; what measures goes to one, and the notebooks to two."""

    def _split_scope(self, nodeid):
        if nodeid.startswith(MOSTLY_WAIT):
            return "notebooks that mostly wait"
        return f"phase {phase(nodeid)}" if phase(nodeid) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Files(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


def pytest_configure(config):
    config.pluginmanager.register(RunAll(), "run all")
    if hasattr(config, "workerinput"):
        config.stash[FOLDER] = Path(config.workerinput["folder"])
        config.pluginmanager.register(Phases(config.stash[FOLDER]), "phases")
    else:
        config.stash[FOLDER] = Path(
            tempfile.mkdtemp(prefix="kitchen-tests-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
        )
        config.add_cleanup(lambda: shutil.rmtree(config.stash[FOLDER], ignore_errors=True))


@pytest.fixture
def seconds(request):
    """How many seconds each notebook took that was run before this test, by its file's name."""
    added_up = Counter()
    with suppress(FileNotFoundError):
        for line in request.config.stash[FOLDER].joinpath("seconds").read_text().splitlines():
            taken, name = line.split(maxsplit=1)
            added_up[name] += float(taken)
    return added_up


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
