"""In a real JupyterLab: the picture moves while the cell is still running, and is a player afterwards, come what may."""

import json
import os
import re
import signal

import nbformat
import pytest

SETUP = """
import asyncio, os, pathlib, threading, time
from kitchen import Dish, Timeline, dinner, fetch, perform, simulate, wait, work
from kitchen.views.live import live
from kitchen.recorder import Recorder
from kitchen.web.site import serve
from kitchen.timeline import RUNNING, WAITING
slower = 1
"""
PERFORMANCES = {
    "sync": "perform.sync(dinner(), minute={})",
    "threaded": "perform.threaded(dinner(), minute={})",
    "cooperative": "await perform.cooperative(dinner(), minute={})",
}
FETCHES = {
    "sync": "fetch.sync(urls(8))",
    "threaded": "fetch.threaded(urls(24), workers=4)",
    "cooperative": "await fetch.cooperative(urls(24), limit=4)",
}
UNTIL_TOLD = "while not pathlib.Path('go').exists():\n    time.sleep(0.02)"  # a cell that keeps the kernel busy
THREADS = """
import threading
def ours(thread):
    return type(thread).__module__.partition(".")[0] not in ("zmq", "ipykernel")  # they start and end some as they like
print(*sorted(thread.name for thread in threading.enumerate() if ours(thread)), sep="\\n")
"""


@pytest.fixture
def kitchen(shared_notebook, server):
    """A function: cells in, the notebook out, open, with everything imported by its cell 0."""
    (server.root / "go").unlink(missing_ok=True)
    return lambda *cells: with_imports(shared_notebook(SETUP, *cells))


@pytest.fixture
def own_kitchen(notebook):
    """The same, with a page and a kernel of its own."""
    return lambda *cells: with_imports(notebook(SETUP, *cells))


def with_imports(book):
    """The notebook, once its cell 0 has run."""
    book.run(0)
    assert book.output(0).inner_text() == ""
    return book


def in_view(run, title="dinner"):
    """A cell that runs something in a live view."""
    lines = "".join(f"    {line}\n" for line in run.splitlines())
    return f"with live({title!r}) as view:\n{lines}"


def assert_it_moved(samples, what):
    """The picture was alive while the cell ran: most looks at it saw another one."""
    # Until it hears of a run's end, the page's own clock is a little ahead of that: such a step back is none of ours.
    live = while_going_on(samples)
    assert len(live) > 3, f"{what}: the figure showed a run in {len(live)} of {len(samples)} looks at it"
    for name in ("frames", "duration"):
        values = [sample[name] for sample in live]
        assert values == sorted(values), f"{what}: {name} went back: {values}"
        assert len(set(values)) > len(live) / 2, f"{what}: {name} stood still: {values}"
    pictures = [sample["picture"] for sample in live]
    assert len(set(pictures)) > len(live) / 2, f"{what}: {len(set(pictures))} pictures in {len(pictures)} looks"
    assert all(sample["following"] for sample in live), f"{what}: the playhead lost the end"


def seen_often(book, number):
    """What is seen of a cell's figure while it runs; once more, and slower, where this computer is too busy to look."""
    for slower in 1, 4, 16:
        book.ask(f"slower = {slower}")
        samples = book.watch(number)
        if len(while_going_on(samples)) > 7:
            break
    return samples


def while_going_on(samples):
    """Those of a figure that is live, and in which some run has not ended yet, as far as the page knows."""
    return [sample for sample in samples if sample["phase"] == "live" and going_on(sample)]


def going_on(sample):
    """Whether, as far as the page knows, some run has not ended yet."""
    return any(run["ended"] is None for run in sample["runs"])


def assert_it_plays(figure):
    """It is a player, in working order."""
    figure.root.focus()  # on a button, Space would be for that button
    figure.press("Home")
    start = figure.until(lambda sample: sample["playhead"] == 0 and not sample["playing"], "the playhead at the start")
    figure.press("Space")
    figure.until(lambda sample: sample["playhead"] > start["playhead"], "the playhead moving")
    assert figure.rest()["picture"] != start["picture"]
    figure.press("Space")
    figure.until(lambda sample: not sample["playing"], "a pause")


def done(figure, phase=("done",)):
    """Waits for the finished picture, and returns how it looks."""
    return figure.until(lambda sample: sample["phase"] in phase, f"the phase {phase}")


