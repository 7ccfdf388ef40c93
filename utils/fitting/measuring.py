"""Means per sample of losses and metrics, in a training and beside it."""

import math

import torch

from utils.fitting.ranks import Ranks, plain
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
    model = plain(model)  # DistributedDataParallel would wait for the other ranks in each batch
    means = Means(metrics, all_finite=False, source=batches)
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
        source: the `Batches` that these are means over; where ranks share them, `read` gives all
            ranks the means over all their samples, and only there they stop, all together.
    """

    def __init__(self, metrics=None, all_finite=True, source=None):
        self.functions, self.all_finite, self.source = metrics or {}, all_finite, source
        self.ranks = Ranks() if source is None else source.ranks
        self.batches, self.samples = 0, []
        self.columns = {name: [] for name in ("loss", *self.functions)}

    def add(self, loss, outputs, targets):
        """Take in the loss of a batch, and measure the metrics on it."""
        self.batches += 1
        idle = self.source is not None and self.source.weight == 0
        self.samples.append(0 if idle else len(targets))
        loss = read_early(loss, "loss_fn")
        stops = self.all_finite and self.ranks.ranks == 1
        if stops and isinstance(loss, float) and not math.isfinite(loss):
            raise NotFiniteError(self.batches)
        self.columns["loss"].append(loss)
        if self.functions:
            with torch.no_grad():
                for name, function in self.functions.items():
                    self.columns[name].append(read_early(function(outputs, targets), name))

    def read(self):
        """Return the means by name."""
        columns = {name: read_late(column) for name, column in self.columns.items()}
        if self.all_finite:
            finite = map(math.isfinite, columns["loss"])
            first = next((number for number, good in enumerate(finite, 1) if not good), math.inf)
            (first,) = self.ranks.smallest([first])
            if first < math.inf:
                raise NotFiniteError(int(first))
        sums = [
            sum(mean * size for mean, size in zip(column, self.samples, strict=True))
            for column in columns.values()
        ]
        *sums, samples = self.ranks.sums([*sums, sum(self.samples)])
        return {name: total / samples for name, total in zip(columns, sums, strict=True)}


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
