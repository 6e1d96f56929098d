"""Another project's own tests, watched: anyio's, of the release that is installed here, have to end as they end unwatched.

anyio does with asyncio's tasks, cancellation and threads whatever can be done with them, and has a thousand tests of that.
They come with its source, from the package index that pip is set up for; pip compares it with the hash that is told there.
"""

import json
import os
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest
from machine import missing

HERE = Path(__file__).parent
NEEDED = ["trustme", "cryptography", "pytest-mock", "pytest-timeout"]  # by those tests, beyond what is installed here
SECONDS = 240  # so long may anything take before this gives up
# Not those that start a pytest of their own, nor what is no affair of asyncio's, nor what not every machine has.
CHOSEN = ["-k", "asyncio and not uvloop and not ipv6 and not getaddrinfo", "--ignore=tests/test_pytest_plugin.py"]


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        missing(f"anyio's tests could not be had, pip says: {(done.stderr or done.stdout)[-500:]}")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A folder with anyio's source, and beside it what its tests need."""
    folder = tmp_path_factory.mktemp("anyio")
    pip("download", "--no-binary", "anyio", "--dest", str(folder), f"anyio=={version('anyio')}")
    pip("install", "--target", str(folder / "needed"), *NEEDED)
    [archive] = folder.glob("anyio-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def run(source, name, *options):
    """Runs these tests: how each of them ended, and what was seen of them."""
    outcomes = source.parent / f"{name}.json"
    path = os.pathsep.join(map(str, [HERE.parent, HERE, source.parent / "needed"]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, "-p", "third_party_plugin", "--rootdir=.", f"--outcomes={outcomes}", *CHOSEN, *options],
        cwd=source,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert outcomes.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(outcomes.read_text())


def differences(one, other):
    return {test: (one.get(test), other.get(test)) for test in {**one, **other} if one.get(test) != other.get(test)}


def test_anyios_tests_end_as_they_do_unwatched(source):
    with ThreadPoolExecutor() as both:  # at the same time, since they mostly wait
        plain, watched = both.map(lambda options: run(source, *options), [("plain",), ("watched", "--watched")])
    assert watched["problems"] == []
    assert watched["seen"]["loops"] > 500
    assert watched["seen"]["lanes"] > 2000
    assert plain["seen"]["loops"] == 0
    assert sum(outcome == ["passed"] for outcome in plain["outcomes"].values()) > 800
    differ = differences(plain["outcomes"], watched["outcomes"])
    if differ:  # some count threads, or milliseconds, and differ from one time to the next: they get a second try
        again = sorted({test.rpartition(" ")[0] for test in differ})
        differ = differences(
            *(
                run(source, f"{name} again", *options, *again)["outcomes"]
                for name, *options in [("plain",), ("watched", "--watched")]
            )
        )
    assert differ == {}
