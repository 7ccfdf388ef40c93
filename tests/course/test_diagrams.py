"""What the schematics draw: numbers, names, arrows and lines, each at its place."""

import pytest
import torch
from drawn import arrows_of, draw, fill_at, places_of, rows_of
from matplotlib.colors import to_hex
from matplotlib.patches import Circle

from utils import diagrams

BLUE, ORANGE, MARK = "#0072b2", "#d55e00", "#f0c000"
NAN = float("nan")


# ------------------------------------------------------------------------------------------ grids
def test_a_tensor_is_a_grid_of_its_numbers_under_its_name_and_shape():
    a, b = torch.tensor([[1.0, -2.0], [0.125, NAN]]), torch.tensor([True, False])
    ax = draw(diagrams.tensors, a=a, b=b)
    assert rows_of(ax) == [
        ["a", "b"],
        ["(2, 2)", "(2,)"],
        ["1", "-2", "T", "F"],
        ["0.12", "nan"],
    ]
    places = places_of(ax)
    colors = {text: fill_at(ax, *place) for text, place in places.items() if place[1] < 0}
    assert colors["-2"] == ORANGE and colors["nan"] == "#cccccc" and colors["F"] == "#fefeff"
    red, _, blue = (int(colors["1"][start : start + 2], 16) for start in (1, 3, 5))
    assert red < blue < 255, "half as large as the largest: half blue"
    assert places["a"][0] == pytest.approx((places["1"][0] + places["-2"][0]) / 2)


def test_numbers_have_at_most_two_decimals_and_no_minus_zero():
    ax = draw(diagrams.tensors, x=torch.tensor([2.5, -0.0, -0.001, 10.0, 100.25]))
    assert rows_of(ax)[2] == ["2.5", "0", "0", "10", "100.25"]


def test_broadcasting_repeats_both_to_the_common_shape_and_adds():
    ax = draw(diagrams.broadcasting, row=torch.arange(3), column=torch.tensor([[10], [20]]))
    assert rows_of(ax) == [
        ["row", "column", "row + column"],
        ["(3,)", "(2, 1)", "(2, 3)"],
        [*"012", *["10"] * 3, "10", "11", "12"],
        ["+", "="],
        [*"012", *["20"] * 3, "20", "21", "22"],
    ]
    cells = [patch for patch in ax.patches if patch.get_fill()]
    pale = [[cell.get_alpha() < 1 for cell in cells[start : start + 6]] for start in (0, 6, 12)]
    assert pale[0] == [False] * 3 + [True] * 3, "the second row of the row is a copy"
    assert pale[1] == [False, True, True] * 2 and not any(pale[2])


def test_three_axes_are_a_row_of_grids_under_one_name():
    ax = draw(diagrams.tensors, x=torch.arange(6).reshape(2, 1, 3), y=torch.tensor(7))
    assert rows_of(ax) == [["x", "y"], ["(2, 1, 3)", "()"], [*"0123457"]]
    places = places_of(ax)
    assert places["x"][0] == pytest.approx((places["2"][0] + places["3"][0]) / 2)
    assert places["3"][0] - places["2"][0] > places["2"][0] - places["1"][0], "a gap"


def test_broadcasting_subtracts_where_it_is_asked_to():
    ax = draw(diagrams.broadcasting, "-", y=torch.tensor([[3], [4]]), t=torch.tensor([1, 2]))
    assert rows_of(ax) == [
        ["y", "t", "y - t"],
        ["(2, 1)", "(2,)", "(2, 2)"],
        [*"331221"],
        ["-", "="],
        [*"441232"],
    ]


def test_reductions_stand_where_their_arrows_end():
    ax = draw(diagrams.reductions, torch.tensor([[1, 2, 3], [10, 20, 30]]), "a")
    assert rows_of(ax) == [
        ["a"],
        ["(2, 3)"],
        [*"123", "6"],
        ["a.sum(dim=1)   (2,)"],
        ["10", "20", "30", "60"],
        ["11", "22", "33", "a.sum(dim=0)   (3,)"],
    ]
    places, arrows = places_of(ax), arrows_of(ax)
    for number, ((x, _), (_, end)) in zip(("11", "22", "33"), arrows[:3], strict=True):
        assert x == pytest.approx(places[number][0]) and end > places[number][1]
    for number, ((_, y), (end, _)) in zip(("6", "60"), arrows[3:], strict=True):
        assert y == pytest.approx(places[number][1], abs=0.1) and end < places[number][0]


