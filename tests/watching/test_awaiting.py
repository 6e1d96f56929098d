"""What a suspended coroutine waits for and where, read off the objects: no loop is watched, and hardly any runs."""

import asyncio
import gc
import inspect
import socket
from types import coroutine

import pytest

from kitchen.watching.awaiting import Awaiting
from kitchen.watching.facts import frames


@coroutine
def until_told():
    """Stands for a future: whoever awaits it is suspended at once."""
    return (yield "a future")


def suspended(function, *arguments):
    """A coroutine that has begun, and what it is waiting for."""
    running = function(*arguments)
    return running, running.send(None)


def line_of(function, text):
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


async def inner():
    await until_told()


async def outer():
    await inner()


def test_the_frames_are_the_readers_from_the_outermost_to_the_innermost():
    running, awaited = suspended(outer)
    place, numbers = Awaiting().look([], running, awaited)
    first, second = [frame for frame in frames(place, numbers) if frame.code is not until_told.__code__][:2]
    assert (first.code, first.line, first.callee) == (outer.__code__, line_of(outer, "await inner"), inner.__code__)
    assert (second.code, second.line) == (inner.__code__, line_of(inner, "await until_told"))
    running.close()


def test_one_invocation_keeps_its_number_and_a_new_one_has_its_own():
    async def twice():
        await until_told()
        await until_told()
        await inner()
        await inner()

    looks, memory, (running, awaited) = Awaiting(), [], suspended(twice)
    seen = []
    for _ in range(4):
        place, numbers = looks.look(memory, running, awaited)
        seen.append(frames(place, numbers))
        try:
            awaited = running.send(None)
        except StopIteration:
            break
    assert len({waited[0].number for waited in seen}) == 1  # one invocation of `twice`
    assert len({waited[0].call for waited in seen}) == 4  # which awaits four calls, one after the other
    assert seen[2][1].code is seen[3][1].code is inner.__code__
    assert seen[2][1].number != seen[3][1].number


def test_two_waits_at_one_spot_share_their_place():
    looks = Awaiting()
    (one, first), (other, second) = suspended(outer), suspended(outer)
    assert looks.look([], one, first)[0] is looks.look([], other, second)[0]
    one.close()
    other.close()


async def through_a_generator():
    async def numbers():
        await inner()
        yield 1

    async for _ in numbers():
        pass


def test_what_stands_between_is_looked_through():
    running, awaited = suspended(through_a_generator)
    place, _ = Awaiting().look([], running, awaited)
    assert [code.co_name for code, *_ in place.spots][:3] == ["through_a_generator", "numbers", "inner"]
    running.close()


async def sleeps():
    await asyncio.sleep(10)


async def locks():
    lock = asyncio.Lock()
    for _ in range(2):
        await lock.acquire()


async def conditions():
    async with (condition := asyncio.Condition()):
        await condition.wait()


async def events():
    await asyncio.Event().wait()


async def queues():
    await asyncio.Queue().get()


async def groups():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(10))


async def gathers():
    await asyncio.gather(asyncio.sleep(10), asyncio.sleep(10))


async def joins():
    await asyncio.create_task(asyncio.sleep(10), name="other")


async def a_future():
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("program", "kind", "said"),
    [
        (sleeps, "sleep", "sleep"),
        (locks, "lock", "lock"),
        (conditions, "condition", "condition"),
        (events, "event", "event"),
        (queues, "queue", "queue"),
        (groups, "tasks", "tasks"),
        (gathers, "tasks", "tasks"),
        (joins, "task", "task other"),
        (a_future, "future", "future"),
    ],
)
def test_a_wait_has_its_kind_and_says_at_which_line(program, kind, said):
    async def main():
        task = asyncio.create_task(program())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        place, _ = Awaiting().look([], task.get_coro(), task._fut_waiter)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return place

    place = asyncio.run(main())
    assert (place.kind, place.outside) == (kind, False)
    code, line, _ = place.spots[-1]
    assert code is program.__code__ and place.label == f"{said}, test_awaiting.py, line {line}"


def test_looking_leaves_nothing_behind_in_the_frames_that_are_looked_at():
    async def main():
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            task = asyncio.create_task(asyncio.get_running_loop().sock_recv(near, 1))
            await asyncio.sleep(0)
            place, numbers = Awaiting().look([], task.get_coro(), task._fut_waiter)
            known = [thing for thing in gc.get_referrers(task._fut_waiter) if type(thing) is dict]
            task.cancel()
        return place.kind, len(numbers), known

    assert asyncio.run(main()) == ("socket", 1, [])
