"""What is called in place of a function of the program: a timer's callback, and what a task hands to a thread."""

import threading
import weakref
from collections.abc import Callable
from contextvars import Context
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

from kitchen.watching.traced import without_this


class Due:
    """The callback of a timer, which says while it runs when it was due. For whoever asks, it is the callback."""

    def __init__(self, hooks: Any, when: float, callback: Callable):
        self.hooks, self.when, self.callback = hooks, when, callback

    def __call__(self, *args):
        self.hooks.due = min(self.when, perf_counter())
        try:
            return self.callback(*args)
        except BaseException as error:
            without_this(error)
            raise
        finally:
            self.hooks.due = None

    def __getattr__(self, name):
        return getattr(self.callback, name)

    def __repr__(self):
        return repr(self.callback)


class Function(NamedTuple):
    """A function's name, and where it begins; ("", 0) where that is not Python."""

    name: str
    file: str
    line: int

    @classmethod
    def of(cls, function: Callable) -> "Function":
        """What a partial is a part of is told, and what `asyncio.to_thread` was asked for."""
        while isinstance(function, partial):
            is_run = isinstance(getattr(function.func, "__self__", None), Context)  # how to_thread calls it
            function = function.args[0] if is_run and function.args else function.func
        code = getattr(function, "__code__", None)
        place = (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)
        return cls(getattr(function, "__name__", type(function).__name__), *place)


class Job:
    """A function that runs in a thread of an executor, for a task that waits for it; it is let go of when it has run.

    `thread`: the name of its thread, once it runs. `is_full`: whether the loop's own executor has no further thread for it.
    `pool`: the executor, weakly, if it is to have one thread only.
    """

    def __init__(self, samplers: list, function: Callable, is_full: bool = False, pool: Any = None):
        self.samplers, self.thread, self.what = samplers, "", Function.of(function)
        self._function: Callable | None = function
        self.asked = perf_counter() if is_full else None
        self.pool = weakref.ref(pool) if getattr(pool, "_max_workers", 0) == 1 else None

    def __call__(self, *args):
        self.thread = threading.current_thread().name
        function, self._function = self._function, None
        for sampler in self.samplers:
            if self.asked is not None:
                sampler.recorder.began_job(self.asked)
            sampler.job_begins(self.what.name)
        try:
            return function(*args)
        except BaseException as problem:
            without_this(problem)
            raise
        finally:
            for sampler in self.samplers:
                sampler.job_ends()
