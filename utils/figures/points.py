"""Figures of samples as points: groups, columns, residuals, error bars."""

import numpy as np

from utils.figures.style import DASHES, MARKERS, figure, to_array


@figure(height=3.1)
def groups(ax, x, y, group, labels, axes, message, predicted=None):
    """Draw points in a colour and a marker for each group.

    Args:
        x, y: shape (n,); points with a gap (NaN) are left out.
        group: integer codes, shape (n,).
        labels: the name of each code.
        axes: what the two axes count, with units.
        message: what the figure shows, in one sentence, for its text alternative.
        predicted: the codes that a model gives, shape (n,); a point that it mistakes is surrounded
            by the large hollow marker of the group that it is taken for.
    """
    x, y, group = to_array(x), to_array(y), to_array(group)
    for code, label in enumerate(labels):
        rows = group == code
        ax.scatter(
            x[rows], y[rows], s=26, marker=MARKERS[code], label=label, alpha=0.75, linewidths=0
        )
    rings = ""
    if predicted is not None:
        ring_mistakes(ax, x, y, group, to_array(predicted), labels)
        rings = " Mistaken points are ringed with the marker of the group they are taken for."
    ax.set(xlabel=axes[0], ylabel=axes[1])
    ax.figure.legend(loc="outside right center")
    return f"{message} Axes: {axes[0]} and {axes[1]}; groups: {', '.join(labels)}.{rings}"


def ring_mistakes(ax, x, y, group, predicted, labels):
    """Surround the points whose predicted group is another with that group's hollow marker."""
    for code, label in enumerate(labels):
        rows = (predicted == code) & (group != code)
        if rows.any():
            style = {"facecolors": "none", "edgecolors": f"C{code}", "linewidths": 1.8}
            name = f"taken for {label}"
            ax.scatter(x[rows], y[rows], s=150, marker=MARKERS[code], label=name, **style)


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
