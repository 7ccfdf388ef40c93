"""Draw beforehand what live figures show when they are moved: pages and slides have no kernel.

A notebook with live figures is run once, up to the last of them, by a kernel that is told to bring
the frames along (`frames` in utils/live.py says what they hold). They are kept under build/frames/
until the notebook's code, what it imports or its data change.
"""

import base64
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
    cells = code_cells(notebook)
    moving = [number for number, cell in enumerate(cells) if any(map(is_live, cell.outputs))]
    if not moving:
        return {}, None
    needed = cells[: moving[-1] + 1]
    folder = kept / path.stem / key_of(needed)
    if not folder.is_dir():
        say(f"{path.stem}: drawing the frames of its live figures")
        drawn = draw(notebook, needed, path.stem)
        lay(drawn, folder)
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other)
    return json.loads((folder / "figures.json").read_text("utf-8")), folder


def is_live(output):
    """Return whether an output is a live figure: widgets, and a picture where there are none."""
    return {WIDGET, "image/png"} <= set(output.get("data", {}))


def key_of(cells):
    """Return a hash of all that frames follow from: cells, shared code, data and versions."""
    shared = [path for name in ("utils", "data") for path in (ROOT / name).rglob("*")]
    shared.append(ROOT / "requirements.txt")
    parts = [os.environ.get(WANTED, MOST).encode()]
    parts += [f"{cell.id}\n{cell.source}".encode() for cell in cells]
    for path in sorted(shared):
        if path.is_file() and path.suffix != ".pyc":
            parts += [path.relative_to(ROOT).as_posix().encode(), path.read_bytes()]
    return short_hash(b"\0".join(parts))


def short_hash(content):
    """Return the first half of the sha256 of bytes: enough for the name of a file."""
    return hashlib.sha256(content).hexdigest()[:32]


def draw(notebook, needed, stem):
    """Run cells in a kernel that draws frames; return {id of a cell: descriptions of figures}."""
    runner = Runner(copy.deepcopy(notebook))
    runner.environment.setdefault(WANTED, MOST)
    figures = {}
    with runner.kernel():
        for index, cell in runner.numbered()[: len(needed)]:
            runner.run_cell(cell, index)
            for output in cell.outputs:
                if output.output_type == "error":
                    raise CourseError(
                        f"The live figures of {stem} cannot be drawn: in cell {cell.id} came "
                        f"{output.ename}: {output.evalue}"
                    )
                if FRAMES in output.get("data", {}):
                    figures.setdefault(cell.id, []).append(output.data[FRAMES])
    return figures


def lay(figures, folder):
    """Write figures, with their pictures as files, into a new folder, whole or not at all."""
    parts = folder.with_name(folder.name + ".parts")
    if parts.exists():
        shutil.rmtree(parts)
    parts.mkdir(parents=True)
    for frame in (frame for cell in figures.values() for each in cell for frame in each["frames"]):
        if "picture" in frame:
            content = base64.b64decode(frame["picture"])
            frame["picture"] = f"{short_hash(content)}.webp"  # equal pictures are one file
            (parts / frame["picture"]).write_bytes(content)
    size = sum(file.stat().st_size for file in parts.iterdir())
    if size > LARGEST:
        raise CourseError(
            f"The live figures of {folder.parent.name} take {size / 1e6:.1f} MB, and a page may "
            f"load {LARGEST / 1e6:.0f}: give their sliders fewer positions, or draw less."
        )
    (parts / "figures.json").write_text(json.dumps(figures), "utf-8")
    parts.rename(folder)


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
