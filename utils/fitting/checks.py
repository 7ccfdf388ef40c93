"""What training refuses and says: each time one sentence, with what to do about it.

Everything here raises `InputError`, a ValueError, before the first step has changed the model.
"""

import math
import operator

import torch
from torch import nn
from torch.nn import functional


class InputError(ValueError):
    """Something that training cannot start with; the message says what, and what to do."""


# Losses that compare element by element: with shapes that differ they broadcast and mean nothing.
ELEMENTWISE = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
ELEMENTWISE_FUNCTIONS = (
    functional.mse_loss,
    functional.l1_loss,
    functional.smooth_l1_loss,
    functional.huber_loss,
)
# Losses whose targets are class numbers, one a sample, beside a row of logits a sample.
CLASS_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss)
CLASS_FUNCTIONS = (functional.cross_entropy, functional.nll_loss, functional.multi_margin_loss)


def shape(tensor):
    """The shape and dtype of a tensor in words, "(64, 1), float32"; of anything else its type."""
    if not isinstance(tensor, torch.Tensor):
        return f"of type {type(tensor).__name__}"
    return f"{tuple(tensor.shape)}, {str(tensor.dtype).removeprefix('torch.')}"


# Numbers and settings ---------------------------------------------------------------------------


def check_whole_number(name, value, smallest):
    """Refuse what is not a whole number of at least `smallest`; return it as an int."""
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not is_whole or operator.index(value) < smallest:
        raise InputError(f"{name} must be a whole number of at least {smallest}, not {value!r}.")
    return operator.index(value)


def check_seed(seed):
    """Refuse a seed outside 0 to 2**32 - 1, the range that Python, NumPy and torch share."""
    seed = check_whole_number("The seed", seed, 0)
    if seed >= 2**32:
        raise InputError(f"The seed must be below 2**32 (NumPy takes no more), not {seed}.")
    return seed


def check_device(name, here, asked_by):
    """Refuse a device that does not exist, or is not on this machine (here: name -> whether)."""
    if name not in here:
        raise InputError(
            f"{asked_by} asks for the device {name!r}, which does not exist: say cpu, cuda or mps."
        )
    if not here[name]:
        raise InputError(
            f"{asked_by} asks for {name}, but torch finds no such device on this machine: "
            "say cpu, or leave it out to use the best one that is here."
        )


def check_settings(data, epochs, batch_size, drop_last, seed, patience=None, validation=None):
    """Refuse epochs, batch sizes, seeds and patience that cannot be meant."""
    check_whole_number("epochs (how often to go through the data)", epochs, 1)
    check_seed(seed)
    pair = is_pair(data)
    if batch_size is not None and pair:
        check_batch_size(batch_size, len(data[0]))
    if not pair and (batch_size is not None or drop_last):
        setting = "drop_last" if batch_size is None else "batch_size"
        raise InputError(
            f"{setting} is for a pair of tensors, but this {type(data).__name__} yields batches "
            f"already: set it there, for example DataLoader(dataset, {setting}=...)."
        )
    for source in (data, validation):
        if hasattr(source, "__next__") and epochs > 1:
            raise InputError(
                f"The data is a {type(source).__name__}, which can be gone through only once, but "
                f"epochs is {epochs}: put its batches into a list, or give a DataLoader."
            )
    if patience is not None:
        check_whole_number("patience (epochs to wait for a lower validation loss)", patience, 1)
        if validation is None:
            raise InputError(
                "patience watches the validation loss, but there is no validation data: "
                "add validation=(x_validation, y_validation)."
            )


def check_batch_size(batch_size, samples):
    """Refuse a batch size that is not a whole number from 1 to the number of samples."""
    if check_whole_number("batch_size", batch_size, 1) > samples:
        raise InputError(
            f"batch_size is {batch_size}, but there are only {samples} samples: "
            f"take at most {samples}, or None for all at once."
        )


# Model, loss, optimiser -------------------------------------------------------------------------


def check_module(model):
    """Refuse what is no module."""
    if isinstance(model, type):
        raise InputError(
            f"The model is the class {model.__name__}, not a network: "
            f"call it, model = {model.__name__}(...)."
        )
    if not isinstance(model, nn.Module):
        raise InputError(f"The model must be an nn.Module, not {shape(model)}.")


