"""Drawn schematics: tensors as coloured grids, broadcasting, computation graphs, networks."""

import numpy as np
import torch
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from utils.figures import figure, to_array

POSITIVE, NEGATIVE, NEUTRAL = "#0072B2", "#D55E00", "#FFFFFF"
INK, PALE, MARK = "#222222", "#999999", "#F0C000"


# ------------------------------------------------------------------------------ tensors as grids
@figure(unit=0.34)
def tensors(ax, **named):
    """Draw tensors side by side as grids of coloured cells with their numbers.

    Blue cells are positive, orange cells negative (the sign stands in the cell as well); the shape
    stands under each name.

    Args:
        **named: name -> tensor or array with at most two axes; a vector is drawn as a row.
    """
    values = {name: to_array(tensor) for name, tensor in named.items()}
    largest = max(largest_of(array) for array in values.values())
    left, rows = 0.0, 1
    for name, array in values.items():
        width, height = draw_grid(ax, array, left, largest=largest)
        left += write_name(ax, left, width, name, array.shape) + 1.0
        rows = max(rows, height)
    finish(ax, left - 1.0, rows)
    parts = [f"{name} of shape {array.shape}, {in_words(array)}" for name, array in values.items()]
    return "Tensors drawn as grids of numbers: " + "; ".join(parts) + "."


@figure(unit=0.34)
def broadcasting(ax, **two):
    """Draw the sum of two tensors with broadcasting: both stretched to the common shape, and added.

    Args:
        **two: name -> tensor, two of them, with at most two axes and shapes that fit.
    """
    (first, a), (second, b) = ((name, to_array(tensor)) for name, tensor in two.items())
    total = a + b
    rows = np.atleast_2d(total).shape[0]
    left = 0.0
    for name, array, sign in [
        (first, a, "+"),
        (second, b, "="),
        (f"{first} + {second}", total, ""),
    ]:
        own = np.zeros(np.atleast_2d(total).shape, dtype=bool)
        own[tuple(slice(length) for length in np.atleast_2d(array).shape)] = True
        whole = np.broadcast_to(array, total.shape)
        width, _ = draw_grid(ax, whole, left, faded=~own)
        write_name(ax, left, width, name, array.shape)
        ax.text(left + width + 0.75, -rows / 2, sign, ha="center", va="center", fontsize=17)
        left += width + 1.5
    finish(ax, left - 1.5, rows)
    return (
        f"Broadcasting: {first} of shape {a.shape} and {second} of shape {b.shape} are each "
        f"repeated to shape {total.shape} (the pale cells), then added cell by cell: "
        f"{in_words(total)}."
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
    finish(ax, left - 1.0, rows)
    return f"The same tensor with the cells marked that each index picks: {', '.join(chosen)}."


def in_words(values):
    """Return the numbers of an array as they stand in its cells, row by row."""
    rows = [" ".join(cell_text(value) for value in row) for row in np.atleast_2d(values)]
    return "[" + " / ".join(rows) + "]"


def largest_of(values):
    """Return the largest magnitude in an array, gaps left out."""
    return float(np.nanmax(np.abs(np.r_[values.astype(float).ravel(), 0.0])))


def draw_grid(ax, values, left, largest=None, faded=None, marks=None):
    """Draw one array as a grid whose top left corner is (left, 0); return its width and height."""
    table = np.atleast_2d(values)
    rows, columns = table.shape
    largest = largest_of(table) if largest is None else largest
    texts = [[cell_text(value) for value in line] for line in table]
    # Wide enough for the longest number of this tensor.
    wide = max(1.0, 0.4 + 0.27 * max(len(text) for line in texts for text in line))
    for row in range(rows):
        for column in range(columns):
            value = float(table[row, column])
            pale = faded is not None and faded[row, column]
            marked = marks is not None and marks[row, column]
            color = cell_color(value, largest) if marks is None else MARK if marked else "white"
            corner = (left + column * wide, -row - 1)
            ax.add_patch(Rectangle(corner, wide, 1, facecolor=color, alpha=0.3 if pale else 1))
            frame = Rectangle(corner, wide, 1, fill=False, edgecolor=PALE, linewidth=0.9)
            ax.add_patch(frame)
            strong = marks is None and not pale and abs(value) > 0.7 * largest
            ax.text(
                corner[0] + wide / 2,
                -row - 0.52,
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
    strength = min(1.0, abs(value) / largest) if largest else 0.0
    target = np.array(rgb(POSITIVE if value >= 0 else NEGATIVE))
    return tuple((1 - strength) * np.ones(3) + strength * target)


def rgb(color):
    """Return "#RRGGBB" as three numbers from 0 to 1."""
    return [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]


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


def finish(ax, right, rows):
    """Fit the axes to grids up to `right` and of up to `rows` rows: square units, no frame."""
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-0.6, right + 0.6)
    ax.set_ylim(-rows - 0.2, 1.9)


# -------------------------------------------------------------------------------------- networks
@figure(unit=0.46)
def network(ax, units, names=None, node_names=None, edge_names=None):
    """Draw a fully connected network: a column of circles for each layer, a line for each weight.

    Args:
        units: number of units in each layer, input first, for example [3, 4, 2].
        names: a caption for each layer; by default input, hidden, output.
        node_names: for each layer the texts inside its circles.
        edge_names: for each pair of neighbouring layers a dictionary (from, to) -> text.
    """
    last = len(units) - 1
    if names is None:
        names = ["input", *["hidden"] * (last - 1), "output"]
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
                    share = 0.68 if units[layer] < units[layer + 1] else 0.32
                    spot = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
                    ax.text(*spot, text, ha="center", va="center", zorder=2, fontsize=11)
                    ax.texts[-1].set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})
    colors = ["#CFE6F5", *["#FBE3C8"] * (last - 1), "#CDEBDD"]
    for layer, column in enumerate(places):
        for unit, (x, y) in enumerate(column):
            ax.add_patch(Circle((x, y), 0.36, facecolor=colors[layer], edgecolor=INK, zorder=3))
            text = node_names[layer][unit] if node_names else ""
            ax.text(x, y, text, ha="center", va="center", zorder=4, fontsize=10)
        kind = "feature" if layer == 0 else "unit"
        plural = "" if units[layer] == 1 else "s"
        caption = f"{names[layer]}\n{units[layer]} {kind}{plural}"
        ax.text(layer * step, -max(units) / 2 - 0.25, caption, ha="center", va="top", fontsize=11)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-1.2, last * step + 1.2)
    ax.set_ylim(-max(units) / 2 - 1.55, max(units) / 2 + 0.1)
    layers = ", ".join(f"{name} of {count}" for name, count in zip(names, units, strict=True))
    return (
        f"A network as circles in columns: {layers}. A line, one weight, joins every circle with "
        "every circle of the next column."
    )


