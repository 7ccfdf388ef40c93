"""What is looked at before a training starts: settings, model, loss, optimizer, data.

Each function refuses what cannot work with an `InputError`: one sentence, with what to do about it.
What only a forward pass can show is in `utils.fitting.trial`.
"""

import math
import operator
from numbers import Real

import torch
from torch import nn

from utils.fitting.errors import InputError


def shown(value):
    """Return a value as it is written, if that is short, else its type."""
    text = repr(value)
    return text if len(text) < 40 and "\n" not in text else f"a value {shape_and_type(value)}"


def shape_and_type(value):
    """Return the shape and dtype of a tensor, "(64, 1), float32"; of anything else its type."""
    if not isinstance(value, torch.Tensor):
        return f"of type {type(value).__name__}"
    return f"{tuple(value.shape)}, {str(value.dtype).removeprefix('torch.')}"


# Numbers and settings ---------------------------------------------------------------------------


def check_whole_number(name, value, smallest):
    """Refuse what is not a whole number of at least `smallest`; return it as an int."""
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not is_whole or operator.index(value) < smallest:
        raise InputError(
            f"{name} must be a whole number of at least {smallest}, not {shown(value)}."
        )
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
    if not isinstance(seed, torch.Generator):
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


# Model, loss, optimizer -------------------------------------------------------------------------


def check_module(model):
    """Refuse a model that is not a module."""
    if isinstance(model, type):
        raise InputError(
            f"The model is the class {model.__name__}, not a network: "
            f"call it, model = {model.__name__}(...)."
        )
    if not isinstance(model, nn.Module):
        raise InputError(f"The model must be an nn.Module, not {shape_and_type(model)}.")


def check_model(model):
    """Refuse a model without trainable parameters, or with some that are not finite."""
    check_module(model)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        raise InputError(
            "The model has no trainable parameters, so there is nothing to fit: "
            "give it a layer with weights, or set requires_grad=True on those that are frozen."
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
            f"not {shape_and_type(metrics)}."
        )
    for name, function in {"loss_fn": loss_fn, **(metrics or {})}.items():
        if isinstance(function, type):
            raise InputError(
                f"{name} is the class {function.__name__}: add brackets to make one, "
                f"{function.__name__}()."
            )
        if getattr(function, "reduction", None) == "sum":
            raise InputError(
                f"{name} adds the samples up (reduction='sum'), so its size would depend on the "
                "batch size: take reduction='mean'."
            )
        if not callable(function):
            raise InputError(
                f"{name} must be a function of (outputs, targets), not {shown(function)}."
            )
    for name in metrics or {}:
        if name == "loss" or not isinstance(name, str) or name.startswith("validation_"):
            raise InputError(f"The metric {name!r} needs another name, since fit uses this one.")


