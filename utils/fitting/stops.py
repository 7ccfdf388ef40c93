"""How a training ends before its last epoch: Ctrl-C, a loss that is not finite, patience."""

import math
import signal
import threading

from utils.fitting.checkpoints import copy_of_state
from utils.fitting.ranks import Ranks


class NotFiniteError(ArithmeticError):
    """A loss of NaN or infinity; its argument is the step of the epoch, counted from 1."""


class KeyboardStop:
    """A context in which Ctrl-C (or a notebook's square button) ends a training between two steps.

    An interrupt in the middle of an optimizer's step would leave some weights moved and others
    not. Here the first press is only counted, in `presses`, and `between` raises KeyboardInterrupt
    before the next batch; a second press, from someone who cannot wait, interrupts at once as
    usual. The handler found on the way in is put back on the way out, whatever happens. Outside
    the main thread Python delivers no Ctrl-C, and nothing is changed.

    Args:
        ranks: the `Ranks` that train together. Several stop before the next pass, when all know of
            it: a step that only some of them take would wait for the others.
    """

    def __init__(self, ranks=None):
        self.ranks, self.presses = ranks or Ranks(), 0
        self._previous = None

    def __enter__(self):
        in_main_thread = threading.current_thread() is threading.main_thread()
        # A handler that is not callable means that the signal is ignored or handled outside Python.
        if in_main_thread and callable(signal.getsignal(signal.SIGINT)):
            self._previous = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *exception):
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _press(self, number, frame):
        self.presses += 1
        if self.presses > 1:
            self._previous(number, frame)

    def between(self, batches):
        """Yield the batches one after another, as long as nobody has pressed Ctrl-C."""
        alone = self.ranks.ranks == 1
        if not alone and any(self.ranks.sums([self.presses])):
            raise KeyboardInterrupt
        for batch in batches:
            if self.presses and alone:
                raise KeyboardInterrupt
            yield batch


class EarlyStopping:
    """Watches the validation loss and keeps a copy of the model's best weights and buffers.

    Args:
        model: the model that is trained.
        patience: epochs without a new lowest validation loss after which `exhausted` is true;
            None switches everything off.
    """

    def __init__(self, model, patience):
        self.model, self.patience = model, patience
        self.lowest, self.waited, self.weights = math.inf, 0, None

    def look(self, validation_loss):
        """Take note of the validation loss after an epoch."""
        if self.patience is None:
            return
        if validation_loss < self.lowest:  # never true for NaN
            self.lowest, self.waited = validation_loss, 0
            self.weights = copy_of_state(self.model.state_dict())
        else:
            self.waited += 1

    @property
    def exhausted(self):
        """Whether the patience is at its end."""
        return self.patience is not None and self.waited >= self.patience

    def put_back(self):
        """Give the model its best weights, if any were kept."""
        if self.weights is not None:
            self.model.load_state_dict(self.weights)

    def state_dict(self):
        """Return what a checkpoint needs."""
        return {"lowest": self.lowest, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state):
        """Go on from a checkpoint."""
        self.lowest, self.waited = state["lowest"], state["waited"]
        self.weights = state["weights"]


# What is said -----------------------------------------------------------------------------------


def keyboard_message(history):
    """Return what is said after Ctrl-C."""
    return (
        f"Stopped by the keyboard in epoch {len(history) + 1}: the history holds the "
        f"{len(history)} whole epochs before it, the model is as it was after its last whole step."
    )


def not_finite_message(history, step, optimizer):
    """Return what is said after a loss that is NaN or infinite."""
    return (
        f"The loss is not finite in epoch {len(history) + 1}, step {step}, so training stopped: "
        f"try a smaller learning rate (it was {optimizer.param_groups[0]['lr']:g}), and inputs "
        "and targets scaled to about -1 to 1, with a new model and a new optimizer."
    )


def patience_message(history):
    """Return what is said when the patience is at its end."""
    return (
        f"Stopped early after epoch {len(history)}: the validation loss was lowest in epoch "
        f"{history.best_epoch}, whose weights the model has now."
    )
