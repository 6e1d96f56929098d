"""The record of one watch: notes that cost next to nothing to take, and the log that is made of them later."""

import threading
import weakref
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import pairwise
from time import perf_counter
from typing import Any

from kitchen.recorder import Entry, Recorder
from kitchen.timeline import READY, RUNNING, WAITING, Finding, Timeline
from kitchen.watching.arrivals import run_out
from kitchen.watching.awaiting import Awaiting
from kitchen.watching.cpu import Reading, shares
from kitchen.watching.diagnosis import diagnose
from kitchen.watching.facts import Facts, Note, Place, Poll, Queued, TaskStep, Wait, connection, frames
from kitchen.watching.garbage import unswept
from kitchen.watching.lane import Lane
from kitchen.watching.leftovers import not_begun
from kitchen.watching.polling import gave_way_at
from kitchen.watching.spot import Spot
from kitchen.watching.stuck import stood
from kitchen.watching.traced import bare

SHORT_WAIT_SECONDS = 1e-4  # a wait that was shorter than this is not asked what for
SETTLED_SECONDS = 1e-3  # after its making: by then a task has been given its name
QUEUED_SECONDS = 0.1  # for which a job may queue for a thread without being noted
STUCK_SECONDS = 0.02  # after which a step that still goes on is worth a look at who is kept waiting
# What came after a step, in the notes of a run; and, in the same place, that a task was made, what is known of the step
# whose note comes next, and that a note stands for several steps.
GAVE_WAY, WAITS, OVER, MADE, HELD, MERGED = "gave way", "waits", "over", "made", "held", "merged"
FACTS_IN_A_NOTE = 6
# How much a record may become. The first notes are taken as they are. From then on a task's steps that follow each other
# within a millisecond share one note, which says how many they were and what they took together; and with every so many
# notes more that time is four times as long. So a run of n steps has some 10,000 + 5,000 * log(n) notes at most, and ten for
# each of its tasks.
NOTES_KEPT, NOTES_OF_A_TASK, FIRST_GRAIN_SECONDS = 10_000, 10, 0.001
TASKS_KEPT = 50_000  # more have no lanes


