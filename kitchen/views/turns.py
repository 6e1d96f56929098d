"""Who gives whom the cook, and why she comes back: a Timeline turn by turn, with the scheduler as a lane of its own."""

from base64 import b64encode
from functools import cached_property
from html import escape
from itertools import groupby, pairwise
from math import inf
from typing import NamedTuple

from matplotlib.figure import Figure

from kitchen.timeline import IDLING, RUNNING, SWITCHING, WAITING, Timeline
from kitchen.timeline.words import cut, printable, short
from kitchen.views import paper
from kitchen.views.palette import INKS, PAGE

MOST_TURNS = 100  # above that no arrow can be told from the next
MOST_CROSSED = 12  # above that the arrows cross too many rows to be followed
PAGE_INCHES = 8.8  # wide: a page on paper has little more, and a phone less
STRAIGHT_INCHES = 0.9  # between two turns: with less, the words above them are slanted
RANG, WAITS, DONE, ASIDE, TAKEN = "the clock rang", "begins to wait", "done", "steps aside", "switched out"
COLOURS = {
    RANG: PAGE["bad"][0],
    TAKEN: PAGE["bad"][0],
    WAITS: INKS[RUNNING].face,
    DONE: PAGE["good"][0],
}  # others: grey


class Turn(NamedTuple):
    """One turn: from `start` to `end` dish `lane` had the cook; `why` it gave her back, in a few words."""

    lane: str
    start: float
    end: float
    why: str


class Turns:
    """The picture of a Timeline's turns. `turns`: those that it shows, in order of time; `figure`: the drawing.

    Shows itself in a notebook, with the turns in words below the picture; `str` gives the words alone.
    """

    def __init__(self, timeline: Timeline, turns: list[Turn], figure: Figure, scheduler: str):
        self.timeline, self.turns, self.figure, self.scheduler = timeline, tuple(turns), figure, scheduler

    def __str__(self):
        return "\n".join(f"{number:3}. {words}" for number, words in enumerate(self._words(), start=1))

    def _words(self):
        for lane, start, end, why in self.turns:
            times = f"{short(start) if start else 0} to {short(end)} {self.timeline.unit}"
            yield f"{times}: {printable(lane)} has the cook; back to {self.scheduler}: {printable(why)}"

    @cached_property
    def _picture(self):
        return paper.picture(self.figure)

    def png(self) -> bytes:
        """The picture as a PNG file's bytes."""
        return self._picture.png

    def _repr_mimebundle_(self, include=None, exclude=None):
        alt = escape(f"{printable(self.scheduler)}, turn by turn: {len(self.turns)} turns, in words below")
        items = "".join(f"<li>{escape(words)}</li>\n" for words in self._words())
        words = f"<details><summary>The {len(self.turns)} turns in words</summary>\n<ol>\n{items}</ol>\n</details>"
        html = f'<img src="{self._picture.url}" alt="{alt}">\n{words}'
        return {"text/html": html, "image/png": b64encode(self.png()).decode(), "text/plain": str(self)}

    __repr__ = __str__


def turns(timeline: Timeline, until: float = inf, scheduler: str = "the scheduler", clock: bool = True) -> Turns:
    """Draws who gets the cook, when she goes back to the scheduler, and why; of turns that begin before `until`.

    `scheduler`: what its lane is called. `clock`: whether it has one; without, a dish that is READY when its turn ends
    has stepped aside by itself. Raises ValueError for more than 12 lanes, and for more than 100 turns.
    """
    if len(timeline.lanes) > MOST_CROSSED:
        raise ValueError(f"{len(timeline.lanes)} lanes are too many for this picture: at most {MOST_CROSSED}")
    shown = sorted((turn for turn in _read(timeline, clock) if turn.start < until), key=lambda turn: turn.start)
    if len(shown) > MOST_TURNS:
        raise ValueError(
            f"{len(shown)} turns are too many for this picture: say until when, for {MOST_TURNS} of them at most"
        )
    until = min(until, timeline.makespan) or 1.0
    figure = Figure(figsize=(PAGE_INCHES, 1.9 + 0.52 * (len(timeline.lanes) + 1)), layout="constrained")
    _draw(timeline, shown, figure.subplots(), until, scheduler)
    return Turns(timeline, shown, figure, scheduler)


