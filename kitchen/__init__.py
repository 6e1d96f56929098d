"""kitchen draws and measures what the notebooks of *Asynchronicity Illustrated* talk about.

This is its front door: everything that a notebook's cell or a script needs, as what one calls, whichever room it lives in.
A name is loaded when it is first used, and `import kitchen` loads the standard library only, so that
``python3 -m kitchen`` works on a bare Python.
"""

import sys

if sys.version_info < (3, 11):  # before anything that an older Python could stumble over
    raise SystemExit(
        "kitchen needs Python 3.11 or newer, and this is Python {}.{} ({}). Install a newer one from "
        "https://www.python.org/downloads/ and start it by its name, for example: python3.12 -m kitchen".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kitchen.recipe import Dish, Step, dinner, downloads, wait, work
from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, Span, State, Table, Timeline

if TYPE_CHECKING:  # what __getattr__ does, for type checkers and editors; a test compares the two
    from kitchen import cooks, fetch, perform, simulate
    from kitchen.lesson import predict
    from kitchen.lesson.game import Shift, best, play
    from kitchen.lesson.gil import TwoThreads
    from kitchen.lesson.steady import steady
    from kitchen.views.explore import explore
    from kitchen.views.gantt import compare, gantt
    from kitchen.views.live import live
    from kitchen.views.player import Player
    from kitchen.views.turns import turns
    from kitchen.watching.watch import watch
    from kitchen.web.site import serve

_VERBS = {  # modules: what is called is in them
    "simulate": "kitchen.simulate",
    "perform": "kitchen.perform",
    "fetch": "kitchen.fetch",
    "cooks": "kitchen.cooks",
    "predict": "kitchen.lesson.predict",
}
_CALLED = {  # what is called itself: the module that has it
    "Player": "kitchen.views.player",
    "Shift": "kitchen.lesson.game",
    "TwoThreads": "kitchen.lesson.gil",
    "best": "kitchen.lesson.game",
    "compare": "kitchen.views.gantt",
    "explore": "kitchen.views.explore",
    "gantt": "kitchen.views.gantt",
    "live": "kitchen.views.live",
    "play": "kitchen.lesson.game",
    "serve": "kitchen.web.site",
    "steady": "kitchen.lesson.steady",
    "turns": "kitchen.views.turns",
    "watch": "kitchen.watching.watch",
}

__all__ = [
    "IDLING",
    "READY",
    "RUNNING",
    "SWITCHING",
    "WAITING",
    "Dish",
    "Player",
    "Shift",
    "Span",
    "State",
    "Step",
    "Table",
    "Timeline",
    "TwoThreads",
    "best",
    "compare",
    "cooks",
    "dinner",
    "downloads",
    "explore",
    "fetch",
    "gantt",
    "live",
    "perform",
    "play",
    "predict",
    "serve",
    "simulate",
    "steady",
    "turns",
    "wait",
    "watch",
    "work",
]


def __getattr__(name: str) -> Any:
    found: Any
    if name in _VERBS:
        found = import_module(_VERBS[name])
    elif name in _CALLED:
        found = getattr(import_module(_CALLED[name]), name)
    else:
        raise AttributeError(f"kitchen has no {name!r}; it has {', '.join(__all__)}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__


Timeline.player = lambda timeline: __getattr__("Player")(timeline)  # it shows itself without knowing any view


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext kitchen` in a notebook: from then on, `%%gantt` draws what a cell does."""
    import_module("kitchen.watching.magic").load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext kitchen`: the end of that."""
    import_module("kitchen.watching.magic").unload(ipython)
