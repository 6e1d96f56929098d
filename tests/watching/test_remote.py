"""A running program, seen from outside: looks become lanes, a tree says who waits for whom, and refusals are in words."""

import os
import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace as Has

import pytest

from kitchen.commands import attach
from kitchen.timeline import IDLING, RUNNING, WAITING
from kitchen.watching import remote
from kitchen.watching.remote import Attached, CannotAttach

newest = pytest.mark.skipif(sys.version_info < remote.OLDEST, reason="only 3.14 and newer can be looked at")


def frame(name, file="/home/me/app.py", line=1):
    return Has(funcname=name, filename=file, lineno=line)


def task(number, name, *stack, waiters=()):
    coroutines = [Has(call_stack=list(stack), task_name=number)]
    return Has(
        task_id=number, task_name=name, coroutine_stack=coroutines, awaited_by=[Has(task_name=n) for n in waiters]
    )


SLEEP = frame("sleep", "/usr/lib/python3.14/asyncio/tasks.py", 716)
LOCK = frame("Lock.acquire", "/usr/lib/python3.14/asyncio/locks.py", 110)


class Looked:
    """Stands in for the interpreter's own unwinder: it gives one look after the other, then the last one again."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def get_async_stack_trace(self):
        first = self.looks[0]
        if isinstance(first, Exception):
            self.looks.pop(0)
            raise first
        return [Has(thread_id=7, awaited_by=[each for each in first if each.task_name in self.running])]

    def get_all_awaited_by(self):
        looked = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return [Has(thread_id=7, awaited_by=looked), Has(thread_id=0, awaited_by=[])]

    running = ()


@pytest.fixture
def attached(monkeypatch):
    def make(*looks, running=(), sleeps=False):
        unwinder = Looked(*looks)
        unwinder.running = running
        monkeypatch.setattr(remote, "_unwinder", lambda pid: unwinder)
        monkeypatch.setattr(remote, "_sleeps", lambda pid, thread: sleeps)
        return Attached(os.getpid())

    return make


def test_each_task_has_a_lane_from_the_look_that_first_saw_it_to_the_one_that_did_not(attached):
    one, two = task(1, "one", SLEEP, frame("nap", line=4)), task(2, "two", LOCK, frame("take", line=9))
    with attached([one], [one, two], [two], [two]) as run:
        for _ in range(4):
            run.look()
    timeline = run.timeline()
    assert timeline.lanes == ("one", "two")
    (first,), (second,) = timeline.by_lane.values()
    assert (first.state, first.label, first.inferred) == (WAITING, "sleep, app.py, line 4", True)
    assert (second.label, second.inferred) == ("Lock.acquire, app.py, line 9", True)
    assert first.start < second.start < first.end < second.end
    assert set(timeline.outcomes) == {"two"}


@pytest.mark.parametrize(("sleeps", "state"), [(True, IDLING), (False, RUNNING)])
def test_who_has_the_loops_thread_runs_or_idles(attached, sleeps, state):
    with attached([task(1, "one", frame("work"))], running=["one"], sleeps=sleeps) as run:
        run.look()
    (span,) = run.timeline().spans
    assert span.state is state


def test_a_task_whose_number_another_task_gets_is_over(attached):
    with attached([task(1, "one", SLEEP)], [task(1, "other", SLEEP)]) as run:
        run.look()
        run.look()
    assert run.timeline().lanes == ("one", "other")


def test_a_look_that_could_not_be_read_is_missed_and_the_run_goes_on(attached):
    with attached(RuntimeError("torn"), [task(1, "one", SLEEP)]) as run:
        run.look()
        run.look()
    assert (run.looks, run.missed, run.timeline().lanes) == (1, 1, ("one",))


def test_the_tree_has_those_that_nobody_awaits_first_and_below_each_what_it_awaits(attached):
    main = task(1, "main", frame("TaskGroup._aexit"), frame("main", line=3))
    tasks = [task(2, "a", SLEEP, frame("nap", line=4), waiters=[1]), main, task(3, "b", LOCK, waiters=[1])]
    with attached(tasks) as run:
        run.look()
    lines = [line.rpartition(",")[0] for line in run.who_waits_for_whom()]
    assert lines == [
        "main: a, b, app.py, line 1",
        "  a: sleep, app.py, line 4",
        "  b: Lock.acquire, locks.py, line 110",
    ]


def test_a_circle_is_told_and_does_not_hang(attached):
    with attached([task(1, "a", SLEEP, waiters=[2]), task(2, "b", SLEEP, waiters=[1])]) as run:
        run.look()
    lines = run.who_waits_for_whom()
    assert len(lines) == 3 and "none of them can ever go on" in lines[-1]


def test_words_of_the_program_are_made_printable(attached):
    with attached([task(1, "a\x1b[31m\nb", frame("work\n"))]) as run:
        run.look()
    assert all(text.isprintable() for text in (*run.timeline().lanes, *run.who_waits_for_whom()))


def test_an_older_python_is_refused_with_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(remote.sys, "version_info", (3, 13, 1))
    assert attach.main([str(os.getpid())]) == 1
    said = capsys.readouterr().err
    assert "only Python 3.14 and newer" in said and "python3.14 -m kitchen attach" in said


def test_the_page_is_known_to_be_writable_before_the_first_look(tmp_path, capsys):
    with pytest.raises(SystemExit):
        attach.main(["1", "--out", str(tmp_path / "no" / "page.html")])
    assert f"there is no folder {tmp_path / 'no'} to write page.html to" in capsys.readouterr().err


def test_a_name_that_no_file_can_have_is_told_in_words(capsys):
    with pytest.raises(SystemExit):
        attach.main(["1", "--out", "x" * 5000 + ".html"])
    said = capsys.readouterr().err
    assert "cannot write to" in said and "Traceback" not in said


PROGRAM = """
import asyncio, time
async def nap():
    await asyncio.sleep(3600)
