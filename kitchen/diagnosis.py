"""What is amiss with a program that was watched, in words: what was observed, at which line, and what to do about it.

Silence is an answer. Each rule speaks only of what cost something in this very run, and of what nothing in the program's
text shows to be on purpose; in doubt it says nothing.
"""

import ast
import linecache
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, pairwise, zip_longest
from typing import NamedTuple

from kitchen.awaiting import Frame, Wait, is_readers, place
from kitchen.timeline import READY, RUNNING, WAITING, Finding, Span, Timeline, short

HELD = 0.1  # seconds for which a step may hold the loop: asyncio's own slow_callback_duration
WORTH = 0.1  # seconds that awaits in a row must have taken together to be worth a word
CROWD = 4  # tasks that run the same function at the same time: there the waits overlap already
OWN_KINDS = {"lock", "semaphore", "event", "condition", "barrier", "queue", "tasks", "task", "process", "timeout"}
THEIR_KINDS = {"lock", "semaphore", "barrier", "queue"}  # the same, when a library's function waits


class Step(NamedTuple):
    """One step of a task: since when it could have gone on, when it began and ended; seconds since the run began."""

    lane: int
    ready: float
    start: float
    stop: float


class Sample(NamedTuple):
    """Where the loop's thread stood while one step went on for long. `cpu`: CPU seconds of that thread so far, or None."""

    time: float
    file: str
    line: int
    function: str
    cpu: float | None


class Note(NamedTuple):
    """What the program itself made known: "lost", "unnoticed", "swallowed" or "never awaited"; `text` says of what."""

    kind: str
    lane: int | None
    time: float
    file: str
    line: int
    text: str


@dataclass
class Facts:
    """What a diagnosis rests on. `tasks`: the numbers of the lanes that are tasks. `at_once`: see `watch`."""

    timeline: Timeline
    tasks: set[int] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    at_once: int = 100


def diagnose(facts: Facts) -> list[Finding]:
    """Everything that is amiss, in order of time; [] for a clean program."""
    found = [*blocked(facts), *in_a_row(facts), *too_many(facts), *made_known(facts)]
    return sorted(found, key=lambda finding: finding.span.start if finding.span else 0.0)


def _span(facts, lane, state, start, end, label=""):
    return Span(facts.timeline.lanes[lane], state, label, start, end)


def _number(count, noun):
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _capital(text):
    return text[:1].upper() + text[1:]


# --- one task holds the loop -----------------------------------------------------------------------------------------


def blocked(facts: Facts) -> list[Finding]:
    """Steps that held the loop for 0.1 s or more while others were READY for a good part of it."""
    steps = sorted((step for step in facts.steps if step.stop - step.start >= HELD), key=lambda step: step.start)
    # A task that begins at once, when it is made, has its step within that of its maker: the inner one is to blame.
    steps = [step for step, after in zip_longest(steps, steps[1:]) if after is None or after.stop > step.stop]
    look, held = _Look(facts), defaultdict(list)
    for step, kept in zip(steps, _kept_waiting(facts, steps), strict=True):
        if kept:
            file, line, sure, share = look.culprit(step)
            held[file, line, sure].append((step, len(kept), share))
    return [_of_blocked(facts, *where, times) for where, times in held.items()]


def _kept_waiting(facts, steps):
    """For each step the lanes of the other tasks that were READY for a good part of it."""
    stops, kept = [step.stop for step in steps], [set() for _ in steps]
    for lane in facts.tasks if steps else ():
        for span in facts.timeline.by_lane[facts.timeline.lanes[lane]]:
            if span.state is not READY or span.duration < HELD / 2:
                continue
            at = bisect_right(stops, span.start)
            while at < len(steps) and steps[at].start < span.end:
                step = steps[at]
                if lane != step.lane and min(span.end, step.stop) - max(span.start, step.start) >= HELD / 2:
                    kept[at].add(lane)
                at += 1
    return kept


