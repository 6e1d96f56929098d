"""A lock that is held while its holder waits for the outside: the others queue, and their waits do not overlap either."""

import re
from collections import defaultdict
from itertools import pairwise

from kitchen.timeline import WAITING, Finding
from kitchen.timeline.words import short
from kitchen.watching.errands import errand_of, is_limited, is_rightly_guarded, only_pauses
from kitchen.watching.facts import Facts
from kitchen.watching.program import held_around, locks_at, tree_of
from kitchen.watching.whose import is_readers, place
from kitchen.watching.wording import number, span_of

QUEUED_SECONDS = 0.1  # for which a task may queue without a word
HOLDERS = 3  # one after the other: with fewer, the others only wait for what the first one fetches for all
LOCK = re.compile(r"lock|mutex|guard", re.IGNORECASE)  # else it may be a thing of which there is one: an oven
OVERLAP_SECONDS = 0.005  # more than that, and it was not one and the same lock


def lock_held(facts: Facts) -> list[Finding]:
    """Locks that several tasks held, one after the other, while each waited for the outside and others queued."""
    queues, holds = defaultdict(list), defaultdict(list)
    for wait in facts.waits:
        for depth, frame in enumerate(wait.frames):
            file = frame.code.co_filename
            tree = tree_of(file)
            if tree is None:
                continue
            if wait.kind == "lock" and frame is wait.frames[-1]:
                for path in filter(LOCK.search, locks_at(tree, frame.line)):
                    queues[file, path].append(wait)
            elif _fetches(wait, frame):
                enters = frame.callee.co_name in ("__aenter__", "__aexit__")
                for path in held_around(tree, frame.line, enters):
                    if not _needs_it(tree, frame, wait.frames[depth + 1 :]):
                        holds[file, path].append((wait, frame))
    found = [_of_lock(facts, *key, queue, holds[key]) for key, queue in queues.items() if key in holds]
    return [finding for finding in found if finding]


def _fetches(wait, frame):
    """Whether this function calls what waits for the outside; a sleep of its own, or one with a name, is a pause."""
    callee = frame.callee
    if callee is None or (wait.kind == "sleep" and _is_pause(callee)):
        return False
    return wait.outside or wait.kind in ("sleep", "thread", "socket")


def _is_pause(callee):
    tree = tree_of(callee.co_filename) if is_readers(callee.co_filename) else None
    return tree is None or only_pauses(tree, callee.co_firstlineno)


def _needs_it(tree, frame, inside):
    """Whether the text says that what is awaited needs the lock, or may well need it."""
    return is_rightly_guarded(tree, frame.line) or is_limited(inside, frame, errand_of(tree, frame.line))


def _of_lock(facts, file, path, queue, held):
    longest = max(queue, key=lambda wait: wait.end - wait.start)
    if longest.end - longest.start < QUEUED_SECONDS:
        return None
    held = sorted(held, key=lambda hold: hold[0].start)
    meanwhile = [hold for hold in held if hold[0].start < longest.end and hold[0].end > longest.start]
    if any(after.start < before.end - OVERLAP_SECONDS for (before, _), (after, _) in pairwise(meanwhile)):
        return None
    on = {wait.on for wait, _ in meanwhile}
    if len({wait.lane for wait, _ in meanwhile}) < HOLDERS - 1 or len({wait.lane for wait, _ in held}) < HOLDERS:
        return None
    if len(on) == 1 and None not in on:
        return None  # over one connection, one is asked after the other
    waited = sum(min(wait.end, longest.end) - max(wait.start, longest.start) for wait, _ in meanwhile)
    if waited < (longest.end - longest.start) / 2:
        return None
    frame, line = meanwhile[0][1], longest.frames[-1].line
    name = errand_of(tree_of(file), frame.line) or frame.callee.co_name
    tasks = number(len({wait.lane for wait in queue}), "task")
    text = (
        f"{tasks} queued for {path} at {place(file, line)}, for up to {short(longest.end - longest.start)} s: whoever has "
        f"it awaits {name} at line {frame.line}, one after the other. If {name} does not need the lock, await it outside."
    )
    span = span_of(facts, longest.lane, WAITING, longest.start, longest.end)
    return Finding("lock held", text, file, line, span)