async def held(lock):
    async with lock:
        await nap()
async def wants(lock):
    async with lock:
        pass
async def blocks():
    while True:
        await asyncio.sleep(0.001)
        time.sleep(0.05)
async def main():
    lock = asyncio.Lock()
    async with asyncio.TaskGroup() as group:
        group.create_task(held(lock), name="holder")
        await asyncio.sleep(0)
        group.create_task(wants(lock), name="waiter")
        group.create_task(blocks(), name="blocker")
        print("ready", flush=True)
asyncio.run(main())
"""


@contextmanager
def running(code):
    """A process that runs this, from its first printed line on."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            yield process
        finally:
            process.kill()


@newest
def test_a_program_that_hangs_says_for_whom_it_waits(tmp_path, capsys):
    out = tmp_path / "page.html"
    with running(PROGRAM) as process:
        assert attach.main([str(process.pid), "--seconds", "1", "--out", str(out)]) == 0
        assert process.poll() is None, "looking does not end it"
    said = capsys.readouterr().out
    assert "waiter: Lock.acquire, line 9" in said
    assert "holder: sleep, line 4" in said
    assert "main (Task-1): " in said and out.read_text(encoding="utf-8").rstrip().endswith("</html>")


@newest
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whether a thread sleeps")
def test_who_holds_the_loop_without_using_the_cpu_idles():
    with running(PROGRAM) as process, Attached(process.pid) as run:
        while run.looks < 300:
            run.look()
    states = {span.state for span in run.timeline().by_lane["blocker"]}
    assert IDLING in states


@newest
def test_it_ends_with_the_program():
    with (
        running("import asyncio\nprint('ready', flush=True)\nasyncio.run(asyncio.sleep(3600))") as process,
        Attached(process.pid) as run,
    ):
        process.kill()
        with pytest.raises(ProcessLookupError):
            while True:
                run.look()


@newest
@pytest.mark.parametrize("code", ["print('ready', flush=True)\nimport time\ntime.sleep(3600)", None])
def test_what_cannot_be_looked_at_is_told_in_words(code):
    if code is None:
        with pytest.raises(CannotAttach, match="there is no process"):
            Attached(2**22 + 1)
        return
    with running(code) as process:
        try:
            with Attached(process.pid) as run:  # from 3.15 on such a program has a table too, an empty one
                run.look()
                assert run.timeline().lanes == ()
        except CannotAttach as refused:
            assert "has not imported asyncio" in str(refused)