def _of_blocked(facts, file, line, sure, times):
    step, _, share = max(times, key=lambda time: time[0].stop - time[0].start)
    longest, waiting = step.stop - step.start, max(kept for _, kept, _ in times)
    were = f"{_number(waiting, 'task')} {'was' if waiting == 1 else 'were'} ready"
    where = place(file, line) if line else "a task"
    where = where if sure or not line else f"something at or after {where}"
    if len(times) == 1:
        text = f"{where} held the loop for {longest:.3f} s; {were}."
    else:
        total = short(sum(step.stop - step.start for step, _, _ in times))
        text = (
            f"{where} held the loop {len(times)} times, {total} s in all (up to {longest:.3f} s at once); up to {were}."
        )
    if share is not None and share < 0.2:
        text += " It only waited there: await something that lets the loop go on, or hand it to asyncio.to_thread."
    elif share is not None and share > 0.8:
        text += " It computed: asyncio.to_thread keeps the loop free, another process makes it faster too."
    else:
        text += " Hand it to asyncio.to_thread."
    return Finding("blocked", text, file, line, _span(facts, step.lane, RUNNING, step.start, step.stop))


class _Look:
    """Samples and waits, in the order in which they are searched."""

    def __init__(self, facts):
        self.samples = sorted(facts.samples, key=lambda sample: sample.time)
        self.times = [sample.time for sample in self.samples]
        self.waits = defaultdict(list)
        for wait in facts.waits:
            if wait.frames:
                self.waits[wait.lane].append(wait)

    def culprit(self, step):
        """File and line that held the loop, whether that was seen, and which part of the time the CPU was used for."""
        seen = self.samples[bisect_left(self.times, step.start) : bisect_right(self.times, step.stop)]
        edges = [step.start, *(sample.time for sample in seen), step.stop]
        unseen, at = max((after - before, at) for at, (before, after) in enumerate(pairwise(edges)))
        if unseen <= (step.stop - step.start) / 2:
            (file, line), _ = Counter((sample.file, sample.line) for sample in seen).most_common(1)[0]
            return file, line, True, _share(seen)
        # Nobody could look: a function that is not Python held the interpreter itself. It began after the last look.
        if at:
            return seen[at - 1].file, seen[at - 1].line, False, None
        waits = self.waits[step.lane]
        before = bisect_right(waits, step.start, key=lambda wait: wait.end)
        if before:
            frame = waits[before - 1].frames[-1]
            return frame.code.co_filename, frame.line, False, None
        if waits:
            code = waits[0].frames[0].code
            return code.co_filename, code.co_firstlineno, False, None
        return (seen[0].file, seen[0].line, True, None) if seen else ("", 0, False, None)


def _share(seen):
    """The part of the time between the first and the last sample for which the CPU was used; None: not known."""
    first, last = seen[0], seen[-1]
    if first.cpu is None or last.cpu is None or last.time <= first.time:
        return None
    return (last.cpu - first.cpu) / (last.time - first.time)


# --- awaits one after the other that could overlap -------------------------------------------------------------------


@dataclass
class _Call:
    """One call that a function awaited: it kept its task waiting from `start` to `end`, for `waited` seconds of that.

    `outside`: for how many of these seconds it waited for something that would not have minded company.
    """

    frame: Frame
    lane: int
    start: float
    end: float
    waited: float = 0.0
    outside: float = 0.0


def in_a_row(facts: Facts) -> list[Finding]:
    """Calls that one function awaited one after the other, where nothing in its text makes one need the one before."""
    frames = defaultdict(dict)  # a function's invocation: its calls
    for wait in facts.waits:
        for depth, frame in enumerate(wait.frames):
            if frame.callee is None:
                continue
            call = frames[wait.lane, frame.number].setdefault(frame.call, _Call(frame, wait.lane, wait.start, wait.end))
            call.end = max(call.end, wait.end)
            call.waited += wait.end - wait.start
            inner = depth + 1 < len(wait.frames) or not _is_asyncios(frame.callee)
            if inner and wait.kind not in (THEIR_KINDS if _is_in_library(wait) else OWN_KINDS):
                call.outside += wait.end - wait.start
    rows, trees = defaultdict(list), {}
    for calls in frames.values():
        ordered = sorted(calls.values(), key=lambda call: call.start)
        for key, row in groupby(ordered, key=_errand):
            row = list(row)
            if not key or len(row) < 2:
                continue
            file = key[0].co_filename
            if file not in trees:
                trees[file] = _tree(file)
            for part in _independent(trees[file], row) if trees[file] else ():
                rows[key[0], part[0].frame.line, part[-1].frame.line].append(part)
    found = [_of_row(facts, *key, parts) for key, parts in rows.items()]
    return [finding for finding in found if finding]


