"""How fast training is: `python -m tools.bench` prints three tables.

The networks of notebook 02, part C, on 1000 points in batches of 64, with one thread. Compared are
(a) the bare loop: consecutive slices, forward, loss, zero_grad, backward, step;
(b) the loop of published courses: DataLoader(TensorDataset), loss.item() in each step;
`fit` with shuffling, history and progress bar, and `fit_many`, which includes making the networks.
For one of the networks also forward, loss and backward of (a) alone, and the same inside `trace`.
The runs alternate and medians are printed, so that a busy moment does not favour one of them.
Times are microseconds a step (for fit_many, a step of one member), then each over that of (a), and
that of (b) over each.

A second table has rows a second, as thousands, without any training: batches of 64 shuffled rows of
784 numbers (float32) and a label, from tensors in memory and from an HDF5 file with chunks of 64
rows, by a DataLoader over single rows and by `StreamedRows`. The file is in the system's cache.

A third table has milliseconds a step over the width of the hidden layer, 64-width-10, ReLU, Adam,
batches of 64: on one core, on all cores, and on an accelerator if there is one.
"""

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext, redirect_stderr
from functools import partial
from pathlib import Path

import h5py
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from tools.settings import LAUNCHER
from tools.setup.console import guarded
from utils.ensemble import fit_many
from utils.fitting.batches import Batches
from utils.streaming import StreamedRows
from utils.tracing import trace
from utils.training import fit, seed_everything

BATCH_SIZE, SAMPLES = 64, 1000
STEPS = SAMPLES // BATCH_SIZE  # an epoch; the last batch, which is not full, is left out
MAIN = "1-10-5-1 Tanh"
MEMBERS = (1, 8, 32, 128)
AT_MOST = {"fit": 1.10}  # times (a)
AT_LEAST = {32: 18, 128: 35}  # member-steps in the time of a step of (b)
ROWS = 8192  # of the second table, 26 MB
WIDTHS = (16, 64, 256, 1024, 4096, 16384)  # of the third


def network(units, activation):
    """Linear layers of these sizes with an activation between them."""
    layers = []
    for features, outputs in zip(units, units[1:], strict=False):
        layers += [nn.Linear(features, outputs), activation()]
    return nn.Sequential(*layers[:-1])


NETWORKS = {
    "1-5-1 LeakyReLU": partial(network, (1, 5, 1), nn.LeakyReLU),
    "1-5-1 Tanh": partial(network, (1, 5, 1), nn.Tanh),
    MAIN: partial(network, (1, 10, 5, 1), nn.Tanh),
    "1-10-5-1 LeakyReLU": partial(network, (1, 10, 5, 1), nn.LeakyReLU),
}


def data(samples=SAMPLES):
    """Inputs (n, 1) on [0, 1] and the curve of notebook 02, part C, at them."""
    x = torch.linspace(0, 1, samples).reshape(-1, 1)
    return x, 0.5 * torch.sin(x) * torch.cos(10 * x)


