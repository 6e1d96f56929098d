"""The static picture: read back from matplotlib's own objects, never compared pixel by pixel."""

from itertools import combinations
from math import isclose

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from kitchen import Dish, State, Timeline, dinner, downloads, simulate, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Table
from kitchen.views.gantt import MOST_LANES, _strips, compare, gantt, png

HOSTILE = [
    "$x^{",
    r"\$a$",
    r"\frac{",
    "\x00",
    "two\nlines",
    "\N{STEAMING BOWL}",
    "\u202eabc",
    "\ud800",
    "<b>&",
    "long " * 400,
]


@pytest.fixture(autouse=True)
def paper(monkeypatch):
    """Draws without a screen, and shows nothing."""
    plt.switch_backend("Agg")
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("a picture was shown"))
    yield
    plt.close("all")


def timeline(*rows, lanes=("a", "b"), **facts):
    return Timeline(lanes, Table(*zip(*rows, strict=True)), **facts)


def all_states():
    """A Timeline in which every state there is occurs."""
    rows = [
        (0, RUNNING, "x", 0.0, 1.0),
        (0, WAITING, "y", 1.0, 3.0),
        (1, READY, "z", 0.0, 1.0),
        (1, IDLING, "z", 1.0, 2.0),
    ]
    switching = simulate.cooperative([Dish("a", [work("x", 1)]), Dish("b", [work("z", 1)])], switch_cost=0.5).cook[1:2]
    seen = timeline(*rows, switching=switching)
    assert {span.state for span in (*seen.spans, *seen.cook)} == set(State)
    return seen


def crowd(n=MOST_LANES + 100):
    """Dishes that are READY, RUNNING and WAITING for different lengths of time."""
    return simulate.cooperative([Dish(f"{i}", [work("w", 0.1), wait("v", i % 70), work("w", 0.2)]) for i in range(n)])


def bars(ax):
    return [collection for collection in ax.collections if isinstance(collection, PolyCollection)]


def rows_of(ax):
    """The names at the left, from the top of the picture to its bottom."""
    ax.figure.canvas.draw()
    ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    heights = [(ax.transData.transform((0, y))[1], label.get_text()) for y, label in ticks]
    return [text for _, text in sorted(heights, reverse=True)]


def legend(ax):
    """The style that the legend gives each state: face colour as red, green, blue, and hatch."""
    patches = ax.figure.legends[0].get_patches()
    named = {patch.get_label().partition(":")[0]: patch for patch in patches if ":" in patch.get_label()}
    return {
        State[name]: (to_rgb(patch.get_facecolor()), patch.get_hatch() or "")
        for name, patch in named.items()
        if name in State.__members__
    }


def luminance(colour):
    """How light a colour is on a printer without colours (ITU-R BT.601)."""
    return np.dot(colour, (0.299, 0.587, 0.114))


# --- where it draws --------------------------------------------------------------------------------------------------


def test_gantt_makes_a_figure_of_its_own_and_returns_its_axes():
    before = plt.gcf()
    ax = gantt(simulate.sync(dinner()))
    assert isinstance(ax, Axes)
    assert ax.figure is not before
    assert ax.figure.axes == [ax]


def test_gantt_draws_into_the_axes_it_is_given():
    figure, (left, right) = plt.subplots(1, 2)
    assert gantt(simulate.sync(dinner()), right) is right
    assert bars(right)
    assert not left.has_data()
    assert plt.get_fignums() == [figure.number]


def test_png_is_a_png_file_and_leaves_no_figure_behind():
    assert png(simulate.cooperative(dinner())).startswith(b"\x89PNG\r\n\x1a\n")
    assert png(crowd()).startswith(b"\x89PNG\r\n\x1a\n")
    assert plt.get_fignums() == []


def test_an_empty_timeline_is_an_empty_picture():
    nothing = simulate.sync([])
    assert rows_of(gantt(nothing)) == ["the cook: 0% busy"]
    assert png(nothing)
    assert len(compare(nothing, nothing)) == 2
    assert png(simulate.sync([Dish("air", [])]))


# --- what one sees ---------------------------------------------------------------------------------------------------


