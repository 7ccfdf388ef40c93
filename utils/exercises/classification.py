"""The exercises of notebook 04."""

import torch

from utils.exercises.core import Ban, ChoiceExercise, FunctionExercise, WrongAnswer
from utils.exercises.letters import LettersInOrder

classify = FunctionExercise(
    "classify",
    cases=lambda: [
        (torch.tensor([[-3.0], [0.3], [2.0], [-0.2], [0.0]]), 0.5),
        (torch.tensor([[-3.0], [0.3], [2.0], [-0.2], [0.85]]), 0.8),
        (torch.tensor([[-40.0], [-1.5], [40.0]]), 0.1),
        (torch.tensor([[1.0]]), 0.5),
    ],
    hints=(
        "Three steps: a probability from each logit, a comparison with the threshold, and a whole "
        "number from True or False. Then the second axis has to go.",
        "torch.sigmoid(logits) > threshold has shape (n, 1) and dtype bool; .long() makes it int64 "
        "and .flatten() makes the shape (n,).",
    ),
    solution="""
        def classify(logits, threshold):
            return (torch.sigmoid(logits) > threshold).long().flatten()
    """,
    insight="For the threshold 0.5 the sigmoid is not needed: the logit only has to be above 0.",
    wrong_answers=[
        WrongAnswer(
            "def classify(logits, threshold):\n    return (logits > threshold).long().flatten()",
            "This compares the logit with the threshold; the threshold is a probability.",
            says="the threshold is a probability",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) > 0.5).long().flatten()",
            "The threshold is always 0.5 here: use the one that is given.",
            says="use the one that is given",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) < threshold).long().flatten()",
            "The classes are swapped: class 1 is where the probability is above the threshold.",
            says="classes are swapped",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) > threshold).long()",
            "The second axis is still there: .flatten() takes it away.",
            says="second axis is still there",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) > threshold).flatten()",
            "True and False are no class numbers yet: .long() makes them 1 and 0.",
            says="no class numbers yet",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.softmax(logits, dim=1) > threshold).long().flatten()",
            "softmax over a single logit is always 1: for one logit take the sigmoid.",
            says="take the sigmoid",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) >= threshold).long().flatten()",
            "A logit of 0 has the probability 0.5, which is not *above* a threshold of 0.5.",
            says="not *above* a threshold of 0.5",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) > 1 - threshold).long().flatten()",
            "This compares with 1 - threshold: a higher threshold has to make class 1 rarer.",
            says="make class 1 rarer",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (logits > threshold / (1 - threshold)).long().flatten()",
            "The logarithm is missing: the logit of a threshold p is log(p / (1 - p)).",
            says="The logarithm is missing",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.sigmoid(logits) > threshold).long().squeeze()",
            "squeeze() takes away every axis of length 1, also that of a single point: .flatten() "
            "or .squeeze(1).",
            says="also that of a single point",
        ),
        WrongAnswer(
            "def classify(logits, threshold):\n"
            "    return (torch.tanh(logits) > threshold).long().flatten()",
            "tanh goes from -1 to 1, a probability from 0 to 1: take the sigmoid.",
            says="tanh goes from -1 to 1",
        ),
    ],
)


READY = ("softmax", "softmin", "cross_entropy", "logsumexp", "logaddexp", "nll_loss")
BY_HAND = Ban(
    lambda name: any(ready in name for ready in READY),
    "This one is about doing it by hand, with torch.exp and torch.log.",
)

LOGITS = [[2.0, -1.0, 3.0], [0.0, 0.0, 0.0]]
LARGE = [[1000.0, 999.0, 0.0], [-1000.0, -1000.0, -1001.0], [1.0, 2.0, 3.0], [0.5, -0.5, 0.0]]

SOFTMAX = """
def safe_softmax(z):
    powers = torch.exp(z - z.amax(dim=1, keepdim=True))  # (n, c), the largest is 1
    return powers / powers.sum(dim=1, keepdim=True)
"""

