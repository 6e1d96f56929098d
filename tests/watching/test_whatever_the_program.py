"""Whatever a program does with its loops, and wherever a watch begins and ends: the picture is true, and all is put back."""

import asyncio
import gc
import os
import re
import subprocess
import sys
import threading
import time
import traceback
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from itertools import pairwise, permutations
from pathlib import Path
from types import SimpleNamespace

import pytest

from kitchen.timeline import IDLING, READY, RUNNING, WAITING
from kitchen.watching import ears, record
from kitchen.watching.cpu import Reading
from kitchen.watching.lane import Lane
from kitchen.watching.polling import polling
from kitchen.watching.record import FIRST_GRAIN_SECONDS
from kitchen.watching.watch import watch
from kitchen.watching.whose import OURS


async def page(seconds=0.02):
    await asyncio.sleep(seconds)
    return "page"


def states(run, lane):
    return [span.state for span in run.timeline.by_lane[lane] if span.duration > 0.001]


def longest(run, lane, state):
    return max((span.duration for span in run.timeline.by_lane[lane] if span.state is state), default=0.0)


def waited(run, lane):
    """From a lane's begin to the end of a wait: a busy machine does not make that shorter than the timer it waits for."""
    spans = run.timeline.by_lane[lane]
    return max((span.end for span in spans if span.state is WAITING), default=spans[0].start) - spans[0].start


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(300))


@contextmanager
def suppress_unraisable():
    """What Python cannot raise where it is, as a warning that is an error, is not printed."""
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = before


@pytest.fixture(autouse=True)
def nothing_stays_behind():
    def replaced():
        loops = asyncio.events._set_running_loop, asyncio.Runner._lazy_init, asyncio.runners._cancel_all_tasks
        drawn = getattr(asyncio, "capture_call_graph", None), getattr(asyncio, "print_call_graph", None)
        return warnings._showwarnmsg, warnings._warn_unawaited_coroutine, warnings.showwarning, *loops, *drawn

    before = replaced()
    yield
    assert replaced() == before
    assert ears.warned.listeners == ears.dropped.listeners == ears.loop_runs.listeners == ears.has_loop.listeners == []
    assert ears.ends_loop.listeners == []


def is_as_it_was(loop):
    return (
        not vars(loop).keys() & {"call_soon", "call_at", "create_task", "create_future"} and not loop.get_task_factory()
    )


# --- what a task did while it held the loop --------------------------------------------------------------------------


def test_who_holds_the_loop_and_only_waits_is_idling_and_who_computes_is_running():
    async def sleeps():
        time.sleep(0.2)  # noqa: ASYNC251

    async def computes():
        compute(0.2)

    async def main():
        async with watch() as run:
            await asyncio.create_task(sleeps(), name="sleeps")
            await asyncio.create_task(computes(), name="computes")
        return run

    run = asyncio.run(main())
    idled = [span for span in run.timeline.by_lane["sleeps"] if span.state is IDLING]
    assert sum(span.duration for span in idled) >= 0.15 and all(span.inferred for span in idled)
    assert sum(span.duration for span in run.timeline.by_lane["sleeps"] if span.state is RUNNING) < 0.05
    ran = sum(span.duration for span in run.timeline.by_lane["computes"] if span.state is RUNNING)
    assert 0.15 <= ran < 0.3
    assert run.timeline.busy < 0.35  # the CPU was not busy while somebody slept


def test_a_step_that_does_both_is_both():
    async def both():
        compute(0.1)
        time.sleep(0.2)  # noqa: ASYNC251
        compute(0.1)

    async def main():
        async with watch() as run:
            await asyncio.create_task(both(), name="both")
        return run

    spans = asyncio.run(main()).timeline.by_lane["both"]
    used = {state: sum(span.duration for span in spans if span.state is state) for state in (RUNNING, IDLING)}
    assert used[RUNNING] == pytest.approx(0.2, rel=0.3) and used[IDLING] >= 0.15
    assert all(before.end == after.start for before, after in pairwise(spans))


