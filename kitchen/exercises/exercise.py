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

import asyncio
import ctypes
import dis
import inspect
import textwrap
import threading
import traceback
from collections.abc import Callable, Sequence
from html import escape
from time import monotonic
from types import CodeType
from typing import Any, NamedTuple

from kitchen.player import Player
from kitchen.predict import box, marked
from kitchen.timeline import Finding, Span, Timeline
from kitchen.watch import watch

SECONDS = 10.0  # that a reader's code may take in a check
GRACE = 2.0  # seconds that it may take to end when it is told to


class Right(NamedTuple):
    """A judge's good word: what the reader's code did well, in a sentence, and the Timeline that shows it."""

    text: str
    timeline: Timeline | None = None


class Wrong(Exception):
    """What is off, in a sentence; the Timeline that shows it, and in it the very span."""

    def __init__(self, text: str, timeline: Timeline | None = None, span: Span | None = None):
        super().__init__(text)
        self.text, self.timeline, self.span = text, timeline, span


class Verdict:
    """What a check found. `right`: True, False, or None for a stub that has not been touched. Shows itself in a notebook."""

    def __init__(self, right: bool | None, text: str, timeline: Timeline | None = None, span: Span | None = None):
        self.right, self.text, self.timeline, self.span = right, text, timeline, span
        if timeline and right is False:
            timeline.findings = (*timeline.findings, Finding("exercise", text, "", 0, span))

    def __bool__(self):
        return self.right is True

    def __str__(self):
        return {True: "Right: ", False: "Not yet: ", None: "Not attempted yet: "}[self.right] + self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        kind = {True: "right", False: "wrong", None: ""}[self.right]
        sign = {True: "✓ ", False: "✗ ", None: ""}[self.right]
        shown = box(kind, [f"{sign}{self}"]) | {"text/plain": str(self)}
        if self.timeline:
            player = Player(self.timeline).bundle()
            shown["text/html"] += player["text/html"]
            shown["text/plain"] += f"\n\n{self.timeline}"
        return shown


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
        if answer is ... or (_code(answer) and _same(_code(answer), _code(stub))):
            return Verdict(None, self.task)
        if callable(stub) and not callable(answer):
            return Verdict(False, f"a function was asked for, and {answer!r} is none")
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
            return Verdict(False, f"your code raised {type(error).__name__}: {error}{line}")

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


def _code(thing):
    thing = inspect.unwrap(thing) if callable(thing) else thing
    return getattr(thing, "__code__", None)


def _same(one, other):
    """Whether two pieces of code do the same, wherever they stand and whatever their docstrings say."""
    if not isinstance(one, CodeType) or not isinstance(other, CodeType):
        return type(one) is type(other) and one == other
    consts = [[const for const in code.co_consts if not isinstance(const, str)] for code in (one, other)]
    return (
        (_instructions(one), one.co_names, one.co_varnames) == (_instructions(other), other.co_names, other.co_varnames)
        and len(consts[0]) == len(consts[1])
        and all(map(_same, *consts))
    )


def _instructions(code):
    return [(step.opname, step.argrepr) for step in dis.get_instructions(code) if not isinstance(step.argval, CodeType)]


def _line_of(error, answer):
    """Where in the reader's code an error arose, in words; None when that has no part in it."""
    reader = _code(answer)
    if reader is None or str(error).startswith(f"{reader.co_qualname}() "):  # called with what it does not take
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == reader.co_filename:
            return f" (line {frame.lineno} of the cell)"
    return None


# --- running the reader's code ---------------------------------------------------------------------------------------


class _Stopped(BaseException):
    """Thrown into a thread whose time is up."""


def call(function: Callable, *arguments, seconds: float = SECONDS) -> Any:
    """`function(*arguments)`, in a thread of its own. Raises Wrong when it is not done after so many seconds."""
    outcome = {}

    def work():
        try:
            outcome["value"] = function(*arguments)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=work, name="the reader's answer", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:  # also when the reader interrupts the check
        late = thread.is_alive()
        if late:
            _stop(thread)
    if late:
        raise Wrong(
            f"after {seconds:g} s it was still not done: something in it waits for what never comes, or loops for ever"
        )
    error = outcome.get("error")
    if isinstance(error, Exception):
        raise error
    if error is not None:
        raise Wrong(f"your code let {type(error).__name__} out, which nobody above it expects")
    return outcome["value"]


def _stop(thread):
    """Has a thread end: what it is doing in Python is broken off. One that blocks outside Python ends with the process."""
    deadline = monotonic() + GRACE
    while thread.is_alive() and monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped))
        thread.join(GRACE / 4)


class Ran(NamedTuple):
    """What became of the reader's coroutine: what it returned, the Timeline of its tasks, and what stands out in it."""

    value: Any
    timeline: Timeline
    findings: list[Finding]


def run(function: Callable, *arguments, title: str = "your code", seconds: float = SECONDS) -> Ran:
    """Runs `await function(*arguments)` in an event loop of its own, in a thread of its own, and watches its tasks.

    Raises Wrong when `function` is no coroutine function, and when it is not done after so many seconds.
    """
    if not inspect.iscoroutinefunction(function):
        raise Wrong("that is no coroutine function: begin it with `async def`, so that it can await")
    watching = watch(title, body="your code")
    limits = []

    async def watched():
        limits.append(asyncio.timeout(seconds))
        async with watching, limits[0]:
            return await function(*arguments)

    def work():
        with asyncio.Runner() as runner:
            return runner.run(watched())

    try:
        value = call(work, seconds=seconds + GRACE)
    except TimeoutError:
        if not limits[0].expired():
            raise  # a timeout of the reader's own
        text = f"after {seconds:g} s it was still not done: something in it waits for what never comes"
        raise Wrong(text, watching.timeline) from None
    return Ran(value, watching.timeline, watching.findings)
