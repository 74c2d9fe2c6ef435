"""Sparse kernels against NumPy and scipy."""
import numba
import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from benchmark_utils.fenchel.datafits.margins import evaluate, evaluate_along
from benchmark_utils.fenchel.linalg.csr import (
    gather,
    hessian_product,
    scatter,
    scatter_squares,
)
from benchmark_utils.fenchel.linalg.elimination import make_plan
from benchmark_utils.fenchel.linalg.packing import as_it_is, pack
from benchmark_utils.fenchel.linalg.sparse_cholesky import factorize, solve
from benchmark_utils.fenchel.line_search import best_shift, search
from benchmark_utils.fenchel.newton.sparse.descent import _point_of
from benchmark_utils.fenchel.newton.sparse.directions import (
    diagonal,
    newton_direction,
)
from benchmark_utils.fenchel.newton.sparse.point import _loosest, _sharp
from benchmark_utils.fenchel.newton.sparse.state import Problem
from sparse_fits import packed, prepared


def random_matrix(n=60, p=23, density=0.2, seed=0, form="csr"):
    rng = np.random.default_rng(seed)
    X = sparse.random(
        n, p, density, random_state=rng, data_rvs=rng.standard_normal
    ).tolil()
    X[3] = 0.0
    X[:, 5] = 0.0
    X[:, 7] = 1.5
    return X.asformat(form)


def unsorted_with_duplicates(seed=0):
    rng = np.random.default_rng(seed)
    n, p, size = 40, 11, 200
    indptr = np.sort(rng.integers(0, size, n - 1))
    return sparse.csr_matrix(
        (rng.standard_normal(size), rng.integers(0, p, size),
         np.r_[0, indptr, size]), shape=(n, p),
    )


MATRICES = {
    "csr": random_matrix(),
    "csc": random_matrix(form="csc"),
    "unsorted, duplicates": unsorted_with_duplicates(),
    "float32": random_matrix().astype(np.float32),
    "no entry": sparse.csr_matrix((4, 3)),
}
long_indices = random_matrix()
long_indices.indices = long_indices.indices.astype(np.int64)
long_indices.indptr = long_indices.indptr.astype(np.int64)
MATRICES["int64 indices"] = long_indices


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_packed_products(name, dtype):
    X = MATRICES[name]
    A, order, exact = pack(as_it_is(prepared(X)).rows, dtype)
    n, p = X.shape
    assert sorted(order) == list(range(n))
    lengths = np.diff(A[2].astype(np.int64))
    assert (np.diff(lengths) >= 0).all()
    dense = X.toarray().astype(np.float64)[order]
    tolerance = 1e-13 if exact else 1e-6
    assert exact or (dtype == np.float32 and X.dtype == np.float64)
    rng = np.random.default_rng(1)
    v, c, h = rng.standard_normal(p + 1), rng.random(n), rng.random(n)
    out = np.empty(n)
    gather(A, 0, n, v, 0.5, out)
    np.testing.assert_allclose(
        out, dense @ v[:p] + 0.5, rtol=tolerance, atol=tolerance
    )
    back = np.ones(p + 1)
    scatter(A, 0, n, c, back)
    np.testing.assert_allclose(
        back[:p], dense.T @ c + 1.0, rtol=tolerance, atol=10 * tolerance
    )
    assert back[p] == 1.0
    product = np.zeros(p + 1)
    total = hessian_product(
        A, v, v[p], h, product, np.empty(n), np.empty(n)
    )
    scaled = h * (dense @ v[:p] + v[p])
    np.testing.assert_allclose(
        product[:p], dense.T @ scaled, rtol=tolerance, atol=20 * tolerance
    )
    assert total == pytest.approx(scaled.sum())


def test_squares():
    A, order = packed(MATRICES["csr"], np.float64)
    dense = MATRICES["csr"].toarray()[order]
    h = np.random.default_rng(1).random(len(dense))
    out = np.zeros(dense.shape[1])
    scatter_squares(A, h, out)
    np.testing.assert_allclose(out, h @ dense**2)


