r"""Coordinate descent on the columns of X, without a Gram matrix.

Columns are an array of shape (p, n) in C order, or the tuple (data, rows,
starts) of a CSC matrix. `descend_by_columns` is prox-Newton for any separable
penalty, whose quadratic model is minimised with X (v - w) kept up to date.

G.-X. Yuan, C.-H. Ho and C.-J. Lin, "An improved GLMNET for l1-regularized
logistic regression", JMLR 13, 2012.
"""
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from scipy import sparse

from ..compilation import LOOPS, njit
from ..datafits.logistic import evaluate, loss_along
from ..datafits.margins import exp_of_negative
from ..linalg.writeable import writeable
from .prox_newton import concavity

_1 = np.uint64(1)

def columns_of(X):
    """Return the columns of X; no copy of Fortran order or CSC in float64.

    Parameters
    ----------
    X : array or canonical sparse matrix of shape (n, p)
    """
    if sparse.issparse(X):
        X = X.tocsc()
        return (
            writeable(X.data.astype(np.float64, copy=False)),
            X.indices.astype(np.uint32), X.indptr.astype(np.uint64),
        )
    return writeable(np.ascontiguousarray(X.T, np.float64))


@njit
def columns_of_dense(X):
    """Copy X to one column after the other."""
    return np.ascontiguousarray(X.T)


@njit
def columns_of_sparse(X, p):
    """Make the CSC arrays of a CSR matrix of p columns."""
    data, indices, starts = X
    ends = np.zeros(p + 1, np.uint64)
    for e in range(indices.size):
        ends[indices[e] + 1] += _1
    for j in range(p):
        ends[j + 1] += ends[j]
    place = ends[:p].copy()
    values, rows = np.empty(data.size), np.empty(data.size, np.uint32)
    for i in range(starts.size - 1):
        for e in range(starts[i], starts[i + 1]):
            at = place[indices[e]]
            values[at], rows[at] = data[e], i
            place[indices[e]] = at + _1
    return values, rows, ends


def dot(columns, j, a):
    """Return the sum of x_ij a_i."""


def weighted(columns, j, h, a):
    """Return the sum of x_ij h_i a_i."""


def square(columns, j, h):
    """Return the sum of h_i x_ij^2."""


def add(columns, j, factor, out):
    """out += factor x_j."""


def shift(columns, j, d, y, m, s):
    """Margins m += d y x_j, and s = sigmoid(-m) where they change."""


@njit(fastmath=LOOPS)
def sigmoid(x):
    e = exp_of_negative(-abs(x))
    return (e if x < 0.0 else 1.0) / (1.0 + e)


@njit(fastmath=LOOPS)
def _dense_dot(columns, j, a):
    total = 0.0
    for i in range(a.size):
        total += columns[j, i] * a[i]
    return total


@njit(fastmath=LOOPS)
def _dense_weighted(columns, j, h, a):
    total = 0.0
    for i in range(a.size):
        total += columns[j, i] * (h[i] * a[i])
    return total


@njit(fastmath=LOOPS)
def _dense_square(columns, j, h):
    total = 0.0
    for i in range(h.size):
        total += h[i] * columns[j, i] * columns[j, i]
    return total


@njit(fastmath=LOOPS)
def _dense_add(columns, j, factor, out):
    for i in range(out.size):
        out[i] += factor * columns[j, i]


@njit(fastmath=LOOPS)
def _dense_shift(columns, j, d, y, m, s):
    for i in range(m.size):
        m[i] += d * y[i] * columns[j, i]
        s[i] = sigmoid(-m[i])


@njit(fastmath=LOOPS)
def _sparse_dot(columns, j, a):
    data, rows, starts = columns
    total = 0.0
    for e in range(starts[j], starts[j + 1]):
        total += data[e] * a[rows[e]]
    return total


@njit(fastmath=LOOPS)
def _sparse_weighted(columns, j, h, a):
    data, rows, starts = columns
    total = 0.0
    for e in range(starts[j], starts[j + 1]):
        total += data[e] * (h[rows[e]] * a[rows[e]])
    return total


