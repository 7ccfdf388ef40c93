"""The learning-rate scan: what it measures and suggests, and that it leaves nothing behind."""

import copy
import itertools
import signal

import numpy as np
import pytest
import torch
from small_networks import assert_same, awkward_network, plain_loop, points, sgd, small_network
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from utils.figures import style
from utils.rate_scan import scan_learning_rate
from utils.training import fit

MEAN_SQUARE = nn.MSELoss()


def scan(model=None, data=None, loss_fn=MEAN_SQUARE, optimizer=None, **settings):
    model = small_network() if model is None else model
    optimizer = optimizer or sgd(model)
    return scan_learning_rate(model, data or points(), loss_fn, optimizer, **settings)


def mean_square(outputs, targets):
    return ((outputs - targets) ** 2).mean()


class At:
    """A mean squared error that does something else at step k, counted from 1; 0 is the trial."""

    def __init__(self, k, act):
        self.k, self.act, self.calls = k, act, -1

    def __call__(self, outputs, targets):
        self.calls += 1
        loss = mean_square(outputs, targets)
        return self.act(loss) if self.calls == self.k else loss


def throw(error):
    raise error


def pressed(loss):
    signal.raise_signal(signal.SIGINT)
    return loss


# What is measured -------------------------------------------------------------------------------


def test_the_rates_are_even_in_the_logarithm():
    rates = scan().rates
    assert rates.dtype == np.float64 and rates.shape == (100,)
    assert rates[0] == 1e-6 and rates[-1] == 1
    np.testing.assert_allclose(rates[1:] / rates[:-1], 10 ** (6 / 99), rtol=1e-12)
    rates = scan(min_lr=1e-3, max_lr=0.1, steps=3).rates
    np.testing.assert_allclose(rates, [1e-3, 1e-2, 1e-1], rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_one_step_is_taken_at_each_rate_and_the_loss_is_that_before_it(batch_size):
    x, y = points(50)
    found = scan(data=(x, y), batch_size=batch_size, seed=7)
    twin, generator, losses = small_network(), torch.Generator().manual_seed(7), []
    orders = (torch.randperm(50, generator=generator) for _ in itertools.count())
    batches = (rows for order in orders for rows in order.split(8) if len(rows) == 8)
    for rate in found.rates:
        rows = slice(None) if batch_size is None else next(batches)
        losses.append(mean_square(twin(x[rows]), y[rows]).item())
        plain_loop(twin, [(x[rows], y[rows])], MEAN_SQUARE, sgd(twin, lr=rate), 1)
    assert np.array_equal(found.losses, losses)


def test_a_loader_is_gone_through_as_often_as_it_takes():
    x, y = points(40)
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    twin = small_network()
    assert np.array_equal(
        scan(data=loader).losses,
        scan(twin, data=list(zip(x.split(8), y.split(8), strict=True))).losses,
    )


def line_through_zero():
    """A model of one weight, 1; with x = 2, y = 0 its loss is (2 w)², of curvature 8."""
    model = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.ones_(model.weight)
    return model


TWO_AND_ZERO = (torch.full((4, 1), 2.0).double(), torch.zeros(4, 1).double())


def test_a_parabola_whose_best_rate_is_known():
    """Gradient descent brings its loss down up to the rate 2 / 8, the fastest at 1 / 8."""
    found = scan(line_through_zero(), TWO_AND_ZERO)
    weight, ratio = 1.0, found.rates[1] / found.rates[0]
    for rate, loss in zip(found.rates, found.losses, strict=True):
        assert loss == pytest.approx((2 * weight) ** 2, rel=1e-6)
        weight *= 1 - 8 * rate
    assert 1 / 8 <= found.suggestion <= ratio / 8 < 2 / 8
    assert found.suggestion == found.rates[found.losses.argmin()] / 2
    assert (
        found.message
        == f"Suggested rate: {found.suggestion:.1g}, half the rate with the lowest loss."
    )


def test_it_stops_at_ten_times_the_first_loss():
    found = scan(line_through_zero(), TWO_AND_ZERO, max_lr=1e6)
    assert len(found.rates) == len(found.losses) < 100
    assert found.losses[-1] > 10 * found.losses[0]
    assert (found.losses[:-1] <= 10 * found.losses[0]).all()
    assert 1 / 8 <= found.suggestion < 2 / 8


def test_it_stops_no_sooner_and_no_later():
    heights = iter([1, 1, 9.9, 10.1, 10.2])  # the first is the trial on a copy
    found = scan(loss_fn=lambda outputs, targets: 0 * outputs.sum() + next(heights))
    assert found.losses == pytest.approx([1, 9.9, 10.1])


def test_a_negative_loss_is_scanned_as_well():
    def below_zero(outputs, targets):
        return mean_square(outputs, targets) - 100

    found = scan(line_through_zero(), TWO_AND_ZERO, loss_fn=below_zero, max_lr=1e6)
    assert found.losses[0] == -96 and found.losses[-1] > -96 + 9 * 96
    assert (found.losses[:-1] <= -96 + 9 * 96).all() and found.suggestion < 2 / 8


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_it_stops_where_the_loss_is_not_finite_and_never_suggests_that_rate(value):
    found = scan(loss_fn=At(90, lambda loss: loss * value), max_lr=0.1)
    assert len(found.losses) == 90 and np.isnan(found.losses[-1])
    assert np.isfinite(found.losses[:-1]).all()
    assert found.suggestion == found.rates[88] / 2


def test_a_loss_that_still_falls_at_the_highest_rate(capsys):
    found = scan(max_lr=1e-3)
    assert found.suggestion == 1e-3 / 2
    assert "still fell at 0.001, so scan further" in found.message
    assert capsys.readouterr().out == found.message + "\n"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss_fn": At(1, lambda loss: loss * float("nan"))}, "not finite before the first step"),
        ({"model": line_through_zero(), "data": (TWO_AND_ZERO[1],) * 2}, "from 1e-06 to 1 did the"),
    ],
)
def test_without_a_falling_loss_nothing_is_suggested(settings, words, capsys):
    found = scan(**settings)
    assert found.suggestion is None
    assert words in found.message and found.message.startswith("No rate is suggested: ")
    assert capsys.readouterr().out == found.message + "\n"


