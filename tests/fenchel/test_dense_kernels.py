"""The compiled kernels, each against NumPy."""
import os
import platform
import subprocess
import sys

import numba
import numpy as np
import pytest

from benchmark_utils import sources
from benchmark_utils.fenchel.datafits.margins import (
    exact_step,
    loss_weights_curvature,
    slope_along,
    weights_curvature,
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
from benchmark_utils.fenchel.newton.dense import products as dense_steps
from benchmark_utils.fenchel.newton.dense.factor import make_factor
from benchmark_utils.problem import loss as naive
from conftest import ROOT

RNG = np.random.default_rng(0)
EXTREME = [-800.0, -700.0, -30.0, -1e-300, 0.0, 1e-9, 30.0, 700.0, 800.0]


@pytest.mark.parametrize("n", [1, 7, 8, 100, 1001])
def test_weights_and_loss(n):
    margins = RNG.standard_normal(n) * 20
    margins[:min(n, len(EXTREME))] = EXTREME[:n]
    s, h = np.empty(n), np.empty(n)
    loss = loss_weights_curvature(margins, s, h)
    assert loss == pytest.approx(naive.log_loss(margins), rel=1e-14)
    again = np.empty((2, n))
    mass = weights_curvature(margins, *again)
    assert mass == pytest.approx(s.sum(), rel=1e-14)
    assert (again == [s, h]).all()
    # exp(-800) is cut at exp(-700), 1e-304
    np.testing.assert_allclose(
        s, naive.dual_weights(margins), rtol=2e-15, atol=1e-303
    )
    np.testing.assert_allclose(
        h, naive.curvature(margins), rtol=2e-15, atol=1e-303
    )


def test_slope_by_finite_differences():
    m, d = RNG.standard_normal((2, 50))
    for t in (0.0, 0.7, 3.0):
        first, second = slope_along(m, d, t)
        e = 1e-5
        up, down = (naive.log_loss(m + (t + s) * d) for s in (e, -e))
        assert first == pytest.approx((up - down) / (2 * e), abs=1e-8)
        above, below = (slope_along(m, d, t + s)[0] for s in (e, -e))
        assert second == pytest.approx((above - below) / (2 * e), abs=1e-7)


def test_exact_step():
    for size in (1e-3, 0.1, 1.0, 30.0, 1e4):
        m, d = RNG.standard_normal((2, 200))
        d = size * (d + 0.3 * np.abs(d))
        t = exact_step(m, d, 0.0, 0.01, 1e-8)
        slope, _ = slope_along(m, d, t)
        start, _ = slope_along(m, d, 0.0)
        assert t > 0
        assert abs(slope + 0.01 * t) <= 0.02 * abs(start)
        # against the slope there is no step
        assert exact_step(m, -d, 0.0, 0.01, 0.1) == 0.0


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", SIZES)
def test_gradients(n, p, dtype):
    """In float64, whatever the data are."""
    X, y = design(n, p, dtype)
    w, b = RNG.standard_normal(p) / np.sqrt(p), 0.25
    m, s, h, r = np.empty((4, n))
    part, out = np.empty(p), np.full(p, np.nan)
    loss, grad_b = dense_steps.exact_gradient(
        X, y, w, b, m, s, h, r, part, out
    )
    margins = naive.predict_margins(X.astype(float), y, w, b)
    expected, expected_b = naive.gradient(X.astype(float), y, margins)
    close(m, margins, 1e-12)
    close(out, expected, 1e-11)
    close(grad_b, expected_b, 1e-11)
    close(loss, naive.log_loss(margins), 1e-12)

    # at w = 0, with a copy and the squares on the way
    scale = 2.0 ** RNG.integers(-3, 3, p)
    for stored in (np.float32, np.float16):
        A, squares = np.empty((n, p), stored), np.empty(p)
        as_stored = A.view(np.uint16) if stored == np.float16 else A
        dense_steps.first_read(X, y, True, as_stored, scale, out, squares)
        close(out, -0.5 * X.astype(float).T @ y, 1e-11)
        close(squares, (X.astype(float) ** 2).sum(axis=0), 1e-11)
        expected = X * scale if stored == np.float16 else X
        np.testing.assert_array_equal(
            A, expected.astype(np.float32).astype(stored)
        )


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


@pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n, p", SIZES)
def test_steps(n, p, stored):
    """`trial` in one read, `along` and `gradient_change` in two: the same."""
    X, y = design(n, p, stored)
    dtype = np.float32 if stored == np.float16 else stored
    A = X.view(np.uint16) if stored == np.float16 else X
    d, d_b, t, size = RNG.standard_normal(p), 0.5, 0.7, 3.0
    v = (d / size).astype(dtype)
    m = RNG.standard_normal(n)
    s, h = np.empty((2, n))
    loss_weights_curvature(m, s, h)
    dm, m_new, s_new, h_new = np.empty((4, n))
    c, part, out = np.empty(n, dtype), np.empty(p, dtype), np.zeros(p)
    mass, before, after, change = dense_steps.trial(
        A, y, v, d_b / size, size, t, m, s, dm, m_new, s_new, h_new, c, part,
        out,
    )
    tolerance = 2e-4 if dtype == np.float32 else 1e-11
    step = y * (X.astype(float) @ d + d_b)
    r = y * (s - s_new)
    close(dm, step, tolerance)
    close(m_new, m + t * step, tolerance)
    close(mass, s_new.sum(), tolerance)
    close(before, -s @ dm, tolerance)
    close(after, -s_new @ dm, tolerance)
    close(change, r.sum(), tolerance)
    close(out, X.astype(float).T @ r, tolerance * 10)

    again, total = np.empty(n), np.zeros(p)
    dense_steps.along(A, y, v, d_b / size, size, again)
    close(again, dm, tolerance)
    assert dense_steps.gradient_change(
        A, y, s, s_new, c, part, total
    ) == pytest.approx(change)
    close(total, out, tolerance)


@pytest.mark.parametrize("n, p", SIZES)
def test_hessian_product(n, p):
    X, _ = design(n, p, np.float64)
    h, v = RNG.random(n), RNG.standard_normal(p)
    products, scaled = np.empty((2, n))
    part, out = np.empty(p), np.ones(p)
    total = dense_steps.hessian_product(
        X, v, 0.5, h, products, scaled, part, out
    )
    z = X @ v + 0.5
    close(products, z, 1e-11)
    close(out, 1 + X.T @ (h * z), 1e-10)
    close(total, h @ z, 1e-10)


@pytest.mark.parametrize("p", [1, 3, 40])
def test_a_sampled_factor_estimates_the_whole(p):
    """Rows with large curvature are all taken, the others by chance."""
    X, _ = design(4000, p, np.float64)
    h = np.where(np.arange(4000) % 100, 0.02, 0.25) * (RNG.random(4000) < 0.9)
    ridge, scale = np.full(p, 0.1), np.empty(p)
    width = -(-padded(p, np.float64) // 8) * 8
    panel, C = np.zeros((PANEL, width)), np.empty((width, width))
    L, rows = np.empty((p, p)), np.empty((2, 4000), np.int64)
    H = X.T @ (h[:, None] * X) + np.diag(ridge)
    for sample, tolerance, whole in [(10**5, 0.05, True), (900, 0.4, False)]:
        taken, all_rows = make_factor(
            X, h, ridge, False, sample, rows[0], rows[1], np.empty(4000),
            panel, C, L, scale,
        )
        assert all_rows == whole
        assert 0 < taken <= sample
        factor = L / scale[:, None]
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
    L, scale = np.empty((q, q), dtype), np.empty(q)
    assert factorize(C, q, ridge, scale, L) == 0.0
    r, out = RNG.standard_normal(q), np.empty(q)
    solve(L, scale, r, np.empty(q, dtype), out)
    np.testing.assert_allclose(
        (H @ out) * scale, r * scale,
        atol=(1e-3 if dtype == np.float32 else 1e-10) * abs(scale * r).max(),
    )


def test_singular_matrices_get_jitter():
    C = np.ones((8, 8))
    L, scale = np.empty((8, 8)), np.empty(8)
    assert factorize(C, 8, np.zeros(8), scale, L) > 0.0
    C = np.zeros((8, 8))
    assert factorize(C, 8, np.zeros(8), scale, L) == 0.0
    assert (scale == 0).all()


def test_each_version_of_numba_has_its_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    for version in ("0.60.0", "0.99.1"):
        monkeypatch.setattr(numba, "__version__", version)
        sources.use_own_numba_cache()
        assert version in numba.config.CACHE_DIR
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_an_older_cpu(tmp_path):
    """The same kernels for a CPU without AVX-512, from a cold cache."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
         "-k", "not older_cpu", __file__,
         str(ROOT / "tests" / "fenchel" / "test_fit.py")],
        cwd=ROOT, capture_output=True, text=True,
        env={
            **os.environ, "NUMBA_CPU_NAME": "haswell",
            "NUMBA_CPU_FEATURES": "", "OPENBLAS_CORETYPE": "Haswell",
            "NUMBA_CACHE_DIR": str(tmp_path),
        },
    )
    assert done.returncode == 0, done.stdout


def test_groups_are_whole():
    for p in (1, 49, 500, 100_000):
        rows = dense_steps.block_rows(np.empty((1, p)))
        assert rows % 8 == 0
        assert rows >= 8
