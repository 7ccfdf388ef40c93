"""The exercises of notebook 03."""

import torch
from torch import nn

from utils.exercises.core import ChoiceExercise, FunctionExercise, WrongAnswer
from utils.exercises.logs import ContestExercise
from utils.exercises.set_weights import in_a_network, outputs_with_set_weights

true_of_modules = ChoiceExercise(
    "true_of_modules",
    options={
        "A": (True, "three weights and a bias."),
        "B": (
            False,
            "it inherits because of the class statement, class Line(nn.Module); the call only sets "
            "up what was inherited.",
        ),
        "C": (True, "a second loop over the same generator finds nothing; call the method again."),
        "D": (
            False,
            "a plain list is not entered into the module's tables; nn.ModuleList and nn.Sequential "
            "are.",
        ),
        "E": (True, "and that is what torch.save and load_state_dict work with."),
    },
    hints=(
        "For B: which line would you have to change to inherit from another class?",
        "For D: a module finds what is assigned to an attribute and is itself a module or a "
        "parameter. Is a list one?",
    ),
    insight="Inheriting is the class statement's work, setting up is super().__init__()'s.",
)


CONTRIBUTIONS = """
def unit_contributions(model, x):
    activations = model[1](model[0](x))  # (n, u)
    return activations * model[2].weight  # (n, u) times (1, u)
"""

unit_contributions = FunctionExercise(
    "unit_contributions",
    watch=in_a_network,
    compared="for a network with weights set by the check",
    cases=lambda: [
        (3, nn.Tanh, torch.tensor([[-1.0], [2.0]])),
        (4, nn.ReLU, torch.tensor([[0.5, -1.0], [2.0, 1.0]])),
    ],
    hints=(
        "model[0](x) gives the weighted inputs (n, u), model[1] applies the activation function. "
        "What does the last layer multiply each unit by?",
        "model[2].weight has the shape (1, u): times activations (n, u) it broadcasts.",
    ),
    solution=CONTRIBUTIONS,
    insight="Their sum over the units, plus the output's bias, is model(x).",
    wrong_answers=[
        WrongAnswer(
            CONTRIBUTIONS.replace("model[1](model[0](x))", "model[0](x)"),
            "The activation function is left out: this is s, not what the units hand on.",
            says="activation function is left out",
        ),
        WrongAnswer(
            CONTRIBUTIONS.replace(" * model[2].weight", ""),
            "These are the activations themselves; each is still multiplied by its output weight.",
            says="output weight",
        ),
        WrongAnswer(
            CONTRIBUTIONS.replace("* model[2].weight", "* model[2].weight + model[2].bias"),
            "The output's bias is added to every unit: it is added once, to the sum.",
            says="added once",
        ),
        WrongAnswer(
            "def unit_contributions(model, x):\n    return model(x)",
            "This is the prediction, the sum of what the units add, plus the bias.",
            says="the sum of what the units add",
        ),
        WrongAnswer(
            CONTRIBUTIONS.replace(
                "activations * model[2].weight", "activations @ model[2].weight.T"
            ),
            "@ multiplies and sums over the units; * alone keeps them apart.",
            says="keeps them apart",
        ),
        WrongAnswer(
            CONTRIBUTIONS.replace("model[1](model[0](x))", "torch.tanh(model[0](x))"),
            "This applies tanh, whatever the network has: model[1] is its activation function.",
            says="whatever the network has",
        ),
        WrongAnswer(
            CONTRIBUTIONS.replace("model[2].weight", "model[2].weight.T"),
            "model[2].weight has the shape (1, u) already, a number for each unit of a row: "
            "without .T it fits beside (n, u).",
            says="without .T it fits",
        ),
    ],
)

SCALE = """
def scale_parts(train, test):
    mean, std = train.mean(dim=0), train.std(dim=0)  # (d,) each
    return (train - mean) / std, (test - mean) / std
"""

BIRDS = [[39.1, 181.0], [46.5, 192.0], [50.0, 220.0], [36.7, 193.0]]


