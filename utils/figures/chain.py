"""The chain rule, step by step: values go forward through a small network, gradients come back."""

from typing import NamedTuple

import torch
from torch import nn

from utils.figures.style import INK, NEGATIVE, PALE, bare_axes, draw_arrow, draw_box, figure

GRADIENT = "#A84300"  # the dark orange of all gradients that are written
HIGH, MIDDLE, LOW = 1.25, 0.0, -1.25
NODES = {
    "x": (0, MIDDLE),
    "s₁": (3.1, HIGH),
    "s₂": (3.1, LOW),
    "h₁": (5.9, HIGH),
    "h₂": (5.9, LOW),
    "ŷ": (9.0, MIDDLE),
    "L": (11.8, MIDDLE),
}
# From node to node, with the weight that stands on the arrow.
ARROWS = {
    ("x", "s₁"): "w₁",
    ("x", "s₂"): "w₂",
    ("s₁", "h₁"): None,
    ("s₂", "h₂"): None,
    ("h₁", "ŷ"): "w₃",
    ("h₂", "ŷ"): "w₄",
    ("ŷ", "L"): None,
}
BACK = [("ŷ", "L"), ("h₁", "ŷ"), ("h₂", "ŷ"), ("s₁", "h₁"), ("s₂", "h₂"), ("x", "s₁"), ("x", "s₂")]
STEPS = len(NODES) + len(BACK)  # after which all is known


class Known(NamedTuple):
    """Numbers by name: of nodes and weights, and the gradients of the loss for both."""

    values: dict
    gradients: dict


@figure(unit=0.5)
def chain_step(ax, model, x, y, step):
    """Draw a 1-2-1 network after some steps of its pass: values node by node, gradients back.

    The loss is the square of the error. Values and gradients are computed by autograd, on copies.

    Args:
        model: a Sequential of a linear layer (1 to 2), tanh, and a linear layer (2 to 1).
        x, y: the one feature of one sample, and its target.
        step: 0, nothing yet, to 14; each of 7 nodes gets its value, and then each of 7 arrows
            brings its gradients back.

    Raises:
        ValueError: the model is another one, or there is no such step.
    """
    if [type(module) for module in model] != [nn.Linear, nn.Tanh, nn.Linear] or (
        (model[0].in_features, model[2].in_features, model[2].out_features) != (1, 2, 1)
    ):
        raise ValueError("This figure draws a 1-2-1 network: Linear(1, 2), Tanh, Linear(2, 1).")
    if not 0 <= step <= STEPS:
        raise ValueError(f"There is no step {step}: they go from 0 to {STEPS}.")
    known = both_passes(model, float(x), float(y))
    reached = list(NODES)[:step]
    returned = BACK[: max(step - len(NODES), 0)]
    with_gradient = {start for start, _ in returned} - {"x"}
    for arrow, weight in ARROWS.items():
        draw_way(ax, arrow, weight, known, arrow in returned, arrow in returned[-1:])
    for name, place in NODES.items():
        newest = step <= len(NODES) and name in reached[-1:]
        color = "#CFE6F5" if newest else "#F3F3F3"
        value = f"{known.values[name]:.3f}" if name in reached else "?"
        draw_box(ax, place, (1.05, 0.72), f"{name}\n{value}", color, fontsize=10.5)
        if name in with_gradient:
            write_gradient(ax, (place[0], place[1] - 0.52), known.gradients[name], va="top")
    ax.text(NODES["L"][0], -0.52, f"y = {float(y):g}", ha="center", va="top", fontsize=10)
    for name, node in [("b₁", "s₁"), ("b₂", "s₂"), ("b₃", "ŷ")]:
        across, up = NODES[node]
        words = f"{name} = {known.values[name]:g}"
        ax.text(across, up + 0.5, words, ha="center", va="bottom", fontsize=10)
    ax.text(5.9, 2.75, sentence(step, known), ha="center", va="center", fontsize=11.5)
    bare_axes(ax, (-1.1, 13.0), (-2.45, 3.15))
    return f"The 1-2-1 network after step {step} of {STEPS}. {told(reached, returned, known)}"


