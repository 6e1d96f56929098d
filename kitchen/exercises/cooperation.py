"""The exercises of notebook 03: menus for and against the loop, a dish that steps aside, a scheduler with foresight.

An exercise stays in one piece, judge, stub, solution and hints, which makes more than 400 lines.
"""

import random
from itertools import islice
from math import isclose

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.game import Shift, best
from kitchen.lesson.running import Wrong, call
from kitchen.recipe import WAIT, Dish, dinner, wait, work
from kitchen.timeline import READY, WAITING
from kitchen.timeline.words import short

quiz = quizzes.quiz(__name__)

MOST_DISHES, MOST_MINUTES = 100, 2000  # of a reader's menu: enough, and the picture stays a picture
SETTING = "from kitchen import Dish, dinner, simulate, wait, work"


def _menu(answer):
    """The menu that the reader's function returns, and what the loop makes of it."""
    menu = call(answer)
    if menu is None:
        raise Wrong("your function returned nothing: let it end with `return [Dish(…), …]`")
    try:
        dishes = list(islice(menu, MOST_DISHES + 1))
        minutes = sum(step.duration for dish in dishes for step in dish.steps)
        if len(dishes) > MOST_DISHES or minutes > MOST_MINUTES:
            raise Wrong(
                f"more than {MOST_DISHES} dishes, or {MOST_MINUTES} minutes: make a menu that one can take in at a glance"
            )
        return dishes, simulate.cooperative(dishes)
    except (AttributeError, TypeError, ValueError) as error:
        raise Wrong(f"this is not a menu ({error}): return a list of dishes, each with a name of its own") from None


def _longest_ready(timeline, lanes):
    """The longest READY span of these lanes; None when there is none."""
    spans = [span for lane in lanes for span in timeline.by_lane[lane] if span.state is READY]
    return max(spans, key=lambda span: span.duration, default=None)


# --- 1. the cook is busy all the time --------------------------------------------------------------------------------


@exercise(
    setting=SETTING,
    stub='''
        def busy_menu():
            """A list of three dishes or more, each with a wait of at least 5 minutes, that never leaves the cook idle."""
            ...
    ''',
    solution="""
        def busy_menu():
            return [Dish(name, [work("stir", 5), wait("simmer", 5), work("serve", 5)]) for name in ("soup", "stew", "jam")]
    """,
    hints=[
        "While one dish waits, the others must give the cook something to do. How much work must they "
        "have before the first wait is over?",
        "And at the end? A dish that ends with a wait leaves the cook with nothing to do. Let the work come last.",
        "Three dishes of `work` 5, `wait` 5, `work` 5: from minute 5 to 10, when the first waits, the second is at work.",
    ],
)
def busy_menu(answer):
    """Return three dishes or more, each with a wait of at least 5 minutes, that keep the cook busy 100 % of the time."""
    dishes, timeline = _menu(answer)
    if len(dishes) < 3:
        raise Wrong(f"{len(dishes)} on the menu: it should be three or more dishes", timeline if dishes else None)
    for dish in dishes:
        longest = max((step.duration for step in dish.steps if step.kind == WAIT), default=0.0)
        if longest < 5:
            raise Wrong(
                f"{dish.name} waits for {short(longest) if longest else 0} minutes at most: give each dish one wait "
                "of 5 or more. A menu of nothing but work is too easy",
                timeline,
            )
    idle = timeline.makespan - timeline.busy
    if not isclose(timeline.busy, timeline.makespan, abs_tol=1e-9):
        when = 0.0
        for span in timeline.cook:
            if span.start > when + 1e-9:
                waiting = next(other for other in timeline.spans if other.start <= when < other.end)
                raise Wrong(
                    f"the cook has nothing to do for {short(idle)} of {short(timeline.makespan)} minutes, for the first "
                    f"time from minute {short(when)} to {short(span.start)}: nobody is READY then, because all wait",
                    timeline,
                    waiting,
                )
            when = max(when, span.end)
        last = max(timeline.spans, key=lambda span: span.end)
        raise Wrong(
            f"{last.lane} ends with a wait until minute {short(last.end)}, and the cook has been idle since {short(when)}: "
            "end with work",
            timeline,
            last,
        )
    return Right(
        f"busy for all of {short(timeline.makespan)} minutes, although each dish waits. Nobody can be faster",
        timeline,
    )


# --- 2. a menu on which the loop is not the best ---------------------------------------------------------------------


