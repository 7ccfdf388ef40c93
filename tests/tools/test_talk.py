"""A talk holds what its notebook holds, in views that are short, in large letters and in order."""

import ast
import json
import re

import nbformat
import pytest

from tools.notebooks.files import FOLDED, code_cells, is_exercise, published, read, tags
from tools.present import code_lines, cuts, drawings, frames, slides, talk
from tools.present.teaching import notes_for, plan_for

pytest.importorskip("ruff", reason="no ruff here (see tools/requirements.txt)")
PATHS = published()
each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
words = nbformat.v4.new_markdown_cell


@pytest.fixture(scope="module")
def talks():
    """Return a function that gives the talk of a notebook."""
    done = {}

    def talk_of(path, **options):
        key = path, *options
        if key not in done:
            done[key] = slides.talk_of(path, **options)
        return done[key]

    return talk_of


def pieces_of(found):
    """Return all pieces of a talk, in order."""
    return [piece for slide in found.slides for view in slide.views for piece in view.pieces]


# ------------------------------------------------------------------------------- what is there
@each_notebook
def test_the_words_of_a_notebook_are_all_there_on_slides_or_in_notes(path, talks):
    found = talks(path)
    said = " ".join(
        [found.question, found.card]
        + [section.title for section in found.sections]
        + [f"{piece.label} {piece.text}" for piece in pieces_of(found)]
        + [note for slide in found.slides for note in slide.notes]
    )
    said = set(re.findall(r"\w+", said))
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            missing = set(re.findall(r"\w+", cell.source)) - said
            # What the divider writes in other words, and the addresses of other notebooks.
            missing -= {"details", "summary", "core", "extra", "min", "ipynb"}
            assert not {word for word in missing if not re.search("[_0-9]", word)}, cell.id


@each_notebook
def test_code_is_that_of_the_notebook_and_the_set_up_is_not_shown(path, talks):
    shown = {}
    for piece in pieces_of(talks(path)):
        if piece.kind == "code":
            shown[piece.cell] = shown.get(piece.cell, "") + piece.text + "\n"
    assert "setup" not in shown
    for cell in code_cells(read(path)):
        if "slide-hide-code" in tags(cell):
            assert cell.id not in shown
        elif cell.id in shown:
            assert tree(shown[cell.id]) == tree(cell.source), cell.id
        else:
            assert slides.slide_type(cell) == "skip" or is_exercise(cell)


def tree(source):
    """Return the syntax tree of code, without what breaking its docstrings changes."""
    text = ast.dump(ast.parse(source))
    return re.sub(r"(\\n)? +|\\n", " ", text)


@each_notebook
def test_views_are_short_and_each_answer_is_a_step_or_follows_its_question(path, talks):
    found = talks(path)
    for slide in found.slides:
        for view in slide.views:
            codes = [piece for piece in view.pieces if piece.kind == "code"]
            assert all(piece.text.count("\n") < talk.MOST_LINES for piece in codes)
            lines = [line for piece in codes for line in piece.text.split("\n")]
            assert all(len(line) <= code_lines.WIDTH for line in lines)
            for piece in view.pieces:
                assert (
                    piece.step
                    or piece.kind not in ("answer", "caption")
                    or (view.pieces[0] is piece or view.pieces[0].kind == "output")
                )
    answers = [piece for piece in pieces_of(found) if piece.kind in ("answer", "caption")]
    assert len(answers) == sum(
        bool(FOLDED.fullmatch(cell.source.strip())) for cell in read(path).cells
    )


@each_notebook
def test_a_slide_says_in_which_section_it_is(path, talks):
    found = talks(path)
    section = None
    for slide in found.slides:
        if slide.kind == "divider":
            section = 0 if section is None else section + 1
            assert slide.title == found.sections[section].title
        if slide.section is not None:
            assert slide.section == section
        assert slide.title.startswith("Exercise") == slide.has("heading") or slide.section is None
    assert section == len(found.sections) - 1 >= 3


