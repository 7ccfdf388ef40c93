"""Number the questions of each notebook, and name steps in TEACHING.md by what everybody sees.

`course.py refresh` does it. TEACHING.md points to cells by links: their targets name the cells, and
their texts are made here from where the cells stand. Written as a bare id in backquotes, within the
plan of its notebook, a mention becomes such a link.
"""

import itertools
import re

from tools.notebooks.files import published, read, write
from tools.settings import ROOT

TEACHING = ROOT / "TEACHING.md"
QUESTION = re.compile(r"\*\*Predict(?: (\d+))?\.\*\*")
HEADING = re.compile(r"##+ (?:(\d+) · )?(.+?)(?: \([^()]*min\))?$", re.M)
PLAN = re.compile(r"^## (\d\d) · .+?(?=^## |\Z)", re.M | re.S)
LINK = re.compile(r"\[([^]]*)\]\(notebooks/([^()#\s]+)\.ipynb#([^()\s]+)\)")
BARE = re.compile(r"(?<!\[)`([a-z]+(?:-[a-z0-9]+)*)`")


def number_questions(notebook):
    """Number the questions of a notebook 1, 2, 3, ... in place."""
    count = itertools.count(1)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = QUESTION.sub(lambda old: f"**Predict {next(count)}.**", cell.source)


def step_names(notebook):
    """Return {id of a cell: the step it belongs to, in words that stand on the page}.

    That is "Predict 7" from a numbered question to the next one or the next heading; without a
    question "section 2", "the capstone", 'the exercise "..."' or what else the heading says.
    """
    names, name = {}, "the beginning"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = HEADING.match(cell.source)
            if heading:
                name = place_named(*heading.groups())
            for question in QUESTION.finditer(cell.source):
                name = f"Predict {question[1]}"
        names[cell.id] = name
    return names


def place_named(number, words):
    """Return what a sentence calls the place under a heading: its number or None, its words."""
    if number:
        return f"section {number}"
    kind, _, rest = words.partition(": ")
    return {"Capstone": "the capstone", "Exercise": f'the exercise "{rest}"'}.get(kind, words)


def with_names(page, notebooks):
    """Return the text of TEACHING.md with a link for each mention of a cell, named by its step.

    A link to a cell that is not there stays as it is.

    Args:
        page: the text.
        notebooks: {name of a notebook's file, without its ending: the notebook}.
    """
    names = {stem: step_names(notebook) for stem, notebook in notebooks.items()}

    def link(stem, cell):
        return f"[{names[stem][cell]}](notebooks/{stem}.ipynb#{cell})"

    def linked_plan(plan):
        stem = next((stem for stem in names if stem.startswith(f"{plan[1]}_")), None)
        known = names.get(stem, {})
        return BARE.sub(lambda old: link(stem, old[1]) if old[1] in known else old[0], plan[0])

    page = PLAN.sub(linked_plan, page)
    return LINK.sub(
        lambda old: link(old[2], old[3]) if old[3] in names.get(old[2], {}) else old[0], page
    )


def write_steps():
    """Write numbers and names where they changed. Return the names of the changed files."""
    changed, notebooks = [], {}
    for path in published():
        notebook = notebooks[path.stem] = read(path)
        number_questions(notebook)
        if write(notebook, path):
            changed.append(path.name)
    text = TEACHING.read_text(encoding="utf-8")
    fresh = with_names(text, notebooks)
    if fresh != text:
        TEACHING.write_text(fresh, encoding="utf-8", newline="\n")
        changed.append(TEACHING.name)
    return changed
