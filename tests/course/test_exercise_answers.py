"""Answers that students give: right ones of every form are taken, wrong ones of every kind are not.

The right answers are written apart from the solutions, so that a slip in a solution is noticed.
"""

import itertools
import textwrap

import numpy as np
import pytest
import torch

from tools.notebooks.files import published
from tools.notebooks.solved import exercises_of
from utils.exercises import data_flow
from utils.exercises.core import ChoiceExercise

EXERCISES = {
    name: exercise for path in published() for name, exercise in exercises_of(path.stem).items()
}

LETTERS = {
    "broadcast": "ACDF",
    "true_of_training": "ABF",
    "three_diagnoses": "BCF",
    "true_of_modules": "ACE",
    "true_of_losses": "BCE",
    "true_of_activations": "BE",
    "true_of_flow": "ADE",
    "what_would_help": "BDF",
    "which_setting": "BDF",
    "three_faults": "BCE",
    "what_is_slow": "ABCE",
}

VALUES = {
    "steps_per_epoch": [10, 10.0, torch.tensor(10), np.int64(10)],
    "experiment_log": [
        {"usual": np.arange(32.0), "rate": np.ones(32), "batch": list(range(32, 0, -1))},
        {"usual": torch.rand(8), "SGD": torch.rand(8), "more": torch.rand(8), "less": range(8)},
    ],
    "sick_layers": [(6, 5, 3), [6, 5, 3], (6.0, torch.tensor(5), np.int64(3))],
    "whose_lie": ["DFBEA", "d, f, b, e, a", list("DFBEA"), ("d", "f", "b", "e", "a")],
    "beat_the_line": [
        {"always the mean": [9.0] * 12, "linear model": np.arange(12), "winner": "neither"}
        | {"network": 3 * torch.arange(12.0) % 7},
        {"always the mean": torch.ones(10), "linear model": torch.arange(10) / 9}
        | {"network": torch.arange(10) / 9 + 0.5, "winner": "linear model"},
    ],
    "which_activation": [
        "SiLU tanh LeakyReLU ELU sigmoid GELU softplus softsign ReLU SELU".split(),
        ("swish", "Tanh ", "leaky ReLU", "elu", "Logistic")
        + ("gelu", "soft-plus", "Softsign", "relu", "selu"),
    ],
    "weights_and_biases": [(608, 608, 1168), [8 * 76, 8 * 76, 16 * 73]],
    "seven_curves": [
        ["noisy", "too low", "overfit", "Dead", "too high", "fit", "diverges"],
    ],
}

