"""Figures of losses: as a surface, over the epochs, over seeds, over learning rates."""

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

ON_BLUE = ["#D55E00", "#000000", "#007A5A", "#9F4C7C", "#8A6100"]  # colours of paths over contours


SLOPES, INTERCEPTS = (-0.6, 4.4), (-1.6, 2.2)  # what the map of losses shows


@figure(height=3.3)
def loss_surface(ax, x, y, paths, gradient=None):
    """Draw the mean squared error of every line m x + c as contours, with paths over it.

    Args:
        x, y: the points, shape (n,).
        paths: label -> (m, c) after each step, shape (steps + 1, 2), at most five.
        gradient: (dL/dm, dL/dc) where the first path begins: an arrow against it, of length 1.
    """
    x, y = to_array(x), to_array(y)
    draw_losses(ax, x, y)
    slope, intercept = np.polyfit(x, y, 1)
    ax.plot(slope, intercept, "*", color="black", markersize=13, label="lowest loss", zorder=5)
    for number, label, path in series(paths, most=len(ON_BLUE)):
        look = {"color": ON_BLUE[number], "marker": MARKERS[number], "markersize": 4}
        ax.plot(*to_array(path).T, linestyle=DASHES[number], linewidth=1.4, label=label, **look)
    arrow = ""
    if gradient is not None:
        start = to_array(next(iter(paths.values())))[0]
        gradient = np.array([float(to_array(part)) for part in gradient])
        tip = start - gradient / np.hypot(*gradient)
        ax.annotate("", tip, start, arrowprops={"arrowstyle": "-|>", "lw": 2.6, "color": "black"})
        ax.plot([], [], color="black", linewidth=2.6, label="against the gradient")
        arrow = " An arrow points against the gradient at the start."
    label_axes(ax, "slope m", "intercept c")
    return (
        "Contours of the mean squared error over slope m and intercept c, darker blue where it is "
        f"larger, with paths: {listed(paths)}.{arrow}"
    )


def draw_losses(ax, x, y):
    """Draw the mean squared error of lines through points as a map."""
    m, c = np.meshgrid(np.linspace(*SLOPES, 120), np.linspace(*INTERCEPTS, 96))
    loss = ((m[..., None] * x + c[..., None] - y) ** 2).mean(axis=-1)
    levels = np.geomspace(0.05, loss.max(), 12)
    ax.contourf(m, c, loss, levels=np.r_[0, levels], cmap="Blues", norm="log", extend="both")
    ax.contour(m, c, loss, levels=levels, colors="#7A9CB8", linewidths=0.6)
    # A unit as long upwards as sideways: the gradient is perpendicular to the contours.
    ax.set(xlim=SLOPES, ylim=INTERCEPTS, aspect="equal")
    ax.grid(visible=False)


@figure(height=3.0, columns=2)
def line_and_loss(axes, x, y, m, c):
    """Draw one line through points with its residuals, and its place on the map of losses.

    Args:
        x, y: the points, shape (n,).
        m, c: the slope and the intercept.
    """
    left, right = axes
    x, y, m, c = to_array(x), to_array(y), float(to_array(m)), float(to_array(c))
    prediction = m * x + c
    ends = np.array([x.min() - 0.5, x.max() + 0.5])
    left.vlines(x, prediction, y, color="#D55E00", linewidth=2, label="residual")
    left.plot(ends, m * ends + c, color="C0", linewidth=2.2, label="line")
    left.plot(x, y, "o", color="#555555", markersize=8, label="points")
    left.set(xlim=ends, ylim=(y.min() - 3, y.max() + 3), xlabel="x", ylabel="y")
    loss = ((y - prediction) ** 2).mean()
    left.set_title(f"loss {loss:.3f}", loc="center")
    draw_losses(right, x, y)
    right.plot(m, c, "D", color=ON_BLUE[0], markersize=9, label="this line", clip_on=False)
    right.set(xlabel="slope m", ylabel="intercept c")
    left.figure.legend(loc="outside lower center", ncols=4)
    return (
        f"Left, points and the line with slope {m:g} and intercept {c:g}, with residuals and the "
        f"loss {loss:.3f}. Right, its place among the losses of all lines."
    )


