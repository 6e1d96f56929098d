"""Predictions and exercises: answered with the keyboard alone, by mouse and by finger, with a kernel and without one."""

import json

import pytest
from conftest import text_of, until
from helpers.pages import exported

FORMS = """
from kitchen import dinner, simulate
from kitchen.lesson import predict
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


def forms(output):
    return output.locator(".kitchen-asks")


def told(output):
    """What each comparison says: to the eye, and to whoever does not see the picture."""
    boxes = output.locator(".kitchen-compares")
    boxes.first.wait_for()
    return [text_of(box) for box in boxes.all()]


def wait_heard(book, answer, code="guess.answer"):
    """Waits until the kernel has this answer: it hears the page in a thread of its own, and may run a cell before."""
    until(book.page, lambda: book.ask(f"print({code})") == f"{answer}\n", f"{answer} in the kernel")


def wait_noted(form, words):
    noted = form.locator(".kitchen-noted")
    form.page.wait_for_function("([it, words]) => it.textContent.includes(words)", arg=[noted.element_handle(), words])


@pytest.fixture
def book(shared_notebook):
    book = shared_notebook(FORMS, COMPARED, "1")
    book.ask("import kitchen.lesson.predict; kitchen.lesson.predict._given.clear()")
    book.page.evaluate("localStorage.clear()")
    book.ask("[setattr(line, 'state', None) for line in kitchen.lesson.predict._lines.values()]")
    book.page.evaluate("document.dispatchEvent(new CustomEvent('kitchen:forgotten'))")
    return book


def answer_with_the_keyboard(page, form):
    """Answers the four forms, `form(0)` to `form(3)`, when all are there."""
    press = page.keyboard.press
    form(3).locator("td[tabindex='0']").wait_for()
    form(0).locator("input").focus()
    page.keyboard.type("30")
    press(
        "Control+Enter"
    )  # Enter alone would run on with the next cell, as soon as the kernel has heard, and take the focus along
    form(1).locator("input").first.focus()
    press("ArrowDown")
    press("Control+Enter")
    form(2).locator("button:enabled").first.focus()  # the first item of the order: only "later" can be pressed
    press("Enter")
    press("Enter")  # the focus went along with the item
    for _ in range(3):
        press("Tab")
    press("Enter")
    form(3).locator("td[tabindex='0']").focus()
    for key in ("1", "ArrowRight", "1", "ArrowRight", "3", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowDown", "2"):
        press(key)
    press("Tab")  # to the button
    press("Space")
    for number, said in enumerate(["30 min", "“that”", "boiled eggs, salad, steak", "6 pieces painted"]):
        wait_noted(form(number), said)


def check_comparisons(said):
    assert "You said 30 min." in said[0] and "It is 18 min." in said[0] and "You said 1.67 times as much." in said[0]
    assert "You said “that”, and so it is." in said[1]
    assert "It is: salad, boiled eggs, steak." in said[2] and "1 of 3 in the right place." in said[2]
    assert "pieces as you drew them" in said[3]


def test_every_form_is_answered_with_the_keyboard_alone(book):
    book.run(0)
    page = book.page
    heard = "[guess.answer for guess in guesses]"
    form = forms(book.output(0)).nth
    form(0).locator("input").wait_for()
    page.evaluate("window.notebookKeys = []")
    answer_with_the_keyboard(page, form)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("notebook.content.widgets.length") == 3, "nothing reached JupyterLab's own keys"
    answers = "[30.0, 'that', ['boiled eggs', 'salad', 'steak'], [["
    until(page, lambda: book.ask(f"print({heard})").startswith(answers), "all answers in the kernel")
    book.run(1)
    check_comparisons(told(book.output(1)))
    assert book.page.problems == []


def test_a_drawing_is_painted_with_the_mouse(book):
    book.run(0)
    form = forms(book.output(0)).nth(3)
    form.get_by_role("button", name="READY").click()
    form.locator("table").scroll_into_view_if_needed()
    first, last = (form.locator("td").nth(number).bounding_box() for number in (6, 9))
    mouse = book.page.mouse
    mouse.move(first["x"] + 5, first["y"] + 5)
    mouse.down()
    mouse.move(last["x"] + 5, last["y"] + 5, steps=12)
    mouse.up()
    assert form.locator("td.kitchen-is-ready").count() == 4
    assert "boiled eggs, 0 to 1 min: ready" in form.locator("td").nth(6).get_attribute("aria-label")
    assert form.get_attribute("data-kitchen-answered") is None, "what is being drawn is no answer yet"
    form.get_by_role("button", name="This is my drawing").click()
    wait_noted(form, "4 pieces")


def test_nothing_waits_for_an_answer_and_a_late_one_is_drawn(book):
    book.run(0)
    book.run(1)
    assert told(book.output(1))[0].split("\n\n") == ["No prediction was made.", "It is 18 min."]
    field = forms(book.output(0)).first.locator("input")
    field.fill("20")
    field.press("Tab")
    field.page.keyboard.press("Enter")
    assert "You said 20 min." in told(book.output(1))[0]
    book.run(0)  # asked again, the question keeps its answer
    assert forms(book.output(0)).first.locator("input").input_value() == "20"


CHECKED = """
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong
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
    assert "Not yet: it was not added" in text_of(book.output(1).locator(".kitchen-box"))
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
    assert "return n + 1" in book.said(3)
    assert book.page.problems == []


