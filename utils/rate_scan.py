"""The learning-rate scan: one step at each of many rates, to see where a training should start.

L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2015, arXiv:1506.01186.
"""

import copy
import math
from collections import defaultdict
from contextlib import contextmanager
from numbers import Real

import numpy as np
import torch
from torch import nn

from utils.fitting import checks
from utils.fitting.batches import Batches
from utils.fitting.errors import InputError
from utils.fitting.measuring import Means
from utils.fitting.states import device_of, mode, random_states_kept
from utils.fitting.stops import KeyboardStop, NotFiniteError
from utils.fitting.trial import explained, try_first_step
from utils.training import train_epoch

TOO_HIGH = 10  # times the first loss, where the scan stops


class RateScan:
    """What `scan_learning_rate` measured, k steps.

    Attributes:
        rates: (k,), float64, ascending.
        losses: (k,), float64: of each step's batch, before the step at that rate is taken. The last
            is NaN if it was not finite.
        suggestion: half the rate with the lowest loss, or None if the loss fell nowhere.
        message: the sentence that was printed.
    """

    def __init__(self, rates, losses, max_lr):
        self.rates = np.array(rates, dtype=np.float64)
        self.losses = np.array(losses, dtype=np.float64)
        self.suggestion, self.message = suggest(self.rates, self.losses, max_lr)

    def plot(self, ax=None):
        """Draw the loss over the rate with the suggestion; with `ax`, draw there and return it."""
        from utils.plotting import scanned_rates  # here, since the scan needs no figures

        return scanned_rates(self.rates, self.losses, self.suggestion, ax=ax)

    def __repr__(self):  # without digits that differ from one machine to another
        found = None if self.suggestion is None else f"{self.suggestion:.2g}"
        return f"RateScan(steps={len(self.rates)}, suggestion={found})"


def scan_learning_rate(
    model,
    data,
    loss_fn,
    optimizer,
    *,
    min_lr=1e-6,
    max_lr=1.0,
    steps=100,
    batch_size=None,
    seed=0,
):
    """Train for a few steps while the learning rate grows, say what came out, put everything back.

    At the end, also after Ctrl-C or an error (which goes on from here), all is bit for bit as it
    was: parameters, buffers, gradients and modes of the model (and of a loss_fn that is a module),
    the state and the rates of the optimizer, the random states and the order of a DataLoader.

    Args:
        model, data, loss_fn, optimizer, batch_size, seed: as for `fit`; batches are shuffled, and
            the data is gone through as often as it takes. A last batch that is not full is left
            out of a pair. Small batches make the losses noisy, and the suggestion with them. An
            optimizer with several groups of parameters keeps the proportions between their rates:
            the largest is the one that is scanned, and suggested.
        min_lr, max_lr, steps: the rates, which are even in the logarithm. The scan stops earlier,
            when the loss passes ten times the first or is not finite.

    Returns:
        RateScan: rates, losses, and the suggested rate.

    Raises:
        ValueError: what cannot work.
    """
    checks.check_model(model)
    checks.check_functions(loss_fn)
    checks.check_optimizer(optimizer, model, loss_fn)
    checks.check_data(data)
    checks.check_settings(data, 1, batch_size, False, seed)
    check_rates(data, min_lr, max_lr, steps)
    batches = Batches(data, device_of(model), batch_size, True, checks.is_pair(data), seed)
    rates, losses = [], []
    with (
        KeyboardStop() as keyboard,
        everything_kept([model, loss_fn], optimizer, batches),
        mode(model, training=True),
        explained(model, batches, loss_fn),
    ):
        try_first_step(model, batches, loss_fn)
        shares = shares_of(optimizer)
        stream = keyboard.between(endless(batches))
        for rate in np.geomspace(min_lr, max_lr, steps):
            for group, share in zip(optimizer.param_groups, shares, strict=True):
                group["lr"] = float(rate * share)
            losses.append(loss_at_step(model, next(stream), loss_fn, optimizer))
            rates.append(rate)
            # For a negative loss this is as far above it.
            if not losses[-1] <= losses[0] + (TOO_HIGH - 1) * abs(losses[0]):
                break
    scan = RateScan(rates, losses, max_lr)
    print(scan.message)
    return scan


