"""The site's sources are the course's own files, and what is wrong in them stops the build."""

import shutil
import subprocess
import zipfile

import nbformat
import pytest

from tools.notebooks.files import METADATA, WIDGET, published, read
from tools.setup.console import CourseError

pytest.importorskip("sphinx_book_theme", reason="no Sphinx here (see tools/requirements.txt)")
from tools.present import site

# Extensions of Sphinx still use names that its next but one version will drop.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
    "z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
words, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell


def output(kind, content, **metadata):
    """Return an output of a cell."""
    return nbformat.v4.new_output("display_data", data={kind: content}, metadata=metadata)


def write_course(root, pages, cells):
    """Write a small course: pages by name (others get a title) and the cells of one notebook."""
    for name in [site.START, *site.PAGES, *site.LICENCES]:
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(pages.get(name, f"# Title of {name}\n"), "utf-8")
    (root / "notebooks").mkdir()
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
    nbformat.write(notebook, root / "notebooks" / "07_vision.ipynb")


# ------------------------------------------------------------------------------- the sources
@pytest.fixture
def assembled(tmp_path):
    """Return a function that assembles a small course, and gives the folder of its sources."""

    def assemble(pages=None, cells=()):
        write_course(tmp_path / "course", pages or {}, [words("# 07 · Why?"), *cells])
        site.assemble(tmp_path / "sources", tmp_path / "course")
        return tmp_path / "sources"

    return assemble


def test_the_pages_are_the_readme_all_notebooks_and_the_other_pages():
    names = site.sources()
    assert names[0] == "README.md"
    assert names[1 : len(published()) + 1] == [f"notebooks/{path.name}" for path in published()]
    assert {"TEACHING.md", "CONTRIBUTING.md", "data/README.md", "LICENSE"} <= set(names)


def test_a_slider_leaves_its_figure_and_another_widget_nothing(assembled):
    other = output(WIDGET, {"model_id": "1"})
    slider = output(WIDGET, {"model_id": "2"})
    slider.data["image/png"] = PNG
    cell = code("1 + 1", outputs=[other, slider, output("text/plain", "2")])
    shown = read(assembled(cells=[cell]) / "notebooks" / "07_vision.ipynb")
    assert [out.data for out in shown.cells[1].outputs] == [
        {"image/png": PNG},
        {"text/plain": "2"},
    ]


def test_a_question_is_marked_and_its_words_stay(assembled):
    cells = [words("Some words.\n\n**Predict 1.** Which one?"), words("No question.")]
    shown = read(assembled(cells=cells) / "notebooks" / "07_vision.ipynb")
    question = '<div class="question">\n\n**Predict 1.** Which one?\n\n'
    question += site.step_link("cell-1") + "\n</div>"
    assert [cell.source for cell in shown.cells[1:]] == [
        f'<div id="cell-1"></div>\n\nSome words.\n\n{question}',
        '<div id="cell-2"></div>\n\nNo question.',
    ]


def test_the_set_up_and_code_that_only_draws_are_folded(assembled):
    draws = {"metadata": {"tags": ["slide-hide-code", "continues"]}}
    path = assembled(cells=[code("draw()", **draws), code("1 + 1")]) / "notebooks/07_vision.ipynb"
    folded = ["hide-input" in cell.metadata.get("tags", []) for cell in read(path).cells[1:]]
    assert folded == [True, False]
    setup = read(published(["00"])[0]).cells[2]
    site.fold(setup)
    assert setup.metadata.tags == ["hide-input"]


