"""What is told of threads from outside: compared with what the threads say of themselves."""

import asyncio
import gc
import os
import queue
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace

import pytest

from kitchen.recorder import Recorder
from kitchen.timeline import READY, RUNNING, WAITING
from kitchen.watching import cpu
from kitchen.watching import sampler as module
from kitchen.watching.calls import Handed, Job
from kitchen.watching.cpu import HAS_CLOCKS, ThreadClock
from kitchen.watching.sampler import Sampler

clocks = pytest.mark.skipif(not HAS_CLOCKS, reason="this system does not say how much CPU time a thread has used")


class Record(Recorder):
    def __init__(self):
        super().__init__((), "")
        self.samples, self.collections, self.unlooked, self.tracers = [], [], [], []


@contextmanager
def sampled():
    """A record of the threads that begin in the block; it is closed at the end, and no look may have failed."""
    record = Record()
    sampler = Sampler(record)
    record.sampler = sampler
    sampler.start()
    try:
        yield record
    finally:
        sampler.stop()
        record.close()
    assert sampler.problem is None
    assert "kitchen sampler" not in {thread.name for thread in threading.enumerate()}


@contextmanager
def a_job(record, function):
    record.sampler.job_begins(function.__name__)
    try:
        yield
    finally:
        record.sampler.job_ends()


class Tracer:
    """Stands for the tracer of a loop that this thread runs."""

    def __init__(self):
        self.thread, self.clock, self.step, self.loop = threading.get_ident(), ThreadClock(), None, None

    def running(self):
        return self.step

    def calls(self, function):
        """As a loop does."""
        with asyncio.Runner() as runner:
            asyncio.Handle(function, (), runner.get_loop())._run()


def seconds(record, lane, state):
    return sum(span.duration for span in record.timeline().by_lane[lane] if span.state is state)


def waits(record, lane):
    return [span for span in record.timeline().by_lane[lane] if span.state is WAITING]


