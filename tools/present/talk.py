"""Turn a notebook into a talk: which slides there are, and what comes on each, step after step.

A slide is a step of the course: a question, code, what it prints, a figure, its caption. What does
not fit beside each other in large letters takes turns: a slide has one or more views, of which the
room sees one. Heights here are estimates for a page of 1280 x 720; deck.js has the last word.
"""

import json
import math
import re
import textwrap
from dataclasses import dataclass, field

from tools.notebooks.files import (
    FOLDED,
    SENTENCE,
    caption_figures,
    first_sentence,
    is_exercise,
    tags,
)
from tools.present import code_lines, frames
from tools.present.teaching import SECTION

HEADING = re.compile(r"(#+) (.+?)(?: \(([^()]*min)\))?(?:\n+|$)")
PREDICT = re.compile(r"\*\*(Predict(?: \d+)?)\.\*\*")
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.S)
BETWEEN_NOTEBOOKS = re.compile(r"\[([^]]+)\]\([^()\s]+\.ipynb\)")
FOR_HOME = ("Errors you will meet", "Read on")

MOST_WORDS = 60  # of prose in a view
MOST_OF_A_TASK = 85  # what is to be chosen from stays together
MOST_OF_A_TABLE = 120
MOST_OF_AN_ANSWER = 32
MOST_LINES = 19  # of code in a view
LONGEST_LINE = 95  # of what is printed, in letters: in the smallest that are allowed
ROOM = 636  # pixels between the lines at a page's top and bottom
WIDTH = 1184  # pixels between its sides
LETTERS = 80  # in a line of prose


@dataclass
class Piece:
    """What comes in one go.

    kind: "heading", "words", "predict", "answer", "caption", "code", "output" or "figure";
    cell: id of the cell that it is of; text: Markdown, code or what was printed; label: what stands
    above it; step: whether it comes when the rest of its view has been seen; figure: of a figure
    "source", "alt", "width", "height", and "live", JSON for live.js.
    """

    kind: str
    cell: str
    text: str = ""
    label: str = ""
    step: bool = False
    figure: dict | None = None

    @property
    def height(self):
        """Estimated height, in pixels."""
        lines = self.text.count("\n") + 1
        if self.kind in ("code", "output"):
            return 31 * lines + (38 if self.kind == "code" else 22)
        if self.kind == "figure":
            live = 54 if self.figure["live"] else 0
            return live + WIDTH * self.figure["height"] / self.figure["width"]
        if self.kind == "heading":
            return 84
        formulas = sum(found.startswith("$$") for found in FORMULA.findall(self.text))
        rows = sum(math.ceil(len(line) / LETTERS) for line in self.text.split("\n") if line)
        return {"caption": 14, "answer": 70, "predict": 76}.get(self.kind, 16) + 42 * (
            rows + formulas
        )


@dataclass
class View:
    """What is seen together; `pieces` from top to bottom."""

    pieces: list

    @property
    def height(self):
        """Estimated height, in pixels."""
        return sum(piece.height for piece in self.pieces)

    def has(self, *kinds):
        """Return whether one of the pieces is of one of the kinds."""
        return any(piece.kind in kinds for piece in self.pieces)

    @property
    def look(self):
        """What deck.css goes by."""
        kinds = {piece.kind for piece in self.pieces}
        if "figure" in kinds:
            return "with-figure"
        if kinds == {"output"}:
            return "printed"
        if kinds & {"code", "output"}:
            return "with-code"
        return "question" if kinds == {"predict"} else "of-words"


@dataclass
class Slide:
    """A slide.

    kind: "title", "divider" or "step"; cell: id of its first cell; title; section: index of its
    `Section`, None before the first and after the last; notes: texts in Markdown.
    """

    kind: str
    cell: str
    title: str
    section: int | None
    views: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def has(self, *kinds):
        """Return whether one of its pieces is of one of the kinds."""
        return any(view.has(*kinds) for view in self.views)


