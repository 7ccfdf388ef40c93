"""The exercises of notebook 06."""

import torch
from torch import nn

from utils.exercises.answers import Complaint
from utils.exercises.core import (
    AUTOGRAD,
    ChoiceExercise,
    FunctionExercise,
    ValueExercise,
    WrongAnswer,
)

LAYER = """
def layer_gradient(inputs, gradients):
    return gradients.T @ inputs  # (d_out, n) @ (n, d_in)
"""

layer_gradient = FunctionExercise(
    "layer_gradient",
    ban=AUTOGRAD,
    cases=lambda: [
        (
            torch.tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]),
            torch.tensor([[0.1, -0.2], [0.3, 0.4]]),
        ),
        (
            torch.tensor([[1.0, -2.0], [0.5, 4.0], [3.0, 1.0]]),
            torch.tensor([[0.5, 1.0], [-1.0, 2.0], [0.25, -0.5]]),
        ),
    ],
    hints=(
        "Number (j, i) of the result is the sum over the samples of gradients[:, j] * "
        "inputs[:, i]: a matrix product sums over the axis where the two meet.",
        "The samples have to meet: (d_out, n) @ (n, d_in). .T turns (n, d_out) into (d_out, n).",
    ),
    solution=LAYER,
    insight="So the backward pass needs the layer's input: that is why it is kept in memory.",
    wrong_answers=[
        WrongAnswer(
            LAYER.replace("gradients.T @ inputs", "inputs.T @ gradients"),
            "This is (d_in, d_out), the transpose: PyTorch stores a row for each unit.",
            says="the transpose",
        ),
        WrongAnswer(
            LAYER.replace("gradients.T @ inputs", "gradients.T @ inputs / len(inputs)"),
            "The gradients already hold the 1/n of the loss: add up over the samples, do not "
            "average once more.",
            says="already hold the 1/n",
        ),
        WrongAnswer(
            LAYER.replace("gradients.T @ inputs", "gradients.sum(dim=0)"),
            "The gradients alone, added up, belong to the bias: for the weight, each is "
            "multiplied by the input.",
            says="belong to the bias",
        ),
        WrongAnswer(
            LAYER.replace("gradients.T @ inputs", "gradients.T.sign() @ inputs"),
            "The size of the gradients counts, not only their sign.",
            says="not only their sign",
        ),
    ],
)

STD = """
def std_after_linear(std, n, bound):
    return std * bound * (n / 3) ** 0.5
"""


std_after_linear = FunctionExercise(
    "std_after_linear",
    returns=float,
    cases=lambda: [(1.0, 100, 0.1), (2.0, 12, 0.5), (0.5, 300, 1.0)],
    hints=(
        "Variances of independent terms add up. The variance of input times weight is that of the "
        "input times that of the weight, since both have mean 0.",
        "A weight even on [-bound, bound] has the variance bound**2 / 3. Take the root at the end.",
    ),
    solution=STD,
    insight="With bound = 1 / n ** 0.5 it is std / 3 ** 0.5, whatever n is: PyTorch's default.",
    wrong_answers=[
        WrongAnswer(
            STD.replace("std * bound * (n / 3) ** 0.5", "std**2 * bound**2 * n / 3"),
            "This is the variance; the standard deviation is its root.",
            says="This is the variance",
        ),
        WrongAnswer(
            STD.replace("std * bound * (n / 3) ** 0.5", "std * bound * n / 3**0.5"),
            "Standard deviations do not add up, variances do: n stands under the root too.",
            says="variances do",
        ),
        WrongAnswer(
            STD.replace("std * bound * (n / 3) ** 0.5", "std * bound * n**0.5"),
            "bound is the largest weight, not the standard deviation of the weights: that is "
            "bound / 3 ** 0.5.",
            says="bound is the largest weight",
        ),
        WrongAnswer(
            STD.replace("std * bound * (n / 3) ** 0.5", "std / 3**0.5"),
            "That holds for bound = 1 / n ** 0.5 only, the default; here bound is given.",
            says="the default",
        ),
        WrongAnswer(
            STD.replace("std * bound * (n / 3) ** 0.5", "bound * (n / 3) ** 0.5"),
            "The spread of the inputs is missing: inputs twice as wide give sums twice as wide.",
            says="spread of the inputs",
        ),
        WrongAnswer(
            STD.replace("(n / 3) ** 0.5", "(n / 12) ** 0.5"),
            "The variance of an even draw is width**2 / 12, and from -bound to bound the width is "
            "2 * bound.",
            says="the width is 2 * bound",
        ),
        WrongAnswer(
            STD.replace("(n / 3) ** 0.5", "(1 / 3) ** 0.5"),
            "This is one input times its weight; n such terms add up, and so do their variances.",
            says="one input times its weight",
        ),
    ],
)

