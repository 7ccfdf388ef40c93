"""Draw the figures of a notebook anew for slides, sharp on a screen of any size.

The notebooks hold pictures of fixed size. For a deck the notebook is run once, whole, by a kernel
that is told to bring its figures along as lines and letters too (`sharp_of` in
utils/figures/style.py), and the frames of live figures with them, where these are not there yet.
They are kept under build/drawings/ until the notebook's code, what it imports or its data change.
"""

import base64
import json

from tools.notebooks.files import code_cells, read
from tools.present import frames
from tools.settings import BUILD
from tools.setup.console import say
from utils.figures.style import SHARP, SHARP_WANTED

KEPT = BUILD / "drawings"


def drawings_of(path, kept=KEPT, kept_frames=frames.KEPT):
    """Draw the figures of a notebook, or take those that are there.

    Args:
        path: the notebook.
        kept, kept_frames: folders with a folder for each notebook.

    Returns:
        (names, folder): {id of a cell: for each of its figures the name of a file in the folder,
        None where it can only be had as the notebook holds it}; the folder is None where there is
        no figure.

    Raises:
        CourseError: a cell of the notebook raises; the message says which.
    """
    notebook = read(path)
    cells = code_cells(notebook)
    drawn = [number for number, cell in enumerate(cells) if frames.pictures(cell)]
    if not drawn:
        return {}, None
    needed = cells[: drawn[-1] + 1]
    folder = kept / path.stem / frames.key_of(needed, frames_wanted="")
    if not folder.is_dir():
        say(f"{path.stem}: drawing its figures for large screens")
        moving = frames.moving_cells(cells)
        place = frames.place_of(path, moving, kept_frames) if moving else None
        wanted = {SHARP_WANTED: "1"}
        if place and not place.is_dir():
            wanted[frames.WANTED] = frames.most()
        found = frames.draw(notebook, needed, path.stem, wanted)
        if place and not place.is_dir():
            frames.lay(frames.collected(found, frames.FRAMES), place)
            frames.remove_older(place)
        lay(found, folder)
        frames.remove_older(folder)
    return json.loads((folder / "names.json").read_text("utf-8")), folder


def lay(cells, folder):
    """Write the figures of cells that have been run into a new folder, whole or not at all."""
    with frames.whole(folder) as parts:
        names = {
            cell.id: [lay_one(output.data.get(SHARP), parts) for output in frames.pictures(cell)]
            for cell in cells
            if frames.pictures(cell)
        }
        (parts / "names.json").write_text(json.dumps(names), "utf-8")


def lay_one(sharp, folder):
    """Write one figure, {kind of file: content}; return the file's name, None without a figure."""
    if not sharp:
        return None
    [(kind, content)] = sharp.items()
    content = base64.b64decode(content) if kind == "png" else content.encode("utf-8")
    name = f"{frames.short_hash(content)}.{kind}"
    (folder / name).write_bytes(content)
    return name