def check_model(model):
    """Refuse what is no module, or has no trainable parameters, or has some that are not finite."""
    check_module(model)
    if any(nn.parameter.is_lazy(parameter) for parameter in model.parameters()):
        raise InputError(
            "The model has lazy layers whose shapes are not known yet: "
            "call it once on a batch of inputs before its optimizer is made."
        )
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        raise InputError(
            "The model has no trainable parameters, so there is nothing to fit: "
            "give it a layer with weights, or set requires_grad=True on those that are frozen."
        )
    devices = {str(parameter.device) for parameter in model.parameters()}
    if len(devices) > 1:
        raise InputError(
            f"The model's parameters are on several devices ({', '.join(sorted(devices))}): "
            "move them to one with model.to(device)."
        )
    for name, parameter in model.named_parameters():
        if not all_finite(parameter):
            raise InputError(
                f"The model's parameter {name} holds values that are NaN or infinite, as after a "
                "training that diverged: build the model and its optimizer anew."
            )


def check_functions(loss_fn, metrics=None):
    """Refuse a loss or a metric that is a class in place of its instance, or cannot be called."""
    if not isinstance(metrics, dict | None):
        raise InputError(
            'metrics must be functions by name, for example {"accuracy": accuracy}, '
            f"not {shape(metrics)}."
        )
    for name, function in {"loss_fn": loss_fn, **(metrics or {})}.items():
        if isinstance(function, type):
            raise InputError(
                f"{name} is the class {function.__name__}, which wants brackets first: "
                f"{function.__name__}()."
            )
        if not callable(function):
            raise InputError(f"{name} must be a function of (outputs, targets), not {function!r}.")
    for name in metrics or {}:
        if name == "loss" or not isinstance(name, str) or name.startswith("validation_"):
            raise InputError(f"The metric {name!r} needs another name, since fit uses this one.")


def check_optimizer(optimizer, model, loss_fn=None, scheduler=None):
    """Refuse an optimiser that does not move this model, or cannot take a plain step."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(
            "The optimizer must be one of torch.optim, made for this model, for example "
            f"torch.optim.SGD(model.parameters(), lr=0.1), not {optimizer!r}."
        )
    if isinstance(optimizer, torch.optim.LBFGS):
        raise InputError(
            "LBFGS evaluates the loss several times a step, which this loop does not do: "
            "take SGD or Adam, or write its loop out with a closure."
        )
    own = {id(parameter) for parameter in model.parameters()}
    if isinstance(loss_fn, nn.Module):
        own |= {id(parameter) for parameter in loss_fn.parameters()}
    moved = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    foreign = sum(id(parameter) not in own for parameter in moved)
    if foreign:
        raise InputError(
            f"The optimizer belongs to another model ({foreign} of its {len(moved)} parameter "
            "tensors are not this model's), so this one would not learn: make it again after the "
            f"model, for example torch.optim.{type(optimizer).__name__}(model.parameters(), ...)."
        )
    if scheduler is not None and getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise InputError(
            "The scheduler belongs to another optimizer: make it again after the optimizer."
        )


# Data -------------------------------------------------------------------------------------------


def is_pair(data):
    """Whether the data is meant as (inputs, targets), rather than as an iterable of batches."""
    if not isinstance(data, tuple | list) or len(data) == 0:
        return False
    # A list or tuple of (inputs, targets) batches holds tuples; anything else is meant as a pair.
    return not isinstance(data[0], tuple | list)


def check_data(data, validation=None):
    """Refuse data that is neither a sound pair of tensors nor something that yields batches."""
    check_source(data, "data")
    check_validation(data, validation)


def check_validation(data, validation):
    """Refuse validation data that is unsound, or not of the same kind as the training data."""
    if validation is None:
        return
    check_source(validation, "validation")
    if is_pair(data) and is_pair(validation):
        for name, train, other in zip(("inputs", "targets"), data, validation, strict=True):
            if train.shape[1:] != other.shape[1:] or train.dtype != other.dtype:
                raise InputError(
                    f"The validation {name} {shape(other)} do not go with the training {name} "
                    f"{shape(train)}: prepare both in the same way."
                )


def check_source(data, name):
    """Refuse one such source of data; its name is for the message."""
    if is_pair(data):
        if len(data) != 2:
            raise InputError(
                f"{name} must be a pair (inputs, targets) of tensors, but holds {len(data)} things."
            )
        return check_pair(*data, where=f"{name}: ")
    if isinstance(data, torch.utils.data.Dataset):
        raise InputError(
            f"{name} is a {type(data).__name__}, which gives one sample at a time: wrap it, "
            "DataLoader(dataset, batch_size=64, shuffle=True), or give the tensors as a pair."
        )
    if isinstance(data, torch.Tensor | str | dict) or not hasattr(data, "__iter__"):
        raise InputError(
            f"{name} must be a pair (inputs, targets) of tensors, or a DataLoader, "
            f"not {'a tensor of shape ' * isinstance(data, torch.Tensor)}{shape(data)}."
        )
    if hasattr(data, "__len__") and len(data) == 0:
        raise nothing_yielded(data)


def check_pair(inputs, targets, where="", values=True):
    """Refuse inputs and targets that are no tensors, are empty, differ in length or have gaps.

    where: the beginning of the message; values: whether to look at the values at all.
    """
    for name, tensor in (("the inputs", inputs), ("the targets", targets)):
        if not isinstance(tensor, torch.Tensor):
            raise InputError(
                f"{where}{name} must be a tensor, not {shape(tensor)}: "
                "torch.tensor(values, dtype=torch.get_default_dtype()) makes one."
            )
        if tensor.ndim == 0:
            raise InputError(
                f"{where}{name} are a single number without a shape: "
                "they need one row a sample, for example shape (n, 1)."
            )
        if tensor.layout == torch.strided and tensor.numel() == 0:
            raise InputError(
                f"{where}{name} are empty, of shape {tuple(tensor.shape)}: there is nothing to fit."
            )
    if len(inputs) != len(targets):
        raise InputError(
            f"{where}the inputs of shape {tuple(inputs.shape)} and the targets of shape "
            f"{tuple(targets.shape)} have different lengths ({len(inputs)} and {len(targets)}): "
            "each sample needs one input and one target."
        )
    for name, tensor in (("inputs", inputs), ("targets", targets)):
        if values and not all_finite(tensor):
            bad = ~tensor.detach().isfinite()
            rows = bad.reshape(len(tensor), -1).any(dim=1).nonzero()
            raise InputError(
                f"{where}the {name} of shape {tuple(tensor.shape)} hold NaN or infinite values "
                f"({int(bad.sum())} in all, the first in row {int(rows[0])}): drop or fill those "
                "rows first, since a single one makes every weight NaN."
            )


def check_inputs(x, batch_size=1):
    """Refuse what `predict` cannot give to a model."""
    check_whole_number("batch_size", batch_size, 1)
    if not isinstance(x, torch.Tensor) or x.ndim == 0:
        raise InputError(
            f"The inputs must be a tensor with one row a sample, for example of shape (n, 1), "
            f"not {shape(x)}."
        )


def check_batch(batch, number):
    """Refuse a batch of an iterable that is not a sound (inputs, targets); return the two."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        if isinstance(batch, tuple | list):
            what = f"{len(batch)} thing{'s' * (len(batch) != 1)} in batch {number}"
        else:
            what = f"one thing, {shape(batch)}, in batch {number}"
        raise InputError(f"The data yields {what}; it must yield two: inputs and targets.")
    # To read values from another device would make each step wait for it.
    on_cpu = all(torch.is_tensor(part) and part.is_cpu for part in batch)
    check_pair(*batch, where=f"batch {number}: ", values=on_cpu)
    return batch


