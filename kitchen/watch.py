"""Any asyncio program in the same picture: a lane for each of its tasks, and for each thread that it starts.

A task runs in steps: the event loop calls its coroutine's `send`, which returns at the next `await` that has to wait. So a
task factory puts a clock around every new task's coroutine (`_steps`, below), and inside the block this very loop's
`call_soon` writes down when a task was told to go on. Nothing is patched beyond this one loop, and everything is put back
at the end. (One ear is lent to the process: Python reports a coroutine that was never awaited as a warning, and in no
other way, so `warnings.showwarning` is listened to, and called as ever.)

What is observed: every step (RUNNING: the task held the loop, whether it computed or blocked), what it awaits when a step
ends (WAITING), and when something told it to go on (READY). If that was a timer, or another thread, the task is READY from
the moment at which the timer was due, or the thread called, even if a blocked loop got round to it later. What comes
through a socket is noticed when the loop looks there: until then the task shows as WAITING. Threads can only be looked at
from outside (`sampler.py`): what is said of them is inferred.

Seen are the tasks that are made inside the block, by the block itself or by what it started, and the task that runs the
block. Tasks that do not come from the loop's factory (`asyncio.Task(…)` called directly) are not.
"""

import asyncio
import re
import sys
import threading
import warnings
import weakref
from asyncio import base_events, events, futures
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from time import perf_counter

from kitchen.awaiting import Awaiting, Wait, frames, is_readers
from kitchen.diagnosis import Facts, Note, Step, diagnose
from kitchen.recorder import Entry, Recorder
from kitchen.sampler import Sampler
from kitchen.timeline import READY, RUNNING, WAITING, Finding, Timeline

SHORT = 1e-4  # seconds: a wait that was shorter than this is not asked what for
SETTLED = 1e-3  # seconds after its making by which a task has been given its name
STUCK = 0.02  # seconds after which a step that still goes on is worth a look at who is kept waiting
# What came after a step, in the notes of a run; and, in the same place, that a task was made.
GAVE_WAY, WAITS, OVER, MADE = "gave way", "waits", "over", "made"
FACTS = 6  # in a note
HANDLE = {  # what is in one of the loop's handles: where it is anything else, we do not make them ourselves
    "_callback",
    "_args",
    "_loop",
    "_cancelled",
    "_context",
    "_repr",
    "_source_traceback",
    "__weakref__",
}
NEVER_AWAITED = re.compile(r"coroutine '(.+)' was never awaited")
FOREIGN = {"ipykernel", "zmq", "tornado", "jupyter_client", "jupyter_server", "comm"}  # a notebook's own affairs


