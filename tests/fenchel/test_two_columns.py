"""One or two columns, the intercept among them: Newton in registers."""
import itertools

import numpy as np
import pytest

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.newton.small.kernels import FAR
from benchmark_utils.fenchel.newton.small.two_columns import (
    Columns,
    derivatives,
    derivatives_at_zero,
    fourth_at_zero,
)
from benchmark_utils.problem import loss as naive
from benchmark_utils.problem.certificate import certify

RNG = np.random.default_rng(0)


def in_buffer(A):
    """Signed columns, what is added to margins, margins, weights."""
    n = A.shape[1]
    padded = -(-n // 8) * 8
    work = np.zeros((5, padded))
    work[:2, :n] = A
    work[2, n:] = FAR
    at = Columns(0, padded, n, padded, 3 * padded, 4 * padded, 0, 0)
    return work, (work.ravel(), at)


@pytest.mark.parametrize("n", [1, 8, 10, 203])
def test_derivatives(n):
    A, w = RNG.standard_normal((2, n)), np.array([1.5, -0.7])
    work, arguments = in_buffer(A)
    mass, *found = derivatives(*arguments, *w)
    m = w @ A
    s, h = naive.dual_weights(m), naive.curvature(m)
    third = 0.5 * h * (1 - 2 * s)
    orders = [s, h, third]
    expected = [
        np.sum(orders[len(which) - 1] * np.prod(A[list(which)], axis=0))
        for degree in (1, 2, 3)
        for which in itertools.combinations_with_replacement((0, 1), degree)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert mass == pytest.approx(s.sum(), rel=1e-14)
    np.testing.assert_allclose(work[3, :n], m, rtol=1e-14)
    np.testing.assert_allclose(work[4, :n], s, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 8, 10, 203])
def test_derivatives_at_zero(n):
    work, arguments = in_buffer(RNG.standard_normal((2, n)))
    expected = derivatives(*arguments, 0.0, 0.0)
    margins, weights = work[3:].copy()
    work[3:] = np.nan
    np.testing.assert_allclose(
        derivatives_at_zero(*arguments), expected, rtol=1e-13, atol=1e-14
    )
    np.testing.assert_array_equal(work[3], margins)
    np.testing.assert_allclose(work[4], weights, atol=1e-300)


def test_the_fourth_derivative_at_zero():
    """s(m) = 1 / 2 - m / 4 + m^3 / 48 - ..."""
    A, d = RNG.standard_normal((2, 50)), np.array([2e-3, -1e-3])
    _, arguments = in_buffer(A)
    m = d @ A
    rest = A @ (naive.dual_weights(m) - 0.5 + m / 4)
    np.testing.assert_allclose(
        fourth_at_zero(*arguments, *d), rest, rtol=1e-4
    )


def easy(n, p):
    X = RNG.standard_normal((n, p))
    y = np.where(RNG.random(n) < 1 / (1 + np.exp(-X.sum(1))), 1.0, -1.0)
    y[:2] = -1, 1
    return X, y


def cauchy(n, p):
    return RNG.standard_cauchy((n, p)), easy(n, p)[1]


def scaled(n, p):
    X, y = easy(n, p)
    return X * np.array([1e-6, 1e6])[:p], y


def separable(n, p):
    X, y = easy(n, p)
    return X + 5 * y[:, None], y


def twice(n, p):
    X, y = easy(n, p)
    return X[:, :1] * np.ones(p), y


def constant(n, p):
    X, y = easy(n, p)
    X[:, -1] = 3.0
    return X, y


def zero(n, p):
    X, y = easy(n, p)
    X[:, -1] = 0.0
    return X, y


def one_positive(n, p):
    X, y = easy(n, p)
    return X, np.where(np.arange(n) == 1, 1.0, -1.0)


def outlier(n, p):
    X, y = easy(n, p)
    X[-1] *= 1e6
    return X, y


KINDS = [
    easy, cauchy, scaled, separable, twice, constant, zero, one_positive,
    outlier,
]


@pytest.mark.matrix(40)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("l2", [1e-8, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("n", [2, 10, 200, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_certified(kind, n, l2, fit_intercept):
    for p in (1, 2):
        X, y = kind(n, p)
        start = RNG.standard_normal(p) * 10
        for coef_init in (None, start):
            coef, intercept, info = fit_logistic(
                X, y, l2=l2, fit_intercept=fit_intercept,
                coef_init=coef_init,
            )
            assert info["regime"].endswith("few columns")
            assert (coef.shape, coef.dtype) == ((p,), np.float64)
            point = certify(X, y, coef, intercept, 0.0, l2, fit_intercept)
            assert info["objective"] == pytest.approx(point.value, rel=1e-9)
            assert info["converged"]
            assert point.relative_gap <= 2e-8


def test_many_columns_give_the_same():
    """The kernel for more columns, the others being zero."""
    X, y = easy(40, 2)
    wide = np.hstack([X, np.zeros((40, 3))])
    for l2, fit_intercept in ((1.0, False), (1e-3, False), (1.0, True)):
        for columns in (1, 2):
            few = fit_logistic(
                X[:, :columns], y, l2=l2, fit_intercept=fit_intercept,
                tol=1e-12,
            )
            many = fit_logistic(
                np.hstack([X[:, :columns], wide[:, 2:]]), y, l2=l2,
                fit_intercept=fit_intercept, tol=1e-12,
            )
            np.testing.assert_allclose(
                many[0], np.append(few[0], np.zeros(3)), atol=1e-6
            )
            assert few[1] == pytest.approx(many[1], abs=1e-6)
            assert few[2]["objective"] == pytest.approx(
                many[2]["objective"], rel=1e-11
            )


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("p", [1, 2])
def test_layouts_and_precisions(p, fit_intercept):
    X, y = easy(37, p)
    X = np.round(X * 8) / 8
    expected = fit_logistic(X, y, fit_intercept=fit_intercept)
    for stored in (
        np.asfortranarray(X), X.astype(np.float32),
        np.asfortranarray(X, np.float32), np.repeat(X, 2, axis=0)[::2],
    ):
        found = fit_logistic(stored, y, fit_intercept=fit_intercept)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
        assert found[1] == pytest.approx(expected[1], rel=1e-6)
        assert found[2]["n_iter"] == expected[2]["n_iter"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_what_overflows_is_refused(bad):
    X, y = easy(10, 2)
    X[3, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity|overflows"):
        fit_logistic(X, y)


def test_few_iterations_are_told_as_they_are():
    X, y = easy(50, 2)
    for limit in (0, 1):
        coef, _, info = fit_logistic(X, y, l2=1e-3, tol=1e-12, max_iter=limit)
        assert info["n_iter"] == limit
        assert not info["converged"]
        point = certify(X, y, coef, 0.0, 0.0, 1e-3, False)
        assert info["relative_gap"] == pytest.approx(
            point.relative_gap, rel=1e-6
        )
