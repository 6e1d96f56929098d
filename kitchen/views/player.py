"""The page that plays Timelines: self-contained HTML, in a notebook's output or in a file, with no kernel and no network.

What is in it: the Timelines as a film (rows of changes, see `film.js`), what draws it, and the static picture for wherever
scripts may not run. Text from outside cannot become part of the page: in HTML it is escaped, the film is packed into
base64, and in its JSON every "<", ">" and "&" and everything that is not ASCII is written as \\uXXXX.
"""

import json
import linecache
from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from html import escape
from itertools import groupby
from math import isfinite
from operator import itemgetter
from os import PathLike
from pathlib import Path
from struct import Struct
from zlib import compress

import numpy as np

from kitchen.timeline import SWITCHING, Finding, State, Timeline
from kitchen.timeline.words import printable, short_names
from kitchen.views import assets

ROW = Struct("<dII")  # time, lane, what: state + 8 if inferred + 16 x number of the label
OVER = 0  # the state of a lane that is not there (yet, or any more)
ROWS = np.dtype("<f8, <u4, <u4")  # the same, for many at once
NUMBERS = {id(state): number for number, state in enumerate(State, start=1)}  # by identity: hashing an Enum is slow
NUMBERS[id(None)] = OVER + 8  # over, and the label says why


class Player:
    """Timelines that a reader can play: one, or several on a common time axis.

    `offsets`: when each began on that axis, in its unit; all at 0 when it is left out. Shows itself in a notebook.
    Raises ValueError when there is no Timeline, when they do not share a unit of time, and for bad offsets.
    """

    def __init__(
        self,
        *timelines: Timeline,
        title: str = "",
        offsets: Sequence[float] | None = None,
    ):
        if not timelines:
            raise ValueError("nothing to play: give one Timeline or more")
        if len({timeline.unit for timeline in timelines}) > 1:
            raise ValueError("minutes of the model and measured seconds do not fit on one axis: play them separately")
        self.timelines = timelines
        self.title = title
        self.offsets = tuple([0.0] * len(timelines) if offsets is None else offsets)
        if len(self.offsets) != len(timelines) or not all(map(isfinite, self.offsets)):
            raise ValueError(f"offsets={self.offsets}: give a finite number for each of the {len(timelines)} Timelines")

    def save(self, path: str | PathLike) -> None:
        """Writes the player as an HTML file of its own, for any browser. Raises OSError when that cannot be written."""
        title = escape(printable(self.title or self.timelines[0].title or "kitchen"))
        page = DOCUMENT.format(title=title, body=self.html())
        Path(path).write_text(page, encoding="utf-8", newline="\n")

    def film(self) -> str:
        """What there is to play, as the JSON text that the page reads; it can stand anywhere in HTML."""
        return film_json(self.timelines, self.offsets, self.title)

    @cached_property
    def _picture(self):
        from kitchen.views.gantt import picture  # with matplotlib: what only names a player need not wait for that

        return picture(*self.timelines)

    @property
    def png(self) -> bytes:
        """The static picture, as a PNG file's bytes; in it all Timelines begin at 0."""
        return self._picture.png

    def html(self, name: str | None = None) -> str:
        """The player as a piece of HTML. `name`: what the page knows it by; by default, what follows from the film.

        Raises ValueError for a name of anything but letters and digits.
        """
        film = packed_film(self.timelines, self.offsets, self.title)
        name = name or "k" + sha256(film.encode()).hexdigest()[:16]
        return FIGURE.format(
            name=name,
            words=escape(printable("; ".join(timeline.summary() for timeline in self.timelines))),
            findings=self._findings(),
            picture=self._picture.url,
            film=film,
            begin=assets.begin("playSaved", name),
        )

    def _findings(self):
        """What is amiss, as HTML for wherever the script may not run; nothing when nothing is."""
        several = len(self.timelines) > 1
        items = ""
        for timeline in self.timelines:
            for finding in timeline.findings:
                text = f"{timeline.title}: {finding.text}" if several and timeline.title else finding.text
                code = code_of(finding)
                items += f"<li>{escape(printable(text))}{code and f' <code>{escape(code)}</code>'}</li>\n"
        return f"<p>What stands out:</p>\n<ul>\n{items}</ul>\n" if items else ""

    def bundle(self, name: str | None = None) -> dict[str, str]:
        """The player as a notebook's output: wherever its script may not run, the picture is shown."""
        return {"text/html": self.html(name), "image/png": b64encode(self.png).decode(), "text/plain": repr(self)}

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.bundle()

    def __repr__(self):
        return f"<Player of {', '.join(repr(timeline.title) for timeline in self.timelines)}>"


