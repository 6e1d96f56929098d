"""What the program itself made known: tasks that got lost, errors nobody looked at, coroutines that never began."""

from collections import defaultdict

from kitchen.timeline import Finding
from kitchen.watching.facts import Facts
from kitchen.watching.swallowed import went_on
from kitchen.watching.unawaited import call_in_vain
from kitchen.watching.whose import place
from kitchen.watching.wording import number

TEXTS = {
    "lost": "{name}{more}, from {where}, never finished, and nobody awaited it. "
    "Keep the task and await it, or start it in a TaskGroup.",
    "left behind": "{name}{more}, from {where}, went on after the gather around it had failed. "
    "A TaskGroup ends the others when one fails.",
    "unnoticed": "{name}{more}, from {where}, {text}, and nobody looked. "
    "Await the task: then its exception is raised where you can see it.",
    "thread failed": "{text}, in a thread, from {where}, and nobody looked{more}. "
    "Await what run_in_executor gives: then the exception is raised where you can see it.",
    "thread died": "{text}, at {where}, and nobody who started it heard of it{more}. "
    "Start it with asyncio.to_thread and await that, or catch the exception in the thread.",
    "swallowed": "{name}{more} was asked to cancel at {where} and went on as if nobody had asked. "
    "Raise CancelledError again after cleaning up.",
    "never awaited": "{text}() at {where} was never awaited{more}: it did not even begin. Write await {text}(…).",
    "never begun": "{text}() at {where} was kept and never awaited{more}: it did not even begin. Await what you keep.",
}


KINDS = {"never begun": "never awaited", "thread failed": "unnoticed", "thread died": "unnoticed"}  # else as the note's


def made_known(facts: Facts) -> list[Finding]:
    """Tasks that nobody awaited or looked at, cancellations that got lost, coroutines that never began."""
    waits, same = defaultdict(list), defaultdict(list)
    for wait in facts.waits:
        waits[wait.lane].append(wait)
    ran = defaultdict(set)  # the first lines of the functions that awaited something, by file
    for wait in facts.waits:
        for frame in wait.frames:
            ran[frame.code.co_filename].add(frame.code.co_firstlineno)
    for note in facts.notes:
        if note.kind in ("swallowed", "asked again"):
            told = same["swallowed", note.file, note.line]
            if not went_on(note, waits[note.lane]) or any(other.lane == note.lane for other in told):
                continue
            note = note._replace(kind="swallowed")
        if note.kind in ("never awaited", "never begun"):
            note = _where_it_was_called(note, ran)
        same[note.kind, note.file, note.line].append(note)
    for kind, file, line in list(same):
        if kind == "never begun" and ("never awaited", file, line) in same:
            del same[kind, file, line]  # it was dropped, and whoever keeps the warning keeps it
    return [_of_notes(facts, kind, notes) for (kind, _, _), notes in same.items() if notes]


def _where_it_was_called(note, ran):
    """The note, with the line of the call: what Python knows is the line at which the coroutine was dropped."""
    name = note.text.rpartition(".")[2]
    file, line = call_in_vain(note.file, note.line, name, ran)
    return note._replace(file=file, line=line, text=name)


def _of_notes(facts, kind, notes):
    note, count = notes[0], len(notes)
    name = facts.timeline.lanes[note.lane] if note.lane is not None else note.text
    text = TEXTS[kind].format(
        name=name,
        more=f" (and {number(count - 1, 'other')} like it)" if count > 1 else "",
        where=place(note.file, note.line) if note.line else "a place that is not known",
        text=note.text,
    )
    span = None
    if note.lane is not None and facts.timeline.by_lane[name]:
        span = facts.timeline.by_lane[name][-1]
    return Finding(KINDS.get(kind, kind), text, note.file, note.line, span)
