"""Sliders over a figure: move one, and the figure is drawn anew.

Where no kernel runs (slides, pages), the figure stays as it was drawn first.
"""

import base64
import html
import inspect

import ipywidgets
from IPython.display import display

from utils.figures.style import keep_pictures

WIDGET = "application/vnd.jupyter.widget-view+json"

# Seen only where JupyterLab marks a widget as cut off, as when a notebook is opened again.
KERNEL_GONE = """<style>
.kernel-gone { display: none; }
.jupyter-widgets-disconnected .kernel-gone { display: block; }
.live.jupyter-widgets-disconnected::before,
.live .jupyter-widgets-disconnected::before { content: none; }
.live .jupyter-widgets-disconnected.widget-slider { opacity: 0.4; }
</style>
<b class="kernel-gone">Its kernel is gone: to move this again, run the cells down to here.</b>
"""


def live(draw, **ranges):
    """Show a slider for each argument of a function that shows one figure, and the figure below.

    Args:
        draw: function whose arguments have defaults, where the sliders begin.
        **ranges: argument -> (lowest, highest, step); whole numbers give whole numbers.

    Raises:
        ValueError: an argument has no range, no default, or a default outside its range; or the
            function shows no figure, or several.
    """
    box, picture, about = sliders_over_figure(draw, ranges)
    widget = box._repr_mimebundle_()[WIDGET]
    display(
        {WIDGET: widget, "image/png": picture, "text/plain": about["alt"]},
        metadata={"image/png": about},
        raw=True,
    )


def sliders_over_figure(draw, ranges):
    """Return the box of sliders with the figure, and the first picture: PNG bytes and about it."""
    starts = start_values(draw, ranges)
    controls = {name: control(name, *ranges[name], start) for name, start in starts.items()}
    place = ipywidgets.HTML()

    def redraw(change):
        values = {name: slider.value for name, slider in controls.items()}
        try:
            place.value = page_of(*picture_of(draw, values))
        except Exception as error:
            # An error in a slider's answer would be seen by nobody: JupyterLab only logs it.
            place.value = f"<pre>{html.escape(f'{type(error).__name__}: {error}')}</pre>"

    picture, about = picture_of(draw, starts)  # an error here is the cell's
    place.value = page_of(picture, about)
    for slider in controls.values():
        slider.observe(redraw, names="value")
    box = ipywidgets.VBox([*controls.values(), ipywidgets.HTML(KERNEL_GONE), place])
    box.add_class("live")
    return box, picture, about


def picture_of(draw, values):
    """Return the one figure that a function shows, as PNG bytes and what is said about it."""
    with keep_pictures() as pictures:
        draw(**values)
    if len(pictures) != 1:
        raise ValueError(f"{draw.__name__} has to show one figure, and it shows {len(pictures)}.")
    return pictures[0]


def start_values(draw, ranges):
    """Return {argument: default} of a function, checked against the sliders' ranges."""
    parameters = inspect.signature(draw).parameters
    if not parameters or set(parameters) != set(ranges):
        wanted, given = ", ".join(parameters) or "none", ", ".join(ranges) or "none"
        raise ValueError(
            f"Each argument of {draw.__name__} needs a range (lowest, highest, step): its "
            f"arguments are {wanted}; ranges are given for {given}."
        )
    starts = {name: parameter.default for name, parameter in parameters.items()}
    for name, start in starts.items():
        lowest, highest, _ = ranges[name]
        if start is inspect.Parameter.empty:
            raise ValueError(
                f"The argument {name} of {draw.__name__} needs a default, where its slider begins."
            )
        if not lowest <= start <= highest:
            raise ValueError(
                f"The default of {name}, {start}, lies outside its range, {lowest} to {highest}."
            )
    return starts


def control(name, lowest, highest, step, start):
    """Return the slider of one argument."""
    whole = all(isinstance(number, int) for number in (lowest, highest, step, start))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    words = name.replace("_", " ")
    layout, style = {"width": "32em"}, {"description_width": "10em"}
    readout = {} if whole else {"readout_format": f".{decimals(step)}f"}
    return kind(
        start,
        min=lowest,
        max=highest,
        step=step,
        description=words,
        layout=layout,
        style=style,
        **readout,
    )


def decimals(step):
    """Return how many digits after the point a step needs: 2 for 0.01."""
    return len(f"{step:f}".rstrip("0").partition(".")[2])


def page_of(picture, about):
    """Return the HTML of a picture with its alternative."""
    data = base64.b64encode(picture).decode("ascii")
    size = f'width="{about["width"]}" height="{about["height"]}"'
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(about["alt"])}" {size}>'
