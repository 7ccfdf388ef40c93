"""What comes of answers, right, wrong and hostile: each costs its own row and nothing else."""

import os
import re
import socket
import sys

import pytest
import torch
from made_up import HOSTILE, NAME, STEM, all_right, notebook, wrong_source

from tools.classroom.grade import Worker
from tools.classroom.submissions import code_cells_of
from tools.notebooks.files import code_cells, published, read, tags
from tools.notebooks.solved import exercises_of
from tools.settings import ROOT
from utils.exercises.core import ChoiceExercise

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="hand-ins are graded on Linux")
SECONDS = 2


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """A worker as `course.py grade` starts it, in an environment with a secret."""
    os.environ["SECRET_TOKEN"] = "of the instructor"
    scratch = tmp_path_factory.mktemp("scratch")
    scratch.chmod(0o711)
    worker = Worker({"seconds": SECONDS, "memory": 500_000_000}, str(scratch))
    del os.environ["SECRET_TOKEN"]
    yield worker
    worker.stop()


def graded(worker, source):
    """Return what is found on the exercise of notebook 00, answered by this source."""
    cells = code_cells_of(notebook(STEM, steps_per_epoch=source))
    return worker.grade({STEM: cells})[STEM][NAME]


# ---------------------------------------------------------------------------- right and wrong
def test_a_solved_notebook_is_right_and_an_untouched_one_is_open(worker):
    found = worker.grade({"01_tensors": code_cells_of(all_right("01_tensors"))})["01_tensors"]
    assert {each["status"] for each in found.values()} == {"right"} and len(found) == 8
    assert not any(each["odd"] for each in found.values())
    found = worker.grade({"01_tensors": code_cells_of(notebook("01_tensors"))})["01_tensors"]
    assert {each["status"] for each in found.values()} == {"open"}


def variants():
    """Yield (stem, {exercise: (source of its cell, arguments that check gets)}), all that is known.

    The first holds the stubs, the second the solutions, then come the known wrong answers.
    """
    for path in published():
        exercises = exercises_of(path.stem)
        sources = {
            name: cell.source
            for cell in code_cells(read(path))
            for name in set(tags(cell)) & set(exercises)
        }
        most = max(len(exercise.wrong_answers) for exercise in exercises.values())
        for number in range(most):
            batch = {}
            for name, exercise in exercises.items():
                if number < len(exercise.wrong_answers):
                    wrong = exercise.wrong_answers[number]
                    choice = isinstance(exercise, ChoiceExercise)
                    given = (wrong.code,) if choice else (exercise.define(wrong.code),)
                    batch[name] = wrong_source(sources[name], exercise, wrong), given
            yield pytest.param(path.stem, batch, id=f"{path.stem[:2]}-{number}")


def without_line(message):
    """Return a message without the line of the student's code, which only a notebook knows."""
    return [line for line in message.splitlines() if not line.startswith("    line ")]


@pytest.mark.full
@pytest.mark.parametrize("stem, batch", list(variants()))
def test_a_known_wrong_answer_gets_the_verdict_of_the_notebook(worker, stem, batch):
    cells = code_cells_of(notebook(stem))
    # Of one batch only its own exercises: the other stubs have no cell.
    asked = [cell for cell in cells if not set(cell[1]) & set(exercises_of(stem)) - set(batch)]
    for cell in asked:
        for name in set(cell[1]) & set(batch):
            cell[2] = batch[name][0]
    found = worker.grade({stem: asked})[stem]
    for name, (_, given) in batch.items():
        torch.manual_seed(0)
        verdict = exercises_of(stem)[name].grade(*given)
        assert found[name]["status"] == verdict.status == "wrong"
        assert without_line(found[name]["message"]) == without_line(verdict.message)
        assert found[name]["misconception"] and not found[name]["odd"]


@pytest.mark.full
@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem[:2])
def test_every_solution_is_right_and_every_stub_is_open(worker, path):
    for content, status in ((all_right(path.stem), "right"), (notebook(path.stem), "open")):
        found = worker.grade({path.stem: code_cells_of(content)})[path.stem]
        assert {name: each["status"] for name, each in found.items()} == dict.fromkeys(
            exercises_of(path.stem), status
        )
        assert not any(each["odd"] for each in found.values())


def test_what_an_answer_needs_from_other_cells_is_there_and_nothing_else_runs(worker):
    cells = code_cells_of(notebook(STEM, steps_per_epoch=f"{NAME} = samples // half(100)"))
    cells[2:2] = [
        ["a", [], "while False: pass\nsamples = 100\nsamples = samples * 5\nprint(samples)"],
        ["b", [], "import time\n%timeit 1\nopen('x', 'w')\ntime.sleep(1000)"],
        ["c", [], "def half(n):\n    return n // 2\n\nraise ValueError"],
    ]
    assert worker.grade({STEM: cells})[STEM][NAME]["status"] == "right"