def test_states_differ_in_colour_and_also_in_black_and_white():
    styles = legend(gantt(all_states()))
    assert set(styles) == set(State)
    for (colour, hatch), (other_colour, other_hatch) in combinations(styles.values(), 2):
        assert colour != other_colour
        assert hatch != other_hatch or abs(luminance(colour) - luminance(other_colour)) >= 0.2


def test_ready_and_waiting_differ_in_everything():
    styles = legend(gantt(all_states()))
    assert styles[READY][1] != styles[WAITING][1]
    assert abs(luminance(styles[READY][0]) - luminance(styles[WAITING][0])) >= 0.2


def test_bars_are_drawn_as_the_legend_says():
    ax = gantt(all_states())
    drawn = {(to_rgb(bar.get_facecolor()[0]), bar.get_hatch() or "") for bar in bars(ax) if len(bar.get_facecolor())}
    assert drawn == set(legend(ax).values())


def test_a_bar_lies_where_its_span_does():
    seen = simulate.cooperative(dinner())
    ax = gantt(seen)
    running, _ = legend(ax)[RUNNING]
    drawn = [bar for bar in bars(ax) if len(bar.get_facecolor()) and to_rgb(bar.get_facecolor()[0]) == running]
    boxes = [path.get_extents() for bar in drawn for path in bar.get_paths()]
    spans = [(span.start, span.end) for span in seen.spans if span.state is RUNNING]
    assert sorted((box.x0, box.x1) for box in boxes) == sorted(spans * 2)  # on the dish's lane, and on the cook's
    low, high = ax.get_xlim()
    assert low <= 0 < seen.makespan <= high


def test_lanes_stand_in_menu_order_and_the_cook_is_at_the_bottom():
    assert rows_of(gantt(simulate.cooperative(dinner()))) == ["steak", "boiled eggs", "salad", "the cook: 89% busy"]


def test_the_title_is_the_summary_and_the_axis_names_the_unit():
    seen = simulate.cooperative(dinner())
    ax = gantt(seen)
    assert ax.get_title(loc="left") == seen.summary()
    assert ax.get_xlabel() == "minutes"
    assert gantt(timeline((0, RUNNING, "x", 0.0, 1.0), unit="s")).get_xlabel() == "seconds"


@pytest.mark.parametrize("schedule", [simulate.sync, simulate.cooperative, simulate.threaded])
def test_the_legend_names_the_states_that_occur_and_no_others(schedule):
    seen = schedule(dinner())
    assert set(legend(gantt(seen))) == {span.state for span in (*seen.spans, *seen.cook)}


def test_what_was_inferred_is_paler_and_the_legend_says_so():
    ax = gantt(timeline((0, RUNNING, "x", 0.0, 1.0, False), (1, RUNNING, "x", 1.0, 2.0, True)))
    alphas = {bar.get_facecolor()[0][3] for bar in bars(ax) if len(bar.get_facecolor())}
    assert len(alphas) == 2
    assert min(alphas) < 0.7 < max(alphas) == 1
    texts = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert any("inferred" in text for text in texts)
    observed = gantt(timeline((0, RUNNING, "x", 0.0, 1.0))).figure.legends[0].get_texts()
    assert not any("inferred" in text.get_text() for text in observed)


@pytest.mark.parametrize("n", [1, 12, 13, 25, 26, 100, pytest.param(MOST_LANES, marks=pytest.mark.long)])
def test_never_more_names_than_one_can_read(n):
    seen = simulate.cooperative(downloads(n))
    *names, cook = rows_of(gantt(seen))
    assert 0 < len(names) <= 25
    assert names == [lane for lane in seen.lanes if lane in names]  # in menu order
    assert cook.startswith("the cook")


def test_many_spans_are_few_drawings():
    rows = [(lane, RUNNING if n % 2 else WAITING, f"{n}", n, n + 1.0) for lane in range(100) for n in range(50)]
    seen = timeline(*rows, lanes=[f"lane {n}" for n in range(100)])
    assert len(seen.spans) == 5_000
    ax = gantt(seen)
    assert len(ax.collections) <= 15
    assert len(ax.patches) + len(ax.texts) + len(ax.lines) <= 15


# --- a crowd ---------------------------------------------------------------------------------------------------------


