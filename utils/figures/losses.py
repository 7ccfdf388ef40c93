"""Figures of losses: as a surface, over the epochs, over seeds, over learning rates."""

import numpy as np

from utils.figures.style import DASHES, MARKERS, figure, to_array


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


@figure(height=2.9)
def scanned_rates(ax, rates, losses, suggestion=None):
    """Draw the losses of a learning-rate scan, with the suggested rate marked.

    Args:
        rates: shape (k,), ascending.
        losses: shape (k,), each before the step at that rate; NaN is left out.
        suggestion: a rate, or None if the scan suggests none.
    """
    rates, losses = to_array(rates), to_array(losses)
    finite = losses[np.isfinite(losses)]
    ax.semilogx(
        rates, losses, marker="o", markersize=3, linewidth=1.4, label="loss before the step"
    )
    if len(finite) and 0 < 20 * finite.min() < finite.max():
        ax.set_yscale("log")
    ax.set(xlabel="learning rate", ylabel="loss")
    words = "The loss over the learning rate on a logarithmic axis, one step at each rate: "
    if suggestion is None:
        if not len(finite):
            write = {"ha": "center", "va": "center", "transform": ax.transAxes}
            ax.text(0.5, 0.5, "the loss is not finite", **write)
        return words + "it falls nowhere, so no rate is suggested."
    best = int(np.nanargmin(losses))
    mark = {"color": "C1", "linestyle": "none", "markersize": 10, "zorder": 4}
    ax.plot(rates[best], losses[best], "v", label="lowest loss", **mark)
    style = {"color": "#000000", "linestyle": "--", "linewidth": 1.6}
    ax.axvline(suggestion, label="suggested rate", **style)
    ax.figure.legend(loc="outside right center")
    return words + "it falls to its lowest point, and half the rate there is marked as suggested."
