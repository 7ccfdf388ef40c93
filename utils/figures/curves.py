"""Figures of functions of one number, and of predictions over one feature."""

import numpy as np

from utils.figures.style import DASHES, MARKERS, figure, to_array


@figure(height=2.9)
def curve_with_tangents(ax, function, points, slopes, limits, xlabel, ylabel):
    """Draw a function of one number and its tangents, whose slopes the caller computed.

    Args:
        function: takes and returns a float or an array.
        points, slopes: shape (k,), where the tangents touch, and how steep they are.
        limits: (left, right) end of the x axis.
        xlabel, ylabel: what the axes count.
    """
    points, slopes = to_array(points), to_array(slopes)
    x = np.linspace(*limits, 200)
    ax.plot(x, function(x), color="#000000", zorder=2)
    reach = (limits[1] - limits[0]) / 7
    for number, (point, slope) in enumerate(zip(points, slopes, strict=True)):
        height = function(point)
        ends = np.array([point - reach, point + reach])
        color = f"C{number}"
        tangent = height + slope * (ends - point)
        ax.plot(ends, tangent, linestyle=DASHES[number], color=color, zorder=3)
        ax.plot(point, height, MARKERS[number], color=color, markersize=8, zorder=4)
        # The number goes to the side where the curve is not: right of a falling, left of a rising.
        right = slope <= 0
        ax.annotate(
            f"slope {slope:.4g}",
            (point, height),
            xytext=(14 if right else -14, 4),
            textcoords="offset points",
            ha="left" if right else "right",
            color=color,
            fontsize=11,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    found = ", ".join(
        f"{slope:.4g} at {point:g}" for point, slope in zip(points, slopes, strict=True)
    )
    return f"The curve of {ylabel} over {xlabel} with tangents; their slopes: {found}."


@figure(height=2.9)
def finite_difference_error(ax, steps, errors):
    """Draw how far finite differences are from the true derivative, on logarithmic axes.

    Args:
        steps: the step sizes h, shape (k,).
        errors: name of a number format -> absolute errors, shape (k,).
    """
    for number, (name, values) in enumerate(errors.items()):
        ax.loglog(
            to_array(steps),
            to_array(values),
            DASHES[number] + MARKERS[number],
            label=name,
            markersize=5,
        )
    ax.set(xlabel="step size h", ylabel="error of the derivative")
    ax.figure.legend(loc="outside right center")
    return (
        "The error of central differences over the step size, a V for each number format: too "
        "large a step misses the curve, too small a step drowns in rounding; float64 reaches "
        "further down than float32."
    )


@figure(height=3.0)
def curves(ax, x, lines, message, axes=("x", "y"), nested=True):
    """Draw functions of one number; where they agree, the thinner lie on the wider lines.

    Args:
        x: shape (n,), in ascending order.
        lines: label -> values, shape (n,), at most seven. Where values become infinite, the line
            ends in a cross.
        message: what the figure shows, in one sentence, for its text alternative.
        axes: what the two axes count.
        nested: whether the widths differ; not needed where the functions only cross.
    """
    x = to_array(x).ravel()
    widths = np.linspace(5.5, 1.7, len(lines)) if nested else [2.0] * len(lines)
    for number, (label, values) in enumerate(lines.items()):
        values = to_array(values).ravel()
        finite = np.isfinite(values)
        style = {"color": f"C{number}", "alpha": 0.5 if nested and number + 1 < len(lines) else 1}
        heights = np.where(finite, values, np.nan)
        ax.plot(x, heights, DASHES[number], linewidth=widths[number], label=label, **style)
        ends = finite & ~(np.r_[True, finite[:-1]] & np.r_[finite[1:], True])
        ax.plot(x[ends], values[ends], "X", color=f"C{number}", markersize=10, zorder=4)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} {axes[1]} against {axes[0]}: {', '.join(lines)}."


@figure(height=3.0)
def lines(ax, x, y, fits, axes, message):
    """Draw points and straight lines.

    Args:
        x, y: shape (n,).
        fits: label -> (slope, intercept).
        axes: what the two axes count, with units.
        message: what the figure shows, in one sentence, for its text alternative.
    """
    x, y = to_array(x), to_array(y)
    few = len(x) < 20
    ax.plot(x, y, "o", color="#777777", markersize=8 if few else 4, alpha=1 if few else 0.5)
    ends = np.array([x.min(), x.max()]) + np.array([-0.05, 0.05]) * np.ptp(x)
    for number, (label, (slope, intercept)) in enumerate(fits.items()):
        heights = to_array(slope) * ends + to_array(intercept)
        ax.plot(ends, heights, linestyle=DASHES[number], label=label)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} Axes: {axes[0]} and {axes[1]}; lines: {', '.join(fits)}."


@figure(height=2.9)
def fit_before_after(ax, x, y, before, after):
    """Draw data, the untrained and the trained prediction over one feature.

    Args:
        x, y, before, after: shape (n,) or (n, 1), with x in ascending order.
    """
    x, y, before, after = (to_array(values).ravel() for values in (x, y, before, after))
    ax.plot(x, y, "o", color="#888888", markersize=4, label="data")
    ax.plot(x, before, linestyle=DASHES[1], color="C1", label="before training")
    ax.plot(x, after, linestyle=DASHES[0], color="C0", label="after training")
    ax.set(xlabel="x", ylabel="y")
    ax.figure.legend(loc="outside right center")
    return (
        "Data points with the network's prediction: before training it misses them, after "
        "training it runs through them."
    )


@figure(height=3.0)
def predictions(ax, x, y, curves, message, known=None, axes=("x", "y")):
    """Draw a target and predictions of it over one feature.

    Args:
        x, y: the target, shape (n,) or (n, 1), x in ascending order.
        curves: label -> prediction, shape (n,) or (n, 1).
        message: what the figure shows, in one sentence, for its text alternative.
        known: (left, right) end of the range that was trained on, shaded.
        axes: what the two axes count.
    """
    x = to_array(x).ravel()
    if known is not None:
        ax.axvspan(*known, color="#E8EEF3", zorder=0, label="trained here")
    ax.plot(x, to_array(y).ravel(), color="#999999", linewidth=4, label="target")
    for number, (label, values) in enumerate(curves.items()):
        ax.plot(x, to_array(values).ravel(), linestyle=DASHES[number], linewidth=1.7, label=label)
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} {axes[1]} against {axes[0]}: the target, {', '.join(curves)}."


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
