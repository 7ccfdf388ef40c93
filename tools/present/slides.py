"""Build slides from the notebooks: one deck each, for any browser, without a network.

    python3 course.py slides [NN ...] [--core] [--cut]

The decks go to build/slides/. talk.py makes slides of the cells, drawings.py draws their figures
anew, sharp on large screens. What the speaker is to know comes from TEACHING.md, from the second
sentence on of *What happened*, and from the exercises.
"""

import argparse
import copy
import re
import shutil
import sys
from pathlib import Path

import jinja2
from nbconvert.filters import markdown2html
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.notebooks.files import (
    FOLDED,
    code_cells,
    is_exercise,
    published,
    question_of,
    read,
    tags,
)
from tools.notebooks.solved import exercises_of
from tools.present import code_lines, cuts, drawings, frames, libraries
from tools.present.talk import BETWEEN_NOTEBOOKS, Composer
from tools.present.teaching import notes_for, plan_for
from tools.settings import BUILD, LAUNCHER
from tools.setup.console import guarded
from utils.exercises.core import ChoiceExercise

TEMPLATE = Path(__file__).resolve().parent / "slides_template"
TARGET = BUILD / "slides"
OWN_FILES = [*(TEMPLATE / name for name in ("deck.css", "deck.js")), *frames.OWN_FILES]

BLANK_LINES = code_lines.BLANK_LINES
MINUTES = re.compile(r"^(#+ .+?) \(([^()]*min)\)$", re.M)
NOT_SHOWN = ("skip", "notes")


def slide_type(cell):
    """Return a cell's slide type; "-" goes on with what the cell before began."""
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def lay_out_words(cell, caption):
    """Unfold answers, mark questions and answers, set minutes and captions in small letters.

    For live slides: caption and answer come as a step of their own, after the figure, and then are
    all there.
    """
    folded = FOLDED.fullmatch(cell.source.strip())
    if folded:
        rest = folded[2].removeprefix(caption).strip()
        parts = [
            f"<small>{caption}</small>" if caption else "",
            rest and f"**{folded[1]}.** {rest}",
        ]
        cell.source = "\n\n".join(part for part in parts if part)
        cell.metadata.tags.append("answer")
    elif question_of(cell.source) == cell.source:
        cell.metadata.tags.append("predict")
    cell.source = MINUTES.sub(r"\1 <small>\2</small>", cell.source)
    # Slides stand alone.
    cell.source = BETWEEN_NOTEBOOKS.sub(r"\1", cell.source)


# ------------------------------------------------------------------------------------- a talk
def talk_of(path, core=False, cut=False, drawn=None, moving=None, place=""):
    """Return the `Talk` of a notebook.

    Args:
        path: the notebook.
        core: whether extra sections and exercises are left out, and what is to be read at home.
        cut: whether is left out what TEACHING.md says to cut first.
        drawn: {id of a cell: addresses of its figures}, by default those in the notebook.
        moving, place: the frames of live figures and the address of their folder.
    """
    notebook = read(path)
    shown = cuts.core_only(notebook) if core else copy.deepcopy(notebook)
    plan = plan_for(notebook.cells[0].source.removeprefix("# "))
    if cut and plan:
        shown = cuts.without_cut(shown, plan.cut)
    shown.cells = [cell for cell in shown.cells if slide_type(cell) not in NOT_SHOWN]
    seen = [cell for cell in code_cells(shown) if "slide-hide-code" not in tags(cell)]
    code = code_lines.broken({cell.id: cell.source for cell in seen})
    composer = Composer(shown, code, drawn or {}, moving or {}, place)
    add_notes(composer, notebook, path.stem, plan)
    return composer.talk


