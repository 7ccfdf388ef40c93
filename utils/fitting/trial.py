"""One step on a copy: what only a forward and a backward pass can show, before anything changes.

`fit`, `fit_many` and `scan_learning_rate` share it. Whatever is refused raises `InputError` with
the shapes, and with what to do about it.
"""

import copy
from collections import namedtuple
from contextlib import contextmanager

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from utils.fitting.checks import shape_and_type
from utils.fitting.errors import InputError
from utils.fitting.ranks import plain
from utils.fitting.states import mode, random_states_kept

# Losses that compare element by element: with shapes that differ they broadcast and mean nothing.
ELEMENTWISE = (
    (nn.MSELoss, functional.mse_loss),
    (nn.L1Loss, functional.l1_loss),
    (nn.SmoothL1Loss, functional.smooth_l1_loss),
    (nn.HuberLoss, functional.huber_loss),
)
CROSS_ENTROPY = ((nn.CrossEntropyLoss, functional.cross_entropy),)
OF_CLASSES = (*CROSS_ENTROPY, (nn.NLLLoss, functional.nll_loss))  # take class numbers
# What torch raises about the arguments it was given; anything else is a mistake in the code.
ABOUT_ARGUMENTS = (RuntimeError, ValueError, IndexError, TypeError)

Trial = namedtuple("Trial", ["learning", "draws", "changed"])


def try_step(model, batch, loss_fn, metrics=None):
    """Take one step's forward and backward pass, in training mode, and leave everything as it was.

    The weights and buffers of the pass are copies; a module's own code runs once more.

    Args:
        model: a module, used in training mode.
        batch: (inputs, targets) on the model's device.
        loss_fn, metrics: as for `fit`.

    Returns:
        Trial: the names of the parameters that got a gradient, whether random numbers of torch were
        drawn, and the names of the buffers that changed.

    Raises:
        InputError: the model does not take the inputs, the loss does not take the outputs, or the
            loss or a metric is not one number, or the loss has no gradient.
    """
    model = plain(model)  # one step on a copy is no business of other ranks
    model = getattr(model, "_orig_mod", model)  # torch.compile would compile for the copies anew
    parameters = {
        name: value.detach().clone().requires_grad_(value.requires_grad)
        for name, value in model.named_parameters()
    }
    before = {name: value.detach().clone() for name, value in model.named_buffers()}
    state = parameters | {name: value.clone() for name, value in before.items()}

    def forward(inputs):
        return functional_call(model, state, (inputs,))

    if isinstance(loss_fn, nn.Module):
        loss_fn = copy.deepcopy(loss_fn)  # it may have a state of its own
    with random_states_kept(), mode(model, training=True):
        random_state = torch.get_rng_state()
        outputs, loss = outputs_and_loss(forward, *batch, loss_fn, model)
        check_loss(loss)
        with torch.no_grad():
            for name, metric in (metrics or {}).items():
                check_one_number(metric(outputs, batch[1]), name)
        trained = {name: value for name, value in parameters.items() if value.requires_grad}
        gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
        draws = not torch.equal(random_state, torch.get_rng_state())
    learning = {name for name, own in zip(trained, gradients, strict=True) if own is not None}
    changed = [name for name, value in before.items() if not same_buffer(value, state[name])]
    return Trial(learning, draws, changed)


def try_first_step(model, batches, loss_fn, metrics=None):
    """Try the first step of a training that then begins with the same batch; return the Trial.

    Where it is refused, the random state and the order of the batches are put back.

    Args:
        batches: the Batches of the training.
        model, loss_fn, metrics: as for `try_step`.
    """
    random_state, order = torch.get_rng_state(), batches.state_dict()
    try:
        return try_step(model, batches.first(), loss_fn, metrics)
    except BaseException:
        torch.set_rng_state(random_state)
        batches.load_state_dict(order)
        raise


def same_buffer(one, other):
    """Return whether two buffers are equal; without values (device meta), whether their shapes."""
    return one.shape == other.shape and (one.is_meta or torch.equal(one, other))


