"""Products of blocks of rows of a dense X in C order, or of a copy of it."""
from numba import types
from numba.extending import overload

from ..compilation import LOOPS, njit
from .blas import rows_times, times_rows
from .half_precision import widen

# On rows this short BLAS is faster than the loops below, whose vectors do not
# fill: 15 against 21 us for both products at 2000 x 100 in float32
SHORT_ROWS = 150
# Rows a block: a quarter of a megabyte stays in the second-level cache. Fewer
# rows than 32 cost more in the sums over blocks than the cache gives: 0.41
# instead of 0.16 ms for X'c at 200 x 5000 in float32
_BLOCK_BYTES, _BLOCK_ROWS = 250_000, 32
# Columns that are summed up in a row in float64
CHUNK = 256


@njit
def block_rows(A):
    """Return the rows a block, a multiple of 8."""
    rows = _BLOCK_BYTES // (A.shape[1] * A.itemsize) // 8 * 8
    return max(_BLOCK_ROWS, rows)


@njit(fastmath=LOOPS)
def _forward_loops(A, first, last, v, shift, out):
    p = A.shape[1]
    i = first
    while i + 8 <= last:
        x0, x1, x2, x3 = A[i], A[i + 1], A[i + 2], A[i + 3]
        x4, x5, x6, x7 = A[i + 4], A[i + 5], A[i + 6], A[i + 7]
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = v.dtype.type(0)
        for j in range(p):
            a0 += widen(x0[j]) * v[j]
            a1 += widen(x1[j]) * v[j]
            a2 += widen(x2[j]) * v[j]
            a3 += widen(x3[j]) * v[j]
            a4 += widen(x4[j]) * v[j]
            a5 += widen(x5[j]) * v[j]
            a6 += widen(x6[j]) * v[j]
            a7 += widen(x7[j]) * v[j]
        out[i] = a0 + shift
        out[i + 1] = a1 + shift
        out[i + 2] = a2 + shift
        out[i + 3] = a3 + shift
        out[i + 4] = a4 + shift
        out[i + 5] = a5 + shift
        out[i + 6] = a6 + shift
        out[i + 7] = a7 + shift
        i += 8
    while i < last:
        x0 = A[i]
        a0 = v.dtype.type(0)
        for j in range(p):
            a0 += widen(x0[j]) * v[j]
        out[i] = a0 + shift
        i += 1


@njit(fastmath=LOOPS)
def _forward_in_chunks(A, first, last, v, shift, out):
    """Add up `CHUNK` columns, then the sums: rounding is less."""
    p = A.shape[1]
    i = first
    while i < last:
        # the last rows are read twice rather than one by one
        i = max(min(i, last - 4), first)
        rows = min(4, last - i) - 1
        k1, k2, k3 = i + min(1, rows), i + min(2, rows), i + rows
        b0 = b1 = b2 = b3 = shift
        for start in range(0, p, CHUNK):
            stop = min(start + CHUNK, p)
            w, x0, x1 = v[start:stop], A[i][start:stop], A[k1][start:stop]
            x2, x3 = A[k2][start:stop], A[k3][start:stop]
            a0 = a1 = a2 = a3 = 0.0
            for j in range(w.size):
                a0 += x0[j] * w[j]
                a1 += x1[j] * w[j]
                a2 += x2[j] * w[j]
                a3 += x3[j] * w[j]
            b0, b1, b2, b3 = b0 + a0, b1 + a1, b2 + a2, b3 + a3
        out[i], out[k1], out[k2], out[k3] = b0, b1, b2, b3
        i += 4


@njit(fastmath=LOOPS)
def _forward_short(A, first, last, v, shift, out):
    rows_times(A, first, last, v, out)
    for i in range(first, last):
        out[i] += shift


def _by_loops(A, first, last, v, shift, out):
    """As `forward`; float64, which certifies, in sums of chunks."""


@overload(_by_loops)
def _loops(A, first, last, v, shift, out):
    double = v.dtype == types.float64
    one = _forward_in_chunks if double else _forward_loops
    return lambda A, first, last, v, shift, out: one(
        A, first, last, v, shift, out
    )


@njit(fastmath=LOOPS)
def _forward_by_length(A, first, last, v, shift, out):
    if A.shape[1] >= SHORT_ROWS:
        _by_loops(A, first, last, v, shift, out)
    else:
        _forward_short(A, first, last, v, shift, out)


def forward(A, first, last, v, shift, out):
    """Set out[i] = A[i] @ v + shift for the rows first, ..., last - 1.

    A may hold halves (uint16). The arithmetic is that of v; BLAS takes only v
    and out of A's dtype.
    """


@overload(forward)
def _forward(A, first, last, v, shift, out):
    same = A.dtype == v.dtype == out.dtype
    one = _forward_by_length if same else _by_loops
    return lambda A, first, last, v, shift, out: one(
        A, first, last, v, shift, out
    )


@njit(fastmath=LOOPS)
def _backward_loops(A, first, last, c, part):
    p = A.shape[1]
    for j in range(p):
        part[j] = 0
    i = first
    while i + 8 <= last:
        x0, x1, x2, x3 = A[i], A[i + 1], A[i + 2], A[i + 3]
        x4, x5, x6, x7 = A[i + 4], A[i + 5], A[i + 6], A[i + 7]
        c0, c1, c2, c3 = c[i], c[i + 1], c[i + 2], c[i + 3]
        c4, c5, c6, c7 = c[i + 4], c[i + 5], c[i + 6], c[i + 7]
        for j in range(p):
            part[j] += (
                (c0 * widen(x0[j]) + c1 * widen(x1[j]))
                + (c2 * widen(x2[j]) + c3 * widen(x3[j]))
            ) + (
                (c4 * widen(x4[j]) + c5 * widen(x5[j]))
                + (c6 * widen(x6[j]) + c7 * widen(x7[j]))
            )
        i += 8
    while i < last:
        x0 = A[i]
        c0 = c[i]
        for j in range(p):
            part[j] += c0 * widen(x0[j])
        i += 1


@njit(fastmath=LOOPS)
def _add(part, p, out):
    for j in range(p):
        out[j] += part[j]


@njit(fastmath=LOOPS)
def _backward_by_length(A, first, last, c, part):
    if A.shape[1] >= SHORT_ROWS:
        _backward_loops(A, first, last, c, part)
    else:
        times_rows(A, first, last, c, part)


def backward(A, first, last, c, part, out):
    """Add the sum of c[i] A[i] over the rows first, ..., last - 1 to out.

    The sum over a block is in the precision of c and of the work space
    `part`, that of the blocks in float64.
    """


@overload(backward)
def _backward(A, first, last, c, part, out):
    same = A.dtype == c.dtype == part.dtype
    one = _backward_by_length if same else _backward_loops

    def call(A, first, last, c, part, out):
        one(A, first, last, c, part)
        _add(part, A.shape[1], out)

    return call