@exercise(
    setting=SETTING,
    stub='''
        def unlucky_menu():
            """A list of two to four dishes that can be cooked faster than the loop does it."""
            ...
    ''',
    solution="""
        def unlucky_menu():
            return [
                Dish("salad", [work("chop", 5)]),
                Dish("roast", [work("put in", 1), wait("roast", 20)]),
            ]
    """,
    hints=[
        "The loop takes the dish that has been READY longest, and at the beginning the first on the menu. When is "
        "that a bad choice?",
        "It is bad when a dish further back has a long wait that could have begun meanwhile.",
        "Put a dish that is all work before a dish with a moment of work and a long wait.",
    ],
)
def unlucky_menu(answer):
    """Return two to four dishes for which some other order is faster than the loop's."""
    dishes, timeline = _menu(answer)
    if not 2 <= len(dishes) <= 4:
        raise Wrong(f"{len(dishes)} on the menu: it should be two, three or four dishes", timeline if dishes else None)
    found = best(dishes)
    if found is None:
        raise Wrong("there are too many orders to try them all: a few steps in each dish are enough", timeline)
    gain = timeline.makespan - found.timeline.makespan
    if gain > 1e-9:
        order = ", ".join(f"{span.lane} ({span.label})" for span in found.timeline.cook[:4])
        text = f"the loop takes {short(timeline.makespan)} minutes, and {short(found.timeline.makespan)} are enough"
        return Right(f"{text}. The fastest order begins with {order}", found.timeline)
    if not any(step.kind == WAIT for dish in dishes for step in dish.steps):
        raise Wrong("nothing on your menu waits, so it is all work, and every order takes equally long", timeline)
    if timeline.makespan <= simulate.lower_bound(dishes) + 1e-9:
        text = "the loop reaches the lower bound with your menu"
        raise Wrong(f"{text}, {short(timeline.makespan)} minutes: nobody can be faster than that", timeline)
    queued = _longest_ready(timeline, timeline.lanes)
    where = (
        f" {queued.lane} queues longest, until minute {short(queued.end)}: what if it had to begin a long wait?"
        if queued
        else ""
    )
    raise Wrong(
        f"all orders were tried, and none is faster than the loop's {short(timeline.makespan)} minutes.{where}",
        timeline,
        queued,
    )


# --- 3. a dish that steps aside --------------------------------------------------------------------------------------


@exercise(
    setting=SETTING,
    stub='''
        def polite(dish):
            """The same dish, in a version that keeps the cook for 1 minute at a time at most."""
            ...
    ''',
    solution="""
        def polite(dish):
            steps = []
            for step in dish.steps:
                left = step.duration
                while step.kind == "work" and left > 1:
                    steps += [work(step.label, 1), wait("let others", 0)]
                    left -= 1
                if step.kind == "work":
                    steps += [work(step.label, left), wait("let others", 0)]
                else:
                    steps.append(step)
            return Dish(dish.name, steps)
    """,
    hints=[
        "A dish is frozen: make a new one, `Dish(dish.name, steps)`, from a list of steps. "
        '`wait("let others", 0)` hands the cook back.',
        "Cut a work step that is longer than 1 minute into pieces of 1 minute and a rest. Leave the waits as they are.",
        "Two work steps in a row keep the cook for both. The simplest remedy: a wait of 0 between any two pieces of work.",
    ],
)
def polite(answer):
    """Return a version of the dish, with the same work and waits, that never keeps the cook for longer than 1 minute."""
    kneaded = Dish("dough", [work("knead", 10), wait("rise", 4)])
    courses = [work("whip", 3), wait("cool", 2), work("fill", 0.5), work("roll", 2.25), work("dust", 0.75)]
    for dish in [kneaded, *dinner(), Dish("cake", courses)]:
        made = call(answer, dish)
        if made is None:
            raise Wrong("your function returned nothing: let it end with `return Dish(dish.name, steps)`")
        if not isinstance(made, Dish):
            raise Wrong(
                f"your function returned a {type(made).__name__}: it should be a dish, `Dish(dish.name, steps)`"
            )
        if made.name != dish.name:
            raise Wrong(f"{dish.name} came back as {made.name!r}: keep its name")
        if len(made.steps) > MOST_MINUTES:
            raise Wrong(f"{dish.name} has {len(made.steps)} steps in your version: pieces of 1 minute are small enough")
        _same_cooking(dish, made)
        _never_long(made)
    shown = _beside_tea(call(answer, kneaded), 0.5)
    queued = _longest_ready(shown, ["tea"])
    minutes = short(queued.duration) if queued else 0
    return Right(
        f"no turn is longer than 1 minute. A tea beside the dough queues for {minutes} now, not for 9.5", shown
    )


