"""Hangs: tasks that wait for each other, and that nothing would ever have woken."""

from collections import defaultdict

from kitchen.timeline import WAITING, Finding
from kitchen.watching.facts import Facts, Standing
from kitchen.watching.program import releases_later, tree_of
from kitchen.watching.whose import place
from kitchen.watching.wording import span_of

GUARDED = {"lock", "semaphore"}
HUNG_SECONDS = 0.1  # a wait that was shorter, when it was interrupted, is nobody's hang


def hangs(facts: Facts) -> list[Finding]:
    """Locks taken twice by one task, tasks that wait for each other in a circle, and pipes that nobody empties."""
    waits = defaultdict(list)
    for wait in facts.waits:
        waits[wait.lane].append(wait)
    found, told, looks = [], set(), defaultdict(list)
    for held in facts.standing:
        if (since := _since(held, waits[held.lane])) is not None:
            looks[held.time].append((held, since))
    for look in looks.values():
        owners = {lock: held for held, _ in look for lock in held.has}
        by_lane, since = {held.lane: held for held, _ in look}, {held.lane: since for held, since in look}
        for held, _ in look:
            circle = _circle(held, owners, by_lane)
            lanes = frozenset(one.lane for one in circle or [held])
            if lanes in told or not (circle or held.is_pipe_full):
                continue
            told.add(lanes)
            found.append(_of_circle(facts, circle, since) if circle else _of_pipe(facts, held, since))
    return found or _nobody_left(facts, looks)


def _since(held, waits):
    """Since when a task waited where it stood; None when that was not for long."""
    for wait in reversed(waits):
        if wait.start <= held.time:
            return wait.start if held.time - wait.start >= HUNG_SECONDS else None
    return None


def _circle(first, owners, by_lane):
    """Who waits for whom, from this one back to this one; [] if that does not lead back."""
    circle, one = [], first
    while one is not None and one not in circle:
        circle.append(one)
        one = owners.get(one.wants) if one.wants in owners else by_lane.get(one.task)
    return circle if one is first else []


def _of_circle(facts, circle, since):
    first = circle[0]
    lanes = facts.timeline.lanes
    where = place(first.file, first.line)
    if len(circle) == 1:
        text = (
            f"{lanes[first.lane]} waited at {where} for a lock that it holds itself: an asyncio.Lock is not taken twice. "
            "Take it once, and call what needs it inside."
            if first.wants
            else f"{lanes[first.lane]} waited at {where} for itself."
        )
    else:
        who = [f"{lanes[one.lane]} at {place(one.file, one.line)}" for one in circle]
        text = (
            f"{', '.join(who[:-1])} and {who[-1]} waited for each other: each for what the next one has. "
            f"Nothing would ever have woken them. {_advice(circle)}"
        )
    return Finding("hang", text, first.file, first.line, _span(facts, first, since))


def _advice(circle):
    """How to break a circle: what each waits for is a lock of the next one, or the next one itself."""
    locks = [one for one in circle if one.wants]
    if not locks:
        return "One of them must not await the other."
    if len(locks) < len(circle):
        return "Await the task after the lock is released, not while it is held."
    return "Take locks in the same order everywhere."


def _of_pipe(facts, held, since):
    text = (
        f"{facts.timeline.lanes[held.lane]} waited at {place(held.file, held.line)} for a process whose pipe is full: "
        "nobody reads what it writes, so it cannot end. Await communicate(), or read while it runs."
    )
    return Finding("hang", text, held.file, held.line, _span(facts, held, since))


def _span(facts, held, since):
    return span_of(facts, held.lane, WAITING, since[held.lane], held.time)


# --- a hang without a circle that can be seen --------------------------------------------------------------------------


def _nobody_left(facts, looks):
    """When they were interrupted, the tasks waited for something in this program, and none could wake another.

    Where the program itself has given up, it may have expected that nothing comes: not so where a guard was never released.
    """
    look = max(looks.values(), key=len, default=[])
    stuck = [(held, since) for held, since in look if held.is_inside]
    stuck.sort(key=lambda one: one[0].kind in ("task", "tasks"))  # who waits for others is not to blame
    every = [held for held in facts.standing if stuck and held.time == stuck[0][0].time]
    then = [held for held in every if held.kind != "timeout"]
    # Else one of them has sent the others home.
    is_still = len(then) == len([held for held, _ in look if held.kind != "timeout"])
    is_still = is_still and not any(held.went_on and held.kind not in ("task", "tasks") for held in then)
    is_still = is_still and not any((tree := tree_of(one.file)) and releases_later(tree, one.line) for one in every)
    guarded = is_still and any(held.kind in GUARDED and held.is_alone for held, _ in stuck)
    if not (facts.alone or guarded) or not stuck or len(stuck) < len(look):
        return []
    lanes, first = facts.timeline.lanes, stuck[0][0]
    named = "; ".join(f"{lanes[held.lane]} for {_what(held)} at {place(held.file, held.line)}" for held, _ in stuck[:4])
    more = f"; and {len(stuck) - 4} more" if len(stuck) > 4 else ""
    text = (
        f"Nobody was left to wake these: {named}{more}. Somebody has to set, put or release what they "
        "wait for, or they wait for each other."
    )
    return [Finding("hang", text, first.file, first.line, span_of(facts, first.lane, WAITING, stuck[0][1], first.time))]


def _what(held: Standing) -> str:
    return {"tasks": "other tasks", "task": "another task"}.get(
        held.kind, f"{'an' if held.kind[0] in 'aeiou' else 'a'} {held.kind}"
    )
