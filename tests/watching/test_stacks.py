"""Where threads stand: with a GIL the interpreter says it, without one this process reads its own memory."""

import re
import threading
from types import SimpleNamespace

import pytest

from kitchen.watching.cpu import one_at_a_time
from kitchen.watching.spot import spot_of
from kitchen.watching.stacks import IN_C, Stacks


class Unwinder:
    """Stands for the interpreter's own; `looks` are what it finds, one after the other."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def get_stack_trace(self):
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look


def looking(*looks):
    stacks = Stacks()
    stacks._unwinder = Unwinder(*looks)
    return stacks


def here(**line):
    """This thread, as an unwinder tells of it."""
    inner = SimpleNamespace(filename=threading.__file__, funcname="Event.wait", **line)
    outer = SimpleNamespace(filename=__file__, funcname="cook.<locals>.stir", **line)
    return SimpleNamespace(thread_id=threading.get_native_id(), frame_info=[inner, outer])


OLD, NEW = {"lineno": 7}, {"location": SimpleNamespace(lineno=7)}


@pytest.mark.parametrize("found", [[here(**OLD)], [SimpleNamespace(threads=[here(**NEW)])]], ids=["3.14", "3.15"])
def test_what_is_read_of_a_thread_is_told_as_its_own_frames_would_be(found):
    frame = looking(found).look()[threading.get_ident()]
    spot = spot_of(frame)
    assert (spot.file, spot.line, spot.function, spot.kind) == (__file__, 7, "stir", "event")
    assert frame.f_back.f_back is IN_C


def test_a_look_into_a_change_is_tried_again_and_then_missed():
    broken = RuntimeError("Broken frame chain")
    assert threading.get_ident() in looking(broken, broken, [here(**OLD)]).look()
    assert looking(broken, broken, broken).look() is None


def test_threads_that_are_unknown_here_are_left_out():
    stranger = SimpleNamespace(thread_id=-1, frame_info=[])
    assert list(looking([stranger, here(**OLD)]).look()) == [threading.get_ident()]


@pytest.mark.skipif(one_at_a_time(), reason="C code that keeps the interpreter keeps it from whoever looks, too")
def test_without_a_gil_one_can_look_while_c_code_computes():
    stacks, seen = Stacks(), 0
    thread = threading.Thread(target=re.match, args=(r"(a+)+$", "a" * 24 + "b"))
    thread.start()
    while thread.is_alive():
        frame = stacks.look().get(thread.ident)
        seen += frame is not None and frame.f_code.co_name == "match"
    assert seen > 3  # where a look stops all threads, it ends when the C code does
