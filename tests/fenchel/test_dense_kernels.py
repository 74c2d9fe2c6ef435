"""The compiled kernels, each against NumPy."""
import platform

import numba
import numpy as np
import pytest

from benchmark_utils import sources
from benchmark_utils.fenchel.datafits.margins import (
    evaluate,
    evaluate_along,
    evaluate_step,
)
from benchmark_utils.fenchel.linalg.cholesky import factorize, solve
from benchmark_utils.fenchel.linalg.cpu import converts_halves, register_bytes
from benchmark_utils.fenchel.linalg.gram import (
    PANEL,
    gram_reference,
    padded,
    weighted_gram,
)
from benchmark_utils.fenchel.linalg.half_precision import column_scales
from benchmark_utils.fenchel.linalg.products import block_rows
from benchmark_utils.fenchel.line_search import next_trial, search
from benchmark_utils.fenchel.newton.dense.certificate import certified
from benchmark_utils.fenchel.newton.dense.factor import Factor, make_factor
from benchmark_utils.fenchel.newton.dense.reads import (
    Along,
    Change,
    FirstRead,
    Gradient,
    Rows,
    Trial,
)
from benchmark_utils.fenchel.newton.dense.threads import read_by
from benchmark_utils.problem import loss as naive
from benchmark_utils.problem.certificate import certify

RNG = np.random.default_rng(0)
EXTREME = [-800.0, -700.0, -30.0, -1e-300, 0.0, 1e-9, 30.0, 700.0, 800.0]


@pytest.mark.parametrize("n", [1, 7, 8, 100, 1001])
def test_weights_and_loss(n):
    margins = RNG.standard_normal(n) * 20
    margins[:min(n, len(EXTREME))] = EXTREME[:n]
    s, h = np.empty(n), np.empty(n)
    loss, total_h = evaluate(margins, s, h)
    assert loss == pytest.approx(naive.log_loss(margins), rel=1e-14)
    # exp(-800) is cut at exp(-700), 1e-304
    np.testing.assert_allclose(
        s, naive.dual_weights(margins), rtol=2e-15, atol=1e-303
    )
    np.testing.assert_allclose(
        h, naive.curvature(margins), rtol=2e-15, atol=1e-303
    )
    assert total_h == pytest.approx(h.sum(), rel=1e-14)
    # the same at the end of a step
    dm, (m_new, s_new, h_new) = np.zeros(n), np.empty((3, n))
    mass, slope, total_h = evaluate_step(margins, dm, 1.0, m_new, s_new, h_new)
    assert mass == pytest.approx(s.sum(), rel=1e-14)
    assert total_h == pytest.approx(h.sum(), rel=1e-14)
    assert slope == 0.0
    assert (m_new == margins).all()
    close(s_new, s, 1e-15)
    close(h_new, h, 1e-15)


def test_slope_by_finite_differences():
    m, d = RNG.standard_normal((2, 50))
    s, h, m_new = np.empty((3, 50))
    for t in (0.0, 0.7, 3.0):
        mass, slope, bend, size, total_h = evaluate_along(m, d, t, s, h)
        e = 1e-5
        up, down = (naive.log_loss(m + (t + s) * d) for s in (e, -e))
        assert slope == pytest.approx((up - down) / (2 * e), abs=1e-8)
        above, below = (
            evaluate_along(m, d, t + s, *np.empty((2, 50)))[1]
            for s in (e, -e)
        )
        assert bend == pytest.approx((above - below) / (2 * e), abs=1e-7)
        close(s, naive.dual_weights(m + t * d), 1e-14)
        close([mass, total_h], [s.sum(), h.sum()], 1e-12)
        assert size == pytest.approx(s @ abs(d))
        again = evaluate_step(m, d, t, m_new, s, h)
        close(again, [mass, slope, total_h], 1e-12)
        close(m_new, m + t * d, 1e-14)


