"""The log that real runs append to while they run, from any thread, and its fold into a `Timeline`.

Recording must not change what is recorded: it reads the clock and appends one entry to a list, nothing else. Whoever
wants to see more meanwhile, a picture or a progress bar, reads the list from a thread of its own (see `listening`).
"""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import zip_longest
from operator import itemgetter
from time import perf_counter
from typing import ClassVar, NamedTuple, Self

from kitchen.interrupts import owned
from kitchen.timeline import READY, Finding, State, Table, Timeline

UNFINISHED = "unfinished"  # the outcome of a lane that the end of the run cut off
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
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

    `lanes`: the names, in menu order; those given are READY at 0, which is the moment the Recorder is made: `began` on
    `clock`, in seconds. More may come later (`add_lane`). `parents`, by number: of a task's lane, the lane of the task that
    created it. `asides`: the numbers of those that a library made for itself. As a context manager it is closed with the
    block, in whatever way that ends. `newest`: the last of its class.
    """

    newest: ClassVar["Recorder | None"] = None
    findings: Sequence[Finding] = ()  # what is amiss, known when the run is over

    def __init__(self, lanes: Iterable[str], title: str, clock: Callable[[], float] = perf_counter):
        self.title = title
        self.parents: dict[int, int] = {}
        self.asides: set[int] = set()
        self._lanes: list[str] = []
        self._times: dict[str, int] = {}  # of each name: how often it was asked for
        self._adding = threading.Lock()
        for name in lanes:
            self.add_lane(name)
        self._log = [Entry(0.0, lane, READY) for lane in range(len(self._lanes))]
        self.ended: float | None = None  # when the run was closed
        self._clock = clock
        self.began = clock()
        type(self).newest = self
        for listener in list(_listeners):
            listener(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    @property
    def lanes(self) -> tuple[str, ...]:
        """The names of the lanes, in menu order."""
        return tuple(self._lanes)

    @property
    def log(self) -> list[Entry]:
        """What has been recorded so far."""
        self.catch_up()
        return self._log

    def catch_up(self) -> None:
        """Called before the log is read: a run that takes notes, and makes entries of them later, does so here."""

    def add_lane(self, name: str, parent: int | None = None) -> int:
        """A new lane, whose number this returns, behind those so far; from any thread. Two of one name are told apart.

        `parent`: the number of the lane of the task that created this one's. Nothing is recorded of the new lane yet.
        """
        with self._adding:
            unique = name
            while unique in self._times:
                self._times[name] += 1
                unique = f"{name} ({self._times[name]})"
            self._times[unique] = 1
            number = len(self._lanes)
            if parent is not None:
                self.parents[number] = parent
            self._lanes.append(unique)
            return number

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self.began

    def change(
        self, lane: int, state: State | None, label: str = "", at: float | None = None, inferred: bool = False
    ) -> None:
        """From now on (or since `at`) `lane` is in `state`. Appending to a list is safe from any thread."""
        entry = (self.now() if at is None else at, lane, state, label, inferred)
        self._log.append(entry)  # type: ignore[arg-type]  # a bare tuple costs a fraction of an Entry

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

    def folded(self, log: list[Entry], now: float) -> tuple[Table | Callable[[], Table], float | None]:
        """For a Timeline, its table and makespan: made when they are first asked for."""
        return (lambda: _table(log, now)), None

    def timeline(self) -> Timeline:
        """What has been recorded so far; a lane that is not over yet reaches to the end of the run, or to now."""
        log, now = list(self.log), self.now() if self.ended is None else self.ended
        numbers, lanes = dict(self.parents), self.lanes  # read after the log, and once: they may grow meanwhile
        last = {lane: label if state is None else UNFINISHED for _, lane, state, label, _ in log}
        outcomes = {lanes[lane]: outcome for lane, outcome in last.items() if outcome}
        parents = {lanes[lane]: lanes[parent] for lane, parent in numbers.items() if lane < len(lanes)}
        table, makespan = self.folded(log, now)
        return Timeline(
            lanes,
            table,
            makespan=makespan,
            outcomes=outcomes,
            parents=parents,
            asides=[lanes[lane] for lane in sorted(self.asides) if lane < len(lanes)],
            findings=self.findings,
            unit="s",
            title=self.title,
        )


def _table(log: list[Entry], now: float) -> Table:
    """The fold: each entry lasts until the next one on its lane, the last one until `now`."""
    entries, rows = sorted(log, key=itemgetter(1)), []  # by lane, and stable: the order of time stays
    for (time, lane, state, label, inferred), following in zip_longest(entries, entries[1:]):
        if state is None:
            continue
        if following is None or following[1] != lane:
            then = max(now, time)
        else:
            then, _, next_state, next_label, _ = following
            if state is READY and not label and next_state is not None:
                label = next_label
        rows.append((lane, state, label, time, then, inferred))
    return Table.of(rows)


_listeners: list[Callable[[Recorder], None]] = []


@contextmanager
def listening(listener: Callable[[Recorder], None]) -> Iterator[None]:
    """Inside the block, `listener(recorder)` is told of every run that begins, in any thread of this process."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
