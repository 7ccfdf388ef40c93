"""Training: the loop that the notebooks write out, with batches, a history and a progress bar.

Read `train_epoch` first: it is that loop. `fit` calls it once an epoch and adds what surrounds it.
"""

import math
import os
import random

import numpy as np
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm.auto import tqdm

from utils.fitting import checks
from utils.fitting.batches import Batches, Means
from utils.fitting.checkpoints import Checkpoint, EarlyStopping
from utils.fitting.measuring import KeyboardStop, measure, measured
from utils.fitting.states import device_of, mode

SAMPLES_AT_ONCE = 1024  # when nothing is learnt, batches only keep the memory small


def seed_everything(seed):
    """Seed the random numbers of Python, NumPy and torch (all devices); seed: 0 to 2**32 - 1."""
    checks.check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device(name=None):
    """The device to compute on: CUDA where there is one, otherwise the CPU.

    name: "cpu", "cuda" or "mps" forces one, and so does the environment variable COURSE_DEVICE.
    Raises ValueError for a device that is not on this machine, or that does not exist.
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
        """Add an epoch of so many steps; numbers: loss, validation_loss and metrics by name."""
        self.steps += steps
        for name, number in numbers.items():
            self.columns.setdefault(name, []).append(number)

    def stop(self, reason, message):
        """Note why the training ended early, and say it."""
        self.stopped, self.message = reason, message
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
        """The epoch with the lowest validation loss, or training loss without validation."""
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


class NotFiniteError(ArithmeticError):
    """A loss of NaN or infinity; its argument is the step of the epoch, counted from 1."""


def train_epoch(model, batches, loss_fn, optimizer, metrics, first_step, keyboard):
    """The loop of the notebooks, once through the data: gives the number of steps and the means.

    The loop is the lines with outputs, loss and optimizer; the other lines watch over it.
    """
    means = Means()
    for step, (inputs, targets) in enumerate(batches, start=1):
        if keyboard.presses:
            raise KeyboardInterrupt
        outputs = loss = None  # so that an error can tell how far the step came
        try:
            outputs = model(inputs)
            if first_step.pending:
                checks.check_outputs(outputs, targets, loss_fn)
            loss = loss_fn(outputs, targets)
            if first_step.pending:
                checks.check_loss(loss)
            means.add(len(inputs), loss, measured(metrics, outputs, targets))
            if loss.is_cpu and not math.isfinite(means.losses[-1]):
                raise NotFiniteError(step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        except Exception as error:
            checks.raise_explained(error, model, inputs, targets, outputs, loss)
        first_step.pending = False
    numbers = means.read()
    for number, loss in enumerate(means.losses, start=1):
        if not math.isfinite(loss):
            raise NotFiniteError(number)
    return step, numbers


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
    """Train a model: the loop of the notebooks, `epochs` times through the data; gives a History.

    model: any module; its parameters decide the device, to which the batches are moved.
    data: a pair of tensors (x, y) of n samples, or an iterable of batches (x, y) such as a
        DataLoader; with the same one the weights equal those of the plain loop bit for bit.
    loss_fn(outputs, targets): one number, the mean over the batch.
    optimizer: of torch.optim, made for this model. Calling fit again goes on where it stopped.
    batch_size, shuffle, drop_last, seed: for a pair. None takes all samples in one batch. Orders
        are drawn once an epoch, by `torch.randperm` with a generator of its own of this seed.
    validation: a pair or iterable, measured after each epoch in evaluation mode.
    metrics: further functions like loss_fn by name, such as {"accuracy": accuracy}.
    scheduler: of torch.optim.lr_scheduler; takes its step after each epoch.
    patience: stop after so many epochs without a new lowest validation loss. At the end, early or
        not, the model has its weights of the best epoch; after Ctrl-C, those of the last step.
    checkpoint: a file, written as training goes on; if it is there already, training goes on from
        it, with the numbers of one uninterrupted run, until it has had `epochs` in all.
    progress: whether to show a bar; None: yes, unless COURSE_PROGRESS is 0.

    Ctrl-C returns the history so far, with the model as it was after the last whole step (a second
    Ctrl-C interrupts at once). A loss that is not finite also ends it: on the CPU before that step
    is taken, elsewhere at the end of that epoch. What cannot work raises ValueError, before the
    first step for all that can be known then (`training_checks`).
    """
    metrics = metrics or {}
    checks.check_model(model)
    checks.check_functions(loss_fn, metrics)
    checks.check_optimizer(optimizer, model, loss_fn, scheduler)
    checks.check_data(data, validation)
    checks.check_settings(data, epochs, batch_size, drop_last, seed, patience, validation)
    device = next(model.parameters()).device
    batches = Batches(data, device, batch_size, shuffle, drop_last, seed)
    if validation is not None:
        validation = Batches(validation, device, max(batch_size or 0, SAMPLES_AT_ONCE))
    history, stopping = History(), EarlyStopping(model, patience)
    parts = {"optimizer": optimizer, "scheduler": scheduler, "batches": batches}
    parts |= {"model": model, "history": history, "stopping": stopping}
    saved = Checkpoint(checkpoint, parts)
    saved.resume()
    try:
        with (
            KeyboardStop() as keyboard,
            mode(model, training=True),
            checks.FirstStep(model) as first_step,
            saved,
            progress_bar(range(len(history), epochs), progress) as bar,
        ):
            for _ in bar:
                if stopping.exhausted:
                    break
                steps, numbers = train_epoch(
                    model, batches, loss_fn, optimizer, metrics, first_step, keyboard
                )
                if validation is not None:
                    numbers |= measure(model, validation, loss_fn, metrics, "validation_")
                history.record(steps, numbers)
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
        history.stop("keyboard", checks.keyboard_message(history))
        return history
    except NotFiniteError as problem:
        history.stop("not finite", checks.not_finite_message(history, problem, optimizer))
    if stopping.exhausted and len(history) < epochs:
        history.stop("patience", checks.patience_message(history))
    stopping.put_back()
    return history


def evaluate(model, data, loss_fn, batch_size=SAMPLES_AT_ONCE):
    """The mean of a loss, or of a metric such as the accuracy, per sample of the data: a number.

    data, loss_fn: as for `fit`. The model is in evaluation mode meanwhile, no gradient is taken,
    and its device and mode are as they were afterwards. batch_size only bounds the memory.
    """
    checks.check_functions(loss_fn)
    checks.check_data(data)
    checks.check_whole_number("batch_size", batch_size, 1)
    return measure(model, Batches(data, device_of(model), batch_size), loss_fn)["loss"]


def predict(model, x, batch_size=SAMPLES_AT_ONCE):
    """The outputs (n, ...) of a model in evaluation mode for inputs x (n, ...), without gradients.

    They come back on the device of x; the model's device and mode are as they were afterwards.
    """
    checks.check_inputs(x, batch_size)
    outputs = []
    with mode(model, training=False), torch.no_grad():
        for inputs in x.split(batch_size):
            inputs = inputs.to(device_of(model, default=x.device))
            try:
                part = model(inputs)
            except Exception as error:
                checks.raise_explained(error, model, inputs)
            outputs.append(part.to(x.device))
    return torch.cat(outputs)


def progress_bar(epochs, progress=None):
    """The epochs, with a bar that is drawn ten times a second at most, unless it is off."""
    if progress is None:
        progress = os.environ.get("COURSE_PROGRESS") != "0"
    return tqdm(epochs, unit="epoch", disable=not progress)
