"""Predictions and exercises in a real JupyterLab: answered with the keyboard alone, and the run's answer drawn over them."""

import pytest

FORMS = """
from kitchen import dinner, predict, simulate
names = [dish.name for dish in dinner()]
guesses = [
    predict.number("How long?", "min"),
    predict.choice("Which?", ["this", "that", "</script><img src=x onerror='window.hacked=1'>"]),
    predict.order("Who first?", names),
    predict.drawing("Who when?", names, until=6),
]
"""
COMPARED = """
timeline = simulate.cooperative(dinner())
truths = [timeline.makespan, "that", sorted(names, key=timeline.finishes.get), timeline]
for guess, truth in zip(guesses, truths):
    guess.compare(truth)
"""


def texts(output):
    return [box.inner_text() for box in output.locator(".kitchen-asks").all()]


@pytest.fixture
def book(shared_notebook):
    book = shared_notebook(FORMS, COMPARED, "guesses[0]._form.answer")
    book.ask("import kitchen.predict; kitchen.predict._given.clear()")
    return book


def test_every_form_is_answered_with_the_keyboard_alone(book):
    book.run(0)
    forms, press = book.output(0).locator(".kitchen-asks"), book.page.keyboard.press
    forms.nth(0).locator("input").focus()
    book.page.keyboard.type("30")
    press("Tab")
    press("Space")
    press("ArrowDown")
    press("Tab")  # the first item of the order: only "later" can be pressed
    press("Enter")
    press("Enter")  # the focus went along with the item
    forms.nth(3).locator("td[tabindex='0']").focus()
    for key in ("1", "ArrowRight", "1", "ArrowRight", "3", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowDown", "2"):
        press(key)
    for number, said in enumerate(["30 min", "“that”", "boiled eggs, salad, steak", "6 pieces painted"]):
        noted = forms.nth(number).locator(".kitchen-noted")
        book.page.wait_for_function("([it, said]) => it.textContent.includes(said)", arg=[noted.element_handle(), said])
    assert book.page.evaluate("window.hacked") is None
    assert book.page.evaluate("notebook.content.mode") == "command"  # nothing reached JupyterLab's own keys
    assert book.page.evaluate("notebook.content.widgets.length") == 3
    book.run(1)
    said = texts(book.output(1))
    assert "You said 30 min. It is 18 min. That is 1.67 times too much." in said[0]
    assert "You said “that”, and so it is." in said[1]
    assert "It is: salad, boiled eggs, steak. 1 of 3 in the right place." in said[2]
    assert "pieces as you drew them" in said[3]
    assert book.page.problems == []


def test_a_drawing_is_painted_with_the_mouse(book):
    book.run(0)
    form = book.output(0).locator(".kitchen-asks").nth(3)
    form.get_by_role("button", name="READY").click()
    first, last = (form.locator("td").nth(number).bounding_box() for number in (6, 9))
    mouse = book.page.mouse
    mouse.move(first["x"] + 5, first["y"] + 5)
    mouse.down()
    mouse.move(last["x"] + 5, last["y"] + 5, steps=12)
    mouse.up()
    noted = form.locator(".kitchen-noted")
    book.page.wait_for_function("it => it.textContent.includes('4 pieces')", arg=noted.element_handle())
    assert form.locator("td.kitchen-is-ready").count() == 4
    assert "boiled eggs, 0 to 1 min: ready" in form.locator("td").nth(6).get_attribute("aria-label")


def test_nothing_waits_for_an_answer_and_a_late_one_is_drawn(book):
    book.run(0)
    book.run(1)
    assert "It is 18 min. No prediction was made." in texts(book.output(1))[0]
    box = book.output(1).locator(".kitchen-asks").first.element_handle()  # before it is drawn anew
    book.output(0).locator("input[type=number]").fill("20")
    book.page.wait_for_function("box => !document.contains(box)", arg=box)
    assert "You said 20 min. It is 18 min." in texts(book.output(1))[0]
    book.run(0)  # asked again, the question keeps its answer
    assert book.output(0).locator("input[type=number]").input_value() == "20"


CHECKED = """
from kitchen.exercises.exercise import Right, Wrong, exercise
@exercise(stub="def f(n): ...", solution="def f(n):\\n    return n + 1", hints=["Use `+`.", "Add 1."])
def f(answer):
    "Add one."
    timeline = simulate.cooperative(dinner())
    raise Wrong("it was not added", timeline, timeline.spans[3])
f.check(lambda n: n)
"""


def test_a_verdict_points_at_the_span_and_hints_unfold(book):
    book.replace(FORMS, CHECKED, "f.hint()", "f.solution()")
    for number in range(4):
        book.run(number)
    assert "Not yet: it was not added" in texts(book.output(1))[0]
    figure = book.figure(1)
    figure.until(lambda sample: sample["phase"] == "done")
    figure.click("finding")
    assert figure.rest()["playhead"] == pytest.approx(6)
    folded = book.output(2).locator("details")
    assert folded.count() == 2
    assert not folded.nth(0).locator("p").is_visible()
    folded.nth(0).locator("summary").press("Enter")
    assert folded.nth(0).locator("p").is_visible()
    assert not folded.nth(1).locator("p").is_visible()
    book.output(3).locator("summary").click()
    assert "return n + 1" in book.output(3).inner_text()
    assert book.page.problems == []
