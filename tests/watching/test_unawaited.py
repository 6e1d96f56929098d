"""A coroutine that nobody awaited is told at its call, wherever that stands, and wherever it was dropped."""

import asyncio
import gc
import warnings
from contextlib import suppress

import pytest

from kitchen.watching.watch import watch

START = """
import asyncio, json, threading
from contextlib import suppress
loop = asyncio.get_running_loop
async def job(*given): return given
async def gone(): await asyncio.sleep(0.02)
class Box:
    def __init__(self, thing): self.thing = thing
class Bot:
    async def tick(self): return self
"""
CAUGHT = {
    "run in a running loop": "asyncio.run(job())",
    "run_until_complete in a running loop": "return loop().run_until_complete(job())",
    "wait is given no tasks": "await asyncio.wait([job(1), job(2)])",
    "gather is given a list": "await asyncio.gather([job(1), job(2)])",
    "what a coroutine has not": "print(await job().json())",
    "no part of a coroutine": "print(job()[0])",
    "of a method of what is just made": "print(Bot().tick().text)",
    "a coroutine as a callback": "loop().call_soon(job()).when()",
    "a coroutine for a thread": "await asyncio.to_thread(job())",
    "inside of what is handed on": 'json.dumps({"data": job()})',
}
HANDED_ON = {
    "by a keyword": "threading.Thread(target=job).start()",
    "later": "loop().call_later(0.001, job)",
    "a method, later": "loop().call_later(0.001, Bot().tick)",
    "from a thread": "threading.Thread(target=loop().call_soon_threadsafe, args=(lambda: job(),)).start()",
    "a lambda": "loop().call_later(0.001, lambda: job(3))",
    "a lambda for a thread": "await asyncio.to_thread(lambda: job(3))",
    "when it is done": "asyncio.create_task(gone()).add_done_callback(lambda task: job(task))",
    "to a class": "box = Box(job())\n    box = None",
    "by a map": "rows = list(map(job, [1, 2]))\n    rows = None",
    "as a default": 'rows = {}.setdefault("key", job())\n    rows = None',
}


def findings(tmp_path, text):
    """What is said of a program that does this in `main`, and the number of the line that ends with `# here`."""
    (file := tmp_path / "program.py").write_text(text)
    names = {"__name__": "program"}
    exec(compile(text, str(file), "exec"), names)

    async def block():
        async with watch() as run:
            with suppress(RuntimeError, TypeError, AttributeError):
                await names["main"]()
            await asyncio.sleep(0.05)
        return run.findings

    with warnings.catch_warnings(record=True):
        found = asyncio.run(block())
        gc.collect()  # what only errors of this program hold is no affair of the next
    here = [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]
    return [(finding.kind, finding.line) for finding in found if finding.kind == "never awaited"], here


async def gone():
    await asyncio.sleep(0.001)


@pytest.mark.parametrize("line", CAUGHT.values(), ids=CAUGHT)
def test_a_call_that_raises_is_told_and_not_what_comes_after_it(tmp_path, line):
    text = f"""{START}
async def main():
    try:
        {line}  # here
    except (RuntimeError, TypeError, AttributeError) as error:
        print(error)
    await asyncio.sleep(0.01)
"""
    if line.startswith("return"):
        text = text.replace("async def main():", "def sync():").replace("    await asyncio.sleep(0.01)\n", "")
        text += "async def main():\n    sync()\n    await gone()\n"
    found, here = findings(tmp_path, text)
    assert found == [("never awaited", here[0])]


@pytest.mark.parametrize("line", HANDED_ON.values(), ids=HANDED_ON)
def test_what_was_handed_on_is_told_where_it_was(tmp_path, line):
    first, *others = line.split("\n")
    text = "\n".join([f"{START}\nasync def main():\n    {first}  # here", *others, "    await asyncio.sleep(0.04)\n"])
    found, here = findings(tmp_path, text)
    assert found == [("never awaited", here[0])]


def test_a_forgotten_await_in_a_return_is_told_there(tmp_path):
    text = f"""{START}
class View:
    async def load(self):
        return job()  # here
async def main():
    rows = await View().load()
    rows = None
    await asyncio.sleep(0.01)
"""
    found, here = findings(tmp_path, text)
    assert found == [("never awaited", here[0])]


def test_each_of_two_is_told_at_its_own_call(tmp_path):
    text = f"""{START}
async def main():
    try: asyncio.run(job())  # here
    except RuntimeError as error: print(error)
    try: loop().run_until_complete(job())  # here
    except RuntimeError as error: print(error)
"""
    found, here = findings(tmp_path, text)
    assert found == [("never awaited", line) for line in here]


def test_a_callback_whose_result_is_dropped_is_told_where_it_is_called(tmp_path):
    text = f"""{START}
class Bus:
    def emit(self, *calls):
        for call in calls:
            call()  # here
async def main():
    Bus().emit(job)
    await asyncio.gather(job(1), job(2))
    await asyncio.sleep(0.01)
"""
    found, here = findings(tmp_path, text)
    assert found == [("never awaited", here[0])]


def test_calls_that_are_awaited_are_not_taken_for_the_one_that_is_not(tmp_path):
    text = f"""{START}
async def other():
    return await job(0)
async def main():
    await asyncio.gather(job(1), *[job(2), job(3)])
    first = await (job(4) if other else gone())
    asyncio.get_running_loop().call_soon(job)  # here
    await asyncio.wait_for(job(5), 1)
    await asyncio.create_task(job(6))
    task = asyncio.ensure_future(job(7))
    await asyncio.wait([task, asyncio.create_task(job(8))])
    return first
"""
    found, here = findings(tmp_path, text)
    assert found == [("never awaited", here[0])]


def test_nothing_is_said_where_all_are_awaited(tmp_path):
    text = f"""{START}
async def load():
    return job()
async def main():
    await (await load())
    jobs = [job(1)]
    await asyncio.gather(*jobs)
    loop().call_soon(lambda: asyncio.ensure_future(job(2)))
    await asyncio.to_thread(lambda: asyncio.run(job(3)))
    await asyncio.sleep(0.01)
"""
    assert findings(tmp_path, text) == ([], [])


UNCAUGHT = ["await asyncio.wait([job(1), job(2)])", "await asyncio.gather([job(1)])", "print(await job().json())"]


@pytest.mark.parametrize("line", UNCAUGHT)
def test_what_only_an_error_holds_that_ends_the_block_was_not_kept(tmp_path, line):
    text = f"{START}\nasync def main():\n    await gone()\n    {line}  # here\n"
    (file := tmp_path / "program.py").write_text(text)
    exec(compile(text, str(file), "exec"), names := {"__name__": "program"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(TypeError, AttributeError), watch() as run:
            asyncio.run(names["main"]())
        found = run.findings
        gc.collect()
    (finding,) = found
    assert (finding.kind, finding.line) == ("never awaited", text.splitlines().index(f"    {line}  # here") + 1)
    assert "kept" not in finding.text


def test_what_is_awaited_after_an_error_is_not_told():
    async def main():
        kept = []
        with suppress(ZeroDivisionError):
            async with watch() as run:
                kept.append(gone())
                await asyncio.sleep(1 / len(kept[1:]))
        await kept[0]
        return run.findings

    assert asyncio.run(main()) == []
