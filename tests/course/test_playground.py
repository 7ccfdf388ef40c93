"""The playground: what it trains is what it shows as code, and what it is told it does."""

import base64
import io
import itertools
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from utils import data
from utils.figures.border import BorderFigure
from utils.live import FRAMES, FRAMES_WANTED, WIDGET
from utils.playground import OWN, Panel, Run, Settings, code_of, playground
from utils.training import fit

CORNERS = ((-1.0, -1.0, 0), (-0.9, 0.8, 0), (1.0, -1.0, 0), (0.9, 1.0, 0))
MIDDLE = ((0.1, 0.0, 1), (-0.1, 0.05, 1), (0.0, -0.15, 1), (0.05, 0.1, 1))
MINE = Settings(points=OWN, own=CORNERS + MIDDLE, hidden_layers=1, units=4)
SEVERAL = [
    Settings(),
    Settings(points="circles", hidden_layers=0, batch_size=0),
    Settings(points="blobs", hidden_layers=4, units=16, activation="Sigmoid", batch_size=100),
    Settings(points="moons", activation="LeakyReLU", weight_decay=0.3, seed=3, batch_size=5),
    Settings(points="circles", hidden_layers=1, units=1, activation="ReLU", learning_rate=1.0),
    MINE,
]

CLICKS = itertools.count()


def trained(settings, epochs):
    """Return a run after so many epochs."""
    run = Run(settings)
    for _ in range(epochs):
        run.step()
    return run


def assert_equal_networks(one, other):
    mine, others = one.state_dict(), other.state_dict()
    assert list(mine) == list(others)
    for name, values in mine.items():
        assert torch.equal(values, others[name]), name


@pytest.fixture
def panel():
    return Panel()


def shown(panel):
    """Return the bytes of the picture that a panel shows."""
    return base64.b64decode(re.search(r"base64,([^\"]+)", panel.place.value)[1])


# ------------------------------------------------------------------------- the network and its code
@pytest.mark.parametrize("settings", SEVERAL, ids=lambda each: f"{each.points}-{each.batch_size}")
@pytest.mark.parametrize("epochs", [0, 3])
def test_the_code_as_it_stands_gives_the_same_network(settings, epochs, capsys):
    run, names = trained(settings, epochs), {}
    exec(code_of(settings, epochs), names)
    assert_equal_networks(run.model, names["model"])
    training, held_out = re.findall(r"loss (\S+)", capsys.readouterr().out)
    assert [float(training), float(held_out)] == [losses[-1] for losses in run.losses]


def test_the_code_is_plain_and_says_what_is_set():
    code = code_of(Settings(hidden_layers=2, units=5, activation="ReLU", seed=4), 17)
    layers = "nn.Linear(2, 5), nn.ReLU(),\n    nn.Linear(5, 5), nn.ReLU(),\n    nn.Linear(5, 1),"
    assert layers in code
    assert "for epoch in range(17):" in code and "torch.manual_seed(4)" in code
    imports = re.findall(r"^(?:import|from) .+", code, re.M)
    assert imports == [
        "import torch",
        "from torch import nn",
        "from utils.data import spiral, split",
    ]
    assert all(len(line) <= 100 for line in code.splitlines())


def test_own_points_stand_in_the_code_as_lists():
    many = Settings(points=OWN, own=(CORNERS + MIDDLE) * 5)
    code, names = code_of(many, 0), {}
    exec(code, names)
    assert torch.equal(names["points"], torch.tensor([[x1, x2] for x1, x2, _ in many.own]))
    assert names["labels"].tolist() == [number for _, _, number in many.own]
    assert "[-0.9, 0.8]" in code and max(map(len, code.splitlines())) <= 100


