"""What is said, and what is not, of tasks that are left, of errors nobody looked at, and of coroutines that never began."""

import asyncio
import gc
import warnings
from contextlib import suppress

import pytest

from kitchen.watching.watch import watch


async def page(pause=0.02):
    await asyncio.sleep(pause)
    return "page"


async def fail():
    await asyncio.sleep(0.001)
    raise ValueError("too salty")


async def forever():
    while True:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def kinds(run):
    return [finding.kind for finding in run.findings]


# --- what lives on ---------------------------------------------------------------------------------------------------


async def awaited_after_the_block():
    async with watch() as run:
        task = asyncio.create_task(page(0.05))
        await asyncio.sleep(0.01)
    assert await task == "page"
    return run


async def gathered_and_awaited_after_the_block():
    async with watch() as run:
        both = asyncio.gather(page(0.05), page(0.05))
        alone = asyncio.shield(page(0.05))
        await asyncio.sleep(0.01)
    assert not run.findings
    assert [*await both, await alone] == ["page"] * 3
    return run


async def gathered_with_somebody_who_is_told():
    over = asyncio.Event()
    async with watch() as run:
        asyncio.gather(page(0.05)).add_done_callback(lambda _: over.set())
        await asyncio.sleep(0.01)
    await over.wait()
    return run


async def cancelled_in_the_last_line():
    async def beside():
        heart = asyncio.create_task(forever())
        await page()
        heart.cancel()

    async with watch() as run:
        await beside()
    return run


async def cleaning_up_when_the_block_ends():
    async def work():
        try:
            await asyncio.sleep(10)
        finally:
            await page(0.3)

    async with watch() as run:
        task = asyncio.create_task(work())
        await page()
        task.cancel()
        await asyncio.sleep(0.15)
    with suppress(asyncio.CancelledError):
        await task
    return run


async def kept_by_an_object():
    class Service:
        async def start(self):
            self.task = asyncio.create_task(forever())
            await page()

    service = Service()
    async with watch() as run:
        await service.start()
    assert not run.findings
    service.task.cancel()
    return run


async def kept_in_a_set_until_it_is_done():
    background = set()

    def start():
        task = asyncio.create_task(forever())
        background.add(task)
        task.add_done_callback(background.discard)

    async with watch() as run:
        start()
        await page()
    assert not run.findings
    for task in background:
        task.cancel()
    return run


async def a_child_of_a_group_around_the_block():
    async with asyncio.TaskGroup() as group, watch() as run:
        group.create_task(page(0.05))
        await page()
    return run


async def a_server_that_stays():
    async def answer(reader, writer):
        with suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
        writer.close()

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        return writer

    async with watch() as run:
        server = await asyncio.start_server(answer, "127.0.0.1")
        writer = await ask()
    assert not run.findings
    writer.close()
    server.close()
    await page()
    return run


async def an_error_that_is_looked_at_after_the_block():
    async with watch() as run:
        task = asyncio.create_task(fail())
        await page()
    with suppress(ValueError):
        await task
    return run


async def an_end_when_it_is_asked_for():
    async def serve():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)

    async def serve_and_say_goodbye():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await page(0.15)

    async with watch() as run:
        tasks = [asyncio.create_task(serve()), asyncio.create_task(serve_and_say_goodbye())]
        await page()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return run


async def a_coroutine_that_is_awaited_after_the_block():
    async with watch() as run:
        later = page()
        await page()
    await later
    return run


async def an_error_that_gather_returns():
    async with watch() as run:
        await asyncio.gather(fail(), page(), return_exceptions=True)
    return run


CLEAN = [
    awaited_after_the_block,
    gathered_and_awaited_after_the_block,
    gathered_with_somebody_who_is_told,
    cancelled_in_the_last_line,
    cleaning_up_when_the_block_ends,
    kept_by_an_object,
    kept_in_a_set_until_it_is_done,
    a_child_of_a_group_around_the_block,
    a_server_that_stays,
    an_error_that_is_looked_at_after_the_block,
    an_end_when_it_is_asked_for,
    a_coroutine_that_is_awaited_after_the_block,
    an_error_that_gather_returns,
]


@pytest.mark.parametrize("program", CLEAN, ids=lambda program: program.__name__)
def test_nothing_is_said_of_what_lives_on_or_is_looked_at(program):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = asyncio.run(program())
    assert kinds(run) == []


