"""What a student types: `course.py progress` and `course.py hand-in`."""

import json
import zipfile

import pytest

from tools.classroom import hand_in, standing
from tools.setup import workspace
from tools.setup.console import CourseError


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A student's folder with fresh copies of all notebooks."""
    folder = tmp_path / "work"
    workspace.lay_copies(folder)
    monkeypatch.setenv("COURSE_WORK", str(folder))
    return folder


def note(work, **modules):
    (work / "progress.json").write_text(json.dumps(modules))


def test_progress_counts_right_wrong_and_open(work, capsys):
    note(work, tensors={"min_max": "right", "one_hot": "wrong"}, start_here={"gone": "right"})
    assert standing.progress() == 0
    lines = capsys.readouterr().out.splitlines()
    assert "01_tensors" in lines[1] and " 1 right,  1 wrong,  6 open" in lines[1]
    assert " 0 right,  0 wrong,  1 open" in lines[0]  # an exercise that is gone counts nowhere
    assert lines[-1] == f"Next: one_hot, in {work / '01_tensors.ipynb'}"


def test_progress_without_notes_and_with_damaged_ones(work, capsys):
    standing.progress()
    assert " 0 right,  0 wrong,  8 open" in capsys.readouterr().out
    (work / "progress.json").write_text("{")
    standing.progress()
    assert "was damaged" in capsys.readouterr().out


def test_the_names_are_those_of_the_exercises():
    from tools.notebooks.solved import exercises_of

    for stem, names in standing.exercises_by_notebook().items():
        assert sorted(names) == sorted(exercises_of(stem))


def test_a_hand_in_holds_what_was_changed_and_never_overwrites(work, tmp_path, capsys):
    copy = work / "01_tensors.ipynb"
    copy.write_text(
        copy.read_text(encoding="utf-8").replace("broadcast.check()", 'broadcast.check("A")'),
        encoding="utf-8",
    )
    (work / "backup").mkdir()
    (work / "backup" / "01_tensors old.ipynb").write_text("{}")
    note(work, tensors={"min_max": "right"})
    assert hand_in.hand_in(tmp_path) == hand_in.hand_in(tmp_path) == 0
    out = capsys.readouterr().out
    assert "1 right" in out and "not right yet: broadcast" in out
    paths = sorted(tmp_path.glob("hand-in *.zip"))
    assert len(paths) == 2
    with zipfile.ZipFile(paths[0]) as archive:
        assert sorted(archive.namelist()) == ["01_tensors.ipynb", "progress.json"]
        assert archive.read("01_tensors.ipynb") == copy.read_bytes()


def test_nothing_to_hand_in_and_no_folder_are_said(work, tmp_path):
    with pytest.raises(CourseError, match="nothing to hand in"):
        hand_in.hand_in(tmp_path)
    (work / "mine.ipynb").write_text("{}")
    with pytest.raises(CourseError, match="is no folder"):
        hand_in.hand_in(tmp_path / "nowhere")
