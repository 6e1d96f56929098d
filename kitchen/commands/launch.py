"""``python3 -m kitchen``: the command line. Prepares ``.venv``, then starts in it what was asked for.

This runs on a bare Python, so it imports the standard library only.
"""

import argparse
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kitchen.commands.environment import Environment, say

ROOT = Path(__file__).resolve().parents[2]
START = "/lab/tree/notebooks/00-start-here.ipynb"
HELP = """\
commands:
  lab    open the notebooks in JupyterLab (this is the default); the arguments go to JupyterLab
  test   run the tests, the notebooks included; the arguments go to pytest
           --quick  without browser, kernels and notebooks    --all  also benchmarks and measurements
  race   race the three ways to fetch, in the terminal; see race --help
  book   make the notebooks into a web site, in the folder book or the one named; see book --help
  attach PID   draw what the tasks of a running program wait for, from outside (Python 3.14 or newer)

The first start makes .venv in this folder and installs requirements.txt there, with uv if you have it, else with pip.
The first test also installs tests/requirements.txt, the first book what only it needs. Nothing is written outside this
folder. To undo it all, delete .venv.

examples:
  python3 -m kitchen
  python3 -m kitchen lab --no-browser --port 9999
  python3 -m kitchen test --quick
  python3 -m kitchen test -k simulate
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command line: prepares the environment, starts the command in it, and returns its exit code."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python3 -m kitchen", epilog=HELP, formatter_class=raw)
    parser.add_argument("command", nargs="?", default="lab", choices=COMMANDS, help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed to what the command starts")
    asked = parser.parse_args(argv)
    if not (ROOT / "requirements.txt").exists():
        parser.exit(
            1, f"kitchen: {ROOT} has the library alone, and no notebooks. Run this in a clone of the project.\n"
        )
    environment = Environment(ROOT)
    try:
        environment.prepare("requirements.txt", *ALSO.get(asked.command, ()))
    except KeyboardInterrupt:
        say("stopped. Run the same command again: it goes on from here.")
        return 130
    words, folder = COMMANDS[asked.command](asked.arguments)
    return start([str(environment.python), *words], environment.variables(), folder)


def lab(arguments: list[str]) -> tuple[list[str], Path]:
    """What Python is given to open the notebooks, and the folder in which it runs."""
    say("opening JupyterLab. Ctrl-C stops it.")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # JupyterLab refuses to run as root unless told to
    allow = ["--allow-root"] if is_root and "--allow-root" not in arguments else []
    # The address, not the notebook's path: JupyterLab also prints it, for whoever has no browser here. The user's win.
    return ["-m", "jupyterlab", *allow, f"--LabApp.default_url={START}", *arguments], ROOT


def test(arguments: list[str]) -> tuple[list[str], Path]:
    """The same for the tests."""
    return ["-m", "kitchen.commands.lanes", *arguments], ROOT


def race(arguments: list[str]) -> tuple[list[str], Path]:
    """The same for the race. Files named on its command line are the user's, so it runs where the user is."""
    return ["-m", "kitchen.commands.race", *arguments], Path.cwd()


def book(arguments: list[str]) -> tuple[list[str], Path]:
    """The same for the book. The folder named on its command line is the user's, too."""
    return ["-m", "kitchen.commands.book", *arguments], Path.cwd()


def attach(arguments: list[str]) -> tuple[list[str], Path]:
    """The same for looking at a running program."""
    return ["-m", "kitchen.commands.attach", *arguments], Path.cwd()


COMMANDS = {"lab": lab, "test": test, "race": race, "book": book, "attach": attach}
BOOK = "kitchen/commands/book/requirements.txt"
ALSO = {"test": ("tests/requirements.txt", BOOK), "book": (BOOK,)}  # what a command needs that a reader does not


def start(command: list[str], env: dict[str, str], folder: Path) -> int:
    """Runs the command in our place; where a process cannot be replaced, beside us, and returns its exit code."""
    if os.name == "posix":  # one process, so that who stops it stops all of it
        os.chdir(folder)
        os.execve(command[0], command, env)
    with subprocess.Popen(command, env=env, cwd=folder) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # Ctrl-C reaches the child as well: it decides when to end
