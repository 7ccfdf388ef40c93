"""What decks and pages load in a browser, laid beside them from the packages that bring it."""

import base64
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tools.settings import LAUNCHER
from tools.setup.console import CourseError

# Library -> its package, the folder there, and the files that are loaded, with their licence.
LIBRARIES = {
    "reveal": (
        "sphinx-revealjs",
        "sphinx_revealjs/_static/revealjs",
        ["LICENSE", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js"],
    ),
    # This form of it draws letters as outlines: not every browser lets a file load fonts.
    "mathjax": (
        "django-static-mathjax",
        "mathjax/static/mathjax",
        ["LICENSE", "es5/tex-svg-full.js"],
    ),
    "source-sans-pro": (
        "sphinx-revealjs",
        "sphinx_revealjs/_static/revealjs/dist/theme/fonts/source-sans-pro",
        ["LICENSE"],
    ),
}
# The letters of decks: (style, weight) -> the end of a file's name.
LETTERS = {
    ("normal", 400): "regular",
    ("italic", 400): "italic",
    ("normal", 600): "semibold",
}


def lay(library, folder):
    """Copy what is loaded of a library, and its licence, to a folder of its name in `folder`.

    Raises:
        CourseError: its package is not installed.
    """
    source, files = source_of(library), LIBRARIES[library][2]
    target = folder / library
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(source / file, target / Path(file).name)


def source_of(library):
    """Return the folder of a library in its package."""
    package, place, _ = LIBRARIES[library]
    try:
        return Path(distribution(package).locate_file(place))
    except PackageNotFoundError as error:
        raise CourseError(
            f"{package} is missing, which brings {library}: to install it, type {LAUNCHER} slides"
        ) from error


def lay_letters(folder):
    """Write a style sheet that holds the decks' letters: not every browser lets a file load any."""
    rules = []
    for (style, weight), name in LETTERS.items():
        content = (source_of("source-sans-pro") / f"source-sans-pro-{name}.woff").read_bytes()
        data = base64.b64encode(content).decode("ascii")
        rules.append(
            f'@font-face {{ font-family: "Source Sans Pro"; font-style: {style}; '
            f"font-weight: {weight}; src: url(data:font/woff;base64,{data}); }}\n"
        )
    (folder / "letters.css").write_text("".join(rules), "utf-8")
