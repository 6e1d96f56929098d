"""Who gives whom the cook, and why she comes back: a Timeline turn by turn, with the scheduler as a lane of its own."""

from base64 import b64encode
from html import escape
from io import BytesIO
from itertools import groupby, pairwise
from math import inf
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from PIL import Image

from kitchen.gantt import STYLES, UNITS, WIDTH
from kitchen.timeline import IDLING, RUNNING, SWITCHING, WAITING, Timeline, cut, printable, short

MOST_TURNS = 100  # above that no arrow can be told from the next
MOST_LANES = 12  # above that the arrows cross too many rows to be followed
RANG, WAITS, DONE, ASIDE, TAKEN = "the clock rang", "begins to wait", "done", "steps aside", "switched out"
COLOURS = {RANG: "#D55E00", TAKEN: "#D55E00", WAITS: "#0072B2", DONE: "#007A57"}  # anything else: grey


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

    def png(self) -> bytes:
        """The picture as a PNG file's bytes."""
        file, small = BytesIO(), BytesIO()
        self.figure.savefig(file, format="png", dpi=100)
        Image.open(file).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
        return small.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        picture = b64encode(self.png()).decode()
        alt = escape(f"{printable(self.scheduler)}, turn by turn: {len(self.turns)} turns, in words below")
        items = "".join(f"<li>{escape(words)}</li>\n" for words in self._words())
        words = f"<details><summary>The {len(self.turns)} turns in words</summary>\n<ol>\n{items}</ol>\n</details>"
        html = f'<img src="data:image/png;base64,{picture}" alt="{alt}">\n{words}'
        return {"text/html": html, "image/png": picture, "text/plain": str(self)}

    __repr__ = __str__


def turns(timeline: Timeline, until: float = inf, scheduler: str = "the scheduler", clock: bool = True) -> Turns:
    """Draws who gets the cook, when she goes back to the scheduler, and why; of turns that begin before `until`.

    `scheduler`: what its lane is called. `clock`: whether it has one; without, a dish that is READY when its turn ends
    has stepped aside by itself. Raises ValueError for more than 12 lanes, and for more than 100 turns.
    """
    if len(timeline.lanes) > MOST_LANES:
        raise ValueError(f"{len(timeline.lanes)} lanes are too many for this picture: at most {MOST_LANES}")
    shown = sorted((turn for turn in _read(timeline, clock) if turn.start < until), key=lambda turn: turn.start)
    if len(shown) > MOST_TURNS:
        raise ValueError(
            f"{len(shown)} turns are too many for this picture: say until when, for {MOST_TURNS} of them at most"
        )
    until = min(until, timeline.makespan) or 1.0
    figure = Figure(figsize=(WIDTH, 1.9 + 0.52 * (len(timeline.lanes) + 1)), layout="constrained")
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
    inches = WIDTH * 0.85 / until
    for span in [*timeline.spans, *(span for span in timeline.cook if span.state is SWITCHING)]:
        if span.start < until:
            _bar(ax, span, 0 if span.state is SWITCHING else row[span.lane], until * 1.01, inches)
    for before, after in pairwise(timeline.cook):
        if (after.start - before.end) * inches > 0.45 and after.start <= until:
            ax.barh(0, after.start - before.end, 0.5, before.end, fc="white", ec="#777777", ls=":", zorder=3)
            _words(ax, (before.end + after.start) / 2, 0, "nobody's\nturn", fontsize=7)
    apart = min((end.end - start.end for start, end in pairwise(shown)), default=until) * inches
    slant = {} if apart > 1.0 else {"rotation": 32, "ha": "left"}
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
    ax.set_yticks(range(len(row) + 1), [_text(cut(name, 26)) for name in (scheduler, *row)], fontsize=10)
    ax.get_yticklabels()[0].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=timeline.unit == "min" and until > 2))
    ax.set(xlim=(0, until * 1.01), ylim=(len(row) + 0.5, -0.75 if apart > 1.0 else -1.3), xlabel=UNITS[timeline.unit])
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(_text(cut(timeline.title, 100)), loc="left", fontsize=11, fontweight="bold")
    seen = {span.state for span in (*timeline.spans, *timeline.cook) if span.start < until}
    patches = [Patch(fc=fc, ec=ec, hatch=h, lw=0, label=says) for s, (fc, ec, h, says) in STYLES.items() if s in seen]
    ax.figure.legend(handles=patches, loc="outside lower center", ncols=3, fontsize=8, frameon=False)


def _bar(ax, span, y, until, inches):
    face, edge, hatch, _ = STYLES[span.state]
    has_cook = span.state in (RUNNING, IDLING)  # then the bar is as high as the row, else a thin one
    width, height = min(span.end, until) - span.start, 0.72 if has_cook else 0.26
    ax.barh(y, width, height, span.start, fc=face, ec=edge, hatch=hatch, lw=0, alpha=0.55 if span.inferred else 1)
    ax.barh(y, width, height, span.start, fc="none", ec="white", lw=0.8)  # so that two steps in a row can be told apart
    if has_cook and 0.068 * len(span.label) + 0.1 < width * inches:
        colour, backing = "white" if span.state is RUNNING else "black", {"fc": face, "ec": "none", "pad": 1.0}
        _words(ax, span.start + width / 2, y, span.label, color=colour, fontsize=8.5, bbox=backing)


def _words(ax, x, y, text, **style):
    ax.text(x, y, _text(text), zorder=5, **{"ha": "center", "va": "center"} | style)


def _text(text):
    return "\n".join(map(printable, text.split("\n"))).replace("$", r"\$")  # a dollar sign begins no formula
