"""Figures of hidden units: what each adds to a prediction, activation functions, maps of a plane.

In maps, blue is above zero and orange below, with full lines around the one and dashed lines around
the other, as in `utils.diagrams`.
"""

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

from utils.figures.style import DASHES, POSITIVE, SIGNS, figure, label_axes, listed, to_array

GREY = "#B8B8B8"
RESPONSE_LEVELS = [-1.5, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.5, 2, 2.5, 3, 3.5]
RESPONSE_TICKS = [-2, -1, 0, 1, 2, 3, 4]
# From point to point, without the small gaps that arrows have by default.
WEIGHTS_ARROW = {"arrowstyle": "-|>", "lw": 2.4, "color": "black", "shrinkA": 0, "shrinkB": 0}


@figure(height=2.6)
def activation_grid(ax, x, activations):
    """Draw the activations of a layer as one grid: a row for each unit, colour for the value.

    Args:
        x: the inputs, shape (n,), in ascending order and evenly spaced.
        activations: shape (n, units).
    """
    x, activations = to_array(x).ravel(), to_array(activations)
    units = activations.shape[1]
    largest = np.abs(activations).max()
    edges = (x[0], x[-1], units + 0.5, 0.5)
    # Where no activation is below zero, as after ReLU, half of the scale would stay empty.
    signed = activations.min() < 0
    cmap = SIGNS if signed else LinearSegmentedColormap.from_list("above", ["#FFFFFF", POSITIVE])
    look = {"cmap": cmap, "vmin": -largest * signed, "vmax": largest, "interpolation": "nearest"}
    image = ax.imshow(activations.T, aspect="auto", extent=edges, **look)
    ax.set(xlabel="x", ylabel="hidden unit", yticks=range(1, units + 1))
    ax.grid(visible=False)
    ax.figure.colorbar(image, label="activation")
    return f"A row for each of the {units} hidden units, with its activation over x as colour."


@figure(height=3.2)
def weighted_sum(ax, x, activations, weights, bias=0.0, points=None, part="unit"):
    """Draw what each unit adds to the prediction, its weighted activation, and the sum of all.

    Args:
        x: shape (n,) or (n, 1), in ascending order.
        activations: of the last hidden layer at x, shape (n, units).
        weights: of the output layer, shape (1, units) or (units,).
        bias: of the output layer, shape (1,) or a number; 0 is not drawn.
        points: (x, y) of the data, drawn behind.
        part: what to call a unit, for example "triangle".
    """
    x, parts = to_array(x).ravel(), to_array(activations) * to_array(weights).reshape(1, -1)
    height, units = float(to_array(bias).reshape(())), parts.shape[1]
    if points is not None:
        data_x, data_y = (to_array(values).ravel() for values in points)
        ax.plot(data_x, data_y, "o", color="#BBBBBB", markersize=3, label="data", zorder=1)
    colors = ["#0072B2", "#007A5A", "#9F4C7C", "#8A6100", "#000000"]
    for unit in range(units):
        if units <= len(colors):
            look = {"color": colors[unit], "linestyle": DASHES[unit + 1]}
            label = f"{part} {unit + 1}, weighted"
        else:
            look = {"color": "#3C7FA8", "linestyle": "--"}
            label = None if unit else f"each {part}, weighted"
        ax.plot(x, parts[:, unit], linewidth=1.5, label=label, **look)
    if height:
        ax.axhline(height, color="#777777", linewidth=1.2, label="bias")
    total = parts.sum(axis=1) + height
    ax.plot(x, total, color="#D55E00", linewidth=2.8, label="sum = prediction")
    label_axes(ax, "x", "contribution")
    data = "Points of the data, and curves" if points is not None else "Curves"
    bias = ", the bias" if height else ""
    return f"{data} against x: the {units} {part}s, each times its weight{bias}, and their sum."


