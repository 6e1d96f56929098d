"""``python3 -m kitchen test``: the tests, in one of three lanes. Which test is in which lane, the tests' marks say.

    test          correct or not? On any machine, however busy; some minutes
    test --quick  the same without browsers, kernels, clusters, installing, notebooks and what takes long; about a minute
    test --all    everything; afterwards, alone, what measures

All else goes to pytest: ``test --quick -k fetch``, ``test --all tests/benchmarks``. A ``-m`` or ``-n`` there wins over ours.
"""

import argparse
import sys
from typing import Any

PROCESSES = 4  # on two cores: most tests mostly wait
AT_ONCE = ["-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]  # a file's tests share its fixtures
ALONE = ["-n", "0", "-p", "no:nbval"]
NOTEBOOKS = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/nbval.cfg"]
CORRECT = "not slow and not measured"
QUICK = f"{CORRECT} and not long and not browser and not kernel and not cluster and not install"
UNREAD = ["-p", "no:nbval", "--ignore=tests/browser", "--ignore=tests/benchmarks"]  # takes seconds only to be read
LANES = {
    "correct": [["-m", CORRECT, *NOTEBOOKS, *AT_ONCE]],
    "quick": [["-m", QUICK, *UNREAD, *AT_ONCE]],
    "all": [["-m", "not measured", *NOTEBOOKS, *AT_ONCE, "-n", "3"], ["-m", "measured", *ALONE]],
}
NO_TESTS = 5  # pytest's exit code when there was nothing to run


def pytest_runs(arguments: list[str]) -> list[list[str]]:
    """What pytest is to be called with, once or twice in a row. Exits where two lanes are asked for."""
    parser = argparse.ArgumentParser(prog="python3 -m kitchen test", add_help=False, allow_abbrev=False)
    lanes = parser.add_mutually_exclusive_group()
    for lane in "quick", "all":
        lanes.add_argument(f"--{lane}", dest="lane", action="store_const", const=lane)
    asked, others = parser.parse_known_args(arguments)
    return [[*options, *others] for options in LANES[asked.lane or "correct"]]


class Together:
    """A plugin for pytest: the summary of a run holds what the runs before it have found, and so the last one has it all."""

    def __init__(self):
        self.found = {}

    def pytest_sessionfinish(self, session: Any) -> None:
        stats = session.config.pluginmanager.get_plugin("terminalreporter").stats
        stats.pop("deselected", None)  # by one run for the other
        for kind, reports in self.found.items():
            stats[kind] = [*reports, *stats.get(kind, ())]
        self.found = stats


def main() -> int:
    """Runs the tests in this process. The worse of two exit codes; whoever interrupts the first run gets no second one."""
    import pytest  # here, since the launcher may read this module on a bare Python

    runs, codes = pytest_runs(sys.argv[1:]), []
    plugins = [Together()] if len(runs) > 1 else []
    for options in runs:
        codes.append(int(pytest.main(options, plugins=plugins)))
        if codes[-1] not in (0, 1, NO_TESTS):
            break
    return max((code for code in codes if code != NO_TESTS), default=NO_TESTS)


if __name__ == "__main__":
    sys.exit(main())
