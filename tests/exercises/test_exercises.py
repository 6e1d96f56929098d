"""Every exercise of every notebook: what is right passes, also under load; what is wrong is told apart, in words."""

import ast
import asyncio
import builtins
import json
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path

import pytest
from scripts.under_load import exercises, names

from kitchen.exercises.fetching_100_urls import DEADLINE, fetch_within
from kitchen.lesson import running as module
from kitchen.views import gantt
from kitchen.views.paper import Picture

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem[3:].replace("-", "_"): path for path in sorted(ROOT.glob("notebooks/*.ipynb"))}
EXERCISES = [pytest.param(name, each, id=f"{name}.{each.name}") for name in names() for each in exercises(name)]
TURNS = 20  # so often in a row a solution is checked under load
WORKERS = 3  # processes that do so at the same time, each of them a load to the others
BUSY = 2  # processes beside them that only compute


def answers(name):
    return import_module(f"answers.{name}")


def sources(name):
    notebook = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_notebook_from_01_on_has_three_exercises_or_more():
    assert set(names()) == set(NOTEBOOKS)
    assert [name for name in names() if name != "start_here" and len(exercises(name)) < 3] == []


def test_every_answer_belongs_to_an_exercise():
    for name in names():
        known = {exercise.name for exercise in exercises(name)}
        assert set(answers(name).WRONG) == known
        assert set(answers(name).RIGHT) <= known


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_an_untouched_stub_is_neither_right_nor_wrong(name, exercise):
    verdict = exercise.check(exercise.made(exercise.stub))
    assert verdict.right is None
    assert str(verdict) == f"Not attempted yet: {exercise.task}"


@pytest.mark.long
@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_right_answers_are_called_right(name, exercise, monkeypatch):
    monkeypatch.setattr(gantt, "picture", lambda *timelines: Picture(b"", b""))  # of each it would take a minute
    for code in [exercise.answer_code, *answers(name).RIGHT.get(exercise.name, ())]:
        verdict = exercise.check(exercise.made(code))
        assert verdict.right, f"{verdict}\n{code}"
        assert verdict._repr_mimebundle_()["text/html"]


@pytest.mark.long
@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_known_wrong_answers_are_told_apart(name, exercise, monkeypatch):
    monkeypatch.setattr(module, "CHECK_SECONDS", 4.0)  # not as long as a reader is waited for
    monkeypatch.setattr(module, "ENDING_SECONDS", 0.5)
    monkeypatch.setattr(gantt, "picture", lambda *timelines: Picture(b"", b""))  # of each it would take a minute
    wrong = answers(name).WRONG[exercise.name]
    assert len(wrong) >= 4
    texts = {}
    for piece, code in wrong.items():
        verdict = wrong_at_last(exercise, code)
        assert verdict.right is False, f"{verdict}\n{code}"
        assert piece in verdict.text, code
        assert verdict._repr_mimebundle_()["text/html"]
        if verdict.span:
            assert verdict.span in verdict.timeline.spans
        texts[verdict.text] = code
    assert len(texts) == len(wrong)


def wrong_at_last(exercise, code, turns=3):
    """The verdict, looked for again where it is not wrong: a computer that stood still hides what came too early."""
    for _ in range(turns):
        verdict = exercise.check(exercise.made(code))
        if verdict.right is False:
            break
    return verdict


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_the_notebook_has_the_stub_the_check_the_hints_and_the_solution(name, exercise):
    call = f"exercises.{exercise.name}"
    cells = sources(name)
    (stub,) = [cell for cell in cells if f"{call}.check(" in cell]
    assert stub.startswith(exercise.stub)
    assert stub.removeprefix(exercise.stub).strip() == f"{call}.check({exercise.name})"
    assert f"{call}.hint()" in cells
    assert f"{call}.solution()" in cells
    assert len(exercise.hints) >= 2


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_the_notebook_has_every_name_that_the_solution_needs(name, exercise):
    """`made` adds what the notebook has by then: here it is seen that it really has."""
    code = "\n".join(cell for cell in sources(name) if not cell.startswith("%%"))
    imports = [node for node in walked(code) if isinstance(node, (ast.Import, ast.ImportFrom))]
    there = {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}
    there |= {
        node.name for node in walked(code) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    own = {
        node.id
        for node in walked(exercise.answer_code)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    own |= {node.arg for node in walked(exercise.answer_code) if isinstance(node, ast.arg)}
    own |= {getattr(node, "name", None) for node in walked(exercise.answer_code)}
    used = {node.id for node in walked(exercise.answer_code) if isinstance(node, ast.Name)}
    assert used - own - there - set(vars(builtins)) == set()


def walked(code):
    """Every node of a piece of code; IPython's own lines are no Python."""
    return list(ast.walk(ast.parse("\n".join("" if line.startswith("%") else line for line in code.splitlines()))))


def start(stack, *command, **options):
    """A process that is not there any more when the stack is."""
    process = stack.enter_context(subprocess.Popen([sys.executable, *command], cwd=ROOT, **options))
    stack.callback(process.kill)
    return process


@pytest.mark.long
def test_where_the_computer_stood_still_a_deadline_is_looked_at_again():
    stood_still = [2 * DEADLINE, 1.5 * DEADLINE]

    async def answer(get, pages, seconds):
        async def in_time(page):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    if page == pages[0] and stood_still:
                        time.sleep(stood_still.pop())  # noqa: ASYNC251
                    return await get(page)

        return await asyncio.gather(*map(in_time, pages))

    assert fetch_within.check(answer).right
    assert stood_still == []


@pytest.mark.slow
def test_solutions_are_right_many_times_in_a_row_under_load():
    caught = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with ExitStack() as stack:
        for _ in range(BUSY):
            start(stack, "-c", "while True: pass")
        shares = filter(None, (names()[first::WORKERS] for first in range(WORKERS)))
        workers = [start(stack, "tests/scripts/under_load.py", str(TURNS), *share, **caught) for share in shares]
        said = [worker.communicate(timeout=300)[0] for worker in workers]
        assert said == [""] * len(workers)
        assert [worker.returncode for worker in workers] == [0] * len(workers)
