"""The static picture: a `Timeline` as a Gantt chart in matplotlib, on paper, on a projector and in a saved notebook."""

from itertools import zip_longest

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, Timeline
from kitchen.timeline.text import MOST_LANES, own_lanes, told_few
from kitchen.timeline.words import cut, short_names
from kitchen.views import paper
from kitchen.views.palette import INFERRED, INKS
from kitchen.views.paper import INCHES

MARKS = "os^DPv*.X<>d"  # one for each of few lanes, as in the page: shapes, since the colours are the states'
MOST_SPANS = 3000  # above that a span is thinner than a pixel: drawing each takes seconds, and shows no more


def gantt(timeline: Timeline, ax: Axes | None = None) -> Axes:
    """Draws a Timeline into `ax` (None: a new figure of its own) and returns the Axes. Never shows, never saves.

    A row per lane from top to bottom, and the cook's own at the bottom: whom she is working for, and how busy she was.
    Above 300 lanes: how many of them are in each state over time, and a few of them. Spans that were inferred are paler.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(INCHES, *_heights([timeline])), layout="constrained")
    _draw(timeline, ax, timeline.makespan)
    _legend(ax, [timeline])
    return ax


def compare(*timelines: Timeline) -> np.ndarray:
    """Draws several Timelines one above the other on one time axis: the picture of the series. Returns their Axes.

    Raises ValueError when there is none, or when they do not share a unit of time.
    """
    if not timelines:
        raise ValueError("nothing to compare: give one Timeline or more")
    units = {timeline.unit for timeline in timelines}
    if len(units) > 1:
        raise ValueError("minutes of the model and measured seconds do not fit on one axis: compare them separately")
    figure = plt.figure(figsize=(INCHES, sum(_heights(timelines))), layout="constrained")
    return _draw_all(timelines, figure)


def picture(*timelines: Timeline) -> paper.Picture:
    """The picture of one Timeline, or of several on one axis, as files; pyplot's figures stay as they are."""
    figure = Figure(figsize=(INCHES, sum(_heights(timelines))), layout="constrained")
    _draw_all(timelines, figure)
    return paper.picture(figure)


def png(*timelines: Timeline) -> bytes:
    """The same as a PNG file's bytes."""
    return picture(*timelines).png


def _draw_all(timelines, figure):
    """Draws the Timelines one above the other, and returns their Axes."""
    axes = figure.subplots(len(timelines), height_ratios=_heights(timelines), sharex=True, squeeze=False)[:, 0]
    longest = max(timeline.makespan for timeline in timelines)
    for timeline, ax in zip(timelines, axes, strict=True):
        _draw(timeline, ax, longest)
    for ax in axes[:-1]:
        ax.set_xlabel("")
    _legend(axes[-1], timelines)
    return axes


def _heights(timelines):
    return [_height(timeline, most=3.4 if len(timelines) > 1 else 7.5) for timeline in timelines]


def _height(timeline, most):
    """Inches: enough for a hundred lanes, and not more than a page."""
    rows = len(own_lanes(timeline)) + bool(timeline.folded) + 1
    return min(1.5 + 0.38 * rows, most) if len(timeline.lanes) <= MOST_LANES else 5.2


def _draw(timeline, ax, until):
    paper.time_axis(ax, timeline.unit, until)
    if len(timeline.lanes) <= MOST_LANES:
        _lanes(timeline, ax)
    else:
        _crowd(timeline, ax)
    ax.set_title(paper.text(cut(timeline.summary(), 120)), loc="left", fontsize=11, fontweight="bold")


# --- a row per lane --------------------------------------------------------------------------------------------------


