"""Notebooks cut into slides: where a slide begins, what is shown of it, and what the command makes."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from kitchen import slides

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def saved(tmp_path):
    """A function: cells in, the file of a notebook with them out."""

    def save(*cells):
        path = tmp_path / "dinner.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return save


def shown(path):
    """The slides of a deck as HTML, one text each."""
    return re.findall(r'<section class="slide".*?</section>', slides.deck(path), re.DOTALL)


def printed(text):
    return new_output("stream", name="stdout", text=text)


def test_a_text_is_cut_before_each_heading():
    text = "one\n\n## two\nmore\n### three\n#### not a slide\n#nor this\n\n# four"
    assert slides.sections(text) == ["one\n", "## two\nmore", "### three\n#### not a slide\n#nor this\n", "# four"]


def test_a_comment_in_a_block_of_code_is_no_heading():
    text = "## one\n```python\n# wash\n```\n# two\n~~~\n# chop\n~~~"
    assert slides.sections(text) == ["## one\n```python\n# wash\n```", "# two\n~~~\n# chop\n~~~"]


def test_blank_lines_before_a_heading_are_no_slide():
    assert slides.sections("\n\n## one") == ["\n\n## one"]
    assert slides.sections("") == [""]


def test_a_slide_begins_at_each_heading_and_after_each_question(saved):
    path = saved(
        new_markdown_cell("# The dinner\n\nThree dishes.\n\n## How long?\n\nAll of it."),
        new_code_cell("ask()", id="predict-dinner"),
        new_code_cell("cook()", outputs=[printed("38 minutes")]),
        new_markdown_cell("That is long.\n\n## Why?"),
    )
    dinner, question, answer, why = shown(path)
    assert "Three dishes." in dinner and "How long?" not in dinner
    assert "All of it." in question and "ask" in question and "38 minutes" not in question
    assert "cook" in answer and "38 minutes" in answer and "That is long." in answer
    assert "Why?" in why


def test_a_folded_source_is_left_out_and_its_output_is_not(saved):
    folded = new_code_cell(
        "the_answer = 38", metadata={"jupyter": {"source_hidden": True}}, outputs=[printed("it is 38")]
    )
    (slide,) = shown(saved(folded))
    assert "the_answer" not in slide and "it is 38" in slide


def test_the_page_is_named_after_the_first_heading_and_text_stays_text(saved):
    page = slides.deck(saved(new_markdown_cell("Hello"), new_markdown_cell("## 1 < 2 & </title><script>alert(1)")))
    assert "<title>1 &lt; 2 &amp; &lt;/title&gt;&lt;script&gt;alert(1)</title>" in page
    assert "<title>dinner</title>" in slides.deck(saved(new_code_cell("1")))


def test_a_link_to_a_notebook_leads_to_its_deck(saved):
    (slide,) = shown(
        saved(new_markdown_cell("[03](03-cooperation.ipynb) [04](04.ipynb#top) [x](https://a.org/b.ipynb)"))
    )
    assert re.findall(r'href="([^"]*)"', slide) == ["03-cooperation.html", "04.html#top", "https://a.org/b.ipynb"]


def test_the_command_makes_a_deck_of_each_notebook_named(saved, tmp_path, capsys):
    slides.main([str(saved(new_markdown_cell("# Dinner"))), "-o", str(tmp_path / "new" / "decks")])
    made = tmp_path / "new" / "decks" / "dinner.html"
    assert capsys.readouterr().out == f"{made}\n"
    assert "<title>Dinner</title>" in made.read_text(encoding="utf-8")


def test_without_names_it_takes_all_notebooks(tmp_path, monkeypatch):
    monkeypatch.setattr(slides, "deck", lambda path: path.name)
    slides.main(["-o", str(tmp_path)])
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == [path.name for path in NOTEBOOKS] != []


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("cook!", "is no notebook"), ("{}", "is no notebook"), ("[]", "is no notebook")],
)
def test_what_is_no_notebook_is_named(content, says, tmp_path, capsys):
    path = tmp_path / "menu.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as refusal:
        slides.main([str(path), "-o", str(tmp_path)])
    assert refusal.value.code == 1
    said = capsys.readouterr().err
    assert "menu.ipynb" in said and says in said


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        slides.main(["-o", str(tmp_path / "file")])
    assert str(tmp_path / "file") in capsys.readouterr().err
