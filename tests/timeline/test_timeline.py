"""The Timeline: its figures, its text picture, and the ways in and out."""

import copy
import json
import os
import pickle
import sys

import pytest

from kitchen import Dish, Span, State, Timeline, dinner, simulate, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Finding, Table
from kitchen.timeline.text import bar


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


def test_several_cooks_are_told_of_as_several():
    both = timeline((0, RUNNING, "x", 0.0, 4.0), (1, RUNNING, "y", 0.0, 4.0))
    assert both.cooks == 2
    assert both.summary() == "4 min, 2 CPUs busy 100%, 1 switch"
    assert "2 cooks" in str(both)
    in_turn = timeline((0, RUNNING, "x", 0.0, 4.0), (1, RUNNING, "y", 3.99, 8.0))  # a moment in which clocks disagree
    assert in_turn.cooks == 1
    assert Timeline([], Table((), (), (), (), ())).cooks == 1


def test_what_was_inferred_makes_no_second_cook_before_there_is_more_work_than_time():
    beside = timeline(
        (0, RUNNING, "x", 0.0, 4.0, False), (1, RUNNING, "y", 1.0, 3.0, True), (1, WAITING, "z", 3.0, 8.0, False)
    )
    assert (beside.cooks, beside.summary()) == (1, "8 min, CPU busy 75%, 1 switch")
    both = timeline((0, RUNNING, "x", 0.0, 4.0, True), (1, RUNNING, "y", 0.0, 4.0, True))
    assert (both.cooks, both.summary()) == (2, "4 min, 2 CPUs busy 100%, 1 switch")


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


# --- who made whom, and what is amiss --------------------------------------------------------------------------------

NASTY = '</script><img src=x onerror=alert(1)>\x1b[31m\u2028"\\\ud800'


def watched():
    """What is left of a program: main made two tasks, of which one held the loop."""
    table = Table(
        [0, 0, 1, 1, 2],
        [RUNNING, WAITING, RUNNING, RUNNING, READY],
        ["main", "tasks", "fetch", "fetch", "fetch"],
        [0.0, 1.0, 1.0, 4.0, 1.0],
        [1.0, 5.0, 3.0, 5.0, 3.0],
    )
    blocked = Finding(
        "blocked", "line 7 held the loop for 2 s; 1 task was ready.", "a.py", 7, Span("a", RUNNING, "", 1, 3)
    )
    lost = Finding("never awaited", "save() at line 9 was never awaited.", "a.py", 9)
    facts = {"parents": {"a": "main", "b": "main"}, "findings": [blocked, lost], "outcomes": {"b": "cancelled"}}
    return Timeline(["main", "a", "b"], table, **facts, unit="s", title="watched")


def test_most_timelines_have_no_parents_and_no_findings():
    assert (simulate.sync(dinner()).parents, simulate.sync(dinner()).findings) == ({}, ())


def test_parents_and_findings_survive_json_and_pickling_and_tell_timelines_apart():
    seen = watched()
    for other in (Timeline.from_json(seen.to_json()), pickle.loads(pickle.dumps(seen)), copy.deepcopy(seen)):
        assert other == seen
        assert (other.parents, other.findings) == (seen.parents, seen.findings)
        assert [type(finding) for finding in other.findings] == [Finding, Finding]
    for change in ({"parents": {}}, {"findings": seen.findings[:1]}):
        assert Timeline(seen.lanes, seen.table, **vars_of(seen) | change) != seen


def vars_of(timeline):
    return {name: getattr(timeline, name) for name in ("outcomes", "parents", "findings", "unit", "title")}


def test_json_of_before_there_were_findings_can_be_read():
    older = {key: value for key, value in json.loads(watched().to_json()).items() if key not in ("parents", "findings")}
    timeline = Timeline.from_json(json.dumps(older))
    assert (timeline.parents, timeline.findings) == ({}, ())
    assert timeline.spans == watched().spans


@pytest.mark.parametrize(
    "broken",
    [
        {"parents": ["a"]},
        {"parents": {"a": 3}},
        {"outcomes": {"a": 3}},
        {"findings": 3},
        {"findings": [["blocked", "text"]]},
        {"findings": [["blocked", 3, "a.py", 7, None]]},
        {"findings": [["blocked", "text", "a.py", "7", None]]},
        {"findings": [["blocked", "text", "a.py", 7, ["a", "flying", "", 1, 3, False]]]},
        {"findings": [["blocked", "text", "a.py", 7, ["a", "running", "", "now", 3, False]]]},
        {"findings": [["blocked", "text", "a.py", 7, ["a", "running"]]]},
    ],
    ids=str,
)
def test_broken_parents_and_findings_are_refused(broken):
    with pytest.raises(ValueError, match="not a Timeline's JSON"):
        Timeline.from_json(json.dumps(json.loads(watched().to_json()) | broken))


