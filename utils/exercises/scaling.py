"""The exercises of notebook 09."""

import sys

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from utils.exercises.answers import Complaint, kind_of
from utils.exercises.core import ChoiceExercise, FunctionExercise, WrongAnswer

speedup = FunctionExercise(
    "speedup",
    returns=float,
    cases=lambda: [(0.5, 2.0), (0.8, 4.0), (0.25, 10.0), (0.9, 1000.0)],
    hints=(
        "Call the step's old time 1. The part took `share` of it, all else took 1 - share. What "
        "do the two take now?",
        "Now it takes (1 - share) + share / factor. How many times does that go into 1?",
    ),
    solution="""
        def speedup(share, factor):
            return 1 / ((1 - share) + share / factor)
    """,
    insight="Amdahl's law: what stays slow sets the limit, 1 / (1 - share), however fast the rest.",
    wrong_answers=[
        WrongAnswer(
            "def speedup(share, factor):\n    return share * factor + (1 - share)",
            "This averages the factors. Add up times: the part takes share / factor now.",
            says="Add up times",
        ),
        WrongAnswer(
            "def speedup(share, factor):\n    return (1 - share) + share / factor",
            "That is the new time, as a part of the old one: how many times does it go into 1?",
            says="That is the new time",
        ),
        WrongAnswer(
            "def speedup(share, factor):\n    return factor",
            "Only the part becomes that much faster; the rest takes as long as before.",
            says="Only the part",
        ),
        WrongAnswer(
            "def speedup(share, factor):\n    return factor / share",
            "A small part cannot matter more than a large one: add up the two times.",
            says="cannot matter more",
        ),
    ],
)

chunks_read = FunctionExercise(
    "chunks_read",
    returns=float,
    cases=lambda: [
        (torch.tensor([0, 1, 2, 3]), 4),
        (torch.tensor([3, 4]), 4),
        (torch.tensor([70, 3, 64, 5, 127, 9]), 64),
        (torch.tensor([10, 10, 90]), 10),
    ],
    hints=(
        "In which chunk is row 70, if a chunk has 64 rows? Find a formula for a row's chunk.",
        "rows // chunk gives each row's chunk. How many different ones are there?",
    ),
    solution="""
        def chunks_read(rows, chunk):
            return len((rows // chunk).unique())
    """,
    insight="A batch in file order reads one or two chunks, a random one nearly one for each row.",
    wrong_answers=[
        WrongAnswer(
            "def chunks_read(rows, chunk):\n    return len(rows)",
            "Rows in the same chunk come with one reading: count different chunks.",
            says="count different chunks",
        ),
        WrongAnswer(
            "def chunks_read(rows, chunk):\n    return len(set(rows // chunk))",
            "Rows in the same chunk count once. If you used a set for that: two tensors are never "
            "the same element, even with equal numbers. Use .unique(), or .tolist() first.",
            says="If you used a set",
        ),
        WrongAnswer(
            "def chunks_read(rows, chunk):\n    return -(-len(rows) // chunk)",
            "This is so for rows side by side, from the beginning of a chunk on. These may lie "
            "anywhere.",
            says="may lie anywhere",
        ),
        WrongAnswer(
            "def chunks_read(rows, chunk):\n    return int((rows // chunk).max()) + 1",
            "This counts all chunks up to the last one: those without such a row are not read.",
            says="without such a row",
        ),
        WrongAnswer(
            "def chunks_read(rows, chunk):\n    return len((rows % chunk).unique())",
            "% gives the place within a chunk; // gives which chunk.",
            says="// gives which chunk",
        ),
    ],
)

