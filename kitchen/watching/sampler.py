"""Looks at the threads of this process from outside, a hundred times a second: what can be told of them without a debugger.

A thread that works uses CPU time, and Linux counts it for each thread. So between two looks a thread that has used none
never woke: it was WAITING, unless it could run, and was not let to. One that has used some was RUNNING for as long. Of the
rest it was READY for as long as it queued behind other programs for a CPU, which Linux counts as well; and for all of it, if
it queued behind the program's own threads for the interpreter's lock: they kept that busy, and this one asked for it again
and again. Else it was WAITING.

Observed: at each look the CPU time that a thread has used and the line at which it stands; of functions that a task hands
to an executor also when they began and ended, because the executor's thread says so itself (`job`). Inferred, and marked so:
every state. How wrong it may be: the sum of RUNNING is the CPU time used, up to a millisecond or so, but where it lies
between two looks is not known, so every edge may be 10 ms off, and what came and went between two looks is not drawn at all.
Where the system does not count (macOS, Windows), a thread is taken to be RUNNING if its innermost function has moved on
since the last look, else WAITING: it is never READY there, and a tight loop, which always gives way to others at the same
point, seems to wait.

A look takes some 0.15 ms with 5 threads, 1 ms with 200, and 5 ms if all of these have used the CPU; where that would be more
than 3 % of one CPU there are fewer looks, and the 10 ms become more. A thread is drawn while one of the reader's own
functions runs in it.
"""

import asyncio
import os
import sys
import threading
import time
import traceback
import weakref
from collections import deque
from time import perf_counter
from typing import Any

from kitchen.timeline import READY, RUNNING, WAITING
from kitchen.watching.arrivals import came
from kitchen.watching.cpu import Queue, cpu_of, is_runnable, one_at_a_time, queue_of
from kitchen.watching.facts import Sample
from kitchen.watching.garbage import Collections
from kitchen.watching.spot import Spot, call_of, called, clock_in, spot_of
from kitchen.watching.stacks import IN_C, Frame, Stacks

NAME = "kitchen sampler"  # of the thread that looks
EVERY_SECONDS = 0.01  # between two looks; longer when there are so many threads that looking takes its time
LOOKING_SHARE = 0.03  # the part of one CPU that looking may take
LONG_SECONDS = 0.02  # after which a step of the loop is worth a look at what it is doing
BUSY_SHARE = 0.8  # the part of a moment that the interpreter must have been in use for others to have queued for it,
# Or this part, if the sampler itself had to queue: on a loaded machine other programs take the rest.
CONTENDED_SHARE = 0.3
RARER = 0.01  # the part of a step that goes by, at least, between two looks at it
LEAST_SECONDS = 0.001  # shorter stretches are not drawn
UNLOOKED_SECONDS = 0.05  # by which a look comes so late that it is noted: somebody kept the interpreter


def _capacity():
    """How many threads can run Python at the same moment."""
    if one_at_a_time():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _clocks():
    """Now, and what this thread has used of the CPU by now, and queued for it."""
    return perf_counter(), time.thread_time(), queue_of(threading.get_native_id())


class _Thread:
    """A thread, and what the record says of it by now."""

    def __init__(self, thread, since):
        self.thread = thread
        self.since = since  # up to when the record tells of it
        self.cpu = 0.0  # the CPU time that it had used by then
        self.queue = Queue(0.0, 0)  # and queued for one; None where that is not counted
        self.cpu_now = self.queue_now = None  # the same at this moment
        self.owed = 0.0  # of which so much is not in the record yet: too short to be drawn
        self.lane = self.state = self.label = self.last = None
        self.job = None  # what it does for a task, as it has said itself
        self.spot = self.stood = None  # where it stood

    def read(self):
        """What its clocks say."""
        self.cpu_now = cpu_of(self.thread.native_id)
        has_moved = self.cpu_now is not None and self.cpu_now != self.cpu
        self.queue_now = queue_of(self.thread.native_id) if has_moved else self.queue

    def spot_of_job(self):
        """Where it stands in its job: where it was seen last, else where the job begins."""
        return self.spot if self.spot and self.spot.file else self.job


