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


async def a_lock_on_one_line():
    lock = asyncio.Lock()

    async def ask(number):
        async with lock: return await page(number)  # noqa: E701  # fmt: skip

    await asyncio.gather(*(ask(number) for number in range(5)))


class Answer:
    async def read(self):
        return "page"


async def a_lock_around_a_request_and_its_answer():
    lock = asyncio.Lock()

    async def answer(number):
        await asyncio.sleep(PAUSE)
        return Answer()

    async def ask(number):
        async with lock:
            got = await answer(number)
            return await got.read()

    await asyncio.gather(*(ask(number) for number in range(5)))


@pytest.mark.parametrize(
    ("program", "lock", "name"),
    [
        (a_lock_around_a_request, "lock", "page"),
        (a_lock_around_a_thread, "lock", "sleep"),
        (a_cache_of_which_each_wants_something_else, "self.lock", "page"),
        (a_lock_on_one_line, "lock", "page"),
        (a_lock_around_a_request_and_its_answer, "lock", "answer"),
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


async def a_pause_that_has_a_name():
    lock = asyncio.Lock()

    async def wait_a_little():
        """Out of politeness."""
        await asyncio.sleep(PAUSE)

    async def ask(number):
        async with lock:
            await wait_a_little()
        await page(number)

    await asyncio.gather(*(ask(number) for number in range(5)))


class Store:
    def __init__(self):
        self.number = 0

    async def load(self):
        return await page(self.number)

    async def save(self, number):
        self.number = await page(number)


async def a_load_a_change_and_a_save():
    store, lock = Store(), asyncio.Lock()

    async def add():
        async with lock:
            number = await store.load()
            more = number + 1
            await store.save(more)

    await asyncio.gather(*(add() for _ in range(5)))
    assert store.number == 5


async def one_who_sends_at_a_time():
    lock = asyncio.Lock()

    async def send(number):
        return await page(number)

    async def tell(number):
        async with lock:
            await send(number)

    await asyncio.gather(*(tell(number) for number in range(5)))


async def queries_of_one_line():
    class Connection:
        async def ask(self, text):
            await asyncio.sleep(PAUSE / 3)
            return text

    db, lock = Connection(), asyncio.Lock()

    async def pay(number):
        async with lock:
            return [await db.ask("begin"), await db.ask(f"pay {number}"), await db.ask("commit")]

    await asyncio.gather(*(pay(number) for number in range(5)))


async def one_printer_in_threads():
    class Printer:
        def print_page(self, number):
            time.sleep(PAUSE)

    printer, lock = Printer(), asyncio.Lock()

    async def job(number):
        async with lock:
            await asyncio.to_thread(printer.print_page, number)

    await asyncio.gather(*(job(number) for number in range(5)))


async def a_callee_that_keeps_an_order():
    lock, log = asyncio.Lock(), []

    async def note(number):
        log.append(await page(number))

    async def job(number):
        async with lock:
            await note(number)

    await asyncio.gather(*(job(number) for number in range(5)))


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
        a_pause_that_has_a_name,
        a_load_a_change_and_a_save,
        one_who_sends_at_a_time,
        queries_of_one_line,
        one_printer_in_threads,
        a_callee_that_keeps_an_order,
        a_lock_around_what_is_short,
        one_connection_for_all,
    ],
)
def test_nothing_is_said_of_a_lock_that_does_what_it_is_for(program):
    assert "lock held" not in {finding.kind for finding in findings(program)}
