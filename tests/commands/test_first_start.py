"""First starts for real, without a network: each in a small clone of its own, with a folder of wheels for an index."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
import zipfile
from contextlib import suppress
from functools import partial
from importlib.metadata import distribution
from pathlib import Path

import pytest

from kitchen.commands.environment import Environment

CLONE = Path(__file__).parents[2]
NAME = "requirements.txt"
pytestmark = pytest.mark.install
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and programs")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder with an awkward name, and in it a package that every Python can use, and pip."""
    folder = tmp_path_factory.mktemp("wheels") / "wheels f\u00fcr alle"
    folder.mkdir()
    with zipfile.ZipFile(folder / "dish-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("dish.py", "name = 'steak'")
        wheel.writestr("dish-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: dish\nVersion: 1.0\n")
        wheel.writestr("dish-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("dish-1.0.dist-info/RECORD", "dish.py,,\ndish-1.0.dist-info/RECORD,,\n")
    pip = distribution("pip")
    with zipfile.ZipFile(folder / f"pip-{pip.version}-py3-none-any.whl", "w") as wheel:
        for file in pip.files:
            if file.suffix != ".pyc" and ".." not in file.parts:
                wheel.write(file.locate(), file)
    return folder


@pytest.fixture
def clone(tmp_path):
    """A small clone, in a folder with a space and an umlaut. Its race needs a package, and says what is in it."""
    root = tmp_path / "my k\u00fcche" / "clone"
    (root / "kitchen" / "commands").mkdir(parents=True)
    for name in "__main__.py", "commands/launch.py", "commands/environment.py":
        shutil.copy(CLONE / "kitchen" / name, root / "kitchen" / name)
    for name in "__init__.py", "commands/__init__.py":
        (root / "kitchen" / name).touch()
    race = "import dish, sys; print(dish.name, sys.prefix, *sys.argv[1:]); sys.exit(3)"
    (root / "kitchen" / "commands" / "race.py").write_text(race)
    (root / NAME).write_text("dish>=1,<2\npip\n")
    return root


def beginning(clone, wheels, *arguments, python=sys.executable, path=None, cwd=None, pythonpath=(), **options):
    """``python3 -m kitchen race`` in a clone, with these wheels for a network, and only `path` for a PATH."""
    env = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "PYTHONIOENCODING": "utf-8"}
    env |= {"PATH": str(path or clone), "PYTHONPATH": os.pathsep.join(map(str, [clone, *pythonpath]))}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    command = [python, "-m", "kitchen", "race", *arguments]
    return subprocess.Popen(command, cwd=cwd or clone, env=env, **output, **options)


def kitchen(clone, *arguments, **options):
    """One start of it to its end: its exit code, and what it printed to stdout and stderr."""
    with beginning(clone, *arguments, **options) as process:
        try:
            stdout, stderr = process.communicate(timeout=300)  # only a hang takes as long
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def assert_raced(done, clone):
    assert (done.returncode, done.stdout.split()[0]) == (3, "steak"), done.stderr
    assert str(clone / ".venv") in done.stdout


def test_first_and_second_start(clone, wheels, tmp_path):
    first = kitchen(clone, wheels, "--help", cwd=tmp_path)
    assert_raced(first, clone)
    assert first.stdout.endswith(" --help\n")
    assert "making .venv" in first.stderr and f"installing {NAME} with pip" in first.stderr

    second = kitchen(clone, wheels)
    assert_raced(second, clone)
    assert second.stderr == ""

    where = "import kitchen; print(ascii(kitchen.__file__))"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [Environment(clone).python, "-c", where], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert found.stdout.strip() == ascii(str(clone / "kitchen" / "__init__.py"))  # from any folder, by the .pth file


def test_a_bare_python_needs_no_more_than_a_folder_of_wheels(clone, wheels, tmp_path):
    """One without pip and ensurepip, as INSTRUCTORS.md has it: the wheel of pip on PYTHONPATH is a pip."""
    venv.create(tmp_path / "bare")
    lacking = tmp_path / "lacking"
    lacking.mkdir()
    (lacking / "ensurepip.py").write_text("raise ImportError('no ensurepip')")
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    [pip] = wheels.glob("pip-*.whl")
    assert_raced(kitchen(clone, wheels, python=python, pythonpath=[lacking, pip]), clone)


UV = """\
#!/bin/sh
exec "{python}" -c '
from pathlib import Path; from zipfile import ZipFile
if not Path("{info}").exists():
    ZipFile("{wheel}").extractall("{folder}")
    Path("{info}", "INSTALLER").touch()'
"""


@pytest.fixture
def uv(clone, wheels, tmp_path):
    """The folder of a program that is as quick as uv, and like it takes a package for installed whose dist-info is there."""
    folder = Environment(clone).path("purelib")
    wheel = wheels / "dish-1.0-py3-none-any.whl"
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    words = {"python": sys.executable, "info": folder / "dish-1.0.dist-info", "wheel": wheel, "folder": folder}
    program.write_text(UV.format(**words), encoding="utf-8")
    program.chmod(0o755)
    return program.parent


def no_python(folder):
    venv.create(folder)
    Environment(folder.parent).python.unlink()


def half_a_package(folder):
    venv.create(folder)
    half = Environment(folder.parent).path("purelib") / "dish-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: dish\nVersion: 1.0\n")


@posix
@pytest.mark.parametrize(
    ("half", "said"), [(Path.mkdir, "removing"), (no_python, "removing"), (half_a_package, "completing")]
)
def test_a_half_made_environment_is_repaired(clone, wheels, uv, half, said):
    half(clone / ".venv")
    done = kitchen(clone, wheels, path=uv)
    assert_raced(done, clone)
    assert f"{said} .venv" in done.stderr


@posix
def test_an_interrupted_start_goes_on_next_time(clone, wheels, uv, tmp_path):
    """The interrupt comes, as from a terminal, to the whole group while something is being installed."""
    slow = tmp_path / "uv"
    slow.write_text("#!/bin/sh\necho installing slowly >&2\nexec /bin/sleep 60\n")
    slow.chmod(0o755)
    clear = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # whoever runs us in the background ignores it
    with beginning(clone, wheels, path=tmp_path, start_new_session=True, preexec_fn=clear) as process:
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
    done = kitchen(clone, wheels, path=uv)
    assert_raced(done, clone)
    assert "completing .venv" in done.stderr


def as_anybody():
    """In a process of root's, before its program: from then on rights count for it as for anybody."""
    drop_from_bounding_set, override_rights = 24, 1
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop_from_bounding_set, override_rights, 0, 0, 0):
        raise OSError("root could not give up its right to write everywhere")


@pytest.mark.skipif(sys.platform != "linux", reason="root can give up rights on Linux only")
def test_a_read_only_clone_says_so(clone, wheels):
    folders = [clone, *(path for path in clone.rglob("*") if path.is_dir())]
    try:
        for folder in folders:
            folder.chmod(0o555)
        done = kitchen(clone, wheels, preexec_fn=as_anybody)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.returncode == 1
    assert f"kitchen: cannot write in {clone}" in done.stderr and "copy it to one that does" in done.stderr
    assert "Traceback" not in done.stderr
