"""``python3 -m kitchen``: what it decides, what it says, and one true start in a folder with an awkward name."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kitchen import launch

CLONE = Path(launch.__file__).parent.parent


class Answer:
    """A stand-in for run(): notes each command, and says that those with one of the given words in them failed."""

    def __init__(self, *failing):
        self.commands = []
        self.failing = failing

    def __call__(self, command, env=None, quiet=False):
        self.commands.append(" ".join(map(str, command)))
        return not any(word in self.commands[-1] for word in self.failing)


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return launch.Environment(tmp_path)


@pytest.fixture
def standing(environment, monkeypatch):
    """An environment that looks as if it stood, without a venv."""
    monkeypatch.setattr(launch, "run", Answer())
    environment.path("purelib").mkdir(parents=True)
    environment.finish()
    return environment


@pytest.fixture
def no_uv(monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda name: None)


def lacking(monkeypatch, *modules):
    """Makes this Python look as if it had been shipped without these modules."""
    find = launch.importlib.util.find_spec
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None if name in modules else find(name))


# When it stands


def test_a_finished_environment_stands(standing):
    assert standing.stands()
    standing.prepare()
    assert all("install" not in command for command in launch.run.commands)


def test_none_does_not_stand(environment):
    assert not environment.stands()


def test_other_requirements_do_not_stand(standing):
    standing.requirements.write_text("rich\n")
    assert not standing.stands()


def test_another_python_does_not_stand(standing, monkeypatch):
    monkeypatch.setattr(launch.sys, "version_info", (3, 99, 0, "final", 0))
    assert not standing.stands()


def test_a_moved_clone_does_not_stand(standing, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "clone"
    shutil.move(standing.root, moved)
    assert not launch.Environment(moved).stands()


def test_a_python_that_does_not_run_does_not_stand(standing, monkeypatch):
    monkeypatch.setattr(launch, "run", Answer("version_info"))
    assert not standing.stands()


def test_garbage_in_the_stamp_does_not_stand(standing):
    standing.stamp.write_bytes(b"\xff\x00")
    assert not standing.stands()


def test_it_does_not_stand_while_it_is_being_repaired(standing, monkeypatch):
    standing.requirements.write_text("rich\n")

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch.Environment, "install", interrupt)
    with pytest.raises(KeyboardInterrupt):
        standing.prepare()
    assert not standing.stamp.exists()


# Who installs


def test_uv_installs_if_there_is_uv(environment, monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda name: "/there/uv")
    monkeypatch.setattr(launch, "run", Answer())
    environment.install()
    (command,) = launch.run.commands
    assert command.startswith("/there/uv pip install --python") and str(environment.python) in command


def test_pip_goes_on_where_uv_fails(environment, monkeypatch, capsys):
    monkeypatch.setattr(launch.shutil, "which", lambda name: "/there/uv")
    monkeypatch.setattr(launch, "run", Answer("/there/uv"))
    environment.install()
    assert launch.run.commands[-1].startswith(f"{environment.python} -m pip install -r")
    assert "uv could not do it" in capsys.readouterr().err


def test_without_ensurepip_the_outer_pip_installs(environment, monkeypatch, no_uv):
    found = {"ensurepip": None, "pip": "an outer pip"}  # an environment that uv has made has none itself
    monkeypatch.setattr(launch.importlib.util, "find_spec", found.get)
    monkeypatch.setattr(launch, "run", Answer())
    environment.install()
    (command,) = launch.run.commands
    assert command.startswith(f"{sys.executable} -m pip --python {environment.python} install -r")


def test_an_ensurepip_that_fails_counts_as_none(environment, monkeypatch, no_uv):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: "found")
    monkeypatch.setattr(launch, "run", Answer("-m ensurepip"))
    environment.install()
    assert "-m pip --python" in launch.run.commands[-1]


def test_without_any_pip_the_remedies_are_named(environment, monkeypatch, no_uv):
    lacking(monkeypatch, "ensurepip", "pip")
    with pytest.raises(SystemExit, match=r"(?s)neither ensurepip nor pip.*apt install python3-venv.*uv"):
        environment.install()


def test_a_failed_install_says_what_to_do(environment, monkeypatch, no_uv):
    monkeypatch.setattr(launch, "run", Answer("-r "))
    with pytest.raises(SystemExit, match=r"(?s)could not install.*connection.*same command again"):
        environment.install()


# What goes wrong on the way


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_an_unwritable_clone_says_so(environment, monkeypatch, error):
    def refuse(self):
        raise error

    monkeypatch.setattr(launch.Environment, "make", refuse)
    with pytest.raises(SystemExit, match=r"(?s)cannot write in.*copy it"):
        environment.prepare()


def test_a_finished_clone_of_somebody_else_says_so(standing, monkeypatch):
    monkeypatch.setattr(launch.os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit, match=r"(?s)cannot write in.*copy it"):
        standing.prepare()


def test_ctrl_c_is_one_calm_line(monkeypatch, capsys):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch.Environment, "prepare", interrupt)
    assert launch.main(["test"]) == 130
    assert capsys.readouterr().err == "kitchen: stopped. Run the same command again: it goes on from here.\n"


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as refusal:
        launch.main(["cook"])
    assert refusal.value.code == 2
    assert "invalid choice: 'cook'" in capsys.readouterr().err


# What is started


@pytest.fixture
def started(monkeypatch):
    """The arguments of start(), which is not called, after main()."""
    calls = []
    monkeypatch.setattr(launch.Environment, "prepare", lambda self: None)
    monkeypatch.setattr(launch, "start", lambda *arguments: calls.append(arguments) or 7)
    return calls


def words(started):
    return [str(word) for word in started[0][0][1:]]


def test_lab_is_the_default(started):
    assert launch.main([]) == 7
    assert words(started)[:2] == ["-m", "jupyterlab"]
    assert "--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb" in words(started)
    assert (CLONE / "notebooks" / "00-start-here.ipynb").exists()


def test_lab_lets_the_user_name_another_notebook_first(started):
    launch.main(["lab", "--no-browser", "notebooks/02.ipynb"])
    named = [word for word in words(started) if word.endswith(".ipynb") and not word.startswith("--")]
    assert named[0] == "notebooks/02.ipynb"


@pytest.mark.parametrize(("uid", "allowed"), [(0, 1), (1000, 0)])
def test_lab_may_run_as_root(started, monkeypatch, uid, allowed):
    monkeypatch.setattr(launch.os, "geteuid", lambda: uid, raising=False)
    launch.main(["lab"])
    assert words(started).count("--allow-root") == allowed


def test_test_is_pytest_in_the_clone(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    launch.main(["test", "-k", "x", "--help"])
    assert words(started) == ["-m", "pytest", "-k", "x", "--help"]
    assert started[0][2] == CLONE


def test_race_stays_where_the_user_is(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    launch.main(["race", "--help"])
    assert words(started) == ["-m", "kitchen.race", "--help"]
    assert started[0][2] == tmp_path


def test_start_returns_the_exit_code_where_processes_cannot_be_replaced(monkeypatch, tmp_path):
    monkeypatch.setattr(launch.os, "name", "nt")
    command = [sys.executable, "-c", "import os, sys; sys.exit(5 if os.environ['DISH'] == 'egg' else 1)"]
    folder = str(tmp_path)
    assert launch.start(command, os.environ | {"DISH": "egg"}, folder) == 5


# With which variables


def test_everything_is_written_below_the_environment(environment, monkeypatch):
    for name in "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR", "PIP_CACHE_DIR", "PYTEST_DEBUG_TEMPROOT":
        monkeypatch.delenv(name, raising=False)
        assert Path(environment.variables()[name]).is_relative_to(environment.var)


def test_a_folder_that_the_user_has_chosen_stays(environment, monkeypatch):
    monkeypatch.setenv("MPLCONFIGDIR", "/mine")
    assert environment.variables()["MPLCONFIGDIR"] == "/mine"


def test_no_other_python_interferes(environment, monkeypatch):
    for name in "PYTHONHOME", "PIP_TARGET", "PIP_PYTHON", "PIP_USER", "VIRTUAL_ENV":
        monkeypatch.setenv(name, "/elsewhere")
    env = environment.variables()
    assert not {"PYTHONHOME", "PIP_TARGET", "PIP_PYTHON"} & set(env)
    assert env["VIRTUAL_ENV"] == str(environment.folder)
    assert env["PIP_USER"] == "0"


@pytest.mark.parametrize(("before", "after"), [(None, []), ("", []), ("/mine", ["/mine"])])
def test_kitchen_is_found_first(environment, monkeypatch, before, after):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    assert environment.variables()["PYTHONPATH"].split(os.pathsep) == [str(environment.root), *after]


# For real


def kitchen(clone, *arguments, python=sys.executable, cwd=None):
    """One start of ``python3 -m kitchen`` in a clone, offline."""
    env = os.environ | {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "PYTHONPATH": str(clone), "PYTHONIOENCODING": "utf-8"}
    command = [python, "-m", "kitchen", *arguments]
    return subprocess.run(
        command, cwd=cwd or clone, env=env, capture_output=True, text=True, encoding="utf-8", timeout=60
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A small copy of the clone, in a folder with a space and an umlaut, with a race that says where it is."""
    root = tmp_path_factory.mktemp("my k\u00fcche") / "clone"
    (root / "kitchen").mkdir(parents=True)
    for name in "launch.py", "__main__.py":
        shutil.copy(CLONE / "kitchen" / name, root / "kitchen")
    (root / "kitchen" / "__init__.py").touch()
    (root / "kitchen" / "race.py").write_text("import sys; print(sys.prefix, *sys.argv[1:]); sys.exit(3)")
    (root / "requirements.txt").write_text("# nothing\n")
    return root


