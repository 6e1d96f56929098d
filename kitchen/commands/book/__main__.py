"""Makes the book: gathers its pages in a folder, and has Sphinx make a site of them. No notebook is run.

In the folder are the notebooks and the two pages beside them, as they are but for one link: where a notebook leads to its
page, the page leads to the notebook on Binder.
"""

import argparse
import json
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from kitchen.lesson.exercise import BINDER
from kitchen.views.assets import apart, once

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PRINTED = r'(<div class="output stream[^"]*)("[^>]*><div class="highlight"><pre><span></span>'
SENTENCES = re.compile(PRINTED + "(?:(?!  |<)[^<])*</pre>)")  # without columns: it may break where a line is full


def main(argv: list[str] | None = None) -> int:
    """The command line; returns Sphinx's exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m kitchen book", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=ROOT / "book", help="where to; default: book"
    )
    parser.add_argument(
        "--jupyterhub", metavar="URL", default="", help="a Hub of yours: pages get a button that opens them there"
    )
    asked = parser.parse_args(argv)
    if asked.folder.exists() and not asked.folder.is_dir():
        parser.error(f"{asked.folder} is a file: name a folder")
    with TemporaryDirectory(prefix="kitchen-book-") as pages:
        gather(Path(pages))
        failed = build(Path(pages), asked.folder, asked.jupyterhub)
    if not failed:
        print(f"The book: {asked.folder.resolve() / 'index.html'}")
    return failed


def gather(pages: Path) -> None:
    """Everything that becomes a page, in one folder."""
    for path in [*HERE.glob("*.md"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("notebooks/*.png")]:
        shutil.copy(path, pages)
    for path in ROOT.glob("notebooks/*.ipynb"):
        notebook, packed = json.loads(path.read_text(encoding="utf-8")), set()
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                lead_to_binder(cell, path.name)
            else:
                suit(cell, packed)
        (pages / path.name).write_text(json.dumps(notebook), encoding="utf-8")


def lead_to_binder(cell: dict, name: str) -> None:
    """In place of the link to this very page, one from the page to its notebook."""
    text = "".join(cell["source"])
    cell["source"] = re.sub(r"\[Read it in the browser\]\(.*?\)", f"[Run it on Binder]({BINDER}{name})", text)


def suit(cell: dict, packed: set[str]) -> None:
    """Folds a cell as JupyterLab folds it. A page holds once what its outputs share."""
    if cell["metadata"].get("jupyter", {}).get("source_hidden"):
        cell["metadata"].setdefault("tags", []).append("hide-input")
    cell["outputs"] = [output for output in cell["outputs"] if output.get("data") != {}]  # shows nothing anywhere
    for output in cell["outputs"]:
        data = output.get("data", {})
        if "text/html" in data:
            data["text/html"] = once("".join(data["text/html"]), packed)


def build(pages: Path, folder: Path, jupyterhub: str) -> int:
    """Has Sphinx make the site; a warning is a failure. Returns its exit code."""
    from sphinx.cmd.build import main as sphinx  # here, since only the book needs it

    options = ["-q", "-W", "--keep-going", "-E", "-j", "auto", "-c", str(HERE), "-d", str(pages / ".doctrees")]
    os.environ["JUPYTERHUB"] = jupyterhub  # conf.py reads it
    failed = sphinx([*options, str(pages), str(folder)])
    if not failed:
        trim(folder)
        share(folder)
    return failed


def trim(folder: Path) -> None:
    """Takes away what the theme brings and a page does not use: icons drawn a second time, the search where one reads."""
    for page in folder.glob("*.html"):
        unused = "fontawesome" if page.stem == "search" else "fontawesome|searchtools|language_data|searchindex"
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(rf"<script[^>]*\b({unused})\.js[^>]*></script>", "", text), encoding="utf-8")
    for path in [*folder.glob("_static/**/*.map"), *folder.glob("_static/**/fontawesome.js")]:
        path.unlink()
    shutil.rmtree(folder / "_static" / "locales", ignore_errors=True)


def share(folder: Path) -> None:
    """Puts what the outputs of the pages share into a file beside them, and marks what is printed in sentences."""
    for page in folder.glob("*.html"):
        text, scripts = apart(SENTENCES.sub(r"\1 kitchen-sentences\2", page.read_text(encoding="utf-8")))
        for name, script in scripts.items():
            (folder / "_static" / f"{name}.js").write_text(script, encoding="utf-8")
            text = text.replace("</head>", f'<script async src="_static/{name}.js"></script>\n</head>', 1)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
