"""The exercises of notebook 08."""

import contextlib
import io
from itertools import combinations

import torch

from utils.data import load
from utils.exercises.answers import Complaint
from utils.exercises.core import ChoiceExercise, FunctionExercise, ValueExercise, WrongAnswer

# Which of the seven runs stands behind which letter of the gallery.
seven_names = {"A": "noisy", "B": "rate too low", "C": "overfitting", "D": "dead"}
seven_names |= {"E": "rate too high", "F": "fit", "G": "diverging"}
CURVES_MIXED_UP = {
    "BD": "B and D are swapped. Both are nearly flat, but B still falls, slowly and steadily; in D "
    "nothing moves at all.",
    "AE": "A and E are swapped. Both swing, but A comes down all the same; E never settles below "
    "where it soon arrived.",
    "CF": "C and F are swapped. In both the training loss falls; look at what the held-out loss "
    "does meanwhile.",
    "EG": "E and G are swapped. A rate that is too high keeps the loss near its start; diverging "
    "means that it grows without bound.",
    "DE": "D and E are swapped. Both end near 2.3. One of them moved before, the other never did.",
    "AG": "A and G are swapped. Noise goes up and down; what diverges goes up.",
    "AF": "A and F are swapped. Both end low; which of the two comes down smoothly?",
}


def matched(*swapped):
    """Return code that names the seven curves, some pairs of letters swapped."""
    names = dict(seven_names)
    for one, other in swapped:
        names[one], names[other] = names[other], names[one]
    names = [repr(name) for name in names.values()]
    return f"seven_curves = (\n    {', '.join(names[:4])},\n    {', '.join(names[4:])},\n)"


seven_curves = ValueExercise(
    "seven_curves",
    parts=[f"Curve {letter}" for letter in seven_names],
    synonyms={"overfit": "overfitting", "divergent": "diverging", "diverges": "diverging"}
    | {"toolow": "rate too low", "toohigh": "rate too high"},
    hints=(
        "Begin with the three that end low on the solid line. In one of them the dashed line turns "
        "up again, one comes down in jumps, one comes down smoothly.",
        "Of the other four, one leaves the panel at the top. Two are nearly flat: one still falls, "
        "in the other nothing moves. The last swings near its first value.",
    ),
    solution=matched(),
    insight="You will meet all seven again, most of them within a week.",
    wrong_answers=[
        WrongAnswer(
            matched(*pairs), " ".join(CURVES_MIXED_UP[pair] for pair in pairs), says="swapped"
        )
        for pairs in [
            *((pair,) for pair in CURVES_MIXED_UP),
            *(
                pairs
                for pairs in combinations(CURVES_MIXED_UP, 2)
                if not set(pairs[0]) & set(pairs[1])
            ),
        ]
    ],
)


def typed_by_hand(labels):
    """Return labels (n,) as a colleague typed them at the end of a long day."""
    generator = torch.Generator().manual_seed(1)
    count = len(labels) // 10
    which = torch.randperm(len(labels), generator=generator)[:count]
    typed = labels.clone()
    typed[which] = (typed[which] + torch.randint(1, 10, (count,), generator=generator)) % 10
    return typed


first_loss = FunctionExercise(
    "first_loss",
    returns=float,
    cases=lambda: [(2,), (10,), (1000,)],
    hints=(
        "An untrained network gives each of the k classes about the same probability. Which?",
        "That is 1 / k. The loss of one sample is minus the logarithm of the probability of its "
        "class.",
    ),
    solution="""
        import math

        def first_loss(k):
            return math.log(k)
    """,
    insight="0.69 for two classes, 2.30 for ten, 6.91 for a thousand: numbers to know by heart.",
    wrong_answers=[
        WrongAnswer(
            "def first_loss(k):\n    return 1 / k",
            "This is the probability of each class; the loss is minus its logarithm.",
            says="minus its logarithm",
        ),
        WrongAnswer(
            "import math\ndef first_loss(k):\n    return math.log(1 / k)",
            "The sign: log(1 / k) is below 0, and the loss is minus that.",
            says="The sign",
        ),
        WrongAnswer(
            "import math\ndef first_loss(k):\n    return math.log10(k)",
            "The logarithm to base 10; the loss takes the natural one, math.log.",
            says="base 10",
        ),
        WrongAnswer(
            "import math\ndef first_loss(k):\n    return math.log2(k)",
            "The logarithm to base 2 gives bits; the loss takes the natural one, math.log.",
            says="base 2",
        ),
        WrongAnswer(
            "def first_loss(k):\n    return 1 - 1 / k",
            "This is the share of wrong guesses, an error rate. The loss is a logarithm.",
            says="share of wrong guesses",
        ),
    ],
)

WARM = """
import math

def warm_cosine(epoch, epochs, warm):
    if epoch < warm:
        return (epoch + 1) / warm
    share = (epoch - warm) / (epochs - warm)
    return 0.5 * (1 + math.cos(math.pi * share))
"""

