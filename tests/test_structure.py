"""What holds the project together: who may import what, the front door, and what the repository may contain."""

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

import kitchen

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT / "kitchen").with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("kitchen/**/*.py"))
}
LONGEST = 400  # lines of a file, unless its first lines say why it has "more than 400 lines"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def python(code):
    """What a new Python, which knows this repository, says when it runs `code`."""
    found = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return subprocess.run([sys.executable, "-I", "-c", found + code], check=True, capture_output=True, text=True).stdout


def has_no_complaint(module, *arguments):
    """A tool, run as a module in the repository, ends well; where it is not installed, it is not asked."""
    pytest.importorskip(module.partition(".")[0])
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


# --- who may import what ---------------------------------------------------------------------------------------------


def test_a_room_imports_only_from_the_rooms_before_it():
    has_no_complaint("importlinter.cli", "lint-imports", "--no-cache")


def test_the_table_of_rooms_in_the_readme_is_the_rule():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rule = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    table = [set(re.findall(r"`([\w]+)/?`", row)) for row in rows]
    assert [*table, {"__main__"}] == [set(re.findall(r"\w+", layer)) for layer in reversed(rule)]


@pytest.mark.parametrize("module", ["", ".recipe", ".timeline", ".simulate", ".commands.launch", ".commands.lanes"])
def test_what_a_bare_python_starts_with_loads_the_standard_library_only(module):
    loaded = python(
        f"known = set(sys.modules)\nimport kitchen{module}\nprint(*sorted(set(sys.modules) - known))"
    ).split()
    assert f"kitchen{module}" in loaded
    tops = {name.partition(".")[0] for name in loaded}
    assert tops - {"kitchen"} - sys.stdlib_module_names == set()


# --- the front door --------------------------------------------------------------------------------------------------


def test_every_name_is_what_one_calls_whatever_was_imported_before():
    """A submodule that is imported becomes a name of its package: none may stand in for what is called by that name."""
    names = [f"kitchen.{name.replace('/', '.').removesuffix('.__init__')}" for name in SOURCES if "__" not in name]
    said = python(
        f"from importlib import import_module\nfor name in {names}: import_module(name)\n"
        "import kitchen\nprint({name: type(getattr(kitchen, name)).__name__ for name in kitchen.__all__})\n"
        "kitchen.watch()\nkitchen.live('a title')\nprint(str(kitchen.Player(kitchen.simulate.sync([]))))"
    )
    kinds = ast.literal_eval(said.splitlines()[0])
    modules = {name for name, kind in kinds.items() if kind == "module"}
    assert modules == {"simulate", "perform", "fetch", "cooks", "predict"}
    assert all(callable(getattr(kitchen, name)) for name in set(kinds) - modules if not name.isupper())


def test_completion_and_type_checkers_see_every_name():
    assert dir(kitchen) == sorted(kitchen.__all__)
    tree = SOURCES["__init__"]
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(kitchen.__all__) <= imported


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match=r"kitchen has no 'simulte'; it has .*simulate"):
        _ = kitchen.simulte


