"""Figures that move: a slider, a choice or a play button over a figure, which is drawn anew.

Where no kernel runs (slides, pages), pictures drawn beforehand take the kernel's place.
"""

import base64
import html
import inspect
import io
import itertools
import math
import os

import ipywidgets
from IPython.display import display
from PIL import Image

from utils.figures.style import as_output, keep_pictures

WIDGET = "application/vnd.jupyter.widget-view+json"
# Where the pages are built, each live figure brings its pictures along. The environment variable
# says how many at most; never are there more than these, of one slider and of several together.
FRAMES = "application/vnd.course.frames+json"
FRAMES_WANTED = "COURSE_FRAMES"
MOST_FRAMES, MOST_FRAMES_OF_SEVERAL = 41, 125

INTERVAL = 250  # milliseconds from picture to picture where time passes
FITS = 'style="max-width: 100%; height: auto"'  # a picture in a window that is narrower than it is

# Seen only where JupyterLab marks a widget as cut off, as when a notebook is opened again.
KERNEL_GONE = """<style>
.kernel-gone { display: none; }
.jupyter-widgets-disconnected .kernel-gone { display: block; }
.live.jupyter-widgets-disconnected::before,
.live .jupyter-widgets-disconnected::before { content: none; }
.live .jupyter-widgets-disconnected:not(.widget-box, .widget-html) { opacity: 0.4; }
</style>
<b class="kernel-gone">Its kernel is gone: to move this again, run the cells down to here.</b>
"""


def live(draw, *, play=False, **ranges):
    """Show a slider for each argument of a function that shows one figure, and the figure below.

    Args:
        draw: function whose arguments have defaults, where the sliders begin.
        play: whether there is a button that runs through the first argument, as time passes.
        **ranges: argument -> (lowest, highest, step), whole numbers give whole numbers; or a list
            of the values to choose from.

    Raises:
        ValueError: an argument has no range, no default, or a default that its range or list does
            not hold; or the function shows no figure, or several.
    """
    show_live(*sliders_over_figure(draw, ranges, play), lambda: frames(draw, ranges, play))


def show_live(box, picture, make_frames):
    """Show a box of widgets, and beside it what stands in its place where no kernel runs.

    Args:
        box: of ipywidgets.
        picture: the `Picture` that is in it now.
        make_frames: function that gives what `frames` gives; called where they are wanted.
    """
    shown = {WIDGET: box._repr_mimebundle_()[WIDGET], "image/png": picture.png}
    shown["text/plain"] = picture.about["alt"]
    shown |= as_output(picture.sharp)
    if FRAMES_WANTED in os.environ:
        shown[FRAMES] = make_frames()
    display(shown, metadata={"image/png": picture.about}, raw=True)


def sliders_over_figure(draw, ranges, play=False):
    """Return the box of sliders with the figure, and the first `Picture`."""
    starts = start_values(draw, ranges)
    controls = {name: control(name, ranges[name], start) for name, start in starts.items()}
    place = ipywidgets.HTML()
    first = picture_of(draw, starts)  # an error here is the cell's
    place.value = page_of(first)

    def redraw(change):
        values = {name: slider.value for name, slider in controls.items()}
        try:
            place.value = page_of(picture_of(draw, values, first))
        except Exception as error:
            # An error in a slider's answer would be seen by nobody: JupyterLab only logs it.
            place.value = f"<pre>{html.escape(said(error))}</pre>"

    for slider in controls.values():
        slider.observe(redraw, names="value")
    shown = [*controls.values(), ipywidgets.HTML(KERNEL_GONE), place]
    if play:
        name = next(iter(controls))
        shown.insert(0, play_button(controls[name], positions(ranges[name])))
    box = ipywidgets.VBox(shown)
    box.add_class("live")
    return box, first


def picture_of(draw, values, like=None):
    """Return the one `Picture` that a function shows, its axes placed as in another."""
    with keep_pictures(like) as pictures:
        draw(**values)
    if len(pictures) != 1:
        raise ValueError(f"{draw.__name__} has to show one figure, and it shows {len(pictures)}.")
    return pictures[0]


def page_of(picture, attributes=FITS):
    """Return the HTML of a picture with its alternative, and with further attributes."""
    data, about = base64.b64encode(picture.png).decode("ascii"), picture.about
    size = f'width="{about["width"]}" height="{about["height"]}"'
    source = f'src="data:image/png;base64,{data}" alt="{html.escape(about["alt"])}"'
    return f"<img {source} {size} {attributes}>"


def said(error):
    """Return an error as a line."""
    return f"{type(error).__name__}: {error}"


# ------------------------------------------------------------------------------ the controls
def start_values(draw, ranges):
    """Return {argument: default} of a function, checked against the ranges."""
    parameters = inspect.signature(draw).parameters
    if not parameters or set(parameters) != set(ranges):
        wanted, given = ", ".join(parameters) or "none", ", ".join(ranges) or "none"
        raise ValueError(
            f"Each argument of {draw.__name__} needs a range (lowest, highest, step) or a list of "
            f"values: its arguments are {wanted}; ranges are given for {given}."
        )
    starts = {name: parameter.default for name, parameter in parameters.items()}
    for name, start in starts.items():
        if start is inspect.Parameter.empty:
            raise ValueError(
                f"The argument {name} of {draw.__name__} needs a default, where its slider begins."
            )
        if isinstance(ranges[name], list):
            if start not in ranges[name]:
                choices = ", ".join(map(str, ranges[name]))
                raise ValueError(
                    f"The default of {name}, {start}, is none of its values: {choices}."
                )
            continue
        lowest, highest, _ = ranges[name]
        if not lowest <= start <= highest:
            raise ValueError(
                f"The default of {name}, {start}, lies outside its range, {lowest} to {highest}."
            )
    return starts