# ------------------------------------------------------------------------------ computation graph
OPERATIONS = {
    "MulBackward0": "multiply",
    "AddBackward0": "add",
    "SubBackward0": "subtract",
    "PowBackward0": "power",
    "MeanBackward0": "mean",
    "SumBackward0": "sum",
    "TanhBackward0": "tanh",
    "MvBackward0": "X @ w",
    "DivBackward0": "divide",
    "NegBackward0": "negate",
}


@figure(unit=0.5)
def computation_graph(ax, result, **leaves):
    """Draw the graph that autograd recorded: from the leaf tensors on the left to the result.

    Full arrows show the forward pass; the dashed arrow underneath the way of the gradient.

    Args:
        result: a tensor with a grad_fn.
        **leaves: the leaf tensors by name, to write their names into their boxes.

    Raises:
        ValueError: `result` has no graph.
    """
    if result.grad_fn is None:
        raise ValueError("This tensor has no grad_fn: nothing that it came from requires_grad.")
    names = {id(tensor): name for name, tensor in leaves.items()}
    depths, edges, labels = {}, [], {}

    def visit(node):
        if node in depths:
            return depths[node]
        below = [visit(child) for child, _ in node.next_functions if child is not None]
        edges.extend((child, node) for child, _ in node.next_functions if child is not None)
        depths[node] = 1 + max(below, default=-1)
        leaf = getattr(node, "variable", None)
        labels[node] = OPERATIONS.get(node.name(), node.name().removesuffix("Backward0").lower())
        if leaf is not None:
            labels[node] = names.get(id(leaf), "leaf")
        return depths[node]

    last = visit(result.grad_fn)
    columns = [[node for node in depths if depths[node] == depth] for depth in range(last + 1)]
    spots = {}
    for depth, column in enumerate(columns):
        for row, node in enumerate(column):
            spots[node] = (depth * 2.4, ((len(column) - 1) / 2 - row) * 1.2)
    for start, end in edges:
        draw_arrow(ax, spots[start], spots[end], "-", INK)
    for node, (x, y) in spots.items():
        leaf = hasattr(node, "variable")
        color = "#CFE6F5" if leaf else "#F3F3F3"
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.72, y - 0.3),
                1.44,
                0.6,
                boxstyle="round,pad=0.04",
                facecolor=color,
                edgecolor=INK,
            )
        )
        ax.text(x, y, labels[node], ha="center", va="center", fontsize=11)
    ax.text(last * 2.4 + 0.95, 0, "loss", ha="left", va="center", fontsize=11, fontweight="bold")
    floor = min(y for _, y in spots.values()) - 0.95
    draw_arrow(ax, (last * 2.4 + 0.8, floor), (-0.8, floor), "--", NEGATIVE, gap=0)
    ax.text(last * 1.2, floor - 0.16, "gradient, backward", ha="center", va="top", color="#A84300")
    ceiling = max(y for _, y in spots.values()) + 0.55
    ax.text(last * 1.2, ceiling, "values, forward", ha="center", va="bottom")
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-1.0, last * 2.4 + 2.0)
    ax.set_ylim(floor - 0.75, ceiling + 0.5)
    chain = ", ".join(labels[node] for column in columns for node in column)
    return f"The computation graph from left to right: {chain}. The gradient runs back along it."


