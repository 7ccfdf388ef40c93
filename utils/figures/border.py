"""A network's border and its losses while it learns: one figure that is kept, so that it is fast.

To draw a figure of matplotlib anew takes a tenth of a second and more, most of it for axes and
letters. Here they are drawn once, and of each new picture only what moves.
"""

import io

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from utils.figures.regions import TWO_CLASSES
from utils.figures.style import INK, MARKERS, STYLE, Picture, about_of, listed

SIZE = (7.2, 3.3)  # inches
# Inches from the left and from below, width, height.
PLACES = {"plane": (0.75, 0.52, 2.4, 2.4), "scale": (3.23, 0.52, 0.09, 2.4)}
PLACES["losses"] = (4.75, 0.52, 2.25, 2.4)
CELLS = 81  # of the map, along each side
FIRST_EPOCHS, FIRST_LOSSES = 100, (0.01, 1.0)  # where the axes of the losses end at first


class BorderFigure:
    """Points in a square plane, a classifier's probability and border, and beside it its losses.

    Class 0 is a blue circle and class 1 an orange square, filled where a point is trained on and
    hollow where it is held out.

    Args:
        dots: the picture's dots per inch; the fewer, the faster.
    """

    def __init__(self, dots=108):
        with matplotlib.style.context(STYLE):
            self.figure = Figure(SIZE, dpi=dots)
            self.canvas = FigureCanvasAgg(self.figure)
            self.ground = None  # the pixels of what stays, None if they have to be drawn
            size = (*SIZE, *SIZE)
            fractions = np.array(list(PLACES.values())) / size
            plane, scale, losses = (self.figure.add_axes(place) for place in fractions)
            self.plane, self.losses = plane, losses
            style = {"cmap": TWO_CLASSES, "vmin": 0, "vmax": 1, "origin": "lower", "zorder": 0}
            nowhere = np.full((CELLS, CELLS), 0.5)
            self.map = plane.imshow(nowhere, interpolation="bilinear", **style)
            ticks = {"label": "probability of class 1", "ticks": [0, 0.5, 1]}
            self.figure.colorbar(self.map, cax=scale, **ticks)
            self.border = None
            self.dots = {
                (number, held_out): plane.plot([], [], **look_of(number, held_out))[0]
                for number in (0, 1)
                for held_out in (False, True)
            }
            plane.set(xlabel="x₁", ylabel="x₂")
            losses.set(xlabel="epoch", ylabel="loss", yscale="log")
            self.curves = [
                losses.plot([], [], color=color, linestyle=line, linewidth=1.8, label=label)[0]
                for color, line, label in ((INK, "-", "training"), (to_hex("C2"), "--", "held out"))
            ]
            plane.grid(visible=False)
            for ax, columns, handles in ((plane, 3, self.in_legend()), (losses, 2, self.curves)):
                look = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.98), "columnspacing": 1}
                ax.legend(handles=handles, ncols=columns, handletextpad=0.3, **look)

    def in_legend(self):
        """Return what stands for the points in the legend."""
        held_out = self.plane.plot([], [], **{**look_of(0, True), "markeredgecolor": INK})[0]
        held_out.set_label("held out")
        return [self.dots[0, False], self.dots[1, False], held_out]

    def lay(self, points, labels, held_out, name):
        """Begin anew with these points, and without a probability.

        Args:
            points: shape (n, 2).
            labels: the class of each point, 0 or 1, shape (n,).
            held_out: whether each is held out, shape (n,).
            name: what the points are, for the description.
        """
        self.name = name
        # The points fill the plane, which is no smaller than what one would click into.
        self.reach = max(1.2, float(np.ceil(11 * np.abs(points).max(initial=0)) / 10))
        for (number, out), dots in self.dots.items():
            dots.set_data(*points[(labels == number) & (held_out == out)].T)
        sides = (-self.reach, self.reach)
        self.map.set_extent([*sides, *sides])
        self.plane.set(xlim=sides, ylim=sides)
        self.losses.set(xlim=(0, FIRST_EPOCHS), ylim=FIRST_LOSSES)
        self.ticks = np.linspace(*sides, CELLS)
        self.ground = None

    def grid(self):
        """Return the places at which `draw` needs the probability, shape (CELLS * CELLS, 2)."""
        across, up = np.meshgrid(self.ticks, self.ticks)
        return np.stack([across.ravel(), up.ravel()], axis=1)

    def place(self, across, down):
        """Return the point (x1, x2) at a place of the picture, or None outside the plane.

        Args:
            across, down: from the picture's left and upper edge, as fractions of its size.
        """
        at = (across * SIZE[0], (1 - down) * SIZE[1])
        left, low, width, height = PLACES["plane"]
        shares = (at[0] - left) / width, (at[1] - low) / height
        if not all(0 <= share <= 1 for share in shares):
            return None
        return tuple(self.reach * (2 * share - 1) for share in shares)

    def draw(self, probability=None, losses=((), ())):
        """Draw the figure as it is now.

        Args:
            probability: of class 1 at the places of `grid`, shape (CELLS * CELLS,); None where
                there is no network yet.
            losses: on training and on held-out points, a number for each epoch from 0.

        Returns:
            Picture.
        """
        values = np.full((CELLS, CELLS), 0.5) if probability is None else probability
        values = np.reshape(values, (CELLS, CELLS))
        self.map.set_data(values)
        if self.border:
            self.border.remove()
        self.border = None
        if values.min() < 0.5 < values.max():
            look = {"colors": "black", "linewidths": 1.5, "zorder": 1}
            self.border = self.plane.contour(self.ticks, self.ticks, values, [0.5], **look)
        for curve, numbers in zip(self.curves, losses, strict=True):
            curve.set_data(range(len(numbers)), numbers)
        self.make_room(losses)
        return Picture(self.png(), about_of(self.figure, self.description(losses)), [])

    def make_room(self, losses):
        """Move the ends of the losses' axes where they have become too narrow, and by a lot."""
        epochs, (low, high) = self.losses.get_xlim()[1], self.losses.get_ylim()
        while len(losses[0]) - 1 > epochs:
            epochs *= 2
        drawn = [loss for curve in losses for loss in curve if 1e-30 < loss < 1e30]
        low = min([low, *(10 ** np.floor(np.log10(loss)) for loss in drawn)])
        high = max([high, *(10 ** np.ceil(np.log10(loss)) for loss in drawn if loss > high)])
        if (epochs, low, high) != (self.losses.get_xlim()[1], *self.losses.get_ylim()):
            self.losses.set(xlim=(0, epochs), ylim=(low, high))
            self.ground = None

    def png(self):
        """Return the figure as PNG: the ground as it was, and over it what moves."""
        moving = [self.map, *([self.border] if self.border else []), *self.dots.values()]
        if self.ground is None:
            for artist in (*moving, *self.curves):
                artist.set_visible(False)
            with matplotlib.style.context(STYLE):
                self.canvas.draw()
            self.ground = self.canvas.copy_from_bbox(self.figure.bbox)
            for artist in (*moving, *self.curves):
                artist.set_visible(True)
        self.canvas.restore_region(self.ground)
        for artist in (*moving, *self.plane.spines.values()):
            self.plane.draw_artist(artist)
        for curve in self.curves:
            self.losses.draw_artist(curve)
        buffer = io.BytesIO()
        picture = Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB")
        picture.save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    def description(self, losses):
        """Return what is drawn, in words and without a number that was computed."""
        names = [f"class {number}" for number in (0, 1) if self.has(number)]
        points = f"Points of {listed(names)} ({self.name})" if names else "No points yet"
        epochs = len(losses[0]) - 1
        if epochs < 0:
            return f"{points} in a plane of x₁ and x₂, without a network; no losses yet."
        when = f"after epoch {epochs}" if epochs else "before the first epoch"
        return (
            f"{points} in a plane of x₁ and x₂ that is shaded by a network's probability of "
            f"class 1, {when}; beside it the training and the held-out loss against the epoch."
        )

    def has(self, number):
        """Return whether there are points of a class."""
        return any(len(dots.get_xdata()) for (each, _), dots in self.dots.items() if each == number)


def look_of(number, held_out):
    """Return how points of a class are drawn: a blue circle or an orange square, or hollow."""
    color = to_hex(f"C{number}")  # a number would be looked up when drawn, in whatever style
    edge, face = (color, "white") if held_out else ("white", color)
    look = {"marker": MARKERS[number], "linestyle": "none", "markersize": 5.5, "zorder": 2}
    look |= {"markeredgecolor": edge, "markerfacecolor": face, "label": f"class {number}"}
    return {**look, "markeredgewidth": 1.2 if held_out else 0.6}
