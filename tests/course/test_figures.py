"""Every figure function: draws, describes itself, takes any tensor, and leaves nothing behind."""

import inspect
import io
import re
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from torch import nn

from utils import diagrams, plotting
from utils.figures import style

w = torch.tensor(1.0, requires_grad=True)
LOSS = ((w * torch.tensor([1.0, 2.0]) - 3) ** 2).mean()
COLUMN = torch.tensor([[1.0], [torch.nan], [-2.0]])
LINE = torch.linspace(0, 1, 20)
HEAD = nn.Linear(3, 1)
ROOMS = [diagrams, plotting]
# How many axes there are, where there are several.
PANELS = {
    "column_spread": 2,
    "softmax_map": 3,
    "gallery": 10,
    "six_maps": 6,
    "node_by_node": 6,
    "plane_maps": 3,
}
PLANE = plotting.plane(2)
TEN = {f"function {n}": (LINE * n, LINE.clone().requires_grad_() + n) for n in range(10)}
HISTORY = SimpleNamespace(loss=np.array([1.0, 0.3]), validation_loss=np.array([1.0, 0.4]))
SIX = ["0 Linear", "1 Tanh", "2 Linear", "3 Sigmoid", "4 Linear", "5 Sigmoid"]


def two_classes(points):
    """Probability of class 1, (n,), in the place of a trained network."""
    return torch.sigmoid(points[:, 0] - 0.5)


