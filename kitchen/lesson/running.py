"""Runs a reader's code: in a thread with a deadline, so that one that hangs is told so; watched, where that is wanted."""

import asyncio
import ctypes
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from kitchen.timeline import WAITING, Finding, Span, Timeline
from kitchen.watching.sampler import NAME as SAMPLER
from kitchen.watching.watch import watch

TICK = 0.02  # seconds: deadlines are counted in these, so that they are later where the computer is busy with others
CHECK_SECONDS = 10.0  # that a reader's code may take in a check
ENDING_SECONDS = 2.0  # seconds that it may take to end when it is told to


class Wrong(Exception):
    """What is off, in a sentence; the Timeline that shows it, and in it the very span."""

    def __init__(self, text: str, timeline: Timeline | None = None, span: Span | None = None):
        super().__init__(text)
        self.text, self.timeline, self.span = text, timeline, span


class _Stopped(SystemExit):  # of which threads that end by it say nothing
    """Thrown into a thread whose time is up."""


class _Reader(threading.Thread):
    """A thread that calls the reader's function, and that can be told to end, also while it waits in an event loop.

    `value` or `error` is what came of it, once it is `done`. (An Event says so: in Python 3.11 and 3.12, a Thread that is
    waited for when an interrupt comes counts as dead from then on.)
    """

    def __init__(self, function, arguments):
        super().__init__(name="the reader's answer", daemon=True)
        self.function, self.arguments = function, arguments
        self.value = self.error = self.loop = None
        self.done = threading.Event()

    def run(self):
        try:
            self.value = self.function(*self.arguments)
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()

    def stop(self, others):
        """Breaks off what this thread and `others` do in Python. What blocks outside Python ends with the process."""
        deadline = monotonic() + ENDING_SECONDS
        while monotonic() < deadline:
            for thread in [self, *others]:
                if thread.ident and not (thread is self and self.done.is_set()):
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped))
            if self.loop:
                with suppress(RuntimeError):  # it is closed by now
                    self.loop.call_soon_threadsafe(int)  # a loop that only waits comes to Python by that
            others = []
            if self.done.wait(ENDING_SECONDS / 4):
                return


def call(function: Callable, *arguments: Any, seconds: float | None = None) -> Any:
    """`function(*arguments)`, in a thread of its own. Raises Wrong when it is not done within CHECK_SECONDS."""
    seconds = seconds or CHECK_SECONDS
    before = set(threading.enumerate())
    reader = _Reader(function, arguments)
    reader.start()
    try:
        any(reader.done.wait(TICK) for _ in range(round(seconds / TICK)))
    finally:  # also when the reader interrupts the check
        late = not reader.done.is_set()
        if late:
            reader.stop([t for t in threading.enumerate() if t not in before and t is not reader and t.name != SAMPLER])
    if late:
        what = "something in it waits for what never comes, or loops for ever"
        raise Wrong(f"after {seconds:g} s it was still not done: {what}")
    if isinstance(reader.error, Exception):
        raise reader.error
    if reader.error is not None:
        raise Wrong(f"your code let {type(reader.error).__name__} out, which nobody above it expects")
    return reader.value


class Ran(NamedTuple):
    """What became of the reader's coroutine: what it returned, the Timeline of its tasks, and what stands out in it."""

    value: Any
    timeline: Timeline
    findings: list[Finding]


def run(function: Callable, *arguments: Any, title: str = "your code", seconds: float | None = None) -> Ran:
    """Runs `await function(*arguments)` in an event loop of its own, in a thread of its own, and watches its tasks.

    Raises Wrong when `function` is no coroutine function, and when it is not done after so many seconds (CHECK_SECONDS).
    """
    seconds = seconds or CHECK_SECONDS
    if not inspect.iscoroutinefunction(function):
        raise Wrong("this is not a coroutine function: start it with `async def`, so that it can await")
    watching = watch(title, body="your code")
    limit = asyncio.Timeout(None)

    def tick(left):
        if left:
            loop = asyncio.get_running_loop()
            loop.call_at(loop.time() + TICK, tick, left - 1)
        else:
            with suppress(RuntimeError):  # the block is over
                limit.reschedule(0)

    async def watched():
        tick(round(seconds / TICK))
        async with watching, limit:
            return await function(*arguments)

    def work():
        with asyncio.Runner() as runner:
            threading.current_thread().loop = runner.get_loop()
            return runner.run(watched())

    try:
        value = call(work, seconds=seconds + ENDING_SECONDS)
    except TimeoutError:
        if not limit.expired():
            raise  # a timeout of the reader's own
        timeline = watching.timeline
        waits = [span for span in timeline.by_lane["your code"] if span.state is WAITING]
        span = next((span for span in waits[-1:] if span.duration > seconds / 2), None)
        what = f"it waits for what never comes ({span.label})" if span else "something in it waits for what never comes"
        raise Wrong(f"after {seconds:g} s it was still not done: {what}", timeline, span) from None
    finally:
        watching.close()  # what hangs has not left its block
    return Ran(value, watching.timeline, watching.findings)