DOCUMENT = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body class="kitchen-page">
<main>
<h1 style="position: absolute; clip-path: inset(50%)">{title}</h1>
{body}
</main>
</body>
</html>
"""
FIGURE = """\
<figure class="kitchen" data-kitchen="{name}" style="margin: 4px 0; min-height: var(--kitchen-height, 0)">
<img src="{picture}" alt="{words}" style="max-width: 100%">
{findings}<script type="application/json">{film}</script>
{begin}</figure>"""


def packed_film(
    timelines: Iterable[Timeline],
    offsets: Iterable[float],
    title: str = "",
) -> str:
    """The film of these Timelines compressed, as a JSON text: it needs a browser that knows DecompressionStream."""
    film, told = _film(timelines, offsets, title)
    return _dumps({"packed": b64encode(compress(_bytes(film, told), 9)).decode()})


def film_bytes(timelines: Iterable[Timeline]) -> bytes:
    """The film of these Timelines, each from 0 on, as bytes: several can stand one behind the other, and be compressed."""
    return _bytes(*_film(timelines := list(timelines), [0.0] * len(timelines), ""))


def film_json(
    timelines: Iterable[Timeline],
    offsets: Iterable[float],
    title: str = "",
) -> str:
    """The film of these Timelines as a JSON text that can stand anywhere in an HTML page."""
    film, told = _film(timelines, offsets, title)
    for run, rows_of_run in zip(film["runs"], told, strict=True):
        run["rows"] = b64encode(rows_of_run).decode()
    return assets.inert(film)


def _film(timelines, offsets, title):
    """A film without its rows, and those of each run."""
    runs, told = [], []
    for number, (timeline, offset) in enumerate(zip(timelines, offsets, strict=True)):
        labels = Labels()
        told.append(rows(changes(timeline), labels) + turning(timeline))
        begins = head(timeline.lanes, timeline.title, timeline.unit, offset)
        run = {"run": number, "from": 0, "labelsFrom": 0, "head": begins, "labels": labels.texts}
        run |= {"ended": timeline.makespan, "summary": printable(timeline.summary())}
        if timeline.cooks > 1:
            run["cooks"] = timeline.cooks
        runs.append(run | _of_lanes(timeline))
    return {"title": printable(title), "runs": runs}, told


def _bytes(film, told):
    """A film as bytes: a line of JSON with how many rows each run has, and behind it the rows, column by column."""
    runs = [run | {"rows": len(rows) // ROW.size} for run, rows in zip(film["runs"], told, strict=True)]
    tables = [np.frombuffer(rows, ROWS) for rows in told]
    columns = b"".join(table[column].tobytes() for table in tables for column in ROWS.names)
    return _dumps(film | {"runs": runs}).encode() + b"\n" + columns


def _dumps(film):
    return json.dumps(film, allow_nan=False, separators=(",", ":"))


def _of_lanes(timeline):
    """Who created which lane, and what is amiss, with where in the picture to look: as far as there is any of it."""
    number = {lane: number for number, lane in enumerate(timeline.lanes)}
    facts = {}
    if timeline.parents:
        created = [(lane, parent) for lane, parent in timeline.parents.items() if lane in number and parent in number]
        facts["parents"] = {number[lane]: number[parent] for lane, parent in created}
    if timeline.asides:
        facts["asides"] = [number[lane] for lane in timeline.asides if lane in number]
    if timeline.findings:
        facts["findings"] = []
        for finding in timeline.findings:
            span = finding.span if finding.span and finding.span.lane in number else None
            where = {"lane": number[span.lane], "start": span.start, "end": span.end} if span else {}
            code = code_of(finding)
            quote = {"line": finding.line, "code": code} if code else {}
            facts["findings"].append({"text": printable(finding.text)} | where | quote)
    return facts


def code_of(finding: Finding) -> str:
    """What stands in the line of a finding, fit to be shown; "" when that is not known."""
    with suppress(ValueError):  # a name with a null byte, which no file has
        return printable(linecache.getline(finding.file, finding.line).strip())
    return ""


def head(lanes: Sequence[str], title: str, unit: str, offset: float) -> dict:
    """What a film has to know of a run from its beginning."""
    names = {"lanes": [printable(lane) for lane in lanes], "names": short_names(lanes)}
    if names["names"] == names["lanes"]:
        del names["names"]
    return names | {"title": printable(title), "unit": unit, "offset": offset}


class Labels(dict):
    """The numbers of labels: the first is 0, and each is new once. `texts`: the labels in this order, fit to be shown."""

    def __init__(self):
        self.texts = []

    def __missing__(self, label):
        self[label] = number = len(self.texts)
        self.texts.append(printable(label))
        return number


def rows(entries: Iterable[tuple[float, int, State | None, str, bool]], labels: Labels) -> bytes:
    """Changes as rows: when, on which lane, to which state (None: over), label (when over: why), whether inferred."""
    pack, numbers = ROW.pack, NUMBERS
    return b"".join(
        [
            pack(time, lane, numbers[id(state)] + 8 * inferred + 16 * labels[label])
            if state is not None or label
            else pack(time, lane, OVER)
            for time, lane, state, label, inferred in entries
        ]
    )


def changes(timeline: Timeline) -> Iterable[tuple[float, int, State | None, str, bool]]:
    """A Timeline's changes: one where a span begins, and one where it ends and no other follows at once."""
    spans = {lane: list(rows) for lane, rows in groupby(zip(*timeline.table, strict=True), key=itemgetter(0))}
    for lane, name in enumerate(timeline.lanes):
        outcome, over = timeline.outcomes.get(name, ""), 0.0
        for _, state, label, start, end, inferred in spans.get(lane, ()):
            if start > over:
                yield over, lane, None, "", False
            yield start, lane, state, label, bool(inferred)
            over = end
        if lane in spans or outcome:
            yield over, lane, None, outcome, False


def turning(timeline: Timeline) -> bytes:
    """The rows of the lane behind the last, on which the cook turns to another dish: its number stands for a label's."""
    number = {lane: number for number, lane in enumerate(timeline.lanes)}
    return b"".join(
        ROW.pack(span.start, len(number), NUMBERS[id(SWITCHING)] + 16 * number[span.lane])
        + ROW.pack(span.end, len(number), OVER)
        for span in timeline.switching
    )
