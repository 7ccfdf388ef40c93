"""Begin a notebook: lay a skeleton that runs, its exercises, a plan for instructors.

    python3 course.py new 07 convolutions ["How does a network see?"]

What it lays passes the tests once `course.py refresh` has run it; its words say what to write in
their place. Nothing that is there is overwritten.
"""

import argparse
import keyword
import re
import sys
from pathlib import Path

import nbformat

from tools.notebooks.files import METADATA, code_cells, read, write
from tools.settings import LAUNCHER, PLANNED, ROOT
from tools.setup.console import CourseError, guarded, say
from utils.machine import sign

SKELETON = Path(__file__).with_name("skeleton")
CELL = re.compile(r"^=== (markdown|code) (\S+) (\S+)(.*)\n", re.M)
PLAN = re.compile(r"^## (\d\d) · ", re.M)
# The right answers to its exercises, written apart from their solutions.
ANSWERS = {
    "LETTERS": '"skeleton_choice": "A",',
    "VALUES": '"skeleton_value": [16, 16.0],',
    "FUNCTIONS": '"skeleton_function": ["return (prediction - target).square().mean()"],',
}


def lay(number, name, question=None, root=ROOT):
    """Lay the files of a new notebook, and what TEACHING.md and the tests say of it.

    Args:
        number: 0 to 99, or its digits.
        name: what the notebook's file and its module of exercises are called.
        question: the title; without one, that of the planned notebook or a placeholder.
        root: the course's folder.

    Returns:
        list[str]: what was written, as paths in the course's folder.

    Raises:
        CourseError: number, name or question cannot be taken, or something is there; the message
            says which. Nothing was written.
    """
    if not re.fullmatch(r"\d\d?", str(number)):
        raise CourseError(f"A notebook's number is one of 00 to 99, not {number}.")
    number = str(number).zfill(2)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise CourseError(
            f"{name!r} names no Python module: take small letters, digits and _, for example "
            "convolutions."
        )
    question = question or PLANNED.get(number, ["What does this notebook answer?"])[0]
    if not re.fullmatch(r"[^|\n]+\?", question):
        raise CourseError(f"The title is a question in one line: {question!r} has no ? at its end.")
    taken = list((root / "notebooks").glob(f"{number}_*.ipynb"))
    taken += [path for room in ("utils", "tools") for path in (root / room).rglob(f"{name}.py")]
    if taken:
        there = taken[0].relative_to(root).as_posix()
        raise CourseError(f"{there} is there already: choose another number or name.")
    teaching, answers = root / "TEACHING.md", root / "tests" / "course" / "test_exercise_answers.py"
    if number in PLAN.findall(teaching.read_text(encoding="utf-8")):
        raise CourseError(f"TEACHING.md has a plan for notebook {number} already.")

    def filled(text):
        words = {"{number}": number, "{question}": question, "skeleton": name}
        return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)

    def part(file):
        return filled((SKELETON / file).read_text(encoding="utf-8"))

    first = read(min((root / "notebooks").glob("[0-9][0-9]_*.ipynb")))
    notebook = notebook_from(part("notebook.md"), setup=code_cells(first)[0].source)
    path = root / "notebooks" / f"{number}_{name}.ipynb"
    module = root / "utils" / "exercises" / f"{name}.py"
    texts = {
        module: part("placeholders.py"),
        teaching: with_plan(teaching.read_text(encoding="utf-8"), number, part("plan.md")),
        answers: with_answers(answers.read_text(encoding="utf-8"), filled),
    }
    for target, text in texts.items():
        target.write_text(text, encoding="utf-8", newline="\n")
    write(notebook, path)
    return [written.relative_to(root).as_posix() for written in (path, *texts)]


def notebook_from(text, setup):
    """Return the notebook that a text describes, with this source in its set-up cell."""
    cells = []
    _, *parts = CELL.split(text)
    for kind, name, slide_type, tags, source in zip(*[iter(parts)] * 5, strict=True):
        make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}[kind]
        metadata = {"slideshow": {"slide_type": slide_type}}
        if tags:
            metadata["tags"] = tags.split()
        source = setup if name == "setup" else source.strip()
        cells.append(make(source, id=name, metadata=metadata))
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def with_plan(page, number, plan):
    """Return the instructors' page with a plan, after the plans of the notebooks before it."""
    last = max(found.end() for found in PLAN.finditer(page) if found[1] < number)
    following = page.find("\n## ", last)
    end = following + 1 if following >= 0 else len(page)
    return page[:end] + plan + "\n" + page[end:]


def with_answers(test, filled):
    """Return the test of answers with those to the new exercises, at the end of each list."""
    for kind, answer in ANSWERS.items():
        end = test.index("\n}", test.index(f"\n{kind} = {{\n")) + 1
        test = f"{test[:end]}    {filled(answer)}\n{test[end:]}"
    return test


def main(arguments=None):
    """Lay a new notebook; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} new", description=__doc__.split("\n")[0])
    parser.add_argument("number", help="00 to 99")
    parser.add_argument("name", help="of its file and its exercises, for example convolutions")
    parser.add_argument("question", nargs="?", help='its title: "How does a network see?"')
    options = parser.parse_args(arguments)
    for laid in lay(options.number, options.name, options.question):
        say(f"{sign(True)} {laid}")
    number = options.number.zfill(2)
    say(f"Next, run it and list it in the tables: {LAUNCHER} refresh {number}")
    say("Then write: CONTRIBUTING.md, Add a notebook, goes on from here.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