# Bodies of the functions; the names of the parameters are those of the solution.
FUNCTIONS = {
    "min_max": [
        "return x.sub(x.amin()).div(x.amax().sub(x.amin()))",
        "low, high = x.aminmax()\nreturn (x - low) * (1 / (high - low))",
        "low, high = min(x), max(x)\nreturn torch.stack([(v - low) / (high - low) for v in x])",
    ],
    "pairwise_distances": [
        "return torch.cdist(a, b)",
        "return torch.linalg.vector_norm(a.unsqueeze(1) - b, dim=2)",
        "square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T\nreturn square**0.5",
    ],
    "fix_dtype": [
        "return (counts * prices).sum()",
        "return torch.dot(counts.to(prices.dtype), prices)",
    ],
    "one_hot": [
        "return torch.eye(classes)[labels]",
        "return torch.nn.functional.one_hot(labels, classes).float()",
        "return torch.zeros(len(labels), classes).scatter_(1, labels[:, None], 1.0)",
    ],
    "fix_two": [
        "return counts.to(torch.float32).mean(), torch.mv(x.to(weight.device), weight)",
        "x = torch.empty_like(x, device=weight.device)\n"
        "return [counts.sum() / len(counts), (x * weight).sum(dim=1)]",
        "return counts.mean(dtype=torch.float32), x.to(weight) @ weight",
    ],
    "fix_three": [
        "x = torch.tensor(array)\n"
        "x -= x.mean()\n"
        "return (predictions.squeeze(1) - targets).square().mean(), x, -2 * targets",
        "x = torch.from_numpy(array).clone().float()\n"
        "w = torch.zeros(len(targets), requires_grad=True)\n"
        "((w - targets) ** 2).sum().backward()\n"
        "error = torch.nn.functional.mse_loss(predictions, targets.unsqueeze(1))\n"
        "return error, x - x.mean(), w.grad",
        "slopes = []\n"
        "for target in targets:\n"
        "    w = torch.tensor(0.0, requires_grad=True)\n"
        "    ((w - target) ** 2).backward()\n"
        "    slopes.append(w.grad)\n"
        "return ((predictions.flatten() - targets) ** 2).mean(), "
        "torch.from_numpy(array - array.mean()), slopes",
    ],
    "mse_gradient": [
        "return 2 * ((X @ w - y)[:, None] * X).mean(dim=0)",
        "return torch.einsum('nd,n->d', X, X @ w - y) * 2 / X.shape[0]",
    ],
    "parabola_gradient": [
        "r, u = a * x * x + c - y, x * x\nreturn 2 * torch.tensor([(r * u).mean(), r.mean()])",
        "X = torch.stack([x**2, torch.ones_like(x)])\n"
        "return 2 * X @ (X.T @ torch.tensor([a, c]) - y) / len(x)",
    ],
    "healthy_training": [
        "m, c = torch.zeros(2, dtype=x.dtype)\n"
        "low, high = y.min(), y.max()\n"
        "u, v = (x - x.mean()) / x.std(), (y - low) / (high - low)\n"
        "for _ in range(200):\n"
        "    r = m * u + c - v\n"
        "    m, c = m - 0.2 * (u * r).mean(), c - 0.2 * r.mean()\n"
        "return (m * u + c) * (high - low) + low",
        "u, v = (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)\n"
        "net = torch.nn.Linear(1, 1).to(x)\n"
        "steps = torch.optim.Adam(net.parameters(), lr=0.1)\n"
        "for _ in range(200):\n"
        "    net.zero_grad()\n"
        "    torch.nn.functional.mse_loss(net(u), v).backward()\n"
        "    steps.step()\n"
        "return net(u) * y.std() + y.mean()",
    ],
    "plateau": [
        "relu = torch.nn.functional.relu\n"
        "return relu(1 - relu(2 - x)) - torch.nn.ReLU()(1 - (4 - x).relu())",
        "first, last = torch.nn.Linear(1, 4), torch.nn.Linear(4, 1)\n"
        "with torch.no_grad():\n"
        "    first.weight.fill_(1.0), first.bias.copy_(-torch.arange(1.0, 5.0))\n"
        "    last.weight.copy_(torch.tensor([[1.0, -1.0, -1.0, 1.0]])), last.bias.zero_()\n"
        "return last(torch.relu(first(x[:, None])))[:, 0]",
        "units = torch.relu(x[:, None] - torch.arange(1.0, 5.0))\n"
        "return units @ torch.tensor([1.0, -1.0, -1.0, 1.0])",
        "x = x.reshape(x.shape)\n"
        "return sum(sign * torch.relu(2 * x - 2 * kink) / 2\n"
        "           for kink, sign in zip([1, 2, 3, 4], [1, -1, -1, 1]))",
    ],
    "unit_contributions": [
        "return torch.stack([model[1](model[0](x))[:, j] * model[2].weight[0, j]\n"
        "                    for j in range(model[2].in_features)], dim=1)",
        "return model[:2](x).detach() * model[2].weight.detach()[0]",
    ],
    "scale_parts": [
        "center, spread = train.mean(0), train.var(0).sqrt()\n"
        "return [(part - center) / spread for part in (train, test)]",
        "mean = train.mean(0)\nspread = ((train - mean) ** 2).mean(0).sqrt()\n"
        "return (train - mean) / spread, (test - mean) / spread",
    ],
    "error_per_sample": [
        "p, t = (torch.cat(part) for part in zip(*batches))\nreturn (p - t).abs().mean()",
        "errors = [abs(p - t).flatten().tolist() for p, t in batches]\n"
        "return sum(sum(errors, [])) / sum(map(len, errors))",
    ],
    "stop_early": [
        "last = len(losses)\n"
        "for epoch in range(1, last + 1):\n"
        "    seen = losses[:epoch]\n"
        "    if epoch - (seen.index(min(seen)) + 1) >= patience:\n"
        "        last = epoch\n"
        "        break\n"
        "return [losses.index(min(losses[:last])) + 1, torch.tensor(last)]",
    ],
    "deep_network": [
        "nn = torch.nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.all = nn.ModuleList()\n"
        "        for i in range(len(sizes) - 1):\n"
        "            self.all.append(nn.Linear(sizes[i], sizes[i + 1]))\n"
        "            if i < len(sizes) - 2:\n"
        "                self.all.append(nn.Tanh())\n"
        "    def forward(self, x):\n"
        "        for part in self.all:\n"
        "            x = part(x)\n"
        "        return x\n"
        "return Net()",
    ],
    "classify": [
        "odds = threshold / (1 - threshold)\n"
        "return (logits[:, 0] > torch.tensor(odds).log()).to(torch.int64)",
        "return torch.where(logits.sigmoid() > threshold, 1, 0).squeeze(1)",
    ],
    "safe_softmax": [
        "z = z - z.max(dim=1, keepdim=True).values\nreturn z.exp() / z.exp().sum(1)[:, None]",
        "z = z.double()\nz = z - z.amax(1).unsqueeze(1)\n"
        "return (torch.e**z / (torch.e**z).sum(1, keepdim=True)).float()",
    ],
    "cross_entropy": [
        "m = z.max(1, keepdim=True).values\nlog_p = z - m - (z - m).exp().sum(1, True).log()\n"
        "return -log_p.gather(1, labels[:, None]).flatten()",
        "moved = z - z.gather(1, labels[:, None])\nm = moved.amax(1)\n"
        "return m + (moved - m[:, None]).exp().sum(1).log()",
    ],
    "confusion": [
        "return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape("
        "classes, classes)",
        "rows, columns = torch.eye(classes)[labels], torch.eye(classes)[predicted]\n"
        "return (rows.T @ columns).long()",
    ],
    "chi_squared": [
        "z = (f - y) / sigma\nreturn z @ z",
        "return (((y - f) ** 2) / sigma**2).sum().item()",
    ],
    "torch_layer": [
        "return torch.nn.functional.linear(X, weight, bias).tanh()",
        "return torch.einsum('ni,oi->no', X, weight).add(bias).tanh()",
    ],
    "safe_softplus": [
        "return torch.where(s > 20, s, torch.log(1 + torch.exp(s)))",
        "return torch.maximum(s, s * 0) + torch.log(1 + torch.exp(-abs(s)))",
    ],
    "tell_apart": [
        "return 'Tanh' if unit(1000) == 1 else 'soft-sign'",
        "gap = 1 - float(unit(40.0))\nreturn ['tanh', 'softsign'][gap > 1e-3]",
        "left = unit(torch.tensor([-50.0, -60.0]))\n"
        "return 'softsign' if left.diff().abs() > 1e-6 else 'tanh'",
    ],
    "bias_through": ["return -w @ point", "return -float(w[0] * point[0] + w[1] * point[1])"],
    "square": [
        "W = 10 * torch.tensor([[0.0, -1, 0, 1], [1, 0, -1, 0]])\n"
        "return [W, 10 * half * torch.ones(4)]",
    ],
    "layer_gradient": [
        "return torch.einsum('nj,ni->ji', gradients, inputs)",
        "return (gradients[:, :, None] * inputs[:, None, :]).sum(dim=0)",
    ],
    "std_after_linear": [
        "import math\nreturn std * math.sqrt(n * (2 * bound) ** 2 / 12)",
        "return torch.tensor(n * std**2 * bound**2 / 3).sqrt()",
    ],
    "spread_of_outputs": [
        "kept = []\n"
        "hooks = [m.register_forward_hook(lambda m, i, o: kept.append(o.detach().std()))\n"
        "         for m in model.children()]\n"
        "with torch.no_grad():\n"
        "    model(x)\n"
        "[hook.remove() for hook in hooks]\n"
        "return tuple(kept)",
    ],
    "suggested_rate": [
        "return 0.5 * rates[losses.nan_to_num(float('inf')).argmin()]",
        "import numpy\nreturn float(rates[numpy.nanargmin(losses.numpy())]) / 2",
    ],
    "slide": [
        "places = len(x) - len(kernel) + 1\n"
        "rows = torch.stack([x[i : places + i] for i in range(len(kernel))])\n"
        "return (rows * kernel[:, None]).sum(dim=0)[::stride]",
        "band = torch.zeros((len(x) - len(kernel)) // stride + 1, len(x))\n"
        "for i in range(len(band)):\n"
        "    band[i, i * stride : i * stride + len(kernel)] = kernel\n"
        "return band @ x",
    ],
    "output_size": [
        "return len(range(-padding, size + padding - kernel + 1, stride))",
        "return torch.nn.functional.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), "
        "stride=stride, padding=padding).shape[-1]",
    ],
    "receptive_field": [
        "field = 1\nfor kernel, stride in reversed(layers):\n"
        "    field = (field - 1) * stride + kernel\nreturn field",
    ],
    "freeze": [
        "model.requires_grad_(False)\nmodel[-1].requires_grad_(True)\n"
        "return [p for p in model.parameters() if p.requires_grad]",
        "model[:-1].requires_grad_(False)\nreturn model[-1].parameters()",
        "for p in model[:-1].parameters():\n    p.requires_grad = False\n"
        "return [model[-1].weight, model[-1].bias]",
    ],
    "small_cnn": [
        "nn = torch.nn\n"
        "return nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), "
        "nn.Conv2d(12, 18, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), "
        "nn.Linear(72, 10))",
    ],
    "first_loss": [
        "return -torch.log(torch.tensor(1 / k, dtype=torch.float64)).item()",
        "return torch.nn.functional.cross_entropy(torch.zeros(1, k).double(), torch.tensor([0]))",
    ],
    "warm_cosine": [
        "import math\nhalf = math.pi / 2 * (epoch - warm) / (epochs - warm)\n"
        "return (epoch + 1) / warm if epoch < warm else math.cos(half) ** 2",
        "share = torch.tensor((epoch - warm) / (epochs - warm), dtype=torch.float64)\n"
        "if epoch >= warm:\n    return (1 + torch.cos(torch.pi * share)) / 2\n"
        "return 1 / warm + epoch / warm",
    ],
    "paired_difference": [
        "d, n = other - one, len(one)\nmean = d.sum() / n\n"
        "return mean, (((d - mean) ** 2).sum() / (n - 1) / n).sqrt()",
        "import statistics\nd = (other - one).tolist()\n"
        "return statistics.mean(d), statistics.stdev(d) / len(d) ** 0.5",
        "d = other.double() - one.double()\nreturn d.mean().float(), "
        "(d.var() / d.numel()).sqrt().float()",
    ],
    "cured_training": [
        "x, y = images.reshape(len(images), 64) / 16.0, labels\n"
        "torch.manual_seed(1)\n"
        "net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh(), "
        "torch.nn.Linear(64, 10))\n"
        "opt = torch.optim.Adam(net.parameters(), lr=0.01)\n"
        "for step in range(150):\n"
        "    opt.zero_grad()\n"
        "    torch.nn.functional.cross_entropy(net(x), y).backward()\n"
        "    opt.step()\n"
        "return net(new_images.reshape(-1, 64) / 16.0).argmax(1)",
    ],
    "speedup": [
        "rest = 1 - share\nold, new = share + rest, share * factor**-1 + rest\nreturn old / new",
        "return torch.tensor(factor / (factor * (1 - share) + share))",
    ],
    "chunks_read": [
        "return len({row // chunk for row in rows.tolist()})",
        "return torch.unique(torch.div(rows, chunk, rounding_mode='floor')).numel()",
    ],
    "whole_gradient": [
        "share = counts / counts.sum()\nreturn share.to(gradients.dtype) @ gradients",
        "return torch.einsum('r,rp->p', counts.float(), gradients) / counts.sum()",
    ],
    "rows_of_rank": [
        "line = list(range(n))\nwhile len(line) % ranks:\n"
        "    line.append(line[len(line) - n])\nreturn line[rank::ranks]",
        "from torch.utils.data import DistributedSampler\n"
        "return list(DistributedSampler(range(n), ranks, rank, shuffle=False))",
    ],
    "bytes_sent": ["return 8 * parameters * (1 - 1 / ranks)"],
    "fast_training": [
        "model = make_model()\nlosses = []\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for epoch in range(epochs):\n"
        "    means = []\n"
        "    for inputs, targets in zip(x.split(64), y.split(64)):\n"
        "        loss = torch.nn.functional.cross_entropy(model(inputs), targets)\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        "        optimizer.zero_grad()\n"
        "        means.append(loss.detach() * len(inputs))\n"
        "    losses.append(torch.stack(means).sum() / len(x))\n"
        "return torch.stack(losses)",
        "from torch.utils.data import BatchSampler, DataLoader, SequentialSampler, TensorDataset\n"
        "pairs, model, losses = TensorDataset(x, y), make_model(), []\n"
        "lists = BatchSampler(SequentialSampler(pairs), batch_size=64, drop_last=False)\n"
        "loader = DataLoader(pairs, sampler=lists, batch_size=None)\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for epoch in range(epochs):\n"
        "    total = torch.zeros(())\n"
        "    for inputs, targets in loader:\n"
        "        loss = torch.nn.functional.cross_entropy(model(inputs), targets)\n"
        "        optimizer.zero_grad()\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        "        total += loss.detach() * len(targets)\n"
        "    losses.append(total.item() / len(x))\n"
        "return losses",
        "from utils.training import fit\n"
        "model, loss_fn = make_model(), torch.nn.CrossEntropyLoss()\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "settings = {'batch_size': 64, 'shuffle': False, 'progress': False}\n"
        "return fit(model, (x, y), loss_fn, optimizer, epochs, **settings).loss.tolist()",
    ],
}  # fmt: skip


