"""The course's data: small HDF5 files, checked and read as tensors."""

import io
from dataclasses import dataclass, field

import h5py
import torch

from utils.checksums import verify


@dataclass(frozen=True)
class DataSet:
    """Tensors that belong together, with what their numbers mean.

    `data["measurements"]` gives a tensor; `columns`, `units` and `labels` are dictionaries with
    the same keys: the names and units of a tensor's columns, and the names behind integer codes.
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
            raise LookupError(f"The data set {self.name!r} holds no {key!r}; it holds: {known}.")
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
