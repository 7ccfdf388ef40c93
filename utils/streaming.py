"""Rows of a file that is larger than memory: batches streamed from HDF5, shuffled in each pass.

HDF5 reads whole chunks, so single rows in a random order cost a chunk each. The order is therefore
drawn in two steps. The chunks, in a random order, make one line of all rows; then the rows within
each window of `buffer_size` rows of that line are shuffled. Which rows a batch has follows from its
number alone: so ranks and workers share the rows, and so a pass goes on in its middle.
"""

import os
from contextlib import contextmanager

import h5py
import numpy as np
import torch
from torch import distributed
from torch.utils.data import IterableDataset, get_worker_info

from utils.fitting.checks import check_seed, check_whole_number
from utils.fitting.errors import InputError


class StreamedRows(IterableDataset):
    """Batches of the rows of one HDF5 file; each pass is an epoch, and has each row once.

    The order of an epoch follows from `seed`, its number, and how many ranks and workers there are.
    In memory are `buffer_size` rows and a chunk, for each worker, and what HDF5 keeps (at most
    8 MiB for each array). Give it to `fit` or to a loop as it is, or let workers read ahead:

        DataLoader(stream, batch_size=None, num_workers=2, persistent_workers=True)

    **Workers** share the batches, whose number and sizes stay the same. They have copies of the
    stream: those that persist count the epochs themselves, from 0 also where `fit` goes on from a
    checkpoint (without workers it goes on in the right order). Without `persistent_workers` each
    pass starts new ones, and has the order of the same epoch unless you call `set_epoch` before it.

    **Ranks** share the rows as evenly as can be, and have equally many batches, or
    DistributedDataParallel would wait for ever: a rank that would be one batch short has
    batch_size - 1 and 1 rows in its last two. At each step the ranks' batches differ by at most one
    row. With `drop_last` all batches are full, and the rows that do not fill one on each rank,
    fewer than world_size * batch_size, are left out.

    Args:
        path: the file; each pass opens it, in the process that reads.
        names: the arrays, with one row a sample. What is read at once is a chunk of the largest, or
            an eighth of the buffer if it has no chunks.
        batch_size: rows in a batch.
        buffer_size: rows shuffled together, at least batch_size; better those of several chunks.
        shuffle: False keeps the order of the file (several workers: of each one's part).
        drop_last: whether to leave out what does not fill a batch.
        seed: of the orders, 0 to 2**32 - 1.
        rank, world_size: which part this process has, counted from 0, and of how many; None asks
            torch.distributed if it is initialised by now, and else means the only one.

    Yields:
        tuple: for each name a tensor (batch, ...), with the dtype that the file has.

    Raises:
        InputError: the file or an array is missing, is not as it should be, or changes while it is
            read; or there are too few rows for the ranks.
    """

    def __init__(
        self,
        path,
        names,
        *,
        batch_size,
        buffer_size,
        shuffle=True,
        drop_last=False,
        seed=0,
        rank=None,
        world_size=None,
    ):
        if rank is None and world_size is None:
            together = distributed.is_available() and distributed.is_initialized()
            rank = distributed.get_rank() if together else 0
            world_size = distributed.get_world_size() if together else 1
        self.world_size = check_whole_number("world_size", world_size, 1)
        self.rank = check_whole_number("rank", rank, 0)
        if self.rank >= self.world_size:
            raise InputError(f"rank is {rank}, but of {world_size} the last is {world_size - 1}.")
        self.path, self.names = os.path.abspath(path), list(names)
        self.batch_size = check_whole_number("batch_size", batch_size, 1)
        self.buffer_size = check_whole_number(
            "buffer_size (which holds a batch)", buffer_size, self.batch_size
        )
        self.shuffle, self.drop_last, self.seed = shuffle, drop_last, check_seed(seed)
        self.file_bytes = None
        with self._opened() as arrays:  # not kept: an open file cannot be sent to a worker
            self.rows, self.chunk = rows_and_chunk(arrays, self.path, self.buffer_size)
            self.file_bytes = os.path.getsize(self.path)
        self.batches = batches_each(self.rows, self.world_size, self.batch_size, drop_last)
        self._next = (0, 0)  # the epoch of the next pass, and how many of its batches to leave out
        self._position = [0, 0]  # the same for now: it moves as batches are given

    def __len__(self):
        """Return the number of batches in a pass, of all workers together."""
        return self.batches

    def set_epoch(self, epoch):
        """Let the next pass have the order of this epoch, counted from 0, the one after it + 1."""
        epoch = check_whole_number("epoch", epoch, 0)
        if epoch != self._next[0]:  # or a pass goes on in its middle
            self._next, self._position = (epoch, 0), [epoch, 0]

    def state_dict(self):
        """Return where the pass stands, for a checkpoint; the state of one rank serves for all.

        Workers have copies of the stream, so with workers only you know how many batches came:
        `stream.state_dict() | {"epoch": epoch, "batches": count}` is the state then.
        """
        settings = ("seed", "shuffle", "drop_last", "batch_size", "buffer_size", "world_size")
        epoch, batches = self._position
        position = {"epoch": epoch + batches // len(self), "batches": batches % len(self)}
        return position | {name: getattr(self, name) for name in (*settings, "rows")}

    def load_state_dict(self, state):
        """Let the next pass give what was left of that one, in its order.

        Do it before the workers start, and let them be as many as they were.
        """
        for name, value in self.state_dict().items():
            if name not in ("epoch", "batches") and state["batches"] and value != state[name]:
                raise InputError(
                    f"The state is from the middle of an epoch with {name} {state[name]}, not "
                    f"{value}: rows would be lost or repeated."
                )
        self._next = (state["epoch"] + state["batches"] // len(self), state["batches"] % len(self))
        self._position = list(self._next)

    def __iter__(self):
        self._position = list(self._next)
        self._next = (self._next[0] + 1, 0)
        return self._rest_of_pass(self._position)

    def _rest_of_pass(self, position):
        """Yield the batches from a position (epoch, batches given) on, and move it along."""
        epoch, given = position
        part, first, next_batch, last = self._share(given)
        begin, end = self._place(first), self._place(last)
        line = Line(self.rows, self.chunk, self._order(-(-self.rows // self.chunk), epoch))
        buffer_rows = min(self.buffer_size, end - begin)
        with self._opened() as arrays:
            buffers = [
                np.empty((buffer_rows, *array.shape[1:]), array.dtype.newbyteorder("="))
                for array in arrays
            ]
            window = None  # the number of the one that is in the buffers
            for batch in range(next_batch, last):
                place, stop = self._place(batch), self._place(batch + 1)
                taken = []
                while place < stop:  # a batch may end in another window than it begins
                    if window != (place - begin) // self.buffer_size:
                        window = (place - begin) // self.buffer_size
                        start = begin + window * self.buffer_size
                        rows = min(self.buffer_size, end - start)
                        self._read(line.pieces(start, start + rows), arrays, buffers)
                        order = self._order(rows, epoch, self.rank, part, window)
                    chosen = order[place - start : stop - start]
                    taken.append([buffer[chosen] for buffer in buffers])
                    place += len(chosen)
                position[1] += 1
                columns = zip(*taken, strict=True)  # the parts of a batch, array by array
                yield tuple(torch.from_numpy(np.concatenate(parts)) for parts in columns)

    def _share(self, given):
        """Return which part of its rank's batches this worker has, its bounds, and what is next."""
        worker = get_worker_info()
        workers = 1 if worker is None else worker.num_workers
        # A loader takes one batch from each worker in turn. After a resume it begins with worker 0,
        # who then has the part of the one whose turn it would be.
        part = 0 if worker is None else (worker.id + given) % workers
        each, more = divmod(self.batches, workers)
        first = part * each + min(part, more)
        given_of_part = (given - part + workers - 1) // workers
        return part, first, first + given_of_part, first + each + (part < more)

    def _place(self, batch):
        """Return where in the line a batch of this rank begins."""
        if self.drop_last:
            return (self.rank * self.batches + batch) * self.batch_size
        begin, end = (self.rows * rank // self.world_size for rank in (self.rank, self.rank + 1))
        # After full batches, but early enough to leave a row for each batch that is to come.
        return min(begin + batch * self.batch_size, end - (self.batches - batch))

    def _order(self, number, *key):
        """Return an order of so many things: always the same for the seed and this key."""
        if not self.shuffle:
            return np.arange(number)
        return np.random.RandomState([self.seed, *key]).permutation(number)

    def _read(self, pieces, arrays, buffers):
        """Copy pieces of the arrays into the buffers, one behind the other."""
        filled = 0
        for start, stop in pieces:
            for array, buffer in zip(arrays, buffers, strict=True):
                buffer[filled : filled + stop - start] = array[start:stop]
            filled += stop - start
        self._check_size()  # HDF5 reads what is behind the end of a file as zeros, without a word

    def _check_size(self):
        """Refuse a file that has not the size any more that it had at first."""
        now, before = os.path.getsize(self.path), self.file_bytes
        if before is not None and now != before:
            raise InputError(
                f"{self.path} has {now:,} bytes, but had {before:,}: something has cut it short or "
                "written into it, so begin again with the whole file."
            )

    @contextmanager
    def _opened(self):
        """Open the file, give its arrays in the order of the names, and close it."""
        try:
            self._check_size()
            with h5py.File(self.path, "r") as file:
                for name in self.names:
                    if not isinstance(file.get(name), h5py.Dataset):
                        there = ", ".join(file)
                        raise InputError(f"{self.path} has no array {name!r}; it has: {there}.")
                yield [file[name] for name in self.names]
        except FileNotFoundError:
            raise InputError(f"There is no file {self.path}.") from None
        except (OSError, RuntimeError) as error:  # in the words of the HDF5 library
            raise InputError(
                f"{self.path} is cut short, or no HDF5 file that can be read: {error}."
            ) from error


class Line:
    """All rows of the file, chunk by chunk in some order.

    Args:
        rows: how many there are.
        chunk: rows in a chunk; the last in the file may have fewer.
        order: the numbers of the chunks, in the order in which they stand in the line.
    """

    def __init__(self, rows, chunk, order):
        self.stops = np.minimum((order + 1) * chunk, rows)  # where each ends in the file ...
        self.ends = np.cumsum(self.stops - order * chunk)  # ... and in the line

    def pieces(self, place, end):
        """Yield (start, stop) in the file of what stands in the line from `place` to `end`."""
        number = np.searchsorted(self.ends, place, side="right")
        while place < end:
            left = self.ends[number] - place  # rows of this chunk
            start = self.stops[number] - left
            yield start, start + min(left, end - place)
            place, number = place + left, number + 1


def rows_and_chunk(arrays, path, buffer_size):
    """Return the number of rows of arrays that go together, and how many are read at once."""
    for array in arrays:
        if not array.shape or array.dtype.kind not in "biuf":
            raise InputError(
                f"{path}: {array.name} must hold numbers, one row a sample, not {array.dtype} of "
                f"shape {array.shape}."
            )
    lengths = {array.name.removeprefix("/"): len(array) for array in arrays}
    if len(set(lengths.values())) != 1:
        raise InputError(f"{path}: the arrays must have the same number of rows, not {lengths}.")
    largest = max(arrays, key=lambda array: array.nbytes)
    return len(largest), largest.chunks[0] if largest.chunks else max(1, buffer_size // 8)


def batches_each(rows, world_size, batch_size, drop_last):
    """Return how many batches each rank has."""
    if drop_last:
        batches = rows // (world_size * batch_size)
    else:
        longest = -(-rows // world_size)  # rounded up
        batches = -(-longest // batch_size)
    if not 0 < batches <= rows // world_size:
        raise InputError(
            f"{rows} rows do not make batches of {batch_size}, as many for each rank "
            f"(world_size is {world_size}): take another batch_size, or fewer ranks."
        )
    return batches
