"""What is said when the loop is held by what is not one long step of a watched task, and what the advice is."""

import asyncio
import hashlib
import json
import re
import select
import selectors
import socket
import threading
import time
from concurrent.futures import Future
from functools import partial

import pytest
from helpers.looked import hold, let_go

from kitchen.timeline import READY, RUNNING
from kitchen.watching.cpu import one_at_a_time
from kitchen.watching.watch import watch


def line_of(text):
    with open(__file__, encoding="utf-8") as file:
        (number,) = [number for number, line in enumerate(file, 1) if line.rstrip().endswith("#" + " " + text)]
    return number


async def tick(times=15, pause=0.02):
    for _ in range(times):
        await asyncio.sleep(pause)


def watched(*programs):
    """The run of these, side by side, each a coroutine function."""

    async def main():
        async with watch() as run:
            let_go(run)
            await asyncio.gather(*(program() for program in programs))
        return run

    return asyncio.run(main())


def of_line(run, text):
    (finding,) = [finding for finding in run.findings if finding.line == line_of(text)]
    assert finding.kind == "blocked"
    return finding


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(300))  # a thread computes


@pytest.mark.long
def test_a_callback_that_is_not_python_is_named():
    async def program():
        asyncio.get_running_loop().call_later(0.05, time.sleep, 1.2)
        await tick()

    run = watched(program, tick)
    (finding,) = run.findings
    name = "time.sleep" if one_at_a_time() else "a function in C"  # whose name stands in a frame that goes on meanwhile
    assert re.match(rf"a callback, {re.escape(name)}, held the loop for \d+\.\d{{3}} s", finding.text)
    assert "It only waited there" in finding.text


def test_a_callback_of_the_readers_is_named_by_its_line():
    def refresh():
        hold()  # a timer's callback

    async def program():
        asyncio.get_running_loop().call_later(0.05, refresh)
        await tick()

    text = of_line(watched(program, tick), "a timer's callback").text
    assert "; 2 tasks were ready" in text
    if one_at_a_time():  # else nobody can ask whether it is a task's
        assert text.endswith("a callback cannot await: start a task and keep it, or hand it to loop.run_in_executor.")


def test_a_done_callback_is_named_by_its_line():
    def done(task):
        hold()  # a done callback

    async def program():
        asyncio.ensure_future(tick(2)).add_done_callback(done)
        await tick()

    assert of_line(watched(program, tick), "a done callback")


def test_a_callback_that_waits_for_a_thread_is_told_to_start_a_task():
    def ask(future):
        with pytest.raises(TimeoutError):
            future.result(timeout=0.3)  # in a callback

    async def program():
        asyncio.get_running_loop().call_later(0.03, ask, Future())
        await tick()

    text = of_line(watched(program), "in a callback").text
    assert "start a task that awaits asyncio.wrap_future" in text or not one_at_a_time()


def test_a_protocol_is_named_by_its_line():
    class Slow(asyncio.Protocol):
        def data_received(self, data):
            hold()  # a protocol

    async def program():
        server = await asyncio.get_running_loop().create_server(Slow, "127.0.0.1")
        _, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(b"hello")
        await tick()
        writer.close()
        server.close()

    assert of_line(watched(program, tick), "a protocol")


def test_an_exception_handler_that_blocks_between_two_callbacks_is_named_by_its_line():
    def handle(loop, context):
        hold()  # an exception handler

    async def fails():
        raise ValueError

    async def program():
        asyncio.get_running_loop().set_exception_handler(handle)
        asyncio.create_task(fails())  # noqa: RUF006
        await tick()

    found = {finding.kind: finding for finding in watched(program, tick).findings}
    assert found.keys() == {"blocked", "unnoticed"}
    assert found["blocked"].line == line_of("an exception handler")


@pytest.mark.parametrize("pause", [hold, partial(time.sleep, 0.001)], ids=["long", "short"])
def test_what_is_let_go_of_between_two_callbacks_is_named_by_its_line(pause):
    class Connection:
        def __del__(self):
            pause()  # when it is dropped

    async def fetch():
        await asyncio.sleep(0.02)
        return Connection()

    async def program():
        asyncio.create_task(fetch())  # noqa: RUF006
        asyncio.get_running_loop().call_later(0.1, id, Connection())
        await tick()

    run = watched(program, tick)
    if pause is hold:
        assert of_line(run, "when it is dropped")
    else:
        assert run.findings == []


def test_a_selector_of_the_programs_own_waits_where_it_is_to_wait():
    class Selector(selectors.DefaultSelector):
        def select(self, timeout=None):
            return self.wait(timeout)

        def wait(self, timeout):
            return super().select(timeout)

    async def main():
        async with watch() as run:
            await tick(2, 0.4)
        return run

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Selector())) as runner:
        run = runner.run(main())
    assert run.findings == []
    assert not {sample.function for sample in run._recorder.samples} & {"select", "wait"}


