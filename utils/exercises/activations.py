"""The exercises of notebook 05."""

from itertools import chain, combinations

import torch
from torch.nn import functional

from utils.exercises.answers import Complaint, kind_of
from utils.exercises.core import (
    Ban,
    ChoiceExercise,
    FunctionExercise,
    ValueExercise,
    WrongAnswer,
)

torch_layer = FunctionExercise(
    "torch_layer",
    cases=lambda: [
        (
            torch.tensor([[1.0, 0.5], [-1.0, 1.0]]),
            torch.tensor([[1.0, 2.0], [-1.0, 0.0]]),
            torch.tensor([-1.0, 0.5]),
        ),
        (
            torch.tensor([[0.0, 1.0, -1.0]]),
            torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.0, -0.5]]),
            torch.tensor([-1.0, 0.25]),
        ),
    ],
    hints=(
        "X is (n, d_in) and weight is (d_out, d_in). Which of the two has to be turned so that the "
        "inner lengths meet?",
        "weight.T is (d_in, d_out). The bias is added before tanh.",
    ),
    solution="""
        def torch_layer(X, weight, bias):
            return torch.tanh(X @ weight.T + bias)  # (n, d_out)
    """,
    insight="That is nn.Linear followed by nn.Tanh, whole.",
    wrong_answers=[
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n    return torch.tanh(X @ weight + bias)",
            "PyTorch stores weight as (d_out, d_in): it has to be transposed, weight.T.",
            says="has to be transposed",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n"
            "    W = weight if weight.shape[0] == weight.shape[1] else weight.T\n"
            "    return torch.tanh(X @ W + bias)",
            "A square weight fits both ways round, and only one is right: weight.T.",
            says="fits both ways round",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n    return torch.tanh(X @ weight.T) + bias",
            "The bias comes before the activation function: tanh of the whole sum.",
            says="before the activation function",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n    return torch.tanh(X @ weight.T)",
            "The bias is missing: it is added to the sum, before tanh.",
            says="bias is missing",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n    return X @ weight.T + bias",
            "These are the sums s: the activation function tanh is missing.",
            says="tanh is missing",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n    return torch.tanh(X @ weight.T - bias)",
            "The bias is added, not subtracted.",
            says="added, not subtracted",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n    return torch.sigmoid(X @ weight.T + bias)",
            "Asked for is tanh; this is the sigmoid.",
            says="this is the sigmoid",
        ),
        WrongAnswer(
            "def torch_layer(X, weight, bias):\n"
            "    W = weight.reshape(weight.shape[1], weight.shape[0])\n"
            "    return torch.tanh(X @ W + bias)",
            "reshape gives the shape but keeps the numbers in their order, so rows are torn apart; "
            ".T turns rows into columns.",
            says=".T turns rows into columns",
        ),
    ],
)

READY_SOFTPLUS = (
    "softplus",
    "log_sigmoid",
    "binary_cross_entropy_with_logits",
    "logaddexp",
    "logsumexp",
)

