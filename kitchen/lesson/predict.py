"""Predictions: the reader commits to an answer before a run, and the page draws it over what came out.

    guess = predict.number("How many minutes until everything is on the table?", "min")
    …the run…
    guess.compare(timeline.makespan)

`number`, `choice`, `order` and `drawing` each show a small form and return a `Prediction`. Form, answer and comparison are
the page's business (`predict.js`, `compare.js`): they need no kernel, and the browser keeps the answer. Where there is a
kernel, it is told. An output never holds an answer: what is saved asks anybody anew. Nothing ever waits for the reader:
without an answer, a comparison says what came out and that no prediction was made; a later answer is drawn then.

An answer belongs to the kernel that asked (its `SESSION`). A question that is asked again in the same kernel (a cell run
once more) keeps its answer; in another kernel it is asked anew, and the page offers what was said the last time.
"""

from collections.abc import Sequence
from hashlib import sha256
from math import isclose, isfinite
from numbers import Real
from sys import float_info
from typing import Any
from uuid import uuid4

from IPython.display import display

from kitchen.lesson.box import marked
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, State, Timeline
from kitchen.timeline.words import short
from kitchen.views import assets
from kitchen.views.line import Line

PAINTED = (None, RUNNING, READY, WAITING, IDLING)  # a drawing's numbers
SESSION = uuid4().hex[:12]


def number(question: str, unit: str = "", least: float = 0.0) -> "Prediction":
    """Asks for a number of `unit`s, of `least` or more. Compare it with a number."""
    return Prediction(_Number(question, unit, least))


def choice(question: str, options: Sequence[str]) -> "Prediction":
    """Asks which of several sentences will turn out true. Compare it with that sentence. ValueError for fewer than two."""
    return Prediction(_Choice(question, options))


def order(question: str, options: Sequence[str]) -> "Prediction":
    """Asks for the order of several things. Compare it with a list of the same things. ValueError for fewer than two."""
    return Prediction(_Order(question, options))


def drawing(
    question: str,
    lanes: Sequence[str],
    until: float,
    step: float = 1.0,
    unit: str = "min",
    states: Sequence[State] = (RUNNING, READY, WAITING),
) -> "Prediction":
    """Asks for a picture: the state of each lane in each `step`, from 0 to `until`. Compare it with a Timeline.

    `states`: those that the reader may paint with. Raises ValueError for no lane and for more than 60 steps.
    """
    return Prediction(_Drawing(question, lanes, until, step, unit, states))


_given = {}  # the answers of this kernel, by question: asked again, a question keeps its answer
_lines = {}  # from the page to this kernel, by question


class Prediction:
    """A question that was asked, and the reader's `answer`: None until there is one; it may come at any time."""

    def __init__(self, question: "_Question"):
        self._question = question
        if question.key not in _lines:
            _lines[question.key] = Line(self._hear, kitchenQuestion=question.key, kitchenSession=SESSION)
        lines = [question.question, *(f"  - {option}" for option in question.options), PREDICT]
        listed = "".join(f"<li>{marked(option)}</li>\n" for option in question.options)
        words = f"<p><b>{marked(question.question)}</b></p>\n" + (f"<ul>\n{listed}</ul>\n" if listed else "")
        display(self._output("askSaved", f"{words}<p>{PREDICT}</p>\n", question.asked(), lines), raw=True)

    @property
    def answer(self) -> Any:
        """A float, one of the options, a list of them, or a list of states per lane; None when there is none."""
        return _given.get(self._question.key)

    def compare(self, truth: object, because: str = "") -> None:
        """Shows what came out, and what was predicted over it. `because`: the reason, in a sentence, said after it.

        Raises ValueError when `truth` is no answer to the question that was asked.
        """
        question = self._question
        truth = question.checked(truth)
        came = question.came(truth)
        words = f'<p class="kitchen-came">{"<br>".join(map(marked, came))}</p>\n'
        words += f"<p>{marked(because)}</p>\n" if because else ""
        data = question.asked() | {"truth": question.raw(truth)}
        display(self._output("compareSaved", words, data, [*came, *filter(None, [because])]), raw=True)

    def _output(self, call, words, data, lines):
        """An output: words for wherever no script runs, and data for the page's module, which makes more of it."""
        name, kind = f"k{uuid4().hex[:16]}", {"askSaved": "asks", "compareSaved": "compares"}[call]
        html = (
            f'<div class="kitchen-box kitchen-{kind}" data-kitchen="{name}" data-kitchen-question="{self._question.key}"'
            f' data-kitchen-session="{SESSION}">\n{words}{assets.data(data)}{assets.begin(call, name)}</div>'
        )
        return {"text/html": html, "text/plain": "\n".join(lines)}

    def _hear(self, content):
        """The page has an answer, which is looked at before it is believed; nonsense is no answer."""
        raw = content.get("answer")
        answer = self._question.understood(raw)
        if answer is None:
            _given.pop(self._question.key, None)
        else:
            _given[self._question.key] = answer
        line = _lines[self._question.key]
        line.state = raw if answer is not None else None
        line.send({"heard": raw})  # the page runs the next cell only then

    def __repr__(self):
        return f"<Prediction {self._question.question!r}: {self.answer!r}>"


PREDICT = "Predict it before you read on."


