"""The exercises of notebook 01."""

import torch

from utils.exercises.core import AUTOGRAD, ChoiceExercise, FunctionExercise, WrongAnswer
from utils.exercises.five_programs import error_centred_slopes, mean_and_scores


def normal(*shape, seed=0):
    """Return float32 normal numbers of a shape, the same ones on every machine."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).float()


min_max = FunctionExercise(
    "min_max",
    cases=lambda: [
        (torch.tensor([1.0, 2.0, 5.0]),),
        (torch.tensor([-3.0, 0.0, 1.0, 2.0]),),
        (normal(20) * 7 + 100,),
    ],
    hints=(
        "Subtract something so that the smallest number becomes 0, then divide by something so "
        "that the largest becomes 1.",
        "After you subtract x.min(), the largest number is x.max() - x.min(). Divide by that.",
    ),
    solution="""
        def min_max(x):
            return (x - x.min()) / (x.max() - x.min())
    """,
    insight="0 and 1 are now the ends of the data, so one outlier squeezes everything else.",
    wrong_answers=[
        WrongAnswer(
            "def min_max(x):\n    return x / x.max()",
            "Dividing by the maximum alone leaves the smallest number where it is, not at 0.",
            says="maximum alone",
        ),
        WrongAnswer(
            "def min_max(x):\n    return (x - x.min()) / x.max()",
            "Once the minimum is subtracted, the largest number is max - min: divide by the range.",
            says="divide by the range",
        ),
        WrongAnswer(
            "def min_max(x):\n    return (x - x.mean()) / x.std()",
            "This is standardising (mean 0, deviation 1); min-max scaling ends at 0 and 1.",
            says="standardising",
        ),
        WrongAnswer(
            "def min_max(x):\n    return x - x.min() / (x.max() - x.min())",
            "Division comes before subtraction: brackets around x - x.min() are missing.",
            says="brackets",
        ),
        WrongAnswer(
            "def min_max(x):\n    return (x - x.min()) / x.max() - x.min()",
            "Division comes before subtraction: brackets around x.max() - x.min() are missing.",
            says="brackets around x.max()",
        ),
        WrongAnswer(
            "def min_max(x):\n    return x - x.min() / x.max() - x.min()",
            "Division comes before subtraction: brackets are missing, above and below the line.",
            says="above and below the line",
        ),
        WrongAnswer(
            "def min_max(x):\n    return x / (x.max() - x.min())",
            "The range is 1 now, but it does not begin at 0: subtract the minimum first.",
            says="does not begin at 0",
        ),
        WrongAnswer(
            "def min_max(x):\n"
            "    return (x - x.min(dim=0)) / (x.max(dim=0).values - x.min(dim=0).values)",
            "",
            says="return two tensors: .values",
        ),
    ],
)

broadcast = ChoiceExercise(
    "broadcast",
    options={
        "A": (True, "from the right, 4 meets 4, and the missing axis is added on the left."),
        "B": (
            False,
            "shapes are lined up from the right, so 3 meets 4. (3, 1) would go with (3, 4).",
        ),
        "C": (True, "each axis of length 1 is stretched, one in each tensor."),
        "D": (True, "the last two axes multiply, 2x3 times 3x4; the 10 stays."),
        "E": (False, "the last two axes multiply, and there 3 meets 2."),
        "F": (True, "ten products, pair by pair, each 2x3 times 3x4."),
    },
    hints=(
        "For +, write the two shapes under each other, flush right: each column has to hold two "
        "equal numbers, or a 1, or a gap. For @, look at the last two axes first.",
        "For B, (3,) under (3, 4) flush right puts the 3 under the 4. For E, the matrices are 2x3 "
        "and 2x3: can they be multiplied?",
    ),
    insight="The results are (3, 4), (2, 5), (10, 2, 4) and (10, 2, 4).",
)

pairwise_distances = FunctionExercise(
    "pairwise_distances",
    without_loop=True,
    cases=lambda: [
        (
            torch.tensor([[0.0, 0.0], [3.0, 4.0]]),
            torch.tensor([[0.0, 0.0], [0.0, 4.0], [6.0, 8.0]]),
        ),
        (normal(4, 3, seed=1), normal(2, 3, seed=2)),
    ],
    hints=(
        "Give a an extra axis so that its shape is (n, 1, d), and b one so that it is (1, m, d). "
        "What shape has the difference?",
        "(a[:, None, :] - b[None, :, :]) has shape (n, m, d). Square it, sum over the last axis, "
        "take the root.",
    ),
    solution="""
        def pairwise_distances(a, b):
            differences = a[:, None, :] - b[None, :, :]  # (n, m, d)
            return (differences**2).sum(dim=-1).sqrt()  # (n, m)
    """,
    insight="torch.cdist(a, b) does the same with less memory: it never stores (n, m, d) numbers.",
    wrong_answers=[
        WrongAnswer(
            "def pairwise_distances(a, b):\n"
            "    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(dim=-1)",
            "These are the squared distances: the root is missing.",
            says="root is missing",
        ),
        WrongAnswer(
            "def pairwise_distances(a, b):\n"
            "    return ((b[:, None, :] - a[None, :, :]) ** 2).sum(dim=-1).sqrt()",
            "Rows belong to a and columns to b; yours is the other way round.",
            says="other way round",
        ),
        WrongAnswer(
            "def pairwise_distances(a, b):\n"
            "    return (a[:, None, :] - b[None, :, :]).abs().sum(dim=-1)",
            "This sums absolute differences (the city-block distance); Euclidean distances square.",
            says="city-block",
        ),
        WrongAnswer(
            "def pairwise_distances(a, b):\n    return ((a - b) ** 2).sum(dim=-1).sqrt()",
            "Here row i meets row i. For all pairs, a needs an extra axis in the middle and b an "
            "extra axis in front.",
            says="must match the size of tensor b",
        ),
        WrongAnswer(
            "def pairwise_distances(a, b):\n"
            "    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(dim=1).sqrt()",
            "You summed over the rows of b: the axis that has to disappear is the last one, the "
            "features.",
            says="has to disappear",
        ),
        WrongAnswer(
            "def pairwise_distances(a, b):\n"
            "    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(dim=-1) ** 1 / 2",
            "** comes before /, so this halves the squared distance: write ** 0.5, or .sqrt().",
            says="** comes before /",
        ),
    ],
)

fix_dtype = FunctionExercise(
    "fix_dtype",
    cases=lambda: [
        (torch.tensor([3, 1, 2]), torch.tensor([0.5, 0.25, 2.0])),
        (torch.tensor([10, 0, 7, 5]), torch.tensor([0.1, 0.2, 0.3, 0.4])),
    ],
    hints=(
        "Both tensors need one dtype before @. Which of the two would lose something by changing?",
        "counts.float() makes float32 numbers of the whole numbers; nothing is lost.",
    ),
    solution="""
        def fix_dtype(counts, prices):
            return counts.float() @ prices
    """,
    insight="counts.to(prices.dtype) also works when prices are float64 one day.",
    wrong_answers=[
        WrongAnswer(
            "def fix_dtype(counts, prices):\n    return counts @ prices.long()",
            "prices.long() cuts the decimals off: 0.5 became 0. Convert the whole numbers instead.",
            says="cuts the decimals off",
        ),
        WrongAnswer(
            "def fix_dtype(counts, prices):\n    return counts.double() @ prices.double()",
            "Right value, but float64: the course keeps float32, the default of every network.",
            says="expected dtype torch.float32",
        ),
        WrongAnswer(
            "def fix_dtype(counts, prices):\n    return counts @ prices",
            "The two still differ in dtype where @ meets them. counts.float() changes nothing in "
            "place: use the tensor that it returns.",
            says="changes nothing in place",
        ),
        WrongAnswer(
            "def fix_dtype(counts, prices):\n    return counts * prices",
            "* multiplies element by element; the sum that @ takes over the products is missing.",
            says="element by element",
        ),
    ],
)

one_hot = FunctionExercise(
    "one_hot",
    without_loop=True,
    cases=lambda: [
        (torch.tensor([2, 0, 1, 1]), 3),
        (torch.tensor([0, 3]), 5),
    ],
    hints=(
        "Compare the labels as a column, shape (n, 1), with the class numbers 0 to classes - 1 "
        "as a row.",
        "labels[:, None] == torch.arange(classes) has shape (n, classes) and holds True and False; "
        ".float() makes ones and zeros.",
    ),
    solution="""
        def one_hot(labels, classes):
            return (labels[:, None] == torch.arange(classes)).float()  # (n, classes)
    """,
    insight="torch.eye(classes)[labels] is a second way: it picks rows of the identity matrix.",
    wrong_answers=[
        WrongAnswer(
            "def one_hot(labels, classes):\n    return labels[:, None] == torch.arange(classes)",
            "True and False are at the right places: turn them into numbers with .float().",
            says="expected dtype torch.float32",
        ),
        WrongAnswer(
            "def one_hot(labels, classes):\n"
            "    return (labels[None, :] == torch.arange(classes)[:, None]).float()",
            "One row per sample and one column per class; yours is transposed.",
            says="transposed",
        ),
        WrongAnswer(
            "def one_hot(labels, classes):\n"
            "    return torch.nn.functional.one_hot(labels, classes)",
            "The ones are in the right places, as whole numbers (so does torch's own one_hot): "
            "add .float().",
            says="add .float()",
        ),
        WrongAnswer(
            "def one_hot(labels, classes):\n    return torch.nn.functional.one_hot(labels).float()",
            "The columns end at the largest label seen: a class above it may be absent.",
            says="a class above it may be absent",
        ),
        WrongAnswer(
            "def one_hot(labels, classes):\n"
            "    return (labels[:, None] == labels.unique()).float()",
            "There are as many columns as labels seen, not as classes: a class may be absent.",
            says="as labels seen",
        ),
    ],
)

mse_gradient = FunctionExercise(
    "mse_gradient",
    ban=AUTOGRAD,
    cases=lambda: [
        (torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([2.0, 4.0, 6.0]), torch.tensor([1.0])),
        (
            torch.tensor([[1.0, 2.0], [0.0, -1.0]]),
            torch.tensor([3.0, 1.0]),
            torch.tensor([1.0, 0.5]),
        ),
        (normal(5, 2, seed=3), normal(5, seed=4), normal(2, seed=5)),
    ],
    hints=(
        "The errors are X @ w - y. Each weight's slope is the mean of 2 * error * that "
        "weight's feature.",
        "In matrices: 2 / n * X.T @ (X @ w - y), with n = len(y).",
    ),
    solution="""
        def mse_gradient(X, y, w):
            errors = X @ w - y  # (n,)
            return 2 / len(y) * X.T @ errors  # (d,)
    """,
    insight="Three birds or three million: the gradient has one number per weight.",
    wrong_answers=[
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return 2 * X.T @ (X @ w - y)",
            "This is the gradient of the sum of squares: the mean divides by n.",
            says="divides by n",
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return X.T @ (X @ w - y) / len(y)",
            "The 2 from the square is missing (some books put 1/2 into the loss; torch does not).",
            says="2 from the square",
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return 2 / len(y) * X.T @ (y - X @ w)",
            "The sign is reversed: the error is prediction minus target, X @ w - y.",
            says="sign is reversed",
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return 2 / len(y) * (X @ w - y)",
            "The inner derivative is missing: each error times its features, X.T @ ...",
            says="inner derivative",
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return 2 / len(y) * X.T @ (X * w - y)",
            "X * w is element by element; the prediction is the matrix product X @ w, shape (n,).",
            says="matrix product X @ w",
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return 2 / len(w) * X.T @ (X @ w - y)",
            "The mean is over the n samples, len(y), not over the features.",
            says="not over the features",
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return (2 / len(y) * X.T @ (X @ w - y)).sum()",
            "One number came, but each weight has its own slope: keep one number for each feature.",
            says="its own slope",
        ),
        *(
            WrongAnswer(
                f"def mse_gradient(X, y, w):\n    return (2 * {factors}).mean(dim=0)",
                "The column trap: * lines the errors (n,) up with the features, not with the "
                "samples. (X @ w - y)[:, None] is a column, one error for each row of X.",
                says="The column trap",
            )
            for factors in ("(X @ w - y) * X", "X * (X @ w - y)")
        ),
        WrongAnswer(
            "def mse_gradient(X, y, w):\n    return 2 / len(y) * X.T @ (X @ w) - y.mean()",
            "y is a part of the error: subtract it before you multiply by X.T.",
            says="before you multiply by X.T",
        ),
    ],
)


fix_two = FunctionExercise(
    "fix_two",
    watch=mean_and_scores,
    returns=("the mean", "the scores"),
    cases=lambda: [
        (torch.tensor([3, 1, 2, 1]), torch.ones(4, 2), "shape (2,), on the device meta"),
        (torch.tensor([0, 5, 6]), torch.ones(3, 5), "shape (5,), on the device meta"),
    ],
    hints=(
        "Ask of each message: dtype, shape or device? The first needs numbers with a point, the "
        "second both tensors in one place.",
        "counts.float() and x.to(weight.device) give new tensors: go on with what they return.",
    ),
    solution="""
        def fix_two(counts, x, weight):
            mean = counts.float().mean()
            x = x.to(weight.device)
            return mean, x @ weight
    """,
    insight="Neither .float() nor .to() changes a tensor: both return another one.",
    wrong_answers=[
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    x = x.to(weight.device)\n"
            "    return counts.mean(), x @ weight",
            "The counts are still whole numbers where their mean is taken, and a mean need not be "
            "whole. Use what counts.float() returns.",
            says="Use what counts.float() returns",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    x.to(weight.device)\n"
            "    return counts.float().mean(), x @ weight",
            "For a tensor .to() returns a moved copy, and x stays where it is: write "
            "x = x.to(weight.device).",
            says="x stays where it is",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    return counts.float().mean().long(), x.to(weight.device) @ weight",
            "",
            says="Turn the counts into float32 before",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    mean = (counts.sum() // len(counts)).float()\n"
            "    return mean, x.to(weight.device) @ weight",
            "",
            says="Dividing with //",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    return counts.float().mean(), x @ weight.to(x.device)",
            "Of the two that meet, the task wants x to move. The weight stays where it is: meta "
            "has no numbers that could be copied.",
            says="the task wants x to move",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    weight = torch.zeros(weight.shape)\n"
            "    return counts.float().mean(), x @ weight",
            "",
            says="so x has to move",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    return counts.double().mean(), x.to(weight.device) @ weight",
            "",
            says="the default of every network",
        ),
        WrongAnswer(
            "def fix_two(counts, x, weight):\n"
            "    return counts.float().mean(), x.to(weight.device) * weight",
            "",
            says="@ multiplies and sums",
        ),
    ],
)


SILENT = """
def fix_three(predictions, targets, array):
    error = ((predictions - targets[:, None]) ** 2).mean()
    x = torch.from_numpy(array)
    x = x - x.mean()
    w, slopes = torch.tensor(0.0, requires_grad=True), []
    for target in targets:
        w.grad = None
        ((w - target) ** 2).backward()
        slopes.append(w.grad.item())
    return error, x, slopes
