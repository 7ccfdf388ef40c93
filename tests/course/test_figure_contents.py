"""What the figures draw: the right value at the right place, and models left as they were."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import nn

from utils import plotting

LINE = torch.linspace(0, 1, 20)


# ------------------------------------------------------------------------------ regions and maps
def drawn_on(function, *arguments, panels=1, **keywords):
    """The axes, one or a list, that a figure function drew on."""
    axes = Figure().subplots(1, panels, squeeze=False)[0].tolist()
    return function(*arguments, ax=axes if panels > 1 else axes[0], **keywords)


def shade_at(ax, x, y):
    """The value, or the colour, that a map shows at a place."""
    (image,) = ax.images
    left, right, low, high = image.get_extent()
    values = np.asarray(image.get_array())
    assert image.origin == "lower"
    row = round((y - low) / (high - low) * (len(values) - 1))
    return values[row, round((x - left) / (right - left) * (values.shape[1] - 1))]


def test_softmax_maps_have_y1_along_the_x_axis_and_y2_along_the_y_axis():
    first, second, third = drawn_on(plotting.softmax_map, 0, 15, panels=3)
    assert shade_at(first, 15, 0) > 0.999 and shade_at(first, 0, 15) < 0.001
    assert shade_at(second, 0, 15) > 0.999 and shade_at(second, 15, 0) < 0.001
    assert shade_at(third, 0, 0) > 0.998, "y3 = 7.5 leads where the others are 0"
    assert shade_at(first, 10, 10) == pytest.approx(shade_at(second, 10, 10), abs=0.02)
    assert (first.get_xlabel(), first.get_ylabel()) == ("y₁", "y₂")


def linear_network(weight, bias):
    """A linear layer (2 -> k) of these weights (k, 2), after dropout and batch norm."""
    network = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2), nn.Linear(2, len(weight)))
    with torch.no_grad():
        network[2].weight.copy_(torch.tensor(weight))
        network[2].bias.copy_(torch.tensor(bias))
    return network


SQUARE = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], requires_grad=True)


def test_one_logit_is_drawn_as_the_probability_of_class_1():
    network = linear_network([[0.0, 4.0]], [0.0])
    labels = torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    ax = drawn_on(plotting.decision_regions, network, SQUARE, labels)
    assert shade_at(ax, 0.9, 1) > 0.95 and shade_at(ax, 0.9, -1) < 0.05
    assert shade_at(ax, -0.9, 0) == pytest.approx(0.5, abs=0.03)
    points = [collection.get_offsets() for collection in ax.collections[-2:]]
    assert (points[0][:, 1] == -1).all() and (points[1][:, 1] == 1).all()


def test_several_logits_are_drawn_in_the_colour_of_the_largest():
    network = linear_network([[4.0, 0.0], [-4.0, 0.0], [0.0, 6.0]], [0.0, 0.0, 0.0])
    ax = drawn_on(plotting.decision_regions, network, SQUARE, torch.tensor([0, 1, 2, 2]))
    right, left, top = shade_at(ax, 1, -0.5), shade_at(ax, -1, -0.5), shade_at(ax, 0, 1)
    assert right.argmax() == 2 and left.argmax() == 0 and top.argmax() == 1  # blue, red, green
    assert shade_at(ax, 0, 1).sum() < shade_at(ax, 0, 0.05).sum(), "deeper where surer"


def test_a_function_gives_probabilities_and_a_model_logits():
    network = linear_network([[0.0, 4.0]], [0.0]).eval()
    drawn = [
        drawn_on(plotting.decision_regions, model, SQUARE, torch.arange(4) % 2)
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
    drawn_on(plotting.decision_regions, network, SQUARE, torch.arange(4) % 2)
    assert [module.training for module in network] == [True, False, True] and network.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.filterwarnings("error")
def test_a_model_that_sees_one_class_everywhere_is_drawn_without_a_line():
    for bias in ([9.0], [9.0, 0.0, 0.0]):
        network = linear_network([[0.0, 0.0]] * len(bias), bias)
        labels = torch.arange(4) % 2
        assert drawn_on(plotting.decision_regions, network, SQUARE, labels)
    network = linear_network([[0.0, 0.0]], [torch.nan])
    with pytest.raises(ValueError, match="NaN or infinite"):
        drawn_on(plotting.decision_regions, network, SQUARE, labels)


# ----------------------------------------------------------------------- what the pictures must say
def test_a_confusion_matrix_has_a_row_for_each_true_class():
    true, predicted = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 1, 1, 1, 0])
    ax = drawn_on(plotting.confusion_matrix, true, predicted, ["a", "b", "c"])
    counts = {text.get_position(): text.get_text() for text in ax.texts}
    assert counts[1, 0] == "2", "two of the true class a (row 0) were taken for b (column 1)"
    assert counts[0, 2] == "1" and counts[0, 1] == "0" and counts[1, 1] == "1"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    for wrong in (torch.rand(5, 3), torch.arange(4)):
        with pytest.raises(ValueError, match="logits.argmax"):
            drawn_on(plotting.confusion_matrix, true, wrong, ["a", "b", "c"])
    with pytest.raises(ValueError, match="other than 0 to 1"):
        drawn_on(plotting.confusion_matrix, true, predicted, ["a", "b"])


def test_the_sum_of_the_contributions_is_the_prediction():
    network = nn.Sequential(nn.Linear(1, 4), nn.Sigmoid(), nn.Linear(4, 1))
    head = network[2]
    ax = drawn_on(
        plotting.weighted_sum,
        *(LINE, network[:2](LINE[:, None]), head.weight, head.bias),
    )
    (total,) = [line for line in ax.lines if line.get_label() == "sum = prediction"]
    np.testing.assert_allclose(
        total.get_ydata(), network(LINE[:, None]).detach().flatten(), atol=1e-6
    )


def test_residuals_join_each_point_with_its_prediction():
    ax = drawn_on(plotting.fit_with_residuals, LINE.flip(0), LINE, LINE**2)
    for segment, x, y in zip(ax.collections[0].get_segments(), LINE.flip(0), LINE, strict=True):
        np.testing.assert_allclose(segment, [[x, y**2], [x, y]], rtol=1e-6)
    assert (np.diff(ax.lines[-1].get_xdata()) > 0).all(), "the curve runs from left to right"
    ax = drawn_on(plotting.residuals, LINE**2, LINE[:, None])
    np.testing.assert_allclose(ax.collections[0].get_offsets().data[:, 1], LINE - LINE**2)


def test_the_best_epoch_is_that_of_the_least_held_out_loss():
    history = SimpleNamespace(
        loss=np.array([3.0, 2.0, 1.0, 0.5]), validation_loss=np.array([3.0, 2.2, 2.1, 2.6])
    )
    ax = drawn_on(plotting.loss_curves, history, best=True)
    (star,) = [line for line in ax.lines if line.get_label() == "best epoch"]
    assert (star.get_xdata(), star.get_ydata()) == (3, 2.1)


def test_mistaken_points_are_ringed_by_what_they_are_taken_for():
    ax = drawn_on(
        plotting.scatter_by_group,
        *(torch.arange(4.0), torch.zeros(4), torch.tensor([0, 0, 1, 1]), ["a", "b"]),
        predicted=torch.tensor([0, 1, 1, 1]),
    )
    (ring,) = [shown for shown in ax.collections if shown.get_label().startswith("taken for")]
    assert ring.get_label() == "taken for b"
    assert ring.get_offsets().tolist() == [[1.0, 0.0]]


def test_infinite_values_leave_a_gap_in_a_curve():
    ax = drawn_on(plotting.curves, LINE, {"log": LINE.log()})
    assert np.isnan(ax.lines[0].get_ydata()[0]) and np.isfinite(ax.lines[0].get_ydata()[1:]).all()
    (cross,) = [line for line in ax.lines if line.get_marker() == "X"]
    assert cross.get_xdata() == [LINE[1].item()], "a cross where it becomes infinite"


def test_curves_that_only_cross_are_equally_wide():
    pair = {"up": LINE, "down": 1 - LINE}
    for nested, number_of_widths in [(True, 2), (False, 1)]:
        ax = drawn_on(plotting.curves, LINE, pair, nested=nested)
        widths = {line.get_linewidth() for line in ax.lines if line.get_label() in pair}
        assert len(widths) == number_of_widths


def test_counts_are_readable_on_every_shade():
    for right in range(0, 101, 2):
        true, predicted = torch.zeros(100, dtype=torch.int64), (torch.arange(100) >= right).long()
        ax = drawn_on(plotting.confusion_matrix, true, predicted, ["a", "b"])
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


def test_a_setting_is_drawn_with_the_median_of_its_seeds():
    ax = drawn_on(plotting.seed_strip, {"a": torch.tensor([1.0, 5, 2]), 8: [3.0]}, "x")
    medians = [line.get_xdata().item() for line in ax.lines if line.get_marker() == "|"]
    assert medians == [2, 3]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "8"]
    assert ax.yaxis_inverted(), "the first setting on top"


def test_error_bars_reach_one_sigma_to_either_side():
    x, y, sigma = torch.tensor([[1.0, 2.0], [5.0, 3.0], [0.5, 2.0]])
    ax = drawn_on(plotting.points_and_lines, x, y, {"flat": (0, 4)}, sigma=sigma)
    (bars,) = ax.collections
    ends = [bar[:, 1].tolist() for bar in bars.get_segments()]
    assert ends == [[4.5, 5.5], [1.0, 5.0]]
    (line,) = [line for line in ax.lines if line.get_label() == "flat"]
    assert line.get_ydata().tolist() == [4, 4]
