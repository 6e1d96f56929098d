"""What every notebook of the series is made of: how it is committed, laid out and linked, and what its cells may do."""

import ast
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from scripts.run_notebooks import telling

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


def headlines(cell, level=1):
    """The headlines of a level in a markdown cell; what stands between ``` is code, and # begins a comment there."""
    text = re.sub(r"^(```|~~~).*?^\1", "", "".join(cell["source"]), flags=re.MULTILINE | re.DOTALL)
    underlined = {1: r"|^\S.*\n=+ *$|<h1.*", 2: r"|^\S.*\n-+ *$|<h2.*"}.get(level, "")
    return re.findall(rf"^ {{0,3}}{'#' * level} .*{underlined}", text, flags=re.MULTILINE)


def test_a_notebook_is_committed_as_run_once_from_top_to_bottom(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        counts = {output["execution_count"] for output in cell["outputs"] if output["output_type"] == "execute_result"}
        assert counts <= {cell["execution_count"]}


def test_a_notebook_shows_no_error_but_the_ones_it_means_to_show(notebook):
    for cell in notebook["cells"]:
        if "raises-exception" not in cell["metadata"].get("tags", []):
            errors = [output for output in cell.get("outputs", []) if output["output_type"] == "error"]
            assert errors == [], "".join(cell["source"])


def test_a_notebook_keeps_no_state_of_widgets(notebook):
    assert "widgets" not in notebook["metadata"]


def test_a_notebook_is_smaller_than_2_mb(path):
    assert path.stat().st_size < 2e6


def test_a_notebook_begins_with_its_one_headline(notebook):
    first, *others = notebook["cells"]
    assert first["cell_type"] == "markdown"
    assert len(headlines(first)) == 1
    assert [line for cell in others if cell["cell_type"] == "markdown" for line in headlines(cell)] == []


def test_a_notebook_does_not_tell_where_it_was_run(path):
    text = path.read_text(encoding="utf-8").replace("\\\\", "\\")  # JSON writes a backslash as two
    places = [str(ROOT), str(Path.home())]
    anybody = re.findall(r"/(?:home|Users)/[\w.-]+/|[A-Z]:\\Users\\[\w.-]+\\", text)
    assert [place for place in places if len(place) > 1 and f"{place}/" in text] + anybody == []


LONGEST = 14  # lines of a cell
PROGRAM = 36  # lines of a cell that is the very subject: it has the tag "program"
MINUTES = 30  # for reading a notebook and doing its exercises


def is_code(cell):
    return cell["cell_type"] == "code"


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def words(notebook):
    return "\n".join(source(cell) for cell in notebook["cells"] if not is_code(cell))


def test_headings_stand_in_order(notebook):
    found = [
        len(level)
        for cell in notebook["cells"]
        if not is_code(cell)
        for level in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", source(cell), flags=re.DOTALL), flags=re.MULTILINE)
    ]
    assert found[0] == 1
    assert [after for before, after in pairwise(found) if after > before + 1] == []


def test_a_notebook_says_how_long_it_takes(notebook):
    line = source(notebook["cells"][0]).splitlines()[2]
    minutes = [int(number) for number in re.findall(r"(\d+) minutes", line)]
    assert minutes, f"the third line says how many minutes reading and exercises take: {line}"
    assert sum(minutes) <= MINUTES


def test_a_notebook_leads_to_the_one_before_the_one_after_and_the_contents(path, notebook):
    place = NOTEBOOKS.index(path)
    near = [*NOTEBOOKS[max(place - 1, 0) : place], *NOTEBOOKS[place + 1 : place + 2]]
    wanted = {other.name for other in near} | ({NOTEBOOKS[0].name} if place else set())
    for where in (notebook["cells"][0], notebook["cells"][-1]):
        assert wanted - set(re.findall(r"\]\(([\w.-]+)\)", source(where))) == set()


def test_the_contents_name_every_notebook_and_its_minutes(path, notebook):
    minutes = re.findall(r"(\d+) minutes", source(notebook["cells"][0]).splitlines()[2])
    start = words(json.loads(NOTEBOOKS[0].read_text(encoding="utf-8")))
    (row,) = [
        line for line in start.splitlines() if line.startswith("|") and f" {path.stem[:2]} " in f" {line.strip('| *[')}"
    ]
    assert path == NOTEBOOKS[0] or f"({path.name})" in row
    assert re.findall(r"(\d+) min\b", row) == minutes
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"(notebooks/{path.name})" in readme


def test_links_lead_somewhere(path, notebook):
    linked = re.findall(r"\]\((?!https?:|#)([^)]+)\)", words(notebook))
    assert [link for link in linked if not (path.parent / link.partition("#")[0]).exists()] == []


def test_there_is_one_cell_with_imports(notebook):
    importing = [cell["id"] for cell in notebook["cells"] if is_code(cell) and imports_something(source(cell))]
    assert len(importing) == 1


def imports_something(code):
    """Whether a cell imports, apart from IPython's own lines; what stands in a text is not this cell's."""
    code = "\n".join("" if line.startswith("%") else line for line in code.splitlines())
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(ast.parse(code)))


