"""Points drawn from formulas, with normal noise.

They are drawn in float64 from NumPy's `RandomState`, whose numbers are promised never to change.
Their default arguments are those of published courses, so that results can be compared; `linear`,
`circles` and `blobs` give the numbers of `make_regression`, `make_circles` and `make_blobs` of
`sklearn.datasets` 1.9, without needing it. Inputs x have the shape (n, d). Targets y are (n, 1) in
torch's default dtype for regression, and class numbers (n,), int64, for classification. `noise` is
the standard deviation of normal noise.
"""

import numpy as np
import torch


def linear(n_samples=500, n_features=1, noise=10.0, seed=0):
    """Draw targets that are a weighted sum of the features, with normal noise.

    With one feature the weight is 45.706; least squares finds intercept -0.77 and slope 45.50, with
    a mean squared error of 93.1. With three the weights are 0.479, 55.377, 11.389; least squares
    finds intercept 0.43 and slopes 0.62, 55.99, 11.14.

    Args:
        n_samples: the number of samples n.
        n_features: the number of features d, at most 10.
        noise: the standard deviation of the noise.
        seed: what `make_regression(..., coef=True)` of scikit-learn calls `random_state`.

    Returns:
        (x, y, weights): x (n, d), standard normal; y (n, 1); weights (d,), uniform on [0, 100].
    """
    random = np.random.RandomState(seed)
    x = random.standard_normal(size=(n_samples, n_features))
    weights = 100 * random.uniform(size=(n_features, 1))
    y = x @ weights
    if noise > 0:
        y += random.normal(scale=noise, size=y.shape)
    order = shuffled(n_samples, random)
    columns = shuffled(n_features, random)
    return tensor(x[order][:, columns]), tensor(y[order]), tensor(weights[columns, 0])


def parabola(n_samples=100, low=-5.0, high=5.0, noise=0.0, seed=19):
    """Return x (n, 1), uniform on [low, high], and y = x² with normal noise (n, 1)."""
    random = np.random.RandomState(seed)
    x = random.uniform(low, high, size=(n_samples, 1))
    return with_noise(x, x**2, noise, random)


def slow_and_fast_waves(n_samples=1000, low=0.0, high=100.0, noise=0.0, seed=None):
    """Return x (n, 1) and y = 3 sin(0.01 x) cos(0.1 x) with normal noise (n, 1).

    It is a fast wave inside a slow one. Scaled to an interval of length 1, the y of the 1000 evenly
    spaced points have a variance of 0.076.

    Args:
        n_samples: the number of samples n.
        low, high: the smallest and the largest x.
        noise: the standard deviation of the noise.
        seed: None for evenly spaced x, both ends included; a number draws them uniformly, as for
            test points. (Without a seed, noise is drawn with seed 0.)
    """
    random = np.random.RandomState(seed or 0)
    if seed is None:
        x = np.linspace(low, high, n_samples).reshape(-1, 1)
    else:
        x = random.uniform(low, high, size=(n_samples, 1))
    return with_noise(x, 3 * np.sin(0.01 * x) * np.cos(0.1 * x), noise, random)


def bent_wave(n_samples=500, noise=0.0, seed=2020):
    """Return x (n, 1), standard normal and sorted, and y = x² + 15 sin³(x) with noise (n, 1)."""
    random = np.random.RandomState(seed)
    x = np.sort(random.standard_normal(size=(n_samples, 1)), axis=0)
    return with_noise(x, x**2 + 15 * np.sin(x) ** 3, noise, random)


def circles(n_samples=300, factor=0.5, noise=0.1, seed=0):
    """Draw points on two circles, with normal noise.

    Args:
        n_samples: the number of points n, half of them on each circle.
        factor: the radius of the circle of class 1; that of class 0 is 1.
        noise: the standard deviation of the noise.
        seed: what `make_circles` of scikit-learn calls `random_state`.

    Returns:
        (x, y): x (n, 2); y (n,), 0 or 1.
    """
    random = np.random.RandomState(seed)
    outer = n_samples // 2
    radius = np.repeat([1.0, factor], [outer, n_samples - outer])
    angle = np.concatenate(
        [
            np.linspace(0, 2 * np.pi, outer, endpoint=False),
            np.linspace(0, 2 * np.pi, n_samples - outer, endpoint=False),
        ]
    )
    x = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=1)
    y = np.repeat([0, 1], [outer, n_samples - outer])
    order = shuffled(n_samples, random)
    x = x[order] + random.normal(scale=noise, size=x.shape)
    return tensor(x), torch.from_numpy(y[order])


