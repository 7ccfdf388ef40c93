"""What holds for every figure: it shows itself and says what it draws, and a reader can read it."""

import inspect
import io
import re
from types import SimpleNamespace
from unittest.mock import patch

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from drawn import draw, network_of, show
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.image import imread
from matplotlib.lines import Line2D
from torch import nn

from utils import diagrams, plotting
from utils.figures import style

w = torch.tensor(1.0, requires_grad=True)
LOSS = ((w * torch.tensor([1.0, 2.0]) - 3) ** 2).mean()
COLUMN = torch.tensor([[1.0], [torch.nan], [-2.0]])
LINE = torch.linspace(0, 1, 20)
GRADED = LINE.clone().requires_grad_()
HEAD = nn.Linear(3, 1)
ODD = torch.arange(20) % 2
KINKED = network_of(nn.ReLU(), [[0.5, 1.0], [0.0, 1.0]], [0.0, 0.0], [[1.0, -1.0]], [-0.2])
SMALL = network_of(nn.Tanh(), [[0.5], [-0.3]], [0.1, 0.2], [[-0.4, 0.8]], [-0.1])
PLANE = plotting.plane(2)
TEN = {f"{n}": (LINE * n, GRADED + n) for n in range(10)}
HISTORY = SimpleNamespace(loss=np.array([1.0, 0.3]), validation_loss=np.array([1.0, 0.4]))
RUN = SimpleNamespace(epoch=np.arange(1, 31), loss=np.geomspace(2, 0.1, 30))
RUN.validation_loss = np.geomspace(2, 0.3, 30)
WALK = torch.stack([LINE - 1, LINE**2], dim=1)
THREE = {f"network {n}": torch.rand(8, 30) + 0.1 for n in range(3)}


def two_classes(points):
    """Probability of class 1, (n,), in the place of a trained network."""
    return torch.sigmoid(points[:, 0] - 0.5)


