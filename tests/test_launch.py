"""``python3 -m kitchen``: what it decides, what it says, and one true start in a folder with an awkward name."""

import ast
import ctypes
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
import zipfile
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler
from importlib.metadata import distribution
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread

import pytest

from kitchen import launch

CLONE = Path(launch.__file__).parent.parent


class Answer:
    """A stand-in for run(): notes each command, and says that those with one of the given words in them failed."""

    def __init__(self, *failing):
        self.commands, self.variables = [], []
        self.failing = failing

    def __call__(self, command, env=None, quiet=False):
        self.commands.append(" ".join(map(str, command)))
        self.variables.append(env)
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


def test_without_a_package_that_was_there_it_does_not_stand(standing):
    installed = standing.path("purelib") / "rich-15.dist-info" / "INSTALLER"
    installed.parent.mkdir()
    installed.touch()
    standing.finish()
    assert standing.stands()
    installed.parent.rename(installed.parent.with_name("rich-16.dist-info"))  # the reader may change a version
    assert standing.stands()
    shutil.rmtree(installed.parent.with_name("rich-16.dist-info"))
    assert not standing.stands()


def test_a_folder_for_files_that_was_deleted_is_made_again(standing):
    standing.prepare()
    shutil.rmtree(standing.var)
    standing.prepare()
    assert (standing.var / "tmp").is_dir()
    assert all("install" not in command for command in launch.run.commands)


@pytest.mark.skipif(launch.fcntl is None, reason="there are no such locks on Windows")
def test_of_two_starts_at_once_one_waits(standing, capsys):
    def start():
        with launch.alone(standing.requirements):
            order.append("second")

    order, second = [], Thread(target=start)
    with launch.alone(standing.requirements):
        second.start()
        while "another start is at work" not in capsys.readouterr().err:
            time.sleep(0.01)
        order.append("first")
    second.join()
    assert order == ["first", "second"]


def test_it_does_not_stand_while_it_is_being_repaired(standing, monkeypatch):
    standing.requirements.write_text("rich\n")

    def interrupt(self, wheels):
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
    assert launch.run.commands[-1].startswith(f"{environment.python} -m pip install --no-compile -r")
    assert "uv could not do it" in capsys.readouterr().err


def test_pip_goes_on_where_uv_is_no_program(environment, monkeypatch, capsys, tmp_path):
    uv = tmp_path / "uv"
    uv.write_bytes(b"for another kind of computer")
    uv.chmod(0o755)
    monkeypatch.setattr(launch.shutil, "which", lambda name: str(uv))
    environment.make()
    environment.install()  # of nothing, by pip
    said = capsys.readouterr().err
    assert f"{uv}: " in said and "uv could not do it" in said and "with pip" in said


def test_without_ensurepip_the_outer_pip_installs(environment, monkeypatch, no_uv):
    found = {"ensurepip": None, "pip": "an outer pip"}  # an environment that uv has made has none itself
    monkeypatch.setattr(launch.importlib.util, "find_spec", found.get)
    monkeypatch.setattr(launch, "run", Answer())
    environment.install()
    (command,) = launch.run.commands
    assert command.startswith(f"{sys.executable} -m pip --python {environment.python} install --no-compile -r")


