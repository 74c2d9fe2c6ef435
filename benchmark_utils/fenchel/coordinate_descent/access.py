"""What prox-Newton asks of X, in one form for dense and for sparse.

X is an array of shape (n, p) in C order; one in Fortran order where it is so
small that vectors run along the samples; or the tuple (data, indices, starts)
of a CSR matrix in float64, uint32 and uint64. Each function below is chosen
by that type when it is compiled.
"""
import numpy as np
from numba import types
from numba.extending import overload

from ..compilation import LOOPS, njit
from ..linalg.csr import gather, scatter
from ..linalg.gram import LANE_BYTES, PANEL, weighted_gram
from ..linalg.products import backward, block_rows, forward

_1 = np.uint64(1)
# Rows of a sparse X whose entries stay in the second-level cache
_ROWS = 2048


def most_columns(X):
    """Return how many columns' Gram matrix is not worse than their entries."""


def first_columns(X):
    """Return columns of the first working set, and by what it may grow."""


def rows_per_block(X):
    """How many rows are read at a time."""


def multiply(X, first, last, v, shift, out):
    """out[i] = X[i] @ v + shift for the rows first, ..., last - 1."""


def add_transposed(X, first, last, c, part, out):
    """out += sum of c[i] X[i] over the rows first, ..., last - 1."""


def restrict(X, n, chosen, k, place):
    """Copy k columns of X; `place` (p,) is work space."""


def gram_of(X, k, h, free, H):
    """H = [X 1]' diag(h) [X 1], all of it; zero beyond its k + 1 columns."""


def add_squares(X, first, last, squares, depths):
    """Add squares of some rows to those of columns.

    `depths` counts the additions that follow each other in a column of X'c.
    """


def _is_dense(X):
    return isinstance(X, types.Array)


def _is_small(X):
    return _is_dense(X) and X.layout == "F"


@overload(most_columns)
def _most_columns(X):
    most = 6000 if _is_dense(X) else 1500
    return lambda X: most


@overload(first_columns)
def _first_columns(X):
    # a reading of all of a sparse X costs more than the Gram matrix
    few = (100, 1) if _is_dense(X) else (400, 3)
    return lambda X: few


@overload(rows_per_block)
def _rows_per_block(X):
    if _is_small(X):
        return lambda X: X.shape[0]
    if _is_dense(X):
        return lambda X: block_rows(X)
    return lambda X: _ROWS


@overload(multiply)
def _multiply(X, first, last, v, shift, out):
    one = forward if _is_dense(X) else gather
    one = _small_multiply if _is_small(X) else one

    def call(X, first, last, v, shift, out):
        one(X, first, last, v, shift, out)

    return call


@overload(add_transposed)
def _add_transposed(X, first, last, c, part, out):
    if _is_small(X):
        return lambda X, first, last, c, part, out: _small_add(
            X, first, last, c, part, out
        )
    if _is_dense(X):
        return lambda X, first, last, c, part, out: backward(
            X, first, last, c, part, out
        )
    return lambda X, first, last, c, part, out: scatter(
        X, first, last, c, out
    )


@njit
def _dense_columns(X, n, chosen, k, place):
    out = np.empty((n, k))
    for i in range(n):
        source, target = X[i], out[i]
        for j in range(k):
            target[j] = source[chosen[j]]
    return out


@njit
def _sparse_columns(X, n, chosen, k, place):
    data, indices, starts = X
    place[:] = -1
    for j in range(k):
        place[chosen[j]] = j
    new_starts = np.empty(n + 1, np.uint64)
    # one more: what is no member is written behind, and then over; memory
    # that nobody touches costs nothing
    new_data = np.empty(data.size + 1)
    new_indices = np.empty(data.size + 1, np.uint32)
    new_starts[0] = 0
    count = 0
    for i in range(np.uint64(n)):
        for e in range(starts[i], starts[i + _1]):
            j = place[indices[e]]
            new_data[count] = data[e]
            new_indices[count] = j
            count += j >= 0
        new_starts[i + _1] = count
    return new_data, new_indices, new_starts


