"""What `fit_many` refuses and says beyond `training_checks`: each time one sentence."""

import copy

import torch
from torch import nn

from utils.fitting.checks import (
    InputError,
    RandomState,
    check_loss,
    check_model,
    check_outputs,
    check_seed,
    check_source,
    check_validation,
    is_pair,
    raise_explained,
    shape,
)

# Optimisers that move each weight by itself, so that stacking changes nothing. Others (LBFGS, Muon,
# Adafactor) mix the numbers of a tensor, and so would mix the members.
WEIGHT_BY_WEIGHT = (
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.Adamax,
    torch.optim.ASGD,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.RMSprop,
    torch.optim.Rprop,
)


def check_data(data, validation):
    """Refuse what is not a pair of tensors: each member needs an order of its own."""
    for name, source in (("data", data), ("validation", validation)):
        if not is_pair(source) and (name == "data" or source is not None):
            raise InputError(
                f"For many networks at once {name} must be a pair (inputs, targets) of tensors, "
                f"not {shape(source)}, since each network takes the samples in its own order."
            )
    check_source(data, "data")
    check_validation(data, validation)


def check_seeds(seeds):
    """Refuse seeds that are none, or no whole numbers; return them as a list."""
    if isinstance(seeds, int) or not hasattr(seeds, "__iter__"):
        raise InputError(
            f"seeds must be several numbers, one for each network, for example range(32), "
            f"not {seeds!r}."
        )
    seeds = list(seeds)
    if not seeds:
        raise InputError("seeds is empty: each network needs one, for example range(32).")
    return [check_seed(seed) for seed in seeds]


def check_members(models, data, loss_fn, batch_size):
    """Refuse networks that cannot be trained at once as they would be one by one.

    Returns the names of the parameters that learn. The caller puts the random states back.
    """
    for model in models:
        check_model(model)
    first = models[0]
    if len({id(model) for model in models}) < len(models):
        raise InputError(
            "make_model returned the same network again: build a new one each time it is called, "
            "for example with make_model = lambda: nn.Sequential(...)."
        )
    for number, model in enumerate(models):
        if repr(model) != repr(first) or shapes(model) != shapes(first):
            raise InputError(
                "make_model must build networks of one kind, but those of the first seed and of "
                f"number {number} differ: leave only the weights to chance."
            )
    for name, module in first.named_modules():
        what = f"{type(module).__name__} (layer {name or 'of the network itself'})"
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0:
            raise InputError(refusal(what, "draws random numbers in each step"))
        if getattr(module, "track_running_stats", False):
            raise InputError(refusal(what, "changes its running statistics in each step"))
        loose = [key for key, value in vars(module).items() if isinstance(value, torch.Tensor)]
        if loose:
            raise InputError(
                f"The network keeps a plain tensor, {loose[0]!r}: make it an nn.Parameter, or "
                "register it with register_buffer, so that each member has its own."
            )
    return try_one(copy.deepcopy(first), data, loss_fn, batch_size)


def try_one(model, data, loss_fn, batch_size):
    """Take the gradient of one network, which is thrown away, and look at what happens."""
    model.train()
    device = next(model.parameters()).device
    inputs, targets = (tensor.detach()[:batch_size].to(device) for tensor in data)
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    drawn = RandomState([device])
    outputs = loss = None
    try:
        outputs = model(inputs)
        check_outputs(outputs, targets, loss_fn)
        loss = loss_fn(outputs, targets)
        check_loss(loss)
        loss.backward()
    except Exception as error:
        raise_explained(error, model, inputs, targets, outputs, loss)
    if not drawn.is_now():
        raise InputError(refusal("The network", "draws random numbers in each step"))
    for name, buffer in model.named_buffers():
        if not torch.equal(buffer, buffers[name]):
            raise InputError(refusal("The network", f"changes its buffer {name!r} in each step"))
    return {name for name, parameter in model.named_parameters() if parameter.grad is not None}


def refusal(what, does):
    """One sentence on what cannot be vectorised faithfully."""
    return (
        f"{what} {does}, which many networks at once cannot do as each alone would: "
        "leave it out, or call fit for each seed."
    )


def shapes(model):
    """The shape and dtype of everything in a network's state, by name, and what learns."""
    state = {name: (value.shape, value.dtype) for name, value in model.state_dict().items()}
    return state, [parameter.requires_grad for parameter in model.parameters()]


def check_optimizer(optimizer, parameters):
    """Refuse an optimiser that mixes weights, or that is not made for the stacked parameters."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(
            "make_optimizer(parameters) must return an optimizer of torch.optim, for example "
            f"torch.optim.Adam(parameters, lr=0.01), not {shape(optimizer)}."
        )
    if type(optimizer) not in WEIGHT_BY_WEIGHT:
        known = ", ".join(kind.__name__ for kind in WEIGHT_BY_WEIGHT[:3])
        raise InputError(
            f"{type(optimizer).__name__} may not move each weight by itself, so it would mix the "
            f"networks: take one that does, such as {known}, or call fit for each seed."
        )
    own = {id(parameter) for parameter in parameters}
    moved = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if not all(id(parameter) in own for parameter in moved):
        raise InputError(
            "The optimizer does not belong to these networks: use what make_optimizer is given, "
            "for example make_optimizer = lambda parameters: torch.optim.Adam(parameters, lr=0.01)."
        )


def diverged_message(ensemble, optimizer):
    """One sentence on the members that diverged; "" without any."""
    if not ensemble.diverged_at:
        return ""
    first, (epoch, step) = next(iter(ensemble.diverged_at.items()))
    return (
        f"{len(ensemble.diverged_at)} of {len(ensemble)} networks diverged, the first of them that "
        f"of seed {ensemble.seeds[first]} in epoch {epoch}, step {step}, and were frozen there, "
        "while the others went on: try a smaller learning rate "
        f"(it was {optimizer.param_groups[0]['lr']:g})."
    )


def keyboard_message(ensemble):
    """One sentence after Ctrl-C; "" otherwise."""
    if ensemble.stopped != "keyboard":
        return ""
    epochs = len(ensemble.epoch)
    return (
        f"Stopped by the keyboard in epoch {epochs + 1}: the losses of the {epochs} whole epochs "
        "before it are kept, the networks are as they were after their last whole step."
    )
