"""Every notebook in a real JupyterLab: Run All, sliders, live slides.

The course is served by the launcher's own commands and opened in headless Chromium, as a student
and a presenter have it: copies without outputs, progress bars on.
"""

import importlib.util
from types import SimpleNamespace
from urllib.error import URLError

import lab_page
import nbformat
import pytest
from chromium import watched
from nbformat import NotebookNode

from tools.notebooks.compare import difference, difference_of_pictures
from tools.notebooks.files import code_cells, is_exercise, pictures_of, published, read, text_of
from tools.present import live_slides
from tools.setup.console import CourseError
from utils.live import WIDGET

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed here")

PATHS = published()
SLIDERS = [
    (path, number)
    for path in PATHS
    for number, cell in enumerate(read(path).cells)
    if any(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))
]
SCREEN = {"width": 1400, "height": 900}
# The figures of the page: width and height as shown, and of the picture itself (0: none).
FIGURES = """() => [...document.querySelectorAll('.jp-Cell-outputArea img')].map(
  image => [image.width, image.height, image.naturalWidth])"""
# Widgets on the page, as texts, once all cells have been laid out and each widget is there.
WIDGETS = """cells => {
  const all = document.querySelectorAll('.jp-Cell').length === cells;
  const found = document.querySelectorAll('.jp-Cell-outputArea .lm-Panel.jp-OutputArea-output');
  const texts = [...found].map(widget => widget.textContent);
  return all && texts.every(text => text) && texts;
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


def without_widget_outputs(cell):
    """Return a copy of a cell without what it shows through a widget."""
    outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    return NotebookNode(cell, outputs=outputs)


@each_notebook
def test_what_is_printed_is_what_is_published(path, after_run_all):
    pairs = zip(code_cells(after_run_all(path).saved), code_cells(read(path)), strict=True)
    for cell, before in pairs:
        # What is drawn while something runs is not published; no error is, nor a warning.
        kept, expected = without_widget_outputs(cell), without_widget_outputs(before)
        text = text_of(kept.outputs)
        assert "[error]" not in text and "[stderr]" not in text, f"{cell.id}: {text}"
        assert not difference(expected, kept.outputs), cell.id
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
        pictures = pictures_of(before.outputs), pictures_of(cell.outputs)
        assert not difference_of_pictures(*pictures), cell.id


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


# ----------------------------------------------------------------------------- the test's own
def test_a_server_ends_with_its_test_whatever_happens(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with lab_page.serving(lab_page.copy_course(tmp_path / "course"), "lab") as running:
            assert running.ask("api/sessions") == []
            raise KeyboardInterrupt
    with pytest.raises(URLError):
        running.ask("api")


def test_a_course_that_does_not_start_says_why(tmp_path):
    course = lab_page.copy_course(tmp_path / "course")
    (course / "tools" / "lab.py").write_text("raise SystemExit('Out of order.')", "utf-8")
    with pytest.raises(CourseError, match="Out of order"):
        with lab_page.serving(course, "lab"):
            raise AssertionError("it cannot have started")


# ---------------------------------------------------------------------------------- sliders
@pytest.mark.parametrize("path, number", SLIDERS, ids=lambda value: getattr(value, "stem", None))
def test_moving_a_slider_with_the_keyboard_changes_the_picture(path, number, browser, server):
    with watched(browser, server.owns, viewport=SCREEN) as (page, outside, errors):
        lab_page.open_notebook(page, server, path.stem)
        handle = lab_page.run_to(page, number)
        picture = page.locator(".jp-Cell").nth(number).locator(".jp-Cell-outputArea img")
        seen = [picture.get_attribute("src")]
        for _ in range(3):
            lab_page.move_slider(page, handle)
            seen.append(picture.get_attribute("src"))
        # A slider that begins at its end goes back and forth, so pictures may come again.
        for before, after in zip(seen, seen[1:], strict=False):
            assert before != after, "a move did not change the picture"
        assert picture.evaluate("image => image.naturalWidth") > 0
        assert not outside and not errors


# ------------------------------------------------------------------------------- live slides
MARKED = ".jp-deck-mod-visible.jp-mod-active"
ANOTHER = f"""marked => {{
  const now = document.querySelector('{MARKED}');
  return now && now !== marked;
}}"""
IN_SIGHT = """image => {
  const box = image.getBoundingClientRect();
  return image.naturalWidth > 0 && box.width > 400 && box.top >= 0 && box.bottom <= innerHeight;
}"""


@pytest.fixture(scope="module")
def live_server(tmp_path_factory, browser):
    """A presenter's course, open in JupyterLab at the slides of notebook 01."""
    if importlib.util.find_spec("jupyterlab_slideshow") is None:
        pytest.skip("jupyterlab-slideshow is not installed (see tools/requirements.txt)")
    course = lab_page.copy_course(tmp_path_factory.mktemp("live") / "course")
    with lab_page.serving(course, "present", "01") as running:
        yield running


