"""What a thread did with a stretch of time, by its CPU clock: used the CPU, queued for it, or had no use for it.

Observed: the CPU time of the thread and of the whole process and, on Linux, for how long the thread was kept waiting by
other processes, and how often it had the CPU. All else is inferred from these, and marked so.
"""

import ctypes
import os
import sys
import threading
import time
from typing import NamedTuple

from kitchen.recorder import CPU_CLOCK_IS_FINE
from kitchen.timeline import IDLING, READY, RUNNING, State

ERROR_SECONDS = 0.001 if CPU_CLOCK_IS_FINE else 0.016  # what is shorter is not told apart
# The part of a moment that other threads must have used for this one to have queued for the interpreter.
OTHERS_SHARE = 0.3
FEW_TURNS = 10  # at the CPU: of fewer one cannot tell why a thread had them
PROMPT_SECONDS = 0.0005  # within which the clocks can be read: whoever took longer was kept waiting meanwhile
SOME_SHARE = 0.01  # the part that a thread uses at least, if it wants to run and is let to it now and then


def _clock_of(native_id):
    """The system's number for the CPU clock of a thread, as Linux makes it from the thread's own number."""
    return (~native_id << 3) | 6


def _has_clocks():
    """Whether that holds here: asked of this thread, whose clock can be asked for safely."""
    if not sys.platform.startswith("linux") or not hasattr(time, "pthread_getcpuclockid"):
        return False
    return _clock_of(threading.get_native_id()) == time.pthread_getcpuclockid(threading.get_ident())


HAS_CLOCKS = _has_clocks()
LONGEST_BYTES = 512
if HAS_CLOCKS:
    # Called so, these keep the interpreter. Python's own let go of it, and where others compute one has it back only after
    # the interval at which threads give way: five milliseconds, for an answer of one microsecond.
    libc = ctypes.PyDLL(None)
    libc.pread.argtypes = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long


def cpu_of(native_id: int) -> float | None:
    """The CPU time that a thread has used, in seconds; None where it cannot be had, or the thread is gone."""
    if not HAS_CLOCKS:
        return None
    try:
        return time.clock_gettime(_clock_of(native_id))
    except OSError:
        return None


class Queue(NamedTuple):
    """For how many seconds a thread has queued for a CPU behind others so far, and how often it has had one by then.

    A wait is told of when it is over.
    """

    queued: float
    turns: int


def _open(native_id, name):
    """A file in which Linux tells of a thread; below 0 where it does not, or the thread is gone."""
    path = f"/proc/self/task/{native_id}/{name}".encode()
    return libc.open(path, os.O_RDONLY | os.O_CLOEXEC) if HAS_CLOCKS else -1


def _read(file):
    text = ctypes.create_string_buffer(LONGEST_BYTES)
    length = libc.pread(file, text, LONGEST_BYTES, 0)
    return text.raw[: max(length, 0)].rpartition(b")")[2].split()


def _say(native_id, name):
    """What such a file says, word by word, without the thread's name."""
    file = _open(native_id, name)
    if file < 0:
        return []
    try:
        return _read(file)
    finally:
        libc.close(file)


def queue_of(native_id: int) -> Queue | None:
    """What Linux counts of that for a thread; None where it does not, or the thread is gone."""
    return _queue(_say(native_id, "schedstat"))


def _queue(words):
    return Queue(int(words[1]) / 1e9, int(words[2])) if len(words) == 3 else None


def is_runnable(native_id: int) -> bool:
    """Whether a thread has a CPU, or queues for one, at this moment; False where the system does not tell."""
    return _say(native_id, "stat")[:1] == [b"R"]


def one_at_a_time() -> bool:
    """Whether only one thread runs Python at any moment: this interpreter has its global lock."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


class Reading(NamedTuple):
    """A thread's clocks at one moment, in seconds: the time, its CPU time so far, that of the whole process, and how long
    other processes have kept it waiting so far (None: not known). And how often it has had the CPU by then."""

    time: float
    own: float
    all: float
    queued: float | None = None
    turns: int | None = None


class ThreadClock:
    """The clocks of one thread, from `__init__`, which that thread calls, to `close`."""

    def __init__(self):
        self.native_id = threading.get_native_id()
        self._file = _open(self.native_id, "schedstat")

    def read(self, now: float) -> Reading:
        """What the clocks say, asked by the thread itself."""
        return Reading(now, time.thread_time(), time.process_time(), *self._queued())

    def read_now(self) -> Reading:
        """The same, of one moment: once more if the thread was kept waiting meanwhile."""
        return _prompt(self.read)

    def read_from_outside(self) -> Reading | None:
        """That, asked by another thread; None where this system does not tell."""
        return _prompt(self._read_from_outside)

    def _read_from_outside(self, now):
        own = cpu_of(self.native_id)
        return own if own is None else Reading(now, own, time.process_time(), *self._queued())

    def _queued(self):
        return (_queue(_read(self._file)) if self._file >= 0 else None) or (None, None)  # None: the thread is gone

    def close(self) -> None:
        """Lets go of what the system keeps for it."""
        file, self._file = self._file, -1
        if file >= 0:
            libc.close(file)


def _prompt(read):
    for _ in range(5):
        reading = read(began := time.perf_counter())
        if time.perf_counter() - began < PROMPT_SECONDS:
            break
    return reading


def settled(readings: list[Reading]) -> list[Reading]:
    """Readings in order of time, with what the later ones know of the earlier: a wait in the system's queue is told of when
    it is over, and so as if it had all been since the reading before."""
    later = None
    for at in range(len(readings) - 1, -1, -1):
        reading = readings[at]
        if later is not None and reading.queued is not None and later.queued is not None:
            reading = reading._replace(queued=max(reading.queued, later.queued - (later.time - reading.time)))
        readings[at] = later = reading
    return readings


def _woke_often(before, after, seconds):
    """Whether a thread has had the CPU again and again, as one that queues for the interpreter: it asks at each interval."""
    if before.turns is None or after.turns is None:
        return False
    turns = seconds / sys.getswitchinterval()
    return turns >= FEW_TURNS and after.turns - before.turns > turns / 2


def shares(before: Reading, after: Reading, is_edge: bool = False) -> dict[State, float]:
    """For how many seconds between two readings a thread that held its loop was RUNNING, READY and IDLING.

    `is_edge`: the stretch begins or ends with the step, so that some CPU time has been used in any case.
    """
    length = after.time - before.time
    running = max(0.0, min(after.own - before.own, length))
    running = length if length - running < max(ERROR_SECONDS, length / 20) else running
    running = 0.0 if running < max(ERROR_SECONDS, length / 50) and running < length else running
    rest, ready = length - running, 0.0
    if after.queued is not None and before.queued is not None:
        ready = min(rest, after.queued - before.queued)
        ready = ready if ready >= max(ERROR_SECONDS, rest / 20) else 0.0
    own = after.own - before.own
    others = after.all - before.all - own
    wanted = own > SOME_SHARE * length if is_edge or not HAS_CLOCKS else own > 0
    wanted = wanted or _woke_often(before, after, rest - ready)
    left = rest - ready
    if ready and running and left < length / 2:  # the system tells of a wait in its queue when that is over
        left = 0.0
    if left < ERROR_SECONDS or (wanted and one_at_a_time() and others > OTHERS_SHARE * left):
        ready = rest
    return {RUNNING: running, READY: ready, IDLING: rest - ready}
