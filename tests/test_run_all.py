"""Run All, as JupyterLab does it: every cell of a notebook is asked for at once, and every one is answered.

Whoever sends one cell and waits for its answer before sending the next, as nbval does, does not see a cell that an event
loop has lost.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from jupyter_client.manager import start_new_async_kernel

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
SECONDS = 240  # so long may a notebook take before the rest of its cells counts as unanswered
WHOLE_SERIES = 240  # seconds that all notebooks may take, one after the other, on two cores


class Ran(NamedTuple):
    """What became of the cells of a notebook: the answers in order, the errors shown, and the seconds it took."""

    answers: list[str]
    errors: list[str]
    seconds: float


async def run_all(cells, seconds=SECONDS):
    """Asks a new kernel for all cells at once."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    manager, client = await start_new_async_kernel(env=environment, cwd=str(ROOT / "notebooks"))
    try:
        began = time.monotonic()
        asked = [client.execute(cell) for cell in cells]
        errors, answered = [], {}

        async def listen_to_errors():
            while True:
                message = await client.get_iopub_msg()
                if message["msg_type"] == "error":
                    number = asked.index(message["parent_header"]["msg_id"])
                    errors.append(f"cell {number}: {message['content']['ename']}: {message['content']['evalue']}")

        listening = asyncio.create_task(listen_to_errors())
        try:
            async with asyncio.timeout(seconds):
                while len(answered) < len(asked):
                    reply = await client.get_shell_msg()
                    answered[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        except TimeoutError:
            pass
        taken = time.monotonic() - began
        listening.cancel()
        return Ran([answered.get(one, "no answer") for one in asked], errors, taken)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def code_cells(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def seconds():
    """How long each notebook took."""
    return {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_is_answered_when_all_are_asked_for_at_once(path, seconds):
    cells = code_cells(path)
    ran = asyncio.run(run_all(cells))
    assert ran.errors == []
    assert ran.answers == ["ok"] * len(cells)
    seconds[path.stem] = ran.seconds


def test_the_whole_series_takes_less_than_four_minutes(seconds, report):
    if set(seconds) != {path.stem for path in NOTEBOOKS}:
        pytest.skip("not all notebooks have been run")
    total = sum(seconds.values())
    rows = [[name, f"{taken:.1f} s"] for name, taken in seconds.items()]
    report("Run All", ["notebook", "takes"], [*rows, ["all", f"{total:.1f} s"]])
    assert total < WHOLE_SERIES


def test_a_cell_that_is_never_answered_would_be_noticed():
    lost = "import asyncio\nclass Never:\n    def __await__(self):\n        yield from asyncio.Future()\nawait Never()"
    ran = asyncio.run(run_all(["1", lost, "2"], seconds=3))
    assert ran.answers == ["ok", "no answer", "no answer"]


def test_nest_asyncio_in_the_notebooks_own_process_would_be_noticed():
    """Why no cell may apply it: with it, cells that wait behind an asyncio.run are lost."""
    cells = ["import asyncio, nest_asyncio\nnest_asyncio.apply()"]
    cells += ["asyncio.run(asyncio.sleep(0.01))"] * 3 + ["1", "await asyncio.sleep(0)", "2"]
    ran = asyncio.run(run_all(cells, seconds=8))
    assert "no answer" in ran.answers
