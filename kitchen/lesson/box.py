"""A box with some words in it: what a verdict and a hint show themselves as."""

import re
from collections.abc import Sequence
from html import escape

from kitchen.timeline.words import printable_lines
from kitchen.views.assets import needed, style


def box(kind: str, lines: Sequence[str], more: str = "") -> dict[str, str]:
    """A framed piece of HTML as a notebook's output: `lines` of plain text, then more that is HTML already.

    `kind`: "right", "wrong" or "".
    """
    inside = "".join(f"<p>{marked(line)}</p>\n" for line in lines) + more
    colour = f" kitchen-{kind}" if kind else ""
    sheet = needed(style("box"), inside)
    return {"text/html": f'<div class="kitchen-box{colour}">\n<style>\n{sheet}</style>\n{inside}</div>'}


def marked(text: str) -> str:
    """A plain text as HTML, with what stands between backticks as code, and nothing that cannot be printed."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(printable_lines(text)))
