"""What takes the place of some methods of an event loop while it is watched: for this one loop, and put back at the end.

However many watches there are in one loop, it has one set of hooks: the first watch puts it up, the last one takes it down,
in whatever order they end.
"""

import asyncio
import inspect
import sys
import weakref
from asyncio import base_events, events, tasks
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import perf_counter
from types import MethodType
from typing import Any

from kitchen.watching.calls import Due, Handed, Job
from kitchen.watching.handles import EmptyHandle, called_handle_of, timer_handle_of
from kitchen.watching.lane import Lane, Several
from kitchen.watching.spot import call_of, spot_of
from kitchen.watching.traced import unseen, without_this, without_us

# What is in one of the loop's handles: where it is anything else, we do not make them ourselves.
HANDLE = "__weakref__ _args _callback _cancelled _context _loop _repr _source_traceback"
HEARD, HEARS = "call_exception_handler", base_events.BaseEventLoop.call_exception_handler
NAMES = (
    *(["create_task"] if sys.version_info[:2] == (3, 13) else []),
    "set_debug",
    "call_soon",
    "call_at",
    "call_soon_threadsafe",
    "run_in_executor",
    "create_future",  # in debug mode only, when it keeps where it was made
    HEARD,
    "set_task_factory",
    "get_task_factory",
)
THEIR_TIMERS = ("call_at", "call_later")  # of a loop that is not asyncio's: there, one does not call the other
Task = tasks.Task  # which a program may replace
_hooks = weakref.WeakKeyDictionary()  # by loop