def test_an_ascent_has_no_suggestion():
    model = small_network()
    found = scan(model, optimizer=sgd(model, maximize=True), max_lr=10)
    assert found.suggestion is None and len(found.losses) < 100


def test_groups_of_parameters_keep_the_proportion_of_their_rates():
    seen = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([group["lr"] for group in self.param_groups])
            return super().step(closure)

    model = small_network()
    groups = [{"params": model[0].parameters(), "lr": 0.03}, {"params": model[2].parameters()}]
    optimizer = Watched(groups, lr=0.3)
    found = scan(model, optimizer=optimizer)
    np.testing.assert_allclose(np.array(seen)[:, 1], found.rates, rtol=1e-12)
    np.testing.assert_allclose(np.array(seen)[:, 0], found.rates / 10, rtol=1e-12)
    assert [group["lr"] for group in optimizer.param_groups] == [0.03, 0.3]
    seen.clear()
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    assert seen == [] and np.array_equal(
        scan(model, optimizer=optimizer).rates, np.array(seen)[:, 0]
    )


def test_its_repr_and_its_figure(monkeypatch):
    shown = []
    monkeypatch.setattr(style, "show_figure", lambda picture, words: shown.append(words))
    found = scan(line_through_zero(), TWO_AND_ZERO)
    assert repr(found) == "RateScan(steps=100, suggestion=0.14)"
    assert found.plot() is None and "the suggested rate are marked" in shown[0]
    found = scan(loss_fn=At(1, lambda loss: loss * float("nan")))
    assert repr(found) == "RateScan(steps=1, suggestion=None)"
    found.plot()
    assert "No rate is suggested" in shown[1]


