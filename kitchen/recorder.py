"""The log that real runs append to while they run, from any thread, and its fold into a `Timeline`.

Recording must not change what is recorded: it reads the clock and appends one entry to a list, nothing else. Whoever
wants to see more meanwhile, a picture or a progress bar, reads the list from a thread of its own (see `watched`).
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import zip_longest
from math import isfinite
from operator import itemgetter
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple

from kitchen.timeline import READY, Finding, State, Table, Timeline

UNFINISHED = "unfinished"  # the outcome of a lane that the end of the run cut off
LOOKS_UP = 0.5  # seconds
CPU_CLOCK_IS_FINE = sys.platform != "win32"  # there time.thread_time moves in steps of 16 ms


class Entry(NamedTuple):
    """From `time` on (seconds since the run began) lane number `lane` is in `state`, busy with the step called `label`.

    The state None says that the lane is over, and a label then why it is over without being done. A READY entry without
    a label belongs to the step that comes next.
    """

    time: float
    lane: int
    state: State | None
    label: str = ""
    inferred: bool = False


class Recorder:
    """One real run. `log` only grows; within a lane its entries stand in order of time, between lanes in any order.

    `lanes`: the names, in menu order; all are READY at 0, which is the moment the Recorder is made: `began` on `clock`,
    in seconds. As a context manager it is closed with the block, in whatever way that ends. `newest`: the last of its class.
    """

    newest = None
    parents: Mapping[int, int] = MappingProxyType(
        {}
    )  # by number: of a task's lane, the lane of the task that created it
    findings: Sequence[Finding] = ()  # what is amiss, known when the run is over

    def __init__(self, lanes: Iterable[str], title: str, clock: Callable[[], float] = perf_counter):
        self.lanes = tuple(lanes)
        self.title = title
        self.log = [Entry(0.0, lane, READY) for lane in range(len(self.lanes))]
        self.ended = None  # when the run was closed
        self._clock = clock
        self.began = clock()
        type(self).newest = self
        for watcher in list(_watchers):
            watcher(self)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self.began

    def change(
        self, lane: int, state: State | None, label: str = "", at: float | None = None, inferred: bool = False
    ) -> None:
        """From now on (or since `at`) `lane` is in `state`. Appending to a list is safe from any thread."""
        self.log.append((self.now() if at is None else at, lane, state, label, inferred))

    def finish(self, lane: int, outcome: str = "") -> None:
        """The lane is over: done, or else `outcome` says in a few words what became of it."""
        self.change(lane, None, outcome)

    def close(self) -> None:
        """The run has ended, in whatever way: lanes that are not over end here."""
        self.ended = self.now()

    def interrupt(self) -> None:
        """Asks the threads of this run to end. A run that has threads says here how."""

    @contextmanager
    def threads(self, number: int) -> Iterator[ThreadPoolExecutor]:
        """A pool of threads, all ended with the block. An interrupt reaches the main thread only, which has to tell them."""
        with owned(ThreadPoolExecutor(max_workers=number or 1), self.interrupt) as pool:
            yield pool

    def timeline(self) -> Timeline:
        """What has been recorded so far; a lane that is not over yet reaches to the end of the run, or to now."""
        log, now = list(self.log), self.now() if self.ended is None else self.ended
        parents, lanes = dict(self.parents), self.lanes  # read after the log, and once: they may grow meanwhile
        last = {lane: label if state is None else UNFINISHED for _, lane, state, label, _ in log}
        outcomes = {lanes[lane]: outcome for lane, outcome in last.items() if outcome}
        parents = {lanes[lane]: lanes[parent] for lane, parent in parents.items() if lane < len(lanes)}
        facts = {"outcomes": outcomes, "parents": parents, "findings": self.findings}
        return Timeline(lanes, lambda: _table(log, now), **facts, unit="s", title=self.title)


@contextmanager
def owned(pool: Executor, interrupt: Callable[[], None]) -> Iterator[Executor]:
    """The pool, ended with the block, however often one interrupts that; `interrupt` is to make its workers end early."""
    problem = None
    try:
        yield pool
    except BaseException as error:
        problem = error
    while True:
        try:
            if problem:
                interrupt()
            pool.shutdown(cancel_futures=problem is not None)
            break
        except KeyboardInterrupt as impatience:  # they are ending; but none is left to itself
            problem = impatience
    if problem:
        raise problem


def _table(log, now):
    """The fold: each entry lasts until the next one on its lane, the last one until `now`."""
    entries, rows = sorted(log, key=itemgetter(1)), []  # by lane, and stable: the order of time stays
    for (time, lane, state, label, inferred), following in zip_longest(entries, entries[1:], fillvalue=(now, None)):
        if state is None:
            continue
        if following[1] != lane:
            then = max(now, time)
        else:
            then, _, next_state, next_label, _ = following
            if state is READY and not label and next_state is not None:
                label = next_label
        rows.append((lane, state, label, time, then, inferred))
    return Table.of(rows)


def check_minute(minute: float) -> None:
    """Raises ValueError for a kitchen minute that is not a finite number of seconds, more than 0."""
    if not (isfinite(minute) and minute > 0):
        raise ValueError(f"a kitchen minute of {minute!r} seconds: give a finite number, more than 0")


_watchers = []


@contextmanager
def watched(watcher: Callable[[Recorder], None]):
    """Inside the block, `watcher(recorder)` is told of every run that begins, in any thread of this process."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def looking_up():
    """Inside the block the event loop looks up twice a second, whatever it waits for.

    An interrupt in a notebook asks the loop to cancel the cell, but does not wake it: without this, one that waits for
    silent sites or a long sleep would hear of it when that is over.
    """

    def look():
        nonlocal timer
        timer = loop.call_later(LOOKS_UP, look)

    loop = asyncio.get_running_loop()
    timer = loop.call_later(LOOKS_UP, look)
    try:
        yield
    finally:
        timer.cancel()
