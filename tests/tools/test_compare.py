"""What counts as the same output: equal texts, numbers within a tag's tolerance, alike pictures."""

import base64
import io
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat import v4

from tools.notebooks.compare import difference, tolerance_of
from tools.notebooks.files import METADATA, Runner, write
from tools.settings import ROOT

EXACT, FIVE_PERCENT = [], ["tolerance-0.05"]


def cell_with(*outputs, tags=EXACT):
    """Return a cell with these outputs."""
    return v4.new_code_cell("", outputs=list(outputs), metadata={"tags": tags})


def printed(text):
    """Return the output of a cell that prints a text."""
    return v4.new_output("stream", name="stdout", text=text)


def compared(published, now, tags=FIVE_PERCENT):
    """Return the difference of a printed text from the published one."""
    return difference(cell_with(printed(published), tags=tags), [printed(now)])


SAME = {
    "equal": ("loss 0.48\n", "loss 0.48\n"),
    "a number inside": ("loss 0.480\n", "loss 0.500\n"),
    "negative numbers inside": ("[-0.50, 1.00]", "[-0.51, 0.99]"),
    "with an exponent": ("1.00e-05 and 2e+03", "1.01e-05 and 2.01e+03"),
    "a number with its unit": ("97.5% in 1.01×", "97.1% in 1.00×"),
    "a column that stays aligned": ("a  9.98|", "a 10.02|"),
    "nan": ("0.480 nan", "0.481 nan"),
}
NOT_SAME = {
    "a number outside": ("loss 0.48", "loss 0.51"),
    "one of several": ("0.48 0.48 0.48", "0.48 0.51 0.48"),
    "another sign": ("0.48", "-0.48"),
    "another order of size": ("1.0e-05", "1.0e-04"),
    "a word": ("loss 0.48 after", "loss 0.48 before"),
    "a boolean": ("True 0.48", "False 0.48"),
    "a boolean for a number": ("0.48", "True"),
    "nan for a number": ("0.48", "nan"),
    "a number for nan": ("nan", "0.48"),
    "a count": ("100 of 102", "101 of 102"),
    "a count that ends a sentence": ("epoch 100.", "epoch 101."),
    "a whole number for another": ("1.00", "1"),
    "a version": ("torch 2.13.0", "torch 2.13.1"),
    "a name with a dot": ("layer100.5", "layer100.6"),
    "one number more": ("0.48 0.48", "0.48 0.48 0.48"),
    "a line less": ("0.48\n0.48\n", "0.48\n"),
    "no end of line": ("0.48\n", "0.48"),
}


@pytest.mark.parametrize("published, now", SAME.values(), ids=SAME)
def test_numbers_may_differ_within_the_tolerance(published, now):
    assert compared(published, now) == ""


@pytest.mark.parametrize("published, now", NOT_SAME.values(), ids=NOT_SAME)
def test_all_else_may_not_differ(published, now):
    assert compared(published, now)


def test_without_a_tag_every_digit_counts():
    assert compared("loss 0.480", "loss 0.481", tags=EXACT)
    assert compared("loss 0.480", "loss 0.481", tags=["continues"])


def test_the_message_names_the_line_both_numbers_and_the_tolerance():
    message = compared("seed 1\nloss 0.48\n", "seed 1\nloss 0.51\n")
    assert message.splitlines() == [
        "    line 2: 0.51 in place of 0.48 differs by more than 5 %",
        "    - loss 0.48",
        "    + loss 0.51",
    ]


@pytest.mark.parametrize(
    "tag, tolerance", [("tolerance-0.05", 0.05), ("tolerance-0.005", 0.005), ("tolerance", 0)]
)
def test_the_tag_states_the_tolerance(tag, tolerance):
    assert tolerance_of(cell_with(tags=["continues", tag])) == tolerance


def test_another_kind_of_output_is_a_difference():
    cell = cell_with(printed("0.48"), tags=FIVE_PERCENT)
    assert difference(cell, []) and difference(cell, [printed("0.48"), picture(blank)])
    error = v4.new_output("error", ename="ValueError", evalue="no such layer", traceback=[])
    assert "ValueError: no such layer" in difference(cell, [error])
    warning = v4.new_output("stream", name="stderr", text="0.48")
    assert difference(cell, [warning])


def test_only_a_tag_takes_a_cell_out():
    assert compared("a", "b", tags=["nbval-ignore-output"]) == ""


# ------------------------------------------------------------------------------------- pictures
X = np.linspace(0, 6, 200)