def test_the_cells_that_an_index_picks_are_marked():
    chosen = {"x[0]": 0, "x[:, 1]": (slice(None), 1)}
    ax = draw(diagrams.selections, torch.arange(6).reshape(2, 3), chosen)
    assert rows_of(ax) == [[*chosen], ["(3,)", "(2,)"], [*"012012"], [*"345345"]]
    cells = [patch for patch in ax.patches if patch.get_fill()]
    marked = [to_hex(cell.get_facecolor()) == MARK for cell in cells]
    assert marked == [True] * 3 + [False] * 3 + [False, True, False] * 2


# --------------------------------------------------------------------------------------- networks
def circles_of(ax):
    """Return the centres of the circles, column by column, each from the top."""
    centers = [patch.get_center() for patch in ax.patches if isinstance(patch, Circle)]
    rows = {x: [c for c in centers if c[0] == x] for x in sorted({x for x, _ in centers})}
    return [sorted(column, key=lambda center: -center[1]) for column in rows.values()]


def ends_of(ax):
    """Return the ends of each line: {(start, end): line}."""
    return {tuple(map(tuple, line.get_xydata().tolist())): line for line in ax.lines}


def test_every_unit_is_joined_with_every_unit_of_the_next_layer():
    names = [["a", "b"], ["c", "d", "e"], ["f"]]
    edges = [{(0, 2): "w"}, {(1, 0): "v"}]
    ax = draw(diagrams.network, [2, 3, 1], None, names, edges)
    circles, places = circles_of(ax), places_of(ax)
    texts = [[places[name] for name in layer] for layer in names]
    assert texts == circles, "the first unit on top"
    joined = {(one, other) for k in (0, 1) for one in circles[k] for other in circles[k + 1]}
    assert set(ends_of(ax)) == joined and len(ax.lines) == 9
    for name, start, end in [("w", "a", "e"), ("v", "d", "f")]:
        (x, y), (x0, y0), (x1, y1) = places[name], places[start], places[end]
        share = (x - x0) / (x1 - x0)
        assert 0 < share < 1 and y == pytest.approx(y0 + share * (y1 - y0)), "on its line"
    captions = ["input\n2 features", "hidden\n3 units", "output\n1 unit"]
    assert [places[caption][0] for caption in captions] == [column[0][0] for column in circles]
    ax = draw(diagrams.network, [1, 1], ["in", "out"])
    assert rows_of(ax)[-1] == ["in\n1 feature", "out\n1 unit"]


def test_a_unit_multiplies_sums_adds_the_bias_and_activates():
    ax = draw(diagrams.building_block, inputs=3)
    places = places_of(ax)
    features = [places[f"x{digit}"] for digit in "₁₂₃"]
    assert set(ends_of(ax)) == {(feature, places["Σ"]) for feature in features}
    assert features == sorted(features, key=lambda place: -place[1]) and len(features) == 3
    for digit, (_, y0) in zip("₁₂₃", features, strict=True):
        x, y = places[f"w{digit}"]
        assert y == pytest.approx(y0 * (1 - x / places["Σ"][0])), "a weight stands on its line"
    bias, to_unit, to_end = arrows_of(ax)
    assert bias[0][0] == bias[1][0] == places["b"][0] and bias[0][1] < bias[1][1] < 0
    stations = [places["Σ"], *to_unit, places["φ"], *to_end]
    assert stations == sorted(stations), "from the sum through φ to the right"
    captions = ["features", "weights", "sum and bias", "activation function", "activation"]
    assert captions in rows_of(ax)
    under = {"features": "x₁", "sum and bias": "Σ", "activation function": "φ"}
    assert [places[caption][0] for caption in under] == [places[text][0] for text in under.values()]
    assert {"s = x · w + b", " φ(x · w + b)"} < set(places)


def test_a_line_is_as_thick_as_its_weight_and_shows_its_sign():
    weights = [[[1.0, -2.0], [0.5, 0.0], [-0.1, 0.2]], [[-1.0, 1.5, 0.3]]]
    ax = draw(diagrams.weight_graph, [torch.tensor(layer).requires_grad_() for layer in weights])
    circles, lines = circles_of(ax), ends_of(ax)
    for layer, starts, ends in zip(weights, circles, circles[1:], strict=False):
        for row, end in zip(layer, ends, strict=True):
            for weight, start in zip(row, starts, strict=True):
                line = lines.pop((start, end))
                assert line.get_linewidth() == pytest.approx(0.3 + 4.2 * abs(weight) / 2)
                assert to_hex(line.get_color()) == (ORANGE if weight < 0 else BLUE)
                assert line.is_dashed() == (weight < 0)
    assert not lines and rows_of(ax) == [["input, 2", "hidden, 3", "output, 1"]]
    positive, negative = ax.get_legend().get_lines()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["positive", "negative"]
    assert not positive.is_dashed() and negative.is_dashed()
    assert draw(diagrams.weight_graph, [torch.zeros(1, 1)]), "no division by 0"


