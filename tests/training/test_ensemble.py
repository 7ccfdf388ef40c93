"""`fit_many` against `fit`, seed by seed, and what becomes of the others when one diverges."""

import random
import signal

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, ReduceLROnPlateau, StepLR
from torch.utils.data import DataLoader, TensorDataset

from utils.data import blobs, slow_and_fast_waves
from utils.ensemble import fit_many
from utils.training import fit, predict, seed_everything


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def points(samples=50, features=1):
    x = torch.rand(samples, features, generator=torch.Generator().manual_seed(1))
    return x, (3 * x).sin().sum(dim=1, keepdim=True)


def network():
    return nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1))


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def assert_equals_fit(make_model, data, loss_fn, make_optimizer, epochs, seeds, **settings):
    """Every member has the losses, the weights and the outputs of `fit`, to 1e-9."""
    many = fit_many(make_model, data, loss_fn, make_optimizer, epochs, seeds, **settings)
    outputs = many.predict(data[0])
    assert many.loss.shape == (len(seeds), epochs) and many.epoch.tolist()[-1] == epochs
    for member, seed in enumerate(seeds):
        seed_everything(seed)
        model = make_model()
        optimizer = make_optimizer(model.parameters())
        history = fit(model, data, loss_fn, optimizer, epochs, seed=seed, **settings)
        np.testing.assert_allclose(many.loss[member], history.loss, rtol=0, atol=1e-9)
        if history.validation_loss is not None:
            found = many.validation_loss[member]
            np.testing.assert_allclose(found, history.validation_loss, rtol=0, atol=1e-9)
        taken = many.model(member)
        for (name, found), expected in zip(
            taken.state_dict().items(), model.state_dict().values(), strict=True
        ):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-9, msg=name)
        torch.testing.assert_close(outputs[member], predict(model, data[0]), rtol=0, atol=1e-9)
        torch.testing.assert_close(predict(taken, data[0]), outputs[member], rtol=0, atol=1e-9)
    return many


# Equal to fit -----------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": sgd,
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "Nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": adam,
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "fused Adam": lambda p: torch.optim.Adam(p, lr=0.01, fused=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_epochs_of_batches(name, float64):
    x, y = points()
    settings = {"batch_size": 8, "validation": (x[:20], y[:20])}
    assert_equals_fit(network, (x, y), nn.MSELoss(), OPTIMIZERS[name], 50, [0, 1, 7], **settings)


@pytest.mark.parametrize(
    "kind",
    [
        torch.optim.Adadelta,
        torch.optim.Adagrad,
        torch.optim.Adamax,
        torch.optim.ASGD,
        torch.optim.NAdam,
        torch.optim.RAdam,
        torch.optim.RMSprop,
        torch.optim.Rprop,
    ],
)
def test_the_other_optimizers(kind, float64):
    assert_equals_fit(network, points(20), nn.MSELoss(), kind, 20, [0, 3], batch_size=8)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_size": 50},
        {"batch_size": 8, "drop_last": True},
        {"batch_size": 8, "shuffle": False},
        {"batch_size": 1},
    ],
)
def test_batches_of_every_kind(settings, float64):
    assert_equals_fit(network, points(), nn.MSELoss(), adam, 5, range(3), **settings)