warm_cosine = FunctionExercise(
    "warm_cosine",
    returns=float,
    cases=lambda: [
        *((epoch, 4, 1) for epoch in range(4)),
        *((epoch, 30, 5) for epoch in (0, 1, 3, 4, 5, 6, 17, 29)),
    ],
    hints=(
        "Two cases: `if epoch < warm:` returns the rising line. After that, how much of the rest "
        "is over? (epoch - warm) of (epochs - warm) epochs.",
        "0.5 * (1 + math.cos(math.pi * share)) is 1 where share is 0, and 0 where share is 1.",
    ),
    solution=WARM,
    insight="torch.optim.lr_scheduler.LambdaLR takes such a function, and fit takes that.",
    wrong_answers=[
        WrongAnswer(
            WARM.replace("(epoch - warm) / (epochs - warm)", "epoch / epochs"),
            "The cosine has to begin where the warm-up ends: count from there, epoch - warm, over "
            "the epochs that are left.",
            says="begin where the warm-up ends",
        ),
        WrongAnswer(
            WARM.replace("(epoch + 1) / warm", "epoch / warm"),
            "In epoch 0 this is 0, and the first epoch learns nothing: start at 1 / warm.",
            says="the first epoch learns nothing",
        ),
        WrongAnswer(
            WARM.replace("0.5 * (1 + math.cos(math.pi * share))", "math.cos(math.pi * share)"),
            "A bare cosine goes down to -1, and a negative rate climbs. Lift it by 1, and halve.",
            says="a negative rate climbs",
        ),
        WrongAnswer(
            WARM.replace("0.5 * (1 + math.cos(math.pi * share))", "1 - share"),
            "This falls on a straight line; the cosine leaves 1 gently and arrives at 0 gently.",
            says="on a straight line",
        ),
        WrongAnswer(
            WARM.replace("math.pi * share", "share"),
            "Without pi, the cosine only gets as far as cos(1) = 0.54.",
            says="Without pi",
        ),
        WrongAnswer(
            WARM.replace("(epochs - warm)", "epochs"),
            "It does not get down to 0: after the warm-up, epochs - warm epochs are left.",
            says="does not get down to 0",
        ),
    ],
)

PAIRED = """
def paired_difference(one, other):
    differences = other - one
    return differences.mean().item(), differences.std().item() / len(differences) ** 0.5
"""

paired_difference = FunctionExercise(
    "paired_difference",
    returns=("mean", "standard error"),
    cases=lambda: [
        (torch.tensor([10.0, 12.0, 8.0, 14.0]), torch.tensor([9.0, 10.0, 8.0, 11.0])),
        (torch.tensor([3.0, 5.0]), torch.tensor([4.0, 8.0])),
        (torch.arange(9.0), torch.arange(9.0) ** 2 / 8),
    ],
    hints=(
        "First the differences, other - one, seed by seed. Then their mean and their spread.",
        "The standard error of a mean of n numbers is their standard deviation, .std(), divided by "
        "the square root of n.",
    ),
    solution=PAIRED,
    insight="What a seed does to both settings cancels, so pairs need fewer seeds.",
    wrong_answers=[
        WrongAnswer(
            PAIRED.replace(" / len(differences) ** 0.5", ""),
            "This is the spread of single seeds. The mean of n of them is more certain, by the "
            "square root of n.",
            says="spread of single seeds",
        ),
        WrongAnswer(
            PAIRED.replace(" ** 0.5", ""),
            "Divided by n; the uncertainty of a mean falls only with the square root of n.",
            says="only with the square root",
        ),
        WrongAnswer(
            PAIRED.replace("differences.std()", "2 * differences.std()"),
            "This is two standard errors, the length of the figure's bar to either side; the "
            "standard error is half of it.",
            says="half of it",
        ),
        WrongAnswer(
            PAIRED.replace("other - one", "one - other"),
            "The sign: other - one, so that a negative number says that the change has lowered the "
            "error.",
            says="The sign",
        ),
        WrongAnswer(
            "def paired_difference(one, other):\n"
            "    n = len(one)\n"
            "    return other.mean() - one.mean(), ((one.var() + other.var()) / n) ** 0.5",
            "The mean is right, but this is the uncertainty of two groups that have nothing to do "
            "with each other: take the differences first.",
            says="take the differences first",
        ),
        WrongAnswer(
            PAIRED.replace(".std()", ".std(correction=0)"),
            "The standard deviation with n - 1 below, as .std() gives it: the mean was taken from "
            "the same numbers.",
            says="with n - 1 below",
        ),
    ],
)

