"""Every notebook is built alike, fits a slide, and shows what it really prints and draws."""

import ast
import copy
import re
import statistics

import nbformat
import pytest

from tools.notebooks import contents
from tools.notebooks.compare import NOT_COMPARED, TOLERANCE
from tools.notebooks.files import (
    FOLDED,
    METADATA,
    NOTEBOOKS,
    PREDICT,
    caption_figures,
    code_cells,
    draws,
    plain,
    published,
    read,
    tags,
    text_of,
)
from tools.notebooks.solved import PROGRESS, build, exercises_of
from tools.notebooks.steps import QUESTION
from tools.settings import FEW, ROOT
from utils.machine import EDITION, required

PATHS = published()
STEMS = [path.stem for path in PATHS]
NOTEBOOK = {path.stem: read(path) for path in PATHS}
SECTION = re.compile(r"## (\d+) · .+\? \((core|extra), (\d+) min\)$")
CAPSTONE = re.compile(r"## Capstone: .+\? \(core, (\d+) min\)$")
EXERCISE = re.compile(r"### Exercise: .+ \((easy|medium|hard), (extra, )?(\d+) min\)$")
LAST_HEADINGS = ["## Key points", "## Errors you will meet", "## Read on", "## What comes next"]
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "-"}  # notes come from TEACHING.md
TAGS = {
    "continues",
    "slide-hide-code",
    PROGRESS,
    NOT_COMPARED,
}  # and those of exercises, and TOLERANCE
# Cells whose output is not compared, with the reason.
EXEMPT = {
    ("00_start_here", "machine-report"): "reports the versions and the device of the machine",
}
LARGEST_FIGURE = (648, 306)  # 7.2 x 3.4 inches as shown on a page

MOST_CELLS = 100

every_notebook = pytest.mark.parametrize("stem", STEMS)


def first_line(cell):
    """Return the first line of a Markdown cell, else an empty text."""
    return cell.source.splitlines()[0] if cell.cell_type == "markdown" else ""


def sections(notebook):
    """Return a list of (match of the heading, cells of the section)."""
    found, inside = [], False
    for cell in notebook.cells:
        heading = SECTION.match(first_line(cell))
        if heading:
            found.append((heading, []))
            inside = True
        elif first_line(cell).startswith("## "):
            inside = False  # the capstone, or one of the last pages
        if inside:
            found[-1][1].append(cell)
    return found


def capstone(notebook):
    """Return the match of the capstone's heading, and its cells; None and none without one."""
    lines = [first_line(cell) for cell in notebook.cells]
    start = next((n for n, line in enumerate(lines) if CAPSTONE.match(line)), None)
    if start is None:
        return None, []
    end = next(n for n, line in enumerate(lines) if line.startswith("## ") and n > start)
    return CAPSTONE.match(lines[start]), notebook.cells[start:end]


def exercise_headings(notebook):
    """Return the matches of the exercises' headings."""
    matches = [EXERCISE.match(first_line(cell)) for cell in notebook.cells]
    return [match for match in matches if match]


def lines_of(cell):
    """Return the lines of a cell that are not blank."""
    return [line for line in cell.source.splitlines() if line.strip()]


# ------------------------------------------------------------------------------------- anatomy
@every_notebook
def test_title_is_a_question_and_the_card_says_what_to_expect(stem):
    title, card = NOTEBOOK[stem].cells[:2]
    assert re.fullmatch(rf"# {stem[:2]} · .+\?", title.source)
    assert re.match(r"\*\*\d+ minutes", card.source)
    assert "need" in card.source
    assert 3 <= len(re.findall(r"^- \*\*\w+\*\*", card.source, re.M)) <= 5


@every_notebook
def test_set_up_is_short_and_a_picture_opens(stem):
    setup, opening = code_cells(NOTEBOOK[stem])[:2]
    assert setup.id == "setup" and len(lines_of(setup)) <= 10 and not setup.outputs
    assert draws(opening), "the second code cell draws the opening picture"


def test_every_notebook_has_the_same_set_up_cell():
    setup = code_cells(NOTEBOOK[STEMS[0]])[0].source
    assert f"set_up(edition={EDITION})" in setup
    assert [stem for stem in STEMS if code_cells(NOTEBOOK[stem])[0].source != setup] == []


@every_notebook
def test_sections_are_numbered_marked_and_timed(stem):
    headings = [heading for heading, _ in sections(NOTEBOOK[stem])]
    assert [int(heading[1]) for heading in headings] == list(range(1, len(headings) + 1))
    assert 4 <= len(headings) <= 8
    written = [c for c in NOTEBOOK[stem].cells if re.match(r"## \d", first_line(c))]
    assert len(written) == len(headings), "a numbered heading is not of the form of a section"


