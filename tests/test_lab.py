"""Run All of every notebook in a real JupyterLab ends without an error, for the student too.

The course is served as a student gets it, by the launcher's own command, and opened in headless
Chromium: copies without outputs in `work/`, progress bars on.
"""

from types import SimpleNamespace

import nbformat
import pytest
from browser import watched

from tools import lab_page
from tools.notebook_files import (
    EXEMPT,
    code_cells,
    is_exercise,
    pictures_of,
    published,
    read,
    same_pictures,
    text_of,
)

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed here")

PATHS = published()
WIDGET = "application/vnd.jupyter.widget-view+json"
SCREEN = {"width": 1400, "height": 900}
# The figures of the page: width and height as shown, and of the picture itself (0: none).
FIGURES = """() => [...document.querySelectorAll('.jp-Cell-outputArea img')].map(
  image => [image.width, image.height, image.naturalWidth])"""
# Widgets on the page, as texts, once all cells have been laid out and each widget is there.
WIDGETS = """cells => {
  const places = [...document.querySelectorAll('.jp-Cell-outputArea .lm-Panel.jp-OutputArea-output')];
  const all = document.querySelectorAll('.jp-Cell').length === cells;
  return all && places.every(place => place.textContent) && places.map(place => place.textContent);
}"""
each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    """A student's course, open in JupyterLab."""
    course = lab_page.copy_course(tmp_path_factory.mktemp("lab") / "course")
    with lab_page.serving(course, "lab") as running:
        yield running


@pytest.fixture(scope="module")
def after_run_all(browser, server):
    """Return a function that gives what is there after Run All of a notebook, run once."""
    done = {}

    def run(path):
        if path.stem not in done:
            done[path.stem] = seen_after_run_all(browser, server, path)
        return done[path.stem]

    return run


def seen_after_run_all(browser, server, path):
    """Run a notebook in JupyterLab, save it, open it the next day. Return what was seen."""
    with watched(browser, server.owns, viewport=SCREEN) as (page, outside, errors):
        lab_page.open_notebook(page, server, path.stem)
        file = server.course / "work" / path.name
        laid = read(file)
        lab_page.run_all(page)
        seen = SimpleNamespace(counts=lab_page.counts(page), figures=page.evaluate(FIGURES))
        lab_page.save(page)
        seen.laid, seen.saved = laid, read(file)
        seen.outside, seen.errors = list(outside), list(errors)
    server.stop_kernels()
    with watched(browser, server.owns, viewport=SCREEN) as (page, _, _):
        lab_page.open_notebook(page, server, path.stem)
        found = page.wait_for_function(WIDGETS, arg=len(laid.cells), timeout=60_000)
        seen.widgets_next_day = found.json_value()
    return seen


@each_notebook
def test_run_all_runs_every_cell_once_and_in_order(path, after_run_all):
    expected = list(range(1, len(code_cells(read(path))) + 1))
    assert after_run_all(path).counts == expected
    assert [cell.execution_count for cell in code_cells(after_run_all(path).saved)] == expected


@each_notebook
def test_what_is_printed_is_what_is_published(path, after_run_all):
    pairs = zip(code_cells(after_run_all(path).saved), code_cells(read(path)), strict=True)
    for cell, before in pairs:
        # What is drawn while something runs is not published; no error is, nor a warning.
        kept = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        expected = [output for output in before.outputs if WIDGET not in output.get("data", {})]
        text = text_of(kept)
        assert "[error]" not in text and "[stderr]" not in text, f"{cell.id}: {text}"
        if (path.stem, cell.id) not in EXEMPT:
            assert text == text_of(expected), cell.id
        if is_exercise(cell):
            assert "not attempted yet" in text, cell.id


@each_notebook
def test_every_figure_is_on_the_page_as_published(path, after_run_all):
    cells = code_cells(read(path))
    shown = after_run_all(path).figures
    assert len(shown) == sum(len(pictures_of(cell.outputs)) for cell in cells) > 0
    for width, height, picture in shown:
        assert picture > 0 and width > 100 and height > 50
    for cell, before in zip(code_cells(after_run_all(path).saved), cells, strict=True):
        assert same_pictures(cell.outputs, before.outputs), cell.id


@each_notebook
def test_the_page_asks_nothing_of_other_machines_and_reports_no_error(path, after_run_all):
    assert not after_run_all(path).outside, "a request would leave the machine"
    assert not after_run_all(path).errors


@each_notebook
def test_the_students_file_is_saved_and_valid(path, after_run_all):
    seen = after_run_all(path)
    nbformat.validate(seen.saved)
    assert [(c.id, c.source) for c in seen.saved.cells] == [
        (c.id, c.source) for c in seen.laid.cells
    ]
    assert not any(cell.outputs for cell in code_cells(seen.laid))


@each_notebook
def test_the_next_day_the_page_is_as_it_was_left(path, after_run_all):
    """The kernel is gone, and with it what progress bars and sliders are made of."""
    seen = after_run_all(path)
    outputs = [output for cell in code_cells(seen.saved) for output in cell.outputs]
    widgets = [output for output in outputs if WIDGET in output.get("data", {})]
    assert len(seen.widgets_next_day) == len(widgets)
    assert not any("Error" in text for text in seen.widgets_next_day)