@figure(height=3.2, columns=2)
def units_and_loss(axes, x, activations, weights, bias, losses, epoch, points, ylim):
    """Draw what each unit adds to the prediction after an epoch, and where its loss stands.

    Args:
        x: shape (n,) or (n, 1), in ascending order.
        activations: of the hidden layer at x, shape (n, units).
        weights, bias: of the output layer, shape (1, units) or (units,), and (1,) or a number.
        losses: after each epoch, shape (epochs + 1,), the first before training.
        epoch: which of them the rest belongs to.
        points: (x, y) of the data, shape (k,) or (k, 1) each.
        ylim: (lowest, highest) y of the left panel.
    """
    left, right = axes
    x, parts = to_array(x).ravel(), to_array(activations) * to_array(weights).reshape(1, -1)
    left.plot(*(to_array(each).ravel() for each in points), "o", color="#BBBBBB", markersize=3)
    for unit in range(parts.shape[1]):
        label = None if unit else "each unit, weighted"
        left.plot(x, parts[:, unit], "--", color="#3C7FA8", linewidth=1.3, label=label)
    total = parts.sum(axis=1) + float(to_array(bias).reshape(()))
    left.plot(x, total, color="#D55E00", linewidth=2.6, label="sum and bias: the prediction")
    left.set(xlim=(x[0], x[-1]), ylim=ylim, xlabel="x", ylabel="y")
    losses = to_array(losses)
    right.semilogy(losses, color="C0", linewidth=1.4)
    right.plot(epoch, losses[epoch], "o", color="#D55E00", markersize=9)
    right.set(xlabel="epoch", ylabel="loss")
    right.set_title(f"epoch {epoch}: loss {losses[epoch]:.3g}", loc="center")
    left.figure.legend(loc="outside lower center", ncols=2)
    return (
        f"Left, what each of {parts.shape[1]} units adds after {epoch} epochs, and the prediction. "
        "Right, the loss on a logarithmic axis against the epoch, with this one marked."
    )


@figure(height=3.3)
def sigmoid_steps(ax, x, y, centres, heights, steepness, limits):
    """Draw steps set by hand, their sum with the bias that fits best, and how far it is from data.

    The axes depend on the data and the limits alone: while the steps change, they stay.

    Args:
        x, y: the data, shape (n, 1) or (n,), x in ascending order.
        centres: where each step is half as high as in the end, shape (k,).
        heights: how high each step is in the end, shape (k,); below 0 it leads down.
        steepness: the weight of x in each sigmoid, shape (k,).
        limits: (low, high) end of the y axis.
    """
    x, y = to_array(x).ravel(), to_array(y).ravel()
    centres, heights, steepness = (to_array(each) for each in (centres, heights, steepness))

    def steps(places):
        return 1 / (1 + np.exp(steepness * (centres - places[:, None])))

    residuals = y - steps(x) @ heights
    grid, bias = np.linspace(x[0], x[-1], 300), residuals.mean()
    weighted_sum(grid, steps(grid), heights, bias, points=(x, y), part="step", ax=ax)
    margin = 0.02 * (x[-1] - x[0])
    ax.set(xlim=(x[0] - margin, x[-1] + margin), ylim=limits)
    ax.set_title(f"mean squared error {residuals.var():.1f}")
    words = "; ".join(f"at {c:g} of height {h:g}" for c, h in zip(centres, heights, strict=True))
    return (
        f"Points of the data, sigmoid steps over x ({words}), the bias and their sum, with a mean "
        f"squared error of {residuals.var():.1f}."
    )


@figure(height=3.4, rows=2, columns=5)
def gallery(axes, s, curves):
    """Draw ten activation functions, each with its derivative, on one scale.

    Args:
        s: where they were computed, shape (n,), in ascending order.
        curves: name -> (activations, slopes), shape (n,) each.
    """
    s = to_array(s)
    for place, (ax, (name, (values, slopes))) in enumerate(zip(axes, curves.items(), strict=True)):
        ax.axhline(0, color="#888888", linewidth=0.8)
        ax.axvline(0, color="#888888", linewidth=0.8)
        labels = ("activation φ(s)", "slope φ'(s)") if place == 0 else (None, None)
        ax.plot(s, to_array(values), color="C0", linewidth=2.2, label=labels[0])
        ax.plot(s, to_array(slopes), color="C1", linewidth=1.6, linestyle="--", label=labels[1])
        ax.set(xlim=(s[0], s[-1]), ylim=(-2, 3), xticks=[s[0], 0, s[-1]], yticks=[-1, 0, 1, 2])
        ax.set_title(name, loc="center", fontsize=11)
        ax.tick_params(labelsize=9, labelbottom=place >= 5, labelleft=place % 5 == 0)
    axes[7].set_xlabel("s")
    axes[0].figure.legend(loc="outside upper right", ncols=2)
    return (
        f"Ten panels over s from {s[0]:g} to {s[-1]:g}, each with an activation function and, "
        f"dashed, its slope: {listed(curves)}."
    )


def plane(reach, steps=200):
    """Return points that fill the square from -reach to reach evenly, row by row upwards.

    Each one stands in the middle of a cell of the square, so that every cell counts as much.

    Returns:
        shape (steps * steps, 2).
    """
    ticks = torch.from_numpy(middles(reach, steps)).to(torch.get_default_dtype())
    up, across = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack([across.ravel(), up.ravel()], dim=1)


