"""Where a thread stands, by its frames: which of the reader's lines, what it waits for there, and what the loop called."""

import asyncio
import importlib.util
import queue
import selectors
import socket
import ssl
import subprocess
import threading
from asyncio import base_events, events
from concurrent import futures
from typing import Any

from kitchen.watching.facts import IMPORT, RESULT, START
from kitchen.watching.stacks import IN_C, Frame
from kitchen.watching.whose import is_ours, is_readers, place

# What a thread waits for inside these functions and modules; the outermost of those in a row says it best (a queue, not its
# lock). What waits in C without a function of Python's around it (time.sleep, Lock.acquire) has no frame, and no word.
KINDS = {
    "lock": [threading._RLock.acquire],
    "condition": [threading.Condition.wait, threading.Condition.wait_for],
    "event": [threading.Event.wait],
    "semaphore": [threading.Semaphore.acquire],
    "barrier": [threading.Barrier.wait],
    "thread": [threading.Thread.join],
    START: [threading.Thread.start],
    RESULT: [
        futures.Future.result,
        futures.Future.exception,
        futures.wait,
        futures.as_completed,
    ],
    "event loop": [base_events.BaseEventLoop._run_once],
}
MODULES = {  # each given by one of its functions
    "queue": [queue.Queue.get],
    "socket": [socket.create_connection, ssl.create_default_context, selectors.DefaultSelector.select],
    "process": [subprocess.Popen.wait],
    IMPORT: [importlib.util.module_from_spec],
}


def _key(code):
    return code.co_filename, code.co_qualname


WAITS = {_key(function.__code__): kind for kind, functions in KINDS.items() for function in functions}
WAITS_IN = {function.__code__.co_filename: kind for kind, functions in MODULES.items() for function in functions}
CALLS, LOOPS = _key(events.Handle._run.__code__), _key(base_events.BaseEventLoop._run_once.__code__)


class Spot:
    """Where a thread stands: the innermost of the reader's functions, and what the innermost function of all waits for."""

    def __init__(self, file: str | None, line: int, function: str, stands: Any, waits: str):
        self.file, self.line, self.function, self.stands, self.kind = file, line, function, stands, waits
        where = place(file, line) if file else ""
        self.works = ", ".join(filter(None, (function, where)))
        self.waits = ", ".join(filter(None, (waits, where)))


def spot_of(frame: Any, outermost: Any = None) -> Spot | None:
    """Where the thread of this innermost frame stands, up to the outermost frame that matters; None when there is none."""
    if frame is None:
        return None
    kind, stands = "", (frame.f_code, frame.f_lasti)
    while frame is not outermost and frame is not None:
        code = frame.f_code
        if is_readers(code.co_filename):
            return Spot(code.co_filename, frame.f_lineno, code.co_name, stands, kind)
        kind = WAITS.get(_key(code)) or WAITS_IN.get(code.co_filename) or kind
        frame = frame.f_back
    return Spot(None, 0, "", stands, kind if outermost else "")


def call_of(frame: Any) -> Any:
    """The frame in which a loop calls what this innermost frame belongs to; None when it calls nothing: it waits.

    Between two calls it lets go of things: `__del__`, or the exception handler, may be a function of the reader's.
    """
    is_loop = is_theirs = False
    while frame is not None and (key := _key(frame.f_code)) != CALLS:
        if key == LOOPS and not is_loop:
            if is_theirs:
                return frame
            is_loop = True
        if frame is IN_C:
            return None if is_loop else frame
        is_theirs = frame.f_code.co_name != "select" and (is_theirs or is_readers(frame.f_code.co_filename))
        frame = frame.f_back
    return frame


def clock_in(frame: Any) -> Any:
    """The frame of ours around a task's step: a loop that is not asyncio's calls it, and shows no frame itself."""
    while frame is not None and not is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def called(call: Any, frame: Any) -> str:
    """What the loop calls in this frame, as one says it; "" for a task, whose function says more. `frame`: the innermost."""
    if isinstance(call, Frame):
        while frame is not call and frame.f_back is not call:
            frame = frame.f_back
        return "a function in C" if frame is call else frame.f_code.co_qualname
    callback = getattr(call.f_locals.get("self"), "_callback", None)
    if isinstance(getattr(callback, "__self__", None), asyncio.Future) or "Task" in type(callback).__name__:
        return ""
    name = getattr(callback, "__qualname__", type(callback).__qualname__)
    module = getattr(callback, "__module__", None)
    return f"{module}.{name}" if module and module != "builtins" else name
