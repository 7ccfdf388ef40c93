"""Fixtures: a browser."""

import pytest
from chromium import chromium


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; without one the test is skipped and says what is missing."""
    with chromium() as program:
        yield program


@pytest.fixture(scope="module")
def few_frames():
    """Live figures with nine pictures: whether they move, these show as well as a hundred."""
    with pytest.MonkeyPatch.context() as context:
        context.setenv("COURSE_FRAMES", "9")
        yield
