"""Schematics of the shapes that flow through modules, and back."""

import functools
import math
import re

from matplotlib.textpath import TextPath

from utils.figures.style import INK, NEGATIVE, PALE, bare_axes, draw_arrow, draw_box, figure

WIDEST = 7.0  # inches, as all lengths here
LETTERS = (11, 10.5, 10, 9.5, 9, 8.5, 8)  # their sizes; the first with which the row fits is taken
FORWARD, BACKWARD = 0.0, -0.95  # heights of the middles of the two rows
BELOW_PARAMETERS = -1.55  # that of the second row, where parameters stand between them
HALF_BOX, LOSS_WIDTH, ARROW_LENGTH = 0.33, 0.52, 0.36  # half of the height of a module's box
BACKWARD_INK = "#A84300"
LOOK = {"pad": 0.03, "linespacing": 1.1}  # of a box
WORDS_MEET = re.compile(r"(?<=[a-z])(?=[A-Z])")  # in BatchNorm1d, before the N


@figure(unit=1)
def data_flow(ax, modules, forward, backward=None, parameters=None):
    """Draw modules in a row, with the shapes of the tensors that go forward and that come back.

    Parameters stand between the rows: the forward pass takes them from there, and the backward pass
    brings their gradients there, which have the same shapes.

    Args:
        modules: k names, such as "0 Linear", the first module first.
        forward: k + 1 shapes, tuples or texts: of the input, then of each module's output.
        backward: k shapes, of the gradient of the loss with respect to each module's output.
            Without them, or if all are "none", the forward row stands alone.
        parameters: k lists of texts, such as ["weight (4, 8)", "bias (4,)"], the parameters of each
            module; empty lists for those that have none.

    Raises:
        ValueError: the number of shapes is wrong, or the row is too long for a page.
    """
    forward, backward = [str(shape) for shape in forward], [str(shape) for shape in backward or ()]
    check_numbers(len(modules), len(forward), len(backward))
    backward = [] if set(backward) == {"none"} else backward
    parameters = [tuple(texts) for texts in parameters or [()] * len(modules)]
    low = BELOW_PARAMETERS if any(parameters) else BACKWARD
    size, arrows, right = row_layout(modules, forward, backward, parameters)
    boxes = [
        (arrow + ARROW_LENGTH, following)
        for arrow, following in zip(arrows, arrows[1:], strict=False)
    ]
    draw_modules(ax, boxes, FORWARD, modules, "#CFE6F5", size)
    for place, shape in zip(arrows, forward, strict=True):
        draw_arrow(ax, (place, FORWARD), (place + ARROW_LENGTH, FORWARD), "-", INK)
        draw_shape(ax, place + ARROW_LENGTH / 2, FORWARD, HALF_BOX, shape, INK, size)
    top = FORWARD + HALF_BOX + lines_in(forward) * size / 60 + 0.16
    bottom = FORWARD - HALF_BOX - (0.75 if any(parameters) else 0.06)
    ax.text(0, top, "values, forward", ha="left", va="bottom", fontsize=11)
    if backward:
        middle = (right - LOSS_WIDTH / 2, (FORWARD + low) / 2)
        height = 2 * HALF_BOX + FORWARD - low - 0.06
        draw_box(ax, middle, (LOSS_WIDTH - 0.06, height), "loss", "#FBE3C8", **LOOK)
        draw_modules(ax, boxes, low, modules, "#F3F3F3", size)
        for place, shape in zip(arrows[1:], backward, strict=True):
            if shape != "none":
                draw_arrow(ax, (place + ARROW_LENGTH, low), (place, low), "--", NEGATIVE)
            middle = place + ARROW_LENGTH / 2
            draw_shape(ax, middle, low, -HALF_BOX, shape, BACKWARD_INK, size)
        bottom = low - HALF_BOX - lines_in(backward) * size / 60 - 0.16
        words = {"ha": "left", "va": "top", "color": BACKWARD_INK, "fontsize": 11}
        ax.text(0, bottom, "gradients of the loss, backward", **words)
        bottom -= 0.25
    for (left, end), texts in zip(boxes, parameters, strict=True):
        if texts:
            draw_parameters(ax, (left + end) / 2, low if backward else None, texts, size)
    bare_axes(ax, (-0.05, right + 0.05), (bottom, top + 0.25))
    return describe_flow(modules, forward, backward, parameters)


def check_numbers(modules, forward, backward):
    """Refuse a number of shapes that does not fit the number of modules."""
    if modules == 0 or forward != modules + 1 or backward not in (0, modules):
        raise ValueError(
            f"{modules} modules need {modules + 1} shapes forward, with the input's, and "
            f"{modules} backward or none, but there are {forward} and {backward}."
        )


