"""Spans as columns, which is how they are stored: tidied once, and made into `Span`s when somebody asks for these."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from kitchen.timeline.states import Span, State

Row = tuple[int, State, str, float, float, bool]


class Table(NamedTuple):
    """Spans as columns of one length, which is how they are stored: lane number, state, label, start, end, inferred.

    The rows of one lane stand in order of time and do not overlap; between lanes they stand in any order. `inferred` may
    be left out when everything was observed.
    """

    lanes: Sequence[int]
    states: Sequence[State]
    labels: Sequence[str]
    starts: Sequence[float]
    ends: Sequence[float]
    inferred: Sequence[bool] | bytes = ()

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Self:
        """The table of these rows. Numbers stand in arrays: a row takes 37 bytes, where a Span takes 200."""
        lanes, states, labels, starts, ends, inferred = zip(*rows, strict=True) if rows else [()] * 6
        return cls(array("i", lanes), states, labels, array("d", starts), array("d", ends), bytes(map(bool, inferred)))


class Tidy(Table):
    """A table whose rows are spans: in menu order, gaps filled, and neighbours differ."""


def tidy(table: Table, gaps: State | None) -> Tidy:
    """The rows of a table as spans: with the gaps filled, and neighbours that say the same made one."""
    rows: list[Row] = []
    last: Row | None = None
    for row in _with_gaps(table, gaps):
        lane, state, label, start, end, inferred = row
        touch = last and last[1] is state and last[0] == lane and last[4] == start
        if last and touch and last[2] == label and last[5] == inferred:
            last = rows[-1] = (*last[:4], end, inferred)
        else:
            rows.append(row)
            last = row
    return Tidy.of(rows)


def _with_gaps(table: Table, gaps: State | None) -> Iterator[Row]:
    """A table's rows, lane after lane, with the gaps filled and what lasted no time left out."""
    lanes, states, labels, starts, ends, inferred = table
    lane, clock = -1, 0.0
    for row in sorted(range(len(lanes)), key=lanes.__getitem__):  # a stable sort: the order of time stays
        if lanes[row] != lane:
            lane, clock = lanes[row], 0.0
        label, start, end = labels[row], starts[row], ends[row]
        if start > clock and gaps:
            yield lane, gaps, label, clock, start, False  # READY for the step to come
        if end > start:
            yield lane, states[row], label, start, end, bool(inferred and inferred[row])
        if end > clock:
            clock = end


class ByLane(Mapping[str, tuple[Span, ...]]):
    """The spans of each lane under its name, made when they are asked for."""

    def __init__(self, lanes: Sequence[str], table: Table):
        self._lanes, self._table = lanes, table
        self._numbers = {lane: number for number, lane in enumerate(lanes)}

    def __getitem__(self, lane: str) -> tuple[Span, ...]:
        number, lanes = self._numbers[lane], self._table.lanes
        rows = slice(bisect_left(lanes, number), bisect_right(lanes, number))
        return spans_of(self._lanes, [column[rows] for column in self._table])

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        return repr(dict(self))


def spans_of(names: Sequence[str], columns: Iterable[Iterable[Any]]) -> tuple[Span, ...]:
    """The spans that stand in these columns of a tidy table."""
    lanes, states, labels, starts, ends, inferred = columns
    return tuple(map(Span, map(names.__getitem__, lanes), states, labels, starts, ends, map(bool, inferred)))
