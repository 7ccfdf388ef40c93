"""Rows streamed from a file: each once, in orders that can be had again, in little memory."""

import multiprocessing
import os
import pickle
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
from small_networks import assert_same, sgd, small_network
from torch import nn
from torch.utils.data import DataLoader

from utils import streaming
from utils.fitting.errors import InputError
from utils.streaming import StreamedRows
from utils.training import fit


def write(path, rows, chunk, **settings):
    """x (rows, 2) in chunks, y (rows,) without; each row holds its number."""
    numbers = np.arange(rows, dtype=np.float32)
    with h5py.File(path, "w") as file:
        x = np.stack([numbers, -numbers], axis=1)
        file.create_dataset("x", data=x, chunks=chunk and (chunk, 2), **settings)
        file["y"] = np.arange(rows)
    return path


@pytest.fixture(scope="module")
def file_of(tmp_path_factory):
    """A function that returns a file of so many rows in such chunks, made once."""
    folder, made = tmp_path_factory.mktemp("streams"), {}

    def get(rows, chunk=7):
        name = f"{rows}-{chunk}.h5"
        if name not in made:
            made[name] = write(folder / name, rows, chunk)
        return made[name]

    return get


def stream_of(path, batch_size=8, buffer_size=40, **settings):
    return StreamedRows(
        path, ["x", "y"], batch_size=batch_size, buffer_size=buffer_size, **settings
    )


def numbers(batches):
    """The numbers of the rows of each batch, whose arrays must belong together."""
    batches = list(batches)
    for x, y in batches:
        assert torch.equal(x[:, 0], y.float()) and torch.equal(x[:, 1], -y.float())
    return [y.tolist() for _, y in batches]


def passes(stream, workers, monkeypatch):
    """What each of so many workers gives in the next pass; without processes, to be quick."""
    given = []
    for number in range(workers):
        worker = SimpleNamespace(id=number, num_workers=workers)
        copy = pickle.loads(pickle.dumps(stream))
        with monkeypatch.context() as patched:
            patched.setattr(streaming, "get_worker_info", lambda worker=worker: worker)
            given.append(numbers(copy))
    return given


def in_turn(workers):
    """The batches of the workers in the order of a loader."""
    workers = [list(batches) for batches in workers]
    rounds = max(map(len, workers))
    return [batches[i] for i in range(rounds) for batches in workers if i < len(batches)]


# Each row once ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [101, 1000, 1024])
@pytest.mark.parametrize("chunk", [7, 64, 300, None])
@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
def test_each_row_once_over_ranks_and_workers(rows, chunk, world_size, file_of, monkeypatch):
    if chunk is not None and chunk > rows:
        chunk = rows
    settings = {"batch_size": 25, "buffer_size": 60, "world_size": world_size}
    streams = [stream_of(file_of(rows, chunk), rank=r, **settings) for r in range(world_size)]
    for workers in (1, 2, 3, 4):
        ranks = [in_turn(passes(stream, workers, monkeypatch)) for stream in streams]
        assert sorted(sum(sum(ranks, []), [])) == list(range(rows))
        assert {len(batches) for batches in ranks} == {len(streams[0])}
        sizes = [[len(batch) for batch in batches] for batches in ranks]
        assert max(map(sum, sizes)) - min(map(sum, sizes)) <= 1
        # DistributedDataParallel takes the mean over ranks, as if their batches were equal.
        assert all(max(step) - min(step) <= 1 for step in zip(*sizes, strict=True))
        assert all(0 < size <= 25 for size in sum(sizes, []))


def test_a_rank_that_would_be_a_batch_short(file_of):
    streams = [
        stream_of(file_of(101), batch_size=5, rank=rank, world_size=4, buffer_size=8)
        for rank in range(4)
    ]
    sizes = [[len(batch) for batch in numbers(stream)] for stream in streams]
    assert sizes == [[5, 5, 5, 5, 4, 1]] * 3 + [[5, 5, 5, 5, 5, 1]]


