"""What is said when tasks wait for each other for good; and that waiting for somebody who goes on is no hang."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest

from kitchen.watching.hangs import _advice
from kitchen.watching.watch import watch


def line_of(text):
    with open(__file__, encoding="utf-8") as file:
        (number,) = [number for number, line in enumerate(file, 1) if line.rstrip().endswith("#" + " " + text)]
    return number


def run_watched(program):
    async def main():
        run = watch()
        with suppress(TimeoutError):
            async with run:
                await program()
        return run

    return asyncio.run(main())


def hang(program):
    (finding,) = [finding for finding in run_watched(program).findings if finding.kind == "hang"]
    return finding


async def move(one, other):
    async with one:
        await asyncio.sleep(0.02)
        async with other:  # each wants the other
            await asyncio.sleep(0.02)


def test_two_that_have_what_the_other_wants():
    async def program():
        knife, board = asyncio.Lock(), asyncio.Lock()
        async with asyncio.timeout(0.4), asyncio.TaskGroup() as group:
            group.create_task(move(knife, board), name="salad")
            group.create_task(move(board, knife), name="bread")

    finding = hang(program)
    assert finding.line == line_of("each wants the other")
    assert "salad at test_hangs.py, line " in finding.text
    assert "bread at test_hangs.py, line " in finding.text
    assert "waited for each other" in finding.text


async def move_in_short(one, other):
    async with one:
        await asyncio.sleep(0.02)
        async with other: await asyncio.sleep(0.02)  # fmt: skip  # noqa: E701


def test_who_waits_for_a_lock_does_not_hold_it_though_its_block_stands_in_the_same_line():
    async def program():
        knife, board = asyncio.Lock(), asyncio.Lock()
        async with asyncio.timeout(0.4), asyncio.TaskGroup() as group:
            group.create_task(move_in_short(knife, board))
            group.create_task(move_in_short(board, knife))

    assert "waited for each other" in hang(program).text


def test_a_lock_taken_twice():
    class Account:
        def __init__(self):
            self.lock = asyncio.Lock()

        async def pay(self):
            async with self.lock:
                await self.look()

        async def look(self):
            async with self.lock:  # twice
                await asyncio.sleep(0)

    async def program():
        async with asyncio.timeout(0.4):
            await asyncio.create_task(Account().pay(), name="payer")

    finding = hang(program)
    assert finding.line == line_of("twice")
    assert finding.text.startswith("payer waited at test_hangs.py, line ")
    assert "holds itself" in finding.text


def test_a_task_that_wants_the_lock_of_who_awaits_it_is_to_be_awaited_later():
    lock = asyncio.Lock()

    async def child():
        async with lock:
            pass

    async def parent():
        async with lock:
            await asyncio.create_task(child())

    async def program():
        async with asyncio.timeout(0.3):
            await asyncio.create_task(parent())

    text = hang(program).text
    assert "Await the task after the lock is released" in text
    assert "same order" not in text


def test_of_tasks_that_await_each_other_one_must_not():
    task = SimpleNamespace(wants=None)  # Python itself cannot cancel them
    assert _advice([task, task]) == "One of them must not await the other."


def test_a_process_that_wait_for_waits_for():
    async def program():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print('x' * 1_000_000)", stdout=asyncio.subprocess.PIPE
        )
        with suppress(TimeoutError):
            while not process.stdout._paused:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await asyncio.wait_for(process.wait(), 0.3)  # in wait_for
        process.kill()
        await process.communicate()

    finding = hang(program)
    assert finding.line == line_of("in wait_for")
    assert "pipe is full" in finding.text


def test_a_pipe_that_nobody_empties():
    async def program():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print('x' * 1_000_000)", stdout=asyncio.subprocess.PIPE
        )
        try:
            cleaner = asyncio.create_task(end_of(process), name="cleaner")
            while not process.stdout._paused:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            async with asyncio.timeout(0.3):
                await cleaner
        finally:
            process.kill()
            await process.communicate()

    async def end_of(process):
        await process.wait()  # it is full

    finding = hang(program)
    assert finding.line == line_of("it is full")
    assert "pipe is full" in finding.text


def test_nobody_is_left_to_wake_the_others():
    async def program():
        never = asyncio.Event()

        async def wait():
            await never.wait()  # never set

        async with asyncio.timeout(0.3), asyncio.TaskGroup() as group:
            group.create_task(wait(), name="guest")

    finding = hang(program)
    assert "guest for a event at" not in finding.text
    assert "guest for an event at test_hangs.py, line " in finding.text


def test_a_place_that_nobody_gives_back():
    async def program():
        places = asyncio.Semaphore(2)

        async def take():
            await places.acquire()  # and keep

        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.gather(take(), take(), take())

    async def alone():
        places = asyncio.Semaphore(1)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                for _ in range(2):
                    await places.acquire()  # in the block itself

    assert hang(alone).line == line_of("in the block itself")
    finding = hang(program)
    assert finding.line == line_of("and keep")
    assert "for a semaphore at test_hangs.py, line " in finding.text


async def sent_home_by_who_has_the_lock():
    lock = asyncio.Lock()

    async def want():
        async with lock:
            pass

    async with lock:
        tasks = [asyncio.create_task(want()) for _ in range(2)]
        await asyncio.sleep(0.15)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def who_goes_on_after_a_while():
    knife, board = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(move(knife, board), move(knife, board), move(knife, board))


async def a_timeout_while_another_works():
    lock = asyncio.Lock()

    async def work():
        async with lock:
            await asyncio.sleep(0.3)

    async def impatient():
        with suppress(TimeoutError):
            async with asyncio.timeout(0.15), lock:
                pass

    await asyncio.gather(work(), impatient())


async def is_it_busy(guard, wait_for=False):
    release = asyncio.Event()

    async def have():
        async with guard:
            await release.wait()

    async def want():
        async with guard:
            pass

    holders = [asyncio.create_task(have()) for _ in range(getattr(guard, "_value", 1))]
    await asyncio.sleep(0.01)
    with suppress(TimeoutError):
        if wait_for:
            await asyncio.wait_for(want(), 0.15)
        async with asyncio.timeout(0.15):
            await want()
    release.set()
    await asyncio.gather(*holders)


async def a_lock_that_is_busy():
    await is_it_busy(asyncio.Lock())


async def a_lock_that_is_busy_for_another():
    await is_it_busy(asyncio.Lock(), wait_for=True)


async def a_pool_that_is_empty():
    await is_it_busy(asyncio.Semaphore(2))


async def a_pool_that_is_given_back_later():
    pool = asyncio.Semaphore(1)
    await pool.acquire()
    try:
        await asyncio.wait_for(pool.acquire(), 0.15)
    except TimeoutError:
        print("it is empty")
    pool.release()
    await asyncio.wait_for(pool.acquire(), 0.15)


async def workers_that_get_their_work_when_others_are_tired_of_waiting():
    slots, queue, done = asyncio.Semaphore(1), asyncio.Queue(), asyncio.Event()

    async def work():
        async with slots:
            await queue.get()

    workers = [asyncio.create_task(work()) for _ in range(2)]
    for number in range(2):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.12):
                await done.wait()
        queue.put_nowait(number)
    await asyncio.gather(*workers)


async def workers_that_are_sent_home():
    queue = asyncio.Queue()

    async def work():
        while True:
            await queue.get()
            queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(3)]
    queue.put_nowait(1)
    await queue.join()
    await asyncio.sleep(0.15)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def a_consumer_that_ends_when_nothing_comes():
    queue = asyncio.Queue()
    with suppress(TimeoutError):
        await asyncio.wait_for(queue.get(), 0.2)


async def a_process_that_is_read():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print('x' * 1_000_000)", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert len(out) > 1_000_000


@pytest.mark.parametrize(
    "program",
    [
        who_goes_on_after_a_while,
        sent_home_by_who_has_the_lock,
        a_timeout_while_another_works,
        a_lock_that_is_busy,
        a_lock_that_is_busy_for_another,
        a_pool_that_is_empty,
        a_pool_that_is_given_back_later,
        workers_that_get_their_work_when_others_are_tired_of_waiting,
        workers_that_are_sent_home,
        a_consumer_that_ends_when_nothing_comes,
        a_process_that_is_read,
    ],
)
def test_nothing_is_said_where_somebody_goes_on(program):
    assert "hang" not in {finding.kind for finding in run_watched(program).findings}


AFTER_A_WORD = "import os, signal, sys; sys.stdin.read(); os.kill(int(sys.argv[1]), signal.SIGTERM)"


@pytest.mark.parametrize("waker", ["a thread", "a signal"])
def test_whom_a_thread_or_a_signal_may_wake_is_not_left_alone(waker):
    async def program():
        loop, lock, event = asyncio.get_running_loop(), asyncio.Lock(), asyncio.Event()

        async def flush():
            async with lock:
                await event.wait()

        async def asks(then):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2), lock:
                    pass
            then()

        if waker == "a thread":
            asked = threading.Event()
            thread = threading.Thread(target=lambda: asked.wait(60) and loop.call_soon_threadsafe(event.set))
            thread.start()
            await asyncio.gather(flush(), asks(asked.set))
            thread.join()
        else:
            loop.add_signal_handler(signal.SIGTERM, event.set)
            command = [sys.executable, "-c", AFTER_A_WORD, str(os.getpid())]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as other:  # noqa: ASYNC220
                await asyncio.gather(flush(), asks(other.stdin.close))
            loop.remove_signal_handler(signal.SIGTERM)

    if waker == "a signal" and sys.platform == "win32":
        pytest.skip("a loop cannot be told of signals there")
    assert [finding for finding in run_watched(program).findings if finding.kind == "hang"] == []


def test_a_block_that_gives_up_by_its_own_timeout_does_not_hang():
    async def program():
        async with asyncio.timeout(0.3):
            await asyncio.Event().wait()

    assert run_watched(program).findings == []


async def nothing_comes():
    await asyncio.Event().wait()  # interrupted


async def each_waits_for_the_other():
    one, other = asyncio.Event(), asyncio.Event()

    async def guest(mine, yours):
        await mine.wait()  # interrupted there
        yours.set()

    await asyncio.gather(guest(one, other), guest(other, one))


async def works():
    await asyncio.sleep(10)


async def works_for_others():
    queue = asyncio.Queue()
    task = asyncio.create_task(queue.get())
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.15)  # and only then asyncio.run ends the others
        assert not task.done()


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal does not wake the loop")
@pytest.mark.parametrize(
    ("program", "text"),
    [
        (nothing_comes, "interrupted"),
        (each_waits_for_the_other, "interrupted there"),
        (works, ""),
        (works_for_others, ""),
    ],
)
def test_a_program_that_is_interrupted_with_its_loop_was_hung_if_nobody_was_left(program, text):
    async def main():
        asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGINT)
        await program()

    with pytest.raises(KeyboardInterrupt), watch() as run:
        asyncio.run(main())
    found = [finding.line for finding in run.findings if finding.kind == "hang"]
    assert found == ([line_of(text)] if text else [])
