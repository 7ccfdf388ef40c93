"""Figures of what flows through the layers of a network: distributions, and one number a layer."""

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from utils.figures.style import DASHES, MARKERS, figure, to_array

PANELS_IN_A_ROW, MOST_PANELS = 5, 10


@figure(height=3.3)
def distributions(ax, values, message, same_scale=True, bins=40):
    """Draw the histogram of each tensor in a panel of its own, with its standard deviation.

    Args:
        values: name -> tensor of any shape, up to ten of them; NaN and infinity are left out.
        message: what the figure shows, in one sentence, for its text alternative.
        same_scale: whether all panels have the same x axis, so that widths can be compared.
        bins: how many bars in a panel, between the smallest and the largest value.

    Raises:
        ValueError: there are more than ten.
    """
    if not 1 <= len(values) <= MOST_PANELS:
        raise ValueError(f"A figure has room for 1 to {MOST_PANELS} tensors, not {len(values)}.")
    arrays = [to_array(tensor).astype(float).ravel() for tensor in values.values()]
    arrays = [array[np.isfinite(array)] for array in arrays]
    common = limits_of(np.concatenate(arrays)) if same_scale else None
    for panel, name, array in zip(panels_in(ax, len(arrays)), values, arrays, strict=True):
        panel.hist(array, bins=bins, range=limits_of(array), color="#3C7FA8")
        panel.axvline(0, color="#222222", linewidth=0.9, linestyle=":", zorder=0.5)
        panel.set(xlim=common or limits_of(array), yticks=[])
        panel.spines["left"].set_visible(False)
        panel.xaxis.set_major_locator(MaxNLocator(3))
        spread = f"std {array.std():.3g}" if len(array) else "no finite value"
        left, bottom, _, height = panel.place
        write = {"ha": "left", "va": "bottom", "fontsize": 10.5}
        ax.text(left, bottom + height + 0.08, name, fontweight="bold", **write)
        ax.text(left, bottom + height + 0.01, spread, color="#555555", **write)
    return f"{message} Histograms of {', '.join(values)}, each with its standard deviation."


def limits_of(values):
    """The ends of an x axis for values, of which there may be none, or one only."""
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    margin = 0.02 * (high - low) or 0.5
    return low - margin, high + margin


def panels_in(ax, count):
    """Small axes in rows inside one, each with its `place` there: left, bottom, width, height."""
    ax.set_axis_off()
    rows = math.ceil(count / PANELS_IN_A_ROW)
    columns = math.ceil(count / rows)
    width, height = 1 / (columns + 0.18 * (columns - 1)), 1 / rows
    panels = []
    for number in range(count):
        row, column = divmod(number, columns)
        bottom = (rows - 1 - row) * height + 0.07
        place = (1.18 * width * column, bottom, width, height - 0.27)
        panels.append(ax.inset_axes(place))
        panels[-1].place = place
        panels[-1].grid(axis="y", visible=False)
    return panels


@figure(height=3.0)
def by_layer(ax, series, ylabel, message):
    """Draw a positive number for each layer, such as a gradient norm, on a logarithmic axis.

    Args:
        series: label -> numbers, shape (layers,), the first layer first, up to seven of them. A 0
            has no place on such an axis: it interrupts the line.
        ylabel: what the numbers are.
        message: what the figure shows, in one sentence, for its text alternative.
    """
    for number, (label, values) in enumerate(series.items()):
        values = np.array([float(to_array(value)) for value in values])
        values[values <= 0] = np.nan
        style = {"linestyle": DASHES[number], "marker": MARKERS[number], "markersize": 5.5}
        ax.semilogy(range(1, len(values) + 1), values, linewidth=1.6, label=label, **style)
    ax.set(xlabel="layer", ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    ax.figure.legend(loc="outside right center")
    return f"{message} The {ylabel} on a logarithmic axis, layer by layer, of {', '.join(series)}."
