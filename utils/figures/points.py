"""Figures of samples as points: groups, columns, residuals, curves among them."""

import numpy as np

from utils.figures.style import (
    DASHES,
    MARKERS,
    class_numbers,
    figure,
    label_axes,
    listed,
    name_gaps,
    series,
    to_array,
)


@figure(height=3.1)
def scatter_by_group(
    ax, x, y, group, group_names, xlabel="x", ylabel="y", predicted=None, equal=False
):
    """Draw points in a colour and a marker for each group.

    Args:
        x, y: shape (n,); points with a gap (NaN) are counted beside the name of their group.
        group: the group of each point, as its name or its number from 0, shape (n,).
        group_names: the names of the groups, at most seven.
        xlabel, ylabel: what the axes count, with units.
        predicted: the groups that a model gives, like `group`; a point that it mistakes is
            surrounded by the large hollow marker of the group that it is taken for.
        equal: whether a unit is as long upwards as sideways, so that a circle is round.

    Raises:
        ValueError: there are more groups, or a point belongs to none of them.
    """
    x, y, group_names = to_array(x), to_array(y), list(group_names)
    group, names = class_numbers(group, group_names), []
    for code, name, rows in series({name: group == i for i, name in enumerate(group_names)}):
        look = {"s": 26, "marker": MARKERS[code], "alpha": 0.75, "linewidths": 0}
        names.append(name_gaps(name, x[rows], y[rows]))
        ax.scatter(x[rows], y[rows], label=names[-1], **look)
    rings = ""
    if predicted is not None:
        ring_mistakes(ax, x, y, group, class_numbers(predicted, group_names), group_names)
        rings = " Mistaken points are ringed with the marker of the group they are taken for."
    if equal:
        ax.set_aspect("equal")
        ax.locator_params(axis="x", nbins=6)
    label_axes(ax, xlabel, ylabel)
    if equal:  # the marks follow from the shape, and the shape from their width
        ax.figure.draw_without_rendering()
    return f"Points of {ylabel} against {xlabel} in groups: {listed(names)}.{rings}"


def ring_mistakes(ax, x, y, group, predicted, group_names):
    """Surround the points whose predicted group is another with that group's hollow marker."""
    for code, name in enumerate(group_names):
        rows = (predicted == code) & (group != code)
        if rows.any():
            look = {"facecolors": "none", "edgecolors": f"C{code}", "linewidths": 1.8}
            label = f"taken for {name}"
            ax.scatter(x[rows], y[rows], s=150, marker=MARKERS[code], label=label, **look)


@figure(height=2.6, columns=2)
def column_spread(axes, before, after, column_names):
    """Draw the numbers of each column as a row of points, before and after a change of scale.

    Args:
        before, after: shape (n, d).
        column_names: the names of the d columns, at most seven.
    """
    before, after = to_array(before), to_array(after)
    titles = [name_gaps("before", before), name_gaps("after", after)]
    spread = np.random.default_rng(0).uniform(-0.28, 0.28, size=before.shape)
    for ax, values, title in zip(axes, [before, after], titles, strict=True):
        columns = dict(zip(column_names, values.T, strict=True))
        for row, _, numbers in series(columns):
            look = {"markersize": 2.6, "alpha": 0.5, "markeredgewidth": 0}
            ax.plot(numbers, row + spread[:, row], MARKERS[row], **look)
        ax.set(title=title, yticks=range(len(columns)), ylim=(len(columns) - 0.4, -0.6))
        ax.grid(axis="y", visible=False)
    axes[0].set(yticklabels=column_names, xlabel="value in its own unit")
    axes[1].set(yticklabels=[], xlabel="standard deviations from the mean")
    return (
        f"Two panels, {' and '.join(titles)} a change of scale, with a row of points for each "
        f"column: {listed(column_names)}."
    )


@figure(height=3.0)
def residuals(ax, prediction, y, xlabel="prediction", ylabel="target - prediction", groups=None):
    """Draw the residuals, target minus prediction, against the prediction.

    Args:
        prediction, y: shape (n,) or (n, 1).
        xlabel, ylabel: what the axes count, with units.
        groups: name -> rows of that group, a mask or indices, for a colour and a marker of its own;
            at most seven.
    """
    prediction, y = to_array(prediction).ravel(), to_array(y).ravel()
    ax.axhline(0, color="#222222", linewidth=1.2, zorder=1)
    apart, names = y - prediction, []
    lost = np.ones(len(y), dtype=bool)
    for number, name, rows in series(groups or {"": slice(None)}):
        rows = rows if isinstance(rows, slice) else to_array(rows)
        look = {"s": 28, "marker": MARKERS[number], "alpha": 0.75, "linewidths": 0}
        lost[rows] = False
        names.append(name_gaps(name, prediction[rows], apart[rows]))
        ax.scatter(prediction[rows], apart[rows], label=names[-1], **look)
    label_axes(ax, xlabel, ylabel, legend=bool(groups))
    points = name_gaps("Points", prediction, apart)
    named = f": {listed(names)}" if groups else ""
    named += f"; {lost.sum()} of {len(lost)} are in no group" if lost.any() else ""
    return f"{points} of {ylabel} against {xlabel}, with a line at 0{named}."


@figure(height=3.2)
def points_and_curves(ax, points, x, curves, xlabel="x", ylabel="y"):
    """Draw one or two groups of points, and functions of one feature.

    Args:
        points: label -> (x, y), shape (n,) or (n, 1) each, with its own n.
        x: where the functions are given, shape (m,) or (m, 1), in ascending order.
        curves: label -> values, shape (m,) or (m, 1), at most seven.
        xlabel, ylabel: what the axes count, with units.
    """
    colors, names = ["#222222", "#AAAAAA"], []
    for number, label, (across, up) in reversed(series(points, most=len(colors))):
        look = {"color": colors[number], "markersize": 6 - 2 * number, "zorder": 3 - number}
        across, up = to_array(across).ravel(), to_array(up).ravel()
        names.insert(0, name_gaps(label, across, up))
        ax.plot(across, up, MARKERS[number], label=names[0], **look)
    for number, label, values in series(curves):
        look = {"color": f"C{number}", "linestyle": DASHES[number], "linewidth": 2.2}
        ax.plot(to_array(x).ravel(), to_array(values).ravel(), label=label, zorder=4, **look)
    heights = np.concatenate([to_array(up).ravel() for _, up in points.values()])
    heights = heights[np.isfinite(heights)]
    margin = 0.15 * np.ptp(heights)
    ax.set_ylim(heights.min() - margin, heights.max() + margin)
    label_axes(ax, xlabel, ylabel)
    return f"Points ({listed(names)}) and curves ({listed(curves)}) of {ylabel} against {xlabel}."
