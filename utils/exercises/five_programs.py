"""How the capstone of notebook 01 is judged: five programs, fixed in two functions."""

import numpy as np
import torch

from utils.exercises.answers import Complaint, kind_of


def needs(wanted, answer):
    """Raise a Complaint unless an answer is a tensor; `wanted` is its name in the task."""
    if not isinstance(answer, torch.Tensor):
        number = isinstance(answer, int | float)
        how = " Return the tensor itself, without `.item()` or `float(...)`." if number else ""
        raise Complaint(f"expected a tensor for {wanted}, got a {kind_of(answer)}.{how}")


def mean_and_scores(run, counts, x, weight):
    """Judge the two programs that stop: the numbers of one, where the scores of the other are.

    Args:
        run: the student's function.
        counts, x: shapes (n,) and (n, d).
        weight: what a message says of the weight, which has no numbers and is made here.

    Raises:
        Complaint: one of the two is still wrong; says which, and why.
    """
    weight = torch.ones(x.shape[1], device="meta")  # what those words say
    mean, scores = run(counts, x, weight)
    needs("the mean", mean)
    needs("the scores", scores)
    expected = counts.double().mean()
    if mean.shape != ():
        raise Complaint(f"the mean: expected one number, shape (), got {tuple(mean.shape)}.")
    if not mean.is_floating_point():
        raise Complaint(
            f"the mean: expected dtype torch.float32, got {mean.dtype}. Turn the counts into "
            "float32 before you take their mean: a mean of whole numbers need not be whole."
        )
    if mean.dtype != torch.float32:
        raise Complaint(
            f"the mean: expected dtype torch.float32, the default of every network, got "
            f"{mean.dtype}."
        )
    if abs(mean.double() - expected) > 1e-5:
        whole = mean == expected.floor()
        why = " Dividing with //, or turning the mean back, cuts it off." if whole else ""
        raise Complaint(f"the mean: expected {expected:g}, got {mean.item():g}.{why}")
    if scores.device != weight.device:
        raise Complaint(
            f"the scores are on {scores.device}: you moved the weight to x. The task wants them "
            f"where the weight is, on {weight.device}, so x has to move."
        )
    if scores.shape != x.shape[:1]:
        raise Complaint(
            f"scores: expected shape {tuple(x.shape[:1])}, one number a row, got "
            f"{tuple(scores.shape)}. @ multiplies and sums; * only multiplies."
        )
    return True


def error_centred_slopes(run, predictions, targets, array):
    """Judge the three programs that give wrong numbers without a word.

    Args:
        run: the student's function.
        predictions, targets: shapes (n, 1) and (n,).
        array: what the NumPy array holds, a float64 tensor.

    Raises:
        Complaint: one of the three is still wrong; says which, and why.
    """
    theirs = array.numpy().copy()
    error, centred, slopes = run(predictions, targets, theirs)
    judge_error(error, predictions, targets)
    judge_centred(centred, theirs, array.numpy())
    judge_slopes(slopes, targets)
    return True


def judge_error(error, predictions, targets):
    """Raise a Complaint unless this is the mean squared error, each with its own target."""
    needs("the error", error)
    each = (predictions[:, 0] - targets) ** 2
    crossed = (predictions - targets) ** 2
    if error.shape != ():
        raise Complaint(
            f"the error: expected one number, shape (), got {tuple(error.shape)}. Is .mean() there?"
        )
    error = error.item()
    if abs(error - each.mean()) < 1e-5:
        return
    whys = {
        crossed.mean().item(): "(n, 1) minus (n,) is (n, n), every prediction with every target: "
        "the column trap. Make the targets a column, targets[:, None].",
        each.sum().item(): "This is the sum of squares: .mean() divides by n.",
        (predictions[:, 0] - targets).mean().item() ** 2: "Square first, then take the mean.",
        each.sqrt().mean().item(): "These are absolute values: square the differences.",
    }
    why = next((text for value, text in whys.items() if abs(value - error) < 1e-5), "")
    raise Complaint(f"the error: expected {each.mean():g}, got {error:g}. {why}".strip())


def judge_centred(centred, array, before):
    """Raise a Complaint unless the numbers are centred and the caller's array is as before."""
    needs("the centred numbers", centred)
    expected = before - before.mean()
    if centred.shape != before.shape or not np.allclose(centred.detach().numpy(), expected):
        raise Complaint(
            f"the centred numbers: expected {expected.tolist()}, got {centred.tolist()}."
        )
    if not np.array_equal(array, before):
        raise Complaint(
            f"the array of the caller was {before.tolist()} and is {array.tolist()} now: "
            "from_numpy shares its memory, and -= writes there. Write x = x - x.mean(), or copy "
            "with torch.tensor(array)."
        )


def judge_slopes(slopes, targets):
    """Raise a Complaint unless these are the slopes of (w - target)² at w = 0, one by one."""
    if isinstance(slopes, torch.Tensor):
        slopes = slopes.flatten().tolist()
    if not isinstance(slopes, list | tuple) or len(slopes) != len(targets):
        got = len(slopes) if isinstance(slopes, list | tuple) else f"a {kind_of(slopes)}"
        raise Complaint(
            f"the slopes: expected {len(targets)} of them, one for each target, got {got}."
        )
    slopes = torch.tensor([0.0 if slope is None else float(slope) for slope in slopes])
    expected = -2 * targets
    if torch.allclose(slopes, expected):
        return
    why = ""
    if torch.allclose(slopes, expected.cumsum(0)):
        why = "Each slope has all earlier ones in it: clear w.grad before the next backward."
    elif torch.allclose(slopes, expected.sum().expand(len(targets))):
        why = (
            "All are the last sum: you kept w.grad itself, one tensor that goes on changing. Keep "
            "its number, w.grad.item(), and clear it before the next backward."
        )
    elif torch.allclose(slopes, expected[-1].expand(len(targets))):
        why = (
            "All are the last slope: you kept w.grad itself, and zero_() cleared it in place. Keep "
            "its number, w.grad.item()."
        )
    elif not slopes.any():
        why = "You looked after w.grad was cleared: keep its number first, and then clear it."
    elif torch.allclose(slopes, -expected):
        why = "The sign is reversed: the derivative of (w - target)² is 2 (w - target)."
    raise Complaint(
        f"the slopes: expected {expected.tolist()}, got {slopes.tolist()}. {why}".strip()
    )