# --- while it runs ---------------------------------------------------------------------------------------------------


def test_the_picture_moves_while_dishes_are_cooked(kitchen):
    book = kitchen(*[in_view(run.format("0.06 * slower")) for run in PERFORMANCES.values()])
    for number, mode in enumerate(PERFORMANCES, start=1):
        samples = seen_often(book, number)
        assert_it_moved(samples, mode)
        assert {sample["runs"][0]["lanes"] for sample in samples if sample["runs"]} == {3}
        assert len({sample["done"] for sample in samples}) > 1, mode
        assert len({sample["cpu"] for sample in samples}) > 2, mode
        assert done(book.figure(number))["done"] == "3 of 3 done"
    assert book.page.problems == []


def test_the_clock_of_the_page_is_that_of_the_run_however_late_it_begins(kitchen):
    book = kitchen(in_view("time.sleep(2)\nperform.sync(dinner(), minute=0.02 * slower)"))
    durations = [sample["duration"] for sample in seen_often(book, 1) if sample["runs"] and sample["phase"] == "live"]
    assert durations
    assert max(durations) < 1.5 * done(book.figure(1))["duration"]


def test_the_picture_moves_while_a_coroutine_blocks_the_loop(kitchen, server):
    blocked = server.root / "blocked"
    book = kitchen(
        "def block():\n"
        "    pathlib.Path('blocked').touch()\n"
        "    while pathlib.Path('blocked').exists():\n"
        "        time.sleep(0.01)\n"
        "async def clumsy():\n"
        "    await asyncio.sleep(0.5)\n"
        "    block()",
        in_view("await asyncio.gather(perform.cooperative(dinner(), minute=0.05), clumsy())"),
        # And in a run of the reader's own making: its lane, and the loop, stand still for as long.
        "async def sleepy(recorder, lane):\n"
        "    recorder.change(lane, WAITING, 'nap')\n"
        "    await asyncio.sleep(0.5)\n"
        "    recorder.change(lane, RUNNING, 'time.sleep')\n"
        "    block()\n"
        "    recorder.finish(lane)",
        in_view("with Recorder(['one'], 'my own') as recorder:\n    await sleepy(recorder, 0)"),
    )
    book.run(1)
    book.run(3)
    for number in (2, 4):
        figure = book.figure(number)
        book.begin(number)
        figure.until(lambda sample: blocked.exists() and going_on(sample), "the loop being blocked")
        samples = [figure.rest() for _ in range(8)]
        blocked.unlink()
        assert all(sample["busy"] for sample in samples)
        assert_it_moved(samples, f"cell {number}")
        book.finish(number)
        done(figure)
    assert book.page.problems == []


def test_the_picture_moves_while_pages_are_fetched(kitchen):
    site = (
        "context = serve(); site = context.__enter__()\n"
        "urls = lambda count: [site.url(number, delay=0.25 * slower) for number in range(count)]"
    )
    book = kitchen(site, *[in_view(run) for run in FETCHES.values()])
    book.run(1)
    for number, mode in enumerate(FETCHES, start=2):
        samples = seen_often(book, number)
        assert_it_moved(samples, mode)
        lanes = 8 if mode == "sync" else 24
        assert {sample["runs"][0]["lanes"] for sample in samples if sample["runs"]} == {lanes}
        assert len({sample["done"] for sample in samples}) > 2, mode
        over = f"{lanes} of {lanes} done"
        done(book.figure(number))
        book.figure(number).until(lambda sample, over=over: sample["done"] == over, over)  # the page may draw it later
    book.ask("context.__exit__(None, None, None)")
    assert book.page.problems == []


def test_three_runs_in_one_view_stand_on_one_axis(kitchen):
    book = kitchen(in_view("\n".join(run.format("0.03 * slower") for run in PERFORMANCES.values()), "three ways"))
    samples = seen_often(book, 1)
    numbers = [len(sample["runs"]) for sample in samples]
    assert numbers == sorted(numbers) and {1, 2, 3} <= set(numbers)
    last = done(book.figure(1))
    offsets = [run["offset"] for run in last["runs"]]
    assert offsets[0] == 0 and offsets == sorted(set(offsets))
    assert len({run["title"] for run in last["runs"]}) == 3
    # Each run begins when the one before has ended, so the axis is as long as all three together.
    makespans = json.loads(book.ask("import json; print(json.dumps([run.makespan for run in view.timelines]))"))
    assert last["duration"] == pytest.approx(offsets[2] + makespans[2], rel=0.02)
    assert offsets[1] >= makespans[0] and offsets[2] >= offsets[1] + makespans[1]
    assert book.page.problems == []


