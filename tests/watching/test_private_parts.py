"""What `watch` takes from private parts of Python: each is here, with what it has to be.

So the next Python says by itself what it has changed. A part that the code uses and that is not pinned here fails, too.
"""

import ast
import asyncio
import gc
import re
import signal
import subprocess
import sys
import threading
import warnings
from asyncio import base_events, events, futures, runners, tasks
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

import kitchen.watching
from kitchen.watching.awaiting import KINDS, _code
from kitchen.watching.ears import UNCOUNTED
from kitchen.watching.hooks import HANDLE

PRIVATE = re.compile(r"(?:.*\.)?_(?!_)\w+")
DOCUMENTED = {"_asdict", "_replace", "_getframe", "_current_frames", "_exit", "_is_gil_enabled"}
ASKS = {"getattr", "hasattr", "setattr", "Ear", "Dropped"}  # what takes a name as text
PINNED = set()


def pins(*names):
    """The test that follows says what these are."""
    PINNED.update(names)
    return lambda test: test


def used():
    """The private names that are asked of something, and those that are our own."""
    asked, own = set(), set()
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in Path(kitchen.watching.__path__[0]).glob("*.py")]
    for node in chain.from_iterable(map(ast.walk, trees)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                own.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.Name(id=name):
                own.add(name)
            case ast.Attribute(attr=name):
                asked.add(name)
            case ast.Call(func=ast.Name(id=called), args=[_, ast.Constant(value=str(name)), *_]) if called in ASKS:
                asked.add(name)
    return {name for name in asked if PRIVATE.fullmatch(name)}, own


def test_every_private_part_that_is_used_is_pinned():
    asked, own = used()
    assert asked - own - DOCUMENTED - PINNED == set(), "say in this file what it has to be"
    assert PINNED - asked == set(), "no longer used"


def in_a_loop(function):
    return lambda: asyncio.run(function())


@pins("_fut_waiter")
@in_a_loop
async def test_a_task_says_what_it_waits_for_and_nothing_when_it_gives_way():
    async def gives_way():
        await asyncio.sleep(0)

    waits, polls = asyncio.create_task(asyncio.Event().wait()), asyncio.create_task(gives_way())
    await asyncio.sleep(0)
    assert isinstance(waits._fut_waiter, asyncio.Future)
    assert polls._fut_waiter is None
    waits.cancel()


@pins("_ready", "_args", "_callback", "_cancelled", "_context", "_loop", "_repr", "_source_traceback")
@in_a_loop
async def test_what_the_loop_calls_next_stands_in_handles():
    loop = asyncio.get_running_loop()
    handle = loop.call_soon(print, 1, 2)
    assert loop._ready[-1] is handle
    assert (handle._callback, handle._args, handle._cancelled, handle._loop) == (print, (1, 2), False, loop)
    assert handle._context is not None
    assert handle._repr is handle._source_traceback is None, "only in debug mode"
    handle.cancel()
    assert handle._cancelled
    assert " ".join(sorted(events.Handle.__slots__)) == HANDLE, "or every call of a watched loop is slow"


@in_a_loop
async def test_a_task_that_may_go_on_is_called_with_what_it_waited_for():
    """And one that gives way without: so a step knows by itself whether it is to be told when that was."""
    loop, called = asyncio.get_running_loop(), []
    plain = loop.call_soon

    def call_soon(callback, *given, **options):
        called.append((getattr(callback, "__self__", None), given))
        return plain(callback, *given, **options)

    async def gives_way():
        await asyncio.sleep(0)

    event = asyncio.Event()
    waits, polls = asyncio.create_task(event.wait()), asyncio.create_task(gives_way())
    await asyncio.sleep(0)
    future, loop.call_soon = waits._fut_waiter, call_soon
    event.set()
    await asyncio.sleep(0)
    del loop.call_soon
    await asyncio.gather(waits, polls)
    assert (waits, (future,)) in called
    assert all(given == () for task, given in called if task is polls)


@pins("_write_to_self", "_closed")
def test_a_call_from_another_thread_stands_with_the_others_and_wakes_the_loop():
    loop, woken = asyncio.new_event_loop(), []
    assert loop._closed is False
    loop._write_to_self = lambda: woken.append(len(loop._ready))
    loop.call_soon_threadsafe(print)
    assert woken == [1]
    loop.close()
    assert loop._closed is True


@pins("_scheduled", "_when", "_set_result_unless_cancelled", "_callbacks")
@in_a_loop
async def test_a_sleeping_task_is_found_from_its_timer():
    loop = asyncio.get_running_loop()
    before = loop.time()
    sleeper = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    [timer] = loop._scheduled
    assert timer._when >= before + 60
    assert timer._callback is futures._set_result_unless_cancelled
    [(callback, _)] = timer._args[0]._callbacks
    assert callback.__self__ is sleeper
    sleeper.cancel()


@pins("_log_traceback", "_exception")
@in_a_loop
async def test_a_failure_says_whether_anybody_has_looked_at_it():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("a failure"))
    assert future._log_traceback is True
    assert isinstance(future._exception, ValueError)
    future.exception()
    assert future._log_traceback is False


