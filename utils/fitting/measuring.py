"""Measuring a model without changing it: evaluation mode, no gradients, everything put back."""

import signal
import threading

import torch

from utils.fitting import checks
from utils.fitting.batches import Means
from utils.fitting.states import mode


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


class KeyboardStop:
    """Inside this context Ctrl-C is counted in `presses`, for a loop that looks at it.

    An interrupt in the middle of an optimiser's step would leave some weights moved and others
    not. Here the first press is only counted; a second one, from someone who cannot wait,
    interrupts at once as usual. The handler found on the way in is put back on the way out,
    whatever happens. Outside the main thread Python delivers no Ctrl-C, and nothing is changed.
    """

    def __init__(self):
        self.presses = 0
        self._previous = None

    def __enter__(self):
        in_main_thread = threading.current_thread() is threading.main_thread()
        # A handler that is not callable means that the signal is ignored or handled outside Python.
        if in_main_thread and callable(signal.getsignal(signal.SIGINT)):
            self._previous = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *exception):
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _press(self, number, frame):
        self.presses += 1
        if self.presses > 1:
            self._previous(number, frame)
