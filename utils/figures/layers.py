"""Figures of what flows through the layers of a network: distributions, and one number a layer."""

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from utils.figures.style import (
    DASHES,
    MARKERS,
    NEGATIVE,
    figure,
    label_axes,
    listed,
    name_gaps,
    series,
    to_array,
)

PANELS_IN_A_ROW, MOST_PANELS = 5, 10
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@figure(height=3.3)
def distributions(ax, values, same_scale=True, bins=40, bounds=None):
    """Draw the histogram of each tensor in a panel of its own, with its standard deviation.

    Args:
        values: name -> tensor of any shape, up to ten of them; NaN and infinity are left
            out, and counted.
        same_scale: whether all panels have the same x axis, so that widths can be compared.
        bins: how many bars between the smallest and the largest value: of all tensors if they have
            the same x axis, so that all bars are equally wide, else of each.
        bounds: name -> (low, high), to be marked in that tensor's panel.

    Raises:
        ValueError: there are more than ten.
    """
    if not 1 <= len(values) <= MOST_PANELS:
        raise ValueError(f"A figure has room for 1 to {MOST_PANELS} tensors, not {len(values)}.")
    arrays = [to_array(tensor).astype(float).ravel() for tensor in values.values()]
    gaps = [name_gaps("", array).strip(" ()") for array in arrays]
    arrays = [array[np.isfinite(array)] for array in arrays]
    common = limits_of(np.concatenate(arrays)) if same_scale else None
    panels = panels_in(ax, len(arrays))
    for panel, name, array, gap in zip(panels, values, arrays, gaps, strict=True):
        panel.hist(array, bins=bins, range=common or limits_of(array), color="#3C7FA8")
        for bound in (bounds or {}).get(name, ()):
            panel.axvline(bound, color=NEGATIVE, linewidth=1.6, linestyle="--")
        panel.axvline(0, color="#222222", linewidth=0.9, linestyle=":", zorder=0.5)
        panel.set(xlim=common or limits_of(array), yticks=[])
        panel.spines["left"].set_visible(False)
        panel.xaxis.set_major_locator(MaxNLocator(3))
        spread = f"std {array.std():.3g}" if len(array) else "no finite value"
        left, bottom, _, height = panel.place
        lines = [gap, spread, name] if gap else [spread, name]
        for number, line in enumerate(lines):
            look = {"fontweight": "bold"} if line is name else {"color": "#555555"}
            place = (left, bottom + height + 0.01 + 0.07 * number)
            ax.text(*place, line, ha="left", va="bottom", fontsize=10.5, **look)
    names = [f"{name} ({gap})" if gap else name for name, gap in zip(values, gaps, strict=True)]
    marked = [f"{name} {low:.3g} to {high:.3g}" for name, (low, high) in (bounds or {}).items()]
    marked = f" Dashed lines mark bounds: {listed(marked)}." if marked else ""
    return f"Histograms, each with its standard deviation: {listed(names)}.{marked}"


def limits_of(values):
    """Return the ends of an x axis for values, of which there may be none, or one only."""
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    margin = 0.02 * (high - low) or 0.5
    return low - margin, high + margin


def panels_in(ax, count):
    """Return small axes in rows inside one, each with its `place`: left, bottom, width, height."""
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
def by_layer(ax, values, ylabel, limits=None, xlabel="layer"):
    """Draw a positive number for each layer, such as a gradient norm, on a logarithmic axis.

    Args:
        values: label -> numbers, shape (layers,), the first layer first, at most seven of them. A 0
            has no place on such an axis: it interrupts the line, and is counted beside the label.
        ylabel: what the numbers are.
        limits: (low, high) end of the y axis, for a figure that moves; by default the values'.
        xlabel: what is counted on the x axis.
    """
    names = []
    for number, label, numbers in series(values):
        numbers = np.array([float(to_array(each)) for each in numbers])
        names.append(name_gaps(label, numbers, positive=True))
        numbers[numbers <= 0] = np.nan
        look = {"linestyle": DASHES[number], "marker": MARKERS[number], "markersize": 5.5}
        ax.semilogy(range(1, len(numbers) + 1), numbers, linewidth=1.6, label=names[-1], **look)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(power_of_ten)
    if limits:
        ax.set_ylim(limits)
    label_axes(ax, xlabel, ylabel)
    return f"Layer by layer, on a logarithmic axis, the {ylabel}: {listed(names)}."


def power_of_ten(value, position=None):
    """Return what stands at a tick of a logarithmic axis, without mathematics to be typeset.

    A figure that moves would parse them anew in each picture.
    """
    exponent = round(math.log10(value))
    if math.isclose(value, 10.0**exponent):
        return "10" + str(exponent).translate(SUPERSCRIPTS)
    return f"{value:g}"
