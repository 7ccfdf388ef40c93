"""Training: the loop that the notebooks write out, with batches, a history and a progress bar.

Read `train_epoch` first: it is that loop. `fit` calls it once an epoch and adds what surrounds it.
"""

import os
import random

import numpy as np
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from utils.fitting import checks
from utils.fitting.batches import Batches
from utils.fitting.checkpoints import Checkpoint
from utils.fitting.measuring import Means, measure
from utils.fitting.progress import progress_bar
from utils.fitting.ranks import Ranks, plain, speaks
from utils.fitting.states import device_of, mode
from utils.fitting.stops import (
    EarlyStopping,
    KeyboardStop,
    NotFiniteError,
    keyboard_message,
    not_finite_message,
    patience_message,
)
from utils.fitting.trial import explained, outputs_of, try_first_step

SAMPLES_AT_ONCE = 1024  # when nothing is learnt, batches only keep the memory small


def seed_everything(seed):
    """Seed the random numbers of Python, NumPy and torch (all devices); seed: 0 to 2**32 - 1."""
    checks.check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device(name=None):
    """Return the device to compute on: CUDA where there is one, otherwise the CPU.

    Args:
        name: "cpu", "cuda" or "mps" forces one, and so does the environment variable COURSE_DEVICE.

    Raises:
        ValueError: the device is not on this machine, or there is none of that name.
    """
    asked_by = "COURSE_DEVICE" if name is None else "pick_device"
    name = str(name or os.environ.get("COURSE_DEVICE", "")).strip().lower()
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not name:
        name = "cuda" if here["cuda"] else "cpu"
    checks.check_device(name, here, asked_by)
    return torch.device(name)


class History:
    """What `fit` measured; only whole epochs, e of them, are in it. Arrays are NumPy's.

    Attributes:
        epoch: (e,), int64: 1, 2, ... e.
        loss: (e,), float64: the mean loss per sample over each epoch, taken while the weights move.
        validation_loss: (e,), float64: the same after each epoch; None without validation data.
        metrics: a dictionary of arrays (e,): each name is measured as the loss is, and
            "validation_" + name as the validation loss is, if there is validation data.
        steps: how many steps the optimizer took in these epochs.
        stopped: None when all epochs were run, otherwise "keyboard", "not finite" or "patience".
        message: the sentence that was printed when it stopped, or "".
    """

    def __init__(self):
        self.columns = {}  # name -> one number an epoch
        self.steps, self.stopped, self.message = 0, None, ""

    def record(self, steps, numbers):
        """Add an epoch of so many steps; `numbers` are loss, validation_loss, metrics by name."""
        self.steps += steps
        for name, number in numbers.items():
            self.columns.setdefault(name, []).append(number)

    def stop(self, reason, message):
        """Note why the training ended early, and say it."""
        self.stopped, self.message = reason, message
        if speaks():
            print(message)

    def __len__(self):
        return len(self.columns.get("loss", []))

    def __repr__(self):  # without numbers that differ from one machine to another
        return f"History(epochs={len(self)}, stopped={self.stopped!r})"

    @property
    def epoch(self):
        return np.arange(1, len(self) + 1)

    @property
    def loss(self):
        return np.array(self.columns.get("loss", []), dtype=np.float64)

    @property
    def validation_loss(self):
        column = self.columns.get("validation_loss")
        return None if column is None else np.array(column, dtype=np.float64)

    @property
    def metrics(self):
        losses = ("loss", "validation_loss")
        return {name: np.array(v) for name, v in self.columns.items() if name not in losses}

    @property
    def best_epoch(self):
        """Return the epoch with the lowest validation loss, or training loss without validation."""
        watched = self.loss if self.validation_loss is None else self.validation_loss
        return None if np.isnan(watched).all() else int(np.nanargmin(watched)) + 1

    def plot(self, ax=None):
        """Draw the losses against the epoch; with `ax`, draw there and return it."""
        from utils.plotting import loss_curves  # here, since training needs no figures

        return loss_curves(self, ax=ax)

    def state_dict(self):  # these two for a checkpoint
        return {"columns": self.columns, "steps": self.steps}

    def load_state_dict(self, state):
        self.columns, self.steps = state["columns"], state["steps"]


