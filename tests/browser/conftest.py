"""Fixtures: a browser, and few figures to draw."""

from pathlib import Path

import pytest
from chromium import chromium

from tools.notebooks.files import code_cells, published, read
from tools.present import drawings, frames
from tools.settings import FEW


def drawn_anew(config):
    """Return the notebooks whose figures are drawn anew; each has some that move.

    Those of the others are shown as stored: to draw, a notebook has to run.
    """
    return [path for path in few(config) if any(map(moves, code_cells(read(path))))]


def few(config):
    """Return the notebooks that the longest tests take."""
    return published(() if config.option.every_notebook else FEW)


def moves(cell):
    """Return whether a cell has a live figure."""
    return any(map(frames.is_live, cell.outputs))


def pytest_generate_tests(metafunc):
    """Give the tests of drawings the notebooks that have them, and the longest tests a few."""
    some = few(metafunc.config)
    if "drawn" in metafunc.fixturenames:
        metafunc.parametrize("drawn", drawn_anew(metafunc.config), ids=lambda path: path.stem)
    if "one_of_few" in metafunc.fixturenames:
        metafunc.parametrize("one_of_few", some, ids=lambda path: path.stem)
    if "a_page" in metafunc.fixturenames:  # each page but those of the other notebooks
        others = {path.stem for path in published()} - {path.stem for path in some}
        pages = [name for name in metafunc.module.PAGES if Path(name).stem not in others]
        metafunc.parametrize("a_page", pages)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; without one the test is skipped and says what is missing."""
    with chromium() as program:
        yield program


@pytest.fixture(scope="module")
def few_frames(request):
    """Live figures with nine pictures: whether they move, these show as well as a hundred.

    One run of a notebook draws them for pages and slides, and the slides' figures with them.
    """
    stems = [path.stem for path in drawn_anew(request.config)]

    def of_some(function):
        return lambda path: function(path) if path.stem in stems else ({}, None)

    with pytest.MonkeyPatch.context() as context:
        context.setenv("COURSE_FRAMES", "9")
        for module, name in ((drawings, "drawings_of"), (frames, "frames_of")):
            context.setattr(module, name, of_some(getattr(module, name)))
        for path in published():
            drawings.drawings_of(path)
        yield
