"""What the figures draw that move under a slider: borders, thresholds, markers, gradients."""

import numpy as np
import pytest
import torch
from drawn import (
    arrows_of,
    axis_labels,
    bars_of,
    draw,
    legend_of,
    lines_of,
    network_of,
    places_of,
    shows,
    ticks_of,
)
from numpy.testing import assert_allclose
from torch import nn

from utils import diagrams, plotting
from utils.figures.chain import BACK
from utils.figures.decisions import kink

POINTS = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]], requires_grad=True)
LABELS = torch.tensor([0, 0, 1, 1])


def border_of(ax):
    """Return the points of the line where the probability has its threshold."""
    (border,) = ax.collections
    return border.get_paths()[0].vertices


# ---------------------------------------------------------------------------- borders and kinks
def test_each_unit_has_its_kink_line_and_a_unit_that_is_0_at_all_points_is_dead():
    # Units 2 and 3 have the same line; only unit 2 looks away from all points.
    W, b = [[1.0, 2.0], [-1.0, 0.0], [1.0, 0.0]], [-1.0, -1.5, 1.5]
    network = network_of(nn.ReLU(), W, b, [[1.0, 1.0, 1.0]], [-1.0])
    ax = draw(plotting.kink_lines, network, POINTS, LABELS, "after 2 epochs")
    lines = lines_of(ax)
    named = ["unit 1: active", "unit 2: dead", "unit 3: active"]
    for name, w, bias in zip(named, W, b, strict=True):
        assert_allclose(lines[name] @ w + bias, 0, atol=1e-6)
        assert (abs(lines[name]).max(axis=1) > 1).all(), "from end to end of the plane"
    assert lines["class 0"].tolist() == POINTS[:2].tolist()
    assert lines["class 1"].tolist() == POINTS[2:].tolist()
    assert sorted(legend_of(ax)) == sorted([*named, "class 0", "class 1", "probability 0.50"])
    assert ax.get_title("left") == "after 2 epochs" and axis_labels(ax) == ("x₁", "x₂")


def test_the_ground_is_the_probability_and_the_border_bends_on_the_kink():
    network = network_of(nn.ReLU(), [[1.0, 0.0]], [0.0], [[4.0]], [-1.0])
    with torch.no_grad():
        network[0].weight[0, 1] = 2.0  # s = x1 + 2 x2
    ax = draw(plotting.kink_lines, network, POINTS, LABELS)
    places = [(-1.0, -0.8), (0.3, 0.1), (1.2, 0.9), (-1.1, 1.0)]
    shows(ax, lambda x, y: 1 / (1 + np.exp(1 - 4 * max(x + 2 * y, 0))), places)
    assert_allclose(border_of(ax) @ [1, 2], 0.25, atol=1e-3)


def test_the_axes_stay_where_they_are_whatever_the_network_says():
    limits = []
    for bias in (-50.0, 0.3, 50.0):
        network = network_of(nn.ReLU(), [[1.0, 1.0]], [bias], [[1.0]], [0.1])
        ax = draw(plotting.kink_lines, network, POINTS, LABELS)
        limits.append([*ax.get_xlim(), *ax.get_ylim(), *ax.images[0].get_clim()])
    assert limits[0] == limits[1] == limits[2]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    draw(plotting.kink_lines, network, POINTS, LABELS)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_a_kink_reaches_across_a_plane_that_does_not_lie_around_the_origin():
    left, right = kink(np.array([0.0, 3.0]), -1.5, (20.0, 60.0, -1.0, 1.0))[0]
    assert min(left, right) < 20 and max(left, right) > 60


# ----------------------------------------------------------------------------------- threshold
def up(places):
    """The probability of class 1 grows with x2: 0.5 at 0, 0.88 at 1."""
    return torch.sigmoid(2 * torch.as_tensor(places)[:, 1])


