"""The playground: a panel in which a small network learns two classes, as you set it.

What it runs is what it shows as code: the loop of the notebooks, once through the data an epoch.
"""

import functools
import html
import textwrap
from dataclasses import asdict, dataclass

import ipywidgets
import numpy as np
import torch
from torch import nn

from utils import data
from utils.datasets.synthetic import tensor
from utils.figures.border import BorderFigure
from utils.fitting.batches import Batches
from utils.fitting.measuring import Means
from utils.fitting.states import random_states_kept
from utils.fitting.stops import NotFiniteError
from utils.live import FITS, KERNEL_GONE, frames_of, page_of, said, show_live, small_frame
from utils.training import train_epoch

OWN = "your own"
MADE = {  # name -> function of `utils.data` and its arguments
    "circles": ("circles", {"n_samples": 300, "factor": 0.5, "noise": 0.1}),
    "blobs": (
        "blobs",
        {"n_samples": 300, "centers": [(-0.5, -0.4), (0.5, 0.4)], "std": 0.4, "seed": 0},
    ),
    "moons": ("moons", {"n_samples": 300, "noise": 0.1}),
    "spiral": ("spiral", {"n_samples": 300, "turns": 1.0, "noise": 0.05}),
}
FRACTIONS = (0.7, 0.3)  # of the points: trained on, held out
FEWEST = 3  # points of each class, for a network to be trained

FILM = range(0, 121, 3)  # epochs whose pictures stand in for the panel where no kernel runs
DOTS = 144  # dots per inch of the picture that is published
INTERVAL_OF_STEPS = 80  # milliseconds from epoch to epoch while it plays

# A click tells the hidden field where it was; the time makes each click differ from the last.
TELL_CLICK = """style="max-width: 100%; height: auto; cursor: crosshair" onclick="
const box = this.getBoundingClientRect(), at = event,
  field = this.closest('.live').querySelector('.clicked input');
field.value = [(at.clientX - box.left) / box.width, (at.clientY - box.top) / box.height,
  at.timeStamp];
field.dispatchEvent(new Event('change', {bubbles: true}))" """


def playground():
    """Show a panel for two features and two classes, in which a network learns before your eyes.

    Points, network and training are set by sliders and lists. *Play* trains an epoch, once through
    the training points, some twelve times a second. *Show the code* gives the PyTorch code that
    makes the same network.
    """
    first = Run(Settings())
    show_live(Panel().box, first.draw(BorderFigure(DOTS)), film)


# ------------------------------------------------------------------------------------ the network
@dataclass(frozen=True)
class Settings:
    """What can be set in the panel.

    Attributes:
        points: a name in `MADE`, or `OWN`.
        hidden_layers: 0 to 4.
        units: of each hidden layer, 1 to 16.
        activation: a class of torch.nn.
        learning_rate, weight_decay: of AdamW.
        batch_size: points in a batch; 0 takes all at once.
        seed: of the weights and of the batches' orders.
        own: your own points, a tuple of (x1, x2, class).
    """

    points: str = "spiral"
    hidden_layers: int = 2
    units: int = 8
    activation: str = "Tanh"
    learning_rate: float = 0.03
    weight_decay: float = 0.0
    batch_size: int = 30
    seed: int = 0
    own: tuple = ()


