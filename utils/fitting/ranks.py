"""A training that several processes share, each with a part of every batch.

Under `DistributedDataParallel` all ranks take the same steps: its backward pass takes the mean of
their gradients. What they decide by (losses, metrics) is added up over them, so they decide alike.
"""

import zlib

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import RandomSampler, SequentialSampler

from utils.fitting.errors import InputError


def plain(model):
    """Return the module within DistributedDataParallel, or the model itself."""
    return model.module if isinstance(model, DistributedDataParallel) else model


def speaks():
    """Return whether this process says what is said once for all: rank 0, or a lone one."""
    return not (distributed.is_available() and distributed.is_initialized()) or (
        distributed.get_rank() == 0
    )


class Ranks:
    """The processes that train a model together: those of its DistributedDataParallel, or this one.

    Attributes:
        rank, ranks: the number of this process, and how many there are; alone 0 and 1.
    """

    def __init__(self, model=None):
        self.rank, self.ranks, self.group = 0, 1, None
        if isinstance(model, DistributedDataParallel):
            self.group, self.device = model.process_group, next(model.parameters()).device
            self.rank, self.ranks = self.group.rank(), self.group.size()

    def share_of(self, batch):
        """Return this rank's rows of a batch, and their weight: 1 where all have equally many.

        The mean of the ranks' gradients, each times its weight, is the gradient of the whole batch.
        A rank for which there is no row takes one with weight 0, since all must take the step.
        """
        samples = len(batch[1])
        start, end = (samples * rank // self.ranks for rank in (self.rank, self.rank + 1))
        rows = tuple(tensor[start : max(end, start + 1)] for tensor in batch)
        return rows, (end - start) * self.ranks / samples

    def weight_of(self, batch):
        """Return the weight of this rank's own batch, 0 for None; None if no rank has one."""
        size = 0 if batch is None else len(batch[1])
        (samples,) = self.sums([size])
        return size * self.ranks / samples if samples else None

    def sums(self, numbers):
        """Return the sums of a list of numbers over the ranks, the same in all of them."""
        return self._reduced(numbers, distributed.ReduceOp.SUM)

    def smallest(self, numbers):
        """Return the smallest of each of the numbers over the ranks."""
        return self._reduced(numbers, distributed.ReduceOp.MIN)

    def _reduced(self, numbers, operation):
        if self.ranks == 1:
            return numbers
        numbers = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(numbers, operation, self.group)
        return numbers.tolist()

    def weighted(self, loss_fn, batches):
        """Return the loss whose gradient has the weight of the batch; its value stays."""
        if self.ranks == 1:
            return loss_fn

        def loss_of_share(outputs, targets):
            loss, weight = loss_fn(outputs, targets), batches.weight
            if weight != 1 and loss.requires_grad:
                loss.register_hook(lambda gradient: gradient * weight)
            return loss

        return loss_of_share

    def same_buffers(self, model):
        """Give all ranks the buffers of rank 0, such as the running means of a BatchNorm."""
        if self.ranks > 1:
            for buffer in model.buffers():
                distributed.broadcast(buffer, group=self.group, group_src=0)

    def wait(self):
        """Wait until all ranks are here."""
        self.sums([0])

    def check(self, data):
        """Refuse a DataLoader for training that gives each rank all of the data."""
        sampler = getattr(data, "sampler", None)
        if self.ranks > 1 and isinstance(sampler, RandomSampler | SequentialSampler):
            raise InputError(
                "Each rank would train on all of the data: give this DataLoader a sampler, "
                "torch.utils.data.DistributedSampler(dataset), or give fit the pair (x, y)."
            )

    def check_alike(self, batches, history):
        """Refuse ranks that begin with different pairs, orders or epochs."""
        if self.ranks == 1:
            return
        begin = [len(history), batches.settings]
        if batches.pair:
            begin += [batches.generator.get_state().tolist()]
            begin += [tensor[[0, -1]].tolist() for tensor in (batches.inputs, batches.targets)]
        own = zlib.crc32(repr(begin).encode())
        if self.smallest([own, -own]) != [own, -own]:
            raise InputError(
                "The ranks begin with different data, seeds or epochs: give each the whole pair "
                "(x, y), of which it takes its rows, the same seed, and a checkpoint that all see."
            )