# A call of every figure: name -> (function, arguments, keywords, description).
CALLS = {
    "curve_with_tangents": (
        plotting.curve_with_tangents,
        (lambda x: x**2, [1.0, -0.5], torch.tensor([2.0, -1]).requires_grad_(), (-1, 2), "t", "z"),
        {},
        "The curve of z against t, with tangents of slope 2 at 1, -1 at -0.5.",
    ),
    "secant_and_tangent": (
        plotting.secant_and_tangent,
        (lambda x: x**2, torch.tensor(1.0, requires_grad=True), 2.0, 0.5, (-1, 3), "t", "z"),
        {},
        "The curve of z against t, the tangent at 1 with slope 2, and the secant from there to 1.5 "
        "with slope 2.5.",
    ),
    "finite_difference_error": (
        plotting.finite_difference_error,
        (LINE[1:], {"float32": LINE[1:], "float64": LINE[1:] ** 2}),
        {},
        "Error of the derivative by central differences against the step size h, on logarithmic "
        "axes: float32, float64.",
    ),
    "curves": (
        plotting.curves,
        (LINE, {"log": LINE.log(), "line": LINE - 1}, "t", "z"),
        {},
        "Curves in one figure, z against t: log, line.",
    ),
    "points_and_lines": (
        plotting.points_and_lines,
        (LINE, LINE**2, {"start": (0, 0), "fit, here": (GRADED[3], 0.1)}, "t", "z"),
        {},
        "Points of z against t, and straight lines: start; fit, here.",
    ),
    "points_and_lines, error bars": (
        plotting.points_and_lines,
        (LINE, LINE.sqrt() / LINE, {"weighted": (1.0, 0.1)}),
        {"sigma": LINE + 0.1},
        "Points (1 of 20 not finite) of y against x, with error bars, and straight lines: "
        "weighted.",
    ),
    "fit_before_after": (
        plotting.fit_before_after,
        (LINE, LINE, LINE[:, None], GRADED),
        {},
        "Points of y against x, with the prediction before training and after training.",
    ),
    "predictions": (
        plotting.predictions,
        (LINE[:, None], LINE**2, {"network": GRADED}, "t", "z"),
        {"known": (0.2, 0.8)},
        "A target and predictions of it, z against t: network. The range that was trained on is "
        "shaded.",
    ),
    "predictions_apart": (
        plotting.predictions_apart,
        (LINE[:, None], LINE**2, {"a": GRADED, "b": LINE[:, None], "c": LINE}, None, "t", "z"),
        {},
        "The target and one prediction in each panel, z against t: a, b, c.",
    ),
    "predictions_apart, with points": (
        plotting.predictions_apart,
        (LINE, LINE**2, dict.fromkeys("abcd", LINE), (LINE[:3, None], GRADED[:3])),
        {},
        "The target and one prediction in each panel, and points that were not trained on, y "
        "against x: a, b, c, d.",
    ),
    "fit_with_residuals": (
        plotting.fit_with_residuals,
        (LINE.flip(0), LINE**2, GRADED[:, None], "t", "z"),
        {},
        "Points of z against t, the prediction, and the residuals as lines between them.",
    ),
    "scatter_by_group": (
        plotting.scatter_by_group,
        (LINE, LINE.sqrt() / LINE, ODD, ["even", "odd"], "t", "z"),
        {},
        "Points of z against t in groups: even (1 of 10 not finite), odd.",
    ),
    "scatter_by_group, equal": (
        plotting.scatter_by_group,
        (LINE, LINE**2, ODD, ["even", "odd"]),
        {"equal": True},
        "Points of y against x in groups: even, odd.",
    ),
    "scatter_by_group, mistaken": (
        plotting.scatter_by_group,
        (LINE, LINE**2, ODD, ["even", "odd"]),
        {"predicted": torch.arange(20) % 3 % 2},
        "Points of y against x in groups: even, odd. Mistaken points are ringed with the marker of "
        "the group they are taken for.",
    ),
    "column_spread": (
        plotting.column_spread,
        (COLUMN, COLUMN + torch.nan, ["a"]),
        {},
        "Two panels, before (1 of 3 not finite) and after (3 of 3 not finite) a change of scale, "
        "with a row of points for each column: a.",
    ),
    "residuals": (
        plotting.residuals,
        (GRADED, LINE[:, None] ** 2),
        {"groups": {"first": torch.arange(20) < 5, "later": torch.arange(20) > 7}},
        "Points of target - prediction against prediction, with a line at 0: first, later; 3 of 20 "
        "are in no group.",
    ),
    "residuals, one group": (
        plotting.residuals,
        (LINE, LINE.sqrt() / LINE, "mass", "left over"),
        {},
        "Points (1 of 20 not finite) of left over against mass, with a line at 0.",
    ),
    "points_and_curves": (
        plotting.points_and_curves,
        ({"fit": (LINE, LINE.sqrt() / LINE), "test": (LINE[:5, None], LINE[:5])}, LINE),
        {"curves": {"network": LINE[:, None] ** 3}, "xlabel": "t", "ylabel": "z"},
        "Points (fit (1 of 20 not finite), test) and curves (network) of z against t.",
    ),
    "loss_surface": (
        plotting.loss_surface,
        (torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])),
        {"paths": {"a": torch.tensor([[0.0, 0.0], [1.0, 0.5]]), "b": torch.rand(3, 2)}},
        "Contours of the mean squared error over slope m and intercept c, darker blue where it is "
        "larger, with paths: a, b.",
    ),
    "loss_surface, with an arrow": (
        plotting.loss_surface,
        (torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])),
        {"paths": {"a": torch.rand(3, 2)}, "gradient": (GRADED[3], -8.1)},
        "Contours of the mean squared error over slope m and intercept c, darker blue where it is "
        "larger, with paths: a. An arrow points against the gradient at the start.",
    ),
    "line_and_loss": (
        plotting.line_and_loss,
        (torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 7.0]), GRADED[0], 1),
        {},
        "Left, points and the line with slope 0 and intercept 1, with residuals and the loss "
        "15.333. Right, its place among the losses of all lines.",
    ),
    "loss_curves": (
        plotting.loss_curves,
        ({"a": [1.0, 0.0, torch.nan], "b": HISTORY}, "step"),
        {},
        "Loss on a logarithmic axis against the step: a (1 of 3 not finite, 1 of 3 not above 0); "
        "b; b, held out.",
    ),
    "loss_curves, best": (
        plotting.loss_curves,
        (HISTORY,),
        {"best": True},
        "Loss on a logarithmic axis against the epoch: training, held out. The best epoch is "
        "marked.",
    ),
    "error_by_setting": (
        plotting.error_by_setting,
        ({1: torch.rand(4), 2: torch.tensor([0.5, torch.nan])}, "hidden units"),
        {"baseline": {"always the mean": 2.0, "a line": 1.5}},
        "Mean squared error of each seed on a logarithmic axis, for hidden units 1, 2 (1 of 2 "
        "diverged), with the medians joined.",
    ),
    "seed_strip": (
        plotting.seed_strip,
        ({"5 units": torch.rand(32), "20 units": -torch.rand(3)}, "accuracy"),
        {"baseline": {"the commonest": 0.5}, "log": True, "each": "split"},
        "A point for each split, in a row with its median for each of: 5 units, 20 units (3 of 3 "
        "not above 0). On the x axis, the accuracy.",
    ),
    "seed_bands": (
        plotting.seed_bands,
        (THREE | {"wide": torch.tensor([[1.0], [torch.nan]])},),
        {},
        "Loss on a logarithmic axis against the epoch, the median of the seeds and a band of the "
        "middle 80 %: network 0, network 1, network 2, wide (1 of 2 diverged).",
    ),
    "scanned_rates": (
        plotting.scanned_rates,
        ([1e-3, 1e-2, 1e-1, 1], torch.tensor([1.0, 0.5, 60.0, torch.nan]), 5e-3),
        {},
        "Loss before each step (1 of 4 not finite) against its learning rate, on a logarithmic "
        "axis. The lowest loss and the suggested rate are marked.",
    ),
    "scanned_rates, no suggestion": (
        plotting.scanned_rates,
        ([1e-3], [torch.nan]),
        {},
        "Loss before each step (1 of 1 not finite) against its learning rate, on a logarithmic "
        "axis. No rate is suggested.",
    ),
    "distributions": (
        plotting.distributions,
        ({"input": COLUMN, "0 Linear": GRADED, "mask": LINE > 0.5, "wide": LINE, "b": COLUMN},),
        {},
        "Histograms, each with its standard deviation: input (1 of 3 not finite), 0 Linear, mask, "
        "wide, b (1 of 3 not finite).",
    ),
    "distributions, two rows": (
        plotting.distributions,
        ({f"{number} Linear": LINE * number for number in range(1, 10)} | {"out": COLUMN},),
        {"same_scale": False},
        "Histograms, each with its standard deviation: "
        + "".join(f"{number} Linear, " for number in range(1, 10))
        + "out (1 of 3 not finite).",
    ),
    "distributions, bounds": (
        plotting.distributions,
        ({"weight": LINE, "bias": COLUMN},),
        {"bounds": {"weight": (-0.1, 1 / 3)}},
        "Histograms, each with its standard deviation: weight, bias (1 of 3 not finite). Dashed "
        "lines mark bounds: weight -0.1 to 0.333.",
    ),
    "by_layer": (
        plotting.by_layer,
        ({"sigmoid": [1e-3, 0.1, 0], "tanh": GRADED[1:]}, "gradient norm"),
        {},
        "Layer by layer, on a logarithmic axis, the gradient norm: sigmoid (1 of 3 not above 0), "
        "tanh.",
    ),
    "logistic_curve": (
        plotting.logistic_curve,
        ({"(0, 0)": torch.tensor([3.0], requires_grad=True), "(-1, -1)": -40},),
        {},
        "Probability of class 1 against the logit: the sigmoid, the threshold 0.5, and points: "
        "(0, 0); (-1, -1).",
    ),
    "softmax_map": (
        plotting.softmax_map,
        (0, 15),
        {},
        "Three maps of the softmax probability of classes 0, 1 and 2, darker where it is larger, "
        "over z0 (x axis) and z1 (y axis) from 0 to 15, with z2 = 7.5; a line where it is 0.5.",
    ),
    "decision_regions": (
        plotting.decision_regions,
        (two_classes, torch.rand(20, 2), ODD, "a", "b"),
        {"marked": {"(0, 0)": (0, 0), "(1, 1)": (1, 1)}},
        "Points of class 0, class 1 over a and b; each place of the plane is shaded by the "
        "probability of class 1. Marked with a star: (0, 0); (1, 1).",
    ),
    "decision_regions, three classes": (
        plotting.decision_regions,
        (nn.Linear(2, 3), torch.rand(20, 2), ODD),
        {"class_names": ["a", "b", "c"]},
        "Points of a, b, c over x₁ and x₂; each place of the plane is in its class's colour.",
    ),
    "kink_lines": (
        plotting.kink_lines,
        (
            KINKED,
            torch.tensor([[0.0, -2.0], [1.0, -1.0], [3.0, -0.5]]),
            [0, 1, 1],
            "after 3 epochs",
        ),
        {},
        "The probability of class 1 over x₁ and x₂ after 3 epochs, with its border at 0.5, the "
        "points, and the line w · x + b = 0 of each of 2 hidden units; dead: unit 2.",
    ),
    "threshold_mistakes": (
        plotting.threshold_mistakes,
        (two_classes, torch.rand(20, 2) + torch.tensor([1.0, 0.0]), ODD, 0.25),
        {},
        "The probability of class 1 over x₁ and x₂, with a border where it is 0.25. Of the points "
        "of class 1, 0 of 10 are missed; of class 0, 10 of 10 are false alarms.",
    ),
    "softmax_bars": (
        plotting.softmax_bars,
        (torch.tensor([2.0, -1.0, 3.0], requires_grad=True),),
        {},
        "Bars of the softmax probabilities of the logits 2, -1, 3 at temperature 1: 0.2654, "
        "0.0132, 0.7214.",
    ),
    "confusion_matrix": (
        plotting.confusion_matrix,
        (torch.arange(9) % 3, torch.arange(9) % 2, ["a", "b", "c"]),
        {},
        "A table of counts, with a row for each true class and a column for each predicted one: "
        "a, b, c.",
    ),
    "images": (
        plotting.images,
        (torch.arange(7 * 16.0).reshape(7, 1, 4, 4),),
        {"titles": ["said 1\ntrue 7", *"bcdefg"]},
        "Grey images of 4 x 4 pixels, 7 in all: said 1, true 7; b; c; d; e; f; g.",
    ),
    "signed_maps": (
        plotting.signed_maps,
        ({"digit": LINE.reshape(4, 5), "its map": GRADED[:6].reshape(2, 3) - 2},),
        {},
        "Maps on one colour scale, blue above 0 and orange below, the largest magnitude 2: digit, "
        "its map.",
    ),
    "signed_maps, many": (
        plotting.signed_maps,
        (torch.linspace(-1, 1, 16 * 9).reshape(16, 3, 3),),
        {},
        "Maps on one colour scale, blue above 0 and orange below, the largest magnitude 1: "
        + ", ".join(map(str, range(16)))
        + ".",
    ),
    "window": (
        plotting.window,
        (torch.arange(64.0).reshape(8, 8) / 16, torch.tensor([[-1.0, 0, 1]] * 3), 1, 2),
        {"name": "left to right"},
        "A window of 3 x 3 pixels at row 1, column 2 of an image, the left to right and the "
        "products: their sum is 0.38. The map is filled up to there.",
    ),
    "outlines": (
        plotting.outlines,
        (torch.zeros(2, 3, 16, 16, dtype=torch.uint8), torch.full((2, 4), 5.0), torch.ones(2, 4)),
        {},
        "Coloured images of 16 x 16 pixels, 2 in all, with the true outlines and predicted "
        "outlines of ellipses.",
    ),
    "feature_maps": (
        diagrams.feature_maps,
        ([(1, 8, 8), (16, 8, 8), (16, 4, 4), (64,), (10,)],),
        {"steps": ["convolve", "pool", "flatten", "dense"]},
        "A convolutional network as stacks of maps, from an image of shape (1, 8, 8): convolve to "
        "(16, 8, 8), pool to (16, 4, 4), flatten to (64,), dense to (10,).",
    ),
    "activation_grid": (
        plotting.activation_grid,
        (LINE, torch.relu(LINE[:, None] - torch.tensor([0.2, 0.5]))),
        {},
        "A row for each of the 2 hidden units, with its activation over x as colour.",
    ),
    "units_and_loss": (
        plotting.units_and_loss,
        (LINE, torch.rand(20, 8), HEAD.weight.new_ones(1, 8), 0.5, [3.0, 2.0, 1.0], 2),
        {"points": (LINE, LINE[:, None]), "ylim": (-1, 9)},
        "Left, what each of 8 units adds after 2 epochs, and the prediction. Right, the loss on a "
        "logarithmic axis against the epoch, with this one marked.",
    ),
    "weighted_sum": (
        plotting.weighted_sum,
        (LINE, torch.rand(20, 8), torch.rand(8)),
        {"part": "triangle"},
        "Curves against x: the 8 triangles, each times its weight, and their sum.",
    ),
    "weighted_sum, with bias and data": (
        plotting.weighted_sum,
        (LINE, torch.rand(20, 3), HEAD.weight, HEAD.bias),
        {"points": (LINE, LINE)},
        "Points of the data, and curves against x: the 3 units, each times its weight, the bias, "
        "and their sum.",
    ),
    "sigmoid_steps": (
        plotting.sigmoid_steps,
        (LINE, LINE[:, None], [0.2, 0.8], torch.tensor([1.0, -2.0]), [9, 20], (-3, 3)),
        {},
        "Points of the data, sigmoid steps over x (at 0.2 of height 1; at 0.8 of height -2), the "
        "bias and their sum, with a mean squared error of 0.7.",
    ),
    "gallery": (
        plotting.gallery,
        (LINE, TEN),
        {},
        "Ten panels over s from 0 to 1, each with an activation function and, dashed, its slope: "
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9.",
    ),
    "response_map": (
        plotting.response_map,
        (torch.tensor([2.0, 1.0], requires_grad=True), torch.tensor(1.0), torch.tanh, "tanh"),
        {},
        "Map of tanh(w · x + b) over x₁ and x₂ for w = [2, 1], b = 1. The line s = 0 runs through "
        "(-0.4, -0.2), where the arrow w starts.",
    ),
    "response_map, flat": (
        plotting.response_map,
        ([0, 0], 1.5, torch.tanh, "tanh"),
        {},
        "Map of tanh(w · x + b) over x₁ and x₂ for w = [0, 0], b = 1.5. There is no line s = 0, "
        "because w = 0.",
    ),
    "activation_and_slope": (
        plotting.activation_and_slope,
        (LINE, GRADED**2, 2 * GRADED, 0.5, "square"),
        {},
        "Two panels over s, square with its tangent and its slope, with a marker at s = 0.5: "
        "activation 0.224, slope 0.947.",
    ),
    "selected_region": (
        plotting.selected_region,
        ((PLANE[:, :1] > 1).float(), [[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0], "2 units"),
        {},
        "Map of the output over x₁ and x₂, 2 units: it is above 0.5 in 25% of the square. The "
        "lines s = 0 of the 2 hidden units are drawn.",
    ),
    "ten_maps": (
        plotting.ten_maps,
        ({letter: torch.relu for letter in "ABCDEFGHIJ"}, [2.0, 1.0], 0.0),
        {},
        "Ten maps of one unit over the plane, on one colour scale: "
        + ", ".join(f"{letter} from 0.00 to 5.97" for letter in "ABCDEFGHIJ")
        + ".",
    ),
    "unit_map": (
        plotting.unit_map,
        (torch.relu, torch.tensor([2.0, 1.0]), 0.0, "Map A"),
        {"reach": 8},
        "Map A of one unit over the plane from -8 to 8: it goes from 0.00 to 23.88.",
    ),
    "node_by_node": (
        plotting.node_by_node,
        ({f"node {n}": PLANE @ torch.tensor([1.0, n]) for n in range(3)}, torch.tanh, "tanh"),
        {"reach": 2},
        "For each of node 0, node 1, node 2: a map of tanh(s) over the plane, and below it the "
        "histogram of s with the curve of tanh over it.",
    ),
    "plane_maps": (
        plotting.plane_maps,
        ({f"{n} units": torch.sigmoid(PLANE[:, :1] * n) for n in range(3)},),
        {},
        "Three maps of the output over the plane, with a line where it is 0.5: 0 units, 1 units, "
        "2 units.",
    ),
    "tensors": (
        diagrams.tensors,
        (),
        {"a": COLUMN, "b": torch.tensor([True, False])},
        "Tensors drawn as grids of numbers: a of shape (3, 1), [1 / nan / -2]; b of shape (2,), "
        "[T F].",
    ),
    "broadcasting": (
        diagrams.broadcasting,
        (),
        {"row": torch.arange(3), "column": torch.tensor([[10], [20]])},
        "Broadcasting: row of shape (3,) and column of shape (2, 1) are each repeated to shape "
        "(2, 3) (the pale cells), then added cell by cell: [10 11 12 / 20 21 22].",
    ),
    "reductions": (
        diagrams.reductions,
        (torch.tensor([[1, 2, 3], [4, 5, -6]]), "a"),
        {},
        "The matrix a of shape (2, 3), [1 2 3 / 4 5 -6], and sums: dim=0 down its columns, "
        "[5 7 -3] of shape (3,); dim=1 along its rows, [6 3] of shape (2,).",
    ),
    "selections": (
        diagrams.selections,
        (torch.arange(6).reshape(2, 3), {"x[0]": 0, "x[:, 1]": (slice(None), 1)}),
        {},
        "One tensor several times, with the cells marked that an index picks: x[0]; x[:, 1].",
    ),
    "network": (
        diagrams.network,
        ([3, 4, 2],),
        {},
        "A network as circles in columns: input of 3, hidden of 4, output of 2. A line, one "
        "weight, joins every circle with every circle of the next column.",
    ),
    "building_block": (
        diagrams.building_block,
        (),
        {"inputs": 8},
        "One unit, from left to right: 8 features, each times its weight; their sum and the bias b "
        "give s; the activation function φ turns s into the unit's activation.",
    ),
    "weight_graph": (
        diagrams.weight_graph,
        ([torch.tensor([[1.0, -2.0, 0.0]]).requires_grad_(), torch.tensor([[0.5], [-0.1]])],),
        {},
        "The 3-1-2 network as circles joined by a line for each weight: thicker for larger ones, "
        "full and blue for positive, dashed and orange for negative ones.",
    ),
    "computation_graph": (
        diagrams.computation_graph,
        (LOSS,),
        {"w": w},
        "The computation graph from left to right: w, multiply, subtract, power, mean. The "
        "gradient runs back along it. Value and gradient: w 1 and -4.",
    ),
    "chain_step": (
        diagrams.chain_step,
        (SMALL, torch.tensor([[1.5]]), 1.0, 14),
        {},
        "The 1-2-1 network after step 14 of 14. Values: x = 1.500, s₁ = 0.850, s₂ = -0.250, h₁ = "
        "0.691, h₂ = -0.245, ŷ = -0.572, L = 2.472. Gradients of the loss: ŷ -3.145, h₁ 1.258, w₃ "
        "-2.173, h₂ -2.516, w₄ 0.770, s₁ 0.657, s₂ -2.365, w₁ 0.986, w₂ -3.547.",
    ),
    "three_roles": (
        diagrams.three_roles,
        (),
        {},
        "Settings go to the training rows, which find the weights, then to the validation rows, "
        "which compare settings; from there back to other settings, many times. The test rows come "
        "once, at the end, and say how good it is.",
    ),
    "curve_gallery": (
        plotting.curve_gallery,
        (dict.fromkeys("ABCDEFG", RUN),),
        {},
        "Training loss and held-out loss on a logarithmic axis against the epoch, a panel for each "
        "of: A, B, C, D, E, F, G.",
    ),
    "optimiser_paths": (
        plotting.optimiser_paths,
        (lambda a, b: (a - 1) ** 2 + 9 * b**2, {"SGD": WALK, "Adam": WALK / 2}, (1, 0)),
        {"xlim": (-3.5, 4.5), "ylim": (-2, 2.5)},  # both directions are nearly full
        "Contours of a loss over two weights, darker blue where it is larger, with paths of 19 "
        "steps, which end at: SGD (0.00, 1.00); Adam (0.00, 0.50).",
    ),
    "errors_by_rate": (
        plotting.errors_by_rate,
        (
            {name: ([0.01, 0.1, 1], torch.rand(3, 8)) for name in ("SGD", "Adam")},
            "images wrong (%)",
        ),
        {"at": 0.1},
        "The images wrong (%) against the learning rate, on a logarithmic axis, the median of the "
        "seeds and their range: SGD, Adam. The rate 0.1 is marked.",
    ),
    "paired_differences": (
        plotting.paired_differences,
        ({"cosine": LINE - 1, "weight decay 0.01": GRADED - 0.5}, "difference (points)"),
        {},
        "A point for each seed and the mean with two standard errors, in a row for each of: "
        "cosine, weight decay 0.01. On the x axis, the difference (points).",
    ),
    "searched_settings": (
        plotting.searched_settings,
        (
            {name: (10 ** (LINE - 3), 10 ** (-4 * LINE), LINE) for name in ("grid", "random")}
            | {"halving": (LINE + 0.01, LINE + 1e-5, COLUMN.repeat(7, 1)[:20, 0])},
            "rate",
            "weight decay",
            "share of mistakes",
        ),
        {},
        "The settings that searches tried, weight decay against rate on logarithmic axes, coloured "
        "by the share of mistakes, the chosen one ringed: grid, random, halving.",
    ),
    "best_of": (
        plotting.best_of,
        (
            [1, 2, 4],
            {"said": torch.tensor([[8, 9], [6, 7.0], [3, 5]]), "true": torch.full((3, 2), 9.04)},
            "images wrong (%)",
        ),
        {},
        "The images wrong (%) of the best of n against n, the mean and the band of the middle "
        "80 %: said from 8.5 to 4.0, true from 9.0 to 9.0.",
    ),
    "training_loop": (
        diagrams.training_loop,
        (),
        {},
        "The training loop: data go into the model, its prediction is compared with y in the loss, "
        "the gradient goes to the optimiser, and new parameters go back into the model.",
    ),
    "decision_path": (
        diagrams.decision_path,
        (),
        {},
        "From a point to its class. Two classes: the network gives one logit, the sigmoid makes it "
        "a probability, a threshold the class. Several: a logit for each class, softmax, argmax.",
    ),
    "data_flow": (
        diagrams.data_flow,
        (["0 Linear", "1 Tanh"], ["(9, 4)", "(9, 3)", "(9, 2)"], ["(3, 9)", "(2, 9)"]),
        {},
        "The shapes that flow forward: 0 Linear turns (9, 4) into (9, 3); 1 Tanh turns (9, 3) into "
        "(9, 2); from that the loss. Backward, the gradient of the loss has the shape of each "
        "output, from the last module to the first: (2, 9) to 1 Tanh, (3, 9) to 0 Linear.",
    ),
    "data_flow, parameters": (
        diagrams.data_flow,
        (["0 Linear", "1 Tanh"], ["(9, 4)", "(9, 3)", "(9, 3)"], 2 * ["(9, 3)"]),
        {"parameters": [["weight (3, 4)", "bias (3,)"], []]},
        "The shapes that flow forward: 0 Linear turns (9, 4) into (9, 3); 1 Tanh turns (9, 3) into "
        "(9, 3); from that the loss. Backward, the gradient of the loss has the shape of each "
        "output, from the last module to the first: (9, 3) to 1 Tanh, (9, 3) to 0 Linear. "
        "Parameters: 0 Linear has weight (3, 4), bias (3,).",
    ),
    "data_flow, forward": (
        diagrams.data_flow,
        (["0 Linear", "1 Tanh"], ["(9, 4)", "(9, 3)", "(9, 2)"]),
        {},
        "The shapes that flow forward: 0 Linear turns (9, 4) into (9, 3); 1 Tanh turns (9, 3) into "
        "(9, 2).",
    ),
    "stacked_bars": (
        plotting.stacked_bars,
        ({"small": {"a": 1, "b": 3}, "large": {"a": 10.5, "b": 0}}, "calls"),
        {"share": True},
        "Bars of calls for small, large, each made of a, b.",
    ),
    "row_order": (
        plotting.row_order,
        (torch.randperm(24, generator=torch.Generator().manual_seed(0)), 8, "shuffled"),
        {},
        "Row in the file against its place in the pass, with borders of chunks: shuffled.",
    ),
    "log_curves": (
        plotting.log_curves,
        (LINE[1:], {"square": LINE[1:] ** 2, "line": GRADED[1:]}, "size", "cost"),
        {},
        "Curves of cost against size, on logarithmic axes: square from 0.00277 to 1, line from "
        "0.0526 to 1.",
    ),
    "ranks": (
        diagrams.ranks,
        (),
        {},
        "Two processes, rank 0 and rank 1: each has its rows, a copy of the model, its gradient; "
        "the mean gradient goes to both, which take the same step.",
    ),
}