# A call of every figure: name -> (function, arguments, keywords, words in its description).
CALLS = {
    "tensors": (diagrams.tensors, (), {"a": COLUMN, "b": torch.tensor([True, False])}, "nan"),
    "broadcasting": (
        diagrams.broadcasting,
        (),
        {"row": torch.arange(3), "column": torch.tensor([[10], [20]])},
        "[10 11 12 / 20 21 22]",
    ),
    "selections": (
        diagrams.selections,
        (torch.arange(6).reshape(2, 3), {"x[0]": 0, "x[:, 1]": (slice(None), 1)}),
        {},
        "x[0]; x[:, 1]",
    ),
    "network": (diagrams.network, ([3, 4, 2],), {}, "input of 3, hidden of 4, output of 2"),
    "computation_graph": (
        diagrams.computation_graph,
        (LOSS,),
        {"w": w},
        "w, multiply, subtract, power, mean",
    ),
    "scatter_by_group": (
        plotting.scatter_by_group,
        (LINE, LINE**2, torch.arange(20) % 2, ["even", "odd"], "time", "height"),
        {},
        "Points of height against time in groups: even, odd.",
    ),
    "column_spread": (
        plotting.column_spread,
        (torch.rand(9, 2), torch.rand(9, 2), ["a", "b"]),
        {},
        "a, b",
    ),
    "curve_with_tangents": (
        plotting.curve_with_tangents,
        (lambda x: x**2, [1.0], torch.tensor([2.0], requires_grad=True), (-1, 2), "x", "x²"),
        {},
        "2 at 1",
    ),
    "finite_difference_error": (
        plotting.finite_difference_error,
        (LINE[1:], {"float32": LINE[1:], "float64": LINE[1:] ** 2}),
        {},
        "logarithmic axes: float32, float64",
    ),
    "fit_before_after": (
        plotting.fit_before_after,
        (LINE, LINE, LINE[:, None], LINE.clone().requires_grad_()),
        {},
        "the prediction before training",
    ),
    "points_and_lines": (
        plotting.points_and_lines,
        (LINE, LINE**2, {"start": (0, 0), "fit": (torch.tensor(1.0, requires_grad=True), 0.1)}),
        {},
        "straight lines: start, fit",
    ),
    "points_and_lines, error bars": (
        plotting.points_and_lines,
        (LINE, LINE**2, {"weighted": (torch.tensor(1.0, requires_grad=True), 0.1)}),
        {"sigma": LINE + 0.1},
        "with error bars, and straight lines: weighted",
    ),
    "loss_surface": (
        plotting.loss_surface,
        (torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.1, 3.9, 6.2])),
        {"paths": {"path": torch.tensor([[0.0, 0.0], [1.0, 0.5]])}},
        "slope m and intercept c",
    ),
    "loss_curves": (
        plotting.loss_curves,
        ({"a": [1.0, 0.5], "b": HISTORY},),
        {},
        "against the epoch: a; b; b, held out.",
    ),
    "predictions": (
        plotting.predictions,
        (LINE[:, None], LINE**2, {"network": LINE.clone().requires_grad_()}),
        {"known": (0.2, 0.8)},
        "predictions of it, y against x: network. The range that was trained on",
    ),
    "activation_grid": (
        plotting.activation_grid,
        (LINE, torch.relu(LINE[:, None] - torch.tensor([0.2, 0.5]))),
        {},
        "each of the 2 hidden units",
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
        "the 3 units, each times its weight, the bias, and their sum",
    ),
    "error_by_setting": (
        plotting.error_by_setting,
        ({1: torch.rand(4), 2: torch.rand(4)}, "hidden units"),
        {"baseline": {"always the mean": 2.0}},
        "for hidden units 1, 2",
    ),
    "seed_bands": (
        plotting.seed_bands,
        ({f"network {number}": torch.rand(8, 30) + 0.1 for number in range(6)},),
        {},
        "network 0, network 1",
    ),
    "scatter_by_group, mistaken": (
        plotting.scatter_by_group,
        (LINE, LINE**2, torch.arange(20) % 2, ["even", "odd"]),
        {"predicted": torch.arange(20) % 3 % 2},
        "Mistaken points are ringed",
    ),
    "loss_curves, best": (
        plotting.loss_curves,
        (HISTORY,),
        {"best": True},
        "training, held out. The best epoch is marked.",
    ),
    "points_and_curves": (
        plotting.points_and_curves,
        ({"training": (LINE, LINE**2), "validation": (LINE[:5, None], LINE[:5])}, LINE),
        {"curves": {"network": LINE[:, None] ** 3}},
        "Points (training, validation) and curves (network)",
    ),
    "fit_with_residuals": (
        plotting.fit_with_residuals,
        (LINE.flip(0), LINE**2, LINE[:, None].clone().requires_grad_()),
        {},
        "lines between them",
    ),
    "residuals": (
        plotting.residuals,
        (LINE.clone().requires_grad_(), LINE[:, None] ** 2),
        {"groups": {"first": torch.arange(20) < 5, "later": torch.arange(20) >= 5}},
        "first, later",
    ),
    "curves": (
        plotting.curves,
        (LINE, {"log": LINE.log(), "linear": LINE - 1}),
        {},
        "log, linear",
    ),
    "seed_strip": (
        plotting.seed_strip,
        ({"5 units": torch.rand(32), "20 units": torch.rand(32)}, "accuracy"),
        {"baseline": {"the commonest": 0.5}},
        "5 units, 20 units. On the x axis, the accuracy.",
    ),
    "logistic_curve": (
        plotting.logistic_curve,
        ({"(0, 0)": torch.tensor([3.0], requires_grad=True), "(-1, -1)": -40},),
        {},
        "(0, 0); (-1, -1)",
    ),
    "softmax_map": (
        plotting.softmax_map,
        (0, 15),
        {},
        "with y3 = 7.5",
    ),
    "decision_regions": (
        plotting.decision_regions,
        (two_classes, torch.rand(30, 2), torch.arange(30) % 2),
        {"marked": {"(0, 0)": (0, 0)}},
        "shaded by the probability of class 1. Marked with a star: (0, 0).",
    ),
    "confusion_matrix": (
        plotting.confusion_matrix,
        (torch.arange(9) % 3, torch.arange(9) % 2, ["a", "b", "c"]),
        {},
        "a, b, c",
    ),
    "decision_path": (diagrams.decision_path, (), {}, "softmax, argmax"),
    "distributions": (
        plotting.distributions,
        ({"input": COLUMN, "weight": LINE.clone().requires_grad_(), "mask": LINE > 0.5},),
        {},
        "standard deviation: input, weight, mask",
    ),
    "by_layer": (
        plotting.by_layer,
        ({"sigmoid": [1e-3, 0.1, 0], "tanh": LINE[1:].clone().requires_grad_()}, "gradient norm"),
        {},
        "the gradient norm: sigmoid, tanh.",
    ),
    "scanned_rates": (
        plotting.scanned_rates,
        ([1e-3, 1e-2, 1e-1, 1], torch.tensor([1.0, 0.5, 60.0, torch.nan]), 5e-3),
        {},
        "the suggested rate are marked",
    ),
    "data_flow": (
        diagrams.data_flow,
        (SIX, ["(500, 100)", *6 * ["(500, 200)"]], 6 * ["(500, 200)"]),
        {},
        "0 Linear turns (500, 100) into (500, 200); 1 Tanh turns",
    ),
    "weight_graph": (
        diagrams.weight_graph,
        ([torch.tensor([[1.0, -2.0, 0.0]]).requires_grad_(), torch.tensor([[0.5], [-0.1]])],),
        {},
        "The 3-1-2 network",
    ),
    "gallery": (plotting.gallery, (LINE, TEN), {}, "function 0, function 1"),
    "operation_counts": (
        plotting.operation_counts,
        ({"ReLU": (1, 0), "tanh": (5, 1)},),
        {},
        "ReLU 1 and 0, tanh 5 and 1",
    ),
    "response_map": (
        plotting.response_map,
        (torch.tensor([2.0, 1.0], requires_grad=True), torch.tensor(1.0), torch.tanh, "tanh"),
        {},
        "runs through (-0.4, -0.2)",
    ),
    "response_map, flat": (
        plotting.response_map,
        ([0, 0], 1.5, torch.tanh, "tanh"),
        {},
        "no line s = 0",
    ),
    "six_maps": (
        plotting.six_maps,
        (dict.fromkeys("ABCDEF", torch.tanh), [2.0, 1.0], 0.0),
        {},
        "A from -1.00 to 1.00",
    ),
    "node_by_node": (
        plotting.node_by_node,
        ({f"node {n}": PLANE @ torch.tensor([1.0, n]) for n in range(3)}, torch.tanh, "tanh"),
        {"reach": 2},
        "node 0, node 1, node 2",
    ),
    "plane_maps": (
        plotting.plane_maps,
        ({f"{n} units": torch.sigmoid(PLANE[:, :1] * n) for n in range(3)},),
        {},
        "a line where it is 0.5: 0 units, 1 units, 2 units",
    ),
    "building_block": (diagrams.building_block, (), {"inputs": 8}, "8 features"),
    "training_loop": (diagrams.training_loop, (), {}, "new parameters go back"),
}
every_figure = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture
def shown(monkeypatch):
    """What the figure functions display: a list of (data, metadata)."""
    seen = []
    monkeypatch.setattr(style, "display", lambda data, metadata, raw: seen.append((data, metadata)))
    return seen


