"""Questions are numbered, and TEACHING.md names steps by what everybody sees."""

import nbformat
import pytest

from tools.notebooks.files import published, read
from tools.notebooks.steps import TEACHING, number_questions, step_names, with_names

NOTEBOOKS = {path.stem: read(path) for path in published()}
STALE = "type `python3 course.py refresh --words`"
CELLS = {
    "title": "# 07 · Why?",
    "idea-heading": "## 1 · What is an idea? (core, 5 min)\n\nAn idea.",
    "idea-look": "Look at it.",
    "idea-predict": "More of it.\n\n**Predict 9.** Is it good?",
    "idea-answer": "<details><summary>What happened</summary>\n\nIt is.\n\n</details>",
    "idea-task": "### Exercise: have one (or two) (hard, extra, 8 min)\n\nYour turn.",
    "next-heading": "## 2 · And the next? (extra, 5 min)\n\n**Predict.** Is it better?",
    "last-heading": "## Capstone: what went wrong? (core, 9 min)\n\nThink.",
    "key-points": "## Key points\n\n- None.",
}


@pytest.fixture
def notebook():
    """A notebook of words, with cells of these ids."""
    cells = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in CELLS.items()]
    return nbformat.v4.new_notebook(cells=cells)


def test_questions_are_numbered_in_their_order_whatever_numbers_they_had(notebook):
    number_questions(notebook)
    sources = {cell.id: cell.source for cell in notebook.cells}
    assert sources["idea-predict"] == "More of it.\n\n**Predict 1.** Is it good?"
    assert sources["next-heading"].endswith("**Predict 2.** Is it better?")


def test_a_step_is_named_by_its_question_its_exercise_or_its_heading(notebook):
    number_questions(notebook)
    assert step_names(notebook) == {
        "title": "the beginning",
        "idea-heading": "section 1",
        "idea-look": "section 1",
        "idea-predict": "Predict 1",
        "idea-answer": "Predict 1",
        "idea-task": 'the exercise "have one (or two)"',
        "next-heading": "Predict 2",
        "last-heading": "the capstone",
        "key-points": "Key points",
    }


@pytest.mark.parametrize(
    "written, linked",
    [
        ("at `idea-answer`.", "at [Predict 1](notebooks/07_why.ipynb#idea-answer)."),
        (
            "at [Predict 8](notebooks/07_why.ipynb#idea-answer).",
            "at [Predict 1](notebooks/07_why.ipynb#idea-answer).",
        ),
        ("at `zero_grad` and `no-such-cell`", "at `zero_grad` and `no-such-cell`"),
        (
            "at [Predict 8](notebooks/07_why.ipynb#gone)",
            "at [Predict 8](notebooks/07_why.ipynb#gone)",
        ),
        ("## 08 · How?\n\nat `idea-answer`", "## 08 · How?\n\nat `idea-answer`"),
    ],
)
def test_a_mention_of_a_cell_becomes_a_link_that_is_named_by_its_step(written, linked, notebook):
    number_questions(notebook)
    page = "# Page\n\n`idea-answer`\n\n## 07 · Why?\n\n{}\n\n## Room\n\n`idea-answer`\n"
    assert with_names(page.format(written), {"07_why": notebook}) == page.format(linked)


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_the_questions_of_a_notebook_are_numbered_in_their_order(stem):
    fresh = read(published([stem])[0])
    number_questions(fresh)
    assert fresh == NOTEBOOKS[stem], STALE


def test_the_names_of_steps_in_the_instructors_page_are_what_the_notebooks_say_now():
    page = TEACHING.read_text(encoding="utf-8")
    assert with_names(page, NOTEBOOKS) == page, STALE


@pytest.mark.parametrize("stem", list(NOTEBOOKS)[:-1])
def test_what_comes_next_is_a_link_to_the_next_notebook(stem):
    follows = list(NOTEBOOKS)[list(NOTEBOOKS).index(stem) + 1]
    cells = {cell.id: cell.source for cell in NOTEBOOKS[stem].cells}
    assert f"[notebook {follows[:2]}]({follows}.ipynb)" in cells["next"]
