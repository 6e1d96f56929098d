"""Who asks again and again, as far as the text tells: facts are made by hand, of programs that are a few lines each."""

import pytest

from kitchen.timeline import Table, Timeline
from kitchen.watching.facts import Facts, Place, Poll
from kitchen.watching.polling import OFTEN, gave_way_at, polling

POLLS = {
    "a flag": """
    while not done:
        await asyncio.sleep(0)  # here
""",
    "a queue, and what comes is worked on": """
    while True:
        try:
            job = queue.get_nowait()
            if job is None: break
            print(job)
        except asyncio.QueueEmpty:
            await asyncio.sleep(0)  # here
""",
    "a list, and what comes is worked on": """
    while True:
        if jobs:
            job = jobs.pop(0)
            if job is None: return
            print(job)
        await asyncio.sleep(0)  # here
""",
    "else": """
    while True:
        if jobs:
            print(jobs.pop())
        else:
            await asyncio.sleep(0)  # here
""",
    "nothing there": """
    while True:
        try:
            print(jobs.popleft())
        except IndexError:
            pass
        await asyncio.sleep(0)  # here
""",
    "nothing came": """
    while True:
        try:
            job = queue.get_nowait()
        except asyncio.QueueEmpty:
            job = None
        if job is None:
            await asyncio.sleep(0)  # here
            continue
        if job.is_last: break
""",
}
WORKS = {
    "each time": """
    while todo:
        work(todo.pop())
        await asyncio.sleep(0)  # here
""",
    "in either case": """
    while True:
        if todo:
            work(todo.pop())
        else:
            rest()
        await asyncio.sleep(0)  # here
""",
    "until nothing is left": """
    while True:
        if not todo:
            return
        else:
            work(todo.pop())
        await asyncio.sleep(0)  # here
""",
    "before it gives way": """
    while True:
        try:
            work(queue.get_nowait())
            await asyncio.sleep(0)  # here
        except asyncio.QueueEmpty:
            break
""",
    "though it may fail": """
    while True:
        try:
            work()
        except ValueError:
            pass
        await asyncio.sleep(0)  # here
""",
    "it goes on where it did nothing": """
    while number < many:
        number += 1
        if is_known(number):
            continue
        elif number % 2:
            work(number)
        else:
            rest(number)
        await asyncio.sleep(0)  # here
""",
    "for each": """
    for job in jobs:
        if job:
            work(job)
        await asyncio.sleep(0)  # here
""",
}


def compiled(folder, text):
    file = folder / "dinner.py"
    file.write_text(text)
    return compile(text, str(file), "exec")


@pytest.mark.parametrize(
    "helper",
    [
        "async def helper(): await asyncio.sleep(0)",
        "def helper(self): yield",
        "async def helper(): 'Lets the others have a turn.'; await asyncio.sleep(0)",
        "async def helper(): await asyncio.sleep(0); return done",
    ],
)
def test_who_gives_way_in_a_function_that_does_nothing_else_does_so_where_it_is_called(helper, tmp_path):
    code = compiled(tmp_path, f"async def main():\n    while not done:\n        await helper()\n{helper}\n")
    main, inner = code.co_consts[:2]
    place = gave_way_at(Place("future", "", False, ((main, 3, inner), (inner, 4, None))))
    assert place == (main, 3)
    alone = Place("future", "", False, ((inner, 4, None),))
    assert gave_way_at(alone) == (inner, 4)


@pytest.mark.parametrize("text", ["work():\n    cook()", "work(dish):\n    pass"])
def test_who_works_in_a_function_gives_way_there(text, tmp_path):
    code = compiled(tmp_path, f"async def {text}\n    await asyncio.sleep(0)\n").co_consts[0]
    assert gave_way_at(Place("future", "", False, ((code, 3, None),) * 2)) == (code, 3)
    assert gave_way_at(Place("future", "", False, ())) == (None, 0)


def found(text, folder, steps=OFTEN, step=1e-5):
    """What is said of this text, if a task gave way so often where it says so, and each step took so long."""
    text = f"async def main():{text}"
    code = compiled(folder, text).co_consts[0]
    line = 1 + text[: text.index("# here")].count("\n")
    timeline = Timeline(["cook"], Table((), (), (), (), (), ()))
    polls = [Poll(0, steps, steps * step, 0.0, 1.0, code, line)]
    return [finding.line == line for finding in polling(Facts(timeline, {0}, polls=polls))]


@pytest.mark.parametrize("text", POLLS.values(), ids=POLLS)
def test_whoever_can_pass_through_and_do_nothing_polls(text, tmp_path):
    assert found(text, tmp_path) == [True]
    assert found(text, tmp_path, steps=OFTEN - 1) == []


@pytest.mark.parametrize("text", WORKS.values(), ids=WORKS)
def test_whoever_works_each_time_does_not(text, tmp_path):
    assert found(text, tmp_path) == []


@pytest.mark.parametrize(("which", "said"), [("a flag", [True]), ("a list, and what comes is worked on", [])])
def test_a_step_that_takes_some_time_may_have_done_something(which, said, tmp_path):
    assert found(POLLS[which], tmp_path, step=2e-4) == said
    assert found(POLLS[which], tmp_path, step=6e-4) == []
