"""Many networks of one shape, trained at once: one run may be luck, a band of runs is not.

The parameters of S networks are stacked along a new first axis, (S, ...), and each operation works
on all of them in one call, with batches of its own for each. Small networks spend most of their
time on the calls, not on the numbers, so thirty-two at once cost little more than a few.
Made with `torch.func`: https://docs.pytorch.org/tutorials/intermediate/ensembling.html
"""

import copy
import math
from itertools import chain

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx  # experimental, so it may move

from utils.fitting import checks, members
from utils.fitting.batches import Batches
from utils.fitting.errors import InputError
from utils.fitting.optimizers import Optimizers
from utils.fitting.progress import progress_bar
from utils.fitting.states import mode, random_states_kept
from utils.fitting.stops import KeyboardStop
from utils.fitting.trial import outputs_of
from utils.training import SAMPLES_AT_ONCE, seed_everything

# Operations of torch that give the same numbers in another shape, and sometimes in the same.
RESHAPES = (
    torch.ops.aten.view.default,
    torch.ops.aten._unsafe_view.default,
    torch.ops.aten.expand.default,
    torch.ops.aten.detach.default,
)


class Ensemble:
    """S trained networks, and what `fit_many` measured over e whole epochs.

    Attributes:
        seeds: the S seeds; member i, counted from 0, was made and trained with seeds[i].
        settings: the S dictionaries that make_optimizer was given for them; empty ones without
            settings.
        parameters: the stacked parameters by name, each (S, ...).
        epoch: (e,), int64: 1, 2, ... e.
        loss: (S, e), float64: each member's mean loss per sample over each epoch, as in `History`;
            NaN from the epoch on in which the member diverged.
        validation_loss: (S, e), NaN likewise; None without validation data.
        diverged_at: {member: (epoch, step)} for members whose loss became NaN or infinite; both
            are counted from 1.
        diverged: (S,), bool: which members these are.
        stopped: None when all epochs were run, "keyboard", or "not finite" when none was left.
        message: the sentence that was printed on members that diverged and on Ctrl-C, or "".
    """

    def __init__(self, models, seeds, settings=({},)):
        """Hold the models, one for each of the seeds, once for each of the settings."""
        self.seeds = list(seeds) * len(settings)
        self.settings = [dict(setting) for setting in settings for _ in seeds]
        self.parameters, self.buffers = (
            {name: repeated(tensor, len(settings)) for name, tensor in stacked.items()}
            for stacked in stack_module_state(models)
        )
        self.network = copy.deepcopy(models[0])  # lends its forward pass; its weights are not used
        self.diverged_at, self.stopped, self.message = {}, None, ""
        self._loss, self._validation_loss = [], []

    def __len__(self):
        return len(self.seeds)

    def __repr__(self):  # without numbers that differ from one machine to another
        return f"Ensemble(members={len(self)}, epochs={len(self._loss)}, stopped={self.stopped!r})"

    @property
    def epoch(self):
        return np.arange(1, len(self._loss) + 1)

    @property
    def loss(self):
        return np.array(self._loss, dtype=np.float64).reshape(-1, len(self)).T

    @property
    def validation_loss(self):
        column = self._validation_loss
        return np.array(column, dtype=np.float64).T if column else None

    @property
    def diverged(self):
        return np.isin(np.arange(len(self)), list(self.diverged_at))

    def model(self, member):
        """Return a new network with the weights of one member, counted from 0."""
        if member not in range(len(self)):
            raise IndexError(f"There is no member {member}: they are 0 to {len(self) - 1}.")
        model = copy.deepcopy(self.network)
        stacked = self.parameters | self.buffers
        with torch.no_grad():
            for name, tensor in chain(model.named_parameters(), model.named_buffers()):
                tensor.copy_(stacked[name][member])
        return model

    def predict(self, x):
        """Return the outputs (S, n, ...) of all members for inputs x (n, ...), where x is."""
        checks.check_inputs(x)
        device = next(iter(self.parameters.values())).device

        def of_all(inputs):
            return vmap(self.forward, in_dims=(0, None))(self.state, inputs)

        with mode(self.network, training=False), torch.no_grad():
            parts = [
                outputs_of(of_all, part.to(device), self.network)
                for part in x.split(SAMPLES_AT_ONCE)
            ]
        return torch.cat(parts, dim=1).to(x.device)

    def plot(self, ax=None):
        """Draw the members' losses against the epoch, as bands; with `ax`, there and return it."""
        from utils.plotting import seed_bands  # here, since training needs no figures

        losses = {"training": self.loss}
        if self.validation_loss is not None:
            losses["held out"] = self.validation_loss
        return seed_bands(losses, ax=ax)

    @property
    def state(self):
        """All parameters and buffers by name, each (S, ...)."""
        return self.parameters | self.buffers

    def forward(self, state, inputs):
        """Return the outputs of one member, given its parameters and buffers by name."""
        return functional_call(self.network, state, (inputs,))

    def record(self, losses, validation_losses):
        """Add an epoch: losses (S,), and validation losses (S,) or None."""
        lost = list(self.diverged_at)
        for column, numbers in ((self._loss, losses), (self._validation_loss, validation_losses)):
            if numbers is not None:
                numbers[lost] = math.nan
                # As Python's numbers: small tensors kept from between the steps' large ones would
                # pin the memory that those leave, and it grows by some 100 MB for 200 epochs.
                column.append(numbers.tolist())

    def say_what_happened(self, rate):
        """Print one sentence on members that diverged, the first at this rate, and on Ctrl-C."""
        diverged = members.diverged_message(self, rate)
        self.message = f"{diverged} {members.stopped_message(self)}".strip()
        if self.message:
            print(self.message)


