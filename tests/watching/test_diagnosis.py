"""What a diagnosis says of programs with a fault, and that it says nothing of those without one."""

import ast
import asyncio
import gc
import re
import threading
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count

import httpx
import pytest
from helpers.measure import Ratio, cpu, held, in_turn

from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Span, Table, Timeline
from kitchen.watching.diagnosis import diagnose
from kitchen.watching.facts import IMPORT, Facts, Frame, Note, Sample, TaskStep, Wait
from kitchen.watching.watch import watch
from kitchen.web.site import serve

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
    return None


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
        while True:  # noqa: ASYNC110
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

    for _ in range(TRIES):
        with stalls() as late:
            run = asyncio.run(main())
        gc.collect()
        if max(late) < STALL:
            break
    STOOD_STILL[:] = [late for late in [max(late)] if late >= STALL]
    return run.findings


TRIES = 3  # a run in which this computer stood still says nothing of the program
STOOD_STILL = []  # for how long it did in the last run, if it did in each
STALL = 0.05  # seconds


@contextmanager
def stalls():
    """A list of how late, in seconds, a thread comes that wants to run all the time: others may have all the cores."""

    def look():
        while not over.is_set():
            began = time.perf_counter()
            time.sleep(0.005)
            late.append(time.perf_counter() - began - 0.005)

    late, over = [0.0], threading.Event()
    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield late
    finally:
        over.set()
        thread.join()


@pytest.mark.long
@pytest.mark.parametrize("program", CLEAN, ids=lambda program: program.__name__)
def test_nothing_is_said_of_a_program_without_a_fault(program):
    assert_clean(program)


def assert_clean(program):
    found = findings(program)
    if found and STOOD_STILL:
        pytest.skip(f"in each of {TRIES} runs this computer stood still")
    assert found == []


@pytest.fixture(scope="module")
def site():
    with serve(delay=0.05) as site:
        yield site


@pytest.mark.long
def test_nothing_is_said_of_a_client_that_fetches_all_at_once(site):
    async def fetch_all():
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*(client.get(url) for url in site.urls(20)))
        assert all(answer.status_code == 200 for answer in answers)

    assert_clean(fetch_all)


# --- programs with one -----------------------------------------------------------------------------------------------


def line_of(text):
    """The number of the one line of this file that ends with this comment."""
    with open(__file__, encoding="utf-8") as file:
        (number,) = [number for number, line in enumerate(file, 1) if line.rstrip().endswith("#" + " " + text)]
    return number


def only(found, kind):
    if len(found) > 1 and STOOD_STILL:
        pytest.skip(f"in each of {TRIES} runs this computer stood still")
    (finding,) = found
    assert finding.kind == kind
    assert finding.file == __file__
    assert f"test_diagnosis.py, line {finding.line}" in finding.text
    return finding


async def beside(*coroutines, ready=3):
    """These, while others tick."""

    async def tick():
        for _ in range(4):
            await asyncio.sleep(0.02)

    await asyncio.gather(*(tick() for _ in range(ready)), *coroutines)


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))  # it computes


def test_a_sleep_holds_the_loop():
    async def sleeper():
        await asyncio.sleep(0.01)
        time.sleep(0.3)  # noqa: ASYNC251  # it sleeps

    finding = only(findings(lambda: beside(sleeper())), "blocked")
    assert finding.line == line_of("it sleeps")
    assert re.fullmatch(
        r"test_diagnosis.py, line \d+ held the loop for 0\.\d{3} s; 3 tasks were ready\. .*", finding.text
    )
    assert "only waited" in finding.text
    assert finding.span.state is IDLING
    assert finding.span.duration >= 0.3


def test_a_computation_holds_the_loop():
    async def computer():
        await asyncio.sleep(0.01)
        compute(0.3)

    finding = only(findings(lambda: beside(computer(), ready=1)), "blocked")
    assert line_of("it computes") - 1 <= finding.line <= line_of("it computes")
    assert "; 1 task was ready" in finding.text
    assert "only waited" not in finding.text


