"""What a descent on dense data is given, and what it knows between steps."""
from typing import NamedTuple

import numpy as np

from ...compilation import LOOPS, njit
from .products import (
    FirstRead,
    Gradient,
    Rows,
    balanced,
    bounded_gap,
    sum_of_terms,
)
from .threads import read_by

_FLOAT, _INT, _BOOL = np.float64, np.int64, np.bool_

#: One record: numba changes it in place, and Python gives it as one argument
STATE = np.dtype([
    # given
    ("l2", _FLOAT),
    ("tol", _FLOAT),
    ("loose", _FLOAT),  # stop where a step is to lower F by this share only
    ("pass_cost", _FLOAT),  # seconds of a read of A, by a model
    ("budget", _FLOAT),  # passes without a factor, then SLOW
    ("max_iter", _INT),
    ("sample", _INT),  # rows of a factor at most
    ("intercept", _BOOL),
    ("direct", _BOOL),  # factors may be made
    ("wide", _BOOL),  # start with a multiple of the identity
    ("copy", _BOOL),  # A is to be filled
    ("at_zero", _BOOL),  # the start is zero
    # the point
    ("loss", _FLOAT),  # or a lower bound, the sum of the weights
    ("grad_b", _FLOAT),
    ("total_h", _FLOAT),
    ("value", _FLOAT),
    ("square", _FLOAT),  # |g|^2 without the intercept's entry
    ("slope_b", _FLOAT),  # what the intercept's entry stands for in the gap
    ("gap", _FLOAT),
    ("total", _FLOAT),  # gap + slope_b
    ("bound", _FLOAT),  # of the gap in exact arithmetic
    ("exact", _BOOL),  # all of it was computed from X at w
    ("noise", _FLOAT),  # of g, by its updates
    # the direction
    ("size", _FLOAT),
    ("slope", _FLOAT),
    ("quadratic", _FLOAT),  # lambda2 d'd
    ("gamma", _FLOAT),  # scale of the initial matrix
    ("trusted", _BOOL),  # the last step was near 1
    ("last", _FLOAT),  # `total` one iteration ago
    # how it goes
    ("aim", _FLOAT),  # tol, or less where the balanced gap was larger
    ("best", _FLOAT),  # least exact `total`
    ("failures", _INT),  # exact points without progress
    ("pairs", _INT),
    ("row_norm", _FLOAT),  # root mean square of the norms of the rows
    ("squares", _FLOAT),  # |X|_F^2
    ("first_total", _FLOAT),  # since the last factor
    ("since", _INT),  # iterations since then
    ("spent", _FLOAT),  # passes since then
    ("factored", _BOOL),
    ("factors", _INT),
    ("all_rows", _BOOL),  # the factor is of all rows that count
    # counts
    ("n_iter", _INT),
    ("n_passes", _INT),
], align=True)


class Vectors(NamedTuple):
    """What belongs to the coefficients, and work space for reads."""

    w: np.ndarray  # (q,), an intercept last, as in all of q entries
    g: np.ndarray  # the gradient of F, (q,)
    d: np.ndarray  # the direction, (q,)
    change: np.ndarray  # of the gradient, (q,)
    trial: np.ndarray  # another point, (q,)
    inverse: np.ndarray  # the initial matrix of L-BFGS, a diagonal, (q,)
    exact: np.ndarray  # the gradient of the loss in float64, (p,)
    part: np.ndarray  # work space, float64, (p,)
    u: np.ndarray  # a direction in c's dtype, (q,)
    v: np.ndarray  # a direction as A is multiplied by it, (p,)
    short: np.ndarray  # work space in c's dtype, (p,)
    zoom: np.ndarray  # what the columns of A were multiplied by, (p,)
    unzoom: np.ndarray  # its inverse
    squares: np.ndarray  # column sums of X^2, (p,)


@njit(fastmath=LOOPS)
def new_vectors(w, c, columns):
    """Make the vectors of a descent; `columns` are zoom, unzoom, squares."""
    p, q = columns.shape[1], w.size
    z = np.zeros((5, q))
    return Vectors(
        w, z[0], z[1], z[2], z[3], z[4], np.empty(p), np.empty(p),
        np.empty(q, c.dtype), np.empty(p, c.dtype), np.empty(p, c.dtype),
        columns[0], columns[1], columns[2],
    )


@njit(fastmath=LOOPS)
def evaluate_at(threads, rows, vectors, state, x):
    """Compute new margins and the gradient of the loss from X at x.

    The gradient is in `vectors.exact`.

    Returns
    -------
    loss, grad_b, total_h : float
    """
    p = vectors.exact.size
    vectors.exact[:] = 0.0
    b = x[p] if state.intercept else 0.0
    loss, grad_b, total_h, _ = read_by(
        threads, rows, Gradient(x[:p], b), vectors.part, vectors.exact
    )
    state.n_passes += 1
    return loss, grad_b, total_h


@njit(fastmath=LOOPS)
def certify(rows, vectors, state, x):
    """Set the gap and its bound at x, from margins and `square` of X at x."""
    s = rows.s
    price, square, mass = 0.0, state.square, 0.0
    if state.intercept:
        price, square, mass = balanced(
            rows, x, state.l2, vectors.part, vectors.change[:-1]
        )
        state.n_passes += 1
    else:
        for i in range(rows.s.size):
            mass += s[i]
    state.gap = price + square / (2.0 * state.l2)
    terms = sum_of_terms(x, vectors.squares, rows.y.size)
    state.bound = bounded_gap(
        rows.X, state.l2, state.intercept, state.squares, terms,
        (price, square, mass),
    )


@njit(fastmath=LOOPS)
def shorten(vectors, state):
    """Set v, the direction by its norm as A takes it; returns its shift."""
    v, unzoom, d = vectors.v, vectors.unzoom, vectors.d
    size = state.size
    p = vectors.v.size
    for j in range(p):
        v[j] = d[j] / size * unzoom[j]
    vectors.change[:] = 0.0
    return d[p] / size if state.intercept else 0.0


@njit(fastmath=LOOPS)
def first_read(X, y, copy, A, zoom):
    """Fill A where `copy`; returns the column sums of X^2."""
    p = X.shape[1]
    none = np.empty(0)
    rows = Rows(
        X, A, y, none, none, none, none, none, none, none, none, none
    )
    out = np.zeros(2 * p)
    read_by(None, rows, FirstRead(copy, zoom), none, out)
    return out[p:]
