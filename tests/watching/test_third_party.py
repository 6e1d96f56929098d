"""Other projects' own tests, watched: anyio's and Starlette's, of the releases that are installed here, and asyncio's own
have to end as they end unwatched.

anyio does with asyncio's tasks, cancellation and threads whatever can be done with them, and has a thousand tests of that.
Starlette's show a web framework, with a loop for each client, in a thread. They come with the sources, from the package
index that pip is set up for; pip compares them with the hash that is told there. asyncio's are part of many a Python: of its
two thousand those are run that are about tasks and loops, not about systems.
"""

import asyncio
import json
import os
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest
from helpers.machine import missing

HERE = Path(__file__).parent
NEEDED = {  # by those tests, beyond what is installed here
    "anyio": ["trustme", "cryptography", "pytest-mock", "pytest-timeout"],
    "starlette": ["itsdangerous", "python-multipart", "sniffio", "trio", "outcome", "sortedcontainers"],
}
SECONDS = 900  # so long may anything take before this gives up
TRIES = 5  # of what differs, to tell what is so from what happens
# Not those that start a pytest of their own, nor what is no affair of asyncio, nor what not every machine has. Nor one that
# looks whether a loop is gone before the thread that still holds it has ended: on a busy computer that fails unwatched, too.
KINDS = "asyncio and not uvloop and not ipv6 and not getaddrinfo and not does_not_leak_event_loop"
CHOSEN = ["-k", KINDS, "--ignore=tests/test_pytest_plugin.py"]
OWN = "base_events context futures graph locks pep492 queues runners streams taskgroups tasks threads timeouts waitfor"


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        missing(f"the tests could not be had, pip says: {(done.stderr or done.stdout)[-500:]}")


def source_of(name, folder):
    """A folder with this package's source, and beside it what its tests need."""
    pip("download", "--no-binary", name, "--dest", str(folder), f"{name}=={version(name)}")
    pip("install", "--target", str(folder / "needed"), *NEEDED[name])
    [archive] = folder.glob(f"{name}-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def run(source, results, name, *options):
    """Runs tests of this source: how each of them ended, and what was seen of them, kept among the results."""
    outcomes = results / f"{name}.json"
    path = os.pathsep.join(map(str, [HERE.parents[1], HERE, source.parent / "needed"]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, "-p", "third_party_plugin", "--rootdir=.", f"--outcomes={outcomes}", *options],
        cwd=source,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert outcomes.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(outcomes.read_text())


def run_both(source, results, *options):
    """The same unwatched and watched, at the same time, since they mostly wait; and what differs, also when tried again.

    Some tests count threads, or milliseconds, or do not wait for what they ask about: they end now so, now otherwise, on a
    busy computer above all. So what differs is tried again, and counts if it comes again and never comes unwatched.
    """

    def both(*options, again=""):
        kinds = [("plain" + again,), ("watched" + again, "--watched")]
        with ThreadPoolExecutor() as threads:
            return list(threads.map(lambda kind: run(source, results, *kind, *options), kinds))

    plain, watched = both(*options)
    differ = differences(plain["outcomes"], watched["outcomes"])
    if differ:
        tests = sorted({test.rpartition(" ")[0] for test in differ})
        unwatched, anew = zip(*(both(*tests, again=f" again {number}") for number in range(TRIES)), strict=True)
        differ = {
            test: (one, other)
            for test, (one, other) in differ.items()
            if all(ran["outcomes"].get(test) != other for ran in unwatched)
            and any(ran["outcomes"].get(test) == other for ran in anew)
        }
    assert watched["problems"] == []
    assert plain["seen"]["loops"] == 0
    return plain, watched, differ


def differences(one, other):
    return {test: (one.get(test), other.get(test)) for test in {**one, **other} if one.get(test) != other.get(test)}


@pytest.mark.slow
def test_anyios_tests_end_as_they_do_unwatched(tmp_path):
    plain, watched, differ = run_both(source_of("anyio", tmp_path), tmp_path, *CHOSEN)
    assert watched["seen"]["loops"] > 500
    assert watched["seen"]["lanes"] > 2000
    assert sum(outcome == ["passed"] for outcome in plain["outcomes"].values()) > 800
    assert differ == {}


@pytest.mark.slow
def test_starlettes_tests_end_as_they_do_unwatched(tmp_path):
    source = source_of("starlette", tmp_path)
    options = ["-k", "not trio", "--ignore=tests/middleware/test_opentelemetry.py"]  # it needs a package more
    plain, watched, differ = run_both(source, tmp_path, *options, "tests")
    assert watched["seen"]["loops"] > 500
    assert sum(outcome == ["passed"] for outcome in plain["outcomes"].values()) > 600
    assert differ == {}


@pytest.mark.slow
def test_asyncios_own_tests_end_as_they_do_unwatched(tmp_path):
    folder = Path(asyncio.__file__).parents[1] / "test" / "test_asyncio"
    if not folder.exists():
        pytest.skip("this Python comes without its own tests of asyncio")
    files = [folder / f"test_{name}.py" for name in OWN.split()]
    kinds = "not PyTask and not PyFuture and not Subclass"  # the same tests for tasks that nobody makes
    kinds += " and not refcycles_propagate"  # from 3.14 on, the collector says who is just throwing it
    options = ["-p", "no:anyio", "-W", "ignore", "-k", kinds, *(str(file) for file in files if file.exists())]
    plain, watched, differ = run_both(folder.parents[1], tmp_path, *options)
    assert watched["seen"]["loops"] > 300
    assert sum(outcome == ["passed"] for outcome in plain["outcomes"].values()) > 500
    assert differ == {}
