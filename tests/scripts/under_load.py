"""Checks the solutions of these exercises many times in a row, and prints those that were not called right.

    .venv/bin/python tests/scripts/under_load.py 20 cooperation coroutines

With the names of files in kitchen/exercises; without, all of them. Load is for whoever calls it to make.
"""

import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from kitchen.lesson.exercise import Exercise  # noqa: E402

SHARED = {"__init__", "quizzes"}


def names():
    """The files of exercises: one per notebook."""
    return sorted({path.stem for path in ROOT.glob("kitchen/exercises/*.py")} - SHARED)


def exercises(name):
    """The exercises in a file, in its order."""
    module = import_module(f"kitchen.exercises.{name}")
    return [thing for thing in vars(module).values() if isinstance(thing, Exercise)]


def main(times, chosen):
    for name in chosen or names():
        for exercise in exercises(name):
            for turn in range(times):
                verdict = exercise.check(exercise.made(exercise.answer_code))
                if verdict.right is not True:
                    print(f"{name}.{exercise.name}, turn {turn}: {verdict}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
