"""Batches of inputs and targets, on the device of the model."""

from itertools import chain, repeat

import torch

from utils.fitting import checks
from utils.fitting.ranks import Ranks

BYTES_AT_ONCE = 2**18


class Batches:
    """One pass over the data, in batches on the model's device, each time it is iterated.

    A pair is never copied on its own device: a pass draws one permutation, and picks the samples
    of one batch at a time (of several, if they are small).

    Args:
        data: a pair (inputs, targets) of tensors with n samples each, or an iterable of such pairs
            of batches, for example a `DataLoader`.
        device: where the batches are wanted.
        batch_size: samples in a batch of a pair; None, or n, takes all samples at once, in order.
        shuffle, drop_last: for a pair, whether each pass has a new order, and whether a last batch
            that is not full is left out. An iterable decides both itself.
        seed: of the generator that draws the orders, or the generator; the global random state is
            left alone.
        ranks: the `Ranks` that share the data. Of a pair all draw the same batches, and each takes
            its rows of them; an iterable gives each its own batches.

    Attributes:
        last: the batch that was given last.
        weight: of this rank's share in a step, see `Ranks.share_of`.
        epoch: which pass this is, for a sampler that draws by it.
    """

    def __init__(
        self, data, device, batch_size=None, shuffle=False, drop_last=False, seed=0, ranks=None
    ):
        self.device = device
        self.ranks, self.weight, self.epoch = ranks or Ranks(), 1, 0
        self.pair = checks.is_pair(data)
        self.last = self.stream = None
        self._begun = None  # a pass that has begun, with its first batch
        batch_size = None if batch_size is None else int(batch_size)  # not a number of NumPy
        own_generator = isinstance(seed, torch.Generator)
        self.settings = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
        self.settings["seed"] = "a generator" if own_generator else int(seed)
        self.settings["samples"] = len(data[0]) if self.pair else None
        if not self.pair:
            self.data = data
            # Without a generator of its own, a DataLoader draws from torch's.
            self.generator = getattr(data, "generator", None)
            # `StreamedRows`, perhaps in a loader: its orders follow from the number of the epoch.
            for source in (getattr(data, "dataset", None), data):
                if hasattr(source, "set_epoch") and hasattr(source, "load_state_dict"):
                    self.stream = source
            return
        self.generator = seed if own_generator else torch.Generator().manual_seed(int(seed))
        self.inputs, self.targets = (tensor.detach().to(device) for tensor in data)
        samples = len(self.inputs)
        self.batch_size = batch_size or samples
        # In one batch of everything the order changes nothing but the rounding.
        self.shuffle = shuffle and self.batch_size < samples
        self.end = samples - samples % self.batch_size if drop_last else samples

    def first(self):
        """Return the first batch of the next pass, which begins with it: nothing is drawn twice."""
        batches = iter(self)
        batch = next(batches)
        self._begun = chain([batch], batches)
        return batch

    def __iter__(self):
        begun, self._begun = self._begun, None
        if begun is not None:
            return begun
        if self.ranks.ranks == 1:
            return self._from_pair() if self.pair else self._from_iterable()
        return self._shares() if self.pair else self._in_step()

    def _shares(self):
        for batch in self._from_pair():
            self.last, self.weight = self.ranks.share_of(batch)
            yield self.last

    def _in_step(self):
        sampler = getattr(self.data, "sampler", None)
        if hasattr(sampler, "set_epoch"):  # without it the order is the same in each epoch
            sampler.set_epoch(self.epoch)
        for batch in chain(self._from_iterable(), repeat(None)):
            self.weight = self.ranks.weight_of(batch)
            if self.weight is None:
                return
            yield self.last  # after the rank's own end the last one again, with weight 0

    def _from_pair(self):
        samples, size = len(self.inputs), self.batch_size
        if size == samples:
            self.last = self.inputs, self.targets
            yield self.last
            return
        if self.shuffle:
            order = torch.randperm(samples, generator=self.generator).to(self.device)
        # Small batches are picked several at a time and then cut apart, which takes fewer calls.
        sample_bytes = (self.inputs.nbytes + self.targets.nbytes) // samples
        block = size * max(1, BYTES_AT_ONCE // (size * max(1, sample_bytes)))
        for start in range(0, self.end, block):
            end = min(start + block, self.end)
            if self.shuffle:
                rows = order[start:end]
                inputs = self.inputs.index_select(0, rows)
                targets = self.targets.index_select(0, rows)
            else:
                inputs, targets = self.inputs[start:end], self.targets[start:end]
            for self.last in zip(inputs.split(size), targets.split(size), strict=True):
                yield self.last

    def _from_iterable(self):
        number, axes = 0, None
        for number, batch in enumerate(self.data, start=1):
            inputs, targets = checks.check_batch(batch, number)
            axes = axes or targets.ndim
            checks.check_axes(targets, axes, number)  # or a loss might broadcast them
            self.last = inputs.to(self.device), targets.to(self.device)
            yield self.last
        if number == 0:
            raise checks.nothing_yielded(self.data)

    def state_dict(self):
        """Return where the orders stand, those of a generator or of a stream, for a checkpoint."""
        state = {"generator": self.generator.get_state()} if self.generator is not None else {}
        return state | ({"stream": self.stream.state_dict()} if self.stream is not None else {})

    def load_state_dict(self, state):
        """Set the orders to where they stood; a pass that had begun is forgotten."""
        self._begun = None
        if self.generator is not None:
            self.generator.set_state(state["generator"])
        if self.stream is not None:
            self.stream.load_state_dict(state["stream"])
