"""Checkpoints: what a training needs to go on as if it had never stopped."""

import os
import pickle
import time
import zipfile
from pathlib import Path

import torch

from utils.fitting.errors import InputError

SECONDS_BETWEEN_WRITES = 10  # a small network has hundreds of epochs in that time


def write_checkpoint(path, state):
    """Write tensors, numbers, strings and containers of them to a file, whole or not at all.

    The old file stays until the new one is complete on the disk and takes its name.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_checkpoint(path):
    """Read such a file, onto the CPU; code in it is never run (`weights_only`)."""
    try:
        if not zipfile.is_zipfile(path):  # what torch.save writes is one
            raise pickle.UnpicklingError
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise InputError(
            f"{path} is no checkpoint of this course, or is damaged: "
            "delete it, or choose another name."
        ) from error


class Checkpoint:
    """The file behind `fit(..., checkpoint=path)`; without a path it does nothing.

    `resume` goes on from the file if there is one. `keep` remembers the state at the end of an
    epoch, and writes it now and then; `with` the checkpoint, the last one kept is written in any
    case. A training stopped in the middle of an epoch goes on from the beginning of that epoch.

    Args:
        path: the file, or None.
        parts: objects by name with `state_dict` and `load_state_dict`, or None; among them model,
            optimizer, scheduler and batches, whose settings must be the same when it goes on.
    """

    def __init__(self, path, parts):
        self.path = None if path is None else Path(path)
        settings = {name: type(parts[name]).__name__ for name in ("optimizer", "scheduler")}
        settings |= parts["optimizer"].defaults | parts["batches"].settings
        self.settings = {name: repr(value) for name, value in settings.items()}
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self.kept = None
        self.written_at = time.monotonic()
        if self.path is not None and (not self.path.parent.is_dir() or self.path.is_dir()):
            raise InputError(f"checkpoint={str(path)!r} is no file name in a folder that exists.")

    def resume(self):
        """Load the file into the parts, if there is one, and set torch's random state."""
        if self.path is None or not self.path.exists():
            return
        state = read_checkpoint(self.path)
        if not isinstance(state, dict) or state.keys() != self._state().keys():
            raise InputError(f"{self.path} is no checkpoint of fit: choose another name.")
        for name, value in self.settings.items():
            if state["settings"].get(name) != value:
                raise InputError(
                    f"{self.path} was written with {name} {state['settings'].get(name)}, not "
                    f"{value}: delete it to start anew, or choose another name."
                )
        if shapes_in(state["parts"]["model"]) != shapes_in(self.parts["model"].state_dict()):
            raise InputError(
                f"{self.path} was written for another model (its weights have other names or "
                "shapes): delete it to start anew, or choose another name."
            )
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        torch.set_rng_state(state["random_state"])
        for device, random_state in enumerate(state["cuda_random_states"]):
            if device < torch.cuda.device_count():
                torch.cuda.set_rng_state(random_state, device)

    def keep(self):
        """Remember the state of now, at the end of an epoch."""
        if self.path is None:
            return
        self.kept = self._state()
        if time.monotonic() - self.written_at > SECONDS_BETWEEN_WRITES:
            self._write()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.kept is not None:
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