def blobs(n_samples=200, centers=4, std=0.15, box=1.2, seed=12345):
    """Draw points around centres, normally distributed; the class is the number of the centre.

    The default centres are near (1.031, -0.441), (-0.759, -0.709), (0.163, 0.229), (1.115, 0.368).

    Args:
        n_samples: the number of points n, split as evenly as possible among the centres.
        centers: the number of centres c, or their coordinates (c, 2).
        std: the standard deviation of the points around their centre.
        box: centres that are not given are uniform on the square [-box, box]².
        seed: what `make_blobs` of scikit-learn calls `random_state`.

    Returns:
        (x, y): x (n, 2); y (n,), 0 to c - 1.
    """
    random = np.random.RandomState(seed)
    if isinstance(centers, int):
        centers = random.uniform(-box, box, size=(centers, 2))
    centers = np.asarray(centers, dtype=np.float64)
    sizes = [n_samples // len(centers)] * len(centers)
    for number in range(n_samples % len(centers)):
        sizes[number] += 1
    x = np.concatenate(
        [
            random.normal(loc=center, scale=std, size=(size, 2))
            for center, size in zip(centers, sizes, strict=True)
        ]
    )
    y = np.repeat(np.arange(len(centers)), sizes)
    order = shuffled(n_samples, random)
    return tensor(x[order]), torch.from_numpy(y[order])


def moons(n_samples=300, noise=0.1, seed=0):
    """Draw points on two half circles of radius 1 that reach into each other, with normal noise.

    The upper one, of class 0, has its centre at (-0.5, -0.25); turned by half a turn around the
    origin it is the lower one, of class 1.

    Args:
        n_samples: the number of points n, half of them on each half circle.
        noise: the standard deviation of the noise.
        seed: of the noise and of the points' order.

    Returns:
        (x, y): x (n, 2); y (n,), 0 or 1.
    """
    shares, y = along_two_arms(n_samples)
    angle = np.pi * shares
    x = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    return in_any_order(x * turned(y), y, noise, seed)


def spiral(n_samples=300, turns=1.0, noise=0.05, seed=0):
    """Draw points on the two arms of a spiral, with normal noise.

    The arm of class 0 runs around the origin, its distance from it growing evenly from 0.1 to 1
    with the angle; turned by half a turn it is the arm of class 1.

    Args:
        n_samples: the number of points n, half of them on each arm.
        turns: how often an arm runs around the origin.
        noise: the standard deviation of the noise.
        seed: of the noise and of the points' order.

    Returns:
        (x, y): x (n, 2); y (n,), 0 or 1.
    """
    shares, y = along_two_arms(n_samples)
    radius, angle = 0.1 + 0.9 * shares, 2 * np.pi * turns * shares
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return in_any_order(x * turned(y), y, noise, seed)


def along_two_arms(n_samples):
    """Return how far along its arm each point lies, from 0 to 1, and its class, (n,) each."""
    first = n_samples // 2
    shares = [np.linspace(0, 1, size) for size in (first, n_samples - first)]
    return np.concatenate(shares), np.repeat([0, 1], [first, n_samples - first])


def turned(y):
    """Return the factors (n, 1) that turn points of class 1 by half a turn around the origin."""
    return (1 - 2 * y)[:, None]


def in_any_order(x, y, noise, seed):
    """Return points x (n, 2), moved by normal noise, and classes y (n,) in a random order."""
    random = np.random.RandomState(seed)
    x = x + random.normal(scale=noise, size=x.shape)
    order = shuffled(len(x), random)
    return tensor(x[order]), torch.from_numpy(y[order])


def with_noise(x, y, noise, random):
    """Return x and y as tensors, with normal noise of this standard deviation added to y."""
    if noise > 0:
        y = y + random.normal(scale=noise, size=y.shape)
    return tensor(x), tensor(y)


def shuffled(number, random):
    """Return the indices from 0 to number - 1 in a random order."""
    indices = np.arange(number)
    random.shuffle(indices)
    return indices


def tensor(array):
    """Return an array as a tensor of torch's default dtype."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(torch.get_default_dtype())
