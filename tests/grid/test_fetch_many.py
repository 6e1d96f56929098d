"""Fetching many: open files, tasks and connections are bounded, and a site that falls over costs no URL its outcome."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from kitchen import fetch
from kitchen.web import client
from kitchen.web.site import serve

pytestmark = pytest.mark.long


def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))


@pytest.fixture(scope="module")
def site():
    with serve(delay=0.05) as site:
        yield site


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
@pytest.mark.parametrize("call", ["threaded(urls, workers=500)", "cooperative(urls, limit=500)"])
def test_too_few_open_files_are_told_before_the_first_request(call):
    program = f"""
import asyncio, resource
from kitchen import fetch
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
urls = ["http://127.0.0.1:9/"] * 400
def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))
threaded = fetch.threaded
try:
    {call}
except ValueError as error:
    print(error)
    exec(str(error).partition("`")[2].partition("`")[0])
    print(len({call}.results))
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    first, second = said.stdout.splitlines()
    assert "400 connections at once need as many open files, and this process may have 200" in first
    assert "at most 1" in first  # some 170 at once, as the first remedy
    assert second == "400"  # the second remedy was taken


def test_there_are_never_more_tasks_than_places(site):
    async def counted():
        most, over = 0, asyncio.Event()

        async def look():
            nonlocal most
            while not over.is_set():
                most = max(most, len(asyncio.all_tasks()))
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        results = (await fetch.cooperative(site.urls(60), limit=7)).results
        over.set()
        await looking
        return most, results

    most, results = asyncio.run(counted())
    assert [result.status for result in results] == [200] * 60
    assert 7 < most <= 7 + 2 + 7  # the fetch, who looks, and helpers of the client's, one for each at most


PORTED_SITE = """
import asyncio, sys
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    await asyncio.sleep(0.2)
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nbread")
    await writer.drain()
    writer.close()
async def main():
    port = int(sys.stdin.readline())
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096, reuse_address=True)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def start_site():
    """A process of its own for a site: it takes a while to begin, and then its site opens at once."""
    command = [sys.executable, "-c", PORTED_SITE]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def open_site(process, port=0):
    """Opens the site, at a port that one can ask for again; returns the port."""
    process.stdin.write(b"%d\n" % port)
    process.stdin.flush()
    return int(process.stdout.readline())


def end_site(process):
    with process:
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="counts open files as POSIX lists them")
@pytest.mark.parametrize(
    ("fetched", "at_once"),
    [
        (lambda urls, at_once: fetch.threaded(urls, workers=at_once), 200),
        (lambda urls, at_once: cooperative(urls, limit=at_once), 1_000),
    ],
    ids=["200 threads", "1,000 coroutines"],
)
def test_a_site_that_is_killed_and_comes_back_leaves_every_url_with_an_outcome(fetched, at_once):
    def files():
        gc.collect()
        return len(os.listdir("/dev/fd"))

    def kill_and_reopen():
        while (run := client.Run.newest).urls != urls or len(run.results) - run.results.count(None) < 100:
            time.sleep(0.02)
        end_site(first)
        open_site(second, port)
        silent.send_signal(signal.SIGCONT)

    def urls_at(port, numbers):
        return [f"http://127.0.0.1:{port}/{number}" for number in numbers]

    threads, before = threading.active_count(), files()
    first, second, silent = start_site(), start_site(), start_site()
    port, silent_port = open_site(first), open_site(silent)
    # Where nobody answers, URLs are done with in no time. So each place is held by a site that is silent until the other
    # is back, and the last URLs are asked for after that, however long it takes.
    silent.send_signal(signal.SIGSTOP)
    urls = urls_at(port, range(3_000)) + urls_at(silent_port, range(at_once)) + urls_at(port, range(3_000, 3_100))
    cook = threading.Thread(target=kill_and_reopen)
    try:
        fetched(urls[:1], at_once)
        cook.start()
        results, timeline = fetched(urls, at_once)
    finally:
        cook.join()
        for site in (first, second, silent):
            end_site(site)
    assert [result.url for result in results] == urls
    assert all((result.body == b"bread") == (result.error is None) for result in results)
    failed = [number for number, result in enumerate(results) if result.error]
    assert failed  # those that were on their way, and those that found nobody
    assert failed[-1] < 3_000  # and none that was asked for afterwards
    assert results[0].body == results[-1].body == b"bread"  # before, and after
    assert list(timeline.outcomes) == [timeline.lanes[number] for number in failed]
    assert threading.active_count() == threads
    assert files() <= before + 1