def areas(ax):
    """The stacked areas of the crowd picture, by state: all polygons above 0, as lists of corners."""
    states = {colour: state for state, (colour, _) in legend(ax).items()}
    stacked = {}
    for bar in bars(ax):
        polygons = [path.vertices for path in bar.get_paths() if path.vertices[:, 1].min() >= 0]
        if polygons:
            stacked.setdefault(states[to_rgb(bar.get_facecolor()[0])], []).extend(polygons)
    return stacked


def area(corners):
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def thickness(corners, time):
    """How high a polygon is at that time: the distance between the highest and the lowest side that crosses it."""
    x, y = corners.T
    x1, y1 = np.roll(x, -1), np.roll(y, -1)
    crosses = (x < time) != (x1 < time)
    heights = y[crosses] + (y1 - y)[crosses] * (time - x[crosses]) / (x1 - x)[crosses]
    return float(np.ptp(heights)) if heights.size else 0.0


def test_above_300_lanes_the_areas_add_up_to_the_lanes_that_are_not_finished():
    seen = crowd()
    stacked = areas(gantt(seen))
    polygons = [corners for polygons in stacked.values() for corners in polygons]
    finishes = [max(span.end for span in spans) for spans in seen.by_lane.values()]
    for time in np.linspace(0.02, 0.98, 25) * seen.makespan:
        total = sum(thickness(corners, time) for corners in polygons)
        blur = seen.makespan / 100  # a column of the picture shows a mean
        unfinished = [sum(finish > moment for finish in finishes) for moment in (time + blur, time - blur)]
        assert unfinished[0] - 1e-6 <= total <= unfinished[1] + 1e-6


def test_above_300_lanes_each_area_is_the_time_in_its_state():
    seen = crowd()
    stacked = areas(gantt(seen))
    assert set(stacked) == {RUNNING, READY, WAITING}
    for state, polygons in stacked.items():
        spent = sum(span.duration for span in seen.spans if span.state is state)
        assert isclose(sum(map(area, polygons)), spent, rel_tol=0.02)


def test_above_300_lanes_the_areas_lie_on_each_other_and_do_not_overlap():
    polygons = [corners for polygons in areas(gantt(crowd())).values() for corners in polygons]
    assert all(corners[:, 1].min() >= 0 for corners in polygons)
    assert max(corners[:, 1].max() for corners in polygons) <= (MOST_LANES + 100) * (1 + 1e-9)


def test_a_crowd_has_its_cook_at_the_bottom_and_few_drawings():
    seen = crowd()
    ax = gantt(seen)
    *names, cook = rows_of(ax)
    numbers, few = names[:5], names[5:]
    assert cook == f"the cook: {seen.utilization:.0%} busy"
    assert [int(number) for number in numbers] == [400, 300, 200, 100, 0]
    assert few == seen.few()
    assert len(ax.collections) <= 15


# --- several ---------------------------------------------------------------------------------------------------------


def test_compare_draws_one_above_the_other_on_one_time_axis():
    seen = [simulate.sync(dinner()), simulate.threaded(dinner()), simulate.cooperative(dinner())]
    axes = compare(*seen)
    assert [ax.get_title(loc="left") for ax in axes] == [timeline.summary() for timeline in seen]
    assert len({ax.get_xlim() for ax in axes}) == 1
    assert axes[0].get_xlim()[1] >= max(timeline.makespan for timeline in seen)
    axes[0].set_xlim(3, 4)
    assert axes[2].get_xlim() == (3, 4)
    axes[0].figure.canvas.draw()
    tops = [ax.get_position().y1 for ax in axes]
    assert tops == sorted(tops, reverse=True)
    assert [bool(ax.get_xlabel()) for ax in axes] == [False, False, True]
    assert len(axes[0].figure.legends) == 1


def test_compare_gives_more_room_to_more_lanes():
    few, many = compare(simulate.sync(downloads(1)), simulate.sync(downloads(8)))
    few.figure.canvas.draw()
    assert many.get_position().height > 1.2 * few.get_position().height


def test_compare_takes_a_single_one_and_a_crowd():
    assert len(compare(simulate.sync(dinner()))) == 1
    assert len(compare(crowd(), simulate.sync(dinner()))) == 2