def _errand(call):
    """Which function called which; None when the call waited for something else than the outside most of the time."""
    return (call.frame.code, call.frame.callee) if call.outside > call.waited / 2 else None


def _of_row(facts, code, first, last, rows):
    if _most_at_once((row[0].start, row[-1].end) for row in rows)[0] >= CROWD:
        return None
    row = max(rows, key=lambda row: row[-1].end - row[0].start)
    took, longest = sum(call.waited for call in row), max(call.waited for call in row)
    if took < WORTH or longest > 0.75 * took:
        return None
    where = place(code.co_filename, first) + (f" to {last}" if last > first else "")
    name = row[0].frame.callee.co_name
    name = "a call" if name.startswith(("_", "<")) else name
    again = f" (and so on, {len(rows)} times)" if len(rows) > 1 else ""
    text = (
        f"{where} awaited {name} {len(row)} times, one after the other: {short(took)} s{again}; together they could take "
        f"{short(longest)} s. asyncio.gather or a TaskGroup starts them all first."
    )
    span = _span(facts, row[0].lane, WAITING, row[0].start, row[-1].end)
    return Finding("in a row", text, code.co_filename, first, span)


def _is_in_library(wait):
    """Whether it was a library's function that waited: what with (anyio's sockets: an event) is its own affair."""
    callee = wait.frames[-1].callee
    return callee is not None and not is_readers(callee.co_filename) and not _is_asyncios(callee)


def _is_asyncios(code):
    return not is_readers(code.co_filename) and "asyncio" in code.co_filename.replace("\\", "/").split("/")


def _independent(tree, row):
    """The parts of a row of calls of one function of which its text says that none needs the one before."""
    part = []
    for line, calls in groupby(row, key=lambda call: call.frame.line):
        calls = list(calls)
        again = len(calls) > 1
        if not again and part and all(_free_neighbours(tree, before.frame.line, line) for before in part):
            part += calls
            continue
        if len(part) > 1:
            yield part
        part = [] if again else calls
        if again and _in_free_loop(tree, line):
            yield calls
    if len(part) > 1:
        yield part


@lru_cache(maxsize=64)
def _parsed(source):
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent
    return tree


def _tree(file):
    source = "".join(linecache.getlines(file))
    if source.startswith("%%"):  # a cell, whose magic is no Python
        source = "\n" + source.partition("\n")[2]
    return _parsed(source) if source else None


@lru_cache(maxsize=4096)
def _awaits(tree, line):
    """The one await, or `async with`, of a line; None when there is none, or several."""
    found = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Await) and node.lineno <= line <= node.end_lineno)
        or (isinstance(node, ast.AsyncWith) and any(item.context_expr.lineno == line for item in node.items))
    ]
    least = [node for node in found if not any(other is not node and _is_inside(other, node) for other in found)]
    return least[0] if len(least) == 1 else None


def _is_inside(node, outer):
    while node is not None:
        if node is outer:
            return True
        node = getattr(node, "parent", None)
    return False


