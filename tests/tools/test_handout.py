"""A handout asks all that its notebook asks, and tells none of the answers."""

import nbformat
import pytest

from tools.notebooks import handout
from tools.notebooks.files import Runner, code_cells, is_exercise, published, read, text_of


@pytest.mark.full
@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem)
def test_a_handout_asks_all_and_tells_nothing_and_runs(path):
    notebook = read(path)
    recall = handout.handout(notebook)
    nbformat.validate(recall)
    text = "\n".join(cell.source for cell in recall.cells)
    whole = "\n".join(cell.source for cell in notebook.cells)
    for sign in ["**Predict", "\n## ", "\n### Exercise: "]:
        assert text.count(sign) == whole.count(sign), sign
    assert "<details>" not in text and "What happened" not in text
    assert not any(cell.outputs for cell in code_cells(recall))
    filled = [cell for cell in code_cells(recall) if cell.source]
    assert all(cell.id == "setup" or is_exercise(cell) for cell in filled)
    assert len(filled) < len(code_cells(recall)) / 2
    Runner(recall).run()
    printed = "".join(text_of(cell.outputs) for cell in code_cells(recall))
    assert printed.count("not attempted yet") == len(filled) - 1 and "[error]" not in printed
