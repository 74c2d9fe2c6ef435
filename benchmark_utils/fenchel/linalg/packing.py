"""Pack a scipy CSR or CSC matrix as `linalg.csr` reads it.

Rows are sorted by their length (a counting sort); one pass over the entries,
whatever the layout.
"""
import numpy as np

from ..compilation import njit

_1 = np.uint64(1)
_NOT_FINITE = "X contains NaN or infinity: impute or drop those entries."


@njit
def _count_rows(indices, n, lengths):
    """lengths[i] = entries of row i of a CSC matrix; largest index seen."""
    largest = np.uint64(0)
    for e in range(indices.size):
        i = np.uint64(indices[e])
        largest = max(largest, i)
        if i < np.uint64(n):
            lengths[i] += 1
    return largest


@njit
def _sort_rows(lengths, order, starts):
    """Order rows by length; starts of the sorted rows."""
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
    """Copy CSR rows; returns (entries are finite, and still are in A, and
    are kept exactly, largest index)."""
    values, columns, starts = X
    data, indices, places = A
    lost = 0
    largest = np.uint64(0)
    finite = values.dtype.type(0)
    still = data.dtype.type(0)
    for k in range(np.uint64(order.size)):
        i = np.uint64(order[k])
        place = places[k]
        for e in range(starts[i], starts[i + _1]):
            j = columns[e]
            value = values[e]
            data[place] = value
            indices[place] = j
            lost += np.float64(data[place]) != value
            largest = max(largest, np.uint64(j))
            finite += value * 0
            still += data[place] * 0
            place += _1
    return finite == 0, still == 0, lost == 0, largest


@njit
def _fill_from_columns(X, order, A):
    """Transpose a CSC matrix into the packed rows; as `_fill_from_rows`."""
    values, rows, starts = X
    data, indices, places = A
    n = order.size
    following = np.empty(n, np.uint64)
    for k in range(n):
        following[order[k]] = places[k]
    lost = 0
    finite = values.dtype.type(0)
    still = data.dtype.type(0)
    for j in range(np.uint64(starts.size - 1)):
        for e in range(starts[j], starts[j + _1]):
            i = rows[e]
            place = following[i]
            following[i] = place + _1
            value = values[e]
            data[place] = value
            indices[place] = j
            lost += np.float64(data[place]) != value
            finite += value * 0
            still += data[place] * 0
    return finite == 0, still == 0, lost == 0


def unsigned_arrays(X):
    """(data, indices, indptr) of a CSR or CSC matrix, indices unsigned."""
    indices, indptr = X.indices, X.indptr
    return (
        X.data,
        indices.view(np.uint32 if indices.itemsize == 4 else np.uint64),
        indptr.view(np.uint32 if indptr.itemsize == 4 else np.uint64)
        .astype(np.uint64, copy=False),
    )


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
    A : tuple (data, indices, starts)
    order : array of shape (n,), int64
        Row k of A is row order[k] of X.
    exact : bool
        Every entry of X is represented exactly.

    Raises
    ------
    ValueError
        For entries that are not finite, or indices that are out of range.
    """
    n, p = X.shape
    source = unsigned_arrays(X)
    by_rows = X.format == "csr"
    largest = 0
    if by_rows:
        lengths = np.diff(X.indptr).astype(np.int64, copy=False)
    else:
        lengths = np.zeros(n, dtype=np.int64)
        largest = _count_rows(source[1], n, lengths)
    if (by_rows and lengths.min() < 0) or (not by_rows and largest >= n):
        raise ValueError("X has row indices or pointers out of range.")
    order = np.empty(n, dtype=np.int64)
    starts = np.empty(n + 1, dtype=np.uint64)
    _sort_rows(lengths, order, starts)
    size = int(starts[-1])
    A = np.empty(size, dtype=dtype), np.empty(size, dtype=np.uint32), starts
    if by_rows:
        finite, still, exact, largest = _fill_from_rows(source, order, A)
        if size and largest >= p:
            raise ValueError("X has column indices out of range.")
    else:
        finite, still, exact = _fill_from_columns(source, order, A)
    if not finite:
        raise ValueError(_NOT_FINITE)
    if not still:
        return pack(X, np.float64)
    return A, order, bool(exact)


@njit(fastmath={"reassoc"})
def _look(data, indices, starts):
    """The largest index of the entries, and 0 times all, summed."""
    largest = np.uint32(0)
    nothing = 0.0
    for e in range(starts[0], starts[starts.size - 1]):
        largest = max(largest, indices[e])
        nothing += np.float64(data[e]) * 0.0
    return largest, nothing


def as_it_is(X):
    """What `pack` returns, without a copy where X is CSR, int32 and sound.

    Other matrices are packed in float64.
    """
    if X.format != "csr" or X.indices.itemsize != 4:
        return pack(X, np.float64)
    n, p = X.shape
    A = data, indices, starts = unsigned_arrays(X)
    wrong = X.indptr[0] < 0 or (X.indptr[1:] < X.indptr[:-1]).any() or (
        starts[-1] > min(len(data), len(indices))
    )
    if not wrong and X.nnz:
        largest, nothing = _look(*A)
        wrong = largest >= p
        if nothing != 0.0:
            raise ValueError(_NOT_FINITE)
    if wrong:
        raise ValueError("X has indices or pointers out of range.")
    return A, np.arange(n), True