def middles(reach, steps):
    """Return the middles of equal steps from -reach to reach, shape (steps,)."""
    ends = np.linspace(-reach, reach, steps + 1)
    return (ends[:-1] + ends[1:]) / 2


def draw_map(ax, values, reach, levels=(-0.5, 0.5), norm=None):
    """Fill a square with values at the points of `plane`, lines at levels; return the image."""
    side = round(len(to_array(values).ravel()) ** 0.5)
    table = to_array(values).reshape(side, side)
    edges = (-reach, reach, -reach, reach)
    norm = norm or TwoSlopeNorm(0, -1, 1)
    image = ax.imshow(table, extent=edges, origin="lower", cmap=SIGNS, norm=norm)
    levels = [level for level in levels if table.min() < level < table.max()]
    if levels:  # dashed where the level is negative
        dashes = ["--" if level < 0 else "-" for level in levels]
        style = {"colors": "#555555", "linewidths": 0.9, "linestyles": dashes}
        ticks = middles(reach, side)
        ax.contour(ticks, ticks, table, levels=levels, **style)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[-reach, 0, reach])
    ax.set(yticks=[-reach, 0, reach])
    ax.grid(visible=False)
    return image


def zero_line(w, b, reach):
    """Return two ends, (2, 2), of the line w · x + b = 0, long enough for a square; None for w = 0.

    The line is perpendicular to w, and runs through -b w / |w|².
    """
    size = np.hypot(*w)
    if size == 0:
        return None
    along = np.array([-w[1], w[0]]) / size
    foot = -b * np.asarray(w) / size**2
    length = np.hypot(*foot) + 2 * reach
    return np.stack([foot - length * along, foot + length * along])


