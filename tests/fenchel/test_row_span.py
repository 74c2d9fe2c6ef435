"""Far more columns than rows, on a copy in halves."""
import numpy as np
import pytest

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.problem.certificate import certify

SHAPES = [(150, 4000), (60, 9000), (500, 1100)]


def problem(n, p, dtype=np.float64):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, p)).astype(dtype)
    scores = X @ rng.standard_normal(p) / np.sqrt(p) + 0.5
    probability = 1 / (1 + np.exp(-3 * scores))
    return X, np.where(rng.random(n) < probability, 1.0, -1.0)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("l2", [10.0, 1e-2, 1e-6])
@pytest.mark.parametrize("n, p", SHAPES)
def test_halves_cost_no_iterations(n, p, l2, fit_intercept):
    X, y = problem(n, p)
    fits = [
        fit_logistic(
            X, y, l2=l2, fit_intercept=fit_intercept, float32_copy=copy
        ) for copy in (True, False)
    ]
    (coef, _, by_halves), (exact, _, by_float64) = fits
    assert by_halves["converged"] and by_float64["converged"]
    assert by_halves["regime"] == "wide"
    if by_float64["regime"] == "wide":
        assert by_halves["n_iter"] <= 1.2 * by_float64["n_iter"] + 2
    # a gap of 1e-8 F bounds the distance of the coefficients
    gap = 1e-8 * by_float64["objective"]
    assert np.linalg.norm(coef - exact) <= 4 * np.sqrt(2 * gap / l2)


def test_the_solution_is_in_the_span_of_the_rows():
    X, y = problem(150, 4000)
    coef, _, info = fit_logistic(X, y, l2=1e-2)
    assert info["regime"] == "wide"
    basis, _ = np.linalg.qr(X.T)
    outside = coef - basis @ (basis.T @ coef)
    # rounding to halves is 2e-4 of an entry
    assert np.linalg.norm(outside) <= 1e-5 * np.linalg.norm(coef)


def test_float32_data():
    X, y = problem(150, 4000, np.float32)
    coef, intercept, info = fit_logistic(X, y, l2=0.1, fit_intercept=True)
    point = certify(X.astype(float), y, coef, intercept, 0.0, 0.1, True)
    assert info["converged"] and point.relative_gap <= 1e-8


@pytest.mark.parametrize("max_iter", [0, 1, 5])
def test_stops_at_max_iter_with_a_certificate(max_iter):
    X, y = problem(150, 4000)
    coef, intercept, info = fit_logistic(
        X, y, l2=0.1, fit_intercept=True, max_iter=max_iter
    )
    assert not info["converged"] and info["n_iter"] <= max_iter
    assert info["status"] == "stopped at max_iter iterations"
    point = certify(X, y, coef, intercept, 0.0, 0.1, True)
    assert info["objective"] == pytest.approx(point.value, rel=1e-9)
    assert info["relative_gap"] == pytest.approx(
        min(point.relative_gap, 1.0), rel=0.5
    )


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_an_intercept_costs_no_iterations(fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 400))
    y = np.where(X[:, 0] + rng.logistic(size=300) > 0, 1.0, -1.0)
    info = fit_logistic(X, y, l2=1.0, fit_intercept=fit_intercept)[2]
    assert info["converged"] and info["n_iter"] < 60
    assert info["regime"] == "wide"
