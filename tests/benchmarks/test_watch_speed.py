"""What watching costs, in CPU time: a step of a task, making tasks, 1,000 URLs, and what comes when the block is over.

In pairs, beside the same unwatched and beside others that see the same, as far as this Python has them.
"""

import asyncio
import sys
import threading
import time
from importlib.util import find_spec

from helpers.measure import Ratio, held, in_turn

from kitchen import fetch
from kitchen.watching.watch import watch
from kitchen.web.site import serve

STEPS, TASKS = 40_000, 10
MADE = 10_000
URLS = 1_000
TURNS = 7


async def gives_way(number):
    for _ in range(number):
        await asyncio.sleep(0)


async def steps():
    await asyncio.gather(*(asyncio.create_task(gives_way(STEPS // TASKS)) for _ in range(TASKS)))


async def does_nothing():
    pass


async def makes():
    await asyncio.gather(*(asyncio.create_task(does_nothing()) for _ in range(MADE)))


async def plainly(job):
    began = time.process_time()
    await job()
    return time.process_time() - began


async def watched(job):
    async with watch():
        began = time.process_time()
        await job()
        return time.process_time() - began


async def afterwards(job):
    """What comes when the block is over: folding, and the diagnosis."""
    async with watch() as run:
        await job()
    began = time.process_time()
    assert run.timeline.makespan > 0
    assert run.findings is not None
    return time.process_time() - began


async def with_viztracer(job):
    from viztracer import VizTracer

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


async def with_monitoring(job):
    """Each begin and end of a step, of whatever function, is noted: how a tracer does it from Python 3.12 on."""
    monitoring, noted = sys.monitoring, []
    of = monitoring.events
    tool = monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "a tracer")
    for event in (of.PY_START, of.PY_RESUME, of.PY_YIELD, of.PY_RETURN):
        monitoring.register_callback(tool, event, lambda code, *_: noted.append((time.perf_counter(), code)))
    monitoring.set_events(tool, of.PY_START | of.PY_RESUME | of.PY_YIELD | of.PY_RETURN)
    began = time.process_time()
    try:
        await job()
        return time.process_time() - began
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)


OTHERS = {"viztracer": with_viztracer} if find_spec("viztracer") else {}  # on Python 3.15 it does not build
if hasattr(sys, "monitoring"):
    OTHERS["sys.monitoring"] = with_monitoring


def in_turns(job, *ways):
    """The CPU seconds of each turn, for each way to run a job."""
    return in_turn(TURNS, *(lambda way=way: asyncio.run(way(job)) for way in ways))


def held_beside_others(report, title, job, beside_plain, beside_others):
    """A job watched, plain and under each of OTHERS; the last two are the bar and the bound of each ratio."""
    plain, seen, *others = in_turns(job, plainly, watched, *OTHERS.values())
    ratios = [
        Ratio(f"watched / under {name}", seen, figures, *beside_others)
        for name, figures in zip(OTHERS, others, strict=True)
    ]
    held(report, f"watch: {title}", Ratio("watched / plain", seen, plain, *beside_plain), *ratios)


def test_a_step_of_a_task(report):
    held_beside_others(report, f"{STEPS:,} steps of {TASKS} tasks", steps, (1.25, 4.0), (0.5, 1.0))


def test_making_tasks(report):
    held_beside_others(report, f"{MADE:,} tasks made, which do nothing", makes, (1.3, 9.0), (1.0, 3.0))


def test_what_it_costs_afterwards(report):
    plain, after = in_turns(steps, plainly, afterwards)
    held(
        report,
        f"watch: {STEPS:,} steps, folded and diagnosed when the block is over",
        Ratio("afterwards / 1 µs a step", after, [STEPS * 1e-6] * TURNS, bar=1.0, bound=8.0),
        Ratio("afterwards / the steps themselves", after, plain, bar=1.0, bound=5.0),
    )


def test_a_thousand_urls(report):
    with serve(delay=0.1) as site:
        urls = site.urls(URLS)

        async def job():
            fetched = await fetch.cooperative(urls, limit=URLS, timeout=60)
            assert all(result.status == 200 for result in fetched.results)

        held_beside_others(report, f"{URLS:,} URLs at once", job, (1.05, 2.5), (0.75, 1.25))
