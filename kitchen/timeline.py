"""Who was in which state, from when to when: the one result of everything that is simulated, performed, fetched or watched.

A Timeline is stored as columns. From them follow the spans, the cook's own lane and every figure; each is worked out when
it is first asked for, and kept where it is small. So ten thousand lanes can be looked at, and take 37 bytes for a span.
"""

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cached_property
from heapq import nlargest
from itertools import compress, pairwise
from math import fsum
from os import PathLike
from os.path import commonprefix
from textwrap import wrap
from typing import NamedTuple


class State(Enum):
    """What a task is doing as far as the CPU is concerned. READY and WAITING are never to be mixed up."""

    RUNNING = "running"  # has the CPU and uses it
    READY = "ready"  # could go on, but has not got the CPU
    WAITING = "waiting"  # for the oven, the network, a timer: needs no CPU
    IDLING = "idling"  # has the CPU, and only waits
    SWITCHING = "switching"  # the cook turns from one dish to another: on the cook's own lane only

    def __repr__(self):
        return self.name


RUNNING, READY, WAITING, IDLING, SWITCHING = State
LANE_STATES = (RUNNING, READY, WAITING, IDLING)  # those in which a lane can be


class Span(NamedTuple):
    """One stretch of time that `lane` spent in one `state`; `start` and `end` in the Timeline's unit.

    `label` names the step that the span belongs to; for READY that is the step to come. `inferred` marks what was not
    observed itself but concluded from what was.
    """

    lane: str
    state: State
    label: str
    start: float
    end: float
    inferred: bool = False

    @property
    def duration(self) -> float:
        return self.end - self.start


class Finding(NamedTuple):
    """One thing that is amiss with a program, in words.

    `kind`: "blocked", "in a row", "too many", "lost", "unnoticed", "swallowed" or "never awaited". `file` and `line`: where,
    "" and 0 when that is not known. `span`: what in the picture it is about.
    """

    kind: str
    text: str
    file: str
    line: int
    span: Span | None = None


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
    inferred: Sequence[bool] = ()

    @classmethod
    def of(cls, rows: Sequence[tuple]) -> "Table":
        """The table of these rows. Numbers stand in arrays: a row takes 37 bytes, where a Span takes 200."""
        lanes, states, labels, starts, ends, inferred = zip(*rows, strict=True) if rows else [()] * 6
        return cls(array("i", lanes), states, labels, array("d", starts), array("d", ends), bytes(map(bool, inferred)))


class _Tidy(Table):
    """A table whose rows are spans: in menu order, gaps filled, and neighbours differ."""


def _tidy(table, gaps):
    """The rows of a table as spans: with the gaps filled, and neighbours that say the same made one."""
    rows, last = [], (None,) * 6
    for row in _with_gaps(table, gaps):
        lane, state, label, start, end, inferred = row
        if last[1] is state and last[0] == lane and last[4] == start and last[2] == label and last[5] == inferred:
            last = rows[-1] = (*last[:4], end, inferred)
        else:
            rows.append(row)
            last = row
    return _Tidy.of(rows)


def _with_gaps(table, gaps):
    """A table's rows, lane after lane, with the gaps filled and what lasted no time left out."""
    lanes, states, labels, starts, ends, inferred = table
    lane, clock = None, 0.0
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


class _ByLane(Mapping):
    """The spans of each lane under its name, made when they are asked for."""

    def __init__(self, lanes, table):
        self._lanes, self._table = lanes, table
        self._numbers = {lane: number for number, lane in enumerate(lanes)}

    def __getitem__(self, lane):
        number, lanes = self._numbers[lane], self._table.lanes
        rows = slice(bisect_left(lanes, number), bisect_right(lanes, number))
        return _spans(self._lanes, [column[rows] for column in self._table])

    def __iter__(self):
        return iter(self._numbers)

    def __len__(self):
        return len(self._numbers)

    def __repr__(self):
        return repr(dict(self))


