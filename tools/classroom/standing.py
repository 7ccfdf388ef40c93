"""Where a student stands: `course.py progress`. Reads progress.json beside the
copies, runs nothing.

Standard library only: it needs no environment.
"""

import contextlib
import json
import re

from tools.setup import workspace
from tools.setup.console import CourseError, say
from tools.setup.workspace import shown
from utils.exercises import record
from utils.exercises.record import OPEN, RIGHT, WRONG
from utils.folders import work_folder

CHECKED = re.compile(r"^exercises\.(\w+)\.check\(", re.M)


def exercises_by_notebook():
    """Return {stem of a published notebook: names of its exercises, in their order}.

    Raises CourseError if a notebook is damaged.
    """
    found = {}
    for name in workspace.published_names():
        cells = json.loads(workspace.fresh_copy(name))["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found[name.removesuffix(".ipynb")] = CHECKED.findall("\n".join(codes))
    return found


def standing(noted):
    """Return {stem: {exercise: status}} for all exercises of the course.

    Args:
        noted: what progress.json holds.
    """
    return {
        stem: {name: noted.get(stem.partition("_")[2], {}).get(name, OPEN) for name in names}
        for stem, names in exercises_by_notebook().items()
    }


def noted_in(work):
    """Return what progress.json in `work` holds, {} if there is none; a damaged one goes aside."""
    known, damaged = record.read(work), work / record.DAMAGED
    if damaged.exists() and not known:
        say(f"{shown(work / record.FILE)} was damaged, and lies aside as {shown(damaged)}.")
    return known


def progress():
    """Print one line per notebook: how many exercises are right, wrong and open. Return 0."""
    work = work_folder()
    if not work.is_dir():
        raise CourseError(
            f"There is no folder {shown(work)} yet: `course.py lab` lays your notebooks there. If "
            "they lie elsewhere, say where: --work FOLDER"
        )
    stands = standing(noted_in(work))
    width = max(map(len, stands), default=0)
    for stem, statuses in stands.items():
        say(f"{stem:<{width}}  {counted(statuses.values())}")
    everything = [status for statuses in stands.values() for status in statuses.values()]
    say(f"{'all':<{width}}  {counted(everything)}")
    with contextlib.suppress(StopIteration):
        stem, name = next(
            (stem, name)
            for wanted in (WRONG, OPEN)
            for stem, statuses in stands.items()
            for name, status in statuses.items()
            if status == wanted
        )
        say(f"Next: {name}, in {shown(work / stem)}.ipynb")
    return 0


def counted(statuses):
    """Return "2 right, 1 wrong, 0 open" for a list of statuses."""
    statuses = list(statuses)
    return ", ".join(f"{statuses.count(status):2} {status}" for status in (RIGHT, WRONG, OPEN))
