"""What every picture on paper shares: its size, its words, its legend, and how it becomes a file."""

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from PIL import Image

from kitchen.timeline import WAITING, State
from kitchen.timeline.words import printable_lines
from kitchen.views.palette import INFERRED, INKS, said

INCHES = 11.0  # wide
DPI = 80  # of a file: as wide as a page shows it, and two thirds of the bytes of 100
UNITS = {"min": "minutes", "s": "seconds"}
FREE_COLOURS = 24  # of a file: mixtures, mostly of letters and edges; those of the legend come besides


def bars(state: State, inferred: bool = False, outlined: bool = False) -> dict:
    """How matplotlib draws the bars of a state. `outlined`: WAITING, which is nearly as pale as paper, has an edge."""
    ink = INKS[state]
    style = {
        "facecolor": ink.face,
        "edgecolor": ink.pattern,
        "hatch": ink.hatch,
        "alpha": INFERRED if inferred else None,
    }
    return style | {"linewidth": 0.8 if outlined and state is WAITING else 0}


def time_axis(ax: Axes, unit: str, until: float) -> None:
    """Marks the x axis as the time from 0 to `until`."""
    ax.set_xlim(0, until * 1.01 or 1)
    ax.set_xlabel(UNITS[unit])
    ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=unit == "min" and until > 2))
    ax.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, states: Iterable[State], inferred: bool = False) -> None:
    """Says under the picture what the colours mean: of these states, and of no others."""
    seen = set(states)
    patches = [Patch(**bars(state, outlined=True), label=said(state)) for state in INKS if state in seen]
    if inferred:
        patches.append(Patch(facecolor="none", edgecolor="none", label="(paler: inferred, not observed)"))
    if patches:
        figure.legend(handles=patches, loc="outside lower center", ncols=3, fontsize=8, frameon=False)


def text(words: str) -> str:
    """Words as matplotlib should write them: nothing unprintable, no formula, and a box for what its font lacks."""
    has = _letters(findfont(FontProperties()))
    return "".join(char if char == "\n" or ord(char) in has else "□" for char in printable_lines(words)).replace(
        "$", r"\$"
    )


@cache
def _letters(font):
    """The characters that the font in this file has."""
    return set(get_font(font).get_charmap())


class Picture(NamedTuple):
    """A drawing as the bytes of two files: a PNG for whatever shows pictures, a WebP, which is smaller, for browsers."""

    png: bytes
    webp: bytes

    @property
    def url(self) -> str:
        """The picture as an address that has all of it."""
        return f"data:image/webp;base64,{b64encode(self.webp).decode()}"


def picture(figure: Figure) -> Picture:
    """Draws a figure with a palette: flat colours need no more, and the files are a third of the size.

    The legend's colours are exactly those that they are; the nearest of the palette stands for any other.
    """
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    free = Image.fromarray(pixels).quantize(FREE_COLOURS, dither=Image.Dither.NONE).getpalette()
    exact = [[round(255 * part) for part in to_rgb(colour)] for colour in _exact()]
    palette = np.unique(np.array(exact + np.reshape(free, (-1, 3)).tolist()), axis=0)
    colours, of_pixel = np.unique(pixels.reshape(-1, 3) @ [65536, 256, 1], return_inverse=True)
    parts = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    nearest = np.square(parts[:, np.newaxis] - palette).sum(axis=2).argmin(axis=1).astype(np.uint8)
    image = Image.fromarray(nearest[of_pixel].reshape(pixels.shape[:2]))
    image.putpalette(palette.astype(np.uint8).tobytes())
    return Picture(_file(image, "png", optimize=True), _file(image.convert("RGB"), "webp", lossless=True))


def _file(image, kind, **how):
    file = BytesIO()
    image.save(file, format=kind, **how)
    return file.getvalue()


def _exact():
    """Paper and ink, and what a state is painted with."""
    return {"white", "black", *(colour for ink in INKS.values() for colour in (ink.face, ink.pattern))}
