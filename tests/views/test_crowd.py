"""Ten thousand lanes: what they take, how they are counted, and which few of them are shown."""

import gc
import tracemalloc
import weakref

import pytest
from helpers.crowd import LANES, recorded
from hypothesis import given
from hypothesis import strategies as st

from kitchen import Dish, Timeline, downloads, simulate, wait, work
from kitchen.recorder import Recorder
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Table
from kitchen.timeline.text import MOST_LANES, draw
from kitchen.timeline.timeline import KEPT
from kitchen.views.gantt import png
from kitchen.views.player import Player

LARGEST = 1_500_000  # characters of a notebook's output with 10,000 lanes, which has the picture in it twice
SPAN = 100  # bytes


@pytest.fixture(scope="module")
def timeline():
    return recorded().timeline()


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_recorded_timeline_holds_under_100_bytes_per_span_however_one_looks_at_it(report):
    recorded(10).timeline()  # what is made once only
    gc.collect()
    tracemalloc.start()
    try:
        recorder = recorded()
        timeline = recorder.timeline()
        log, spans = tracemalloc.get_traced_memory()[0], len(timeline.table.starts)
        for look in (timeline.summary, lambda: timeline.finishes, lambda: timeline.took):
            look()
        assert timeline.by_lane[timeline.lanes[-1]]
        assert len(timeline.spans) == spans > 5 * LANES
        Recorder.newest = recorder = None  # as the next run would
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    rows = [("its log", f"{log / spans:.0f}"), ("the Timeline", f"{held / spans:.0f}")]
    report(f"10,000 lanes, {spans:,} spans", ("", "bytes per span"), rows)
    assert held / spans < SPAN


class Fold:
    """What a Timeline is made of, as a recorder gives it: a function that has a log in its hands."""

    def __call__(self):
        return Table.of([(0, RUNNING, "x", 0.0, 1.0, False)])


def test_a_timeline_lets_go_of_the_log_once_it_is_looked_at():
    fold = Fold()
    held = weakref.ref(fold)
    timeline = Timeline(["a"], fold)
    del fold
    assert held() is not None
    assert timeline.makespan == 1
    gc.collect()
    assert held() is None
    assert timeline.spans


@pytest.mark.long
def test_very_many_spans_are_made_each_time_anew_and_few_are_kept(timeline):
    assert len(timeline.spans) > KEPT
    assert timeline.spans is not timeline.spans
    assert timeline.spans == timeline.spans
    few = simulate.cooperative(downloads(10))
    assert few.spans is few.spans


@pytest.mark.long
def test_the_page_of_ten_thousand_lanes_is_no_burden_for_a_notebook(timeline, report):
    bundle = timeline._repr_mimebundle_()
    sizes = {name: len(text) for name, text in bundle.items()}
    whole = len(Player(timeline).film())
    rows = [(name, f"{size / 1000:.0f}") for name, size in [*sizes.items(), ("film, unpacked", whole)]]
    report(f"the output of {LANES:,} lanes, in kB", ("", "kB"), rows)
    assert sum(sizes.values()) < LARGEST


# --- how they are counted, and which are shown -----------------------------------------------------------------------

states = st.sampled_from([RUNNING, READY, WAITING, IDLING])
moments = st.integers(0, 40).map(lambda n: n / 4)
stretches = st.tuples(st.integers(0, 5), states, st.just(""), moments, moments)


@given(st.lists(stretches), st.lists(moments).map(sorted))
def test_counts_are_what_one_finds_by_looking_at_each_lane(rows, times):
    rows = [
        (lane, state, label, *sorted(when)) for lane, state, label, *when in rows
    ]  # lanes may overlap themselves here
    timeline = Timeline("abcdef", Table.of([(*row, False) for row in rows]))
    counts = timeline.counts(times)
    assert list(counts) == [RUNNING, READY, WAITING, IDLING]
    for state, counted in counts.items():
        spans = [span for span in timeline.spans if span.state is state]
        assert counted == [sum(span.start <= time < span.end for span in spans) for time in times]


def test_a_lane_takes_as_long_as_from_its_first_turn_to_its_end():
    rows = [
        (0, WAITING, "a place", 0.0, 5.0, False),
        (0, RUNNING, "ask", 5.0, 6.0, False),
        (0, WAITING, "answer", 6.0, 8.0, False),
        (1, READY, "", 0.0, 8.0, False),
        (2, READY, "", 1.0, 2.0, False),
        (2, IDLING, "", 2.0, 9.0, False),
    ]
    timeline = Timeline(["a", "starved", "idle", "nothing"], Table.of(rows))
    assert list(timeline.took) == [3, 8, 7, 0]


def test_few_stand_for_many_the_first_the_slowest_and_those_that_were_not_done():
    menu = [Dish(f"d{n}", [work("w", 0.01), wait("v", 50 if n in (40, 60, 90) else n % 7)]) for n in range(100)]
    timeline = simulate.cooperative(menu)
    timeline.outcomes = {f"d{n}": "timed out" for n in (40, 70, 71, 72)}
    assert timeline.few() == [f"d{n}" for n in (0, 1, 2, 40, 60, 70, 71, 90)]
    assert timeline.few(1) == ["d0", "d40"]
    assert simulate.sync([]).few() == []
    assert simulate.sync(downloads(400)).few() == ["page 000", "page 001", "page 002"], "all are equally slow"


# --- as text and on paper --------------------------------------------------------------------------------------------


def test_the_text_picture_of_a_crowd_is_counts_and_a_few_lanes(timeline):
    lines = draw(timeline).splitlines()
    assert len(lines) < 25
    assert max(map(len, lines)) <= 80
    counts = {line[:12].strip(" #=.~"): [int(n) for n in line[12:].split()] for line in lines[2:6]}
    assert list(counts) == ["running", "ready", "waiting", "over"]
    assert [sum(numbers) for numbers in zip(*counts.values(), strict=True)] == [LANES] * 9
    assert counts["over"] == sorted(counts["over"])
    assert counts["over"][-1] == LANES
    shown = sum(line.startswith("../") for line in lines)
    assert shown == len(timeline.few())
    assert f"the other {LANES - shown} are not shown" in " ".join(lines)
    assert "3 of 10 that were not done" in " ".join(lines)


def test_lanes_that_are_not_there_yet_are_told_in_text():
    number = MOST_LANES + 1
    rows = [(lane, WAITING, "x", float(lane), lane + 10.0, False) for lane in range(number)]
    text = draw(Timeline([f"lane {n}" for n in range(number)], Table.of(rows)))
    (line,) = [line for line in text.splitlines() if "not there" in line]
    assert line.split()[2:4] == [str(number - 1), str(number - 1 - int(310 / 8))]


def test_small_timelines_are_drawn_as_ever():
    text = str(simulate.cooperative(downloads(MOST_LANES)))
    assert "lanes at" not in text
    assert "(1 lane in 8 is shown, of 300)" in text


@pytest.mark.filterwarnings("error:constrained_layout not applied")
def test_a_crowd_with_hostile_names_is_drawn():
    names = [f"$x^{{\x00\u202e{n}" for n in range(MOST_LANES + 1)]
    timeline = Timeline(names, Table.of([(lane, IDLING, "$y_{", 0.0, 9.0, False) for lane in range(len(names))]))
    assert png(timeline).startswith(b"\x89PNG")
    assert draw(timeline).replace("\n", "").isprintable()
