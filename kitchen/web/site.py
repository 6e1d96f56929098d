"""A small web site on this very machine, in a process of its own, to practise fetching on. It needs no internet.

    with serve(delay=0.1) as site:
        fetch.sync(site.urls(100, faults={3: "refuse", 10: 503}))

In another process, so that serving takes no turn from the threads and coroutines that are being watched. This file has
two halves: `serve` and `Site` are for the reader's process, what comes after them runs in the site's own.
"""

import asyncio
import html
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import isfinite, nan
from urllib.parse import urlencode

if __name__ == "__main__":  # in the site's own process only: whoever calls `serve` need not have aiohttp loaded
    from aiohttp import web

FAULTS = {  # what can be wrong with a page, besides an int: a status from 200 to 599 to answer with
    "refuse": "nobody listens there: the connection is refused",
    "reset": "the connection is reset in the middle of the page",
    "cut": "the site hangs up in the middle of the page",
    "drip": "a byte every 0.1 s, for ever",
    "never": "the connection is accepted, but no answer ever comes",
    "garbage": "the answer is not HTTP",
    "loop": "a redirect to itself, for ever",
}
HOST = "127.0.0.1"  # seen from this machine only
LISTENING = b'{"ports": '  # how the line begins that the site prints once it listens
START_SECONDS = 30.0  # that the site may take to start
NOT_FOR_THE_SITE = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")  # aiohttp reads them as soon as it is imported
END_SECONDS = 2.0  # that it may take to end


@dataclass(frozen=True)
class Site:
    """A web site that runs: its pages are "/0", "/1", … Each URL it gives is good until the `with` block ends."""

    base: str  # "http://127.0.0.1:PORT"
    pid: int  # of its process
    _refusing: str = field(repr=False)  # another port, which is taken so that nobody else can listen there

    def url(self, number: int = 0, *, fault: int | str | None = None, delay: float | None = None) -> str:
        """The URL of one page. `fault`: a status (200 to 599) or a key of FAULTS. `delay`: seconds, if not the site's.

        Raises ValueError for a number that is negative or not whole, an unknown fault, and a delay as `serve` would.
        """
        _check_whole("number", number)
        asked = {}
        if fault is not None:
            asked["fault"] = _check_fault(fault)
        if delay is not None:
            asked["delay"] = _check_delay(delay)
        base = self._refusing if fault == "refuse" else self.base
        return f"{base}/{number:d}?{urlencode(asked)}".removesuffix("?")

    def urls(self, n: int, faults: Mapping[int, int | str] | None = None) -> list[str]:
        """The URLs of pages 0 to n-1; `faults` maps some of these numbers to what is wrong there, as in `url`.

        Raises ValueError for an n that is negative or not whole, an unknown fault, and a fault beyond the last page.
        """
        _check_whole("n", n)
        faults = faults or {}
        if beyond := [number for number in faults if number not in range(n)]:
            raise ValueError(f"faults for pages {beyond}, where n is {n}: give whole numbers from 0 on, below n")
        return [self.url(number, fault=faults.get(number)) for number in range(n)]


