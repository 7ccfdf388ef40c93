"""Write the tables of notebooks in README.md and notebook 00, from the notebooks' cards.

`course.py refresh` does it. A planned notebook stands in tools/settings.py until it is there.
"""

import re

from tools.notebooks.files import NOTEBOOKS, published, read, write
from tools.settings import PLANNED, ROOT

README = ROOT / "README.md"
MAP = NOTEBOOKS / "00_start_here.ipynb", "map"  # the notebook and its cell
HEAD = "| No. | Question | Minutes (core / all) |\n|---|---|---|\n"
TABLE = re.compile(r"^\| No\. \|.*(?:\n\|.*)*", re.M)


def question_and_minutes(notebook):
    """Return a notebook's question and its minutes, "60 / 110" or "10", from title and card."""
    title, card = (cell.source for cell in notebook.cells[:2])
    return title.partition(" · ")[2], " / ".join(re.findall(r"\d+", card.partition("·")[0]))


def table(folder):
    """Return the table of all notebooks, with links to those that are there, in `folder`."""
    rows = {
        number: (f"{question} *(in preparation)*", minutes)
        for number, (question, minutes) in PLANNED.items()
    }
    for path in published():
        question, minutes = question_and_minutes(read(path))
        rows[path.name[:2]] = f"[{question}]({folder}{path.name})", minutes
    lines = (f"| {number} | {' | '.join(rows[number])} |" for number in sorted(rows))
    return HEAD + "\n".join(lines)


def with_table(text, folder=""):
    """Return a text with its table of notebooks as the cards say it now.

    `folder` leads from the text to the notebooks, "notebooks/" or nothing.

    Raises:
        ValueError: the text has no such table.
    """
    if not TABLE.search(text):
        raise ValueError(f"There is no table here that begins with {HEAD.splitlines()[0]}")
    return TABLE.sub(lambda old: table(folder), text, count=1)


def write_tables():
    """Write the tables where they changed. Return the names of the changed files."""
    changed = []
    text = README.read_text(encoding="utf-8")
    fresh = with_table(text, "notebooks/")
    if fresh != text:
        README.write_text(fresh, encoding="utf-8", newline="\n")
        changed.append(README.name)
    path, name = MAP
    notebook = read(path)
    cell = next(cell for cell in notebook.cells if cell.id == name)
    cell.source = with_table(cell.source)
    if write(notebook, path):
        changed.append(path.name)
    return changed