which_setting = ChoiceExercise(
    "which_setting",
    options={
        "A": (
            False,
            "then the test rows have chosen it, and they are validation rows from then on: nothing "
            "is left to say how good it really is.",
        ),
        "B": (True, "validation rows are there to choose; which one is chosen is theirs to say."),
        "C": (
            False,
            "it was the best of forty on the validation rows, and its luck was chosen with it: "
            "expect more on new images.",
        ),
        "D": (True, "they took no part in training and none in choosing."),
        "E": (
            False,
            "one image in a hundred is no more than what another seed does: look at pairs over "
            "several seeds first.",
        ),
        "F": (True, "what cannot be told apart may be chosen by its price."),
    },
    hints=(
        "Ask of each number: did the rows that it was measured on take part in choosing? And would "
        "another seed say the same?",
        "A and C use rows for two things at once. E believes in a difference of one image.",
    ),
    insight="Choose on validation rows, report on test rows, and touch those once.",
)

three_faults = ChoiceExercise(
    "three_faults",
    options={
        "A": (False, "they are divided by 16: 0 to 1 suits the network."),
        "B": (True, "the images are shuffled, the labels are not: a look at ten pairs shows it."),
        "C": (
            True,
            "CrossEntropyLoss takes logits. After a softmax no loss gets far below 1.46, not even "
            "on one batch.",
        ),
        "D": (False, "zero_grad is there, before backward, in each step."),
        "E": (True, "0.002 is far below what the scan of section 3 suggests: it crawls."),
        "F": (False, "the held-out images are scaled as the training images are."),
        "G": (False, "a network of this size learned the digits all through this notebook."),
    },
    hints=(
        "Check by check: look at ten images beside their labels, as they go into the loop; overfit "
        "one batch; compare the rate with section 3.",
        "The first loss looks right, and the scaling is right. Which line moves images but not "
        "labels? Which layer does not belong before this loss?",
    ),
    insight="Three faults, three checks; no loss curve alone would have told them apart.",
)


def handwriting(seed):
    """Return 300 images with labels, and 400 others: (300, 8, 8), (300,), (400, 8, 8), (400,)."""
    digits = load("digits")
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(seed))
    known, new = order[:300], order[300:700]
    images, labels = digits["images"], digits["labels"]
    return images[known], labels[known], images[new], labels[new]


def judged_by_its_mistakes(run, seed):
    """Run a training on 300 images; return True if it names most of 400 others.

    Args:
        run: the student's function.
        seed: of the choice of images.

    Raises:
        Complaint: it does not; what its answers look like says why.
    """
    images, labels, new_images, new_labels = handwriting(seed)
    with contextlib.redirect_stdout(io.StringIO()) as printed:  # a loop that prints can print a lot
        answers = run(images, labels, new_images)
    print(printed.getvalue()[:300], end="")
    if not isinstance(answers, torch.Tensor) or answers.shape != new_labels.shape:
        shape = tuple(getattr(answers, "shape", ()))
        raise Complaint(f"expected a label for each new image, shape (400,), got shape {shape}.")
    right = (answers == new_labels).double().mean().item()
    if right >= 0.85:
        return True
    kinds = len(answers.unique())
    if right < 0.25:
        what = (
            "as many as by guessing. Does each image still have its own label when it reaches the "
            "loss? Look at ten of them. And if it does: is the rate far too low, or so high that "
            "all units died?"
        )
    else:
        what = (
            "it has learned something, and not enough. Overfit one batch: does its loss get near "
            "0? Then the rate: half the best one of a scan, and some 30 epochs."
        )
    said = "1 answer" if kinds == 1 else f"{kinds} different answers"
    raise Complaint(f"{right:.0%} of 400 new images are right ({said}): {what}")


CURED = """
def cured_training(images, labels, new_images):
    torch.manual_seed(0)
    x, new = images.flatten(1).double() / 16, new_images.flatten(1).double() / 16
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    ).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loss_fn = torch.nn.CrossEntropyLoss()
    for epoch in range(30):
        order = torch.randperm(len(x))
        for rows in order.split(50):
            loss = loss_fn(model(x[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model(new).argmax(dim=1)
"""
SHUFFLED = CURED.replace("    model = ", "    x = x[torch.randperm(len(x))]\n    model = ", 1)

cured_training = FunctionExercise(
    "cured_training",
    watch=judged_by_its_mistakes,
    cases=lambda: [(1,), (2,)],
    hints=(
        "Copy sick_training and change three lines. Images and labels have to be shuffled "
        "together: the same `rows` for both in each batch is enough.",
        "Take out the line that shuffles the images alone, take out nn.Softmax, and take the rate "
        "that section 3 found for SGD.",
    ),
    solution=CURED,
    insight="One fix alone leaves nine of ten wrong, as guessing does; all three, one of twenty.",
    wrong_answers=[
        WrongAnswer(SHUFFLED, "", says="its own label"),
        WrongAnswer(CURED.replace("lr=0.5", "lr=0.002"), "", says="far too low"),
        WrongAnswer(CURED.replace("lr=0.5", "lr=5.0"), "", says="all units died"),
        WrongAnswer(
            CURED.replace("Linear(32, 10)\n", "Linear(32, 10), torch.nn.Softmax(dim=1)\n"),
            "",
            says="Overfit one batch",
        ),
        WrongAnswer(CURED.replace(".argmax(dim=1)", ""), "", says="a label for each new image"),
    ],
)
