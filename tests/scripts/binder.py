"""Does as Binder does, and measures what is left of its 2 GB and one CPU; prints a table.

    .venv/bin/python tests/scripts/binder.py [PYTHON]

It installs what repo2docker's image begins with, then takes the steps of the image's Dockerfile, in a clean environment
and a copy of this folder, both temporary. Then, on one CPU, a JupyterLab runs the race of 100 URLs in its terminal's
place, and every notebook by all cells at once, each in a kernel of its own. PYTHON is the one to do it with; else it is
that of binder/runtime.txt if there is one on the PATH, else the one that runs this.

Memory is what the server and all that it started have together, with shared pages counted once (PSS), looked at five
times a second. Where control groups can be made (mostly by root), the memory of them is limited to 2 GB, and `--quota`
gives them one CPU as Binder does: a share of the time of all CPUs, which a program that counts CPUs does not see. With
`--keep` no kernel is ended, as when a reader only closes the tabs, and they may have all 2 GB.

Needs Linux and the package index that pip is set up for, 2 GB of disk, and some eight minutes. Exits with 1 if a step or a
notebook fails, or if more than 1.5 GB were in use at any time.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request, urlopen

import aiohttp
from tables import table
from versions import copied, found, version

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 2 * 2**30  # bytes: Binder's
ROOM = 1.5 * 2**30  # bytes that may be in use: our own limit
STARTS = 60  # seconds within which JupyterLab has to answer
ENDS = 300  # seconds that a notebook may take
BASE = (
    "jupyterhub",
    "jupyterlab",
    "jupyter_server",
    "notebook",
    "jupyter-resource-usage",
    "ipykernel",
    "ipywidgets",
    "pip",
)
OPTIONS = ["--no-browser", "--ip=127.0.0.1", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="?", help="the Python to do it with")
    parser.add_argument("--quota", action="store_true", help="one CPU's time on any CPU, instead of one CPU")
    parser.add_argument("--keep", action="store_true", help="leave every notebook's kernel running")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is running is ended then, too
    if not sys.platform.startswith("linux"):
        raise SystemExit("Binder is a Linux, and so is this: it reads /proc")
    wanted = (ROOT / "binder" / "runtime.txt").read_text().strip().replace("-", "")
    python = asked.python or [*found([wanted])[0], sys.executable][0]
    print(f"Python {version(python)}; binder/runtime.txt asks for {wanted}")
    with tempfile.TemporaryDirectory(prefix="kitchen-binder-") as folder, limited(asked.quota) as limits:
        clone = copied(Path(folder) / "clone")
        env = installed(clone, Path(folder), python)
        problems = measured(clone, env, limits, asked.keep)
    sys.exit(bool(problems))


# --- the steps of the Dockerfile -------------------------------------------------------------------------------------


def installed(clone, folder, python):
    """Makes the environment in which everything runs, and returns its variables."""
    place = folder / "environment"
    subprocess.run([python, "-m", "venv", place], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "VIRTUAL"))}
    path = os.pathsep.join([str(place / "bin"), kept["PATH"]])
    env = kept | {"PATH": path, "HOME": str(clone), "PIP_NO_CACHE_DIR": "1"}  # on Binder, home is the clone
    target = folder / "repo2docker"
    step(["pip", "install", "--quiet", "--target", target, "jupyter-repo2docker"], env, clone)
    base = [f"{name}=={found}" for name in BASE if (found := of_image(target, python, name))]
    step(["python", "-m", "pip", "install", "--quiet", *base], env, clone)
    began = time.monotonic()
    step(["pip", "install", "--quiet", "--no-cache-dir", "-r", "binder/requirements.txt"], env, clone)
    step(["./binder/postBuild"], env, clone)
    print(
        f"installed in {time.monotonic() - began:.0f} s: {size(place) / 2**20:.0f} MB, with what the image begins with"
    )
    step(["pip", "check"], env, clone)
    return env


def of_image(repo2docker, python, name):
    """The version of a package that is in repo2docker's image before any of our steps; None if it is not there."""
    minor = ".".join(version(python).split(".")[:2])
    file = repo2docker / "repo2docker" / "buildpacks" / "conda" / f"environment.py-{minor}-linux-64.lock"
    alias = {"jupyterhub": "jupyterhub-base"}.get(name, name)
    found = re.search(rf"/{re.escape(alias)}-([0-9.]+)-[^/]*$", file.read_text(), re.MULTILINE)
    return found and found.group(1)


