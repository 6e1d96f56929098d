"""The picture in plain text, 80 columns wide: for a terminal, for a screen reader, for wherever nothing can be drawn."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from kitchen.timeline.states import IDLING, READY, RUNNING, SWITCHING, WAITING, Span, State
from kitchen.timeline.words import cut, printable, short, short_names

if TYPE_CHECKING:
    from kitchen.timeline.timeline import Timeline

WIDTH = 80
MARKS = {RUNNING: "#", READY: "=", WAITING: ".", IDLING: "~", SWITCHING: "/"}  # ASCII: any terminal can show them
MOST_ROWS = 40  # above that, lanes are left out evenly
MOST_LANES = 300  # above that a picture shows how many lanes are in each state, and a few of them
MOMENTS = 8  # at which they are counted


def draw(timeline: "Timeline") -> str:
    """The Gantt picture in plain text, 80 columns wide: a row per lane, the cook's own at the bottom."""
    crowd = len(timeline.lanes) > MOST_LANES
    lanes = timeline.lanes if crowd else own_lanes(timeline)
    number = len(lanes)
    every = -(-number // MOST_ROWS) or 1
    shown = timeline.few() if crowd else lanes[::every]
    short_name = dict(zip(lanes, short_names(lanes), strict=True))
    names = [*(short_name[lane] for lane in shown), "the cook" if timeline.cooks == 1 else f"{timeline.cooks} cooks"]
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
    if folded := len(timeline.lanes) - number:
        lines.append(f"({folded} tasks that libraries made for themselves are not shown)")
    lines.append("  ".join(f"{mark} {state.value}" for state, mark in MARKS.items()))
    for finding in timeline.findings:
        lines += wrap(printable(finding.text), WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines)


def own_lanes(timeline: "Timeline") -> list[str]:
    """The lanes that a picture gives a row of their own: all but those that are folded into one."""
    folded = set(timeline.folded)
    return [lane for lane in timeline.lanes if lane not in folded]


def _counted(timeline: "Timeline") -> Iterator[str]:
    """How many lanes are in each state at some moments, as lines: a column per moment."""
    moments = [timeline.makespan * part / MOMENTS for part in range(MOMENTS + 1)]
    counts = timeline.counts(moments)
    rows: list[tuple[str, Sequence[float | str]]]
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


def told_few(timeline: "Timeline") -> str:
    """Which lanes stand for the crowd, in words."""
    undone = len(timeline.outcomes.keys() & set(timeline.lanes))
    others = f", the 3 slowest, and {min(undone, 3)} of {undone} that were not done" if undone else " and the 3 slowest"
    return f"of {len(timeline.lanes)} lanes the first 3{others}"


def bar(spans: Iterable[Span], columns: int, step: float) -> str:
    """One mark per column of `step` time units: the state that fills most of it, a blank where none fills half."""
    shares: list[dict[State, float]] = [{} for _ in range(columns)]
    for span in spans:
        first, last = int(span.start / step), min(int(span.end / step), columns - 1)
        for column in range(first, last + 1):
            share = min(span.end, (column + 1) * step) - max(span.start, column * step)
            shares[column][span.state] = shares[column].get(span.state, 0.0) + share
    return "".join(mark(share, step) for share in shares)


def mark(share: dict[State, float], step: float) -> str:
    """The mark of the state with the largest share of a column, a blank if less than half of it is taken at all."""
    taken = sum(share.values())
    return MARKS[max(share, key=lambda state: share[state])] if share and taken >= step / 2 else " "
