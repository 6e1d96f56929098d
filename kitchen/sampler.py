"""Looks at the threads of this process from outside, a hundred times a second: what can be told of them without a debugger.

A thread that works uses CPU time, and the system counts it for each thread. So between two looks a thread that has used none
never woke: it was WAITING. One that has used some was RUNNING for as long; and the rest of the time READY, if the threads
together kept the interpreter busy (they queue for its lock), else WAITING. All of this is inferred, and marked so: the sum
of RUNNING is right, its place within the hundredth of a second between two looks is not known. Where the system does not
count (macOS, Windows), a thread whose innermost function stands where it stood is taken to wait.

A thread is drawn while one of the reader's own functions runs in it. Where it begins and ends is known as exactly as there
are looks; of functions that a task hands to an executor quite exactly: the executor's thread says so itself (`job`).
"""

import os
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from time import perf_counter

from kitchen.awaiting import is_readers, place
from kitchen.diagnosis import Sample
from kitchen.timeline import READY, RUNNING, WAITING

EVERY = 0.01  # seconds between two looks; longer when there are so many threads that looking takes its time
LIGHT = 0.03  # the part of one CPU that looking may take
LONG = 0.02  # seconds after which a step of the loop is worth a look at what it is doing
BUSY = 0.8  # the part of a moment that the interpreter must have been in use for others to have queued for it
LEAST = 0.001  # seconds: shorter stretches are not drawn
# What a thread waits for, by the file of its innermost function; the C functions below it have no frame.
WAITS = {"threading.py": "lock", "queue.py": "queue", "socket.py": "socket", "ssl.py": "socket", "selectors.py": "socket",
         "subprocess.py": "process", "_base.py": "result of another thread"}  # fmt: skip


def _clock_of(native_id):
    """The system's number for the CPU clock of a thread, as Linux makes it from the thread's own number."""
    return (~native_id << 3) | 6


def _has_clocks():
    """Whether that holds here: asked of this thread, whose clock can be asked for safely."""
    if not sys.platform.startswith("linux") or not hasattr(time, "pthread_getcpuclockid"):
        return False
    return _clock_of(threading.get_native_id()) == time.pthread_getcpuclockid(threading.get_ident())


HAS_CLOCKS = _has_clocks()


def cpu_of(native_id: int) -> float | None:
    """The CPU time that a thread has used, in seconds; None where it cannot be had, or the thread is gone."""
    if not HAS_CLOCKS:
        return None
    try:
        return time.clock_gettime(_clock_of(native_id))
    except OSError:
        return None


class _Watched:
    """A thread, and what the record says of it by now."""

    def __init__(self, thread, cpu):
        self.thread, self.cpu = thread, cpu
        self.lane = self.state = self.stood = self.last = None
        self.job = self.began = None  # a job that an executor's thread does, and when it began


