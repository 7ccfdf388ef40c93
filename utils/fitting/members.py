"""What `fit_many` refuses and says, beyond what `fit` does: each time one sentence."""

import torch
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from utils.fitting.checks import (
    check_model,
    check_seed,
    check_source,
    check_validation,
    is_pair,
    shape_and_type,
    shown,
)
from utils.fitting.errors import InputError
from utils.fitting.trial import try_step

# Optimizers that move each weight by itself, so that stacking changes nothing. Others (LBFGS, Muon,
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


def check_pairs(data, validation):
    """Refuse what is not a pair of tensors: each member needs an order of its own."""
    for name, source in (("data", data), ("validation", validation)):
        if not is_pair(source) and (name == "data" or source is not None):
            raise InputError(
                f"For many networks at once {name} must be a pair (inputs, targets) of tensors, "
                f"not {shape_and_type(source)}: each network takes the samples in its own order."
            )
    check_source(data, "data")
    check_validation(data, validation)


def check_makers(make_model, make_optimizer, make_scheduler=None):
    """Refuse a network, an optimizer or a scheduler in the place of a function that makes one."""
    if isinstance(make_model, torch.nn.Module) or not callable(make_model):
        raise InputError(
            "make_model must be a function that builds a new network at each call, for example "
            f"lambda: nn.Sequential(...), not {shape_and_type(make_model)}."
        )
    if not callable(make_optimizer):
        raise InputError(
            "make_optimizer must be a function, for example lambda parameters: "
            f"torch.optim.Adam(parameters, lr=0.01), not {shape_and_type(make_optimizer)}."
        )
    if make_scheduler is not None and not callable(make_scheduler):
        raise InputError(
            "make_scheduler must be a function, for example lambda optimizer: "
            f"StepLR(optimizer, 10), not {shape_and_type(make_scheduler)}."
        )


def check_seeds(seeds):
    """Refuse seeds that are none, or no whole numbers; return them as a list."""
    if isinstance(seeds, int) or not hasattr(seeds, "__iter__"):
        raise InputError(
            f"seeds must be several numbers, one for each network, for example range(32), "
            f"not {shown(seeds)}."
        )
    seeds = list(seeds)
    if not seeds:
        raise InputError("seeds is empty: each network needs one, for example range(32).")
    return [check_seed(seed) for seed in seeds]


def check_settings_of_all(settings):
    """Refuse settings that are no list of dictionaries; return one empty one for None."""
    if settings is None:
        return [{}]
    example = 'for example [{"lr": 0.01}, {"lr": 0.1}]'
    if not isinstance(settings, list | tuple):
        raise InputError(
            f"settings must be a list of dictionaries, {example}, not {shown(settings)}."
        )
    if not settings:
        raise InputError(f"settings is empty: it must hold at least one dictionary, {example}.")
    for number, setting in enumerate(settings):
        if not isinstance(setting, dict):
            raise InputError(
                f"settings must be a list of dictionaries, {example}, but settings[{number}] is "
                f"{shown(setting)}."
            )
    return list(settings)


def check_members(models, data, loss_fn, batch_size):
    """Refuse networks that cannot be trained at once as they would be one by one.

    Returns:
        The names of the parameters that learn.
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
        if repr(model) != repr(first) or shapes_and_types(model) != shapes_and_types(first):
            raise InputError(
                "make_model must build networks of one kind, but those of the first seed and of "
                f"number {number} differ: leave only the weights to chance."
            )
    for module in first.modules():
        loose = [key for key, value in vars(module).items() if isinstance(value, torch.Tensor)]
        if loose:
            raise InputError(
                f"The network keeps a plain tensor, {loose[0]!r}: make it an nn.Parameter, or "
                "register it with register_buffer, so that each member has its own."
            )
    return try_member(first, data, loss_fn, batch_size)


def try_member(model, data, loss_fn, batch_size):
    """Take one network's first step on a copy; return the names of the parameters that learn."""
    device = next(model.parameters()).device
    inputs, targets = (tensor.detach()[:batch_size].to(device) for tensor in data)
    trial = try_step(model, (inputs, targets), loss_fn)
    if trial.draws:
        raise InputError(refusal("draws random numbers in each step (Dropout does)"))
    if trial.changed:
        name = trial.changed[0]
        raise InputError(refusal(f"changes its buffer {name!r} in each step (BatchNorm does)"))
    return trial.learning


def refusal(does):
    """Return one sentence on what cannot be vectorised faithfully."""
    return (
        f"The network {does}, which many networks at once cannot do as each alone would: "
        "leave it out, or call fit for each seed."
    )


def shapes_and_types(model):
    """Return the shape and dtype of everything in a network's state, and what learns."""
    state = {name: (value.shape, value.dtype) for name, value in model.state_dict().items()}
    return state, [parameter.requires_grad for parameter in model.parameters()]


def check_optimizer_of_all(optimizer, parameters):
    """Refuse an optimizer that mixes weights, or that is not made for the stacked parameters."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(
            "make_optimizer(parameters) must return an optimizer of torch.optim, for example "
            f"torch.optim.Adam(parameters, lr=0.01), not {shape_and_type(optimizer)}."
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


def made_with_setting(make_optimizer, parameters, setting):
    """Return the optimizer that make_optimizer gives; refuse a setting that it cannot take."""
    if not setting:
        return make_optimizer(parameters)
    try:
        return make_optimizer(parameters, **setting)
    except (TypeError, ValueError) as error:
        raise InputError(f"make_optimizer cannot take the setting {setting}: {error}.") from error


def check_scheduler_of_all(scheduler, optimizer):
    """Refuse what is no scheduler of this optimizer, or one that needs one validation loss."""
    if not isinstance(scheduler, LRScheduler):
        raise InputError(
            "make_scheduler(optimizer) must return a scheduler of torch.optim.lr_scheduler, for "
            f"example StepLR(optimizer, 10), not {shape_and_type(scheduler)}."
        )
    if isinstance(scheduler, ReduceLROnPlateau):
        raise InputError(
            "ReduceLROnPlateau looks at one validation loss, and each network has its own: take "
            "a scheduler that only counts epochs, or call fit for each seed."
        )
    if scheduler.optimizer is not optimizer:
        raise InputError(
            "The scheduler belongs to another optimizer: use what make_scheduler is given, for "
            "example make_scheduler = lambda optimizer: StepLR(optimizer, 10)."
        )


def diverged_message(ensemble, rate):
    """Return one sentence on the members that diverged; "" without any.

    Args:
        ensemble: the `Ensemble`.
        rate: the learning rate at which the first of them diverged.
    """
    if not ensemble.diverged_at:
        return ""
    first, (epoch, step) = next(iter(ensemble.diverged_at.items()))
    return (
        f"{len(ensemble.diverged_at)} of {len(ensemble)} networks diverged, the first of them that "
        f"of seed {ensemble.seeds[first]} in epoch {epoch}, step {step}, and were frozen there, "
        f"while the others went on: try a smaller learning rate (it was {rate:g})."
    )


def stopped_message(ensemble):
    """Return one sentence after Ctrl-C; "" otherwise."""
    if ensemble.stopped != "keyboard":
        return ""
    epochs = len(ensemble.epoch)
    return (
        f"Stopped by the keyboard in epoch {epochs + 1}: the losses of the {epochs} whole epochs "
        "before it are kept, the networks are as they were after their last whole step."
    )
