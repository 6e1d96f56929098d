"""The exercises of notebook 02: what a clock wastes, how fast it should ring, whose turn it is, and a clock of one's own."""

from collections import Counter
from itertools import islice, pairwise
from math import isclose, isfinite

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, call
from kitchen.recipe import WAIT, WORK, Dish, dinner, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, Table, Timeline
from kitchen.timeline.words import short

quiz = quizzes.quiz(__name__)

MOST_DISHES, MOST_MINUTES, MOST_TURNS = 100, 2000, 1000  # of a reader: enough, and the picture stays a picture

# --- 1. a menu on which the naive clock is at its worst --------------------------------------------------------------


@exercise(
    setting="from kitchen import Dish, wait, work",
    stub='''
        def wasteful_menu():
            """A list of dishes for which the naive clock takes at least twice as long as the one that parks."""
            ...
    ''',
    solution="""
        def wasteful_menu():
            return [Dish(f"tea {number}", [work("pour", 0.1), wait("brew", 2), work("serve", 0.1)]) for number in range(10)]
    """,
    hints=[
        "The naive clock loses time wherever a dish has the cook and only waits. When is somebody else READY meanwhile, "
        "so that this minute hurts?",
        "Many dishes make a long round. A dish that needs the cook only for a moment, and then waits, wastes the rest of "
        "its turn, in every round.",
        "Make ten dishes with `work` of 0.1, `wait` of 2, and `work` of 0.1 again.",
    ],
)
def wasteful_menu(answer):
    """Return a menu for which the naive clock of 1 minute takes at least twice as long as the clock that parks."""
    menu = call(answer)
    if menu is None:
        raise Wrong("your function returned nothing: let it end with `return [Dish(…), …]`")
    try:
        dishes = list(islice(menu, MOST_DISHES + 1))
        minutes = sum(step.duration for dish in dishes for step in dish.steps)
        if len(dishes) <= MOST_DISHES and minutes <= MOST_MINUTES:
            naive, parked = simulate.threaded(dishes, 1), simulate.threaded(dishes, 1, parked=True)
    except (AttributeError, TypeError, ValueError) as error:
        raise Wrong(f"this is not a menu ({error}): return a list of dishes, each with a name of its own") from None
    if len(dishes) > MOST_DISHES:
        raise Wrong(f"there are more than {MOST_DISHES} dishes: make a menu that one can take in at a glance")
    if minutes > MOST_MINUTES:
        text = f"cooked one after the other, your dishes take {minutes:g} minutes"
        raise Wrong(f"{text}: {MOST_MINUTES} are enough for a menu that one can take in at a glance")
    waits = [step for dish in dishes for step in dish.steps if step.kind == WAIT]
    if not naive.makespan:
        raise Wrong("there is nothing to cook on your menu, so the two clocks are equally fast")
    if not waits:
        raise Wrong(
            "nothing on your menu waits, so the two clocks do exactly the same: give the dishes a `wait`", naive
        )
    if len(dishes) == 1:
        raise Wrong("there is only one dish: no other could use the minutes in which the cook stares at it", naive)
    ratio = naive.makespan / parked.makespan
    if ratio < 2:
        figures = f"{short(naive.makespan)} against {short(parked.makespan)} min is {ratio:.2f} times as long"
        decides, timeline, span = _decides(dishes, naive, parked)
        raise Wrong(f"{figures}; it should be 2: {decides}", timeline, span)
    return Right(f"{short(naive.makespan)} against {short(parked.makespan)} min is {ratio:.1f} times as long", naive)


def _decides(dishes, naive, parked):
    """Why the two clocks are not further apart, in words; the Timeline that shows it, and in it the span to look at."""
    stared = max((span for span in naive.spans if span.state is IDLING), key=lambda span: span.duration, default=None)
    if stared is None:
        return "she never stares at a dish", naive, None
    worked = sum(step.duration for dish in dishes for step in dish.steps if step.kind == WORK)
    waits = {
        dish.name: [step.duration for step in dish.steps if step.kind == WAIT and step.duration] for dish in dishes
    }
    slowest = max(waits, key=lambda name: sum(waits[name]))
    waited = sum(waits[slowest])
    if waited < 1.5 * worked:
        text = f"she works for {short(worked)} min with either clock. The less a dish has to do before it waits"
        return f"{text}, the more of its turn the naive clock wastes", naive, stared
    alone = "wait alone is" if len(waits[slowest]) == 1 else f"waits of {slowest} alone are"
    text = f"the clock that parks takes {short(parked.makespan)} min, because the {alone} {short(waited)}"
    span = max((s for s in parked.by_lane[slowest] if s.state is WAITING), key=lambda span: span.duration)
    return f"{text}: let the work of all be about as long as the longest wait, in many short pieces", parked, span


