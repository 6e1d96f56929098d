"""Whatever was begun ends: a pool of threads or processes with its block, and a loop that waits hears of an interrupt."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TypeVar

LOOKS_UP = 0.5  # seconds
Pool = TypeVar("Pool", bound=Executor)


@contextmanager
def owned(pool: Pool, interrupt: Callable[[], None]) -> Iterator[Pool]:
    """The pool, ended with the block, however often one interrupts that; `interrupt` is to make its workers end early."""
    problem: BaseException | None = None
    try:
        yield pool
    except BaseException as error:
        problem = error
    while True:
        try:
            if problem:
                interrupt()
            pool.shutdown(cancel_futures=problem is not None)
            break
        except KeyboardInterrupt as impatience:  # they are ending; but none is left to itself
            problem = impatience
    if problem:
        raise problem


@contextmanager
def looking_up() -> Iterator[None]:
    """Inside the block the event loop looks up twice a second, whatever it waits for.

    An interrupt in a notebook asks the loop to cancel the cell, but does not wake it: without this, one that waits for
    silent sites or a long sleep would hear of it when that is over.
    """

    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal timer
        timer = loop.call_later(LOOKS_UP, look)

    loop = asyncio.get_running_loop()
    timer = loop.call_later(LOOKS_UP, look)
    try:
        yield
    finally:
        timer.cancel()
