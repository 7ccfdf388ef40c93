"""A training that was stopped and goes on from its file has the numbers of an uninterrupted one."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from utils.fitting import checkpoints
from utils.fitting.checkpoints import copy_of_state, read_checkpoint, write_checkpoint
from utils.training import fit

ROOT = Path(__file__).parents[2]


def points(samples=40):
    x = torch.rand(samples, 1, generator=torch.Generator().manual_seed(1))
    return x, (3 * x).sin()


def network(seed):
    """One that draws random numbers and changes buffers in training."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1)
    )


def train(
    epochs, made_with=0, loss_fn=None, data=None, lr=0.01, shift=0.1, change=None, **settings
):
    """A run from scratch with everything that has a state; the network is made with a seed."""
    model = network(made_with) if change is None else change(network(made_with))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)  # it counts epochs
    x, y = points()
    if data is None or isinstance(data, tuple):
        settings = {"batch_size": 8, "seed": 3} | settings
    settings = {"metrics": {"mae": nn.L1Loss()}} | settings
    validation = (x[:10], y[:10] + shift)
    history = fit(
        model, data or (x, y), loss_fn or nn.MSELoss(), optimizer, epochs,
        validation=validation, scheduler=scheduler, **settings,
    )  # fmt: skip
    return model, history


def assert_same(run, other):
    (model, history), (other_model, other_history) = run, other
    other_state = other_model.state_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(value, other_state[name]), name
    assert history.columns == other_history.columns
    assert history.steps == other_history.steps


@pytest.mark.parametrize("patience", [None, 3])
def test_stopping_after_an_epoch_and_going_on(tmp_path, patience):
    path = tmp_path / "run.pt"
    whole = train(9, patience=patience)
    train(4, patience=patience, checkpoint=path)
    # Another network and another random state: both come from the file.
    again = train(9, made_with=99, patience=patience, checkpoint=path)
    assert_same(whole, again)
    assert again[1].stopped == whole[1].stopped
    assert again[1].epoch.tolist() == list(range(1, len(again[1]) + 1))


def test_patience_counts_on_and_the_best_weights_come_from_the_file(tmp_path):
    path = tmp_path / "run.pt"
    settings = {"patience": 5, "shift": -9}  # the validation loss rises from the first epoch on
    whole = train(9, **settings)
    assert whole[1].stopped == "patience" and whole[1].best_epoch == 1 and len(whole[1]) == 6
    train(4, checkpoint=path, **settings)
    again = train(9, made_with=99, checkpoint=path, **settings)
    assert_same(whole, again)
    assert again[1].stopped == "patience"


class At(nn.MSELoss):
    """A mean squared error that acts once, in the second batch of the third epoch."""

    def __init__(self, act):
        super().__init__()
        self.calls, self.act = 0, act

    def forward(self, outputs, targets):
        self.calls += 1
        if self.calls == 14:  # 5 calls for training and 1 for validation in an epoch
            self.act()
        return super().forward(outputs, targets)


def fail():
    raise MemoryError


def test_keyboard_in_the_middle_of_an_epoch_and_going_on(tmp_path):
    path = tmp_path / "run.pt"
    loss_fn = At(lambda: signal.raise_signal(signal.SIGINT))
    _, stopped = train(9, loss_fn=loss_fn, checkpoint=path)
    assert stopped.stopped == "keyboard" and len(stopped) == 2
    assert_same(train(9), train(9, loss_fn=loss_fn, made_with=99, checkpoint=path))


def test_an_error_in_the_middle_of_an_epoch_and_going_on(tmp_path):
    path, loss_fn = tmp_path / "run.pt", At(fail)
    with pytest.raises(MemoryError):
        train(9, loss_fn=loss_fn, checkpoint=path)
    assert_same(train(9), train(9, loss_fn=loss_fn, made_with=99, checkpoint=path))


def test_going_on_is_said_and_a_start_is_not(tmp_path, capsys):
    path = tmp_path / "run.pt"
    train(4, checkpoint=path)
    assert capsys.readouterr().out == ""
    train(9, made_with=99, checkpoint=path)
    assert capsys.readouterr().out == "Going on after epoch 4, from run.pt.\n"
    for epochs in (9, 1):
        assert len(train(epochs, made_with=99, checkpoint=path)[1]) == 9
        said = capsys.readouterr().out
        assert said == "run.pt already holds 9 epochs: nothing is left to do.\n"


@pytest.mark.parametrize("own_generator", [False, True])
def test_going_on_with_a_loader(tmp_path, own_generator):
    def loader():
        generator = torch.Generator().manual_seed(8) if own_generator else None
        return DataLoader(TensorDataset(*points()), 8, shuffle=True, generator=generator)

    path = tmp_path / "run.pt"
    whole = train(6, data=loader())
    train(2, data=loader(), checkpoint=path)
    assert_same(whole, train(6, made_with=99, data=loader(), checkpoint=path))