safe_softmax = FunctionExercise(
    "safe_softmax",
    without_loop=True,
    ban=BY_HAND,
    cases=lambda: [
        (torch.tensor(LOGITS),),
        (torch.tensor(LARGE)[:1],),
        (torch.tensor(LARGE),),
        (torch.tensor([[100.0, 10.0, 0.0]]),),
    ],
    hints=(
        "Subtract the largest logit of each row, then exponentiate, then divide each row by its "
        "sum. keepdim=True keeps the shape (n, 1), which fits beside (n, c).",
        "powers = torch.exp(z - z.amax(dim=1, keepdim=True)) has no overflow. Divide it by "
        "powers.sum(dim=1, keepdim=True).",
    ),
    solution=SOFTMAX,
    insight="In each row the largest power is exactly 1, so the sum is between 1 and c.",
    wrong_answers=[
        WrongAnswer(
            "def safe_softmax(z):\n    return torch.exp(z) / torch.exp(z).sum(dim=1, keepdim=True)",
            "Large logits overflow: exp(1000) is infinite, infinity by infinity is nan, and 0 by 0 "
            "is nan too. Subtract the largest logit of each row first.",
            says="Large logits overflow",
        ),
        WrongAnswer(
            SOFTMAX.replace("z.amax(dim=1, keepdim=True)", "z.max()"),
            "This subtracts the largest logit of the whole batch: in a row that lies far below it "
            "all powers become 0, and 0 by 0 is nan. Each row needs its own largest.",
            says="Each row needs its own largest",
        ),
        WrongAnswer(
            SOFTMAX.replace("dim=1", "dim=0"),
            "dim=0 goes down the columns, over the points; a point's classes stand in its row, "
            "dim=1.",
            says="stand in its row",
        ),
        WrongAnswer(
            SOFTMAX.replace("powers.sum(dim=1, keepdim=True)", "powers.sum()"),
            "All rows together add up to 1 here: each row has to, so sum over dim=1.",
            says="each row has to",
        ),
        *(
            WrongAnswer(
                SOFTMAX.replace(f"{name}(dim=1, keepdim=True)", f"{name}(dim=1)"),
                "A result of shape (n,) is lined up with the classes, not with the rows: "
                "keepdim=True is missing.",
                says="keepdim=True is missing",
            )
            for name in ("amax", "sum")
        ),
        WrongAnswer(
            SOFTMAX.replace(" / powers.sum(dim=1, keepdim=True)", ""),
            "The rows do not add up to 1 yet: divide each by its sum.",
            says="do not add up to 1 yet",
        ),
        WrongAnswer(
            SOFTMAX.replace("powers.sum(dim=1", "powers.sum(dim=0"),
            "Divided by the sums over dim=0, the *columns* add up to 1: for the rows sum over "
            "dim=1, with keepdim=True.",
            says="the *columns* add up to 1",
        ),
        WrongAnswer(
            SOFTMAX.replace("amax", "amin"),
            "This subtracts the *smallest* logit of each row, so that exp sees large numbers: "
            "subtract the largest, which leaves nothing above 0.",
            says="the *smallest* logit of each row",
        ),
        WrongAnswer(
            "def safe_softmax(z):\n"
            "    moved = z - z.amax(dim=1, keepdim=True)\n"
            "    return moved / moved.sum(dim=1, keepdim=True)",
            "The exponential is missing: it makes all shares positive.",
            says="exponential is missing",
        ),
        WrongAnswer(
            SOFTMAX.replace("amax", "mean"),
            "Subtracting the mean is not enough: 1000 lies 334 above it, and exp(334) is infinite. "
            "Only the largest logit leaves nothing above 0.",
            says="Subtracting the mean is not enough",
        ),
        *(
            WrongAnswer(
                SOFTMAX.replace("z - z.amax(dim=1, keepdim=True)", f"z.clamp({limits})"),
                "Clamping makes 1000 and 999 equal, and their probabilities too: subtract the "
                "largest logit, which keeps the differences.",
                says="Clamping makes 1000 and 999 equal",
            )
            for limits in ("max=80", "-80, 80")
        ),
        WrongAnswer(
            "def safe_softmax(z):\n    return torch.softmax(z, dim=1)",
            "",
            says="there is softmax in your function",
        ),
    ],
)

