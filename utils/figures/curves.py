"""Figures of functions of one number, and of predictions over one feature."""

import numpy as np

from utils.figures.style import (
    DASHES,
    MARKERS,
    figure,
    label_axes,
    listed,
    name_gaps,
    series,
    to_array,
)


@figure(height=2.9)
def curve_with_tangents(ax, function, points, slopes, limits, xlabel="x", ylabel="y"):
    """Draw a function of one number and its tangents, whose slopes the caller computed.

    Args:
        function: takes and returns a float or an array.
        points, slopes: shape (k,), where the tangents touch, and how steep they are.
        limits: (left, right) end of the x axis.
        xlabel, ylabel: what the axes count.
    """
    pairs = zip(to_array(points).tolist(), to_array(slopes).tolist(), strict=True)
    tangents = dict(enumerate(pairs))
    x = np.linspace(*limits, 200)
    ax.plot(x, function(x), color="#000000", zorder=2)
    reach = (limits[1] - limits[0]) / 7
    for number, _, (point, slope) in series(tangents):
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
    label_axes(ax, xlabel, ylabel, legend=False)
    found = ", ".join(f"{slope:.4g} at {point:g}" for point, slope in tangents.values())
    return f"The curve of {ylabel} against {xlabel}, with tangents of slope {found}."


@figure(height=3.0)
def secant_and_tangent(ax, function, point, slope, h, limits, xlabel="x", ylabel="y"):
    """Draw a function, its tangent at a point, and the secant through that point and one h further.

    The axes depend on the function and the limits alone: while h changes, they stay.

    Args:
        function: takes and returns a float or an array.
        point, slope: numbers, where the tangent touches, and how steep the caller found it to be.
        h: how far it is from there to where the secant meets the curve again; not 0.
        limits: (left, right) end of the x axis.
        xlabel, ylabel: what the axes count.
    """
    point, slope, ends = float(to_array(point)), float(to_array(slope)), np.array(limits)
    x, height = np.linspace(*limits, 200), function(point)
    rise = function(point + h) - height
    ax.plot(x, function(x), color="#000000")
    lines = {"secant": (rise / h, "C1", DASHES[0]), "tangent": (slope, "C0", DASHES[1])}
    for name, (steep, color, dashes) in lines.items():
        look = {"color": color, "linestyle": dashes, "label": f"{name}, slope {steep:.2f}"}
        ax.plot(ends, height + steep * (ends - point), zorder=3, **look)
    corner = [point, point + h, point + h], [height, height, height + rise]
    ax.plot(*corner, color="#777777", linestyle=":", linewidth=1.6)
    ax.plot([point, point + h], [height, height + rise], "o", color="C1", markersize=8, zorder=4)
    low, high = function(x).min(), function(x).max()
    margin = 0.1 * (high - low)
    ax.set(xlim=limits, ylim=(low - margin, high + margin))
    ax.set_title(f"secant: rise {rise:.4g} / h {h:g} = {rise / h:.4g}")
    label_axes(ax, xlabel, ylabel)
    return (
        f"The curve of {ylabel} against {xlabel}, the tangent at {point:g} with slope {slope:.4g}, "
        f"and the secant from there to {point + h:g} with slope {rise / h:.4g}."
    )


@figure(height=2.9)
def finite_difference_error(ax, steps, errors):
    """Draw how far finite differences are from the true derivative, on logarithmic axes.

    Args:
        steps: the step sizes h, shape (k,).
        errors: name of a number format -> absolute errors, shape (k,), at most seven. An error of
            exactly 0 has no place on such an axis: it is counted beside the name.
    """
    steps, names = to_array(steps), []
    for number, name, values in series(errors):
        look, values = DASHES[number] + MARKERS[number], to_array(values)
        names.append(name_gaps(name, values, positive=True))
        ax.loglog(steps, values, look, label=names[-1], markersize=5)
    label_axes(ax, "step size h", "error of the derivative")
    return (
        "Error of the derivative by central differences against the step size h, on logarithmic "
        f"axes: {listed(names)}."
    )


@figure(height=3.0)
def curves(ax, x, curves, xlabel="x", ylabel="y", nested=True, ylim=None):
    """Draw functions of one number; where they agree, the thinner lie on the wider lines.

    Args:
        x: shape (n,), in ascending order.
        curves: label -> values, shape (n,), at most seven. Where values become infinite, the curve
            ends in a cross.
        xlabel, ylabel: what the axes count.
        nested: whether the widths differ; not needed where the curves only cross.
        ylim: (lowest, highest) y that is shown, where the figure moves.
    """
    x = to_array(x).ravel()
    widths = np.linspace(5.5, 1.7, len(curves)) if nested else [2.0] * len(curves)
    for number, label, values in series(curves):
        values = to_array(values).ravel()
        finite = np.isfinite(values)
        look = {"color": f"C{number}", "alpha": 0.5 if nested and number + 1 < len(curves) else 1}
        heights = np.where(finite, values, np.nan)
        ax.plot(x, heights, DASHES[number], linewidth=widths[number], label=label, **look)
        ends = finite & ~(np.r_[True, finite[:-1]] & np.r_[finite[1:], True])
        ax.plot(x[ends], values[ends], "X", color=f"C{number}", markersize=10, zorder=4)
    ax.set(ylim=ylim)
    label_axes(ax, xlabel, ylabel)
    return f"Curves in one figure, {ylabel} against {xlabel}: {listed(curves)}."