@pytest.mark.parametrize("settings", [Settings(), Settings(points="moons", batch_size=0, seed=2)])
def test_three_steps_are_three_epochs_of_fit(settings):
    run = trained(settings, 3)
    torch.manual_seed(settings.seed)
    model = nn.Sequential(
        *(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03, weight_decay=0)
    size, seed = settings.batch_size or None, settings.seed
    more = {"batch_size": size, "seed": seed, "validation": run.held_out, "progress": False}
    history = fit(model, run.training, nn.BCEWithLogitsLoss(), optimizer, 3, **more)
    assert_equal_networks(run.model, model)
    assert history.validation_loss == pytest.approx(run.losses[1][1:], rel=1e-6)


def test_held_out_points_are_never_trained_on():
    run, other = Run(Settings()), Run(Settings())
    both = torch.cat([run.training[0], run.held_out[0]])
    assert len(run.training[0]) == 210 and len(both.unique(dim=0)) == 300
    other.held_out[0].fill_(99.0)
    other.held_out[1].fill_(0.5)
    for _ in range(2):
        run.step()
        other.step()
    assert_equal_networks(run.model, other.model)
    assert run.losses[0] == other.losses[0] and run.losses[1] != other.losses[1]


def test_losses_are_means_over_the_points_one_more_than_epochs():
    run = trained(Settings(), 2)
    for losses, (x, y) in zip(run.losses, (run.training, run.held_out), strict=True):
        each = nn.BCEWithLogitsLoss(reduction="none")(run.model(x), y)
        assert len(losses) == 3 and losses[-1] == pytest.approx(each.mean().item(), rel=1e-6)


def test_the_notebooks_own_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    trained(Settings(), 1)
    assert torch.equal(torch.rand(2), expected)


def test_the_settings_at_the_start_close_the_border():
    run = trained(Settings(), 100)
    right = ((run.model(run.held_out[0]) > 0) == (run.held_out[1] > 0.5)).double().mean()
    assert right > 0.95 and run.losses[1][-1] < 0.2 < run.losses[1][0]


# -------------------------------------------------------------------------------------- the panel
def test_each_tick_of_a_panel_that_plays_is_one_epoch_and_another_picture(panel):
    before = shown(panel)
    panel.play.value = True
    assert panel.clock.playing and panel.play.description == "Pause"
    for epoch in (1, 2):
        panel.clock.value += 5  # ticks are lost where the machine is slow, epochs never
        assert panel.run.epoch == epoch and f"epoch {epoch} ·" in panel.status.value
        assert shown(panel) != before
        before = shown(panel)
    assert_equal_networks(panel.run.model, trained(Settings(), 2).model)
    panel.play.value = False
    panel.clock.value += 1
    assert panel.run.epoch == 2 and not panel.clock.playing and panel.play.description == "Play"


def press(panel, words):
    """Press the button with these words."""
    parts = [
        part for row in panel.box.children if hasattr(row, "children") for part in row.children
    ]
    [found] = [part for part in parts if getattr(part, "description", "") == words]
    found.click()


def test_one_epoch_and_reset_are_buttons(panel):
    start = shown(panel)
    press(panel, "One epoch")
    press(panel, "One epoch")
    assert panel.run.epoch == 2 and shown(panel) != start
    press(panel, "Reset")
    assert panel.run.epoch == 0 and "epoch 0 ·" in panel.status.value and shown(panel) == start


@pytest.mark.parametrize(
    "name, value",
    [
        ("points", "moons"),
        ("hidden_layers", 0),
        ("units", 1),
        ("activation", "ReLU"),
        ("learning_rate", 0.3),
        ("weight_decay", 0.1),
        ("batch_size", 0),
        ("seed", 7),
    ],
)
def test_another_setting_begins_at_epoch_0_with_it(panel, name, value):
    panel.play.value = True
    panel.clock.value += 1
    panel.controls[name].value = value
    expected = Settings(**{name: value})
    assert panel.run.settings == expected and panel.run.epoch == 0 and not panel.clock.playing
    assert "epoch 0 ·" in panel.status.value
    press(panel, "One epoch")
    assert_equal_networks(panel.run.model, trained(expected, 1).model)


def test_the_code_is_that_of_what_is_shown_and_goes_again(panel):
    assert panel.code.value == ""
    panel.show_code.value = True
    press(panel, "One epoch")
    assert "range(1)" in panel.code.value
    panel.controls["activation"].value = "Sigmoid"
    assert "range(0)" in panel.code.value and "nn.Sigmoid()" in panel.code.value
    panel.show_code.value = False
    assert panel.code.value == ""


def click(panel, x1, x2):
    """Click at a point of the plane, as the page tells it."""
    corner, other = (panel.figure.plane.transData.transform(at) for at in ((x1, x2), (0, 0)))
    width, height = panel.figure.figure.bbox.size
    panel.clicked.value = f"{corner[0] / width},{1 - corner[1] / height},{next(CLICKS)}"


def test_own_points_are_clicked_or_typed_and_trained_on(panel):
    panel.controls["points"].value = OWN
    assert "at least 3 points of each class" in panel.status.value and not panel.run
    for number, points in ((0, CORNERS), (1, MIDDLE)):
        panel.own_class.value = number
        for x1, x2, _ in points:
            click(panel, x1, x2)
    assert panel.own == list(CORNERS + MIDDLE)
    panel.at[0].value, panel.at[1].value = 0.25, -0.5
    press(panel, "Add")
    assert panel.own[-1] == (0.25, -0.5, 1) and panel.run.epoch == 0
    press(panel, "One epoch")
    assert "epoch 1 ·" in panel.status.value
    press(panel, "Undo")
    assert panel.own == list(CORNERS + MIDDLE)
    press(panel, "Clear")
    assert panel.own == [] and "at least 3 points" in panel.status.value


def test_clicks_beside_the_plane_or_on_made_points_add_nothing(panel):
    click(panel, 0.0, 0.0)
    panel.controls["points"].value = OWN
    panel.clicked.value = "0.01,0.5,1000"
    panel.clicked.value = "0.9,0.5,1001"
    assert panel.own == []


@pytest.mark.parametrize("own", [(), CORNERS, CORNERS + MIDDLE[:2]])
def test_too_few_points_are_said_and_nothing_else_happens(panel, own):
    panel.own = list(own)
    panel.controls["points"].value = OWN
    panel.show_code.value = True
    panel.play.value = True
    press(panel, "One epoch")
    assert "at least 3 points of each class" in panel.status.value
    assert not panel.clock.playing and not panel.play.value and panel.code.value == ""
    assert "without a network" in panel.place.value


def test_an_error_is_shown_in_the_panel_and_stops_it(panel):
    panel.play.value = True
    panel.run.step = lambda: {}["no <such> thing"]
    panel.clock.value += 1
    assert "KeyError: &#x27;no &lt;such&gt; thing&#x27;" in panel.status.value
    assert not panel.clock.playing


def test_a_loss_that_is_not_finite_is_said(panel):
    with torch.no_grad():
        panel.run.model[0].weight.fill_(torch.nan)
    press(panel, "One epoch")
    assert "choose a smaller learning rate" in panel.status.value and panel.run.epoch == 0


# -------------------------------------------------------------------------------------- the figure
def ink(picture, color):
    """Return how many pixels of a Picture have about this colour."""
    pixels = np.asarray(Image.open(io.BytesIO(picture.png))).astype(int)
    wanted = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)])
    return int((abs(pixels - wanted).max(axis=2) < 12).sum())