def blank(ax):
    pass


def picture(draw, size=(4, 3)):
    """Return the output of a cell that shows a figure."""
    figure = Figure(figsize=size)
    draw(figure.subplots())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144)
    data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": "A curve."}
    return v4.new_output("display_data", data=data)


def two_curves(up=0.0, colors=("C0", "C1"), shown=(0, 0, 1, 1)):
    """Return a drawing of two curves; up: pixels, about; shown: which curves, in which colours."""

    def draw(ax):
        ax.set(xlim=(0, 6), ylim=(-1.5, 1.5))
        heights = np.sin(X), np.cos(X)
        for curve, color in zip(shown[::2], shown[1::2], strict=True):
            ax.plot(X, heights[curve] + up * 3 / 333, color=colors[color])

    return draw


def difference_from_two_curves(draw, tags=EXACT):
    """Return what is said of a picture in the place of that of two curves."""
    return difference(cell_with(picture(two_curves()), tags=tags), [picture(draw)])


OTHER_CURVES = {
    "none": blank,
    "one is missing": two_curves(shown=(0, 0)),
    "swapped": two_curves(colors=("C1", "C0")),
    "one is drawn twice, the other not at all": two_curves(shown=(0, 0, 0, 1)),
    "one more beside them": lambda ax: (two_curves()(ax), ax.plot(X, np.sin(X) + 0.1, "C0")),
    "moved": two_curves(up=4),
}


@pytest.mark.parametrize("draw", OTHER_CURVES.values(), ids=OTHER_CURVES)
def test_pictures_of_other_curves_are_seen(draw):
    assert "picture 1: differs by" in difference_from_two_curves(draw)


def test_equal_and_trembling_pictures_are_the_same():
    for up in (0, 0.3, -0.3, 1):
        assert difference_from_two_curves(two_curves(up)) == ""


def test_where_numbers_may_differ_lines_may_move_a_little():
    assert difference_from_two_curves(two_curves(up=4), FIVE_PERCENT) == ""
    for draw in (two_curves(up=12), two_curves(shown=(0, 0)), two_curves(colors=("C1", "C0"))):
        assert difference_from_two_curves(draw, FIVE_PERCENT)


def test_a_picture_of_another_size_and_none_are_differences():
    published = cell_with(picture(blank))
    assert difference(published, [])
    assert difference(published, [picture(blank, size=(4, 2))])


# ---------------------------------------------------------------------------------- by pytest
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()"
LOSS = "print(f'loss {loss:.3f}')"  # one worker has to run the whole notebook
STORED = {"inside": "0.490", "outside": "0.520", "exact": "0.481"}


@pytest.fixture
def project(tmp_path):
    """A folder with the course's settings of pytest, a notebook and two tests."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    sources = {"setup": "loss = 0.48", **dict.fromkeys(STORED, LOSS)}
    sources |= {"figure": FIGURE, "another-figure": FIGURE}
    cells = [v4.new_code_cell(source, id=name) for name, source in sources.items()]
    notebook = Runner(v4.new_notebook(cells=cells, metadata=METADATA)).run()
    for cell in notebook.cells:
        cell.metadata["tags"] = FIVE_PERCENT if cell.id.endswith("side") else EXACT
        if cell.id in STORED:
            cell.outputs[0].text = f"loss {STORED[cell.id]}\n"
    notebook.cells[-1].outputs[0].data["image/png"] = picture(blank).data["image/png"]
    write(notebook, tmp_path / "notebooks" / "90_trial.ipynb")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_levels.py").write_text(
        "import pytest\n\ndef test_quick(): pass\n\n@pytest.mark.full\ndef test_slow(): pass\n"
    )
    return tmp_path


@pytest.mark.full
def test_pytest_compares_notebooks_and_has_two_levels(project):
    def run(*arguments):
        # Without the summary: where CI is set, pytest prints every message there once more.
        quiet = ["--color=no", "--numprocesses=2", "-rN"]
        command = [sys.executable, "-m", "pytest", *quiet, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, timeout=120
        ).stdout

    found = run()
    assert "3 failed, 4 passed" in found
    assert "Tests that run only with --full: 1\n" in found
    assert re.findall(r"^cell ([\w-]+):$", found, re.M) == ["outside", "exact", "another-figure"]
    assert "line 1: 0.480 in place of 0.520 differs by more than 5 %" in found
    everything = run("--full", "tests")
    assert "2 passed" in everything and "only with --full" not in everything
