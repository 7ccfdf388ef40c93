"""Figures of a border that moves: over the epochs, with the threshold; and softmax's temperature.

They are quick to draw, and nothing but what changes moves: fit for `utils.live`.
"""

import numpy as np
import torch

from utils.figures.regions import TWO_CLASSES, limits_around, probabilities
from utils.figures.style import DASHES, INK, MARKERS, class_numbers, figure, series, to_array

ACROSS, UPWARDS = 141, 97  # places on a grid: a border of straight pieces needs no more
TWO = ["class 0", "class 1"]
FIGURE_SPACE = "\u2007"  # as wide as a digit, so that counts keep their width


@figure(height=3.3)
def kink_lines(ax, model, x, labels, title=""):
    """Draw the probability of class 1, its border at 0.5, and where each hidden unit bends it.

    A ReLU unit is 0 on one side of the line w · x + b = 0. One that is 0 at all points is called
    dead, as it gets no gradient.

    Args:
        model: a Sequential that begins with a linear layer of two features, up to five units and a
            ReLU, and gives one logit: (n, 2) -> (n, 1).
        x: points, shape (n, 2).
        labels: the class of each point, 0 or 1, shape (n,) or (n, 1).
        title: what stands above.
    """
    edges = draw_probability(ax, model, x)
    W, b = to_array(model[0].weight).astype(float), to_array(model[0].bias).astype(float)
    dead = (to_array(x) @ W.T + b <= 0).all(axis=0)
    lines = {f"unit {unit + 1}": line for unit, line in enumerate(zip(W, b, strict=True))}
    for unit, name, (w, bias) in series(lines, most=5):
        state = "dead" if dead[unit] else "active"
        look = {"color": f"C{unit + 2}", "linestyle": DASHES[unit + 1], "linewidth": 1.8}
        ax.plot(*kink(w, bias, edges), label=f"{name}: {state}", **look)
    draw_points(ax, x, labels, size=5)
    finish(ax, edges, title)
    named = ", ".join(name for name, is_dead in zip(lines, dead, strict=True) if is_dead)
    about = f" {title}" if title else ""
    return (
        f"The probability of class 1 over x₁ and x₂{about}, with its border at 0.5, the points, "
        f"and the line w · x + b = 0 of each of {len(b)} hidden units; dead: {named or 'none'}."
    )


@figure(height=3.3)
def threshold_mistakes(ax, model, x, labels, threshold=0.5):
    """Draw the border at a threshold, and count and ring the points that it gets wrong.

    Args:
        model: a network of one logit, (n, 2) -> (n, 1), or a function that gives probabilities.
        x: points, shape (n, 2).
        labels: the class of each point, 0 or 1, shape (n,) or (n, 1).
        threshold: the probability above which a point is taken for class 1.
    """
    edges = draw_probability(ax, model, x, threshold)
    truth, points = class_numbers(labels, TWO), to_array(x)
    alarm = probabilities(model, torch.as_tensor(x))[:, 1] > threshold
    draw_points(ax, x, labels, size=3.4)
    wrong = {"missed": (1, ~alarm & (truth == 1)), "false alarms": (0, alarm & (truth == 0))}
    counts = []
    for name, (number, rows) in wrong.items():
        many = str(rows.sum()).rjust(len(str(len(truth))), FIGURE_SPACE)
        look = {"marker": MARKERS[number], "markerfacecolor": "none", "markeredgecolor": INK}
        label = f"{name}\n{many} of {(truth == number).sum()}"
        ax.plot(*points[rows].T, linestyle="none", markersize=6.5, zorder=4, label=label, **look)
        counts.append(f"{rows.sum()} of {(truth == number).sum()}")
    finish(ax, edges, f"threshold {threshold:.2f}")
    return (
        f"The probability of class 1 over x₁ and x₂, with a border where it is {threshold:.2f}. "
        f"Of the points of class 1, {counts[0]} are missed; of class 0, {counts[1]} are false "
        "alarms."
    )


