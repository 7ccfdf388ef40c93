"""Tracing: what each module of a network was given, what it returned, which gradient came back.

    with trace(model) as traced:
        loss = loss_fn(model(X), y)
        loss.backward()
    traced["0"].outputs  # what module "0" returned
    print(traced)  # the shapes of everything, as a table

A hook is a function of ours that PyTorch calls when something happens: before and after the forward
pass of a module, and when the gradient of a tensor is known. `Trace` has a method for each of them.
"""

import copy
from contextlib import contextmanager
from functools import partial
from itertools import chain

import torch

from utils.fitting import checks
from utils.fitting.errors import InputError
from utils.fitting.states import random_states_kept

COLUMNS = ("module", "type", "input", "output", "gradient", "parameters")
NO_GRADIENTS = (
    "No gradients: the pass ran without them, or backward() was not called inside the context."
)


@contextmanager
def trace(model, verbose=False):
    """Record every call of a model and of the modules in it, for as long as the context lasts.

    Only what happens inside counts, so `backward` has to be called there.

    Args:
        model: any module, in either mode, on any device. Its outputs, its gradients and its mode
            are the same as without the trace, and all hooks are gone at the end, also after an
            error.
        verbose: whether to print a line with shapes each time something goes IN or comes OUT, or
            its gradient comes back (GRAD).

    Returns:
        A context that gives a Trace.

    Raises:
        ValueError: the model is not a module.
    """
    checks.check_module(model)
    traced = Trace(model, verbose)
    try:
        for name, module in traced.modules.items():
            before, after = partial(traced.enter, name), partial(traced.leave, name)
            traced.handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            traced.handles.append(module.register_forward_hook(after, with_kwargs=True))
        yield traced
    finally:
        while traced.handles:
            traced.handles.pop().remove()


class Call:
    """One call of one module. All tensors are detached copies, made at that moment.

    Attributes:
        name: as in `named_modules`; that of the model itself is its class.
        module: the module.
        depth: how many others it was called in.
        is_container: whether it called others.
        inputs: what it was given: a tensor, or a tuple of several things, those by keyword last.
        outputs: what it returned: a tensor, or tuples, lists and dictionaries of tensors; None if
            it ended with an error.
    """

    def __init__(self, name, module, depth, inputs):
        self.name, self.module, self.depth, self.inputs = name, module, depth, inputs
        self.outputs, self.is_container = None, False
        self.arrived = []  # a gradient for each thing in outputs, None until it comes

    @property
    def gradients(self):
        """The gradient of the loss with respect to the outputs, arranged as these are.

        None where none came: the pass needed none, `backward` was not called, or the loss does not
        depend on it. None also for a view that the next module changes in place, as in Flatten and
        ReLU(inplace=True), because torch tells none. After several backward passes, the last one.
        """
        arrived = iter(self.arrived)
        return mapped(lambda _: next(arrived), self.outputs) if self.arrived else None

    @property
    def label(self):
        """The name and type, such as "0 Linear"; of the model itself, the type."""
        return label_of(self.name, self.module)

    def row(self):
        """Return the texts of this call in the table, one for each of COLUMNS."""
        shapes = [shapes_of(values) for values in (self.inputs, self.outputs, self.gradients)]
        count = sum(parameter.numel() for parameter in self.module.parameters())
        return ["  " * self.depth + self.name, type(self.module).__name__, *shapes, f"{count:,}"]

    def __repr__(self):
        return f"{self.label}: {shapes_of(self.inputs)} -> {shapes_of(self.outputs)}"


def label_of(name, module):
    """Return the name and the type of a module, as they are printed."""
    kind = type(module).__name__
    return kind if name in ("", kind) else f"{name} {kind}"


