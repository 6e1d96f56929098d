"""The loop is held, and tasks that could go on have to queue: which line did it, and what it did meanwhile."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise, zip_longest
from typing import NamedTuple

from kitchen.timeline import IDLING, READY, RUNNING, Finding, State
from kitchen.timeline.words import short
from kitchen.watching.cpu import ERROR_SECONDS, one_at_a_time
from kitchen.watching.crowds import spots
from kitchen.watching.errands import IN_THREADS
from kitchen.watching.facts import Facts, Sample, TaskStep
from kitchen.watching.program import calls_in, imports
from kitchen.watching.stretches import inside, turns_given, union, without
from kitchen.watching.whose import place
from kitchen.watching.wording import number, span_of

HELD_SECONDS = 0.1  # for which a step may hold the loop: asyncio's own slow_callback_duration
CROWDED_SECONDS = 0.5  # for which a task may queue, though no line holds the loop for long
SHORT_SECONDS = 0.02  # a step that is longer counts when those of one line are summed
NEAR_SECONDS = 0.1  # around a step, in which it is looked for what other threads did
MOST = 0.5  # the part of a time that is enough to say what it was used for
RESULT = "result of another thread"
THREADS = {"queued", "kept the interpreter"}  # what threads do to each other
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


ADVICE = {
    "waited": "It only waited there: await something that lets the loop go on, or hand it to asyncio.to_thread.",
    "computed": "It computed: asyncio.to_thread keeps the loop free, another process makes it faster too.",
    "": "Hand it to asyncio.to_thread.",
    "elsewhere": "None of your own lines did: a library's, or an import, which can be done before the loop runs.",
    "imported": "It is an import: do it before the loop runs.",
    "waited for a thread": "It waited there for another thread: await asyncio.wrap_future of what it waits for.",
    "waited for itself": "It waited there for what only this loop can do: await the coroutine itself.",
    "queued": "Threads computed there, and one at a time runs Python: another process leaves the loop free.",
    "kept the interpreter": "It let no other thread run meanwhile, so a thread does not help: hand it to another process.",
}


def blocked(facts: Facts) -> list[Finding]:
    """Lines that held the loop for 0.1 s or more while others were READY for a good part of it, at once or in sum."""
    steps = sorted(
        (step for step in facts.steps if step.stop - step.start - step.ours >= HELD_SECONDS),
        key=lambda step: step.start,
    )
    # A task that begins at once, when it is made, has its step within that of its maker: the inner one is to blame.
    steps = [step for step, after in zip_longest(steps, steps[1:]) if after is None or after.stop > step.stop]
    look, held = Look(facts), defaultdict(list)
    for step, kept in zip(steps, _kept_waiting(facts, steps), strict=True):
        where = look.culprit(step)
        is_programs = where.is_others or look.held_by(step) >= HELD_SECONDS
        if ((kept or look.came(step)) and is_programs) or where.does == "waited for itself":
            held[where].append((step, len(kept)))
    stretches = list(_ready(facts, HELD_SECONDS))
    told = sorted((step.start, step.stop) for times in held.values() for step, _ in times)
    rest = list(without(union(stretches), told, HELD_SECONDS))
    explained = queued = 0.0
    for where, times in _in_the_rest(facts, look, rest).items():
        took = sum(_length(step) if where.is_others else look.held_by(step) for step in times)
        explained, queued = explained + took, queued + sum(map(_length, times)) - took
        if not where.name and not where.line:
            continue  # steps too short to be worth a word each
        if where in held or took >= HELD_SECONDS:
            kept = [(step, _waiting(stretches, step)) for step in times]
            if any(many for _, many in kept):
                held[where] += kept
    _join_unknown(held)
    found = [_of_held(look, where, times) for where, times in held.items()]
    return found or _of_crowd(facts, rest, stretches, explained, queued)


def _join_unknown(held):
    """Steps of a line of which it is not known what they did are told with those of which it is, if these took longer."""
    took = {where: sum(_length(step) for step, _ in times) for where, times in held.items()}
    for where in [where for where in held if not where.does]:
        known = [other for other in held if other.does and other._replace(does="") == where]
        most = max(known, key=took.get, default=where)
        if took[most] > took[where]:
            held[most] += held.pop(where)


def _kept_waiting(facts, steps):
    """For each step the lanes of the other tasks that were READY for a good part of it."""
    stops, kept = [step.stop for step in steps], [set() for _ in steps]
    for start, end, lane in _ready(facts, HELD_SECONDS / 2) if steps else ():
        at = bisect_right(stops, start)
        while at < len(steps) and steps[at].start < end:
            step = steps[at]
            if lane != step.lane and _overlap(start, end, step) >= HELD_SECONDS / 2:
                kept[at].add(lane)
            at += 1
    return kept


def _ready(facts, least):
    """When tasks were READY for `least` seconds or longer: start, end, lane. Not who gave its turn away itself."""
    lanes, states, _, starts, ends, _ = facts.timeline.table
    found = [
        (start, end, lane)
        for lane, state, start, end in zip(lanes, states, starts, ends, strict=True)
        if state is READY and end - start >= least and lane in facts.tasks
    ]
    gave = set(turns_given(facts.steps)) if found else ()
    return [(start, end, lane) for start, end, lane in found if (lane, start) not in gave]


def _of_held(look, where, times):
    """The finding about a place, from the steps that it held the loop for, and how many tasks each kept waiting."""
    step, _ = max(times, key=lambda time: time[0].stop - time[0].start)
    longest, waiting = step.stop - step.start, max(kept for _, kept in times)
    were = f"; {number(waiting, 'task')} {'was' if waiting == 1 else 'were'} ready" if waiting else ""
    if came := 0 if waiting else max(look.came(step) for step, _ in times):
        were = f"; something had come through {number(came, 'connection')}"
    at = place(where.file, where.line) if where.line else where.name
    advice = ADVICE[where.does]
    if at == A_TASK and step.lane >= 0:
        at, advice = look.facts.timeline.lanes[step.lane], ADVICE["elsewhere"]
    at = at if where.sure or not where.line else f"something at or after {at}"
    verb = "kept the interpreter" if where.does == "kept the interpreter" else "held the loop"
    if len(times) == 1:
        text = f"{at} {verb} for {longest:.3f} s{were}."
    else:
        total = short(sum(step.stop - step.start for step, _ in times))
        were = were.replace("; ", "; up to ")
        text = f"{at} {verb} {len(times)} times, {total} s in all (up to {longest:.3f} s at once){were}."
    if step.lane < 0:
        return Finding("blocked", f"{text} {advice}", where.file, where.line)
    spent = look.spent(step)
    span = span_of(look.facts, step.lane, max(spent, key=spent.get), step.start, step.stop)
    return Finding("blocked", f"{text} {advice}", where.file, where.line, span)


# --- long waits in the queue that no long step explains ----------------------------------------------------------------


def _in_the_rest(facts, look, rest):
    """Callbacks, tasks that are not watched, and shorter steps, by the place that held the loop in these stretches."""
    held = defaultdict(list)
    for step in inside(rest, facts.steps) if rest else ():
        long_enough = _length(step) >= SHORT_SECONDS and look.held_by(step) >= SHORT_SECONDS
        held[look.culprit(step) if long_enough else Place("", 0, "", False, "")].append(step)
    steps = sorted((step.start, step.stop) for step in facts.steps) if rest else []
    for where, start, stop, queued in look.between(rest, steps):
        held[where].append(TaskStep(-1, start, start, stop, queued))
    return held


def _length(step):
    return step.stop - step.start


def _of_crowd(facts, rest, stretches, explained, queued):
    """The finding about a long queue in which no line stands out; `queued`: for so long the loop did not get the CPU."""
    start, end = max(rest, key=lambda part: part[1] - part[0], default=(0.0, 0.0))
    took = end - start
    waited = sum(end - start for start, end in rest) - queued
    if min(took, explained) < CROWDED_SECONDS or explained < MOST * waited:
        return []
    steps = [step for step in facts.steps if start <= step.start and step.stop <= end]
    longest = max((step.stop - step.start for step in steps), default=0.0)
    kept = {lane for begin, finish, lane in stretches if begin < end and finish > start}
    text = (
        f"The loop was busy for {took:.3f} s without a pause: {number(len(steps), 'step')}, none longer than "
        f"{longest:.3f} s; {number(len(kept), 'task')} had to queue. Give it less work, or share the work among processes."
    )
    return [Finding("blocked", text, "", 0, span_of(facts, min(kept), READY, start, end))]


def _waiting(stretches, step):
    """How many tasks were READY while this step went on."""
    return len({lane for start, end, lane in stretches if start < step.stop and step.start < end and lane != step.lane})


# --- where the loop stood, and what it did there -----------------------------------------------------------------------


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
        self.threads = [name for lane, name in enumerate(facts.timeline.lanes) if lane not in facts.tasks]
        self.spans_of = cache(lambda name: facts.timeline.by_lane[name])

    def _seen(self, start, stop):
        return self.samples[bisect_left(self.times, start) : bisect_right(self.times, stop)]

    def culprit(self, step: TaskStep) -> Place:
        """What held the loop during a step."""
        seen, length = self._seen(step.start, step.stop), step.stop - step.start
        edges = [step.start, *(sample.time for sample in seen), step.stop]
        unseen, at = max((after - before, at) for at, (before, after) in enumerate(pairwise(edges)))
        spent = self.spent(step)
        does = _did(spent, length, seen)
        is_known = any(sample.file or sample.function for sample in seen) or self.waits[step.lane]
        if (does == "queued" or not is_known) and (beside := self._beside(step)):
            return beside
        if does == "queued":  # not behind threads of this program
            does = _mostly(spent)
        if unseen <= length / 2 or (seen and length < HELD_SECONDS):
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
                spent[span.state] += _overlap(span.start, span.end, step)
        return spent

    def held_by(self, step: TaskStep) -> float:
        """For how many seconds a step itself held the loop: without those in which its thread did not get the CPU."""
        is_told = step.lane >= 0 and _length(step) >= ERROR_SECONDS  # what a shorter one did, its clocks do not tell
        return _length(step) - step.ours - (self.spent(step)[READY] if is_told else 0.0)

    def came(self, step: TaskStep) -> int:
        """Through how many connections something had come, for a good part of a step, that the loop could not look at."""
        came = [sample for sample in self._seen(step.start, step.stop) if sample.came]
        return max(sample.came for sample in came) if came and step.stop - came[0].time >= HELD_SECONDS / 2 else 0

    def _threads_during(self, step):
        """For how many seconds of a step each other thread ran."""
        worked = {}
        for name in self.threads:
            spans = [span for span in self.spans_of(name) if span.state is RUNNING]
            worked[name] = sum(max(_overlap(span.start, span.end, step), 0.0) for span in spans)
        return worked

    def _job_during(self, step, own, seen):
        """Where a task began, or awaits, a thread that computed more than the loop did, and let nobody else run."""
        worked = self._threads_during(step)
        thread = max(worked, key=worked.get, default=None)
        if sum(time > SHORT_SECONDS for time in worked.values()) > 1 and sum(worked.values()) > own:
            return self._beside(step) or self._beside(step, self.samples)
        if thread is None or worked[thread] < max(HELD_SECONDS, own):
            return None
        waits = [wait for wait in self.facts.waits if wait.kind == "thread"]
        # The thread may take the interpreter before the step has ended that began it.
        begun = [wait for wait in waits if wait.lane == step.lane and abs(wait.start - step.stop) < SHORT_SECONDS]
        wait = begun[0] if begun else max(waits, key=lambda wait: _overlap(wait.start, wait.end, step), default=None)
        if wait is None or not (begun or _overlap(wait.start, wait.end, step) > MOST * _length(step)):
            # The thread may even be done before the task gets to wait for it: the step still stood where it began it.
            stood = [(s.file, s.line) for s in seen if s.file and IN_THREADS.keys() & calls_in(s.file, s.line)]
            return Place(*(stood[0] if stood else ("", 0)), thread, True, "kept the interpreter")
        file, line = next(spots(self.facts, [wait], (wait.start + wait.end) / 2), ("", 0))
        return Place(file, line, thread, True, "kept the interpreter")

    def between(self, stretches: list, steps: list) -> Iterator[tuple[Place, float, float, float]]:
        """What held the loop, from when to when, in these stretches and outside of these steps: callbacks, other tasks.

        And for how many of these seconds its thread queued for the CPU.
        """
        starts = [start for start, _ in steps]
        for start, end in stretches:
            row = []
            for sample in self._seen(start, end):
                at = bisect_right(starts, sample.time) - 1
                if at >= 0 and sample.time <= steps[at][1]:
                    continue
                between = row and bisect_right(starts, row[-1][3]) <= at  # a step of a task
                if row and (sample[1:4] != row[-1][:3] or between):
                    yield from _stretch(row, self._seen(row[0][3], row[-1][3]))
                    row = []
                row.append((*sample[1:4], sample.time))
            yield from _stretch(row, self._seen(row[0][3], row[-1][3]) if row else [])


def _stretch(row, seen):
    if len(row) < 2:
        return
    share, others = _shares(seen)
    does = "" if share is None else "waited" if share < 0.2 else "computed" if share > 0.8 else ""
    beside = Counter(sample.beside for sample in seen if sample.beside)
    start, stop = row[0][3], row[-1][3]
    if beside and share is not None and share < MOST < others:
        yield Place(*beside.most_common(1)[0][0], True, "queued"), start, stop, 0.0
    elif row[0][0] or row[0][2]:
        yield _most_common(seen, does), start, stop, _queued(seen)


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


def _overlap(start, end, step):
    return min(end, step.stop) - max(start, step.start)


def _most_common(seen: list[Sample], does):
    """Where it stood most of the time."""
    (file, line, name, waits), _ = Counter(
        (sample.file, sample.line, sample.function, sample.waits == RESULT) for sample in seen
    ).most_common(1)[0]
    if file and (name == "<module>" or imports(file, line)):
        does = "imported"
    elif waits:
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
