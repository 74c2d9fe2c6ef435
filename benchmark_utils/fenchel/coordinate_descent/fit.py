"""Fits with a separable penalty, from Python: which method, and what next."""
import numpy as np

from ..result import FLOAT64_LIMIT, ITERATION_LIMIT, NEEDS_CARE, REACHED, SLOW
from .columns import columns_of_dense, columns_of_sparse, descend_by_columns
from .working_set import solve

# Iterations with a Gram matrix in float32: most problems take 5 to 15
_SINGLE = 60


def fit_dense(X, y, penalty, l2, intercept, tol, max_iter, x):
    """Minimise F for a dense X.

    Parameters
    ----------
    X : array of shape (n, p), C order, float64
    y : array of shape (n,), float64, -1.0 and 1.0
    penalty : NamedTuple, see `fenchel.penalties`
        Separable.
    l2 : float
        lambda2; its square comes on top of the penalty.
    intercept : bool
        Whether to fit one, without a penalty.
    tol : float
        Of the relative gap where the penalty is convex, else of the largest
        violation of stationarity.
    max_iter : int
    x : array of shape (p + 1,), float64, written
        The start, and the coefficients found; the intercept last, 0.0
        without one.

    Returns
    -------
    counts : tuple of ints
        Iterations, readings of all of X, epochs, Gram matrices.
    status : int, see `fenchel.result`
    gap : float
        A bound of the gap, or the violation, of exactly x.
    value : float
        F at x.
    """
    return _fit(X, y, penalty, float(l2), intercept, (tol, max_iter), x)


def fit_sparse(X, y, penalty, l2, intercept, tol, max_iter, x):
    """Minimise F for a CSR matrix X; see `fit_dense`.

    X is the tuple (data, indices, starts) in float64, uint32 and uint64.
    """
    return _fit(X, y, penalty, float(l2), intercept, (tol, max_iter), x)


def _fit(X, y, penalty, l2, free, limits, x):
    tol, max_iter = limits
    total = np.zeros(4, np.int64)
    # where float32 is not enough, or the columns are too many, go on
    for like, most in [
        (np.empty(0, np.float32), min(max_iter, _SINGLE)),
        (np.empty(0), max_iter),
    ]:
        counts, status, gap, value = solve(
            X, y, penalty, l2, free, (tol, most - total[0]), x, like
        )
        total += counts
        if status in (REACHED, SLOW) or total[0] >= max_iter:
            break
    if status in (SLOW, NEEDS_CARE):
        data = (y, penalty, l2, free, x)
        status, gap, value = _by_columns(X, data, limits, value, total)
    return tuple(total.tolist()), status, gap, value


def _by_columns(X, data, limits, value, total):
    """Go on without a Gram matrix; sharper where that does not reach tol."""
    y, penalty, l2, free, x = data
    tol, max_iter = limits
    if isinstance(X, tuple):
        columns = columns_of_sparse(X, x.size - 1)
    else:
        columns = columns_of_dense(X)
    status, gap = FLOAT64_LIMIT, np.inf
    for sharper in 0.3, 0.03, 0.003:
        target = sharper * tol
        if penalty.is_convex:
            target *= value / max(np.abs(x[:-1]).sum(), 1e-3)
        left = max(max_iter - int(total[0]), 0)
        taken, epochs = descend_by_columns(
            columns, y, penalty, l2, free, (target, left), x
        )
        total[0] += taken
        total[2] += epochs
        counts, end, gap, value = solve(
            X, y, penalty, l2, free, (tol, 0), x, np.empty(0, np.float32)
        )
        total += counts
        if end == REACHED:
            return end, gap, value
        if total[0] >= max_iter:
            return ITERATION_LIMIT, gap, value
    return status, gap, value
