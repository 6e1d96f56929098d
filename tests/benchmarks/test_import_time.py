"""What `import kitchen` costs: little time, and nothing but the standard library, so that it works on a bare Python."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
ROUNDS = 15
MOST = 0.050  # seconds


def python(code):
    """What a new Python, which knows this repository, says when it runs `code`."""
    found = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    command = [sys.executable, "-I", "-c", found + code]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_import_kitchen_takes_less_than_50_ms(report):
    python("import kitchen")  # so that the byte code is there

    def seconds(code):
        began = time.perf_counter()
        python(code)
        return time.perf_counter() - began

    # Python with and without it in turn, so that a slow spell hits both; the median of the differences, because a start
    # that was disturbed can lie on either side.
    pairs = [(seconds("pass"), seconds("import kitchen")) for _ in range(ROUNDS)]
    alone, together = (median(times) for times in zip(*pairs, strict=True))
    cost = median(after - before for before, after in pairs)
    rows = [
        ("python alone", f"{alone * 1e3:.0f}", "1.00"),
        ("python with kitchen", f"{together * 1e3:.0f}", f"{together / alone:.2f}"),
        ("kitchen itself", f"{cost * 1e3:.0f}", f"{cost / alone:.2f}"),
    ]
    report("import kitchen", ("", "ms", "of python alone"), rows)
    assert cost < MOST


def test_import_kitchen_loads_the_standard_library_only():
    loaded = python("known = set(sys.modules)\nimport kitchen\nprint(*sorted(set(sys.modules) - known))").split()
    assert "kitchen.timeline" in loaded
    tops = {name.partition(".")[0] for name in loaded}
    assert tops - {"kitchen"} - sys.stdlib_module_names == set()
