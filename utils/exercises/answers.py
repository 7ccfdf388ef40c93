"""What a check needs to know of an answer: call it safely, compare it, put it into words."""

import ast
import copy
import dis
import inspect
import linecache
import math
import numbers
import random
import textwrap
import types
from contextlib import contextmanager

import numpy as np
import torch

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # room for float32, and for another order of summing


# ---------------------------------------------------------------------------- calling it safely
@contextmanager
def state_put_back():
    """Leave the random generators, the default dtype and device and the gradient mode as found."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    gradients, threads = torch.is_grad_enabled(), torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        torch.set_grad_enabled(gradients)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def cloned(value):
    """Return a copy that shares no memory with `value`; tensors inside containers too."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, list | tuple):
        return type(value)(cloned(item) for item in value)
    if isinstance(value, dict):
        return {key: cloned(item) for key, item in value.items()}
    return copy.deepcopy(value)


class Complaint(Exception):  # noqa: N818 (said to a student; no error of the program)
    """Raised by what watches an answer run: the message is shown to the student as it is."""


def call(function, arguments, watch=None):
    """Call a function on copies of its arguments.

    Args:
        function: the student's function.
        arguments: a tuple.
        watch: for answers whose effect counts as well: called with the function and the
            arguments, it runs the function and returns what is to be compared.

    Returns:
        (result, None), or (None, problem) where the call raised, changed its arguments or
        returned None. `problem` is a text for the student.
    """
    mine = cloned(arguments)
    try:
        with state_put_back():
            result = watch(function, *mine) if watch else function(*mine)
    except KeyboardInterrupt:
        raise
    except Complaint as complaint:
        return None, str(complaint)
    except BaseException as error:  # SystemExit too: exit() in an answer must not end the kernel
        return None, describe_error(error, function)
    if result is None:
        return None, "your function returns None. Is `return` missing?"
    discard(result)
    if not same(mine, arguments):
        return None, (
            "your function changes its input. The caller still needs it: compute a new tensor "
            "(`x - 1` instead of `x -= 1`)."
        )
    return result, None


def discard(result):
    """Close a coroutine, or Python warns that it was never awaited; leave all else alone."""
    if inspect.iscoroutine(result):
        result.close()


def describe_error(error, function):
    """Return the student's own exception in words, with their line where it can be found."""
    text = f"your function stopped with {type(error).__name__}"
    message = " ".join(str_or_kind(error).split())
    if message:
        text += f": {message[:300]}"
    own_file = getattr(getattr(function, "__code__", None), "co_filename", None)
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == own_file:
            line = trace.tb_lineno
        trace = trace.tb_next
    source = linecache.getline(own_file, line).strip() if line else ""
    return f"{text}\n    line {line}: {source}" if source else text


def is_untouched(function):
    """Return whether a function's body is nothing but a docstring and `...` or `pass`."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return False
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return False
    for instruction in dis.get_instructions(code):
        loads_none = instruction.opname == "LOAD_CONST" and instruction.argval is None
        returns_none = instruction.opname == "RETURN_CONST" and instruction.argval is None
        if not (
            loads_none or returns_none or instruction.opname in {"RESUME", "NOP", "RETURN_VALUE"}
        ):
            return False
    return True


def loops_in(function):
    """Return whether a function's source has a loop or a comprehension; False if there is none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    loops = (ast.For, ast.While, ast.comprehension, ast.AsyncFor)
    return any(isinstance(node, loops) for node in ast.walk(tree))


def names_in(function):
    """Return the names and attributes that a function's code uses, functions inside it as well."""
    codes, names = [getattr(function, "__code__", None)], set()
    while codes:
        code = codes.pop()
        if isinstance(code, types.CodeType):
            names |= set(code.co_names)
            codes += code.co_consts
    return names


