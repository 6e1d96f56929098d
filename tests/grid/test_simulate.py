"""The model is exact: span for span, minute for minute, no tolerance."""

import math

import pytest

from kitchen import Dish, dinner, downloads, simulate, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING


def rows(timeline, lane):
    """The spans of a lane as tuples that read like a sentence."""
    return [(span.state, span.label, span.start, span.end) for span in timeline.by_lane[lane]]


def held(timeline):
    """The cook's lane: whom she holds, in which state, from when to when."""
    return [(span.lane, span.state, span.start, span.end) for span in timeline.cook]


TEA = Dish("tea", [work("fill", 1), wait("boil", 3), work("pour", 1)])
TOAST = Dish("toast", [work("slice", 2), wait("toast", 2), work("butter", 1)])


def test_sync_cooks_one_dish_to_its_end_before_the_next():
    timeline = simulate.sync([TEA, TOAST])
    assert rows(timeline, "tea") == [
        (RUNNING, "fill", 0, 1),
        (IDLING, "boil", 1, 4),
        (RUNNING, "pour", 4, 5),
    ]
    assert rows(timeline, "toast") == [
        (READY, "slice", 0, 5),
        (RUNNING, "slice", 5, 7),
        (IDLING, "toast", 7, 9),
        (RUNNING, "butter", 9, 10),
    ]
    assert held(timeline) == [
        ("tea", RUNNING, 0, 1),
        ("tea", IDLING, 1, 4),
        ("tea", RUNNING, 4, 5),
        ("toast", RUNNING, 5, 7),
        ("toast", IDLING, 7, 9),
        ("toast", RUNNING, 9, 10),
    ]
    assert (timeline.makespan, timeline.busy, timeline.utilization, timeline.switches) == (10, 5, 0.5, 1)


def test_cooperative_turns_where_waiting_begins():
    timeline = simulate.cooperative([TEA, TOAST])
    assert rows(timeline, "tea") == [
        (RUNNING, "fill", 0, 1),
        (WAITING, "boil", 1, 4),
        (RUNNING, "pour", 4, 5),
    ]
    assert rows(timeline, "toast") == [
        (READY, "slice", 0, 1),
        (RUNNING, "slice", 1, 3),
        (WAITING, "toast", 3, 5),
        (RUNNING, "butter", 5, 6),
    ]
    assert held(timeline) == [
        ("tea", RUNNING, 0, 1),
        ("toast", RUNNING, 1, 3),
        ("tea", RUNNING, 4, 5),
        ("toast", RUNNING, 5, 6),
    ]
    assert (timeline.makespan, timeline.busy, timeline.switches) == (6, 5, 3)


def test_cooperative_serves_who_has_been_ready_longest():
    slow = Dish("slow", [wait("w", 1), work("late", 2)])
    fast = Dish("fast", [wait("w", 0.5), work("early", 1)])
    long = Dish("long", [work("knead", 5)])
    timeline = simulate.cooperative([slow, fast, long])
    assert [lane for lane, *_ in held(timeline)] == ["long", "fast", "slow"]
    assert rows(timeline, "slow") == [(WAITING, "w", 0, 1), (READY, "late", 1, 6), (RUNNING, "late", 6, 8)]


def test_dishes_ready_at_the_same_time_queue_in_the_order_in_which_their_waits_began():
    first = Dish("first", [work("a", 1), wait("w", 4), work("b", 1)])  # waits from 1 to 5
    second = Dish("second", [work("a", 1), wait("w", 3), work("b", 1)])  # waits from 2 to 5
    timeline = simulate.cooperative([second, first])  # menu order is the other way round
    assert rows(timeline, "second")[1] == (WAITING, "w", 1, 4)
    timeline = simulate.cooperative([first, second, Dish("busy", [work("knead", 6)])])
    assert [lane for lane, *_ in held(timeline)] == ["first", "second", "busy", "first", "second"]
    swapped = [Dish("late", [work("a", 1), work("x", 1), wait("w", 2), work("b", 1)]), Dish("early", [])]
    assert simulate.cooperative(swapped).makespan == 5