def test_the_figure_draws_points_shade_border_and_losses():
    figure = BorderFigure()
    points, labels = data.circles()
    figure.lay(points.numpy(), labels.numpy(), np.arange(300) >= 210, "circles")
    bare = figure.draw()
    drawn = {key: len(dots.get_xdata()) for key, dots in figure.dots.items()}
    held_out = [int((labels[210:] == number).sum()) for number in (0, 1)]
    assert [drawn[0, True], drawn[1, True]] == held_out
    assert sum(drawn.values()) == 300
    assert ink(bare, "#0072B2") > 500 and ink(bare, "#D55E00") > 500 and ink(bare, "#5FA5CF") < 500
    x1, x2 = figure.grid().T
    inside = 1 / (1 + np.exp(20 * (np.hypot(x1, x2) - 0.75)))
    full = figure.draw(inside, ([0.7, 0.1], [0.7, 0.2]))
    assert ink(full, "#5FA5CF") > 5000 and ink(full, "#EE9A5F") > 3000
    [line] = [path for path in figure.border.get_paths()]
    assert np.hypot(*line.vertices.T) == pytest.approx(0.75, abs=0.01)
    assert [list(curve.get_ydata()) for curve in figure.curves] == [[0.7, 0.1], [0.7, 0.2]]
    assert figure.draw(inside, ([0.7, 0.1], [0.7, 0.2])).png == full.png


