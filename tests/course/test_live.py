"""A slider draws its figure anew, and a page without a kernel still has the first one."""

import base64
import io
import re

import pytest
from ipywidgets import FloatSlider, IntSlider, Play, SelectionSlider
from PIL import Image

from utils import plotting
from utils.figures.style import keep_pictures
from utils.live import (
    FRAMES,
    FRAMES_WANTED,
    WIDGET,
    choose,
    frames,
    live,
    picture_of,
    positions,
    sliders_over_figure,
)


def straight(slope=1.0, shift=2):
    """Show a line."""
    line = {f"slope {slope}, shifted by {shift}": (slope, shift)}
    plotting.points_and_lines([0, 1, 2], [0, 1, 2], line)


RANGES = {"slope": (-2.0, 2.0, 0.25), "shift": (0, 5, 1)}


def test_moving_a_slider_draws_the_figure_of_the_new_values():
    box, first = sliders_over_figure(straight, RANGES)
    slope, shift, _, place = box.children
    assert "slope 1.0, shifted by 2" in first.about["alt"] and first.about["alt"] in place.value
    before = place.value
    slope.value = -0.5
    shift.value = 4
    assert place.value != before
    assert "slope -0.5, shifted by 4" in place.value


def test_the_sliders_have_the_ranges_and_kinds_of_their_arguments():
    box, _ = sliders_over_figure(straight, RANGES)
    slope, shift, *_ = box.children
    assert type(slope) is FloatSlider and type(shift) is IntSlider
    assert (slope.min, slope.max, slope.step, slope.readout_format) == (-2, 2, 0.25, ".2f")
    assert (slope.description, shift.description) == ("slope", "shift")


def test_a_list_gives_the_values_to_choose_from():
    def named(kind="flat", slope=2):
        straight({"flat": 0.0, "steep": 3.0}[kind] + slope)

    box, first = sliders_over_figure(named, {"kind": ["flat", "steep"], "slope": [2, 4, 8]})
    kind, slope, _, place = box.children
    assert type(kind) is SelectionSlider and kind.options == ("flat", "steep")
    kind.value, slope.value = "steep", 8
    assert "slope 11.0" in place.value and "slope 2.0" in first.about["alt"]


def test_a_play_button_runs_through_the_first_argument_from_where_it_stands():
    box, _ = sliders_over_figure(straight, RANGES, play=True)
    play, slope, shift, _, place = box.children
    assert type(play) is Play and (play.min, play.max, play.value) == (0, 16, 12)
    play.value = 13
    assert slope.value == 1.25 and "slope 1.25" in place.value
    slope.value = -2.0
    assert play.value == 0
    play.value = 16
    assert slope.value == 2.0 and shift.value == 2


def test_moved_figures_keep_the_places_of_their_axes():
    def wide(lines=1):
        plotting.points_and_lines([0, 1], [0, 10**lines], {"l" * lines: (0, 0)})

    _, first = sliders_over_figure(wide, {"lines": (1, 9, 1)})
    moved = picture_of(wide, {"lines": 5}, first)
    alone = picture_of(wide, {"lines": 5})
    assert [place.bounds for place in moved.places] == [place.bounds for place in first.places]
    assert alone.places[0].x0 > first.places[0].x0 + 0.02


def test_a_moved_figure_is_drawn_in_every_dot_as_the_first_one_was():
    first = picture_of(straight, {})
    again = picture_of(straight, {}, first)
    dots = [Image.open(io.BytesIO(each.png)).convert("RGB") for each in (first, again)]
    assert dots[0].size == dots[1].size and dots[0].tobytes() == dots[1].tobytes()


# ------------------------------------------------------------------- where no kernel runs
def values_of(drawn, name):
    [control] = [control for control in drawn["controls"] if control["name"] == name]
    return control["values"], control["start"]


def test_frames_are_drawn_at_all_positions_of_the_sliders_the_last_fastest():
    ranges = {"slope": (0.5, 1.0, 0.25), "shift": [0, 2]}
    drawn = frames(straight, ranges, play=True)
    assert drawn["play"] is True
    assert values_of(drawn, "slope") == (["0.50", "0.75", "1.00"], 2)
    assert values_of(drawn, "shift") == (["0", "2"], 1)
    said = [frame["alt"] for frame in drawn["frames"]]
    expected = [(slope, shift) for slope in (0.5, 0.75, 1.0) for shift in (0, 2)]
    for text, (slope, shift) in zip(said, expected, strict=True):
        assert f"slope {slope}, shifted by {shift}" in text
    pictures = [base64.b64decode(frame["picture"]) for frame in drawn["frames"]]
    assert len(set(pictures)) == 6
    picture = Image.open(io.BytesIO(pictures[0]))
    assert picture.format == "WEBP" and picture.width == pytest.approx(1.6 * drawn["width"], 0.01)


