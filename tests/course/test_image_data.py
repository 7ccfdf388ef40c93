"""Ellipses against their formula, the same whatever is made beside them; files of MNIST."""

import gzip
import hashlib

import numpy as np
import pytest
import torch

from utils.data import ellipses, load_mnist
from utils.datasets import mnist


def test_images_are_what_the_targets_say():
    images, targets = ellipses(300)
    assert images.shape == (300, 3, 32, 32) and images.dtype == torch.uint8
    assert targets.shape == (300, 4) and targets.dtype == torch.float32
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    for image, (x, y, rx, ry) in zip(images, targets.double(), strict=True):
        inside = (columns - x) ** 2 / rx**2 + (rows - y) ** 2 / ry**2 <= 1
        assert inside.sum().item() == pytest.approx(torch.pi * rx * ry, rel=0.25)
        ellipse, ground = image[:, inside].int(), image[:, ~inside].int()
        assert (ellipse == ellipse[:, :1]).all() and (ground == ground[:, :1]).all()
        assert (ellipse[:, 0] - ground[:, 0]).abs().min() >= 64


def test_ellipses_lie_inside_in_every_size_place_and_colour():
    images, targets = ellipses(4000)
    x, y, rx, ry = targets.T
    for centre, radius in [(x, rx), (y, ry)]:
        assert 3 <= radius.min() < 3.1 and 11.9 < radius.max() <= 12
        assert (centre - radius).min() >= 0 and (centre + radius).max() <= 31
        assert abs(centre.mean() - 15.5) < 0.3 and centre.std() > 3.5
    assert (rx == ry).sum() == 0 and abs(torch.corrcoef(torch.stack([rx, ry]))[0, 1]) < 0.06
    # The corner is ground, the pixel nearest to the centre is ellipse: both in all 256 values.
    middle = images[torch.arange(4000), :, y.round().long(), x.round().long()]
    for colours in (images[:, :, 0, 0], middle):
        counts = colours.flatten().long().bincount(minlength=256)
        assert counts.min() > 15 and counts.max() < 85  # 47 expected
    small, targets = ellipses(50, size=16)
    assert small.shape == (50, 3, 16, 16) and (targets[:, :2] + targets[:, 2:]).max() <= 15


def test_a_sample_is_the_same_whatever_is_made_beside_it():
    state = np.random.get_state()[1].copy()
    for noise in (0.0, 10.0):
        images, targets = ellipses(30, noise=noise, seed=5)
        for number in (29, 0, 7):
            image, target = ellipses(1, noise=noise, seed=5, first=number)
            assert torch.equal(image[0], images[number])
            assert torch.equal(target[0], targets[number])
        assert len(images.flatten(1).unique(dim=0)) == 30
    assert torch.equal(ellipses(30, seed=5)[1], targets), "noise moves no ellipse"
    assert not torch.equal(ellipses(30, seed=6)[1], targets)
    assert np.array_equal(np.random.get_state()[1], state), "nothing global is touched"


def test_the_first_ellipse_stays_as_published():
    images, targets = ellipses(1)
    assert images[0, :, 0, 0].tolist() == [70, 187, 36]
    assert targets[0].tolist() == pytest.approx([8.0411, 6.6082, 4.3565, 4.7599], abs=1e-4)


def test_noise_has_the_size_asked_for():
    clean, noisy = (ellipses(200, noise=noise)[0].float() for noise in (0.0, 8.0))
    away = (clean > 40) & (clean < 215)  # from the ends, where values are cut off
    difference = (noisy - clean)[away]
    assert abs(difference.std() - 8) < 0.05 and abs(difference.mean()) < 0.05


def test_targets_follow_the_default_dtype():
    targets = ellipses(5)[1]
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(ellipses(5)[1], targets.double())
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"n_samples": 0}, "n_samples must be a whole number, at least 1, not 0"),
        ({"n_samples": 10.5}, "n_samples must be a whole number, at least 1, not 10.5"),
        ({"size": 8}, "size must be a whole number, at least 16, not 8"),
        ({"seed": None}, "seed must be a whole number, at least 0, not None"),
        ({"seed": 2**32}, "must be below"),
        ({"first": -1}, "first must be a whole number, at least 0, not -1"),
        ({"noise": -1.0}, "noise must be at least 0.* not -1.0"),
        ({"noise": float("nan")}, "noise must be at least 0.* not nan"),
    ],
)
def test_what_cannot_be_drawn_is_said(settings, words):
    with pytest.raises(ValueError, match=words):
        ellipses(**settings)


# ----------------------------------------------------------------------------------------- MNIST
NAMES = tuple(mnist.PUBLISHED)


def idx(values):
    """Return an array as the bytes of an IDX file, as the format is described."""
    content = bytes([0, 0, 8, values.ndim])
    content += b"".join(side.to_bytes(4, "big") for side in values.shape)
    return content + values.tobytes()


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A folder with four small files in the place of MNIST's, published as those."""
    random = np.random.RandomState(0)
    published = {}
    for name, shape in zip(NAMES, [(60, 28, 28), (60,), (10, 28, 28), (10,)], strict=True):
        content = idx(random.randint(0, 10, size=shape).astype(np.uint8))
        (tmp_path / name).write_bytes(content)
        published[name] = (shape, hashlib.md5(content).hexdigest())
    monkeypatch.setattr(mnist, "PUBLISHED", published)
    return tmp_path


