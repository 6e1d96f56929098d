"""The coroutine engine of `fetch`: the same sockets, which do not block, and an event loop that knows who can go on."""

import asyncio
import errno
import os
import socket
import types
from collections.abc import Coroutine
from contextlib import nullcontext

from kitchen.recorder import UNFINISHED
from kitchen.timeline import READY, RUNNING, WAITING
from kitchen.web.client import Run
from kitchen.web.exchange import CONNECTING
from kitchen.web.tls import READ_BYTES

UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK)  # a connection that is not there yet
SLICE_SECONDS = 0.005  # that a page with much to read may keep the loop, before others have a turn


class Coroutines:
    """Fetches the URLs of a run, each in the task that asks for it, and records the steps of these tasks."""

    def __init__(self, run: Run):
        self.run = run
        self._line = _line_for(asyncio.get_running_loop())
        self._round = None
        self.resumed = 0.0  # when the present step began, in seconds since the run did

    async def get(self, lane: int) -> None:
        """Fetches one URL in the running task."""
        page, error = self.run.page(lane), None
        line = self._line(self, lane)
        try:
            async with asyncio.timeout(self.run.timeout):
                await page.load(line)
        except Exception as problem:
            error = problem
        finally:
            line.close()
        self.run.settle(lane, page, error)

    def phase(self, lane: int, label: str) -> None:
        """The running lane has come to another phase."""
        if label != self.run.labels[lane]:
            self.run.labels[lane] = label
            self.run.change(lane, RUNNING, label)

    async def step_by_step(self, lane: int, coroutine: Coroutine[object, object, None]) -> None:
        """Runs a coroutine as it is, and records each of its steps: from where it is resumed to where it awaits again."""
        return await self._steps(lane, coroutine)

    @types.coroutine
    def _steps(self, lane, coroutine):
        run, labels = self.run, self.run.labels
        resume, value, rested = coroutine.send, None, None
        while True:
            ready = self._round_began()
            if rested is not None and ready > rested:
                run.change(lane, READY, labels[lane], at=ready, inferred=True)
            self.resumed = run.now()
            run.change(lane, RUNNING, labels[lane], at=self.resumed)
            try:
                awaited = resume(value)
            except StopIteration as finished:
                return finished.value
            except BaseException:  # cancelled: nothing more happens on this lane
                run.finish(lane, UNFINISHED)
                raise
            rested = run.now()
            run.change(lane, WAITING, labels[lane], at=rested)
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
            self._round = self.run.now()
            asyncio.get_running_loop().call_soon(setattr, self, "_round", None)
        return self._round


class _Line:
    """A lane's line to the network (see line.py).

    Each call is tried at once, and the loop only asked to look after the socket where it has to be waited for: of a socket
    on this computer that is once in a request.
    """

    def __init__(self, engine, lane):
        self._engine, self._lane = engine, lane
        self._run = engine.run
        self._up = self._run.now() + self._run.timeout
        self._loop = asyncio.get_running_loop()
        self._socket = None
        engine.phase(lane, CONNECTING)

    def left(self) -> float:
        return self._up - self._run.now()

    def phase(self, label) -> None:
        self._engine.phase(self._lane, label)

    async def look_up(self, host, port):
        return await asyncio.wrap_future(self._run.names.look_up(host, port))

    async def connect(self, family, address, share):
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        async with asyncio.timeout(self.left() / share) if share > 1 else nullcontext():
            await self._connect(address)

    async def _connect(self, address):
        problem = self._socket.connect_ex(address)
        if problem in UNDER_WAY:
            if not self._is_connected():
                await self._until(self._loop.add_writer, self._loop.remove_writer)
            problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, os.strerror(problem))

    def _is_connected(self):
        """On this computer that is so at once, although the system says that it is under way."""
        try:
            return bool(self._socket.getpeername())
        except OSError:
            return False

    async def send(self, data):
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                await self._until(self._loop.add_writer, self._loop.remove_writer)

    async def receive(self):
        await self.breathe()  # lest a site that sends faster than we read has all of the time
        while True:
            try:
                return self._socket.recv(READ_BYTES)
            except BlockingIOError:
                await self._until(self._loop.add_reader, self._loop.remove_reader)

    async def _until(self, add, remove):
        """Until the socket can be written to, or read."""
        number, ready = self._socket.fileno(), self._loop.create_future()
        add(number, _set, ready)
        try:
            await ready
        finally:
            remove(number)

    async def pause(self, seconds):
        await asyncio.sleep(seconds)

    async def breathe(self):
        if self._run.now() - self._engine.resumed > SLICE_SECONDS:
            await asyncio.sleep(0)

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection:
            connection.close()


class _Overlapped(_Line):
    """The same where the loop does not tell when a socket is ready, but does the work itself: on Windows."""

    async def _connect(self, address):
        await self._loop.sock_connect(self._socket, address)

    async def send(self, data):
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self):
        await self.breathe()
        return await self._loop.sock_recv(self._socket, READ_BYTES)


def _line_for(loop):
    return _Overlapped if isinstance(loop, getattr(asyncio, "ProactorEventLoop", ())) else _Line


def _set(future):
    if not future.done():
        future.set_result(None)
