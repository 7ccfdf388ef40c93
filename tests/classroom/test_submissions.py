"""Hand-ins as platforms deliver them, and as they should not be."""

import io
import json
import os
import zipfile

import pytest
from made_up import notebook, zipped

from tools.classroom.standing import exercises_by_notebook
from tools.classroom.submissions import students_in
from tools.setup.console import CourseError

STEM = "00_start_here"
EXERCISES = exercises_by_notebook()
MINE = notebook(STEM, steps_per_epoch="steps_per_epoch = 10")
OTHER = notebook(STEM, steps_per_epoch="steps_per_epoch = 500")


def read(folder):
    """Return {name: student} of a folder."""
    return {student.name: student for student in students_in(folder, EXERCISES)}


def answer_of(student):
    """Return the source of the answer in a student's notebook 00."""
    return next(s for _, tags, s in student.notebooks[STEM] if "steps_per_epoch" in tags)


def linked(name, target):
    """Return a zip in which a name is a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, target)
    return out.getvalue()


def dated(name, content, year):
    """Return a zip whose file was changed in a year."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


FILE = f"{STEM}.ipynb"
HAND_IN = zipped({FILE: MINE})
DELIVERED = {
    "Moodle": {
        f"Jürgen von Möller_1234_assignsubmission_file_/{FILE}": MINE,
        "Zoë Ångström_77_assignsubmission_file_hand-in 2026-11-22 14-05.zip": HAND_IN,
        "Wei Wang_8_assignsubmission_file_/hand-in 2026-11-22 14-05.zip": HAND_IN,
        "Wei Wang_8_assignsubmission_onlinetext_/onlinetext.html": b"here it is",
        "Wei Wang_9_assignsubmission_file_/hand-in 2026-11-22 14-05.zip": HAND_IN,
    },
    "Canvas": {
        f"mollerjurgen_LATE_123_456_{FILE}": MINE,
        "wangwei_8_457_hand-in 2026-11-22 14-05-1.zip": HAND_IN,
        "wangwei_9_458_hand-in 2026-11-22 14-05.zip": HAND_IN,
    },
    "Gradescope": {
        f"assignment_77_export/submission_1/{FILE}": MINE,
        "assignment_77_export/submission_2/hand-in 2026-11-22 14-05.zip": HAND_IN,
        f"assignment_77_export/submission_3/work/{FILE}": MINE,
        "assignment_77_export/submission_metadata.yml": (
            "submission_1:\n  :submitters:\n  - :name: Jürgen von Möller\n    :sid: '100'\n"
            "  - :name: \"Zoë Ångström\"\n    :sid: '101'\n  :score: 1.0\n  :history:\n"
            "  - :id: 7\n    :submitters:\n    - :name: Somebody Else\n"
            "submission_2:\n  :submitters:\n  - :name: Wei Wang\n    :sid: '102'\n"
            "submission_3:\n  :submitters:\n  - :name: Wei Wang\n    :sid: '103'\n"
        ).encode(),
    },
    "Brightspace": {
        f"55-66 - Jürgen von Möller - Nov 22, 2026 205 PM/{FILE}": MINE,
        "57-66 - Wei Wang - Nov 22, 2026 1105 AM - hand-in 2026-11-22 14-05.zip": HAND_IN,
        "index.html": b"<p>",
    },
    "Blackboard": {
        "Week 3_jmoller_attempt_2026-11-22-14-05-00_hand-in.zip": HAND_IN,
        "Week 3_jmoller_attempt_2026-11-22-14-05-00.txt": b"Name: Jurgen",
    },
    "by hand": {
        f"class of 2026/Jürgen von Möller/{FILE}": MINE,
        "class of 2026/Kim.zip": HAND_IN,
        "class of 2026/Lee.ipynb": MINE,
        "class of 2026/Lee (1).ipynb": MINE,
    },
    "by mail": {"hand-in 2026-11-22 14-05.zip": HAND_IN, f"{STEM} (1).ipynb": MINE, FILE: MINE},
}
NAMED = {
    "Moodle": ["Jürgen von Möller", "Wei Wang (8)", "Wei Wang (9)", "Zoë Ångström"],
    "Canvas": ["mollerjurgen", "wangwei (8)", "wangwei (9)"],
    "Gradescope": ["Jürgen von Möller, Zoë Ångström", "Wei Wang (2)", "Wei Wang (3)"],
    "Brightspace": ["Jürgen von Möller", "Wei Wang"],
    "Blackboard": ["jmoller"],
    "by hand": ["Jürgen von Möller", "Kim", "Lee"],
    "by mail": [STEM, f"{STEM} (1)", "hand-in 2026-11-22 14-05"],
}


@pytest.mark.parametrize("platform", DELIVERED)
def test_each_student_has_a_row_whatever_the_platform(tmp_path, platform):
    folder, packed = tmp_path / "unpacked", tmp_path / "download.zip"
    packed.write_bytes(zipped({**DELIVERED[platform], f"__MACOSX/{FILE}": MINE}))
    for name, content in DELIVERED[platform].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for place in (packed, folder):
        students = read(place)
        assert sorted(students) == NAMED[platform]
        assert all("= 10" in answer_of(student) for student in students.values())
        said = [note for student in students.values() for note in student.notes]
        assert len(said) == (3 if platform == "by mail" else 0)


