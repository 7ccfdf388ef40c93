"""Exercises whose answer is a log of the student's own experiments: name -> one number a run."""

import torch

from utils.exercises.answers import kind_of, str_or_kind
from utils.exercises.core import RIGHT, WRONG, Exercise, Verdict


class LogExercise(Exercise):
    """A log of experiments: {what was changed: the last losses of the seeds}."""

    wanted = "your log"

    def form(self):
        return (
            f"Replace the three dots with {self.wanted}, then run this cell; "
            f"exercises.{self.name}.hint() helps."
        )

    def judge(self, log, *more):
        problem = self.problem_of(log) if not more else f"check takes one log: check({self.name})."
        if problem:
            return Verdict(WRONG, problem)
        return Verdict(RIGHT, "\n".join([f"right. {self.insight}", *self.report(log)]))

    def report(self, log):
        """Return lines that say what a right log shows."""
        losses = {name: torch.as_tensor(values).double() for name, values in log.items()}
        lines = []
        for name, values in losses.items():
            line = f"  {name}: median {values.median().item():.3g}"
            if name != "usual":
                lower = (values < losses["usual"]).sum().item()
                line += f", lower than usual for {lower} of {len(values)} seeds"
            lines.append(line)
        return lines

    def problem_of(self, log):
        """Return what is wrong with a log, in words, or None."""
        if not isinstance(log, dict):
            return f"expected a dictionary, got a {kind_of(log)}. {self.form()}"
        if "usual" not in log:
            return 'your log has no entry "usual", experiment() with nothing changed, to compare.'
        if len(log) < 3:
            return f'two experiments beside "usual" are asked for; your log has {len(log) - 1}.'
        problem = problem_with_runs(log, "the last losses of all seeds", "seeds", least=8)
        if problem:
            return problem
        for name, values in log.items():
            same_as_usual = torch.equal(torch.as_tensor(values), torch.as_tensor(log["usual"]))
            if name != "usual" and same_as_usual:
                return f"{name!r} has the same losses as the usual training: nothing was changed."
        return None


class ContestExercise(LogExercise):
    """The held-out errors of three models over splits, and which of them the student says wins.

    {"always the mean": errors, "linear model": errors, "network": errors, "winner": a name}, with
    one error for each split. The network or the linear model wins if the mean of its gain over the
    other is larger than the standard deviation of that gain over the splits.
    """

    wanted = "the result of your contest"
    MODELS = ("always the mean", "linear model", "network")
    WINNERS = ("network", "linear model", "neither")

    def gain_of(self, log):
        """Return the mean and the standard deviation of what the network gains on each split."""
        linear, network = (torch.as_tensor(log[name]).double() for name in self.MODELS[1:])
        return (linear - network).mean().item(), (linear - network).std().item()

    def report(self, log):
        means = {name: torch.as_tensor(log[name]).double().mean().item() for name in self.MODELS}
        lines = [f"  {name}: off by {error:.4g} on average" for name, error in means.items()]
        gain, spread = self.gain_of(log)
        return [*lines, f"  the network gains {gain:.3g} ± {spread:.2g}: {log['winner']}"]

    def problem_of(self, log):
        if not isinstance(log, dict):
            return (
                f"expected what contest(...) returns and a winner, got a {kind_of(log)}. "
                f"{self.form()}"
            )
        missing = [name for name in self.MODELS if name not in log]
        if missing:
            return f"there are no errors of {missing[0]!r}: take all that contest(...) returns."
        errors = {name: log[name] for name in self.MODELS}
        problem = problem_with_runs(errors, "one error for each split", "splits", least=10)
        if problem:
            return problem
        for name, values in errors.items():
            if not torch.as_tensor(values).isfinite().all():
                return f"{name!r} holds NaN or infinity: has a training diverged?"
        if torch.equal(*(torch.as_tensor(errors[name]) for name in self.MODELS[1:])):
            return "the linear model and the network have the same errors: is one entered twice?"
        said = str_or_kind(log.get("winner")).strip().lower()
        if said not in self.WINNERS:
            return (
                'who wins? Add it to the log: contest(...) | {"winner": "network"}, or '
                '"linear model", or "neither".'
            )
        gain, spread = self.gain_of(log)
        winner = "neither" if abs(gain) <= spread else self.WINNERS[gain < 0]
        if said == winner:
            return None
        found = f"the network gains {gain:.3g} on average, with a spread of {spread:.2g}"
        if winner == "neither":
            return f"{found}: another split could turn that round, so nobody has won."
        return f"{found}: the difference is larger than its spread, so there is a winner."


def problem_with_runs(log, expected, runs, least):
    """Return what is wrong with the entries of a log, in words, or None.

    Args:
        log: name -> what should be one number for each run.
        expected: what an entry should hold, in words.
        runs: what a number stands for, in the plural: "seeds" or "splits".
        least: how many runs an entry should have.
    """
    shapes = {}
    for name, values in log.items():
        try:
            shapes[name] = tuple(torch.as_tensor(values).shape)
        except (TypeError, ValueError, RuntimeError):
            return f"{name!r} holds a {kind_of(values)}: expected {expected}."
        if len(shapes[name]) == 2:
            return f"{name!r} holds all losses: take those of the last epoch, [:, -1]."
        if len(shapes[name]) != 1 or shapes[name][0] < least:
            return (
                f"{name!r} holds one run or a few, and one run is one sample: take {least} or more."
            )
    if len(set(shapes.values())) > 1:
        return f"the entries have different numbers of {runs}: they cannot be compared in pairs."
    return None
