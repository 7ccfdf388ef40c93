"""The generators against the figures of published courses and against scikit-learn's numbers."""

import numpy as np
import pytest
import torch

from utils import data as synthetic


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def least_squares(x, y):
    """Intercept and slopes, and the mean squared error."""
    columns = torch.cat([torch.ones(len(x), 1), x], dim=1)
    weights = torch.linalg.lstsq(columns, y).solution
    return weights.flatten().tolist(), ((columns @ weights - y) ** 2).mean().item()


def test_published_line(float64):
    x, y, weights = synthetic.linear()
    fitted, error = least_squares(x, y)
    assert x.shape == y.shape == (500, 1)
    assert [round(number, 2) for number in fitted] == [-0.77, 45.50]
    assert round(error, 1) == 93.1
    assert round(weights.item(), 3) == 45.706


def test_published_three_features(float64):
    x, y, weights = synthetic.linear(n_features=3)
    fitted, _ = least_squares(x, y)
    assert [round(number, 2) for number in fitted] == [0.43, 0.62, 55.99, 11.14]
    assert [round(number, 3) for number in weights.tolist()] == [0.479, 55.377, 11.389]


# First and last sample, features and then target, as scikit-learn 1.9.1 gives them.
SCIKIT_LEARN = {
    # make_regression(500, 1, noise=10, random_state=7)
    "linear": (
        lambda: synthetic.linear(seed=7)[:2],
        [-1.1151676581210264, -95.22271227674071],
        [-0.908625866473386, -76.73232258066686],
    ),
    # make_regression(501, 3, noise=5, random_state=7)
    "linear, three features": (
        lambda: synthetic.linear(501, 3, noise=5, seed=7)[:2],
        [0.09667458316429639, 1.0757624603064544, -0.8361723700478649, 11.384824912414754],
        [-0.013123743394290812, -1.4684084220955664, -0.6823723506305754, -57.69674170309122],
    ),
    # make_circles(300, factor=0.5, noise=0.1, random_state=7)
    "circles": (
        lambda: synthetic.circles(seed=7),
        [-0.07817837729955711, -0.41256327752245114, 1],
        [0.10243873426790046, 0.5111612242655104, 1],
    ),
    # make_circles(301, factor=0.3, noise=0.2, random_state=1)
    "circles, odd number": (
        lambda: synthetic.circles(301, factor=0.3, noise=0.2, seed=1),
        [0.12720830138474382, 0.031424540112585886, 1],
        [-0.09052404188498711, 1.041175178736053, 0],
    ),
    # make_blobs(200, centers=4, cluster_std=0.15, center_box=(-1.2, 1.2), random_state=12345)
    "blobs": (
        synthetic.blobs,
        [-0.6327785910738661, -0.6690213495630437, 1],
        [0.6755438746676431, -0.719812787286324, 0],
    ),
    # make_blobs(202, centers=[(0, 0), (1, 1), (2, 3.0)], cluster_std=0.5, random_state=3)
    "blobs, given centres": (
        lambda: synthetic.blobs(202, [(0, 0), (1, 1), (2, 3.0)], std=0.5, seed=3),
        [1.323914898704929, 0.7198132905579191, 1],
        [2.1275403473913905, 2.884251295186647, 2],
    ),
}


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_numbers_of_scikit_learn(name, float64):
    make, first, last = SCIKIT_LEARN[name]
    x, y = make()
    table = np.column_stack([x.numpy(), y.numpy()])
    # The last digits of sums and cosines may differ between processors.
    np.testing.assert_allclose(table[[0, -1]], [first, last], rtol=1e-12)


def test_blobs_have_the_published_centres_and_classes():
    x, y = synthetic.blobs()
    published = [(1.031, -0.441), (-0.759, -0.709), (0.163, 0.229), (1.115, 0.368)]
    means = torch.stack([x[y == number].mean(dim=0) for number in range(4)])
    assert y.bincount().tolist() == [50, 50, 50, 50]
    # A mean of 50 points scatters by 0.15 / sqrt(50) = 0.02 around its centre.
    assert (means - torch.tensor(published)).abs().max() < 0.06
    nearest = torch.cdist(torch.tensor([[-1.0, -1.0], [0.0, 0.0]]), means).argmin(dim=1)
    assert nearest.tolist() == [1, 2]


def test_circles_are_told_apart_by_the_radius():
    x, y = synthetic.circles(200_000)
    radius = x.norm(dim=1)
    assert abs(radius[y == 0].mean() - 1) < 0.01
    assert abs(radius[y == 1].mean() - 0.5) < 0.02  # noise moves points outwards on average
    best = max(
        ((radius < limit) == (y == 1)).double().mean().item()
        for limit in torch.linspace(0.6, 0.9, 61)
    )
    assert round(best, 3) == 0.993


def test_waves_are_on_an_even_grid_and_have_the_known_variance(float64):
    x, y = synthetic.slow_and_fast_waves()
    assert (x[0].item(), x[-1].item(), len(x)) == (0, 100, 1000)
    torch.testing.assert_close(x.diff(dim=0), torch.full((999, 1), 100 / 999))
    torch.testing.assert_close(y, 3 * torch.sin(0.01 * x) * torch.cos(0.1 * x))
    scaled = (y - y.min()) / (y.max() - y.min())
    assert round(scaled.var().item(), 3) == 0.076


