"""Every page of the site can be read, searched and reached by everybody, without a network.

The pages are opened as files, in headless Chromium, as from a folder on a stick; some also as from
a web server. The site is built once.
"""

import html
import os
import re
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from accessibility import violations
from bs4 import BeautifulSoup
from chromium import stays_in, watched
from live_figures import check_moves, check_plays, state
from mathematics import MATHEMATICS

from tools.notebooks.files import caption_figures, code_cells, plain, published, read, tags
from tools.notebooks.steps import LINK, TEACHING

pytest.importorskip("sphinx_book_theme", reason="no Sphinx here (see tools/requirements.txt)")
from tools.present import site
from tools.present.frames import is_live

START = "index.html"
TENSORS = "notebooks/01_tensors.html"
PAGES = [Path(site.RENAMED.get(name, name)).with_suffix(".html") for name in site.sources()]
PAGES = [path.as_posix() for path in PAGES] + ["search.html"]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
INSPECT = Path(__file__).with_name("inspect_page.js").read_text(encoding="utf-8")
TAB_STOPS = Path(__file__).with_name("tab_stops.js").read_text(encoding="utf-8")
TYPESET = "window.MathJax && MathJax.startup.promise"
# Extensions of Sphinx still use names that its next but one version will drop.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
SERVER = "http://course.test/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, few_frames):
    """The built site, in a folder whose name needs escaping in an address."""
    target = tmp_path_factory.mktemp("the pages") / "site"
    site.build(target)
    return target


@pytest.fixture(scope="module")
def watch(browser, folder):
    """A window of the browser for all tests: a new one for each would take longer than its page."""
    with watched(browser, partial(stays_in, folder=folder), reduced_motion="reduce") as found:
        yield found


@pytest.fixture
def opened(watch, folder):
    """Return a function that opens a page as a file, its mathematics set, and gives the watch."""
    page, outside, errors = watch

    def open_page(name, size="desktop", scheme="light"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.goto((folder / name).as_uri())
        page.evaluate(TYPESET)
        return watch

    outside.clear()
    errors.clear()
    yield open_page
    page.evaluate("localStorage.clear()")  # the colours that were chosen


def text_of(folder, name):
    """Return a page as parsed HTML."""
    return BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser")


# ------------------------------------------------------------------------- what is on the pages
def test_every_source_is_a_page_and_there_is_no_other(folder):
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}
    assert {name for name in made if not name.startswith("_static/")} == set(PAGES)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_and_asks_for_nothing_from_outside(name, size, opened):
    page, outside, errors = opened(name, size)
    wrong = page.evaluate(INSPECT)
    assert not errors
    assert not outside, "a request would leave the machine"
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem)
def test_a_page_shows_what_the_notebook_has_stored(path, folder):
    article = text_of(folder, f"notebooks/{path.stem}.html").find("article")
    notebook = read(path)
    captions = caption_figures(notebook).values()
    assert [image["alt"] for image in article.select(".cell_output img")] == list(
        map(plain, captions)
    )
    assert (
        len(article.select("div.cell + .caption"))
        == len(captions)
        == len(article.select(".caption"))
    )
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    shown = article.get_text()
    assert printed and [line for line in printed.splitlines() if line not in shown] == []


def test_every_page_leads_on_and_back_and_to_all_others(folder):
    walk = [START]
    while follows := text_of(folder, walk[-1]).find("a", class_="right-next"):
        walk.append(os.path.normpath(Path(walk[-1]).parent / follows["href"]).replace("\\", "/"))
    assert walk == PAGES[:-1]
    for name in PAGES:
        links = text_of(folder, name).select("nav.bd-docs-nav a[href]")
        there = {(folder / name).parent.joinpath(link["href"]).resolve() for link in links}
        there.add((folder / name).resolve())  # its own is "#"
        assert {(folder / page).resolve() for page in PAGES[:-1]} <= there, name


def test_the_contents_of_a_page_name_its_sections(folder):
    page = text_of(folder, TENSORS)
    sections = [heading.get_text().rstrip("#") for heading in page.select("article h2")]
    named = [link.get_text(" ", strip=True) for link in page.select(".page-toc > ul > li > a")]
    assert [" ".join(text.split()) for text in sections] == named and len(named) > 5


def test_every_download_is_the_courses_own_file(folder):
    for name, source in zip(PAGES, site.sources(), strict=False):
        button = text_of(folder, name).find("a", class_="btn-download-source-button")
        laid = (folder / name).parent / unquote(button["href"])
        if laid.suffix == ".ipynb":  # with a word on top where to get the course
            cells = read(site.ROOT / source).cells
            assert read(laid).cells[-len(cells) :] == cells
        else:
            assert laid.read_bytes() == (site.ROOT / source).read_bytes()


