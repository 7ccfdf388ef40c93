"""Made-up hand-ins: notebooks with answers in them, as bytes."""

import io
import json
import zipfile

from tools.notebooks.files import NOTEBOOKS
from tools.notebooks.solved import exercises_of, solved_source
from tools.setup import workspace
from utils.exercises.core import ChoiceExercise


def notebook(stem, **answers):
    """Return a student's copy of a notebook as bytes.

    Args:
        stem: the notebook's name.
        answers: exercise -> the source of its cell; True for the course's solution.
    """
    content = json.loads(workspace.cleared((NOTEBOOKS / f"{stem}.ipynb").read_bytes()))
    for cell in content["cells"]:
        for name in set(cell["metadata"].get("tags", [])) & set(answers):
            source = "".join(cell["source"])
            cell["source"] = answered(stem, name, source, answers[name])
    return json.dumps(content).encode()


def answered(stem, name, source, answer):
    """Return the source of an exercise's cell with an answer in the place of its stub."""
    if answer is True:
        return solved_source(source, exercises_of(stem)[name])
    imports = [line for line in source.splitlines() if line.startswith("from ")]
    return "\n".join([*imports, answer, f"exercises.{name}.check({name})"])


def wrong_source(source, exercise, wrong):
    """Return the source of an exercise's cell with a known wrong answer."""
    if isinstance(exercise, ChoiceExercise):
        call = f"exercises.{exercise.name}.check"
        return source.replace(f"{call}()", f'{call}("{wrong.code}")')
    imports = [line for line in source.splitlines() if line.startswith("from ")]
    check = f"exercises.{exercise.name}.check({exercise.name})"
    return "\n".join([*imports, "import torch", wrong.code, check])


def all_right(stem):
    """Return a notebook with every exercise solved, as bytes."""
    return notebook(stem, **dict.fromkeys(exercises_of(stem), True))


def zipped(files):
    """Return a zip of {name: bytes} as bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
