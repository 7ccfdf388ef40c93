"""The course's data: small HDF5 files read as tensors, synthetic data, held-out rows, scaling.

Synthetic data are drawn in float64 from NumPy's `RandomState`, whose numbers are promised never to
change. Their default arguments are those of published courses, so that results can be compared;
`linear`, `circles` and `blobs` give the numbers of `make_regression`, `make_circles` and
`make_blobs` of `sklearn.datasets` 1.9, without needing it. Inputs x have the shape (n, d). Targets
y are (n, 1) in torch's default dtype for regression, and class numbers (n,), int64, for
classification. `noise` is the standard deviation of normal noise.
"""

import io
import math
from dataclasses import dataclass, field

import h5py
import numpy as np
import torch

from utils.machine import verify


@dataclass(frozen=True)
class DataSet:
    """Tensors that belong together, with what their numbers mean.

    `data["measurements"]` gives a tensor, and raises KeyError with the names there are for any
    other. `columns`, `units` and `labels` are dictionaries with the same keys: the names and units
    of a tensor's columns, and the names behind integer codes.
    """

    name: str
    title: str
    description: str
    source: str
    licence: str
    tensors: dict = field(repr=False)
    columns: dict = field(repr=False)
    units: dict = field(repr=False)
    labels: dict = field(repr=False)

    def __getitem__(self, key):
        if key not in self.tensors:
            known = ", ".join(self.tensors)
            raise KeyError(f"The data set {self.name} has no {key!r}; it has: {known}.")
        return self.tensors[key]

    def __str__(self):
        lines = [self.title]
        for key, tensor in self.tensors.items():
            kind = str(tensor.dtype).removeprefix("torch.")
            lines.append(f"  {key:<13}{str(tuple(tensor.shape)):<15}{kind}")
        return "\n".join(lines)


def load(name):
    """Read a data set of the course from data/<name>.h5 into memory.

    The file is compared with its published checksum first. Measurements come as float32, whole
    numbers (codes, pixels) as they are stored; gaps stay NaN, or -1 in integer columns.

    Args:
        name: "penguins" (344 birds) or "digits" (1,797 images of 8 x 8 pixels).

    Returns:
        DataSet: penguins holds measurements (344, 4), species, island, sex, year (344,);
            digits holds images (1797, 8, 8) and labels (1797,).

    Raises:
        DataFileError: the file is missing, cut short or altered, or there is none of that name.
    """
    content = verify(f"{name}.h5")
    tensors, columns, units, labels = {}, {}, {}, {}
    with h5py.File(io.BytesIO(content), "r") as file:
        about = {key: file.attrs[key] for key in ["title", "description", "source", "licence"]}
        for key, dataset in file.items():
            values = torch.from_numpy(dataset[()])
            tensors[key] = values.float() if values.is_floating_point() else values
            columns[key] = tuple(dataset.attrs["columns"])
            units[key] = tuple(dataset.attrs["units"])
            if "labels" in dataset.attrs:
                labels[key] = tuple(dataset.attrs["labels"])
    return DataSet(name, **about, tensors=tensors, columns=columns, units=units, labels=labels)


# -------------------------------------------------------------------------------- synthetic data
def linear(n_samples=500, n_features=1, noise=10.0, seed=0):
    """Draw targets that are a weighted sum of the features, with normal noise.

    With one feature the weight is 45.706; least squares finds intercept -0.77 and slope 45.50, with
    a mean squared error of 93.1. With three the weights are 0.479, 55.377, 11.389; least squares
    finds intercept 0.43 and slopes 0.62, 55.99, 11.14.

    Args:
        n_samples: the number of samples n.
        n_features: the number of features d, at most 10.
        noise: the standard deviation of the noise.
        seed: what `make_regression(..., coef=True)` of scikit-learn calls `random_state`.

    Returns:
        (x, y, weights): x (n, d), standard normal; y (n, 1); weights (d,), uniform on [0, 100].
    """
    random = np.random.RandomState(seed)
    x = random.standard_normal(size=(n_samples, n_features))
    weights = 100 * random.uniform(size=(n_features, 1))
    y = x @ weights
    if noise > 0:
        y += random.normal(scale=noise, size=y.shape)
    order = shuffled(n_samples, random)
    columns = shuffled(n_features, random)
    return tensor(x[order][:, columns]), tensor(y[order]), tensor(weights[columns, 0])


