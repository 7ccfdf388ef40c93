"""Fixtures: a browser."""

import pytest
from chromium import chromium

from tools.notebooks.files import published
from tools.present import drawings


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; without one the test is skipped and says what is missing."""
    with chromium() as program:
        yield program


@pytest.fixture(scope="module")
def few_frames():
    """Live figures with nine pictures: whether they move, these show as well as a hundred.

    One run of a notebook draws them for pages and slides, and the slides' figures with them.
    """
    with pytest.MonkeyPatch.context() as context:
        context.setenv("COURSE_FRAMES", "9")
        for path in published():
            drawings.drawings_of(path)
        yield
