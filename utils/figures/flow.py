"""Schematics of the shapes that flow through modules, and back."""

import math
import re

from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from utils.figures.style import INK, NEGATIVE, PALE, figure

WIDEST = 7.0  # inches, as all lengths here
LETTERS = (11, 10.5, 10, 9.5, 9, 8.5, 8)  # their sizes; the first with which the row fits is taken
FORWARD, BACKWARD = 0.0, -0.95  # heights of the middles of the two rows
BOX, LOSS, ARROW = 0.33, 0.52, 0.36  # half a box's height; width of the loss; length of an arrow
BACKWARD_INK = "#A84300"
WORDS_MEET = re.compile(r"(?<=[a-z])(?=[A-Z])")  # in BatchNorm1d, before the N


@figure(unit=1)
def data_flow(ax, modules, forward, backward=None):
    """Draw modules in a row, with the shapes of the tensors that go forward and that come back.

    Args:
        modules: k names, such as "0 Linear", the first module first.
        forward: k + 1 shapes, tuples or texts: of the input, then of each module's output.
        backward: k shapes, of the gradient of the loss with respect to each module's output.
            Without them, or if all are "none", the forward row stands alone.

    Raises:
        ValueError: there are more or fewer shapes, or the row is too long for a page.
    """
    forward, backward = [str(shape) for shape in forward], [str(shape) for shape in backward or ()]
    check_numbers(len(modules), len(forward), len(backward))
    backward = [] if set(backward) == {"none"} else backward
    size, arrows, right = layout(modules, forward, backward)
    boxes = [
        (arrow + ARROW, following) for arrow, following in zip(arrows, arrows[1:], strict=False)
    ]
    draw_boxes(ax, boxes, FORWARD, modules, "#CFE6F5", size)
    for place, shape in zip(arrows, forward, strict=True):
        draw_arrow(ax, place, place + ARROW, FORWARD, "-", INK)
        draw_shape(ax, place + ARROW / 2, FORWARD, BOX, shape, INK, size)
    top, bottom = FORWARD + BOX + lines_in(forward) * size / 60 + 0.16, FORWARD - BOX - 0.06
    ax.text(0, top, "values, forward", ha="left", va="bottom", fontsize=11)
    if backward:
        loss = ((right - LOSS, right),)
        draw_boxes(ax, loss, (FORWARD + BACKWARD) / 2, ["loss"], "#FBE3C8", 11, taller=True)
        draw_boxes(ax, boxes, BACKWARD, modules, "#F3F3F3", size)
        for place, shape in zip(arrows[1:], backward, strict=True):
            if shape != "none":
                draw_arrow(ax, place + ARROW, place, BACKWARD, "--", NEGATIVE)
            draw_shape(ax, place + ARROW / 2, BACKWARD, -BOX, shape, BACKWARD_INK, size)
        bottom = BACKWARD - BOX - lines_in(backward) * size / 60 - 0.16
        words = {"ha": "left", "va": "top", "color": BACKWARD_INK, "fontsize": 11}
        ax.text(0, bottom, "gradients of the loss, backward", **words)
        bottom -= 0.25
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-0.05, right + 0.05)
    ax.set_ylim(bottom, top + 0.25)
    return in_words(modules, forward, backward)


def check_numbers(modules, forward, backward):
    """Refuse numbers of modules and shapes that do not go together."""
    if modules == 0 or forward != modules + 1 or backward not in (0, modules):
        raise ValueError(
            f"{modules} modules need {modules + 1} shapes forward, with the input's, and "
            f"{modules} backward or none, but there are {forward} and {backward}."
        )


def layout(modules, forward, backward):
    """The size of the letters, where each arrow begins, and the right end of the drawing.

    A shape stands above (or below) its arrow, and reaches over the boxes beside it.
    """
    for size in LETTERS:
        shapes = [width_of(shape, size) for shape in forward]
        for number, shape in enumerate(backward, start=1):
            shapes[number] = max(shapes[number], width_of(shape, size))
        arrows = [max(0.0, shapes[0] / 2 - ARROW / 2)]
        for name, one, other in zip(modules, shapes, shapes[1:], strict=False):
            step = max(ARROW + width_of(name, size) + 0.18, (one + other) / 2 + 0.12)
            arrows.append(arrows[-1] + step)
        end = arrows[-1] + ARROW
        right = end + LOSS if backward else max(end, end - ARROW / 2 + shapes[-1] / 2)
        if right <= WIDEST:
            return size, arrows, right
    raise ValueError(
        f"A row of these {len(modules)} modules is too long for a page: draw fewer of them, or "
        "print the trace, which gives a table."
    )


def in_lines(text):
    """A long shape in two lines, several in one each; a name, and its type cut where words meet."""
    if "), (" in text:
        return text.replace("), (", "),\n(")
    if text.startswith("("):
        numbers = text.split(", ")
        half = math.ceil(len(numbers) / 2) if len(text) > 11 else len(numbers)
        return ",\n".join(", ".join(part) for part in (numbers[:half], numbers[half:]) if part)
    return "\n".join(WORDS_MEET.sub("\n", word) if len(word) > 8 else word for word in text.split())


def lines_in(texts):
    """The most lines that one of these texts takes."""
    return max(in_lines(text).count("\n") + 1 for text in texts)


def width_of(text, size):
    """The inches that the longest line of a text takes in letters of this size."""
    lines = [TextPath((0, 0), line, size=size) for line in in_lines(text).split("\n")]
    return max(line.get_extents().width for line in lines) / 72


def draw_boxes(ax, boxes, middle, names, color, size, taller=False):
    """Draw a row of boxes with names; boxes: the left and right end of each."""
    reach = BOX + taller * (FORWARD - BACKWARD) / 2
    for (left, right), name in zip(boxes, names, strict=True):
        corner, width = (left + 0.03, middle - reach + 0.03), right - left - 0.06
        box = FancyBboxPatch(corner, width, 2 * reach - 0.06, boxstyle="round,pad=0.03")
        box.set(facecolor=color, edgecolor=INK)
        ax.add_patch(box)
        words = {"ha": "center", "va": "center", "fontsize": size, "linespacing": 1.1}
        ax.text((left + right) / 2, middle, in_lines(name), **words)


def draw_arrow(ax, start, stop, height, line, color):
    """Draw an arrow from box to box."""
    style = {"arrowstyle": "->", "linestyle": line, "color": color, "linewidth": 1.6}
    style |= {"shrinkA": 1.5, "shrinkB": 1.5}
    ax.annotate("", xy=(stop, height), xytext=(start, height), arrowprops=style)


def draw_shape(ax, place, height, away, shape, color, size):
    """Write a shape over its arrow (under it if `away` is negative), with a line to it."""
    ax.plot([place, place], [height, height + away], color=PALE, linewidth=0.8, zorder=0)
    words = {"ha": "center", "va": "bottom" if away > 0 else "top", "linespacing": 1.1}
    ax.text(place, height + 1.12 * away, in_lines(shape), fontsize=size, color=color, **words)


def in_words(modules, forward, backward):
    """The text alternative."""
    steps = zip(modules, forward, forward[1:], strict=False)
    steps = "; ".join(f"{name} turns {given} into {made}" for name, given, made in steps)
    if not backward:
        return f"The shapes that flow forward: {steps}."
    back = reversed(list(zip(modules, backward, strict=True)))
    back = ", ".join(f"{shape} to {name}" for name, shape in back)
    return (
        f"The shapes that flow forward: {steps}; from that the loss. Backward, the gradient of the "
        f"loss has the shape of each output, from the last module to the first: {back}."
    )
