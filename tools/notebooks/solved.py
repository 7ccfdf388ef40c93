"""Build solved copies of the notebooks, and see that every check passes in them.

    python3 course.py solved [NN ...]

The copies go to build/solved/. Outside the exercises they must print what the published notebooks
print: doing an exercise changes nothing else.
"""

import argparse
import copy
import importlib
import sys

from tools.notebooks.files import (
    EXEMPT,
    METADATA,
    Runner,
    code_cells,
    each_with_progress,
    first_difference,
    published,
    read,
    tags,
    text_of,
    write,
)
from tools.settings import BUILD
from utils.exercises.core import ChoiceExercise, Exercise


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


def problems(stem, published_notebook, solved, exercises):
    """Return what is wrong with a solved run, as texts: failed checks, changed outputs."""
    found = []
    for cell, before in zip(code_cells(solved), code_cells(published_notebook), strict=True):
        text = text_of(cell.outputs)
        names = set(tags(cell)) & set(exercises)
        for name in names:
            if f"✓ {name}: right." not in text:
                found.append(f"cell {cell.id}: the solution does not pass its check:\n{text}")
        expected = text_of(before.outputs)
        if not names and (stem, cell.id) not in EXEMPT and text != expected:
            lines = first_difference(expected, text)
            found.append(
                f"cell {cell.id} prints something else once the exercises are done:\n{lines}"
            )
    return found


def build(path, on_cell=lambda done: None):
    """Run the solved copy of a notebook; return it with what is wrong, as texts."""
    notebook, exercises = read(path), exercises_of(path.stem)
    solved = Runner(solve(notebook, exercises)).run(on_cell)
    solved.metadata = METADATA
    return solved, problems(path.stem, notebook, solved, exercises)


def main(arguments=None):
    """Build the solved copies asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="course.py solved", description=__doc__.split("\n")[0])
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
