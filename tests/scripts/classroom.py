"""A classroom on one machine: a real JupyterHub, and thirty learners who run notebook 06 all at once.

    .venv/bin/python tests/scripts/classroom.py                       # thirty
    .venv/bin/python tests/scripts/classroom.py --learners 5 10 30    # one after the other, for a table

First one learner alone, then all of them. Each has a server of their own behind the Hub's proxy, a kernel, and a folder
with a copy of the notebooks; all code cells are sent to the kernel through the proxy, at once, as Run All does. Told:
who failed and in which cell; how long it took, apart for the cells that wait (those whose CPU time was less than half
of their wall time when the learner was alone) and those that compute; how much memory each needs; and whether anybody
but the learner ever spoke to a learner's sites. Ends with 1 when somebody failed or met somebody else's site, and when
the cells that wait take more than three times as long as for one alone (in the median).

Needs Linux (or another POSIX system), Node 20 or newer with npm, and PyPI and the npm registry or mirrors of them:
JupyterHub and its proxy are installed into a temporary folder, which is removed. Thirty learners need 8 GB of free
memory and, on two cores, some ten minutes.
"""

import argparse
import ast
import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
from collections import Counter
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp
import psutil
from tables import table
from tornado.httpclient import HTTPError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

ROOT = Path(__file__).parents[2]
NOTEBOOK = "06-fetching-100-urls.ipynb"
CONFIG = Path(__file__).with_name("classroom_config.py")
HUB = "jupyterhub>=5.2,<6"
PROXY = "configurable-http-proxy@5"
NODE = 20  # the oldest version that this proxy runs on
BAR = 3.0  # times as long as alone may the cells take that wait
SHORT = 0.1  # seconds: a cell that takes less than this does not wait
HELD = 20  # connections that each learner holds open at the end, to be counted from outside
PATIENCE = 1800  # seconds after which whatever is waited for has failed
TRIES = 5  # connections to a kernel
GRACE = 60  # seconds that the Hub has to end all servers

# --- what is installed ------------------------------------------------------------------------------------------------


