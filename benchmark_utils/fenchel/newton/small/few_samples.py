r"""Few samples of many features: a tiny problem of as many features.

The minimiser is w = X'a. With K = X X' = L L' and v = L'a the margins are
y (L v + b) and the penalty is lambda2 |v|^2 / 2, so that v solves the same
problem for L in the place of X, which has n features: `small.descent` takes
it. What reads X is K, once (the tiles of `small.hessian`, rows in the place of
columns), w and the pass that certifies.

C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning,
2006, section 3.4, https://gaussianprocess.org/gpml.
"""
import math

import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import add
from ...linalg import simd
from ...linalg.simd import LANES
from ...result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED
from ..dense.certificate import certified
from . import hessian
from .descent import fit_tiny
from .kernels import clear
from .layout import workspace_size
from .samples import whole_vectors

# Rows of unit norm: duplicated ones have a factor with this on the diagonal
_RAISE = 1e-14
# Features that are transposed at once
BLOCK = 256
_PITCH = BLOCK + LANES


@njit
def kernel_of_few(X):
    """Return X X' for X of shape (n, p), C order, as float64.

    31 x 5000 on AVX2: 0.22 ms, by NumPy 0.28.
    """
    n, p = X.shape
    width = (n + LANES) // LANES * LANES
    work = np.empty((n + 1) * _PITCH + n * width + LANES)
    A = simd.first_line(work)
    ones = A + n * _PITCH
    U = ones + _PITCH
    work[ones:ones + BLOCK] = 1.0
    clear(work, U, n * width)
    for first in range(0, p, BLOCK):
        count = min(p - first, BLOCK)
        padded = whole_vectors(count)
        for i in range(n):
            # indices from 0 on are not negative, which lets LLVM vectorise
            start = A + i * _PITCH
            row, target = X[i, first:first + count], work[start:start + padded]
            for j in range(count):
                target[j] = row[j]
            for j in range(count, padded):
                target[j] = 0.0
        hessian.add_gram(work, A, _PITCH, n, ones, padded, U, width)
    K = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            K[i, j] = K[j, i] = work[U + i * width + j]
    return K


@njit
def factor_of(K):
    """Return L, L L' = K but for 1e-14 of the diagonal; zero above it.

    31 x 31 in 7 us, by LAPACK 12, which would refuse duplicated rows.
    """
    n = len(K)
    L = np.zeros((n, n))
    norms = np.ones(n)
    for i in range(n):
        if K[i, i] > 0.0:
            norms[i] = math.sqrt(K[i, i])
    for i in range(n):
        for j in range(i + 1):
            total = K[i, j] / (norms[i] * norms[j])
            if i == j:
                total += _RAISE
            for k in range(j):
                total -= L[i, k] * L[j, k]
            if i == j:
                L[i, i] = math.sqrt(max(total, _RAISE))
            else:
                L[i, j] = total / L[j, j]
    for i in range(n):
        for j in range(i + 1):
            L[i, j] *= norms[i]
    return L


@njit(fastmath=LOOPS)
def _square_of_rest(X, y, a, w, l2):
    """Return |l2 w - X'(y a)|^2."""
    rest = l2 * w
    for i in range(y.size):
        add(-y[i] * a[i], X[i], rest)
    total = 0.0
    for j in range(w.size):
        total += rest[j] * rest[j]
    return total


@njit(fastmath=LOOPS)
def _margins(X, y, w, b, m):
    """Compute m_i = y_i (x_i'w + b)."""
    for i in range(y.size):
        total, row = b, X[i]
        for j in range(w.size):
            total += row[j] * w[j]
        m[i] = y[i] * total


@njit
def fit_few_samples(X, y, l2, intercept, tol, max_iter, x):
    """Minimise F, from zero, for fewer samples than features.

    Parameters
    ----------
    X : array of shape (n, p), C order, float32 or float64
        Not more samples than `small.descent` is the best for.
    y : array of shape (n,), float64, -1 and +1
    l2 : float, > 0
    intercept : bool
    tol : float
        Certified relative gap to reach.
    max_iter : int
    x : array of shape (p + intercept,), float64, written

    Returns
    -------
    iterations, passes, grams : int
        Passes over X besides the one for K, which is the Gram matrix.
    status : int
        REACHED, ITERATION_LIMIT or FLOAT64_LIMIT, where rounding in K or in
        its factor is too much for `tol`.
    gap, value : float
        A bound of the duality gap in exact arithmetic, and F.
    """
    n, p = X.shape
    K = kernel_of_few(X)
    L = factor_of(K)
    v = np.zeros(n + 1 if intercept else n)
    iterations, _, status, _, _ = fit_tiny(
        L.reshape(n * n), y, (0, n, 1, n, n, 0), l2, 0.1 * tol, max_iter,
        np.empty(workspace_size(n, v.size)), v,
    )
    w = x[:p]
    w[:] = 0.0
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            v[i] -= L[k, i] * v[k]
        v[i] /= L[i, i]
    for i in range(n):
        add(v[i], X[i], w)
    if intercept:
        x[p] = v[n]
    squares = 0.0
    for i in range(n):
        squares += K[i, i]
    plain, gap, value = certified(X, y, l2, x, squares)
    if plain <= tol * value:
        status = REACHED
    elif not value <= n * math.log(2.0):
        x[:] = 0.0
        plain, gap, value = certified(X, y, l2, x, squares)
        status = FLOAT64_LIMIT
    elif status != ITERATION_LIMIT:
        status = FLOAT64_LIMIT
    return iterations, 3 if intercept else 2, 1, status, gap, value
