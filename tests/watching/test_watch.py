"""What a watch sees: states and moments, names and outcomes, what is waited for and where, and threads."""

import asyncio
import gc
import inspect
import threading
import time
import warnings
from contextlib import suppress
from itertools import pairwise

import pytest

from kitchen import State, Timeline
from kitchen.recorder import listening
from kitchen.watching.record import Record
from kitchen.watching.watch import watch

RUNNING, READY, WAITING, IDLING = State.RUNNING, State.READY, State.WAITING, State.IDLING
CLOSE = 0.02  # seconds


def spans(run, lane, state=None):
    return [span for span in run.timeline.by_lane[lane] if state in (None, span.state)]


def labels(run, lane):
    return [span.label for span in spans(run, lane, WAITING) if span.duration > 0.001]


def line_of(function, text):
    """The line of a function in which `text` stands."""
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


async def sleeper(seconds=0.01):
    await asyncio.sleep(seconds)


async def blocker():
    await asyncio.sleep(0.01)
    time.sleep(1)  # noqa: ASYNC251


def test_who_is_kept_waiting_by_a_blocked_loop_is_ready():
    async def main():
        async with watch() as run, asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(sleeper(0.2), name=f"victim {number}")
            group.create_task(blocker(), name="blocker")
        return run

    run = asyncio.run(main())
    held = max(spans(run, "blocker", IDLING), key=lambda span: span.duration)  # it has the loop, and only waits
    assert held.inferred and held.duration >= 0.5
    for number in range(3):
        first, *_ = spans(run, f"victim {number}", WAITING)
        kept = max(spans(run, f"victim {number}", READY), key=lambda span: span.duration)
        assert first.start + 0.2 - CLOSE <= kept.start < held.end
        assert kept.end >= held.end - CLOSE
        assert first.end == kept.start
    (finding,) = run.findings
    assert finding.kind == "blocked"
    assert f"line {line_of(blocker, 'time.sleep')} held the loop for" in finding.text
    assert "3 tasks were ready" in finding.text
    assert (finding.file, finding.line) == (__file__, line_of(blocker, "time.sleep"))
    assert finding.span.lane == "blocker"


def test_while_the_loop_is_blocked_its_victims_are_shown_as_ready():
    seen, recorders = [], []

    def look():
        (recorder,) = recorders
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and recorder.ended is None:
            timeline = recorder.timeline()
            seen.append([(lane, spans[-1].state) for lane, spans in timeline.by_lane.items() if spans])
            time.sleep(0.05)

    async def main():
        async with watch() as run:
            looker = threading.Thread(target=look, name="kitchen looks")
            looker.start()
            await asyncio.gather(
                asyncio.create_task(sleeper(0.1), name="victim"), asyncio.create_task(blocker(), name="blocker")
            )
        looker.join()
        return run

    with listening(recorders.append):
        run = asyncio.run(main())
    assert any({("victim", READY), ("blocker", IDLING)} <= set(states) for states in seen)
    kept = max(spans(run, "victim", READY), key=lambda span: span.duration)
    assert 0.1 - CLOSE <= kept.start < max(spans(run, "blocker", IDLING), key=lambda span: span.duration).end


def test_a_task_that_is_lost_has_waited_until_then():
    async def lost():
        await asyncio.get_running_loop().create_future()

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: None)
        async with watch() as run:
            asyncio.create_task(lost(), name="lost")  # noqa: RUF006
            await asyncio.sleep(0.1)
            gc.collect()
        return run

    run = asyncio.run(main())
    assert run.timeline.outcomes["lost"] == "lost"
    (waited,) = spans(run, "lost", WAITING)
    assert waited.duration >= 0.1 - CLOSE and waited.end == spans(run, "lost")[-1].end


@pytest.mark.parametrize("enter", [watch.__aenter__, watch.__enter__])
def test_a_block_that_somebody_else_ends_has_waited_until_then(enter):
    async def main():
        run = watch()
        entered = enter(run)
        if inspect.isawaitable(entered):
            await entered
        asyncio.get_running_loop().call_later(0.1, run.close)
        await asyncio.sleep(0.15)
        return run

    run = asyncio.run(main())
    last = spans(run, run.timeline.lanes[0])[-1]
    assert last.state is WAITING and last.duration >= 0.1 - CLOSE


def test_who_could_have_gone_on_when_the_block_ended_was_kept_waiting():
    async def waits(event):
        await event.wait()

    async def main():
        event = asyncio.Event()
        async with watch() as run:
            tasks = asyncio.create_task(sleeper(0.1), name="timer"), asyncio.create_task(waits(event), name="event")
            await asyncio.sleep(0.05)
            event.set()
            time.sleep(0.4)  # noqa: ASYNC251
        await asyncio.wait(tasks)
        return run

    run = asyncio.run(main())
    for name in ("timer", "event"):
        waited, ready = spans(run, name)[-2:]
        assert (waited.state, ready.state) == (WAITING, READY) and ready.end == run.timeline.makespan
    assert spans(run, "timer", READY)[-1].start >= 0.1 - CLOSE
    (finding,) = run.findings
    assert finding.kind == "blocked" and "2 tasks were ready" in finding.text
    assert finding.line == line_of(test_who_could_have_gone_on_when_the_block_ended_was_kept_waiting, "time.sleep")


