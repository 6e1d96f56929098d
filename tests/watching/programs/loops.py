"""Programs that deal with the loop itself: callbacks, factories, debug mode, and what tasks tell of themselves."""

import asyncio
import concurrent.futures
import gc
import io
import multiprocessing
import sys
import threading
import warnings
import weakref

from programs import program


async def work(seen, name, delay=0.0):
    seen.append(f"{name} begins")
    await asyncio.sleep(delay)
    seen.append(f"{name} ends")
    return name


@program
async def callbacks_of_a_task_in_order(seen):
    task = asyncio.create_task(work(seen, "a"))
    for number in range(3):
        task.add_done_callback(lambda task, number=number: seen.append((number, task.result())))
    seen.append(task.remove_done_callback(print))
    await task
    await asyncio.sleep(0)


@program
async def takes_turns(seen):
    async def one(name):
        for number in range(4):
            seen.append(f"{name}{number}")
            await asyncio.sleep(0)

    await asyncio.gather(*map(one, "abc"))


@program
async def timers_of_the_same_moment(seen):
    loop = asyncio.get_running_loop()
    when = loop.time() + 0.002
    handles = [loop.call_at(when + number * 1e-4, seen.append, number) for number in range(5)]
    handles[2].cancel()
    soon = loop.call_soon(seen.append, "never")
    soon.cancel()
    await asyncio.sleep(0.01)
    return [handle.cancelled() for handle in handles], soon.cancelled(), isinstance(handles[0], asyncio.TimerHandle)


@program
async def handles_show_themselves(seen):
    loop = asyncio.get_running_loop()
    soon, later = loop.call_soon(seen.append, 1), loop.call_later(5, seen.append, 2)
    later.cancel()
    return (
        type(soon).__mro__[-2].__name__,
        repr(soon).split("(")[0],
        repr(later).split(" when")[0],
        later < loop.call_later(6, print),
    )


@program
async def the_clock_goes_on(seen):
    loop = asyncio.get_running_loop()
    times = []
    for _ in range(5):
        times.append(loop.time())
        await asyncio.sleep(0.001)
    return times == sorted(times)


@program
async def asks_for_wrong_things(seen):
    loop = asyncio.get_running_loop()
    wrongs = [
        lambda: loop.call_later(None, print),
        lambda: loop.call_at(None, print),
        lambda: loop.set_task_factory("no"),
        lambda: loop.create_task(5),
        lambda: asyncio.create_task("text"),
        lambda: loop.run_until_complete(asyncio.sleep(0)),
        lambda: loop.call_soon(),
        lambda: loop.call_soon_threadsafe(),
        lambda: loop.run_in_executor(None),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for wrong in wrongs:
            try:
                wrong()
            except Exception as error:
                seen.append((type(error).__name__, str(error).rpartition("()")[2]))  # without the name of a method
        gc.collect()


@program
async def another_thread_cancels(seen):
    loop, task = asyncio.get_running_loop(), asyncio.create_task(work(seen, "a", 5))
    await asyncio.sleep(0)
    thread = threading.Thread(target=loop.call_soon_threadsafe, args=(task.cancel, "from a thread"))
    thread.start()
    try:
        await task
    finally:
        thread.join()


@program
async def another_thread_runs_a_coroutine(seen):
    loop = asyncio.get_running_loop()

    def other():
        return asyncio.run_coroutine_threadsafe(work(seen, "a", 0.001), loop).result(5)

    return await asyncio.to_thread(other)


@program
async def another_thread_has_a_loop_of_its_own(seen):
    async def main():
        await asyncio.sleep(0.001)
        return asyncio.get_running_loop().get_task_factory(), len(asyncio.all_tasks())

    return await asyncio.to_thread(asyncio.run, main())


@program
async def threads_fail_and_say_where(seen):
    def inner():
        raise LookupError("in a thread")

    def outer():
        try:
            inner()
        except LookupError as error:
            raise RuntimeError("outer") from error

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, outer)


@program
async def a_thread_is_no_longer_waited_for(seen):
    go = threading.Event()
    try:
        await asyncio.wait_for(asyncio.to_thread(go.wait, 5), 0.002)
    finally:
        go.set()