class Crossed(nn.Module):
    """Two layers with the same weights, a constant buffer and a parameter that is never used."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(1, 1), nn.Linear(1, 1)
        self.second.weight = self.first.weight
        self.unused = nn.Parameter(torch.rand(3))
        self.register_buffer("scale", torch.rand(1))

    def forward(self, x):
        return self.second(torch.tanh(self.first(x))) * self.scale


def partly_frozen():
    model = network()
    model[0].requires_grad_(False)
    return model


NETWORKS = {
    "LeakyReLU": lambda: nn.Sequential(nn.Linear(1, 5), nn.LeakyReLU(), nn.Linear(5, 1)),
    "ReLU in place": lambda: nn.Sequential(nn.Linear(1, 5), nn.ReLU(True), nn.Linear(5, 1)),
    "LayerNorm": lambda: nn.Sequential(nn.Linear(1, 5), nn.LayerNorm(5), nn.Linear(5, 1)),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 1)), nn.Conv1d(1, 3, 3, padding=1), nn.SiLU(), nn.Flatten(),
        nn.Linear(3, 1, bias=False),
    ),
    "shared, constant, unused": Crossed,
    "partly frozen": partly_frozen,
    "Dropout of nothing": lambda: nn.Sequential(nn.Linear(1, 4), nn.Dropout(0), nn.Linear(4, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_every_kind(name, float64):
    decayed = {"lr": 0.01, "weight_decay": 0.1}
    assert_equals_fit(
        NETWORKS[name], points(), nn.MSELoss(), lambda p: torch.optim.AdamW(p, **decayed), 10,
        [2, 5], batch_size=16,
    )  # fmt: skip


class Louder(nn.Module):
    """Twice as much in training mode; like Dropout, and without chance."""

    def forward(self, x):
        return 2 * x if self.training else x


@pytest.mark.parametrize("training", [True, False])
def test_modes_are_those_of_fit_whatever_the_networks_came_in(training, float64):
    def make_model():
        return nn.Sequential(nn.Linear(1, 4), Louder(), nn.Linear(4, 1)).train(training)

    assert_equals_fit(make_model, points(), nn.MSELoss(), sgd, 3, [1, 2], validation=points(9))


def test_more_samples_than_are_computed_at_once(float64):
    x, y = points(1100)
    y[1024:] += 5  # so that the mean of the parts' means is another
    settings = {"batch_size": 550, "validation": (x, y)}
    assert_equals_fit(network, (x, y), nn.MSELoss(), sgd, 1, [1, 2], **settings)


def test_classification(float64):
    def make_model():
        return nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 4))

    many = assert_equals_fit(
        make_model, blobs(), nn.CrossEntropyLoss(), adam, 10, range(4), batch_size=50
    )
    x, y = blobs()
    assert many.predict(x).shape == (4, 200, 4)


def test_single_precision_follows_fit_too():
    x, y = points()
    many = fit_many(network, (x, y), nn.MSELoss(), sgd, 5, [4], batch_size=8)
    seed_everything(4)
    model = network()
    history = fit(model, (x, y), nn.MSELoss(), sgd(model.parameters()), 5, batch_size=8, seed=4)
    np.testing.assert_allclose(many.loss[0], history.loss, rtol=1e-5)


# What comes back --------------------------------------------------------------------------------


def test_the_ensemble():
    x, y = points()
    many = fit_many(network, (x, y), nn.MSELoss(), sgd, 3, [5, 9], batch_size=8)
    assert len(many) == 2 and many.seeds == [5, 9]
    assert many.epoch.tolist() == [1, 2, 3]
    assert many.loss.shape == (2, 3) and many.loss.dtype == np.float64
    assert many.validation_loss is None
    assert not many.diverged.any() and many.diverged_at == {}
    assert (many.stopped, many.message) == (None, "")
    assert repr(many) == "Ensemble(members=2, epochs=3, stopped=None)"
    assert {name: tuple(value.shape) for name, value in many.parameters.items()} == {
        "0.weight": (2, 6, 1),
        "0.bias": (2, 6),
        "2.weight": (2, 1, 6),
        "2.bias": (2, 1),
    }
    assert many.predict(x[:7]).shape == (2, 7, 1) and not many.predict(x).requires_grad
    with pytest.raises(IndexError, match="no member 2: they are 0 to 1"):
        many.model(2)
    with pytest.raises(ValueError, match=r"inputs of shape \(50, 2\), float32"):
        many.predict(torch.rand(50, 2))


def test_a_member_that_is_taken_out_is_on_its_own():
    x, y = points()
    many = fit_many(network, (x, y), nn.MSELoss(), sgd, 3, range(2))
    before = many.predict(x)
    taken = many.model(1)
    fit(taken, (x, y), nn.MSELoss(), sgd(taken.parameters()), 3)
    assert torch.equal(many.predict(x), before)
    assert not torch.equal(predict(taken, x), before[1])
    assert all(parameter.requires_grad for parameter in taken.parameters())


def test_seeds_differ_and_repeat():
    first = fit_many(network, points(), nn.MSELoss(), sgd, 3, [1, 2, 1], batch_size=8)
    assert np.array_equal(first.loss[0], first.loss[2])
    assert not np.array_equal(first.loss[0], first.loss[1])
    again = fit_many(network, points(), nn.MSELoss(), sgd, 3, [1, 2, 1], batch_size=8)
    assert np.array_equal(first.loss, again.loss)


def test_global_random_states_are_left_alone():
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    fit_many(network, points(), nn.MSELoss(), sgd, 2, range(3), batch_size=8)
    assert random.getstate() == states[0]
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert torch.equal(torch.get_rng_state(), states[2])


def test_silence_and_bar(capfd):
    fit_many(network, points(), nn.MSELoss(), sgd, 2, range(3))
    assert capfd.readouterr() == ("", "")
    fit_many(network, points(), nn.MSELoss(), sgd, 2, range(3), progress=True)
    assert "2/2" in capfd.readouterr().err


# Settings and schedulers ------------------------------------------------------------------------


def assert_each_equals_fit(many, data, make_optimizer, epochs, make_scheduler=None, **options):
    """Every member has the losses and weights of `fit` with its seed and setting, to 1e-9."""
    for member, (seed, setting) in enumerate(zip(many.seeds, many.settings, strict=True)):
        seed_everything(seed)
        model = network()
        optimizer = make_optimizer(model.parameters(), **setting)
        scheduler = make_scheduler and make_scheduler(optimizer)
        history = fit(
            model, data, nn.MSELoss(), optimizer, epochs, seed=seed, scheduler=scheduler, **options
        )
        whole = len(history)
        assert many.diverged[member] == (whole < epochs)
        np.testing.assert_allclose(many.loss[member, :whole], history.loss, rtol=1e-9, atol=1e-9)
        if "validation" in options:
            found = many.validation_loss[member, :whole]
            np.testing.assert_allclose(found, history.validation_loss, rtol=1e-9, atol=1e-9)
        for found, expected in zip(
            many.model(member).parameters(), model.parameters(), strict=True
        ):
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def warm_up(optimizer):
    return LambdaLR(optimizer, lambda epoch: min((epoch + 1) / 10, (51 - epoch) / 41))


SEARCHES = {
    "SGD with momentum": (
        torch.optim.SGD,
        [{"lr": 0.1}, {"lr": 0.03, "momentum": 0.9}, {"lr": 0.01, "weight_decay": 0.1}],
        lambda optimizer: StepLR(optimizer, 15, gamma=0.3),
    ),
    "Adam": (
        torch.optim.Adam,
        [{"lr": 0.01}, {"lr": 0.1, "weight_decay": 1e-3}, {"lr": 0.001, "betas": (0.8, 0.9)}],
        lambda optimizer: CosineAnnealingLR(optimizer, 50),
    ),
    "AdamW": (
        lambda parameters, rate, decay: torch.optim.AdamW(
            [{"params": parameters[:2], "lr": rate / 2}, {"params": parameters[2:]}],
            lr=rate, weight_decay=decay, fused=True,
        ),
        [{"rate": 0.01, "decay": 0.1}, {"rate": 0.1, "decay": 0}, {"rate": 0.03, "decay": 1}],
        warm_up,
    ),
}  # fmt: skip


@pytest.mark.parametrize("scheduled", [True, False])
@pytest.mark.parametrize("name", SEARCHES)
def test_every_setting_with_every_seed(name, scheduled, float64):
    make_optimizer, settings, make_scheduler = SEARCHES[name]
    make_scheduler = make_scheduler if scheduled else None
    x, y = points()
    options = {"batch_size": 8, "validation": (x[:20], y[:20])}
    many = fit_many(
        network, (x, y), nn.MSELoss(), lambda p, **setting: make_optimizer(list(p), **setting), 50,
        [4, 1], settings=settings, make_scheduler=make_scheduler, **options,
    )  # fmt: skip
    assert many.seeds == [4, 1] * 3 and many.loss.shape == (6, 50)
    assert many.settings == [settings[0]] * 2 + [settings[1]] * 2 + [settings[2]] * 2

    def of_one(parameters, **setting):
        return make_optimizer(list(parameters), **setting)

    assert_each_equals_fit(many, (x, y), of_one, 50, make_scheduler, **options)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_settings_start_alike_and_seeds_do_not(batch_size, float64):
    x, y = points()
    settings = [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.1}]
    many = fit_many(
        network, (x, y), nn.MSELoss(), torch.optim.SGD, 3, range(2), batch_size=batch_size,
        settings=settings,
    )  # fmt: skip
    losses = many.loss.reshape(3, 2, 3)
    assert np.array_equal(losses[0], losses[2])  # the same steps in the same orders
    if batch_size is None:  # the first loss is that of the initial weights
        assert np.array_equal(losses[0, :, 0], losses[1, :, 0])
    assert (losses[0, :, 1:] != losses[1, :, 1:]).all() and (losses[:, 0] != losses[:, 1]).all()
    assert many.predict(x).shape == (6, 50, 1)


@pytest.mark.parametrize("make_model", [Crossed, partly_frozen])
def test_what_does_not_learn_stays_in_every_setting(make_model, float64):
    x, y = points()
    settings = [{"lr": 0.1, "weight_decay": 0.1}, {"lr": 0.01}]
    both = fit_many(
        make_model, (x, y), nn.MSELoss(), torch.optim.AdamW, 5, [2, 5], settings=settings
    )
    for number, setting in enumerate(settings):
        one = fit_many(
            make_model, (x, y), nn.MSELoss(), lambda p, s=setting: torch.optim.AdamW(p, **s), 5,
            [2, 5],
        )  # fmt: skip
        for name, tensor in one.state.items():
            found = both.state[name].unflatten(0, (2, 2))[number]
            torch.testing.assert_close(found, tensor, rtol=0, atol=1e-9, msg=name)
            assert both.state[name].requires_grad == tensor.requires_grad


def test_a_scheduler_without_settings(float64):
    x, y = points()
    many = fit_many(
        network, (x, y), nn.MSELoss(), sgd, 30, range(2), batch_size=8, make_scheduler=warm_up
    )
    assert many.settings == [{}, {}]
    assert_each_equals_fit(many, (x, y), sgd, 30, warm_up, batch_size=8)


def test_a_setting_that_diverges_leaves_the_others_alone(float64, capsys):
    x, y = points()
    settings = [{"lr": 0.1, "momentum": 0.9}, {"lr": 1e9, "momentum": 0.9}, {"lr": 0.01}]

    def halved(optimizer):
        return StepLR(optimizer, 1, gamma=0.5)

    options = {"batch_size": 8, "validation": (x, y)}
    many = fit_many(
        network, (x, y), nn.MSELoss(), torch.optim.SGD, 6, [3, 8], settings=settings,
        make_scheduler=halved, **options,
    )  # fmt: skip
    assert many.diverged.tolist() == [False, False, True, True, False, False]
    assert set(many.diverged_at) == {2, 3} and many.stopped is None
    assert np.isnan(many.loss[2:4, many.diverged_at[2][0] - 1 :]).all()
    assert_each_equals_fit(many, (x, y), torch.optim.SGD, 6, halved, **options)
    capsys.readouterr()
    assert "2 of 6 networks diverged" in many.message and "seed 3" in many.message
    epoch = many.diverged_at[2][0]
    assert epoch > 1  # so that the scheduler has already changed the rate
    assert f"(it was {1e9 * 0.5 ** (epoch - 1):g})" in many.message
    calm = fit_many(
        network, (x, y), nn.MSELoss(), torch.optim.SGD, 6, [3, 8],
        settings=[settings[0], settings[0], settings[2]], make_scheduler=halved, **options,
    )  # fmt: skip
    assert np.array_equal(many.loss[[0, 1, 4, 5]], calm.loss[[0, 1, 4, 5]])


# Members that diverge ---------------------------------------------------------------------------


class Cube(nn.Module):
    """w³ x: the larger the first w, the steeper, until gradient descent flies off."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(1) * 4)

    def forward(self, x):
        return self.weight**3 * x