def test_so_was_who_is_the_next_in_the_round_in_which_it_ends():
    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def blocks():
            time.sleep(0.3)
            future.set_result(None)

        async with watch() as run:
            task = asyncio.create_task(sleeper(0.1), name="timer")
            loop.call_later(0.05, blocks)
            await future
        await task
        return run

    run = asyncio.run(main())
    ready = spans(run, "timer")[-1]
    assert ready.state is READY and ready.duration >= 0.2


def test_a_step_is_one_running_span_and_the_spans_of_a_task_tile_its_life():
    async def steps():
        for _ in range(5):
            await asyncio.sleep(0.002)

    async def main():
        async with watch() as run:
            await asyncio.create_task(steps(), name="steps")
        return run

    run = asyncio.run(main())
    found = spans(run, "steps")
    assert len(spans(run, "steps", RUNNING)) == 6
    assert len(spans(run, "steps", WAITING)) == 5
    assert all(before.end == after.start for before, after in pairwise(found))
    assert run.timeline.parents == {"steps": run.timeline.lanes[0]}
    assert Timeline.from_json(run.timeline.to_json()) == run.timeline


def test_what_a_task_waits_for_is_read_off_what_it_awaits():
    lock, queue, event, finish = asyncio.Lock(), asyncio.Queue(), asyncio.Event(), asyncio.Event()
    go = threading.Event()

    async def waits():
        await asyncio.sleep(0.1)
        async with lock:
            pass
        await queue.get()
        await event.wait()
        await other
        await asyncio.gather(sleeper(), sleeper())
        await asyncio.to_thread(go.wait)
        await future

    async def main():
        nonlocal other, future

        async def waits_at(text):
            while task.get_stack()[-1].f_lineno != line_of(waits, text):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.002)

        async with watch() as run:
            await lock.acquire()
            future = asyncio.get_running_loop().create_future()
            other = asyncio.create_task(finish.wait(), name="other")
            task = asyncio.create_task(waits(), name="waits")
            for text, go_on in {
                "async with lock": lock.release,
                "queue.get": lambda: queue.put_nowait(1),
                "event.wait": event.set,
                "await other": finish.set,
                "to_thread": go.set,
                "await future": lambda: future.set_result(None),
            }.items():
                await waits_at(text)
                go_on()
            await task
        return run

    other = future = None
    run = asyncio.run(main())
    kinds = [label.partition(",")[0] for label in labels(run, "waits")]
    assert kinds == ["sleep", "lock", "queue", "event", "task other", "tasks", "thread asyncio_0", "future"]
    assert f"line {line_of(waits, 'queue.get')}" in labels(run, "waits")[2]


def test_a_socket_is_one():
    async def answer(reader, writer):
        await reader.readline()
        await asyncio.sleep(0.02)
        writer.write(b"pong\n")
        writer.close()

    async def main():
        async with watch() as run:
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"ping\n")
            await reader.readline()
            writer.close()
            server.close()
        return run

    run = asyncio.run(main())
    assert labels(run, run.timeline.lanes[0])[-1].startswith("socket, test_watch.py, line")
    assert run.findings == []


