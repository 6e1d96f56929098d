"""A task, as far as one watch sees it: what its notes are about, and what the log says of it by now."""

import weakref
from collections.abc import Callable
from types import CodeType
from typing import Any

from kitchen.watching.cpu import Reading, one_at_a_time

HAS_GIL = one_at_a_time()


class Lane:
    """A task, as far as it is being watched by one watch."""

    __slots__ = (
        "accounted",
        "before",
        "cancelled",
        "cancelled_at",
        "cancels",
        "code",
        "coroutine",
        "function",
        "gave",
        "gave_way",
        "has_clock",
        "held",
        "is_aside",
        "is_eager",
        "is_noted",
        "key",
        "left",
        "looked",
        "looks",
        "memory",
        "name",
        "number",
        "ours",
        "ours_of",
        "outcome",
        "overdue",
        "parent",
        "polls",
        "serves",
        "shown",
        "started",
        "state",
        "stopped",
        "stretch",
        "task",
        "told",
        "tracer",
        "woken",
    )

    def __init__(self, coroutine: object, parent: "Lane | None", woken: float, tracer: Any):
        self.code: CodeType | None = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
        self.function = self.code.co_name if self.code else type(coroutine).__name__
        self.coroutine = None if HAS_GIL else weakly(coroutine)
        self.parent, self.tracer = parent, tracer
        self.has_clock = True  # around its coroutine; else it was there before
        self.is_noted = True  # whether there is anything of it in the record
        self.is_aside = False  # whether a library made it for itself
        self.serves = False  # whether a connection's callback made it, or asyncio did for one of these
        self.is_eager = False  # whether it began at once, within a step of its maker
        self.woken = woken  # when it was told to go on
        self.memory = None  # see Awaiting.look
        self.outcome = ""
        self.left = False  # whether the watch is over for it
        self.cancelled_at = self.cancelled = None  # where it stood when it was last asked to end, and when that was
        self.cancels: tuple[float, ...] = ()  # when it was asked to end, every time
        self.before = self.looked = None  # what it waited for when it was last looked at, and when that was
        self.started = None  # when the step began that is under way; None: none is
        self.task = None  # weakly: a task that nobody holds must vanish as it would unwatched
        self.name = self.number = self.key = None
        self.stretch = None  # steps that are to share one note: see Record.stretch
        self.looks: tuple[Reading, ...] = ()  # at the clocks of its thread, during the step that is under way
        self.ours = self.ours_of = 0.0  # seconds that it took to watch a step, and when that step began
        # What the log says by now.
        self.state = self.stopped = self.told = self.overdue = self.held = None
        self.accounted = self.shown = -1.0  # up to when it is told what its step did, and that it began
        self.gave, self.polls, self.gave_way = 0, None, None  # how often it gave way; the same in stretches; and where

    def line(self) -> tuple[str, int]:
        """File and line at which its function begins."""
        return (self.code.co_filename, self.code.co_firstlineno) if self.code else ("", 0)

    def runs(self) -> bool:
        """Whether its coroutine runs now, for another thread without a GIL, which would have to wait to ask its task."""
        return getattr(self.coroutine and self.coroutine(), "cr_running", False)


def weakly(thing: Any, otherwise: Callable[[], Any] | None = None) -> Callable[[], Any] | None:
    """A way to a task or a coroutine that does not keep it alive; `otherwise` where a library's own kind has none."""
    try:
        return weakref.ref(thing)
    except TypeError:
        return otherwise


class Several:
    """The lanes of one task that several watches see. It is told to go on once, for all of them."""

    __slots__ = ("lanes",)

    def __init__(self, *lanes: Lane):
        self.lanes = lanes

    def _told(self, when):
        for lane in self.lanes:
            lane.woken = when

    woken = property(fset=_told)

    @property
    def has_clock(self) -> bool:
        """Whether each of these watches has a clock around it."""
        return all(lane.has_clock for lane in self.lanes)