@pytest.mark.parametrize("name", MATRICES)
def test_products_of_what_is_not_packed(name):
    X = MATRICES[name]
    A, order, exact = as_it_is(prepared(X))
    n, p = X.shape
    assert exact and len(order) == 0
    rng = np.random.default_rng(1)
    w, r = rng.standard_normal(p + 1), rng.standard_normal(n)
    dense = X.toarray().astype(np.float64)
    out, back = np.empty(n), np.zeros(p + 1)
    gather(A, 0, n, w, 0.0, out)
    np.testing.assert_allclose(out, dense @ w[:p], atol=1e-13)
    scatter(A, 0, n, r, back)
    np.testing.assert_allclose(back[:p], dense.T @ r, atol=1e-12)
    assert back[p] == 0.0


@pytest.mark.parametrize("name", MATRICES)
def test_depths_of_sums(name):
    X = MATRICES[name]
    A = as_it_is(prepared(X)).rows
    longest = max(np.diff(X.tocsr().indptr).max(), 1)
    assert _loosest(A) == (X.nnz, longest, longest)
    most = np.bincount(X.tocoo().col, minlength=1).max(initial=0)
    repeated = longest if "duplicates" in name else 1
    assert _sharp(A, X.shape[1]) == (most, longest, repeated)


def test_read_only_and_strided_arrays_are_taken():
    X = prepared(MATRICES["csr"])
    for name in ("data", "indices", "indptr"):
        twice = np.repeat(getattr(X, name), 2)[::2]
        twice.flags.writeable = False
        setattr(X, name, twice)
    A = as_it_is(X).rows
    assert all(one.flags.writeable and one.flags.c_contiguous for one in A)
    np.testing.assert_array_equal(A[0], X.data)
    np.testing.assert_array_equal(A[1], X.indices)


