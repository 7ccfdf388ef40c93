"""Figures of classification: probabilities, regions in the plane, mistakes."""

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from utils.figures.style import (
    MARKERS,
    class_numbers,
    figure,
    label_axes,
    listed,
    name_gaps,
    series,
    to_array,
)
from utils.fitting.states import device_of, mode

TWO_CLASSES = LinearSegmentedColormap.from_list("two classes", ["#5FA5CF", "#FFFFFF", "#EE9A5F"])


@figure(height=3.0)
def logistic_curve(ax, logits):
    """Draw the sigmoid with points on it, and the threshold between the two classes.

    Args:
        logits: name -> logit, a number; at most seven.
    """
    places = {name: to_array(logit).item() for name, logit in logits.items()}
    reach = max(6, *(1.15 * abs(place) for place in places.values()))
    x = np.linspace(-reach, reach, 400)
    ax.axhline(0.5, color="#555555", linestyle=":", linewidth=1.5, label="threshold 0.5")
    ax.plot(x, sigmoid(x), color="#777777", zorder=2, label="sigmoid")
    for number, name, place in series(places):
        color, height = f"C{number}", sigmoid(np.array(place))
        ax.plot([place, place], [0, height], color=color, linewidth=1, linestyle="--")
        look = {"color": color, "markersize": 9, "zorder": 4}
        ax.plot(place, height, MARKERS[number], label=name, **look)
    ax.set_ylim(-0.04, 1.04)
    label_axes(ax, "logit", "probability of class 1")
    return (
        "Probability of class 1 against the logit: the sigmoid, the threshold 0.5, and points: "
        f"{listed(places)}."
    )


def sigmoid(x):
    """Return 1 / (1 + exp(-x)) of an array, without overflow."""
    return np.exp(-np.logaddexp(0, -x))


