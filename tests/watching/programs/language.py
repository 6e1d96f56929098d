"""Programs that use what the language has: generators, comprehensions, context managers, context variables, awaitables."""

import asyncio
import contextlib
import contextvars
import gc
import types

from programs import program

variable = contextvars.ContextVar("another", default="unset")


async def numbers(seen, upto=3):
    try:
        for number in range(upto):
            await asyncio.sleep(0)
            yield number
    finally:
        seen.append("generator closed")


@program
async def comprehends_asynchronously(seen):
    squares = [number * number async for number in numbers(seen)]
    awaited = {await asyncio.sleep(0, key): key async for key in numbers(seen) if key}
    return squares, awaited, [value async for value in (number async for number in numbers(seen))]


@program
async def leaves_a_generator_unfinished(seen):
    async for number in numbers(seen, 10):
        if number == 2:
            break
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen.append("afterwards")


@program
async def leaves_a_generator_to_the_end_of_the_loop(seen):
    seen.kept = numbers(seen, 10)
    return await anext(seen.kept)


@program
async def a_generator_in_a_task_of_its_own(seen):
    values = numbers(seen, 10)
    first = await asyncio.create_task(values.asend(None))
    second = await asyncio.create_task(values.asend(None))
    await asyncio.create_task(values.aclose())
    return first, second


@program
async def a_generator_is_cancelled(seen):
    async def consume():
        async for number in numbers(seen, 10**9):
            seen.append(number)
            if number == 1:
                asyncio.current_task().cancel("inside")

    await asyncio.create_task(consume())


@program
async def a_generator_fails(seen):
    async def failing():
        yield 1
        raise LookupError("in the generator")

    async def consume():
        return [number async for number in failing()]

    await asyncio.create_task(consume())


@program
async def manages_contexts(seen):
    @contextlib.asynccontextmanager
    async def place(name):
        seen.append(f"enters {name}")
        await asyncio.sleep(0)
        try:
            yield name
        except KeyError as error:
            seen.append(repr(error))
        finally:
            await asyncio.sleep(0)
            seen.append(f"leaves {name}")

    async def one():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(place("a"))
            await stack.enter_async_context(place("b"))
            raise KeyError("inside")
        return "here"

    return await asyncio.create_task(one())


@program
async def a_context_manager_that_awaits_in_a_failing_exit(seen):
    class Place:
        async def __aenter__(self):
            return self

        async def __aexit__(self, kind, error, frames):
            await asyncio.sleep(0)
            raise RuntimeError("exit") from error

    async def one():
        async with Place():
            raise KeyError("inside")

    await asyncio.create_task(one())


@program
async def counts_context_variables(seen):
    async def count():
        return len(contextvars.copy_context()), sorted(each.name for each in contextvars.copy_context())

    variable.set("set")
    return await count(), await asyncio.create_task(count()), await asyncio.gather(count(), count())


@program
async def context_variables_stay_in_their_task(seen):
    async def one(name):
        variable.set(name)
        await asyncio.sleep(0.001)
        seen.append(variable.get())
        token = variable.set("again")
        variable.reset(token)
        return variable.get()

    return await asyncio.gather(one("a"), one("b")), variable.get()


@program
async def callbacks_have_contexts(seen):
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    variable.set("mine")
    loop.call_soon(lambda: seen.append(variable.get()))
    loop.call_soon(lambda: seen.append(variable.get()), context=context)
    loop.call_later(0.001, lambda: (seen.append(variable.get()), done.set()), context=context)
    task = asyncio.create_task(asyncio.sleep(0))
    task.add_done_callback(lambda _: seen.append(variable.get()), context=context)
    await done.wait()


@program
async def a_task_in_a_context_twice(seen):
    context = contextvars.copy_context()

    async def one(name):
        seen.append((name, variable.get()))
        variable.set(name)

    await asyncio.create_task(one("a"), context=context)
    await asyncio.create_task(one("b"), context=context)
    return context[variable], variable.get()


@program
async def sends_itself_values_by_hand(seen):
    @types.coroutine
    def twice():
        seen.append((yield))
        seen.append((yield))
        return "both"

    async def one():
        return await twice(), await asyncio.sleep(0, "slept")

    return await asyncio.create_task(one())


@program
async def yields_what_no_loop_understands(seen):
    @types.coroutine
    def odd():
        yield "nonsense"

    async def one():
        await odd()

    await asyncio.create_task(one())


@program
async def awaits_itself(seen):
    async def one():
        await asyncio.current_task()

    await asyncio.create_task(one())


@program
async def awaits_a_coroutine_twice(seen):
    async def one():
        return 1

    coroutine = one()
    seen.append(await coroutine)
    await coroutine


@program
async def awaits_a_future_of_its_own_kind(seen):
    class Future(asyncio.Future):
        pass

    future = Future()
    asyncio.get_running_loop().call_later(0.001, future.set_result, "own")

    async def one():
        return await future

    return await asyncio.create_task(one())


@program
async def a_coroutine_of_its_own_kind(seen):
    from collections.abc import Coroutine

    class Once(Coroutine):
        def __init__(self):
            self.sent = 0

        def send(self, value):
            self.sent += 1
            if self.sent > 2:
                raise StopIteration(self.sent)

        def throw(self, *problem):
            raise problem[-1]

        def close(self):
            seen.append("closed")

        def __await__(self):
            return self

    return await asyncio.create_task(Once())


@program
async def recurses_deeply(seen):
    async def down(depth):
        return await down(depth - 1) + 1 if depth else await asyncio.sleep(0, 0)

    return await asyncio.create_task(down(200))