@each_notebook
def test_who_is_told_to_move_something_finds_a_live_figure_on_that_slide(path, talks):
    outputs = {cell.id: cell.outputs for cell in code_cells(read(path))}
    for slide in talks(path).slides:
        pieces = [piece for view in slide.views for piece in view.pieces]
        told = [
            piece
            for piece in pieces
            if re.search(r"[Mm]ove (the|both) slider|press play", piece.text)
        ]
        shown = [output for piece in pieces for output in outputs.get(piece.cell, [])]
        assert not told or any(map(frames.is_live, shown)), told[0].text


# ------------------------------------------------------------------------------------- notes
@each_notebook
def test_the_speaker_gets_the_plan_the_rest_of_each_answer_and_the_solutions(path, talks):
    notebook, found = read(path), talks(path)
    notes = "\n".join(note for slide in found.slides for note in slide.notes)
    for note in notes_for(notebook).values():
        assert note in notes
    for name, exercise in slides.exercises_of(path.stem).items():
        tagged = any(name in tags(cell) for cell in code_cells(notebook))
        assert not tagged or all(hint in notes for hint in exercise.hints)
    assert sum(bool(slide.notes) for slide in found.slides) >= 0.8 * len(found.slides)


# --------------------------------------------------------------------------------- shorter talks
@each_notebook
def test_a_core_talk_has_no_extra_section_no_extra_exercise_and_nothing_for_home(path, talks):
    core = talks(path, core=True)
    assert {section.kind for section in core.sections} == {"core"}
    assert not {slide.title for slide in core.slides} & set(talk.FOR_HOME)
    headings = [piece for piece in pieces_of(core) if piece.kind == "heading"]
    assert not any("extra" in piece.label for piece in headings)
    kept = {section.title for section in talks(path).sections if section.kind == "core"}
    assert kept == {section.title for section in core.sections}


def test_the_core_of_02_is_an_hours_talk(talks):
    [path] = [path for path in PATHS if path.stem.startswith("02")]
    assert len(talks(path, core=True).slides) <= 45


@each_notebook
def test_a_cut_talk_is_shorter_and_keeps_what_teaching_says_to_show(path):
    notebook = read(path)
    plan = plan_for(notebook.cells[0].source.removeprefix("# "))
    kept = {cell.id for cell in cuts.without_cut(notebook, plan.cut).cells}
    gone = {cell.id for cell in notebook.cells} - kept
    assert gone or path.stem.startswith("00")
    assert len(gone) < 0.3 * len(notebook.cells)


def cut(text):
    """Return the ids that are left of a small notebook after a cut."""
    cells = [
        words("# 07 · A title?", id="title"),
        words("## 1 · What is one? (core, 5 min)\n\n**Predict.** One?", id="one-heading"),
        nbformat.v4.new_code_cell("1", id="one-code"),
        words("<details><summary>What happened</summary>One.</details>", id="one-answer"),
        words("**Predict.** Two?", id="two-predict"),
        nbformat.v4.new_code_cell("2", id="two-code"),
        nbformat.v4.new_code_cell("plot(2)", id="two-figure"),
        words("### Exercise: three (easy, 3 min)", id="three-task"),
        nbformat.v4.new_code_cell("exercises.three.check()", id="three-check"),
        words("## 2 · What is four? (core, 5 min)", id="four-heading"),
        nbformat.v4.new_code_cell("4", id="four-code"),
    ]
    kept = cuts.without_cut(nbformat.v4.new_notebook(cells=cells), text)
    return [cell.id for cell in cells if cell.id not in {cell.id for cell in kept.cells}], kept


@pytest.mark.parametrize(
    "text, expected",
    [
        ("NAME(two-figure).", ["two-figure"]),
        ("all of NAME(two-code); both come back.", ["two-predict", "two-code", "two-figure"]),
        (
            "NAME(two-code) with its exercise.",
            ["two-predict", "two-code", "two-figure", "three-task", "three-check"],
        ),
        ("show NAME(two-figure) without the code above it.", ["two-code"]),
        ("the second half of NAME(two-code).", []),
        ("NAME(two-figure), and section 2.", ["two-figure", "four-heading", "four-code"]),
        ("in section 2, NAME(two-figure).", ["two-figure"]),
        ("NAME(two-figure). Before a talk, run NAME(four-code) once.", ["two-figure"]),
    ],
)
def test_what_is_cut_is_what_the_sentence_says(text, expected, monkeypatch):
    named = re.compile(r"NAME\(([\w-]+)\)")
    monkeypatch.setattr(cuts, "cells_in", named.findall)
    assert cut(text)[0] == expected


