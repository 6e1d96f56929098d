"""The clone's `.venv`: when it stands, who installs, what goes wrong on the way, and what runs in it."""

import hashlib
import os
import shutil
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread

import pytest

from kitchen.commands import environment
from kitchen.commands.environment import Environment

NAME = "requirements.txt"
TESTS = "tests/requirements.txt"
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals, rights and locks")


class Answer:
    """A stand-in for run(): notes each command, and says that those with one of the given words in them failed."""

    def __init__(self, *failing):
        self.commands, self.failing = [], failing

    def __call__(self, command, env=None, quiet=False):
        self.commands.append(" ".join(map(str, command)))
        return not any(word in self.commands[-1] for word in self.failing)

    @property
    def installs(self):
        return [command for command in self.commands if " install " in command]


@pytest.fixture
def empty(tmp_path):
    """The environment of a clone that has never been started."""
    (tmp_path / "tests").mkdir()
    for name in NAME, TESTS:
        (tmp_path / name).write_text("# nothing\n")
    return Environment(tmp_path)


@pytest.fixture
def answers(monkeypatch):
    """A function: from then on, what is run is only noted, and what has one of these words in it fails. There is no uv."""

    def answer(*failing):
        monkeypatch.setattr(environment, "run", Answer(*failing))
        return environment.run

    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    return answer


@pytest.fixture
def standing(empty, answers):
    """An environment that looks as if it stood, without a venv; with a package in it."""
    answers()
    package(empty).mkdir(parents=True)
    (package(empty) / "INSTALLER").touch()
    empty.finish(NAME)
    return empty


# When it stands


def package(one):
    return one.path("purelib") / "dish-1.dist-info"


