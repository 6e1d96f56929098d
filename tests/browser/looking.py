"""For a notebook's kernel: runs that somebody looks at, and the same runs that nobody looks at, in turn."""

import asyncio
import gc
import os
import threading
import time
from contextlib import asynccontextmanager, nullcontext
from statistics import quantiles

from IPython.display import clear_output

from kitchen import Dish, fetch, perform, wait, work
from kitchen.views.live import live

CALM = 0.3  # seconds for the page to come to rest, and again for it to show the empty view: looking is what we measure
STEPS = 50 if "CI" in os.environ else 100  # of each of the three dishes
MINUTE = 0.02  # seconds: a turn of 3 x 50 steps takes half a second and more, so that one in a hundred can be told
TURNS = 3 if "CI" in os.environ else 7


def runs(site, slow):
    """What is run, under its name; `site` and `slow` take 0.1 and 1 s for a page."""
    steps = [work("stir", 0.1) if number % 2 else wait("simmer", 1) for number in range(STEPS)]
    dishes = [Dish(name, steps) for name in ("soup", "sauce", "stew")]
    urls, slow_urls = site.urls(100), slow.urls(100)
    in_a_row = urls[:15] if "CI" in os.environ else urls
    return {
        "perform.sync": lambda: perform.sync(dishes, MINUTE),
        "perform.threaded": lambda: perform.threaded(dishes, MINUTE),
        "perform.cooperative": lambda: perform.cooperative(dishes, MINUTE),
        "fetch.sync": lambda: fetch.sync(in_a_row),
        "fetch.threaded, 1 s": lambda: fetch.threaded(slow_urls),
        "fetch.cooperative, 1 s": lambda: fetch.cooperative(slow_urls),
        "fetch.threaded, 0.1 s": lambda: fetch.threaded(urls),
        "fetch.cooperative, 0.1 s": lambda: fetch.cooperative(urls),
    }


LOOKS = {"nobody": nullcontext, "live": live}


@asynccontextmanager
async def sampled(lags, in_loop):
    """Notes how late something comes that wants to run every millisecond: a task in the event loop, or a thread."""

    async def task():
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - began - 0.001)

    def thread():
        while not over.is_set():
            began = time.perf_counter()
            time.sleep(0.001)
            lags.append(time.perf_counter() - began - 0.001)

    over = threading.Event()
    sampler = asyncio.create_task(task()) if in_loop else threading.Thread(target=thread)
    if not in_loop:
        sampler.start()
    try:
        yield
    finally:
        over.set()
        sampler.cancel() if in_loop else sampler.join()


async def turn(name, run, look):
    """One turn: its wall time, and the 99th percentile of the lag, in seconds."""
    clear_output()
    gc.collect()
    await asyncio.sleep(CALM)
    lags, in_loop = [], "cooperative" in name
    with LOOKS[look]():
        await asyncio.sleep(CALM)
        async with sampled(lags, in_loop):
            began = time.perf_counter()
            if in_loop:
                await run()
            else:
                run()
            wall = time.perf_counter() - began
    return wall, quantiles(lags, n=100)[98]


async def in_turns(name, run, turns=TURNS):
    """For each way of looking the (wall time, 99th percentile of the lag) of each turn, in seconds: nobody, live, live, …"""
    figures = {look: [] for look in LOOKS}
    for number in range(turns):
        for look in list(LOOKS)[:: 1 if number % 2 else -1]:
            figures[look].append(await turn(name, run, look))
    return figures
