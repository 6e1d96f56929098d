"""What every task stands at when one is interrupted: which lock it wants and which it has, whom it waits for."""

import asyncio
import gc
import threading
from asyncio import locks
from asyncio import subprocess as processes
from collections import defaultdict
from collections.abc import Iterable
from selectors import BaseSelector
from typing import Any

from kitchen.watching.facts import Standing
from kitchen.watching.program import held_around, tree_of
from kitchen.watching.traced import bare
from kitchen.watching.whose import is_asyncios, is_readers

INSIDE = {"lock", "semaphore", "event", "condition", "barrier", "queue", "tasks", "task", "wait_for", "timeout"}
LOOKED_INTO = {"lock", "semaphore", "process", "BaseSubprocessTransport._wait"}
GUARDS = (locks.Lock, locks.Condition, locks.Semaphore)


def snapshot(tracer: Any, now: float) -> list[Standing]:
    """Where each task of a tracer stands that waits at this moment."""
    by_task = {id(lane.task()): lane for lane in tracer.lanes.values() if lane.task and lane.task() is not None}
    found, alone = [], is_alone(tracer.loop, tracer.recorder.awaiting.jobs, tracer.sampler)
    for lane in by_task.values():
        task = lane.task()
        coroutine = bare(task.get_coro())
        what = None if getattr(coroutine, "cr_running", True) else tracer.recorder.look_at(lane)
        spots = _spots(tracer, lane, what)
        if not spots:
            continue
        place = what[0]
        awaited = by_task.get(id(getattr(task, "_fut_waiter", None)))
        chain = list(_chain(coroutine)) if place.kind in LOOKED_INTO or awaited else []
        code, line, _ = spots[-1]
        has = frozenset(id(thing) for coroutine in chain for thing in _has(coroutine))
        wants = next((id(_of(one, locks.Lock)) for one in chain if one.cr_code is locks.Lock.acquire.__code__), None)
        found.append(
            Standing(
                lane,
                code.co_filename,
                line,
                place.kind,
                now,
                wants,
                has,
                awaited,
                place.kind in INSIDE,
                _is_full(chain),
                alone,
            )
        )
    return found


def _spots(tracer, lane, what):
    """Where the reader's functions wait; of asyncio's own task, which wait_for has up to Python 3.11, those of its maker."""
    if not what or what[0].spots or lane.parent is None or lane.code is None or not is_asyncios(lane.code.co_filename):
        return what[0].spots if what else ()
    of_maker = tracer.recorder.look_at(lane.parent)
    return of_maker[0].spots if of_maker and of_maker[0].kind == "timeout" else ()


def stood(standing: Iterable[Standing], waits: Iterable[tuple], began: float) -> list[Standing]:
    """The same as facts: lanes are numbers, and it is known who went on later. `waits`: a lane, start and end, and more."""
    waits_of = defaultdict(list)
    for lane, start, end, *_ in waits:
        waits_of[lane].append((start, end))
    return [
        held._replace(
            lane=held.lane.number,
            time=held.time - began,
            task=held.task and held.task.number,
            went_on=_went_on(held, waits_of[held.lane], began),
        )
        for held in standing
        if held.lane.number is not None
    ]


def _went_on(held, waits, began):
    """Whether the wait that a task stood in ended without its being asked to; False if that is not known."""
    lane, now = held.lane, held.time - began
    starts = [start for start, _ in waits if start > now]
    next_start = min(starts, default=float("inf"))
    asked = any(now <= asked - began <= next_start for asked in lane.cancels)
    over = any(start <= now <= end for start, end in waits) and not (lane.left and not starts)
    return lane.has_clock and over and not asked


def is_alone(loop: asyncio.AbstractEventLoop, jobs: Iterable[asyncio.Future], sampler: Any) -> bool:
    """Whether nothing is left that could wake a task of this loop: no timer, connection, signal, or other thread."""
    timers = [timer for timer in getattr(loop, "_scheduled", ()) if not timer.cancelled()]
    selector = getattr(loop, "_selector", None)
    if timers or not isinstance(selector, BaseSelector) or not all(job.done() for job in jobs):
        return False
    if getattr(loop, "_signal_handlers", None) or _others(loop, sampler):
        return False
    return len(selector.get_map() or ()) <= 1  # with which the loop wakes itself


def _others(loop, sampler):
    """The program's other threads, but for those of its executor, which have nothing to do. Daemons that were there before
    are a notebook's, most likely."""
    idle = getattr(getattr(loop, "_default_executor", None), "_threads", ())
    mine = {threading.main_thread(), threading.current_thread(), *idle}
    return [thread for thread in set(threading.enumerate()) - mine if sampler.is_drawn(thread) or not thread.daemon]


def _chain(coroutine):
    while getattr(coroutine, "cr_code", None) is not None:
        yield coroutine
        coroutine = coroutine.cr_await


def _of(coroutine, kind):
    """The object of this kind that a method works for."""
    return next((thing for thing in gc.get_referents(coroutine) if isinstance(thing, kind)), None)


def _local(frame, name):
    """What a name stands for in a function. Up to Python 3.12 its frame keeps what it has shown, and that is cleared."""
    known = frame.f_locals
    thing = known.get(name, frame.f_globals.get(name))
    if isinstance(known, dict) and "locals" not in frame.f_code.co_names:
        known.clear()
    return thing


def _has(coroutine):
    """The locks that a function of the reader's holds where it stands, by the `async with` around its line."""
    frame = coroutine.cr_frame
    if frame is None or not is_readers(coroutine.cr_code.co_filename):
        return
    tree = tree_of(coroutine.cr_code.co_filename)
    for path in held_around(tree, frame.f_lineno) if tree else ():
        name, *attributes = path.split(".")
        thing = _local(frame, name)
        for attribute in attributes:
            thing = getattr(thing, "__dict__", {}).get(attribute)
        if isinstance(thing, GUARDS) and thing.locked():
            yield thing


def _is_full(chain):
    """Whether a task waits for the end of a process whose output nobody reads, and that has filled its pipe."""
    for coroutine in chain:
        if coroutine.cr_code is processes.Process.wait.__code__:
            process = _of(coroutine, processes.Process)
            pipes = [getattr(process, name, None) for name in ("stdout", "stderr")]
            return any(pipe is not None and getattr(pipe, "_paused", False) for pipe in pipes)
    return False
