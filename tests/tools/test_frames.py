"""The frames of live figures are drawn when they have to be, and laid beside pages and decks."""

import base64
import json

import nbformat
import pytest

from tools.notebooks.files import METADATA, WIDGET, read
from tools.present import frames
from tools.setup.console import CourseError
from utils import live

words, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
SET_UP = """
import sys

sys.path.insert(0, "..")
from utils import plotting
from utils.live import live
"""
DRAW = """
def line(slope=1):
    assert slope < 2, "too <steep>"
    plotting.points_and_lines([0, 1], [0, 1], {f"slope {slope}": (slope, 0)})


live(line, slope=(0, 2, 1), play=True)
"""


def moving():
    """Return an output as a live figure leaves it."""
    data = {WIDGET: {"model_id": "1"}, "image/png": "", "text/plain": "A line."}
    return nbformat.v4.new_output("display_data", data=data)


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes a notebook whose second code cell has a live figure."""

    def write(draw=DRAW, idea="An idea.", after="1 / 0"):
        cells = [
            code(SET_UP.strip(), id="setup"),
            words(idea, id="idea"),
            code(draw.strip(), id="slope", outputs=[moving()]),
            code(after, id="after"),
        ]
        path = tmp_path / "07_lines.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)
        return path

    return write


def figure(*pictures):
    """Return a live figure as a kernel describes it, with one slider."""
    drawn = [
        {"picture": base64.b64encode(picture).decode("ascii"), "alt": f"It shows {picture!r}."}
        for picture in pictures
    ]
    slider = {"name": "slope", "values": [str(n) for n in range(len(drawn))], "start": 0}
    return {"play": False, "width": 9, "height": 5, "controls": [slider], "frames": drawn}


def run_cells(drawn):
    """Return the cells of a notebook whose run has brought along the frames of one figure."""
    output = nbformat.v4.new_output("display_data", data={frames.FRAMES: drawn})
    return [code("", id="slope", outputs=[output])]


@pytest.fixture
def runs(monkeypatch):
    """Put a list that fills in the place of runs, each of which draws two pictures."""
    done = []

    def draw(notebook, needed, stem, wanted):
        done.append([cell.id for cell in needed])
        return run_cells(figure(b"one", b"two"))

    monkeypatch.setattr(frames, "draw", draw)
    return done


# --------------------------------------------------------------------------------- when to draw
def test_frames_are_reused_until_code_up_to_the_last_live_figure_changes(notebook, runs, tmp_path):
    kept = tmp_path / "frames"
    first = frames.frames_of(notebook(), kept)
    assert runs == [["setup", "slope"]]
    assert frames.frames_of(notebook(idea="Another.", after="2 / 0"), kept) == first
    assert len(runs) == 1
    figures, folder = frames.frames_of(notebook(draw="live(line, slope=(0, 9, 1))"), kept)
    assert len(runs) == 2 and figures == first[0]
    assert [path for path in kept.rglob("*") if path.is_dir()] == [folder.parent, folder]


def test_frames_are_drawn_again_when_shared_code_or_data_change(
    notebook, runs, tmp_path, monkeypatch
):
    monkeypatch.setattr(frames, "ROOT", tmp_path)
    paths = [tmp_path / name for name in ("utils/a/lines.py", "data/x.h5", "requirements.txt")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before", "utf-8")
    for changed in [None, *paths]:
        if changed:
            changed.write_text("after", "utf-8")
        for _ in range(2):
            frames.frames_of(notebook(), tmp_path / "frames")
    assert len(runs) == 4


def test_a_notebook_that_only_shows_pictures_is_not_run(notebook, runs, tmp_path):
    path = notebook()
    still = read(path)
    del still.cells[2].outputs[0].data[WIDGET]
    nbformat.write(still, path)
    assert frames.frames_of(path, tmp_path / "frames") == ({}, None)
    assert not runs and not (tmp_path / "frames").exists()


def test_frames_are_kept_whole_or_not_at_all(notebook, runs, tmp_path, monkeypatch):
    def full(*paths):
        raise OSError("The disk is full.")

    kept = tmp_path / "frames"
    with monkeypatch.context() as context:
        context.setattr(frames.Path, "rename", full)
        with pytest.raises(OSError):
            frames.frames_of(notebook(), kept)
    figures, folder = frames.frames_of(notebook(), kept)
    assert len(runs) == 2 and len(figures["slope"][0]["frames"]) == 2
    assert list(folder.parent.iterdir()) == [folder]


# -------------------------------------------------------------------------------------- a kernel
def test_kernel_and_tools_speak_of_the_same():
    assert (frames.FRAMES, frames.WANTED) == (live.FRAMES, live.FRAMES_WANTED)


@pytest.mark.full
def test_a_kernel_draws_the_frames_and_an_error_at_one_position_is_one_of_them(notebook, tmp_path):
    figures, folder = frames.frames_of(notebook(), tmp_path / "frames")
    [drawn] = figures["slope"]
    assert drawn["play"] is True
    assert drawn["controls"] == [{"name": "slope", "values": ["0", "1", "2"], "start": 1}]
    for number, frame in enumerate(drawn["frames"][:2]):
        assert f"slope {number}" in frame["alt"]
        assert (folder / frame["picture"]).read_bytes()[8:12] == b"WEBP"
    assert drawn["frames"][2] == {"error": "AssertionError: too <steep>"}


@pytest.mark.full
def test_a_cell_that_raises_is_named(notebook, tmp_path):
    path = notebook(DRAW.replace("< 2", "< 1"))
    with pytest.raises(CourseError, match="07_lines .* cell slope .*AssertionError: too <steep>"):
        frames.frames_of(path, tmp_path / "frames")
    assert not (tmp_path / "frames").exists()


# ---------------------------------------------------------------------------- pages and decks
def test_equal_pictures_are_one_file_and_those_of_another_time_go(tmp_path):
    shown = {"slope": [figure(b"one", b"two", b"one")], "rate": [figure(b"two")]}
    frames.lay(shown, tmp_path / "kept")
    target = tmp_path / "page"
    target.mkdir()
    (target / "old.webp").write_bytes(b"old")
    frames.lay_pictures(tmp_path / "kept", target)
    assert sorted(path.read_bytes() for path in target.iterdir()) == [b"one", b"two"]
    frames.lay_pictures(None, target)
    assert not target.exists()


def test_each_live_figure_of_a_cell_gets_its_frames_before_its_picture():
    first, second = figure(b"one"), figure(b"two")
    first["frames"][0]["alt"] = "Below </script> <b>1</b>"
    printed = nbformat.v4.new_output("stream", text="seen\n")
    cell = code("", outputs=[printed, moving(), moving()])
    frames.with_frames(cell, [first, second], "../here")
    assert [output.get("name") for output in cell.outputs] == ["stdout", None, None, None, None]
    for place, given in [(1, first), (3, second)]:
        text = cell.outputs[place].data["text/html"]
        start, end = '<script type="application/json" class="live">', "</script>"
        assert text.startswith(start) and text.endswith(end) and text.count("<") == 2
        assert json.loads(text[len(start) : -len(end)]) == {**given, "place": "../here"}
        assert frames.is_live(cell.outputs[place + 1])


def test_frames_that_are_too_large_for_a_page_are_refused(notebook, tmp_path, monkeypatch):
    large = figure(b"a" * 2_000_000, b"b" * 1_100_000)
    monkeypatch.setattr(frames, "draw", lambda *about: run_cells(large))
    with pytest.raises(CourseError, match="take 3.1 MB, and a page may load 3: give their sliders"):
        frames.frames_of(notebook(), tmp_path / "frames")
    assert not list((tmp_path / "frames").rglob("figures.json"))
