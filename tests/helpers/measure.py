"""One way to measure: two things in turn, in pairs whose number was decided beforehand, and the ratio pair by pair.

A computer's speed doubles and halves within seconds. Two turns that follow each other mostly meet the same speed, so their
ratio says more than any of the two times. A slow spell that begins between them spoils one pair; the median does not mind.
There is no best of many, and no measuring until it looks good.

    plain, watched = in_turn(9, lambda: cpu(plainly), lambda: cpu(watched))  # or functions that return their own figure
    held(report, "watch: a step of a task", Ratio("watched / plain", watched, plain, bar=1.25, bound=2.0))

`bar` is what we say of ourselves: met when the median meets it, told in the table, and no test fails by it. `bound` is the
gate's: wide enough for a computer half as fast.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, process_time

HEADINGS = ("", "took", "beside", "ratio", "quartiles", "bar", "", "the gate's bound")


def in_turn(turns: int, *contenders: Callable[[], float]) -> list[list[float]]:
    """What each contender returns in each of its turns, seconds say: A B C, then C B A, then A B C, and so on."""
    taken: list[list[float]] = [[] for _ in contenders]
    gc.freeze()  # what the tests before have left in this process is nobody's to look through
    try:
        for turn in range(turns):
            pairs = list(zip(contenders, taken, strict=True))
            for contender, figures in reversed(pairs) if turn % 2 else pairs:
                gc.collect()  # nobody has to clear away what another left behind
                figures.append(contender())
    finally:
        gc.unfreeze()
    return taken


def wall(run: Callable[[], object]) -> float:
    """How many seconds a call takes. If it returns a coroutine, that is awaited in a fresh loop, and timed there."""
    return _timed(run, perf_counter)


def cpu(run: Callable[[], object]) -> float:
    """The same in seconds of this process's CPU time, all its threads together."""
    return _timed(run, process_time)


def _timed(run, clock):
    async def timed():
        began = clock()
        await made
        return clock() - began

    began = clock()
    made = run()
    return asyncio.run(timed()) if asyncio.iscoroutine(made) else clock() - began


@dataclass(frozen=True)
class Ratio:
    """How many times as much `these` took as `those`, pair by pair. Never more than `bound`, and at most `bar`, we say."""

    what: str
    these: Sequence[float]
    those: Sequence[float]
    bar: float
    bound: float
    unit: str = "ms"
    scale: float = 1e3  # how many of the unit one of the figures is

    @property
    def pairs(self) -> list[float]:
        return [this / that for this, that in zip(self.these, self.those, strict=True)]

    @property
    def median(self) -> float:
        return median(self.pairs)

    def row(self) -> list[str]:
        """As a row of a table, below `HEADINGS`."""
        low, _, high = quantiles(self.pairs, n=4, method="inclusive") if len(self.pairs) > 1 else [self.median] * 3
        met = "met" if self.median <= self.bar else f"missed by {self.median / self.bar - 1:.0%}"
        took = [f"{median(figures) * self.scale:.3g} {self.unit}" for figures in (self.these, self.those)]
        return [
            self.what,
            *took,
            f"{self.median:.3g}",
            f"{low:.3g} to {high:.3g}",
            f"{self.bar:g}",
            met,
            f"{self.bound:g}",
        ]


def held(report: Callable, title: str, *ratios: Ratio) -> None:
    """Puts the ratios into a table at the end of pytest's report. Fails if the median of one is beyond the gate's bound."""
    turns = max(len(ratio.these) for ratio in ratios)
    report(f"{title}; {turns} pairs", HEADINGS, [ratio.row() for ratio in ratios])
    beyond = [
        f"{ratio.what}: {ratio.median:.3g}, and the bound is {ratio.bound:g}"
        for ratio in ratios
        if ratio.median > ratio.bound
    ]
    assert beyond == []
