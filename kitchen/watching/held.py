"""The loop is held, and tasks that could go on have to queue: which line did it, and what it did meanwhile."""

from bisect import bisect_right
from collections import defaultdict
from itertools import zip_longest

from kitchen.timeline import READY, Finding
from kitchen.timeline.words import short
from kitchen.watching.culprit import (
    A_TASK,
    CALLBACK,
    HELD_SECONDS,
    MOST,
    NOBODY,
    SHORT_SECONDS,
    Look,
    length_of,
    overlap,
)
from kitchen.watching.facts import Facts
from kitchen.watching.stretches import inside, turns_given, union, without
from kitchen.watching.whose import place
from kitchen.watching.wording import number, span_of

CROWDED_SECONDS = 0.5  # for which a task may queue, though no line holds the loop for long
ADVICE = {
    "waited": "It only waited there: await something that lets the loop go on, or hand it to asyncio.to_thread.",
    "computed": "It computed: asyncio.to_thread keeps the loop free, another process makes it faster too.",
    "": "Hand it to asyncio.to_thread.",
    "elsewhere": "None of your own lines did: a library's, or an import, which can be done before the loop runs.",
    "imported": "It is an import: do it before the loop runs.",
    "imported inside": "Something is imported in there: import it before the loop runs.",
    "waited for a thread": "It waited there for another thread: await asyncio.wrap_future of what it waits for.",
    "waited for itself": "It waited there for what only this loop can do: await the coroutine itself.",
    "queued": "Threads computed there, and one at a time runs Python: another process leaves the loop free.",
    "kept the interpreter": "It let no other thread run meanwhile, so a thread does not help: hand it to another process.",
}
# The same for what is no task's, and so cannot await: a callback, a protocol, an exception handler, `__del__`.
IN_A_CALLBACK = {
    "waited": "It only waited there, and a callback cannot await: start a task and keep it, or hand it to "
    "loop.run_in_executor.",
    "computed": "It computed: loop.run_in_executor keeps the loop free, another process makes it faster too.",
    "": "Hand it to loop.run_in_executor.",
    "waited for a thread": "It waited there for another thread: start a task that awaits asyncio.wrap_future of that.",
    "waited for itself": "It waited there for what only this loop can do: start a task of the coroutine, and keep it.",
}


def blocked(facts: Facts) -> list[Finding]:
    """Lines that held the loop for 0.1 s or more while others were READY for a good part of it, at once or in sum."""
    look, held = Look(facts), defaultdict(list)
    steps = sorted((step for step in look.steps if step.held >= HELD_SECONDS), key=lambda step: step.start)
    # A task that begins at once, when it is made, has its step within that of its maker: the inner one is to blame.
    steps = [step for step, after in zip_longest(steps, steps[1:]) if after is None or after.stop > step.stop]
    for step, kept in zip(steps, _kept_waiting(facts, steps), strict=True):
        where = look.culprit(step)
        is_programs = where.is_others or look.held_by(step) >= HELD_SECONDS
        if ((kept or look.came(step)) and is_programs and where != NOBODY) or where.does == "waited for itself":
            held[where].append((step, len(kept)))
    stretches = list(_ready(facts, HELD_SECONDS))
    told = sorted((step.start, step.stop) for times in held.values() for step, _ in times)
    rest = list(without(union(stretches), told, HELD_SECONDS))
    explained = queued = 0.0
    for where, times in _in_the_rest(facts, look, rest).items():
        took = sum(length_of(step) if where.is_others else look.held_by(step) for step in times)
        explained, queued = explained + took, queued + sum(map(length_of, times)) - took
        if where == NOBODY:
            continue
        if where in held or took >= HELD_SECONDS:
            kept = [(step, _waiting(stretches, step)) for step in times]
            if any(many for _, many in kept):
                held[where] += kept
    _join_unknown(held)
    found = [_of_held(look, where, times) for where, times in held.items()]
    return found or _of_crowd(facts, rest, stretches, explained, queued)


def _join_unknown(held):
    """Steps of a line of which it is not known what they did are told with those of which it is, if these took longer."""
    took = {where: sum(length_of(step) for step, _ in times) for where, times in held.items()}
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
            if lane != step.lane and overlap(start, end, step) >= HELD_SECONDS / 2:
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
    advice = (step.lane == CALLBACK and IN_A_CALLBACK.get(where.does)) or ADVICE[where.does]
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
    for step in inside(rest, look.steps) if rest else ():
        long_enough = length_of(step) >= SHORT_SECONDS and look.held_by(step) >= SHORT_SECONDS
        held[look.culprit(step) if long_enough else NOBODY].append(step)  # else too short to be worth a word
    steps = sorted((step.start, step.stop) for step in facts.steps) if rest else []
    for where, step in (*look.between(rest, steps), *look.unlooked(rest, steps)):
        held[where].append(step)
    return held


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
