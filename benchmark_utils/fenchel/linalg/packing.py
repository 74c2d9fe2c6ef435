"""Pack a scipy CSR or CSC matrix as `linalg.csr` reads it.

Rows are sorted by their length (a counting sort); one pass over the entries,
whatever the layout.
"""
from typing import NamedTuple

import numpy as np

from ..compilation import njit
from .csr import are_sorted, gather, scatter

_1 = np.uint64(1)
_NOT_FINITE = "X contains NaN or infinity: impute or drop those entries."
_OVERFLOWS = "a product with X overflows float64: scale its columns."
_OUT_OF_RANGE = "X has row or column indices, or pointers, out of range."


class Packed(NamedTuple):
    """A sparse matrix for the kernels, and as it was given."""

    #: tuple (data, indices, starts), see `linalg.csr`
    rows: tuple
    #: row k of `rows` is row order[k] of X; slice(None) where it is row k
    order: object
    #: whether every entry of X is represented exactly in `rows`
    exact: bool
    #: number of columns
    p: int
    #: arrays of X itself, of rows or of columns, with unsigned indices
    source: tuple
    #: whether `source` is of rows
    by_rows: bool
    #: |X|_F^2, every stored entry by itself
    square: float

    def times(self, w):
        """Multiply X itself by w[:p], in float64, in the order of `rows`."""
        n = len(self.rows[2]) - 1
        if self.exact or self.by_rows:
            z = np.empty(n)
            rows = self.rows if self.exact else self.source
            gather(rows, 0, n, w, 0.0, z)
        else:
            z = np.zeros(n)
            scatter(self.source, 0, self.p, w, z)
        return z if self.exact else z[self.order]

    def transposed_times(self, r):
        """Multiply the transpose of X itself by r; p + 1 entries, 0 last."""
        n = len(r)
        out = np.zeros(self.p + 1)
        if self.exact:
            scatter(self.rows, 0, n, r, out)
            return out
        u = np.empty(n)
        u[self.order] = r
        if self.by_rows:
            scatter(self.source, 0, n, u, out)
        else:
            gather(self.source, 0, self.p, u, 0.0, out)
        return out

    def depths(self, sharp):
        """Bound how many additions of a sum follow each other, and more.

        Parameters
        ----------
        sharp : bool
            Count the entries of every column, which takes three passes.

        Returns
        -------
        over_samples, over_features, repeated : float
            `repeated` bounds how many entries have one place.
        """
        indices, starts = self.rows[1], self.rows[2]
        longest = max(float(np.diff(starts).max()), 1.0)
        used = indices[int(starts[0]):int(starts[-1])]
        if not sharp:
            return float(len(used)), longest, longest
        most = np.bincount(used).max() if len(used) else 0
        return float(most), longest, 1.0 if are_sorted(self.rows) else longest


@njit
def _count_rows(indices, first, last, n, lengths):
    """Add the entries of each row of a CSC matrix; return the largest."""
    largest = np.uint64(0)
    for e in range(np.uint64(first), np.uint64(last)):
        i = np.uint64(indices[e])
        largest = max(largest, i)
        if i < np.uint64(n):
            lengths[i] += 1
    return largest


@njit
def _sort_rows(lengths, order, starts):
    """Order rows by length; fill the starts of the sorted rows."""
    n = lengths.size
    longest = 0
    for i in range(n):
        longest = max(longest, lengths[i])
    first = np.zeros(longest + 2, np.int64)
    for i in range(n):
        first[lengths[i] + 1] += 1
    for k in range(longest + 1):
        first[k + 1] += first[k]
    for i in range(n):
        k = lengths[i]
        order[first[k]] = i
        first[k] += 1
    total = np.uint64(0)
    for k in range(n):
        starts[k] = total
        total += np.uint64(lengths[order[k]])
    starts[n] = total


@njit
def _fill_from_rows(X, order, A):
    """Copy CSR rows; tell what the entries are.

    Returns
    -------
    square : float
        Sum of the squares, not finite where an entry is not.
    still, exact : bool
        Entries are finite in A, and are kept exactly.
    largest : int
        Of the indices.
    """
    values, columns, starts = X
    data, indices, places = A
    lost = 0
    largest = np.uint64(0)
    square = 0.0
    still = data.dtype.type(0)
    for k in range(np.uint64(order.size)):
        i = np.uint64(order[k])
        place = places[k]
        for e in range(starts[i], starts[i + _1]):
            j = columns[e]
            value = np.float64(values[e])
            data[place] = value
            indices[place] = j
            lost += np.float64(data[place]) != value
            largest = max(largest, np.uint64(j))
            square += value * value
            still += data[place] * 0
            place += _1
    return square, still == 0, lost == 0, largest