@program
async def a_default_executor_of_its_own(seen):
    loop = asyncio.get_running_loop()
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="own"))
    return await asyncio.to_thread(lambda: threading.current_thread().name)


@program
async def processes_do_the_work(seen):
    spawn = multiprocessing.get_context(
        "spawn"
    )  # to fork beside other threads, such as the one that watches, has its dangers
    with concurrent.futures.ProcessPoolExecutor(1, spawn) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, divmod, 17, 5)


@program
async def who_is_there(seen):
    main = asyncio.current_task()
    tasks = [asyncio.create_task(work(seen, name, 0.001), name=f"the {name}") for name in "ab"]
    nameless = asyncio.create_task(asyncio.sleep(0))
    number = int(nameless.get_name().removeprefix("Task-"))
    seen.append((len(asyncio.all_tasks()), main in asyncio.all_tasks(), number > 0))
    await asyncio.gather(nameless, *tasks)
    tasks[0].set_name("renamed")
    return [task.get_name() for task in tasks], len(asyncio.all_tasks()), type(main) is asyncio.Task


@program
async def tasks_are_counted_on(seen):
    first, second = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(0))
    numbers = [int(task.get_name().removeprefix("Task-")) for task in (asyncio.current_task(), first, second)]
    await asyncio.wait([first, second])
    return numbers[2] - numbers[1], numbers[1] - numbers[0]


@program
async def a_task_prints_its_stack(seen):
    async def inner():
        await asyncio.sleep(5)

    async def outer():
        await inner()

    task = asyncio.create_task(outer(), name="printed")
    await asyncio.sleep(0)
    out = io.StringIO()
    task.print_stack(file=out)
    seen.append(out.getvalue().splitlines()[1:])
    task.cancel()
    await asyncio.wait([task])


@program
async def a_failed_task_prints_its_stack(seen):
    async def inner():
        raise ValueError("printed")

    async def outer():
        await inner()

    task = asyncio.create_task(outer(), name="failed")
    await asyncio.wait([task])
    out = io.StringIO()
    task.print_stack(file=out)
    seen.append(out.getvalue().splitlines()[1:])
    return [frame.f_code.co_name for frame in task.get_stack()], repr(task), str(task.exception())


@program
async def tasks_show_themselves(seen):
    task = asyncio.create_task(work(seen, "a", 0.001), name="shown")
    seen.append(repr(task))
    await asyncio.sleep(0)
    seen.append(repr(task).partition(" wait_for")[0])
    await task
    return repr(task), task.get_coro().__name__, task.get_coro().cr_frame


@program
async def the_coroutine_of_a_task(seen):
    import inspect

    own = work(seen, "a", 0.001)
    task = asyncio.create_task(own)
    await asyncio.sleep(0)
    coroutine = task.get_coro()
    seen.append((coroutine == own, own == coroutine, len({own, coroutine}), coroutine == 0))
    seen.append((inspect.getcoroutinestate(coroutine), inspect.isawaitable(coroutine), asyncio.iscoroutine(coroutine)))
    seen.append((coroutine.cr_code.co_name, sorted(coroutine.cr_frame.f_locals), coroutine.cr_origin))
    seen.append((coroutine.cr_frame.f_lineno > 0, type(coroutine.cr_await).__name__, coroutine.__class__.__name__))
    await task
    seen.append(inspect.getcoroutinestate(coroutine))


@program
async def a_task_is_gone_when_it_is_over(seen):
    class Load:
        pass

    async def one(load):
        await asyncio.sleep(0)
        return len([load])

    load = Load()
    gone = weakref.ref(load)
    task = asyncio.create_task(one(load))
    task_gone = weakref.ref(task)
    del load
    await task
    seen.append(gone() is None)
    del task
    await asyncio.sleep(0)
    gc.collect()
    return task_gone() is None


@program
async def nobody_retrieves_a_failure_and_the_loop_says_so(seen):
    async def one():
        raise ValueError("nobody")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda loop, context: seen.append((context["message"], repr(context["exception"]), sorted(context)))
    )
    task = asyncio.create_task(one(), name="nobody's")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()