ASKED = """
from kitchen.lesson import predict
count = globals().get("count", 0) + 1
guess = predict.number("How long?", "min")
"""


@pytest.mark.parametrize("key", ["Enter", "Shift+Enter"])
def test_enter_in_a_form_runs_on_with_the_next_cell_and_not_its_own(book, key):
    book.replace(ASKED, "print(count, guess.answer)", "print('after')")
    book.ask("count = 0")
    book.run(0)
    book.output(0).locator("input[type=number]").focus()
    book.page.keyboard.type("30")
    book.page.keyboard.press(key)
    book.page.wait_for_function("notebook.content.widgets[1].model.outputs?.length > 0")
    assert book.said(1).strip() == "1 30.0"
    assert book.output(0).locator("input[type=number]").input_value() == "30"
    assert book.page.evaluate("notebook.content.activeCellIndex") == 2
    assert book.page.problems == []


def test_an_answer_is_there_before_the_next_cell_however_long_the_kernel_was_busy(book, tmp_path):
    """Changes of a widget's state wait while the kernel is busy; "3" would come at once, and "30" behind the next cell."""
    gate = tmp_path / "gate"
    book.replace(ASKED, "print(count, guess.answer)", "3")
    book.ask("count = 0")
    book.run(0)
    book.page.evaluate(
        "code => { notebook.sessionContext.session.kernel.requestExecute({code, store_history: false}) }",
        f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)",
    )
    book.page.wait_for_function("notebook.sessionContext.session.kernel.status === 'busy'")
    book.output(0).locator("input[type=number]").focus()
    book.page.keyboard.type("30")
    book.page.keyboard.press("Enter")
    gate.touch()
    book.page.wait_for_function("notebook.content.widgets[1].model.outputs?.length > 0")
    assert book.said(1).strip() == "1 30.0"


def test_control_enter_stays_and_escape_goes_back_to_the_cell(book):
    book.replace(ASKED, "print(count, guess.answer)", "3")
    book.ask("count = 0")
    book.run(0)
    book.output(0).locator("input[type=number]").focus()
    book.page.keyboard.type("30")
    book.page.keyboard.press("Control+Enter")
    assert book.output(0).locator("input[type=number]").evaluate("input => input === document.activeElement")
    wait_heard(book, "1 30.0", "count, guess.answer")
    book.page.keyboard.press("Escape")
    assert book.page.evaluate("[notebook.content.activeCellIndex, notebook.content.mode]") == [0, "command"]
    book.page.keyboard.press("j")
    book.page.wait_for_function("notebook.content.activeCellIndex === 1")


def test_in_a_player_shift_enter_runs_its_cell_and_escape_goes_back_to_it(book):
    book.replace("from kitchen import *\nruns = globals().get('runs', 0) + 1\nsimulate.sync(dinner())", "2", "3")
    book.ask("runs = 0")
    book.run(0)
    figure = book.figure(0)
    figure.until(lambda sample: sample["phase"] == "done")
    figure.root.focus()
    book.page.keyboard.press("Escape")
    book.page.keyboard.press("ArrowDown")
    book.page.wait_for_function("notebook.content.activeCellIndex === 1")
    for part in ("play", "scrub"):
        before = int(book.ask("print(runs)"))
        figure.part(part).focus()
        book.page.keyboard.press("Shift+Enter")
        book.page.wait_for_function("notebook.content.activeCellIndex === 1")
        assert book.ask("print(runs)") == f"{before + 1}\n", part
        figure.until(lambda sample: sample["phase"] == "done")
    assert book.page.problems == []