def test_the_first_sentence_below_a_figure_is_its_caption_and_its_alternative(assembled):
    def figure():
        return code("draw()", outputs=[output("image/png", PNG, **{"image/png": {"alt": "Old."}})])

    folded = "<details><summary>What happened</summary>\n\n{}\n\n</details>"
    texts = ["The **loss** $L$ falls, e.g. by 0.5. It is small.", "Some `x`."]
    cells = [cell for text in texts for cell in (figure(), words(folded.format(text)))]
    shown = read(assembled(cells=cells) / "notebooks" / "07_vision.ipynb").cells[1:]
    alternatives = [cell.outputs[0].metadata["image/png"]["alt"] for cell in shown[::2]]
    assert alternatives == ["The loss L falls, e.g. by 0.5.", "Some x."]
    caption = '<div class="caption" id="cell-{}">\n\n{}\n\n</div>'
    assert [cell.source for cell in shown[1::2]] == [
        caption.format(2, "The **loss** $L$ falls, e.g. by 0.5.")
        + "\n\n"
        + folded.format("It is small."),
        caption.format(4, "Some `x`."),
    ]


@pytest.mark.parametrize(
    "page, link, fitted",
    [
        ("TEACHING.md", "README.md", "index.md"),
        ("TEACHING.md", "README.md#start", "index.md#start"),
        ("data/README.md", "../README.md", "../index.md"),
        ("data/README.md", "README.md", "README.md"),
        ("README.md", "data/README.md", "data/README.md"),
        ("README.md", "LICENSE", "LICENSE.md"),
        ("data/README.md", "../LICENSE-text", "../LICENSE-text.md"),
        ("README.md", "notebooks/07_vision.ipynb", "notebooks/07_vision.ipynb"),
        ("README.md", "https://example.org/LICENSE", "https://example.org/LICENSE"),
        ("README.md", "nowhere.md", "nowhere.md"),
    ],
)
def test_a_link_fits_the_sources(page, link, fitted, assembled):
    text = f"# Title\n\n[words]({link}) and more\n"
    assert f"[words]({fitted}) and more" in (
        assembled({page: text}) / site.RENAMED.get(page, page)
    ).read_text("utf-8")


def test_a_file_that_is_linked_comes_along_and_one_outside_the_course_does_not(assembled, tmp_path):
    (tmp_path / "course" / "docs").mkdir(parents=True)
    for path in ["course/docs/a picture.png", "secret.txt"]:
        (tmp_path / path).write_text("content", "utf-8")
    text = "# Title\n\n![words](docs/a%20picture.png) [more](../secret.txt)\n"
    folder = assembled({"README.md": text})
    assert (folder / "docs" / "a picture.png").read_text("utf-8") == "content"
    assert not [path for path in tmp_path.rglob("secret.txt") if path.parent != tmp_path]


def test_a_picture_that_stands_as_html_comes_along_and_must_be_there(tmp_path):
    film, address = '<source srcset="p.png">\n<img alt="x" src="f.webp">', "https://a.example/b.png"
    pages = {"data/README.md": f'# The data\n\n{film}\n<img alt="y" src="{address}">\n'}
    root = tmp_path / "course"
    write_course(root, pages, [])
    (root / "data" / "p.png").write_text("still", "utf-8")
    with pytest.raises(CourseError, match="data/README.md: the picture f.webp is not there"):
        site.lay_pictures(tmp_path / "html", root)
    (root / "data" / "f.webp").write_text("film", "utf-8")
    site.lay_pictures(tmp_path / "html", root)
    laid = {path.name: path.read_text("utf-8") for path in (tmp_path / "html" / "data").iterdir()}
    assert laid == {"p.png": "still", "f.webp": "film"}


# ------------------------------------------------------------------------- the course as a zip
@pytest.fixture
def clone(tmp_path):
    """A small course whose files git tracks, but for one."""
    if not shutil.which("git"):
        pytest.skip("needs git")
    pages = {"README.md": "# A course\n\nWords.\n\n## Start\n\nType this.\n"}
    write_course(tmp_path / "course", pages, [words("# 07 · Why?"), words("**5 minutes**")])
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path / "course", check=True)
    (tmp_path / "course" / "marks.csv").write_text("private", "utf-8")
    return tmp_path / "course"


