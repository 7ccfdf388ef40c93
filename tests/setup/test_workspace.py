"""The student's copies, and `reset`: nothing that a student wrote is ever lost, wherever it is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from launcher_course import NOTEBOOKS, Course, notebook, write

from tools.notebooks.files import code_cells, published, read
from tools.settings import ROOT
from tools.setup import workspace
from tools.setup.console import CourseError
from utils import folders


class Student(Course):
    """A folder with published notebooks and the student's copies, without a launcher."""

    def lay(self):
        """Lay and update the copies. Return what the student is told."""
        return "\n".join(workspace.lay_copies(self.work))

    def reset(self, *words):
        """Give fresh copies."""
        assert workspace.reset(words, self.work) == 0


@pytest.fixture
def student(tmp_path, monkeypatch):
    """A student whose copies are laid."""
    student = Student(tmp_path, lay=False)
    for name, source in NOTEBOOKS.items():
        student.publish(name, source)
    monkeypatch.setattr(workspace, "PUBLISHED", student.root / "notebooks")
    assert not student.lay()
    return student


# -- The student's copies ----------------------------------------------------------------------


def test_unchanged_copy_follows_the_published_one(student):
    student.publish("01_tensors", "3 + 3")
    assert "01_tensors" in student.lay()
    assert (student.work / "01_tensors.ipynb").read_text("utf-8") == notebook("3 + 3", False)
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


def test_refreshed_outputs_are_no_new_version(student):
    edited = student.edit("01_tensors")
    path = student.root / "notebooks" / "01_tensors.ipynb"
    write(path, path.read_text("utf-8").replace('"4"', '"5"'))
    assert "01_tensors" not in student.lay()
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited


def test_edited_copy_is_never_touched_and_the_new_one_lies_beside(student):
    edited = student.edit("01_tensors")
    assert "01_tensors" not in student.lay()
    student.publish("01_tensors", "3 + 3")
    out = student.lay()
    lines = [line for line in out.splitlines() if "01_tensors" in line]
    assert len(lines) == 1 and "reset 01" in lines[0] and "01_tensors (new).ipynb" in lines[0]
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
    beside = student.work / "01_tensors (new).ipynb"
    assert beside.read_text("utf-8") == notebook("3 + 3", False)
    # Said once.
    assert "01_tensors" not in student.lay()


def test_next_version_replaces_the_one_beside_unless_it_is_edited(student):
    edited = student.edit("01_tensors")
    for source in ("3 + 3", "4 + 4"):
        student.publish("01_tensors", source)
        student.lay()
    assert "01_tensors (new 2).ipynb" not in student.copies()
    beside = student.work / "01_tensors (new).ipynb"
    assert beside.read_text("utf-8") == notebook("4 + 4", False)
    edited_too = student.edit("01_tensors (new)")
    student.publish("01_tensors", "5 + 5")
    assert "(new 2)" in student.lay()
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
    assert beside.read_bytes() == edited_too
    assert (student.work / "01_tensors (new 2).ipynb").read_text("utf-8") == notebook(
        "5 + 5", False
    )


def test_deleted_copy_is_laid_again(student):
    (student.work / "01_tensors.ipynb").unlink()
    student.lay()
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
    student.lay()
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited
    # Not even the copy that nobody changed is replaced: nothing proves that.
    assert (student.work / "00_start_here.ipynb").read_text("utf-8") == notebook("1 + 1", False)
    assert "01_tensors (new).ipynb" in student.copies()
    assert "(new)" not in student.lay()


def test_lost_memory_offers_nothing_where_only_outputs_differ(student):
    run = json.loads(notebook("2 + 2"))
    run["metadata"] = {"language_info": {"name": "python"}}  # which JupyterLab adds
    write(student.work / "01_tensors.ipynb", json.dumps(run, indent=1))
    student.state.unlink()
    assert "01_tensors" not in student.lay()
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


@pytest.mark.parametrize("content", ["", "{", "<<<<<<< mine", "\x00"])
def test_students_file_that_is_no_notebook_is_left_alone(student, content):
    write(student.work / "01_tensors.ipynb", content)
    student.publish("01_tensors", "3 + 3")
    student.lay()
    assert (student.work / "01_tensors.ipynb").read_text("utf-8") == content


def test_students_folder_with_a_notebooks_name_is_left_alone(student):
    (student.work / "01_tensors.ipynb").unlink()
    (student.work / "01_tensors.ipynb").mkdir()
    assert "rename it" in student.lay()


def test_published_notebook_that_is_damaged_is_named(student):
    write(student.root / "notebooks" / "01_tensors.ipynb", "<<<<<<< HEAD")
    (student.work / "00_start_here.ipynb").unlink()
    assert "notebooks/01_tensors.ipynb" in student.lay()
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]
    with pytest.raises(CourseError, match="notebooks/01_tensors.ipynb"):
        student.reset("01")


