"""The instructors' page speaks of sections and cells that are there, with the right minutes."""

import re

import pytest

from tools.notebook_files import ROOT, published, read

PAGE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
NOTEBOOKS = {path.stem: read(path) for path in published()}
# A word in code letters on the page that is no cell: commands, files, names from the code.
SECTION = re.compile(r"## \d+ · (.+\?) \((?:core|extra), (\d+) min\)$", re.M)


def plan(stem):
    """Return the part of the page on one notebook."""
    title = NOTEBOOKS[stem].cells[0].source.removeprefix("# ")
    assert f"## {title}\n" in PAGE, f"no plan for {title}"
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_the_plan_names_every_section_with_its_minutes(stem):
    text = "\n".join(cell.source for cell in NOTEBOOKS[stem].cells)
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", plan(stem), re.M)
    assert [(name, minutes) for minutes, name in rows] == SECTION.findall(text)


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_the_cells_that_it_names_exist(stem):
    ids = {cell.id for cell in NOTEBOOKS[stem].cells}
    named = set(re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", plan(stem)))
    assert named, "a plan points to cells"
    assert named <= ids, f"no such cells: {sorted(named - ids)}"


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_it_says_what_to_cut_what_goes_wrong_and_what_to_ask(stem):
    text = plan(stem)
    assert "**Cut first:**" in text and "**Ask:**" in text
    wrong = text.split("**What a room gets wrong**")[1].split("**Ask:**")[0]
    assert len(re.findall(r"^- \*", wrong, re.M)) >= 2
