"""`fit` against the loop written out and against closed forms; seeds and devices."""

import copy
import os
import random
import sys
import types

import numpy as np
import pytest
import torch
from small_networks import assert_same, awkward_network, plain_loop, points, sgd, small_network
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from utils.fitting import batches as batches_module
from utils.training import (
    History,
    evaluate,
    fit,
    pick_device,
    predict,
    seed_everything,
)

# fit is the loop --------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": sgd,
    "momentum": lambda model: sgd(model, momentum=0.9, weight_decay=1e-3),
    "Adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01),
    "fused AdamW": lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, fused=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("make_model", [small_network, awkward_network])
def test_same_loader_same_bits(name, make_model):
    dataset, loss_fn = TensorDataset(*points()), nn.MSELoss()
    models = [make_model(), make_model()]
    for model, train in zip(models, (plain_loop, fit), strict=True):
        optimizer = OPTIMIZERS[name](model)
        torch.manual_seed(5)  # of the orders, and of Dropout
        loader = DataLoader(dataset, batch_size=8, shuffle=True)
        train(model, loader, loss_fn, optimizer, 4)
    assert_same(*models)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("make_model", [small_network, awkward_network])
def test_pair_is_the_loop_over_one_permutation_an_epoch(make_model, drop_last, monkeypatch):
    x, y = points(50)
    models = [make_model(), make_model()]
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(5)
    for _ in range(3):
        rows = torch.randperm(50, generator=generator).split(8)
        rows = rows[:-1] if drop_last else rows
        plain_loop(models[0], [(x[r], y[r]) for r in rows], nn.MSELoss(), sgd(models[0]), 1)
    for at_once in (2**18, 1, 200):  # batches are picked together, one by one, a few at a time
        monkeypatch.setattr(batches_module, "BYTES_AT_ONCE", at_once)
        models[1] = make_model()
        torch.manual_seed(5)
        settings = {"batch_size": 8, "drop_last": drop_last, "seed": 7}
        history = fit(models[1], (x, y), nn.MSELoss(), sgd(models[1]), 3, **settings)
        assert_same(*models)
        assert history.steps == 3 * (6 if drop_last else 7)


def test_a_last_batch_of_one_sample_is_left_out_too():
    model = small_network()
    settings = {"batch_size": 7, "drop_last": True}
    assert fit(model, points(50), nn.MSELoss(), sgd(model), 1, **settings).steps == 7


def test_pair_in_its_order():
    x, y = points(50)
    models = [small_network(), small_network()]
    in_order = list(zip(x.split(8), y.split(8), strict=True))
    plain_loop(models[0], in_order, nn.MSELoss(), sgd(models[0]), 3)
    fit(models[1], (x, y), nn.MSELoss(), sgd(models[1]), 3, batch_size=8, shuffle=False)
    assert_same(*models)


@pytest.mark.parametrize("batch_size", [None, 50])
def test_all_samples_at_once_is_gradient_descent(batch_size):
    x, y = points(50)
    models = [small_network(), small_network()]
    plain_loop(models[0], [(x, y)], nn.MSELoss(), sgd(models[0]), 5)
    history = fit(models[1], (x, y), nn.MSELoss(), sgd(models[1]), 5, batch_size=batch_size)
    assert_same(*models)
    assert history.steps == 5


