"""What a figure has drawn, asked from its artists: the helpers of all tests of figures."""

from collections import defaultdict
from unittest.mock import patch

import matplotlib.style
import numpy as np
import torch
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from torch import nn

from utils.figures import style


def draw(function, *arguments, panels=1, **keywords):
    """Return the axes, one or a list of panels, that a figure function drew on."""
    with matplotlib.style.context(style.STYLE):
        axes = list(Figure().subplots(1, panels, squeeze=False).flat)
    axes = axes if panels > 1 else axes[0]
    assert function(*arguments, ax=axes, **keywords) is axes
    return axes


def show(function, *arguments, **keywords):
    """Return the figure that a figure function would show, laid out, and its description."""
    with patch.object(style, "show_figure") as shown, matplotlib.style.context(style.STYLE):
        assert function(*arguments, **keywords) is None
        figure, description = shown.call_args.args
        figure.draw_without_rendering()
    return figure, description


def network_of(activation, *parameters):
    """Return a network of two linear layers around an activation, with these weights and biases."""
    weights = [torch.tensor(values) for values in parameters]
    first, second = (nn.Linear(*weight.T.shape) for weight in weights[::2])
    network = nn.Sequential(first, activation, second)
    with torch.no_grad():
        for place, values in zip(network.parameters(), weights, strict=True):
            place.copy_(values)
    return network


# ------------------------------------------------------------------------------- lines and points
def lines_of(ax):
    """Return the lines with a label: {label: points (n, 2)}, in the order of drawing."""
    return by_label((line, line.get_xydata()) for line in ax.lines)


def points_of(ax):
    """Return the groups of points with a label: {label: points (n, 2)}."""
    groups = [each for each in ax.collections if isinstance(each, PathCollection)]
    return by_label((group, group.get_offsets().filled(np.nan)) for group in groups)


def by_label(artists):
    """Return {label: data} of (artist, data), leaving out what has no label."""
    pairs = [(artist.get_label(), data) for artist, data in artists]
    pairs = [(label, data) for label, data in pairs if not label.startswith("_")]
    assert len(dict(pairs)) == len(pairs), "a label stands for one series"
    return dict(pairs)


def bare_lines(ax):
    """Return the points (n, 2) of each line without a label."""
    return [line.get_xydata() for line in ax.lines if line.get_label().startswith("_")]


def bands_of(ax):
    """Return the shaded bands, each as rows of x, its low and its high end."""
    bands = []
    for band in [each for each in ax.collections if isinstance(each, PolyCollection)]:
        heights = defaultdict(list)
        for path in band.get_paths():
            for x, y in path.vertices:
                heights[x].append(y)
        bands.append([(x, min(ys), max(ys)) for x, ys in sorted(heights.items())])
    return bands


def bars_of(container):
    """Return the bars in axes or in one of their containers: rows of x, y, width, height."""
    bars = [(bar.get_xy(), bar.get_width(), bar.get_height()) for bar in container.patches]
    return np.array([[*corner, width, height] for corner, width, height in bars])


def same(shown, expected):
    """Assert that the labels, in their order, stand for the series expected: {label: (x, y)}."""
    assert list(shown) == list(expected)
    for label, (x, y) in expected.items():
        np.testing.assert_allclose(shown[label], np.column_stack([x, y]), 1e-6, err_msg=label)


# -------------------------------------------------------------------------------- maps and grids
def value_at(ax, x, y):
    """Return the value, or the colour, that the image in these axes shows at a place."""
    (image,) = ax.images
    left, right, bottom, top = image.get_extent()
    values = np.asarray(image.get_array())
    across, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
    rows = values if image.origin == "lower" else values[::-1]
    return rows[int(up * len(values)), int(across * values.shape[1])]


def shows(ax, function, places, within=0.05):
    """Assert that the map in these axes has the values of function(x, y) at places."""
    shown = [value_at(ax, *place) for place in places]
    np.testing.assert_allclose(shown, [float(function(*place)) for place in places], atol=within)


def fill_at(ax, x, y):
    """Return the colour, as a text, of the filled patch in which a place lies."""
    filled = [each for each in ax.patches if each.get_fill()]
    place = ax.transData.transform((x, y))
    (there,) = [each for each in filled if each.contains_point(place)]
    return to_hex(there.get_facecolor())


def rows_of(ax):
    """Return the texts of a drawing, row by row from the top, each row from left to right."""
    rows = defaultdict(list)
    for text in ax.texts:
        if text.get_text():
            rows[round(text.get_position()[1], 3)].append(text)
    rows = [sorted(rows[y], key=lambda text: text.get_position()[0]) for y in sorted(rows)[::-1]]
    return [[text.get_text() for text in row] for row in rows]


# ------------------------------------------------------------------------------ words and arrows
def places_of(ax):
    """Return where each text stands: {text: (x, y)}."""
    return {text.get_text(): text.get_position() for text in ax.texts if text.get_text()}


def arrows_of(ax):
    """Return the arrows of a drawing, each as (start, end)."""
    arrows = [each for each in ax.texts if isinstance(each, Annotation) and each.arrow_patch]
    return [(arrow.xyann, arrow.xy) for arrow in arrows]


def axis_labels(ax):
    """Return what the x axis and what the y axis counts."""
    return ax.get_xlabel(), ax.get_ylabel()


def scales_of(ax):
    """Return whether the x axis and the y axis are linear or logarithmic."""
    return ax.get_xscale(), ax.get_yscale()


def ticks_of(axis):
    """Return what is written at each place of an axis: {place: text}."""
    texts = [text.get_text() for text in axis.get_ticklabels()]
    return dict(zip(axis.get_ticklocs().tolist(), texts, strict=True))


def legend_of(ax):
    """Return the texts of the figure's legend, None without one."""
    (legend,) = ax.figure.legends or [None]
    return legend and [text.get_text() for text in legend.get_texts()]