"""

fix_three = FunctionExercise(
    "fix_three",
    watch=error_centred_slopes,
    returns=("the error", "the centred numbers", "the slopes"),
    cases=lambda: [
        (
            torch.tensor([[2.0], [2.0], [6.0]]),
            torch.tensor([1.0, 2.0, 3.0]),
            torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64),
        ),
        (
            torch.tensor([[0.5], [-1.0]]),
            torch.tensor([-2.0, 0.25]),
            torch.tensor([-1.0, 4.0, 0.5, 0.5], dtype=torch.float64),
        ),
    ],
    hints=(
        "Print the shape of the difference; look at the array afterwards; and ask what is in "
        "w.grad before each backward.",
        "targets[:, None] makes a column; x = x - x.mean() makes new numbers; w.grad = None before "
        "each backward clears what is there.",
    ),
    solution=SILENT,
    insight="No error message does not mean no error: try every program on numbers that you know.",
    wrong_answers=[
        WrongAnswer(SILENT.replace("targets[:, None]", "targets"), "", says="the column trap"),
        WrongAnswer(SILENT.replace(" ** 2).mean()", " ** 2).sum()"), "", says="sum of squares"),
        WrongAnswer(SILENT.replace(" ** 2).mean()", ").mean() ** 2"), "", says="Square first"),
        WrongAnswer(
            SILENT.replace(" ** 2).mean()", " ** 2).mean(dim=0)"), "", says="expected one number"
        ),
        WrongAnswer(SILENT.replace("x = x - x.mean()", "x -= x.mean()"), "", says="shares its"),
        WrongAnswer(
            SILENT.replace("    x = x - x.mean()\n", ""), "", says="the centred numbers: expected"
        ),
        WrongAnswer(
            SILENT.replace("        w.grad = None\n", ""), "", says="all earlier ones in it"
        ),
        WrongAnswer(
            SILENT.replace("        w.grad = None\n", "").replace("w.grad.item()", "w.grad"),
            "",
            says="All are the last sum",
        ),
        WrongAnswer(
            SILENT.replace(
                "w.grad = None", "w.grad = torch.zeros(()) if w.grad is None else w.grad.zero_()"
            ).replace("w.grad.item()", "w.grad"),
            "",
            says="zero_() cleared it in place",
        ),
        WrongAnswer(
            SILENT.replace("        w.grad = None\n", "").replace(
                "        slopes", "        w.grad.zero_()\n        slopes"
            ),
            "",
            says="You looked after w.grad was cleared",
        ),
        WrongAnswer(
            SILENT.replace(" ** 2).mean()", ").abs().mean()"), "", says="square the differences"
        ),
        WrongAnswer(SILENT.replace("w.grad.item()", "-w.grad.item()"), "", says="sign is reversed"),
        WrongAnswer(
            SILENT.replace("return error, x, slopes", "return error, x"), "", says="got 2 values"
        ),
    ],
)
