"""``python3 -m kitchen slides``: a deck of slides of each notebook, as one HTML file that plays without a network.

What is in it: the notebook as it was saved, its players and style sheets, and the few lines of script that turn the
slides. A slide begins at each heading (of the first three levels), and after each question, so that nobody reads the
answer before the prediction is made. Sources that the notebook folds are left out.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from html import escape
from os import PathLike
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
HEADING = re.compile(r"#{1,3} ")
FENCE = re.compile(r" {0,3}(```|~~~)")
NOTEBOOK_LINK = re.compile(r'(href="[^":/]+)\.ipynb\b')
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{slides}
</main>
<nav aria-label="Slides">
<button type="button" data-step="-1" aria-label="previous slide">◀</button>
<output></output>
<button type="button" data-step="1" aria-label="next slide">▶</button>
</nav>
<script>
{script}</script>
</body>
</html>
"""


def deck(path: str | PathLike) -> str:
    """The page with the slides of the notebook in this file. Raises OSError or ValueError when it cannot be read."""
    notebook = read(path)
    exporter = HTMLExporter(
        template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True, exclude_anchor_links=True
    )
    slides = []
    for cells in split(notebook.cells):
        part = nbformat.v4.new_notebook(metadata=notebook.metadata, cells=cells)
        body, _ = exporter.from_notebook_node(part)
        slides.append(f'<section class="slide" tabindex="-1">\n{body}\n</section>')
    highlighting = HtmlFormatter(style="default").get_style_defs(".highlight")
    return PAGE.format(
        title=escape(title(notebook) or Path(path).stem),
        style=highlighting + "\n" + (HERE / "slides.css").read_text(encoding="utf-8"),
        slides=NOTEBOOK_LINK.sub(r"\1.html", "\n".join(slides)),
        script=(HERE / "slides.js").read_text(encoding="utf-8"),
    )


def read(path):
    """The notebook in a file."""
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, AttributeError, nbformat.ValidationError) as error:  # AttributeError: JSON, but no object
        raise ValueError(f"{path} is no notebook: {str(error).splitlines()[0]}") from error


def title(notebook) -> str:
    """The first heading; "" where there is none."""
    texts = (section for cell in notebook.cells if cell.cell_type == "markdown" for section in sections(cell.source))
    return next((text.splitlines()[0].lstrip("# ") for text in texts if HEADING.match(text)), "")


def split(cells) -> Iterator[list]:
    """The cells of each slide. A Markdown cell becomes one for each of its sections."""
    slide = []
    for cell in cells:
        for part in parts(cell):
            if slide and (begins(part) or slide[-1].get("id", "").startswith("predict-")):
                yield slide
                slide = []
            slide.append(part)
    if slide:
        yield slide


def begins(cell):
    """Whether a slide begins with this part."""
    return cell.cell_type == "markdown" and HEADING.match(cell.source)


def parts(cell):
    """A cell as it is to be shown: one for each section, or one without its source if that is folded."""
    if cell.cell_type == "markdown":
        return [nbformat.v4.new_markdown_cell(text, metadata=cell.metadata) for text in sections(cell.source)]
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        cell.metadata["transient"] = {"remove_source": True}  # nbconvert's word for it
    return [cell]


def sections(text: str) -> list[str]:
    """A Markdown text, cut before each heading; what looks like one inside a block of code is none."""
    found, fenced = [[]], False
    for line in text.splitlines():
        fenced ^= bool(FENCE.match(line))
        if HEADING.match(line) and not fenced and any(map(str.strip, found[-1])):
            found.append([])
        found[-1].append(line)
    return ["\n".join(lines) for lines in found]


def main(arguments=None):
    """The command line: a deck of each notebook, its file's name printed when it is there."""
    parser = argparse.ArgumentParser(
        prog="python3 -m kitchen slides",
        description="Makes a deck of slides of each notebook, to be opened in a browser.",
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="files (default: all that come with this folder)")
    parser.add_argument("-o", "--output", type=Path, default=Path("slides"), help="a folder (default: %(default)s)")
    asked = parser.parse_args(arguments)
    try:
        asked.output.mkdir(parents=True, exist_ok=True)
        for path in asked.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
            made = asked.output / f"{path.stem}.html"
            made.write_text(deck(path), encoding="utf-8", newline="\n")
            print(made)
    except (OSError, ValueError) as error:
        parser.exit(1, f"slides: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
