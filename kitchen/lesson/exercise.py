"""What an exercise is: a stub, a check that judges what the reader's code does, hints, a solution.

    @exercise(stub='''…''', solution='''…''', hints=["…", "…"])
    def at_most_ten(answer):
        "The task in one sentence."
        …
        if most > 10:
            raise Wrong(f"{most} requests were under way at once", timeline, span)
        return Right("never more than 10 at once", timeline)

makes `at_most_ten.check(answer)`, `.hint()` and `.solution()`. The judge looks at behaviour only: at the Timeline that
the reader's code made, or at what was asked of it by the code that it called. A stub that nobody has touched is neither
right nor wrong. The reader's code runs in a thread with a deadline (`run`, `call`), so that one that hangs is told so.
"""

import dis
import inspect
import textwrap
import traceback
from collections.abc import Callable, Sequence
from copy import copy
from html import escape
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from kitchen.lesson.box import box, marked
from kitchen.lesson.running import Wrong
from kitchen.timeline import Finding, Span, Timeline
from kitchen.timeline.words import printable_lines, short
from kitchen.views.player import Player

MOST_WORDS = 2000  # characters of a verdict
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
BINDER = (
    "https://mybinder.org/v2/gh/asynchronicity-illustrated/asynchronicity-illustrated/HEAD?urlpath=lab/tree/notebooks/"
)


class Right(NamedTuple):
    """A judge's good word: what the reader's code did well, in a sentence, and the Timeline that shows it."""

    text: str
    timeline: Timeline | None = None


class Verdict:
    """What a check found. `right`: True, False, or None for a stub that has not been touched. Shows itself in a notebook.

    `where`: an address at which the reader's code can be run, for a page in which nothing runs.
    """

    def __init__(
        self,
        right: bool | None,
        text: str,
        timeline: Timeline | None = None,
        span: Span | None = None,
        where: str = "",
    ):
        self.right, self.text, self.timeline, self.span, self.where = right, _fit(text), timeline, span, where
        if timeline and span and right is False:
            self.timeline = copy(timeline)  # others may look at the same one
            place = f"{span.lane}, {short(span.start)} to {short(span.end)} {timeline.unit}"
            self.timeline.findings = (*timeline.findings, Finding("exercise", place, "", 0, span))

    def __bool__(self):
        return self.right is True

    def __str__(self):
        return {True: "Right: ", False: "Not yet: ", None: "Not attempted yet: "}[self.right] + self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        kind = {True: "right", False: "wrong", None: ""}[self.right]
        sign = {True: "✓ ", False: "✗ ", None: ""}[self.right]
        more = AWAY.format(where=escape(self.where)) if self.where else ""
        shown = box(kind, [f"{sign}{self}"], more) | {"text/plain": str(self)}
        if self.timeline:
            player = Player(self.timeline).bundle()
            shown["text/html"] += player["text/html"]
            shown["text/plain"] += f"\n\n{self.timeline}"
        return shown


# A notebook that is open somewhere has cells that can be run; a page that was made of one has not.
AWAY = """\
<style>:is(.jp-NotebookPanel, .vscode-light, .vscode-dark, .vscode-high-contrast) .kitchen-away {{ display: none; }}
.kitchen-box .kitchen-away a:any-link {{ color: inherit; text-decoration: underline; }}</style>
<p class="kitchen-away">Nothing runs in this page. <a href="{where}">Open this notebook on Binder</a>, or at home:
<code>python3 -m kitchen</code>.</p>
"""


def _on_binder(module):
    """The address of the notebook on Binder that has the exercises of this module: they have the same name."""
    name = module.rpartition(".")[2].replace("_", "-")
    return BINDER + next((path.name for path in sorted(NOTEBOOKS.glob(f"*-{name}.ipynb"))), "")


class Folded:
    """Texts that a reader unfolds one by one: in a notebook by a click or a key, in a terminal by asking again."""

    def __init__(self, parts: Sequence[tuple[str, str, bool]], shown: int):
        self.parts, self.shown = parts, shown  # headline, text, whether it is code; how many a terminal shows

    def __str__(self):
        lines = [f"{head}:\n{textwrap.indent(text.strip(), '    ')}" for head, text, _ in self.parts[: self.shown]]
        if self.shown < len(self.parts):
            lines.append(f"(Folded: {self.parts[self.shown][0].lower()}. Run this cell to unfold it.)")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        more = "".join(
            f"<details><summary>{escape(head)}</summary>\n{_html(text, code)}</details>\n"
            for head, text, code in self.parts
        )
        words = ", ".join(head.lower() for head, _, _ in self.parts)
        return box("", [], more=more) | {"text/plain": f"(Folded: {words}. Run this cell, and unfold.)"}


def _html(text, code):
    """A hint or a program as HTML; in a hint, what stands between backticks is code."""
    if code:
        return f"<pre>{escape(text.strip())}</pre>\n"
    return f"<p>{marked(text.strip())}</p>\n"