def cube_optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.02, momentum=0.5)


SEEDS = list(range(12))


@pytest.fixture
def cubes(float64):
    x, y = points()
    settings = {"batch_size": 8, "validation": (x, y)}
    return (
        (x, y),
        settings,
        fit_many(Cube, (x, y), nn.MSELoss(), cube_optimizer, 8, SEEDS, **settings),
    )


def test_members_that_diverge_are_marked_and_frozen_as_fit_leaves_them(cubes, capsys):
    data, settings, many = cubes
    assert 2 <= many.diverged.sum() <= 10 and many.stopped is None
    for member, seed in enumerate(SEEDS):
        seed_everything(seed)
        model = Cube()
        optimizer = cube_optimizer(model.parameters())
        history = fit(model, data, nn.MSELoss(), optimizer, 8, seed=seed, **settings)
        assert many.diverged[member] == (history.stopped == "not finite")
        whole = len(history)
        np.testing.assert_allclose(many.loss[member, :whole], history.loss, rtol=1e-9)
        torch.testing.assert_close(many.model(member).weight, model.weight, rtol=1e-6, atol=1e-9)
        if many.diverged[member]:
            epoch, step = many.diverged_at[member]
            assert f"epoch {epoch}, step {step}," in history.message
            assert np.isnan(many.loss[member, epoch - 1 :]).all()
            assert np.isnan(many.validation_loss[member, epoch - 1 :]).all()
            assert np.isfinite(many.loss[member, : epoch - 1]).all()


