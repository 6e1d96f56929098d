"""The exercises of notebook 01: the cook with a one-track mind.

An exercise stays in one piece, judge, stub, solution and hints, which makes more than 400 lines.
"""

import inspect
from itertools import pairwise, permutations
from math import isclose
from numbers import Real
from statistics import fmean

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, call
from kitchen.recipe import Dish, menu, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, State, Table, Timeline
from kitchen.timeline.words import short

quiz = quizzes.quiz(__name__)

SETTING = "from kitchen import Dish, State, Step, simulate, wait, work"


# --- 1 ---------------------------------------------------------------------------------------------------------------


@exercise(
    stub="""
        quarter_busy = ...  # a list of two dishes
    """,
    solution="""
        quarter_busy = [
            Dish("soup", [work("chop", 2), wait("simmer", 6)]),
            Dish("rice", [work("rinse", 1), wait("boil", 3)]),
        ]
    """,
    hints=[
        "Utilization under sync is all work divided by all minutes. Choose the work first: 3 minutes, say.",
        "A quarter is in the middle of 20 to 30 %. If 3 minutes of work are a quarter, the whole is 12 minutes, "
        "and 9 of them are waiting.",
        'A dish is written `Dish("soup", [work("chop", 2), wait("simmer", 6)])`. The list needs another one.',
    ],
    setting=SETTING,
)
def quarter_busy(answer):
    """Make a menu of two dishes with which the one-track cook has her hands full for 20 to 30 % of the time."""
    if callable(answer):
        raise Wrong("this is a function: give the list of dishes itself, quarter_busy = [Dish(…), Dish(…)]")
    if isinstance(answer, Dish) or not isinstance(answer, (list, tuple)):
        raise Wrong(f"a menu is a list of dishes, [Dish(…), Dish(…)]; this is a {type(answer).__name__}")
    if odd := [thing for thing in answer if not isinstance(thing, Dish)]:
        raise Wrong(f"{odd[0]!r} is on the menu, but it is not a Dish: make one with Dish(name, [work(…), wait(…)])")
    if len(answer) != 2:
        raise Wrong(f"the number of dishes on the menu is {len(answer)}: it should be 2")
    if answer[0].name == answer[1].name:
        raise Wrong(f"both dishes are called {answer[0].name!r}: give each a name of its own")
    timeline = simulate.sync(answer)
    if not timeline.makespan:
        raise Wrong("this menu takes no time at all, so she cannot be busy for a quarter of it")
    share = f"{short(100 * timeline.utilization)} %"
    figures = f"her hands are full for {short(timeline.busy)} of {short(timeline.makespan)} minutes, which is {share}"
    if timeline.utilization < 0.2 - 1e-9:
        longest = _longest(timeline, IDLING)
        raise Wrong(f"too idle: {figures}, less than 20 %; the marked wait is the longest", timeline, longest)
    if timeline.utilization > 0.3 + 1e-9:
        longest = _longest(timeline, RUNNING)
        raise Wrong(f"too busy: {figures}, more than 30 %; the marked work is the longest", timeline, longest)
    return Right(f"{figures}.", timeline)


def _longest(timeline, state):
    return max((span for span in timeline.spans if span.state is state), key=lambda span: span.duration, default=None)


def _given(answer, dishes):
    """What the reader's function gives for these dishes; of a generator, all of it."""
    if not callable(answer):
        raise Wrong(f"this should be a function, but it is {answer!r}")
    try:
        inspect.signature(answer).bind(dishes)
    except TypeError as error:
        raise Wrong(f"the function must take one argument, the list of dishes: {error}") from None
    except ValueError:
        pass  # a function that is not written in Python does not say what it takes

    def whole():
        given = answer(list(dishes))
        return list(given) if hasattr(given, "__next__") else given

    given = call(whole)
    if given is None:
        raise Wrong("the function returned None: is there a `return`? (list.sort returns None, too.)")
    return given


# --- 2 ---------------------------------------------------------------------------------------------------------------

BREAKFAST = [
    Dish("porridge", [work("stir", 2), wait("simmer", 10), work("serve", 1)]),
    Dish("tea", [work("fill the kettle", 1), wait("boil", 4), work("pour", 1), wait("brew", 3)]),
    Dish("toast", [work("slice", 1), wait("toast", 2), work("butter", 1)]),
]
MENUS = {  # what each is called in a verdict
    "the breakfast": BREAKFAST,
    "a menu of one dish": BREAKFAST[1:2],
    "the breakfast from the last dish to the first": BREAKFAST[::-1],
    "a menu with steps of half a minute": [Dish("egg", [work("crack", 0.5), wait("fry", 2.25)]), *BREAKFAST[2:]],
    "a menu with steps that last no time": [
        Dish("water", [work("pour", 0)]),
        *BREAKFAST[1:],
        Dish("salt", [wait("look for it", 0), work("pass", 0)]),
    ],
    "a menu with a dish that has no steps": [BREAKFAST[0], Dish("nothing", []), BREAKFAST[2]],
    "an empty menu": [],
}


