"""The reads of a dense X by several threads, each of a part of the rows.

`threads` is None for one thread: numba then compiles the plain call and
nothing that is parallel. Sums over the rows are added in the order of the
parts, so a result depends on the number of threads, by rounding, and not on
which of them was first.
"""
import numpy as np
from numba import prange

from ...compilation import njit
from .products import (
    along,
    exact_gradient,
    first_read,
    gradient_change,
    trial,
)


@njit
def _part(n, k, threads):
    """First and last row of a part, multiples of 8 but for the end."""
    rows = -(-n // (8 * threads)) * 8
    return min(k * rows, n), min((k + 1) * rows, n)


@njit
def _add_up(rows, out):
    """out += the sum of the rows; in a parallel function numba would start
    threads for that."""
    for k in range(rows.shape[0]):
        for j in range(out.size):
            out[j] += rows[k, j]


@njit(parallel=True)
def _first_read(threads, X, y, copy, A, scale, out, squares):
    n, p = X.shape
    grads, sums = np.empty((threads, p)), np.empty((threads, p))
    for k in prange(threads):
        i, j = _part(n, k, threads)
        first_read(
            X[i:j], y[i:j], copy, A[i:j], scale, grads[k], sums[k]
        )
    out[:] = 0.0
    squares[:] = 0.0
    _add_up(grads, out)
    _add_up(sums, squares)


@njit
def first_read_by(threads, X, y, copy, A, scale, out, squares):
    """`dense.products.first_read`."""
    if threads is None:
        first_read(X, y, copy, A, scale, out, squares)
    else:
        _first_read(threads, X, y, copy, A, scale, out, squares)


@njit(parallel=True)
def _exact_gradient(threads, X, y, w, b, m, s, h, r, part, out):
    n, p = X.shape
    parts = np.empty((threads, p), part.dtype)
    grads = np.empty((threads, p))
    sums = np.empty((threads, 2))
    for k in prange(threads):
        i, j = _part(n, k, threads)
        sums[k, 0], sums[k, 1] = exact_gradient(
            X[i:j], y[i:j], w, b, m[i:j], s[i:j], h[i:j], r[i:j], parts[k],
            grads[k],
        )
    out[:] = 0.0
    _add_up(grads, out)
    totals = np.zeros(2)
    _add_up(sums, totals)
    return totals[0], totals[1]


@njit
def exact_gradient_by(threads, X, y, w, b, m, s, h, r, part, out):
    """`dense.products.exact_gradient`."""
    if threads is None:
        return exact_gradient(X, y, w, b, m, s, h, r, part, out)
    return _exact_gradient(threads, X, y, w, b, m, s, h, r, part, out)


@njit(parallel=True)
def _trial(
    threads, A, y, v, shift, size, t, m, s, dm, m_new, s_new, h_new, c, part,
    out,
):
    n, p = A.shape
    parts = np.empty((threads, p), part.dtype)
    changes = np.zeros((threads, p))
    sums = np.empty((threads, 4))
    for k in prange(threads):
        i, j = _part(n, k, threads)
        sums[k, 0], sums[k, 1], sums[k, 2], sums[k, 3] = trial(
            A[i:j], y[i:j], v, shift, size, t, m[i:j], s[i:j], dm[i:j],
            m_new[i:j], s_new[i:j], h_new[i:j], c[i:j], parts[k], changes[k],
        )
    _add_up(changes, out)
    totals = np.zeros(4)
    _add_up(sums, totals)
    return totals[0], totals[1], totals[2], totals[3]


@njit
def trial_by(
    threads, A, y, v, shift, size, t, m, s, dm, m_new, s_new, h_new, c, part,
    out,
):
    """`dense.products.trial`."""
    if threads is None:
        return trial(
            A, y, v, shift, size, t, m, s, dm, m_new, s_new, h_new, c, part,
            out,
        )
    return _trial(
        threads, A, y, v, shift, size, t, m, s, dm, m_new, s_new, h_new, c,
        part, out,
    )


@njit(parallel=True)
def _along(threads, A, y, v, shift, size, dm):
    for k in prange(threads):
        i, j = _part(y.size, k, threads)
        along(A[i:j], y[i:j], v, shift, size, dm[i:j])


@njit
def along_by(threads, A, y, v, shift, size, dm):
    """`dense.products.along`."""
    if threads is None:
        along(A, y, v, shift, size, dm)
    else:
        _along(threads, A, y, v, shift, size, dm)


@njit(parallel=True)
def _gradient_change(threads, A, y, s, s_new, c, part, out):
    n, p = A.shape
    parts = np.empty((threads, p), part.dtype)
    changes = np.zeros((threads, p))
    sums = np.empty(threads)
    for k in prange(threads):
        i, j = _part(n, k, threads)
        sums[k] = gradient_change(
            A[i:j], y[i:j], s[i:j], s_new[i:j], c[i:j], parts[k], changes[k]
        )
    _add_up(changes, out)
    return sums.sum()


@njit
def gradient_change_by(threads, A, y, s, s_new, c, part, out):
    """`dense.products.gradient_change`."""
    if threads is None:
        return gradient_change(A, y, s, s_new, c, part, out)
    return _gradient_change(threads, A, y, s, s_new, c, part, out)
