"""Figures of choosing settings: curves to recognise, paths, searches, the best of n."""

import numpy as np

from utils.figures.losses import ON_BLUE
from utils.figures.style import (
    DASHES,
    INK,
    MARKERS,
    NEGATIVE,
    bare_axes,
    draw_arrow,
    draw_box,
    figure,
    label_axes,
    listed,
    series,
    to_array,
)


@figure(unit=0.5)
def three_roles(ax):
    """Draw which rows of the data do what: train, compare settings, and report once."""
    boxes = {
        "settings": (0, 0, "#F3F3F3"),
        "training rows": (4.4, 0, "#CFE6F5"),
        "validation rows": (9, 0, "#FBE3C8"),
        "test rows": (13.6, 0, "#CDEBDD"),
    }
    for label, (x, y, color) in boxes.items():
        draw_box(ax, (x, y), (3.2, 0.72), label, color, fontsize=12)
    for start, end in ((0, 4.4), (4.4, 9)):
        draw_arrow(ax, (start, 0), (end, 0), "-", INK, gap=1.75)
    draw_arrow(ax, (9, 0), (13.6, 0), ":", INK, gap=1.75)
    elbow = {"xycoords": "data", "textcoords": "data"}
    look = {"arrowstyle": "-", "linewidth": 1.8, "color": NEGATIVE, "linestyle": "--"}
    ax.annotate("", xy=(0, -1.4), xytext=(9, -1.4), arrowprops=look, **elbow)
    ax.annotate("", xy=(9, -1.4), xytext=(9, -0.42), arrowprops=look, **elbow)
    ax.annotate("", xy=(0, -0.42), xytext=(0, -1.4), arrowprops=look | {"arrowstyle": "->"})
    words = {"ha": "center", "fontsize": 11}
    ax.text(4.5, -1.55, "other settings, many times", va="top", color="#A84300", **words)
    ax.text(4.4, 0.6, "find the weights", va="bottom", **words)
    ax.text(9, 0.6, "compare settings", va="bottom", **words)
    ax.text(13.6, 0.6, "say how good, once", va="bottom", **words)
    bare_axes(ax, (-1.7, 15.5), (-2.3, 1.2))
    return (
        "Settings go to the training rows, which find the weights, then to the validation rows, "
        "which compare settings; from there back to other settings, many times. The test rows come "
        "once, at the end, and say how good it is."
    )


@figure(height=3.4, columns=4, rows=2)
def curve_gallery(axes, runs, ylim=(0.01, 50)):
    """Draw the training and the validation loss of up to seven runs, each in a panel.

    Args:
        runs: name -> history of `fit` with validation.
        ylim: the limits of the logarithmic axis; what lies beyond is cut off.
    """
    for (_, name, run), ax in zip(series(runs, most=len(axes) - 1), axes, strict=False):
        ax.semilogy(run.epoch, to_array(run.loss), color="C0", label="training")
        values = to_array(run.validation_loss)
        ax.semilogy(run.epoch, values, color="C1", linestyle="--", label="held out")
        ax.set(ylim=ylim, yticks=[0.01, 0.1, 1, 10], yticklabels=["0.01", "0.1", "1", "10"])
        ax.set_title(name, loc="left", fontsize=11)
        ax.minorticks_off()
    for ax in axes[len(runs) :]:
        ax.set_axis_off()
    for number, ax in enumerate(axes[: len(runs)]):
        ax.set(
            xlabel="epoch" if number + 4 >= len(runs) else "", ylabel="" if number % 4 else "loss"
        )
    handles, labels = axes[0].get_legend_handles_labels()
    axes[-1].legend(handles, labels, loc="center", frameon=False)
    return (
        "Training loss and held-out loss on a logarithmic axis against the epoch, a panel for each "
        f"of: {listed(runs)}."
    )


