"""The pages of `course.py grade`, in a browser: they shut nobody out, and need no network."""

from accessibility import violations

from tools.classroom.reports import Class, write_reports

EXERCISES = {"01_tensors": ["min_max", "broadcast"], "02_function_fitting": ["plateau"]}
CELLS = {("01_tensors", "min_max"): "min-max"}


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


def test_axe_finds_no_obstacle_wide_or_narrow(browser, tmp_path):
    for number in range(30):
        (tmp_path / "students" / f"j{number}").mkdir(parents=True)
    write_reports(Class(results(), EXERCISES, CELLS, ["Guarded: all."]), tmp_path)
    for width in (1280, 380):
        context = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 800})
        context.set_offline(True)
        page = context.new_page()
        for path in (tmp_path / "class.html", tmp_path / "students" / "j1" / "index.html"):
            page.goto(path.as_uri())
            assert violations(page) == []
        context.close()
