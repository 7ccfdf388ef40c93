"""Build the course's pages: a site to read in any browser, without a server and without a network.

    python3 course.py site [--address https://...]

The site goes to build/site/. Beside the pages lies the whole course as one zip, made from the files
that git tracks. The sources of the pages are assembled from the course's own files, so nothing is
written twice: README.md is the start page, then come the notebooks with their stored outputs, then
the other pages. Sphinx builds them with the settings in site_template/conf.py; whatever it warns
of stops the build, because a reader would meet it as a dead link or a page without a title.
"""

import argparse
import copy
import io
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote

import nbformat
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from tools.notebooks.files import (
    FOLDED,
    caption_figures,
    question_of,
    read,
    tags,
    without_widgets,
    write,
)
from tools.pack import course_files
from tools.present import frames, libraries
from tools.settings import BUILD, LAUNCHER, ROOT
from tools.setup.console import CourseError, guarded, say

TEMPLATE = Path(__file__).resolve().parent / "site_template"
TARGET = BUILD / "site"

START = "README.md"
PAGES = ["TEACHING.md", "hub/README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md"]
LICENCES = {"LICENSE": "Licence of the code", "LICENSE-text": "Licence of words and figures"}
ZIP = "neural-networks-in-pytorch.zip"
# What a file of the course is called among the sources, where that is not its own name.
RENAMED = {START: "index.md", **{name: f"{name}.md" for name in LICENCES}}

CONTENTS = """
```{{toctree}}
:hidden:
:caption: {caption}

{pages}
```
"""
# What the pages say of the zip: on the start page, on a notebook's page, and in a notebook that is
# downloaded alone.
HEAD = "\n## Start\n"
GET_IT = "\nDownload {}, and unpack it.\n"
RUN_IT = "\n\nTo run what you read here: {}. Unpack it, and type `python3 course.py lab` there."
ALONE = (
    "**Does this notebook stop in its first cell of code?** It needs the course around it. The "
    "page that you got it from offers the whole course as one zip{}. Unpack it, type `python3 "
    "course.py lab` in its folder, and open your copy of this notebook there."
)
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
OPENING = re.compile(r"<(?:details|div [^>]+)(?=>)")
SOURCE_OF_PICTURE = re.compile(r'<(?:img|source)\b[^>]*?\bsrc(?:set)?="([^":]+)"')
ADDRESS = re.compile(r"https?://\S+")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WARNING = re.compile(r"^(?:(.+?):(\d*):? )?(?:WARNING|ERROR|CRITICAL): (.+?)(?: \[[\w.-]+\])?$")
UNTITLED = re.compile(r"toctree contains reference to document '(.+)' that doesn't have a title")
# What Sphinx says, and what it means.
EXPLAINED = (
    (r".*(?:target not found|file not readable): '?([^']+)'?", r"the link to \1 leads nowhere"),
    (r"Non-consecutive header level increase; (.*)", r"a heading skips a level, \1"),
)


# -- The sources -------------------------------------------------------------------------------


