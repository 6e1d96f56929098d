"""The page's JavaScript under Node."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from kitchen.views import palette

ROOT = Path(__file__).parents[2]
SECONDS = 300  # so long may Node take for anything
OLDEST = 18  # the first Node with a test runner of its own


def node():
    """Node: the one that Playwright brings along, or one on the PATH."""
    try:
        from playwright._impl._driver import compute_driver_executable

        ours = str(compute_driver_executable()[0])
    except ImportError:
        ours = None
    for path in filter(None, [ours, shutil.which("node")]):
        if Path(path).exists() and version(path) >= OLDEST:
            return path
    reason = f"there is no Node {OLDEST} or newer: python3 -m pip install playwright brings one"
    return (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def version(node):
    """The first part of Node's version."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=SECONDS).stdout
    return int(said.strip().removeprefix("v").partition(".")[0] or 0)


def modules(folder):
    """Puts the JavaScript of the page and of its tests into a folder where Node takes every file for a module."""
    for path in [*ROOT.glob("kitchen/views/page/*.js"), *ROOT.glob("tests/views/javascript/*.js")]:
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    (folder / "kitchen" / "views" / "page" / "states.js").write_text(palette.javascript(), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return folder


@contextmanager
def asked(node, modules, name):
    """A function that asks a script of `tests/views/javascript/`, which answers a line of JSON with a line of JSON."""
    script = modules / "tests" / "views" / "javascript" / name
    with subprocess.Popen([node, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:

        def ask(**question):
            watch = Timer(SECONDS, process.kill)
            watch.start()
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            watch.cancel()
            assert answer, f"Node gave up on {question}"
            return json.loads(answer)

        yield ask
        process.stdin.close()