def test_an_ensurepip_that_fails_counts_as_none(environment, monkeypatch, no_uv):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: "found")
    monkeypatch.setattr(launch, "run", Answer("-m ensurepip"))
    environment.install()
    assert "-m pip --python" in launch.run.commands[-1]


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that a package index on this machine serves, as the only one; its page about pip names the one we want."""
    folder = tmp_path / "index"
    (folder / "simple" / "pip").mkdir(parents=True)
    (folder / launch.PIP).write_bytes(b"a wheel")
    page = f'<a href="../../pip-1.0.tar.gz">pip-1.0</a> <a href="../../{launch.PIP}#sha256=&amp;c">{launch.PIP}</a>'
    (folder / "simple" / "pip" / "index.html").write_text(page)
    monkeypatch.setattr(launch, "PIP_SHA256", hashlib.sha256(b"a wheel").hexdigest())
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *arguments: None)
    with ThreadingTCPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
        yield folder
        server.shutdown()


def test_without_any_pip_one_is_fetched(environment, monkeypatch, no_uv, index):
    lacking(monkeypatch, "ensurepip", "pip")
    monkeypatch.setattr(launch, "run", Answer())
    environment.install()
    wheel = environment.var / "cache" / launch.PIP
    assert wheel.read_bytes() == b"a wheel"
    assert launch.run.commands == [
        f"{environment.python} {wheel / 'pip'} install --no-compile -r {environment.requirements}"
    ]


@pytest.mark.parametrize("trouble", ["another page", "another wheel", "no wheel", "no index"])
def test_where_none_can_be_fetched_the_remedies_are_named(environment, monkeypatch, no_uv, index, trouble):
    lacking(monkeypatch, "ensurepip", "pip")
    if trouble == "another page":
        (index / "simple" / "pip" / "index.html").write_text("Sign in")
    elif trouble == "another wheel":
        (index / launch.PIP).write_bytes(b"something else")
    elif trouble == "no wheel":
        (index / launch.PIP).unlink()
    else:
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(SystemExit, match=r"(?s)neither ensurepip nor pip.*apt install python3-venv.*uv"):
        environment.install()
    assert not (environment.var / "cache" / launch.PIP).exists()


def test_a_failed_install_says_what_to_do(environment, monkeypatch, no_uv):
    monkeypatch.setattr(launch, "run", Answer("-r "))
    with pytest.raises(SystemExit, match=r"(?s)could not install.*connection.*same command again"):
        environment.install()


# From a folder of wheels

HERE = launch.this_kind()
SYSTEM = HERE.split()[-1]
VERSION = "cp{}{}".format(*sys.version_info)


@pytest.fixture
def wheels(tmp_path):
    """A folder of wheels with an awkward name, and the wheel of a package that every Python can use."""
    folder = tmp_path / "wheels, f\u00fcr alle"
    folder.mkdir()
    with zipfile.ZipFile(folder / "dish-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("dish.py", "name = 'steak'")
        wheel.writestr("dish-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: dish\nVersion: 1.0\n")
        wheel.writestr("dish-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("dish-1.0.dist-info/RECORD", "dish.py,,\ndish-1.0.dist-info/RECORD,,\n")
    return folder


@pytest.fixture
def pip_wheel(wheels):
    """The pip that is installed here, as a wheel in that folder."""
    pip = distribution("pip")
    with zipfile.ZipFile(wheels / f"pip-{pip.version}-py3-none-any.whl", "w") as wheel:
        for file in pip.files:
            if file.suffix != ".pyc" and ".." not in file.parts:
                wheel.write(file.locate(), file)
    return Path(wheel.filename)


def test_wheels_are_all_that_counts(environment, monkeypatch, wheels):
    """Neither an index nor any setting: whatever the user has told pip and uv, it was meant for other times."""
    settings = {"PIP_INDEX_URL", "PIP_NO_BINARY", "PIP_CONSTRAINT", "UV_INDEX"}
    for name in settings:
        monkeypatch.setenv(name, "something")
    monkeypatch.delenv("PIP_CACHE_DIR", raising=False)  # whoever has set that may
    monkeypatch.setattr(launch.shutil, "which", lambda name: "/there/uv")
    monkeypatch.setattr(launch, "run", Answer("install"))
    with pytest.raises(SystemExit):
        environment.install(wheels)
    by_uv, *_, by_pip = zip(launch.run.commands, launch.run.variables, strict=True)
    assert by_uv[0].startswith("/there/uv pip install")
    assert " -m pip " in by_pip[0]
    for command, env in by_uv, by_pip:
        assert f"--no-index --find-links {wheels.as_uri()} -r {environment.requirements}" in command
        assert not settings & set(env)
        assert (env["PIP_CONFIG_FILE"], env["UV_NO_CONFIG"], env["UV_OFFLINE"]) == (os.devnull, "1", "1")
        assert Path(env["PIP_CACHE_DIR"]).is_relative_to(environment.var)


def test_the_pip_among_the_wheels_installs(environment, monkeypatch, no_uv, wheels, pip_wheel):
    monkeypatch.setattr(launch, "run", Answer())
    environment.install(wheels)
    (command,) = launch.run.commands
    assert command.startswith(f"{environment.python} {pip_wheel / 'pip'} install --no-compile --no-index")


def test_nothing_is_fetched_for_them(environment, monkeypatch, no_uv, wheels, index):
    lacking(monkeypatch, "ensurepip", "pip")
    with pytest.raises(SystemExit, match="it lacks pip, and so does this Python"):
        environment.install(wheels)


OTHERS = ["numpy-2-cp36-cp36m-manylinux_2_17_riscv64.whl", "numpy-2-cp311-cp311-win_arm64.whl"]


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (None, "there is no such folder"),
        ([], "it has no wheels"),
        (["numpy-2.tar.gz"], "it has no wheels"),
        (OTHERS, "its wheels are for Python 3.11 on win_arm64, Python 3.6m on linux_riscv64"),
        ([f"numpy-2-{VERSION}-{VERSION}-solaris_2_6_sparc.whl"], "its wheels are for Python"),
        ([*OTHERS, f"numpy-2-{VERSION}-{VERSION}-{SYSTEM}.whl"], None),
        (["rich-15-py3-none-any.whl", "ruff-1-py3-none-win_arm64.whl", "psutil-7-cp36-abi3-win_arm64.whl"], None),
    ],
)
def test_which_wheels_are_of_use_here(environment, tmp_path, monkeypatch, names, refused):
    folder = tmp_path / "wheels"
    for name in names or []:
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
    if names == []:
        folder.mkdir()
    monkeypatch.setattr(launch.Environment, "make", lambda self: None)
    monkeypatch.setattr(launch.Environment, "install", lambda self, wheels: None)
    monkeypatch.setattr(launch.Environment, "finish", lambda self: self.var.mkdir(parents=True))
    if refused is None:
        environment.prepare(folder)
    else:
        with pytest.raises(SystemExit, match=f"(?s)from the folder {re.escape(str(folder))}: {refused}") as refusal:
            environment.prepare(folder)
        assert f"This is {HERE}. On a computer like it" in str(refusal.value)
        assert "python3 -m kitchen wheels DIR" in str(refusal.value)
        assert not environment.folder.exists()


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (("cp311", "manylinux2014_x86_64.manylinux_2_17_x86_64"), "Python 3.11 on linux_x86_64"),
        (("cp311", "musllinux_1_2_aarch64"), "Python 3.11 on linux_aarch64"),
        (("cp313t", "macosx_11_0_arm64"), "Python 3.13t on macosx_arm64"),
        (("cp312", "win_amd64"), "Python 3.12 on win_amd64"),
        (("cp312", "win32"), "Python 3.12 on win32"),
    ],
)
def test_what_wheels_are_made_for_in_words(tags, words):
    assert launch.kind(*tags) == words


def test_a_mac_takes_what_is_made_for_both_kinds(monkeypatch):
    monkeypatch.setattr(launch.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(launch.sysconfig, "get_platform", lambda: "macosx-10.13-universal2")
    assert (
        launch.this_kind()
        == launch.kind(VERSION, "macosx_11_0_arm64")
        == launch.kind(VERSION, "macosx_10_9_universal2")
    )


def test_when_it_stands_wheels_change_nothing(standing, tmp_path):
    standing.prepare(tmp_path / "nowhere")
    assert all("install" not in command for command in launch.run.commands)


def test_packages_that_were_cut_short_are_installed_again(environment):
    folder = environment.path("purelib")
    for name, file in ("whole-1.dist-info", "INSTALLER"), ("half-1.dist-info", "RECORD"):
        (folder / name).mkdir(parents=True)
        (folder / name / file).touch()
    environment.drop_halves()
    assert [path.name for path in folder.iterdir()] == ["whole-1.dist-info"]


# Filling one


def test_a_folder_is_filled(environment, monkeypatch, wheels, capsys):
    monkeypatch.setattr(launch, "run", Answer())
    environment.fill(wheels / "more")
    (wheels / "more" / f"numpy-2-{VERSION}-{VERSION}-{SYSTEM}.whl").write_bytes(bytes(2_000_000))
    environment.fill(wheels / "more")
    command = f"{environment.python} -m pip wheel --wheel-dir {wheels / 'more'} -r {environment.requirements}"
    assert launch.run.commands == [command] * 2
    said = capsys.readouterr().err
    assert f"{wheels / 'more'} has 1 files (2 MB), for {HERE}" in said
    assert f'-m kitchen --wheels "{wheels / "more"}"' in said


def test_it_is_filled_with_the_locked_versions(environment, monkeypatch, wheels):
    lock = environment.root / "binder" / "lock.txt"
    lock.parent.mkdir()
    lock.touch()
    monkeypatch.setattr(launch, "run", Answer())
    environment.fill(wheels)
    assert f"-c {lock} -r" in launch.run.commands[0]


def test_a_folder_that_cannot_be_written_says_so(environment, tmp_path):
    (tmp_path / "file").touch()
    for folder in tmp_path / "file", tmp_path / "file" / "folder":
        with pytest.raises(SystemExit, match=f"cannot write in {re.escape(str(folder))}"):
            environment.fill(folder)


def test_a_folder_that_could_not_be_filled_says_so(environment, monkeypatch, wheels):
    monkeypatch.setattr(launch, "run", Answer("wheel"))
    with pytest.raises(SystemExit, match=r"(?s)could not be filled.*connection.*same command again"):
        environment.fill(wheels)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["one", "two"]])
def test_which_folder_has_to_be_said(capsys, arguments):
    with pytest.raises(SystemExit) as refusal:
        launch.main(["wheels", *arguments])
    assert refusal.value.code == 2
    assert "name one folder to fill" in capsys.readouterr().err


def test_folders_are_named_from_where_the_user_is(monkeypatch, tmp_path):
    calls = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launch.Environment, "prepare", lambda self, wheels: calls.append(wheels))
    monkeypatch.setattr(launch.Environment, "fill", lambda self, folder: calls.append(folder))
    assert launch.main(["--wheels", "old", "wheels", "there/../new"]) == 0
    assert calls == [tmp_path / "old", tmp_path / "new"]


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
    def interrupt(self, wheels):
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
    monkeypatch.setattr(launch.Environment, "prepare", lambda self, wheels: None)
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


def test_all_tests_run_in_several_processes(started):
    launch.main(["test"])
    assert words(started) == ["-m", "pytest", *launch.AT_ONCE]


@pytest.mark.parametrize("command", ["race", "slides"])
def test_race_and_slides_stay_where_the_user_is(started, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    launch.main([command, "--help"])
    assert words(started) == ["-m", f"kitchen.{command}", "--help"]
    assert started[0][2] == tmp_path


def test_start_returns_the_exit_code_where_processes_cannot_be_replaced(monkeypatch, tmp_path):
    monkeypatch.setattr(launch.os, "name", "nt")
    command = [sys.executable, "-c", "import os, sys; sys.exit(5 if os.environ['DISH'] == 'egg' else 1)"]
    folder = str(tmp_path)
    assert launch.start(command, os.environ | {"DISH": "egg"}, folder) == 5


# With which variables


def test_everything_is_written_below_the_environment(environment, monkeypatch):
    chosen = "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR", "PIP_CACHE_DIR", "PYTEST_DEBUG_TEMPROOT"
    for name in *chosen, "DASK_TEMPORARY_DIRECTORY", "XDG_CACHE_HOME":
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

LACKING = """
import runpy, sys
sys.modules["ensurepip"] = sys.modules["pip"] = None
runpy.run_module("kitchen", run_name="__main__")
"""


def beginning(clone, *arguments, start=("-m", "kitchen"), cwd=None, path=None, **options):
    """``python3 -m kitchen`` in a clone, offline, and as it is begun in a terminal: Ctrl-C ends it."""
    env = os.environ | {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "PYTHONPATH": str(clone), "PYTHONIOENCODING": "utf-8"}
    env |= {"PATH": str(path)} if path else {}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    return subprocess.Popen(
        [sys.executable, *start, *map(str, arguments)], cwd=cwd or clone, env=env, **output, **options
    )


def kitchen(clone, *arguments, **options):
    """One start of it to its end: its exit code, and what it printed to stdout and stderr."""
    with beginning(clone, *arguments, **options) as process:
        try:
            stdout, stderr = process.communicate(timeout=300)  # only a hang takes as long
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@pytest.fixture
def clone(tmp_path):
    """A small copy of the clone, in a folder with a space and an umlaut, with a race that says where it is."""
    root = tmp_path / "my k\u00fcche" / "clone"
    (root / "kitchen").mkdir(parents=True)
    for name in "launch.py", "__main__.py":
        shutil.copy(CLONE / "kitchen" / name, root / "kitchen")
    (root / "kitchen" / "__init__.py").touch()
    (root / "kitchen" / "race.py").write_text("import sys; print(sys.prefix, *sys.argv[1:]); sys.exit(3)")
    (root / "requirements.txt").write_text("# nothing\n")
    return root


@pytest.fixture
def clone_with_dish(clone):
    """One whose race needs a package, and says what is in it."""
    (clone / "requirements.txt").write_text("dish>=1,<2\n")
    (clone / "kitchen" / "race.py").write_text("import dish; print(dish.name)")
    return clone


def test_first_and_second_start(clone, tmp_path):
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


def test_without_any_pip_a_folder_of_wheels_is_enough(clone_with_dish, wheels, pip_wheel, tmp_path):
    options = {"start": ("-c", LACKING), "cwd": wheels.parent, "path": tmp_path}
    done = kitchen(clone_with_dish, "--wheels", wheels.name, "race", **options)
    assert (done.returncode, done.stdout) == (0, "steak\n"), done.stderr
    assert "with pip" in done.stderr


def test_a_folder_that_lacks_something_says_what_it_has(clone_with_dish, wheels, pip_wheel, tmp_path):
    (wheels / "dish-1.0-py3-none-any.whl").rename(wheels / f"dish-1.0-{VERSION}-{VERSION}-{SYSTEM}_9.whl")
    (wheels / f"other-1.0-{VERSION}-{VERSION}-{SYSTEM}.whl").touch()
    done = kitchen(clone_with_dish, "--wheels", wheels, "race", path=tmp_path)
    assert done.returncode == 1
    assert "No matching distribution found for dish" in done.stderr
    assert f"cannot install from the folder {wheels}: pip's own words are above, and its wheels are for" in done.stderr
    assert f"This is {HERE}" in done.stderr and "Traceback" not in done.stderr


def nothing(folder):
    folder.mkdir()


def no_python(folder):
    venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
    launch.Environment(folder.parent).python.unlink()


def no_pip_and_half_a_package(folder):
    venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
    half = launch.Environment(folder.parent).path("purelib") / "dish-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: dish\nVersion: 1.0\n")


@pytest.mark.parametrize(
    ("half", "said"), [(nothing, "removing"), (no_python, "removing"), (no_pip_and_half_a_package, "completing")]
)
def test_a_half_made_environment_is_repaired(clone_with_dish, wheels, pip_wheel, tmp_path, half, said):
    half(clone_with_dish / ".venv")
    done = kitchen(clone_with_dish, "--wheels", wheels, "race", path=tmp_path)
    assert (done.returncode, done.stdout) == (0, "steak\n"), done.stderr
    assert f"{said} .venv" in done.stderr


posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and rights")


@posix
def test_an_interrupted_start_goes_on_next_time(clone_with_dish, wheels, pip_wheel, tmp_path):
    """The interrupt comes, as from a terminal, to the whole group while something is being installed."""
    slow = tmp_path / "uv"
    slow.write_text("#!/bin/sh\necho installing slowly >&2\nexec /bin/sleep 60\n")
    slow.chmod(0o755)
    clear = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # whoever runs us in the background ignores it
    options = {"start_new_session": True, "preexec_fn": clear, "path": tmp_path}
    with beginning(clone_with_dish, "--wheels", wheels, "race", **options) as process:
        try:
            while "slowly" not in (line := process.stderr.readline()):
                assert line, "it ended before it was interrupted"
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=300)
            with pytest.raises(ProcessLookupError):  # nobody of them is left, once the system has noticed
                for _ in range(1000):
                    os.killpg(process.pid, 0)
                    time.sleep(0.01)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, said) == (130, "kitchen: stopped. Run the same command again: it goes on from here.\n")
    slow.unlink()

    done = kitchen(clone_with_dish, "--wheels", wheels, "race", path=tmp_path)
    assert (done.returncode, done.stdout) == (0, "steak\n"), done.stderr
    assert "completing .venv" in done.stderr


def as_anybody():
    """In a process of root's, before its program: from then on rights count for it as for anybody."""
    drop_from_bounding_set, override_rights = 24, 1
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop_from_bounding_set, override_rights, 0, 0, 0):
        raise OSError("root could not give up its right to write everywhere")


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="root can give up rights on Linux only")
def test_a_read_only_clone_says_so(clone):
    folders = [clone, *(path for path in clone.rglob("*") if path.is_dir())]
    try:
        for folder in folders:
            folder.chmod(0o555)
        done = kitchen(clone, "race", preexec_fn=as_anybody)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.returncode == 1
    assert f"kitchen: cannot write in {clone}" in done.stderr and "copy it to one that is" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_python_is_refused_in_one_sentence():
    """Pretends to be one; and what an older Python reads before it comes to the sentence is in its own grammar."""
    pretend = "import runpy, sys; sys.version_info = (3, 10, 13); runpy.run_module('kitchen', run_name='__main__')"
    refused = subprocess.run([sys.executable, "-c", pretend], cwd=CLONE, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer" in refused.stderr and "Traceback" not in refused.stderr
    ast.parse((CLONE / "kitchen" / "__init__.py").read_text(encoding="utf-8"), feature_version=(3, 7))