def answer(name, body):
    """Return the student's function with this body."""
    exercise = EXERCISES[name]
    head = next(
        line for line in exercise.solution_code.splitlines() if line.startswith(f"def {name}(")
    )
    return exercise.define(f"{head}\n{textwrap.indent(body, '    ')}")


def message(name, body):
    """Return what a wrong answer with this body is told."""
    verdict = EXERCISES[name].grade(answer(name, body))
    assert verdict.status == "wrong"
    return verdict.message


def test_every_exercise_has_an_answer_here():
    assert sorted(EXERCISES) == sorted([*LETTERS, *VALUES, *FUNCTIONS])


@pytest.mark.parametrize("name", LETTERS)
def test_exactly_the_true_letters_are_right_and_no_other_set_of_them(name):
    exercise = EXERCISES[name]
    for count in range(1, len(exercise.options) + 1):
        for letters in itertools.combinations(exercise.options, count):
            status = exercise.grade(*letters).status
            assert status == ("right" if "".join(letters) == LETTERS[name] else "wrong"), letters
    spoken = " and ".join(LETTERS[name]).replace(" and ", ", ", len(LETTERS[name]) - 2).lower()
    assert exercise.grade(spoken).status == "right"  # "b, c and e"


@pytest.mark.parametrize("name", VALUES)
def test_a_right_value_is_taken_in_any_form(name):
    for value in VALUES[name]:
        assert EXERCISES[name].grade(value).status == "right"