@pytest.fixture
def slides(browser, live_server):
    """The page with the slides as it opens, the requests that would leave, and the errors."""
    live_slides.lay_settings(live_server.course / "work" / "live")  # as each start of it does
    with watched(browser, live_server.owns, viewport={"width": 1280, "height": 720}) as found:
        page = found[0]
        page.goto(live_server.page)
        page.wait_for_selector("[data-jp-deck-mode=presenting] .jp-deck-mod-visible")
        page.wait_for_function(lab_page.KERNEL_READY)
        yield found


def go_to(page, text, key="Space"):
    """Press a key until the marked cell has this text."""
    for _ in range(20):
        marked = page.query_selector(MARKED)
        if text in marked.text_content():
            return
        page.keyboard.press(key)
        page.wait_for_function(ANOTHER, arg=marked)
    raise AssertionError(f"{text!r} does not come")


def is_edited(page, server):
    """Leave the slides, save, and return whether the presenter's copy counts as edited."""
    page.keyboard.press("Escape")
    page.wait_for_selector("body:not([data-jp-deck-mode])", state="attached")
    lab_page.save(page)
    saved = read(server.course / "work" / "live" / "01_tensors.ipynb")
    assert any(cell.outputs for cell in code_cells(saved))
    return live_slides.laid(saved) != live_slides.fingerprint(saved)


def test_live_slides_open_and_a_cell_run_by_its_key_shows_its_figure(slides, live_server):
    page, outside, errors = slides
    assert page.locator(".jp-Deck h1").inner_text().startswith("01 ·")
    go_to(page, "import sys")  # the set-up, on the first slide; nothing has been clicked
    page.keyboard.press("ControlOrMeta+Enter")
    go_to(page, "import torch")
    page.keyboard.press("ControlOrMeta+Enter")
    figure = page.locator(MARKED).locator(".jp-Cell-outputArea img")
    figure.wait_for(timeout=60_000)
    assert figure.evaluate(IN_SIGHT)
    go_to(page, "1 · What do 344 penguins")
    assert not page.locator("h1").is_visible()
    go_to(page, "import torch", key="Shift+Space")
    assert figure.evaluate(IN_SIGHT)
    assert not outside, "a request would leave the machine"
    assert not errors
    assert not is_edited(page, live_server)


def test_shift_enter_runs_in_place_and_a_remote_turns_the_slides(slides, live_server):
    page, _, errors = slides
    go_to(page, "import sys", key="PageDown")
    page.keyboard.press("Shift+Enter")
    go_to(page, "penguins = load", key="PageDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("\nprint(6 * 7)")
    page.keyboard.press("Shift+Enter")
    page.locator(MARKED).get_by_text("42").wait_for(timeout=60_000)
    assert "penguins = load" in page.locator(MARKED).text_content()
    go_to(page, "1 · What do 344 penguins", key="PageUp")
    assert not errors
    assert is_edited(page, live_server)