@dataclass
class Section:
    """A section of the notebook: its title, "core" or "extra", minutes as a text."""

    title: str
    kind: str
    minutes: str

    @property
    def name(self):
        """The title without its number."""
        return re.sub(r"^\d+ · ", "", self.title)


@dataclass
class Talk:
    """A talk: number and question of its notebook, what its card says first, sections, slides."""

    number: str
    question: str
    card: str
    sections: list
    slides: list

    @property
    def views(self):
        """How many views there are on all slides."""
        return sum(max(1, len(slide.views)) for slide in self.slides)


def words_in(text):
    """Return how many words a text in Markdown has; a formula is one."""
    return len(re.findall(r"\S*\w\S*", FORMULA.sub("x", text)))


# ------------------------------------------------------------------------------------- prose
def packed(text, most=MOST_WORDS):
    """Cut a text in Markdown into parts of at most so many words, where it can be cut.

    That is between paragraphs and points of a list, else between sentences. What ends in a colon
    goes with what it announces, a formula with what is before it. The parts are about as long as
    each other.
    """
    parts = filled(text, most)
    least = words_in(text) // len(parts)
    tries = (filled(text, fewer) for fewer in range(least, most))
    return next((each for each in tries if len(each) == len(parts)), parts)


def filled(text, most):
    """Cut a text as `packed` does, but let each part take as much as it can."""
    parts = []
    for glue, unit in units(text, most):
        joined = parts[-1] + glue + unit if parts else unit
        stays = parts and (unit.startswith("$$") or words_in(joined) <= most)
        if stays:
            parts[-1] = joined
        elif parts and parts[-1].endswith(":") and "\n\n" in parts[-1]:
            kept, _, announced = parts[-1].rpartition("\n\n")
            parts[-1:] = [kept, announced + glue + unit]
        elif parts and parts[-1].endswith(":") and words_in(joined) <= 1.3 * most:
            parts[-1] = joined
        else:
            parts.append(unit)
    return parts


def units(text, most):
    """Give the parts of a text that stay whole, each with what joins it to the one before."""
    for block in re.split(r"\n\n+", text.strip()):
        if re.match(r"([-*]|\d+\.) ", block):
            points = re.split(r"\n(?=(?:[-*]|\d+\.) )", block)
            yield from zip(["\n\n", *["\n"] * len(points)], points, strict=False)
        elif block.startswith("|") and words_in(block) > MOST_OF_A_TABLE:
            yield from (("\n\n", part) for part in parts_of_table(block, most))
        elif words_in(block) > most and not block.startswith(("|", "$$")):
            sentences = [found[0].strip() for found in SENTENCE.finditer(block)]
            whole = " ".join(sentences) == " ".join(block.split())
            sentences = sentences if whole else [block]
            yield from zip(["\n\n", *[" "] * len(sentences)], sentences, strict=False)
        else:
            yield "\n\n", block


def parts_of_table(table, most):
    """Return a table as tables of at most so many words, each with the head of it."""
    head, rule, *rows = table.split("\n")
    count = math.ceil(words_in(table) / most)
    size = math.ceil(len(rows) / count)
    starts = range(0, len(rows), size)
    return ["\n".join([head, rule, *rows[start : start + size]]) for start in starts]


def beginning(text):
    """Return the first sentence of an answer, or the first two if both are short."""
    first = first_sentence(text)
    second = first_sentence(text.removeprefix(first).strip())
    both = f"{first} {second}"
    joined = second and text.startswith(both) and words_in(both) <= MOST_OF_AN_ANSWER
    return both if joined else first or text


