"""Fetching, beside the bare clients: the same URLs, 0.1 s each, in pairs, each turn in a process of its own.

Wall time is what a reader waits for; it hides what a client does behind the latency, until there are enough URLs: then CPU
time is what counts. A process of its own tells its peak of memory, and its first fetch is a cold one, as in a notebook.
"""

import asyncio
import json
import os
import subprocess
import sys
from functools import partial
from statistics import median
from time import perf_counter

import pytest
from helpers.measure import Ratio, held, in_turn

from kitchen import fetch, live
from kitchen.web.site import serve

LATENCY = 0.1
SMALL = "CI" in os.environ  # a build server has no minutes for this
MANY, CROWD = (1_500, 200) if SMALL else (10_000, 1_000)
CONTENDERS = """
import asyncio, json, resource, sys, time
name, base, number, limit = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
urls = [f"{base}/{page}" for page in range(number)]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))

if name == "ours":
    from kitchen import fetch
    fetch.cooperative  # what is imported is not fetched
    async def main():
        return [result.body for result in (await fetch.cooperative(urls, limit=limit)).results]

elif name == "aiohttp":
    import aiohttp
    async def main():
        async def get(url):
            async with session.get(url) as answer:
                return await answer.read()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit)) as session:
            return await asyncio.gather(*map(get, urls))

else:
    import httpx
    context = httpx.create_ssl_context()  # reading the certificates is not fetching
    async def main():
        places = asyncio.Semaphore(limit)
        async def get(url):
            async with places:
                return (await client.get(url)).content
        limits = httpx.Limits(max_connections=limit)
        async with httpx.AsyncClient(verify=context, limits=limits, timeout=60) as client:
            return await asyncio.gather(*map(get, urls))

async def timed():
    began, used = time.perf_counter(), time.process_time()
    bodies = await main()
    took = time.perf_counter() - began, time.process_time() - used
    assert sum(b"was kept waiting on purpose" in body for body in bodies) == number
    return took

def peak():
    try:
        with open("/proc/self/status") as file:
            [line] = [line for line in file if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    except OSError:  # elsewhere; on Linux this would be the peak of the process that started us
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

wall, cpu = asyncio.run(timed())
print(json.dumps([wall, cpu, peak()]))
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="asks POSIX for the peak of memory")


@pytest.fixture(scope="module")
def site():
    with serve(delay=LATENCY) as site:
        yield site


def turn(name, site, number, limit):
    """Wall time and CPU time in seconds, and peak memory in bytes, of one contender's turn."""
    command = [sys.executable, "-c", CONTENDERS, name, site.base, str(number), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# How many URLs, how many at once, how many pairs, and how many times aiohttp's wall time and CPU time: what we say, and the
# gate's bound. aiohttp keeps its connections, where we make one per URL.
CASES = [
    (100, 100, 9, (1.15, 2), (1.25, 2.5)),
    (1_000, 100, 5, (1.25, 2.5), (2, 3.5)),
    (1_000, CROWD, 5, (1.25, 2.5), (1.25, 2.5)),
    (MANY, CROWD, 3, (1.25, 2.5), (1.25, 2.5)),
]


@posix
@pytest.mark.parametrize(("number", "limit", "pairs", "wall", "cpu"), CASES)
def test_beside_bare_aiohttp(site, report, number, limit, pairs, wall, cpu):
    turn("ours", site, 100, 100)  # the site's first pages take longer
    ours, aiohttp = in_turn(pairs, *(partial(turn, name, site, number, limit) for name in ("ours", "aiohttp")))
    (walls, cpus, peaks), (their_walls, their_cpus, their_peaks) = zip(*ours, strict=True), zip(*aiohttp, strict=True)
    held(
        report,
        f"fetch.cooperative / bare aiohttp: {number:,} URLs of {LATENCY:g} s, {limit:,} at once, each in a fresh process",
        Ratio("wall time", walls, their_walls, *wall),
        Ratio("CPU time of a page", cpus, their_cpus, *cpu, scale=1e3 / number),
        Ratio("peak of memory", peaks, their_peaks, 1.1, 1.5, unit="MB", scale=1e-6),
    )


@posix
def test_with_many_connections_it_leaves_httpx_behind(site, report):
    ours, httpx = in_turn(1, *(partial(turn, name, site, CROWD, CROWD) for name in ("ours", "httpx")))  # it takes long
    title = f"fetch.cooperative / bare httpx and a semaphore: {CROWD:,} URLs of {LATENCY:g} s at once"
    held(report, title, Ratio("wall time", [wall for wall, *_ in ours], [wall for wall, *_ in httpx], 0.15, 0.4))


def took(run, urls):
    began = perf_counter()
    results = run(urls).results
    assert all(result.status == 200 for result in results)
    return perf_counter() - began


def test_one_after_the_other_takes_as_long_as_that_and_the_others_hardly_longer_than_one(site, report):
    urls = site.urls(100)
    ways = {
        "coroutines": lambda: took(lambda urls: asyncio.run(fetch.cooperative(urls)), urls),
        "threads": lambda: took(fetch.threaded, urls),
    }
    figures = dict(zip(ways, in_turn(7, *ways.values()), strict=True))
    sync = took(fetch.sync, urls)  # once: this takes long, and there is nothing to be compared closely
    latency = [LATENCY] * 7
    held(
        report,
        f"fetch: {len(urls)} URLs of {LATENCY:g} s beside the latency of one",
        Ratio("coroutines", figures["coroutines"], latency, 1.5, 4),
        Ratio("threads", figures["threads"], latency, 3, 8),
        Ratio("a hundredth of sync", [sync / len(urls)], [LATENCY], 1.2, 2),
    )
    assert sync >= 20 * median(figures["coroutines"])


def test_looking_does_not_slow_threads_down(site, report):
    urls = site.urls(100)

    def looked_at():
        with live("threads"):
            return took(fetch.threaded, urls)

    seen, unseen = in_turn(15, looked_at, lambda: took(fetch.threaded, urls))
    held(report, "live beside fetch.threaded, 100 URLs of 0.1 s", Ratio("wall time", seen, unseen, 1.01, 1.3))