@figure(height=3.0)
def points_and_lines(ax, x, y, lines, xlabel="x", ylabel="y", sigma=None):
    """Draw points and straight lines.

    Args:
        x, y: shape (n,).
        lines: label -> (slope, intercept), at most seven.
        xlabel, ylabel: what the axes count, with units.
        sigma: the standard deviation of each y, shape (n,), for an error bar to either side.
    """
    x, y = to_array(x), to_array(y)
    if sigma is None:
        few = len(x) < 20
        ax.plot(x, y, "o", color="#777777", markersize=8 if few else 4, alpha=1 if few else 0.5)
    else:
        look = {"fmt": "o", "color": "#555555", "capsize": 4, "linewidth": 1.6, "zorder": 3}
        ax.errorbar(x, y, yerr=to_array(sigma), label="data with σ", **look)
    known = x[np.isfinite(x)]
    ends = np.array([known.min(), known.max()]) + np.array([-0.05, 0.05]) * np.ptp(known)
    for number, label, (slope, intercept) in series(lines):
        heights = to_array(slope) * ends + to_array(intercept)
        ax.plot(ends, heights, linestyle=DASHES[number], color=f"C{number}", label=label)
    label_axes(ax, xlabel, ylabel)
    bars = "" if sigma is None else ", with error bars"
    points = f"{name_gaps('Points', x, y)} of {ylabel} against {xlabel}{bars}"
    return f"{points}, and straight lines: {listed(lines)}."


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
    label_axes(ax, "x", "y")
    points = name_gaps("Points", x, y)
    return f"{points} of y against x, with the prediction before training and after training."


@figure(height=3.0)
def predictions(ax, x, y, curves, xlabel="x", ylabel="y", known=None):
    """Draw a target and predictions of it over one feature.

    Args:
        x, y: the target, shape (n,) or (n, 1), x in ascending order.
        curves: label -> prediction, shape (n,) or (n, 1), at most seven.
        xlabel, ylabel: what the axes count.
        known: (left, right) end of the range that was trained on, shaded.
    """
    x = to_array(x).ravel()
    if known is not None:
        ax.axvspan(*known, color="#E8EEF3", zorder=0, label="trained here")
    ax.plot(x, to_array(y).ravel(), color="#999999", linewidth=4, label="target")
    for number, label, values in series(curves):
        ax.plot(x, to_array(values).ravel(), linestyle=DASHES[number], linewidth=1.7, label=label)
    label_axes(ax, xlabel, ylabel)
    shaded = "" if known is None else " The range that was trained on is shaded."
    return f"A target and predictions of it, {ylabel} against {xlabel}: {listed(curves)}.{shaded}"


@figure(height=3.4, rows=2, columns=2)
def predictions_apart(axes, x, y, curves, points=None, xlabel="x", ylabel="y"):
    """Draw a target and predictions of it over one feature, a panel for each prediction.

    Args:
        x, y: the target, shape (n,) or (n, 1), x in ascending order.
        curves: label -> prediction, shape (n,) or (n, 1), at most four.
        points: (x, y) of points that were not trained on, shape (k,) or (k, 1).
        xlabel, ylabel: what the axes count.
    """
    x, y = to_array(x).ravel(), to_array(y).ravel()
    for number, label, values in series(curves, most=4):
        ax, below = axes[number], number >= 2
        ax.plot(x, y, color="#BBBBBB", linewidth=5, label="target")
        if points is not None:
            held_out = (to_array(each).ravel() for each in points)
            look = {"color": "#333333", "markersize": 3, "zorder": 4}
            ax.plot(*held_out, "o", label="points not trained on", **look)
        ax.plot(x, to_array(values).ravel(), color="C0", linewidth=1.8, label="prediction")
        ax.set_title(label, loc="center", fontsize=11)
        ax.sharex(axes[0])
        ax.sharey(axes[0])
        ax.tick_params(labelbottom=below, labelleft=not number % 2)
        ax.set(xlabel=xlabel if below else "", ylabel="" if number % 2 else ylabel)
    for ax in axes[len(curves) :]:
        ax.set_axis_off()
    handles = axes[0].get_legend_handles_labels()
    axes[0].figure.legend(*handles, loc="outside lower center", ncols=3)
    held_out = "" if points is None else ", and points that were not trained on"
    return (
        f"The target and one prediction in each panel{held_out}, {ylabel} against {xlabel}: "
        f"{listed(curves)}."
    )


@figure(height=3.0)
def fit_with_residuals(ax, x, y, prediction, xlabel="x", ylabel="y"):
    """Draw points, the prediction over one feature, and the residuals as lines between them.

    Args:
        x, y, prediction: shape (n,) or (n, 1), in any order.
        xlabel, ylabel: what the axes count, with units.
    """
    x, y, prediction = (to_array(values).ravel() for values in (x, y, prediction))
    order = x.argsort(kind="stable")
    few = len(x) < 100
    width = 1.6 if few else 0.9
    ax.vlines(x, prediction, y, color="#D55E00", linewidth=width, label="residual", zorder=2)
    ax.plot(x, y, "o", color="#555555", markersize=5 if few else 2, label="data", zorder=3)
    ax.plot(x[order], prediction[order], color="C0", linewidth=2.4, label="prediction", zorder=4)
    label_axes(ax, xlabel, ylabel)
    return (
        f"{name_gaps('Points', x, y)} of {ylabel} against {xlabel}, the prediction, and the "
        "residuals as lines between them."
    )
