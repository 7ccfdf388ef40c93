"""Compare what a cell gives with what is published: for nbval, refresh, solved and the tests.

Texts have to be equal, and pictures to look the same. A cell's tag `tolerance-0.05` lets numbers
differ by 5 % (of the larger one), if both are written with digits behind a decimal point or with
an exponent: 0.25, 1e-05. All else stays exact there too: words, signs, True, nan, whole numbers as
in "16 of 32", versions such as 2.13.0, how many numbers and lines there are. In the cell's
pictures things may stand 5 pixels further away. Only a cell tagged `nbval-ignore-output` is not
compared.
"""

import difflib
import functools
import io
import math
import re

import numpy as np
from matplotlib.image import imread

from tools.notebooks.files import pictures_of, tags, text_of, texts_of

NOT_COMPARED = "nbval-ignore-output"
TOLERANCE = re.compile(r"tolerance-(0\.\d*[1-9])")
# The spaces before a number go with it, because they align columns. After a letter or a dot, or
# before one more dot and digit, it is a part of a name or of a version.
NUMBER = re.compile(r"[ ]*(?<![\w.])([-+]?(?:\d+\.\d+(?:e[-+]\d+)?|\d+e[-+]\d+))(?!\.?\d)")
# Pictures: how far, in the mean over the worst block, colours (0 to 1) lie outside of what the
# other picture has around each pixel. Measured on figures of the course: a curve that is missing,
# doubled, swapped with another or moved by 3 pixels gives 0.11 and more; lines moved by a pixel
# 0.003, letters without hinting 0.02, another CPU 0.03. Four figures of long trainings, which
# magnify the rounding of the CPU, give up to 0.12: their cells are tagged, and then it is 0.06.
PICTURE_TOLERANCE = 0.08
BLOCK, REACH = 24, 1  # pixels
LINES_SHOWN = 9


def difference(cell, outputs):
    """Say in what outputs differ from those that are published.

    Args:
        cell: the cell as published; its outputs and its tags count.
        outputs: the outputs to compare with its own, as a list.

    Returns:
        str: lines for a person, empty if nothing differs.
    """
    if NOT_COMPARED in tags(cell):
        return ""
    before, after = texts_of(cell.outputs), texts_of(outputs)
    if [kind for kind, _ in before] != [kind for kind, _ in after]:
        lines = changed_lines(text_of(cell.outputs), text_of(outputs))
    else:
        pairs = zip(before, after, strict=True)
        lines = [
            line
            for (_, text), (_, other) in pairs
            for line in difference_of_texts(text, other, tolerance_of(cell))
        ]
        lines += difference_of_pictures(
            pictures_of(cell.outputs), pictures_of(outputs), tolerance_of(cell)
        )
    if len(lines) > LINES_SHOWN:
        lines[LINES_SHOWN:] = ["..."]
    return "\n".join(f"    {line}" for line in lines)


def tolerance_of(cell):
    """Return the relative tolerance that a cell's tag states, 0 without such a tag."""
    stated = [TOLERANCE.fullmatch(tag) for tag in tags(cell)]
    return max((float(match[1]) for match in stated if match), default=0.0)


# -- Texts -------------------------------------------------------------------------------------


def difference_of_texts(text, other, tolerance=0.0):
    """Say in which lines a text differs from another, as a list of lines."""
    before, after = text.split("\n"), other.split("\n")
    if len(before) != len(after):
        return changed_lines(text, other)
    found = []
    for number, (line, now) in enumerate(zip(before, after, strict=True), start=1):
        reason = difference_of_lines(line, now, tolerance)
        if reason:
            found += [f"line {number}: {reason}", f"- {line}", f"+ {now}"]
    return found


def difference_of_lines(line, other, tolerance):
    """Say why two lines are not the same, an empty text if they are within the tolerance."""
    if line == other:
        return ""
    if not tolerance:
        return "it has to be equal"
    percent = f"{100 * tolerance:g} %"
    # Split by a group, a line is text, number, text, number, ..., text.
    parts, others = NUMBER.split(line), NUMBER.split(other)
    if parts[::2] != others[::2]:
        return f"only numbers with a decimal point may differ, by {percent}"
    for number, now in zip(parts[1::2], others[1::2], strict=True):
        if not math.isclose(float(number), float(now), rel_tol=tolerance):
            return f"{now} in place of {number} differs by more than {percent}"
    return ""


def changed_lines(text, other):
    """Return the lines that two texts do not share, as a list of lines."""
    lines = difflib.unified_diff(text.split("\n"), other.split("\n"), lineterm="", n=0)
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


# -- Pictures ----------------------------------------------------------------------------------


def difference_of_pictures(pictures, others, tolerance=0.0):
    """Say which pictures do not look the same, as a list of lines."""
    found, reach = [], REACH + round(100 * tolerance)
    for number, (one, other) in enumerate(zip(pictures, others, strict=True), start=1):
        distance = picture_difference(one, other, reach)
        if distance > PICTURE_TOLERANCE:
            found.append(f"picture {number}: differs by {distance:.2f} in its worst block")
    return found


def picture_difference(one, other, reach=REACH):
    """Return how far two PNG pictures differ: 0 to 1, in the worst block of 24 x 24 pixels.

    What stands in the other picture too, at most `reach` pixels away, does not count. Where their
    sizes differ it is 1.
    """
    if one == other:
        return 0.0
    first, second = (imread(io.BytesIO(png))[..., :3] for png in (one, other))
    if first.shape != second.shape:
        return 1.0
    apart = np.maximum(outside(first, second, reach), outside(second, first, reach))
    apart = np.pad(apart, [(0, -length % BLOCK) for length in apart.shape])
    blocks = apart.reshape(len(apart) // BLOCK, BLOCK, -1, BLOCK)
    return float(blocks.mean(axis=(1, 3)).max())


def outside(picture, other, reach):
    """Return how far each pixel (height, width) is from the colours around it in another picture.

    In each channel: from the smallest to the largest value within so many pixels.
    """
    low = high = other
    steps = range(-reach, reach + 1)
    for axis in (0, 1):  # around the edge too, where all pictures are white
        low = functools.reduce(np.minimum, (np.roll(low, step, axis) for step in steps))
        high = functools.reduce(np.maximum, (np.roll(high, step, axis) for step in steps))
    return np.maximum(low - picture, picture - high).max(axis=-1).clip(min=0)
