"""The data files: whole, described, as published; and what is said when they are not."""

import hashlib
import json
import re
import subprocess
import sys

import h5py
import pytest
import torch

from utils import checksums
from utils.checksums import DataFileError, expected, verify
from utils.data import load

ROOT = checksums.DATA.parent


def test_penguins_are_the_published_344_with_their_gaps():
    penguins = load("penguins")
    measurements = penguins["measurements"]
    assert measurements.shape == (344, 4) and measurements.dtype == torch.float32
    assert penguins["species"].bincount().tolist() == [152, 68, 124]
    assert penguins.labels["species"] == ("Adelie", "Chinstrap", "Gentoo")
    assert measurements.isnan().any(dim=1).sum() == 2
    assert (penguins["sex"] == -1).sum() == 11
    assert measurements[0].tolist() == pytest.approx([39.1, 18.7, 181.0, 3750.0])
    assert penguins.columns["measurements"][3] == "body_mass"
    assert penguins.units["measurements"] == ("mm", "mm", "mm", "g")
    assert sorted(set(penguins["year"].tolist())) == [2007, 2008, 2009]


def test_digits_are_the_published_1797():
    digits = load("digits")
    assert digits["images"].shape == (1797, 8, 8)
    assert digits["images"].min() == 0 and digits["images"].max() == 16
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits["labels"].bincount().tolist() == counts
    assert digits.labels["labels"] == tuple("0123456789")


@pytest.mark.parametrize("name, licence", [("penguins", "CC0 1.0"), ("digits", "CC BY 4.0")])
def test_every_file_says_what_it_is(name, licence):
    with h5py.File(ROOT / "data" / f"{name}.h5") as file:
        assert file.attrs["licence"] == licence
        assert "doi" in file.attrs["source"] and len(file.attrs["description"]) > 60
        for dataset in file.values():
            columns = dataset.shape[1] if dataset.ndim == 2 else 1
            assert len(dataset.attrs["columns"]) == len(dataset.attrs["units"]) == columns
    data = load(name)
    assert data.licence == licence and data.source and data.title in str(data)


def test_the_page_on_the_data_gives_the_checksums():
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for name, published in expected().items():
        content = (ROOT / "data" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == published["sha256"]
        assert len(content) == published["bytes"]
        assert re.search(rf"`{name}`.*`{published['sha256']}`", page)


def test_the_files_can_be_built_again_byte_for_byte():
    pytest.importorskip(
        "palmerpenguins", reason="data/requirements.txt is only for rebuilding data"
    )
    pytest.importorskip("sklearn", reason="data/requirements.txt is only for rebuilding data")
    script = ROOT / "data" / "build.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("equal to a fresh build") == 3


# -------------------------------------------------------------------------------- damaged files
@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of data/ to damage, in the place of the real one."""
    for path in checksums.DATA.glob("*"):
        if path.suffix in {".h5", ".json"}:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(checksums, "DATA", tmp_path)
    return tmp_path


def complaint(name="penguins"):
    """Return the one sentence that loading a damaged file gives."""
    with pytest.raises(DataFileError) as caught:
        load(name)
    message = str(caught.value)
    assert "\n" not in message and "git checkout -- data" in message
    return message


def test_a_missing_file(copied):
    (copied / "penguins.h5").unlink()
    assert complaint().startswith("data/penguins.h5 is missing")
    assert load("digits")["labels"].shape == (1797,)


def test_a_file_cut_in_half(copied):
    content = (copied / "penguins.h5").read_bytes()
    (copied / "penguins.h5").write_bytes(content[: len(content) // 2])
    assert "data/penguins.h5 is cut short (15,104 of 30,208 bytes)" in complaint()


def test_one_byte_changed(copied):
    content = bytearray((copied / "penguins.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (copied / "penguins.h5").write_bytes(bytes(content))
    assert "data/penguins.h5 has been altered" in complaint()


def test_a_folder_in_the_place_of_a_file(copied):
    (copied / "penguins.h5").unlink()
    (copied / "penguins.h5").mkdir()
    assert "data/penguins.h5 cannot be read" in complaint()


@pytest.mark.parametrize("text", ["", "{", "not json"])
def test_damaged_checksums(copied, text):
    (copied / "checksums.json").write_text(text, encoding="utf-8")
    assert "data/checksums.json is missing or damaged" in complaint()


def test_missing_checksums(copied):
    (copied / "checksums.json").unlink()
    assert "data/checksums.json is missing or damaged" in complaint()


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DataFileError, match="no data file 'iris.h5'.*digits.h5, penguins.h5"):
        load("iris")
    with pytest.raises(LookupError, match="holds no 'mass'; it holds: .*measurements"):
        load("penguins")["mass"]


def test_verify_returns_the_content():
    assert (
        len(verify("penguins.h5"))
        == json.loads((checksums.DATA / "checksums.json").read_text(encoding="utf-8"))[
            "penguins.h5"
        ]["bytes"]
    )
