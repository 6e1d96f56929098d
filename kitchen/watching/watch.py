"""Any asyncio program in the same picture: a lane for each of its tasks, and for each thread that it starts.

A task runs in steps: the event loop calls its coroutine's `send`, which returns at the next `await` that has to wait. So a
task factory puts a clock around every new task's coroutine (`tracer`), and inside the block this very loop's `call_soon`
writes down when a task was told to go on (`hooks`). Nothing is patched beyond this one loop, and everything is put back at
the end. (Some ears are lent to the process, see `ears`: one function of Python's hears of coroutines that nobody awaited,
and a plain `with` hears of loops that start inside it.)

What is observed: every step, what it awaits when it ends (WAITING), and when something told it to go on (READY). If that
was a timer, or another thread, the task is READY from the moment at which the timer was due, or the thread called, even if a
blocked loop got round to it later. What comes through a socket is noticed when the loop looks there: until then the task
shows as WAITING. Inferred, from the CPU clock of its thread (`cpu`), is what a step of some milliseconds did: it used the
CPU (RUNNING), wanted to and did not get it (READY), or only waited and kept the loop (IDLING). Threads can only be looked at
from outside (`sampler`): what is said of them is inferred. When a record becomes large, short steps share notes (`record`).

Seen are the task that runs the block, the tasks that it makes, and those that these make; the tasks of callbacks; and, once
the task in which the block began is over, all that are made. In a plain `with` around a loop: all tasks of that loop. A task
that does not come from the loop's factory (`asyncio.Task(…)` called directly, as aiohttp does on Python 3.12 and 3.13) is
seen from when it is first woken. Not seen are the tasks of a loop that is not asyncio's and starts inside a plain `with`
without `asyncio.Runner` or `asyncio.run`: then the title says that nothing was seen. In uvloop, a call from another thread
tells when the loop got round to it.
"""

import asyncio
from asyncio import BaseEventLoop, events
from contextlib import ExitStack, suppress
from functools import partial

from kitchen.timeline import Finding, Timeline
from kitchen.watching import leftovers
from kitchen.watching.ears import as_it_is, died, dropped, ends_loop, has_loop, loop_runs, never_awaited, warned
from kitchen.watching.record import Record
from kitchen.watching.sampler import Sampler
from kitchen.watching.tracer import Tracer
from kitchen.watching.whose import is_readers