@contextmanager
def serve(delay: float = 0.1) -> Iterator[Site]:
    """A web site for as long as the `with` block lasts. Each of its pages takes `delay` seconds to answer.

    The site listens when the block begins. It never outlives the block, nor this process, however that ends. Raises
    ValueError for a delay that is not finite and >= 0, RuntimeError with the reason if the site cannot be started.
    """
    delay = _check_delay(delay)
    try:
        process = subprocess.Popen(
            # By its path, so that the working directory does not matter; with -P our modules shadow no others.
            [sys.executable, "-P", __file__, str(os.getpid()), str(delay)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env={name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_SITE},
            # Ctrl-C and Jupyter's interrupt signal a whole group of processes: the site is not to be in ours.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        raise _not_started(str(error)) from error
    ours = os.getpid()
    try:
        yield _when_ready(process)
    finally:
        if os.getpid() == ours:  # and not a child's that was forked inside the block: the site is its parent's
            _end(process)


def _when_ready(process):
    """The Site, once its process has printed the ports. Until then it may chat: only if it dies, that is why."""
    said = b""
    alarm = threading.Timer(START_SECONDS, process.kill)  # a pipe knows no timeout everywhere, but it ends so
    alarm.daemon = True
    alarm.start()
    try:
        for line in process.stdout:
            if line.startswith(LISTENING):
                base, refusing = (f"http://{HOST}:{port}" for port in json.loads(line)["ports"])
                return Site(base, process.pid, refusing)
            said += line
    finally:
        alarm.cancel()
        alarm.join()
    raise _not_started(said.decode(errors="replace").strip() or f"(nothing, for up to {START_SECONDS:g} s)")


def _not_started(said):
    remedy = f"If a package is missing, install it: {sys.executable} -m pip install aiohttp"
    return RuntimeError(f"the local web site did not start. It said:\n{said}\n{remedy}")


def _end(process):
    """Tells the site to end, kills it if it does not, and leaves neither a zombie nor an open pipe."""
    with process:
        try:
            process.communicate(b"bye", timeout=END_SECONDS)  # a forked sibling may hold the pipe open: say it in words
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()


def _check_whole(name, number):
    if not (isinstance(number, int) and number >= 0):
        raise ValueError(f"{name} is {number!r}: give a whole number, 0 or more")


def _check_delay(delay):
    try:
        seconds = float(delay)
    except (TypeError, ValueError, OverflowError):
        seconds = nan
    if not (isfinite(seconds) and seconds >= 0):
        raise ValueError(f"delay is {delay!r}: give a finite number of seconds, 0 or more")
    return seconds


def _check_fault(fault):
    known = 200 <= fault <= 599 if isinstance(fault, int) else isinstance(fault, str) and fault in FAULTS
    if not known:
        raise ValueError(f"unknown fault {fault!r}: give a status from 200 to 599 or one of {', '.join(FAULTS)}")
    return fault


# From here on: the site's own process.

TEXT = "This page took some time: it was kept waiting on purpose, so that there is something to wait for. " * 10


def _page(title, text, status=200):
    title, text = html.escape(title), html.escape(text)
    body = f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"
    return web.Response(status=status, text=body, content_type="text/html")


async def _answer(request, delay):
    """The answer to one request, after `delay` seconds unless the URL says otherwise; 400 if it asks for nonsense."""
    number = request.path.removeprefix("/")
    if not (number.isascii() and number.isdecimal()):
        return _page("There is no such page", f"The pages here are /0, /1, /2 … and not {request.path}", status=404)
    try:
        fault = request.query.get("fault")
        if fault is not None:
            fault = _check_fault(int(fault) if fault.isdecimal() and len(fault) == 3 else fault)
        if fault == "refuse":
            raise ValueError("whoever refuses a connection cannot answer: site.url gives the port that does")
        delay = _check_delay(request.query.get("delay", delay))
    except ValueError as error:
        return _page("That cannot be asked for", str(error), status=400)
    if fault == "never":
        await asyncio.Event().wait()
    await asyncio.sleep(delay)
    if isinstance(fault, int):
        return _page(f"Page {number}, with the status {fault}", TEXT, status=fault)
    if fault == "loop":
        return web.Response(status=302, headers={"Location": str(request.rel_url)})
    if fault == "drip":
        return await _drip(request)
    page = _page(f"Page {number}", TEXT)
    return await _hang_up(request.transport, page.body, fault) if fault else page


async def _drip(request):
    response = web.StreamResponse()
    await response.prepare(request)
    while True:  # until the client has had enough: then aiohttp cancels us
        await asyncio.sleep(0.1)
        await response.write(b".")


async def _hang_up(transport, body, fault):
    """Sends what is no whole answer, and closes the connection."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    half = head.encode() + body[: len(body) // 2]
    transport.write(b"?!" * 40 + b"\r\n\r\n" if fault == "garbage" else half)
    if fault == "reset":  # to close a socket that may not linger, not for 0 seconds, is to reset the connection
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()
    await asyncio.Event().wait()  # for aiohttp to notice, and to cancel us: it must not add an answer of its own


async def _run(delay):
    refusing = socket.socket()
    refusing.bind((HOST, 0))  # bound, but not listening
    server = web.Server(lambda request: _answer(request, delay), access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0, backlog=4096).start()  # a thousand may knock at once
    ports = {"ports": [runner.addresses[0][1], refusing.getsockname()[1]]}
    os.write(1, json.dumps(ports).encode() + b"\n")  # in bytes, whatever PYTHONIOENCODING makes of letters
    silence = os.open(os.devnull, os.O_WRONLY)  # nobody reads on, and a full pipe would block us
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    await asyncio.Event().wait()


def _end_with(parent):
    """Ends this process at once, open requests or not, when it is told to or the parent is gone."""

    def hear():
        os.read(0, 1)  # returns when something is said, or nobody is left to say anything
        os._exit(0)

    def look():
        while os.getppid() == parent:  # a forked sibling may keep our stdin open: then it never ends
            time.sleep(0.2)
        os._exit(0)

    threading.Thread(target=hear, daemon=True).start()
    if os.name == "posix":  # Windows never changes it, and a venv's launcher stands between us and the parent
        threading.Thread(target=look, daemon=True).start()


def _allow_many_files():
    """Every connection is an open file, and 256 or 1,024 are allowed at first: raises that as far as may be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in hard, max(soft, 10_240):  # macOS says its hard limit is infinite, and refuses that
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            break


if __name__ == "__main__":
    _end_with(parent=int(sys.argv[1]))
    _allow_many_files()
    asyncio.run(_run(delay=float(sys.argv[2])))