def _beside_tea(dish, minute):
    """The dish beside a tea that needs the cook at that minute."""
    timeline = simulate.cooperative([Dish("tea", [wait("brew", minute), work("pour", 1)]), dish])
    timeline.title = f"{dish.name}, in your version, beside a tea"
    return timeline


def _same_cooking(dish, made):
    """Nothing is left out, added, or done in another order."""
    wanted, got, timeline = _merged(dish), _merged(made), _beside_tea(made, 0.5)
    for place, (kind, label, minutes) in enumerate(wanted):
        if place >= len(got):
            raise Wrong(f"{dish.name} lost its step {label!r}: all its work and waits must still be there", timeline)
        other = got[place]
        _no_pauses(wanted, got, place, timeline)
        if other[:2] != (kind, label):
            if other[:2] in _named(wanted[place:]) and (kind, label) not in _named(got[place:]):
                text = f"{dish.name}: {label!r} is missing in your version: it is {kind} of {short(minutes)} min"
                raise Wrong(f"{text}: all work and all waits must still be there", timeline)
            text = f"where {dish.name} had {kind} {label!r}, your version has {other[0]} {other[1]!r}"
            raise Wrong(f"{text}: keep the steps, with their labels, in their order", timeline)
        if not isclose(other[2], minutes, abs_tol=1e-6):
            text = f"{dish.name}: {label!r} took {short(minutes)} minutes, but takes {short(other[2])} in your version"
            raise Wrong(f"{text}. Stepping aside neither shortens nor lengthens the work", timeline)
    if len(got) > len(wanted):
        _, label, minutes = got[len(wanted)]
        raise Wrong(
            f"{dish.name} has {label!r} of {short(minutes)} minutes more than before: only waits of 0 may be added",
            timeline,
        )


def _no_pauses(wanted, got, place, timeline):
    """Raises Wrong when, at this place, a wait was added that lasts."""
    pause, between, after = got[place], got[place + 1 : place + 2], got[place + 2 : place + 3]
    if pause[0] == WAIT and pause[:2] not in _named(wanted):
        where = f"after {got[place - 1][1]!r}" if place else "at the beginning"
    elif (
        between and between[0][0] == WAIT and between != wanted[place + 1 : place + 2] and _named(after) == [pause[:2]]
    ):
        where, (pause,) = f"between two pieces of {pause[1]!r}", between
    else:
        return
    text = f"{where} your version waits for {short(pause[2])} min: the pause must be a wait of 0"
    waits = (span for span in timeline.by_lane[timeline.lanes[1]] if span.state is WAITING and span.label == pause[1])
    raise Wrong(text, timeline, next(waits, None))


def _named(steps):
    """Kinds and labels of merged steps."""
    return [step[:2] for step in steps]


def _merged(dish):
    """Kind, label and minutes of the steps: without what lasts no time, and with the pieces of one step put together."""
    merged = []
    for step in dish.steps:
        if step.duration > 0:
            if merged and merged[-1][:2] == (step.kind, step.label):
                merged[-1] = (step.kind, step.label, merged[-1][2] + step.duration)
            else:
                merged.append((step.kind, step.label, step.duration))
    return merged


def _never_long(dish):
    """No turn is longer than 1 minute."""
    shift = Shift([dish])
    while not shift.over:
        if not shift.ready:
            shift.rest()
            continue
        start = shift.now
        shift.serve(dish.name)
        if shift.now - start > 1 + 1e-6:
            held = f"{short(shift.now - start)} minutes, from minute {short(start) if start else 0} on"
            text = f"{dish.name} keeps the cook for {held}"
            timeline = _beside_tea(dish, start + 0.1)
            raise Wrong(
                f"{text}. A tea that is READY has to queue meanwhile: hand the cook back after 1",
                timeline,
                _longest_ready(timeline, ["tea"]),
            )


# --- 4. a scheduler with foresight -----------------------------------------------------------------------------------

LONGEST_QUEUE = 20  # minutes


