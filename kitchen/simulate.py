"""The model: three schedulers cook the same dishes on a virtual clock. Instant, exact, no randomness.

There is one cook (the CPU). All dishes are READY at minute 0, in menu order. To start a step, a wait too, a dish needs
the cook, if only for an instant; once started, a wait needs nobody. The schedulers differ in one question only: when
does the cook turn to another dish?

    sync           when this one is finished
    threaded       when the clock rings
    cooperative    when this one begins to wait

Each is a loop over the same few things: `now`, the time; `menu[dish]`, the steps of a dish; `at[dish]`, how many of
them are behind it; and `log`, five entries a row: dish, state, label, from when, until when. Whenever a dish has no row
it is READY, until its last row ends.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf, isfinite

from kitchen import recipe
from kitchen.recipe import WAIT, Dish
from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, Span, Table, Timeline

MOST_TURNS = 10_000_000  # takes ten seconds; and up to there floating point can tell one turn from the next


def sync(dishes: Iterable[Dish]) -> Timeline:
    """A cook with a one-track mind: each dish to its end before the next. While it waits, so does the cook (IDLING)."""
    dishes, menu, log, cook = _open_kitchen(dishes)
    now = 0.0
    for dish, steps in enumerate(menu):
        for step in steps:
            now = cook.turn_to(dish, step, now)
            end = now + step.duration
            log += dish, IDLING if step.kind == WAIT else RUNNING, step.label, now, end
            now = end
    return _timeline("sync", dishes, log, cook)


def threaded(dishes: Iterable[Dish], quantum: float = 1.0, switch_cost: float = 0.0, parked: bool = False) -> Timeline:
    """A cook with a clock: it rings `quantum` minutes after a turn began, and then it is another dish's turn.

    `parked=False` is the naive clock: all unfinished dishes take turns in menu order, also those that only wait.
    `parked=True` is what operating systems do: who begins to wait gives the rest of the turn away, and gets no other
    before the wait is over. `switch_cost`: minutes that the cook needs to turn to a dish other than the last.
    Raises ValueError for a quantum that is not positive, or so small that it would never end, and for a bad switch_cost.
    """
    dishes = recipe.menu(dishes)
    _check_cost(switch_cost)
    if not quantum > 0:
        raise ValueError(f"a quantum of {quantum!r} minutes: give more than 0 (math.inf is a clock that never rings)")
    needs_turns = (step for dish in dishes for step in dish.steps if not (parked and step.kind == WAIT))
    minutes = max(switch_cost, sum(step.duration for step in needs_turns))
    if minutes / quantum > MOST_TURNS:
        raise ValueError(f"a quantum of {quantum!r} minutes is too small for {minutes:g} minutes of cooking: give more")
    return _parked(dishes, quantum, switch_cost) if parked else _naive(dishes, quantum, switch_cost)


def _naive(dishes, quantum, switch_cost):
    """Everybody in turn, whether there is anything to do or not: on its turn a waiting dish keeps the cook IDLING."""
    dishes, menu, log, cook = _open_kitchen(dishes, switch_cost)
    at = [0] * len(menu)
    left = {}  # minutes left of the work that the clock cut short
    over = {}  # when the wait will be over that a dish is in
    since = {}  # from when on it has waited without the cook
    line = deque(dish for dish, steps in enumerate(menu) if steps)
    now = 0.0
    while line:
        dish = line.popleft()
        if over.get(dish, inf) <= now:  # the wait ended while the cook was elsewhere
            log += dish, WAITING, menu[dish][at[dish]].label, since[dish], over.pop(dish)
            at[dish] += 1
        steps = menu[dish][at[dish] :]
        if not steps:
            continue  # and with the wait the dish
        now = cook.turn_to(dish, steps[0], now)
        rings = now + quantum
        for step in steps:
            if step.kind == WAIT:
                if dish in over:
                    log += dish, WAITING, step.label, since[dish], min(over[dish], now)
                state, end = IDLING, over.setdefault(dish, now + step.duration)
            else:
                state, end = RUNNING, now + left.pop(dish, step.duration)
            if end >= now:  # else the wait was over before the cook had turned to the dish
                stop = min(end, rings)
                log += dish, state, step.label, now, stop
                now = stop
            if end > rings:
                line.append(dish)
                if step.kind == WAIT:
                    since[dish] = rings
                else:
                    left[dish] = end - rings
                break
            over.pop(dish, None)
            at[dish] += 1
    return _timeline(f"threaded, naive clock of {quantum:g} min", dishes, log, cook)


def _parked(dishes, quantum, switch_cost):
    """Who is READY longest comes next, and has the cook until the clock rings or a wait begins."""
    dishes, menu, log, cook = _open_kitchen(dishes, switch_cost)
    at = [0] * len(menu)
    left = {}  # minutes left of the work that the clock cut short
    ready = deque(dish for dish, steps in enumerate(menu) if steps)
    waiting = []  # a heap: when the dish is ready again, number of the wait, dish
    now, waits = 0.0, 0
    while ready or waiting:
        if not ready:
            now = max(now, waiting[0][0])
        while waiting and waiting[0][0] <= now:
            ready.append(heappop(waiting)[2])
        dish = ready.popleft()
        steps = menu[dish][at[dish] :]
        now = cook.turn_to(dish, steps[0], now)
        rings = now + quantum
        for step in steps:
            if step.kind == WAIT:
                at[dish] += 1
                over, waits = now + step.duration, waits + 1
                log += dish, WAITING, step.label, now, over
                if at[dish] < len(menu[dish]):
                    heappush(waiting, (over, waits, dish))
                break
            end = now + left.pop(dish, step.duration)
            stop = min(end, rings)
            log += dish, RUNNING, step.label, now, stop
            now = stop
            if end > rings:
                left[dish] = end - rings
                heappush(waiting, (now, inf, dish))  # behind all that become ready at this very moment
                break
            at[dish] += 1
    return _timeline(f"threaded, clock of {quantum:g} min", dishes, log, cook)


def cooperative(dishes: Iterable[Dish], switch_cost: float = 0.0) -> Timeline:
    """A cook who is handed back control: a dish has the cook until it begins to wait; who is READY longest comes next.

    Dishes that become READY at the same time queue in the order in which their waits began. `switch_cost`: minutes that
    the cook needs to turn to a dish other than the last. Raises ValueError when that is negative or not finite.
    """
    _check_cost(switch_cost)
    dishes, menu, log, cook = _open_kitchen(dishes, switch_cost)
    at = [0] * len(menu)
    ready = deque(dish for dish, steps in enumerate(menu) if steps)
    waiting = []  # a heap: when the wait is over, number of the wait, dish
    now, waits = 0.0, 0
    while ready or waiting:
        if not ready:
            now = max(now, waiting[0][0])  # nobody can go on: the cook stands aside
        while waiting and waiting[0][0] <= now:
            ready.append(heappop(waiting)[2])
        dish = ready.popleft()
        steps = menu[dish][at[dish] :]
        now = cook.turn_to(dish, steps[0], now)
        for step in steps:
            at[dish] += 1
            if step.kind == WAIT:
                over, waits = now + step.duration, waits + 1
                log += dish, WAITING, step.label, now, over
                if at[dish] < len(menu[dish]):
                    heappush(waiting, (over, waits, dish))
                break
            end = now + step.duration
            log += dish, RUNNING, step.label, now, end
            now = end
    return _timeline("cooperative", dishes, log, cook)


def lower_bound(dishes: Iterable[Dish]) -> float:
    """The makespan in minutes that no schedule of one cook can beat: all the work, or the longest dish if that is more.

    Rule: one cook does one thing at a time, and a dish's own steps come one after the other.
    """
    dishes = recipe.menu(dishes)
    all_work = sum(step.duration for dish in dishes for step in dish.steps if step.kind != WAIT)
    longest = max((sum(step.duration for step in dish.steps) for dish in dishes), default=0.0)
    return float(max(all_work, longest))


class _Cook:
    """Whom the cook served last, how often she turned to somebody, and when she was busy with the turning itself."""

    def __init__(self, cost):
        self.cost = cost
        self.last = None
        self.turns = 0
        self.switching = []

    def turn_to(self, dish, step, now):
        """The time at which she can begin with this step; turning to the first dish of all costs nothing."""
        if dish == self.last:
            return now
        ready = now + self.cost if self.turns else now
        if ready > now:
            self.switching.append((dish, step.label, now, ready))
        self.turns += 1
        self.last = dish
        return ready


def _check_cost(switch_cost):
    if not (isfinite(switch_cost) and switch_cost >= 0):
        raise ValueError(f"a switch cost of {switch_cost!r} minutes: give a finite number, 0 or more")


def _open_kitchen(dishes, switch_cost=0.0):
    dishes = recipe.menu(dishes)
    return dishes, [dish.steps for dish in dishes], [], _Cook(switch_cost)


def _timeline(title, dishes, log, cook):
    lanes = [dish.name for dish in dishes]
    switching = [Span(lanes[dish], SWITCHING, *rest) for dish, *rest in cook.switching]
    table = Table(*(log[column::5] for column in range(5)))
    switches = max(cook.turns - 1, 0)
    return Timeline(lanes, table, gaps=READY, switching=switching, switches=switches, title=title)
