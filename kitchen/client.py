"""The HTTP client behind `fetch`: one URL at a time, recorded phase by phase, bounded in time, never raising.

Two engines, each with httpx in front. Blocking (sync, threads): httpx's own, which tells through its "trace" extension
what it is about to do. Coroutines: aiohttp's, which has trace hooks as well and needs a third of the CPU time per
request; that counts when a hundred answers come at once.
"""

import asyncio
import os
import random
import socket
import threading
import types
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from time import thread_time
from typing import NamedTuple
from urllib.request import getproxies

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from kitchen.recorder import CPU_CLOCK_IS_FINE, UNFINISHED, Recorder
from kitchen.timeline import READY, RUNNING, WAITING, Timeline

PLACE = "waiting for a place"
CONNECTING = "connecting"
SENDING = "sending"
ANSWER = "waiting for the answer"
READING = "reading"
PAUSING = "pausing before the next try"

TRY_AGAIN = (429, 503)  # too many requests, not now: the two answers that ask for another try (RFC 6585, RFC 9110)
FIRST_PAUSE = 0.5  # seconds before the second try, where the answer does not say how long; twice that before the third
SPARE_FILES = 16  # that a process may want to open besides its connections

HTTPX_PHASES = {  # what httpx's trace extension says, the part after the dot: the phase, and whether the call blocks
    "connect_tcp.started": (CONNECTING, True),
    "connect_tcp.complete": (SENDING, False),
    "start_tls.started": (CONNECTING, True),
    "start_tls.complete": (SENDING, False),
    "receive_response_headers.started": (ANSWER, True),
    "receive_response_headers.complete": (READING, False),
    "receive_response_body.started": (READING, True),
    "receive_response_body.complete": (READING, False),
}
AIOHTTP_PHASES = {  # the phase that begins with one of aiohttp's trace signals
    "on_connection_create_end": SENDING,
    "on_connection_reuseconn": SENDING,
    "on_request_headers_sent": ANSWER,
    "on_request_end": READING,
}
SLACK = 20e-6  # seconds of CPU time or of rest that are not worth a span


class Result(NamedTuple):
    """What became of one URL. Either `status` is the HTTP status, or it is None and `error` says what went wrong.

    `body` is the page in bytes; after an error, as much of it as had come.
    """

    url: str
    status: int | None
    body: bytes
    error: str | None


class Fetched(NamedTuple):
    """What a fetch gives back: the `results` in the order asked, and the `timeline` with a lane for each."""

    results: list[Result]
    timeline: Timeline

    @property
    def failures(self) -> list[Result]:
        """The results of the URLs that could not be had; an answer such as 404 is an answer."""
        return [result for result in self.results if result.error is not None]

    def __repr__(self):
        """Short: ten thousand pages in one line help nobody, and asyncio.run asks for the repr of what a task returns."""
        return f"<Fetched: {len(self.results)} results, of which {len(self.failures)} could not be had>"


