"""What is installed: a line and a reason in a requirements file each, and the library's own part of it in pyproject.toml."""

import ast
import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {
    "httpx_aiohttp": "httpx-aiohttp",
    "numpy": "matplotlib",
    "PIL": "matplotlib",
    "IPython": "ipywidgets",
    "traitlets": "ipywidgets",
}


def lines(name):
    """The lines of a requirements file that name a package: each with its reason."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line.partition(" #")[::2] for line in text.splitlines() if not line.startswith("#")]


def requirements(texts):
    return {canonicalize_name(one.name): one for one in map(Requirement, texts)}


READERS = requirements(line for line, _ in lines("requirements.txt"))
TESTS = requirements(line for line, _ in lines("tests/requirements.txt"))
BOOK = "kitchen/commands/book/requirements.txt"


def test_each_line_has_a_range_and_a_reason():
    for line, reason in [*lines("requirements.txt"), *lines("tests/requirements.txt"), *lines(BOOK)]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+( ; .+)? *", line), line
        assert reason.strip(), line
    assert not set(READERS) & set(TESTS)


def test_pyproject_has_the_same_ranges_and_no_others():
    """And with the notebooks' extra, all that a reader has, but for pip: that is the environment's."""
    extras = PROJECT["optional-dependencies"]
    [itself, *others] = extras["notebooks"]
    assert itself == f"{PROJECT['name']}[cluster,race]"
    readers = requirements([*PROJECT["dependencies"], *extras["cluster"], *extras["race"], *others])
    assert readers == {name: one for name, one in READERS.items() if name != "pip"}
    assert requirements(extras["frame"]) == {"pandas": TESTS["pandas"]}


def test_the_rooms_of_the_library_import_only_what_it_depends_on():
    """At the top of their files: what a function imports, it tells whoever lacks it."""
    known = requirements(PROJECT["dependencies"])
    for path in ROOT.glob("kitchen/**/*.py"):
        if path.parent.name == "commands":
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in {name.partition(".")[0] for name in names} - {"kitchen"} - sys.stdlib_module_names:
                assert MODULES.get(name, name) in known, f"{path.relative_to(ROOT)} imports {name}"
