"""The instructors' page speaks of sections and cells that are there, with the right minutes."""

import re

import pytest

from tools.notebooks.files import published, read
from tools.notebooks.steps import BARE, LINK, TEACHING
from tools.present.teaching import SECTION, cells_in, notes_for, plan_for, spoken

NOTEBOOKS = {path.stem: read(path) for path in published()}


def plan_of(stem):
    """Return the page's plan of a notebook."""
    return plan_for(NOTEBOOKS[stem].cells[0].source.removeprefix("# "))


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_the_plan_names_every_section_with_its_minutes(stem):
    text = "\n".join(cell.source for cell in NOTEBOOKS[stem].cells)
    expected = [(int(minutes), name) for name, _, minutes in SECTION.findall(text)]
    assert [(minutes, name) for minutes, name, _ in plan_of(stem).sections] == expected


def test_there_is_a_plan_for_no_other_notebook():
    titles = re.findall(r"^## (\d\d · .+)$", TEACHING.read_text(encoding="utf-8"), re.M)
    assert titles == [book.cells[0].source.removeprefix("# ") for book in NOTEBOOKS.values()]


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_the_cells_that_it_names_exist(stem):
    plan = plan_of(stem)
    texts = [plan.cut, *plan.wrong, *plan.ask, *(activity for _, _, activity in plan.sections)]
    links = {link for text in texts for link in LINK.findall(text)}
    assert links, "a plan points to cells"
    assert {notebook for _, notebook, _ in links} == {stem}
    ids = {cell.id for cell in NOTEBOOKS[stem].cells}
    named = {cell for _, _, cell in links}
    # What looks like an id and is no link yet: `course.py refresh` makes one, if there is a cell.
    named |= {word for text in texts for word in BARE.findall(text) if "-" in word}
    assert named <= ids, f"no such cells: {sorted(named - ids)}"


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_it_says_what_to_cut_what_goes_wrong_and_what_to_ask_each_at_a_cell(stem):
    plan = plan_of(stem)
    assert plan.cut and len(plan.wrong) >= 2 and plan.ask
    for remark in plan.wrong + plan.ask:
        assert re.match(r"\*[^*]+[.?]\* \S", remark), f"a thought and what to say to it: {remark}"
        assert cells_in(remark), f"names no cell: {remark}"


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_the_slides_get_every_word_of_it_as_notes(stem):
    notes = notes_for(NOTEBOOKS[stem])
    plan = plan_of(stem)
    for remark in plan.wrong + plan.ask:
        assert spoken(remark) in notes[cells_in(remark)[0]]
    text = "\n".join(notes.values())
    assert "](" not in text, "nobody can follow a link that is spoken"
    assert spoken(plan.cut) in notes["title"]
    for minutes, _, activity in plan.sections:
        assert f"**{minutes} minutes.** {spoken(activity)}" in text
