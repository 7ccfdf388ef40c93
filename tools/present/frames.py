"""Draw beforehand what live figures show when they are moved: pages and slides have no kernel.

A notebook with live figures is run once, up to the last of them, by a kernel that is told to bring
the frames along (`frames` in utils/live.py says what they hold). They are kept under build/frames/
until the notebook's code, what it imports or its data change.
"""

import base64
import contextlib
import copy
import hashlib
import json
import os
import shutil
from pathlib import Path

import nbformat

from tools.notebooks.files import WIDGET, Runner, code_cells, read
from tools.settings import BUILD, ROOT
from tools.setup.console import CourseError, say

FRAMES = "application/vnd.course.frames+json"
WANTED = "COURSE_FRAMES"  # how many frames a figure has at most: tests draw fewer
MOST = "125"
LARGEST = 3e6  # bytes of a notebook's frames: more keeps a reader waiting
KEPT = BUILD / "frames"
# The script and the looks of the controls, the same for pages and slides.
OWN_FILES = [Path(__file__).with_name(name) for name in ("live.js", "live.css")]


# -------------------------------------------------------------------------------- what is drawn
def frames_of(path, kept=KEPT):
    """Draw the frames of a notebook's live figures, or take those that are there.

    Args:
        path: the notebook.
        kept: folder with a folder for each notebook, where frames are kept.

    Returns:
        (figures, folder): {id of a cell: list of its live figures as `utils.live.frames` describes
        them, but with the names of files as pictures}; the folder of these files, None where there
        is no live figure.

    Raises:
        CourseError: a cell of the notebook raises, or the frames are too large; the message says
            which.
    """
    notebook = read(path)
    needed = moving_cells(code_cells(notebook))
    if not needed:
        return {}, None
    folder = place_of(path, needed, kept)
    if not folder.is_dir():
        say(f"{path.stem}: drawing the frames of its live figures")
        drawn = draw(notebook, needed, path.stem, {WANTED: most()})
        lay(collected(drawn, FRAMES), folder)
        remove_older(folder)
    return json.loads((folder / "figures.json").read_text("utf-8")), folder


def moving_cells(cells):
    """Return the code cells up to the last that has a live figure, an empty list without one."""
    moving = [number for number, cell in enumerate(cells) if any(map(is_live, cell.outputs))]
    return cells[: moving[-1] + 1] if moving else []


def place_of(path, needed, kept=KEPT):
    """Return the folder of a notebook's frames, which follow from the needed cells."""
    return kept / path.stem / key_of(needed, most())


def most():
    """Return how many frames a figure has at most, as a text."""
    return os.environ.get(WANTED, MOST)


def is_live(output):
    """Return whether an output is a live figure: widgets, and a picture where there are none."""
    return {WIDGET, "image/png"} <= set(output.get("data", {}))


def pictures(cell):
    """Return the outputs of a code cell that are figures, live or not."""
    return [output for output in cell.outputs if "image/png" in output.get("data", {})]


def key_of(cells, frames_wanted):
    """Return a hash of all that pictures follow from: cells, shared code, data and versions.

    So do frames from how many of them are wanted at most, a text.
    """
    shared = [path for name in ("utils", "data") for path in (ROOT / name).rglob("*")]
    shared.append(ROOT / "requirements.txt")
    parts = [frames_wanted.encode()]
    parts += [f"{cell.id}\n{cell.source}".encode() for cell in cells]
    for path in sorted(shared):
        if path.is_file() and path.suffix != ".pyc":
            parts += [path.relative_to(ROOT).as_posix().encode(), path.read_bytes()]
    return short_hash(b"\0".join(parts))


def short_hash(content):
    """Return the first half of the sha256 of bytes: enough for the name of a file."""
    return hashlib.sha256(content).hexdigest()[:32]


def draw(notebook, needed, stem, wanted):
    """Run cells in a kernel that draws what is wanted; return them with their outputs.

    Args:
        notebook: stays as it is.
        needed: its first code cells.
        stem: its name, for messages.
        wanted: environment variables that say what is to be drawn beside what the notebook shows.
    """
    runner = Runner(copy.deepcopy(notebook))
    runner.environment.pop(WANTED, None)
    runner.environment.update(wanted)
    done = []
    with runner.kernel():
        for index, cell in runner.numbered()[: len(needed)]:
            runner.run_cell(cell, index)
            done.append(cell)
            for output in cell.outputs:
                if output.output_type == "error":
                    raise CourseError(
                        f"The figures of {stem} cannot be drawn: in cell {cell.id} came "
                        f"{output.ename}: {output.evalue}"
                    )
    return done


def collected(cells, kind):
    """Return {id of a cell: what its outputs have brought along of a kind}, where there is any."""
    found = {}
    for cell in cells:
        for output in cell.outputs:
            if kind in output.get("data", {}):
                found.setdefault(cell.id, []).append(output.data[kind])
    return found


@contextlib.contextmanager
def whole(folder):
    """Give a new folder to fill, which is there whole or not at all."""
    parts = folder.with_name(folder.name + ".parts")
    if parts.exists():
        shutil.rmtree(parts)
    parts.mkdir(parents=True)
    yield parts
    parts.rename(folder)


def remove_older(folder):
    """Remove the folders beside a folder of pictures: they are of a notebook as it was before."""
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other)


def lay(figures, folder):
    """Write figures, with their pictures as files, into a new folder, whole or not at all."""
    with whole(folder) as parts:
        fill(parts, figures, folder.parent.name)


def fill(parts, figures, stem):
    """Write figures, with their pictures as files, into an empty folder.

    Raises:
        CourseError: they are too large for a page.
    """
    for frame in (frame for cell in figures.values() for each in cell for frame in each["frames"]):
        if "picture" in frame:
            content = base64.b64decode(frame["picture"])
            frame["picture"] = f"{short_hash(content)}.webp"  # equal pictures are one file
            (parts / frame["picture"]).write_bytes(content)
    size = sum(file.stat().st_size for file in parts.iterdir())
    if size > LARGEST:
        raise CourseError(
            f"The live figures of {stem} take {size / 1e6:.1f} MB, and a page may "
            f"load {LARGEST / 1e6:.0f}: give their sliders fewer positions, or draw less."
        )
    (parts / "figures.json").write_text(json.dumps(figures), "utf-8")


# ---------------------------------------------------------------------- beside a page or a deck
def lay_pictures(folder, target):
    """Lay a notebook's pictures into a folder beside a page or a deck, and no others."""
    if target.exists():
        shutil.rmtree(target)
    if folder:
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.json"))


def with_frames(cell, figures, place):
    """Put before each live figure of a cell what live.js needs to make it move.

    Args:
        cell: changed in place.
        figures: the cell's figures, as `frames_of` gives them.
        place: address of the folder with the pictures, as the page says it.
    """
    given, outputs = iter(figures), []
    for output in cell.outputs:
        figure = next(given, None) if is_live(output) else None
        if figure:
            # The page must not take a sign in a description for the end of the script.
            text = json.dumps({**figure, "place": place}).replace("<", r"\u003c")
            data = {"text/html": f'<script type="application/json" class="live">{text}</script>'}
            outputs.append(nbformat.v4.new_output("display_data", data=data))
        outputs.append(output)
    cell.outputs = outputs