whole_gradient = FunctionExercise(
    "whole_gradient",
    cases=lambda: [
        (torch.tensor([[1.0, 2.0], [3.0, -4.0]]), torch.tensor([32, 32])),
        (torch.tensor([[1.0, 2.0], [5.0, 0.0]]), torch.tensor([48, 16])),
        (torch.tensor([[2.0], [4.0], [9.0]]), torch.tensor([4, 3, 1])),
    ],
    hints=(
        "A rank's gradient is a mean over its rows. How do you get the sum over its rows, and then "
        "the mean over all rows?",
        "Multiply each gradient by its number of rows, add up over the ranks (dim=0), divide by "
        "the number of all rows. counts[:, None] has shape (ranks, 1).",
    ),
    solution="""
        def whole_gradient(gradients, counts):
            return (gradients * counts[:, None]).sum(dim=0) / counts.sum()
    """,
    insight="Each rank may as well multiply its loss by ranks * rows / all rows: `fit` does that.",
    wrong_answers=[
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n    return gradients.mean(dim=0)",
            "The plain mean lets every rank count the same; every row should count the same.",
            says="every row should count the same",
        ),
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n    return gradients.sum(dim=0)",
            "The sum over ranks is too large: the gradients are means already.",
            says="means already",
        ),
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n"
            "    return (gradients * counts[:, None]).sum(dim=0)",
            "That is the sum over all rows: divide by their number.",
            says="divide by their number",
        ),
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n"
            "    return (gradients * counts[:, None]).mean(dim=0) / counts.sum()",
            "Sum over the ranks, not mean: the number of rows is divided by already.",
            says="not mean",
        ),
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n"
            "    return (gradients / counts[:, None]).sum(dim=0)",
            "The gradients are means already: multiply by the number of rows to get their sums.",
            says="multiply by the number of rows",
        ),
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n"
            "    return (gradients * counts).sum(dim=0) / counts.sum()",
            "counts, shape (ranks,), meets the parameters here, not the ranks: make it a column, "
            "counts[:, None].",
            says="make it a column",
        ),
        WrongAnswer(
            "def whole_gradient(gradients, counts):\n"
            "    return (gradients * counts[:, None]).sum(dim=0) / len(counts)",
            "Divide by the number of rows, not of ranks.",
            says="not of ranks",
        ),
    ],
)

rows_of_rank = FunctionExercise(
    "rows_of_rank",
    returns=list,
    cases=lambda: [(8, 4, 1), (10, 4, 0), (10, 4, 3), (101, 4, 2), (7, 3, 2)],
    hints=(
        "First make the longer list: 0, 1, ... n - 1, and from the beginning again until its "
        "length is a multiple of `ranks`. Then deal it out like cards.",
        "Every rank has -(-n // ranks) rows. The one at place p of the longer list is p % n, and "
        "the places of a rank are rank, rank + ranks, rank + 2 * ranks, ...",
    ),
    solution="""
        def rows_of_rank(n, ranks, rank):
            each = -(-n // ranks)  # rounded up
            return [place % n for place in range(rank, ranks * each, ranks)]
    """,
    insight="So a mean over all ranks counts some rows twice: fit's history and metrics do not.",
    wrong_answers=[
        WrongAnswer(
            "def rows_of_rank(n, ranks, rank):\n    return list(range(rank, n, ranks))",
            "This is without the repeated rows: the last ranks would have one row fewer.",
            says="one row fewer",
        ),
        WrongAnswer(
            "def rows_of_rank(n, ranks, rank):\n"
            "    each = -(-n // ranks)\n"
            "    return [place % n for place in range(rank * each, (rank + 1) * each)]",
            "These are blocks. The sampler deals row by row: rank, rank + ranks, ...",
            says="deals row by row",
        ),
        WrongAnswer(
            "def rows_of_rank(n, ranks, rank):\n"
            "    return list(range(rank, n // ranks * ranks, ranks))",
            "This leaves rows out. Without drop_last the sampler repeats some in their place.",
            says="leaves rows out",
        ),
        WrongAnswer(
            "def rows_of_rank(n, ranks, rank):\n"
            "    return list(range(rank, ranks * -(-n // ranks), ranks))",
            "There is no row n: after the last row the list begins again with row 0.",
            says="begins again with row 0",
        ),
        WrongAnswer(
            "def rows_of_rank(n, ranks, rank):\n"
            "    each = n // ranks + 1\n"
            "    return [place % n for place in range(rank, ranks * each, ranks)]",
            "One row too many where the rows divide evenly: round up, -(-n // ranks).",
            says="One row too many",
        ),
        WrongAnswer(
            "def rows_of_rank(n, ranks, rank):\n"
            "    rows = list(range(rank, n, ranks))\n"
            "    return rows if len(rows) == -(-n // ranks) else [*rows, 0]",
            "Only the first rank that lacks a row gets row 0, the next row 1.",
            says="the next row 1",
        ),
    ],
)

