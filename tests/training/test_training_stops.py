"""How a training ends early, and what is shown meanwhile."""

import copy
import signal
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_networks import assert_same, plain_loop, points, sgd, small_network
from torch import nn

from utils.training import evaluate, fit

# Stopping ---------------------------------------------------------------------------------------


def test_patience_stops_and_puts_the_best_weights_back(capsys):
    x, y = points(40)
    settings = {"batch_size": 8, "seed": 3}
    validation = (x[:10], y[:10] - 0.5)  # best on the way, not at the end
    model = small_network()
    history = fit(
        model, (x, y), nn.MSELoss(), sgd(model), 500, validation=validation, patience=4, **settings
    )
    best = history.best_epoch
    assert history.stopped == "patience" and len(history) == best + 4 < 500
    assert best == 1 + history.validation_loss.argmin()
    again = small_network()
    fit(again, (x, y), nn.MSELoss(), sgd(again), best, **settings)
    assert_same(model, again)
    assert capsys.readouterr().out == history.message + "\n"
    assert f"lowest in epoch {best}" in history.message


def test_the_first_of_equal_losses_is_the_best():
    x, y = points(40)
    models = [nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)]
    models[1].load_state_dict(models[0].state_dict())
    always_one = torch.zeros(5, 1), torch.ones(5, 1)  # without a bias, 0 gives 0
    settings = {"validation": always_one, "patience": 3}
    history = fit(models[0], (x, y), nn.MSELoss(), sgd(models[0]), 9, **settings)
    assert history.validation_loss.tolist() == [1.0] * 4 and history.best_epoch == 1
    fit(models[1], (x, y), nn.MSELoss(), sgd(models[1]), 1)
    assert_same(*models)


def test_patience_that_ends_with_the_last_epoch_stops_nothing(capsys):
    model = nn.Linear(1, 1, bias=False)
    settings = {"validation": (torch.zeros(5, 1), torch.ones(5, 1)), "patience": 3}
    history = fit(model, points(40), nn.MSELoss(), sgd(model), 4, **settings)
    assert len(history) == 4 and history.stopped is None and capsys.readouterr().out == ""


def test_patience_that_lasts_still_keeps_the_best_weights(capsys):
    x, y = points(40)
    validation = (x[:10], y[:10] - 0.5)
    model = small_network()
    history = fit(model, (x, y), nn.MSELoss(), sgd(model), 60, validation=validation, patience=60)
    assert history.stopped is None and history.best_epoch < 60
    found = evaluate(model, validation, nn.MSELoss())
    assert found == pytest.approx(history.validation_loss.min(), rel=1e-6)
    assert capsys.readouterr().out == ""


def test_a_rate_that_diverges(capsys):
    x, y = points(40)
    model, twin = small_network(), small_network()
    history = fit(model, (100 * x, y), nn.MSELoss(), sgd(model, lr=1e8), 50, batch_size=20)
    assert history.stopped == "not finite" and len(history) < 50
    assert "not finite in epoch" in history.message and "smaller learning rate" in history.message
    assert "1e+08" in history.message
    assert np.isfinite(history.loss).all()
    assert capsys.readouterr().out == history.message + "\n"
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())

    # The step that is named is the first with such a loss, and was not taken.
    losses, generator, optimizer = [], torch.Generator().manual_seed(0), sgd(twin, lr=1e8)
    while not losses or np.isfinite(losses[-1]):
        for rows in torch.randperm(40, generator=generator).split(20):
            before = copy.deepcopy(twin.state_dict())
            loss = nn.functional.mse_loss(twin(100 * x[rows]), y[rows])
            losses.append(loss.item())
            if not np.isfinite(losses[-1]):
                break
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    epoch, step = (len(losses) - 1) // 2 + 1, (len(losses) - 1) % 2 + 1
    assert f"epoch {epoch}, step {step}," in history.message
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class Pressing(nn.Module):
    """A mean squared error during whose calls number `at` Ctrl-C is pressed so many times."""

    def __init__(self, at, times=1):
        super().__init__()
        self.calls, self.at, self.times = 0, at, times

    def forward(self, outputs, targets):
        self.calls += 1
        if self.calls == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
        return ((outputs - targets) ** 2).mean()


def test_keyboard_between_two_steps(capsys):
    x, y = points(40)
    handler = signal.getsignal(signal.SIGINT)
    model, twin = small_network(), small_network()
    history = fit(model, (x, y), Pressing(at=8), sgd(model), 10, batch_size=8, shuffle=False)
    assert signal.getsignal(signal.SIGINT) is handler
    assert history.stopped == "keyboard" and len(history) == 1 and history.steps == 5
    assert history.loss.shape == (1,)
    assert "Stopped by the keyboard in epoch 2" in capsys.readouterr().out
    # The step in which it came is the last one taken, whole: 8 in all.
    eight = 2 * list(zip(x.split(8), y.split(8), strict=True))
    plain_loop(twin, eight[:8], nn.MSELoss(), sgd(twin), 1)
    assert_same(model, twin)


