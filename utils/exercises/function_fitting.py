"""The exercises of notebook 02."""

import torch
from torch import nn

from utils.exercises.answers import Complaint, discard, kind_of, names_in
from utils.exercises.core import ChoiceExercise, FunctionExercise, ValueExercise, WrongAnswer

line_gradient = FunctionExercise(
    "line_gradient",
    without_autograd=True,
    cases=lambda: [
        (0.0, 0.0, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])),
        (-1.5, 2.0, torch.tensor([0.0, 1.0, 4.0, 9.0]), torch.tensor([1.0, -1.0, 2.0, 0.5])),
    ],
    hints=(
        "First the residuals, y - (m * x + c). Both derivatives are means over them.",
        "torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()]) puts two numbers into "
        "one tensor.",
    ),
    solution="""
        def line_gradient(m, c, x, y):
            residuals = y - (m * x + c)  # (n,)
            return torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()])  # (2,)
    """,
    insight="At the best line both numbers are 0: no direction leads further down.",
    wrong_answers=[
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - m * x + c\n"
            "    return torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()])",
            "Brackets are missing: the residual is y - (m * x + c), so c is subtracted too.",
            says="Brackets are missing",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - (m * x + c)\n"
            "    return torch.stack([2 * (x * residuals).mean(), 2 * residuals.mean()])",
            "The sign is reversed: the inner derivative of y - (m x + c) brings a minus.",
            says="sign is reversed",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - (m * x + c)\n"
            "    return torch.stack([-2 * (x * residuals).sum(), -2 * residuals.sum()])",
            "This is the gradient of the sum of squares: the mean divides by n.",
            says="divides by n",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - (m * x + c)\n"
            "    return torch.stack([-2 * residuals.mean(), -2 * residuals.mean()])",
            "The derivative with respect to m has a factor x for each residual.",
            says="factor x",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - (m * x + c)\n"
            "    return torch.stack([-(x * residuals).mean(), -residuals.mean()])",
            "The factor 2 is missing: the derivative of a square is 2 times what is squared.",
            says="factor 2 is missing",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - (m * x + c)\n"
            "    return torch.stack([-2 * residuals.mean(), -2 * (x * residuals).mean()])",
            "The two are swapped: m first, then c.",
            says="swapped",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - (m * x + c)\n"
            "    return -2 / 3 * torch.stack([(x * residuals).sum(), residuals.sum()])",
            "3 is the number of points in the example: n is len(x).",
            says="n is len(x)",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])\n"
            "    residuals = y - (m * x + c)\n"
            "    return torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()])",
            "This uses the three points of the notebook, not the x and y that it is given.",
            says="three points of the notebook",
        ),
        WrongAnswer(
            "def line_gradient(m, c, x, y):\n"
            "    residuals = y - x\n"
            "    return torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()])",
            "The residual compares y with the prediction m * x + c, not with x.",
            says="compares y with the prediction",
        ),
    ],
)

parameter_count = ValueExercise(
    "parameter_count",
    hints=(
        "From one layer to the next: a weight for each pair of units, and a bias for each unit "
        "of the next layer.",
        "The first step is from 1 to 10 units: 1 * 10 weights and 10 biases, 20 in all.",
    ),
    solution="parameter_count = (1 * 10 + 10) + (10 * 5 + 5) + (5 * 1 + 1)",
    insight="(d_in + 1) * d_out for each layer: 20 + 55 + 6. Five times as many as 1-5-1 has.",
    wrong_answers=[
        WrongAnswer(
            "parameter_count = 65",
            "65 are the weights alone: the biases are missing.",
            says="biases are missing",
        ),
        WrongAnswer(
            "parameter_count = 82",
            "One too many: the input layer has no bias, it only hands its number on.",
            says="input layer has no bias",
        ),
        WrongAnswer(
            "parameter_count = 80",
            "One too few: the output unit has a bias too.",
            says="output unit has a bias",
        ),
        WrongAnswer(
            "parameter_count = 17",
            "17 is the number of units; parameters are the weights on the lines, and the biases.",
            says="number of units",
        ),
        WrongAnswer(
            "parameter_count = 16",
            "16 biases and no weights: each pair of neighbouring units has a weight.",
            says="each pair",
        ),
    ],
)

true_of_training = ChoiceExercise(
    "true_of_training",
    options={
        "A": (True, "1000 / 64 is 15.6, and the last batch, of 40 samples, is dropped."),
        "B": (
            False,
            "it holds the biases of the hidden layer; activations are computed anew each time.",
        ),
        "C": (True, "an activation function would limit which numbers it can reach."),
        "D": (
            False,
            "it is a bowl as a function of the prediction; of the weights it has many valleys.",
        ),
        "E": (True, "a GPU cannot compute with numbers that lie in the main memory."),
    },
    hints=(
        "For A, count the full batches of 64 in 1000.",
        "For D: two networks whose hidden units are swapped give the same prediction with other "
        "weights. How many lowest points are there then?",
    ),
    insight="Convex in the prediction, not in the weights: that is why the seed matters.",
)