class Sampler:
    """A thread that looks at the others, from `start` to `stop`, and tells `recorder` of them.

    While a step holds a loop that is watched for long, the line is noted at which it stands, and what the clocks of its
    thread say. Threads that were there before are not drawn, but for those of an executor that get a job meanwhile.
    """

    def __init__(self, recorder: Any):
        self.recorder = recorder
        self.problem = None  # what went wrong while looking, if anything did
        self._there = {}
        self._busiest = None  # how long the busiest thread used the CPU since the last look, and where it stands
        self._queues = {}  # of the threads of loops, when it looked last
        self._own = None  # the same of the thread that looks
        self._lanes = weakref.WeakKeyDictionary()  # by thread: idents are used again, for other threads
        self._jobs = deque()
        self._over = threading.Event()
        self._before = weakref.WeakSet()
        self._looked = self._cpu = self._due = 0.0  # when it looked last, the CPU time then; when it means to look next
        self._collections = Collections()
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._before = weakref.WeakSet(threading.enumerate())
        self._stacks = Stacks()  # here, since the first look is not to come late, nor to seem dear
        self._looked, self._cpu = perf_counter(), time.process_time()
        self._collections.hear()
        self._thread.start()

    def stop(self) -> None:
        """Ends it; the threads that are drawn end here."""
        self._collections.stop_hearing()
        self._over.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def job_begins(self, name: str) -> None:
        """A function of this name begins in the executor's thread that calls this: from now on that is drawn."""
        self._before.discard(threading.current_thread())
        self._jobs.append((threading.current_thread(), name, *_clocks()))

    def job_ends(self) -> None:
        """And has ended."""
        self._jobs.append((threading.current_thread(), None, *_clocks()))

    def _run(self):
        pause = EVERY_SECONDS
        self._due = perf_counter() + pause
        while not self._over.wait(pause):
            began = time.thread_time()
            self._try_to_look()
            pause = max(EVERY_SECONDS, (time.thread_time() - began) / LOOKING_SHARE)
            self._due = perf_counter() + pause
        self._try_to_look()
        for watched in self._there.values():
            self._leave(watched, max(self._looked, watched.since))
        self._there.clear()

    def _try_to_look(self):
        try:
            self._look()
            began = self.recorder.began
            self.recorder.collections += [(start - began, stop - began) for start, stop in self._collections.take()]
        except Exception as error:  # a look that fails must not be the last one
            traceback.clear_frames(error.__traceback__)  # they hold on to the program's frames
            self.problem = error

    # --- one look

    def _look(self):
        now, cpu = perf_counter(), time.process_time()
        late = now - self._due > sys.getswitchinterval() / 2
        in_use = cpu - self._cpu + self._kept_waiting(now - self._looked)
        busy = in_use > (CONTENDED_SHARE if late else BUSY_SHARE) * _capacity() * (now - self._looked)
        then, used = self._looked, cpu - self._cpu
        self._looked, self._cpu = now, cpu
        before, self._own = self._own, queue_of(threading.get_native_id())
        queued = self._own.queued - before.queued if before and self._own else 0.0  # behind other programs
        if now - self._due - queued > UNLOOKED_SECONDS:
            self.recorder.unlooked.append((then - self.recorder.began, now - self.recorder.began, used))
        if not self._is_something_on():
            return
        frames, self._busiest = self._stacks.look(), None
        if frames is None:
            return
        try:
            jobs = self._take_jobs()  # after the frames: so that a job that is seen has told that it began
            threads = {thread.ident: thread for thread in threading.enumerate() if self.is_drawn(thread)}
            for ident in [ident for ident in self._there if self._there[ident].thread is not threads.get(ident)]:
                watched = self._there.pop(ident)
                self._tell_jobs(watched, jobs.pop(watched.thread, ()), busy)
                self._leave(watched, now)
            for ident, thread in threads.items():
                watched = self._there.get(ident)
                if watched is None:
                    watched = self._there[ident] = _Thread(thread, then)
                    watched.read()
                edges = jobs.pop(thread, ())
                self._tell_jobs(watched, edges, busy)
                ended = bool(edges) and watched.job is None  # after the frames were taken, perhaps
                self._look_at(watched, None if ended else frames.get(ident), now, busy)
            for thread, edges in jobs.items():  # of threads that are gone by now
                self._tell_jobs(_Thread(thread, edges[0][1]), edges, busy)
            for tracer in list(self.recorder.tracers):
                self._look_at_loop(tracer, frames.get(tracer.thread), now)
        finally:
            del frames  # they hold on to everything that the program's functions know

    def _kept_waiting(self, seconds):
        """For how many of these seconds the threads queued for a CPU, taken together: one may have kept the interpreter."""
        loops = {tracer.clock.native_id: queue_of(tracer.clock.native_id) for tracer in self.recorder.tracers}
        pairs = [(self._queues.get(native_id), queue) for native_id, queue in loops.items()]
        self._queues = loops
        for watched in self._there.values():
            watched.read()
            pairs.append((watched.queue, watched.queue_now))
        return sum(min(after.queued - before.queued, seconds) for before, after in pairs if before and after)

    def _is_something_on(self):
        """Whether there is anything to look at."""
        return self.recorder.tracers or self._there or self._jobs or any(map(self.is_drawn, threading.enumerate()))

    def is_drawn(self, thread: threading.Thread) -> bool:
        """Whether a thread has begun, and is one of the program's that was not there before."""
        begun = thread.ident is not None and thread.native_id is not None
        return begun and thread not in self._before and not thread.name.startswith("kitchen ")

    def _take_jobs(self):
        jobs = {}
        while self._jobs:
            thread, *edge = self._jobs.popleft()
            jobs.setdefault(thread, []).append(edge)
        return jobs

    def _look_at(self, watched, frame, now, busy):
        if now <= watched.since:
            return  # a job began after this look did
        cpu, queue = watched.cpu_now, watched.queue_now
        if cpu is None or cpu != watched.cpu or watched.spot is None:  # else it has not moved
            watched.spot = spot_of(frame)
        spot, stood = watched.spot, watched.stood
        worked = cpu - watched.cpu if cpu is not None else 0.0
        if spot is not None and spot.file and worked > (self._busiest or (0.0,))[0]:
            self._busiest = worked, (spot.file, spot.line, spot.function)
        watched.stood = spot and spot.stands
        if spot is None or spot.file is None:
            spot = watched.job
        if spot is None:
            watched.spot = None
            self._leave(watched, now)
        elif cpu is None:
            self._account(watched, now, None if watched.stood != stood else 0.0, None, busy, spot)
        else:
            self._account(watched, now, worked, queue, busy, spot)
        watched.since, watched.queue = now, queue
        if cpu is not None:
            watched.cpu = cpu

    def _queued(self, watched, rest, worked, queue, busy):
        """For how many seconds a thread wanted to go on, of the `rest` of a stretch in which it worked so long."""
        if queue is None or watched.queue is None:  # not counted here
            return rest if busy and worked else 0.0
        if not worked:  # how long it queues is told when that is over
            return rest if watched.state in (RUNNING, READY) and is_runnable(watched.thread.native_id) else 0.0
        queued, turns = min(queue.queued - watched.queue.queued, rest), queue.turns - watched.queue.turns
        # Who queues for the interpreter asks for it at each interval.
        asks = turns * sys.getswitchinterval() > (rest - queued) / 2
        queued = rest if busy and one_at_a_time() and asks else queued
        least = max(LEAST_SECONDS, rest / 10)
        return 0.0 if queued < least else rest if rest - queued < least else queued

    def _account(self, watched, now, worked, queue, busy, spot):
        """Since it was last told of, a thread has used the CPU for `worked` seconds; None: all the time."""
        then, length = watched.since, now - watched.since
        used, worked = worked, length if worked is None else max(worked + watched.owed, 0.0)
        if worked > length - LEAST_SECONDS and worked > length / 2:
            did, watched.owed = {RUNNING: length}, worked - length
        else:
            did, watched.owed = ({RUNNING: worked}, 0.0) if worked >= LEAST_SECONDS else ({}, worked)
            rest = length - sum(did.values())
            did[READY] = self._queued(watched, rest, used, queue, busy)
            did[WAITING] = rest - did[READY]
        for state in sorted(did, key=lambda state: state is not watched.state):  # as before first: fewer changes
            if did[state] > 0:
                self._tell(watched, then, state, spot)
                then += did[state]
        watched.since = now

    def _tell(self, watched, at, state, spot):
        label = spot.waits if state is WAITING else spot.works
        if (watched.state, watched.label) != (state, label):
            self._change(watched, at, state, label)

    def _change(self, watched, at, state, label="", inferred=True):
        """Entries of one lane stand in order of time, whatever comes late."""
        at = max(at - self.recorder.began, watched.last or 0.0, 0.0)
        self.recorder.change(self._lane(watched), state, label, at=at, inferred=inferred)
        watched.state, watched.label, watched.last = state, label, at

    def _lane(self, watched):
        if watched.lane is None:
            watched.lane = self._lanes.get(watched.thread)
        if watched.lane is None:
            watched.lane = self._lanes[watched.thread] = self.recorder.add_lane(watched.thread.name)
        return watched.lane

    def _leave(self, watched, now):
        """None of the reader's functions runs there any more."""
        if watched.state is not None:
            self._change(watched, now, None, inferred=watched.job is None)
        watched.since, watched.owed = now, 0.0

    def _tell_jobs(self, watched, edges, busy):
        """What the executor's threads have said themselves since the last look: began with a function, or ended."""
        for name, moment, cpu, queue in edges:
            if name is not None:
                self._leave(watched, moment)
                watched.job, watched.spot = Spot(None, 0, name, None, name), None
            elif watched.job is not None:
                self._account(watched, moment, cpu - watched.cpu, queue, busy, watched.spot_of_job())
                self._leave(watched, moment)
                watched.job = watched.spot = None
            watched.cpu, watched.queue = cpu, queue

    def _is_held(self, lane, now):
        """Whether a step of a loop goes on for so long that it is worth a look."""
        since = lane and lane.started
        return since is not None and now - since >= LONG_SECONDS

    def _look_at_loop(self, tracer, frame, now):
        call = call_of(frame)
        if call is None and isinstance(frame, Frame):
            return  # the loop waits, and so nothing of it runs
        lane = tracer.running()
        call = call or (clock_in(frame) if lane is not None else None)
        if call is None or (lane is not None and not self._is_held(lane, now)):
            return
        if call is IN_C and lane is None and not (tracer.loop and tracer.loop.is_running()):
            return  # whoever called, it was no loop
        reading = tracer.clock.read_from_outside()
        if lane is not None:
            looked = lane.looks[-1].time if lane.looks else 0.0
            if now - looked < RARER * (now - (lane.started or now)):
                return  # a step of an hour is not looked at a hundred times a second
            if reading is not None:
                lane.looks = (*lane.looks, reading)
        spot = spot_of(frame, call)
        name = called(call, frame) if lane is None and not spot.file else ""
        where = (spot.file, spot.line, spot.function) if spot.file else ("", 0, name)
        own, all_, queued, _ = reading[1:] if reading else (None,) * 4
        ready, beside = len(getattr(tracer.loop, "_ready", ())), self._busiest and self._busiest[1]
        told = own, all_, spot.kind, ready, beside, queued, came(tracer.loop), lane is not None or _is_in_step(tracer)
        self.recorder.samples.append(Sample(now - self.recorder.began, *where, *told))


def _is_in_step(tracer):
    """Whether a task that is not watched may be in a step: without a GIL, to ask that would stop all threads."""
    return not one_at_a_time() or asyncio.current_task(tracer.loop) is not None
