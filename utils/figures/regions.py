"""Figures of classification: probabilities, regions in the plane, mistakes."""

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from utils.figures.style import MARKERS, figure, to_array
from utils.fitting.states import device_of, mode

COLORS = ["#0072B2", "#D55E00", "#007A5A", "#9F4C7C", "#8A6100", "#3C7FA8", "#000000"]
TWO_CLASSES = LinearSegmentedColormap.from_list("two classes", ["#5FA5CF", "#FFFFFF", "#EE9A5F"])


@figure(height=3.0)
def logistic_curve(ax, logits, message):
    """Draw the sigmoid with points on it, each with the threshold between the two classes.

    Args:
        logits: name -> logit, a number; at most seven.
        message: what the figure shows, in one sentence, for its text alternative.
    """
    places = {name: to_array(logit).item() for name, logit in logits.items()}
    reach = max(6, *(1.15 * abs(place) for place in places.values()))
    x = np.linspace(-reach, reach, 400)
    ax.axhline(0.5, color="#555555", linestyle=":", linewidth=1.5, label="threshold 0.5")
    ax.plot(x, sigmoid(x), color="#777777", zorder=2, label="sigmoid")
    for number, (name, place) in enumerate(places.items()):
        style = {"color": COLORS[number], "markersize": 9, "zorder": 4}
        height = sigmoid(np.array(place))
        ax.plot([place, place], [0, height], color=COLORS[number], linewidth=1, linestyle="--")
        ax.plot(place, height, MARKERS[number], label=name, **style)
    ax.set(xlabel="logit", ylabel="probability of class 1", ylim=(-0.04, 1.04))
    ax.figure.legend(loc="outside right center")
    return f"{message} The sigmoid over the logit, rising from 0 to 1, with {', '.join(places)}."


def sigmoid(x):
    """1 / (1 + exp(-x)) of an array, without overflow."""
    return np.exp(-np.logaddexp(0, -x))


@figure(height=3.3, columns=3)
def softmax_map(axes, low, high, message, third=None):
    """Draw the softmax probability of each of three classes over y1 and y2, with y3 kept fixed.

    Args:
        low, high: the range of the logits y1 (along the x axis) and y2 (along the y axis).
        message: what the figure shows, in one sentence, for its text alternative.
        third: y3, the logit of class 3; by default the middle of the range.
    """
    third = (low + high) / 2 if third is None else third
    ticks = np.linspace(low, high, 151)
    first, second = np.meshgrid(ticks, ticks)
    logits = torch.tensor(np.stack([first, second, np.full_like(first, third)]))
    for number, (ax, values) in enumerate(zip(axes, logits.softmax(dim=0).numpy(), strict=True)):
        style = {"cmap": "Blues", "vmin": 0, "vmax": 1, "origin": "lower"}
        image = ax.imshow(values, extent=(low, high, low, high), **style)
        if values.min() < 0.5 < values.max():
            ax.contour(first, second, values, levels=[0.5], colors="black", linewidths=1.3)
        ax.set(title=f"class {number + 1}", xlabel="y₁")
        ax.grid(visible=False)
    axes[0].set_ylabel("y₂")
    scale = {"location": "bottom", "aspect": 60, "shrink": 0.7, "ticks": [0, 0.5, 1]}
    axes[0].figure.colorbar(image, ax=axes, label="probability", **scale)
    return (
        f"{message} Three maps of the softmax probability of classes 1, 2 and 3, darker where it "
        f"is larger, over y1 (x axis) and y2 (y axis) from {low:g} to {high:g}, with y3 = "
        f"{third:g}; a line where it is 0.5."
    )


@figure(height=3.3)
def decision_regions(
    ax, model, x, labels, message, names=None, axes=("x₁", "x₂"), named=None, limits=None
):
    """Draw what a classifier says of each place in the plane, and points of known class.

    Two classes: the probability of class 1 as shade, with a line where it is 0.5. More: each place
    in the colour of its most probable class, deeper where that is more probable.

    Args:
        model: a network that gives logits, (n, 2) -> (n, 1) or (n, classes), used in evaluation
            mode and left as it was; or any function that gives probabilities of these shapes.
        x: points, shape (n, 2).
        labels: their class numbers, shape (n,) or (n, 1).
        message: what the figure shows, in one sentence, for its text alternative.
        names: the name of each class, at most seven.
        axes: what the two axes count.
        named: name -> point of shape (2,), to be marked with a star.
        limits: (left, right, low, high) of the plane; by default somewhat more than the points.
    """
    points, classes = to_array(x), to_array(labels).ravel()
    edges = limits or limits_around(points)
    across, up = np.meshgrid(np.linspace(*edges[:2], 261), np.linspace(*edges[2:], 181))
    plane = np.stack([across.ravel(), up.ravel()], axis=1)
    plane = torch.as_tensor(plane.astype(points.dtype)).to(getattr(x, "device", "cpu"))
    found = probabilities(model, plane)
    maps = found.T.reshape(-1, *across.shape)  # (classes, rows, columns)
    names = names or [f"class {number}" for number in range(len(maps))]
    if len(maps) == 2:
        shade_two_classes(ax, maps[1], edges, names)
        draw_borders(ax, across, up, maps[1:])
    else:
        ax.imshow(shade_of_classes(maps), extent=edges, origin="lower", aspect="auto")
        draw_borders(ax, across, up, maps)
    for number, name in enumerate(names):
        style = {"s": 30, "marker": MARKERS[number], "linewidths": 0.7, "edgecolors": "white"}
        rows = classes == number
        ax.scatter(*points[rows].T, color=COLORS[number], label=name, zorder=3, **style)
    for name, place in (named or {}).items():
        write_star(ax, name, to_array(place))
    ax.set(xlabel=axes[0], ylabel=axes[1], xlim=edges[:2], ylim=edges[2:])
    ax.grid(visible=False)
    deeper = None if len(maps) == 2 else "deeper: more\nprobable"
    ax.figure.legend(loc="outside right center", title=deeper, title_fontsize=10.5)
    regions = "shaded by the probability" if len(maps) == 2 else "in the colour of its class"
    return (
        f"{message} Points of {', '.join(names)} over {axes[0]} and {axes[1]}; each place is "
        f"{regions}, with lines between the classes."
    )