def nothing_yielded(data):
    """The error for an iterable without a single batch."""
    dropped = getattr(data, "drop_last", False)
    return InputError(
        f"The {type(data).__name__} yields no batches, so there is nothing to fit: "
        + (
            "with drop_last=True a batch larger than the data leaves nothing; take a smaller one."
            if dropped
            else "the data is empty, or was used up by an earlier pass."
        )
    )


def all_finite(tensor):
    """Whether a tensor holds no NaN and no infinity; needs no memory beside the tensor."""
    if tensor.is_meta or tensor.numel() == 0 or not tensor.is_floating_point():
        return True
    # The smallest and the largest value are NaN when any value is.
    return all(math.isfinite(extreme.item()) for extreme in tensor.detach().aminmax())


# The first step ---------------------------------------------------------------------------------


class FirstStep:
    """A context in which, until `pending` is set to false, an exception undoes what happened.

    A forward pass in training may change buffers (the running statistics of BatchNorm) and draws
    random numbers (Dropout), and so may a DataLoader. Should the first step be refused, both are
    put back.
    """

    def __init__(self, model):
        self.pending = True
        self.buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
        self.random_state = RandomState(parameter.device for parameter in model.parameters())

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None and self.pending:
            for buffer, value in self.buffers:
                buffer.detach().copy_(value)
            self.random_state.put_back()


class RandomState:
    """The state of torch's own generators, on the CPU and on the given devices."""

    def __init__(self, devices=()):
        self.cpu = torch.get_rng_state()
        on_cuda = {device for device in devices if device.type == "cuda"}
        self.cuda = {device: torch.cuda.get_rng_state(device) for device in on_cuda}

    def is_now(self):
        """Whether nothing has been drawn since."""
        return torch.equal(self.cpu, torch.get_rng_state()) and all(
            torch.equal(state, torch.cuda.get_rng_state(device))
            for device, state in self.cuda.items()
        )

    def put_back(self):
        """Set the generators to where they were."""
        torch.set_rng_state(self.cpu)
        for device, state in self.cuda.items():
            torch.cuda.set_rng_state(state, device)