def _menus():
    """Breakfast, the dinner both ways round, a market day, and a day on which short things are many and long ones few."""
    breakfast = [
        Dish("toast", [work("slice", 1), wait("toast", 3), work("butter", 1)]),
        Dish("coffee", [work("grind", 2), wait("drip", 4), work("pour", 1)]),
        Dish("egg", [work("fill the pot", 1), wait("boil", 5), work("peel", 2)]),
    ]
    seeded = random.Random(3)
    market = [
        Dish(
            f"stall {number}",
            [
                step
                for _ in range(2)
                for step in (work("cut", seeded.randint(1, 4)), wait("cook", seeded.randint(1, 12)))
            ],
        )
        for number in range(5)
    ]
    stirring = [Dish(f"sauce {number}", [work("stir", 1), wait("simmer", 1)] * 25) for number in range(2)]
    return {
        "breakfast": breakfast,
        "the dinner": dinner(),
        "the dinner, last dish first": dinner()[::-1],
        "a market day": market,
        "two sauces and a salad": [*stirring, Dish("salad", [work("toss", 1)])],
    }


@exercise(
    setting=SETTING,
    stub='''
        def pick(ready, left, queued):
            """The name of the dish that the cook serves next."""
            ...
    ''',
    solution="""
        def pick(ready, left, queued):
            if queued[ready[0]] > 10:
                return ready[0]
            return max(ready, key=lambda name: left[name])
    """,
    hints=[
        "Which dish decides when dinner is over? The one that still has the most to come. `max(ready, key=…)` finds it.",
        "With that alone, a short dish may never get its turn while long ones keep coming back. `queued[name]` tells you "
        "in time.",
        "`ready[0]` has been READY longest: if it has queued for more than 10 minutes, take it, whatever is left.",
    ],
)
def pick(answer):
    """Return the dish to serve next: fewer minutes than the loop on five menus in all, and nobody READY for over 20."""
    yours, loops, slowest = 0.0, 0.0, (0.0, None)
    for title, dishes in _menus().items():
        timeline = _played(answer, dishes, title)
        queued = _longest_ready(timeline, timeline.lanes)
        if queued.duration > LONGEST_QUEUE:
            text = f"{title}: {queued.lane} is READY for {short(queued.duration)} minutes without a turn"
            raise Wrong(
                f"{text}. It starves: make sure that no dish queues for more than {LONGEST_QUEUE}", timeline, queued
            )
        loop = simulate.cooperative(dishes).makespan
        yours, loops = yours + timeline.makespan, loops + loop
        slowest = max(slowest, (timeline.makespan - loop, timeline), key=lambda pair: pair[0])
    figures = f"{short(yours)} minutes on all menus; the loop takes {short(loops)}"
    if yours < loops - 1e-9:
        return Right(f"{figures}, and nobody starved", _played(answer, _menus()["breakfast"], "breakfast"))
    if slowest[1] is None:
        raise Wrong(
            f"{figures}: as fast as the loop everywhere. You know what is `left`, and the loop does not: use that"
        )
    timeline = slowest[1]
    last = max(timeline.spans, key=lambda span: span.end)
    worst = f"The worst menu is {timeline.title}, {short(slowest[0])} minutes slower: {last.lane} comes last"
    raise Wrong(f"{figures}. {worst}. Could it have begun earlier?", timeline, last)


def _played(answer, dishes, title):
    """A shift in which the reader's rule chooses."""
    shift, total = Shift(dishes), {dish.name: sum(step.duration for step in dish.steps) for dish in dishes}

    def play():
        while not shift.over:
            if not shift.ready:
                shift.rest()
                continue
            timeline = shift.timeline
            done = {
                name: sum(s.duration for s in spans if s.state is not READY) for name, spans in timeline.by_lane.items()
            }
            queued = {
                name: next((s.duration for s in timeline.by_lane[name][-1:] if s.state is READY), 0.0)
                for name in shift.ready
            }
            left = {name: total[name] - done[name] for name in shift.ready}
            name = answer(list(shift.ready), left, queued)
            if name is None:
                raise Wrong("your function returned nothing: let it end with `return` and the name of a dish", timeline)
            if name not in shift.ready:
                text = f"your function returned {name!r}, but {', '.join(shift.ready)} were READY"
                raise Wrong(f"{text}: return one of these names", timeline)
            shift.serve(name)

    call(play)
    timeline = shift.timeline
    timeline.title = title
    return timeline
