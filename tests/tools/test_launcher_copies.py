"""The launcher through its command line: the student's copies in `work/`, and `reset`."""

import json
import os
import re

import pytest
from launcher_course import NOTEBOOKS, WINDOWS, Course, made_like, notebook, write


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A course that is set up, with the copies laid; tests take copies of it."""
    first = Course(tmp_path_factory.mktemp("template"))
    first.succeeds("lab")
    return first


@pytest.fixture
def student(template, tmp_path):
    """A course whose copies are laid."""
    return made_like(template, tmp_path)


# -- The student's copies ----------------------------------------------------------------------


def test_lab_lays_copies_without_outputs_and_opens_the_first(new_course):
    out = new_course.succeeds("lab", "--no-browser", "--port", "8899", "--", "--debug", "x y")
    arguments = next(json.loads(line) for line in out.splitlines() if line[:1] == "{")["arguments"]
    assert f"--ServerApp.root_dir={new_course.root}" in arguments
    assert "--LabApp.default_url=/lab/tree/work/00_start_here.ipynb" in arguments
    assert "--no-browser" in arguments and "--ServerApp.port=8899" in arguments
    assert arguments[-2:] == ["--debug", "x y"]
    assert ("--allow-root" in arguments) == (not WINDOWS and os.geteuid() == 0)
    for name, source in NOTEBOOKS.items():
        laid = (new_course.work / f"{name}.ipynb").read_text("utf-8")
        assert laid == notebook(source, outputs=False)
    overrides = new_course.venv / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings = json.loads(overrides.read_text("utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_unchanged_copy_follows_the_published_one(student):
    student.publish("01_tensors", "3 + 3")
    assert "01_tensors" in student.succeeds("lab")
    assert (student.work / "01_tensors.ipynb").read_text("utf-8") == notebook("3 + 3", False)
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


def test_refreshed_outputs_are_no_new_version(student):
    edited = student.edit("01_tensors")
    path = student.root / "notebooks" / "01_tensors.ipynb"
    write(path, path.read_text("utf-8").replace('"4"', '"5"'))
    assert "01_tensors" not in student.succeeds("lab")
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited


def test_edited_copy_is_never_touched_and_the_new_one_lies_beside(student):
    edited = student.edit("01_tensors")
    assert "01_tensors" not in student.succeeds("lab")
    student.publish("01_tensors", "3 + 3")
    out = student.succeeds("lab")
    lines = [line for line in out.splitlines() if "01_tensors" in line]
    assert len(lines) == 1 and "reset 01" in lines[0] and "01_tensors (new).ipynb" in lines[0]
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
    beside = student.work / "01_tensors (new).ipynb"
    assert beside.read_text("utf-8") == notebook("3 + 3", False)
    # Said once.
    assert "01_tensors" not in student.succeeds("lab")


def test_next_version_replaces_the_one_beside_unless_it_is_edited(student):
    edited = student.edit("01_tensors")
    for source in ("3 + 3", "4 + 4"):
        student.publish("01_tensors", source)
        student.succeeds("lab")
    assert "01_tensors (new 2).ipynb" not in student.copies()
    beside = student.work / "01_tensors (new).ipynb"
    assert beside.read_text("utf-8") == notebook("4 + 4", False)
    edited_too = student.edit("01_tensors (new)")
    student.publish("01_tensors", "5 + 5")
    assert "(new 2)" in student.succeeds("lab")
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
    assert beside.read_bytes() == edited_too
    assert (student.work / "01_tensors (new 2).ipynb").read_text("utf-8") == notebook(
        "5 + 5", False
    )


def test_deleted_copy_is_laid_again(student):
    (student.work / "01_tensors.ipynb").unlink()
    student.succeeds("lab")
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"laid": 3}', '{"laid": {}}', None, b"\xff"])
def test_damaged_memory_loses_nothing(student, damage):
    edited = student.edit("01_tensors")
    student.publish("01_tensors", "3 + 3")
    student.publish("00_start_here", "7 + 7")
    if damage is None:
        student.state.unlink()
    elif isinstance(damage, bytes):
        student.state.write_bytes(damage)
    else:
        write(student.state, damage)
    student.succeeds("lab")
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
    # Not even the copy that nobody changed is replaced: nothing proves that.
    assert (student.work / "00_start_here.ipynb").read_text("utf-8") == notebook("1 + 1", False)
    assert "01_tensors (new).ipynb" in student.copies()
    assert "(new)" not in student.succeeds("lab")


def test_lost_memory_offers_nothing_where_only_outputs_differ(student):
    run = json.loads(notebook("2 + 2"))
    run["metadata"] = {"language_info": {"name": "python"}}  # which JupyterLab adds
    write(student.work / "01_tensors.ipynb", json.dumps(run, indent=1))
    student.state.unlink()
    assert "01_tensors" not in student.succeeds("lab")
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


@pytest.mark.parametrize("content", ["", "{", "<<<<<<< mine", "\x00"])
def test_students_file_that_is_no_notebook_is_left_alone(student, content):
    write(student.work / "01_tensors.ipynb", content)
    student.publish("01_tensors", "3 + 3")
    student.succeeds("lab")
    assert (student.work / "01_tensors.ipynb").read_text("utf-8") == content


def test_students_folder_with_a_notebooks_name_is_left_alone(student):
    (student.work / "01_tensors.ipynb").unlink()
    (student.work / "01_tensors.ipynb").mkdir()
    assert "rename it" in student.succeeds("lab")


def test_published_notebook_that_is_damaged_is_named(student):
    write(student.root / "notebooks" / "01_tensors.ipynb", "<<<<<<< HEAD")
    (student.work / "00_start_here.ipynb").unlink()
    assert "notebooks/01_tensors.ipynb" in student.succeeds("lab")
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]
    assert "notebooks/01_tensors.ipynb" in student.fails("reset", "01")


# -- Reset -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1", "01", "01_tensors", "01_tensors.ipynb", "work/01_tensors"])
def test_reset_backs_up_and_lays_a_fresh_copy(student, name):
    edited = student.edit("01_tensors")
    out = student.succeeds("reset", name)
    (backup,) = (student.work / "backup").iterdir()
    assert re.fullmatch(r"01_tensors \d{4}-\d\d-\d\d \d\d-\d\d-\d\d\.ipynb", backup.name)
    assert f"work/backup/{backup.name}" in out
    assert backup.read_bytes() == edited
    assert (student.work / "01_tensors.ipynb").read_text("utf-8") == notebook("2 + 2", False)


def test_reset_never_overwrites_a_backup(student):
    contents = set()
    for text in "abc":
        contents.add(student.edit("01_tensors", text))
        student.succeeds("reset", "01")
    assert {path.read_bytes() for path in (student.work / "backup").iterdir()} == contents


def test_reset_needs_no_environment_and_no_copy(new_course):
    new_course.succeeds("reset", "1", "01_tensors", "0")
    assert new_course.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]
    assert not new_course.venv.exists() and not (new_course.work / "backup").exists()


def test_reset_takes_the_newest_version_and_is_the_last_word(student):
    student.edit("01_tensors")
    student.publish("01_tensors", "3 + 3")
    student.succeeds("reset", "01")
    assert "01_tensors" not in student.succeeds("lab")
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


@pytest.mark.parametrize("name", ["7", "tensors", "", ".", "01_tensors (new)", "²"])
def test_reset_of_what_does_not_exist_lists_what_does(student, name):
    edited = student.edit("01_tensors")
    error = student.fails("reset", "01", name)
    assert "00_start_here, 01_tensors" in error
    # Nothing is done by halves.
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
