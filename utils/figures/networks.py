"""Schematics of networks: units as circles, weights as lines."""

from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from utils.figures.style import (
    INK,
    NEGATIVE,
    PALE,
    POSITIVE,
    bare_axes,
    draw_arrow,
    draw_box,
    figure,
    to_array,
)

BETWEEN_LAYERS, HEIGHT = 2.0, 2.35  # inches, of the drawing of units and lines


@figure(unit=0.46)
def network(ax, units, layer_names=None, node_names=None, edge_names=None):
    """Draw a fully connected network: a column of circles for each layer, a line for each weight.

    Args:
        units: number of units in each layer, input first, for example [3, 4, 2].
        layer_names: a caption for each layer; by default input, hidden, output.
        node_names: for each layer the texts inside its circles.
        edge_names: for each pair of neighbouring layers a dictionary (from, to) -> text.
    """
    last = len(units) - 1
    layer_names = layer_names or ["input", *["hidden"] * (last - 1), "output"]
    step = 2.9
    places = [
        [(layer * step, (count - 1) / 2 - unit) for unit in range(count)]
        for layer, count in enumerate(units)
    ]
    for layer in range(last):
        for start, (x0, y0) in enumerate(places[layer]):
            for end, (x1, y1) in enumerate(places[layer + 1]):
                ax.plot([x0, x1], [y0, y1], color=PALE, linewidth=1.1, zorder=1)
                text = (edge_names or [{}] * last)[layer].get((start, end))
                if text:
                    # Nearer to the end where the lines of this layer lie further apart.
                    share = 0.6 if units[layer] < units[layer + 1] else 0.4
                    spot = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
                    write_on_line(ax, spot, text, fontsize=11)
    colors = ["#CFE6F5", *["#FBE3C8"] * (last - 1), "#CDEBDD"]
    for layer, column in enumerate(places):
        for unit, (x, y) in enumerate(column):
            text = node_names[layer][unit] if node_names else ""
            draw_unit(ax, (x, y), text, colors[layer], radius=0.36, fontsize=10)
        kind = "feature" if layer == 0 else "unit"
        plural = "" if units[layer] == 1 else "s"
        caption = f"{layer_names[layer]}\n{units[layer]} {kind}{plural}"
        ax.text(layer * step, -max(units) / 2 - 0.25, caption, ha="center", va="top", fontsize=11)
    bare_axes(ax, (-1.2, last * step + 1.2), (-max(units) / 2 - 1.55, max(units) / 2 + 0.1))
    layers = ", ".join(f"{name} of {count}" for name, count in zip(layer_names, units, strict=True))
    return (
        f"A network as circles in columns: {layers}. A line, one weight, joins every circle with "
        "every circle of the next column."
    )


@figure(unit=0.5)
def feature_maps(ax, shapes, steps, planes=5):
    """Draw a convolutional network: stacks of maps, and what turns each stack into the next.

    Args:
        shapes: of one sample: (channels, height, width), or (units,) once it is flat.
        steps: what leads from each shape to the next, such as "convolution 3 x 3", one less. A
            window is drawn where the step is a convolution or pools.
        planes: how many maps of a stack are drawn, at most.

    Raises:
        ValueError: there is not one step less than there are shapes.
    """
    if len(steps) != len(shapes) - 1:
        raise ValueError(
            f"There are {len(shapes)} shapes and {len(steps)} steps: from each shape to the next "
            f"leads one step, {len(shapes) - 1} in all."
        )
    place, tallest = 0.0, max(shape[-1] for shape in shapes if len(shape) == 3)
    stacks = []  # of each: left end, width of the front map, offset of the last one
    for number, shape in enumerate(shapes):
        count = min(shape[0], planes) if len(shape) == 3 else 1
        side = 0.6 + 1.0 * shape[-1] / tallest if len(shape) == 3 else 0.28
        high = side if len(shape) == 3 else 0.9 + 1.5 * min(shape[0], 100) / 100
        back = 0.13 * (count - 1)
        color = "#CFE6F5" if number == 0 else "#CDEBDD" if len(shape) == 1 else "#FBE3C8"
        for depth in range(count - 1, -1, -1):
            corner = (place + 0.13 * depth, -high / 2 - back / 2 + 0.13 * depth)
            ax.add_patch(Rectangle(corner, side, high, facecolor=color, edgecolor=INK))
        texts = [" x ".join(map(str, shape[1:])), map_count(shape[0], number)]
        caption = f"{shape[0]}\nunits" if len(shape) == 1 else "\n".join(reversed(texts))
        look = {"ha": "center", "va": "top", "fontsize": 10.5, "linespacing": 1.1}
        ax.text(place + side / 2, -1.35, caption, **look)
        stacks.append((place, side, back))
        place += side + back + 1.75
    for (left, side, back), following, step in zip(stacks, stacks[1:], steps, strict=False):
        start, end = left + side + back, following[0]
        draw_arrow(ax, (start, 0), (end, 0), "-", INK, gap=0.1)
        words = {"ha": "center", "va": "bottom", "fontsize": 9.5, "linespacing": 1.1}
        ax.text((start + end) / 2, 0.12, step.replace(" ", "\n"), **words)
    bare_axes(ax, (-0.35, place - 1.3), (-2.5, 1.3))
    steps = ", ".join(f"{step} to {shape}" for step, shape in zip(steps, shapes[1:], strict=True))
    return (
        f"A convolutional network as stacks of maps, from an image of shape {shapes[0]}: {steps}."
    )


def map_count(channels, number):
    """Return what a stack of maps is called."""
    return "image" if number == 0 and channels == 1 else f"{channels} maps"


