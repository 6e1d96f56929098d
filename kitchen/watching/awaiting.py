"""What a suspended coroutine waits for, and at which of the reader's lines: read off the objects, never guessed from text.

A suspended coroutine knows what it awaits (`cr_await`): another coroutine, which awaits the next one, down to the future
that the event loop will wake it with. Which functions that chain goes through says what is waited for: a sleep, a lock, a
socket. The reader's own functions in it, and the lines at which they stand, say where.
"""

import asyncio
import gc
import socket
import sys
import weakref
from asyncio import (
    base_events,
    locks,
    queues,
    selector_events,
    sslproto,
    streams,
    subprocess,
    taskgroups,
    tasks,
    threads,
)
from functools import cache
from itertools import count
from types import AsyncGeneratorType, CodeType, CoroutineType, GeneratorType
from typing import Any, NamedTuple

from kitchen.watching.facts import Place
from kitchen.watching.whose import is_readers, is_standard, place_of

# What is waited for inside these functions; the outermost of those in a row says it best (a condition, not its lock).
KINDS = {
    "sleep": [(tasks, "sleep")],
    "lock": [(locks, "Lock.acquire")],
    "semaphore": [(locks, "Semaphore.acquire")],
    "event": [(locks, "Event.wait")],
    "condition": [(locks, "Condition.wait"), (locks, "Condition.wait_for")],
    "barrier": [(locks, "Barrier.wait"), (locks, "Barrier._block"), (locks, "Barrier._wait")],
    "queue": [(queues, "Queue.get"), (queues, "Queue.put"), (queues, "Queue.join")],
    "tasks": [
        (taskgroups, "TaskGroup.__aexit__"),
        (taskgroups, "TaskGroup._aexit"),
        (tasks, "wait"),
        (tasks, "_wait"),
        (tasks, "as_completed.<locals>._wait_for_one"),
        (tasks, "_AsCompletedIterator._wait_for_one"),
    ],
    "timeout": [(tasks, "_cancel_and_wait")],
    "thread": [(threads, "to_thread")],
    "socket": [
        (streams, "open_connection"),
        (streams, "StreamReader.read"),
        (streams, "StreamReader.readline"),
        (streams, "StreamReader.readuntil"),
        (streams, "StreamReader.readexactly"),
        (streams, "StreamReader._wait_for_data"),
        (streams, "StreamWriter.drain"),
        (streams, "StreamWriter.wait_closed"),
        (streams, "FlowControlMixin._drain_helper"),
        (base_events, "BaseEventLoop.create_connection"),
        (base_events, "BaseEventLoop._create_connection_transport"),
        (selector_events, "BaseSelectorEventLoop.sock_recv"),
        (selector_events, "BaseSelectorEventLoop.sock_recv_into"),
        (selector_events, "BaseSelectorEventLoop.sock_recvfrom"),
        (selector_events, "BaseSelectorEventLoop.sock_sendall"),
        (selector_events, "BaseSelectorEventLoop.sock_connect"),
        (selector_events, "BaseSelectorEventLoop.sock_accept"),
        (sslproto, "SSLProtocol._do_handshake"),
    ],
    "process": [
        (subprocess, "Process.wait"),
        (subprocess, "Process.communicate"),
        (subprocess, "create_subprocess_exec"),
        (subprocess, "create_subprocess_shell"),
    ],
}
# The same for functions of libraries, where these are loaded.
LIBRARIES = {
    "place in the pool": [("aiohttp.connector", "BaseConnector._wait_for_available_connection")],
}
OUTSIDE = {"socket", "process"}
CONNECTIONS = (asyncio.StreamReader, socket.socket)


class About(NamedTuple):
    """What is known of a function from its code alone."""

    code: CodeType  # kept, so that its id stays its own
    readers: bool
    kind: str | None
    library: bool
    name: str