def test_every_figure_function_is_tried_here():
    functions = {
        name
        for module in (diagrams, plotting)
        for name, item in vars(module).items()
        if inspect.isfunction(item) and "ax" in inspect.signature(item).parameters
    }
    assert functions == {function.__name__ for function, *_ in CALLS.values()}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_figure_describes_itself_and_can_be_read(call):
    function, arguments, keywords, expected = call
    figure, description = show(function, *arguments, **keywords)
    assert description == expected and re.fullmatch(r"[A-Z].{40,}\.", description)
    width, height = figure.get_size_inches()
    assert width <= 7.2 and height <= 3.4, "a figure and its code fit a slide"
    check_texts(figure)
    check_legends(figure)


def check_texts(figure):
    """Assert that no text in the axes lies on another or outside the figure, which was drawn."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    whole, boxes = figure.bbox.padded(1), []
    for text in [text for ax in figure.axes for text in ax.texts if text.get_text().strip()]:
        box, words = text.get_window_extent(renderer), text.get_text()
        assert whole.contains(box.x0, box.y0), f"{words!r} leaves the figure"
        assert whole.contains(box.x1, box.y1), f"{words!r} leaves the figure"
        for other, another in boxes:
            assert not box.padded(-1).overlaps(another.padded(-1)), f"{words!r} overlaps {other!r}"
        boxes.append((words, box))


def check_legends(figure):
    """Assert that the series of a legend can be told apart without their colours."""
    for legend in figure.legends:
        looks = [look for look in map(look_of, legend.legend_handles) if look]
        assert len(set(looks)) == len(looks), looks


def look_of(handle):
    """Return what a line or a group of points in the legend looks like without its colour."""
    if isinstance(handle, Line2D):
        look = handle.get_marker(), handle.get_linestyle(), handle.get_linewidth()
        look += (str(handle.get_markerfacecolor()) == "none",)
        return None if look[:2] == ("None", "None") else look
    if isinstance(handle, PathCollection):
        return len(handle.get_facecolor()), handle.get_paths()[0].vertices.tobytes()
    return type(handle), handle.get_hatch()


def test_a_figure_is_shown_as_a_picture_with_its_description():
    def shown():
        with patch.object(style, "display") as display:
            assert plotting.column_spread(LINE[:, None], LINE[:, None], ["a"]) is None
        return display.call_args

    (data,), keywords = shown()
    about = keywords["metadata"]["image/png"]
    assert data["text/plain"].startswith("Two panels") and about["alt"] == data["text/plain"]
    assert (about["width"], about["height"]) == (648, 234)
    picture = imread(io.BytesIO(data["image/png"]))
    assert picture.shape == (374, 1036, 4), "sharp on fine screens"
    assert (picture[..., 3] == 1).all(), "the ground is opaque"
    assert picture[..., :3].std() > 0.02, "something is drawn"
    assert plt.get_fignums() == [], "no figure stays open"
    assert shown().args[0] == data, "the same bytes again"


EIGHT = {f"series {number}": LINE + 1 for number in range(8)}
SEVEN = "can tell 7 series apart .* there are 8: draw fewer"


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (plotting.curve_with_tangents, (abs, range(8), range(8), (0, 9)), SEVEN),
        (plotting.finite_difference_error, (LINE, EIGHT), SEVEN),
        (plotting.curves, (LINE, EIGHT), SEVEN),
        (plotting.points_and_lines, (LINE, LINE, dict.fromkeys(EIGHT, (1, 0))), SEVEN),
        (plotting.predictions, (LINE, LINE, EIGHT), SEVEN),
        (plotting.scatter_by_group, (LINE, LINE, torch.arange(20) % 8, list(EIGHT)), SEVEN),
        (plotting.column_spread, (torch.rand(3, 8), torch.rand(3, 8), list(EIGHT)), SEVEN),
        (plotting.residuals, (LINE, LINE, "x", "y", dict.fromkeys(EIGHT, slice(3))), SEVEN),
        (plotting.points_and_curves, ({"data": (LINE, LINE)}, LINE, EIGHT), SEVEN),
        (plotting.points_and_curves, (dict.fromkeys("abc", (LINE, LINE)), LINE, {}), "2 series"),
        (plotting.loss_surface, (LINE, LINE, dict.fromkeys(EIGHT, [(0, 0)])), "5 series"),
        (plotting.loss_curves, (EIGHT,), SEVEN),
        (plotting.error_by_setting, ({1: LINE}, "x", dict.fromkeys(EIGHT, 1)), "6 series"),
        (plotting.seed_bands, ({name: values[None] for name, values in EIGHT.items()},), SEVEN),
        (plotting.by_layer, (EIGHT, "norm"), SEVEN),
        (plotting.logistic_curve, (dict.fromkeys(EIGHT, 1.0),), SEVEN),
        (plotting.decision_regions, (nn.Linear(2, 8), torch.rand(7, 2), range(7)), SEVEN),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_more_series_than_can_be_told_apart_are_refused_in_one_sentence(function, arguments, words):
    with pytest.raises(ValueError, match=words):
        draw(function, *arguments, panels=2 if function is plotting.column_spread else 1)


IMAGES = ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", "Flatten", "Linear"]
LONG = ["(64, 1, 28, 28)", *3 * ["(64, 16, 26, 26)"], "(64, 16, 13, 13)", "(64, 2704)", "(64, 10)"]
SIX = ["0 Linear", "1 Tanh", "2 Linear", "3 Sigmoid", "4 Linear", "5 Sigmoid"]


@pytest.mark.parametrize(
    ("modules", "forward", "backward"),
    [
        ([f"{number} {name}" for number, name in enumerate(IMAGES)], LONG, LONG[1:]),
        (SIX, ["(500, 100)", *6 * ["(500, 200)"]], 6 * ["(500, 200)"]),
        (["Linear"], [(100, 8), (100, 4)], ["(100, 4)"]),
        (["0 Linear", "1 ReLU"], 3 * ["(5, 2)"], ["none", "(5, 2)"]),
        (["LSTM"], ["(5, 2, 2)", "(5, 2, 3), (1, 5, 3), (1, 5, 3)"], ["(5, 2, 3), none, none"]),
    ],
)
def test_the_texts_of_a_data_flow_find_room(modules, forward, backward):
    check_texts(show(diagrams.data_flow, modules, forward, backward)[0])


def test_tensors_are_left_as_they_were():
    values = torch.ones(2, 2, requires_grad=True)
    draw(diagrams.tensors, values=values)
    assert values.requires_grad and values.grad is None and torch.equal(values, torch.ones(2, 2))