def test_waves_at_random_points():
    x, y = synthetic.slow_and_fast_waves(50, seed=26)
    assert x.shape == y.shape == (50, 1)
    assert not torch.equal(x, x.sort(dim=0).values)
    assert 0 <= x.min() < 10 and 90 < x.max() <= 100
    torch.testing.assert_close(y, 3 * torch.sin(0.01 * x) * torch.cos(0.1 * x))


def test_parabola_and_bent_wave():
    x, y = synthetic.parabola()
    assert x.shape == y.shape == (100, 1) and -5 <= x.min() < -4.5 and 4.5 < x.max() <= 5
    torch.testing.assert_close(y, x**2)
    x, y = synthetic.bent_wave()
    assert x.shape == y.shape == (500, 1) and torch.equal(x, x.sort(dim=0).values)
    assert abs(x.mean()) < 0.15 and abs(x.std() - 1) < 0.1
    torch.testing.assert_close(y, x**2 + 15 * torch.sin(x) ** 3)


GENERATORS = {
    "linear": lambda **settings: synthetic.linear(**settings)[:2],
    "parabola": synthetic.parabola,
    "bent_wave": synthetic.bent_wave,
    "slow_and_fast_waves": synthetic.slow_and_fast_waves,
}


@pytest.mark.parametrize("name", GENERATORS)
def test_noise_has_the_size_asked_for_and_leaves_the_inputs(name):
    make = GENERATORS[name]
    x, y = make(n_samples=20_000, noise=0.0)
    _, noisy = make(n_samples=20_000, noise=2.0)
    if name != "linear":  # there it comes before the shuffling, as in scikit-learn
        assert abs((noisy - y).std() - 2) < 0.05 and abs((noisy - y).mean()) < 0.05
    assert not torch.equal(noisy, y)
    assert torch.isfinite(x).all()


def test_noise_around_the_line(float64):
    x, y, weights = synthetic.linear(20_000, 3, noise=2.0)
    residual = y.flatten() - x @ weights
    assert abs(residual.std() - 2) < 0.05 and abs(residual.mean()) < 0.05
    x, y, weights = synthetic.linear(20, 3, noise=0.0)
    torch.testing.assert_close(y.flatten(), x @ weights)


EVERY = GENERATORS | {"circles": synthetic.circles, "blobs": synthetic.blobs}


@pytest.mark.parametrize("name", EVERY)
def test_a_seed_gives_the_same_and_nothing_global_is_touched(name):
    make = EVERY[name]
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    first, again, other = make(seed=3), make(seed=3), make(seed=4)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("name", EVERY)
def test_sizes_and_dtypes(name):
    x, y = EVERY[name](n_samples=7)
    assert len(x) == len(y) == 7 and x.dtype == torch.float32
    if name in ("circles", "blobs"):
        assert x.shape == (7, 2) and y.shape == (7,) and y.dtype == torch.int64
    else:
        assert y.shape == (7, 1) and y.dtype == torch.float32


@pytest.mark.parametrize("name", EVERY)
def test_the_default_dtype_is_followed(name, float64):
    x, _ = EVERY[name](n_samples=7)
    assert x.dtype == torch.float64


def test_moons_lie_on_two_half_circles_that_are_one_turned(float64):
    x, y = synthetic.moons(201, noise=0)
    centres = torch.tensor([[-0.5, -0.25], [0.5, 0.25]])[y]
    torch.testing.assert_close((x - centres).norm(dim=1), torch.ones(201))
    assert y.bincount().tolist() == [100, 101]
    assert (x[y == 0, 1] >= -0.25 - 1e-12).all() and (x[y == 1, 1] <= 0.25 + 1e-12).all()


def test_a_spiral_has_two_arms_that_are_one_turned(float64):
    x, y = synthetic.spiral(200, turns=1.5, noise=0)
    radius, angle = x.norm(dim=1), torch.atan2(x[:, 1], x[:, 0])
    expected = 2 * torch.pi * 1.5 * (radius - 0.1) / 0.9 + torch.pi * y
    torch.testing.assert_close(torch.cos(angle - expected), torch.ones(200))
    assert y.bincount().tolist() == [100, 100]
    assert radius.min().item() == pytest.approx(0.1) and radius.max().item() == pytest.approx(1)
    first, second = (x[y == number][radius[y == number].argsort()] for number in (0, 1))
    torch.testing.assert_close(first, -second)


@pytest.mark.parametrize("make", [synthetic.moons, synthetic.spiral])
def test_moons_and_spirals_are_noisy_by_their_seed_and_in_any_order(make):
    x, y = make(400)
    again, _ = make(400)
    other, _ = make(400, seed=1)
    assert x.dtype == torch.float32 and y.dtype == torch.int64 and x.shape == (400, 2)
    assert torch.equal(x, again) and not torch.equal(x, other)
    assert 50 < y[:200].sum() < 150  # shuffled: both classes in either half
    x, _ = make(100_000, noise=0.1)
    clean, _ = make(100_000, noise=0.0)
    # Noise and order are drawn from one stream, in this order, so that both are in one order.
    assert (x - clean).std().item() == pytest.approx(0.1, rel=0.02)