class Hooks:
    """The methods of one loop that are replaced as long as somebody watches it.

    What every step goes through is made as a function of its own, with all that it needs at hand: to look this up in an
    object each time would be felt. `due`: the moment that caused what is happening, a timer's, or that of a call from
    another thread; None when it is caused by what happens now. `lanes`: by id(task), what is told that a task may go on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self.tracers = []
        self.lanes: dict[int, Lane | Several] = {}
        self.due: float | None = None
        self.is_in_step = False  # of a task that was there before: our own function is below it, until the step ends
        self.others = weakref.WeakSet()  # tasks that are not seen: were there before, or came from the factory unseen
        self.own_name = ""  # the one that Python gave to the task that was made last
        self.afterwards: list[Callable] = []  # what is to be done when it does
        self.shift = min(perf_counter() - loop.time() for _ in range(3))  # from the loop's clock to ours
        self.may_give_way = False  # a task that was there before: in its step, or in one that began unseen
        try:
            self.factory = type(loop).get_task_factory(loop)
            type(loop).set_task_factory(loop, self.factory)
            mine, _ = vars(loop), weakref.ref(loop)
        except (AttributeError, NotImplementedError, TypeError) as error:
            kind = type(loop).__name__
            raise RuntimeError(f"watch cannot see into a {kind}: it lets nobody hear of its tasks") from error
        self.is_asyncios = isinstance(loop, base_events.BaseEventLoop)
        names = NAMES if self.is_asyncios else (*NAMES, "call_later")
        is_left = HEARD in mine or (self.is_asyncios and getattr(type(loop), HEARD) is not HEARS)
        self.names = [name for name in names if name != HEARD or not is_left]  # a handler of the program's own is
        self.before = {name: mine[name] for name in self.names if name in mine}
        self.plain = {name: getattr(loop, name) for name in self.names}  # as they are before, bound
        self.is_quick = (
            self.is_asyncios
            and type(loop).call_soon is base_events.BaseEventLoop.call_soon
            and "call_soon" not in self.before
            and " ".join(sorted(events.Handle.__slots__)) == HANDLE
        )
        self._put_up()
        _hooks[loop] = self

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Hooks":
        """Those of a loop, put up if need be. RuntimeError for a loop that cannot be watched."""
        return _hooks.get(loop) or cls(loop)

    def _put_up(self):
        self.step_of_bare = step_of_bare = self._step_of_bare()
        self.slow_call_soon = self._call_soon(step_of_bare)
        self.quick_call_soon = self._quick_call_soon(step_of_bare) if self.is_quick else self.slow_call_soon
        self.called_handle, self.timer_handle = called_handle_of(self), timer_handle_of(self, self.shift)
        timers = {} if self.is_asyncios else {name: self._their_timer(name) for name in THEIR_TIMERS}
        others = [name for name in self.names if name != "call_soon" and name not in timers]
        self.mine = {name: getattr(self, f"_{name}") for name in others} | timers
        vars(self.loop).update(self.mine)
        self._debug(self.loop.get_debug())
        type(self.loop).set_task_factory(self.loop, self.make)

    def enter(self, tracer: Any) -> None:
        """One more watches this loop."""
        self.tracers.append(tracer)
        self.others.update(asyncio.all_tasks(self.loop))

    def leave(self, tracer: Any) -> None:
        """One less; after the last one everything is as it was before, but for what others have replaced meanwhile."""
        self.tracers.remove(tracer)
        if self.tracers:
            return
        _hooks.pop(self.loop, None)
        mine = vars(self.loop)
        for name in self.names:
            if name in mine and self._is_mine(name, mine[name]):
                del mine[name]
                if name in self.before:
                    mine[name] = self.before[name]
        if type(self.loop).get_task_factory(self.loop) == self.make:
            type(self.loop).set_task_factory(self.loop, self.factory)

    def see_waiting(self) -> None:
        """Steps that wait to begin, of tasks that were there before, are seen too."""
        for handle in list(getattr(self.loop, "_ready", ())):
            lane = self.lanes.get(id(getattr(handle._callback, "__self__", None)))
            known = lane is None or lane.has_clock or handle._cancelled
            if not known and getattr(handle._callback, "__func__", None) is not self.step_of_bare:
                step = MethodType(self.step_of_bare, handle._callback.__self__)  # whoever asks is told whose step it is
                handle._callback, handle._args = step, (handle._callback, *handle._args)

    # --- which lanes are told that a task may go on

    def add(self, key: int, lane: Lane) -> None:
        """`lane` is one of those of the task with this id."""
        there = self.lanes.get(key)
        if there is None:
            self.lanes[key] = lane
        elif there is not lane and lane not in getattr(there, "lanes", ()):
            self.lanes[key] = Several(*getattr(there, "lanes", (there,)), lane)

    def drop(self, key: int, lane: Lane) -> None:
        """No longer."""
        there = self.lanes.get(key)
        if there is lane:
            del self.lanes[key]
        elif isinstance(there, Several):
            rest = [other for other in there.lanes if other is not lane]
            self.lanes[key] = rest[0] if len(rest) == 1 else Several(*rest)

    # --- tasks

    def make(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task:
        """The task factory: what the program's own factory makes of a coroutine with a clock around it."""
        began = perf_counter()
        traced = []
        if asyncio.iscoroutine(coroutine):  # else the factory says what is wrong
            creator = asyncio.current_task(loop)
            for tracer in self.tracers:
                coroutine, lane = tracer.trace(coroutine, creator, began)
                if lane is not None:
                    traced.append((tracer, lane))
        ours = perf_counter() - began
        try:
            task = self._made(loop, coroutine, options)
        except BaseException as error:
            without_us(error)
            raise
        began = perf_counter()
        for tracer, lane in traced:
            tracer.adopt(lane, task)
        ours += perf_counter() - began
        for tracer, lane in traced:
            tracer.cost(lane, ours)
        if len(traced) < len(self.tracers) and isinstance(task, Task):
            self.others.add(task)
        return task

    def _made(self, loop, coroutine, options):
        if self.factory is not None:
            task = self.factory(loop, coroutine, **options)
        else:
            task = tasks.Task(coroutine, loop=loop, **options)  # as the loop does: a program may replace asyncio.Task
            self.own_name = task.get_name()
        unseen(task, but_for={base_events.__file__} if self.factory is None else ())
        return task

    def _create_task(self, *given, **options):
        """For Python 3.13, which at first calls every task "None" that a factory makes and that has no other name."""
        try:
            task = self.plain["create_task"](*given, **options)
        except BaseException as error:
            without_us(error)
            raise
        if self.factory is None and options.get("name") is None and task.get_name() == "None":
            task.set_name(self.own_name)
        return task

    def _set_task_factory(self, factory):
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self.factory = factory

    def _get_task_factory(self):
        return self.factory

    def met(self, task: asyncio.Task) -> Lane | Several | None:
        """A task is woken that nobody sees. If the factory knows nothing of it, it is seen from its next step on."""
        if task in self.others:
            return None
        self.others.add(task)
        for tracer in self.tracers:
            tracer.meet(task)
        return self.lanes.get(id(task))

    # --- what every step goes through: functions of their own

    def _step_of_bare(self):
        """For tasks that began before they were watched: no clock is around their coroutines."""
        lanes, now, afterwards = self.lanes, perf_counter, self.afterwards

        def step_of_bare(task, callback, *args):
            was_in_step = self.is_in_step  # where one runs this loop again, within a step
            self.is_in_step = self.may_give_way = True
            entry = lanes.get(id(task))
            seen = [lane for lane in getattr(entry, "lanes", (entry,)) if lane is not None and not lane.has_clock]
            start = now()
            for lane in seen:
                lane.tracer.bare_step_begins(lane, start, args[0] if args else None)
            try:
                callback(*args)
            except BaseException as error:  # that ends the loop: sys.exit
                without_this(error)
                raise
            finally:
                stop = now()
                for lane in seen:
                    lane.tracer.bare_step_ends(lane, stop)
                self.is_in_step = self.may_give_way = was_in_step
                while afterwards:
                    afterwards.pop()()

        return step_of_bare

    def _call_soon(self, step_of_bare):
        lanes, plain, now = self.lanes, self.plain["call_soon"], perf_counter

        def call_soon(callback, *args, context=None):
            task = getattr(callback, "__self__", None)
            lane = lanes.get(id(task))
            if lane is None and args and isinstance(task, Task):
                lane = self.met(task)
            if lane is not None:
                lane.woken = now() if self.due is None else self.due
                if not lane.has_clock:
                    callback, args = MethodType(step_of_bare, callback.__self__), (callback, *args)
            try:
                return unseen(plain(callback, *args, context=context))
            except BaseException as error:
                without_us(error)
                raise

        return call_soon

    def _quick_call_soon(self, step_of_bare):
        lane_of, loop, now = self.lanes.get, self.loop, perf_counter
        append, plain = loop._ready.append, self.slow_call_soon

        def call_soon(callback, *args, context=None):
            """The same, with what the loop's own method does written out: three calls less, and each would be felt."""
            if loop._closed:
                return plain(callback, *args, context=context)  # which says so
            # A task that gives way calls without args, in its step: a clock around it knows by itself when that was.
            if args or self.may_give_way:
                task = getattr(callback, "__self__", None)
                lane = lane_of(id(task))
                if lane is None and args and isinstance(task, Task):
                    lane = self.met(task)
                if lane is not None:
                    due = self.due
                    lane.woken = now() if due is None else due
                    if not lane.has_clock:
                        self.may_give_way = bool(args) or self.is_in_step
                        callback, args = MethodType(step_of_bare, callback.__self__), (callback, *args)
            handle = EmptyHandle()
            handle._callback, handle._args, handle._loop, handle._cancelled = callback, args, loop, False
            handle._context = copy_context() if context is None else context
            handle._repr = handle._source_traceback = None
            append(handle)
            return handle

        return call_soon

    # --- what says what caused a call

    def _call_at(self, when, callback, *args, context=None):
        try:
            timer = unseen(self.plain["call_at"](when, callback, *args, context=context))
        except BaseException as error:
            without_us(error)
            raise
        if type(timer) is events.TimerHandle:
            timer.__class__ = self.timer_handle
        return timer

    def _their_timer(self, name):
        """A timer of a loop that is not asyncio's, whose handles cannot say what caused their call: its callback does."""
        plain, is_delay = self.plain[name], name == "call_later"

        def call(when, callback, *args, context=None):
            due = self.shift + when + (self.loop.time() if is_delay else 0.0)
            called = Due(self, due, callback) if callable(callback) else callback
            return plain(when, called, *args, context=context)

        return call

    def _call_soon_threadsafe(self, callback, *args, context=None):
        loop = self.loop
        if not self.is_quick or loop._closed or loop.get_debug():
            try:
                return unseen(self.plain["call_soon_threadsafe"](callback, *args, context=context))
            except BaseException as error:
                without_us(error)
                raise
        handle = self.called_handle(callback, args, loop, context)
        handle.called = perf_counter()
        loop._ready.append(handle)
        loop._write_to_self()
        return handle

    # --- the rest

    def _run_in_executor(self, executor, func, *args):
        plain = self.plain["run_in_executor"]
        ours = executor is None or isinstance(executor, ThreadPoolExecutor)  # else other processes: func is sent there
        if not ours or not callable(func) or (self.loop.get_debug() and inspect.iscoroutinefunction(func)):
            return plain(executor, func, *args)  # which says what is wrong with it, where something is
        samplers = [tracer.sampler for tracer in self.tracers]
        own = getattr(self.loop, "_default_executor", None) if executor is None else None
        # Else it can begin one more, or is to have but one.
        is_full = own is not None and len(own._threads) >= own._max_workers > 1
        here = sys._getframe(1)
        asked = (perf_counter(), spot_of(here, call_of(here))) if is_full else None
        job = Job(func, asked, own if executor is None else executor)
        try:
            future = unseen(plain(executor, Handed(func, job, samplers), *args))
        except BaseException as error:
            without_us(error)
            raise
        for tracer in self.tracers:
            tracer.recorder.awaiting.jobs[future] = job
        return future

    def _create_future(self):
        return unseen(self.plain["create_future"]())

    def _call_exception_handler(self, context):
        task = context.get("task") or context.get("future")
        for tracer in self.tracers:
            tracer.heard(context.get("message", ""), task)
        return self.plain["call_exception_handler"](context)

    def _set_debug(self, enabled):
        self.plain["set_debug"](enabled)
        self._debug(enabled)

    def _debug(self, enabled):
        mine = vars(self.loop)
        if self._is_mine("call_soon", mine.get("call_soon", self.slow_call_soon)):
            mine["call_soon"] = self.slow_call_soon if enabled else self.quick_call_soon
        if not enabled and mine.get("create_future") == self.mine["create_future"]:
            del mine["create_future"]
        elif enabled and "create_future" not in mine:
            mine["create_future"] = self.mine["create_future"]

    def _is_mine(self, name, method):
        return method in ((self.slow_call_soon, self.quick_call_soon) if name == "call_soon" else (self.mine[name],))