def test_what_a_mouse_marks_in_a_player_selects_no_cell(book):
    book.replace("from kitchen import *\nsimulate.sync(dinner())", "2")
    book.run(0)
    figure, page = book.figure(0), book.page
    figure.until(lambda sample: sample["phase"] == "done")
    figure.mark("axis", 0.3, 0.6)
    assert figure.rest()["from"] > 0
    assert page.locator(".jp-mod-multiSelected").count() == 0
    assert figure.root.evaluate("root => root.contains(document.activeElement)"), "the keys are the figure's"
    assert page.problems == []


def test_the_next_day_question_and_answer_stand_there_and_a_fresh_kernel_asks_anew(notebook, server):
    compared = "guess.compare(38)"
    book = notebook(ASKED, compared, "print(guess.answer)")
    book.run(0)
    field = book.output(0).locator("input")
    field.fill("30")
    field.press("Control+Enter")
    book.run(1)
    assert "You said 30 min." in told(book.output(1))[0]
    book.save()
    server.end_sessions(book.path)
    book.page.goto("about:blank")
    book.open(kernel=False)  # the next day
    wait_noted(book.output(0), "Noted: 30 min.")
    assert "You said 30 min." in told(book.output(1))[0]
    assert "model not found" not in book.said(0)
    asked = json.loads(book.file.read_text(encoding="utf-8"))["cells"][0]["outputs"][0]["data"]
    assert "".join(asked["text/plain"]) == "How long?\nPredict it before you read on."
    book.open()  # and with a kernel
    for number in range(3):
        book.run(number)
    assert book.said(2).strip() == "None", "what was answered yesterday is no answer today"
    assert "No prediction was made." in told(book.output(1))[0]
    wait_noted(book.output(0), "Last time you said 30 min.")
    book.output(0).get_by_role("button", name="Say it again").click()
    wait_heard(book, "30.0")
    assert "You said 30 min." in told(book.output(1))[0]


def test_after_a_reload_the_form_has_its_answer_and_the_kernel_hears_of_another(notebook):
    book = notebook(ASKED)
    book.run(0)
    field = book.output(0).locator("input")
    field.fill("30")
    field.press("Control+Enter")
    book.save()
    book.reload()
    wait_noted(book.output(0), "Noted: 30 min.")
    book.page.evaluate(  # until the line is there again
        "form => new Promise(done => { document.addEventListener('kitchen:line', done, { once: true });"
        " form.dispatchEvent(new CustomEvent('kitchen:asks', { bubbles: true })) }).then(() => true)",
        book.output(0).locator(".kitchen-asks").element_handle(),
    )
    field.fill("31")
    field.press("Control+Enter")
    wait_heard(book, "31.0")


def test_a_form_whose_kernel_is_gone_says_so(notebook):
    book = notebook(ASKED)
    book.run(0)
    field = book.output(0).locator("input[type=number]")
    field.fill("30")
    field.press("Control+Enter")
    book.kernel("restart")
    wait_noted(book.output(0), "run this cell again")


# --- without a kernel ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_of_forms(tmp_path_factory):
    """A page as nbconvert makes it of a notebook that was run: the four forms, and what came out."""
    return exported(tmp_path_factory.mktemp("forms"), FORMS, COMPARED)


def test_in_a_page_without_a_kernel_forms_are_answered_compared_and_remembered(page, page_of_forms):
    for _ in range(2):
        page.goto(page_of_forms.as_uri())
        form = forms(page).nth
        form(0).locator("input").wait_for()
        if not page.evaluate("localStorage.length"):
            assert all("No prediction was made." in said for said in told(page))
            answer_with_the_keyboard(page, form)
        check_comparisons(told(page))
        assert page.locator(".kitchen-asks[data-kitchen-answered]").count() == 4
    form(3).get_by_role("button", name="Forget all my answers").click()
    assert all("No prediction was made." in said for said in told(page))
    assert page.locator(".kitchen-asks[data-kitchen-answered]").count() == 0
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("window.hacked") is None
    assert page.problems == []


