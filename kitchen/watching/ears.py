"""Ears that watches lend to the whole process while they are on, all in one, and taken back with the last of them.

Python has one function for coroutines that were never awaited, which warns of them; and a loop that starts to run says so in
one place, where asyncio keeps which loop is running. From Python 3.14 on a task can ask for the calls that it is in: they
are told without our clock.
"""

import asyncio
import sys
import threading
import warnings
from asyncio import events, runners
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from types import CoroutineType
from typing import Any

from kitchen.watching.clock import steps
from kitchen.watching.traced import without_this, without_us
from kitchen.watching.whose import is_ours, is_readers

# Frames of a file of such a name do not count in the `stacklevel` of a warning.
UNCOUNTED = "<importlib._bootstrap, kitchen>"
_changing = threading.RLock()  # garbage is collected at any moment, and the block of a dropped coroutine ends then


class Ear:
    """A function of a module that is listened to: each of `listeners` is told first what it is called with.

    Or told `afterwards`, when it has done what it does.
    """

    def __init__(self, module: Any, name: str, before: Callable | None = None, afterwards: bool = False):
        self.module, self.name, self.plain, self.ours = module, name, None, None
        self.listeners: list[Callable] = []
        self._change, self._afterwards = before or (lambda given: given), afterwards

    def lend(self, listener: Callable) -> None:
        """From now on it is told."""
        with _changing:
            self.listeners.append(listener)
            if len(self.listeners) == 1 and self.ours is None:
                self.plain = getattr(self.module, self.name)
                self.ours = self._heard()
                setattr(self.module, self.name, self.ours)

    def give_back(self, listener: Callable) -> None:
        """No longer; nothing when it was not told."""
        with _changing:
            if listener in self.listeners:
                self.listeners.remove(listener)
            plain, ours = self.plain, self.ours
            if not self.listeners and ours is not None and getattr(self.module, self.name) is ours:
                setattr(self.module, self.name, plain)
                self.plain = self.ours = None

    def _heard(self):
        plain, listeners, change = self.plain, self.listeners, self._change

        def tell(given):
            for listener in list(listeners):
                listener(given)

        def heard(given):
            given = change(given)
            tell(given)
            try:
                return plain(given)
            except BaseException as error:
                without_this(error)
                raise

        def heard_afterwards(given):
            try:
                plain(given)
            except BaseException as error:
                without_this(error)
                raise
            tell(given)

        return heard_afterwards if self._afterwards else heard


class Dropped(Ear):
    """For what Python calls when a coroutine is dropped that was never awaited, whether the warning is shown or not."""

    def _heard(self):
        plain, listeners = self.plain, self.listeners
        is_pythons = getattr(plain, "__module__", "") in ("warnings", "_py_warnings")

        def heard(coroutine):
            for listener in list(listeners):
                listener(coroutine)
            try:
                plain(_made_without_us(coroutine) if is_pythons else coroutine)
            except BaseException as error:  # warnings may be errors
                without_this(error)
                raise

        heard.__code__ = heard.__code__.replace(co_filename=UNCOUNTED)
        return heard


class Made:
    """What Python asks of a coroutine to warn of it, without functions of ours in where it was made."""

    def __init__(self, coroutine: CoroutineType, origin: tuple):
        self.coroutine, self.cr_origin, self.__qualname__ = coroutine, origin, coroutine.__qualname__


def _made_without_us(coroutine):
    """What stands for a coroutine that keeps, in debug mode, where it was made, if functions of ours are in that."""
    origin = coroutine.cr_origin or ()
    others = tuple(call for call in origin if not is_ours(call[0]))
    return coroutine if len(others) == len(origin) else Made(coroutine, others)


class Calls(Ear):
    """For `capture_call_graph`: the calls of the task that runs end where its coroutine does, as they would unwatched.

    They end at the first frame below a coroutine that is no generator's; a clock is a generator.
    """

    def _heard(self):
        plain = self.plain

        @wraps(plain)
        def capture_call_graph(future=None, /, *, depth=1, limit=None):
            try:
                graph = plain(future, depth=depth + 1, limit=limit)
                whole = graph if limit is None else plain(future, depth=depth + 1)
            except BaseException as error:
                without_us(error)
                raise
            codes = [entry.frame.f_code for entry in whole.call_stack] if whole and limit != 0 else []
            if steps.__code__ not in codes:
                return graph
            calls = whole.call_stack[: codes.index(steps.__code__)]
            if limit:  # as asyncio does it
                calls = calls[:-limit] if limit < 0 else calls[-limit:]
            return replace(graph, call_stack=calls)

        return capture_call_graph


def _where_it_would_be(message):
    """A warning about something that was dropped while a clock of ours ran is about the place that called the clock."""
    frame = sys._getframe(2)
    if type(message.source) is Made:
        message.source = message.source.coroutine
    if is_ours(message.filename):
        while frame is not None and frame.f_code.co_filename != message.filename:
            frame = frame.f_back
        frame = _outside(frame)
        if frame is not None:
            message.filename, message.lineno, message.line = frame.f_code.co_filename, frame.f_lineno, None
    return message


def _outside(frame):
    """The innermost frame that is none of ours."""
    while frame is not None and (frame.f_code.co_filename == UNCOUNTED or is_ours(frame.f_code.co_filename)):
        frame = frame.f_back
    return frame


def as_it_is(message: warnings.WarningMessage) -> None:
    """For who hears warnings only so that they are about the place that they would be about."""


warned = Ear(warnings, "_showwarnmsg", _where_it_would_be)  # with all that a warning knows: its source, too
died = Ear(threading, "excepthook")  # a thread, of an exception
dropped = Dropped(warnings, "_warn_unawaited_coroutine")
loop_runs = Ear(events, "_set_running_loop")  # None: it no longer runs
has_loop = Ear(runners.Runner, "_lazy_init", afterwards=True)  # a runner; another's loop says nowhere that it runs
ends_loop = Ear(runners, "_cancel_all_tasks")  # of a runner that closes, with its loop
call_graphs = [
    Calls(module, "capture_call_graph")
    for module in (asyncio, getattr(asyncio, "graph", None))
    if hasattr(module, "capture_call_graph")
]


def never_awaited(coroutine: CoroutineType) -> tuple[str, int, str]:
    """File, line and name of a coroutine that is dropped at this moment.

    The line is the reader's: where it is dropped, or else where its function begins.
    """
    frame, code, name = _outside(sys._getframe()), coroutine.cr_code, coroutine.__qualname__
    if frame is None or (not is_readers(frame.f_code.co_filename) and is_readers(code.co_filename)):
        return code.co_filename, code.co_firstlineno, name
    return frame.f_code.co_filename, frame.f_lineno, name
