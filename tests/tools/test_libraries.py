"""What decks and pages load in a browser comes from packages, with its licence."""

import re
from importlib.metadata import PackageNotFoundError

import pytest

from tools.present import libraries, slides
from tools.setup.console import CourseError


def test_all_that_a_deck_loads_is_laid_with_its_licence_and_little_else(tmp_path):
    try:
        slides.lay_assets(tmp_path)
    except CourseError as missing:
        pytest.skip(str(missing))
    page = (slides.TEMPLATE / "deck.html.j2").read_text(encoding="utf-8")
    loaded = {tmp_path / name for name in re.findall(r'(?:src|href)="(assets/[^"]+)"', page)}
    laid = {path for path in tmp_path.rglob("*") if path.is_file()}
    licences = {tmp_path / "assets" / name / "LICENSE" for name in libraries.LIBRARIES}
    assert laid == loaded | licences
    assert sum(path.stat().st_size for path in laid) < 3e6


def test_a_missing_package_is_one_sentence_that_says_what_to_type(tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(libraries, "distribution", missing)
    with pytest.raises(CourseError, match=r"^django-static-mathjax is .* course\.py slides$"):
        libraries.lay("mathjax", tmp_path)
    assert not list(tmp_path.iterdir())