@every_notebook
def test_minutes_add_up(stem):
    notebook = NOTEBOOK[stem]
    headings = [heading for heading, _ in sections(notebook)]
    core = sum(int(heading[3]) for heading in headings if heading[2] == "core")
    closing, _ = capstone(notebook)
    core += int(closing[1]) if closing else 0
    extra = sum(int(heading[3]) for heading in headings if heading[2] == "extra")
    extra += sum(int(match[3]) for match in exercise_headings(notebook) if match[2])
    numbers = [int(number) for number in re.findall(r"\d+", notebook.cells[1].source.split("·")[0])]
    assert numbers == ([core, core + extra] if extra else [core])


@every_notebook
def test_every_section_has_its_parts(stem):
    for heading, cells in sections(NOTEBOOK[stem]):
        where = f"section {heading[1]}"
        idea = cells[0].source.split("\n", 1)[1].split("\n|")[0]
        idea = QUESTION.sub("Predict", idea)  # its number is no word
        assert len(idea.split()) <= 80, f"{where}: the idea has {len(idea.split())} words"
        assert any(PREDICT in cell.source for cell in cells), f"{where}: nothing to predict"
        assert any(cell.cell_type == "code" for cell in cells), f"{where}: no code"
        if stem != "00_start_here":
            assert any(draws(cell) for cell in cells), f"{where}: no figure"


@every_notebook
def test_a_question_comes_before_its_code_and_that_before_what_happened(stem):
    waiting, ran = "", False
    for cell in NOTEBOOK[stem].cells:
        if PREDICT in cell.source:
            assert not waiting, f"{waiting}: nothing says what happened"
            assert "?" in cell.source.split(PREDICT)[1], f"{cell.id}: not a question"
            waiting, ran = cell.id, False
        elif cell.cell_type == "code":
            ran = True
        elif "<details>" in cell.source:
            folded = FOLDED.fullmatch(cell.source)
            assert folded and folded[1] == "What happened", f"{cell.id}: not the form of the others"
            assert ran, f"{cell.id}: what happened is said before it has happened"
            assert cell.metadata.slideshow.slide_type == "fragment", f"{cell.id}: seen too early"
            waiting = ""
    assert not waiting


@every_notebook
def test_every_figure_has_its_caption_in_the_folded_cell_right_below_it(stem):
    notebook = copy.deepcopy(NOTEBOOK[stem])
    captions = caption_figures(notebook)
    for cell, below in zip(notebook.cells, notebook.cells[1:], strict=False):
        if draws(cell):
            words = plain(captions.get(below.id, ""))
            where = f"{cell.id}: no sentence below that could be its caption: {words!r}"
            assert re.fullmatch(r"[A-Z].{40,200}\.", words), where
            assert not re.search(r"[\\$^]", words), f"{below.id}: a formula that no voice reads"


@every_notebook
def test_exercises_in_the_notebook_are_those_of_its_module(stem):
    notebook, exercises = NOTEBOOK[stem], exercises_of(stem)
    assert len(exercise_headings(notebook)) == len(exercises)
    closing = {tag for cell in capstone(notebook)[1] for tag in tags(cell)} & set(exercises)
    others = len(exercises) - len(closing)
    assert others <= 6 and len(exercises) >= (1 if stem == "00_start_here" else 3)
    found = [tag for cell in code_cells(notebook) for tag in tags(cell)]
    tagged = [tag for tag in found if tag not in TAGS and not TOLERANCE.fullmatch(tag)]
    assert sorted(tagged) == sorted(exercises)
    for cell in code_cells(notebook):
        for name in set(tags(cell)) & set(exercises):
            assert f"exercises.{name}.check(" in cell.source
            assert f"○ {name}: not attempted yet." in text_of(cell.outputs)


@every_notebook
def test_it_is_short_and_closes_with_a_capstone_and_what_is_done(stem):
    notebook = NOTEBOOK[stem]
    assert len(notebook.cells) <= MOST_CELLS
    last = notebook.cells[-1]
    assert tags(last) == [PROGRESS] and "record.show(exercises)" in last.source
    assert f"0 of {len(exercises_of(stem))} exercises are right." in text_of(last.outputs)
    if stem != "00_start_here":
        heading, cells = capstone(notebook)
        assert heading and any("exercises." in cell.source for cell in cells)


@every_notebook
def test_the_last_pages(stem):
    headings = [first_line(cell) for cell in NOTEBOOK[stem].cells]
    assert [line for line in headings if line.startswith("## ")][-4:] == LAST_HEADINGS


