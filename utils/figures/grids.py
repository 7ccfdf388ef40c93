"""Schematics of tensors: grids of coloured cells, broadcasting, indexing."""

import numpy as np
import torch
from matplotlib.patches import Rectangle

from utils.figures.style import INK, PALE, SIGNS, bare_axes, figure, listed, to_array

MARK = "#F0C000"


@figure(unit=0.34)
def tensors(ax, **named):
    """Draw tensors side by side as grids of coloured cells with their numbers.

    Blue cells are positive, orange cells negative (the sign is in the cell as well); the shape is
    written below each name. Three axes are a row of grids, one for each place on the first axis.

    Args:
        **named: name -> tensor or array with at most three axes; a vector is drawn as a row.
    """
    values = {name: to_array(tensor) for name, tensor in named.items()}
    largest = max(largest_of(array) for array in values.values())
    left, rows = 0.0, 1
    for name, array in values.items():
        right = left
        for grid in array if array.ndim == 3 else [array]:
            width, height = draw_grid(ax, grid, right, largest=largest)
            right += width + 0.4
        left += write_name(ax, left, right - 0.4 - left, name, array.shape) + 1.0
        rows = max(rows, height)
    bare_axes(ax, (-0.6, left - 0.4), (-rows - 0.2, 1.9))
    parts = (f"{name} of shape {each.shape}, {row_by_row(each)}" for name, each in values.items())
    return f"Tensors drawn as grids of numbers: {'; '.join(parts)}."


@figure(unit=0.34)
def broadcasting(ax, sign="+", **two):
    """Draw two tensors stretched to the common shape, and their sum or difference.

    Args:
        sign: "+" or "-".
        **two: name -> tensor, two of them, with at most two axes and shapes that fit each other.
    """
    (first, a), (second, b) = ((name, to_array(tensor)) for name, tensor in two.items())
    total = a + b if sign == "+" else a - b
    rows = np.atleast_2d(total).shape[0]
    left = 0.0
    beyond = max(0.0, 0.3 * (len(first) + len(second) + 3) - 3)
    for name, array, next_sign in [
        (first, a, sign),
        (second, b, "="),
        (f"{first} {sign} {second}", total, ""),
    ]:
        own = np.zeros(np.atleast_2d(total).shape, dtype=bool)
        own[tuple(slice(length) for length in np.atleast_2d(array).shape)] = True
        whole = np.broadcast_to(array, total.shape)
        width, _ = draw_grid(ax, whole, left, faded=~own)
        write_name(ax, left, width, name, array.shape)
        middle = left + width + 0.75
        ax.text(middle, -rows / 2, next_sign, ha="center", va="center", fontsize=17)
        left += width + 1.5
    bare_axes(ax, (-0.6, left - 0.9 + beyond), (-rows - 0.2, 1.9))
    done = {"+": "added", "-": "subtracted"}[sign]
    return (
        f"Broadcasting: {first} of shape {a.shape} and {second} of shape {b.shape} are each "
        f"repeated to shape {total.shape} (the pale cells), then {done} cell by cell: "
        f"{row_by_row(total)}."
    )


@figure(unit=0.34)
def reductions(ax, tensor, name="x"):
    """Draw a matrix, the sums down its columns below it, and the sums along its rows beside it.

    Args:
        tensor: shape (rows, columns).
        name: what the matrix is called.
    """
    values = to_array(tensor)
    down, along = values.sum(axis=0), values.sum(axis=1)
    largest = max(largest_of(each) for each in (values, down, along))
    width, rows = draw_grid(ax, values, 0.0, largest=largest)
    write_name(ax, 0.0, width, name, values.shape)
    draw_grid(ax, down, 0.0, largest=largest, top=-rows - 1.1)
    wide, _ = draw_grid(ax, along[:, None], width + 1.3, largest=largest)
    style = {"arrowstyle": "->", "color": INK, "linewidth": 1.4}
    for place in (np.arange(values.shape[1]) + 0.5) * width / values.shape[1]:
        ax.annotate("", xy=(place, -rows - 1.05), xytext=(place, -rows - 0.1), arrowprops=style)
    for row in range(rows):
        ends = {"xy": (width + 1.25, -row - 0.5), "xytext": (width + 0.1, -row - 0.5)}
        ax.annotate("", arrowprops=style, **ends)
    for x, y, dim, shape in [
        (width + 1.6 + wide, -rows / 2, 1, along.shape),
        (width + 0.3, -rows - 1.62, 0, down.shape),
    ]:
        words = {"ha": "left", "va": "center", "fontsize": 11.5}
        ax.text(x, y, f"{name}.sum(dim={dim})   {shape}", **words)
    bare_axes(ax, (-0.6, width + wide + 7.4), (-rows - 2.3, 1.9))
    return (
        f"The matrix {name} of shape {values.shape}, {row_by_row(values)}, and sums: dim=0 down "
        f"its columns, {row_by_row(down)} of shape {down.shape}; dim=1 along its rows, "
        f"{row_by_row(along)} of shape {along.shape}."
    )