class Run:
    """A network in training, from its first weights on.

    Attributes:
        epoch: how often it went through the training points.
        training, held_out: pairs (x, y), x (n, 2) and y (n, 1).
        losses: two lists, on training and on held-out points, a number for each epoch from 0.

    Raises:
        ValueError: there are too few points of your own.
    """

    def __init__(self, settings):
        self.settings = settings
        self.points, self.labels = points_of(settings)
        rows = torch.arange(len(self.points))
        parts = data.split(self.points, self.labels.float()[:, None], rows, fractions=FRACTIONS)
        (*self.training, _), (*self.held_out, self.rows_held_out) = parts
        with random_states_kept():
            torch.manual_seed(settings.seed)
            layers = [getattr(nn, name)(*sizes) for name, *sizes in layers_of(settings)]
        self.model = nn.Sequential(*layers)
        self.loss_fn = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        size = settings.batch_size or None
        self.batches = Batches(self.training, "cpu", size, shuffle=True, seed=settings.seed)
        self.epoch, self.losses = 0, ([], [])
        self.measure()

    def step(self):
        """Train for an epoch. Raises ValueError where the loss is not finite."""
        try:
            train_epoch(self.model, self.batches, self.loss_fn, self.optimizer, Means(None))
        except NotFiniteError as problem:
            raise ValueError(
                "The loss is not a finite number any more: choose a smaller learning rate."
            ) from problem
        self.epoch += 1
        self.measure()

    def measure(self):
        """Add the losses of the network as it is now."""
        with torch.no_grad():
            for losses, (x, y) in zip(self.losses, (self.training, self.held_out), strict=True):
                losses.append(self.loss_fn(self.model(x), y).item())

    def draw(self, figure, begin=True):
        """Return the `Picture` that a `BorderFigure` draws; begin: whether the points are new."""
        if begin:
            held_out = np.isin(np.arange(len(self.points)), self.rows_held_out.numpy())
            arrays = self.points.numpy(), self.labels.numpy(), held_out
            figure.lay(*arrays, name_of(self.settings))
        with torch.no_grad():
            logits = self.model(tensor(figure.grid()))
        return figure.draw(torch.sigmoid(logits).flatten().numpy(), self.losses)

    def status(self):
        """Return in words how far it is."""
        x, y = self.held_out
        with torch.no_grad():
            right = ((self.model(x) > 0) == (y > 0.5)).sum().item()
        training, held_out = (f"{losses[-1]:.3f}" for losses in self.losses)
        return (
            f"epoch {self.epoch} · training loss {training} · held-out loss {held_out} · "
            f"{right} of {len(x)} held-out points right"
        )


def points_of(settings):
    """Return the points (n, 2) and their classes (n,), 0 or 1."""
    if settings.points != OWN:
        maker, arguments = MADE[settings.points]
        return getattr(data, maker)(**arguments)
    classes = [number for _, _, number in settings.own]
    if min(classes.count(0), classes.count(1)) < FEWEST:
        raise ValueError(
            f"A network needs at least {FEWEST} points of each class: click into the plane, or "
            "type x₁ and x₂ and press Add."
        )
    return torch.tensor([[x1, x2] for x1, x2, _ in settings.own]), torch.tensor(classes)


def name_of(settings):
    """Return what the points are called in the figure's description."""
    return "your own points" if settings.points == OWN else settings.points


def layers_of(settings):
    """Return the layers of the network, each as (class of torch.nn, *arguments)."""
    layers, width = [], 2
    for _ in range(settings.hidden_layers):
        layers += [("Linear", width, settings.units), (settings.activation,)]
        width = settings.units
    return [*layers, ("Linear", width, 1)]


# --------------------------------------------------------------------------------------- the code
def code_of(settings, epochs):
    """Return plain PyTorch code that makes the network of a `Run` after so many epochs."""
    layers = [f"nn.{name}({', '.join(map(str, sizes))})" for name, *sizes in layers_of(settings)]
    pairs = [", ".join(layers[start : start + 2]) for start in range(0, len(layers), 2)]
    size, rows = settings.batch_size, len(points_of(settings)[0])
    in_batches = 0 < size < data.sizes_of_parts(rows, FRACTIONS)[0]
    step = STEP_OF_BATCH if in_batches else STEP_OF_ALL
    maker = "" if settings.points == OWN else f"{MADE[settings.points][0]}, "
    return CODE.format(
        imports=f"{maker}split",
        points=code_of_points(settings),
        fractions=FRACTIONS,
        seed=settings.seed,
        layers="".join(f"    {pair},\n" for pair in pairs),
        rate=settings.learning_rate,
        decay=settings.weight_decay,
        orders=f"orders = torch.Generator().manual_seed({settings.seed})\n" if in_batches else "",
        epochs=epochs,
        step=step.format(size=size),
    )


def code_of_points(settings):
    """Return the code that makes the points: a function's call, or two lists of your own."""
    if settings.points != OWN:
        maker, arguments = MADE[settings.points]
        given = ", ".join(f"{name}={value}" for name, value in arguments.items())
        return f"points, labels = {maker}({given})"
    points = ", ".join(f"[{x1}, {x2}]" for x1, x2, _ in settings.own)
    classes = ", ".join(str(number) for _, _, number in settings.own)
    return f"points = {tensor_of(points)}\nlabels = {tensor_of(classes)}"


