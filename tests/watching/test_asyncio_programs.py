"""Asyncio programs of the kind that people write, each run as it is and watched: nothing that it can notice may differ."""

import asyncio
import contextvars
import functools
import gc
import logging
import re
import sys
import threading
import traceback
import types
import warnings
from pathlib import Path

import pytest
from programs import PROGRAMS, cancelling, language, loops, networks, program

from kitchen.watching.watch import watch

KITCHEN = str(Path(sys.modules["kitchen"].__file__).parent)
ELSEWHERE = [cancelling, language, loops, networks]  # more programs
variable = contextvars.ContextVar("variable", default=0)


async def work(seen, name, delay=0.001, result=None):
    seen.append(f"{name} begins")
    await asyncio.sleep(delay)
    seen.append(f"{name} ends")
    return result


async def fail(delay=0.001, error=ValueError):
    await asyncio.sleep(delay)
    raise error("no")


@program
async def gathers(seen):
    return await asyncio.gather(*(work(seen, name, result=name) for name in "abc"))


@program
async def gathers_a_failure(seen):
    return await asyncio.gather(work(seen, "a"), fail(), work(seen, "b"))


@program
async def gathers_failures_as_results(seen):
    return [repr(result) for result in await asyncio.gather(work(seen, "a"), fail(), return_exceptions=True)]


@program
async def groups_tasks(seen):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(seen, name, result=name), name=name) for name in "abc"]
    return [(task.get_name(), task.result()) for task in tasks]


@program
async def a_group_fails(seen):
    async with asyncio.TaskGroup() as group:
        group.create_task(fail(0))  # both in one round of the loop, on a busy computer, too
        group.create_task(fail(0, KeyError))
        group.create_task(work(seen, "a", 1))


@program
async def groups_within_groups(seen):
    async with asyncio.TaskGroup() as outer:
        outer.create_task(work(seen, "outer"))
        async with asyncio.TaskGroup() as inner:
            inner.create_task(work(seen, "inner"))
        seen.append("inner is over")


@program
async def a_group_is_cancelled(seen):
    async def group():
        async with asyncio.TaskGroup() as group:
            group.create_task(work(seen, "a", 5))

    task = asyncio.create_task(group())
    await asyncio.sleep(0.002)
    task.cancel("enough")
    await task


@program
async def handles_exception_groups(seen):
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(fail(error=KeyError))
    except* ValueError as errors:
        seen.append(repr(errors.exceptions))
    except* KeyError as errors:
        seen.append(repr(errors.exceptions))


@program
async def waits_for_the_first(seen):
    tasks = [asyncio.create_task(work(seen, "a", 0.001)), asyncio.create_task(work(seen, "b", 5))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    return len(done), [task.cancelled() for task in tasks]


@program
async def takes_them_as_they_come(seen):
    coming = asyncio.as_completed([asyncio.sleep(0.05, 1), asyncio.sleep(0.001, 2)])
    return [await result for result in coming]


@program
async def waits_in_time(seen):
    return await asyncio.wait_for(work(seen, "a", result=5), 5)


@program
async def waits_too_long(seen):
    return await asyncio.wait_for(work(seen, "a", 5), 0.002)


@program
async def waits_no_time_at_all(seen):
    return await asyncio.wait_for(work(seen, "a", 5), 0)


@program
async def a_timeout_runs_out(seen):
    async with asyncio.timeout(0.002):
        await work(seen, "a", 5)


@program
async def a_timeout_is_moved(seen):
    async with asyncio.timeout(5) as limit:
        limit.reschedule(asyncio.get_running_loop().time() + 0.002)
        await work(seen, "a", 5)


@program
async def shields(seen):
    inner = asyncio.create_task(work(seen, "inner", 0.05, "safe"))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.001)
    except TimeoutError:
        seen.append("timed out")
    return await inner


@program
async def queues(seen):
    queue = asyncio.Queue(2)

    async def consume():
        while True:
            seen.append(await queue.get())
            queue.task_done()

    consumer = asyncio.create_task(consume())
    for number in range(6):
        await queue.put(number)
    await queue.join()
    consumer.cancel()
    return await asyncio.gather(consumer, return_exceptions=True) and "over"


@program
async def queues_by_priority(seen):
    queue, stack = asyncio.PriorityQueue(), asyncio.LifoQueue()
    for number in (3, 1, 2):
        queue.put_nowait(number)
        stack.put_nowait(number)
    return [await queue.get() for _ in range(3)], [await stack.get() for _ in range(3)]


@program
async def semaphores(seen):
    semaphore = asyncio.Semaphore(2)

    async def one(name):
        async with semaphore:
            await work(seen, name, 0)  # two that sleep equally long may wake in one round of the loop or in two

    await asyncio.gather(*map(one, "abcd"))