@pins("_GatheringFuture")
@in_a_loop
async def test_gather_is_a_kind_of_future_and_its_tasks_know_it():
    task = asyncio.create_task(asyncio.sleep(60))
    gathered = asyncio.gather(task)
    assert type(gathered) is tasks._GatheringFuture
    [(callback, _)] = task._callbacks
    assert callback.__qualname__ == "gather.<locals>._done_callback"
    [outer] = [
        cell.cell_contents
        for name, cell in zip(callback.__code__.co_freevars, callback.__closure__, strict=True)
        if name == "outer"
    ]
    assert outer is gathered
    gathered.cancel()


@in_a_loop
async def test_a_shielded_task_knows_what_shield_has_returned():
    task = asyncio.create_task(asyncio.sleep(60))
    shielded = asyncio.shield(task)
    (callback, _), [(of_outer, _)] = task._callbacks[-1], shielded._callbacks
    assert callback.__qualname__ == "shield.<locals>._inner_done_callback"
    assert of_outer.__qualname__ == "shield.<locals>._outer_done_callback"
    cells = dict(zip(callback.__code__.co_freevars, callback.__closure__, strict=True))
    assert cells["outer"].cell_contents is shielded
    task.cancel()


@pins("_default_executor", "_threads", "_max_workers")
@in_a_loop
async def test_the_default_executor_says_how_many_threads_it_has():
    loop = asyncio.get_running_loop()
    assert loop._default_executor is None
    loop.set_default_executor(ThreadPoolExecutor(2))
    await asyncio.to_thread(len, "")
    assert (len(loop._default_executor._threads), loop._default_executor._max_workers) == (1, 2)


@pins("_run", "_run_once")
@in_a_loop
async def test_the_loop_calls_through_its_own_two_functions():
    frame, codes = sys._getframe(), []
    while frame is not None:
        codes.append(frame.f_code)
        frame = frame.f_back
    runs, once = events.Handle._run.__code__, base_events.BaseEventLoop._run_once.__code__
    assert codes.index(once) - codes.index(runs) == 1


@pins("_selector", "_ssock", "_signal_handlers")
def test_a_loop_that_nothing_is_open_in_waits_for_itself_only():
    loop = asyncio.SelectorEventLoop()
    [(_, number, _, handles)] = loop._selector.get_map().values()
    assert number == loop._ssock.fileno()
    assert handles[0]._callback == loop._read_from_self
    if sys.platform != "win32":
        assert loop._signal_handlers == {}
        loop.add_signal_handler(signal.SIGTERM, print)
        assert list(loop._signal_handlers) == [signal.SIGTERM]
    loop.close()