def test_every_figure_function_is_tried_here():
    functions = {
        name
        for module in ROOMS
        for name, item in vars(module).items()
        if inspect.isfunction(item) and "ax" in inspect.signature(item).parameters
        if list(inspect.signature(item).parameters)[0] != "ax"
        or inspect.signature(item).parameters["ax"].kind is inspect.Parameter.KEYWORD_ONLY
    }
    assert functions == {function.__name__ for function, *_ in CALLS.values()}


@every_figure
def test_shown_it_returns_nothing_and_describes_itself(call, shown):
    function, arguments, keywords, words = call
    assert function(*arguments, **keywords) is None
    ((data, metadata),) = shown
    about = metadata["image/png"]
    assert about["alt"] == data["text/plain"] and words in about["alt"]
    assert re.fullmatch(r"[A-Z].{40,}\.", about["alt"]), "a sentence that stands alone"
    assert about["width"] <= 648 and about["height"] <= 306
    picture = imread(io.BytesIO(data["image/png"]))
    assert picture.shape[1] > 1.5 * about["width"], "sharp on fine screens"
    assert (picture[..., 3] == 1).all(), "the ground is opaque"
    assert picture[..., :3].std() > 0.02, "something is drawn"
    assert plt.get_fignums() == [], "no figure stays open"


@every_figure
def test_twice_it_draws_the_same_bytes(call, shown):
    function, arguments, keywords, _ = call
    function(*arguments, **keywords)
    function(*arguments, **keywords)
    assert shown[0][0]["image/png"] == shown[1][0]["image/png"]


@every_figure
def test_with_ax_it_draws_there_and_returns_it(call, shown):
    function, arguments, keywords, _ = call
    columns = PANELS.get(function.__name__, 1)
    axes = Figure().subplots(1, columns)
    axes = list(axes) if columns > 1 else axes
    assert function(*arguments, ax=axes, **keywords) is axes
    for ax in axes if columns > 1 else [axes]:
        assert ax.has_data() or ax.patches or ax.texts
    assert shown == []


@every_figure
def test_texts_do_not_overlap_and_lie_inside(call):
    function, arguments, keywords, _ = call
    texts = {}

    def look(picture, description):
        with matplotlib.style.context(style.STYLE):
            renderer = FigureCanvasAgg(picture).get_renderer()
            picture.draw(renderer)
            for ax in picture.axes:
                for text in ax.texts:
                    if text.get_text().strip():
                        texts[text] = text.get_window_extent(renderer)
            whole = picture.bbox.padded(1)
            for text, box in texts.items():
                inside = whole.contains(box.x0, box.y0) and whole.contains(box.x1, box.y1)
                assert inside, f"{text.get_text()!r} leaves the figure"
            boxes = list(texts.items())
            for position, (text, box) in enumerate(boxes):
                for other, another in boxes[position + 1 :]:
                    overlap = box.padded(-1).overlaps(another.padded(-1))
                    assert not overlap, f"{text.get_text()!r} overlaps {other.get_text()!r}"

    original = style.show_figure
    style.show_figure = look
    try:
        function(*arguments, **keywords)
    finally:
        style.show_figure = original


def test_a_graph_is_asked_for_where_there_is_none():
    with pytest.raises(ValueError, match="no grad_fn"):
        diagrams.computation_graph(torch.tensor(1.0))


