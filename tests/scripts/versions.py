"""Runs the tests on every Python that there is, with the newest packages, the locked and the oldest; prints a table.

    .venv/bin/python tests/scripts/versions.py                    # 3.11, 3.12, 3.13, 3.14 and 3.15
    .venv/bin/python tests/scripts/versions.py --lowest 3.11      # with the lower bounds of requirements.txt
    .venv/bin/python tests/scripts/versions.py --quick 3.14t /opt/python3.12/bin/python3

A version is looked for as a command and among those of pyenv; what is not here, uv gets, for as long as this takes. Each run
has a copy of this folder and an environment of its own, both in a temporary folder, and is started there as a reader would:
by `python3 -m kitchen test`. What installs is a uv in another temporary environment, so this needs the package index that
pip is set up for. A run takes some fifteen minutes on two cores and 1.5 GB of disk; with `--quick`, which leaves out
browsers, kernels and notebooks, it is mostly installing. Exits with 1 unless all tests of all runs pass.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from xml.etree import ElementTree

from tables import table

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")
PICKS = {  # which versions of the packages, and how uv is told
    "newest": {},
    "locked": {"UV_CONSTRAINT": "binder/lock.txt"},
    # Only what comes ready to use: where an old release has nothing for a new Python, the next that has.
    "lowest": {"UV_RESOLUTION": "lowest-direct", "UV_NO_BUILD": "1"},
}
VERSIONS = """
import sys
from importlib.metadata import version
print(*(f"{name} {version(name)}" for name in sys.argv[1:]), sep=", ")
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="*", help=f"versions or paths; the default is {', '.join(PYTHONS)}")
    parser.add_argument("--quick", action="store_true", help="without browser tests, benchmarks and notebooks")
    picks = parser.add_mutually_exclusive_group()
    picks.add_argument(
        "--lowest", dest="pick", action="store_const", const="lowest", help="the oldest versions allowed"
    )
    picks.add_argument("--locked", dest="pick", action="store_const", const="locked", help="those of binder/lock.txt")
    parser.add_argument("--pytest", default="", metavar="WORDS", help="more words for pytest, such as 'notebooks'")
    asked = parser.parse_args()
    words = (["--quick"] if asked.quick else []) + asked.pytest.split()
    # A shell lets what it starts in the background ignore Ctrl-C, and the tests that interrupt something would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is running is ended then, too
    with tempfile.TemporaryDirectory(prefix="versions-") as name:
        folder = Path(name)
        scripts = with_uv(folder / "uv")
        pythons = {wanted: found(wanted, scripts, folder / "pythons") for wanted in asked.pythons or PYTHONS}
        absent = [wanted for wanted, python in pythons.items() if python is None]
        for wanted in absent:
            print(f"{wanted}: there is none here, and uv could not get it, so it was not tried")
        if len(absent) == len(pythons) or (asked.pythons and absent):
            raise SystemExit("name Pythons that are here")
        rows = list(runs(folder, scripts, filter(None, pythons.values()), asked.pick or "newest", words))
    table(["Python", "packages", "passed", "failed", "skipped", "seconds"], rows)
    sys.exit(any(row[3] != 0 for row in rows))


def with_uv(folder):
    """Where the commands of an environment are that has a uv."""
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
    return scripts


def found(name, scripts, folder):
    """The path of a Python: a command, one of pyenv's, or one that uv gets into this folder; None if there is none."""
    if os.sep in name:
        return name if version(name) else None
    name = name.removeprefix("python")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for path in [shutil.which(f"python{name}"), *sorted(pyenv.glob(f"{name}*/bin/python{name}"), reverse=True)]:
        if path and version(path):
            return str(path)
    got = [scripts / "uv", "python", "install", "--no-bin", "--quiet", "--install-dir", folder, name]
    if subprocess.run(got, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        return None
    return (
        str(next(folder.glob(f"*/bin/python{name}"), None) or next(folder.glob(f"*-{name}.*/python.exe"), "")) or None
    )


def version(python):
    """Which version this is; nothing if it does not run."""
    told = subprocess.run(
        [python, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True
    )
    return told.stdout.strip() if not told.returncode else ""


def runs(folder, scripts, pythons, pick, words):
    """Does them one after the other, and gives a row of the table for each."""
    for python in pythons:
        clone = copied(folder / "clone")
        env = os.environ | PICKS[pick] | {"UV_CACHE_DIR": str(folder / "cache")}
        env |= {"PATH": os.pathsep.join([str(scripts), env["PATH"]])}
        env.pop("PYTHONPATH", None)
        began = time.monotonic()
        print(f"\n{version(python)}, {pick} packages ...", flush=True)
        seen = tested(clone, python, env, words)
        yield [version(python), pick, *seen, round(time.monotonic() - began)]
        shutil.rmtree(clone)


def copied(to):
    """A copy of this folder without what grew in it."""
    return Path(shutil.copytree(ROOT, to, ignore=NOT_COPIED))


def tested(clone, python, env, words):
    """Runs the tests of a clone, tells what went wrong, and returns how many passed, failed and were skipped."""
    log, results = clone / "log.txt", clone / "results.xml"
    command = [python, "-m", "kitchen", "test", f"--junit-xml={results}", "--tb=short", "-rfEs", *words]
    code = run(command, log, cwd=clone, env=env)
    said = log.read_text(encoding="utf-8", errors="replace")
    if not results.exists():
        print(said[-5000:])
        return "-", f"exit code {code}", "-"
    if "going on with pip" in said:
        print(said[:5000])
        return "-", "uv could not install", "-"
    print(installed(clone, env))
    suite = ElementTree.parse(results).getroot().find("testsuite").attrib
    failed = int(suite["failures"]) + int(suite["errors"])
    if code and not failed:  # such as 5: there was no test
        print(said[-5000:])
        return "-", f"exit code {code}", "-"
    print(failures_of(said) if failed else "\n".join(re.findall("^SKIPPED.*", said, re.MULTILINE)), flush=True)
    return int(suite["tests"]) - failed - int(suite["skipped"]), failed, int(suite["skipped"])


def failures_of(said):
    """What pytest said of failures; of a long line (a picture, as text) only the beginning."""
    began = re.search("^=+ (FAILURES|ERRORS) =+$", said, re.MULTILINE)
    return "\n".join(line[:200] for line in said[began.start() if began else 0 :].splitlines())


def installed(clone, env):
    """Which versions of the requirements the clone's environment has, in a line."""
    names = re.findall(r"^[\w-]+", (clone / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    python = clone / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return subprocess.run([python, "-c", VERSIONS, *names], env=env, capture_output=True, text=True).stdout.strip()


def run(command, log, **options):
    """Runs a command with its output in a file, and returns its exit code; if we are stopped, so is it, and kindly."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options
        )
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)  # pytest ends what it started
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise


if __name__ == "__main__":
    main()