class watch:
    """Records what the asyncio tasks (`async with`) and threads (`with` or `async with`) of a program do inside the block.

    `title`: of the picture. `at_once`: how many tasks may wait for the outside at the same moment before that is called
    too many. `body`: the name of the lane of the block itself; by default that of its task. Inside a `live` block the
    picture fills in meanwhile. `async with` gives way to other tasks once.
    """

    def __init__(self, title: str = "", at_once: int = 100, body: str = ""):
        if not isinstance(at_once, int) or at_once < 1:
            raise ValueError(f"at_once={at_once!r}: give a whole number of tasks, 1 or more")
        self._title, self._at_once, self._body = title, at_once, body
        self._recorder = self._sampler = self._tracer = self._showwarning = None

    @property
    def timeline(self) -> Timeline:
        """What has been seen so far: a lane per task, named as the task is, and per thread. RuntimeError before it began."""
        return self._begun().timeline()

    @property
    def findings(self) -> list[Finding]:
        """What is amiss, in words; empty for a clean program, and until the block is over. RuntimeError before it began."""
        return list(self._begun().findings)

    def close(self) -> None:
        """Ends it from outside, where its block hangs and cannot be left; nothing when it has ended, or not begun."""
        if self._recorder is not None and self._recorder.ended is None:
            self._end()

    def _begun(self):
        if self._recorder is None:
            raise RuntimeError("nothing has been watched yet: the block has not begun")
        return self._recorder

    def __repr__(self):
        return f"<watch {self._title!r}: {'not begun' if self._recorder is None else repr(self.timeline)}>"

    def __enter__(self):
        self._begin(None)
        return self

    def __exit__(self, *problem):
        self._end()

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self._begin(loop)
        try:
            self._tracer = Tracer(loop, self._recorder, self._sampler)
            self._tracer.install(asyncio.current_task(), self._body)
            await asyncio.sleep(0)  # the step under way began unseen: the next one is seen
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(self, kind, problem, traceback):
        self._tracer.uninstall(problem)
        self._end()

    def _begin(self, loop):
        if self._recorder is not None:
            raise RuntimeError("this watch has been used already: make a new one for every block")
        self._recorder = Watched(self._title or "watched", self._at_once)
        self._sampler = Sampler(self._recorder, threading.get_ident() if loop else None)
        self._sampler.start()
        self._listen()

    def _end(self):
        if self._tracer:
            self._tracer.uninstall()
        if warnings.showwarning is self._showwarning[0]:
            warnings.showwarning = self._showwarning[1]
        try:
            self._sampler.stop()
        finally:
            self._recorder.close()

    def _listen(self):
        """Hears of coroutines that were never awaited: Python tells of them as a warning, when they are dropped."""
        before, recorder = warnings.showwarning, self._recorder

        def showwarning(message, category, filename, lineno, file=None, line=None):
            name = NEVER_AWAITED.match(str(message))
            if name and recorder.ended is None:
                recorder.remark("never awaited", None, filename, lineno, name[1])
            before(message, category, filename, lineno, file, line)

        self._showwarning = showwarning, before
        warnings.showwarning = showwarning


class Lane:
    """A task, as far as it is being watched."""

    __slots__ = (
        "bare",
        "before",
        "cancelled_at",
        "code",
        "function",
        "key",
        "left",
        "looked",
        "memory",
        "name",
        "number",
        "outcome",
        "overdue",
        "parent",
        "started",
        "state",
        "stopped",
        "task",
        "told",
        "woken",
    )

    def __init__(self, coroutine, parent, woken):
        self.code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
        self.function = self.code.co_name if self.code else type(coroutine).__name__
        self.parent = parent
        self.woken = woken  # when it was told to go on
        self.memory = None  # see Awaiting.look
        self.outcome = ""
        self.left = False  # whether the watch is over for it
        self.cancelled_at = None  # where it stood when it was last asked to end
        self.before = self.looked = None  # what it waited for when it was last looked at, and when that was
        self.started = None  # when the step began that is under way; None: none is
        self.task = None  # weakly: a task that nobody holds must vanish as it would unwatched
        self.name = self.number = self.key = None
        # What the log says by now.
        self.state = self.stopped = self.told = self.overdue = None

    def line(self):
        """File and line at which its function begins."""
        return (self.code.co_filename, self.code.co_firstlineno) if self.code else ("", 0)


