"""The book as a reader has it: opened from its folder, with no server and no network, in Chromium and in Firefox."""

import gzip
import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from io import BytesIO
from itertools import product
from pathlib import Path
from shutil import copy

import pytest
from conftest import a_firefox, listened, new_context, until
from helpers.machine import missing
from PIL import Image

from kitchen.views.palette import INKS, PAGE

pytestmark = pytest.mark.slow  # every page, in two browsers

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [path.stem for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
PAGES = [*NOTEBOOKS, "index", "INSTRUCTORS", "FINDINGS", "reference", "search"]
HEAVY = 700_000  # bytes: our bar for a page
DRAWN = '[...document.querySelectorAll("figure.kitchen")].every(figure => figure.kitchen?.frames > 0)'


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder of the book, made by its own command."""
    if find_spec("sphinx_book_theme") is None:
        missing("what makes the book is missing: python3 -m pip install -r kitchen/commands/book/requirements.txt")
    folder = tmp_path_factory.mktemp("book")
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "kitchen.commands.book", str(folder)]
    said = subprocess.run(command, env=os.environ | {"PYTHONPATH": search}, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    return folder


@pytest.fixture(scope="module", params=["chromium", pytest.param("firefox", marks=pytest.mark.slow)])
def reader(request):
    """A page, in one browser and then in the other, for all tests of this file."""
    if request.param == "chromium":
        context = new_context(request.getfixturevalue("browser"))
        yield listened(context.new_page())
        context.close()
    else:
        with a_firefox() as page:
            yield page


def opened(page, path):
    """The page, once all its pictures are drawn; what it complained about before is forgotten."""
    page.problems.clear()
    page.requests.clear()
    page.goto(path.as_uri())
    until(page, lambda: page.evaluate(DRAWN), "all pictures")
    return page


# --- every page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_its_folder_asks_for_nothing_else_and_fits(book, reader, name):
    reader.set_viewport_size({"width": 1280, "height": 900})
    opened(reader, book / f"{name}.html")
    for width in (1280, 390, 360):
        reader.set_viewport_size({"width": width, "height": 844})
        reader.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => 0)")
        sideways = reader.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"at {width} px"
    assert reader.problems == []
    inside = book.as_uri(), "data:", "blob:"
    assert [url for url in reader.requests if not url.startswith(inside)] == []


def test_a_page_is_light(book, report):
    rows = []
    for page in sorted(book.glob("*.html")):
        size, packed = page.stat().st_size, len(gzip.compress(page.read_bytes()))
        rows.append((page.stem, f"{size / 1000:.0f}", f"{packed / 1000:.0f}"))
        assert size < HEAVY, page.name
    rest = sum(file.stat().st_size for file in book.glob("**/*") if file.is_file() and file.suffix != ".html")
    rows.append(("all the rest", f"{rest / 1000:.0f}", ""))
    report("The book", ("page", "kB", "kB as it travels"), rows)


# No colour is on its way.
STILL = "Promise.allSettled(document.getAnimations().map(each => each.finished)).then(() => 0)"
OPEN = """document.querySelectorAll(".kitchen-veil button")[1]?.click(),
    document.querySelectorAll("details").forEach(folded => folded.open = true)"""
AXE = """axe.run({exclude: [[".highlight"]]}, {preload: false, resultTypes: ["violations"], RULES}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes.map(({target}) => target).join(" | ")}`))"""


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_amiss_on_a_phone_and_on_a_laptop_by_day_and_by_night(book, browser, name):
    context = new_context(browser)
    page = listened(context.new_page())
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, book / f"{name}.html").evaluate(OPEN)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    contrast = "runOnly: ['color-contrast']"  # by night only colours differ
    for width, (theme, rules) in product([390, 1280], [("light", ""), ("dark", contrast)]):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.evaluate(STILL)
        assert page.evaluate(AXE.replace("RULES", rules)) == [], (width, theme)
    context.close()


# --- the theme's own -------------------------------------------------------------------------------------------------


def test_the_search_finds_from_a_file(book, reader):
    opened(reader, book / "search.html")
    reader.goto(book.as_uri() + "/search.html?q=quantum")
    found = "[...document.querySelectorAll('#search-results li a')].map(link => link.textContent)"
    assert "The scheduler with a clock" in " ".join(until(reader, lambda: reader.evaluate(found), "what was found"))
    assert reader.problems == []


def test_pictures_and_forms_follow_the_page_from_day_to_night(book, reader):
    opened(reader, book / "01-one-track-mind.html")
    each = "[...document.querySelectorAll('figure.kitchen, .kitchen-box')]"
    papers = f"{each}.map(element => getComputedStyle(element).backgroundColor)"
    for theme, at in {"light": 0, "dark": 1, "light again": 0}.items():
        reader.evaluate(f"document.documentElement.dataset.theme = '{theme.partition(' ')[0]}'")
        colour = ", ".join(str(part) for part in bytes.fromhex(PAGE["paper"][at][1:]))
        assert set(reader.evaluate(papers)) == {f"rgb({colour})"}, theme


def test_on_a_phone_a_drawing_has_equal_steps_and_what_is_printed_can_be_read(book, reader):
    reader.set_viewport_size({"width": 390, "height": 844})
    opened(reader, book / "03-cooperation.html")
    steps = reader.evaluate(
        "[...document.querySelector('.kitchen-asks tr').cells].slice(1).map(each => each.offsetWidth)"
    )
    assert len(steps) > 10 and max(steps) - min(steps) <= 1
    sticks_out = (
        "[...document.querySelectorAll('.kitchen-sentences pre')].map(each => each.scrollWidth > each.clientWidth)"
    )
    assert set(reader.evaluate(sticks_out)) == {False}
    turns = (
        "(turns => [turns.offsetWidth, turns.parentElement.clientWidth])(document.querySelector('.text_html > img'))"
    )
    wide, room = reader.evaluate(turns)
    assert wide > 700 and room < 390, "it is moved sideways"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_leads_to_its_notebook_and_to_its_neighbours(book, name):
    text = (book / f"{name}.html").read_text(encoding="utf-8")
    binder = "https://mybinder.org/v2/gh/asynchronicity-illustrated/asynchronicity-illustrated/HEAD?urlpath=lab/tree/notebooks/"
    assert text.count(f'href="{binder}{name}.ipynb"') >= 2, "the launch button, and the link in the first paragraph"
    place = NOTEBOOKS.index(name)
    for other in [*NOTEBOOKS[max(place - 1, 0) : place], *NOTEBOOKS[place + 1 : place + 2]]:
        assert f'href="{other}.html"' in text


# --- what is covered until it is asked -------------------------------------------------------------------------------

VEILED = """<!DOCTYPE html><html lang="en" data-theme="light"><title>veiled</title>
<link rel="stylesheet" href="book.css"><script src="veil.js"></script>
<article class="bd-article"><section><h1>One</h1>
<div class="cell" id="asks"><div class="kitchen-asks" data-kitchen-question="one"><input id="answer"></div></div>
<div class="cell" id="run"><a href="#result">38 minutes</a></div>
<p id="told">She stands there.</p>
<section><h2>Two</h2><p id="next">Next.</p>
<div class="cell"><div class="kitchen-asks" data-kitchen-question="two"></div></div><p id="second">18 minutes.</p></section>
</section></article></html>"""
SEEN = """Object.fromEntries(["asks", "run", "told", "next", "second"].map(id => {
    const element = document.getElementById(id)
    return [id, getComputedStyle(element).visibility === "visible" && element.offsetHeight > 0]
}))"""
COVERED = {"asks": True, "run": False, "told": False, "next": True, "second": False}
FIRST = COVERED | {"run": True, "told": True}
BUTTONS = "[...document.querySelectorAll('.kitchen-veil button')].map(button => button.textContent)"


@pytest.fixture
def veiled(tmp_path):
    """A page with two questions, and the files that cover what comes after them."""
    for name in ("veil.js", "book.css"):
        copy(ROOT / "kitchen" / "commands" / "book" / "static" / name, tmp_path)
    (tmp_path / "page.html").write_text(VEILED, encoding="utf-8")
    return tmp_path / "page.html"


def test_what_comes_after_a_question_is_covered_until_there_is_an_answer(veiled, reader):
    opened(reader, veiled)
    assert reader.evaluate(SEEN) == COVERED
    reader.evaluate("document.querySelector('[data-kitchen-question=one]').setAttribute('data-kitchen-answered', '')")
    assert reader.evaluate(SEEN) == FIRST
    reader.evaluate("document.querySelector('[data-kitchen-question=one]').removeAttribute('data-kitchen-answered')")
    assert reader.evaluate(SEEN) == COVERED, "the answer was forgotten"
    assert reader.problems == []


def test_by_keyboard_one_asks_to_see_it_and_reads_on_there(veiled, reader):
    opened(reader, veiled)
    reader.evaluate("document.getElementById('answer').focus()")
    reader.keyboard.press("Tab")
    assert reader.evaluate("document.activeElement.textContent") == "Show me", "the next stop: what is covered has none"
    reader.keyboard.press("Enter")
    assert reader.evaluate(SEEN) == FIRST
    assert reader.evaluate("document.activeElement.id") == "run"
    reader.keyboard.press("Tab")
    assert reader.evaluate("document.activeElement.textContent") == "38 minutes"
    assert reader.evaluate(BUTTONS) == ["Show me", "Show everything on this page"]


def test_one_press_shows_the_whole_page(veiled, reader):
    opened(reader, veiled)
    reader.evaluate("document.querySelectorAll('.kitchen-veil button')[1].click()")
    assert all(reader.evaluate(SEEN).values())
    assert reader.evaluate(BUTTONS) == []


def test_nothing_is_covered_on_paper_or_where_no_script_runs(veiled, browser):
    context = new_context(browser)
    page = opened(listened(context.new_page()), veiled)
    page.emulate_media(media="print")
    assert all(page.evaluate(SEEN).values())
    assert not page.locator(".kitchen-veil").first.is_visible()
    context.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(veiled.as_uri())
    assert all(page.locator(f"#{name}").is_visible() for name in COVERED)
    context.close()


# --- questions -------------------------------------------------------------------------------------------------------

ASKED = """[...document.querySelectorAll(".kitchen-asks[data-kitchen-question]")].map(form => [form.dataset.kitchenQuestion,
    ["input[type=number]", "input[type=radio]", "td", ".kitchen-commit"].find(first => form.querySelector(first))])"""
LISTENING = """[...document.querySelectorAll(".kitchen-asks[data-kitchen-question]:not(.kitchen-compares)")]
    .every(form => form.kitchen)"""
KEYS = {"input[type=number]": ["7", "Enter"], "input[type=radio]": ["Space"], "td": ["1"], ".kitchen-commit": ["Enter"]}


MINUTES = """[...document.querySelectorAll(".kitchen-asks tr")].map(row =>
    [...row.querySelectorAll("td")].map(cell => cell.getBoundingClientRect().width))"""


def of(kind, key):
    """The element that asks a question, or compares it, as JavaScript."""
    return f"document.querySelector('.kitchen-{kind}[data-kitchen-question=\"{key}\"]')"


def answer(reader, key, first):
    """Answers a question with keys."""
    for field in (first, ".kitchen-commit") if first == "td" else (first,):
        reader.evaluate(f"{of('asks', key)}.querySelector('{field}').focus()")
        for press in KEYS[field]:
            reader.keyboard.press(press)
    assert reader.evaluate(f"'kitchenAnswered' in {of('asks', key)}.dataset"), "the answer is noted"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_question_is_answered_by_keyboard_alone_and_compared(book, reader, name):
    opened(reader, book / f"{name}.html")
    until(reader, lambda: reader.evaluate(LISTENING), "all forms")
    asked = reader.evaluate(ASKED)
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "".join(line for cell in cells if cell["cell_type"] == "code" for line in cell["source"])
    assert len(asked) >= len(re.findall(r"predict\.(?:number|choice|order|drawing)\(", code)) > 2
    assert all(max(row) - min(row) < 2 for row in reader.evaluate(MINUTES) if row), "minutes are equally wide"
    answer_all(reader, asked)
    for key, _ in asked:
        assert reader.evaluate(f"getComputedStyle({of('compares', key)}).visibility") == "visible"
        assert "No prediction" not in reader.evaluate(f"{of('compares', key)}.textContent")
    # Chromium, on a busy computer, now and then gives a page a store of its own, which no other page ever sees (it is asked
    # for the store before it has noted whose page that is). So it may take more than one try: it must come to hold.
    until(reader, lambda: keeps(reader, book / f"{name}.html", asked), "the browser keeps the answers")
    assert reader.problems == []


STORED = "Object.entries(localStorage).filter(([name]) => name.startsWith('kitchen/')).sort()"


def answer_all(reader, asked):
    for key, first in asked:
        answer(reader, key, first)
    assert reader.evaluate(BUTTONS) == [], "nothing is covered any more"


def keeps(reader, path, asked):
    """Whether nothing is covered in the page once it is opened again, and the answers are as they were noted."""
    noted = reader.evaluate(STORED)
    reader.goto(path.as_uri())
    until(reader, lambda: reader.evaluate(LISTENING), "all forms")
    if reader.evaluate(BUTTONS) == []:
        return reader.evaluate(STORED) == noted
    answer_all(reader, asked)
    return False


# --- Firefox: a finger, and forced colours ---------------------------------------------------------------------------


PIECE = """(() => {
    const { kitchen } = document.querySelector("figure.kitchen"), canvas = kitchen.lanes
    canvas.scrollIntoView({ block: "center" })
    const box = canvas.getBoundingClientRect(), row = kitchen.plan.rows.find(({ kind }) => kind === "lane")
    const at = [box.left + kitchen.gutter + 12, box.top + row.y + row.height / 2]
    return [...at.map(Math.round), row.run.lanes[row.lane]]
})()"""


@pytest.mark.slow  # another browser
def test_a_tap_in_firefox_says_what_a_piece_is_and_moves_nothing(book):
    with a_firefox() as page:
        page.set_viewport_size({"width": 390, "height": 844})
        opened(page, book / "01-one-track-mind.html")
        page.evaluate(OPEN)
        x, y, lane = page.evaluate(PIECE)
        before = page.evaluate("document.querySelector('figure.kitchen').kitchen.playhead")
        page.tap(x, y)
        assert lane in page.evaluate(
            "document.querySelector('figure.kitchen .kitchen-tip:not([hidden])')?.textContent ?? ''"
        )
        assert page.evaluate("document.querySelector('figure.kitchen').kitchen.playhead") == before


@pytest.mark.slow  # another browser
def test_where_firefox_forces_colours_a_picture_keeps_what_its_colours_mean(book):
    with a_firefox(**{"browser.display.document_color_use": 2}) as page:
        opened(page, book / "00-start-here.html")
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        page.evaluate(OPEN)
        page.evaluate("document.querySelector('figure.kitchen').scrollIntoView()")
        image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    seen = {colour for _, colour in image.getcolors(image.width * image.height)}
    faces = {state.value: ink.face for state, ink in INKS.items()}
    for name in ("running", "ready", "idling"):
        assert tuple(bytes.fromhex(faces[name][1:])) in seen, name
