"""Fits with a separable penalty, from Python: which method, and what next."""
import numpy as np
from scipy import sparse

from ..linalg.writeable import writeable
from ..result import FLOAT64_LIMIT, ITERATION_LIMIT, NEEDS_CARE, REACHED, SLOW
from .columns import columns_of_dense, columns_of_sparse, descend_by_columns
from .working_set import solve

# Iterations with a Gram matrix in float32: most problems take 5 to 15
_SINGLE = 60
# From dual points of margins in float64 others find up to 0.8 % more
MARGIN = 1.01


def fit(problem, start):
    """Minimise F from a start.

    Parameters
    ----------
    problem : result.Problem
        With a separable penalty. A dense X is converted to float64 in C
        order; CSR is read as it is, but for 64-bit indices and repeated
        entries.
    start : array of shape (n_features + intercept,), float64

    Returns
    -------
    x : array like `start`
    counts : tuple of ints
        Iterations, readings of all of X, Gram matrices, epochs.
    status : int
    gap, value : float
        A bound of the gap, or the violation, of exactly x; F.
    """
    X, p = problem.X, problem.X.shape[1]
    x = np.zeros(p + 1)
    x[:len(start)] = start
    limits = problem.goal(1.0) / MARGIN, problem.max_iter
    if sparse.issparse(X):
        X = _arrays(X)
    else:
        X = writeable(np.ascontiguousarray(X, np.float64))
    (n_iter, readings, epochs, grams), status, gap, value = _fit(
        X, (problem.y, problem.weights), problem.penalty, problem.l2,
        problem.intercept, limits, x,
    )
    counts = n_iter, readings, grams, epochs
    return x[:len(start)], counts, status, MARGIN * gap, value


def _arrays(X):
    """Return CSR as float64 entries, uint32 columns and uint64 starts."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return (
        writeable(X.data.astype(np.float64, copy=False)),
        X.indices.astype(np.uint32), X.indptr.astype(np.uint64),
    )


def _fit(X, samples, penalty, l2, free, limits, x):
    tol, max_iter = limits
    total = np.zeros(4, np.int64)
    # where float32 is not enough, or the columns are too many, go on
    for like, most in [
        (np.empty(0, np.float32), min(max_iter, _SINGLE)),
        (np.empty(0), max_iter),
    ]:
        counts, status, gap, value = solve(
            X, samples, penalty, l2, free, (tol, most - total[0]), x, like
        )
        total += counts
        if status in (REACHED, SLOW) or total[0] >= max_iter:
            break
    if status in (SLOW, NEEDS_CARE):
        data = (samples, penalty, l2, free, x)
        status, gap, value = _by_columns(X, data, limits, value, total)
    return tuple(total.tolist()), status, gap, value


def _by_columns(X, data, limits, value, total):
    """Go on without a Gram matrix; sharper where that does not reach tol."""
    samples, penalty, l2, free, x = data
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
            columns, samples, penalty, l2, free, (target, left), x
        )
        total[0] += taken
        total[2] += epochs
        counts, end, gap, value = solve(
            X, samples, penalty, l2, free, (tol, 0), x,
            np.empty(0, np.float32),
        )
        total += counts
        if end == REACHED:
            return end, gap, value
        if total[0] >= max_iter:
            return ITERATION_LIMIT, gap, value
    return status, gap, value