class Watched(Recorder):
    """The record of one watch. Notes are taken as cheaply as can be, six facts in a flat list; `log` makes entries of them.

    `notes` holds, one after the other, for each step of a task: its lane, when it was told to go on, when the step began and
    ended, what it had waited for (None: not asked), what came then. They are in the order in which the steps ended. A lane
    that was MADE, or that was OVER without a step, has such a note too, with one and the same time in it.
    """

    def __init__(self, title, at_once=100):
        self.notes = []
        self.samples = []
        self.awaiting = Awaiting()
        self.loop, self.by_task = None, {}
        self.shift = 0.0  # from the loop's clock to ours
        self.parents = {}
        self._at_once = at_once
        self._remarks = []
        self._log, self._names, self._taken = [], [], set()
        self._tasks, self._waits, self._steps = [], [], []
        self._read = 0
        self._folding = threading.RLock()
        self._found = None
        super().__init__((), title)

    # --- what a Recorder has

    @property
    def lanes(self):
        return tuple(self._names)

    @lanes.setter
    def lanes(self, lanes):
        """There are none when it begins."""

    @property
    def log(self):
        self._fold()
        return self._log

    @log.setter
    def log(self, log):
        """It is empty when it begins."""

    def change(self, lane, state, label="", at=None, inferred=False):
        self._log.append((self.now() if at is None else at, lane, state, label, inferred))

    def close(self):
        if self.ended is None:
            super().close()

    @property
    def findings(self):
        if self.ended is None:
            return ()
        if self._found is None:
            self._found = ()  # so that the Timeline that the diagnosis looks at has none
            self._found = tuple(diagnose(self._facts()))
        return self._found

    def _facts(self):
        timeline = self.timeline()
        waits = [
            Wait(lane.number, start, end, place.kind, frames(place, numbers), place.outside)
            for lane, start, end, place, numbers in self._waits
        ]
        remarks = [
            Note(kind, lane.number if lane else None, time - self.began, file, line, text)
            for kind, lane, time, file, line, text in self._remarks
        ]
        tasks = {lane.number for lane in self._tasks}
        return Facts(timeline, tasks, self._steps, waits, self.samples, remarks, self._at_once)

    def remark(self, kind: str, lane: Lane | None, file: str, line: int, text: str) -> None:
        """Something that is amiss, and that the program itself made known."""
        self._remarks.append((kind, lane, perf_counter(), file, line, text))

    def made(self, lane: Lane) -> None:
        """A note that a task has been made."""
        self.notes.extend((lane, lane.woken, lane.woken, lane.woken, None, MADE))

    def over(self, lane: Lane, before=None) -> None:
        """A note that a task is over, and its last step with it."""
        now = perf_counter()
        start = now if lane.started is None else lane.started
        lane.started = None
        self.notes.extend((lane, min(lane.woken, start), start, now, before, OVER))

    # --- lanes

    def add_lane(self, name: str, parent: int | None = None) -> int:
        """A new lane, whose number this returns, behind those of the tasks so far. Two of one name are told apart."""
        with self._folding:
            self._fold()
            return self._add_lane(name, parent)

    def _add_lane(self, name, parent=None):
        times, unique = 1, name
        while unique in self._taken:
            times += 1
            unique = f"{name} ({times})"
        self._taken.add(unique)
        number = len(self._names)
        if parent is not None:
            self.parents[number] = parent
        self._names.append(unique)
        return number

    def running(self) -> tuple[int | None, float] | None:
        """The step that is under way on the loop, if one is: number of the lane (None: not known yet), when it began."""
        lane = self._under_way()
        return lane and (lane.number, lane.started - self.began)

    def _under_way(self):
        """The lane whose step is under way, None if there is none."""
        if self.loop is None:
            return None
        lane = self.by_task.get(id(asyncio.current_task(self.loop)))
        return lane if lane and lane.started is not None else None

    # --- from notes to entries

    def _fold(self):
        """Makes entries of what has been noted since the last time. The program that is watched does not wait for it."""
        with self._folding:
            notes, now, began = self.notes, perf_counter(), self.began
            for at in range(self._read, len(notes) - FACTS + 1, FACTS):
                lane, woken, start, stop, before, after = notes[at : at + FACTS]
                if after is MADE and now - start < SETTLED and self.ended is None:
                    break  # in a moment it will have its name
                self._read = at + FACTS
                if after is MADE:
                    self._made(lane, start - began)
                else:
                    self._begin(lane, woken - began, start - began, before)
                    self._stop(lane, start - began, stop - began, after)
            if self._read != len(notes):
                return
            if self.loop is not None:
                self._look_around(now)
            elif self.ended is not None:
                self._leave_waiting()

    def _enter(self, lane, time, state, label=""):
        lane.state = state
        self._log.append(Entry(time, lane.number, state, label))

    def _made(self, lane, time):
        task = lane.task and lane.task()
        name = lane.name or (task.get_name() if task else lane.function)
        lane.number = self._add_lane(name, lane.parent.number if lane.parent else None)
        self._tasks.append(lane)
        self._enter(lane, time, READY, lane.function)

    def _begin(self, lane, woken, start, before):
        """A step of `lane` begins; the log may know that already."""
        if before:
            self._waits.append((lane, lane.stopped, max(woken, lane.stopped), *before))
        if lane.state is WAITING:
            self._tell(lane, before)
            if lane.overdue is None:
                woken = max(woken, lane.stopped)  # a timer may have run out before anybody waited for it
                if woken < start:
                    self._enter(lane, woken, READY, lane.function)
        if lane.state is not RUNNING:
            self._enter(lane, start, RUNNING, lane.function)

    def _stop(self, lane, start, stop, after):
        """A step of `lane` has ended."""
        inside = len(self._steps)  # steps of others that began at once, when this one made them: they had the loop then
        while inside and self._steps[inside - 1].start > start:
            inside -= 1
        for step in self._steps[inside:]:
            self._enter(lane, step.start, READY, lane.function)
            self._enter(lane, step.stop, RUNNING, lane.function)
        self._steps.append(Step(lane.number, lane.stopped or start, start, stop))
        lane.stopped, lane.told, lane.overdue = stop, None, None
        if after is OVER:
            lane.state = None
            self._log.append(Entry(stop, lane.number, None, lane.outcome))
        elif after is GAVE_WAY:
            self._enter(lane, stop, READY, lane.function)
        else:
            lane.state = WAITING  # the log is told as soon as it is known what for

    def _tell(self, lane, what):
        """The log is told what `lane` waits for, once."""
        if lane.told is None:
            lane.told = what[0].label if what else ""
            self._enter(lane, lane.stopped, WAITING, lane.told)

    def _leave_waiting(self):
        """The watch is over, and some tasks are not."""
        for lane in self._tasks:
            if lane.state is WAITING:
                self._tell(lane, lane.before)
                if lane.before:
                    self._waits.append((lane, lane.stopped, self.ended, *lane.before))
                    lane.before = None

    def _look_around(self, now):
        """Tells the log of what has no note yet: what tasks wait for, and a step that has been going on for some time."""
        waiting = [lane for lane in self._tasks if lane.state is WAITING and lane.told is None]
        seen = [(lane, self.look_at(lane)) for lane in waiting]
        running = self._under_way()
        if self._read != len(self.notes):
            return  # things moved on meanwhile
        for lane, what in seen:
            if lane is not running:
                self._tell(lane, what)
        start = running and running.started
        if start is None or running.number is None or now - start < STUCK:
            return
        if running.state is WAITING:
            self._tell(running, running.before if running.looked == start else None)
        if running.state is not RUNNING:
            woken = min(running.woken, start)
            self._begin(running, woken - self.began, start - self.began, None)
        self._look_at_timers(now)

    def look_at(self, lane: Lane):
        """What `lane` waits for at this moment, seen from outside; None when that cannot be told."""
        task = lane.task and lane.task()
        if task is None:
            return None
        try:
            seen = self.awaiting.look([], _bare(task.get_coro()), getattr(task, "_fut_waiter", None))
        except Exception:  # it went on while it was being looked at
            return None
        return seen

    def _look_at_timers(self, now):
        """While a step holds the loop: who waits for a timer that has run out could go on, and the log is told so."""
        due = now - self.shift
        for timer in list(getattr(self.loop, "_scheduled", ())):
            if timer._cancelled or timer._when > due or timer._callback is not futures._set_result_unless_cancelled:
                continue
            for callback, _ in timer._args[0]._callbacks or ():
                lane = self.by_task.get(id(getattr(callback, "__self__", None)))
                if lane and lane.state is WAITING and lane.told is not None and lane.overdue is None:
                    lane.overdue = max(timer._when + self.shift - self.began, lane.stopped)
                    self._enter(lane, lane.overdue, READY, lane.function)
                    lane.state = WAITING  # until its step is noted


