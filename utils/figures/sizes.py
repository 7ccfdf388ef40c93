"""Figures of what grows: counts as bars, the order of rows, curves over sizes, processes."""

import numpy as np
from matplotlib.ticker import LogFormatter

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

HATCHES = ["", "///", "...", "xxx", "\\\\\\", "++", "oo"]


class PlainNumbers(LogFormatter):
    """Ticks of a logarithmic axis as 0.1 and 3,000, between powers of ten where these are few."""

    def __call__(self, value, position=None):
        return f"{value:,g}" if super().__call__(value, position) else ""


@figure(height=2.6)
def stacked_bars(ax, rows, xlabel, share=False):
    """Draw a bar for each row, made of its parts.

    Args:
        rows: name -> {part: amount, 0 or more}; the parts have the same names in all rows.
        xlabel: what the amounts count.
        share: whether every bar shows shares of its own sum, in percent.
    """
    parts = list(next(iter(rows.values())))
    totals = [sum(amounts.values()) for amounts in rows.values()]
    left = np.zeros(len(rows))
    for number, part, _ in series(dict.fromkeys(parts)):
        amounts = np.array([amounts[part] for amounts in rows.values()], dtype=float)
        if share:
            amounts = 100 * amounts / totals
        look = {"hatch": HATCHES[number], "edgecolor": "white", "label": part}
        ax.barh(range(len(rows)), amounts, left=left, height=0.6, color=f"C{number}", **look)
        left += amounts
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    label_axes(ax, xlabel, "", legend=len(parts) > 1)
    of = f", each made of {listed(parts)}" if len(parts) > 1 else ""
    return f"Bars of {xlabel} for {listed(rows)}{of}."


@figure(height=3.2)
def row_order(ax, order, chunk, title):
    """Draw which row of a file stands where in a pass, as a point for each row.

    Args:
        order: the rows' numbers in the order in which they come, shape (n,).
        chunk: rows in a chunk of the file, whose borders are drawn as lines.
        title: how the order was made.
    """
    order = to_array(order)
    for border in range(0, len(order) + 1, chunk):
        ax.axhline(border - 0.5, color="#BBBBBB", linewidth=0.7, zorder=0)
    ax.plot(order, ".", color="C0", markersize=3.5)
    ax.grid(visible=False)
    ax.set(title=title, xlim=(-2, len(order) + 1), ylim=(-3, len(order) + 2))
    label_axes(ax, "place in the pass", "row in the file", legend=False)
    return f"Row in the file against its place in the pass, with borders of chunks: {title}."


@figure(height=3.0)
def log_curves(ax, x, values, xlabel, ylabel):
    """Draw curves over a size, both axes logarithmic.

    Args:
        x: the sizes, shape (n,), above 0.
        values: label -> numbers above 0, shape (n,), at most seven curves.
    """
    ends = []
    for number, label, curve in series(values):
        look = {"linestyle": DASHES[number], "marker": MARKERS[number], "markersize": 5}
        curve = to_array(curve)
        ax.loglog(to_array(x), curve, linewidth=1.6, label=label, **look)
        ends.append(f"{label} from {three_digits(curve[0])} to {three_digits(curve[-1])}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PlainNumbers())
        axis.set_minor_formatter(PlainNumbers(minor_thresholds=(2, 0.5)))
    label_axes(ax, xlabel, ylabel)
    return f"Curves of {ylabel} against {xlabel}, on logarithmic axes: {listed(ends)}."


def three_digits(value):
    """Return a number as a text with three significant digits, without an exponent: 2,160."""
    return f"{float(f'{value:.3g}'):,g}"


@figure(unit=0.5)
def ranks(ax):
    """Draw one step of two processes: own rows, own gradient, one mean, the same step."""
    places = {"rank 0": 0.0, "rank 1": -2.6}
    colors = ["#F3F3F3", "#CFE6F5", "#FBE3C8"]
    for rank, y in places.items():
        labels = ["its rows", "a copy of\nthe model", "its gradient"]
        for number, (label, color) in enumerate(zip(labels, colors, strict=True)):
            draw_box(ax, (3.4 * number, y), (2.4, 1.1), label, color)
        for number in range(2):
            draw_arrow(ax, (3.4 * number, y), (3.4 * number + 3.4, y), "-", INK, gap=1.3)
        draw_arrow(ax, (6.8, y), (10.8, -1.3 + 0.25 * np.sign(y + 1.3)), "-", NEGATIVE, gap=1.4)
        ax.text(-1.5, y, rank, ha="right", va="center", fontsize=11.5, fontweight="bold")
    draw_box(ax, (10.9, -1.3), (2.7, 1.3), "mean\ngradient", "#FBE3C8")
    draw_box(ax, (14.7, -1.3), (2.7, 1.3), "the same\nstep in both", "#CDEBDD")
    draw_arrow(ax, (10.9, -1.3), (14.7, -1.3), "-", INK, gap=1.45)
    bare_axes(ax, (-3.2, 16.2), (-3.4, 0.8))
    return (
        "Two processes, rank 0 and rank 1: each has its rows, a copy of the model, its gradient; "
        "the mean gradient goes to both, which take the same step."
    )
