"""The pages of `course.py grade`, in a browser: they shut nobody out, and need no network."""

import pytest
from accessibility import violations

from tools.classroom.reports import Class, Place, write_reports

EXERCISES = {"01_tensors": ["min_max", "broadcast"], "02_function_fitting": ["plateau"]}
PLACES = {
    (stem, name): Place(name, "3 · How?") for stem, names in EXERCISES.items() for name in names
}


def results():
    """Return thirty students' results, of every kind."""
    found = {"message": "said", "cells": ["min-max"], "odd": ["imports os"], "seconds": 0.1}
    right, wrong, left = ({**found, "status": status} for status in ("right", "wrong", "open"))
    wrong["misconception"] = "The bounds are swapped."
    books = {"01_tensors": {"min_max": wrong, "broadcast": right}, "02_function_fitting": {}}
    one = {"notes": ["a.zip is empty."], "notebooks": {**books}}
    other = {"notes": [], "notebooks": {"01_tensors": {"min_max": left, "broadcast": left}}}
    return [
        {**(one if number % 2 else other), "name": f"Jürgen {number}", "folder": f"j{number}"}
        for number in range(30)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The pages of that class."""
    folder = tmp_path_factory.mktemp("grades")
    for number in range(30):
        (folder / "students" / f"j{number}").mkdir(parents=True)
    write_reports(Class(results(), EXERCISES, PLACES, ["Guarded: all."]), folder)
    return folder


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (1280, "dark"), (380, "light")])
def test_axe_finds_no_obstacle(browser, folder, width, scheme):
    size = {"width": width, "height": 800}
    context = browser.new_context(bypass_csp=True, viewport=size, color_scheme=scheme)
    context.set_offline(True)
    page = context.new_page()
    for path in (folder / "class.html", folder / "students" / "j1" / "index.html"):
        page.goto(path.as_uri())
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_students_are_sorted_and_searched_under_the_pages_own_policy(browser, folder):
    page = browser.new_page()
    page.goto((folder / "class.html").as_uri())
    names = page.locator(".answers tbody tr:visible th")
    page.get_by_role("button", name="Right", exact=True).press("Enter")
    assert names.first.text_content() == "Jürgen 0"  # nothing right
    page.get_by_role("button", name="Right", exact=True).press("Enter")
    assert names.first.text_content() == "Jürgen 1"
    page.get_by_role("button", name="min_max", exact=True).last.press("Enter")
    assert names.last.text_content() == "Jürgen 28"  # wrong comes before open
    page.get_by_label("Show students whose name has").fill("JÜRGEN 2")
    assert names.count() == 11
    page.close()
