"""A notebook as it comes: in JupyterLab the results that tell an answer are folded, until their cells are run."""

import nbformat
from conftest import Notebook

CELLS = {"guess = 38": None, "print('it takes', guess)": "it takes 38\n", "print('the end')": "the end\n"}


def test_folded_results_are_shown_once_their_cells_are_run(page, server):
    book = Notebook(page, server, "first-look.ipynb")
    book.write(*CELLS)
    saved = nbformat.read(book.file, as_version=4)
    for cell, text in zip(saved.cells, CELLS.values(), strict=True):
        if text:
            empty = nbformat.v4.new_output("display_data")  # as tests/scripts/run_notebooks.py puts it there
            cell.outputs = [empty, nbformat.v4.new_output("stream", text=text)]
            cell.metadata["jupyter"] = {"outputs_hidden": True}
    nbformat.write(saved, book.file)
    book.open()
    told = [page.get_by_text(text.strip(), exact=True) for text in filter(None, CELLS.values())]
    assert not any(each.is_visible() for each in told)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    for each in told:
        each.wait_for(state="visible")
    book.close()
