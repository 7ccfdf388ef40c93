"""What the ranks run in test_distributed.py, which imports it: each rank imports it anew."""

import os
import signal
import time

import h5py
import torch
from small_networks import awkward_network, points, small_network
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from utils.fitting.ranks import plain
from utils.streaming import StreamedRows
from utils.training import evaluate, fit

# 101 rows in batches of 16: the last has 5. 33 rows: the last has 1, too few for two ranks.
SETTINGS = {
    "momentum": {"optimizer": "SGD", "lr": 0.05, "momentum": 0.9},
    "adam": {"optimizer": "Adam", "lr": 0.01},
    "one batch": {"optimizer": "SGD", "lr": 0.1, "batch_size": None},
    "a row too few": {"optimizer": "SGD", "lr": 0.1, "rows": 33},
    "drop_last": {"optimizer": "SGD", "lr": 0.1, "drop_last": True, "shuffle": False},
    "patience": {"optimizer": "SGD", "lr": 0.1, "patience": 2, "epochs": 200},
}


def mean_error(outputs, targets):
    return (outputs - targets).abs().mean()


def pair(rows, seed=1):
    return tuple(tensor.double() for tensor in points(rows, features=2, seed=seed))


def network():
    model = small_network(features=2).double()
    return DistributedDataParallel(model) if distributed.is_initialized() else model


def numbers_of(model, history):
    """What a training came to, for `launch`, which passes no arrays of NumPy."""
    return {
        "weights": plain(model).state_dict(),
        "gradients": {name: p.grad for name, p in plain(model).named_parameters()},
        "columns": history.columns,
        "stopped": [history.stopped, history.message, history.steps],
    }


def train(optimizer, rows=101, epochs=3, batch_size=16, checkpoint=None, patience=None, **settings):
    """Train the small network; in one process or in several, the same numbers come out."""
    model = network()
    names = {"shuffle", "drop_last"} & settings.keys()
    data = {name: settings.pop(name) for name in names}
    made = getattr(torch.optim, optimizer)(model.parameters(), **settings)
    validation = pair(31, seed=2) if patience is None else tuple(-t for t in pair(31))
    history = fit(
        model,
        pair(rows),
        nn.MSELoss(),
        made,
        epochs,
        batch_size=batch_size,
        seed=3,
        validation=validation,
        metrics={"error": mean_error},
        scheduler=torch.optim.lr_scheduler.ReduceLROnPlateau(made, patience=0, threshold=0.5),
        patience=patience,
        checkpoint=checkpoint,
        progress=True,
        **data,
    )
    return numbers_of(model, history)


def train_on_own_batches():
    """Two ranks with 3 and 2 batches of different sizes, or one process with their union."""
    x, y = pair(40)
    cuts = [[(0, 8), (8, 16), (16, 21)], [(21, 29), (29, 32)]]
    own = [[(x[a:b], y[a:b]) for a, b in rank] for rank in cuts]
    if distributed.is_initialized():
        data = own[distributed.get_rank()]
    else:
        both = [tuple(map(torch.cat, zip(*two, strict=True))) for two in zip(*own, strict=False)]
        data = [*both, own[0][2]]
    model = network()
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    return numbers_of(model, fit(model, data, nn.MSELoss(), made, 3, validation=data))


def train_to_infinity():
    """The last row, in the share of rank 1 alone, makes the loss infinite in step 2."""
    x, y = pair(32)
    y[-1] = 1e200
    model = network()
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    return numbers_of(
        model, fit(model, (x, y), nn.MSELoss(), made, 2, batch_size=16, shuffle=False)
    )