@pytest.mark.parametrize(
    "name, body", [(name, body) for name, bodies in FUNCTIONS.items() for body in bodies]
)
def test_a_right_function_is_taken_however_it_is_written(name, body):
    verdict = EXERCISES[name].grade(answer(name, body))
    assert verdict.status == "right", verdict.message


def test_each_patient_is_sick_in_the_layer_that_is_the_answer():
    x = torch.randn(200, 100, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    frozen, dead, exploding = data_flow.sick_layers.define("sick_layers = 6, 5, 3")
    spreads = {}
    for name, model in data_flow.patients().items():
        (model(x) ** 2).mean().backward()
        spreads[name] = [model[: 2 * layer](x).std(dim=0).mean() for layer in range(9)]
        still = [layer for layer in range(1, 9) if model[2 * layer - 2].weight.grad is None]
        assert still == ([frozen] if name == "A" else [])
    zero = [layer for layer in range(9) if spreads["B"][layer] == 0]
    assert zero == list(range(dead, 9)), "no sample differs from another behind the dead layer"
    growth = [after / before for before, after in itertools.pairwise(spreads["C"])]
    assert growth[exploding - 1] > 10 and sum(factor > 2 for factor in growth) == 1


# ------------------------------------------------------------------------ wrong in an uncommon way
REFUSED = {
    "sides that are a little too short": (
        "square",
        "W = torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, -1]])\n"
        "return W, torch.full((4,), 0.95 * half)",
        "the point (0.999, 0) lies inside",
    ),
    "a side that leans": (
        "square",
        "W = torch.tensor([[1.0, -1, 0, 0.02], [0, 0, 1, -1]])\nreturn W, torch.full((4,), half)",
        "the point (-0.999, 0.999) lies inside",
    ),
    "no ModuleList": (
        "deep_network",
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):\n"
        "            self.add_module(f'layer{i}', torch.nn.Linear(a, b))\n"
        "    def forward(self, x):\n"
        "        *first, last = self.children()\n"
        "        for layer in first:\n"
        "            x = torch.tanh(layer(x))\n"
        "        return last(x)\n"
        "return Net()",
        "there is no nn.ModuleList",
    ),
    "a layer too many": (
        "deep_network",
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        pairs = zip([sizes[0], *sizes], sizes)\n"
        "        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairs)\n"
        "return Net()",
        "for sizes = [1, 3, 1] your network has 12 parameters, expected 10.",
    ),
    "a forward that returns several things": (
        "deep_network",
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        pairs = zip(sizes, sizes[1:])\n"
        "        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairs)\n"
        "    def forward(self, x):\n"
        "        return x, x\n"
        "return Net()",
        "forward has to return a tensor, got a tuple.",
    ),
    "the last loss never looked at": (
        "suggested_rate",
        "return rates[losses[:-1].nan_to_num(float('inf')).argmin()] / 2",
        "losses = [3.0, 2.0, 1.0, 0.25]",
    ),
    "one of two returned": (
        "scale_parts",
        "return train",
        "expected 2 values, train and test; got a tensor of shape (3, 1).",
    ),
    "three of two returned": ("stop_early", "return 1, 2, 3", "got 3 values."),
    "one number for two": ("stop_early", "return 3", "best epoch and last epoch; got a whole"),
    "the mean of the batch subtracted": (
        "safe_softmax",
        "p = torch.exp(z - z.mean())\nreturn p / p.sum(dim=1, keepdim=True)",
        "got [[nan, nan, 0.0]]\nInput: z = [[1000.0, 999.0, 0.0]]",
    ),
    "a tensor of one number, of the wrong shape": (
        "error_per_sample",
        "return torch.ones(1)",
        "expected one number, got a tensor of shape (1,)",
    ),
    "a shape that no program had": (
        "fix_two",
        "return counts.float(), x.to(weight.device) @ weight",
        "the mean: expected one number, shape (), got (4,).",
    ),
    "slopes summed to one number": (
        "fix_three",
        "x = torch.tensor(array)\n"
        "return ((predictions[:, 0] - targets) ** 2).mean(), x - x.mean(), (-2 * targets).sum()",
        "the slopes: expected 3 of them, one for each target, got 1.",
    ),
    "a network of which nothing was learned": (
        "healthy_training",
        "u, v = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()\n"
        "net = torch.nn.Linear(1, 1).double()\n"
        "steps = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for _ in range(200):\n"
        "    ((net(u) - v) ** 2).mean().backward()\n"
        "    steps.zero_grad()\n"
        "    steps.step()\n"
        "return net(u) * y.std() + y.mean()",
        "nothing was learned: your line has the same slope whatever y is.",
    ),
    "a small probability added": (
        "cross_entropy",
        "p = (z - z.amax(1, True)).exp()\np = p / p.sum(1, True)\n"
        "return -(p[torch.arange(len(z)), labels] + 1e-9).log()",
        "caps the loss of the worst mistakes",
    ),
    "a list used up": (
        "receptive_field",
        "field = 1\nwhile layers:\n    kernel, stride = layers.pop()\n"
        "    field = (field - 1) * stride + kernel\nreturn field",
        "your function changes its input. The caller still needs it: work on a copy of it.",
    ),
    "the name of what is called": ("tell_apart", "return unit.__name__", "is not right"),
    "a sleeping model": (
        "freeze",
        "model[:-1].eval()\nreturn model[-1].parameters()",
        "nor do eval() or no_grad()",
    ),
    "fit, with rows that come one by one": (
        "fast_training",
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "from utils.training import fit\n"
        "model, loss_fn = make_model(), torch.nn.CrossEntropyLoss()\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "loader = DataLoader(TensorDataset(x, y), batch_size=64)\n"
        "return fit(model, loader, loss_fn, optimizer, epochs, progress=False).loss.tolist()",
        "60 are enough: rows are fetched one by one.",
    ),
    "a tensor where the task is about its type": (
        "fix_dtype",
        "return (counts.float() @ prices).item()",
        "Return the tensor itself",
    ),
}


