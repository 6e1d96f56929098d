"""``python3 -m kitchen``: what each command starts, with which arguments, and where."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kitchen.commands import launch
from kitchen.commands.environment import Environment

CLONE = Path(launch.__file__).parents[2]


@pytest.fixture
def started(monkeypatch):
    """The arguments of start(), which is not called, after main(); and what was prepared for it."""
    calls, prepared = [], []
    monkeypatch.setattr(Environment, "prepare", lambda self, *names: prepared.append(names))
    monkeypatch.setattr(launch, "start", lambda *arguments: calls.append(arguments) or 7)

    def main(*argv):
        assert launch.main(argv) == 7
        ((_, *words), _, folder) = calls.pop()
        return words, folder, prepared.pop()

    return main


def test_lab_is_the_default(started):
    words, folder, prepared = started()
    assert words[:2] == ["-m", "jupyterlab"]
    assert "--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb" in words
    assert (CLONE / "notebooks" / "00-start-here.ipynb").exists()
    assert (folder, prepared) == (CLONE, ("requirements.txt",))


def test_lab_lets_the_user_name_another_notebook_first(started):
    words, _, _ = started("lab", "--no-browser", "notebooks/02.ipynb")
    named = [word for word in words if word.endswith(".ipynb") and not word.startswith("--")]
    assert named[0] == "notebooks/02.ipynb"


@pytest.mark.parametrize(("uid", "allowed"), [(0, 1), (1000, 0)])
def test_lab_may_run_as_root(started, monkeypatch, uid, allowed):
    monkeypatch.setattr(launch.os, "geteuid", lambda: uid, raising=False)
    assert started("lab")[0].count("--allow-root") == allowed


def test_tests_run_in_the_clone_with_what_they_need(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, folder, prepared = started("test", "--quick", "-k", "x", "--help")
    assert words == ["-m", "kitchen.commands.lanes", "--quick", "-k", "x", "--help"]
    assert (folder, prepared) == (CLONE, ("requirements.txt", "tests/requirements.txt", launch.BOOK))
    assert all((CLONE / name).is_file() for name in prepared)


def test_race_stays_where_the_user_is(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, folder, prepared = started("race", "--help")
    assert words == ["-m", "kitchen.commands.race", "--help"]
    assert (folder, prepared) == (tmp_path, ("requirements.txt",))


def test_the_book_goes_where_the_user_is_with_what_only_it_needs(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, folder, prepared = started("book", "site")
    assert words == ["-m", "kitchen.commands.book", "site"]
    assert (folder, prepared) == (tmp_path, ("requirements.txt", launch.BOOK))


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        launch.main(["cook"])
    assert "invalid choice: 'cook'" in capsys.readouterr().err


def test_ctrl_c_is_one_calm_line(monkeypatch, capsys):
    def interrupt(self, *names):
        raise KeyboardInterrupt

    monkeypatch.setattr(Environment, "prepare", interrupt)
    assert launch.main(["test"]) == 130
    assert capsys.readouterr().err == "kitchen: stopped. Run the same command again: it goes on from here.\n"


def test_start_returns_the_exit_code_where_processes_cannot_be_replaced(monkeypatch, tmp_path):
    monkeypatch.setattr(launch.os, "name", "nt")
    command = [sys.executable, "-c", "import os, sys; sys.exit(5 if os.environ['DISH'] == 'egg' else 1)"]
    assert launch.start(command, os.environ | {"DISH": "egg"}, str(tmp_path)) == 5


def test_the_installed_library_says_that_there_are_no_notebooks(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(launch, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="1"):
        launch.main([])
    assert "no notebooks" in capsys.readouterr().err


def test_an_older_python_is_refused_in_one_sentence():
    """Pretends to be one; and what an older Python reads before it comes to the sentence is in its own grammar."""
    pretend = "import runpy, sys; sys.version_info = (3, 10, 13); runpy.run_module('kitchen', run_name='__main__')"
    refused = subprocess.run([sys.executable, "-c", pretend], cwd=CLONE, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer" in refused.stderr and "Traceback" not in refused.stderr
    ast.parse((CLONE / "kitchen" / "__init__.py").read_text(encoding="utf-8"), feature_version=(3, 7))
