"""The menu: what can be ordered, and what the kitchen says to nonsense."""

import math

import pytest

from kitchen import Dish, Step, dinner, downloads, wait, work
from kitchen.recipe import menu


def test_steps_and_dishes_are_plain_frozen_data():
    step = work("chop", 4)
    assert step == Step("work", "chop", 4)
    assert wait("boil", 9).kind == "wait"
    assert Dish("salad", [step]).steps == (step,)
    with pytest.raises(AttributeError):
        step.duration = 5


@pytest.mark.parametrize("duration", [-1, -1e-9, math.nan, math.inf, -math.inf, 10**400])
@pytest.mark.parametrize("make", [work, wait])
def test_a_duration_that_no_clock_can_show_is_refused_by_name(make, duration):
    with pytest.raises(ValueError, match=r"'chop'.*finite number, 0 or more"):
        make("chop", duration)


@pytest.mark.parametrize("duration", ["3", None, 2j])
def test_a_duration_is_a_number(duration):
    with pytest.raises(TypeError, match="'chop'"):
        work("chop", duration)


def test_a_step_is_work_or_wait():
    with pytest.raises(ValueError, match=r"'dance'.*'work' or 'wait'"):
        Step("dance", "tango", 1)


@pytest.mark.parametrize("name", ["", "  ", "\t"])
def test_a_dish_needs_a_name(name):
    with pytest.raises(ValueError, match="name"):
        Dish(name, [work("chop", 1)])


def test_a_dish_is_made_of_steps():
    with pytest.raises(TypeError, match=r"'salad'.*'chop'"):
        Dish("salad", ["chop"])
    with pytest.raises(TypeError, match="list of steps"):
        Dish("salad", work("chop", 1))


def test_two_dishes_of_one_name_are_refused_by_name():
    with pytest.raises(ValueError, match="'egg'"):
        menu([Dish("ham", []), Dish("egg", []), Dish("egg", [work("peel", 1)])])


@pytest.mark.parametrize("dishes", [["salad"], [Dish("salad", []), None]])
def test_a_menu_is_made_of_dishes(dishes):
    with pytest.raises(TypeError, match="not a dish"):
        menu(dishes)
    with pytest.raises(TypeError, match="list of dishes"):
        menu(Dish("salad", []))


def test_dinner_is_steak_boiled_eggs_and_a_salad_and_mostly_waiting():
    assert [dish.name for dish in dinner()] == ["steak", "boiled eggs", "salad"]
    minutes = {"work": 0, "wait": 0}
    for dish in dinner():
        for step in dish.steps:
            minutes[step.kind] += step.duration
    assert minutes["wait"] > minutes["work"] > 0


def test_downloads_are_shaped_like_fetches():
    pages = downloads(12, latency=5, work=1)
    assert len({page.name for page in pages}) == 12
    assert [step.kind for step in pages[3].steps] == ["work", "wait", "work"]
    assert [step.duration for step in pages[3].steps] == [0.5, 5, 0.5]
    assert downloads(0) == []
    with pytest.raises(ValueError, match="-1"):
        downloads(-1)
    with pytest.raises(ValueError, match="0 or more"):
        downloads(1, latency=-3)