EIGHT = {f"series {number}": LINE + 1 for number in range(8)}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (plotting.curves, (LINE, EIGHT)),
        (plotting.points_and_lines, (LINE, LINE, dict.fromkeys(EIGHT, (1, 0)))),
        (plotting.predictions, (LINE, LINE, EIGHT)),
        (plotting.scatter_by_group, (LINE, LINE, torch.arange(20) % 8, list(EIGHT))),
        (plotting.residuals, (LINE, LINE)),
        (plotting.points_and_curves, ({"data": (LINE, LINE)}, LINE, EIGHT)),
        (plotting.loss_curves, (EIGHT,)),
        (plotting.seed_bands, ({name: values[None] for name, values in EIGHT.items()},)),
        (plotting.by_layer, (EIGHT, "norm")),
        (plotting.logistic_curve, (dict.fromkeys(EIGHT, 1.0),)),
        (plotting.decision_regions, (nn.Linear(2, 8), torch.rand(9, 2), torch.arange(9) % 8)),
        (plotting.column_spread, (torch.rand(3, 8), torch.rand(3, 8), list(EIGHT))),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_more_series_than_can_be_told_apart_are_refused_in_one_sentence(function, arguments):
    more = {"groups": dict.fromkeys(EIGHT, slice(3))} if function is plotting.residuals else {}
    with pytest.raises(ValueError, match="can tell 7 series apart .* there are 8: draw fewer"):
        function(*arguments, **more)


def test_a_scan_without_a_suggestion_is_drawn_and_says_so(shown):
    for losses in ([1.0, 2.0], [torch.nan]):
        plotting.scanned_rates([1e-3, 1e-2][: len(losses)], losses)
    assert all("No rate is suggested" in data["text/plain"] for data, _ in shown)


def test_as_many_distributions_as_fit_in_a_figure(shown):
    odd = {"nothing": LINE[:0], "one": LINE[:1], "gaps": LINE[:3] * torch.nan}
    even = {f"{number} Linear": LINE for number in range(7)}
    plotting.distributions(odd | even, same_scale=False)
    (_, metadata), *_ = shown
    assert metadata["image/png"]["height"] <= 306
    for values in ({}, odd | even | {"more": LINE}):
        with pytest.raises(ValueError, match="room for 1 to 10 tensors"):
            plotting.distributions(values)


IMAGES = ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", "Flatten", "Linear"]
LONG = ["(64, 1, 28, 28)", *3 * ["(64, 16, 26, 26)"], "(64, 16, 13, 13)", "(64, 2704)", "(64, 10)"]


@pytest.mark.parametrize(
    ("modules", "forward", "backward"),
    [
        ([f"{number} {name}" for number, name in enumerate(IMAGES)], LONG, LONG[1:]),
        (["Linear"], [(100, 8), (100, 4)], ["(100, 4)"]),
        (["0 Linear", "1 ReLU"], 3 * ["(5, 2)"], ["none", "(5, 2)"]),
        (["LSTM"], ["(5, 2, 2)", "(5, 2, 3), (1, 5, 3), (1, 5, 3)"], ["(5, 2, 3), none, none"]),
    ],
)
def test_the_data_flow_of_other_shapes(modules, forward, backward):
    call = (diagrams.data_flow, (modules, forward, backward), {}, "")
    test_texts_do_not_overlap_and_lie_inside(call)


def test_the_data_flow_without_gradients_is_the_forward_row_alone(shown):
    diagrams.data_flow(SIX, 7 * [(5, 2)], 6 * ["none"])
    diagrams.data_flow(SIX, 7 * [(5, 2)])
    assert shown[0] == shown[1]
    assert "gradient" not in shown[0][0]["text/plain"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((SIX, 6 * ["(5, 2)"]), "6 modules need 7 shapes forward.*there are 6 and 0"),
        ((SIX, 7 * ["(5, 2)"], ["(5, 2)"]), "there are 7 and 1"),
        (([], ["(5, 2)"]), "0 modules need"),
        ((3 * SIX, 19 * ["(5, 2)"]), "these 18 modules is too long for a page: draw fewer"),
    ],
)
def test_a_data_flow_that_cannot_be_drawn(arguments, words):
    with pytest.raises(ValueError, match=words):
        diagrams.data_flow(*arguments)


def test_a_model_and_its_tensors_are_left_as_they_were(shown):
    values = torch.ones(2, 2, requires_grad=True)
    diagrams.tensors(values=values)
    assert values.requires_grad and values.grad is None and torch.equal(values, torch.ones(2, 2))


def test_weights_that_do_not_follow_each_other_are_refused():
    with pytest.raises(ValueError, match="gives 2 numbers and the next takes 3"):
        diagrams.weight_graph([torch.ones(2, 3), torch.ones(2, 3)])