GROWING = """
def grow(number):
    with Recorder((), "growing") as run:
        for task in range(number):
            run.change(run.add_lane(f"task {task}", parent=0), RUNNING, "fetch")
            time.sleep(0.15 * slower)
            run.change(task, WAITING, "network")
        span = Span("task 3", RUNNING, "fetch", 0.45, 0.6)
        run.findings = [Finding("blocked", "line 7 held the loop </script><img src=x>", "", 0, span)]
"""


def test_lanes_are_added_while_it_runs_and_afterwards_the_player_says_what_stands_out(kitchen):
    book = kitchen("from kitchen.timeline import Finding, Span\n" + GROWING, in_view("grow(20)"))
    book.run(1)
    samples = seen_often(book, 2)
    assert_it_moved(samples, "growing")
    numbers = [sample["runs"][0]["lanes"] for sample in samples if sample["runs"]]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 3
    figure = book.figure(2)
    last = done(figure)
    assert (last["runs"][0]["lanes"], numbers[-1]) == (20, 20)
    assert figure.part("finding").all_inner_texts() == ["line 7 held the loop </script><img src=x>"]
    figure.click("finding")
    near = figure.rest()
    assert near["playhead"] == 0.45
    assert near["to"] < last["to"]
    assert figure.part("tip").inner_text().startswith("task 3")
    assert_it_plays(figure)
    assert book.page.problems == []


def test_runs_that_go_on_at_once_are_in_one_view(kitchen):
    runs = "\n".join(
        f"threads.append(threading.Thread(target=perform.threaded, args=(dinner(), {m} * slower)))"
        for m in (0.08, 0.12)
    )
    start = "\nfor thread in threads:\n    thread.start()\nfor thread in threads:\n    thread.join()"
    book = kitchen(in_view(f"threads = []\n{runs}{start}"))
    samples = seen_often(book, 1)
    assert_it_moved([sample for sample in samples if len(sample["runs"]) == 2], "two at once")
    assert len(done(book.figure(1))["runs"]) == 2
    assert book.page.problems == []


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_after_the_block_the_picture_is_a_player(kitchen, server):
    book = kitchen(in_view("await perform.cooperative(dinner(), minute=0.02)"), UNTIL_TOLD)
    book.run(1)
    figure = book.figure(1)
    done(figure)
    assert figure.root.count() == 1
    assert book.output(1).locator(".jupyter-widgets, .jp-OutputArea-output[data-mime-type*=widget]").count() == 0
    assert "not found" not in book.said(1)
    book.begin(2)
    assert book.busy(2)
    assert_it_plays(figure)
    assert_controls_work(figure)
    assert book.busy(2)
    (server.root / "go").touch()
    book.finish(2)
    assert_it_plays(figure)
    assert book.page.problems == []


def assert_controls_work(figure):
    """Buttons, slider and zoom do what they say; the same again for the keys."""
    whole = figure.value("duration")
    figure.scrub(0.5)
    middle = figure.until(
        lambda sample: sample["playhead"] == pytest.approx(whole / 2, rel=0.02), "the playhead in the middle"
    )["playhead"]
    figure.click("back")
    before = figure.until(lambda sample: sample["playhead"] < middle, "a switch before")["playhead"]
    figure.click("forth")
    figure.until(lambda sample: sample["playhead"] > before, "a switch after")
    for zoom_in, zoom_out, fit in [("in", "out", "fit"), ("+", "-", "0")]:
        do = figure.click if zoom_in == "in" else figure.press
        wide = figure.sample()
        do(zoom_in)
        do(zoom_in)
        near = figure.until(lambda sample, wide=wide: shown(sample) < shown(wide) / 2, f"{zoom_in} to show less")
        do(zoom_out)
        figure.until(lambda sample, near=near: shown(sample) > shown(near), f"{zoom_out} to show more")
        do(fit)
        figure.until(lambda sample: sample["from"] <= 0 and sample["to"] >= whole, f"{fit} to show all")
    figure.press("End")
    figure.until(lambda sample: sample["playhead"] == pytest.approx(whole), "the end")
    figure.press("ArrowLeft")
    before = figure.until(lambda sample: sample["playhead"] < whole, "a switch before")["playhead"]
    figure.press("ArrowRight")
    figure.until(lambda sample: sample["playhead"] > before, "a switch after")


