"""What a check needs to know of an answer: run it safely, compare it, put it into words."""

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
from dataclasses import dataclass

import numpy as np
import torch
from IPython import get_ipython
from torch.overrides import TorchFunctionMode

RELATIVE, ABSOLUTE = 1e-5, 1e-6  # room for another order of summing in float32, and for no more


# ---------------------------------------------------------------------------- running it safely
class Complaint(Exception):  # noqa: N818 (said to a student; no error of the program)
    """Raised by what watches an answer run: the message is shown to the student as it is."""


class NotAttempted(Exception):  # noqa: N818 (nothing went wrong)
    """Raised where an answer returns the three dots of its stub."""


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Args:
        result: what the answer returned, or what was made of it to be compared.
        problem: in words, what kept it from a result; None if there is one.
        raised: whether the problem is an exception of the student's own code.
        called: the names of the torch functions that were called, in order.
    """

    result: object = None
    problem: str | None = None
    raised: bool = False
    called: tuple = ()


class TorchCalls(TorchFunctionMode):
    """Note which functions of torch are called inside it, by whatever name an answer calls them.

    `x > 0` is noted as "gt", nn.Softmax and functional.softmax as "softmax", `.shape` and all
    other attributes not at all. What torch calls on its own behalf is not noted either.
    """

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name != "__get__":
            self.names.append(name)
        return function(*args, **(kwargs or {}))


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


@contextmanager
def exit_raises():
    """Let exit() and quit() raise SystemExit; in a notebook they would end the kernel."""
    shell = get_ipython()
    if shell is None:
        yield
        return

    def leave():
        raise SystemExit

    shell.ask_exit = leave  # on this one object, over its class's method
    try:
        yield
    finally:
        del shell.ask_exit


def cloned(value):
    """Return a copy that shares no memory with `value`; tensors inside containers too."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, list | tuple):
        return type(value)(cloned(item) for item in value)
    if isinstance(value, dict):
        return {key: cloned(item) for key, item in value.items()}
    return copy.deepcopy(value)


def call(function, arguments, *, watch=None, returns=None):
    """Call a function on copies of its arguments and return the `Outcome`.

    Args:
        function: the student's function.
        arguments: a tuple.
        watch: for answers whose effect counts as well: called with a function that runs the answer
            and with the arguments, it returns what is to be compared.
        returns: what the function has to return, see `as_returned`.
    """
    mine, calls = cloned(arguments), TorchCalls()

    def run(*given):
        return as_returned(function(*given), returns)

    def problem(text, raised=False):
        return Outcome(None, text, raised, tuple(calls.names))

    try:
        with state_put_back(), exit_raises(), calls:
            result = watch(run, *mine) if watch else run(*mine)
    except KeyboardInterrupt:
        raise
    except NotAttempted:
        return Outcome(Ellipsis)
    except Complaint as complaint:
        return problem(str(complaint))
    except BaseException as error:  # SystemExit too: an answer must not end the kernel
        return problem(describe_error(error, function), raised=True)
    pairs = zip(mine, arguments, strict=True)
    changed = [before for now, before in pairs if not same(now, before)]
    if changed:
        how = "work on a copy of it"
        if isinstance(changed[0], torch.Tensor):
            how = "compute a new tensor (`x - 1` instead of `x -= 1`)"
        return problem(f"your function changes its input. The caller still needs it: {how}.")
    return Outcome(result, called=tuple(calls.names))


def as_returned(result, returns):
    """Return what an answer returned, if it is what the task asks for; raise a Complaint if not.

    Args:
        result: what the answer returned.
        returns: None for anything; `float` for one number, as which a tensor of one number is
            taken too; another class for an object of it; names for that many values.
    """
    if result is None:
        raise Complaint("your function returns None. Is `return` missing?")
    if result is Ellipsis:
        raise NotAttempted
    if returns is float:
        number = as_number(result)
        if number is None:
            raise Complaint(f"expected one number, got a {kind_of(result)}.")
        return number
    if isinstance(returns, type) and not isinstance(result, returns):
        raise Complaint(f"expected a {returns.__name__}, got a {kind_of(result)}.")
    if isinstance(returns, tuple):
        several = isinstance(result, tuple | list)
        if not several or len(result) != len(returns):
            got = f"{len(result)} values" if several else f"a {kind_of(result)}"
            raise Complaint(f"expected {len(returns)} values, {' and '.join(returns)}; got {got}.")
    return result


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
    if source:
        text += f"\n    line {line}: {source}"
    if "torch.return_types" in message:
        text += (
            "\nWith dim=, functions such as min, max and sort return two tensors: .values and "
            ".indices take one of them out."
        )
    return text


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


