"""fit_sparse: the same answer from every layout, certified, inputs kept."""
import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import brentq, minimize
from scipy.special import expit

from benchmark_utils.fenchel.coordinate_descent import dual as sparse_dual
from benchmark_utils.fenchel.coordinate_descent import dual_visit
from benchmark_utils.fenchel.linalg.csr import are_sorted
from benchmark_utils.fenchel.linalg.packing import as_it_is
from benchmark_utils.fenchel.newton.sparse.fit import (
    MORE_PAIRS,
    PAIRS,
    _Fit,
)
from benchmark_utils.fenchel.result import (
    Problem,
)
from sparse_fits import certificate, fit_sparse


def problem(n=200, p=40, density=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = sparse.random(
        n, p, density, random_state=rng, data_rvs=rng.standard_normal,
        format="csr",
    )
    y = np.where(rng.random(n) < expit(X @ rng.standard_normal(p)), 1.0, -1.0)
    return X, y


def minimum(X, y, l2, fit_intercept):
    X = X.toarray()
    p = X.shape[1]

    def objective(x):
        m = y * (X @ x[:p] + (x[p] if fit_intercept else 0.0))
        r = -y * expit(-m)
        g = np.r_[X.T @ r + l2 * x[:p], r.sum()]
        return (
            np.logaddexp(0.0, -m).sum() + 0.5 * l2 * x[:p] @ x[:p],
            g[:len(x)],
        )

    x0 = np.zeros(p + bool(fit_intercept))
    result = minimize(
        objective, x0, jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )
    return result.fun


LAYOUTS = {
    "csr": lambda X: X.tocsr(),
    "csc": lambda X: X.tocsc(),
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "float32 csr": lambda X: X.astype(np.float32),
    "float32 csc": lambda X: X.tocsc().astype(np.float32),
    "int64": lambda X: with_long_indices(X.tocsr()),
    "int64 csc": lambda X: with_long_indices(X.tocsc()),
    "duplicates": lambda X: with_duplicates(X),
}


def with_long_indices(X):
    X = X.copy()
    X.indices = X.indices.astype(np.int64)
    X.indptr = X.indptr.astype(np.int64)
    return X


def with_duplicates(X):
    """Every entry in two halves, the rows backwards."""
    X = X.tocsr()
    indices, data = [], []
    for i in range(X.shape[0]):
        part = slice(X.indptr[i], X.indptr[i + 1])
        indices += [X.indices[part][::-1], X.indices[part]]
        data += [0.5 * X.data[part][::-1], 0.5 * X.data[part]]
    return sparse.csr_matrix(
        (np.concatenate(data), np.concatenate(indices), 2 * X.indptr),
        shape=X.shape,
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_layouts_agree(layout, fit_intercept):
    X, y = problem()
    given = LAYOUTS[layout](X)
    before = given.copy()
    labels = y.copy()
    coef, intercept, info = fit_sparse(given, y, 0.5, fit_intercept, 1e-10)
    assert info["converged"], info
    assert info["status"] == "reached the tolerance"
    assert coef.shape == (X.shape[1],) and coef.dtype == np.float64
    assert isinstance(intercept, float)
    assert (intercept == 0.0) != fit_intercept
    value, gap = certificate(given, y, coef, intercept, 0.5, fit_intercept)
    assert gap <= 1.001e-10 * value
    assert info["objective"] == pytest.approx(value, rel=1e-12)
    if "float32" not in layout:
        best = minimum(X, y, 0.5, fit_intercept)
        assert value == pytest.approx(best, rel=1e-8)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(
            getattr(given, name), getattr(before, name)
        )
    np.testing.assert_array_equal(y, labels)


def test_start_at_the_solution_ends_at_once():
    X, y = problem()
    coef, intercept, _ = fit_sparse(X, y, 0.5, True, 1e-10)
    start = coef.copy()
    again, _, info = fit_sparse(
        X, y, 0.5, True, 1e-8, coef_init=start, intercept_init=intercept
    )
    assert info["n_iter"] == 0 and info["converged"]
    np.testing.assert_array_equal(again, coef)
    assert again is not start


@pytest.mark.parametrize("length", [1.0, 1e3, 1e6])
def test_any_start(length):
    X, y = problem()
    rng = np.random.default_rng(1)
    coef, intercept, info = fit_sparse(
        X, y, 0.1, True, 1e-8,
        coef_init=length * rng.standard_normal(X.shape[1]),
        intercept_init=length,
    )
    assert info["converged"], info
    value, gap = certificate(X, y, coef, intercept, 0.1, True)
    assert gap <= 1e-8 * value


def test_iteration_limit_is_said():
    X, y = problem()
    coef, intercept, info = fit_sparse(X, y, 1e-6, False, 1e-12, max_iter=2)
    assert not info["converged"]
    assert info["status"] == "stopped at max_iter iterations"
    assert info["n_iter"] <= 2
    value, gap = certificate(X, y, coef, intercept, 1e-6, False)
    assert info["relative_gap"] == pytest.approx(min(gap / value, 1.0))


def test_info_tells_what_was_done():
    X, y = problem()
    info = fit_sparse(X, y, 1e-3)[2]
    assert info["n_iter"] > 0 and info["n_passes"] > info["n_iter"]


def test_single_class_with_intercept_is_refused():
    X, y = problem()
    with pytest.raises(ValueError, match="single class"):
        fit_sparse(X, np.ones_like(y), 1.0, True)
    coef, _, info = fit_sparse(X, np.ones_like(y), 1.0, False)
    assert info["converged"]


def test_nan_is_refused():
    X, y = problem()
    X.data[0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit_sparse(X, y, 1.0)


def test_certificate_of_the_tests_bounds_the_minimum():
    X, y = problem()
    best = minimum(X, y, 0.5, True)
    value, gap = certificate(X, y, 0.1 * np.ones(X.shape[1]), 0.3, 0.5, True)
    assert value - gap <= best <= value


WIDE = {
    "csr": lambda X: X, "csc": lambda X: X.tocsc(),
    "float32": lambda X: X.astype(np.float32), "duplicates": with_duplicates,
}


@pytest.mark.parametrize("layout", WIDE)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("l2", [1e-3, 0.1, 10.0])
def test_few_samples_by_dual_coordinate_descent(layout, fit_intercept, l2):
    X, y = problem(120, 3000, 0.02)
    X = WIDE[layout](X)
    coef, intercept, info = fit_sparse(X, y, l2, fit_intercept)
    assert info["converged"] and info["regime"] == "sparse, dual", info
    value, gap = certificate(X, y, coef, intercept, l2, fit_intercept)
    assert gap <= 1e-8 * value
    assert info["n_iter"] <= 12


def test_dual_coordinate_descent_gives_up_where_it_is_slow():
    rng = np.random.default_rng(0)
    # rows that are nearly the same
    X = sparse.csr_matrix(
        np.outer(np.ones(60), rng.standard_normal(80))
        + 0.1 * rng.standard_normal((60, 80))
    )
    y = np.where(rng.random(60) < 0.5, 1.0, -1.0)
    info = fit_sparse(X, y, 1e-4)[2]
    assert info["converged"] and "dual" not in info["regime"]


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_dual_coordinate_descent_goes_on_where_lbfgs_takes_longer(
    fit_intercept,
):
    # the first sweeps leave much, but go on to divide it by three
    X, y = problem(280, 630, 0.09)
    info = fit_sparse(X, y, 0.01, fit_intercept)[2]
    assert info["converged"] and info["regime"] == "sparse, dual"
    assert 15 < info["n_iter"] < 40


@pytest.mark.parametrize("l2, dual", [(1.0, False), (100.0, True)])
def test_light_samples_are_visited_in_turn_though_they_are_more(l2, dual):
    X, y = problem(700, 400, 0.05)
    info = fit_sparse(X, y, l2)[2]
    assert info["converged"] and ("dual" in info["regime"]) == dual


def test_small_change_is_that_of_the_sigmoid():
    theta = np.linspace(-15.0, 15.0, 61)
    for x in np.r_[np.linspace(-1.0, 1.0, 21) * dual_visit.NEAR, 1e-9]:
        for t in theta:
            a = expit(-t)
            change = dual_visit.small_change(x, a, a * (1.0 - a))
            # sigma(u) - sigma(v) without cancellation
            exact = (
                np.sinh(x) / 2.0 / np.cosh(t / 2.0) / np.cosh(t / 2.0 - x)
            )
            assert change == pytest.approx(exact, rel=1e-9)
            assert 0.0 < a + change < 1.0


@pytest.mark.parametrize("q", [1e-3, 0.3, 1.0, 2.0])
def test_first_visit_of_a_short_row_starts_at_its_minimum(q):
    assert q <= dual_visit.LIGHT
    for m in np.linspace(-30.0, 30.0, 121):
        a = dual_visit.light_start(m, q)
        root = brentq(lambda a, m=m: a - expit(-m - q * a), 0.0, 1.0)
        assert abs(a - root) <= 0.015 + 0.035 * q
        assert 0.01 / (1.0 + q) < a < 0.99


def test_theta_is_settled_from_near_and_far():
    rng = np.random.default_rng(0)
    exact = np.r_[rng.uniform(-4.0, 4.0, 200), -30.0, 30.0, 500.0]
    for error in (0.0, 1e-9, 0.3, 0.6, 5.0):
        theta = exact + error * rng.uniform(-1.0, 1.0, exact.size)
        known = abs(exact) > 20.0
        theta[known] = exact[known]
        a = expit(-exact)
        dual_visit.settle(theta, a)
        np.testing.assert_allclose(theta, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("repeated", [False, True])
def test_norms_of_rows(sort, repeated):
    rng = np.random.default_rng(0)
    starts = np.r_[0, 0, 5, 5, 6, 12, 12].astype(np.uint64)
    columns = [rng.permutation(9)[:k] for k in (5, 1, 6)]
    if repeated:
        columns[2][3] = columns[2][0]
    if sort:
        columns = [np.sort(c) for c in columns]
    indices = np.concatenate(columns).astype(np.uint32)
    data = rng.standard_normal(12)
    A = data, indices, starts
    X = sparse.csr_matrix(
        (data, indices.astype(np.int32), starts.astype(np.int32)), (6, 9)
    ).toarray()
    squares = (X**2).sum(axis=1)
    assert are_sorted(A) == (sort and not repeated)
    out = np.empty(6)
    sparse_dual._norms(A, 9, out)
    np.testing.assert_allclose(out, squares, rtol=1e-14)
    # the first sweep takes those, or its own
    state = np.empty(24)
    sparse_dual._first_sweep(
        A, np.ones(6), 1.0, 0.0, state, np.zeros(10), np.arange(6)
    )
    np.testing.assert_allclose(state[2::4], squares, rtol=1e-14)


@pytest.mark.parametrize("l2", [0.01, 1.0, 30.0])
def test_dual_variables_belong_together_after_sweeps(l2):
    X, y = problem(120, 3000, 0.02)
    n, p = X.shape
    A = as_it_is(X).rows
    w, state = np.zeros(p + 1), np.empty(4 * n)
    sparse_dual.ascend(
        A, (y, l2, False), (1e-9, np.inf, 50), w,
        (state, np.empty(n, np.int64)), 0,
    )
    theta, a = state[::4], state[1::4]
    np.testing.assert_allclose(a, expit(-theta), rtol=1e-9)
    np.testing.assert_allclose(w[:p], X.T @ (y * a) / l2, atol=1e-12)
    assert abs(theta - y * (X @ w[:p])).max() < 1e-3


@pytest.mark.parametrize("n, p", [(300, 60), (60, 300)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_a_copy(layout, n, p):
    X, y = problem(n, p)
    given = LAYOUTS[layout](X)
    coef, _, info = fit_sparse(given, y, 0.1, float32_copy=False)
    assert info["converged"]
    value, gap = certificate(given, y, coef, 0.0, 0.1, False)
    assert gap <= 1e-8 * value
    np.testing.assert_allclose(
        coef, fit_sparse(given, y, 0.1)[0], atol=1e-3
    )


@pytest.mark.parametrize("entry", [np.nan, np.inf])
@pytest.mark.parametrize("form", ["csr", "csc"])
@pytest.mark.parametrize("copy", [False, True])
def test_nan_is_refused_without_a_copy(form, copy, entry):
    X, y = problem(30, 90)
    X.data[7] = entry
    with pytest.raises(ValueError, match="NaN or infinity"):
        fit_sparse(X.asformat(form), y, 1.0, float32_copy=copy)


def test_entries_beyond_float32():
    X, y = problem()
    coef, _, info = fit_sparse(1e60 * X, y, 1e120)
    assert info["converged"]
    np.testing.assert_allclose(
        1e60 * coef, fit_sparse(X, y, 1.0)[0], atol=1e-4
    )


@pytest.mark.parametrize("n, p, per_row, pairs", [
    (2000, 50, 5, MORE_PAIRS), (20001, 20000, 1, PAIRS),
])
def test_pairs_are_kept_where_they_cost_little(n, p, per_row, pairs):
    rng = np.random.default_rng(0)
    X = sparse.csr_matrix((
        rng.standard_normal(n * per_row), rng.integers(0, p, n * per_row),
        np.arange(n + 1) * per_row,
    ), shape=(n, p))
    X.sum_duplicates()
    y = np.where(rng.random(n) < expit(X @ rng.standard_normal(p)), 1.0, -1.0)
    fit = _Fit(Problem(X, y, 0.1, False, 1e-8, 1000, True))
    outcome = fit.run(None)
    assert outcome.status == 0 and "dual" not in outcome.regime
    S, Y, rho, alpha = fit.pairs
    assert S.shape == Y.shape == (pairs, p + 1)
    assert rho.shape == alpha.shape == (pairs,)
