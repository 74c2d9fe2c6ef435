"""By several threads the same numbers come out as by one."""
import numba
import numpy as np
import pytest

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.newton.dense import fit as dense_newton
from benchmark_utils.fenchel.newton.dense.reads import (
    Along,
    Change,
    FirstRead,
    Gradient,
    Rows,
    Trial,
)
from benchmark_utils.fenchel.newton.dense.threads import read_by
from benchmark_utils.problem.certificate import certify

# not a multiple of 8, and fewer rows than parts can take
ROWS = [803, 5]


def arrays(n, p, dtype):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, p)).astype(dtype)
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    v = rng.standard_normal(p)
    m, dm = rng.standard_normal(n), np.empty(n)
    return X, y, v, m, 1 / (1 + np.exp(m)), dm


@numba.njit
def reads(threads, X, y, v, w, V, W, work):
    """Each task once, with results of its own."""
    c, part, double = work
    p = v.size
    A = np.empty(X.shape, np.float32)
    rows = Rows(X, A, y, V, c)
    both = np.zeros(2 * p)
    read_by(threads, rows, FirstRead(True, w), double, both)
    out = np.ones(p)
    loss, total, total_h, _ = read_by(
        threads, rows, Gradient(w, 0.3, 3), double, out
    )
    of_x = Rows(X, X, y, W, c)
    changed = np.ones(p)
    mass, slope, change, last = read_by(
        threads, of_x, Trial(v, 0.1, 2.0, 1, 3), part, changed
    )
    again = np.ones(p)
    read_by(threads, of_x, Along(v, 0.1, 2.0), part, again)
    once_more, _, _, _ = read_by(threads, of_x, Change(1, 4), part, again)
    numbers = np.array([
        loss, total, total_h, mass, slope, change, last, once_more
    ])
    return A, both, out, changed, again, numbers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", ROWS)
def test_reads(n, dtype):
    p = 30
    X, y, v, m, s, _ = arrays(n, p, dtype)

    def call(threads):
        V, W = np.zeros((2, 9, n))
        W[0], W[1] = m, s
        return *reads(
            threads, X, y, v.astype(dtype), v, V, W,
            (np.empty(n, dtype), np.empty(p, dtype), np.empty(p)),
        ), V, W

    for one, three in zip(call(None), call(3), strict=True):
        np.testing.assert_allclose(one, three, rtol=1e-5, atol=1e-5)


# compiles the whole descent again: 20 s
@pytest.mark.slow
@pytest.mark.parametrize("shape", [(6001, 90), (300, 1800)])
@pytest.mark.parametrize("intercept", [False, True])
def test_fit(shape, intercept, monkeypatch):
    X, y, *_ = arrays(*shape, np.float64)
    before = X.copy()
    w, b, info = fit_logistic(X, y, fit_intercept=intercept, tol=1e-9)
    monkeypatch.setattr(dense_newton.DenseFit, "threads", lambda *_: 3)
    found = fit_logistic(X, y, fit_intercept=intercept, tol=1e-9)
    assert found[2]["converged"]
    metrics = certify(X, y, found[0], found[1], 0.0, 1.0, intercept)
    assert metrics.relative_gap <= 1e-9
    np.testing.assert_allclose(found[0], w, atol=1e-4)
    np.testing.assert_array_equal(X, before)


def test_as_many_as_numba_has():
    fit = dense_newton.DenseFit
    large, small = np.empty(2_000_000, np.uint8), np.empty(9)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        assert fit.threads(None, large) is None
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
        several = numba.get_num_threads()
        assert fit.threads(None, large) == (several if several > 1 else None)
        assert fit.threads(None, small) is None
    finally:
        numba.set_num_threads(before)
