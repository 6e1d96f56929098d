"""One source for what a state looks like and what is said of it."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from kitchen import State
from kitchen.views import palette
from kitchen.views.assets import module, player_style
from kitchen.views.palette import INKS, PAGE

ROOT = Path(__file__).parents[2] / "kitchen"
SOURCES = ("views/palette.py", "timeline/states.py")
COLOURS = {colour for ink in INKS.values() for colour in ink if colour.startswith("#")}
TAKEN = {"#000000", "#ffffff"}  # black and white are everybody's
FILES = [path for kind in ("py", "js", "css") for path in sorted(ROOT.rglob(f"*.{kind}"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_other_file_has_a_states_colour_or_meaning(path):
    if path.relative_to(ROOT).as_posix() in SOURCES:
        return
    text = path.read_text(encoding="utf-8")
    assert not {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", text)} & (
        {colour.lower() for colour in COLOURS} - TAKEN
    )
    assert not [state for state in State if f"{state.name}: {state.meaning}" in text or f'"{state.meaning}"' in text]


def test_every_state_has_colours_and_words_of_its_own():
    assert list(INKS) == list(State)
    assert len({state.meaning for state in State}) == len(State)
    for one, other in combinations(State, 2):
        assert INKS[one].face != INKS[other].face
        assert INKS[one].dark_face != INKS[other].dark_face


def test_page_and_module_have_them():
    for state in State:
        assert f'["{state.value}", "{state.meaning}"]' in module()
        assert player_style().count(f"--kitchen-{state.value}:") >= 1


def test_a_style_sheet_has_the_colours_that_it_speaks_of_and_no_others():
    sheet = palette.css({"text", "running"})
    assert set(re.findall(r"--kitchen-[\w-]+", sheet)) == {"--kitchen-text", "--kitchen-running"}
    for used in set(re.findall(r"var\(--kitchen-([\w-]+)\)", player_style())):
        assert f"--kitchen-{used}:" in player_style(), used


def luminance(colour):
    """WCAG's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_words_and_what_can_be_used_can_be_seen(dark):
    """As WCAG asks for: 4.5 for words, 3 for the edges of buttons and inputs."""
    page = {name: colours[dark] for name, colours in PAGE.items()}
    assert contrast(page["text"], page["paper"]) >= 7
    assert contrast(page["edge"], page["paper"]) >= 3
    assert contrast(page["bad"], page["paper"]) >= 3
    assert contrast(page["good"], page["paper"]) >= 4.5
    running = INKS[State.RUNNING][3 if dark else 0]
    waiting = INKS[State.WAITING][3 if dark else 0]
    assert contrast(page["on"], running) >= 4.5
    assert contrast(page["text"], waiting) >= 4.5
    assert contrast("#ffffff", page["press"]) >= 4.5