def test_divergence_is_said(cubes, capsys):
    data, settings, many = cubes
    first, (epoch, step) = next(iter(many.diverged_at.items()))
    assert f"{many.diverged.sum()} of 12 networks diverged" in many.message
    assert f"seed {SEEDS[first]} in epoch {epoch}, step {step}" in many.message
    assert "smaller learning rate (it was 0.02)" in many.message


def test_the_others_do_not_notice(cubes):
    data, settings, many = cubes
    healthy = [seed for seed in SEEDS if not many.diverged[seed]]
    instead = [seed if seed in healthy else healthy[0] for seed in SEEDS]
    calm = fit_many(Cube, data, nn.MSELoss(), cube_optimizer, 8, instead, **settings)
    assert not calm.diverged.any()
    assert np.array_equal(many.loss[healthy], calm.loss[healthy])
    assert np.array_equal(many.validation_loss[healthy], calm.validation_loss[healthy])
    assert torch.equal(many.parameters["weight"][healthy], calm.parameters["weight"][healthy])


def test_all_of_them(capsys):
    x, y = points()

    def too_fast(parameters):
        return torch.optim.SGD(parameters, lr=1e12)

    many = fit_many(network, (1000 * x, y), nn.MSELoss(), too_fast, 50, range(3), batch_size=8)
    assert many.stopped == "not finite" and many.diverged.all()
    assert many.loss.shape[1] < 50
    assert "3 of 3 networks diverged" in capsys.readouterr().out


