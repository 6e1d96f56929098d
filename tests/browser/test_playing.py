"""The game: a whole shift by mouse, by keyboard and by finger, in a real JupyterLab and in a page without a kernel."""

import json

import pytest
from conftest import a_firefox, until
from helpers.pages import exported

from kitchen import dinner, simulate

SETUP = "from kitchen import dinner\nfrom kitchen.lesson.game import play"
ORDER = [
    "steak",
    "boiled eggs",
    "salad",
    "steak",
    "stand aside",
    "salad",
    "steak",
    "boiled eggs",
    "stand aside",
    "steak",
]


@pytest.fixture
def book(notebook):
    book = notebook(SETUP, "play(dinner())", "1 + 1")
    book.run(0)
    book.run(1)
    book.figure(1).until(lambda sample: sample["runs"] and sample["phase"] == "done", "the first picture")
    return book


def button(book, words):
    return book.output(1).locator(".kitchen-moves button", has_text=words).first


def buttons(book):
    """What each button says, and whether it can be clicked."""
    found = book.output(1).locator(".kitchen-moves button")
    return {each.inner_text(): each.is_enabled() for each in found.all()}


def now(sample):
    """When it is in the picture; while the shift goes on, the loop's own is covered, and nothing is over."""
    first, other = sample["runs"]
    assert (first["ended"] is None) == (other["ended"] is None) == other["title"].startswith("the loop: covered")
    assert sample["playhead"] == sample["duration"]
    return sample["duration"]


def said(book):
    return book.output(1).locator("p[role=status]").all_inner_texts()


def test_a_whole_shift_by_mouse(book):
    figure = book.figure(1)
    assert now(figure.sample()) == 0
    assert said(book) == ["Minute 0: whom does she serve?"]
    top = figure.root.bounding_box()["y"]
    minutes = [2, 3, 5, 6, 7, 12, 13, 16, 17, 18]
    for words, minute in zip(ORDER, minutes, strict=True):
        before = figure.sample()["picture"]
        button(book, words).click()
        sample = figure.until(lambda sample, minute=minute: now(sample) == minute, f"minute {minute}")
        assert figure.until(lambda sample, old=before: sample["picture"] != old, "another picture")
        assert sample["to"] >= 18, "the axis has room for what is to come"
        assert figure.root.bounding_box()["y"] - top == 0, "the picture stays where it is"
    book.page.wait_for_function(
        "() => document.querySelector('p[role=status]').innerText.startsWith('As fast as the loop')"
    )
    assert "you took 18 min" in said(book)[0]
    assert buttons(book) == {
        "steak: done": False,
        "boiled eggs: done": False,
        "salad: done": False,
        "stand aside": False,
        "undo": True,
        "start again": True,
    }
    button(book, "undo").click()
    figure.until(lambda sample: now(sample) == 17, "one move back")
    button(book, "start again").click()
    figure.until(lambda sample: now(sample) == 0, "the beginning")
    assert book.output(1).locator(".kitchen:visible").count() == 1
    assert book.page.problems == []


def test_one_clicks_the_dish_or_walks_to_it_and_presses_enter(book):
    figure, page = book.figure(1), book.page
    figure.until(lambda sample: figure.root.evaluate("root => root.classList.contains('kitchen-asking')"))
    lanes = figure.part("lanes")
    at = {"x": lanes.bounding_box()["width"] / 2}
    middle = figure.value("plan.rows.filter(row => row.kind === 'lane').map(row => row.y + row.height / 2)")
    lanes.click(position=at | {"y": middle[2]})  # wherever it is by then: a page that scrolls is waited for
    sample = figure.until(lambda sample: now(sample) == 2, "the salad has been washed")
    assert "waiting: salad" in sample["status"]
    assert not figure.value("film.runs[0].seen.has(8)"), "nothing is crossed out"
    figure.press("ArrowDown", "Enter")
    figure.until(lambda sample: now(sample) == 4, "the steak is seasoned")
    lanes.click(position=at | {"y": middle[0]})
    page.wait_for_function(
        "() => document.querySelector('p[role=status]').innerText.startsWith('steak cannot be served')"
    )
    assert page.problems == []


def test_a_whole_shift_by_keyboard(book):
    figure, page = book.figure(1), book.page
    button(book, "steak").focus()
    focus = "document.activeElement.innerText"
    for key, then, next_one in [
        ("Enter", 2, "boiled eggs: fill the pot, 1 min"),
        ("Space", 3, "salad: wash, 2 min"),
        ("Enter", 5, "steak: put in, 1 min"),
        ("Space", 6, "stand aside: until minute 7"),
        ("Enter", 7, "stand aside: until minute 10"),  # it can be clicked again, and keeps the focus
    ]:
        page.keyboard.press(key)
        figure.until(lambda sample, then=then: now(sample) == then, f"minute {then}")
        page.wait_for_function(f"() => {focus} === {json.dumps(next_one)}")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == "start again"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    figure.until(lambda sample: now(sample) == 6, "one move back")
    assert page.evaluate(focus) == "undo"
    assert page.evaluate(
        "[notebook.content.mode, notebook.content.activeCellIndex, notebook.content.widgets.length]"
    ) == [
        "command",
        1,
        3,
    ]
    assert page.problems == []


