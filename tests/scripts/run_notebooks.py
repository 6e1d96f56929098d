"""Runs notebooks from top to bottom and saves them as they are committed: all of them, or those named.

    .venv/bin/python tests/scripts/run_notebooks.py notebooks/00-start-here.ipynb

With their outputs, without times of running, and without widgets: these live in a kernel only, and without one a reader
would see an error in their place. The page's module stands in the first output that has it, and the others share it: it
would be most of the notebook. The source of cells that would give an answer away, or that nobody need read, is folded:
those whose id begins with "compare-", and those with the tag "fold". The outputs that would give an answer away are folded,
too: from a question to the next headline. JupyterLab unfolds them when their cell is run; GitHub shows them, and the book
covers them.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIDGET = "application/vnd.jupyter.widget-view+json"


def telling(cells):
    """The cells whose outputs tell an answer: those that come after a question, up to the next headline."""
    asked, found = False, []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            asked = asked and not re.search(
                "^#+ ", re.sub(r"```.*?```", "", source, flags=re.DOTALL), flags=re.MULTILINE
            )
        elif re.search(r"\bpredict\.(number|choice|order|drawing)\(", source):
            asked = True  # whoever asks tells nothing
        elif asked and cell["outputs"]:
            found.append(cell)
    return found


def main(paths):
    import nbformat  # here, since a test that only wants the rule above reads this module, too
    from nbclient import NotebookClient

    from kitchen.views.assets import once

    os.environ["KITCHEN_STRICT"] = "1"
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
        had = set()
        for cell in notebook.cells:
            if cell.cell_type == "code" and (cell.id.startswith("compare-") or "fold" in cell.metadata.get("tags", [])):
                cell.metadata.jupyter = {"source_hidden": True}
        for cell in telling(notebook.cells):
            cell.metadata.setdefault("jupyter", {})["outputs_hidden"] = True
            cell.outputs.insert(0, nbformat.v4.new_output("display_data"))  # of the first one JupyterLab shows a line
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                data.pop(WIDGET, None)
                if "text/html" in data:
                    data["text/html"] = once(data["text/html"], had)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