def test_search():
    for size in (1e-3, 0.1, 1.0, 30.0, 1e4):
        m, d = RNG.standard_normal((2, 200))
        d = size * (d + 0.3 * np.abs(d))
        s, h = np.empty((2, 200))
        evaluate(m, s, h)
        start = -s @ d
        s_new, h_new = np.empty((2, 200))
        t, mass, total_h = search(
            m, d, s, (start, 0.01), 1e-8, s_new, h_new, 1.0
        )
        slope = -s_new @ d + 0.01 * t
        assert t > 0
        assert abs(slope) <= 0.02 * abs(start)
        close(s_new, naive.dual_weights(m + t * d), 1e-12)
        close([mass, total_h], [s_new.sum(), h_new.sum()], 1e-12)


def test_next_trial_stays_in_the_bracket():
    assert next_trial(1.0, -1.0, 2.0, 1.0, np.inf) == 1.5
    assert next_trial(1.0, -1.0, 1e-9, 1.0, np.inf) == 10.0
    assert next_trial(1.0, -1.0, 0.0, 1.0, np.inf) == 2.0
    assert next_trial(4.0, 1.0, 0.1, 1.0, 4.0) == 2.5
    assert next_trial(4.0, 1.0, 0.1, 0.0, 4.0) == 0.4
    assert next_trial(4.0, 1.0, 1.0, 0.0, 4.0) == 3.0


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n, p", [
    (1, 1), (3, 2), (40, 7), (300, 16), (513, 33), (700, 65), (90, 130),
])
def test_gram(n, p, stored, intercept):
    X = RNG.standard_normal((n, p)).astype(stored)
    dtype = np.float32 if stored == np.float16 else stored
    A = X.view(np.uint16) if stored == np.float16 else X
    count = max(n * 2 // 3, 1)
    rows = RNG.permutation(n)
    roots = RNG.random(n)
    q = p + intercept
    width = -(-padded(q, dtype) // 8) * 8
    panel = np.zeros((PANEL, width), dtype)
    C = np.full((width, width), 7, dtype)
    weighted_gram(A, p, roots, rows, count, intercept, panel, C)
    expected = gram_reference(X, roots, rows, count, intercept)
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(
        np.triu(C[:q, :q]), np.triu(expected), rtol=tolerance,
        atol=tolerance,
    )


SIZES = [(1, 1), (9, 3), (37, 60), (600, 51), (70, 200), (20, 3000), (3000, 7)]


def design(n, p, dtype):
    X = RNG.standard_normal((n, p)) * (RNG.random((n, p)) < 0.5)
    X[n // 2] = 0.0
    return X.astype(dtype), np.where(RNG.random(n) < 0.5, 1.0, -1.0)


def close(a, b, tolerance):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@numba.njit
def gradient_of(X, y, w, b, V, part, out):
    return read_by(None, Rows(X, X, y, V, V[8]), Gradient(w, b, 3), part, out)


@numba.njit
def first_read_of(X, A, y, zoom, V, part, out):
    return read_by(
        None, Rows(X, A, y, V, V[8]), FirstRead(True, zoom), part, out
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", SIZES)
def test_gradients(n, p, dtype):
    """In float64, whatever the data are."""
    X, y = design(n, p, dtype)
    w, b = RNG.standard_normal(p) / np.sqrt(p), 0.25
    V, part, out = np.full((9, n), np.nan), np.empty(p), np.zeros(p)
    loss, grad_b, total_h, _ = gradient_of(X, y, w, b, V, part, out)
    margins = naive.predict_margins(X.astype(float), y, w, b)
    expected, expected_b = naive.gradient(X.astype(float), y, margins)
    close(V[3], margins, 1e-12)
    close(V[4], naive.dual_weights(margins), 1e-12)
    close(out, expected, 1e-11)
    close(grad_b, expected_b, 1e-11)
    close(loss, naive.log_loss(margins), 1e-12)
    close(total_h, naive.curvature(margins).sum(), 1e-12)

    # at w = 0, with a copy and the squares on the way
    scale = 2.0 ** RNG.integers(-3, 3, p)
    for stored in (np.float32, np.float16):
        A, both = np.empty((n, p), stored), np.zeros(2 * p)
        as_stored = A.view(np.uint16) if stored == np.float16 else A
        first_read_of(X, as_stored, y, scale, V, part, both)
        close(both[:p], -0.5 * X.astype(float).T @ y, 1e-11)
        close(both[p:], (X.astype(float) ** 2).sum(axis=0), 1e-11)
        expected = X * scale if stored == np.float16 else X
        np.testing.assert_array_equal(
            A, expected.astype(np.float32).astype(stored)
        )


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("size", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", SIZES)
def test_a_certificate_is_true(n, p, dtype, size, fit_intercept):
    """F and the gap of w as the referee has them, and a bound above."""
    X, y = design(n, p, dtype)
    w = size * RNG.standard_normal(p + fit_intercept)
    squares = (X.astype(float) ** 2).sum()
    gap, bound, value = certified(X, y, 0.3, w, squares)
    point = certify(
        X.astype(float), y, w[:p], w[p:].sum(), 0.0, 0.3, fit_intercept
    )
    assert value == pytest.approx(point.value, rel=1e-12)
    assert min(gap, value) == pytest.approx(point.gap, rel=1e-9)
    assert bound >= gap * (1 - 1e-15)
    assert bound == pytest.approx(gap, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_column_scales(dtype):
    """Exact powers of two that bring a column near 1."""
    sizes = 10.0 ** np.arange(-12, 13)
    X = (RNG.random((40, 25)) + 0.5) * sizes
    X[:, 7] = 0.0
    scale, unscale = np.empty((2, 25))
    column_scales(X.astype(dtype), scale, unscale)
    np.testing.assert_array_equal(scale * unscale, 1.0)
    np.testing.assert_array_equal(np.frexp(scale)[0], 0.5)
    scaled = np.delete(X * scale, 7, axis=1)
    assert 0.2 < scaled.min() and scaled.max() < 4.0
    assert scale[7] == 1.0
    # what float32 cannot hold is left alone
    X[:, 3] = 1e35
    column_scales(X, scale, unscale)
    assert scale[3] == 1.0


@pytest.mark.parametrize("name, halves, size", [
    ("skylake-avx512", True, 64), ("znver2", True, 32),
    ("sandybridge", False, 32), ("nehalem", False, 16),
])
@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="names of x86"
)
def test_what_a_cpu_has(name, halves, size):
    assert converts_halves(name, "") == halves
    assert register_bytes(name, "") == size


@numba.njit
def trial_of(A, y, v, numbers, V, work, out):
    c, part = work
    shift, size = numbers
    rows = Rows(A, A, y, V, c)
    return read_by(None, rows, Trial(v, shift, size, 1, 3), part, out)


@numba.njit
def in_two_reads(A, y, v, numbers, V, work, out):
    c, part = work
    shift, size = numbers
    rows = Rows(A, A, y, V, c)
    read_by(None, rows, Along(v, shift, size), part, out)
    return read_by(None, rows, Change(1, 4), part, out)[0]


@pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n, p", SIZES)
def test_steps(n, p, stored):
    """`Trial` in one read, `Along` and `Change` in two: the same."""
    X, y = design(n, p, stored)
    dtype = np.float32 if stored == np.float16 else stored
    A = X.view(np.uint16) if stored == np.float16 else X
    d, d_b, size = RNG.standard_normal(p), 0.5, 3.0
    v = (d / size).astype(dtype)
    V = np.full((8, n), np.nan)
    m, s, h, m_new, s_new, h_new, dm, _ = V
    m[:] = RNG.standard_normal(n)
    evaluate(m, s, h)
    c, part, out = np.empty(n, dtype), np.empty(p, dtype), np.zeros(p)
    mass, after, change, total_h = trial_of(
        A, y, v, (d_b / size, size), V, (c, part), out
    )
    tolerance = 2e-4 if dtype == np.float32 else 1e-11
    step = y * (X.astype(float) @ d + d_b)
    r = y * (s - s_new)
    close(dm, step, tolerance)
    close(m_new, m + step, tolerance)
    close(s_new, naive.dual_weights(m_new), 1e-12)
    close(mass, s_new.sum(), tolerance)
    close(total_h, h_new.sum(), tolerance)
    close(after, -s_new @ dm, tolerance)
    close(change, r.sum(), tolerance)
    close(out, X.astype(float).T @ r, tolerance * 10)

    before, total = dm.copy(), np.zeros(p)
    assert in_two_reads(
        A, y, v, (d_b / size, size), V, (c, part), total
    ) == pytest.approx(change)
    close(dm, before, tolerance)
    close(total, out, tolerance)


@numba.njit
def factor_of(X, h, sample, roots, buffers, ridge, rows):
    panel, C, scale = buffers
    factor = Factor(panel, C, rows, scale, ridge)
    return make_factor(X, h, False, sample, roots, factor)


@pytest.mark.parametrize("p", [1, 3, 40])
def test_a_sampled_factor_estimates_the_whole(p):
    """Rows with large curvature are all taken, the others by chance."""
    X, _ = design(4000, p, np.float64)
    h = np.where(np.arange(4000) % 100, 0.02, 0.25) * (RNG.random(4000) < 0.9)
    ridge, scale = np.full(p, 0.1), np.empty(p)
    width = -(-padded(p, np.float64) // 8) * 8
    panel, C = np.zeros((PANEL, width)), np.empty((width, width))
    rows = np.empty((2, 4000), np.int64)
    H = X.T @ (h[:, None] * X) + np.diag(ridge)
    for sample, tolerance, whole in [(10**5, 0.05, True), (900, 0.4, False)]:
        taken, all_rows = factor_of(
            X, h, sample, np.empty(4000), (panel, C, scale), ridge, rows
        )
        assert all_rows == whole
        assert 0 < taken <= sample
        factor = np.triu(C[:p, :p]).T / scale[:, None]
        ratio = np.linalg.eigvals(np.linalg.solve(H, factor @ factor.T))
        close(ratio, 1.0, tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("q", [1, 2, 17, 90])
def test_cholesky(q, dtype):
    B = RNG.standard_normal((2 * q + 3, q)) * 10.0 ** RNG.uniform(-3, 3, q)
    ridge = np.full(q, 0.1)
    H = B.T @ B + np.diag(ridge)
    width = -(-padded(q, dtype) // 8) * 8
    C = np.zeros((width, width), dtype)
    C[:q, :q] = np.triu(B.T @ B)
    scale = np.empty(q)
    assert factorize(C, q, ridge, scale) == 0.0
    r, out = RNG.standard_normal(q), np.empty(q)
    solve(C, scale, r, np.empty(q, dtype), out)
    np.testing.assert_allclose(
        (H @ out) * scale, r * scale,
        atol=(1e-3 if dtype == np.float32 else 1e-10) * abs(scale * r).max(),
    )


def test_singular_matrices_get_jitter():
    C, scale = np.ones((8, 8)), np.empty(8)
    assert factorize(C, 8, np.zeros(8), scale) > 0.0
    C = np.zeros((8, 8))
    assert factorize(C, 8, np.zeros(8), scale) == 0.0
    assert (scale == 0).all()


def test_each_version_of_numba_has_its_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    for version in ("0.60.0", "0.99.1"):
        monkeypatch.setattr(numba, "__version__", version)
        sources.use_own_numba_cache()
        assert version in numba.config.CACHE_DIR
    assert len(list(tmp_path.iterdir())) == 2


def test_groups_are_whole():
    for p in (1, 49, 500, 100_000):
        rows = block_rows(np.empty((1, p)))
        assert rows % 8 == 0
        assert rows >= 8
