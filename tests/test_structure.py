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
from pathlib import Path

import pytest

import kitchen

ROOT = Path(__file__).parents[1]
SOURCES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("kitchen/*.py"))}
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))

# --- who may import what ---------------------------------------------------------------------------------------------

MAY_IMPORT = {  # module: what it may import from kitchen, at its top or in a function
    "recipe": "",
    "timeline": "",
    "recorder": "timeline",
    "simulate": "recipe timeline",
    "perform": "recipe recorder timeline",
    "client": "recorder timeline",
    "fetch": "client recorder timeline",
    "server": "",
    "gantt": "timeline",
    "player": "gantt timeline",
    "live": "player recorder timeline",
    "explore": "live player timeline",
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
                module = rest.partition(".")[0]
                yield module if module in SOURCES else "__init__", node in lazy


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_imports_only_what_the_table_allows(name):
    assert name in MAY_IMPORT, (
        f"kitchen/{name}.py is new: say in MAY_IMPORT, in {Path(__file__).name}, what it may import"
    )
    allowed = set(MAY_IMPORT[name].split())
    found = {module for module, lazy in imports(SOURCES[name]) if not (lazy and (name, module) == BEND)}
    assert found - allowed == set(), f"kitchen/{name}.py imports what MAY_IMPORT does not allow"


def test_the_table_of_imports_names_no_module_that_is_gone():
    assert set(MAY_IMPORT) == set(SOURCES)


# --- the public names ------------------------------------------------------------------------------------------------

PUBLIC = """
kitchen: Dish Span State Step Timeline dinner downloads explore fetch gantt live perform player recorder server simulate
    wait watch work
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
fetch.Fetched: results timeline failures
fetch.Result: url status body error
await fetch.cooperative(urls, limit=100, timeout=10.0)
fetch.so_far()
fetch.sync(urls, timeout=10.0)
fetch.threaded(urls, workers=100, timeout=10.0)
server.Site: base pid url urls
server.serve(delay=0.1)
gantt.gantt(timeline, ax=None)
gantt.compare(*timelines)
gantt.png(*timelines)
player.Player: save film png html bundle
live.View: timelines timeline offsets player save
live.live(title='')
explore.explore(function, **controls)
watch.watch: timeline findings
timeline.State: RUNNING READY WAITING IDLING SWITCHING
timeline.Span: lane state label start end inferred duration
timeline.Finding: kind text file line span
timeline.Table: lanes states labels starts ends inferred
timeline.Timeline: spans by_time by_lane cook makespan busy utilization switches finishes
    summary save to_json from_json to_frame to_chrome_trace
every Timeline has: lanes unit title outcomes parents findings
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
    for name in ("recipe", "simulate", "perform", "fetch", "server", "gantt"):
        lines += public(import_module(f"kitchen.{name}"))
    for name, of in {
        "player": ["Player"],
        "live": ["View", "live"],
        "explore": ["explore"],
        "watch": ["watch"],
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


def headlines(cell):
    """The H1 headlines of a markdown cell; what stands between ``` is code, and # begins a comment there."""
    text = re.sub(r"^(```|~~~).*?^\1", "", "".join(cell["source"]), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^ {0,3}# .*|^\S.*\n=+ *$|<h1.*", text, flags=re.MULTILINE)


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
