"""A saved figure as it is used: on paper, with forced colours, by finger, on a phone, on a laptop; and many in one page."""

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from conftest import a_firefox, until
from PIL import Image

from kitchen import Dish, State, dinner, downloads, simulate, work
from kitchen.views.assets import once
from kitchen.views.palette import INKS
from kitchen.views.player import DOCUMENT, Player

RUN = simulate.cooperative(dinner())


@pytest.fixture
def opened(page, figure_in, tmp_path):
    """A function: Timelines in, the figure of their player out, in a page of its own."""

    def open_player(*timelines):
        Player(*timelines).save(tmp_path / "player.html")
        page.goto((tmp_path / "player.html").as_uri())
        figure = figure_in(page.locator("body"))
        figure.until(lambda sample: sample["frames"] > 0, "the first frame")
        return figure

    return open_player


def colours(screenshot):
    """The colours of a picture, as (red, green, blue)."""
    image = Image.open(BytesIO(screenshot)).convert("RGB")
    return {colour for _, colour in image.getcolors(image.width * image.height)}


def rgb(colour):
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


# --- contrast --------------------------------------------------------------------------------------------------------

WORD = """(root, [label, time]) => {
    // the darkest and the lightest pixel of the bar in which this word stands
    const { view, plan, context, film, camera } = root.kitchen, run = film.runs[0]
    const spanOf = ({ lane }) => run.span(lane, run.find(lane, time), 0)
    const row = plan.rows.find(row => row.kind === "lane" && spanOf(row)?.label === label)
    const span = spanOf(row)
    const x = (time) => view.gutter + camera.partOf(time) * view.width
    const box = [x(span.start) + 3, row.y + 3, x(span.end) - x(span.start) - 6, row.height - 6]
    const { data } = context.getImageData(...box.map(side => Math.round(side * view.ratio)))
    const paper = getComputedStyle(root).backgroundColor.match(/\\d+/g).map(Number)
    const linear = (part) => (part /= 255, part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    let low = 1, high = 0
    for (let at = 0; at < data.length; at += 4) {
        const alpha = data[at + 3] / 255
        const [r, g, b] = [0, 1, 2].map(part => linear(data[at + part] * alpha + paper[part] * (1 - alpha)))
        const light = 0.2126 * r + 0.7152 * g + 0.0722 * b
        low = Math.min(low, light)
        high = Math.max(high, light)
    }
    return (high + 0.05) / (low + 0.05)
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_before_the_playhead_and_behind_it(opened, scheme):
    opened(RUN).page.emulate_media(color_scheme=scheme)
    figure = opened(RUN)
    for share in (0, 1):
        figure.scrub(share)
        figure.rest()
        for label, time in [("chop", 8), ("peel", 14), ("fry", 14), ("boil", 5)]:
            assert figure.root.evaluate(WORD, [label, time]) >= 4.5, (label, share)


def test_waiting_has_an_edge_that_can_be_told_from_paper(opened):
    figure = opened(RUN)
    edge = rgb(INKS[next(state for state in INKS if state.value == "waiting")].pattern)
    assert edge in colours(figure.part("lanes").screenshot())
    assert edge in colours(figure.root.locator(".kitchen-is-waiting").screenshot())


# --- paper -----------------------------------------------------------------------------------------------------------


def test_on_paper_a_figure_is_whole_and_its_legend_has_colours(opened):
    figure = opened(simulate.sync(dinner()))
    page = figure.page
    page.set_viewport_size({"width": 1400, "height": 900})
    figure.until(lambda sample: page.evaluate("document.querySelector('.kitchen-lanes').clientWidth") > 1200)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 1000})  # as wide as A4; nothing is painted anew while it prints
    for name in ("lanes", "axis"):
        box, root = figure.part(name).bounding_box(), figure.root.bounding_box()
        assert box["x"] + box["width"] <= root["x"] + root["width"] + 1, name
    assert not figure.part("controls").is_visible()
    exact = "e => getComputedStyle(e).printColorAdjust || getComputedStyle(e).webkitPrintColorAdjust"
    assert figure.root.locator(".kitchen-swatch").first.evaluate(exact) == "exact"
    assert figure.root.locator(".kitchen-meaning:visible").count() == 4, "three states, and whom the cook serves"


@pytest.mark.slow  # another browser
def test_what_firefox_prints_is_whole_and_has_its_colours(tmp_path):
    simulate.sync(dinner()).save(tmp_path / "player.html")
    with a_firefox() as page:
        page.set_viewport_size({"width": 1400, "height": 900})
        page.goto((tmp_path / "player.html").as_uri())
        until(page, lambda: page.evaluate("document.querySelector('figure').kitchen?.frames"), "the first frame")
        (tmp_path / "paper.pdf").write_bytes(page.printed())
        page.goto((tmp_path / "paper.pdf").as_uri())  # Firefox shows it, too
        running, ready, idling = (rgb(INKS[state].face) for state in (State.RUNNING, State.READY, State.IDLING))
        until(page, lambda: {running, ready, idling} <= colours(page.screenshot()), "the picture")
        assert rightmost(page.screenshot(), running) > rightmost(page.screenshot(), ready), "the salad's end is there"


def rightmost(screenshot, colour):
    """Where in a picture a colour stands furthest to the right, in pixels."""
    image = np.asarray(Image.open(BytesIO(screenshot)).convert("RGB"))
    return (image == colour).all(axis=2).any(axis=0).nonzero()[0].max()


# --- forced colours --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_colours_are_forced_legend_and_picture_keep_theirs(opened, scheme):
    opened(RUN).page.emulate_media(forced_colors="active", color_scheme=scheme)
    figure = opened(RUN)
    faces = {state.value: (ink.face, ink.dark_face)[scheme == "dark"] for state, ink in INKS.items()}
    for name in ("running", "ready", "waiting"):
        assert rgb(faces[name]) in colours(figure.root.locator(f".kitchen-is-{name}").screenshot()), name
    seen = colours(figure.part("lanes").screenshot())
    assert rgb(faces["running"]) in seen
    paper = (255, 255, 255) if scheme == "light" else (0, 0, 0)
    assert paper in seen
    assert tuple(255 - part for part in paper) in seen, "names stand on paper in its opposite"


# --- room ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "timelines",
    [
        [RUN],
        [simulate.threaded(downloads(100))],
        [simulate.sync(dinner())] * 4,
        [simulate.cooperative(downloads(1000))],
    ],
    ids=["dinner", "100 lanes", "four dinners", "crowd"],
)
def test_on_a_laptop_picture_and_controls_are_in_sight_at_once(opened, timelines):
    figure = opened(*timelines)
    figure.page.set_viewport_size({"width": 1280, "height": 800})
    figure.rest()
    figure.rest()
    root, controls = figure.root.bounding_box(), figure.part("controls").bounding_box()
    assert controls["y"] + controls["height"] - root["y"] <= 800 - 160, "JupyterLab's own bars take 121 pixels"


def test_whatever_is_told_while_it_plays_nothing_below_moves(opened):
    figure = opened(simulate.sync(dinner()), simulate.threaded(dinner()), RUN)
    heights = set()
    for share in range(0, 101, 4):
        figure.scrub(share / 100)
        figure.rest()
        heights.add(figure.root.bounding_box()["height"])
    assert len(heights) == 1


# --- a finger --------------------------------------------------------------------------------------------------------


@pytest.fixture
def finger(page):
    """A function: points of the page in, a touch out that goes down at the first, moves to the others, and up."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(*points):
        for kind, point in zip(["touchStart", *["touchMove"] * (len(points) - 1)], points, strict=True):
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    return touch