@program
async def locks_in_order(seen):
    lock = asyncio.Lock()

    async def one(name):
        async with lock:
            await work(seen, name, 0)

    await asyncio.gather(*map(one, "abc"))


@program
async def conditions(seen):
    condition = asyncio.Condition()

    async def waiting():
        async with condition:
            await condition.wait()
            seen.append("notified")

    tasks = [asyncio.create_task(waiting()) for _ in range(3)]
    await asyncio.sleep(0)
    async with condition:
        condition.notify_all()
    await asyncio.gather(*tasks)


@program
async def barriers(seen):
    barrier = asyncio.Barrier(3)
    return sorted(await asyncio.gather(*(barrier.wait() for _ in range(3))))


@program
async def events(seen):
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.002, event.set)
    return await event.wait()


@program
async def asynchronous_generators(seen):
    async def numbers():
        try:
            for number in range(5):
                await asyncio.sleep(0)
                yield number
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    found = [number async for number in numbers() if number % 2]
    one = numbers()
    found.append(await anext(one))
    await one.aclose()
    return found


@program
async def a_generator_is_thrown_at(seen):
    async def echo():
        while True:
            try:
                seen.append((yield "ready"))
            except KeyError as error:
                seen.append(repr(error))

    one = echo()
    return [await one.asend(None), await one.asend(1), await one.athrow(KeyError("k"))]


@program
async def context_variables(seen):
    async def child():
        seen.append(variable.get())
        variable.set(2)
        await asyncio.sleep(0)
        return variable.get()

    variable.set(1)
    result = await asyncio.create_task(child())
    context = contextvars.copy_context()
    context.run(variable.set, 7)
    given = await asyncio.create_task(child(), context=context)
    return result, given, variable.get(), context[variable], len(contextvars.copy_context())


@program
async def cancels_with_a_message(seen):
    task = asyncio.create_task(work(seen, "a", 5))
    await asyncio.sleep(0)
    task.cancel("the kitchen is closed")
    await task


@program
async def cancels_before_the_first_step(seen):
    task = asyncio.create_task(work(seen, "a"))
    task.cancel()
    return repr((await asyncio.gather(task, return_exceptions=True))[0])


@program
async def cancels_itself(seen):
    asyncio.current_task().cancel("me")
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError as error:
        seen.append(error.args)
        asyncio.current_task().uncancel()
    return asyncio.current_task().cancelling()


