"""The lanes of `python3 -m kitchen test`: what pytest is asked for, and one summary for all of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kitchen.commands.lanes import pytest_runs

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
def test_plain(): pass
@pytest.mark.slow
def test_slow(): assert {slow}
@pytest.mark.measured
def test_measured(): assert {measured}
"""


MARKERS = "[pytest]\nmarkers =" + "\n    ".join(
    ["", *["long", "slow", "measured", "browser", "kernel", "cluster", "install", "notebook"]]
)
NBVAL = """
def pytest_addoption(parser):
    parser.addoption("--nbval", action="store_true")
    parser.addoption("--nbval-current-env", action="store_true")
    parser.addoption("--nbval-sanitize-with")
"""  # in its place, since it takes seconds to import


@pytest.fixture
def ran(tmp_path):
    """Runs three tests of three kinds in a lane: the exit code, and the last line."""

    def run(*arguments, slow=True, measured=True):
        file = tmp_path / "test_made.py"
        file.write_text(TESTS.format(slow=slow, measured=measured))
        file.with_name("pytest.ini").write_text(MARKERS)
        file.with_name("conftest.py").write_text(NBVAL)
        command = [sys.executable, "-m", "kitchen.commands.lanes", "-p", "xdist", "-n0", *arguments, file]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()[-1]

    return run


def test_what_is_no_lane_goes_to_pytest_in_each_run():
    for lane, runs in ([], 1), (["--quick"], 1), (["--all"], 2):
        asked = pytest_runs([*lane, "-k", "fetch", "--quiet"])
        assert len(asked) == runs
        assert all(options[-3:] == ["-k", "fetch", "--quiet"] for options in asked)


def test_only_one_lane_can_be_asked_for(capsys):
    with pytest.raises(SystemExit):
        pytest_runs(["--quick", "--all"])
    assert "not allowed with" in capsys.readouterr().err


def test_what_measures_is_alone_and_last():
    together, alone = pytest_runs(["--all"])
    assert "not measured" in together
    assert "measured" in alone
    assert alone[alone.index("-n") + 1] == "0"


def test_who_names_no_lane_is_told_of_what_is_neither_slow_nor_measured(ran):
    code, last = ran(slow=False, measured=False)
    assert code == 0
    assert "1 passed, 2 deselected" in last


@pytest.mark.long
@pytest.mark.parametrize("broken", ["slow", "measured"])
def test_the_lane_with_everything_tells_all_in_its_last_line_and_fails_if_one_fails(ran, broken):
    code, last = ran("--all", **{broken: False})
    assert code == 1
    assert "1 failed, 2 passed" in last
    assert "deselected" not in last


@pytest.mark.long
def test_a_run_without_tests_is_no_failure_beside_one_with_some_and_alone_it_is(ran):
    assert ran("--all", "-k", "slow")[0] == 0
    assert ran("--all", "-k", "x and y")[0] == 5
