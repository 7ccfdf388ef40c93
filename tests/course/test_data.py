"""The data files: whole, described, as published, or what is said; rows held out and scaled."""

import hashlib
import json
import re
import subprocess
import sys

import h5py
import pytest
import torch

from utils import machine
from utils.data import load, split, standardise
from utils.machine import DataFileError, expected, verify

ROOT = machine.DATA.parent


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
    for path in machine.DATA.glob("*"):
        if path.suffix in {".h5", ".json"}:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(machine, "DATA", tmp_path)
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
    with pytest.raises(KeyError, match="set penguins has no 'mass'; it has: .*measurements"):
        load("penguins")["mass"]


def test_verify_returns_the_content():
    assert (
        len(verify("penguins.h5"))
        == json.loads((machine.DATA / "checksums.json").read_text(encoding="utf-8"))["penguins.h5"][
            "bytes"
        ]
    )


# --------------------------------------------------------------------------- rows held out, scaled
ROWS = torch.arange(100.0)


def test_split_takes_every_row_once_and_keeps_rows_together():
    x, y = torch.stack([ROWS, -ROWS], dim=1), 10 * ROWS[:, None]
    parts = split(x, y)
    assert [len(part[0]) for part in parts] == [60, 20, 20]
    together = torch.cat([part[0] for part in parts])
    assert torch.equal(together.sort(dim=0).values[:, 0], ROWS)
    assert not torch.equal(together[:, 0], ROWS), "shuffled"
    for part_x, part_y in parts:
        assert torch.equal(part_y, 10 * part_x[:, :1])
        assert torch.equal(part_x[:, 1], -part_x[:, 0])


def test_a_seed_splits_the_same_and_leaves_the_global_random_state():
    before = torch.get_rng_state()
    (first, _, _), (again, _, _), (other, _, _) = split(ROWS), split(ROWS), split(ROWS, seed=1)
    assert torch.equal(first[0], again[0]) and not torch.equal(first[0], other[0])
    assert torch.equal(torch.get_rng_state(), before)
    assert [len(rows) for (rows,) in split(ROWS, fractions=(0.29, 0.71))] == [29, 71]


@pytest.mark.parametrize(
    "rows, fractions, sizes",
    [
        (3, (0.6, 0.2, 0.2), [1, 1, 1]),
        (5, (0.6, 0.2, 0.2), [3, 1, 1]),
        (3, (0.8, 0.1, 0.1), [1, 1, 1]),
        (13, (0.8, 0.1, 0.1), [11, 1, 1]),
        (333, (0.6, 0.2, 0.2), [200, 67, 66]),
        (10, (1 / 3, 1 / 3, 1 / 3), [4, 3, 3]),
        (7, (1.0,), [7]),
    ],
)
def test_no_part_is_empty_and_each_is_near_its_fraction(rows, fractions, sizes):
    assert [len(part) for (part,) in split(torch.zeros(rows), fractions=fractions)] == sizes


@pytest.mark.parametrize(
    "tensors, settings, words",
    [
        ((ROWS, ROWS[:99, None]), {}, r"same number of rows, but the shapes \(100,\), \(99, 1\)"),
        ((), {}, "nothing to split"),
        (([1, 2, 3],), {}, "not a list"),
        ((torch.tensor(1.0),), {}, r"not a Tensor of shape \(\)"),
        ((ROWS[:2],), {}, "2 rows cannot be split into 3 parts"),
        ((ROWS,), {"fractions": (0.8, 0.1)}, r"\(0.8, 0.1\) must be above 0 and add up to 1"),
        ((ROWS,), {"fractions": (1.2, -0.2)}, "must be above 0"),
        ((ROWS,), {"fractions": ()}, "must be above 0"),
    ],
)
def test_what_cannot_be_split_is_said(tensors, settings, words):
    with pytest.raises(ValueError, match=words):
        split(*tensors, **settings)


