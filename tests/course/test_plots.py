"""What the figures of curves, points, losses and layers draw, asked from their artists."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn import (
    axis_labels,
    bands_of,
    bare_lines,
    bars_of,
    draw,
    legend_of,
    lines_of,
    points_of,
    same,
    scales_of,
    show,
    ticks_of,
)
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from utils import plotting
from utils.figures.layers import power_of_ten

X = np.array([0.0, 1.0, 3.0, 7.0])
Y, Z = X**2 + 1, 9 - X
NAN = float("nan")


# ----------------------------------------------------------------------------------------- curves
def test_tangents_touch_the_curve_with_the_slopes_given():
    points, slopes = [1.0, -0.5, 1.0], [2.0, -1.0, -3.0]
    ax = draw(plotting.curve_with_tangents, lambda x: x**2, points, slopes, (-1, 2), "t", "height")
    curve, *rest = bare_lines(ax)
    assert_allclose(curve, np.column_stack([np.linspace(-1, 2, 200), curve[:, 0] ** 2]))
    reach = np.array([-3 / 7, 3 / 7])
    for point, slope, ends, touch in zip(points, slopes, rest[::2], rest[1::2], strict=True):
        assert touch.tolist() == [[point, point**2]]
        assert_allclose(ends, np.column_stack([point + reach, point**2 + slope * reach]))
    assert axis_labels(ax) == ("t", "height")
    written = [(each.get_text(), each.xy, each.get_ha(), each.xyann[0]) for each in ax.texts]
    rising, falling = ("right", -14), ("left", 14)  # the number stands where the curve is not
    assert written == [
        ("slope 2", (1, 1), *rising),
        ("slope -1", (-0.5, 0.25), *falling),
        ("slope -3", (1, 1), *falling),
    ]


def test_the_secant_meets_the_curve_twice_and_the_tangent_has_the_slope_given():
    ax = draw(plotting.secant_and_tangent, lambda x: x**2, 1.0, 2.0, 0.5, (-1, 3), "t", "z")
    x, ends = np.linspace(-1, 3, 200), np.array([-1, 3])
    secant, tangent = 1 + 2.5 * (ends - 1), 1 + 2 * (ends - 1)
    named = {"secant, slope 2.50": (ends, secant), "tangent, slope 2.00": (ends, tangent)}
    same(lines_of(ax), named)
    curve, corner, touches = bare_lines(ax)
    assert_allclose(curve, np.column_stack([x, x**2]))
    assert corner.tolist() == [[1, 1], [1.5, 1], [1.5, 2.25]]
    assert touches.tolist() == [[1, 1], [1.5, 2.25]]
    assert ax.get_title("left") == "secant: rise 1.25 / h 0.5 = 2.5"
    assert axis_labels(ax) == ("t", "z") and legend_of(ax) == list(lines_of(ax))


def test_the_axes_stay_while_h_shrinks_to_either_side():
    views = {
        (ax.get_xlim(), ax.get_ylim())
        for ax in [
            draw(plotting.secant_and_tangent, lambda x: x**2, 1.0, 2.0, h, (-1, 3))
            for h in [2, 0.01, -3]
        ]
    }
    ((left_right, (low, high)),) = views
    assert left_right == (-1, 3) and low < 0 and high > 9


def test_errors_of_finite_differences_stand_over_their_steps():
    steps, double = [0.1, 1e-3, 1e-5], [1e-2, 0.0, 1e-11]
    ax = draw(plotting.finite_difference_error, steps, {"float32": Y[:3], "float64": double})
    named = "float64 (1 of 3 not above 0)"
    same(lines_of(ax), {"float32": (steps, Y[:3]), named: (steps, double)})
    assert axis_labels(ax) == ("step size h", "error of the derivative")
    assert scales_of(ax) == ("log", "log") and legend_of(ax) == ["float32", named]


def test_a_curve_ends_in_a_cross_where_it_becomes_infinite():
    log, gap = [-np.inf, 0.0, 1.1, 1.9], [1.0, NAN, 3.0, 4.0]
    ax = draw(plotting.curves, X[:, None], {"log": log, "gap": gap}, "t", "value")
    same(lines_of(ax), {"log": (X, [NAN, *log[1:]]), "gap": (X, gap)})
    log_cross, gap_cross = bare_lines(ax)
    assert log_cross.tolist() == [[1, 0]] and gap_cross.tolist() == [[0, 1], [3, 3]]
    assert axis_labels(ax) == ("t", "value") and legend_of(ax) == ["log", "gap"]
    assert [line.get_marker() for line in ax.lines] == ["None", "X", "None", "X"]


def test_nested_curves_become_thinner_and_the_last_is_opaque():
    three = {"wide": Y, "middle": Y, "thin": Z}
    looks = {True: ([5.5, 3.6, 1.7], [0.5, 0.5, 1]), False: ([2, 2, 2], [1, 1, 1])}
    for nested, (widths, alphas) in looks.items():
        ax = draw(plotting.curves, X, three, nested=nested)
        lines = [line for line in ax.lines if line.get_label() in three]
        assert_allclose([line.get_linewidth() for line in lines], widths)
        assert [line.get_alpha() for line in lines] == alphas


def test_a_line_is_slope_times_x_plus_intercept():
    ax = draw(plotting.points_and_lines, X, Y, {"up": (2, -1), "flat": (0, 4)}, "t", "mass (g)")
    ends = np.array([-0.35, 7.35])
    same(lines_of(ax), {"up": (ends, 2 * ends - 1), "flat": (ends, [4, 4])})
    assert_allclose(bare_lines(ax), [np.column_stack([X, Y])])
    assert ax.lines[0].get_marker() == "o" and ax.lines[0].get_linestyle() == "None"
    assert axis_labels(ax) == ("t", "mass (g)") and legend_of(ax) == ["up", "flat"]


def test_error_bars_reach_one_sigma_to_either_side():
    ax = draw(plotting.points_and_lines, [1.0, 2], [5.0, 3], {"flat": (0, 4)}, sigma=[0.5, 2])
    (bars,) = ax.collections
    assert [bar.tolist() for bar in bars.get_segments()] == [[[1, 4.5], [1, 5.5]], [[2, 1], [2, 5]]]
    assert ax.lines[0].get_xydata().tolist() == [[1, 5], [2, 3]]
    assert sorted(legend_of(ax)) == ["data with σ", "flat"]


def test_a_gap_in_x_moves_no_line():
    ax = draw(plotting.points_and_lines, [0, NAN, 10], [1, 2, NAN], {"up": (1, 0)})
    assert_allclose(lines_of(ax)["up"], [[-0.5, -0.5], [10.5, 10.5]])


def test_before_and_after_are_drawn_as_such():
    ax = draw(plotting.fit_before_after, X[:, None], Y[:, None], Z, Y + 1)
    same(lines_of(ax), {"data": (X, Y), "before training": (X, Z), "after training": (X, Y + 1)})
    assert [line.get_marker() for line in ax.lines] == ["o", "None", "None"]
    assert axis_labels(ax) == ("x", "y") and len(legend_of(ax)) == 3


def test_predictions_stand_beside_their_target_and_the_known_range_is_shaded():
    curves = {"a": Z[:, None], "b": Y - 1}
    ax = draw(plotting.predictions, X[:, None], Y, curves, "t", "height", known=(1, 3))
    same(lines_of(ax), {"target": (X, Y), "a": (X, Z), "b": (X, Y - 1)})
    (known,) = ax.patches
    assert (known.get_x(), known.get_x() + known.get_width()) == (1, 3)
    assert legend_of(ax) == ["trained here", "target", "a", "b"]
    assert axis_labels(ax) == ("t", "height")
    assert not draw(plotting.predictions, X, Y, curves).patches


def test_residuals_join_each_point_with_its_prediction():
    ax = draw(plotting.fit_with_residuals, X[::-1], Y[::-1], Z[::-1, None], "t", "height")
    (residuals,) = ax.collections
    expected = [[[x, z], [x, y]] for x, y, z in zip(X[::-1], Y[::-1], Z[::-1], strict=True)]
    assert_allclose(residuals.get_segments(), expected)
    same(lines_of(ax), {"data": (X[::-1], Y[::-1]), "prediction": (X, Z)})  # from left to right
    assert legend_of(ax) == ["residual", "data", "prediction"]
    assert axis_labels(ax) == ("t", "height")


# ----------------------------------------------------------------------------------------- points
NUMBERS, NAMES = [0, 1, 1, 0], ["lean", "heavy"]
GROUPS = {"lean": (X[[0, 3]], Y[[0, 3]]), "heavy": (X[[1, 2]], Y[[1, 2]])}


@pytest.mark.parametrize(
    "labels", [NUMBERS, torch.tensor(NUMBERS)[:, None].float(), ["lean", "heavy", "heavy", "lean"]]
)
def test_each_point_is_in_its_group_by_number_or_by_name(labels):
    ax = draw(plotting.scatter_by_group, X, Y, labels, NAMES, "depth", "mass", predicted=labels)
    same(points_of(ax), GROUPS)
    assert legend_of(ax) == NAMES and axis_labels(ax) == ("depth", "mass")


def test_on_equal_axes_a_circle_is_round():
    ax = draw(plotting.scatter_by_group, X, Y, NUMBERS, NAMES, equal=True)
    assert ax.get_aspect() == 1
    assert draw(plotting.scatter_by_group, X, Y, NUMBERS, NAMES).get_aspect() == "auto"


def test_mistaken_points_are_ringed_in_the_look_of_what_they_are_taken_for():
    ax = draw(plotting.scatter_by_group, X, Y, NUMBERS, NAMES, predicted=[0, 1, 0, 1])
    rings = {"taken for lean": (X[2], Y[2]), "taken for heavy": (X[3], Y[3])}
    same(points_of(ax), GROUPS | rings)
    *groups, lean, heavy = ax.collections
    for group, ring in zip(groups, [lean, heavy], strict=True):
        assert not len(ring.get_facecolor()), "hollow"
        assert to_hex(group.get_facecolor()[0]) == to_hex(ring.get_edgecolor()[0])
        assert_allclose(group.get_paths()[0].vertices, ring.get_paths()[0].vertices)


@pytest.mark.parametrize(
    "labels", [[1, 2, 1, 2], [-1, 0, 1, 1], [0, 1, NAN, 0], ["lean", "lean", "fat", "heavy"]]
)
def test_a_label_without_a_name_is_refused(labels):
    for figure, arguments in [
        (plotting.scatter_by_group, (X, Y, labels, NAMES)),
        (plotting.scatter_by_group, (X, Y, NUMBERS, NAMES, "x", "y", labels)),
        (plotting.confusion_matrix, (NUMBERS, labels, NAMES)),
        (plotting.decision_regions, (torch.nn.Linear(2, 1), np.c_[X, Y], labels, "", "", NAMES)),
    ]:
        with pytest.raises(ValueError, match=r"lean, heavy; or its number, from 0 to 1\. But"):
            draw(figure, *arguments)


def test_columns_are_spread_in_rows_before_and_after():
    before, after = np.column_stack([X, Y, Z]), np.column_stack([Z, X, Y]) / 10
    left, right = draw(plotting.column_spread, before, after, ["a", "b", "c"], panels=2)
    for ax, values in [(left, before), (right, after)]:
        for row, line in enumerate(bare_lines(ax)):
            assert_allclose(line[:, 0], values[:, row])
            assert (abs(line[:, 1] - row) < 0.3).all() and np.ptp(line[:, 1]) > 0
        assert len(ax.lines) == 3 and ax.yaxis_inverted(), "the first column on top"
    assert ticks_of(left.yaxis) == {0: "a", 1: "b", 2: "c"}
    assert ticks_of(right.yaxis) == {0: "", 1: "", 2: ""}
    assert (left.get_title("left"), right.get_title("left")) == ("before", "after")
    assert left.get_xlabel() == "value in its own unit"
    assert right.get_xlabel() == "standard deviations from the mean"
    again = draw(plotting.column_spread, before, after, ["a", "b", "c"], panels=2)
    assert_allclose(bare_lines(again[0]), bare_lines(left))


def test_residuals_are_target_minus_prediction_over_the_prediction():
    groups = {"first": torch.tensor([True, False, False, False]), "later": [2, 1]}
    ax = draw(plotting.residuals, Z[:, None], Y, groups=groups)
    same(points_of(ax), {"first": (9, -8), "later": (Z[[2, 1]], (Y - Z)[[2, 1]])})
    assert_allclose(bare_lines(ax)[0][:, 1], 0)
    assert legend_of(ax) == ["first", "later"]
    assert axis_labels(ax) == ("prediction", "target - prediction")
    ax = draw(plotting.residuals, Z, Y, "mass", "left over")
    assert_allclose(ax.collections[0].get_offsets(), np.column_stack([Z, Y - Z]))
    assert legend_of(ax) is None and axis_labels(ax) == ("mass", "left over")


def test_points_stand_among_curves():
    points = {"training": (X, Y), "held out": (X[:2, None], Z[:2])}
    ax = draw(plotting.points_and_curves, points, X[:, None], {"a": Z, "b": 99 * Y}, "t", "height")
    held_out, training = (X[:2], Z[:2]), (X, Y)
    curves = {"a": (X, Z), "b": (X, 99 * Y)}
    same(lines_of(ax), {"held out": held_out, "training": training} | curves)
    assert [line.get_linestyle() for line in ax.lines][:2] == ["None"] * 2
    assert_allclose(ax.get_ylim(), [1 - 0.15 * 49, 50 + 0.15 * 49])  # the points decide
    assert legend_of(ax) == ["held out", "training", "a", "b"]
    assert axis_labels(ax) == ("t", "height")


# ----------------------------------------------------------------------------------------- losses
def test_the_surface_is_the_mean_squared_error_of_each_line():
    x = np.array([1.0, 2.0, 4.0])
    y = 1.2 * x + 0.3
    paths = {"a": ([0, 1], [0, 0.5]), "b": ([2, 3], [1, -1])}
    ax = draw(plotting.loss_surface, torch.tensor(x), y, {a: np.transpose(paths[a]) for a in paths})
    filled, lines = ax.collections[:2]
    for level, path in zip(lines.levels[:-1], lines.get_paths(), strict=False):
        m, c = path.vertices[:, :1], path.vertices[:, 1:]
        assert len(m) and ((m * x + c - y) ** 2).mean(axis=1) == pytest.approx(level, rel=0.1)
    assert len(lines.levels) == 12 and filled.levels.tolist() == [0, *lines.levels]
    assert filled.cmap.name == "Blues", "darker where it is larger"
    same(lines_of(ax), {"lowest loss": (1.2, 0.3)} | paths)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.6, 4.4), (-1.6, 2.2))
    assert axis_labels(ax) == ("slope m", "intercept c")
    assert legend_of(ax) == ["lowest loss", "a", "b"]


def test_the_arrow_points_against_the_gradient_and_the_axes_are_equal():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.1, 3.9, 6.2])
    path = [(0.5, 1.0), (1.0, 1.0)]
    ax = draw(plotting.loss_surface, x, y, {"a": path}, gradient=torch.tensor([3.0, -4.0]))
    [arrow] = [text for text in ax.texts if text.arrow_patch is not None]
    assert arrow.xyann == (0.5, 1.0), "where the path begins"
    assert_allclose(arrow.xy, [0.5 - 0.6, 1.0 + 0.8], rtol=1e-5)
    assert ax.get_aspect() == 1 and legend_of(ax)[-1] == "against the gradient"


def test_a_line_its_residuals_and_its_place_among_all_losses():
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 7.0])
    left, right = draw(plotting.line_and_loss, x, y, 2.0, -1.0, panels=2)
    same(lines_of(left), {"line": ([0.5, 3.5], [0, 6]), "points": (x, y)})
    [residuals] = left.collections
    for (point, target), prediction, segment in zip(
        zip(x, y, strict=True), [1, 3, 5], residuals.get_segments(), strict=True
    ):
        assert_allclose(segment, [[point, prediction], [point, target]])
    assert left.get_title() == "loss 2.000"  # (1 + 1 + 4) / 3
    same(lines_of(right), {"this line": (2, -1)})
    assert axis_labels(right) == ("slope m", "intercept c")
    filled = right.collections[0]
    assert filled.cmap.name == "Blues" and right.get_aspect() == 1


def test_each_prediction_has_a_panel_with_the_same_target_and_points():
    curves = {"a": Z, "b": -Y[:, None]}
    panels = draw(plotting.predictions_apart, X, Y, curves, (X[:2], Z[:2]), "t", "z", panels=4)
    for ax, (name, values) in zip(panels, curves.items(), strict=False):
        expected = {"target": (X, Y), "points not trained on": (X[:2], Z[:2])}
        same(lines_of(ax), expected | {"prediction": (X, np.ravel(values))})
        assert ax.get_title() == name
    assert [ax.axison for ax in panels] == [True, True, False, False]
    assert axis_labels(panels[0])[1] == "z" and panels[0].get_shared_y_axes().joined(*panels[:2])


def history(loss, validation_loss=None):
    """Return what `loss_curves` reads of a history."""
    held_out = None if validation_loss is None else np.array(validation_loss)
    return SimpleNamespace(loss=np.array(loss), validation_loss=held_out)


def test_losses_are_counted_from_the_first_epoch_or_step():
    losses = {"a": [3.0, 2.0, 1.0], "b": history([9.0, 8.0])}
    for first, x in [(1, [1, 2, 3]), (0, [0, 1, 2])]:
        ax = draw(plotting.loss_curves, losses, "step", first)
        same(lines_of(ax), {"a": (x, [3, 2, 1]), "b": (x[:2], [9, 8])})
        assert axis_labels(ax) == ("step", "loss") and scales_of(ax) == ("linear", "log")
        assert legend_of(ax) == ["a", "b"]
    ax = draw(plotting.loss_curves, history([3.0, 2.0]))
    same(lines_of(ax), {"training": ([1, 2], [3, 2])})
    assert legend_of(ax) is None and axis_labels(ax) == ("epoch", "loss")


def test_the_best_epoch_is_that_of_the_least_held_out_loss():
    both = {"a": history([3.0, 2, 1, 0.5], [3.0, NAN, 2.1, 2.6]), "b": history([4.0, 3], [7.0, 6])}
    ax = draw(plotting.loss_curves, both, best=True)
    epochs, names = [1, 2, 3, 4], ["a, held out (1 of 4 not finite)", "b, held out"]
    curves = {"a": (epochs, [3, 2, 1, 0.5]), names[0]: (epochs, [3, NAN, 2.1, 2.6])}
    curves |= {"b": ([1, 2], [4, 3]), names[1]: ([1, 2], [7, 6])}
    same(lines_of(ax), curves | {"best epoch": (3, 2.1)})
    first, second, star = bare_lines(ax)
    assert first[:, 0].tolist() == [3, 3] and second[:, 0].tolist() == [2, 2], "a line up each"
    assert star.tolist() == [[2, 6]] and legend_of(ax)[-1] == "best epoch"
    ax = draw(plotting.loss_curves, both["b"], best=False)
    same(lines_of(ax), {"training": ([1, 2], [4, 3]), "held out": ([1, 2], [7, 6])})


def test_nothing_is_best_where_no_held_out_loss_is_finite():
    lost = history([3.0, 2.0], [NAN, NAN])
    ax = draw(plotting.loss_curves, lost, best=True)
    assert legend_of(ax) == ["training", "held out (2 of 2 not finite)"] and len(ax.lines) == 2
    assert "marked" not in show(plotting.loss_curves, lost, best=True)[1]


SEEDS = {20: [1.0, 5.0, 2.0, NAN], 40: [3.0, 8.0], 80: [NAN, NAN]}


def test_the_errors_of_the_seeds_stand_over_their_setting_and_the_medians_are_joined():
    ax = draw(plotting.error_by_setting, SEEDS, "units", baseline={"mean": 7.0, "line": 6.0})
    seeds, mean, line = ax.lines[:3], *ax.lines[4:6]
    assert_allclose([mean.get_xydata(), line.get_xydata()], [[[0, 7], [1, 7]], [[0, 6], [1, 6]]])
    for place, (line, values) in enumerate(zip(seeds, SEEDS.values(), strict=True)):
        assert_allclose(line.get_ydata(), values)
        assert_allclose(line.get_xdata().mean(), place, atol=1e-9)
        assert (abs(line.get_xdata() - place) < 0.2).all()
    assert_allclose(lines_of(ax)["median"], [[0, 2], [1, 5.5], [2, NAN]])
    assert ticks_of(ax.xaxis) == {0: "20", 1: "40", 2: "80"}
    assert axis_labels(ax) == ("units", "mean squared error") and scales_of(ax) == ("linear", "log")
    lost = ["20 (1 of 4 diverged)", "80 (2 of 2 diverged)"]
    assert legend_of(ax) == ["median", "mean", "line", *lost]


def test_a_strip_has_a_row_for_each_setting_with_the_median_of_its_seeds():
    ax = draw(plotting.seed_strip, SEEDS, "accuracy", baseline={"rule": 0.5}, each="split")
    rows, medians = ax.lines[0:6:2], ax.lines[1:6:2]
    for row, (line, median, values) in enumerate(zip(rows, medians, SEEDS.values(), strict=True)):
        assert_allclose(line.get_xdata(), values)
        assert_allclose(line.get_ydata().mean(), row, atol=1e-9)
        assert (abs(line.get_ydata() - row) < 0.3).all()
        assert_allclose(median.get_xydata(), [[[2, 5.5, NAN][row], row]])
    assert ax.lines[6].get_xdata() == [0.5, 0.5] and len(ax.lines) == 7
    named = ["20 (1 of 4 not finite)", "40", "80 (2 of 2 not finite)"]
    assert list(ticks_of(ax.yaxis).values()) == named and ax.yaxis_inverted(), "the first on top"
    assert legend_of(ax) == ["median of the splits", "rule"]
    assert ax.get_xlabel() == "accuracy" and scales_of(ax) == ("linear", "linear")
    assert scales_of(draw(plotting.seed_strip, SEEDS, "error", log=True)) == ("log", "linear")


def test_a_band_holds_the_middle_80_percent_of_the_seeds_that_did_not_diverge():
    losses = np.random.default_rng(0).exponential(size=(32, 5))
    lost = losses.copy()
    lost[3, 3:] = NAN
    lost[7, 1:] = np.inf
    lost[3, :3] = 1e9
    ax = draw(plotting.seed_bands, {"all": losses, "some": lost, "none": losses * NAN})
    epochs, ends = [1, 2, 3, 4, 5], []
    for values in (losses, np.delete(losses, [3, 7], axis=0)):
        ends.append(np.sort(np.quantile(values, [0.1, 0.5, 0.9], axis=0), axis=0))
    for band, (low, _, high) in zip(bands_of(ax), ends, strict=False):
        assert_allclose(band, np.column_stack([epochs, low, high]))
    names = ["all", "some (2 of 32 diverged)", "none (32 of 32 diverged)"]
    medians = {name: (epochs, middle) for name, (_, middle, _) in zip(names, ends, strict=False)}
    same(lines_of(ax), medians | {names[2]: (epochs, [NAN] * 5)})
    assert legend_of(ax) == names and scales_of(ax) == ("linear", "log")
    assert axis_labels(ax) == ("epoch", "loss")


def test_a_scan_marks_the_lowest_loss_and_the_suggested_rate():
    rates, losses = [1e-3, 1e-2, 1e-1, 1], [1.0, 0.5, 9.0, NAN]
    ax = draw(plotting.scanned_rates, rates, losses, 5e-3)
    suggested = ([5e-3, 5e-3], [0, 1])
    marks = {"lowest loss": (1e-2, 0.5), "suggested rate": suggested}
    same(lines_of(ax), {"loss before the step": (rates, losses)} | marks)
    assert ax.lines[2].get_transform() == ax.get_xaxis_transform(), "from the bottom to the top"
    assert axis_labels(ax) == ("learning rate", "loss") and scales_of(ax) == ("log", "linear")
    assert legend_of(ax) == ["loss before the step", *marks]
    assert scales_of(draw(plotting.scanned_rates, rates, [1.0, 0.5, 60, NAN], 5e-3))[1] == "log"


def test_a_scan_without_a_suggestion_marks_nothing():
    for losses, words in [([2.0, 1.0], []), ([NAN, NAN], ["the loss is not finite"])]:
        ax = draw(plotting.scanned_rates, [1e-3, 1e-2], losses)
        assert len(ax.lines) == 1 and legend_of(ax) is None
        assert [text.get_text() for text in ax.texts] == words
        assert axis_labels(ax) == ("learning rate", "loss")


# ----------------------------------------------------------------------------------------- layers
def test_each_tensor_has_a_histogram_with_its_name_and_standard_deviation():
    values = {"a": torch.tensor([[1.0, 2, 2], [4, NAN, np.inf]]), "b": -Y, "c": X > 2}
    ax = draw(plotting.distributions, values, bins=3)
    kept = [np.array([1.0, 2, 2, 4]), -Y, (X > 2) * 1.0]
    common = -50 - 0.02 * 54, 4 + 0.02 * 54
    for panel, each in zip(ax.child_axes, kept, strict=True):
        heights, edges = np.histogram(each, 3, common)  # bars of the same width in all panels
        assert_allclose(bars_of(panel)[:, [0, 3]], np.column_stack([edges[:-1], heights]))
        assert_allclose(panel.get_xlim(), common)
        assert panel.lines[0].get_xdata() == [0, 0]
    places = [panel.place[0] for panel in ax.child_axes]
    assert places == sorted(places)
    texts = [["2 of 6 not finite", "std 1.09", "a"], [f"std {Y.std():.3g}", "b"], ["std 0.5", "c"]]
    assert [(text.get_position()[0], text.get_text()) for text in ax.texts] == [
        (place, text) for place, column in zip(places, texts, strict=True) for text in column
    ]


def test_bounds_stand_in_the_panel_of_their_tensor():
    values = {"weight": X, "bias": Y}
    ax = draw(plotting.distributions, values, bounds={"bias": (-0.5, 2.0)})
    marked = [[line.get_xdata()[0] for line in panel.lines] for panel in ax.child_axes]
    assert [sorted(places) for places in marked] == [[0], [-0.5, 0, 2.0]]


def test_on_scales_of_their_own_histograms_fill_their_panels_row_by_row():
    odd = {"nothing": X[:0], "one": X[1:2], "gaps": X * NAN}
    even = {f"{number} Linear": number * X for number in range(1, 8)}
    ax = draw(plotting.distributions, odd | even, same_scale=False)
    limits = [panel.get_xlim() for panel in ax.child_axes]
    assert_allclose(limits[:3], [(-0.5, 0.5), (0.5, 1.5), (-0.5, 0.5)])
    assert_allclose(limits[3:], [(-0.14 * number, 7.14 * number) for number in range(1, 8)])
    lefts, bottoms, *_ = zip(*(panel.place for panel in ax.child_axes), strict=True)
    assert lefts[:5] == lefts[5:] and len(set(bottoms[:5])) == 1 and bottoms[0] > bottoms[5]
    for values in ({}, odd | even | {"more": X}):
        with pytest.raises(ValueError, match="room for 1 to 10 tensors"):
            draw(plotting.distributions, values)


def test_layers_are_counted_from_1_and_a_zero_is_counted():
    values = {"tanh": [torch.tensor(3.0), 2, 1], "ReLU": [4.0, 0, 0], "sigmoid": [5.0, NAN, 0]}
    ax = draw(plotting.by_layer, values, "norm")
    names = ["tanh", "ReLU (2 of 3 not above 0)", "sigmoid (1 of 3 not finite, 1 of 3 not above 0)"]
    rows = [[3, 2, 1], [4, NAN, NAN], [5, NAN, NAN]]
    same(lines_of(ax), {name: ([1, 2, 3], row) for name, row in zip(names, rows, strict=True)})
    assert legend_of(ax) == names and axis_labels(ax) == ("layer", "norm")
    assert scales_of(ax) == ("linear", "log")
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_the_axis_of_layers_can_be_held_and_its_ticks_are_powers_of_ten():
    held = draw(plotting.by_layer, {"tanh": [3.0, 2.0]}, "norm", limits=(1e-10, 1e6))
    assert held.get_ylim() == (1e-10, 1e6)
    assert list(ticks_of(held.yaxis).values())[3:6] == ["10⁻⁵", "10⁻³", "10⁻¹"]
    assert (power_of_ten(1.0), power_of_ten(1e12), power_of_ten(0.3)) == ("10⁰", "10¹²", "0.3")
