"""Read, run and write the course's notebooks: what refresh, solved and the tests share."""

import base64
import copy
import os
import re
import subprocess
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from tools.settings import OTHER_CPU
from tools.setup import workspace
from tools.setup.console import CourseError

NOTEBOOKS = workspace.PUBLISHED
CELL_TIMEOUT = 300  # seconds, for a machine that does other things as well
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
}

# What a kernel needs so that it prints the same everywhere; conftest.py sets the same for pytest.
QUIET = {"COURSE_PROGRESS": "0", "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
WIDGET = "application/vnd.jupyter.widget-view+json"
# How a question to answer before the code runs begins; its number follows.
PREDICT = "**Predict"
# What a reader unfolds after the run: its first sentence says what the figure above it shows.
FOLDED = re.compile(r"<details>\s*<summary>(.+?)</summary>\s*(.+?)\s*</details>", re.S)
# A dot inside of mathematics, code, a number or an abbreviation does not end a sentence.
SENTENCE = re.compile(
    r"(?:\$[^$]+\$|`[^`]+`|\b(?:e\.g|i\.e|vs|cf|etc)\.|[^$`])+?[.!?][)*\"]*(?=\s|$)"
)
MARKUP = re.compile(r"\[([^]]+)\]\([^)]+\)|\*+(?=\S)(.+?)(?<=\S)\*+|\$([^$]+)\$|`([^`]+)`", re.S)


def published(numbers=()):
    """Return the published notebooks, all of them or those with the numbers asked for.

    Args:
        numbers: for example ["1", "01_tensors"].

    Raises:
        SystemExit: there is no such notebook; the message lists those that exist.
    """
    try:
        names = {workspace.find(number) for number in numbers} or workspace.published_names()
    except CourseError as error:
        raise SystemExit(str(error)) from None
    return [NOTEBOOKS / name for name in sorted(names)]


def read(path):
    """Read a notebook file."""
    return nbformat.read(path, as_version=4)


def write(notebook, path):
    """Write a notebook whole or not at all; leave the file alone if not a byte would change."""
    text = nbformat.writes(notebook) + "\n"
    path = Path(path)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, path)
    return True