def test_the_axes_of_the_losses_make_room():
    figure = BorderFigure()
    points, labels = data.circles()
    figure.lay(points.numpy(), labels.numpy(), np.arange(300) >= 210, "circles")
    figure.draw(None, ([0.7] * 101, [0.7] * 101))
    assert figure.losses.get_xlim() == (0, 100) and figure.losses.get_ylim() == (0.01, 1)
    figure.draw(None, ([3.0] * 102, [0.0004] * 101 + [float("inf")]))
    assert figure.losses.get_xlim() == (0, 200)
    assert figure.losses.get_ylim() == pytest.approx((0.0001, 10))


def test_every_word_of_the_figure_lies_inside_it():
    for settings in (Settings(), Settings(points="moons")):
        figure = BorderFigure()
        Run(settings).draw(figure)
        renderer, width = figure.canvas.get_renderer(), figure.figure.bbox.width
        for ax in figure.figure.axes:
            around = ax.get_tightbbox(renderer)
            assert around.x0 >= 0 and around.y0 >= 0 and around.x1 <= width
            assert around.y1 <= figure.figure.bbox.height
        scale, losses = (ax.get_tightbbox(renderer) for ax in figure.figure.axes[1:])
        assert scale.x1 < losses.x0


# ------------------------------------------------------------------------ where no kernel runs
@pytest.fixture
def displayed(monkeypatch):
    """The bundles that are displayed, with their metadata."""
    shown = []
    monkeypatch.setattr("utils.live.display", lambda *data, **about: shown.append((data, about)))
    return shown


def test_it_shows_a_widget_a_picture_and_a_description(displayed):
    playground()
    [([bundle], about)] = displayed
    assert set(bundle) == {WIDGET, "image/png", "text/plain"}
    assert bundle["text/plain"] == about["metadata"]["image/png"]["alt"]
    assert bundle["text/plain"] == (
        "Points of class 0, class 1 (spiral) in a plane of x₁ and x₂ that is shaded by a network's "
        "probability of class 1, before the first epoch; beside it the training and the held-out "
        "loss against the epoch."
    )


def test_a_film_of_one_run_is_brought_along_where_it_is_wanted(displayed, monkeypatch):
    monkeypatch.setenv(FRAMES_WANTED, "125")
    monkeypatch.setattr("utils.playground.FILM", range(0, 5, 2))
    playground()
    [([bundle], about)] = displayed
    film, size = bundle[FRAMES], about["metadata"]["image/png"]
    assert film["controls"] == [{"name": "epoch", "values": ["0", "2", "4"], "start": 0}]
    assert film["play"] is True
    assert (film["width"], film["height"]) == (size["width"], size["height"])
    alternatives = [frame["alt"] for frame in film["frames"]]
    assert alternatives[0] == bundle["text/plain"] and "after epoch 4;" in alternatives[2]
    pictures = [Image.open(io.BytesIO(base64.b64decode(f["picture"]))) for f in film["frames"]]
    assert [picture.format for picture in pictures] == ["WEBP"] * 3
    assert len({picture.tobytes() for picture in pictures}) == 3
