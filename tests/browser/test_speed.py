"""What looking costs, and how fast the picture is: live view, saved player and sliders, in a real browser.

Looked at and not looked at, ours and what one would write first, in turn. The bars are those of a computer with two cores
that does little else.
"""

import asyncio
import json
import math
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import looking
import pytest
from helpers.crowd import LANES as CROWD
from helpers.crowd import recorded
from helpers.measure import Ratio, held, in_turn, wall

from kitchen import Dish, fetch, simulate, wait, work
from kitchen.views.paper import Picture
from kitchen.views.player import Player
from kitchen.web.site import serve

pytestmark = pytest.mark.measured

# --- what looking costs ----------------------------------------------------------------------------------------------

MODES = ["perform.sync", "perform.threaded", "perform.cooperative", "fetch.sync"]
MODES += ["fetch.threaded, 1 s", "fetch.cooperative, 1 s"]
SMALL = ["perform.cooperative", *MODES[-2:]]  # on a build server
SHORT = ["fetch.threaded, 0.1 s", "fetch.cooperative, 0.1 s"]  # over before the page has heard of them: told only
SETUP = """
import kitchen.views.gantt
from kitchen.web.site import serve
from looking import in_turns, runs
from kitchen.views.paper import Picture
contexts = serve(delay=0.1), serve(delay=1)
RUNS = runs(*(context.__enter__() for context in contexts))
figures = {}
kitchen.views.gantt.picture = lambda *timelines: Picture(b"", b"")  # it takes time, but none of the run's
"""
SEEN = """
window.seen = 0  // how often a live view was met that had drawn a run since the last time
const drawn = new WeakMap()
setInterval(() => {
    for (const root of document.querySelectorAll('.kitchen[data-phase="live"]')) {
        const {frames, film} = root.kitchen ?? {}
        if (film?.runs.length && frames > (drawn.get(root) ?? 0)) window.seen += 1
        drawn.set(root, frames)
    }
}, 50)
"""


def test_a_run_does_not_notice_that_it_is_looked_at(notebook, page, server, report):
    shutil.copy(Path(looking.__file__), server.root)
    how = {"fetch.sync": ", turns=1"}  # this takes 10 s each time, or 3
    names = SMALL if "CI" in os.environ else MODES + SHORT
    cells = [f"figures[{name!r}] = await in_turns({name!r}, RUNS[{name!r}]{how.get(name, '')})" for name in names]
    book = notebook(SETUP, *cells)
    page.evaluate("() => {" + SEEN + "}")
    book.run(0)
    for number, name in enumerate(names, start=1):
        page.evaluate("window.seen = 0")
        book.run(number, seconds=400)
        # A run of 0.15 s may be over before the page hears of it: one message in 0.2 s is what two cores get.
        assert name in SHORT or page.evaluate("seen") >= 1, f"{name}: nobody looked"
    figures = json.loads(book.ask("import json; print(json.dumps(figures))"))
    book.ask("print(*(context.__exit__(None, None, None) for context in contexts))")
    assert page.problems == []
    held(report, "looking, wall time: looked at / not", *(ratios(name, 0, figures[name], 1.01, 1.25) for name in names))
    held(
        report,
        "looking, p99 of the lag: looked at / not",
        *(ratios(name, 1, figures[name], 1.5, 5.0) for name in names),
    )


def ratios(name, column, figures, bar, bound):
    """Looked at beside not looked at: wall time (column 0) or lag (column 1)."""
    live, nobody = ([turn[column] for turn in figures[look]] for look in ("live", "nobody"))
    return Ratio(name, live, nobody, bar=bar, bound=math.inf if name in SHORT else bound)


# Ten thousand URLs; on a build server, where a test may take some seconds only, two thousand.
URLS, TURNS = (2_000, 3) if "CI" in os.environ else (10_000, 5)
MANY = f"""
urls = site.urls({URLS})
run = lambda: fetch.cooperative(urls, timeout=60)
figures = await in_turns("fetch.cooperative", run, turns={TURNS})
"""


