"""What watching costs: a step of a task, and 1,000 URLs, in CPU time, beside the same unwatched and under viztracer.

Of each the best of several turns, taken in rotation: whatever else the machine does can only make a turn dearer. The
tables say whether the bars were met: 400 ns more for a step, 1.05 times the CPU time for the URLs. These are tight, and a
busy machine misses them; what must hold in any case is that watching costs at most a quarter of what viztracer does.
"""

import asyncio
import gc
import os
import threading
import time
from collections import defaultdict

from viztracer import VizTracer

from kitchen import fetch
from kitchen.server import serve
from kitchen.watch import watch

STEPS, TASKS = 40_000, 10
BAR_STEP = 400e-9  # seconds
URLS = 1_000
BAR_FETCH = 1.05
SMALL = (
    "CI" in os.environ
)  # a build server is busy: there the table may say "missed" sooner, and what must hold is the same
ROUNDS, MOST_ROUNDS = 5, 10 if SMALL else 30


async def gives_way(number):
    for _ in range(number):
        await asyncio.sleep(0)


async def steps():
    await asyncio.gather(*(asyncio.create_task(gives_way(STEPS // TASKS)) for _ in range(TASKS)))


async def plainly(job):
    began = time.process_time()
    await job()
    return time.process_time() - began


async def watched(job):
    async with watch():
        began = time.process_time()
        await job()
        return time.process_time() - began


async def with_viztracer(job):
    tracer = VizTracer(log_async=True, verbose=0, tracer_entries=4_000_000)
    tracer.start()
    began = time.process_time()
    try:
        await job()
        return time.process_time() - began
    finally:
        tracer.stop()
        tracer.clear()
        threading.setprofile(None)  # which it leaves behind, and with which threads of later tests hang


def in_rotation(job, met, rounds, most):
    """The CPU seconds of the best turn of each way: of `rounds` turns, or of more until the bar is met.

    On a build server until what must hold does.
    """
    used = defaultdict(list)
    for number in range(most):
        best = {name: min(times) for name, times in used.items()}
        if number >= rounds and (met(best["plain"], best["watched"]) or (SMALL and cheap(best))):
            break
        for name, way in {"plain": plainly, "watched": watched, "viztracer": with_viztracer}.items():
            if name == "viztracer" and number > 1:
                continue  # it is far away, and takes long
            gc.collect()
            used[name].append(asyncio.run(way(job)))
    return {name: min(times) for name, times in used.items()}


def cheap(used):
    """Whether watching costs a quarter of what the other tracer costs, or less."""
    return used["watched"] - used["plain"] <= (used["viztracer"] - used["plain"]) / 4


def verdict(met):
    return "met" if met else "missed"


def test_a_step_of_a_task_takes_hardly_longer(report):
    gc.freeze()
    used = in_rotation(steps, lambda plain, watched: (watched - plain) / STEPS <= BAR_STEP, ROUNDS, MOST_ROUNDS)
    rows = [
        (name, f"{cpu / STEPS * 1e9:.0f}", f"{(cpu - used['plain']) / STEPS * 1e9:+.0f}") for name, cpu in used.items()
    ]
    met = verdict((used["watched"] - used["plain"]) / STEPS <= BAR_STEP)
    report(f"watch: a step of a task, {STEPS} of {TASKS} tasks; 400 ns: {met}", ("", "ns", "more than plain"), rows)
    assert cheap(used)


def test_a_thousand_urls_take_hardly_more_cpu_time(report):
    with serve(delay=0.1) as site:
        urls = site.urls(URLS)

        async def job():
            fetched = await fetch.cooperative(urls, limit=URLS, timeout=60)
            assert all(result.status == 200 for result in fetched.results)

        used = in_rotation(job, lambda plain, watched: watched <= BAR_FETCH * plain, 3, 12)
    rows = [(name, f"{cpu / URLS * 1e6:.0f}", f"{cpu / used['plain']:.3f}") for name, cpu in used.items()]
    met = verdict(used["watched"] <= BAR_FETCH * used["plain"])
    report(f"watch: {URLS} URLs at once; {BAR_FETCH} times: {met}", ("", "CPU us per URL", "times plain"), rows)
    assert cheap(used)