def step(command, env, folder):
    """One step, in the clone; what it says is shown when it fails."""
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-5000:]}")


def size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*"))


# --- the limits ------------------------------------------------------------------------------------------------------


@contextmanager
def limited(quota):
    """A function for a new process to call: it and all that it starts then have Binder's limits, as far as may be."""
    groups, cpu = [], min(os.sched_getaffinity(0))
    with suppress(OSError):
        groups.append(group("memory", {"memory.limit_in_bytes": LIMIT}, {"memory.max": LIMIT}))
    if quota:
        try:
            groups.append(
                group("cpu", {"cpu.cfs_period_us": 100_000, "cpu.cfs_quota_us": 100_000}, {"cpu.max": "100000 100000"})
            )
        except OSError as error:
            raise SystemExit(f"no control group could be made for the quota: {error}") from None
    print(f"memory {'limited to 2 GB' if len(groups) > quota else 'not limited, only looked at'}, ", end="")
    print("one CPU's time of all CPUs" if quota else "one CPU")

    def enter():
        if not quota:
            os.sched_setaffinity(0, {cpu})
        for folder in groups:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    try:
        yield enter
    finally:
        for folder in groups:
            deadline = time.monotonic() + 10  # a process that has just ended may still be in it
            while folder.exists() and time.monotonic() < deadline:
                with suppress(OSError):
                    folder.rmdir()


def group(controller, first, second):
    """Makes a control group with these settings, of whichever version is there. Raises OSError when none can be made."""
    root = Path("/sys/fs/cgroup")
    old = (root / controller).is_dir()
    folder = (root / controller if old else root) / f"kitchen-{controller}-{os.getpid()}"
    folder.mkdir()
    try:
        for name, value in (first if old else second).items():
            (folder / name).write_text(str(value))
    except OSError:
        folder.rmdir()
        raise
    return folder


class Memory:
    """A thread that looks at what some processes and their descendants have in memory, in bytes."""

    def __init__(self, process):
        self.processes, self.peak, self.over = [process], 0, threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.over.wait(0.2):
            self.peak = max(self.peak, self.now())

    def now(self):
        return sum(map(pss, [one for root in self.processes for one in [root, *descendants(root)]]))

    def since(self):
        """The most since this was last asked."""
        peak, self.peak = max(self.peak, self.now()), 0
        return peak

    def close(self):
        self.over.set()
        self.thread.join()


def descendants(process):
    children = []
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                children += [int(child), *descendants(int(child))]
    return children


def pss(process):
    """The memory of a process, its part of what is shared included; 0 when it has just ended."""
    with suppress(OSError, AttributeError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        return 1024 * int(re.search(r"^Pss: *(\d+) kB", rollup, re.MULTILINE).group(1))
    return 0


# --- what is measured ------------------------------------------------------------------------------------------------


def measured(clone, env, limits, keep=False):
    """Runs everything, prints the table, and returns what did not hold."""
    log = clone / "lab.log"
    with log.open("wb") as output:
        command = [
            "jupyter-lab",
            *OPTIONS,
            f"--ServerApp.root_dir={clone}",
            *(["--allow-root"] if os.geteuid() == 0 else []),
        ]
        server = subprocess.Popen(
            command,
            cwd=clone,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=limits,
            start_new_session=True,
        )
    memory, rows, problems = Memory(server.pid), [], []

    def row(what, began, failed, left=0):
        peak = memory.since()
        rows.append([what, f"{time.monotonic() - began:.0f}", mb(peak), mb(left), "" if failed is None else failed])
        if failed or peak > (LIMIT if keep else ROOM):
            problems.append(f"{what}: {failed or 'too much memory'}")
        print(*rows[-1], sep="   ", flush=True)

    try:
        began = time.monotonic()
        url = address(server, clone, log)
        row("JupyterLab starts", began, None, memory.now())
        began = time.monotonic()
        race = raced(clone, env, limits, memory)
        row("race, 100 URLs", began, race)
        for notebook in sorted(clone.glob("notebooks/*.ipynb")):
            began, before = time.monotonic(), memory.now()
            failed, left = asyncio.run(run_all(url, f"notebooks/{notebook.name}", memory, keep))
            row(notebook.stem, began, failed, left - before)
    finally:
        memory.close()
        end(server)
    table(
        ["on Binder's limits", "seconds", "peak MB", "left MB", "failed"],
        [[*row[:4], row[4].partition(":")[0]] for row in rows],
    )
    print(*problems, sep="\n")
    return problems


def mb(size):
    return f"{size / 2**20:.0f}"


def address(server, clone, log):
    """The server's address, once it answers."""
    deadline = time.monotonic() + STARTS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError, ValueError, IndexError):
            [file] = (clone / ".local" / "share" / "jupyter" / "runtime").glob("jpserver-*.json")
            url = json.loads(file.read_text())["url"]
            with urlopen(url + "api/status", timeout=5):
                return url
        time.sleep(0.1)
    raise SystemExit(f"JupyterLab did not start. It said:\n{log.read_text(errors='replace')[-5000:]}")


