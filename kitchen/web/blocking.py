"""The blocking engine of `fetch`, for sync and for threads: plain sockets, each call bounded by what is left of the time."""

import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import thread_time

from kitchen.interrupts import owned
from kitchen.recorder import CPU_CLOCK_IS_FINE, UNFINISHED
from kitchen.timeline import READY, RUNNING, State
from kitchen.web.client import Run
from kitchen.web.exchange import CONNECTING
from kitchen.web.tls import READ_BYTES

SLACK_SECONDS = 20e-6  # of CPU time or of rest that are not worth a span


class Blocking:
    """Fetches the URLs of a run, each in the thread that asks for it."""

    def __init__(self, run: Run):
        self.run = run
        self.interrupted = threading.Event()  # which also ends a pause
        self._lines = set()  # that are in use

    def get(self, lane: int, resting: State) -> None:
        """Fetches one URL; while its thread is in a blocking call, the lane is in the state `resting`."""
        page, error = self.run.page(lane), None
        line = _Line(self, lane, resting)
        self._lines.add(line)
        try:
            _finish(page.load(line))
        except Exception as problem:
            error = problem
        finally:
            line.close()
            line.end()
            self._lines.discard(line)
        if self.interrupted.is_set():
            self.run.finish(lane, UNFINISHED)
        else:
            self.run.settle(lane, page, error)

    @contextmanager
    def threads(self, number: int) -> Iterator[ThreadPoolExecutor]:
        """A pool of threads, all ended with the block. An interrupt reaches the main thread only, which has to tell them."""
        with owned(ThreadPoolExecutor(max_workers=number or 1), self.interrupt) as pool:
            yield pool

    def interrupt(self) -> None:
        """Ends what the threads are doing."""
        self.interrupted.set()
        self.run.names.give_up()
        for line in list(self._lines):
            line.shut()


class _Line:
    """A lane's line to the network (see line.py), and the record of it.

    In a blocking call the thread rests until the answer is there, then it runs: its CPU time comes last. Outside, it runs
    until it is switched out: its CPU time comes first. How much is measured, the moment within the phase is inferred.
    """

    def __init__(self, engine, lane, resting):
        self._engine, self._run, self._lane, self._resting = engine, engine.run, lane, resting
        self._up = self._run.now() + self._run.timeout
        self._socket = None
        self._begin(CONNECTING, False)

    def left(self) -> float:
        return self._up - self._run.now()

    def phase(self, label) -> None:
        if label != self._label:
            self.end()
            self._begin(label, False)

    async def look_up(self, host, port):
        future = self._run.names.look_up(host, port)
        with self._blocking() as seconds:
            return future.result(seconds)

    async def connect(self, family, address, share):
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        with self._blocking() as seconds:
            self._socket.settimeout(seconds / share)
            self._socket.connect(address)

    async def send(self, data):
        with self._blocking() as seconds:
            self._socket.settimeout(seconds)
            self._socket.sendall(data)

    async def receive(self):
        with self._blocking() as seconds:
            self._socket.settimeout(seconds)
            return self._socket.recv(READ_BYTES)

    async def pause(self, seconds):
        with self._blocking():
            self._engine.interrupted.wait(seconds)

    async def breathe(self):
        self._check()

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection:
            connection.close()

    def shut(self) -> None:
        """Makes the thread that waits for this line find its end."""
        if connection := self._socket:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """The present phase is over: now it is known how much of it was spent on the CPU."""
        now = self._run.now()
        took = now - self._since
        used = min(thread_time() - self._cpu, took) if CPU_CLOCK_IS_FINE else took * (not self._blocks)
        if self._blocks and used > SLACK_SECONDS:
            self._run.change(self._lane, RUNNING, self._label, at=now - used, inferred=True)
        elif not self._blocks and took - used > SLACK_SECONDS:
            self._run.change(self._lane, RUNNING, self._label, at=self._since, inferred=True)
            self._run.change(self._lane, READY, self._label, at=self._since + used, inferred=True)

    def _begin(self, label, blocks):
        self._label, self._blocks = label, blocks
        self._since, self._cpu = self._run.now(), thread_time()
        self._run.change(self._lane, self._resting if blocks else RUNNING, label, at=self._since)

    @contextmanager
    def _blocking(self):
        """A call that blocks, for at most the seconds that are handed in."""
        seconds = self._check()
        self.end()
        self._begin(self._label, True)
        try:
            yield seconds
        finally:
            self.end()
            self._begin(self._label, False)

    def _check(self):
        """The seconds that are left. Raises TimeoutError when there are none, or nobody wants the page any more."""
        left = self.left()
        if left <= 0 or self._engine.interrupted.is_set():
            raise TimeoutError
        return left


def _finish(coroutine: Coroutine[object, object, None]) -> None:
    """Runs a coroutine that never has to wait for anybody: then its first step is its last."""
    with suppress(StopIteration):
        coroutine.send(None)
        raise RuntimeError("a blocking line does not suspend")
