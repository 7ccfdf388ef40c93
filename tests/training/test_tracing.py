"""`trace` against plain runs, autograd and a closed form; its hooks; what it prints and draws."""

import copy
from collections import namedtuple

import numpy as np
import pytest
import torch
from small_networks import assert_same, awkward_network, sgd
from torch import nn

from utils.figures import style
from utils.tracing import trace

Pair = namedtuple("Pair", ["mean", "spread"])


def inputs(samples=100, features=8, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(samples, features, generator=generator)


def layers(seed=0, activation=nn.Sigmoid):
    """The network of notebook 06."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(8, 4), activation(), nn.Linear(4, 3), activation(), nn.Linear(3, 2)
    )


class Nested(nn.Module):
    """Two inputs, nested modules, a module used twice, and outputs in tuples and dictionaries."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"a": layers(1), "b": layers(2)})
        self.activation = nn.Tanh()
        self.recurrent = nn.LSTM(2, 3, batch_first=True)
        self.head = Head()

    def forward(self, a, b, *, scale):
        a = self.activation(self.encoder["a"](a))
        b = self.activation(self.encoder["b"](b))
        steps, (hidden, cell) = self.recurrent(torch.stack([a, b], dim=1))
        return self.head(steps[:, -1] * scale), cell


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean, self.spread = nn.Linear(3, 1), nn.Linear(3, 1)

    def forward(self, x):
        both = Pair(self.mean(x), self.spread(x).exp())
        return {"both": both, "parts": [x, 7]}


def nested(seed=3):
    torch.manual_seed(seed)
    return Nested()


def loss_of_nested(outputs):
    found, cell = outputs
    mean, spread = found["both"]
    return (mean**2).mean() + spread.log().sum() + (cell**3).mean()


def hooks(model):
    """How many hooks hang on a model and its modules."""
    return sum(
        len(value)
        for module in model.modules()
        for name, value in vars(module).items()
        if "hooks" in name and hasattr(value, "__len__")
    )


# What is recorded -------------------------------------------------------------------------------


def test_inputs_and_outputs_are_those_of_a_plain_run():
    model, x = layers(), inputs()
    with trace(model) as traced:
        model(x)
    values = x
    for name, module in model.named_children():
        assert torch.equal(traced[name].inputs, values)
        values = module(values)
        assert torch.equal(traced[name].outputs, values)
    assert torch.equal(traced["Sequential"].inputs, x)
    assert torch.equal(traced["Sequential"].outputs, values)
    assert [call.name for call in traced] == ["Sequential", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_gradient_is_that_of_autograd(dtype):
    model, x = layers().to(dtype), inputs().to(dtype)
    with trace(model) as traced:
        (model(x) ** 2).mean().backward()
    values, outputs = x, []
    for module in model:
        values = module(values)
        outputs.append(values)
    for name, gradient in enumerate(torch.autograd.grad((values**2).mean(), outputs)):
        assert gradient.dtype == dtype
        assert torch.equal(traced[str(name)].gradients, gradient)


def test_the_last_layer_by_hand():
    """The mean of n squares has the gradient 2 y / n; what comes to the weights follows from it."""
    model, x = layers(), inputs()
    with trace(model) as traced:
        (model(x) ** 2).mean().backward()
    last = traced["4"]
    torch.testing.assert_close(last.gradients, 2 * last.outputs / last.outputs.numel())
    torch.testing.assert_close(model[4].weight.grad, last.gradients.T @ last.inputs)
    torch.testing.assert_close(model[4].bias.grad, last.gradients.sum(dim=0))
    torch.testing.assert_close(traced["3"].gradients, last.gradients @ model[4].weight)


def test_the_first_layer_makes_unit_normals_a_third_as_wide():
    """The variance of weights uniform within 1/sqrt(n) is 1/(3 n); of a sum over n inputs, 1/3."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(100, 200), nn.Tanh(), nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 10)
    )
    generator = torch.Generator().manual_seed(0)
    with trace(model) as traced:
        model(torch.randn(500, 100, generator=generator))
    assert float(traced["0"].outputs.std()) == pytest.approx(0.58, abs=0.01)
    assert "41,310" in traced.table()


def test_copies_stay_when_the_originals_change():
    model, x = nn.Sequential(nn.Linear(8, 2)), inputs()
    with trace(model) as traced:
        outputs = model(x)
        (outputs**2).sum().backward()
    found = traced["0"]
    for tensor in (found.inputs, found.outputs, found.gradients):
        assert not tensor.requires_grad and tensor.grad_fn is None
    x_before, made, gradient = x.clone(), outputs.detach().clone(), 2 * outputs.detach()
    x.zero_(), outputs.data.zero_()
    assert torch.equal(found.inputs, x_before) and torch.equal(found.outputs, made)
    torch.testing.assert_close(found.gradients, gradient)


def test_activations_that_work_in_place():
    """Each layer as if its activation made a new tensor."""
    plain = layers(activation=nn.ReLU)
    in_place = layers(activation=lambda: nn.ReLU(inplace=True))
    found = []
    for model in (plain, in_place):
        with trace(model) as traced:
            (model(inputs()) ** 2).mean().backward()
        found.append(traced)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.outputs, other.outputs)
        assert torch.equal(one.gradients, other.gradients)
    assert (found[1]["0"].outputs < 0).any(), "as they were before the activation"


def test_a_view_changed_in_place_has_no_gradient_and_harms_no_other():
    model = nn.Sequential(nn.Linear(8, 4), nn.Unflatten(1, (2, 2)), nn.ReLU(inplace=True))
    twin = nn.Sequential(model[0], model[1], nn.ReLU())
    with trace(model) as traced:
        (model(inputs()) ** 2).mean().backward()
    with trace(twin) as expected:
        (twin(inputs()) ** 2).mean().backward()
    assert traced["1"].gradients is None
    for name in ("0", "2"):
        assert torch.equal(traced[name].gradients, expected[name].gradients)


def test_nested_modules_several_inputs_and_structured_outputs():
    model, a, b = nested(), inputs(5), inputs(5, seed=2)
    with trace(model) as traced:
        outputs = model(a, b, scale=2.0)
        loss_of_nested(outputs).backward()
    root = traced["Nested"]
    assert [type(value) for value in root.inputs] == [torch.Tensor, torch.Tensor, float]
    assert torch.equal(root.inputs[0], a) and torch.equal(root.inputs[1], b)
    assert isinstance(root.outputs[0]["both"], Pair) and root.outputs[0]["parts"][1] == 7
    steps, (hidden, cell) = traced["recurrent"].outputs
    assert torch.equal(cell, root.outputs[1])
    head = traced["head"].gradients
    mean = traced["head.mean"].outputs
    assert isinstance(head["both"], Pair)
    torch.testing.assert_close(head["both"].mean, 2 * mean / 5)
    torch.testing.assert_close(head["both"].spread, 1 / traced["head"].outputs["both"].spread)
    assert head["parts"][1] is None
    steps_gradient, (hidden_gradient, cell_gradient) = traced["recurrent"].gradients
    assert hidden_gradient is None, "the loss does not depend on it"
    torch.testing.assert_close(cell_gradient, 3 * cell**2 / cell.numel())
    assert steps_gradient.shape == steps.shape


def test_every_gradient_of_the_nested_network_is_that_of_autograd():
    model, a, b = nested(), inputs(5), inputs(5, seed=2)
    kept = {}
    handles = [
        module.register_forward_hook(lambda _, args, made, name=name: kept.setdefault(name, made))
        for name, module in model.named_modules()
        if name.startswith("encoder.") and isinstance(module, nn.Linear)
    ]
    loss = loss_of_nested(model(a, b, scale=2.0))
    expected = dict(zip(kept, torch.autograd.grad(loss, list(kept.values())), strict=True))
    for handle in handles:
        handle.remove()
    with trace(model) as traced:
        loss_of_nested(model(a, b, scale=2.0)).backward()
    assert len(expected) == 6
    for name, gradient in expected.items():
        assert torch.equal(traced[name].gradients, gradient)


def test_a_module_used_twice_lists_its_calls_and_gives_the_last():
    model, a, b = nested(), inputs(5), inputs(5, seed=2)
    with trace(model) as traced:
        loss_of_nested(model(a, b, scale=2.0)).backward()
    first, second = traced.calls_of("activation")
    assert traced["activation"] is second
    assert torch.equal(first.inputs, traced["encoder.a"].outputs)
    assert torch.equal(second.inputs, traced["encoder.b"].outputs)
    assert not torch.equal(first.gradients, second.gradients)
    one = nn.Linear(3, 3)
    shared = nn.Sequential(one, nn.Tanh(), one)
    with trace(shared) as traced:
        shared(torch.ones(1, 3)).sum().backward()
    assert [call.name for call in traced] == ["Sequential", "0", "1", "0"]
    assert torch.equal(traced["0"].gradients, torch.ones(1, 3))


def test_sequences_of_different_lengths():
    model = nn.LSTM(2, 3)
    packed = nn.utils.rnn.pack_sequence([torch.ones(4, 2), torch.ones(2, 2)])
    with trace(model) as traced:
        steps, _ = model(packed)
        steps.data.sum().backward()
    found = traced["LSTM"]
    assert torch.equal(found.inputs.data, packed.data)
    assert torch.equal(found.outputs[0].data, steps.data)
    assert torch.equal(found.gradients[0].data, torch.ones(6, 3))


def test_layers_that_learn_their_shape_in_the_first_pass():
    model = nn.Sequential(nn.LazyLinear(3), nn.ReLU())
    with trace(model) as traced:
        model(inputs()).sum().backward()
    assert traced.table().splitlines()[2].split() == (
        ["0", "Linear", "(100,", "8)", "(100,", "3)", "(100,", "3)", "27"]
    )


def test_frozen_parameters():
    model = layers()
    model[0].requires_grad_(False)
    with trace(model) as traced:
        (model(inputs()) ** 2).mean().backward()
    assert traced["0"].gradients is None and traced["1"].gradients is None
    assert traced["2"].gradients.shape == (100, 3)
    model.requires_grad_(False)
    x = inputs().requires_grad_()
    with trace(model) as traced:
        (model(x) ** 2).mean().backward()
    torch.testing.assert_close(x.grad, traced["0"].gradients @ model[0].weight)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_a_pass_without_gradients_says_so(context):
    model = layers()
    with trace(model) as traced, context():
        model(inputs())
    assert all(call.gradients is None for call in traced)
    assert traced["4"].outputs.shape == (100, 2)
    *rows, last = traced.table().splitlines()
    assert all("  none  " in row for row in rows[1:])
    assert last.startswith("No gradients: the pass ran without them")


def test_backward_outside_the_context_comes_too_late():
    model = layers()
    with trace(model) as traced:
        loss = model(inputs()).sum()
    loss.backward()
    assert traced["4"].gradients is None
    assert "backward() was not called inside the context" in str(traced)


def test_of_several_backward_passes_the_last_counts():
    model = layers()
    with trace(model) as traced:
        outputs = model(inputs())
        outputs.sum().backward(retain_graph=True)
        (5 * outputs).sum().backward()
    assert torch.equal(traced["4"].gradients, torch.full((100, 2), 5.0))


def test_an_error_in_the_middle_keeps_what_came_before_it():
    model = layers()
    model[2] = nn.Linear(5, 3)
    with trace(model) as traced:
        with pytest.raises(RuntimeError):
            model(inputs())
        model[2] = nn.Linear(4, 3)  # not traced, since it is new
        model(inputs())
    first, second = traced.calls_of("Sequential")
    assert first.outputs is None and first.gradients is None and second.outputs.shape == (100, 2)
    assert traced["2"].outputs is None and traced["2"].inputs.shape == (100, 4)
    assert [call.depth for call in traced] == [0, 1, 1, 1, 0, 1, 1, 1, 1]


def test_a_model_on_the_meta_device_has_shapes():
    model = layers().to("meta")
    with trace(model) as traced:
        (model(inputs().to("meta")) ** 2).mean().backward()
    assert traced["2"].outputs.is_meta and traced["2"].gradients.shape == (100, 3)
    assert "(100, 3)" in traced.table()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda():
    model, x = layers().cuda(), inputs().cuda()
    with trace(model) as traced:
        (model(x) ** 2).mean().backward()
    last = traced["4"]
    assert last.outputs.is_cuda and last.gradients.is_cuda
    torch.testing.assert_close(last.gradients, 2 * last.outputs / last.outputs.numel())


# What is left alone -----------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_a_traced_training_is_the_plain_training(training):
    models, losses = [awkward_network().train(training) for _ in range(2)], []
    for model, traced in zip(models, (False, True), strict=True):
        optimizer = sgd(model, momentum=0.9)
        torch.manual_seed(4)  # of Dropout
        for _ in range(3):
            optimizer.zero_grad()
            if traced:
                with trace(model):
                    loss = (model(inputs(features=1)) ** 2).mean()
                    loss.backward()
            else:
                loss = (model(inputs(features=1)) ** 2).mean()
                loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert all(module.training is training for module in model.modules())
    assert_same(*models)
    assert losses[:3] == losses[3:]
    for one, other in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_hooks_are_gone_afterwards(error):
    model = layers()
    own = model[1].register_forward_hook(lambda *_: None)
    with trace(model) as traced:
        assert hooks(model) > 1
    assert hooks(model) == 1
    try:
        with trace(model) as traced:
            outputs = model(inputs())
            if error:
                raise error
    except (ValueError, KeyboardInterrupt):
        assert error
    assert hooks(model) == 1
    calls = len(traced.calls)
    outputs.sum().backward()
    model(inputs()).sum().backward()
    assert len(traced.calls) == calls == 6
    assert all(call.gradients is None for call in traced)
    own.remove()
    assert hooks(model) == 0


def test_no_graph_is_kept_and_the_model_can_be_copied_afterwards():
    model, x = layers(), inputs()
    with trace(model) as traced:
        (model(x) ** 2).mean().backward()
    assert_same(copy.deepcopy(model), model)
    assert traced.handles == []


def test_two_traces_at_once():
    model = layers()
    with trace(model) as outer, trace(model[1]) as inner:
        (model(inputs()) ** 2).mean().backward()
    assert torch.equal(outer["1"].gradients, inner["Sigmoid"].gradients)
    assert len(inner.calls) == 1 and len(outer.calls) == 6


# What is said -----------------------------------------------------------------------------------


def test_the_table():
    model = layers()
    with trace(model) as traced:
        (model(inputs()) ** 2).mean().backward()
    assert str(traced) == traced.table()
    assert traced.table().splitlines() == [
        "module      type        input     output    gradient  parameters",
        "Sequential  Sequential  (100, 8)  (100, 2)  (100, 2)          59",
        "  0         Linear      (100, 8)  (100, 4)  (100, 4)          36",
        "  1         Sigmoid     (100, 4)  (100, 4)  (100, 4)           0",
        "  2         Linear      (100, 4)  (100, 3)  (100, 3)          15",
        "  3         Sigmoid     (100, 3)  (100, 3)  (100, 3)           0",
        "  4         Linear      (100, 3)  (100, 2)  (100, 2)           8",
    ]


def test_the_table_of_nested_modules():
    model = nested()
    with trace(model) as traced:
        loss_of_nested(model(inputs(5), inputs(5), scale=2.0)).backward()
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in traced.table().splitlines()}
    assert traced.table().splitlines()[3].startswith("    encoder.a.0  Linear")
    assert rows["recurrent"] == (
        "LSTM (5, 2, 2) (5, 2, 3), (1, 5, 3), (1, 5, 3) (5, 2, 3), none, (1, 5, 3) 84"
    )
    assert rows["head"] == (
        "Head (5, 3) both (5, 1), (5, 1), parts (5, 3), int "
        "both (5, 1), (5, 1), parts (5, 3), none 8"
    )
    assert rows["Nested"].startswith("Nested (5, 8), (5, 8), float ")


def test_the_verbose_form(capsys):
    model = nn.Sequential(nn.Linear(8, 4), nn.Sequential(nn.ReLU(inplace=True)))
    with trace(model, verbose=True):
        (model(inputs()) ** 2).mean().backward()
    assert capsys.readouterr().out.splitlines() == [
        "IN   Sequential    (100, 8)",
        "IN   0 Linear      (100, 8)",
        "OUT  0 Linear      (100, 4)",
        "IN   1 Sequential  (100, 4)",
        "IN   1.0 ReLU      (100, 4)",
        "OUT  1.0 ReLU      (100, 4)",
        "OUT  1 Sequential  (100, 4)",
        "OUT  Sequential    (100, 4)",
        "GRAD 1.0 ReLU      (100, 4)",
        "GRAD 1 Sequential  (100, 4)",
        "GRAD Sequential    (100, 4)",
        "GRAD 0 Linear      (100, 4)",
    ]


def test_without_verbose_nothing_is_printed(capsys):
    model = layers()
    with trace(model):
        model(inputs()).sum().backward()
    assert capsys.readouterr() == ("", "")


def test_calls_in_short():
    model = layers()
    with trace(model) as traced:
        assert str(traced) == "The trace is empty: call the model inside the context."
        model(inputs())
    assert repr(traced) == "Trace(calls=6)"
    assert repr(traced["0"]) == "0 Linear: (100, 8) -> (100, 4)"
    assert repr(traced["Sequential"]) == "Sequential: (100, 8) -> (100, 2)"
    assert "0" in traced and "5" not in traced


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    model = layers()
    with trace(model) as traced:
        model(inputs())
    with pytest.raises(KeyError, match="No module 0 was called.*are: 'Sequential', '0', '1'"):
        traced[0]


def test_a_part_with_the_name_of_the_class_keeps_it():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.Net = nn.Linear(8, 2)

        def forward(self, x):
            return self.Net(x)

    model = Net()
    with trace(model) as traced:
        model(inputs())
    assert traced["Net"].module is model.Net and traced[""].module is model


@pytest.mark.parametrize(
    ("model", "words"), [(nn.Linear, "is the class Linear"), (inputs, "must be an nn.Module")]
)
def test_what_is_no_model_is_refused(model, words):
    with pytest.raises(ValueError, match=words), trace(model):
        pass


# What is drawn ----------------------------------------------------------------------------------


@pytest.fixture
def alternatives(monkeypatch):
    """The text alternatives of the figures that are shown."""
    seen = []
    monkeypatch.setattr(style, "show_figure", lambda picture, words: seen.append(words))
    return seen


def test_a_chain_of_modules_is_drawn(alternatives):
    model = layers(activation=lambda: nn.ReLU(inplace=True))
    model[0].bias.data[0] = np.nan  # a network that diverged can be drawn as well
    with trace(model) as traced:
        (model(inputs()) ** 2).mean().backward()
    traced.plot()
    (words,) = alternatives
    assert "0 Linear turns (100, 8) into (100, 4); 1 ReLU turns (100, 4)" in words
    assert words.endswith("(100, 3) to 2 Linear, (100, 4) to 1 ReLU, (100, 4) to 0 Linear.")


def test_the_parameters_are_drawn_on_request(alternatives):
    model = layers()
    with trace(model) as traced:
        model(inputs()).sum().backward()
    traced.plot(parameters=True)
    assert alternatives[0].endswith(
        "Parameters: 0 Linear has weight (4, 8), bias (4,); 2 Linear has weight (3, 4), bias (3,); "
        "4 Linear has weight (2, 3), bias (2,)."
    )


def test_forward_alone_is_drawn_without_gradients(alternatives):
    model = layers().to("meta")
    with trace(model) as traced:
        model(inputs().to("meta"))
    traced.plot()
    assert alternatives[0].endswith("4 Linear turns (100, 3) into (100, 2).")


def test_modules_that_are_no_chain_are_not_drawn_as_one(alternatives):
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x):
            return self.two(x + self.one(x))

    model = Around()
    with trace(model) as traced:
        model(inputs())
    with pytest.raises(ValueError, match="two Linear was not given what one Linear returned"):
        traced.plot()
    with trace(model) as traced, pytest.raises(ValueError, match="The trace is empty"):
        traced.plot()
    assert alternatives == []