def test_a_finger_scrolls_scrubs_and_taps(opened, finger):
    figure = opened(RUN)
    page = figure.page
    page.set_viewport_size({"width": 390, "height": 700})
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    figure.press("End")
    figure.rest()
    box = figure.part("lanes").bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 30
    finger((x, y))
    assert figure.part("tip").is_visible()
    assert "steak" in figure.part("tip").inner_text()
    assert figure.value("playhead") == figure.value("duration"), "a tap moves nothing"
    finger(*[(x, y + 300 - 20 * step) for step in range(12)])
    assert figure.value("playhead") == figure.value("duration")
    finger(*[(x, y - 5 * step) for step in range(12)])
    page.wait_for_function("window.scrollY > 0")
    assert figure.value("playhead") == figure.value("duration"), "up and down it scrolls"
    page.evaluate("window.scrollTo(0, 0)")
    finger(*[(x - 8 * step, y) for step in range(10)])
    figure.until(lambda sample: sample["playhead"] < sample["duration"], "sideways it moves the playhead")


def test_on_a_phone_headings_say_what_ran_and_how_long(opened):
    figure = opened(simulate.sync(dinner()), RUN)
    figure.page.set_viewport_size({"width": 390, "height": 800})
    figure.until(lambda sample: figure.value("narrow"))
    figure.rest()
    assert figure.value("plan.rows[0].height") >= 55, "three lines: what ran, its figures, and how things stand"
    assert figure.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_long_names_stand_above_their_lanes(opened):
    figure = opened(simulate.cooperative([Dish("the first page of them all", [work("fetch", 1)]), *dinner()]))
    assert figure.value("plan.over") == 0, "there is room beside them"
    beside = figure.value("width")
    figure.page.set_viewport_size({"width": 390, "height": 800})
    figure.until(lambda sample: figure.value("plan.over") > 0, "names above")
    figure.rest()
    assert figure.value("gutter") < 30
    rows = figure.value("plan.rows.map(row => [row.y, row.height])")
    assert all(after[0] - before[0] - before[1] >= 15 for before, after in pairwise(rows)), "room for a name"
    figure.page.set_viewport_size({"width": 1200, "height": 800})
    figure.until(lambda sample: figure.value("plan.over") == 0 and figure.value("width") == beside, "names beside")


