"""Schematics of what follows from what: the graph of autograd, the training loop, decisions."""

import torch

from utils.figures.grids import cell_text
from utils.figures.style import INK, NEGATIVE, bare_axes, draw_arrow, draw_box, figure

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
def computation_graph(ax, result, **named):
    """Draw the graph that autograd recorded: from the leaf tensors on the left to the result.

    Full arrows show the forward pass, and the dashed arrow below them the way of the gradient. A
    named tensor of one number stands with its value and, in orange, with the result's gradient.

    Args:
        result: a tensor with a grad_fn; of one number, and before its `backward`, where tensors
            on its way are named.
        **named: tensors by name: leaves, whose names stand in their boxes, and any on the way.

    Raises:
        ValueError: `result` has no graph.
    """
    if result.grad_fn is None:
        raise ValueError("This tensor has no grad_fn: nothing that it came from requires_grad.")
    depths, edges, labels = {}, [], {}

    def visit(node):
        if node in depths:
            return depths[node]
        below = [visit(child) for child, _ in node.next_functions if child is not None]
        edges.extend((child, node) for child, _ in node.next_functions if child is not None)
        depths[node] = 1 + max(below, default=-1)
        labels[node] = OPERATIONS.get(node.name(), node.name().removesuffix("Backward0").lower())
        if hasattr(node, "variable"):
            labels[node] = "leaf"
        return depths[node]

    last = visit(result.grad_fn)
    leaves = {id(node.variable): node for node in depths if hasattr(node, "variable")}
    nodes = {name: tensor.grad_fn or leaves[id(tensor)] for name, tensor in named.items()}
    labels.update({node: name for name, node in nodes.items() if hasattr(node, "variable")})
    numbers = numbers_of(result, named)
    room = 0.75 if numbers else 0.0  # below a box, for its two numbers
    columns = [[node for node in depths if depths[node] == depth] for depth in range(last + 1)]
    spots = {}
    for depth, column in enumerate(columns):
        for row, node in enumerate(column):
            spots[node] = (depth * 2.4, ((len(column) - 1) / 2 - row) * (1.2 + room))
    for start, end in edges:
        draw_arrow(ax, spots[start], spots[end], "-", INK, gap=0.78)
    for node, spot in spots.items():
        color = "#CFE6F5" if hasattr(node, "variable") else "#F3F3F3"
        draw_box(ax, spot, (1.44, 0.6), labels[node], color)
    for name, (value, slope) in numbers.items():
        x, y = spots[nodes[name]]
        style = {"ha": "center", "va": "top", "fontsize": 10.5}
        ax.text(x, y - 0.4, f"value {value}", **style)
        ax.text(x, y - 0.76, f"gradient {slope}", color="#A84300", **style)
        if nodes[name] not in leaves.values() and nodes[name] is not result.grad_fn:
            ax.text(x, y + 0.4, name, ha="center", va="bottom", fontsize=11, fontweight="bold")
    ax.text(last * 2.4 + 0.95, 0, "loss", ha="left", va="center", fontsize=11, fontweight="bold")
    floor = min(y for _, y in spots.values()) - 0.95 - room
    draw_arrow(ax, (last * 2.4 + 0.8, floor), (-0.8, floor), "--", NEGATIVE)
    ax.text(last * 1.2, floor - 0.16, "gradient, backward", ha="center", va="top", color="#A84300")
    ceiling = max(y for _, y in spots.values()) + 0.55 + room / 2
    ax.text(last * 1.2, ceiling, "values, forward", ha="center", va="bottom")
    bare_axes(ax, (-1.0, last * 2.4 + 2.0), (floor - 0.75, ceiling + 0.5))
    chain = ", ".join(labels[node] for column in columns for node in column)
    parts = (f"{name} {value} and {slope}" for name, (value, slope) in numbers.items())
    words = f"The computation graph from left to right: {chain}. The gradient runs back along it."
    return f"{words} Value and gradient: {', '.join(parts)}." if numbers else words


def numbers_of(result, named):
    """Return (value, gradient of the result), as texts, of each named tensor of one number."""
    single = {name: tensor for name, tensor in named.items() if tensor.numel() == 1}
    if result.numel() > 1 or not single:
        return {}
    slopes = torch.autograd.grad(result, list(single.values()), retain_graph=True)
    return {
        name: (cell_text(tensor.item()), cell_text(slope.item()))
        for (name, tensor), slope in zip(single.items(), slopes, strict=True)
    }


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
        draw_box(ax, (x, y), (1.9, 0.68), label, color, fontsize=12)
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
    bare_axes(ax, (-1.4, 10.9), (-2.6, 1.2))
    return (
        "The training loop: data go into the model, its prediction is compared with y in the loss, "
        "the gradient goes to the optimiser, and new parameters go back into the model."
    )


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
            draw_box(ax, (gap * place, y), (2.4, 0.72), label, color, fontsize=11.5)
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
    bare_axes(ax, (-1.5, 3 * gap + 1.5), (-3.1, 1.2))
    return (
        "From a point to its class. Two classes: the network gives one logit, the sigmoid makes it "
        "a probability, a threshold the class. Several: a logit for each class, softmax, argmax."
    )