def control(name, values, start):
    """Return the slider of one argument."""
    about = {
        "description": name.replace("_", " "),
        "layout": {"width": "32em", "max_width": "100%"},
        "style": {"description_width": "10em"},
    }
    if isinstance(values, list):
        return ipywidgets.SelectionSlider(options=values, value=start, **about)
    lowest, highest, step = values
    about |= {"min": lowest, "max": highest, "step": step}
    if all(isinstance(number, int) for number in (lowest, highest, step, start)):
        return ipywidgets.IntSlider(start, **about)
    return ipywidgets.FloatSlider(start, readout_format=f".{decimals(step)}f", **about)


def play_button(slider, values):
    """Return a button that runs through the values of a slider, and begins where it stands."""
    play = ipywidgets.Play(max=len(values) - 1, interval=INTERVAL, show_repeat=False)

    def follow(change):
        play.value = place_of(slider.value, values)

    follow(None)
    slider.observe(follow, names="value")
    play.observe(lambda change: setattr(slider, "value", values[change["new"]]), names="value")
    return play


def positions(values):
    """Return all values of a slider, as a list, from its range or its list."""
    if isinstance(values, list):
        return values
    lowest, highest, step = values
    count = int((highest - lowest) / step + 1e-9)  # 0.3 / 0.1 is a little less than 3
    digits = max(decimals(lowest), decimals(step))
    return [round(lowest + number * step, digits) for number in range(count + 1)]


def place_of(value, values):
    """Return the index of a value in a list, or of the number nearest to it."""
    if value in values:
        return values.index(value)
    return min(range(len(values)), key=lambda index: abs(values[index] - value))


def decimals(number):
    """Return how many digits after the point a number needs: 2 for 0.01."""
    return len(f"{number:f}".rstrip("0").partition(".")[2])


# --------------------------------------------------------------------- pictures for later moves
def frames(draw, ranges, play):
    """Draw a live figure at its sliders' positions, for where no kernel runs.

    Positions are left out evenly where there are too many; the ends and the start stay.

    Args:
        draw, ranges, play: as for `live`.

    Returns:
        dict that JSON can hold: "play"; "width" and "height" in pixels; "controls", of each its
        "name", "values" (texts) and "start" (an index); "frames", the last control changing
        fastest, of each "picture" (WebP in base64) and "alt", or the "error" that came.
    """
    starts = start_values(draw, ranges)
    chosen = choose({name: positions(ranges[name]) for name in starts}, starts)
    controls = [
        {
            "name": name.replace("_", " "),
            "values": [text_of(value, ranges[name]) for value in values],
            "start": place_of(starts[name], values),
        }
        for name, values in chosen.items()
    ]
    first = picture_of(draw, starts)
    drawn = [
        frame_of(draw, dict(zip(chosen, values, strict=True)), first)
        for values in itertools.product(*chosen.values())
    ]
    return frames_of(controls, drawn, first, play)


def frames_of(controls, drawn, like, play):
    """Return what `frames` returns, of its parts and of a `Picture` as large as all of them."""
    size = {key: like.about[key] for key in ("width", "height")}
    return {"play": play, **size, "controls": controls, "frames": drawn}


def choose(values, starts):
    """Return {name: values} with so few of them that all combinations can be drawn."""
    counts = {name: len(each) for name, each in values.items()}
    most = MOST_FRAMES if len(counts) == 1 else MOST_FRAMES_OF_SEVERAL
    most = min(most, int(os.environ.get(FRAMES_WANTED, most)))
    while math.prod(counts.values()) > most:
        counts[max(counts, key=counts.get)] -= 1
    chosen = {}
    for name, each in values.items():
        last, parts = len(each) - 1, max(counts[name] - 1, 1)
        kept = {round(part * last / parts) for part in range(parts + 1)}
        kept.add(place_of(starts[name], each))
        chosen[name] = [each[index] for index in sorted(kept)]
    return chosen


def text_of(value, values):
    """Return a slider's value as the slider writes it."""
    if isinstance(values, list) or isinstance(value, int):
        return str(value)
    return f"{value:.{decimals(values[2])}f}"


def frame_of(draw, values, like):
    """Return one frame, its picture and its description, or the error that came."""
    try:
        picture = picture_of(draw, values, like)
    except Exception as error:  # at this position: the others can still be looked at
        return {"error": said(error)}
    return small_frame(picture)


def small_frame(picture):
    """Return the frame of a `Picture`: small enough to lie beside a page."""
    full = Image.open(io.BytesIO(picture.png)).convert("RGB")
    few_colors = full.quantize(32, dither=Image.Dither.NONE).convert("RGB")
    # Shades are smaller the one way, lines the other: half of the bytes, and clearer.
    shades, lines = io.BytesIO(), io.BytesIO()
    full.save(shades, "webp", quality=60)
    few_colors.save(lines, "webp", lossless=True)
    smaller = min(shades.getvalue(), lines.getvalue(), key=len)
    return {"picture": base64.b64encode(smaller).decode("ascii"), "alt": picture.about["alt"]}