def install(folder):
    """Makes an environment with JupyterHub, which sees what this Python sees, and the proxy. The programs' folders."""
    node = check_node()
    print("installing JupyterHub and its proxy ...", flush=True)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    inside = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)}))
    seen = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    lines = [f"import site; site.addsitedir({path!a})" for path in seen] + [
        f"import sys; sys.path.append({str(ROOT)!a})"
    ]
    (inside / "project.pth").write_text("\n".join(lines) + "\n", encoding="ascii")
    python = environment / "bin" / "python"
    quietly([sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir", HUB])
    quietly([shutil.which("npm"), "install", "--prefix", folder / "npm", "--cache", folder / "npm-cache", PROXY])
    return [environment / "bin", folder / "npm" / "node_modules" / ".bin", Path(node).parent]


def check_node():
    """The path of Node. Raises SystemExit with what is missing."""
    for program in "node", "npm":
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not on the PATH: JupyterHub's proxy needs Node {NODE} or newer, with npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE:
        raise SystemExit(f"node is {version}: JupyterHub's proxy needs Node {NODE} or newer")
    return shutil.which("node")


def quietly(command):
    """Runs a command. Raises SystemExit with its own words when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{done.stdout}")


# --- the Hub ----------------------------------------------------------------------------------------------------------


class Hub:
    """A JupyterHub that runs, spoken to with an administrator's token."""

    def __init__(self, address, pid, folder, session):
        self.address, self.pid, self.folder, self.session = address, pid, folder, session

    async def ask(self, method, path, body=None):
        """The JSON that is answered (None: none). Raises RuntimeError for an error."""
        async with self.session.request(method, self.address + path, json=body) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
            return json.loads(text) if answer.content_type == "application/json" and text else None

    async def start_server(self, name):
        """Starts the learner's server, and looks at JupyterLab's page there, as a browser would. The process's number."""
        path = f"/hub/api/users/{name}"
        await self.ask("POST", f"{path}/server")

        async def ready():
            user = await self.ask("GET", path)
            server = user["servers"].get("", {})
            if not server and not user["pending"]:  # given up: on a busy machine the proxy may have been too slow
                print(f"{name}'s server did not start: started again", flush=True)
                await self.ask("POST", f"{path}/server")
            return server if server.get("ready") else None

        server = await until(ready, f"{name}'s server")
        await self.ask("GET", f"/user/{name}/lab")
        return server["state"]["pid"]


@asynccontextmanager
async def running_hub(folder, programs):
    """The Hub, as long as the block lasts. Raises RuntimeError with its log if it does not start."""
    port, *others = free_ports(3)
    mark, token = uuid.uuid4().hex, secrets.token_hex(32)
    share = Path(sys.prefix) / "share" / "jupyter"
    process = start(
        [programs[0] / "jupyterhub", "--config", CONFIG],
        folder,
        PATH=os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
        CLASSROOM=mark,
        CLASSROOM_FOLDER=str(folder),
        CLASSROOM_PORTS=f"{port} {others[0]} {others[1]}",
        CLASSROOM_PROXY=str(programs[1] / "configurable-http-proxy"),
        CLASSROOM_SERVER=str(programs[0] / "jupyterhub-singleuser"),
        CLASSROOM_TOKEN=token,
        JUPYTER_PATH=str(share),  # JupyterLab and its extensions are those of this environment
        JUPYTER_CONFIG_PATH=str(Path(sys.prefix) / "etc" / "jupyter"),
        JUPYTERLAB_DIR=str(share / "lab"),
    )
    try:
        patient = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=PATIENCE)
        header, connector = {"Authorization": f"token {token}"}, aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=header, timeout=patient, connector=connector) as session:
            hub = Hub(f"http://127.0.0.1:{port}", process.pid, folder, session)

            async def up():
                if process.poll() is not None:
                    raise RuntimeError(
                        f"JupyterHub did not start. It said:\n{log_of(folder).read_text(errors='replace')}"
                    )
                with suppress(OSError, RuntimeError, aiohttp.ClientError):
                    return await hub.ask("GET", "/hub/api/")

            await until(up, "JupyterHub")
            yield hub
    finally:
        end(process, mark)


def free_ports(number):
    """So many ports that are free now, and differ."""
    with ExitStack() as stack:  # each is held until all are known
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [listener.getsockname()[1] for listener in held]


def log_of(folder):
    return folder / "hub.log"


def start(command, folder, **variables):
    """Starts it in the folder, where it also writes its log. In a session of its own: Ctrl-C is for us, who then end it."""
    with log_of(folder).open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end(process, mark):
    """Ends the Hub, which ends its servers and its proxy; then whatever else of it is left, told by its mark."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    for left in psutil.process_iter():
        with suppress(psutil.Error):
            if left.environ().get("CLASSROOM") == mark:
                left.kill()
    process.wait()


async def until(condition, what, seconds=PATIENCE):
    """Waits until `await condition()` is true, and returns what it gave; `what` says in an error what was waited for."""
    deadline = time.monotonic() + seconds
    while not (answer := await condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.5)
    return answer


# --- a learner --------------------------------------------------------------------------------------------------------

# How long each cell takes and how much CPU: the kernel's, and that of its sites and programs, which have ended by then.
CLOCK = """
def _clock():
    import resource, time
    def begin(info):
        nonlocal begun
        begun = now()
    def over(result):
        if begun:
            marks.append([after - before for before, after in zip(begun, now())])
    def now():
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.monotonic(), sum(one.ru_utime + one.ru_stime for one in used)
    begun, marks = None, []
    get_ipython().events.register("pre_run_cell", begin)
    get_ipython().events.register("post_run_cell", over)
    return marks
_marks = _clock()
"""
# A site of the learner's own, and so many connections to it, until the teacher has counted them.
HOLD = """
with serve() as site:
    _held = asyncio.create_task(fetch.cooperative(site.urls({n}, dict.fromkeys(range({n}), "never")), timeout=3600))
    while not os.path.exists({go!r}):
        await asyncio.sleep(0.2)
    _held.cancel()
