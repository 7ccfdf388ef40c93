"""What is looked at and put back as it was: devices, modes, random states."""

import random
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch


def device_of(model, default="cpu"):
    """Return the device of a model's parameters or buffers, or the default if it has none."""
    return getattr(next(chain(model.parameters(), model.buffers()), None), "device", default)


@contextmanager
def mode(model, training):
    """Hold training or evaluation mode for a while; then each module has the mode it had."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was


@contextmanager
def random_states_kept():
    """Leave the random states of Python, NumPy and torch (all devices in use) as they were."""
    python, of_numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(of_numpy)
        torch.set_rng_state(cpu)
        for device, state in enumerate(cuda):
            torch.cuda.set_rng_state(state, device)