def code_cells(notebook):
    """Return the notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def question_of(source):
    """Return the question that a text asks, an empty text if it asks none."""
    if PREDICT in source:
        return source[source.index(PREDICT) :]
    return source if source.startswith("**") and source.rstrip().endswith("?") else ""


def draws(cell):
    """Return whether a cell has a figure among its outputs."""
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def first_sentence(text):
    """Return the first sentence of a text in Markdown, an empty text if it has none."""
    found = SENTENCE.match(text)
    return found[0] if found else ""


def plain(text):
    """Return a text in Markdown without its markup, for what is read aloud: an alternative."""
    while MARKUP.search(text):
        text = MARKUP.sub(lambda found: next(filter(None, found.groups())), text)
    return " ".join(text.split())


def caption_figures(notebook):
    """Give each figure the first sentence of the folded cell below it as its alternative.

    Args:
        notebook: changed in place.

    Returns:
        {id of a folded cell: that sentence, in Markdown}.
    """
    captions = {}
    for cell, below in zip(notebook.cells, notebook.cells[1:], strict=False):
        folded = FOLDED.fullmatch(below.source.strip()) if draws(cell) else None
        if folded and first_sentence(folded[2]):
            captions[below.id] = first_sentence(folded[2])
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.metadata.setdefault("image/png", {})["alt"] = plain(captions[below.id])
    return captions


def is_exercise(cell):
    """Return whether a code cell is the stub of an exercise with its check."""
    return re.search(r"^exercises\.\w+\.check\(", cell.source, re.M) is not None


def without_widgets(outputs):
    """Return outputs as they are where no kernel runs: a slider's figure without the slider.

    A widget that has nothing else to show goes.
    """
    kept = copy.deepcopy(outputs)
    for output in kept:
        output.get("data", {}).pop(WIDGET, None)
    return [output for output in kept if output.get("data", True)]


class Runner:
    """A kernel that runs a notebook's cells one by one, in notebooks/, with the course's settings.

    Args:
        notebook: the notebook; its cells are changed in place by running them.
        other_cpu: whether to compute with the oldest instructions.
    """

    def __init__(self, notebook, other_cpu=False):
        self.notebook = notebook
        self.environment = {**os.environ, **QUIET, **(OTHER_CPU if other_cpu else {})}
        self.client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(NOTEBOOKS)}},
            record_timing=False,
            allow_errors=True,
        )

    def run(self, on_cell=lambda done: None):
        """Run every code cell once."""
        with self.kernel():
            for done, (index, cell) in enumerate(self.numbered(), start=1):
                self.run_cell(cell, index)
                on_cell(done)
        set_counts(self.notebook)
        return self.notebook

    def kernel(self):
        """Return a context in which the kernel lives."""
        # What the kernel's own libraries write to the console is not output of the notebook.
        return self.client.setup_kernel(env=self.environment, stderr=subprocess.DEVNULL)

    def numbered(self):
        """Return the code cells with their index in the notebook."""
        cells = enumerate(self.notebook.cells)
        return [(index, cell) for index, cell in cells if cell.cell_type == "code"]

    def run_cell(self, cell, index):
        """Run one cell and put its outputs in order."""
        try:
            self.client.execute_cell(cell, index, store_history=True)
        except CellExecutionError:
            pass  # the error is among the outputs
        cell.outputs = tidy(cell.outputs)
        cell.metadata.pop("execution", None)


def tidy(outputs):
    """Join neighbouring pieces of one stream: where they were cut is chance."""
    joined = []
    for output in outputs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
            continue
        if output.output_type == "execute_result":
            output.execution_count = None  # set again with the cell's
        joined.append(output)
    return joined


def set_counts(notebook):
    """Number the code cells and their results 1, 2, 3, ..."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def texts_of(outputs):
    """Return all that is text in outputs, as a list of (kind, text).

    That is streams, results, errors, and what figures say of themselves.
    """
    texts = []
    for output in tidy([nbformat.NotebookNode(output) for output in outputs]):
        if output.output_type == "stream":
            texts.append((output.name, output.text))
        elif output.output_type == "error":
            texts.append(("error", f"{output.ename}: {output.evalue}"))
        else:
            kinds = sorted(output.data)
            text = "\n".join(output.data[kind] for kind in kinds if kind.startswith("text/"))
            texts.append((", ".join(kinds), text))
    return texts


def text_of(outputs):
    """Return all that is text in outputs as one text, each output under its kind in brackets."""
    return "\n".join(f"[{kind}]\n{text}" for kind, text in texts_of(outputs))


def pictures_of(outputs):
    """Return the PNG pictures among outputs as bytes."""
    return [
        base64.b64decode(output.data["image/png"])
        for output in outputs
        if "image/png" in output.get("data", {})
    ]


def each_with_progress(paths, runs, work):
    """Go through notebooks with a bar that counts cells, on a terminal; say each one's result.

    Args:
        paths: notebook files.
        runs: how often `work` runs each cell.
        work: called with a path and a function to call after each cell; returns what was done, as
            a short text, and what is wrong, as a list of texts.

    Returns:
        int: 1 if anything is wrong, else 0: an exit status.
    """
    cells = sum(len(code_cells(read(path))) for path in paths) * runs
    silent = True if os.environ.get("COURSE_PROGRESS") == "0" else None  # None: only on a terminal
    failed = False
    with tqdm(total=cells, unit="cell", disable=silent, leave=False) as bar:
        for path in paths:
            bar.set_description(path.stem)
            done, wrong = work(path, lambda number: bar.update())
            bar.write("\n".join([done, *wrong]))
            failed = failed or bool(wrong)
    return int(failed)
