"""What looking costs, and how fast the picture is: live view, saved player and sliders, in a real browser.

Looked at and not looked at, ours and what one would write first, are measured in turns, side by side. The bars are those
of a computer with two cores that does little else; a turn counts only as far as it was not disturbed.
"""

import asyncio
import gc
import json
import os
import shutil
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import looking
import pytest
from crowd import LANES as CROWD
from crowd import recorded

from kitchen import Dish, fetch, simulate, wait, work
from kitchen.gantt import png
from kitchen.player import Player
from kitchen.server import serve

# --- what looking costs ----------------------------------------------------------------------------------------------

MODES = ["perform.sync", "perform.threaded", "perform.cooperative", "fetch.sync"]
MODES += ["fetch.threaded, 1 s", "fetch.cooperative, 1 s"]
SMALL = ["perform.cooperative", *MODES[-2:]]  # on a build server
# Reported, not asserted: a page takes some milliseconds to begin with a new run, and on two cores these runs of 0.15 s
# and more, which keep both busy, are longer by that.
SHORT = ["fetch.threaded, 0.1 s", "fetch.cooperative, 0.1 s"]
SETUP = """
import kitchen.player
from kitchen.server import serve
from looking import in_turns, runs
contexts = serve(delay=0.1), serve(delay=1)
RUNS = runs(*(context.__enter__() for context in contexts))
figures = {}
kitchen.player.png = lambda *timelines: b""  # the picture of a run that is over takes time, but none of the run's
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
    how = {"fetch.sync": ", rounds=1, most=2, naive_turns=0"}  # this takes 10 s each time, or 3
    how |= dict.fromkeys(SHORT, ", most=2")
    names = SMALL if "CI" in os.environ else MODES + SHORT
    cells = [f"figures[{name!r}] = await in_turns({name!r}, RUNS[{name!r}]{how.get(name, '')})" for name in names]
    book = notebook(SETUP, *cells)
    page.evaluate("() => {" + SEEN + "}")
    book.run(0)
    for number, name in enumerate(names, start=1):
        page.evaluate("window.seen = 0")
        book.run(number, seconds=200)
        # A run of 0.15 s may be over before the page hears of it: one message in 0.2 s is what two cores get.
        assert name in SHORT or page.evaluate("seen") >= 3, f"{name}: nobody looked"
    figures = json.loads(book.ask("import json; print(json.dumps(figures))"))
    book.ask("print(*(context.__exit__(None, None, None) for context in contexts))")
    rows = [costs(name, **figures[name]) for name in names]
    headings = ("", "time", "live", "in pairs", "matplotlib", "lag", "live", "matplotlib", "rounds", "bars")
    report("what looking costs: wall time in ms and times as long, p99 of the lag in ms", headings, rows)
    assert page.problems == []
    assert [name for name in names if name not in SHORT and noticed(**figures[name])] == []


def noticed(slower, later, met, best):
    """Whether looking costs too much: in all pairs but one, half of what the naive redraw costs, or more.

    The table says whether the bars themselves were met. Their 1 % is 10 ms here, and on a computer with two cores, which
    has the page to draw as well, that is about what one turn differs from the next.
    """
    wall, lag = best["nobody"]
    naive_wall, naive_lag = best.get("matplotlib", (1.1 * wall, lag + 0.01))

    def too_much(pairs, most):
        return sum(figure > most for figure in pairs) >= max(2, len(pairs) - 1)

    return not met and (too_much(slower, (1 + naive_wall / wall) / 2) or too_much(later, (naive_lag - lag) / 2))


def costs(name, best, slower, later, met):
    """The row of a run."""
    (wall, lag), live, naive = best["nobody"], best["live"], best.get("matplotlib")
    times = [
        f"{wall * 1e3:.0f}",
        f"{live[0] / wall:.3f}",
        f"{statistics.median(slower):.3f}",
        f"{naive[0] / wall:.2f}" if naive else "",
    ]
    lags = [f"{lag * 1e3:.1f}", f"{live[1] * 1e3:.1f}", f"{naive[1] * 1e3:.1f}" if naive else ""]
    return name, *times, *lags, str(len(slower)), "met" if met else "missed"


# Ten thousand URLs; on a build server, where a test may take some seconds only, two thousand.
URLS, PAIRS = (2_000, 1) if "CI" in os.environ else (10_000, 3)
SLOWER = 1.05  # the bar: times as long as a run that nobody looks at
TOO_SLOW = 1.25  # asserted: two cores that others use too make one turn differ from the next by a tenth
MANY = f"""
urls = site.urls({URLS})
run = lambda: fetch.cooperative(urls, timeout=60)
figures = await in_turns("fetch.cooperative", run, rounds={PAIRS}, most={PAIRS}, naive_turns=0)
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
    (wall, lag), live = figures["best"]["nobody"], figures["best"]["live"]
    slower = min(live[0] / wall, statistics.median(figures["slower"]))
    told = "met" if slower <= SLOWER else "missed"
    rows = [
        ("nobody", f"{wall:.2f}", "", f"{lag * 1e3:.0f}"),
        ("live", f"{live[0]:.2f}", f"{live[0] / wall:.3f}", f"{live[1] * 1e3:.0f}"),
        ("in pairs", "", " ".join(f"{ratio:.3f}" for ratio in figures["slower"]), ""),
    ]
    report(
        f"looking at {URLS:,} URLs; {SLOWER} times: {told}", ("", "s", "times as long", "p99 of the lag in ms"), rows
    )
    assert seen >= 3, "nobody looked"
    assert page.problems == []
    assert slower <= TOO_SLOW