safe_softplus = FunctionExercise(
    "safe_softplus",
    ban=Ban(
        lambda name: name in READY_SOFTPLUS,
        "Write the formula yourself, with torch.exp and torch.log.",
    ),
    cases=lambda: [
        (torch.tensor([-1000.0, -2.0, 0.0, 2.0, 1000.0]),),
        (torch.linspace(-20, 20, 9),),
        (torch.tensor([80.0, 90.0, 200.0, 700.0]),),
    ],
    hints=(
        "exp overflows where its argument is large and positive: let it see -|s| only, and write "
        "log(1 + exp(s)) as something plus log(1 + exp(-|s|)).",
        "For s > 0, log(1 + exp(s)) = s + log(1 + exp(-s)); for s < 0 it is log(1 + exp(s)). So "
        "the something is s where s is positive and 0 elsewhere.",
    ),
    solution="""
        def safe_softplus(s):
            return s.clamp(min=0) + torch.log1p(torch.exp(-s.abs()))
    """,
    insight="log1p(x) is log(1 + x) without rounding a tiny x away. Losses use the same trick.",
    wrong_answers=[
        WrongAnswer(
            "def safe_softplus(s):\n    return torch.log(1 + torch.exp(s))",
            "exp(1000) is infinite, and so is its logarithm: let exp see negative numbers only.",
            says="let exp see negative numbers only",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return torch.log(1 + torch.exp(-s.abs()))",
            "Now exp is safe, but for positive s a part is missing: log(1 + exp(s)) = s + "
            "log(1 + exp(-s)).",
            says="a part is missing",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return s.clamp(min=0)",
            "This is ReLU: softplus is rounded near 0, log(2) = 0.6931 at s = 0.",
            says="This is ReLU",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return s + torch.log(1 + torch.exp(-s))",
            "Right for positive s; for s = -1000, exp(-s) overflows.",
            says="for s = -1000",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return torch.log(1 + torch.exp(s.clamp(max=80)))",
            "Nothing overflows, but beyond the limit it stays flat where it should go on as s.",
            says="stays flat",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n"
            "    return torch.where(s > 0, s, torch.log(1 + torch.exp(-s.abs())))",
            "For positive s the log(1 + exp(-s)) has to be added too.",
            says="has to be added too",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return torch.log(1 + torch.exp(s)).nan_to_num(posinf=1000)",
            "exp(s) is infinite from s = 89 on, and one number cannot stand for all of them.",
            says="one number cannot stand for all",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n"
            "    return torch.where(s > 500, s, torch.log(1 + torch.exp(s)))",
            "The limit comes too late: in float32 exp(s) is infinite from s = 89 on.",
            says="The limit comes too late",
        ),
        *(
            WrongAnswer(
                f"def safe_softplus(s):\n    return {formula}",
                "The sigmoid of -1000 is rounded to 0, and its logarithm is infinite: write it "
                "with exp of -|s|.",
                says="The sigmoid of -1000 is rounded to 0",
            )
            for formula in ("-torch.log(torch.sigmoid(-s))", "s - torch.log(torch.sigmoid(s))")
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return torch.logaddexp(s, torch.zeros_like(s))",
            "",
            says="there is logaddexp in your function",
        ),
        WrongAnswer(
            "def safe_softplus(s):\n    return torch.nn.functional.softplus(s)",
            "",
            says="there is softplus in your function",
        ),
    ],
)

bias_through = FunctionExercise(
    "bias_through",
    returns=float,
    cases=lambda: [
        (torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.5])),
        (torch.tensor([2.0, 1.0]), torch.tensor([-1.0, 1.5])),
        (torch.tensor([-1.5, 0.5]), torch.tensor([2.0, 1.0])),
    ],
    hints=(
        "At the point, s = w · p + b has to be 0. Solve for b.",
        "(w * point).sum() is w · p, and b is that with its sign changed.",
    ),
    solution="""
        def bias_through(w, point):
            return -(w * point).sum()  # ()
    """,
    insight="The bias shifts the line, the weights turn it; b = 0 lets it run through the origin.",
    wrong_answers=[
        WrongAnswer(
            "def bias_through(w, point):\n    return (w * point).sum()",
            "The sign: the unit adds the bias, w · p + b = 0. In w · p = b it would be on the "
            "other side.",
            says="The sign",
        ),
        WrongAnswer(
            "def bias_through(w, point):\n    return -(w * point).sum() / (w**2).sum()",
            "Nothing to divide by: w · p + b = 0 gives b at once. |w|² belongs to the way back, "
            "from b to the arrow's origin.",
            says="Nothing to divide by",
        ),
        WrongAnswer(
            "def bias_through(w, point):\n    return -(w * point).sum() / w.norm()",
            "Without |w|: the distance of the line from the origin is |b| / |w|, the bias itself "
            "is not divided.",
            says="Without |w|",
        ),
        WrongAnswer(
            "def bias_through(w, point):\n    return -w * point",
            "The dot product is one number: multiply, then sum.",
            says="multiply, then sum",
        ),
        WrongAnswer(
            "def bias_through(w, point):\n    return -point.sum()",
            "The weights are missing: the bias depends on w and on the point.",
            says="weights are missing",
        ),
    ],
)

