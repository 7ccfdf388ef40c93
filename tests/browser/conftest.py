"""Fixtures: a browser."""

import pytest
from chromium import chromium


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; without one the test is skipped and says what is missing."""
    with chromium() as program:
        yield program