# What is put back -------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": sgd,
    "momentum": lambda model: sgd(model, momentum=0.9),
    "Adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01),
    "amsgrad": lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, amsgrad=True),
    "fused Adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01, fused=True),
    "rate as tensor": lambda model: torch.optim.SGD(model.parameters(), lr=torch.tensor(0.1)),
}
STOPS = {
    "no stop": None,
    "Ctrl-C in the trial": At(0, lambda _: throw(KeyboardInterrupt())),
    "Ctrl-C in the first step": At(1, lambda _: throw(KeyboardInterrupt())),
    "Ctrl-C later": At(5, lambda _: throw(KeyboardInterrupt())),
    "a signal": At(5, pressed),
    "an error": At(5, lambda _: throw(ZeroDivisionError())),
    "NaN": At(5, lambda loss: loss * float("nan")),
    "NaN at once": At(1, lambda loss: loss * float("nan")),
}
ERRORS = {"Ctrl-C in the trial", "Ctrl-C in the first step", "Ctrl-C later", "a signal", "an error"}


def everything(model, optimizer, loader):
    """Copies of all that a scan could change, and the identity of what it could replace."""
    tensors = [*model.parameters(), *model.buffers()]
    kept = [own for state in optimizer.state.values() for own in state.values()]
    return {
        "model": copy.deepcopy(model.state_dict()),
        "gradients": [copy.deepcopy(parameter.grad) for parameter in model.parameters()],
        "modes": [module.training for module in model.modules()],
        "optimizer": copy.deepcopy(optimizer.state_dict()),
        "random state": torch.get_rng_state(),
        "order": loader.generator.get_state(),
        "identities": [id(tensor) for tensor in (*tensors, *kept)],
        "identities of gradients": [id(parameter.grad) for parameter in model.parameters()],
        "identities of rates": [id(group["lr"]) for group in optimizer.param_groups],
    }


