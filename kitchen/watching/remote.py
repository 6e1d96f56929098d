"""A program that runs already, seen from outside and unchanged: what its tasks wait for, and who waits for whom.

Since 3.14 CPython keeps tables in which another process, of the same version, can read all tasks, where each stands and who
awaits it (`_remote_debugging`, which `python -m asyncio ps` uses). No code runs in the program, and nothing stops it. These
are looks, some milliseconds apart: whatever happened between two of them is not known, so everything is marked as inferred.

A task that has the loop's thread is RUNNING; it is IDLING where the operating system says that this thread sleeps (Linux
only). All others are WAITING: whether one could go on, and so would be READY, cannot be seen from outside.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kitchen.recorder import Recorder
from kitchen.timeline import IDLING, RUNNING, WAITING, State
from kitchen.timeline.words import printable
from kitchen.watching.stacks import line_of
from kitchen.watching.whose import is_readers, place

OLDEST = 3, 14
LIBRARY = re.compile(r"[/\\]lib[/\\]python3\.\d+t?[/\\]", re.IGNORECASE)  # also of a Python that stands elsewhere
NOT_GIVEN = re.compile(r"Task-\d+")
DEAD = "ZX"  # what Linux calls a process that is over, while nobody has asked for its exit code


class CannotAttach(RuntimeError):
    """This program cannot be looked at; the message says why, and what to do."""


class Task(NamedTuple):
    """A task in one look: its key, its name, what it does, where, and the keys of the tasks that it awaits."""

    key: tuple[int, int, str]
    name: str
    doing: str
    where: str
    awaits: Sequence[tuple[int, int, str]]
    state: State


class Attached(Recorder):
    """The looks at the process `pid` as one run, a lane for each task. Raises CannotAttach where one cannot look.

    `standing`: for each task of the last look, since when it has been where it is, in seconds since the run began.
    """

    def __init__(self, pid: int):
        self.pid = pid
        self._unwinder = _unwinder(pid)
        super().__init__([], f"process {pid}, from outside")
        self.standing: dict[Task, float] = {}
        self._numbers: dict[tuple[int, int, str], int] = {}
        self.looks = self.missed = 0  # a look that fell into a change of the tables is missed

    def look(self) -> None:
        """One look; what has changed since the last one goes into the log. Raises ProcessLookupError when all is over."""
        if not is_alive(self.pid):
            raise ProcessLookupError(f"process {self.pid} has ended")
        now = self.now()
        try:
            tasks = tasks_of(self._unwinder, lambda thread: _sleeps(self.pid, thread))
        except (RuntimeError, OSError, UnicodeDecodeError, ValueError, MemoryError):
            self.missed += 1
            return
        self.looks += 1
        before = {task.key: (task, since) for task, since in self.standing.items()}
        self.standing = {}
        for task in tasks:
            old, since = before.pop(task.key, (None, now))
            if old is None:
                self._numbers[task.key] = self.add_lane(task.name)
            if (old and old[2:]) != task[2:]:
                self.change(self._numbers[task.key], task.state, f"{task.doing}, {task.where}", now, inferred=True)
                since = now
            self.standing[task] = since
        for key in before:
            self.change(self._numbers.pop(key), None, at=now)

    def who_waits_for_whom(self) -> list[str]:
        """The last look as a tree, a line for each task; below it those tasks that it awaits."""
        now = self.now() if self.ended is None else self.ended
        tasks = {task.key: task for task in self.standing}
        awaited = {key for task in tasks.values() for key in task.awaits}
        lines: list[str] = []
        told: set[Any] = set()

        def tell(key, depth, above):
            task = tasks[key]
            for_long = f"for {now - self.standing[task]:.1f} s" if task.state is WAITING else task.state.name
            lines.append(f"{'  ' * depth}{task.name}: {task.doing}, {task.where}, {for_long}")
            if key in above:
                lines[-1] += " (a circle: none of them can ever go on)"
            elif key in told:
                lines[-1] += " (see above)" if task.awaits else ""
            else:
                told.add(key)
                for other in task.awaits:
                    tell(other, depth + 1, {*above, key})

        for key in sorted(tasks, key=lambda key: key in awaited):  # those that nobody awaits first; a circle has none
            if key not in told:
                tell(key, 0, set())
        return lines


def tasks_of(unwinder: Any, sleeps: Callable[[int], bool]) -> list[Task]:
    """One look: every task, in the order in which the interpreter has them. `sleeps(thread)`: whether that thread does."""
    has_the_loop = set()
    for thread in unwinder.get_async_stack_trace():
        if thread.awaited_by:  # the first is the one that runs, the others await it
            has_the_loop.add((thread.thread_id, thread.awaited_by[0].task_id))
    found, awaits = [], {}
    for thread in unwinder.get_all_awaited_by():
        for info in thread.awaited_by:
            found.append((thread.thread_id, info))
            for waiter in info.awaited_by:
                awaits.setdefault(waiter.task_name, []).append((thread.thread_id, info.task_id, info.task_name))
    names = {(thread, info.task_id, info.task_name): _name(info) for thread, info in found}
    tasks = []
    for thread, info in found:
        key = thread, info.task_id, info.task_name
        others = tuple(dict.fromkeys(awaits.get(info.task_id, ())))
        doing, where = _what(info.coroutine_stack[0].call_stack if info.coroutine_stack else ())
        state = WAITING
        if key[:2] in has_the_loop:
            state = IDLING if sleeps(thread) else RUNNING
        elif others:
            doing = ", ".join(names[other] for other in others[:2])
            doing += f" and {len(others) - 2} more" if len(others) > 2 else ""
        tasks.append(Task(key, names[key], doing, where, others, state))
    return tasks


def _name(info):
    """The task's name; of one that nobody gave a name, the coroutine's."""
    stack = info.coroutine_stack[0].call_stack if info.coroutine_stack else ()
    given = printable(info.task_name)
    return f"{_function(stack[-1])} ({given})" if stack and NOT_GIVEN.fullmatch(given) else given


def _function(frame):
    return printable(frame.funcname.rpartition(".<locals>.")[2])


def _what(stack):
    """What is awaited, by its name, and the line of the reader's own code that does so; `stack` has the innermost first."""
    if not stack:
        return "not begun", "no line yet"
    inner = stack[0]
    mine = next((frame for frame in stack if is_readers(frame.filename) and not LIBRARY.search(frame.filename)), inner)
    return _function(inner), printable(place(mine.filename, line_of(mine)))


