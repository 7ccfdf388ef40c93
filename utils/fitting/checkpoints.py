"""Checkpoints: what a training needs to go on as if it had never stopped."""

import contextlib
import hashlib
import os
import time
import zipfile
from pathlib import Path

import torch

from utils.fitting.checks import shown
from utils.fitting.errors import InputError
from utils.fitting.ranks import speaks

SECONDS_BETWEEN_WRITES = 10  # a small network has hundreds of epochs in that time
START_ANEW = "delete it to start anew, or choose another name"


@contextlib.contextmanager
def only_one(path):
    """Hold the file `path`.lock, so that no other training uses the checkpoint meanwhile.

    The lock is the system's own: it ends with the process that holds it, however that ends.

    Raises:
        InputError: another training holds it.
    """
    name = Path(f"{path}.lock")
    with open(name, "a+b") as lock:
        if not try_lock(lock):
            raise InputError(
                f"{path} is in use by another training: wait for it, or choose another name."
            )
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows removes no file that is open
                name.unlink()


def try_lock(file):
    """Return whether the lock on an open file is ours now; without locks it counts as free."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return os.name != "nt"  # on Windows this means that another process has it
    return True


def write_checkpoint(path, state):
    """Write tensors, numbers, strings and containers of them to a file, whole or not at all.

    The old file stays until the new one is complete on the disk and takes its name.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_checkpoint(path):
    """Read such a file, onto the CPU; code in it is never run (`weights_only`).

    Raises:
        InputError: it is not one, or a bit of it has changed since it was written.
    """
    try:
        # What torch.save writes is a zip archive, with a checksum of each part, which torch.load
        # does not look at.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged archive can make both readers fail in many ways
        raise InputError(
            f"{path} is no checkpoint of this course, or is damaged: "
            "delete it, or choose another name."
        ) from error