def test_a_section_whose_first_question_is_cut_keeps_its_heading(monkeypatch):
    monkeypatch.setattr(cuts, "cells_in", re.compile(r"NAME\(([\w-]+)\)").findall)
    gone, kept = cut("all of NAME(one-code).")
    assert gone == ["one-code", "one-answer"]
    assert kept.cells[1].source == "## 1 · What is one? (core, 5 min)"


# -------------------------------------------------------------------------------------- prose
def test_a_long_text_is_cut_between_paragraphs_points_and_sentences():
    sentence = "Here are some seven words of it. "
    twice = (sentence * 2).strip()
    assert talk.packed(f"{twice}\n\n{twice}", most=14) == [twice, twice]
    parts = talk.packed(sentence * 4, most=14)
    assert parts == [twice, twice]
    points = "\n".join(f"- point {number} of a list" for number in range(6))
    assert talk.packed(f"They are:\n\n{points}", most=20)[0].startswith("They are:\n\n- point 0")
    assert "\n".join(talk.packed(points, most=20)) == points


def test_a_formula_stays_with_what_announces_it():
    text = "One two three four five six:\n\n$$a + b$$\n\nSeven eight nine ten eleven twelve."
    assert talk.packed(text, most=7) == [
        "One two three four five six:\n\n$$a + b$$",
        "Seven eight nine ten eleven twelve.",
    ]


# --------------------------------------------------------------------------------------- code
def test_long_lines_are_broken_and_mean_the_same():
    source = {
        "comment": "x = 1  # " + "a long comment " * 8,
        "string": 'print(f"' + "some words and {1 + 1} " * 6 + '")',
        "docstring": 'def f(x):\n    """' + "A long sentence. " * 8 + '"""\n    ...',
        "magic": "%timeit " + "x + " * 30 + "x",
    }
    found = code_lines.broken(source)
    for name in ("comment", "string", "docstring"):
        assert all(len(line) <= code_lines.WIDTH for line in found[name].split("\n")), name
    assert tree(found["string"]) == tree(source["string"])
    assert found["comment"].split("\n")[-1] == "x = 1"
    assert found["magic"] == source["magic"]


def test_code_is_cut_between_statements():
    source = "\n".join(f"def f{number}(x):\n    y = x\n    return y\n" for number in range(8))
    parts = code_lines.pieces(source.strip(), 19)
    assert len(parts) == 2 and all(part.startswith("def f") for part in parts)
    assert code_lines.pieces("x = 1\ny = 2", 19) == ["x = 1\ny = 2"]


# ----------------------------------------------------------------------------------- drawings
def test_figures_are_drawn_once_until_the_code_changes(tmp_path, monkeypatch):
    about = {"image/png": {"alt": "A line.", "width": 648, "height": 270}}
    data = {"image/png": "", "text/plain": "A line."}
    output = nbformat.v4.new_output("display_data", data=data, metadata=about)
    runs = []

    def draw(notebook, needed, stem, wanted):
        runs.append(wanted)
        drawn = nbformat.from_dict(json.loads(json.dumps(output)))
        drawn.data[drawings.SHARP] = {"svg": "<svg/>"}
        return [nbformat.v4.new_code_cell("draw()", id="line", outputs=[drawn])]

    monkeypatch.setattr(frames, "draw", draw)
    path = tmp_path / "07_lines.ipynb"
    for source in ["draw()", "draw()", "draw(2)"]:
        cell = nbformat.v4.new_code_cell(source, id="line", outputs=[output])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        names, folder = drawings.drawings_of(path, tmp_path / "kept", tmp_path / "frames")
        assert (folder / names["line"][0]).read_text() == "<svg/>"
    assert runs == [{drawings.SHARP_WANTED: "1"}] * 2
