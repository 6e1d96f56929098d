"""Where each thread of this process stands, seen from one of them.

With the interpreter's lock nobody else runs Python while one looks, and `sys._current_frames` hands out the frames
themselves. Without it that call stops all threads, and to do so waits for each that computes in C: the program would stand
still because somebody looks at it. And frames that run on while they are read may crash the interpreter. So there the
process reads its own memory, as a debugger would from outside: nothing stops, and a look that falls into a change is missed.
Up to 3.14 it sees the innermost frames only, as far as no function in C lies between: of a step, those of its task.
"""

import os
import sys
import threading
from typing import Any, NamedTuple

from kitchen.watching.cpu import one_at_a_time

TRIES = 3  # for one look: each takes some 0.03 ms
MISSED = (RuntimeError, OSError, ValueError, MemoryError)  # by what was read while it changed


class Code(NamedTuple):
    """What is known of a function: as of a code object."""

    co_filename: str
    co_qualname: str

    @property
    def co_name(self) -> str:
        """The name without those of the classes and functions around it."""
        return self.co_qualname.rpartition(".")[2]


class Frame(NamedTuple):
    """A frame as it was in one look, read like one of Python's own. Of its variables nothing is known."""

    f_code: Code
    f_lineno: int
    f_back: "Frame | None"

    @property
    def f_lasti(self) -> int:
        """The line, for want of something finer."""
        return self.f_lineno


IN_C = Frame(Code(__file__, "what a function in C called"), 0, None)  # the outermost that can be seen; one of ours


class Stacks:
    """Looks at all threads; to be used by one thread at a time. Making it takes some milliseconds."""

    def __init__(self):
        self._unwinder = None if one_at_a_time() else _unwinder()

    def look(self) -> dict[int, Any] | None:
        """The innermost frame of each thread, under its ident; None: missed."""
        if self._unwinder is None:
            return sys._current_frames()
        for _ in range(TRIES):
            try:
                found = self._unwinder.get_stack_trace()
            except MISSED:
                continue
            idents = {thread.native_id: thread.ident for thread in threading.enumerate()}
            threads = [thread for part in found for thread in getattr(part, "threads", [part])]  # 3.15: by interpreter
            return {idents[one.thread_id]: _innermost(one.frame_info) for one in threads if one.thread_id in idents}
        return None


def _unwinder():
    """What reads this process's memory; None where that cannot be done."""
    try:
        from _remote_debugging import RemoteUnwinder  # an inner module, since 3.14: a build may lack it

        unwinder = RemoteUnwinder(os.getpid(), all_threads=True)
        unwinder.get_stack_trace()
    except (ImportError, *MISSED):
        return None
    return unwinder


def _innermost(frames):
    """The first of these frames, each with a way to the one that called it, the last to IN_C."""
    back = IN_C
    for frame in reversed(frames):
        back = Frame(Code(frame.filename, frame.funcname), line_of(frame), back)
    return back


def line_of(frame: Any) -> int:
    """The line of a frame that was read in another process, or in this one as if it were another."""
    if (location := getattr(frame, "location", None)) is not None:  # since 3.15
        line: int = location.lineno
        return line
    return getattr(frame, "lineno", 0)
