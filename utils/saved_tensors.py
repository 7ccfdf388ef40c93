"""What the forward pass keeps in memory for the backward pass."""

import copy
from itertools import chain

import torch

from utils import training_checks as checks


def saved_bytes(model, *inputs):
    """The bytes that autograd keeps for the backward pass after a forward pass model(*inputs).

    Each operation keeps the tensors that its derivative needs: a linear layer its input, a sigmoid
    its output, a GELU its input. Memory that several of them keep is counted once, so the output
    of a ReLU that is the input of the next layer; the model's inputs count if a layer keeps them;
    parameters and buffers, which are there anyway, do not. Under `no_grad` it is 0.

    The pass is one of a copy of the model, and leaves the model and torch's random state alone.
    """
    checks.check_module(model)
    random_state = checks.RandomState(parameter.device for parameter in model.parameters())
    model = copy.deepcopy(model)
    kept = {}  # storages by their identity: they are the memory, a tensor is a view of one

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[id(storage)] = storage
        return tensor

    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            model(*inputs)
    finally:
        random_state.put_back()
    own = {id(part.untyped_storage()) for part in chain(model.parameters(), model.buffers())}
    return sum(storage.nbytes() for name, storage in kept.items() if name not in own)
