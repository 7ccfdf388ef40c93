"""Images of ellipses, made from a seed, for networks that say where something is and how large."""

import operator

import numpy as np
import torch

SMALLEST_RADIUS = 3.0  # pixels; a smaller ellipse is a few squares, and has hardly a shape
LARGEST_RADIUS = 0.375  # of the image's size, which leaves the centre room to move
COLOUR_DISTANCE = 64  # between ellipse and ground in each channel, a quarter of what there is


def ellipses(n_samples=1000, size=32, noise=0.0, seed=0, first=0):
    """Draw coloured images of one filled ellipse each, on a ground of another colour.

    A pixel has the ellipse's colour where ((x - xc) / rx)² + ((y - yc) / ry)² <= 1 at its centre,
    and the ground's everywhere else: the edge is hard, so that the formula says all there is to an
    image. x counts columns to the right and y rows downwards, both from 0 at the centre of the
    first pixel, as `imshow` draws them.

    The radii are uniform on [3, 0.375 size], independent of each other, and the centre is uniform
    where the whole ellipse lies between 0 and size - 1. Colours are whole numbers, uniform on
    0..255 in each channel; ellipse and ground differ by at least 64 in each of the three.

    Sample i depends on `seed` and i alone: however many are made, in any order and in any worker,
    it is the same. `ellipses(1, first=i)` makes it alone.

    Args:
        n_samples: the number of images n, at least 1.
        size: height and width of the images in pixels, at least 16.
        noise: the standard deviation of normal noise on every pixel and channel, in steps of the
            colours 0..255; with noise, values are rounded and cut off at 0 and 255.
        seed: a whole number from 0 to 2³² - 1.
        first: the number i of the first image.

    Returns:
        (images, targets): images (n, 3, size, size), uint8, as pixels are stored (`.float() / 255`
            makes inputs of them); targets (n, 4), xc, yc, rx, ry in pixels, in torch's default
            dtype.

    Raises:
        ValueError: an argument is not a whole number, or out of its range.
    """
    n_samples = whole_number(n_samples, "n_samples", at_least=1)
    size = whole_number(size, "size", at_least=16)
    seed = whole_number(seed, "seed", at_least=0)
    first = whole_number(first, "first", at_least=0)
    if max(seed, first + n_samples - 1) >= 2**32:
        raise ValueError("seed and the number of the last image must be below 2³².")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be at least 0, in steps of the colours 0..255, not {noise}.")
    shares, added = drawn_for_each(seed, range(first, first + n_samples), size, noise)
    targets, colours = targets_and_colours(shares, size)
    x, y, rx, ry = targets.T[:, :, None]
    place = np.arange(size)
    across, down = ((place - x) / rx) ** 2, ((place - y) / ry) ** 2
    inside = down[:, :, None] + across[:, None, :] <= 1
    ellipse, ground = colours[:, :, :, None, None]
    images = np.where(inside[:, None], ellipse, ground)
    if added is not None:
        images = np.clip(np.rint(images + added), 0, 255).astype(np.uint8)
    return torch.from_numpy(images), torch.from_numpy(targets).to(torch.get_default_dtype())


def drawn_for_each(seed, numbers, size, noise):
    """Return ten uniform numbers for each image, (n, 10), and its noise, (n, 3, size, size).

    Every image has a stream of random numbers that begins anew from (seed, i).
    """
    random = np.random.RandomState()  # one for all: making one takes ten times as long as seeding
    shares = np.empty((len(numbers), 10))
    added = np.empty((len(numbers), 3, size, size), dtype=np.float32) if noise > 0 else None
    for row, number in enumerate(numbers):
        random.seed([seed, number])
        shares[row] = random.random_sample(10)
        if noise > 0:
            added[row] = random.normal(scale=noise, size=(3, size, size))
    return shares, added


def targets_and_colours(shares, size):
    """Return xc, yc, rx, ry (n, 4) and the colours of ellipse and ground (2, n, 3), uint8."""
    radii = SMALLEST_RADIUS + shares[:, :2] * (LARGEST_RADIUS * size - SMALLEST_RADIUS)
    centres = radii + shares[:, 2:4] * (size - 1 - 2 * radii)
    # Float32 before anything is drawn: the image is that of the targets that are returned.
    targets = np.concatenate([centres, radii], axis=1).astype(np.float32).astype(np.float64)
    ground = np.floor(256 * shares[:, 4:7])
    # Around the circle of 256 values, by 64 to 192 steps: both colours are uniform.
    steps = np.floor(COLOUR_DISTANCE + (257 - 2 * COLOUR_DISTANCE) * shares[:, 7:10])
    return targets, np.stack([(ground + steps) % 256, ground]).astype(np.uint8)


def whole_number(value, name, at_least):
    """Return an argument as an int, or raise if it is none or too small."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < at_least:
        raise ValueError(f"{name} must be a whole number, at least {at_least}, not {value!r}.")
    return number