true_of_flow = ChoiceExercise(
    "true_of_flow",
    options={
        "A": (True, "it holds one number for each number of the output."),
        "B": (False, "it is called at every pass until its handle's remove() is called."),
        "C": (
            False,
            "what is kept grows with the batch, but the parameters do not know how large it is.",
        ),
        "D": (True, "its step is the rate times the gradient, so only the product counts."),
        "E": (True, "ReLU halves the mean square, and He's weights have twice the variance."),
    },
    hints=(
        "For C look at the megabytes that section 2 prints for 100 and for 1000 samples.",
        "For D write the step of SGD as a formula. For E, which lines fade with ReLU in section 5?",
    ),
    insight="Shapes, memory, spread: three questions to ask of any network.",
)

SPREAD = """
def spread_of_outputs(model, x):
    spreads = []

    def keep(module, inputs, output):
        spreads.append(output.std().item())

    handles = [module.register_forward_hook(keep) for module in model]
    model(x)
    for handle in handles:
        handle.remove()
    return spreads
"""


class Watched(nn.Sequential):
    """A Sequential that notes how many of its modules had a hook when it was called."""

    hooked = 0

    def forward(self, x):
        self.hooked = sum(hooks_on(module) > 0 for module in self)
        return super().forward(x)


def hooks_on(model):
    """Return how many hooks stand on a model and the modules in it."""
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    )


def with_hooks(run, sizes, x):
    """Run the answer on a network of these sizes, and look whether it leaves hooks behind."""
    torch.manual_seed(0)
    layers = []
    for given, made in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(given, made), nn.Tanh()]
    model = Watched(*layers)
    spreads = run(model, x)
    if hooks_on(model):
        raise Complaint(
            f"{hooks_on(model)} of your hooks are still on the model: keep what "
            "register_forward_hook returns, and call remove() on each after the pass."
        )
    if model.hooked < len(model):
        raise Complaint(
            f"when model(x) was called, {model.hooked} of {len(model)} modules had a hook: put one "
            "on each with register_forward_hook, then call model(x) once."
        )
    return spreads


