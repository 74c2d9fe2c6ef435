r"""Products with a sparse matrix whose rows are sorted by their length.

A packed matrix `A` of n rows is the tuple (data, indices, starts): float32 or
float64, uint32, uint64; row i is data[starts[i]:starts[i + 1]]. It is a plain
tuple, because numba takes 10 us and more to recognise a named one.

Rows that are sorted (by `linalg.packing`) let the processor predict the
end of every row: a gather and a scatter take 1.2 ns an entry on movielens
(5.7 entries a row on average) instead of 2.3 in the order of the data, and
0.9 where all rows have one length, sorted or not.

Entries are float32, vectors float64. That costs 5 to 10 % more than float32
vectors (0.96 and 0.90 ns an entry on tf-idf text) and takes away what float32
sums cost: half of the digits in columns of many entries. Entries that are
not float32 numbers are rounded; the points that are certified are products
with the matrix itself (`linalg.packing.Packed`).

Indices are unsigned, because numba tests signed ones for being negative.
Four entries at a time: LLVM's own vector gathers were slower here.
"""
import numpy as np

from ..compilation import LOOPS, njit

# Rows a block of `hessian_product`: all its gathers run before its scatters,
# since a scatter waits for a gather of the same cache line, and the entries
# stay in the cache. 1024 was the fastest of 64, 256, 1024, 4096.
_BLOCK = 1024
# Sums of a row are kept in four accumulators by hand; contraction is all the
# freedom that the compiler gets, and NaN and infinity keep their meaning.
_SUMS = {"contract"}
_1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


@njit(fastmath=_SUMS)
def gather(A, first, last, v, shift, out):
    """Write A[i] @ v + shift, in float64, for rows first to last - 1."""
    data, indices, starts = A
    for i in range(np.uint64(first), np.uint64(last)):
        e = starts[i]
        end = starts[i + _1]
        a, b, c, d = shift, 0.0, 0.0, 0.0
        while e + _4 <= end:
            a += data[e] * v[indices[e]]
            b += data[e + _1] * v[indices[e + _1]]
            c += data[e + _2] * v[indices[e + _2]]
            d += data[e + _3] * v[indices[e + _3]]
            e += _4
        while e < end:
            a += data[e] * v[indices[e]]
            e += _1
        out[i] = (a + b) + (c + d)


# as numba inlines it, a sweep of dual coordinate descent takes 7 % less than
# as LLVM does
@njit(fastmath=_SUMS, inline="always")
def add_row(data, indices, e, end, factor, out):
    """Add factor times a row, the entries e to end - 1, to out."""
    while e + _4 <= end:
        out[indices[e]] += factor * data[e]
        out[indices[e + _1]] += factor * data[e + _1]
        out[indices[e + _2]] += factor * data[e + _2]
        out[indices[e + _3]] += factor * data[e + _3]
        e += _4
    while e < end:
        out[indices[e]] += factor * data[e]
        e += _1


@njit(fastmath=_SUMS)
def scatter(A, first, last, c, out):
    """Add the sum of c[i] A[i] over rows first to last - 1, in float64."""
    data, indices, starts = A
    for i in range(np.uint64(first), np.uint64(last)):
        add_row(data, indices, starts[i], starts[i + _1], c[i], out)


@njit(fastmath=_SUMS)
def scatter_squares(A, h, out):
    """Add the sum of h[i] A[i, j]^2 over all rows to out[j], in float64."""
    data, indices, starts = A
    for i in range(np.uint64(h.size)):
        factor = h[i]
        for e in range(starts[i], starts[i + _1]):
            value = np.float64(data[e])
            out[indices[e]] += factor * value * value


@njit(fastmath=_SUMS)
def hessian_product(A, v, shift, h, out, products, scaled):
    """Add A' diag(h) (A v + shift) to out.

    Parameters
    ----------
    A : tuple, packed matrix
    v, out : arrays of shape (>= p,), float64
    shift : float
        The intercept's part of v.
    h : array of shape (n,), float64
    products, scaled : arrays of shape (n,), float64, written
        A v + shift, and h times it.

    Returns
    -------
    float
        The intercept's part of the result.
    """
    total = 0.0
    n = h.size
    for first in range(0, n, _BLOCK):
        last = min(first + _BLOCK, n)
        gather(A, first, last, v, shift, products)
        for i in range(first, last):
            scaled[i] = h[i] * products[i]
            total += scaled[i]
        scatter(A, first, last, scaled, out)
    return total


@njit(fastmath=LOOPS)
def are_sorted(A):
    """Tell whether the indices of every row increase: none is repeated."""
    _, indices, starts = A
    n = np.uint64(starts.size - 1)
    # all rows at once: 16 us for 2000 of them with 93000 entries
    descents = 0
    for e in range(starts[0] + _1, starts[n]):
        descents += indices[e] <= indices[e - _1]
    for i in range(n):
        e = starts[i]
        if starts[0] < e < starts[i + _1]:
            descents -= indices[e] <= indices[e - _1]
    return descents == 0
