"""What one watch sees of one event loop: a clock around the coroutine of every new task, until the watch is over."""

import asyncio
import threading
from asyncio import base_events
from collections import deque
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from time import perf_counter
from types import CoroutineType
from typing import Any

from kitchen.watching import leftovers, stuck
from kitchen.watching.arrivals import run_out
from kitchen.watching.clock import LONG_STEP_SECONDS, steps
from kitchen.watching.cpu import Reading, ThreadClock, one_at_a_time, settled
from kitchen.watching.ears import call_graphs
from kitchen.watching.hooks import Hooks
from kitchen.watching.lane import Lane, weakly
from kitchen.watching.program import is_endless
from kitchen.watching.record import GAVE_WAY, WAITS, Record
from kitchen.watching.sampler import Sampler
from kitchen.watching.traced import Traced, bare
from kitchen.watching.whose import FOREIGN, is_aside, is_asyncios, is_librarys, is_readers, serves

CLOSING = {"shutdown_asyncgens", "shutdown_default_executor"}  # what asyncio.run does with a loop at the end
READ_EVERY_SECONDS = 0.004  # between two looks at the CPU clock when a step begins
SNAPSHOT_SECONDS = 0.1  # between two looks at where all tasks stand, when one is interrupted
HELD_KEPT = 1000
CANCELS_KEPT = 100
OWN_NOTE_SHARE = 1 / 16  # of the grain (see Record.grain): what a longer step did is known, and stays known


