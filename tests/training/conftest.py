"""Fixtures for the tests of training."""

import signal

import pytest


@pytest.fixture(autouse=True)
def keyboard():
    """Let Ctrl-C interrupt: a job in the background begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
