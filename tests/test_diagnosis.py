"""What a diagnosis says of programs with a fault, and that it says nothing of those without one."""

import asyncio
import gc
import time
from contextlib import asynccontextmanager, suppress
from itertools import count

import httpx
import pytest

from kitchen.server import serve
from kitchen.watch import watch

PAUSE = 0.06  # seconds: two of them are worth a word, if nothing speaks for them


# --- programs without a fault ----------------------------------------------------------------------------------------

CLEAN = []


def clean(program):
    CLEAN.append(program)
    return program


async def page(number, pause=PAUSE):
    """Stands for a call that waits for the world outside."""
    await asyncio.sleep(pause)
    return number


@clean
async def a_ticker():
    for _ in range(5):
        await asyncio.sleep(PAUSE)


@clean
async def a_ticker_with_different_pauses():
    for pause in (0.05, 0.06, 0.07):
        await asyncio.sleep(pause)


@asynccontextmanager
async def echoing(pause=PAUSE / 2):
    """A server on this machine, which takes its time, and its port."""

    async def answer(reader, writer):
        with suppress(ConnectionError):
            while line := await reader.readline():
                await asyncio.sleep(pause)
                writer.write(line)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.01)


@clean
async def a_protocol_of_request_and_response():
    async with echoing() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for word in (b"who\n", b"when\n", b"where\n", b"why\n"):
            writer.write(word)
            await writer.drain()
            assert await reader.readline() == word
        writer.close()


@clean
async def a_protocol_in_methods_of_its_own():
    class Client:
        async def connect(self, port):
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(PAUSE)

        async def send(self, word):
            self.writer.write(word)
            await self.writer.drain()
            await asyncio.sleep(PAUSE)

        async def receive(self):
            return await self.reader.readline()

        async def close(self):
            self.writer.close()
            await asyncio.sleep(PAUSE)

    async with echoing() as port:
        client = Client()
        await client.connect(port)
        await client.send(b"one\n")
        await client.send(b"two\n")
        assert await client.receive() == b"one\n"
        assert await client.receive() == b"two\n"
        await client.close()


@clean
async def messages_that_come_in():
    queue = asyncio.Queue()

    async def receive():
        await asyncio.sleep(0.02)
        return await queue.get()

    async def sender():
        for number in range(4):
            await asyncio.sleep(PAUSE)
            queue.put_nowait(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(sender())
        greeting = await receive()
        name = await receive()
        assert (greeting, name) == (0, 1)


@clean
async def a_producer_and_a_consumer():
    queue = asyncio.Queue(2)

    async def produce():
        for number in range(6):
            await asyncio.sleep(PAUSE / 2)
            await queue.put(number)
        await queue.put(None)

    async def consume():
        while (number := await queue.get()) is not None:
            await page(number, 0.01)

    await asyncio.gather(produce(), consume())


@clean
async def a_pool_of_workers():
    queue, results = asyncio.Queue(), []
    for number in range(20):
        queue.put_nowait(number)

    async def work():
        while not queue.empty():
            results.append(await page(queue.get_nowait(), PAUSE / 2))

    await asyncio.gather(*(work() for _ in range(5)))
    assert len(results) == 20


@clean
async def workers_with_a_list_each():
    async def work(numbers):
        return [await page(number, PAUSE) for number in numbers]

    await asyncio.gather(*(work(range(start, start + 4)) for start in range(0, 24, 4)))


@clean
async def a_gather_limited_by_a_semaphore():
    limit = asyncio.Semaphore(3)

    async def polite(number):
        async with limit:
            return await page(number)

    assert await asyncio.gather(*(polite(number) for number in range(9))) == list(range(9))


@clean
async def tries_with_longer_and_longer_pauses():
    tries = count()

    async def moody(number):
        await asyncio.sleep(PAUSE)
        if next(tries) < 3:
            raise ConnectionError
        return number

    for attempt in range(5):
        try:
            return await moody(attempt)
        except ConnectionError:
            await asyncio.sleep(0.02 * 2**attempt)


@clean
async def tries_until_it_works():
    async def moody(attempt):
        await asyncio.sleep(PAUSE)
        return attempt == 3

    for attempt in range(5):
        if await moody(attempt):
            break


@clean
async def a_search_that_stops_at_the_first():
    async def find():
        for number in range(5):
            found = await page(number)
            if found == 3:
                return found
        return None

    assert await find() == 3


@clean
async def each_needs_what_the_last_gave():
    first = await page(1)
    second = await page(first + 1)
    third = await page(second + 1)
    assert third == 3


@clean
async def a_sum_that_is_carried_on():
    total = 0
    for number in range(4):
        total = await page(total + number)
    assert total == 6


@clean
async def a_chain_through_an_object():
    seen = []
    for number in range(4):
        got = await page((number, *seen))
        seen.append(got)
    assert len(seen) == 4


@clean
async def a_loop_over_what_grows():
    todo = [1]
    for number in todo:
        got = await page(number)
        if got < 4:
            todo.append(got + 1)
    assert todo == [1, 2, 3, 4]


@clean
async def a_cookie_that_is_handed_on():
    session = {}

    async def step(name, session):
        await asyncio.sleep(PAUSE)
        session["last"] = name
        return name

    for name in ("log in", "look", "log out"):
        session["now"] = await step(name, session)


@clean
async def page_after_page_by_token():
    async def pages(token):
        await asyncio.sleep(PAUSE)
        return [token], token + 1 if token < 4 else None

    token, items = 1, []
    while token is not None:
        more, token = await pages(token)
        items += more
    assert items == [1, 2, 3, 4]


@clean
async def page_after_page_until_one_is_empty():
    async def pages(number):
        await asyncio.sleep(PAUSE)
        return list(range(3 - number))

    for number in count():
        items = await pages(number)
        if not items:
            break


@clean
async def timeouts_that_are_dealt_with():
    with suppress(TimeoutError):
        async with asyncio.timeout(PAUSE):
            await page(1, 10)
    with suppress(TimeoutError):
        await asyncio.wait_for(page(2, 10), PAUSE)
    assert await asyncio.wait_for(page(3), 10) == 3


@clean
async def a_task_group():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(page(number)) for number in range(5)]
    assert [task.result() for task in tasks] == list(range(5))


