"""What the figures of classification and of units draw, asked from their artists."""

import numpy as np
import pytest
import torch
from drawn import (
    axis_labels,
    bare_lines,
    bars_of,
    draw,
    legend_of,
    lines_of,
    points_of,
    same,
    show,
    shows,
    ticks_of,
    value_at,
)
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose
from torch import nn

from utils import plotting
from utils.figures.units import middles, plane, zero_line

X = np.array([0.0, 1.0, 3.0, 7.0])
NAN = float("nan")


# --------------------------------------------------------------------------------- classification
def test_logits_stand_on_the_sigmoid():
    logits = {"low": torch.tensor([-2.0], requires_grad=True), "high": 10}
    ax = draw(plotting.logistic_curve, logits)
    x = np.linspace(-11.5, 11.5, 400)
    low, high = 1 / (1 + np.exp(2)), 1 / (1 + np.exp(-10))
    marks = {"low": (-2, low), "high": (10, high)}
    expected = {"threshold 0.5": ([0, 1], [0.5, 0.5]), "sigmoid": (x, 1 / (1 + np.exp(-x)))}
    same(lines_of(ax), expected | marks)
    assert_allclose(bare_lines(ax), [[[-2, 0], [-2, low]], [[10, 0], [10, high]]], rtol=1e-6)
    assert legend_of(ax) == list(expected | marks)
    assert axis_labels(ax) == ("logit", "probability of class 1")
    small = draw(plotting.logistic_curve, {"a": 1.0, "b": -700.0})
    assert np.isfinite(small.lines[1].get_ydata()).all(), "no overflow"
    assert draw(plotting.logistic_curve, {"a": 1.0}).lines[1].get_xdata()[-1] == 6


def test_softmax_maps_have_z0_along_the_x_axis_and_z1_along_the_y_axis():
    panels = draw(plotting.softmax_map, 0, 15, panels=3)
    for number, ax in enumerate(panels):

        def probability(z0, z1, number=number):
            return torch.tensor([z0, z1, 7.5]).softmax(dim=0)[number]

        shows(ax, probability, [(14, 1), (1, 14), (1, 2), (9, 8)], within=0.02)
        (border,) = ax.collections
        for z0, z1 in border.get_paths()[0].vertices[::9]:
            assert abs(probability(z0, z1) - 0.5) < 0.01
        assert ax.get_title("left") == f"class {number}" and ax.get_xlabel() == "z₀"
        assert ax.images[0].get_cmap().name == "Blues", "darker where it is larger"
    assert panels[0].get_ylabel() == "z₁" and not panels[1].get_ylabel()
    flat = draw(plotting.softmax_map, 0, 1, third=20, panels=3)
    assert value_at(flat[2], 0.5, 0.5) > 0.99 and not any(ax.collections for ax in flat)


def linear_network(weight, bias):
    """A linear layer (2 -> k) of these weights (k, 2), after dropout and batch norm."""
    network = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2), nn.Linear(2, len(weight)))
    with torch.no_grad():
        network[2].weight.copy_(torch.tensor(weight))
        network[2].bias.copy_(torch.tensor(bias))
    return network


SQUARE = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], requires_grad=True)
ONE_LOGIT = linear_network([[0.0, 4.0]], [-2.0])  # class 1 above 0.5
THREE = linear_network([[4.0, 0.0], [-4.0, 0.0], [0.0, 6.0]], [0.0, 0.0, 0.0])
FIRST, SECOND = SQUARE[[0, 2]].detach().T, SQUARE[[1, 3]].detach().T