def fit_many(
    make_model,
    data,
    loss_fn,
    make_optimizer,
    epochs,
    seeds=range(32),
    *,
    batch_size=None,
    shuffle=True,
    drop_last=False,
    validation=None,
    settings=None,
    make_scheduler=None,
    progress=None,
):
    """Train a network for each seed, all at once, as `fit` would one after another.

    With `settings` it is one for each setting and each seed, as a search needs: first all seeds
    with settings[0], then all with settings[1], and so on, so
    `ensemble.loss.reshape(len(settings), len(seeds), -1)` has a row for each setting.

    Member i is what `seed_everything(s); model = make_model(); fit(model, ..., seed=s)` gives for
    s = ensemble.seeds[i], with make_optimizer(model.parameters(), **ensemble.settings[i]): the same
    initial weights, the same orders of the data, the same steps, but for the rounding of sums.

    A member whose loss is not finite is marked, and frozen as it was before that step (on a GPU: as
    it is at the end of that epoch); the others go on with the numbers that they would have without
    it. Ctrl-C returns what there is.

    Args:
        make_model: make_model() gives a new network, on the device to train on; called once for
            each seed.
        data: a pair of tensors (x, y) of n samples, the same for all.
        loss_fn: loss_fn(outputs, targets) gives one number, the mean over the batch.
        make_optimizer: make_optimizer(parameters) gives an optimizer of torch.optim for the list
            of stacked parameters; with settings, make_optimizer(parameters, **setting), so that a
            class such as torch.optim.AdamW will do.
        epochs, batch_size, shuffle, drop_last, progress: as for `fit`.
        seeds: one for each network.
        validation: a pair like data, or None.
        settings: a list of dictionaries, the keyword arguments of make_optimizer, for example
            [{"lr": 0.01}, {"lr": 0.1, "weight_decay": 1e-3}].
        make_scheduler: make_scheduler(optimizer) gives a scheduler of torch.optim.lr_scheduler,
            which takes its step after each epoch; called once for each setting.

    Returns:
        Ensemble: the networks, and what was measured in each epoch.

    Raises:
        ValueError: what `fit` refuses, and what would not give the same as `fit`: networks that
            draw random numbers (Dropout) or change buffers (BatchNorm) in training, optimizers
            that do not move each weight by itself (LBFGS, Muon), and the scheduler that looks at
            one validation loss (ReduceLROnPlateau).
    """
    members.check_makers(make_model, make_optimizer, make_scheduler)
    members.check_pairs(data, validation)
    seeds = members.check_seeds(seeds)
    settings = members.check_settings_of_all(settings)
    checks.check_functions(loss_fn)
    checks.check_settings(data, epochs, batch_size, drop_last, seeds[0])
    with random_states_kept():
        models = [made_with_seed(make_model, seed) for seed in seeds]
        learnt = members.check_members(models, data, loss_fn, batch_size)
    ensemble = Ensemble(models, seeds, settings)
    optimizers = Optimizers(ensemble, learnt, make_optimizer, settings, make_scheduler)
    device = next(iter(ensemble.parameters.values())).device
    batches = BatchesOfAll(data, device, batch_size, shuffle, drop_last, seeds, len(settings))
    if validation is not None:
        validation = Batches(validation, device, SAMPLES_AT_ONCE)
    gradients = Gradients(ensemble, learnt, loss_fn, batches.shared)
    frozen = Frozen(ensemble, optimizers)
    try:
        with KeyboardStop() as keyboard, progress_bar(range(1, epochs + 1), progress) as bar:
            for epoch in bar:
                losses, sizes = [], []
                for step, (inputs, targets) in enumerate(batches, start=1):
                    if keyboard.presses:
                        raise KeyboardInterrupt
                    loss = gradients.take(inputs, targets)
                    losses.append(loss)
                    sizes.append(batches.size_of(inputs))
                    if loss.is_cpu and not math.isfinite(loss.sum().item()):
                        frozen.add(loss, epoch, step)
                    optimizers.step()
                    frozen.put_back()
                losses = torch.stack(losses).cpu().double()
                for step, loss in enumerate(losses, start=1):
                    frozen.add(loss, epoch, step)  # finds new ones only where no step was looked at
                sizes = torch.tensor(sizes, dtype=losses.dtype)
                ensemble.record(sizes @ losses / sizes.sum(), gradients.measure(validation))
                optimizers.end_epoch()
                if len(frozen) == len(ensemble):
                    ensemble.stopped = "not finite"
                    break
    except KeyboardInterrupt:
        if keyboard.presses > 1:
            raise
        ensemble.stopped = "keyboard"
    ensemble.say_what_happened(frozen.rate)
    return ensemble