@figure(height=3.0)
def loss_curves(ax, losses, xlabel="epoch", first=1, best=False):
    """Draw losses on a logarithmic axis.

    Args:
        losses: a history of `fit`, or label -> history or array of shape (e,); at most seven
            curves, where a history with validation gives two.
        xlabel: what the x axis counts: "epoch" or "step".
        first: the number of the first loss, 0 where it was taken before the first step.
        best: mark where each loss on held-out data is lowest.

    What is not finite, or not above 0, has no place on the axis and is counted beside the label.
    """
    curves, names = {}, []
    for label, item in (losses if isinstance(losses, dict) else {"training": losses}).items():
        curves[label] = to_array(getattr(item, "loss", item))
        if getattr(item, "validation_loss", None) is not None:
            curves[f"{label}, held out" if isinstance(losses, dict) else "held out"] = to_array(
                item.validation_loss
            )
    for number, label, values in series(curves):
        place = np.arange(first, first + len(values))
        names.append(name_gaps(label, values, positive=True))
        ax.semilogy(place, values, linestyle=DASHES[number], linewidth=1.6, label=names[-1])
    held_out = [values for label, values in curves.items() if label.endswith("held out")]
    held_out = [values for values in held_out if best and np.isfinite(values).any()]
    for number, values in enumerate(held_out):
        lowest, label = np.nanargmin(values), None if number else f"best {xlabel}"
        ax.axvline(first + lowest, color="#777777", linestyle=":", linewidth=1.2)
        ax.semilogy(first + lowest, values[lowest], "k*", markersize=13, zorder=4, label=label)
    label_axes(ax, xlabel, "loss", legend=len(curves) > 1 or names != list(curves))
    marked = f" The best {xlabel} is marked." if held_out else ""
    return f"Loss on a logarithmic axis against the {xlabel}: {listed(names)}.{marked}"


@figure(height=3.0)
def error_by_setting(ax, errors, xlabel, baseline=None):
    """Draw the error of every seed as a point for each setting, with the medians joined.

    Args:
        errors: setting -> one mean squared error for each seed, shape (seeds,); the settings are
            drawn evenly spaced. A seed that diverged (NaN) is counted in the legend.
        xlabel: what is varied.
        baseline: label -> number, of predictions that the networks should beat, as lines.
    """
    medians, names = [], []
    for place, (setting, values) in enumerate(errors.items()):
        values = to_array(values)
        spread = np.linspace(-0.12, 0.12, len(values))
        ax.semilogy(place + spread, values, "o", color="C0", markersize=4, alpha=0.55)
        medians.append(finite_median(values))
        names.append(name_gaps(str(setting), values, positive=True, word="diverged"))
    ax.semilogy(range(len(medians)), medians, "_-", color="C1", markersize=22, label="median")
    draw_baselines(ax.axhline, baseline)
    for setting, name in zip(errors, names, strict=True):
        if name != str(setting):
            ax.plot([], [], linestyle="none", label=name)
    ax.set(xticks=range(len(medians)), xticklabels=[str(setting) for setting in errors])
    label_axes(ax, xlabel, "mean squared error")
    return (
        f"Mean squared error of each seed on a logarithmic axis, for {xlabel} {listed(names)}, "
        "with the medians joined."
    )


def finite_median(values):
    """Return the median of the finite numbers, NaN where there is none."""
    finite = values[np.isfinite(values)]
    return np.median(finite) if len(finite) else np.nan


def draw_baselines(draw_line, baseline):
    """Draw a line for each baseline, {label: number} or None, with `axhline` or `axvline`."""
    for number, label, value in series(baseline or {}, most=len(DASHES) - 1):
        look = {"color": "#333333", "linestyle": DASHES[number + 1], "linewidth": 1.5}
        draw_line(value, label=label, **look)


