"""What fit_logistic claims is true, for problems of every kind."""
import numpy as np
import pytest
from scipy import sparse

from claims import check

# Problems a seed; a seed a test, so that a failure names few
EACH = 20
SIZES = [
    (10, 2), (12, 1), (40, 3), (200, 10), (60, 33), (35, 60), (9, 50),
    (120, 120), (150, 70), (500, 101), (300, 130), (50, 400), (400, 25),
    (1500, 40), (70, 700),
]


def columns(rng, n, p):
    """A design of some kind that people have, or a machine may make."""
    kind = rng.integers(9)
    X = rng.standard_normal((n, p))
    if kind == 1:
        X *= 10.0 ** rng.uniform(-8, 8, p)
    elif kind == 2:
        # timestamps, years, identifiers
        X = X * 10.0 ** rng.uniform(-2, 2, p) + 10.0 ** rng.uniform(0, 9, p)
    elif kind == 3:
        X[:, rng.integers(p, size=p // 2 + 1)] = X[:, [0]]
    elif kind == 4 and p <= 40:
        X = np.vander(rng.uniform(-2, 2, n), p)
    elif kind == 5:
        X[rng.integers(n, size=2)] *= 10.0 ** rng.uniform(1, 6)
    elif kind == 6:
        X = rng.standard_cauchy((n, p))
    elif kind == 7:
        X = (rng.random((n, p)) < 0.1) * 1.0
        X[:, 0] = 1.0
    elif kind == 8:
        X *= 10.0 ** rng.uniform(-8, 8)
    return X


def problem(seed):
    """X, y, l2, fit_intercept, tol."""
    rng = np.random.default_rng(seed)
    n, p = SIZES[rng.integers(len(SIZES))]
    X = columns(rng, n, p)
    score = (X - X.mean(axis=0)) @ (
        rng.standard_normal(p) / (1e-300 + X.std(axis=0)) / np.sqrt(p)
    )
    score *= rng.choice([0.0, 1.0, 10.0])
    if rng.random() < 0.2:
        score = np.where(np.arange(n) < rng.integers(1, 4), 9.0, -9.0)
    y = np.where(score + rng.logistic(size=n) > 0, 1.0, -1.0)
    y[0], y[1] = 1.0, -1.0
    l2 = 10.0 ** rng.choice([-12, -9, -6, -4, -2, 0, 2, 6, 12])
    if rng.random() < 0.15:
        X = sparse.csr_matrix(X * (rng.random(X.shape) < 0.1))
    elif rng.random() < 0.1:
        X = np.asfortranarray(X)
    elif rng.random() < 0.1:
        X = X.astype(np.float32)
    return X, y, l2, bool(rng.random() < 0.5), 10.0 ** rng.choice([-4, -8])


@pytest.mark.parametrize("seed", range(10))
def test_claims_are_true(seed):
    for k in range(EACH):
        check(*problem(1000 * seed + k))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 110))
def test_more_claims_are_true(seed):
    for k in range(EACH):
        check(*problem(1000 * seed + k))
