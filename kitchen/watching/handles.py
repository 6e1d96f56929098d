"""The handles of a loop that is watched: what it calls next, and what they say of what caused that call."""

from asyncio import events
from time import perf_counter
from typing import Any


class EmptyHandle(events.Handle):
    """A handle that is made without a call of Python's, and filled in by whoever makes it."""

    __slots__ = ()
    __init__ = object.__init__


EmptyHandle.__name__ = "Handle"  # which is what it shows itself as


def timer_handle_of(hooks: Any, shift: float) -> type[events.TimerHandle]:
    """Timers of one loop: `hooks.due` says while one runs when it was due. `shift`: from the loop's clock to ours."""
    now = perf_counter

    class TimerHandle(events.TimerHandle):
        """A timer of this loop."""

        __slots__ = ()

        def _run(self):
            hooks.due = min(self._when + shift, now())
            try:
                events.TimerHandle._run(self)
            finally:
                hooks.due = None

    return TimerHandle


def called_handle_of(hooks: Any) -> type[events.Handle]:
    """Calls from other threads: `hooks.due` says while one runs when it was made."""

    class CalledHandle(events.Handle):
        """A call from another thread."""

        __slots__ = ("called",)

        def _run(self):
            hooks.due = self.called
            try:
                events.Handle._run(self)
            finally:
                hooks.due = None

    CalledHandle.__name__ = "Handle"  # which is what it shows itself as
    return CalledHandle