def measured(rows=40, seed=1):
    """Columns of unlike size and spread, (rows, 3)."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(rows, 3, generator=generator, dtype=torch.float64).float()
    return values * torch.tensor([1.0, 200.0, 0.1]) + torch.tensor([0.0, 4000.0, 5.0])


def test_training_rows_get_mean_0_and_standard_deviation_1():
    x, held_out = measured(), measured(7, seed=2)
    (scaled, other), scaling = standardise(x, held_out)
    assert scaled.mean(dim=0).abs().max() < 1e-3 and (scaled.std(dim=0) - 1).abs().max() < 1e-3
    torch.testing.assert_close(scaling.mean, x.mean(dim=0))
    torch.testing.assert_close(other, (held_out - scaling.mean) / scaling.std)
    assert other.mean(dim=0).abs().max() > 0.01, "held-out rows are not fitted"
    assert scaled.dtype == scaling.std.dtype == torch.float32


def test_held_out_rows_leak_nothing_into_training():
    x, held_out = measured(), measured(7, seed=2)
    (scaled, _), scaling = standardise(x, held_out)
    (with_huge, huge), same = standardise(x, held_out * 0 + 1e9)
    (alone,), alone_scaling = standardise(x)
    for values, its_scaling in [(with_huge, same), (alone, alone_scaling)]:
        assert torch.equal(values, scaled)
        assert torch.equal(its_scaling.mean, scaling.mean)
        assert torch.equal(its_scaling.std, scaling.std)
    assert huge.min() > 1e6


def test_a_scaling_brings_predictions_back_to_their_unit():
    mass = measured()[:, 1:2]
    (scaled,), grams = standardise(mass)
    torch.testing.assert_close(grams.undo(scaled), mass)
    torch.testing.assert_close(grams.apply(mass), scaled)
    (flat,), scaling = standardise(mass.flatten())
    assert scaling.mean.shape == () and torch.equal(flat, scaled.flatten())
    with pytest.raises(ValueError, match=r"shape \(n, 1\), these have the shape \(5, 3\)"):
        grams.undo(torch.ones(5, 3))
    with pytest.raises(ValueError, match=r"shape \(n,\), these have the shape \(5, 1\)"):
        scaling.apply(torch.ones(5, 1))


def test_held_out_rows_need_the_same_columns():
    with pytest.raises(ValueError, match=r"shape \(n, 3\), these have the shape \(5, 2\)"):
        standardise(measured(), torch.ones(5, 2))


def test_a_constant_column_becomes_0_and_keeps_its_unit():
    x = torch.cat([measured(), torch.full((40, 1), 0.1)], dim=1)
    held_out = torch.tensor([[0.0, 4000.0, 5.0, 2.1]])
    (scaled, other), scaling = standardise(x, held_out)
    assert (scaled[:, 3] == 0).all() and scaling.std[3] == 1
    assert other[0, 3].item() == pytest.approx(2.0)
    (single,), _ = standardise(x[:1])
    assert (single == 0).all(), "a single row is constant in every column"


@pytest.mark.parametrize(
    "change, words",
    [
        (
            lambda x: x[3:5, 1].fill_(torch.nan),
            r"Column 1 .* of the training rows .*2 in all.*row 3",
        ),
        (lambda x: x[0, 2].fill_(torch.inf), r"Column 2 .* of the training rows .*1 in all.*row 0"),
    ],
)
def test_a_gap_is_refused_with_its_column(change, words):
    x = measured()
    change(x)
    with pytest.raises(ValueError, match=words):
        standardise(x)
    with pytest.raises(ValueError, match=words.replace("the training rows", "part 1")):
        standardise(measured(), x)


@pytest.mark.parametrize(
    "values, words",
    [
        (torch.arange(5), "class numbers are not scaled"),
        ([1.0, 2.0], "the training rows: list"),
        (torch.ones(2, 3, 4), r"the training rows: \(2, 3, 4\)"),
        (torch.ones(0, 3), r"the training rows: \(0, 3\)"),
    ],
)
def test_what_cannot_be_scaled_is_said(values, words):
    with pytest.raises(ValueError, match=words):
        standardise(values)


def test_penguins_can_be_split_and_scaled_for_body_mass():
    penguins = load("penguins")
    measurements, sex = penguins["measurements"], penguins["sex"]
    species = torch.nn.functional.one_hot(penguins["species"])
    features = torch.cat([measurements[:, :3], species, sex[:, None]], dim=1)
    complete = features.isfinite().all(dim=1) & (sex >= 0)
    assert (~complete).sum() == 11 and measurements[complete].isfinite().all()
    train, validation, test = split(features[complete], measurements[complete, 3:])
    (x, *_), _ = standardise(train[0], validation[0], test[0])
    assert x.shape == (200, 7) and x.dtype == torch.float32
    assert len(validation[1]) + len(test[1]) == 133
