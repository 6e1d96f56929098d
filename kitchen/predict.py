"""Predictions: the reader commits to an answer before a run, and the run's own answer is drawn over it.

    guess = predict.number("How many minutes until everything is on the table?", "min")
    …the run…
    guess.compare(timeline.makespan)

`number`, `choice`, `order` and `drawing` each show a small form and return a `Prediction`. Nothing ever waits for the
reader: without an answer, `compare` says what came out and that no prediction was made; an answer that comes later is
drawn then. A question that is asked again (a cell run once more, or Run All) keeps the answer that it had in this kernel.
"""

import re
from collections.abc import Sequence
from html import escape
from math import isclose, isfinite
from numbers import Real
from pathlib import Path
from sys import float_info

import anywidget
import traitlets
from IPython.display import display
from ipywidgets import Widget

from kitchen.player import style
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, State, Timeline, printable_lines, short

STATES = (None, RUNNING, READY, WAITING, IDLING)  # a drawing's numbers
NO_PREDICTION = "No prediction was made."


def number(question: str, unit: str = "") -> "Prediction":
    """Asks for a number of `unit`s. Compare it with a number."""
    return Prediction(_Number(question, unit))


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
_asked = {}  # the newest Prediction of each question


class Prediction:
    """A question that was asked, and the reader's `answer`: None until there is one; it may come at any time."""

    def __init__(self, question):
        self._question = question
        self._form = _Form(asked=question.asked(), answer=question.raw(_given.get(question.key)))
        before = _asked.pop(question.key, None)
        self._compared = before and before._compared  # a comparison that is in the page already follows the new form
        if before:
            before._form.close()
        _asked[question.key] = self
        self._take()
        self._form.observe(self._take, "answer")
        display(Widget._repr_mimebundle_(self._form) | {"text/plain": question.in_words()}, raw=True)

    @property
    def answer(self):
        """A float, one of the options, a list of them, or a list of states per lane; None when there is none."""
        return _given.get(self._question.key)

    def compare(self, truth, because: str = "") -> None:
        """Shows what came out over what was predicted. `because`: the reason, in a sentence, said after it.

        Raises ValueError when `truth` is no answer to the question that was asked.
        """
        truth = self._question.checked(truth)
        self._compared = truth, because, display(self._bundle(truth, because), raw=True, display_id=True)

    def _take(self, change=None):
        """The page has an answer, which is looked at before it is believed."""
        answer = self._question.understood(self._form.answer)
        if answer is None:
            _given.pop(self._question.key, None)
        else:
            _given[self._question.key] = answer
        self._form.noted = "" if answer is None else self._question.said(answer)
        if self._compared:
            truth, because, handle = self._compared
            handle.update(self._bundle(truth, because), raw=True)

    def _bundle(self, truth, because):
        right, words, picture = self._question.compared(self.answer, truth)
        lines = [line for line in (*words, because) if line]
        return box("right" if right else "", lines, picture) | {"text/plain": "\n".join(lines)}

    def __repr__(self):
        return f"<Prediction {self._question.question!r}: {self.answer!r}>"


class _Form(anywidget.AnyWidget):
    """The page's side of a question."""

    _esm = Path(__file__).with_suffix(".js")
    _css = style("predict")
    asked = traitlets.Dict().tag(sync=True)
    answer = traitlets.Any(None, allow_none=True).tag(sync=True)
    noted = traitlets.Unicode().tag(sync=True)


def box(kind: str, lines: Sequence[str], picture: str = "", more: str = "") -> dict[str, str]:
    """A framed piece of HTML as a notebook's output: `lines` of plain text, then a picture and more that are HTML already.

    `kind`: "right", "wrong" or "".
    """
    words = "".join(f"<p>{marked(line)}</p>\n" for line in lines)
    colour = f" kitchen-{kind}" if kind else ""
    return {
        "text/html": f'<div class="kitchen-asks{colour}">\n<style>\n{style("predict")}</style>\n{picture}{words}{more}</div>'
    }