def check_outputs(outputs, targets, loss_fn):
    """Refuse outputs and targets that a loss would compare after a silent broadcast."""
    if not isinstance(outputs, torch.Tensor) or outputs.shape == targets.shape:
        return
    if isinstance(loss_fn, CLASS_LOSSES) or loss_fn in CLASS_FUNCTIONS:
        return
    column_and_row = {outputs.shape, targets.shape} == {(len(targets), 1), (len(targets),)}
    if column_and_row or isinstance(loss_fn, ELEMENTWISE) or loss_fn in ELEMENTWISE_FUNCTIONS:
        n = len(targets)
        mend = (
            "reshape the targets, y.reshape(-1, 1)"
            if column_and_row and targets.ndim == 1
            else "give them one shape, for example with y.reshape(...) or another last layer"
        )
        compared = f", comparing all {n} x {n} combinations" if column_and_row else ""
        raise InputError(
            f"The outputs have shape {tuple(outputs.shape)}, but the targets "
            f"{tuple(targets.shape)}: the loss would silently broadcast them{compared}; {mend}."
        )


def check_loss(loss):
    """Refuse a loss that is not one number that depends on the parameters."""
    if not isinstance(loss, torch.Tensor):
        raise InputError(
            f"loss_fn returned a {type(loss).__name__}; it must return the tensor that torch has "
            "computed, without .item() or numpy, or no gradient can be taken."
        )
    check_one_number(loss, "loss_fn")
    if not loss.requires_grad:
        raise InputError(
            "The loss does not depend on the model's parameters, so there is no gradient: "
            "look for .detach(), .argmax(), torch.no_grad() or .item() on the way to it."
        )


def check_one_number(tensor, name):
    """Refuse a loss or a metric that gives one number a sample in place of one in all."""
    if tensor.numel() != 1:
        raise InputError(
            f"{name} returned {tensor.numel()} numbers, of shape {tuple(tensor.shape)}, in place "
            "of one: take their mean, with .mean() or reduction='mean'."
        )


def raise_explained(error, model, inputs, targets=None, outputs=None, loss=None):
    """Raise an error of the model or the loss, with the shapes and the likeliest mend in front.

    outputs and loss are None when the step did not come so far. An error that is no complaint of
    torch about its arguments, such as a misspelt name in the model, is raised as it is.
    """
    if isinstance(error, InputError) or loss is not None:
        raise error
    if not isinstance(error, RuntimeError | ValueError | IndexError | TypeError):
        raise error
    if outputs is not None:
        raise InputError(
            f"The loss cannot compare outputs of shape {shape(outputs)} with targets of shape "
            f"{shape(targets)}: {in_one_line(error)}"
        ) from error
    wanted = next((p.dtype for p in model.parameters() if p.is_floating_point()), inputs.dtype)
    if inputs.dtype != wanted and "dtype" in str(error):
        raise InputError(
            f"The inputs are {str(inputs.dtype).removeprefix('torch.')}, but the model's weights "
            f"are {str(wanted).removeprefix('torch.')}: convert the inputs with x.to({wanted})."
        ) from error
    raise InputError(
        f"The model cannot take inputs of shape {shape(inputs)}: {in_one_line(error)}"
    ) from error


def in_one_line(error):
    """The words of an error of torch, as the end of a sentence."""
    return " ".join(str(error).split()).rstrip(".") + "."


# Why a training stopped -------------------------------------------------------------------------


def keyboard_message(history):
    """What is said after Ctrl-C."""
    return (
        f"Stopped by the keyboard in epoch {len(history) + 1}: the history holds the "
        f"{len(history)} whole epochs before it, the model is as it was after its last whole step."
    )


def not_finite_message(history, step, optimizer):
    """What is said after a loss that is NaN or infinite."""
    return (
        f"The loss is not finite in epoch {len(history) + 1}, step {step}, so training stopped: "
        f"try a smaller learning rate (it was {optimizer.param_groups[0]['lr']:g}), and inputs "
        "and targets scaled to about -1 to 1, with a new model and a new optimizer."
    )


def patience_message(history):
    """What is said when the patience is at its end."""
    return (
        f"Stopped early after epoch {len(history)}: the validation loss was lowest in epoch "
        f"{history.best_epoch}, whose weights the model has now."
    )