@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem)
def test_every_cell_is_an_anchor_and_code_that_only_draws_is_folded(path, folder):
    page, notebook = text_of(folder, f"notebooks/{path.stem}.html"), read(path)
    places = [tag["id"] for tag in page.find_all(id=True)]
    assert {cell.id: places.count(cell.id) for cell in notebook.cells} == {
        cell.id: 1 for cell in notebook.cells
    }
    folded = [cell["id"] for cell in page.select("div.cell:has(> details.hide)")]
    drawing = [cell.id for cell in code_cells(notebook) if "slide-hide-code" in tags(cell)]
    assert folded == ["setup", *drawing]


# -------------------------------------------------------------------------------------- links
def dead_links(folder):
    """Return the links between pages that lead to no file or no place on it, as sentences."""
    pages = {
        path.resolve(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    }
    places = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    dead = []
    for path, page in pages.items():
        for tag in page.find_all(["a", "link", "script", "img"]):
            target = urlsplit(tag.get("href") or tag.get("src") or "")
            if target.scheme or target.netloc:
                continue
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            missing = file in places and target.fragment and target.fragment not in places[file]
            if not file.is_file() or missing:
                dead.append(f"{path.name}: {target.geturl()} leads nowhere")
    return dead


def test_every_link_and_its_place_on_the_page_exist(folder):
    assert dead_links(folder) == []


def test_a_dead_link_and_a_dead_place_are_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#x">b</a><a href="c.html">c</a>', "utf-8")
    (tmp_path / "b.html").write_text('<p id="y"><a href="#z">z</a><a href="#y">y</a>', "utf-8")
    found = [sentence.split()[1] for sentence in sorted(dead_links(tmp_path))]
    assert found == ["b.html#x", "c.html", "#z"]


def test_what_comes_next_and_the_map_lead_to_notebooks(folder):
    stems = [path.stem for path in published()]
    for stem, follows in zip(stems, stems[1:], strict=False):
        links = text_of(folder, f"notebooks/{stem}.html").select("#next a:not(.headerlink)")
        assert f"{follows}.html" in [link["href"] for link in links]
    on_map = text_of(folder, f"notebooks/{stems[0]}.html").select("#map table a")
    assert [link["href"] for link in on_map][1:] == [f"{stem}.html" for stem in stems[1:]]


def test_the_instructors_page_leads_to_the_steps_it_names(folder):
    named = LINK.findall(TEACHING.read_text(encoding="utf-8"))
    links = text_of(folder, "TEACHING.html").select("article a[href^=notebooks]")
    there = [f"notebooks/{stem}.html#{cell}" for _, stem, cell in named]
    assert [link["href"] for link in links] == there and len(there) > 100


# ------------------------------------------------------------------------------- what can be done
def search(page, word):
    """Search for a word as a reader does; return the addresses of what is found."""
    page.keyboard.press("Control+K")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.search-summary')?.innerText.includes('found')")
    return [link.get_attribute("href") for link in page.locator("#search-results li a").all()]


def open_first(page):
    """Open the first of the pages that a search has found."""
    page.locator("#search-results li a").first.click()
    page.wait_for_selector("article h1")


def test_search_finds_a_word_and_its_result_opens(opened):
    page, outside, errors = opened(START)
    addresses = search(page, "broadcasting")
    assert any(TENSORS in address for address in addresses)
    assert page.locator("#search-results .context").count() == 0, "a file may not read others"
    open_first(page)
    assert "broadcasting" in page.locator("article").inner_text().lower()
    assert not outside and not errors


def test_from_a_web_server_the_site_works_too_and_search_gives_excerpts(browser, folder):
    with watched(browser, lambda address: False) as (page, outside, errors):
        page.route(SERVER + "**", lambda route: answer(route, folder))
        page.goto(SERVER + TENSORS)
        page.evaluate(TYPESET)
        assert page.evaluate(INSPECT) == []
        addresses = search(page, "broadcasting")
        page.locator("#search-results .context").nth(len(addresses) - 1).wait_for()
        excerpts = page.locator("#search-results .context").all_inner_texts()
        assert "broadcasting" in "".join(excerpts).lower() and len(excerpts) == len(addresses) > 0
        open_first(page)
        assert page.url.startswith(SERVER) and page.locator("article h1").count() == 1
        assert not outside and not errors


def answer(route, folder):
    """Answer a request as a plain web server would that serves a folder."""
    file = folder / unquote(urlsplit(route.request.url).path).lstrip("/")
    if file.is_file():
        route.fulfill(path=file)
    else:
        route.fulfill(status=404)


def test_a_folded_answer_unfolds_by_keyboard(opened):
    page, _, _ = opened(TENSORS)
    answer = page.locator("article details:not(.hide)").first
    text = answer.locator("p").first
    assert not text.is_visible()
    answer.locator("summary").focus()
    page.keyboard.press("Enter")
    assert text.is_visible() and len(text.inner_text()) > 20


def test_the_link_of_a_step_is_in_the_address_and_copied(opened):
    page, _, errors = opened(TENSORS)
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    for link in page.locator(".step-link").all()[:3]:
        link.click()
        place = link.get_attribute("href")
        page.locator(f".copied[href='{place}']").wait_for()
        assert page.url.endswith(place) and page.evaluate("copied") == page.url
        assert page.locator(".copied").count() == 1
        assert page.locator(":target").bounding_box()["y"] >= 0
    assert not errors


def test_the_toggle_switches_to_dark_and_back_and_the_next_page_knows(opened, folder):
    page, _, errors = opened(START)
    grounds = {}
    for mode in ["dark", "light", "auto"]:
        page.locator(".theme-switch-button:visible").press("Enter")
        page.locator(f".theme-change-button[data-mode={mode}]:visible").press("Enter")
        page.goto((folder / "TEACHING.html").as_uri())
        grounds[mode] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert page.evaluate("document.documentElement.dataset.mode") == mode
    assert grounds["light"] == grounds["auto"] == "rgb(255, 255, 255)" != grounds["dark"]
    assert not errors


# ------------------------------------------------------------------------------- live figures
# Puts a second copy of the page's live figure below it, and a play button on both.
TWICE = """() => {
  const source = document.querySelector("script.live");
  source.textContent = JSON.stringify({ ...JSON.parse(source.textContent), play: true });
  const built = document.querySelectorAll(".live-controls, .live-said, .live-failed");
  for (const element of built) element.remove();
  const output = source.closest(".cell_output");
  output.after(output.cloneNode(true));
  const script = document.createElement("script");
  script.src = "../_static/live.js";
  document.body.append(script);
  return new Promise((resolve) => (script.onload = resolve));
}"""


def moving(path):
    """Return how many live figures a notebook has."""
    return sum(is_live(output) for cell in code_cells(read(path)) for output in cell.outputs)


def test_every_live_figure_moves_by_keyboard_and_says_what_it_shows(drawn, opened):
    page, outside, errors = opened(f"notebooks/{drawn.stem}.html")
    boxes = page.locator(".live-controls").all()
    assert len(boxes) == moving(drawn)
    for box in boxes:
        assert len(check_moves(box)) > 3
        if box.locator("button").count():
            check_plays(box)
    assert not outside and not errors


def test_a_live_figure_plays_and_leaves_another_on_its_page_alone(opened):
    page, outside, errors = opened("notebooks/01_tensors.html")
    page.evaluate(TWICE)
    first, second = page.locator(".live-controls").all()
    before = state(second)
    check_plays(first)
    assert state(second) == before
    check_plays(second)
    assert state(second)["picture"] != before["picture"]
    assert violations(page, part="article") == []
    assert not outside and not errors


def test_the_controls_of_a_live_figure_are_large_enough_for_a_finger(drawn, opened):
    page, _, _ = opened(f"notebooks/{drawn.stem}.html", "phone", "dark")
    for kind, narrowest in {"input": 90, "button": 44}.items():
        for control in page.locator(f".live-controls {kind}").all():
            box = control.bounding_box()
            assert box["height"] >= 44 and box["width"] >= narrowest
    assert violations(page, part=".live-controls") == []


def test_without_scripts_a_live_figure_is_still_and_there_is_nothing_dead(drawn, folder):
    article = text_of(folder, f"notebooks/{drawn.stem}.html").find("article")
    assert article.select("script.live") and not article.select(
        "input, output, .cell_output button"
    )


# --------------------------------------------------------------------------------- accessibility
def test_nothing_on_a_page_shuts_anybody_out(a_page, opened):
    page, _, _ = opened(a_page)
    page.evaluate(INSPECT)  # unfolds the answers
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    found += violations(page, ["color-contrast"])
    assert not found, "\n" + "\n".join(found)


def test_nothing_on_a_phone_shuts_anybody_out(opened):
    page, _, _ = opened(TENSORS, "phone")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_menu_on_a_phone_shuts_anybody_out(scheme, opened):
    page, _, _ = opened("LICENSE.html", "phone", scheme)
    for menu in [".theme-switch-button:visible", ".dropdown-download-buttons > button"]:
        page.locator(menu).press("Enter")
        assert violations(page) == []
        page.keyboard.press("Escape")
    page.locator(".primary-toggle:visible").click()
    page.wait_for_selector("dialog[open] nav")
    assert violations(page) == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(a_page, opened):
    check_keyboard(opened(a_page)[0])


@pytest.mark.parametrize("name", [START, TENSORS])
def test_on_a_phone_the_keyboard_reaches_everything_too(name, opened):
    check_keyboard(opened(name, "phone")[0])


def check_keyboard(page):
    """See that the tab key stops at everything, and that each stop is seen."""
    found = tabbed(page)
    assert found["stops"] >= 5
    assert found["missed"] == [] and found["hidden"] == []


def tabbed(page):
    """Go through a page with the tab key; return what was missed and where no focus was seen."""
    page.evaluate("document.activeElement.blur()")
    page.evaluate(TAB_STOPS)
    page.keyboard.press("Tab")
    while page.evaluate("tabStops.visit()"):
        page.keyboard.press("Tab")
    return page.evaluate("tabStops.found()")


def test_the_first_stop_skips_the_navigation(opened):
    page, _, _ = opened(TENSORS)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to main content"
    page.wait_for_function("document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


# ----------------------------------------------------------------------------------- mathematics
def set_mathematics(page, markdown):
    """Put Markdown's formulas on an open page, as the site's pages have them, and set them."""
    text = re.sub(
        r"\$\$(.+?)\$\$", r"<div class='math'>\\[\1\\]</div>", html.escape(markdown), flags=re.S
    )
    text = re.sub(r"\$(.+?)\$", r"<span class='math'>\\(\1\\)</span>", text)
    page.evaluate(
        """(html) => {
          document.querySelector("article").insertAdjacentHTML("beforeend", html);
          return MathJax.typesetPromise();
        }""",
        text,
    )


def test_mathematics_that_no_notebook_needs_yet_is_in_the_local_copy(opened):
    page, outside, errors = opened(TENSORS)
    before = page.locator(".math").count()
    set_mathematics(page, MATHEMATICS)
    assert page.locator(".math").count() > before + 5
    assert page.evaluate(INSPECT) == []
    assert not outside and not errors


def test_mathematics_that_is_no_command_is_found(opened):
    page, _, _ = opened(TENSORS)
    set_mathematics(page, r"The loss is $\unknown{x}$.")
    assert len(page.evaluate(INSPECT)) == 1


# ---------------------------------------------------------------------------- the test's own eyes
PLANTED = {
    "a picture has no alternative": '<img src="_images/PICTURE">',
    "a picture is missing": '<img src="none.png" alt="A picture that is not there at all.">',
    "a picture is stretched": '<img src="_images/PICTURE" style="width: 400px; height: 90px">',
    "mathematics is not typeset: \\(x": '<span class="math">\\(x^2\\)</span>',
    "mathematics is too small": '<p class="math"><svg width="9" height="9" viewBox="0 0 900 900">',
    "mathematics is not typeset: The loss": "<p>The loss $L$.</p>",
    "pixels too wide": '<div style="width: 3000px">wide</div>',
    "is cut off": '<pre style="width: 9em; overflow: hidden">far longer than nine letters</pre>',
}
SHUTS_OUT = {
    "image-alt": '<img src="_images/PICTURE">',
    "color-contrast": '<p style="color: #999; background: white">Hardly to be read</p>',
    "scrollable-region-focusable": '<div style="width: 9em; overflow: auto">'
    '<p style="width: 30em">far longer than nine letters</p></div>',
    "link-name": '<a href="index.html"></a>',
}


def plant(page, folder, html):
    """Put a fault on an open page."""
    picture = next((folder / "_images").glob("*.png")).name
    page.evaluate(
        "(html) => document.querySelector('article').insertAdjacentHTML('beforeend', html)",
        html.replace("PICTURE", picture),
    )


@pytest.mark.parametrize("problem", PLANTED)
def test_what_is_wrong_on_a_page_is_found(problem, opened, folder):
    page, _, _ = opened("LICENSE.html")
    plant(page, folder, PLANTED[problem])
    assert any(problem in line for line in page.evaluate(INSPECT))


@pytest.mark.parametrize("rule", SHUTS_OUT)
def test_what_shuts_somebody_out_is_found(rule, opened, folder):
    page, _, _ = opened("LICENSE.html")
    plant(page, folder, SHUTS_OUT[rule])
    assert any(line.startswith(rule) for line in violations(page))


def test_a_request_to_another_machine_is_found(opened, folder):
    page, outside, _ = opened("LICENSE.html")
    plant(page, folder, '<img src="https://example.org/x.png" alt="A picture from elsewhere.">')
    page.evaluate(INSPECT)
    assert outside == ["https://example.org/x.png"]


def test_what_the_keyboard_misses_or_does_not_show_is_found(opened, folder):
    page, _, _ = opened("LICENSE.html")
    plant(page, folder, '<button tabindex="-1">No way</button>')
    plant(page, folder, '<button style="all: unset">No focus</button>')
    found = tabbed(page)
    assert found["missed"] == ["button No way"] and found["hidden"] == ["button No focus"]
