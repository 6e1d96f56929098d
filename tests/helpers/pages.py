"""Notebooks as pages of their own: run, and made into HTML."""

import re

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from kitchen.views.assets import once


def exported(folder, *cells):
    """Cells with these sources, run in a kernel of their own, as the page that nbconvert makes of them: its path.

    As in the committed notebooks, only the first output has the page's module.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, store_widget_state=False).execute()
    had = set()
    for output in (output for cell in notebook.cells for output in cell.outputs):
        assert output.output_type != "error", output
        if "text/html" in output.get("data", {}):
            output.data["text/html"] = once(output.data["text/html"], had)
    exporter = HTMLExporter(embed_images=True)
    html, _ = exporter.from_notebook_node(notebook)
    path = folder / "page.html"
    path.write_text(without_the_net(html), encoding="utf-8")
    return path


def without_the_net(html):
    """nbconvert's page without the scripts that it would get from the internet."""
    return re.sub(r'<script[^>]* src="https?://[^"]*"[^>]*>\s*</script>', "", html)
