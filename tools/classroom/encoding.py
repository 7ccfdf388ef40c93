"""What an answer gave, as plain text, so that it can leave the process that ran it.

A check in another process then looks at plain values: no method of a student's class runs there. An
object of any other class becomes a `stand_in`, of which a check sees what it would say of the
object: the name of its class, and its text.
"""

import base64
import json
import math

import numpy as np
import torch

MOST = 8_000_000  # characters of one report; a larger one is refused
DEEPEST = 20  # lists in lists
PLAIN = {bool: bool, int: int, float: float, str: str}
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def stand_in(name, text="", base=object):
    """Return an object whose class has this name and whose text is this one."""
    name = name if name.isidentifier() else "object"
    members = {} if base is not object else {"__str__": lambda self: text}
    return type(name, (base,), members)


def encoded(value, depth=0):
    """Return a value as what JSON knows: a list of its kind and its content."""
    if value is None or value is Ellipsis:
        return ["none" if value is None else "dots"]
    for kind in PLAIN:
        # Of a subclass only the plain value counts, whatever its methods say.
        if isinstance(value, kind) and (kind is not str or len(value) < MOST):
            return [kind.__name__, plain_value(kind, value)]
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        base = next(kind for kind in SEQUENCES.values() if isinstance(value, kind))
        items = [encoded(item, depth + 1) for item in base.__iter__(value)]
        return ["several", base.__name__, type(value).__name__, items]
    if depth < DEEPEST and isinstance(value, dict):
        pairs = dict.items(value)
        return [
            "dict",
            [[encoded(key, depth + 1), encoded(item, depth + 1)] for key, item in pairs],
        ]
    if isinstance(value, torch.Tensor):
        return encoded_tensor(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        return ["array", str(value.dtype), list(value.shape), as_text(np.asarray(value).tobytes())]
    if isinstance(value, type):
        return ["class", value.__name__]
    return ["other", type(value).__name__, text_of_object(value)]


def plain_value(kind, value):
    """Return the plain value of an object of a subclass of a number or a text."""
    if kind is bool:
        return value is True
    if kind is float:
        return repr(float.__pos__(value))
    return kind.__str__(value) if kind is str else int.__repr__(int.__pos__(value))


def encoded_tensor(value):
    """Return a tensor as its kind, dtype, shape and bytes; one without values has none."""
    if value.is_meta or value.device.type != "cpu":
        return ["meta", str(value.dtype), list(value.shape), value.device.type]
    plain = value.detach().to_dense().as_subclass(torch.Tensor).resolve_conj().resolve_neg()
    content = plain.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return ["tensor", str(value.dtype), list(value.shape), as_text(content)]


def text_of_object(value):
    """Return the first letters of an object's text, the name of its class where that raises."""
    try:
        return str(value)[:300]
    except Exception:
        return type(value).__name__


def as_text(content):
    """Return bytes as letters."""
    if len(content) > MOST // 2:
        raise ValueError("The answer is too large to be graded.")
    return base64.b64encode(content).decode()


def decoded(code):
    """Return the value of what `encoded` returned, made of this course's own classes alone.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, RuntimeError: it was not `encoded` that
            wrote this.
    """
    kind, *rest = code
    if kind in ("none", "dots"):
        return None if kind == "none" else Ellipsis
    if kind == "bool":
        return rest[0] is True
    if kind in ("int", "float", "str"):
        return {"int": int, "float": float, "str": str}[kind](rest[0])
    if kind == "several":
        base, name, items = SEQUENCES[rest[0]], rest[1], [decoded(item) for item in rest[2]]
        return base(items) if name == base.__name__ else stand_in(name, base=base)(items)
    if kind == "dict":
        return {decoded(key): decoded(item) for key, item in rest[0]}
    if kind in ("tensor", "meta"):
        return decoded_tensor(kind, *rest)
    if kind == "array":
        dtype, shape, content = np.dtype(rest[0]), rest[1], base64.b64decode(rest[2])
        if dtype.kind not in "biufc":
            raise ValueError("no array of numbers")
        array = np.frombuffer(content, dtype).reshape(shape).copy()
        return array if shape else array[()]
    if kind == "class":
        return stand_in(rest[0])
    return stand_in(rest[0], rest[1])()


def decoded_tensor(kind, dtype, shape, content):
    """Return a tensor from what `encoded_tensor` wrote."""
    dtype = getattr(torch, dtype.removeprefix("torch."))
    if not isinstance(dtype, torch.dtype) or not all(type(size) is int for size in shape):
        raise ValueError("no tensor")
    if kind == "meta":
        return torch.empty(shape, dtype=dtype, device="meta")
    content = bytearray(base64.b64decode(content))
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError("no tensor")
    if not content:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(content, dtype=torch.uint8).view(dtype).reshape(shape)


def line_of(message):
    """Return a message of plain JSON as one line of bytes."""
    return json.dumps(message).encode("ascii") + b"\n"