# --- several watches -------------------------------------------------------------------------------------------------


async def request(number, ends, over):
    """A watch of its own, which ends when it is its turn."""
    async with watch() as run:
        await asyncio.create_task(page(), name=f"page {number}")
        await ends[number].wait()
    over.append(number)
    return run


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_watches_in_one_loop_may_end_in_any_order(order):
    async def main():
        ends, over = [asyncio.Event() for _ in order], []
        requests = [asyncio.create_task(request(number, ends, over)) for number in range(len(order))]
        await asyncio.sleep(0.03)
        for number in order:
            ends[number].set()
            while number not in over:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        runs = await asyncio.gather(*requests)
        assert is_as_it_was(asyncio.get_running_loop())
        return runs

    for number, run in enumerate(asyncio.run(main())):
        assert run.timeline.lanes[1:] == (f"page {number}",)
        assert WAITING in states(run, f"page {number}")
        assert waited(run, f"page {number}") >= 0.015


def test_a_watch_that_is_taken_from_the_middle_of_three_costs_the_others_nothing():
    async def main():
        runs = [watch() for _ in range(3)]
        for run in runs:
            await run.__aenter__()
        task = asyncio.create_task(page(0.05), name="long")
        await asyncio.sleep(0.01)
        await runs[1].__aexit__(None, None, None)
        steps = len(runs[1]._recorder.notes)
        await task
        await runs[0].__aexit__(None, None, None)
        await runs[2].__aexit__(None, None, None)
        assert len(runs[1]._recorder.notes) == steps
        assert is_as_it_was(asyncio.get_running_loop())
        return runs

    first, middle, last = asyncio.run(main())
    assert first.timeline.outcomes.get("long") is None and last.timeline.outcomes.get("long") is None
    assert middle.timeline.outcomes["long"] == "unfinished"


@pytest.mark.parametrize("options", [{}, {"eager_start": True}], ids=["later", "eager"])
def test_a_task_that_no_factory_has_made_is_seen_from_when_it_is_woken(options):
    """And then it is seen whole: here it holds the loop while another is ready."""
    if options and sys.version_info < (3, 12):
        pytest.skip("tasks that begin at once came with Python 3.12")

    async def holds(flag):
        await flag.wait()
        time.sleep(0.3)  # noqa: ASYNC251
        await asyncio.sleep(0.01)

    async def other(flag):
        await flag.wait()

    async def main():
        async with watch() as run:
            flag, loop = asyncio.Event(), asyncio.get_running_loop()
            tasks = [asyncio.Task(holds(flag), loop=loop, name="direct", **options), asyncio.create_task(other(flag))]
            await asyncio.sleep(0.01)
            flag.set()
            await asyncio.gather(*tasks)
        return run

    run = asyncio.run(main())
    states = [span.state for span in run.timeline.by_lane["direct"]]
    assert states[-1] is RUNNING and {IDLING, WAITING} <= set(states)
    assert [finding.kind for finding in run.findings] == ["blocked"]


def test_a_task_of_others_stays_unseen_however_it_is_woken():
    async def main():
        flag = asyncio.Event()
        older = asyncio.create_task(flag.wait(), name="older")
        await asyncio.sleep(0)
        async with watch() as run:
            flag.set()
            await older
        return run

    assert "older" not in asyncio.run(main()).timeline.lanes


def test_a_block_that_is_dropped_may_end_while_another_begins():
    """Garbage is collected at any moment: here while an ear is lent."""

    class Module:
        said = staticmethod(str)

    ear = ears.Ear(Module, "said")
    dropped, heard, plain = [].append, ear._heard, Module.said
    ear._heard = lambda: (ear.give_back(dropped), heard())[1]
    begins = threading.Thread(target=ear.lend, args=([].append,), daemon=True)
    begins.start()
    begins.join(60)
    assert not begins.is_alive(), "it does not wait for itself"
    assert Module.said is ear.ours
    ear.give_back(ear.listeners[0])
    assert Module.said is plain