def parabola(n_samples=100, low=-5.0, high=5.0, noise=0.0, seed=19):
    """Return x (n, 1), uniform on [low, high], and y = x² with normal noise (n, 1)."""
    random = np.random.RandomState(seed)
    x = random.uniform(low, high, size=(n_samples, 1))
    return with_noise(x, x**2, noise, random)


def slow_and_fast_waves(n_samples=1000, low=0.0, high=100.0, noise=0.0, seed=None):
    """Return x (n, 1) and y = 3 sin(0.01 x) cos(0.1 x) with normal noise (n, 1).

    It is a fast wave inside a slow one. Scaled to an interval of length 1, the y of the 1000 evenly
    spaced points have a variance of 0.076.

    Args:
        n_samples: the number of samples n.
        low, high: the smallest and the largest x.
        noise: the standard deviation of the noise.
        seed: None for evenly spaced x, both ends included; a number draws them uniformly, as for
            test points. (Without a seed, noise is drawn with seed 0.)
    """
    random = np.random.RandomState(seed or 0)
    if seed is None:
        x = np.linspace(low, high, n_samples).reshape(-1, 1)
    else:
        x = random.uniform(low, high, size=(n_samples, 1))
    return with_noise(x, 3 * np.sin(0.01 * x) * np.cos(0.1 * x), noise, random)


def bent_wave(n_samples=500, noise=0.0, seed=2020):
    """Return x (n, 1), standard normal and sorted, and y = x² + 15 sin³(x) with noise (n, 1)."""
    random = np.random.RandomState(seed)
    x = np.sort(random.standard_normal(size=(n_samples, 1)), axis=0)
    return with_noise(x, x**2 + 15 * np.sin(x) ** 3, noise, random)


def circles(n_samples=300, factor=0.5, noise=0.1, seed=0):
    """Draw points on two circles, with normal noise.

    Args:
        n_samples: the number of points n, half of them on each circle.
        factor: the radius of the circle of class 1; that of class 0 is 1.
        noise: the standard deviation of the noise.
        seed: what `make_circles` of scikit-learn calls `random_state`.

    Returns:
        (x, y): x (n, 2); y (n,), 0 or 1.
    """
    random = np.random.RandomState(seed)
    outer = n_samples // 2
    radius = np.repeat([1.0, factor], [outer, n_samples - outer])
    angle = np.concatenate(
        [
            np.linspace(0, 2 * np.pi, outer, endpoint=False),
            np.linspace(0, 2 * np.pi, n_samples - outer, endpoint=False),
        ]
    )
    x = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=1)
    y = np.repeat([0, 1], [outer, n_samples - outer])
    order = shuffled(n_samples, random)
    x = x[order] + random.normal(scale=noise, size=x.shape)
    return tensor(x), torch.from_numpy(y[order])


