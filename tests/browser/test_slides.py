"""Every slide of every notebook fits, is readable, is complete, and asks nothing of the network.

The decks are opened as files, in headless Chromium, as an instructor would open them.
"""

import base64
import io
import re
from functools import partial
from pathlib import Path

import nbformat
import pytest
from accessibility import violations
from bs4 import BeautifulSoup
from chromium import stays_in, watched
from live_figures import check_moves, check_plays, state
from mathematics import MATHEMATICS
from PIL import Image

from tools.notebooks.files import (
    WIDGET,
    caption_figures,
    code_cells,
    pictures_of,
    plain,
    published,
    read,
    tags,
)
from tools.present import drawings, frames, slides

PATHS = published()
SMALLEST_TEXT = 16  # pixels on a screen of 1280 x 720
INSPECT = Path(__file__).with_name("inspect_slides.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, few_frames):
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


each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@each_notebook
def test_every_slide_fits_and_is_complete(path, inspected):
    found = inspected(path.stem)
    assert not found["errors"]
    assert not found["outside"], "a request would leave the machine"
    assert found["seen"] == len(found["views"]) > 5
    assert not found["wrong"], "\n" + "\n".join(found["wrong"])


def test_a_larger_screen_shows_the_slides_larger(watch, folder):
    found = inspect_deck(watch, folder / f"{PATHS[1].stem}.html", height=1080)
    assert not found["wrong"], "\n" + "\n".join(found["wrong"])


# -------------------------------------------------------------------- what a room can see of it
def share(views, holds):
    """Return the share of views for which something holds."""
    return sum(map(holds, views)) / len(views)


@each_notebook
def test_the_last_row_can_read_it(path, inspected, record_property):
    found = inspected(path.stem)
    views = found["views"]
    with_code = [view for view in views if view["code"]]
    figures = [view for view in views if view["figure"]]
    noted = found["noted"] / found["slides"]
    wordy = share(views, lambda view: view["words"] > 70)
    large = share(with_code, lambda view: view["code"] > 23.9)
    least = min(view["code"] for view in with_code)
    filling = share(figures, lambda view: view["figure"] >= 0.6)
    # A figure that is wider than a page can only be as wide as it.
    widest = share(figures, lambda view: view["figure"] >= 0.6 or view["widest"])
    sharp = share(figures, lambda view: view["sharp"])
    record_property(
        f"deck {path.stem[:2]}",
        f"{found['slides']} slides in {len(views)} views, {noted:.0%} with notes; {wordy:.1%} of "
        f"views over 70 words; code {large:.0%} of 24 px, least {least:.1f}; figures {filling:.0%} "
        f"of 60 % of the area, {widest:.0%} with those of full width; {sharp:.0%} sharp",
    )
    assert noted >= 0.8
    assert wordy < 0.05
    assert large >= 0.9 and least >= 20
    assert widest >= 0.9
    if drawings.drawings_of(path)[1] is not None:  # drawn anew here
        assert sharp >= 0.9, "as lines, or with 1.5 dots to a pixel of 1280 x 720"


@each_notebook
def test_the_deck_holds_all_that_is_not_left_out_in_the_order_of_the_notebook(path, inspected):
    found = inspected(path.stem)
    cells = [c for c in read(path).cells if slides.slide_type(c) not in ("skip", "notes")]
    names = [cell.id for cell in cells[1:]]  # the first is the title
    assert found["cells"] == [name for name in names if name in found["cells"]]
    for cell in cells[1:]:
        if cell.id not in found["cells"]:
            divides = re.fullmatch(r"## .+", cell.source)
            checks_letters = re.fullmatch(r"(from .+\s+)?exercises\.\w+\.check\(\)", cell.source)
            only_draws = "slide-hide-code" in tags(cell) and not cell.outputs
            assert divides or checks_letters or only_draws, cell.id
    shown = {cell.id: len(pictures_of(cell.outputs)) for cell in cells if "outputs" in cell}
    assert found["pictures"] == {name: count for name, count in shown.items() if count}


@each_notebook
def test_a_caption_is_the_alternative_and_is_seen_once_as_a_step_after_the_figure(path, folder):
    captions = caption_figures(read(path))
    deck = BeautifulSoup((folder / f"{path.stem}.html").read_text("utf-8"), "html.parser")
    assert [image["alt"] for image in deck.find_all("img")] == list(map(plain, captions.values()))
    for name, caption in captions.items():
        [step] = deck.find_all(class_="caption", attrs={"data-cell": name})
        assert "fragment" in step["class"], "so that a room can be asked"
        assert plain(step.get_text()) == plain(caption).strip()
        assert step.parent.find("img")


def test_its_figures_are_drawn_anew_as_lines_or_with_more_dots(drawn, folder):
    found, _ = drawings.drawings_of(drawn)
    names = [name for each in found.values() for name in each]
    assert len(names) == sum(len(pictures_of(cell.outputs)) for cell in code_cells(read(drawn)))
    assert sum(name is None for name in names) <= 1  # the playground's, which is a film
    for name in filter(None, names):
        content = (folder / "assets" / "figures" / drawn.stem / name).read_bytes()
        assert len(content) < 900_000
        assert content.startswith(b"<?xml") if name.endswith(".svg") else b"PNG" in content[:8]


def shut_out(watch, deck):
    """Return what axe-core finds on all views of a deck as printed: on screen all but one hide."""
    page = opened(watch, deck, "?print-pdf")
    page.wait_for_selector(".pdf-page:last-child section")
    assert page.locator(".pdf-page").count() == page.locator(".view").count()
    return violations(page)


def test_nothing_on_a_slide_shuts_anybody_out(one_of_few, watch, folder):
    found = shut_out(watch, folder / f"{one_of_few.stem}.html")
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


def printed(text):
    """Return an output with a text."""
    return nbformat.v4.new_output("stream", text=text)


def built(path, folder):
    """Build the deck of a made-up notebook, with the figures that it holds; return its path."""
    with pytest.MonkeyPatch.context() as context:
        context.setattr(drawings, "drawings_of", lambda path: ({}, None))
        return slides.build(path, folder)[0]


words = nbformat.v4.new_markdown_cell
BROKEN = {
    "pixels too high": code(
        "1", printed("line\n" * 60 + "a line of more than forty letters, so no list")
    ),
    "pixels too wide": words(f'<p style="white-space: nowrap">{"wide " * 60}</p>'),
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
    cells = [words("# 99 · Is anything wrong?"), words("**1 minute**")]
    for number, cell in enumerate(BROKEN.values()):
        cell.id = f"broken-{number}"
        cell.metadata["slideshow"] = {"slide_type": "slide"}
        cells += [cell]
    cells.append(words('<img src="https://example.org/x.png" alt="A figure from another place.">'))
    path = tmp_path_factory.mktemp("broken") / "99_broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return inspect_deck(watch, built(path, folder))


@pytest.mark.parametrize("number, problem", list(enumerate(BROKEN)))
def test_what_is_wrong_on_a_slide_is_found(number, problem, broken):
    mine = [line for line in broken["wrong"] if f"(broken-{number})" in line]
    assert any(problem in line for line in mine), broken["wrong"]


def test_what_shuts_somebody_out_of_a_later_slide_is_found(watch, folder, tmp_path):
    pale = words('<p style="color: #999">Hardly to be read.</p>', id="pale")
    pale.metadata["slideshow"] = {"slide_type": "slide"}
    path = tmp_path / "97_pale.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[words("# 97 · Pale?"), words("**1 minute**"), pale]), path
    )
    found = shut_out(watch, built(path, folder))
    assert found and all(line.startswith("color-contrast") for line in found)


def test_a_request_to_another_machine_is_found(broken):
    assert broken["outside"] == ["https://example.org/x.png"]


def test_mathematics_that_no_notebook_needs_yet_is_in_the_local_copy(watch, folder, tmp_path):
    path = tmp_path / "98_mathematics.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[words("# 98 · Is it?"), words(MATHEMATICS.strip())]), path
    )
    found = inspect_deck(watch, built(path, folder))
    assert not found["errors"] and not found["wrong"] and not found["outside"]


