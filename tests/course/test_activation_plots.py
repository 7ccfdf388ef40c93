"""What the maps of units show: the right value at the right place, the line where s is 0."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from utils import plotting
from utils.figures.units import middles, plane, zero_line


def drawn_on(function, *arguments, panels=1, **keywords):
    """The axes, one or a list, that a figure function drew on."""
    axes = Figure().subplots(1, panels, squeeze=False)[0].tolist()
    return function(*arguments, ax=axes if panels > 1 else axes[0], **keywords)


def value_at(ax, x, y):
    """The value that a map shows at a place."""
    (image,) = ax.images
    left, right, low, high = image.get_extent()
    values = np.asarray(image.get_array())
    row = int((y - low) / (high - low) * len(values))
    return values[row, int((x - left) / (right - left) * values.shape[1])]


def test_the_plane_is_filled_evenly_from_the_lower_left_row_by_row():
    points = plane(3, steps=6)
    assert points.shape == (36, 2)
    assert points[:2].tolist() == [[-2.5, -2.5], [-1.5, -2.5]] and points[-1].tolist() == [2.5, 2.5]
    assert middles(1, 2).tolist() == [-0.5, 0.5]


@pytest.mark.parametrize("w, b", [([0.0, 2.0], -1.0), ([2.0, 1.0], 1.0), ([-1.5, 0.5], 2.0)])
def test_the_line_is_where_s_is_0_and_the_arrow_stands_upright_on_it(w, b):
    ends = zero_line(w, b, reach=3)
    assert ends @ np.array(w) + b == pytest.approx([0, 0])
    foot = ends.mean(axis=0)
    assert foot == pytest.approx(-b * np.array(w) / np.dot(w, w))
    assert np.dot(ends[1] - ends[0], w) == pytest.approx(0)
    assert np.hypot(*(ends[1] - ends[0])) >= 2 * 3 * 2**0.5, "long enough to cross the square"


def test_without_weights_there_is_no_line():
    assert zero_line([0.0, 0.0], 1.0, reach=3) is None
    ax = drawn_on(plotting.response_map, [0, 0], 1.0, torch.tanh, "tanh")
    assert value_at(ax, 1, -2) == pytest.approx(np.tanh(1.0))
    assert "s = 0" not in [line.get_label() for line in ax.lines]


def test_a_response_map_shows_the_unit_itself_with_x1_to_the_right_and_x2_upwards():
    w, b = torch.tensor([2.0, 1.0], requires_grad=True), torch.tensor(1.0)
    ax = drawn_on(plotting.response_map, w, b, torch.tanh, "tanh")
    for x1, x2 in [(1.0, -2.5), (-1.0, 1.2), (-0.4, -0.2)]:
        assert value_at(ax, x1, x2) == pytest.approx(np.tanh(2 * x1 + x2 + 1), abs=0.07)
    arrow = next(text for text in ax.texts if text.arrow_patch is not None)
    assert arrow.xyann == pytest.approx((-0.4, -0.2)) and arrow.xy == pytest.approx((1.6, 0.8))
    assert ax.get_title() == "w = [2, 1], b = 1", "the bias in words is the bias in the code"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x₁", "x₂")


def test_six_maps_share_one_colour_scale():
    functions = {"A": torch.sigmoid, "B": torch.tanh, "C": torch.relu}
    functions |= {"D": torch.sin, "E": torch.cos, "F": torch.abs}
    axes = drawn_on(plotting.six_maps, functions, [2.0, 1.0], 0.0, panels=6)
    limits = {
        (ax.images[0].norm.vmin, ax.images[0].norm.vcenter, ax.images[0].norm.vmax) for ax in axes
    }
    assert len(limits) == 1
    assert [ax.get_title() for ax in axes] == list("ABCDEF")
    assert value_at(axes[0], -1.9, -1.9) == pytest.approx(0, abs=0.01)
    assert value_at(axes[1], -1.9, -1.9) == pytest.approx(-1, abs=0.01)


def test_the_histograms_of_the_nodes_count_every_point_of_the_plane_once():
    points = plane(3)
    sums = {"right": points[:, 0], "up": -2 * points[:, 1], "both": points.sum(dim=1)}
    axes = drawn_on(plotting.node_by_node, sums, torch.tanh, "tanh", panels=6, reach=3)
    for below in axes[3:]:
        assert sum(bar.get_height() for bar in below.patches) == pytest.approx(100)
    assert value_at(axes[0], 2, -2) > 0.9 > -0.9 > value_at(axes[0], -2, 2)


def test_plane_maps_draw_a_line_along_the_border_only():
    points = plane(2)
    maps = {"left": points[:, 0] < 0, "up": points[:, 1:] > 0, "none": points[:, 0] > 9}
    maps = {name: values.float() for name, values in maps.items()}
    axes = drawn_on(plotting.plane_maps, maps, panels=3)
    assert value_at(axes[0], -1, 1) == 1 and value_at(axes[0], 1, 1) == 0
    assert value_at(axes[1], 1, 1) == 1 and value_at(axes[1], 1, -1) == 0
    lines = [ax.collections for ax in axes]
    assert len(lines[0]) == len(lines[1]) == 1 and not lines[2]
    (path,) = lines[0][0].get_paths()
    assert np.abs(path.vertices[:, 0]).max() < 0.02, "the border is x1 = 0"
