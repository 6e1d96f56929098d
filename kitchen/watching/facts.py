"""What a diagnosis rests on, as plain records: steps, waits and samples of a program, and what it made known itself."""

from dataclasses import dataclass, field
from types import CodeType
from typing import NamedTuple

from kitchen.timeline import Timeline


class Frame(NamedTuple):
    """One of the reader's own functions that is suspended at an await.

    `number`: which invocation of the function; the same number in one run means the same invocation. `callee`: the code of
    what it awaits, None when that is a future or a task itself. `call`: the same number means that it still awaits the same
    call.
    """

    code: CodeType
    line: int
    number: int
    callee: CodeType | None
    call: int


class Wait(NamedTuple):
    """One wait of a task: from `start` until something woke it at `end`, both in seconds since the run began.

    `kind`: "sleep", "lock", "semaphore", "event", "condition", "barrier", "queue", "task", "tasks", "thread", "socket",
    "process", else the name of the library's function that waits, or "future". `frames`: the reader's, outermost first.
    `outside`: it waits for the world outside of this process, not for a timer, another task or a thread. `on`: the number of
    the connection that it waits for, or of the executor if that has one thread only, where that can be seen.
    """

    lane: int
    start: float
    end: float
    kind: str
    frames: tuple[Frame, ...]
    outside: bool
    on: int | None = None


class Place(NamedTuple):
    """What is waited for, and where: what two waits at the same spot of a program share."""

    kind: str
    label: str
    outside: bool
    spots: tuple[
        tuple[CodeType, int, CodeType | None], ...
    ]  # of the reader's frames: code, line, code of what it awaits


def frames(place: Place, numbers: list[int]) -> tuple[Frame, ...]:
    """The reader's frames of one wait."""
    return tuple(
        Frame(code, line, number, callee, call)
        for (code, line, callee), number, call in zip(place.spots, numbers[::2], numbers[1::2], strict=False)
    )


def connection(place: Place, numbers: list[int]) -> int | None:
    """The number of the connection that is waited for, where that was seen: the last one, behind those of the frames."""
    return numbers[-1] if len(numbers) > 2 * len(place.spots) else None


class TaskStep(NamedTuple):
    """One step of a task: since when it could have gone on, when it began and ended; seconds since the run began.

    `ours`: seconds of it that are not the program's fault: what it cost to watch it.
    """

    lane: int
    ready: float
    start: float
    stop: float
    ours: float = 0.0

    @property
    def held(self) -> float:
        """For how many seconds it held the loop, without what it cost to watch it."""
        return self.stop - self.start - self.ours


# What a thread waits for, where more is known of it: what another one gives, its turn to begin, and an import's end.
RESULT, START, IMPORT = "result of another thread", "start of a thread", "import"


class Sample(NamedTuple):
    """Where a loop's thread stood while a step, or a callback, went on for long.

    `file` is "" where none of the reader's functions runs; `function` is then what the loop called, "" for a task. `cpu`:
    CPU seconds of that thread so far, and `all` those of the whole process; None: not known. `waits`: what it waited for, in
    Python's own functions; "": nothing that is known. `ready`: how many callbacks queued. `beside`: file, line and function
    of the thread that used the CPU most since the last look. `queued`: for how many seconds, so far, other programs have
    kept the thread from the CPU. `came`: through how many connections something has come that the loop has not looked at.
    `is_tasks`: it is, or may be, a task's step; else the loop called something that is no task's.
    """

    time: float
    file: str
    line: int
    function: str
    cpu: float | None
    all: float | None = None
    waits: str = ""
    ready: int = 0
    beside: tuple[str, int, str] | None = None
    queued: float | None = None
    came: int = 0
    is_tasks: bool = True


class Poll(NamedTuple):
    """A task that gave way very often, and did next to nothing in between: from `start` to `end`, in `busy` seconds.

    `code` and `line`: where it gave way, None and 0 when that is not known.
    """

    lane: int
    steps: int
    busy: float
    start: float
    end: float
    code: CodeType | None
    line: int


class Note(NamedTuple):
    """What the program itself made known; `text` says of what.

    "lost", "left behind", "unnoticed", "swallowed" (`time`: when it was asked to cancel), "asked again" (the same, and
    then it was asked again), "never awaited" or "never begun".
    """

    kind: str
    lane: int | None
    time: float
    file: str
    line: int
    text: str


class Queued(NamedTuple):
    """From `start` to `end` a job queued for a thread of the loop's executor; `file` and `line`: where it was handed over,
    None and 0 where a library, or a task of asyncio's own, did that.
    """

    start: float
    end: float
    file: str | None
    line: int


class Standing(NamedTuple):
    """Where a task stood, waiting, when one was interrupted at `time`.

    `wants`: the id of the lock that it waits for; `has`: those that it holds; `task`: the task that it waits for, if it is
    one (a lane's number, once it is in the facts). `is_inside`: only this program could wake it. `is_pipe_full`: it waits
    for a process that cannot go on writing. `is_alone`: nothing was left then that could have woken any task.
    `went_on`: somebody has woken it all the same, without asking it to end.
    """

    lane: int
    file: str
    line: int
    kind: str
    time: float
    wants: int | None
    has: frozenset[int]
    task: int | None
    is_inside: bool
    is_pipe_full: bool
    is_alone: bool
    went_on: bool = False


@dataclass
class Facts:
    """What a diagnosis rests on. `tasks`: the numbers of the lanes that are tasks. `at_once`: see `watch`.

    `serving`: the numbers of those tasks that a connection's callback made: as many as others have asked for.

    `queued`, `standing`: see Queued, Standing.
    `collections`: from when to when garbage was collected, which nobody can do anything beside.
    `unlooked`: from when to when nobody could look at the threads, though it was time for that, and the CPU time used then.
    `alone`: the block was ended from outside while nothing was left that could have woken a task.
    """

    timeline: Timeline
    tasks: set[int] = field(default_factory=set)
    steps: list[TaskStep] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    at_once: int = 100
    polls: list[Poll] = field(default_factory=list)
    queued: list[Queued] = field(default_factory=list)
    standing: list[Standing] = field(default_factory=list)
    alone: bool = False
    serving: set[int] = field(default_factory=set)
    collections: list[tuple[float, float]] = field(default_factory=list)
    unlooked: list[tuple[float, float, float]] = field(default_factory=list)
