"""Figures of data, functions and training: one function a figure.

Each one draws and shows; with `ax=` it draws there and returns it. Arguments are tensors on any
device, with or without gradients, or NumPy arrays.
"""

import numpy as np

from utils.figures import figure, to_array

MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]


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


# ------------------------------------------------------------------------------- fits and losses
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


@figure(height=3.3)
def loss_surface(ax, x, y, paths, message):
    """Draw the mean squared error of every line m x + c as contours, with paths over it.

    Args:
        x, y: the points, shape (n,).
        paths: label -> (m, c) after each step, shape (steps + 1, 2).
        message: what the figure shows, in one sentence, for its text alternative.
    """
    x, y = to_array(x), to_array(y)
    m, c = np.meshgrid(np.linspace(-0.6, 4.4, 200), np.linspace(-1.6, 2.2, 160))
    loss = ((m[..., None] * x + c[..., None] - y) ** 2).mean(axis=-1)
    levels = np.geomspace(0.05, loss.max(), 12)
    ax.contourf(m, c, loss, levels=np.r_[0, levels], cmap="Blues", norm="log", extend="both")
    ax.contour(m, c, loss, levels=levels, colors="#7A9CB8", linewidths=0.6)
    slope, intercept = np.polyfit(x, y, 1)
    ax.plot(slope, intercept, "*", color="black", markersize=13, label="least loss", zorder=5)
    colors = ["#D55E00", "#000000", "#007A5A"]
    for number, (label, path) in enumerate(paths.items()):
        path = to_array(path)
        style = {"color": colors[number], "marker": MARKERS[number], "markersize": 4}
        ax.plot(*path.T, linestyle=DASHES[number], linewidth=1.4, label=label, **style)
    ax.set(xlabel="slope m", ylabel="intercept c", xlim=(-0.6, 4.4), ylim=(-1.6, 2.2))
    ax.grid(visible=False)
    ax.figure.legend(loc="outside right center")
    return f"{message} Axes: slope m and intercept c; darker blue is a larger loss."


@figure(height=3.0)
def loss_curves(
    ax, losses, xlabel="epoch", message="Training brings the loss down.", first=1, best=False
):
    """Draw losses on a logarithmic axis.

    Args:
        losses: a history of `fit`, or label -> history or array of shape (e,).
        xlabel: what the x axis counts: "epoch" or "step".
        message: what the figure shows, in one sentence, for its text alternative.
        first: the number of the first loss, 0 where it was taken before the first step.
        best: mark where each loss on held-out data is least.
    """
    curves = {}
    for label, item in (losses if isinstance(losses, dict) else {"training": losses}).items():
        curves[label] = to_array(getattr(item, "loss", item))
        if getattr(item, "validation_loss", None) is not None:
            curves[f"{label}, held out" if isinstance(losses, dict) else "held out"] = to_array(
                item.validation_loss
            )
    for number, (label, values) in enumerate(curves.items()):
        place = np.arange(first, first + len(values))
        ax.semilogy(place, values, linestyle=DASHES[number], linewidth=1.6, label=label)
    held_out = [values for label, values in curves.items() if label.endswith("held out")]
    for number, values in enumerate(held_out if best else []):
        least, label = values.argmin(), None if number else f"best {xlabel}"
        ax.axvline(first + least, color="#777777", linestyle=":", linewidth=1.2)
        ax.semilogy(first + least, values[least], "k*", markersize=13, zorder=4, label=label)
    ax.set(xlabel=xlabel, ylabel="loss")
    if len(curves) > 1:
        ax.figure.legend(loc="outside right center")
    return f"{message} Loss on a logarithmic axis against the {xlabel}: {', '.join(curves)}."


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


@figure(height=2.6)
def activation_grid(ax, x, activations, message):
    """Draw the activations of a layer as one grid: a row for each unit, colour for the value.

    Args:
        x: the inputs, shape (n,), in ascending order and evenly spaced.
        activations: shape (n, units).
        message: what the figure shows, in one sentence, for its text alternative.
    """
    x, activations = to_array(x).ravel(), to_array(activations)
    units = activations.shape[1]
    largest = np.abs(activations).max()
    edges = (x[0], x[-1], units + 0.5, 0.5)
    style = {"cmap": "PuOr_r", "vmin": -largest, "vmax": largest, "interpolation": "nearest"}
    image = ax.imshow(activations.T, aspect="auto", extent=edges, **style)
    ax.set(xlabel="x", ylabel="hidden unit", yticks=range(1, units + 1))
    ax.grid(visible=False)
    ax.figure.colorbar(image, label="activation")
    return f"{message} A row for each of the {units} hidden units, its activation as colour over x."


