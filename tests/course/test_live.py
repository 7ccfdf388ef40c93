"""A slider draws its figure anew, and a page without a kernel still has the first one."""

import re

import pytest
from ipywidgets import FloatSlider, IntSlider

from utils import plotting
from utils.figures.style import keep_pictures
from utils.live import WIDGET, live, sliders_over_figure


def straight(slope=1.0, shift=2):
    """Show a line."""
    line = {f"slope {slope}, shifted by {shift}": (slope, shift)}
    plotting.points_and_lines([0, 1, 2], [0, 1, 2], line)


RANGES = {"slope": (-2.0, 2.0, 0.25), "shift": (0, 5, 1)}


def test_moving_a_slider_draws_the_figure_of_the_new_values():
    box, _, about = sliders_over_figure(straight, RANGES)
    slope, shift, _, place = box.children
    assert "slope 1.0, shifted by 2" in about["alt"] and about["alt"] in place.value
    before = place.value
    slope.value = -0.5
    shift.value = 4
    assert place.value != before
    assert "slope -0.5, shifted by 4" in place.value


def test_the_sliders_have_the_ranges_and_kinds_of_their_arguments():
    box, _, _ = sliders_over_figure(straight, RANGES)
    slope, shift, *_ = box.children
    assert type(slope) is FloatSlider and type(shift) is IntSlider
    assert (slope.min, slope.max, slope.step, slope.readout_format) == (-2, 2, 0.25, ".2f")
    assert (slope.description, shift.description) == ("slope", "shift")


def test_a_slider_may_begin_at_either_end_of_its_range():
    box, _, _ = sliders_over_figure(straight, {"slope": (1.0, 2.0, 0.25), "shift": (0, 2, 1)})
    assert [slider.value for slider in box.children[:2]] == [1.0, 2]


def test_the_first_figure_is_shown_beside_the_widget_for_pages_without_a_kernel(monkeypatch):
    shown = []
    monkeypatch.setattr("utils.live.display", lambda *data, **about: shown.append((data, about)))
    live(straight, **RANGES)
    [([bundle], about)] = shown
    assert set(bundle) == {WIDGET, "image/png", "text/plain"}
    with keep_pictures() as alone:
        straight()
    assert bundle["image/png"] == alone[0][0]
    assert about["metadata"]["image/png"]["alt"] == bundle["text/plain"]


def test_an_error_while_sliding_is_shown_in_the_place_of_the_figure():
    def picky(rate=1.0):
        if rate > 1:
            raise ZeroDivisionError("too <fast>")
        straight()

    box, _, _ = sliders_over_figure(picky, {"rate": (0.0, 2.0, 0.5)})
    slider, _, place = box.children
    slider.value = 2.0
    assert place.value == "<pre>ZeroDivisionError: too &lt;fast&gt;</pre>"
    slider.value = 0.5
    assert place.value.startswith("<img")


def test_figures_are_shown_again_after_an_error_inside():
    with pytest.raises(ZeroDivisionError), keep_pictures():
        raise ZeroDivisionError
    with keep_pictures() as outer:
        with keep_pictures() as inner:
            straight()
        straight(2.0)
    assert len(inner) == len(outer) == 1


def nothing(rate=1.0):
    """Show no figure."""


def two_figures(rate=1.0):
    """Show two figures."""
    straight()
    straight()


def without_default(rate):
    """Has no default."""


@pytest.mark.parametrize(
    "draw, ranges, phrase",
    [
        (straight, {"slope": (0, 1, 1)}, "arguments are slope, shift; ranges are given for slope"),
        (nothing, {"rate": (0.0, 2.0, 1.0)}, "nothing has to show one figure, and it shows 0"),
        (two_figures, {"rate": (0.0, 2.0, 1.0)}, "has to show one figure, and it shows 2"),
        (nothing, {"rate": (2.0, 3.0, 1.0)}, "default of rate, 1.0, lies outside its range, 2.0"),
        (without_default, {"rate": (0, 1, 1)}, "rate of without_default needs a default"),
        (lambda: None, {}, "its arguments are none"),
    ],
)
def test_what_cannot_be_slid_is_said(draw, ranges, phrase):
    with pytest.raises(ValueError, match=re.escape(phrase)):
        live(draw, **ranges)
