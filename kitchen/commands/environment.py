"""The clone's ``.venv``: makes it, installs what a requirements file names, and repairs it.

This runs on a bare Python, so it imports the standard library only. Everything that is written stays in the clone: caches,
settings and run-time files live in ``.venv/var``.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Fetched where Python has no pip at all.
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
NO_PIP = """\
this Python ({}) has neither pip nor ensurepip, and pip could not be fetched: {}
Check the connection (or the proxy). If that is not the reason, one of these helps:
  on Debian or Ubuntu:  sudo apt install python3-venv
  anywhere:             install uv, see https://docs.astral.sh/uv/
Then run the same command again."""
UNWRITABLE = """\
cannot write in {}: {}
If this folder does not belong to you, copy it to one that does (in your home folder, say) and run the command there."""
FAILED = """\
pip could not install {}. Its own words are above.
Check the connection (or the proxy) and run the same command again: it goes on where it stopped."""


class Environment:
    """The .venv of a clone. For each requirements file that is installed in it there is a stamp, written last.

    A file is installed while its stamp fits what can change: the file, Python, the place, and the packages that are there.
    """

    def __init__(self, root: Path):
        self.root = root
        self.folder = root / ".venv"
        self.var = self.folder / "var"
        self.python = self.path("scripts") / ("python.exe" if os.name == "nt" else "python")

    def path(self, name: str) -> Path:
        """The folder that Python calls `name` ("purelib", "scripts") inside .venv, on any operating system."""
        return Path(sysconfig.get_path(name, "venv", {"base": str(self.folder), "platbase": str(self.folder)}))

    def prepare(self, *names: str) -> None:
        """Installs these requirements files (paths in the clone), unless they are. Raises SystemExit if it cannot."""
        try:
            with alone(self.root / names[0]):
                for name in names:
                    if not self.has(name):
                        self.stamp(name).unlink(missing_ok=True)  # until there is a new one, the file is not installed
                        self.make()
                        self.install(name)
                        self.finish(name)
            (self.var / "tmp").mkdir(parents=True, exist_ok=True)  # pytest wants it, and somebody may have deleted it
            if not os.access(self.var, os.W_OK):  # Jupyter would end in a traceback
                raise PermissionError("no permission")
        except (OSError, ValueError) as error:  # ValueError: venv refuses a path with a colon in it
            raise SystemExit("kitchen: " + UNWRITABLE.format(self.root, error)) from None

    # What is there

    def stamp(self, name: str) -> Path:
        """The stamp of a requirements file."""
        return self.folder / "stamps" / name

    def conditions(self, name: str) -> str:
        """How its stamp begins: requirements, Python and place. After that come the packages that have to be there."""
        requirements = hashlib.sha256((self.root / name).read_bytes()).hexdigest()
        version = "{}.{}".format(*sys.version_info) + getattr(sys, "abiflags", "")
        return f"{requirements}\n{version}\n{self.root!a}\n"

    def has(self, name: str) -> bool:
        """Whether this requirements file is installed, and Python runs."""
        wanted = self.conditions(name)
        try:
            stamped = self.stamp(name).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return False
        return stamped.startswith(wanted) and self.packages() >= set(stamped[len(wanted) :].split()) and self.runs()

    def packages(self) -> set[str]:
        """The names of the packages that are installed, in whatever versions: the reader may have changed one."""
        return {file.parent.name.split("-")[0] for file in self.path("purelib").glob("*.dist-info/INSTALLER")}

    def runs(self) -> bool:
        """Whether its Python starts, and has our version."""
        question = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        return run([self.python, "-I", "-S", "-c", question], quiet=True)

    # How it comes there

    def make(self) -> None:
        """An empty environment, or the one that is there, if one can build upon it."""
        if self.runs():
            say("completing .venv ...")
            return
        if self.folder.exists():
            say("removing .venv: it does not run, or another version of Python made it ...")
            shutil.rmtree(self.folder)
        say("making .venv (once; about a minute) ...")
        import venv  # here, because only the first start needs it

        venv.EnvBuilder(symlinks=os.name != "nt").create(self.folder)

    def install(self, name: str) -> None:
        """The packages that a requirements file names, with uv if there is one and it works, else with pip."""
        for folder in self.path("purelib").glob("*.dist-info"):
            if not (folder / "INSTALLER").exists():  # cut short: installers would take the package for installed
                shutil.rmtree(folder)
        env = self.installing()
        if uv := shutil.which("uv"):
            say(f"installing {name} with uv ...")
            if run([uv, "pip", "install", "--python", self.python, "-r", self.root / name], env):
                return
            say("uv could not do it (see above). Going on with pip.")
        pip = self.find_pip(env)
        say(f"installing {name} with pip ...")
        # Python compiles what it imports, a fraction of everything: not compiling the rest now saves a third of the time.
        if not run([*pip, "install", "--no-compile", "--prefer-binary", "-r", self.root / name], env):
            raise SystemExit("kitchen: " + FAILED.format(name))

    def installing(self) -> dict[str, str]:
        """The variables for what installs."""
        temporary = self.var / "cache" / "tmp"  # if the installer is killed, what it leaves behind is here
        temporary.mkdir(parents=True, exist_ok=True)
        env = self.variables() | dict.fromkeys(["TMPDIR", "TEMP", "TMP"], str(temporary))
        if not os.path.exists(os.path.expanduser("~/.rustup")):  # pip asks for Rust's version, which makes that folder
            env.setdefault("RUSTUP_HOME", str(temporary))
        return env

    def find_pip(self, env: dict[str, str]) -> list[str | Path]:
        """A recent pip in .venv, installed by another one: the pips of older Pythons need three times as long."""
        own: list[str | Path] = [self.python, "-m", "pip"]
        outer: list[str | Path] = [sys.executable, "-m", "pip", "--python", self.python]
        ensure: list[str | Path] = [self.python, "-m", "ensurepip", "--default-pip"]
        first = next((pip for pip in (own, outer) if run([*pip, "--version"], env, quiet=True)), None)
        if not first and run(ensure, env, quiet=True):
            first = own
        if not first:
            say("fetching pip: this Python has none ...")
            first = [self.python, fetch_pip(self.var / "cache") / "pip"]  # Python runs it from the wheel, a ZIP file
        if not run([*first, "install", "-q", "--no-compile", "-c", self.root / "requirements.txt", "pip"], env):
            raise SystemExit("kitchen: " + FAILED.format("a recent pip"))
        return own

    def finish(self, name: str) -> None:
        """What is left when all is installed: kitchen findable, JupyterLab quiet, disk space given back, the stamp."""
        # An import line, not a plain path: it is ASCII whatever the path is, and Pythons differ in how they decode.
        path_file = f"import sys; sys.path.append({str(self.root)!a})\n"
        (self.path("purelib") / "kitchen-clone.pth").write_text(path_file, encoding="ascii")
        self.configure_jupyter()
        shutil.rmtree(self.var / "cache", ignore_errors=True)
        stamp = self.stamp(name)
        stamp.parent.mkdir(parents=True, exist_ok=True)
        unfinished = stamp.with_suffix(".new")
        unfinished.write_text(self.conditions(name) + " ".join(sorted(self.packages())), encoding="ascii")
        os.replace(unfinished, stamp)

    def configure_jupyter(self) -> None:
        """Our defaults for JupyterLab, in files because what the user says on the command line then wins over them."""
        server = {
            "ServerApp": {"ip": "127.0.0.1", "root_dir": str(self.root)},
            "LanguageServerManager": {"autodetect": False},  # it would start npm, which logs in the home folder
        }
        page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}  # they ask the internet
        folder = self.folder / "etc" / "jupyter"
        (folder / "labconfig").mkdir(parents=True, exist_ok=True)
        (folder / "jupyter_server_config.json").write_text(json.dumps(server), encoding="ascii")
        (folder / "labconfig" / "page_config.json").write_text(json.dumps(page), encoding="ascii")

    # What runs in it

    def variables(self) -> dict[str, str]:
        """The variables for what runs in it: find kitchen, write below .venv, and let no other Python interfere."""
        env = dict(os.environ)
        for name in "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON":
            env.pop(name, None)
        env |= {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(self.root), env.get("PYTHONPATH")])),
            "PATH": os.pathsep.join(filter(None, [str(self.python.parent), env.get("PATH")])),
            "VIRTUAL_ENV": str(self.folder),  # IPython imports from the folder named here, even if it is another one
            "PIP_USER": "0",  # stronger than a "user = true" in pip.conf, which pip refuses inside an environment
            "PIP_REQUIRE_VIRTUALENV": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        for name, folder in {
            "PIP_CACHE_DIR": "cache/pip",
            "UV_CACHE_DIR": "cache/uv",
            "JUPYTER_CONFIG_DIR": "jupyter/config",
            "JUPYTER_DATA_DIR": "jupyter/data",
            "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
            "IPYTHONDIR": "ipython",
            "MPLCONFIGDIR": "matplotlib",
            "PYTEST_DEBUG_TEMPROOT": "tmp",  # where pytest's tmp_path is; unlike --basetemp it stands two runs at once
            "DASK_TEMPORARY_DIRECTORY": "tmp",  # where the workers of notebook 10's cluster have their files
            "XDG_CACHE_HOME": "xdg-cache",  # jedi's, which completes what one types
        }.items():
            env.setdefault(name, str(self.var / folder))
        return env


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """A block that only one start in this folder is in at a time; others wait. `file`: any that they all can read."""
    with open(file, encoding="utf-8") as held:
        if fcntl:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another start is at work in this folder. Waiting for it ...")
                fcntl.flock(held, fcntl.LOCK_EX)
            except OSError:
                pass  # some network drives know no locks
        yield


def fetch_pip(folder: Path) -> Path:
    """A wheel of pip from the package index, in this folder. Its release and hash are fixed, whichever index it is."""
    import html  # here, because only few first starts need these
    from http.client import HTTPException
    from urllib.parse import urljoin
    from urllib.request import urlopen

    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    try:
        with urlopen(index, timeout=30) as page:
            link = re.search(rf'href="([^"]*{re.escape(PIP)}[^"]*)"', page.read().decode())
        if not link:
            raise ValueError(f"{index} does not have {PIP}")
        with urlopen(urljoin(page.url, html.unescape(link[1])), timeout=30) as answer:
            content = answer.read()
        if hashlib.sha256(content).hexdigest() != PIP_SHA256:
            raise ValueError(f"what {answer.url} gives is not {PIP}")
    except (OSError, ValueError, HTTPException) as error:
        raise SystemExit("kitchen: " + NO_PIP.format(sys.executable, error)) from None
    (folder / PIP).write_bytes(content)
    return folder / PIP


def run(command: Sequence[str | Path], env: dict[str, str] | None = None, quiet: bool = False) -> bool:
    """Whether the command is there and went well. What it prints goes to stderr, as what we print does."""
    output = subprocess.DEVNULL if quiet else 2
    try:
        return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode == 0
    except OSError as error:  # a program for another kind of computer, say
        if not quiet:
            say(f"{command[0]}: {error.strerror}")
        return False


def say(text: str) -> None:
    """One line of progress, on stderr: it prints any path on any code page, and stdout belongs to what we start."""
    print("kitchen:", text, file=sys.stderr, flush=True)
