"""The sliders in a page: with a kernel and without one, by keyboard and by finger."""

import pytest
from helpers.pages import exported

from kitchen import dinner, simulate

MOVED = """
from kitchen import *
from kitchen.views import explore as module
module.MOST_FILMS = 20
explore(lambda quantum, parked: simulate.threaded(dinner(), quantum, parked=parked), quantum=(0.0, 5.0, 0.5), parked=True)
"""


@pytest.fixture(scope="module")
def page_of_sliders(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("sliders"), MOVED)


def makespan(quantum, parked=True):
    return simulate.threaded(dinner(), quantum, parked=parked).makespan


def ends_at(figure, minutes):
    figure.until(lambda sample: sample["runs"][0]["ended"] == minutes, f"an end after {minutes} min")


def check_sliders(place, figure, beyond):
    """Moves the sliders in all ways; `beyond`: what becomes of values that are not stored."""
    figure.until(lambda sample: sample["frames"] > 0, "the first picture")
    slider, box = place.locator("input[type=range]"), place.locator("input[type=checkbox]")
    said = place.locator(".kitchen-said")
    ends_at(figure, makespan(2.5))
    slider.press("ArrowLeft")
    ends_at(figure, makespan(2.0))
    assert slider.get_attribute("aria-valuetext") == "2"
    assert slider.evaluate("slider => slider === document.activeElement")
    box.press("Space")
    ends_at(figure, makespan(2.0, parked=False))
    box.check()
    slider.press("Home")
    slider.page.wait_for_function("said => said.textContent.includes('a quantum of 0.0')", arg=said.element_handle())
    ends_at(figure, makespan(2.0)) if beyond == "stays" else None
    slider.press("ArrowRight")
    ends_at(figure, makespan(0.5))
    assert said.inner_text() == ""
    box.uncheck()
    slider.press("Home")
    slider.press("End")


def test_without_a_kernel_what_is_stored_is_shown_and_of_the_rest_it_says_so(page, figure_in, page_of_sliders):
    page.goto(page_of_sliders.as_uri())
    place = page.locator(".kitchen-explores")
    figure = figure_in(page.locator("body"))
    check_sliders(place, figure, "stays")
    assert "takes a kernel" in place.locator(".kitchen-said").inner_text()
    ends_at(figure, makespan(0.5, parked=False))
    assert page.problems == []
    assert page.requests == [page.url]


def test_with_a_kernel_what_is_not_stored_is_made(notebook):
    book = notebook(MOVED, "2")
    book.run(0)
    check_sliders(book.output(0).locator(".kitchen-explores"), book.figure(0), "made")
    ends_at(book.figure(0), makespan(5.0, parked=False))
    slider = book.output(0).locator(".kitchen-explores input[type=range]")
    slider.focus()
    assert book.page.evaluate("notebook.content.mode") == "command"
    book.kernel("restart")
    book.page.wait_for_function(
        "root => !root.kitchen.hasKernel", arg=book.output(0).locator(".kitchen-explores").element_handle()
    )
    assert book.page.problems == []


def test_by_finger_sliders_are_large_enough_and_nothing_moves_below(browser, figure_in, page_of_sliders):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_of_sliders.as_uri())
    figure = figure_in(page.locator("body"))
    figure.page = page
    place = page.locator(".kitchen-explores")
    place.locator("input[type=range]").wait_for()
    for control in place.locator("input[type=range], label").all():
        assert control.bounding_box()["height"] >= 44
    before = page.locator("figure").bounding_box()["y"]
    box = place.locator("input[type=range]").bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + 22)
    page.wait_for_function("document.querySelector('.kitchen-explores').kitchen.places[0] > 6")
    assert page.locator("figure").bounding_box()["y"] == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
