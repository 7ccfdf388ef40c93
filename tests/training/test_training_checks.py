"""Each thing that training refuses, with the words that a student needs, and nothing changed."""

import copy
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from utils.data import split
from utils.training import evaluate, fit, predict

NAN, INFINITE = float("nan"), float("inf")


def column(*values, dtype=None):
    return torch.tensor(values, dtype=dtype).reshape(-1, 1)


X, Y = column(0.0, 1.0, 2.0, 3.0), column(1.0, 3.0, 5.0, 7.0)


def spoiled(tensor, value, row=2):
    tensor = tensor.clone()
    tensor[row] = value
    return tensor


class WithBuffers(nn.Module):
    """A line behind BatchNorm and Dropout: its forward pass changes buffers and draws numbers."""

    def __init__(self, outputs=1):
        super().__init__()
        self.layers = nn.Sequential(nn.BatchNorm1d(1), nn.Dropout(0.5), nn.Linear(1, outputs))

    def forward(self, x):
        return self.layers(x)


class Flat(WithBuffers):
    """The same, but with outputs (n,)."""

    def forward(self, x):
        return super().forward(x).squeeze(1)


class Misspelt(WithBuffers):
    def forward(self, x):
        return self.layer(x)


def run(model=None, data=(X, Y), loss_fn=None, optimizer=None, epochs=2, **settings):
    model = WithBuffers() if model is None else model
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    return fit(model, data, loss_fn or nn.MSELoss(), optimizer, epochs, **settings)


def refused(*phrases, model=None, **settings):
    """Check that `fit` refuses with all these phrases in one sentence, and changes nothing."""
    model = WithBuffers() if model is None else model
    before = None
    if isinstance(model, nn.Module):
        before = copy.deepcopy(model.state_dict())
        modes = [module.training for module in model.modules()]
        gradients = [parameter.grad for parameter in model.parameters()]
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    with pytest.raises(ValueError) as caught:
        run(model=model, **settings)
    message = str(caught.value)
    for phrase in phrases:
        assert phrase in message, message
    assert "\n" not in message and message[-1] in ".)" and len(message) < 400, message
    if before is not None:
        for name, value in model.state_dict().items():
            assert torch.equal(value, before[name]), f"{name} was changed"
        assert [module.training for module in model.modules()] == modes
        assert [parameter.grad for parameter in model.parameters()] == gradients
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    return message


# Data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
def test_values_that_are_not_finite(value):
    refused("inputs", "(4, 1)", "1 in all", "NaN or infinite", "row 2", data=(spoiled(X, value), Y))
    refused("targets", "NaN or infinite", "row 2", "drop or fill", data=(X, spoiled(Y, value)))
    refused("validation", "inputs", "NaN", validation=(spoiled(X, value), Y))
    two = spoiled(spoiled(X, value), value, row=1)
    refused("2 in all, the first in row 1", data=(two, Y))


def test_large_values_are_no_gaps():
    largest = torch.finfo(torch.float32).max
    history = run(nn.Linear(1, 1), data=(spoiled(X, largest), Y))
    assert history.stopped == "not finite"  # the loss overflows, but the data is sound


def test_column_of_outputs_and_row_of_targets():
    refused("(4, 1)", "(4,)", "silently broadcast", "y.reshape(-1, 1)", data=(X, Y.flatten()))
    refused("(4, 1)", "(4,)", "all 4 x 4", data=(X, Y.flatten()), loss_fn=nn.HuberLoss())
    refused("(4,)", "(4, 1)", "silently broadcast", model=Flat())
    refused("broadcast", data=(X, Y.flatten()), loss_fn=lambda a, b: ((a - b) ** 2).mean())
    refused("broadcast", data=(X, Y.flatten().long()), loss_fn=lambda a, b: ((a - b) ** 2).mean())
    refused("(2, 1)", "(2,)", data=(X, Y.flatten()), batch_size=2)
    refused("broadcast", data=DataLoader(TensorDataset(X, Y.flatten()), batch_size=2))


def test_other_shapes_that_an_elementwise_loss_would_broadcast(recwarn):
    for loss_fn in (nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.functional.mse_loss):
        refused("(4, 2)", "(4, 1)", "broadcast", model=WithBuffers(outputs=2), loss_fn=loss_fn)
    assert len(recwarn) == 0