"""


@dataclass
class Learner:
    """Somebody with a server, and what became of their notebook."""

    name: str
    pid: int = 0  # of the server
    ready: bool = False  # the kernel is there
    seconds: float = 0.0  # from the first cell to the last
    marks: list = field(default_factory=list)  # per cell: seconds, and seconds of CPU
    failed: list = field(default_factory=list)  # per failed cell: id, error, the line

    def wall(self, cells):
        """How long these cells took, given by their numbers."""
        return sum(self.marks[number][0] for number in cells)


class Kernel:
    """A learner's kernel, behind the Hub's proxy."""

    def __init__(self, socket):
        self.socket, self.session = socket, uuid.uuid4().hex

    async def run(self, sources, **expressions):
        """Sends all cells at once. What the kernel replies to each. Raises ConnectionError when the connection ends."""
        asked = [await self.send(source, expressions) for source in sources]
        replies = {}
        while len(replies) < len(asked):
            message = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
            if message is None:
                raise ConnectionError(f"closed: {self.socket.close_code} {self.socket.close_reason or ''}")
            if isinstance(message, str):  # what is sent in binary is widgets'
                told = json.loads(message)
                parent = told["parent_header"].get("msg_id")
                if told["msg_type"] == "execute_reply" and parent in asked:
                    replies[parent] = told["content"]
        return [replies[identity] for identity in asked]

    async def send(self, code, expressions):
        identity = uuid.uuid4().hex
        header = {"msg_id": identity, "msg_type": "execute_request", "session": self.session, "username": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": expressions}
        content |= {"allow_stdin": False, "stop_on_error": False}  # so that every cell that fails is known
        message = {"header": header | {"version": "5.3", "date": ""}, "parent_header": {}, "metadata": {}}
        await self.socket.write_message(json.dumps(message | {"content": content, "channel": "shell", "buffers": []}))
        return identity


@asynccontextmanager
async def a_kernel(hub, name):
    """A kernel of the learner's, in the folder of the notebook, as long as the block lasts."""
    body = {"path": f"notebooks/{NOTEBOOK}", "name": NOTEBOOK, "type": "notebook", "kernel": {"name": "python3"}}
    session = await hub.ask("POST", f"/user/{name}/api/sessions", body)
    try:
        kernel = await connected(hub, f"/user/{name}/api/kernels/{session['kernel']['id']}/channels")
        try:
            yield kernel
        finally:
            kernel.socket.close()
    finally:
        await hub.ask("DELETE", f"/user/{name}/api/sessions/{session['id']}")


async def connected(hub, path):
    """The kernel behind this path, its clock installed. If the connection breaks at once, another, as JupyterLab does."""
    request = HTTPRequest(
        hub.address.replace("http", "ws", 1) + path, headers=hub.session.headers, request_timeout=PATIENCE
    )
    for attempt in range(1, TRIES + 1):
        socket = await websocket_connect(request, max_message_size=2**30)
        try:
            await Kernel(socket).run([CLOCK])
            return Kernel(socket)
        except (ConnectionError, WebSocketClosedError) as error:
            print(f"{path}: connection {attempt} of {TRIES}: {error}", flush=True)
    raise RuntimeError(f"{path}: no connection that lasts")


async def attend(hub, learner, cells, begin, go):
    """A learner's part of a lesson. What goes wrong on the way is theirs alone, and is noted."""
    try:
        async with a_kernel(hub, learner.name) as kernel:
            learner.ready = True
            await begin.wait()
            await learn(kernel, learner, cells)
            await hold(kernel, learner, go)
    except (OSError, RuntimeError, HTTPError, WebSocketClosedError, aiohttp.ClientError) as error:
        learner.failed.append(("none", f"{type(error).__name__}: {error}", ""))


