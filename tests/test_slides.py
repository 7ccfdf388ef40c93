"""Every slide of every notebook fits, is readable, is complete, and asks nothing of the network.

The decks are opened as files, in headless Chromium, as an instructor would open them.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tools import slides
from tools.notebook_files import code_cells, pictures_of, published, read

PATHS = published()
SIZES = [(1280, 720), (1920, 1080)]
SMALLEST_TEXT = 16  # pixels on a screen of 1280 x 720
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# Chromium of its own accord looks for updates and more; what is left to see is the deck's.
OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]

# Goes to each slide with all its steps, and returns what is wrong as [title, what].
INSPECT = """
async (smallest) => {
  const wrong = [], pictures = {}, cells = [];
  let seen = 0;
  const visible = (node) => {
    for (let e = node; e && e.tagName !== "SECTION"; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return false;
      if (e.matches("aside, script, .MJX_Assistive_MathML, .MathJax_Preview")) return false;
    }
    return true;
  };
  for (const slide of Reveal.getSlides()) {
    const { h, v } = Reveal.getIndices(slide);
    Reveal.slide(h, v, slide.querySelectorAll(".fragment").length - 1);
    seen += Reveal.getCurrentSlide() === slide;
    const say = (what) => wrong.push(`${slide.dataset.title} (${slide.dataset.cell}): ${what}`);
    const scale = Reveal.getScale();
    const room = slide.getBoundingClientRect();
    const bottom = room.top + (720 - 30) * scale, right = room.left + (1280 - 48) * scale;
    if (room.left < -1 || room.top < -1 || room.right > innerWidth + 1) say("is not on the screen");
    let low = 0, wide = 0, small = new Set();
    const look = (box) => { low = Math.max(low, box.bottom - bottom); wide = Math.max(wide, box.right - right, room.left - box.left); };
    const words = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const node = words.currentNode, text = node.data.trim(), parent = node.parentElement;
      if (!text || parent.closest("aside, script, .MJX_Assistive_MathML, .MathJax_Preview")) continue;
      if (!visible(parent)) { say(`cannot be seen: ${text.slice(0, 40)}`); continue; }
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) look(box);
      const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
      if (size < smallest - 0.01) small.add(`${size.toFixed(1)} px: ${text.slice(0, 30)}`);
      if (!parent.closest("pre, code") && /\\$[^$]+\\$|\\\\\\(|\\\\\\[|\\\\begin/.test(text)) say(`mathematics is not typeset: ${text.slice(0, 40)}`);
    }
    for (const box of slide.querySelectorAll("pre, table, div, p, li")) {
      if (visible(box) && box.scrollWidth > box.clientWidth + 2 && box.clientWidth && getComputedStyle(box).display !== "inline") wide = Math.max(wide, (box.scrollWidth - box.clientWidth) * scale);
    }
    for (const image of slide.querySelectorAll("img")) {
      try { await image.decode(); } catch (error) { say("a figure is missing"); }
      const box = image.getBoundingClientRect();
      look(box);
      if (!visible(image) || box.width < 200 * scale || box.height < 40 * scale) say("a figure is too small to be seen");
      const alternative = image.getAttribute("alt") || "";
      if (alternative.length < 20 || alternative.startsWith("No description")) say("a figure has no alternative");
      const cell = image.closest(".jp-Cell").id.replace("cell-id=", "");
      pictures[cell] = (pictures[cell] || 0) + 1;
    }
    for (const source of slide.querySelectorAll('script[type^="math/tex"]')) {
      const drawn = source.previousElementSibling && source.previousElementSibling.querySelector("svg");
      const box = drawn && drawn.getBoundingClientRect();
      if (!box || box.width < 2 || box.height < 2 || drawn.querySelector('[fill="red"], .noError')) say(`mathematics is not typeset: ${source.text.slice(0, 40)}`);
      else look(box);
    }
    if (slide.querySelector(".noError, .MathJax_Error")) say("mathematics has an error");
    if (slide.querySelector("details")) say("an answer is folded");
    if (low > 1) say(`is ${Math.round(low / scale)} pixels too high`);
    if (wide > 1) say(`is ${Math.round(wide / scale)} pixels too wide`);
    for (const text of small) say(`small text, ${text}`);
    for (const cell of slide.querySelectorAll(".jp-Cell")) cells.push(cell.id.replace("cell-id=", ""));
  }
  return { wrong, pictures, cells, seen, slides: Reveal.getTotalSlides() };
}
"""


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, or a skip that says what is missing."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (see tools/requirements.txt)"
    )
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("there is no Chromium on this machine, on Debian: apt-get install chromium")
    # Chromium refuses its sandbox to root, who runs containers.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        program = started.chromium.launch(executable_path=found, args=[*OPTIONS, *as_root])
        yield program
        program.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all decks, whose name needs escaping in an address."""
    target = tmp_path_factory.mktemp("the slides")
    slides.lay_assets(target)
    for path in PATHS:
        slides.build(path, target)
    return target


@pytest.fixture(scope="module")
def inspected(browser, folder):
    """Return a function that opens a deck at a size, once, and gives what was found on it."""
    done = {}

    def inspect(stem, size):
        if (stem, size) not in done:
            done[stem, size] = inspect_deck(browser, folder / f"{stem}.html", size)
        return done[stem, size]

    return inspect


def inspect_deck(browser, deck, size):
    """Open a deck, go through all its slides; return what was found, with requests and errors."""
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height})
    outside, errors = [], []

    def answer(route):
        if stays_in(route.request.url, deck.parent):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.on("requestfailed", lambda request: errors.append(f"not loaded: {request.url}"))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("websocket", lambda socket: outside.append(socket.url))
    try:
        page.goto(deck.as_uri())
        page.wait_for_function("window.deckReady", timeout=30_000)
        found = page.evaluate(INSPECT, SMALLEST_TEXT * height / 720)
    finally:
        page.close()
    return {**found, "outside": outside, "errors": errors}


def stays_in(address, folder):
    """Return whether an address is of a file in the folder, or data on the page."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return folder.resolve() in Path(unquote(parts.path)).resolve().parents
    return parts.scheme in ("data", "blob") or address == "about:blank"


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_slide_fits_and_is_complete(path, size, inspected):
    found = inspected(path.stem, size)
    assert not found["errors"]
    assert not found["outside"], "a request would leave the machine"
    assert found["seen"] == found["slides"] > 5
    assert not found["wrong"], "\n" + "\n".join(found["wrong"])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_deck_holds_all_that_is_not_left_out_in_the_order_of_the_notebook(path, inspected):
    found = inspected(path.stem, SIZES[0])
    cells = [c for c in read(path).cells if slides.slide_type(c) not in ("skip", "notes")]
    assert found["cells"] == [cell.id for cell in cells]
    shown = {cell.id: len(pictures_of(cell.outputs)) for cell in cells if "outputs" in cell}
    assert found["pictures"] == {name: count for name, count in shown.items() if count}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_set_up_is_skipped_and_hidden_code_has_no_input(path):
    cells = {cell.id: cell for cell in slides.presented(read(path)).cells}
    assert slides.slide_type(cells["setup"]) == "skip"
    for cell in code_cells(read(path)):
        hidden = cells[cell.id].metadata.get("transient", {}).get("remove_source", False)
        assert hidden == ("slide-hide-code" in cell.metadata.get("tags", []))