true_of_losses = ChoiceExercise(
    "true_of_losses",
    options={
        "A": (False, "BCELoss takes probabilities; for logits there is BCEWithLogitsLoss."),
        "B": (True, "the loss does the softmax itself; done twice, it spoils the loss."),
        "C": (True, "(n,), int64, from 0 to c - 1; one-hot rows as floats work too."),
        "D": (False, "softmax keeps the order: the largest logit has the largest probability."),
        "E": (True, "each true class gets 1/5, and minus the logarithm of 1/5 is log 5."),
    },
    hints=(
        "For D: can a smaller logit have the larger exponential?",
        "For A, which loss has 'WithLogits' in its name? For E, write down the probability of the "
        "true class.",
    ),
    insight="log c is the cross-entropy of knowing nothing: a new network starts near it.",
)

POINT_LOSSES = """
def cross_entropy(z, labels):
    m = z.amax(dim=1, keepdim=True)  # (n, 1)
    log_sums = m.flatten() + torch.exp(z - m).sum(dim=1).log()  # (n,)
    return log_sums - z[torch.arange(len(z)), labels]
"""

cross_entropy = FunctionExercise(
    "cross_entropy",
    ban=BY_HAND,
    cases=lambda: [
        (torch.tensor(LOGITS), torch.tensor([2, 0])),
        (torch.tensor(LARGE)[:1], torch.tensor([2])),
        (torch.tensor(LARGE), torch.tensor([2, 2, 0, 0])),
    ],
    hints=(
        "For each row: the logarithm of the sum of exponentials, minus the logit of the true "
        "class. Take the largest logit m of the row out of the sum first.",
        "m = z.amax(dim=1, keepdim=True); log_sums = m.flatten() + torch.exp(z - m).sum(dim=1)"
        ".log(). The true logits are z[torch.arange(len(z)), labels].",
    ),
    solution=POINT_LOSSES,
    insight="nn.CrossEntropyLoss returns their mean, whose gradient is (softmax - one-hot) / n.",
    wrong_answers=[
        WrongAnswer(
            POINT_LOSSES.replace("m.flatten() + torch.exp(z - m)", "torch.exp(z)"),
            "Without the largest logit taken out, exponentials of large logits overflow.",
            says="overflow",
        ),
        WrongAnswer(
            "def cross_entropy(z, labels):\n"
            "    m = z.amax(dim=1, keepdim=True)\n"
            "    powers = torch.exp(z - m)\n"
            "    p = powers / powers.sum(dim=1, keepdim=True)\n"
            "    return -p[torch.arange(len(z)), labels].log()",
            "The probability of a class far below the largest is rounded to 0, and its logarithm "
            "is infinite: stay with logits, log-sum-exp minus the true logit.",
            says="stay with logits",
        ),
        WrongAnswer(
            POINT_LOSSES.replace("z.amax(dim=1, keepdim=True)", "z.max()"),
            "This takes the largest logit of the whole batch: in a row that lies far below it all "
            "powers become 0, and log 0 is -inf. Each row needs its own largest.",
            says="Each row needs its own largest",
        ),
        *(
            WrongAnswer(
                "def cross_entropy(z, labels):\n"
                "    powers = torch.exp(z - z.amax(dim=1, keepdim=True))\n"
                "    p = powers / powers.sum(dim=1, keepdim=True)\n"
                f"    return -p[torch.arange(len(z)), labels].clamp(min={least}).log()",
                "A least probability, clamped or added, caps the loss of the worst mistakes: stay "
                "with logits.",
                says="caps the loss of the worst mistakes",
            )
            for least in "1e-6 1e-7 1e-8 1e-9 1e-10 1e-12 1e-15 1e-16 1e-20 1e-30".split()
        ),
        WrongAnswer(
            POINT_LOSSES.replace("m.flatten() + ", ""),
            "The largest logit was taken out of the sum and not added again.",
            says="not added again",
        ),
        WrongAnswer(
            POINT_LOSSES.replace("m.flatten()", "m"),
            "m has the shape (n, 1) and the sums (n,), so + makes (n, n) of them: m.flatten() has "
            "the shape (n,) too.",
            says="so + makes (n, n) of them",
        ),
        WrongAnswer(
            POINT_LOSSES.replace("z[torch.arange(len(z)), labels]", "z[:, labels]"),
            "z[:, labels] picks columns for all rows, shape (n, n). A pair of indices picks one "
            "number from each row: z[torch.arange(len(z)), labels].",
            says="one number from each row",
        ),
        WrongAnswer(
            POINT_LOSSES.replace(
                "log_sums - z[torch.arange(len(z)), labels]",
                "z[torch.arange(len(z)), labels] - log_sums",
            ),
            "The sign is reversed: these are the logarithms of the probabilities; the losses are "
            "minus that.",
            says="sign is reversed",
        ),
        *(
            WrongAnswer(
                POINT_LOSSES.replace(
                    "log_sums - z[torch.arange(len(z)), labels]",
                    f"(log_sums - z[torch.arange(len(z)), labels]).{together}()",
                ),
                f"This is the {together} over the points; asked for is the loss of each.",
                says=f"the {together} over the points",
            )
            for together in ("mean", "sum")
        ),
        WrongAnswer(
            "def cross_entropy(z, labels):\n"
            "    return torch.nn.functional.cross_entropy(z, labels, reduction='none')",
            "",
            says="there is cross_entropy in your function",
        ),
    ],
)

