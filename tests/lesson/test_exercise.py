"""What exercises are made with: verdicts, stubs that nobody touched, deadlines, hints and solutions."""

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import suppress

import pytest

from kitchen import dinner, simulate
from kitchen.exercises import start_here
from kitchen.lesson.exercise import BINDER, NOTEBOOKS, Right, _on_binder, exercise
from kitchen.lesson.running import Wrong, call, run


@exercise(
    stub='''
    def doubled(number):
        """Twice the number."""
        ...
    ''',
    solution="""
    def doubled(number):
        return 2 * number
    """,
    hints=["Think of `*`.", "<script>2 * number</script>"],
)
def doubled(answer):
    """Return twice the number."""
    timeline = simulate.sync(dinner())
    if (given := call(answer, 2)) != 4:
        raise Wrong(f"2 became {given}", timeline, timeline.spans[0])
    return Right("2 became 4", timeline)


def test_a_stub_that_nobody_touched_is_neither_right_nor_wrong():
    def other(number):
        """Another docstring, other places, another file."""

    for answer in (doubled.made(doubled.stub), other, ...):
        verdict = doubled.check(answer)
        assert verdict.right is None and not verdict
        assert str(verdict) == "Not attempted yet: Return twice the number."


def test_where_nothing_runs_an_exercise_leads_to_its_notebook_on_binder():
    html = start_here.side_dish.check(...)._repr_mimebundle_()["text/html"]
    assert f'<a href="{BINDER}00-start-here.ipynb">Open this notebook on Binder</a>' in html
    assert "<code>python3 -m kitchen</code>" in html
    for path in NOTEBOOKS.glob("*.ipynb"):
        assert _on_binder(f"kitchen.exercises.{path.stem[3:].replace('-', '_')}") == BINDER + path.name


def test_a_stub_with_a_program_in_it_is_one_until_that_changes():
    @exercise(stub="async def both(get):\n    return [await get(n) for n in (1, 2)]", solution="both = 1", hints=[])
    def both(answer):
        """Faster."""
        raise Wrong("touched")

    assert both.check(both.made(both.stub)).right is None
    assert both.check(both.made(both.stub.replace("(1, 2)", "(1, 3)"))).right is False
    assert both.check(both.made(both.stub.replace("await get(n)", "get(n)"))).right is False


def test_right_and_wrong_are_said_with_the_picture_and_the_span():
    right, wrong = doubled.check(lambda number: number + 2), doubled.check(lambda number: number)
    assert right and str(right) == "Right: 2 became 4"
    assert wrong.right is False and str(wrong) == "Not yet: 2 became 2"
    assert wrong.timeline.findings[-1][1:] == ("steak, 0 to 2 min", "", 0, wrong.timeline.spans[0])
    assert wrong._repr_mimebundle_()["text/html"].count("2 became 2") == 1, "said once; the picture says where"
    assert "kitchen-away" not in wrong._repr_mimebundle_()["text/html"], "it was run"
    assert "cook" in wrong._repr_mimebundle_()["text/plain"]


def test_what_the_readers_code_raises_is_said_with_its_line():
    code = "def doubled(number):\n    number = str(number)\n    return number / 2"
    verdict = doubled.check(doubled.made(code))
    assert verdict.right is False
    assert verdict.text.startswith("your code raised TypeError: unsupported operand")
    assert verdict.text.endswith("(line 3 of the cell)")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (5, "write a function: 5 is not one"),
        (None, "write a function: None is not one"),
        ("def doubled(): return 4", "doubled() takes 0 positional arguments but 1 was given"),
        ("def doubled(number): raise SystemExit", "your code let SystemExit out"),
        ("def doubled(number): raise ExceptionGroup('two', [KeyError('one'), KeyError('other')])", "KeyError: 'one'"),
        ("doubled = int", "2 became 2"),
        ("def doubled(number): raise ValueError('\\ud800')", "your code raised ValueError: ?"),
        ("def doubled(number): return 'x' * 10**6", "2 became xxx"),
        ("class doubled:\n    def __init__(self, number): self.number = number", "2 became <"),
    ],
)
def test_odd_answers_are_told_what_is_odd_about_them(answer, says):
    verdict = doubled.check(doubled.made(answer) if isinstance(answer, str) else answer)
    assert verdict.right is False
    assert says in verdict.text
    assert len(verdict._repr_mimebundle_()["text/plain"].encode()) < 10_000


def test_what_cannot_even_be_said_is_said():
    class Rude:
        def __repr__(self):
            raise RuntimeError("no")

    assert "Rude, whose repr raises RuntimeError" in doubled.check(Rude()).text


@pytest.mark.parametrize(
    ("stub", "touched"),
    [
        ("def f(a):\n    return a is None", "def f(a):\n    return a is not None"),
        ("def f(a):\n    return 1 in a", "def f(a):\n    return 1 not in a"),
        ("def f(a, b=1): ...", "def f(a, b=2): ..."),
        ("def f(a): ...", "def f(*a): ..."),
        ("def f(a, b): ...", "def f(a, *, b): ..."),
        (
            "def f(a):\n    return {}",
            "import functools\n@functools.wraps(print)\ndef g(a): ...\nf = functools.cache(g)",
        ),
    ],
)
def test_the_smallest_touch_counts(stub, touched):
    @exercise(stub=stub, solution="", hints=[])
    def f(answer):
        """Touch it."""
        raise Wrong("touched")

    assert f.check(f.made(stub)).right is None
    assert f.check(f.made(touched)).right is False