def raced(clone, env, limits, memory):
    """The race as a reader would start it in JupyterLab's terminal: None, or what went wrong."""
    command = ["python", "-m", "kitchen.commands.race", "--out", str(clone / "race.png")]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    race = subprocess.Popen(command, cwd=clone, env=env, preexec_fn=limits, **options)
    memory.processes.append(race.pid)
    try:
        said, _ = race.communicate(timeout=ENDS)
    except subprocess.TimeoutExpired:
        return f"not within {ENDS} s"
    finally:
        race.kill()
        race.wait()
        memory.processes.remove(race.pid)
    if race.returncode:
        print(said)
    return f"exit code {race.returncode}" if race.returncode else None


async def run_all(url, path, memory, keep):
    """Runs a notebook by all its cells at once: what failed, and the memory before its kernel ends, unless it may stay."""
    session = ask(
        url, "POST", "api/sessions", {"path": path, "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    )
    kernel = session["kernel"]["id"]
    try:
        content = ask(url, "GET", f"api/contents/{path}")["content"]
        cells = {uuid.uuid4().hex: cell for cell in content["cells"] if cell["cell_type"] == "code"}
        channels = f"ws{url.removeprefix('http')}api/kernels/{kernel}/channels?session_id={session['id']}"
        async with aiohttp.ClientSession() as client, client.ws_connect(channels, max_msg_size=0) as socket:
            for name, cell in cells.items():
                await socket.send_json(request(name, cell["source"]))
            try:
                failed = await asyncio.wait_for(failures(socket, cells), ENDS)
            except TimeoutError:
                failed = f"not within {ENDS} s: cell {next(iter(cells.values()))['id']} was not answered"
        return failed, memory.now()
    finally:
        if not keep:
            with suppress(OSError):
                ask(url, "DELETE", f"api/sessions/{session['id']}")


def ask(url, method, path, body=None):
    """What the server's REST interface answers: a JSON value, or None."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url + path, data, {"Content-Type": "application/json"}, method=method), timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def request(name, source):
    """The message that asks a kernel to run a cell, and to go on with the others if that fails."""
    header = {
        "msg_id": name,
        "msg_type": "execute_request",
        "version": "5.3",
        "username": "",
        "session": uuid.uuid4().hex,
    }
    content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
    content["user_expressions"] = {}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


async def failures(socket, cells):
    """Waits until every cell has been answered, and tells which of them failed, each with its error."""
    failed = []
    async for frame in socket:
        if frame.type is not aiohttp.WSMsgType.TEXT:
            continue  # with pieces for a widget, which has no page here
        message = json.loads(frame.data)
        if message["header"]["msg_type"] == "execute_reply":
            cell = cells.pop(message["parent_header"]["msg_id"], None)
            if cell and message["content"]["status"] == "error":
                failed.append(f"{cell['id']} ({message['content']['ename']}: {message['content']['evalue']})")
            if not cells:
                break
    if cells:
        failed.append(f"the connection was lost before {len(cells)} cells were answered")
    return f"{len(failed)} cells: {'; '.join(failed)}" if failed else None


def end(server):
    """Ends the server and what it started, kindly if it listens."""
    kernels = descendants(server.pid)
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for kernel in kernels:
        with suppress(OSError):
            os.kill(kernel, 9)


if __name__ == "__main__":
    main()
