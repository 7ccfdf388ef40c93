"""Bytes counted by hand: which tensors the derivative of each layer needs."""

import copy

import pytest
import torch
from small_networks import assert_same, awkward_network
from torch import nn

from utils.tracing import saved_bytes

SAMPLES, FEATURES, HIDDEN, OUTPUTS = 100, 8, 4, 2


def network(activation):
    return nn.Sequential(nn.Linear(FEATURES, HIDDEN), activation, nn.Linear(HIDDEN, OUTPUTS))


@pytest.mark.parametrize(
    ("activation", "hidden"),
    [
        (nn.ReLU(), 1),  # its output, which is the input of the layer after it
        (nn.ReLU(inplace=True), 1),
        (nn.Sigmoid(), 1),
        (nn.Tanh(), 1),
        (nn.GELU(), 2),  # its input, and its output for the layer after it
        (nn.Identity(), 1),
    ],
)
@pytest.mark.parametrize(("dtype", "size"), [(torch.float32, 4), (torch.float64, 8)])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_two_layers_by_hand(activation, hidden, dtype, size, device):
    """The first layer keeps its input, the activation and the last layer the hidden values."""
    model = network(activation).to(device, dtype)
    x = torch.ones(SAMPLES, FEATURES, dtype=dtype, device=device)
    assert saved_bytes(model, x) == size * SAMPLES * (FEATURES + hidden * HIDDEN)


def test_frozen_layers_keep_less():
    model = network(nn.Sigmoid())
    model[0].requires_grad_(False)
    x = torch.ones(SAMPLES, FEATURES)
    assert saved_bytes(model, x) == 4 * SAMPLES * HIDDEN, "only the last layer's input"
    model.requires_grad_(False)
    assert saved_bytes(model, x) == 0


def test_without_gradients_nothing_is_kept():
    with torch.no_grad():
        assert saved_bytes(network(nn.Sigmoid()), torch.ones(SAMPLES, FEATURES)) == 0


def test_several_inputs():
    class Product(nn.Module):
        def forward(self, a, b):
            return a * b

    a = torch.ones(5, requires_grad=True)
    assert saved_bytes(Product(), a, torch.ones(5)) == 4 * 5, "the other factor"


def test_model_and_random_state_are_left_alone():
    model = awkward_network()
    twin, state = copy.deepcopy(model), torch.get_rng_state()
    assert saved_bytes(model, torch.rand(SAMPLES, 1, generator=torch.Generator())) > 0
    assert_same(model, twin)
    assert torch.equal(state, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match="is the class Linear"):
        saved_bytes(nn.Linear, torch.ones(3))
