"""Figures of images: they show the numbers of torch's convolution, and refuse what is no image."""

import pytest
import torch
from drawn import draw
from torch.nn import functional

from utils import plotting

IMAGE = torch.rand(6, 5, generator=torch.Generator().manual_seed(0))
KERNEL = torch.tensor([[1.0, -2.0], [0.5, 0.25], [-1.0, 3.0]])


@pytest.mark.parametrize("row, column", [(0, 0), (torch.tensor(2), 1), (3, 3)])
def test_the_window_shows_the_sum_that_torch_computes(row, column):
    expected = functional.conv2d(IMAGE[None, None], KERNEL[None, None])[0, 0, row, column].item()
    texts = [text.get_text() for text in draw(plotting.window, IMAGE, KERNEL, row, column).texts]
    (shown,) = [text for text in texts if text.startswith("sum ")]
    assert float(shown[4:].replace("\N{MINUS SIGN}", "-")) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: plotting.window(IMAGE[None], KERNEL, 0, 0), "each needs two axes"),
        (lambda: plotting.window(IMAGE, torch.ones(7, 2), 0, 0), "is larger than its image"),
        (lambda: plotting.window(IMAGE, KERNEL, 4, 0), "rows go from 0 to 3, columns to 3"),
        (lambda: plotting.window(IMAGE, KERNEL, 1.5, 0), "row 1.5, column 0: give whole numbers"),
        (lambda: plotting.window(IMAGE, KERNEL, 0, "1"), "row 0, column 1: give whole numbers"),
        (lambda: plotting.images(torch.rand(2, 3, 1, 8, 8)), r"images\.flatten\(0, -3\) makes"),
        (lambda: plotting.images(IMAGE), r"images\[None\] makes n = 1"),
        (lambda: plotting.images(torch.rand(2, 8, 8, 3)), r"permute\(0, 3, 1, 2\)"),
        (lambda: plotting.images(torch.rand(2, 3, 8, 8)), r"images\[:, 0\] is the first"),
        (lambda: plotting.images(torch.rand(0, 8, 8)), "no image to draw"),
        (lambda: plotting.signed_maps({}), "no map to draw"),
        (lambda: plotting.images(torch.rand(2, 8, 8), ["one"]), "2 images and 1 titles"),
        (
            lambda: plotting.signed_maps(IMAGE),
            r"\(6, 5\), .* three axes, .*: maps\[None\] adds one",
        ),
        (lambda: plotting.signed_maps(torch.rand(2, 3, 4, 4)), r"of one sample, maps\[0\]"),
        (
            lambda: plotting.signed_maps({"a": torch.rand(1, 1, 2, 2)}),
            r"a map has two axes, .*: maps\['a'\]\[0, 0\] is the first",
        ),
        (
            lambda: plotting.signed_maps({"a": torch.rand(2)}),
            r"two axes, .*: \[None\] adds an axis",
        ),
        (
            lambda: plotting.outlines(torch.rand(2, 8, 8, 3), torch.ones(2, 4)),
            r"permute\(0, 3, 1, 2\)",
        ),
        (
            lambda: plotting.outlines(torch.rand(2, 3, 8, 8), torch.ones(2, 3)),
            r"true outlines have the shape \(2, 3\)",
        ),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
