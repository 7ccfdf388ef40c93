"""The exercises of notebook 02."""

import torch
from torch import nn

from utils.exercises.answers import Complaint, as_number, kind_of
from utils.exercises.core import (
    AUTOGRAD,
    Ban,
    ChoiceExercise,
    FunctionExercise,
    ValueExercise,
    WrongAnswer,
)

line_gradient = FunctionExercise(
    "line_gradient",
    ban=AUTOGRAD,
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
        *(
            WrongAnswer(
                f"parameter_count = {65 + counted}",
                f"{65 + counted} leaves out some biases: each unit of both hidden layers has one, "
                "and so has the output unit, 10 + 5 + 1 in all.",
                says="leaves out some biases",
            )
            for counted in (1, 5, 6, 10, 11)  # biases of some layers only
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


def after_one_step(run, x, y, loss_fn, optimizer):
    """Run a training step on a small linear model that still has gradients of an earlier step.

    Args:
        run: the student's function.
        x: shape (n, 2).
        y: shape (n, 1).
        loss_fn: a class of losses.
        optimizer: a class of optimizers.

    Returns:
        the loss that it returned, then the two weights and the bias that it left, shape (4,).
    """
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -1.0]]))
        model.bias.fill_(0.25)
    nn.functional.mse_loss(model(x * 3), y).backward()
    loss = run(model, x, y, loss_fn(), optimizer(model.parameters(), lr=0.1))
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        raise Complaint(
            "your loss is a tensor that keeps its whole graph in memory: return the plain number, "
            "loss.item()."
        )
    if as_number(loss) is None:
        raise Complaint(f"expected the loss as a number, got a {kind_of(loss)}.")
    return torch.tensor([as_number(loss), *model.weight.tolist()[0], model.bias.item()])


SAMPLES, TARGETS = torch.tensor([[1.0, 2.0], [0.5, -1.0]]), torch.tensor([[1.0], [0.0]])

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
    cases=lambda: [
        (SAMPLES, TARGETS, nn.MSELoss, torch.optim.SGD),
        (SAMPLES, TARGETS, nn.L1Loss, torch.optim.SGD),
        (SAMPLES, TARGETS, nn.MSELoss, torch.optim.Adam),
    ],
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
            "The parameters have not moved: are backward() and step() both there, and does nothing "
            "clear the gradients between them?",
            says="have not moved",
        ),
        WrongAnswer(
            STEP.replace("loss.item()", "loss"),
            "",
            says="the plain number, loss.item()",
        ),
        WrongAnswer(
            STEP.replace("loss_fn(model(x), y)", "((model(x) - y) ** 2).mean()"),
            "This is the mean squared error, whatever the task: use the loss_fn that is given.",
            says="use the loss_fn that is given",
        ),
        WrongAnswer(
            STEP.replace(
                "    optimizer.step()\n",
                "    with torch.no_grad():\n"
                "        for values in model.parameters():\n"
                "            values -= 0.1 * values.grad\n",
            ),
            "This is a step of SGD with the rate 0.1, whatever the optimizer: let "
            "optimizer.step() move the parameters.",
            says="let optimizer.step() move",
        ),
        WrongAnswer(
            STEP.replace("return loss.item()", "return loss_fn(model(x), y).item()"),
            "This is the loss after the step; asked for is the one that the step was made from.",
            says="loss after the step",
        ),
    ],
)

# Arithmetic, and what lays numbers out; all else of torch could make a plateau in another way.
SUMS_AND_FACTORS = set(
    """
    relu relu_ add add_ sub sub_ __rsub__ rsub mul mul_ div div_ __rdiv__ neg positive sum dot mv
    matmul __rmatmul__ linear einsum tensor as_tensor zeros zeros_like ones ones_like full full_like
    arange empty copy_ fill_ stack cat unsqueeze squeeze reshape view flatten expand t transpose
    clone detach float to size dim numel __len__ __getitem__ kaiming_uniform_ uniform_
    requires_grad_ _set_grad_enabled
    """.split()
)

plateau = FunctionExercise(
    "plateau",
    ban=Ban(lambda name: name not in SUMS_AND_FACTORS, "Use only torch.relu, sums and factors."),
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
        WrongAnswer(
            "def plateau(x):\n"
            "    rising, falling = (x > 1) & (x <= 2), (x > 3) & (x < 4)\n"
            "    return rising * (x - 1) + ((x > 2) & (x <= 3)) + falling * (4 - x)",
            "",
            says="there is &, <, <=, > in your function",
        ),
        WrongAnswer(
            "def plateau(x):\n"
            "    return ((x - 1).abs() - (x - 2).abs() - (x - 3).abs() + (x - 4).abs()) / 2",
            "",
            says="there is abs in your function",
        ),
        WrongAnswer(
            "def plateau(x):\n    return torch.relu(x - 1).clamp(max=1) - torch.relu(x - 3)",
            "",
            says="there is clamp in your function",
        ),
    ],
)
