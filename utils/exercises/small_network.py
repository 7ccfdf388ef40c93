"""Exercises whose answer is a network: a function that builds one, which the check trains."""

import torch
from torch import nn

from utils.data import load, split
from utils.exercises.answers import Outcome, kind_of
from utils.exercises.core import WRONG, FunctionExercise, Verdict
from utils.training import fit, seed_everything

SEEDS = range(3)
EPOCHS, BATCH_SIZE, LEARNING_RATE = 8, 50, 0.015  # the rate falls to a tenth, evenly
# The median of the dense network of 6,085 parameters, of 500 held-out digits, as notebook 07 shows.
DENSE = 486


class SmallNetworkExercise(FunctionExercise):
    """A function that builds a convolutional network for the digits, with few parameters.

    The check trains it on the 1,297 training rows of notebook 07, as that trains its networks, from
    three seeds, and counts the held-out digits that it reads. It has to beat the dense one.

    Args:
        most: the number of parameters below which it has to stay.
    """

    seconds = 20  # some 2 s for a network as small as asked for, more where it does not pool

    def __init__(self, name, *, most, **rest):
        super().__init__(name, cases=lambda: [()], watch=self.looked_at, **rest)
        self.most = most

    def run(self, make, arguments):
        if isinstance(make, nn.Module):
            return Outcome(None, self.no_function(make))
        return super().run(make, arguments)

    def judge_outcomes(self, cases, outcomes, looped):
        (outcome,) = outcomes
        if outcome.result is Ellipsis:
            return self.not_attempted()
        problem = outcome.problem or outcome.result[0]
        if problem:
            return Verdict(WRONG, "\n".join(filter(None, [problem, self.known(outcome)])))
        count, right = outcome.result[1:]
        median = sorted(right)[len(right) // 2]
        found = f"{count:,} parameters, {median} of 500 right (seeds: {', '.join(map(str, right))})"
        if median > DENSE:
            return Verdict("right", f"right. {self.insight}\n  {found}; the dense one {DENSE}.")
        problem = f"your network has {found}. That does not beat the dense one, with {DENSE}."
        return Verdict(WRONG, f"{problem}\n{self.wrong_answers[-1].misconception}")

    def looked_at(self, run):
        """Return (what is wrong with a network or "", its parameters, the digits read right)."""
        model = run()
        if not isinstance(model, nn.Module):
            return f"expected a network, an nn.Module, got a {kind_of(model)}.", 0, ()
        modules = list(model.modules())
        if not any(isinstance(module, nn.Conv2d) for module in modules):
            return "there is no nn.Conv2d in it.", 0, ()
        count = sum(parameter.numel() for parameter in model.parameters())
        if count >= self.most:
            return f"it has {count:,} parameters; fewer than {self.most:,} are asked for.", 0, ()
        problem = problem_with_outputs(model)
        if problem:
            return problem, 0, ()
        if any(isinstance(module, nn.Softmax | nn.LogSoftmax) for module in modules):
            return "there is a softmax in it.", 0, ()
        return "", count, [digits_read(run, seed) for seed in SEEDS]

    def known(self, outcome):
        """Return the misconception of the known wrong answer with the same problem, or None."""
        for wrong in self.wrong_answers[:-1]:
            other = self.run(self.define(wrong.code), ())
            one, another = (
                (each.problem or each.result[0]).split("\n")[0].split(", got")[0]
                for each in (outcome, other)
            )
            if one == another:
                return wrong.misconception
        return None


def problem_with_outputs(model):
    """Return what is wrong with what a network makes of two digits, in words, or ""."""
    two = torch.zeros(2, 1, 8, 8, dtype=torch.float64)
    try:
        outputs = model.double()(two)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        message = " ".join(str(error).split())[:200]
        return f"with images of shape (2, 1, 8, 8) your network stopped: {message}"
    shape = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else kind_of(outputs)
    if shape != (2, 10):
        return f"images of shape (2, 1, 8, 8) should give logits of shape (2, 10), not {shape}."
    return ""


def digits():
    """Return the digits of notebook 07: training rows and held-out rows, pairs (images, labels)."""
    data = load("digits")
    images, labels = data["images"][:, None].double() / 16, data["labels"].long()
    return split(images, labels, fractions=(1297 / 1797, 500 / 1797))


def digits_read(make, seed):
    """Return how many of 500 held-out digits a network reads that was trained from a seed."""
    train, test = digits()
    seed_everything(seed)
    model = make().double()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.1, total_iters=EPOCHS - 1)
    settings = {"batch_size": BATCH_SIZE, "seed": seed, "scheduler": scheduler, "progress": False}
    fit(model, train, nn.CrossEntropyLoss(), optimizer, EPOCHS, **settings)
    model.eval()
    with torch.no_grad():
        return (model(test[0]).argmax(dim=1) == test[1]).sum().item()
