"""A saved picture in a browser that has nothing else: no kernel, no server, no network. And in a notebook made HTML."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from kitchen import Dish, Span, Timeline, dinner, downloads, simulate, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Finding, Table
from kitchen.timeline.words import printable
from kitchen.views.player import Player

ROOT = Path(__file__).parents[2]
RUNS = {
    "sync": simulate.sync(dinner()),
    "threaded": simulate.threaded(dinner(), quantum=1.0, switch_cost=0.1),
    "cooperative": simulate.cooperative(dinner()),
}


@pytest.fixture
def opened(page, context, figure_in):
    """A function: the path of an HTML file in, its first figure out, in a browser that is offline."""

    def open_file(path):
        context.set_offline(True)
        context.route(re.compile("^(?!file:)"), lambda route: route.abort())
        page.goto(path.as_uri())
        return figure_in(page.locator("body"))

    return open_file


@pytest.fixture
def dinner_figure(opened, tmp_path):
    """The cooperative dinner, saved and opened."""
    path = tmp_path / "dinner.html"
    RUNS["cooperative"].save(path)
    return opened(path)


def assert_alone(page):
    """The page needed nothing but its own file, and had nothing to complain about."""
    assert page.requests == [page.url]
    assert page.problems == []


def turns(timeline):
    """When the cook turned from one dish to another."""
    return [after.start for before, after in pairwise(timeline.cook) if before.lane != after.lane]


def played(figure):
    """What is seen of a figure that plays from its beginning to its end."""
    figure.press("Home")
    figure.click("play")
    assert figure.part("play").get_attribute("aria-label") == "Pause"
    samples = [figure.until(lambda sample: sample["playing"], "it to play")]
    figure.until(lambda sample: samples.append(sample) or not sample["playing"], "the end")
    return samples


def test_a_saved_page_plays_to_its_end(dinner_figure):
    figure, page = dinner_figure, dinner_figure.page
    whole = RUNS["cooperative"].makespan
    first = figure.until(lambda sample: sample["frames"] > 0, "the first frame")
    assert (first["phase"], first["duration"]) == ("done", pytest.approx(whole))
    assert page.locator(".kitchen").count() == 1
    figure.part("speed").select_option(index=0)
    for _ in range(5):
        samples = played(figure)
        if len(samples) > 10:
            break  # else this computer was too busy to look
    playheads = [sample["playhead"] for sample in samples]
    assert playheads == sorted(playheads)
    assert playheads[-1] == pytest.approx(whole)
    assert len({sample["picture"] for sample in samples}) > len(samples) / 2 > 5
    assert len({sample["cpu"] for sample in samples}) > 5
    assert figure.part("play").get_attribute("aria-label") == "Play"
    assert figure.rest()["playhead"] == playheads[-1]
    assert_alone(page)


def test_play_pauses_where_it_is_and_goes_on_from_there(dinner_figure):
    figure = dinner_figure
    figure.press("Home")
    for keys_or_clicks in (lambda: figure.click("play"), lambda: press_on_root(figure, "Space")):
        start = figure.sample()["playhead"]
        keys_or_clicks()
        assert figure.part("play").get_attribute("aria-label") in ("Play", "Pause")
        figure.until(lambda sample, start=start: sample["playhead"] > start, "it to play")
        keys_or_clicks()
        stopped = figure.until(lambda sample: not sample["playing"], "a pause")["playhead"]
        later = figure.rest()
        assert start < later["playhead"] == stopped < later["duration"]


def press_on_root(figure, key):
    figure.root.focus()
    figure.page.keyboard.press(key)


@pytest.mark.parametrize("name", RUNS)
def test_stepping_visits_every_switch(opened, tmp_path, name):
    path = tmp_path / "run.html"
    RUNS[name].save(path)
    figure = opened(path)
    expected = turns(RUNS[name])
    assert len(expected) == RUNS[name].switches
    for forth, back in [(lambda: figure.click("forth"), lambda: figure.click("back")), keys(figure)]:
        figure.press("Home")
        assert walk(figure, forth) == pytest.approx(expected)
        assert walk(figure, back) == pytest.approx(expected[::-1])
    assert_alone(figure.page)


def keys(figure):
    return lambda: figure.press("ArrowRight"), lambda: figure.press("ArrowLeft")


def walk(figure, step):
    """Where the playhead stops on its way from one end to the other, the ends and the first grip left out."""
    stops = [figure.value("playhead")]
    while True:
        step()
        stops.append(figure.value("playhead"))
        if stops[-1] == stops[-2]:
            return [stop for stop in stops[:-1] if 0 < stop < figure.value("duration")]


def test_scrubbing_with_the_slider_and_on_the_picture(dinner_figure):
    figure, page = dinner_figure, dinner_figure.page
    whole = RUNS["cooperative"].makespan
    for share in (0, 0.25, 0.75, 1):
        figure.scrub(share)
        sample = figure.rest()
        assert sample["playhead"] == pytest.approx(share * whole, abs=0.01 * whole)
        assert f"{sample['playhead']:.1f}" in figure.part("clock").inner_text()
    for name in ("lanes", "axis"):
        box = figure.part(name).bounding_box()
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 0.3 * box["width"], middle)
        page.mouse.down()
        places = []
        for share in (0.3, 0.5, 0.7):
            page.mouse.move(box["x"] + share * box["width"], middle)
            places.append(figure.value("playhead"))
        page.mouse.up()
        assert places[0] < places[1] < places[2] < whole
        assert places[2] - places[1] == pytest.approx(places[1] - places[0], rel=0.02), "to scale"
        page.mouse.move(box["x"] + 0.4 * box["width"], middle)
        assert figure.value("playhead") == places[2], f"{name} lets go"
    assert_alone(page)


def test_zooming_with_buttons_keys_and_wheel(dinner_figure):
    figure, page = dinner_figure, dinner_figure.page
    figure.scrub(0.5)
    whole = figure.value("duration")
    box = figure.part("lanes").bounding_box()

    def wheel(by):
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 10)
        page.keyboard.down("Control")
        page.mouse.wheel(0, by)
        page.keyboard.up("Control")

    ways = {
        "buttons": (lambda: figure.click("in"), lambda: figure.click("out"), lambda: figure.click("fit")),
        "keys": (lambda: figure.press("+"), lambda: figure.press("-"), lambda: figure.press("0")),
        "wheel": (lambda: wheel(-200), lambda: wheel(200), lambda: figure.press("0")),
    }
    for way, (zoom_in, zoom_out, fit) in ways.items():
        all_of_it = figure.sample()
        zoom_in()
        figure.until(lambda sample, last=all_of_it: size(sample) < size(last), f"{way}: less")
        near = figure.rest()
        assert near["picture"] != all_of_it["picture"], way
        if way != "wheel":
            assert near["from"] < near["playhead"] < near["to"], f"{way}: the playhead stays in sight"
        zoom_out()
        figure.until(lambda sample, last=near: size(sample) > size(last), f"{way}: more")
        for _ in range(60):
            zoom_in()
        deep = figure.rest()
        assert size(deep) > 0 and deep["from"] >= 0 and deep["to"] <= whole * 1.1, way
        fit()
        figure.until(lambda sample: sample["from"] <= 0 and sample["to"] >= whole, f"{way}: all")
    assert page.evaluate("window.visualViewport.scale") == 1
    assert_alone(page)


def test_the_tip_names_dish_step_state_and_times(dinner_figure):
    figure, timeline = dinner_figure, RUNS["cooperative"]
    for share in (0.05, 0.3, 0.6, 0.95):
        figure.scrub(share)
        moment = figure.value("playhead")
        for number, lane in enumerate(timeline.lanes):
            figure.press("Escape", *["ArrowDown"] * (number + 1))
            span = next((span for span in timeline.by_lane[lane] if span.start <= moment < span.end), None)
            tip = figure.part("tip").inner_text()
            assert lane in tip
            if span:
                assert_tells(tip, span)
    figure.press("Escape")
    assert figure.part("tip").is_hidden()


def assert_tells(tip, span):
    """The tip tells all of a span."""
    assert span.label in tip
    assert span.state.name.lower() in tip.lower()
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", tip)]
    for time in (span.start, span.end):
        assert any(number == pytest.approx(time, rel=0.01, abs=0.01) for number in numbers), (tip, span)


def test_the_tip_follows_the_pointer(dinner_figure):
    figure, page, timeline = dinner_figure, dinner_figure.page, RUNS["cooperative"]
    figure.until(lambda sample: sample["frames"] > 0)
    box = figure.part("lanes").bounding_box()
    told = {}
    for down in range(4, int(box["height"]), 6):
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + down)
        if figure.part("tip").is_visible():
            tip = figure.part("tip").inner_text()
            told |= {lane: tip for lane in timeline.lanes if tip.startswith(lane)}
    assert list(told) == list(timeline.lanes)
    for lane, tip in told.items():
        assert any(span.label in tip and span.state.name in tip.upper() for span in timeline.by_lane[lane])
    page.mouse.move(1, 1)
    figure.part("tip").wait_for(state="hidden")
    assert_alone(page)


def test_words_for_whoever_does_not_see_the_picture(dinner_figure):
    figure = dinner_figure
    said = set()
    for share in (0.1, 0.5, 0.9):
        figure.scrub(share)
        said.add(figure.rest()["status"])
    assert len(said) == 3
    assert any("steak" in words for words in said)
    assert figure.part("status").get_attribute("aria-live") == "polite"
    buttons = figure.root.locator("button, input, select, canvas:not([aria-hidden])")
    for number in range(buttons.count()):
        assert buttons.nth(number).evaluate("e => e.ariaLabel || e.closest('label')?.textContent"), number


@pytest.mark.slow
def test_a_thousand_lanes_scroll(opened, tmp_path):
    path = tmp_path / "many.html"
    simulate.cooperative(downloads(1000)).save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["runs"] and sample["runs"][0]["lanes"] == 1000)
    page = figure.page
    figure.root.get_by_label("Which lanes").select_option("all")
    assert figure.root.bounding_box()["height"] < 900, "the figure fits on a screen"
    first = figure.rest()
    before = page.screenshot()
    box = figure.part("lanes").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 100)
    page.mouse.wheel(0, 1500)
    figure.until(lambda sample: sample["picture"] != first["picture"], "other lanes")
    page.mouse.move(1, 1)
    figure.rest()
    assert page.screenshot() != before
    page.mouse.move(box["x"] + 0.5 * box["width"], 300)
    number = int(re.search(r"page (\d+)", figure.part("tip").inner_text())[1])
    assert 200 < number < 900, "the tip knows which lanes are in sight"
    page.mouse.move(1, 1)
    figure.root.focus()
    figure.press("Escape", "End", *["ArrowDown"] * 301)  # the first row is the chart
    assert "page 299" in figure.part("tip").inner_text()
    tip, root = figure.part("tip").bounding_box(), figure.root.bounding_box()
    assert root["y"] <= tip["y"] and tip["y"] + tip["height"] <= root["y"] + root["height"]
    assert_alone(page)


def test_with_shift_a_mouse_marks_what_the_picture_then_shows_alone(dinner_figure):
    figure, page = dinner_figure, dinner_figure.page
    before = figure.rest()
    for name, (left, right) in ("lanes", (0.6, 0.8)), ("axis", (0.7, 0.3)):  # within what the first one has left
        playhead, since, size = (figure.value(which) for which in ("playhead", "camera.from", "camera.size"))
        assert figure.mark(name, left, right), "the range is seen"
        sample = figure.rest()
        assert sample["from"] == pytest.approx(since + min(left, right) * size, abs=0.01 * size), name
        assert sample["to"] == pytest.approx(since + max(left, right) * size, abs=0.01 * size), name
        assert figure.value("playhead") == playhead
        assert not figure.root.locator(".kitchen-range").is_visible()
        assert figure.root.evaluate("root => root.contains(document.activeElement)"), "the keys are the figure's"
    figure.click("fit")
    assert (figure.rest()["from"], figure.rest()["to"]) == (before["from"], before["to"])
    assert_alone(page)


# --- a crowd ---------------------------------------------------------------------------------------------------------


def crowd(number=500, name="page {}"):
    """A run of so many dishes, in which number 77 takes longest, and 5 and 333 were not done."""
    steps = [
        [work("ask", 0.01), wait("answer", 60 if n == 77 else 9 + n % 5), work("read", 0.01)] for n in range(number)
    ]
    timeline = simulate.cooperative([Dish(name.format(n), of) for n, of in enumerate(steps)])
    timeline.outcomes = {name.format(n): "timed out" for n in (5, 333)}
    return timeline


@pytest.fixture
def crowd_figure(opened, tmp_path):
    path = tmp_path / "crowd.html"
    crowd().save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    return figure


SHOWN = "plan.rows.filter(({ kind, height }) => kind === 'lane' && height).map(({ lane }) => lane)"


def test_a_crowd_is_how_many_are_in_each_state_and_the_lanes_one_asks_for(crowd_figure):
    figure, page = crowd_figure, crowd_figure.page
    choice, name = figure.root.get_by_label("Which lanes"), figure.root.get_by_label("Part of a lane's name")
    assert figure.value(SHOWN) == list(range(10))
    assert figure.root.bounding_box()["height"] < 700
    assert figure.part("ask").inner_text().endswith("10 of 500 shown")
    first = figure.rest()
    for option, lanes in [("undone", [5, 333]), ("slowest", None), ("first", list(range(10)))]:
        choice.select_option(option)
        figure.rest()
        assert figure.value(SHOWN) == lanes if lanes else 77 in figure.value(SHOWN)
    assert figure.rest()["picture"] == first["picture"]
    choice.select_option("all")
    name.focus()
    page.keyboard.type("PAGE 33")  # no key of these moves the picture
    after = figure.rest()
    assert figure.value(SHOWN) == [33, *range(330, 340)]
    assert (after["playhead"], after["from"], after["to"]) == (first["playhead"], first["from"], first["to"])
    assert "11 of 500 shown" in figure.part("ask").inner_text()
    page.keyboard.type("<img src=x onerror=window.hacked=1>")
    assert figure.rest()["status"]
    assert figure.value(SHOWN) == []
    assert "0 of 500 shown" in figure.part("ask").inner_text()
    assert_alone(page)


def test_the_form_of_a_crowd_is_used_with_the_keyboard_alone(crowd_figure):
    figure, page = crowd_figure, crowd_figure.page
    figure.root.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Which lanes are shown"
    page.keyboard.press("ArrowDown")
    assert figure.until(lambda sample: figure.value(SHOWN) != list(range(10)))
    assert 77 in figure.value(SHOWN)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Part of a lane's name"
    page.keyboard.type("page 0")
    figure.until(lambda sample: figure.value(SHOWN) == [0])
    figure.root.focus()
    figure.press("Home", "ArrowDown", "ArrowDown")
    assert figure.part("tip").inner_text().startswith("page 0")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.15, 0.6, 1.0])
def test_the_count_under_the_playhead_is_told_in_words(crowd_figure, share):
    figure, timeline = crowd_figure, crowd()
    figure.scrub(share)
    moment = figure.value("playhead")
    figure.press("Escape", "ArrowDown")
    told = {what: int(number) for number, what in re.findall(r"(\d+) (\w[^\d\n]*)", figure.part("tip").inner_text())}
    counts = timeline.counts([moment + 1e-9])
    assert {state.name: told[state.name] for state in (RUNNING, READY, WAITING)} == {
        state.name: number for state, (number,) in counts.items() if state is not IDLING
    }
    over = [lane for lane, finish in timeline.finishes.items() if finish <= moment + 1e-9]
    undone = sum(lane in timeline.outcomes for lane in over)
    assert (told.get("done", 0), told.get("over, and not done", 0)) == (len(over) - undone, undone)
    assert ", ".join(figure.part("tip").inner_text().splitlines()) == figure.rest()["status"]


def test_the_areas_are_as_high_as_there_are_lanes(crowd_figure):
    figure, timeline = crowd_figure, crowd()
    figure.press("End")
    figure.rest()
    heights = """(root, time) => {
        const { plan, plate, view, ink } = root.kitchen
        const chart = plan.rows.find(({ kind }) => kind === "chart")
        const x = Math.round((time - view.from) / (view.to - view.from) * view.width * view.ratio)
        const [y, height] = [Math.round(chart.y * view.ratio), Math.round(chart.height * view.ratio)]
        const { data } = plate.context.getImageData(x, y, 1, height)
        return [...Array(height).keys()].filter(row => data[4 * row + 3] > 127).length / (height - 4 * view.ratio)
    }"""
    for moment in (2.0, 6.0, 11.5, 30.0):
        there = sum(numbers[0] for numbers in timeline.counts([moment]).values())
        assert figure.root.evaluate(heights, moment) == pytest.approx(there / 500, abs=0.03), moment


def test_a_crowd_is_played_stepped_and_zoomed_like_any_other(crowd_figure):
    figure = crowd_figure
    figure.press("Home", "ArrowRight", "ArrowRight")
    assert figure.value("playhead") == pytest.approx(turns(crowd())[0], abs=0.011)
    whole = figure.rest()
    figure.press("+", "+")
    near = figure.rest()
    assert size(near) == pytest.approx(size(whole) / 4)
    assert near["picture"] != whole["picture"]
    figure.press("0", "Home", "Space")
    figure.until(lambda sample: sample["playhead"] > 0, "it to play")
    assert_alone(figure.page)


def test_a_crowd_with_hostile_names_and_several_crowds(opened, tmp_path):
    path = tmp_path / "crowds.html"
    name = "{}</script><img src=x onerror=window.hacked=1>"
    Player(crowd(400, name), crowd(200), simulate.sync(dinner())).save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    figure.press("Escape", *["ArrowDown"] * 2)
    assert name.format(0) in figure.part("tip").text_content()
    assert "23 of 603 shown" in figure.part("ask").inner_text()
    assert figure.root.locator("img, [onerror]").count() == 0
    assert figure.page.evaluate("window.hacked") is None
    assert_alone(figure.page)


def test_several_runs_in_one_page(opened, tmp_path):
    path = tmp_path / "three.html"
    Player(*RUNS.values()).save(path)
    figure = opened(path)
    sample = figure.until(lambda sample: len(sample["runs"]) == 3)
    assert [run["title"] for run in sample["runs"]] == [run.title for run in RUNS.values()]
    assert [run["offset"] for run in sample["runs"]] == [0, 0, 0]
    assert sample["duration"] == pytest.approx(max(run.makespan for run in RUNS.values()))
    figure.press("Home", "Space")
    figure.until(lambda sample: sample["playhead"] > 0, "it to play")
    assert_alone(figure.page)


@pytest.mark.parametrize("dishes", [[], [Dish("nothing", [])], [Dish("one", [work("moment", 0)])]], ids=len)
def test_a_page_in_which_nothing_happens(opened, tmp_path, dishes):
    path = tmp_path / "nothing.html"
    simulate.sync(dishes).save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    figure.press("Home", "Space", "ArrowRight", "ArrowLeft", "ArrowDown", "+", "-", "0", "End", "Space")
    for name in ("in", "out", "fit", "back", "forth"):
        figure.click(name)
    figure.scrub(0.5)
    assert figure.rest()["playhead"] == 0
    assert "NaN" not in figure.root.inner_text() and "undefined" not in figure.root.inner_text()
    assert_alone(figure.page)


def test_hostile_names_stay_text(opened, tmp_path, hostile):
    timeline = simulate.cooperative([Dish(name, [work(name, 1), wait(name, 5), work(name, 1)]) for name in hostile])
    timeline.title = "".join(hostile)
    path = tmp_path / "hostile.html"
    timeline.save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    figure.scrub(0.4)
    for name in hostile:
        figure.press("ArrowDown")
        if name.isascii() and name.isprintable():
            assert figure.part("tip").text_content().count(name) == 2, "dish and step"
    assert figure.root.locator(".kitchen-tip img, .kitchen-tip script, [onerror]").count() == 0
    assert figure.page.evaluate("[window.hacked, document.querySelectorAll('img[src=x]').length]") == [None, 0]
    assert figure.page.locator(".kitchen").count() == 1
    assert_alone(figure.page)


def test_a_notebook_made_html_has_players_in_it(opened, tmp_path, figure_in):
    live = "with live('dinner') as view:\n    perform.threaded(dinner(), minute=0.01)"
    cells = ["from kitchen import dinner, perform, simulate\nfrom kitchen.views.live import live", live]
    cells.append("simulate.cooperative(dinner())")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "book.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "book.ipynb"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=120)
    assert said.returncode == 0, said.stderr.decode()
    figure = opened(tmp_path / "book.html")
    page = figure.page
    page.wait_for_function("[...document.querySelectorAll('.kitchen')].filter(root => root.kitchen).length === 2")
    for number in (0, 1):
        figure = figure_in(page.locator("body"), number)
        assert figure.until(lambda sample: sample["frames"] > 0)["phase"] == "done"
        figure.press("Home", "Space")
        figure.until(lambda sample: sample["playhead"] > 0, "it to play")
    # What nbconvert itself asks the network for is not there, and the players do not miss it.
    assert [problem for problem in page.problems if "Failed to load resource" not in problem] == []


def size(sample):
    """How much time the picture shows."""
    return sample["to"] - sample["from"]


# --- what is amiss ---------------------------------------------------------------------------------------------------


def program(tasks=3, title="watched", text="line 7 held the loop for 2 s."):
    """What is left of a program whose last task held the loop from second 5 to 7 of 20; and one finding of no span."""
    lanes = ["main", *(f"task {number}" for number in range(tasks))]
    rows = [(lane, WAITING, "network", 0.0, 20.0) for lane in range(tasks)]
    rows += [(tasks, RUNNING, "fetch", 5.0, 7.0), (tasks, WAITING, "network", 7.0, 20.0)]
    held = Finding("blocked", text, "a.py", 7, Span(lanes[-1], RUNNING, "fetch", 5.0, 7.0))
    never = Finding("never awaited", "save() was never awaited.", "a.py", 9)
    parents = dict.fromkeys(lanes[1:], "main")
    facts = {"parents": parents, "findings": [held, never], "unit": "s", "title": title}
    return Timeline(lanes, Table(*zip(*rows, strict=True)), **facts)


@pytest.mark.parametrize("press", ["mouse", "Enter", "Space"])
@pytest.mark.parametrize("tasks", [3, 400])
def test_a_finding_shows_where(opened, tmp_path, press, tasks):
    path = tmp_path / "found.html"
    program(tasks).save(path)
    figure = opened(path)
    whole = figure.until(lambda sample: sample["frames"] > 0)
    assert figure.part("findings").inner_text().splitlines() == [
        "What stands out",
        "line 7 held the loop for 2 s.",
        "save() was never awaited.",
    ]
    assert figure.part("finding").count() == 1, "the other has nothing to show"
    if press == "mouse":
        figure.click("finding")
    else:
        figure.part("finding").focus()
        figure.page.keyboard.press(press)
    near = figure.rest()
    assert near["playhead"] == 5
    assert 0 < near["from"] < 5 < 7 < near["to"] < size(whole)
    tip = figure.part("tip")
    assert tip.is_visible()
    assert tip.inner_text().splitlines()[:3] == [f"task {tasks - 1}", "fetch", "RUNNING"]
    assert "created by main" in tip.inner_text() and "created by main" in near["status"]
    place, stage = tip.bounding_box(), figure.part("stage").bounding_box()
    assert stage["y"] <= place["y"] and place["y"] + place["height"] <= stage["y"] + stage["height"] + 40
    row = figure.value("pointer.focus.y"), figure.value("pointer.focus.height")
    assert figure.value("visible.top") <= row[0] and row[0] + row[1] <= figure.value("visible.top") + figure.value(
        "visible.height"
    )
    figure.click("fit")
    figure.page.mouse.move(1, 1)
    again = figure.rest()
    assert (again["from"], again["to"]) == (whole["from"], whole["to"])
    figure.press("Escape", "Home")
    press_on_root(figure, "Space")
    figure.until(lambda sample: sample["playing"] and sample["playhead"] > 0, "it to play")
    assert_alone(figure.page)


def test_the_span_of_a_finding_is_seen_in_full_colour(opened, tmp_path):
    path = tmp_path / "found.html"
    program().save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    figure.click("finding")
    figure.rest()
    colour = """(root, time) => {
        const { gutter, width, camera: { from, to }, view, context, pointer: { focus } } = root.kitchen
        const x = gutter + (time - from) / (to - from) * width
        return [...context.getImageData(Math.round(x * view.ratio), Math.round((focus.y + 4) * view.ratio), 1, 1).data]
    }"""
    found, after = (figure.root.evaluate(colour, time) for time in (6.7, 7.3))
    assert found == [0, 0x72, 0xB2, 255]
    assert after[3] < 128, "what comes after the playhead is faint"
    figure.press("Escape")
    figure.rest()
    assert figure.value("found") is None


def test_findings_of_several_runs_say_whose_they_are(opened, tmp_path):
    path = tmp_path / "two.html"
    Player(program(title="one"), program(title="two"), offsets=[0.0, 30.0]).save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    held = "line 7 held the loop for 2 s."
    assert figure.part("finding").all_inner_texts() == [f"one: {held}", f"two: {held}"]
    figure.part("finding").nth(1).click()
    near = figure.rest()
    assert near["playhead"] == 35
    assert 30 < near["from"] < 35 < 37 < near["to"]
    assert figure.value("pointer.focus.run.title") == "two"


def test_a_clean_program_has_no_list(dinner_figure):
    dinner_figure.until(lambda sample: sample["frames"] > 0)
    assert dinner_figure.part("findings").is_hidden()
    assert "stands out" not in dinner_figure.root.inner_text()


def test_hostile_findings_stay_text(opened, tmp_path, hostile):
    path = tmp_path / "hostile.html"
    texts = [*hostile, "</script><img onerror=window.hacked=1 src=x>"]
    Player(*(program(text=text) for text in texts)).save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0)
    shown = figure.part("finding").evaluate_all("buttons => buttons.map((button) => button.textContent)")
    assert shown == [f"watched: {printable(text)}" for text in texts]
    figure.part("finding").last.click()
    assert figure.root.locator(".kitchen-findings img, .kitchen-findings script, [onerror]").count() == 0
    assert figure.page.evaluate("[window.hacked, document.querySelectorAll('img[src=x]').length]") == [None, 0]
    assert_alone(figure.page)


def test_where_no_script_runs_the_findings_stand_below_the_picture(browser, tmp_path):
    path = tmp_path / "found.html"
    program(text="<b>line 7</b> held the loop").save(path)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("li").all_inner_texts() == ["<b>line 7</b> held the loop", "save() was never awaited."]
    context.close()


def test_an_address_opens_the_page_at_a_moment_and_a_button_makes_such_an_address(opened, page, context, tmp_path):
    path = tmp_path / "three.html"
    Player(*RUNS.values()).save(path)
    opened(path)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{path.as_uri()}#figure=1&t=12.5")
    page.reload()
    page.wait_for_function("document.querySelector('figure').kitchen?.frames > 0")
    assert page.evaluate("document.querySelector('figure').kitchen.playhead") == 12.5
    page.evaluate("document.querySelector('figure').kitchen.goTo(7)")
    page.locator(".kitchen-link").click()
    page.wait_for_function("location.hash === '#figure=1&t=7'")
    page.wait_for_function("document.querySelector('.kitchen-status').innerText.includes('link to this moment')")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_picture_can_be_taken_along_as_an_image(opened, page, context, tmp_path):
    path = tmp_path / "three.html"
    Player(*RUNS.values()).save(path)
    opened(path)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.wait_for_function("document.querySelector('figure').kitchen.frames > 0")
    page.locator(".kitchen-image").click()
    page.wait_for_function("document.querySelector('.kitchen-status').innerText.includes('on the clipboard')")
    size = page.evaluate("""async () => {
        const [item] = await navigator.clipboard.read();
        const image = await createImageBitmap(await item.getType("image/png"));
        const { view, plan } = document.querySelector("figure").kitchen;
        return [image.width / view.ratio - view.whole, image.height / view.ratio - plan.height];
    }""")
    assert 0 < size[0] < 50  # a margin
    assert 60 < size[1] < 200  # title, axis and legend


def test_in_the_cooks_row_a_mark_stands_for_a_name_that_has_no_room(opened, page, tmp_path):
    path = tmp_path / "dinner.html"
    RUNS["threaded"].save(path)
    figure = opened(path)
    figure.until(lambda sample: sample["frames"] > 0, "the first frame")
    marks = page.evaluate("""() => {
        const { plate, plan, view } = document.querySelector("figure").kitchen;
        const cook = plan.rows.find((row) => row.kind === "cook");
        const middle = Math.round((cook.y + cook.height / 2) * view.ratio);
        const line = plate.writing.come.canvas.getContext("2d").getImageData(0, middle, plate.canvas.width, 1).data;
        return line.filter((_, at) => at % 4 === 3).filter((alpha) => alpha > 200).length;
    }""")
    assert marks > 20
