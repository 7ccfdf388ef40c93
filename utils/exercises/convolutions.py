"""The exercises of notebook 07."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import nn

from utils.exercises.answers import Complaint
from utils.exercises.core import Ban, FunctionExercise, ValueExercise, WrongAnswer
from utils.exercises.small_network import SmallNetworkExercise

SLIDE_BY_HAND = Ban(
    {"conv1d", "conv2d", "convolution", "conv_transpose1d", "unfold"}.__contains__,
    "This one is about what stands behind it: multiply and add up yourself.",
)

SLIDE = """
def slide(x, kernel, stride):
    starts = range(0, len(x) - len(kernel) + 1, stride)
    sums = [(x[start : start + len(kernel)] * kernel).sum() for start in starts]
    return torch.stack(sums)
"""

slide = FunctionExercise(
    "slide",
    ban=SLIDE_BY_HAND,
    cases=lambda: [
        (torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 3.0]), 1),
        (torch.tensor([0.0, 1.0, 0.0, 0.0, 2.0, -1.0]), torch.tensor([1.0, -2.0, 0.5]), 2),
        (torch.tensor([3.0, 1.0, 2.0, 5.0, 4.0]), torch.tensor([2.0, 1.0]), 3),
        (torch.tensor([3.0, 1.0, 2.0]), torch.tensor([1.0, 0.0, -1.0]), 1),
    ],
    hints=(
        "The window that starts at pixel i is x[i : i + len(kernel)]. Where may it start?",
        "It starts at 0, stride, 2 * stride and so on, up to len(x) - len(kernel) at most: "
        "range(0, ..., stride). torch.stack makes one tensor of a list of tensors of shape ().",
    ),
    solution=SLIDE,
    insight="A convolution is no more than that: one small dot product, again and again.",
    wrong_answers=[
        WrongAnswer(
            SLIDE.replace("* kernel)", "* kernel.flip(0))"),
            "You turn the kernel round, as mathematicians and np.convolve do. The networks' "
            "convolution does not.",
            says="You turn the kernel round",
        ),
        WrongAnswer(
            SLIDE.replace("len(kernel) + 1", "len(kernel)"),
            "The last window is missing: one that starts at len(x) - len(kernel) still fits.",
            says="The last window is missing",
        ),
        WrongAnswer(
            SLIDE.replace(".sum()", ".mean()"),
            "This is the mean of the products; a convolution adds them up.",
            says="the mean of the products",
        ),
        WrongAnswer(
            SLIDE.replace(" + 1, stride)", " + 1)"),
            "The stride is missing: the window moves by one pixel at a time.",
            says="The stride is missing",
        ),
        WrongAnswer(
            SLIDE.replace("len(x) - len(kernel) + 1, stride", "len(x), stride"),
            "At the end the window leaves the row: only whole windows count.",
            says="leaves the row",
        ),
        WrongAnswer(
            "def slide(x, kernel, stride):\n"
            "    row, kernel = x[None, None], kernel[None, None]\n"
            "    return torch.nn.functional.conv1d(row, kernel, stride=stride)[0, 0]",
            "",
            says="multiply and add up yourself",
        ),
    ],
)

output_size = FunctionExercise(
    "output_size",
    returns=float,
    cases=lambda: [
        (8, 3, 0, 1),
        (8, 3, 1, 1),
        (8, 2, 0, 2),
        (8, 3, 0, 2),
        (8, 3, 1, 2),
        (28, 5, 2, 2),
        (32, 7, 3, 4),
        (9, 4, 1, 3),
    ],
    hints=(
        "First count the places without a stride: the image has grown by the padding on both "
        "sides, and the window loses kernel - 1 places.",
        "From the first place to the last there are size + 2 padding - kernel steps of one pixel. "
        "How many steps of `stride` fit into that, and how many places is it then?",
    ),
    solution="""
        def output_size(size, kernel, padding, stride):
            return (size + 2 * padding - kernel) // stride + 1
    """,
    insight="With a 3 x 3 kernel, padding 1 keeps the size; a stride of 2 halves it.",
    wrong_answers=[
        WrongAnswer(
            "def output_size(size, kernel, padding, stride):\n"
            "    return (size + padding - kernel) // stride + 1",
            "The padding is added on both sides, so it counts twice.",
            says="on both sides",
        ),
        WrongAnswer(
            "def output_size(size, kernel, padding, stride):\n"
            "    return (size + 2 * padding - kernel) // stride",
            "The first place needs no step, so there is one place more than steps.",
            says="one place more than steps",
        ),
        WrongAnswer(
            "def output_size(size, kernel, padding, stride):\n"
            "    return (size + 2 * padding - kernel) / stride + 1",
            "A last step that does not fit is not taken: round down, with //.",
            says="round down",
        ),
        WrongAnswer(
            "def output_size(size, kernel, padding, stride):\n"
            "    return (size + 2 * padding - kernel + 1) // stride",
            "Add the 1 after dividing: it is the first place, which every stride reaches.",
            says="Add the 1 after dividing",
        ),
        WrongAnswer(
            "def output_size(size, kernel, padding, stride):\n"
            "    return size + 2 * padding - kernel + 1",
            "The stride is missing: the window moves by so many pixels at a time.",
            says="The stride is missing",
        ),
    ],
)

weights_and_biases = ValueExercise(
    "weights_and_biases",
    parts=("first layer", "the same for larger images", "second layer"),
    hints=(
        "Each kernel has a 5 x 5 window for each channel that comes in, and one bias.",
        "First layer: 8 kernels of 3 x 5 x 5 weights each. Where does the size of the image come "
        "in?",
    ),
    solution="weights_and_biases = 608, 608, 1168",
    insight="(channels in · k · k + 1) · channels out. The size of the image is not in it.",
    wrong_answers=[
        WrongAnswer(
            "weights_and_biases = 600, 600, 1152",
            "These are the weights. Each kernel has a bias too.",
            says="Each kernel has a bias too",
        ),
        WrongAnswer(
            "weights_and_biases = 608, 2432, 1168",
            "On larger images the same kernel is used at more places: no number is added.",
            says="the same kernel is used at more places",
        ),
        WrongAnswer(
            "weights_and_biases = 208, 208, 160",
            "A kernel is as deep as its input: it has a window for each channel that comes in.",
            says="as deep as its input",
        ),
        WrongAnswer(
            "weights_and_biases = 624, 624, 1280",
            "One bias for each kernel, not one for each of its windows: their sums are added up "
            "first.",
            says="not one for each of its windows",
        ),
    ],
)

FIELD = """
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field
"""

receptive_field = FunctionExercise(
    "receptive_field",
    returns=float,
    cases=lambda: [
        ([(3, 1)],),
        ([(3, 1), (3, 1)],),
        ([(3, 1), (2, 2), (3, 1)],),
        ([(3, 2), (3, 2), (3, 1)],),
        ([(5, 2), (2, 2), (3, 3), (2, 1)],),
    ],
    hints=(
        "Keep two numbers: how many pixels one cell sees (1 at the start), and how far apart, in "
        "pixels, two neighbouring cells look (1 at the start). What does a layer do to each?",
        "A window of k cells adds k - 1 cells to the first, and each of them lies `step` pixels "
        "further: field += (kernel - 1) * step. Only then multiply the step by the stride.",
    ),
    solution=FIELD,
    insight="Kernels add, strides multiply: that is why pooling lets a network see far so soon.",
    wrong_answers=[
        WrongAnswer(
            FIELD.replace("(kernel - 1) * step", "kernel - 1"),
            "After a stride, neighbouring cells look further apart: a window over them covers more "
            "pixels.",
            says="look further apart",
        ),
        WrongAnswer(
            "def receptive_field(layers):\n    return sum(kernel for kernel, stride in layers)",
            "Neighbouring windows overlap: two kernels of 3 see 5 pixels, not 6.",
            says="Neighbouring windows overlap",
        ),
        WrongAnswer(
            "def receptive_field(layers):\n"
            "    field, step = 1, 1\n"
            "    for kernel, stride in layers:\n"
            "        step *= stride\n"
            "        field += (kernel - 1) * step\n"
            "    return field",
            "A layer's own stride moves its window, but does not make it larger: multiply the step "
            "afterwards.",
            says="multiply the step afterwards",
        ),
        WrongAnswer(
            FIELD.replace("field, step = 1, 1", "field, step = 0, 1"),
            "Before any layer a cell is a pixel, which sees itself: begin with 1.",
            says="begin with 1",
        ),
        WrongAnswer(
            "def receptive_field(layers):\n"
            "    field = 1\n"
            "    for kernel, stride in layers:\n"
            "        field *= kernel\n"
            "    return field",
            "Kernels do not multiply: the next window adds its k - 1 further cells.",
            says="Kernels do not multiply",
        ),
        WrongAnswer(
            FIELD.replace("step *= stride", "step = stride"),
            "The strides of *all* layers before multiply: step *= stride.",
            says="layers before multiply",
        ),
    ],
)

FREEZE = """
def freeze(model):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in model[-1].parameters():
        parameter.requires_grad_(True)
    return list(model[-1].parameters())