class Tracer:
    """Watches one event loop, from `install` to `uninstall`: its tasks, and when each is told to go on."""

    def __init__(self, loop, recorder: Watched, sampler: Sampler):
        self.loop, self.recorder, self.sampler = loop, recorder, sampler
        self.lanes = recorder.by_task = {}  # by id(task): only those that are not over
        self.body = None
        self.failed = []  # tasks that failed, each with what it failed with

    def install(self, task=None, name=""):
        """From now on. `task`: the one that runs now, whose steps are to be seen too; `name`: its lane's, if not its own."""
        loop, recorder = self.loop, self.recorder
        recorder.loop = loop
        recorder.shift = min(perf_counter() - loop.time() for _ in range(3))
        self.factory = type(loop).get_task_factory(loop)
        self.before = {name: vars(loop)[name] for name in NAMES if name in vars(loop)}
        if task is not None:
            self.body = Lane(task.get_coro(), None, perf_counter())
            self.adopt(self.body, task)
            self.body.name = name or task.get_name()
            if not is_readers(self.body.line()[0]):
                self.body.function = "the block"
            recorder.made(self.body)
        vars(loop).update(self._replacements())
        type(loop).set_task_factory(loop, self._make)

    def uninstall(self, problem=None):
        """Puts everything back. Tasks that are still going on go on, unseen. `problem`: what ended the block."""
        if self.recorder.loop is None:
            return
        recorder, loop = self.recorder, self.loop
        recorder.loop = None
        for name in NAMES:
            vars(loop).pop(name, None)
        vars(loop).update(self.before)
        type(loop).set_task_factory(loop, self.factory)
        if self.body:
            self.body.outcome = _outcome(problem)
            recorder.over(self.body, self.body.before)
            self.lanes.pop(self.body.key, None)
        for lane in list(self.lanes.values()):
            self._leave(lane)
        self.lanes.clear()
        for lane, error in self.failed:
            task = lane.task()
            if task is not None and task._log_traceback:
                self.recorder.remark("unnoticed", lane, *lane.line(), error)

    def _leave(self, lane):
        """A task that is not over by the end of the block."""
        lane.left = True
        lane.before = self.recorder.look_at(lane)
        task = lane.task and lane.task()
        layer = task and task.get_coro()
        while type(layer) is Traced:
            if layer.lane is lane:
                layer.release()
            layer = layer._coroutine
        if task is not None and not task.done() and is_readers(lane.line()[0]):
            if lane.cancelled_at and task.cancelling():
                self.recorder.remark("swallowed", lane, *lane.cancelled_at, task.get_name())
            else:
                self.recorder.remark("lost", lane, *lane.line(), task.get_name())

    def adopt(self, lane, task):
        lane.task, lane.key = weakref.ref(task), id(task)
        self.lanes[lane.key] = lane

    # --- tasks

    def _make(self, loop, coroutine, **options):
        """The task factory: what the program's own factory makes of a coroutine with a clock around it."""
        if not asyncio.iscoroutine(coroutine):
            try:
                return self._factory(loop, coroutine, **options)  # which says what is wrong
            except BaseException as error:
                _without_us(error)
                raise
        creator = asyncio.current_task(loop)
        parent = self.lanes.get(id(creator))
        if parent is None and (creator is not None or _is_foreign(coroutine)):
            return self._factory(loop, coroutine, **options)  # of another program, which shares this loop
        lane = Lane(_bare(coroutine), parent, perf_counter())
        proxy = Traced(coroutine, _steps(self, lane, coroutine), lane)
        self.recorder.made(lane)
        try:
            task = self._factory(loop, proxy, **options)
        except BaseException as error:
            _without_us(error)
            raise
        if task is not None and not task.done():
            self.adopt(lane, task)
        else:
            lane.task = weakref.ref(task)
        return task

    def _factory(self, loop, coroutine, **options):
        task = (self.factory or _task)(loop, coroutine, **options)
        made = getattr(task, "_source_traceback", None)  # where it was made, in debug mode: by the program, not by us
        theirs = {_bare.__code__.co_filename} | ({base_events.__file__} if self.factory is None else set())
        while made and made[-1].filename in theirs:
            del made[-1]
        return task

    def interrupted(self, lane: Lane, before, error: BaseException):
        """`error` is about to be raised in a task, where it waits."""
        if isinstance(error, asyncio.CancelledError):
            lane.cancelled_at = _spot(before or self.recorder.look_at(lane)) or lane.line()

    def over(self, lane: Lane, before, problem: BaseException | None = None):
        """A task is over; `problem` is what it ended with."""
        lane.outcome = _outcome(problem)
        self.recorder.over(lane, before)
        self.lanes.pop(lane.key, None)
        lane.memory = None
        if isinstance(problem, asyncio.CancelledError):
            waiting = lane.parent and self.recorder.look_at(lane.parent)
            if waiting and waiting[0].kind == "timeout":  # wait_for, up to Python 3.11: in a task of its own
                lane.outcome = "timed out"
        elif problem is not None:
            self.failed.append((lane, lane.outcome))
        task = lane.task()
        if problem is None and lane.cancelled_at and task is not None and task.cancelling():
            self.recorder.remark("swallowed", lane, *lane.cancelled_at, task.get_name())

    def lost(self, lane: Lane):
        """A task is gone before it was over: nobody held it, and the garbage collector took it."""
        lane.outcome = "lost"
        self.recorder.over(lane)
        self.lanes.pop(lane.key, None)
        self.recorder.remark("lost", lane, *lane.line(), lane.function)

    # --- the loop

    def _replacements(self):
        """What takes the place of some of the loop's methods, for this loop alone."""
        loop, lanes, body, notes, now = self.loop, self.lanes, self.body, self.recorder.notes, perf_counter
        shift, recorder, sampler = self.recorder.shift, self.recorder, self.sampler
        plain = {name: getattr(loop, name) for name in NAMES}  # as they are before, bound
        quick = (
            isinstance(loop, base_events.BaseEventLoop)
            and type(loop).call_soon is base_events.BaseEventLoop.call_soon
            and "call_soon" not in self.before
            and set(events.Handle.__slots__) == HANDLE
        )
        Handle, new, look = events.Handle, object.__new__, recorder.awaiting.look
        append = loop._ready.append if quick else None
        due = None  # the moment that caused what is happening: a timer's, or that of a call from another thread

        def step_of_body(callback, *args):
            body.started = body.looked = start = now()
            if body.memory is None:
                body.memory, body.bare = [], _bare(body.task().get_coro())
            body.before = before = look(body.memory, body.bare, args[0]) if args else None
            try:
                callback(*args)
            finally:
                if recorder.loop is not None:  # else the block ended in this step
                    after = GAVE_WAY if body.task()._fut_waiter is None else WAITS
                    notes.extend((body, body.woken, start, now(), before, after))
                    body.started = None

        def call_soon(callback, *args, context=None):
            lane = lanes.get(id(getattr(callback, "__self__", None)))
            if lane is not None:
                lane.woken = now() if due is None else due
                if lane is body:
                    callback, args = step_of_body, (callback, *args)
            return plain["call_soon"](callback, *args, context=context)

        def quick_call_soon(callback, *args, context=None):
            """The same, with what the loop's own method does written out: three calls less, and each would be felt."""
            try:
                lane = lanes[id(callback.__self__)]
            except (AttributeError, KeyError):
                pass
            else:
                lane.woken = now() if due is None else due
                if lane is body:
                    callback, args = step_of_body, (callback, *args)
            handle = new(Handle)
            handle._callback, handle._args, handle._loop, handle._cancelled = callback, args, loop, False
            handle._context = copy_context() if context is None else context
            handle._repr = handle._source_traceback = None
            append(handle)
            return handle

        class TimerHandle(events.TimerHandle):
            """A timer of this loop, which says so while its callback runs."""

            __slots__ = ()

            def _run(self):
                nonlocal due
                due = min(self._when + shift, now())
                try:
                    events.TimerHandle._run(self)
                finally:
                    due = None

        def call_at(when, callback, *args, context=None):
            timer = plain["call_at"](when, callback, *args, context=context)
            if type(timer) is events.TimerHandle:
                timer.__class__ = TimerHandle
            return timer

        class CalledHandle(events.Handle):
            """A call from another thread, which says while it runs when it was made."""

            __slots__ = ("called",)

            def _run(self):
                nonlocal due
                due = self.called
                try:
                    events.Handle._run(self)
                finally:
                    due = None

        CalledHandle.__name__ = "Handle"  # which is what it shows itself as

        def call_soon_threadsafe(callback, *args, context=None):
            if not quick or loop._closed or loop.get_debug():
                return plain["call_soon_threadsafe"](callback, *args, context=context)
            handle = CalledHandle(callback, args, loop, context)
            handle.called = now()
            append(handle)
            loop._write_to_self()
            return handle

        def run_in_executor(executor, func, *args):
            if executor is not None and not isinstance(executor, ThreadPoolExecutor):
                return plain["run_in_executor"](executor, func, *args)  # other processes: func is sent there
            job = _Job(sampler, func)
            future = plain["run_in_executor"](executor, job, *args)
            recorder.awaiting.jobs[future] = job
            return future

        def call_exception_handler(context):
            task = context.get("task") or context.get("future")
            self._heard(context.get("message", ""), task)
            return plain["call_exception_handler"](context)

        def set_task_factory(factory):
            if factory is not None and not callable(factory):
                raise TypeError("task factory must be a callable or None")
            self.factory = factory

        def get_task_factory():
            return self.factory

        def set_debug(enabled):
            plain["set_debug"](enabled)
            if vars(loop).get("call_soon") in (call_soon, quick_call_soon):
                loop.call_soon = quick_call_soon if quick and not enabled else call_soon

        def create_task(coroutine, *, name=None, **options):
            """For Python 3.13, which at first calls every task "None" that a factory makes and that has no other name."""
            try:
                if name is not None or self.factory is not None:
                    return plain["create_task"](coroutine, name=name, **options)
                loop._check_closed()
                return self._make(
                    loop, coroutine, **{key: value for key, value in options.items() if value is not None}
                )
            except BaseException as error:
                _without_us(error)
                raise

        here = locals() | ({"call_soon": quick_call_soon} if quick and not loop.get_debug() else {})
        return {name: here[name] for name in NAMES}

    def _heard(self, message, task):
        """What the loop reports of a task that is being dropped, with an exception that nobody has looked at."""
        if "never retrieved" in message:
            for lane, error in self.failed:
                if lane.key == id(task) and lane.task() in (None, task):
                    self.recorder.remark("unnoticed", lane, *lane.line(), error)
                    self.failed.remove((lane, error))
                    break


