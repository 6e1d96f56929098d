"""Binder: what repo2docker makes of `binder/`, and that the notebooks find `kitchen` after its steps.

The Dockerfile comes from repo2docker itself, which is fetched from the package index that pip is set up for. To install
everything anew takes a minute, which `tests/scripts/binder.py` has; here a clean environment borrows the packages.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from helpers.machine import missing
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

pytestmark = pytest.mark.slow  # another way to install

ROOT = Path(__file__).parents[2]
BOOK = "kitchen/commands/book/requirements.txt"
SECONDS = 300  # so long may anything take before this gives up
SHIMS = {"pip": "pip", "jupyter": "jupyter", "jupyter-labextension": "jupyterlab.labextensions"}  # what postBuild calls
INSTALL = 'RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"'


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, **options)


# --- what repo2docker makes of it ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repo2docker(tmp_path_factory):
    """What repo2docker says of this folder: the Dockerfile, and the words beside it. Nothing is built."""
    target = tmp_path_factory.mktemp("repo2docker")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(target)]
    done = run(*pip, "jupyter-repo2docker")
    if done.returncode:
        missing(f"repo2docker could not be had, pip says: {done.stderr[-500:]}")
    only_its_own = os.environ | {
        "PYTHONPATH": str(target),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # and, by -S, nothing of ours
    arguments = ["--no-build", "--no-run", "--debug", "."]
    done = run(sys.executable, "-S", "-m", "repo2docker", *arguments, cwd=ROOT, env=only_its_own)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def python_of_binder():
    """The version that binder/runtime.txt asks for, such as "3.12"."""
    return re.fullmatch(r"python-(3\.\d+)\n", (ROOT / "binder" / "runtime.txt").read_text()).group(1)


@pytest.mark.install
def test_the_image_has_a_python_that_the_project_supports(repo2docker):
    assert f"Building conda environment for python={python_of_binder()}\n" in repo2docker.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert python_of_binder() in SpecifierSet(project["requires-python"])


@pytest.mark.install
def test_the_image_is_made_by_our_steps_in_their_order(repo2docker):
    """All files are there before pip runs, since our requirements name files in another folder, and postBuild is last."""
    lines = repo2docker.stdout.splitlines()
    steps = ["COPY --chown=0:0 src/ ${REPO_DIR}/", INSTALL, "RUN ./binder/postBuild"]
    assert [line for line in lines if line in steps] == steps
    assert "USER ${NB_USER}" in lines[: lines.index(INSTALL)][-2:]  # not root, so that the reader may write


@pytest.mark.install
def test_the_image_owes_nothing_to_pyproject(repo2docker):
    """With a folder `binder`, repo2docker does not install the project: postBuild does."""
    installs = [line for line in repo2docker.stdout.splitlines() if "pip install" in line]
    assert installs == [INSTALL]
    assert "pip install --no-deps -e .\n" in (ROOT / "binder" / "postBuild").read_text()


def test_the_badge_opens_the_first_notebook_in_jupyterlab():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [link] = re.findall(r"\]\((https://mybinder\.org/v2/\S+)\)", readme)
    [place] = parse_qs(urlsplit(link).query)["urlpath"]
    before, notebook = place.split("lab/tree/")
    assert before == ""
    assert notebook == "notebooks/00-start-here.ipynb"
    assert (ROOT / notebook).is_file()


# --- the steps -------------------------------------------------------------------------------------------------------

NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "tests")
SEE = "import kitchen; print(kitchen.__file__)"
LOAD = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
shell.run_line_magic("load_ext", "kitchen")
print("gantt" in shell.magics_manager.magics["cell"])
"""


@pytest.fixture
def clean(tmp_path):
    """A copy of the clone, and a clean environment elsewhere: its Python, and the variables that it runs with."""
    if os.name != "posix":
        pytest.skip("Binder is a Linux")
    shutil.copytree(ROOT, tmp_path / "clone", ignore=NOT_COPIED)
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, module in SHIMS.items():
        shim = folder / "bin" / name
        shim.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m {module} "$@"\n')
        shim.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "VIRTUAL"))}
    path = os.pathsep.join([str(folder / "bin"), kept["PATH"]])
    own = {"PATH": path, "IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter")}
    return tmp_path / "clone", folder / "bin" / "python", kept | own


@pytest.mark.install
def test_notebooks_find_kitchen_after_binders_steps(clean):
    clone, python, env = clean

    def in_notebooks(*words):
        return run(python, *words, cwd=clone / "notebooks", env=env)

    assert "No module named 'kitchen'" in in_notebooks("-c", SEE).stderr
    built = run("./binder/postBuild", cwd=clone, env=env)
    if "No matching distribution found for setuptools" in built.stderr:
        missing(f"setuptools could not be had, pip says: {built.stderr[-500:]}")
    assert built.returncode == 0, built.stdout + built.stderr
    assert in_notebooks("-c", SEE).stdout == f"{clone}/kitchen/__init__.py\n"
    loaded = in_notebooks("-c", LOAD)
    assert loaded.stdout == "True\n", loaded.stderr
    settings = (
        python.parents[1] / "etc" / "jupyter" / "labconfig" / "page_config.json"
    )  # where JupyterLab looks for them
    assert json.loads(settings.read_text())["disabledExtensions"] == {
        "@jupyterlab/apputils-extension:announcements": True
    }


# --- the lock --------------------------------------------------------------------------------------------------------


def requirements(path):
    """The lines of a requirements file, read."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / path).read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line]


def installed(name):
    """Which version of a package is installed here, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def canonical(name):
    return re.sub("[-_.]+", "-", name).lower()


@pytest.fixture
def locked():
    """The lock: for each package the versions that are pinned, each for where it is meant for."""
    pinned = {}
    for line in requirements("binder/lock.txt"):
        pinned.setdefault(line.name, []).append(line)
    return pinned


def test_binder_installs_the_requirements_as_locked():
    assert (ROOT / "binder" / "requirements.txt").read_text() == "-r ../requirements.txt\n-c lock.txt\n"


def test_the_lock_pins_every_requirement_within_its_range(locked):
    for wanted in [*requirements("requirements.txt"), *requirements("tests/requirements.txt"), *requirements(BOOK)]:
        pins = locked[canonical(wanted.name)]
        assert all(str(pin.specifier).removeprefix("==") in wanted.specifier for pin in pins), wanted


def test_the_lock_pins_exactly_one_version_for_every_place(locked):
    for name, pins in locked.items():
        assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) and not pin.url for pin in pins), name
        for python in ["3.11.9", "3.12.4", "3.13.0"]:
            place = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
            assert sum(pin.marker is None or pin.marker.evaluate(place) for pin in pins) <= 1, (name, python)


def test_what_is_installed_here_is_compared_with_the_lock(locked, report):
    """No failure if it differs: the ranges say what works, the lock what Binder and a classroom get."""
    differ, seen = [], 0
    for name, pins in locked.items():
        for pin in pins:
            if pin.marker is None or pin.marker.evaluate():
                seen += 1
                here = installed(name)
                if here is None or here not in pin.specifier:
                    differ.append(f"{name} {here or 'is missing'}")
    some = ", ".join(differ[:6]) + (" ..." if len(differ) > 6 else "")
    report(
        "Beside binder/lock.txt",
        ["packages", "others here"],
        [[f"{seen - len(differ)} of {seen} as locked", some or "none"]],
    )
    assert seen > len(requirements("requirements.txt"))
