"""``python3 -m kitchen``: makes sure that the environment stands, then starts in it what was asked for.

It runs on a bare Python, so it imports the standard library only. Whatever it or what it starts writes stays in the
clone: the environment is ``.venv``, and caches, settings and run-time files live in ``.venv/var``.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

START = "/lab/tree/notebooks/00-start-here.ipynb"
AT_ONCE = ["-n", "3", "--no-loadscope-reorder"] if os.name == "posix" else []  # all tests: see tests/conftest.py
HELP = """\
commands:
  lab     open the notebooks in JupyterLab (this is the default); arguments go to JupyterLab
  test    run all tests, the notebooks included; arguments go to pytest
  race    race the three ways to fetch, in the terminal; see race --help
  slides  make a deck of slides of each notebook, for a browser without a network; see slides --help
  wheels  fill a folder with all that the first start installs, for computers that have no network

The first start makes .venv in this folder and installs requirements.txt there, with uv if there is uv, else with pip.
Nothing is written outside this folder; to undo it all, delete .venv.

examples:
  python3 -m kitchen
  python3 -m kitchen lab --no-browser --port 9999
  python3 -m kitchen test -k simulate
  python3 -m kitchen wheels /media/stick/wheels
  python3 -m kitchen --wheels /media/stick/wheels
"""
# Fetched where there is no pip at all. It then installs the one that requirements.txt asks for.
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
NO_PIP = """\
this Python ({}) has neither ensurepip nor pip, and pip could not be fetched: {}
Check the connection (or the proxy). If that is not it, one of these helps:
  on Debian or Ubuntu:  sudo apt install python3-venv
  anywhere:             install uv, see https://docs.astral.sh/uv/
Then run the same command again."""
UNWRITABLE = """\
cannot write in {}: {}
If this folder is not yours to write in, copy it to one that is (in your home folder, say) and run the command there."""
FAILED = """\
pip could not install requirements.txt; its own words are above.
Check the connection (or the proxy) and run the same command again: it goes on where it stopped."""
NO_WHEELS = """\
cannot install from the folder {}: {}.
This is {}. On a computer like it, with the same version of Python and a network,
  python3 -m kitchen wheels DIR
fills a folder with what is needed here."""
FILLED = """\
{} has {} files ({:.0f} MB), for {}.
On a computer like this one, with this version of Python, this installs from them, without a network:
  {} -m kitchen --wheels "{}"
