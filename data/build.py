"""Build the course's data files, data/*.h5, from two published Python packages.

    python data/build.py           writes the files and checksums.json
    python data/build.py --check   builds into a temporary folder and compares, byte for byte

It needs data/requirements.txt (palmerpenguins, scikit-learn); running the course does not.
The bytes depend on nothing but the packages: no time stamps, no compression, a fixed file format.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent

PENGUINS = {
    "title": "Size measurements of 344 penguins",
    "description": (
        "One row is one adult penguin, measured from 2007 to 2009 on three islands of the Palmer "
        "Archipelago, Antarctica. Gaps are kept: NaN in the measurements, -1 in sex."
    ),
    "source": (
        "Gorman KB, Williams TD, Fraser WR (2014), Ecological sexual dimorphism and environmental "
        "variability within a community of Antarctic penguins (genus Pygoscelis), PLoS ONE 9(3): "
        "e90081, doi 10.1371/journal.pone.0090081; Palmer Station LTER; as in the package "
        "palmerpenguins 0.1.6"
    ),
    "licence": "CC0 1.0",
}
DIGITS = {
    "title": "1,797 handwritten digits of 8 x 8 pixels",
    "description": (
        "One row is one handwritten digit, written by one of 13 people. Each pixel counts the ink "
        "in a 4 x 4 block of a black-and-white scan of 32 x 32: 0 (none) to 16 (full)."
    ),
    "source": (
        "Alpaydin E, Kaynak C (1998), Optical Recognition of Handwritten Digits (its test part), "
        "UCI Machine Learning Repository, doi 10.24432/C50P49; as in the package "
        "scikit-learn 1.9.1"
    ),
    "licence": "CC BY 4.0",
}


def add(file, name, values, columns, units, labels=None):
    """Write one array with the names, units and labels of its columns."""
    # No time stamps: the same input gives the same bytes.
    dataset = file.create_dataset(name, data=values, track_times=False)
    dataset.attrs["columns"] = columns
    dataset.attrs["units"] = units
    if labels is not None:
        dataset.attrs["labels"] = labels


def write(path, about):
    """Open an HDF5 file for writing, with its description as attributes."""
    file = h5py.File(path, "w", libver=("earliest", "v110"))
    for key, text in about.items():
        file.attrs[key] = text
    return file


def build_penguins(path):
    """Write the 344 penguins: measurements (344, 4), species, island, sex and year (344,)."""
    from palmerpenguins import load_penguins

    table = load_penguins()
    columns = ["bill_length", "bill_depth", "flipper_length", "body_mass"]
    units = ["mm", "mm", "mm", "g"]
    values = np.stack(
        [
            table[f"{column}_{unit}"].to_numpy(dtype="float64")
            for column, unit in zip(columns, units, strict=True)
        ],
        axis=1,
    )
    with write(path, PENGUINS) as file:
        add(file, "measurements", values, columns, units)
        for name in ["species", "island", "sex"]:
            present = table[name].notna()
            labels = sorted(table[name][present].unique())
            codes = [
                labels.index(value) if there else -1
                for value, there in zip(table[name], present, strict=True)
            ]
            add(file, name, np.array(codes, dtype="int64"), [name], [""], labels)
        add(file, "year", table["year"].to_numpy(dtype="int64"), ["year"], [""])


def build_digits(path):
    """Write the 1,797 digits: images (1797, 8, 8) and labels (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    with write(path, DIGITS) as file:
        add(file, "images", digits.images.astype("uint8"), ["ink"], ["0 to 16"])
        names = [str(digit) for digit in range(10)]
        add(file, "labels", digits.target.astype("int64"), ["digit"], [""], names)


FILES = {"penguins.h5": build_penguins, "digits.h5": build_digits}


def build(folder):
    """Write every data file into `folder`; return the text of checksums.json."""
    checksums = {}
    for name, builder in FILES.items():
        path = Path(folder) / name
        builder(path)
        content = path.read_bytes()
        checksums[name] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    return json.dumps(checksums, indent=2) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Build data/*.h5 from published packages.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing here")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = {"checksums.json": build(folder).encode()}
        fresh.update({name: (Path(folder) / name).read_bytes() for name in FILES})
    different = 0
    for name, content in fresh.items():
        path = HERE / name
        if not check:
            path.write_bytes(content)
            print(f"{name}: written, {len(content):,} bytes")
        elif not path.is_file() or path.read_bytes() != content:
            different += 1
            print(f"{name}: differs from a fresh build")
        else:
            print(f"{name}: equal to a fresh build, {len(content):,} bytes")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