def bare_loop(make_model, adam, x, y, epochs):
    """(a)"""
    model, loss_fn = make_model(), nn.MSELoss()
    optimizer = adam(model.parameters())
    for _ in range(epochs):
        for start in range(0, len(x) - BATCH_SIZE + 1, BATCH_SIZE):
            outputs = model(x[start : start + BATCH_SIZE])
            loss = loss_fn(outputs, y[start : start + BATCH_SIZE])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def course_loop(make_model, adam, x, y, epochs):
    """(b)"""
    model, loss_fn = make_model(), nn.MSELoss()
    optimizer = adam(model.parameters())
    loader = DataLoader(TensorDataset(x, y), BATCH_SIZE, shuffle=True, drop_last=True)
    for _ in range(epochs):
        total = 0.0
        for inputs, targets in loader:
            loss = loss_fn(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()


def passes(make_model, adam, x, y, epochs, context=nullcontext):
    """Forward, loss and backward of (a), without the optimizer; each in a context of its own."""
    model, loss_fn = make_model(), nn.MSELoss()
    for _ in range(epochs):
        for start in range(0, len(x) - BATCH_SIZE + 1, BATCH_SIZE):
            with context(model):
                outputs = model(x[start : start + BATCH_SIZE])
                loss_fn(outputs, y[start : start + BATCH_SIZE]).backward()


def traced_passes(make_model, adam, x, y, epochs):
    """The same inside `trace`, whose hooks are made and removed for each pass."""
    passes(make_model, adam, x, y, epochs, context=trace)


def with_fit(make_model, adam, x, y, epochs):
    """`fit`, with everything on."""
    model = make_model()
    settings = {"batch_size": BATCH_SIZE, "drop_last": True, "progress": True}
    fit(model, (x, y), nn.MSELoss(), adam(model.parameters()), epochs, **settings)


def with_fit_many(make_model, adam, x, y, epochs, members):
    """`fit_many`, with everything on."""
    settings = {"batch_size": BATCH_SIZE, "drop_last": True, "progress": True}
    fit_many(make_model, (x, y), nn.MSELoss(), adam, epochs, range(members), **settings)


def timed(function, *arguments, clock=time.perf_counter):
    """Seconds that a call takes; its progress bar is drawn, but not shown."""
    with redirect_stderr(io.StringIO()):
        start = clock()
        function(*arguments)
        return clock() - start


def alternate(runs, rounds, clock):
    """Median seconds by name of functions without arguments, run in turn."""
    seconds = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            seconds[name].append(timed(run, clock=clock))
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
    return {name: statistics.median(times) for name, times in seconds.items()}


def steps_table(epochs, rounds, clock):
    """The rows for one network at a time and for many."""
    adam = partial(torch.optim.Adam, lr=1e-2)
    fused = partial(torch.optim.Adam, lr=1e-2, fused=True)
    cases = [(name, "Adam", adam) for name in NETWORKS] + [(MAIN, "fused Adam", fused)]
    one = {"(a)": bare_loop, "(b)": course_loop, "fit": with_fit}
    x, y = data()
    runs, member_steps = {}, {}
    for name, optimizer_name, optimizer in cases:
        case = (name, optimizer_name)
        also = {"pass": passes, "pass in trace": traced_passes} if case == (MAIN, "Adam") else {}
        for what, function in (one | also).items():
            runs[(*case, what)] = partial(function, NETWORKS[name], optimizer, x, y, epochs)
            member_steps[(*case, what)] = STEPS * epochs
        if optimizer_name == "Adam":
            for members in MEMBERS if name == MAIN else (32,):
                run = partial(with_fit_many, NETWORKS[name], adam, x, y, epochs, members)
                runs[(*case, members)] = run
                member_steps[(*case, members)] = STEPS * epochs * members
    for members in (1, 2):  # what torch loads and compiles once is not counted
        timed(with_fit_many, NETWORKS[MAIN], adam, x, y, 1, members)
    seconds = alternate(runs, rounds, clock)
    cost = {key: seconds[key] / member_steps[key] * 1e6 for key in runs}
    print(f"{'network':20}{'optimizer':12}{'what':15}{'us/step':>8}{'/ (a)':>7}{'(b) /':>7}  goal")
    for name, optimizer_name, what in runs:
        own = cost[name, optimizer_name, what]
        to_bare = own / cost[name, optimizer_name, "(a)"]
        to_course = cost[name, optimizer_name, "(b)"] / own
        label = f"fit_many, {what}" if what in MEMBERS else what
        goal = ""
        if what in AT_MOST:
            goal = f"/ (a) at most {AT_MOST[what]:.2f}, {reached(to_bare <= AT_MOST[what])}"
        if what in AT_LEAST:
            goal = f"(b) / at least {AT_LEAST[what]}, {reached(to_course >= AT_LEAST[what])}"
        numbers = f"{own:8.1f}{to_bare:7.2f}{to_course:7.1f}"
        print(f"{name:20}{optimizer_name:12}{label:15}{numbers}  {goal}".rstrip())


class RowsOfFile(Dataset):
    """The rows of an HDF5 file, one at a time, as other courses read it."""

    def __init__(self, path):
        self.file = h5py.File(path, "r")
        self.x, self.y = self.file["x"], self.file["y"]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, row):
        return torch.from_numpy(self.x[row]), int(self.y[row])


