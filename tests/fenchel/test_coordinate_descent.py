"""Coordinate descent on columns: Anderson's extrapolation, prox-Newton."""
import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.fenchel.coordinate_descent.anderson import (
    descend_by_epochs,
)
from benchmark_utils.fenchel.coordinate_descent.columns import (
    columns_of_dense,
    columns_of_sparse,
    descend_by_columns,
)
from benchmark_utils.problem.certificate import certify, lambda1_max
from sparse_problems import L1, MCP, SCAD, packed, problem, total, violation


def by_columns(columns, y, *rest):
    """Descend without weights."""
    return descend_by_columns(columns, (y, None), *rest)


METHODS = {by_columns: 100, descend_by_epochs: 20_000}


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", [(300, 40), (60, 200)])
@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.__name__)
def test_is_optimal_dense_and_sparse(method, shape, intercept):
    X, y = problem(*shape, seed=5)
    l1 = 0.05 * lambda1_max(X, y, intercept)
    X[:, 3] = 0.0
    found = []
    for columns in (
        columns_of_dense(X), columns_of_sparse(packed(X), shape[1])
    ):
        x = np.zeros(shape[1] + 1)
        method(columns, y, L1(l1), 0.1, intercept,
               (1e-8 * l1, METHODS[method]), x)
        assert certify(
            X, y, x[:-1], x[-1], l1, 0.1, intercept
        ).relative_gap < 1e-7
        assert x[3] == 0.0
        assert intercept or x[-1] == 0.0
        found.append(x)
    # products of dense and of sparse columns differ by rounding
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [MCP, SCAD])
@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.__name__)
def test_ends_stationary_where_not_convex(method, kind):
    X, y = problem(300, 40, seed=6)
    l1 = 0.1 * lambda1_max(X, y, False)
    penalty = kind.from_problem(l1, 10.0, 300)
    x = np.zeros(41)
    method(columns_of_dense(X), y, penalty, 0.0, False,
           (1e-8 * l1, METHODS[method]), x)
    assert violation(X, y, x, penalty, 0.0, False) <= 2e-8 * l1
    assert total(X, y, x, penalty, 0.0) < 300 * np.log(2.0)


def test_extrapolation_saves_epochs():
    X, y = problem(200, 100, seed=7, rho=0.5)
    l1 = 0.01 * lambda1_max(X, y, False)
    x = np.zeros(101)
    n_epochs, extrapolated = descend_by_epochs(
        columns_of_dense(X), y, L1(l1), 0.0, False, (1e-6 * l1, 50_000), x
    )
    assert extrapolated > 3
    # 185, without it 1550
    assert n_epochs < 500


def test_columns_are_those_of_scipy():
    X = sparse.random(30, 20, 0.2, "csr", random_state=0)
    data, rows, starts = columns_of_sparse(packed(X), 20)
    right = X.tocsc()
    right.sort_indices()
    np.testing.assert_array_equal(data, right.data)
    np.testing.assert_array_equal(rows, right.indices)
    np.testing.assert_array_equal(starts, right.indptr)
