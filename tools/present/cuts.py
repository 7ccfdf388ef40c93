"""Leave out of a talk what is extra, for home, or named by TEACHING.md under "Cut first".

A step is what follows a question or a heading up to the next one. "all of `some-cell`" and
"`some-cell` with its ..." cut the step of that cell, "show `this` without ..." the code before it
that shows nothing itself, or the cells named after "without", "section 6" a section; any other cell
that is named goes alone, with what is said about it. Half of a cell stays.
"""

import copy
import re

from tools.notebooks.files import FOLDED, tags
from tools.present.talk import FOR_HOME, HEADING, PREDICT
from tools.present.teaching import SECTION, cells_in

SECTIONS = re.compile(r"(?<!in )(?<!of )\bsection (\d+)(?!')")
SECOND_EXERCISE = re.compile(r"capstone's second exercise|second exercise of the capstone")
SENTENCE_END = re.compile(r"\.(?= |$)")


def core_only(notebook):
    """Return a copy of a notebook without extra sections and exercises, and what is for home."""
    kept, level = copy.deepcopy(notebook), None
    cells, kept.cells = kept.cells, []
    for cell in cells:
        heading = heading_of(cell)
        if heading and (level is None or len(heading[1]) <= level):
            extra = "extra" in (heading[3] or "") or heading[2] in FOR_HOME
            level = len(heading[1]) if extra else None
        if level is None:
            kept.cells.append(cell)
    return kept


def heading_of(cell):
    """Return the match of the heading that a cell begins with, None without one."""
    return HEADING.match(cell.source) if cell.cell_type == "markdown" else None


def steps(notebook):
    """Return the notebook's steps, lists of cells."""
    found = []
    for cell in notebook.cells:
        asks = cell.cell_type == "markdown" and PREDICT.search(cell.source)
        if not found or heading_of(cell) or asks:
            found.append([])
        found[-1].append(cell)
    return found


def without_cut(notebook, text):
    """Return a copy of a notebook without what a text names to be cut first."""
    kept = copy.deepcopy(notebook)
    whole, alone, sections = named(kept, text)
    question_only = set()
    for step in steps(kept):
        if heading_of(step[0]) and step[0].id in whole and SECTION.match(step[0].source):
            # The section goes on without its first question.
            whole.discard(step[0].id)
            question_only.add(step[0].id)
        code = [cell.id for cell in code_cells_in(step)]
        if code and set(code) <= whole | alone and set(code) & alone:
            whole |= {cell.id for cell in step if not heading_of(cell)}
        for cell, below in zip(step, step[1:], strict=False):
            if cell.id in alone and FOLDED.fullmatch(below.source.strip()):
                whole.add(below.id)
    for cell in kept.cells:
        if cell.id in question_only:
            cell.source = cell.source[: PREDICT.search(cell.source).start()].strip()
    gone = whole | alone | sections
    kept.cells = [cell for cell in kept.cells if cell.id not in gone]
    return kept


def code_cells_in(cells):
    """Return the code cells among cells."""
    return [cell for cell in cells if cell.cell_type == "code"]


def named(notebook, text):
    """Return the ids of cells that a text wants to be cut: of steps, alone, of sections."""
    whole, alone, sections = set(), set(), set()
    all_steps = steps(notebook)
    at = {cell.id: number for number, step in enumerate(all_steps) for cell in step}

    def ids_of(step):
        return {cell.id for cell in step}

    for clause in SENTENCE_END.split(text)[0].split(";"):
        ids = [name for name in cells_in(clause) if name in at]
        if re.search(r"\bshow\b", clause):
            after = [name for name in cells_in(clause.partition("without")[2]) if name in at]
            alone |= set(after)
            for name in [] if after else ids:
                step = all_steps[at[name]]
                before = step[: [cell.id for cell in step].index(name)]
                alone |= {
                    cell.id
                    for cell in code_cells_in(before)
                    if not cell.outputs and "slide-hide-code" not in tags(cell)
                }
            continue
        every, rest = False, clause
        for name in ids:
            before, _, rest = rest.partition(name)
            every = "all of" in before or (every and "and of" in before)
            behind = re.split(r"[`[]", rest.lstrip("`)"))[0]
            if "half" in before:
                continue
            if every or "with its" in behind:
                whole |= ids_of(all_steps[at[name]])
            else:
                alone.add(name)
            if "with its exercise" in behind:
                following = at[name] + 1
                if following < len(all_steps) and is_task(all_steps[following]):
                    whole |= ids_of(all_steps[following])
        for number in SECTIONS.findall(clause):
            sections |= section_of(notebook, number)
    if SECOND_EXERCISE.search(text):
        capstone = next(
            n for n, step in enumerate(all_steps) if step[0].source.startswith("## Capstone")
        )
        tasks = [step for step in all_steps[capstone + 1 :] if is_task(step)]
        whole |= ids_of(tasks[1])
    return whole, alone, sections


def is_task(step):
    """Return whether a step is an exercise."""
    return step[0].source.startswith("### Exercise")


def section_of(notebook, number):
    """Return the ids of all cells of a section."""
    ids, inside = set(), False
    for cell in notebook.cells:
        heading = heading_of(cell)
        if heading and heading[1] == "##":
            inside = heading[2].startswith(f"{number} · ")
        if inside:
            ids.add(cell.id)
    return ids