confusion = FunctionExercise(
    "confusion",
    cases=lambda: [
        (torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 0, 1, 1, 1]), 3),
        (torch.tensor([0, 1, 1, 1, 0, 1]), torch.tensor([0, 0, 1, 1, 0, 1]), 3),
        (torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]), 2),
    ],
    hints=(
        "Begin with torch.zeros(classes, classes, dtype=torch.int64) and go through the pairs of a "
        "true and a predicted class.",
        "for true, guess in zip(labels, predicted): counts[true, guess] += 1",
    ),
    solution="""
        def confusion(labels, predicted, classes):
            counts = torch.zeros(classes, classes, dtype=torch.int64)
            for true, guess in zip(labels, predicted):
                counts[true, guess] += 1
            return counts
    """,
    insight="The sum of the diagonal by the sum of all is the accuracy: counts.trace() / n.",
    wrong_answers=[
        WrongAnswer(
            "def confusion(labels, predicted, classes):\n"
            "    counts = torch.zeros(classes, classes, dtype=torch.int64)\n"
            "    counts[labels, predicted] += 1\n"
            "    return counts",
            "Where a pair comes several times, += with indices counts it once. Go through the "
            "pairs in a loop, or let torch.bincount count labels * classes + predicted.",
            says="counts it once",
        ),
        WrongAnswer(
            "def confusion(labels, predicted, classes):\n"
            "    counts = torch.zeros(classes, classes, dtype=torch.int64)\n"
            "    for true, guess in zip(labels, predicted):\n"
            "        counts[guess, true] += 1\n"
            "    return counts",
            "Rows and columns are swapped: the row is the true class.",
            says="the row is the true class",
        ),
        WrongAnswer(
            "def confusion(labels, predicted, classes):\n"
            "    size = max(labels.max(), predicted.max()) + 1\n"
            "    counts = torch.zeros(size, size, dtype=torch.int64)\n"
            "    for true, guess in zip(labels, predicted):\n"
            "        counts[true, guess] += 1\n"
            "    return counts",
            "A class that does not occur has its row and column too, of zeros: the shape is "
            "(classes, classes).",
            says="expected shape (3, 3)",
        ),
        WrongAnswer(
            "def confusion(labels, predicted, classes):\n"
            "    counts = torch.zeros(classes, classes)\n"
            "    for true, guess in zip(labels, predicted):\n"
            "        counts[true, guess] += 1\n"
            "    return counts",
            "Counts are whole numbers: dtype=torch.int64.",
            says="Counts are whole numbers",
        ),
        WrongAnswer(
            "def confusion(labels, predicted, classes):\n"
            "    counts = torch.zeros(3, 3, dtype=torch.int64)\n"
            "    for true, guess in zip(labels, predicted):\n"
            "        counts[true, guess] += 1\n"
            "    return counts",
            "The table always has 3 classes here: use `classes`.",
            says="always has 3 classes",
        ),
    ],
)