@pytest.mark.long
def test_a_line_that_holds_the_loop_several_times_is_named_once():
    async def sleeper():
        for _ in range(3):
            await asyncio.sleep(0.01)
            time.sleep(0.15)  # noqa: ASYNC251  # again and again

    finding = only(findings(lambda: beside(sleeper(), ready=2)), "blocked")
    assert finding.line == line_of("again and again")
    assert float(re.search(r"held the loop 3 times, ([\d.]+) s in all", finding.text)[1]) >= 3 * 0.15
    assert "at once); up to 2 tasks were ready" in finding.text


async def loop_over_calls():
    for number in range(5):
        await page(number)  # a loop


async def loop_that_keeps_what_it_gets():
    pages = {}
    for number in range(5):
        try:
            got = await page(number)  # a loop that keeps
        except ValueError:
            continue
        pages[number] = got
        print(number, len(pages))


async def list_comprehension():
    return [await page(number) for number in range(5)]  # a comprehension


async def neighbours():
    one = await page(1)  # neighbours
    two = await page(2)
    three = await page(3)
    return one, two, three


async def two_of_three():
    one = await page(1)  # two of three
    two = await page(2)
    three = await page(one + two)
    return one, two, three


async def through_a_resource():
    @asynccontextmanager
    async def client():
        yield page

    async with client() as get:
        for number in range(5):
            await get(number)  # through a resource


async def threads_in_a_row():
    async def load(number):
        await asyncio.to_thread(time.sleep, PAUSE)

    for number in range(4):
        await load(number)  # threads


ROWS = [
    (loop_over_calls, "a loop", "awaited page 5 times"),
    (loop_that_keeps_what_it_gets, "a loop that keeps", "awaited page 5 times"),
    (list_comprehension, "a comprehension", "awaited page 5 times"),
    (neighbours, "neighbours", "awaited page 3 times"),
    (two_of_three, "two of three", "awaited page 2 times"),
    (through_a_resource, "through a resource", "awaited page 5 times"),
    (threads_in_a_row, "threads", "awaited load 4 times"),
]


@pytest.mark.long
@pytest.mark.parametrize(("program", "line", "text"), ROWS, ids=[program.__name__ for program, *_ in ROWS])
def test_calls_in_a_row_could_overlap(program, line, text):
    finding = only(findings(program), "in a row")
    assert finding.line == line_of(line)
    assert text + ", one after the other: " in finding.text
    took, least = (float(figure) for figure in re.findall(r"([\d.]+) s\b", finding.text))
    assert 0 < least < took / 1.5
    assert "gather" in finding.text
    assert finding.span.state is WAITING


@pytest.mark.long
def test_a_client_that_fetches_one_after_the_other(site):
    async def fetch_each():
        async with httpx.AsyncClient() as client:
            for url in site.urls(5):
                await client.get(url)  # httpx

    finding = only(findings(fetch_each), "in a row")
    assert finding.line == line_of("httpx")
    assert "awaited get 5 times" in finding.text


@pytest.mark.long
def test_the_same_row_in_a_few_tasks_is_told_once():
    async def twice():
        await asyncio.gather(loop_over_calls(), loop_over_calls())

    assert "2 times)" in only(findings(twice), "in a row").text


@pytest.mark.long
def test_a_task_that_nobody_awaited():
    async def forgetful():
        asyncio.create_task(page(1, 60), name="forgotten")  # noqa: RUF006
        await asyncio.sleep(0.01)

    assert "forgotten" in only(findings(forgetful), "lost").text


@pytest.mark.long
def test_an_exception_that_nobody_looked_at():
    async def fail():  # it fails
        raise ValueError("too salty")

    async def careless():
        task = asyncio.create_task(fail())
        await asyncio.sleep(0.01)
        return task

    kept = []

    async def main():
        kept.append(await careless())

    finding = only(findings(main), "unnoticed")
    assert finding.line == line_of("it fails")
    assert "ValueError: too salty" in finding.text


@pytest.mark.long
def test_a_cancellation_that_is_swallowed():
    async def stubborn():
        for _ in range(3):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.3)  # it was told here

    async def main():
        task = asyncio.create_task(stubborn(), name="stubborn")
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0.01)

    finding = only(findings(main), "swallowed")
    assert finding.line == line_of("it was told here")
    assert finding.text.startswith("stubborn was asked to cancel at ")