async def learn(kernel, learner, cells):
    """Runs all cells of the notebook."""
    begun = time.monotonic()
    replies = await kernel.run([source for _, source in cells])
    learner.seconds = time.monotonic() - begun
    for (identity, _), reply in zip(cells, replies, strict=True):
        note(learner, identity, reply)
    (last,) = await kernel.run(["None"], marks="_marks")
    learner.marks = ast.literal_eval(last["user_expressions"]["marks"]["data"]["text/plain"])[: len(cells)]


async def hold(kernel, learner, go):
    """Holds connections to a site of the learner's own until the file `go` is there."""
    (reply,) = await kernel.run([HOLD.format(n=HELD, go=str(go))])
    note(learner, "(a site, and connections held)", reply)


def note(learner, cell, reply):
    """Notes that a cell failed, if it did."""
    if reply["status"] != "ok":
        error = f"{reply.get('ename', reply['status'])}: {reply.get('evalue', '')}"
        learner.failed.append((cell, error, failing_line(reply)))


def failing_line(reply):
    """The line of the cell in which the error was raised, from its coloured traceback."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(reply.get("traceback", [])))
    lines = re.findall(r"^-+> *\d+ (.*)$", text, re.MULTILINE)
    return lines[0].strip() if lines else ""


# --- seen from outside ------------------------------------------------------------------------------------------------


class Watcher:
    """Looks at the learners' processes from outside: their memory, and who speaks to whom."""

    def __init__(self, learners, hub):
        self.hub = hub  # its process
        self.servers = {learner.pid: learner.name for learner in learners}
        self.peak = Counter()  # bytes, by learner
        self.most = 0  # bytes of all of them, the Hub and its proxy included, at the worst look
        self.spoken = Counter()  # connections seen, by (whose port, who connected)
        self.sites = {}  # learner: ports at the last look
        self.asked = Counter()  # learner: connections of their own to their site, at the last look
        self.looks = 0

    def look(self):
        """Once. Takes up to a second with thirty learners, most of it the kernel's, which adds up shared pages."""
        self.looks += 1
        owners, sites = self.owners()
        memory = Counter()
        for pid, owner in owners.items():
            with suppress(psutil.Error):
                memory[owner] += memory_of(pid)
        self.peak |= memory  # of two counts, the larger
        self.most = max(self.most, memory.total())
        self.connections(owners, sites)

    def owners(self):
        """Whose each process is, of those that are anybody's; and which of them are sites."""
        parents, sites = {}, set()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                parents[process.pid] = process.ppid()
        owners = {}
        for pid in parents:
            ancestor = pid
            while ancestor in parents and ancestor not in self.servers and ancestor != self.hub:
                ancestor = parents[ancestor]
            if ancestor in parents:
                owners[pid] = self.servers.get(ancestor, "the Hub")
                with suppress(psutil.Error):
                    if any(
                        word.endswith(os.path.join("kitchen", "server.py")) for word in psutil.Process(pid).cmdline()
                    ):
                        sites.add(pid)
        return owners, sites

    def connections(self, owners, sites):
        """Who is connected to a port on which a learner's kernel, or what it started, listens."""
        everything = psutil.net_connections("tcp")
        others = {pid for pid, owner in owners.items() if owner != "the Hub" and pid not in self.servers}
        listening = [c for c in everything if c.status == "LISTEN" and c.pid in others]
        theirs = {c.laddr.port: owners[c.pid] for c in listening}
        of_sites = {c.laddr.port: owners[c.pid] for c in listening if c.pid in sites}
        self.sites, self.asked = {}, Counter()
        for port, owner in of_sites.items():
            self.sites.setdefault(owner, []).append(port)
        for c in everything:
            if c.raddr and c.raddr.port in theirs and c.pid:  # without a process: closed, and only remembered
                who = owners.get(c.pid, f"process {c.pid}")
                self.spoken[theirs[c.raddr.port], who] += 1
                if c.raddr.port in of_sites and c.status == "ESTABLISHED" and who == of_sites[c.raddr.port]:
                    self.asked[who] += 1

    async def keep_looking(self, every):
        """Looks every so many seconds, until it is cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(every)

    async def count(self, runs):
        """Looks until everybody who is still there holds their connections, or it takes too long: `asked` tells."""

        async def all_hold():
            await asyncio.to_thread(self.look)
            return all(
                self.asked[name] >= HELD
                for name, run in zip(self.servers.values(), runs, strict=True)
                if not run.done()
            )

        with suppress(RuntimeError):
            await until(all_hold, "the connections", 120)

    def ports(self):
        """Where the sites were at the last look."""
        return {port for ports in self.sites.values() for port in ports}

    def strangers(self):
        """Connections that were seen to a learner's port by anybody else."""
        return [pair for pair in self.spoken if pair[0] != pair[1]]


