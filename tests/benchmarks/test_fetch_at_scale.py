"""Fetching ten thousand URLs that take 0.1 s each, beside bare aiohttp and bare httpx; each in a process of its own.

Twice: with 100 connections at once, which is what aiohttp does by default, and where mostly the site is waited for; and with
1,000, where all that counts is how much CPU time a request costs. The contenders take turns, and of each the best one
counts: whatever else the computer does can only make a turn slower. A process of its own tells its own peak of memory.
"""

import json
import os
import subprocess
import sys

import pytest

from kitchen.server import serve

LATENCY = 0.1
SMALL = "CI" in os.environ  # a build server has no minutes for this
TURNS = 1 if SMALL else 2
MANY = 1_500 if SMALL else 10_000
BESIDE_AIOHTTP = {1_000: 1.5, MANY: 1.2}  # at most so many times aiohttp's wall time
CROWD = 200 if SMALL else 1_000  # connections at once
BESIDE_HTTPX = 4  # at least so many times as fast as httpx on its own transport, with a semaphore
CONTENDERS = """
import asyncio, gc, json, resource, sys, time
name, base, number, limit = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
urls = [f"{base}/{page}" for page in range(number)]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))

if name == "fetch.cooperative":
    from kitchen import fetch
    async def main():
        return [result.body for result in (await fetch.cooperative(urls, limit=limit)).results]

elif name == "bare aiohttp":
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
    global began, used, wall, cpu
    began, used = time.perf_counter(), time.process_time()
    bodies = await main()
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    return sum(b"was kept waiting on purpose" in body for body in bodies)

whole = asyncio.run(timed())
scale = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
print(json.dumps([whole, wall, cpu, peak]))
"""
OURS, AIOHTTP, HTTPX = "fetch.cooperative", "bare aiohttp", "bare httpx and a semaphore"


@pytest.fixture(scope="module")
def site():
    with serve(delay=LATENCY) as site:
        yield site


def measured(name, site, number, limit):
    """Wall time and CPU time in seconds, and peak memory in bytes, of one contender's turn."""
    command = [sys.executable, "-c", CONTENDERS, name, site.base, str(number), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    whole, *figures = json.loads(done.stdout)
    assert whole == number
    return figures


def in_turns(names, site, number, limit):
    """The best turn of each contender."""
    turns = [{name: measured(name, site, number, limit) for name in names} for _ in range(TURNS)]
    return {name: min(turn[name] for turn in turns) for name in names}


def rows(figures, number):
    ours = figures[OURS][0]
    for name, (wall, cpu, peak) in figures.items():
        yield name, f"{wall:.2f}", f"{wall / ours:.2f}", f"{cpu / number * 1e3:.2f}", f"{peak / 1e6:.0f}"


HEADINGS = "", "s", "times fetch.cooperative", "CPU ms per request", "peak MB"


@pytest.mark.skipif(sys.platform == "win32", reason="asks POSIX for the peak of memory")
@pytest.mark.parametrize("number", BESIDE_AIOHTTP)
def test_with_a_hundred_connections_it_keeps_up_with_aiohttp(site, report, number):
    figures = in_turns([OURS, AIOHTTP], site, number, limit=100)
    report(f"{number:,} URLs of {LATENCY:g} s, 100 at once", HEADINGS, list(rows(figures, number)))
    assert figures[OURS][0] <= BESIDE_AIOHTTP[number] * figures[AIOHTTP][0]


@pytest.mark.skipif(sys.platform == "win32", reason="asks POSIX for the peak of memory")
def test_with_many_connections_it_leaves_httpx_behind(site, report):
    number = 2 * CROWD if SMALL else MANY
    figures = in_turns([OURS, AIOHTTP], site, number, CROWD)
    figures[HTTPX] = measured(HTTPX, site, number, CROWD)  # once: this takes long, and is far from its bar
    report(f"{number:,} URLs of {LATENCY:g} s, {CROWD:,} at once", HEADINGS, list(rows(figures, number)))
    assert figures[HTTPX][0] >= BESIDE_HTTPX * figures[OURS][0]
