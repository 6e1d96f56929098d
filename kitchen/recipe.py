"""What is to be cooked: steps, dishes and two ready-made menus. Plain frozen data that no scheduler changes.

A dish is a task, and its steps are of two kinds only: `work` needs the cook's hands (the CPU), `wait` needs nobody
(the oven, the network, a timer). Durations are in kitchen minutes.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Final, Literal

WORK: Final = "work"
WAIT: Final = "wait"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a dish: `duration` minutes of work or of waiting; 0 is allowed.

    Raises ValueError for an unknown kind and for a negative, NaN or infinite duration, TypeError for one that is no number.
    """

    kind: Literal["work", "wait"]
    label: str
    duration: float

    def __post_init__(self) -> None:
        if self.kind not in (WORK, WAIT):
            raise ValueError(f"step {self.label!r} is of kind {self.kind!r}: a step is either 'work' or 'wait'")
        if not isinstance(self.label, str):
            raise TypeError(f"a step's label is a text, not {self.label!r}: write {self.kind}('boil', 3)")
        if not isinstance(self.duration, Real):
            raise TypeError(f"step {self.label!r} lasts {self.duration!r}: give its minutes as a number")
        try:
            object.__setattr__(self, "duration", float(self.duration))
        except OverflowError:
            object.__setattr__(self, "duration", math.inf)
        if not (math.isfinite(self.duration) and self.duration >= 0):
            raise ValueError(f"step {self.label!r} lasts {self.duration!r} minutes: give a finite number, 0 or more")


def work(label: str, duration: float) -> Step:
    """A step that needs the cook for `duration` minutes."""
    return Step(WORK, label, duration)


def wait(label: str, duration: float) -> Step:
    """A step that needs nobody for `duration` minutes: it only has to be started."""
    return Step(WAIT, label, duration)


@dataclass(frozen=True, slots=True)
class Dish:
    """A named sequence of steps, to be done in this order.

    Raises ValueError for an empty name, TypeError for anything in `steps` that is not a `Step`.
    """

    name: str
    steps: tuple[Step, ...]

    if TYPE_CHECKING:  # given as anything with steps in it, kept as a tuple

        def __init__(self, name: str, steps: Iterable[Step]) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"a dish's name is a text, not {self.name!r}")
        if not self.name.strip():
            raise ValueError(f"a dish has the name {self.name!r}: give it one that can be read in a picture")
        if isinstance(self.steps, Step):
            raise TypeError(f"dish {self.name!r} needs a list of steps: Dish({self.name!r}, [{self.steps.label!r} …])")
        object.__setattr__(self, "steps", tuple(self.steps))
        for step in self.steps:
            if not isinstance(step, Step):
                raise TypeError(f"dish {self.name!r} has {step!r} among its steps: make one with work(…) or wait(…)")


def menu(dishes: Iterable[Dish]) -> tuple[Dish, ...]:
    """The dishes as a tuple, checked: every scheduler starts with this.

    Raises ValueError when two dishes have one name (their lanes could not be told apart), TypeError for a non-dish.
    """
    if isinstance(dishes, Dish):
        raise TypeError(f"a menu is a list of dishes: write [Dish({dishes.name!r}, …)], also for a single one")
    dishes = tuple(dishes)
    try:
        names = {dish.name for dish in dishes}
    except AttributeError:
        culprit = next(dish for dish in dishes if not isinstance(dish, Dish))
        raise TypeError(f"{culprit!r} is not a dish: make one with Dish(name, steps)") from None
    if len(names) < len(dishes):
        twice, _ = Counter(dish.name for dish in dishes).most_common(1)[0]
        raise ValueError(f"two dishes on the menu are called {twice!r}: give each a name of its own")
    return dishes


def dinner() -> list[Dish]:
    """Steak, boiled eggs and a salad: the three dishes with which the story begins."""
    return [
        Dish(
            "steak",
            (
                work("season", 2),
                wait("heat the pan", 3),
                work("put in", 1),
                wait("fry", 4),
                work("turn over", 1),
                wait("fry", 4),
                work("serve", 1),
            ),
        ),
        Dish("boiled eggs", (work("fill the pot", 1), wait("boil", 9), work("peel", 3))),
        Dish("salad", (work("wash", 2), wait("drain", 2), work("chop", 4), work("toss", 1))),
    ]


def downloads(n: int, latency: float = 10.0, work: float = 0.1) -> list[Dish]:
    """`n` dishes shaped like fetching a URL: half the work, a wait of `latency`, the other half of the work.

    `work` and `latency` are minutes per download. With `perform`'s default of 10 ms a minute, the default is a server
    that answers in 100 ms and a client that needs 1 ms for each page.
    Raises ValueError when n is negative or no whole number.
    """
    if not isinstance(n, int) or n < 0:
        raise ValueError(f"cannot make {n!r} downloads: give a whole number, 0 or more")
    steps = (Step(WORK, "send", work / 2), Step(WAIT, "wait for the answer", latency), Step(WORK, "read", work / 2))
    digits = len(str(max(n - 1, 0)))
    return [Dish(f"page {i:0{digits}}", steps) for i in range(n)]
