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
from contextlib import suppress
from copy import copy
from html import escape
from time import monotonic
from types import CodeType
from typing import Any, NamedTuple

from kitchen.player import Player
from kitchen.predict import box, marked
from kitchen.sampler import NAME as SAMPLER
from kitchen.timeline import Finding, Span, Timeline, printable_lines
from kitchen.watch import watch

SECONDS = 10.0  # that a reader's code may take in a check
GRACE = 2.0  # seconds that it may take to end when it is told to
MOST_WORDS = 2000  # characters of a verdict


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
        self.right, self.text, self.timeline, self.span = right, _fit(text), timeline, span
        if timeline and right is False:
            self.timeline = copy(timeline)  # others may look at the same one
            self.timeline.findings = (*timeline.findings, Finding("exercise", self.text, "", 0, span))

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
        if answer is ... or _same_function(answer, stub):
            return Verdict(None, self.task)
        if callable(stub) and not callable(answer):
            return Verdict(False, f"a function was asked for, and {_said(repr, answer)} is none")
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


# --- running the reader's code ---------------------------------------------------------------------------------------


class _Stopped(SystemExit):  # of which threads that end by it say nothing
    """Thrown into a thread whose time is up."""


class _Reader(threading.Thread):
    """A thread that calls the reader's function, and that can be told to end, also while it waits in an event loop.

    `value` or `error` is what came of it, once it is `done`. (An Event says so: in Python 3.11 and 3.12, a Thread that is
    waited for when an interrupt comes counts as dead from then on.)
    """

    def __init__(self, function, arguments):
        super().__init__(name="the reader's answer", daemon=True)
        self.function, self.arguments = function, arguments
        self.value = self.error = self.loop = None
        self.done = threading.Event()

    def run(self):
        try:
            self.value = self.function(*self.arguments)
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()

    def stop(self, others):
        """Breaks off what this thread and `others` do in Python. What blocks outside Python ends with the process."""
        deadline = monotonic() + GRACE
        while monotonic() < deadline:
            for thread in [self, *others]:
                if thread.ident and not (thread is self and self.done.is_set()):
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped))
            if self.loop:
                with suppress(RuntimeError):  # it is closed by now
                    self.loop.call_soon_threadsafe(int)  # a loop that only waits comes to Python by that
            others = []
            if self.done.wait(GRACE / 4):
                return


def call(function: Callable, *arguments, seconds: float | None = None) -> Any:
    """`function(*arguments)`, in a thread of its own. Raises Wrong when it is not done after so many seconds (SECONDS)."""
    seconds = seconds or SECONDS
    before = set(threading.enumerate())
    reader = _Reader(function, arguments)
    reader.start()
    try:
        reader.done.wait(seconds)
    finally:  # also when the reader interrupts the check
        late = not reader.done.is_set()
        if late:
            reader.stop([t for t in threading.enumerate() if t not in before and t is not reader and t.name != SAMPLER])
    if late:
        what = "something in it waits for what never comes, or loops for ever"
        raise Wrong(f"after {seconds:g} s it was still not done: {what}")
    if isinstance(reader.error, Exception):
        raise reader.error
    if reader.error is not None:
        raise Wrong(f"your code let {type(reader.error).__name__} out, which nobody above it expects")
    return reader.value


class Ran(NamedTuple):
    """What became of the reader's coroutine: what it returned, the Timeline of its tasks, and what stands out in it."""

    value: Any
    timeline: Timeline
    findings: list[Finding]


def run(function: Callable, *arguments, title: str = "your code", seconds: float | None = None) -> Ran:
    """Runs `await function(*arguments)` in an event loop of its own, in a thread of its own, and watches its tasks.

    Raises Wrong when `function` is no coroutine function, and when it is not done after so many seconds (SECONDS).
    """
    seconds = seconds or SECONDS
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
            threading.current_thread().loop = runner.get_loop()
            return runner.run(watched())

    try:
        value = call(work, seconds=seconds + GRACE)
    except TimeoutError:
        if not limits[0].expired():
            raise  # a timeout of the reader's own
        text = f"after {seconds:g} s it was still not done: something in it waits for what never comes"
        raise Wrong(text, watching.timeline) from None
    finally:
        watching.close()  # what hangs has not left its block
    return Ran(value, watching.timeline, watching.findings)
