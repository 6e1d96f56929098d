"""What a thread did with a stretch of time, by its clocks: readings are made by hand."""

import time

import pytest

from kitchen.timeline import IDLING, READY, RUNNING
from kitchen.watching import cpu
from kitchen.watching.cpu import Reading, ThreadClock, shares

START = Reading(10.0, 1.0, 5.0, 0.0)


def after(seconds, own, others=0.0, queued=0.0):
    return Reading(10 + seconds, 1 + own, 5 + own + others, queued)


@pytest.fixture
def gil(monkeypatch):
    monkeypatch.setattr(cpu, "one_at_a_time", lambda: True)


WHOLE = {
    "it slept": (after(0.1, 0.0001), IDLING),
    "it computed": (after(0.1, 0.0999), RUNNING),
    "it queued for the interpreter": (after(0.1, 0.0015, others=0.095), READY),
    "it queued behind other processes": (after(0.1, 0.0, queued=0.0995), READY),
    "it slept, and something else used the CPU without the interpreter": (after(0.1, 0.0, others=0.1), IDLING),
}


@pytest.mark.parametrize(("reading", "state"), WHOLE.values(), ids=WHOLE)
def test_a_stretch_of_one_kind_is_one_state(gil, reading, state):
    did = shares(START, reading)
    assert did[state] == pytest.approx(0.1)
    assert sum(did.values()) == pytest.approx(0.1)


def test_a_stretch_of_two_kinds_is_shared_and_no_cpu_time_is_lost(gil):
    did = shares(START, after(0.1, 0.04))
    assert (did[RUNNING], did[READY]) == (pytest.approx(0.04), 0.0)
    assert did[IDLING] == pytest.approx(0.06)
    did = shares(START, after(0.1, 0.04, others=0.05))
    assert (did[RUNNING], did[IDLING]) == (pytest.approx(0.04), pytest.approx(0.0))


def test_without_a_lock_on_the_interpreter_nobody_queues_for_it(monkeypatch):
    monkeypatch.setattr(cpu, "one_at_a_time", lambda: False)
    assert shares(START, after(0.1, 0.04, others=0.3))[READY] == 0.0


def test_a_clock_that_is_not_read_by_the_system_says_nothing_of_queues():
    did = shares(START._replace(queued=None), after(0.1, 0.0)._replace(queued=None))
    assert did[IDLING] == pytest.approx(0.1)


def test_a_coarse_clock_tells_nothing_of_what_is_shorter_than_its_error(gil, monkeypatch):
    monkeypatch.setattr(cpu, "ERROR_SECONDS", 0.016)
    assert shares(START, after(0.1, 0.0155))[RUNNING] == 0.0
    assert shares(START, after(0.1, 0.0855))[RUNNING] == pytest.approx(0.1)


def test_the_clocks_of_a_thread_count_what_it_computes_and_not_what_it_sleeps():
    clock = ThreadClock()
    began = clock.read(time.perf_counter())
    time.sleep(0.05)
    slept = clock.read(time.perf_counter())
    while time.thread_time() - slept.own < 0.05:
        pass
    computed = clock.read(time.perf_counter())
    assert slept.own - began.own < 0.025
    assert computed.own - slept.own >= 0.045
    assert computed.all - slept.all >= 0.045
    clock.close()
    assert clock.read(time.perf_counter()).queued is None