def _unwinder(pid):
    if sys.version_info < OLDEST:
        here, oldest = sys.version.split()[0], ".".join(map(str, OLDEST))
        raise CannotAttach(
            f"only Python {oldest} and newer can be looked at from outside, and only by the same version; this is {here}. "
            f"Run the program with Python {oldest}, delete .venv, and start this as python{oldest} -m kitchen attach {pid}"
        )
    if not is_alive(pid):
        raise CannotAttach(f"there is no process {pid}")
    try:
        from _remote_debugging import RemoteUnwinder  # an inner module: a build may lack it, and there is no other way

        unwinder = RemoteUnwinder(pid, all_threads=True)
        unwinder.get_all_awaited_by()
        return unwinder
    except PermissionError as error:
        how = "as that user, or with sudo; in a container it may need the capability SYS_PTRACE"
        remedy = how if sys.platform == "linux" else "with sudo"
        raise CannotAttach(f"process {pid} may not be looked at ({error.strerror}): try it {remedy}") from error
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        if "Asyncio" in str(error):
            raise CannotAttach(f"process {pid} has not imported asyncio: there are no tasks to be seen") from error
        here = ".".join(map(str, sys.version_info[:2]))
        raise CannotAttach(
            f"process {pid} cannot be looked at ({error}): it has to be a Python {here}, as this one is"
        ) from error


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it is not merely waiting for somebody to ask for its exit code."""
    if sys.platform == "win32":
        return True  # os.kill would end it; the interpreter says itself whether it finds one
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return _status(f"/proc/{pid}/stat") not in DEAD


def _sleeps(pid, thread):
    return _status(f"/proc/{pid}/task/{thread}/stat") in "SD"


def _status(file):
    """Linux's letter for what a process or thread does; "?" where there is none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as text:
            return text.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "?"
