"""Many small problems in one call."""
import numpy as np
import pytest

from benchmark_utils.fenchel.coordinate_descent.bulk import Scaled, fit_bulk
from benchmark_utils.problem.certificate import certify, lambda1_max
from sparse_problems import L1, MCP, fit, problem, violation


def fit_all(X, y, penalty, factors, intercept, tol):
    """Fit from zero; return x, counts, statuses, gaps and values."""
    size, _, p = X.shape
    out = (
        np.zeros((size, p + 1)), np.zeros(size, int), np.zeros(size, int),
        np.zeros(size), np.zeros(size),
    )
    fit_bulk(X, y, penalty, factors, 0.0, intercept, (tol, 200), out)
    return out


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", [(10, 2), (17, 1), (9, 12), (200, 10)])
def test_is_certified_and_alone_the_same(shape, intercept):
    drawn = [problem(*shape, seed=seed) for seed in range(20)]
    X, y = (np.array(one) for one in zip(*drawn))
    if shape[1] > 1:
        X[3, :, 0] = 0.0
    y[4] = 1.0
    y[4, 0] = -1.0
    factors = np.array([
        share * lambda1_max(*one, intercept)
        for one, share in zip(zip(X, y), np.geomspace(1e-2, 1.1, 20))
    ])
    before = X.copy()
    x, counts, statuses, gaps, values = fit_all(
        X, y, L1(1.0), factors, intercept, 1e-9
    )
    np.testing.assert_array_equal(X, before)
    assert not statuses.any()
    for k in range(20):
        found = certify(
            X[k], y[k], x[k, :-1], x[k, -1], factors[k], 0.0, intercept
        )
        assert found.gap - found.rounding <= (
            1.2 * gaps[k] + 1e-13 * values[k]
        )
        assert gaps[k] <= 1e-9 * values[k]
        assert values[k] == pytest.approx(found.value, rel=1e-12)
        alone = fit_all(
            X[k:k + 1], y[k:k + 1], L1(1.0), factors[k:k + 1], intercept, 1e-9
        )
        np.testing.assert_array_equal(alone[0][0], x[k])


def test_not_convex():
    X, y = problem(100, 8)
    l1 = 0.1 * lambda1_max(X, y, False)
    penalty = MCP.from_problem(l1, 20.0, 100)
    half = MCP(penalty.lmbd / 2, penalty.curvature / 2)
    x, _, statuses, far, values = fit_all(
        X[None], y[None], half, np.full(1, 2.0), False, 1e-8 * l1
    )
    assert statuses[0] == 0
    assert violation(X, y, x[0], penalty, 0.0, False) <= far[0] + 1e-9 * l1
    assert values[0] == pytest.approx(fit(X, y, penalty, tol=1e-8 * l1)[1][3])


def test_a_scaled_penalty_is_a_multiple():
    for base in (L1(2.0), MCP(2.0, 0.3)):
        scaled, w, x = Scaled(base, 3.0), 0.7, 5.0
        assert scaled.value(w) == 3.0 * base.value(w)
        assert scaled.slope(w) == 3.0 * base.slope(w)
        assert scaled.bend(w) == 3.0 * base.bend(w)
        assert scaled.distance(w, 3.0 * x) == 3.0 * base.distance(w, x)
        assert scaled.prox(x, 0.1) == base.prox(x, 0.3)