class Run(Recorder):
    """A Recorder that fetches, and keeps one Result per lane."""

    def __init__(self, title, urls, timeout, retries=0):
        self.urls = urls
        self.timeout = timeout
        self.retries = retries
        self.results = [None] * len(urls)
        self.labels = [CONNECTING] * len(urls)
        self.connections = {}  # lane: (when its time is up, socket or None), while a blocking client is at it
        self.overdue = set()  # lanes whose connection was shut because their time was up
        self.interrupted = threading.Event()  # which also ends a pause
        self._round = None
        _tls()
        super().__init__(_lane_names(urls), title)

    def fetched(self):
        missing = "interrupted before it was finished"
        results = zip(self.urls, self.results, strict=True)
        return Fetched([result or Result(url, None, b"", missing) for url, result in results], self.timeline())

    def line_up(self, places):
        """Only the first `places` lanes can begin: the others wait for one of these to be over."""
        for lane in range(places, len(self.urls)):
            self.labels[lane] = PLACE
            self.change(lane, WAITING, PLACE, at=0.0)

    def settle(self, lane, status, body, error=None):
        """The lane is over, with this result."""
        if error is not None:
            status, error = None, _reason(error, self.timeout)
        self.results[lane] = Result(self.urls[lane], status, bytes(body), error)
        self.finish(lane, error or "")

    # --- with a blocking client: sync, and threads

    def client(self):
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        direct = _loopback(None)  # None: no proxy
        return httpx.Client(verify=_tls(), limits=limits, timeout=self.timeout, follow_redirects=True, mounts=direct)

    def get(self, client, lane, resting):
        """Fetches one URL with a blocking client; while that is in a blocking call, the lane is in the state `resting`."""
        up = self.now() + self.timeout
        tried = 0
        while not self.interrupted.is_set() and (pause := self._try(client, lane, resting, up, tried)) is not None:
            self.change(lane, resting, PAUSING)
            self.interrupted.wait(pause)
            tried += 1

    def _try(self, client, lane, resting, up, tried):
        """One try, until the moment `up`. Seconds until the next one is due; None: there is none."""
        status, body, error = None, bytearray(), None
        phases = _Phases(self, lane, resting)
        self.connections[lane] = (up, None)
        try:
            url, auth = _checked(self.urls[lane])
            with client.stream("GET", url, auth=auth, extensions={"trace": phases.event}) as answer:
                status = answer.status_code
                if (pause := self._pause(answer, tried, up)) is not None:
                    return pause
                for chunk in answer.iter_bytes():
                    body += chunk
        except Exception as problem:
            error = problem
        finally:
            del self.connections[lane]
            phases.end()
        if lane in self.overdue:
            error = TimeoutError()
        if self.interrupted.is_set():
            self.finish(lane, UNFINISHED)
        else:
            self.settle(lane, status, body, error)
        return None

    def _pause(self, answer, tried, up):
        """Seconds until a URL with this answer is asked for again; None: it is not, or there is no time left for it."""
        if answer.status_code not in TRY_AGAIN or tried >= self.retries:
            return None
        pause = _retry_after(answer.headers.get("Retry-After", ""))
        if pause is None:
            pause = FIRST_PAUSE * 2**tried * random.uniform(0.5, 1)  # by chance, lest all come back at the same moment
        return pause if self.now() + pause < up else None

    def connected(self, lane, connection):
        self.connections[lane] = (self.connections[lane][0], connection)
        if self.interrupted.is_set():
            _shut(connection)

    @contextmanager
    def egg_timer(self):
        """A thread that shuts the connection of whoever's time is up: httpx bounds each read, but not a drip of many."""
        done = threading.Event()

        def watch():
            pause = self.timeout
            while not done.wait(pause):
                now = self.now()
                for lane, (up, connection) in list(self.connections.items()):
                    if up <= now and connection:
                        self.overdue.add(lane)
                        _shut(connection)
                ups = [up for up, _ in list(self.connections.values())]
                pause = max(min(ups, default=now + self.timeout) - now, 0.05)

        thread = threading.Thread(target=watch, name="kitchen egg timer", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def interrupt(self):
        """Ends what the threads are doing. One that is still connecting notices when that is done, or its time is up."""
        self.interrupted.set()
        for _, connection in list(self.connections.values()):
            if connection:
                _shut(connection)

    # --- with coroutines

    def async_client(self):
        """httpx on aiohttp's engine: a third of the CPU time per request of its own, which counts when 100 come at once.

        A connection is kept for the next URL of its host: to make one costs as much as all the rest that aiohttp does.
        """
        trace = aiohttp.TraceConfig()
        for event, phase in AIOHTTP_PHASES.items():
            getattr(trace, event).append(self._told(phase))

        def transport(trust_env):
            def session():
                connector = aiohttp.TCPConnector(limit=0, ssl=_tls())  # the semaphore is the limit
                jar = aiohttp.DummyCookieJar()
                return aiohttp.ClientSession(
                    connector=connector, cookie_jar=jar, trace_configs=[trace], trust_env=trust_env
                )

            return AiohttpTransport(verify=_tls(), client=session)

        return httpx.AsyncClient(
            timeout=self.timeout,
            follow_redirects=True,
            transport=transport(trust_env=bool(getproxies())),  # to look for a proxy costs 0.7 ms per request
            mounts=_loopback(transport(trust_env=False)),
        )

    def _told(self, phase):
        async def tell(session, context, params):
            self.phase(_lane.get(), phase)

        return tell

    async def aget(self, client, lane):
        """Fetches one URL in the running task."""
        status, body, error = None, bytearray(), None
        _lane.set(lane)
        up = self.now() + self.timeout
        tried = 0
        try:
            url, auth = _checked(self.urls[lane])
            async with asyncio.timeout(self.timeout):
                while True:
                    self.phase(lane, CONNECTING)
                    async with client.stream("GET", url, auth=auth) as answer:
                        status = answer.status_code
                        if (pause := self._pause(answer, tried, up)) is None:
                            async for chunk in answer.aiter_bytes():
                                body += chunk
                            break
                    self.phase(lane, PAUSING)
                    await asyncio.sleep(pause)
                    tried += 1
        except Exception as problem:
            error = problem
        self.settle(lane, status, body, error)

    def phase(self, lane, label):
        """The running lane has come to another phase."""
        if label != self.labels[lane]:
            self.labels[lane] = label
            self.change(lane, RUNNING, label)

    async def step_by_step(self, lane, coroutine):
        """Runs a coroutine as it is, and records each of its steps: from where it is resumed to where it awaits again."""
        return await self._steps(lane, coroutine)

    @types.coroutine
    def _steps(self, lane, coroutine):
        resume, value, rested = coroutine.send, None, None
        while True:
            ready = self._round_began()
            if rested is not None and ready > rested:
                self.change(lane, READY, self.labels[lane], at=ready, inferred=True)
            self.change(lane, RUNNING, self.labels[lane])
            try:
                awaited = resume(value)
            except StopIteration as finished:
                return finished.value
            except BaseException:  # cancelled: nothing more happens on this lane
                self.finish(lane, UNFINISHED)
                raise
            rested = self.now()
            self.change(lane, WAITING, self.labels[lane], at=rested)
            try:
                resume, value = coroutine.send, (yield awaited)
            except BaseException as error:
                resume, value = coroutine.throw, error

    def _round_began(self):
        """When the event loop's present round began, as far as we have seen: at the latest when our first step in it did.

        A round runs just what was ready when it began, so that all of its steps have been READY since then. What is
        scheduled during a round belongs to the next: our own `call_soon` tells where this one has ended.
        """
        if self._round is None:
            self._round = self.now()
            asyncio.get_running_loop().call_soon(setattr, self, "_round", None)
        return self._round


class _Phases:
    """The changes of one lane whose URL a blocking client fetches, from what that tells and the thread's own CPU clock.

    In a blocking call the thread rests until the answer is there, then it runs: its CPU time comes last. Outside, it runs
    until it is switched out: its CPU time comes first. How much is measured, the moment within the phase is inferred.
    """

    def __init__(self, run, lane, resting):
        self.run, self.lane, self.resting = run, lane, resting
        self._begin(CONNECTING, False)

    def event(self, name, info):
        """httpx's trace extension: `name` is such as "http11.receive_response_headers.started"."""
        name = name.partition(".")[2]
        if name in ("connect_tcp.complete", "start_tls.complete"):
            self.run.connected(self.lane, info["return_value"].get_extra_info("socket"))
        if name in HTTPX_PHASES:
            self.end()
            self._begin(*HTTPX_PHASES[name])

    def _begin(self, label, blocks):
        self.label, self.blocks = label, blocks
        self.since, self.cpu = self.run.now(), thread_time()
        self.run.change(self.lane, self.resting if blocks else RUNNING, label, at=self.since)

    def end(self):
        """The present phase is over: now it is known how much of it was spent on the CPU."""
        now = self.run.now()
        took = now - self.since
        used = min(thread_time() - self.cpu, took) if CPU_CLOCK_IS_FINE else took * (not self.blocks)
        if self.blocks and used > SLACK:
            self.run.change(self.lane, RUNNING, self.label, at=now - used, inferred=True)
        elif not self.blocks and took - used > SLACK:
            self.run.change(self.lane, RUNNING, self.label, at=self.since, inferred=True)
            self.run.change(self.lane, READY, self.label, at=self.since + used, inferred=True)


_lane = ContextVar("lane")  # which lane the running task belongs to: aiohttp's signals do not say


@cache
def _tls():
    """The certificates to trust. Reading them, and httpx's first client, take some 100 ms: once, before any clock starts."""
    context = httpx.create_ssl_context()
    httpx.Client(verify=context).close()
    return context


def check_files(connections: int) -> None:
    """Raises ValueError when this process may not open so many connections at once: each is an open file to it."""
    try:
        import resource  # not on Windows, where sockets are no files
    except ImportError:
        return
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(os.listdir("/dev/fd")) + SPARE_FILES
    if most == resource.RLIM_INFINITY or taken + connections <= most:
        return
    enough = 1 << (taken + connections).bit_length()
    remedy = f"at most {most - taken} at once" if most > taken else "closing some"
    if hard == resource.RLIM_INFINITY or enough <= hard:
        remedy += f", or `import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({enough}, {hard}))` before it"
    raise ValueError(
        f"{connections} connections at once need as many open files, and this process may have {most} "
        f"(of which it has or may need {taken} for other things): try {remedy}"
    )


def _retry_after(header):
    """How many seconds an answer's Retry-After asks for: that is a number of them, or a date (RFC 9110, 10.2.3)."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _loopback(transport):
    """How httpx is told to reach this machine, where the environment names a proxy for everything: not through that."""
    return dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"), transport) if getproxies() else {}


def _checked(url):
    """The URL as httpx reads it, and the user and password from it, which one of the two engines wants apart.

    Raises what httpx raises for nonsense, and httpx.UnsupportedProtocol for what is no web address.
    """
    read = httpx.URL(url)
    if read.scheme not in ("http", "https") or not read.host:
        raise httpx.UnsupportedProtocol(f"{url!r} cannot be fetched: a URL begins with http:// or https:// and a host")
    if not read.userinfo:
        return read, None
    return read.copy_with(username=None, password=None), (read.username, read.password)


def _shut(connection):
    """Makes whoever reads from this socket, in whatever thread, find its end."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not TLS's own, after which cipher text would be read


def _reason(error, timeout):
    """Why a URL could not be had, in one line; an HTTP engine's own words say more than the wrapper's."""
    origin = error.__cause__ or error
    if isinstance(error, (TimeoutError, httpx.TimeoutException)) and not isinstance(origin, aiohttp.ClientError):
        return f"timed out: not done within {timeout:g} s"
    words = " ".join(str(origin).split())
    return f"{type(origin).__name__}: {words}".rstrip(": ")


def _lane_names(urls):
    """A name for each URL's lane: the URL, and a number behind it when it is asked for again."""
    names, times = {}, {}
    for url in urls:
        text = str(url).encode("utf-8", "backslashreplace").decode()
        name = text or "(nothing)"
        while name in names:
            times[text] = times.get(text, 1) + 1
            name = f"{text} ({times[text]})"
        names[name] = None
    return list(names)
