"""Figures of data, functions and training: one function a figure.

Each one draws and shows; with `ax=` it draws there and returns it. Arguments are tensors on any
device, with or without gradients, or NumPy arrays.
"""

import numpy as np

from utils.figures import figure, to_array

MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]


@figure(height=3.1)
def groups(ax, x, y, group, labels, axes, message):
    """Draw points in a colour and a marker for each group.

    Args:
        x, y: shape (n,); points with a gap (NaN) are left out.
        group: integer codes, shape (n,).
        labels: the name of each code.
        axes: what the two axes count, with units.
        message: what the figure shows, in one sentence, for its text alternative.
    """
    x, y, group = to_array(x), to_array(y), to_array(group)
    for code, label in enumerate(labels):
        rows = group == code
        ax.scatter(
            x[rows], y[rows], s=26, marker=MARKERS[code], label=label, alpha=0.75, linewidths=0
        )
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} Axes: {axes[0]} and {axes[1]}; groups: {', '.join(labels)}."


@figure(height=2.6, columns=2)
def column_spread(axes, before, after, names):
    """Draw the numbers of each column as a strip of points, before and after a change of scale.

    Args:
        before, after: shape (n, d).
        names: the d column names.
    """
    spread = np.random.default_rng(0).uniform(-0.28, 0.28, size=to_array(before).shape)
    for ax, values, title in zip(axes, [before, after], ["before", "after"], strict=True):
        values = to_array(values)
        for column, _ in enumerate(names):
            ax.plot(
                values[:, column],
                column + spread[:, column],
                MARKERS[column],
                markersize=2.6,
                alpha=0.5,
                markeredgewidth=0,
            )
        ax.set(title=title, yticks=range(len(names)), ylim=(len(names) - 0.4, -0.6))
        ax.grid(axis="y", visible=False)
    axes[0].set(yticklabels=names, xlabel="value in its own unit")
    axes[1].set(yticklabels=[], xlabel="standard deviations from the mean")
    return (
        f"The columns {', '.join(names)} as strips of points. Before, they lie at different places "
        "and spread differently; after, all lie around 0 with the same spread."
    )


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
        ax.plot(ends, height + slope * (ends - point), DASHES[number], color=color, zorder=3)
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


@figure(height=2.9)
def fit_before_after(ax, x, y, before, after):
    """Draw data, the untrained and the trained prediction over one feature.

    Args:
        x, y, before, after: shape (n,) or (n, 1), with x in ascending order.
    """
    x, y, before, after = (to_array(values).ravel() for values in (x, y, before, after))
    ax.plot(x, y, "o", color="#888888", markersize=4, label="data")
    ax.plot(x, before, DASHES[1], color="C1", label="before training")
    ax.plot(x, after, DASHES[0], color="C0", label="after training")
    ax.set(xlabel="x", ylabel="y")
    ax.figure.legend(loc="outside right center")
    return (
        "Data points with the network's prediction: before training it misses them, after "
        "training it runs through them."
    )