def test_a_wait_of_nothing_gives_the_cook_away_to_all_that_are_ready_by_then():
    polite = Dish("polite", [work("a", 1), wait("after you", 0), work("b", 1)])
    other = Dish("other", [work("c", 1)])
    third = Dish("third", [wait("w", 1), work("d", 1)])  # ready again at 1
    timeline = simulate.cooperative([third, polite, other])
    assert [lane for lane, *_ in held(timeline)] == ["polite", "other", "third", "polite"]
    assert rows(timeline, "polite") == [(RUNNING, "a", 0, 1), (READY, "b", 1, 3), (RUNNING, "b", 3, 4)]


def test_consecutive_work_runs_on_and_equal_neighbours_are_one_span():
    dish = Dish("dough", [work("knead", 1), work("knead", 2), work("shape", 1)])
    timeline = simulate.threaded([dish], quantum=0.5)
    assert rows(timeline, "dough") == [(RUNNING, "knead", 0, 3), (RUNNING, "shape", 3, 4)]
    assert timeline.switches == 0


def test_switch_costs_are_paid_for_another_dish_and_never_before_the_first():
    timeline = simulate.cooperative([TEA, TOAST], switch_cost=0.5)
    assert held(timeline) == [
        ("tea", RUNNING, 0, 1),
        ("toast", SWITCHING, 1, 1.5),
        ("toast", RUNNING, 1.5, 3.5),
        ("tea", SWITCHING, 4, 4.5),
        ("tea", RUNNING, 4.5, 5.5),
        ("toast", SWITCHING, 5.5, 6),
        ("toast", RUNNING, 6, 7),
    ]
    assert rows(timeline, "tea") == [
        (RUNNING, "fill", 0, 1),
        (WAITING, "boil", 1, 4),
        (READY, "pour", 4, 4.5),
        (RUNNING, "pour", 4.5, 5.5),
    ]
    assert timeline.switches == 3
    assert [span.label for span in timeline.cook if span.state is SWITCHING] == ["slice", "pour", "butter"]


def test_a_turn_of_no_length_is_a_turn_all_the_same():
    """To start a wait a dish needs the cook for an instant: she turns to it, and that costs what turning costs."""
    dishes = [Dish("a", [wait("w", 1)]), Dish("b", [wait("w", 1)])]
    assert simulate.cooperative(dishes).switches == 1
    timeline = simulate.cooperative(dishes, switch_cost=2)
    assert held(timeline) == [("b", SWITCHING, 0, 2)]
    assert timeline.by_lane["b"][-1].end == timeline.makespan == 3


A = Dish("a", [work("begin", 1), wait("boil", 2), work("end", 1)])
B = Dish("b", [work("begin", 2), wait("boil", 2)])
C = Dish("c", [work("begin", 1), wait("boil", 1)])
D = Dish("d", [work("begin", 1)])


def test_with_a_limit_the_others_wait_for_a_place():
    timeline = simulate.cooperative([A, B, C, D], limit=2)
    assert rows(timeline, "a") == [(RUNNING, "begin", 0, 1), (WAITING, "boil", 1, 3), (RUNNING, "end", 3, 4)]
    assert rows(timeline, "b") == [(READY, "begin", 0, 1), (RUNNING, "begin", 1, 3), (WAITING, "boil", 3, 5)]
    assert rows(timeline, "c") == [  # from a, which is finished with its last work
        (WAITING, "waiting for a place", 0, 4),
        (RUNNING, "begin", 4, 5),
        (WAITING, "boil", 5, 6),
    ]
    assert rows(timeline, "d") == [  # from b, which is finished when its last wait is over
        (WAITING, "waiting for a place", 0, 5),
        (RUNNING, "begin", 5, 6),
    ]
    assert held(timeline) == [
        ("a", RUNNING, 0, 1),
        ("b", RUNNING, 1, 3),
        ("a", RUNNING, 3, 4),
        ("c", RUNNING, 4, 5),
        ("d", RUNNING, 5, 6),
    ]
    assert (timeline.makespan, timeline.busy, timeline.switches) == (6, 6, 4)


