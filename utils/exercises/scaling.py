"""The exercises of notebook 09."""

import torch

from utils.exercises.core import ChoiceExercise, FunctionExercise, ValueExercise, WrongAnswer

scaling_value = ValueExercise(
    "scaling_value",
    hints=(
        "Each of the 4 units has a weight for each of the 3 inputs, and one bias.",
        "The weights are 3 * 4 numbers. How many biases come on top?",
    ),
    solution="scaling_value = 3 * 4 + 4",
    insight="Weights grow with inputs times units, biases with the units alone.",
    wrong_answers=[
        WrongAnswer(
            "scaling_value = 3 * 4",
            "These are the weights. Each unit has a bias too.",
            says="has a bias too",
        ),
        WrongAnswer(
            "scaling_value = 3 + 4",
            "Every input is joined with every unit: multiply, do not add.",
            says="multiply, do not add",
        ),
    ],
)

scaling_function = FunctionExercise(
    "scaling_function",
    cases=lambda: [
        (torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [4.0]])),
        (torch.tensor([[0.5], [-1.0], [3.0]]), torch.tensor([[1.0], [1.0], [2.5]])),
    ],
    hints=(
        "Three steps: the difference, its square, the mean.",
        "** 2 squares each number of a tensor, .mean() takes the mean of all.",
    ),
    solution="""
        def scaling_function(prediction, target):
            return ((prediction - target) ** 2).mean()
    """,
    insight="Squares let one large error count more than several small ones.",
    wrong_answers=[
        WrongAnswer(
            "def scaling_function(prediction, target):\n"
            "    return ((prediction - target) ** 2).sum()",
            "This is the sum of the squares: with more samples it grows, a mean does not.",
            says="the sum of the squares",
        ),
        WrongAnswer(
            "def scaling_function(prediction, target):\n"
            "    return (prediction - target).mean() ** 2",
            "This squares the mean: positive and negative errors cancel before.",
            says="squares the mean",
        ),
    ],
)

scaling_choice = ChoiceExercise(
    "scaling_choice",
    options={
        "A": (True, "without zero_grad, backward adds to the gradients of all steps before."),
        "B": (False, "lr is 0.03 in both loops."),
        "C": (False, "both set seed 0 immediately before the network is built."),
    },
    hints=(
        "Lay the two loops side by side, line by line.",
        "One line of the loop in section 3 is missing here. What does it do?",
    ),
    insight="An optimiser cannot know that a gradient is an old one.",
)