def test_one_logit_is_drawn_as_the_probability_of_class_1():
    labels = torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    names, marked = ["out", "in"], {"here": torch.tensor([0.25, -0.5])}
    ax = draw(plotting.decision_regions, ONE_LOGIT, SQUARE, labels, "a", "b", names, marked)
    places = [(-0.9, 0.9), (0.9, 0.6), (0, 0), (0.5, -0.9)]
    shows(ax, lambda x, y: 1 / (1 + np.exp(2 - 4 * y)), places, within=0.03)
    same(points_of(ax), {"out": FIRST, "in": SECOND})
    border, *_ = ax.collections
    assert_allclose(border.get_paths()[0].vertices[:, 1], 0.5, atol=0.01)
    assert bare_lines(ax)[0].tolist() == [[0.25, -0.5]]
    assert [(text.get_text(), list(text.xy)) for text in ax.texts] == [("here", [0.25, -0.5])]
    assert axis_labels(ax) == ("a", "b") and legend_of(ax) == names
    assert ax.figure.axes[1].get_ylabel() == "probability of in"
    below, _, above = ax.images[0].cmap([0.0, 0.5, 1.0])
    assert below[2] > below[0] and above[0] > above[2] and ax.images[0].get_clim() == (0, 1)
    for points, is_blue in zip(ax.collections[1:], [True, False], strict=True):
        red, _, blue, _ = points.get_facecolor()[0]
        assert (blue > red) == is_blue, "points in the colour of their region"


def test_several_logits_are_drawn_in_the_colour_of_the_largest():
    ax = draw(plotting.decision_regions, THREE, SQUARE, torch.tensor([0, 1, 2, 2]))
    names = ["class 0", "class 1", "class 2"]
    places = [SQUARE[[0]].detach().T, SQUARE[[1]].detach().T, SQUARE[[2, 3]].detach().T]
    same(points_of(ax), dict(zip(names, places, strict=True)))
    dots = [each for each in ax.collections if each.get_label() in names]
    for (x, y), points in zip([(1, -0.5), (-1, -0.5), (0, 0.9)], dots, strict=True):
        pure = points.get_facecolor()[0, :3]
        depth = (1 - value_at(ax, x, y)) / (1 - pure)
        assert_allclose(depth, depth[0]), "the colour of the class, in part"
        assert 0.5 < depth[0] < 0.61
    assert value_at(ax, 0, 1).sum() < value_at(ax, 0, 0.05).sum(), "deeper where surer"
    assert legend_of(ax) == names and len(ax.collections) == 6, "a border each"
    for border in ax.collections[:3]:
        logits = np.sort(border.get_paths()[0].vertices @ [[4.0, -4, 0], [0, 0, 6]])
        assert_allclose(logits[:, -1], logits[:, -2], atol=0.05)


def test_the_plane_reaches_somewhat_further_than_the_points_or_as_far_as_asked():
    for x, edges in [
        (SQUARE, (-2.03, 2.03, -1.16, 1.16)),  # a unit about as long on both axes
        (SQUARE.detach() * torch.tensor([1.0, 100.0]), (-1.16, 1.16, -116, 116)),
        (torch.tensor([[1.0, 5.0], [1.0, 5.0]]), (-0.75, 2.75, 4, 6)),
    ]:
        ax = draw(plotting.decision_regions, ONE_LOGIT, x, [0, 1, 1, 0][: len(x)])
        assert_allclose([*ax.get_xlim(), *ax.get_ylim()], edges, rtol=1e-5)
        assert_allclose(ax.images[0].get_extent(), edges, rtol=1e-5)
    ax = draw(plotting.decision_regions, ONE_LOGIT, SQUARE, [0] * 4, limits=(0, 1, 2, 5))
    assert ax.images[0].get_extent() == [0, 1, 2, 5] and ax.get_ylim() == (2, 5)


def test_a_point_with_a_gap_is_counted():
    x = torch.cat([SQUARE.detach(), torch.tensor([[NAN, 0.0]])])
    arguments = (plotting.decision_regions, ONE_LOGIT, x, [0, 1, 0, 1, 1])
    assert legend_of(draw(*arguments)) == ["class 0", "class 1 (1 of 3 not finite)"]
    assert "class 0, class 1 (1 of 3 not finite) over" in show(*arguments)[1]


