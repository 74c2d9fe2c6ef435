"""Few samples of many features, through a factor of X X'."""
import numpy as np
import pytest

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.newton.small.few_samples import (
    factor_of,
    fit_few_samples,
    kernel_of_few,
)
from benchmark_utils.fenchel.result import FLOAT64_LIMIT
from benchmark_utils.problem.certificate import certify

RNG = np.random.default_rng(0)


def problem(n, p, dtype=np.float64):
    X = RNG.standard_normal((n, p)).astype(dtype)
    y = np.where(RNG.random(n) < 0.6, 1.0, -1.0)
    y[:2] = -1.0, 1.0
    return X, y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", [(2, 3), (7, 128), (9, 1001), (40, 130)])
def test_kernel_and_factor(n, p, dtype):
    X, _ = problem(n, p, dtype)
    K = kernel_of_few(X)
    exact = X.astype(np.float64) @ X.T.astype(np.float64)
    np.testing.assert_allclose(K, exact, rtol=1e-12, atol=1e-10)
    L = factor_of(K)
    assert (np.triu(L, 1) == 0).all()
    np.testing.assert_allclose(L @ L.T, K, rtol=1e-11, atol=1e-10)


def test_factor_of_what_is_singular():
    X = RNG.standard_normal((6, 20)) * 10.0 ** np.arange(-9, 9, 3)[:, None]
    X[1] = X[4]
    X[3] = 0.0
    K = X @ X.T
    L = factor_of(K)
    norms = np.sqrt(K.diagonal())
    norms[3] = 1.0
    assert (abs(L @ L.T - K) <= 1e-13 * np.outer(norms, norms)).all()


HARD = {
    "plain": lambda X: X,
    "scales": lambda X: X * 10.0 ** np.linspace(-6, 6, X.shape[1]),
    "rows of all sizes": lambda X: X * 10.0 ** np.linspace(
        -4, 4, len(X))[:, None],
    "pairs of rows": lambda X: np.repeat(X[::2], 2, axis=0),
    "empty rows": lambda X: X * (np.arange(len(X)) % 3 > 0)[:, None],
    "offset": lambda X: X + 100,
    "equal columns": lambda X: np.ones_like(X),
}


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("l2", [10.0, 1e-3, 1e-8])
@pytest.mark.parametrize("hard", HARD)
def test_reaches_its_certificate_or_says_how_far(hard, l2, fit_intercept):
    X, y = problem(30, 500)
    X = np.ascontiguousarray(HARD[hard](X))
    before = X.copy()
    coef, intercept, info = fit_logistic(
        X, y, l2=l2, fit_intercept=fit_intercept
    )
    assert (X == before).all()
    point = certify(X, y, coef, intercept, 0.0, l2, fit_intercept)
    assert info["objective"] == pytest.approx(point.value, rel=1e-9)
    assert point.relative_gap <= 2 * info["relative_gap"] + 1e-12
    assert info["converged"] == (info["relative_gap"] <= 1e-8)
    assert info["converged"] or "float64" in info["status"], info
    if hard == "plain":
        assert info["regime"] == "few samples"


def test_one_positive_sample_in_float32():
    X, y = problem(39, 700, np.float32)
    y[:] = -1.0
    y[5] = 1.0
    coef, intercept, info = fit_logistic(X, y, l2=1e-2, fit_intercept=True)
    point = certify(X.astype(float), y, coef, intercept, 0.0, 1e-2, True)
    assert info["regime"] == "few samples"
    assert info["converged"] and point.relative_gap <= 1e-8


def test_goes_on_where_rounding_is_too_much():
    X, y = problem(30, 500)
    x = np.zeros(500)
    *_, status, gap, value = fit_few_samples(X, y, 1.0, False, 0.0, 100, x)
    assert status == FLOAT64_LIMIT
    assert gap <= 1e-12 * value
    _, _, info = fit_logistic(X, y, tol=0.0)
    assert info["relative_gap"] <= 1e-12
    assert "float64" in info["status"]


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("max_iter", [0, 1])
def test_stops_at_max_iter_with_a_certificate(max_iter, fit_intercept):
    X, y = problem(30, 500)
    coef, intercept, info = fit_logistic(
        X, y, l2=1e-3, fit_intercept=fit_intercept, max_iter=max_iter
    )
    assert info["n_iter"] == max_iter and not info["converged"]
    point = certify(X, y, coef, intercept, 0.0, 1e-3, fit_intercept)
    assert info["relative_gap"] == pytest.approx(point.relative_gap, rel=1e-6)


def test_a_start_is_taken():
    X, y = problem(30, 500)
    coef, _, _ = fit_logistic(X, y, tol=1e-10)
    again, _, info = fit_logistic(X, y, coef_init=coef)
    assert info["converged"] and info["n_iter"] <= 1
    np.testing.assert_allclose(again, coef, atol=1e-4)