@every_notebook
def test_no_name_of_an_exercise_is_used_outside_it(stem):
    names = set(exercises_of(stem))
    for cell in code_cells(NOTEBOOK[stem]):
        if names & set(tags(cell)):
            continue
        used = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
        assert not used & names, f"{cell.id} needs what only an exercise defines"


def test_the_tables_of_notebooks_say_what_the_cards_say():
    path, name = contents.MAP
    cells = {cell.id: cell.source for cell in read(path).cells}
    readme = contents.README.read_text(encoding="utf-8")
    for page, text, folder in [("README.md", readme, "notebooks/"), (path.name, cells[name], "")]:
        stale = f"the table in {page} is stale: type `python3 course.py refresh --words`"
        assert contents.with_table(text, folder) == text, stale


# -------------------------------------------------------------------------- cells and their limits
@every_notebook
def test_code_cells_are_short(stem):
    lengths = {cell.id: len(lines_of(cell)) for cell in code_cells(NOTEBOOK[stem])}
    assert statistics.median(lengths.values()) <= 6
    assert not {name: length for name, length in lengths.items() if length > 20}


@every_notebook
def test_figures_and_their_cells_fit_a_slide_and_describe_themselves(stem):
    for cell in code_cells(NOTEBOOK[stem]):
        assert "message" not in cell.source, f"{cell.id}: what a figure says is for the cell below"
        assert not draws(cell) or len(lines_of(cell)) <= 8, f"{cell.id}: too long for a figure"
        for output in cell.outputs:
            if "image/png" not in output.get("data", {}):
                continue
            about = output.metadata["image/png"]
            assert about["width"] <= LARGEST_FIGURE[0] and about["height"] <= LARGEST_FIGURE[1]
            assert len(about["alt"]) > 40, f"{cell.id}: a figure says what is drawn"
            assert output.data["text/plain"] == about["alt"]


@every_notebook
def test_nothing_ties_a_cell_to_one_machine_or_the_network(stem):
    for cell in NOTEBOOK[stem].cells:
        everything = cell.source + text_of(cell.get("outputs", []))
        assert str(ROOT) not in everything
        assert not re.search(r"(/home/|/Users/|/tmp/|[A-Z]:\\)", everything), cell.id
        assert not re.search(r"\b0x[0-9a-f]{6,}\b", everything), f"{cell.id}: an object's address"
        if cell.cell_type == "code":
            assert "http" not in cell.source, f"{cell.id}: code that needs the network"
            assert not cell.source.rstrip().endswith(";"), f"{cell.id}: nbval compares what ; hides"


@every_notebook
def test_metadata_is_minimal_and_ids_are_readable(stem):
    notebook = NOTEBOOK[stem]
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", cell.id), f"{cell.id}: not a readable name"
        assert set(cell.metadata) <= {"slideshow", "tags"}, cell.id
        assert cell.metadata["slideshow"]["slide_type"] in SLIDE_TYPES, cell.id


@every_notebook
def test_the_file_is_written_in_one_form(stem):
    path = NOTEBOOKS / f"{stem}.ipynb"
    assert path.read_bytes() == (nbformat.writes(read(path)) + "\n").encode()


# ----------------------------------------------------------------------------------------- outputs
@every_notebook
def test_run_in_one_go_without_errors(stem):
    cells = code_cells(NOTEBOOK[stem])
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) > len(cells) / 2, "outputs are missing"
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id


def test_no_cell_is_exempt_from_comparison_but_those_listed_with_a_reason():
    skipped = {NOT_COMPARED, "nbval-skip", "raises-exception", "nbval-raises-exception"}
    found = {
        (stem, cell.id)
        for stem in STEMS
        for cell in code_cells(NOTEBOOK[stem])
        if skipped & set(tags(cell)) or "NBVAL" in cell.source
    }
    assert found == set(EXEMPT)


def test_the_committed_machine_report_is_of_the_pinned_versions():
    cells = {cell.id: cell for cell in code_cells(NOTEBOOK["00_start_here"])}
    text = text_of(cells["machine-report"].outputs)
    for name, version in required().items():
        assert f"✓ {name} {version}" in text, "run `python3 course.py refresh 00 --renew`"
    assert "This machine is ready." in text


def pytest_generate_tests(metafunc):
    """Give the test that solves notebooks a few of them: it takes twice as long as nbval."""
    if "solved" in metafunc.fixturenames:
        paths = published(() if metafunc.config.option.every_notebook else FEW)
        metafunc.parametrize("solved", paths, ids=lambda path: path.stem)


@pytest.mark.full
def test_solved_and_each_cell_twice_checks_pass_and_the_rest_is_as_published(solved):
    assert build(solved, twice=True)[1] == []
