r"""A Cholesky factor of H = X' diag(h) X + lambda2 I as preconditioner.

Columns that never share a row (the levels of a categorical variable, rare
words) have a diagonal block in H. They are eliminated first, exactly:

    H = [ D   B ]     S = C - B' D^-1 B
        [ B'  C ]

where D is diagonal; only S, of the `q` columns that remain, is formed as a
dense matrix, entry by entry from the rows of X, and factorized by LAPACK.
On movielens one-hot 8800 of 9861 columns are eliminated. With none of them
it is the plain Gram matrix of X.

Source: block elimination as in any sparse Cholesky (T. A. Davis, Direct
Methods for Sparse Linear Systems, 2006, doi:10.1137/1.9780898718881), with
one level of it.
"""
import numpy as np
from scipy.linalg import lapack

from ..compilation import LOOPS, njit

_1 = np.uint64(1)
# added to the unit diagonal of S in float32, whose rounding would otherwise
# make a nearly singular S indefinite
_RIDGE = 2e-6


# A factor is the plain tuple
#     place : array of shape (p + 1,), int64
#         Of every column: its place in S, or -1 - its place in D. The last is
#         the intercept.
#     pivots : array of shape (n_eliminated,), float64
#         D.
#     single, double : arrays of shape (q, q), float32 and float64
#         Lower triangle of the factor of S, which was scaled to a unit
#         diagonal, in one of the two; the other is empty.
#     scale : array of shape (q,), float64
#         One over the root of the diagonal of S.
#     b_starts : array of shape (n_eliminated + 1,), int64
#     b_indices : array of shape (n_b,), uint32
#     b_data : array of shape (n_b,), float64
#         Row j of B is b_data[b_starts[j]:b_starts[j + 1]].


@njit(fastmath={"contract"})
def _add_outer(factor, indices, values, count, S):
    """Add factor v v' to S, where v has few entries.

    To its lower triangle alone where the indices ascend. Without a test an
    entry one takes 0.5 ns instead of 1.3.
    """
    ascending = True
    for a in range(1, count):
        ascending &= indices[a] > indices[a - 1]
    zero = S[0, 0] * 0
    for a in range(count):
        row = S[indices[a]]
        value = zero + factor * values[a]
        for b in range(a + 1 if ascending else count):
            row[indices[b]] += value * (zero + values[b])


@njit
def _add_rows(A, h, l2, intercept, place, S):
    """Fill the lower triangle of C, S before anything is eliminated."""
    data, indices, starts = A
    q = S.shape[0]
    longest = 1
    for i in range(h.size):
        longest = max(longest, int(starts[i + 1] - starts[i]) + 1)
    own = np.empty(longest, np.uint32)
    values = np.empty(longest)
    for j in range(q):
        S[j, j] += l2
    if intercept:
        S[q - 1, q - 1] -= l2
    for i in range(h.size):
        count = 0
        for e in range(starts[i], starts[i + _1]):
            j = place[indices[e]]
            if j >= 0:
                own[count] = j
                values[count] = data[e]
                count += 1
        if intercept:
            own[count] = q - 1
            values[count] = 1.0
            count += 1
        _add_outer(h[i], own, values, count, S)


@njit
def _eliminate(A, h, l2, intercept, plan, S, B):
    """Fill D and B, one eliminated column after the other; S = C - B'D^-1 B.

    Parameters
    ----------
    plan : tuple (place, owned, owned_starts), see `elimination.Plan`
    S : array of shape (q, q)
        C, updated.
    B : tuple (pivots, b_starts, b_indices, b_data), filled
    """
    data, indices, starts = A
    place, owned, owned_starts = plan
    pivots, b_starts, b_indices, b_data = B
    q = S.shape[0]
    width = np.zeros(q)
    seen = np.zeros(q, np.bool_)
    touched = np.empty(q, np.uint32)
    filled = 0
    for c in range(pivots.size):
        b_starts[c] = filled
        pivot = l2
        count = 0
        for k in range(owned_starts[c], owned_starts[c + 1]):
            i = np.uint64(owned[k])
            own_value = 0.0
            for e in range(starts[i], starts[i + _1]):
                if place[indices[e]] < 0:
                    own_value += data[e]
            pivot += h[i] * own_value * own_value
            own_value *= h[i]
            for e in range(starts[i], starts[i + _1]):
                j = place[indices[e]]
                if j >= 0:
                    if not seen[j]:
                        seen[j] = True
                        touched[count] = j
                        count += 1
                    width[j] += own_value * data[e]
            if intercept:
                if not seen[q - 1]:
                    seen[q - 1] = True
                    touched[count] = q - 1
                    count += 1
                width[q - 1] += own_value
        pivots[c] = pivot
        touched[:count].sort()
        for a in range(count):
            row = touched[a]
            b_indices[filled + a] = row
            b_data[filled + a] = width[row]
            seen[row] = False
            width[row] = 0.0
        _add_outer(
            -1.0 / pivot, touched, b_data[filled:filled + count], count, S
        )
        filled += count
    b_starts[pivots.size] = filled