def stopping_and_then_closing():
    async def drain(queue):
        with suppress(asyncio.CancelledError):
            while True:
                await page(await queue.get())
        while not queue.empty():
            await page(queue.get_nowait())

    async def serve_and_close(_):
        try:
            await forever()
        except asyncio.CancelledError:
            print("stopping")
        await page(0.15)

    async def break_and_close(_):
        while True:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                break
        await page(0.15)

    async def finish_what_is_queued(queue):
        running = True
        while running or not queue.empty():
            try:
                item = await queue.get()
            except asyncio.CancelledError:
                running = False
                continue
            await page(item)

    return drain, serve_and_close, break_and_close, finish_what_is_queued


@pytest.mark.parametrize("work", stopping_and_then_closing(), ids=lambda work: work.__name__)
def test_what_comes_after_the_loop_that_was_cancelled_is_cleaning_up(work):
    async def main():
        queue = asyncio.Queue()
        async with watch() as run:
            task = asyncio.create_task(work(queue))
            await page()
            if work.__name__ == "drain":
                queue.put_nowait(10)
                await page()
            task.cancel()
            for _ in range(4):
                queue.put_nowait(0.05)
            await task
        return run.findings

    assert asyncio.run(main()) == []


# --- what does not ---------------------------------------------------------------------------------------------------


def line_of(text):
    with open(__file__, encoding="utf-8") as file:
        (number,) = [number for number, line in enumerate(file, 1) if line.rstrip().endswith("#" + " " + text)]
    return number


async def nobody_keeps_it():
    async with watch() as run:
        asyncio.create_task(forever(), name="forgotten")  # noqa: RUF006
        await page()
    return run


async def kept_by_a_function_that_is_over():
    async def start():
        task = asyncio.create_task(forever(), name="forgotten")
        await page()
        return task.done()

    async with watch() as run:
        assert not await start()
    return run


async def gathered_and_not_awaited():
    async with watch() as run:
        asyncio.gather(forever())
        await page()
    return run


async def shielded_and_not_awaited():
    async with watch() as run:
        asyncio.shield(forever())
        await page()
    return run


@pytest.mark.parametrize("program", [gathered_and_not_awaited, shielded_and_not_awaited])
def test_who_does_not_await_gather_or_shield_loses_what_it_is_for(program):
    (finding,) = asyncio.run(program()).findings
    assert finding.kind == "lost"
    assert f"line {forever.__code__.co_firstlineno}" in finding.text


@pytest.mark.parametrize("starts", [asyncio.gather, asyncio.shield])
def test_what_gather_or_shield_returned_fails_unnoticed_or_not(starts):
    async def main(is_awaited):
        async with watch() as run:
            both = starts(fail())
            if is_awaited:
                with suppress(ValueError):
                    await both
            del both
            await page()
        gc.collect()
        return kinds(run)

    assert asyncio.run(main(True)) == []
    assert asyncio.run(main(False)) == ["unnoticed"]


@pytest.mark.parametrize("program", [nobody_keeps_it, kept_by_a_function_that_is_over])
def test_a_task_that_nobody_holds_is_lost(program):
    (finding,) = asyncio.run(program()).findings
    assert finding.kind == "lost"
    assert finding.text.startswith("forgotten, from test_notes.py, line ")


async def start(name):
    asyncio.create_task(page(5 if name == "forgotten" else 0.05), name=name)  # noqa: RUF006
    await page(0.01)


async def serve_badly(_):
    with suppress(ValueError):
        await asyncio.gather(fail(), forever())


@pytest.mark.parametrize(("program", "kind"), [(start, "lost"), (serve_badly, "left behind")])
def test_what_asyncio_run_cancels_was_left_nevertheless(program, kind):
    with watch() as run:
        asyncio.run(program("forgotten"))
    assert kinds(run) == [kind]


async def tick():
    while True:
        await page(0.01)


async def serve(queue):
    async for _ in answers(queue):
        pass


async def answers(queue):
    while True:
        yield await queue.get()


@pytest.mark.parametrize("endless", [tick, lambda: serve(asyncio.Queue())], ids=["a ticker", "a server"])
def test_what_goes_on_for_ever_on_purpose_is_for_asyncio_run_to_end(endless):
    async def main():
        task = asyncio.create_task(endless())
        await page(0.05)
        return task.done()

    gc.disable()  # who held the task is over: the collector is not to take it before the loop ends
    try:
        with watch() as run:
            assert not asyncio.run(main())
    finally:
        gc.enable()
    assert kinds(run) == []


def test_what_goes_on_when_the_loop_does_is_not_lost():
    loop = asyncio.new_event_loop()
    with watch() as run:
        loop.run_until_complete(start("over in time"))
        loop.run_until_complete(page(0.1))
        loop.run_until_complete(start("forgotten"))
    loop.close()
    gc.collect()
    assert [(finding.kind, finding.text.split(",")[0]) for finding in run.findings] == [("lost", "forgotten")]


