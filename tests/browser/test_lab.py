"""Notebooks in a real JupyterLab: Run All, sliders, the next day, live slides.

The course is served by the launcher's own commands and opened in headless Chromium, as a student
and a presenter have it: copies without outputs, progress bars on. Two notebooks are run, and all
of them with the option --every-notebook.
"""

import importlib.util
import re
import statistics
from types import SimpleNamespace
from urllib.error import URLError

import lab_page
import nbformat
import pytest
from chromium import watched
from nbformat import NotebookNode

from tools.notebooks.compare import difference, difference_of_pictures, tolerance_of
from tools.notebooks.files import code_cells, is_exercise, pictures_of, published, read, text_of
from tools.present import code_lines, live_slides
from tools.setup.console import CourseError
from utils.live import WIDGET

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed here")

ALWAYS = ("00", "05")
MOVES = 5
# The line of a finished progress bar.
BAR = re.compile(r"^.*100%\|.*epoch/s.*\n", re.M)
SCREEN = {"width": 1400, "height": 900}
# The figures of the page: width and height as shown, and of the picture itself (0: none).
FIGURES = """() => [...document.querySelectorAll('.jp-Cell-outputArea img')].map(
  image => [image.width, image.height, image.naturalWidth])"""
# For each box of sliders, once all cells are laid out and each box is there: whether it says that
# its kernel is gone, and how many signs of broken links JupyterLab shows in it.
BOXES = """([cells, boxes]) => {
  const found = [...document.querySelectorAll('.jp-Cell-outputArea .live')];
  const ready = document.querySelectorAll('.jp-Cell').length === cells && found.length === boxes;
  const broken = element => getComputedStyle(element, '::before').content !== 'none';
  return ready && found.every(box => box.querySelector('.kernel-gone')) && found.map(box => [
    box.querySelector('.kernel-gone').checkVisibility(),
    [box, ...box.querySelectorAll('.jupyter-widgets')].filter(broken).length,
  ]);
}"""


def pytest_generate_tests(metafunc):
    """Give the tests of notebooks those that are asked for: a run of each takes its time."""
    if "path" in metafunc.fixturenames:
        every = metafunc.config.option.every_notebook
        paths = [path for path in published() if every or path.stem.startswith(ALWAYS)]
        metafunc.parametrize("path", paths, ids=lambda path: path.stem, scope="module")