def has_loop(function):
    """Return whether a function's source has a loop or a comprehension; False if there is none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    loops = (ast.For, ast.While, ast.comprehension, ast.AsyncFor)
    return any(isinstance(node, loops) for node in ast.walk(tree))


# --------------------------------------------------------------------------------- comparing it
def difference(expected, given, *, reveal=True, parts=()):
    """Compare an answer with what is expected: type, shape, dtype, device, then values.

    Args:
        expected: the right answer: a tensor, a number, a text, or several of one kind.
        given: the student's answer.
        reveal: whether the message may show the right number.
        parts: what the parts of a tuple are called.

    Returns:
        None where they agree, else the first difference as a text for the student.
    """
    if isinstance(expected, torch.Tensor):
        return tensor_difference(expected, given)
    if isinstance(expected, list | tuple):
        return part_difference(expected, given, reveal, parts)
    if isinstance(expected, str):
        if not isinstance(given, str):
            return f"expected a text in quotes, got a {kind_of(given)}."
        return None if same(expected, given) else f"{given!r} is not right."
    number = as_number(given)
    if number is None:
        return f"expected a number, got a {kind_of(given)}."
    if same(expected, number):
        return None
    if not reveal:
        return f"{describe(number)} is not right."
    return f"expected {describe(expected)}, got {describe(number)}."


def part_difference(expected, given, reveal, parts):
    """Do the work of `difference` for several values; a list or a torch.Size is as good."""
    kinds = {str: "text", torch.Tensor: "tensor"}
    one = kinds.get(type(expected[0]), "number")
    several = f"{len(expected)} {one}s, separated by commas"
    if isinstance(expected, list):
        several = f"a list of {len(expected)} {one}s"
    if isinstance(given, str) or not isinstance(given, list | tuple):
        return f"expected {several}, got a {kind_of(given)}."
    if len(given) != len(expected):
        return f"expected {several}, got {len(given)}."
    for index, (wanted, here) in enumerate(zip(expected, given, strict=True)):
        found = difference(wanted, here, reveal=reveal)
        if found:
            name = parts[index] if parts else f"{one} {index + 1} of {len(expected)}"
            return f"{name}: {found}"
    return None


def tensor_difference(expected, given):
    """Do the work of `difference` for tensors."""
    if not isinstance(given, torch.Tensor):
        how = ""
        if isinstance(given, numbers.Number):
            how = " Return the tensor itself, without `.item()` or `float(...)`."
        elif isinstance(given, np.ndarray | list | tuple):
            how = " `torch.from_numpy` or `torch.tensor` makes one."
        return f"expected a torch.Tensor, got a {kind_of(given)}.{how}"
    if given.shape != expected.shape:
        return f"expected shape {tuple(expected.shape)}, got {tuple(given.shape)}."
    if given.dtype != expected.dtype:
        return f"expected dtype {expected.dtype}, got {given.dtype}."
    if given.device != expected.device:
        return f"expected device {expected.device}, got {given.device}."
    if same(expected, given):
        return None
    if describe(expected) == describe(given):
        gap = (expected.detach().double() - given.detach().double()).abs().max().item()
        return f"expected {describe(expected)}; yours differs by up to {gap:.1g}."
    return f"expected {describe(expected)}\ngot {describe(given)}"


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
        return bare(one) == bare(other)
    number, another = as_number(one), as_number(other)
    if number is None or another is None:
        return one is other
    return math.isclose(number, another, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def bare(text):
    """Return a text's letters and digits alone, in lower case."""
    return "".join(character for character in text.lower() if character.isalnum())


def as_number(value):
    """Return a number, or a tensor or array of shape (), as int or float; else None."""
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, numbers.Real):
        return None
    return value if isinstance(value, int) else float(value)


# --------------------------------------------------------------------------- putting it into words
def kind_of(value):
    """Return a student's word for the type of a value."""
    if isinstance(value, torch.Tensor):
        return f"tensor of shape {tuple(value.shape)}"
    if isinstance(value, type):
        return "class (are the brackets missing?)"
    names = {
        np.ndarray: "NumPy array",
        str: "text",
        bool: "bool (True or False)",
        int: "whole number",
        types.FunctionType: "function",
        type(...): "... (nothing yet)",
    }
    return names.get(type(value), type(value).__name__)


def str_or_kind(value):
    """Return str(value), or the name of its type where that raises."""
    try:
        return str(value)
    except Exception:
        return type(value).__name__


def describe(value):
    """Return a value as short text: small tensors in full, larger ones by their shape."""
    if isinstance(value, list | tuple):
        start, end = "[]" if isinstance(value, list) else "()"
        return start + ", ".join(describe(item) for item in value) + end
    if isinstance(value, type):
        return value.__name__
    if not isinstance(value, torch.Tensor):
        return f"{value:g}" if isinstance(value, float) else str_or_kind(value)[:80]
    if value.is_meta:
        return f"a tensor of shape {tuple(value.shape)} without values (device meta)"
    value = value.detach().cpu().to_dense()
    if value.numel() <= 12:
        return str(rounded(value.tolist()))
    first = ", ".join(str(rounded(item)) for item in value.flatten()[:4].tolist())
    return f"shape {tuple(value.shape)}: {first}, ..."


def rounded(value):
    """Return nested lists of numbers with four decimals at most."""
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 4) + 0.0 if isinstance(value, float) else value  # + 0.0: no -0.0
