"""Bare machines: fresh clones, each started as the README says on a computer that lacks something; prints a table.

    .venv/bin/python tests/scripts/bare.py                       # all cases but the last
    .venv/bin/python tests/scripts/bare.py "uv" "network"       # those whose name has one of these words
    .venv/bin/python tests/scripts/bare.py --python python3.12   # on another Python than the system's own
    .venv/bin/python tests/scripts/bare.py --debootstrap         # also in a Debian that is made for it (root; some minutes)

What needs no real packages (half-made environments, Ctrl-C, folders that cannot be written, too old a Python) is in
`tests/commands/`. A Python without pip is an environment of the same Python without it; one without ensurepip finds a
module of that name that cannot be imported. "No network" is a network namespace without any, which `unshare` makes.

Needs a package index that pip is set up for, and 2 GB of disk in the temporary folder. The cases share pip's cache, so
that only the first of them downloads. Exits with 1 unless all that was tried did as it should; what could not be tried
says so.
"""

import argparse
import os
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

from tables import table
from versions import copied

PATIENCE = 1800  # seconds after which whatever is waited for has failed
PASSED_ON = "http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL"  # into the Debian that is made


class NotTried(Exception):
    """What this machine cannot show."""


class Bench:
    """Where the cases are tried: a temporary folder with a cache, tools, wheels, and one clone at a time."""

    def __init__(self, folder, python):
        self.folder, self.python, self.wheels = folder, python, folder / "wheels, für alle"
        self.bare, self.lacking = folder / "bare" / "bin" / "python", folder / "lacking"
        subprocess.run([python, "-m", "venv", "--without-pip", folder / "bare"], check=True)
        self.lacking.mkdir()
        (self.lacking / "ensurepip.py").write_text("raise ImportError('not in this Python')")
        kept = [part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part) / "uv").exists()]
        self.path = os.pathsep.join(kept)

    def start(self, clone, *words, python=None, path=(), uv=False, network=True, **changes):
        """A process of `python3 -m kitchen WORDS` in a clone, in a process group of its own; `path` is its PYTHONPATH."""
        env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CI")}
        env |= {"PATH": self.path, "PYTHONPATH": os.pathsep.join(map(str, path)), "NO_COLOR": "1"}
        env |= {"PIP_CACHE_DIR": str(self.folder / "cache")} | changes
        if uv:
            env["PATH"] = os.pathsep.join([str(self.need_uv()), self.path])
        command = [python or self.python, "-m", "kitchen", *words]
        if not network:
            command = [*isolation(), *command]
        return subprocess.Popen(
            [*map(str, command)],
            cwd=clone,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
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
            yield copied(clone)
        finally:
            shutil.rmtree(clone, ignore_errors=True)

    def first_start(self, *, installer="pip", name="clone", says=(), **options):
        """The README's first command in a fresh clone, and the second start."""
        with self.clone(name) as clone:
            self.kitchen(clone, "lab", "--version", says=[f"with {installer}", *says], **options)
            assert "installing" not in self.kitchen(clone, "lab", "--version", **options)

    def need_uv(self):
        """The folder of a uv; one is installed if the machine has none."""
        folder = self.folder / "uv" / "bin"
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", self.folder / "uv"], check=True)
            subprocess.run([folder / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
            for name in "python", "python3":
                (folder / name).unlink()  # whoever has this on the PATH wants uv
        return folder


# --- the cases, each a function whose docstring is its name ------------------------------------------------------------


def own_pip(bench):
    """its own pip and venv"""
    told = subprocess.run([bench.python, "-m", "pip", "--version"], capture_output=True, text=True)
    if told.returncode:
        raise NotTried("this Python has no pip")
    bench.first_start()
    return " ".join(told.stdout.split()[:2])


def the_tests(bench):
    """the second command, of one file"""
    with bench.clone() as clone:
        bench.kitchen(clone, "test", "tests/grid/test_simulate.py", "-q", says=["tests/requirements.txt", " passed"])


def no_ensurepip(bench):
    """pip, but no ensurepip"""
    bench.first_start(path=[bench.lacking])


def no_pip(bench):
    """ensurepip, but no pip"""
    bench.first_start(python=bench.bare)


def neither(bench):
    """neither: fetches one"""
    bench.first_start(python=bench.bare, path=[bench.lacking], says=["fetching pip"])


def neither_nor_network(bench):
    """neither, and no network: says what helps"""
    with bench.clone() as clone:
        says = ["neither pip nor ensurepip", "sudo apt install python3-venv", "install uv"]
        bench.kitchen(clone, python=bench.bare, path=[bench.lacking], network=False, code=1, says=says)


def with_uv(bench):
    """uv on the PATH"""
    bench.first_start(uv=True, installer="uv")


def wheels(bench):
    """a folder of wheels, no network, in a path with a space and an umlaut"""
    with bench.clone() as clone:
        bench.kitchen(clone, "lab", "--version")
        words = ["-r", "requirements.txt", "-c", "binder/lock.txt", "-w", bench.wheels]
        env = os.environ | {"PIP_CACHE_DIR": str(bench.folder / "cache")}
        subprocess.run(
            [clone / ".venv/bin/python", "-m", "pip", "wheel", "--quiet", *words], cwd=clone, env=env, check=True
        )
    size = sum(file.stat().st_size for file in bench.wheels.iterdir()) / 1e6
    bench.first_start(name="meine küche", network=False, **from_wheels(bench))
    return f"from {size:.0f} MB"


def wheels_alone(bench):
    """the same, and neither pip nor ensurepip"""
    if not bench.wheels.exists():
        wheels(bench)
    [pip] = bench.wheels.glob("pip-*.whl")
    bench.first_start(python=bench.bare, path=[bench.lacking, pip], network=False, **from_wheels(bench))


CASES = [
    own_pip,
    the_tests,
    no_ensurepip,
    no_pip,
    neither,
    neither_nor_network,
    with_uv,
    wheels,
    wheels_alone,
]


def debian(bench):
    """a Debian with nothing but python3"""
    debootstrap = shutil.which("debootstrap") or "/usr/sbin/debootstrap"
    if os.geteuid() or not Path(debootstrap).exists():
        raise NotTried("needs root and Debian's package debootstrap")
    system = bench.folder / "debian"
    options = ["--variant=minbase", "--include=python3,ca-certificates"]
    subprocess.run([debootstrap, *options, "stable", system], check=True, stdout=subprocess.DEVNULL)
    with bench.clone("debian/srv/clone"):
        for name in "resolv.conf", "hosts", "ssl/certs/ca-certificates.crt":  # the network as this machine has it
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name).resolve(), system / "etc" / name)
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/srv", "LANG": "C.UTF-8"}
        env |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        facts = (
            "import sys, importlib.util as u; print(sys.version.split()[0], *map(u.find_spec, ['ensurepip', 'pip']))"
        )
        inside = ["chroot", system, "sh", "-c"]
        told = subprocess.run([*inside, f'python3 -c "{facts}"'], env=env, capture_output=True, text=True, check=True)
        assert told.stdout.endswith("None None\n"), told.stdout
        command = [*inside, "cd /srv/clone && python3 -m kitchen lab --version"]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
        began = time.monotonic()
        with ending(subprocess.Popen(command, env=env, **output)) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        if process.returncode or "fetching pip" not in said:
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


def isolation():
    """What to put before a command that is to have no network."""
    for command in ["unshare", "--net"], ["unshare", "--map-root-user", "--net"]:
        if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
            return command
    raise NotTried("no network namespace can be made here")


def from_wheels(bench):
    """As INSTRUCTORS.md has it. An address, since pip splits this variable at spaces."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": bench.wheels.as_uri()}


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


if __name__ == "__main__":
    main()