@pytest.mark.parametrize("stub", ["def f(a):\n    return {}", "async def f(a):\n    return [x for x in a]"])
def test_a_docstring_is_no_touch(stub):
    @exercise(stub=stub, solution="", hints=[])
    def f(answer):
        """Touch it."""
        raise Wrong("touched")

    first, rest = stub.split("\n", 1)
    assert f.check(f.made(f'{first}\n    """Says what it is for."""\n{rest}')).right is None


def test_a_verdict_leaves_the_timeline_as_it_was():
    timeline = simulate.sync(dinner())

    @exercise(stub="def f(): ...", solution="", hints=[])
    def f(answer):
        """Whatever."""
        raise Wrong("off", timeline, timeline.spans[0])

    assert [len(f.check(lambda: 1).timeline.findings) for _ in range(2)] == [1, 1]
    assert timeline.findings == ()


def test_what_the_check_itself_raises_is_no_verdict():
    @exercise(stub="def broken(): ...", solution="", hints=[])
    def broken(answer):
        """Whatever."""
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        broken.check(broken.made("def broken(): return 1"))


def test_words_from_outside_are_escaped():
    def hostile(number):
        raise ValueError("<img src=x onerror=alert(1)>")

    assert "<img src=x" not in doubled.check(hostile)._repr_mimebundle_()["text/html"]
    assert "<script>2" not in doubled.hint()._repr_mimebundle_()["text/html"]


def test_hints_and_solution_are_folded_in_a_page_and_come_one_by_one_in_a_terminal():
    folded = exercise(stub=doubled.stub, solution=doubled.answer_code, hints=doubled.hints)(doubled._judge)
    first, second = folded.hint(), folded.hint()
    assert "Think of" in str(first) and "script" not in str(first)
    assert "script" in str(second)
    html = first._repr_mimebundle_()["text/html"]
    assert html.count("<details>") == 2 and "<code>*</code>" in html
    assert first._repr_mimebundle_()["text/plain"] == "(Folded: hint 1 of 2, hint 2 of 2. Run this cell, and unfold.)"
    assert (
        "<pre>def doubled(number):\n    return 2 * number</pre>" in folded.solution()._repr_mimebundle_()["text/html"]
    )
    assert "return 2 * number" in str(folded.solution())


@pytest.fixture(autouse=True)
def older():
    """Threads that were there before a test: a wrong answer that waits for a lock, which nothing can end, may be one."""
    OLDER.clear()
    OLDER.update(threading.enumerate())


OLDER = set()


def threads():
    new = set(threading.enumerate()) - OLDER
    return [thread for thread in new if thread.name in ("the reader's answer", "kitchen sampler")]


def endless():
    while True:
        pass


async def endless_too():
    endless()


async def waits_for_ever():
    await asyncio.get_running_loop().create_future()


@pytest.mark.long
@pytest.mark.parametrize("hangs", [endless_too, waits_for_ever])
def test_a_coroutine_that_hangs_is_told_so_and_ended(hangs):
    with pytest.raises(Wrong, match="still not done"):
        run(hangs, seconds=0.2)
    assert threads() == []


def test_a_function_that_hangs_is_told_so_and_ended():
    with pytest.raises(Wrong, match="loops for ever"):
        call(endless, seconds=0.2)
    assert threads() == []


def test_a_timeout_of_the_readers_own_is_an_error_of_the_readers_own():
    async def own():
        async with asyncio.timeout(0.01):
            await waits_for_ever()

    with pytest.raises(TimeoutError):
        run(own)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="sends itself a signal, as POSIX has them")
def test_an_interrupt_ends_the_readers_code():
    interrupt = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        call(endless)
    interrupt.join()
    assert_at_rest()


async def swallows():
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()


async def leaves_a_thread_spinning():
    await asyncio.to_thread(endless)


async def swallows_in_a_task():
    task = asyncio.create_task(swallows())
    await asyncio.sleep(0)
    return task


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # asyncio's own, on its way out
@pytest.mark.parametrize("hangs", [swallows, leaves_a_thread_spinning, swallows_in_a_task])
def test_what_does_not_want_to_end_is_ended(hangs):
    with pytest.raises(Wrong, match="still not done"):
        run(hangs, seconds=0.2)
    assert_at_rest()


def assert_at_rest():
    """No thread of a check is left, and none that its code started computes."""
    for _ in range(1000):
        used = time.process_time()
        time.sleep(0.02)
        if not threads() and time.process_time() - used < 0.015:
            return
    raise AssertionError([thread.name for thread in threading.enumerate()])


def test_a_coroutine_is_watched_while_it_runs():
    async def both(first, second):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0.01, value), name=value) for value in (first, second)]
        return [task.result() for task in tasks]

    ran = run(both, "one", "two")
    assert ran.value == ["one", "two"]
    assert ran.timeline.lanes == ("your code", "one", "two")
    assert ran.findings == []


def test_a_coroutine_that_blocks_is_found():
    async def blocks():
        time.sleep(0.15)  # noqa: ASYNC251 (this is what is to be found)

    assert [finding.kind for finding in run(blocks).findings] == []  # nobody was kept waiting

    async def neighbours():
        await asyncio.gather(blocks(), asyncio.sleep(0.01))

    assert [finding.kind for finding in run(neighbours).findings] == ["blocked"]


@pytest.mark.parametrize("wrong", [lambda: 1, 5, None, asyncio.sleep(0).close])
def test_what_is_no_coroutine_function_is_told_so(wrong):
    with pytest.raises(Wrong, match="async def"):
        run(wrong)
