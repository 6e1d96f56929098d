"""In a real Notebook 7, which is another page around JupyterLab's parts: what our notebooks need is there too."""

import pytest
from conftest import until
from test_in_jupyterlab import after_change, assert_it_moved, assert_it_plays, done

pytestmark = pytest.mark.slow  # another front end

IMPORTS = """
from kitchen import dinner, perform, simulate
from kitchen.lesson import predict
from kitchen.views.explore import explore
from kitchen.views.live import live
"""
CELLS = [
    IMPORTS,
    "with live('dinner') as view:\n    perform.threaded(dinner(), minute=0.06)",
    "guess = predict.number('How long?', 'min')",
    "guess.compare(simulate.cooperative(dinner()).makespan)",
    "explore(lambda quantum: simulate.threaded(dinner(), quantum), quantum=(0.5, 5.0, 0.5))",
    "%load_ext kitchen",
    "%%gantt\nimport asyncio\nawait asyncio.gather(asyncio.sleep(0.1), asyncio.sleep(0.2))",
]
RUN_ALL = 'void jupyterapp.commands.execute("notebook:run-all-cells")'
PROMPTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(prompt => prompt.textContent)"


def watch_all(book):
    """Runs all cells, and returns what was seen meanwhile of the figure of cell 1."""
    figure, seen, numbered = book.figure(1), [], [f"[{number}]:" for number in range(1, len(CELLS) + 1)]

    def all_answered():
        seen.append(figure.sample())
        return book.page.evaluate(PROMPTS) == numbered

    book.page.evaluate(RUN_ALL)
    until(book.page, all_answered, "a number beside every cell")
    return [sample for sample in seen if sample]


def drag(page, handle):
    """Moves a slider with the mouse."""
    handle.hover()
    page.mouse.down()
    page.mouse.move(handle.bounding_box()["x"] + 40, handle.bounding_box()["y"] + 10, steps=5)
    page.mouse.up()


def test_a_reader_runs_all_answers_moves_plays_and_comes_back(notebook):
    book = notebook(*CELLS, address="notebooks/{path}")
    page = book.page
    assert page.evaluate("jupyterapp.name") == "Jupyter Notebook"
    of_its_own = set(page.problems)  # Notebook has some whatever is in the notebook; nothing of ours has run yet

    assert_it_moved(watch_all(book), "a view, in Notebook 7")
    assert done(book.figure(1))["done"] == "3 of 3 done"
    assert_it_plays(book.figure(1))
    assert done(book.figure(6))["colours"] > 3

    assert "No prediction was made.\n\nIt is 18 min." in book.said(3)
    book.output(2).locator("input[type=number]").fill("20")
    book.output(2).get_by_role("button", name="This is my answer").click()
    book.output(3).get_by_text("You said 20 min.").wait_for(state="attached")
    until(page, lambda: book.ask("print(guess.answer)") == "20.0\n", "the answer in the kernel")

    figure = book.figure(4)
    after_change(book, figure, done(figure), lambda: drag(page, book.output(4).locator(".kitchen-explores input")))

    book.save()
    book.server.end_sessions(book.path)
    book.open(kernel=False)  # as whoever gets the file sees it
    assert_it_plays(book.figure(1))
    assert set(page.problems) <= of_its_own