def train_until_the_keyboard_stops_it():
    """Ctrl-C comes in step 3, in the last rank alone."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model, calls = network(), []

    def loss_fn(outputs, targets):
        calls.append(1)
        if len(calls) == 3 and distributed.get_rank() == distributed.get_world_size() - 1:
            signal.raise_signal(signal.SIGINT)
        return nn.functional.mse_loss(outputs, targets)

    made = torch.optim.SGD(model.parameters(), lr=0.1)
    return numbers_of(model, fit(model, pair(101), loss_fn, made, 5, batch_size=16))


def train_with_buffers():
    """Return the validation loss of a network with BatchNorm, and that of the model of rank 0."""
    x, y = points(40)
    model = DistributedDataParallel(awkward_network())
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    history = fit(model, (x, y), nn.MSELoss(), made, 2, batch_size=16, validation=(x, y))
    return history.validation_loss[-1].item(), evaluate(model, (x, y), nn.MSELoss())


def train_with_a_sampler():
    """Return which rows this rank saw in each of two epochs."""
    rows = torch.arange(12.0, dtype=torch.float64).reshape(-1, 1)
    dataset = TensorDataset(rows, rows)
    loader = DataLoader(dataset, batch_size=3, sampler=DistributedSampler(dataset))
    seen = []

    def loss_fn(outputs, targets):
        seen.extend(targets.flatten().int().tolist())
        return nn.functional.mse_loss(outputs, targets)

    model = DistributedDataParallel(small_network().double())
    fit(model, loader, loss_fn, torch.optim.SGD(model.parameters(), lr=1e-4), 2)
    return seen[-12:-6], seen[-6:]  # the first step was tried on a copy before


def write_stream(path):
    """A file of 101 rows for `train_on_a_stream`."""
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = (tensor.numpy() for tensor in pair(101))


class AtOnce:
    """At each step the rows of all the streams, in one batch."""

    def __init__(self, streams):
        self.streams = streams

    def __iter__(self):
        for batches in zip(*self.streams, strict=True):
            yield tuple(map(torch.cat, zip(*batches, strict=True)))


def train_on_a_stream(path):
    """Each of two ranks reads its part, 51 and 50 rows; one process reads both parts at once."""
    settings = {"names": ["x", "y"], "batch_size": 8, "buffer_size": 20}
    if distributed.is_initialized():
        stream = StreamedRows(path, **settings)
        data = DataLoader(stream, batch_size=None, num_workers=1, persistent_workers=True)
    else:
        data = AtOnce([StreamedRows(path, rank=n, world_size=2, **settings) for n in range(2)])
    model = network()
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    return numbers_of(model, fit(model, data, nn.MSELoss(), made, 3))


def train_on(device):
    """Return which backends there are, and the losses on a device."""
    model = small_network(features=2).double().to(device)
    backend = ""
    if distributed.is_initialized():
        model, backend = DistributedDataParallel(model), str(distributed.get_backend_config())
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    settings = {"batch_size": 16, "validation": pair(31)}
    history = fit(model, pair(101), nn.MSELoss(), made, 3, **settings)
    return backend, [history.loss.tolist(), history.validation_loss.tolist()]


def refused():
    """What fit says to ranks that would not train on the same."""
    model = network()
    made = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = pair(32)
    rank = distributed.get_rank()
    loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    halves = x[16 * rank :][:16], y[16 * rank :][:16]
    said = []
    for data, seed in ((loader, 0), (halves, 0), ((x, y), rank)):
        try:
            fit(model, data, nn.MSELoss(), made, 1, seed=seed)
        except ValueError as error:
            said.append(str(error))
    return said


def train_all(folder):
    """All of the above, in one launch; the checkpoint in the folder is of one process."""
    results = {name: train(**settings) for name, settings in SETTINGS.items()}
    results["own batches"] = train_on_own_batches()
    results["infinity"] = train_to_infinity()
    results["keyboard"] = train_until_the_keyboard_stops_it()
    results["buffers"] = train_with_buffers()
    results["orders"] = train_with_a_sampler()
    results["refused"] = refused()
    results["stream"] = train_on_a_stream(f"{folder}/stream.h5")
    resume(f"{folder}/checkpoint", 3)
    results["resumed"] = resume(f"{folder}/checkpoint", 4)  # rank 1 does not read too early
    everywhere = [None] * distributed.get_world_size()
    distributed.all_gather_object(everywhere, results)
    return everywhere


def sum_of_ranks(*numbers):
    total = torch.tensor(float(distributed.get_rank()))
    distributed.all_reduce(total)
    return total.item() + sum(numbers)


def resume(path, epochs):
    return train(**SETTINGS["momentum"], checkpoint=path, epochs=epochs)


def on_four(path, epochs):
    few = train(**SETTINGS["a row too few"])  # the last batch has a row for one of them
    return {"resumed": resume(path, epochs), "a row too few": few}


# Failures ---------------------------------------------------------------------------------------


def leave_word(folder):
    """Write this process's number into the folder, so that a test can see that it ends."""
    with open(f"{folder}/{os.getpid()}.process", "w"):
        pass


def fail(folder, how):
    """Train, until rank 1 does something else in the middle of an epoch."""
    leave_word(folder)
    ends = {"raise": complain, "kill": kill, "hang": hang, "exit": leave}
    model, calls = network(), []

    def loss_fn(outputs, targets):
        calls.append(1)
        if distributed.get_rank() == 1 and len(calls) == 10:
            ends[how]()
        return nn.functional.mse_loss(outputs, targets)

    made = torch.optim.SGD(model.parameters(), lr=0.1)
    print("Training begins.")
    fit(model, pair(101), loss_fn, made, 3, batch_size=16)


def complain():
    raise RuntimeError("row 7 is bad")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def hang():
    time.sleep(1000)


def leave():
    print("Enough of it.")
    raise SystemExit(3)


def wait_for_ever(folder):
    leave_word(folder)
    hang()