def test_a_task_from_before_the_block_is_named_by_its_line():
    async def old():
        await asyncio.sleep(0.1)
        hold()  # from before

    async def main():
        before = asyncio.create_task(old())
        async with watch() as run:
            let_go(run)
            await asyncio.gather(tick(), tick())
        await before
        return run

    assert "await something" in of_line(asyncio.run(main()), "from before").text


@pytest.mark.long
def test_many_steps_of_one_line_are_summed():
    async def bit():
        await asyncio.sleep(0.01)
        time.sleep(0.05)  # noqa: ASYNC251  # one of many

    run = watched(*[bit] * 20)
    finding = of_line(run, "one of many")
    times, total = re.search(r"held the loop (\d+) times, ([\d.]+) s in all", finding.text).groups()
    assert 10 <= int(times) <= 20
    assert float(total) >= 10 * 0.05
    assert max(span.duration for span in run.timeline.spans if span.state is READY) >= 0.5


@pytest.mark.long
def test_a_loop_that_is_full_is_worth_a_word():
    async def bit():
        await asyncio.sleep(0.01)
        compute(0.004)

    run = watched(*[bit] * 160)
    assert any("The loop was busy for" in finding.text or finding.line for finding in run.findings)
    assert {finding.kind for finding in run.findings} == {"blocked"}


def test_waiting_in_the_loop_for_what_only_the_loop_can_do():
    async def small():
        return 1

    async def program():
        await asyncio.sleep(0.02)
        future = asyncio.run_coroutine_threadsafe(small(), asyncio.get_running_loop())
        with pytest.raises(TimeoutError):
            future.result(timeout=0.3)  # for itself
        await asyncio.sleep(0.02)

    finding = of_line(watched(program), "for itself")
    assert "await the coroutine itself" in finding.text


@pytest.mark.measured  # who gets a fraction of a CPU only looks as if it waited
@pytest.mark.skipif(not one_at_a_time(), reason="threads do not share an interpreter")
def test_where_threads_compute_another_process_is_advised():
    async def small():
        for _ in range(3):
            await asyncio.sleep(0.01)
            compute(0.03)

    async def threads():
        await asyncio.gather(*(asyncio.to_thread(compute, 0.2) for _ in range(4)))

    run = watched(threads, small, small)
    assert run.findings
    for finding in run.findings:
        assert "only waited" not in finding.text
        assert "asyncio.to_thread" not in finding.text or finding.line != line_of("a thread computes")
    assert any("another process" in finding.text for finding in run.findings)


@pytest.mark.skipif(not one_at_a_time(), reason="threads do not share an interpreter")
def test_where_c_code_in_a_thread_keeps_the_interpreter_its_line_is_named():
    async def program():
        await asyncio.sleep(0.05)
        await asyncio.to_thread(re.match, r"(a+)+$", "a" * 22 + "b")  # it keeps the interpreter

    run = watched(program, tick)
    finding = of_line(run, "it keeps the interpreter")
    assert "kept the interpreter" in finding.text
    assert "hand it to another process" in finding.text


@pytest.mark.skipif(not one_at_a_time(), reason="threads do not share an interpreter")
def test_where_c_code_in_a_thread_from_before_keeps_the_interpreter_its_line_is_named_though_no_step_is_long():
    async def program():
        await asyncio.sleep(0.05)
        await asyncio.to_thread(re.match, r"(a+)+$", "a" * 23 + "b")  # an older thread keeps it

    async def main():
        await asyncio.to_thread(time.sleep, 0)
        async with watch() as run:
            await asyncio.gather(program(), tick())
        return run

    run = asyncio.run(main())
    assert "kept the interpreter" in of_line(run, "an older thread keeps it").text
    assert {span.state for span in run.timeline.by_lane["asyncio_0"]} & {READY, RUNNING}


@pytest.mark.long
@pytest.mark.skipif(not one_at_a_time(), reason="threads do not share an interpreter")
def test_where_c_code_in_a_callback_keeps_the_interpreter_it_is_named():
    def search():
        re.match(r"(a+)+$", "a" * 23 + "b")  # a callback in C

    async def program(callback, *given):
        asyncio.get_running_loop().call_later(0.05, callback, *given)
        await tick()

    finding = of_line(watched(lambda: program(search)), "a callback in C")
    assert "kept the interpreter" in finding.text and "hand it to another process" in finding.text
    (finding,) = watched(lambda: program(re.match, r"(a+)+$", "a" * 23 + "b")).findings
    name = re.match.__name__  # from Python 3.15 on prefixmatch
    assert finding.text.startswith(f"a callback, re.{name}, kept the interpreter")


@pytest.mark.skipif(not one_at_a_time(), reason="threads do not share an interpreter")
def test_where_c_code_in_the_loop_keeps_the_interpreter_no_thread_is_advised():
    async def program():
        await asyncio.sleep(0.05)  # before it
        re.match(r"(a+)+$", "a" * 22 + "b")

    finding = of_line(watched(program, tick), "before it")
    assert finding.text.startswith("something at or after test_held.py, line ")
    assert "hand it to another process" in finding.text