class PressedInside(torch.optim.SGD):
    """Ctrl-C between the first and the second parameter of the third step."""

    steps = 0

    def step(self, closure=None):
        self.steps += 1
        parameters = self.param_groups[0]["params"]
        for number, parameter in enumerate(parameters):
            self.param_groups[0]["params"] = [parameter]
            super().step()
            if self.steps == 3 and number == 0:
                signal.raise_signal(signal.SIGINT)
        self.param_groups[0]["params"] = parameters


def test_keyboard_inside_a_step_leaves_it_whole():
    x, y = points(40)
    model, twin = small_network(), small_network()
    optimizer = PressedInside(model.parameters(), lr=0.1)
    history = fit(model, (x, y), nn.MSELoss(), optimizer, 10)
    assert history.stopped == "keyboard" and len(history) == 3
    plain_loop(twin, [(x, y)], nn.MSELoss(), sgd(twin), 3)
    assert_same(model, twin)


def test_keyboard_twice_interrupts_at_once():
    x, y = points(40)
    handler = signal.getsignal(signal.SIGINT)
    model, twin = small_network(), small_network()
    with pytest.raises(KeyboardInterrupt):
        fit(model, (x, y), Pressing(at=2, times=2), sgd(model), 10)
    assert signal.getsignal(signal.SIGINT) is handler
    plain_loop(twin, [(x, y)], nn.MSELoss(), sgd(twin), 1)  # the second step was not taken
    assert_same(model, twin)


def test_an_interrupt_that_was_raised_by_the_code_itself():
    x, y = points(40)
    model, twin = small_network(), small_network()
    calls = []

    def loss_fn(outputs, targets):
        calls.append(None)
        if len(calls) == 5:  # the first call is the trial on a copy
            raise KeyboardInterrupt
        return nn.functional.mse_loss(outputs, targets)

    history = fit(model, (x, y), loss_fn, sgd(model), 10)
    assert history.stopped == "keyboard" and len(history) == 3
    plain_loop(twin, [(x, y)], nn.MSELoss(), sgd(twin), 3)
    assert_same(model, twin)


def test_keyboard_in_the_last_step_of_all_loses_nothing():
    x, y = points(40)
    model = small_network()
    history = fit(model, (x, y), Pressing(at=3), sgd(model), 3)
    assert len(history) == 3


def test_keyboard_with_patience_keeps_the_last_weights():
    x, y = points(40)
    model, twin = small_network(), small_network()
    validation = (x[:10], y[:10] - 5)  # gets worse from the first epoch on
    loss_fn = Pressing(at=9)  # a call for training and one for validation in each epoch
    history = fit(model, (x, y), loss_fn, sgd(model), 50, validation=validation, patience=40)
    assert history.stopped == "keyboard" and len(history) == 5
    plain_loop(twin, [(x, y)], nn.MSELoss(), sgd(twin), 5)
    assert_same(model, twin)


def test_an_error_in_the_middle_puts_handler_and_mode_back():
    x, y = points(40)
    handler = signal.getsignal(signal.SIGINT)
    model = small_network().eval()

    class OddError(Exception):
        pass

    def loss_fn(outputs, targets):
        raise OddError

    with pytest.raises(OddError):
        fit(model, (x, y), loss_fn, sgd(model), 3)
    assert signal.getsignal(signal.SIGINT) is handler
    assert not model.training


def test_outside_the_main_thread():
    x, y = points(40)
    models = [small_network(), small_network()]
    fit(models[0], (x, y), nn.MSELoss(), sgd(models[0]), 3)
    histories = []
    thread = threading.Thread(
        target=lambda: histories.append(fit(models[1], (x, y), nn.MSELoss(), sgd(models[1]), 3))
    )
    thread.start()
    thread.join()
    assert len(histories[0]) == 3
    assert_same(*models)


# The progress bar -------------------------------------------------------------------------------


def run_quietly(**settings):
    x, y = points(8)
    model = small_network()
    fit(model, (x, y), nn.MSELoss(), sgd(model), 3, **settings)


@pytest.mark.parametrize(("environment", "progress"), [("0", None), ("0", False), (None, False)])
def test_silence(environment, progress, monkeypatch, capfd):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    if environment is not None:
        monkeypatch.setenv("COURSE_PROGRESS", environment)
    run_quietly(progress=progress)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("environment", "progress"), [(None, None), ("1", None), ("", None), ("0", True)]
)
def test_bar(environment, progress, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    if environment is not None:
        monkeypatch.setenv("COURSE_PROGRESS", environment)
    run_quietly(progress=progress)
    out, err = capsys.readouterr()
    assert out == "" and "3/3" in err


def test_bar_in_a_notebook(monkeypatch, capsys):
    notebook = SimpleNamespace(get_ipython=lambda: "a shell")
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    run_quietly(progress=True)
    out, err = capsys.readouterr()
    assert "3/3" in out and err == ""
