"""Networks whose weights the check sets, so that answers give the same numbers."""

import torch
from torch import nn

from utils.exercises.answers import Complaint, kind_of


def in_a_network(run, units, activation, x):
    """Run the answer on a network with one hidden layer of such units and fixed weights."""
    model = nn.Sequential(nn.Linear(x.shape[1], units), activation(), nn.Linear(units, 1))
    with torch.no_grad():
        for values in model.parameters():
            steps = torch.arange(values.numel(), dtype=torch.float32)
            values.copy_((0.7 * torch.cos(1.3 * steps + values.ndim)).reshape(values.shape))
    return run(model, x)


def outputs_with_set_weights(run, sizes):
    """Build a network with the answer, set its weights, and return its outputs for two samples."""
    model = run(list(sizes))
    parts = list(model.modules())
    if any(isinstance(part, nn.Sequential) for part in parts):
        raise Complaint("there is nn.Sequential in your network: write forward yourself.")
    for name, value in vars(model).items():
        if isinstance(value, list | tuple) and any(isinstance(item, nn.Module) for item in value):
            raise Complaint(
                f"Layers in a plain list are not found by parameters(): make self.{name} an "
                "nn.ModuleList."
            )
    if not any(isinstance(part, nn.ModuleList) for part in parts):
        raise Complaint("there is no nn.ModuleList in your network: keep the layers in one.")
    weights = sum(d_in * d_out for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True))
    expected, found = weights + sum(sizes[1:]), sum(p.numel() for p in model.parameters())
    if found != expected:
        biases = " The biases are missing: nn.Linear has them by default."
        raise Complaint(
            f"for sizes = {list(sizes)} your network has {found} parameters, expected {expected}."
            + (biases if found == weights else "")
        )
    with torch.no_grad():
        for values in model.parameters():
            steps = torch.arange(values.numel(), dtype=torch.float32)
            values.copy_(torch.sin(steps + 1).reshape(values.shape))
    outputs = model(torch.linspace(-1, 1, 2 * sizes[0]).reshape(2, sizes[0]))
    if outputs is None:
        raise Complaint("your network's forward returns None. Is `return` missing in it?")
    if not isinstance(outputs, torch.Tensor):
        raise Complaint(f"forward has to return a tensor, got a {kind_of(outputs)}.")
    return outputs.detach()
