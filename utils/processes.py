"""What the workers and ranks of notebook 09 run: each of these processes imports it anew.

A class or a function of a cell would not do, because only the notebook's own process has it.
"""

import os
import time
import warnings

import torch
from torch import distributed, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset, get_worker_info

from utils.training import fit

loss_fn = nn.CrossEntropyLoss()


def digits_network(width=128, seed=9):
    """Return 64 pixels -> so many ReLU units -> 10 logits, in float64, from this seed."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10)).double()


class SlowRows(Dataset):
    """Rows that take their time, like pictures that are read from a disk.

    Args:
        rows: how many there are.
        seconds: what one takes; it waits, so it needs no core.
    """

    def __init__(self, rows, seconds):
        self.rows, self.seconds = rows, seconds
        # Two workers that only wait have room on a single core.
        warnings.filterwarnings("ignore", "This DataLoader will create")

    def __len__(self):
        return self.rows

    def __getitem__(self, row):
        """Return the row's number, and that of the worker that read it (-1: none)."""
        time.sleep(self.seconds)
        worker = get_worker_info()
        return row, -1 if worker is None else worker.id


def averaged_gradients(x, y):
    """Return each parameter's gradient for one batch that the ranks share: (n, 64) and (n,)."""
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    model = digits_network()  # the same seed, so the same weights in each rank
    mine = slice(rank * len(x) // ranks, (rank + 1) * len(x) // ranks)  # but other rows
    loss_fn(model(x[mine]), y[mine]).backward()
    for parameter in model.parameters():
        distributed.all_reduce(parameter.grad)  # now the sum over the ranks, in each of them
        parameter.grad /= ranks
    return [parameter.grad for parameter in model.parameters()]


def train_together(x, y, epochs, checkpoint):
    """Train with `fit`, in one process or in several ranks."""
    model = digits_network()
    if distributed.is_initialized():
        model = DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    settings = {"batch_size": 64, "checkpoint": checkpoint, "progress": False}
    history = fit(model, (x, y), loss_fn, optimizer, epochs, **settings)
    return history.loss.tolist(), model.state_dict()


def bytes_reduced(x, y):
    """Return the bytes of gradients that DistributedDataParallel gives to all-reduce in a step."""
    sizes = []

    def counted(group, bucket):
        sizes.append(bucket.buffer().nbytes)
        return allreduce_hook(group, bucket)  # what it does without being asked, too

    model = DistributedDataParallel(digits_network().float())
    model.register_comm_hook(None, counted)
    loss_fn(model(x.float()), y).backward()
    return sum(sizes)


def together(x, y, checkpoint):
    """Return what two ranks find: process ids, gradients, a training, and bytes, by name."""
    ids = [None] * distributed.get_world_size()
    distributed.all_gather_object(ids, os.getpid())
    print(f"rank {distributed.get_rank()} of {distributed.get_world_size()} speaks")
    losses, state = train_together(x, y, 3, checkpoint)
    return {
        "process ids": ids,
        "gradients": averaged_gradients(x[:64], y[:64]),
        "losses": losses,
        "state": state,
        "bytes": bytes_reduced(x[:64], y[:64]),
    }


def train_sharded(x, y, steps):
    """Train a network whose parameters lie in parts in the ranks; return what rank 0 has."""
    from torch.distributed.fsdp import fully_shard  # here, as its import takes a second

    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    mesh = distributed.init_device_mesh("cpu", (ranks,))  # by default it takes GPUs if there are
    model = digits_network()
    for part in (model[0], model[2], model):
        fully_shard(part, mesh=mesh)  # from here on each rank keeps its rows of every weight
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    mine = slice(rank * len(x) // ranks, (rank + 1) * len(x) // ranks)
    for _ in range(steps):
        loss = loss_fn(model(x[mine]), y[mine])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    kept = [parameter.to_local().numel() for parameter in model.parameters()]
    return {"kept": kept, "whole": [each.full_tensor().detach() for each in model.parameters()]}
