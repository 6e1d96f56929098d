"""What is left at the end of a block: tasks that are not over, errors nobody has looked at, coroutines that never began.

Whether that is a fault may only turn out later: a task may be awaited after the block, or in the next cell. So each is kept,
weakly, as a question, which is answered when somebody asks for the findings.
"""

import asyncio
import gc
import inspect
import sys
import threading
import warnings
import weakref
from asyncio import tasks
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CellType, CoroutineType
from typing import NamedTuple

from kitchen.watching.calls import Job
from kitchen.watching.lane import Lane
from kitchen.watching.traced import bare
from kitchen.watching.whose import is_readers


class Question(NamedTuple):
    """A note of a kind, about a lane (or none) and a place, as long as `is_so` says that it holds."""

    kind: str
    lane: object
    file: str
    line: int
    text: str
    is_so: Callable[[], bool]


def _references(seen):
    thing = seen()
    return sys.getrefcount(thing)


_held_once = set()
OWN_REFERENCES = _references(weakref.ref(_held_once)) - 1  # of the function that counts them
_cell = CellType(_held_once)
del _held_once
REFERENCES_OF_A_CELL = sys.getrefcount(_cell.cell_contents)
KNOWS_WHO_AWAITS = sys.version_info >= (3, 14)  # a future does
OUTER_CALLBACKS = {"gather.<locals>._done_callback", "shield.<locals>._inner_done_callback"}


def is_held(seen: weakref.ref) -> bool:
    """Whether anybody holds a task that is not over, besides the loop, which will wake it.

    Nobody can await a task that nobody holds, and Python may drop it at any moment. Nor can anybody one that only a `gather`
    holds, or a `shield`, which nobody holds in turn.
    """
    waits = getattr(seen(), "_fut_waiter", None) is not None
    of_the_loop = 2 if waits and KNOWS_WHO_AWAITS else 1
    of_an_outer = 1 if _is_for_nobody(_outer_of(seen())) else 0
    return _references(seen) - OWN_REFERENCES > of_the_loop + of_an_outer


def _outer_of(task):
    """The cell with the future that a `gather` or a `shield` has made of a task; None where there is none."""
    for callback, _ in getattr(task, "_callbacks", None) or ():
        if getattr(callback, "__qualname__", "") in OUTER_CALLBACKS:
            cells = dict(zip(callback.__code__.co_freevars, callback.__closure__ or (), strict=True))
            if "outer" in cells and cells["outer"].cell_contents is not None:
                return cells["outer"]
    return None


def _is_for_nobody(outer):
    """Whether nobody holds what `gather`, or `shield`, returned, and nobody is told when it is done."""
    if outer is None:
        return False
    callbacks = [callback for callback, _ in getattr(outer.cell_contents, "_callbacks", None) or ()]
    if any(getattr(callback, "__qualname__", "") != "shield.<locals>._outer_done_callback" for callback in callbacks):
        return False
    return sys.getrefcount(outer.cell_contents) <= REFERENCES_OF_A_CELL


def left_by_gather(task: asyncio.Task) -> bool:
    """Whether a task goes on although the `gather` that it was made for is over: another one in it has failed."""
    outer = _outer_of(task)
    return outer is not None and isinstance(outer.cell_contents, tasks._GatheringFuture) and outer.cell_contents.done()


def of_task(lane: Lane) -> Question | None:
    """What may be amiss with a lane's task that is not over. It must not be held by whoever asks."""
    held, task = is_held(lane.task), lane.task()
    if task is None or task.done() or task.cancelling() or lane.code is None or not is_readers(lane.code.co_filename):
        return None  # if it was asked to end, it will; and a library's own are its affair
    is_so = partial(_has_not_finished, lane.task)
    if left_by_gather(task):
        return Question("left behind", lane, *lane.line(), task.get_name(), is_so)
    return None if held else Question("lost", lane, *lane.line(), task.get_name(), is_so)


def of_failed(lane: Lane, task: asyncio.Future, error: str) -> Question:
    """A task that has failed, and that somebody still holds: who may look at it yet."""
    return Question("unnoticed", lane, *lane.line(), error, partial(_was_not_looked_at, weakref.ref(task)))


def failed_behind(
    future: asyncio.Future, failed: Iterable[tuple[Lane, str]], outcome: Callable
) -> tuple[Lane, str] | None:
    """The lane of a failed task, and what it failed with; or of the one behind what a `gather`, or a `shield`, returned."""
    for lane, text in failed:
        if lane.key == id(future) and lane.task() in (None, future):
            return lane, text
    error = None if isinstance(future, asyncio.Task) else getattr(future, "_exception", None)
    for lane, text in failed:
        task = lane.task()
        if (
            error is not None
            and text == outcome(error)
            and (task is None or getattr(task, "_exception", None) is error)
        ):
            return lane, text
    return None