def test_by_finger_the_controls_are_44_pixels(browser, tmp_path):
    RUN.save(tmp_path / "player.html")
    context = browser.new_context(viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((tmp_path / "player.html").as_uri())
    page.locator(".kitchen-controls button").first.wait_for()
    for target in page.locator(".kitchen-controls :is(button, select, input)").all():
        box = target.bounding_box()
        assert not box or (box["height"] >= 44 and box["width"] >= 44), target.get_attribute("title")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


# --- many in one page ------------------------------------------------------------------------------------------------


ALIVE = """window.alive = []  // the figures in the order in which they come to life
new MutationObserver(changes => {
    for (const { target } of changes) alive.push([...document.querySelectorAll("figure")].indexOf(target))
}).observe(document, { subtree: true, attributeFilter: ["data-phase"] })"""


def test_players_of_one_page_share_what_is_packed_and_each_plays(page, figure_in, tmp_path):
    menus = [dinner()[:number] for number in (1, 2, 3)]
    htmls = [Player(simulate.cooperative(menu)).html() for menu in menus]
    path = tmp_path / "page.html"
    path.write_text(DOCUMENT.format(title="", body="\n".join([*htmls, htmls[0]])), encoding="utf-8")
    page.goto(path.as_uri())
    for number in range(4):
        figure = figure_in(page.locator("body"), number)
        figure.until(lambda sample: sample["frames"] > 0, f"number {number}")
        assert figure.sample()["runs"][0]["lanes"] == [1, 2, 3, 1][number]
    assert page.evaluate("document.head.querySelectorAll('style').length") == 1
    assert page.problems == []
    assert page.requests == [page.url]


def test_of_many_players_the_one_that_the_address_asks_for_comes_to_life_before_those_on_the_way(page, tmp_path):
    had = set()
    players = [Player(simulate.cooperative(dinner()), title=f"number {number}").html() for number in range(5)]
    players = [once(html, had) for html in reversed(players)][::-1]  # the script comes when all are there
    body = '<div style="height: 3000px"></div>'.join(players)
    (tmp_path / "page.html").write_text(DOCUMENT.format(title="", body=body), encoding="utf-8")
    page.add_init_script(ALIVE)
    page.goto((tmp_path / "page.html").as_uri() + "#figure=5&t=3")
    page.wait_for_function("alive.length === 5")
    assert page.evaluate("alive.slice(0, 2)") == [0, 4]
    assert page.evaluate("document.querySelectorAll('figure')[4].kitchen.playhead") == 3
    assert page.problems == []


def test_where_no_script_runs_picture_and_words_remain(browser, tmp_path):
    RUN.save(tmp_path / "player.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "player.html").as_uri())
    image = page.locator(".kitchen img")
    assert image.bounding_box()["width"] > 800
    assert rgb(INKS[next(iter(INKS))].face) in colours(image.screenshot())
    assert image.get_attribute("alt") == RUN.summary()
    context.close()