# Ctrl-C -----------------------------------------------------------------------------------------


def test_keyboard(capsys, float64):
    x, y = points(40)
    handler = signal.getsignal(signal.SIGINT)

    def pressed_in_step(number):
        def make_optimizer(parameters):
            optimizer, steps = sgd(parameters), []

            def press(*_):
                steps.append(None)
                if len(steps) == number:
                    signal.raise_signal(signal.SIGINT)

            optimizer.register_step_pre_hook(press)
            return optimizer

        return make_optimizer

    settings = {"batch_size": 8, "shuffle": False}
    many = fit_many(network, (x, y), nn.MSELoss(), pressed_in_step(12), 9, range(3), **settings)
    assert signal.getsignal(signal.SIGINT) is handler
    assert many.stopped == "keyboard" and many.loss.shape == (3, 2)
    assert "Stopped by the keyboard in epoch 3" in capsys.readouterr().out
    # Twelve whole steps: two epochs of five, and two more.
    seed_everything(1)
    model = network()
    optimizer = sgd(model.parameters())
    rest = (x[:16], y[:16])
    fit(model, (x, y), nn.MSELoss(), optimizer, 2, **settings)
    fit(model, rest, nn.MSELoss(), optimizer, 1, **settings)
    torch.testing.assert_close(predict(many.model(1), x), predict(model, x), rtol=0, atol=1e-9)