def test_a_function_gives_probabilities_and_a_model_logits():
    network = ONE_LOGIT.eval()
    drawn = [
        draw(plotting.decision_regions, model, SQUARE, torch.arange(4) % 2)
        for model in (network, lambda x: network(x).sigmoid(), lambda x: network(x).sigmoid()[:, 0])
    ]
    first, *others = (ax.images[0].get_array() for ax in drawn)
    assert all(np.allclose(first, other) for other in others)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_drawing_regions_leaves_the_model_as_it_was(dtype):
    network = linear_network([[0.0, 4.0]], [0.0]).to(dtype).train()
    network[1].eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    draw(plotting.decision_regions, network, SQUARE, torch.arange(4) % 2)
    assert [module.training for module in network] == [True, False, True] and network.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.filterwarnings("error")
def test_a_model_that_sees_one_class_everywhere_is_drawn_without_a_line():
    for bias in ([9.0], [9.0, 0.0, 0.0]):
        network = linear_network([[0.0, 0.0]] * len(bias), bias)
        ax = draw(plotting.decision_regions, network, SQUARE, [0, 1, 0, 1])
        assert len(ax.collections) == max(2, len(bias)), "the points alone"


def test_a_plane_that_cannot_be_drawn_is_refused_in_a_sentence():
    lost, labels = linear_network([[0.0, 0.0]], [NAN]), [0, 1, 0, 1]
    for arguments, words in [
        ((lost, SQUARE, labels), "NaN or infinite"),
        ((ONE_LOGIT, torch.rand(4, 3), labels), r"shape \(4, 3\), .* two columns, x\[:, :2\]"),
        ((ONE_LOGIT, torch.rand(4), labels), r"shape \(4,\)"),
        ((THREE, SQUARE, labels, "a", "b", ["in", "out"]), "3 classes, the names in, out"),
    ]:
        with pytest.raises(ValueError, match=words):
            draw(plotting.decision_regions, *arguments)


def test_a_confusion_matrix_has_a_row_for_each_true_class():
    true, names = torch.tensor([0, 0, 0, 1, 2, 0]), ["a", "b", "c"]
    for predicted in (torch.tensor([0, 1, 1, 1, 0, 2]), ["a", "b", "b", "b", "a", "c"]):
        ax = draw(plotting.confusion_matrix, true, predicted, names)
        rows = [[1, 2, 1], [0, 1, 0], [1, 0, 0]]
        counts = {text.get_position(): int(text.get_text()) for text in ax.texts}
        assert counts == {(c, r): rows[r][c] for r in range(3) for c in range(3)}
        assert_allclose(ax.images[0].get_array(), [[0.25, 0.5, 0.25], [0, 1, 0], [1, 0, 0]])
        assert ticks_of(ax.xaxis) == ticks_of(ax.yaxis) == dict(enumerate(names))
        assert axis_labels(ax) == ("predicted class", "true class") and ax.yaxis_inverted()
    assert ax.figure.axes[1].get_ylabel() == "share of the true class"
    assert draw(plotting.confusion_matrix, true[:4], true[:4], names), "a class without a sample"
    for wrong in (torch.rand(6, 3), torch.arange(4)):
        with pytest.raises(ValueError, match="logits.argmax"):
            draw(plotting.confusion_matrix, true, wrong, names)


def test_counts_are_readable_on_every_shade():
    for right in (50, 66, 67, 100):
        true, predicted = torch.zeros(100, dtype=torch.int64), (torch.arange(100) >= right).long()
        ax = draw(plotting.confusion_matrix, true, predicted, ["a", "b"])
        (image,) = ax.images
        for text in ax.texts:
            column, row = text.get_position()
            ground = luminance(image.to_rgba(np.asarray(image.get_array()))[row, column, :3])
            ink = luminance(np.array(to_rgb(text.get_color())))
            contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
            assert contrast > 3.5, f"{text.get_text()} of 100"


