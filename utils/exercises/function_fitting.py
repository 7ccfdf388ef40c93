"""The exercises of notebook 02."""

import numpy as np
import torch

from utils.exercises.answers import Complaint, kind_of
from utils.exercises.core import (
    AUTOGRAD,
    Ban,
    ChoiceExercise,
    FunctionExercise,
    WrongAnswer,
)
from utils.exercises.logs import LogExercise

parabola_gradient = FunctionExercise(
    "parabola_gradient",
    ban=AUTOGRAD,
    cases=lambda: [
        (0.0, 0.0, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])),
        (-1.5, 2.0, torch.tensor([0.0, 1.0, 4.0, 9.0]), torch.tensor([1.0, -1.0, 2.0, 0.5])),
    ],
    hints=(
        "First the residuals, y - (a * x**2 + c). Both derivatives are means over them.",
        "The inner derivatives are -x² and -1; torch.stack([first, second]) puts two numbers into "
        "one tensor.",
    ),
    solution="""
        def parabola_gradient(a, c, x, y):
            residuals = y - (a * x**2 + c)  # (n,)
            return torch.stack([-2 * (x**2 * residuals).mean(), -2 * residuals.mean()])  # (2,)
    """,
    insight="At the best parabola both numbers are 0: no direction leads further down.",
    wrong_answers=[
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - a * x**2 + c\n"
            "    return torch.stack([-2 * (x**2 * residuals).mean(), -2 * residuals.mean()])",
            "Brackets are missing: the residual is y - (a * x**2 + c), so c is subtracted too.",
            says="Brackets are missing",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([2 * (x**2 * residuals).mean(), 2 * residuals.mean()])",
            "The sign is reversed: the inner derivative of y - (a x² + c) brings a minus.",
            says="sign is reversed",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([-2 * (x**2 * residuals).sum(), -2 * residuals.sum()])",
            "This is the gradient of the sum of squares: the mean divides by n.",
            says="divides by n",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([-2 * residuals.mean(), -2 * residuals.mean()])",
            "The derivative with respect to a has a factor x² for each residual.",
            says="factor x²",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([-(x**2 * residuals).mean(), -residuals.mean()])",
            "The factor 2 is missing: the derivative of a square is 2 times what is squared.",
            says="factor 2 is missing",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([-2 * residuals.mean(), -2 * (x**2 * residuals).mean()])",
            "The two are swapped: a first, then c.",
            says="swapped",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return -2 / 3 * torch.stack([(x**2 * residuals).sum(), residuals.sum()])",
            "3 is the number of points in the example: n is len(x).",
            says="n is len(x)",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([-2 * (x**2 * residuals).mean(), -2 * residuals.mean()])",
            "This uses the three points of the notebook, not the x and y that it is given.",
            says="three points of the notebook",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x + c)\n"
            "    return torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()])",
            "This is the gradient of the line: the model is now a x² + c, and the inner "
            "derivative with respect to a is -x².",
            says="gradient of the line",
        ),
        WrongAnswer(
            "def parabola_gradient(a, c, x, y):\n"
            "    residuals = y - (a * x**2 + c)\n"
            "    return torch.stack([-2 * (x * residuals).mean(), -2 * residuals.mean()])",
            "The model has changed, the factor has not: the inner derivative is -x², not -x.",
            says="-x², not -x",
        ),
    ],
)

true_of_training = ChoiceExercise(
    "true_of_training",
    options={
        "A": (True, "500 / 32 is 15.6, and the last batch, of 20 samples, is dropped."),
        "B": (True, "after the weights of the first layer come its biases, one for each unit."),
        "C": (False, "a sum of straight lines is a straight line, however many there are."),
        "D": (False, "the output adds up the units, and a sum does not depend on the order."),
        "E": (
            False,
            "in metres the numbers are a thousand times smaller, so the valley has another shape.",
        ),
        "F": (True, "a GPU cannot compute with numbers that lie in the main memory."),
    },
    hints=(
        "For A, count the full batches of 32 in 500. For B, see what named_parameters() listed.",
        "For D, think of the figure with the dashed lines: does their sum have an order? For E, "
        "think of the birds.",
    ),
    insight="Swapped units are another place with the same loss: a network has many lowest points.",
)

three_diagnoses = ChoiceExercise(
    "three_diagnoses",
    options={
        "A": (
            False,
            "0.00002 lies just below the border of section 3, 0.000025: at 0.001 it diverges.",
        ),
        "B": (True, "what is safe for the steep direction hardly moves the intercept."),
        "C": (True, "for scaled data the border is near 1, and the rate is 1.1."),
        "D": (False, "each step makes the loss larger, so more steps make it larger still."),
        "E": (
            False,
            "0.03 is far below the border, near 1: with cleared gradients it learns well.",
        ),
        "F": (True, "clear=False leaves out zero_grad, and backward adds to what is there."),
    },
    hints=(
        "Compare the three calls: which numbers differ, and which word? Section 2 has the border "
        "for a rate, section 3 the shape of the valley.",
        "One statement is true of each training.",
    ),
    insight="Grows: the rate. Stops early: the scale, or the rate. Swings forever: zero_grad.",
)