spread_of_outputs = FunctionExercise(
    "spread_of_outputs",
    watch=with_hooks,
    compared="the standard deviations, module by module",
    cases=lambda: [
        ((3, 4, 2), torch.tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [-2.0, 1.0, 0.0]])),
        ((2, 5, 5, 3), torch.linspace(-2, 2, 20).reshape(10, 2)),
    ],
    hints=(
        "A hook is a function keep(module, inputs, output); let it append output.std().item() to "
        "a list. for module in model goes through the modules in order.",
        "handles = [module.register_forward_hook(keep) for module in model], then model(x), then "
        "handle.remove() for each.",
    ),
    solution=SPREAD,
    insight="A few lines, and you can look into any network, also one that somebody else wrote.",
    wrong_answers=[
        WrongAnswer(
            SPREAD.replace("    for handle in handles:\n        handle.remove()\n", ""),
            "",
            says="still on the model",
        ),
        WrongAnswer(
            SPREAD.replace("for module in model]", "for module in model.modules()]"),
            "model.modules() gives the model itself too, whose output is that of its last module: "
            "go through the model with for module in model.",
            says="the model itself too",
        ),
        WrongAnswer(
            SPREAD.replace("output.std().item()", "inputs[0].std().item()"),
            "These are the standard deviations of what goes into the modules; asked for is what "
            "comes out.",
            says="what goes into",
        ),
        WrongAnswer(
            SPREAD.replace("output.std().item()", "output.var().item()"),
            "These are variances; the standard deviation is their root.",
            says="These are variances",
        ),
        WrongAnswer(
            SPREAD.replace("output.std()", "output.std(correction=0)"),
            "These divide by n, as NumPy does; torch divides by n - 1: take output.std().",
            says="take output.std()",
        ),
        WrongAnswer(
            SPREAD.replace("output.std()", "output.std(dim=0).mean()"),
            "This is the spread between samples, averaged over the units; asked for is the spread "
            "of all numbers of an output, output.std().",
            says="averaged over the units",
        ),
        WrongAnswer(
            "def spread_of_outputs(model, x):\n"
            "    spreads = []\n"
            "    for module in model:\n"
            "        x = module(x)\n"
            "        spreads.append(x.std().item())\n"
            "    return spreads",
            "",
            says="0 of 4 modules had a hook",
        ),
    ],
)

RATE = """
def suggested_rate(rates, losses):
    measured = ~losses.isnan()
    return rates[measured][losses[measured].argmin()].item() / 2
"""


suggested_rate = FunctionExercise(
    "suggested_rate",
    returns=float,
    cases=lambda: [
        (torch.tensor([0.001, 0.03, 0.1, 1.0]), torch.tensor([1.0, 0.8, 0.3, 5.0])),
        (torch.tensor([0.02, 0.1, 0.4, 2.0]), torch.tensor([2.0, 0.9, 0.5, torch.nan])),
        (torch.tensor([0.1, 0.3, 0.7, 1.0]), torch.tensor([3.0, 2.0, 1.0, 0.25])),
        (torch.tensor([0.1, 0.2, 0.4]), torch.tensor([2000.0, 900.0, torch.nan])),
        (
            torch.tensor([0.1, 0.2, 0.5, 1.5, 4.0]),
            torch.tensor([3.0, 2.0, 7.0, torch.nan, torch.nan]),
        ),
    ],
    hints=(
        "argmin takes NaN for the lowest of all: leave those losses out first, with a mask.",
        "measured = ~losses.isnan(); then rates[measured] and losses[measured] belong together.",
    ),
    solution=RATE,
    insight="Half of it, because at the lowest point the loss is about to climb.",
    wrong_answers=[
        WrongAnswer(
            "def suggested_rate(rates, losses):\n    return rates[losses.argmin()].item() / 2",
            "argmin points at the NaN where there is one: leave it out first.",
            says="points at the NaN",
        ),
        WrongAnswer(
            RATE.replace(".item() / 2", ".item()"),
            "This is the rate with the lowest loss; the suggestion is half of it.",
            says="half of it",
        ),
        WrongAnswer(
            "def suggested_rate(rates, losses):\n"
            "    return losses[~losses.isnan()].min().item() / 2",
            "This is half the lowest loss; asked for is half the rate that belongs to it.",
            says="half the lowest loss",
        ),
        WrongAnswer(
            RATE.replace(".item() / 2", ".item() / 10"),
            "This is a tenth of the rate with the lowest loss; asked for is half.",
            says="asked for is half",
        ),
        WrongAnswer(
            RATE.replace("losses[measured].argmin()].item() / 2", "losses[measured].argmin() - 1]"),
            "This is the rate before the one with the lowest loss; asked for is half of that one.",
            says="the rate before",
        ),
        WrongAnswer(
            "def suggested_rate(rates, losses):\n    return rates[losses[:-1].argmin()].item() / 2",
            "The last loss is left out whether it is NaN or not, and there may be several NaNs: "
            "ask isnan() of each.",
            says="ask isnan() of each",
        ),
        WrongAnswer(
            "def suggested_rate(rates, losses):\n"
            "    return rates[losses.nan_to_num(nan=100).argmin()].item() / 2",
            "One number cannot stand for NaN: the losses may all be larger.",
            says="the losses may all be larger",
        ),
    ],
)