def test_watches_in_several_threads_do_not_see_each_other():
    runs = {}

    async def main(name):
        async with watch() as runs[name]:
            await asyncio.create_task(page(), name=name)
            barrier.wait()

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=asyncio.run, args=(main(name),)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, run in runs.items():
        assert name in run.timeline.lanes and run.timeline.lanes.count("b" if name == "a" else "a") == 0


def test_a_block_that_begins_in_a_task_which_ends_before_it():
    async def main():
        run, problems = watch(), []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        await asyncio.create_task(run.__aenter__(), name="fixture")
        gc.collect()
        for _ in range(50):
            await asyncio.gather(*(asyncio.create_task(page(0.001)) for _ in range(5)))
        await run.__aexit__(None, None, None)
        assert problems == [] and is_as_it_was(asyncio.get_running_loop())
        return run

    run = asyncio.run(main())
    assert run.timeline.lanes[0] == "fixture"
    assert run.timeline.finishes["fixture"] < run.timeline.makespan / 2  # it is over when it is
    assert len(run.timeline.lanes) == 251  # and whatever is made after that is seen


# --- a plain `with` --------------------------------------------------------------------------------------------------


def test_loops_that_start_inside_a_plain_with_are_seen_from_their_first_step():
    async def main():
        time.sleep(0.1)  # noqa: ASYNC251
        await asyncio.create_task(page(), name="page")

    with watch() as run:
        asyncio.run(main())
        threading.Thread(target=asyncio.run, args=(main(),)).start()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        with asyncio.Runner() as runner:
            runner.run(page())
            runner.run(page())
    lanes = run.timeline.lanes
    assert {"page", "page (2)"} <= set(lanes)
    assert not [lane for lane in lanes if "shutdown" in str(run.timeline.by_lane[lane])]
    assert longest(run, lanes[0], IDLING) >= 0.08


def test_where_nothing_was_seen_the_title_says_so():
    with watch("lunch") as run:
        compute(0.001)
    assert run.timeline.title == "lunch (nothing was seen: no loop of asyncio's ran here, and no thread began)"


def test_uvloop_inside_a_plain_with_is_seen():
    uvloop = pytest.importorskip("uvloop")

    async def main():
        await asyncio.create_task(page(), name="page")

    with watch() as run:
        uvloop.run(main())
    assert run.timeline.lanes[1:] == ("page",) and waited(run, "page") >= 0.015
    assert run.findings == []


def test_what_uvloop_leaves_to_its_runner_to_cancel_is_lost():
    uvloop = pytest.importorskip("uvloop")

    async def main():
        asyncio.create_task(page(60), name="lost")  # noqa: RUF006
        await page()

    with watch() as run:
        uvloop.run(main())
    (finding,) = run.findings
    assert finding.kind == "lost" and finding.text.startswith("lost, from")


def test_what_fails_while_a_runner_closes_has_no_frame_of_ours(monkeypatch):
    def fails(loop):
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(asyncio.runners, "_cancel_all_tasks", fails)
        with watch(), pytest.raises(RecursionError) as raised:
            asyncio.run(page())
    files = [frame.path for frame in raised.traceback[1:]]
    assert all(file.parent.name != "watching" or file.name.startswith("test_") for file in files)


def test_a_plain_with_inside_a_coroutine_sees_what_it_awaits_and_nothing_is_there_if_it_does_not():
    async def main():
        with watch() as run:
            await asyncio.create_task(page(), name="page")
        with watch() as quiet:
            compute(0.001)
        return run, quiet

    run, quiet = asyncio.run(main())
    assert run.timeline.lanes[1:] == ("page",) and waited(run, "page") >= 0.015
    assert quiet.timeline.lanes == ()