@figure(height=3.2)
def seed_strip(ax, values, xlabel, log=False, baseline=None, each="seed"):
    """Draw one point for each seed in a row for each setting, with the medians marked.

    Args:
        values: setting -> one number for each seed, shape (seeds,). What has no place on the axis,
            such as NaN, is counted beside the setting.
        xlabel: what was measured, for example "accuracy on held-out points".
        log: a logarithmic axis.
        baseline: label -> number, of predictions that the networks should beat, as lines.
        each: what a point stands for: "seed", or "split" where the rows were split anew.
    """
    names = []
    bar = min(22, 135 / len(values))  # in points: shorter than the rows are apart
    for row, (setting, numbers) in enumerate(values.items()):
        numbers, label = to_array(numbers), None if row else f"median of the {each}s"
        names.append(name_gaps(str(setting), numbers, positive=log))
        spread = row + np.linspace(-0.2, 0.2, len(numbers))
        ax.plot(numbers, spread, "o", color="C0", markersize=5, alpha=0.55, markeredgewidth=0)
        look = {"color": "C1", "markersize": bar, "markeredgewidth": 3, "linestyle": "none"}
        ax.plot(finite_median(numbers), row, "|", label=label, **look)
    draw_baselines(ax.axvline, baseline)
    ax.set(xlabel=xlabel, xscale="log" if log else "linear")
    ax.set(yticks=range(len(values)), yticklabels=names, ylim=(len(values) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    ax.figure.legend(loc="outside upper right", ncols=3)
    return (
        f"A point for each {each}, in a row with its median for each of: {listed(names)}. On the "
        f"x axis, the {xlabel}."
    )


@figure(height=3.2)
def seed_bands(ax, losses):
    """Draw the loss over the epochs of many seeds: the median and the band of the middle 80 %.

    Args:
        losses: label -> losses, shape (seeds, epochs), at most seven. A seed that diverged (NaN
            from some epoch on) is left out altogether, and counted beside the label.
    """
    names = []
    for number, label, values in series(losses):
        values = to_array(values)
        largest = values.max(axis=1)
        names.append(name_gaps(label, largest, word="diverged"))
        kept = values[np.isfinite(largest)] if np.isfinite(largest).any() else values * np.nan
        low, middle, high = np.quantile(kept, [0.1, 0.5, 0.9], axis=0)
        epochs = np.arange(1, len(middle) + 1)
        ax.fill_between(epochs, low, high, color=f"C{number}", alpha=0.2, linewidth=0)
        ax.semilogy(epochs, middle, linestyle=DASHES[number], color=f"C{number}", label=names[-1])
    ax.set_yscale("log")
    label_axes(ax, "epoch", "loss")
    return (
        "Loss on a logarithmic axis against the epoch, the median of the seeds and a band of the "
        f"middle 80 %: {listed(names)}."
    )


@figure(height=2.9)
def scanned_rates(ax, rates, losses, suggestion=None):
    """Draw the losses of a learning-rate scan, with the suggested rate marked.

    Args:
        rates: shape (k,), ascending.
        losses: shape (k,), each before the step at that rate; NaN is left out, and counted.
        suggestion: a rate, or None if the scan suggests none.
    """
    rates, losses = to_array(rates), to_array(losses)
    finite = losses[np.isfinite(losses)]
    look = {"marker": "o", "markersize": 3, "linewidth": 1.4}
    ax.semilogx(rates, losses, label="loss before the step", **look)
    if len(finite) and 0 < 20 * finite.min() < finite.max():
        ax.set_yscale("log")
    words = name_gaps("Loss before each step", losses)
    words = f"{words} against its learning rate, on a logarithmic axis."
    if suggestion is None:
        if not len(finite):
            write = {"ha": "center", "va": "center", "transform": ax.transAxes}
            ax.text(0.5, 0.5, "the loss is not finite", **write)
        label_axes(ax, "learning rate", "loss", legend=False)
        return f"{words} No rate is suggested."
    best = int(np.nanargmin(losses))
    mark = {"color": "C1", "linestyle": "none", "markersize": 10, "zorder": 4}
    ax.plot(rates[best], losses[best], "v", label="lowest loss", **mark)
    ax.axvline(suggestion, label="suggested rate", color="#000000", linestyle="--", linewidth=1.6)
    label_axes(ax, "learning rate", "loss")
    return f"{words} The lowest loss and the suggested rate are marked."