# --- 2. how fast the clock should ring -------------------------------------------------------------------------------

QUANTA = [half / 2 for half in range(1, 13)]
KITCHENS = [
    ("the dinner, turning is free", dinner(), 0.0),
    ("the dinner, turning costs half a minute", dinner(), 0.5),
    (
        "a big stew before three teas, turning is free",
        [
            Dish("stew", [work("stir", 12)]),
            *(Dish(f"tea {n}", [work("pour", 1.5), wait("brew", 14), work("serve", 1)]) for n in range(3)),
        ],
        0.0,
    ),
]


@exercise(
    setting="from kitchen import simulate",
    stub='''
        def best_quantum(dishes, switch_cost):
            """The best of the quanta 0.5, 1, 1.5 and so on up to 6 minutes, for the clock that parks."""
            ...
    ''',
    solution="""
        def best_quantum(dishes, switch_cost):
            def served(quantum):
                return simulate.threaded(dishes, quantum, switch_cost, parked=True).makespan

            return min([half / 2 for half in range(1, 13)], key=served)
    """,
    hints=[
        "You need no theory: the model is instant. Try them all.",
        "`simulate.threaded(dishes, quantum, switch_cost, parked=True).makespan` is when the last dish is served.",
        "`min(quanta, key=…)` returns the one for which the key is smallest. Return the quantum, not the minutes.",
    ],
)
def best_quantum(answer):
    """Return the quantum, of 0.5, 1, 1.5 … 6 minutes, with which the last dish of this menu is served earliest."""
    for name, dishes, cost in KITCHENS:
        quantum = call(answer, dishes, cost)
        if quantum is None:
            raise Wrong("your function returned nothing: let it end with `return` and the quantum")
        if isinstance(quantum, bool) or not isinstance(quantum, (int, float)):
            raise Wrong(f"a quantum is a number of minutes, but you returned {quantum!r}")
        if not (quantum >= QUANTA[0]):
            raise Wrong(f"a quantum of {quantum:g} minutes is not one of 0.5, 1, 1.5 … 6")
        mine = simulate.threaded(dishes, quantum, cost, parked=True)
        served = {q: simulate.threaded(dishes, q, cost, parked=True).makespan for q in QUANTA}
        best = min(served.values())
        if mine.makespan > best + 1e-9:
            said = f"{name}: with {quantum:g} min the last dish is served at {short(mine.makespan)}"
            blamed, span = _blamed(mine)
            if quantum % 1 == 0 and mine.makespan <= min(served[q] for q in QUANTA if q % 1 == 0) + 1e-9:
                blamed = "No whole number is better: try the halves between them, too"
            elif all(call(answer, menu, cost) == _best_without_parking(menu, cost) for _, menu, cost in KITCHENS):
                blamed = "Right if turning were free, or the clock did not park: give `switch_cost` and `parked=True`"
            raise Wrong(f"{said}, but {short(best)} is possible. {blamed}", mine, span)
    return Right(f"nothing is earlier, on all {len(KITCHENS)} menus", mine)


def _best_without_parking(dishes, cost):
    return min(QUANTA, key=lambda quantum: simulate.threaded(dishes, quantum, cost).makespan)


def _blamed(timeline):
    """What costs most in this Timeline, turning or queueing, in words; and the span to look at."""
    turning = sum(span.duration for span in timeline.cook if span.state is SWITCHING)
    queued = max((span for span in timeline.spans if span.state is READY), key=lambda span: span.duration)
    if turning > timeline.busy / 2:
        return f"Turning alone takes {short(turning)} min: the clock rings too often", queued
    return f"Look at {queued.lane}, which queues for {short(queued.duration)} min at a stretch", queued


# --- 3. whose turn it is ---------------------------------------------------------------------------------------------

MENUS = [
    [
        Dish("0 steak", [work("season", 2), wait("fry", 4), work("serve", 3)]),
        Dish("1 eggs", [work("fill", 1), wait("boil", 5), work("peel", 3)]),
        Dish("2 salad", [work("chop", 9)]),
        Dish("3 bread", [work("slice", 2), wait("toast", 2), work("butter", 4)]),
    ],
    [Dish("0 stew", [work("stir", 4)]), Dish("1 soup", [work("stir", 3)]), Dish("2 toast", [work("butter", 2)])],
]