bytes_sent = FunctionExercise(
    "bytes_sent",
    returns=float,
    cases=lambda: [(9610, 2), (9610, 5), (1_000_000, 8), (5, 1)],
    hints=(
        "How many bytes is one piece, if 4 * parameters bytes are cut into `ranks` pieces?",
        "A rank sends a piece 2 * (ranks - 1) times, each of 4 * parameters / ranks bytes.",
    ),
    solution="""
        def bytes_sent(parameters, ranks):
            return 2 * (ranks - 1) * 4 * parameters / ranks
    """,
    insight="Below 8 bytes for each parameter, with two ranks as with a thousand: that is why "
    "all-reduce scales.",
    wrong_answers=[
        WrongAnswer(
            "def bytes_sent(parameters, ranks):\n    return 4 * parameters * (ranks - 1)",
            "That is what it would take to send the whole gradient to every other rank. The ring "
            "sends pieces.",
            says="The ring sends pieces",
        ),
        WrongAnswer(
            "def bytes_sent(parameters, ranks):\n    return (ranks - 1) * 4 * parameters / ranks",
            "Two rounds: one adds up, the other hands the sums around.",
            says="Two rounds",
        ),
        WrongAnswer(
            "def bytes_sent(parameters, ranks):\n    return 2 * (ranks - 1) * parameters / ranks",
            "These are numbers, not bytes: float32 has 4 bytes for each.",
            says="4 bytes for each",
        ),
        WrongAnswer(
            "def bytes_sent(parameters, ranks):\n    return 2 * 4 * parameters",
            "Close for many ranks. In each round a rank sends ranks - 1 pieces of ranks.",
            says="ranks - 1 pieces",
        ),
        WrongAnswer(
            "def bytes_sent(parameters, ranks):\n    return 4 * parameters",
            "That is one copy of the gradients: right for two ranks by chance. Count pieces: each "
            "rank sends 2 * (ranks - 1).",
            says="right for two ranks by chance",
        ),
        WrongAnswer(
            "def bytes_sent(parameters, ranks):\n    return 2 * (ranks - 1) * 4 * parameters",
            "Each time a rank sends one piece, not all of it: divide by ranks.",
            says="divide by ranks",
        ),
    ],
)

# The capstone ------------------------------------------------------------------------------------

what_is_slow = ChoiceExercise(
    "what_is_slow",
    options={
        "A": (True, "DataLoader(TensorDataset) fetches 1,797 rows one by one in each epoch."),
        "B": (True, "after each batch all rows pass through the network: most of the arithmetic."),
        "C": (
            True,
            "each .item() fetches a number, and on a GPU all waits for it (synchronisation).",
        ),
        "D": (
            False,
            "zero_grad once a step is needed: without it gradients of old batches would be added.",
        ),
        "E": (True, "float64 has twice the bytes of float32, and gains nothing here."),
        "F": (
            False,
            "an optimiser step after each batch is what training is: fewer would be another "
            "training.",
        ),
    },
    hints=(
        "Which lines run once for each batch, and go through more than that batch? Which would be "
        "in your own loop as well?",
        "Two of the six are part of every training loop. The other four can go, and the losses "
        "stay the same to three digits.",
    ),
    insight="Four habits, each harmless in a small training. The profiler shows all of them.",
)


class Operations(TorchDispatchMode):
    """Count the operations of torch inside, and which of them pick rows, fetch or give float64."""

    def __init__(self):
        super().__init__()
        self.calls = self.rows = self.items = self.doubles = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.calls += 1
        self.rows += "select.int" in str(function)
        self.items += "_local_scalar_dense" in str(function) and not within(*FETCH_THEMSELVES)
        if isinstance(result, torch.Tensor) and result.numel() > 1:
            self.doubles += result.dtype == torch.float64
        return result


# Data loaders draw a seed for each pass, and `fit` looks at each loss: not the student's doing.
FETCH_THEMSELVES = ("torch.utils.data.", "utils.training", "utils.fitting.")


def within(*modules):
    """Return whether a function of one of these modules (beginnings of names) is running."""
    frame = sys._getframe()
    while frame and not frame.f_globals.get("__name__", "").startswith(modules):
        frame = frame.f_back
    return frame is not None


