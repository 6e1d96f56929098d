"""``python3 -m kitchen book``: what goes into the book. How it reads is tested in a browser."""

import json
import re
import runpy
from pathlib import Path

import pytest

import kitchen
from kitchen import dinner, simulate
from kitchen.commands.book import __main__ as book
from kitchen.views.assets import module

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
ADDRESS = "https://asynchronicity-illustrated.github.io/asynchronicity-illustrated/"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder that Sphinx is given."""
    folder = tmp_path_factory.mktemp("pages")
    book.gather(folder)
    return folder


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_leads_to_its_page_and_the_page_to_the_notebook(pages, path):
    page = f"[Read it in the browser]({ADDRESS}{path.stem}.html)"
    notebook = f"[Run it on Binder]({book.BINDER}{path.name})"
    assert page in source(cells(path, "markdown")[0])
    first = source(cells(pages / path.name, "markdown")[0])
    assert notebook in first
    assert ADDRESS not in first


def test_the_readme_leads_to_the_book_and_binder_is_the_same_for_both():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"({ADDRESS})" in readme
    assert book.BINDER in readme


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_in_the_book_a_notebook_is_as_it_was_committed(pages, path):
    for was, now in zip(cells(path, "code"), cells(pages / path.name, "code"), strict=True):
        assert was["source"] == now["source"]
        assert len(now["outputs"]) == sum(output.get("data") != {} for output in was["outputs"])
        folded = was["metadata"].get("jupyter", {}).get("source_hidden", False)
        assert ("hide-input" in now["metadata"].get("tags", [])) == folded


def test_what_the_outputs_of_a_page_share_is_in_it_once(pages):
    for path in NOTEBOOKS:
        text = (pages / path.name).read_text(encoding="utf-8")
        copies = re.findall(r'atob\(\\"([\w+/=]{5000,})', text)
        assert len(copies) == len(set(copies)), path.name
        assert set(copies) == set(re.findall(r'atob\(\\"([\w+/=]{5000,})', path.read_text(encoding="utf-8")))


PAGE = """<head>
<script src="_static/veil.js"></script><script src="_static/searchtools.js"></script><script src="searchindex.js"></script>
</head>
<div class="output stream highlight-myst-ansi notranslate"><div class="highlight"><pre><span></span>{printed}
</pre></div></div>{output}"""


def test_pages_share_a_script_and_only_the_search_loads_what_it_searches_with(tmp_path):
    (tmp_path / "_static").mkdir()
    for name in ("one", "two", "search"):
        output = "" if name == "search" else simulate.sync(dinner())._repr_mimebundle_()["text/html"]
        (tmp_path / f"{name}.html").write_text(PAGE.format(printed="", output=output), encoding="utf-8")
    book.trim(tmp_path)
    book.share(tmp_path)
    [script] = tmp_path.glob("_static/*.js")
    assert module().splitlines()[-2] in script.read_text(encoding="utf-8")
    for name in ("one", "two"):
        text = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert re.findall('src="(.*?js)"', text) == ["_static/veil.js", f"_static/{script.name}"]
        assert len(text) < 20_000, "nothing is packed in the page"
    text = (tmp_path / "search.html").read_text(encoding="utf-8")
    assert re.findall('src="(.*?js)"', text) == ["_static/veil.js", "_static/searchtools.js", "searchindex.js"]


def test_what_is_printed_in_sentences_may_break_and_columns_stay_columns(tmp_path):
    printed = {
        "sentences": "It took 18 minutes.\n7 switches &lt; 21.",
        "columns": "steak    18 min",
        "text": "a &lt;b&gt;",
    }
    for name, text in printed.items():
        (tmp_path / f"{name}.html").write_text(PAGE.format(printed=text, output=""), encoding="utf-8")
    book.share(tmp_path)
    marked = {path.stem for path in tmp_path.glob("*.html") if "kitchen-sentences" in path.read_text(encoding="utf-8")}
    assert marked == {"sentences", "text"}


def test_the_contents_name_every_page(pages):
    contents = (pages / "index.md").read_text(encoding="utf-8")
    for path in [*pages.glob("*.ipynb"), *pages.glob("*.md")]:
        assert path.stem == "index" or f"<{path.stem}>" in contents


def test_the_reference_has_all_that_the_front_door_hands_out(pages):
    reference = (pages / "reference.md").read_text(encoding="utf-8")
    for name in kitchen.__all__:
        assert re.search(rf"(:: |:: kitchen\.|members:.*|lesson\.)\b{name}\b", reference), name


def test_a_file_in_the_place_of_the_book_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "site").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        book.main([str(tmp_path / "site")])
    assert "site is a file: name a folder" in capsys.readouterr().err
    assert (tmp_path / "site").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("address", ["", "https://hub.example.org"])
def test_a_hub_of_ones_own_gets_a_button(monkeypatch, tmp_path, address):
    monkeypatch.setattr(book, "build", lambda pages, folder, hub: monkeypatch.setenv("JUPYTERHUB", hub) or 0)
    assert book.main([str(tmp_path), "--jupyterhub", address]) == 0
    settings = runpy.run_path(str(book.HERE / "conf.py"))
    assert settings["html_theme_options"]["launch_buttons"]["jupyterhub_url"] == address
