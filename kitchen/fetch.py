"""Real URLs, with httpx: three ways to fetch them. One `Result` and one lane for each URL asked for, whatever happens.

    sync           one URL after the other
    threaded       a pool of threads, each with one URL at a time
    cooperative    an asyncio task per URL, `limit` of them at a time

The three differ in when, never in what: one code decides what becomes of a URL (`kitchen/web/page.py`), with httpx's URLs,
rules and errors. They differ in how they wait for the bytes.

A URL that cannot be had costs no other its result: its own says why. What is asked for is the URL as it was given. Its
cookies, its password and its connections are its own: no connection is kept for the next URL, since whatever the site
still sends on it would be taken for the next one's page. The proxies that the environment names are asked, but not for
what is on this very computer; a .netrc file is never read.

`timeout` is how many seconds a URL may take in all, from the moment on at which somebody turns to it: looking up its name,
redirects and pauses included. `max_bytes` is how large a page may become, unpacked: of a larger one that much is kept,
and the error says so. The head of an answer may have 100 kB; 20 redirects are followed.

`retries`: how often a URL is asked for once more when the answer is 429 (too many requests) or 503 (not now), after as
many seconds as the answer's Retry-After says, else after 0.5, 1, 2, ... seconds, half of that by chance. Whoever pauses
keeps the place: a site that is overrun is to have fewer requests. A pause that would outlast the timeout is not begun; the
answer then stands as it is.

Raises ValueError or TypeError for bad arguments before the first request, also when this process may not have as many
files open as there would be connections at once. An interrupt ends everything that was begun; `so_far` has what had come
by then, and can be asked meanwhile, from another task or thread.

What the Timeline shows. The label of a span is the phase that the client is in. Threads: the phases are
measured, and how much CPU time the thread used in each; at which moment within a phase is inferred, and so is READY (the
thread was in no blocking call, and used no CPU). A thread that has its answer but queues for the GIL inside a blocking
call cannot be told from one whose answer has not come: it shows as WAITING. Coroutines: RUNNING is measured, step by
step. READY is inferred: all that one round of the event loop runs could have run when that round began.
"""

import asyncio
from collections.abc import Iterable
from queue import SimpleQueue
from threading import TIMEOUT_MAX

from kitchen.interrupts import looking_up
from kitchen.timeline import IDLING, WAITING
from kitchen.web.blocking import Blocking
from kitchen.web.client import MAX_BYTES, Fetched, Result, Run, check_files
from kitchen.web.coroutines import Coroutines

__all__ = ["Fetched", "Result", "cooperative", "so_far", "sync", "threaded"]


def sync(urls: Iterable[str], timeout: float = 10.0, retries: int = 0, max_bytes: int = MAX_BYTES) -> Fetched:
    """One URL after the other: while one is on its way, nobody does anything."""
    with _run("sync", urls, timeout, retries, max_bytes, at_once=1) as run:
        engine = Blocking(run)
        for lane in range(len(run.urls)):
            engine.get(lane, resting=IDLING)
    return run.fetched()


def threaded(
    urls: Iterable[str], workers: int = 100, timeout: float = 10.0, retries: int = 0, max_bytes: int = MAX_BYTES
) -> Fetched:
    """A pool of `workers` threads, each with one URL at a time."""
    _check_count("workers", workers)
    line = SimpleQueue()

    def work():
        for lane in iter(line.get, None):
            engine.get(lane, resting=WAITING)

    with _run("threads", urls, timeout, retries, max_bytes, at_once=workers) as run:
        engine = Blocking(run)
        workers = min(workers, len(run.urls))
        run.line_up(workers)
        for lane in [*range(len(run.urls)), *[None] * workers]:
            line.put(lane)
        with engine.threads(workers) as threads:
            for thread in [threads.submit(work) for _ in range(workers)]:
                thread.result()
    return run.fetched()


async def cooperative(
    urls: Iterable[str], limit: int = 100, timeout: float = 10.0, retries: int = 0, max_bytes: int = MAX_BYTES
) -> Fetched:
    """An asyncio task per URL, `limit` of them at a time: `await` it in a notebook cell, or hand it to `asyncio.run`.

    A task is made when there is a place for it, so that ten thousand URLs take no more memory at once than `limit` do,
    apart from what comes of them.
    """
    _check_count("limit", limit)
    places = asyncio.Semaphore(limit)

    async def get(lane):
        try:
            await engine.get(lane)
        finally:
            places.release()

    with _run("coroutines", urls, timeout, retries, max_bytes, at_once=limit) as run, looking_up():
        run.line_up(limit)
        engine = Coroutines(run)
        async with asyncio.TaskGroup() as tasks:
            for lane in range(len(run.urls)):
                await places.acquire()
                tasks.create_task(engine.step_by_step(lane, get(lane)))
                if lane % LOT == LOT - 1:
                    await asyncio.sleep(0)
    return run.fetched()


def so_far() -> Fetched:
    """What the newest fetch had when it ended, or has by now: also one that was interrupted.

    Raises RuntimeError when nothing has been fetched yet.
    """
    if Run.newest is None:
        raise RuntimeError("nothing has been fetched yet: call fetch.sync, threaded or cooperative first")
    return Run.newest.fetched()


LOT = 25  # tasks that are begun before the loop looks up: the first have their answers while the last are still asking


def _run(title, urls, timeout, retries, max_bytes, at_once):
    """A run over these URLs, if that is what they are."""
    if isinstance(urls, (str, bytes)):
        raise TypeError(f"urls is one text, {urls!r}: give a list of URLs, also for a single one")
    if not (isinstance(timeout, (int, float)) and 0 < timeout <= TIMEOUT_MAX):
        raise ValueError(f"a timeout of {timeout!r} seconds: give a finite number, more than 0")
    _check_count("retries", retries, least=0)
    _check_count("max_bytes", max_bytes)
    urls = list(urls)
    check_files(min(at_once, len(urls)))
    return Run(title, urls, timeout, retries, max_bytes)


def _check_count(name, count, least=1):
    if not isinstance(count, int) or count < least:
        raise ValueError(f"{name}={count!r}: give a whole number, {least} or more")