@figure(unit=0.34)
def selections(ax, tensor, chosen):
    """Draw one tensor several times, each with the cells that an index picks marked.

    Args:
        tensor: a tensor with two axes.
        chosen: label -> anything that indexes the tensor.
    """
    values = torch.as_tensor(to_array(tensor))
    left = 0.0
    for label, index in chosen.items():
        marks = torch.zeros(values.shape, dtype=torch.bool)
        marks[index] = True
        width, rows = draw_grid(ax, values.numpy(), left, marks=marks.numpy())
        left += write_name(ax, left, width, label, values[index].shape) + 1.0
    bare_axes(ax, (-0.6, left - 0.4), (-rows - 0.2, 1.9))
    return f"One tensor several times, with the cells marked that an index picks: {listed(chosen)}."


def row_by_row(values):
    """Return the numbers of an array as they stand in its cells, as a text."""
    if values.ndim == 3:
        return " ".join(row_by_row(grid) for grid in values)
    rows = [" ".join(cell_text(value) for value in row) for row in np.atleast_2d(values)]
    return "[" + " / ".join(rows) + "]"


def largest_of(values):
    """Return the largest magnitude in an array, gaps left out."""
    return float(np.nanmax(np.abs(np.r_[values.astype(float).ravel(), 0.0])))


def draw_grid(ax, values, left, largest=None, faded=None, marks=None, top=0.0, wide=None):
    """Draw one array as a grid from (left, top) downwards; return its width and height.

    A cell is as wide as the longest number needs, or `wide`, for a figure that moves.
    """
    table = np.atleast_2d(values)
    rows, columns = table.shape
    largest = largest_of(table) if largest is None else largest
    texts = [[cell_text(value) for value in line] for line in table]
    # Wide enough for the longest number of this tensor.
    wide = wide or max(1.0, 0.4 + 0.27 * max(len(text) for line in texts for text in line))
    for row in range(rows):
        for column in range(columns):
            value = float(table[row, column])
            pale = faded is not None and faded[row, column]
            marked = marks is not None and marks[row, column]
            color = cell_color(value, largest) if marks is None else MARK if marked else "white"
            corner = (left + column * wide, top - row - 1)
            ax.add_patch(Rectangle(corner, wide, 1, facecolor=color, alpha=0.3 if pale else 1))
            frame = Rectangle(corner, wide, 1, fill=False, edgecolor=PALE, linewidth=0.9)
            ax.add_patch(frame)
            strong = marks is None and not pale and abs(value) > 0.7 * largest
            ax.text(
                corner[0] + wide / 2,
                top - row - 0.52,
                texts[row][column],
                ha="center",
                va="center",
                fontsize=10.5,
                color="white" if strong else "#595959" if pale else INK,
                fontweight="bold" if marked else "normal",
            )
    return columns * wide, rows


def cell_color(value, largest):
    """Return the colour of a cell: white at 0, blue upwards, orange downwards, grey for NaN."""
    if not np.isfinite(value):
        return "#CCCCCC"
    return SIGNS(0.5 + 0.5 * value / largest) if largest else "white"


def cell_text(value):
    """Return a number as the shortest text with at most two decimals."""
    if isinstance(value, np.bool_):
        return "T" if value else "F"
    if np.isnan(value):
        return "nan"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return "0" if text == "-0" else text


def write_name(ax, left, width, name, shape):
    """Write a tensor's name and shape over its grid; return the width that both need."""
    middle = left + width / 2
    ax.text(middle, 0.95, name, ha="center", va="bottom", fontsize=11.5, fontweight="bold")
    ax.text(
        middle, 0.2, str(tuple(shape)), ha="center", va="bottom", fontsize=10.5, color="#555555"
    )
    return max(width, 0.3 * len(name))