def draw_arrow(ax, start, end, line, color, gap=0.78):
    """Draw an arrow between two places, leaving room for the boxes around them."""
    (x0, y0), (x1, y1) = start, end
    ax.annotate(
        "",
        xy=(x1 - (gap if x1 > x0 else -gap), y1),
        xytext=(x0 + (gap if x1 > x0 else -gap), y0),
        arrowprops={"arrowstyle": "->", "linestyle": line, "color": color, "linewidth": 1.6},
    )


# ----------------------------------------------------------------------------------- training loop
@figure(unit=0.5)
def training_loop(ax):
    """Draw the loop of every training: data, model, prediction, loss, optimiser, and again."""
    boxes = {
        "data": (0, 0, "#F3F3F3"),
        "model": (3, 0, "#CFE6F5"),
        "prediction": (6, 0, "#F3F3F3"),
        "loss": (9, 0, "#FBE3C8"),
        "optimiser": (6, -2, "#CDEBDD"),
    }
    for label, (x, y, color) in boxes.items():
        box = FancyBboxPatch((x - 0.95, y - 0.34), 1.9, 0.68, boxstyle="round,pad=0.04")
        box.set(facecolor=color, edgecolor=INK)
        ax.add_patch(box)
        ax.text(x, y, label, ha="center", va="center", fontsize=12)
    for start in (0, 3, 6):
        draw_arrow(ax, (start, 0), (start + 3, 0), "-", INK, gap=1.05)
    style = {"arrowstyle": "->", "linewidth": 1.8, "color": NEGATIVE, "linestyle": "--"}
    elbow = {"xycoords": "data", "textcoords": "data"}
    down = {**style, "connectionstyle": "angle,angleA=90,angleB=0,rad=6"}
    ax.annotate("", xy=(7.05, -2), xytext=(9, -0.42), arrowprops=down, **elbow)
    up = {**style, "connectionstyle": "angle,angleA=0,angleB=90,rad=6"}
    ax.annotate("", xy=(3, -0.42), xytext=(4.95, -2), arrowprops=up, **elbow)
    ax.text(9.15, -1.2, "gradient", ha="left", va="center", fontsize=11, color="#A84300")
    ax.text(2.85, -1.2, "new parameters", ha="right", va="center", fontsize=11, color="#A84300")
    ax.text(0, 0.62, "x, y", ha="center", va="bottom", fontsize=11)
    ax.text(7.5, 0.62, "compare with y", ha="center", va="bottom", fontsize=11)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-1.4, 10.9)
    ax.set_ylim(-2.6, 1.2)
    return (
        "The training loop: data go into the model, its prediction is compared with y in the loss, "
        "the gradient goes to the optimiser, and new parameters go back into the model."
    )


