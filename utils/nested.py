"""Tensors in nested tuples, lists and dictionaries, as modules take and return them."""

import torch


def mapped(function, values):
    """The same tuples, lists and dictionaries with `function` of each thing that is in them."""
    if isinstance(values, dict):
        return {key: mapped(function, value) for key, value in values.items()}
    if not isinstance(values, tuple | list):
        return function(values)
    parts = [mapped(function, value) for value in values]
    if hasattr(values, "_fields"):  # a tuple with names, whose own constructor may want tensors
        return tuple.__new__(type(values), parts)
    return parts if isinstance(values, list) else tuple(parts)


def copied(value):
    """A copy of a tensor without a graph; of anything else the thing itself."""
    return value.detach().clone() if torch.is_tensor(value) else value


def in_words(values):
    """The shapes of tensors, such as "(5, 3), (1, 3)"; of anything else its type, or "none"."""
    if isinstance(values, dict):
        return ", ".join(f"{name} {in_words(value)}" for name, value in values.items()) or "none"
    if isinstance(values, tuple | list):
        return ", ".join(in_words(value) for value in values) or "none"
    if values is None:
        return "none"
    return str(tuple(values.shape)) if torch.is_tensor(values) else type(values).__name__


def equal(one, other):
    """Whether both are tensors with the same values, NaN included (without values: same shapes)."""
    if not (torch.is_tensor(one) and torch.is_tensor(other)) or one.shape != other.shape:
        return False
    return one.is_meta or torch.equal(one.nan_to_num(), other.nan_to_num())
