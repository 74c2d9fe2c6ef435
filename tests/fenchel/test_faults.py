"""Inputs from outside that were answered wrongly once, with what is right."""
import itertools

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from benchmark_utils.fenchel import fit_logistic, fit_many, pack_problems
from claims import check

GRID = np.linspace(-1.0, 1.0, 200)
WAVES = np.where(np.sin(7 * GRID) + np.cos(50 * GRID) > 0, 1.0, -1.0)


@pytest.mark.parametrize("columns, l2", [(22, 1e-10), (24, 1e-8)])
def test_polynomials_are_not_certified_falsely(columns, l2):
    check(np.vander(2 * GRID, columns), WAVES, l2, False, 1e-8)


@pytest.mark.parametrize("columns, l2, value", [
    (26, 1e-8, 64.9), (30, 1e-6, 63.7),
])
def test_polynomials_are_solved(columns, l2, value):
    info = check(np.vander(2 * GRID, columns), WAVES, l2, False, 1e-4)
    assert info["objective"] <= value + 0.1


def test_what_is_nearly_separable_does_not_overflow():
    y = np.where(np.sin(5 * GRID) > 0, 1.0, -1.0)
    info = check(np.vander(2 * GRID, 25), y, 1e-10, False, 1e-4)
    assert info["objective"] <= 1e-4


def test_products_of_raw_columns():
    X, y = load_breast_cancer(return_X_y=True)
    columns = X[:, :4]
    pairs = [
        columns[:, i] * columns[:, j]
        for i, j in itertools.combinations_with_replacement(range(4), 2)
    ]
    X = np.column_stack([columns, *pairs, columns**3])
    check(X, np.where(y == 1, 1.0, -1.0), 1e-6, False, 1e-8)


@pytest.mark.parametrize("seed", range(20))
def test_an_outlier_among_offsets(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((61, 11)) + 4e5
    X[5] *= 1e6
    y = -np.ones(61)
    y[3] = 1.0
    info = check(X, y, 10.0, True, 1e-8)
    assert info["objective"] <= 61 * np.log(2.0)


@pytest.mark.parametrize("max_iter", range(8))
def test_few_iterations_do_not_end_above_the_start(max_iter):
    for columns in (2, 12, 26, 120):
        info = check(
            np.vander(2 * GRID, columns), WAVES, 1e-6, False, 1e-8,
            max_iter=max_iter,
        )
        assert info["objective"] <= 200 * np.log(2.0) * (1 + 1e-12)


def test_unix_times_converge():
    t = 1.7e9 + np.arange(0.0, 3600.0, 200.0)
    rng = np.random.default_rng(0)
    labels = [np.where(np.arange(18) % 3 == 0, -1.0, 1.0)]
    labels += [np.where(rng.random(18) < 0.5, -1.0, 1.0) for _ in range(40)]
    for y in labels:
        info = check(t[:, None], y, 1.0, True, 1e-8)
        assert info["converged"] and info["relative_gap"] <= 1e-8


def test_a_constant_column_beside_normal_ones_converges():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 6))
    X[:, 2] = 1e7
    y = np.where(X[:, 0] + rng.logistic(size=60) > 0, 1.0, -1.0)
    assert check(X, y, 1.0, True, 1e-12)["converged"]


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1.6e9])
@pytest.mark.parametrize("n, p", [(60, 5), (300, 130), (40, 200)])
def test_an_offset_changes_nothing_with_an_intercept(n, p, offset):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    y = np.where(
        X @ rng.standard_normal(p) + rng.logistic(size=n) > 0, 1.0, -1.0
    )
    # what float64 keeps of X + offset, exactly
    near = (X + offset) - offset
    _, _, expected = fit_logistic(near, y, l2=1.0, fit_intercept=True)
    info = check(near + offset, y, 1.0, True, 1e-8)
    assert info["converged"]
    np.testing.assert_allclose(
        info["objective"], expected["objective"], rtol=1e-7
    )
    if (n, p) == (60, 5):
        np.testing.assert_allclose(info["objective"], 19.15, atol=0.01)


def test_what_a_batch_cannot_end_is_solved_again():
    times = 1.7e9 + np.arange(0.0, 3600.0, 200.0)
    y = np.where(np.arange(18) % 3 == 0, -1.0, 1.0)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((18, 2))
    batch = pack_problems([X, times[:, None]], [y, y])
    coef, intercepts, info = fit_many(batch, l2=1.0, fit_intercept=True)
    assert info["converged"].all() and (info["relative_gap"] <= 1e-8).all()
    alone = fit_logistic(times[:, None], y, l2=1.0, fit_intercept=True)
    np.testing.assert_allclose(coef[2:], alone[0], rtol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_without_compiling_claims_are_true(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 9)) * 10.0 ** rng.uniform(-4, 4, 9)
    y = np.where(X[:, 0] + rng.logistic(size=60) > 0, 1.0, -1.0)
    assert check(X, y, 1.0, True, 1e-8, compile=False)["converged"]
