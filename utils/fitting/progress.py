"""The progress bar of training."""

import os
import sys

from tqdm import tqdm

from utils.fitting.ranks import speaks


def progress_bar(epochs, progress=None):
    """Return the epochs, with a bar that is drawn ten times a second at most, unless it is off.

    Args:
        epochs: what to go through, such as `range(200)`.
        progress: whether to show the bar; None: yes, unless COURSE_PROGRESS is 0.
    """
    if not speaks():
        progress = False
    elif progress is None:
        progress = os.environ.get("COURSE_PROGRESS") != "0"
    # In a notebook as text: a bar of widgets is broken when the notebook is opened the next day.
    # On stdout there, since Jupyter shows what goes to stderr like an error.
    file = sys.stdout if in_notebook() else sys.stderr
    return tqdm(epochs, unit="epoch", disable=not progress, file=file)


def in_notebook():
    """Return whether Jupyter or IPython runs this."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