@njit(fastmath=LOOPS)
def _sparse_square(columns, j, h):
    data, rows, starts = columns
    total = 0.0
    for e in range(starts[j], starts[j + 1]):
        total += data[e] * data[e] * h[rows[e]]
    return total


@njit(fastmath=LOOPS)
def _sparse_add(columns, j, factor, out):
    data, rows, starts = columns
    for e in range(starts[j], starts[j + 1]):
        out[rows[e]] += factor * data[e]


@njit(fastmath=LOOPS)
def _sparse_shift(columns, j, d, y, m, s):
    data, rows, starts = columns
    for e in range(starts[j], starts[j + 1]):
        i = rows[e]
        m[i] += d * y[i] * data[e]
        s[i] = sigmoid(-m[i])


def _one_of(columns, dense, sparse):
    return dense if isinstance(columns, types.Array) else sparse


@overload(dot)
def _dot(columns, j, a):
    one = _one_of(columns, _dense_dot, _sparse_dot)
    return lambda columns, j, a: one(columns, j, a)


@overload(weighted)
def _weighted(columns, j, h, a):
    one = _one_of(columns, _dense_weighted, _sparse_weighted)
    return lambda columns, j, h, a: one(columns, j, h, a)


@overload(square)
def _square(columns, j, h):
    one = _one_of(columns, _dense_square, _sparse_square)
    return lambda columns, j, h: one(columns, j, h)


@overload(add)
def _add(columns, j, factor, out):
    one = _one_of(columns, _dense_add, _sparse_add)
    return lambda columns, j, factor, out: one(columns, j, factor, out)


@overload(shift)
def _shift(columns, j, d, y, m, s):
    one = _one_of(columns, _dense_shift, _sparse_shift)
    return lambda columns, j, d, y, m, s: one(columns, j, d, y, m, s)


@njit
def margins(columns, y, x, m):
    """m = y (X w + b), x = (w, b)."""
    m[:] = x[x.size - 1]
    for j in range(x.size - 1):
        if x[j] != 0.0:
            add(columns, j, x[j], m)
    for i in range(m.size):
        m[i] *= y[i]


@njit
def penalties_of(penalty, l2, x):
    """Return the penalty, lambda2's part included, of x = (w, b)."""
    total = 0.0
    for j in range(x.size - 1):
        total += penalty.value(x[j]) + 0.5 * l2 * x[j] * x[j]
    return total


@njit
def worst_of(columns, r, penalty, l2, x, grad):
    """Compute the gradient (the intercept's last); the largest violation.

    `r` is y sigmoid(-m).
    """
    p, largest = x.size - 1, 0.0
    for j in range(p):
        grad[j] = l2 * x[j] - dot(columns, j, r)
        largest = max(largest, penalty.distance(x[j], grad[j]))
    grad[p] = -r.sum()
    return largest


class _Steps(NamedTuple):
    """A quadratic model of the loss and its minimiser so far."""

    #: (p + 1,) the point, the minimiser, gradient, second derivatives; the
    #: intercept last
    x: np.ndarray
    v: np.ndarray
    grad: np.ndarray
    bends: np.ndarray
    #: (n,) weights of the samples, X (v - w)
    h: np.ndarray
    change: np.ndarray
    #: (p,) coefficients, those to visit in front
    active: np.ndarray


@njit
def _model_epoch(columns, penalty, l2, free, model, count, floor):
    """Visit active[:count] once; keep those that are not zero in front."""
    x, v, h, change = model.x, model.v, model.h, model.change
    p = x.size - 1
    largest, kept = 0.0, 0
    if free and model.bends[p] > 0.0:
        slope = model.grad[p]
        for i in range(h.size):
            slope += h[i] * change[i]
        d = -slope / model.bends[p]
        v[p] += d
        largest = d * d * model.bends[p]
        for i in range(h.size):
            change[i] += d
    for a in range(count):
        j = model.active[a]
        bend = max(model.bends[j], floor)
        if not bend > 0.0:
            continue
        old = v[j]
        slope = model.grad[j] + weighted(columns, j, h, change)
        slope += l2 * (old - x[j])
        new = penalty.prox(old - slope / bend, 1.0 / bend)
        if new != 0.0:
            model.active[a] = model.active[kept]
            model.active[kept] = j
            kept += 1
        if new != old:
            v[j] = new
            largest = max(largest, (new - old) * (new - old) * bend)
            add(columns, j, new - old, change)
    return kept, largest