@exercise(
    stub="""
        def finishes(dishes):
            return {}  # the name of each dish: the minute at which it is on the table
    """,
    solution="""
        def finishes(dishes):
            now, done = 0.0, {}
            for dish in dishes:
                now += sum(step.duration for step in dish.steps)
                done[dish.name] = now
            return done
    """,
    hints=[
        "Under sync a dish takes as long as all its steps together, work and waits alike: "
        "`sum(step.duration for step in dish.steps)`.",
        "It begins when the dish before it is finished. Keep a clock, `now`, which runs on from 0 through all dishes.",
        "Begin with `now = 0.0` and an empty dict. For each dish, in menu order, put the clock forward by its length, "
        "and note the time under `dish.name`. After the loop, return the dict.",
    ],
    setting=SETTING,
)
def finishes(answer):
    """Write finishes(dishes): a dict from each dish's name to the minute at which it is on the table under sync."""
    for called, dishes in MENUS.items():
        given = _given(answer, dishes)
        if not isinstance(given, dict):
            raise Wrong(f"this should be a dict from name to minute, but it is a {type(given).__name__}: {given!r}")
        timeline = simulate.sync(dishes)
        _finishes_of(called, dishes, given, timeline)
    return Right(f"the same as the model on {len(MENUS)} menus, even the odd ones.", simulate.sync(BREAKFAST))


def _finishes_of(called, dishes, given, timeline):
    names = [dish.name for dish in dishes]
    if missing := [name for name in names if name not in given]:
        raise Wrong(f"{called}: {missing[0]!r} is on the menu, but not in your dict", timeline)
    if more := [name for name in given if name not in names]:
        raise Wrong(f"{called}: {more[0]!r} is in your dict, but it is not the name of a dish on the menu", timeline)
    for dish in dishes:
        said, is_so = given[dish.name], timeline.finishes[dish.name]
        if not isinstance(said, Real):
            raise Wrong(f"{called}: the time of {dish.name!r} is {said!r}: it should be a number", timeline)
        if not dish.steps:
            continue  # at 0, or when its turn came: there is something to be said for both
        if not isclose(said, is_so, abs_tol=1e-6):
            span = timeline.by_lane[dish.name][-1] if timeline.by_lane[dish.name] else None
            guess = _what_went_wrong(dish, said, is_so)
            text = f"{called}: you say {dish.name} is on the table at {said:g} min, but it is at {is_so:g}{guess}"
            raise Wrong(text, timeline, span)


def _what_went_wrong(dish, said, is_so):
    its_own = _length(dish)
    of_work = _work(dish)
    if isclose(said, is_so - its_own, abs_tol=1e-6):
        return "; at your time she begins it"
    if isclose(said, its_own, abs_tol=1e-6):
        return "; your time is how long it takes by itself, but before that it has to queue for the cook"
    if isclose(said, of_work, abs_tol=1e-6) or said < its_own:
        return f"; its own steps take {its_own:g} minutes, and its waits count as well"
    return ""


# --- 3 ---------------------------------------------------------------------------------------------------------------

ORDERS = {
    "the breakfast": BREAKFAST,
    "a menu in which the dish with the least work takes longest": [
        Dish("roast", [work("into the oven", 1), wait("roast", 40)]),
        Dish("carrots", [work("peel", 8), work("cut", 4)]),
        Dish("rice", [work("rinse", 2), wait("boil", 14), work("serve", 1)]),
        Dish("gravy", [work("stir", 6), wait("thicken", 3)]),
    ],
    "a menu in which the dish with the most steps is the shortest": [
        Dish("bread", [wait("bake", 30)]),
        Dish("dip", [work("peel", 1), work("press", 1), wait("rest", 2), work("stir", 1), work("taste", 0.5)]),
        Dish("soup", [work("chop", 5), wait("simmer", 15)]),
    ],
    "a menu with two dishes that take equally long": [
        Dish("pasta", [work("salt", 1), wait("boil", 9)]),
        Dish("pizza", [wait("bake", 10)]),
        Dish("olives", [work("open", 1)]),
    ],
    "a menu of one dish": BREAKFAST[:1],
    "an empty menu": [],
}