def run(*threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def looked(record, times=3):
    """Waits until the sampler has looked some more times, however long that takes."""
    for _ in range(times):
        last = record.sampler._looked
        until(lambda last=last: record.sampler._looked != last)


def nap():
    time.sleep(0.1)


def spin(used, length=0.2):
    begin = time.thread_time()
    while time.thread_time() - begin < length:
        pass
    used[threading.current_thread().name] = time.thread_time()


def wander():
    """Computes for a while, at many different points of its function."""
    begin = time.thread_time()
    while time.thread_time() - begin < 0.3:
        for number in range(100):
            list(range(number))
        for _ in range(1000):
            pass
        while number:
            number -= 1
        sum(number for number in range(1000))
        max(number for number in range(1000))


def test_a_thread_that_sleeps_waits_and_nothing_else():
    with sampled() as record:
        run(threading.Thread(target=nap, name="sleeper"))
    spans = waits(record, "sleeper")
    # A busy computer lets it queue.
    assert {span.state for span in record.timeline().by_lane["sleeper"]} <= {WAITING, READY}
    assert len(spans) == 1
    assert spans[0].inferred
    assert spans[0].label == f"test_sampler.py, line {nap.__code__.co_firstlineno + 1}"
    assert spans[0].duration > 0.05
    assert record.timeline().outcomes == {}


@clocks
@pytest.mark.measured
def test_busy_time_is_the_cpu_time_that_the_thread_has_used():
    used = {}
    with sampled() as record:
        run(threading.Thread(target=spin, args=(used,), name="busy"))
    assert seconds(record, "busy", RUNNING) == pytest.approx(used["busy"], rel=0.2)
    assert {span.label.split(",")[0] for span in record.timeline().by_lane["busy"] if span.state is RUNNING} == {"spin"}


@clocks
@pytest.mark.measured
@pytest.mark.skipif(not cpu.one_at_a_time(), reason="no interpreter lock to queue for")
def test_threads_that_compute_queue_for_the_interpreter():
    used = {}
    with sampled() as record:
        run(*(threading.Thread(target=spin, args=(used, 0.3), name=name) for name in "abc"))
    for name in "abc":
        assert seconds(record, name, RUNNING) == pytest.approx(used[name], rel=0.3)
    total = {state: sum(seconds(record, name, state) for name in "abc") for state in (RUNNING, READY, WAITING)}
    assert total[READY] > total[RUNNING]  # of three, two queue; until the first of them is over
    assert total[WAITING] < 0.3 * total[READY]


@contextmanager
def crowded(place):
    """One of the CPUs, for which two other programs queue all the time."""
    code = f"import os; os.sched_setaffinity(0, {{{place}}}); print(flush=True)\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for other in others:
            other.stdout.readline()
        yield
    finally:
        for other in others:
            other.kill()
            other.communicate()


@clocks
def test_a_thread_that_computes_is_not_said_to_wait_when_other_programs_keep_it_from_the_cpu():
    def spin_there():
        os.sched_setaffinity(0, {place})
        spin({})

    place = min(os.sched_getaffinity(0))
    with crowded(place), sampled() as record:
        run(threading.Thread(target=spin_there, name="busy"))
    assert seconds(record, "busy", READY) > 0
    assert seconds(record, "busy", WAITING) < 0.3 * seconds(record, "busy", READY)


def test_what_a_thread_waits_for_is_read_off_the_functions_that_it_is_in():
    todo, flag, change = queue.Queue(), threading.Event(), threading.Condition()
    other = threading.Thread(target=flag.wait, name="other")

    def consume():
        todo.get()

    def wait():
        flag.wait()

    def join():
        other.join()

    def condition():
        with change:
            change.wait()

    functions = {"queue": consume, "event": wait, "thread": join, "condition": condition}
    with sampled() as record:
        threads = [threading.Thread(target=function, name=name) for name, function in functions.items()]
        for thread in (other, *threads):
            thread.start()
        until(lambda: set(functions) <= set(record.lanes))
        looked(record)
        todo.put(None)
        flag.set()
        with change:
            change.notify_all()
        for thread in (other, *threads):
            thread.join()
    for kind in functions:
        longest = max(record.timeline().by_lane[kind], key=lambda span: span.duration)
        assert longest.state is WAITING
        assert longest.label.startswith(f"{kind}, test_sampler.py, line ")
    assert "other" not in record.lanes  # none of our functions runs there


def test_a_thread_of_a_pool_is_not_there_between_its_jobs():
    with sampled() as record, ThreadPoolExecutor(1, "pool") as pool:
        pool.submit(nap).result()
        looked(record)
        begin = record.now()
        looked(record, 8)
        end = record.now()
        looked(record)
        pool.submit(nap).result()
    first, second = waits(record, "pool_0")
    assert first.end <= begin < end <= second.start
    assert record.lanes == ("pool_0",)


def test_a_thread_that_was_there_before_is_drawn_when_it_gets_a_job():
    def job(record):
        with a_job(record, nap):
            nap()

    with ThreadPoolExecutor(1, "pool") as pool:
        pool.submit(nap).result()
        with sampled() as record:
            pool.submit(nap).result()
            looked(record)
            assert record.lanes == ()
            pool.submit(job, record).result()
    (span,) = waits(record, "pool_0")
    assert span.duration > 0.05


def test_a_short_job_is_seen_exactly():
    def brief():
        times.append(record.now())
        time.sleep(0.002)
        times.append(record.now())

    times, idle = [], []
    with sampled() as record, ThreadPoolExecutor(1, "pool") as pool:
        for _ in range(10):
            pool.submit(Handed(brief, Job(brief), [record.sampler])).result()
            idle.append(record.now())
    spans = record.timeline().by_lane["pool_0"]
    for start, end in zip(times[::2], times[1::2], strict=True):  # each is there for as long as it was
        inside = [span for span in spans if span.start < end and span.end > start]
        assert inside[0].start <= start and end <= inside[-1].end
        assert sum(span.duration for span in inside) >= end - start
    for moment in idle:  # and not between them
        assert not [span for span in spans if span.start < moment < span.end]
    assert all(a.end <= b.start for a, b in pairwise(spans))


@clocks
def test_the_cpu_time_of_jobs_is_counted_once():
    def job(length):
        with a_job(record, spin):
            spin(used, length)

    used = {}
    with sampled() as record, ThreadPoolExecutor(1, "pool") as pool:
        for length in [0.005] * 20 + [0.1]:
            pool.submit(job, length).result()
    assert seconds(record, "pool_0", RUNNING) == pytest.approx(0.2, rel=0.2)


def test_the_line_that_blocks_a_step_is_named():
    def block():
        tracer.step = SimpleNamespace(started=time.perf_counter(), looks=())
        time.sleep(0.2)  # this line
        tracer.step = None

    with sampled() as record:
        record.tracers.append(tracer := Tracer())
        until(lambda: record.sampler._looked)
        looked(record)
        assert record.samples == []  # the loop calls nothing
        tracer.calls(block)
        record.tracers.clear()
        tracer.clock.close()
    here = block.__code__
    lines = {(sample.file, sample.line, sample.function) for sample in record.samples}
    assert (here.co_filename, here.co_firstlineno + 2, here.co_name) in lines
    assert all(abs(line - here.co_firstlineno - 2) <= 1 for _, line, _ in lines)  # the last look may come late
    assert record.samples[0].time - module.LONG_SECONDS >= 0
    if HAS_CLOCKS:
        assert 0 <= record.samples[-1].cpu - record.samples[0].cpu < 0.05


def test_two_threads_of_one_name_and_one_ident_are_told_apart():
    """The system gives the ident of a thread that is gone to the next one."""
    gone = threading.Thread(target=lambda: flag.wait(), name="before")
    flag = threading.Event()
    gone.start()
    with sampled() as record:
        flag.set()
        gone.join()
        for _ in range(2):
            run(threading.Thread(target=nap, name="worker"))
    assert record.lanes == ("worker", "worker (2)")


def test_nothing_of_the_program_is_kept_alive():
    class Thing:
        pass

    def function():
        thing = Thing()
        things.append(weakref.ref(thing))
        looked(record)

    things = []
    with sampled() as record:
        thread = threading.Thread(target=function, name="worker")
        things.append(weakref.ref(thread))
        run(thread)
        del thread
        looked(record)
        gc.collect()
        assert [thing() for thing in things] == [None, None]
    assert record.lanes == ("worker",)


@pytest.mark.measured
def test_without_a_cpu_clock_a_thread_that_moves_is_taken_to_run(monkeypatch):
    monkeypatch.setattr(cpu, "HAS_CLOCKS", False)
    with sampled() as record:
        run(threading.Thread(target=wander, name="busy"), threading.Thread(target=nap, name="sleeper"))
    assert seconds(record, "busy", RUNNING) > 0.5 * record.timeline().finishes["busy"]
    assert seconds(record, "sleeper", WAITING) > 0.5 * record.timeline().finishes["sleeper"]


def test_a_look_that_fails_is_not_the_last_and_is_not_hidden():
    record = Record()
    sampler = record.sampler = Sampler(record)
    fail = [True]
    tracer = Tracer()
    tracer.running = lambda: (fail and 1 / fail.pop() and {}["no such"]) or None
    record.tracers.append(tracer)
    sampler.start()
    run(threading.Thread(target=nap, name="sleeper"))
    sampler.stop()
    assert record.lanes == ("sleeper",)
    tracer.clock.close()
    assert isinstance(sampler.problem, KeyError)


def test_stopping_always_works():
    sampler = Sampler(Record())
    sampler.stop()  # it never began
    sampler = Sampler(Record())
    sampler.start()
    sampler.stop()
    sampler.stop()
    assert not sampler._thread.is_alive()


def test_the_log_does_not_flood():
    with sampled() as record:
        run(threading.Thread(target=nap, name="sleeper"), threading.Thread(target=spin, args=({},), name="busy"))
    entries = [lane for _, lane, *_ in record.log]
    assert entries.count(record.lanes.index("sleeper")) <= 6  # not one for every look
    assert entries.count(record.lanes.index("busy")) <= 2 * record.ended / module.EVERY_SECONDS
