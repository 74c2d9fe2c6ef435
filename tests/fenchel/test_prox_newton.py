"""Prox-Newton with working sets: certified ends, for every penalty."""
import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.fenchel.result import REACHED
from benchmark_utils.problem.certificate import certify, lambda1_max
from sparse_problems import (
    L1,
    MCP,
    SCAD,
    fit,
    problem,
    total,
    violation,
)


def oracle(X, y, penalty, l2, intercept, n_iter=3000):
    """Minimise F by proximal gradient steps with momentum, in NumPy."""
    A = np.hstack([X, np.full((len(y), 1), float(intercept))])
    step = 1.0 / (0.25 * np.linalg.norm(A, 2)**2 + l2)
    x = z = np.zeros(A.shape[1])
    momentum = 1.0
    for _ in range(n_iter):
        r = -y / (1.0 + np.exp(y * (A @ z)))
        grad = A.T @ r
        grad[:-1] += l2 * z[:-1]
        new = z - step * grad
        new[:-1] = [penalty.prox(float(one), step) for one in new[:-1]]
        if (z - new) @ (new - x) > 0:
            momentum = 1.0
        following = 0.5 * (1.0 + (1.0 + 4.0 * momentum**2)**0.5)
        z = new + (momentum - 1.0) / following * (new - x)
        x, momentum = new, following
    return x


def check(X, y, l1, l2, intercept, tol=1e-9):
    """Fit, and hold what is reported against the referee."""
    x, (counts, status, gap, value) = fit(X, y, L1(l1), l2, intercept, tol)
    found = certify(X, y, x[:-1], x[-1], l1, l2, intercept)
    assert value == pytest.approx(found.value, rel=1e-12)
    # both are bounds, of dual points that differ by rounding
    assert found.gap - found.rounding <= gap * 1.01 + 1e-14 * value
    assert status == REACHED, (counts, gap / value)
    assert gap <= tol * value
    assert value <= len(y) * np.log(2.0) * (1.0 + 1e-15)
    return x


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", [(60, 5), (300, 60), (50, 400)])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_is_the_oracle(shape, l2, intercept):
    X, y = problem(*shape)
    l1 = 0.1 * lambda1_max(X, y, intercept)
    x = check(X, y, l1, l2, intercept)
    naive = oracle(X, y, L1(l1), l2, intercept)
    assert total(X, y, x, L1(l1), l2) == pytest.approx(
        total(X, y, naive, L1(l1), l2), rel=1e-8
    )
    sparsely, _ = fit(sparse.csr_matrix(X), y, L1(l1), l2, intercept)
    np.testing.assert_allclose(sparsely, x, atol=1e-4)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("share", [1.0 + 1e-9, 1.5, 0.999, 0.5, 1e-2, 1e-4])
@pytest.mark.parametrize("shape", [(200, 30), (400, 120), (100, 600)])
def test_all_strengths(shape, share, intercept):
    X, y = problem(*shape, seed=1)
    l1 = share * lambda1_max(X, y, intercept)
    x = check(X, y, l1, 0.0, intercept, 1e-8)
    if share > 1.0:
        assert not x[:-1].any()
    check(sparse.csr_matrix(X * (abs(X) > 1.0)), y, l1, 0.0, intercept, 1e-8)


def hard(name):
    """Return a problem that float32 or a careless method does not solve."""
    X, y = problem(250, 50, seed=2)
    rng = np.random.default_rng(3)
    if name == "duplicates":
        X = np.hstack([X, X[:, ::2], -X[:, :5]])
    elif name == "constant and zero":
        X[:, 3], X[:, 7] = 0.0, 2.0
    elif name == "scales":
        X = X * 10.0 ** rng.uniform(-6, 6, 50)
    elif name == "correlated":
        X, y = problem(250, 50, seed=2, rho=0.999)
    elif name == "separable":
        y = np.where(X[:, 0] + 0.1 * X[:, 1] > 0, 1.0, -1.0)
    elif name == "sorted":
        X = X[np.argsort(y)]
        y = np.sort(y)
    elif name == "rare":
        y = -np.ones(250)
        y[:3] = 1.0
    elif name == "heavy":
        X = rng.standard_cauchy((250, 50))
    elif name == "offset":
        X = X + 100.0
    elif name == "nearly collinear":
        X = np.hstack([X, X + 1e-5 * rng.standard_normal(X.shape)])
    return np.ascontiguousarray(X), y


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("share", [0.1, 1e-3])
@pytest.mark.parametrize("name", [
    "duplicates", "constant and zero", "scales", "correlated", "separable",
    "sorted", "rare", "heavy", "offset", "nearly collinear",
])
def test_hard_problems(name, share, intercept):
    X, y = hard(name)
    l1 = share * lambda1_max(X, y, intercept)
    check(X, y, l1, 0.0, intercept, 1e-8)
    check(sparse.csr_matrix(X), y, l1, 1e-3 * l1, intercept, 1e-8)


def test_inputs_stay_and_a_warm_start_is_taken():
    X, y = problem(300, 80)
    l1 = 0.1 * lambda1_max(X, y, False)
    before = X.copy(), y.copy()
    x, (cold, *_) = fit(X, y, L1(l1))
    again, (warm, status, _, value) = fit(X, y, L1(l1), start=x)
    assert status == REACHED and warm[0] == 0 < cold[0]
    np.testing.assert_array_equal(again, x)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_the_limit_of_iterations_is_told_and_never_worse():
    X, y = problem(300, 80)
    l1 = 0.01 * lambda1_max(X, y, False)
    last = np.inf
    for max_iter in range(5):
        x, (counts, status, gap, value) = fit(
            X, y, L1(l1), tol=1e-14, max_iter=max_iter
        )
        assert counts[0] <= max_iter
        assert value <= last
        last = value
        assert certify(X, y, x[:-1], 0.0, l1, 0.0, False).gap <= gap * 1.001


@pytest.mark.parametrize("kind", [MCP, SCAD])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", [(300, 20), (400, 120), (80, 300)])
@pytest.mark.parametrize("gamma", [2.5, 10.0, 40.0])
def test_not_convex_ends_stationary(kind, shape, intercept, gamma):
    X, y = problem(*shape, seed=4)
    n = len(y)
    for share in (0.5, 0.1):
        l1 = share * lambda1_max(X, y, intercept)
        penalty = kind.from_problem(l1, gamma, n)
        tol = 1e-8 * l1
        for data in (X, sparse.csr_matrix(X)):
            x, (counts, status, far, value) = fit(
                data, y, penalty, 0.0, intercept, tol
            )
            assert value == pytest.approx(total(X, y, x, penalty, 0.0))
            true = violation(X, y, x, penalty, 0.0, intercept)
            assert true <= far + 1e-9 * l1
            assert status == REACHED, (counts, far / l1)
            assert far <= tol
            assert value <= n * np.log(2.0)