# --------------------------------------------------------------------------------- comparing it
def difference(expected, given):
    """Compare an answer with what is expected: type, shape, dtype, device, then values.

    Returns:
        None where they agree, else the first difference as a text for the student.
    """
    if isinstance(expected, torch.Tensor):
        return tensor_difference(expected, given)
    if isinstance(expected, tuple):
        return tuple_difference(expected, given)
    if isinstance(expected, str):
        if not isinstance(given, str):
            return f"expected a text in quotes, here came a {kind_of(given)}."
        if given.strip().lower() != expected.lower():
            return f"{given!r} is not it."
        return None
    number = as_number(given)
    if number is None:
        return f"expected a number, here came a {kind_of(given)}."
    if not math.isclose(number, expected, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
        return f"{describe(number)} is not it."
    return None


def tuple_difference(expected, given):
    """`difference` for a tuple of numbers, or of texts; a list or a torch.Size is as good."""
    one, several = ("text", "texts") if isinstance(expected[0], str) else ("number", "numbers")
    if isinstance(given, str) or not isinstance(given, list | tuple):
        return f"expected {len(expected)} {several} in brackets, here came a {kind_of(given)}."
    if len(given) != len(expected):
        return f"expected {len(expected)} {several} in brackets, here came {len(given)}."
    for position, (wanted, here) in enumerate(zip(expected, given, strict=True), start=1):
        if difference(wanted, here):
            return f"{one} {position} of {len(expected)}: {difference(wanted, here)}"
    return None


def tensor_difference(expected, given):
    """`difference` for tensors."""
    if not isinstance(given, torch.Tensor):
        how = " `torch.from_numpy` or `torch.tensor` makes one." if is_array_like(given) else ""
        if isinstance(given, numbers.Number):
            how = " Return the tensor itself, without `.item()` or `float(...)`."
        return f"expected a torch.Tensor, here came a {kind_of(given)}.{how}"
    if given.shape != expected.shape:
        return f"expected shape {shape_of(expected)}, here came {shape_of(given)}."
    if given.dtype != expected.dtype:
        return f"expected dtype {expected.dtype}, here came {given.dtype}."
    if given.device != expected.device:
        return f"expected device {expected.device}, here came {given.device}."
    if not same(expected, given):
        if describe(expected) == describe(given):
            gap = (expected.detach().double() - given.detach().double()).abs().max().item()
            return f"expected {describe(expected)}; yours differs by up to {gap:.1g}."
        return f"expected {describe(expected)}\nhere came {describe(given)}"
    return None


def same(one, other):
    """Return whether two answers are equal within rounding; of different types they are not."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
            return False
        one, other = one.detach().to_dense(), other.detach().to_dense()
        if not (one.is_floating_point() or one.is_complex()):
            return torch.equal(one, other)
        return torch.allclose(one, other, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(first, second) for first, second in pairs)
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    number, another = as_number(one), as_number(other)
    if number is None or another is None:
        return one is other
    return math.isclose(number, another, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def as_number(value):
    """Return a number, or a tensor or array of one number, as int or float; else None."""
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    return value if isinstance(value, int) else float(value)


# --------------------------------------------------------------------------- putting it into words
def is_array_like(value):
    """Return whether a value is what a tensor could be made of."""
    return isinstance(value, np.ndarray | list | tuple | numbers.Number)


def kind_of(value):
    """Return a student's word for the type of a value."""
    names = {
        np.ndarray: "NumPy array",
        torch.Tensor: "tensor",
        str: "text",
        bool: "bool (True or False)",
        int: "whole number",
        types.FunctionType: "function",
        type(...): "... (nothing yet)",
    }
    return names.get(type(value), type(value).__name__)


def shape_of(tensor):
    """Return a shape as a plain tuple in text."""
    return str(tuple(tensor.shape))


def str_or_kind(value):
    """Return str(value), or the name of its type where that raises."""
    try:
        return str(value)
    except Exception:
        return type(value).__name__


def describe(value):
    """Return a value as short text: small tensors in full, larger ones by their shape."""
    if not isinstance(value, torch.Tensor):
        return f"{value:g}" if isinstance(value, float) else str_or_kind(value)[:80]
    if value.device.type == "meta":
        return f"a tensor of shape {shape_of(value)} without values (device meta)"
    value = value.detach().cpu().to_dense()
    if value.numel() <= 12:
        return str(rounded(value.tolist()))
    first = ", ".join(str(rounded(item)) for item in value.flatten()[:4].tolist())
    return f"shape {shape_of(value)}: {first}, ..."


def rounded(value):
    """Return nested lists of numbers with four decimals at most."""
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