class _Question:
    """What all questions share: the words, and what the page needs to ask them."""

    def __init__(self, question, options=(), least=0):
        self.question, self.options = question, list(options)
        if len(set(self.options)) < len(self.options) or len(self.options) < least:
            raise ValueError(f"{question!r} has the options {self.options}: give {least} or more, each of them once")

    @property
    def key(self):
        """What the page knows it by: the same for the same question, in whatever notebook."""
        return sha256(repr(sorted(self.asked().items())).encode(errors="replace")).hexdigest()[:16]

    def asked(self):
        return {"kind": type(self).__name__.strip("_").lower(), "question": self.question, "options": self.options}

    def raw(self, answer):
        """The answer as the page knows it."""
        return answer

    def came(self, truth):
        """What came out, in sentences."""
        return [f"It is {self.said(truth)}."]

    def checked(self, truth):
        """What came out, as the answers are. Raises ValueError when `truth` is no answer to this question."""
        understood = self.understood(self.raw(truth))
        if understood is None:
            raise ValueError(f"{truth!r} is no answer to {self.question!r}: compare with what the form could give")
        return understood


class _Number(_Question):
    def __init__(self, question, unit, least):
        super().__init__(question)
        self.unit, self.least = unit, least

    def asked(self):
        return super().asked() | {"unit": self.unit, "least": self.least}

    def checked(self, truth):
        """What comes out may be less than anybody may answer."""
        if not _is_number(truth):
            raise ValueError(f"{truth!r} is no answer to {self.question!r}: compare with a number")
        return float(truth)

    def understood(self, raw):
        return float(raw) if _is_number(raw) and raw >= self.least else None

    def said(self, answer):
        return f"{short(answer)} {self.unit}".strip()


def _is_number(raw):
    """Whether it is a number that a float can hold."""
    return isinstance(raw, Real) and not isinstance(raw, bool) and abs(raw) <= float_info.max and isfinite(raw)


class _Choice(_Question):
    def __init__(self, question, options):
        super().__init__(question, options, least=2)

    def raw(self, answer):
        return self.options.index(answer) if answer in self.options else None

    def understood(self, raw):
        return self.options[raw] if type(raw) is int and 0 <= raw < len(self.options) else None

    def came(self, truth):
        return [f"It is: “{truth}”"]


class _Order(_Question):
    def __init__(self, question, options):
        super().__init__(question, options, least=2)

    def raw(self, answer):
        answer = list(answer or ())
        return [self.options.index(item) if item in self.options else -1 for item in answer] or None

    def understood(self, raw):
        if not isinstance(raw, list) or not all(type(item) is int for item in raw):
            return None
        return [self.options[item] for item in raw] if sorted(raw) == list(range(len(self.options))) else None

    def came(self, truth):
        return [f"It is: {', '.join(truth)}."]


class _Drawing(_Question):
    def __init__(self, question, lanes, until, step, unit, states):
        super().__init__(question, lanes, least=1)
        self.columns = round(until / step) if step > 0 else 0
        if not (1 <= self.columns <= 60 and isclose(self.columns * step, until)):
            raise ValueError(f"until={until!r}, step={step!r}: give 1 to 60 whole steps")
        if not states or not set(states) <= set(PAINTED[1:]):
            raise ValueError(f"states={states!r}: give some of {', '.join(repr(state) for state in PAINTED[1:])}")
        self.step, self.unit, self.states = step, unit, [PAINTED.index(state) for state in states]

    def asked(self):
        return super().asked() | {
            "columns": self.columns,
            "step": self.step,
            "unit": self.unit,
            "states": self.states,
        }

    def raw(self, answer):
        return [[PAINTED.index(state) for state in row] for row in answer]

    def understood(self, raw):
        rows = raw if isinstance(raw, list) else []
        fits = len(rows) == len(self.options) and all(isinstance(r, list) and len(r) == self.columns for r in rows)
        if not fits or not all(type(n) is int and 0 <= n < len(PAINTED) for row in rows for n in row):
            return None
        return [[PAINTED[n] for n in row] for row in rows] if any(map(any, rows)) else None

    def checked(self, truth):
        """A Timeline as a drawing that would be right."""
        if not isinstance(truth, Timeline):
            raise ValueError(f"{truth!r} is no Timeline: a drawing is compared with one")
        if missing := set(self.options) - set(truth.lanes):
            raise ValueError(f"the Timeline has no lane {sorted(missing)[0]!r}; it has {', '.join(truth.lanes)}")
        return [self.sampled(truth.by_lane[lane]) for lane in self.options]

    def came(self, truth):
        return [f"{lane}: {self.told(row)}" for lane, row in zip(self.options, truth, strict=True)]

    def sampled(self, spans):
        """The state that fills most of each step; None where none fills half of it."""
        row = []
        for column in range(self.columns):
            start, end, shares = column * self.step, (column + 1) * self.step, {}
            for span in spans:
                share = min(span.end, end) - max(span.start, start)
                shares[span.state] = shares.get(span.state, 0.0) + max(share, 0.0)
            state = max(shares, key=shares.get, default=None)
            row.append(state if state and shares[state] >= self.step / 2 else None)
        return row

    def told(self, row):
        """A lane in words: which state from when to when."""
        pieces, start = [], 0
        for column in range(1, len(row) + 1):
            if column == len(row) or row[column] is not row[start]:
                if row[start]:
                    pieces.append(f"{row[start].name} {short(start * self.step)} to {short(column * self.step)}")
                start = column
        return ", ".join(pieces) or "nothing"