def test_a_coroutine_that_was_never_awaited():
    async def main():
        page(1)  # nobody awaits it

    with pytest.warns(RuntimeWarning, match="never awaited"):
        finding = only(findings(main), "never awaited")
    assert finding.line == line_of("nobody awaits it")
    assert finding.text.startswith("page() at ")


@pytest.mark.long
def test_too_many_at_once():
    async def ask(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        await reader.readline()  # all of them
        writer.close()

    async def main():
        async with echoing(0.2) as port:
            await asyncio.gather(*(ask(port) for _ in range(12)))

    finding = only(findings(main, at_once=8), "too many")
    assert "more than 8" in finding.text
    assert "Semaphore" in finding.text


# --- facts that are made up ------------------------------------------------------------------------------------------


def facts(*, lanes=2, steps=(), waits=(), samples=(), notes=(), ready=()):
    """Facts of a run: `ready` holds stretches (lane, start, end) of READY."""
    columns = list(zip(*ready, strict=True)) or [(), (), ()]
    table = Table(columns[0], [READY] * len(ready), [""] * len(ready), *columns[1:])
    timeline = Timeline([f"task {number}" for number in range(lanes)], table, unit="s")
    return Facts(timeline, set(range(lanes)), list(steps), list(waits), list(samples), list(notes))


def test_nothing_comes_of_nothing():
    assert diagnose(facts(lanes=0)) == []
    assert diagnose(facts(lanes=3)) == []


@pytest.mark.parametrize(
    ("length", "ready", "found"),
    [(0.1, (0.0, 0.1), 1), (0.099, (0.0, 0.1), 0), (1.0, (0.96, 1.5), 0), (1.0, (0.9, 1.5), 1), (1.0, (2.0, 3.0), 0)],
)
def test_a_step_must_be_long_and_another_task_ready(length, ready, found):
    blocker = [TaskStep(0, 0.0, 0.0, length)]
    assert len(diagnose(facts(steps=blocker, ready=[(1, *ready)]))) == found
    assert diagnose(facts(steps=blocker, ready=[(0, *ready)])) == []


def test_where_nobody_could_look_the_line_before_is_named():
    code = compile("\n" * 6 + "async def cook(): await oven()", "kitchen.py", "exec").co_consts[0]
    waits = [Wait(0, 0.0, 0.5, "sleep", (Frame(code, 7, 0, None, 0),), False)]
    steps, ready = [TaskStep(0, 0.5, 0.5, 1.5)], [(1, 0.5, 1.5)]
    (unseen,) = diagnose(facts(steps=steps, waits=waits, ready=ready))
    assert unseen.text.startswith(
        "something at or after kitchen.py, line 7 held the loop for 1.000 s; 1 task was ready"
    )
    late = [Sample(1.49, "kitchen.py", 12, "cook", 1.0)]
    assert diagnose(facts(steps=steps, waits=waits, ready=ready, samples=late))[0].line == 7
    imports = [Sample(1.49, "kitchen.py", 12, "cook", 1.0, waits=IMPORT)]
    (importing,) = diagnose(facts(steps=steps, waits=waits, ready=ready, samples=imports))
    assert importing.text.startswith("kitchen.py, line 12 held the loop") and "imported in there" in importing.text
    often = [Sample(0.5 + tick / 10, "kitchen.py", 9, "cook", tick / 10) for tick in range(10)]
    (seen,) = diagnose(facts(steps=steps, waits=waits, ready=ready, samples=often))
    assert seen.text.startswith("kitchen.py, line 9 held the loop for 1.000 s; 1 task was ready. It computed")
    assert seen.span == Span("task 0", RUNNING, "", 0.5, 1.5)


@pytest.mark.parametrize(("state", "line"), [(IDLING, 12), (RUNNING, 7)])
def test_who_only_waits_is_seen_at_a_single_look(state, line):
    code = compile("\n" * 6 + "async def cook(): await oven()", "kitchen.py", "exec").co_consts[0]
    waits = [Wait(0, 0.0, 0.5, "sleep", (Frame(code, 7, 0, None, 0),), False)]
    looks = [Sample(1.2, "kitchen.py", 12, "cook", None)]
    found = facts(steps=[TaskStep(0, 0.5, 0.5, 1.5)], waits=waits, samples=looks)
    found.timeline = Timeline(
        found.timeline.lanes, Table((0, 1), (state, READY), ("", ""), (0.5, 0.5), (1.5, 1.5), (True, False)), unit="s"
    )
    assert diagnose(found)[0].line == line


def test_of_two_steps_one_in_the_other_the_inner_is_to_blame():
    steps = [TaskStep(1, 0.1, 0.1, 0.9), TaskStep(0, 0.0, 0.0, 1.0)]
    (finding,) = diagnose(facts(lanes=3, steps=steps, ready=[(2, 0.0, 1.0)]))
    assert finding.span.lane == "task 1"


def test_a_row_without_its_source_is_not_judged():
    code = compile("async def cook(): await oven()", "no such file.py", "exec").co_consts[0]
    waits = [
        Wait(0, call, call + 1.0, "socket", (Frame(code, 1, 0, code, call), Frame(code, 1, call + 1, None, 9)), True)
        for call in range(5)
    ]
    assert diagnose(facts(waits=waits)) == []


def test_as_many_at_once_as_are_allowed_and_one_more():
    def waiting(tasks):
        return [Wait(lane, 0.0, 1.0, "socket", (), True) for lane in range(tasks)]

    assert diagnose(facts(lanes=101, waits=waiting(100))) == []
    (finding,) = diagnose(facts(lanes=101, waits=waiting(101)))
    assert "101 tasks" in finding.text
    assert "more than 100" in finding.text
    one_after_the_other = [Wait(lane, lane, lane + 1, "socket", (), True) for lane in range(101)]
    assert diagnose(facts(lanes=101, waits=one_after_the_other)) == []


def test_of_a_library_s_own_tasks_the_line_of_their_maker_is_named():
    code = compile("async def cook(): await oven()", "kitchen.py", "exec").co_consts[0]
    made_up = facts(lanes=102, waits=[Wait(lane, 0.0, 1.0, "socket", (), True) for lane in range(101)])
    made_up.waits.append(Wait(101, 0.0, 1.0, "tasks", (Frame(code, 7, 0, None, 0),), False))
    made_up.timeline.parents.update({f"task {lane}": "task 101" for lane in range(101)})
    (finding,) = diagnose(made_up)
    assert (finding.file, finding.line) == ("kitchen.py", 7)


@pytest.mark.parametrize("kind", ["lost", "left behind", "unnoticed", "never awaited"])
def test_the_same_thing_at_the_same_line_is_told_once(kind):
    notes = [Note(kind, 0, 0.0, "kitchen.py", 4, "cook"), Note(kind, 1, 0.1, "kitchen.py", 4, "cook")]
    elsewhere = Note(kind, None, 0.2, "", 0, "cook")
    one, other = diagnose(facts(notes=[*notes, elsewhere]))
    assert {one.line, other.line} == {0, 4}
    assert any("1 other" in finding.text for finding in (one, other))


@pytest.mark.measured
def test_a_diagnosis_takes_twice_as_long_for_twice_as_much(report):
    whole, half = made_up(10_000), made_up(5_000)
    twice, once = in_turn(7, lambda: cpu(lambda: diagnose(whole)), lambda: cpu(lambda: diagnose(half)))
    held(report, "diagnosis: 10,000 steps and waits, 20,000 samples", Ratio("it / half of it", twice, once, 2.2, 3.5))


def made_up(number):
    """What was seen of a program with so many steps and waits, none of them amiss."""
    tree = ast.parse("async def cook():\n  for dish in menu:\n    await oven(dish)")
    code = compile(tree, __file__, "exec").co_consts[0]
    steps = [TaskStep(lane % 100, lane, lane, lane + 0.5) for lane in range(number)]
    ready = [((lane + 1) % 100, lane, lane + 0.5) for lane in range(number)]
    waits = [
        Wait(call % 100, call, call + 0.5, "socket", (Frame(code, 30, call // 4, code, call),), True)
        for call in range(number)
    ]
    samples = [Sample(tick / 2, "kitchen.py", 3, "cook", 0.0) for tick in range(2 * number)]
    seen = facts(lanes=100, steps=steps, waits=waits, samples=samples, ready=sorted(ready))
    assert len(seen.timeline.spans) > 0
    return seen