def test_a_loop_that_was_watched_is_let_go():
    async def main():
        async with watch() as run:
            await asyncio.create_task(page())
        return run, weakref.ref(asyncio.get_running_loop())

    run, loop = asyncio.run(main())
    gc.collect()
    assert loop() is None and run.timeline.lanes


# --- what the program lets go of is gone ---------------------------------------------------------------------------------


class Thing:
    """Of which one hears when it is gone."""


class TooSaltyError(Exception):
    """The same, raised."""


async def lets_go():
    """Makes things, lets go of them, and says which are still there; nothing collects garbage meanwhile."""
    loop, made = asyncio.get_running_loop(), {}

    def note(name, thing):
        made[name] = weakref.ref(thing)
        return thing

    async def fails():
        local = note("what a coroutine knows", Thing())
        await asyncio.sleep(0.001)
        raise note("an error", TooSaltyError(local is None))

    async def holds(lock):
        async with lock:
            future, thing = note("a future that was interrupted", loop.create_future()), note("a thing", Thing())
            with suppress(asyncio.CancelledError):
                await future
            del future, thing
            await asyncio.sleep(0.001)
            return [name for name in ("a future that was interrupted", "a thing") if made[name]() is not None]

    task = note("a task", asyncio.create_task(fails()))
    note("a coroutine", task.get_coro())
    with suppress(TooSaltyError):
        await task
    future = note("a future", loop.create_future())
    loop.call_later(0.001, future.set_result, None)
    await future
    task = asyncio.create_task(holds(note("a lock", asyncio.Lock())))
    await asyncio.sleep(0.001)
    task.cancel()
    left = await task
    future = loop.run_in_executor(None, note("a function", lambda: None))
    await future
    for _ in range(1000):  # its thread lets go of it a moment after it has said that it is done
        if made["a function"]() is None:
            break
        await asyncio.sleep(0.005)
    left += ["a function"] * (made["a function"]() is not None)
    del task, future
    await asyncio.sleep(0.001)
    return left + [name for name, thing in made.items() if thing() is not None]


@pytest.mark.parametrize("debug", [False, True])
def test_nothing_that_the_program_lets_go_of_is_kept_alive(debug):
    async def main():
        async with watch():
            return await lets_go()

    gc.disable()
    try:
        assert asyncio.run(main(), debug=debug) == asyncio.run(lets_go(), debug=debug) == []
    finally:
        gc.enable()


# --- debug mode, warnings, tracebacks --------------------------------------------------------------------------------


def test_debug_mode_keeps_its_checks_and_shows_no_function_of_ours():
    async def main():
        loop, kept = asyncio.get_running_loop(), []
        async with watch():
            with pytest.raises(TypeError, match="coroutines cannot be used"):
                await loop.run_in_executor(None, page)
            with pytest.raises(TypeError, match="callable object"):
                loop.call_soon(5)
            with pytest.raises(TypeError):
                loop.call_later(1, None)
            things = [
                loop.call_soon(int),
                loop.call_later(0.01, int),
                loop.create_future(),
                asyncio.create_task(page()),
            ]
            kept = [[frame.filename for frame in thing._source_traceback] for thing in things]
            await asyncio.sleep(0.02)
            await things[-1]
        return kept

    for made in asyncio.run(main(), debug=True):
        assert __file__ in made
        assert not [file for file in made if file.startswith(OURS)]


def test_an_error_is_raised_without_a_frame_of_ours():
    async def fails():
        await asyncio.sleep(0)
        raise ValueError("no")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop, **options))
        async with watch():
            for awaited in (asyncio.create_task(fails()), loop.run_in_executor(None, int, "x")):
                try:
                    await awaited
                except ValueError as error:
                    yield traceback.extract_tb(error.__traceback__)

    async def collect():
        return [frames async for frames in main()]

    for frames in asyncio.run(collect()):
        assert not [frame for frame in frames if frame.filename.startswith(OURS)]