def all_batches(batches):
    """Go through the data once, and do nothing with it."""
    for _, targets in batches:
        assert len(targets) == BATCH_SIZE


def rows_table(rows, rounds, clock):
    """The table of rows a second."""
    x, y = torch.rand(rows, 784), torch.arange(rows)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "rows.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("x", data=x.numpy(), chunks=(64, 784))
            file.create_dataset("y", data=y.numpy(), chunks=(64,))
        sources = {
            "tensors, as `fit` takes them": Batches((x, y), "cpu", BATCH_SIZE, shuffle=True),
            "tensors, DataLoader(TensorDataset)": DataLoader(
                TensorDataset(x, y), BATCH_SIZE, shuffle=True
            ),
            "file, DataLoader row by row": DataLoader(RowsOfFile(path), BATCH_SIZE, shuffle=True),
            "file, StreamedRows": StreamedRows(
                path, ["x", "y"], batch_size=BATCH_SIZE, buffer_size=1024
            ),
        }
        runs = {name: partial(all_batches, source) for name, source in sources.items()}
        seconds = alternate(runs, rounds, clock)
        sources["file, DataLoader row by row"].dataset.file.close()
    print(f"\n{'shuffled batches of 64 rows from':36}{'1000 rows/s':>12}")
    for name, taken in seconds.items():
        print(f"{name:36}{rows / taken / 1000:12.1f}")


def places():
    """Return where a step can be computed: name -> (device, threads)."""
    found = {"one core": ("cpu", 1)}
    if (cores := os.cpu_count()) > 1:
        found[f"{cores} cores"] = ("cpu", cores)
    if torch.accelerator.is_available():
        device = torch.accelerator.current_accelerator().type
        found[device] = (device, 1)
    return found


def steps_of_width(width, device, threads, steps):
    """Take so many training steps on random inputs, and wait until they are done."""
    torch.set_num_threads(threads)
    model = network((64, width, 10), nn.ReLU).to(device)
    optimizer, loss_fn = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    x, y = torch.rand(64, 64, device=device), torch.arange(64, device=device) % 10
    for _ in range(steps):
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    if device != "cpu":
        torch.accelerator.synchronize()  # it only queues what it is asked


def widths_table(widths, steps, rounds, clock):
    """The table of milliseconds a step."""
    runs = {
        (width, name): partial(steps_of_width, width, device, threads, steps)
        for width in widths
        for name, (device, threads) in places().items()
    }
    for run in runs.values():  # the first call on a device loads its libraries
        run()
    seconds = alternate(runs, rounds, clock)
    torch.set_num_threads(1)
    print("\nms a step, hidden units:" + "".join(f"{width:>9}" for width in widths))
    for name in places():
        times = [seconds[width, name] / steps * 1000 for width in widths]
        print(f"{name:24}" + "".join(f"{time:9.2f}" for time in times))


def reached(condition):
    """In words."""
    return "reached" if condition else "missed"


def main(arguments=None):
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(prog=f"{LAUNCHER} bench", description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=200, help="epochs of 15 steps in each run")
    parser.add_argument("--rounds", type=int, default=5, help="how often each run is repeated")
    parser.add_argument("--cpu-time", action="store_true", help="for a machine that others use too")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    seed_everything(0)
    print(
        f"torch {torch.__version__}, one thread, {options.rounds} rounds of {options.epochs} epochs"
    )
    clock = time.process_time if options.cpu_time else time.perf_counter
    steps_table(options.epochs, options.rounds, clock)
    rows_table(ROWS, options.rounds, clock)
    widths_table(WIDTHS, STEPS, options.rounds, clock)


if __name__ == "__main__":
    sys.exit(guarded(main))