def shown(sample):
    """How much time the picture shows."""
    return sample["to"] - sample["from"]


def test_a_saved_notebook_shows_the_player(own_kitchen, server):
    book = own_kitchen(in_view("perform.threaded(dinner(), minute=0.02)"), "simulate.cooperative(dinner())")
    book.run(1)
    book.run(2)
    before = [done(book.figure(number))["duration"] for number in (1, 2)]
    book.save()

    book.reload()
    for number in (1, 2):
        assert done(book.figure(number))["duration"] == before[number - 1]
        assert_it_plays(book.figure(number))

    server.end_sessions(book.path)  # and reopened by somebody who wants no kernel
    open_without_kernel(book)
    for number in (1, 2):
        assert done(book.figure(number))["duration"] == before[number - 1]
        assert_it_plays(book.figure(number))
    assert server.sessions(book.path) == []
    assert book.page.problems == []

    distrusted(book)
    book.open()
    for number in (1, 2):
        picture = book.output(number).locator("img").first
        picture.wait_for()
        until_loaded = "img => img.complete && img.naturalWidth > 300"
        assert book.page.wait_for_function(until_loaded, arg=picture.element_handle())
        assert book.output(number).locator(".kitchen-play").count() == 0
        assert not any(word in book.said(number) for word in ("Error", "not found", "{"))
    assert book.page.problems == []


def open_without_kernel(book):
    """Shows the notebook to somebody who has no kernel for it."""
    specifications = re.compile("/api/kernelspecs")
    book.page.route(specifications, lambda route: route.fulfill(json={"default": "", "kernelspecs": {}}))
    book.open(kernel=False)
    book.page.locator(".jp-Dialog .jp-mod-reject").click()  # "No Kernel"
    book.page.locator(".jp-Dialog").wait_for(state="detached")
    book.page.unroute(specifications)


def distrusted(book):
    """The notebook as it comes from somebody else: changed, hence with no valid signature."""
    saved = nbformat.read(book.file, as_version=4)
    saved.cells[0].source += "\n# from somebody else"
    for cell in saved.cells:
        cell.metadata.pop("trusted", None)
    nbformat.write(saved, book.file)


# --- when something goes wrong ---------------------------------------------------------------------------------------


def assert_nothing_is_left(book, before):
    """The threads of the kernel are those that it had before."""
    after = book.ask(THREADS).split("\n")
    assert [name for name in after if name not in before and not name.startswith("asyncio_")] == []
    assert [name for name in after if "kitchen" in name] == []


def test_after_an_exception_the_picture_is_finished_and_the_traceback_shown(kitchen):
    trouble = "raise RuntimeError('the pan is on fire')"
    own = f"with Recorder(['a'], 'own') as run:\n    run.change(0, RUNNING, 'x'); time.sleep(0.3)\n    {trouble}"
    first = in_view(f"perform.sync(dinner(), minute=0.01)\n{trouble}")
    book = kitchen(first, in_view(own), in_view(trouble))
    before = book.ask(THREADS).split("\n")
    for number in (1, 2):
        book.run(number)
        assert done(book.figure(number))["duration"] > 0
        assert_it_plays(book.figure(number))
        assert "RuntimeError: the pan is on fire" in book.said(number)
    book.run(3)
    assert "RuntimeError: the pan is on fire" in book.said(3)
    assert "not found" not in book.said(3)
    assert_nothing_is_left(book, before)
    assert book.page.problems == []


def test_after_an_interrupt_the_picture_is_finished(kitchen):
    # Short waits, and many: a loop hears of an interrupt when it looks up, neither in work nor in one long sleep.
    menu = "[Dish(name, [work('begin', 1), *[wait('rest', 4)] * 1000]) for name in ('dough', 'broth')]"
    book = kitchen(*[in_view(run.format(0.05).replace("dinner()", menu)) for run in PERFORMANCES.values()])
    before = book.ask(THREADS).split("\n")
    for number, mode in enumerate(PERFORMANCES, start=1):
        book.begin(number)
        figure = book.figure(number)
        figure.until(lambda sample: sample["phase"] == "live" and sample["duration"] > 0.5, "the run going on")
        book.kernel("interrupt")
        book.finish(number)
        last = done(figure)
        assert 0.5 < last["duration"] < 100, f"{mode}: it was too late"
        assert last["done"].startswith("0 of 2 done"), f"{mode}: what was cut off is not done"
        assert_it_plays(figure)
        said = book.said(number)
        assert "KeyboardInterrupt" in said or "CancelledError" in said
    assert_nothing_is_left(book, before)
    assert book.page.problems == []