"""


def what_learns(run, channels, classes):
    """Return of each parameter whether it learns, after the answer and one step with its list."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, channels, 3), nn.ReLU(), nn.Flatten(), nn.Linear(channels * 4, classes)
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    learning = run(model)
    if isinstance(learning, Iterator):  # parameters() itself is as good for an optimiser
        learning = list(islice(learning, 100))
    if not isinstance(learning, list | tuple) or not learning:
        raise Complaint("expected a list of parameters, for the optimiser.")
    strange = [each for each in learning if id(each) not in names]
    if strange:
        raise Complaint(
            "expected parameters of the model itself in the list: list(module.parameters()), "
            "without a copy."
        )
    state = {name: bool(each.requires_grad) for name, each in model.named_parameters()}
    given = sorted(names[id(parameter)] for parameter in learning)
    frozen = [name for name, learns in state.items() if not learns]
    return f"frozen: {' '.join(frozen) or 'none'}; to the optimiser: {' '.join(given)}"


freeze = FunctionExercise(
    "freeze",
    watch=what_learns,
    compared="which parameters are frozen, and which are in your list",
    cases=lambda: [(2, 3), (4, 5)],
    hints=(
        "A parameter learns while its requires_grad is True. parameter.requires_grad_(False), with "
        "the underscore at the end, changes that.",
        "Freeze all of model.parameters() first, then let those of model[-1] learn again.",
    ),
    solution=FREEZE,
    insight="A frozen parameter gets no gradient, and what it has learned stays as it was.",
    wrong_answers=[
        WrongAnswer(
            "def freeze(model):\n"
            "    for module in model[:-1]:\n"
            "        module.requires_grad = False\n"
            "    return list(model[-1].parameters())",
            "Nothing is frozen. module.requires_grad = False does not do it (it only hangs a new "
            "name on the module), nor do eval() or no_grad(): call module.requires_grad_(False).",
            says="only hangs a new name",
        ),
        WrongAnswer(
            "def freeze(model):\n"
            "    for parameter in model.parameters():\n"
            "        parameter.requires_grad_(False)\n"
            "    return list(model[-1].parameters())",
            "Now the last layer is frozen as well, and nothing at all could learn.",
            says="nothing at all could learn",
        ),
        WrongAnswer(
            "def freeze(model):\n"
            "    for module in model[:-1]:\n"
            "        module.requires_grad_(False)\n"
            "    return list(model.parameters())",
            "The list still holds the frozen ones: give the optimiser those that learn.",
            says="still holds the frozen ones",
        ),
        WrongAnswer(
            "def freeze(model):\n"
            "    model[-1].requires_grad_(False)\n"
            "    return [p for p in model.parameters() if p.requires_grad]",
            "The other way round: the convolutions stay as they are, and the last layer learns.",
            says="The other way round",
        ),
        WrongAnswer(
            "def freeze(model):\n"
            "    for module in model[:-1]:\n"
            "        if hasattr(module, 'weight'):\n"
            "            module.weight.requires_grad_(False)\n"
            "    return list(model[-1].parameters())",
            "The biases of the frozen layers still learn: go through all parameters.",
            says="The biases of the frozen layers",
        ),
    ],
)

