"""The garbage collector: kept away while it would be in the way, and listened to."""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

NOTED_SECONDS = 0.001  # shorter collections are not worth a note
KEPT = 1000  # moments, until somebody takes them


@contextmanager
def unswept() -> Iterator[None]:
    """Inside, the collector does not run: what makes a hundred thousand tuples that stay takes half as long without it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Collections:
    """Hears when garbage is collected, in whatever thread: then all the others stand still, too.

    The collector calls what it tells with "start", or "stop", and more. What we have it call is `getattr`, of an object of
    which these are properties, and to read one of them writes down the time. Not one of these is a function of Python's: a
    KeyboardInterrupt that came during the collection would be raised in it, and lost.
    """

    def __init__(self):
        self._starts, self._stops = deque(maxlen=KEPT), deque(maxlen=KEPT)
        phases = {"start": property(_writer(self._starts)), "stop": property(_writer(self._stops))}
        self._heard = partial(getattr, type("Phases", (), phases)())
        self._told = gc.callbacks

    def hear(self) -> None:
        """From now on."""
        self._told.append(self._heard)

    def stop_hearing(self) -> None:
        """No longer, whatever the program has done to the list meanwhile."""
        for at in range(len(self._told) - 1, -1, -1):  # by what it is: to compare would ask the program's own
            if self._told[at] is self._heard:
                del self._told[at]

    def take(self) -> list[tuple[float, float]]:
        """From when to when garbage was collected since this was last asked, where it took long."""
        found = []
        while self._stops:
            start = stop = self._stops.popleft()
            while self._starts and self._starts[0] <= stop:
                start = self._starts.popleft()
            if stop - start >= NOTED_SECONDS:
                found.append((start, stop))
        return found


def _writer(moments: deque[float]) -> Callable:
    """Writes down the time, whatever it is called with."""
    return partial(next, map(moments.append, iter(perf_counter, None)))
