"""The course's data: small HDF5 files read as tensors, held-out rows, scaling.

Data made from a seed, MNIST and tables from a reader's own files lie in `utils.datasets`, and are
imported from here.
"""

import io
import math
from dataclasses import dataclass, field

import h5py
import torch

from utils.datasets.mnist import load_mnist
from utils.datasets.shapes import ellipses
from utils.datasets.synthetic import (
    bent_wave,
    blobs,
    circles,
    linear,
    moons,
    parabola,
    slow_and_fast_waves,
    spiral,
)
from utils.datasets.tables import Table, read_table
from utils.machine import verify

__all__ = [
    "DataSet",
    "Scaling",
    "Table",
    "bent_wave",
    "blobs",
    "circles",
    "ellipses",
    "linear",
    "load",
    "load_mnist",
    "moons",
    "parabola",
    "read_table",
    "slow_and_fast_waves",
    "spiral",
    "split",
    "standardise",
]


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