CHANGES = {
    "requirements": lambda one, patch: (one.root / NAME).write_text("rich\n"),
    "another Python": lambda one, patch: patch.setattr(environment.sys, "version_info", (3, 99, 0, "final", 0)),
    "a Python that does not run": lambda one, patch: patch.setattr(environment, "run", Answer("version_info")),
    "garbage in the stamp": lambda one, patch: one.stamp(NAME).write_bytes(b"\xff\x00"),
    "a package is gone": lambda one, patch: shutil.rmtree(package(one)),
    "all is gone": lambda one, patch: shutil.rmtree(one.folder),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_has_changed_is_seen(standing, monkeypatch, change):
    assert standing.has(NAME)
    change(standing, monkeypatch)
    assert not standing.has(NAME)


def test_what_is_installed_is_not_installed_again_and_the_reader_may_change_a_version(standing):
    package(standing).rename(package(standing).with_name("dish-2.dist-info"))
    shutil.rmtree(standing.var, ignore_errors=True)
    standing.prepare(NAME)
    assert environment.run.installs == []
    assert (standing.var / "tmp").is_dir()  # made again


def test_a_moved_clone_does_not_stand(standing, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "clone"
    shutil.move(standing.root, moved)
    assert not Environment(moved).has(NAME)


def test_what_tests_need_is_installed_beside_it_and_once(standing):
    standing.prepare(NAME, TESTS)
    assert environment.run.installs[-1].endswith(f"-r {standing.root / TESTS}")
    assert not any(command.endswith(f"-r {standing.root / NAME}") for command in environment.run.installs)
    number = len(environment.run.installs)
    standing.prepare(NAME, TESTS)
    assert len(environment.run.installs) == number


def test_it_does_not_stand_while_it_is_being_repaired(standing, monkeypatch):
    def interrupt(self, name):
        raise KeyboardInterrupt

    (standing.root / NAME).write_text("rich\n")
    monkeypatch.setattr(Environment, "install", interrupt)
    with pytest.raises(KeyboardInterrupt):
        standing.prepare(NAME)
    assert not standing.stamp(NAME).exists()


@posix
def test_of_two_starts_at_once_one_waits(standing, capsys):
    def start():
        with environment.alone(standing.root / NAME):
            order.append("second")

    order, second = [], Thread(target=start)
    with environment.alone(standing.root / NAME):
        second.start()
        while "another start is at work" not in capsys.readouterr().err:
            time.sleep(0.01)
        order.append("first")
    second.join()
    assert order == ["first", "second"]


# Who installs


def test_uv_installs_if_there_is_uv(empty, answers, monkeypatch):
    run = answers()
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/there/uv")
    empty.install(NAME)
    assert run.commands == [f"/there/uv pip install --python {empty.python} -r {empty.root / NAME}"]


@pytest.mark.parametrize("what", ["fails", "is no program"])
def test_pip_goes_on_where_uv_cannot(empty, monkeypatch, capsys, tmp_path, what):
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexit 1\n" if what == "fails" else "for another kind of computer")
    uv.chmod(0o755)
    monkeypatch.setattr(environment.shutil, "which", lambda name: str(uv))
    monkeypatch.setattr(Environment, "find_pip", lambda self, env: [sys.executable, "-c", ""])
    empty.install(NAME)
    assert "uv could not do it" in capsys.readouterr().err


OWN = "{one.python} -m pip"
OUTER = f"{sys.executable} -m pip --python {{one.python}}"


@pytest.mark.parametrize(
    ("failing", "first"),
    [
        ([], OWN),
        ([OWN + " --version"], OUTER),  # Debian without python3-venv, or any other Python before the first start
        ([OWN + " --version", OUTER], OWN),  # after ensurepip: Debian without python3-pip
    ],
)
def test_a_recent_pip_is_installed_by_the_one_that_is_there(empty, answers, failing, first):
    run = answers(*(words.format(one=empty) for words in failing))
    empty.install(NAME)
    recent, packages = run.installs
    assert recent == f"{first.format(one=empty)} install -q --no-compile -c {empty.root / NAME} pip"
    assert packages == f"{empty.python} -m pip install --no-compile --prefer-binary -r {empty.root / NAME}"
    assert any("ensurepip" in command for command in run.commands) == (len(failing) == 2)


NO_PIP = "pip --version", "--python", "-m ensurepip"  # what fails on a bare Python


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that a package index on this machine serves, as the only one; its page about pip names the one we want."""
    folder = tmp_path / "index"
    (folder / "simple" / "pip").mkdir(parents=True)
    (folder / environment.PIP).write_bytes(b"a wheel")
    pip = environment.PIP
    page = f'<a href="../../pip-1.0.tar.gz">pip-1.0</a> <a href="../../{pip}#sha256=&amp;c">{pip}</a>'
    (folder / "simple" / "pip" / "index.html").write_text(page)
    monkeypatch.setattr(environment, "PIP_SHA256", hashlib.sha256(b"a wheel").hexdigest())
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *arguments: None)
    with ThreadingTCPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
        yield folder
        server.shutdown()


def test_without_any_pip_one_is_fetched(empty, answers, index):
    run = answers(*NO_PIP)
    empty.install(NAME)
    wheel = empty.var / "cache" / environment.PIP
    assert wheel.read_bytes() == b"a wheel"
    assert run.installs[0].startswith(f"{empty.python} {wheel / 'pip'} install")


@pytest.mark.parametrize("trouble", ["another page", "another wheel", "no wheel", "no index"])
def test_where_none_can_be_fetched_the_remedies_are_named(empty, answers, index, monkeypatch, trouble):
    answers(*NO_PIP)
    if trouble == "another page":
        (index / "simple" / "pip" / "index.html").write_text("Sign in")
    elif trouble == "another wheel":
        (index / environment.PIP).write_bytes(b"something else")
    elif trouble == "no wheel":
        (index / environment.PIP).unlink()
    else:
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(SystemExit, match=r"(?s)neither pip nor ensurepip.*apt install python3-venv.*uv"):
        empty.install(NAME)
    assert not (empty.var / "cache" / environment.PIP).exists()


@pytest.mark.parametrize(("failing", "what"), [("-c ", "a recent pip"), ("-r ", NAME)])
def test_a_failed_install_says_what_to_do(empty, answers, failing, what):
    answers(failing)
    with pytest.raises(SystemExit, match=rf"(?s)could not install {what}.*connection.*same command again"):
        empty.install(NAME)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), ValueError("a colon in the path")])
def test_an_unwritable_clone_says_so(empty, monkeypatch, error):
    def refuse(self):
        raise error

    monkeypatch.setattr(Environment, "make", refuse)
    with pytest.raises(SystemExit, match=r"(?s)cannot write in.*copy it"):
        empty.prepare(NAME)


def test_a_finished_clone_of_somebody_else_says_so(standing, monkeypatch):
    monkeypatch.setattr(environment.os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit, match=r"(?s)cannot write in.*copy it"):
        standing.prepare(NAME)


# With which variables


@pytest.fixture
def variables(empty, monkeypatch):
    """A function: the variables for what runs in .venv, of a user who has set these and no others."""

    def given(**users):
        monkeypatch.setattr(environment.os, "environ", users)
        return empty.variables()

    return given


def test_everything_is_written_below_it_unless_the_user_chooses_a_place(empty, variables):
    places = "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "PIP_CACHE_DIR", "PYTEST_DEBUG_TEMPROOT", "XDG_CACHE_HOME"
    assert all(Path(variables()[name]).is_relative_to(empty.var) for name in places)
    assert variables(MPLCONFIGDIR="/mine")["MPLCONFIGDIR"] == "/mine"


def test_no_other_python_interferes(empty, variables):
    env = variables(PYTHONHOME="/other", PIP_TARGET="/other", PIP_PYTHON="/other", PIP_USER="1", VIRTUAL_ENV="/other")
    assert not {"PYTHONHOME", "PIP_TARGET", "PIP_PYTHON"} & set(env)
    assert (env["VIRTUAL_ENV"], env["PIP_USER"]) == (str(empty.folder), "0")


def test_kitchen_is_found_first(empty, variables):
    assert variables()["PYTHONPATH"] == variables(PYTHONPATH="")["PYTHONPATH"] == str(empty.root)
    assert variables(PYTHONPATH="/mine")["PYTHONPATH"].split(os.pathsep) == [str(empty.root), "/mine"]
