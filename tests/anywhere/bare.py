"""Bare machines: fresh clones, each started as the README says on a computer that lacks something; prints a table.

    .venv/bin/python tests/anywhere/bare.py                       # all cases but the last
    .venv/bin/python tests/anywhere/bare.py "uv" "read-only"      # those whose name has one of these words
    .venv/bin/python tests/anywhere/bare.py --python python3.12   # on another Python than the system's own
    .venv/bin/python tests/anywhere/bare.py --debootstrap         # also in a Debian that is made for it (root; some minutes)

A clone is made by `git clone`, and what is changed here but not committed is copied over it. What lacks ensurepip or pip
is the same Python, in which kitchen is told that they are not there; only `--debootstrap` has one that is bare in truth.
"No network" is a network namespace without any (`unshare`) where that is allowed, else a proxy that nobody listens on.

Needs git, a package index that pip is set up for, and 3 GB of disk in the temporary folder; all cases take some ten
minutes on two cores. The cases that install from the index share pip's cache, so that only the first of them downloads.
Exits with 1 unless all that was tried did as it should; what could not be tried says so.
"""

import argparse
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECK = ["test", "tests/test_simulate.py", "-q"]  # the second command of the README, of which one file is enough here
PATIENCE = 1800  # seconds after which whatever is waited for has failed
LACKING = """
import runpy, sys
for name in {!r}: sys.modules[name] = None
runpy.run_module("kitchen", run_name="__main__", alter_sys=True)
"""
INTACT = """
import sys
from importlib.metadata import distributions
missing = [str(file) for one in distributions() for file in one.files or [] if not file.locate().exists()]
missing = [file for file in missing if not file.endswith(".pyc")]
print(f"{len(missing)} files are missing {missing[:3]}" if missing else f"{sum(1 for _ in distributions())} are whole")
"""


PASSED_ON = "http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL"  # into the Debian that is made


class NotTried(Exception):
    """What this machine cannot show."""


class Bench:
    """Where the cases are tried: a temporary folder with a cache, tools, wheels, and one clone at a time."""

    def __init__(self, folder, python):
        self.folder = folder
        self.python = python
        self.wheels = folder / "wheels, für alle"
        uv = shutil.which("uv")
        kept = [part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part) / "uv").exists()]
        self.path = os.pathsep.join(kept)
        self.with_uv = os.pathsep.join([str(Path(uv).parent) if uv else str(folder / "uv" / "bin"), self.path])
        self.without_network = isolation()

    def environment(self, **changes):
        """The variables for a start: the user's, but as if nothing had been started from an environment."""
        env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "CI")}
        return env | {"PATH": self.path, "PIP_CACHE_DIR": str(self.folder / "cache"), "NO_COLOR": "1"} | changes

    def start(self, clone, *words, lacking=(), uv=False, network=True, python=None, before_exec=None, **changes):
        """A process of `python3 -m kitchen WORDS` in a clone, in a process group of its own."""
        command = [python or self.python, *(["-c", LACKING.format(lacking)] if lacking else ["-m", "kitchen"])]
        env = self.environment(**({"PATH": self.with_uv} if uv else {}), **changes)
        if not network:
            command = [*self.without_network, *command]
            if not self.without_network:
                nowhere = dict.fromkeys(["http_proxy", "https_proxy", "all_proxy"], "http://127.0.0.1:1")
                env |= nowhere | {name.upper(): url for name, url in nowhere.items()}
        return subprocess.Popen(
            [*map(str, command), *map(str, words)],
            cwd=clone,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            preexec_fn=before_exec or default_ctrl_c,
        )

    def kitchen(self, clone, *words, code=0, says=(), **options):
        """One start to its end, which has to have this exit code and say these words. Returns all that it said."""
        with ending(self.start(clone, *words, **options)) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        missing = [word for word in says if word not in said]
        if process.returncode != code or missing or "Traceback" in said:
            print(said[-3000:])
            raise AssertionError(f"exit code {process.returncode}" + (f", did not say {missing}" if missing else ""))
        return said

    @contextmanager
    def clone(self, name="clone"):
        """A fresh clone, for as long as it is needed."""
        clone = self.folder / name
        try:
            yield cloned(clone)
        finally:
            shutil.rmtree(clone, ignore_errors=True)

    def installed(self, clone):
        """How many packages there are in a clone's environment; fails unless they have all their files."""
        told = subprocess.run([clone / ".venv/bin/python", "-c", INTACT], capture_output=True, text=True, check=True)
        assert told.stdout.endswith("are whole\n"), told.stdout

    def need_wheels(self):
        """The folder of wheels, filled by whoever needs it first."""
        if not self.wheels.exists():
            with self.clone() as clone:
                self.need_uv()
                self.kitchen(clone, "wheels", self.wheels, uv=True)
        return self.wheels

    def need_uv(self):
        """A uv, if the machine has none."""
        if not any((Path(part) / "uv").exists() for part in self.with_uv.split(os.pathsep)):
            subprocess.run([sys.executable, "-m", "venv", self.folder / "uv"], check=True)
            subprocess.run([self.folder / "uv/bin/python", "-m", "pip", "install", "--quiet", "uv"], check=True)


