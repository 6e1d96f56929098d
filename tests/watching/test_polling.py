"""Who asks again and again, as far as the text tells: facts are made by hand, of programs that are a few lines each."""

import pytest

from kitchen.timeline import Table, Timeline
from kitchen.watching.facts import Facts, Poll
from kitchen.watching.polling import OFTEN, polling

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


def found(text, folder, steps=OFTEN, step=1e-5):
    """What is said of this text, if a task gave way so often where it says so, and each step took so long."""
    file, text = folder / "dinner.py", f"async def main():{text}"
    file.write_text(text)
    code = compile(text, str(file), "exec").co_consts[0]
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
