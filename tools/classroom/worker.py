"""A warm process that grades one student after the other: `course.py grade` starts one a core.

It has imported everything once, so that the process of an answer, forked from it, begins at once.
It reads one job a line and answers with one line; it runs no student's code itself.
"""

import importlib
import json
import sys
import warnings

from tools.classroom.confinement import Limits
from tools.classroom.sandbox import grade_answer
from tools.notebooks.files import published
from tools.notebooks.solved import exercises_of
from tools.settings import ROOT
from utils.exercises.core import ChoiceExercise
from utils.machine import set_up

# Guards that are left out, one list after the other, until a right answer is graded as right.
FALLBACKS = ((), ("user",), ("user", "landlock"))
TRIAL = [("trial", ["steps_per_epoch"], "import torch\nsteps_per_epoch = len(torch.zeros(10))")]


def warm_up(exercises):
    """Import what notebooks import, and let each check run once."""
    set_up(edition=importlib.import_module("utils.machine").EDITION)
    for path in sorted((ROOT / "utils").glob("*.py")):
        importlib.import_module(f"utils.{path.stem}")
    importlib.import_module("matplotlib.pyplot")
    for each in exercises.values():
        for exercise in each.values():
            if not isinstance(exercise, ChoiceExercise):
                exercise.grade(exercise.define(exercise.solution_code))


def usable_guards(exercise, limits):
    """Return (names of guards to leave out, those in place), None if no answer can be graded."""
    for skipped in FALLBACKS:
        graded = grade_answer(exercise, TRIAL, limits, skipped)
        if graded.status == "right":
            return skipped, graded.guards
    return None


def grade_notebook(exercises, cells, limits, skipped):
    """Return {exercise: what was found, as JSON knows it} for the exercises of one notebook."""
    cells = [(name, tags, source) for name, tags, source in cells]
    return {
        name: grade_answer(exercise, cells, limits, skipped).as_dictionary()
        for name, exercise in exercises.items()
    }


def main():
    """Grade what comes in, until there is no more."""
    warnings.simplefilter("ignore")
    limits = Limits(**json.loads(sys.argv[1]))
    exercises = {path.stem: exercises_of(path.stem) for path in published()}
    warm_up(exercises)
    found = usable_guards(exercises["00_start_here"]["steps_per_epoch"], limits)
    print(json.dumps({"guards": found and found[1]}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        result = {
            stem: grade_notebook(exercises[stem], cells, limits, found[0])
            for stem, cells in job.items()
        }
        print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
