"""What holds the project together: who may import what, the public names, and what the repository may contain."""

import ast
import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import kitchen

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT / "kitchen").with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("kitchen/**/*.py"))
}
EXERCISES = "exercises/"  # the folder that may import everything
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))

# --- who may import what ---------------------------------------------------------------------------------------------

MAY_IMPORT = {  # module: what it may import from kitchen, at its top or in a function
    "recipe": "",
    "timeline": "",
    "recorder": "timeline",
    "simulate": "recipe timeline",
    "perform": "recipe recorder timeline",
    "cooks": "perform recipe recorder timeline",
    "client": "recorder timeline",
    "fetch": "client recorder timeline",
    "server": "",
    "gantt": "timeline",
    "player": "gantt timeline",
    "live": "player recorder timeline",
    "explore": "live player timeline",
    "turns": "gantt timeline",
    "slides": "",
    "predict": "player timeline",
    "game": "live player recipe simulate timeline",
    "awaiting": "",
    "diagnosis": "awaiting timeline",
    "sampler": "awaiting diagnosis timeline",
    "watch": "awaiting diagnosis recorder sampler timeline",
    "magic": "live watch",
    "race": "client fetch gantt recorder server timeline",
    "launch": "",
    "__main__": "launch",
    "__init__": "recipe timeline",
}
BEND = ("timeline", "player")  # in a notebook a Timeline shows itself as its player: lazily, and nowhere else


def imports(tree):
    """The modules of kitchen that a module imports, each with whether that happens inside a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lazy = {inner for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(filter(None, ["kitchen" if node.level else "", node.module]))
            names = [f"{parent}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "kitchen":
                module, _, inner = rest.partition(".")
                if module == "exercises":
                    module = "/".join(["exercises", *filter(None, [inner.partition(".")[0]])])
                yield module if module in SOURCES else "__init__", node in lazy


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_imports_only_what_the_table_allows(name):
    if name.startswith(EXERCISES):
        return
    assert name in MAY_IMPORT, (
        f"kitchen/{name}.py is new: say in MAY_IMPORT, in {Path(__file__).name}, what it may import"
    )
    allowed = set(MAY_IMPORT[name].split())
    found = {module for module, lazy in imports(SOURCES[name]) if not (lazy and (name, module) == BEND)}
    assert found - allowed == set(), f"kitchen/{name}.py imports what MAY_IMPORT does not allow"


def test_the_table_of_imports_names_no_module_that_is_gone():
    assert set(MAY_IMPORT) == {name for name in SOURCES if not name.startswith(EXERCISES)}


# --- the public names ------------------------------------------------------------------------------------------------

PUBLIC = """
kitchen: Dish Span State Step Timeline cooks dinner downloads exercises explore fetch game gantt live perform player predict
    recorder server simulate turns wait watch work
recipe.Step: kind label duration
recipe.work(label, duration)
recipe.wait(label, duration)
recipe.Dish: name steps
recipe.menu(dishes)
recipe.dinner()
recipe.downloads(n, latency=10.0, work=0.1)
simulate.sync(dishes)
simulate.threaded(dishes, quantum=1.0, switch_cost=0.0, parked=False)
simulate.cooperative(dishes, switch_cost=0.0, limit=None)
simulate.lower_bound(dishes)
perform.sync(dishes, minute=0.01)
perform.threaded(dishes, minute=0.01)
await perform.cooperative(dishes, minute=0.01)
perform.so_far()
cooks.Cooked: cooks dishes served
cooks.Served: dish cook bytes packing unpacking
cooks.cluster(dishes, client, minute=0.01, ingredients=mappingproxy({}))
cooks.processes(dishes, cooks=2, minute=0.01, ingredients=mappingproxy({}))
cooks.so_far()
fetch.Fetched: results timeline failures
fetch.Result: url status body error
await fetch.cooperative(urls, limit=100, timeout=10.0, retries=0)
fetch.so_far()
fetch.sync(urls, timeout=10.0, retries=0)
fetch.threaded(urls, workers=100, timeout=10.0, retries=0)
server.Site: base pid url urls
server.serve(delay=0.1)
gantt.gantt(timeline, ax=None)
gantt.compare(*timelines)
gantt.png(*timelines)
player.Player: save film png html bundle
live.View: timelines timeline offsets player save
live.live(title='')
explore.explore(function, **controls)
watch.watch: timeline findings close
predict.Prediction: answer compare
predict.choice(question, options)
predict.drawing(question, lanes, until, step=1.0, unit='min', states=(RUNNING, READY, WAITING))
predict.number(question, unit='')
predict.order(question, options)
timeline.State: RUNNING READY WAITING IDLING SWITCHING
timeline.Span: lane state label start end inferred duration
timeline.Finding: kind text file line span
timeline.Table: lanes states labels starts ends inferred of
timeline.Timeline: table spans by_time by_lane cook makespan busy utilization switches finishes counts took few
    summary save to_json from_json to_frame to_chrome_trace
