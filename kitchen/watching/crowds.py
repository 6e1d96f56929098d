"""Too many at once: more tasks wait for the outside than it may like, or more jobs for a thread than there are threads."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from kitchen.timeline import READY, RUNNING, WAITING, Finding
from kitchen.timeline.words import short
from kitchen.watching.facts import Facts
from kitchen.watching.program import calls_in
from kitchen.watching.whose import place
from kitchen.watching.wording import number, span_of

USED_SHARE = 0.05  # of the CPU: a thread that uses more computes, though others may keep it from it most of the time
SEMAPHORES = {"Semaphore", "BoundedSemaphore"}


def too_many(facts: Facts) -> list[Finding]:
    """More than `at_once` tasks wait for the outside at the same moment. (100: what httpx and aiohttp allow.)

    How many connect to a server is not for it to say: what serves them is not counted.
    """
    outside = [wait for wait in facts.waits if wait.outside and wait.lane not in facts.serving]
    most, moment = most_at_once((wait.start, wait.end) for wait in outside)
    if most <= facts.at_once:
        return []
    then = [wait for wait in outside if wait.start <= moment < wait.end]
    file, line = _commonest_spot(facts, then, moment)
    longest = max(then, key=lambda wait: wait.end - wait.start)
    where = f" at {place(file, line)}" if line else ""
    own = {name for wait in then for frame in wait.frames for name in calls_in(frame.code.co_filename, frame.line)}
    advice = (
        "Each makes a semaphore of its own, which nobody else asks: make one for all."
        if not own.isdisjoint(SEMAPHORES)
        else "An asyncio.Semaphore lets so many in and no more."
    )
    text = f"{most} tasks waited for the outside at the same moment{where}, more than {facts.at_once}. {advice}"
    span = span_of(facts, longest.lane, WAITING, longest.start, longest.end)
    return [Finding("too many", text, file, line, span)]


def executor_full(facts: Facts) -> list[Finding]:
    """Jobs that queued for a thread of the loop's own executor while those that had one only waited."""
    if not facts.queued:
        return []
    start, end = min(job.start for job in facts.queued), max(job.end for job in facts.queued)
    spans = _in_threads(facts, start, end)
    ran = sum(span.duration for span in spans if span.state is RUNNING)
    if ran > USED_SHARE * sum(span.duration for span in spans):
        return []  # they computed: more threads would not help
    moment = min(job.end for job in facts.queued)
    then = [wait for wait in facts.waits if wait.kind == "thread" and wait.start <= moment < wait.end]
    lines = Counter((job.file, job.line) for job in facts.queued if job.file).most_common(1)
    file, line = lines[0][0] if lines else _commonest_spot(facts, then, moment)
    meanwhile = [wait for wait in facts.waits if wait.start < end and wait.end > start]
    then = then or [wait for wait in meanwhile if any(frame.code.co_filename == file for frame in wait.frames)]
    longest = short(max(job.end - job.start for job in facts.queued))
    text = (
        f"{number(len(facts.queued), 'job')} for a thread{' at ' + place(file, line) if line else ''} had to queue, for "
        f"up to {longest} s: all threads of the loop's executor were busy waiting. "
        "Give run_in_executor a ThreadPoolExecutor with more threads."
    )
    span = span_of(facts, then[0].lane, WAITING, then[0].start, then[0].end) if then else None
    return [Finding("executor full", text, file, line, span)]


def ran_in_threads(facts: Facts, start: float, end: float) -> float:
    """For how many seconds of this time other threads than the loop's computed, or wanted to."""
    spans = [span for span in _in_threads(facts, start, end) if span.state in (RUNNING, READY)]
    return sum(min(span.end, end) - max(span.start, start) for span in spans)


def _in_threads(facts, start, end):
    threads = [name for lane, name in enumerate(facts.timeline.lanes) if lane not in facts.tasks]
    return [span for name in threads for span in facts.timeline.by_lane[name] if span.start < end and span.end > start]


def _commonest_spot(facts, waits, moment):
    return next((spot for spot, _ in Counter(spots(facts, waits, moment)).most_common(1)), ("", 0))


def spots(facts: Facts, waits: Iterable[Any], moment: float) -> Iterator[tuple[str, int]]:
    """File and line of the reader's at which each of these waits; for a library's own task, at which its maker waits."""
    lanes, parents = facts.timeline.lanes, facts.timeline.parents
    frames_of = {
        lanes[wait.lane]: wait.frames for wait in facts.waits if wait.frames and wait.start <= moment < wait.end
    }
    for wait in waits:
        name, frames = lanes[wait.lane], wait.frames
        while not frames and name in parents:
            name = parents[name]
            frames = frames_of.get(name)
        if frames:
            yield frames[-1].code.co_filename, frames[-1].line


def most_at_once(stretches: Iterable[tuple[float, float]]) -> tuple[int, float]:
    """How many of these stretches of time there were at the same moment, and when that was."""
    times = sorted(edge for start, end in stretches for edge in ((start, 1), (end, -1)))
    most, moment, count = 0, 0.0, 0
    for time, change in times:
        count += change
        if count > most:
            most, moment = count, time
    return most, moment
