"""How Sphinx makes the book. What it would fetch from elsewhere when a page is read is off: a page needs no network."""

import os
from typing import Any

project = "Asynchronicity Illustrated"
html_title = project
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_book_theme"]
root_doc = "index"
exclude_patterns = [".*"]

# Notebooks: as they were committed.
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # a saved notebook keeps no widgets, and their script would come from elsewhere
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# The library, from its docstrings.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

# Pages
html_theme = "sphinx_book_theme"
html_context = {"default_mode": "auto"}  # light or dark as the reader's system is, until she says otherwise
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]}  # home is in the contents
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = ["veil.js"]
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_show_sourcelink = False
html_show_search_summary = False  # for it the search reads pages as files, which a page from a file may not
html_theme_options = {
    "navbar_persistent": [],  # the search is in the side bar
    "repository_url": "https://github.com/asynchronicity-illustrated/asynchronicity-illustrated",
    "repository_branch": "HEAD",
    "path_to_docs": "notebooks",
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "launch_buttons": {
        "binderhub_url": "https://mybinder.org",
        "jupyterhub_url": os.environ.get("JUPYTERHUB", ""),  # book --jupyterhub
        "notebook_interface": "jupyterlab",
    },
    "home_page_in_toc": True,
    "footer_content_items": [],
    "show_toc_level": 2,
}


def setup(app: Any) -> None:
    """Sphinx calls this: what else is done, and when."""
    app.connect("autodoc-process-docstring", keep_columns)
    app.connect("html-page-context", offer_printing, priority=600)  # after the theme's own buttons


def keep_columns(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Lines that are indented in a docstring stand in columns: they are shown as they are."""
    for at in range(len(lines) - 1, 0, -1):
        if lines[at].startswith("    ") and not lines[at - 1].strip():
            lines[at:at] = ["::", ""]


def offer_printing(app: Any, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    """A button of its own: the theme's comes with one that downloads the source."""
    button = {"type": "javascript", "javascript": "window.print()", "icon": "fas fa-print", "label": "print-button"}
    context["header_buttons"].append(button | {"tooltip": "Print this page", "text": ""})