def add_notes(composer, notebook, stem, plan):
    """Put on slides what the speaker is to know: plan, questions and misconceptions, solutions."""
    notes = notes_for(notebook)
    for cell in reversed(notebook.cells):
        if cell.id in notes and cell.id in composer.where:
            composer.where[cell.id].notes.insert(0, notes[cell.id])
    exercises = exercises_of(stem) if any(map(is_exercise, code_cells(notebook))) else {}
    plans = {name: (minutes, what) for minutes, name, what in plan.sections} if plan else {}
    for cell in code_cells(notebook):
        for name in set(tags(cell)) & set(exercises):
            if cell.id in composer.where:
                composer.where[cell.id].notes.append(note_on(exercises[name]))
    card = notebook.cells[1].source.partition("\n\n")[2]
    for slide in composer.talk.slides:
        if slide.title == "Key points" and card:
            slide.notes.append(f"**The goals were**, for the room to look back: {card}")
        section = None if slide.section is None else composer.talk.sections[slide.section].name
        if section in plans and not slide.notes:
            minutes, what = plans[section]
            slide.notes.append(f"**In these {minutes} minutes:** {what}")


def note_on(exercise):
    """Return what a speaker is to know about an exercise: hints, solution, typical mistakes."""
    hints = "\n".join(f"- {hint}" for hint in exercise.hints)
    if isinstance(exercise, ChoiceExercise):
        marks = {True: "right", False: "wrong"}
        right = "\n".join(
            f"- {letter}, {marks[true]}: {why}" for letter, (true, why) in exercise.options.items()
        )
        return f"**Hints**\n\n{hints}\n\n**Answer**\n\n{right}"
    wrong = "\n".join(f"- {each.misconception}" for each in exercise.wrong_answers)
    solution = f"```python\n{exercise.solution_code}\n```"
    return f"**Hints**\n\n{hints}\n\n**Solution**\n\n{solution}\n\n**Typical mistakes**\n\n{wrong}"


# -------------------------------------------------------------------------------------- a page
def page_of(talk):
    """Return the HTML of a talk."""
    about = {"trim_blocks": True, "undefined": jinja2.StrictUndefined}
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATE), **about)
    environment.filters |= {
        "markdown": markdown2html,
        "inline": inline,
        "code": lambda code: highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip(),
        "is_long_list": is_long_list,
    }
    return environment.get_template("deck.html.j2").render(talk=talk) + "\n"


def inline(text):
    """Return a text in Markdown as HTML without a paragraph around it."""
    return markdown2html(text).strip().removeprefix("<p>").removesuffix("</p>")


def is_long_list(text):
    """Return whether printed lines read better in two columns than in small letters."""
    lines = text.split("\n")
    return len(lines) >= 14 and max(map(len, lines)) <= 39


def lay_assets(target=TARGET):
    """Lay what the decks load beside them."""
    for library in libraries.LIBRARIES:
        libraries.lay(library, target / "assets")
    libraries.lay_letters(target / "assets")
    for path in OWN_FILES:
        shutil.copyfile(path, target / "assets" / path.name)


def build(path, target=TARGET, core=False, cut=False):
    """Build the deck of one notebook. `lay_assets` lays what all decks load.

    Returns:
        (path of the deck, its `Talk`).
    """
    names, pictures = drawings.drawings_of(path)
    moving, folder = frames.frames_of(path)
    places = {kind: f"assets/{kind}/{path.stem}" for kind in ("figures", "frames")}
    drawn = {
        cell: [name and f"{places['figures']}/{name}" for name in each]
        for cell, each in names.items()
    }
    talk = talk_of(path, core, cut, drawn, moving, places["frames"])
    target.mkdir(parents=True, exist_ok=True)
    frames.lay_pictures(pictures, target / places["figures"])
    frames.lay_pictures(folder, target / places["frames"])
    deck = target / f"{path.stem}{'-core' * core}{'-cut' * cut}.html"
    deck.write_text(page_of(talk), encoding="utf-8", newline="\n")
    return deck, talk


def main(arguments=None):
    """Build the decks asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} slides", description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", help="which notebooks, for example 01 (default: all)")
    parser.add_argument("--core", action="store_true", help="leave out what is extra or for home")
    parser.add_argument(
        "--cut", action="store_true", help='leave out what TEACHING.md names under "Cut first"'
    )
    options = parser.parse_args(arguments)
    paths = published(options.numbers)
    lay_assets()
    for path in paths:
        deck, talk = build(path, core=options.core, cut=options.cut)
        count = f"{len(talk.slides)} slides, in {talk.views} views"
        print(f"{deck.relative_to(BUILD.parent)}: {count}")
    print("Open one in a browser. S opens the speaker's view, Esc the overview, F the full screen.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
