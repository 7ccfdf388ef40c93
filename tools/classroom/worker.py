"""A warm process that grades one student after the other: `course.py grade` starts one a core.

It has imported everything once, so that the process of an answer, forked from it, begins at once.
It reads one job a line and answers with one line; it runs no student's code itself.
"""

import gc
import importlib
import json
import sys
import types
import warnings
from dataclasses import astuple
from pathlib import Path

from tools.classroom.confinement import Limits
from tools.classroom.extraction import program_of
from tools.classroom.sandbox import Graded, grade_answer, judge_of
from tools.notebooks.files import code_cells, published, read, tags
from tools.notebooks.solved import exercises_of
from tools.settings import ROOT
from utils.exercises import start_here
from utils.exercises.core import ChoiceExercise, Exercise
from utils.machine import set_up

# Guards that are left out, one list after the other, until a right answer is graded as right.
FALLBACKS = ((), ("user",), ("user", "landlock"))
TRIAL = [("trial", ["steps_per_epoch"], "import torch\nsteps_per_epoch = len(torch.zeros(10))")]


def warm_up(exercises, stubs):
    """Import what notebooks import, let each check run once, and look through what is published.

    Args:
        exercises: {stem: {name: Exercise}}.
        stubs: {stem: (id, tags, source) of the published notebook's code cells}.
    """
    set_up(edition=importlib.import_module("utils.machine").EDITION)
    for path in sorted((ROOT / "utils").glob("*.py")):
        importlib.import_module(f"utils.{path.stem}")
    importlib.import_module("matplotlib.pyplot")
    for stem, each in exercises.items():
        for name, exercise in each.items():
            program_of(name, stubs[stem])
            if not isinstance(exercise, ChoiceExercise):
                judge = judge_of(exercise)
                judge.grade(judge.define(exercise.solution_code))


def put_in(path, exercises):
    """Put an instructor's own exercises in the place of those of the course.

    Args:
        path: the file that defines them, under the names of the exercises that they replace.
        exercises: {stem: {name: Exercise}}, changed in place.

    Raises:
        ValueError: one has the name of none, in words; and whatever the file raises.
    """
    module = types.ModuleType("own_checks")
    exec(compile(Path(path).read_bytes(), path, "exec"), vars(module))  # the instructor's own code
    own = {name: item for name, item in vars(module).items() if isinstance(item, Exercise)}
    for name, exercise in own.items():
        stems = [stem for stem in exercises if name in exercises[stem]]
        if not stems:
            raise ValueError(f"no notebook has an exercise {name}")
        exercises[stems[0]][name] = exercise


def usable_guards(exercise, limits):
    """Return (names of guards to leave out, those in place), None if no answer can be graded."""
    for skipped in FALLBACKS:
        graded = grade_answer(exercise, start_here, TRIAL, limits, skipped)
        if graded.status == "right":
            return skipped, graded.guards
    return None


def grade_notebook(exercises, module, stubs, cells, limits, skipped):
    """Return {exercise: what was found, as JSON knows it} for the exercises of one notebook.

    Args:
        exercises: name -> `Exercise`.
        module: the notebook's exercises, as its cells import them.
        stubs: (id, tags, source) of the published notebook's code cells.
        cells: those of the student's.
    """
    cells = [tuple(cell) for cell in cells]
    found = {}
    for name, exercise in exercises.items():
        own = answers(name, cells)
        if own and own == answers(name, stubs):  # untouched: there is nothing to run
            graded = Graded(*astuple(exercise.not_attempted()))
        else:
            graded = grade_answer(exercise, module, cells, limits, skipped)
        found[name] = graded.as_dictionary()
    return found


def answers(name, cells):
    """Return the sources of the cells that are tagged with an exercise's name."""
    return [source.strip() for _, tags, source in cells if name in tags]


def module_of(stem):
    """Return the module of a notebook's exercises."""
    return importlib.import_module(f"utils.exercises.{stem.partition('_')[2]}")


def code_of(path):
    """Return (id, tags, source) of the code cells of a published notebook."""
    return [(cell.id, tags(cell), cell.source) for cell in code_cells(read(path))]


def main():
    """Grade what comes in, until there is no more."""
    warnings.simplefilter("ignore")
    limits, own_checks = Limits(**json.loads(sys.argv[1])), sys.argv[2:]
    exercises = {path.stem: exercises_of(path.stem) for path in published()}
    modules = {stem: module_of(stem) for stem in exercises}
    stubs = {path.stem: code_of(path) for path in published()}
    warm_up(exercises, stubs)
    gc.freeze()  # or each forked process would copy what its own collection goes through
    found = usable_guards(start_here.steps_per_epoch, limits)
    problem = "" if found else "no answer can be run in a process of its own on this machine."
    try:
        for path in own_checks:
            put_in(path, exercises)
    except Exception as error:
        problem = f"your own checks cannot be used: {type(error).__name__}: {error}."
    print(json.dumps({"guards": found and found[1], "problem": problem}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        result = {
            stem: grade_notebook(
                exercises[stem], modules[stem], stubs[stem], cells, limits, found[0]
            )
            for stem, cells in job.items()
        }
        print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
