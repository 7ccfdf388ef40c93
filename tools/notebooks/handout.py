"""Build handouts: what a notebook asks, with empty cells in the place of all that it says.

    python3 course.py handout [NN ...]

The copies go to build/handout/, to recall a notebook with the book closed: headings, questions to
predict, tasks, and an empty cell for every cell of code that a reader would write. The set-up cell
and the stubs of exercises stay, so that checks work.
"""

import argparse
import re
import sys

import nbformat

from tools.notebooks.files import (
    METADATA,
    is_exercise,
    published,
    question_of,
    read,
    tags,
    write,
)
from tools.settings import BUILD

TARGET = BUILD / "handout"
HEADING = re.compile(r"#+ .+")
EXERCISE = "### Exercise: "


def handout(notebook):
    """Return the recall copy of a notebook."""
    kept = [shortened(cell) for cell in notebook.cells]
    return nbformat.v4.new_notebook(cells=[cell for cell in kept if cell], metadata=METADATA)


def shortened(cell):
    """Return what is left of a cell, None if that is nothing."""
    if cell.cell_type == "code":
        if "slide-hide-code" in tags(cell):
            return None  # it calls a plot of the course, which nobody has to recall
        source = cell.source if cell.id == "setup" or is_exercise(cell) else ""
        return nbformat.v4.new_code_cell(source, id=cell.id)
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


def main(arguments=None):
    """Build the handouts asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="course.py handout", description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", help="which notebooks, for example 01 (default: all)")
    for path in published(parser.parse_args(arguments).numbers):
        target = TARGET / path.name
        write(handout(read(path)), target)
        print(target.relative_to(BUILD.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
