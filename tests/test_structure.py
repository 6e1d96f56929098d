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
    "race": "client fetch gantt recorder server timeline",
    "launch": "",
    "__main__": "launch",
    "__init__": "recipe timeline",
}
BEND = ("timeline", "gantt")  # in a notebook a Timeline shows itself as its picture: lazily, and nowhere else


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
    assert name in MAY_IMPORT, f"kitchen/{name}.py is new: say in MAY_IMPORT, in {Path(__file__).name}, what it may import"
    allowed = set(MAY_IMPORT[name].split())
    found = {module for module, lazy in imports(SOURCES[name]) if not (lazy and (name, module) == BEND)}
    assert found - allowed == set(), f"kitchen/{name}.py imports what MAY_IMPORT does not allow"


def test_the_table_of_imports_names_no_module_that_is_gone():
    assert set(MAY_IMPORT) == set(SOURCES)


# --- the public names ------------------------------------------------------------------------------------------------

PUBLIC = {
    "kitchen": "Dish Span State Step Timeline dinner downloads fetch gantt perform recipe",
}


def without_annotations(function):
    """The parameters and defaults of a function, as one would write them down."""
    signature = inspect.signature(function)
    parameters = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def members(cls):
    """What a class is made of, in one line: members of an enum, fields of a record, and its own public attributes."""
    if issubclass(cls, Enum):
        return " ".join(cls.__members__)
    names = [field.name for field in fields(cls)] if is_dataclass(cls) else list(getattr(cls, "_fields", ()))
    own = [name for name in vars(cls) if name not in names]
    return " ".join(name for name in [*names, *own] if not name.startswith("_"))


def public(module):
    """Every public class and function of a module, with its members or its parameters."""
    home = {module.__name__, "kitchen.client"}  # fetch's results are made there
    for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
        thing = getattr(module, name)
        if getattr(thing, "__module__", None) in home:
            yield name, members(thing) if inspect.isclass(thing) else name + without_annotations(thing)