# ---------------------------------------------------------------------------- classification
@figure(unit=0.5)
def decision_path(ax):
    """Draw the way from a point to its class: one logit for two classes, several for more."""
    rows = {
        0: ["point", "logit", "probability", "class"],
        -1.9: ["point", "logits", "probabilities", "class"],
    }
    steps = {0: ["network", "sigmoid", "threshold"], -1.9: ["network", "softmax", "argmax"]}
    colors = ["#F3F3F3", "#CFE6F5", "#FBE3C8", "#CDEBDD"]
    gap = 4.3
    for y, labels in rows.items():
        for place, (label, color) in enumerate(zip(labels, colors, strict=True)):
            box = FancyBboxPatch(
                (gap * place - 1.2, y - 0.36), 2.4, 0.72, boxstyle="round,pad=0.04"
            )
            box.set(facecolor=color, edgecolor=INK)
            ax.add_patch(box)
            ax.text(gap * place, y, label, ha="center", va="center", fontsize=11.5)
        for place, step in enumerate(steps[y]):
            draw_arrow(ax, (gap * place, y), (gap * (place + 1), y), "-", INK, gap=1.3)
            ax.text(gap * (place + 0.5), y + 0.16, step, ha="center", va="bottom", fontsize=10.5)
    notes = ["its features", "any number", "between 0 and 1", "0, 1, 2, ..."]
    for place, note in enumerate(notes):
        style = {"ha": "center", "va": "top", "fontsize": 10.5, "color": "#555555"}
        ax.text(gap * place, -2.45, note, **style)
    style = {"ha": "left", "va": "bottom", "fontsize": 11, "fontweight": "bold"}
    ax.text(-1.2, 0.62, "two classes: one logit", **style)
    ax.text(-1.2, -1.28, "c classes: c logits", **style)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-1.5, 3 * gap + 1.5)
    ax.set_ylim(-3.1, 1.2)
    return (
        "From a point to its class. Two classes: the network gives one logit, the sigmoid makes it "
        "a probability, a threshold the class. Several: a logit for each class, softmax, argmax."
    )


# --------------------------------------------------------------------------------------- one unit
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
        ax.text(1.5, height * (1 - 1.5 / 4.6), f"w{digit}", ha="center", va="center", fontsize=10)
        ax.texts[-1].set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        ax.add_patch(Circle((0, height), 0.33, facecolor="#CFE6F5", edgecolor=INK, zorder=3))
        ax.text(0, height, f"x{digit}", ha="center", va="center", zorder=4, fontsize=10.5)
    ax.add_patch(Circle((4.6, 0), 0.5, facecolor="#FBE3C8", edgecolor=INK, zorder=3))
    ax.text(4.6, 0, "Σ", ha="center", va="center", zorder=4, fontsize=17)
    ax.add_patch(Circle((4.6, -2), 0.33, facecolor="#F3F3F3", edgecolor=INK, zorder=3))
    ax.text(4.6, -2, "b", ha="center", va="center", zorder=4, fontsize=11)
    style = {"arrowstyle": "->", "linewidth": 1.6, "color": INK}
    ax.annotate("", xy=(4.6, -0.55), xytext=(4.6, -1.65), arrowprops=style)
    draw_arrow(ax, (4.6, 0), (8.7, 0), "-", INK, gap=0.62)
    box = FancyBboxPatch((8.2, -0.5), 1, 1, boxstyle="round,pad=0.04")
    box.set(facecolor="#CDEBDD", edgecolor=INK)
    ax.add_patch(box)
    ax.text(8.7, 0, "φ", ha="center", va="center", fontsize=17)
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
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-1.1, 13.6)
    ax.set_ylim(floor - 0.75, heights[0] + 0.5)
    return (
        f"One unit, from left to right: {inputs} features, each times its weight; their sum and "
        "the bias b give s; the activation function φ makes the unit's activation of it."
    )