# -------------------------------------------------------------------------------- live figures
GO_TO = """(box) => {
  const slide = box.closest("section");
  const { h, v } = Reveal.getIndices(slide);
  Reveal.slide(h, v, [...slide.querySelectorAll(".fragment")].indexOf(box.closest(".view")));
  return Reveal.getIndices();
}"""
# A finger that goes to the left, which on a slide means: on to the next one.
SWIPE = """(element) => {
  const { left, top } = element.getBoundingClientRect();
  const send = (kind, x) => element.dispatchEvent(new PointerEvent(kind,
    { bubbles: true, pointerType: "touch", clientX: left + x, clientY: top + 9 }));
  send("pointerdown", 200);
  send("pointermove", 50);
  send("pointerup", 50);
}"""
INDICES = "Reveal.getIndices()"


def test_every_live_figure_moves_on_its_slide_and_turns_none(drawn, watch, folder):
    page = opened(watch, folder / f"{drawn.stem}.html")
    boxes = page.locator(".live-controls").all()
    assert boxes
    for box in boxes:
        here = box.evaluate(GO_TO)
        assert len(check_moves(box)) > 3
        if box.locator("button").count():
            check_plays(box)
        assert page.evaluate(INDICES) == here
        assert violations(page, part="section.present .live-controls") == []
    _, outside, errors = watch
    assert not outside and not errors