def check_optimizer(optimizer, model, loss_fn=None, scheduler=None):
    """Refuse an optimizer or a scheduler that is not of this model."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(
            "The optimizer must be one of torch.optim, made for this model, for example "
            f"torch.optim.SGD(model.parameters(), lr=0.1), not {shown(optimizer)}."
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
    """Return whether the data is meant as (inputs, targets), not as an iterable of batches."""
    if not isinstance(data, tuple | list) or len(data) == 0:
        return False
    # A list of (inputs, targets) batches holds tuples; anything else is meant as a pair.
    return isinstance(data, tuple) or not isinstance(data[0], tuple | list)


def check_data(data, validation=None):
    """Refuse data that is neither a pair of tensors nor something that yields batches."""
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
                    f"The validation {name} {shape_and_type(other)} do not go with the training "
                    f"{name} {shape_and_type(train)}: prepare both in the same way."
                )


def check_source(data, name):
    """Refuse one such source of data; `name` is for the message."""
    if is_pair(data):
        if isinstance(data[0], tuple | list) and len(data[0]) > 0:
            raise InputError(
                f"{name} must be a pair (inputs, targets) of tensors, but begins with a "
                f"{type(data[0]).__name__} {of_what(data[0])}"
            )
        if len(data) != 2:
            raise InputError(
                f"{name} must be a pair (inputs, targets) of tensors, but holds {len(data)} things."
            )
        return check_pair(*data, where=f"{name}: ")
    # One that makes batches itself, such as StreamedRows, says how large they are.
    if isinstance(data, torch.utils.data.Dataset) and not hasattr(data, "batch_size"):
        raise InputError(
            f"{name} is a {type(data).__name__}, which gives one sample at a time: wrap it, "
            "DataLoader(dataset, batch_size=64, shuffle=True), or give the tensors as a pair."
        )
    if isinstance(data, torch.Tensor | str | dict) or not hasattr(data, "__iter__"):
        raise InputError(
            f"{name} must be a pair (inputs, targets) of tensors, or a DataLoader, "
            f"not {'a tensor of shape ' * isinstance(data, torch.Tensor)}{shape_and_type(data)}."
        )
    try:
        empty = len(data) == 0
    except TypeError:  # a stream does not know its length
        empty = False
    if empty:
        raise nothing_yielded(data)


def of_what(part):
    """Return what a tuple or list in the place of the inputs seems to be, and what to do."""
    if isinstance(part[0], torch.Tensor) and len(part) == 2:
        return (
            "of two tensors: give the parts of split(x, y) one by one, train first; batches come "
            "in a list; and several inputs go into one tensor, or into a loop of your own."
        )
    return "of numbers: make tensors of them, torch.tensor(values), with one row a sample."


def check_pair(inputs, targets, where="", values=True):
    """Refuse inputs and targets that are not tensors, are empty, differ in length or have gaps.

    Args:
        inputs, targets: what should be tensors with one row a sample.
        where: the beginning of the message.
        values: whether to look at the values at all.
    """
    for name, tensor in (("the inputs", inputs), ("the targets", targets)):
        if not isinstance(tensor, torch.Tensor):
            raise InputError(
                f"{where}{name} must be a tensor, not {shape_and_type(tensor)}: "
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
            f"not {shape_and_type(x)}."
        )


def check_predictions(outputs):
    """Refuse outputs that are not a tensor, as those of an LSTM."""
    if not isinstance(outputs, torch.Tensor):
        raise InputError(
            f"The model returns something {shape_and_type(outputs)}, not a tensor: call it "
            "yourself, or let forward return the one tensor that you want."
        )


def check_batch(batch, number):
    """Refuse a batch of an iterable that is not a sound (inputs, targets); return the two."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        if isinstance(batch, tuple | list) and batch and isinstance(batch[0], Real):
            what = f"numbers in batch {number}, not tensors (torch.tensor(values) makes one)"
        elif isinstance(batch, tuple | list):
            what = f"{len(batch)} thing{'s' * (len(batch) != 1)} in batch {number}"
        else:
            what = f"one thing, {shape_and_type(batch)}, in batch {number}"
        raise InputError(f"The data yields {what}; it must yield two: inputs and targets.")
    # To read values from another device would make each step wait for it.
    on_cpu = all(torch.is_tensor(part) and part.is_cpu for part in batch)
    check_pair(*batch, where=f"batch {number}: ", values=on_cpu)
    return batch


def check_axes(targets, axes, number):
    """Refuse targets of another number of axes than those of the batches before."""
    if targets.ndim != axes:
        raise InputError(
            f"batch {number}: the targets have the shape {tuple(targets.shape)}, and those before "
            f"had {axes} {'axis' if axes == 1 else 'axes'}: give all batches one form."
        )


def nothing_yielded(data):
    """Return the error for an iterable without a single batch."""
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
    """Return whether a tensor has no NaN and no infinity; needs no memory beside the tensor."""
    if tensor.is_meta or tensor.numel() == 0 or not tensor.is_floating_point():
        return True
    # The smallest and the largest value are NaN when any value is.
    return all(math.isfinite(extreme.item()) for extreme in tensor.detach().aminmax())