def test_the_zip_holds_what_git_tracks_in_a_folder_of_its_own(clone, tmp_path):
    assert site.lay_zip(tmp_path / "html", clone) > 0
    with zipfile.ZipFile(tmp_path / "html" / site.ZIP) as archive:
        names = archive.namelist()
        page = archive.read("neural-networks-in-pytorch/README.md")
    assert page == (clone / "README.md").read_bytes()
    tracked = [site.START, "notebooks/07_vision.ipynb", *site.PAGES, *site.LICENCES]
    assert sorted(names) == sorted(f"neural-networks-in-pytorch/{name}" for name in tracked)


def test_where_git_does_not_answer_there_is_no_zip_and_that_is_said(clone, tmp_path, capsys):
    shutil.rmtree(clone / ".git")
    assert site.lay_zip(tmp_path / "html", clone) is None
    assert not (tmp_path / "html").exists()
    assert "no zip of the course: it holds the files that git tracks" in capsys.readouterr().out


def test_the_start_page_and_every_notebook_lead_to_the_zip(clone, tmp_path):
    site.assemble(tmp_path / "sources", clone, megabytes=8.6)
    start = (tmp_path / "sources" / "index.md").read_text("utf-8")
    link = f'<a href="{site.ZIP}" download>the whole course as one zip (9 MB)</a>'
    assert f"## Start\n\nDownload {link}, and unpack it.\n\nType this." in start
    card = read(tmp_path / "sources" / "notebooks" / "07_vision.ipynb").cells[1].source
    assert "**5 minutes**\n\nTo run what you read here: " in card
    assert link.replace(site.ZIP, f"../{site.ZIP}") in card


@pytest.mark.parametrize(
    "address, place",
    [(None, " at its top. "), ("https://a.b/c/", f": https://a.b/c/{site.ZIP}. ")],
)
def test_a_notebook_that_stands_alone_says_where_the_course_is(address, place, clone, tmp_path):
    site.build(tmp_path / "site", clone, address)
    laid = read(tmp_path / "site" / "_sources" / "notebooks" / "07_vision.ipynb")
    assert f"offers the whole course as one zip{place}" in laid.cells[0].source
    assert laid.cells[1:] == read(clone / "notebooks" / "07_vision.ipynb").cells


# ---------------------------------------------------------------------------- what is wrong
WRONG = [
    "README.md, line 3: the link to nowhere.md leads nowhere",
    "TEACHING.md, line 3: the link to no-such-place leads nowhere",
    "TEACHING.md, line 5: a picture has no alternative",
    "CONTRIBUTING.md: the page has no heading to be its title",
    "data/README.md, line 3: a heading skips a level, H1 to H3",
    "notebooks/07_vision.ipynb, cell cell-1: the link to none.ipynb leads nowhere",
    "notebooks/07_vision.ipynb, cell cell-2: a picture has no alternative",
]


@pytest.fixture(scope="module")
def complaint(tmp_path_factory):
    """What the build says of a course in which much is wrong; a site was there before."""
    folder = tmp_path_factory.mktemp("wrong")
    pages = {
        "README.md": "# A course\n\nSee [there](nowhere.md).\n",
        "TEACHING.md": "# Teaching\n\n[A place](#no-such-place)\n\n![](docs/p.png)\n",
        "CONTRIBUTING.md": "No heading at all.\n",
        "data/README.md": "# The data\n\n### Too deep\n",
    }
    cells = [
        words("# 07 · Why?"),
        words("Go [on](none.ipynb)."),
        code("draw()", outputs=[output("image/png", PNG)]),
    ]
    (folder / "course" / "docs").mkdir(parents=True)
    (folder / "course" / "docs" / "p.png").write_bytes(b"")
    write_course(folder / "course", pages, cells)
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("as before", "utf-8")
    with pytest.raises(CourseError) as caught:
        site.build(folder / "site", folder / "course")
    return str(caught.value), folder


def test_all_that_is_wrong_is_said_once_with_its_place(complaint):
    lines = [line.strip() for line in complaint[0].splitlines()]
    assert sorted(lines[1:]) == sorted(WRONG)


def test_the_site_that_was_there_stays(complaint):
    assert (complaint[1] / "site" / "index.html").read_text("utf-8") == "as before"