def slider_cells(notebook):
    """Return {number of a cell: its name} of the cells with sliders."""
    return {
        number: cell.id
        for number, cell in enumerate(notebook.cells)
        if any(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    """A student's course, open in JupyterLab."""
    course = lab_page.copy_course(tmp_path_factory.mktemp("lab") / "course")
    with lab_page.serving(course, "lab") as running:
        yield running


@pytest.fixture(scope="module")
def seen(path, browser, server):
    """What is seen when a notebook is run and saved, its sliders moved, and opened the next day."""
    file, numbers = server.course / "work" / path.name, slider_cells(read(path))
    with watched(browser, server.owns, viewport=SCREEN) as (page, outside, errors):
        lab_page.open_notebook(page, server, path.stem)
        laid = read(file)
        lab_page.run_all(page)
        seen = SimpleNamespace(counts=lab_page.counts(page), figures=page.evaluate(FIGURES))
        boxes = [len(laid.cells), len(numbers)]
        seen.boxes = page.wait_for_function(BOXES, arg=boxes, timeout=60_000).json_value()
        lab_page.save(page)
        seen.laid, seen.saved = laid, read(file)
        seen.moves = {name: moved(page, number) for number, name in numbers.items()}
        seen.outside, seen.errors = list(outside), list(errors)
    server.stop_kernels()
    with watched(browser, server.owns, viewport=SCREEN) as (page, _, _):
        lab_page.open_notebook(page, server, path.stem)
        found = page.wait_for_function(BOXES, arg=boxes, timeout=60_000)
        seen.boxes_next_day = found.json_value()
        seen.text_next_day = page.locator(".jp-Notebook").text_content()
    return seen


def moved(page, number):
    """Move the first slider of a cell. Return its pictures, and the milliseconds of each move."""
    cell = page.locator(".jp-Notebook .jp-Cell").nth(number)
    picture = cell.locator(".jp-Cell-outputArea img")
    pictures, times = [picture.get_attribute("src")], []
    for _ in range(MOVES):
        times.append(lab_page.move_slider(page, cell.locator(".noUi-handle").first))
        pictures.append(picture.get_attribute("src"))
    return pictures, times


def test_run_all_runs_every_cell_once_and_in_order(path, seen):
    expected = list(range(1, len(code_cells(read(path))) + 1))
    assert seen.counts == expected
    assert [cell.execution_count for cell in code_cells(seen.saved)] == expected


def without_sliders_and_bars(cell):
    """Return a copy of a cell without sliders and without the lines of progress bars."""
    kept = []
    for output in cell.outputs:
        if output.get("name") == "stdout":
            output = NotebookNode(output, text=BAR.sub("", output.text))
        if WIDGET not in output.get("data", {}) and output.get("text") != "":
            kept.append(output)
    return NotebookNode(cell, outputs=kept)


def test_what_is_printed_is_what_is_published(path, seen):
    pairs = zip(code_cells(seen.saved), code_cells(read(path)), strict=True)
    for cell, before in pairs:
        # Bars are not published; no error is, nor a warning.
        kept, expected = without_sliders_and_bars(cell), without_sliders_and_bars(before)
        text = text_of(kept.outputs)
        assert "[error]" not in text and "[stderr]" not in text, f"{cell.id}: {text}"
        assert not difference(expected, kept.outputs), cell.id
        if is_exercise(cell):
            assert "not attempted yet" in text, cell.id


def test_every_figure_is_on_the_page_as_published(path, seen):
    cells = code_cells(read(path))
    shown = seen.figures
    assert len(shown) == sum(len(pictures_of(cell.outputs)) for cell in cells) > 0
    for width, height, picture in shown:
        assert picture > 0 and width > 100 and height > 50
    for cell, before in zip(code_cells(seen.saved), cells, strict=True):
        pictures = pictures_of(before.outputs), pictures_of(cell.outputs)
        assert not difference_of_pictures(*pictures, tolerance_of(cell)), cell.id


def test_the_page_asks_nothing_of_other_machines_and_reports_no_error(path, seen):
    assert not seen.outside, "a request would leave the machine"
    assert not seen.errors


def test_the_students_file_is_saved_and_valid(path, seen):
    nbformat.validate(seen.saved)
    assert [(c.id, c.source) for c in seen.saved.cells] == [
        (c.id, c.source) for c in seen.laid.cells
    ]
    assert not any(cell.outputs for cell in code_cells(seen.laid))


def test_moving_a_slider_by_key_changes_the_picture(path, seen, record_property):
    for name, (pictures, times) in seen.moves.items():
        # A slider that begins at its end goes back and forth, so pictures may come again.
        for before, after in zip(pictures, pictures[1:], strict=False):
            assert before != after, f"{name}: a move did not change the picture"
        what = f"slider {name} of {path.stem[:2]}, from key to picture, median"
        record_property(what, statistics.median(times))
    assert len(seen.boxes) == len(seen.moves)


def test_the_next_day_sliders_say_that_their_kernel_is_gone(path, seen):
    assert seen.boxes == [[False, 0]] * len(seen.moves)
    assert seen.boxes_next_day == [[True, 0]] * len(seen.moves)


def test_the_next_day_progress_bars_are_text(path, seen):
    outputs = [output for cell in code_cells(seen.saved) for output in cell.outputs]
    bars = BAR.findall("".join(o.text for o in outputs if o.get("name") == "stdout"))
    assert seen.text_next_day.count("100%|") == len(bars)
    assert bars or "progress_bar(" not in "".join(cell.source for cell in seen.saved.cells)
    assert sum(WIDGET in output.get("data", {}) for output in outputs) == len(seen.moves)


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


# ------------------------------------------------------------------------------- live slides
MARKED = ".jp-deck-mod-visible.jp-mod-active"
ARROWS = ".jp-Deck-Remote"
ANOTHER = f"""marked => {{
  const now = document.querySelector('{MARKED}');
  return now && now !== marked;
}}"""
IN_SIGHT = """image => {
  const box = image.getBoundingClientRect();
  return image.naturalWidth > 0 && box.width > 400 && box.top >= 0 && box.bottom <= innerHeight;
}"""

ENDS_IN_SIGHT = """end => {
  const output = end.closest('.jp-Cell-outputArea').getBoundingClientRect();
  return output.bottom <= innerHeight && end.getBoundingClientRect().bottom <= output.bottom;
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
        patience = {"timeout": lab_page.STARTS * 1000}
        page.wait_for_selector("[data-jp-deck-mode=presenting] .jp-deck-mod-visible", **patience)
        page.wait_for_function(lab_page.KERNEL_READY, **patience)
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


def shown_text(page):
    """Return the text of the cells that the slides show."""
    return "\n".join(page.locator(".jp-Deck .jp-deck-mod-visible").all_inner_texts())


def is_edited(page, server):
    """Leave the slides, save, and return whether the presenter's copy counts as edited."""
    page.keyboard.press("Escape")
    page.wait_for_selector("body:not([data-jp-deck-mode])", state="attached")
    assert not [answer for answer in page.locator(".answer").all() if answer.is_visible()]
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
    assert "What happened" not in shown_text(page)
    page.keyboard.press("ControlOrMeta+Enter")
    figure = page.locator(MARKED).locator(".jp-Cell-outputArea img")
    figure.wait_for(timeout=60_000)
    assert figure.evaluate(IN_SIGHT)
    go_to(page, "What happened")
    assert "What happened" in shown_text(page)
    go_to(page, "1 · What do 344 penguins")
    assert not page.locator("h1").is_visible()
    go_to(page, "import torch", key="Shift+Space")
    assert figure.evaluate(IN_SIGHT)
    assert not outside, "a request would leave the machine"
    assert not errors
    assert not is_edited(page, live_server)


@pytest.mark.parametrize("width, height", [(1280, 720), (1920, 1080)])
def test_letters_are_large_and_nothing_lies_over_them(slides, width, height):
    page, _, errors = slides
    page.set_viewport_size({"width": width, "height": height})
    go_to(page, "penguins = load")
    line = page.locator(MARKED).locator(".cm-line").first
    letters = float(line.evaluate("line => getComputedStyle(line).fontSize").removesuffix("px"))
    assert letters >= 0.033 * height
    room = line.evaluate("line => line.clientWidth - 8")  # without what is on its left and right
    # In DejaVu Sans Mono, the widest letters that are asked for.
    assert code_lines.WIDTH * 0.602 * letters <= room
    notebook, arrows = (page.locator(f).bounding_box() for f in (".jp-Deck .jp-Notebook", ARROWS))
    assert arrows["x"] >= notebook["x"] + notebook["width"]
    assert not errors


def test_shift_enter_runs_in_place_and_a_remote_turns_the_slides(slides, live_server):
    page, _, errors = slides
    go_to(page, "import sys", key="PageDown")
    page.keyboard.press("Shift+Enter")
    go_to(page, "penguins = load", key="PageDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("\nfrom IPython.display import HTML")
    page.keyboard.type('\nprint("more\\n" * 40), display(HTML(f"<p>{6 * 7}</p>"))')
    page.keyboard.press("Shift+Enter")
    end = page.locator(MARKED).get_by_text("42", exact=True)
    end.wait_for(timeout=60_000)
    page.wait_for_function(ENDS_IN_SIGHT, arg=end.element_handle())
    assert "penguins = load" in page.locator(MARKED).text_content()
    go_to(page, "1 · What do 344 penguins", key="PageUp")
    assert not errors
    assert is_edited(page, live_server)