class BatchesOfAll:
    """Batches for all members: inputs and targets (S, batch, ...), in each member's own order.

    Where the members need no orders of their own, because nothing is shuffled or all samples are
    one batch, it is `shared`: inputs and targets (batch, ...), the same for all. Each seed's order
    serves that seed's member in each of so many settings.
    """

    def __init__(self, data, device, batch_size, shuffle, drop_last, seeds, settings):
        one = Batches(data, device, batch_size, shuffle, drop_last)
        self.one, self.shared = one, not one.shuffle
        self.settings = settings
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __iter__(self):
        if self.shared:
            yield from self.one
            return
        x, y, samples = self.one.inputs, self.one.targets, len(self.one.inputs)
        orders = [torch.randperm(samples, generator=generator) for generator in self.generators]
        orders = torch.stack(orders).to(x.device).repeat(self.settings, 1)
        for start in range(0, self.one.end, self.one.batch_size):
            rows = orders[:, start : start + self.one.batch_size]
            every = rows.reshape(-1)
            yield (
                x.index_select(0, every).view(*rows.shape, *x.shape[1:]),
                y.index_select(0, every).view(*rows.shape, *y.shape[1:]),
            )

    def size_of(self, inputs):
        """Return how many samples a member has in a batch."""
        return inputs.shape[0 if self.shared else 1]