@program
async def cleans_up_when_cancelled(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        finally:
            await work(seen, "cleaning")

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled(), task.cancelling()


@program
async def suppresses_a_cancellation(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "stays"

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel()
    return await task


@program
async def raises_from_another(seen):
    async def one():
        try:
            await fail()
        except ValueError as error:
            raise RuntimeError("outer") from error

    await asyncio.create_task(one())


@program
async def raises_while_handling(seen):
    async def one():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            raise KeyError("while handling")  # noqa: B904

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    task.cancel()
    await task


@program
async def raises_what_ends_an_iteration(seen):
    async def one():
        raise StopIteration(3)

    await asyncio.create_task(one())


@program
async def a_future_fails(seen):
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, ValueError("future"))

    async def one():
        await future

    await asyncio.create_task(one())


@program
async def awaits_its_own_kind(seen):
    class Twice:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            yield
            return "twice"

    @types.coroutine
    def old():
        yield
        return "old"

    async def one():
        return await Twice(), await old()

    return await asyncio.create_task(one())


@program
async def calls_later_in_order(seen):
    loop = asyncio.get_running_loop()
    now = loop.time()
    for number in (3, 1, 2):
        loop.call_at(now + number / 1000, seen.append, number)
    cancelled = loop.call_later(0.001, seen.append, "cancelled")
    cancelled.cancel()
    loop.call_soon(functools.partial(seen.append, "soon"))
    await asyncio.sleep(0.02)
    return cancelled.cancelled(), cancelled.when() > now


@program
async def another_thread_calls(seen):
    loop, future = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    thread = threading.Thread(target=loop.call_soon_threadsafe, args=(future.set_result, "from a thread"))
    thread.start()
    result = await future
    thread.join()
    return result


@program
async def threads(seen):
    def add(one, other):
        return one + other, variable.get()

    variable.set(4)
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(add, 1, other=2), await loop.run_in_executor(None, add, 3, 4)


@program
async def a_thread_fails(seen):
    def fails():
        raise ValueError("in a thread")

    await asyncio.to_thread(fails)


@program
async def processes(seen):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.strip(), process.returncode


@program
async def serves_and_connects(seen):
    async def answer(reader, writer):
        seen.append(await reader.readline())
        writer.write(b"pong\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"ping\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return line


@program
async def asks_about_tasks(seen):
    task = asyncio.create_task(work(seen, "a", 0.002), name="asked")
    await asyncio.sleep(0)
    stack = [(frame.f_code.co_name, frame.f_lineno) for frame in task.get_stack()]
    coroutine = task.get_coro()
    about = coroutine.__name__, coroutine.__qualname__, coroutine.cr_frame.f_code.co_name, coroutine.cr_running
    names = sorted(task.get_name() for task in asyncio.all_tasks() if not task.get_name().startswith("Task-"))
    text = repr(task).split(" wait_for")[0]
    await task
    return stack, about, names, text, asyncio.iscoroutine(coroutine)


@program
async def keeps_its_own_factory(seen):
    loop = asyncio.get_running_loop()
    seen.append(loop.get_task_factory())

    def factory(loop, coroutine, **options):
        seen.append("made")
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    await asyncio.create_task(work(seen, "a"))
    result = loop.get_task_factory() is factory
    loop.set_task_factory(None)
    return result


@program
async def a_callback_fails(seen):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: seen.append((context["message"][:22], repr(context["exception"]))))
    loop.call_soon(lambda: 1 / 0)
    loop.call_later(0.001, int, "x")
    await asyncio.sleep(0.005)


@program
async def nobody_looks_at_a_failure(seen):
    asyncio.create_task(fail())  # noqa: RUF006
    await asyncio.sleep(0.005)
    gc.collect()


@program
async def nobody_holds_a_task(seen):
    async def one():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            seen.append("destroyed")

    asyncio.create_task(one())  # noqa: RUF006
    await asyncio.sleep(0.001)
    gc.collect()
    await asyncio.sleep(0.001)


@program
async def forgets_an_await(seen):
    work(seen, "a")
    gc.collect()


@program
async def debugs(seen):
    asyncio.get_running_loop().set_debug(True)
    return await asyncio.gather(work(seen, "a", result=1), asyncio.to_thread(int, "3"))


@program
async def leaves_with_the_interpreter(seen):
    async def one():
        raise SystemExit(3)

    await asyncio.create_task(one())


@program
async def uses_anyio(seen):
    import anyio

    async def child(name, task_status=anyio.TASK_STATUS_IGNORED):
        task_status.started(name)
        await anyio.sleep(0.002)
        seen.append(name)

    async with anyio.create_task_group() as group:
        seen.append(await group.start(child, "a"))
        group.start_soon(child, "b")
    with anyio.move_on_after(0.002) as scope:
        await anyio.sleep(5)
    send, receive = anyio.create_memory_object_stream(1)
    async with send, receive:
        await send.send(1)
        return await receive.receive(), scope.cancelled_caught, await anyio.to_thread.run_sync(int, "7")


@program
async def cancels_a_group_of_anyio(seen):
    import anyio

    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 5)
        group.start_soon(fail)


if sys.version_info >= (3, 12):

    @program
    async def is_eager(seen):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        first = asyncio.create_task(work(seen, "a", 0))
        seen.append("made")
        async with asyncio.TaskGroup() as group:
            group.create_task(work(seen, "b"))
            seen.append("b made")
        await first
        asyncio.get_running_loop().set_task_factory(None)

    @program
    async def is_eager_and_at_once_done(seen):
        async def at_once():
            seen.append(asyncio.current_task().get_name())
            return 5

        loop = asyncio.get_running_loop()
        task = asyncio.Task(at_once(), loop=loop, eager_start=True, name="eager")
        return task.done(), await task


class Journal(list):
    """What a program writes down; it may keep things here, too, beyond its end."""


def plain_text(text):
    """The text without what differs from one run to the next: addresses, and the numbers of tasks."""
    return re.sub(r"Task-\d+", "Task-N", re.sub(r"0x[0-9a-fA-F]+", "0x", text))