def test_running_a_finished_training_again_gives_the_same(tmp_path):
    path = tmp_path / "run.pt"
    first = train(12, patience=2, checkpoint=path)
    before = path.read_bytes()
    again = train(12, made_with=99, patience=2, checkpoint=path)
    assert_same(first, again)
    assert again[1].message == first[1].message
    assert path.read_bytes() == before


def test_written_now_and_then(tmp_path, monkeypatch):
    written, now = [], [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoints, "write_checkpoint", lambda _, state: written.append(state))

    def four_seconds(outputs, targets):
        now[0] += 1
        return nn.functional.mse_loss(outputs, targets)

    train(10, loss_fn=four_seconds, batch_size=20, checkpoint=tmp_path / "run.pt")
    epochs = [len(state["parts"]["history"]["columns"]["loss"]) for state in written]
    assert epochs == [4, 8, 10]  # 3 s an epoch with the validation; after more than 10 s; the end


def test_without_a_checkpoint_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "phrases"),
    [
        ({"batch_size": 10}, ["batch_size 8", "10", "delete it"]),
        ({"seed": 4}, ["seed 3", "4"]),
        ({"lr": 0.5}, ["lr 0.01", "0.5"]),
        ({"drop_last": True}, ["drop_last False", "True"]),
        ({"data": (points(30))}, ["samples 40", "30"]),
    ],
)
def test_other_settings_are_refused(tmp_path, settings, phrases):
    path = tmp_path / "run.pt"
    train(2, checkpoint=path)
    with pytest.raises(ValueError) as error:
        train(4, checkpoint=path, **settings)
    assert all(phrase in str(error.value) for phrase in phrases), error.value


def other_activation(model):
    model[2] = nn.ReLU()
    return model


OTHER_TASKS = {
    "model": {"change": other_activation},
    "loss": {"loss_fn": nn.L1Loss()},
    "setting of the loss": {"loss_fn": nn.SmoothL1Loss(beta=2.0)},
    "data": {"data": (points()[0], points()[1] + 1e-6)},
    "order of the data": {"data": tuple(part.flip(0) for part in points())},
    "validation data": {"shift": 0.2},
    "patience": {"patience": 5},
    "metrics": {"metrics": {"other": nn.L1Loss()}},
    "a function": {"loss_fn": lambda outputs, targets: 2 * (outputs - targets).abs().mean()},
}


@pytest.mark.parametrize("name", OTHER_TASKS)
def test_another_task_is_refused_and_nothing_is_changed(tmp_path, name):
    """First tried with itself, so that it is this difference that is refused."""
    path, changed = tmp_path / "run.pt", OTHER_TASKS[name]
    plain = {"loss_fn": nn.SmoothL1Loss(beta=1.0)} if name == "setting of the loss" else {}
    if name == "a function":
        plain = {"loss_fn": lambda outputs, targets: 3 * (outputs - targets).abs().mean()}
    train(2, checkpoint=path, **plain)
    assert len(train(3, checkpoint=path, **plain)[1]) == 3
    before = path.read_bytes()
    with pytest.raises(ValueError, match="delete it to start anew") as error:
        train(4, checkpoint=path, **(plain | changed))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert ("for other " in str(error.value)) == ("data" in name), error.value
    assert path.read_bytes() == before


def test_any_bit_that_flips_is_noticed_or_without_effect(tmp_path):
    path = tmp_path / "run.pt"
    train(2, checkpoint=path)
    whole, expected = path.read_bytes(), train(4)
    generator, noticed = torch.Generator().manual_seed(0), 0
    for place in torch.randint(len(whole), (40,), generator=generator).tolist():
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            found = train(4, made_with=99, checkpoint=path)
        except ValueError as error:
            assert "is damaged: delete it" in str(error)
            noticed += 1
        else:
            assert_same(found, expected)
    assert noticed > 20