def test_a_page_hears_of_an_answer_when_it_is_given_and_not_before(page, page_of_forms):
    page.goto(page_of_forms.as_uri())
    field = forms(page).first.locator("input")
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('kitchen:answered',"
        " ({ target, detail }) => heard.push([target.dataset.kitchenQuestion === detail.key, detail.answer])) }"
    )
    field.focus()
    page.keyboard.type("30")
    assert page.evaluate("heard") == []
    page.mouse.click(5, 5)  # whoever leaves has answered
    assert page.evaluate("heard") == [[True, 30]]
    field.fill("-3")
    field.press("Enter")
    assert "That cannot be" in forms(page).first.locator(".kitchen-noted").inner_text()
    assert page.evaluate("heard").__len__() == 1
    field.fill("")
    field.press("Enter")
    assert page.evaluate("heard")[1:] == [[True, None]]
    radios = forms(page).nth(1).locator("input")
    radios.first.focus()
    page.keyboard.press("ArrowDown")
    assert len(page.evaluate("heard")) == 2, "arrows walk past an option without choosing it"
    page.keyboard.press("Space")
    assert page.evaluate("heard")[2:] == [[True, 1]]


def test_by_finger_every_target_is_44_pixels_and_the_page_does_not_scroll_sideways(browser, page_of_forms):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_of_forms.as_uri())
    form = forms(page).nth
    form(0).locator("input").wait_for()
    for target in page.locator(".kitchen-asks :is(button, label)").all():
        box = target.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44, target.inner_text()
    form(1).locator("label").nth(1).tap()
    wait_noted(form(1), "“that”")
    form(2).get_by_role("button", name="This is my order").tap()
    wait_noted(form(2), "steak, boiled eggs, salad")
    form(3).locator("td").nth(7).tap()
    form(3).get_by_role("button", name="This is my drawing").tap()
    wait_noted(form(3), "1 piece painted")
    for root in page.locator(".kitchen-box").all():
        box = root.bounding_box()
        assert box["x"] + box["width"] <= 390
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth")
    context.close()


def test_a_finger_paints_on_over_several_cells(browser, page_of_forms):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_of_forms.as_uri())
    form = forms(page).nth(3)
    form.locator("table").scroll_into_view_if_needed()
    boxes = [form.locator("td").nth(number).bounding_box() for number in range(6, 10)]
    middles = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + 20} for box in boxes]
    session = context.new_cdp_session(page)
    for kind, point in zip(["touchStart", *["touchMove"] * 3], middles, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert form.locator("td.kitchen-is-running").count() == 4
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_colours_are_forced_a_drawing_and_its_comparison_keep_theirs(page, page_of_forms, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(page_of_forms.as_uri())
    form, comparison = forms(page).nth(3), page.locator(".kitchen-compares").nth(3)
    form.locator("td").first.focus()
    page.keyboard.press("1")
    form.get_by_role("button", name="This is my drawing").press("Enter")
    colour = "part => getComputedStyle(part).backgroundColor"
    painted = form.locator("td").first.evaluate(colour)
    assert painted in ("rgb(0, 114, 178)", "rgb(61, 155, 224)")
    assert comparison.locator(".kitchen-ghost i").first.evaluate(colour) == painted
    assert comparison.locator(".kitchen-lane > :last-child i").first.evaluate(colour) == painted


def test_on_paper_a_drawing_has_its_legend_and_says_nothing_of_a_mouse(page, page_of_forms):
    page.goto(page_of_forms.as_uri())
    drawing = page.locator(".kitchen-asks", has=page.locator("table")).first
    drawing.locator("td").first.wait_for()
    page.emulate_media(media="print")
    assert drawing.get_by_text("RUNNING").is_visible()
    assert not drawing.get_by_text("mouse").is_visible()
    assert not page.get_by_role("button", name="This is my").first.is_visible()


def test_where_no_script_runs_stand_question_options_and_what_came_out(browser, page_of_forms):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_of_forms.as_uri())
    said = forms(page).nth(2).inner_text()
    assert all(words in said for words in ["Who first?", "boiled eggs", "Predict it before you read on."])
    assert page.locator(".kitchen-box :is(input, button)").count() == 0
    assert "It is 18 min." in told(page)[0]
    context.close()
