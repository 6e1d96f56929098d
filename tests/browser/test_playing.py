"""The game in a real JupyterLab: a whole shift, by mouse and by keyboard, and what a saved notebook shows of it."""

import json

import pytest

SETUP = "from kitchen import dinner\nfrom kitchen.game import play"
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
    return book.output(1).locator("button.jupyter-button", has_text=words).first


def buttons(book):
    """What each button says, and whether it can be clicked."""
    found = book.output(1).locator("button.jupyter-button")
    return {each.inner_text(): each.is_enabled() for each in found.all()}


def ended(sample):
    """When the reader's own shift ends in the picture, and when the loop's."""
    return [run["ended"] for run in sample["runs"]]


def said(book):
    return book.output(1).locator("p[role=status]").all_inner_texts()


def test_a_whole_shift_by_mouse(book):
    figure = book.figure(1)
    assert ended(figure.sample()) == [0, 18]
    assert said(book) == ["Minute 0: whom does she serve?"]
    minutes = [2, 3, 5, 6, 7, 12, 13, 16, 17, 18]
    for words, minute in zip(ORDER, minutes, strict=True):
        before = figure.sample()["picture"]
        button(book, words).click()
        sample = figure.until(lambda sample, minute=minute: ended(sample) == [minute, 18], f"minute {minute}")
        assert figure.until(lambda sample, old=before: sample["picture"] != old, "another picture")
        assert [run["title"] for run in sample["runs"]] == ["you", "the loop"]
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
    figure.until(lambda sample: ended(sample)[0] == 17, "one move back")
    button(book, "start again").click()
    figure.until(lambda sample: ended(sample)[0] == 0, "the beginning")
    assert book.output(1).locator(".kitchen:visible").count() == 1
    assert book.page.problems == []


def test_a_whole_shift_by_keyboard(book):
    figure, page = book.figure(1), book.page
    button(book, "steak").focus()
    focus = "document.activeElement.innerText"
    for key, then, next_one in [
        ("Enter", 2, "boiled eggs: fill the pot, 1 min"),
        ("Space", 3, "salad: wash, 2 min"),
        ("Enter", 5, "steak: put in, 1 min"),
        ("Space", 6, "stand aside until minute 7"),
        ("Enter", 7, "stand aside until minute 10"),  # it can be clicked again, and keeps the focus
    ]:
        page.keyboard.press(key)
        figure.until(lambda sample, then=then: ended(sample)[0] == then, f"minute {then}")
        page.wait_for_function(f"() => {focus} === {json.dumps(next_one)}")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == "start again"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    figure.until(lambda sample: ended(sample)[0] == 6, "one move back")
    assert page.evaluate(focus) == "undo"
    assert page.evaluate(
        "[notebook.content.mode, notebook.content.activeCellIndex, notebook.content.widgets.length]"
    ) == [
        "command",
        1,
        3,
    ]
    assert page.problems == []


def test_the_cell_after_the_game_does_not_wait_and_a_saved_notebook_has_a_sentence(book):
    book.run(2)
    assert "2" in book.output(2).inner_text()
    book.save()
    outputs = json.loads(book.file.read_text(encoding="utf-8"))["cells"][1]["outputs"]
    words = "".join(outputs[0]["data"]["text/plain"])
    assert words == "(Run this cell: here you choose whom the cook serves next, steak or boiled eggs or salad.)"
    assert "image/png" in outputs[1]["data"]
