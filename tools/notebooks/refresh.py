"""Run the published notebooks and write their outputs, where they are the same on every run.

    python3 course.py refresh [NN ...]
    python3 course.py refresh --words

A notebook is run twice, and once more as on another CPU. Only if all three print the same is it
written; an output whose text is equal and whose picture looks the same is kept byte for byte, so
refreshing an unchanged notebook changes nothing. Stopped or failed, it leaves the outputs as they
were. Before that, what follows from the notebooks' words is made anew, with `--words` nothing else:
the numbers of their questions, the names of steps in TEACHING.md, the tables of notebooks in
README.md and notebook 00.
"""

import argparse
import copy
import sys

from tools.notebooks.compare import difference
from tools.notebooks.contents import write_tables
from tools.notebooks.files import (
    METADATA,
    Runner,
    code_cells,
    each_with_progress,
    published,
    read,
    set_counts,
    text_of,
    write,
)
from tools.notebooks.steps import write_steps
from tools.settings import LAUNCHER

RUNS = {"first run": False, "second run": False, "other CPU": True}


def refresh(path, on_cell=lambda number: None, renew=False):
    """Refresh one notebook.

    Args:
        path: the notebook file.
        on_cell: called after each cell.
        renew: take every output anew, also those that would be kept.

    Returns:
        (changed, complaints): whether the file was written; what stood in the way, as texts.
    """
    committed = read(path)
    runs = {}
    for name, other_cpu in RUNS.items():
        fresh = copy.deepcopy(committed)
        runs[name] = Runner(fresh, other_cpu).run(on_cell)
        for cell in code_cells(fresh):
            wrong = [out for out in cell.outputs if out.output_type == "error"]
            wrong += [out for out in cell.outputs if out.get("name") == "stderr"]
            if wrong:
                return False, [f"cell {cell.id}, {name}:\n{text_of(wrong)}"]
    complaints = disagreements(runs)
    if complaints:
        return False, complaints
    result = runs["first run"]
    for cell, before in zip(code_cells(result), code_cells(committed), strict=True):
        if before.outputs and not renew and not difference(before, cell.outputs):
            cell.outputs = before.outputs
    result.metadata = METADATA
    set_counts(result)
    return write(result, path), []


def disagreements(runs):
    """Return a text for each cell that prints or draws something else in one of the runs."""
    complaints = []
    first = code_cells(runs["first run"])
    for name in list(RUNS)[1:]:
        for cell, again in zip(first, code_cells(runs[name]), strict=True):
            lines = difference(cell, again.outputs)
            if lines:
                complaints.append(f"cell {cell.id} gives something else in the {name}:\n{lines}")
    return complaints


def main(arguments=None):
    """Refresh the notebooks asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} refresh", description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", help="which notebooks, for example 01 (default: all)")
    parser.add_argument("--renew", action="store_true", help="take every output anew")
    parser.add_argument("--words", action="store_true", help="run nothing: numbers, names, tables")
    options = parser.parse_args(arguments)

    def work(path, on_cell):
        changed, complaints = refresh(path, on_cell, options.renew)
        result = "NOT written" if complaints else "written" if changed else "unchanged"
        return f"{path.name}: {result}", complaints

    for name in sorted({*write_tables(), *write_steps()}):
        print(f"{name}: numbers, names or tables written")
    if options.words:
        return 0
    return each_with_progress(published(options.numbers), len(RUNS), work)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped. The notebook that was running is as it was; those before it are done.")