def test_the_cell_after_the_game_does_not_wait_and_where_no_script_runs_there_are_words(book):
    book.run(2)
    assert "2" in book.said(2)
    book.save()
    outputs = json.loads(book.file.read_text(encoding="utf-8"))["cells"][1]["outputs"]
    (data,) = [output["data"] for output in outputs]
    words = "you choose here whom the cook serves next, steak or boiled eggs or salad."
    assert "".join(data["text/plain"]) == f"You are the scheduler: where scripts run, {words}"
    assert words in "".join(data["text/html"])


@pytest.fixture(scope="module")
def page_of_the_game(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("game"), "from kitchen import *", "play(dinner()[::-1])")


def test_on_a_phone_without_a_kernel_a_thumb_beats_the_loop(browser, figure_in, page_of_the_game):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_of_the_game.as_uri())
    game = page.locator(".kitchen-plays")
    game.locator(".kitchen-moves button").first.wait_for()
    top = game.locator("figure").bounding_box()["y"]
    for button in game.locator(".kitchen-moves button").all():
        assert button.bounding_box()["height"] >= 44
    lanes = game.locator(".kitchen-lanes")
    plan = "game.querySelector('figure').kitchen.plan"
    middle = f"game => {plan}.rows.filter(row => row.kind === 'lane').map(row => row.y + row.height / 2)"
    for dish in ("steak", "boiled eggs", "salad"):
        lanes.scroll_into_view_if_needed()
        box, rows = lanes.bounding_box(), game.evaluate(middle)
        page.touchscreen.tap(
            box["x"] + 0.6 * box["width"], box["y"] + rows[["salad", "boiled eggs", "steak"].index(dish)]
        )
    for button in game.locator(".kitchen-moves button").all():
        fits = button.evaluate("one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight")
        assert fits, f"cut off: {button.inner_text()}"
    for words in ORDER[3:]:
        game.locator(".kitchen-moves button", has_text=words).first.tap()
    page.wait_for_function(
        "document.querySelector('p[role=status]').innerText.startsWith('Faster than the loop: you took 18 min')"
    )
    page.evaluate("window.scrollTo(0, 0)")
    assert game.locator("figure").bounding_box()["y"] == top, "nothing has moved"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_a_finger_that_scrolls_over_a_lane_serves_nobody(browser, page_of_the_game):
    context = browser.new_context(viewport={"width": 390, "height": 500}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_of_the_game.as_uri())
    game = page.locator(".kitchen-plays")
    game.locator(".kitchen-lanes").scroll_into_view_if_needed()
    box = game.locator(".kitchen-lanes").bounding_box()
    before = page.evaluate("window.scrollY")
    session = context.new_cdp_session(page)
    for step in range(12):
        point = {"x": box["x"] + 200, "y": box["y"] + 60 - 10 * step}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("before => window.scrollY > before", arg=before)
    assert game.locator("p[role=status]").inner_text() == "Minute 0: whom does she serve?"
    context.close()


EVERYTHING = """
from kitchen import *
explore(lambda quantum: simulate.threaded(dinner(), quantum), quantum=(1, 5))
guess = predict.number("How long?", "min")
guess.compare(18)
play(dinner()[::-1])
"""


@pytest.mark.slow  # another browser
def test_in_firefox_sliders_a_form_and_the_game_work_without_a_kernel(tmp_path):
    path = exported(tmp_path, EVERYTHING)
    with a_firefox() as page:
        page.goto(path.as_uri())
        drawn = "document.querySelectorAll('figure')[1]?.kitchen?.frames"
        until(page, lambda: page.evaluate(drawn), "the second figure")
        page.evaluate("document.querySelector('.kitchen-explores input').focus()")
        page.keyboard.press("ArrowRight")
        ended = "document.querySelector('figure').kitchen.film.runs[0].ended"
        wanted = simulate.threaded(dinner(), 4).makespan
        until(page, lambda: page.evaluate(ended) == wanted, "the other run")
        page.evaluate("document.querySelector('.kitchen-asks input').focus()")
        for key in ("2", "0", "Enter"):
            page.keyboard.press(key)
        assert "You said 20 min." in page.evaluate("document.querySelector('.kitchen-compares').textContent")
        for words in ORDER:
            buttons = "[...document.querySelectorAll('.kitchen-moves button')]"
            page.evaluate(f"{buttons}.find(button => button.textContent.startsWith({json.dumps(words)})).click()")
        said = page.evaluate("document.querySelector('.kitchen-plays [role=status]').textContent")
        assert said.startswith("Faster than the loop: you took 18 min, and the loop 21.")
        assert page.problems == []
