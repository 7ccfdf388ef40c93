"""A handout asks all that its notebook asks, and tells none of the answers."""

import re

import nbformat
import pytest

from tools.notebooks import handout
from tools.notebooks.cues import Cues
from tools.notebooks.files import (
    FOLDED,
    Runner,
    code_cells,
    first_sentence,
    is_exercise,
    published,
    read,
    text_of,
)

each_notebook = pytest.mark.parametrize("path", published(), ids=lambda path: path.stem)


def test_imports_data_and_heads_stay_and_of_the_rest_it_is_said_what_it_makes():
    source = """# Three birds.
import torch
from utils.data import load

x = torch.tensor([1.0, 2.0])  # (2,)
m = torch.tensor(0.0)
body = load("penguins")["measurements"].double()


def loss_of(m):
    \"\"\"Mean squared error.\"\"\"
    return ((m * x) ** 2).mean()


loss = loss_of(m)
path, m.grad = [loss for rate in [1, 2]], None
for step, rate in enumerate([1, 2]):
    loss.backward()
    print(f"step {step}: loss {loss:.3f}", rate, m)
loss
"""
    cues = Cues().of(source)
    assert (
        cues
        == """# Three birds.
import torch
from utils.data import load
x = torch.tensor([1.0, 2.0])  # (2,)
# Make m.
body = load("penguins")["measurements"].double()


def loss_of(m):
    \"\"\"Mean squared error.\"\"\"
    ...


# Make loss, path and m.
# For step, rate in enumerate([1, 2]):
#     Call loss.backward.
#     Print: step …: loss …
# Show loss."""
    )


@each_notebook
def test_a_handout_asks_all_and_tells_nothing(path):
    notebook = read(path)
    recall = handout.handout(notebook)
    nbformat.validate(recall)
    text = "\n".join(cell.source for cell in recall.cells)
    whole = "\n".join(cell.source for cell in notebook.cells)
    for sign in ["**Predict", "\n## ", "\n### Exercise: "]:
        assert text.count(sign) == whole.count(sign), sign
    answers = [first_sentence(found[2]) for found in FOLDED.finditer(whole)]
    assert answers and not [answer for answer in answers if answer in text]
    assert not any(cell.outputs for cell in code_cells(recall))
    assert all(cell.source for cell in code_cells(recall)), "a cell without a cue"


@each_notebook
def test_a_page_to_print_has_all_questions_and_room_to_write(path):
    notebook = read(path)
    printed = handout.page(notebook, handout.handout(notebook))
    whole = "\n".join(cell.source for cell in notebook.cells)
    assert printed.count("<strong>Predict") == whole.count("**Predict")
    assert printed.count('<div class="question">') > 0.8 * whole.count("**Predict")
    rooms = [int(room) for room in re.findall(r"--room: (-?\d+)", printed)]
    assert len(rooms) == printed.count("<pre") > 5 and min(rooms) > 0
    assert "http" not in re.sub(r"<a [^>]*>", "", printed)


@pytest.mark.full
@each_notebook
def test_a_handout_runs(path):
    recall = handout.handout(read(path))
    Runner(recall).run()
    exercises = sum(map(is_exercise, code_cells(recall)))
    printed = "".join(text_of(cell.outputs) for cell in code_cells(recall))
    assert printed.count("not attempted yet") == exercises and "[error]" not in printed