def test_weights_that_do_not_follow_each_other_are_refused():
    with pytest.raises(ValueError, match="gives 2 numbers and the next takes 3"):
        draw(diagrams.weight_graph, [torch.ones(2, 3), torch.ones(2, 3)])


# ----------------------------------------------------------------------------------------- graphs
def test_the_graph_runs_from_the_leaves_to_the_loss():
    w = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(2.0, requires_grad=True)
    ax = draw(diagrams.computation_graph, (w * 3 - b).exp(), w=w)
    places = places_of(ax)
    chain = ["multiply", "subtract", "exp", "loss"]
    rights = [0, *(places[name][0] for name in chain)]
    assert rights == sorted(rights) and len(set(rights)) == 5
    assert places["w"][0] == places["leaf"][0] == 0 and places["w"][1] > places["leaf"][1]
    *forward, gradient = arrows_of(ax)
    expected = []
    for one, other in ("w", chain[0]), chain[:2], ("leaf", chain[1]), chain[1:3]:
        (x0, y0), (x1, y1) = places[one], places[other]
        expected.append(((x0 + 0.78, y0), (x1 - 0.78, y1)))
    assert sorted(forward) == sorted(expected)
    assert gradient[0][0] > rights[3] > 0 > gradient[1][0], "the gradient runs back"
    assert gradient[0][1] < min(places[name][1] for name in ("w", "leaf", *chain))


def test_named_tensors_of_a_graph_have_their_value_and_gradient_below_them():
    w = torch.tensor(1.0, requires_grad=True)
    product = w * 2
    error = product - 4
    loss = error**2
    named = {"w": w, "product": product, "error": error, "loss": loss}
    ax = draw(diagrams.computation_graph, loss, **named)
    assert [row for row in rows_of(ax) if row[0].startswith(("value ", "gradient -"))] == [
        ["value 1", "value 2", "value -2", "value 4"],
        ["gradient -8", "gradient -4", "gradient -4", "gradient 1"],
    ]
    places = places_of(ax)
    for name, box in ("product", "multiply"), ("error", "subtract"):
        assert places[name][0] == places[box][0] and places[name][1] > places[box][1]
    assert w.grad is None, "drawing leaves nothing behind"
    loss.backward()
    assert w.grad == -8, "and the graph can still be used"


def test_a_graph_is_asked_for_where_there_is_none():
    with pytest.raises(ValueError, match="no grad_fn"):
        draw(diagrams.computation_graph, torch.tensor(1.0))


def test_the_training_loop_goes_round():
    ax = draw(diagrams.training_loop)
    places = places_of(ax)
    names = ["data", "model", "prediction", "loss"]
    assert [[text for text in row if text in names] for row in rows_of(ax)][1] == names
    assert places["optimiser"][1] < places["model"][1]
    *forward, down, up = arrows_of(ax)
    for (start, end), one, other in zip(forward, names, names[1:], strict=False):
        assert places[one][0] < start[0] < end[0] < places[other][0]
    assert len(forward) == 3 and down[0][0] == places["loss"][0] and up[1][0] == places["model"][0]
    assert down[1][1] == up[0][1] == places["optimiser"][1]
    assert down[1][0] > places["optimiser"][0] > up[0][0], "in on the right, out on the left"
    assert abs(places["gradient"][0] - places["loss"][0]) < 1 and "new parameters" in places


def test_the_ways_from_a_point_to_its_class():
    ax = draw(diagrams.decision_path)
    assert rows_of(ax) == [
        ["two classes: one logit"],
        ["network", "sigmoid", "threshold"],
        ["point", "logit", "probability", "class"],
        ["c classes: c logits"],
        ["network", "softmax", "argmax"],
        ["point", "logits", "probabilities", "class"],
        ["its features", "any number", "between 0 and 1", "0, 1, 2, ..."],
    ]
    assert len(arrows_of(ax)) == 6 and all(start[0] < end[0] for start, end in arrows_of(ax))


