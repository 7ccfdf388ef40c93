"""The presenter's copies: what live slides need is there, and nothing that is edited is lost."""

import ast
import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools import lab
from tools.notebooks.files import FOLDED, code_cells, first_sentence, published, read, tags
from tools.present import code_lines, live_slides
from tools.present.slides import slide_type
from tools.settings import ROOT

pytest.importorskip("ruff", reason="no ruff here (see tools/requirements.txt)")
PATHS = published()
each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def meaning(source):
    """Return what code does, as a text: a docstring may be broken elsewhere."""
    return re.sub(r"(?:\\n| )+", " ", ast.dump(ast.parse(source)))


@each_notebook
def test_a_live_copy_shows_every_cell_and_no_output(path):
    notebook, shown = read(path), live_slides.live(read(path))
    nbformat.validate(shown)
    assert [cell.id for cell in shown.cells] == [cell.id for cell in notebook.cells]
    for cell, before in zip(shown.cells, notebook.cells, strict=True):
        # A cell of the type "-" would not be seen on jupyterlab-slideshow's slides.
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        expected = None if cell.id == "setup" or slide_type(before) == "-" else slide_type(before)
        assert kind == expected, cell.id
        assert "<details>" not in cell.source
    for cell, before in zip(code_cells(shown), code_cells(notebook), strict=True):
        assert meaning(cell.source) == meaning(before.source), cell.id
        assert not cell.outputs and cell.execution_count is None
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden == (cell.id == "setup" or "slide-hide-code" in tags(before))


@each_notebook
def test_no_answer_is_seen_before_the_cell_that_it_answers_has_its_turn(path):
    notebook = read(path)
    presented = steps(live_slides.live(notebook))
    turn = {cell.id: number for number, step in enumerate(presented) for cell in step}
    words = ["\n".join(cell.source for cell in step) for step in presented]
    run = None
    for cell in notebook.cells:
        folded = FOLDED.fullmatch(cell.source)
        if cell.cell_type == "code":
            run = turn.get(cell.id, 0)
        elif folded:
            assert turn[cell.id] > run, cell.id
            assert first_sentence(folded[2]) in words[turn[cell.id]]
            assert first_sentence(folded[2]) not in "".join(words[: run + 1]), cell.id


def steps(shown):
    """Return the cells of a presenter's copy in lists: each comes with one press of a key.

    A cell of no type is seen with the one before it.
    """
    found = []
    for cell in shown.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind != "skip":
            if kind or not found:
                found.append([])
            found[-1].append(cell)
    return found


@each_notebook
def test_lines_of_code_fit_beside_each_other_wherever_they_can_be_broken(path):
    lines = "\n".join(cell.source for cell in code_cells(live_slides.live(read(path)))).split("\n")
    too_long = [line for line in lines if len(line) > code_lines.WIDTH]
    # A text or a comment is not broken, but wrapped on the screen.
    assert [line for line in too_long if not re.search("[\"'#]", line)] == []
    assert len(too_long) < 0.06 * len(lines)


@pytest.fixture
def folder(tmp_path):
    """A presenter's folder with fresh copies."""
    assert live_slides.lay_copies(tmp_path) == []
    return tmp_path


def run(path):
    """Leave a copy as JupyterLab does after a run: outputs, counts, more metadata."""
    notebook = read(path)
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
        cell.outputs = [nbformat.v4.new_output("stream", text="seen\n")]
        cell.metadata.jupyter = {"source_hidden": False}
        cell.metadata.scrolled = True
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, path)


def edit(path):
    """Change a word in a copy; return what the file then holds."""
    notebook = read(path)
    notebook.cells[-1].source += " My own words."
    nbformat.write(notebook, path)
    return path.read_bytes()


def publish_another(monkeypatch):
    """Let the published notebooks have other titles than those that were laid."""

    def changed(path):
        notebook = read(path)
        if path in PATHS:
            notebook.cells[0].source += " Changed."
        return notebook

    monkeypatch.setattr(live_slides, "read", changed)


