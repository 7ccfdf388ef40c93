"""Every slide of every notebook fits, is readable, is complete, and asks nothing of the network.

The decks are opened as files, in headless Chromium, as an instructor would open them.
"""

from functools import partial
from pathlib import Path

import nbformat
import pytest
from accessibility import violations
from bs4 import BeautifulSoup
from chromium import stays_in, watched
from mathematics import MATHEMATICS

from tools.notebooks.files import (
    caption_figures,
    code_cells,
    pictures_of,
    plain,
    published,
    read,
    tags,
)
from tools.present import slides
from tools.present.teaching import notes_for

PATHS = published()
SMALLEST_TEXT = 16  # pixels on a screen of 1280 x 720
INSPECT = Path(__file__).with_name("inspect_slides.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all decks, whose name needs escaping in an address."""
    target = tmp_path_factory.mktemp("the slides")
    slides.lay_assets(target)
    for path in PATHS:
        slides.build(path, target)
    return target


@pytest.fixture(scope="module")
def watch(browser, folder):
    """A window of the browser for all tests: a new one for each would take longer than its deck."""
    with watched(browser, partial(stays_in, folder=folder)) as found:
        yield found


@pytest.fixture(scope="module")
def inspected(watch, folder):
    """Return a function that opens a deck, once, and gives what was found on it."""
    done = {}

    def inspect(stem):
        if stem not in done:
            done[stem] = inspect_deck(watch, folder / f"{stem}.html")
        return done[stem]

    return inspect


def opened(watch, deck, view="", height=720):
    """Open a deck in a window as wide as its slides; return the page when the talk can begin."""
    page, outside, errors = watch
    outside.clear()
    errors.clear()
    page.set_viewport_size({"width": height * 16 // 9, "height": height})
    page.goto(deck.as_uri() + view)
    page.wait_for_function("window.deckReady", timeout=30_000)
    return page


def inspect_deck(watch, deck, height=720):
    """Open a deck, go through all its slides; return what was found, with requests and errors."""
    found = opened(watch, deck, height=height).evaluate(INSPECT, SMALLEST_TEXT * height / 720)
    _, outside, errors = watch
    return {**found, "outside": list(outside), "errors": list(errors)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_slide_fits_and_is_complete(path, inspected):
    found = inspected(path.stem)
    assert not found["errors"]
    assert not found["outside"], "a request would leave the machine"
    assert found["seen"] == found["slides"] > 5
    assert not found["wrong"], "\n" + "\n".join(found["wrong"])


def test_a_larger_screen_shows_the_slides_larger(watch, folder):
    found = inspect_deck(watch, folder / f"{PATHS[1].stem}.html", height=1080)
    assert not found["wrong"], "\n" + "\n".join(found["wrong"])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_deck_holds_all_that_is_not_left_out_in_the_order_of_the_notebook(path, inspected):
    found = inspected(path.stem)
    cells = [c for c in read(path).cells if slides.slide_type(c) not in ("skip", "notes")]
    assert found["cells"] == [cell.id for cell in cells]
    shown = {cell.id: len(pictures_of(cell.outputs)) for cell in cells if "outputs" in cell}
    assert found["pictures"] == {name: count for name, count in shown.items() if count}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_caption_is_the_alternative_and_is_seen_once_with_the_step_after_the_figure(path, folder):
    captions = caption_figures(read(path))
    deck = BeautifulSoup((folder / f"{path.stem}.html").read_text("utf-8"), "html.parser")
    assert [image["alt"] for image in deck.find_all("img")] == list(map(plain, captions.values()))
    for name, caption in captions.items():
        step = deck.find(id=f"cell-id={name}").find_parent(class_="fragment")
        assert plain(step.small.get_text()) == plain(caption)
        assert plain(step.get_text()).count(plain(caption)) == 1
        assert not step.find("img"), "the figure comes before the step, so that a room can be asked"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_set_up_is_skipped_and_hidden_code_has_no_input(path):
    cells = {cell.id: cell for cell in slides.presented(read(path)).cells}
    assert slides.slide_type(cells["setup"]) == "skip"
    for cell in code_cells(read(path)):
        hidden = cells[cell.id].metadata.get("transient", {}).get("remove_source", False)
        assert hidden == ("slide-hide-code" in tags(cell))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_section_has_speakers_notes_outside_the_steps(path):
    notebook = read(path)
    shown = slides.presented(notebook).cells
    notes = [cell.source for cell in shown if slides.slide_type(cell) == "notes"]
    assert sorted(notes) == sorted(notes_for(notebook).values())
    for before, cell in zip(shown, shown[1:], strict=False):
        if slides.slide_type(cell) == "notes":
            assert slides.slide_type(before) in ("slide", "subslide", "notes")
    assert sum("minutes.**" in cell.source for cell in shown) >= 4


def shut_out(watch, deck):
    """Return what axe-core finds on all slides of a deck as printed: on screen all but one hide."""
    page = opened(watch, deck, "?print-pdf")
    page.wait_for_selector(".pdf-page:last-child section")
    return violations(page)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_nothing_on_a_slide_shuts_anybody_out(path, watch, folder):
    found = shut_out(watch, folder / f"{path.stem}.html")
    assert not found, "\n" + "\n".join(found)


def test_nothing_on_the_screen_shuts_anybody_out(watch, folder):
    found = violations(opened(watch, folder / f"{PATHS[0].stem}.html"))
    assert not found, "\n" + "\n".join(found)


# ------------------------------------------------------------------------ the test's own eyes
def picture(alternative):
    """Return an output with a picture of one pixel, shown as large."""
    png = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
        "gg=="
    )
    about = {"image/png": {"alt": alternative, "width": 648, "height": 300}}
    return nbformat.v4.new_output("display_data", data={"image/png": png}, metadata=about)


def code(source="", *outputs):
    """Return a code cell."""
    return nbformat.v4.new_code_cell(source, outputs=list(outputs))


words = nbformat.v4.new_markdown_cell
BROKEN = {
    "pixels too high": code("\n".join(f"line = {number}" for number in range(60))),
    "pixels too wide": code("x = " + "1 + " * 60 + "1"),
    "a figure is missing": words('<img src="assets/none.png" alt="A figure that is not there.">'),
    "a figure has no alternative": code("", picture("")),
    "mathematics is not typeset: \\unknown": words("The loss is $\\unknown{x}$."),
    "mathematics is not typeset: The": words('<p class="mathjax_ignore">The loss $L$.</p>'),
    "text of 10.0 pixels": words('<p style="font-size: 10px">Small print.</p>'),
    "cannot be seen": words('<p style="display: none">A secret.</p>'),
    "an answer is folded": words("<details>No summary.</details>"),
}


@pytest.fixture(scope="module")
def broken(watch, folder, tmp_path_factory):
    """What is found on a deck with a slide for each thing that may be wrong."""
    cells = [words("# 99 · Is anything wrong?")]
    for number, cell in enumerate(BROKEN.values()):
        cell.id = f"broken-{number}"
        cell.metadata["slideshow"] = {"slide_type": "slide"}
        cells += [cell]
    cells.append(words('<img src="https://example.org/x.png" alt="A figure from another place.">'))
    path = tmp_path_factory.mktemp("broken") / "99_broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return inspect_deck(watch, slides.build(path, folder))


@pytest.mark.parametrize("number, problem", list(enumerate(BROKEN)))
def test_what_is_wrong_on_a_slide_is_found(number, problem, broken):
    mine = [line for line in broken["wrong"] if f"(broken-{number})" in line]
    assert any(problem in line for line in mine), broken["wrong"]


def test_what_shuts_somebody_out_of_a_later_slide_is_found(watch, folder, tmp_path):
    pale = words('<p style="color: #999">Hardly to be read.</p>', id="pale")
    pale.metadata["slideshow"] = {"slide_type": "slide"}
    path = tmp_path / "97_pale.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[words("# 97 · Pale?"), pale]), path)
    found = shut_out(watch, slides.build(path, folder))
    assert found and all(line.startswith("color-contrast") for line in found)


def test_a_request_to_another_machine_is_found(broken):
    assert broken["outside"] == ["https://example.org/x.png"]


def test_mathematics_that_no_notebook_needs_yet_is_in_the_local_copy(watch, folder, tmp_path):
    path = tmp_path / "98_mathematics.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[words(MATHEMATICS.strip())]), path)
    found = inspect_deck(watch, slides.build(path, folder))
    assert not found["errors"] and not found["wrong"] and not found["outside"]