@clean
async def a_task_group_in_which_one_fails():
    async def fail():
        await asyncio.sleep(PAUSE)
        raise ValueError

    with suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(page(1, 10))
            group.create_task(fail())


@clean
async def a_shield():
    inner = asyncio.create_task(page(1, 0.1))
    outer = asyncio.create_task(asyncio.wait_for(asyncio.shield(inner), 0.02))
    with suppress(TimeoutError):
        await outer
    assert await inner == 1


@clean
async def a_cancellation_with_cleaning_up():
    async def work():
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(PAUSE)

    task = asyncio.create_task(work())
    await asyncio.sleep(PAUSE)
    task.cancel("enough")
    with suppress(asyncio.CancelledError):
        await task


@clean
async def a_cancellation_that_is_raised_again():
    async def work():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            raise

    task = asyncio.create_task(work())
    await asyncio.sleep(PAUSE)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


@clean
async def workers_that_are_sent_home():
    queue = asyncio.Queue()

    async def work():
        while True:
            await page(await queue.get(), 0.01)
            queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(3)]
    for number in range(9):
        queue.put_nowait(number)
    await queue.join()
    for worker in workers:
        worker.cancel()
    for worker in workers:
        with suppress(asyncio.CancelledError):
            await worker


@clean
async def a_heartbeat_beside_the_work():
    async def beat():
        while True:
            await asyncio.sleep(PAUSE / 3)

    heart = asyncio.create_task(beat())
    await page(1, 0.2)
    heart.cancel()
    with suppress(asyncio.CancelledError):
        await heart


@clean
async def an_async_generator():
    async def numbers():
        for number in range(5):
            await asyncio.sleep(PAUSE)
            yield number

    assert [number async for number in numbers()] == list(range(5))


@clean
async def a_stream_that_is_worked_off():
    async def numbers():
        for number in range(4):
            yield await page(number)

    async for number in numbers():
        await page(number)


@clean
async def work_in_a_thread():
    async def ticks():
        for _ in range(5):
            await asyncio.sleep(PAUSE)

    await asyncio.gather(asyncio.to_thread(time.sleep, 0.3), ticks())


