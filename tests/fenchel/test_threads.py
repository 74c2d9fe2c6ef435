"""By several threads the same numbers come out as by one."""
import numba
import numpy as np
import pytest

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.newton.dense import fit as dense_newton
from benchmark_utils.fenchel.newton.dense import threads as dense_threads
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


def each(call):
    """What `call(threads)` gives for one and for three."""
    return call(None), call(3)


def compare(call):
    one, three = each(call)
    for a, b in zip(one, three, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", ROWS)
def test_reads(n, dtype):
    p = 30
    X, y, v, m, s, dm = arrays(n, p, dtype)
    part, c = np.empty(p, dtype), np.empty(n, dtype)

    def first(threads):
        A, out, squares = np.empty((n, p), np.float32), *np.empty((2, p))
        dense_threads.first_read_by(
            threads, X, y, True, A, np.ones(p), out, squares
        )
        return A, out, squares

    def gradient(threads):
        found, out = np.empty((4, n)), np.empty(p)
        totals = dense_threads.exact_gradient_by(
            threads, X, y, v, 0.3, *found, np.empty(p), out
        )
        return *totals, found, out

    def trial(threads):
        found, out = np.empty((4, n)), np.ones(p)
        totals = dense_threads.trial_by(
            threads, X, y, v.astype(dtype), 0.1, 2.0, 0.5, m, s, *found, c,
            part, out,
        )
        return *totals, found, out

    def along(threads):
        dense_threads.along_by(threads, X, y, v.astype(dtype), 0.1, 2.0, dm)
        return (dm.copy(),)

    def change(threads):
        out = np.ones(p)
        total = dense_threads.gradient_change_by(
            threads, X, y, s, s**2, c, part, out
        )
        return total, out

    for call in (first, gradient, trial, along, change):
        compare(call)


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