def test_losses_that_want_other_shapes_are_left_alone():
    labels = torch.tensor([0, 1, 0, 1])
    history = run(WithBuffers(outputs=2), data=(X, labels), loss_fn=nn.CrossEntropyLoss())
    assert len(history) == 2
    torch.manual_seed(0)
    likelihood = nn.GaussianNLLLoss()
    history = run(
        nn.Linear(1, 2),
        loss_fn=lambda outputs, y: likelihood(outputs[:, :1], y, outputs[:, 1:].exp()),
        optimizer=None,
    )
    assert len(history) == 2


def test_the_loss_decides_the_rest_with_the_shapes_in_front():
    loss_fn = nn.CrossEntropyLoss()
    outputs, targets = "outputs of shape (4, 2), float32", "targets of shape (4,), float32"
    refused(
        "The loss cannot compare", outputs, targets, model=WithBuffers(2),
        data=(X, Y.flatten()), loss_fn=loss_fn,
    )  # fmt: skip
    labels = torch.tensor([0, 1, 2, 1])
    refused("(4,), int64", "out of bounds", model=WithBuffers(2), data=(X, labels), loss_fn=loss_fn)
    message = refused("(4, 1)", "(4, 2)", data=(X, torch.rand(4, 2)), loss_fn=nn.BCELoss())
    assert "cannot compare" in message


def test_integer_inputs():
    whole = column(0, 1, 2, 3)
    message = refused("inputs are int64", "weights are float32", model=nn.Linear(1, 1),
                      data=(whole, Y))  # fmt: skip
    assert "x.to(torch.float32)" in message
    refused(
        "inputs are float64", "x.to(torch.float32)", model=nn.Linear(1, 1), data=(X.double(), Y)
    )
    embedding = nn.Sequential(nn.Flatten(0), nn.Embedding(4, 1))
    assert len(run(embedding, data=(whole, Y))) == 2  # there they belong


def test_inputs_of_a_shape_that_the_model_does_not_take():
    refused("cannot take inputs of shape (4, 1), float32", "4x1 and 3x1", model=nn.Linear(3, 1))


def test_a_later_batch_that_the_model_does_not_take():
    normed = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    with pytest.raises(ValueError, match=r"inputs of shape \(1, 1\), float32: .*more than 1 value"):
        run(normed, batch_size=3)  # the last batch of 4 samples holds one


def test_empty_data():
    refused("inputs are empty", "(0, 1)", data=(torch.empty(0, 1), torch.empty(0, 1)))
    refused("targets are empty", "(4, 0)", data=(X, torch.empty(4, 0)))


def test_lengths_that_differ():
    refused("(4, 1)", "(3, 1)", "different lengths (4 and 3)", data=(X, Y[:3]))
    refused("validation", "different lengths (4 and 3)", validation=(X, Y[:3]))


def test_what_is_no_tensor():
    array = X.numpy()
    refused("inputs must be a tensor, not of type ndarray", "torch.tensor", data=(array, Y))
    refused("targets must be a tensor, not of type ndarray", data=(X, Y.numpy()))
    refused("pair (inputs, targets)", "holds 3 things", data=(X, Y, Y))
    refused("pair (inputs, targets)", "a tensor of shape (4, 1)", data=X)
    refused("pair (inputs, targets)", "of type int", data=3)
    refused("single number", "shape (n, 1)", data=(torch.tensor(1.0), torch.tensor(1.0)))
    refused("TensorDataset", "one sample at a time", "DataLoader", data=TensorDataset(X, Y))


def test_iterables_that_yield_nothing():
    refused("list yields no batches", data=[])
    emptied = DataLoader(TensorDataset(X, Y), batch_size=8, drop_last=True)
    refused("DataLoader yields no batches", "drop_last=True", "smaller", data=emptied)
    refused("generator yields no batches", data=iter(batch for batch in []), epochs=1)


def test_iterables_that_yield_something_else():
    three = DataLoader(TensorDataset(X, Y, Y), batch_size=2)
    refused("3 things in batch 1", "must yield two: inputs and targets", data=three)
    one = DataLoader(TensorDataset(X), batch_size=2)
    refused("1 thing in batch 1", "must yield two", data=one)
    refused("one thing, (2, 1), float32, in batch 1", data=DataLoader(X, batch_size=2))
    refused("batch 1", "lengths (2 and 1)", data=[(X[:2], Y[:1])])
    refused("batch 1", "NaN", "row 0", data=[(spoiled(X[:2], NAN, row=0), Y[:2])])


def test_a_later_batch_is_named():
    with pytest.raises(ValueError, match="batch 2: the targets .* NaN or infinite"):
        run(data=[(X[:2], Y[:2]), (X[2:], spoiled(Y[2:], NAN, row=0))])


