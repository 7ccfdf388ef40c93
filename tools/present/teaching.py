"""Read the instructors' page: what it says on each notebook, as notes for the slides.

TEACHING.md is the only source. A plan is a part under the notebook's title, with a table of
sections, what to cut first, what a room gets wrong and what to ask; a remark belongs to the first
cell that it links to (tools/notebooks/steps.py).
"""

import re
from dataclasses import dataclass

from tools.notebooks.steps import LINK, TEACHING

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.M)
SECTION = re.compile(r"## (?:\d+ · )?(.+\?) \((core|extra), (\d+) min\)$", re.M)
CUT, WRONG, ASK = "**Cut first:**", "**What a room gets wrong**", "**Ask**"


@dataclass(frozen=True)
class Plan:
    """What the page says on one notebook.

    sections: (minutes, name, activity) of each; cut: what to leave out first, one text;
    wrong, ask: remarks, each a text in Markdown.
    """

    sections: list
    cut: str
    wrong: list
    ask: list


def plan_for(title):
    """Return the Plan of the notebook with this title, None if the page has none.

    Raises:
        ValueError: the plan lacks one of its parts; the message names it.
    """
    page = TEACHING.read_text(encoding="utf-8")
    if f"## {title}\n" not in page:
        return None
    text = page.split(f"## {title}\n")[1].split("\n## ")[0]
    for part in (CUT, WRONG, ASK):
        if part not in text:
            raise ValueError(f"TEACHING.md: the plan of {title} lacks {part}")
    table, rest = text.split(CUT)
    cut, rest = rest.split(WRONG)
    wrong, ask = rest.split(ASK)
    return Plan(
        [(int(minutes), name, activity) for minutes, name, activity in ROW.findall(table)],
        joined(cut),
        remarks(wrong),
        remarks(ask),
    )


def remarks(text):
    """Return the points of a list, each as one line."""
    return [joined(point) for point in re.split(r"^- ", text, flags=re.M)[1:]]


def joined(text):
    """Return a text as one line."""
    return " ".join(text.split())


def cells_in(text):
    """Return the ids of the cells that a text links to."""
    return [cell for _, _, cell in LINK.findall(text)]


def spoken(text):
    """Return a text with the names of steps in the place of the links to them."""
    return LINK.sub(r"\1", text)


def notes_for(notebook):
    """Return {cell's id: what the speaker is to know there, in Markdown} for a notebook."""
    title = notebook.cells[0].source.removeprefix("# ")
    plan = plan_for(title)
    if plan is None:
        return {}
    notes = {notebook.cells[0].id: [f"**Cut first:** {plan.cut}"]}
    activities = {name: (minutes, activity) for minutes, name, activity in plan.sections}
    for cell in notebook.cells:
        heading = SECTION.match(cell.source)
        if heading and heading[1] in activities:
            minutes, activity = activities[heading[1]]
            notes.setdefault(cell.id, []).append(f"**{minutes} minutes.** {activity}")
    for label, texts in [("A room may think", plan.wrong), ("Ask", plan.ask)]:
        for text in texts:
            for name in cells_in(text)[:1]:
                notes.setdefault(name, []).append(f"**{label}:** {text}")
    return {name: spoken("\n\n".join(parts)) for name, parts in notes.items()}
