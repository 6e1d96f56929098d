"""Too many at once, for what is outside and for the threads of the loop's executor; and threads that fail unheard."""

import asyncio
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from kitchen.watching.watch import watch


def run_watched(program, **options):
    async def main():
        async with watch(**options) as run:
            await program()
        return run

    return asyncio.run(main())


def wait():
    time.sleep(0.3)  # long enough to count as queueing, though this computer may stall


def compute():
    end = time.thread_time() + 0.06
    while time.thread_time() < end:
        sum(range(300))


def fail():
    raise ValueError("too salty")


async def in_few_threads(function, times, threads=2):
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))
    await asyncio.gather(*(asyncio.to_thread(function) for _ in range(times)))


def test_jobs_that_queue_for_a_thread():
    run = run_watched(lambda: in_few_threads(wait, 8))
    (finding,) = [finding for finding in run.findings if finding.kind == "executor full"]
    assert "6 jobs" in finding.text
    assert "test_crowds.py, line " in finding.text
    assert "ThreadPoolExecutor with more threads" in finding.text


async def gathered(loop):
    await asyncio.gather(*(loop.run_in_executor(None, wait) for _ in range(8)))  # here


async def kept_in_a_list(loop):
    jobs = []
    for _ in range(8):
        jobs.append(loop.run_in_executor(None, wait))  # here
    for job in jobs:
        await job


async def each_in_a_task(loop):
    tasks = [asyncio.create_task(asyncio.to_thread(wait)) for _ in range(8)]
    await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)  # here


@pytest.mark.long
@pytest.mark.parametrize("hand_over", [gathered, kept_in_a_list, each_in_a_task])
def test_the_line_is_told_at_which_jobs_are_handed_over_however_that_is_done(hand_over):
    async def program():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))
        await hand_over(loop)

    lines, first = inspect.getsourcelines(hand_over)
    [here] = [first + at for at, line in enumerate(lines) if "# here" in line]
    (finding,) = [finding for finding in run_watched(program).findings if finding.kind == "executor full"]
    assert finding.line == here and finding.span is not None
    assert f" for a thread at test_crowds.py, line {here} had to queue" in finding.text


@pytest.mark.parametrize(
    ("function", "times", "threads"),
    [
        pytest.param(wait, 2, 2, id="enough threads"),
        pytest.param(wait, 4, 1, id="one thread on purpose", marks=pytest.mark.long),
        pytest.param(compute, 6, 2, id="threads that compute", marks=pytest.mark.measured),
    ],
)
def test_nothing_is_said_where_more_threads_would_not_help(function, times, threads):
    run = run_watched(lambda: in_few_threads(function, times, threads))
    assert "executor full" not in {finding.kind for finding in run.findings}


def test_a_job_that_fails_unheard():
    async def program():
        asyncio.get_running_loop().run_in_executor(None, fail)
        await asyncio.sleep(0.1)

    (finding,) = run_watched(program).findings
    assert finding.kind == "unnoticed"
    assert finding.text.startswith("fail failed: ValueError: too salty, in a thread, from test_crowds.py, line ")


def test_a_job_that_fails_while_its_future_is_kept():
    kept = []

    async def program():
        kept.append(asyncio.get_running_loop().run_in_executor(None, fail))
        await asyncio.sleep(0.1)

    run = run_watched(program)
    assert [finding.kind for finding in run.findings] == ["unnoticed"]
    assert isinstance(kept[0].exception(), ValueError)
    assert run.findings == []


async def a_thread_that_dies():
    thread = threading.Thread(target=fail, name="cellar")
    thread.start()
    await asyncio.sleep(0.05)
    thread.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_unheard():
    (finding,) = run_watched(a_thread_that_dies).findings
    assert finding.kind == "unnoticed"
    assert finding.text.startswith("cellar died of ValueError: too salty, at test_crowds.py, line ")


async def a_job_that_is_awaited():
    with suppress(ValueError):
        await asyncio.to_thread(fail)
    await asyncio.gather(asyncio.to_thread(fail), return_exceptions=True)


async def a_thread_that_ends_well():
    def leave():
        raise SystemExit

    for target in (wait, leave):
        thread = threading.Thread(target=target)
        thread.start()
        await asyncio.to_thread(thread.join)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # pytest takes SystemExit for one
@pytest.mark.parametrize("program", [a_job_that_is_awaited, a_thread_that_ends_well])
def test_nothing_is_said_of_threads_that_are_heard(program):
    before = threading.excepthook
    assert run_watched(program).findings == []
    assert threading.excepthook is before


def test_a_thread_whose_death_the_programs_own_hook_hears_of_was_heard(monkeypatch):
    heard = []
    monkeypatch.setattr(threading, "excepthook", lambda death: heard.append(death.exc_type))
    assert run_watched(a_thread_that_dies).findings == []
    assert heard == [ValueError]


async def _ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello\n")
    await reader.readline()
    writer.close()


async def _crowd(ask):
    async def answer(reader, writer):
        with suppress(ConnectionError):
            line = await reader.readline()
            await asyncio.sleep(0.2)
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*(ask(port) for _ in range(12)))
    server.close()


def test_a_semaphore_of_each_call_s_own_is_called_one():
    async def ask(port):
        limit = asyncio.Semaphore(3)
        async with limit:
            await _ask(port)

    (finding,) = [
        finding for finding in run_watched(lambda: _crowd(ask), at_once=8).findings if finding.kind == "too many"
    ]
    assert "make one for all" in finding.text


@pytest.mark.parametrize("seconds", [None, 5])
def test_what_serves_those_who_connect_is_not_counted(seconds):
    async def program():
        async def answer(reader, writer):
            while await asyncio.wait_for(reader.readline(), seconds):
                pass
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(8)]
            await asyncio.sleep(0.05)
            for writer in writers:
                writer.close()
            await asyncio.sleep(0.01)

    assert "too many" not in {finding.kind for finding in run_watched(program, at_once=4).findings}


def test_what_a_server_asks_others_for_is_counted():
    async def program():
        async def answer(reader, writer):
            await asyncio.gather(*(_ask(port) for _ in range(12)))
            writer.close()

        async def back(reader, writer):
            line = await reader.readline()
            await asyncio.sleep(0.1)
            writer.write(line)
            writer.close()

        behind = await asyncio.start_server(back, "127.0.0.1")
        port = behind.sockets[0].getsockname()[1]
        server = await asyncio.start_server(answer, "127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        await reader.read()
        writer.close()
        server.close()
        behind.close()
        await asyncio.sleep(0.01)

    (finding,) = [finding for finding in run_watched(program, at_once=8).findings if finding.kind == "too many"]
    assert finding.text.startswith("13 tasks waited")  # and who asked for it


def test_a_semaphore_of_all_is_enough():
    async def program():
        limit = asyncio.Semaphore(3)

        async def ask(port):
            async with limit:
                await _ask(port)

        await _crowd(ask)

    assert run_watched(program, at_once=8).findings == []