@figure(height=3.4)
def response_map(ax, w, b, activation, name, reach=3):
    """Draw what a unit with two inputs answers everywhere, with the line s = 0 and the weights.

    The weights w are an arrow that starts on the line, at -b w / |w|², perpendicular to it.

    Args:
        w, b: two weights, shape (2,), and a bias.
        activation: a function of a tensor; name: what it is called.
        reach: the plane goes from -reach to reach in both directions.
    """
    weights = torch.as_tensor(w, dtype=torch.float32).detach().cpu()
    bias = float(b)
    image = draw_map(ax, activation(plane(reach, steps=150) @ weights + bias), reach)
    w = to_array(weights).astype(float)
    ends = zero_line(w, bias, reach)
    words = "There is no line s = 0, because w = 0."
    if ends is not None:
        foot = ends.mean(axis=0)
        ax.plot(*ends.T, color="black", linestyle="-.", linewidth=1.8, label="s = 0")
        arrow = ax.annotate("", foot + w, foot, arrowprops=WEIGHTS_ARROW, annotation_clip=False)
        arrow.arrow_patch.set_clip_path(ax.patch)  # what lies outside the plane is not drawn
        ax.plot([], [], color="black", marker=">", markersize=8, label="weights w")
        ax.plot(*foot, "o", color="white", markeredgecolor="black", label="-b w / |w|²")
        ax.figure.legend(loc="outside right center")
        words = (
            f"The line s = 0 runs through ({foot[0]:.2g}, {foot[1]:.2g}), where the arrow w starts."
        )
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="x₁", ylabel="x₂")
    ax.set_title(f"w = [{w[0]:g}, {w[1]:g}], b = {bias:g}", loc="center")
    bar = ax.figure.colorbar(image, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.ax.set_title(f"{name}(s)", loc="left", fontsize=11, pad=10)
    weights = f"w = [{w[0]:g}, {w[1]:g}], b = {bias:g}"
    return f"Map of {name}(w · x + b) over x₁ and x₂ for {weights}. {words}"


def draw_response(ax, function, w, b, reach, steps):
    """Draw a unit's map on the scale that the maps of all activation functions share.

    Returns:
        the image, and in words from where to where the activations go.
    """
    values = function(plane(reach, steps) @ torch.as_tensor(w, dtype=torch.float32) + b)
    image = draw_map(ax, values, reach, RESPONSE_LEVELS, TwoSlopeNorm(0, -2, 4))
    low, high = values.min().item(), values.max().item()
    return image, f"from {low + 0.0:.2f} to {high + 0.0:.2f}"


@figure(height=3.4, rows=2, columns=5)
def ten_maps(axes, functions, w, b, reach=2):
    """Draw the map of one unit with each of ten activation functions, all on one colour scale.

    Args:
        functions: letter -> a function of a tensor.
        w, b: two weights, shape (2,), and a bias.
        reach: the plane goes from -reach to reach in both directions.
    """
    ranges = []
    for place, (ax, (letter, function)) in enumerate(zip(axes, functions.items(), strict=True)):
        image, ends = draw_response(ax, function, w, b, reach, steps=200)
        ax.set_title(letter, loc="center")
        ax.tick_params(labelsize=9, labelbottom=place >= 5, labelleft=place % 5 == 0)
        ranges.append(f"{letter} {ends}")
        ax.set(xlabel="x₁" if place >= 5 else "", ylabel="" if place % 5 else "x₂")
    scale = {"ticks": RESPONSE_TICKS, "aspect": 30, "extend": "max"}
    axes[0].figure.colorbar(image, ax=axes, label="φ(s)", **scale)
    return f"Ten maps of one unit over the plane, on one colour scale: {', '.join(ranges)}."


@figure(width=5, height=3.4)
def unit_map(ax, function, w, b, name, reach=2):
    """Draw one of the maps of `ten_maps`, large, of as much of the plane as is asked for.

    Args:
        function: a function of a tensor; name: what the map is called.
        w, b: two weights, shape (2,), and a bias.
        reach: the plane goes from -reach to reach in both directions.
    """
    image, ends = draw_response(ax, function, w, b, reach, steps=200)
    ax.set(xlabel="x₁", ylabel="x₂")
    ax.set_title(f"{name}, from -{reach:g} to {reach:g}", loc="center")
    ax.figure.colorbar(image, label="φ(s)", ticks=RESPONSE_TICKS, extend="max")
    return f"{name} of one unit over the plane from -{reach:g} to {reach:g}: it goes {ends}."


@figure(height=3.4, rows=2, columns=3)
def node_by_node(axes, sums, activation, name, reach=3):
    """Draw each of three units: its map over the plane, and the histogram of its s under φ.

    Args:
        sums: name of a unit -> its s at the points of `plane(reach)`, shape (n,).
        activation: a function of a tensor; name: what it is called.
        reach: the plane goes from -reach to reach in both directions.
    """
    span = np.ceil(max(values.abs().max().item() for values in sums.values()))
    s = torch.linspace(-span, span, 201)
    for (above, below), (unit, values) in zip(
        zip(axes[:3], axes[3:], strict=True), sums.items(), strict=True
    ):
        image = draw_map(above, activation(values), reach, levels=(-0.5, 0, 0.5))
        above.set_title(unit, loc="center", fontsize=11)
        weights = np.full(len(values), 100 / len(values))
        below.hist(to_array(values), bins=np.linspace(-span, span, 31), weights=weights, color=GREY)
        below.set(xlim=(-span, span), xlabel="s")
        curve = below.twinx()
        curve.plot(s, to_array(activation(s)), color="C0", linestyle=DASHES[0])
        curve.set(ylim=(-1.1, 1.1), yticks=[-1, 0, 1])
        curve.grid(visible=False)
        curve.tick_params(labelright=below is axes[5], labelsize=9)
        below.set_ylim(0, max(below.get_ylim()[1], 8))
        for ax in (above, below):
            ax.tick_params(labelsize=9)
    axes[3].set_ylabel("% of the plane")
    curve.set_ylabel(f"{name}(s)", color="C0")
    axes[0].figure.colorbar(image, ax=axes[:3], label=f"{name}(s)", ticks=[-1, 0, 1], aspect=12)
    return (
        f"For each of {listed(sums)}: a map of {name}(s) over the plane, and below it the "
        f"histogram of s with the curve of {name} over it."
    )


@figure(height=2.5, columns=3)
def plane_maps(axes, maps, name="output", border=0.5, reach=2):
    """Draw three maps of the plane side by side, each with the border of the region it selects.

    Args:
        maps: title -> values from -1 to 1 at the points of `plane(reach)`, shape (n,) or (n, 1).
        name: what the values are.
        border: the value along which a line is drawn.
        reach: the plane goes from -reach to reach in both directions.
    """
    for ax, (title, values) in zip(axes, maps.items(), strict=True):
        image = draw_map(ax, values, reach, levels=(border,))
        ax.set(xlabel="x₁")
        ax.set_title(title, loc="center")
    axes[0].set_ylabel("x₂")
    low = min(0, *(to_array(values).min() for values in maps.values()))
    ticks = [0, 0.5, 1] if low == 0 else [-1, 0, 1]
    bar = axes[0].figure.colorbar(image, ax=axes, label=name, ticks=ticks, shrink=0.85)
    bar.ax.set_ylim(ticks[0], 1)
    return (
        f"Three maps of the {name} over the plane, with a line where it is {border:g}: "
        f"{listed(maps)}."
    )


@figure(height=3.0, columns=2)
def activation_and_slope(axes, s, values, slopes, at, name):
    """Draw an activation function and its slope, with a marker on both at one place.

    The tangent at the marker has the slope that the other panel shows as a height.

    Args:
        s: where they were computed, shape (n,), in ascending order.
        values, slopes: of the activation function at s, shape (n,) each.
        at: where the marker stands; the nearest of s is taken.
        name: what the function is called.
    """
    s, values, slopes = (to_array(each) for each in (s, values, slopes))
    nearest = np.abs(s - at).argmin()
    place, value, slope = s[nearest], values[nearest], slopes[nearest]
    ends = place + np.array([-1.2, 1.2]) / np.hypot(1, slope)  # as long for any slope
    axes[0].plot(s, values, color="C0", linewidth=2.2)
    axes[0].plot(ends, value + slope * (ends - place), color="C1", linestyle="--")
    axes[0].plot(place, value, "o", color="C0", markeredgecolor="black", markersize=9, zorder=4)
    axes[1].plot(s, slopes, color="C1", linestyle="--", linewidth=2.2)
    axes[1].plot(place, slope, "s", color="C1", markeredgecolor="black", markersize=9, zorder=4)
    axes[0].set(ylim=(-2.2, 4.2), aspect="equal", yticks=[-2, 0, 2, 4])
    axes[1].set(ylim=(-0.3, 2), yticks=[0, 0.5, 1, 1.5])
    axes[0].set_title(f"φ({at:g}) = {value + 0.0:.3f}")
    axes[1].set_title(f"φ'({at:g}) = {slope + 0.0:.3f}")
    for ax, what in zip(axes, ["activation φ(s)", "slope φ'(s)"], strict=True):
        ax.axhline(0, color="#888888", linewidth=0.8, zorder=1)
        ax.axvline(place, color="#888888", linewidth=0.8, linestyle=":", zorder=1)
        ax.set(xlim=(s[0], s[-1]), xticks=[s[0], 0, s[-1]], xlabel="s", ylabel=what)
    axes[0].figure.suptitle(name, fontsize=12, fontweight="bold")
    return (
        f"Two panels over s, {name} with its tangent and its slope, with a marker at s = {at:g}: "
        f"activation {value + 0.0:.3f}, slope {slope + 0.0:.3f}."
    )


@figure(height=3.4)
def selected_region(ax, output, W, b, title="", border=0.5, reach=2):
    """Draw the output of a network over the plane, and the line s = 0 of each hidden unit.

    Args:
        output: values from 0 to 1 at the points of `plane(reach, steps)`, shape (n,) or (n, 1).
        W, b: of the hidden units, shape (2, units), a column for each, and (units,).
        title: what stands above, before the share of the plane that is selected.
        border: the value along which a line is drawn, and above which a place is selected.
        reach: the plane goes from -reach to reach in both directions.
    """
    output, W, b = to_array(output), to_array(W).astype(float), to_array(b)
    image = draw_map(ax, output, reach, levels=(border,), norm=TwoSlopeNorm(0, -1, 1))
    for line in ax.collections:
        line.set(edgecolor="black", linewidth=2)
    for unit, (w, bias) in enumerate(zip(W.T, np.broadcast_to(b, W.shape[1]), strict=True)):
        label = "s = 0 of each unit" if unit == 0 else None
        ends = zero_line(w, bias, reach)
        ax.plot(*ends.T, color="#555555", linestyle="-.", linewidth=1.2, label=label)
    ax.plot([], [], color="black", linewidth=2, label=f"output {border:g}")
    share = (output > border).mean()
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="x₁", ylabel="x₂", aspect="equal")
    ax.set_title(f"{title}: {share:.0%} selected", loc="center")
    bar = ax.figure.colorbar(image, ax=ax, ticks=[0, 0.5, 1])
    bar.ax.set_title("output", loc="left", fontsize=11, pad=10)
    bar.ax.set_ylim(0, 1)
    ax.figure.legend(loc="outside right center")
    return (
        f"Map of the output over x₁ and x₂, {title}: it is above {border:g} in {share:.0%} of the "
        f"square. The lines s = 0 of the {W.shape[1]} hidden units are drawn."
    )