# --- the cases, each a function whose docstring is its name ------------------------------------------------------------


def own_pip(bench):
    """its own pip and venv"""
    with bench.clone() as clone:
        bench.kitchen(clone, *CHECK, says=["making .venv", "with pip", "passed"])
        bench.installed(clone)
        bench.kitchen(clone, "lab", "--version")
        if not managed(bench.python):
            return "not marked as externally managed (PEP 668)"
        return "which forbids pip to install (PEP 668)"


def no_ensurepip(bench):
    """no ensurepip, but pip"""
    if subprocess.run([bench.python, "-c", "import pip"], capture_output=True).returncode:
        raise NotTried("this Python has no pip")
    with bench.clone() as clone:
        bench.kitchen(clone, *CHECK, lacking=["ensurepip"], says=["with pip", "passed"])
        bench.installed(clone)


def no_pip(bench):
    """neither ensurepip nor pip: fetches one"""
    with bench.clone() as clone:
        bench.kitchen(clone, *CHECK, lacking=["ensurepip", "pip"], says=["fetching pip", "with pip", "passed"])
        bench.installed(clone)


def no_pip_no_network(bench):
    """neither, and no network: says what helps"""
    with bench.clone() as clone:
        says = ["neither ensurepip nor pip", "sudo apt install python3-venv", "install uv"]
        bench.kitchen(clone, *CHECK, lacking=["ensurepip", "pip"], network=False, code=1, says=says)


def with_uv(bench):
    """uv on the PATH"""
    bench.need_uv()
    with bench.clone() as clone:
        said = bench.kitchen(clone, *CHECK, uv=True, lacking=["ensurepip", "pip"], says=["with uv", "passed"])
        assert "with pip" not in said, "uv could not do it"
        bench.installed(clone)


def fill(bench):
    """filling a folder of wheels"""
    bench.need_uv()
    shutil.rmtree(bench.wheels, ignore_errors=True)
    with bench.clone() as clone:
        bench.kitchen(clone, "lab", "--version", uv=True)
        began = time.monotonic()
        said = bench.kitchen(clone, "wheels", os.path.relpath(bench.wheels, clone), says=["without a network"])
        seconds = time.monotonic() - began
        largest = max(bench.wheels.glob("*.whl"), key=lambda file: file.stat().st_size)
        largest.write_bytes(largest.read_bytes()[:1000])  # as if the stick had been pulled out
        bench.kitchen(clone, "wheels", bench.wheels)
        assert largest.stat().st_size > 1000, "a file that was cut short stayed so"
        others = [file.name for file in bench.wheels.iterdir() if file.suffix != ".whl"]
        assert not others, f"more than wheels in it: {others}"
        return re.search(r"has (\d+ files \(\d+ MB\))", said)[1] + f" in {seconds:.0f} s"


def wheels_alone(bench):
    """wheels, no network, neither ensurepip nor pip"""
    wheels = bench.need_wheels()
    with bench.clone() as clone:
        options = {"lacking": ["ensurepip", "pip"], "network": False, "PIP_INDEX_URL": "http://127.0.0.1:1"}
        bench.kitchen(clone, "--wheels", wheels, *CHECK, **options, says=["with pip", "passed"])
        bench.installed(clone)
        bench.kitchen(clone, "--wheels", wheels, "lab", "--version", network=False)


def wheels_with_uv(bench):
    """wheels, no network, uv, in a path with a space and an umlaut"""
    wheels = bench.need_wheels()
    bench.need_uv()
    with bench.clone("meine küche") as clone:
        said = bench.kitchen(clone, "--wheels", wheels, *CHECK, uv=True, network=False, says=["with uv", "passed"])
        assert "with pip" not in said, "uv could not do it"
        bench.installed(clone)


def useless_wheels(bench):
    """wheels that are of no use: says why"""
    with bench.clone() as clone:
        folder = bench.folder / "other"
        bench.kitchen(clone, "--wheels", folder, *CHECK, code=1, says=[str(folder), "no such folder"])
        folder.mkdir()
        bench.kitchen(clone, "--wheels", folder, *CHECK, code=1, says=["has no wheels", "python3 -m kitchen wheels"])
        (folder / "aiohttp-3.14-cp36-cp36m-win32.whl").touch()
        bench.kitchen(
            clone, "--wheels", folder, *CHECK, code=1, says=["are for Python 3.6m on win32", "This is Python"]
        )
        assert not (clone / ".venv").exists()