@figure(height=3.3)
def optimiser_paths(ax, surface, paths, lowest, xlim, ylim):
    """Draw the paths of optimisers over one surface of two weights.

    Args:
        surface: function of two arrays of one shape, the loss at these weights.
        paths: name -> weights after each step, shape (steps + 1, 2), at most five.
        lowest: the weights of the lowest loss.
        xlim, ylim: the part of the plane that is drawn; a path that leaves it is cut off.
    """
    across, up = np.meshgrid(np.linspace(*xlim, 120), np.linspace(*ylim, 80))
    height = to_array(surface(across, up))
    levels = np.geomspace(height.max() / 3000, height.max(), 11)
    ax.contourf(
        across, up, height, levels=np.r_[0, levels], cmap="Blues", norm="log", extend="both"
    )
    ax.contour(across, up, height, levels=levels, colors="#7A9CB8", linewidths=0.6)
    ax.plot(*lowest, "*", color="black", markersize=13, label="lowest loss", zorder=6)
    ends = []
    for number, name, path in series(paths, most=len(ON_BLUE)):
        look = {"color": ON_BLUE[number], "marker": MARKERS[number], "markersize": 3.5}
        path = np.clip(to_array(path), -1e3, 1e3)
        x, y = path[-1].round(2) + 0.0  # no -0.00
        ends.append(f"{name} ({x:.2f}, {y:.2f})")
        ax.plot(*path.T, linestyle=DASHES[number], linewidth=1.4, label=name, **look)
    # Shrunk to equal units, it keeps its corner: the layout has made room for the labels there.
    ax.set(xlim=xlim, ylim=ylim, aspect="equal", anchor="SW")
    ax.grid(visible=False)
    label_axes(ax, "weight 1", "weight 2")
    return (
        "Contours of a loss over two weights, darker blue where it is larger, with paths of "
        f"{len(path) - 1} steps, which end at: {listed(ends)}."
    )


@figure(height=3.0)
def errors_by_rate(ax, errors, ylabel, at=None):
    """Draw the median and the range of an error over the seeds, against the learning rate.

    Args:
        errors: name -> (rates (k,), ascending, errors (k, seeds)), at most seven.
        ylabel: what was measured.
        at: a rate to mark with a line.
    """
    for number, name, (rates, values) in series(errors):
        rates, values = to_array(rates), to_array(values)
        low, middle, high = values.min(axis=1), np.median(values, axis=1), values.max(axis=1)
        ax.fill_between(rates, low, high, color=f"C{number}", alpha=0.15, linewidth=0)
        look = {"marker": MARKERS[number], "markersize": 5, "linestyle": DASHES[number]}
        ax.semilogx(rates, middle, color=f"C{number}", label=name, **look)
    if at is not None:
        ax.axvline(at, color="#000000", linestyle=":", linewidth=1.6, label=f"rate {at:g}")
    ax.set_xscale("log")
    label_axes(ax, "learning rate", ylabel)
    marked = "" if at is None else f" The rate {at:g} is marked."
    return (
        f"The {ylabel} against the learning rate, on a logarithmic axis, the median of the seeds "
        f"and their range: {listed(errors)}.{marked}"
    )