def row_layout(modules, forward, backward, parameters):
    """Return the size of the letters, where each arrow begins, and the drawing's right end.

    A shape stands above (or below) its arrow, and reaches over the boxes beside it.
    """
    for size in LETTERS:
        shapes = [width_of(shape, size) for shape in forward]
        for number, shape in enumerate(backward, start=1):
            shapes[number] = max(shapes[number], width_of(shape, size))
        arrows = [max(0.0, shapes[0] / 2 - ARROW_LENGTH / 2)]
        rows = zip(modules, parameters, shapes, shapes[1:], strict=False)
        for name, texts, one, other in rows:
            box = max(width_of(name, size), widest(texts, size)) + 0.18
            step = max(ARROW_LENGTH + box, (one + other) / 2 + 0.12)
            arrows.append(arrows[-1] + step)
        end = arrows[-1] + ARROW_LENGTH
        shape_end = end - ARROW_LENGTH / 2 + shapes[-1] / 2
        right = end + LOSS_WIDTH if backward else max(end, shape_end)
        if right <= WIDEST:
            return size, arrows, right
    raise ValueError(
        f"A row of these {len(modules)} modules is too long for a page: draw fewer of them, or "
        "print the trace, which gives a table."
    )


def in_lines(text):
    """Return a text broken into lines: a long shape in two, several shapes in one each, a name.

    The type in a name is broken where two words meet.
    """
    if "), (" in text:
        return text.replace("), (", "),\n(")
    if text.startswith("("):
        numbers = text.split(", ")
        half = math.ceil(len(numbers) / 2) if len(text) > 11 else len(numbers)
        return ",\n".join(", ".join(part) for part in (numbers[:half], numbers[half:]) if part)
    return "\n".join(WORDS_MEET.sub("\n", word) if len(word) > 8 else word for word in text.split())


def lines_in(texts):
    """Return the most lines that one of these texts takes."""
    return max(in_lines(text).count("\n") + 1 for text in texts)


def width_of(text, size):
    """Return the inches that the longest line of a text takes in letters of this size."""
    return widest(tuple(in_lines(text).split("\n")), size)


@functools.cache
def widest(lines, size):
    """Return the inches that the longest of these lines takes, 0 if there is none."""
    lines = [TextPath((0, 0), line, size=size) for line in lines]
    return max((line.get_extents().width for line in lines), default=0) / 72


def draw_modules(ax, boxes, middle, names, color, size):
    """Draw a row of modules with their names; boxes: the left and right end of each."""
    for (left, right), name in zip(boxes, names, strict=True):
        center, area = ((left + right) / 2, middle), (right - left - 0.06, 2 * HALF_BOX - 0.06)
        draw_box(ax, center, area, in_lines(name), color, fontsize=size, **LOOK)


def draw_shape(ax, place, height, away, shape, color, size):
    """Write a shape over its arrow (under it if `away` is negative), with a line to it."""
    ax.plot([place, place], [height, height + away], color=PALE, linewidth=0.8, zorder=0)
    words = {"ha": "center", "va": "bottom" if away > 0 else "top", "linespacing": 1.1}
    ax.text(place, height + 1.12 * away, in_lines(shape), fontsize=size, color=color, **words)


def draw_parameters(ax, across, low, texts, size):
    """Write a module's parameters below its box, with an arrow up to it, and one up from below.

    The second one, the way of their gradients, begins at the backward row's height `low`.
    """
    top, bottom = FORWARD - HALF_BOX, (BELOW_PARAMETERS if low is None else low) + HALF_BOX
    middle, half = (top + bottom) / 2, len(texts) * size / 105
    words = {"ha": "center", "va": "center", "fontsize": size, "linespacing": 1.15}
    ax.text(across, middle, "\n".join(texts), **words)
    draw_arrow(ax, (across, middle + half), (across, top + 0.05), "-", INK)
    if low is not None:
        draw_arrow(ax, (across, bottom - 0.05), (across, middle - half), "--", NEGATIVE)


def describe_flow(modules, forward, backward, parameters):
    """Return the description of the figure."""
    owners = zip(modules, parameters, strict=True)
    owners = "; ".join(f"{name} has {', '.join(texts)}" for name, texts in owners if texts)
    taken = f" Parameters: {owners}." if owners else ""
    steps = zip(modules, forward, forward[1:], strict=False)
    steps = "; ".join(f"{name} turns {given} into {made}" for name, given, made in steps)
    if not backward:
        return f"The shapes that flow forward: {steps}.{taken}"
    back = reversed(list(zip(modules, backward, strict=True)))
    back = ", ".join(f"{shape} to {name}" for name, shape in back)
    return (
        f"The shapes that flow forward: {steps}; from that the loss. Backward, the gradient of the "
        f"loss has the shape of each output, from the last module to the first: {back}.{taken}"
    )