# --- sliders ---------------------------------------------------------------------------------------------------------

MOVES = 9
SLOWEST = 0.05  # seconds from a slider to the picture: the bar, which the table speaks of
TIMES = 5  # must hold on a slow computer too: so many times faster than what one would write first
EXPLORE = """
from kitchen import downloads, simulate
from kitchen.explore import explore
explore(lambda latency: simulate.cooperative(downloads(100, latency)), latency=(5.0, 15.0, 0.25))
"""
INTERACT = """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import interact
from kitchen import downloads, gantt, simulate

def draw(latency):
    gantt.gantt(simulate.cooperative(downloads(100, latency)))
    plt.show()

interact(draw, latency=(5.0, 15.0, 0.25));
"""
# Moves a slider by a key, and counts the seconds from its event until `changed` has become true and been painted.
MOVE = """async output => {
    const tick = () => new Promise(requestAnimationFrame)
    const painted = () => new Promise(done => {
        const {port1, port2} = new MessageChannel()
        port1.onmessage = done
        requestAnimationFrame(() => port2.postMessage(null))  // comes after the frame that has been asked for
    })
    const handle = output.querySelector(".noUi-handle")
    const kitchen = output.querySelector(".kitchen")?.kitchen
    const [film, frames, img] = [kitchen?.film, kitchen?.frames, output.querySelector("img")]
    const source = img?.src
    const changed = () => {
        if (kitchen) return kitchen.film !== film && kitchen.frames > frames
        const now = output.querySelector("img")
        return now && now.src !== source && now.complete && now.naturalWidth > 0
    }
    const began = performance.now()
    handle.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true, cancelable: true}))
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
    ours = moved(book.output(0), MOVES)
    theirs = moved(book.output(1), 3)
    bar = "met" if statistics.median(ours) < SLOWEST else "missed"
    rows = [
        (name, *(f"{figure * 1e3:.0f}" for figure in (statistics.median(took), min(took), max(took))), bar)
        for name, took, bar in [("explore", ours, bar), ("interact and matplotlib", theirs, "")]
    ]
    report("from a slider to the picture, 100 dishes, in ms", ("", "median", "best", "worst", "bar"), rows)
    assert page.problems == []
    assert statistics.median(ours) * TIMES < statistics.median(theirs)


def moved(output, times):
    """Seconds from the slider's event to the picture, for so many moves after a first one."""
    return [output.evaluate(MOVE) for _ in range(times + 1)][1:]


# --- the saved player ------------------------------------------------------------------------------------------------

LANES = 100
FPS = {10_000: 55, 100_000: 30}  # the bars; 60 times a second is what a page can at most
FIRST_FRAME = 0.5  # seconds, with 10,000 spans
LARGEST = 300_000  # bytes of a page with a run of 100 URLs
TRIES = 3