def memory_of(pid):
    """The bytes that a process adds to what is used: shared pages count in proportion, where the system knows."""
    process = psutil.Process(pid)
    if hasattr(process, "memory_full_info"):
        with suppress(psutil.AccessDenied):
            full = process.memory_full_info()
            return getattr(full, "pss", None) or full.rss
    return process.memory_info().rss


# --- a lesson ---------------------------------------------------------------------------------------------------------


@dataclass
class Lesson:
    """What came of so many learners at once."""

    learners: list
    watcher: Watcher
    started: float  # seconds until all servers were there that were not yet
    kernels: float = 0.0  # seconds until all kernels were
    cpu: float = 0.0  # how busy all cores were while the cells ran, in percent
    problems: list = field(default_factory=list)


async def lesson(hub, learners, cells):
    """These learners, all at once: their servers and kernels first, then all cells of all of them."""
    begun = time.monotonic()
    new = [learner for learner in learners if not learner.pid]
    for learner, pid in zip(new, await asyncio.gather(*(hub.start_server(one.name) for one in new)), strict=True):
        learner.pid = pid
    result = Lesson(learners, Watcher(learners, hub.pid), started=time.monotonic() - begun)
    begin, go = asyncio.Event(), hub.folder / f"go-{uuid.uuid4().hex}"
    async with asyncio.TaskGroup() as group:
        begun = time.monotonic()
        runs = [group.create_task(attend(hub, learner, cells, begin, go)) for learner in learners]

        async def all_are(reached):
            return all(reached(learner) or run.done() for learner, run in zip(learners, runs, strict=True))

        await until(lambda: all_are(lambda learner: learner.ready), "all kernels")
        result.kernels = time.monotonic() - begun
        psutil.cpu_percent()
        begin.set()
        looking = group.create_task(result.watcher.keep_looking(0.25 if len(learners) == 1 else 5))
        await until(lambda: all_are(lambda learner: learner.marks), "the notebooks' end")
        result.cpu = psutil.cpu_percent()
        looking.cancel()
        await asyncio.wait([looking])
        await result.watcher.count(runs)
        go.touch()
    result.problems = judge(result)
    return result


def judge(lesson):
    """What did not hold of what is promised, apart from times."""
    failed = {}
    for learner in lesson.learners:
        for failure in learner.failed:
            failed.setdefault(failure, []).append(learner.name)
    problems = [
        f"cell {cell} failed for {len(names)} ({', '.join(names)}): {error} {line and f'at: {line}'}"
        for (cell, error, line), names in failed.items()
    ]
    watcher = lesson.watcher
    for owner, who in watcher.strangers():
        problems.append(f"{who} was connected to a port of {owner}'s, {watcher.spoken[owner, who]} times seen")
    if len(watcher.ports()) != len(lesson.learners):
        problems.append(
            f"{len(watcher.ports())} sites at the end, for {len(lesson.learners)} learners: {watcher.sites}"
        )
    wrong = {learner.name: watcher.asked[learner.name] for learner in lesson.learners}
    wrong = {name: number for name, number in wrong.items() if number != HELD}
    if wrong:
        problems.append(f"connections to their own site, where each learner holds {HELD}: {wrong}")
    return problems


# --- what is told -----------------------------------------------------------------------------------------------------