class Sampler:
    """A thread that looks at the others, from `start` to `stop`, and tells `recorder` of them.

    `loop_thread`: the ident of the thread whose event loop is watched, if any: while one step holds it for long, the line is
    noted at which it stands. Threads that were there before are not drawn.
    """

    def __init__(self, recorder, loop_thread: int | None = None):
        self.recorder, self.loop_thread = recorder, loop_thread
        self.problem = None  # what went wrong while looking, if anything did
        self._there = {}
        self._lanes = {}  # of threads that are gone too: idents are used again, lanes are not
        self._jobs = deque()
        self._over = threading.Event()
        self._before = set()
        self._looked = self._cpu = 0.0
        self._loop_native = None
        self._thread = threading.Thread(target=self._run, name="kitchen sampler", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._before = {thread.ident for thread in threading.enumerate()}
        natives = {thread.ident: thread.native_id for thread in threading.enumerate()}
        self._loop_native = natives.get(self.loop_thread)
        self._looked, self._cpu = perf_counter(), time.process_time()
        self._thread.start()

    def stop(self) -> None:
        """Ends it; the threads that are drawn end here."""
        self._over.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    @contextmanager
    def job(self, function):
        """Around a function, by the executor's thread that runs it: when it began and ended, and the CPU time it took."""
        began, cpu = perf_counter(), time.thread_time()
        thread = threading.current_thread()
        self._jobs.append((thread, function, began, None, 0.0))
        try:
            yield
        finally:
            self._jobs.append((thread, function, began, perf_counter(), time.thread_time() - cpu))

    def _run(self):
        pause = EVERY
        while not self._over.wait(pause):
            began = time.thread_time()
            try:
                self._look()
            except Exception as error:  # a look that fails must not be the last one
                self.problem = error
            pause = max(EVERY, (time.thread_time() - began) / LIGHT)
        self._look()
        for watched in self._there.values():
            self._leave(watched, self._looked)

    # --- one look

    def _look(self):
        now, cpu = perf_counter(), time.process_time()
        then, used = self._looked, cpu - self._cpu
        self._looked, self._cpu = now, cpu
        busy = used > BUSY * (now - then)
        frames = sys._current_frames()
        try:
            threads = {
                thread.ident: thread
                for thread in threading.enumerate()
                if thread.ident not in self._before and not thread.name.startswith("kitchen")
            }
            for ident in [ident for ident in self._there if self._there[ident].thread is not threads.get(ident)]:
                self._leave(self._there.pop(ident), now)
            jobs = self._take_jobs()
            for ident, thread in threads.items():
                watched = self._there.get(ident)
                if watched is None:
                    watched = self._there[ident] = _Watched(thread, 0.0)
                self._look_at(watched, _spot(frames.get(ident)), jobs.pop(thread, ()), then, now, busy)
            for thread, edges in jobs.items():  # of threads that are gone by now
                self._tell_jobs(_Watched(thread, None), edges)
            self._look_at_loop(frames.get(self.loop_thread), now)
        finally:
            del frames  # they hold on to everything that the program's functions know

    def _take_jobs(self):
        jobs = {}
        while self._jobs:
            thread, *edge = self._jobs.popleft()
            jobs.setdefault(thread, []).append(edge)
        return jobs

    def _look_at(self, watched, spot, edges, then, now, busy):
        cpu = cpu_of(watched.thread.native_id)
        worked = _worked(watched, cpu, spot)
        watched.cpu, watched.stood = cpu, spot and spot.stands
        if edges:
            self._tell_jobs(watched, edges)
        if spot is None or spot.file is None:
            spot = watched.job
        if spot is None:
            self._leave(watched, now)
            return
        if watched.job is not None:
            then = max(then, watched.began)
        rest = READY if busy else WAITING
        length = now - then
        worked = min(length, length if worked is None else worked)
        if worked > length - LEAST:
            self._tell(watched, then, RUNNING, spot)
        elif worked < LEAST and not (busy and worked > 0):
            self._tell(watched, then, WAITING, spot)
        elif worked < LEAST:
            self._tell(watched, then, rest, spot)
        else:  # where in between it worked is not known: where it did before, so that there are fewer changes
            first, second = (RUNNING, rest) if watched.state is RUNNING else (rest, RUNNING)
            self._tell(watched, then, first, spot)
            self._tell(watched, then + (worked if first is RUNNING else length - worked), second, spot)

    def _tell(self, watched, at, state, spot, inferred=True):
        label = spot.waits if state is WAITING else spot.works
        if (watched.state, watched.label if watched.state else "") == (state, label):
            return
        self._change(watched, at, state, label, inferred)

    def _change(self, watched, at, state, label="", inferred=True):
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
            self._change(watched, now, None)

    def _tell_jobs(self, watched, edges):
        """What the executor's threads have said themselves since the last look."""
        for function, began, ended, cpu in edges:
            if ended is None:
                watched.job, watched.began = _Spot.of_function(function), began
                continue
            if watched.state is None:  # it was over before anybody looked
                spot = _Spot.of_function(function)
                self._change(watched, began, RUNNING, spot.works)
                if cpu < ended - began - LEAST:
                    self._change(watched, began + cpu, WAITING, spot.waits)
            self._change(watched, ended, None)
            watched.job = None

    def _look_at_loop(self, frame, now):
        running = self.recorder.running()
        if frame is None or running is None or now - self.recorder.began - running[1] < LONG:
            return
        spot = _spot(frame)
        if spot and spot.file:
            cpu = cpu_of(self._loop_native) if self._loop_native else None
            sample = Sample(now - self.recorder.began, spot.file, spot.line, spot.function, cpu)
            self.recorder.samples.append(sample)


def _worked(watched, cpu, spot):
    """For how long a thread has worked since the last look; None: all the time, as far as can be told."""
    if cpu is not None:
        return cpu - (watched.cpu or 0.0)
    return 0.0 if spot and spot.stands == watched.stood else None


class _Spot:
    """Where a thread stands: the innermost of the reader's functions, and what the innermost function of all waits for."""

    def __init__(self, file, line, function, stands, waits):
        self.file, self.line, self.function, self.stands = file, line, function, stands
        where = place(file, line) if file else ""
        self.works = ", ".join(filter(None, (function, where)))
        self.waits = ", ".join(filter(None, (waits, where)))

    @classmethod
    def of_function(cls, function):
        """Where a function begins; a partial says what it is a part of."""
        if isinstance(function, partial):
            run = isinstance(
                getattr(function.func, "__self__", None), Context
            )  # which is how asyncio.to_thread calls it
            function = function.args[0] if run and function.args else function.func
        name = getattr(function, "__name__", type(function).__name__)
        return cls(None, 0, name, None, name)


def _spot(frame):
    """Where the thread of this innermost frame stands; None when there is none."""
    if frame is None:
        return None
    innermost = frame.f_code
    stands = (id(innermost), frame.f_lasti)
    own = os.path.basename(innermost.co_filename)
    while frame is not None:
        code = frame.f_code
        if is_readers(code.co_filename):
            waits = "" if code is innermost else WAITS.get(own, "")
            return _Spot(code.co_filename, frame.f_lineno, code.co_name, stands, waits)
        frame = frame.f_back
    return _Spot(None, 0, "", stands, "")