@pytest.mark.parametrize(
    "ranges, counts",
    [
        ({"a": (0, 1000, 20)}, [41]),
        ({"a": (0, 40, 1)}, [41]),
        ({"a": (0.0, 1.0, 0.05), "b": (0, 30, 1)}, [11, 11]),
        ({"a": (-2.0, 2.0, 0.5), "b": (-2.0, 2.0, 0.5), "c": (-2.0, 2.0, 0.5)}, [5, 5, 5]),
    ],
)
def test_too_many_positions_are_thinned_and_both_ends_and_the_start_stay(ranges, counts):
    starts = {name: high for name, (low, high, step) in ranges.items()}
    chosen = choose({name: positions(values) for name, values in ranges.items()}, starts)
    assert [len(values) for values in chosen.values()] == counts
    for name, (low, high, _) in ranges.items():
        assert chosen[name][0] == low and chosen[name][-1] == high
    [*_, last] = ranges
    starts[last] = positions(ranges[last])[1]
    assert starts[last] in choose({n: positions(r) for n, r in ranges.items()}, starts)[last]


def test_fewer_frames_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(FRAMES_WANTED, "9")
    values = {"slope": positions((0.0, 1.0, 0.05)), "shift": positions((0, 30, 1))}
    assert choose(values, {"slope": 1.0, "shift": 0}) == {
        "slope": [0, 0.5, 1],
        "shift": [0, 15, 30],
    }


def test_an_error_at_one_position_leaves_the_other_frames():
    def picky(rate=1):
        if rate == 2:
            raise ZeroDivisionError("too fast")
        straight()

    first, second, third = frames(picky, {"rate": (1, 3, 1)}, play=False)["frames"]
    assert second == {"error": "ZeroDivisionError: too fast"}
    assert first["picture"] == third["picture"]


def test_frames_are_brought_along_only_where_they_are_wanted(monkeypatch):
    shown = []
    monkeypatch.setattr("utils.live.display", lambda data, **about: shown.append(data))
    live(straight, slope=(0.0, 1.0, 1.0), shift=[2])
    monkeypatch.setenv(FRAMES_WANTED, "125")
    live(straight, slope=(0.0, 1.0, 1.0), shift=[2])
    assert FRAMES not in shown[0] and len(shown[1][FRAMES]["frames"]) == 2


def test_a_slider_may_begin_at_either_end_of_its_range():
    box, _ = sliders_over_figure(straight, {"slope": (1.0, 2.0, 0.25), "shift": (0, 2, 1)})
    assert [slider.value for slider in box.children[:2]] == [1.0, 2]


def test_the_first_figure_is_shown_beside_the_widget_for_pages_without_a_kernel(monkeypatch):
    shown = []
    monkeypatch.setattr("utils.live.display", lambda *data, **about: shown.append((data, about)))
    live(straight, **RANGES)
    [([bundle], about)] = shown
    assert set(bundle) == {WIDGET, "image/png", "text/plain"}
    with keep_pictures() as alone:
        straight()
    assert bundle["image/png"] == alone[0].png
    assert about["metadata"]["image/png"]["alt"] == bundle["text/plain"]


def test_an_error_while_sliding_is_shown_in_the_place_of_the_figure():
    def picky(rate=1.0):
        if rate > 1:
            raise ZeroDivisionError("too <fast>")
        straight()

    box, _ = sliders_over_figure(picky, {"rate": (0.0, 2.0, 0.5)})
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
        (
            straight,
            {"slope": [2.0, 3.0], "shift": [2]},
            "default of slope, 1.0, is none of its values",
        ),
        (lambda: None, {}, "its arguments are none"),
    ],
)
def test_what_cannot_be_slid_is_said(draw, ranges, phrase):
    with pytest.raises(ValueError, match=re.escape(phrase)):
        live(draw, **ranges)