def _lanes(timeline, ax):
    lanes, folded = own_lanes(timeline), set(timeline.folded)
    row = {lane: y for y, lane in enumerate(lanes)}
    number = len(lanes) + bool(folded)
    few = number <= 12
    thickness = 0.8 if number <= 40 else 1.0
    cook_thickness = max(thickness, 0.06 * number)
    cook_row = number + cook_thickness / 2
    placed = [(span, row[span.lane], thickness) for span in timeline.spans if span.lane in row]
    placed += [(span, len(lanes), thickness) for span in timeline.cook if span.lane in folded]
    if len(placed) <= MOST_SPANS:
        _bars(ax, placed, outlined=few)
    else:
        _raster(ax, placed, number)
    _bars(ax, [*_strips(timeline, cook_row, cook_thickness)], outlined=few)
    if few:
        _step_names(ax, [(span, row[span.lane], span.label) for span in timeline.spans if span.lane in row])
        alone = _alone(timeline.cook, timeline.makespan / 200) if timeline.cooks == 1 else ()
        turns = [(span, cook_row, span.lane) for span in alone]
        _step_names(ax, turns)
        if number > 1:
            _marks(ax, row, turns)
    ax.axhline(number - 0.4, color="#888888", linewidth=0.8)
    names = short_names(lanes) + [f"{len(folded)} of libraries"] * bool(folded)
    every = -(-number // 25) or 1  # more names than that cannot be read
    ax.set_yticks(
        [*range(0, number, every), cook_row],
        [*(paper.text(cut(name, 26)) for name in names[::every]), _cook_name(timeline)],
        fontsize=9 if number <= 40 else 7,
    )
    ax.get_yticklabels()[-1].set(fontweight="bold", fontsize=9)
    ax.set_ylim(cook_row + cook_thickness / 2 + 0.2, -0.6)
    ax.tick_params(axis="y", length=0)


def _bars(ax, placed, outlined=False):
    """One collection of rectangles for each style there is: a hundred lanes are five drawings, not a thousand."""
    corners = {}
    for span, y, thickness in placed:
        low, high = y - thickness / 2, y + thickness / 2
        box = ((span.start, low), (span.start, high), (span.end, high), (span.end, low))
        corners.setdefault((span.state, span.inferred), []).append(box)
    for (state, inferred), boxes in corners.items():
        ax.add_collection(PolyCollection(boxes, **paper.bars(state, inferred, outlined)), autolim=False)
    if outlined:  # so that two turns in a row can be told apart
        boxes = [box for (state, _), boxes in corners.items() for box in boxes if state is not WAITING]
        ax.add_collection(PolyCollection(boxes, facecolor="none", edgecolor="white", linewidth=0.8), autolim=False)


def _raster(ax, placed, rows, columns=1200):
    """An image with a row per lane; what falls into one pixel is mixed in proportion."""
    scale = columns / ax.get_xlim()[1]
    ink = np.zeros((rows, columns, 4))  # red, green and blue, each times alpha; alpha
    by_style = {}
    for span, row, _ in placed:
        by_style.setdefault((span.state, span.inferred), []).append((row, span.start * scale, span.end * scale))
    for (state, inferred), bars in by_style.items():
        lane, start, end = np.array(bars).T
        colour = np.array([*to_rgb(INKS[state].face), 1.0]) * (INFERRED if inferred else 1.0)
        ink += _coverage(lane.astype(int), start, end, (rows, columns))[:, :, np.newaxis] * colour
    ink[:, :, :3] /= np.maximum(ink[:, :, 3:], 1e-9)
    extent = (0, ax.get_xlim()[1], rows - 0.5, -0.5)
    ax.imshow(ink.clip(0, 1), extent=extent, aspect="auto", interpolation="nearest")


def _coverage(row, start, end, shape):
    """How much of each pixel is covered by the stretches from `start` to `end`, which lie in these rows."""
    reached = np.zeros((shape[0], shape[1] + 2))  # by how much the coverage changes from one pixel to the next
    for edge, sign in ((start, 1.0), (end, -1.0)):
        pixel = np.minimum(edge.astype(int), shape[1])
        part = edge - pixel
        np.add.at(reached, (row, pixel), sign * (1 - part))
        np.add.at(reached, (row, pixel + 1), sign * part)
    return reached.cumsum(axis=1)[:, : shape[1]]


def _strips(timeline, y, thickness):
    """What is in the cook's row, with its place: where several cooks worked at once, that has a strip for each of them."""
    thickness /= timeline.cooks
    top = y - thickness * (timeline.cooks - 1) / 2
    until, had = [0.0] * timeline.cooks, [""] * timeline.cooks
    slack = timeline.makespan / 1000
    for span in timeline.cook:
        strips = sorted(range(timeline.cooks), key=lambda strip: had[strip] != span.lane)  # a dish stays where it was
        place = next((strip for strip in strips if until[strip] <= span.start + slack), until.index(min(until)))
        until[place], had[place] = span.end, span.lane
        yield span, top + thickness * place, thickness


def _alone(spans, slack):
    """The spans, given in order of time, that no other overlaps by more: where several work at once, names would collide."""
    until = 0.0
    for span, following in zip_longest(spans, spans[1:]):
        if until <= span.start + slack and (following is None or span.end <= following.start + slack):
            yield span
        until = max(until, span.end)


def _marks(ax, rows, turns):
    """A mark beside each lane's name; it stands in the cook's row for a name that has no room there."""
    beside = {"transform": ax.get_yaxis_transform(), "clip_on": False}
    for y in rows.values():
        ax.plot(-0.011, y, MARKS[y % len(MARKS)], color="black", markersize=5, markeredgewidth=0, **beside)
    ax.tick_params(axis="y", pad=14)
    for span, y, name in turns:
        if not _has_room(ax, name, span) and _inches(ax, span) > 0.06 and span.lane in rows:
            shape, colour = MARKS[rows[span.lane] % len(MARKS)], "black" if span.state is IDLING else "white"
            ax.plot((span.start + span.end) / 2, y, shape, color=colour, markersize=5.5, markeredgewidth=0)


def _inches(ax, span):
    return span.duration * INCHES * 0.82 / ax.get_xlim()[1]


def _has_room(ax, name, span):
    return 0.08 * len(name) + 0.1 < _inches(ax, span)


def _step_names(ax, named):
    """Writes into each bar, given as (span, y, name), its name if there is room for it."""
    for span, y, name in named:
        if _has_room(ax, name, span) and span.state is not READY:
            dark = span.state in (RUNNING, SWITCHING)
            where = ((span.start + span.end) / 2, y)
            backing = None if dark else {"facecolor": INKS[span.state].face, "edgecolor": "none", "pad": 1.0}
            style = {"ha": "center", "va": "center", "fontsize": 9, "color": "white" if dark else "black"}
            ax.annotate(paper.text(name), where, bbox=backing, clip_on=True, **style)


# --- a crowd ---------------------------------------------------------------------------------------------------------


def _crowd(timeline, ax, columns=600):
    """How many lanes are in each state, over time: in each of `columns` columns the mean. Below them a few, and the cook."""
    edges = np.linspace(0, timeline.makespan or 1, columns + 1)
    _, states, _, *times, _ = timeline.table
    starts, ends = map(np.asarray, times)
    number = len(timeline.lanes)
    row, thickness = number * 0.07, number * 0.055
    state_of = np.fromiter(map(id, states), np.uint64, len(states))  # by identity: hashing an Enum is slow
    of_state = {state: (starts[its], ends[its]) for state in INKS if (its := state_of == id(state)).any()}
    _stack(ax, of_state, edges, 0, 1)
    few = timeline.few()
    rows = {lane: -row * (place + 2) for place, lane in enumerate(few)}
    bars = [(span, rows[lane], thickness) for lane in few for span in timeline.by_lane[lane]]
    _bars(ax, bars)
    _step_names(ax, [(span, y, span.label) for span, y, _ in bars])
    cook_row, cook_thickness = -row * (len(few) + 2.7), row * 1.2
    held = {state: of_state[state] for state in (RUNNING, IDLING) if state in of_state}
    if timeline.switching:
        held[SWITCHING] = tuple(np.array([(span.start, span.end) for span in timeline.switching]).T)
    _stack(ax, held, edges, cook_row - cook_thickness / 2, cook_thickness)
    ax.axhline(cook_row + row * 1.1, color="#888888", linewidth=0.8)
    names = dict(zip(timeline.lanes, short_names(timeline.lanes), strict=True))
    ticks = [0, number // 4, number // 2, number * 3 // 4, number]
    ax.set_yticks(
        [cook_row, *rows.values(), *ticks],
        [_cook_name(timeline), *(paper.text(cut(names[lane], 26)) for lane in few), *(f"{tick}" for tick in ticks)],
        fontsize=9,
    )
    ax.get_yticklabels()[0].set(fontweight="bold")
    ax.set_ylim(cook_row - cook_thickness / 2, number)
    words = f"above: how many lanes are in each state; below: {told_few(timeline)}"
    ax.annotate(paper.text(words), (0, -row * 0.75), ha="left", va="center", fontsize=8)


def _stack(ax, of_state, edges, bottom, scale):
    """Areas on top of each other: the mean number of spans in each state between each two of `edges`, times `scale`."""
    middles = (edges[1:] + edges[:-1]) / 2
    bottom = np.full(len(middles), float(bottom))
    for state in INKS:
        if state in of_state:
            top = bottom + scale * np.diff(_time_spent(*of_state[state], edges)) / np.diff(edges)
            ax.fill_between(middles, bottom, top, step="mid", **paper.bars(state))
            bottom = top


def _time_spent(starts, ends, edges):
    """The time that all spans together had lasted up to each of `edges`."""
    times = np.concatenate([starts, ends])
    order = np.argsort(times, kind="stable")
    times = times[order]
    number = np.cumsum(np.repeat([1, -1], len(starts))[order])  # of spans, from this time on
    spent = np.concatenate([[0.0], np.cumsum(number[:-1] * np.diff(times))])
    return np.interp(edges, times, spent)


# --- words -----------------------------------------------------------------------------------------------------------


def _cook_name(timeline):
    who = f"{timeline.cooks} cooks" if timeline.cooks > 1 else "the cook"
    return f"{who}: {timeline.utilization / timeline.cooks:.0%} busy"


def _legend(ax, timelines):
    """Says under the picture what the colours mean: of the states that occur in it."""
    seen = {state for timeline in timelines for state in INKS if state in timeline.table.states}
    seen.update(SWITCHING for timeline in timelines if timeline.switching)
    paper.legend(ax.figure, seen, inferred=any(any(timeline.table.inferred) for timeline in timelines))