AWAITS = (ast.Await, ast.AsyncWith, ast.AsyncFor)
EXITS = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
HARMLESS = {"print", "len", "str", "repr", "int", "float", "range", "enumerate", "zip", "min", "max", "sum", "sorted"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Whoever does one of these does it in an order, over one connection, say: a function is taken at its word.
ORDERED = {
    "accept",
    "advance",
    "log",
    "next",
    "play",
    "pop",
    "press",
    "print",
    "publish",
    "push",
    "put",
    "read",
    "receive",
}
ORDERED |= {"record", "recv", "reply", "respond", "say", "send", "show", "speak", "step", "submit", "type", "write"}


@lru_cache(maxsize=4096)
def _in_free_loop(tree, line):
    """Whether the await of this line stands in a `for` loop in which no round needs the one before."""
    node = _awaits(tree, line)
    if node is None or _is_guarded(node) or _is_ordered(node):
        return False
    inner = node
    while inner is not None and not isinstance(inner, FUNCTIONS):
        outer = getattr(inner, "parent", None)
        if isinstance(outer, COMPREHENSIONS):
            first = outer.generators[0]
            simple = len(outer.generators) == 1 and not first.is_async and not first.ifs
            return simple and bool(_names(first.target, ast.Store) & _names(node, ast.Load))
        if isinstance(outer, (ast.AsyncFor, ast.While)) or (isinstance(outer, ast.Try) and inner not in outer.body):
            return False
        if isinstance(outer, ast.For) and inner in outer.body:
            return _rounds_are_free(outer, node)
        inner = outer
    return False


def _asked(node):
    """What an await, or an `async with`, calls."""
    return [node.value] if isinstance(node, ast.Await) else [item.context_expr for item in node.items]


def _is_ordered(node):
    """Whether the name of what is called says that it happens in an order."""
    calls = [call.func for call in _asked(node) if isinstance(call, ast.Call)]
    names = [getattr(func, "attr", None) or getattr(func, "id", "") for func in calls]
    return any(name.strip("_").partition("_")[0].lower() in ORDERED for name in names)


def _guards(node):
    """Whether this is a block that holds something without a name, as one holds a lock; a timeout does not."""
    if not isinstance(node, (ast.With, ast.AsyncWith)) or any(item.optional_vars for item in node.items):
        return False
    return not any("timeout" in ast.unparse(item.context_expr) for item in node.items)


def _is_guarded(node):
    """Whether something in a function stands in such a block."""
    inner, outer = node, getattr(node, "parent", None)
    while outer is not None and not isinstance(outer, FUNCTIONS):
        if _guards(outer) and inner in outer.body:
            return True
        inner, outer = outer, getattr(outer, "parent", None)
    return False


def _rounds_are_free(loop, node):
    """Whether no round of this loop depends on what an earlier one got, as far as its text tells."""
    inside = [inner for statement in loop.body for inner in ast.walk(statement)]
    if loop.orelse or any(isinstance(inner, EXITS) for inner in inside):
        return False  # a search, a retry
    own = [
        inner for inner in ast.walk(node) if isinstance(inner, AWAITS)
    ]  # what an `async with` awaits in its block, too
    if sum(isinstance(inner, AWAITS) for inner in inside) > len(own):
        return False  # it does more than this: a pause out of politeness, say
    targets = _names(loop.target, ast.Store)
    asked = ast.Tuple(_asked(node), ast.Load())
    if not targets & _names(asked, ast.Load):
        return False  # the same again and again: whatever it is for, it is not a list of errands
    tests = [inner.test for inner in inside if isinstance(inner, (ast.If, ast.IfExp))]
    used = _paths([*_asked(node), loop.iter, *tests]) - targets
    return not used & (_carried(loop, node) | _changed(inside, node))


def _carried(loop, node):
    """Names that the loop sets, but not before the await of the same round."""
    set_before, set_at_all = set(), set()
    before = True
    for statement in loop.body:
        before = before and not any(inner is node for inner in ast.walk(statement))
        names = _names(statement, ast.Store)
        set_at_all |= names
        if before and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            set_before |= names
    return set_at_all - set_before


def _changed(inside, node):
    """Things that the loop changes, or may change: by a method, by an item or attribute, by handing them to a function."""
    changed = set()
    for inner in inside:
        if isinstance(inner, (ast.Subscript, ast.Attribute)) and not isinstance(inner.ctx, ast.Load):
            changed.add(_path(inner.value))
        elif isinstance(inner, ast.Call) and not any(_is_inside(inner, call) for call in _asked(node)):
            if isinstance(inner.func, ast.Attribute):
                changed.add(_path(inner.func.value))
            elif getattr(inner.func, "id", None) not in HARMLESS:
                changed |= {_path(argument) for argument in inner.args}
    return changed - {""}


def _path(node):
    """A name with its attributes, as it is written; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (of := _path(node.value)):
        return f"{of}.{node.attr}"
    return ""


def _paths(nodes):
    """Every name, with and without its attributes, that is read somewhere."""
    return {_path(inner) for node in nodes for inner in ast.walk(node)} - {""}


def _names(node, context):
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, context)}


@lru_cache(maxsize=4096)
def _free_neighbours(tree, before, line):
    """Whether the awaits of these two lines stand in statements of one block, the later needing nothing of the earlier."""
    one, other = _awaits(tree, before), _awaits(tree, line)
    if one is None or other is None or not isinstance(one, ast.Await) or not isinstance(other, ast.Await):
        return False
    if _is_ordered(one) or ast.dump(one) == ast.dump(other):
        return False  # the same call twice was meant to get two answers
    one, other = _statement(one), _statement(other)
    if one.parent is not other.parent or one is other or isinstance(one.parent, ast.While) or _is_guarded(one):
        return False
    if isinstance(one.parent, (ast.For, ast.AsyncFor)) or not (_keeps_value(one) and _keeps_value(other)):
        return False
    block = next((block for _, block in ast.iter_fields(one.parent) if isinstance(block, list) and one in block), [])
    if other not in block or block.index(other) <= block.index(one):
        return False
    between = block[block.index(one) : block.index(other)]
    stored = {name for statement in between for name in _names(statement, ast.Store)}
    return not stored & _names(other, ast.Load) and not any(_acts(statement) for statement in between[1:])


def _statement(node):
    while not isinstance(node, ast.stmt):
        node = node.parent
    return node


def _keeps_value(statement):
    """Whether a statement assigns what it awaits: then it is wanted for that, and not for what it does."""
    return isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Await)


def _acts(statement):
    """Whether a statement calls anything besides what it awaits, and might so be needed by the next one."""
    calls = [inner for inner in ast.walk(statement) if isinstance(inner, ast.Call)]
    return not _keeps_value(statement) or any(not isinstance(call.parent, ast.Await) for call in calls)


# --- too many at once ------------------------------------------------------------------------------------------------


def too_many(facts: Facts) -> list[Finding]:
    """More than `at_once` tasks wait for the outside at the same moment. (100: what httpx and aiohttp allow.)"""
    outside = [wait for wait in facts.waits if wait.outside]
    most, moment = _most_at_once((wait.start, wait.end) for wait in outside)
    if most <= facts.at_once:
        return []
    then = [wait for wait in outside if wait.start <= moment < wait.end]
    spots = Counter(_spots(facts, then, moment))
    (file, line), _ = spots.most_common(1)[0] if spots else (("", 0), 0)
    longest = max(then, key=lambda wait: wait.end - wait.start)
    where = f" at {place(file, line)}" if line else ""
    text = (
        f"{most} tasks waited for the outside at the same moment{where}, more than {facts.at_once}. "
        "An asyncio.Semaphore lets so many in and no more."
    )
    span = _span(facts, longest.lane, WAITING, longest.start, longest.end)
    return [Finding("too many", text, file, line, span)]


def _spots(facts, waits, moment):
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


def _most_at_once(stretches):
    """How many of these stretches of time there were at the same moment, and when that was."""
    times = sorted(edge for start, end in stretches for edge in ((start, 1), (end, -1)))
    most, moment, count = 0, 0.0, 0
    for time, change in times:
        count += change
        if count > most:
            most, moment = count, time
    return most, moment


# --- what the program itself made known ------------------------------------------------------------------------------


def made_known(facts: Facts) -> list[Finding]:
    """Tasks that nobody awaited or looked at, cancellations that got lost, coroutines that never began."""
    same = defaultdict(list)
    for note in facts.notes:
        same[note.kind, note.file, note.line].append(note)
    return [_of_notes(facts, kind, notes) for (kind, _, _), notes in same.items()]


def _of_notes(facts, kind, notes):
    note, count = notes[0], len(notes)
    where = place(note.file, note.line) if note.line else "a place that is not known"
    name = facts.timeline.lanes[note.lane] if note.lane is not None else note.text
    more = f" (and {_number(count - 1, 'other')} like it)" if count > 1 else ""
    text = {
        "lost": f"{name}{more}, from {where}, never finished, and nobody awaited it. Keep the task and await it, "
        "or start it in a TaskGroup.",
        "unnoticed": f"{name}{more}, from {where}, {note.text}, and nobody looked. Await the task: then its exception is "
        "raised where you can see it.",
        "swallowed": f"{name}{more} was asked to cancel at {where} and went on as if nobody had asked. Raise "
        "CancelledError again after cleaning up.",
        "never awaited": f"{note.text}() at {where} was never awaited{more}: it did not even begin. Write await "
        f"{note.text}(…).",
    }[kind]
    span = None
    if note.lane is not None and facts.timeline.by_lane[name]:
        span = facts.timeline.by_lane[name][-1]
    return Finding(kind, text, note.file, note.line, span)
