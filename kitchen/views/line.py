"""A line from the page to this kernel: of what a page does without one, a kernel may be to know, or can do more."""

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from kitchen.views import assets


class Line(anywidget.AnyWidget):
    """From the page's outputs that have these data attributes, to `hear`, which is handed what they send. Never shown: a
    saved notebook has nothing of it, and an output that hears of no line knows that there is no kernel.

    `state`: what an output that comes to life is told. What comes from a page is to be looked at before it is believed.
    """

    _esm = assets.module(assets.LINE)
    data = traitlets.Dict().tag(sync=True)
    state = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, hear: Callable[[dict[str, Any]], None], **data: str):
        super().__init__(data=data)
        self.on_msg(lambda line, content, buffers: hear(content if isinstance(content, dict) else {}))
