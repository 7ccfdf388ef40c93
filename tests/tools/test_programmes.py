"""The programmes in TEACHING.md: every row and every sum adds up from the notebooks' headings."""

import re

import pytest

from tools.notebooks.files import published, read
from tools.settings import ROOT

PAGE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
PROGRAMMES = PAGE.split("## Programmes\n")[1].split("\n## ")[0]
HEADING = re.compile(r"^##+ (?:(\d+) · )?(.+?) \([^()]*?(\d+) min\)$", re.M)
# *an exercise*, 3 to 5, 3, 3 · its name?, capstone
ITEM = re.compile(r"\*([^*]+)\*|(\d+) to (\d+)|(\d+)(?: · ([^;|]+\?))?|(capstone)")


def minutes_of_headings():
    """Return {(number of a notebook, "3" or "capstone" or an exercise): (minutes, name)}."""
    found = {}
    for path in published():
        for cell in read(path).cells:
            for number, name, minutes in HEADING.findall(cell.source):
                capstone = "capstone" if name.startswith("Capstone: ") else None
                key = number or capstone or name.removeprefix("Exercise: ")
                found[path.stem[:2], key] = int(minutes), name
    return found


MINUTES = minutes_of_headings()


def total(text):
    """Return the minutes of what a cell of a table names, as "01: 1 to 5, capstone; 02: 3"."""
    minutes = 0
    for part in text.split(";"):
        notebook, _, items = part.strip().partition(":")
        for exercise, first, last, number, name, capstone in ITEM.findall(items):
            several = map(str, range(int(first or 0), int(last or -1) + 1))
            for key in [exercise or number or capstone] if not first else several:
                minutes += MINUTES[notebook, key][0]
                assert not name or MINUTES[notebook, key][1] == name
    return minutes


def rows(name):
    """Return [(minutes, what)] for a programme's table: several where a row has several."""
    text = PROGRAMMES.split(f"### {name}\n")[1].split("\n### ")[0]
    found = []
    for row in re.findall(r"^\| (.+) \|$", text, re.M):
        cells = row.split(" | ")
        for number, cell in enumerate(cells):
            if re.match(r"\d\d: ", cell):
                minutes = next(each for each in reversed(cells[:number]) if each.isdecimal())
                found.append((int(minutes), cell))
    return text, found


@pytest.mark.parametrize("name", re.findall(r"^### (.+)$", PROGRAMMES, re.M))
def test_every_row_says_the_minutes_of_its_sections(name):
    _, found = rows(name)
    assert found and [(minutes, what) for minutes, what in found if minutes != total(what)] == []


@pytest.mark.parametrize("name", ["Half a day", "Two days"])
def test_sections_breaks_and_what_is_free_add_up(name):
    text, found = rows(name)
    said = re.search(r"Sections (\d+) minutes, breaks (\d+), free (\d+): (\d+) minutes", text)
    sections, breaks, free, day = map(int, said.groups())
    assert sections == sum(minutes for minutes, _ in found)
    assert sections + breaks + free == day


def test_a_term_fits_into_its_sessions():
    text, found = rows("A term of twelve weeks")
    in_class, at_home = found[::2], found[1::2]
    assert f"In class {sum(minutes for minutes, _ in in_class)} minutes" in text
    assert f"at home {sum(minutes for minutes, _ in at_home)}." in text
    assert max(minutes for minutes, _ in in_class) + 10 <= 90
    everything = " ".join(what for _, what in found)
    assert {f"{path.stem[:2]}: " in everything for path in published()} == {True}