@pytest.mark.parametrize(
    ("threshold", "missed", "alarms"),
    [
        (0.5, [[-1, -0.5]], [[1, 0.5]]),
        (0.1, [], [[0, -1], [1, 0.5]]),
        (0.9, [[-1, -0.5], [0, 1]], []),
    ],
)
def test_the_threshold_moves_the_border_and_rings_what_it_gets_wrong(threshold, missed, alarms):
    x = torch.tensor([[0.0, -1.0], [1.0, 0.5], [-1.0, -0.5], [0.0, 1.0]])
    ax = draw(plotting.threshold_mistakes, up, x, [0, 0, 1, 1], threshold)
    assert_allclose(border_of(ax)[:, 1], np.log(threshold / (1 - threshold)) / 2, atol=2e-3)
    lines = lines_of(ax)
    rings = {name.split("\n")[0]: places for name, places in lines.items() if "\n" in name}
    assert rings["missed"].tolist() == missed and rings["false alarms"].tolist() == alarms
    counts = [f"missed\n{len(missed)} of 2", f"false alarms\n{len(alarms)} of 2"]
    assert legend_of(ax) == [f"probability {threshold:.2f}", "class 0", "class 1", *counts]
    assert ax.get_title("left") == f"threshold {threshold:.2f}"
    shows(ax, lambda x, y: 1 / (1 + np.exp(-2 * y)), [(0, -0.9), (0.5, 0.6)])


# --------------------------------------------------------------------------------- temperature
def test_the_temperature_divides_the_logits_before_the_softmax():
    logits = torch.tensor([2.0, -1.0, 3.0])
    for temperature, shares in [(1.0, [0.2654, 0.0132, 0.7214]), (0.5, [0.1192, 0.0003, 0.8805])]:
        ax = draw(plotting.softmax_bars, logits, temperature)
        left, foot, width, height = bars_of(ax).T
        assert_allclose(height, shares, atol=5e-5)
        assert_allclose(left + width / 2, range(3))
        assert not foot.any()
        assert [text.get_text() for text in ax.texts] == [f"{share:.4f}" for share in shares]
        assert ax.get_ylim() == (0, 1.12) and ax.get_title("left") == f"temperature {temperature:g}"
    assert ticks_of(ax.xaxis) == {0: "2 / 0.5 = 4.00", 1: "-1 / 0.5 = -2.00", 2: "3 / 0.5 = 6.00"}


# ---------------------------------------------------------------------------- activations, regions
def test_the_marker_stands_on_both_curves_and_the_tangent_has_the_slope():
    s = torch.linspace(-4, 4, 161, requires_grad=True)
    values = torch.tanh(s)
    (slopes,) = torch.autograd.grad(values.sum(), s)
    for at in (-4.0, 0.5):
        left, right = draw(plotting.activation_and_slope, s, values, slopes, at, "tanh", panels=2)
        curve, tangent, marker, *_ = (line.get_xydata() for line in left.lines)
        slope = 1 - np.tanh(at) ** 2
        assert_allclose(curve[:, 1], np.tanh(curve[:, 0]), atol=1e-6)
        assert_allclose(marker, [[at, np.tanh(at)]], atol=1e-6)
        (x0, y0), (x1, y1) = tangent
        assert (y1 - y0) / (x1 - x0) == pytest.approx(slope, abs=1e-5)
        assert_allclose(tangent.mean(axis=0), marker[0], atol=1e-6)
        assert_allclose(right.lines[1].get_xydata(), [[at, slope]], atol=1e-5)
        assert left.get_xlim() == right.get_xlim() == (-4, 4)
        assert (left.get_ylim(), right.get_ylim()) == ((-2.2, 4.2), (-0.3, 2))
        assert left.get_title("left") == f"φ({at:g}) = {np.tanh(at):.3f}"
        assert right.get_title("left") == f"φ'({at:g}) = {slope:.3f}"
    assert axis_labels(left) == ("s", "activation φ(s)") and right.get_ylabel() == "slope φ'(s)"
    assert left.figure.get_suptitle() == "tanh"


def test_a_selected_region_has_its_border_its_share_and_the_lines_of_its_units():
    points = plotting.plane(2, steps=80)
    W, b = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0.0, -1.0])
    output = torch.sigmoid(20 * points[:, :1])
    ax = draw(plotting.selected_region, output, W, b, "2 units")
    assert_allclose(border_of(ax)[:, 0], 0, atol=0.02)
    first, second = (line.get_xydata() for line in ax.lines[:2])
    assert_allclose(first[:, 0], 0, atol=1e-9)
    assert_allclose(second[:, 1], 0.5)
    assert ax.get_title() == "2 units: 50% selected" and ax.get_xlim() == ax.get_ylim() == (-2, 2)
    assert legend_of(ax) == ["s = 0 of each unit", "output 0.5"]
    shows(ax, lambda x, y: 1 / (1 + np.exp(-20 * x)), [(-1, 1), (1.2, -1.5)])
    none = draw(plotting.selected_region, 0 * output, W, 1.0, "none")
    assert not none.collections and none.get_title() == "none: 0% selected"
    assert none.images[0].get_clim() == ax.images[0].get_clim()