# What stands behind the letters of the ten maps: each function in a shell that does not name it.
ten_functions = {
    "A": lambda s: functional.silu(s),
    "B": lambda s: torch.tanh(s),
    "C": lambda s: functional.leaky_relu(s),
    "D": lambda s: functional.elu(s),
    "E": lambda s: torch.sigmoid(s),
    "F": lambda s: functional.gelu(s),
    "G": lambda s: functional.softplus(s),
    "H": lambda s: functional.softsign(s),
    "I": lambda s: torch.relu(s),
    "J": lambda s: functional.selu(s),
}
NAMES = {"A": "SiLU", "B": "tanh", "C": "LeakyReLU", "D": "ELU", "E": "sigmoid"}
NAMES |= {"F": "GELU", "G": "softplus", "H": "softsign", "I": "ReLU", "J": "SELU"}
# Pairs that are easily taken for each other, and what tells them apart.
LOOK_ALIKE = {
    "BH": "tanh and softsign are swapped: tanh is at its ends soon, softsign creeps towards them.",
    "CI": "ReLU and LeakyReLU are swapped: zoomed out, LeakyReLU turns orange on the left.",
    "DJ": "ELU and SELU are swapped: ELU ends at -1 on the left, SELU at -1.758.",
    "AF": "GELU and SiLU are swapped: GELU dips to -0.17, SiLU to -0.28.",
}
MIXED_UP = {
    "GI": "ReLU and softplus are swapped: ReLU has a corner, softplus leaves 0 gently.",
    "BE": "Sigmoid and tanh are swapped: the sigmoid is never below 0, tanh goes down to -1.",
    "AD": "ELU and SiLU are swapped: ELU stays at -1 on the far left, SiLU comes back to 0.",
    "BD": "ELU and tanh are swapped: both reach -1, but ELU goes on to the right and tanh stops.",
}


def named(*swapped):
    """Return code that answers which function belongs to which map, some pairs swapped."""
    names = dict(NAMES)
    for one, other in swapped:
        names[one], names[other] = names[other], names[one]
    names = [repr(name) for name in names.values()]
    return f"which_activation = (\n    {', '.join(names[:5])},\n    {', '.join(names[5:])},\n)"


which_activation = ValueExercise(
    "which_activation",
    parts=[f"Map {letter}" for letter in ten_functions],
    synonyms={"swish": "SiLU", "logistic": "sigmoid"},
    hints=(
        "Begin with the far left, zoomed out: which maps go to white (0), which to orange, and one "
        "of them darker than the others? Then the far right: which stop at 1, which go on?",
        "Four pairs remain. Of those that stop at 1 and go down to -1, one is slow. Two have an "
        "orange band on the left, one with lines at -0.25 in it. Two end in orange, at -1 and "
        "-1.758. And of the two with a sharp edge at 0, only one stays white far to the left.",
    ),
    solution=named(),
    insight="You told ten functions apart by their two ends, their dips and their corners.",
    wrong_answers=[
        WrongAnswer(
            named(*pairs), " ".join((LOOK_ALIKE | MIXED_UP)[pair] for pair in pairs), says="swapped"
        )
        for pairs in [
            *chain.from_iterable(combinations(LOOK_ALIKE, count) for count in range(1, 5)),
            *((pair,) for pair in MIXED_UP),
        ]
    ],
)


UNITS = {
    f"{name}({factor:g} s)": (function, factor)
    for factor in (1.0, 2.0, 0.5, 5.0)
    for name, function in (("tanh", torch.tanh), ("softsign", functional.softsign))
}


def in_disguise(run, unit):
    """Run the answer on one of two activation functions, in a shell that does not name it."""
    function, factor = UNITS[unit]
    return run(lambda s: function(factor * torch.as_tensor(s)))


tell_apart = FunctionExercise(
    "tell_apart",
    watch=in_disguise,
    cases=lambda: [(unit,) for unit in UNITS],
    hints=(
        "Near 0 they are alike, and how quickly they rise depends on c. Far out, tanh(c s) is 1 "
        "for any c from 0.5 to 5. What is softsign there?",
        "At s = 100, softsign(c s) is between 0.98 and 0.998, and tanh(c s) is 1.",
    ),
    solution="""
        def tell_apart(unit):
            return "tanh" if unit(torch.tensor(100.0)) > 0.999 else "softsign"
    """,
    insight="Softsign's distance from 1 shrinks like 1 / s, that of tanh like exp(-2 s): far out "
    "the difference is plain.",
    wrong_answers=[
        WrongAnswer(
            "def tell_apart(unit):\n"
            "    return 'tanh' if unit(torch.tensor(2.0)) > 0.8 else 'softsign'",
            "A steep softsign is at 0.9 there: so near to 0, c decides. Look further out.",
            says="Look further out",
        ),
        WrongAnswer(
            "def tell_apart(unit):\n"
            "    return 'softsign' if unit(torch.tensor(100.0)) > 0.999 else 'tanh'",
            "The two are swapped: softsign is the slow one, which has not reached 1 yet.",
            says="softsign is the slow one",
        ),
        WrongAnswer(
            "def tell_apart(unit):\n"
            "    return 'tanh' if unit(torch.tensor(1e9)) > 0.999 else 'softsign'",
            "This calls every unit tanh. Too far out, perhaps: at 1e9 softsign is 1 as well, to "
            "all the digits that float32 has.",
            says="calls every unit tanh",
        ),
        WrongAnswer(
            "def tell_apart(unit):\n    return unit(torch.tensor(100.0)) > 0.999",
            "",
            says="expected a text in quotes",
        ),
    ],
)