@clean
async def one_thing_at_a_time_under_a_lock():
    lock = asyncio.Lock()

    async def enter(number):
        async with lock:
            await page(number, PAUSE)

    await asyncio.gather(*(enter(number) for number in range(4)))


@clean
async def errands_under_a_lock():
    lock = asyncio.Lock()
    async with lock:
        for number in range(4):
            await page(number)


@clean
async def a_chat_server():
    rooms = set()

    async def member(reader, writer):
        rooms.add(writer)
        try:
            while line := await reader.readline():
                for other in rooms:
                    other.write(line)
                    await other.drain()
        finally:
            rooms.discard(writer)
            writer.close()

    server = await asyncio.start_server(member, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]

    async def guest(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(PAUSE)
        writer.write(b"hello %d\n" % number)
        await writer.drain()
        for _ in range(3):
            await reader.readline()
        writer.close()

    await asyncio.gather(*(guest(number) for number in range(3)))
    server.close()
    await asyncio.sleep(PAUSE)


@clean
async def a_crawler_that_is_polite():
    for number in range(4):
        await page(number)
        await asyncio.sleep(0.02)


@clean
async def short_steps_of_work():
    async def compute():
        for _ in range(8):
            end = time.thread_time() + 0.01
            while time.thread_time() < end:
                pass
            await asyncio.sleep(0)

    await asyncio.gather(compute(), compute(), page(1))


@clean
async def one_alone_that_computes():
    time.sleep(0.15)  # noqa: ASYNC251
    end = time.thread_time() + 0.15
    while time.thread_time() < end:
        pass
    await page(1)


@clean
async def different_errands_in_an_order():
    async def prepare():
        await asyncio.sleep(PAUSE)

    async def deploy():
        await asyncio.sleep(PAUSE)

    async def check():
        await asyncio.sleep(PAUSE)

    await prepare()
    await deploy()
    await check()


@clean
async def the_same_errand_for_its_effect():
    async def press(key):
        await asyncio.sleep(PAUSE)

    await press("a")
    await press("b")
    await press("c")


@clean
async def an_event_and_a_condition():
    event, condition = asyncio.Event(), asyncio.Condition()

    async def waits():
        await event.wait()
        async with condition:
            await condition.wait()

    task = asyncio.create_task(waits())
    await asyncio.sleep(PAUSE)
    event.set()
    await asyncio.sleep(PAUSE)
    async with condition:
        condition.notify_all()
    await task


@clean
async def the_first_that_is_done():
    tasks = [asyncio.create_task(page(number, PAUSE * (number + 1))) for number in range(3)]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    assert [task.result() for task in done] == [0]


@clean
async def tasks_that_are_awaited_one_by_one():
    tasks = [asyncio.create_task(page(number, PAUSE * 2)) for number in range(4)]
    assert [await task for task in tasks] == list(range(4))


@clean
async def as_they_are_done():
    for done in asyncio.as_completed([page(number, PAUSE * number) for number in range(4)]):
        await done


@clean
async def an_exception_that_is_looked_at():
    async def fail():
        await asyncio.sleep(PAUSE)
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    assert isinstance(task.exception(), ValueError)


@clean
async def batches():
    for start in range(0, 9, 3):
        await asyncio.gather(*(page(number) for number in range(start, start + 3)))


@clean
async def little_that_was_awaited_in_a_row():
    for number in range(4):
        await page(number, 0.005)


@clean
async def one_long_and_one_short():
    long = await page(1, 0.3)
    short = await page(2, 0.01)
    assert (long, short) == (1, 2)


def findings(program, **options):
    """What is found in a program that is run under `watch`."""

    async def main():
        async with watch(**options) as run:
            await program()
        return run

    run = asyncio.run(main())
    gc.collect()
    return run.findings


@pytest.mark.parametrize("program", CLEAN, ids=lambda program: program.__name__)
def test_nothing_is_said_of_a_program_without_a_fault(program):
    assert findings(program) == []


def test_nothing_is_said_of_a_client_that_fetches_all_at_once():
    with serve(delay=0.05) as site:

        async def fetch_all():
            async with httpx.AsyncClient() as client:
                answers = await asyncio.gather(*(client.get(url) for url in site.urls(20)))
            assert all(answer.status_code == 200 for answer in answers)

        assert findings(fetch_all) == []
