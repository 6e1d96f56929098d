"""Holds a loop until the sampler has looked often enough at who holds it, however seldom a busy machine lets it look."""

from itertools import pairwise
from queue import SimpleQueue

LONG_SECONDS = 0.25  # for which it is looked at, at least
MOST = 0.5  # of that time may be one stretch in which nobody looked

_looked = SimpleQueue()
# `hold(True, 30)` waits, for 30 s at most, until that is so; a function in C, so that the line is the one that calls it.
hold = _looked.get


def let_go(run):
    """From now on, whoever holds the loop that this `watch` is watching is let go of when it was looked at."""
    while not _looked.empty():
        _looked.get()
    run._recorder.samples = _Samples(run._recorder.samples)


class _Samples(list):
    def append(self, sample):
        super().append(sample)
        times = []  # of the last looks at the same line, and of the one before these, from the last on
        for before in reversed(self):
            times.append(before.time)
            if before[1:4] != sample[1:4]:
                break
        else:
            times.append(0.0)
        length = times[0] - times[-2]
        if length >= LONG_SECONDS and max(later - earlier for later, earlier in pairwise(times)) <= MOST * length:
            _looked.put(None)