SMALL = """
def small_cnn():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(96, 10),
    )
"""

small_cnn = SmallNetworkExercise(
    "small_cnn",
    most=3000,
    hints=(
        "Count where the parameters are: 4,640 of the 6,090 lie in the second convolution. Its "
        "weights are channels in times channels out times 9.",
        "Fewer channels first, more behind: 8 and 24, say. Padding 1 keeps the border, pooling "
        "twice leaves 2 x 2 cells a map for the last layer.",
    ),
    solution=SMALL,
    insight="Half of the parameters, and still ahead: it is the structure that counts here.",
    wrong_answers=[
        WrongAnswer(
            SMALL.replace("1, 8,", "1, 16,").replace("8, 24,", "16, 32,").replace("96", "128"),
            "Fewer channels in the second convolution save most.",
            says="6,090 parameters",
        ),
        WrongAnswer(
            "def small_cnn():\n"
            "    nn = torch.nn\n"
            "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 30), nn.ReLU(), "
            "nn.Linear(30, 10))",
            "A dense network again: the task asks for convolutions.",
            says="no nn.Conv2d in it",
        ),
        WrongAnswer(
            SMALL.replace("nn.Flatten(), ", ""),
            "Is nn.Flatten() missing? The last layer takes one row of numbers for each image.",
            says="Is nn.Flatten() missing?",
        ),
        WrongAnswer(
            SMALL.replace("nn.Linear(96, 10)", "nn.Linear(96, 10), nn.Softmax(dim=1)"),
            "The loss takes logits, and makes probabilities itself: leave the softmax out.",
            says="leave the softmax out",
        ),
        WrongAnswer(
            "def small_cnn():\n"
            "    nn = torch.nn\n"
            "    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(3), "
            "nn.Flatten(), nn.Linear(8, 10))",
            "Where could it lose too much: in few channels, or in a pooling that leaves few cells?",
            says="the dense one",
        ),
    ],
)
