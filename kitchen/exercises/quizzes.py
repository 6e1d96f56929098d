"""The quiz at each notebook's end. The questions stand in `quizzes.toml`, under the name of the file of its exercises."""

import tomllib
from pathlib import Path

from kitchen.lesson.quiz import Option, Question, Quiz

QUESTIONS = Path(__file__).with_name("quizzes.toml")


def quiz(name: str) -> Quiz:
    """The quiz of the notebook whose exercises are in this module. KeyError for one that has none."""
    questions = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))[name.rpartition(".")[-1]]
    return Quiz(
        Question(asked["ask"], Option(*asked["right"]), tuple(Option(*wrong) for wrong in asked["wrong"]))
        for asked in questions
    )
