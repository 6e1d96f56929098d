"""Sliders for the model: move one, and the picture follows at once."""

from collections.abc import Callable, Sequence
from html import escape
from uuid import uuid4

from IPython.display import display
from ipywidgets import HTML, Box, Layout, ValueWidget, VBox, interactive

from kitchen.live import Page
from kitchen.player import Player
from kitchen.timeline import Timeline


def explore(function: Callable[..., Timeline | Sequence[Timeline]], **controls) -> None:
    """Shows controls, and the player of what `function` makes of their values; it follows every move of a control.

    `controls`: as for ipywidgets' `interact`. `quantum=(0.5, 5.0, 0.5)` is a slider from 0.5 to 5 in steps of 0.5,
    `parked=True` a box to tick, `way=["sync", "threaded"]` a list to choose from. `function` takes the values by name
    and returns a Timeline, or several. What it raises for some value is shown beside the controls, and the picture
    stays. Raises ValueError for a control that ipywidgets knows no widget for.
    """
    boxes = {name: _box(name, control) for name, control in controls.items()}
    complaint = HTML()
    player = _player(function, boxes)
    name = f"k{uuid4().hex}"
    page = Page(target=name)

    def follow(change):
        try:
            page.film = _player(function, boxes).film()
            complaint.value = ""
        except Exception as error:
            complaint.value = f"<b>{escape(type(error).__name__)}</b>: {escape(str(error))}"

    for box in boxes.values():
        box.observe(follow, "value")
    shown = VBox([Box(list(boxes.values()), layout=Layout(flex_flow="row wrap")), complaint, page])
    words = f"(Run this cell: here you can move {', '.join(boxes)}.)"  # all that a saved notebook has of them
    display(shown._repr_mimebundle_() | {"text/plain": words}, raw=True)
    display(player.bundle(name), raw=True)


def _box(name, control):
    """The widget for a control, with its name written beside it."""
    box = interactive.widget_from_abbrev(control)
    if not isinstance(box, ValueWidget):
        raise ValueError(
            f"{name}={control!r}: give a range such as (0.5, 5.0, 0.5), True or False, a list, or a widget"
        )
    box.description = box.description or name
    box.style.description_width = "8em"
    return box


def _player(function, boxes):
    made = function(**{name: box.value for name, box in boxes.items()})
    return Player(*([made] if isinstance(made, Timeline) else made))