# ------------------------------------------------------------------------------------------- flow
FORWARD, BACKWARD = ["(5, 4)", "(5, 3)", "(5, 2)"], ["(5, 3)", "(5, 2)"]


def test_shapes_flow_forward_through_the_modules_and_gradients_back():
    ax = draw(diagrams.data_flow, ["Linear", "ReLU"], FORWARD, ["(3, 5)", "(2, 5)"])
    assert rows_of(ax) == [
        ["values, forward"],
        FORWARD,
        ["Linear", "ReLU"],
        ["loss"],
        ["Linear", "ReLU"],
        ["(3, 5)", "(2, 5)"],
        ["gradients of the loss, backward"],
    ]
    arrows, places = arrows_of(ax), places_of(ax)
    forward = [(start, end) for start, end in arrows if start[1] == 0]
    backward = [(start, end) for start, end in arrows if start[1] < 0]
    assert len(forward) == 3 and all(start[0] < end[0] for start, end in forward)
    assert len(backward) == 2 and all(start[0] > end[0] for start, end in backward)
    for shape, (start, end) in zip(FORWARD, forward, strict=True):
        assert start[0] < places[shape][0] < end[0], "a shape stands over its arrow"
    for shape, (start, end) in zip(["(3, 5)", "(2, 5)"], backward, strict=True):
        assert end[0] < places[shape][0] < start[0]
    outputs = [(end[0], start[0]) for start, end in forward[1:]]
    assert [(start[0], end[0]) for start, end in backward] == outputs, "one below the other"


def test_a_gradient_that_is_missing_has_no_arrow():
    ax = draw(diagrams.data_flow, ["Linear", "ReLU"], FORWARD, ["none", "(5, 2)"])
    backward = [start for start, end in arrows_of(ax) if start[0] > end[0]]
    assert len(backward) == 1 and "none" in places_of(ax)


def test_without_gradients_the_forward_row_stands_alone():
    for backward in (None, ["none", "none"]):
        ax = draw(diagrams.data_flow, ["Linear", "ReLU"], [(5, 4), (5, 3), (5, 2)], backward)
        assert rows_of(ax) == [["values, forward"], FORWARD, ["Linear", "ReLU"]]


def test_parameters_stand_between_the_rows_and_their_gradients_come_to_them():
    parameters = [["weight (3, 4)", "bias (3,)"], []]
    ax = draw(diagrams.data_flow, ["Linear", "ReLU"], FORWARD, BACKWARD, parameters)
    across, height = places_of(ax)["weight (3, 4)\nbias (3,)"]
    rows = places_of(ax)["loss"][1]
    assert height == pytest.approx(rows), "in the middle between the rows"
    upright = [(start, end) for start, end in arrows_of(ax) if start[0] == end[0]]
    assert len(upright) == 2 and {start[0] for start, _ in upright} == {across}
    (_, end), (start, _) = sorted(upright, reverse=True)
    assert end[1] > height > start[1], "up into the module, and up from the backward row"
    assert all(start[1] < end[1] for start, end in upright)


def test_without_gradients_only_the_arrow_into_the_module_remains():
    ax = draw(diagrams.data_flow, ["Linear"], FORWARD[:2], None, [["weight (3, 4)"]])
    assert len([start for start, end in arrows_of(ax) if start[0] == end[0]]) == 1


@pytest.mark.parametrize("steps", [[], ["convolve"], ["convolve", "pool", "flatten"]])
def test_feature_maps_need_a_step_from_each_shape_to_the_next(steps):
    words = f"There are 3 shapes and {len(steps)} steps: .* leads one step, 2 in all"
    with pytest.raises(ValueError, match=words):
        draw(diagrams.feature_maps, [(1, 8, 8), (4, 6, 6), (4, 3, 3)], steps)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a"] * 6, 6 * ["(5, 2)"]), "6 modules need 7 shapes forward.*there are 6 and 0"),
        ((["a"] * 6, 7 * ["(5, 2)"], ["(5, 2)"]), "there are 7 and 1"),
        (([], ["(5, 2)"]), "0 modules need"),
        ((["Linear"] * 9, 10 * ["(5, 2)"]), "these 9 modules is too long for a page: draw fewer"),
    ],
)
def test_a_data_flow_that_cannot_be_drawn(arguments, words):
    with pytest.raises(ValueError, match=words):
        draw(diagrams.data_flow, *arguments)