def test_a_place_is_free_when_a_last_wait_is_over_wherever_the_cook_is():
    soup = Dish("soup", [work("stir", 1), wait("cool", 1)])
    bread = Dish("bread", [work("knead", 4)])
    timeline = simulate.cooperative([soup, bread, TEA], switch_cost=0.5, limit=2)
    assert rows(timeline, "tea") == [
        (WAITING, "waiting for a place", 0, 2),
        (READY, "fill", 2, 6),  # kneading until 5.5, then she turns to it
        (RUNNING, "fill", 6, 7),
        (WAITING, "boil", 7, 10),
        (RUNNING, "pour", 10, 11),
    ]
    assert [(span.lane, span.label, span.start) for span in timeline.cook if span.state is SWITCHING] == [
        ("bread", "knead", 1),
        ("tea", "fill", 5.5),
    ]
    assert (timeline.makespan, timeline.switches) == (11, 2)


def test_places_go_in_menu_order_to_whoever_is_next_although_a_later_dish_is_finished_first():
    slow = Dish("slow", [wait("w", 9)])
    fast = Dish("fast", [wait("w", 2)])  # its last wait began later, and is over earlier
    timeline = simulate.cooperative([slow, fast, C, D], limit=2)
    assert rows(timeline, "c") == [
        (WAITING, "waiting for a place", 0, 2),
        (RUNNING, "begin", 2, 3),
        (WAITING, "boil", 3, 4),
    ]
    assert rows(timeline, "d") == [(WAITING, "waiting for a place", 0, 4), (RUNNING, "begin", 4, 5)]
    assert timeline.makespan == 9  # nobody needs the place that slow had


@pytest.mark.parametrize(
    "leaver",
    [Dish("leaver", [wait("w", 2)]), Dish("leaver", [wait("w", 1), work("x", 1)])],
    ids=["finished with a wait", "finished with work"],
)
def test_who_is_given_a_place_queues_behind_those_whose_waits_end_at_that_very_moment(leaver):
    nap = Dish("nap", [wait("w", 2), work("wake", 1)])  # its wait begins after the leaver's, and ends as it is finished
    last = Dish("last", [wait("w", 2)])
    timeline = simulate.cooperative([leaver, nap, last, Dish("new", [work("n", 1)]), D], limit=3)
    assert [(lane, start) for lane, _, start, _ in held(timeline)][-3:] == [("nap", 2), ("new", 3), ("d", 4)]
    assert rows(timeline, "new") == [
        (WAITING, "waiting for a place", 0, 2),
        (READY, "n", 2, 3),
        (RUNNING, "n", 3, 4),
    ]
    assert rows(timeline, "d")[:2] == [(WAITING, "waiting for a place", 0, 2), (READY, "begin", 2, 4)]


def test_a_wait_of_nothing_puts_a_dish_behind_who_was_given_a_place_at_that_moment():
    polite = Dish("polite", [wait("w", 2), wait("after you", 0), work("b", 1)])
    for busy in ([], [Dish("busy", [work("knead", 2)])]):  # it makes no difference whether the cook stood aside
        menu = [Dish("leaver", [wait("w", 2)]), polite, *busy, D]
        timeline = simulate.cooperative(menu, limit=len(menu) - 1)
        assert [(lane, start) for lane, _, start, _ in held(timeline)][-2:] == [("d", 2), ("polite", 3)]


def test_a_dish_without_steps_takes_no_place():
    air, breath = Dish("air", []), Dish("breath", [])
    timeline = simulate.cooperative([air, TEA, breath, D], limit=2)
    assert rows(timeline, "d")[0] == (READY, "begin", 0, 1)
    timeline = simulate.cooperative([air, TEA, breath, D], limit=1)
    assert rows(timeline, "d") == [(WAITING, "waiting for a place", 0, 5), (RUNNING, "begin", 5, 6)]
    assert timeline.by_lane["air"] == timeline.by_lane["breath"] == ()


def test_a_dish_that_takes_no_time_hands_its_place_on_at_once():
    thoughts = [Dish(f"thought {n}", [work("think", 0), wait("ponder", 0)]) for n in range(3)]
    timeline = simulate.cooperative([*thoughts, TEA], limit=1)
    assert rows(timeline, "tea") == [(RUNNING, "fill", 0, 1), (WAITING, "boil", 1, 4), (RUNNING, "pour", 4, 5)]
    assert timeline.switches == 3


