"""What a lane can be doing: a `State`, a `Span` of it, and a `Finding` about it."""

from enum import Enum
from typing import NamedTuple, Self


class State(Enum):
    """What a task is doing as far as the CPU is concerned. READY and WAITING are never to be mixed up.

    `meaning`: what that means, in a few words; every legend says these.
    """

    meaning: str

    RUNNING = "running", "has the CPU and uses it"
    READY = "ready", "could go on, has not got the CPU"
    WAITING = "waiting", "needs no CPU"  # but the oven, the network, a timer
    IDLING = "idling", "has the CPU and only waits"
    SWITCHING = "switching", "the cook turns to another"  # on the cook's own lane only

    def __new__(cls, value: str, meaning: str = "") -> Self:
        state = object.__new__(cls)
        state._value_, state.meaning = value, meaning
        return state

    def __repr__(self) -> str:
        return self.name


RUNNING, READY, WAITING, IDLING, SWITCHING = State
LANE_STATES = (RUNNING, READY, WAITING, IDLING)  # those in which a lane can be


class Span(NamedTuple):
    """One stretch of time that `lane` spent in one `state`; `start` and `end` in the Timeline's unit.

    `label` names the step that the span belongs to; for READY that is the step to come. `inferred` marks what was not
    observed itself but concluded from what was.
    """

    lane: str
    state: State
    label: str
    start: float
    end: float
    inferred: bool = False

    @property
    def duration(self) -> float:
        return self.end - self.start


class Finding(NamedTuple):
    """One thing that is amiss with a program, in words.

    `kind`: "blocked", "in a row", "too many", "executor full", "lock held", "polling", "hang", "lost", "left behind",
    "unnoticed", "swallowed" or "never awaited". `file` and `line`: where, "" and 0 when that is not known. `span`: what in
    the picture it is about.
    """

    kind: str
    text: str
    file: str
    line: int
    span: Span | None = None
