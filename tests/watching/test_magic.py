"""`%%gantt`: the cell runs as it would without it, and is watched; in an IPython of its own, without a page."""

import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

BODY = """
import asyncio

async def one(result):
    await asyncio.sleep(0.001)
    return result

x = 5
await asyncio.gather(one(1), asyncio.create_task(one(2), name="named"))
"""


@pytest.fixture
def shell(monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell puts a module of its own there
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "kitchen")
    yield shell
    shell.run_line_magic("unload_ext", "kitchen")
    shell.reset()
    InteractiveShell.clear_instance()


def test_a_cell_runs_as_it_would_and_is_watched(shell):
    done = shell.run_cell(f"%%gantt -o run a title{BODY}")
    assert done.success and done.result == [1, 2] and shell.user_ns["x"] == 5
    run = shell.user_ns["run"]
    assert run.timeline.title == "a title"
    assert run.timeline.lanes[0] == "this cell" and "named" in run.timeline.lanes
    assert run.findings == []


def test_an_error_has_the_line_of_the_cell(shell, capsys):
    assert not shell.run_cell("%%gantt\n\nx = 1\n1 / 0").success
    assert "line 4" in capsys.readouterr().out


@pytest.mark.parametrize("cell", ["%%gantt", "%%gantt\n", "%%gantt\n# nothing"])
def test_a_cell_may_be_empty(shell, cell):
    assert shell.run_cell(cell).success


@pytest.mark.parametrize(
    ("line", "says"), [("--at-once 0", "at_once=0"), ("--nonsense", "nonsense"), ("-o 1x", "1x"), ('"', "quotation")]
)
def test_bad_options_say_what_is_wrong(shell, capsys, line, says):
    assert not shell.run_cell(f"%%gantt {line}\nx = 1").success
    assert says in "".join(capsys.readouterr())


def test_a_line_without_a_value_shows_none(shell):
    assert shell.run_cell("%%gantt\nx = 1").result is None


def test_unloaded_it_is_gone(shell):
    shell.run_line_magic("unload_ext", "kitchen")
    assert not shell.run_cell("%%gantt\n1").success
    shell.run_line_magic("load_ext", "kitchen")


def test_other_cells_are_left_alone(shell):
    assert shell.run_cell("1 + 1").result == 2