@njit(fastmath=LOOPS)
def _unit_diagonal(S, scale, ridge):
    """Scale S to a unit diagonal; `scale`, C's diagonal, becomes the factors.

    What is left of C's diagonal after the elimination may be rounding, where
    an eliminated column is a copy.
    """
    q = scale.size
    for i in range(q):
        scale[i] = 1.0 / np.sqrt(max(S[i, i], ridge * scale[i], 1e-290))
    for i in range(q):
        for j in range(i):
            S[i, j] *= scale[i] * scale[j]
        S[i, i] = 1.0 + ridge


def factorize(A, h, l2, intercept, plan, dtype):
    """Form S, what is left of H, and factorize it.

    Parameters
    ----------
    A : tuple, packed matrix
    h : array of shape (n,), float64
    l2 : float; intercept : bool
    plan : Plan
    dtype : float32 or float64
        Of S.

    Returns
    -------
    tuple or None
        None where S is not positive in this precision.
    """
    q = plan.q
    n_owners = len(plan.owned_starts) - 1
    S = np.zeros((q, q), dtype=dtype)
    B = (
        np.empty(n_owners), np.empty(n_owners + 1, np.int64),
        np.empty(plan.n_b, np.uint32), np.empty(plan.n_b),
    )
    _add_rows(A, h, l2, intercept, plan.place, S)
    scale = S.diagonal().astype(np.float64)
    _eliminate(
        A, h, l2, intercept, (plan.place, plan.owned, plan.owned_starts), S, B
    )
    single = dtype == np.float32
    _unit_diagonal(S, scale, _RIDGE if single else 1e-13)
    if q:
        # the lower triangle by rows is the upper one by columns
        potrf = lapack.spotrf if single else lapack.dpotrf
        upper, failed = potrf(S.T, lower=0, overwrite_a=1, clean=0)
        if failed:
            return None
        S = upper.T
    none = np.empty((0, 0), np.float64 if single else np.float32)
    pivots, *B = B
    return plan.place, pivots, *((S, none) if single else (none, S)), scale, *B


@njit(fastmath=LOOPS)
def _solve_dense(L, x):
    """Multiply x by the inverse of L L', in place."""
    for i in range(x.size):
        row = L[i]
        value = x[i]
        for j in range(i):
            value -= row[j] * x[j]
        x[i] = value / row[i]
    for i in range(x.size - 1, -1, -1):
        row = L[i]
        value = x[i] / row[i]
        x[i] = value
        for j in range(i):
            x[j] -= value * row[j]


@njit
def solve(factor, intercept, r):
    """Multiply r, of p + 1 entries, by nearly the inverse of H, in place."""
    place, pivots, single, double, scale, starts, indices, data = factor
    last = r.size if intercept else r.size - 1
    x = np.zeros(scale.size)
    eliminated = np.empty(pivots.size)
    for j in range(last):
        k = place[j]
        if k >= 0:
            x[k] = r[j]
        else:
            eliminated[-1 - k] = r[j]
    for c in range(pivots.size):
        value = eliminated[c] / pivots[c]
        for e in range(starts[c], starts[c + 1]):
            x[indices[e]] -= value * data[e]
    for j in range(x.size):
        x[j] *= scale[j]
    if single.size > 0:
        _solve_dense(single, x)
    else:
        _solve_dense(double, x)
    for j in range(x.size):
        x[j] *= scale[j]
    for c in range(pivots.size):
        value = eliminated[c]
        for e in range(starts[c], starts[c + 1]):
            value -= x[indices[e]] * data[e]
        eliminated[c] = value / pivots[c]
    for j in range(last):
        k = place[j]
        r[j] = x[k] if k >= 0 else eliminated[-1 - k]