def marked(text: str) -> str:
    """A plain text as HTML, with what stands between backticks as code, and nothing that cannot be printed."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(printable_lines(text)))


class _Question:
    """What all questions share: the words, and what the page needs to ask them."""

    def __init__(self, question, options=(), least=0):
        self.question, self.options = question, list(options)
        if len(set(self.options)) < len(self.options) or len(self.options) < least:
            raise ValueError(f"{question!r} has the options {self.options}: give {least} or more, each of them once")
        self.key = (type(self).__name__, question, *self.options)

    def asked(self):
        return {"kind": type(self).__name__.strip("_").lower(), "question": self.question, "options": self.options}

    def in_words(self):
        """What a saved notebook has of the form."""
        listed = "".join(f"\n  - {option}" for option in self.options)
        return f"Your prediction: {self.question}{listed}\n(Run this cell, and answer here.)"

    def raw(self, answer):
        """The answer as the page knows it."""
        return answer

    def checked(self, truth):
        """What came out, as the answers are. Raises ValueError when `truth` is no answer to this question."""
        understood = self.understood(self.raw(truth))
        if understood is None:
            raise ValueError(f"{truth!r} is no answer to {self.question!r}: compare with what the form could give")
        return understood


class _Number(_Question):
    def __init__(self, question, unit):
        super().__init__(question)
        self.unit = unit

    def asked(self):
        return super().asked() | {"unit": self.unit}

    def understood(self, raw):
        if not isinstance(raw, Real) or isinstance(raw, bool) or abs(raw) > float_info.max or not isfinite(raw):
            return None
        return float(raw)

    def said(self, answer):
        return f"{short(answer)} {self.unit}".strip()

    def compared(self, answer, truth):
        it_is = f"It is {self.said(truth)}."
        if answer is None:
            return None, [f"{it_is} {NO_PREDICTION}"], ""
        close = abs(answer - truth) <= 0.1 * abs(truth)
        if close:
            remark = "That is it." if short(answer) == short(truth) else "Close."
        elif answer > 0 and truth > 0:
            factor = max(answer, truth) / min(answer, truth)
            remark = f"That is {short(factor)} times too {'much' if answer > truth else 'little'}."
        else:
            remark = f"That is {self.said(abs(answer - truth))} off."
        return close, [f"You said {self.said(answer)}. {it_is} {remark}"], self.scale(answer, truth)

    def scale(self, answer, truth):
        """A bar as long as the truth, and a mark where the reader thought that it would end."""
        low, high = min(0.0, answer, truth), max(0.0, answer, truth)
        place = {value: 10 + 560 * (value - low) / ((high - low) or 1.0) for value in (0.0, answer, truth)}
        left, right = sorted((place[0.0], place[truth]))
        words = escape(self.said(truth))
        mark = place[answer]
        if right - left <= 200:  # too short for its words: they stand behind it, and behind the mark if that is near
            x, anchor, colour = (mark if right <= mark < right + 90 else right) + 6, "start", ""
        elif mark > (left + right) / 2:  # in the bar, and where the mark does not cut them
            x, anchor, colour = left + 6, "start", "fill:var(--kitchen-on)"
        else:
            x, anchor, colour = right - 6, "end", "fill:var(--kitchen-on)"
        beside, side = (mark - 6, "end") if mark > 300 else (mark + 6, "start")
        return (
            f'<svg viewBox="0 0 680 62" width="680" height="62" aria-hidden="true">'
            f'<rect x="{left:.1f}" y="24" width="{max(right - left, 1):.1f}" height="24" fill="var(--kitchen-running)"/>'
            f'<text x="{x:.1f}" y="41" text-anchor="{anchor}" style="{colour}">{words}</text>'
            f'<path d="M{mark:.1f} 2 V58" stroke="var(--kitchen-ready)" stroke-width="3" stroke-dasharray="5 3"/>'
            f'<text x="{beside:.1f}" y="14" text-anchor="{side}">you: {escape(self.said(answer))}</text></svg>\n'
        )


class _Choice(_Question):
    def __init__(self, question, options):
        super().__init__(question, options, least=2)

    def raw(self, answer):
        return self.options.index(answer) if answer in self.options else None

    def understood(self, raw):
        return self.options[raw] if type(raw) is int and 0 <= raw < len(self.options) else None

    def said(self, answer):
        return f"“{answer}”"

    def compared(self, answer, truth):
        if answer is None:
            return None, [f"It is: {self.said(truth)} {NO_PREDICTION}"], ""
        if answer == truth:
            return True, [f"You said {self.said(answer)}, and so it is."], ""
        return False, [f"You said {self.said(answer)}", f"It is: {self.said(truth)}"], ""


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

    def said(self, answer):
        return ", ".join(answer)

    def compared(self, answer, truth):
        it_is = f"It is: {self.said(truth)}."
        if answer is None:
            return None, [f"{it_is} {NO_PREDICTION}"], ""
        placed = sum(mine == its for mine, its in zip(answer, truth, strict=True))
        remark = "That is it." if answer == truth else f"{placed} of {len(truth)} in the right place."
        return answer == truth, [f"You said: {self.said(answer)}. {it_is} {remark}"], self.lines(answer, truth)

    def lines(self, answer, truth):
        """Two columns, the reader's order and the one that came out, with a line from each thing to itself."""
        height = 22 * len(truth) + 24
        drawn = [f'<text x="200" y="14" text-anchor="end">you</text>{_text(330, 14, "it is")}']
        for place, item in enumerate(answer):
            there = truth.index(item)
            y, to = 36 + 22 * place, 36 + 22 * there
            colour = "var(--kitchen-good)" if there == place else "var(--kitchen-bad)"
            drawn.append(
                f'<text x="200" y="{y}" text-anchor="end">{escape(item)}</text>{_text(330, to, item)}'
                f'<path d="M208 {y - 5} L322 {to - 5}" stroke="{colour}" stroke-width="2"/>'
            )
        return (
            f'<svg viewBox="0 0 680 {height}" width="680" height="{height}" aria-hidden="true">{"".join(drawn)}</svg>\n'
        )


