"""Build handouts: what a notebook asks, with cues in the place of all that it says.

    python3 course.py handout [NN ...]

The copies go to build/handout/, to recall a notebook with the book closed: headings, questions to
predict, tasks, and a cell for every cell of code that a reader would write, with its imports, its
data and a cue for everything else. Beside each copy lies a page to print, with room to write. The
set-up cell and the stubs of exercises stay, so that checks work.
"""

import argparse
import html
import re
import sys
from pathlib import Path

import nbformat
from nbconvert.filters import markdown2html

from tools.notebooks.cues import Cues
from tools.notebooks.files import METADATA, is_exercise, published, question_of, read, tags, write
from tools.present import libraries
from tools.settings import BUILD, LAUNCHER
from tools.setup.console import guarded

TARGET = BUILD / "handout"
STYLE = Path(__file__).with_name("handout.css")
HEADING = re.compile(r"#+ .+")
EXERCISE = "### Exercise: "
# Cells of the course itself, by id or tag: they stay, and on paper they would do nothing.
NOT_RECALLED = {"setup", "progress"}
LINES = '<p class="line"></p>' * 3  # to write on
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
<script>MathJax = {{ tex: {{ inlineMath: [["$", "$"]] }} }};</script>
<script src="assets/mathjax/tex-svg-full.js" async></script>
</head>
<body>
<p class="name">Name:</p>
<main>
{body}
</main>
</body>
</html>
"""


def handout(notebook):
    """Return the recall copy of a notebook."""
    cues = Cues()
    kept = [shortened(cell, cues) for cell in notebook.cells]
    return nbformat.v4.new_notebook(cells=[cell for cell in kept if cell], metadata=METADATA)


def shortened(cell, cues):
    """Return what is left of a cell, None if that is nothing."""
    if cell.cell_type == "code":
        if "slide-hide-code" in tags(cell):
            return None  # it calls a plot of the course, which nobody has to recall
        whole = NOT_RECALLED & {cell.id, *tags(cell)} or is_exercise(cell)
        return nbformat.v4.new_code_cell(cell.source if whole else cues.of(cell.source), id=cell.id)
    if cell.cell_type != "markdown":
        return None
    source = asked(cell.source)
    return nbformat.v4.new_markdown_cell(source, id=cell.id) if source else None


def asked(source):
    """Return what a text asks: a task as a whole, else its heading and its question."""
    if source.startswith(EXERCISE):
        return source
    heading = HEADING.match(source)
    parts = [heading[0] if heading else "", question_of(source)]
    return "\n\n".join(part for part in parts if part)


def page(notebook, recall):
    """Return a handout as a page to print.

    Args:
        notebook: what it was made from, whose cells say how much room an answer takes.
        recall: as `handout` returns it.
    """
    lines = {cell.id: len(cell.source.splitlines()) for cell in notebook.cells}
    unprinted = {cell.id for cell in notebook.cells if NOT_RECALLED & {cell.id, *tags(cell)}}
    parts = []
    for cell in recall.cells:
        if cell.id in unprinted:
            continue
        if cell.cell_type == "code":
            room = lines[cell.id] - len(cell.source.splitlines()) if not is_exercise(cell) else 5
            code = html.escape(cell.source)
            parts.append(f'<pre style="--room: {max(room, 1)}"><code>{code}</code></pre>')
        else:
            asks = question_of(cell.source) and not cell.source.startswith(EXERCISE)
            words = markdown2html(cell.source)
            parts.append(f'<div class="question">{words}{LINES}</div>' if asks else words)
    title = html.escape(HEADING.match(notebook.cells[0].source)[0].removeprefix("# "))
    style = STYLE.read_text(encoding="utf-8")
    return PAGE.format(title=title, style=style, body="\n".join(parts))


def main(arguments=None):
    """Build the handouts asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} handout", description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", help="which notebooks, for example 01 (default: all)")
    paths = published(parser.parse_args(arguments).numbers)
    libraries.lay("mathjax", TARGET / "assets")
    for path in paths:
        notebook, target = read(path), TARGET / path.name
        recall = handout(notebook)
        write(recall, target)
        printed = target.with_suffix(".html")
        printed.write_text(page(notebook, recall), encoding="utf-8", newline="\n")
        print(target.relative_to(BUILD.parent), "and", printed.relative_to(BUILD.parent))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