PUBLIC = """
Dish: name steps
Player: save film png html bundle
Shift: ready over serve rest undo doing timeline score
Span: lane state label start end inferred duration
State: RUNNING READY WAITING IDLING SWITCHING
Step: kind label duration
Table: lanes states labels starts ends inferred of
Timeline: table spans by_time by_lane cook makespan busy utilization cooks switches finishes folded counts took few summary
    save to_json from_json to_frame to_chrome_trace player
TwoThreads: end shortest count told goal facts html
best(dishes)
compare(*timelines)
cooks.Served: dish cook bytes packing unpacking
cooks.Cooked: cooks dishes served
cooks.processes(dishes, cooks=2, minute=0.01, ingredients=mappingproxy({}))
cooks.cluster(dishes, client, minute=0.01, ingredients=mappingproxy({}))
cooks.so_far()
dinner()
downloads(n, latency=10.0, work=0.1)
explore(function, **controls)
fetch.sync(urls, timeout=10.0, retries=0, max_bytes=33554432)
fetch.threaded(urls, workers=100, timeout=10.0, retries=0, max_bytes=33554432)
await fetch.cooperative(urls, limit=100, timeout=10.0, retries=0, max_bytes=33554432)
fetch.so_far()
gantt(timeline, ax=None)
live(title='')
perform.sync(dishes, minute=0.01)
perform.threaded(dishes, minute=0.01)
await perform.cooperative(dishes, minute=0.01)
perform.so_far()
perform.check_minute(minute)
play(dishes)
predict.number(question, unit='', least=0.0)
predict.choice(question, options)
predict.order(question, options)
predict.drawing(question, lanes, until, step=1.0, unit='min', states=(RUNNING, READY, WAITING))
predict.Prediction: answer compare
serve(delay=0.1)
simulate.sync(dishes)
simulate.threaded(dishes, quantum=1.0, switch_cost=0.0, parked=False)
simulate.cooperative(dishes, switch_cost=0.0, limit=None)
simulate.lower_bound(dishes)
steady(holds, words='')
turns(timeline, until=inf, scheduler='the scheduler', clock=True)
wait(label, duration)
watch: timeline findings close
work(label, duration)
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


def public(name, thing):
    """A line for each public class and function: for this one, or for those of this module."""
    if isinstance(thing, ModuleType):
        own = [each for each, value in vars(thing).items() if getattr(value, "__module__", None) == thing.__name__]
        for each in own:
            if not each.startswith("_"):
                yield from public(f"{name}.{each}", getattr(thing, each))
    elif inspect.isclass(thing):
        yield f"{name}: {' '.join(members(thing))}"
    elif inspect.isfunction(thing):
        yield ("await " if inspect.iscoroutinefunction(thing) else "") + name + parameters(thing)


def test_the_public_names_are_these():
    lines = [line for name in kitchen.__all__ for line in public(name, getattr(kitchen, name))]
    assert lines == PUBLIC.replace("\n    ", " ").split("\n")[1:-1]


def test_every_timeline_has_these():
    instance = vars(kitchen.simulate.sync([]))
    public = [name for name in instance if not name.startswith("_")]
    assert public == ["lanes", "unit", "title", "outcomes", "parents", "asides", "findings", "switching"]


# --- every file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_every_public_module_class_and_function_says_what_it_is_for(name):
    silent = [] if ast.get_docstring(SOURCES[name]) else [f"the module kitchen/{name}.py"]
    for node in SOURCES[name].body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            silent += [] if ast.get_docstring(node) else [f"{node.name}, kitchen/{name}.py:{node.lineno}"]
    assert silent == []


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("exercises/")])
def test_every_public_function_says_what_it_takes_and_gives(name):
    """In exercises/ a function is a judge, and what is made of it is an Exercise."""
    untold = []
    for node in public_functions(SOURCES[name]):
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        bare = [each.arg for each in named if each and not each.annotation and each.arg not in ("self", "cls")]
        if bare or not (node.returns or node.name == "__init__"):
            untold.append(f"kitchen/{name}.py:{node.lineno} {node.name}: {', '.join(bare) or 'what it returns'}")
    assert untold == []


def public_functions(tree):
    """Those that stand in a module or in a public class of it, and do not begin with _."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for owner in tree, *classes:
        for node in owner.body:
            if isinstance(node, FUNCTIONS) and (node.name == "__init__" or not node.name.startswith("_")):
                yield node


def test_the_types_fit():
    has_no_complaint("mypy", f"--cache-dir={os.devnull}")


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_no_complaint(command):
    has_no_complaint("ruff", *command, "--no-cache", ".")


def test_a_long_file_says_why_it_is_long():
    long = {}
    for path in sorted([*ROOT.glob("kitchen/**/*.py"), *ROOT.glob("kitchen/**/*.js")]):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST and "400 lines" not in "\n".join(lines[:12]):
            long[path.relative_to(ROOT).as_posix()] = len(lines)
    assert long == {}


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