@njit
def _choose(columns, penalty, l2, model):
    """Put the columns that may move in front, with their bends; count them.

    Those are of coefficients that are not zero, and those that would leave
    zero if their gradient were a quarter larger: what is missed is found at
    the next point.
    """
    count, p = 0, model.x.size - 1
    for j in range(p):
        if model.x[j] != 0.0 or (
            penalty.distance(0.0, 1.25 * model.grad[j]) > 0.0
        ):
            model.bends[j] = square(columns, j, model.h) + l2
            model.active[count] = j
            count += 1
    model.bends[p] = model.h.sum()
    return count


@njit
def _minimise_model(columns, penalty, l2, free, model, tol, floor):
    """Minimise the model: all coefficients, then those not zero, and again."""
    whole = _choose(columns, penalty, l2, model)
    count, first, n_epochs, everything = whole, 0.0, 0, True
    while n_epochs < 200:
        kept, largest = _model_epoch(
            columns, penalty, l2, free, model, count, floor
        )
        n_epochs += 1
        first = max(first, largest) if n_epochs == 1 else first
        small = largest <= tol * first
        if everything and small and n_epochs > 1:
            break
        everything = small or n_epochs % 20 == 0
        count = whole if everything else kept
    return n_epochs


@njit
def descend_by_columns(columns, samples, penalty, l2, free, limits, x):
    """Minimise F from x by prox-Newton, its model by visits of columns.

    Parameters
    ----------
    columns : array of shape (p, n) or tuple of CSC arrays
    samples : tuple (y, weights)
        Arrays of shape (n,), float64; y of -1.0 and 1.0, weights or None.
    penalty : NamedTuple, see `fenchel.penalties`
    l2 : float
    free : bool
        Whether there is an intercept.
    limits : tuple (tol, max_iter)
        Of the largest violation; of Newton iterations.
    x : array of shape (p + 1,), float64, written

    Returns
    -------
    n_iter, n_epochs : int
    """
    (y, weights), (tol, max_iter) = samples, limits
    n, p = y.size, x.size - 1
    m, to, s = np.empty(n), np.empty(n), np.empty(n)
    model = _Steps(
        x, np.empty(p + 1), np.empty(p + 1), np.empty(p + 1), np.empty(n),
        np.empty(n), np.arange(p),
    )
    v, grad = model.v, model.grad
    floor, n_epochs, share = 1.05 * concavity(penalty), 0, 0.1
    for n_iter in range(max_iter):
        margins(columns, y, x, m)
        value = evaluate(m, s, model.h, weights)
        value += penalties_of(penalty, l2, x)
        for i in range(n):
            to[i] = y[i] * s[i]
        largest = worst_of(columns, to, penalty, l2, x, grad)
        if max(largest, abs(grad[p]) if free else 0.0) <= tol:
            return n_iter, n_epochs
        v[:] = x
        model.change[:] = 0.0
        n_epochs += _minimise_model(
            columns, penalty, l2, free, model, share, floor
        )
        # the last iterations want the model's minimum
        share = max(0.1 * share, 1e-8)
        for i in range(n):
            to[i] = m[i] + y[i] * model.change[i]
        t, moved = 1.0, False
        while t > 1e-8 and not moved:
            for j in range(p + 1):
                grad[j] = x[j] + t * (v[j] - x[j])
            new = loss_along(m, to, t, weights)
            new += penalties_of(penalty, l2, grad)
            moved = new <= value * (1.0 + (1e-14 if t == 1.0 else 0.0))
            t *= 0.5
        if not moved:
            return n_iter + 1, n_epochs
        x[:] = grad
    return max_iter, n_epochs
