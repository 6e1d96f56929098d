"""Stretches of time, from a start to an end: joined, taken away from each other, and what lies in them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from kitchen.watching.facts import TaskStep


def union(stretches: Iterable) -> list[tuple[float, float]]:
    """The stretches of time that any of these cover."""
    joined = []
    for start, end, *_ in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def without(stretches: list, others: list, least: float) -> Iterator[tuple[float, float]]:
    """What is left of these stretches without the others, as far as it is `least` seconds long; both in order."""
    others = union(others)
    ends = [end for _, end in others]
    for start, end in stretches:
        at = bisect_right(ends, start)
        while at < len(others) and others[at][0] < end:
            begin, finish = others[at]
            if begin - start >= least:
                yield start, begin
            start, at = max(start, finish), at + 1
        if end - start >= least:
            yield start, end


def inside(stretches: list, steps: list) -> Iterator[TaskStep]:
    """The steps that lie in one of these stretches, for the most part."""
    starts = [start for start, _ in stretches]
    for step in steps:
        at = bisect_right(starts, (step.start + step.stop) / 2) - 1
        if at >= 0 and (step.start + step.stop) / 2 < stretches[at][1]:
            yield step


def turns_given(steps: list[TaskStep]) -> Iterator[tuple[int, float]]:
    """Lanes and moments at which a task made one that began at once, within its own step."""
    under_way = []
    for step in sorted(steps, key=lambda step: step.start):
        while under_way and under_way[-1].stop <= step.start:
            under_way.pop()
        for maker in under_way:
            yield maker.lane, step.start
        under_way.append(step)
