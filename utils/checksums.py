"""Is a data file the one that the course was written with? Standard library only."""

import hashlib
import json
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"
MEND = "get it back with `git checkout -- data`, or download the course again"


class DataFileError(RuntimeError):
    """A data file of the course is missing or is not the published one."""


def expected():
    """Return the published size and checksum of every data file.

    Returns:
        dict: file name -> {"bytes": int, "sha256": str}.

    Raises:
        DataFileError: data/checksums.json is missing or damaged.
    """
    try:
        return json.loads((DATA / "checksums.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFileError(f"data/checksums.json is missing or damaged: {MEND}.") from error


def verify(name):
    """Compare one file in data/ with its published checksum.

    Args:
        name: file name, for example "penguins.h5".

    Returns:
        bytes: the content of the file.

    Raises:
        DataFileError: the file is missing, unreadable, cut short or altered; the message says which
            and what to do.
    """
    published = expected().get(name)
    if published is None:
        known = ", ".join(sorted(expected()))
        raise DataFileError(f"There is no data file {name!r} in this course; there are: {known}.")
    try:
        content = (DATA / name).read_bytes()
    except FileNotFoundError:
        raise DataFileError(f"data/{name} is missing: {MEND}.") from None
    except OSError as error:
        raise DataFileError(f"data/{name} cannot be read ({error.strerror}): {MEND}.") from error
    if len(content) < published["bytes"]:
        raise DataFileError(
            f"data/{name} is cut short ({len(content):,} of {published['bytes']:,} bytes): {MEND}."
        )
    if hashlib.sha256(content).hexdigest() != published["sha256"]:
        raise DataFileError(f"data/{name} has been altered (its checksum is another): {MEND}.")
    return content