FIRST = """
const look = () => {
    if (document.querySelector(".kitchen")?.kitchen?.frames > 0) window.firstFrame = performance.now()
    else requestAnimationFrame(look)
}
requestAnimationFrame(look)
"""
# Frames that the figure draws in a second, for as many seconds, while `way` is done once in each of the page's frames.
COUNT = """async ([seconds, way]) => {
    const kitchen = document.querySelector(".kitchen").kitchen
    const tick = () => new Promise(requestAnimationFrame)
    let steps = 0
    const there = () => steps++ % 100 < 50
    const step = {
        playing: () => { if (!kitchen.playing) kitchen.toggle() },
        zooming: () => kitchen.zoom(there() ? 0.97 : 1 / 0.97),
        panning: () => kitchen.pan((there() ? 0.01 : -0.01) * kitchen.duration),
    }[way]
    kitchen.fit()
    kitchen.goTo(way === "playing" ? 0 : kitchen.duration / 2)
    if (way === "panning") kitchen.zoom(0.25)
    for (let warm = 0; warm < 10; warm += 1) { await tick(); step() }
    const [began, frames] = [performance.now(), kitchen.frames]
    while (performance.now() - began < seconds * 1000) { await tick(); step() }
    const counted = (kitchen.frames - frames) / (performance.now() - began) * 1000
    if (kitchen.playing) kitchen.toggle()
    return counted
}"""
WAYS = ["playing", "zooming", "panning"]


def crowd(spans):
    """A run of at least so many spans: each lane waits, is ready and works by turns, in a rhythm of its own."""

    def steps(lane):
        for number in range(spans // (3 * LANES) + 2):
            yield wait("wait", 20 + (7 * number + 13 * lane) % 100)
            yield work("work", 0.5 + (number + 3 * lane) % 5 / 5)

    return simulate.cooperative([Dish(f"lane {lane}", steps(lane)) for lane in range(LANES)])


@pytest.mark.parametrize("spans", FPS)
def test_the_player_moves_smoothly(page, tmp_path, report, spans):
    path = tmp_path / "crowd.html"
    player = Player(crowd(spans))
    assert spans <= len(player.timelines[0].spans) < 1.1 * spans
    player.png = b""  # the static picture is another matter
    player.save(path)
    page.add_init_script(FIRST)
    first, counted = [], {}
    for _ in range(TRIES if spans == min(FPS) else 1):
        page.goto(path.as_uri())
        first.append(page.wait_for_function("window.firstFrame").json_value() / 1000)
    for way in WAYS:
        counted[way] = 0
        for _ in range(TRIES):
            if counted[way] < FPS[spans]:
                counted[way] = max(counted[way], page.evaluate(COUNT, [1.5, way]))
    figures = [statistics.median(first), *counted.values()]
    report(
        f"the player, with {spans:,} spans on {LANES} lanes",
        ("s to the first frame", *(f"{way} at fps" for way in WAYS)),
        [(f"{figures[0]:.2f}", *(f"{figure:.0f}" for figure in figures[1:]))],
    )
    assert page.problems == []
    assert min(counted.values()) >= FPS[spans]
    if spans == min(FPS):
        assert statistics.median(first) < FIRST_FRAME


ONE_SECOND = 1.0  # the bar, for a Timeline of 10,000 lanes that nobody has looked at yet
WITHIN = 3 * ONE_SECOND  # asserted: computers differ, and this one may be busy
CROWD_FPS = 10  # asserted; 60 is what a page can at most


def seconds(make):
    began = time.perf_counter()
    make()
    return time.perf_counter() - began


def test_ten_thousand_lanes_show_within_a_second(page, tmp_path, report):
    recorded(400).timeline()._repr_mimebundle_()  # matplotlib has to be awake
    paper, made, shown, path = [], [], [], tmp_path / "crowd.html"
    page.add_init_script(FIRST)
    gc.collect()
    gc.freeze()  # what other tests have left behind is not to be looked through again and again
    for _ in range(TRIES):
        timeline, again = recorded().timeline(), recorded().timeline()
        paper.append(seconds(lambda timeline=again: png(timeline)))
        made.append(seconds(timeline._repr_mimebundle_))  # static, player and text: all that a notebook's output is
        timeline.save(path)
        page.goto(path.as_uri())
        shown.append(page.wait_for_function("window.firstFrame").json_value() / 1000)
    gc.unfreeze()
    counted = {way: page.evaluate(COUNT, [1, way]) for way in WAYS}
    figures = [min(times) for times in (paper, made, shown)]
    told = "met" if max(figures) <= ONE_SECOND else "missed"
    report(
        f"{CROWD:,} lanes, {len(timeline.table.starts):,} spans; each within a second: {told}",
        ("s to the static picture", "to the whole output", "to the first frame", *(f"{way} at fps" for way in WAYS)),
        [(*(f"{figure:.2f}" for figure in figures), *(f"{fps:.0f}" for fps in counted.values()))],
    )
    assert page.problems == []
    assert max(figures) < WITHIN
    assert min(counted.values()) >= CROWD_FPS


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