@pytest.mark.parametrize("way", ["restart", "death"])
def test_after_the_kernel_has_gone_the_picture_is_finished(own_kitchen, way):
    book = own_kitchen(in_view("perform.threaded(dinner(), minute=2)"))
    said = book.page.problems
    number = book.ask("print(os.getpid())")
    book.begin(1)
    figure = book.figure(1)
    going = figure.until(lambda sample: sample["phase"] == "live" and sample["duration"] > 1, "the run going on")
    if way == "restart":
        book.kernel("restart")
    else:
        os.kill(int(number), signal.SIGKILL)
        book.page.locator(".jp-Dialog .jp-mod-accept").click()  # "The kernel appears to have died"
    last = done(figure, ("done", "lost"))
    assert last["duration"] >= going["duration"] - 0.5
    assert figure.rest()["duration"] == figure.rest()["duration"]
    assert_it_plays(figure)
    assert "not found" not in book.said(1)
    assert "kitchen" not in book.ask(THREADS)
    # JupyterLab itself complains of what the old kernel had still to say.
    assert [problem for problem in said if "Comm not found" not in problem] == []


# --- hostile names ---------------------------------------------------------------------------------------------------

HOSTILE_DISHES = """
hostile = {}
dishes = [Dish(name, [work(name, 1), wait(name, 10), work(name, 1)]) for name in hostile]"""


def test_hostile_names_stay_text(kitchen, hostile):
    titles = ascii("".join(hostile))
    book = kitchen(
        HOSTILE_DISHES.format(ascii(hostile)),
        f"timeline = simulate.cooperative(dishes)\ntimeline.title = {titles}\ntimeline",
        f"with live({titles}) as view:\n"
        f"    with Recorder(hostile, {titles}) as recorder:\n"
        "        for lane, name in enumerate(hostile):\n"
        "            recorder.change(lane, WAITING, name)\n"
        "        while not pathlib.Path('go').exists():\n            time.sleep(0.02)",
        f"with live({titles}) as view:\n    perform.threaded(dishes, minute=0.01)",
    )
    for number in (1, 2, 4):
        book.run(number)
    book.begin(3)
    book.figure(3).until(lambda sample: sample["phase"] == "live" and sample["runs"], "the run going on")
    for number in (2, 3, 4):
        assert_harmless(book.figure(number), hostile)
    (book.server.root / "go").touch()
    book.finish(3)
    done(book.figure(3))
    assert_harmless(book.figure(3), hostile)
    assert book.page.problems == []


def assert_harmless(figure, names):
    """The names are to be read in the tip, and did nothing else."""
    figure.scrub(0.5)
    for name in names:
        figure.press("ArrowDown")
        figure.part("tip").wait_for()
        if name.isascii():
            assert name in figure.part("tip").text_content()
    figure.press("Escape")
    assert figure.root.locator(".kitchen-tip img, .kitchen-tip script, img[src=x], [onerror]").count() == 0
    assert figure.page.evaluate("window.hacked") is None


# --- to try things out -----------------------------------------------------------------------------------------------


def test_a_slider_and_a_box_change_the_picture_at_once(kitchen):
    book = kitchen(
        "def run(quantum, parked):\n    return simulate.threaded(dinner(), quantum=quantum, parked=parked)",
        "from kitchen.views.explore import explore\nexplore(run, quantum=(0.5, 5.0, 0.5), parked=False)",
    )
    book.run(1)
    book.run(2)
    figure, controls = book.figure(2), book.output(2).locator(".kitchen-explores")
    first = done(figure)
    assert figure.root.count() == 1
    second = after_change(book, figure, first, lambda: controls.locator("input[type=range]").press("ArrowRight"))
    third = after_change(book, figure, second, lambda: controls.locator("input[type=checkbox]").click())
    assert third["duration"] < second["duration"]  # parked threads take no turns while they wait
    assert book.output(2).locator(".kitchen:visible").count() == 1
    assert_it_plays(figure)
    assert book.page.problems == []