# -- Reset -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1", "01", "01_tensors", "01_tensors.ipynb", "work/01_tensors"])
def test_reset_backs_up_and_lays_a_fresh_copy(student, name, capsys):
    edited = student.edit("01_tensors")
    student.reset(name)
    (backup,) = (student.work / "backup").iterdir()
    assert re.fullmatch(r"01_tensors \d{4}-\d\d-\d\d \d\d-\d\d-\d\d\.ipynb", backup.name)
    assert f"work/backup/{backup.name}" in capsys.readouterr().out
    assert backup.read_bytes() == edited
    assert (student.work / "01_tensors.ipynb").read_text("utf-8") == notebook("2 + 2", False)


def test_reset_never_overwrites_a_backup(student):
    contents = set()
    for text in "abc":
        contents.add(student.edit("01_tensors", text))
        student.reset("01")
    assert {path.read_bytes() for path in (student.work / "backup").iterdir()} == contents


def test_reset_takes_the_newest_version_and_is_the_last_word(student):
    student.edit("01_tensors")
    student.publish("01_tensors", "3 + 3")
    student.reset("01")
    assert "01_tensors" not in student.lay()
    assert student.copies() == ["00_start_here.ipynb", "01_tensors.ipynb"]


@pytest.mark.parametrize("name", ["7", "tensor", "", ".", "01_tensors (new)", "²"])
def test_reset_of_what_does_not_exist_lists_what_does(student, name):
    edited = student.edit("01_tensors")
    with pytest.raises(CourseError, match="there are: 00_start_here, 01_tensors"):
        student.reset("01", name)
    # Nothing is done by halves.
    assert (student.work / "01_tensors.ipynb").read_bytes() == edited


# -- Elsewhere than in the course --------------------------------------------------------------


@pytest.fixture
def elsewhere(student, monkeypatch):
    """A folder for copies, with a space in its name, that COURSE_WORK names."""
    monkeypatch.setenv("COURSE_WORK", str(student.root.parent / "my copies"))
    return student.root.parent / "my copies"


def test_copies_lie_where_they_are_asked_for(elsewhere, capsys):
    assert workspace.copies() == 0
    assert sorted(path.name for path in elsewhere.glob("*.ipynb")) == [
        "00_start_here.ipynb",
        "01_tensors.ipynb",
    ]
    assert capsys.readouterr().out == f"Your notebooks lie beside {elsewhere / workspace.FIRST}.\n"


def test_where_the_course_may_only_be_read_copies_lie_at_home(student, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_WORK", raising=False)
    monkeypatch.setattr(Path, "home", lambda: student.root.parent / "home")
    # Not by chmod: whoever is root writes all the same.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != ROOT)
    monkeypatch.setattr(folders, "INSIDE", ROOT / "not there yet")
    workspace.copies()
    first = student.root.parent / "home" / "pytorch-course" / "00_start_here.ipynb"
    assert first.is_file()
    said = capsys.readouterr().out
    assert "may only be read" in said and "--work FOLDER" in said and str(first) in said


@pytest.mark.parametrize("folder", ["", "notebooks"])
def test_copies_do_not_lie_among_the_published(student, monkeypatch, folder):
    monkeypatch.setenv("COURSE_WORK", str(ROOT / folder))
    monkeypatch.setattr(workspace, "PUBLISHED", ROOT / "notebooks")
    with pytest.raises(CourseError, match="another folder"):
        workspace.copies()
    with pytest.raises(CourseError, match="another folder"):
        workspace.reset(["00"], folders.work_folder())


def test_a_copy_outside_the_course_finds_it_and_says_so_if_it_cannot(elsewhere):
    workspace.copies()
    setup = code_cells(read(published()[0]))[0].source.partition("set_up(")[0] + "print(root)"

    def run(folder):
        command = [sys.executable, "-c", setup]
        return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")

    (elsewhere / "live").mkdir()
    assert run(elsewhere).stdout == run(elsewhere / "live").stdout == f"{ROOT}\n"
    (elsewhere / folders.POINTER).write_text("where the course was before", encoding="utf-8")
    assert "needs the course around it: open it" in run(elsewhere).stderr
    workspace.copies()  # lays the pointer anew
    assert run(elsewhere).stdout == f"{ROOT}\n"


@pytest.mark.parametrize("variable", ["JUPYTER_SERVER_ROOT", "JUPYTERHUB_ROOT_DIR", "HOME"])
def test_within_a_hub_it_is_said_where_to_click(elsewhere, variable, monkeypatch, capsys):
    for name in ("JUPYTER_SERVER_ROOT", "JUPYTERHUB_ROOT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(
        "USERPROFILE" if (variable, os.name) == ("HOME", "nt") else variable, str(elsewhere.parent)
    )
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    workspace.copies()
    said = capsys.readouterr().out
    assert "Open my copies/00_start_here.ipynb" in said
    assert "/user/ada/lab/tree/my%20copies/00_start_here.ipynb" in said


def test_a_hub_that_cannot_show_the_copies_says_what_to_type(elsewhere, monkeypatch, capsys):
    served = elsewhere.parent / "served"
    monkeypatch.setenv("JUPYTER_SERVER_ROOT", str(served))
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    workspace.copies()
    assert f'copies --work "{served / "pytorch-course"}"' in capsys.readouterr().out