scale_parts = FunctionExercise(
    "scale_parts",
    returns=("train", "test"),
    cases=lambda: [
        (torch.tensor([[1.0], [2.0], [6.0]]), torch.tensor([[3.0], [4.0]])),
        (torch.tensor(BIRDS), torch.tensor([[45.0, 210.0], [60.0, 170.0]])),
    ],
    # The task leaves open whether to divide by n - 1, as torch does, or by n, as NumPy does.
    also_right=[SCALE.replace("train.std(dim=0)", "train.std(dim=0, correction=0)")],
    hints=(
        "Two numbers for each column, taken from train: its mean and its standard deviation, with "
        "dim=0.",
        "Subtract and divide both parts by the same two: (test - train.mean(dim=0)) / ...",
    ),
    solution=SCALE,
    insight="The test rows are only near mean 0 and deviation 1: nothing of theirs has leaked.",
    wrong_answers=[
        WrongAnswer(
            "def scale_parts(train, test):\n"
            "    everything = torch.cat([train, test])\n"
            "    mean, std = everything.mean(dim=0), everything.std(dim=0)\n"
            "    return (train - mean) / std, (test - mean) / std",
            "A leak: the mean and the standard deviation were taken over the test rows too.",
            says="A leak",
        ),
        WrongAnswer(
            "def scale_parts(train, test):\n"
            "    def scale(part):\n"
            "        return (part - part.mean(dim=0)) / part.std(dim=0)\n"
            "    return scale(train), scale(test)",
            "Each part was scaled by itself: then the same bird gets another number in each. Use "
            "the training rows' mean and standard deviation for both.",
            says="scaled by itself",
        ),
        WrongAnswer(
            "def scale_parts(train, test):\n"
            "    mean, std = train.mean(), train.std()\n"
            "    return (train - mean) / std, (test - mean) / std",
            "One mean over all columns mixes millimetres of bills and flippers: use dim=0.",
            says="use dim=0",
        ),
        WrongAnswer(
            "def scale_parts(train, test):\n"
            "    low, high = train.min(dim=0).values, train.max(dim=0).values\n"
            "    return (train - low) / (high - low), (test - low) / (high - low)",
            "This is min-max scaling; asked for are mean 0 and standard deviation 1.",
            says="min-max scaling",
        ),
        WrongAnswer(
            SCALE.replace("train.std(", "train.var("),
            "This divides by the variance; the standard deviation is its root.",
            says="divides by the variance",
        ),
        WrongAnswer(
            SCALE.replace(
                "train.mean(dim=0), train.std(dim=0)", "test.mean(dim=0), test.std(dim=0)"
            ),
            "The mean and the standard deviation come from the test rows, which count as unseen: "
            "take both from the training rows.",
            says="come from the test rows",
        ),
        WrongAnswer(
            SCALE.replace("(test - mean) / std", "test"),
            "The test rows come back unchanged: left out, or was `train` overwritten before its "
            "mean was taken?",
            says="come back unchanged",
        ),
        WrongAnswer(
            SCALE.replace(
                "(train - mean) / std, (test - mean) / std", "train - mean / std, test - mean / std"
            ),
            "Division comes before subtraction: brackets around train - mean are missing.",
            says="brackets around train - mean",
        ),
        WrongAnswer(
            SCALE.replace("(train - mean) / std, (test - mean) / std", "train - mean, test - mean"),
            "The mean is 0 now, but the standard deviation is not 1 yet: divide by it.",
            says="divide by it",
        ),
        WrongAnswer(
            SCALE.replace("(train - mean) / std, (test - mean) / std", "train / std, test / std"),
            "The standard deviation is 1 now, but the mean is not 0: subtract it first.",
            says="subtract it first",
        ),
    ],
)

PER_SAMPLE = """
def error_per_sample(batches):
    total, count = 0.0, 0
    for predictions, targets in batches:
        total += (predictions - targets).abs().sum().item()
        count += len(targets)
    return total / count
"""


def batches_of(sizes):
    """Return batches of these sizes: errors of both signs, larger from batch to batch."""
    batches = []
    for number, size in enumerate(sizes):
        targets = torch.arange(size, dtype=torch.float32)[:, None]
        batches.append((targets + (number + 1) * (-1.0) ** (number + targets), targets))
    return batches


error_per_sample = FunctionExercise(
    "error_per_sample",
    returns=float,
    cases=lambda: [(batches_of([2, 1]),), (batches_of([4, 4, 1]),), (batches_of([3, 3, 1]),)],
    hints=(
        "Two running numbers: the sum of all absolute errors, and how many samples there were.",
        "(predictions - targets).abs().sum().item() is a batch's share; divide once, at the end.",
    ),
    solution=PER_SAMPLE,
    insight="The mean of batch means would count a sample of the small batch four times as much.",
    wrong_answers=[
        WrongAnswer(
            "def error_per_sample(batches):\n"
            "    means = [(p - t).abs().mean().item() for p, t in batches]\n"
            "    return sum(means) / len(means)",
            "This is the mean of the batches' means: a sample of a small batch counts more than "
            "one of a large batch.",
            says="mean of the batches' means",
        ),
        WrongAnswer(
            "def error_per_sample(batches):\n"
            "    total = sum((p - t).abs().sum().item() for p, t in batches)\n"
            "    return total / len(batches)",
            "The sum is divided by the number of batches; count the samples.",
            says="count the samples",
        ),
        WrongAnswer(
            "def error_per_sample(batches):\n"
            "    total = sum((p - t).sum().item() for p, t in batches)\n"
            "    return total / sum(len(t) for p, t in batches)",
            "Without .abs() errors upwards and downwards cancel.",
            says="Without .abs()",
        ),
        WrongAnswer(
            "def error_per_sample(batches):\n"
            "    total = sum(abs((p - t).sum().item()) for p, t in batches)\n"
            "    return total / sum(len(t) for p, t in batches)",
            "The absolute value is taken of a batch's sum: upwards and downwards cancel within it.",
            says="cancel within it",
        ),
        WrongAnswer(
            PER_SAMPLE.replace(".abs().sum()", ".square().sum()"),
            "These are squares: asked for is the mean absolute error.",
            says="mean absolute error",
        ),
        WrongAnswer(
            "def error_per_sample(batches):\n"
            "    for predictions, targets in batches:\n"
            "        error = (predictions - targets).abs().mean().item()\n"
            "    return error",
            "This is the error of the last batch alone.",
            says="last batch alone",
        ),
    ],
)

