"""Early stopping: the weights of the epoch with the lowest validation loss are the ones to keep."""

import math

from utils.checkpoints import copied


class EarlyStopping:
    """Watches the validation loss and keeps a copy of the model's best weights and buffers.

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
            self.weights = copied(self.model.state_dict())
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
        """What a checkpoint needs."""
        return {"lowest": self.lowest, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state):
        """Go on from a checkpoint."""
        self.lowest, self.waited, self.weights = (
            state["lowest"],
            state["waited"],
            state["weights"],
        )