class TrainingExercise(FunctionExercise):
    """A training to write. Each of its steps calls torch, or stands in a loop."""

    def forbidden(self, outcomes, looped):
        arrived = not any(outcome.problem for outcome in outcomes)
        few = min(len(outcome.called) for outcome in outcomes) < 60
        trained = looped or not (arrived and few)
        untrained = f"there is no training in your function. {self.ban.advice}"
        return super().forbidden(outcomes, looped) or (None if trained else untrained)


def lowest_error(x, y):
    """Return the mean squared error of the best straight line; x and y shape (n, 1)."""
    x, y = x.numpy().ravel(), y.numpy().ravel()  # NumPy's calls are none of the student's
    x = (x - x.mean()) / x.std()
    return float(((np.polyval(np.polyfit(x, y, 1), x) - y) ** 2).mean())


def judged_by_its_error(run, x, y):
    """Run a training; return True if its line is as good as the best one.

    Args:
        run: the student's function.
        x, y: shape (n, 1).

    Raises:
        Complaint: it is not; what its predictions look like says why.
    """
    with torch.random.fork_rng(devices=[]):  # so that a second run can begin alike
        predicted = run(x, y)
    if not isinstance(predicted, torch.Tensor) or predicted.shape != y.shape:
        shape = tuple(getattr(predicted, "shape", ()))
        got = f"shape {shape}" if shape else f"a {kind_of(predicted)}"
        raise Complaint(f"expected predictions of shape {tuple(y.shape)}, got {got}.")
    predicted = predicted.detach().double()
    best, error = lowest_error(x, y), ((predicted - y) ** 2).mean()
    if error < 0.999 * best:
        raise Complaint(
            "your predictions are better than any line can be: they have to come from the line "
            "that you trained, and not from y."
        )
    if error <= 1.01 * best:
        return True
    about = f"on data with x near {x.mean().item():.3g} and y near {y.mean().item():.3g}"
    slip = slip_in_scaling(x, y, predicted, 1.01 * best) if error.isfinite() else None
    if slip:
        raise Complaint(slip)
    if not error < 100 * (y**2).mean():
        raise Complaint(
            f"the loss grows without bound {about}: the rate is above the border there. Scale x "
            "and y first, then one rate suits all data."
        )
    again = run(x, -y)  # a line that learns from these turns round
    if isinstance(again, torch.Tensor) and again.shape == y.shape:
        apart = predicted - again.detach().double()
        if (apart - apart.mean()).abs().max() <= 1e-9 * predicted.abs().max():
            raise Complaint(
                "nothing was learned: your line has the same slope whatever y is. In each step "
                "zero_grad, backward, then step."
            )
    raise Complaint(
        f"{about} your training does not arrive at the best line. Are x and y both scaled, are "
        "the gradients cleared in each step, is the rate some 0.1, or are more steps needed?\n"
        f"(mean squared error {error.item():.4g}, the best line has {best:.4g})"
    )


def slip_in_scaling(x, y, predicted, enough):
    """Return in words what was forgotten on the way to predictions or back, or None.

    Args:
        x, y, predicted: shape (n, 1).
        enough: an error as low as this says that nothing else is wrong.
    """
    center, spread = y.mean(), y.std()
    slope, start = np.polyfit(x.numpy().ravel(), predicted.numpy().ravel(), 1)
    on_scaled = slope * (x - x.mean()) / x.std() + start
    back = "turn them back into the units of y, times its standard deviation, plus its mean."
    unscaled = "is x scaled in training, and raw where you predict? Scale it alike for both."
    slips = [
        (
            predicted * spread + center,
            f"your line is right, but its predictions are still scaled: {back}",
        ),
        (
            predicted + center,
            "your line is right, but the mean of y is not added to its predictions.",
        ),
        (
            (predicted - center) * spread + center,
            "your line is right, but its predictions are not "
            "multiplied by the standard deviation of y, before its mean is added.",
        ),
        (on_scaled, unscaled),
        (on_scaled * spread + center, f"{unscaled} And the predictions are still scaled: {back}"),
    ]
    return next((words for mended, words in slips if ((mended - y) ** 2).mean() <= enough), None)


def straight_data(center, width, slope, intercept, noise):
    """Return 10 points around a line, x and y of shape (10, 1) in float64."""
    generator = torch.Generator().manual_seed(2)
    x, away = torch.rand(2, 10, 1, generator=generator, dtype=torch.float64) - 0.5
    x = center + width * x
    return x, intercept + slope * x + noise * away


HEALTHY = """
def healthy_training(x, y):
    scaled_x, scaled_y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    model = torch.nn.Linear(1, 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(200):
        loss = ((model(scaled_x) - scaled_y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model(scaled_x).detach() * y.std() + y.mean()
"""