class Awaiting:
    """Looks at suspended coroutines; one for each run, which numbers the invocations that it meets."""

    def __init__(self):
        self.jobs = weakref.WeakKeyDictionary()  # future: the job in another thread that it stands for
        self.connections = weakref.WeakKeyDictionary()  # a stream, a socket, an executor of one thread: its number
        self._numbers = count()
        self._known = {}  # id of a code: About
        self._places = {}

    def look(self, memory: list, coroutine: Any, awaited: Any) -> tuple[Place, list[int]]:
        """What `coroutine`, which is suspended, waits for; `awaited` is the future that will wake it, or None.

        `memory` is a list that belongs to the task: from one look to the next it holds, weakly, which invocations were
        under way. The numbers are those of frame and call, for each of the place's spots.
        """
        known, key, spots, numbers, kind, last = self._known, [], [], [], None, None
        seen, call_is_readers, before = 0, False, None
        while True:
            cls = type(coroutine)
            if cls is CoroutineType:
                code, following = coroutine.cr_code, coroutine.cr_await
            elif cls is GeneratorType:
                code, following = coroutine.gi_code, coroutine.gi_yieldfrom
            elif cls is AsyncGeneratorType:
                code, following = coroutine.ag_code, coroutine.ag_await
            else:
                inner = _generator_behind(coroutine)
                if inner is None:
                    break
                coroutine = inner
                continue
            _, readers, kind_here, _, _ = last = known.get(id(code)) or self._about(code)
            if readers or call_is_readers:
                number = self._number(memory, seen, coroutine)
                seen += 1
                if call_is_readers:
                    numbers.append(number)
                    spots[-1] = (*spots[-1], code)
                    key.append(id(code))
            if readers:
                line = _line(coroutine)
                key.append(id(code))
                key.append(line)
                spots.append((code, line))
                numbers.append(number)
            call_is_readers = readers
            kind = (kind or kind_here) if kind_here else None
            before, coroutine = coroutine, following
        connection = _connection(before) if kind == "socket" else None
        if call_is_readers:
            spots[-1] = (*spots[-1], None)
            numbers.append(next(self._numbers))
        del memory[seen:]
        if kind is None:
            kind = self._kind_of(awaited, last)
        elif kind == "thread":
            kind = self._kind_of(awaited, None, kind)
        if kind.startswith("thread"):
            connection = self._pool(awaited)
        key += (kind, id(last and last.code))
        place = self._places.get(tuple(key))
        if place is None:
            outside = kind in OUTSIDE or bool(last and last.library and last.kind is None and kind == last.name)
            label = f"{kind}, {place_of(*spots[-1][:2])}" if spots else kind
            place = self._places[tuple(key)] = Place(kind.partition(" ")[0], label, outside, tuple(spots))
        if connection is not None:
            numbers.append(self.connections.setdefault(connection, next(self._numbers)))
        return place, numbers

    def _pool(self, awaited):
        """The executor of one thread that a job was given to; None for any other."""
        job = self.jobs.get(awaited) if isinstance(awaited, asyncio.Future) else None
        return job.pool() if job is not None and job.pool is not None else None

    def _about(self, code):
        name = code.co_filename
        readers = is_readers(name)
        about = About(code, readers, _kinds().get(id(code)), not readers and not is_standard(name), _name(code))
        self._known[id(code)] = about
        return about

    def _number(self, memory, position, thing):
        """The number of an invocation: the one that it had when its task was looked at before, else a new one."""
        if position < len(memory):
            known, number = memory[position]
            if known() is thing:
                return number
            del memory[position:]
        number = next(self._numbers)
        memory.append((weakref.ref(thing), number))
        return number

    def _kind_of(self, awaited, last, otherwise="future"):
        """What is waited for, from the awaited object itself."""
        if isinstance(awaited, asyncio.Task):
            return f"task {awaited.get_name()}"
        if isinstance(awaited, tasks._GatheringFuture):
            return "tasks"
        if self.jobs.data and isinstance(awaited, asyncio.Future) and (job := self.jobs.get(awaited)):
            return f"thread {job.thread}" if job.thread else "thread"
        return last.name if last and not last.readers else otherwise


def _line(coroutine):
    """The line at which a suspended coroutine or generator stands."""
    frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
    frame = frame or getattr(coroutine, "ag_frame", None)
    return frame.f_lineno if frame else 0


def _connection(coroutine):
    """The stream or the socket that the innermost of asyncio's own functions waits for; None when that is not seen.

    Not by `f_locals`: up to Python 3.12 a frame keeps what it has shown there, and so keeps it alive.
    """
    return next((thing for thing in gc.get_referents(coroutine) if isinstance(thing, CONNECTIONS)), None)


def _generator_behind(awaited):
    """The generator behind what `async for` and `__await__` wrap around it, which does not say so itself; None: none."""
    if type(awaited).__name__ not in ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper"):
        return None
    behind = [thing for thing in gc.get_referents(awaited) if type(thing) in (AsyncGeneratorType, CoroutineType)]
    return behind[0] if behind else None


def _name(code):
    return code.co_qualname.rpartition("<locals>.")[2]


def _code(module, name):
    """The code of a function, given as it is written in its module; None where this Python has none of that name."""
    thing = module
    for part in name.split("."):
        if part == "<locals>":
            constants = getattr(getattr(thing, "__code__", None), "co_consts", ())
            inner = {constant.co_name: constant for constant in constants if isinstance(constant, CodeType)}
            return inner.get(name.rpartition(".")[2])
        thing = getattr(thing, part, None)
    return getattr(thing, "__code__", None)


def _kinds():
    """The kinds by the ids of codes: as the libraries come to be loaded, more of them."""
    return _kinds_of(tuple(name in sys.modules for functions in LIBRARIES.values() for name, _ in functions))


@cache
def _kinds_of(loaded):
    found = {id(_code(module, name)): kind for kind, functions in KINDS.items() for module, name in functions}
    found |= {
        id(_code(sys.modules[module], name)): kind
        for kind, functions in LIBRARIES.items()
        for module, name in functions
        if module in sys.modules
    }
    found.pop(id(None), None)
    return found