# ------------------------------------------------------------------------------ the whole talk
class Composer:
    """Makes the slides of a talk, cell by cell.

    Args:
        notebook: with the cells that are to be shown.
        code: {id of a cell: its code as it is to be shown}.
        drawings: {id of a cell: addresses of its figures, None for those in the notebook}.
        moving: {id of a cell: its live figures, as `frames.frames_of` gives them}.
        place: address of the folder with the pictures of those.
    """

    def __init__(self, notebook, code, drawings, moving, place):
        self.captions = caption_figures(notebook)
        self.code, self.drawings, self.moving, self.place = code, drawings, moving, place
        self.slides, self.sections, self.where = [], [], {}
        self.closed = True  # whether the slide has had its answer: the next cell begins another
        self.section = None
        title, card, *rest = notebook.cells
        self.title = HEADING.match(title.source)[2].replace("`", "")
        first, _, goals = card.source.partition("\n\n")
        self.slide("title", title, self.title)
        self.where[card.id] = self.slides[0]
        if goals:
            parts = packed(goals, MOST_OF_A_TASK if "\n- " in goals else MOST_WORDS)
            self.slides[0].views += [
                View([]),
                *(View([Piece("words", card.id, part)]) for part in parts),
            ]
        self.closed = True
        for cell in rest:
            self.add(cell)
        number, _, question = self.title.partition(" · ")
        self.talk = Talk(number, question, first, self.sections, self.slides)

    def slide(self, kind, cell, title):
        """Begin a slide."""
        self.slides.append(Slide(kind, cell.id, title, self.section))
        self.where[cell.id] = self.slides[-1]
        self.closed = False

    def view(self, *pieces):
        """Begin a view."""
        self.slides[-1].views.append(View(list(pieces)))

    def add(self, cell):
        """Show a cell."""
        if cell.cell_type == "code":
            self.run(cell)
        elif FOLDED.fullmatch(cell.source.strip()):
            self.answer(cell)
        else:
            self.words(cell)
        self.where.setdefault(cell.id, self.slides[-1])

    def running_title(self):
        """Return what a slide without a heading is about."""
        return self.title if self.section is None else self.sections[self.section].title

    # ------------------------------------------------------------------------------- words
    def words(self, cell):
        """Show headings, ideas, tasks and questions."""
        text = BETWEEN_NOTEBOOKS.sub(r"\1", cell.source)
        heading = HEADING.match(text)
        section = SECTION.match(text.split("\n")[0])
        if section:
            self.section = len(self.sections)
            title = re.sub(r"[`*]", "", heading[2])
            self.sections.append(Section(title, section[2], section[3]))
            self.slide("divider", cell, title)
            text, heading = text[heading.end() :], None
            if not text.strip():
                return
            self.slides.append(Slide("step", cell.id, title, self.section))
        elif heading:
            if heading[1] == "##":
                self.section = None
            self.slide("step", cell, re.sub(r"[`*]", "", heading[2]))
        elif self.closed or self.slides[-1].has("predict", "code", "figure", "output"):
            self.slide("step", cell, self.running_title())
        opening = []
        if heading:
            opening = [Piece("heading", cell.id, heading[2], heading[3] or "")]
            text = text[heading.end() :]
        question = PREDICT.search(text)
        idea = text[: question.start()].strip() if question else text.strip()
        listed = heading and heading[2].startswith(("Exercise", "Key points")) and "\n- " in idea
        parts = packed(idea, MOST_OF_A_TASK if listed else MOST_WORDS) if idea else []
        ideas = [Piece("words", cell.id, part) for part in parts]
        self.view(*opening, *ideas[:1])
        for piece in ideas[1:]:
            self.view(piece)
        if question:
            first, *rest = packed(text[question.end() :])
            asked = Piece("predict", cell.id, first, question[1])
            last = self.slides[-1].views[-1]
            enough = words_in(idea) + words_in(asked.text) <= MOST_WORDS
            if last.pieces and enough and last.height + asked.height <= ROOM - 100:
                asked.step = True
                last.pieces.append(asked)
            elif last.pieces:
                self.view(asked)
            else:
                last.pieces.append(asked)
            for part in rest:
                self.view(Piece("predict", cell.id, part, question[1]))

    def answer(self, cell):
        """Show the first sentence of what happened; the rest is for the speaker."""
        label, text = FOLDED.fullmatch(cell.source.strip()).groups()
        slide = self.slides[-1]
        caption = self.captions.get(cell.id)
        said = caption or beginning(text)
        if caption and slide.views[-1].has("figure"):
            slide.views[-1].pieces.append(Piece("caption", cell.id, caption, step=True))
        else:
            self.append(Piece("answer", cell.id, said, label, step=True))
        rest = text.removeprefix(said).strip()
        if rest:
            slide.notes.append(f"**{label}.** {rest}")
        self.closed = True

    def append(self, piece):
        """Show a piece below the last ones, or, where there is no room, in a view of its own."""
        slide = self.slides[-1]
        last = slide.views[-1] if slide.views else None
        if last and last.height + piece.height <= ROOM and not last.has("figure"):
            last.pieces.append(piece)
        elif last and len(last.pieces) > 1 and last.pieces[-1].kind == "output":
            # An answer stands with the numbers that it speaks of.
            printed = last.pieces.pop()
            printed.step = False
            self.view(printed, piece)
        else:
            piece.step = False
            self.view(piece)

    # -------------------------------------------------------------------------------- code
    def run(self, cell):
        """Show code, what it prints and what it draws."""
        hidden = "slide-hide-code" in tags(cell)
        task = is_exercise(cell)
        if task and not re.search(r"^(def|class) |= \.\.\.", cell.source, re.M):
            return  # a line that checks letters
        slide = self.slides[-1]
        begins = self.closed or (not hidden and slide.has("code", "figure"))
        begins = begins or (hidden and slide.has("figure"))
        if begins and not (slide.kind == "step" and not slide.views):
            self.slide("step", cell, self.running_title())
            slide = self.slides[-1]
        elif slide.kind != "step":
            self.slide("step", cell, self.running_title())
            slide = self.slides[-1]
        asked = slide.has("predict")
        if not hidden:
            first, *rest = code_lines.pieces(self.code[cell.id], MOST_LINES)
            first = Piece("code", cell.id, first, step=asked)
            last = slide.views[-1] if slide.views else None
            printed = 0 if rest else sum(piece.height for piece in self.printed(cell))
            if last and not rest and 0.85 * last.height + first.height + printed <= ROOM:
                last.pieces.append(first)
            else:
                first.step = False
                self.view(first)
            for part in rest:
                self.view(Piece("code", cell.id, part))
        figures = self.figures(cell)
        above = []
        for piece in [] if task else self.printed(cell):
            if hidden and figures and "\n" not in piece.text:
                above = [piece]
            elif not slide.views:
                self.view(piece)
            else:
                piece.step = asked
                self.append(piece)
        for figure in figures:
            last = slide.views[-1] if slide.views else None
            beside = last and not hidden and last.height + figure.height + 98 <= ROOM
            if beside:
                figure.step = asked
                last.pieces.append(figure)
            else:
                self.view(*above, figure)

    def printed(self, cell):
        """Return what a cell has printed, as a list of at most one piece."""
        text = "".join(out.text for out in cell.outputs if out.output_type == "stream")
        about = {"subsequent_indent": "    ", "drop_whitespace": False, "break_on_hyphens": False}
        lines = [
            part
            for line in text.rstrip().split("\n")
            for part in (textwrap.wrap(line, LONGEST_LINE, **about) if line else [""])
        ]
        return [Piece("output", cell.id, "\n".join(lines))] if text.strip() else []

    def figures(self, cell):
        """Return the figures of a cell."""
        drawn, moving = iter(self.drawings.get(cell.id, [])), iter(self.moving.get(cell.id, []))
        pieces = []
        for output in frames.pictures(cell):
            about = output.metadata["image/png"]
            source = next(drawn, None) or f"data:image/png;base64,{output.data['image/png']}"
            live = next(moving, None) if frames.is_live(output) else None
            shown = {"source": source, "alt": about.get("alt", "")}
            shown |= {"width": about["width"], "height": about["height"]}
            # The page must not take a sign in a description for the end of the script.
            text = json.dumps({**live, "place": self.place}) if live else ""
            shown["live"] = text.replace("<", r"\u003c")
            pieces.append(Piece("figure", cell.id, figure=shown))
        return pieces
