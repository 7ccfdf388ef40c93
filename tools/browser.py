"""A headless Chromium, the system's own, for the tools and tests that open pages."""

import os
import shutil
from contextlib import contextmanager

from tools.console import CourseError

NAMES = ["chromium", "chromium-browser", "google-chrome"]
# Chromium of its own accord looks for updates and more; what is left to see is the page's. No name
# of a computer leads anywhere: only this machine's own servers are found.
OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium():
    """Give a running browser. Raises CourseError that says what is missing on this machine."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise CourseError("playwright is not installed (see tools/requirements.txt).") from error
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise CourseError(
            "There is no Chromium on this machine, on Debian: apt-get install chromium"
        )
    # Chromium refuses its sandbox to root, who runs containers.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as started:
        program = started.chromium.launch(executable_path=found, args=[*OPTIONS, *as_root])
        yield program
        program.close()
