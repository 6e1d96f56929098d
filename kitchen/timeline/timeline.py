"""Who was in which state, from when to when: the one result of everything that is simulated, performed, fetched or watched.

A Timeline is stored as columns. From them follow the spans, the cook's own lane and every figure; each is worked out when
it is first asked for, and kept where it is small. So ten thousand lanes can be looked at, and take 37 bytes for a span.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from heapq import nlargest
from itertools import compress, pairwise
from math import ceil, fsum
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

from kitchen.timeline import saved
from kitchen.timeline.states import IDLING, LANE_STATES, RUNNING, Finding, Span, State
from kitchen.timeline.table import ByLane, Table, Tidy, spans_of, tidy
from kitchen.timeline.text import draw
from kitchen.timeline.words import printable, short

if TYPE_CHECKING:
    from pandas import DataFrame

FEW_ASIDES = 3  # lanes: so many bury nothing
KEPT = 5_000  # spans: more are made each time anew, since their columns take a fifth of the room


class Timeline:
    """What happened, lane by lane. The spans of a lane stand in order of time, without overlap, and neighbours differ.

    `lanes`: the names, in menu order. `table`: the spans, or a function that gives them when they are first asked for.
    `gaps`: the state of a lane from 0 to the end of its last row wherever no row says otherwise; None: it is not there
    then. `switching`: the cook's SWITCHING spans. `switches`: how often the cook turned from one dish to another, and
    `makespan`; both follow from the spans when they are left out. `outcomes`: for each lane that was over without being
    done, why, in a few words. `parents`: for a task's lane, the lane of the task that made it. `asides`: lanes of tasks that
    libraries made for themselves; above a few, pictures fold them into one row. `findings`: what is amiss.
    `unit`: "min" (the model) or "s" (measured).
    """

    player: ClassVar[Callable[["Timeline"], Any]]  # what it shows itself as; the front door says so, no affair of ours

    def __init__(
        self,
        lanes: Iterable[str],
        table: Table | Callable[[], Table],
        *,
        gaps: State | None = None,
        switching: Iterable[Span] = (),
        switches: int | None = None,
        makespan: float | None = None,
        outcomes: Mapping[str, str] | None = None,
        parents: Mapping[str, str] | None = None,
        asides: Iterable[str] = (),
        findings: Iterable[Finding] = (),
        unit: str = "min",
        title: str = "",
    ):
        self.lanes = tuple(lanes)
        self.unit = unit
        self.title = title
        self.outcomes = dict(outcomes or {})
        self.parents = dict(parents or {})
        self.asides = tuple(asides)
        self.findings = tuple(findings)
        self.switching = tuple(sorted(switching, key=_when))
        self._given = table
        self._gaps = gaps
        self._switches = switches
        self._makespan = makespan

    @property
    def table(self) -> Table:
        """The spans as columns, in the same order."""
        if not isinstance(self._given, Tidy):
            given = self._given() if callable(self._given) else self._given
            if self._makespan is None:  # also what lasts no time may be the last
                self._makespan = max(given.ends, default=0.0)
            self._given = tidy(given, self._gaps)  # and what it was made of, a whole log perhaps, is let go
        return self._given

    @property
    def spans(self) -> tuple[Span, ...]:
        """Every span, lane after lane in menu order, and within a lane in order of time."""
        return self._kept_if_few("_spans", lambda: spans_of(self.lanes, self.table))

    @property
    def by_time(self) -> tuple[Span, ...]:
        """Every span, in the order in which they begin."""
        return tuple(sorted(self.spans, key=_when))

    @cached_property
    def by_lane(self) -> Mapping[str, tuple[Span, ...]]:
        """The spans of each lane under its name, in menu order; () for a lane on which nothing happened."""
        return ByLane(self.lanes, self.table)

    @property
    def cook(self) -> tuple[Span, ...]:
        """The CPU's own lane: which dish the cook holds (RUNNING, IDLING) or turns to (SWITCHING); none: a gap."""

        def made() -> tuple[Span, ...]:
            has_her = [state is RUNNING or state is IDLING for state in self.table.states]
            held = spans_of(self.lanes, [compress(column, has_her) for column in self.table])
            return tuple(sorted([*held, *self.switching], key=_when))

        return self._kept_if_few("_cook", made)

    def _kept_if_few(self, name: str, make: Callable[[], tuple[Span, ...]]) -> tuple[Span, ...]:
        made: tuple[Span, ...] | None = vars(self).get(name)
        if made is None:
            made = make()
            if len(made) <= KEPT:
                vars(self)[name] = made
        return made

    @property
    def makespan(self) -> float:
        """When the last dish is finished; 0.0 when there is none."""
        if self._makespan is None:
            ends = self.table.ends
            if self._makespan is None:
                self._makespan = max(ends, default=0.0)
        return self._makespan

    @cached_property
    def busy(self) -> float:
        """For how long the CPU was used: the time in RUNNING, over all lanes."""
        _, states, _, starts, ends, _ = self.table
        return fsum(end - start for state, start, end in zip(states, starts, ends, strict=True) if state is RUNNING)

    @property
    def utilization(self) -> float:
        """The part of the makespan in which the CPU was used: 0.0 for an empty Timeline, above 1 on several CPUs."""
        return self.busy / self.makespan if self.makespan else 0.0

    @cached_property
    def cooks(self) -> int:
        """How many CPUs worked at the same time: 1, or more where that made up a fiftieth of all work or more.

        Two pieces that overlap count where both were observed: an inferred one may have been a moment earlier or later.
        And more work than there was time proves several CPUs, whoever saw it.
        """
        _, states, _, starts, ends, inferred = self.table
        observed = [state is RUNNING and not guess for state, guess in zip(states, inferred, strict=True)]
        rows = list(compress(zip(starts, ends, strict=True), observed))
        edges = sorted([(start, 1) for start, _ in rows] + [(end, -1) for _, end in rows])
        spent, number = [0.0], 0  # spent[n]: for how long more than n of them worked
        for (time, step), (after, _) in pairwise(edges):
            number += step
            spent += [0.0] * (number + 1 - len(spent))
            for place in range(number):
                spent[place] += after - time
        return max(1, ceil(self.utilization - 1 / 50), sum(time > self.busy / 50 for time in spent))

    @cached_property
    def switches(self) -> int:
        """How often the cook turned from one dish to another."""
        if self._switches is not None:
            return self._switches
        return sum(before.lane != after.lane for before, after in pairwise(self.cook))

    @cached_property
    def finishes(self) -> dict[str, float]:
        """When each lane was over, under its name; 0.0 for a lane on which nothing happened."""
        last = dict(zip(self.table.lanes, self.table.ends, strict=True))
        return {lane: last.get(number, 0.0) for number, lane in enumerate(self.lanes)}

    @property
    def folded(self) -> tuple[str, ...]:
        """The lanes that a picture folds into one row: the asides, where they are many and not all there is."""
        return self.asides if FEW_ASIDES < len(self.asides) < len(self.lanes) else ()

    # --- of a crowd --------------------------------------------------------------------------------------------------

    def counts(self, moments: Sequence[float]) -> dict[State, list[int]]:
        """How many lanes are in each state at each of these moments: exactly, from where all spans begin and end."""
        counted = {}
        for state in LANE_STATES:
            rows = [row for row, other in enumerate(self.table.states) if other is state]
            starts, ends = (sorted(map(times.__getitem__, rows)) for times in (self.table.starts, self.table.ends))
            counted[state] = [bisect_right(starts, moment) - bisect_right(ends, moment) for moment in moments]
        return counted

    @cached_property
    def took(self) -> "array[float]":
        """How long each lane took, in menu order: from its first turn on the CPU until it was over.

        That is without the time in the queue for a first turn, or for a place, which says nothing about the lane itself. A
        lane that never had the CPU took as long as it was there.
        """
        began: dict[int, float] = {}
        had = set()
        lanes, states, _, starts, _, _ = self.table
        for lane, state, start in zip(lanes, states, starts, strict=True):
            turn = state is RUNNING or state is IDLING
            if lane not in began or (turn and lane not in had):
                began[lane] = start
            if turn:
                had.add(lane)
        finishes = self.finishes.values()
        return array("d", (finish - began.get(lane, 0.0) for lane, finish in enumerate(finishes)))

    def few(self, each: int = 3) -> list[str]:
        """Lanes that stand for a crowd, in menu order: the first, the slowest, and the first that were not done.

        Lanes that took equally long, but for rounding, are slow in menu order.
        """
        numbers = range(len(self.lanes))
        chosen = {*numbers[:each], *nlargest(each, numbers, key=lambda lane: (round(self.took[lane] * 1e9), -lane))}
        undone = [lane for lane in numbers if self.lanes[lane] in self.outcomes]
        return [self.lanes[lane] for lane in sorted(chosen.union(undone[:each]))]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timeline):
            return NotImplemented
        return self._facts() == other._facts()

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[[str], "Timeline"], tuple[str]]:
        """Copied and sent to other processes as its JSON: a table that is still to be worked out could not be sent."""
        return Timeline.from_json, (self.to_json(),)

    def _facts(self) -> tuple[object, ...]:
        return (
            self.lanes,
            self.unit,
            self.title,
            self.switches,
            self.outcomes,
            self.parents,
            self.asides,
            self.findings,
            self.spans,
            self.cook,
        )

    # --- ways out ----------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        """What and how long, in one line: the headline of every picture."""
        cpus = f"{self.cooks} CPUs" if self.cooks > 1 else "CPU"
        share = self.utilization / self.cooks
        switches = f"{self.switches} switch{'' if self.switches == 1 else 'es'}"
        figures = f"{short(self.makespan)} {self.unit}, {cpus} busy {share:.0%}, {switches}"
        return f"{printable(self.title)}: {figures}" if self.title else figures

    def __repr__(self) -> str:
        return f"<Timeline {self.title!r}: {len(self.lanes)} lanes, {short(self.makespan)} {self.unit}>"

    def __str__(self) -> str:
        return draw(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """In a notebook a Timeline shows itself as its player, in an IPython terminal as its picture in text."""
        bundle: dict[str, Any] = self.player().bundle()
        return bundle | {"text/plain": str(self)}

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the player as an HTML file of its own, for any browser. Raises OSError when that cannot be written."""
        self.player().save(path)

    def to_json(self) -> str:
        """This Timeline as a JSON text, from which `from_json` makes an equal one. Columns; labels and states by number."""
        return saved.to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Timeline":
        """The Timeline that `to_json` wrote. Raises ValueError when `text` is something else."""
        try:
            lanes, table, switching, facts = saved.from_json(text)
            timeline = cls(lanes, table, switching=cls(lanes, switching).by_time, **facts)
            timeline._facts()  # now, and not when somebody looks at it, is the time to find out that it is broken
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"this is not a Timeline's JSON ({error!r}): from_json reads what to_json wrote"
            ) from error
        return timeline

    def to_frame(self) -> "DataFrame":
        """The spans as a pandas DataFrame, a row each: lane, state (its name), label, start, end, duration, inferred.

        Raises ImportError where pandas is not installed; kitchen itself does without.
        """
        return saved.to_frame(self)

    def to_chrome_trace(self) -> str:
        """This Timeline in Chrome's trace event format, which https://ui.perfetto.dev opens: a track per lane.

        A kitchen minute becomes a minute there. A finding is a mark where its span begins.
        """
        return saved.to_chrome_trace(self)


def _when(span: Span) -> tuple[float, float]:
    return span.start, span.end