class Gradients:
    """The losses and gradients of all members in one call.

    `vmap` turns the loss and the gradient of one member into those of S members. Its own work is in
    Python and the same in each step, so `make_fx` writes down, once for each shape of a batch, the
    list of operations that it leads to, and the steps run that list.
    """

    def __init__(self, ensemble, learnt, loss_fn, shared):
        self.network = ensemble.network
        state = ensemble.state
        self.learnt = {name: value for name, value in state.items() if name in learnt}
        self.constant = {name: value for name, value in state.items() if name not in learnt}

        def loss_of_one(learnt, constant, inputs, targets):
            return loss_fn(ensemble.forward(learnt | constant, inputs), targets)

        batch = None if shared else 0
        self.of_all = vmap(grad_and_value(loss_of_one), in_dims=(0, 0, batch, batch))
        self.losses_of_all = vmap(loss_of_one, in_dims=(0, 0, None, None))
        self.traced = {}

    def take(self, inputs, targets):
        """Put the gradients at the parameters; return the losses (S,) before the step."""
        state = self.learnt, self.constant
        shapes = inputs.shape, targets.shape
        with torch.no_grad():
            if shapes not in self.traced:
                with mode(self.network, training=True):
                    self.traced[shapes] = traced(self.of_all, *state, inputs, targets)
            gradients, losses = self.traced[shapes](*state, inputs, targets)
        for name, parameter in self.learnt.items():
            parameter.grad = gradients[name]
        return losses

    def measure(self, batches):
        """Return the mean losses (S,) of shared batches in evaluation mode; None for None."""
        if batches is None:
            return None
        total, samples = 0, 0
        with mode(self.network, training=False), torch.no_grad():
            for inputs, targets in batches:
                losses = self.losses_of_all(self.learnt, self.constant, inputs, targets)
                total = total + losses.cpu().double() * len(inputs)
                samples += len(inputs)
        return total / samples


def traced(function, *arguments):
    """Return, as a function, the operations that a function does for such arguments."""
    try:
        graph = make_fx(function)(*arguments)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            "These networks or this loss cannot be computed for all members at once, as when their "
            "code looks at the values in a tensor (`if`, .item()): call fit for each seed."
        ) from error
    for node in list(graph.graph.nodes):
        if node.target in RESHAPES and node.meta["val"].shape == node.args[0].meta["val"].shape:
            node.replace_all_uses_with(node.args[0])  # it changes nothing, but a call takes time
        elif node.op == "call_function":  # torch's own function for the operation is called faster
            node.target = getattr(torch, node.target.__name__.split(".")[0], node.target)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


class Frozen:
    """The members that diverged: their weights stay what they were when it was noticed.

    `rate` is the learning rate of the first, at that time.
    """

    def __init__(self, ensemble, optimizers):
        self.ensemble, self.optimizers = ensemble, optimizers
        self.rows = self.rate = None

    def __len__(self):
        return len(self.ensemble.diverged_at)

    def add(self, losses, epoch, step):
        """Freeze the members whose loss in `losses` (S,) is not finite, unless they are already."""
        bad = (~losses.isfinite()).nonzero().flatten().tolist()
        new = [member for member in bad if member not in self.ensemble.diverged_at]
        if new:
            if self.rate is None:
                self.rate = self.optimizers.rate(new[0])
            self.ensemble.diverged_at |= dict.fromkeys(new, (epoch, step))
            tensors = self.ensemble.parameters.values()
            if self.rows is not None:
                self.put_back()
            self.rows = torch.tensor(
                list(self.ensemble.diverged_at), device=next(iter(tensors)).device
            )
            self.weights = [tensor.detach()[self.rows] for tensor in tensors]

    def put_back(self):
        """Undo what a step did to the frozen members."""
        if self.rows is not None:
            with torch.no_grad():
                for tensor, weights in zip(
                    self.ensemble.parameters.values(), self.weights, strict=True
                ):
                    tensor[self.rows] = weights


def made_with_seed(make_model, seed):
    """Return the network that make_model() gives after `seed_everything(seed)`."""
    seed_everything(seed)
    return make_model()


def repeated(stacked, copies):
    """Return parameters or buffers (n, ...) so many times over: (copies n, ...)."""
    tensor = stacked.detach().repeat(copies, *[1] * (stacked.ndim - 1))
    return tensor.requires_grad_(stacked.requires_grad)
