"""`fetch` on httpx2: where httpx is missing, the tests of this folder hold as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
WITHOUT_HTTPX = """
import sys
sys.modules["httpx"] = None  # as if it was not there
import pytest
from kitchen.web.library import httpx
assert httpx.__name__ == "httpx2"
sys.exit(pytest.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_fetch_does_the_same_on_httpx2():
    pytest.importorskip("httpx2", reason="httpx2 is missing: python3 -m kitchen test installs it")
    files = [TESTS / "web" / f"test_{name}.py" for name in ("client", "decoding", "page", "route", "three_ways", "tls")]
    command = [sys.executable, "-c", WITHOUT_HTTPX, "-p", "no:nbval", "-p", "no:cacheprovider", "-q", "-m", "not slow"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), *sys.path])}
    done = subprocess.run(
        [*command, *map(str, files)], env=environment, capture_output=True, text=True, cwd=TESTS.parent
    )
    assert done.returncode == 0, done.stdout