def after_one_step(training_step, x, y):
    """Run a training step on a small linear model that still has gradients of an earlier step.

    Returns:
        the loss that it returned, then the two weights and the bias that it left, shape (4,).
    """
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -1.0]]))
        model.bias.fill_(0.25)
    loss_fn, optimizer = nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1)
    loss_fn(model(x * 3), y).backward()
    loss = training_step(model, x, y, loss_fn, optimizer)
    if loss is None:
        return None
    if isinstance(loss, torch.Tensor):
        raise Complaint(
            f"here came a tensor of shape {tuple(loss.shape)}, not a plain number: return "
            "loss.item(). A loss kept as a tensor can keep its whole graph in memory."
        )
    if not isinstance(loss, float):
        discard(loss)
        raise Complaint(f"expected the loss as a number, here came a {kind_of(loss)}.")
    return torch.tensor([loss, *model.weight.tolist()[0], model.bias.item()])


STEP = """
def training_step(model, x, y, loss_fn, optimizer):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
"""

training_step = FunctionExercise(
    "training_step",
    watch=after_one_step,
    compared="the loss, then the parameters after the step",
    cases=lambda: [(torch.tensor([[1.0, 2.0], [0.5, -1.0]]), torch.tensor([[1.0], [0.0]]))],
    hints=(
        "Five lines: the loss of the prediction, zero_grad, backward, step, and return.",
        "loss = loss_fn(model(x), y) comes first; loss.item() is the plain number.",
    ),
    solution=STEP,
    insight="These five lines are the heart of every training loop, here and in large projects.",
    wrong_answers=[
        WrongAnswer(
            STEP.replace("    optimizer.zero_grad()\n", ""),
            "The step used old gradients too: call optimizer.zero_grad() before backward(), not "
            "only after step().",
            says="zero_grad() before backward()",
        ),
        WrongAnswer(
            STEP.replace("    optimizer.step()\n", ""),
            "The parameters have not moved: are backward() and step() both there, and does nothing "
            "clear the gradients between them?",
            says="have not moved",
        ),
        WrongAnswer(
            STEP.replace(
                "    optimizer.zero_grad()\n    loss.backward()\n", "    loss.backward()\n"
            ).replace(
                "    optimizer.step()\n", "    optimizer.zero_grad()\n    optimizer.step()\n"
            ),
            "The gradients are cleared before the step can use them.",
            says="have not moved",
        ),
        WrongAnswer(
            STEP.replace("loss.item()", "loss"),
            "",
            says="return loss.item()",
        ),
        WrongAnswer(
            STEP.replace("return loss.item()", "return loss_fn(model(x), y).item()"),
            "This is the loss after the step; asked for is the one that the step was made from.",
            says="loss after the step",
        ),
    ],
)

OTHERS = {"clamp", "clip", "where", "minimum", "maximum", "min", "max", "hardtanh", "relu6"}


def from_relus(plateau, x):
    """Run the answer, once it is clear that it uses nothing but ReLU, sums and factors."""
    others = names_in(plateau) & OTHERS
    if others:
        names = ", ".join(sorted(others))
        raise Complaint(f"there is {names} in it: use only torch.relu, sums and factors.")
    return plateau(x)


plateau = FunctionExercise(
    "plateau",
    watch=from_relus,
    cases=lambda: [
        (torch.tensor([0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 6.0]),),
        (torch.linspace(-1, 8, 40),),
    ],
    hints=(
        "Each ReLU adds a kink at one place: torch.relu(x - 1) starts to rise at 1. The slope "
        "changes at 1, 2, 3 and 4.",
        "At each kink, add or subtract one more ReLU: + at 1 (slope 1), - at 2 (slope 0), then "
        "twice more.",
    ),
    solution="""
        def plateau(x):
            return torch.relu(x - 1) - torch.relu(x - 2) - torch.relu(x - 3) + torch.relu(x - 4)
    """,
    insight="As one hidden layer: four units, output weights 1, -1, -1, 1.",
    wrong_answers=[
        WrongAnswer(
            "def plateau(x):\n    return torch.relu(x - 1) - torch.relu(x - 2)",
            "It stays at 1 for ever: the two kinks that bring it down are missing.",
            says="stays at 1",
        ),
        WrongAnswer(
            "def plateau(x):\n    return torch.relu(x - 1) - torch.relu(x - 2) - torch.relu(x - 3)",
            "It falls on below 0: a fourth kink at x = 4 has to stop it.",
            says="fourth kink",
        ),
        WrongAnswer(
            "def plateau(x):\n"
            "    return torch.relu(x - 1) - 2 * torch.relu(x - 2) + torch.relu(x - 3)",
            "This is a triangle: at x = 2 the slope has to become 0, not -1.",
            says="triangle",
        ),
        WrongAnswer(
            "def plateau(x):\n"
            "    return torch.relu(x - 1) + torch.relu(x - 2) - torch.relu(x - 3) "
            "- torch.relu(x - 4)",
            "Adding at x = 2 makes it steeper: subtract there, so that it becomes flat.",
            says="makes it steeper",
        ),
    ],
)