def test_ten_thousand_urls_do_not_notice_that_they_are_looked_at(notebook, page, server, report):
    shutil.copy(Path(looking.__file__), server.root)
    setup = SETUP.replace(
        "RUNS = runs(*(context.__enter__() for context in contexts))", "site = contexts[0].__enter__()"
    )
    book = notebook(f"{setup}\nfrom kitchen import fetch", MANY)
    page.evaluate("() => {" + SEEN + "}")
    book.run(0)
    book.run(1, seconds=400)
    seen = page.evaluate("seen")
    figures = json.loads(book.ask("import json; print(json.dumps(figures))"))
    book.ask("contexts[0].__exit__(None, None, None)")
    assert seen >= 1, "nobody looked"
    assert page.problems == []
    held(report, f"looking at {URLS:,} URLs, wall time: looked at / not", ratios("fetch", 0, figures, 1.05, 1.25))
    held(report, f"looking at {URLS:,} URLs, p99 of the lag: looked at / not", ratios("fetch", 1, figures, 1.5, 5.0))


# --- sliders ---------------------------------------------------------------------------------------------------------

MOVES = 7
EXPLORE = """
from kitchen import downloads, simulate
from kitchen.views.explore import explore
explore(lambda latency: simulate.cooperative(downloads(100, latency)), latency=(5.0, 15.0, 0.25))
"""
INTERACT = """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import interact
from kitchen import downloads, simulate
from kitchen.views import gantt

def draw(latency):
    gantt.gantt(simulate.cooperative(downloads(100, latency)))
    plt.show()

interact(draw, latency=(5.0, 15.0, 0.25));
"""
# Moves a slider by a step, and counts the seconds from its event until `changed` has become true and been painted.
MOVE = """async output => {
    const tick = () => new Promise(requestAnimationFrame)
    const painted = () => new Promise(done => {
        const {port1, port2} = new MessageChannel()
        port1.onmessage = done
        requestAnimationFrame(() => port2.postMessage(null))  // comes after the frame that has been asked for
    })
    const [slider, handle] = [output.querySelector(".kitchen-explores input"), output.querySelector(".noUi-handle")]
    const kitchen = output.querySelector(".kitchen")?.kitchen
    const [film, frames, img] = [kitchen?.film, kitchen?.frames, output.querySelector("img")]
    const source = img?.src
    const changed = () => {
        if (kitchen) return kitchen.film !== film && kitchen.frames > frames
        const now = output.querySelector("img")
        return now && now.src !== source && now.complete && now.naturalWidth > 0
    }
    const began = performance.now()
    slider?.stepUp()
    slider?.dispatchEvent(new Event("input", {bubbles: true}))
    handle?.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true, cancelable: true}))
    while (!changed()) {
        await painted()
        if (performance.now() - began > 20000) throw new Error("the picture did not change")
    }
    const took = (performance.now() - began) / 1000
    for (let calm = 0; calm < 12; calm += 1) await tick()
    return took
}"""


def test_the_picture_follows_a_slider_at_once(notebook, page, report):
    book = notebook(EXPLORE, INTERACT)
    book.run(0)
    book.figure(0).until(lambda sample: sample["frames"] > 0, "the first picture")
    book.run(1)
    book.output(1).locator("img").wait_for()
    moves = [partial(book.output(cell).evaluate, MOVE) for cell in (0, 1)]
    for move in moves:
        move()  # the first one is slower, whoever does it
    ours, theirs = in_turn(MOVES, *moves)
    assert page.problems == []
    held(
        report,
        "from a slider to the picture, 100 dishes",
        Ratio("explore / interact and matplotlib", ours, theirs, bar=0.1, bound=0.4),
    )


# --- the saved player ------------------------------------------------------------------------------------------------

LANES = 100
SPANS = {10_000: 1.1, 100_000: 2.0}  # the bar: the page's own frames / those in which the figure moves
LARGEST = 300_000  # bytes of a page with a run of 100 URLs