def _spans(names, columns):
    """The spans that stand in these columns of a tidy table."""
    lanes, states, labels, starts, ends, inferred = columns
    return tuple(map(Span, map(names.__getitem__, lanes), states, labels, starts, ends, map(bool, inferred)))


KEPT = 5_000  # spans: more are made each time anew, since their columns take a fifth of the room


def _kept_if_few(make):
    """A property that makes spans: once, unless there are very many."""
    kept = f"_{make.__name__}"

    def spans(self):
        made = vars(self).get(kept)
        if made is None:
            made = make(self)
            if len(made) <= KEPT:
                vars(self)[kept] = made
        return made

    return property(spans, doc=make.__doc__)


_JSON_COLUMNS = ("lane", "state", "label", "start", "end", "inferred")


class Timeline:
    """What happened, lane by lane. The spans of a lane stand in order of time, without overlap, and neighbours differ.

    `lanes`: the names, in menu order. `table`: the spans, or a function that gives them when they are first asked for.
    `gaps`: the state of a lane from 0 to the end of its last row wherever no row says otherwise; None: it is not there
    then. `switching`: the cook's SWITCHING spans. `switches`: how often the cook turned from one dish to another, and
    `makespan`; both follow from the spans when they are left out. `outcomes`: for each lane that was over without being
    done, why, in a few words. `parents`: for a task's lane, the lane of the task that made it. `findings`: what is amiss.
    `unit`: "min" (the model) or "s" (measured).
    """

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
        findings: Iterable[Finding] = (),
        unit: str = "min",
        title: str = "",
    ):
        self.lanes = tuple(lanes)
        self.unit = unit
        self.title = title
        self.outcomes = dict(outcomes or {})
        self.parents = dict(parents or {})
        self.findings = tuple(findings)
        self.switching = tuple(sorted(switching, key=_when))
        self._given = table
        self._gaps = gaps
        self._switches = switches
        self._makespan = makespan

    @property
    def table(self) -> Table:
        """The spans as columns, in the same order."""
        if not isinstance(self._given, _Tidy):
            given = self._given() if callable(self._given) else self._given
            if self._makespan is None:  # also what lasts no time may be the last
                self._makespan = max(given.ends, default=0.0)
            self._given = _tidy(given, self._gaps)  # and what it was made of, a whole log perhaps, is let go
        return self._given

    @_kept_if_few
    def spans(self) -> tuple[Span, ...]:
        """Every span, lane after lane in menu order, and within a lane in order of time."""
        return _spans(self.lanes, self.table)

    @property
    def by_time(self) -> tuple[Span, ...]:
        """Every span, in the order in which they begin."""
        return tuple(sorted(self.spans, key=_when))

    @cached_property
    def by_lane(self) -> Mapping[str, tuple[Span, ...]]:
        """The spans of each lane under its name, in menu order; () for a lane on which nothing happened."""
        return _ByLane(self.lanes, self.table)

    @_kept_if_few
    def cook(self) -> tuple[Span, ...]:
        """The CPU's own lane: which dish the cook holds (RUNNING, IDLING) or turns to (SWITCHING); none: a gap."""
        has_her = [state is RUNNING or state is IDLING for state in self.table.states]
        held = _spans(self.lanes, [compress(column, has_her) for column in self.table])
        return tuple(sorted([*held, *self.switching], key=_when))

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
    def took(self) -> array:
        """How long each lane took, in menu order: from its first turn on the CPU until it was over.

        That is without the time in the queue for a first turn, or for a place, which says nothing about the lane itself. A
        lane that never had the CPU took as long as it was there.
        """
        began, had = {}, set()
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

    def __eq__(self, other):
        if not isinstance(other, Timeline):
            return NotImplemented
        return self._facts() == other._facts()

    __hash__ = None

    def __reduce__(self):
        """Copied and sent to other processes as its JSON: a table that is still to be worked out could not be sent."""
        return Timeline.from_json, (self.to_json(),)

    def _facts(self):
        return (
            self.lanes,
            self.unit,
            self.title,
            self.switches,
            self.outcomes,
            self.parents,
            self.findings,
            self.spans,
            self.cook,
        )

    # --- ways out ----------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        """What and how long, in one line: the headline of every picture."""
        figures = f"{short(self.makespan)} {self.unit}, CPU busy {self.utilization:.0%}, {self.switches} switches"
        return f"{printable(self.title)}: {figures}" if self.title else figures

    def __repr__(self):
        return f"<Timeline {self.title!r}: {len(self.lanes)} lanes, {short(self.makespan)} {self.unit}>"

    def __str__(self):
        return draw(self)

    def _repr_mimebundle_(self, include=None, exclude=None):
        """In a notebook a Timeline shows itself as its player, in an IPython terminal as its picture in text."""
        return self._player().bundle() | {"text/plain": str(self)}

    def save(self, path: str | PathLike) -> None:
        """Writes the player as an HTML file of its own, for any browser. Raises OSError when that cannot be written."""
        self._player().save(path)

    def _player(self):
        """The one place where this module knows that a view exists."""
        from kitchen.player import Player

        return Player(self)

    def to_json(self) -> str:
        """This Timeline as a JSON text, from which `from_json` makes an equal one. Columns; labels and states by number."""
        spans = (*self.spans, *self.switching)
        labels = {label: number for number, label in enumerate(dict.fromkeys(span.label for span in spans))}
        states = {state: number for number, state in enumerate(State)}
        lanes = {lane: number for number, lane in enumerate(self.lanes)}

        def columns(spans):
            rows = [
                (lanes[span.lane], states[span.state], labels[span.label], span.start, span.end, int(span.inferred))
                for span in spans
            ]
            return dict(zip(_JSON_COLUMNS, zip(*rows, strict=True) if rows else [()] * 6, strict=True))

        facts = {name: getattr(self, name) for name in ("title", "unit", "switches", "outcomes", "parents", "lanes")}
        facts["findings"] = [
            [*words, span and [span.lane, span.state.value, *span[2:]]] for *words, span in self.findings
        ]
        legend = {"states": [state.value for state in State], "labels": list(labels)}
        tables = {"spans": columns(self.spans), "switching": columns(self.switching)}
        return json.dumps({"format": "kitchen timeline 1"} | facts | legend | tables, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Timeline":
        """The Timeline that `to_json` wrote. Raises ValueError when `text` is something else."""
        try:
            data = json.loads(text)
            states, labels = [State(value) for value in data["states"]], data["labels"]

            def table(columns):
                of_lane, of_state, of_label, starts, ends, inferred = (columns[key] for key in _JSON_COLUMNS)
                named = [labels[number] for number in of_label]
                return Table(of_lane, [states[number] for number in of_state], named, starts, ends, inferred)

            facts = {key: data[key] for key in ("unit", "title", "switches")}
            facts |= {key: _texts(data.get(key) or {}) for key in ("outcomes", "parents")}
            facts["findings"] = [_finding(*values) for values in data.get("findings", ())]
            switching = cls(data["lanes"], table(data["switching"])).by_time
            timeline = cls(data["lanes"], table(data["spans"]), switching=switching, **facts)
            timeline._facts()  # now, and not when somebody looks at it, is the time to find out that it is broken
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"this is not a Timeline's JSON ({error!r}): from_json reads what to_json wrote"
            ) from error
        return timeline

    def to_frame(self):
        """The spans as a pandas DataFrame, a row each: lane, state (its name), label, start, end, duration, inferred.

        Raises ImportError where pandas is not installed; kitchen itself does without.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise ImportError("to_frame needs pandas, which is not installed here: pip install pandas") from error
        columns = ["lane", "state", "label", "start", "end", "duration", "inferred"]
        rows = [
            (lane, state.name, label, start, end, end - start, inferred)
            for lane, state, label, start, end, inferred in self.spans
        ]
        return DataFrame(rows, columns=columns)

    def to_chrome_trace(self) -> str:
        """This Timeline in Chrome's trace event format, which https://ui.perfetto.dev opens: a track per lane.

        A kitchen minute becomes a minute there. A finding is a mark where its span begins. Rule: "Trace Event Format":
        complete events (ph "X"), instant events (ph "i"), microseconds.
        """
        microseconds = {"min": 60e6, "s": 1e6}[self.unit]
        tracks = {lane: number for number, lane in enumerate(self.lanes, start=2)}
        named = [("the cook", 1), *tracks.items()]
        created = {lane: {"created by": parent} for lane, parent in self.parents.items()}
        events = [
            {"ph": "M", "pid": 1, "tid": tid, "name": "thread_name", "args": {"name": lane} | created.get(lane, {})}
            for lane, tid in named
        ]
        events += [
            {"ph": "M", "pid": 1, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": tid}}
            for _, tid in named
        ]
        events.append({"ph": "M", "pid": 1, "name": "process_name", "args": {"name": self.title or "kitchen"}})
        placed = [(span, 1, span.lane) for span in self.cook]
        placed += [(span, tracks[span.lane], span.label) for span in self.spans]
        for span, tid, name in placed:
            args = {"state": span.state.value, "step": span.label, "lane": span.lane, "inferred": span.inferred}
            args |= created.get(span.lane, {})
            times = {"ts": span.start * microseconds, "dur": span.duration * microseconds}
            events.append(
                {"ph": "X", "pid": 1, "tid": tid, "name": name, "cat": span.state.value, **times, "args": args}
            )
        for kind, text, file, line, span in self.findings:
            placed = span is not None and span.lane in tracks  # otherwise it is about all of the program
            where = {"tid": tracks[span.lane], "s": "t"} if placed else {"tid": 1, "s": "p"}
            args = {"finding": kind, "file": file, "line": line}
            time = span.start * microseconds if placed else 0.0
            events.append({"ph": "i", "pid": 1, **where, "ts": time, "name": text, "cat": "finding", "args": args})
        return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, allow_nan=False)


def _texts(mapping):
    """A copy of a mapping from text to text, as JSON has it. Raises TypeError or AttributeError for anything else."""
    return {_checked(key, str): _checked(value, str) for key, value in mapping.items()}


def _finding(kind, text, file, line, span=None):
    """A Finding, as JSON has it. Raises TypeError or ValueError when it is none."""
    if span is not None:
        lane, state, label, start, end, inferred = span
        times = (_checked(start, (int, float)), _checked(end, (int, float)))
        span = Span(_checked(lane, str), State(state), _checked(label, str), *times, bool(inferred))
    words = [_checked(word, str) for word in (kind, text, file)]
    return Finding(*words, _checked(line, int), span)


def _checked(value, kind):
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind}")
    return value


def _when(span):
    return span.start, span.end


# --- the picture in text ---------------------------------------------------------------------------------------------

WIDTH = 80
MARKS = {RUNNING: "#", READY: "=", WAITING: ".", IDLING: "~", SWITCHING: "/"}  # ASCII: any terminal can show them
MOST_ROWS = 40  # above that, lanes are left out evenly
MOST_LANES = 300  # above that a picture shows how many lanes are in each state, and a few of them
MOMENTS = 8  # at which they are counted


def draw(timeline: Timeline) -> str:
    """The Gantt picture in plain text, 80 columns wide: a row per lane, the cook's own at the bottom."""
    lanes, number = timeline.lanes, len(timeline.lanes)
    crowd = number > MOST_LANES
    every = -(-number // MOST_ROWS) or 1
    shown = timeline.few() if crowd else lanes[::every]
    short_name = dict(zip(lanes, short_names(lanes), strict=True))
    names = [*(short_name[lane] for lane in shown), "the cook"]
    left = min(max(map(len, names)), 20) + 1
    columns = WIDTH - left
    step = timeline.makespan / columns or 1.0
    lines = [cut(timeline.summary(), WIDTH), *(_counted(timeline) if crowd else ())]
    for name, spans in zip(names, [*(timeline.by_lane[lane] for lane in shown), timeline.cook], strict=True):
        lines.append(f"{cut(name, left - 1):{left}}{bar(spans, columns, step)}".rstrip())
    end = f"{short(timeline.makespan)} {timeline.unit}"
    lines.append(" " * left + "0" + end.rjust(columns - 1))
    if crowd:
        lines += wrap(f"({told_few(timeline)}; the other {number - len(shown)} are not shown)", WIDTH)
    elif every > 1:
        lines.append(f"(1 lane in {every} is shown, of {number})")
    lines.append("  ".join(f"{mark} {state.value}" for state, mark in MARKS.items()))
    for finding in timeline.findings:
        lines += wrap(printable(finding.text), WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines)


def _counted(timeline):
    """How many lanes are in each state at some moments, as lines: a column per moment."""
    moments = [timeline.makespan * part / MOMENTS for part in range(MOMENTS + 1)]
    counts = timeline.counts(moments)
    rows = [(f"{MARKS[state]} {state.value}", numbers) for state, numbers in counts.items() if any(numbers)]
    finishes = sorted(timeline.finishes.values())
    over = [bisect_right(finishes, moment) for moment in moments]
    rows.append(("  over", over))
    rest = [len(timeline.lanes) - sum(numbers) for numbers in zip(over, *counts.values(), strict=True)]
    if any(rest):
        rows.append(("  not there", rest))
    at = f"lanes at {timeline.unit}"
    for name, figures in [(at, map(short, moments)), *rows]:
        yield f"{name:12}" + "".join(f"{figure:>7}" for figure in figures)


def told_few(timeline: Timeline) -> str:
    """Which lanes stand for the crowd, in words."""
    undone = len(timeline.outcomes.keys() & set(timeline.lanes))
    others = f", the 3 slowest, and {min(undone, 3)} of {undone} that were not done" if undone else " and the 3 slowest"
    return f"of {len(timeline.lanes)} lanes the first 3{others}"


def bar(spans: Iterable[Span], columns: int, step: float) -> str:
    """One mark per column of `step` time units: the state that fills most of it, a blank where none fills half."""
    shares = [{} for _ in range(columns)]
    for span in spans:
        first, last = int(span.start / step), min(int(span.end / step), columns - 1)
        for column in range(first, last + 1):
            share = min(span.end, (column + 1) * step) - max(span.start, column * step)
            shares[column][span.state] = shares[column].get(span.state, 0.0) + share
    return "".join(mark(share, step) for share in shares)


def mark(share: dict[State, float], step: float) -> str:
    """The mark of the state with the largest share of a column, a blank if less than half of it is taken at all."""
    state = max(share, key=share.get, default=None)
    return MARKS[state] if state and sum(share.values()) >= step / 2 else " "


def short_names(lanes: Sequence[str]) -> list[str]:
    """The lanes' names as a picture shows them: without the folder that they have in common, and safe to print."""
    folder = commonprefix(lanes).rpartition("/")[0] if len(lanes) > 1 else ""  # noqa: RUF071
    return [printable(".." + lane.removeprefix(folder) if len(folder) > 8 else lane) for lane in lanes]


def cut(text: str, width: int) -> str:
    """`text`, with its middle left out where it is longer than `width`: both ends of a URL tell something."""
    if len(text) <= width:
        return text
    head = (width - 2) // 2
    return f"{text[:head]}..{text[head + 2 - width :]}"


def printable(text: str) -> str:
    """`text` with everything that could disturb a terminal replaced by '?'."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(map(printable, text.splitlines()))


def short(number: float) -> str:
    """A figure as one says it: three digits that count, no exponent."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}" if abs(number) >= 1e-3 else f"{number:.1g}"