class Exercise:
    """One exercise: `check(answer)`, `hint()`, `solution()`. `task`: what is asked for, in a sentence.

    `stub` and `answer_code` are Python as it stands in the notebook's cell; each defines `name`.
    """

    def __init__(self, judge: Callable[[Any], Right], stub: str, solution: str, hints: Sequence[str]):
        self.name = judge.__name__
        self.task = inspect.getdoc(judge)
        self.stub, self.answer_code = textwrap.dedent(stub).strip(), textwrap.dedent(solution).strip()
        self.hints = list(hints)
        self._judge = judge
        self._hinted = 0

    def check(self, answer: Any) -> Verdict:
        """Judges what the reader's code does. Whatever that raises is part of the verdict; it never comes out of here."""
        stub = self.made(self.stub)
        if answer is ... or _same_function(answer, stub):
            return Verdict(None, self.task, where=_on_binder(self._judge.__module__))
        if callable(stub) and not callable(answer):
            return Verdict(False, f"write a function: {_said(repr, answer)} is not one")
        try:
            return Verdict(True, *self._judge(answer))
        except Wrong as wrong:
            return Verdict(False, wrong.text, wrong.timeline, wrong.span)
        except Exception as error:
            line = _line_of(error, answer)
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
                line = _line_of(error, answer) or line
            if line is None:
                raise  # the check's own mistake, not the reader's
            return Verdict(False, f"your code raised {type(error).__name__}: {_said(str, error)}{line}")

    def hint(self) -> Folded:
        """The hints, folded, each a step further than the one before."""
        self._hinted = min(self._hinted + 1, len(self.hints))
        numbered = [(f"Hint {n} of {len(self.hints)}", hint, False) for n, hint in enumerate(self.hints, start=1)]
        return Folded(numbered, self._hinted)

    def solution(self) -> Folded:
        """One right answer, folded; there may be others."""
        return Folded([("Solution", self.answer_code, True)], 1)

    def made(self, code: str) -> Any:
        """What a cell with this code leaves under the exercise's name."""
        names = {"__name__": "__main__"}
        exec(compile(f"import asyncio\n{self.setting}", "<the notebook before it>", "exec"), names)
        exec(compile(code, f"<{self.name}>", "exec"), names)
        return names[self.name]

    setting = ""  # what the notebook has imported and defined before the cell: code

    def __repr__(self):
        return f"<Exercise {self.name}: {self.task}>"


def exercise(*, stub: str, solution: str, hints: Sequence[str], setting: str = "") -> Callable[[Callable], Exercise]:
    """Makes an Exercise of the judge below it: that is called with the reader's answer, returns Right or raises Wrong.

    `setting`: what the notebook imports and defines before the stub's cell, as far as stub and solution need it.
    """

    def make(judge):
        made = Exercise(judge, stub, solution, hints)
        made.setting = textwrap.dedent(setting).strip() + "\n" if setting else ""
        return made

    return make


def _fit(text):
    """A text that can be shown anywhere: what cannot be printed is replaced, and it ends somewhere."""
    lines = printable_lines(text)
    return lines if len(lines) <= MOST_WORDS else f"{lines[:MOST_WORDS]} …"


def _said(how, thing):
    """`str` or `repr` of something of the reader's, which may have its own ideas of both."""
    try:
        return how(thing)
    except Exception as error:
        return f"<{type(thing).__name__}, whose {how.__name__} raises {type(error).__name__}>"


def _same_function(answer, stub):
    """Whether an answer is the stub as it was given, wherever it stands and whatever its docstring says."""
    one, other = (getattr(thing, "__code__", None) for thing in (answer, stub))
    if one is None or other is None:
        return False
    defaults = [(thing.__defaults__, thing.__kwdefaults__) for thing in (answer, stub)]
    return defaults[0] == defaults[1] and _same(one, other)


def _same(one, other):
    """Whether two constants of compiled code are equal; for code in them, whether it does the same."""
    if not isinstance(one, CodeType) or not isinstance(other, CodeType):
        return type(one) is type(other) and one == other
    shapes, inner = [], []
    for code in (one, other):
        taken = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
        takes_rest = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        steps = [
            (step.opname, step.argrepr or step.arg)
            for step in dis.get_instructions(code)
            if not isinstance(step.argval, CodeType)
        ]
        shapes.append((taken, takes_rest, code.co_names, code.co_varnames, steps))
        # Without texts and None: one of them more or less only says that there is a docstring. `steps` has those in use.
        inner.append([const for const in code.co_consts if not isinstance(const, str | None)])
    return shapes[0] == shapes[1] and len(inner[0]) == len(inner[1]) and all(map(_same, *inner))


def _line_of(error, answer):
    """Where in the reader's code an error arose, in words; None when that has no part in it."""
    function = inspect.unwrap(answer) if callable(answer) else answer
    reader = getattr(function, "__code__", None)
    if reader is None or _said(str, error).startswith(f"{reader.co_qualname}() "):  # called with what it does not take
        return ""
    while error is not None:
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename == reader.co_filename:
                return f" (line {frame.lineno} of the cell)"
        error = error.__cause__  # a StopIteration, for one, leaves a coroutine as another error
    return None
