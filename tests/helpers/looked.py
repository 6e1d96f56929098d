"""Holds a loop until the sampler has looked often enough at who holds it, however seldom a busy machine lets it look."""

from functools import partial
from itertools import pairwise, takewhile
from queue import SimpleQueue

LOOKED_SECONDS = 0.25  # for which it is looked at, at least
UNLOOKED_PART = 0.5  # of that time may be one stretch in which nobody looked

_looked = SimpleQueue()
hold = partial(_looked.get, timeout=30)  # no function in Python: the line that holds the loop is the one that calls it


def let_go(run):
    """From now on, whoever holds the loop that this `watch` is watching is let go of when it was looked at."""
    while not _looked.empty():
        _looked.get()
    run._recorder.samples = _Samples(run._recorder.samples)


class _Samples(list):
    def append(self, sample):
        super().append(sample)
        here = takewhile(lambda other: other[1:4] == sample[1:4], reversed(self))  # the last looks, at the same line
        times = [look.time for look in here]
        length = times[0] - times[-1]
        times.append(self[-len(times) - 1].time if len(times) < len(self) else 0.0)  # the look before these
        unlooked = max(later - earlier for later, earlier in pairwise(times))
        if length >= LOOKED_SECONDS and unlooked <= UNLOOKED_PART * length:
            _looked.put(None)