# Refused ----------------------------------------------------------------------------------------


def refused(*phrases, make_model=network, data=None, loss_fn=None, make_optimizer=sgd, **settings):
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    settings = {"epochs": 2, "seeds": range(2)} | settings
    with pytest.raises(ValueError) as caught:
        fit_many(make_model, data or points(), loss_fn or nn.MSELoss(), make_optimizer, **settings)
    message = str(caught.value)
    for phrase in phrases:
        assert phrase in message, message
    assert "\n" not in message and message[-1] in ".)" and len(message) < 400, message
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])


class Noisy(nn.Module):
    """Draws random numbers without being a layer that is known for it."""

    def __init__(self, kind):
        super().__init__()
        self.line, self.kind = nn.Linear(1, 1), kind
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        if self.kind == "dropout":
            x = nn.functional.dropout(x, training=self.training)
        if self.kind == "buffer":
            self.calls += 1
        if self.kind == "branch" and x.sum() > 0:
            x = -x
        return self.line(x)


def with_layer(layer):
    return lambda: nn.Sequential(nn.Linear(1, 3), layer, nn.Linear(3, 1))


def test_what_would_not_be_the_same():
    alone = "call fit for each seed"
    refused(
        "draws random numbers in each step (Dropout", alone, make_model=with_layer(nn.Dropout())
    )
    refused("draws random numbers", alone, make_model=with_layer(nn.AlphaDropout(0.1)))
    refused("draws random numbers", alone, make_model=lambda: Noisy("dropout"))
    refused("changes its buffer '1.running_mean'", alone, make_model=with_layer(nn.BatchNorm1d(3)))
    refused("changes its buffer 'calls'", alone, make_model=lambda: Noisy("buffer"))
    refused("cannot be computed for all members", alone, make_model=lambda: Noisy("branch"))


def test_optimizers_that_mix_weights():
    alone = "call fit for each seed"
    refused("LBFGS", "SGD, Adam, AdamW", alone, make_optimizer=torch.optim.LBFGS)
    refused("Adafactor", alone, make_optimizer=torch.optim.Adafactor)

    class Own(torch.optim.SGD):
        pass

    refused("Own", alone, make_optimizer=Own)
    other = torch.optim.SGD(network().parameters(), lr=0.1)
    refused("does not belong to these networks", make_optimizer=lambda parameters: other)
    refused("must return an optimizer", make_optimizer=lambda parameters: None)


