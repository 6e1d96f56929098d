"""What a program's text says of its awaits: which may overlap, and which were ordered on purpose."""

import ast
import gc
from textwrap import dedent
from types import SimpleNamespace

import pytest

from kitchen.watching.order import independent
from kitchen.watching.program import tree_of


def parts(text, *lines):
    """The calls at these lines, as often as a line is given, that need nothing of each other: their lines, part by part."""
    row = [SimpleNamespace(frame=SimpleNamespace(line=line)) for line in lines]
    tree = tree_of_text(text)
    return [[call.frame.line for call in part] for part in independent(tree, row)]


def tree_of_text(text):
    tree = ast.parse(dedent(text).strip())
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent
    return tree


FREE = {
    "a loop over what is asked for": (
        """
        async def main(pages):
            for page in pages:
                texts.append(await get(page))
        """,
        (3, 3, 3),
    ),
    "a comprehension": (
        """
        async def main(pages):
            return [await get(page) for page in pages]
        """,
        (2, 2),
    ),
    "values one after the other": (
        """
        async def main():
            one = await get(1)
            two = await get(2)
            return one + two
        """,
        (2, 3),
    ),
}
BOUND = {
    "the next needs the one before": (
        """
        async def main():
            one = await get(1)
            two = await get(one)
        """,
        (2, 3),
    ),
    "a loop that carries something on": (
        """
        async def main(pages):
            for page in pages:
                token = await get(page, token)
        """,
        (3, 3),
    ),
    "a search": (
        """
        async def main(pages):
            for page in pages:
                if await get(page):
                    break
        """,
        (3, 3),
    ),
    "under a lock": (
        """
        async def main(pages):
            async with lock:
                for page in pages:
                    await get(page)
        """,
        (4, 4),
    ),
    "while": (
        """
        async def main(pages):
            while True:
                await get(page)
        """,
        (3, 3),
    ),
    "its name says that there is an order": (
        """
        async def main(words):
            for word in words:
                await send(word)
        """,
        (3, 3),
    ),
    "what has to be done in between": (
        """
        async def main():
            one = await get(1)
            publish(one)
            two = await get(2)
        """,
        (2, 4),
    ),
}


@pytest.mark.parametrize(("text", "lines"), FREE.values(), ids=FREE)
def test_calls_that_need_nothing_of_each_other_are_one_part(text, lines):
    assert parts(text, *lines) == [list(lines)]


@pytest.mark.parametrize(("text", "lines"), BOUND.values(), ids=BOUND)
def test_in_doubt_they_are_taken_to_be_ordered(text, lines):
    assert parts(text, *lines) == []


def test_of_a_text_that_cannot_be_had_or_read_nothing_is_known(tmp_path):
    (tmp_path / "broken.py").write_text("async def main(:\n")
    assert tree_of(str(tmp_path / "broken.py")) is None
    assert tree_of(str(tmp_path / "gone.py")) is None


def test_a_magic_on_the_first_line_of_a_cell_moves_no_line(tmp_path):
    (tmp_path / "cell.py").write_text("%%gantt -o run\nasync def main():\n    pass\n")
    assert tree_of(str(tmp_path / "cell.py")).body[0].lineno == 2


class Parses:
    """Garbage that parses when it is collected, as a report of an exception does that nobody has looked at."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        ast.parse("x = [1, (2, f(3))]")


def test_a_text_is_parsed_whatever_is_collected_meanwhile(tmp_path):
    text, before = "x = [1, (2, f(3))]\n" * 1000, gc.get_threshold()
    gc.collect()
    try:
        for number in range(10):
            Parses()
            gc.set_threshold(700 + 13 * number)
            (file := tmp_path / f"{number}.py").write_text(text + f"{number}")
            assert tree_of(str(file)) is not None
    finally:
        gc.set_threshold(*before)
