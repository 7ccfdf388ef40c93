"""Ellipses against their formula, and the same ones whatever is made beside them."""

import numpy as np
import pytest
import torch

from utils.data import ellipses


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