@pytest.mark.parametrize("name, body, says", REFUSED.values(), ids=REFUSED)
def test_an_uncommon_wrong_answer_is_refused_with_what_it_got_wrong(name, body, says):
    assert says in message(name, body)


def test_a_wrong_number_is_shown_beside_the_right_one_and_its_input():
    told = message("error_per_sample", "return 2.5")
    assert told.startswith("expected 1.33333, got 2.5.")
    assert "Input: batches = [([[1.0], [0.0]], [[0.0], [1.0]]), ([[-2.0]], [[0.0]])]" in told
    told = message("stop_early", "return 1, len(losses)")
    assert told.startswith("best epoch: expected 2, got 1.")
    told = EXERCISES["which_activation"].grade(["SiLU", "ELU"] * 5).message
    assert told.startswith("Map B: 'ELU' is not right.")
    told = message("tell_apart", "return 'tanh' if unit(3.0) > 0.99 else 'softsign'")
    assert told == "'softsign' is not right.\nInput: unit = tanh(0.5 s)"
    told = EXERCISES["steps_per_epoch"].grade(1000).message
    assert told == "1000 is not right. exercises.steps_per_epoch.hint() helps."  # not what is
    told = message("min_max", "return (x - x.min()) / min(x.max() - x.min(), 5)")
    assert told.endswith("Input: x = shape (20,): 83.8271, 97.3872, 92.5743, 106.9966, ...")


