"""A new notebook: a skeleton that passes the course's tests, laid where nothing is."""

import os
import shutil
import subprocess
import sys

import pytest

from tools.notebooks.new import lay
from tools.settings import ROOT
from tools.setup.console import CourseError


@pytest.fixture
def course(tmp_path):
    """The parts of the course that a new notebook is laid beside, in a folder of their own."""
    parts = ["notebooks/00_start_here.ipynb", "utils/exercises/core.py", "tools/pack.py"]
    for part in [*parts, "TEACHING.md", "tests/course/test_exercise_answers.py"]:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / part, tmp_path / part)
    return tmp_path


def content_of(folder):
    """Return all files of a folder: path -> bytes."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "number, name, question, words",
    [
        ("00", "vision", "Why?", "notebooks/00_start_here.ipynb is there already"),
        ("70", "core", "Why?", "utils/exercises/core.py is there already"),
        ("70", "pack", "Why?", "tools/pack.py is there already"),
        ("6", "vision", "Why?", "TEACHING.md has a plan for notebook 06 already"),
        ("100", "vision", "Why?", "one of 00 to 99, not 100"),
        ("70", "class", "Why?", "'class' names no Python module"),
        ("70", "my-vision", "Why?", "'my-vision' names no Python module"),
        ("70", "vision", "Because.", "'Because.' has no"),
    ],
)
def test_what_cannot_be_laid_is_said_and_nothing_is_written(course, number, name, question, words):
    before = content_of(course)
    with pytest.raises(CourseError, match=words):
        lay(number, name, question, course)
    assert content_of(course) == before


def test_a_plan_stands_in_the_order_of_the_numbers(course):
    lay("70", "vision", "Why?", course)
    lay("60", "tuning", None, course)
    lines = (course / "TEACHING.md").read_text(encoding="utf-8").splitlines()
    titles = [line for line in lines if line.startswith("## ")]
    place = titles.index("## 60 · What does this notebook answer?")
    assert titles[place - 1] < titles[place]
    assert titles[place + 1 : place + 3] == ["## 70 · Why?", "## Programmes"]


@pytest.mark.full
def test_a_new_notebook_passes_the_tests_of_the_course(tmp_path):
    apart = shutil.ignore_patterns(".*", "build", "work", "__pycache__")
    course = shutil.copytree(ROOT, tmp_path / "course", ignore=apart)
    environment = {key: value for key, value in os.environ.items() if key[:7] != "PYTEST_"}
    environment["PYTHONUTF8"] = "1"

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=course, env=environment, capture_output=True, encoding="utf-8"
        )

    laid = run("-m", "tools.notebooks.new", "97", "vision", "How does a network see?")
    assert laid.returncode == 0, laid.stderr
    refreshed = run("-m", "tools.notebooks.refresh", "97")
    assert "97_vision.ipynb: written" in refreshed.stdout, refreshed.stdout + refreshed.stderr
    tests = ["tests/course/test_notebooks.py", "tests/course/test_exercises.py"]
    tests += ["tests/course/test_exercise_answers.py", "tests/course/test_layout.py"]
    tests += ["tests/tools/test_teaching.py"]
    tests += ["-k", "97 or vision or layout or tables or every_exercise_has or no_other"]
    tested = run("-m", "pytest", "--full", "--numprocesses=0", *tests)
    assert tested.returncode == 0, tested.stdout