class Record(Recorder):
    """The record of one watch. Notes are taken as cheaply as can be, six facts in a flat list; `log` makes entries of them.

    `tracers`: those that see a loop for this record, each in its thread. `notes` holds, one after the other, for each step
    of a task: its lane, when it was told to go on, when the step began and ended, what it had waited for (None: not asked),
    what came then. They are in the order in which the steps ended. A lane that was MADE, or that was OVER without a step,
    has such a note too, with one and the same time in it. Notes of which entries have been made are let go.
    """

    def __init__(self, title: str, at_once: int = 100):
        self.notes = []
        self.samples, self.collections, self.unlooked = [], [], []
        self.awaiting = Awaiting()
        self.tracers = []
        self.unseen = 0  # tasks that have no lane, since there are so many
        self._at_once = at_once
        self._remarks = []
        self.standing, self.alone = [], False  # where tasks stood when one was interrupted: see stuck
        self.queued = []  # for jobs that had to queue for a thread: since when, until when
        self.questions = []  # what may be amiss: see leftovers
        self.older = weakref.WeakSet(not_begun())  # coroutines that are no affair of this watch
        self._tasks, self._waits, self._steps = [], [], []
        self._read = self._made_so_far = self._noted = 0
        self._grain, self._room = 0.0, NOTES_KEPT
        self._folding = threading.RLock()
        self._found: tuple[Finding, ...] | None = None
        self._folded: tuple[int, tuple[Any, float]] | None = None  # for so many entries: the table, and the makespan
        self._answers: list[bool] = []  # to the questions, when that was found
        super().__init__((), title)

    # --- what a Recorder has

    def close(self) -> None:
        """The watch is over; said twice, the first time counts."""
        if self.ended is None:
            super().close()
            if self.unseen:
                self.title += f" (without {self.unseen} tasks that came after the first {TASKS_KEPT})"

    def add_lane(self, name: str, parent: int | None = None) -> int:
        """A new lane, behind those of the tasks so far."""
        with self._folding:
            self.catch_up()
            return super().add_lane(name, parent)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is amiss; () until the watch is over."""
        if self.ended is None:
            return ()
        answers = [question.is_so() for question in self.questions]
        if self._found is None or answers != self._answers:
            self._found, self._answers = (), answers  # so that the Timeline that the diagnosis looks at has none
            with unswept():
                self._found = tuple(diagnose(self._facts()))
        return self._found

    def timeline(self) -> Timeline:
        """What has been recorded so far."""
        with unswept() if self.ended is not None else nullcontext():
            return super().timeline()

    def folded(self, log: list[Entry], now: float) -> tuple[Any, float | None]:
        """Once the watch is over, all its Timelines share one table."""
        if self.ended is None:
            return super().folded(log, now)
        if self._folded is None or self._folded[0] != len(log):
            once = Timeline((), super().folded(log, now)[0])
            self._folded = len(log), (once.table, once.makespan)
        return self._folded[1]

    def _facts(self):
        timeline = self.timeline()
        waits = [
            Wait(lane.number, start, end, place.kind, frames(place, numbers), place.outside, connection(place, numbers))
            for lane, start, end, place, numbers in self._waits
        ]
        remarks = [
            Note(kind, lane.number if lane else None, time - self.began, file, line, text)
            for kind, lane, time, file, line, text in self._remarks
        ]
        remarks += [
            Note(kind, lane.number if lane else None, self.ended - self.began, file, line, text)
            for (kind, lane, file, line, text, _), is_so in zip(self.questions, self._answers, strict=True)
            if is_so
        ]
        tasks = {lane.number for lane in self._tasks}
        serving = {lane.number for lane in self._tasks if lane.serves}
        polls = [
            Poll(lane.number, *lane.polls, *gave_way_at(lane.gave_way[0]))
            for lane in self._tasks
            if lane.polls and lane.gave_way
        ]
        standing = stood(self.standing, self._waits, self.began)
        told = (self.samples, remarks, self._at_once, polls, self.queued)
        heard = self.collections, self.unlooked
        return Facts(timeline, tasks, self._steps, waits, *told, standing, self.alone, serving, *heard)

    def remark(self, kind: str, lane: Lane | None, file: str, line: int, text: str, time: float | None = None) -> None:
        """Something that is amiss, and that the program itself made known; `time`: when, if not now."""
        self._remarks.append((kind, lane, perf_counter() if time is None else time, file, line, text))

    def began_job(self, asked: float, spot: Spot) -> None:
        """A thread of the loop's executor begins with a job that it was given at `asked`; `spot`: where."""
        now = perf_counter()
        if now - asked >= QUEUED_SECONDS and self.ended is None:
            self.queued.append(Queued(asked - self.began, now - self.began, spot.file, spot.line))

    # --- notes

    def has_room(self) -> bool:
        """Whether one more task can have a lane; if not, it is counted."""
        self._made_so_far += 1
        if self._made_so_far > TASKS_KEPT:
            self.unseen += 1
            return False
        return True

    def grain(self) -> float:
        """Within how many seconds steps of a task share a note by now; 0.0: each has its own."""
        noted = self._noted + len(self.notes) // FACTS_IN_A_NOTE
        if noted > self._room + NOTES_OF_A_TASK * self._made_so_far:
            self._grain = 4 * self._grain or FIRST_GRAIN_SECONDS
            self._room += NOTES_KEPT // 2
        return self._grain

    def made(self, lane: Lane) -> None:
        """A note that a task has been made."""
        self.notes.extend((lane, lane.woken, lane.woken, lane.woken, None, MADE))

    def goes_on(self, lane: Lane, start: float, stop: float) -> None:
        """Notes of a task that was not known before its step that began at `start`, and went on until `stop` at least."""
        self.notes.extend((lane, start, start, start, None, MADE, lane, start, start, stop, None, WAITS))

    def held(self, lane: Lane, start: float, readings: Sequence[Reading], ours: float) -> None:
        """A note of what the clocks said in the long step whose own note comes next, and what it cost to watch it."""
        self.flush(lane)  # else the note that comes next may be that of an earlier step
        self.notes.extend((lane, start, start, start, (readings, ours), HELD))

    def stretch(
        self, lane: Lane, woken: float, start: float, stop: float, before: Any, gave_way: bool, grain: float
    ) -> list | None:
        """A step that begins a new stretch, where steps within the `grain` share a note; a note of its own if it is longer.

        Returns what the next steps add themselves to: when the first one began, when the last one ended, for how long they
        ran, for how long they waited in between, how many there were, and whether the last one gave way.
        """
        self.flush(lane)
        if stop - start >= grain:
            self.notes.extend((lane, woken, start, stop, before, GAVE_WAY if gave_way else WAITS))
            return None
        if gave_way and lane.gave_way is None:
            lane.gave_way = self.look_at(lane)
        lane.stretch = [start, stop, stop - start, 0.0, 1, gave_way, woken, before]
        return lane.stretch

    def flush(self, lane: Lane) -> None:
        """The note of the steps that share one."""
        stretch, lane.stretch = lane.stretch, None
        if stretch is not None:
            first, last, busy, waited, count, gave_way, woken, before = stretch
            after = GAVE_WAY if gave_way else WAITS
            if count == 1:
                self.notes.extend((lane, woken, first, last, before, after))
            else:
                self.notes.extend((lane, woken, first, last, (busy, waited, count, before, after), MERGED))

    def over(self, lane: Lane, now: float, before: tuple[Place, list[int]] | None = None) -> None:
        """A note that a task is over, and its last step with it."""
        self.flush(lane)
        start = now if lane.started is None else lane.started
        lane.started = None
        self.notes.extend((lane, min(lane.woken, start), start, now, before, OVER))

    # --- from notes to entries

    def catch_up(self) -> None:
        """Makes entries of what has been noted since the last time. The program that is watched does not wait for it."""
        with self._folding:
            notes, now, began = self.notes, perf_counter(), self.began
            for at in range(self._read, len(notes) - FACTS_IN_A_NOTE + 1, FACTS_IN_A_NOTE):
                lane, woken, start, stop, before, after = notes[at : at + FACTS_IN_A_NOTE]
                if after is MADE and now - start < SETTLED_SECONDS and self.ended is None:
                    break  # in a moment it will have its name
                self._read = at + FACTS_IN_A_NOTE
                if after is MADE:
                    self._made(lane, start - began)
                elif after is HELD:
                    lane.held = before
                elif after is MERGED:
                    self._merged(lane, woken - began, start - began, stop - began, *before)
                else:
                    self._step(lane, woken - began, start - began, stop - began, before, after)
            self._noted += self._read // FACTS_IN_A_NOTE
            del notes[: self._read]
            self._read = 0
            if notes:
                return
            if self.ended is None:
                for tracer in list(self.tracers):
                    self._look_around(tracer, now)
            else:
                self._leave_waiting()

    def _enter(self, lane, time, state, label="", inferred=False):
        lane.state = state
        self._log.append((time, lane.number, state, label, inferred))

    def _made(self, lane, time):
        task = lane.task and lane.task()
        name = lane.name or (task.get_name() if task else lane.function)
        lane.number = super().add_lane(name, lane.parent.number if lane.parent else None)
        if lane.is_aside:
            self.asides.add(lane.number)
        self._tasks.append(lane)
        self._enter(lane, time, READY, lane.function)

    def _begin(self, lane, woken, start, before):
        """A step of `lane` begins; the log may know that already."""
        if before and lane.stopped is not None:  # else it began to wait unseen
            self._waits.append((lane, lane.stopped, max(woken, lane.stopped), *before))
        if lane.shown == start:
            return
        lane.shown = start
        if lane.state is WAITING:
            self._tell(lane, before)
            if lane.overdue is None:
                woken = max(woken, lane.stopped)  # a timer may have run out before anybody waited for it
                if woken < start:
                    self._enter(lane, woken, READY, lane.function)

    def _run(self, lane, start):
        """And runs."""
        if lane.state is not RUNNING and lane.accounted <= start:
            self._enter(lane, start, RUNNING, lane.function)
            lane.accounted = start

    def _tell_held(self, lane, readings):
        """What a long step did, by the clocks of its thread: as far as that is not told yet."""
        edges = (readings[0].time, readings[-1].time) if readings else ()
        for before, after in pairwise(readings):
            at = before.time - self.began
            if after.time - self.began <= lane.accounted:
                continue
            did = shares(before, after, before.time in edges or after.time in edges)
            for state in sorted(did, key=lambda state: state is not lane.state):  # as before first: fewer changes
                if did[state] and state is not lane.state:
                    self._enter(lane, at, state, lane.function, inferred=True)
                at += did[state]
            lane.accounted = after.time - self.began

    def _merged(self, lane, woken, start, stop, busy, waiting, count, before, after):
        """Many steps of `lane` that share a note: how long it was in which state is known, and not when."""
        self._begin(lane, woken, start, before)
        waiting = min(max(waiting, 0.0), stop - start - busy)
        ready = stop - start - busy - waiting
        if waiting < ready / 100 and after is GAVE_WAY:
            steps, used, first, _ = lane.polls or (lane.gave, 0.0, start, stop)
            lane.polls = steps + count, used + busy, first, stop
        lane.state = None
        for state, seconds in {RUNNING: busy, WAITING: waiting, READY: ready}.items():
            if seconds > 0:
                self._enter(lane, start, state, lane.function, inferred=True)
                start += seconds
        self._end(lane, stop, after)

    def _step(self, lane, woken, start, stop, before, after):
        """One step of `lane`, which has ended."""
        self._begin(lane, woken, start, before)
        self._run(lane, start)
        (readings, ours), lane.held = lane.held or ((), 0.0), None
        self._tell_held(lane, readings)
        eager, is_first = lane.tracer.eager, lane.stopped is None
        for step in eager:  # those of others that began at once, when this one made them: they had the loop then
            if step.start > start:
                self._enter(lane, step.start, READY, lane.function)
                self._enter(lane, step.stop, RUNNING, lane.function)
        step = TaskStep(lane.number, start if is_first else lane.stopped, start, stop, ours)
        self._steps.append(step)
        if eager or lane.is_eager:
            eager[:] = [*(other for other in eager if other.start < start), step] if lane.is_eager and is_first else []
        self._end(lane, stop, after)

    def _end(self, lane, stop, after):
        lane.stopped, lane.told, lane.overdue = stop, None, None
        if after is OVER:
            lane.state = None
            self._log.append((stop, lane.number, None, lane.outcome, False))
        elif after is GAVE_WAY:
            lane.gave += 1
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
                woken = lane.woken - self.began if lane.overdue is None else lane.overdue
                until = woken if woken > lane.stopped else self.ended  # else it was not told to go on since then
                if lane.before:
                    self._waits.append((lane, lane.stopped, until, *lane.before))
                    lane.before = None
                if until < self.ended and lane.overdue is None:
                    self._enter(lane, until, READY, lane.function)

    def _look_around(self, tracer, now):
        """Tells the log of what has no note yet: what tasks wait for, and a step that has been going on for some time."""
        lanes = [lane for lane in self._tasks if lane.tracer is tracer and lane.stretch is None]
        waiting = [lane for lane in lanes if lane.state is WAITING and lane.told is None]
        seen = [(lane, self.look_at(lane)) for lane in waiting]
        running = tracer.running()
        start = running and running.started
        if self.notes:
            return  # things moved on meanwhile
        for lane, what in seen:
            if lane is not running:
                self._tell(lane, what)
        if start is None or running.number is None or running.stretch is not None or now - start < STUCK_SECONDS:
            return
        if start - self.began < (running.stopped or 0.0):
            return  # that was the one before
        if running.state is WAITING:
            self._tell(running, running.before if running.looked == start else None)
        self._begin(running, min(running.woken, start) - self.began, start - self.began, None)
        self._run(running, start - self.began)
        self._tell_held(running, tracer.readings(running, start))
        self._look_at_timers(tracer, now)

    def look_at(self, lane: Lane) -> tuple[Place, list[int]] | None:
        """What `lane` waits for at this moment, seen from outside; None when that cannot be told."""
        task = lane.task and lane.task()
        if task is None:
            return None
        try:
            seen = self.awaiting.look([], bare(task.get_coro()), getattr(task, "_fut_waiter", None))
        except Exception:  # it went on while it was being looked at
            return None
        return seen

    def _look_at_timers(self, tracer, now):
        """While a step holds the loop: who waits for a timer that has run out could go on, and the log is told so."""
        for lane, when in run_out(tracer.loop, tracer.lanes, now - tracer.shift):
            if lane.state is WAITING and lane.told is not None and lane.overdue is None:
                lane.overdue = max(when + tracer.shift - self.began, lane.stopped)
                self._enter(lane, lane.overdue, READY, lane.function)
                lane.state = WAITING  # until its step is noted