@figure(height=3.3, columns=3)
def softmax_map(axes, low, high, third=None):
    """Draw the softmax probability of each of three classes over z0 and z1, with z2 kept fixed.

    Args:
        low, high: the range of the logits z0 (along the x axis) and z1 (along the y axis).
        third: z2, the logit of class 2; by default the middle of the range.
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
        ax.set(title=f"class {number}", xlabel="z₀")
        ax.grid(visible=False)
    axes[0].set_ylabel("z₁")
    scale = {"location": "bottom", "aspect": 60, "shrink": 0.7, "ticks": [0, 0.5, 1]}
    axes[0].figure.colorbar(image, ax=axes, label="probability", **scale)
    return (
        "Three maps of the softmax probability of classes 0, 1 and 2, darker where it is larger, "
        f"over z0 (x axis) and z1 (y axis) from {low:g} to {high:g}, with z2 = {third:g}; a line "
        "where it is 0.5."
    )


@figure(height=3.3)
def decision_regions(
    ax, model, x, labels, xlabel="x₁", ylabel="x₂", class_names=None, marked=None, limits=None
):
    """Draw what a classifier says about each place in the plane, and points of known class.

    Two classes: the probability of class 1 as shade, with a line where it is 0.5. More: each place
    in the colour of its most probable class, deeper where that is more probable.

    Args:
        model: a network that gives logits, (n, 2) -> (n, 1) or (n, classes), used in evaluation
            mode and left as it was; or any function that gives probabilities of these shapes.
        x: points, shape (n, 2).
        labels: the class of each point, as its number from 0 or its name, shape (n,) or (n, 1).
        xlabel, ylabel: what the axes count.
        class_names: the name of each class, at most seven.
        marked: name -> point of shape (2,), to be marked with a star.
        limits: (left, right, low, high) of the plane; by default somewhat more than the points.

    Raises:
        ValueError: there are not two features; the model gives values that are not finite, more
            than seven classes or not as many as names; a label is not one of the classes.
    """
    points = to_array(x)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"The points have the shape {points.shape}, but a plane has two features, (n, 2): "
            "choose two columns, x[:, :2], and train a model of those two."
        )
    edges = limits or limits_around(points)
    across, up = np.meshgrid(np.linspace(*edges[:2], 261), np.linspace(*edges[2:], 181))
    plane = np.stack([across.ravel(), up.ravel()], axis=1)
    plane = torch.as_tensor(plane.astype(points.dtype)).to(getattr(x, "device", "cpu"))
    found = probabilities(model, plane)
    maps = found.T.reshape(-1, *across.shape)  # (classes, rows, columns)
    class_names = list(class_names or [f"class {number}" for number in range(len(maps))])
    if len(class_names) != len(maps):
        raise ValueError(f"The model gives {len(maps)} classes, the names {listed(class_names)}.")
    classes, names = class_numbers(labels, class_names), []
    members = series({name: classes == number for number, name in enumerate(class_names)})
    two = len(maps) == 2
    if two:
        shade_two_classes(ax, maps[1], edges, class_names)
    else:
        ax.imshow(shade_of_classes(maps), extent=edges, origin="lower", aspect="auto")
    draw_borders(ax, across, up, maps[1:] if two else maps)
    for number, name, rows in members:
        look = {"s": 30, "marker": MARKERS[number], "linewidths": 0.7, "edgecolors": "white"}
        names.append(name_gaps(name, *points[rows].T))
        ax.scatter(*points[rows].T, color=f"C{number}", label=names[-1], zorder=3, **look)
    for name, place in (marked or {}).items():
        write_star(ax, name, to_array(place))
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=edges[:2], ylim=edges[2:])
    ax.grid(visible=False)
    deeper = None if two else "deeper: more\nprobable"
    ax.figure.legend(loc="outside right center", title=deeper, title_fontsize=10.5)
    ground = f"shaded by the probability of {class_names[1]}" if two else "in its class's colour"
    stars = f" Marked with a star: {'; '.join(marked)}." if marked else ""
    return (
        f"Points of {listed(names)} over {xlabel} and {ylabel}; each place of the plane is "
        f"{ground}.{stars}"
    )


def probabilities(model, points):
    """Return the probability of each class at points (n, 2), as an array (n, classes)."""
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
    """Return the left, right, low and high end of the plane around points (n, 2).

    Where both axes have about one scale, a unit is about as long on the one as on the other.
    """
    points = points[np.isfinite(points).all(axis=1)]
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = 0.58 * np.ptp(points, axis=0)
    reach[reach == 0] = 1.0
    if 0.5 < reach[0] / reach[1] < 2:
        shape = 1.75  # width over height of the plane in the figure
        reach[1] = max(reach[1], reach[0] / shape)
        reach[0] = shape * reach[1]
    return tuple(np.stack([middle - reach, middle + reach], axis=1).ravel().tolist())


def shade_two_classes(ax, probability, edges, class_names):
    """Fill the plane with the probability of class 1, and add its scale."""
    style = {"cmap": TWO_CLASSES, "vmin": 0, "vmax": 1, "origin": "lower", "aspect": "auto"}
    image = ax.imshow(probability, extent=edges, **style)
    bar = ax.figure.colorbar(image, ax=ax, ticks=[0, 0.5, 1])
    bar.set_label(f"probability of {class_names[1]}", labelpad=8)


def shade_of_classes(maps):
    """Return the colour of the most probable class, deeper where surer, (rows, columns, 3)."""
    largest, smallest = maps.max(axis=0), 1 / len(maps)
    depth = 0.1 + 0.5 * (largest - smallest) / (1 - smallest)
    color = np.array([to_rgb(f"C{number}") for number in range(len(maps))])[maps.argmax(axis=0)]
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
def confusion_matrix(ax, true, predicted, class_names):
    """Draw how many samples of each class were taken for which: a row for each true class.

    Args:
        true, predicted: the class of each sample, as its number from 0 or its name, shape (n,).
        class_names: the name of each class.

    Raises:
        ValueError: the shapes differ, or something is none of the classes.
    """
    true, predicted = to_array(true), to_array(predicted)
    if true.ndim != 1 or true.shape != predicted.shape:
        raise ValueError(
            "confusion_matrix takes class numbers of shape (n,), but true and predicted have the "
            f"shapes {true.shape} and {predicted.shape}: logits.argmax(dim=1) gives class numbers."
        )
    counts = np.zeros((len(class_names), len(class_names)), dtype=int)
    np.add.at(counts, (class_numbers(true, class_names), class_numbers(predicted, class_names)), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(counts.shape):
        color = "white" if share[row, column] > 0.66 else "#222222"
        style = {"ha": "center", "va": "center", "fontsize": 14 if len(class_names) < 6 else 9.5}
        ax.text(column, row, str(counts[row, column]), color=color, **style)
    places = np.arange(len(class_names))
    ax.set(xlabel="predicted class", ylabel="true class", xticks=places, yticks=places)
    ax.set(xticklabels=class_names, yticklabels=class_names)
    ax.grid(visible=False)
    bar = ax.figure.colorbar(image, ax=ax, ticks=[0, 0.5, 1])
    bar.set_label("share of the true class", labelpad=8)
    return (
        "A table of counts, with a row for each true class and a column for each predicted one: "
        f"{listed(class_names)}."
    )
