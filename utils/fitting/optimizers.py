"""The optimizers of `fit_many`: one for each setting, each for its members' part of all weights."""

import torch

from utils.fitting import members


class Optimizers:
    """An optimizer for each setting, with its scheduler, if there are any.

    Each moves its own n members' part of the stacked parameters (S, ...), in the same memory. A
    call of torch takes about the same time for a few weights as for many, and these optimizers move
    each weight by itself, so all weights of n members, p each, are one tensor (n, p) to their
    optimizer where it treats them all alike.

    Args:
        ensemble: the `Ensemble`; its parameters may be laid in other memory.
        learnt: the names of the parameters that learn.
        make_optimizer, settings, make_scheduler: as for `fit_many`, with [{}] for no settings.
    """

    def __init__(self, ensemble, learnt, make_optimizer, settings, make_scheduler):
        stacked = self.stacked = ensemble.parameters
        self.size = len(ensemble) // len(settings)
        parts = {name: self.parts(tensor) for name, tensor in stacked.items()}
        self.optimizers = []
        for setting, *own in zip(settings, *parts.values(), strict=True):
            optimizer = members.made_with_setting(make_optimizer, own, setting)
            members.check_optimizer_of_all(optimizer, own)
            self.optimizers.append(optimizer)
        self.schedulers = []
        for optimizer in self.optimizers if make_scheduler is not None else ():
            scheduler = make_scheduler(optimizer)
            members.check_scheduler_of_all(scheduler, optimizer)
            self.schedulers.append(scheduler)
        self.gradients = []  # (names, their gradients side by side)
        learnt = [name for name in stacked if name in learnt]
        if self.are_alike([parts[name] for name in learnt]):
            self.gradients.append((learnt, self.lay_side_by_side(learnt)))
        else:
            for name in learnt:
                self.gradients.append(([name], with_gradients(stacked[name], parts[name])))

    def parts(self, tensor):
        """Return the parts (n, ...) of a tensor (S, ...), in its memory, as an optimizer's own."""
        # detach() last: what split() returns would be views to autograd, which watches over those.
        parts = (part.detach() for part in tensor.split(self.size))
        return [part.requires_grad_(tensor.requires_grad) for part in parts]

    def are_alike(self, parts):
        """Return whether every optimizer treats all these parameters, as parts, in one way.

        It does not where they are in several groups, or where one is left out. An optimizer that
        has a state from the start (Adagrad) has it for the tensors that it was made with.
        """
        if len({tensors[0].dtype for tensors in parts}) > 1:
            return False
        for optimizer, *own in zip(self.optimizers, *parts, strict=True):
            known = {id(tensor) for tensor in optimizer.param_groups[0]["params"]}
            if len(optimizer.param_groups) > 1 or optimizer.state:
                return False
            if not all(id(tensor) in known for tensor in own):
                return False
        return True

    def lay_side_by_side(self, names):
        """Put these parameters into one tensor (S, p) and give it to the optimizers instead.

        Returns:
            The gradients (S, p) that they follow.
        """
        columns = [flat(self.stacked[name].detach()) for name in names]
        weights = torch.cat(columns, dim=1)
        views = weights.split([column.shape[1] for column in columns], dim=1)
        for name, view in zip(names, views, strict=True):
            self.stacked[name] = view.view(self.stacked[name].shape).detach().requires_grad_()
        parts = self.parts(weights.requires_grad_())
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            optimizer.param_groups[0]["params"] = [part]
        return with_gradients(weights, parts)

    def step(self):
        """Take a step of every optimizer, with the gradients at the stacked parameters."""
        for names, gradients in self.gradients:
            columns = [flat(self.stacked[name].grad) for name in names]
            torch.cat(columns, dim=1, out=gradients)
        for optimizer in self.optimizers:
            optimizer.step()

    def end_epoch(self):
        """Take a step of every scheduler."""
        for scheduler in self.schedulers:
            scheduler.step()

    def rate(self, member):
        """Return the learning rate at which a member is trained now."""
        return float(self.optimizers[member // self.size].param_groups[0]["lr"])


def flat(tensor):
    """Return a tensor (S, ...) as (S, p)."""
    return tensor.reshape(len(tensor), -1)


def with_gradients(stacked, parts):
    """Return new gradients (S, p), which are those of the parts of stacked parameters."""
    gradients = torch.zeros_like(flat(stacked), requires_grad=False)
    for part, gradient in zip(parts, gradients.split(len(parts[0])), strict=True):
        part.grad = gradient.view(part.shape)
    return gradients
