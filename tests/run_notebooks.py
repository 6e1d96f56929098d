"""Runs notebooks from top to bottom and saves them as they are committed: all of them, or those named.

    .venv/bin/python tests/run_notebooks.py notebooks/00-start-here.ipynb

With their outputs, without times of running, and without widgets: these live in a kernel only, and without one a reader
would see an error in their place. What is left of them is the text that stands for them. The source of cells that would give
an answer away, or that nobody need read, is folded: those whose id begins with "compare-", and those with the tag "fold".
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(paths):
    for path in paths or sorted(ROOT.glob("notebooks/*.ipynb")):
        print(path)
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=600,
            store_widget_state=False,
            record_timing=False,
            resources={"metadata": {"path": str(ROOT / "notebooks")}},
        )
        client.execute()
        notebook.metadata.get("language_info", {}).pop("version", None)  # says nothing that a reader needs
        for cell in notebook.cells:
            if cell.cell_type == "code" and (cell.id.startswith("compare-") or "fold" in cell.metadata.get("tags", [])):
                cell.metadata.jupyter = {"source_hidden": True}
            for output in cell.get("outputs", []):
                output.get("data", {}).pop(WIDGET, None)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