STOP = """
def stop_early(losses, patience):
    best, lowest = 0, float("inf")
    for epoch, loss in enumerate(losses, start=1):
        if loss < lowest:
            best, lowest = epoch, loss
        elif epoch - best >= patience:
            return best, epoch
    return best, len(losses)
"""


stop_early = FunctionExercise(
    "stop_early",
    returns=("best epoch", "last epoch"),
    cases=lambda: [
        ([3.0, 1.0, 2.0, 2.5, 2.0, 1.5, 1.2], 2),
        ([3.0, 2.0, 2.5, 2.6, 1.0], 2),
        ([3.0, 2.0, 2.5, 1.5, 1.6, 1.4], 2),
        ([3.0, 1.0, 2.0, 1.5, 1.4], 2),
        ([1.0, 1.0, 1.0, 1.0], 3),
        ([2.0, 1.0, 1.0, 1.0, 0.5], 2),
        ([5.0, 4.0, 3.0], 1),
    ],
    hints=(
        "Remember the lowest loss so far and its epoch; enumerate(losses, start=1) counts from 1.",
        "Stop when epoch - best >= patience. A loss equal to the lowest is no new lowest.",
    ),
    solution=STOP,
    insight="fit(..., patience=...) does this, and puts the best epoch's weights back.",
    wrong_answers=[
        WrongAnswer(
            "def stop_early(losses, patience):\n"
            "    best = min(range(len(losses)), key=losses.__getitem__) + 1\n"
            "    return best, min(best + patience, len(losses))",
            "This looks at losses of epochs that come after the stop: nobody knows them yet.",
            says="nobody knows them yet",
        ),
        WrongAnswer(
            STOP.replace(">= patience", "> patience"),
            "One epoch too many: it stops after `patience` epochs without a new lowest loss, not "
            "after one more.",
            says="One epoch too many",
        ),
        WrongAnswer(
            STOP.replace("start=1", "start=0").replace("best, lowest = 0", "best, lowest = -1"),
            "The epochs are counted from 0; asked for was from 1.",
            says="counted from 0",
        ),
        WrongAnswer(
            STOP.replace("loss < lowest", "loss <= lowest"),
            "An equal loss is no new lowest one: patience goes on counting.",
            says="no new lowest",
        ),
        WrongAnswer(
            "def stop_early(losses, patience):\n"
            "    waited, best, lowest = 0, 0, float('inf')\n"
            "    for epoch, loss in enumerate(losses, start=1):\n"
            "        if loss < lowest:\n"
            "            waited, best, lowest = 0, epoch, loss\n"
            "        elif loss > lowest:\n"
            "            waited += 1\n"
            "        if waited >= patience:\n"
            "            return best, epoch\n"
            "    return best, len(losses)",
            "An equal loss is no new lowest one: that epoch counts for patience too.",
            says="counts for patience too",
        ),
        WrongAnswer(
            "def stop_early(losses, patience):\n"
            "    waited, best, lowest, before = 0, 0, float('inf'), float('inf')\n"
            "    for epoch, loss in enumerate(losses, start=1):\n"
            "        if loss < lowest:\n"
            "            best, lowest = epoch, loss\n"
            "        waited = 0 if loss < before else waited + 1\n"
            "        before = loss\n"
            "        if waited >= patience:\n"
            "            return best, epoch\n"
            "    return best, len(losses)",
            "Patience counts epochs without a new *lowest* loss, not epochs without a fall.",
            says="without a fall",
        ),
        WrongAnswer(
            "def stop_early(losses, patience):\n"
            "    return losses.index(min(losses)) + 1, len(losses)",
            "This never stops early: it looks at all losses, also at those after the stop.",
            says="never stops early",
        ),
        WrongAnswer(
            STOP.replace("return best, epoch", "return epoch, best"),
            "The two are swapped: the best epoch comes first.",
            says="swapped",
        ),
    ],
)