def both_passes(model, x, y):
    """Return the `Known` numbers of a forward and a backward pass, on copies of the parameters."""
    W1, b1, W2, b2 = (
        parameter.detach().cpu().double().flatten() for parameter in model.parameters()
    )
    names = dict(zip(["w₁", "w₂", "b₁", "b₂", "w₃", "w₄", "b₃"], [*W1, *b1, *W2, *b2], strict=True))
    t = {name: value.clone().requires_grad_() for name, value in names.items()}
    t["x"] = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    for unit, (weight, bias) in {"₁": ("w₁", "b₁"), "₂": ("w₂", "b₂")}.items():
        t[f"s{unit}"] = t[weight] * t["x"] + t[bias]
        t[f"h{unit}"] = torch.tanh(t[f"s{unit}"])
    t["ŷ"] = t["w₃"] * t["h₁"] + t["w₄"] * t["h₂"] + t["b₃"]
    t["L"] = (t["ŷ"] - y) ** 2
    gradients = torch.autograd.grad(t["L"], list(t.values()))
    of = {name: gradient.item() for name, gradient in zip(t, gradients, strict=True)}
    return Known({name: value.item() for name, value in t.items()} | {"y": y}, of)


def draw_way(ax, arrow, weight, known, returned, newest):
    """Draw the arrow between two nodes, with its weight, and the way of the gradient if it came."""
    (x0, y0), (x1, y1) = (NODES[name] for name in arrow)
    rise = (y1 - y0) / (x1 - x0)
    start, end = (x0 + 0.72, y0 + 0.72 * rise), (x1 - 0.72, y1 - 0.72 * rise)
    draw_arrow(ax, start, end, "-", PALE if returned else INK)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    if returned:
        below = [(across, up - 0.14) for across, up in (end, start)]
        draw_arrow(ax, *below, "--", NEGATIVE)
        ax.texts[-1].arrow_patch.set_linewidth(2.6 if newest else 1.6)
    above = middle[1] >= 0
    if weight:
        side = 0.62 if above else -0.62
        spot = (middle[0] + (-0.35 if arrow[0] == "x" else 0.35), middle[1] + side)
        words = f"{weight} = {known.values[weight]:g}"
        ax.text(*spot, words, ha="center", va="bottom" if above else "top", fontsize=10)
        if returned:
            under = (spot[0], spot[1] + (0.36 if above else -0.36))
            write_gradient(ax, under, known.gradients[weight], "bottom" if above else "top")
    elif "h" in arrow[1]:
        ax.text(middle[0], middle[1] + 0.1, "tanh", ha="center", va="bottom", fontsize=10)
    else:
        ax.text(middle[0], middle[1] + 0.1, "(ŷ - y)²", ha="center", va="bottom", fontsize=10)


def write_gradient(ax, spot, gradient, va):
    """Write the gradient of the loss for a node or a weight."""
    ax.text(*spot, f"grad {gradient:.3f}", ha="center", va=va, fontsize=10, color=GRADIENT)


def sentence(step, known):
    """Return what a step computes, with its numbers."""
    if step == 0:
        return "Nothing is known but the parameters, x and y."
    v, g = known
    if step <= len(NODES):
        name = list(NODES)[step - 1]
        unit = name[-1]
        return {
            "x": f"forward: x = {v['x']:g}",
            "s": f"forward: {name} = w{unit} x + b{unit} = {v[name]:.3f}",
            "h": f"forward: {name} = tanh(s{unit}) = {v[name]:.3f}",
            "ŷ": f"forward: ŷ = w₃ h₁ + w₄ h₂ + b₃ = {v['ŷ']:.3f}",
            "L": f"forward: L = (ŷ - y)² = {v['L']:.3f}",
        }[name[0]]
    start, end = BACK[step - len(NODES) - 1]
    unit, weight = start[-1], ARROWS[start, end]
    if start == "ŷ":
        return f"backward: ∂L/∂ŷ = 2 (ŷ - y) = {g['ŷ']:.3f}"
    if start[0] == "s":
        factors = f"{g[end]:.3f} · {1 - v[end] ** 2:.3f}"
        return f"backward: ∂L/∂{start} = ∂L/∂h{unit} · (1 - h{unit}²) = {factors} = {g[start]:.3f}"
    words = f"∂L/∂{weight} = ∂L/∂{end} · {start} = {g[weight]:.3f}"
    if start == "x":
        return f"backward: {words}"
    return f"backward: ∂L/∂{start} = ∂L/∂ŷ · {weight} = {g[start]:.3f},   {words}"


def told(reached, returned, known):
    """Return all numbers that a step shows, in words."""
    values = ", ".join(f"{name} = {known.values[name]:.3f}" for name in reached)
    names = [each for start, end in returned for each in (start, ARROWS[start, end])]
    names = [name for name in names if name not in (None, "x")]
    gradients = ", ".join(f"{name} {known.gradients[name]:.3f}" for name in names)
    words = f"Values: {values or 'none yet'}."
    return f"{words} Gradients of the loss: {gradients}." if names else words