@pins("_paused")
@in_a_loop
async def test_a_stream_that_nobody_reads_says_that_it_is_full():
    class Transport:
        def pause_reading(self):
            pass

    stream = asyncio.StreamReader(limit=10)
    stream.set_transport(Transport())
    assert stream._paused is False
    stream.feed_data(bytes(100))
    assert stream._paused is True


@pins("_get_running_loop", "_set_running_loop", "_lazy_init")
def test_a_loop_that_runs_says_so_in_one_place_and_a_runner_has_one_lazily(monkeypatch):
    said, plain, lazily = [], events._set_running_loop, runners.Runner._lazy_init
    monkeypatch.setattr(events, "_set_running_loop", lambda loop: (said.append(loop), plain(loop)))
    monkeypatch.setattr(runners.Runner, "_lazy_init", lambda runner: (said.append("lazily"), lazily(runner)))

    async def which():
        return events._get_running_loop()

    with asyncio.Runner() as runner:
        loop = runner.run(which())
    assert said[0] == "lazily"
    assert [one for one in said if one != "lazily"][:2] == [loop, None]
    assert events._get_running_loop() is None


@pins("_cancel_all_tasks")
def test_a_runner_that_closes_cancels_what_is_left_by_one_function_that_is_told_the_loop(monkeypatch):
    said, plain = [], runners._cancel_all_tasks
    monkeypatch.setattr(runners, "_cancel_all_tasks", lambda loop: (said.append(loop), plain(loop)))
    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))
        loop = runner.get_loop()
        assert said == []
    assert said == [loop]


@pins("_showwarnmsg")
def test_a_warning_is_shown_by_one_function_that_is_told_all_of_it(monkeypatch):
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "_showwarnmsg", said.append)
        warnings.warn("a word", stacklevel=1)
    [told] = said
    assert (str(told.message), told.filename, told.source) == ("a word", __file__, None)


@pins("_warn_unawaited_coroutine")
def test_python_warns_of_a_dropped_coroutine_by_one_function_and_does_not_count_what_is_hidden(monkeypatch):
    async def work():
        pass

    def between(coroutine):
        told.append(coroutine.__qualname__)
        plain(coroutine)

    between.__code__ = between.__code__.replace(co_filename=UNCOUNTED)
    told, plain = [], warnings._warn_unawaited_coroutine
    monkeypatch.setattr(warnings, "_warn_unawaited_coroutine", between)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        work()
        gc.collect()
    assert [(warning.filename, warning.category) for warning in said] == [(__file__, RuntimeWarning)]
    assert told == [work.__qualname__]


@pins("_RLock")
def test_a_lock_of_pythons_own_has_a_frame():
    assert threading._RLock.acquire.__code__.co_name == "acquire"


# What one Python has of these, another has not: where a name is gone, what is waited for in it is said less well.
OTHERS = {
    (3, 11): {"TaskGroup._aexit", "_AsCompletedIterator._wait_for_one"},
    (3, 12): {"TaskGroup._aexit", "_AsCompletedIterator._wait_for_one"},
    (3, 13): {"TaskGroup._aexit", "as_completed.<locals>._wait_for_one"},  # 3.13.0 lacks the first one
    (3, 14): {"as_completed.<locals>._wait_for_one"},
    (3, 15): {"as_completed.<locals>._wait_for_one"},
}


def test_what_is_waited_for_is_told_from_functions_that_there_are():
    missing = {name for functions in KINDS.values() for module, name in functions if _code(module, name) is None}
    assert missing <= OTHERS.get(sys.version_info[:2], set()), "which function took its place?"


@pytest.mark.skipif(not hasattr(sys, "remote_exec"), reason="from Python 3.14 on")
def test_the_interpreter_can_be_looked_at_from_outside():
    said = subprocess.run([sys.executable, "-m", "asyncio", "ps", "--help"], capture_output=True, text=True, timeout=60)
    assert "pid" in said.stdout
    import _remote_debugging

    for name in ("get_async_stack_trace", "get_all_awaited_by", "get_stack_trace"):
        assert callable(getattr(_remote_debugging.RemoteUnwinder, name))