@pytest.mark.parametrize(
    "source, says",
    [
        (f"{NAME} = 500 //", "SyntaxError"),
        (f"{NAME} = nowhere", "NameError: name 'nowhere' is not defined"),
        (f"{NAME} = 500", "500 is the number of samples"),
    ],
)
def test_what_went_wrong_is_said(worker, source, says):
    found = graded(worker, source)
    assert found["status"] == "wrong" and says in found["message"]


@pytest.mark.full
def test_a_worker_that_ends_is_started_anew(worker):
    worker.process.kill()
    assert graded(worker, f"{NAME} = 10")["status"] == "right"


# -------------------------------------------------------------------------------------- hostile
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_costs_its_own_row_only(worker, kind):
    source, says = HOSTILE[kind]
    found = graded(worker, source)
    assert found["status"] == "wrong" and says in found["message"] + found["status"]
    assert found["seconds"] < 5 * SECONDS


def test_a_gigabyte_of_prints_goes_nowhere(worker):
    found = graded(worker, f"for _ in range(1000):\n    print('x' * 10**6)\n{NAME} = 10")
    assert found["status"] == "right"


def test_a_patched_torch_makes_nothing_right(worker):
    patch = "import torch\ntorch.allclose = torch.equal = lambda *given, **more: True\n"
    answer = f"{patch}def min_max(x):\n    return torch.zeros_like(x)"
    cells = code_cells_of(notebook("01_tensors", min_max=answer))
    found = worker.grade({"01_tensors": cells})["01_tensors"]["min_max"]
    assert found["status"] == "wrong" and "changes torch.allclose" in found["odd"]


def test_too_few_outcomes_are_not_right(worker):
    forged = 'os.write(3, b\'{"outcomes": [], "looped": false, "end": true}\\n\')\nos._exit(0)'
    cells = code_cells_of(notebook("01_tensors", min_max=f"import os\n{forged}"))
    found = worker.grade({"01_tensors": cells})["01_tensors"]["min_max"]
    assert found["status"] == "wrong" and "imports os" in found["odd"]


def test_a_forged_report_is_noticed(worker):
    forged = 'os.write(3, b\'{"answer": [["int", "10"]], "end": true}\\n\')\nos._exit(0)'
    found = graded(worker, f"import os\n{forged}")
    assert "imports os" in found["odd"]


def test_the_instructors_files_variables_and_processes_are_out_of_reach(worker, tmp_path):
    if not {"files", "connections", "signals"} <= set(worker.guards):
        pytest.skip("this Linux has no Landlock, or an old one")
    other = tmp_path / "other student.ipynb"
    other.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        tries = {
            f"open({str(other)!r}).read()": "PermissionError",
            "open('/etc/passwd').read()": "PermissionError",
            "open('../escaped', 'w')": "PermissionError",
            "__import__('os').listdir('..')": "PermissionError",
            "open(f'/proc/{__import__(\"os\").getppid()}/environ').read()": "PermissionError",
            "__import__('os').environ.get('SECRET_TOKEN')": "None",
            "__import__('os').kill(__import__('os').getppid(), 9)": "PermissionError",
            f"__import__('socket').create_connection({server.getsockname()!r})": "PermissionError",
            "__import__('subprocess').run(['/bin/true'])": "Error",
            "open('mine', 'w').write('12')": "2",
        }
        for source, outcome in tries.items():
            code = f"try:\n    got = {source}\nexcept Exception as error:\n    got = error\n"
            found = graded(worker, f"{code}raise ValueError(type(got).__name__, got)")
            assert outcome in found["message"], source


@pytest.mark.full
def test_the_own_cases_on_the_teaching_page_take_the_place_of_the_public_ones(tmp_path):
    from tools.classroom.worker import put_in  # Linux only

    own = tmp_path / "own.py"
    page = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    own.write_text(re.search(r"```\n(import copy, torch\n.+?)```", page, re.S)[1])
    only_these = (
        "import torch\n\ndef min_max(x):\n"
        "    return torch.tensor([0, 6 / 38, 1]) if 41 in x else torch.tensor([0.0, 1.0])"
    )
    limits = {"seconds": SECONDS, "memory": 500_000_000}
    worker = Worker(limits, str(tmp_path), [str(own)])
    for answer, status in ((only_these, "right"), (True, "right"), ("min_max = 3", "wrong")):
        cells = code_cells_of(notebook("01_tensors", min_max=answer))
        assert worker.grade({"01_tensors": cells})["01_tensors"]["min_max"]["status"] == status
    worker.stop()
    own.write_text("from utils.exercises.tensors import min_max as own\n\nmaximum = own\n")
    with pytest.raises(ValueError, match="no notebook has an exercise"):
        put_in(str(own), {"01_tensors": exercises_of("01_tensors")})


def test_the_teaching_page_names_the_exercises_whose_outcome_is_taken_on_trust():
    page = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    said = page.split("watch a function at work (")[1].split(")")[0]
    watching = [
        name
        for path in published()
        for name, exercise in exercises_of(path.stem).items()
        if getattr(exercise, "watch", None)
    ]
    assert sorted(re.findall(r"`(\w+)`", said)) == sorted(watching)
