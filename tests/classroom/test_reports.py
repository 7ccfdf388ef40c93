"""`course.py grade` as a whole: what comes out, and that it goes on where it was."""

import csv
import json
import re
import sys

import pytest
from made_up import notebook, zipped

from tools.classroom import grade
from tools.classroom.reports import Class, Place, class_page, gradescope, student_page, table

STEM = "00_start_here"
EXERCISES = {STEM: ["steps_per_epoch"], "01_tensors": ["min_max"]}
PLACES = {(STEM, "steps_per_epoch"): Place("steps-per-epoch", "4 · Which words will you meet?")}


def result(name, status, **more):
    """Return one student's result on notebook 00."""
    found = {"status": status, "message": status, "misconception": "", "odd": [], **more}
    books = {STEM: {"steps_per_epoch": found}}
    return {"name": name, "folder": "f", "notes": [], "notebooks": books}


def test_what_nobody_handed_in_is_not_asked_for_and_misconceptions_are_counted():
    results = [
        result("A", "right"),
        result("B", "wrong", misconception="500 is the number of samples"),
        result("C", "wrong", misconception="500 is the number of samples"),
        {"name": "D", "folder": "d", "notes": ["nothing"], "notebooks": {}},
    ]
    group = Class(results, EXERCISES, PLACES, ["Guarded: all."])
    assert group.columns == [(STEM, "steps_per_epoch")] and group.share(group.columns[0]) == 0.25
    assert group.misconceptions() == [(2, STEM, "steps_per_epoch", "500 is the number of samples")]
    page = class_page(group)
    assert "00, 4 · Which words will you meet?, cell <code>steps-per-epoch</code>" in page
    assert "25 %" in page and "<li>2 × 500 is the number of samples</li>" in page
    linked = class_page(Class(results, EXERCISES, PLACES, [], site="../site"))
    assert 'href="../site/notebooks/00_start_here.html#steps-per-epoch"' in linked
    rows = list(csv.reader(table(group).splitlines()))
    assert [row[1] for row in rows[1:]] == ["right", "wrong", "wrong", "missing"]
    assert gradescope(group, results[0])["score"] == 1
    assert gradescope(group, results[3])["tests"][0]["status"] == "failed"


def test_what_a_student_wrote_is_text():
    evil = "<script>alert(1)</script>\ud800"
    group = Class([result(evil, "wrong", message=evil, odd=[evil])], EXERCISES, PLACES, [evil])
    for page in (class_page(group), student_page(group, group.results[0])):
        assert "<script>alert" not in page and "&lt;script&gt;" in page
        assert not re.search(r'(?:src|href)="(?!students/)', page)
    assert (
        next(
            csv.reader(
                table(Class([result("=1+1", "right")], EXERCISES, PLACES, [])).splitlines()[1:]
            )
        )[0]
        == "'=1+1"
    )


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="hand-ins are graded on Linux")
def test_a_class_is_graded_and_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name, value in (("Jürgen Möller", "10"), ("Ann", "500"), ("Eve", "undefined")):
        content = notebook(STEM, steps_per_epoch=f"steps_per_epoch = {value}")
        (folder / f"{name}.zip").write_bytes(zipped({f"{STEM}.ipynb": content}))
    arguments = [str(folder), "--out", str(out), "--seconds", "5", "--workers", "1"]
    assert grade.main(arguments) == 0
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8-sig")))
    assert [row["00 steps_per_epoch"] for row in rows] == ["wrong", "wrong", "right"]
    assert "500 is the number of samples" in (out / "class.html").read_text(encoding="utf-8")
    (path,) = out.glob("students/Jürgen*/results.json")
    assert json.loads(path.read_text(encoding="utf-8"))["score"] == 1
    # As after a stop: one result is lost, and only that is graded anew.
    (kept,) = out.glob("students/Ann*/graded.json")
    kept.unlink()
    graded = []
    worker_of = grade.Worker.grade

    def counted(worker, notebooks):
        graded.append(notebooks)
        return worker_of(worker, notebooks)

    monkeypatch.setattr(grade.Worker, "grade", counted)
    assert grade.main(arguments) == 0 and len(graded) == 1
    # All is there: no worker starts, and the pages are the same.
    monkeypatch.setattr(grade, "Worker", None)
    page = (out / "class.html").read_text(encoding="utf-8")
    assert grade.main(arguments) == 0
    again = (out / "class.html").read_text(encoding="utf-8")
    assert again.split("What was guarded")[0] == page.split("What was guarded")[0]
    assert "all results are from before" in capsys.readouterr().out