NAMES = (
    *(["create_task"] if sys.version_info[:2] == (3, 13) else []),
    "set_debug",
    "call_soon",
    "call_at",
    "call_soon_threadsafe",
    "run_in_executor",
    "call_exception_handler",
    "set_task_factory",
    "get_task_factory",
)


# --- the clock around a task's coroutine ---------------------------------------------------------------------------------


class Traced(Coroutine):
    """A task's coroutine with a clock around it. For whoever asks, it is the coroutine.

    The clock is a generator, whose own `send` and `throw` stand here as attributes: no function of Python's comes between.
    """

    __slots__ = ("__weakref__", "_coroutine", "close", "lane", "send", "throw")

    def __init__(self, coroutine, clock, lane):
        next(clock)
        self._coroutine, self.lane = coroutine, lane
        self.send, self.throw, self.close = clock.send, clock.throw, coroutine.close

    def release(self):
        """The clock is taken away."""
        self.send, self.throw = self._coroutine.send, self._coroutine.throw

    @property
    def __class__(self):
        return type(self._coroutine)

    def __await__(self):
        return self._coroutine.__await__()

    def __getattr__(self, name):
        return getattr(self._coroutine, name)

    def __repr__(self):
        return repr(self._coroutine)


def _steps(tracer, lane, coroutine):
    """Passes on what the loop and the coroutine say to each other, and writes down when each step begins and ends.

    Takes itself out of the tracebacks of whatever passes through. It is destroyed together with a task that nobody holds.
    """
    send, throw, note, now = coroutine.send, coroutine.throw, tracer.recorder.notes.extend, perf_counter
    look, coroutine = tracer.recorder.awaiting.look, _bare(coroutine)
    stop, awaited, thrown = 0.0, None, []  # what is thrown is not kept: the coroutine may let go of it at once
    try:
        yield
    except GeneratorExit:
        return None if lane.left else tracer.lost(lane)
    except BaseException as error:  # cancelled before its first step
        thrown.append(_without_this(error))
    if lane.key is None:  # it began at once, before the factory has returned it
        tracer.adopt(lane, asyncio.current_task(tracer.loop))
    lane.name = lane.task().get_name()  # by now it has been given one
    gave_way, waits, short = GAVE_WAY, WAITS, SHORT
    while True:
        lane.started = start = now()
        before = None
        if awaited is not None:
            if lane.woken - stop > short:
                if lane.memory is None:
                    lane.memory = []
                lane.before = before = look(lane.memory, coroutine, awaited)
                lane.looked = start
            awaited = None
        try:
            if not thrown:
                awaited = send(None)
            else:
                tracer.interrupted(lane, before, thrown[0])
                awaited = throw(thrown.pop())
        except StopIteration as result:
            tracer.over(lane, before)
            return result.value
        except BaseException as problem:
            tracer.over(lane, before, problem)
            _without_this(problem)
            raise
        stop = now()
        note((lane, lane.woken, start, stop, before, gave_way if awaited is None else waits))
        lane.started = None
        try:
            yield awaited
        except GeneratorExit:
            return None if lane.left else tracer.lost(lane)
        except BaseException as error:
            thrown.append(_without_this(error))