def patients():
    """Return the three sick networks of the capstone: name -> Sequential, float64.

    Each has eight hidden layers of 50 ReLU units for 100 features, and one output.
    """
    with torch.random.fork_rng(devices=[]):
        return {"A": patient(4, frozen=6), "B": patient(2, dead=5), "C": patient(3, exploding=3)}


def patient(seed, **sick):
    """Return an eight-layer ReLU network with He's initialisation, and what makes it sick."""
    torch.manual_seed(seed)
    layers = []
    for number in range(1, 9):
        linear = nn.Linear(50 if layers else 100, 50, dtype=torch.float64)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        if number == sick.get("dead"):
            nn.init.constant_(linear.bias, -20.0)  # below 0 for every sample
        if number == sick.get("exploding"):
            linear.weight.data *= 30
        linear.requires_grad_(number != sick.get("frozen"))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(50, 1, dtype=torch.float64))


sick_layers = ValueExercise(
    "sick_layers",
    parts=("network A", "network B", "network C"),
    hints=(
        "One layer never changes, one gives 0 for every sample, one makes the numbers far too "
        "large. Which column shows which?",
        "In A only the last column is odd. In B look for the first layer without a spread, in C "
        "for the first with a large one: what comes before a layer shows in the spread, what comes "
        "behind it in the gradient.",
    ),
    solution="sick_layers = 6, 5, 3",
    insight="Three columns, and any network can be examined: forward, backward, and the step.",
    wrong_answers=[
        WrongAnswer(
            "sick_layers = 5, 4, 2",
            "These are the layers just before them. The table counts layers from 1.",
            says="just before them",
        ),
        WrongAnswer(
            "sick_layers = 6, 4, 3",
            "In B layer 4 still hands a signal on. No gradient comes back to it, because the "
            "layer behind it lets none through.",
            says="still hands a signal on",
        ),
        WrongAnswer(
            "sick_layers = 6, 1, 3",
            "In B layer 1 hands a healthy signal on: it gets no gradient, but the layer that stops "
            "it stands further back.",
            says="hands a healthy signal on",
        ),
        WrongAnswer(
            "sick_layers = 6, 6, 3",
            "In B layer 6 is given zeros by the layer before it: that one is sick.",
            says="is given zeros",
        ),
        WrongAnswer(
            "sick_layers = 6, 5, 2",
            "In C the spread of layer 2 is healthy. Its gradient is too large, because it came "
            "back through the weights of the layer behind it.",
            says="came back through the weights",
        ),
        WrongAnswer(
            "sick_layers = 6, 5, 8",
            "In C the spread jumps in one layer, and the layers behind it only hand it on: look "
            "for the jump.",
            says="look for the jump",
        ),
    ],
)

what_would_help = ChoiceExercise(
    "what_would_help",
    options={
        "A": (False, "no gradient reaches its weights, and 0 times any rate is 0."),
        "B": (True, "then its sums lie around 0 again, and ReLU lets about half of them through."),
        "C": (False, "its neighbours learn, so the loss does fall, only not as well as it could."),
        "D": (True, "values and gradients pass it unharmed; only the step shows that it stays."),
        "E": (
            False,
            "its ratio is small because its weights are thirty times too large, and a larger step "
            "does not make them smaller.",
        ),
        "F": (True, "what comes back to them has passed its large weights."),
    },
    hints=(
        "A step is the rate times the gradient. Look at the gradient first, then at the step.",
        "Three are true: one about each network.",
    ),
    insight="Look before you turn the rate: only one of many illnesses is a wrong rate.",
)
