"""The Timeline: its figures, its text picture, and the ways in and out."""

import copy
import json
import pickle

import pytest

from kitchen import Dish, Span, State, Timeline, dinner, simulate, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Table


def timeline(*rows, lanes=("a", "b"), **facts):
    return Timeline(lanes, Table(*zip(*rows, strict=True)), **facts)


def test_figures():
    seen = timeline(
        (0, RUNNING, "x", 0.0, 1.0),
        (0, WAITING, "y", 1.0, 4.0),
        (1, RUNNING, "z", 1.0, 2.0),
        lanes=("a", "b", "c"),
        unit="s",
    )
    assert seen.lanes == ("a", "b", "c")
    assert (seen.makespan, seen.busy, seen.utilization, seen.switches) == (4, 2, 0.5, 1)
    assert seen.finishes == {"a": 4, "b": 2, "c": 0}
    assert seen.by_lane["c"] == ()
    assert [span.lane for span in seen.cook] == ["a", "b"]
    assert seen.spans[1] == Span("a", WAITING, "y", 1.0, 4.0)
    assert seen.spans[1].duration == 3


def test_an_empty_timeline_has_figures_and_a_picture():
    nothing = Timeline([], Table((), (), (), (), ()))
    assert (nothing.makespan, nothing.busy, nothing.utilization, nothing.switches) == (0, 0, 0, 0)
    assert "0 min" in str(nothing)
    assert Timeline.from_json(nothing.to_json()) == nothing


def test_rows_may_come_in_any_order_between_lanes_and_neighbours_that_say_the_same_are_one():
    seen = timeline((1, RUNNING, "z", 0.0, 1.0), (0, RUNNING, "x", 1.0, 2.0), (1, RUNNING, "z", 1.0, 2.0), gaps=READY)
    assert seen.spans == (
        Span("a", READY, "x", 0, 1),
        Span("a", RUNNING, "x", 1, 2),
        Span("b", RUNNING, "z", 0, 2),
    )


def test_what_was_inferred_stays_apart_from_what_was_observed():
    rows = [(0, RUNNING, "x", 0.0, 1.0, False), (0, RUNNING, "x", 1.0, 2.0, True)]
    assert [span.inferred for span in timeline(*rows).spans] == [False, True]


def test_the_text_picture_of_the_dinner():
    assert str(simulate.cooperative(dinner())) == (
        "cooperative: 18 min, CPU busy 89%, 7 switches\n"
        "steak       ########...........####...............=======####...............####\n"
        "boiled eggs ========###..................................====###########\n"
        "salad       ===========########.......###################\n"
        "the cook    #######################   ##################################    ####\n"
        "            0                                                             18 min\n"
        "# running  = ready  . waiting  ~ idling  / switching"
    )


def test_the_text_picture_thins_many_lanes_and_cuts_long_and_hostile_names():
    menu = [Dish(f"https://example.org/{'very/' * 9}{n}", [work("w", 1)]) for n in range(100)]
    lines = str(simulate.sync(menu)).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 50
    assert "(1 lane in 3 is shown, of 100)" in lines
    hostile = str(simulate.sync([Dish("\x1b[31mred\n\u202e", [work("w", 1)])]))
    assert "\x1b" not in hostile
    assert "\u202e" not in hostile
    assert len(hostile.splitlines()) == 5


def test_from_json_refuses_what_is_no_timeline():
    for text in (
        "",
        "[]",
        "{}",
        "null",
        '{"lanes": 3}',
        simulate.sync(dinner()).to_json().replace("running", "flying"),
    ):
        with pytest.raises(ValueError, match="not a Timeline's JSON"):
            Timeline.from_json(text)
    broken = json.loads(simulate.sync(dinner()).to_json())
    broken["spans"]["lane"][0] = 99
    with pytest.raises(ValueError, match="not a Timeline's JSON"):
        Timeline.from_json(json.dumps(broken))


def test_labels_from_anywhere_survive_json():
    nasty = '</script><img src=x onerror=alert(1)>\u2028"\\\ud800'
    seen = simulate.sync([Dish("a", [work(nasty, 1), wait(nasty, 2)])])
    assert Timeline.from_json(seen.to_json()) == seen


def test_a_chrome_trace_has_a_track_per_lane_and_the_cooks():
    seen = simulate.cooperative(dinner())
    events = json.loads(seen.to_chrome_trace())["traceEvents"]
    names = [event["args"]["name"] for event in events if event["name"] == "thread_name"]
    assert names == ["the cook", "steak", "boiled eggs", "salad"]
    complete = [event for event in events if event["ph"] == "X"]
    assert len(complete) == len(seen.spans) + len(seen.cook)
    assert max(event["ts"] + event["dur"] for event in complete) == seen.makespan * 60e6
    assert {event["args"]["state"] for event in complete} == {"running", "ready", "waiting"}


def test_a_timeline_can_be_copied_and_sent_to_another_process():
    seen = simulate.cooperative(dinner(), switch_cost=0.5)
    assert pickle.loads(pickle.dumps(seen)) == copy.deepcopy(seen) == seen


def test_timelines_are_equal_when_they_show_the_same():
    assert simulate.sync(dinner()) == simulate.sync(dinner())
    assert simulate.sync(dinner()) != simulate.cooperative(dinner())
    assert simulate.sync(dinner()) != "sync"
    assert {state.value for state in State} == {"running", "ready", "waiting", "idling", "switching"}
    assert IDLING in {span.state for span in simulate.sync(dinner()).cook}


def test_why_a_lane_was_over_without_being_done_is_kept():
    table = Table([0, 1], [RUNNING, RUNNING], ["x", "y"], [0.0, 0.0], [1.0, 2.0])
    timeline = Timeline(["a", "b"], table, outcomes={"b": "timed out"})
    assert Timeline.from_json(timeline.to_json()).outcomes == {"b": "timed out"}
    assert timeline != Timeline(["a", "b"], table)
    older = {key: value for key, value in json.loads(timeline.to_json()).items() if key != "outcomes"}
    assert Timeline.from_json(json.dumps(older)).outcomes == {}
