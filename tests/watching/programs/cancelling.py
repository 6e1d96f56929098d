"""Programs that cancel, time out and fail."""

import asyncio
import gc

from programs import program


async def work(seen, name, delay=0.001):
    seen.append(f"{name} begins")
    await asyncio.sleep(delay)
    seen.append(f"{name} ends")
    return name


async def fail(error, delay=0.0):
    await asyncio.sleep(delay)
    raise error


@program
async def is_cancelled_twice(seen):
    task = asyncio.create_task(work(seen, "a", 5))
    await asyncio.sleep(0)
    seen.append((task.cancel("one"), task.cancel("two"), task.cancelling()))
    await task


@program
async def takes_a_cancellation_back(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            seen.append((error.args, task.cancelling(), task.uncancel(), task.cancelling()))
        async with asyncio.timeout(0.001):
            await asyncio.sleep(5)

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel("back")
    await task


@program
async def is_cancelled_while_it_cleans_up(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        finally:
            seen.append("cleaning")
            await asyncio.sleep(5)

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel("first")
    await asyncio.sleep(0)
    task.cancel("second")
    await task


@program
async def is_cancelled_and_raises_it_anew(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            raise asyncio.CancelledError("anew") from None

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel("old")
    await task


@program
async def cancels_a_gather(seen):
    tasks = [asyncio.create_task(work(seen, name, 5)) for name in "ab"]
    together = asyncio.gather(*tasks)
    await asyncio.sleep(0)
    together.cancel("all of you")
    try:
        await together
    finally:
        seen.append([task.cancelled() for task in tasks])


@program
async def cancels_who_waits_for_a_task(seen):
    inner = asyncio.create_task(work(seen, "inner", 5))

    async def outer():
        await inner

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel("outer")
    try:
        await task
    finally:
        seen.append((inner.cancelled(), inner.cancelling()))


@program
async def cancels_from_a_callback(seen):
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work(seen, "a", 5))
    loop.call_later(0.001, task.cancel, "by a timer")
    await task


@program
async def a_timeout_cleans_up_slowly(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError as error:
            seen.append(error.args)
            await asyncio.sleep(0.001)
            seen.append("clean")
            raise

    await asyncio.wait_for(one(), 0.001)


@program
async def a_timeout_is_caught_within(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return "all the same"

    return await asyncio.wait_for(one(), 0.001)


@program
async def a_timeout_within_a_timeout(seen):
    try:
        async with asyncio.timeout(5) as outer:
            try:
                async with asyncio.timeout(0.001) as inner:
                    await asyncio.sleep(5)
            except TimeoutError:
                seen.append((inner.expired(), outer.expired()))
                raise KeyError("after it") from None
    finally:
        seen.append(repr(outer))


@program
async def a_timeout_that_is_past(seen):
    async with asyncio.timeout_at(asyncio.get_running_loop().time() - 1):
        seen.append("begins")
        await asyncio.sleep(0)
        seen.append("not here")


@program
async def a_timeout_meets_a_cancellation(seen):
    async def one():
        async with asyncio.timeout(0.001):
            await asyncio.sleep(5)

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel("quicker")
    await task


@program
async def a_failing_member_cancels_the_body_of_its_group(seen):
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("member")))
            await asyncio.sleep(5)
    finally:
        seen.append(asyncio.current_task().cancelling())


@program
async def a_group_whose_body_fails(seen):
    async with asyncio.TaskGroup() as group:
        group.create_task(work(seen, "a", 5))
        await asyncio.sleep(0)
        raise KeyError("body")


@program
async def a_group_within_a_failing_group(seen):
    async def inner():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("inner")))
            group.create_task(work(seen, "a", 5))

    async with asyncio.TaskGroup() as group:
        group.create_task(inner())
        group.create_task(fail(KeyError("outer"), 5))


@program
async def a_group_is_used_when_it_is_over(seen):
    async with asyncio.TaskGroup() as group:
        pass
    coroutine = work(seen, "a")
    try:
        group.create_task(coroutine)
    finally:
        coroutine.close()


@program
async def members_fail_while_they_are_cancelled(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        finally:
            raise KeyError("while cancelled")

    async with asyncio.TaskGroup() as group:
        group.create_task(one())
        group.create_task(fail(ValueError("first")))


@program
async def fails_in_a_chain(seen):
    async def deep(levels):
        if levels:
            return await deep(levels - 1)
        return await asyncio.create_task(fail(LookupError("deep", 1)))

    async def shallow():
        try:
            await deep(3)
        except LookupError as error:
            raise RuntimeError("shallow") from error

    await asyncio.create_task(shallow())


@program
async def fails_twice_with_the_same_error(seen):
    error = ValueError("the same")
    first, second = await asyncio.gather(fail(error), fail(error), return_exceptions=True)
    seen.append(first is second is error)
    raise error


@program
async def asks_a_failed_task_again(seen):
    task = asyncio.create_task(fail(ValueError("again")))
    await asyncio.wait([task])
    for _ in range(2):
        try:
            task.result()
        except ValueError as error:
            seen.append(error is task.exception())
    await task


@program
async def a_member_of_its_own_kind_of_error(seen):
    class Own(BaseException):
        def __init__(self, code, *, why):
            super().__init__(code)
            self.why = why

    async def one():
        raise Own(4, why="so")

    try:
        await asyncio.create_task(one())
    except Own as error:
        return error.args, error.why, type(error.__context__)


@program
async def an_error_that_cannot_speak(seen):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("mute")

        __repr__ = object.__repr__

    try:
        await asyncio.create_task(fail(Mute()))
    except Mute as error:
        return type(error).__name__


@program
async def interrupts_from_a_task(seen):
    async def one():
        raise KeyboardInterrupt("by hand")

    asyncio.create_task(one())  # noqa: RUF006
    await asyncio.sleep(5)


@program
async def shields_from_a_cancellation(seen):
    inner = asyncio.create_task(work(seen, "inner", 0.05))

    async def outer():
        await asyncio.shield(inner)

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel("outer only")
    try:
        await task
    except asyncio.CancelledError as error:
        seen.append(error.args)
    return await inner


@program
async def a_shielded_task_fails_unseen(seen):
    cancelled = asyncio.Event()

    async def inner():
        await cancelled.wait()
        raise ValueError("unseen")

    async def outer():
        await asyncio.shield(inner())

    task = asyncio.create_task(outer())
    await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    cancelled.set()
    await asyncio.sleep(0.001)
    del task
    gc.collect()


@program
async def swallows_every_cancellation(seen):
    async def one():
        for _ in range(3):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError as error:
                seen.append(error.args)
        return "done"

    task = asyncio.create_task(one())
    for number in range(3):
        await asyncio.sleep(0)
        task.cancel(number)
    return await task, task.cancelling()
