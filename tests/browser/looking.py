"""For a notebook's kernel: runs that somebody looks at, and the same runs that nobody looks at, taken in turns.

Of each we take the best of several turns, in rotation: whatever else the machine does can only make a turn slower, and
wakes nobody earlier.
"""

import asyncio
import gc
import os
import threading
import time
from contextlib import asynccontextmanager, contextmanager, nullcontext
from statistics import median, quantiles

import matplotlib.pyplot as plt
from IPython.display import clear_output, display

from kitchen import Dish, fetch, perform, wait, work
from kitchen.gantt import gantt
from kitchen.live import live
from kitchen.recorder import watched

CALM = 0.3  # seconds for the page to come to rest, and again for it to show the empty view: looking is what we measure
STEPS = 50 if "CI" in os.environ else 100  # of each of the three dishes
MINUTE = 0.02  # seconds: a turn of 3 x 50 steps takes half a second and more, so that one in a hundred can be told
# Of the turns of a computer that also does other things, only the undisturbed ones count. On a build server, few.
ROUNDS, MOST_ROUNDS = (1, 2) if "CI" in os.environ else (3, 9)
SLOWER = 1.01  # the bar: times as long as a run that nobody looks at
LATER = 0.001  # the bar: seconds that the 99th percentile of the lag may be above that of such a run


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


@contextmanager
def naive():
    """What one would write first: a thread that draws the run with matplotlib ten times a second."""

    def draw():
        handle = display(display_id=True)
        while not over.wait(0.1):
            if recorders:
                ax = gantt(recorders[-1].timeline())
                handle.update(ax.figure)
                plt.close(ax.figure)

    recorders, over = [], threading.Event()
    thread = threading.Thread(target=draw)
    with watched(recorders.append):
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


LOOKS = {"nobody": nullcontext, "live": live, "matplotlib": naive}


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


async def in_turns(name, run, rounds=ROUNDS, most=MOST_ROUNDS, naive_turns=1):
    """The figures of a run: for each way of looking, the best (wall time, lag) in seconds, and what the pairs say.

    Each round is a pair of turns, one that is looked at and one that is not: how many times as long the one took as the
    other, and how much later, in seconds, its 99th percentile was. There are more rounds as long as a bar is not met by
    the median of the pairs, or by the best turns of either kind.
    """
    walls, lags = {look: [] for look in LOOKS}, {look: [] for look in LOOKS}
    slower, later = [], []
    for number in range(most):
        looks = ["nobody", "live"][:: 1 if number % 2 else -1] + ["matplotlib"] * (number < naive_turns)
        for look in looks:
            wall, lag = await turn(name, run, look)
            walls[look].append(wall)
            lags[look].append(lag)
        slower.append(walls["live"][-1] / walls["nobody"][-1])
        later.append(lags["live"][-1] - lags["nobody"][-1])
        best_slower = min(walls["live"]) / min(walls["nobody"])
        best_later = min(lags["live"]) - min(lags["nobody"])
        met = min(median(slower), best_slower) <= SLOWER and min(median(later), best_later) <= LATER
        if number + 1 >= rounds and met:
            break
    best = {look: (min(walls[look]), min(lags[look])) for look in LOOKS if walls[look]}
    return {"best": best, "slower": slower, "later": later, "met": met}
