"""Where the loop stood while a step, or a callback, held it, and what it did there."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from kitchen.timeline import IDLING, READY, RUNNING, State
from kitchen.watching.cpu import ERROR_SECONDS, one_at_a_time
from kitchen.watching.crowds import spots
from kitchen.watching.errands import IN_THREADS
from kitchen.watching.facts import IMPORT, RESULT, START, Facts, Sample, TaskStep
from kitchen.watching.program import calls_in, imports

HELD_SECONDS = 0.1  # for which a step may hold the loop: asyncio's own slow_callback_duration
SHORT_SECONDS = 0.02  # a step that is longer counts when those of one line are summed
NEAR_SECONDS = 0.1  # around a step, in which it is looked for what other threads did
NOBODY_LOOKED = 0.8  # the part of a step in one stretch: who computes in Python lets others look now and then
MOST = 0.5  # the part of a time that is enough to say what it was used for
THREADS = {"queued", "kept the interpreter"}  # what threads do to each other
UNSEEN, CALLBACK = -1, -2  # instead of a lane: of a task that has none, and of what is no task's
A_TASK = "a task"  # a step of one, of which no better name is known


class Place(NamedTuple):
    """A line that held the loop. `sure`: it was seen there. `does`: what it did, as one of the keys of ADVICE."""

    file: str
    line: int
    name: str
    sure: bool
    does: str

    @property
    def is_others(self) -> bool:
        """Whether other threads of the program did it, while the loop's own was READY."""
        return self.does in THREADS and self.name != A_TASK


NOBODY = Place("", 0, "", True, "")  # no line is to blame