class Trace:
    """What `trace` recorded: `calls`, in the order in which they began. Printed, it is a table.

    traced["0"] is the call of the module of that name: the last one, if it was called several
    times. `calls_of("0")` lists them all.
    """

    def __init__(self, model, verbose):
        names = dict(model.named_modules())
        root = "" if type(model).__name__ in names else type(model).__name__
        self.modules = {name or root: module for name, module in names.items()}
        self.calls, self.handles, self.verbose = [], [], verbose
        self.width = 2 + max(len(label_of(name, module)) for name, module in self.modules.items())
        self.running = {}  # name -> call, of those that have begun and not ended; innermost last

    def enter(self, name, module, inputs, by_keyword):
        """The hook before a forward pass."""
        while name in self.running:  # an earlier call, which ended by an error
            self.running.popitem()
        for outer in self.running.values():
            outer.is_container = True
        given = (*inputs, *by_keyword.values())
        given = mapped(detached_copy, given[0] if len(given) == 1 else given)
        call = Call(name, module, len(self.running), given)
        self.calls.append(call)
        self.running[name] = call
        self.say("IN", call, given)

    def leave(self, name, module, inputs, by_keyword, outputs):
        """The hook after a forward pass."""
        while (call := self.running.popitem()[1]).name != name:
            pass  # one inside, whose error the model caught
        call.outputs = mapped(detached_copy, outputs)
        self.say("OUT", call, outputs)
        mapped(partial(self.watch, call), outputs)

    def watch(self, call, value):
        """Have the gradient of one thing that a module returned sent to `receive`.

        The hook is on the tensor. One on the module (`register_full_backward_hook`) would pass the
        outputs on as views, which ReLU(inplace=True) then refuses to change.
        """
        if torch.is_tensor(value) and value.requires_grad:
            hook = partial(self.receive, call, len(call.arrived))
            self.handles.append(value.register_hook(hook))
        call.arrived.append(None)

    def receive(self, call, position, gradient):
        """The hook for a gradient."""
        call.arrived[position] = detached_copy(gradient)
        self.say("GRAD", call, gradient)

    def say(self, event, call, values):
        """Print a line about it, if that was asked for."""
        if self.verbose:
            print(f"{event:5}{call.label:{self.width}}{shapes_of(values)}")

    def table(self):
        """Return the calls as lines of text.

        A module called inside another stands indented below it. The parameters of a module include
        those of the modules inside it; "none" is a gradient that did not come.
        """
        if not self.calls:
            return "The trace is empty: call the model inside the context."
        rows = [COLUMNS, *(call.row() for call in self.calls)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for row in rows:
            cells = [text.ljust(width) for text, width in zip(row[:-1], widths[:-1], strict=True)]
            lines.append("  ".join([*cells, row[-1].rjust(widths[-1])]))
        if all(gradient is None for call in self.calls for gradient in call.arrived):
            lines.append(NO_GRADIENTS)
        return "\n".join(lines)

    def plot(self, parameters=False, ax=None):
        """Draw the tensors that flow through the innermost modules and back; with `ax`, there.

        Args:
            parameters: whether to draw each module's parameters too.
            ax: where to draw.

        Raises:
            ValueError: they are not a chain, each given what the one before it returned.
        """
        from utils.diagrams import data_flow  # here, since tracing needs no figures

        calls = [call for call in self.calls if not call.is_container]
        if not calls:
            raise InputError(self.table())
        for call, following in zip(calls, calls[1:], strict=False):
            if not same_values(call.outputs, following.inputs):
                raise InputError(
                    f"{following.label} was not given what {call.label} returned, so the modules "
                    "are not a chain that could be drawn: print the trace, which gives a table."
                )
        forward = [shapes_of(values) for values in (calls[0].inputs, *(c.outputs for c in calls))]
        backward = [shapes_of(call.gradients) for call in calls]
        own = [parameters_of(call.module) for call in calls] if parameters else None
        return data_flow([call.label for call in calls], forward, backward, own, ax=ax)

    def __getitem__(self, name):
        return self.calls_of(name)[-1]

    def calls_of(self, name):
        """Return the calls of the module of that name, in order.

        Raises:
            KeyError: it was not called; the message lists those that were.
        """
        found = [call for call in self.calls if call.name == name]
        if not found:
            names = ", ".join(dict.fromkeys(repr(call.name) for call in self.calls)) or "none"
            raise KeyError(f"No module {name!r} was called; those called are: {names}.")
        return found

    def __contains__(self, name):
        return any(call.name == name for call in self.calls)

    def __iter__(self):
        return iter(self.calls)

    def __str__(self):
        return self.table()

    def __repr__(self):
        return f"Trace(calls={len(self.calls)})"


# What is kept in memory --------------------------------------------------------------------------


def saved_bytes(model, *inputs):
    """Return the bytes that autograd keeps for the backward pass after model(*inputs).

    Each operation keeps the tensors that its derivative needs: a linear layer its input, a sigmoid
    its output, a GELU its input. Memory that several of them keep is counted once, so the output
    of a ReLU that is the input of the next layer; the model's inputs count if a layer keeps them;
    parameters and buffers, which are there anyway, do not. Under `no_grad` it is 0.

    The pass is one of a copy of the model, and leaves the model and torch's random state alone.
    """
    checks.check_module(model)
    model = copy.deepcopy(model)
    kept = {}  # storages by their identity: they are the memory, a tensor is a view of one

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[id(storage)] = storage
        return tensor

    with random_states_kept(), torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        model(*inputs)
    own = {id(part.untyped_storage()) for part in chain(model.parameters(), model.buffers())}
    return sum(storage.nbytes() for name, storage in kept.items() if name not in own)


# Tensors in nested tuples, lists and dictionaries, as modules take and return them ----------------


def mapped(function, values):
    """Return the same containers with `function` of each thing that is in them."""
    if isinstance(values, dict):
        return {key: mapped(function, value) for key, value in values.items()}
    if not isinstance(values, tuple | list):
        return function(values)
    parts = [mapped(function, value) for value in values]
    if hasattr(values, "_fields"):  # a tuple with names, whose own constructor may want tensors
        return tuple.__new__(type(values), parts)
    return parts if isinstance(values, list) else tuple(parts)


def detached_copy(value):
    """Return a copy of a tensor without a graph; of anything else the thing itself."""
    return value.detach().clone() if torch.is_tensor(value) else value


def shapes_of(values):
    """Return the shapes of tensors, such as "(5, 3), (1, 3)"; else the type, or "none"."""
    if isinstance(values, dict):
        return ", ".join(f"{name} {shapes_of(value)}" for name, value in values.items()) or "none"
    if isinstance(values, tuple | list):
        return ", ".join(shapes_of(value) for value in values) or "none"
    if values is None:
        return "none"
    return str(tuple(values.shape)) if torch.is_tensor(values) else type(values).__name__


def parameters_of(module):
    """Return the names and shapes of a module's own parameters, such as ["weight (4, 8)"]."""
    own = module.named_parameters(recurse=False)
    return [f"{name} {tuple(parameter.shape)}" for name, parameter in own]


def same_values(one, other):
    """Return whether both are tensors with the same values, or on meta the same shapes."""
    if not (torch.is_tensor(one) and torch.is_tensor(other)) or one.shape != other.shape:
        return False
    return one.is_meta or torch.equal(one.nan_to_num(), other.nan_to_num())
