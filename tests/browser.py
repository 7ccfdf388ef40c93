"""The headless Chromium that the tests open pages with, and a watch on what a page asks for."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tools import browser
from tools.console import CourseError


@contextmanager
def chromium():
    """Give a running browser; skip, saying what is missing, on a machine that has none."""
    with ExitStack() as stack:
        try:
            program = stack.enter_context(browser.chromium())
        except CourseError as error:
            pytest.skip(str(error))
        yield program


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
