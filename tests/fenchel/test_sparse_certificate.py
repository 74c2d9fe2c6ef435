"""What a sparse fit claims is true, and no structure makes it read beyond."""
import warnings

import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.linalg.packing import as_it_is, pack
from benchmark_utils.fenchel.newton.sparse.fit import fit_sparse
from benchmark_utils.fenchel.newton.sparse.point import certify, weigh
from benchmark_utils.fenchel.result import REACHED, Problem
from sparse_fits import prepared

LONG = np.longdouble
KINDS = [
    "scale", "rows", "columns", "copies", "repeated", "empty", "full",
    "ones", "heavy", "integers", "zeros", "float32", "csc", "int64",
]


def divergence(a, s, m):
    """kl(a || s) in longdouble, s = sigmoid(-m)."""
    e = np.exp(-abs(m))
    rest = np.where(m > 0, 1, e) / (1 + e)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(a > 0, a * np.log(a / s), 0)
        return first + (1 - a) * np.log1p((s - a) / rest)


def naive(problem, x):
    """(F, gap) from the definition, in longdouble."""
    # repeated entries add up in float64
    X = problem.X.astype(np.float64).toarray().astype(LONG)
    y, l2 = problem.y, LONG(problem.l2)
    w = x[:X.shape[1]].astype(LONG)
    m = y * (X @ w + (LONG(x[-1]) if problem.intercept else 0))
    e = np.exp(-abs(m))
    a = s = np.where(m > 0, e, 1) / (1 + e)
    price = 0
    if problem.intercept:
        masses = s[y > 0].sum(), s[y < 0].sum()
        with np.errstate(invalid="ignore"):
            c = min(masses) / np.array(masses)
        a = s * np.where(y > 0, *c)
        price = np.maximum(divergence(a, s, m), 0).sum()
    left = l2 * w - X.T @ (y * a)
    value = (np.log1p(e) + np.maximum(-m, 0)).sum() + l2 / 2 * (w @ w)
    return value, price + left @ left / (2 * l2)


def repeated(rng, X):
    """Every entry as two, the second ones backwards."""
    indices, data = [], []
    for i in range(X.shape[0]):
        part = slice(X.indptr[i], X.indptr[i + 1])
        share = rng.standard_normal(part.stop - part.start)
        indices += [X.indices[part], X.indices[part][::-1]]
        data += [X.data[part] * share, (X.data[part] * (1 - share))[::-1]]
    return sparse.csr_matrix(
        (np.concatenate(data), np.concatenate(indices), 2 * X.indptr),
        shape=X.shape,
    )