@exercise(
    stub='''
        def whose_turn(ready, last):
            """The number of the dish that gets the next turn: one of `ready`, which is sorted."""
            ...
    ''',
    solution="""
        def whose_turn(ready, last):
            for dish in ready:
                if dish > last:
                    return dish
            return ready[0]
    """,
    hints=[
        "Think of the dishes in a ring. The one after `last` comes next; after the last one comes 0 again.",
        "`last` may not be in `ready`: it may wait, or be done. So do not look for its place there; compare numbers.",
        "Take the first dish in `ready` whose number is greater than `last`; if there is none, take the first of all.",
    ],
)
def whose_turn(answer):
    """Return the dish of `ready` that gets the next turn, so that while a dish is READY no other has two turns."""
    timelines = [call(_cook, answer, dishes) for dishes in MENUS]
    return Right(f"in {len(MENUS)} kitchens no dish had two turns while another was READY", timelines[0])


def _cook(whose_turn, dishes):
    """A clock of 1 minute that asks `whose_turn`, and parks whoever waits. Returns its Timeline; raises Wrong."""
    minutes = [
        [step for step in dish.steps for _ in range(int(step.duration) if step.kind == WORK else 1)] for dish in dishes
    ]
    due = [0.0] * len(dishes)  # since when, or from when on, each can go on
    passed = [Counter() for _ in dishes]  # for each that is READY: who had how many turns since
    rows, now, last = [], 0.0, -1
    while any(minutes):
        ready = [dish for dish in range(len(dishes)) if minutes[dish] and due[dish] <= now]
        if not ready:
            now = min(due[dish] for dish in range(len(dishes)) if minutes[dish])
            continue
        last = _allowed(whose_turn(list(ready), last), ready, minutes, due, now, lambda: _drawn(dishes, rows))
        for dish in ready:
            passed[dish][last] += dish != last
        rows.append((last, RUNNING, minutes[last].pop(0).label, now, now + 1))
        if (over := next((dish for dish in ready if passed[dish][last] > 1), None)) is not None:
            raise _unfair(dishes, rows, over, last)
        passed[last].clear()
        now += 1
        due[last] = now
        if minutes[last] and minutes[last][0].kind == WAIT:
            step = minutes[last].pop(0)
            due[last] = now + step.duration
            rows.append((last, WAITING, step.label, now, due[last]))
    return _drawn(dishes, rows)


def _drawn(dishes, rows):
    """The Timeline so far; a dish between its rows is READY."""
    table = Table(*zip(*rows, strict=True)) if rows else Table((), (), (), (), ())
    return Timeline([dish.name for dish in dishes], table, gaps=READY, title="your clock of 1 min")


def _allowed(dish, ready, minutes, due, now, timeline):
    """`dish`, if it is READY; else Wrong, which says what it is instead."""
    at = f"at minute {now:g}, with {ready} READY,"
    if dish is None:
        raise Wrong(f"{at} your function returned nothing: let it end with `return` and a number")
    if isinstance(dish, bool) or not isinstance(dish, int) or not 0 <= dish < len(minutes):
        raise Wrong(f"{at} you returned {dish!r}: return the number of one of those that are READY")
    if dish in ready:
        return dish
    made = timeline()
    spans = made.by_lane[made.lanes[dish]]
    if not minutes[dish]:
        raise Wrong(f"{at} you gave the cook to dish {dish}, which is done", made, spans[-1])
    raise Wrong(f"{at} you gave the cook to dish {dish}, which is WAITING until {due[dish]:g}", made, spans[-1])


def _unfair(dishes, rows, over, last):
    """What is said when dish `last` had two turns while `over` was READY all the while."""
    timeline = _drawn(dishes, rows)
    times = [start for lane, state, _, start, _ in rows if lane == last and state is RUNNING][-2:]
    span = next(span for span in reversed(timeline.by_lane[timeline.lanes[last]]) if span.state is RUNNING)
    if times[1] - times[0] == 1:
        text = f"dish {last} had two turns in a row, at minutes {times[0]:g} and {times[1]:g}"
    else:
        text = f"dish {over} was passed over: dish {last} had a turn at minute {times[0]:g} and again at {times[1]:g}"
    return Wrong(f"{text}, while dish {over} was READY", timeline, span)


# --- 4. a clock of one's own -----------------------------------------------------------------------------------------

JOBS = [
    ({"stew": 6, "soup": 3, "toast": 1}, 1, 0.0),
    ({"stew": 6, "soup": 3, "toast": 1}, 2, 0.0),
    ({"stew": 5, "soup": 2.5}, 1.5, 0.5),
    ({"a": 2, "b": 2, "c": 2, "d": 7}, 2, 0.25),
]


