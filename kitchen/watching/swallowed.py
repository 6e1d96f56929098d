"""Whether a task went on that was asked to cancel: did the same again, in its loop, and did not only clean up."""

import ast
from collections.abc import Sequence
from functools import lru_cache

from kitchen.watching.facts import Frame, Note, Wait
from kitchen.watching.program import (
    FUNCTIONS,
    calls_in,
    cleans_up,
    first_line,
    function_of,
    is_inside,
    path_of,
    tree_of,
)

WENT_ON_SECONDS = 0.1  # that a task may go on in its loop after it was asked to cancel
LOOPS = (ast.For, ast.AsyncFor, ast.While)
TAKE_IT_BACK = {"timeout", "timeout_at", "wait_for", "TaskGroup", "move_on_after", "fail_after", "create_task_group"}
CATCHES = {"CancelledError", "BaseException"}


def went_on(note: Note, waits: Sequence[Wait]) -> bool:
    """Whether a task waited again where it was asked to cancel, or went on in the loop in which it caught that.

    What comes after the loop, or in none, is taken for its cleaning up: "stopping", and then it closes what is open.
    """
    path, seconds = _path(note, waits), 0.0
    if note.kind == "asked again" and (not path or _may_take_it_back(path)):
        return False
    for wait in waits:
        if wait.start < note.time or not wait.frames or _is_cleaning_up(wait) or _ends_loop(path, wait.frames):
            continue
        if _spots(wait.frames) == _spots(path) if path else _spots(wait.frames)[-1] == (note.file, note.line):
            return True
        if _is_in_loop(path, wait.frames):
            seconds += wait.end - wait.start
        if seconds >= WENT_ON_SECONDS:
            return True
    return False


def _path(note, waits):
    """The functions in which the task waited when it was asked, outermost first; () if that is not known."""
    before = [wait.frames for wait in waits if wait.start < note.time and wait.frames]
    return before[-1] if before and _spots(before[-1])[-1] == (note.file, note.line) else ()


def _may_take_it_back(path):
    """Whether it may have been a timeout around these calls that asked, or a group, which takes that back in time."""
    return not all(TAKE_IT_BACK.isdisjoint(calls_in(frame.code.co_filename, frame.line)) for frame in path)


def _spots(frames):
    return [(frame.code.co_filename, frame.line) for frame in frames]


def _is_cleaning_up(wait):
    return any(
        (tree := tree_of(frame.code.co_filename)) and cleans_up(tree, frame.line, frame.code.co_firstlineno)
        for frame in wait.frames
    )


# --- the loop in which it was caught -----------------------------------------------------------------------------------


def _is_in_loop(path, frames):
    """Whether a task still is in the loop that was around what caught its cancellation."""
    depth = _last_common(path, frames)
    if depth is None:
        return False
    loop, catchers = _loop(path[depth], frames[depth]), [_catcher(frame) for frame in path[depth:]]
    if loop is None or not any(catchers):
        return False
    if any(catchers[1:]):
        return True  # in a call that the loop made
    return is_inside(catchers[0], loop) and not any(
        isinstance(part, (ast.Break, ast.Return)) for part in _body(catchers[0])
    )


def _ends_loop(path, frames):
    """Whether what caught the cancellation has told the loop to end in time."""
    depth = _last_common(path, frames)
    loop = None if depth is None else _loop(path[depth], frames[depth])
    caught = _catcher(path[depth]) if loop is not None else None
    return caught is not None and not _set_in(caught).isdisjoint(_asked_by(loop))


def _last_common(path: Sequence[Frame], frames: Sequence[Frame]) -> int | None:
    """The place of the innermost call that was under way then, and still is; None: there is none."""
    depth = None
    for at, (then, now) in enumerate(zip(path, frames, strict=False)):
        if then.number != now.number:
            break
        depth = at
    return depth


def _loop(then, now):
    """The innermost loop in which a call was then, and is now."""
    tree = tree_of(then.code.co_filename)
    return _loop_around(tree, then.code.co_firstlineno, then.line, now.line) if tree else None


@lru_cache(maxsize=4096)
def _loop_around(tree, first, *lines):
    loops = [node for node in _of_function(tree, first) if isinstance(node, LOOPS)]
    around = [loop for loop in loops if all(loop.lineno <= line <= loop.body[-1].end_lineno for line in lines)]
    return max(around, key=lambda loop: loop.lineno, default=None)


def _catcher(frame):
    """What catches a cancellation at this line of a call, an `except` or a `suppress`; None: nothing there does."""
    tree = tree_of(frame.code.co_filename)
    return _catcher_around(tree, frame.code.co_firstlineno, frame.line) if tree else None


@lru_cache(maxsize=4096)
def _catcher_around(tree, first, line):
    found = []
    for node in _of_function(tree, first):
        if isinstance(node, ast.Try) and node.body[0].lineno <= line <= node.body[-1].end_lineno:
            handlers = [handler for handler in node.handlers if handler.type is None or _catches(handler.type)]
            found += [handler for handler in handlers[:1] if not isinstance(handler.body[-1], ast.Raise)]
        if isinstance(node, ast.With) and node.lineno <= line <= node.end_lineno:
            found += [node for item in node.items if "suppress" in ast.unparse(item) and _catches(item.context_expr)]
    return max(found, key=lambda node: node.lineno if isinstance(node, ast.With) else node.parent.lineno, default=None)


def _catches(node):
    names = {getattr(inner, "attr", getattr(inner, "id", "")) for inner in ast.walk(node)}
    return not CATCHES.isdisjoint(names)


@lru_cache(maxsize=1024)
def _of_function(tree, first):
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Try, ast.With, *LOOPS))]
    return [
        node for node in nodes if isinstance(function_of(node), FUNCTIONS) and first_line(function_of(node)) == first
    ]


def _body(catcher):
    return catcher.body if isinstance(catcher, ast.ExceptHandler) else ()


def _set_in(catcher):
    """What an `except` sets, as it is written: variables, attributes, events."""
    inside = [node for statement in _body(catcher) for node in ast.walk(statement)]
    stored = {path_of(node) for node in inside if isinstance(getattr(node, "ctx", None), ast.Store)}
    events = {path_of(node.func) for node in inside if isinstance(node, ast.Call)}
    return (stored | {event.removesuffix(".set") for event in events if event.endswith(".set")}) - {""}


def _asked_by(loop):
    """What a loop goes by, as it is written: in its condition, and in those under which it is left."""
    tests = [loop.test] if isinstance(loop, ast.While) else []
    for node in ast.walk(loop):
        if isinstance(node, ast.If) and any(isinstance(inner, (ast.Break, ast.Return)) for inner in ast.walk(node)):
            tests.append(node.test)
    return {path_of(node) for test in tests for node in ast.walk(test)} - {""}
