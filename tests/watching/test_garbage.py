"""What is known of the garbage collector: when it collected, and that no line of the program is to blame for it."""

import asyncio
import gc
import sys
import time

import pytest

from kitchen.timeline import READY, Table, Timeline
from kitchen.watching.diagnosis import diagnose
from kitchen.watching.facts import Facts, Sample, TaskStep
from kitchen.watching.garbage import NOTED_SECONDS, Collections
from kitchen.watching.watch import watch
from kitchen.watching.whose import is_ours


@pytest.fixture
def heard():
    collections = Collections()
    collections.hear()
    yield collections
    collections.stop_hearing()


def much():
    """So much to look through that a collection takes long."""
    return [[] for _ in range(200_000)]


def test_a_collection_is_heard_from_start_to_stop(heard):
    kept, began = much(), time.perf_counter()
    gc.collect()
    ended = time.perf_counter()
    start, stop = heard.take()[-1]
    assert began <= start < stop <= ended
    assert stop - start >= NOTED_SECONDS
    assert heard.take() == [] and kept


def test_a_collection_that_is_short_is_not_noted():
    collections = Collections()
    collections._starts.extend((1.0, 2.0))
    collections._stops.extend((0.5, 1.0 + NOTED_SECONDS / 2, 3.0))  # the first one began before anybody heard
    assert collections.take() == [(2.0, 3.0)]


def test_none_of_pythons_functions_runs_within_a_collection(heard):
    """An interrupt would be raised in it, and be lost. (Others may listen, too: with functions of Python's.)"""
    calls = []
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_filename) if event == "call" else None)
    try:
        gc.collect()
    finally:
        sys.setprofile(None)
    assert not any(map(is_ours, calls))


@pytest.mark.parametrize("end", [lambda: None, gc.callbacks.clear, lambda: gc.callbacks.append(gc.callbacks[0])])
def test_the_list_of_callbacks_is_as_it_was_whatever_the_program_does_to_it(end, monkeypatch):
    def theirs(phase, info):
        pass

    monkeypatch.setattr(gc, "callbacks", [])
    first, second = Collections(), Collections()
    first.hear()
    gc.callbacks.append(theirs)
    second.hear()
    end()
    first.stop_hearing()
    assert [one for one in gc.callbacks if one is not theirs] in ([], [second._heard])
    second.stop_hearing()
    second.stop_hearing()
    assert gc.callbacks in ([theirs], [])


def test_a_watch_hears_and_leaves_nothing_behind():
    before, kept = list(gc.callbacks), much()

    async def main():
        async with watch() as run:
            assert len(gc.callbacks) == len(before) + 1
            gc.collect()
            await asyncio.sleep(0)
        return run

    run = asyncio.run(main())
    assert run._recorder.collections and kept
    assert gc.callbacks == before
    assert run.findings == []


def of_a_step(collections=(), samples=()):
    """What is said of a step of a second beside which another task was READY."""
    table = Table([1], [READY], [""], [0.0], [1.0])
    timeline = Timeline(["cook", "guest"], table, unit="s")
    steps = [TaskStep(0, 0.0, 0.0, 1.0)]
    return diagnose(Facts(timeline, {0, 1}, steps, samples=list(samples), collections=list(collections)))


def test_no_line_is_told_for_a_collection():
    assert of_a_step()
    assert of_a_step([(0.02, 0.98)]) == []
    assert of_a_step([(0.0, 0.4), (0.42, 0.99)]) == []
    assert of_a_step([(-1.0, 0.95), (0.96, 1.5)]) == []
    assert of_a_step([(-1.0, 0.0), (1.0, 1.5)])


def test_what_the_line_took_beside_a_collection_is_still_its_own():
    samples = [Sample(0.5 + tick / 50, "kitchen.py", 9, "cook", tick / 50) for tick in range(25)]
    (finding,) = of_a_step([(0.0, 0.49)], samples)
    assert finding.text.startswith("kitchen.py, line 9 held the loop")


def test_what_a_collection_calls_is_the_programs_own():
    """While `__del__` runs, one can look: the time is not the collector's."""
    samples = [Sample(tick / 100, "kitchen.py", 9, "__del__", 0.0) for tick in range(100)]
    (finding,) = of_a_step([(0.0, 1.0)], samples)
    assert finding.line == 9


def test_a_callback_is_not_told_for_a_collection_either():
    table = Table([0], [READY], [""], [0.0], [0.3])
    timeline = Timeline(["guest"], table, unit="s")
    samples = [Sample(time, "kitchen.py", 9, "callback", time) for time in (0.0, 0.29)]
    assert diagnose(Facts(timeline, {0}, samples=samples))
    assert diagnose(Facts(timeline, {0}, samples=samples, collections=[(0.01, 0.28)])) == []