def test_what_became_of_each_task():
    async def fails():
        raise ValueError("burnt")

    async def slow():
        async with asyncio.timeout(0.005):
            await asyncio.sleep(5)

    async def main():
        async with watch() as run:
            tasks = [
                asyncio.create_task(coroutine, name=name)
                for name, coroutine in {
                    "fails": fails(),
                    "slow": slow(),
                    "done": sleeper(),
                    "stopped": sleeper(5),
                }.items()
            ]
            await asyncio.sleep(0.001)
            tasks[-1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            going_on = asyncio.create_task(sleeper(5), name="going on")
            await asyncio.sleep(0.001)
        going_on.cancel()
        return run

    run = asyncio.run(main())
    assert run.timeline.outcomes == {
        "fails": "failed: ValueError: burnt",
        "slow": "timed out",
        "stopped": "cancelled",
        "going on": "unfinished",
    }


def test_what_goes_wrong_is_found():
    async def nobody():
        await asyncio.get_running_loop().create_future()

    async def stubborn():
        for seconds in (5, 0.15):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(seconds)

    async def fails():
        raise ValueError("unseen")

    async def main():
        async with watch() as run:
            asyncio.create_task(nobody())  # noqa: RUF006
            task = asyncio.create_task(stubborn(), name="stubborn")
            failed = asyncio.create_task(fails())
            await asyncio.sleep(0.001)
            gc.collect()
            task.cancel()
            await task
            sleeper()
            for _ in range(3):
                await sleeper(0.05)
            for number in range(3):
                await wanted(number)
        return run, failed

    async def wanted(number):
        await asyncio.sleep(0.05)
        return number

    gc.collect()
    gc.freeze()  # else the collection within takes long
    with warnings.catch_warnings(record=True):
        run, failed = asyncio.run(main())
    kinds = {finding.kind: finding for finding in run.findings}
    assert len(run.findings) == 5
    assert failed.exception()
    assert len(run.findings) == 4, "the error has been looked at"
    assert set(kinds) == {"lost", "unnoticed", "swallowed", "never awaited", "in a row"}
    assert kinds["swallowed"].line == line_of(stubborn, "sleep(seconds)")
    assert kinds["never awaited"].line == line_of(main, " sleeper()")
    assert kinds["in a row"].line == line_of(main, "wanted(number)")


def test_more_tasks_at_once_than_one_wants():
    async def main(at_once):
        async def ask():
            reader, writer = await asyncio.open_connection(*address)
            await reader.readline()
            writer.close()

        async def answer(reader, writer):
            await asyncio.sleep(0.05)
            writer.write(b"\n")
            writer.close()

        async with watch(at_once=at_once) as run:
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            address = server.sockets[0].getsockname()
            await asyncio.gather(*(ask() for _ in range(12)))
            server.close()
        return run.findings

    assert asyncio.run(main(30)) == []
    (finding,) = asyncio.run(main(5))
    assert finding.kind == "too many" and "more than 5" in finding.text


def test_threads_have_lanes_and_what_is_said_of_them_is_inferred():
    def works():
        while time.thread_time() < 0.15:
            sum(range(1000))

    def sleeps():
        time.sleep(0.15)

    with watch() as run:
        threads = [threading.Thread(target=target, name=target.__name__) for target in (works, sleeps)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert run.timeline.lanes == ("works", "sleeps")
    assert all(span.inferred for span in run.timeline.spans)
    used = [sum(span.duration for span in spans(run, lane, RUNNING)) for lane in run.timeline.lanes]
    assert used[0] > 10 * used[1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kitchen")]


def test_bad_uses_say_what_is_wrong():
    with pytest.raises(ValueError, match="at_once=0"):
        watch(at_once=0)
    with pytest.raises(RuntimeError, match="not begun"):
        watch().timeline  # noqa: B018
    with pytest.raises(RuntimeError, match="not begun"):
        watch().findings  # noqa: B018
    run = watch()
    with run:
        pass
    with pytest.raises(RuntimeError, match="used already"), run:
        pass
    assert "not begun" in repr(watch())


def test_two_of_one_name_are_told_apart():
    recorder = Record("names")
    assert [recorder.add_lane(name) for name in ("a", "a", "a (2)", "a")] == [0, 1, 2, 3]
    assert len(set(recorder.lanes)) == 4


def test_a_watch_within_a_watch_sees_too():
    async def main():
        async with watch() as outer, watch() as inner:
            await asyncio.create_task(sleeper(), name="seen twice")
        return outer, inner

    for run in asyncio.run(main()):
        assert [span.state for span in spans(run, "seen twice", WAITING)] == [WAITING]


LIBRARY = """
import asyncio

async def helper():
    await asyncio.sleep(0)

async def fetch(calls):
    await asyncio.gather(*(call() for call in calls), *(helper() for _ in range(4)))
"""


def test_a_task_that_wakes_another_and_gives_way_in_the_step_in_which_its_watch_began_is_seen():
    inner = watch()

    async def gives_way(gate):
        with inner:
            gate.set()
            for _ in range(3):
                await asyncio.sleep(0)

    async def main():
        async with watch():
            gate = asyncio.Event()
            task = asyncio.create_task(gives_way(gate), name="gives way")
            await gate.wait()
            await task

    asyncio.run(main())
    assert len(spans(inner, "gives way", RUNNING)) == 3  # the first began unseen


def test_tasks_that_a_library_makes_for_itself_are_asides_and_those_of_the_readers_code_are_not(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "a_library_to_watch.py").write_text(LIBRARY, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    import a_library_to_watch as library

    async def mine():
        await asyncio.sleep(0)

    async def main():
        async with watch() as run, asyncio.TaskGroup() as group:
            group.create_task(library.fetch([mine]), name="asked for")
            group.create_task(asyncio.sleep(0), name="a sleep of mine")
        return run

    timeline = asyncio.run(main()).timeline
    assert len(timeline.asides) == 4 == len(timeline.folded)
    assert {"asked for", "a sleep of mine"} <= set(timeline.lanes) - set(timeline.asides)
    assert len(timeline.lanes) == 8