def live_figure(colours, controls, wrong=None):
    """Return a live figure with a play button, as `utils.live.frames` gives it, and its output.

    Args:
        colours: of each frame the colour of its picture.
        controls: {name: how many values}.
        wrong: index of the frame that is an error.
    """
    drawn = []
    for colour in colours:
        content = io.BytesIO()
        Image.new("RGB", (648, 300), colour).save(content, "webp")
        data = base64.b64encode(content.getvalue()).decode("ascii")
        drawn.append({"picture": data, "alt": f"A plane, and all of it is {colour}."})
    if wrong is not None:
        drawn[wrong] = {"error": "ValueError: no <b>plane</b> here"}
    sliders = [
        {"name": name, "values": [f"{number}.5" for number in range(count)], "start": 0}
        for name, count in controls.items()
    ]
    output = picture("A plane, and all of it is of one colour.")
    output.data[WIDGET] = {"model_id": "1"}
    return {"play": True, "width": 648, "height": 300, "controls": sliders, "frames": drawn}, output


@pytest.fixture(scope="module")
def moving(folder, tmp_path_factory):
    """A deck with two live figures that play, on two slides: one with an error, one as two go."""
    first, first_output = live_figure(["red", "green", "blue", "white"], {"hue": 4}, wrong=1)
    colours = ["red", "green", "blue", "white", "black", "gray"]
    second, second_output = live_figure(colours, {"hue": 3, "light": 2})
    draws = [code("1", first_output), code("2", second_output)]
    cells = [words("# 96 · Does it move?"), words("**1 minute**"), *draws]
    for name, cell in zip(["title", "card", "first", "second"], cells, strict=True):
        cell.id = name
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    path = tmp_path_factory.mktemp("moving") / "96_moving.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    figures = {"first": [first], "second": [second]}
    frames.lay(figures, path.parent / "frames")
    with pytest.MonkeyPatch.context() as context:
        context.setattr(frames, "frames_of", lambda path: (figures, path.parent / "frames"))
        return built(path, folder)


def test_a_button_plays_two_figures_do_not_disturb_each_other_and_no_slide_turns(watch, moving):
    page = opened(watch, moving)
    first, second = page.locator(".live-controls").all()
    before = state(first)
    here = second.evaluate(GO_TO)
    assert len(check_moves(second)) == 4  # three hues by one light, then the other light
    check_plays(second)
    assert page.evaluate(INDICES) == here
    assert state(first) == before
    here = first.evaluate(GO_TO)
    check_plays(first)
    assert page.evaluate(INDICES) == here


def test_a_figure_halts_where_a_hand_moves_it(watch, moving):
    page = opened(watch, moving)
    first, second = page.locator(".live-controls").all()
    first.evaluate(GO_TO)
    first.locator("button").press("Enter")
    first.locator("input").press("End")
    first.locator("input").press("ArrowLeft")
    assert first.locator("button").inner_text() == "Play" and state(first)["values"] == [2]
    second.evaluate(GO_TO)
    second.locator("button").press("Enter")
    second.locator("input").last.press("End")  # what is played is the other slider
    assert second.locator("button").inner_text() == "Pause"
    page.wait_for_function("document.querySelectorAll('.live-controls input')[1].value === '2'")
    assert state(second)["values"] == [2, 1] and state(first)["values"] == [2]


def test_an_error_at_one_position_stands_in_the_place_of_the_picture(watch, moving):
    page = opened(watch, moving)
    box = page.locator(".live-controls").first
    box.evaluate(GO_TO)
    image = page.locator("section.present img")
    failed = page.locator("section.present .live-failed")
    height = image.bounding_box()["height"]
    box.locator("input").press("ArrowRight")
    assert failed.inner_text() == state(box)["said"] == "ValueError: no <b>plane</b> here"
    assert not image.is_visible()
    assert failed.bounding_box()["height"] == pytest.approx(height, abs=1)
    box.locator("input").press("ArrowRight")
    assert image.is_visible() and not failed.is_visible()
    assert image.get_attribute("alt") == "A plane, and all of it is blue."


def test_a_clicker_turns_the_slide_also_when_a_slider_was_moved_last(watch, moving):
    page = opened(watch, moving)
    box = page.locator(".live-controls").first
    here = box.evaluate(GO_TO)
    box.locator("input").press("ArrowRight")
    page.keyboard.press("PageDown")
    assert page.evaluate(INDICES)["h"] == here["h"] + 1
    assert state(box)["values"] == [1]


def test_a_finger_on_a_slider_turns_no_slide_and_beside_it_does(watch, moving):
    page = opened(watch, moving)
    box = page.locator(".live-controls").first
    here = box.evaluate(GO_TO)
    box.locator("input").evaluate(SWIPE)
    assert page.evaluate(INDICES) == here
    page.locator("section.present img").evaluate(SWIPE)
    assert page.evaluate(INDICES)["h"] == here["h"] + 1


def test_on_paper_a_live_figure_is_still(watch, moving):
    page = opened(watch, moving, "?print-pdf")
    page.wait_for_selector(".pdf-page:last-child section")
    assert [box.is_visible() for box in page.locator(".live-controls").all()] == [False, False]
    pictures = page.locator("img").all()
    assert len(pictures) == 2 and all(each.is_visible() for each in pictures)
    assert all(each.get_attribute("src").startswith("data:image/png") for each in pictures)
