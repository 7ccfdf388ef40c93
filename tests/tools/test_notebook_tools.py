"""refresh and solved: outputs are kept, renewed or refused for a reason, and no file is lost."""

import nbformat
import pytest

from tools.notebooks import files, refresh, solved
from tools.notebooks.files import (
    METADATA,
    caption_figures,
    code_cells,
    first_sentence,
    plain,
    published,
    read,
    text_of,
    tidy,
    write,
)
from utils.exercises.core import FunctionExercise, WrongAnswer

FIGURE = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path.cwd().parent))
from utils import plotting
plotting.fit_before_after([0, 1], [0, 1], before=[0, 0], after=[0, {height}])
"""


def make(path, *sources):
    """Write a notebook of code cells without outputs."""
    cells = [
        nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        for number, source in enumerate(sources)
    ]
    write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)
    return path


@pytest.fixture
def notebook(tmp_path):
    return make(tmp_path / "90_trial.ipynb", "x = 1", "print(x + 1)", "x + 2")


@pytest.mark.full
def test_outputs_and_counts_are_written(notebook):
    assert refresh.refresh(notebook) == (True, [])
    cells = code_cells(read(notebook))
    assert [cell.execution_count for cell in cells] == [1, 2, 3]
    assert text_of(cells[1].outputs) == "[stdout]\n2\n"
    assert cells[2].outputs[0].execution_count == 3
    assert cells[2].outputs[0].data["text/plain"] == "3"


@pytest.mark.full
def test_an_unchanged_notebook_keeps_every_byte_and_what_changed_is_taken_anew(tmp_path):
    loss = "print('loss 0.480')"
    path = make(tmp_path / "90_trial.ipynb", FIGURE.format(height=1), "print('b')", loss, loss)
    refresh.refresh(path)
    before = path.read_bytes()
    assert refresh.refresh(path) == (False, [])
    assert path.read_bytes() == before
    notebook = read(path)
    picture, printed, *losses = notebook.cells
    old_picture = picture.outputs[0].data["image/png"]
    picture.source = FIGURE.format(height=-1)
    printed.source = "print('c')"
    for cell, stored in zip(losses, ["0.490", "0.520"], strict=True):
        cell.metadata["tags"] = ["tolerance-0.05"]
        cell.outputs[0].text = f"loss {stored}\n"
    write(notebook, path)
    assert refresh.refresh(path) == (True, [])
    after = code_cells(read(path))
    assert after[0].outputs[0].data["image/png"] != old_picture
    texts = [text_of(cell.outputs) for cell in after[1:]]
    assert texts == ["[stdout]\nc\n", "[stdout]\nloss 0.490\n", "[stdout]\nloss 0.480\n"]


@pytest.mark.full
@pytest.mark.parametrize(
    "source, complaint",
    [
        ("import os; print(os.getpid())", "cell-0 gives something else in the second run"),
        ("import os; print(os.environ.get('MKL_CBWR'))", "something else in the other CPU"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; print('oh', file=sys.stderr)", "oh"),
    ],
)
def test_what_is_not_the_same_everywhere_is_not_written(tmp_path, monkeypatch, source, complaint):
    monkeypatch.delenv("MKL_CBWR", raising=False)
    path = make(tmp_path / "90_trial.ipynb", source)
    before = path.read_bytes()
    changed, complaints = refresh.refresh(path)
    assert not changed and complaint in complaints[0]
    assert path.read_bytes() == before


@pytest.mark.full
def test_runs_may_differ_within_the_tolerance_of_a_cell(tmp_path):
    # Each run starts a kernel of its own; a file counts them.
    count = [
        "from pathlib import Path",
        f"runs = Path({str(tmp_path / 'runs')!r})",
        "runs.write_text((runs.read_text() if runs.exists() else '') + '.')",
        "print(f'loss {1 + len(runs.read_text()) / 100:.2f}')",
    ]
    path = make(tmp_path / "90_trial.ipynb", "\n".join(count))
    notebook = read(path)
    notebook.cells[0].metadata["tags"] = ["tolerance-0.05"]
    write(notebook, path)
    assert refresh.refresh(path) == (True, [])
    assert text_of(read(path).cells[0].outputs) == "[stdout]\nloss 1.01\n"


@pytest.mark.full
def test_stopped_by_the_keyboard_it_leaves_the_file(notebook):
    def stopped(number):
        raise KeyboardInterrupt

    before = notebook.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        refresh.refresh(notebook, stopped)
    assert notebook.read_bytes() == before
    assert [path.name for path in notebook.parent.iterdir()] == [notebook.name]


def test_writing_is_whole_or_not_at_all(notebook, monkeypatch):
    before = notebook.read_bytes()
    changed = read(notebook)
    changed.cells[0].source = "x = 5"

    def fails(*paths):
        raise OSError("no space left on device")

    monkeypatch.setattr(files.os, "replace", fails)
    with pytest.raises(OSError):
        write(changed, notebook)
    assert notebook.read_bytes() == before


@pytest.mark.parametrize(
    "text, sentence, read_aloud",
    [
        ("It falls by 0.5. Then it rises.", "It falls by 0.5.", "It falls by 0.5."),
        ("Adam, e.g. at 0.1, is\nquick. More.", None, "Adam, e.g. at 0.1, is quick."),
        ("The loss $f(a. b)$ of `x. y` falls. More.", None, "The loss f(a. b) of x. y falls."),
        ("A **deep *and* wide** one (so far). More.", None, "A deep and wide one (so far)."),
        ("Is it *so?* See [there](a.md).", "Is it *so?*", "Is it so?"),
        ("2 * 3 * 4 is [24](b.md).", None, "2 * 3 * 4 is 24."),
        ("There is no end", "", ""),
    ],
)
def test_the_first_sentence_of_a_text_and_what_is_read_aloud_of_it(text, sentence, read_aloud):
    expected = text.removesuffix(" More.") if sentence is None else sentence
    assert first_sentence(text) == expected
    assert plain(first_sentence(text)) == read_aloud


def test_a_figure_takes_its_caption_from_a_folded_cell_right_below_it_only():
    def figure():
        data = {"image/png": "", "text/plain": "Own words."}
        about = {"image/png": {"alt": "Own words."}}
        output = nbformat.v4.new_output("display_data", data=data, metadata=about)
        return nbformat.v4.new_code_cell("draw()", outputs=[output])

    below = "<details><summary>What happened</summary>\n\nIt `falls`. Why?\n\n</details>"
    words = nbformat.v4.new_markdown_cell
    cells = [figure(), words(below, id="below"), words(below), figure(), words("It rises.")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert caption_figures(notebook) == {"below": "It `falls`."}
    first, other = (cell.outputs[0] for cell in code_cells(notebook))
    assert first.metadata["image/png"]["alt"] == "It falls."
    assert first.data["text/plain"] == other.metadata["image/png"]["alt"] == "Own words."


def test_pieces_of_a_stream_are_joined():
    pieces = [
        nbformat.v4.new_output("stream", name=name, text=text)
        for name, text in [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")]
    ]
    assert [(piece.name, piece.text) for piece in tidy(pieces)] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_notebooks_are_asked_for_by_number_or_name():
    assert [path.stem for path in published(["1"])] == ["01_tensors"]
    assert [path.stem for path in published(["01_tensors.ipynb", "00"])] == [
        "00_start_here",
        "01_tensors",
    ]
    with pytest.raises(SystemExit, match="no notebook 77; there are: 00_start_here, 01_tensors"):
        published(["77"])


# ------------------------------------------------------------------------------------------ solved
EXERCISE = FunctionExercise(
    "double",
    cases=lambda: [(2,)],
    hints=("a", "b"),
    solution="def double(x):\n    return 2 * x",
    insight="Twice.",
    wrong_answers=[WrongAnswer("def double(x):\n    return x", "m", "m")],
)
STUB = 'def double(x):\n    """Twice x."""\n    ...\n\n\nexercises.double.check(double)'


def test_the_stub_is_replaced_and_the_check_stays():
    source = solved.solved_source("import torch\n\n\n" + STUB, EXERCISE)
    assert source == (
        "import torch\n\n\ndef double(x):\n    return 2 * x\n\n\nexercises.double.check(double)"
    )


def test_a_solution_that_fails_and_an_output_that_changes_are_named():
    def cell(text, *names):
        output = nbformat.v4.new_output("stream", name="stdout", text=text)
        return nbformat.v4.new_code_cell(
            "", id="loss", outputs=[output], metadata={"tags": list(names)}
        )

    exercises = {"double": EXERCISE}
    no_tick = solved.problem(cell("no tick", "double"), cell("open", "double"), exercises)
    assert "cell loss: the solution does not pass its check:\n[stdout]\nno tick" in no_tick
    assert not solved.problem(cell("✓ double: right.", "double"), cell("", "double"), exercises)
    changed = solved.problem(cell("now"), cell("then"), exercises)
    assert "cell loss gives something else once the exercises are done" in changed
    assert "- then" in changed and "+ now" in changed
    tagged = cell("loss 0.48", "tolerance-0.05")
    assert not solved.problem(cell("loss 0.49"), tagged, exercises)
