"""Awaits in a row, however they are written, and the rows that are meant: where each needs the one before."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from kitchen.watching.cpu import one_at_a_time
from kitchen.watching.watch import watch

PAUSE = 0.05


async def fetch(number):
    await asyncio.sleep(PAUSE)
    return number


def load(number):
    time.sleep(PAUSE)
    return number


def rows(program):
    async def main():
        async with watch() as run:
            await program()
        return run

    return [finding for finding in asyncio.run(main()).findings if finding.kind == "in a row"]


# --- rows that could overlap -------------------------------------------------------------------------------------------

FOUND = []


def found(program):
    FOUND.append(program)
    return program


@found
async def a_task_that_is_awaited_at_once():
    for number in range(4):
        await asyncio.create_task(fetch(number))


@found
async def a_task_with_a_name():
    for number in range(4):
        task = asyncio.create_task(fetch(number))
        await task


@found
async def what_it_gives_is_kept():
    got = []
    for number in range(4):
        got.append(await asyncio.ensure_future(fetch(number)))


@found
async def with_a_time_limit_each():
    for number in range(4):
        await asyncio.wait_for(fetch(number), 5)


@found
async def within_a_time_limit_each():
    for number in range(4):
        async with asyncio.timeout(5):
            await fetch(number)


@found
async def threads():
    for number in range(4):
        await asyncio.to_thread(load, number)


@found
async def an_executor():
    loop = asyncio.get_running_loop()
    for number in range(4):
        await loop.run_in_executor(None, load, number)


@found
async def an_entry_for_each():
    class Cache:
        def __init__(self):
            self.known = {}

        async def get(self, number):
            if number not in self.known:
                self.known[number] = await fetch(number)
            return self.known[number]

    cache = Cache()
    for number in range(4):
        await cache.get(number)


@found
async def each_sets_what_is_its_own():
    class Node:
        text = None

        async def load(self):
            if self.text is None:
                self.text = await fetch(1)
            return self.text

    for node in [Node(), Node(), Node(), Node()]:
        await node.load()


@found
async def an_executor_of_ones_own():
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        for number in range(4):
            await loop.run_in_executor(pool, load, number)


@found
async def as_long_as_there_is_something_to_do():
    todo = list(range(4))
    while todo:
        await fetch(todo.pop())


@found
async def taken_out_under_a_name():
    todo = list(range(4))
    while todo:
        number = todo.pop()
        await fetch(number)


@found
async def a_gather_of_one():
    for number in range(4):
        await asyncio.gather(fetch(number))


@found
async def a_shield():
    for number in range(4):
        await asyncio.shield(fetch(number))


@found
async def a_task_group_of_one():
    for number in range(4):
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch(number))


@found
async def a_task_group_of_one_with_a_name():
    for number in range(4):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(fetch(number))
        assert task.result() == number


@found
async def asked_of_what_is_held():
    session = Session()
    async with session:
        for number in range(4):
            await session.get(number)


@found
async def what_both_are_asked_for():
    for number in range(4):
        assert await fetch(number) == number and number < 4


@found
async def a_wait_for_one():
    for number in range(4):
        await asyncio.wait([asyncio.create_task(fetch(number))])


@found
async def counted_up():
    number = 0
    while number < 4:
        await fetch(number)
        number += 1


@found
async def looked_at_afterwards():
    good = []
    for number in range(4):
        got = await fetch(number)
        if got % 2:
            good.append(got)


@found
async def parts_of_one_expression():
    return {
        "who": await fetch(1),
        "where": await fetch(2),
        "when": await fetch(3),
    }


@found
async def an_answer_that_is_read_in_the_same_round():
    class Answer:
        async def read(self):
            return b"page"

    async def get(number):
        await fetch(number)
        return Answer()

    for number in range(4):
        answer = await get(number)
        print(await answer.read())


@found
async def a_filter():
    return [number for number in range(4) if await fetch(number)]


@found
async def parts_of_one_line():
    return max(await fetch(1), await fetch(2), await fetch(3))


class Session:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *problem):
        await asyncio.sleep(0.001)

    async def get(self, number):
        return await fetch(number)


@found
async def a_session_for_each():
    for number in range(4):
        async with Session() as session:
            await session.get(number)


@found
async def what_is_asked_for_is_made_first():
    for number in range(4):
        address = f"page {number}"
        await fetch(address)


@pytest.mark.parametrize("program", FOUND, ids=lambda program: program.__name__)
def test_a_row_is_found_however_it_is_written(program):
    (finding,) = rows(program)
    first = program.__code__.co_firstlineno
    assert first < finding.line < first + 15
    assert re.search(r" [34] times, one after the other", finding.text)
    assert "If none needs the one before, asyncio.gather or a TaskGroup" in finding.text


# --- rows that are meant -----------------------------------------------------------------------------------------------

MEANT = []


def meant(program):
    MEANT.append(program)
    return program


@asynccontextmanager
async def echo():
    async def answer(reader, writer):
        with suppress(ConnectionError):
            while line := await reader.readline():
                await asyncio.sleep(PAUSE)
                writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.01)


@meant
async def statements_over_one_connection():
    async def ask(word):
        writer.write(word)
        return await reader.readline()

    async with echo() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for word in (b"one\n", b"two\n", b"three\n"):
            await ask(word)
        writer.close()


@meant
async def what_one_part_gives_another_needs():
    return await fetch(await fetch(await fetch(1)))


@meant
async def as_the_answer_decides():
    got = 0
    for number in range(4):
        if got > 100:
            continue
        got = await fetch(number)


@meant
async def each_goes_by_what_the_one_before_has_set():
    class Account:
        balance = 0

        async def book(self, amount):
            now = self.balance + amount
            await asyncio.sleep(PAUSE)
            self.balance = now

    account = Account()
    for amount in (10, 20, -5):
        await account.book(amount)


@meant
async def each_goes_by_what_all_share():
    last = 0

    async def next_number(name):
        nonlocal last
        last = await fetch(last + 1)
        return name, last

    for name in "abc":
        await next_number(name)


@meant
async def as_long_as_all_say_yes():
    good = True
    for number in range(1, 5):
        good = good and await fetch(number)


@meant
async def until_one_says_yes():
    found = 0
    for number in range(4):
        found = found or await fetch(number) == 3


@meant
async def what_is_entered_in_turn():
    @asynccontextmanager
    async def room(number):
        yield await fetch(number)

    async with AsyncExitStack() as stack:
        for number in range(4):
            await stack.enter_async_context(room(number))


@meant
async def restarted_one_by_one():
    async def restart_server(number):
        return await fetch(number)

    for number in range(4):
        await restart_server(number)


@meant
async def under_what_is_held():
    lock, session = asyncio.Lock(), Session()
    async with lock:
        for number in range(4):
            await session.get(number)


@meant
async def counted_up_to_what_the_answer_says():
    number, last = 0, 3
    while number < last:
        last = await fetch(last)
        number += 1


@meant
async def clicks():
    class Page:
        async def click(self, what):
            await asyncio.sleep(PAUSE)

    page = Page()
    for button in ("next", "more", "buy"):
        await page.click(button)


@meant
async def queries_of_a_connection():
    class Connection:
        async def fetch(self, text):
            await asyncio.sleep(PAUSE)
            return [text]

    conn = Connection()
    for table in ("a", "b", "c"):
        await conn.fetch(table)


@meant
async def a_login_before_the_page():
    async def get(path):
        await asyncio.sleep(PAUSE)
        return path

    one = await get("/login")
    two = await get("/page")
    assert one != two


@meant
async def a_callee_that_limits_its_own_rate():
    async def polite(number):
        await fetch(number)
        await asyncio.sleep(0.02)

    for number in range(4):
        await polite(number)


@meant
async def a_callee_under_a_semaphore():
    limit = asyncio.Semaphore(1)

    async def polite(number):
        async with limit:
            return await fetch(number)

    for number in range(4):
        await polite(number)


@meant
async def a_limiter_in_a_function_of_its_own():
    async def wait_for_rate_limit():
        await asyncio.sleep(PAUSE)

    async def polite(number):
        await wait_for_rate_limit()
        return number

    for number in range(4):
        await polite(number)


@meant
async def appends_in_order():
    log = []

    async def keep(line):
        await asyncio.sleep(PAUSE)
        log.append(line)

    for line in ("one", "two", "three", "four"):
        await keep(line)


@meant
async def a_frontier_that_grows():
    todo = [0]
    while todo:
        number = todo.pop()
        got = await fetch(number)
        if got < 3:
            todo.append(got + 1)


@meant
async def tasks_that_wait_for_a_lock():
    lock = asyncio.Lock()

    async def enter(number):
        async with lock:
            await fetch(number)

    for number in range(4):
        await asyncio.create_task(enter(number))


@meant
async def a_pause_between():
    for number in range(4):
        await asyncio.create_task(fetch(number))
        await asyncio.sleep(0.02)


@meant
async def pauses_as_tasks():
    for _ in range(4):
        await asyncio.create_task(asyncio.sleep(PAUSE))


@meant
async def batches():
    for start in range(0, 8, 2):
        await asyncio.gather(fetch(start), fetch(start + 1))


@meant
async def the_result_is_carried_on():
    token = 0
    for number in range(4):
        token = await asyncio.wait_for(fetch(token + number), 5)


@meant
async def an_executor_of_one_thread():
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as pool:
        for number in range(4):
            await loop.run_in_executor(pool, load, number)


@meant
async def one_thread_for_all():
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    for number in range(4):
        await asyncio.to_thread(load, number)


@meant
async def until_one_works():
    for number in range(4):
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                if await fetch(number) == 3:
                    break


@pytest.mark.parametrize("program", MEANT, ids=lambda program: program.__name__)
def test_nothing_is_said_of_a_row_that_is_meant(program):
    assert rows(program) == []


def compute(number):
    end = time.thread_time() + PAUSE
    while time.thread_time() < end:
        sum(range(number))


@pytest.mark.measured
@pytest.mark.skipif(not one_at_a_time(), reason="without a GIL they do overlap")
def test_nothing_is_said_of_threads_that_compute():
    async def program():
        for number in range(300, 304):
            await asyncio.to_thread(compute, number)

    assert rows(program) == []


CLIENT = """
import asyncio

async def ask(seconds):  # as a driver waits for its answer
    answer = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, answer.set)
    await answer.wait()
"""


def test_a_package_with_a_folder_called_asyncio_is_not_asyncio(tmp_path):
    client = {}
    exec(compile(CLIENT, str(tmp_path / "site-packages" / "store" / "asyncio" / "client.py"), "exec"), client)
    ask = client["ask"]

    async def program():
        for seconds in 4 * [PAUSE]:
            await ask(seconds)

    [finding] = rows(program)
    assert "awaited ask 4 times" in finding.text