@exercise(
    stub="""
        def least_waiting(dishes):
            return dishes  # in another order
    """,
    solution="""
        def least_waiting(dishes):
            return sorted(dishes, key=lambda dish: sum(step.duration for step in dish.steps))
    """,
    hints=[
        "The first dish makes all the others wait for as long as it takes. Which dish makes them wait least?",
        "How long does a dish keep the cook? Under sync for all its steps, even the waits.",
        "`sorted(dishes, key=length)` gives a new list, ordered by what the function `length` returns for each dish.",
    ],
    setting=SETTING,
)
def least_waiting(answer):
    """Write least_waiting(dishes): the same dishes, in the order in which the guests wait least on average under sync."""
    for called, dishes in ORDERS.items():
        given = _as_dishes(called, dishes, _given(answer, dishes))
        timeline = simulate.sync(given)
        best = min(permutations(dishes), key=lambda order: _mean_finish(simulate.sync(order)))
        mean, least = _mean_finish(timeline), _mean_finish(simulate.sync(best))
        if mean > least + 1e-6:
            long, short_one = next(pair for pair in pairwise(given) if _length(pair[0]) > _length(pair[1]))
            text = (
                f"{called}: your order, {', '.join(dish.name for dish in given)}, makes the guests wait {mean:.1f} minutes "
                f"on average, but in the best order they wait {least:.1f}. {_why_not(given)}: "
                f"{short_one.name} queues behind {long.name}"
            )
            raise Wrong(text, timeline, next(span for span in timeline.cook if span.lane == long.name))
    timeline = simulate.sync(_given(answer, BREAKFAST))
    return Right(
        f"in no other order do the guests wait less, on any of {len(ORDERS)} menus; at the breakfast it is "
        f"{_mean_finish(timeline):.1f} minutes on average.",
        timeline,
    )


def _why_not(given):
    """By what these dishes seem to be ordered, which is not how long they keep the cook."""
    if all(_length(one) >= _length(other) for one, other in pairwise(given)):
        return "You begin with the longest"
    if all(_work(one) <= _work(other) for one, other in pairwise(given)):
        return "You seem to look at the work only, but under sync a wait keeps the cook as well"
    return "A dish must come before every dish that takes longer"


def _as_dishes(called, dishes, given):
    try:
        given = list(given)
    except TypeError:
        raise Wrong(f"this should be a list of dishes, but it is a {type(given).__name__}") from None
    if odd := [thing for thing in given if not isinstance(thing, Dish)]:
        raise Wrong(f"{called}: {odd[0]!r} is in your list, but it is not a dish: return the dishes themselves")
    if lost := [dish.name for dish in dishes if dish not in given]:
        raise Wrong(f"{called}: {lost[0]} was on the menu, but is not in your list: one guest gets nothing")
    if len(given) != len(dishes):
        raise Wrong(f"{called}: there are {len(dishes)} dishes on the menu, and {len(given)} in your list")
    return given


def _length(dish):
    return sum(step.duration for step in dish.steps)


def _work(dish):
    return sum(step.duration for step in dish.steps if step.kind == "work")


def _mean_finish(timeline):
    return fmean(timeline.finishes.values()) if timeline.lanes else 0.0


# --- 4 ---------------------------------------------------------------------------------------------------------------


@exercise(
    stub="""
        def one_track(dishes):
            return []  # of pieces, each of them (dish.name, State.…, start, end)
    """,
    solution="""
        def one_track(dishes):
            pieces, now = [], 0.0
            for dish in dishes:
                pieces.append((dish.name, State.READY, 0.0, now))
                for step in dish.steps:
                    state = State.RUNNING if step.kind == "work" else State.IDLING
                    pieces.append((dish.name, state, now, now + step.duration))
                    now += step.duration
            return pieces
    """,
    hints=[
        "Use two loops, one inside the other: for each dish, for each of its steps. A clock `now` runs through all of it.",
        '`step.kind` is `"work"` or `"wait"`. Work is RUNNING. A wait is IDLING here, since the dish keeps the cook.',
        "Before its first step a dish could go on, but it has not got the cook: it is READY, from 0 to `now`.",
        "For each dish: add the READY piece; then, for each step, add `(dish.name, state, now, now + step.duration)`, "
        "and put the clock forward. Return the list after both loops.",
    ],
    setting=SETTING,
)
def one_track(answer):
    """Write the scheduler: one_track(dishes) gives a list of (name, state, start, end), as simulate.sync would do it."""
    for called, dishes in MENUS.items():
        made, model = _pieces(called, dishes, _given(answer, dishes)), _pieces(called, dishes, simulate.sync(dishes))
        _compared(called, dishes, made, model)
    made = _pieces("the breakfast", BREAKFAST, _given(answer, BREAKFAST))
    return Right(f"the same as the model, piece for piece, on {len(MENUS)} menus.", _timeline(BREAKFAST, made))