NETWORK = """
def deep_network(sizes):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            pairs = zip(sizes[:-1], sizes[1:])
            self.layers = torch.nn.ModuleList([torch.nn.Linear(a, b) for a, b in pairs])

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = torch.tanh(layer(x))
            return self.layers[-1](x)

    return Network()
"""


deep_network = FunctionExercise(
    "deep_network",
    returns=nn.Module,
    watch=outputs_with_set_weights,
    compared="the outputs for two samples, with weights set by the check",
    cases=lambda: [((1, 3, 1),), ((2, 4, 3, 2),), ((3, 1),)],
    hints=(
        "In `__init__`: `super().__init__()`, then one nn.Linear for each pair of neighbouring "
        "sizes, in an nn.ModuleList.",
        "In `forward`: tanh after every layer of self.layers[:-1], then self.layers[-1] alone.",
    ),
    solution=NETWORK,
    insight="nn.ModuleList enters every layer into the table; a plain list would not.",
    wrong_answers=[
        WrongAnswer(
            NETWORK.replace("self.layers[-1](x)", "torch.tanh(self.layers[-1](x))"),
            "There is a tanh after the last layer: the output could never leave -1 to 1.",
            says="after the last layer",
        ),
        WrongAnswer(
            NETWORK.replace("torch.tanh(layer(x))", "layer(x)"),
            "No activation function between the layers: then all of them together are one linear "
            "layer.",
            says="one linear layer",
        ),
        WrongAnswer(
            NETWORK.replace("torch.nn.ModuleList([", "(["),
            "",
            says="Layers in a plain list",
        ),
        WrongAnswer(
            "def deep_network(sizes):\n"
            "    layers = []\n"
            "    for d_in, d_out in zip(sizes, sizes[1:]):\n"
            "        layers += [torch.nn.Linear(d_in, d_out), torch.nn.Tanh()]\n"
            "    return torch.nn.Sequential(*layers[:-1])",
            "",
            says="there is nn.Sequential",
        ),
        WrongAnswer(
            NETWORK.replace("torch.nn.Linear(a, b)", "torch.nn.Linear(a, b, bias=False)"),
            "",
            says="The biases are missing",
        ),
        WrongAnswer(
            NETWORK.replace("return self.layers[-1](x)", "self.layers[-1](x)"),
            "",
            says="forward returns None",
        ),
        WrongAnswer(
            NETWORK.replace("return Network()", "return Network"),
            "",
            says="got a class (are the brackets missing?)",
        ),
        WrongAnswer(
            NETWORK.replace("torch.tanh", "torch.relu"),
            "ReLU between the layers; asked for was tanh.",
            says="asked for was tanh",
        ),
    ],
)

CONTEST = """
beat_the_line = {
    "always the mean": torch.full((20,), 9.0),
    "linear model": 3 + torch.arange(20.0) / 10,
    "network": 2 + torch.arange(20.0) / 10 + torch.arange(20.0) % 2 / 10,
    "winner": "network",
}
"""

beat_the_line = ContestExercise(
    "beat_the_line",
    hints=(
        'contest("bill depth", ["flipper", "mass"]) | {"winner": "neither"} has the right form. '
        "Print the gain before you name the winner.",
        "Think of the three species: what if nobody tells the models which one a bird belongs to?",
    ),
    solution=CONTEST,
    insight="Said with a spread, on held-out rows, beside a simple model: that is a result.",
    wrong_answers=[
        WrongAnswer("beat_the_line = 'network'", "", says="expected what contest(...) returns"),
        WrongAnswer(CONTEST.replace("linear model", "line"), "", says="no errors of 'linear"),
        WrongAnswer(CONTEST.replace("torch.full((20,), 9.0)", "9.0"), "", says="one run or a few"),
        WrongAnswer(
            CONTEST.replace("torch.full((20,), 9.0)", "torch.full((12,), 9.0)"),
            "",
            says="different numbers of splits",
        ),
        WrongAnswer(CONTEST.replace("torch.full((20,), 9.0)", "'low'"), "", says="each split"),
        WrongAnswer(
            "same = torch.arange(20.0)\nbeat_the_line = {'always the mean': same + 9, "
            "'linear model': same, 'network': same, 'winner': 'neither'}",
            "",
            says="the same errors",
        ),
        WrongAnswer(CONTEST.replace('    "winner": "network",\n', ""), "", says="who wins?"),
        WrongAnswer(CONTEST.replace('"network",', '"neither",'), "", says="there is a winner"),
        WrongAnswer(CONTEST.replace("20.0) % 2 / 10", "20.0) % 2 * 4"), "", says="nobody has won"),
        WrongAnswer(CONTEST.replace("2 + torch", "torch.nan + torch"), "", says="diverged"),
    ],
)
