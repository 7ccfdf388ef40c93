"""How every figure is made and shown: one style, one size limit, a text alternative."""

import base64
import contextlib
import functools
import inspect
import io
import os
from pathlib import Path
from typing import NamedTuple

import matplotlib.style
import numpy as np
import torch
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

STYLE = Path(__file__).with_name("course.mplstyle")
HIGHEST = 3.4  # inches, so that a figure and its code fit a slide
DOTS_PER_INCH = 72  # on the page; the picture itself has twice as many, for sharp screens

# Where slides are built, each figure brings itself along for screens of any size: as lines and
# letters, or where that is long, as with thousands of points, as a picture of four times as many
# dots per inch.
SHARP = "application/vnd.course.sharp+json"
SHARP_WANTED = "COURSE_SHARP"  # an environment variable
LONGEST = 300_000  # bytes

# The colours and signs of the whole course. A colour means one thing everywhere.
POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
INK, PALE = "#222222", "#999999"
SIGNS = LinearSegmentedColormap.from_list("signs", [NEGATIVE, "#FFFFFF", POSITIVE])
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]
MOST_SERIES = len(DASHES)

# What takes pictures in the place of the page, the innermost last.
_keepers = []


def figure(width=7.2, height=3.0, columns=1, unit=None, rows=1):
    """Turn a function that draws on axes into a figure function of the course.

    The decorated function gets `ax` as its first argument (where there are several, a list, row by
    row) and returns the figure's description: what is drawn against what, and never what to learn
    from it, which the notebook says once the reader has thought. To the caller, `ax` is an optional
    keyword: without it the figure is drawn and shown, and nothing is returned; with it the function
    draws there and returns it.

    Args:
        width, height: size in inches, at most 7.2 x 3.4 so that figure and code fit a slide.
        columns: number of axes side by side.
        unit: for schematics, inches per unit of drawing; the height follows from what was drawn.
        rows: number of rows of axes.

    Returns:
        a decorator.
    """

    def decorate(draw):
        @functools.wraps(draw)
        def draw_or_show(*args, ax=None, **keywords):
            with matplotlib.style.context(STYLE):
                if ax is not None:
                    draw(ax, *args, **keywords)
                    return ax
                picture = Figure(figsize=(width, height), layout="constrained")
                axes = list(picture.subplots(rows, columns, squeeze=False).flat)
                description = draw(axes[0] if len(axes) == 1 else axes, *args, **keywords)
                if unit:
                    fit_to_drawing(picture, axes[0], unit)
                show_figure(picture, description)

        parameters = list(inspect.signature(draw).parameters.values())[1:]
        keyword = inspect.Parameter("ax", inspect.Parameter.KEYWORD_ONLY, default=None)
        ends_open = parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
        parameters.insert(len(parameters) - 1 if ends_open else len(parameters), keyword)
        draw_or_show.__signature__ = inspect.Signature(parameters)
        return draw_or_show

    return decorate


def fit_to_drawing(picture, ax, unit):
    """Give a schematic the height that it needs; it stands in the middle of the page's width."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    width = picture.get_figwidth()
    unit = min(unit, width / (right - left), HIGHEST / (high - low))
    picture.set_layout_engine("none")
    ax.set_position([0, 0, 1, 1])
    picture.set_size_inches(width, (high - low) * unit)


def show_figure(picture, description):
    """Show a matplotlib figure with its description, as a picture of fixed size.

    Args:
        picture: a matplotlib Figure.
        description: what is drawn, in words: for readers who cannot see it, and for tests.
    """
    about = about_of(picture, description)
    if _keepers:
        kept, like = _keepers[-1]
        sharp = None if like else sharp_of(picture)
        kept.append(Picture(png_of(picture, like), about, places_of(picture), sharp))
        return
    shown = {"image/png": png_of(picture), "text/plain": description}
    display(shown | as_output(sharp_of(picture)), metadata={"image/png": about}, raw=True)


def as_output(sharp):
    """Return what `sharp_of` gives as a part of an output."""
    return {SHARP: sharp} if sharp else {}


def sharp_of(picture):
    """Return a matplotlib figure for a large screen, {kind of file: content}; None if not wanted.

    The content is text, of a PNG in base64.
    """
    if SHARP_WANTED not in os.environ:
        return None
    with matplotlib.style.context([STYLE, {"svg.hashsalt": "course"}]):
        buffer = io.BytesIO()
        about = {"dpi": 4 * DOTS_PER_INCH, "metadata": {"Date": None, "Creator": None}}
        picture.savefig(buffer, format="svg", **about)
        if len(buffer.getvalue()) <= LONGEST:
            return {"svg": buffer.getvalue().decode("utf-8")}
        buffer = io.BytesIO()
        about = {"dpi": 4 * DOTS_PER_INCH, "metadata": {"Software": None}}
        picture.savefig(buffer, format="png", **about)
        return {"png": base64.b64encode(buffer.getvalue()).decode("ascii")}


def about_of(picture, description):
    """Return a matplotlib figure's description, width and height in pixels on the page."""
    width, height = (round(inches * DOTS_PER_INCH * 1.25) for inches in picture.get_size_inches())
    return {"alt": description, "width": width, "height": height}