def told(error):
    """What can be told of an exception: class, arguments, the functions that it passed through, and where it came from."""
    if error is None:
        return None
    frames = [(frame.filename, frame.name, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    kept = [frame for frame in frames if frame[1] not in ("run_watched", "run_unwatched")]
    within = [told(one) for one in error.exceptions] if isinstance(error, BaseExceptionGroup) else []
    said = [plain_text(repr(one)) for one in error.args if not isinstance(one, (list, BaseException))]
    return type(error).__name__, said, kept, within, told(error.__cause__), told(error.__context__)


async def run_watched(function, seen):
    async with watch():
        return await function(seen)


async def run_unwatched(function, seen):
    await asyncio.sleep(0)  # as `async with` does
    return await function(seen)


class Log(logging.Handler):
    """What asyncio logs inside the block, as plain facts: a record would keep alive what its exception knows."""

    def __enter__(self):
        self.entries, self.logger = [], logging.getLogger("asyncio")
        self.logger.addHandler(self)
        self.logger.propagate = False
        return self

    def __exit__(self, *problem):
        self.logger.removeHandler(self)
        self.logger.propagate = True

    def emit(self, record):
        text = re.sub(r"took [0-9.]+ seconds", "took long", plain_text(record.getMessage()))
        if "took long" not in text or "name='slow'" in text:  # others are slow now and then, on a busy machine
            error = record.exc_info[1] if record.exc_info else None
            self.entries.append((record.name, record.levelname, text, told(error)))


def outcome(run, function):
    """Everything that can be noticed of a program from outside."""
    seen, result, error, at_end = Journal(), None, None, []

    async def main():
        loop = asyncio.get_running_loop()
        before = dict(vars(loop))
        try:
            return await run(function, seen)
        finally:
            at_end.append(getattr(seen, "factory", None) is loop.get_task_factory())
            at_end.append([name for name, value in vars(loop).items() if callable(value) and before.get(name) != value])
            at_end.append(sorted(name for name in vars(loop) if name not in before))
            await asyncio.sleep(0.003)  # what it has left behind goes on

    with warnings.catch_warnings(record=True) as warned, Log() as log:
        warnings.simplefilter("always")
        try:
            result = asyncio.run(main())
        except BaseException as raised:
            error = told(raised)
        gc.collect()
    said = [(warning.category.__name__, plain_text(str(warning.message))) for warning in warned]
    return {
        "result": plain_text(repr(result)),
        "error": error,
        "seen": list(seen),
        "at_end": at_end,
        "logged": log.entries,
        "warned": [entry for entry in said if entry[0] != "ResourceWarning"],  # they depend on when the collector runs
    }


@pytest.fixture(scope="module", autouse=True)
def quick_collection():
    """What there is already, the garbage collector need not look at each time: it is called twice for each program."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_not_notice_that_it_is_watched(name):
    plain = outcome(run_unwatched, PROGRAMS[name])
    watched = outcome(run_watched, PROGRAMS[name])
    assert watched == plain
    assert KITCHEN not in repr(watched["error"]) + repr(watched["logged"]) + repr(watched["seen"])


def test_a_program_that_notices_is_told_from_one_that_does_not():
    async def looks_at_the_loop(seen):
        seen.append("call_soon" in vars(asyncio.get_running_loop()))

    async def fails(seen):
        raise ValueError

    async def fails_elsewhere(seen):
        await fails(seen)

    assert outcome(run_watched, looks_at_the_loop) != outcome(run_unwatched, looks_at_the_loop)
    assert outcome(run_watched, fails_elsewhere) != outcome(run_unwatched, fails)


def test_there_are_programs_of_many_kinds():
    assert len(PROGRAMS) >= 50
    assert {function.__module__ for function in PROGRAMS.values()} >= {
        __name__,
        *(module.__name__ for module in ELSEWHERE),
    }


@pytest.mark.parametrize("ending", ["return", "raise", "cancel", "interrupt"])
def test_everything_is_put_back(ending):
    modules = [
        asyncio,
        asyncio.events,
        asyncio.tasks,
        asyncio.base_events,
        threading,
        warnings,
        sys,
        asyncio.BaseEventLoop,
    ]

    async def inside():
        async with watch():
            task = asyncio.create_task(asyncio.sleep(0.01, "went on"))
            await asyncio.sleep(0.001)
            if ending == "raise":
                task.add_done_callback(lambda _: None)
                raise ValueError("in the block")
            if ending == "cancel":
                asyncio.current_task().cancel()
                await asyncio.sleep(1)
            if ending == "interrupt":
                raise KeyboardInterrupt
        return await task

    async def main():
        loop = asyncio.get_running_loop()
        before = set(vars(loop)), loop.get_task_factory()
        try:
            return await inside()
        finally:
            assert (set(vars(loop)), loop.get_task_factory()) == before

    before = [dict(vars(module)) for module in modules]
    alive = set(threading.enumerate())
    result = None
    try:
        result = asyncio.run(main())
    except (ValueError, asyncio.CancelledError, KeyboardInterrupt) as error:
        assert ending != "return", error
    assert result == ("went on" if ending == "return" else None)
    assert set(threading.enumerate()) == alive
    for module, known in zip(modules, before, strict=True):
        changed = [name for name, value in vars(module).items() if known.get(name, value) is not value]
        assert [name for name in changed if name not in ("_global_state", "last_exc", "last_value", "last_type")] == []


def test_nothing_of_the_process_is_replaced_meanwhile():
    modules = [
        asyncio.events,
        asyncio.tasks,
        asyncio.base_events,
        asyncio.BaseEventLoop,
        asyncio.Task,
        threading.Thread,
    ]

    async def main():
        before = [dict(vars(module)) for module in modules]
        async with watch():
            await asyncio.sleep(0)
            return [
                name
                for module, known in zip(modules, before, strict=True)
                for name, value in vars(module).items()
                if known.get(name) is not value
            ]

    assert asyncio.run(main()) == []
