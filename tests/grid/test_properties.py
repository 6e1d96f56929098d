"""What holds for every menu under every scheduler, whatever hypothesis thinks up."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen import Dish, Timeline, simulate, wait, work
from kitchen.timeline import IDLING, RUNNING, SWITCHING, WAITING

# Quarters and thirds: sums of quarters are exact in floating point, sums of thirds are not.
durations = st.one_of(st.integers(0, 12).map(lambda n: n / 4), st.integers(0, 9).map(lambda n: n / 3))
steps = st.builds(
    lambda make, label, duration: make(label, duration),
    st.sampled_from([work, wait]),
    st.sampled_from("abc"),
    durations,
)
menus = st.lists(st.lists(steps, max_size=6), max_size=6).map(
    lambda menu: [Dish(f"dish {number}", steps) for number, steps in enumerate(menu)]
)
costs = st.sampled_from([0.0, 0.25, 1 / 3])
limits = st.sampled_from([None, 1, 2, 3])
quanta = st.sampled_from([0.25, 1 / 3, 1.0, 2.5, math.inf])


@st.composite
def schedules(draw):
    """A menu, and what one of the schedulers makes of it."""
    menu = draw(menus)
    kind = draw(st.sampled_from(["sync", "cooperative", "naive", "parked"]))
    if kind == "sync":
        return menu, simulate.sync(menu)
    cost = draw(costs)
    if kind == "cooperative":
        return menu, simulate.cooperative(menu, switch_cost=cost, limit=draw(limits))
    return menu, simulate.threaded(menu, quantum=draw(quanta), switch_cost=cost, parked=kind == "parked")


@given(schedules())
def test_a_lanes_spans_tile_the_time_from_0_to_its_finish(schedule):
    _, timeline = schedule
    for spans in timeline.by_lane.values():
        if spans:
            assert spans[0].start == 0
        assert all(span.start < span.end for span in spans)
        for before, after in pairwise(spans):
            assert before.end == after.start
            assert (before.state, before.label) != (after.state, after.label)
        assert all(span.state is not SWITCHING for span in spans)


@given(schedules())
def test_one_cook_is_never_in_two_places(schedule):
    _, timeline = schedule
    assert all(span.start < span.end for span in timeline.cook)
    assert all(before.end <= after.start for before, after in pairwise(timeline.cook))
    held = [span for span in timeline.spans if span.state in (RUNNING, IDLING)]
    assert sorted(held, key=lambda span: span.start) == [span for span in timeline.cook if span.state is not SWITCHING]


@given(schedules())
def test_work_is_conserved(schedule):
    menu, timeline = schedule
    for dish in menu:
        wanted = math.fsum(step.duration for step in dish.steps if step.kind == "work")
        done = math.fsum(span.duration for span in timeline.by_lane[dish.name] if span.state is RUNNING)
        assert math.isclose(done, wanted, abs_tol=1e-9)
    assert math.isclose(
        timeline.busy, math.fsum(s.duration for d in menu for s in d.steps if s.kind == "work"), abs_tol=1e-9
    )


@given(schedules())
def test_a_dish_takes_at_least_as_long_as_its_steps_and_no_schedule_beats_the_lower_bound(schedule):
    menu, timeline = schedule
    for dish in menu:
        alone = math.fsum(step.duration for step in dish.steps)
        assert timeline.finishes[dish.name] >= alone - 1e-9
    assert timeline.makespan >= simulate.lower_bound(menu) - 1e-9
    assert timeline.makespan == max(timeline.finishes.values(), default=0)


@given(menus, costs)
def test_threads_whose_clock_never_rings_are_cooperative(menu, cost):
    endless = simulate.threaded(menu, quantum=math.inf, switch_cost=cost, parked=True)
    cooperative = simulate.cooperative(menu, switch_cost=cost)
    assert endless.spans == cooperative.spans
    assert endless.cook == cooperative.cook
    assert endless.switches == cooperative.switches


@given(menus)
def test_a_naive_clock_that_never_rings_is_sync(menu):
    endless, sync = simulate.threaded(menu, quantum=math.inf), simulate.sync(menu)
    assert (endless.spans, endless.cook, endless.switches) == (sync.spans, sync.cook, sync.switches)


@given(menus, costs, limits)
def test_cooperative_never_leaves_a_ready_dish_alone_with_a_free_cook(menu, cost, limit):
    """What makes it greedy: while somebody is READY, the cook works or turns to somebody."""
    timeline = simulate.cooperative(menu, switch_cost=cost, limit=limit)
    busy = [(span.start, span.end) for span in timeline.cook]
    for span in timeline.spans:
        if span.state.name == "READY":
            covered = sum(
                min(end, span.end) - max(start, span.start)
                for start, end in busy
                if end > span.start and start < span.end
            )
            assert math.isclose(covered, span.duration, abs_tol=1e-9)


def stays(menu, timeline):
    """From when to when each dish with steps had a place: it waited for one until then, and has it until it is finished."""
    for dish in menu:
        if dish.steps:
            spans = timeline.by_lane[dish.name]
            outside = [span.end for span in spans if (span.state, span.label) == (WAITING, "waiting for a place")]
            assert len(outside) <= 1 and (not outside or spans[0].end == outside[0])
            yield max(outside, default=0.0), timeline.finishes[dish.name]


@given(menus, costs, st.integers(1, 7))
def test_never_are_more_than_limit_dishes_begun_and_not_finished(menu, cost, limit):
    having = list(stays(menu, simulate.cooperative(menu, switch_cost=cost, limit=limit)))
    for moment, _ in having:
        assert sum(came <= moment < left for came, left in having) <= limit


@given(menus, costs, st.integers(1, 7))
def test_every_place_goes_to_the_next_on_the_menu_the_moment_it_is_free(menu, cost, limit):
    having = list(stays(menu, simulate.cooperative(menu, switch_cost=cost, limit=limit)))
    free = [0.0] * limit + sorted(left for _, left in having)
    assert [came for came, _ in having] == free[: len(having)]


@given(menus, costs)
def test_places_for_all_are_no_limit(menu, cost):
    free = simulate.cooperative(menu, switch_cost=cost)
    assert simulate.cooperative(menu, switch_cost=cost, limit=None) == free
    assert simulate.cooperative(menu, switch_cost=cost, limit=max(1, sum(bool(dish.steps) for dish in menu))) == free


@given(menus)
def test_with_a_single_place_one_dish_follows_the_other(menu):
    timeline, sync = simulate.cooperative(menu, limit=1), simulate.sync(menu)
    assert math.isclose(timeline.makespan, math.fsum(step.duration for d in menu for step in d.steps), abs_tol=1e-9)
    assert (timeline.makespan, timeline.finishes, timeline.switches) == (sync.makespan, sync.finishes, sync.switches)
    assert timeline.cook == tuple(span for span in sync.cook if span.state is RUNNING)


@given(schedules())
def test_switches_are_turns_to_another_dish(schedule):
    _, timeline = schedule
    seen = sum(before.lane != after.lane for before, after in pairwise(timeline.cook))
    assert timeline.switches >= seen  # a turn of no length cannot be seen


@given(schedules())
def test_json_is_lossless(schedule):
    _, timeline = schedule
    again = Timeline.from_json(timeline.to_json())
    assert again == timeline
    assert (again.makespan, again.busy, again.switches) == (timeline.makespan, timeline.busy, timeline.switches)
    assert again.to_json() == timeline.to_json()


@given(schedules())
def test_the_text_picture_is_80_columns_wide_at_most(schedule):
    _, timeline = schedule
    assert all(len(line) <= 80 for line in str(timeline).splitlines())


@pytest.mark.parametrize("scheduler", [simulate.sync, simulate.cooperative, simulate.threaded])
@settings(max_examples=20)
@given(menu=menus)
def test_the_same_dishes_give_the_same_spans(scheduler, menu):
    assert scheduler(menu) == scheduler(menu)
