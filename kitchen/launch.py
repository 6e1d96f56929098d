"""``python3 -m kitchen``: makes sure that the environment stands, then starts in it what was asked for.

It runs on a bare Python, so it imports the standard library only. Whatever it or what it starts writes stays in the
clone: the environment is ``.venv``, and caches, settings and run-time files live in ``.venv/var``.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

START = "/lab/tree/notebooks/00-start-here.ipynb"
HELP = """\
commands:
  lab    open the notebooks in JupyterLab (this is the default); arguments go to JupyterLab
  test   run all tests, the notebooks included; arguments go to pytest
  race   race the three ways to fetch, in the terminal; see race --help

The first start makes .venv in this folder and installs requirements.txt there, with uv if there is uv, else with pip.
Nothing is written outside this folder; to undo it all, delete .venv.

examples:
  python3 -m kitchen
  python3 -m kitchen lab --no-browser --port 9999
  python3 -m kitchen test -k simulate
"""
NO_PIP = """\
this Python ({}) has neither ensurepip nor pip, so nothing can be installed. One of these helps:
  on Debian or Ubuntu:  sudo apt install python3-venv
  anywhere:             install uv, see https://docs.astral.sh/uv/
Then run the same command again."""
UNWRITABLE = """\
cannot write in {}: {}
If this folder is not yours to write in, copy it to one that is (in your home folder, say) and run the command there."""
FAILED = """\
pip could not install requirements.txt; its own words are above.
Check the connection (or the proxy) and run the same command again: it goes on where it stopped."""


class Environment:
    """The clone's .venv: it stands when it runs and its stamp, written last, fits requirements, Python and place."""

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
        """What the stamp has to say for the environment to stand."""
        requirements = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        version = "{}.{}".format(*sys.version_info) + getattr(sys, "abiflags", "")
        return f"{requirements}\n{version}\n{self.root!a}\n"

    def stands(self):
        """Whether there is nothing to do."""
        try:
            stamped = self.stamp.read_text(encoding="ascii") == self.wanted_stamp()
        except (OSError, UnicodeDecodeError):
            return False
        return stamped and self.runs()

    def runs(self):
        """Whether its Python starts, and is of the version we are."""
        question = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        try:
            return run([self.python, "-I", "-S", "-c", question], quiet=True)
        except OSError:
            return False

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
        }.items():
            env.setdefault(name, str(self.var / folder))
        return env

    def prepare(self):
        """Makes, completes or repairs it, unless it stands."""
        try:
            if not self.stands():
                self.stamp.unlink(missing_ok=True)  # from here until the new stamp, it does not stand
                self.make()
                self.install()
                self.finish()
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

    def install(self):
        """The requirements, installed with uv if there is one and it works, else with pip."""
        temporary = self.var / "cache" / "tmp"  # if the installer is killed, what it leaves behind is here
        temporary.mkdir(parents=True, exist_ok=True)
        env = self.variables() | dict.fromkeys(["TMPDIR", "TEMP", "TMP"], str(temporary))
        if not (
            Path.home() / ".rustup"
        ).exists():  # pip asks for Rust's version, and then rustup would make that folder
            env.setdefault("RUSTUP_HOME", str(temporary))
        if uv := shutil.which("uv"):
            say("installing requirements.txt with uv ...")
            if run([uv, "pip", "install", "--python", self.python, "-r", self.requirements], env):
                return
            say("uv could not do it (see above); going on with pip.")
        pip = self.find_pip(env)
        say("installing requirements.txt with pip ...")
        if not run([*pip, "install", "-r", self.requirements], env):
            raise SystemExit("kitchen: " + FAILED)

    def find_pip(self, env):
        """The pip that installs into .venv: its own, or (Debian without python3-venv) that of the Python we are."""
        ensure = [self.python, "-m", "ensurepip", "--default-pip"]
        if importlib.util.find_spec("ensurepip") and run(ensure, env, quiet=True):
            return [self.python, "-m", "pip"]
        if importlib.util.find_spec("pip"):
            return [sys.executable, "-m", "pip", "--python", self.python]
        raise SystemExit("kitchen: " + NO_PIP.format(sys.executable))

    def finish(self):
        """What is left when all is installed: kitchen findable, JupyterLab quiet, disk space given back, the stamp."""
        # An import line, not a plain path: it is ASCII whatever the path is, and Pythons differ in how they decode.
        path_file = f"import sys; sys.path.append({str(self.root)!a})\n"
        (self.path("purelib") / "kitchen-clone.pth").write_text(path_file, encoding="ascii")
        self.configure_jupyter()
        shutil.rmtree(self.var / "cache", ignore_errors=True)
        (self.var / "tmp").mkdir(parents=True, exist_ok=True)  # pytest wants it to be there
        unfinished = self.stamp.with_suffix(".new")
        unfinished.write_text(self.wanted_stamp(), encoding="ascii")
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
    parser.add_argument("command", nargs="?", default="lab", choices=["lab", "test", "race"], help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to what the command starts")
    asked = parser.parse_args(argv)
    environment = Environment(Path(__file__).resolve().parent.parent)
    try:
        environment.prepare()
    except KeyboardInterrupt:
        say("stopped. Run the same command again: it goes on from here.")
        return 130
    arguments, folder = command_line(asked.command, asked.arguments, environment.root)
    if asked.command == "lab":
        say("opening JupyterLab; stop it with Ctrl-C.")
    return start([environment.python, *arguments], environment.variables(), folder)


def command_line(command, arguments, root):
    """What a command hands to Python, and the folder it runs in."""
    if command == "test":
        return ["-m", "pytest", *arguments], root
    if command == "race":
        return ["-m", "kitchen.race", *arguments], Path.cwd()  # files named on the command line are the user's
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
    """Whether the command went well. What it prints goes to stderr, as what we print does."""
    output = subprocess.DEVNULL if quiet else 2
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode == 0


def say(text):
    """One line of progress, on stderr: it prints any path on any code page, and stdout belongs to what we start."""
    print("kitchen:", text, file=sys.stderr, flush=True)
