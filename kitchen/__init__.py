"""kitchen draws and measures what the notebooks of *Asynchronicity Illustrated* talk about.

Importing it loads the standard library only, so that ``python3 -m kitchen`` works on a bare Python.
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

from kitchen.recipe import Dish, Step, dinner, downloads, wait, work
from kitchen.timeline import Span, State, Timeline

# What there is besides, each in a module of its name and loaded when first used: kitchen.simulate, kitchen.fetch, …
_MODULES = (
    "simulate",
    "perform",
    "cooks",
    "fetch",
    "watch",
    "server",
    "recorder",
    "gantt",
    "player",
    "live",
    "explore",
    "turns",
    "predict",
    "game",
    "exercises",
)

__all__ = ["Dish", "Span", "State", "Step", "Timeline", "dinner", "downloads", "wait", "work", *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return import_module(f"kitchen.{name}")
    raise AttributeError(f"kitchen has no {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return __all__


def load_ipython_extension(ipython):
    """`%load_ext kitchen` in a notebook: from then on, `%%gantt` draws what a cell does."""
    import_module("kitchen.magic").load(ipython)


def unload_ipython_extension(ipython):
    """`%unload_ext kitchen`: the end of that."""
    import_module("kitchen.magic").unload(ipython)
