"""Ways out of a Timeline, and one way back: JSON, Chrome's trace format, a pandas table."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kitchen.timeline.states import Finding, Span, State
from kitchen.timeline.table import Table

if TYPE_CHECKING:
    from pandas import DataFrame

    from kitchen.timeline.timeline import Timeline

_JSON_COLUMNS = ("lane", "state", "label", "start", "end", "inferred")


def to_json(timeline: "Timeline") -> str:
    """A Timeline as a JSON text. Columns; labels and states by number."""
    spans = (*timeline.spans, *timeline.switching)
    labels = {label: number for number, label in enumerate(dict.fromkeys(span.label for span in spans))}
    states = {state: number for number, state in enumerate(State)}
    lanes = {lane: number for number, lane in enumerate(timeline.lanes)}

    def columns(spans: Sequence[Span]) -> dict[str, Sequence[float]]:
        rows = [
            (lanes[span.lane], states[span.state], labels[span.label], span.start, span.end, int(span.inferred))
            for span in spans
        ]
        return dict(zip(_JSON_COLUMNS, zip(*rows, strict=True) if rows else [()] * 6, strict=True))

    facts = {
        name: getattr(timeline, name)
        for name in ("title", "unit", "switches", "outcomes", "parents", "asides", "lanes")
    }
    facts["findings"] = [
        [*words, span and [span.lane, span.state.value, *span[2:]]] for *words, span in timeline.findings
    ]
    legend = {"states": [state.value for state in State], "labels": list(labels)}
    tables = {"spans": columns(timeline.spans), "switching": columns(timeline.switching)}
    return json.dumps({"format": "kitchen timeline 1"} | facts | legend | tables, allow_nan=False)


def from_json(text: str | bytes) -> tuple[list[str], Table, Table, dict[str, Any]]:
    """The lanes, the spans, the cook's SWITCHING spans and the other facts of a Timeline, as `to_json` wrote them.

    Raises AttributeError, LookupError, OverflowError, TypeError or ValueError when `text` is something else.
    """
    data = json.loads(text)
    states, labels = [State(value) for value in data["states"]], data["labels"]

    def table(columns: Mapping[str, Sequence[Any]]) -> Table:
        of_lane, of_state, of_label, starts, ends, inferred = (columns[key] for key in _JSON_COLUMNS)
        named = [labels[number] for number in of_label]
        return Table(of_lane, [states[number] for number in of_state], named, starts, ends, inferred)

    facts = {key: data[key] for key in ("unit", "title", "switches")}
    facts |= {key: _texts(data.get(key) or {}) for key in ("outcomes", "parents")}
    facts["asides"] = list(map(str, data.get("asides", ())))
    facts["findings"] = [_finding(*values) for values in data.get("findings", ())]
    return data["lanes"], table(data["spans"]), table(data["switching"]), facts


def to_frame(timeline: "Timeline") -> "DataFrame":
    """A Timeline's spans as a pandas DataFrame, a row each: lane, state (its name), label, start, end, duration, inferred.

    Raises ImportError where pandas is not installed; kitchen itself does without.
    """
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise ImportError("to_frame needs pandas, which is not installed here: pip install pandas") from error
    columns = ["lane", "state", "label", "start", "end", "duration", "inferred"]
    rows = [
        (lane, state.name, label, start, end, end - start, inferred)
        for lane, state, label, start, end, inferred in timeline.spans
    ]
    return DataFrame(rows, columns=columns)


def to_chrome_trace(timeline: "Timeline") -> str:
    """A Timeline in Chrome's trace event format, which https://ui.perfetto.dev opens: a track per lane.

    A kitchen minute becomes a minute there. A finding is a mark where its span begins. Rule: "Trace Event Format":
    complete events (ph "X"), instant events (ph "i"), microseconds.
    """
    microseconds = {"min": 60e6, "s": 1e6}[timeline.unit]
    tracks = {lane: number for number, lane in enumerate(timeline.lanes, start=2)}
    named = [("the cook", 1), *tracks.items()]
    created = {lane: {"created by": parent} for lane, parent in timeline.parents.items()}
    args: dict[str, object]
    events: list[dict[str, object]] = [
        {"ph": "M", "pid": 1, "tid": tid, "name": "thread_name", "args": {"name": lane} | created.get(lane, {})}
        for lane, tid in named
    ]
    events += [
        {"ph": "M", "pid": 1, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": tid}} for _, tid in named
    ]
    events.append({"ph": "M", "pid": 1, "name": "process_name", "args": {"name": timeline.title or "kitchen"}})
    placed = [(span, 1, span.lane) for span in timeline.cook]
    placed += [(span, tracks[span.lane], span.label) for span in timeline.spans]
    for span, tid, name in placed:
        args = {"state": span.state.value, "step": span.label, "lane": span.lane, "inferred": span.inferred}
        args |= created.get(span.lane, {})
        times = {"ts": span.start * microseconds, "dur": span.duration * microseconds}
        events.append({"ph": "X", "pid": 1, "tid": tid, "name": name, "cat": span.state.value, **times, "args": args})
    for kind, text, file, line, about in timeline.findings:
        where: dict[str, object] = {"tid": 1, "s": "p", "ts": 0.0}  # about all of the program, unless it says more
        if about and about.lane in tracks:
            where = {"tid": tracks[about.lane], "s": "t", "ts": about.start * microseconds}
        args = {"finding": kind, "file": file, "line": line}
        events.append({"ph": "i", "pid": 1, **where, "name": text, "cat": "finding", "args": args})
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, allow_nan=False)


def _texts(mapping: Mapping[str, str]) -> dict[str, str]:
    """A copy of a mapping from text to text, as JSON has it. Raises TypeError or AttributeError for anything else."""
    return {_checked(key, str): _checked(value, str) for key, value in mapping.items()}


def _finding(kind: str, text: str, file: str, line: int, span: Sequence[Any] | None = None) -> Finding:
    """A Finding, as JSON has it. Raises TypeError or ValueError when it is none."""
    about = None
    if span is not None:
        lane, state, label, start, end, inferred = span
        times = (_checked(start, (int, float)), _checked(end, (int, float)))
        about = Span(_checked(lane, str), State(state), _checked(label, str), *times, bool(inferred))
    return Finding(_checked(kind, str), _checked(text, str), _checked(file, str), _checked(line, int), about)


def _checked(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind}")
    return value
