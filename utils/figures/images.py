"""Figures of images: in a grid, under a window that moves, as maps of signed numbers, outlined."""

import math
import operator

import numpy as np
from matplotlib.patches import Ellipse, Rectangle

from utils.figures.grids import MARK, cell_color, cell_text, draw_grid
from utils.figures.style import (
    INK,
    PALE,
    SIGNS,
    bare_axes,
    figure,
    listed,
    to_array,
)

CELL = 1.65  # as wide as "-0.75" in a window's products, whatever stands there
WIDE = 7.2 / 3.1  # of a grid of images: as wide as the figure, and not higher


@figure(height=3.3)
def images(ax, pictures, titles=None):
    """Draw grey images in a grid, dark where a number is large, all on one scale.

    Args:
        pictures: shape (n, height, width) or (n, 1, height, width).
        titles: a text over each, n of them.

    Raises:
        ValueError: the shape is another one, there is no image, or another number of titles.
    """
    values = grey(pictures)
    titles = named_cells(titles, len(values))
    lines = max((title.count("\n") + 1 for title in titles), default=1) if any(titles) else 0
    rows, columns = grid_of(len(values), 1 + 0.3 * lines)
    scale = {"cmap": "Greys", "vmin": min(0, values.min()), "vmax": values.max()}
    for number, (picture, title) in enumerate(zip(values, titles, strict=True)):
        left, low = 1.12 * (number % columns), -(1.12 + 0.3 * lines) * (number // columns)
        extent = (left, left + 1, low, low + 1)
        ax.imshow(picture, extent=extent, interpolation="nearest", **scale)
        look = {"fill": False, "edgecolor": PALE, "linewidth": 0.8, "zorder": 3}
        ax.add_patch(Rectangle((left, low), 1, 1, **look))
        size = min(11, 78 / columns + 2)
        words = {"ha": "center", "va": "bottom", "fontsize": size, "linespacing": 1.05}
        ax.text(left + 0.5, low + 1.04, title, **words)
    bottom = -(1.12 + 0.3 * lines) * (rows - 1)
    bare_axes(ax, (-0.05, 1.12 * columns - 0.07), (bottom - 0.05, 1.05 + 0.3 * lines))
    one_line = [title.replace("\n", ", ") for title in titles if title]
    said = f": {'; '.join(one_line)}" if one_line else ""
    shape = " x ".join(str(length) for length in values.shape[1:])
    return f"Grey images of {shape} pixels, {len(values)} in all{said}."


@figure(height=3.2)
def signed_maps(ax, maps, most_columns=8):
    """Draw maps of numbers in a grid, blue above 0 and orange below, all on one colour scale.

    A cell is as large in each of them, so that sizes can be compared.

    Args:
        maps: name -> tensor (height, width); or shape (n, height, width), without names.
        most_columns: how many stand side by side, at most.

    Raises:
        ValueError: there is no map, or one has another number of axes.
    """
    if not isinstance(maps, dict):
        maps = to_array(maps)
        if maps.ndim != 3:
            mend = "maps[None] adds one" if maps.ndim < 3 else "take those of one sample, maps[0]"
            raise ValueError(
                f"The maps have the shape {maps.shape}, and a stack of them has three axes, (n, "
                f"height, width): {mend}."
            )
        maps = {str(number): each for number, each in enumerate(maps)}
    names, arrays = list(maps), [to_array(each).astype(float) for each in maps.values()]
    if not arrays:
        raise ValueError("There is no map to draw.")
    for name, array in zip(names, arrays, strict=True):
        if array.ndim != 2:
            zeros = ", ".join("0" * (array.ndim - 2))
            place = f"maps[{name!r}][{zeros}] is the first" if zeros else "[None] adds an axis"
            raise ValueError(
                f"The map {name} has the shape {array.shape}, and a map has two axes, (height, "
                f"width): {place}."
            )
    rows, columns = grid_of(len(arrays), 1.9, most_columns)
    height, width = (max(array.shape[axis] for array in arrays) for axis in (0, 1))
    largest = max(float(np.nanmax(np.abs(array))) for array in arrays) or 1.0
    gap, over = 0.18 * width, 0.3 * height * min(1, columns / 4 + 0.25)
    for number, (name, array) in enumerate(zip(names, arrays, strict=True)):
        left = (width + gap) * (number % columns) + (width - array.shape[1]) / 2
        top = -(height + over) * (number // columns) - (height - array.shape[0]) / 2
        extent = (left, left + array.shape[1], top - array.shape[0], top)
        scale = {"cmap": SIGNS, "vmin": -largest, "vmax": largest}
        image = ax.imshow(array, extent=extent, interpolation="nearest", **scale)
        look = {"fill": False, "edgecolor": PALE, "linewidth": 0.8, "zorder": 3}
        ax.add_patch(Rectangle((left, top - array.shape[0]), *array.shape[::-1], **look))
        words = {"ha": "center", "va": "bottom", "fontsize": min(11, 66 / columns + 3)}
        ax.text(left + array.shape[1] / 2, top + 0.04 * height, name, **words)
    right, low = (width + gap) * columns - gap, -(height + over) * (rows - 1) - height
    bare_axes(ax, (-0.02 * right, 1.02 * right), (low - 0.04 * height, over))
    ticks = [-largest, 0, largest]
    bar = ax.figure.colorbar(image, ax=ax, ticks=ticks, shrink=0.8, aspect=16)
    bar.ax.set_yticklabels([cell_text(tick) if largest >= 0.1 else f"{tick:.1g}" for tick in ticks])
    return (
        f"Maps on one colour scale, blue above 0 and orange below, the largest magnitude "
        f"{largest:.2g}: {listed(names)}."
    )


@figure(unit=0.3)
def window(ax, image, kernel, row, column, name="kernel"):
    """Draw a window over an image, the products of its numbers with the kernel's, and their sum.

    The window starts at the upper left and goes row by row; the cells of the map that it has
    passed are filled.

    Args:
        image: shape (height, width).
        kernel: shape (rows, columns), not larger than the image.
        row, column: of the window's upper left cell, from 0.
        name: what the kernel is called.

    Raises:
        ValueError: image or kernel have another number of axes, the kernel is larger than the
            image, or the window would leave the image or stand between pixels.
    """
    values, weights = to_array(image).astype(float), to_array(kernel).astype(float)
    row, column = checked_window(values, weights, row, column)
    high, wide = weights.shape
    heights, widths = (
        length - own + 1 for length, own in zip(values.shape, weights.shape, strict=True)
    )
    patch = values[row : row + high, column : column + wide]
    products = patch * weights
    place = row * widths + column
    passed = [
        (values[r : r + high, c : c + wide] * weights).sum()
        for r, c in (divmod(number, widths) for number in range(heights * widths))
    ]
    strongest = max(abs(number) for number in passed) or 1.0
    draw_ink(ax, values, 0.0)
    frame = {"fill": False, "edgecolor": MARK, "linewidth": 3, "zorder": 4}
    ax.add_patch(Rectangle((column, -row - high), wide, high, **frame))
    head = {"ha": "center", "va": "bottom", "fontsize": 11}
    ax.text(values.shape[1] / 2, 0.15, "image", **head)
    left = values.shape[1] + 1.0
    top = -(values.shape[0] - 2 * high - 1.6) / 2
    across, _ = draw_grid(ax, weights, left, top=top, wide=CELL)
    ax.text(left + across / 2, top + 0.15, name, **head)
    below = top - high - 1.6
    draw_grid(ax, products, left, top=below, wide=CELL)
    ax.text(left + across / 2, below + 0.15, "products", **head)
    end = left + across
    words = {"ha": "left", "va": "center", "fontsize": 12}
    ax.text(end + 0.35, below - high / 2, f"sum {signed(passed[place])}", **words)
    start = end + 3.9
    side = values.shape[0] / heights  # the map is drawn as high as the image
    for number in range(heights * widths):
        r, c = divmod(number, widths)
        known = number <= place
        color = cell_color(passed[number], strongest) if known else "white"
        corner = (start + c * side, -(r + 1) * side)
        ax.add_patch(Rectangle(corner, side, side, facecolor=color, edgecolor=PALE, linewidth=0.7))
    r, c = divmod(place, widths)
    ax.add_patch(Rectangle((start + c * side, -(r + 1) * side), side, side, **frame))
    ax.text(start + widths * side / 2, 0.15, "map", **head)
    bare_axes(ax, (-0.3, start + widths * side + 0.3), (-values.shape[0] - 0.3, 1.7))
    return (
        f"A window of {high} x {wide} pixels at row {row}, column {column} of an image, the "
        f"{name} and the products: their sum is {signed(passed[place])}. The map is filled up to "
        "there."
    )


@figure(height=3.3)
def outlines(ax, pictures, true, predicted=None):
    """Draw coloured images with the outlines of ellipses: true ones solid, predicted ones dashed.

    Args:
        pictures: shape (n, 3, height, width), from 0 to 1, or whole numbers from 0 to 255.
        true, predicted: xc, yc, rx, ry of each image's ellipse in pixels, shape (n, 4), as the
            upright ellipse (x - xc)²/rx² + (y - yc)²/ry² = 1; pixel (row i, column j) has its
            centre at x = j, y = i.

    Raises:
        ValueError: the images or the targets have another shape.
    """
    values = to_array(pictures)
    if values.ndim != 4 or values.shape[1] != 3:
        raise ValueError(
            f"The images have the shape {values.shape}; coloured ones are (n, 3, height, width): "
            "channels last, (n, height, width, 3), become that by permute(0, 3, 1, 2)."
        )
    if values.dtype.kind in "ui":
        values = values / 255
    true = to_array(true)
    sets = [(true, "-", "true")]
    if predicted is not None:
        sets.append((to_array(predicted), "--", "predicted"))
    for numbers, _, name in sets:
        if numbers.shape != (len(values), 4):
            raise ValueError(
                f"The {name} outlines have the shape {numbers.shape}; four numbers an image, "
                f"xc, yc, rx, ry, are ({len(values)}, 4)."
            )
    rows, columns = grid_of(len(values), 1.0)
    height, width = values.shape[2:]
    for number, picture in enumerate(values):
        left, top = 1.08 * width * (number % columns), -1.08 * height * (number // columns)
        extent = (left, left + width, top - height, top)
        picture = np.clip(picture.transpose(1, 2, 0), 0, 1)
        ax.imshow(picture, extent=extent, interpolation="nearest")
        inside = Rectangle((left, top - height), width, height, transform=ax.transData)
        for outline, line, _ in sets:
            xc, yc, rx, ry = outline[number]
            for color, thick in (("white", 3.4), (INK, 1.6)):
                look = {"edgecolor": color, "linewidth": thick, "linestyle": line, "zorder": 4}
                middle = (left + xc + 0.5, top - yc - 0.5)
                oval = ax.add_patch(Ellipse(middle, 2 * rx, 2 * ry, fill=False, **look))
                oval.set_clip_path(inside)
    for _, line, name in sets:
        ax.plot([], [], line, color=INK, linewidth=1.6, label=name)
    bare_axes(ax, (-1, 1.08 * width * columns), (-1.08 * height * rows, 1))
    ax.figure.legend(loc="outside right center")
    names = " and ".join(f"{name} outlines" for *_, name in sets)
    return (
        f"Coloured images of {height} x {width} pixels, {len(values)} in all, with the {names} of "
        "ellipses."
    )


def grey(pictures):
    """Return grey images as an array (n, height, width)."""
    values = to_array(pictures)
    if values.ndim == 4 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 3:
        mend = "images[None] makes n = 1 of a single one."
        if values.ndim > 4:
            mend = "images.flatten(0, -3) makes one axis of all but height and width."
        if values.ndim == 4:
            mend = "of images with several channels, show one: images[:, 0] is the first."
        if values.ndim == 4 and values.shape[-1] in (1, 3):
            mend = "channels last, as in most files, become that by permute(0, 3, 1, 2)[:, :1]."
        raise ValueError(
            f"The images have the shape {values.shape}; grey ones are (n, height, width) or "
            f"(n, 1, height, width): {mend}"
        )
    if not values.size:
        raise ValueError(f"There is no image to draw: their shape is {values.shape}.")
    return values.astype(float)


def named_cells(titles, count):
    """Return a title for each of so many images, empty ones if there are none."""
    titles = [""] * count if titles is None else [str(title) for title in titles]
    if len(titles) != count:
        raise ValueError(f"There are {count} images and {len(titles)} titles.")
    return titles


def grid_of(count, height, most_columns=12):
    """Return the rows and columns of a grid that fills a figure; a cell is 1 wide, so high."""
    columns = math.ceil(math.sqrt(count * WIDE * height))
    columns = max(1, min(count, most_columns, columns))
    rows = math.ceil(count / columns)
    return rows, math.ceil(count / rows)


def checked_window(image, kernel, row, column):
    """Refuse an image, a kernel and a place that do not fit each other; return the place."""
    if image.ndim != 2 or kernel.ndim != 2:
        raise ValueError(
            f"The image has the shape {image.shape} and the kernel {kernel.shape}; each needs two "
            "axes, (height, width): take one channel of one sample, images[0, 0]."
        )
    if any(own > length for own, length in zip(kernel.shape, image.shape, strict=True)):
        raise ValueError(
            f"The kernel, {kernel.shape}, is larger than its image, {image.shape}: there is no "
            "place for it. Take a smaller kernel, or pad the image."
        )
    last = tuple(length - own for own, length in zip(kernel.shape, image.shape, strict=True))
    try:
        row, column = operator.index(row), operator.index(column)
    except TypeError:
        raise ValueError(
            f"The window cannot stand at row {row}, column {column}: give whole numbers, from 0."
        ) from None
    if not (0 <= row <= last[0] and 0 <= column <= last[1]):
        raise ValueError(
            f"The window at row {row}, column {column} leaves the image: rows go from 0 to "
            f"{last[0]}, columns to {last[1]}."
        )
    return row, column


def draw_ink(ax, values, left):
    """Draw an image as grey cells, a unit each, from (left, 0) downwards."""
    rows, columns = values.shape
    extent = (left, left + columns, -rows, 0)
    scale = {"cmap": "Greys", "vmin": min(0, values.min()), "vmax": values.max() or 1}
    ax.imshow(values, extent=extent, interpolation="nearest", **scale)
    look = {"fill": False, "edgecolor": PALE, "linewidth": 0.9}
    ax.add_patch(Rectangle((left, -rows), columns, rows, **look))


def signed(number):
    """Return a number with at most two decimals, and a real minus sign."""
    return cell_text(number).replace("-", "\N{MINUS SIGN}")
