"""Run All. That every cell is answered and shows what is saved, the notebooks' own tests say.

They ask for all cells of a notebook at once (see `conftest.py`). Here it is shown that this finds what it is there to find.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.kernel

NESTED = [
    "import asyncio, nest_asyncio\nnest_asyncio.apply()",
    *["asyncio.run(asyncio.sleep(0.01))"] * 3,
    "x = 1",
    "x = 2",
]
HARMLESS = ["import asyncio", *["await asyncio.to_thread(asyncio.run, asyncio.sleep(0.01))"] * 3, "x = 1", "x = 2"]


@pytest.mark.parametrize(("cells", "passes"), [(NESTED, False), (HARMLESS, True)], ids=["nested", "harmless"])
def test_cells_that_are_never_answered_are_noticed(cells, passes, tmp_path):
    """Why no cell of ours may apply nest-asyncio: where the cells wait in a queue, some are lost."""
    import nbformat  # here, since it takes seconds to import

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "made.ipynb")
    options = [
        "-q",
        "-c",
        ROOT / "pyproject.toml",
        "-p",
        "conftest",
        "-p",
        "no:cacheprovider",
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=3",
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path / "made.ipynb"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode == 0) == passes, ran.stdout
