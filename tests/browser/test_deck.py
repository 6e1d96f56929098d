"""A deck of slides in a browser that is offline: one slide at a time, and the player in it plays and knows the mouse."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kitchen import dinner, simulate, slides

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SLIDES = 4
LONG = 2  # the number of a slide that is higher than the window
PLAYED = 3  # the number of the slide with the player


@pytest.fixture
def opened(page, context):
    """A function: a deck in, shown in the page, which can reach nothing but this file."""

    def open_deck(path):
        context.set_offline(True)
        context.route(re.compile("^(?!file:)"), lambda route: route.abort())
        page.goto(path.as_uri())
        return page

    return open_deck


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A deck with a long slide, and a player on the slide after it."""
    shows = new_output("execute_result", simulate.cooperative(dinner())._repr_mimebundle_(), execution_count=1)
    cells = [
        new_markdown_cell("# The dinner"),
        new_markdown_cell("## Much text\n\n" + "A line.\n\n" * 100 + "The last line."),
        new_markdown_cell("## The run"),
        new_code_cell("simulate.cooperative(dinner())", outputs=[shows]),
        new_markdown_cell("## The end"),
    ]
    folder = tmp_path_factory.mktemp("slides")
    nbformat.write(new_notebook(cells=cells), folder / "dinner.ipynb")
    slides.main([str(folder / "dinner.ipynb"), "-o", str(folder)])
    return folder / "dinner.html"


@pytest.fixture
def deck(opened, made):
    return opened(made)


def assert_shows(page, number, of=SLIDES):
    assert page.locator(".slide:visible").count() == 1
    assert page.locator(".slide").nth(number - 1).is_visible()
    assert page.locator("nav output").inner_text() == f"{number} / {of}"


def assert_alone(page):
    """Nothing was asked for but the file, and nothing was amiss."""
    asked = {url.split("#")[0] for url in page.requests if not url.startswith("data:")}
    assert asked == {page.url.split("#")[0]}
    assert page.problems == []


def test_keys_buttons_and_the_address_turn_the_slides(deck):
    assert_shows(deck, 1)
    for key, number in [
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", 4),
        ("ArrowRight", 4),
        ("Home", 1),
    ]:
        deck.keyboard.press(key)
        assert_shows(deck, number)
    deck.get_by_role("button", name="next slide").click()
    assert_shows(deck, 2)
    deck.reload()
    assert_shows(deck, 2)
    deck.get_by_role("button", name="previous slide").click()
    assert_shows(deck, 1)
    assert deck.get_by_role("button", name="previous slide").is_disabled()
    assert_alone(deck)


def test_a_presenter_sees_all_of_a_long_slide_before_the_next(deck):
    deck.keyboard.press("PageDown")
    assert_shows(deck, LONG)
    deck.keyboard.press("PageDown")
    deck.wait_for_function("scrollY > 0")
    assert_shows(deck, LONG)
    deck.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    deck.keyboard.press("PageDown")
    assert_shows(deck, PLAYED)
    assert deck.evaluate("scrollY") == 0


def test_the_player_in_a_slide_plays_and_knows_where_the_mouse_is(deck, figure_in):
    figure = figure_in(deck.locator("body"))
    deck.evaluate(f"location.hash = {PLAYED}")
    figure.until(lambda sample: sample["colours"] > 10, "a picture")
    figure.press("Home")
    start = figure.sample()
    figure.press("Space")
    figure.until(lambda sample: sample["playhead"] > start["playhead"], "it to play")
    figure.press("Space")
    figure.until(lambda sample: not sample["playing"], "a pause")
    figure.press("ArrowRight")
    assert figure.rest()["picture"] != start["picture"]
    assert_shows(deck, PLAYED)  # its keys are its own
    figure.press("End")

    left = figure.part("lanes").bounding_box()["x"] + figure.value("gutter")
    dish = simulate.cooperative(dinner()).by_lane["salad"]
    told = []
    for span in dish:
        share = (span.start + span.end) / 2 / figure.value("to")
        told.append(tips(figure, left + share * figure.value("width")))
    assert all(span.label in tip["salad"] for span, tip in zip(dish, told, strict=True)), told
    assert_alone(deck)


def tips(figure, x):
    """What the tip tells at this place of the window, by lane, as the mouse goes down there."""
    box, found = figure.part("lanes").bounding_box(), {}
    for down in range(4, int(box["height"]), 6):
        figure.page.mouse.move(x, box["y"] + down)
        if figure.part("tip").is_visible():
            lane, _, tip = figure.part("tip").inner_text().partition("\n")
            found[lane] = tip
    return found


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_deck_of_the_series_plays_without_a_network(opened, tmp_path, notebook):
    path = tmp_path / "deck.html"
    path.write_text(slides.deck(notebook), encoding="utf-8")
    page = opened(path)
    number = page.locator(".slide").count()
    for slide in range(1, number + 1):
        assert_shows(page, slide, of=number)
        for canvas in page.locator(".slide:visible canvas.kitchen-lanes").all():
            assert canvas.bounding_box()["width"] > 500
        page.keyboard.press("ArrowRight")
    players = notebook.read_text(encoding="utf-8").count('<figure class=\\"kitchen\\"')
    assert page.locator("canvas.kitchen-lanes").count() == players
    assert_alone(page)
