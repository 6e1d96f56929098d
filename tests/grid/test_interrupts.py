"""Whatever was begun ends, in whatever way its block ends."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kitchen import interrupts
from kitchen.interrupts import looking_up, owned


@pytest.fixture
def release():
    """An event for which jobs wait; set at the end, so that no test can hang by it."""
    event = threading.Event()
    yield event
    event.set()


def test_a_pool_has_done_everything_when_its_block_ends():
    interrupted = []
    with owned(ThreadPoolExecutor(2), lambda: interrupted.append(True)) as pool:
        futures = [pool.submit(pow, 2, number) for number in range(10)]
    assert [future.result() for future in futures] == [2**number for number in range(10)]
    assert interrupted == []
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(print)


def test_when_the_block_fails_its_workers_are_told_and_what_has_not_begun_is_cancelled(release):
    with pytest.raises(ZeroDivisionError), owned(ThreadPoolExecutor(1), release.set) as pool:
        under_way, queued = pool.submit(release.wait), pool.submit(print)
        1 / 0  # noqa: B018
    assert under_way.result() is True
    assert queued.cancelled()


@pytest.mark.parametrize("fails", [True, False], ids=["failing", "done"])
def test_an_interrupt_while_the_pool_ends_does_not_leave_it_to_itself(release, fails):
    """Ctrl-C once more: it is what the block ends with, when all workers are gone."""

    class Impatient(ThreadPoolExecutor):
        def shutdown(self, **options):
            shutdowns.append(options)
            if len(shutdowns) < 3:
                raise KeyboardInterrupt
            super().shutdown(**options)

    shutdowns = []
    with pytest.raises(KeyboardInterrupt), owned(Impatient(1), release.set) as pool:
        under_way = pool.submit(release.wait, None if fails else 0)
        if fails:
            raise ValueError
    assert under_way.done()
    assert [options["cancel_futures"] for options in shutdowns] == [fails, True, True]


def test_a_loop_that_only_waits_hears_of_a_cancellation_that_does_not_wake_it(monkeypatch):
    monkeypatch.setattr(interrupts, "LOOKS_UP", 0.01)

    async def waits_for_ever():
        task = asyncio.current_task()
        with looking_up():
            threading.Timer(0.05, task.cancel).start()  # as a notebook's interrupt does: nobody wakes the loop
            await asyncio.get_running_loop().create_future()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(waits_for_ever())


def test_after_the_block_the_loop_looks_up_no_more(monkeypatch):
    class Timers(asyncio.SelectorEventLoop):
        def call_later(self, delay, callback, *args, **options):
            timers.append(super().call_later(delay, callback, *args, **options))
            if len(timers) == 4:
                looked_up.set()
            return timers[-1]

    timers, looked_up = [], asyncio.Event()
    monkeypatch.setattr(interrupts, "LOOKS_UP", 0.001)

    async def waits_a_while():
        async with asyncio.timeout(60):
            with looking_up():
                await looked_up.wait()

    with asyncio.Runner(loop_factory=Timers) as runner:
        runner.run(waits_a_while())
    *gone_off, last = timers
    assert last.cancelled()
    assert not any(timer.cancelled() for timer in gone_off)