def test_one_file_is_used_by_one_process_at_a_time(tmp_path):
    path = tmp_path / "run.pt"
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from utils.fitting.checkpoints import only_one\n"
        "with only_one(sys.argv[2]):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(ROOT), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match="run.pt is in use by another training"):
            train(2, checkpoint=path)
        assert list(tmp_path.glob("*.pt")) == []
        other.stdin.close()
    assert len(train(2, checkpoint=path)[1]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_another_optimizer_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    x, y = points()
    kinds = torch.optim.SGD, torch.optim.Adam, torch.optim.SGD
    for kind, phrase in zip(kinds, (None, "optimizer 'SGD', not 'Adam'", "scheduler"), strict=True):
        model = network(0)
        optimizer = kind(model.parameters(), lr=0.1)
        if phrase is None:
            fit(model, (x, y), nn.MSELoss(), optimizer, 2, checkpoint=path)
            continue
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1) if kind in kinds[:1] else None
        before = copy_of_state(model.state_dict())
        with pytest.raises(ValueError, match=phrase):
            fit(model, (x, y), nn.MSELoss(), optimizer, 4, checkpoint=path, scheduler=scheduler)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_another_model_is_refused_and_not_changed(tmp_path):
    path = tmp_path / "run.pt"
    x, y = points()
    for units in (4, 8):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(1, units), nn.Tanh(), nn.Linear(units, 1))
        before = model[2].bias.detach().clone()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if units == 4:
            fit(model, (x, y), nn.MSELoss(), optimizer, 2, checkpoint=path)
            continue
        with pytest.raises(ValueError, match="another model: delete it"):
            fit(model, (x, y), nn.MSELoss(), optimizer, 4, checkpoint=path)
        assert torch.equal(model[2].bias, before)


class Dangerous:
    def __reduce__(self):
        return (open, ("was_run", "w"))


def test_code_in_a_file_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.pt"
    for write in (lambda: torch.save(Dangerous(), path), lambda: path.write_bytes(pickled())):
        write()
        with pytest.raises(ValueError, match="no checkpoint .* delete it"):
            train(2, checkpoint=path)
        assert not (tmp_path / "was_run").exists()


def pickled():
    return pickle.dumps(Dangerous())


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(2, checkpoint=path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"something else"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no checkpoint of this course, or is damaged"):
            train(4, checkpoint=path)
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="no checkpoint of fit"):
        train(4, checkpoint=path)


def test_no_such_folder(tmp_path):
    for path in (tmp_path / "missing" / "run.pt", tmp_path):
        with pytest.raises(ValueError, match="is not a file name in a folder that exists"):
            train(2, checkpoint=path)


@pytest.mark.parametrize("path", [3, True, b"run.pt", ["run.pt"]])
def test_what_is_no_name_of_a_file(path):
    with pytest.raises(ValueError, match="checkpoint must be the name of a file, .*, not .*"):
        train(2, checkpoint=path)


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    write_checkpoint(path, {"value": torch.ones(3)})
    before = path.read_bytes()

    def breaks_off(state, file):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", breaks_off)
    with pytest.raises(OSError, match="no space left"):
        write_checkpoint(path, {"value": torch.zeros(3)})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]
    assert torch.equal(read_checkpoint(path)["value"], torch.ones(3))


KILLED = """
import io, os, signal, sys
import torch
from test_checkpoints import checkpoints, train

checkpoints.SECONDS_BETWEEN_WRITES = 0  # after every epoch
save, writes = torch.save, []

def breaks_off(state, file):
    writes.append(file)
    whole = io.BytesIO()
    save(state, whole)
    file.write(whole.getvalue()[: -1000 if len(writes) == 4 else None])
    if len(writes) == 4:
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

torch.save = breaks_off
train(9, checkpoint=sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no SIGKILL")
def test_killed_in_the_middle_of_writing_and_going_on(tmp_path, capsys):
    path = tmp_path / "run.pt"
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, path], env=os.environ | {"PYTHONPATH": paths}
    )
    assert killed.returncode == -signal.SIGKILL
    (half,) = tmp_path.glob("run.pt.*.part")
    with pytest.raises(ValueError, match="damaged"):
        read_checkpoint(half)
    again = train(9, made_with=99, checkpoint=path)
    assert "Going on after epoch 3" in capsys.readouterr().out
    assert_same(train(9), again)


def test_the_old_file_is_replaced_in_one_go(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    write_checkpoint(path, {"value": 1})
    before, replaced = path.read_bytes(), []

    def noted(source, target):
        assert path.read_bytes() == before
        replaced.append((read_checkpoint(source), target))

    monkeypatch.setattr(os, "replace", noted)
    write_checkpoint(path, {"value": 2})
    assert replaced == [({"value": 2}, path)]
    assert path.read_bytes() == before  # nothing else writes to it


def test_arrays_of_the_history_survive(tmp_path):
    path = tmp_path / "run.pt"
    _, first = train(3, checkpoint=path)
    _, again = train(3, checkpoint=path)
    np.testing.assert_array_equal(first.loss, again.loss)
    np.testing.assert_array_equal(first.validation_loss, again.validation_loss)
    assert list(first.metrics) == list(again.metrics) == ["mae", "validation_mae"]