class Checkpoint:
    """The file behind `fit(..., checkpoint=path)`; without a path it does nothing.

    As a context it begins by going on from the file, if there is one, which it says, and lets no
    other training use the file meanwhile. `keep` remembers the state at the end of an epoch, and
    writes it now and then; at the end of the context the last one kept is written in any case. A
    training stopped in the middle of an epoch goes on from the beginning of that epoch.

    Args:
        path: the file, or None.
        parts: objects by name with `state_dict` and `load_state_dict`, or None; among them model,
            optimizer, scheduler, batches and history.
        task: what else must be the same when it goes on: "loss_fn", "validation" (a Batches or
            None), "metrics", "patience".
        ranks: the `Ranks` that train together. Rank 0 writes the file, and all read it.
        epochs: how many the training shall have had in the end.
    """

    def __init__(self, path, parts, task, ranks, epochs):
        if not isinstance(path, str | os.PathLike | None):
            raise InputError(
                f'checkpoint must be the name of a file, such as "run.pt", not {shown(path)}.'
            )
        self.epochs = epochs
        self.path, self.ranks = None if path is None else Path(path), ranks
        self.writes = self.path is not None and ranks.rank == 0
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self.kept, self.written_at = None, time.monotonic()
        self.held = contextlib.ExitStack()
        if self.path is None:
            return
        if not self.path.parent.is_dir() or self.path.is_dir():
            raise InputError(
                f"checkpoint={str(path)!r} is not a file name in a folder that exists."
            )
        settings = {name: type(parts[name]).__name__ for name in ("optimizer", "scheduler")}
        settings |= parts["optimizer"].defaults | parts["batches"].settings
        settings |= {"metrics": sorted(task["metrics"] or {}), "patience": task["patience"]}
        self.settings = {name: repr(value) for name, value in settings.items()}
        # These have no words of their own that would be worth reading in an error.
        self.settings["model"] = repr(parts["model"])
        self.settings["loss"] = words_for(task["loss_fn"])
        self.settings["data"] = fingerprint_of(parts["batches"])
        self.settings["validation data"] = fingerprint_of(task["validation"])

    def __enter__(self):
        if self.writes:
            self.held.enter_context(only_one(self.path))
        if self.path is not None and self.path.exists():
            with self.held as held:  # let go if this fails
                self._resume()
                self.held = held.pop_all()
        return self

    def __exit__(self, *exception):
        with self.held:
            if self.kept is not None:
                self._write()
        if self.path is not None and exception[0] is None:
            self.ranks.wait()  # the next training may begin with this file

    def _resume(self):
        """Load the file into the parts, and set torch's random state."""
        state = read_checkpoint(self.path)
        if not isinstance(state, dict) or state.keys() != self._state().keys():
            raise InputError(f"{self.path} is no checkpoint of fit: choose another name.")
        for name, value in self.settings.items():
            before = state["settings"].get(name)
            if before != value:
                both = len(before or "") < 40 and len(value) < 40
                another = "other" if name.endswith(("data", "metrics")) else "another"
                words = f"with {name} {before}, not {value}" if both else f"for {another} {name}"
                raise InputError(f"{self.path} was written {words}: {START_ANEW}.")
        if shapes_in(state["parts"]["model"]) != shapes_in(self.parts["model"].state_dict()):
            raise InputError(
                f"{self.path} was written for another model (its weights have other names or "
                f"shapes): {START_ANEW}."
            )
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        torch.set_rng_state(state["random_state"])
        for device, random_state in enumerate(state["cuda_random_states"]):
            if device < torch.cuda.device_count():
                torch.cuda.set_rng_state(random_state, device)
        done = len(self.parts["history"])
        if speaks() and done < self.epochs:
            print(f"Going on after epoch {done}, from {self.path.name}.")
        elif speaks():
            held = f"{done} epoch{'s' * (done != 1)}"
            print(f"{self.path.name} already holds {held}: nothing is left to do.")

    def keep(self):
        """Remember the state of now, at the end of an epoch."""
        if not self.writes:
            return
        self.kept = self._state()
        if time.monotonic() - self.written_at > SECONDS_BETWEEN_WRITES:
            self._write()

    def _state(self):
        return {
            "settings": self.settings,
            "parts": {name: copy_of_state(part.state_dict()) for name, part in self.parts.items()},
            "random_state": torch.get_rng_state(),
            "cuda_random_states": torch.cuda.get_rng_state_all(),
        }

    def _write(self):
        write_checkpoint(self.path, self.kept)
        self.kept, self.written_at = None, time.monotonic()


def words_for(loss_fn):
    """Return what tells one loss from another: its class and settings, or its name and code."""
    if type(loss_fn).__module__.startswith("torch.nn"):
        settings = {k: v for k, v in vars(loss_fn).items() if isinstance(v, int | float | str)}
        return f"{loss_fn} {settings} {[tensor.tolist() for tensor in loss_fn.buffers()]}"
    name = getattr(loss_fn, "__qualname__", type(loss_fn).__qualname__)
    code = getattr(loss_fn, "__code__", None)
    if code is None:
        return name
    numbers = [value for value in code.co_consts if isinstance(value, int | float | str)]
    return f"{name} {code.co_code.hex()} {code.co_names} {numbers}"


def fingerprint_of(batches):
    """Return the sha256 of a pair of tensors; of an iterable only its length, if it has one."""
    if batches is None:
        return "none"
    if not batches.pair:
        return f"a {type(batches.data).__name__} of {len_or_none(batches.data)} batches"
    digest = hashlib.sha256()
    for tensor in (batches.inputs, batches.targets):
        digest.update(f"{tensor.shape} {tensor.dtype}".encode())
        digest.update(tensor.contiguous().cpu().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def len_or_none(data):
    """Return the length of data, None if it does not know it."""
    with contextlib.suppress(TypeError):
        return len(data)
    return None


def shapes_in(state):
    """Return the shape of each tensor in a model's state."""
    return {name: getattr(tensor, "shape", None) for name, tensor in state.items()}


def copy_of_state(state):
    """Return a copy of nested containers that shares no tensor with the original."""
    if isinstance(state, torch.Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        return {key: copy_of_state(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(copy_of_state(value) for value in state)
    return state