@program
async def a_done_callback_fails(seen):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: seen.append((repr(context["exception"]), sorted(context))))
    task = asyncio.create_task(asyncio.sleep(0))
    task.add_done_callback(lambda task: 1 / 0)
    await task
    await asyncio.sleep(0)
    return loop.get_exception_handler() is not None


@program
async def calls_the_exception_handler_itself(seen):
    asyncio.get_running_loop().call_exception_handler({"message": "said by hand", "more": 5})


@program
async def debugs_from_the_middle_on(seen):
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 60
    task = asyncio.create_task(work(seen, "a"), name="debugged")
    handle = loop.call_soon(seen.append, "called")
    seen.append((handle._source_traceback is not None, task._source_traceback is not None))

    def wrong_thread():
        try:
            loop.call_soon(print)
        except RuntimeError as error:
            return str(error)

    seen.append(await asyncio.to_thread(wrong_thread))
    loop.set_debug(False)
    return await task


@program
async def a_slow_step_in_debug_mode(seen):
    import time

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.02

    async def one():
        time.sleep(0.03)  # noqa: ASYNC251

    await asyncio.create_task(one(), name="slow")
    loop.slow_callback_duration = 60


@program
async def a_factory_that_names_and_counts(seen):
    loop = asyncio.get_running_loop()

    class Own(asyncio.Task):
        pass

    def factory(loop, coroutine, **options):
        seen.append((coroutine.__name__, sorted(options)))
        return Own(coroutine, loop=loop, **options)

    before = loop.get_task_factory()
    loop.set_task_factory(factory)
    task = asyncio.create_task(work(seen, "a"), name="own")
    result = await task
    loop.set_task_factory(before)
    return before, type(task).__name__, task.get_name(), result


@program
async def a_factory_that_stays(seen):
    def factory(loop, coroutine, **options):
        return asyncio.Task(coroutine, loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(factory)
    seen.factory = factory
    return await asyncio.create_task(work(seen, "a"))


@program
async def a_factory_that_fails(seen):
    loop = asyncio.get_running_loop()

    def factory(loop, coroutine, **options):
        coroutine.close()
        raise RuntimeError("no more tasks")

    loop.set_task_factory(factory)
    try:
        await asyncio.create_task(work(seen, "a"))
    finally:
        loop.set_task_factory(None)


@program
async def stays_behind(seen):
    seen.kept = [asyncio.create_task(work(seen, name, delay)) for name, delay in [("a", 0.001), ("b", 5)]]
    await asyncio.sleep(0)
    return "left"


if sys.version_info >= (3, 12):

    def eager():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

    @program
    async def eager_gather(seen):
        eager()
        return await asyncio.gather(work(seen, "a"), asyncio.sleep(0, "b"), work(seen, "c", 0.001))

    @program
    async def eager_group_fails_at_once(seen):
        eager()

        async def one():
            raise ValueError("at once")

        async with asyncio.TaskGroup() as group:
            group.create_task(work(seen, "a", 5))
            seen.append("still here")
            group.create_task(one())

    @program
    async def eager_tasks_make_eager_tasks(seen):
        eager()

        async def one(depth):
            seen.append((depth, asyncio.current_task() in asyncio.all_tasks(), variable_names()))
            if depth:
                return await asyncio.create_task(one(depth - 1)) + 1
            return 0

        return await asyncio.create_task(one(3))

    def variable_names():
        from contextvars import copy_context

        return sorted(each.name for each in copy_context())

    @program
    async def eager_task_cancels_itself(seen):
        eager()

        async def one():
            asyncio.current_task().cancel("eagerly")
            await asyncio.sleep(1)

        await asyncio.create_task(one())

    @program
    async def eager_task_that_is_done_at_once(seen):
        eager()

        async def one():
            return asyncio.current_task().get_name()

        task = asyncio.create_task(one(), name="quick")
        return task.done(), task.get_name(), await task, asyncio.current_task() is not task

    @program
    async def eager_factory_of_its_own_kind(seen):
        class Own(asyncio.Task):
            pass

        asyncio.get_running_loop().set_task_factory(asyncio.create_eager_task_factory(Own))
        task = asyncio.create_task(work(seen, "a"))
        seen.append(type(task).__name__)
        return await task