@pytest.mark.skipif(one_at_a_time(), reason="C code keeps the interpreter")
def test_without_a_gil_c_code_in_the_loop_is_named_by_its_own_line():
    async def program():
        await asyncio.sleep(0.05)
        re.match(r"(a+)+$", "a" * 23 + "b")  # in C

    finding = of_line(watched(program, tick), "in C")
    assert "interpreter" not in finding.text


def test_an_import_is_called_one(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text("from helpers.looked import hold\nhold()\n")
    monkeypatch.syspath_prepend(tmp_path)

    async def program():
        await asyncio.sleep(0.05)
        import slow_to_import  # noqa: F401

    (finding,) = watched(program, tick).findings
    assert "It is an import" in finding.text


@pytest.mark.long
def test_an_import_that_a_library_does_is_called_one(tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "has_a_backend.py").write_text("def begin():\n    import slow_backend\n")
    (packages / "slow_backend.py").write_text("from helpers.looked import hold\nhold()\n")
    monkeypatch.syspath_prepend(packages)
    import has_a_backend

    async def program():
        await asyncio.sleep(0.05)
        has_a_backend.begin()  # it imports

    finding = of_line(watched(program, tick), "it imports")
    assert finding.text.endswith("Something is imported in there: import it before the loop runs.")
    assert watched(program, tick).findings == []


class SlowToBegin(threading.Thread):
    """A thread that gets the CPU late."""

    def _bootstrap(self):
        time.sleep(0.3)
        super()._bootstrap()


@pytest.mark.parametrize("starts", [True, False])
def test_that_a_new_thread_waits_for_the_cpu_is_no_fault_of_who_starts_it(starts):
    async def program():
        await asyncio.sleep(0.05)
        if starts:
            SlowToBegin(target=len, args=("",)).start()
        else:
            threading.Event().wait(0.3)  # for nothing

    run = watched(program, tick)
    if starts:
        assert run.findings == []
    else:
        assert of_line(run, "for nothing")


# --- clean ones --------------------------------------------------------------------------------------------------------


async def callbacks_that_are_short():
    loop = asyncio.get_running_loop()
    for number in range(10):
        loop.call_later(0.01 * number, compute, 0.001)
    await tick()


async def a_thread_that_lets_go_of_the_interpreter():
    await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", b"pass", b"salt", 100_000)


async def threads_that_wait():
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.2) for _ in range(4)))


async def json_that_is_small():
    await asyncio.to_thread(json.loads, "[1, 2, 3]")
    await tick()


async def called_from_another_thread():
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def work():
        asyncio.run_coroutine_threadsafe(tick(2), loop).result()
        loop.call_soon_threadsafe(done.set)

    threading.Thread(target=work).start()
    await done.wait()


CLEAN = [
    callbacks_that_are_short,
    a_thread_that_lets_go_of_the_interpreter,
    threads_that_wait,
    json_that_is_small,
    called_from_another_thread,
]


@pytest.mark.parametrize("program", CLEAN, ids=lambda program: program.__name__)
def test_nothing_is_said_where_the_loop_is_free(program):
    for _ in range(3):  # a run in which this computer stood still says nothing of the program
        found = watched(program, tick).findings
        if not found:
            break
    assert found == []


def test_where_none_of_the_readers_lines_ran_the_task_is_named():
    library = {"hold": hold}
    text = "async def serve():\n    hold()\n"
    exec(compile(text, "/lib/site-packages/server.py", "exec"), library)

    async def program():
        await asyncio.create_task(library["serve"](), name="server")

    (finding,) = watched(program, tick).findings
    assert re.match(r"server held the loop for \d+\.\d{3} s", finding.text)
    assert "None of your own lines did" in finding.text


@pytest.mark.skipif(not hasattr(select, "poll"), reason="this system cannot be asked what has come")
@pytest.mark.parametrize("meanwhile", ["a line comes", "it is closed", "nothing comes"])
def test_what_comes_through_a_connection_meanwhile_is_kept_waiting(meanwhile):
    async def main():
        here, there = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=here)
        async with watch() as run:
            let_go(run)
            task = asyncio.create_task(reader.readline())
            await asyncio.sleep(0.01)
            if meanwhile == "a line comes":
                there.send(b"hello\n")
            elif meanwhile == "it is closed":
                there.close()
            hold()  # and nobody reads
            there.close()
            await task
        writer.close()
        return run

    run = asyncio.run(main())
    if meanwhile == "a line comes":
        finding = of_line(run, "and nobody reads")
        assert "; something had come through 1 connection. It only waited there" in finding.text
    elif meanwhile == "nothing comes" or hasattr(select, "POLLRDHUP"):
        assert run.findings == []


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="from Python 3.12 on tasks may begin at once")
def test_who_made_a_task_that_began_at_once_was_not_kept_waiting_by_it():
    async def report():
        time.sleep(0.3)  # noqa: ASYNC251
        await asyncio.sleep(0)

    async def program():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with asyncio.TaskGroup() as group:
            group.create_task(report())

    async def main():
        async with watch() as run:
            await asyncio.create_task(program())
        return run

    assert asyncio.run(main()).findings == []