def told(count, result, alone, waiting, computing):
    """A row of the table, and the ratio of the waiting parts."""
    own = {cells: alone.learners[0].wall(cells) for cells in (waiting, computing)}
    through = [learner for learner in result.learners if learner.marks]
    there = {cells: median(learner.wall(cells) for learner in through) for cells in own}
    times = [learner.seconds for learner in through]
    memory = [result.watcher.peak[learner.name] for learner in result.learners]
    ratio = there[waiting] / own[waiting]
    row = [
        str(count),
        str(sum(not learner.failed for learner in result.learners)),
        f"{median(times):.1f} s",
        f"{max(times):.1f} s",
        f"{there[waiting]:.1f} s",
        f"{ratio:.2f}",
        f"{there[computing]:.1f} s",
        f"{there[computing] / own[computing]:.1f}",
        f"{median(memory) / 2**20:.0f} MB",
        f"{max(memory) / 2**20:.0f} MB",
        f"{result.watcher.most / 2**30:.1f} GB",
        f"{result.cpu:.0f} %",
        f"{result.started:.0f} + {result.kernels:.0f} s",
    ]
    return row, ratio


HEADINGS = [
    "learners",
    "passed",
    "median",
    "slowest",
    "waiting cells",
    "x alone",
    "computing cells",
    "x alone",
    "memory each",
    "at most",
    "all together",
    "cores busy",
    "servers + kernels",
]


async def main(counts, folder):
    programs = install(folder)
    notebook = json.loads((ROOT / "notebooks" / NOTEBOOK).read_text(encoding="utf-8"))
    cells = [(cell["id"], "".join(cell["source"])) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names = [f"learner{number:02}" for number in range(1, max(counts) + 1)]
    for name in names:
        shutil.copytree(ROOT / "notebooks", folder / "homes" / name / "notebooks")
    pids = {}
    async with running_hub(folder, programs) as hub:
        await hub.ask("POST", "/hub/api/users", {"usernames": names})
        lessons = []
        for count in [1, *sorted(counts)]:
            print(f"{count} at once ...", flush=True)
            learners = [Learner(name, pids.get(name, 0)) for name in names[:count]]
            lessons.append((count, await lesson(hub, learners, cells)))
            pids |= {learner.name: learner.pid for learner in learners}
    return report(lessons, [identity for identity, _ in cells])


def report(lessons, identities):
    """Prints what came out. Whether all of it is as it should be."""
    alone = lessons[0][1]
    marks = alone.learners[0].marks
    if not marks:
        print("one learner alone did not get through:", *alone.problems, sep="\n  ")
        return False
    waiting = tuple(number for number, (wall, cpu) in enumerate(marks) if wall > SHORT and cpu < wall / 2)
    computing = tuple(number for number in range(len(marks)) if number not in waiting)
    print("cells that wait:", ", ".join(identities[number] for number in waiting))
    rows, good = [], True
    for count, result in lessons:
        if not any(learner.marks for learner in result.learners):
            print(f"of {count} at once nobody got through")
            good = False
            continue
        row, ratio = told(count, result, alone, waiting, computing)
        rows.append(row)
        good &= ratio <= BAR and not result.problems
    table(HEADINGS, rows)
    for count, result in lessons:
        watcher = result.watcher
        seen = sum(watcher.spoken.values())
        print(
            f"{count} at once: {len(watcher.ports())} sites on different ports, "
            f"{sum(watcher.asked.values())} connections to them, {HELD} by each learner to their own; "
            f"in {watcher.looks} looks {seen} connections, {len(watcher.strangers())} by anybody else"
        )
        for problem in result.problems:
            print("  ", problem)
    print(
        "all holds" if good else f"DOES NOT HOLD (waiting cells: at most {BAR:g} times as long as alone; nobody fails)"
    )
    return good


def whole(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give whole numbers from 1 on")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=whole, nargs="+", default=[30], help="how many at once (default: 30)")
    chosen = parser.parse_args().learners
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is running is ended then, too
    with tempfile.TemporaryDirectory(prefix="classroom-", ignore_cleanup_errors=True) as temporary:
        try:
            sys.exit(not asyncio.run(main(chosen, Path(temporary))))
        except KeyboardInterrupt:
            sys.exit("stopped")
