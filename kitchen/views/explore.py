"""Sliders for the model: move one, and the picture follows at once, with and without a kernel."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from itertools import product
from math import floor, prod
from time import perf_counter
from typing import NamedTuple
from uuid import uuid4
from zlib import compress

from IPython.display import display

from kitchen.timeline import Timeline
from kitchen.views import assets
from kitchen.views.line import Line
from kitchen.views.player import Player, film_bytes

MOST_FILMS, MOST_SECONDS, MOST_BYTES = 400, 5.0, 300_000  # that are stored; that making them may take; packed

Made = Timeline | Sequence[Timeline]


class Control(NamedTuple):
    """What can be moved: its name, its kind in the page, what it can be, in words and as values, and what it is at first."""

    name: str
    kind: str
    words: list[str]
    values: list[object]
    at: int


def explore(function: Callable[..., Made], **controls: object) -> None:
    """Shows controls, and the player of what `function` makes of their values; it follows every move of a control.

    `controls`: `quantum=(0.5, 5.0, 0.5)` is a slider from 0.5 to 5 in steps of 0.5 (without a third number, of 1 for whole
    numbers and else of 0.1), `parked=True` a box to tick, `way=["sync", "threaded"]` a list to choose from, and so is
    a dict of values by what is said of them. `function` takes the values by name and returns a Timeline, or several. What it
    raises for some value is shown beside the controls, and the picture stays.

    All combinations are made at once and stored in the output, which then needs no kernel: up to 400 of them, as many as
    are made within 5 seconds and take no more than 300 kB; those that are nearest to the first one come first. The
    kernel makes the others when they are asked for; where there is none, the page says so.
    Raises ValueError for a control of another kind, and whatever `function` raises for the first values.
    """
    moved = [_control(name, control) for name, control in controls.items()]
    first = tuple(control.at for control in moved)
    player = Player(*_made(function, moved, first))
    stored, packed = _stored(function, moved, first)
    name, target = f"k{uuid4().hex[:16]}", f"k{uuid4().hex[:16]}"
    if len(stored) < prod(len(control.values) for control in moved):
        _lines[name] = line = Line(lambda asked: _answer(line, function, moved, asked), kitchen=name)
    data = {
        "controls": [control._asdict() | {"values": len(control.values)} for control in moved],
        "stored": stored,
        "packed": packed,
        "target": target,
    }
    names = ", ".join(f"{control.name} ({control.words[0]} to {control.words[-1]})" for control in moved)
    words = f"<p>{escape(f'Where scripts run, one can move {names} here.')}</p>\n"
    html = (
        f'<div class="kitchen-box kitchen-explores" data-kitchen="{name}">\n{words}{assets.data(data)}'
        f"{assets.begin('exploreSaved', name)}</div>\n"
    )
    bundle = player.bundle(target)
    display(bundle | {"text/html": html + bundle["text/html"]}, raw=True)


_lines: dict[str, Line] = {}  # as long as the kernel lives: a page may ask at any time


def _control(name, control):
    """A control as it was written. ValueError when it is none."""
    refused = ValueError(f"{name}={control!r}: give a range such as (0.5, 5.0, 0.5), True or False, a list, or a dict")
    if isinstance(control, bool):
        return Control(name, "box", ["no", "yes"], [False, True], int(control))
    if isinstance(control, tuple) and all(isinstance(part, int | float) for part in control):
        if not 2 <= len(control) <= 3 or any(isinstance(part, bool) for part in control):
            raise refused
        low, high, *step = control
        step = step[0] if step else 1 if isinstance(low, int) and isinstance(high, int) else 0.1
        if not (low < high and step > 0):
            raise refused
        values = [low + number * step for number in range(floor((high - low) / step + 1e-9) + 1)]
        values = [round(value, 12) for value in values]  # 0.1 + 2 x 0.1 is to be 0.3
        return Control(name, "slider", [f"{value:.10g}" for value in values], values, (len(values) - 1) // 2)
    if isinstance(control, dict) and control:
        return Control(name, "list", [str(key) for key in control], list(control.values()), 0)
    if isinstance(control, list | tuple) and control:
        return Control(name, "list", [str(value) for value in control], list(control), 0)
    raise refused


def _made(function, moved, places):
    """The Timelines for these places of the controls."""
    made = function(**{control.name: control.values[at] for control, at in zip(moved, places, strict=True)})
    return [made] if isinstance(made, Timeline) else list(made)


def _film(function, moved, places):
    """The film for these places, as bytes; or a text: what was raised instead."""
    try:
        return film_bytes(_made(function, moved, places))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _stored(function, moved, first):
    """Of each combination made: its places, and what was raised if anything was. The films, packed, in this order."""
    began = perf_counter()
    away = lambda places: sum(abs(at - here) for at, here in zip(places, first, strict=True))  # noqa: E731
    made = []
    for places in sorted(product(*(range(len(control.values)) for control in moved)), key=away)[:MOST_FILMS]:
        made.append((places, _film(function, moved, places)))
        if perf_counter() - began > MOST_SECONDS:
            break
    while len(packed := compress(b"".join(film for _, film in made if isinstance(film, bytes)), 9)) > MOST_BYTES:
        made = made[: len(made) // 2]
    return [[places, film if isinstance(film, str) else None] for places, film in made], b64encode(packed).decode()


def _answer(line, function, moved, asked):
    """The page wants what is not stored: it gets a film, or what was raised."""
    places = asked.get("places")
    sizes = [len(control.values) for control in moved]
    if not isinstance(places, list) or len(places) != len(sizes):
        return
    if not all(type(at) is int and 0 <= at < size for at, size in zip(places, sizes, strict=True)):
        return
    film = _film(function, moved, places)
    error = film if isinstance(film, str) else None
    line.send({"places": places, "error": error, "packed": "" if error else b64encode(compress(film, 9)).decode()})