def test_the_winner_may_have_a_capital():
    exercise = EXERCISES["beat_the_line"]
    log = exercise.define(exercise.solution_code)
    assert exercise.grade(log | {"winner": "Network"}).status == "right"
    assert "holds NaN" in exercise.grade(log | {"network": log["network"] / 0 * 0}).message


def test_two_pairs_that_look_alike_are_both_named():
    names = "SiLU softsign ReLU ELU sigmoid GELU softplus tanh LeakyReLU SELU".split()
    told = EXERCISES["which_activation"].grade(names).message
    assert "tanh and softsign are swapped" in told and "ReLU and LeakyReLU are swapped" in told
    assert "GELU" not in told


def test_a_number_is_not_taken_for_a_known_tensor_of_the_same_value():
    told = message("fix_dtype", "return (counts.double() @ prices.double()).item()")
    assert "Return the tensor itself" in told and "Right value, but float64" not in told


def test_a_letter_that_is_no_option_is_named():
    assert "there is no Z here" in EXERCISES["broadcast"].grade("A", "Z").message


def test_an_error_on_some_inputs_is_no_loop():
    told = message(
        "pairwise_distances",
        "if len(a) == 2:\n    return torch.cdist(a, b)\nreturn (a[:, None] - b[:, :2]).norm(dim=2)",
    )
    assert "your function stopped with RuntimeError" in told and "loop" not in told