def is_long(cell):
    """Whether a cell may be long: one that imports, and a program that is the very subject."""
    return "program" in tags(cell) or imports_something(source(cell))


def test_cells_are_a_handful_of_lines(notebook):
    long = {
        cell["id"]: len(source(cell).splitlines())
        for cell in notebook["cells"]
        if is_code(cell) and len(source(cell).splitlines()) > (PROGRAM if is_long(cell) else LONGEST)
    }
    assert long == {}


def test_cells_that_would_give_an_answer_away_are_folded(notebook):
    folded = {cell["id"] for cell in notebook["cells"] if cell["metadata"].get("jupyter", {}).get("source_hidden")}
    cells = {cell["id"] for cell in notebook["cells"] if is_code(cell)}
    assert folded == {name for name in cells if name.startswith("compare-")} | {
        cell["id"] for cell in notebook["cells"] if "fold" in tags(cell)
    }


def test_outputs_that_would_give_an_answer_away_are_folded(notebook):
    folded = [cell for cell in notebook["cells"] if cell["metadata"].get("jupyter", {}).get("outputs_hidden")]
    assert folded == telling(notebook["cells"])
    assert all(cell["outputs"][0].get("data") == {} for cell in folded), "of the first output JupyterLab shows a line"


def test_what_is_asked_is_compared_before_the_next_headline(notebook):
    """So that whoever has not answered yet does not see it: what is folded and covered ends there."""
    asked = 0
    for cell in notebook["cells"]:
        if not is_code(cell):
            assert not (asked and any(headlines(cell, level) for level in (2, 3, 4))), source(cell)
        else:
            asked += len(re.findall(r"\bpredict\.(?:number|choice|order|drawing)\(", source(cell)))
            asked = 0 if ".compare(" in source(cell) else asked


def asserts(code):
    """Whether it says what must hold; `steady` says so of what a busy computer may spoil."""
    return "assert " in code or "steady(" in code


def test_what_depends_on_time_is_asserted(notebook):
    """A cell whose output is not compared asserts something, or the next one that is not compared either does."""
    cells = [cell for cell in notebook["cells"] if is_code(cell)]
    silent = []
    for number, cell in enumerate(cells):
        if "nbval-ignore-output" in tags(cell):
            near = "\n".join(source(each) for each in cells[number : number + 3])
            silent += [] if asserts(near) else [cell["id"]]
    assert silent == []


def test_no_cell_applies_nest_asyncio_here(notebook):
    """In this very process: what a cell hands to another process as a text is another matter."""
    for cell in filter(is_code, notebook["cells"]):
        code = "\n".join("" if line.startswith("%") else line for line in source(cell).splitlines())
        called = [node.func for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        assert not any(isinstance(func, ast.Attribute) and func.attr == "apply" for func in called)


MISCONCEPTIONS = range(1, 11)  # as notebooks/INSTRUCTORS.md counts them


@pytest.mark.parametrize("number", MISCONCEPTIONS)
def test_each_misconception_is_met_by_a_prediction_and_a_run_that_is_asserted(number):
    predicted, run = [], []
    for path in NOTEBOOKS[:7]:  # whoever has read 00 to 06 has met them all
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if f"misconception-{number}" in tags(cell):
                if "predict." in source(cell):
                    predicted.append(cell["id"])
                elif asserts(source(cell)):
                    assert predicted, f"{cell['id']} in {path.name} runs before anything was predicted"
                    run.append(cell["id"])
    assert predicted and run
    guide = (ROOT / "notebooks" / "INSTRUCTORS.md").read_text(encoding="utf-8")
    assert any(name in guide for name in predicted)