def loss_at_step(model, batch, loss_fn, optimizer):
    """Take one step of the loop of `fit`; return the loss before it, NaN if it is not finite."""
    means = Means()
    try:
        train_epoch(model, [batch], loss_fn, optimizer, means)
        return means.read()["loss"]
    except NotFiniteError:
        return math.nan


def endless(batches):
    """Yield the batches of one pass over the data after another."""
    while True:
        yield from batches


def shares_of(optimizer):
    """Return each group's rate over the largest of them; 1 for all if that is 0."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    return [rate / max(rates) if max(rates) > 0 else 1.0 for rate in rates]


def suggest(rates, losses, max_lr):
    """Return the suggested rate, or None, and what is said about it."""
    if not math.isfinite(losses[0]):
        return None, (
            "No rate is suggested: the loss is not finite before the first step, so look for NaN "
            "or very large values in the model, in its inputs and in the loss."
        )
    best = int(np.nanargmin(losses))
    if best == 0:
        return None, (
            f"No rate is suggested: at no rate from {rates[0]:g} to {rates[-1]:g} did the loss "
            "fall below its first value; start lower, take more samples in a batch, or look "
            "whether loss and model fit the data."
        )
    suggestion = float(rates[best]) / 2
    message = f"Suggested rate: {suggestion:.1g}, half the rate with the lowest loss."
    if best == len(rates) - 1:
        message += f" The loss still fell at {max_lr:g}, so scan further, with a larger max_lr."
    return suggestion, message


@contextmanager
def everything_kept(modules, optimizer, batches):
    """End with the modules, the optimizer, the batches and the random states as they were.

    Inside, the optimizer works on copies of its state and of its groups, and gradients are new.
    """
    modules = [
        part for whole in modules if isinstance(whole, nn.Module) for part in whole.modules()
    ]
    parameters = [parameter for module in modules for parameter in module.parameters(recurse=False)]
    before = [(parameter, parameter.detach().clone(), parameter.grad) for parameter in parameters]
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in modules
        for name, buffer in module.named_buffers(recurse=False)
    ]
    order, state, groups = batches.state_dict(), optimizer.state, optimizer.param_groups
    with random_states_kept():
        try:
            for parameter in parameters:
                parameter.grad = None
            copies = {parameter: copy.deepcopy(own) for parameter, own in state.items()}
            optimizer.state = defaultdict(dict, copies)
            optimizer.param_groups = [dict(group) for group in groups]
            yield
        finally:
            optimizer.state, optimizer.param_groups = state, groups
            with torch.no_grad():
                for parameter, value, gradient in before:
                    parameter.copy_(value)
                    parameter.grad = gradient
                for module, name, buffer, value in buffers:
                    setattr(module, name, buffer)  # which a forward pass may have replaced
                    buffer.copy_(value)
            batches.load_state_dict(order)


def check_rates(data, min_lr, max_lr, steps):
    """Refuse rates that cannot be scanned, and data that a scan would use up."""
    checks.check_whole_number("steps (rates to try)", steps, 2)
    numbers = all(isinstance(rate, Real) and math.isfinite(rate) for rate in (min_lr, max_lr))
    if not numbers or not 0 < min_lr < max_lr:
        raise InputError(
            "min_lr and max_lr must be learning rates above 0, min_lr the smaller, not "
            f"{min_lr!r} and {max_lr!r}: for example min_lr=1e-6, max_lr=1.0."
        )
    if hasattr(data, "__next__"):
        raise InputError(
            f"The data is a {type(data).__name__}, which can be gone through only once, so nothing "
            "would be left for the training: put its batches into a list, or give a DataLoader."
        )
