"""A Cholesky factor of a Gram matrix plus ridge, scaled to unit diagonal.

With the columns scaled by 1 / sqrt(H_jj) the factor does not see the units
of the features; what remains is their correlation.
"""
import math

from ..compilation import LOOPS, njit
from .blas import factor_upper

# Added to the unit diagonal where the matrix is not positive definite to
# working precision: the factor is then a preconditioner only.
_JITTER = 1e-7


@njit
def factorize(C, q, ridge, scale):
    """Factor D (C + diag(ridge)) D = U'U, D = diag(scale), of a Gram matrix.

    Parameters
    ----------
    C : array of shape (width, width), C order
        The upper triangle of the matrix, becomes U.
    q : int
        Columns in use.
    ridge : array of shape (q,), float64
    scale : array of shape (q,), float64, written
        1 / sqrt(C_jj + ridge_j).

    Returns
    -------
    float
        The jitter that was needed; 0.0 as a rule, -1.0 where none helped.
    """
    for j in range(q):
        diagonal = C[j, j] + ridge[j]
        scale[j] = 1.0 / math.sqrt(diagonal) if diagonal > 0.0 else 0.0
    for i in range(q):
        for j in range(i + 1, q):
            C[j, i] = C[i, j] * scale[i] * scale[j]
    jitter = 0.0
    for attempt in range(8):
        for i in range(q):
            for j in range(i + 1, q):
                C[i, j] = C[j, i]
            C[i, i] = 1.0 + jitter
        if factor_upper(C, q) == 0:
            return jitter
        jitter = _JITTER if jitter == 0.0 else 10.0 * jitter
    return -1.0


@njit(fastmath=LOOPS)
def solve(U, scale, r, work, out):
    """out = D U^-1 U'^-1 D r, all float64 but U and work (U's dtype)."""
    q = scale.size
    largest = 0.0
    for j in range(q):
        largest = max(largest, abs(r[j] * scale[j]))
    if largest == 0.0:
        for j in range(q):
            out[j] = 0.0
        return
    for j in range(q):
        work[j] = r[j] * scale[j] / largest
    # from 0 on, or LLVM does not know that indices are not negative: an
    # iteration at 800 x 200 took 39 instead of 25 us
    for i in range(q):
        value = work[i] / U[i, i]
        work[i] = value
        row, rest = U[i, i + 1:q], work[i + 1:q]
        for j in range(rest.size):
            rest[j] -= value * row[j]
    for i in range(q - 1, -1, -1):
        total = work.dtype.type(0)
        row, rest = U[i, i + 1:q], work[i + 1:q]
        for j in range(rest.size):
            total += row[j] * rest[j]
        work[i] = (work[i] - total) / U[i, i]
    for j in range(q):
        out[j] = work[j] * scale[j] * largest
