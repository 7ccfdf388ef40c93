"""Means per sample of losses and metrics, in a training and beside it."""

import math

import torch

from utils.fitting.states import mode
from utils.fitting.stops import NotFiniteError
from utils.fitting.trial import check_one_number, outputs_and_loss


def measure(model, batches, loss_fn, metrics=None, prefix=""):
    """Measure a model as it is, in evaluation mode and without gradients; all is put back.

    Args:
        model: any module.
        batches: (inputs, targets) on its device, as `Batches` gives them.
        loss_fn, metrics: as for `fit`.
        prefix: of the names.

    Returns:
        Means per sample by name: "loss", and the metrics.
    """
    means = Means(metrics, all_finite=False)
    with mode(model, training=False), torch.no_grad():
        for inputs, targets in batches:
            outputs, loss = outputs_and_loss(model, inputs, targets, loss_fn, model)
            means.add(loss, outputs, targets)
    return {prefix + name: number for name, number in means.read().items()}


class Means:
    """Means per sample of a loss, and perhaps of metrics, that come batch by batch.

    Args:
        metrics: functions (outputs, targets) -> number by name, or None.
        all_finite: whether a loss that is not finite ends it by a NotFiniteError with the number
            of the batch: on the CPU at once, elsewhere in `read`.
    """

    def __init__(self, metrics=None, all_finite=True):
        self.functions, self.all_finite = metrics or {}, all_finite
        self.batches, self.samples = 0, []
        self.columns = {name: [] for name in ("loss", *self.functions)}

    def add(self, loss, outputs, targets):
        """Take in the loss of a batch, and measure the metrics on it."""
        self.batches += 1
        self.samples.append(len(targets))
        loss = read_early(loss, "loss_fn")
        if self.all_finite and isinstance(loss, float) and not math.isfinite(loss):
            raise NotFiniteError(self.batches)
        self.columns["loss"].append(loss)
        if self.functions:
            with torch.no_grad():
                for name, function in self.functions.items():
                    self.columns[name].append(read_early(function(outputs, targets), name))

    def read(self):
        """Return the means by name."""
        columns = {name: read_late(column) for name, column in self.columns.items()}
        for number, loss in enumerate(columns["loss"], start=1):
            if self.all_finite and not math.isfinite(loss):
                raise NotFiniteError(number)
        samples = sum(self.samples)
        return {
            name: sum(mean * size for mean, size in zip(column, self.samples, strict=True))
            / samples
            for name, column in columns.items()
        }


def read_early(number, name):
    """Read a number on the CPU at once, as a float.

    On another device that would make each step wait for it, so the tensor stays there until the
    epoch ends.
    """
    if not torch.is_tensor(number):
        return float(number)
    check_one_number(number, name)
    return number.item() if number.is_cpu else number.detach()


def read_late(column):
    """Return all numbers that `read_early` gave, as floats."""
    return torch.stack(column).tolist() if torch.is_tensor(column[0]) else column