@contextmanager
def explained(model, batches, loss_fn, metrics=None):
    """Say of an error of torch in a training which batch it is about, if the batch is the cause.

    Args:
        batches: the Batches that the training goes through; the last one is tried again on a copy.
        model, loss_fn, metrics: as for `try_step`.
    """
    try:
        yield
    except InputError:
        raise
    except ABOUT_ARGUMENTS as error:
        if batches.last is not None:
            try:
                try_step(model, batches.last, loss_fn, metrics)
            except InputError as explanation:
                raise explanation from error
            except Exception:
                pass  # the error itself says more than a second one
        raise


def outputs_and_loss(forward, inputs, targets, loss_fn, model):
    """Return the outputs and the loss of a batch; what torch complains of is said with the shapes.

    Args:
        forward: the model, or a function in its place.
        model: the model, for what is said of it.
    """
    outputs = outputs_of(forward, inputs, model)
    check_outputs(outputs, targets, loss_fn)
    try:
        with ColumnAgainstRow(outputs, targets):
            return outputs, loss_fn(outputs, targets)
    except (*ABOUT_ARGUMENTS, AttributeError) as error:
        if isinstance(outputs, tuple | list | dict):
            raise InputError(
                f"The model returns a {type(outputs).__name__} of {len(outputs)} things (as an "
                "LSTM does), and the loss takes a tensor: let forward return the one it is about."
            ) from error
        if isinstance(error, InputError | AttributeError):
            raise
        raise InputError(
            f"The loss cannot compare outputs of shape {shape_and_type(outputs)} with targets of "
            f"shape {shape_and_type(targets)}: {sentence_of(error)}"
            f"{about_classes(outputs, targets, loss_fn, error)}"
        ) from error


def outputs_of(forward, inputs, model):
    """Return the outputs of a model; what torch complains of is said with the shape.

    Args:
        forward: the model, or a function in its place.
        inputs: on the model's device.
        model: the model, for what is said of it.
    """
    try:
        return forward(inputs)
    except InputError:
        raise
    except ABOUT_ARGUMENTS as error:
        floating = (p.dtype for p in model.parameters() if p.is_floating_point())
        wanted = next(floating, inputs.dtype)
        if inputs.dtype != wanted and ("dtype" in str(error) or "Input type" in str(error)):
            pixels = " / 255, so that pixels lie between 0 and 1" * are_pixels(inputs)
            raise InputError(
                f"The inputs are {str(inputs.dtype).removeprefix('torch.')}, but the model's "
                f"weights are {str(wanted).removeprefix('torch.')}: convert the inputs with "
                f"x.to({wanted}){pixels}."
            ) from error
        raise InputError(
            f"The model cannot take inputs of shape {shape_and_type(inputs)}: {sentence_of(error)}"
            f"{about_images(inputs, model, error)}"
        ) from error


def are_pixels(inputs):
    """Return whether inputs are whole numbers that look like pixels from 0 to 255."""
    if inputs.dtype == torch.uint8:
        return True
    if inputs.dtype not in (torch.int32, torch.int64) or inputs.ndim < 3 or not inputs.numel():
        return False
    return 100 < inputs.max().item() <= 255


def about_images(inputs, model, error):
    """Return what to do about images of other axes, or too small for the model; or ""."""
    layer = next((each for each in model.modules() if isinstance(each, nn.Conv2d)), None)
    if layer is None or (inputs.ndim == 4 and inputs.shape[1] == layer.in_channels):
        if any(words in str(error) for words in ("Kernel size can't", "Output size is too small")):
            return " Take a smaller kernel, add padding, or pool less often."
        return ""
    advice = f" Images have the axes (n, {layer.in_channels}, height, width)"
    if inputs.ndim == 3 and layer.in_channels == 1:
        return f"{advice}: x[:, None] adds that of the channel."
    if inputs.ndim == 4 and inputs.shape[3] == layer.in_channels:
        return f"{advice}; these have the channels last: x.permute(0, 3, 1, 2) moves them."
    return f"{advice}."


