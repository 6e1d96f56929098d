"""The quizzes: every notebook has five questions that can be asked; what is in the page with scripts and without."""

import re
import tomllib
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

from kitchen.exercises.quizzes import QUESTIONS
from kitchen.lesson.quiz import Option, Question, Quiz

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem[3:].replace("-", "_") for path in ROOT.glob("notebooks/*.ipynb"))


def test_every_notebook_has_a_quiz_and_no_quiz_is_without_a_notebook():
    assert sorted(tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_quiz_has_five_questions_with_two_wrong_options_or_more(name):
    quiz = import_module(f"kitchen.exercises.{name}").quiz
    assert len(quiz.questions) == 5
    for question in quiz.questions:
        assert len(question.wrong) >= 2
        assert all(option.because[-1] in ".?!)" for option in question.options)


def test_the_right_option_stands_in_every_place_and_always_in_the_same():
    questions = [question for name in NAMES for question in import_module(f"kitchen.exercises.{name}").quiz.questions]
    places = [question.options.index(question.right) for question in questions]
    assert all(places.count(place) > len(questions) / 6 for place in (0, 1, 2))
    again = [question._replace().options.index(question.right) for question in questions]
    assert places == again


GOOD = Question("Is `1 < 2`?", Option("Yes", "It is."), (Option("No", "It is not."),))


@pytest.mark.parametrize(
    "question",
    [
        GOOD._replace(wrong=()),
        GOOD._replace(wrong=(Option("Yes", "Twice."),)),
        GOOD._replace(wrong=(Option("No", ""),)),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(question):
    with pytest.raises(ValueError, match="Is `1 < 2`"):
        Quiz([question])


class Nesting(HTMLParser):
    """Raises AssertionError for an element that is closed in the wrong place."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", NAMES)
def test_without_scripts_each_question_has_its_answer_folded(name):
    quiz = import_module(f"kitchen.exercises.{name}").quiz
    html = quiz.html()
    nesting = Nesting()
    nesting.feed(html)
    assert nesting.open == []
    assert html.count("<details>") == len(quiz.questions)
    assert html.count("<b>✓") == html.count('class="kitchen-right"') == len(quiz.questions)


def test_what_stands_between_backticks_is_code_and_nothing_is_html():
    html = Quiz([GOOD]).html()
    assert "<code>1 &lt; 2</code>" in html
    assert re.search(r"<li class=\"kitchen-right\"><b>✓ Yes</b>\. <span>It is\.</span>", html)
    assert "   - Yes" in str(Quiz([GOOD]))
