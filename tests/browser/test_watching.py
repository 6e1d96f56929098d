"""`%%gantt` in a real JupyterLab: a blocked loop is drawn while it is blocked, and who blocked it is said below."""

import json

import pytest

CELL = """%%gantt -o run the blocked loop
import asyncio, time

async def victim():
    await asyncio.sleep(0.2)

async def blocker():
    await asyncio.sleep(0.01)
    time.sleep(3)

async with asyncio.TaskGroup() as group:
    for number in range(3):
        group.create_task(victim(), name=f"victim {number}")
    group.create_task(blocker(), name="<b>blocker</b>")
"over"
"""
TOLD = """
import json
rows = [(span.lane, span.state.name, span.start, span.end) for span in run.timeline.spans]
print(json.dumps({"rows": rows, "findings": [finding[:4] for finding in run.findings]}))
"""
CLOSE = 0.02  # seconds


@pytest.fixture
def book(notebook):
    book = notebook("%load_ext kitchen", CELL, TOLD, "%%gantt\nx = 1\n1 / 0")
    book.run(0)
    return book


def test_a_blocked_loop_is_drawn_while_it_is_blocked(book):
    for _ in range(5):
        samples = book.watch(1)
        blocked = [sample for sample in samples if "<b>blocker</b>" in sample["cpu"] and sample["phase"] == "live"]
        if len(blocked) > 3:
            break  # else this computer was too busy to look
    first, last = blocked[0], blocked[-1]
    assert last["frames"] > first["frames"] + 3, "the picture stood still"
    assert last["duration"] > first["duration"], "its clock stood still"
    figure = book.figure(1)
    figure.until(lambda sample: sample["phase"] == "done", "the player")
    found = figure.root.locator(".kitchen-findings li")
    assert found.count() == 1
    assert "line 9 held the loop for 3." in found.inner_text() and "3 tasks were ready" in found.inner_text()
    assert book.output(1).locator("b").count() == 0  # what a task is called is no HTML
    assert found.locator("code").inner_text() == "time.sleep(3)"
    before = figure.rest()["playhead"]
    figure.root.locator(".kitchen-finding").click()
    lit = "lines => lines.filter(line => line.getAnimations().length).map(line => line.textContent.trim())"
    assert book.page.locator(".cm-line").evaluate_all(lit) == ["time.sleep(3)"]
    figure.until(lambda sample: sample["playhead"] < before, "the playhead where the loop was blocked")

    book.run(2)
    told = json.loads(book.said(2))
    rows = told["rows"]
    ((start, end),) = [row[2:] for row in rows if row[:2] == ["<b>blocker</b>", "IDLING"] and row[3] - row[2] > 0.5]
    assert end - start >= 3 - CLOSE
    for number in range(3):
        ((ready, until),) = [
            row[2:] for row in rows if row[:2] == [f"victim {number}", "READY"] and row[3] - row[2] > 0.1
        ]
        (waiting,) = [row for row in rows if row[:2] == [f"victim {number}", "WAITING"]]
        assert waiting[2] + 0.2 - CLOSE <= ready < end
        assert until >= end - CLOSE
    assert [finding[0] for finding in told["findings"]] == ["blocked"]
    book.run(3)
    assert "ZeroDivisionError" in book.said(3)
    assert "kitchen" not in book.said(3).partition("ZeroDivisionError")[2]
    assert book.page.problems == []
