"""For all tests: notebooks are run as Run All runs them, and figures stand in tables at the end."""

import gc
import signal
from collections import Counter

import pytest
from hypothesis import settings
from scripts.tables import TABLE, aligned

settings.load_profile("ci")  # the same examples each time, and none of them has to be fast

# Who is started in the background (by `&`, by cron) ignores interrupts, and so does all that he starts; tests send some.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    if config.pluginmanager.has_plugin("nbval"):
        from helpers.run_all import RunAll  # here, since nbval takes seconds to import

        config.pluginmanager.register(RunAll())


def pytest_collection_finish():
    gc.freeze()  # a million objects that no test has made: whoever looks for garbage need not look through them


@pytest.fixture
def report(request):
    """`report(title, headings, rows)` adds a table of texts to the end of pytest's report; call it before asserting."""

    def add(title, headings, rows):
        request.node.user_properties.append((TABLE, [title, [headings, *rows]]))

    return add


def pytest_terminal_summary(terminalreporter):
    reports = [report for reports in terminalreporter.stats.values() for report in reports if hasattr(report, "when")]
    calls = [report for report in reports if report.when == "call"]
    tables = [value for report in calls for name, value in report.user_properties if name == TABLE]
    for title, rows in [*tables, *notebooks(reports)]:
        terminalreporter.section(title, sep="-")
        for line in aligned(rows):
            terminalreporter.write_line(line)


def notebooks(reports):
    """How long each notebook took, its kernel's start included: a table, if there was one."""
    seconds = Counter()
    for report in reports:
        name, _, cell = report.nodeid.partition(".ipynb::")
        if cell:
            seconds[name] += report.duration
    if seconds:
        rows = [(name, f"{taken:.1f}") for name, taken in sorted(seconds.items())]
        yield "Notebooks, each by Run All", [("", "s"), *rows, ("all", f"{sum(seconds.values()):.1f}")]