@overload(restrict)
def _restrict(X, n, chosen, k, place):
    one = _dense_columns if _is_dense(X) else _sparse_columns
    return lambda X, n, chosen, k, place: one(X, n, chosen, k, place)


@njit
def _mirror(H):
    """Copy the upper triangle of H to the lower one, by squares."""
    width = H.shape[0]
    for first in range(0, width, 32):
        for column in range(first, width, 32):
            for i in range(first, min(first + 32, width)):
                for j in range(max(column, i + 1), min(column + 32, width)):
                    H[j, i] = H[i, j]


@njit
def _dense_gram(X, k, h, free, H):
    panel = np.zeros((PANEL, H.shape[0]), H.dtype)
    rows, roots = np.arange(h.size), np.sqrt(h)
    weighted_gram(X, k, roots, rows, rows.size, free, panel, H)
    _mirror(H)


@njit
def _sparse_gram(X, k, h, free, H):
    data, indices, starts = X
    H[:] = 0
    for i in range(np.uint64(h.size)):
        for e in range(starts[i], starts[i + _1]):
            value, a = h[i] * data[e], indices[e]
            for f in range(starts[i], e + _1):
                b = indices[f]
                H[min(a, b), max(a, b)] += value * data[f]
            if free:
                H[a, k] += value
        if free:
            H[k, k] += h[i]
    _mirror(H)


@njit(fastmath=LOOPS)
def _small_gram(X, k, h, free, H):
    H[:] = 0
    for j in range(k):
        for c in range(j + 1):
            total = 0.0
            for i in range(h.size):
                total += h[i] * X[i, j] * X[i, c]
            H[j, c] = total
            H[c, j] = total
        if free:
            total = 0.0
            for i in range(h.size):
                total += h[i] * X[i, j]
            H[j, k] = total
            H[k, j] = total
    if free:
        total = 0.0
        for i in range(h.size):
            total += h[i]
        H[k, k] = total


@overload(gram_of)
def _gram_of(X, k, h, free, H):
    one = _dense_gram if _is_dense(X) else _sparse_gram
    one = _small_gram if _is_small(X) else one
    return lambda X, k, h, free, H: one(X, k, h, free, H)


@njit(fastmath=LOOPS)
def _small_multiply(X, first, last, v, shift, out):
    for i in range(last):
        out[i] = shift
    for j in range(v.size):
        for i in range(last):
            out[i] += v[j] * X[i, j]


@njit(fastmath=LOOPS)
def _small_add(X, first, last, c, part, out):
    for j in range(out.size):
        total = 0.0
        for i in range(last):
            total += c[i] * X[i, j]
        out[j] += total


@njit(fastmath=LOOPS)
def _small_squares(X, first, last, squares, depths):
    for j in range(squares.size):
        total = 0.0
        for i in range(last):
            total += X[i, j] * X[i, j]
        squares[j] = total
        depths[j] = last


@njit(fastmath=LOOPS)
def _dense_squares(X, first, last, squares, depths):
    for i in range(first, last):
        row = X[i]
        for j in range(squares.size):
            squares[j] += row[j] * row[j]
    # of a block, and of the blocks
    for j in range(squares.size):
        depths[j] = max(depths[j], last - first) + 1.0


@njit
def _sparse_squares(X, first, last, squares, depths):
    data, indices, starts = X
    for e in range(starts[first], starts[last]):
        squares[indices[e]] += data[e] * data[e]
        depths[indices[e]] += 1.0


@overload(add_squares)
def _add_squares(X, first, last, squares, depths):
    one = _dense_squares if _is_dense(X) else _sparse_squares
    one = _small_squares if _is_small(X) else one
    return lambda X, first, last, squares, depths: one(
        X, first, last, squares, depths
    )


@njit
def width_of(q, H_like):
    """Columns of a Gram matrix of q columns, whole vectors."""
    lanes = max(LANE_BYTES // H_like.itemsize, 8)
    return (q + lanes - 1) // lanes * lanes