FORGETFUL = """
import asyncio, gc, sys
from contextlib import nullcontext
from kitchen import watch

async def page(): pass

async def main(around):
    async with around:
        coroutine = page()
        del coroutine
        gc.collect()
        async def job():
            forgotten = page()
            await asyncio.sleep(0)
        await asyncio.create_task(job())

for around in nullcontext(), watch():
    asyncio.run(main(around))
    print("---", file=sys.stderr)
"""


@pytest.mark.parametrize("how", ["default", "ignore", "error"])
def test_a_coroutine_that_was_never_awaited_is_told_of_each_time_whatever_is_shown(how):
    async def save():
        pass

    async def main():
        async with watch() as run:
            save()
            await asyncio.sleep(0)
        return run

    with warnings.catch_warnings(record=how != "error") as said, suppress_unraisable():
        warnings.simplefilter(how)
        runs = [asyncio.run(main()) for _ in range(2)]
    lines = [[(finding.kind, finding.line) for finding in run.findings] for run in runs]
    line = main.__code__.co_firstlineno + 2
    assert lines == [[("never awaited", line)]] * 2
    if how == "default":
        assert [(warning.filename, warning.lineno) for warning in said] == [(__file__, line)]  # once


@pytest.mark.skipif(not hasattr(asyncio, "format_call_graph"), reason="from Python 3.14 on a task can draw its calls")
@pytest.mark.parametrize("limit", [None, 0, 1, 2, 9, -1, -2, -9])
@pytest.mark.parametrize("watches", [1, 2])
def test_the_calls_that_a_task_draws_of_itself_are_those_of_the_program(limit, watches):
    async def draws():
        await asyncio.sleep(0)

        def draw():
            yield asyncio.format_call_graph(limit=limit), asyncio.capture_call_graph(limit=limit).call_stack

        [(text, calls)] = draw()
        return re.sub("0x[0-9a-f]+", "0x", text), [entry.frame.f_code.co_name for entry in calls]

    async def waits():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(draws(), name="draws")
        return task.result()

    async def program():
        drawn = []
        for count in (0, watches):
            with ExitStack() as blocks:
                for _ in range(count):
                    blocks.enter_context(watch())
                drawn.append(await asyncio.create_task(waits(), name="waits"))
        return drawn

    unwatched, watched = asyncio.run(program())
    assert watched == unwatched
    if limit is None:
        assert watched[1] == ["draw", "draws"]


@pytest.mark.skipif(not hasattr(asyncio, "capture_call_graph"), reason="from Python 3.14 on a task can draw its calls")
def test_what_cannot_be_drawn_is_told_without_a_frame_of_ours():
    async def program():
        with watch(), pytest.raises(TypeError) as wrong:
            asyncio.capture_call_graph("no future")
        return wrong

    wrong = asyncio.run(program())
    assert not any(Path(entry.path).is_relative_to(OURS) for entry in wrong.traceback)


def test_what_ends_the_loop_has_no_frame_of_ours():
    async def leaves():
        await asyncio.sleep(0.01)
        raise SystemExit(3)

    async def main():
        await asyncio.gather(leaves(), asyncio.sleep(5))

    with watch(), pytest.raises(SystemExit) as wrong:
        asyncio.run(main())
    passed = [(entry.name, entry.path) for entry in wrong.traceback]
    assert passed[-1][0] == "leaves"
    assert not any(Path(path).is_relative_to(OURS) for _, path in passed)
    del wrong
    gc.collect()  # what asyncio has to say of that, it says now


def test_where_a_coroutine_was_made_is_told_without_a_frame_of_ours():
    async def work():
        pass

    async def task():
        work()  # nobody awaits it

    async def main():
        async with watch():
            work()  # nor this one
            await asyncio.create_task(task())

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        asyncio.run(main(), debug=True)
    assert len(heard) == 2
    for warning in heard:
        assert "Coroutine created at" in str(warning.message) and str(OURS) not in str(warning.message)
        assert warning.source.cr_code is work.__code__
        assert warning.filename == __file__