healthy_training = TrainingExercise(
    "healthy_training",
    watch=judged_by_its_error,
    ban=Ban(
        {"linalg_lstsq", "linalg_pinv", "linalg_inv", "linalg_solve", "inverse"}.__contains__,
        "This one is about the training: find the line by gradient descent.",
    ),
    cases=lambda: [
        straight_data(200.0, 60.0, 49.7, -5781.0, 1400.0),  # mm and g
        straight_data(0.2, 0.06, 49.7, -5.781, 1.4),  # m and kg
        straight_data(290.0, 20.0, -0.8, 1000.0, 4.0),  # kelvin and hectopascal
    ],
    hints=(
        "Subtract the mean of x and divide by its standard deviation; y alike. Then a rate of 0.1 "
        "suits every data set.",
        "The loop is that of section 4 with nn.Linear(1, 1).double(). At the end: "
        "model(scaled_x) * y.std() + y.mean().",
    ),
    solution=HEALTHY,
    insight="Scaled inputs and targets: one rate for all units. Keep this for data of your own.",
    wrong_answers=[
        WrongAnswer(
            HEALTHY.replace("(x - x.mean()) / x.std(), (y - y.mean()) / y.std()", "x, y").replace(
                " * y.std() + y.mean()", ""
            ),
            "",
            says="Scale x and y first",
        ),
        WrongAnswer(HEALTHY.replace("lr=0.1", "lr=1.5"), "", says="above the border"),
        WrongAnswer(
            HEALTHY.replace("        optimizer.zero_grad()\n", ""),
            "",
            says="gradients cleared in each step",
        ),
        WrongAnswer(HEALTHY.replace("lr=0.1", "lr=0.0001"), "", says="the rate some 0.1"),
        WrongAnswer(
            HEALTHY.replace(" * y.std() + y.mean()", ""), "", says="predictions are still scaled"
        ),
        WrongAnswer(
            "def healthy_training(x, y):\n    return y", "", says="better than any line can be"
        ),
        WrongAnswer(
            "def healthy_training(x, y):\n"
            "    away = x - x.mean()\n"
            "    return (away * y).sum() / (away**2).sum() * away + y.mean()",
            "",
            says="there is no training in your function",
        ),
        WrongAnswer(
            HEALTHY.replace("return model(scaled_x)", "return model(x)"),
            "",
            says="is x scaled in training, and raw where you predict?",
        ),
        WrongAnswer(
            HEALTHY.replace("(scaled_x).detach() * y.std() + y.mean()", "(x).detach()"),
            "",
            says="And the predictions are still scaled",
        ),
        WrongAnswer(HEALTHY.replace(" + y.mean()", ""), "", says="the mean of y is not added"),
        WrongAnswer(
            HEALTHY.replace(" * y.std() +", " +"), "", says="by the standard deviation of y, before"
        ),
        WrongAnswer(HEALTHY.replace("loss.backward()", "pass"), "", says="nothing was learned"),
    ],
)


LOG = (
    'experiment_log = {"usual": torch.arange(8.0) + 2, "A": torch.arange(8.0), "B": torch.ones(8)}'
)

experiment_log = LogExercise(
    "experiment_log",
    hints=(
        'Three entries: "usual", and two of your own. Each is experiment(...)[:, -1], 32 numbers.',
        "For example experiment(rate=0.5)[:, -1], or experiment(batch_size=10, epochs=50)[:, -1].",
    ),
    solution=LOG,
    insight="Pairs with the same seed started alike, so their difference is what you changed.",
    wrong_answers=[
        WrongAnswer("experiment_log = [0.1, 0.2]", "", says="expected a dictionary"),
        WrongAnswer(LOG.replace('"usual"', '"first"'), "", says='no entry "usual"'),
        WrongAnswer(LOG.replace(', "B": torch.ones(8)', ""), "", says="two experiments"),
        WrongAnswer(LOG.replace("torch.ones(8)", "0.1"), "", says="one run is one sample"),
        WrongAnswer(LOG.replace("torch.ones(8)", "torch.ones(8, 9)"), "", says="last epoch"),
        WrongAnswer(LOG.replace("torch.ones(8)", "torch.ones(9)"), "", says="in pairs"),
        WrongAnswer(LOG.replace("torch.ones(8)", '"low"'), "", says="last losses of all seeds"),
        WrongAnswer(
            LOG.replace("torch.ones(8)", "torch.arange(8.0) + 2"), "", says="nothing was changed"
        ),
    ],
)


# Arithmetic, and what lays numbers out; all else of torch could make a plateau in another way.
SUMS_AND_FACTORS = set(
    """
    relu relu_ add add_ sub sub_ __rsub__ rsub mul mul_ div div_ __rdiv__ neg positive sum dot mv
    matmul __rmatmul__ linear einsum tensor as_tensor zeros zeros_like ones ones_like full full_like
    arange empty copy_ fill_ zero_ stack cat unsqueeze squeeze reshape view flatten expand t
    transpose clone detach float to size dim numel __len__ __getitem__ kaiming_uniform_ uniform_
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
            "It stays at 1 forever: the two kinks that bring it down are missing.",
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