every Timeline has: lanes unit title outcomes parents findings switching
"""  # a line per name (indented: it goes on): the parameters with their defaults, or what a class is made of


def members(cls):
    """What a class is made of: members of an enum, fields of a record, and its other public attributes."""
    if issubclass(cls, Enum):
        return list(cls.__members__)
    record = [field.name for field in fields(cls)] if is_dataclass(cls) else list(getattr(cls, "_fields", ()))
    others = [name for name in vars(cls) if name not in record]
    return [name for name in record + others if not name.startswith("_")]


def parameters(function):
    """The parameters of a function and their defaults, without the annotations."""
    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def public(module, names=None):
    """A line for every public class and function of a module, or for these only."""
    for name in names or getattr(module, "__all__", vars(module)):
        thing = getattr(module, name)
        foreign = getattr(thing, "__module__", None) != module.__name__ and not hasattr(module, "__all__")
        if name.startswith("_") or foreign:
            continue
        line = f"{module.__name__.removeprefix('kitchen.')}.{name}"
        if inspect.isclass(thing):
            yield f"{line}: {' '.join(members(thing))}"
        elif inspect.isfunction(thing):
            yield ("await " if inspect.iscoroutinefunction(thing) else "") + line + parameters(thing)


def test_the_public_names_are_these():
    lines = [f"kitchen: {' '.join(sorted(kitchen.__all__))}"]
    for name in ("recipe", "simulate", "perform"):
        lines += public(import_module(f"kitchen.{name}"))
    lines += public(kitchen.cooks, ["Cooked", "Served", "cluster", "processes", "so_far"])
    for name in ("fetch", "server", "gantt"):
        lines += public(import_module(f"kitchen.{name}"))
    for name, of in {
        "player": ["Player"],
        "live": ["View", "live"],
        "explore": ["explore"],
        "watch": ["watch"],
        "predict": ["Prediction", "choice", "drawing", "number", "order"],
    }.items():
        lines += public(import_module(f"kitchen.{name}"), of)
    lines += public(import_module("kitchen.timeline"), ["State", "Span", "Finding", "Table", "Timeline"])
    instance = vars(kitchen.simulate.sync([]))
    lines.append(f"every Timeline has: {' '.join(name for name in instance if not name.startswith('_'))}")
    assert lines == PUBLIC.replace("\n    ", " ").split("\n")[1:-1]


def test_every_public_name_of_kitchen_is_there():
    assert all(getattr(kitchen, name) is not None for name in kitchen.__all__)
    assert dir(kitchen) == sorted(kitchen.__all__)


@pytest.mark.parametrize("name", SOURCES)
def test_every_public_module_class_and_function_says_what_it_is_for(name):
    silent = [] if ast.get_docstring(SOURCES[name]) else [f"the module kitchen/{name}.py"]
    for node in SOURCES[name].body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            silent += [] if ast.get_docstring(node) else [f"{node.name}, kitchen/{name}.py:{node.lineno}"]
    assert silent == []


# --- the repository --------------------------------------------------------------------------------------------------

FOLDERS = {"notebooks", "kitchen", "tests", "binder"}
FILES = {"requirements.txt", "README.md", "pyproject.toml", "LICENSE"}  # and whatever begins with a dot


def test_the_top_of_the_repository_holds_what_a_reader_needs_and_no_more():
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no git on this machine to say which files belong to the repository")
    paths = [Path(path) for path in listed.stdout.decode().split("\0") if path]
    if not paths:
        pytest.skip(f"this folder is no git repository: {listed.stderr.decode().strip()}")
    folders = {path.parts[0] for path in paths if len(path.parts) > 1 and not path.parts[0].startswith(".")}
    files = {path.name for path in paths if len(path.parts) == 1 and not path.name.startswith(".")}
    assert folders - FOLDERS == set()
    assert files - FILES == set()


def test_every_requirement_has_a_range_of_versions_and_a_reason():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    requirement = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?>=[0-9.]+,<[0-9.]+(\s*;[^#]+)?\s+# \S.*")
    assert named
    assert [line for line in named if not requirement.fullmatch(line)] == []


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_no_complaint(command):
    said = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    assert said.returncode == 0, said.stdout.decode()


# --- the notebooks ---------------------------------------------------------------------------------------------------


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


def test_what_depends_on_time_is_asserted(notebook):
    """A cell whose output is not compared asserts something, or the next one that is not compared either does."""
    cells = [cell for cell in notebook["cells"] if is_code(cell)]
    silent = []
    for number, cell in enumerate(cells):
        if "nbval-ignore-output" in tags(cell):
            near = "\n".join(source(each) for each in cells[number : number + 3])
            silent += [] if "assert " in near else [cell["id"]]
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
                elif "assert " in source(cell):
                    assert predicted, f"{cell['id']} in {path.name} runs before anything was predicted"
                    run.append(cell["id"])
    assert predicted and run
    guide = (ROOT / "notebooks" / "INSTRUCTORS.md").read_text(encoding="utf-8")
    assert any(name in guide for name in predicted)
