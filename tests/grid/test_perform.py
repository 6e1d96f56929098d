"""Real cooks: order, conservation and bounds, and reality beside the model. No assertion on absolute time."""

import asyncio
import contextlib
import gc
import math
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise, permutations
from statistics import median

import pytest
from helpers.measure import Ratio, held, in_turn

from kitchen import Dish, dinner, perform, simulate, wait, work
from kitchen.recorder import CORES
from kitchen.timeline import IDLING, READY, RUNNING, WAITING
from kitchen.watching.cpu import one_at_a_time


def cooperative(*args, **kwargs):
    return asyncio.run(perform.cooperative(*args, **kwargs))


WAYS = {"sync": perform.sync, "threaded": perform.threaded, "cooperative": cooperative}
gil = pytest.mark.skipif(not one_at_a_time(), reason="this Python has no GIL")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_cooks_the_same_dinner(way):
    timeline = WAYS[way](dinner(), minute=0.005)
    assert timeline.lanes == ("steak", "boiled eggs", "salad")
    assert timeline.unit == "s"
    for dish, spans in zip(dinner(), timeline.by_lane.values(), strict=True):
        assert spans[0].start == 0
        assert all(before.end == after.start for before, after in pairwise(spans))
        steps = [span.label for span in spans if span.state is not READY]
        assert list(dict.fromkeys(steps)) == list(dict.fromkeys(step.label for step in dish.steps))
        for step in dish.steps:
            states = {span.state for span in spans if span.label == step.label} - {READY}
            resting = IDLING if way == "sync" else WAITING
            assert states == {RUNNING if step.kind == "work" else resting}
    assert timeline.busy > 16 * 0.005 * 0.95
    assert timeline.makespan > simulate.lower_bound(dinner()) * 0.005 * 0.95


def test_work_is_paid_in_the_threads_own_cpu_time():
    before = time.thread_time()
    timeline = perform.sync([Dish("dough", [work("knead", 10)])])
    assert time.thread_time() - before >= 0.1 * 0.99
    assert timeline.busy >= 0.1 * 0.95


@pytest.mark.parametrize("way", WAYS)
def test_waits_overlap_unless_one_thing_is_done_after_the_other(way):
    """All in one run: what else the computer does makes the waits longer, and the whole likewise."""
    timeline = WAYS[way]([Dish(str(number), [wait("nap", 10 if way == "sync" else 50)]) for number in range(8)])
    asleep = sum(span.duration for span in timeline.spans if span.state in (IDLING, WAITING))
    assert asleep <= timeline.makespan if way == "sync" else asleep > 4 * timeline.makespan
    assert timeline.busy == 0


@gil
@pytest.mark.measured
def test_busy_threads_take_turns_of_the_switch_interval(report):
    """What the GIL does can be seen: one thread at a time, in slices as long as who wants it waits before asking."""
    busy = [Dish(f"dough {number}", [work("knead", 20)]) for number in range(3)]

    def a_slice(interval):
        old = sys.getswitchinterval()
        sys.setswitchinterval(interval)
        try:
            timeline = perform.threaded(busy)
        finally:
            sys.setswitchinterval(old)
        running = [span for span in timeline.spans if span.state is RUNNING]
        return median(span.duration for span in running)

    at_5_ms, at_20_ms = in_turn(5, lambda: a_slice(0.005), lambda: a_slice(0.02))
    slices = Ratio("with a switch interval of 5 ms / 20 ms", at_5_ms, at_20_ms, bar=0.35, bound=0.6)
    held(report, "threads: how long one runs before the next does", slices)


@gil
def test_of_busy_threads_one_runs_at_a_time():
    timeline = perform.threaded([Dish(f"dough {number}", [work("knead", 10)]) for number in range(3)])
    running = sorted((span for span in timeline.spans if span.state is RUNNING), key=lambda span: span.start)
    assert timeline.busy <= timeline.makespan * 1.05
    assert all(span.inferred for span in timeline.spans if span.state is READY and span.start > 0)
    assert not any(span.inferred for span in running)


@pytest.mark.skipif(one_at_a_time() or CORES == 1, reason="one thread runs at a time")
def test_of_busy_threads_two_run_at_the_same_moment_where_there_is_no_gil():
    dough = [Dish(f"dough {number}", [work("knead", 10)]) for number in range(2)]
    assert any(perform.threaded(dough).cooks == 2 for _ in range(20))  # now and then another program has a core


def test_a_coroutine_that_works_keeps_the_others_ready_and_not_waiting():
    nap = Dish("nap", [wait("sleep", 20), work("wake", 1)])
    dough = Dish("dough", [work("knead", 40)])
    timeline = cooperative([nap, dough])
    spans = timeline.by_lane["nap"]
    (asleep,) = [number for number, span in enumerate(spans) if span.state is WAITING]
    ready = spans[asleep + 1]
    assert ready.state is READY and ready.inferred
    assert timeline.by_lane["dough"][-1].end <= ready.end