def test_a_network_or_an_optimizer_in_the_place_of_a_function():
    model = network()
    refused("make_model must be a function", "lambda: nn.Sequential(...)", make_model=model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    refused("make_optimizer must be a function", "of type SGD", make_optimizer=optimizer)


def test_networks_that_are_not_alike():
    one = network()
    refused("same network again", "new one", make_model=lambda: one)

    sizes = iter([3, 4])

    def growing():
        units = next(sizes)
        return nn.Sequential(nn.Linear(1, units), nn.Linear(units, 1))

    refused("networks of one kind", "differ", make_model=growing)

    class Loose(nn.Module):
        def __init__(self):
            super().__init__()
            self.line, self.factor = nn.Linear(1, 1), torch.rand(1)

        def forward(self, x):
            return self.line(x) * self.factor

    refused("plain tensor, 'factor'", "register_buffer", make_model=Loose)
    refused("no trainable parameters", make_model=nn.Tanh)


def test_data_and_settings():
    x, y = points()
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    refused("must be a pair", "DataLoader", data=loader)
    refused("validation must be a pair", validation=loader)
    refused("validation inputs", validation=(torch.rand(3, 2), y[:3]))
    refused("NaN or infinite", data=(x / 0, y))
    refused("(50, 1)", "(50,)", "silently broadcast", data=(x, y.flatten()))
    refused("cannot take inputs of shape (50, 2)", data=(torch.rand(50, 2), y))
    refused("inputs are int64", data=(x.long(), y))
    refused("50 numbers", loss_fn=nn.MSELoss(reduction="none"))
    refused("MSELoss()", loss_fn=nn.MSELoss)
    refused("epochs", epochs=0)
    refused("batch_size is 51", batch_size=51)
    refused("seeds must be several", seeds=3)
    refused("seeds is empty", seeds=[])
    refused("seed must be a whole number", seeds=[0.5])


def test_settings():
    def sought(*phrases, settings, make_optimizer=torch.optim.SGD):
        refused(*phrases, settings=settings, make_optimizer=make_optimizer)

    sought("settings is empty", settings=[])
    sought("settings must be a list of dictionaries", "not {'lr': 0.1}", settings={"lr": 0.1})
    sought("list of dictionaries", "settings[1] is 0.1", settings=[{"lr": 0.1}, 0.1])
    sought("{'rate': 0.1}", "unexpected keyword argument 'rate'", settings=[{}, {"rate": 0.1}])
    sought("setting {'lr': -1}", "Invalid learning rate: -1", settings=[{"lr": 0.1}, {"lr": -1}])
    sought("keyword", "'lr'", settings=[{"lr": 0.1}], make_optimizer=sgd)
    made = []

    def the_first(parameters, lr):
        made.append(torch.optim.SGD(parameters, lr=lr))
        return made[0]

    sought(
        "does not belong to these networks", settings=[{"lr": 1}, {"lr": 2}],
        make_optimizer=the_first,
    )  # fmt: skip


def test_schedulers():
    other = torch.optim.SGD(network().parameters(), lr=0.1)
    scheduler = StepLR(other, 3)
    refused("make_scheduler must be a function", "of type StepLR", make_scheduler=scheduler)
    refused("make_scheduler(optimizer) must return", "NoneType", make_scheduler=lambda _: None)
    refused("belongs to another optimizer", make_scheduler=lambda optimizer: scheduler)
    refused("looks at one validation loss", "fit for each", make_scheduler=ReduceLROnPlateau)


# Published figures ------------------------------------------------------------------------------


def layers(*units, activation=nn.Tanh):
    made = []
    for features, outputs in zip(units, units[1:], strict=False):
        made += [nn.Linear(features, outputs), activation()]
    return nn.Sequential(*made[:-1])


WAVES = {  # the network, and its median loss after 100 epochs
    "1-5-1 LeakyReLU": (lambda: layers(1, 5, 1, activation=nn.LeakyReLU), 0.0206),
    "1-5-1 Tanh": (lambda: layers(1, 5, 1), 0.0073),
    "1-10-5-1 Tanh": (lambda: layers(1, 10, 5, 1), 0.0003),
}


@pytest.mark.full
@pytest.mark.parametrize("name", WAVES)
def test_median_losses_on_the_waves(name):
    """The first hundred epochs of the networks in notebook 02, section 5."""
    x, y = slow_and_fast_waves()
    x = (x - x.min()) / (x.max() - x.min())
    y = (y - y.min()) / (y.max() - y.min()) - 0.5
    make_model, expected = WAVES[name]
    settings = {"batch_size": 64, "drop_last": True}
    many = fit_many(make_model, (x, y), nn.MSELoss(), adam, 100, range(32), **settings)
    median = np.median(many.loss[:, -1])
    assert expected / 1.3 < median < expected * 1.3, median


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@needs_cuda
def test_on_cuda(float64):
    many = assert_equals_fit(
        lambda: network().cuda(), points(), nn.MSELoss(), adam, 10, range(3), batch_size=8
    )
    assert next(many.model(0).parameters()).is_cuda
    assert many.predict(points()[0]).device.type == "cpu"