def test_an_iterator_lasts_for_one_epoch():
    refused("generator", "only once", "epochs is 2", "list", data=(pair for pair in [(X, Y)]))
    refused("generator", "only once", validation=(pair for pair in [(X, Y)]))
    assert len(run(data=(pair for pair in [(X, Y)]), epochs=1)) == 1


def test_validation_of_another_kind():
    refused("validation inputs (4, 2)", "training inputs (4, 1)", validation=(torch.rand(4, 2), Y))
    refused("validation targets (4,), float32", validation=(X, Y.flatten()))
    refused("validation inputs (4, 1), float64", validation=(X.double(), Y))


# Model, loss, optimiser -------------------------------------------------------------------------


def test_models_that_cannot_learn():
    some = torch.optim.SGD([column(1.0)], lr=0.1)
    refused("no trainable parameters", "nothing to fit", model=nn.Tanh(), optimizer=some)
    frozen = WithBuffers().requires_grad_(False)
    refused("no trainable parameters", "requires_grad=True", model=frozen, optimizer=some)
    refused("class WithBuffers", "WithBuffers(...)", model=WithBuffers, optimizer=some)
    refused("nn.Module", model=lambda x: x, optimizer=some)


def test_a_model_that_diverged_before():
    model = nn.Linear(1, 1)
    with torch.no_grad():
        model.bias.fill_(NAN)
    with pytest.raises(ValueError, match="parameter bias .* NaN .* diverged: build .* anew"):
        run(model)


def test_a_mistake_in_the_model_itself_keeps_its_own_words():
    model = Misspelt()
    with pytest.raises(AttributeError, match="has no attribute 'layer'"):
        run(model)


def test_an_optimizer_of_another_model():
    other = torch.optim.Adam(WithBuffers().parameters())
    refused("another model", "4 of its 4", "torch.optim.Adam(model.parameters()", optimizer=other)
    model, old_layer = WithBuffers(), nn.Linear(1, 1)
    mixed = torch.optim.SGD([*model.parameters(), *old_layer.parameters()], lr=0.1)
    refused("another model", "2 of its 6", model=model, optimizer=mixed)


def test_an_optimizer_of_a_part_of_the_model_is_fine():
    model = WithBuffers()
    before = model.layers[0].weight.clone()
    run(model, optimizer=torch.optim.SGD(model.layers[2].parameters(), lr=0.1))
    assert torch.equal(model.layers[0].weight, before)


def test_a_loss_with_parameters_of_its_own_is_fine():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, outputs, targets):
            return ((outputs - targets) ** 2).mean() / self.scale + self.scale.log()

    model, loss_fn = nn.Linear(1, 1), Scaled()
    optimizer = torch.optim.SGD([*model.parameters(), *loss_fn.parameters()], lr=0.01)
    run(model, loss_fn=loss_fn, optimizer=optimizer)
    assert loss_fn.scale.item() != 1


def test_what_is_no_plain_optimizer():
    model = WithBuffers()
    refused("torch.optim.SGD(model.parameters(), lr=0.1)", model=model, optimizer=torch.optim.SGD)
    scheduler = torch.optim.lr_scheduler.StepLR(torch.optim.SGD(model.parameters(), lr=1.0), 1)
    refused("scheduler belongs to another optimizer", model=model, scheduler=scheduler)


def test_losses_that_are_not_one_number_with_a_gradient():
    squares = nn.MSELoss(reduction="none")
    refused("loss_fn returned 4 numbers", "(4, 1)", "mean", loss_fn=squares)
    refused("2 numbers", loss_fn=squares, batch_size=2)
    refused("reduction='sum'", "reduction='mean'", loss_fn=nn.MSELoss(reduction="sum"))
    refused("returned a float", ".item()", loss_fn=lambda a, b: ((a - b) ** 2).mean().item())
    refused("no gradient", ".detach()", loss_fn=lambda a, b: ((a.detach() - b) ** 2).mean())
    refused("class MSELoss", "MSELoss()", loss_fn=nn.MSELoss)
    refused("function of (outputs, targets)", loss_fn="mse")
    with torch.no_grad():
        refused("no gradient", "torch.no_grad()")


def test_metrics():
    refused("metrics must be functions by name", metrics=[nn.MSELoss()])
    refused("error is the class L1Loss", metrics={"error": nn.L1Loss})
    refused("'loss' needs another name", metrics={"loss": nn.L1Loss()})
    refused("error returned 4 numbers", metrics={"error": nn.L1Loss(reduction="none")})


