"""Locks that are held while the holder waits for the outside and others queue; and those of which nothing is said."""

import asyncio
import time

import pytest

from kitchen.watching.watch import watch

PAUSE = 0.06


async def page(number):
    await asyncio.sleep(PAUSE)
    return number


def findings(program):
    async def main():
        async with watch() as run:
            await program()
        return run

    return asyncio.run(main()).findings


class Cache:
    def __init__(self):
        self.lock, self.known = asyncio.Lock(), {}

    async def get(self, key):
        async with self.lock:
            if key not in self.known:
                self.known[key] = await page(key)
            return self.known[key]


async def a_lock_around_a_request():
    lock = asyncio.Lock()

    async def ask(number):
        async with lock:
            await page(number)

    await asyncio.gather(*(ask(number) for number in range(5)))


async def a_lock_around_a_thread():
    lock = asyncio.Lock()

    async def ask():
        async with lock:
            await asyncio.to_thread(time.sleep, PAUSE)

    await asyncio.gather(*(ask() for _ in range(5)))


async def a_cache_of_which_each_wants_something_else():
    cache = Cache()
    await asyncio.gather(*(cache.get(key) for key in range(5)))


@pytest.mark.parametrize(
    ("program", "lock", "name"),
    [
        (a_lock_around_a_request, "lock", "page"),
        (a_lock_around_a_thread, "lock", "sleep"),
        (a_cache_of_which_each_wants_something_else, "self.lock", "page"),
    ],
)
def test_a_lock_held_while_others_queue(program, lock, name):
    (finding,) = findings(program)
    assert finding.kind == "lock held" and finding.file == __file__
    assert f"4 tasks queued for {lock} at test_guarded.py, line {finding.line}, for up to 0." in finding.text
    assert f"If {name} does not need the lock, await it outside." in finding.text


async def one_that_fetches_for_all():
    cache = Cache()
    await asyncio.gather(*(cache.get("page") for _ in range(5)))


async def a_lock_for_each():
    await asyncio.gather(*(Cache().get("page") for _ in range(5)))


async def a_pause_that_is_meant():
    lock = asyncio.Lock()

    async def ask(number):
        async with lock:
            await asyncio.sleep(PAUSE)
        await page(number)

    await asyncio.gather(*(ask(number) for number in range(5)))


async def a_lock_around_what_is_short():
    lock = asyncio.Lock()

    async def ask(number):
        got = await page(number)
        async with lock:
            await asyncio.sleep(0)
        return got

    await asyncio.gather(*(ask(number) for number in range(5)))


async def one_connection_for_all():
    async def answer(reader, writer):
        while line := await reader.readline():
            await asyncio.sleep(PAUSE)
            writer.write(line)
        writer.close()

    async def ask(word):
        async with lock:
            writer.write(word)
            return await reader.readline()

    lock = asyncio.Lock()
    server = await asyncio.start_server(answer, "127.0.0.1")
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.gather(*(ask(b"word\n") for _ in range(5)))
    writer.close()
    server.close()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "program",
    [
        one_that_fetches_for_all,
        a_lock_for_each,
        a_pause_that_is_meant,
        a_lock_around_what_is_short,
        one_connection_for_all,
    ],
)
def test_nothing_is_said_of_a_lock_that_does_what_it_is_for(program):
    assert "lock held" not in {finding.kind for finding in findings(program)}