def blobs(n_samples=200, centers=4, std=0.15, box=1.2, seed=12345):
    """Draw points around centres, normally distributed; the class is the number of the centre.

    The default centres are near (1.031, -0.441), (-0.759, -0.709), (0.163, 0.229), (1.115, 0.368).

    Args:
        n_samples: the number of points n, split as evenly as possible among the centres.
        centers: the number of centres c, or their coordinates (c, 2).
        std: the standard deviation of the points around their centre.
        box: centres that are not given are uniform on the square [-box, box]².
        seed: what `make_blobs` of scikit-learn calls `random_state`.

    Returns:
        (x, y): x (n, 2); y (n,), 0 to c - 1.
    """
    random = np.random.RandomState(seed)
    if isinstance(centers, int):
        centers = random.uniform(-box, box, size=(centers, 2))
    centers = np.asarray(centers, dtype=np.float64)
    sizes = [n_samples // len(centers)] * len(centers)
    for number in range(n_samples % len(centers)):
        sizes[number] += 1
    x = np.concatenate(
        [
            random.normal(loc=center, scale=std, size=(size, 2))
            for center, size in zip(centers, sizes, strict=True)
        ]
    )
    y = np.repeat(np.arange(len(centers)), sizes)
    order = shuffled(n_samples, random)
    return tensor(x[order]), torch.from_numpy(y[order])


def moons(n_samples=300, noise=0.1, seed=0):
    """Draw points on two half circles of radius 1 that reach into each other, with normal noise.

    The upper one, of class 0, has its centre at (-0.5, -0.25); turned by half a turn around the
    origin it is the lower one, of class 1.

    Args:
        n_samples: the number of points n, half of them on each half circle.
        noise: the standard deviation of the noise.
        seed: of the noise and of the points' order.

    Returns:
        (x, y): x (n, 2); y (n,), 0 or 1.
    """
    shares, y = along_two_arms(n_samples)
    angle = np.pi * shares
    x = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    return in_any_order(x * turned(y), y, noise, seed)


def spiral(n_samples=300, turns=1.0, noise=0.05, seed=0):
    """Draw points on the two arms of a spiral, with normal noise.

    The arm of class 0 runs around the origin, its distance from it growing evenly from 0.1 to 1
    with the angle; turned by half a turn it is the arm of class 1.

    Args:
        n_samples: the number of points n, half of them on each arm.
        turns: how often an arm runs around the origin.
        noise: the standard deviation of the noise.
        seed: of the noise and of the points' order.

    Returns:
        (x, y): x (n, 2); y (n,), 0 or 1.
    """
    shares, y = along_two_arms(n_samples)
    radius, angle = 0.1 + 0.9 * shares, 2 * np.pi * turns * shares
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return in_any_order(x * turned(y), y, noise, seed)


def along_two_arms(n_samples):
    """Return how far along its arm each point lies, from 0 to 1, and its class, (n,) each."""
    first = n_samples // 2
    shares = [np.linspace(0, 1, size) for size in (first, n_samples - first)]
    return np.concatenate(shares), np.repeat([0, 1], [first, n_samples - first])


def turned(y):
    """Return the factors (n, 1) that turn points of class 1 by half a turn around the origin."""
    return (1 - 2 * y)[:, None]


def in_any_order(x, y, noise, seed):
    """Return points x (n, 2), moved by normal noise, and classes y (n,) in a random order."""
    random = np.random.RandomState(seed)
    x = x + random.normal(scale=noise, size=x.shape)
    order = shuffled(len(x), random)
    return tensor(x[order]), torch.from_numpy(y[order])


def with_noise(x, y, noise, random):
    """Return x and y as tensors, with normal noise of this standard deviation added to y."""
    if noise > 0:
        y = y + random.normal(scale=noise, size=y.shape)
    return tensor(x), tensor(y)


def shuffled(number, random):
    """Return the indices from 0 to number - 1 in a random order."""
    indices = np.arange(number)
    random.shuffle(indices)
    return indices


def tensor(array):
    """Return an array as a tensor of torch's default dtype."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(torch.get_default_dtype())


# ---------------------------------------------------------------------- held-out rows and scaling
def split(*tensors, fractions=(0.6, 0.2, 0.2), seed=0):
    """Split the rows of tensors at random into parts: training, validation, test.

    `train, validation, test = split(x, y)` gives three pairs (x, y), each as `fit` takes it. Every
    row is in one part only. The order is drawn on the CPU, from a generator of its own, so that
    the parts are the same on every device.

    Args:
        tensors: tensors with the same number of rows n.
        fractions: the share of each part, adding up to 1. Each part has at least one row.
        seed: the seed of the random order.

    Returns:
        For each fraction, a tuple with those rows of each tensor.

    Raises:
        ValueError: the numbers of rows differ, there are fewer rows than parts, or the fractions
            do not add up to 1.
    """
    check_rows(tensors)
    sizes = sizes_of_parts(len(tensors[0]), fractions)
    order = torch.randperm(len(tensors[0]), generator=torch.Generator().manual_seed(seed))
    return tuple(
        tuple(values[rows.to(values.device)] for values in tensors) for rows in order.split(sizes)
    )


def sizes_of_parts(rows, fractions):
    """Return the number of rows of each part, as near to the fractions as possible, none 0."""
    whole = math.isclose(sum(fractions), 1, abs_tol=1e-6)
    if not whole or min(fractions) <= 0:
        raise ValueError(
            f"The fractions {tuple(fractions)} must be above 0 and add up to 1, "
            "for example (0.6, 0.2, 0.2)."
        )
    if rows < len(fractions):
        raise ValueError(f"{rows} rows cannot be split into {len(fractions)} parts.")
    shares = [fraction * rows for fraction in fractions]
    sizes = [max(1, math.floor(share)) for share in shares]
    while sum(sizes) > rows:
        sizes[sizes.index(max(sizes))] -= 1
    while sum(sizes) < rows:
        short = [share - size for share, size in zip(shares, sizes, strict=True)]
        sizes[short.index(max(short))] += 1
    return sizes


@dataclass(frozen=True, eq=False)
class Scaling:
    """The mean and standard deviation of each column, to scale values and to scale them back.

    Attributes:
        mean, std: shape (d,), or () for values of shape (n,), in the unit of the column.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def apply(self, values):
        """Return values (n, d) as numbers of standard deviations from the mean."""
        return (self.like(values) - self.mean.to(values)) / self.std.to(values)

    def undo(self, values):
        """Return scaled values (n, d) in the units of the columns again."""
        return self.like(values) * self.std.to(values) + self.mean.to(values)

    def like(self, values):
        """Return the values if they have the columns that the scaling was made from."""
        if values.shape[1:] != self.mean.shape:
            raise ValueError(
                f"The scaling is for values of shape (n{columns_in_words(self.mean)}), "
                f"these have the shape {tuple(values.shape)}."
            )
        return values


def standardise(train, *others):
    """Scale each column of the training rows to mean 0 and standard deviation 1.

    The other parts are scaled by the mean and standard deviation of the training rows, so that
    nothing leaks from them into training; their own come out only near 0 and 1. A column that is
    constant in the training rows is shifted to 0 and not scaled.

    Args:
        train, others: floating-point, shape (n, d) or (n,), each with its own n.

    Returns:
        The scaled values (train, *others), and the `Scaling` that brings them back with `undo`.

    Raises:
        ValueError: values are NaN or infinite or whole numbers, or the columns differ.
    """
    parts = (train, *others)
    for number, part in enumerate(parts):
        check_columns(part, "the training rows" if number == 0 else f"part {number}")
    rows = train.detach().cpu().double()  # the same digits on every device
    constant = (rows == rows[0]).all(dim=0)
    # A single row has no spread: its division by n - 1 would give NaN.
    std = rows.std(dim=0, correction=min(1, len(rows) - 1)).masked_fill(constant, 1)
    mean = torch.where(constant, rows[0], rows.mean(dim=0))  # exact where it is constant
    scaling = Scaling(*(values.to(train.dtype).to(train.device) for values in (mean, std)))
    return tuple(scaling.apply(part) for part in parts), scaling


def check_rows(tensors):
    """Raise unless these are tensors with one number of rows."""
    if not tensors:
        raise ValueError("There is nothing to split: give tensors, for example split(x, y).")
    for values in tensors:
        if not isinstance(values, torch.Tensor) or values.ndim == 0:
            raise ValueError(
                f"split takes tensors with rows, not a {type(values).__name__}"
                f"{' of shape ()' if isinstance(values, torch.Tensor) else ''}: "
                "torch.as_tensor makes a tensor of an array."
            )
    if len({len(values) for values in tensors}) > 1:
        shapes = ", ".join(str(tuple(values.shape)) for values in tensors)
        raise ValueError(f"The tensors must have the same number of rows, but the shapes {shapes}.")


def check_columns(values, name):
    """Raise unless this is a tensor (n, d) or (n,) of finite floats, with rows."""
    if not isinstance(values, torch.Tensor) or values.ndim not in (1, 2) or not len(values):
        kind = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
        raise ValueError(f"standardise takes tensors of shape (n, d) or (n,), but {name}: {kind}.")
    if not values.is_floating_point():
        raise ValueError(
            f"standardise takes floating-point numbers, but {name} are {values.dtype}: class "
            "numbers are not scaled, and .float() turns whole numbers that measure into floats."
        )
    gaps = (~values.isfinite()).reshape(len(values), -1)
    if gaps.any():
        column = gaps.any(dim=0).nonzero()[0].item()
        raise ValueError(
            f"Column {column} (counted from 0) of {name} holds NaN or infinite values "
            f"({gaps[:, column].sum().item()} in all, the first in row "
            f"{gaps[:, column].nonzero()[0].item()}): leave out those rows first, "
            "x = x[x.isfinite().all(dim=1)]."
        )


def columns_in_words(mean):
    """Return the end of a shape in words: ", 3" for three columns, "," for none."""
    return f", {len(mean)}" if mean.ndim else ","
