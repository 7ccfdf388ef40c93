"""What decks and pages load in a browser, laid beside them from the packages that bring it."""

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
}


def lay(library, folder):
    """Copy what is loaded of a library, and its licence, to a folder of its name in `folder`.

    Raises:
        CourseError: its package is not installed.
    """
    package, place, files = LIBRARIES[library]
    try:
        source = Path(distribution(package).locate_file(place))
    except PackageNotFoundError as error:
        raise CourseError(
            f"{package} is missing, which brings {library}: to install it, type {LAUNCHER} slides"
        ) from error
    target = folder / library
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(source / file, target / Path(file).name)