def random_menu(seed):
    chance = random.Random(seed)
    return [
        Dish(
            f"dish {number}",
            [
                chance.choice([work, wait])(f"step {step}", chance.choice([0.5, 1, 2, 3]))
                for step in range(chance.randint(1, 5))
            ],
        )
        for number in range(chance.randint(2, 6))
    ]


@pytest.mark.parametrize("seed", range(5))
def test_reality_is_never_faster_than_any_schedule_can_be(seed):
    menu = random_menu(seed)
    assert cooperative(menu, minute=0.01).makespan > 0.95 * 0.01 * simulate.lower_bound(menu)


@pytest.mark.measured
def test_reality_takes_as_long_as_the_model_says_and_dishes_are_finished_in_its_order(report):
    """In its order: wherever the model separates two finishes by 5 % of the makespan. Counted over all menus."""
    menus, minute = [dinner(), *map(random_menu, range(30))], 0.02
    reality, model, swapped = [], [], 0
    for menu in menus:
        real, wanted = cooperative(menu, minute=minute), simulate.cooperative(menu)
        reality.append(real.makespan)
        model.append(wanted.makespan * minute)
        swapped += sum(
            wanted.finishes[first] < wanted.finishes[second] - 0.05 * wanted.makespan
            and real.finishes[first] >= real.finishes[second]
            for first, second in permutations(wanted.lanes, 2)
        )
    title = f"perform.cooperative beside the model; {swapped} pairs of dishes finished in another order"
    held(report, title, Ratio("makespan / the model's", reality, model, bar=1.1, bound=2.0))
    assert swapped < len(menus)


def test_await_works_where_a_loop_already_runs_and_several_times_at_once():
    async def notebook():
        return await asyncio.gather(
            perform.cooperative(dinner(), minute=0.002), perform.cooperative(dinner(), minute=0.002)
        )

    first, second = asyncio.run(notebook())
    assert first.lanes == second.lanes == ("steak", "boiled eggs", "salad")


def test_a_task_that_once_survived_a_cancellation_can_cook():
    async def survivor():
        asyncio.current_task().cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return await perform.cooperative(dinner(), minute=0.002)

    assert asyncio.run(survivor()).busy > 0


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_menu_and_nonsense(way):
    assert WAYS[way]([]).spans == ()
    assert WAYS[way]([Dish("air", [])]).makespan < 1
    for minute in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="kitchen minute"):
            WAYS[way](dinner(), minute=minute)
    with pytest.raises(ValueError, match="'egg'"):
        WAYS[way]([Dish("egg", []), Dish("egg", [])])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_an_interrupt_ends_everything_and_keeps_the_timeline_so_far(way):
    program = f"""
import asyncio, threading, time
from kitchen import Dish, perform, wait, work

menu = [Dish("nap", [work("a", 1), wait("sleep", 1e6)]), Dish("dough", [wait("rise", 1), work("knead", 1e6)])]
run = lambda: {"asyncio.run(perform.cooperative(menu))" if way == "cooperative" else f"perform.{way}(menu)"}
def has_begun():
    try:
        return perform.so_far().by_lane["nap"] and perform.so_far().makespan > 0.1
    except RuntimeError:
        return False
def tell():
    while not has_begun():
        time.sleep(0.01)
    print("begun", flush=True)
timer = threading.Thread(target=tell)
timer.start()
try:
    run()
except KeyboardInterrupt:
    timer.join()
    timeline = perform.so_far()
    assert timeline.lanes == ("nap", "dough")
    assert set(timeline.finishes.values()) == {{timeline.makespan}}, timeline.finishes
    assert timeline.by_lane["nap"][0].label == "a"
    for _ in range(6_000):  # a pool does not wait for the thread that it was just starting; that ends all the same
        if threading.active_count() > 1:
            time.sleep(0.01)
    assert threading.active_count() == 1, threading.enumerate()
    print("clean")
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "clean\n"
        assert process.wait(60) == 0


def test_so_far_before_anything():
    program = "from kitchen import perform; perform.so_far()"
    failed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "RuntimeError: nothing has been performed yet" in failed.stderr


def test_a_hundred_sleepers_cost_next_to_nothing():
    menu = [Dish(str(number), [wait("sleep", 50)]) for number in range(100)]
    gc.disable()  # clearing up after all the tests before this one is not the sleepers' work
    try:
        before = time.process_time()
        timeline = perform.threaded(menu)
        spent = time.process_time() - before
    finally:
        gc.enable()
    assert spent < 0.3 * timeline.makespan
    assert timeline.busy == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]
