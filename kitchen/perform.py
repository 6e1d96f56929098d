"""The same dishes for real: work uses up the CPU, waits sleep, and the schedulers are Python's own.

    sync           one dish after the other
    threaded       a thread per dish; the operating system and the GIL decide whose turn it is
    cooperative    an asyncio task per dish; the event loop decides, whenever a dish awaits

`minute` is how many real seconds a kitchen minute lasts. What the Timeline shows: RUNNING was measured. READY was
inferred, and is marked so: a dish at work keeps looking at the clock, and where it did not come to that for a while it had
been switched out; a dish whose sleep should be over, but which does not work yet, could have gone on. A dish whose last
step is a wait is finished when that should be over, as in the model.

Raises ValueError for a bad menu (see `recipe`) and for a minute that is not a positive number of seconds.
"""

import asyncio
import time
from collections.abc import Iterable
from math import isfinite
from threading import Event

from kitchen.interrupts import looking_up
from kitchen.recipe import WORK, Dish, menu
from kitchen.recorder import CPU_CLOCK_IS_FINE, Recorder
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Timeline


def sync(dishes: Iterable[Dish], minute: float = 0.01) -> Timeline:
    """One dish after the other: while one sleeps, nobody cooks."""
    with _Kitchen("sync, for real", dishes, minute) as kitchen:
        for lane, dish in enumerate(kitchen.dishes):
            for step in dish.steps:
                if step.kind == WORK:
                    kitchen.work(lane, step)
                else:
                    kitchen.begin(lane, IDLING, step)
                    time.sleep(step.duration * minute)
            kitchen.finish(lane)
    return kitchen.timeline()


def threaded(dishes: Iterable[Dish], minute: float = 0.01) -> Timeline:
    """A thread per dish. An interrupt ends all of them: none is left behind."""

    def cook(lane, dish):
        for step in dish.steps:
            if step.kind == WORK:
                kitchen.work(lane, step)
            else:
                kitchen.begin(lane, WAITING, step)
                kitchen.stop.wait(step.duration * minute)  # sleeps, but an interrupt wakes it
        kitchen.finish(lane)

    with _Kitchen("threads, for real", dishes, minute) as kitchen, kitchen.threads(len(kitchen.dishes)) as threads:
        list(threads.map(cook, range(len(kitchen.dishes)), kitchen.dishes))
    return kitchen.timeline()


async def cooperative(dishes: Iterable[Dish], minute: float = 0.01) -> Timeline:
    """An asyncio task per dish: `await` it in a notebook cell, or hand it to `asyncio.run` in a script."""

    async def cook(lane, dish):
        for step in dish.steps:
            if step.kind == WORK:
                kitchen.work(lane, step)
            else:
                kitchen.begin(lane, WAITING, step)
                await asyncio.sleep(step.duration * minute)
        kitchen.finish(lane)

    with _Kitchen("coroutines, for real", dishes, minute) as kitchen, looking_up():
        task = asyncio.current_task()
        cancelled = task.cancelling()
        kitchen.stopping = lambda: task.cancelling() > cancelled  # an interrupt cancels us: work must not go on then
        async with asyncio.TaskGroup() as tasks:
            for lane, dish in enumerate(kitchen.dishes):
                tasks.create_task(cook(lane, dish), name=dish.name)
    return kitchen.timeline()


def so_far() -> Timeline:
    """The Timeline of the newest run, also of one that was interrupted. Raises RuntimeError when there was none yet."""
    if _Kitchen.newest is None:
        raise RuntimeError("nothing has been performed yet: call perform.sync, threaded or cooperative first")
    return _Kitchen.newest.timeline()


CHUNK = 100e-6  # seconds of work between two looks at the CPU time: short beside a slice of the GIL (5 ms)


class _Kitchen(Recorder):
    """A Recorder that knows how to work on a step, and when the waits of its dishes should be over."""

    def __init__(self, title, dishes, minute):
        self.dishes = menu(dishes)
        check_minute(minute)
        self.minute = minute
        self.due = {}  # when the wait should be over that a lane is in
        self.stop = Event()
        self.stopping = self.stop.is_set
        super().__init__((dish.name for dish in self.dishes), title)

    def check(self):
        """Goes no further with a dish after an interrupt."""
        if self.stopping():
            raise asyncio.CancelledError

    def begin(self, lane, state, step):
        """The lane begins with `step`; if it waited before, it has been READY for this since that wait should be over."""
        self.check()
        now = self.now()
        if lane in self.due:
            self.change(lane, READY, step.label, at=min(self.due.pop(lane), now), inferred=True)
        self.change(lane, state, step.label, at=now)
        if state is WAITING:
            self.due[lane] = now + step.duration * self.minute

    def finish(self, lane):
        """The dish is done; one that ends with a wait was done when that was due, whenever somebody came to notice."""
        self.check()
        now = self.now()
        self.change(lane, None, at=min(self.due.pop(lane, now), now))

    def work(self, lane, step):
        """Uses up the step's minutes of this thread's own CPU time, and notes the gaps in which others had the CPU."""
        self.begin(lane, RUNNING, step)
        left, last = step.duration * self.minute, self.now()
        while left > 0 and not self.stopping():
            used, gap, last = _spin(min(CHUNK, left), self.now, last)
            left -= used
            if gap[1] - gap[0] > 3 * CHUNK:
                self.change(lane, READY, step.label, at=gap[0], inferred=True)
                self.change(lane, RUNNING, step.label, at=gap[1])

    def interrupt(self):
        self.stop.set()


def check_minute(minute: float) -> None:
    """Raises ValueError for a kitchen minute that is not a finite number of seconds, more than 0."""
    if not (isfinite(minute) and minute > 0):
        raise ValueError(f"a kitchen minute of {minute!r} seconds: give a finite number, more than 0")


def _spin(seconds, clock, last):
    """Keeps the CPU busy for that long on the clock, which it looked at `last`.

    Returns the CPU time used, the longest stretch in which it did not get to look at the clock, and its last look.
    """
    cpu, start = time.thread_time(), clock()
    gap, now = (last, start), start
    while now - start < seconds:
        last, now = now, clock()
        if now - last > gap[1] - gap[0]:
            gap = (last, now)
    used = time.thread_time() - cpu if CPU_CLOCK_IS_FINE else min(now - start, seconds)
    return used, gap, now