@exercise(
    stub='''
        def clock(minutes, quantum, switch_cost):
            """The turns that the dishes get: a list of (name, start, end), in order of time."""
            ...
    ''',
    solution="""
        def clock(minutes, quantum, switch_cost):
            line = list(minutes.items())
            turns, now, last = [], 0, None
            while line:
                name, left = line.pop(0)
                if last not in (None, name):
                    now += switch_cost
                end = now + min(left, quantum)
                turns.append((name, now, end))
                if left > quantum:
                    line.append((name, left - quantum))
                now, last = end, name
            return turns
    """,
    hints=[
        "Keep three things: the time `now`, the dish that had the last turn, and the line of dishes that are not done, "
        "each with the minutes that it still needs.",
        "A turn: take the first of the line; its turn lasts `quantum`, or what it still needs if that is less; if it is not "
        "done, it goes to the back of the line.",
        "Before a turn add `switch_cost` to `now`, unless this is the first turn of all or the same dish goes on.",
    ],
)
def clock(answer):
    """Write the scheduler with a clock; its turns are compared with those of `simulate.threaded`."""
    for minutes, quantum, cost in JOBS:
        given = call(answer, dict(minutes), quantum, cost)
        case = f"{minutes} with a quantum of {quantum} and a switch cost of {cost:g}"
        turns = _merged(_checked(given, minutes, case))
        model = simulate.threaded([Dish(name, [work("work", n)]) for name, n in minutes.items()], quantum, cost)
        held = _merged((span.lane, span.start, span.end) for span in model.cook if span.state is RUNNING)
        _same(turns, held, minutes, quantum, cost, case)
    return Right(f"the same turns as the model's, in all {len(JOBS)} kitchens", _timeline(minutes, turns))


def _checked(given, minutes, case):
    """The turns as a list of (name, start, end), or Wrong."""
    if given is None:
        raise Wrong("your function returned nothing: let it end with `return turns`")
    try:
        turns = [(name, float(start), float(end)) for name, start, end in islice(given, MOST_TURNS)]
        fits = all(name in minutes and isfinite(start) and start < end < float("inf") for name, start, end in turns)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise Wrong(
            f"return a list of turns (name, start, end), each with start before end; for {case} you returned {given!r}"
        )
    return turns


def _merged(turns):
    """The turns, with those in which the same dish goes on at once made one."""
    merged = []
    for name, start, end in turns:
        if merged and merged[-1][0] == name and isclose(merged[-1][2], start, abs_tol=1e-6):
            merged[-1] = (name, merged[-1][1], end)
        else:
            merged.append((name, start, end))
    return merged


def _same(turns, model, minutes, quantum, cost, case):
    """Raises Wrong, with the first thing that is off, unless these are the model's turns."""
    for before, after in pairwise(turns):
        if after[1] < before[2] - 1e-6:
            raise Wrong(
                f"{case}: {after[0]} gets the cook at {after[1]:g}, but {before[0]} has her until {before[2]:g}"
            )
    timeline = _timeline(minutes, turns)
    if not turns:
        raise Wrong(f"{case}: nobody got a turn")
    if turns[0][1] > 1e-6:
        raise Wrong(f"{case}: the first turn begins at {turns[0][1]:g}, but nothing comes before it", timeline)
    for number, ((name, start, end), (name2, start2, end2)) in enumerate(zip(turns, model, strict=False), start=1):
        span = next(span for span in timeline.by_lane[name] if span.state is RUNNING and span.end >= end - 1e-6)
        if name == name2 and isclose(start, start2, abs_tol=1e-6) and end > end2 + 1e-6:
            raise Wrong(f"{case}: the turn of {name} goes on until {end:g}, but should end at {end2:g}", timeline, span)
        if name == name2 and not isclose(start, start2, abs_tol=1e-6):
            text = f"{case}: the turn of {name} begins at {start:g}, not at {start2:g}: a switch costs {cost:g} min"
            raise Wrong(text, timeline, span)
        if name == name2 and end < end2 - 1e-6 and turns[number:] and turns[number][0] == name:
            text = f"{case}: from {end:g} to {turns[number][1]:g} nobody has the cook, and then {name} goes on"
            raise Wrong(f"{text}: a switch costs time only when she turns to another dish", timeline, span)
        if name != name2 or not isclose(end, end2, abs_tol=1e-6):
            yours, its = f"{name} from {start:g} to {end:g}", f"{name2} from {start2:g} to {end2:g}"
            raise Wrong(f"{case}: you have {yours}, the model has {its}", timeline, span)
    for name, needed in minutes.items():
        had = sum(end - start for turn, start, end in turns if turn == name)
        if not isclose(had, needed, abs_tol=1e-6):
            raise Wrong(f"{case}: {name} had the cook for {had:g} of its {needed:g} minutes", timeline)


def _timeline(minutes, turns):
    lanes = list(minutes)
    rows = sorted((lanes.index(name), start, end) for name, start, end in turns)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    many = len(rows)
    table = Table(columns[0], [RUNNING] * many, ["work"] * many, columns[1], columns[2])
    return Timeline(lanes, table, gaps=READY, title="your clock")