def probabilities(model, points):
    """The probability of each class at points (n, 2), as an array (n, classes)."""
    with torch.no_grad():
        if isinstance(model, torch.nn.Module):
            like = next(model.parameters(), points)
            with mode(model, training=False):
                logits = model(points.to(device_of(model, points.device), like.dtype))
            logits = logits.reshape(len(points), -1)
            found = logits.softmax(dim=1) if logits.shape[1] > 1 else logits.sigmoid()
        else:
            found = torch.as_tensor(model(points)).reshape(len(points), -1)
    found = to_array(found).astype(float)
    if not np.isfinite(found).all():
        raise ValueError("The model gives NaN or infinite values, so there is nothing to draw.")
    return found if found.shape[1] > 1 else np.hstack([1 - found, found])


def limits_around(points):
    """Left, right, low and high end of the plane around points (n, 2).

    Where both axes have about one scale, a unit is about as long on the one as on the other.
    """
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = 0.58 * np.ptp(points, axis=0)
    reach[reach == 0] = 1.0
    if 0.5 < reach[0] / reach[1] < 2:
        shape = 1.75  # width over height of the plane in the figure
        reach[1] = max(reach[1], reach[0] / shape)
        reach[0] = shape * reach[1]
    return tuple(np.stack([middle - reach, middle + reach], axis=1).ravel().tolist())


def shade_two_classes(ax, probability, edges, names):
    """Fill the plane with the probability of class 1, and add its scale."""
    style = {"cmap": TWO_CLASSES, "vmin": 0, "vmax": 1, "origin": "lower", "aspect": "auto"}
    image = ax.imshow(probability, extent=edges, **style)
    ax.figure.colorbar(image, ax=ax, label=f"probability of {names[1]}", ticks=[0, 0.5, 1])


def shade_of_classes(maps):
    """Colours (rows, columns, 3) of the most probable class, deeper where it is more probable."""
    largest, least = maps.max(axis=0), 1 / len(maps)
    depth = 0.1 + 0.5 * (largest - least) / (1 - least)
    color = np.array([to_rgb(color) for color in COLORS])[maps.argmax(axis=0)]
    return 1 - depth[..., None] * (1 - color)


def draw_borders(ax, across, up, maps):
    """Draw lines where a class stops being the most probable one; maps (classes, rows, columns)."""
    for number, probability in enumerate(maps):
        others = np.delete(maps, number, axis=0) if len(maps) > 1 else 1 - maps
        ahead = probability - others.max(axis=0)
        if ahead.min() < 0 < ahead.max():
            ax.contour(across, up, ahead, levels=[0], colors="black", linewidths=1.3)


def write_star(ax, name, place):
    """Mark a point with a star and its name beside it."""
    style = {"color": "black", "markeredgecolor": "white", "markersize": 14, "zorder": 5}
    ax.plot(*place, "*", **style)
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.annotate(
        name, place, xytext=(9, 5), textcoords="offset points", fontsize=11, bbox=box, zorder=6
    )


@figure(height=3.1)
def confusion_matrix(ax, true, predicted, names, message):
    """Draw how many samples of each class were taken for which: a row for each true class.

    Args:
        true, predicted: class numbers, shape (n,).
        names: the name of each class.
        message: what the figure shows, in one sentence, for its text alternative.

    Raises:
        ValueError: shapes that differ, or numbers that are no class.
    """
    true, predicted = to_array(true), to_array(predicted)
    if true.ndim != 1 or true.shape != predicted.shape:
        raise ValueError(
            "confusion_matrix takes class numbers of shape (n,), but true and predicted have the "
            f"shapes {true.shape} and {predicted.shape}: logits.argmax(dim=1) gives class numbers."
        )
    counts = np.array(
        [
            [((true == row) & (predicted == column)).sum() for column in range(len(names))]
            for row in range(len(names))
        ]
    )
    if counts.sum() < len(true):
        raise ValueError(f"There are class numbers other than 0 to {len(names) - 1}.")
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(counts.shape):
        color = "white" if share[row, column] > 0.66 else "#222222"
        style = {"ha": "center", "va": "center", "fontsize": 14 if len(names) < 6 else 9.5}
        ax.text(column, row, str(counts[row, column]), color=color, **style)
    places = np.arange(len(names))
    ax.set(xlabel="predicted class", ylabel="true class", xticks=places, yticks=places)
    ax.set(xticklabels=names, yticklabels=names)
    ax.grid(visible=False)
    ax.figure.colorbar(image, ax=ax, label="share of the true class", ticks=[0, 0.5, 1])
    return (
        f"{message} A table of counts: a row for each true class, a column for each predicted one, "
        f"of {', '.join(names)}; right answers stand on the diagonal."
    )
