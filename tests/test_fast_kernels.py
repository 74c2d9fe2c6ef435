"""The compiled kernels, each against NumPy."""
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from scipy import sparse

from benchmark_utils import dense_passes, passes, sparse_passes
from benchmark_utils import logistic as naive
from benchmark_utils.cholesky import factorize, solve
from benchmark_utils.gram_kernel import (
    PANEL,
    gram_reference,
    padded,
    weighted_gram,
)
from benchmark_utils.vector_math import (
    exact_step,
    loss_weights_curvature,
    slope_along,
)
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
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", [
    (1, 1), (3, 2), (40, 7), (300, 16), (513, 33), (700, 65), (90, 130),
])
def test_gram(n, p, dtype, intercept):
    X = RNG.standard_normal((n, p)).astype(dtype)
    count = max(n * 2 // 3, 1)
    rows = RNG.permutation(n)
    roots = RNG.random(n)
    q = p + intercept
    width = -(-padded(q, dtype) // 8) * 8
    panel = np.zeros((PANEL, width), dtype)
    C = np.full((width, width), 7, dtype)
    weighted_gram(X, p, roots, rows, count, intercept, panel, C)
    expected = gram_reference(X, roots, rows, count, intercept)
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(
        np.triu(C[:q, :q]), np.triu(expected), rtol=tolerance,
        atol=tolerance,
    )
    A = sparse_passes.as_rows(sparse.csr_matrix(X), dtype)
    D = np.empty_like(C)
    sparse_passes.weighted_gram(
        A, p, roots, rows, count, intercept, panel, D
    )
    np.testing.assert_allclose(
        np.triu(D[:q, :q]), np.triu(expected), rtol=tolerance,
        atol=tolerance,
    )


@njit
def all_passes(A, X, rows, count, v, shift, h, c, y, w, b):
    n, p = y.size, w.size
    out, products = np.zeros_like(v), np.zeros(n)
    scaled = np.zeros_like(c)
    Hb = passes.hessian_product(
        A, rows, count, v, shift, h, out, products, scaled
    )
    only = np.zeros(n)
    passes.products_only(A, rows, count, v, shift, only)
    transposed = np.zeros_like(v)
    passes.transposed_product(A, np.arange(n), c, transposed)
    squares = np.zeros(p)
    passes.add_squares(A, rows, count, h, squares)
    V = np.empty((4, n))
    gradient = np.empty(p)
    loss, gb = passes.exact_gradient(
        X, y, np.arange(n), w, b, V[0], V[1], V[2], V[3], gradient
    )
    return Hb, out, products, only, transposed, squares, loss, gb, gradient


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", [
    (1, 1), (9, 3), (37, 60), (600, 51), (70, 20), (20, 3000),
])
def test_passes(n, p, dtype, kind):
    X = RNG.standard_normal((n, p)) * (RNG.random((n, p)) < 0.5)
    X[n // 2] = 0.0
    rows = RNG.permutation(n)
    count = max(2 * n // 3, 1)
    y = np.where(RNG.random(n) < 0.5, 1.0, -1.0)
    h, c, w, v = RNG.random(n), RNG.random(n), *RNG.random((2, p))
    if kind == "dense":
        data, single = X, X.astype(dtype)
    else:
        data = sparse_passes.as_rows(sparse.csr_matrix(X), np.float64)
        single = sparse_passes.as_rows(sparse.csr_matrix(X), dtype)
    for taken in (count, n):
        Hb, out, products, only, transposed, squares, loss, gb, gradient = (
            all_passes(
                single, data, rows, taken, v.astype(dtype), 0.5, h,
                c.astype(dtype), y, w, 0.25,
            )
        )
        some = rows[:taken]
        tolerance = 2e-4 if dtype == np.float32 else 1e-11
        z = X[some] @ v + 0.5

        def close(a, b, tolerance=tolerance):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)

        close(products[some], z)
        close(only[some], z)
        close(out, X[some].T @ (h[some] * z))
        close(Hb, h[some] @ z)
        close(transposed, X.T @ c)
        close(squares, h[some] @ X[some] ** 2)
        margins = naive.predict_margins(X, y, w, 0.25)
        grad, grad_b = naive.gradient(X, y, margins)
        close(gradient, grad, 1e-10)
        close(gb, grad_b, 1e-10)
        close(loss, naive.log_loss(margins), 1e-12)


def test_unsorted_and_duplicate_entries():
    X = sparse.csr_matrix(
        (np.array([1.0, 2.0, 3.0, 4.0]), np.array([2, 0, 2, 1]),
         np.array([0, 3, 4])), shape=(2, 3),
    )
    A = sparse_passes.as_rows(X, np.float64)
    out = np.zeros(2)
    sparse_passes.dots(
        A, np.arange(2), 0, 2, np.array([1.0, 10.0, 100.0]), 0.0, out
    )
    assert out.tolist() == [402.0, 40.0]
    panel, C = np.zeros((PANEL, 8)), np.zeros((8, 8))
    sparse_passes.weighted_gram(
        A, 3, np.ones(2), np.arange(2), 2, False, panel, C
    )
    np.testing.assert_allclose(
        np.triu(C[:3, :3]), np.triu(X.toarray().T @ X.toarray())
    )


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


@pytest.mark.slow
def test_an_older_cpu(tmp_path):
    """The same kernels for a CPU without AVX-512, from a cold cache."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
         "-k", "not older_cpu", __file__,
         str(ROOT / "tests" / "test_fast_newton.py")],
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
        rows = dense_passes._group(np.empty((1, p)))
        assert rows % 8 == 0
        assert rows >= 8