def sources(root=ROOT):
    """Return the files that become pages, in their order, as paths inside the course's folder."""
    notebooks = sorted((Path(root) / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [START, *(f"notebooks/{path.name}" for path in notebooks), *PAGES, *LICENCES]


def assemble(folder, root=ROOT, figures=(), megabytes=None):
    """Lay the sources of the site into a folder: pages, the files that they link to.

    `figures` are those that move: {name of a notebook: what `frames.frames_of` gives of them};
    `megabytes` is the size of the course's zip, None without one.
    """
    for name in sources(root):
        target = folder / RENAMED.get(name, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".ipynb"):
            moving = figures[name] if name in figures else ()
            notebook = presented(read(root / name), moving, f"../{frames_at(name)}")
            if megabytes:
                # Below the card.
                notebook.cells[:2][-1].source += RUN_IT.format(zip_link("../", megabytes))
            for cell in notebook.cells:
                if cell.cell_type == "markdown":
                    cell.source = with_links(cell.source, name, folder, root)
            nbformat.write(notebook, target)
        else:
            text = page_of(name, root)
            if megabytes and name == START:
                text = text.replace(HEAD, HEAD + GET_IT.format(zip_link("", megabytes)), 1)
            target.write_text(with_links(text, name, folder, root), "utf-8", newline="\n")


def page_of(name, root):
    """Return the Markdown of a page that is no notebook."""
    text = (root / name).read_text(encoding="utf-8")
    if name == START:
        return text + contents(sources(root))
    if name in LICENCES:
        return f"# {LICENCES[name]}\n\n" + ADDRESS.sub(r"<\g<0>>", text)
    return text


def contents(names):
    """Return the lists of pages from which Sphinx makes the navigation."""
    notebooks = [name for name in names if name.endswith(".ipynb")]
    others = [name for name in names if name not in notebooks and name != START]
    parts = {"Notebooks": notebooks, "About the course": others}
    return "".join(
        CONTENTS.format(caption=caption, pages="\n".join(RENAMED.get(page, page) for page in pages))
        for caption, pages in parts.items()
    )


def presented(notebook, figures=(), place=""):
    """Return a copy of a notebook as it is read: questions marked, figures with captions.

    The set-up and code that only draws are folded; words get the ids of their cells as anchors,
    headings and code in conf.py. `figures` are those that move, as `frames.frames_of` gives them,
    `place` is where their pictures are.
    """
    shown = copy.deepcopy(notebook)
    captions = caption_figures(shown)
    for cell in shown.cells:
        if cell.cell_type == "code":
            if cell.id in figures:
                frames.with_frames(cell, figures[cell.id], place)
            cell.outputs = without_widgets(cell.outputs)
            fold(cell)
        elif cell.id in captions:
            cell.source = with_caption(cell.source, captions[cell.id])
        elif cell.cell_type == "markdown" and question_of(cell.source):
            question = question_of(cell.source)
            marked = f'<div class="question">\n\n{question}\n\n{step_link(cell.id)}\n</div>'
            cell.source = cell.source.replace(question, marked)
        if cell.cell_type == "markdown":
            cell.source = with_anchor(cell.source, cell.id)
    return shown


def fold(cell):
    """Fold the code of a cell that readers need not see, as on the slides."""
    if cell.id == "setup":
        what = "Set-up, the same in all notebooks"
    elif "slide-hide-code" in tags(cell):
        what = "Code of this figure"
    else:
        return
    cell.metadata.tags = [*tags(cell), "hide-input"]
    cell.metadata.mystnb = {"code_prompt_show": what, "code_prompt_hide": what}


def with_anchor(source, name):
    """Return a cell's words with its id as their anchor; a heading gets it in conf.py."""
    if source.startswith("#"):
        return source
    opening = OPENING.match(source)
    if opening:  # one of ours, right below a figure: nothing comes between
        return f'{opening[0]} id="{name}"{source[opening.end() :]}'
    return f'<div id="{name}"></div>\n\n{source}'


def step_link(name):
    """Return the link of a step to itself, which site.js also copies."""
    words = "Copy the link to this step"
    return f'<a class="step-link" href="#{name}" aria-label="{words}" title="{words}">#</a>'


def zip_link(place, megabytes):
    """Return a link to the course's zip from a page; `place` leads to the start page's folder."""
    words = f"the whole course as one zip ({megabytes:.0f} MB)"
    return f'<a href="{place}{ZIP}" download>{words}</a>'


def frames_at(name):
    """Return where in the site the pictures of a notebook's live figures are."""
    return f"_static/frames/{Path(name).stem}"


def with_caption(source, caption):
    """Return a folded cell with its first sentence in front of it, as the caption of a figure."""
    name, text = FOLDED.fullmatch(source.strip()).groups()
    rest = text.removeprefix(caption).strip()
    shown = f'<div class="caption">\n\n{caption}\n\n</div>'
    if not rest:
        return shown
    return f"{shown}\n\n<details><summary>{name}</summary>\n\n{rest}\n\n</details>"


def with_links(text, name, folder, root):
    """Return Markdown whose links fit the sources; files that it links to are laid there."""
    root = root.resolve()

    def fitted(found):
        target, anchor, place = found[1].partition("#")
        path = (root / name).parent.joinpath(unquote(target)).resolve()
        if not target or not path.is_file() or root not in path.parents:
            return found[1]  # an address, a place on the page, or for Sphinx to complain of
        linked = path.relative_to(root).as_posix()
        if linked in RENAMED:
            new = os.path.relpath(RENAMED[linked], Path(name).parent)
            return Path(new).as_posix() + anchor + place
        if linked not in sources(root):
            (folder / linked).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / linked)
        return found[1]

    return LINK.sub(fitted, text)


# -- The build ---------------------------------------------------------------------------------


def build(target=TARGET, root=ROOT, address=None):
    """Build the site of the course in `root`; return its start page.

    A site that is there stays until the new one is complete. `address` is where it will be
    published, if that is known: a notebook that is downloaded says it.

    Raises:
        CourseError: something is wrong on a page; the message says what and where.
    """
    parts = target.with_name(target.name + ".parts")
    if parts.exists():
        shutil.rmtree(parts)
    megabytes = lay_zip(parts / "html", root)
    assemble(parts / "source", root, lay_frames(parts / "html", root), megabytes)
    libraries.lay("mathjax", parts / "html" / "_static")
    warnings = run_sphinx(parts)
    if warnings:
        # A page is named by all that list it: once is enough.
        sentences = dict.fromkeys(sentence(line, parts / "source") for line in warnings)
        lines = "".join(f"\n  {line}" for line in sentences)
        raise CourseError(f"The pages cannot be built. Fix this, then start again:{lines}")
    place = f": {address.rstrip('/')}/{ZIP}" if address else " at its top"
    lay_downloads(parts / "html", root, ALONE.format(place) if megabytes else None)
    lay_pictures(parts / "html", root)
    if target.exists():
        shutil.rmtree(target)
    (parts / "html").rename(target)
    shutil.rmtree(parts)
    return target / "index.html"


def lay_zip(folder, root):
    """Lay the course as a zip into a folder; return its size in MB, None if git does not answer."""
    try:
        names, _ = course_files(root)
    except CourseError:
        say(
            "The pages offer no zip of the course: it holds the files that git tracks, and git "
            "does not answer here."
        )
        return None
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(root / name, f"{Path(ZIP).stem}/{name}")
    return (folder / ZIP).stat().st_size / 1e6


def lay_frames(folder, root):
    """Lay the pictures of all live figures; return {name of a notebook: its live figures}."""
    figures = {}
    for name in sources(root):
        if name.endswith(".ipynb"):
            figures[name], pictures = frames.frames_of(root / name)
            frames.lay_pictures(pictures, folder / frames_at(name))
    return figures


def run_sphinx(parts):
    """Build `parts`/source into `parts`/html; return what Sphinx warned of, one text each."""
    warnings = io.StringIO()
    try:
        with patch_docutils(), docutils_namespace():
            application = Sphinx(
                srcdir=parts / "source",
                confdir=TEMPLATE,
                outdir=parts / "html",
                doctreedir=parts / "doctrees",
                buildername="html",
                status=None,
                warning=warnings,
            )
            application.build()
    except SphinxError as error:
        warnings.write(f"ERROR: {error}\n")
    return COLOUR.sub("", warnings.getvalue()).splitlines()


def sentence(warning, source):
    """Return a warning of Sphinx as a sentence about the course's own file."""
    found = WARNING.match(warning)
    if not found:
        return warning
    place, line, message = found.groups()
    untitled = UNTITLED.match(message)
    if untitled:
        page = next(source.glob(f"{untitled[1]}.*"))
        return f"{where(page, None, source)}: the page has no heading to be its title"
    for pattern, meaning in EXPLAINED:
        message = re.sub(pattern, meaning, message)
    return f"{where(Path(place), line, source)}: {message}" if place else message


def where(path, line, source):
    """Return where in the course a line of the sources stands, for example "README.md, line 12"."""
    if source not in path.parents:
        return str(path)
    laid = path.relative_to(source).as_posix()
    name = next((own for own, other in RENAMED.items() if other == laid), laid)
    if not line:
        return name
    if path.suffix == ".ipynb":
        # The parser of notebooks counts 10000 lines for each cell.
        return f"{name}, cell {read(path).cells[int(line) // 10000 - 1].id}"
    return f"{name}, line {line}"


def lay_downloads(folder, root, alone):
    """Put the course's own files where the download buttons lead, in the place of the sources.

    `alone` is what a notebook says first that stands without the course, None for nothing.
    """
    for name in sources(root):
        target = folder / "_sources" / RENAMED.get(name, name)
        shutil.copyfile(root / name, target)
        if alone and name.endswith(".ipynb"):
            notebook = read(target)
            notebook.cells.insert(0, nbformat.v4.new_markdown_cell(alone, id="alone"))
            write(notebook, target)


def lay_pictures(folder, root):
    """Put pictures that stand as HTML in a page, which Sphinx hands on unread, beside the pages."""
    for name in filter(lambda name: name.endswith(".md"), sources(root)):
        for picture in SOURCE_OF_PICTURE.findall((root / name).read_text(encoding="utf-8")):
            place = (Path(name).parent / picture).as_posix()
            if not (root / place).is_file():
                raise CourseError(f"{name}: the picture {picture} is not there.")
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / place, folder / place)


def main(arguments=None):
    """Build the site; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} site", description=__doc__.split("\n")[0])
    parser.add_argument("--address", help="where the pages will be published: https://...")
    print(build(address=parser.parse_args(arguments).address).relative_to(BUILD.parent))
    print("Open it in a browser. To publish the site, copy the folder to any web server.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