def test_first_second_and_third_start(clone, tmp_path):
    first = kitchen(clone, "race", "--help", cwd=tmp_path)
    assert (first.returncode, first.stdout.strip()) == (3, f"{clone / '.venv'} --help"), first.stderr
    assert "making .venv" in first.stderr and "installing" in first.stderr

    second = kitchen(clone, "race")
    assert (second.returncode, second.stderr) == (3, "")

    python = launch.Environment(clone).python
    where = "import kitchen; print(ascii(kitchen.__file__))"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run([python, "-c", where], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert found.stdout.strip() == ascii(str(clone / "kitchen" / "__init__.py"))  # from any folder, by the .pth file

    python.unlink()
    third = kitchen(clone, "race")
    assert third.returncode == 3, third.stderr
    assert "removing .venv" in third.stderr and "making .venv" in third.stderr


def test_an_older_python_is_refused_in_one_sentence():
    """Pretends to be one; and what an older Python reads before it comes to the sentence is in its own grammar."""
    pretend = "import runpy, sys; sys.version_info = (3, 10, 13); runpy.run_module('kitchen', run_name='__main__')"
    refused = subprocess.run([sys.executable, "-c", pretend], cwd=CLONE, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer" in refused.stderr and "Traceback" not in refused.stderr
    ast.parse((CLONE / "kitchen" / "__init__.py").read_text(encoding="utf-8"), feature_version=(3, 7))