def png_of(picture, like=None):
    """Return a matplotlib figure as PNG, its axes placed as in the `Picture` like it, if given."""
    buffer = io.BytesIO()
    with matplotlib.style.context(STYLE):
        if like and len(like.places) == len(picture.axes):
            draw_in_places(picture, like.places, buffer)
        else:
            # No software version in the file: the same figure gives the same bytes.
            about = {"dpi": 2 * DOTS_PER_INCH, "metadata": {"Software": None}}
            picture.savefig(buffer, format="png", **about)
    return buffer.getvalue()


def draw_in_places(picture, places, buffer):
    """Write a figure that moves into a buffer: it should not shake, and come soon.

    To find the places of the axes takes as long as to draw, and so does `savefig`, which goes
    through all artists twice wherever a layout engine has been. The picture is the same.
    """
    picture.set_layout_engine("none")
    for ax, place in zip(picture.axes, places, strict=True):
        ax.set_position(place)
    picture.set_dpi(2 * DOTS_PER_INCH)
    canvas = FigureCanvasAgg(picture)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    image.save(buffer, "png", compress_level=1)


def places_of(picture):
    """Return where the axes of a drawn figure lie, as fractions of its width and height."""
    return [ax.get_position(original=True) for ax in picture.axes]


class Picture(NamedTuple):
    """A figure that was kept: its PNG, {alt, width, height}, where its axes lie, `sharp_of` it."""

    png: bytes
    about: dict
    places: list
    sharp: dict | None = None


@contextlib.contextmanager
def keep_pictures(like=None):
    """Collect what figures show inside, as a list of `Picture`, and show nothing.

    Args:
        like: a `Picture` whose axes' places the new ones take over; they are drawn faster.
    """
    kept = []
    _keepers.append((kept, like))
    try:
        yield kept
    finally:
        _keepers.pop()


def to_array(values):
    """Return a tensor (any device, with or without gradients), list or array as a NumPy array."""
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    return np.asarray(values)


# ------------------------------------------------------------------- what several figures share
def series(values, most=MOST_SERIES):
    """Number the series of a figure.

    Args:
        values: name -> series.
        most: how many of them the figure can tell apart.

    Returns:
        a list of (number, name, series).

    Raises:
        ValueError: there are more.
    """
    if len(values) > most:
        raise ValueError(
            f"This figure can tell {most} series apart by colour, marker or line style, but there "
            f"are {len(values)}: draw fewer of them, or spread them over several figures."
        )
    return [(number, name, item) for number, (name, item) in enumerate(values.items())]


def class_numbers(labels, names):
    """Return which of the names each label means, as numbers from 0, shape (n,).

    Args:
        labels: numbers from 0, or the names themselves, shape (n,) or (n, 1).
        names: the names of the classes or groups, as a list.

    Raises:
        ValueError: a label is none of them.
    """
    labels = to_array(labels).ravel()
    known = names if labels.dtype.kind in "OU" else range(len(names))
    numbers = {label: number for number, label in enumerate(known)}
    labels = labels.tolist()
    strange = sorted({str(label) for label in labels if label not in numbers})
    if strange:
        raise ValueError(
            f"Each label has to be one of these names: {listed(names)}; or its number, from 0 to "
            f"{len(names) - 1}. But there are labels {listed(strange[:5])}."
        )
    return np.array([numbers[label] for label in labels], dtype=int)


def name_gaps(name, *values, positive=False, word="not finite"):
    """Return the name of a series, with how many of its points have no place in the figure.

    Args:
        name: of the series.
        *values: arrays of one shape, the numbers that say where the points are.
        positive: whether the last of them is drawn on a logarithmic axis.
        word: what to call points whose numbers are not finite.
    """
    finite = np.all([np.isfinite(each) for each in values], axis=0)
    low = finite & (values[-1] <= 0) & positive
    counts = {word: np.sum(~finite), "not above 0": np.sum(low)}
    gaps = ", ".join(f"{count} of {finite.size} {why}" for why, count in counts.items() if count)
    return f"{name} ({gaps})" if gaps else name


def listed(names):
    """Return names in a row, for a description; semicolons part those that contain a comma."""
    names = [str(name) for name in names]
    return ("; " if any("," in name for name in names) else ", ").join(names)


def label_axes(ax, xlabel, ylabel, legend=True):
    """Write what the axes count, and put the legend outside, where it hides no data."""
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if legend:
        ax.figure.legend(loc="outside right center")


def bare_axes(ax, xlim, ylim):
    """Fit the axes to a drawing: no frame, and a unit as long upwards as sideways."""
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set(xlim=xlim, ylim=ylim)


def draw_box(ax, center, size, text, color, fontsize=11, pad=0.04, linespacing=1.2):
    """Draw a box with round corners, (width, height) large, and a text in it."""
    corner = [middle - length / 2 for middle, length in zip(center, size, strict=True)]
    box = FancyBboxPatch(corner, *size, boxstyle=f"round,pad={pad}")
    box.set(facecolor=color, edgecolor=INK)
    ax.add_patch(box)
    words = {"ha": "center", "va": "center", "fontsize": fontsize, "linespacing": linespacing}
    ax.text(*center, text, **words)


def draw_arrow(ax, start, end, line, color, gap=0.0):
    """Draw an arrow between two places, leaving a gap for the boxes around them."""
    (x0, y0), (x1, y1) = start, end
    gap = gap if x1 > x0 else -gap
    style = {"arrowstyle": "->", "linestyle": line, "color": color, "linewidth": 1.6}
    ax.annotate("", xy=(x1 - gap, y1), xytext=(x0 + gap, y0), arrowprops=style)
