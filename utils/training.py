"""Training: the parts that every notebook shares."""

import os
import random

import numpy as np
import torch


def seed_everything(seed):
    """Set the seed of Python's, NumPy's and torch's random generators (on every device).

    Args:
        seed: a whole number from 0 to 2**32 - 1.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device(name=None):
    """Return the device to compute on: CUDA where there is one, else the CPU.

    Args:
        name: "cpu", "cuda" or "mps"; by default what the environment variable COURSE_DEVICE says.

    Returns:
        torch.device.

    Raises:
        ValueError: the name is unknown, or this machine has no such device.
    """
    name = (name or os.environ.get("COURSE_DEVICE", "")).strip().lower()
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not name:
        return torch.device("cuda" if there["cuda"] else "cpu")
    if name not in there:
        raise ValueError(f"There is no device {name!r}: set COURSE_DEVICE to cpu, cuda or mps.")
    if not there[name]:
        raise ValueError(
            f"The device {name!r} was asked for, but this machine has none that torch can use: "
            "unset COURSE_DEVICE, or set it to cpu."
        )
    return torch.device(name)
