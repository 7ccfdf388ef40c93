"""Batches of inputs and targets, and the means over samples of what is measured on them."""

import torch

from utils.fitting import checks

BYTES_AT_ONCE = 2**18


class Batches:
    """One pass over the data, in batches on the model's device, each time it is iterated.

    data: a pair (inputs, targets) of tensors with n samples each, or an iterable of such pairs of
        batches, for example a `DataLoader`.
    device: where the batches are wanted.
    batch_size: samples in a batch of a pair; None, or n, takes all samples at once, as they are.
    shuffle, drop_last: for a pair, whether each pass has a new order, and whether a last batch that
        is not full is left out. An iterable decides both itself.
    seed: of the generator that draws the orders; the global random state is left alone.

    A pair is never copied on its own device: a pass draws one permutation, and picks the samples
    of one batch at a time (of several, if they are small).
    """

    def __init__(self, data, device, batch_size=None, shuffle=False, drop_last=False, seed=0):
        self.device = device
        self.pair = checks.is_pair(data)
        batch_size = None if batch_size is None else int(batch_size)  # not a number of NumPy
        self.settings = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
        self.settings |= {"seed": seed, "samples": len(data[0]) if self.pair else None}
        if not self.pair:
            self.data = data
            # Without a generator of its own, a DataLoader draws from torch's.
            self.generator = getattr(data, "generator", None)
            return
        self.generator = torch.Generator().manual_seed(int(seed))
        self.inputs, self.targets = (tensor.detach().to(device) for tensor in data)
        samples = len(self.inputs)
        self.batch_size = batch_size or samples
        # In one batch of everything the order changes nothing but the rounding.
        self.shuffle = shuffle and self.batch_size < samples
        self.end = samples - samples % self.batch_size if drop_last else samples

    def __iter__(self):
        return self._from_pair() if self.pair else self._from_iterable()

    def _from_pair(self):
        samples, size = len(self.inputs), self.batch_size
        if size == samples:
            yield self.inputs, self.targets
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
            yield from zip(inputs.split(size), targets.split(size), strict=True)

    def _from_iterable(self):
        number = 0
        for number, batch in enumerate(self.data, start=1):
            inputs, targets = checks.check_batch(batch, number)
            yield inputs.to(self.device), targets.to(self.device)
        if number == 0:
            raise checks.nothing_yielded(self.data)

    def state_dict(self):
        """Where the generator of the orders stands, for a checkpoint."""
        return {"generator": self.generator.get_state()} if self.generator is not None else {}

    def load_state_dict(self, state):
        """Set the generator to where it stood."""
        if self.generator is not None:
            self.generator.set_state(state["generator"])


class Means:
    """Means per sample of a loss, and perhaps of metrics, that come batch by batch."""

    def __init__(self):
        self.sizes, self.losses, self.metrics = [], [], {}

    def add(self, size, loss, metrics):
        """Take in the loss and the metrics (by name) of a batch of `size` samples."""
        self.sizes.append(size)
        self.losses.append(read_early(loss))
        for name, number in metrics.items():
            self.metrics.setdefault(name, []).append(read_early(number, name))

    def read(self):
        """The means by name: loss, and the metrics."""
        self.losses = read_late(self.losses)
        columns = {name: read_late(column) for name, column in self.metrics.items()}
        columns, samples = {"loss": self.losses} | columns, sum(self.sizes)
        return {
            name: sum(mean * size for mean, size in zip(column, self.sizes, strict=True)) / samples
            for name, column in columns.items()
        }


def read_early(number, name="loss_fn"):
    """A number on the CPU is read at once. On another device that would make each step wait for
    the device, so the tensor is kept there until the epoch ends."""
    if not torch.is_tensor(number):
        return float(number)
    checks.check_one_number(number, name)
    return number.item() if number.is_cpu else number.detach()


def read_late(column):
    """All numbers that `read_early` gave, as floats."""
    return torch.stack(column).tolist() if torch.is_tensor(column[0]) else column
