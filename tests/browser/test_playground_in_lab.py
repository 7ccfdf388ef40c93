"""The playground in a real JupyterLab: it plays, and a click into the plane adds a point."""

import lab_page
import nbformat
import pytest
from chromium import watched

from tools.notebooks.files import METADATA, code_cells, published, read

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed here")

SAYS = "words => document.querySelector('.live [role=status]')?.innerText.includes(words)"
# Fractions of the picture's width and height, all in the plane.
CORNERS, MIDDLE = [(0.15, 0.2), (0.4, 0.2), (0.4, 0.75)], [(0.26, 0.45), (0.28, 0.5), (0.27, 0.47)]


@pytest.fixture
def page(tmp_path, browser):
    """A page of JupyterLab in which `playground()` has been run."""
    course = lab_page.copy_course(tmp_path / "course")
    setup = code_cells(read(published()[0]))[0].source
    call = "from utils.playground import playground\n\nplayground()"
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, call)]
    with lab_page.serving(course, "lab") as server:
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
        nbformat.write(notebook, course / "work" / "play.ipynb")
        with watched(browser, server.owns, viewport={"width": 1280, "height": 1000}) as found:
            page, outside, errors = found
            lab_page.open_notebook(page, server, "play")
            lab_page.run_all(page)
            page.wait_for_function(SAYS, arg="epoch 0 ·", timeout=60_000)
            yield page
            assert not outside and not errors


def press(page, words):
    page.locator(".live button", has_text=words).click()


def test_it_plays_and_pauses_and_learns_points_that_are_clicked(page):
    press(page, "Play")
    page.wait_for_function(f"!({SAYS})('epoch 0 ·')", timeout=60_000)
    press(page, "Pause")
    page.locator(".live button", has_text="Play").wait_for()
    page.locator(".live select").first.select_option("your own")
    page.wait_for_function(SAYS, arg="at least 3 points of each class")
    press(page, "Show the code")
    image = page.locator(".live img")
    for color, places in (("blue circle", CORNERS), ("orange square", MIDDLE)):
        option = page.locator("option", has_text=color)
        page.locator(".live select", has=option).select_option(label=option.inner_text())
        for across, down in places:
            size, before = image.bounding_box(), image.get_attribute("src")
            image.click(position={"x": across * size["width"], "y": down * size["height"]})
            changed = "before => document.querySelector('.live img')?.src !== before"
            page.wait_for_function(changed, arg=before)
    page.wait_for_function(SAYS, arg="epoch 0 ·")
    code = page.locator(".live pre").inner_text()
    assert "labels = torch.tensor([\n    0, 0, 0, 1, 1, 1\n])" in code
    press(page, "One epoch")
    page.wait_for_function(SAYS, arg="epoch 1 ·")