def test_a_warning_keeps_its_place_its_line_and_its_source(tmp_path):
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    command = [sys.executable, "-X", "tracemalloc=1", "-W", "always", str(tmp_path / "forgetful.py")]
    environment = {**os.environ, "PYTHONPATH": str(Path(OURS).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    plain, watched, _ = re.sub(r"\n  File .*", "", done.stderr).split("---\n")
    assert "Object allocated at" in plain and "del coroutine" in plain
    assert watched == plain


async def drops_it_in_the_step_in_which_the_block_ends(around):
    async with around:
        one = page()
        await asyncio.sleep(0.001)
    return one is None


async def drops_it_later(around):
    async with around:
        one = page()
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.001)
    return one is None


@pytest.mark.parametrize("program", [drops_it_in_the_step_in_which_the_block_ends, drops_it_later])
def test_what_is_kept_and_dropped_after_the_block_is_warned_of_where_it_would_be(program):
    places = []
    for around in nullcontext(), watch():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(program(around))
        places.append([(warning.filename, warning.lineno) for warning in caught])
    plain, watched = places
    assert watched == plain and plain


def test_a_coroutine_that_dies_with_its_task_is_told_of_at_a_line_of_the_readers():
    async def job():
        one = page()
        await asyncio.sleep(0.001)
        return one is None

    async def main():
        async with watch() as run:
            await asyncio.create_task(job())
            gc.collect()
        return run

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = asyncio.run(main())
    (finding,) = [finding for finding in run.findings if finding.kind == "never awaited"]
    assert finding.file == __file__
    assert not [warning for warning in caught if warning.filename.startswith(OURS)]


# --- factories and other loops ---------------------------------------------------------------------------------------


def wrapping(loop, coroutine, **options):
    """A factory that puts a coroutine of its own around every task's."""

    async def around():
        return await coroutine

    return asyncio.Task(around(), loop=loop, **options)


def test_a_factory_that_wraps_what_it_gets_is_seen_through():
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(wrapping)
        async with watch() as run:
            assert await asyncio.create_task(page(), name="page") == "page"
            left = asyncio.create_task(page(0.05), name="left")
            await asyncio.sleep(0.01)
        assert await left == "page"
        assert loop.get_task_factory() is wrapping
        return run

    run = asyncio.run(main())
    assert waited(run, "page") >= 0.015
    assert run.timeline.outcomes["left"] == "unfinished"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks yet")
def test_eager_tasks_that_hold_the_loop_are_told_from_those_that_made_them():
    async def held():
        time.sleep(0.1)  # noqa: ASYNC251
        await asyncio.sleep(0.01)

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with watch() as run:
            await asyncio.gather(asyncio.create_task(held(), name="one"), asyncio.create_task(held(), name="two"))
        return run

    run = asyncio.run(main())
    for lane in ("one", "two"):
        assert longest(run, lane, IDLING) >= 0.08
        spans = run.timeline.by_lane[lane]
        assert all(before.end <= after.start for before, after in pairwise(spans))


class Counting(asyncio.SelectorEventLoop):
    """A loop with a way of its own to make tasks."""

    def create_task(self, coroutine, **options):
        task = super().create_task(coroutine, **options)
        task.is_counted = True
        return task


def test_a_loop_that_makes_tasks_in_its_own_way_does_so_when_it_is_watched():
    async def main():
        async with watch() as run:
            tasks = [asyncio.create_task(page(), name="named"), asyncio.create_task(page())]
            names = [task.get_name() for task in tasks]
            await asyncio.gather(*tasks)
        assert all(task.is_counted for task in tasks)
        return run, names

    with asyncio.Runner(loop_factory=Counting) as runner:
        run, names = runner.run(main())
    assert names[0] == "named"
    assert names[1].startswith("Task-")
    assert set(names) < set(run.timeline.lanes)


class Closed(asyncio.SelectorEventLoop):
    """A loop that lets nobody hear of its tasks."""

    def get_task_factory(self):
        raise NotImplementedError


def test_a_loop_that_cannot_be_watched_says_so_at_the_beginning():
    async def main():
        async with watch():
            pass

    loop = Closed()
    with pytest.raises(RuntimeError, match="cannot see into a Closed"):
        loop.run_until_complete(main())
    loop.close()


def test_without_a_loop_of_asyncios_it_says_that_it_sees_nothing_else():
    with pytest.raises(RuntimeError, match="asyncio"):
        watch().__aenter__().send(None)


def test_uvloop_is_watched_and_who_waits_for_a_timer_is_ready_when_that_is_due():
    uvloop = pytest.importorskip("uvloop")

    async def main():
        async with watch() as run:
            victim = asyncio.create_task(page(0.05), name="victim")
            await asyncio.sleep(0.01)
            time.sleep(0.2)  # noqa: ASYNC251
            await victim
        return run

    run = uvloop.run(main())
    assert longest(run, "victim", READY) >= 0.1
    (finding,) = run.findings
    assert finding.kind == "blocked" and finding.line == main.__code__.co_firstlineno + 4
    assert "something at or after" not in finding.text  # it was seen there, though uvloop itself shows no frame


# --- it does not drown -----------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """How many notes are taken as they are: fewer than else, so that a short run comes to the bound."""
    monkeypatch.setattr(record, "NOTES_KEPT", 2000)
    return 2000


def test_a_busy_poll_is_bounded_and_told_of(few):
    done = False

    async def poll():
        while not done:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def main():
        nonlocal done
        async with watch() as run:
            task = asyncio.create_task(poll(), name="poll")
            for _ in range(6 * few):
                await asyncio.sleep(0)
            done = True
            await task
        return run

    run = asyncio.run(main())
    assert len(run.timeline.table.starts) < 12 * few  # unbounded: 24
    (finding,) = [finding for finding in run.findings if finding.kind == "polling"]
    assert finding.line == poll.__code__.co_firstlineno + 2
    steps = int(finding.text.split(" ran ")[1].split(" steps")[0].replace(",", ""))
    assert 5.9 * few <= steps <= 6.1 * few  # all are counted, however many share a note
    spans = run.timeline.by_lane["poll"]
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert sum(span.duration for span in spans) == pytest.approx(run.timeline.finishes["poll"] - spans[0].start)


def test_what_an_executor_is_handed_is_the_function_for_all_that_it_asks():
    class Once(ThreadPoolExecutor):
        """Does nothing twice, and says what it does."""

        def submit(self, function, /, *args):
            seen.append(
                (function.__name__, function.__module__, repr(function), function is not work, function == work)
            )
            if (function, args) not in self.done:
                self.done[function, args] = super().submit(function, *args)
            return self.done[function, args]

    def work(number):
        calls.append(number)
        return 2 * number

    async def program():
        loop = asyncio.get_running_loop()
        with Once(2) as pool:
            pool.done = {}
            return [await loop.run_in_executor(pool, work, 4) for _ in range(3)]

    async def main():
        async with watch():
            return await program()

    seen, calls = [], []
    assert asyncio.run(main()) == [8, 8, 8]
    assert calls == [4]
    assert set(seen) == {("work", __name__, repr(work), True, True)}


def test_a_long_step_right_after_a_single_short_one_is_told_in_order():
    run = record.Record("by hand")
    begin, end, over = (run.began + seconds for seconds in (0.002, 0.1, 0.11))
    lane = Lane(None, None, run.began, SimpleNamespace(eager=[]))
    lane.name = "poll"
    run.made(lane)
    run.stretch(lane, run.began, begin - 0.001, begin - 0.0008, None, True, FIRST_GRAIN_SECONDS)
    run.held(lane, begin, [Reading(begin, 0.0, 0.0), Reading(end, 0.05, 0.05)], 0.0)
    run.stretch(lane, begin - 0.0008, begin, end, None, True, FIRST_GRAIN_SECONDS)
    run.over(lane, over)
    run.close()
    spans = run.timeline().by_lane["poll"]
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert [span.state for span in spans] == [READY, RUNNING, READY, RUNNING, IDLING, READY]


async def asks_a_flag(done):
    while not done:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def asks_a_queue(done):
    queue = asyncio.Queue()
    while True:
        try:
            queue.get_nowait()
        except asyncio.QueueEmpty:
            if done:
                return
            await asyncio.sleep(0)


@pytest.mark.parametrize("program", [asks_a_flag, asks_a_queue])
def test_a_block_that_polls_itself_is_told_of(few, program):
    async def main():
        done = []

        async def other():
            for _ in range(6 * few):
                await asyncio.sleep(0)
            done.append(True)

        task = asyncio.create_task(other())
        async with watch() as run:
            await program(done)
        await task
        return run.findings

    (finding,) = asyncio.run(main())
    assert finding.kind == "polling" and finding.file == __file__


def test_who_gives_way_between_pieces_of_work_does_not_poll(few):
    async def works():
        total = 0
        for number in range(3 * few):
            total += number
            await asyncio.sleep(0)

    async def main():
        async with watch() as run:
            await works()
        return run

    run = asyncio.run(main())
    assert run.findings == [] and polling(run._recorder._facts()) == []


@pytest.mark.long
def test_steps_that_wait_for_each_other_are_bounded_too_and_long_waits_stay_exact(few):
    async def main():
        queue = asyncio.Queue(1)

        async def puts():
            for number in range(3 * few):
                await queue.put(number)

        async with watch() as run:
            task = asyncio.create_task(puts(), name="puts")
            for _ in range(3 * few):
                await queue.get()
            await task
            await asyncio.create_task(page(0.05), name="page")
        return run

    run = asyncio.run(main())
    assert run._recorder._grain >= FIRST_GRAIN_SECONDS
    assert len(run.timeline.table.starts) < 12 * few  # unbounded: 18
    assert waited(run, "page") >= 0.045
    assert run.findings == []


def test_what_a_long_step_did_is_known_however_many_steps_share_a_note(monkeypatch):
    monkeypatch.setattr(record, "FIRST_GRAIN_SECONDS", 0.3)
    monkeypatch.setattr(record, "NOTES_KEPT", 20)

    async def main():
        async with watch() as run:
            while not run._recorder._grain:  # noqa: ASYNC110
                await asyncio.sleep(0)
            for _ in range(4):
                time.sleep(0.05)  # noqa: ASYNC251
                await asyncio.sleep(0)
        return run

    run = asyncio.run(main())
    assert run._recorder._grain >= 0.3
    spans = run.timeline.spans
    assert sum(span.duration for span in spans if span.state is IDLING) >= 0.1
    assert sum(span.duration for span in spans if span.state is RUNNING) < 0.1


def test_the_first_steps_are_exact_and_nothing_is_inferred_of_short_ones():
    async def main():
        async with watch() as run:
            for _ in range(100):
                await asyncio.sleep(0)
        return run

    run = asyncio.run(main())
    short = [span for span in run.timeline.spans if span.duration < 0.005]
    assert sum(span.state is RUNNING for span in short) >= 90 and not any(span.inferred for span in short)


def test_what_it_costs_to_watch_is_not_the_programs_fault():
    async def main():
        async with watch() as run:
            await asyncio.create_task(many(), name="many")
        return run

    async def many():
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(1_500)))

    run = asyncio.run(main())
    longest_step = max(run._recorder._facts().steps, key=lambda step: step.stop - step.start)
    assert 0 < longest_step.ours < longest_step.stop - longest_step.start
