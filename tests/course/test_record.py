"""What a student has done is noted, in work/ beyond the life of a kernel, and nothing gets lost."""

import json

import pytest
import torch

from utils import folders
from utils.exercises import function_fitting, record
from utils.exercises.core import FunctionExercise, WrongAnswer

LETTERS = function_fitting.true_of_training


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder of a student's copies, in which the kernel runs."""
    monkeypatch.setattr(folders, "INSIDE", tmp_path)
    monkeypatch.setattr(record, "_noted", {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(capsys):
    """Return the lines that the last cell of notebook 02 prints."""
    capsys.readouterr()
    record.show(function_fitting)
    return capsys.readouterr().out.splitlines()


def test_right_wrong_and_open_are_shown_and_the_last_verdict_counts(work, capsys):
    LETTERS.check("A")
    function_fitting.parabola_gradient.check(lambda a, c, x, y: ...)
    assert shown(capsys)[0] == "0 of 6 exercises are right."
    assert "✗ true_of_training: wrong" in shown(capsys)
    LETTERS.check("A", "B", "F")
    lines = shown(capsys)
    assert lines[0] == "1 of 6 exercises are right." and len(lines) == 7
    assert "✓ true_of_training: right" in lines and "○ parabola_gradient: open" in lines


def test_another_kernel_finds_what_was_noted_and_untouched_exercises_change_nothing(
    work, capsys, monkeypatch
):
    LETTERS.check("A", "B", "F")
    monkeypatch.setattr(record, "_noted", {})  # as a new kernel has it
    LETTERS.check()
    assert "✓ true_of_training: right" in shown(capsys)
    assert json.loads((work / "progress.json").read_text()) == {
        "function_fitting": {"true_of_training": "right"}
    }


def test_copies_that_lie_outside_the_course_have_their_notes_beside_them(work, monkeypatch):
    elsewhere = work / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / folders.POINTER).write_text("the course's folder")
    monkeypatch.chdir(elsewhere)
    LETTERS.check("A", "B", "F")
    noted = json.loads((elsewhere / "progress.json").read_text())
    assert noted == {"function_fitting": {"true_of_training": "right"}}
    assert not (work / "progress.json").exists()


def test_outside_of_the_students_copies_no_file_is_written(work, capsys, monkeypatch):
    (work / "notebooks").mkdir()
    monkeypatch.chdir(work / "notebooks")
    LETTERS.check("A", "B", "F")
    assert "✓ true_of_training: right" in shown(capsys)
    assert [path.name for path in work.rglob("*")] == ["notebooks"]


@pytest.mark.parametrize("text", ["not json", "[1]", '{"function_fitting": {"a": "fine"}}'])
def test_a_file_that_is_not_ours_is_put_aside(work, capsys, text):
    (work / "progress.json").write_text(text)
    LETTERS.check("A", "B", "F")
    assert "✓ true_of_training: right" in shown(capsys)
    assert (work / "progress.damaged").read_text() == text


def test_a_file_that_cannot_be_read_stays_as_it_is(work, capsys):
    (work / "progress.json").mkdir()  # reading it fails, as with a file that another program locks
    LETTERS.check("A", "B", "F")
    assert "✓ true_of_training: right" in shown(capsys)
    assert [path.name for path in work.iterdir()] == ["progress.json"]


def test_an_exercise_of_nobody_is_not_noted(work):
    own = FunctionExercise(
        "own",
        cases=lambda: [(torch.ones(2),)],
        hints=("", ""),
        solution="def own(x):\n    return x",
        insight="",
        wrong_answers=[WrongAnswer("def own(x):\n    return -x", "", "")] * 2,
    )
    own.check(lambda x: x)
    assert not (work / "progress.json").exists()