@figure(height=2.7)
def paired_differences(ax, differences, xlabel):
    """Draw the difference that a change makes for each seed, with the mean and its uncertainty.

    Args:
        differences: change -> one difference for each seed, shape (seeds,).
        xlabel: what was measured.

    The bar reaches two standard errors of the mean to either side.
    """
    for row, (_, values) in enumerate(differences.items()):
        values = to_array(values)
        spread = row + np.linspace(-0.22, 0.22, len(values))
        look = {"color": "C0", "markersize": 4.5, "alpha": 0.5, "markeredgewidth": 0}
        ax.plot(values, spread, "o", label=None if row else "one seed", **look)
        error = 2 * values.std(ddof=1) / np.sqrt(len(values))
        look = {"color": "#000000", "capsize": 5, "elinewidth": 2.4, "markersize": 8}
        label = None if row else "mean ± 2 standard errors"
        ax.errorbar(values.mean(), row, xerr=error, fmt="D", label=label, zorder=4, **look)
    ax.axvline(0, color="#555555", linestyle="--", linewidth=1.2)
    ax.set(xlabel=xlabel, yticks=range(len(differences)), yticklabels=list(differences))
    ax.set_ylim(len(differences) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.figure.legend(loc="outside upper right", ncols=2)
    return (
        f"A point for each seed and the mean with two standard errors, in a row for each of: "
        f"{listed(differences)}. On the x axis, the {xlabel}."
    )


@figure(height=3.2, columns=3)
def searched_settings(axes, searches, xlabel, ylabel, color_label):
    """Draw which settings searches tried, each coloured by its error, and which they chose.

    Args:
        searches: name -> (first setting, second setting, error), shape (tried,) each, the chosen
            setting first; at most three. Errors above 1, or not finite, count as 1.
        xlabel, ylabel: what the two settings are; both axes are logarithmic.
        color_label: what the error is.
    """
    for (number, name, (first, second, errors)), ax in zip(
        series(searches, most=3), axes, strict=False
    ):
        first, second = to_array(first), to_array(second)
        errors = np.nan_to_num(to_array(errors), nan=1).clip(max=1)
        late = slice(None, None, -1)  # the first ones on top of the others
        look = {"cmap": "cividis_r", "vmin": 0, "vmax": 1, "s": 38, "edgecolor": INK, "lw": 0.5}
        points = ax.scatter(first[late], second[late], c=errors[late], **look)
        ring = {"markersize": 15, "markerfacecolor": "none", "markeredgecolor": NEGATIVE}
        ax.plot(first[0], second[0], "o", markeredgewidth=2.2, **ring)
        ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="" if number else ylabel)
        ax.margins(0.1)  # room for the ring
        ax.set_title(name, loc="left", fontsize=11)
    lowest = [
        (min(limit(ax)[0] for ax in axes), max(limit(ax)[1] for ax in axes))
        for limit in (type(axes[0]).get_xlim, type(axes[0]).get_ylim)
    ]
    for ax in axes:
        ax.set(xlim=lowest[0], ylim=lowest[1])
        ax.minorticks_off()
    axes[0].figure.colorbar(points, ax=axes, label=color_label, pad=0.02)
    return (
        f"The settings that searches tried, {ylabel} against {xlabel} on logarithmic axes, "
        f"coloured by the {color_label}, the chosen one ringed: {listed(searches)}."
    )


@figure(height=3.0)
def best_of(ax, numbers, errors, ylabel):
    """Draw an error of the best of n against n, the mean and a band.

    Args:
        numbers: n, shape (k,), ascending.
        errors: name -> errors, shape (k, draws), at most seven: the band is the middle 80 %.
        ylabel: what was measured.
    """
    numbers, ends = to_array(numbers), []
    for number, name, values in series(errors):
        values = to_array(values)
        mean = values.mean(axis=1)
        ends.append(f"{name} from {mean[0]:.1f} to {mean[-1]:.1f}")
        low, high = np.quantile(values, [0.1, 0.9], axis=1)
        ax.fill_between(numbers, low, high, color=f"C{number}", alpha=0.18, linewidth=0)
        look = {"marker": MARKERS[number], "markersize": 4, "linestyle": DASHES[number]}
        ax.plot(numbers, mean, color=f"C{number}", label=name, **look)
    ax.set_xscale("log", base=2)
    ax.set(xticks=numbers, xticklabels=[f"{number:g}" for number in numbers])
    ax.set_ylim(bottom=0)
    label_axes(ax, "n, settings tried", ylabel)
    return (
        f"The {ylabel} of the best of n against n, the mean and the band of the middle 80 %: "
        f"{listed(ends)}."
    )
