"""The clock around a task's coroutine: it writes down when each of its steps begins and ends."""

from collections.abc import Generator
from time import perf_counter
from typing import Any

from kitchen.recorder import CPU_CLOCK_IS_FINE
from kitchen.watching.lane import Lane
from kitchen.watching.record import GAVE_WAY, SHORT_WAIT_SECONDS, WAITS
from kitchen.watching.traced import bare, without_this

LONG_STEP_SECONDS = 0.008 if CPU_CLOCK_IS_FINE else 0.1  # from which on it is told whether a step used the CPU


def steps(tracer: Any, lane: Lane, coroutine: Any) -> Generator[Any, Any, Any]:
    """Passes on what the loop and the coroutine say to each other, and writes down when each step begins and ends.

    Takes itself out of the tracebacks of whatever passes through. It is destroyed together with a task that nobody holds.
    """
    recorder, meter, now = tracer.recorder, tracer.meter, perf_counter
    note, look = tracer.note, tracer.look
    inner, coroutine = coroutine, bare(coroutine)  # the clock of another watch may be in between, and be taken away
    stop, awaited, thrown = lane.woken, None, None  # what is thrown is not kept: the coroutine may let go of it at once
    try:
        yield
    except GeneratorExit:
        return None if lane.left else tracer.lost(lane, stop)
    except BaseException as error:  # cancelled before its first step
        thrown = [without_this(error)]
    tracer.begins(lane)
    stretch = None
    gave_way, waits, short, long = GAVE_WAY, WAITS, SHORT_WAIT_SECONDS, LONG_STEP_SECONDS
    while True:
        lane.started = start = now()
        if start > meter[0]:
            if lane.left:  # the watch is over, and it could not be taken away
                return (yield from _unseen(inner, thrown))
            lane.started = start = tracer.read()
        before = None
        if awaited is None:
            woken, waited = stop, 0.0  # it gave way, and could have gone on at once
        else:
            woken = lane.woken
            waited = woken - stop
            if waited > short:
                if lane.memory is None:
                    lane.memory = []
                lane.before = before = look(lane.memory, coroutine, awaited)
                lane.looked = start
            awaited = None
        try:
            if not thrown:
                awaited = inner.send(None)
            else:
                tracer.interrupted(lane, before, thrown[0])
                awaited = inner.throw(thrown.pop())
        except StopIteration as result:
            tracer.over(lane, before)
            return result.value
        except BaseException as problem:
            tracer.over(lane, before, problem)
            without_this(problem)
            raise
        stop = now()
        took = stop - start
        if (took > long and tracer.held(lane, start, stop)) or not meter[1]:
            stretch = None
            note((lane, woken, start, stop, before, gave_way if awaited is None else waits))
        elif stretch is not None and stop - stretch[0] < meter[1]:  # see Record.stretch
            stretch[1] = stop
            stretch[2] += took
            if waited:
                stretch[3] += waited
            stretch[4] += 1
            stretch[5] = awaited is None
        else:
            stretch = recorder.stretch(lane, woken, start, stop, before, awaited is None, meter[1])
        try:
            yield awaited
        except GeneratorExit:
            return None if lane.left else tracer.lost(lane, stop)
        except BaseException as error:
            thrown = [without_this(error)]


def _unseen(inner, thrown):
    """The rest of a task, when nobody watches any more."""
    while True:
        try:
            awaited = inner.throw(thrown.pop()) if thrown else inner.send(None)
        except StopIteration as result:
            return result.value
        except BaseException as problem:
            without_this(problem)
            raise
        try:
            yield awaited
        except GeneratorExit:
            return None
        except BaseException as error:
            thrown = [without_this(error)]