def after_change(book, figure, before, change):
    """The figure's sample once a change has brought it another film."""
    film = "film.runs.map(run => run.turns().join()).join()"
    old = figure.value(film)
    change()
    figure.until(lambda sample: figure.value(film) != old, "another film")
    return figure.until(lambda sample: sample["picture"] != before["picture"], "another picture")


# --- in the company of JupyterLab ------------------------------------------------------------------------------------


def test_keys_in_the_figure_are_no_commands_of_jupyterlab(own_kitchen):
    book = own_kitchen("simulate.cooperative(dinner())", "1 + 1")
    book.run(1)
    figure = book.figure(1)
    done(figure)
    state = "[notebook.content.widgets.length, notebook.content.activeCellIndex, notebook.content.mode]"
    kernel = book.ask("print(os.getpid())")
    for part in ("play", "scrub", "fit", "in"):
        figure.part(part).focus()
        before = book.page.evaluate(state)
        for key in [
            "0",
            "0",
            "d",
            "d",
            "a",
            "b",
            "x",
            "m",
            "ArrowUp",
            "ArrowDown",
            "ArrowDown",
            "i",
            "i",
            "Home",
            "End",
        ]:
            book.page.keyboard.press(key)
        figure.rest()
        assert book.page.evaluate(state) == before, part
        assert book.page.locator(".jp-Dialog").count() == 0, part
        assert figure.root.evaluate("root => root.contains(document.activeElement)"), part
    assert book.ask("print(os.getpid())") == kernel
    # Outside the figure they are: this test would notice.
    book.cell(2).locator(".jp-InputPrompt").click()
    book.page.keyboard.press("Escape")
    book.page.keyboard.press("a")
    book.page.wait_for_function("notebook.content.widgets.length === 4")
    assert book.page.problems == []


def test_a_dark_theme_and_reduced_motion(own_kitchen, server, page):
    page.emulate_media(reduced_motion="reduce")
    with server.setting("apputils-extension:themes", theme="JupyterLab Dark"):
        book = own_kitchen(in_view("perform.threaded(dinner(), minute=0.03 * slower)"), "simulate.threaded(dinner())")
        assert page.evaluate("document.body.dataset.jpThemeLight") == "false"
        pictures = [sample["picture"] for sample in seen_often(book, 1) if sample["runs"] and sample["phase"] == "live"]
        assert len(set(pictures)) > 1, "it moves in steps"
        book.run(2)
        for number in (1, 2):
            figure = book.figure(number)
            assert done(figure)["colours"] > 5
            assert_it_plays(figure)
            text, paper = figure.part("clock").evaluate(BRIGHTNESS)
            assert text > paper + 0.4, f"text of brightness {text} on {paper}"
    assert page.problems == []


def test_a_change_of_theme_is_followed(own_kitchen, page):
    """JupyterLab takes a figure's size away for a moment then, and gives it back before that is noticed."""
    book = own_kitchen("simulate.threaded(dinner())", "simulate.sync(dinner())")
    for number in (1, 2):
        book.run(number)
    figures = [book.figure(number) for number in (1, 2)]
    for figure in figures:
        done(figure)
    for theme in ["Dark", "Light"] * 3:
        before = [figure.value("theme") for figure in figures]
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme}")
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower()
        )
        for figure, painted in zip(figures, before, strict=True):
            page.wait_for_function(
                "([root, painted]) => root.kitchen.ink && root.kitchen.theme > painted",
                arg=[figure.root.element_handle(), painted],
            )
    # Changed so fast, JupyterLab may take a style sheet of its own away twice. Kitchen never calls removeChild.
    assert [problem for problem in page.problems if "removeChild" not in problem] == []


BRIGHTNESS = """element => {
    const brightness = colour => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d")
        pen.fillStyle = colour
        pen.fillRect(0, 0, 1, 1)
        const [red, green, blue, opaque] = pen.getImageData(0, 0, 1, 1).data
        return opaque ? (0.3 * red + 0.6 * green + 0.1 * blue) / 255 : null
    }
    const text = brightness(getComputedStyle(element).color)
    let paper = null
    for (let under = element; under && paper === null; under = under.parentElement) {
        paper = brightness(getComputedStyle(under).backgroundColor)
    }
    return [text, paper]
}"""