def _task(loop, coroutine, **options):
    return asyncio.Task(coroutine, loop=loop, **options)


def _bare(coroutine):
    """The program's own coroutine, without the clock of another watch."""
    while type(coroutine) is Traced:
        coroutine = coroutine._coroutine
    return coroutine


def _without_this(error):
    """An exception whose traceback begins in the caller, with that taken out."""
    error.__traceback__ = error.__traceback__.tb_next
    return error


def _without_us(error):
    """An exception of the program's, or about its mistake, whose traceback does not begin with functions of ours."""
    frame = error.__traceback__
    while frame.tb_next is not None and frame.tb_frame.f_code.co_filename == _bare.__code__.co_filename:
        frame = frame.tb_next
    mine = frame.tb_frame.f_code.co_filename == _bare.__code__.co_filename
    error.__traceback__ = None if mine else frame


def _spot(what):
    """File and line at which the reader's innermost function waits; None when that is not known."""
    if not what or not what[0].spots:
        return None
    code, line, _ = what[0].spots[-1]
    return code.co_filename, line


class _Job:
    """A function that runs in a thread of an executor, for a task that waits for it. `thread`: its name, once it runs."""

    def __init__(self, sampler, function):
        self.sampler, self.function, self.thread = sampler, function, ""

    def __call__(self, *args):
        self.thread = threading.current_thread().name
        try:
            with self.sampler.job(self.function):
                return self.function(*args)
        except BaseException as problem:
            _without_this(problem)
            raise


def _outcome(problem):
    """Why a task was over without being done."""
    if problem is None:
        return ""
    if isinstance(problem, asyncio.CancelledError):
        return "cancelled"
    if isinstance(problem, TimeoutError):
        return "timed out"
    try:
        text = str(problem)
    except Exception:  # the program's own exception, which cannot even say what it is
        text = ""
    return f"failed: {type(problem).__name__}" + (f": {text[:80]}" if text else "")


def _is_foreign(coroutine):
    """Whether a coroutine that no watched task has started is an affair of the notebook itself."""
    code = getattr(coroutine, "cr_code", None)
    return code is not None and not FOREIGN.isdisjoint(Path(code.co_filename).parts)
