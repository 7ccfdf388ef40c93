"""Sphinx's settings for the course's pages, which `tools/present/site.py` assembles and builds."""

import hashlib
import re
from pathlib import Path

from docutils import nodes
from sphinx.util import logging

from tools.notebooks.files import code_cells, pictures_of, read
from tools.present.frames import OWN_FILES
from tools.present.site import step_link
from tools.settings import ROOT

MINUTES = re.compile(r" \(([^()]*min)\)$")
SIDE_BY_SIDE = re.compile(r"\s*(?:\\q?quad\s*)+")

# The title is the start page's.
project = html_title = (ROOT / "README.md").read_text("utf-8").partition("\n")[0].strip("# ")
language = "en"
extensions = ["myst_nb"]
highlight_language = "text"
smartquotes = False  # the words as they were written

# -- Markdown: what GitHub and JupyterLab show, and no syntax beyond -----------------------------
myst_enable_extensions = ["dollarmath"]
myst_disable_syntax = ["myst_block_break", "myst_line_comment", "myst_role", "myst_target"]
myst_heading_anchors = 3

# -- Notebooks: the stored outputs, nothing is run -----------------------------------------------
nb_execution_mode = "off"
nb_ipywidgets_js = {}

# -- Mathematics: the MathJax that the slides load too -------------------------------------------
mathjax_path = "mathjax/tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}}  # a menu makes each formula a tab stop

# -- Pages: nothing from outside, nothing that leads to a repository -----------------------------
html_theme = "sphinx_book_theme"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": [],  # the search field stands at the side already
    "footer_content_items": [],
    "home_page_in_toc": True,
    "pygments_dark_style": "github-dark",
    "use_fullscreen_button": False,
}
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]}
html_static_path = ["static", *map(str, OWN_FILES)]
html_css_files = ["live.css", "site.css"]
html_js_files = ["site.js", ("live.js", {"defer": "defer"})]
html_use_index = False
html_show_copyright = False
html_show_sphinx = False

logger = logging.getLogger(__name__)


def describe_pictures(app, doctree):
    """Give each picture of a notebook its alternative, and complain of a picture without one.

    The reader of notebooks names the file of a picture by the hash of its content, and leaves out
    the alternative that stands in the output's metadata.
    """
    path = Path(app.env.doc2path(app.env.current_document.docname))
    stored = alternatives(read(path)) if path.suffix == ".ipynb" else {}
    for picture in doctree.findall(nodes.image):
        waiting = stored.get(Path(picture["uri"]).stem)
        alternative = waiting.pop(0) if waiting else picture.get("alt")
        if alternative:
            picture["alt"] = alternative
        else:
            line = next(filter(None, (node.line for node in upwards(picture))), None)
            place = (app.env.current_document.docname, line)
            logger.warning("a picture has no alternative", location=place)


def upwards(node):
    """Give a node and all around it: those inside a line of text do not know where they stand."""
    while node:
        yield node
        node = node.parent


def alternatives(notebook):
    """Return {sha256 of a picture: its alternatives, in the notebook's order} of its outputs.

    The same picture may stand there twice, as where a slider begins with the figure above it.
    """
    found = {}
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for png in pictures_of([output]):
                alternative = output.metadata.get("image/png", {}).get("alt")
                found.setdefault(hashlib.sha256(png).hexdigest(), []).append(alternative)
    return found


def anchor_cells(app, doctree):
    """Give the headings and the code of a notebook the ids of their cells, code also a link to it.

    Links from other pages may lead to every cell.
    """
    name = app.env.current_document.docname
    path = Path(app.env.doc2path(name))
    if path.suffix != ".ipynb":
        return
    notebook = read(path)
    for section in doctree.findall(nodes.section):
        # The reader of notebooks counts 10000 lines for each cell.
        cell = notebook.cells[section.line // 10000 - 1]
        section["ids"] = list(dict.fromkeys([cell.id, *section["ids"]]))
    shown = [node for node in doctree.findall(nodes.container) if is_code(node)]
    for node, cell in zip(shown, code_cells(notebook), strict=True):
        node["ids"].append(cell.id)
        node += nodes.raw("", step_link(cell.id), format="html")
    known = {cell.id: (0, cell.id, cell.id) for cell in notebook.cells}
    app.env.metadata[name].setdefault("myst_slugs", {}).update(known)


def is_code(node):
    """Return whether a node is a cell of code with its outputs."""
    return node.get("nb_element") == "cell_code"


def shrink_minutes(app, doctree):
    """Set the minutes at the end of a heading in small letters, as on the slides."""
    for title in doctree.findall(nodes.title):
        last = title.children[-1]
        found = MINUTES.search(last) if isinstance(last, nodes.Text) else None
        if found:
            minutes = nodes.inline("", found[1], classes=["minutes"])
            title.replace(last, [nodes.Text(last[: found.start() + 1]), minutes])


def part_formulas(app, doctree):
    """Part formulas that stand side by side, so that on a phone one stands below the other."""
    for formula in list(doctree.findall(nodes.math_block)):
        parts = SIDE_BY_SIDE.split(formula.astext())
        if len(parts) > 1 and all(is_whole(part) for part in parts):
            row = nodes.container(classes=["formulas"])
            for part in parts:
                row += formula.copy()
                row[-1] += nodes.Text(part)
            formula.replace_self(row)


def is_whole(formula):
    """Return whether a formula can stand alone: all that it opens, it closes."""
    pairs = [("{", "}"), (r"\begin", r"\end"), (r"\left", r"\right")]
    return all(formula.count(opens) == formula.count(closes) for opens, closes in pairs)


def setup(app):
    """Connect the changes above to the moment when a page has been read."""
    # Before the contents are collected from the headings.
    app.connect("doctree-read", describe_pictures, priority=100)
    app.connect("doctree-read", anchor_cells, priority=100)
    app.connect("doctree-read", shrink_minutes, priority=100)
    app.connect("doctree-read", part_formulas, priority=100)