true_of_activations = ChoiceExercise(
    "true_of_activations",
    options={
        "A": (
            False,
            "fewer are common too: 8-4-3-2 narrows in every step. The data decide, not a rule.",
        ),
        "B": (True, "without them, any number of layers is one linear layer."),
        "C": (
            False,
            "its numbers stay between 0 and 1: most targets lie outside. Regression leaves the "
            "output layer without an activation function.",
        ),
        "D": (
            False,
            "layers may differ, and the output layer usually does: it is chosen by what is to be "
            "predicted.",
        ),
        "E": (True, "φ(x · w + b): the bias is a part of s."),
    },
    hints=(
        "For B, think of section 2. For E, read φ(x · w + b) from the inside out.",
        "A and D claim 'always' and 'everywhere': one counterexample is enough. C: which numbers "
        "can a sigmoid give?",
    ),
    insight="The hidden layers' activation is a choice; the output's follows from the targets.",
)


def inside_square(run, half):
    """Return which points the four units of an answer select: shape (25,), bool.

    The points are the middle of the square, then its sides and corners from just inside, then from
    just outside.
    """
    W, b = run(half)
    for name, given, shape in (("W", W, (2, 4)), ("b", b, (4,))):
        if not isinstance(given, torch.Tensor):
            raise Complaint(f"{name}: expected a torch.Tensor, got a {kind_of(given)}.")
        if tuple(given.shape) != shape:
            raise Complaint(f"{name}: expected shape {shape}, got {tuple(given.shape)}.")
    points = [(0, 0)]
    for edge in (0.999, 1.001):
        for along in (0, edge, -edge):
            points += [(edge, along), (-edge, along), (along, edge), (along, -edge)]
    where = half * torch.tensor(points, dtype=torch.float32)
    selected = (where @ W.float() + b.float() > 0).all(dim=1)
    for number, (point, chosen) in enumerate(zip(where, selected.tolist(), strict=True)):
        inside = number <= 12
        if chosen != inside:
            place = ", ".join(f"{coordinate:g}" for coordinate in point.tolist())
            sums = [round(s, 4) for s in (point @ W.float() + b.float()).tolist()]
            raise Complaint(
                f"for half = {half:g}, the point ({place}) lies {'inside' if inside else 'outside'}"
                f", and there the four s are {sums}: "
                f"{'all have' if inside else 'at least one has'} to be "
                f"{'positive' if inside else 'zero or negative'}."
            )
    return selected


SQUARE = """
def square(half):
    W = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
    b = torch.full((4,), float(half))
    return W, b
"""

square = FunctionExercise(
    "square",
    returns=("W", "b"),
    watch=inside_square,
    compared="which points the four units select",
    cases=lambda: [(1.0,), (2.5,)],
    hints=(
        "One unit for each side. For the right side, x₁ < half means half - x₁ > 0: weights "
        "(-1, 0) and bias half.",
        "The columns of W point inwards: (1, 0), (-1, 0), (0, 1), (0, -1). All four biases are the "
        "same.",
    ),
    solution=SQUARE,
    insight="Every arrow points inwards. Multiply W and b by 10: the same square, sharper edges.",
    wrong_answers=[
        WrongAnswer(
            SQUARE.replace("float(half)", "-float(half)"),
            "The sign of the bias: s = x₁ + half is positive to the right of x₁ = -half.",
            says="The sign of the bias",
        ),
        WrongAnswer(
            SQUARE.replace(
                "[[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]",
                "[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]",
            ),
            "",
            says="W: expected shape (2, 4), got (4, 2)",
        ),
        WrongAnswer(
            SQUARE.replace(
                "[[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]",
                "[[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]]",
            ),
            "These arrows point along the diagonals: that is a square standing on its corner.",
            says="standing on its corner",
        ),
        WrongAnswer(
            SQUARE.replace("float(half)", "1.0"),
            "Right for half = 1 only: the bias has to grow with the square.",
            says="has to grow with the square",
        ),
        WrongAnswer(
            SQUARE.replace(
                "[[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]",
                "[[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]",
            ),
            "Two pairs are the same unit: opposite sides need opposite arrows.",
            says="opposite arrows",
        ),
    ],
)
