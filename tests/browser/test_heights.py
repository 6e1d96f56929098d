"""In a real JupyterLab: a figure moves nothing below it, neither while a run is drawn nor when the player takes over."""

import pytest

SETUP = "%load_ext kitchen\nimport asyncio\nfrom kitchen import dinner, fetch, live, perform, serve"
PAGES = 'with serve(delay=0.1) as site, live("pages"):\n    '
RUNS = {
    "a dinner by threads": 'with live("dinner"):\n    perform.threaded(dinner(), minute=0.05)',
    "a hundred threads": PAGES + "fetch.threaded(site.urls(100), workers=100)",
    "a hundred coroutines": PAGES + "await fetch.cooperative(site.urls(100), limit=100)",
    "any program": "%%gantt\nasync with asyncio.TaskGroup() as group:\n"
    '    for number in range(4):\n        group.create_task(asyncio.sleep(0.3), name=f"task {number}")',
}
# From the first frame of a figure on: with how many lanes the cell's output is how high, whenever that changes.
MEASURE = """number => {
    const output = document.querySelector(`.jp-Cell[data-number="${number}"] .jp-Cell-outputWrapper`)
    const seen = window.heights = []
    let lanes = null
    const look = () => {
        const kitchen = output.querySelector(".kitchen")?.kitchen
        const has = kitchen?.plan?.rows.filter(row => row.kind === "lane").length
        if (kitchen?.frames && has !== undefined) lanes = Math.max(lanes, has)
        const found = output.querySelector(".kitchen-findings")?.offsetHeight
        const height = Math.round(output.getBoundingClientRect().height - (found ? found + 8 : 0))  // that is news
        if (lanes !== null && seen.at(-1)?.[1] !== height) seen.push([lanes, height])
        if (!window.over) requestAnimationFrame(look)
    }
    window.over = false
    look()
}"""


@pytest.fixture
def book(shared_notebook):
    """A function: the source of a cell in, the notebook out, with the cell's number 1."""

    def opened(run):
        book = shared_notebook(SETUP, run)
        book.run(0)
        return book

    return opened


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_nothing_below_a_figure_moves_except_when_lanes_are_added(book, run):
    assert_nothing_moves(book(run))


def test_another_figure_in_the_same_cell_is_as_low_as_it_can_be(book):
    book = book(RUNS["a hundred threads"])
    assert_nothing_moves(book)
    book.page.evaluate(
        "notebook.content.widgets[1].model.sharedModel.setSource('from kitchen import *; simulate.sync(dinner())')"
    )
    book.run(1)
    book.figure(1).until(lambda sample: sample["runs"] and sample["runs"][0]["lanes"] == 3, "the other figure")
    assert book.figure(1).root.bounding_box()["height"] < 400


def assert_nothing_moves(book):
    """Runs cell 1, and looks on."""
    book.page.evaluate(MEASURE, 1)
    book.run(1)
    figure = book.figure(1)
    figure.until(lambda sample: sample["phase"] == "done" and figure.root.get_attribute("data-kitchen"), "the player")
    figure.rest()
    heights = book.page.evaluate("window.over = true, heights")
    assert heights == sorted(heights), "it was lower again, or higher and then lower"
    assert len(heights) == len({lanes for lanes, _ in heights}), f"it moved without another lane: {heights}"