def of_jobs(jobs: dict, outcome: Callable) -> Iterator[Question]:
    """Functions that failed in a thread, whose futures somebody still holds; `outcome` says what a failure is called."""
    for future, job in list(jobs.items()):
        if future.done() and getattr(future, "_log_traceback", False):
            yield of_job(future, job, outcome)


def of_job(future: asyncio.Future, job: Job | None, outcome: Callable) -> Question | None:
    """A function that failed in a thread, and whose future nobody has looked at."""
    if job is None:
        return None
    name, file, line = job.what
    is_so = partial(_was_not_looked_at, weakref.ref(future))
    return Question("thread failed", None, file, line, f"{name} {outcome(future._exception)}", is_so)


def of_thread(death: threading.ExceptHookArgs) -> tuple[str, None, str, int, str] | None:
    """A thread that died of an exception, as `threading.excepthook` is told: kind, lane, file, line and text of the note."""
    error, where = death.exc_value, ("", 0)
    if death.exc_type is SystemExit or error is None:
        return None
    frame = error.__traceback__
    while frame is not None:
        if is_readers(frame.tb_frame.f_code.co_filename):
            where = (frame.tb_frame.f_code.co_filename, frame.tb_lineno)
        frame = frame.tb_next
    name = death.thread.name if death.thread is not None else "a thread"
    return "thread died", None, *where, f"{name} died of {type(error).__name__}: {str(error)[:80]}"


def not_begun() -> Iterator[CoroutineType]:
    """Coroutines of the reader's functions that somebody keeps, and that have not begun, at this moment."""
    for thing in gc.get_objects():
        if type(thing) is CoroutineType and _is_new(thing) and is_readers(thing.cr_code.co_filename):
            yield thing


def never_begun(
    loop: asyncio.AbstractEventLoop, older: weakref.WeakSet, problem: BaseException | None = None
) -> Iterator[Question]:
    """Those that are not to become tasks, and not `older` than the watch.

    If a `problem` has ended the block, what holds them are its frames, most likely: then nobody has kept them.
    """
    in_tasks = {id(bare(task.get_coro())) for task in asyncio.all_tasks(loop)}
    for thing in not_begun():
        code = thing.cr_code
        if id(thing) not in in_tasks and thing not in older and not _is_kept_for_later(thing):
            kind, place = "never begun", _first_line(_suspended_keeper(thing))
            if place is None and problem is not None:
                kind, place = "never awaited", _raised_at(problem, code.co_name)
            place = place or _first_line(_keeper_that_runs(code.co_name)) or _first_line(code)
            yield Question(kind, None, *place, code.co_qualname, partial(_has_not_begun, weakref.ref(thing)))


def _has_not_finished(seen):
    task = seen()
    return task is None or not task.done() or task.cancelled()


def _was_not_looked_at(seen):
    task = seen()
    return task is not None and getattr(task, "_log_traceback", False)


def _has_not_begun(seen):
    coroutine = seen()
    return coroutine is not None and _is_new(coroutine)


def _is_new(coroutine):
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def _first_line(code):
    return code and (code.co_filename, code.co_firstlineno)


def _suspended_keeper(thing):
    """The code of the reader's function that keeps a coroutine and is suspended."""
    codes = (getattr(holder, "cr_code", None) for holder in gc.get_referrers(thing))
    return next((code for code in codes if code is not None and is_readers(code.co_filename)), None)


def _keeper_that_runs(name):
    """The code of the reader's function that ends the block, if it may have called the one of this name."""
    frame = sys._getframe()
    while frame is not None:
        if _names(frame.f_code, name) and frame.f_code.co_name != "<module>":
            return frame.f_code
        frame = frame.f_back
    return None


def _raised_at(problem, name):
    """File and line of the innermost function of the reader's that a problem went through: one that names `name`, if any."""
    places, at = [], problem.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if is_readers(code.co_filename):
            places.append((_names(code, name), len(places), code.co_filename, at.tb_lineno))
        at = at.tb_next
    return max(places)[2:] if places else None


def _names(code, name):
    return is_readers(code.co_filename) and name in (*code.co_names, *code.co_freevars, *code.co_varnames)


def _is_kept_for_later(coroutine):
    """Whether a module's globals hold it: then another cell may await it. Or a warning: then it was dropped, and told."""
    return any(
        isinstance(holder, warnings.WarningMessage)
        or (type(holder) is dict and ("__builtins__" in holder or "_category_name" in holder))
        for holder in gc.get_referrers(coroutine)
    )