def _read(timeline, clock):
    """Every turn, lane after lane: a stretch of spans in which the dish has the cook. The span after it says why."""
    naive = any(span.state is IDLING for span in timeline.spans)  # such a scheduler takes no note of waits
    for lane, spans in timeline.by_lane.items():
        stretches = [(held, list(some)) for held, some in groupby(spans, key=lambda s: s.state in (RUNNING, IDLING))]
        for (held, some), (_, [after, *_]) in pairwise([*stretches, (False, [None])]):
            if after is None:
                why = timeline.outcomes.get(lane, DONE)
            elif after.state is WAITING and not naive:
                why = WAITS
            else:
                why = TAKEN if after.inferred else RANG if clock else ASIDE
            if held:
                yield Turn(lane, some[0].start, some[-1].end, why)


def _draw(timeline, shown, ax, until, scheduler):
    row = {lane: y for y, lane in enumerate(timeline.lanes, start=1)}
    inches = PAGE_INCHES * 0.85 / until
    for span in [*timeline.spans, *(span for span in timeline.cook if span.state is SWITCHING)]:
        if span.start < until:
            _bar(ax, span, 0 if span.state is SWITCHING else row[span.lane], until * 1.01, inches)
    for before, after in pairwise(timeline.cook):
        if (after.start - before.end) * inches > 0.45 and after.start <= until:
            ax.barh(0, after.start - before.end, 0.5, before.end, fc="white", ec="#777777", ls=":", zorder=3)
            _words(ax, (before.end + after.start) / 2, 0, "nobody's\nturn", fontsize=7)
    apart = min((end.end - start.end for start, end in pairwise(shown)), default=until) * inches
    slant = {} if apart > STRAIGHT_INCHES else {"rotation": 32, "ha": "left"}
    for lane, start, end, why in shown:
        inner = min(0.045 / inches, (end - start) / 4)  # an arrow back and the next one down stand side by side
        arrows = [(start + inner, 0, row[lane] - 0.36, "#222222", "-")]
        if end <= until:
            colour = COLOURS.get(why, "#555555")
            arrows.append((end - inner, row[lane] - 0.36, 0, colour, "--" if why in (RANG, TAKEN) else "-"))
            _words(ax, end - inner, -0.3, cut(why, 24), color=colour, fontsize=8.5, va="bottom", **slant)
        for x, tail, tip, colour, line in arrows:
            style = {"arrowstyle": "-|>", "color": colour, "linestyle": line, "linewidth": 1.4}
            ax.annotate("", (x, tip), (x, tail), arrowprops=style | {"shrinkA": 0, "shrinkB": 0}, zorder=4)
    ax.axhline(0, color="#222222", linewidth=5, alpha=0.25, zorder=1)
    ax.set_yticks(range(len(row) + 1), [paper.text(cut(name, 26)) for name in (scheduler, *row)], fontsize=10)
    ax.get_yticklabels()[0].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    paper.time_axis(ax, timeline.unit, until)
    ax.set_ylim(len(row) + 0.5, -0.75 if apart > STRAIGHT_INCHES else -1.3)
    ax.set_title(paper.text(cut(timeline.title, 100)), loc="left", fontsize=11, fontweight="bold")
    seen = {span.state for span in (*timeline.spans, *timeline.cook) if span.start < until}
    paper.legend(ax.figure, seen)


def _bar(ax, span, y, until, inches):
    has_cook = span.state in (RUNNING, IDLING)  # then the bar is as high as the row, else a thin one
    width, height = min(span.end, until) - span.start, 0.72 if has_cook else 0.26
    ax.barh(y, width, height, span.start, **paper.bars(span.state, span.inferred, outlined=True))
    ax.barh(y, width, height, span.start, fc="none", ec="white", lw=0.8)  # so that two steps in a row can be told apart
    if has_cook and 0.068 * len(span.label) + 0.1 < width * inches:
        colour = "white" if span.state is RUNNING else "black"
        backing = {"fc": INKS[span.state].face, "ec": "none", "pad": 1.0}
        _words(ax, span.start + width / 2, y, span.label, color=colour, fontsize=8.5, bbox=backing)


def _words(ax, x, y, text, **style):
    ax.text(x, y, paper.text(text), zorder=5, **{"ha": "center", "va": "center"} | style)
