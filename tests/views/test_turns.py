"""The picture of the turns: who gets the cook, when she goes back to the scheduler, and why."""

import warnings
from math import inf

import pytest

from kitchen import Dish, Timeline, dinner, simulate, wait, work
from kitchen.timeline import READY, RUNNING, WAITING, Table
from kitchen.views.turns import Turn, turns

TOAST = [Dish("toast", [work("slice", 2), wait("toast", 2), work("butter", 1)]), Dish("tea", [work("pour", 3)])]


def reasons(picture):
    return [(turn.lane, turn.start, turn.end, turn.why) for turn in picture.turns]


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts if text.get_text()]


def test_a_clock_that_rings_a_dish_that_begins_to_wait_and_one_that_is_done():
    assert reasons(turns(simulate.threaded(TOAST, 1, parked=True))) == [
        ("toast", 0, 1, "the clock rang"),
        ("tea", 1, 2, "the clock rang"),
        ("toast", 2, 3, "begins to wait"),
        ("tea", 3, 5, "done"),
        ("toast", 5, 6, "done"),
    ]


def test_the_naive_clock_takes_no_note_of_waits():
    picture = turns(simulate.threaded(TOAST, 1))
    assert reasons(picture)[2] == ("toast", 2, 3, "the clock rang")  # and its work ends at that very moment
    assert {why for _, _, _, why in reasons(picture)} == {"the clock rang", "done"}


def test_without_a_clock_who_is_ready_after_a_turn_has_stepped_aside():
    dishes = [Dish("a", [work("x", 1), wait("not at all", 0), work("y", 1)]), Dish("b", [work("z", 1)])]
    picture = turns(simulate.cooperative(dishes), scheduler="the event loop", clock=False)
    assert [why for _, _, _, why in reasons(picture)] == ["steps aside", "done", "done"]
    assert "a has the cook; back to the event loop: steps aside" in str(picture)


def test_in_a_measured_run_a_dish_is_switched_out_and_one_cut_off_has_its_outcome():
    rows = [
        (0, RUNNING, "x", 0.0, 1.0),
        (0, READY, "x", 1.0, 2.0),
        (0, RUNNING, "x", 2.0, 3.0),
        (1, WAITING, "y", 0.0, 3.0),
    ]
    table = Table(*zip(*rows, strict=True), inferred=[False, True, False, False])
    picture = turns(Timeline(["a", "b"], table, unit="s", outcomes={"a": "ValueError"}))
    assert picture.turns == (Turn("a", 0.0, 1.0, "switched out"), Turn("a", 2.0, 3.0, "ValueError"))


@pytest.mark.parametrize("scheduler", [simulate.sync, simulate.threaded, simulate.cooperative])
def test_the_turns_are_all_the_time_that_the_cook_gave_to_dishes(scheduler):
    timeline = scheduler(dinner())
    shown = turns(timeline).turns
    assert sum(turn.end - turn.start for turn in shown) == sum(span.duration for span in timeline.cook)
    assert len(shown) >= timeline.switches + 1
    assert [turn.start for turn in shown] == sorted(turn.start for turn in shown)
    assert [turn.why for turn in shown].count("done") <= len(timeline.lanes)


def test_until_leaves_out_the_turns_that_begin_later_and_the_ends_that_are_not_seen():
    picture = turns(simulate.threaded(dinner(), 2), until=5)
    assert [turn.start for turn in picture.turns] == [0, 2, 4]
    assert texts(picture).count("the clock rang") == 2


def test_the_reasons_the_steps_and_the_names_can_be_read_in_the_picture():
    picture = turns(simulate.threaded(TOAST, 1, parked=True))
    assert texts(picture).count("begins to wait") == 1
    assert "slice" in texts(picture)
    named = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert named == ["the scheduler", "toast", "tea"]


def test_where_it_is_nobodys_turn_the_schedulers_lane_says_so():
    assert "nobody's\nturn" in texts(
        turns(simulate.cooperative([Dish("a", [work("x", 1), wait("w", 2), work("y", 1)])]))
    )


def test_in_a_notebook_it_is_a_picture_with_the_same_in_words():
    bundle = turns(simulate.threaded(TOAST, 1), until=2)._repr_mimebundle_()
    assert bundle["text/plain"].splitlines() == [
        "  1. 0 to 1 min: toast has the cook; back to the scheduler: the clock rang",
        "  2. 1 to 2 min: tea has the cook; back to the scheduler: the clock rang",
    ]
    assert 'alt="the scheduler, turn by turn: ' in bundle["text/html"]
    assert "<li>1 to 2 min: tea has the cook" in bundle["text/html"]
    assert bundle["image/png"][:6] == "iVBORw"


@pytest.mark.parametrize("name", ["$x^{", "<b>&", "two\nlines", "\x07", "long " * 40])
def test_hostile_names_are_drawn_as_text(name):
    bundle = turns(simulate.threaded([Dish(name, [work(name, 1)])]), scheduler=name)._repr_mimebundle_()
    assert "<b>&<" not in bundle["text/html"]


@pytest.mark.parametrize("dishes", [[], [Dish("nothing", [])], TOAST[:1]])
def test_a_small_menu_or_none_warns_of_nothing(dishes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for quantum in (1, inf):
            turns(simulate.threaded(dishes, quantum, parked=True)).png()


def test_too_many_lanes_are_refused():
    with pytest.raises(ValueError, match="13 lanes"):
        turns(simulate.sync([Dish(str(n), [work("x", 1)]) for n in range(13)]))


def test_too_many_turns_are_refused_until_one_says_until_when():
    many = simulate.threaded(dinner(), quantum=0.05)
    with pytest.raises(ValueError, match="turns are too many"):
        turns(many)
    assert turns(many, until=2).turns