def train_epoch(model, batches, loss_fn, optimizer, means):
    """Go through the data once: the loop that the notebooks write out, and `means.add`.

    Args:
        model, loss_fn, optimizer: as for `fit`.
        batches: (inputs, targets) on the model's device.
        means: a `Means`, which also ends an epoch whose loss is not finite, before that step.
    """
    for inputs, targets in batches:
        outputs = model(inputs)
        loss = loss_fn(outputs, targets)
        means.add(loss, outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def fit(
    model,
    data,
    loss_fn,
    optimizer,
    epochs,
    *,
    batch_size=None,
    shuffle=True,
    drop_last=False,
    seed=0,
    validation=None,
    metrics=None,
    scheduler=None,
    patience=None,
    checkpoint=None,
    progress=None,
):
    """Train a model: the loop of the notebooks, `epochs` times through the data.

    Calling fit again goes on with the weights and the optimizer as they are, but a number as seed
    draws the same orders again. For the numbers of one longer run give both calls the same
    generator, `orders = torch.Generator().manual_seed(0)` and `seed=orders`, or a `checkpoint`.

    Ctrl-C returns the history so far, with the model as it was after the last whole step; a second
    Ctrl-C interrupts at once. A loss that is not finite also ends it: on the CPU before that step
    is taken, elsewhere at the end of that epoch.

    Args:
        model: any module; its parameters decide the device, to which the batches are moved. It is
            in training mode meanwhile, with all its parts: a frozen BatchNorm that you have set to
            eval() still takes up new statistics. One in DistributedDataParallel is trained by all
            ranks together, with the numbers of one process and the history of all: each calls fit
            alike, and takes its rows of each batch of a pair; an iterable gives it its own batches.
        data: a pair of tensors (x, y) of n samples, or an iterable of batches (x, y) such as a
            DataLoader; with the same one the weights equal those of the plain loop bit for bit.
        loss_fn: loss_fn(outputs, targets) gives one number, the mean over the batch. The history is
            exact for a plain mean; of a mean weighted by class or with gaps left out
            (ignore_index) it is the mean of the batches' means.
        optimizer: of torch.optim, made for this model.
        epochs: how often to go through the data.
        batch_size: samples in a batch of a pair; None takes all samples in one batch.
        shuffle: whether a pair's samples come in a new order in each epoch, drawn by
            `torch.randperm`; without effect if all are one batch.
        drop_last: whether to leave out a pair's last batch where it is not full.
        seed: of the orders of a pair, 0 to 2**32 - 1, or a torch.Generator that draws them.
        validation: a pair or an iterable, measured after each epoch in evaluation mode.
        metrics: further functions like loss_fn by name, such as {"accuracy": accuracy}.
        scheduler: of torch.optim.lr_scheduler; takes its step after each epoch.
        patience: stop after so many epochs without a new lowest validation loss. At the end, early
            or not, the model has its weights of the best epoch; after Ctrl-C, those of the last
            step.
        checkpoint: a file, written as training goes on; if it is there already, training goes on
            from it, with the numbers of one uninterrupted run, until it has had `epochs` in all.
        progress: whether to show a bar; None: yes, unless COURSE_PROGRESS is 0.

    Returns:
        History: what was measured in each epoch.

    Raises:
        ValueError: what cannot work; one step is tried on a copy, so nothing has changed yet. Of a
            later batch it is said when its turn comes.
    """
    checks.check_model(model)
    checks.check_data(data, validation)
    checks.check_functions(loss_fn, metrics)
    checks.check_optimizer(optimizer, model, loss_fn, scheduler)
    checks.check_settings(data, epochs, batch_size, drop_last, seed, patience, validation)
    device = device_of(model)
    ranks = Ranks(model)  # with DistributedDataParallel all that train together, or this one alone
    ranks.check(data)
    batches = Batches(data, device, batch_size, shuffle, drop_last, seed, ranks)
    if validation is not None:
        at_once = max(batch_size or 0, SAMPLES_AT_ONCE)
        validation = Batches(validation, device, at_once, ranks=ranks)
    history, stopping = History(), EarlyStopping(plain(model), patience)
    parts = {"optimizer": optimizer, "scheduler": scheduler, "batches": batches}
    parts |= {"model": plain(model), "history": history, "stopping": stopping}
    task = {"loss_fn": loss_fn, "validation": validation, "metrics": metrics, "patience": patience}
    saved = Checkpoint(checkpoint, parts, task, ranks, epochs)
    try_first_step(model, batches, loss_fn, metrics)
    loss_of_share = ranks.weighted(loss_fn, batches)
    try:
        with (
            KeyboardStop(ranks) as keyboard,
            mode(model, training=True),
            explained(model, batches, loss_fn, metrics),
            saved,  # goes on from the file, if there is one
            progress_bar(range(len(history), epochs), progress) as bar,
        ):
            ranks.check_alike(batches, history)
            for batches.epoch in bar:
                if stopping.exhausted:
                    break
                means = Means(metrics, source=batches)
                train_epoch(model, keyboard.between(batches), loss_of_share, optimizer, means)
                ranks.same_buffers(model)
                numbers = means.read()
                if validation is not None:
                    numbers |= measure(model, validation, loss_fn, metrics, "validation_")
                history.record(means.batches, numbers)
                stopping.look(numbers.get("validation_loss"))
                if isinstance(scheduler, ReduceLROnPlateau):
                    scheduler.step(numbers.get("validation_loss", numbers["loss"]))
                elif scheduler is not None:
                    scheduler.step()
                saved.keep()
                bar.set_postfix_str(f"loss {numbers['loss']:.3g}", refresh=False)
    except KeyboardInterrupt:
        if keyboard.presses > 1:
            raise
        history.stop("keyboard", keyboard_message(history))
        return history
    except NotFiniteError as problem:
        history.stop("not finite", not_finite_message(history, problem, optimizer))
    if stopping.exhausted and len(history) < epochs:
        history.stop("patience", patience_message(history))
    stopping.put_back()
    return history


def evaluate(model, data, loss_fn, batch_size=SAMPLES_AT_ONCE):
    """Return the mean of a loss, or of a metric such as the accuracy, per sample of the data.

    The model is in evaluation mode meanwhile, no gradient is taken, and its device and mode are as
    they were afterwards.

    Args:
        model, data: as for `fit`.
        loss_fn: any function (outputs, targets) -> number, a mean over the samples.
        batch_size: only bounds the memory.

    Returns:
        A number.
    """
    checks.check_functions(loss_fn)
    checks.check_data(data)
    checks.check_whole_number("batch_size", batch_size, 1)
    return measure(model, Batches(data, device_of(model), batch_size), loss_fn)["loss"]


def predict(model, x, batch_size=SAMPLES_AT_ONCE):
    """Return the outputs of a model in evaluation mode, without gradients.

    The model's device and mode are as they were afterwards.

    Args:
        model: any module.
        x: inputs, shape (n, ...), on any device.
        batch_size: only bounds the memory.

    Returns:
        Outputs of shape (n, ...), on the device of x.
    """
    checks.check_inputs(x, batch_size)
    model = plain(model)
    device = device_of(model, default=x.device)
    with mode(model, training=False), torch.no_grad():
        parts = [outputs_of(model, part.to(device), model) for part in x.split(batch_size)]
    checks.check_predictions(parts[0])
    return torch.cat([part.to(x.device) for part in parts])