def luminance(color):
    """Relative luminance of an sRGB colour (3,), 0 to 1, as WCAG 2 defines it."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


# -------------------------------------------------------------------------------- units of a layer
def test_the_first_unit_is_the_first_row_and_x_runs_to_the_right():
    activations = torch.tensor([[1.0, -4.0, 0.5], [2.0, -5.0, 0.0]])  # two inputs, three units
    ax = draw(plotting.activation_grid, torch.tensor([[10.0], [20.0]]), activations)
    for unit in (1, 2, 3):
        shown = [value_at(ax, 12, unit), value_at(ax, 18, unit)]
        assert shown == activations[:, unit - 1].tolist()
    assert ax.get_xlim() == (10, 20) and ax.yaxis_inverted(), "unit 1 on top"
    assert ticks_of(ax.yaxis) == {1: "1", 2: "2", 3: "3"}
    assert ax.images[0].get_clim() == (-5, 5) and ax.images[0].cmap.name == "signs"
    assert axis_labels(ax) == ("x", "hidden unit")
    assert ax.figure.axes[1].get_ylabel() == "activation"


def test_activations_that_are_never_below_zero_are_blue_on_the_whole_scale():
    ax = draw(plotting.activation_grid, X, np.abs(np.outer(X, [1.0, 2.0])))
    low, high = ax.images[0].get_clim()
    assert low == 0 and high == 2 * np.abs(X).max()
    colors = ax.images[0].cmap([0.0, 1.0])
    assert_allclose(colors[0], 1)
    assert colors[1, 2] > 2 * colors[1, 0], "blue"


def test_what_the_units_add_after_an_epoch_and_its_place_on_the_loss_curve():
    x, hidden = torch.linspace(-1, 1, 5), torch.arange(10.0).reshape(5, 2)
    weights, bias = torch.tensor([[2.0, -1.0]]), torch.tensor([0.5])
    drawn = x, hidden, weights, bias, [9.0, 4.0, 1.0, 0.5], 2, (X, X**2)
    left, right = draw(plotting.units_and_loss, *drawn, ylim=(-3, 12), panels=2)
    parts = [hidden[:, 0] * 2, -hidden[:, 1]]
    expected = {"each unit, weighted": (x, parts[0])}
    total = {"sum and bias: the prediction": (x, parts[0] + parts[1] + 0.5)}
    same(lines_of(left), expected | total)
    data, second = bare_lines(left)
    assert_allclose(data, np.column_stack([X, X**2]))
    assert_allclose(second, np.column_stack([x, parts[1]]))
    assert left.get_ylim() == (-3, 12) and left.get_xlim() == (-1, 1)
    curve, mark = bare_lines(right)
    assert_allclose(curve, [[0, 9], [1, 4], [2, 1], [3, 0.5]])
    assert_allclose(mark, [[2, 1]])
    assert right.get_yscale() == "log" and right.get_title() == "epoch 2: loss 1"


def test_the_sum_of_the_weighted_activations_and_the_bias_is_the_prediction():
    network = nn.Sequential(nn.Linear(1, 3), nn.Sigmoid(), nn.Linear(3, 1))
    head, x = network[2], torch.tensor(X, dtype=torch.float32)[:, None]
    with torch.no_grad():
        hidden, expected = network[:2](x), network(x).flatten()
    ax = draw(plotting.weighted_sum, x, hidden, head.weight, head.bias, points=(x, 2 * x))
    weights = head.weight[0].tolist()
    parts = {f"unit {u + 1}, weighted": (X, hidden[:, u] * weights[u]) for u in range(3)}
    bias = {"bias": ([0, 1], [head.bias.item()] * 2)}
    same(lines_of(ax), {"data": (X, 2 * X)} | parts | bias | {"sum = prediction": (X, expected)})
    assert legend_of(ax) == list(lines_of(ax)) and axis_labels(ax) == ("x", "contribution")
    assert ax.lines[0].get_linestyle() == "None"


def test_many_units_share_one_entry_of_the_legend():
    activations, weights = np.outer(X, range(8)), np.array([1, -1] * 4)
    ax = draw(plotting.weighted_sum, X, activations, weights, part="triangle")
    total = (X, (activations * weights).sum(axis=1))
    first = {"each triangle, weighted": (X, 0 * X)}
    same(lines_of(ax), first | {"sum = prediction": total})
    expected = [np.column_stack([X, n * weights[n] * X]) for n in range(1, 8)]
    assert_allclose(bare_lines(ax), expected)


def test_steps_by_hand_add_up_with_the_bias_that_fits_best():
    x, y = np.linspace(-2, 2, 9), np.linspace(-2, 2, 9) ** 2
    ax = draw(plotting.sigmoid_steps, x, y[:, None], [-1, 1], [-6, 4], [5, 3], (-8, 9))
    lines = lines_of(ax)
    grid = np.linspace(-2, 2, 300)
    falls = -6 / (1 + np.exp(-5 * (grid + 1)))
    rises = 4 / (1 + np.exp(-3 * (grid - 1)))
    assert_allclose(lines["step 1, weighted"], np.column_stack([grid, falls]))
    assert_allclose(lines["step 2, weighted"], np.column_stack([grid, rises]))
    bias = lines["bias"][0, 1]
    total = lines["sum = prediction"]
    assert_allclose(total[:, 1], falls + rises + bias)
    residuals = y + 6 / (1 + np.exp(-5 * (x + 1))) - 4 / (1 + np.exp(-3 * (x - 1))) - bias
    assert abs(residuals.mean()) < 1e-9, "no other bias is nearer to the data"
    assert ax.get_title("left") == f"mean squared error {(residuals**2).mean():.1f}"
    other = draw(plotting.sigmoid_steps, x, y, [0, 1], [40, 4], [5, 3], (-8, 9))
    assert ax.get_ylim() == other.get_ylim() == (-8, 9) and ax.get_xlim() == other.get_xlim()


def test_each_activation_function_stands_in_its_panel_with_its_slope():
    s = torch.linspace(-4, 4, 9)
    curves = {f"function {n}": (n * s, (s - n).requires_grad_()) for n in range(10)}
    panels = draw(plotting.gallery, s, curves, panels=10)
    for n, ax in enumerate(panels):
        across, upright, values, slopes = (line.get_xydata() for line in ax.lines)
        assert across[:, 1].tolist() == [0, 0] and upright[:, 0].tolist() == [0, 0]
        assert_allclose(values, np.column_stack([s, n * s]))
        assert_allclose(slopes, np.column_stack([s, s - n]))
        assert ax.get_title() == f"function {n}" and ax.get_xlim() == (-4, 4)
        assert [line.get_linestyle() for line in ax.lines[2:]] == ["-", "--"]
        assert ax.get_ylim() == (-2, 3), "one scale"
    assert list(lines_of(panels[0])) == legend_of(panels[0]) == ["activation φ(s)", "slope φ'(s)"]
    assert panels[7].get_xlabel() == "s"


# ------------------------------------------------------------------------------ maps of the plane
def test_the_plane_is_filled_evenly_from_the_lower_left_row_by_row():
    points = plane(3, steps=6)
    assert points.shape == (36, 2)
    assert points[:2].tolist() == [[-2.5, -2.5], [-1.5, -2.5]] and points[-1].tolist() == [2.5, 2.5]
    assert middles(1, 2).tolist() == [-0.5, 0.5]


@pytest.mark.parametrize("w, b", [([0.0, 2.0], -1.0), ([2.0, 1.0], 1.0), ([-1.5, 0.5], 2.0)])
def test_the_line_is_where_s_is_0_and_long_enough_to_cross_the_square(w, b):
    ends = zero_line(w, b, reach=3)
    assert ends @ np.array(w) + b == pytest.approx([0, 0])
    foot = ends.mean(axis=0)
    assert foot == pytest.approx(-b * np.array(w) / np.dot(w, w))
    assert np.dot(ends[1] - ends[0], w) == pytest.approx(0)
    assert np.hypot(*(ends[1] - ends[0])) >= 2 * 3 * 2**0.5


def test_a_response_map_shows_the_unit_itself_with_x1_to_the_right_and_x2_upwards():
    w, b = torch.tensor([2.0, 1.0], requires_grad=True), torch.tensor(1.0)
    ax = draw(plotting.response_map, w, b, torch.tanh, "tanh")
    for x1, x2 in [(1.0, -2.5), (-1.0, 1.2), (-0.4, -0.2)]:
        assert value_at(ax, x1, x2) == pytest.approx(np.tanh(2 * x1 + x2 + 1), abs=0.07)
    lines = lines_of(ax)
    assert_allclose(lines["s = 0"] @ [2, 1], -1, atol=1e-6)
    assert_allclose(lines["-b w / |w|²"], [[-0.4, -0.2]])
    (arrow,) = ax.texts
    assert arrow.xyann == pytest.approx((-0.4, -0.2)) and arrow.xy == pytest.approx((1.6, 0.8))
    assert ax.get_title() == "w = [2, 1], b = 1", "the bias in words is the bias in the code"
    assert axis_labels(ax) == ("x₁", "x₂") and ax.get_xlim() == ax.get_ylim() == (-3, 3)
    assert legend_of(ax) == ["s = 0", "weights w", "-b w / |w|²"]
    assert ax.figure.axes[1].get_title("left") == "tanh(s)"
    assert ax.images[0].cmap.name == "signs" and ax.images[0].norm(0) == 0.5


def test_full_lines_stand_around_what_is_above_zero_and_dashed_ones_below():
    ax = draw(plotting.response_map, [1.0, 0.0], 0.0, torch.tanh, "tanh")
    (lines,) = ax.collections
    assert lines.levels.tolist() == [-0.5, 0.5]
    below, above = (path.vertices[:, 0] for path in lines.get_paths())
    assert_allclose(below, -np.arctanh(0.5), atol=0.01)
    assert_allclose(above, np.arctanh(0.5), atol=0.01)
    assert lines.linestyles == ["--", "-"]


def test_without_weights_there_is_no_line():
    ax = draw(plotting.response_map, [0, 0], 1.0, torch.tanh, "tanh")
    assert value_at(ax, 1, -2) == pytest.approx(np.tanh(1.0))
    assert not ax.lines and not ax.texts and zero_line([0.0, 0.0], 1.0, reach=3) is None


def test_ten_maps_share_one_colour_scale():
    functions = {"A": torch.sigmoid, "B": torch.tanh, "C": torch.relu, "D": torch.sin}
    functions |= {letter: torch.cos for letter in "EFGHI"} | {"J": torch.abs}
    panels = draw(plotting.ten_maps, functions, [2.0, 1.0], 0.5, panels=10)
    for place, (ax, (letter, function)) in enumerate(zip(panels, functions.items(), strict=True)):
        places = [(-1.9, -1.7), (0.9, -1.2), (-0.3, 1.1)]
        shows(ax, lambda x1, x2, f=function: f(torch.tensor(2 * x1 + x2 + 0.5)), places)
        assert ax.get_title() == letter and ax.get_xlim() == ax.get_ylim() == (-2, 2)
        assert axis_labels(ax) == ("x₁" if place >= 5 else "", "" if place % 5 else "x₂")
        norm = ax.images[0].norm
        assert (norm.vmin, norm.vcenter, norm.vmax) == (-2, 0, 4)
    assert len(panels[1].collections[0].levels) == 6
    assert panels[0].figure.axes[-1].get_ylabel() == "φ(s)"


def test_a_unit_map_shows_as_much_of_the_plane_as_is_asked_for():
    ax = draw(plotting.unit_map, torch.tanh, [0.25, 0.0], 0.0, "Map J", reach=8)
    shows(ax, lambda x1, x2: torch.tanh(torch.tensor(x1 / 4)), [(-7.9, 1), (7.8, -5), (0.6, 7)])
    assert ax.get_xlim() == ax.get_ylim() == (-8, 8) and axis_labels(ax) == ("x₁", "x₂")
    assert (ax.images[0].norm.vmin, ax.images[0].norm.vmax) == (-2, 4), "that of the ten maps"
    assert ax.get_title() == "Map J, from -8 to 8"


def test_the_histograms_of_the_nodes_count_every_point_of_the_plane_once():
    points = plane(3)
    formulas = {"right": lambda x: x[..., 0], "up": lambda x: -2 * x[..., 1]}
    formulas["both"] = lambda x: x.sum(dim=-1)
    sums = {unit: formula(points) for unit, formula in formulas.items()}
    panels = draw(plotting.node_by_node, sums, torch.tanh, "tanh", panels=6, reach=3)
    curves = [ax for ax in panels[0].figure.axes if ax not in panels and ax.lines]
    assert panels[3].get_ylabel() == "% of the plane" and curves[2].get_ylabel() == "tanh(s)"
    for above, below, curve, unit in zip(panels[:3], panels[3:], curves, sums, strict=True):
        formula = formulas[unit]
        shows(above, lambda *x, f=formula: torch.tanh(f(torch.tensor(x))), [(2, -2.2), (-1, 0.2)])
        heights, edges = np.histogram(sums[unit], np.linspace(-6, 6, 31))
        shares = np.column_stack([edges[:-1], heights / 400])  # in percent of 40,000 points
        assert_allclose(bars_of(below)[:, [0, 3]], shares, rtol=1e-6, atol=1e-9)
        drawn = curve.lines[0].get_xydata()
        assert_allclose(drawn[:, 1], np.tanh(drawn[:, 0]), atol=1e-6)
        assert (drawn[0, 0], drawn[-1, 0]) == (-6, 6) == below.get_xlim()
        assert curve.get_ylim() == (-1.1, 1.1)
        assert above.get_title() == unit and below.get_xlabel() == "s"


def test_plane_maps_draw_a_line_along_the_border_only():
    points = plane(2)
    maps = {"left": points[:, 0] < 0, "up": points[:, 1:] > 0, "none": points[:, 0] > 9}
    maps = {name: values.float() for name, values in maps.items()}
    panels = draw(plotting.plane_maps, maps, "answer", panels=3)
    assert value_at(panels[0], -1, 1) == 1 and value_at(panels[0], 1, 1) == 0
    assert value_at(panels[1], 1, 1) == 1 and value_at(panels[1], 1, -1) == 0
    assert [len(ax.collections) for ax in panels] == [1, 1, 0]
    assert [ax.get_title() for ax in panels] == ["left", "up", "none"]
    assert axis_labels(panels[0]) == ("x₁", "x₂") and panels[2].get_xlabel() == "x₁"
    for ax, column in zip(panels, [0, 1], strict=False):
        assert abs(ax.collections[0].get_paths()[0].vertices[:, column]).max() < 0.02


def test_the_scale_of_plane_maps_begins_at_0_where_nothing_is_below():
    points = plane(2)
    halves = points[:, 0] / 2
    for values, border, ends in [(halves, 0.25, (-1, 1)), (halves.abs(), 0.5, (0, 1))]:
        panels = draw(plotting.plane_maps, dict.fromkeys("abc", values), border=border, panels=3)
        (bar,) = set(panels[0].figure.axes) - set(panels)
        assert bar.get_ylim() == ends and bar.get_ylabel() == "output"
        line = abs(panels[2].collections[0].get_paths()[0].vertices[:, 0])
        assert_allclose(line, 2 * border, atol=0.02)