class Look:
    """Samples and waits, in the order in which they are searched."""

    def __init__(self, facts: Facts):
        self.facts = facts
        self.samples = sorted(facts.samples, key=lambda sample: sample.time)
        self.times = [sample.time for sample in self.samples]
        self.waits = defaultdict(list)
        for wait in facts.waits:
            if wait.frames:
                self.waits[wait.lane].append(wait)
        self.collections = facts.collections
        self.steps = [self._without_collections(step) for step in facts.steps]
        self.threads = [name for lane, name in enumerate(facts.timeline.lanes) if lane not in facts.tasks]
        self.spans_of = cache(lambda name: facts.timeline.by_lane[name])

    def _seen(self, start, stop):
        return self.samples[bisect_left(self.times, start) : bisect_right(self.times, stop)]

    def _unseen(self, start, stop):
        """The stretches of this time in which nobody looked: from one look to the next."""
        return pairwise([start, *(sample.time for sample in self._seen(start, stop)), stop])

    def _swept(self, start, stop):
        """For how many seconds of an unseen stretch the garbage collector had the interpreter.

        Nothing where it is short: what a collection calls, `__del__`, can be looked at, and is the program's own.
        """
        first = bisect_left(self.collections, start, key=itemgetter(1))
        swept = 0.0
        for begin, end in self.collections[first : bisect_right(self.collections, (stop, stop))]:
            swept += min(end, stop) - max(begin, start)
        return swept if swept >= SHORT_SECONDS else 0.0

    def collected(self, start: float, stop: float) -> float:
        """For how many seconds of this time the garbage collector had the interpreter: nobody could look meanwhile."""
        is_any = self.collections and stop - start >= SHORT_SECONDS
        return sum(self._swept(*unseen) for unseen in self._unseen(start, stop)) if is_any else 0.0

    def _without_collections(self, step):
        """A step that is not to blame for a collection of garbage, which may come anywhere, and be due to our own notes."""
        collected = self.collected(step.start, step.stop)
        return step._replace(ours=min(step.ours + collected, length_of(step))) if collected else step

    def culprit(self, step: TaskStep) -> Place:
        """What held the loop during a step."""
        seen, length = self._seen(step.start, step.stop), length_of(step)
        gaps = enumerate(self._unseen(step.start, step.stop))
        unseen, at = max((end - start - self._swept(start, end), at) for at, (start, end) in gaps)
        spent = self.spent(step)
        does = _did(spent, length, seen)
        is_known = any(sample.file or sample.function for sample in seen) or self.waits[step.lane]
        queued = does == "queued"
        if queued and unseen > NOBODY_LOOKED * length and (job := self._job_during(step, spent[RUNNING], seen)):
            return job
        if (queued or not is_known) and (beside := self._beside(step)):
            return beside
        if queued:  # not behind threads of this program
            does = _mostly(spent)
        imported = all(sample.waits == IMPORT for sample in seen)  # which reads files, and lets few look
        few = NOBODY_LOOKED if does == "waited" else MOST  # who only waits lets others look: a busy computer does not
        if seen and (unseen <= few * length or length < HELD_SECONDS or imported):
            return _most_common(seen, does)
        before = self._before(step, seen, at)
        if not one_at_a_time():
            return before
        # Nobody could look: a function that is not Python held the interpreter itself.
        if spent[RUNNING] > max(spent[IDLING], SHORT_SECONDS):
            before = before._replace(does="kept the interpreter")
        return self._job_during(step, spent[RUNNING], seen) or before

    def _beside(self, step, near=()):
        """Where other threads computed while a step queued for the interpreter: nowhere, where nobody need queue for it."""
        if not one_at_a_time():
            return None
        near = near or self._seen(step.start - NEAR_SECONDS, step.stop + NEAR_SECONDS)
        beside = Counter(sample.beside for sample in near if sample.beside)
        return Place(*beside.most_common(1)[0][0], True, "queued") if beside else None

    def _before(self, step, seen, at):
        """Where it stood when it was last seen: what held it began after that."""
        if at:
            return Place(seen[at - 1].file, seen[at - 1].line, A_TASK, False, "")
        waits = self.waits[step.lane]
        before = bisect_right(waits, step.start, key=lambda wait: wait.end)
        if before:
            frame = waits[before - 1].frames[-1]
            return Place(frame.code.co_filename, frame.line, A_TASK, False, "")
        if waits:
            code = waits[0].frames[0].code
            return Place(code.co_filename, code.co_firstlineno, A_TASK, False, "")
        return _most_common(seen, "") if seen else Place("", 0, A_TASK, False, "")

    def spent(self, step: TaskStep) -> dict[State, float]:
        """For how many seconds of a step its thread ran, idled, and queued."""
        spent = dict.fromkeys((RUNNING, IDLING, READY), 0.0)
        spans = self.spans_of(self.facts.timeline.lanes[step.lane])
        first = max(bisect_right(spans, step.start, key=lambda span: span.start) - 1, 0)
        for at in range(first, len(spans)):
            span = spans[at]
            if span.start >= step.stop:
                break
            if span.state in spent:
                spent[span.state] += overlap(span.start, span.end, step)
        return spent

    def held_by(self, step: TaskStep) -> float:
        """For how many seconds a step itself held the loop: without those in which its thread did not get the CPU."""
        is_told = step.lane >= 0 and length_of(step) >= ERROR_SECONDS  # what a shorter one did, its clocks do not tell
        return length_of(step) - step.ours - (self.spent(step)[READY] if is_told else 0.0)

    def came(self, step: TaskStep) -> int:
        """Through how many connections something had come, for a good part of a step, that the loop could not look at."""
        came = [sample for sample in self._seen(step.start, step.stop) if sample.came]
        return max(sample.came for sample in came) if came and step.stop - came[0].time >= HELD_SECONDS / 2 else 0

    def _threads_during(self, step):
        """For how many seconds of a step each other thread ran."""
        worked = {}
        for name in self.threads:
            spans = [span for span in self.spans_of(name) if span.state is RUNNING]
            worked[name] = sum(max(overlap(span.start, span.end, step), 0.0) for span in spans)
        return worked

    def _job_during(self, step, own, seen):
        """Where a task began, or awaits, a thread that computed more than the loop did, and let nobody else run."""
        worked = self._threads_during(step) if one_at_a_time() else {}
        thread = max(worked, key=worked.get, default=None)
        if sum(time > SHORT_SECONDS for time in worked.values()) > 1 and sum(worked.values()) > own:
            return self._beside(step) or self._beside(step, self.samples)
        if thread is None or worked[thread] < max(HELD_SECONDS, own):
            return None
        waits = [wait for wait in self.facts.waits if wait.kind == "thread"]
        # The thread may take the interpreter before the step has ended that began it.
        begun = [wait for wait in waits if wait.lane == step.lane and abs(wait.start - step.stop) < SHORT_SECONDS]
        wait = begun[0] if begun else max(waits, key=lambda wait: overlap(wait.start, wait.end, step), default=None)
        if wait is None or not (begun or overlap(wait.start, wait.end, step) > MOST * length_of(step)):
            # The thread may even be done before the task gets to wait for it: the step still stood where it began it.
            stood = [(s.file, s.line) for s in seen if s.file and IN_THREADS.keys() & calls_in(s.file, s.line)]
            return Place(*(stood[0] if stood else ("", 0)), thread, True, "kept the interpreter")
        file, line = next(spots(self.facts, [wait], (wait.start + wait.end) / 2), ("", 0))
        return Place(file, line, thread, True, "kept the interpreter")

    def unlooked(self, stretches: list, steps: list) -> Iterator[tuple[Place, TaskStep]]:
        """Threads, and callbacks, that kept the interpreter in these stretches, outside of these steps, as if each of that
        were a step: for so long nobody looked, and none of the loop's tasks went on."""
        gaps = [gap for gap in self.facts.unlooked if gap[1] - gap[0] >= HELD_SECONDS] if one_at_a_time() else []
        for start, end in stretches:
            for begin, finish, used in gaps:
                step = TaskStep(UNSEEN, start, max(start, begin), min(end, finish))
                if length_of(step) < NOBODY_LOOKED * (end - start) or any(overlap(*times, step) > 0 for times in steps):
                    continue
                if length_of(step) - self.collected(step.start, step.stop) < HELD_SECONDS:
                    continue
                # At the first look since then.
                stood = [sample for sample in self._seen(finish, finish) if not sample.is_tasks]
                if job := self._job_during(step, 0.0, ()):
                    yield job, step
                elif used >= HELD_SECONDS and stood:
                    yield _most_common(stood, "kept the interpreter"), step._replace(lane=CALLBACK)

    def between(self, stretches: list, steps: list) -> Iterator[tuple[Place, TaskStep]]:
        """What held the loop in these stretches and outside of these steps, as if it were a step: callbacks, other tasks.

        `ours` is for how long its thread queued for the CPU.
        """
        starts = [start for start, _ in steps]
        for start, end in stretches:
            row = []
            for sample in self._seen(start, end):
                at = bisect_right(starts, sample.time) - 1
                if at >= 0 and sample.time <= steps[at][1]:
                    continue
                between = row and bisect_right(starts, row[-1].time) <= at  # a step of a task
                if row and (between or (*sample[1:4], sample.is_tasks) != (*row[-1][1:4], row[-1].is_tasks)):
                    yield from self._stretch(row)
                    row = []
                row.append(sample)
            yield from self._stretch(row)

    def _stretch(self, row):
        if len(row) < 2:
            return
        share, others = _shares(row)
        start, stop = row[0].time, row[-1].time
        lane = UNSEEN if row[0].is_tasks else CALLBACK
        step = TaskStep(lane, start, start, stop, min(_queued(row) + self.collected(start, stop), stop - start))
        does = "" if share is None else "waited" if share < 0.2 else "computed" if share > 0.8 else ""
        beside = Counter(sample.beside for sample in row if sample.beside)
        if beside and share is not None and share < MOST < others:
            yield Place(*beside.most_common(1)[0][0], True, "queued"), step._replace(ours=0.0)
        elif row[0].file or row[0].function:
            yield _most_common(row, does), step