def test_a_metric_that_fails_is_not_taken_for_the_loss():
    def broken(outputs, targets):
        raise RuntimeError("the metric itself")

    for settings in ({}, {"validation": (X, Y)}):
        with pytest.raises(RuntimeError, match="^the metric itself"):
            run(metrics={"size": broken}, **settings)
    assert list(run(metrics={"size": nn.L1Loss()}).metrics) == ["size"]


# Settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [0, -1, 2.5, "3", None, True])
def test_epochs(epochs):
    refused("epochs", "whole number of at least 1", f"not {epochs!r}", epochs=epochs)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "3"])
def test_batch_sizes(batch_size):
    refused("batch_size must be a whole number of at least 1", batch_size=batch_size)


def test_batch_size_above_the_number_of_samples():
    refused("batch_size is 5", "only 4 samples", "None", batch_size=5)
    assert run(batch_size=4).steps == 2


def test_numbers_of_numpy_are_numbers():
    assert run(epochs=np.int64(2), batch_size=np.int32(2)).steps == 4


def test_settings_for_pairs_with_an_iterable():
    loader = DataLoader(TensorDataset(X, Y), batch_size=2)
    refused(
        "batch_size is for a pair", "DataLoader(dataset, batch_size=", data=loader, batch_size=2
    )
    refused("drop_last is for a pair", data=loader, drop_last=True)


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_seeds(seed):
    refused("seed must be a whole number of at least 0", seed=seed)


def test_a_seed_that_is_too_large():
    refused("below 2**32", seed=2**32)


def test_patience():
    refused("patience", "no validation data", "validation=(", patience=3)
    refused("patience", "at least 1", patience=0, validation=(X, Y))


# evaluate and predict ---------------------------------------------------------------------------


def test_evaluate_refuses_too():
    model = WithBuffers()
    cases = {
        r"different lengths": ((X, Y[:3]), nn.MSELoss()),
        r"NaN or infinite": ((spoiled(X, NAN), Y), nn.MSELoss()),
        r"broadcast": ((X, Y.flatten()), nn.MSELoss()),
        r"4 numbers": ((X, Y), nn.MSELoss(reduction="none")),
        r"MSELoss\(\)": ((X, Y), nn.MSELoss),
        r"yields no batches": ([], nn.MSELoss()),
        r"cannot take inputs of shape \(4, 2\)": ((torch.rand(4, 2), Y), nn.MSELoss()),
    }
    for phrase, (data, loss_fn) in cases.items():
        with pytest.raises(ValueError, match=phrase):
            evaluate(model, data, loss_fn)
        assert model.training
    with pytest.raises(ValueError, match="batch_size"):
        evaluate(model, (X, Y), nn.MSELoss(), batch_size=0)


def test_predict_refuses_too():
    model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match=re.escape("inputs of shape (4, 2), float32")):
        predict(model, torch.rand(4, 2))
    with pytest.raises(ValueError, match="inputs are int64"):
        predict(model, column(1, 2))
    with pytest.raises(ValueError, match="must be a tensor"):
        predict(model, [1.0, 2.0])
    with pytest.raises(ValueError, match="batch_size"):
        predict(model, X, batch_size=0)
    assert model.training


# What would be wrong without a word, and what once had no helpful one ---------------------------


def test_a_loss_that_reshapes_for_itself_is_no_broadcast():
    squares = nn.MSELoss()
    for loss_fn in (
        lambda outputs, targets: squares(outputs.flatten(), targets),
        lambda outputs, targets: squares(outputs, targets[:, None]),
    ):
        assert len(run(data=(X, Y.flatten()), loss_fn=loss_fn)) == 2
    refused("all 4 x 4", data=(X, Y.flatten()), loss_fn=lambda a, b: torch.where(a > b, a, b).sum())
    one = (X[:1], Y[:1, 0])  # with one sample nothing is lost
    assert len(run(nn.Linear(1, 1), data=one, loss_fn=lambda a, b: ((a - b) ** 2).mean())) == 2


def test_the_parts_of_a_split_and_several_inputs_are_no_batches():
    refused("data must be a pair", "begins with a tuple of two tensors", data=split(X, Y))
    refused("one by one, train first", data=split(X, Y), validation=(X, Y))
    refused("validation must be a pair", "one by one", validation=split(X, Y))
    refused("several inputs", data=((X, X), Y))
    assert run(data=[(X[:2], Y[:2]), (X[2:], Y[2:])]).steps == 4


