"""What is looked at and put back: where a model lives, its mode, torch's random state."""

from contextlib import contextmanager
from itertools import chain


def device_of(model, default="cpu"):
    """The device of a model's parameters or buffers, or the default if it has none."""
    return getattr(next(chain(model.parameters(), model.buffers()), None), "device", default)


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
