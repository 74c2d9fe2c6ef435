"""Newton's method with safeguards, against extended precision."""
import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.fenchel.longer import gap_at
from benchmark_utils.fenchel.newton import safeguarded
from benchmark_utils.fenchel.result import ITERATION_LIMIT, REACHED

TOL = 1e-8


def labels(X, rng, size=1.0):
    scores = X @ rng.standard_normal(X.shape[1])
    scores *= size / max(abs(scores).max(), 1e-300)
    y = np.where(scores + 0.1 * rng.logistic(size=len(scores)) > 0, 1.0, -1.0)
    y[:2] = -1.0, 1.0
    return y


def tall(rng):
    return rng.standard_normal((300, 20))


def wide(rng):
    return rng.standard_normal((60, 150))


def correlated(rng):
    X = rng.standard_normal((200, 30))
    return 1e-3 * X + X[:, :1]


def twice(rng):
    return np.repeat(rng.standard_normal((150, 12)), 2, axis=1)


def scales(rng):
    return rng.standard_normal((200, 25)) * 10.0 ** np.linspace(-4, 4, 25)


def offsets(rng):
    return rng.standard_normal((200, 15)) + 100.0


def random_csr(n, p, density, rng):
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < density)
    return sparse.csr_matrix(X)


def thin(rng):
    return random_csr(300, 200, 0.03, rng)


def thin_scales(rng):
    factors = sparse.diags_array(10.0 ** np.linspace(-3, 3, 200))
    return (thin(rng) @ factors).tocsr()


def thin_wide(rng):
    """More columns than a factor has: conjugate gradients."""
    return random_csr(200, 5000, 0.002, rng)


DESIGNS = (
    tall, wide, correlated, twice, scales, offsets, thin, thin_scales,
    thin_wide,
)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("l2", [1e-5, 1.0, 1e6])
@pytest.mark.parametrize("make", DESIGNS)
def test_hard_problems(make, l2, intercept):
    rng = np.random.default_rng(0)
    X = make(rng)
    y = labels(X, rng)
    before, x = X.copy(), np.zeros(X.shape[1] + intercept)
    status, gap, value, counts = safeguarded.newton(
        X, y, l2, intercept, TOL, 200, x
    )
    assert status == REACHED and gap <= TOL * value
    assert abs(X - before).max() == 0
    p = X.shape[1]
    longer, exact = gap_at(X, y, l2, x[:p], x[p:].sum(), intercept)
    assert value == pytest.approx(exact, rel=1e-12)
    # what it says is a bound; dual points of the two differ by rounding
    assert longer <= 1.01 * gap + 1e-15 * value
    assert counts[0] < 100


@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize("make", [tall, wide, thin])
def test_starts_far_away(make, size):
    """F of the start is kept or lowered, at margins that are huge, too."""
    rng = np.random.default_rng(1)
    X = make(rng)
    y = labels(X, rng)
    x = size * rng.standard_normal(X.shape[1])
    first = gap_at(X, y, 0.1, x, 0.0, False)[1]
    status, gap, value, _ = safeguarded.newton(X, y, 0.1, False, TOL, 200, x)
    assert status == REACHED and value <= first


@pytest.mark.parametrize("make", [tall, wide, thin])
def test_stops_at_max_iter(make):
    rng = np.random.default_rng(2)
    X = make(rng)
    y = labels(X, rng)
    for max_iter in (0, 1):
        x = np.zeros(X.shape[1] + 1)
        status, gap, value, counts = safeguarded.newton(
            X, y, 1e-3, True, 1e-12, max_iter, x
        )
        assert status == ITERATION_LIMIT and counts[0] == max_iter
        longer, exact = gap_at(X, y, 1e-3, x[:-1], x[-1], True)
        assert value == pytest.approx(exact, rel=1e-12)
        assert longer <= 1.01 * gap


def test_float32_data():
    rng = np.random.default_rng(3)
    X = tall(rng).astype(np.float32)
    y, x = labels(X, rng), np.zeros(20)
    status, gap, value, _ = safeguarded.newton(X, y, 0.1, False, TOL, 50, x)
    longer, exact = gap_at(X, y, 0.1, x, 0.0, False)
    assert status == REACHED and value == pytest.approx(exact, rel=1e-12)