def design(rng, kinds):
    n = int(10 ** rng.uniform(0.6, 2.4))
    p = int(10 ** rng.uniform(0.4, 2.4))
    X = sparse.random(
        n, p, rng.uniform(0.02, 0.4), random_state=rng, format="csr",
        data_rvs=rng.standard_normal,
    )
    if "ones" in kinds:
        X.data[:] = 1.0
    if "integers" in kinds:
        X.data = np.round(3.0 * X.data)
    if "heavy" in kinds:
        X.data = rng.standard_cauchy(X.nnz)
    if "rows" in kinds:
        X = sparse.diags(10.0 ** rng.uniform(-4, 4, n)) @ X
    if "columns" in kinds:
        X = X @ sparse.diags(10.0 ** rng.uniform(-6, 6, p))
    if "copies" in kinds:
        X = sparse.hstack([X, X[:, rng.integers(0, p, p // 2 + 1)]])
    if "empty" in kinds:
        X = sparse.vstack([X, sparse.csr_matrix((n // 3 + 1, X.shape[1]))])
    if "scale" in kinds:
        X = X * 10.0 ** rng.uniform(-8, 8)
    if "full" in kinds:
        column = rng.standard_normal((X.shape[0], 1))
        column += 10.0 ** rng.uniform(0, 9)
        X = sparse.hstack([X, column])
    X = X.tocsr()
    if "repeated" in kinds:
        X = repeated(rng, X)
    if "zeros" in kinds:
        X.data[rng.random(len(X.data)) < 0.2] = 0.0
    return X


def random_problem(seed):
    rng = np.random.default_rng(seed)
    kinds = set(rng.choice(KINDS, rng.integers(0, 5), replace=False).tolist())
    X = design(rng, kinds)
    n, p = X.shape
    z = X @ rng.standard_normal(p)
    z = (z - z.mean()) / max(z.std(), 1e-300) * rng.choice([0, 1, 5, 30])
    y = np.where(z + rng.logistic(size=n) > 0, 1.0, -1.0)
    if rng.random() < 0.15:
        y[:] = -1.0
    y[:2] = 1.0, -1.0
    l2 = 10.0 ** rng.uniform(-12, 12 if rng.random() < 0.5 else 2)
    if "float32" in kinds:
        X = X.astype(np.float32)
    if "csc" in kinds:
        X = X.tocsc()
    if "int64" in kinds:
        X.indices = X.indices.astype(np.int64)
        X.indptr = X.indptr.astype(np.int64)
    tol = 10.0 ** rng.choice([-4, -8, -8, -11])
    start = None
    if rng.random() < 0.2:
        start = rng.standard_normal(p + 1) * 10.0 ** rng.uniform(-9, 2)
    return Problem(
        X, y, l2, bool(rng.random() < 0.5), tol, 1000, rng.random() < 0.8
    ), start


@pytest.mark.parametrize("first", range(0, 400, 40))
def test_the_gap_is_a_bound(first):
    for seed in range(first, first + 40):
        problem, start = random_problem(seed)
        p = problem.X.shape[1]
        at_start = np.zeros(p + problem.intercept)
        if start is not None:
            at_start = start = start[:p + problem.intercept]
        before = problem.X.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome = fit_sparse(
                problem._replace(X=prepared(problem.X)), start
            )
        value, gap = naive(problem, outcome.x)
        # the logarithms of the oracle cancel to the digits of longdouble
        room = 1e-17 * value
        assert gap <= outcome.gap * (1 + 1e-9) + room, (seed, problem)
        assert outcome.value == pytest.approx(float(value), rel=1e-6)
        first_value = min(
            naive(problem, x)[0] for x in (at_start, 0.0 * at_start)
        )
        assert value <= first_value * (1 + 1e-9), (seed, problem)
        if outcome.status == REACHED:
            # but for rounding, for which `outcome.gap` has room
            assert gap <= problem.tol * value or outcome.gap > (
                problem.tol * value
            )
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(
                getattr(problem.X, name), getattr(before, name)
            )


@pytest.mark.parametrize("copy", [False, True])
def test_what_is_told_of_a_wide_range_of_points(copy):
    rng = np.random.default_rng(0)
    for k in range(60):
        problem, _ = random_problem(1000 + k)
        source = as_it_is(prepared(problem.X))
        packed = pack(source.rows, np.float32) if copy else source
        y = problem.y[packed.order] if copy else problem.y
        n, p = problem.X.shape
        square = (source.rows[0] ** 2).sum()
        w = rng.standard_normal(p + 1) * 10.0 ** rng.uniform(-12, 3)
        w[p] *= problem.intercept
        g, M = np.empty(p + 1), np.empty((6, n))
        found, found_gap, bound, _ = certify(
            source.rows, packed.order,
            (y, problem.l2, problem.intercept, square, problem.tol), w, g, M,
        )
        value, gap = naive(problem, w if problem.intercept else w[:p])
        assert found == pytest.approx(float(value), rel=1e-6)
        assert g[p] == 0.0
        # margins of 1e9 and more leave no number of the oracle
        assert not bound < gap * (1 - 1e-9) - 1e-17 * value
        # rounding of large margins is in the bound alone
        assert found_gap > (1 - 1e-3) * gap or w.max() > 1.0 or gap < 1e-8
        margins = problem.y * (problem.X @ w[:p] + w[p] * problem.intercept)
        if copy:
            margins = margins[packed.order]
        np.testing.assert_allclose(
            M[0], margins, atol=1e-6 * max(abs(margins).max(), 1.0)
        )


@pytest.mark.parametrize("b", [0.0, 36.0, -36.7, 300.0, -800.0])
@pytest.mark.parametrize("spread", [0.0, 1.0, 40.0, 800.0, 2e3])
def test_balanced_weights_pay_what_they_cost(b, spread):
    """Also where no intercept balances the classes to the last digit."""
    rng = np.random.default_rng(0)
    n = 50
    y = np.where(rng.random(n) < 0.2, 1.0, -1.0)
    z = spread * rng.standard_normal(n)
    m, s, h, r = np.empty((4, n))
    b, loss, _, price, mass = weigh(z, y, b, True, m, s, h, r)
    np.testing.assert_allclose(m, y * (z + b), rtol=1e-12, atol=1e-9)
    assert abs(r.sum()) <= 1e-14 * n
    assert mass == pytest.approx(abs(r).sum())
    exact = y * (z.astype(LONG) + LONG(b))
    e = np.exp(-abs(exact))
    weights = np.where(exact > 0, e, 1) / (1 + e)
    dual = np.minimum(abs(r).astype(LONG), weights)
    kl = divergence(dual, weights, exact)
    assert np.maximum(kl, 0).sum() <= price * (1 + 1e-9) + 1e-17
    assert loss == pytest.approx(np.logaddexp(0.0, -m).sum())


def broken(kind):
    """A valid matrix with one fault in its structure."""
    X = sparse.random(30, 40, 0.2, random_state=0, format="csr")
    if kind.endswith("csc"):
        X = X.tocsc()
    if kind.startswith("index of a million"):
        X.indices[3] = 10**6
    elif kind.startswith("index below zero"):
        X.indices[3] = -5
    elif kind.startswith("index of one too many"):
        X.indices[3] = X.shape[0 if X.format == "csc" else 1]
    elif kind.startswith("short"):
        X.indptr = X.indptr[:-3].copy()
    elif kind.startswith("back"):
        X.indptr[4], X.indptr[5] = X.indptr[5], X.indptr[4] - 1
    elif kind.startswith("negative"):
        X.indptr[0] = -4
    elif kind.startswith("beyond"):
        X.indptr[-1] += 10**6
    elif kind.startswith("few indices"):
        X.indices = X.indices[:-7].copy()
    elif kind.startswith("few data"):
        X.data = X.data[:-7].copy()
    return X


@pytest.mark.parametrize("form", ["csr", "csc"])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("kind", [
    "index of a million", "index below zero", "index of one too many",
    "short", "back", "negative", "beyond", "few indices", "few data",
])
def test_a_broken_structure_is_refused(kind, copy, wide, form):
    X = broken(f"{kind} {form}")
    if "index" in kind:
        X.indices = X.indices.astype(np.int64 if wide else np.int32)
    y = np.where(np.arange(30) < 12, 1.0, -1.0)
    with pytest.raises(ValueError, match="broken structure"):
        fit_logistic(X, y, 0.0, 1.0, True, float32_copy=copy)


@pytest.mark.parametrize("form", ["csr", "csc"])
@pytest.mark.parametrize("copy", [False, True])
def test_what_is_behind_the_last_pointer_is_no_entry(form, copy):
    X = sparse.random(30, 40, 0.2, random_state=0).asformat(form)
    y = np.where(np.arange(30) < 12, 1.0, -1.0)
    expected = fit_sparse(Problem(prepared(X), y, 1.0, True, 1e-8, 100, copy))
    longer = X.copy()
    longer.data = np.r_[X.data, np.nan, np.inf]
    longer.indices = np.r_[X.indices, 10**6, -3].astype(np.int32)
    found = fit_sparse(
        Problem(prepared(longer), y, 1.0, True, 1e-8, 100, copy)
    )
    np.testing.assert_array_equal(found.x, expected.x)
    assert found.gap == expected.gap


@pytest.mark.parametrize("first", [5e-4, 1e-3, 1e-2, 1.0])
def test_a_start_of_margins_that_underflow_is_no_error(first):
    """Weights of zero once made the gap no number, and an error of it."""
    X = sparse.csr_matrix([[7e5, 0.0, 1.0], [0.0, -1e4, 2.0]])
    y = np.array([1.0, -1.0])
    start = np.array([first, 3e-2, 0.0, -1.0])
    for l2 in (1e-8, 1.0):
        problem = Problem(X, y, l2, True, 1e-8, 1000, True)
        outcome = fit_sparse(problem, start)
        value, gap = naive(problem, outcome.x)
        assert gap <= outcome.gap * (1 + 1e-9)
        assert value <= naive(problem, start)[0] * (1 + 1e-9)