def test_a_copy_that_was_only_run_is_fresh_at_the_next_start(folder):
    path = folder / PATHS[0].name
    fresh = path.read_bytes()
    run(path)
    assert path.read_bytes() != fresh
    assert live_slides.lay_copies(folder) == []
    assert path.read_bytes() == fresh


def test_a_copy_that_was_only_run_follows_the_published_one(folder, monkeypatch):
    path = folder / PATHS[0].name
    run(path)
    publish_another(monkeypatch)
    assert live_slides.lay_copies(folder) == []
    assert read(path).cells[0].source.endswith("Changed.")


@pytest.mark.parametrize("also_run", [False, True])
def test_an_edited_copy_is_left_alone_and_named(folder, also_run):
    path = folder / PATHS[1].name
    if also_run:
        run(path)
    content = edit(path)
    (sentence,) = live_slides.lay_copies(folder)
    assert path.name in sentence and "newer" not in sentence
    assert path.read_bytes() == content


def test_a_presenter_is_told_of_a_newer_version_of_an_edited_copy(folder, monkeypatch):
    content = edit(folder / PATHS[1].name)
    publish_another(monkeypatch)
    (sentence,) = live_slides.lay_copies(folder)
    assert "newer" in sentence and "rename yours" in sentence
    assert (folder / PATHS[1].name).read_bytes() == content


@pytest.mark.parametrize("content", ["", "no notebook", "{}", "[]", None])
def test_a_file_of_somebody_elses_is_left_alone(tmp_path, content):
    path = tmp_path / PATHS[0].name
    path.mkdir() if content is None else path.write_text(content, "utf-8")
    (sentence,) = live_slides.lay_copies(tmp_path)
    assert path.name in sentence
    assert path.is_dir() if content is None else path.read_text("utf-8") == content
    assert (tmp_path / PATHS[1].name).is_file()


def test_slides_begin_again_after_a_presenter_has_left_them(tmp_path):
    live_slides.lay_settings(tmp_path)
    kept = tmp_path / live_slides.KEPT
    assert json.loads((kept / "overrides.json").read_text("utf-8")) == live_slides.SETTINGS
    left = kept / "user" / "jupyterlab-slideshow" / "plugin.jupyterlab-settings"
    other = kept / "user" / "other.jupyterlab-settings"
    left.parent.mkdir(parents=True)
    for path in (left, other):
        path.write_text('{"active": false}', "utf-8")
    page = kept / "pages" / "default-37a8.jupyterlab-workspace"  # with the notebook of last time
    page.parent.mkdir()
    page.touch()
    live_slides.lay_settings(tmp_path)
    assert not left.exists() and not page.exists() and other.exists()


def test_present_begins_on_slides_where_its_jupyterlab_runs_already(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_WORK", str(tmp_path))
    left = tmp_path / "live" / live_slides.KEPT / "user" / "jupyterlab-slideshow"
    left.mkdir(parents=True)
    (left / "plugin.jupyterlab-settings").write_text('{"active": false}', "utf-8")
    server = {"url": "http://127.0.0.1:9/", "token": "t"}
    monkeypatch.setattr(lab, "running_server", lambda root: server)
    monkeypatch.setattr(sys, "argv", ["present", "--no-browser", "01"])
    assert live_slides.main() == 0
    assert "http://127.0.0.1:9/lab/tree/01_tensors.ipynb?token=t" in capsys.readouterr().out
    assert list(left.iterdir()) == []


def test_a_notebook_that_does_not_exist_is_answered_in_one_sentence(tmp_path):
    course = tmp_path / "course"
    for part in ["tools", "utils", "notebooks"]:
        shutil.copytree(ROOT / part, course / part)
    command = [sys.executable, "-m", "tools.present.live_slides", "77"]
    done = subprocess.run(command, cwd=course, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert (
        done.stderr.startswith("There is no notebook 77; there are: ")
        and "01_tensors" in done.stderr
    )
    assert not (course / "work").exists()