def _did(spent, length, seen):
    """What a step did for most of its time, by the clocks of its thread; "": not known."""
    if spent[READY] > MOST * length:
        return "queued"
    if spent[IDLING] > 0.8 * length:
        return "waited"
    if spent[IDLING] + spent[READY] > 0.2 * length:
        return ""
    share, others = _shares(seen)
    if share is None:
        return ""
    if share < MOST and others is not None and others > MOST:
        return "queued"
    return "waited" if share < 0.2 else "computed" if share > 0.8 else ""


def _mostly(spent):
    """The same, of the time in which it had the CPU if it wanted it."""
    if spent[IDLING] > 4 * spent[RUNNING]:
        return "waited"
    return "computed" if spent[RUNNING] > 4 * spent[IDLING] else ""


def length_of(step: TaskStep) -> float:
    """For how many seconds a step went on."""
    return step.stop - step.start


def overlap(start: float, end: float, step: TaskStep) -> float:
    """For how many seconds of a step this stretch of time went on; less than nothing: they do not even touch."""
    return min(end, step.stop) - max(start, step.start)


def _most_common(seen: list[Sample], does):
    """Where it stood most of the time."""
    (file, line, name, waits), _ = Counter(
        (*sample[1:4], sample.waits if sample.waits in (RESULT, START, IMPORT) else "") for sample in seen
    ).most_common(1)[0]
    if file and (name == "<module>" or imports(file, line)):
        does = "imported"
    elif file and waits == IMPORT:
        does = "imported inside"
    elif waits == START:  # until the new one has the CPU: no line can do anything about that
        return NOBODY
    elif waits == RESULT:
        itself = file and "run_coroutine_threadsafe" in calls_in(file, line) and seen[-1].ready
        does = "waited for itself" if itself else "waited for a thread"
    return Place(file, line, "" if file else f"a callback, {name}," if name else A_TASK, True, does)


def _shares(seen):
    """The part of the time between the first and the last sample in which its thread, and all others, used the CPU.

    Without the time in which other programs kept it from the CPU.
    """
    if not seen or seen[-1].time <= seen[0].time or seen[0].cpu is None or seen[-1].cpu is None:
        return None, None
    own = seen[-1].cpu - seen[0].cpu
    length = max(seen[-1].time - seen[0].time - _queued(seen), own, 1e-9)
    if seen[0].all is None or seen[-1].all is None:
        return own / length, None
    return own / length, (seen[-1].all - seen[0].all - own) / length


def _queued(seen):
    """For how long, between the first and the last sample, other programs kept its thread from the CPU."""
    if not seen or seen[0].queued is None or seen[-1].queued is None:
        return 0.0
    return min(seen[-1].queued - seen[0].queued, seen[-1].time - seen[0].time)
