"""The model against SimPy, the usual tool for such a thing, on the same menu.

CPU time, since nobody waits here for anything but a CPU.
"""

import math

import pytest
import simpy
from helpers.measure import Ratio, cpu, held, in_turn

from kitchen import Dish, dinner, downloads, simulate, wait, work
from kitchen.recipe import WORK

TURNS = 7


def mixed_menu(n):
    """Dishes of which no two neighbours are alike; the work of all lasts about as long as the longest dish waits."""
    return [
        Dish(
            f"dish {i}",
            [
                work("begin", 0.01 + i % 7 / 100),
                wait("oven", (i * 7919) % n / n * 400),
                work("turn", 0.01 + i % 5 / 100),
                wait("rest", (i * 104729) % n / n * 400),
                work("serve", 0.01 + i % 3 / 100),
            ],
        )
        for i in range(n)
    ]


def mixed_downloads(n):
    """The same dishes without a second wait: shaped like fetching a URL."""
    return [Dish(dish.name, (*dish.steps[:2], dish.steps[4])) for dish in mixed_menu(n)]


def in_simpy(dishes):
    """The same kitchen in SimPy, as its documentation would have it: a process per dish, and the cook as a resource."""
    kitchen = simpy.Environment()
    cook = simpy.Resource(kitchen, capacity=1)

    def cooking(dish):
        turn = None
        for step in dish.steps:
            if turn is None:
                turn = cook.request()
                yield turn
            if step.kind != WORK:  # a wait has to be started by the cook, and then needs nobody
                cook.release(turn)
                turn = None
            yield kitchen.timeout(step.duration)
        if turn is not None:
            cook.release(turn)

    for dish in dishes:
        kitchen.process(cooking(dish))
    kitchen.run()
    return kitchen.now


def dinners(n):
    """The dinner of the story, again and again."""
    return [Dish(f"{dish.name} {i}", dish.steps) for i in range(-(-n // 3)) for dish in dinner()][:n]


# The series' own menus are held to a tenth. The mixed ones keep thousands of waits of different lengths in the air at once,
# so that both programs spend most of their time in the same heapq: they are there to be honest.
@pytest.mark.parametrize(
    ("menu", "bar"),
    [(downloads, 0.1), (dinners, 0.1), (mixed_downloads, 0.5), (mixed_menu, 0.5)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_model_agrees_with_simpy_and_takes_a_tenth_of_its_time(menu, bar, report):
    dishes = menu(10_000)
    timeline = simulate.cooperative(dishes)
    assert math.isclose(timeline.makespan, in_simpy(dishes), rel_tol=1e-9)
    assert timeline.makespan < simulate.sync(dishes).makespan  # the waits overlap
    model, spans, other = in_turn(
        TURNS,
        lambda: cpu(lambda: simulate.cooperative(dishes).makespan),
        lambda: cpu(lambda: simulate.cooperative(dishes).spans),
        lambda: cpu(lambda: in_simpy(dishes)),
    )
    per_dish = {"unit": "us/dish", "scale": 1e6 / len(dishes)}
    held(
        report,
        f"the model: 10,000 {menu.__name__}",
        Ratio("simulate.cooperative / SimPy", model, other, bar=bar, bound=2 * bar, **per_dish),
        Ratio("… with every Span made / SimPy", spans, other, bar=1.0, bound=2.0, **per_dish),
    )


def test_a_dish_costs_about_the_same_on_a_long_menu_as_on_a_short_one(report):
    short, long = downloads(1_000), downloads(50_000)

    def cook_short():
        for _ in range(50):  # as many dishes
            simulate.cooperative(short)

    many, one = in_turn(TURNS, lambda: cpu(cook_short), lambda: cpu(lambda: simulate.cooperative(long)))
    costs = Ratio("one menu of 50,000 / fifty of 1,000", one, many, bar=1.5, bound=3.0)
    held(report, "the model: 50,000 dishes", costs)
