"""Make the film that README.md opens with: a network learns to part two circles.

    python3 course.py film

docs/learning.webp shows one picture for each epoch: the network's weights, and what it says about
each place of the plane. docs/learning.png is its last picture, for readers who want no motion.
"""

import argparse
import io
import sys

import matplotlib.style
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from tools.settings import LAUNCHER, ROOT
from tools.setup.console import guarded
from utils import diagrams
from utils.data import circles
from utils.figures import regions, style
from utils.training import fit

FILM, STILL = ROOT / "docs" / "learning.webp", ROOT / "docs" / "learning.png"
EPOCHS, RATE, UNITS, SEED = 24, 0.03, 8, 0
LEVELS, COLOURS = 10, 40  # of shade, and in all: few make a small file
REACH = 1.45  # the plane goes from -REACH to REACH in both directions
WIDTH, HEIGHT, DOTS_PER_INCH = 7.2, 3.2, 130  # inches
PICTURE, LAST = 160, 4000  # milliseconds that a picture stays
TIMES = 3  # the film is shown; then its last picture stays


def pictures():
    """Return a picture of the network before the first epoch and after each, (rows, columns, 3)."""
    points, labels = circles()
    return [picture(model, points, labels, epoch) for epoch, model in training(points, labels)]


def training(points, labels):
    """Train a network, and give the number of epochs done with the network after them, from 0."""
    data = points.double(), labels.double()[:, None]  # the same on every machine
    torch.manual_seed(SEED)
    model = nn.Sequential(nn.Linear(2, UNITS), nn.Tanh(), nn.Linear(UNITS, 1)).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    yield 0, model
    for epoch in range(1, EPOCHS + 1):
        batches = {"batch_size": 50, "seed": epoch, "progress": False}
        fit(model, data, nn.BCEWithLogitsLoss(), optimizer, epochs=1, **batches)
        yield epoch, model


def picture(model, points, labels, epoch):
    """Draw the network and what it says about the plane, as an array (rows, columns, 3)."""
    with matplotlib.style.context(style.STYLE):
        drawn = Figure((WIDTH, HEIGHT), dpi=DOTS_PER_INCH)
        canvas = FigureCanvasAgg(drawn)
        graph = drawn.add_axes([0, 0, 0.54, 0.9])
        diagrams.weight_graph([model[0].weight, model[2].weight], ax=graph)
        graph.get_legend().remove()
        graph.set_xlim(-0.6, 4.6)
        side = 0.98 * HEIGHT / WIDTH
        plane = drawn.add_axes([0.985 - side, 0.01, side, 0.98])
        draw_plane(plane, model, points, labels)
        right = ((model(points.double())[:, 0] > 0) == labels.bool()).double().mean().item()
        words = f"epoch {epoch}: {100 * right:.0f} % right"
        drawn.text(0.02, 0.93, words, va="center", fontsize=13)
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def draw_plane(ax, model, points, labels):
    """Draw the probability of class 1 as shade, the border, and the points."""
    ticks = torch.linspace(-REACH, REACH, 201, dtype=torch.float64)
    up, across = torch.meshgrid(ticks, ticks, indexing="ij")
    places = torch.stack([across.flatten(), up.flatten()], dim=1)
    probability = regions.probabilities(model, places)[:, 1].reshape(across.shape)
    levels = np.linspace(0, 1, LEVELS + 1)
    look = {"cmap": regions.TWO_CLASSES, "antialiased": False}
    ax.contourf(across, up, probability, levels=levels, **look)
    regions.draw_borders(ax, across.numpy(), up.numpy(), probability[None])
    for number, marker in enumerate("os"):
        x, y = points[labels == number].T
        look = {"s": 26, "marker": marker, "linewidths": 0.6, "edgecolors": "white"}
        ax.scatter(x, y, color=f"C{number}", zorder=3, **look)
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH))
    ax.set_axis_off()


def make(shown):
    """Return the film (animated WebP) and the still (PNG) of pictures, as bytes."""
    colours = commonest(shown[-1])
    first, *rest = [Image.fromarray(painted(each, colours)) for each in shown]
    film, still = io.BytesIO(), io.BytesIO()
    rest[-1].save(still, "png", optimize=True)
    about = {"duration": [PICTURE] * len(rest) + [LAST], "loop": TIMES, "lossless": True}
    first.save(film, "webp", save_all=True, append_images=rest, **about)
    return film.getvalue(), still.getvalue()


def commonest(pixels):
    """Return the commonest colours of a picture (rows, columns, 3), shape (COLOURS, 3)."""
    colours, counts = np.unique(packed(pixels), return_counts=True)
    return unpacked(colours[counts.argsort(kind="stable")[::-1][:COLOURS]])


def painted(pixels, colours):
    """Return a picture (rows, columns, 3) in the nearest of these colours (n, 3)."""
    found, places = np.unique(packed(pixels), return_inverse=True)
    distances = (unpacked(found)[:, None].astype(int) - colours) ** 2
    return colours[distances.sum(axis=2).argmin(axis=1)][places].reshape(pixels.shape)


def packed(pixels):
    """Return each colour (..., 3) as one whole number."""
    return pixels.astype(int) @ [1 << 16, 1 << 8, 1]


def unpacked(numbers):
    """Return the colours (n, 3) of whole numbers (n,)."""
    return np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1).astype(np.uint8)


def main(arguments=None):
    """Make the film and the still; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} film", description=__doc__.split("\n")[0])
    parser.parse_args(arguments)
    for path, content in zip([FILM, STILL], make(pictures()), strict=True):
        path.write_bytes(content)
        print(f"{path.relative_to(ROOT)}: {len(content) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