def test_the_text_picture_tells_the_findings_below_it():
    *picture, first, second = str(watched()).splitlines()
    assert picture == str(Timeline(["main", "a", "b"], watched().table, unit="s", title="watched")).splitlines()
    assert (first, second) == (f"- {watched().findings[0].text}", f"- {watched().findings[1].text}")


def test_findings_in_text_are_as_wide_as_the_picture_and_safe_to_print():
    findings = [Finding("lost", f"{NASTY} " * 9, "", 0), Finding("lost", "x" * 200, "", 0)]
    lines = str(Timeline(["a"], Table([0], [RUNNING], ["x"], [0.0], [1.0]), findings=findings)).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("- ") for line in lines) == 2
    assert all(line.isprintable() for line in lines)


def test_a_chrome_trace_tells_who_made_a_lane_and_marks_the_findings():
    seen = watched()
    events = json.loads(seen.to_chrome_trace())["traceEvents"]
    tracks = {event["args"]["name"]: event for event in events if event["name"] == "thread_name"}
    assert {name: event["args"].get("created by") for name, event in tracks.items()} == {
        "the cook": None,
        "main": None,
        "a": "main",
        "b": "main",
    }
    spans = [event for event in events if event["ph"] == "X"]
    assert {event["args"]["lane"] for event in spans if event["args"].get("created by") == "main"} == {"a", "b"}
    placed, other = [event for event in events if event["ph"] == "i"]
    assert (placed["name"], placed["tid"], placed["ts"], placed["s"]) == (
        seen.findings[0].text,
        tracks["a"]["tid"],
        1e6,
        "t",
    )
    assert placed["args"] == {"finding": "blocked", "file": "a.py", "line": 7}
    assert (other["name"], other["s"]) == (seen.findings[1].text, "p")  # of all of the process


# --- lanes that are there for a part of the time only ----------------------------------------------------------------


def test_a_lane_that_begins_late_and_has_a_gap_is_blank_then():
    seen = timeline((0, RUNNING, "x", 0.0, 10.0), (1, RUNNING, "x", 4.0, 5.0), (1, RUNNING, "y", 8.0, 9.0), unit="s")
    assert [(span.start, span.end) for span in seen.by_lane["b"]] == [(4, 5), (8, 9)]
    assert bar(seen.by_lane["b"], 10, 1.0) == "    #   # "
    assert seen.busy == 12
    assert Timeline.from_json(seen.to_json()) == seen


# --- as a table ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pandas():
    try:
        import pandas
    except ImportError:
        reason = "pandas is missing: python3 -m pip install pandas"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return pandas


def test_a_table_has_a_row_per_span(pandas):
    seen = timeline((0, RUNNING, "x", 0.0, 1.5, False), (1, WAITING, "y", 1.0, 4.0, True))
    frame = seen.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.to_dict("records") == [
        {"lane": "a", "state": "RUNNING", "label": "x", "start": 0, "end": 1.5, "duration": 1.5, "inferred": False},
        {"lane": "b", "state": "WAITING", "label": "y", "start": 1, "end": 4, "duration": 3, "inferred": True},
    ]
    assert frame.groupby("state")["duration"].sum()["WAITING"] == 3
    assert frame["inferred"].dtype.kind == "b"


def test_an_empty_table_has_its_columns(pandas):
    frame = Timeline([], Table((), (), (), (), ())).to_frame()
    assert list(frame.columns) == ["lane", "state", "label", "start", "end", "duration", "inferred"]
    assert len(frame) == 0


def test_without_pandas_the_error_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        timeline((0, RUNNING, "x", 0.0, 1.0)).to_frame()


def test_many_asides_are_folded_and_survive_json_and_few_or_all_are_not():
    lanes = [f"task {n}" for n in range(8)]

    def of(asides):
        return Timeline(lanes, Table.of([(n, RUNNING, "", n, n + 1, False) for n in range(8)]), asides=asides)

    assert [of(lanes[:number]).folded for number in (0, 3, 8)] == [(), (), ()]
    some = of(lanes[2:6])
    assert some.folded == tuple(lanes[2:6]) == Timeline.from_json(some.to_json()).asides
    assert of(lanes[:3]) != some
    text = str(some)
    assert "task 1 " in text and "task 3 " not in text
    assert "(4 tasks that libraries made for themselves are not shown)" in text