def test_ranks_come_from_torch_distributed(file_of, monkeypatch):
    for name, value in {"is_initialized": True, "get_rank": 2, "get_world_size": 3}.items():
        monkeypatch.setattr(torch.distributed, name, lambda value=value: value)
    stream = pickle.loads(pickle.dumps(stream_of(file_of(101))))
    monkeypatch.undo()  # as in a worker, where nothing is initialised
    assert numbers(stream) == numbers(stream_of(file_of(101), rank=2, world_size=3))


def test_drop_last_gives_full_batches_and_drops_what_is_said(file_of, monkeypatch):
    dropped = []
    streams = [
        stream_of(file_of(101), drop_last=True, rank=rank, world_size=3) for rank in range(3)
    ]
    for _ in range(2):
        batches = sum((sum(passes(stream, 2, monkeypatch), []) for stream in streams), [])
        given = sum(batches, [])
        assert {len(batch) for batch in batches} == {8}
        assert len(set(given)) == len(given) == 3 * 8 * 4 == 3 * 8 * len(streams[0])
        dropped.append(set(range(101)) - set(given))
        for stream in streams:
            stream.set_epoch(1)
    assert dropped[0] != dropped[1]


more_workers_than_cores = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@more_workers_than_cores
@pytest.mark.parametrize(
    "method, workers, world_size",
    [
        ("fork", 1, 1),
        ("fork", 3, 4),
        pytest.param("spawn", 2, 1, marks=pytest.mark.full),
        pytest.param("forkserver", 4, 1, marks=pytest.mark.full),
    ],
)
def test_real_workers(method, workers, world_size, file_of, monkeypatch):
    if sys.platform != "linux" and method != "spawn":
        pytest.skip(f"{method} is for Linux")
    lasting = {"persistent_workers": True, "multiprocessing_context": method}
    together = [[], []]
    for rank in range(world_size):
        stream = stream_of(file_of(101), rank=rank, world_size=world_size)
        next(iter(stream))  # a pass under way in this process is no concern of theirs
        stream.set_epoch(0)
        loader = DataLoader(stream, batch_size=None, num_workers=workers, **lasting)
        assert len(loader) == len(stream)
        for epoch in range(2):  # each worker counts the epochs
            stream.set_epoch(epoch)
            expected = in_turn(passes(stream, workers, monkeypatch))
            assert numbers(loader) == expected
            together[epoch] += sum(expected, [])
    assert sorted(together[0]) == sorted(together[1]) == list(range(101))


@more_workers_than_cores
def test_real_workers_go_on_in_the_middle_of_an_epoch(file_of, monkeypatch):
    stream = stream_of(file_of(101))
    state = stream.state_dict() | {"epoch": 1}
    stream.load_state_dict(state)
    whole = in_turn(passes(stream, 3, monkeypatch))
    stream.load_state_dict(state | {"batches": 5})
    assert numbers(DataLoader(stream, batch_size=None, num_workers=3)) == whole[5:]


# Orders -----------------------------------------------------------------------------------------


def test_each_epoch_has_an_order_that_can_be_had_again(file_of):
    path = file_of(1000)
    stream = stream_of(path)
    first, second = numbers(stream), numbers(stream)
    assert first != second
    again = stream_of(path)
    again.set_epoch(1)
    assert numbers(again) == second
    again.set_epoch(0)
    assert numbers(again) == first
    assert numbers(again) == second
    assert numbers(stream_of(path, seed=1)) != first


def test_workers_without_a_set_epoch_repeat_the_order(file_of):
    """As is said: new workers get a new copy of the stream."""
    stream = stream_of(file_of(101))
    loader = DataLoader(stream, batch_size=None, num_workers=1)
    first = numbers(loader)
    assert numbers(loader) == first
    stream.set_epoch(1)
    assert numbers(loader) != first


def test_the_global_random_state_is_left_alone(file_of):
    torch.manual_seed(3)
    np.random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    numbers(stream_of(file_of(101)))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