@pytest.mark.parametrize("scale", [1.0, 30.0, 800.0])
def test_margins(scale):
    m = scale * np.linspace(-1.0, 1.0, 101)
    dm = np.linspace(3.0, -2.0, 101)
    s, h = np.empty(101), np.empty(101)
    loss, total = evaluate(m, s, h)
    np.testing.assert_allclose(s, expit(-m), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(
        h, expit(m) * expit(-m), rtol=1e-12, atol=1e-300
    )
    assert loss == pytest.approx(np.logaddexp(0.0, -m).sum(), rel=1e-14)
    assert total == pytest.approx(h.sum(), rel=1e-13)
    mass, slope, bend, size, total = evaluate_along(m, dm, 0.7, s, h)
    x = m + 0.7 * dm
    assert size == pytest.approx((expit(-x) * abs(dm)).sum(), rel=1e-12)
    assert mass == pytest.approx(expit(-x).sum(), rel=1e-14)
    assert slope == pytest.approx(-(expit(-x) * dm).sum(), rel=1e-12)
    assert bend == pytest.approx(
        (expit(x) * expit(-x) * dm**2).sum(), rel=1e-12
    )


def test_search_finds_the_minimum():
    rng = np.random.default_rng(0)
    m, dm = rng.standard_normal(50), rng.standard_normal(50) + 0.3
    s, h = np.empty(50), np.empty(50)
    start = -(expit(-m) * dm).sum()
    t, mass, _ = search(m, dm, expit(-m), (start, 0.1), 0.01, s, h)
    slope = -(expit(-m - t * dm) * dm).sum() + 0.1 * t
    assert abs(slope) <= -0.01 * start
    assert mass == pytest.approx(expit(-m - t * dm).sum())
    np.testing.assert_allclose(s, expit(-m - t * dm), rtol=1e-10)


@pytest.mark.parametrize("start", [0.0, 40.0, -700.0])
def test_best_shift_balances_the_classes(start):
    rng = np.random.default_rng(0)
    y = np.where(rng.random(80) < 0.1, 1.0, -1.0)
    m = 3.0 * rng.standard_normal(80) + y * start
    before = m.copy()
    s, h = np.empty(80), np.empty(80)
    shift, loss, _ = best_shift(m, y, s, h)
    np.testing.assert_allclose(m, before + y * shift, atol=1e-9)
    assert abs((y * s).sum()) < 1e-10
    assert loss == pytest.approx(np.logaddexp(0.0, -m).sum())


@pytest.mark.parametrize("name", ["csr", "unsorted, duplicates"])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_factor_solves_with_the_hessian(name, intercept, dtype):
    A, order = packed(MATRICES[name], np.float64)
    dense = MATRICES[name].toarray()[order]
    n, p = dense.shape
    check_factor(A, dense, n, p, intercept, dtype)


@pytest.mark.parametrize("intercept", [False, True])
def test_factor_eliminates_categories(intercept):
    rng = np.random.default_rng(0)
    n, p = 300, 80
    X = sparse.hstack([
        sparse.csr_matrix(
            (rng.random(n), rng.integers(0, 70, n), np.arange(n + 1)),
            shape=(n, 70),
        ),
        sparse.csr_matrix(rng.standard_normal((n, p - 70))),
    ]).tocsr()
    A, order = packed(X, np.float64)
    plan = check_factor(
        A, X.toarray()[order], n, p, intercept, np.float64
    )
    assert plan.q == 10 + intercept


def test_factor_of_eliminated_columns_alone():
    X = sparse.csr_matrix(np.eye(6))
    A, order = packed(X, np.float64)
    plan = check_factor(A, np.eye(6)[order], 6, 6, False, np.float64)
    assert plan.q == 0


def check_factor(A, dense, n, p, intercept, dtype):
    rng = np.random.default_rng(1)
    h, l2 = rng.random(n), 0.3
    design = np.c_[dense, np.ones(n)] if intercept else dense
    H = design.T @ (h[:, None] * design)
    H[range(p), range(p)] += l2
    plan = make_plan(A, p, intercept)
    factor = factorize(A, h, l2, intercept, plan, dtype)
    r = np.zeros(p + 1)
    r[:len(H)] = rng.standard_normal(len(H))
    x = r.copy()
    solve(factor, intercept, x)
    tolerance = 1e-9 if dtype == np.float64 else 1e-2
    np.testing.assert_allclose(
        x[:len(H)], np.linalg.solve(H, r[:len(H)]), rtol=tolerance,
        atol=tolerance,
    )
    return plan


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("inactive", [0.0, 0.6])
def test_newton_direction(inactive, intercept):
    """Rows of little curvature add to the diagonal of H only."""
    A, order = packed(MATRICES["csr"], np.float64)
    dense = MATRICES["csr"].toarray()[order]
    n, p = dense.shape
    rng = np.random.default_rng(1)
    h, l2 = 0.1 + rng.random(n), 0.3
    few = rng.random(n) < inactive
    h[few] = 1e-3 * rng.random(few.sum())
    design = np.c_[dense, np.ones(n)]
    H = design[~few].T @ (h[~few, None] * design[~few])
    H[range(p + 1), range(p + 1)] += h[few] @ design[few] ** 2
    H[range(p), range(p)] += l2
    q = p + intercept
    g = rng.standard_normal(p + 1)
    g[q:] = 0.0
    inverse = np.empty(p + 1)
    diagonal(A, h, l2, intercept, inverse, np.empty(n))
    V, M = np.empty((6, p + 1)), np.empty((9, n))
    M[2] = h
    d, dm, passes = _newton_direction(
        A, (np.empty(n), l2, intercept, 0.0), (np.empty(p + 1), g, V, M),
        (inverse, None),
    )
    np.testing.assert_allclose(
        d[:q], -np.linalg.solve(H[:q, :q], g[:q]), rtol=1e-8, atol=1e-10
    )
    np.testing.assert_allclose(dm, design @ d, rtol=1e-8, atol=1e-10)
    assert 0 < passes <= 60


@numba.njit
def _newton_direction(A, given, x, scaling):
    """Call it as compiled code does."""
    y, l2, intercept, unit = given
    point = _point_of(x)
    passes = newton_direction(
        A, Problem(y, l2, intercept, unit), point, scaling, 1e-12, 200,
        x[2][2:],
    )
    return point.d, point.dm, passes