def read_only(bench):
    """a read-only clone: says so"""
    with bench.clone() as clone:
        try:
            clone.chmod(0o555)
            says = ["cannot write in", "copy it to one that is"]
            bench.kitchen(clone, *CHECK, code=1, says=says, before_exec=as_anybody)
        finally:
            clone.chmod(0o755)


def broken(bench):
    """a broken .venv, then half-made ones: repairs them"""
    wheels = bench.need_wheels()
    bench.need_uv()
    with bench.clone() as clone:
        options = {"uv": True, "network": False}
        bench.kitchen(clone, "--wheels", wheels, "lab", "--version", **options)
        python = clone / ".venv/bin/python"
        python.unlink()
        python.symlink_to(bench.folder / "gone")
        bench.kitchen(clone, "--wheels", wheels, *CHECK, **options, says=["removing .venv", "passed"])
        [packages] = (clone / ".venv/lib").glob("python*/site-packages")
        for gone in "pip", "aiohttp", "jupyterlab":  # without the folders that say that they are there
            for path in packages.glob(f"{gone}*"):
                shutil.rmtree(path)
        bench.kitchen(clone, "--wheels", wheels, *CHECK, **options, says=["completing .venv", "passed"])
        bench.installed(clone)
        shutil.rmtree(clone / ".venv")
        (clone / ".venv").mkdir()
        bench.kitchen(clone, "--wheels", wheels, *CHECK, **options, says=["removing .venv", "passed"])
        bench.installed(clone)


def interrupted(bench):
    """Ctrl-C while pip installs: goes on next time"""
    wheels = bench.need_wheels()
    with bench.clone() as clone:
        with ending(bench.start(clone, "--wheels", wheels, *CHECK, network=False)) as process:
            said = read_until(process, "Installing collected packages")
            until(lambda: packages_of(clone) >= 20, "twenty packages installed")
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            said += process.communicate(timeout=60)[0]
        assert process.returncode == 130 and "it goes on from here" in said, (process.returncode, said[-1000:])
        there = packages_of(clone)
        bench.kitchen(clone, "--wheels", wheels, *CHECK, network=False, says=["completing .venv", "passed"])
        bench.installed(clone)
        return f"after {there} packages"


def killed(bench):
    """killed while uv installs: goes on next time"""
    wheels = bench.need_wheels()
    bench.need_uv()
    with bench.clone() as clone:
        stopped = []
        for packages in 10, 60, 110:
            with ending(bench.start(clone, "--wheels", wheels, *CHECK, uv=True, network=False)) as process:
                until(lambda n=packages, p=process: packages_of(clone) >= n or p.poll() is not None, "packages")
                os.killpg(process.pid, signal.SIGKILL)
            stopped.append(packages_of(clone))
            shutil.rmtree(clone / ".venv/var/cache/uv", ignore_errors=packages == 10)  # and with nothing to go on from
        said = bench.kitchen(clone, "--wheels", wheels, *CHECK, uv=True, network=False, says=["passed"])
        assert "completing .venv" in said, "it had been over before it was killed"
        bench.installed(clone)
        return f"after {stopped} packages"


def old_python(bench):
    """Python 3.10: says what is needed"""
    candidates = [shutil.which("python3.10"), *Path.home().glob(".pyenv/versions/3.10.*/bin/python")]
    runs = [
        path for path in filter(None, candidates) if not subprocess.run([path, "-V"], capture_output=True).returncode
    ]
    if not runs:
        raise NotTried("no Python 3.10 here")
    with bench.clone() as clone:
        says = ["needs Python 3.11 or newer, and this is Python 3.10", "python.org/downloads"]
        bench.kitchen(clone, *CHECK, python=runs[0], code=1, says=says)


CASES = [
    own_pip,
    no_ensurepip,
    no_pip,
    no_pip_no_network,
    with_uv,
    fill,
    wheels_alone,
    wheels_with_uv,
    useless_wheels,
    read_only,
    broken,
    interrupted,
    killed,
    old_python,
]


