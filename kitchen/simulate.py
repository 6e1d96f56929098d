"""The model: three schedulers cook the same dishes on a virtual clock. Instant, exact, no randomness.

There is one cook (the CPU). All dishes are READY at minute 0, in menu order. To start a step, a wait too, a dish needs
the cook, if only for an instant; once started, a wait needs nobody. The schedulers differ in one question only: when
does the cook turn to another dish?

    sync           when this one is finished
    threaded       when the clock rings
    cooperative    when this one begins to wait

Each is a loop over the same few things: `now`, the time, and `steps`, the steps of all dishes in one row with a None
before and behind each dish. A dish is known by the number, in this row, of the step that it needs next. `log` has four
entries for each stretch of time: number of the step, state, from when, until when. Whenever a dish has no such stretch it
is READY, until its last one ends.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from math import fsum, inf, isfinite
from typing import Any

from kitchen import recipe
from kitchen.recipe import WAIT, Dish, Step
from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, Table, Timeline

Log = list[Any]
Waiting = list[tuple[float, float, int]]  # a heap: when it can go on, number of the wait, number of the next step
MOST_TURNS = 10_000_000  # takes ten seconds; and up to there floating point can tell one turn from the next


def sync(dishes: Iterable[Dish]) -> Timeline:
    """A cook with a one-track mind: each dish to its end before the next. While it waits, so does the cook (IDLING)."""
    cook = _Cook(dishes)
    log, now = Log(), 0.0
    for number, step in enumerate(cook.steps):
        if step is None:
            continue  # this dish is finished: on to the next
        now = cook.turn_to(number, now)
        end = now + step.duration
        log += number, IDLING if step.kind == WAIT else RUNNING, now, end
        now = end
        cook.next = number + 1
    return cook.timeline("sync", lambda: log)


def threaded(dishes: Iterable[Dish], quantum: float = 1.0, switch_cost: float = 0.0, parked: bool = False) -> Timeline:
    """A cook with a clock: it rings `quantum` minutes after a turn began, and then it is another dish's turn.

    `parked=False` is the naive clock: all unfinished dishes take turns in menu order, also those that only wait.
    `parked=True` is what operating systems do: who begins to wait gives the rest of the turn away, and gets no other
    before the wait is over. `switch_cost`: minutes that the cook needs to turn to a dish other than the last.
    Raises ValueError for a quantum that is not positive, or so small that it would never end, and for a bad switch_cost.
    """
    cook = _Cook(dishes, switch_cost)
    if not quantum > 0:
        raise ValueError(f"a quantum of {quantum!r} minutes: give more than 0 (math.inf is a clock that never rings)")
    needs_turns = (step.duration for step in cook.steps if step and not (parked and step.kind == WAIT))
    minutes = max(switch_cost, sum(needs_turns))
    if minutes / quantum > MOST_TURNS:
        raise ValueError(f"a quantum of {quantum!r} minutes is too small for {minutes:g} minutes of cooking: give more")
    log = _parked(cook, quantum) if parked else _naive(cook, quantum)
    kind = "clock" if parked else "naive clock"
    return cook.timeline(f"threaded, {kind} of {quantum:g} min", lambda: log)


def _naive(cook: "_Cook", quantum: float) -> Log:
    """Everybody in turn, whether there is anything to do or not: on its turn a waiting dish keeps the cook IDLING."""
    steps, log, now = cook.steps, Log(), 0.0
    left: dict[int, float] = {}  # minutes left of the work that the clock cut short
    over: dict[int, float] = {}  # when the wait will be over that has begun
    since: dict[int, float] = {}  # from when on it has been going on without the cook
    line = deque(cook.first)
    while line:
        number = line.popleft()
        if over.get(number, inf) <= now:  # the wait ended while the cook was elsewhere
            log += number, WAITING, since[number], over[number]
            number += 1
            if steps[number] is None:
                continue  # and with the wait the dish
        now = cook.turn_to(number, now)
        rings = now + quantum
        while step := steps[number]:
            if step.kind == WAIT:
                if number in over:
                    log += number, WAITING, since[number], min(over[number], now)
                state, end = IDLING, over.setdefault(number, now + step.duration)
            else:
                state, end = RUNNING, now + left.pop(number, step.duration)
            if end >= now:  # else the wait was over before the cook had turned to the dish
                stop = min(end, rings)
                log += number, state, now, stop
                now = stop
            if end > rings:
                line.append(number)
                if step.kind == WAIT:
                    since[number] = rings
                else:
                    left[number] = end - rings
                break
            number += 1
        cook.next = number
    return log


def _parked(cook: "_Cook", quantum: float) -> Log:
    """Who is READY longest comes next, and has the cook until the clock rings or a wait begins."""
    steps, log, now = cook.steps, Log(), 0.0
    left: dict[int, float] = {}  # minutes left of the work that the clock cut short
    ready = deque(cook.first)
    waiting, waits = Waiting(), 0
    while ready or waiting:
        if ready:
            number = ready.popleft()
        else:
            now, _, number = heappop(waiting)
        now = cook.turn_to(number, now)
        rings = now + quantum
        while step := steps[number]:
            if step.kind == WAIT:
                end = now + step.duration
                log += number, WAITING, now, end
                number += 1
                if steps[number]:
                    waits += 1
                    heappush(waiting, (end, waits, number))
                break
            end = now + left.pop(number, step.duration)
            stop = min(end, rings)
            log += number, RUNNING, now, stop
            now = stop
            if end > rings:
                left[number] = end - rings
                heappush(waiting, (now, inf, number))  # behind all that become ready at this very moment
                break
            number += 1
        cook.next = number
        while waiting and waiting[0][0] <= now:
            ready.append(heappop(waiting)[2])
    return log


def cooperative(dishes: Iterable[Dish], switch_cost: float = 0.0, limit: int | None = None) -> Timeline:
    """A cook who is handed back control: a dish has the cook until it begins to wait; who is READY longest comes next.

    Dishes that become READY at the same time queue in the order in which their waits began. `switch_cost`: minutes that
    the cook needs to turn to a dish other than the last. `limit`: so many dishes have a place in the kitchen, the others
    are WAITING for one. At the moment a dish is finished its place goes to the next on the menu: that one is READY then,
    and queues behind all others that are READY by then, those whose waits end at that very moment too. A dish without
    steps takes no place. Raises ValueError when switch_cost is negative or not finite, or limit not a whole number above 0.
    """
    cook = _Cook(dishes, switch_cost)
    if limit is not None:
        return _with_places(cook, limit)
    steps, now, last = cook.steps, 0.0, 0.0
    began = array("d", bytes(8 * len(steps)))  # for each step; when it ended follows, since nothing cuts it short
    ready = deque(cook.first)
    waiting, waits = Waiting(), 0
    while ready or waiting:
        if ready:
            number = ready.popleft()
        else:
            now, _, number = heappop(waiting)  # nobody can go on: the cook stands aside until a wait is over
        now = cook.turn_to(number, now)
        while step := steps[number]:
            began[number] = now
            number += 1
            if step.kind == WAIT:
                end = now + step.duration
                if steps[number]:
                    waits += 1
                    heappush(waiting, (end, waits, number))
                elif end > last:
                    last = end  # such a dish is finished when its wait is over, wherever the cook is
                break
            now += step.duration
        cook.next = number
        while waiting and waiting[0][0] <= now:
            ready.append(heappop(waiting)[2])
    return cook.timeline("cooperative", lambda: _uncut(steps, began), makespan=max(now, last))


def _with_places(cook: "_Cook", limit: int) -> Timeline:
    """The same with a semaphore at the door. A free place queues as a dish does, and whoever is next outside takes it."""
    if not isinstance(limit, int) or limit < 1:
        raise ValueError(f"limit={limit!r}: give a whole number, 1 or more, or None for no limit")
    steps, now, last = cook.steps, 0.0, 0.0
    began = array("d", bytes(8 * len(steps)))
    ready, outside = deque(cook.first[:limit]), deque(cook.first[limit:])
    places = {}  # number of the None before a dish that was outside: its wait for a place
    waiting, waits = Waiting(), 0
    while ready or waiting:
        if ready:
            number = ready.popleft()
        else:
            over, _, number = heappop(waiting)
            now = max(now, over)
        while waiting and waiting[0][0] <= now:
            ready.append(heappop(waiting)[2])
        if steps[number] is None:  # not a dish, but the place of one that is finished
            if not outside:
                continue
            free = began[number - 1] + steps[number - 1].duration  # type: ignore[union-attr]  # a dish ends with a step
            number = outside.popleft()
            places[number - 1] = recipe.wait("waiting for a place", free)
        now = cook.turn_to(number, now)
        while step := steps[number]:
            began[number] = now
            number += 1
            end = now + step.duration
            if step.kind == WAIT:
                break
            now = end
        cook.next = number
        last = max(last, end)
        if steps[number]:
            waits += 1
            heappush(waiting, (end, waits, number))
        else:
            heappush(waiting, (end, inf, number))  # its place, behind all that become ready at this very moment
    for number, step in places.items():
        steps[number] = step
    return cook.timeline("cooperative", lambda: _uncut(steps, began), makespan=last)


def _uncut(steps: list[Step | None], began: "array[float]") -> Log:
    """The log of steps of which each went on from when it began until it was done."""
    log = Log()
    for number, step in enumerate(steps):
        if step:
            log += number, WAITING if step.kind == WAIT else RUNNING, began[number], began[number] + step.duration
    return log


def lower_bound(dishes: Iterable[Dish]) -> float:
    """The makespan in minutes that no schedule of one cook can beat: all the work, or the longest dish if that is more.

    Rule: one cook does one thing at a time, and a dish's own steps come one after the other.
    """
    dishes = recipe.menu(dishes)
    all_work = fsum(step.duration for dish in dishes for step in dish.steps if step.kind != WAIT)
    longest = max((fsum(step.duration for step in dish.steps) for dish in dishes), default=0.0)
    return max(all_work, longest)


class _Cook:
    """What she has to cook, whom she can go on with unasked, and how often she turned to somebody else.

    `steps`: as above. `first`: the number of each dish's first step. `next`: the step that would go on with the dish that
    she had last; a scheduler sets it at the end of each turn.
    """

    def __init__(self, dishes: Iterable[Dish], switch_cost: float = 0.0):
        self.dishes = recipe.menu(dishes)
        if not (isfinite(switch_cost) and switch_cost >= 0):
            raise ValueError(f"a switch cost of {switch_cost!r} minutes: give a finite number, 0 or more")
        self.switch_cost = switch_cost
        self.steps: list[Step | None] = [None]
        self.first: list[int] = []
        for dish in self.dishes:
            if dish.steps:
                self.first.append(len(self.steps))
            self.steps += dish.steps
            self.steps.append(None)
        self.next: int | None = None
        self.turns = 0
        self.switching: Log = []

    def turn_to(self, number: int, now: float) -> float:
        """The time at which she can begin with this step; turning to the first dish of all costs nothing."""
        if number == self.next:
            return now
        self.turns += 1
        if self.switch_cost and self.turns > 1:
            self.switching += number, SWITCHING, now, now + self.switch_cost
            now += self.switch_cost
        return now

    def timeline(self, title: str, log: Callable[[], Log], makespan: float | None = None) -> Timeline:
        """The Timeline of a log; `log()` gives it, and is called when somebody looks at the spans."""
        lanes = [dish.name for dish in self.dishes]
        return Timeline(
            lanes,
            lambda: self._table(log()),
            gaps=READY,
            switching=Timeline(lanes, self._table(self.switching)).by_time if self.switching else (),
            switches=max(self.turns - 1, 0),
            makespan=makespan,
            title=title,
        )

    def _table(self, log: Log) -> Table:
        lane_of = [lane for lane, dish in enumerate(self.dishes) for _ in range(len(dish.steps) + 1)]
        numbers, states, starts, ends = (log[column::4] for column in range(4))
        labels = [step.label for number in numbers if (step := self.steps[number])]
        return Table([lane_of[number] for number in numbers], states, labels, starts, ends)