def test_places_for_all_are_as_good_as_no_limit():
    menu = [Dish("air", []), *dinner()]
    assert simulate.cooperative(menu, limit=3) == simulate.cooperative(menu, limit=10**30) == simulate.cooperative(menu)
    assert simulate.cooperative(menu, limit=2) != simulate.cooperative(menu)
    assert [simulate.cooperative(dinner(), limit=limit).makespan for limit in (1, 2, 3)] == [38, 25, 18]


def test_the_naive_clock_gives_turns_to_dishes_that_only_wait():
    timeline = simulate.threaded([TEA, TOAST], quantum=1)
    assert rows(timeline, "tea") == [
        (RUNNING, "fill", 0, 1),
        (WAITING, "boil", 1, 2),  # its work and its turn ended together: the wait starts at that moment
        (IDLING, "boil", 2, 3),
        (WAITING, "boil", 3, 4),
        (RUNNING, "pour", 4, 5),
    ]
    assert rows(timeline, "toast") == [
        (READY, "slice", 0, 1),
        (RUNNING, "slice", 1, 2),
        (READY, "slice", 2, 3),
        (RUNNING, "slice", 3, 4),
        (WAITING, "toast", 4, 5),
        (IDLING, "toast", 5, 6),
        (RUNNING, "butter", 6, 7),
    ]
    assert (timeline.makespan, timeline.switches) == (7, 5)


def test_on_the_naive_clock_a_wait_that_ends_within_the_turn_leaves_the_rest_of_it_for_work():
    dish = Dish("egg", [work("a", 1), wait("boil", 1.5), work("peel", 3)])
    other = Dish("ham", [work("slice", 4)])
    timeline = simulate.threaded([dish, other], quantum=2)
    assert rows(timeline, "egg") == [
        (RUNNING, "a", 0, 1),
        (IDLING, "boil", 1, 2),
        (WAITING, "boil", 2, 2.5),
        (READY, "peel", 2.5, 4),
        (RUNNING, "peel", 4, 6),
        (READY, "peel", 6, 8),
        (RUNNING, "peel", 8, 9),
    ]
    within = simulate.threaded([Dish("egg", [work("a", 1), wait("boil", 0.5), work("peel", 3)]), other], quantum=2)
    assert rows(within, "egg")[:3] == [(RUNNING, "a", 0, 1), (IDLING, "boil", 1, 1.5), (RUNNING, "peel", 1.5, 2)]


def test_a_dish_that_ends_with_a_wait_is_finished_when_that_is_over_wherever_the_cook_is():
    soup = Dish("soup", [work("stir", 1), wait("cool", 1)])
    bread = Dish("bread", [work("knead", 5)])
    for timeline in (
        simulate.cooperative([soup, bread]),
        simulate.threaded([soup, bread], quantum=1),
        simulate.threaded([soup, bread], quantum=1, parked=True),
    ):
        assert rows(timeline, "soup") == [(RUNNING, "stir", 0, 1), (WAITING, "cool", 1, 2)], timeline.title
        assert timeline.makespan == 6
        assert timeline.switches == 1, timeline.title  # nobody turns to the finished soup


def test_the_naive_clock_can_turn_to_a_dish_that_is_finished_before_it_has_turned():
    soup = Dish("soup", [work("stir", 1), wait("cool", 2)])
    bread = Dish("bread", [work("knead", 1.5)])
    timeline = simulate.threaded([soup, bread], quantum=1, switch_cost=0.75)
    # 0-1 soup, 1.75-2.75 bread; at 2.75 the soup still cools, at 3.5, when the cook has turned to it, it is done
    assert rows(timeline, "soup") == [(RUNNING, "stir", 0, 1), (WAITING, "cool", 1, 3)]
    assert rows(timeline, "bread")[-1] == (RUNNING, "knead", 4.25, 4.75)
    assert timeline.switches == 3


def test_parked_threads_get_no_turns_while_they_wait():
    timeline = simulate.threaded([TEA, TOAST], quantum=1, parked=True)
    assert rows(timeline, "tea") == [(RUNNING, "fill", 0, 1), (WAITING, "boil", 1, 4), (RUNNING, "pour", 4, 5)]
    assert rows(timeline, "toast") == [
        (READY, "slice", 0, 1),
        (RUNNING, "slice", 1, 3),
        (WAITING, "toast", 3, 5),
        (RUNNING, "butter", 5, 6),
    ]


