"""A Cholesky factor of a Gram matrix plus ridge, scaled to unit diagonal.

With the columns scaled by 1 / sqrt(H_jj) the factor does not see the units
of the features; what remains is their correlation.
"""
import math

import numpy as np

from ..compilation import LOOPS, njit

# Added to the unit diagonal where the matrix is not positive definite to
# working precision: the factor is then a preconditioner only.
_JITTER = 1e-7


@njit
def _try_cholesky(C, L):
    try:
        L[:] = np.linalg.cholesky(C)
    except Exception:  # noqa: BLE001
        return False
    return True


@njit
def factorize(C, q, ridge, scale, L):
    """Factor D (C + diag(ridge)) D, D = diag(scale), of a Gram matrix.

    Parameters
    ----------
    C : array of shape (width, width), the upper triangle given; changed
    q : int
        Columns in use.
    ridge : array of shape (q,), float64
    scale : array of shape (q,), float64, written
        1 / sqrt(C_jj + ridge_j).
    L : array of shape (q, q), C's dtype, written

    Returns
    -------
    float
        The jitter that was needed; 0.0 as a rule, -1.0 where none helped.
    """
    for j in range(q):
        diagonal = C[j, j] + ridge[j]
        scale[j] = 1.0 / math.sqrt(diagonal) if diagonal > 0.0 else 0.0
    for i in range(q):
        for j in range(i, q):
            value = C[i, j] * scale[i] * scale[j]
            C[i, j] = value
            C[j, i] = value
        C[i, i] = 1.0
    square = C[:q, :q]
    jitter = 0.0
    for attempt in range(8):
        if _try_cholesky(square, L):
            return jitter
        jitter = _JITTER if jitter == 0.0 else 10.0 * jitter
        for i in range(q):
            square[i, i] = 1.0 + jitter
    return -1.0


@njit(fastmath=LOOPS)
def solve(L, scale, r, work, out):
    """out = D L^-T L^-1 D r, all float64 but L and work (L's dtype)."""
    q = r.size
    largest = 0.0
    for j in range(q):
        largest = max(largest, abs(r[j] * scale[j]))
    if largest == 0.0:
        out[:] = 0.0
        return
    for i in range(q):
        row = L[i]
        total = work.dtype.type(0)
        for j in range(i):
            total += row[j] * work[j]
        work[i] = (r[i] * scale[i] / largest - total) / row[i]
    for i in range(q - 1, -1, -1):
        row = L[i]
        value = work[i] / row[i]
        work[i] = value
        for j in range(i):
            work[j] -= value * row[j]
    for j in range(q):
        out[j] = work[j] * scale[j] * largest