def test_closed_form_of_gradient_descent_on_a_line():
    torch.set_default_dtype(torch.float64)
    try:
        x, y = points(30, features=2)
        columns = np.column_stack([x.numpy(), np.ones(30)])
        weights, targets, losses = np.zeros(3), y.numpy().ravel(), []
        for _ in range(20):
            residuals = columns @ weights - targets
            losses.append((residuals**2).mean())
            weights -= 0.3 * 2 / 30 * columns.T @ residuals
        model = nn.Linear(2, 1)
        nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
        history = fit(model, (x, y), nn.MSELoss(), sgd(model, lr=0.3), 20)
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
    fitted = torch.cat([model.weight[0], model.bias]).detach().numpy()
    np.testing.assert_allclose(fitted, weights, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_fitting_again_with_the_same_generator_is_one_longer_run(batch_size):
    x, y = points()
    models = [small_network(), small_network()]
    optimizers = [torch.optim.Adam(model.parameters()) for model in models]
    fit(models[0], (x, y), nn.MSELoss(), optimizers[0], 6, batch_size=batch_size, seed=4)
    orders = torch.Generator().manual_seed(4)
    for _ in range(2):
        fit(models[1], (x, y), nn.MSELoss(), optimizers[1], 3, batch_size=batch_size, seed=orders)
    assert_same(*models)


def test_fitting_again_with_a_number_as_seed_draws_the_same_orders_again():
    x, y = points()
    models = [small_network(), small_network()]
    for _ in range(2):
        fit(models[0], (x, y), nn.MSELoss(), sgd(models[0]), 3, batch_size=8, seed=4)
    for _ in range(2):
        orders = torch.Generator().manual_seed(4)
        rows = [r for _ in range(3) for r in torch.randperm(50, generator=orders).split(8)]
        plain_loop(models[1], [(x[r], y[r]) for r in rows], nn.MSELoss(), sgd(models[1]), 1)
    assert_same(*models)


def test_global_random_states_are_left_alone():
    x, y = points()
    model = small_network()
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    fit(model, (x, y), nn.MSELoss(), sgd(model), 2, batch_size=8, validation=(x, y))
    assert random.getstate() == states[0]
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert torch.equal(torch.get_rng_state(), states[2])


def test_the_data_is_not_changed_nor_kept_in_a_graph():
    x, y = points()
    x.requires_grad_()
    before = x.detach().clone()
    model = small_network()
    fit(model, (x, y), nn.MSELoss(), sgd(model), 2, batch_size=8)
    assert torch.equal(x.detach(), before) and x.grad is None


def test_float64_is_followed():
    torch.set_default_dtype(torch.float64)
    try:
        x, y = points()
        model = small_network()
        history = fit(model, (x, y), nn.MSELoss(), sgd(model), 2, batch_size=8)
        assert predict(model, x).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert history.loss.dtype == np.float64


def test_modes_are_as_before_and_training_mode_meanwhile():
    model = awkward_network()
    model.eval()
    model[0].train()
    before = [module.training for module in model.modules()]
    seen = []
    model[3].register_forward_pre_hook(lambda module, _: seen.append(module.training))
    x, y = points(16)
    fit(model, (x, y), nn.MSELoss(), sgd(model), 2, validation=(x, y))
    assert seen == [True, True, False, True, False]  # the first is the trial on a copy
    assert [module.training for module in model.modules()] == before


# What is measured -------------------------------------------------------------------------------


def absolute_error(outputs, targets):
    return (outputs - targets).abs().mean()


def test_loss_and_metrics_are_means_per_sample():
    x, y = points(50)  # six batches of 8 and one of 2
    model = small_network()
    frozen = sgd(model, lr=0.0)
    with torch.no_grad():
        squared = ((model(x) - y) ** 2).mean().item()
        absolute = (model(x) - y).abs().mean().item()
    settings = {"batch_size": 8, "validation": (x[:20], y[:20])}
    metrics = {"mae": absolute_error}
    history = fit(model, (x, y), nn.MSELoss(), frozen, 3, metrics=metrics, **settings)
    assert history.loss == pytest.approx([squared] * 3, rel=1e-6)
    assert history.metrics["mae"] == pytest.approx([absolute] * 3, rel=1e-6)
    assert list(history.metrics) == ["mae", "validation_mae"]
    part = ((predict(model, x[:20]) - y[:20]) ** 2).mean().item()
    assert history.validation_loss == pytest.approx([part] * 3, rel=1e-6)
    assert len(set(history.validation_loss)) == 1


def test_only_the_steps_take_gradients():
    seen = {"loss": [], "metric": []}

    def measuring(name):
        def measure(outputs, targets):
            seen[name].append((torch.is_grad_enabled(), outputs.requires_grad))
            return absolute_error(outputs, targets)

        return measure

    model, data = small_network(), points()
    settings = {"validation": data, "metrics": {"metric": measuring("metric")}}
    fit(model, data, measuring("loss"), sgd(model), 2, **settings)
    evaluate(model, data, measuring("loss"))
    step, measured = (True, True), (False, False)
    assert seen["loss"] == [step, *[step, measured] * 2, measured]  # first the trial on a copy
    assert seen["metric"] == [(False, True), *[(False, True), measured] * 2]


@pytest.mark.parametrize("as_loader", [False, True])
def test_validation_changes_nothing_but_the_history(as_loader):
    x, y = points(50)
    models = [awkward_network(), awkward_network()]
    validation = (x[:20], y[:20])
    if as_loader:
        validation = list(DataLoader(TensorDataset(*validation), batch_size=6))
    histories = []
    for model, data in zip(models, (None, validation), strict=True):
        torch.manual_seed(3)
        settings = {"batch_size": 8, "validation": data}
        histories.append(fit(model, (x, y), nn.MSELoss(), sgd(model), 4, **settings))
    assert_same(*models)
    np.testing.assert_array_equal(histories[0].loss, histories[1].loss)
    assert histories[0].validation_loss is None
    expected = evaluate(models[1], validation, nn.MSELoss())
    assert histories[1].validation_loss[-1] == pytest.approx(expected, rel=1e-6)


def test_history_of_a_run():
    x, y = points()
    model = small_network()
    history = fit(model, (x, y), nn.MSELoss(), sgd(model), 4, batch_size=25)
    assert history.epoch.tolist() == [1, 2, 3, 4] and history.epoch.dtype == np.int64
    assert history.loss.shape == (4,) and history.loss.dtype == np.float64
    assert history.loss[-1] < history.loss[0]
    assert (history.validation_loss, history.metrics, history.steps) == (None, {}, 8)
    assert (history.stopped, history.message) == (None, "")
    assert len(history) == 4
    assert repr(history) == "History(epochs=4, stopped=None)"
    assert history.best_epoch == 1 + int(history.loss.argmin())


def test_history_plots_itself(monkeypatch):
    drawn = []
    plotting = types.ModuleType("utils.plotting")
    plotting.loss_curves = lambda history, ax=None: drawn.append((history, ax)) or ax
    monkeypatch.setitem(sys.modules, "utils.plotting", plotting)
    history = History()
    assert history.plot() is None
    assert history.plot(ax="axes") == "axes"
    assert drawn == [(history, None), (history, "axes")]


def test_scheduler_steps_once_an_epoch():
    x, y = points()
    model = small_network()
    optimizer = sgd(model, lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
    fit(model, (x, y), nn.MSELoss(), optimizer, 5, batch_size=8, scheduler=scheduler)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


@pytest.mark.parametrize("with_validation", [False, True])
def test_scheduler_that_wants_the_loss(with_validation):
    x, y = points()
    model = small_network()
    optimizer = sgd(model, lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, threshold=0)
    validation = (x[:10], y[:10] + 5) if with_validation else None
    history = fit(
        model, (x, y), nn.MSELoss(), optimizer, 3, scheduler=scheduler, validation=validation
    )
    watched = history.validation_loss if with_validation else history.loss
    assert scheduler.best == min(watched)


def test_evaluate_and_predict_in_batches_and_at_once():
    x, y = points(50, features=3)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model(x)  # running statistics that are not those of a batch
    before = copy.deepcopy(model.state_dict())
    whole = predict(model, x)
    assert whole.shape == (50, 1) and not whole.requires_grad
    torch.testing.assert_close(predict(model, x, batch_size=7), whole)
    torch.testing.assert_close(whole, copy.deepcopy(model).eval()(x).detach())
    expected = ((whole - y) ** 2).mean().item()
    for batch_size in (7, 1024):
        found = evaluate(model, (x, y), nn.MSELoss(), batch_size=batch_size)
        assert isinstance(found, float) and found == pytest.approx(expected, rel=1e-6)
    loader = DataLoader(TensorDataset(x, y), batch_size=7)
    assert evaluate(model, loader, nn.MSELoss()) == pytest.approx(expected, rel=1e-6)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_evaluate_takes_a_metric():
    logits = torch.tensor([[2.0, -1.0], [0.0, 1.0], [3.0, 1.0]])
    labels = torch.tensor([0, 1, 1])

    def accuracy(outputs, targets):
        return (outputs.argmax(dim=1) == targets).float().mean()

    assert evaluate(nn.Identity(), (logits, labels), accuracy) == pytest.approx(2 / 3)
    assert evaluate(nn.Identity(), (logits, labels), accuracy, batch_size=2) == pytest.approx(2 / 3)


# Seeds and devices ------------------------------------------------------------------------------


def test_seed_everything():
    def draw():
        return random.random(), np.random.rand(), torch.rand(1).item()

    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    other = draw()
    assert all(a != b for a, b in zip(first, other, strict=True))
    torch.manual_seed(3)
    assert torch.rand(1).item() == first[2]


@pytest.mark.parametrize("has_cuda", [False, True])
def test_the_default_device(has_cuda, monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert pick_device() == torch.device("cuda" if has_cuda else "cpu")
    monkeypatch.setenv("COURSE_DEVICE", "")
    assert pick_device() == torch.device("cuda" if has_cuda else "cpu")


def test_a_device_can_be_forced(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    for name in ("cpu", "cuda", "mps", " CPU "):
        monkeypatch.setenv("COURSE_DEVICE", name)
        assert pick_device() == torch.device(name.strip().lower())
    assert pick_device("cuda") == torch.device("cuda")


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("cuda", ["cuda", "no such device on this machine", "cpu"]),
        ("mps", ["mps", "no such device on this machine", "cpu"]),
        ("gpu", ["'gpu'", "does not exist", "cpu, cuda or mps"]),
    ],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_devices_that_are_not_there(name, phrases, by_environment, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setenv("COURSE_DEVICE", name if by_environment else "cpu")
    with pytest.raises(ValueError) as error:
        pick_device(*([] if by_environment else [name]))
    assert all(phrase in str(error.value) for phrase in phrases)
    assert ("COURSE_DEVICE" in str(error.value)) == by_environment


class Recorded(nn.Module):
    """A line that notes where its inputs were."""

    def __init__(self, device):
        super().__init__()
        self.line = nn.Linear(1, 1, device=device)
        self.devices = []

    def forward(self, x):
        self.devices.append(x.device.type)
        return self.line(x)


@pytest.mark.parametrize("as_loader", [False, True])
def test_data_goes_to_the_model_and_losses_are_read_once_an_epoch(as_loader):
    """The "meta" device has shapes, but no values, so the first value that is read is an error."""
    x, y = points(40)
    model = Recorded("meta")
    targets_seen = []

    def loss_fn(outputs, targets):
        targets_seen.append(targets.device.type)
        return nn.functional.mse_loss(outputs, targets)

    data = DataLoader(TensorDataset(x, y), batch_size=8) if as_loader else (x, y)
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        fit(model, data, loss_fn, sgd(model), 3, batch_size=None if as_loader else 8)
    # The trial on a copy, a whole epoch before anything is read, and then a look at its last batch.
    assert model.devices == ["meta"] * 7
    assert targets_seen == ["meta"] * 7
    assert next(model.parameters()).is_meta and not x.is_meta


def test_predict_gives_answers_where_the_inputs_are():
    model = Recorded("cpu")
    assert predict(model, points(5)[0]).device.type == "cpu"
    x = torch.empty(5, 1, device="meta")
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        predict(model, x)  # it is moved to the model, which fails for meta alone
    on_meta = Recorded("meta")
    assert predict(on_meta, x).is_meta
    assert on_meta.devices == ["meta"]


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@needs_cuda
def test_on_cuda():
    x, y = points(40)
    model, twin = small_network().cuda(), small_network()
    settings = {"batch_size": 8, "validation": (x, y), "seed": 3}
    history = fit(model, (x, y), nn.MSELoss(), sgd(model), 5, **settings)
    expected = fit(twin, (x, y), nn.MSELoss(), sgd(twin), 5, **settings)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-4)
    np.testing.assert_allclose(history.validation_loss, expected.validation_loss, rtol=1e-4)
    assert predict(model, x).device.type == "cpu"
    diverged = fit(model, (x, y), nn.MSELoss(), sgd(model, lr=1e30), 5, batch_size=8)
    assert diverged.stopped == "not finite" and "epoch 1, step" in diverged.message


def test_tests_run_silently():
    assert os.environ["COURSE_PROGRESS"] == "0"