def small_network():
    """Return a network of 64 pixels, 16 ReLU units and 10 logits, always with the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def expected_losses(x, y, epochs):
    """Return the mean loss of each epoch as the slow training has it, in the plainest way."""
    model, losses = small_network(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        total = 0.0
        for inputs, targets in zip(x.split(64), y.split(64), strict=True):
            loss = nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(targets)
        losses.append(total / len(x))
    return torch.tensor(losses)


def judged(run, make_model, x, y, epochs):
    """Run a training; return "as fast as asked", or raise a Complaint with what was counted."""
    with torch.enable_grad():
        expected = expected_losses(x, y, epochs)
    operations = Operations()
    with operations, FlopCounterMode(display=False) as arithmetic:
        losses = run(make_model, x, y, epochs)
    multiplications = arithmetic.get_total_flops() / 2
    if isinstance(losses, list | tuple):
        try:
            losses = torch.tensor([float(loss) for loss in losses])
        except (TypeError, ValueError):
            raise Complaint("the list has to hold numbers, one loss for each epoch.") from None
    if not isinstance(losses, torch.Tensor):
        raise Complaint(f"expected a list of {epochs} losses, got a {kind_of(losses)}.")
    if losses.numel() != epochs:
        raise Complaint(f"expected {epochs} losses, one for each epoch, got {losses.numel()}.")
    losses = losses.detach().flatten().cpu().float()
    batches = -(-len(x) // 64)
    needed = 3 * len(x) * epochs * (64 * 16 + 16 * 10)  # a little more than a training needs
    if not torch.allclose(losses, expected, rtol=1e-3):
        raise Complaint(
            f"the first epoch's loss should be {expected[0]:.4f}, and is {losses[0]:.4f}; the last "
            f"one's {expected[-1]:.4f}, and is {losses[-1]:.4f}. The training itself has to stay: "
            "SGD at 0.1, batches of 64 in the order of the rows, and the mean over rows."
        )
    if operations.doubles:
        raise Complaint(
            f"{operations.doubles:,} operations gave float64: stay in float32, as the data are."
        )
    if operations.calls > 60 * batches * epochs:
        each = operations.calls / batches / epochs
        why = "rows are fetched one by one."
        if operations.rows < len(x):
            why = "is more than the step done for each batch, or are rows fetched one by one?"
        raise Complaint(f"{each:.0f} operations for each batch, and 60 are enough: {why}")
    if multiplications > needed:
        raise Complaint(
            f"{multiplications / 1e6:.1f} million multiplications, where training needs less than "
            f"{needed / 1e6:.1f}: do rows pass the network more than once in an epoch?"
        )
    if operations.items > epochs:
        raise Complaint(
            f"{operations.items:,} times a number was fetched from a tensor (.item(), float, an if "
            f"or a print): {epochs} are enough, one for each epoch."
        )
    return "as fast as asked"


def some_digits():
    """Return 200 made-up images (200, 64) and labels (200,): the last batch is not full."""
    generator = torch.Generator().manual_seed(4)
    x = torch.rand(200, 64, generator=generator)
    return x, (x[:, ::7].sum(dim=1) * 2).long() % 10


FAST = """
def fast_training(make_model, x, y, epochs):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for epoch in range(epochs):
        total = torch.zeros(())
        for start in range(0, len(x), 64):
            inputs, targets = x[start : start + 64], y[start : start + 64]
            loss = torch.nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(targets)
        losses.append(total.item() / len(x))
    return losses
"""

fast_training = FunctionExercise(
    "fast_training",
    watch=judged,
    cases=lambda: [(small_network, *some_digits(), 3)],
    hints=(
        "Replace one thing after another: batches as slices, x[start : start + 64]; no .double();"
        " the loss added up as a tensor; nothing else for each batch.",
        "total += loss.detach() * len(targets), with total = torch.zeros(()), adds up without "
        "fetching; total.item() / len(x) once at the end of an epoch.",
    ),
    solution=FAST,
    insight="The same losses, with a tenth of the work. First measure, then change one thing, "
    "then measure again.",
    wrong_answers=[
        WrongAnswer(
            FAST.replace("loss.detach() *", "loss.item() *"),
            "",
            says="are enough, one for each epoch",
        ),
        WrongAnswer(
            FAST.replace("make_model()\n", "make_model().double()\n    x = x.double()\n", 1),
            "",
            says="gave float64",
        ),
        WrongAnswer(
            FAST.replace("        losses.append", "            model(x)\n        losses.append"),
            "",
            says="million multiplications",
        ),
        WrongAnswer(
            FAST.replace(
                "inputs, targets = x[start : start + 64], y[start : start + 64]",
                "rows = range(start, min(start + 64, len(x)))\n"
                "            inputs = torch.stack([x[row] for row in rows])\n"
                "            targets = torch.stack([y[row] for row in rows])",
            ),
            "",
            says="rows are fetched one by one",
        ),
        WrongAnswer(
            FAST.replace(
                "for start in range(0, len(x), 64):",
                "pairs = torch.utils.data.TensorDataset(x, y)\n"
                "        for inputs, targets in torch.utils.data.DataLoader(pairs, 64):",
            ).replace(
                "            inputs, targets = x[start : start + 64], y[start : start + 64]\n", ""
            ),
            "",
            says="rows are fetched one by one",
        ),
        WrongAnswer(
            FAST.replace("loss.detach() * len(targets)", "loss.detach()").replace(
                "/ len(x)", "/ (len(x) / 64)"
            ),
            "",
            says="the mean over rows",
        ),
        WrongAnswer(FAST.replace("64", "640"), "", says="The training itself has to stay"),
    ],
)