def test_an_error_is_unnoticed_until_somebody_looks():
    async def main():
        async with watch() as run:
            task = asyncio.create_task(fail())
            await page()
        before = kinds(run)
        assert isinstance(task.exception(), ValueError)
        return before, kinds(run)

    assert asyncio.run(main()) == (["unnoticed"], [])


def test_a_task_that_exits_the_program_is_noticed():
    async def leave():
        await asyncio.sleep(0.001)
        raise SystemExit(3)

    async def main():
        task = asyncio.create_task(leave())
        await page(1)
        return task

    with watch() as run, pytest.raises(SystemExit):
        asyncio.run(main())
    assert kinds(run) == []


def test_a_task_that_goes_on_was_not_ended():
    async def stubborn():
        for _ in range(20):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)  # asked here

    async def step():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)  # asked there

    async def careless():
        for _ in range(2):
            await step()
            await page(0.15)

    async def main():
        async with watch() as run:
            tasks = [asyncio.create_task(stubborn()), asyncio.create_task(careless())]
            await page()
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0.2)
        return run.findings

    found = asyncio.run(main())
    assert {finding.line for finding in found} == {line_of("asked here"), line_of("asked there")}
    assert {finding.kind for finding in found} == {"swallowed"}


def test_a_task_that_ends_when_it_is_asked_again_did_not_at_first():
    async def stubborn(asked):
        while True:
            try:
                await asyncio.sleep(0.01)  # asked in vain
            except asyncio.CancelledError:
                asked.append(1)
                if len(asked) > 1:
                    raise

    async def closes(asked):
        try:
            await forever()
        finally:
            await page(0.3)

    async def with_timeouts(asked):
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()

    async def main(work, times):
        async with watch() as run:
            task = asyncio.create_task(work([]))
            await page()
            for _ in range(times):
                task.cancel()
                if work is not with_timeouts:
                    await page(0.05)
            await asyncio.wait([task])
        return [(finding.kind, finding.line) for finding in run.findings]

    assert asyncio.run(main(stubborn, 2)) == [("swallowed", line_of("asked in vain"))]
    assert asyncio.run(main(closes, 2)) == []
    assert asyncio.run(main(with_timeouts, 2)) == []


def test_the_siblings_of_a_gather_that_failed_are_left_behind():
    async def main():
        async with watch() as run:
            with suppress(ValueError):
                await asyncio.gather(fail(), forever(), forever())
        return run

    (finding,) = asyncio.run(main()).findings
    assert finding.kind == "left behind"
    assert "1 other" in finding.text
    assert "TaskGroup" in finding.text


def test_a_coroutine_that_is_kept_and_never_begins():
    async def main():
        async with watch() as run:
            jobs = [page()]  # kept in vain
            await asyncio.sleep(0.01)
        found = run.findings
        jobs[0].close()
        return found

    (finding,) = asyncio.run(main())
    assert finding.kind == "never awaited"
    assert finding.text.startswith(
        f"page() at test_notes.py, line {line_of('kept in vain')} was kept and never awaited"
    )


async def save():
    pass


def test_a_coroutine_that_is_dropped_when_its_function_ends():
    async def job():
        one = save()  # noqa: F841  # the mistake
        await asyncio.sleep(0.001)

    async def main():
        async with watch() as run:
            await asyncio.create_task(job())
        return run

    with warnings.catch_warnings(record=True):
        run = asyncio.run(main())
    gc.collect()
    (finding,) = run.findings
    assert finding.text.startswith(f"save() at test_notes.py, line {line_of('the mistake')} was never awaited")


def test_of_several_calls_in_vain_that_of_the_function_that_ran_is_named():
    async def another():
        save()  # never called itself
        await page()

    async def keeps():
        kept = []
        kept.append(save())  # kept until the end
        await asyncio.sleep(0.001)

    async def hands_on():
        asyncio.get_running_loop().call_soon(save)  # handed on
        await asyncio.sleep(0.001)

    async def main(program):
        async with watch() as run:
            await program()
            gc.collect()
        return run.findings

    for program, text in {keeps: "kept until the end", hands_on: "handed on"}.items():
        with warnings.catch_warnings(record=True):
            found = asyncio.run(main(program))  # on a busy computer that `gc.collect` held the loop is said as well
        assert [finding.line for finding in found if finding.kind == "never awaited"] == [line_of(text)]


def test_a_coroutine_from_before_the_block_is_no_affair_of_the_watch():
    async def main():
        older = [page()]
        async with watch() as run:
            await asyncio.sleep(0.001)
        await older[0]
        return run.findings

    assert asyncio.run(main()) == []
