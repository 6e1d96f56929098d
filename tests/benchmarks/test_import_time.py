"""What `import kitchen` costs, beside what starting Python costs: little, since it loads the standard library only."""

import subprocess
import sys
from pathlib import Path

from helpers.measure import Ratio, held, in_turn, wall

ROOT = Path(__file__).parents[2]
TURNS = 15


def python(code):
    """A new Python, which knows this repository, runs `code`."""
    found = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    subprocess.run([sys.executable, "-I", "-c", found + code], check=True)


def test_import_kitchen_takes_a_few_times_what_starting_python_takes(report):
    python("import kitchen")  # so that the byte code is there
    alone, together = in_turn(
        TURNS, lambda: wall(lambda: python("pass")), lambda: wall(lambda: python("import kitchen"))
    )
    held(report, "import kitchen", Ratio("python with kitchen / without", together, alone, bar=4.0, bound=8.0))