def test_an_error_names_its_input():
    told = message("pairwise_distances", "return a @ b")
    assert "your function stopped with RuntimeError" in told
    assert "Input: a = [[0.0, 0.0], [3.0, 4.0]], b = " in told


# ------------------------------------------------------------------------------ what a task forbids
LOSS = "def loss(v):\n    return ((y - v[0] * x**2 - v[1]) ** 2).mean()\n"
AUTOGRAD = {
    "backward": "v = torch.tensor([a, c], requires_grad=True)\nloss(v).backward()\nreturn v.grad",
    "torch.autograd.backward": (
        "v = torch.nn.Parameter(torch.tensor([a, c]))\n"
        "torch.autograd.backward([loss(v)])\nreturn v.grad.clone()"
    ),
    "an alias of torch.autograd.grad": (
        "slope = getattr(torch.autograd, 'gr' + 'ad')\n"
        "v = torch.tensor([a, c]).requires_grad_()\nreturn slope(loss(v), v)[0]"
    ),
    "a layer's gradients": (
        "line = torch.nn.Linear(1, 1)\n"
        "with torch.no_grad():\n    line.weight.fill_(a), line.bias.fill_(c)\n"
        "torch.nn.MSELoss()(line(x[:, None]), y[:, None]).backward()\n"
        "return torch.cat([p.grad.flatten() for p in line.parameters()])"
    ),
    "torch.func": "return torch.func.grad(loss)(torch.tensor([a, c]))",
    "jacrev": "return torch.func.jacrev(loss)(torch.tensor([a, c]))",
    "forward mode": (
        "from torch.autograd import forward_ad as mode\n"
        "slopes = []\n"
        "for direction in torch.eye(2):\n"
        "    with mode.dual_level():\n"
        "        moved = mode.make_dual(torch.tensor([a, c]), direction)\n"
        "        slopes.append(mode.unpack_dual(loss(moved)).tangent)\n"
        "return torch.stack(slopes)"
    ),
    "autograd.functional": (
        "from torch.autograd import functional as tools\n"
        "return tools.jacobian(loss, torch.tensor([a, c]))"
    ),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own, forward mode
@pytest.mark.parametrize("body", AUTOGRAD.values(), ids=AUTOGRAD)
def test_autograd_is_noticed_under_any_name(body):
    told = message("parabola_gradient", LOSS + body)
    assert "in your function. This one is about the formula: write it without autograd." in told


BANNED = {
    "an equation solved": (
        "healthy_training",
        "X = torch.cat([x, torch.ones_like(x)], dim=1)\n"
        "return X @ torch.linalg.solve(X.T @ X, X.T @ y)",
        "there is linalg_solve in your",
    ),
    "least squares": (
        "healthy_training",
        "X = torch.cat([x, torch.ones_like(x)], dim=1)\n"
        "return X @ torch.linalg.lstsq(X, y).solution",
        "there is linalg_lstsq in your",
    ),
    "masks": ("plateau", "return ((x > 1) & (x < 2)) * (x - 1)", "there is &, <, > in your"),
    "choosing": ("plateau", "pick = torch.where\nreturn pick(x > 1, x, 0 * x)", "where"),
    "a step out of powers": ("plateau", "return ((x - 1) ** 2) ** 0.5", "there is ** in your"),
    "one by one": ("plateau", "return torch.tensor([max(0.0, v) for v in x.tolist()])", "tolist"),
    "NumPy": ("plateau", "return torch.from_numpy(abs(x.numpy()))", "numpy"),
    "a module": ("safe_softmax", "return torch.nn.Softmax(dim=1)(z)", "there is softmax"),
    "an alias": ("safe_softmax", "f = torch.special.log_softmax\nreturn f(z, 1).exp()", "softmax"),
    "the loss's module": (
        "cross_entropy",
        "return torch.nn.CrossEntropyLoss(reduction='none')(z, labels)",
        "there is cross_entropy",
    ),
    "the ready formula": ("safe_softplus", "return torch.nn.Softplus()(s)", "there is softplus"),
    "the logarithm of a sum": (
        "safe_softplus",
        "return torch.stack([s, 0 * s]).logsumexp(dim=0)",
        "there is logsumexp",
    ),
    "a fit": (
        "healthy_training",
        "import numpy as np\nslope, start = np.polyfit(x.numpy()[:, 0], y.numpy()[:, 0], 1)\n"
        "return slope * x + start",
        "there is no training in your function.",
    ),
    "its mirror image": (
        "safe_softplus",
        "return -torch.nn.functional.logsigmoid(-s)",
        "there is log_sigmoid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name, body, says", BANNED.values(), ids=BANNED)
def test_what_a_task_rules_out_is_noticed_under_any_name(name, body, says):
    told = message(name, body)
    assert says in told and EXERCISES[name].ban.advice in told


def test_a_training_in_numpy_is_a_training():
    def healthy_training(x, y):
        x, y = x.numpy(), y.numpy()
        u, v, slope, start = (x - x.mean()) / x.std(), (y - y.mean()) / y.std(), 0.0, 0.0
        for _ in range(200):
            away = slope * u + start - v
            slope, start = slope - 0.2 * (u * away).mean(), start - 0.2 * away.mean()
        return torch.from_numpy((slope * u + start) * y.std() + y.mean())

    assert EXERCISES["healthy_training"].grade(healthy_training).status == "right"


def test_of_two_slips_with_one_outcome_it_is_the_one_that_was_written():
    for formula, slip in (("torch.exp(s) + 1", "exp(1000)"), ("1 / s.neg().sigmoid()", "sigmoid")):
        assert slip in message("safe_softplus", f"return torch.log({formula})").split("\n")[-1]


LOOPS = {
    "a comprehension": "return torch.stack([(a[i] - b).norm(dim=1) for i in range(len(a))])",
    "map": "return torch.stack(list(map(lambda row: (row - b).norm(dim=1), a)))",
    "recursion": (
        "def rows(left):\n"
        "    row = (left[:1] - b).norm(dim=1)\n"
        "    return [row] if len(left) == 1 else [row, *rows(left[1:])]\n"
        "return torch.stack(rows(a))"
    ),
}


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_a_loop_is_noticed_in_any_form(body):
    assert "there is a loop in your function" in message("pairwise_distances", body)


def test_no_choice_of_letters_is_missing_here():
    choices = [name for name, item in EXERCISES.items() if isinstance(item, ChoiceExercise)]
    assert sorted(choices) == sorted(LETTERS)


def test_letters_in_order_say_what_is_wrong_with_them():
    def told(answer):
        verdict = EXERCISES["whose_lie"].grade(answer)
        assert verdict.status == "wrong"
        return verdict.message

    assert told("DF").startswith("2 letters came. Write 5 letters in order")
    assert told("XFBEZ").startswith("there is no X, Z here.")
    assert told(3).startswith("expected letters, got a whole number")
    assert told([1, 2, 3, 4, 5]).startswith("expected letters")
    assert told("DFBAE").startswith("number 4 is not A: how many of 500")  # the first wrong place
    assert told("FDBEA").startswith("number 1 is not F: its 40 tosses")
    assert EXERCISES["whose_lie"].grade(...).status == "open"
