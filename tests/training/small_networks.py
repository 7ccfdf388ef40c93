"""Small data, small networks and the loop written out, for the tests of training."""

import torch
from torch import nn


def points(samples=50, features=1, seed=1):
    """Inputs (n, d), and a smooth function of them (n, 1)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(samples, features, generator=generator)
    return x, (3 * x).sin().sum(dim=1, keepdim=True)


def small_network(seed=0, features=1):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, 1))


def awkward_network(seed=0):
    """One that draws random numbers and changes buffers in training."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
    )


def sgd(model, lr=0.1, **settings):
    return torch.optim.SGD(model.parameters(), lr=lr, **settings)


def assert_same(model, other):
    """Parameters and buffers are equal bit for bit."""
    state, other_state = model.state_dict(), other.state_dict()
    assert state.keys() == other_state.keys()
    for name, value in state.items():
        assert torch.equal(value, other_state[name]), name


def plain_loop(model, batches, loss_fn, optimizer, epochs):
    """The loop as the notebooks write it out."""
    for _ in range(epochs):
        for inputs, targets in batches:
            outputs = model(inputs)
            loss = loss_fn(outputs, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
