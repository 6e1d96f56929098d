"""Awaits one after the other that could overlap."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby, takewhile

from kitchen.timeline import WAITING, Finding
from kitchen.timeline.words import short
from kitchen.watching.asked import asked_at
from kitchen.watching.cpu import one_at_a_time
from kitchen.watching.crowds import most_at_once, ran_in_threads
from kitchen.watching.errands import errand_of, is_limited
from kitchen.watching.facts import Facts, Frame
from kitchen.watching.order import independent
from kitchen.watching.program import tree_of
from kitchen.watching.rounds import is_handed_its_rounds
from kitchen.watching.whose import is_asyncios, is_readers, place
from kitchen.watching.wording import span_of

WORTH_SECONDS = 0.1  # that awaits in a row must have taken together to be worth a word
CROWD_TASKS = 4  # that run the same function at the same time: there the waits overlap already
SHARING_TASKS = 2  # that go through what each of them was handed: so many at a time are meant
OWN_KINDS = {"lock", "semaphore", "event", "condition", "barrier", "queue", "tasks", "task", "process", "timeout"}
THEIR_KINDS = {"lock", "semaphore", "barrier", "queue"}  # the same, when a library's function waits


@dataclass
class _Call:
    """One call that a function awaited: it kept its task waiting from `start` to `end`, for `waited` seconds of that.

    `outside`: for how many of these seconds it waited for something that would not have minded company. `limits`: whether
    what it called does one thing at a time on purpose. `on`: the connections that it waited for. `in_thread`: whether it
    waited for a thread.
    """

    frame: Frame
    lane: int
    start: float
    end: float
    name: str
    waited: float = 0.0
    outside: float = 0.0
    limits: bool = False
    on: set = field(default_factory=set)
    in_thread: bool = False


def in_a_row(facts: Facts) -> list[Finding]:
    """Calls that one function awaited one after the other, where nothing in its text makes one need the one before."""
    frames, children = defaultdict(dict), _Children(facts)  # a function's invocation: its calls
    limits, errands = {}, {}  # by where a wait stands: many stand at the same place
    for wait in facts.waits:
        for depth, frame in enumerate(wait.frames):
            is_last = depth + 1 == len(wait.frames)
            spot = id(frame.code), frame.line, id(frame.callee)
            if spot not in errands:
                errands[spot] = _errand_of(frame)
            errand = errands[spot] if is_last or _is_asyncios(frame.callee) else ""
            if frame.callee is None and not errand:
                continue
            new = _Call(frame, wait.lane, wait.start, wait.end, errand or frame.callee.co_name)
            call = frames[wait.lane, frame.number].setdefault(frame.call, new)
            call.end = max(call.end, wait.end)
            call.waited += wait.end - wait.start
            call.on.add(wait.on)
            call.in_thread |= wait.kind == "thread"
            if errand and is_last:
                outside = not children.wait_for_each_other(wait)
            else:
                inner = errand or not is_last or not _is_asyncios(frame.callee)
                outside = inner and wait.kind not in (THEIR_KINDS if _is_in_library(wait) else OWN_KINDS)
            call.outside += (wait.end - wait.start) * outside
            spots = errand, *((id(inner.code), inner.line) for inner in wait.frames[depth:])
            if spots not in limits:
                limits[spots] = is_limited(wait.frames[depth + 1 :], frame, errand)
            call.limits |= limits[spots]
    rows = defaultdict(list)
    for calls in frames.values():
        for row in _errands(sorted(calls.values(), key=lambda call: call.start)):
            code, tree = row[0].frame.code, tree_of(row[0].frame.code.co_filename)
            for part in independent(tree, row) if tree else ():
                rows[code, part[0].frame.line, part[-1].frame.line].append(part)
    found = [_of_row(facts, *key, parts) for key, parts in rows.items()]
    return [finding for finding in found if finding]


def _errands(calls):
    """Rows of calls of one errand by one function: of one line, wherever they are, and of different lines that follow each
    other."""
    lines = defaultdict(list)
    for call in calls:
        lines[_errand(call), call.frame.line].append(call)
    yield from (row for (errand, _), row in lines.items() if errand and len(row) > 1)
    for errand, row in groupby(calls, key=_errand):
        row = [call for call in row if errand and len(lines[errand, call.frame.line]) == 1]
        if len(row) > 1:
            yield row


def _errand(call):
    """Which function called which; None when the call waited for something else than the outside most of the time."""
    return (call.frame.code, call.name) if call.outside > call.waited / 2 and not call.limits else None


def _errand_of(frame):
    tree = tree_of(frame.code.co_filename)
    name = errand_of(tree, frame.line) if tree else ""
    return "" if name == "sleep" else name


class _Children:
    """What the tasks that a task has made waited for."""

    def __init__(self, facts):
        lanes, parents = facts.timeline.lanes, facts.timeline.parents
        number = {name: lane for lane, name in enumerate(lanes)}
        self.waits = defaultdict(list)
        for wait in facts.waits:
            if (parent := parents.get(lanes[wait.lane])) is not None:
                self.waits[number[parent]].append(wait)
        for waits in self.waits.values():
            waits.sort(key=lambda wait: wait.start)

    def wait_for_each_other(self, wait):
        """Whether the children of a task waited for each other, and not for the outside, while it waited for them."""
        waits = self.waits[wait.lane]
        at = bisect_left(waits, wait.start - 0.01, key=lambda child: child.start)
        seconds = {True: 0.0, False: 0.0}
        for child in takewhile(lambda child: child.start < wait.end, waits[at:]):
            seconds[child.kind in OWN_KINDS] += child.end - child.start
        return seconds[True] > seconds[False]


def _of_row(facts, code, first, last, rows):
    tree = tree_of(code.co_filename)
    crowd = SHARING_TASKS if is_handed_its_rounds(tree, first) else CROWD_TASKS
    if most_at_once((row[0].start, row[-1].end) for row in rows)[0] >= crowd:
        return None
    row = max(rows, key=lambda row: row[-1].end - row[0].start)
    took, longest = sum(call.waited for call in row), max(call.waited for call in row)
    if any(call.in_thread for call in row) and one_at_a_time():  # what threads compute does not overlap
        longest = max(longest, min(took, ran_in_threads(facts, row[0].start, row[-1].end)))
    if took < WORTH_SECONDS or longest > 0.75 * took:
        return None
    where = place(code.co_filename, first) + (f" to {last}" if last > first else "")
    if len(on := set.union(*(call.on for call in row))) == 1 and None not in on:
        return None  # over one connection, one is asked after the other
    name = row[0].name
    if name.startswith(("_", "<")):
        name = asked_at(tree, row[0].frame.line) or "a call"
    again = f" (and so on, {len(rows)} times)" if len(rows) > 1 else ""
    text = (
        f"{where} awaited {name} {len(row)} times, one after the other: {short(took)} s{again}; together they could "
        f"take {short(longest)} s. If none needs the one before, asyncio.gather or a TaskGroup starts them all first."
    )
    span = span_of(facts, row[0].lane, WAITING, row[0].start, row[-1].end)
    return Finding("in a row", text, code.co_filename, first, span)


def _is_in_library(wait):
    """Whether it was a library's function that waited: what with (anyio's sockets: an event) is its own affair."""
    callee = wait.frames[-1].callee
    return callee is not None and not is_readers(callee.co_filename) and not _is_asyncios(callee)


def _is_asyncios(code):
    return code is not None and is_asyncios(code.co_filename)