chi_squared = FunctionExercise(
    "chi_squared",
    returns=float,
    cases=lambda: [
        (
            torch.tensor([2.0, 3.0, 5.0]),
            torch.tensor([1.0, 3.5, 1.0]),
            torch.tensor([0.5, 0.5, 2.0]),
        ),
        (
            torch.tensor([0.0, -1.0, 4.0, 2.0]),
            torch.tensor([0.3, -2.0, 4.0, 1.0]),
            torch.tensor([0.1, 0.4, 1.0, 3.0]),
        ),
    ],
    hints=(
        "A residual in units of its own sigma is (y - f) / sigma. Square it, then add up.",
        "(((y - f) / sigma) ** 2).sum() has the shape () of a single number.",
    ),
    solution="""
        def chi_squared(y, f, sigma):
            return (((y - f) / sigma) ** 2).sum()
    """,
    insight="Moving the line of the lowest χ² up by 0.1 adds 1.005, nearly 1: 0.1² times the sum "
    "of 1/sigma². A growth by 1 is the usual error bar, here of the line's height, its slope held "
    "fixed.",
    wrong_answers=[
        WrongAnswer(
            "def chi_squared(y, f, sigma):\n    return ((y - f) ** 2 / sigma).sum()",
            "sigma is to be squared too: the whole fraction is inside the square.",
            says="squared too",
        ),
        WrongAnswer(
            "def chi_squared(y, f, sigma):\n    return (((y - f) / sigma) ** 2).mean()",
            "This is the mean; chi-squared is the sum.",
            says="is the sum",
        ),
        WrongAnswer(
            "def chi_squared(y, f, sigma):\n    return ((y - f) / sigma).sum() ** 2",
            "This squares the sum, where residuals of both signs cancel: square each, then add.",
            says="square each",
        ),
        WrongAnswer(
            "def chi_squared(y, f, sigma):\n    return ((y - f) ** 2).sum()",
            "All points count alike here: each residual is divided by its own sigma first.",
            says="count alike",
        ),
        WrongAnswer(
            "def chi_squared(y, f, sigma):\n    return (((y - f) * sigma) ** 2).sum()",
            "Multiplied by sigma, the rough points count most: divide.",
            says="rough points count most",
        ),
        WrongAnswer(
            "def chi_squared(y, f, sigma):\n    return ((y - f / sigma) ** 2).sum()",
            "Division comes before subtraction: brackets around y - f are missing.",
            says="brackets around y - f",
        ),
    ],
)


whose_lie = LettersInOrder(
    "whose_lie",
    options="ABCDEF",  # softmax twice, no held-out rows, rate, leak, unbalanced, wrong loss
    clues=(
        "its 40 tosses took no part in training; did they take part in anything before it?",
        "its rows, its rate and its number of layers are in order; what does its loss compare?",
        "compare the rows that `train` got with those that `right` got.",
        "how many of 500 would be right that call everybody healthy?",
        "it names all classes rightly, and only its probabilities are off: count the softmaxes.",
    ),
    confusions={
        (1, "B"): "rows 0 to 59 trained it, rows 60 to 99 measured it. But who chose the columns?",
        (3, "D"): "it takes all 1000 columns, so none was chosen. Which rows is it measured on?",
        (2, "C"): "the rate is that of all five; a line of numbers cannot name four classes.",
        (2, "E"): "the four blobs have 50 points each. What does its loss compare?",
        (4, "D"): "its columns are the first ten, whatever they hold. How rare is the illness?",
        (5, "F"): "its loss is the right one, and takes logits. What does its last layer give?",
    },
    hints=(
        "For each claim ask: which rows, which columns, which loss, which last layer, and how "
        "often would the commonest class be right?",
        "Number 1 chose 20 of 1000 columns with the coins of the first 100 rows: whose rows are "
        "these? Number 4 stands beside always naming the commonest class.",
    ),
    solution='whose_lie = "DFBEA"',
    insight=(
        "Columns chosen on the rows of training alone give number 1 about one half, cross-entropy "
        "gives number 2 over 99 %, and number 5 without its softmax is rightly sure."
    ),
    wrong_answers=[
        WrongAnswer('whose_lie = "BFDEA"', "", says="rows 60 to 99 measured it"),
        WrongAnswer('whose_lie = "DABEF"', "", says="what does its loss compare?"),
        WrongAnswer('whose_lie = "DFDEA"', "", says="it takes all 1000 columns"),
        WrongAnswer('whose_lie = "DFBEC"', "", says="count the softmaxes"),
    ],
)
