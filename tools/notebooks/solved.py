"""Build solved copies of the notebooks, and see that every check passes in them.

    python3 course.py solved [NN ...]

The copies go to build/solved/. Outside the exercises they must give what the published notebooks
give: doing an exercise changes nothing else.
"""

import argparse
import copy
import importlib
import sys

from tools.notebooks.compare import difference
from tools.notebooks.files import (
    METADATA,
    Runner,
    code_cells,
    each_with_progress,
    published,
    read,
    set_counts,
    tags,
    text_of,
    write,
)
from tools.settings import BUILD, LAUNCHER
from utils.exercises.core import ChoiceExercise, Exercise

PROGRESS = "progress"  # the tag of the last cell, which shows what is done


def exercises_of(stem):
    """Return the exercises of a notebook: name -> Exercise; "01_tensors" has those of `tensors`."""
    module = importlib.import_module(f"utils.exercises.{stem.split('_', 1)[1]}")
    return {name: item for name, item in vars(module).items() if isinstance(item, Exercise)}


def solve(notebook, exercises):
    """Return a copy of a notebook with the solution in the place of every stub."""
    solved = copy.deepcopy(notebook)
    for cell in code_cells(solved):
        for name in set(tags(cell)) & set(exercises):
            cell.source = solved_source(cell.source, exercises[name])
        cell.outputs, cell.execution_count = [], None
    return solved


def solved_source(source, exercise):
    """Return a cell's source with the stub replaced; imports above and the check below stay."""
    if isinstance(exercise, ChoiceExercise):
        return source.replace(f"exercises.{exercise.name}.check()", exercise.solution_code)
    stub = {f"def {exercise.name}(", f"{exercise.name} = ..."}
    lines = source.splitlines()
    start = next(n for n, line in enumerate(lines) if any(line.startswith(s) for s in stub))
    end = next(n for n, line in enumerate(lines) if line.startswith("exercises."))
    gap = [""] * (2 if "def " in exercise.solution_code else 1)
    return "\n".join(lines[:start] + [exercise.solution_code] + gap + lines[end:])


def problem(cell, before, exercises):
    """Return what is wrong with a cell of a solved run, as a text: a failed check, another output.

    Args:
        cell: the cell that was run.
        before: the same cell as published.
        exercises: the notebook's exercises by name.
    """
    names = set(tags(cell)) & set(exercises)
    text = text_of(cell.outputs)
    if not all(f"✓ {name}: right." in text for name in names):
        return f"cell {cell.id}: the solution does not pass its check:\n{text}"
    if PROGRESS in tags(cell):
        done = f"{len(exercises)} of {len(exercises)} exercises are right."
        return "" if done in text else f"cell {cell.id}: not all exercises are noted:\n{text}"
    lines = "" if names else difference(before, cell.outputs)
    if lines:
        return f"cell {cell.id} gives something else once the exercises are done:\n{lines}"
    return ""


def build(path, on_cell=lambda done: None, twice=False):
    """Run the solved copy of a notebook.

    Args:
        path: the notebook's file.
        on_cell: called after each cell.
        twice: whether to run each cell a second time, but for those tagged `continues`.

    Returns:
        (solved, problems): the copy, and what is wrong, as texts.
    """
    notebook, exercises = read(path), exercises_of(path.stem)
    solved = solve(notebook, exercises)
    runner = Runner(solved)
    problems = []
    with runner.kernel():
        for (index, cell), before in zip(runner.numbered(), code_cells(notebook), strict=True):
            again = twice and "continues" not in tags(cell)
            for time in ["", "run a second time: "] if again else [""]:
                runner.run_cell(cell, index)
                found = problem(cell, before, exercises)
                problems += [time + found] if found else []
            on_cell(index)
    set_counts(solved)
    solved.metadata = METADATA
    return solved, problems


def main(arguments=None):
    """Build the solved copies asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} solved", description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", help="which notebooks, for example 01 (default: all)")
    paths = published(parser.parse_args(arguments).numbers)

    def work(path, on_cell):
        solved, found = build(path, on_cell)
        target = BUILD / "solved" / path.name
        write(solved, target)
        result = "PROBLEMS" if found else "every check passes"
        return f"{target.relative_to(BUILD.parent)}: {result}", found

    return each_with_progress(paths, 1, work)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped. What is in build/solved is complete up to the notebook before.")
