"""Every program on the page of findings is run: the first of a kind gets its words, the repaired one none."""

import asyncio
import gc
import re
import warnings
from pathlib import Path

import pytest

from kitchen.watching.cpu import one_at_a_time
from kitchen.watching.watch import watch

PAGE = Path(__file__).parents[2] / "notebooks" / "FINDINGS.md"
BLOCK = re.compile(r"^```python( repaired)?\n(.*?)^```\n(?:> (.*?)\n)?", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<!line )\b\d[\d,.]*\d\b|(?<!line )\b\d\b")
PROGRAMS = [(repaired, program, words) for repaired, program, words in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def run_of(program, folder):
    """The run of a program, a text, watched."""

    async def watched():
        async with watch() as run:
            await namespace["main"]()
        return run

    file, namespace = folder / "dinner.py", {"__name__": "dinner"}
    file.write_text(program, encoding="utf-8")
    exec(compile(program, str(file), "exec"), namespace)
    with warnings.catch_warnings(record=True):  # some are about a coroutine that is never awaited
        warnings.simplefilter("always")
        run = asyncio.run(watched())
        gc.collect()
        assert run.findings is not None  # asked for as long as all that is left is still there
        return run


def texts(run):
    return [finding.text for finding in run.findings]


def test_the_page_has_programs_of_both_kinds():
    assert sum(bool(repaired) for repaired, *_ in PROGRAMS) >= 8
    assert all(bool(words) != bool(repaired) for repaired, _, words in PROGRAMS)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("repaired", "program", "words"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_gets_the_words_that_the_page_has(repaired, program, words, tmp_path):
    clean = bool(repaired)
    if not one_at_a_time():  # nobody can keep the interpreter, and frames that go on meanwhile are not looked into
        clean = clean or "kept the interpreter" in words
        words = words.replace("a callback, time.sleep,", "a callback, a function in C,")
    expected = [] if clean else [NUMBER.sub("N", words)]
    for _ in range(3):  # a run in which this computer stood still says nothing of the program
        said = [NUMBER.sub("N", text) for text in texts(run_of(program, tmp_path))]
        if said == expected:
            return
    assert said == expected
