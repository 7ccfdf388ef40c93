"""Figures of regression: residuals, and what each hidden unit adds; one function a figure.

As in `utils.plotting`: each one draws and shows; with `ax=` it draws there and returns it.
"""

import numpy as np

from utils.figures import figure, to_array
from utils.plotting import DASHES, MARKERS


@figure(height=3.0)
def fit_with_residuals(ax, x, y, prediction, message, axes=("x", "y")):
    """Draw points, the prediction over one feature, and the residuals as lines between them.

    Args:
        x, y, prediction: shape (n,) or (n, 1), in any order.
        message: what the figure shows, in one sentence, for its text alternative.
        axes: what the two axes count, with units.
    """
    x, y, prediction = (to_array(values).ravel() for values in (x, y, prediction))
    order = x.argsort(kind="stable")
    few = len(x) < 100
    width = 1.6 if few else 0.9
    ax.vlines(x, prediction, y, color="#D55E00", linewidth=width, label="residual", zorder=2)
    ax.plot(x, y, "o", color="#555555", markersize=5 if few else 2, label="data", zorder=3)
    ax.plot(x[order], prediction[order], color="C0", linewidth=2.4, label="prediction", zorder=4)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} {axes[1]} against {axes[0]}: data, prediction, and lines between them."


@figure(height=3.0)
def residuals(ax, prediction, y, message, axes=("prediction", "target - prediction"), groups=None):
    """Draw the residuals, target minus prediction, against the prediction.

    Args:
        prediction, y: shape (n,) or (n, 1).
        message: what the figure shows, in one sentence, for its text alternative.
        axes: what the two axes count, with units.
        groups: name -> rows of that group, a mask or indices, for a colour and a marker of its own.
    """
    prediction, y = to_array(prediction).ravel(), to_array(y).ravel()
    ax.axhline(0, color="#222222", linewidth=1.2, zorder=1)
    for number, (name, rows) in enumerate((groups or {"": slice(None)}).items()):
        rows = rows if isinstance(rows, slice) else to_array(rows)
        x, residual = prediction[rows], (y - prediction)[rows]
        style = {"s": 28, "marker": MARKERS[number], "alpha": 0.75, "linewidths": 0}
        ax.scatter(x, residual, label=name, **style)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    if groups:
        ax.figure.legend(loc="outside right center")
    named = f"; groups: {', '.join(groups)}" if groups else ""
    return f"{message} {axes[1]} against {axes[0]}, with a line at 0{named}."


@figure(height=3.2)
def node_contributions(ax, x, activations, weights, bias, message, points=None):
    """Draw each hidden unit's weighted curve and the sum with the bias, which is the prediction.

    Args:
        x: shape (n,) or (n, 1), in ascending order.
        activations: of the last hidden layer at x, shape (n, units).
        weights, bias: of the output layer, shape (1, units) or (units,), and (1,) or a number.
        message: what the figure shows, in one sentence, for its text alternative.
        points: (x, y) of the data, drawn behind.
    """
    x, parts = to_array(x).ravel(), to_array(activations) * to_array(weights).reshape(1, -1)
    height, units = float(to_array(bias).reshape(())), parts.shape[1]
    if points is not None:
        data_x, data_y = (to_array(values).ravel() for values in points)
        ax.plot(data_x, data_y, "o", color="#BBBBBB", markersize=3, label="data", zorder=1)
    colors = ["#0072B2", "#007A5A", "#9F4C7C", "#8A6100", "#000000"]
    for unit in range(units):
        if units <= len(colors):
            style = {"color": colors[unit], "linestyle": DASHES[unit + 1]}
            label = f"unit {unit + 1}, weighted"
        else:
            style, label = {"color": "#3C7FA8", "linestyle": "--"}, None
            label = None if unit else "each unit, weighted"
        ax.plot(x, parts[:, unit], linewidth=1.5, label=label, **style)
    ax.axhline(height, color="#777777", linewidth=1.2, label="bias")
    total = parts.sum(axis=1) + height
    ax.plot(x, total, color="#D55E00", linewidth=2.8, label="sum = prediction")
    ax.set(xlabel="x", ylabel="contribution")
    ax.figure.legend(loc="outside right center")
    return (
        f"{message} Thin curves for the {units} hidden units, each times its output weight, and a "
        "line for the bias; a thick curve for their sum, the prediction."
    )


@figure(height=3.2)
def points_and_curves(ax, points, x, curves, message, axes=("x", "y")):
    """Draw groups of points, and functions of one feature.

    Args:
        points: label -> (x, y), shape (n,) or (n, 1) each, with its own n.
        x: where the functions are given, shape (m,) or (m, 1), in ascending order.
        curves: label -> values, shape (m,) or (m, 1).
        message: what the figure shows, in one sentence, for its text alternative.
        axes: what the two axes count, with units.
    """
    colors = ["#222222", "#AAAAAA"]
    for number, (label, (across, up)) in reversed(list(enumerate(points.items()))):
        style = {"color": colors[number], "markersize": 6 - 2 * number, "zorder": 3 - number}
        across, up = to_array(across).ravel(), to_array(up).ravel()
        ax.plot(across, up, MARKERS[number], label=label, **style)
    for number, (label, values) in enumerate(curves.items()):
        style = {"color": f"C{number}", "linestyle": DASHES[number], "linewidth": 2.2}
        ax.plot(to_array(x).ravel(), to_array(values).ravel(), label=label, zorder=4, **style)
    heights = np.concatenate([to_array(up).ravel() for _, up in points.values()])
    margin = 0.15 * np.ptp(heights)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.set_ylim(heights.min() - margin, heights.max() + margin)
    ax.figure.legend(loc="outside right center")
    names = f"points {', '.join(points)}; curves {', '.join(curves)}"
    return f"{message} {axes[1]} against {axes[0]}: {names}."


@figure(height=3.0)
def lines_and_error_bars(ax, x, y, sigma, fits, message, axes=("x", "y")):
    """Draw points with their uncertainties, and straight lines.

    Args:
        x, y, sigma: shape (n,); sigma is the standard deviation of each y, a bar to either side.
        fits: label -> (slope, intercept).
        message: what the figure shows, in one sentence, for its text alternative.
        axes: what the two axes count, with units.
    """
    x, y, sigma = to_array(x), to_array(y), to_array(sigma)
    style = {"fmt": "o", "color": "#555555", "capsize": 4, "linewidth": 1.6, "zorder": 3}
    ax.errorbar(x, y, yerr=sigma, label="data with σ", **style)
    ends = np.array([x.min(), x.max()]) + np.array([-0.05, 0.05]) * np.ptp(x)
    for number, (label, (slope, intercept)) in enumerate(fits.items()):
        heights = to_array(slope) * ends + to_array(intercept)
        ax.plot(ends, heights, linestyle=DASHES[number], color=f"C{number}", label=label)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} Points with error bars; lines: {', '.join(fits)}."