def test_a_zip_alone_in_a_folder_is_all_hand_ins_or_that_of_the_only_student(tmp_path):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "download.zip").write_bytes(zipped({"Ann.zip": HAND_IN, "Bob.zip": b""}))
    assert list(read(tmp_path / "all")) == ["Ann", "Bob"]
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "Ann.zip").write_bytes(zipped({FILE: MINE, "progress.json": b"{}"}))
    assert list(read(tmp_path / "one")) == ["Ann"]


def test_who_has_handed_in_an_empty_folder_has_a_row(tmp_path):
    (tmp_path / "Ann_7_assignsubmission_file_").mkdir()
    (tmp_path / "Bob.ipynb").write_bytes(MINE)
    assert read(tmp_path)["Ann"].notes == ["There is no notebook of the course in this hand-in."]


def test_the_newest_version_counts_and_that_is_said(tmp_path):
    (tmp_path / "Ann.zip").write_bytes(dated(f"{STEM}.ipynb", MINE, 2026))
    (tmp_path / "Ann (1).zip").write_bytes(dated(f"{STEM}.ipynb", OTHER, 2025))
    (tmp_path / "Bob.zip").write_bytes(dated(f"{STEM}.ipynb", OTHER, 2025))
    (tmp_path / "Bob_v2.zip").write_bytes(dated(f"{STEM} (1).ipynb", MINE, 2026))
    for student in read(tmp_path).values():
        assert "= 10" in answer_of(student)
        assert student.notes == [f"There are several versions of {STEM}: the newest counts."]


def bomb():
    """Return a zip with a notebook of 50 MB in a few kilobytes."""
    return zipped({f"{STEM}.ipynb": b" " * 50_000_000})


def lying():
    """Return a zip that says its 50 MB were 10 bytes."""
    content = bytearray(bomb())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = content.index(mark) + place
        content[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def nested(depth):
    """Return a zip in a zip in a zip."""
    content = zipped({f"{STEM}.ipynb": MINE})
    for _ in range(depth):
        content = zipped({"inner.zip": content})
    return content


OLD = json.loads(MINE)
OLD["cells"] = [
    {**cell, "source": "".join(cell["source"]).replace("set_up(edition=2)", "set_up()")}
    for cell in OLD["cells"]
]
BAD = {
    "empty zip": (b"", "damaged"),
    "cut": (zipped({f"{STEM}.ipynb": MINE})[:-30], "damaged"),
    "no notebook": (zipped({"a.ipynb": b"hello"}), "is no notebook"),
    "a list": (zipped({"a.ipynb": b"[1]"}), "is no notebook"),
    "brackets": (zipped({"a.ipynb": b"[" * 100_000}), "is no notebook"),
    "empty": (zipped({"a.ipynb": b""}), "is empty"),
    "foreign": (zipped({"a.ipynb": b'{"cells": []}'}), "is no notebook of the course"),
    "old": (zipped({f"{STEM}.ipynb": json.dumps(OLD)}), "is of edition 1; edition 2 is graded"),
    "link": (linked(f"{STEM}.ipynb", "/etc/passwd"), "is a link"),
    "bomb": (bomb(), "is too large"),
    "lying bomb": (lying(), "cannot be read"),
    "deep": (nested(6), "lies too deep"),
    "other archive": (zipped({"mine.rar": b"x"}), "is no zip"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_hand_in_costs_its_own_row_and_is_said(tmp_path, kind):
    content, says = BAD[kind]
    (tmp_path / "Bad.zip").write_bytes(content)
    (tmp_path / "Good.zip").write_bytes(zipped({f"{STEM}.ipynb": MINE}))
    students = read(tmp_path)
    assert "= 10" in answer_of(students["Good"])
    assert not students["Bad"].notebooks and says in " ".join(students["Bad"].notes)


def test_a_path_that_climbs_out_is_a_name_alone(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "Ann.zip").write_bytes(zipped({f"../../{STEM}.ipynb": MINE, "/etc/x.ipynb": MINE}))
    (folder / "Bob.zip").write_bytes(zipped({f"{STEM}.ipynb": MINE}))
    student = read(folder)["Ann"]
    assert "= 10" in answer_of(student) and "climbs out" in student.notes[0]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_a_link_in_a_folder_is_not_followed(tmp_path):
    (tmp_path / "in" / "Ann").mkdir(parents=True)
    (tmp_path / "secret.ipynb").write_bytes(MINE)
    (tmp_path / "in" / "Ann" / f"{STEM}.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "in" / "Bob").symlink_to(tmp_path)
    students = read(tmp_path / "in")
    assert not students["Ann"].notebooks and "is a link" in students["Ann"].notes[0]
    assert not students["Bob"].notebooks and "is a link" in students["Bob"].notes[0]


def test_a_folder_that_is_not_there_or_empty_is_said(tmp_path):
    with pytest.raises(CourseError, match="There is no"):
        read(tmp_path / "nowhere")
    with pytest.raises(CourseError, match="nothing in"):
        read(tmp_path)