class Tracer:
    """Watches one event loop, from `install` to `uninstall`: its tasks, and when each is told to go on.

    Seen are tasks that the body of the block makes, those that these make, and those that nobody's task makes. Where there
    is no body, or it is over before the block is, all that are made are seen.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, recorder: Record, sampler: Sampler):
        self.loop, self.recorder, self.sampler = loop, recorder, sampler
        self.note, self.look = recorder.notes.extend, recorder.awaiting.look  # the same two objects for all tasks
        self.lanes: dict[int, Lane] = {}  # by id(task): only those that are not over
        self.body: Lane | None = None
        self.snapped = float("-inf")  # when it was last looked where all tasks stand
        self.failed = deque(maxlen=1000)  # tasks that failed, each with what it failed with
        self.questions: dict[Lane, leftovers.Question] = {}  # of tasks that were not over when the loop stopped
        self.stopped = float("-inf")  # when it last did
        self.was_alone = False  # whether nothing could have woken a task when the loop first stopped
        self.eager = []  # steps of tasks that began at once, within a step of their maker
        self.is_on = False
        self.thread = threading.get_ident()
        self.meter = [0.0, 0.0]  # when the CPU clock is to be read again; see Record.grain

    def install(self, task: asyncio.Task | None = None, name: str = "", only_if_it_goes_on: bool = False) -> None:
        """From now on. `task`: the one that runs now, whose steps are to be seen too; `name`: its lane's, if not its own.

        `only_if_it_goes_on`: it has a lane only when it awaits something, or makes a task.
        """
        self.hooks = Hooks.of(self.loop)
        self.shift = self.hooks.shift
        self.clock = ThreadClock()
        self.reading = self.clock.read_now()
        self.is_on = True
        self.recorder.tracers.append(self)
        self.hooks.enter(self)
        for calls in call_graphs:
            calls.lend(self)
        if task is not None:
            self.body = self.see(task, name, only_if_it_goes_on)
            if not is_readers(self.body.line()[0]):
                self.body.function = "the block"

    def see(self, task: asyncio.Task, name: str = "", only_if_it_goes_on: bool = False, is_aside: bool = False) -> Lane:
        """A task that was there before is seen from its next step on; see `install`. `is_aside`: it is a library's."""
        lane = Lane(bare(task.get_coro()), None, perf_counter(), self)
        lane.is_aside = is_aside
        lane.has_clock, lane.memory = False, []
        lane.name = name or task.get_name()
        self.adopt(lane, task)
        lane.is_noted = not only_if_it_goes_on
        if lane.is_noted:
            self.recorder.made(lane)
        if task is asyncio.current_task(self.loop):
            lane.started = lane.woken  # unseen: the step that is under way
            self.hooks.may_give_way = True
        return lane

    def meet(self, task: asyncio.Task) -> None:
        """A task that was made without the loop's factory: as if it had been there before."""
        coroutine = bare(task.get_coro())
        if self.is_on and not _is_foreign(coroutine) and self.recorder.has_room():
            code = getattr(coroutine, "cr_code", None)
            self.see(task, is_aside=code is not None and is_librarys(code.co_filename))

    def _goes_on(self, lane, now):
        """A task whose step under way began unseen, and in which there is more to see, as it turns out."""
        lane.is_noted = True
        self.recorder.goes_on(lane, lane.started, now)

    def uninstall(self, problem: BaseException | None = None) -> None:
        """Puts everything back. Tasks that are still going on go on, unseen. `problem`: what ended the block."""
        if not self.is_on:
            return
        self.is_on = False
        try:
            self._tell_what_is_left(problem)
        finally:
            self.recorder.tracers.remove(self)
            self.hooks.leave(self)
            for calls in call_graphs:
                calls.give_back(self)
            self.clock.close()
            self.loop = self.hooks = None  # the record is kept for longer than the loop lives

    def stops(self) -> None:
        """The loop stops to run: what is left may be cancelled now, by `asyncio.run`, or go on when the loop does."""
        now, look = perf_counter(), self.recorder.standing[-1:]
        if self.stopped < 0 and look and now - look[0].time <= SNAPSHOT_SECONDS:  # else not by what happened then
            self.was_alone = look[0].is_alone
        self.stopped = now
        for lane in list(self.lanes.values()):
            question = leftovers.of_task(lane) if lane.has_clock and lane.task and lane not in self.questions else None
            if question and question.kind == "lost" and is_endless(*lane.line()):
                continue  # who held it may be over by now
            if question:
                self.questions[lane] = question

    def _tell_what_is_left(self, problem):
        if self.lanes:
            self.recorder.standing += stuck.snapshot(self, perf_counter())
        ended = isinstance(problem, (TimeoutError, asyncio.CancelledError, KeyboardInterrupt))
        if isinstance(problem, TimeoutError):  # the block's own: it may have expected that, but not those it sent home
            ended = any(held.lane is not self.body for held in self.recorder.standing)
        if self.loop.is_closed():
            alone = self.was_alone and isinstance(problem, KeyboardInterrupt)
        else:
            alone = ended and stuck.is_alone(self.loop, self.recorder.awaiting.jobs, self.sampler)
        self.recorder.alone = self.recorder.alone or alone
        if self._has_body() and self.running() is self.body:
            self.body.outcome = _outcome(problem)
            if self.body.is_noted:
                self._is_over(self.body, self.body.before)
            self._drop(self.body)
        elif self._has_body() and not self.body.is_noted:  # somebody else ends it, while its first wait goes on
            self._goes_on(self.body, self.body.started)
        for lane, when in run_out(self.loop, self.lanes, perf_counter() - self.shift) if self.loop.is_running() else ():
            lane.woken = when + self.shift
        for lane in list(self.lanes.values()):
            self.questions.pop(lane, None)  # it is asked anew
            self._leave(lane)
        self.recorder.questions.extend(self.questions.values())
        for lane, error in self.failed:
            task = lane.task()
            if task is not None and getattr(task, "_log_traceback", False):
                self.recorder.questions.append(leftovers.of_failed(lane, task, error))
        self.recorder.questions.extend(leftovers.of_jobs(self.recorder.awaiting.jobs, _outcome))
        self.recorder.questions.extend(leftovers.never_begun(self.loop, self.recorder.older, problem))

    def _leave(self, lane):
        """A task that is not over by the end of the block."""
        lane.left = True
        self._drop(lane)
        self.recorder.flush(lane)
        lane.before = self.recorder.look_at(lane)
        task = lane.task and lane.task()
        layer = task and task.get_coro()
        while type(layer) is Traced:
            if layer.lane is lane:
                layer.release()
            layer = layer._coroutine
        if lane.cancelled_at and task is not None and not task.done() and task.cancelling():
            self.recorder.remark("swallowed", lane, *lane.cancelled_at, task.get_name(), lane.cancelled)
        del task
        if lane.has_clock and lane.task and (question := leftovers.of_task(lane)):
            self.recorder.questions.append(question)

    def running(self) -> Lane | None:
        """The lane whose step is under way, None if there is none."""
        if one_at_a_time() or threading.get_ident() == self.thread:
            lane = self.lanes.get(id(asyncio.current_task(self.loop)))
            return lane if lane and lane.started is not None else None
        # Without a GIL, to ask asyncio for another thread's task stops all threads, and waits for those that compute in C.
        lanes = [lane for lane in list(self.lanes.values()) if lane.started is not None and lane.runs()]
        return max(lanes, key=attrgetter("started"), default=None)  # within its maker's, where it began at once

    # --- tasks

    def trace(self, coroutine: Any, creator: asyncio.Task | None, now: float) -> tuple[Any, Lane | None]:
        """A coroutine that is to become a task, with a clock around it, and its lane; as it is, and None, where not seen."""
        parent = self.lanes.get(id(creator))
        if parent is None and ((creator is not None and self._has_body()) or _is_foreign(coroutine)):
            return coroutine, None  # of another program, which shares this loop
        if not self.recorder.has_room():
            return coroutine, None
        if parent is not None and not parent.is_noted:
            self._goes_on(parent, now)
        lane = Lane(bare(coroutine), parent, now, self)
        lane.is_aside = is_aside(lane.code)
        if parent is None:
            lane.serves = creator is None and serves()
        else:  # wait_for, up to Python 3.11, waits in a task of its own
            lane.serves = parent.serves and lane.code is not None and is_asyncios(lane.code.co_filename)
        self.recorder.made(lane)
        return Traced(coroutine, steps(self, lane, coroutine), lane), lane

    def _has_body(self):
        return self.body is not None and self.lanes.get(self.body.key) is self.body

    def adopt(self, lane: Lane, task: asyncio.Task) -> None:
        """The task that a lane stands for is known by now."""
        lane.task = weakly(task, lambda: task)  # a task that nobody holds must vanish as it would unwatched
        done = getattr(task, "done", None)
        if self.is_on and done is not None and not done():
            lane.key = id(task)
            self.lanes[lane.key] = lane
            self.hooks.add(lane.key, lane)

    def begins(self, lane: Lane) -> None:
        """The first step of a task: by now it has its name."""
        task = asyncio.current_task(self.loop)
        if lane.task is None:  # it began at once, before the factory has returned it
            lane.is_eager = True
        if task is not None and (
            lane.task is None or lane.task() is not task
        ):  # or the factory returned something else
            self._drop(lane)
            self.adopt(lane, task)
        if not lane.is_eager and lane.task and (task := lane.task()) is not None:  # else it is given its name later
            lane.name = task.get_name()

    def cost(self, lane: Lane, seconds: float) -> None:
        """To see how a task is made took so long: that is not the fault of whoever made it."""
        maker = lane.parent
        if maker is not None and maker.started is not None:
            maker.ours, maker.ours_of = seconds + (maker.ours if maker.ours_of == maker.started else 0.0), maker.started

    def interrupted(self, lane: Lane, before: Any, error: BaseException) -> None:
        """`error` is about to be raised in a task, where it waits."""
        if isinstance(error, asyncio.CancelledError):
            task = lane.task and lane.task()
            if lane.cancelled_at and getattr(task, "cancelling", int)() > 1:  # it was asked before, and did not end
                self.recorder.remark("asked again", lane, *lane.cancelled_at, task.get_name(), lane.cancelled)
            lane.cancelled_at = _spot(before or self.recorder.look_at(lane)) or lane.line()
            lane.cancelled = now = perf_counter()
            lane.cancels = (*lane.cancels[-CANCELS_KEPT:], now)
            self._snap(now)

    def _snap(self, now):
        """Where all tasks stand now, when one is interrupted."""
        if now - self.snapped > SNAPSHOT_SECONDS:
            self.snapped, kept = now, self.recorder.standing[-HELD_KEPT:]
            with suppress(
                Exception
            ):  # a loop, or a task, of the program's own making: no affair of whoever is interrupted
                self.recorder.standing = [*kept, *stuck.snapshot(self, now)]

    def over(self, lane: Lane, before: Any, problem: BaseException | None = None) -> None:
        """A task is over; `problem` is what it ended with."""
        lane.outcome = _outcome(problem)
        if not isinstance(problem, asyncio.CancelledError) and (lane.cancelled or self.stopped) <= self.stopped:
            self.questions.pop(lane, None)  # it went on when the loop did
        task = lane.task()
        if lane.name is None and task is not None and lane.looked is not None:  # made at once, named later
            lane.name = task.get_name()
        self._is_over(lane, before)
        lane.memory = None
        if isinstance(problem, asyncio.CancelledError):
            waiting = lane.parent and self.recorder.look_at(lane.parent)
            if waiting and waiting[0].kind == "timeout":  # wait_for, up to Python 3.11: in a task of its own
                lane.outcome = "timed out"
        elif isinstance(problem, Exception):  # else the loop itself raises it
            self.failed.append((lane, lane.outcome))
        if problem is None and lane.cancelled_at and task is not None and task.cancelling():
            self.recorder.remark("swallowed", lane, *lane.cancelled_at, task.get_name(), lane.cancelled)

    def lost(self, lane: Lane, since: float) -> None:
        """A task is gone before it was over, after its step at `since`: nobody held it, and the collector took it."""
        lane.outcome, lane.started = "lost", None
        lane.woken = lane.woken if lane.woken >= since else float("inf")  # nobody told it to go on
        self.questions.pop(lane, None)
        self._is_over(lane, None)
        if lane.code is not None:  # else it closes an asynchronous generator that nobody holds
            self.recorder.remark("lost", lane, *lane.line(), lane.function)

    def _is_over(self, lane, before):
        now = perf_counter()
        if lane.started is not None and now - lane.started > LONG_STEP_SECONDS:
            self.held(lane, lane.started, now)
        self.recorder.over(lane, now, before)
        self._drop(lane)

    def _drop(self, lane):
        if lane.key is not None and self.lanes.get(lane.key) is lane:
            del self.lanes[lane.key]
            self.hooks.drop(lane.key, lane)

    def heard(self, message: str, task: object) -> None:
        """What the loop reports of a task that is being dropped, with an exception that nobody has looked at."""
        if "never retrieved" not in message:
            return
        job = self.recorder.awaiting.jobs.get(task)
        if job is None and (failed := leftovers.failed_behind(task, self.failed, _outcome)):
            self.recorder.remark("unnoticed", failed[0], *failed[0].line(), failed[1])
            self.failed.remove(failed)
        elif question := leftovers.of_job(task, job, _outcome):
            self.recorder.remark(*question[:-1])

    # --- steps

    def read(self) -> float:
        """A step is about to begin, and the CPU clock was not looked at for a while; returns when it begins, after that."""
        self.reading = self.clock.read_now()
        self.meter[:] = self.reading.time + READ_EVERY_SECONDS, self.recorder.grain()
        return self.reading.time

    def held(self, lane: Lane, start: float, stop: float) -> bool:
        """A step was long: what its thread did meanwhile is noted with it, if it is long enough for a note of its own."""
        readings, lane.looks = [look for look in self.readings(lane, start) if look.time < stop], ()
        self.reading = self.clock.read(stop)
        self.meter[0] = stop + READ_EVERY_SECONDS
        if stop - start <= self.meter[1] * OWN_NOTE_SHARE:
            return False
        ours = lane.ours if lane.ours_of == start else 0.0
        self.recorder.held(lane, start, settled([*readings, self.reading]) if readings else (), ours)
        return True

    def readings(self, lane: Lane, start: float) -> list[Reading]:
        """What the clocks have said so far of the step that began at `start`; none, if nothing is known of its beginning."""
        if not 0 <= start - self.reading.time <= READ_EVERY_SECONDS:
            return []
        return [self.reading._replace(time=start), *(look for look in lane.looks if look.time > start)]

    def bare_step_begins(self, lane: Lane, start: float, awaited: object) -> None:
        """A step of a task that was there before begins."""
        if not lane.is_noted:
            self._goes_on(lane, lane.started)
        if start > self.meter[0]:
            start = self.read()
        lane.started = lane.looked = start
        lane.before = None
        task = lane.task()
        if awaited is not None and task is not None:
            lane.before = self.recorder.awaiting.look(lane.memory, bare(task.get_coro()), awaited)
            if awaited.cancelled():
                self._snap(start)

    def bare_step_ends(self, lane: Lane, stop: float) -> None:
        """It has ended, and the task with it, perhaps."""
        if not self.is_on or lane.key not in self.lanes:
            return  # the block ended in this step
        task, start = lane.task(), lane.started
        if task is None or task.done():
            self._is_over(lane, lane.before)
            return
        has_note = stop - start > LONG_STEP_SECONDS and self.held(lane, start, stop)
        gave_way = getattr(task, "_fut_waiter", None) is None
        stretch = lane.stretch
        if has_note:
            self.note((lane, lane.woken, start, stop, lane.before, GAVE_WAY if gave_way else WAITS))
        elif stretch is not None and stop - stretch[0] < self.meter[1]:
            waited = 0.0 if stretch[5] else max(lane.woken - stretch[1], 0.0)
            stretch[1:6] = stop, stretch[2] + stop - start, stretch[3] + waited, stretch[4] + 1, gave_way
        else:
            self.recorder.stretch(lane, lane.woken, start, stop, lane.before, gave_way, self.meter[1])
        lane.started = None


def _spot(what):
    """File and line at which the reader's innermost function waits; None when that is not known."""
    if not what or not what[0].spots:
        return None
    code, line, _ = what[0].spots[-1]
    return code.co_filename, line


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
    """Whether a coroutine that no watched task has started is an affair of the notebook itself, or of asyncio."""
    code = getattr(coroutine, "cr_code", None)
    file = code.co_filename if code is not None else ""
    is_loops = file == base_events.__file__ or type(coroutine) is not CoroutineType  # else of a function of Python's
    closes = is_loops and getattr(coroutine, "__name__", "") in CLOSING
    return closes or not FOREIGN.isdisjoint(Path(file).parts)
