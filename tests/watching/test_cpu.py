"""What a thread did with a stretch of time, by its clocks: readings are made by hand."""

import time
from itertools import pairwise

import pytest

from kitchen.timeline import IDLING, READY, RUNNING
from kitchen.watching import cpu
from kitchen.watching.cpu import HAS_CLOCKS, PROMPT_SECONDS, Reading, ThreadClock, settled, shares

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


@pytest.mark.parametrize(
    ("turns", "others", "state"),
    [(90, 0.48, READY), (3, 0.48, IDLING), (90, 0.05, IDLING), (None, 0.48, IDLING)],
    ids=["it asked again and again", "it slept", "nobody else computed", "not known"],
)
def test_who_wakes_at_each_interval_while_others_compute_queues_for_the_interpreter(gil, turns, others, state):
    """Even if nobody could look meanwhile, and the step has taken some CPU time at its edges in any case."""
    before = START._replace(turns=turns and 10)
    then = after(0.5, 0.002, others=others)._replace(turns=turns and 10 + turns)
    assert shares(before, then, is_edge=True)[state] == pytest.approx(0.5)


@pytest.mark.skipif(not HAS_CLOCKS, reason="this system does not say how often a thread has had the CPU")
def test_a_thread_that_sleeps_often_has_the_cpu_as_often():
    clock = ThreadClock()
    before = clock.read_now()
    for _ in range(20):
        time.sleep(0.001)
    after = clock.read_now()
    clock.close()
    if before.turns is None:
        pytest.skip("nor how long it queued")
    assert after.turns - before.turns >= 20


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


def test_a_wait_in_the_systems_queue_is_where_it_was_though_it_is_told_of_when_it_is_over(gil):
    looks = [START, after(0.05, 0.004, queued=0.046), after(0.1, 0.004, queued=0.046), after(0.15, 0.005, queued=0.145)]
    idle = [shares(before, then)[IDLING] for before, then in pairwise(looks)]
    assert idle[1] == pytest.approx(0.05)
    assert [shares(before, then)[IDLING] for before, then in pairwise(settled(looks))] == [0.0, 0.0, 0.0]
    slept = [START, after(0.1, 0.0), after(0.11, 0.0, queued=0.009)]
    assert settled(list(slept)) == slept
    unknown = [look._replace(queued=None) for look in slept]
    assert settled(list(unknown)) == unknown


def test_clocks_that_were_read_while_their_thread_did_not_get_the_cpu_are_read_once_more(monkeypatch):
    clock, stalls = ThreadClock(), [0.0, 2 * PROMPT_SECONDS, 0.3]
    now, read = [100.0], clock.read

    def stall(moment):
        reading = read(moment)
        now[0] += stalls.pop()
        return reading

    monkeypatch.setattr(cpu.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(clock, "read", stall)
    reading = clock.read_now()
    assert reading.time == 100.0 + 2 * PROMPT_SECONDS + 0.3 and not stalls
    clock.close()


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
