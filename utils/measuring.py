"""Measuring a model without changing it: evaluation mode, no gradients, everything put back."""

from contextlib import contextmanager
from itertools import chain

import torch

from utils import training_checks as checks
from utils.batches import Means


def measure(model, batches, loss_fn, metrics=None, prefix=""):
    """Loss and metrics as means per sample, by name with a prefix, in evaluation mode."""
    means = Means()
    with mode(model, training=False), torch.no_grad():
        for inputs, targets in batches:
            outputs = loss = None
            try:
                outputs = model(inputs)
                checks.check_outputs(outputs, targets, loss_fn)
                loss = loss_fn(outputs, targets)
                means.add(len(inputs), loss, measured(metrics, outputs, targets))
            except Exception as error:
                checks.raise_explained(error, model, inputs, targets, outputs, loss)
    return {prefix + name: number for name, number in means.read().items()}


def measured(functions, outputs, targets):
    """The number that each function (a dictionary by name) finds, without gradients."""
    if not functions:
        return {}
    with torch.no_grad():
        return {name: function(outputs, targets) for name, function in functions.items()}


@contextmanager
def mode(model, training):
    """Training or evaluation mode for a while; then each module has the mode it had."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was


def device_of(model, default="cpu"):
    """The device of a model's parameters or buffers, or the default if it has none."""
    return getattr(next(chain(model.parameters(), model.buffers()), None), "device", default)
