"""The headless Chromium that the tests open pages with, and a watch on what a page asks for."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

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
    """Give a running browser; skip, saying what is missing, on a machine that has none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (see tools/requirements.txt)"
    )
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("there is no Chromium on this machine, on Debian: apt-get install chromium")
    # Chromium refuses its sandbox to root, who runs containers.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        program = started.chromium.launch(executable_path=found, args=[*OPTIONS, *as_root])
        yield program
        program.close()


@contextmanager
def watched(browser, allowed, **options):
    """Give a new page and two lists that fill: requests that would leave, and errors.

    Args:
        browser: what `chromium` gives.
        allowed: function of an address that says whether the page may ask for it.
        options: of the new page, for example `viewport`.
    """
    page = browser.new_page(**options)
    outside, errors = [], []

    def answer(route):
        if allowed(route.request.url):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.on("requestfailed", lambda request: errors.append(f"not loaded: {request.url}"))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("websocket", lambda socket: None if allowed(socket.url) else outside.append(socket.url))
    try:
        yield page, outside, errors
    finally:
        page.close()


def stays_in(address, folder):
    """Return whether an address is of a file in the folder, or data on the page."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return folder.resolve() in Path(unquote(parts.path)).resolve().parents
    return parts.scheme in ("data", "blob") or address == "about:blank"
