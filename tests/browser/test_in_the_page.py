"""A quiz and the game of two threads, saved: answered and played with no kernel and no network, by key, mouse and finger."""

import re

import pytest

from kitchen import TwoThreads
from kitchen.lesson.quiz import Option, Question, Quiz
from kitchen.views.player import DOCUMENT

QUIZ = Quiz(
    Question(text, Option("yes", "It is so."), (Option("no", "It is not so."), Option("maybe", "It is certain.")))
    for text in ("Is `1 < 2`?", "Is 2 < 3?")
)
ADD = "seen = counter\ncounter = seen + 1"
THREADS = TwoThreads(ADD, ADD, counter=0)


@pytest.fixture
def saved(tmp_path):
    """The address of a page with both, in which the quiz stands twice."""
    path = tmp_path / "page.html"
    body = QUIZ.html() + THREADS.html() + QUIZ.html()
    path.write_text(DOCUMENT.format(title="a page", body=body), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(page, saved):
    page.goto(saved)
    page.wait_for_selector(".kitchen-quiz.kitchen-live")
    page.wait_for_selector(".kitchen-gil.kitchen-live")
    return page


def answer(quiz, question, text):
    return quiz.locator("ol > li").filter(has_text=question).get_by_role("button", name=text, exact=True)


def test_a_quiz_is_answered_and_says_why(opened):
    quiz, other = opened.locator(".kitchen-quiz").all()
    score = quiz.get_by_role("status")
    assert score.inner_text().startswith("2 questions.")
    answer(quiz, "1 < 2", "no").click()
    assert "✗ No. It is not so." in quiz.inner_text()
    answer(quiz, "1 < 2", "yes").click()
    answer(quiz, "2 < 3", "yes").focus()
    opened.keyboard.press("Enter")
    assert score.inner_text() == "All answered, 1 of 2 at the first go."
    assert other.get_by_role("status").inner_text().startswith("2 questions.")  # each its own
    assert opened.requests == [opened.url] and opened.problems == []


def test_the_threads_are_played_with_keys_and_with_the_mouse(opened):
    game = opened.locator(".kitchen-gil")
    said, one, two = game.get_by_role("status"), *game.locator(".kitchen-threads button").all()
    one.focus()
    opened.keyboard.press("a")
    opened.keyboard.press("b")
    two.click()
    assert "counter = 1" in game.inner_text()
    opened.keyboard.press("Backspace")
    assert "Steps so far: A B\n" in game.inner_text()
    two.click()
    two.click(force=True)  # it is done by now
    assert two.get_attribute("aria-disabled") == "true"
    one.click()
    assert said.inner_text().startswith("An update is lost: counter = 1")
    assert "It takes 4 steps, and no fewer." in said.inner_text()
    game.get_by_role("button", name="start again").click()
    assert "counter = 0" in game.inner_text() and "Steps so far: none" in game.inner_text()
    game.get_by_role("button", name="show me a shortest order").click()
    assert said.inner_text().startswith("An update is lost")
    assert opened.problems == []


def test_a_finger_is_enough_on_a_phone_and_nothing_sticks_out(browser, saved):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    try:
        page = context.new_page()
        page.goto(saved)
        page.wait_for_selector(".kitchen-gil.kitchen-live")
        page.locator(".kitchen-threads button").first.tap()
        assert "Steps so far: A" in page.locator(".kitchen-gil").inner_text()
        answer(page.locator(".kitchen-quiz").first, "1 < 2", "yes").tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        sizes = page.locator(".kitchen-quiz button, .kitchen-gil button").evaluate_all(
            "all => all.map((one) => one.offsetHeight)"
        )
        assert min(sizes) >= 44
    finally:
        context.close()


def test_without_scripts_the_answers_are_folded(browser, saved):
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(saved)
        quiz = page.locator(".kitchen-quiz").first
        assert quiz.get_by_role("button").count() == 0
        assert not quiz.get_by_text("It is so.").first.is_visible()
        quiz.get_by_text("Answer").first.click()
        assert quiz.get_by_text("It is so.").first.is_visible()
        game = page.locator(".kitchen-gil")
        assert re.search(r"seen = counter\s+counter = seen \+ 1", game.inner_text())
        game.get_by_text("A shortest order that loses an update").click()
        assert game.get_by_text("An update is lost").is_visible()
    finally:
        context.close()