For other computers and versions of Python, fill the same folder from one of each: they do not disturb each other."""
NOT_FILLED = """\
{} could not be filled; pip's own words are above.
Check the connection (or the proxy) and run the same command again: it goes on where it stopped."""


class Environment:
    """The clone's .venv: it stands when it runs, and its stamp, written last, fits what can change (see `wanted_stamp`)."""

    def __init__(self, root):
        self.root = root
        self.folder = root / ".venv"
        self.var = self.folder / "var"
        self.stamp = self.folder / "stamp"
        self.requirements = root / "requirements.txt"
        self.python = self.path("scripts") / ("python.exe" if os.name == "nt" else "python")

    def path(self, name):
        """The folder that Python calls `name` ("purelib", "scripts") inside .venv, on any operating system."""
        return Path(sysconfig.get_path(name, "venv", {"base": str(self.folder), "platbase": str(self.folder)}))

    def wanted_stamp(self):
        """How the stamp begins: requirements, Python and place. Behind them are the packages that have to be there."""
        requirements = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        version = "{}.{}".format(*sys.version_info) + getattr(sys, "abiflags", "")
        return f"{requirements}\n{version}\n{self.root!a}\n"

    def stands(self):
        """Whether there is nothing to do."""
        wanted = self.wanted_stamp()
        try:
            stamped = self.stamp.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return False
        return stamped.startswith(wanted) and self.packages() >= set(stamped[len(wanted) :].split()) and self.runs()

    def packages(self):
        """The names of the packages that are installed, in whatever versions: the reader may have changed one."""
        return {file.parent.name.split("-")[0] for file in self.path("purelib").glob("*.dist-info/INSTALLER")}

    def runs(self):
        """Whether its Python starts, and is of the version we are."""
        question = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        return run([self.python, "-I", "-S", "-c", question], quiet=True)

    def variables(self):
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

    def prepare(self, wheels=None):
        """Makes, completes or repairs it, unless it stands; from a folder of wheels alone, if there is one."""
        try:
            with alone(self.requirements):
                if not self.stands():
                    self.stamp.unlink(missing_ok=True)  # from here until the new stamp, it does not stand
                    if wheels:
                        check_wheels(wheels)
                    self.make()
                    self.install(wheels)
                    self.finish()
            (self.var / "tmp").mkdir(parents=True, exist_ok=True)  # pytest wants it, and somebody may have deleted it
            if not os.access(self.var, os.W_OK):  # Jupyter would end in a traceback
                raise PermissionError("no permission")
        except (OSError, ValueError) as error:  # ValueError: venv refuses a path with a colon in it
            raise SystemExit("kitchen: " + UNWRITABLE.format(self.root, error)) from None

    def make(self):
        """An empty environment, or the one that is there, if it can be built upon."""
        if self.runs():
            say("completing .venv ...")
            return
        if self.folder.exists():
            say("removing .venv: it does not run, or another version of Python made it ...")
            shutil.rmtree(self.folder)
        say("making .venv (once; about a minute) ...")
        import venv  # here, because only the first start needs it

        venv.EnvBuilder(symlinks=os.name != "nt").create(self.folder)

    def install(self, wheels=None):
        """The requirements, installed with uv if there is one and it works, else with pip."""
        self.drop_halves()
        env = self.installing(wheels)
        source = ["--no-index", "--find-links", wheels.as_uri()] if wheels else []  # an address: uv splits at commas
        if uv := shutil.which("uv"):
            say("installing requirements.txt with uv ...")
            if run([uv, "pip", "install", "--python", self.python, *source, "-r", self.requirements], env):
                return
            say("uv could not do it (see above); going on with pip.")
        pip = self.find_pip(env, wheels)
        say("installing requirements.txt with pip ...")
        # Python compiles what it comes to import, which is a fraction of it all: without it this is a third faster.
        if not run([*pip, "install", "--no-compile", *source, "-r", self.requirements], env):
            if wheels:
                raise unusable(wheels, f"pip's own words are above, and its wheels are for {listed(made_for(wheels))}")
            raise SystemExit("kitchen: " + FAILED)

    def installing(self, wheels=None):
        """The variables for what installs. Only when it installs from wheels, no settings of the user's count."""
        temporary = self.var / "cache" / "tmp"  # if the installer is killed, what it leaves behind is here
        temporary.mkdir(parents=True, exist_ok=True)
        env = self.variables() | dict.fromkeys(["TMPDIR", "TEMP", "TMP"], str(temporary))
        if not os.path.exists(os.path.expanduser("~/.rustup")):  # pip asks for Rust's version, which makes that folder
            env.setdefault("RUSTUP_HOME", str(temporary))
        if wheels:
            kept = "PIP_CACHE_DIR", "UV_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"
            env = {name: env[name] for name in env if name in kept or not name.startswith(("PIP_", "UV_"))}
            env |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_OFFLINE": "1"}
        return env

    def drop_halves(self):
        """Forgets packages whose installation was cut short: installers go by the folder, and write INSTALLER last."""
        for folder in self.path("purelib").glob("*.dist-info"):
            if not (folder / "INSTALLER").exists():
                shutil.rmtree(folder)

    def find_pip(self, env, wheels=None):
        """The pip that installs into .venv: the folder's, its own, that of the Python we are, or one that is fetched."""
        if wheels and (pips := sorted(wheels.glob("pip-*.whl"))):
            return [self.python, pips[-1] / "pip"]  # a wheel is a ZIP file, from which Python can run it
        ensure = [self.python, "-m", "ensurepip", "--default-pip"]
        if importlib.util.find_spec("ensurepip") and run(ensure, env, quiet=True):
            return [self.python, "-m", "pip"]
        if importlib.util.find_spec("pip"):  # Debian without python3-venv
            return [sys.executable, "-m", "pip", "--python", self.python]
        if wheels:
            raise unusable(wheels, "it lacks pip, and so does this Python")
        say("fetching pip: this Python has none ...")
        return [self.python, fetch_pip(self.var / "cache") / "pip"]

    def fill(self, folder):
        """Fills a folder with wheels of the requirements and all that they need, in the versions of binder/lock.txt."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise SystemExit(f"kitchen: cannot write in {folder}: {error}") from None
        lock = self.root / "binder" / "lock.txt"
        exact = ["-c", lock] if lock.exists() else []
        say(f"filling {folder} ...")
        pip = [self.python, "-m", "pip", "wheel", "--wheel-dir", folder, *exact, "-r", self.requirements]
        if not run(pip, self.installing()):
            raise SystemExit("kitchen: " + NOT_FILLED.format(folder))
        shutil.rmtree(self.var / "cache", ignore_errors=True)
        files = list(folder.glob("*.whl"))
        size = sum(file.stat().st_size for file in files) / 1e6
        python = "py" if os.name == "nt" else "python3"
        say(FILLED.format(folder, len(files), size, listed(made_for(folder)), python, folder))

    def finish(self):
        """What is left when all is installed: kitchen findable, JupyterLab quiet, disk space given back, the stamp."""
        # An import line, not a plain path: it is ASCII whatever the path is, and Pythons differ in how they decode.
        path_file = f"import sys; sys.path.append({str(self.root)!a})\n"
        (self.path("purelib") / "kitchen-clone.pth").write_text(path_file, encoding="ascii")
        self.configure_jupyter()
        shutil.rmtree(self.var / "cache", ignore_errors=True)
        unfinished = self.stamp.with_suffix(".new")
        unfinished.write_text(self.wanted_stamp() + " ".join(sorted(self.packages())), encoding="ascii")
        os.replace(unfinished, self.stamp)

    def configure_jupyter(self):
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


def main(argv=None):
    """The command line: prepares the environment, starts the command in it, and returns its exit code."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python3 -m kitchen", epilog=HELP, formatter_class=raw)
    help_wheels = "at the first start, install from this folder alone: no network needed"
    parser.add_argument("--wheels", type=named, metavar="DIR", help=help_wheels)
    commands = ["lab", "test", "race", "slides", "wheels"]
    parser.add_argument("command", nargs="?", default="lab", choices=commands, help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to what the command starts")
    asked = parser.parse_args(argv)
    if asked.command == "wheels" and (len(asked.arguments) != 1 or asked.arguments[0].startswith("-")):
        parser.error("name one folder to fill, for example: python3 -m kitchen wheels /media/stick/wheels")
    environment = Environment(Path(__file__).resolve().parent.parent)
    try:
        environment.prepare(asked.wheels)
        if asked.command == "wheels":
            environment.fill(named(asked.arguments[0]))
            return 0
    except KeyboardInterrupt:
        say("stopped. Run the same command again: it goes on from here.")
        return 130
    arguments, folder = command_line(asked.command, asked.arguments, environment.root)
    if asked.command == "lab":
        say("opening JupyterLab; stop it with Ctrl-C.")
    return start([environment.python, *arguments], environment.variables(), folder)


@contextmanager
def alone(file):
    """A block that only one start in this folder is in at a time; others wait. `file`: any that they all can read."""
    with open(file, encoding="utf-8") as held:
        if fcntl:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another start is at work in this folder; waiting for it ...")
                fcntl.flock(held, fcntl.LOCK_EX)
            except OSError:
                pass  # some network drives know no locks
        yield


def fetch_pip(folder):
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


def check_wheels(folder):
    """Raises SystemExit where nothing can be installed from this folder."""
    if not folder.is_dir():
        raise unusable(folder, "there is no such folder")
    if not any(folder.glob("*.whl")):
        raise unusable(folder, "it has no wheels (files that end in .whl)")
    if (kinds := made_for(folder)) and this_kind() not in kinds:
        raise unusable(folder, f"its wheels are for {listed(kinds)}")


def made_for(folder):
    """For which Pythons and systems a folder's wheels are made. Most are for all of them, and say nothing."""
    tags = [file.stem.split("-")[-2:] for file in folder.glob("*.whl")]
    return {kind(abi, system) for abi, system in tags if abi.startswith("cp")}


def this_kind():
    """The same for the Python that we are."""
    free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return kind("cp{}{}".format(*sys.version_info) + free, re.sub("[-.]", "_", sysconfig.get_platform()))


def kind(abi, system):
    """In words: "cp311" and "manylinux_2_17_x86_64" make "Python 3.11 on linux_x86_64"."""
    system = re.sub(r"^(?:many|musl)?([a-z]+?)(?:\d+|_\d+_\d+)?_(\w+)$", r"\1_\2", system.split(".")[-1])
    system = system.replace("universal2", platform.machine())  # for both kinds of Mac, this one among them
    return f"Python {abi[2]}.{abi[3:]} on {system}"


def listed(kinds):
    """What a folder's wheels are for, in words."""
    return ", ".join(sorted(kinds)) or "any Python"


def unusable(folder, reason):
    """The end of it when a folder of wheels is of no use here."""
    return SystemExit("kitchen: " + NO_WHEELS.format(folder, reason, this_kind()))


def named(folder):
    """A folder that the user has named, from where the user is."""
    return Path(os.path.abspath(os.path.expanduser(folder)))


def command_line(command, arguments, root):
    """What a command hands to Python, and the folder it runs in."""
    if command == "test":
        return ["-m", "pytest", *(arguments or AT_ONCE)], root
    if command in ("race", "slides"):
        return ["-m", f"kitchen.{command}", *arguments], Path.cwd()  # files named on the command line are the user's
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # JupyterLab refuses to run as root unless told to
    allow = ["--allow-root"] if is_root and "--allow-root" not in arguments else []
    # The address, not the notebook's path: JupyterLab also prints it, for whoever has no browser here. The user's win.
    return ["-m", "jupyterlab", *allow, f"--LabApp.default_url={START}", *arguments], root


def start(command, env, folder):
    """Runs the command in our place; where a process cannot be replaced, beside us, and returns its exit code."""
    command = [str(part) for part in command]
    if os.name == "posix":  # one process, so that who stops it stops all of it
        os.chdir(folder)
        os.execve(command[0], command, env)
    with subprocess.Popen(command, env=env, cwd=folder) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # Ctrl-C reaches the child as well: it decides when to end


def run(command, env=None, quiet=False):
    """Whether the command is there and went well. What it prints goes to stderr, as what we print does."""
    output = subprocess.DEVNULL if quiet else 2
    try:
        return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode == 0
    except OSError as error:  # a program for another kind of computer, say
        if not quiet:
            say(f"{command[0]}: {error.strerror}")
        return False


def say(text):
    """One line of progress, on stderr: it prints any path on any code page, and stdout belongs to what we start."""
    print("kitchen:", text, file=sys.stderr, flush=True)