# -------------------------------------------------------------------------- the chain, step by step
SMALL = network_of(nn.Tanh(), [[0.5], [-0.3]], [0.1, 0.2], [[-0.4, 0.8]], [-0.1])


def step_of(step):
    ax = draw(diagrams.chain_step, SMALL, 1.5, 1.0, step)
    return ax, [text for text in places_of(ax) if text]


def gradients_in(texts):
    return [text for text in texts if text.startswith("grad ")]


def test_values_come_node_by_node_and_then_gradients_arrow_by_arrow():
    with torch.no_grad():
        sums = SMALL[0](torch.tensor([1.5])).tolist()
        hidden = SMALL[:2](torch.tensor([1.5])).tolist()
        out = SMALL(torch.tensor([1.5])).item()
    values = dict(zip(["x", "s₁", "s₂", "h₁", "h₂", "ŷ"], [1.5, *sums, *hidden, out], strict=True))
    values["L"] = (out - 1) ** 2
    for step in range(15):
        ax, texts = step_of(step)
        for place, (name, value) in enumerate(values.items()):
            assert f"{name}\n{value:.3f}" in texts if place < step else f"{name}\n?" in texts
        backward = [(end, start) for start, end in arrows_of(ax) if end[0] < start[0]]
        assert len(backward) == max(step - 7, 0)
    assert gradients_in(step_of(7)[1]) == [] and len(gradients_in(texts)) == 9


def test_the_gradients_are_those_of_autograd():
    network = network_of(nn.Tanh(), [[0.7], [-1.3]], [0.4, -0.2], [[1.5, 0.6]], [0.3])
    sums = network[0](torch.tensor([0.8])).detach().requires_grad_()
    hidden = torch.tanh(sums).detach().requires_grad_()
    out = network[2](hidden).detach().requires_grad_()
    ((network(torch.tensor([0.8])) + 1) ** 2).sum().backward()
    ((network[2](hidden) + 1) ** 2).sum().backward(inputs=[hidden])
    ((network[2](torch.tanh(sums)) + 1) ** 2).sum().backward(inputs=[sums])
    ((out + 1) ** 2).sum().backward()
    expected = [*network[0].weight.grad, *network[2].weight.grad[0]]
    expected += [*hidden.grad, *sums.grad, *out.grad]
    ax = draw(diagrams.chain_step, network, 0.8, -1.0, 14)
    shown = gradients_in(text.get_text() for text in ax.texts)
    assert sorted(shown) == sorted(f"grad {value.item():.3f}" for value in expected)


def test_each_step_says_what_it_computes():
    for step, words in [
        (0, "Nothing is known but the parameters, x and y."),
        (2, "forward: s₁ = w₁ x + b₁ = 0.850"),
        (8, "backward: ∂L/∂ŷ = 2 (ŷ - y) = -3.145"),
        (9, "backward: ∂L/∂h₁ = ∂L/∂ŷ · w₃ = 1.258,   ∂L/∂w₃ = ∂L/∂ŷ · h₁ = -2.173"),
        (11, "backward: ∂L/∂s₁ = ∂L/∂h₁ · (1 - h₁²) = 1.258 · 0.522 = 0.657"),
        (13, "backward: ∂L/∂w₁ = ∂L/∂s₁ · x = 0.986"),
    ]:
        assert words in step_of(step)[1]
    assert BACK[0] == ("ŷ", "L"), "the chain rule begins at the loss"


def test_the_drawing_stays_in_place_and_the_network_as_it_was():
    frames = {(ax.get_xlim(), ax.get_ylim()) for ax, _ in map(step_of, (0, 7, 14))}
    assert len(frames) == 1
    assert all(parameter.grad is None for parameter in SMALL.parameters())


def test_another_network_or_step_is_refused_in_a_sentence():
    for arguments, words in [
        ((nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1)), 1, 1, 0), "a 1-2-1 network"),
        ((nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)), 1, 1, 0), "a 1-2-1 network"),
        ((SMALL, 1, 1, 15), "no step 15"),
    ]:
        with pytest.raises(ValueError, match=words):
            draw(diagrams.chain_step, *arguments)
