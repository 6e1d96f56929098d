"""A task's coroutine with a clock around it, and tracebacks in which neither is seen."""

from collections.abc import Collection, Coroutine, Generator
from typing import Any, TypeVar

from kitchen.watching.whose import is_ours

Thing = TypeVar("Thing")


class Traced(Coroutine):
    """A task's coroutine with a clock around it. For whoever asks, it is the coroutine.

    The clock is a generator, whose own `send` stands here as an attribute: no function of Python's comes between. What is
    seldom asked for is made then: each object that a task keeps alive is one more for the garbage collector to look at.
    """

    __slots__ = ("__weakref__", "_clock", "_coroutine", "lane", "send")

    def __init__(self, coroutine: Any, clock: Generator, lane: Any):
        next(clock)
        self._coroutine, self._clock, self.lane = coroutine, clock, lane
        self.send = clock.send

    def release(self) -> None:
        """The clock is taken away."""
        self.send, self._clock = self._coroutine.send, None

    @property
    def throw(self) -> Any:
        """The clock's own, or the coroutine's when that was taken away."""
        return (self._clock or self._coroutine).throw

    @property
    def close(self) -> Any:
        """The coroutine's own."""
        return self._coroutine.close

    @property
    def __class__(self):
        return type(self._coroutine)

    def __eq__(self, other):
        return bare(self) is bare(other)

    def __hash__(self):
        return hash(bare(self))

    def __await__(self):
        """A task factory of the program's may put a coroutine of its own around this one, which then awaits it."""
        return self._coroutine.__await__() if self._clock is None else self._clock

    def __getattr__(self, name):
        return getattr(self._coroutine, name)

    def __repr__(self):
        return repr(self._coroutine)


def bare(coroutine: Any) -> Any:
    """The program's own coroutine, without the clock of another watch."""
    while type(coroutine) is Traced:
        coroutine = coroutine._coroutine
    return coroutine


def without_this(error: BaseException) -> BaseException:
    """An exception whose traceback begins in the caller, with that taken out."""
    error.__traceback__ = error.__traceback__.tb_next
    return error


def without_us(error: BaseException) -> BaseException:
    """An exception of the program's, or about its mistake, whose traceback does not begin with functions of ours."""
    frame = error.__traceback__
    while frame is not None and is_ours(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    error.__traceback__ = frame
    return error


def unseen(thing: Thing, but_for: Collection[str] = ()) -> Thing:
    """The same, without functions of ours in what it keeps, in debug mode, of where it was made.

    `but_for`: files that do not stand at the end of it either.
    """
    made = getattr(thing, "_source_traceback", None)
    if made:
        made[:] = [frame for frame in made if not is_ours(frame.filename)]
        while made and made[-1].filename in but_for:
            del made[-1]
    return thing