FIRST = """
const look = () => {
    if (document.querySelector(".kitchen")?.kitchen?.frames > 0) window.firstFrame = performance.now()
    else requestAnimationFrame(look)
}
requestAnimationFrame(look)
"""
# How long a frame takes, in seconds, while `way` is done once in each: frames of the page, or ("nothing") the page's own.
COUNT = """async ([seconds, way]) => {
    const kitchen = document.querySelector(".kitchen").kitchen
    const tick = () => new Promise(requestAnimationFrame)
    let [steps, pages] = [0, 0]
    const there = () => steps++ % 100 < 50
    const step = {
        playing: () => { if (!kitchen.playing) kitchen.toggle() },
        zooming: () => kitchen.zoom(there() ? 0.97 : 1 / 0.97),
        panning: () => kitchen.pan((there() ? 0.01 : -0.01) * kitchen.duration),
        nothing: () => { pages += 1 },
    }[way]
    kitchen.fit()
    kitchen.goTo(way === "playing" ? 0 : kitchen.duration / 2)
    if (way === "panning") kitchen.zoom(0.25)
    for (let warm = 0; warm < 10; warm += 1) { await tick(); step() }
    const drawn = () => way === "nothing" ? pages : kitchen.frames
    const [began, frames] = [performance.now(), drawn()]
    while (performance.now() - began < seconds * 1000) { await tick(); step() }
    const took = (performance.now() - began) / 1000 / (drawn() - frames)
    if (kitchen.playing) kitchen.toggle()
    return took
}"""
WAYS = ["playing", "zooming", "panning"]


def crowd(spans):
    """A run of at least so many spans: each lane waits, is ready and works by turns, in a rhythm of its own."""

    def steps(lane):
        for number in range(spans // (3 * LANES) + 2):
            yield wait("wait", 20 + (7 * number + 13 * lane) % 100)
            yield work("work", 0.5 + (number + 3 * lane) % 5 / 5)

    return simulate.cooperative([Dish(f"lane {lane}", steps(lane)) for lane in range(LANES)])


def frames(page, turns=5):
    """How long a frame takes, for each way of moving the figure, beside one in which nothing moves."""
    *moving, nothing = in_turn(turns, *(lambda way=way: page.evaluate(COUNT, [0.7, way]) for way in [*WAYS, "nothing"]))
    return [(way, took, nothing) for way, took in zip(WAYS, moving, strict=True)]


@pytest.mark.parametrize("spans", SPANS)
def test_the_player_moves_smoothly(page, tmp_path, report, spans):
    path = tmp_path / "crowd.html"
    player = Player(crowd(spans))
    assert spans <= len(player.timelines[0].spans) < 1.1 * spans
    player._picture = Picture(b"", b"")  # the static one is another matter
    player.save(path)
    page.add_init_script(FIRST)
    page.goto(path.as_uri())
    first = page.wait_for_function("window.firstFrame").json_value() / 1000
    title = (
        f"the player, {spans:,} spans on {LANES} lanes, {first:.2f} s to the first frame: a frame / one without motion"
    )
    bar = SPANS[spans]
    held(report, title, *(Ratio(way, took, nothing, bar=bar, bound=4 * bar) for way, took, nothing in frames(page)))
    assert page.problems == []


def test_ten_thousand_lanes_take_ten_times_as_long_as_a_thousand(page, tmp_path, report):
    """The whole output of a cell: static picture, player and text, of a Timeline that nobody has looked at yet."""
    recorded(400).timeline()._repr_mimebundle_()  # matplotlib has to be awake

    def output(lanes):
        timeline = recorded(lanes).timeline()
        return wall(timeline._repr_mimebundle_)

    few, many = in_turn(5, lambda: output(CROWD // 10), lambda: output(CROWD))
    path = tmp_path / "crowd.html"
    recorded().timeline().save(path)
    page.add_init_script(FIRST)
    page.goto(path.as_uri())
    first = page.wait_for_function("window.firstFrame").json_value() / 1000
    held(
        report,
        f"{CROWD:,} lanes, {first:.2f} s to the first frame in the page",
        Ratio("the output / that of a tenth as many lanes", many, few, bar=10.0, bound=20.0),
        *(
            Ratio(f"{way}, a frame / one without motion", took, no, bar=6.0, bound=24.0)
            for way, took, no in frames(page)
        ),
    )
    assert page.problems == []


def test_the_player_of_a_hundred_urls_is_small_and_alone(page, tmp_path, report):
    path = tmp_path / "run.html"
    with serve(delay=0.1) as site, ThreadPoolExecutor() as aside:  # Playwright has an event loop in this thread
        aside.submit(asyncio.run, fetch.cooperative(site.urls(100))).result().timeline.save(path)
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelector('.kitchen')?.kitchen?.frames > 0")
    size, requests = path.stat().st_size, page.requests
    report("the player of a run of 100 URLs", ("kB", "requests"), [(f"{size / 1000:.0f}", str(len(requests)))])
    assert size < LARGEST
    assert requests == [page.url]
    assert page.problems == []