def assert_all_same(one, other):
    """Nested containers hold the same; tensors and numbers bit for bit."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        for part, another in zip(one, other, strict=True):
            assert_all_same(part, another)
    elif isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert one.detach().numpy().tobytes() == other.detach().numpy().tobytes()
    else:
        assert one == other


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("trained", [False, True])
def test_everything_is_as_before(name, trained, stop):
    model = awkward_network()
    optimizer = OPTIMIZERS[name](model)
    generator = torch.Generator().manual_seed(3)
    loader = DataLoader(TensorDataset(*points()), 8, shuffle=True, generator=generator)
    if trained:
        fit(model, loader, MEAN_SQUARE, optimizer, 2)
    model[3].eval()  # modes that differ
    loss_fn = copy.copy(STOPS[stop]) or mean_square
    torch.manual_seed(8)
    before = everything(model, optimizer, loader)
    if stop in ERRORS:
        with pytest.raises((KeyboardInterrupt, ZeroDivisionError)):
            scan(model, loader, loss_fn, optimizer)
    else:
        scan(model, loader, loss_fn, optimizer)
    assert_all_same(everything(model, optimizer, loader), before)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("shuffle_with", [None, 3])
def test_a_training_after_a_scan_is_the_training_without_it(shuffle_with):
    models = [awkward_network(), awkward_network()]
    for model, scanned in zip(models, (False, True), strict=True):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        own = torch.Generator().manual_seed(shuffle_with) if shuffle_with else None
        loader = DataLoader(TensorDataset(*points()), 8, shuffle=True, generator=own)
        torch.manual_seed(5)  # of Dropout, and of a loader without its own
        fit(model, loader, MEAN_SQUARE, optimizer, 2)
        if scanned:
            assert len(scan(model, loader, optimizer=optimizer, max_lr=10).rates) > 50
        fit(model, loader, MEAN_SQUARE, optimizer, 2)
    assert_same(*models)


def test_the_scan_does_train_meanwhile():
    """Or nothing would have to be put back."""
    model, seen = awkward_network(), []

    def watching(outputs, targets):
        seen.append((model[0].weight.detach().clone(), model[1].running_mean.clone()))
        assert all(module.training for module in model.modules())
        return mean_square(outputs, targets)

    scan(model.eval(), loss_fn=watching)
    assert not torch.equal(seen[0][0], seen[-1][0]) and not torch.equal(seen[0][1], seen[-1][1])


def test_parameters_that_the_optimizer_does_not_move_keep_their_gradients():
    model = small_network()
    model(points()[0]).sum().backward()
    before = [parameter.grad.clone() for parameter in model.parameters()]
    scan(model, optimizer=torch.optim.SGD(model[2].parameters(), lr=0.1))
    for parameter, gradient in zip(model.parameters(), before, strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_a_loss_with_parameters_of_its_own():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(1.0))
            self.register_buffer("calls", torch.tensor(0))

        def forward(self, outputs, targets):
            self.calls = self.calls + 1  # a new tensor in the place of the buffer
            return mean_square(self.scale * outputs, targets)

    model, loss_fn = small_network(), Scaled()
    buffer = loss_fn.calls
    optimizer = torch.optim.SGD([*model.parameters(), loss_fn.scale], lr=0.1)
    scan(model, loss_fn=loss_fn, optimizer=optimizer)
    assert loss_fn.scale == 1 and loss_fn.scale.grad is None
    assert loss_fn.calls is buffer and buffer == 0


def test_ctrl_c_in_the_last_step_loses_nothing():
    assert len(scan(loss_fn=At(100, pressed)).rates) == 100


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda():
    model = awkward_network().cuda()
    twin, state = copy.deepcopy(model), torch.cuda.get_rng_state()
    assert scan(model, max_lr=100).suggestion is not None
    assert_same(model, twin)
    assert torch.equal(state, torch.cuda.get_rng_state())


# What is refused --------------------------------------------------------------------------------

X, Y = points(20)
REFUSED = {
    "no rates": ({"min_lr": 0.0}, "min_lr and max_lr must be learning rates above 0"),
    "rates in the wrong order": ({"min_lr": 1.0, "max_lr": 0.1}, "min_lr the smaller, not 1.0 and"),
    "a rate in words": ({"max_lr": "1"}, "not 1e-06 and '1'"),
    "an infinite rate": ({"max_lr": float("inf")}, "1e-06 and inf"),
    "one step": ({"steps": 1}, "steps (rates to try) must be a whole number of at least 2"),
    "a generator": ({"data": iter([(X, Y)])}, "can be gone through only once"),
    "a batch too large": ({"batch_size": 21}, "there are only 20 samples"),
    "batches cut twice": ({"data": [(X, Y)], "batch_size": 5}, "yields batches already"),
    "data with gaps": ({"data": (X * float("nan"), Y)}, "hold NaN"),
    "a class": ({"model": nn.Linear}, "is the class Linear"),
    "no loss": ({"loss_fn": nn.MSELoss}, "add brackets to make one"),
    "an optimizer of another model": ({"optimizer": sgd(small_network())}, "another model"),
    "shapes that broadcast": ({"data": (X, Y[:, 0])}, "silently broadcast"),
    "inputs that do not fit": ({"data": (torch.ones(20, 3), Y)}, "cannot take inputs of shape (20"),
    "a loss without gradient": (
        {"loss_fn": lambda a, b: (a - b).detach().sum()},
        "does not depend",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_in_a_sentence(name):
    settings, words = REFUSED[name]
    model = awkward_network()
    twin, state = copy.deepcopy(model), torch.get_rng_state()
    optimizer = sgd(model)
    settings = {"model": model, "data": (X, Y), "optimizer": optimizer} | settings
    with pytest.raises(ValueError) as caught:
        scan(**settings)
    message = str(caught.value)
    assert words in message and "\n" not in message and message.endswith(".")
    assert_same(model, twin)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert torch.equal(state, torch.get_rng_state())