def test_lists_of_numbers():
    refused("begins with a list of numbers", "torch.tensor(values)", data=([0.0, 1.0], [1.0, 3.0]))
    refused("numbers in batch 1, not tensors", data=[[0.0, 1.0, 2.0], [1.0, 3.0, 5.0]])


def test_a_single_class():
    for loss_fn in (nn.CrossEntropyLoss(), nn.functional.cross_entropy):
        for targets in (torch.zeros(4).long(), Y):
            refused("one logit a sample", "always 0", data=(X, targets), loss_fn=loss_fn)


def test_targets_of_a_later_batch_with_another_number_of_axes():
    with pytest.raises(ValueError, match=r"batch 2: the targets have the shape \(2,\), .* 2 axes"):
        run(data=[(X[:2], Y[:2]), (X[2:], Y[2:, 0])])


class Stream(torch.utils.data.IterableDataset):
    """Samples one after another, of no known number."""

    def __iter__(self):
        return zip(X, Y, strict=True)


def test_a_stream_without_a_length():
    model, twin = nn.Linear(1, 1), nn.Linear(1, 1)
    twin.load_state_dict(model.state_dict())
    run(model, data=DataLoader(Stream(), batch_size=2), validation=DataLoader(Stream(), 4))
    run(twin, data=[(X[:2], Y[:2]), (X[2:], Y[2:])])
    assert torch.equal(model.weight, twin.weight)


def test_a_model_that_returns_several_things():
    lstm = nn.LSTM(1, 1)
    optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="returns a tuple of 2 things .* let forward return"):
        run(lstm, optimizer=optimizer)
    with pytest.raises(ValueError, match="of type tuple, not a tensor"):
        predict(lstm, X)


def test_arguments_in_the_wrong_places():
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="pair .* not a tensor of shape"):
        fit(model, X, Y, nn.MSELoss(), optimizer)
    refused("whole number", "not a value of type SGD", model=model, epochs=optimizer)
    refused("not a value of type list", model=model, optimizer=[optimizer, optimizer])


class Images:
    """Grey images (8, 1, 6, 6) with classes from 0 to 3, and a network that takes them."""

    x, y = torch.rand(8, 1, 6, 6), torch.arange(8) % 4

    @staticmethod
    def refused(*phrases, x=x, y=y):
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 16, 4))
        return refused(*phrases, model=model, data=(x, y), loss_fn=nn.CrossEntropyLoss())


def test_images_of_another_form():
    Images.refused("(n, 1, height, width)", "x[:, None] adds that of the channel", x=Images.x[:, 0])
    Images.refused("channels last", "x.permute(0, 3, 1, 2)", x=Images.x.permute(0, 2, 3, 1))
    Images.refused("(n, 1, height, width)", x=Images.x.flatten(1))
    Images.refused("uint8", "x.to(torch.float32) / 255", x=(Images.x * 255).byte())
    Images.refused("int64", "x.to(torch.float32) / 255", x=(Images.x * 255).long())
    assert "255" not in Images.refused("int64", "x.to(torch.float32)", x=(Images.x * 2).long())
    smaller = "Take a smaller kernel, add padding, or pool less often."
    Images.refused("Kernel size can't be greater", smaller, x=Images.x[..., :2, :2])
    pools = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(4), nn.AvgPool2d(2), nn.Flatten(0))
    refused("Output size is too small", smaller, model=pools, data=(Images.x, Images.y))


def test_classes_that_there_are_not():
    Images.refused("out of bounds", "counted from 0; these go from 1 to 4", y=Images.y + 1)
    allowed = "these go from -2 to 1; 4 outputs allow 0 to 3."
    Images.refused("out of bounds", allowed, y=Images.y - 2)


def test_class_numbers_of_another_form():
    column, one_hot = Images.y[:, None], nn.functional.one_hot(Images.y)
    for y, mend in [
        (Images.y.float(), ".long()"),
        (Images.y.int(), ".long()"),
        (column, ".flatten()"),
        (column.byte(), ".flatten()"),
        (column.float(), ".long().flatten()"),
        (one_hot, ".argmax(dim=1)"),
        (one_hot.bool(), ".long().argmax(dim=1)"),
    ]:
        Images.refused(f"Class numbers are whole, of shape (n,): take y{mend}.", y=y)
    assert "Class numbers" not in Images.refused("cannot compare", y=torch.rand(8, 3))
    with pytest.raises(ValueError, match=r"take y\.long\(\)\.$"):
        evaluate(nn.Linear(1, 2), (X, Y.flatten()), nn.functional.nll_loss)