def test_compare_refuses_nothing_and_what_does_not_fit_on_one_axis():
    with pytest.raises(ValueError, match="nothing to compare"):
        compare()
    with pytest.raises(ValueError, match="minutes"):
        compare(simulate.sync(dinner()), timeline((0, RUNNING, "x", 0.0, 1.0), unit="s"))
    assert plt.get_fignums() == []


# --- words from anywhere ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Glyph .* missing from:UserWarning")
@pytest.mark.filterwarnings("error:constrained_layout not applied")
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:10]))
def test_words_from_anywhere_are_drawn_as_they_are(text):
    rows = [(0, RUNNING, text, 0.0, 5.0), (0, WAITING, text, 5.0, 9.0)]
    seen = timeline(*rows, lanes=(f"a{text}", f"b{text}"), title=f"t{text}")
    assert png(seen).startswith(b"\x89PNG")
    assert len(compare(seen, seen)) == 2


def test_a_dollar_sign_is_a_dollar_sign():
    ax = gantt(timeline((0, RUNNING, "$x^2$", 0.0, 5.0), lanes=("$x^2$", "b"), title="$y_1$"))
    ax.figure.canvas.draw()
    drawn = [ax.get_yticklabels()[0], *ax.texts]
    assert len(drawn) > 1
    for text in drawn:
        assert text.get_text().replace("\\$", "") == text.get_text().replace("$", "").replace("\\", "")  # all escaped


# --- lanes that are there for a part of the time only ----------------------------------------------------------------


def test_a_lane_that_begins_late_and_has_a_gap_is_blank_then():
    rows = [(0, WAITING, "x", 0.0, 10.0), (1, RUNNING, "y", 4.0, 5.0), (1, RUNNING, "z", 8.0, 9.0)]
    ax = gantt(timeline(*rows))
    boxes = [path.get_extents() for bar in bars(ax) for path in bar.get_paths()]
    late = {(box.x0, box.x1) for box in boxes if box.y0 < 1 < box.y1}
    assert late == {(4, 5), (8, 9)}


def test_of_a_crowd_those_are_counted_that_are_there():
    """A hundred lanes from 0 on, and as many more as make a crowd from half of the time on."""
    number = MOST_LANES + 100
    rows = [(lane, WAITING, "x", 0.0 if lane < 100 else 5.0, 10.0) for lane in range(number)]
    ax = gantt(timeline(*rows, lanes=[str(lane) for lane in range(number)]))
    ((area,),) = areas(ax).values()
    height = {side: area[mask, 1].max() for side, mask in {"left": area[:, 0] < 4.9, "right": area[:, 0] > 5.1}.items()}
    assert height == pytest.approx({"left": 100, "right": number})


def test_in_the_cooks_row_no_name_stands_on_another():
    def names(*rows):
        timeline = Timeline(["cook 1", "cook 2"], Table(*zip(*rows, strict=True)))
        return [text.get_text() for text in gantt(timeline).texts if text.get_text() in timeline.lanes]

    one, other, late = [
        (lane, RUNNING, "stir", start, end, inferred)
        for lane, start, end, inferred in [(0, 0, 10, False), (1, 5, 7, True), (0, 13, 60, False)]
    ]
    assert names(one, late) == ["cook 1", "cook 1"]
    assert names(one, late, other) == ["cook 1"]  # the late one's


def test_where_several_cooks_work_at_once_their_row_has_a_strip_for_each():
    rows = [(0, 0.0, 6.0), (1, 1.0, 6.0), (2, 6.0, 8.0), (1, 6.5, 8.0)]
    run = timeline(*((lane, RUNNING, "x", start, end, False) for lane, start, end in rows), lanes=("a", "b", "c"))
    strips = {(span.lane, span.start): (y, thickness) for span, y, thickness in _strips(run, 5.0, 0.8)}
    upper, lower = (pytest.approx((y, 0.4)) for y in (4.8, 5.2))
    assert run.cooks == 2
    assert strips == {("a", 0.0): upper, ("b", 1.0): lower, ("c", 6.0): upper, ("b", 6.5): lower}
    assert {thickness for _, _, thickness in _strips(timeline((0, RUNNING, "x", 0.0, 1.0, False)), 5.0, 0.8)} == {0.8}
