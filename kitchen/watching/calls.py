"""What is called in place of a function of the program: a timer's callback, and what a task hands to a thread."""

import threading
import weakref
from collections.abc import Callable, Sequence
from contextvars import Context
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

from kitchen.watching.spot import Spot
from kitchen.watching.traced import without_this


class Instead:
    """What is called in place of a function. For whoever asks, it is the function."""

    def __init__(self, function: Callable):
        self.function = function
        self.__module__, self.__doc__ = getattr(function, "__module__", None), function.__doc__  # a class has its own

    @property
    def __class__(self):
        return type(self.function)

    def __eq__(self, other):
        return self.function == (other.function if type(other) is type(self) else other)

    def __hash__(self):
        return hash(self.function)

    def __getattr__(self, name):
        return getattr(self.function, name)

    def __repr__(self):
        return repr(self.function)


class Due(Instead):
    """The callback of a timer, which says while it runs when it was due."""

    def __init__(self, hooks: Any, when: float, callback: Callable):
        super().__init__(callback)
        self.hooks, self.when = hooks, when

    def __call__(self, *args):
        self.hooks.due = min(self.when, perf_counter())
        try:
            return self.function(*args)
        except BaseException as error:
            without_this(error)
            raise
        finally:
            self.hooks.due = None


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
    """What is known of a function that runs in a thread of an executor, for a task that waits for it.

    `thread`: the name of its thread, once it runs. `asked`: since when it has to queue for a thread of the loop's own
    executor, and where it was handed over; None: there is one for it. `pool`: the executor, weakly, if it is to have one
    thread only.
    """

    def __init__(self, function: Callable, asked: tuple[float, Spot] | None = None, pool: Any = None):
        self.what, self.asked, self.thread = Function.of(function), asked, ""
        self.pool = weakref.ref(pool) if getattr(pool, "_max_workers", 0) == 1 else None


class Handed(Instead):
    """The function of such a job, which says when it begins and ends."""

    def __init__(self, function: Callable, job: Job, samplers: Sequence[Any]):
        super().__init__(function)
        self.job, self.samplers = job, samplers

    def __call__(self, *args):
        job, function = self.job, self.function
        job.thread = threading.current_thread().name
        for sampler in self.samplers:
            if job.asked is not None:
                sampler.recorder.began_job(*job.asked)
            sampler.job_begins(job.what.name)
        try:
            return function(*args)
        except BaseException as problem:
            without_this(problem)
            raise
        finally:
            for sampler in self.samplers:
                sampler.job_ends()
