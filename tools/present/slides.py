"""Build slides from the notebooks: one deck each, for any browser, without a network.

    python3 course.py slides [NN ...]

The decks go to build/slides/. Each notebook's own slide types say what begins a slide; this module
only lays out: the answers are unfolded, code that belongs behind the scene is left out, and every
slide without a heading says which section it is in. What the speaker is to know comes from
TEACHING.md.
"""

import argparse
import copy
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert.exporters import SlidesExporter
from traitlets.config import Config

from tools.notebooks.files import (
    FOLDED,
    PREDICT,
    caption_figures,
    is_exercise,
    published,
    question_of,
    read,
    tags,
    without_widgets,
)
from tools.present import frames, libraries
from tools.present.teaching import notes_for
from tools.settings import BUILD
from tools.setup.console import guarded

TOOLS = Path(__file__).resolve().parent
TEMPLATE = TOOLS / "slides_template"
TARGET = BUILD / "slides"
OWN_FILES = [*(TEMPLATE / name for name in ("deck.css", "deck.js")), *frames.OWN_FILES]

HEADING = re.compile(r"#+ (.+)")
BLANK_LINES = re.compile(r"\n\n\n+")
MINUTES = re.compile(r"^(#+ .+?) \(([^()]*min)\)$", re.M)


def slide_type(cell):
    """Return a cell's slide type; "-" goes on with what the cell before began."""
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def presented(notebook, figures=(), place=""):
    """Return a copy of a notebook as it is shown: answers unfolded, slides with their titles.

    `figures` are those that move, as `frames.frames_of` gives them, `place` is where their pictures
    are.
    """
    shown = copy.deepcopy(notebook)
    captions = caption_figures(shown)
    shown.metadata.title = heading_of(shown.cells[0].source)
    section = running = shown.metadata.title
    for cell in shown.cells:
        cell.metadata.setdefault("tags", [])
        own = None
        if cell.cell_type == "markdown":
            own = heading_of(cell.source)
            if own:
                section = section if cell.source.startswith("###") else own
                running = own  # an exercise's, until the section goes on
            elif PREDICT in cell.source:
                running = section
            lay_out_words(cell, captions.get(cell.id, ""))
        elif cell.cell_type == "code":
            if cell.id in figures:
                frames.with_frames(cell, figures[cell.id], place)
            lay_out_code(cell)
        cell.metadata.slide_title = own or running
        cell.metadata.running_title = None if own else running
    shown.cells = with_notes(shown.cells, notes_for(notebook))
    return shown


def with_notes(cells, notes):
    """Return the cells with the speaker's notes, each on the slide that shows the noted cell."""
    laid, start = [], 0
    for cell in cells:
        if slide_type(cell) in ("slide", "subslide"):
            start = len(laid) + 1
        laid.append(cell)
        if cell.id in notes:
            about = {"slideshow": {"slide_type": "notes"}}
            note = nbformat.v4.new_markdown_cell(notes[cell.id], metadata=about)
            # Behind the slide's first cell: within a step it would be shown with that step only.
            laid.insert(start, note)
            start += 1
    return laid


def heading_of(source):
    """Return the heading that a text begins with, without the minutes; None without one."""
    found = HEADING.match(MINUTES.sub(r"\1", source))
    return re.sub(r"[`*]", "", found[1]) if found else None


def lay_out_words(cell, caption):
    """Unfold answers, mark questions and answers, set minutes and captions in small letters.

    A presenter cannot unfold: caption and answer come as a step of their own, after the figure, and
    then are all there.
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


def lay_out_code(cell):
    """Leave out what says nothing on a slide: inputs tagged so, some outputs, empty lines."""
    cell.source = BLANK_LINES.sub("\n\n", cell.source)
    cell.outputs = without_widgets(cell.outputs)
    if is_exercise(cell):
        cell.outputs = []  # "not attempted yet"
    if "slide-hide-code" in tags(cell):
        cell.metadata.transient = {"remove_source": True}


def exporter():
    """Return nbconvert's exporter with the course's template."""
    config = Config()
    config.SlidesExporter.exclude_input_prompt = True
    config.SlidesExporter.exclude_output_prompt = True
    config.SlidesExporter.exclude_anchor_links = True
    return SlidesExporter(
        config=config, template_name=TEMPLATE.name, extra_template_basedirs=[str(TOOLS)]
    )


def lay_assets(target=TARGET):
    """Lay what the decks load beside them."""
    for library in libraries.LIBRARIES:
        libraries.lay(library, target / "assets")
    for path in OWN_FILES:
        shutil.copyfile(path, target / "assets" / path.name)


def build(path, target=TARGET):
    """Build the deck of one notebook; return its path. `lay_assets` lays what all decks load."""
    figures, folder = frames.frames_of(path)
    place = f"assets/frames/{path.stem}"
    page, _ = exporter().from_notebook_node(presented(read(path), figures, place))
    target.mkdir(parents=True, exist_ok=True)
    frames.lay_pictures(folder, target / place)
    deck = target / f"{path.stem}.html"
    deck.write_text(page, encoding="utf-8", newline="\n")
    return deck


def main(arguments=None):
    """Build the decks asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="course.py slides", description=__doc__.split("\n")[0])
    parser.add_argument("numbers", nargs="*", help="which notebooks, for example 01 (default: all)")
    paths = published(parser.parse_args(arguments).numbers)
    lay_assets()
    for path in paths:
        print(build(path).relative_to(BUILD.parent))
    print("Open one in a browser. S opens the speaker's view, Esc the overview, F the full screen.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