def test_without_shuffling_rows_come_as_in_the_file(file_of):
    path = file_of(101)
    assert sum(numbers(stream_of(path, shuffle=False)), []) == list(range(101))
    parts = [stream_of(path, shuffle=False, rank=rank, world_size=3) for rank in range(3)]
    assert sum(sum(map(numbers, parts), []), []) == list(range(101))


def test_rows_mix_within_a_window_of_chunks_in_any_order(file_of):
    rows = sum(numbers(stream_of(file_of(1000, 10), buffer_size=100)), [])
    for start in range(0, 1000, 100):
        window = rows[start : start + 100]
        chunks = {row // 10 for row in window}
        assert len(chunks) == 10  # whole chunks
        assert max(chunks) - min(chunks) > 20  # from all over the file
        assert window != sorted(window)
        assert len({row // 10 for row in window[:10]}) > 3  # not chunk by chunk


def test_no_window_has_the_order_of_another(file_of):
    path = file_of(1000, 1000)  # a single chunk, so all orders are those of windows
    orders = []
    for rank in range(2):
        stream = stream_of(path, batch_size=50, buffer_size=50, rank=rank, world_size=2)
        for _ in range(2):
            orders += [[row % 50 for row in batch] for batch in numbers(stream)]
    assert len({tuple(order) for order in orders}) == 2 * 2 * 10


def test_chunks_are_read_whole_and_once(file_of, monkeypatch):
    reads = []
    pieces = streaming.Line.pieces

    def watched(line, place, end):
        for piece in pieces(line, place, end):
            reads.append(piece)
            yield piece

    monkeypatch.setattr(streaming.Line, "pieces", watched)
    numbers(stream_of(file_of(1000, 10), buffer_size=100))
    assert sorted(reads) == [(start, start + 10) for start in range(0, 1000, 10)]
    reads.clear()
    numbers(stream_of(file_of(1000, None), buffer_size=80))  # no chunks: an eighth of the buffer
    assert sorted(reads) == [(start, start + 10) for start in range(0, 1000, 10)]


def test_dtypes_and_shapes_are_those_of_the_file(tmp_path):
    arrays = {
        "image": np.arange(60, dtype=np.uint8).reshape(5, 3, 4),
        "big": np.arange(5, dtype=">f8"),
        "wide": np.arange(5, dtype=np.uint16),
        "flag": np.array([True, False, True, True, False]),
    }
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values in arrays.items():
            file[f"part/{name}"] = values
    names = [f"part/{name}" for name in arrays]
    stream = StreamedRows(tmp_path / "a.h5", names, batch_size=5, buffer_size=5, shuffle=False)
    (batch,) = stream
    dtypes = [torch.uint8, torch.float64, torch.uint16, torch.bool]
    assert [values.dtype for values in batch] == dtypes
    for values, expected in zip(batch, arrays.values(), strict=True):
        assert values.tolist() == expected.tolist()
    kept = batch[0].clone()
    list(stream)  # batches are no windows onto a buffer that changes
    assert torch.equal(batch[0], kept)


# In the middle of an epoch ----------------------------------------------------------------------


@pytest.mark.parametrize("given", [0, 1, 6, 12, 13])
def test_resume_gives_the_rest_of_the_epoch(given, file_of):
    stream = stream_of(file_of(101))
    numbers(stream)
    whole, next_epoch = numbers(stream), numbers(stream)
    stream.set_epoch(1)
    running = iter(stream)
    done = numbers(next(running) for _ in range(given))
    state = pickle.loads(pickle.dumps(stream.state_dict()))
    resumed = stream_of(file_of(101))
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    if given < 13:
        assert done + numbers(resumed) == whole
    assert numbers(resumed) == next_epoch
    assert stream.state_dict() == state  # the other one has not moved


def test_resume_with_workers_and_on_another_rank(file_of, monkeypatch):
    streams = [stream_of(file_of(1000), rank=rank, world_size=2) for rank in range(2)]
    state = streams[0].state_dict() | {"epoch": 3}
    for workers in (1, 2, 3, 4):
        streams[1].load_state_dict(state)
        whole = in_turn(passes(streams[1], workers, monkeypatch))
        for given in (1, 2, 7, 60, 61, 62):
            streams[1].load_state_dict(state | {"batches": given})
            assert in_turn(passes(streams[1], workers, monkeypatch)) == whole[given:]


def test_a_loop_may_set_the_epoch_that_it_goes_on_in(file_of):
    stream = stream_of(file_of(101))
    stream.load_state_dict(stream.state_dict() | {"epoch": 2, "batches": 10})
    stream.set_epoch(2)
    assert len(numbers(stream)) == 3
    stream.set_epoch(2)
    assert len(numbers(stream)) == 13


def test_a_state_of_other_settings(file_of):
    state = stream_of(file_of(101), world_size=2, rank=0).state_dict() | {"epoch": 4}
    stream = stream_of(file_of(101))
    stream.load_state_dict(state)  # between two epochs
    assert stream.state_dict()["epoch"] == 4
    with pytest.raises(InputError, match="middle of an epoch with world_size 2, not 1"):
        stream.load_state_dict(state | {"batches": 2})


# With fit ---------------------------------------------------------------------------------------


def shrink(batch):
    """A loader's collate_fn."""
    x, y = batch
    return x / 1000, (y / 1000).unsqueeze(1)


def test_fit_over_the_stream_is_fit_over_its_batches(file_of):
    path = file_of(101)
    stream = stream_of(path)
    batches = [[shrink(batch) for batch in stream] for _ in range(3)]
    listed = small_network(features=2)
    for epoch in batches:
        fit(listed, epoch, nn.MSELoss(), sgd(listed), 1)
    settings = {"batch_size": None, "collate_fn": shrink}
    for workers in (0, 1):
        loader = DataLoader(
            stream_of(path), num_workers=workers, persistent_workers=workers > 0, **settings
        )
        model = small_network(features=2)
        history = fit(model, loader, nn.MSELoss(), sgd(model), 3)
        assert_same(model, listed)
        assert history.steps == 3 * 13


def test_fit_takes_the_stream_itself(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
        file["y"] = np.sin(file["x"][:])
    stream = stream_of(tmp_path / "a.h5")
    batches = [list(stream), list(stream)]
    listed, model = small_network(), small_network()
    for epoch in batches:
        fit(listed, epoch, nn.MSELoss(), sgd(listed), 1)
    everything = stream_of(tmp_path / "a.h5", batch_size=50, buffer_size=50, shuffle=False)
    stream.set_epoch(0)
    history = fit(model, stream, nn.MSELoss(), sgd(model), 2, validation=everything)
    assert_same(model, listed)
    assert len(history.validation_loss) == 2


@pytest.mark.parametrize("in_loader", [False, True])
def test_a_training_goes_on_from_its_checkpoint_in_the_order_of_the_stream(tmp_path, in_loader):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
        file["y"] = np.sin(file["x"][:])

    def train(epochs, checkpoint):
        model, stream = small_network(), stream_of(tmp_path / "a.h5")
        data = DataLoader(stream, batch_size=None) if in_loader else stream
        fit(model, data, nn.MSELoss(), sgd(model), epochs, checkpoint=checkpoint)
        return model

    for epochs in (2, 4):
        model = train(epochs, tmp_path / "checkpoint")
    assert_same(model, train(4, None))


# What goes wrong --------------------------------------------------------------------------------


def test_settings_that_cannot_be_meant(file_of):
    for words, settings in {
        r"buffer_size .*at least 8, not 7": {"buffer_size": 7},
        r"batch_size must be .* at least 1, not 0": {"batch_size": 0},
        r"rank is 2, but of 2 the last is 1": {"rank": 2, "world_size": 2},
        r"world_size must be .* not None": {"rank": 0},
        r"101 rows do not make batches of 8, .*world_size is 200": {"rank": 0, "world_size": 200},
        r"101 rows do not make batches of 1, .*world_size is 2": {
            "batch_size": 1,
            "rank": 0,
            "world_size": 2,
        },
        r"101 rows do not make batches of 102": {
            "batch_size": 102,
            "buffer_size": 102,
            "drop_last": True,
        },
        r"seed must be below": {"seed": 2**32},
    }.items():
        with pytest.raises(InputError, match=words):
            stream_of(file_of(101), **settings)


def test_files_that_do_not_serve(tmp_path, file_of):
    path = tmp_path / "a.h5"

    def refused(words):
        with pytest.raises(InputError, match=words) as caught:
            stream_of(path)
        assert len(str(caught.value).splitlines()) == 1

    refused("There is no file .*a.h5")
    path.write_text("penguins")
    refused("a.h5 is cut short, or no HDF5 file")
    content = file_of(101).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused("a.h5 is cut short, or no HDF5 file .*truncated")
    arrays = {"x": np.zeros((4, 2))}
    for words, y in {
        r"no array 'y'; it has: x": None,
        r"same number of rows, not {'x': 4, 'y': 3}": np.zeros(3),
        r"/y must hold numbers, one row a sample, not float64 of shape \(\)": np.zeros(()),
        r"/y must hold numbers, .* not object": ["a", "b", "c", "d"],
    }.items():
        with h5py.File(path, "w") as file:
            for name, values in (arrays if y is None else arrays | {"y": y}).items():
                file[name] = values
        refused(words)
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = np.zeros((0, 2)), np.zeros(0)
    refused("0 rows do not make batches")


cuts_open_files = pytest.mark.skipif(os.name == "nt", reason="Windows cuts no file that is open")


@cuts_open_files
@pytest.mark.parametrize("chunk, compression", [(50, None), (None, None), (50, "gzip")])
def test_a_file_cut_short_while_it_streams(chunk, compression, tmp_path):
    path = write(tmp_path / "a.h5", 20_000, chunk, compression=compression)
    stream = stream_of(path, buffer_size=200)
    running = iter(stream)
    next(running)
    os.truncate(path, os.path.getsize(path) // 4)
    with pytest.raises(InputError, match=r"a.h5 (has [\d,]+ bytes, but had|is cut short)"):
        list(running)
    with pytest.raises(InputError, match=r"a.h5 has [\d,]+ bytes, but had"):
        list(stream)
    path.unlink()
    with pytest.raises(InputError, match="There is no file"):
        list(stream)


def test_a_worker_says_it_too(tmp_path):
    path = write(tmp_path / "a.h5", 1000, 50)
    loader = DataLoader(stream_of(path), batch_size=None, num_workers=1)
    os.truncate(path, 1000)
    with pytest.raises(InputError, match=r"a.h5 has 1,000 bytes, but had"):
        list(loader)


# Memory -----------------------------------------------------------------------------------------

LIMIT = 24 * 2**20  # bytes beyond what the process has when it begins
ROWS = 4 * LIMIT // 4096


def with_little_memory(path):
    """In a process of its own: exit status 0 if the stream fits in the limit and all does not."""
    import resource

    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + LIMIT
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    stream = StreamedRows(path, ["x"], batch_size=64, buffer_size=1024)
    rows = sum(len(x) for (x,) in stream)
    try:
        with h5py.File(path) as file:
            file["x"][:]
    except MemoryError:
        sys.exit(0 if rows == ROWS else 1)
    sys.exit(2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to a limit on memory")
def test_a_file_four_times_as_large_as_the_memory(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:  # rows of 4 KiB
        x = file.create_dataset("x", (ROWS, 1024), np.float32, chunks=(64, 1024))
        for start in range(0, len(x), 256):
            x[start : start + 256] = start
    process = multiprocessing.get_context("fork").Process(target=with_little_memory, args=(path,))
    process.start()
    process.join(60)
    assert process.exitcode == 0