def _pieces(called, dishes, given):
    """What was given, as a list of (state, start, end) for each name: in order of time, none empty, neighbours joined."""
    pieces = {dish.name: [] for dish in dishes}
    try:
        given = list(given.spans if isinstance(given, Timeline) else given)
    except TypeError:
        raise Wrong(f"this should be a list of (name, state, start, end), but it is a {type(given).__name__}") from None
    for row in given:
        name, state, start, end = _row(called, row)
        if not isinstance(name, str) or name not in pieces:
            raise Wrong(f"{called}: {row!r} is about {name!r}, but no dish has that name")
        if end < start:
            raise Wrong(f"{called}: {row!r} ends before it begins")
        if end > start:
            pieces[name].append((state, float(start), float(end)))
    for name, rows in pieces.items():
        joined = []
        for state, start, end in sorted(rows, key=lambda row: row[1:]):
            if joined and joined[-1][0] is state and isclose(joined[-1][2], start, abs_tol=1e-9):
                joined[-1] = (state, joined[-1][1], end)
            else:
                joined.append((state, start, end))
        pieces[name] = joined
    return pieces


def _row(called, row):
    if isinstance(row, (tuple, list)) and len(row) in (4, 5, 6):
        name, state, *label, start, end = row[:5] if len(row) > 4 else row  # a Span has a label, too
        if isinstance(state, State) and isinstance(start, Real) and isinstance(end, Real) and len(label) < 2:
            return name, state, start, end
    raise Wrong(
        f"{called}: {row!r} is in your list: make each piece a (name, state, start, end), like ('tea', State.READY, 0, 13)"
    )


def _compared(called, dishes, made, model):
    """Raises Wrong at the first piece, dish by dish, at which the reader's cook and the model's part."""
    yours, ours = _timeline(dishes, made), _timeline(dishes, model)
    for dish in dishes:
        mine, its = made[dish.name], model[dish.name]
        if not dish.steps or (len(mine) == len(its) and all(map(_same, mine, its))):
            continue  # a dish without steps may be READY until its turn, or not be there at all
        number = next(
            (n for n, pair in enumerate(zip(mine, its, strict=False)) if not _same(*pair)), min(len(mine), len(its))
        )
        here, there = mine[number : number + 1], its[number : number + 1]
        if here and here[0][0] is WAITING:
            why = ": no dish is WAITING under sync, since it keeps the cook and she waits with it"
        elif there and there[0][0] is READY and here and here[0][0] is not READY:
            late = here[0][1] > 0
            why = (
                ": before its turn it could go on, so it queues for the cook"
                if late
                else ": she is still at the dish before"
            )
        elif here and there and here[0][0] is RUNNING and (there[0][0] is IDLING or here[0][2] > there[0][2]):
            why = ": a wait is not RUNNING, since she has nothing to do during it"
        else:
            why = ""
        text = f"{called}, {dish.name}: yours is {_said(here)}, the model's is {_said(there)}{why}"
        if here and _tiles(mine):
            raise Wrong(text, yours, _span_at(yours, dish.name, here[0][1]))
        raise Wrong(text, ours, _span_at(ours, dish.name, there[0][1] if there else 0.0))


def _same(one, other):
    return one[0] is other[0] and isclose(one[1], other[1], abs_tol=1e-6) and isclose(one[2], other[2], abs_tol=1e-6)


def _said(piece):
    return f"{piece[0][0].name} from {piece[0][1]:g} to {piece[0][2]:g}" if piece else "over"


def _tiles(rows):
    return all(before[2] <= after[1] + 1e-9 for before, after in pairwise(rows))


def _span_at(timeline, lane, time):
    return next((span for span in timeline.by_lane[lane] if span.start <= time < span.end), None)


def _timeline(dishes, pieces):
    """The picture of these pieces; overlaps on a lane are left out, since no lane can show them."""
    rows = [
        (lane, state, "", start, end)
        for lane, dish in enumerate(menu(dishes))
        for state, start, end in (pieces[dish.name] if _tiles(pieces[dish.name]) else ())
    ]
    columns = zip(*rows, strict=True) if rows else [()] * 5
    return Timeline([dish.name for dish in dishes], Table(*map(list, columns)), title="your cook")