@figure(height=3.1)
def weighted_sum(ax, x, parts, total, message, part="unit"):
    """Draw what each hidden unit adds to the prediction, and the sum.

    Args:
        x: shape (n,), in ascending order.
        parts: each unit's activation times its output weight, shape (n, units).
        total: the prediction, shape (n,) or (n, 1).
        message: what the figure shows, in one sentence, for its text alternative.
        part: what one column of `parts` is of.
    """
    x, parts = to_array(x).ravel(), to_array(parts)
    for column in range(parts.shape[1]):
        label = f"each {part}'s part" if column == 0 else None
        ax.plot(x, parts[:, column], color="#3C7FA8", linewidth=1.1, linestyle="--", label=label)
    ax.plot(x, to_array(total).ravel(), color="#D55E00", linewidth=2.4, label="prediction")
    ax.set(xlabel="x", ylabel="contribution")
    ax.figure.legend(loc="outside right center")
    return f"{message} The parts of {parts.shape[1]} {part}s as dashed curves, their sum as a line."


@figure(height=3.0)
def error_by_setting(ax, settings, errors, xlabel, message, baseline=None):
    """Draw the error of every seed as a point for each setting, with the medians joined.

    Args:
        settings: k numbers, drawn evenly spaced.
        errors: k arrays, one error for each seed.
        xlabel: what is varied.
        message: what the figure shows, in one sentence, for its text alternative.
        baseline: the error of a prediction that has learnt nothing, as a line.
    """
    for place, values in enumerate(errors):
        values = to_array(values)
        spread = np.linspace(-0.12, 0.12, len(values))
        ax.semilogy(place + spread, values, "o", color="C0", markersize=4, alpha=0.55)
    medians = [np.median(to_array(values)) for values in errors]
    ax.semilogy(range(len(medians)), medians, "_-", color="C1", markersize=22, label="median")
    if baseline is not None:
        ax.axhline(baseline, color="#555555", linestyle=":", label="always the mean")
    ax.set(xlabel=xlabel, ylabel="mean squared error", xticks=range(len(medians)))
    ax.set_xticklabels([str(setting) for setting in settings])
    ax.figure.legend(loc="outside right center")
    return f"{message} A point for each seed, mean squared error on a logarithmic axis by {xlabel}."


@figure(height=3.2)
def seed_strip(ax, values, xlabel, message, log=False, baseline=None, each="seed"):
    """Draw one point for each seed in a row for each setting, with the medians marked.

    Args:
        values: setting -> one number for each seed, shape (seeds,).
        xlabel: what was measured, for example "accuracy on held-out points".
        message: what the figure shows, in one sentence, for its text alternative.
        log: a logarithmic axis.
        baseline: label -> number, of predictions that the networks should beat, as lines.
        each: what a point stands for: "seed", or "split" where the rows were dealt anew.
    """
    for row, numbers in enumerate(values.values()):
        numbers, label = to_array(numbers), None if row else f"median of the {each}s"
        spread = row + np.linspace(-0.2, 0.2, len(numbers))
        ax.plot(numbers, spread, "o", color="C0", markersize=5, alpha=0.55, markeredgewidth=0)
        style = {"color": "C1", "markersize": 22, "markeredgewidth": 3, "linestyle": "none"}
        ax.plot(np.median(numbers), row, "|", label=label, **style)
    for number, (label, value) in enumerate((baseline or {}).items()):
        ax.axvline(value, color="#333333", linestyle=DASHES[number + 1], linewidth=1.5, label=label)
    ax.set(xlabel=xlabel, xscale="log" if log else "linear")
    ax.set(yticks=range(len(values)), yticklabels=values, ylim=(len(values) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    ax.figure.legend(loc="outside upper right", ncols=3)
    rows = ", ".join(str(setting) for setting in values)
    return f"{message} A row of points, one for each {each}, with its median: {rows}; {xlabel}."


@figure(height=3.2)
def seed_bands(ax, losses, message):
    """Draw the loss over the epochs of many seeds: the median and the band of the middle 80 %.

    Args:
        losses: label -> losses, shape (seeds, epochs).
        message: what the figure shows, in one sentence, for its text alternative.
    """
    for number, (label, values) in enumerate(losses.items()):
        low, middle, high = np.quantile(to_array(values), [0.1, 0.5, 0.9], axis=0)
        epochs = np.arange(1, len(middle) + 1)
        ax.fill_between(epochs, low, high, color=f"C{number}", alpha=0.2, linewidth=0)
        ax.semilogy(epochs, middle, linestyle=DASHES[number], color=f"C{number}", label=label)
    ax.set(xlabel="epoch", ylabel="loss", yscale="log")
    ax.figure.legend(loc="outside right center")
    return f"{message} Median and middle 80 % of the seeds for {', '.join(losses)}."
