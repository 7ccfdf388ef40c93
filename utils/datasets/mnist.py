"""MNIST from the four files that a reader has on disk; nothing is downloaded."""

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

# name -> the shape of what a file holds, and the MD5 checksum of its content, unpacked
PUBLISHED = {
    "train-images-idx3-ubyte": ((60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": ((60_000,), "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": ((10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": ((10_000,), "27ae3e4e09519cfbb04c329615203637"),
}
FASHION = {  # the same of Fashion-MNIST, whose files have the names and sizes of MNIST's
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
}
OTHER_NUMBERS = {bytes([0, 0, kind]) for kind in (0x09, 0x0B, 0x0C, 0x0D, 0x0E)}  # than bytes
AGAIN = "get it once more"


def load_mnist(folder):
    """Read MNIST, 70,000 handwritten digits of 28 x 28 pixels, from its four files.

    Nothing is downloaded. The files are train-images-idx3-ubyte, train-labels-idx1-ubyte,
    t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, packed (.gz) or not; names with a dot,
    train-images.idx3-ubyte, are known too. Each file's header, length and MD5 checksum are compared
    with those of the published data, after unpacking, so that it does not matter who packed it.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits.

    Args:
        folder: where the files lie; a path that is not absolute begins at the notebook's folder.

    Returns:
        ((images, labels), (test_images, test_labels)): images (60000, 28, 28) and (10000, 28, 28),
            uint8, from 0 (paper) to 255 (ink); labels (60000,) and (10000,), int64, 0 to 9.

    Raises:
        FileNotFoundError: there is no such folder, or a file is missing in it.
        ValueError: a file is damaged, cut short or too long, or holds something else; or the
            folder is no path.
    """
    values = [read_idx(path, *PUBLISHED[name]) for name, path in found_in(folder).items()]
    images, labels, test_images, test_labels = map(torch.from_numpy, values)
    return (images, labels.long()), (test_images, test_labels.long())


def found_in(folder):
    """Return the path of each of the four files: name -> path."""
    if not isinstance(folder, str | os.PathLike):
        raise ValueError(
            "load_mnist needs the folder in which the four files of MNIST lie, as in "
            f"load_mnist('mnist'), not {folder!r}."
        )
    folder = Path(folder).expanduser().resolve()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}: make it, and put the four files of MNIST into it "
            f"({', '.join(PUBLISHED)}; packed, with .gz, or not)."
        )
    found, missing = {}, []
    for name in PUBLISHED:
        spelled = (name, name.replace("-idx", ".idx"))
        paths = [folder / (start + end) for end in ("", ".gz") for start in spelled]
        if there := [path for path in paths if path.is_file()]:
            found[name] = there[0]
        else:
            missing.append(" or ".join(path.name for path in paths))
    if missing:
        raise FileNotFoundError(
            f"{folder} has no file named {'; and none named '.join(missing)}: put it there."
        )
    return found


def read_idx(path, shape, checksum):
    """Return what an IDX file holds, an array of this shape, uint8.

    The format: two bytes 0, a byte 8 (the numbers are bytes), the number of dimensions, each
    dimension in four bytes, the highest first, and then the numbers, row by row.
    """
    content = unpacked(path)
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    if not header.startswith(content[: len(header)]):
        raise ValueError(f"{path} {what_it_is(content, shape)}: {AGAIN}.")
    size = len(header) + math.prod(shape)
    if len(content) != size:
        wrong = "too long" if len(content) > size else "cut short" if content else "empty"
        raise ValueError(f"{path} is {wrong} ({len(content):,} bytes, not {size:,}): {AGAIN}.")
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()  # no secret, only a checksum
    if found in FASHION:
        raise ValueError(
            f"{path} belongs to Fashion-MNIST, pictures of clothes, whose files have the same "
            "names: put the files of MNIST into a folder of their own."
        )
    if found != checksum:
        raise ValueError(
            f"{path} has the size of MNIST's file, but its checksum is another (it is damaged, or "
            f"belongs to another data set): {AGAIN}."
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()


def unpacked(path):
    """Return the content of a file, unpacked if it is gzip's, whatever its name says."""
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):  # browsers unpack some files and leave their names
        return content
    try:
        return gzip.decompress(content)
    except EOFError:
        raise ValueError(f"{path} is cut short, so that it cannot be unpacked: {AGAIN}.") from None
    except (gzip.BadGzipFile, zlib.error):
        raise ValueError(f"{path} is damaged and cannot be unpacked: {AGAIN}.") from None


def what_it_is(content, shape):
    """Return in words what a file is that does not begin as it should."""
    if content.lstrip()[:1] == b"<":
        return "is a web page that was saved in the file's place"
    if content[:3] in OTHER_NUMBERS:
        return "is an IDX file of other numbers than bytes"
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    if not 1 <= dimensions <= 4 or len(content) < 4 + 4 * dimensions:
        return "is not an IDX file, the format of MNIST"
    holds = struct.unpack_from(f">{dimensions}I", content, 4)
    return f"holds numbers of shape {holds}, where {shape} belongs (was a name mixed up?)"