def _text(x, y, text):
    return f'<text x="{x}" y="{y}">{escape(text)}</text>'


class _Drawing(_Question):
    def __init__(self, question, lanes, until, step, unit, states):
        super().__init__(question, lanes, least=1)
        self.columns = round(until / step) if step > 0 else 0
        if not (1 <= self.columns <= 60 and isclose(self.columns * step, until)):
            raise ValueError(f"until={until!r}, step={step!r}: give 1 to 60 whole steps")
        if not states or not set(states) <= set(STATES[1:]):
            raise ValueError(f"states={states!r}: give some of {', '.join(repr(state) for state in STATES[1:])}")
        self.step, self.unit, self.states = step, unit, [STATES.index(state) for state in states]
        self.key += (self.columns, step)

    def asked(self):
        return super().asked() | {
            "columns": self.columns,
            "step": self.step,
            "unit": self.unit,
            "states": self.states,
        }

    def in_words(self):
        return f"{super().in_words()[:-2]}: a state for each {short(self.step)} {self.unit}.)"

    def raw(self, answer):
        return answer and [[STATES.index(state) for state in row] for row in answer]

    def understood(self, raw):
        rows = raw if isinstance(raw, list) else []
        fits = len(rows) == len(self.options) and all(isinstance(r, list) and len(r) == self.columns for r in rows)
        if not fits or not all(type(n) is int and 0 <= n < len(STATES) for row in rows for n in row):
            return None
        return [[STATES[n] for n in row] for row in rows] if any(map(any, rows)) else None

    def said(self, answer):
        return f"{sum(state is not None for row in answer for state in row)} pieces painted"

    def checked(self, truth):
        if not isinstance(truth, Timeline):
            raise ValueError(f"{truth!r} is no Timeline: a drawing is compared with one")
        if missing := set(self.options) - set(truth.lanes):
            raise ValueError(f"the Timeline has no lane {sorted(missing)[0]!r}; it has {', '.join(truth.lanes)}")
        return truth

    def compared(self, answer, truth):
        came = [self.sampled(truth.by_lane[lane]) for lane in self.options]
        facts = [f"{lane}: {self.told(row)}" for lane, row in zip(self.options, came, strict=True)]
        if answer is None:
            return None, [*facts, NO_PREDICTION], self.table(came, came)
        pieces = [mine is its for mine, its in self.pairs(answer, came)]
        right = sum(pieces)
        remark = "all as you drew them" if right == len(pieces) else f"{right} of {len(pieces)} pieces as you drew them"
        return right == len(pieces), [f"{remark.capitalize()}.", *facts], self.table(answer, came)

    @staticmethod
    def pairs(answer, came):
        """What was drawn and what came, wherever there is either."""
        return [
            pair for mine, its in zip(answer, came, strict=True) for pair in zip(mine, its, strict=True) if any(pair)
        ]

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

    def table(self, answer, came):
        """Two rows per lane: what was drawn (thin), and below it what came; framed where they differ."""
        lines = []
        for lane, mine, its in zip(self.options, answer, came, strict=True):
            off = [state is not other for state, other in zip(mine, its, strict=True)]
            if answer is not came:
                lines.append(f'<tr class="kitchen-yours"><th>you</th>{self.cells(mine, [False] * len(mine))}</tr>')
            lines.append(f"<tr><th>{escape(lane)}</th>{self.cells(its, off)}</tr>")
        ticks = "".join(f"<th>{short(column * self.step) if column else 0}</th>" for column in range(self.columns))
        lines.append(f'<tr class="kitchen-ticks"><th></th>{ticks}</tr>')
        rows = "\n".join(lines)
        return (
            f'<div class="kitchen-wide"><table class="kitchen-compared" aria-hidden="true">\n{rows}\n</table></div>\n'
        )

    @staticmethod
    def cells(row, off):
        return "".join(
            f'<td class="kitchen-is-{state.value if state else "nothing"}{" kitchen-off" if wrong else ""}"></td>'
            for state, wrong in zip(row, off, strict=True)
        )