def debian(bench):
    """a bare Debian: python3, and neither venv nor pip"""
    debootstrap = shutil.which("debootstrap") or "/usr/sbin/debootstrap"
    if os.geteuid() or not Path(debootstrap).exists():
        raise NotTried("needs root and Debian's package debootstrap")
    system = bench.folder / "debian"
    packages = "--include=python3,ca-certificates"
    subprocess.run(
        [debootstrap, "--variant=minbase", packages, "stable", system], check=True, stdout=subprocess.DEVNULL
    )
    with bench.clone("debian/srv/clone"):
        for name in "resolv.conf", "hosts", "ssl/certs/ca-certificates.crt":  # the network as this machine has it
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name).resolve(), system / "etc" / name)
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/srv", "LANG": "C.UTF-8"}
        env |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        facts = (
            "import sys, importlib.util as u; print(sys.version.split()[0], *map(u.find_spec, ('ensurepip', 'pip')))"
        )
        inside = ["chroot", system, "sh", "-c"]
        told = subprocess.run([*inside, f'python3 -c "{facts}"'], env=env, capture_output=True, text=True, check=True)
        assert told.stdout.endswith("None None\n"), told.stdout
        command = [*inside, f"cd /srv/clone && python3 -m kitchen {' '.join(CHECK)}"]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
        began = time.monotonic()
        with ending(subprocess.Popen(command, env=env, **output)) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        if process.returncode or "fetching pip" not in said or " passed" not in said:
            print(said[-3000:])
            raise AssertionError(f"exit code {process.returncode}")
        return f"Python {told.stdout.split()[0]}, {time.monotonic() - began:.0f} s of it kitchen's"


# --- what they need --------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose name has one of these in it")
    own = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"
    parser.add_argument("--python", default=own, help=f"the Python that starts it; the default is {own}")
    parser.add_argument("--debootstrap", action="store_true", help="also a bare Debian, in a folder")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is running is ended then, too
    python = shutil.which(asked.python)
    if os.name != "posix" or not python:
        raise SystemExit("needs a POSIX system, and a Python to start it with (see --python)")
    cases = CASES + [debian] * asked.debootstrap
    cases = [case for case in cases if not asked.words or any(word in case.__doc__ for word in asked.words)]
    with tempfile.TemporaryDirectory(prefix="kitchen-bare-") as folder:
        bench = Bench(Path(folder).resolve(), python)
        print("no network:", "a namespace without one" if bench.without_network else "a proxy that nobody listens on")
        rows = [tried(case, bench) for case in cases]
    version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    table([f"{version}, and", "result", "seconds", ""], rows)
    sys.exit(any(row[1] == "FAILED" for row in rows))


def tried(case, bench):
    """A row of the table."""
    print(f"{case.__doc__} ...", flush=True)
    began = time.monotonic()
    try:
        result, note = "ok", case(bench) or ""
    except NotTried as reason:
        result, note = "not tried", reason
    except Exception as error:
        traceback.print_exc()
        result, note = "FAILED", str(error)[:200]
    return [case.__doc__, result, f"{time.monotonic() - began:.1f}", note]


def cloned(to):
    """A clone of this folder, with what is changed in it but not committed."""
    subprocess.run(["git", "clone", "--quiet", ROOT, to], check=True)
    listed = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    changed = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, changed):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # removed here
            shutil.copy(ROOT / name, to / name)
    return to


def isolation():
    """What to put before a command that is to have no network; nothing, if that is not allowed here."""
    for command in ["unshare", "--net"], ["unshare", "--map-root-user", "--net"]:
        if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
            return command
    return []


def managed(python):
    """Whether this Python's maker forbids pip to install into it."""
    told = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    folder = subprocess.run([python, "-c", told], capture_output=True, text=True, check=True).stdout.strip()
    return (Path(folder) / "EXTERNALLY-MANAGED").exists()


def packages_of(clone):
    return len(list((clone / ".venv").glob("lib/python*/site-packages/*.dist-info")))


def default_ctrl_c():
    """In the child: a shell lets what it starts in the background ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def as_anybody():
    """In a child of root's: from then on the rights of files count for it. Linux only."""
    drop_from_bounding_set, override_rights = 24, 1
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop_from_bounding_set, override_rights, 0, 0, 0):
        raise OSError("root could not give up its right to write everywhere")


@contextmanager
def ending(process):
    """A process whose group is gone afterwards."""
    try:
        with process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.wait()


def read_until(process, word):
    """What the process says until it says this word; one that says nothing for too long is ended."""
    said = ""
    timer = threading.Timer(PATIENCE, os.killpg, [process.pid, signal.SIGKILL])
    timer.start()
    try:
        for line in process.stdout:
            said += line
            if word in line:
                return said
    finally:
        timer.cancel()
    raise AssertionError(f"ended before {word!r}: {said[-1000:]}")


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not in {PATIENCE} s: {what}"
        time.sleep(0.001)


def table(headings, rows):
    """Prints a table."""
    rows = [headings, *rows]
    widths = [max(len(str(value)) for value in column) for column in zip(*rows, strict=True)]
    print()
    for name, result, seconds, note in rows:
        print(name.ljust(widths[0]), result.ljust(widths[1]), seconds.rjust(widths[2]), note, sep="   ")


if __name__ == "__main__":
    main()