def as_published(folder):
    (folder / "notes.txt").write_text("not MNIST's, and in nobody's way")


def packed(folder):
    for name in NAMES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes(), 1))
        (folder / name).unlink()


def with_dots(folder):
    for name in NAMES:
        (folder / name).rename(folder / name.replace("-idx", ".idx"))


def unpacked_by_a_browser(folder):
    for name in NAMES:
        (folder / name).rename(folder / f"{name}.gz")


@pytest.mark.parametrize("change", [as_published, packed, with_dots, unpacked_by_a_browser])
def test_mnist_is_read_however_its_files_are_kept(small_mnist, change):
    expected = [np.frombuffer((small_mnist / name).read_bytes(), np.uint8) for name in NAMES]
    change(small_mnist)
    (images, labels), (test_images, test_labels) = load_mnist(str(small_mnist))
    assert images.shape == (60, 28, 28) and test_images.shape == (10, 28, 28)
    assert images.dtype == test_images.dtype == torch.uint8
    assert labels.dtype == test_labels.dtype == torch.int64
    assert np.array_equal(images.flatten(), expected[0][16:])
    assert np.array_equal(labels, expected[1][8:])
    assert np.array_equal(test_images.flatten(), expected[2][16:])
    assert np.array_equal(test_labels, expected[3][8:])
    images[0] = 0  # the tensor is the reader's own to change


def test_the_published_files_have_the_published_sizes():
    sizes = [4 + 4 * len(shape) + int(np.prod(shape)) for shape, _ in mnist.PUBLISHED.values()]
    assert sizes == [47_040_016, 60_008, 7_840_016, 10_008]


def cut_short(content):
    return content[:-1]


def too_long(content):
    return content + b"\0"


def one_number_changed(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def packed_and_cut_short(content):
    return gzip.compress(content)[:-200]


def packed_with_another_checksum(content):
    packed = bytearray(gzip.compress(content))
    packed[-5] ^= 1
    return bytes(packed)


def packed_in_an_unknown_way(content):
    return gzip.compress(content)[:10] + b"\xff" * 100  # after the header: no such kind of block


def a_web_page(content):
    return b"\n<!DOCTYPE html><html><title>404</title></html>"


def labels_instead(content):
    return idx(np.zeros(60, np.uint8))


@pytest.mark.parametrize(
    "change, words",
    [
        (cut_short, r"is cut short \(47,055 bytes, not 47,056\)"),
        (too_long, r"is too long \(47,057 bytes, not 47,056\)"),
        (one_number_changed, "has the size of MNIST's file, but its checksum is another"),
        (packed_and_cut_short, "is cut short, so that it cannot be unpacked"),
        (packed_with_another_checksum, "is damaged and cannot be unpacked"),
        (packed_in_an_unknown_way, "is damaged and cannot be unpacked"),
        (a_web_page, "is a web page"),
        (labels_instead, r"holds numbers of shape \(60,\), where \(60, 28, 28\) belongs"),
        (lambda content: b"", r"is empty \(0 bytes, not 47,056\)"),
        (lambda content: gzip.compress(b""), "is empty"),
        (lambda content: content[:2], r"is cut short \(2 bytes, not 47,056\)"),
        (lambda content: content[:10], r"is cut short \(10 bytes, not 47,056\)"),
        (lambda content: b"\0\0\x0d" + content[3:], "is an IDX file of other numbers than bytes"),
        (lambda content: b"\0\0\x0c" + content[3:], "is an IDX file of other numbers than bytes"),
        (lambda content: b"\0\0\x07" + content[3:], "is not an IDX file"),
        (lambda content: b"PK\3\4" + content, "is not an IDX file"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(small_mnist, change, words):
    path = small_mnist / NAMES[0]
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=words) as caught:
        load_mnist(small_mnist)
    message = str(caught.value)
    assert message.startswith(str(path)) and "once more" in message and "\n" not in message


def test_fashion_mnist_is_told_by_its_name(small_mnist, monkeypatch):
    _, checksum = mnist.PUBLISHED[NAMES[1]]
    monkeypatch.setattr(mnist, "FASHION", {checksum})
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte belongs to Fashion-MNIST"):
        load_mnist(small_mnist)


def test_missing_files_are_all_named_and_so_is_a_missing_folder(small_mnist):
    (small_mnist / NAMES[0]).unlink()
    (small_mnist / NAMES[3]).unlink()
    (small_mnist / NAMES[3]).mkdir()  # as some programs unpack
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(small_mnist)
    message = str(caught.value)
    assert "train-images-idx3-ubyte or train-images.idx3-ubyte or train-images-idx" in message
    assert "none named t10k-labels-idx1-ubyte or" in message and "train-labels" not in message
    with pytest.raises(ValueError, match="needs the folder in which the four files .* not None"):
        load_mnist(None)
    with pytest.raises(FileNotFoundError, match="There is no folder .*nowhere: make it"):
        load_mnist(small_mnist / "nowhere")