@njit
def _fill_from_columns(X, order, A):
    """Transpose a CSC matrix into rows; tell the same as `_fill_from_rows`.

    Indices are within range already.
    """
    values, rows, starts = X
    data, indices, places = A
    n = order.size
    following = np.empty(n, np.uint64)
    for k in range(n):
        following[order[k]] = places[k]
    lost = 0
    square = 0.0
    still = data.dtype.type(0)
    for j in range(np.uint64(starts.size - 1)):
        for e in range(starts[j], starts[j + _1]):
            i = rows[e]
            place = following[i]
            following[i] = place + _1
            value = np.float64(values[e])
            data[place] = value
            indices[place] = j
            lost += np.float64(data[place]) != value
            square += value * value
            still += data[place] * 0
    return square, still == 0, lost == 0


def unsigned_arrays(X):
    """Return (data, indices, indptr) of CSR or CSC, indices unsigned.

    Pointers that a kernel would follow beyond the arrays are refused: one
    look at each, entries are not looked at.
    """
    data, indices, indptr = X.data, X.indices, X.indptr
    count = X.shape[0 if X.format == "csr" else 1]
    if (
        len(indptr) != count + 1 or indptr[0] < 0
        or (indptr[1:] < indptr[:-1]).any()
        or indptr[-1] > min(len(data), len(indices))
    ):
        raise ValueError(_OUT_OF_RANGE)
    return (
        data,
        indices.view(np.uint32 if indices.itemsize == 4 else np.uint64),
        indptr.astype(np.uint64),
    )


def _refuse(data):
    """Raise what is wrong with entries whose squares add up to no number."""
    raise ValueError(_OVERFLOWS if np.isfinite(data).all() else _NOT_FINITE)


def pack(X, dtype):
    """Pack X.

    Parameters
    ----------
    X : CSR or CSC matrix of shape (n, p), float32 or float64
        Indices may be unsorted or repeated; repeated entries add up in every
        product.
    dtype : float32 or float64
        Of the packed entries; float64 where one is too large for float32.

    Returns
    -------
    Packed

    Raises
    ------
    ValueError
        For entries that are not finite, or indices that are out of range.
    """
    n, p = X.shape
    source = unsigned_arrays(X)
    by_rows = X.format == "csr"
    largest = 0
    first, last = int(source[2][0]), int(source[2][-1])
    if by_rows:
        lengths = np.diff(source[2]).astype(np.int64)
    else:
        lengths = np.zeros(n, dtype=np.int64)
        largest = _count_rows(source[1], first, last, n, lengths)
    if not by_rows and largest >= n:
        raise ValueError(_OUT_OF_RANGE)
    order = np.empty(n, dtype=np.int64)
    starts = np.empty(n + 1, dtype=np.uint64)
    _sort_rows(lengths, order, starts)
    size = last - first
    A = np.empty(size, dtype=dtype), np.empty(size, dtype=np.uint32), starts
    if by_rows:
        square, still, exact, largest = _fill_from_rows(source, order, A)
        if size and largest >= p:
            raise ValueError(_OUT_OF_RANGE)
    else:
        square, still, exact = _fill_from_columns(source, order, A)
    if not square < np.inf:
        _refuse(source[0][first:last])
    if not still:
        return pack(X, np.float64)
    return Packed(A, order, bool(exact), p, source, by_rows, square)


@njit(fastmath={"reassoc"})
def _look(data, indices, starts):
    """Return the largest index of the entries and the sum of squares."""
    largest = np.uint32(0)
    square = 0.0
    for e in range(starts[0], starts[starts.size - 1]):
        largest = max(largest, indices[e])
        value = np.float64(data[e])
        square += value * value
    return largest, square


def as_it_is(X):
    """Return what `pack` does, without a copy where X is CSR and int32.

    Other matrices are packed in float64.
    """
    if X.format != "csr" or X.indices.itemsize != 4:
        return pack(X, np.float64)
    A = unsigned_arrays(X)
    largest, square = _look(*A)
    if largest >= X.shape[1]:
        raise ValueError(_OUT_OF_RANGE)
    if not square < np.inf:
        _refuse(A[0][int(A[2][0]):int(A[2][-1])])
    return Packed(A, slice(None), True, X.shape[1], A, True, square)
