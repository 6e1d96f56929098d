"""A pytest plugin for another project's test suite (see test_third_party.py): says how each test ended, and can watch.

`--outcomes FILE` writes there, as JSON, the outcome of each test and how much was seen of it. With `--watched`, every event
loop of that process is watched from its first task on, until it is closed. To get at the loops, asyncio itself is patched,
and uvloop where it is installed: here, in a process that does nothing else, and nowhere in kitchen.
"""

import gc
import json
import re
import weakref
from asyncio import base_events, selector_events
from contextlib import suppress
from pathlib import Path

SEEN = {"loops": 0, "lanes": 0, "steps": 0}
PROBLEMS = []  # what went wrong while recording, or while a picture was made of it


def pytest_addoption(parser):
    group = parser.getgroup("kitchen")
    group.addoption("--outcomes", type=Path, help="write the outcome of each test there")
    group.addoption("--watched", action="store_true", help="watch every event loop")


def pytest_configure(config):
    if config.getoption("--outcomes") is not None:  # a test may start a pytest of its own in here
        config.pluginmanager.register(Outcomes(config.getoption("--outcomes")))
        if config.getoption("--watched"):
            watch_every_loop()


class Outcomes:
    """Writes down how each test ended: what it failed with is part of that."""

    def __init__(self, path):
        self.path, self.outcomes = path, {}

    def pytest_collection_finish(self):
        gc.freeze()  # many a test, and each watch, looks through all that is there: not through what was there before

    def pytest_runtest_logreport(self, report):
        if report.failed or report.skipped or report.when == "call":
            said = report.longrepr.reprcrash.message.splitlines()[:1] if hasattr(report.longrepr, "reprcrash") else []
            said = [re.sub("0x[0-9a-f]+", "0x…", line) for line in said]  # an address is another one each time
            self.outcomes[f"{report.nodeid} {report.when}"] = [report.outcome, *said]

    def pytest_sessionfinish(self):
        finish_all()
        self.path.write_text(json.dumps({"outcomes": self.outcomes, "seen": SEEN, "problems": PROBLEMS}))


# --- to watch every loop ---------------------------------------------------------------------------------------------

_tracers = weakref.WeakKeyDictionary()


def watch_every_loop():
    global Record, Sampler, Tracer  # from here on only: a test that is not watched runs without any of this
    from kitchen.watching.record import Record
    from kitchen.watching.sampler import Sampler
    from kitchen.watching.tracer import Tracer

    patch(base_events.BaseEventLoop, selector_events.BaseSelectorEventLoop)
    with suppress(ImportError):
        import uvloop

        patch(uvloop.Loop, uvloop.Loop)


def patch(makes, closes):
    """Of these two classes, one has the `create_task` that a kind of loop uses, the other its `close`."""
    create_task, close = makes.create_task, closes.close

    def create_task_watched(loop, coroutine, **options):
        if loop not in _tracers and not loop.is_closed():
            begin(loop)
        return create_task(loop, coroutine, **options)

    def close_watched(loop):
        finish(loop)
        close(loop)

    makes.create_task, closes.close = create_task_watched, close_watched


def begin(loop):
    """From now on the loop is watched. Not so its threads: their sampler would be one more, and some tests count them."""
    recorder = Record("a test")
    _tracers[loop] = tracer = Tracer(loop, recorder, Sampler(recorder))
    tracer.install()


def finish(loop):
    """No longer; and what has been seen must be good for a picture, and for words."""
    tracer = _tracers.pop(loop, None)
    if tracer is None:
        return
    try:
        tracer.uninstall()
        tracer.recorder.close()
        timeline = tracer.recorder.timeline()
        timeline.to_json()
        list(tracer.recorder.findings)
    except Exception as problem:
        PROBLEMS.append(f"{type(problem).__name__}: {problem}")
    else:
        SEEN["loops"] += 1
        SEEN["lanes"] += len(timeline.lanes)
        SEEN["steps"] += len(tracer.recorder._steps)


def finish_all():
    for loop in list(_tracers):
        finish(loop)