def tensor_of(items):
    """Return the code of a tensor of items, in lines that a page can show."""
    lines = textwrap.fill(items, 88, initial_indent="    ", subsequent_indent="    ")
    return f"torch.tensor([\n{lines}\n])"


CODE = """\
import torch
from torch import nn
from utils.data import {imports}

{points}
targets = labels.float()[:, None]  # (n, 1)
(x, y), (held_out_x, held_out_y) = split(points, targets, fractions={fractions})

torch.manual_seed({seed})
model = nn.Sequential(
{layers})
loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr={rate}, weight_decay={decay})
{orders}
for epoch in range({epochs}):
{step}
with torch.no_grad():
    print("training loss", loss_fn(model(x), y).item())
    print("held-out loss", loss_fn(model(held_out_x), held_out_y).item())
"""
STEP_OF_ALL = """\
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
STEP_OF_BATCH = (
    "    for rows in torch.randperm(len(x), generator=orders).split({size}):\n"
    + textwrap.indent(STEP_OF_ALL.replace("model(x), y", "model(x[rows]), y[rows]"), "    ")
)


# -------------------------------------------------------------------------------------- the panel
def shows_errors(answer):
    """Turn an answer to a click or a slider into one whose error is seen: in the panel."""

    @functools.wraps(answer)
    def answer_or_say(panel, *event):
        try:
            answer(panel, *event)
        except Exception as error:
            # Nobody would see it else: JupyterLab only logs it.
            panel.pause()
            panel.say(str(error) if isinstance(error, ValueError) else said(error))

    return answer_or_say


class Panel:
    """The panel: controls, the picture, and what answers them. `box` is what is shown."""

    def __init__(self):
        self.run, self.own, self.figure = None, [], BorderFigure()
        self.controls = controls_of(Settings())
        self.status, self.place, self.code = (ipywidgets.HTML() for _ in range(3))
        self.clock = ipywidgets.Play(max=10**9, interval=INTERVAL_OF_STEPS)
        self.clicked = ipywidgets.Text(continuous_update=False).add_class("clicked")
        for hidden in (self.clock, self.clicked):
            hidden.layout.display = "none"
        self.play = ipywidgets.ToggleButton(description="Play", icon="play")
        self.show_code = ipywidgets.ToggleButton(description="Show the code")
        one = "trains once through all training points"
        step, reset = button("One epoch", self.step_once, one), button("Reset", self.reset)
        self.own_row = self.row_of_own_points()
        for control in self.controls.values():
            control.observe(self.reset, names="value")
        self.play.observe(self.play_or_pause, names="value")
        self.show_code.observe(self.write_code, names="value")
        self.clock.observe(self.tick, names="value")
        self.clicked.observe(self.add_clicked, names="value")
        parts = [row(*self.controls.values()), self.own_row]
        parts += [row(self.play, step, reset, self.show_code), self.status, self.place, self.code]
        parts += [ipywidgets.HTML(KERNEL_GONE), self.clock, self.clicked]
        self.box = ipywidgets.VBox(parts).add_class("live")
        self.reset()

    def row_of_own_points(self):
        """Return the controls that add points of your own, and take them away."""
        classes = [("class 0, blue circle", 0), ("class 1, orange square", 1)]
        self.own_class = ipywidgets.Dropdown(options=classes, description="a click adds")
        self.own_class.layout.width = "22em"
        self.at = [
            ipywidgets.BoundedFloatText(0, min=-10, max=10, step=0.1, description=name)
            for name in ("x₁", "x₂")
        ]
        for field in self.at:
            field.layout.width, field.style.description_width = "8em", "2em"
        buttons = button("Add", self.add_typed), button("Undo", self.undo)
        return row(self.own_class, *self.at, *buttons, button("Clear", self.clear))

    def settings(self):
        """Return the settings that are chosen."""
        chosen = {name: control.value for name, control in self.controls.items()}
        return Settings(**chosen, own=tuple(self.own))

    @shows_errors
    def reset(self, *_):
        """Begin again, at epoch 0, with the settings that are chosen."""
        self.pause()
        settings = self.settings()
        self.own_row.layout.display = "" if settings.points == OWN else "none"
        self.run = None
        try:
            self.run = Run(settings)
            self.redraw(begin=True)
        except ValueError:
            own = np.array(settings.own).reshape(-1, 3)
            self.figure.lay(own[:, :2], own[:, 2], np.zeros(len(own), bool), name_of(settings))
            self.show(self.figure.draw())
            raise

    def redraw(self, begin=False):
        """Show the run as it is now."""
        self.show(self.run.draw(self.figure, begin))
        self.say(self.run.status())

    def show(self, picture):
        """Put a picture in its place, and the code below it."""
        own = self.controls["points"].value == OWN
        self.place.value = page_of(picture, f"decoding=sync {TELL_CLICK if own else FITS}")
        self.write_code()

    def say(self, words):
        """Write a sentence above the picture."""
        self.status.value = f"<span role=status>{html.escape(words)}</span>"

    @shows_errors
    def tick(self, *_):
        """Train for an epoch, if it still plays."""
        if self.clock.playing and self.run:
            self.run.step()
            self.redraw()

    @shows_errors
    def step_once(self, *_):
        """Train for a single epoch."""
        self.pause()
        if self.run:
            self.run.step()
            self.redraw()

    def pause(self):
        """Stop playing."""
        self.play.value = False

    @shows_errors
    def play_or_pause(self, change):
        """Start or stop the clock, and let the button say what it would do next."""
        plays = change["new"] and self.run is not None
        self.play.value = self.clock.playing = plays
        self.play.description, self.play.icon = ("Pause", "pause") if plays else ("Play", "play")

    @shows_errors
    def write_code(self, *_):
        """Write the code of what is shown, or take it away."""
        self.code.value = ""
        if self.show_code.value and self.run:
            code = html.escape(code_of(self.run.settings, self.run.epoch))
            self.code.value = f"<pre style='user-select: all'>{code}</pre>"

    @shows_errors
    def add_clicked(self, change):
        """Add the point that was clicked."""
        across, down, _ = map(float, change["new"].split(","))
        point = self.figure.place(across, down)
        if point and self.controls["points"].value == OWN:
            self.add(*point)

    def add_typed(self, *_):
        """Add the point that was typed."""
        self.add(*(field.value for field in self.at))

    def add(self, x1, x2):
        """Add a point of the chosen class."""
        self.own.append((round(x1, 2), round(x2, 2), self.own_class.value))
        self.reset()

    def undo(self, *_):
        """Take the last point away."""
        del self.own[-1:]
        self.reset()

    def clear(self, *_):
        """Take all points away."""
        self.own.clear()
        self.reset()


def controls_of(settings):
    """Return the control of each setting by name, beginning at these."""
    start = asdict(settings)
    names = {"learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]}
    names |= {"weight_decay": [0.0, 0.01, 0.03, 0.1, 0.3]}
    names |= {"batch_size": [*((str(size), size) for size in (5, 10, 30, 100)), ("all", 0)]}
    names |= {"points": [*MADE, OWN], "activation": ["Tanh", "ReLU", "LeakyReLU", "Sigmoid"]}
    ranges = {"hidden_layers": (0, 4), "units": (1, 16), "seed": (0, 9)}
    order = ["points", "hidden_layers", "units", "activation"]
    controls = {}
    for name in [*order, "learning_rate", "weight_decay", "batch_size", "seed"]:
        look = {"description": name.replace("_", " "), "value": start[name]}
        look |= {"layout": {"width": "19em"}, "style": {"description_width": "7em"}}
        if name in ranges:
            low, high = ranges[name]
            controls[name] = ipywidgets.IntSlider(min=low, max=high, **look)
        else:
            controls[name] = ipywidgets.Dropdown(options=names[name], **look)
    return controls


def button(words, answer, tooltip=""):
    """Return a button that calls a function."""
    made = ipywidgets.Button(description=words, tooltip=tooltip)
    made.layout.width = "8em"
    made.on_click(answer)
    return made


def row(*parts):
    """Return widgets in a row, which breaks where the page is narrow."""
    return ipywidgets.HBox(parts, layout={"flex_flow": "row wrap"})


def film():
    """Return one run with the settings at the start, as `utils.live.frames` gives it."""
    run, figure = Run(Settings()), BorderFigure()
    picture = run.draw(figure)
    drawn = [small_frame(picture)]
    for _ in range(FILM.start, FILM[-1]):
        run.step()
        if run.epoch in FILM:
            drawn.append(small_frame(run.draw(figure, begin=False)))
    controls = [{"name": "epoch", "values": [str(epoch) for epoch in FILM], "start": 0}]
    return frames_of(controls, drawn, picture, play=True)
