"""What each state looks like, in the static picture and in the page, and what a legend says of it: the only source.

The colours are Okabe and Ito's set, made for colour-blind readers ("Color Universal Design", 2008), WAITING a paler
sky blue. The patterns tell the states apart in black and white too. On dark paper the paler ones are darker. The words
are the states' own. From here matplotlib's styles come, the style sheet's variables, and the module `states.js`.
"""

import json
from collections.abc import Container
from typing import NamedTuple

from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, State


class Ink(NamedTuple):
    """How a state is drawn: its colour, the pattern on it (`hatch`: as matplotlib calls it), and both on dark paper."""

    face: str
    pattern: str
    hatch: str
    dark_face: str
    dark_pattern: str


INKS: dict[State, Ink] = {
    RUNNING: Ink("#0072B2", "#0072B2", "", "#3D9BE0", "#3D9BE0"),
    READY: Ink("#E69F00", "#7A5400", "////", "#E69F00", "#7A5400"),
    WAITING: Ink("#DDF0FB", "#3E8EBC", "..", "#21404F", "#5DA3C7"),
    IDLING: Ink("#CC79A7", "#7A3F61", "xxxx", "#CC79A7", "#7A3F61"),
    SWITCHING: Ink("#000000", "#000000", "", "#F2F2F2", "#F2F2F2"),
}
PAGE = {  # what else has a colour in the page: on light paper, on dark paper
    "text": ("#1b1b1b", "#ececec"),
    "faint": ("#b5b5b5", "#666666"),  # lines that may be overlooked
    "edge": ("#767676", "#8c8c8c"),  # of what can be used: a button, an input
    "paper": ("#ffffff", "#151515"),
    "press": (INKS[RUNNING].face, INKS[RUNNING].face),  # what is to be pressed first, with white words
    "on": ("#ffffff", "#000000"),  # words on what is RUNNING
    "bad": ("#D55E00", "#FF8A3D"),
    "good": ("#007A57", "#2CC295"),
}
INFERRED = 0.55  # how opaque what was not observed is: paler
FIGURES = ":is(.kitchen, .kitchen-box)"  # what has these colours
DARK = ':is([data-jp-theme-light="false"], [data-theme="dark"], .vscode-dark, .vscode-high-contrast)'  # dark paper


def said(state: State) -> str:
    """What a legend says of a state."""
    return f"{state.name}: {state.meaning}"


def css(used: Container[str] | None = None) -> str:
    """The colours of these names (None: all) as the style sheet's variables: `--kitchen-running` and so on."""
    light, dark = ({name: colour for name, colour in _colours(at).items() if not used or name in used} for at in (0, 1))
    return _block(FIGURES, light) + _block(f"{DARK} {FIGURES}", {n: c for n, c in dark.items() if c != light[n]})


def own_page_css() -> str:
    """In a page of its own a player follows what the reader has chosen for all pages."""
    return f"@media (prefers-color-scheme: dark) {{ {_block(f'.kitchen-page {FIGURES}', _colours(1))} }}\n"


def _colours(dark):
    """Every colour under its name, on light (0) or on dark paper (1)."""
    faces = {state.value: (ink.face, ink.dark_face)[dark] for state, ink in INKS.items()}
    patterns = {f"{state.value}-pattern": (ink.pattern, ink.dark_pattern)[dark] for state, ink in INKS.items()}
    return faces | patterns | {name: colours[dark] for name, colours in PAGE.items()}


def _block(selector, colours):
    variables = " ".join(f"--kitchen-{name}: {colour};" for name, colour in colours.items())
    return f"{selector} {{ {variables} }}\n"


def javascript() -> str:
    """The module `states.js`: of each state, by number, its name and what it means."""
    meanings = [[state.value, state.meaning] for state in State]
    return f"export const MEANINGS = {json.dumps(meanings)};\n"