@figure(unit=0.42)
def building_block(ax, inputs=8):
    """Draw one unit: inputs times weights, summed with the bias, through the activation function.

    Args:
        inputs: the number of features, up to 9.
    """
    digits = "₁₂₃₄₅₆₇₈₉"
    heights = [0.82 * ((inputs - 1) / 2 - number) for number in range(inputs)]
    for digit, height in zip(digits, heights, strict=False):
        ax.plot([0, 4.6], [height, 0], color=PALE, linewidth=1.2, zorder=1)
        write_on_line(ax, (1.5, height * (1 - 1.5 / 4.6)), f"w{digit}", fontsize=10)
        draw_unit(ax, (0, height), f"x{digit}", "#CFE6F5")
    draw_unit(ax, (4.6, 0), "Σ", "#FBE3C8", radius=0.5, fontsize=17)
    draw_unit(ax, (4.6, -2), "b", "#F3F3F3")
    style = {"arrowstyle": "->", "linewidth": 1.6, "color": INK}
    ax.annotate("", xy=(4.6, -0.55), xytext=(4.6, -1.65), arrowprops=style)
    draw_arrow(ax, (4.6, 0), (8.7, 0), "-", INK, gap=0.62)
    draw_box(ax, (8.7, 0), (1, 1), "φ", "#CDEBDD", fontsize=17)
    draw_arrow(ax, (8.7, 0), (11.4, 0), "-", INK, gap=0.62)
    ax.text(6.62, 0.25, "s = x · w + b", ha="center", va="bottom", fontsize=11)
    ax.text(10.85, 0, " φ(x · w + b)", ha="left", va="center", fontsize=12)
    floor = heights[-1] - 0.62
    captions = [
        (0, "features"),
        (1.9, "weights"),
        (4.6, "sum and bias"),
        (8.7, "activation function"),
    ]
    for place, caption in [*captions, (12.2, "activation")]:
        ax.text(place, floor, caption, ha="center", va="top", fontsize=11)
    bare_axes(ax, (-1.1, 13.6), (floor - 0.75, heights[0] + 0.5))
    return (
        f"One unit, from left to right: {inputs} features, each times its weight; their sum and "
        "the bias b give s; the activation function φ turns s into the unit's activation."
    )


def draw_unit(ax, center, text, color, radius=0.33, fontsize=10.5):
    """Draw a circle with a text in it."""
    ax.add_patch(Circle(center, radius, facecolor=color, edgecolor=INK, zorder=3))
    ax.text(*center, text, ha="center", va="center", zorder=4, fontsize=fontsize)


def write_on_line(ax, place, text, fontsize):
    """Write a text in the middle of a line, which it interrupts."""
    ax.text(*place, text, ha="center", va="center", zorder=2, fontsize=fontsize)
    ax.texts[-1].set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.2})


@figure(unit=1)
def weight_graph(ax, weights):
    """Draw a network as a graph: circles for units, and a line for each weight.

    The larger a weight, the thicker its line: full and blue if it is positive, dashed and orange if
    it is negative. The thickest line belongs to the largest weight of the whole network.

    Args:
        weights: of each layer, as PyTorch stores them, shape (units out, units in), input first.

    Raises:
        ValueError: a layer takes another number of inputs than the one before it gives.
    """
    weights = [to_array(layer) for layer in weights]
    for one, other in zip(weights, weights[1:], strict=False):
        if one.shape[0] != other.shape[1]:
            raise ValueError(
                f"A layer gives {one.shape[0]} numbers and the next takes {other.shape[1]}: put "
                "the weights in the order of the layers, each of shape (units out, units in)."
            )
    units = [weights[0].shape[1], *(layer.shape[0] for layer in weights)]
    places = [
        [(number * BETWEEN_LAYERS, height) for height in unit_heights(count, max(units))]
        for number, count in enumerate(units)
    ]
    largest = max(abs(layer).max() for layer in weights) or 1.0
    for layer, starts, ends in zip(weights, places, places[1:], strict=False):
        for values, end in zip(layer, ends, strict=True):
            for value, start in zip(values, starts, strict=True):
                style = line_of(value)
                width = 0.3 + 4.2 * abs(value) / largest
                ax.plot(*zip(start, end, strict=True), linewidth=width, zorder=1, **style)
    for number, column in enumerate(places):
        radius = min(0.13, 0.42 * HEIGHT / max(units))
        for place in column:
            ax.add_patch(Circle(place, radius, facecolor="white", edgecolor=INK, zorder=3))
        name = "input" if number == 0 else "output" if number == len(weights) else "hidden"
        ax.text(column[0][0], -0.32, f"{name}, {len(column)}", ha="center", va="top", fontsize=11)
    right = places[-1][0][0]
    lines = [Line2D([], [], linewidth=2.6, **line_of(sign)) for sign in (1, -1)]
    ax.legend(lines, ["positive", "negative"], loc="center left", bbox_to_anchor=(1, 0.5))
    ax.get_legend().set_bbox_to_anchor((right + 0.35, HEIGHT / 2), ax.transData)
    bare_axes(ax, (-0.6, right + 1.8), (-0.65, HEIGHT + 0.2))
    layers = "-".join(str(count) for count in units)
    return (
        f"The {layers} network as circles joined by a line for each weight: thicker for larger "
        "ones, full and blue for positive, dashed and orange for negative ones."
    )


def unit_heights(count, most):
    """Return where the units of a layer stand, from top to bottom, around the drawing's middle."""
    step = HEIGHT / max(most - 1, 1)
    return [HEIGHT / 2 + ((count - 1) / 2 - number) * step for number in range(count)]


def line_of(value):
    """Return the colour and line style for the sign of a weight."""
    if value < 0:
        return {"color": NEGATIVE, "linestyle": (0, (2.2, 1.1))}
    return {"color": POSITIVE, "linestyle": "-"}