def draw_probability(ax, model, x, threshold=0.5):
    """Fill the plane around points with the probability of class 1, and draw where it is threshold.

    Returns:
        (left, right, low, high), the ends of the plane.
    """
    points = to_array(x)
    edges = limits_around(points)
    ticks = np.linspace(*edges[:2], ACROSS), np.linspace(*edges[2:], UPWARDS)
    plane = np.stack([grid.ravel() for grid in np.meshgrid(*ticks)], axis=1)
    found = probabilities(model, torch.as_tensor(plane.astype(points.dtype)))[:, 1]
    found = found.reshape(UPWARDS, ACROSS)
    # No colour bar: the colours are those of the classes, and a second pair of axes takes its time.
    style = {"cmap": TWO_CLASSES, "vmin": 0, "vmax": 1, "origin": "lower", "aspect": "auto"}
    ax.imshow(found, extent=edges, interpolation="bilinear", **style)
    # The logit is made of flat pieces, so that its level is exact on a coarse grid.
    inside = np.clip(found, 1e-7, 1 - 1e-7)
    logit = np.log(inside / (1 - inside)) - np.log(threshold / (1 - threshold))
    if logit.min() < 0 < logit.max():
        ax.contour(*ticks, logit, levels=[0], colors=INK, linewidths=2, zorder=5)
    ax.plot([], [], color=INK, linewidth=2, label=f"probability {threshold:.2f}")
    return edges


def draw_points(ax, x, labels, size):
    """Draw the points of both classes, each with its colour and marker."""
    points, classes = to_array(x), class_numbers(labels, TWO)
    look = {"linestyle": "none", "markersize": size, "markeredgecolor": "white"}
    for number, name in enumerate(TWO):
        kind = {"marker": MARKERS[number], "color": f"C{number}", "markeredgewidth": size / 12}
        ax.plot(*points[classes == number].T, label=name, zorder=3, **kind, **look)


def kink(w, b, edges):
    """Return x and y of two ends, outside the plane, of the line w · x + b = 0."""
    left, right, low, high = edges
    centre, size = np.array([left + right, low + high]) / 2, np.hypot(*w)
    foot = centre - (w @ centre + b) * w / size**2
    along = np.hypot(right - left, high - low) * np.array([-w[1], w[0]]) / size
    return np.stack([foot - along, foot + along], axis=1)


def finish(ax, edges, title):
    """Hold the axes at the ends of the plane, name them, and put the legend outside."""
    ax.set(xlabel="x₁", ylabel="x₂", xlim=edges[:2], ylim=edges[2:])
    ax.locator_params(nbins=5)  # fewer ticks are drawn sooner
    ax.set_title(title)
    ax.grid(visible=False)
    ax.figure.legend(loc="outside right center", fontsize=10, labelspacing=0.4)


@figure(height=2.9)
def softmax_bars(ax, logits, temperature=1.0):
    """Draw the softmax probabilities of logits that are divided by a temperature, as bars.

    Args:
        logits: shape (c,), one for each class.
        temperature: a number above 0.
    """
    logits = torch.as_tensor(logits).detach().cpu().double()
    divided = logits / temperature
    found = divided.softmax(dim=0).numpy()
    places = range(len(found))
    ax.bar(places, found, width=0.6, color="C0")
    for place, share in zip(places, found, strict=True):
        ax.text(place, share + 0.02, f"{share:.4f}", ha="center", va="bottom", fontsize=12)
    pairs = zip(logits.tolist(), divided.tolist(), strict=True)
    names = [f"{logit:g} / {temperature:g} = {share:.2f}" for logit, share in pairs]
    ax.set(xticks=places, xticklabels=names, ylim=(0, 1.12), yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set(xlabel="logit / temperature", ylabel="probability", title=f"temperature {temperature:g}")
    ax.grid(axis="x", visible=False)
    given = ", ".join(f"{logit:g}" for logit in logits.tolist())
    shares = ", ".join(f"{share:.4f}" for share in found)
    return (
        f"Bars of the softmax probabilities of the logits {given} at temperature {temperature:g}: "
        f"{shares}."
    )