def about_classes(outputs, targets, loss_fn, error):
    """Return what class numbers have to be, where torch complains of them, as a sentence or ""."""
    if not isinstance(outputs, torch.Tensor):
        return ""
    if "out of bounds" in str(error):
        low, high = targets.min().item(), targets.max().item()
        classes = outputs.shape[min(1, outputs.ndim - 1)]
        return (
            f" Classes are counted from 0; these go from {low} to {high}; {classes} outputs allow "
            f"0 to {classes - 1}."
        )
    n, shape = len(targets), tuple(targets.shape)
    mends = {tuple(outputs.shape): ".argmax(dim=1)", (n,): "", (n, 1): ".flatten()"}
    if not is_one_of(loss_fn, OF_CLASSES) or shape not in mends:
        return ""
    mend = ".long()" * (targets.dtype not in (torch.uint8, torch.int64)) + mends[shape]
    return f" Class numbers are whole, of shape (n,): take y{mend}." if mend else ""


def sentence_of(error):
    """Return the words of an error of torch as the end of a sentence."""
    return " ".join(str(error).split()).rstrip(".!") + "."


def is_one_of(loss_fn, losses):
    """Return whether a loss is an instance of one of the classes, or one of the functions."""
    return any(isinstance(loss_fn, kind) or loss_fn is function for kind, function in losses)


def check_outputs(outputs, targets, loss_fn):
    """Refuse outputs and targets that a loss of torch would compare without a word, but wrongly."""
    if not isinstance(outputs, torch.Tensor):
        return
    if is_one_of(loss_fn, CROSS_ENTROPY) and outputs.ndim == 2 and outputs.shape[1] == 1:
        raise InputError(
            f"The outputs have shape {tuple(outputs.shape)}, one logit a sample, and with a single "
            "class the cross-entropy is always 0: give the model an output for each class, or take "
            "nn.BCEWithLogitsLoss() for two classes and one logit."
        )
    if is_one_of(loss_fn, ELEMENTWISE) and outputs.shape != targets.shape:
        raise broadcast_error(outputs.shape, targets.shape)


def broadcast_error(outputs, targets):
    """Return the error for shapes of outputs and targets that broadcast to something else."""
    n = targets[0]
    column_and_row = {outputs, targets} == {(n, 1), (n,)}
    if column_and_row and len(targets) == 1:
        fix = "reshape the targets, y.reshape(-1, 1)"
    else:
        fix = "give them one shape, for example with y.reshape(...) or another last layer"
    compared = f", comparing all {n} x {n} combinations" if column_and_row else ""
    return InputError(
        f"The outputs have shape {tuple(outputs)}, but the targets {tuple(targets)}: "
        f"the loss would silently broadcast them{compared}; {fix}."
    )


class ColumnAgainstRow(TorchFunctionMode):
    """Refuses, in a context, an operation between a column (n, 1) and a row (n,).

    With outputs of the one shape and targets of the other, every sample would be compared with
    every other. Whether a loss does that, only its operations tell: it may reshape them first.
    """

    def __init__(self, outputs, targets):
        super().__init__()
        self.shapes = getattr(outputs, "shape", ()), targets.shape
        n = len(targets)
        self.watches = n > 1 and set(self.shapes) == {(n, 1), (n,)}

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        if self.watches and function is not functional.cross_entropy:
            tensors = [x for x in (*arguments, *keywords.values()) if isinstance(x, torch.Tensor)]
            if set(self.shapes) <= {tensor.shape for tensor in tensors}:
                raise broadcast_error(*self.shapes)
        return function(*arguments, **keywords)


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


def check_one_number(number, name):
    """Refuse a loss or a metric that gives one number a sample in place of one in all."""
    if isinstance(number, torch.Tensor) and number.numel() != 1:
        raise InputError(
            f"{name} returned {number.numel()} numbers, of shape {tuple(number.shape)}, in place "
            "of one: take their mean, with .mean() or reduction='mean'."
        )