def test_whose_turn_ends_goes_behind_those_that_become_ready_at_that_very_moment():
    nap = Dish("nap", [wait("w", 2), work("wake", 1)])
    knead = Dish("knead", [work("knead", 4)])
    timeline = simulate.threaded([nap, knead], quantum=2, parked=True)
    assert [(lane, start) for lane, _, start, _ in held(timeline)] == [("knead", 0), ("nap", 2), ("knead", 3)]


def test_work_that_ends_with_the_turn_lets_the_wait_start_at_that_moment():
    dish = Dish("egg", [work("a", 2), wait("boil", 2), work("peel", 1)])
    for parked in (False, True):
        timeline = simulate.threaded([dish, Dish("ham", [work("slice", 6)])], quantum=2, parked=parked)
        assert rows(timeline, "egg")[:2] == [(RUNNING, "a", 0, 2), (WAITING, "boil", 2, 4)], parked


def test_a_clock_that_never_rings_is_no_clock():
    menu = dinner() + downloads(5)
    endless = simulate.threaded(menu, quantum=math.inf, parked=True, switch_cost=0.25)
    free = simulate.cooperative(menu, switch_cost=0.25)
    assert (endless.spans, endless.cook, endless.switches) == (free.spans, free.cook, free.switches)
    naive, sync = simulate.threaded(menu, quantum=math.inf), simulate.sync(menu)
    assert (naive.spans, naive.cook, naive.switches) == (sync.spans, sync.cook, sync.switches)


SCHEDULERS = [
    simulate.sync,
    simulate.cooperative,
    simulate.threaded,
    lambda dishes: simulate.threaded(dishes, parked=True),
]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_an_empty_menu_an_empty_dish_and_steps_of_no_length(scheduler):
    nothing = scheduler([])
    assert (nothing.spans, nothing.cook, nothing.lanes) == ((), (), ())
    assert (nothing.makespan, nothing.busy, nothing.utilization, nothing.switches) == (0, 0, 0, 0)
    timeline = scheduler([Dish("air", []), TEA, Dish("thought", [work("think", 0), wait("ponder", 0)])])
    assert timeline.lanes == ("air", "tea", "thought")
    assert timeline.by_lane["air"] == ()
    assert timeline.by_lane["tea"][-1].end == timeline.makespan == 5
    assert all(span.state is READY for span in timeline.by_lane["thought"])
    assert timeline.switches >= 1


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_bad_menu_is_refused_by_name(scheduler):
    with pytest.raises(ValueError, match="'tea'"):
        scheduler([TEA, TEA])


def test_bad_clocks_costs_and_limits_are_refused():
    for quantum in (0, -1, math.nan):
        with pytest.raises(ValueError, match="quantum"):
            simulate.threaded([TEA], quantum=quantum)
    for cost in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="switch cost"):
            simulate.threaded([TEA], switch_cost=cost)
        with pytest.raises(ValueError, match="switch cost"):
            simulate.cooperative([TEA], switch_cost=cost)
    for limit in (0, -1, False, 2.0, 1.5, math.inf, math.nan, "3"):
        with pytest.raises(ValueError, match=f"limit={limit!r}: give a whole number, 1 or more, or None"):
            simulate.cooperative([TEA], limit=limit)
    for parked in (False, True):
        with pytest.raises(ValueError, match="too small for 1e"):
            simulate.threaded([Dish("age", [work("a", 1e6)]), TEA], quantum=1e-11, parked=parked)


def test_lower_bound_is_all_the_work_or_the_longest_dish():
    assert simulate.lower_bound([TEA, TOAST]) == 5
    assert simulate.lower_bound([TEA, TOAST, Dish("bread", [work("knead", 3)])]) == 8
    assert simulate.lower_bound([]) == 0


def test_the_dinner_three_ways():
    sync, cooperative = simulate.sync(dinner()), simulate.cooperative(dinner())
    threaded = simulate.threaded(dinner(), parked=True)
    assert (sync.makespan, threaded.makespan, cooperative.makespan) == (38, 19, 18)
    assert sync.busy == threaded.busy == cooperative.busy == 16
    assert simulate.lower_bound(dinner()) == 16