class watch:
    """Records what the asyncio tasks (`async with`) and threads (`with` or `async with`) of a program do inside the block.

    `title`: of the picture. `at_once`: how many tasks may wait for the outside at the same moment before that is called
    too many. `body`: the name of the lane of the block itself; by default that of its task. Inside a `live` block the
    picture fills in meanwhile. `async with` gives way to other tasks once.
    """

    def __init__(self, title: str = "", at_once: int = 100, body: str = ""):
        if not isinstance(at_once, int) or at_once < 1:
            raise ValueError(f"at_once={at_once!r}: give a whole number of tasks, 1 or more")
        self._title, self._at_once, self._body = title, at_once, body
        self._recorder = self._sampler = None
        self._tracers = []

    @property
    def timeline(self) -> Timeline:
        """What has been seen so far: a lane per task, named as the task is, and per thread. RuntimeError before it began."""
        return self._begun().timeline()

    @property
    def findings(self) -> list[Finding]:
        """What is amiss, in words; empty for a clean program, and until the block is over. RuntimeError before it began."""
        return list(self._begun().findings)

    def close(self) -> None:
        """Ends it from outside, where its block hangs and cannot be left; nothing when it has ended, or not begun."""
        if self._recorder is not None and self._recorder.ended is None:
            self._end()

    def _begun(self):
        if self._recorder is None:
            raise RuntimeError("nothing has been watched yet: the block has not begun")
        return self._recorder

    def __repr__(self):
        return f"<watch {self._title!r}: {'not begun' if self._recorder is None else repr(self.timeline)}>"

    def __enter__(self):
        self._begin()
        loop_runs.lend(self._loop_runs)
        has_loop.lend(self._has_loop)
        ends_loop.lend(self._ends_loop)
        try:
            if (loop := events._get_running_loop()) is not None and asyncio.current_task(loop) is not None:
                self._trace(loop).install(asyncio.current_task(loop), self._body, only_if_it_goes_on=not self._body)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, problem, traceback):
        self._end(problem)

    async def __aenter__(self):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("watch sees asyncio's tasks only, and no event loop of asyncio's runs here") from None
        self._begin()
        try:
            tracer = self._trace(loop)
            tracer.install(asyncio.current_task(), self._body)
            await asyncio.sleep(0)  # the step under way began unseen: the next one is seen
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(self, kind, problem, traceback):
        self._end(problem)

    def _begin(self):
        if self._recorder is not None:
            raise RuntimeError("this watch has been used already: make a new one for every block")
        self._recorder = Record(self._title or "watched", self._at_once)
        self._sampler = Sampler(self._recorder)
        self._sampler.start()
        warned.lend(as_it_is)
        dropped.lend(self._dropped)
        died.lend(self._died)

    def _end(self, problem=None):
        dropped.give_back(self._dropped)
        self._stop_hearing_of_warnings()
        died.give_back(self._died)
        loop_runs.give_back(self._loop_runs)
        has_loop.give_back(self._has_loop)
        ends_loop.give_back(self._ends_loop)
        with ExitStack() as ends:  # from the last to the first, whatever becomes of one of them
            ends.callback(self._recorder.close)
            ends.callback(self._sampler.stop)
            for tracer in self._tracers:
                ends.callback(tracer.uninstall, problem)
        if not self._tracers and not self._recorder.lanes:
            self._recorder.title += " (nothing was seen: no loop of asyncio's ran here, and no thread began)"

    def _stop_hearing_of_warnings(self):
        """At the end of the step, if this ends within one: what it drops is warned of where it would be unwatched."""
        loop = events._get_running_loop()
        hooks = next((tracer.hooks for tracer in self._tracers if tracer.is_on and tracer.loop is loop), None)
        if hooks is not None and hooks.is_in_step:
            hooks.afterwards.append(partial(warned.give_back, as_it_is))
        else:
            warned.give_back(as_it_is)

    def _trace(self, loop):
        tracer = Tracer(loop, self._recorder, self._sampler)
        self._tracers.append(tracer)
        return tracer

    # --- what it hears

    def _dropped(self, coroutine):
        """Of coroutines that were never awaited: Python tells of them when they are dropped."""
        if self._recorder.ended is None:
            self._recorder.remark("never awaited", None, *never_awaited(coroutine))

    def _died(self, death):
        """Of threads that die of an exception: Python prints it, and tells nobody. A program's own hook has heard of it."""
        note, hook = leftovers.of_thread(death), getattr(died.plain, "__code__", None)
        if note and self._recorder.ended is None and not (hook is not None and is_readers(hook.co_filename)):
            self._recorder.remark(*note)

    def _has_loop(self, runner):
        """Of a loop that is not asyncio's own, and that asyncio will run."""
        loop = runner._loop  # to ask for it would begin this anew
        if not isinstance(loop, BaseEventLoop):
            self._loop_runs(loop)

    def _ends_loop(self, loop):
        """Of a loop whose tasks a runner is about to cancel: one that is not asyncio's own did not say that it stopped."""
        if not isinstance(loop, BaseEventLoop):
            self._stops(loop)

    def _stops(self, loop):
        for tracer in self._tracers:
            if tracer.is_on and tracer.loop is loop:
                with suppress(Exception):  # which would break the loop
                    tracer.stops()

    def _loop_runs(self, loop):
        """Of a loop that starts to run inside a plain `with`, in whatever thread: all its tasks are seen, from now on.
        And, with None, of one that stops."""
        if loop is None:
            self._stops(events._get_running_loop())
            return
        if self._recorder.ended is not None or any(tracer.loop is loop for tracer in self._tracers):
            return
        try:
            tracer = self._trace(loop)
            tracer.install()
        except RuntimeError:  # a loop that cannot be watched is none of this block's making
            return
        for task in asyncio.all_tasks(loop):
            tracer.see(task)
        tracer.hooks.see_waiting()
