r"""Products with a design and the logistic function, to some 90 bits.

A number is a pair (high, low) of float64, worth their sum. Nothing here
relies on a longer type of the processor: what is exact in float64 is used.

A product is exact where its factors are cut into slices of few bits, since
sums of products of such slices need no rounding in any order, so BLAS may
form them (Ozaki, Ogita, Oishi and Rump, "Error-free transformations of
matrix multiplication by using fast routines of matrix multiplication and its
applications", Numer. Algorithms 59, 2012, doi:10.1007/s11075-011-9478-1).

The rest is the usual pairs: T. J. Dekker, "A floating-point technique for
extending the available precision", Numer. Math. 18, 1971,
doi:10.1007/BF01397083.
"""
import math

import numpy as np
from scipy import sparse

#: the largest error of a sum of products, in units of the sum of their
#: absolute values, and the largest relative error of `sigmoid`. A pair keeps
#: 104 bits, and a sum of products adds some tens of pairs
UNIT = 2.0**-90

# What is cut into slices at once, dense or the entries of a sparse block
_BLOCK_BYTES = 2**20
# ln 2 in three parts, the first of 32 bits: k times it is exact
_LN2 = (
    0.6931471803691238, 1.9082149292705877e-10, 1.1612227229362532e-26
)
_SPLITTER = 2.0**27 + 1.0


def two_sum(a, b):
    """Return a + b rounded, and what was rounded away."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a, b):
    """Return a * b rounded, and what was rounded away."""
    product = a * b
    a_high = _SPLITTER * a
    a_high = a_high - (a_high - a)
    b_high = _SPLITTER * b
    b_high = b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return product, (
        (a_high * b_high - product + a_high * b_low + a_low * b_high)
        + a_low * b_low
    )


def add(a, b):
    """Return the sum of two pairs."""
    high, low = two_sum(a[0], b[0])
    return two_sum(high, low + (a[1] + b[1]))


def multiply(a, b):
    """Return the product of two pairs."""
    high, low = two_product(a[0], b[0])
    return two_sum(high, low + (a[0] * b[1] + a[1] * b[0]))


def divide(a, b):
    """Return the quotient of two pairs."""
    first = a[0] / b[0]
    rest = add(a, multiply((-first, 0.0), b))
    return two_sum(first, (rest[0] + rest[1]) / b[0])


def total(a):
    """Return the sum of the entries of a pair of arrays, as a pair."""
    parts = [*a[0].tolist(), *a[1].tolist()]
    high = math.fsum(parts)
    return high, math.fsum([*parts, -high])


def matvec(X, v):
    """Return the pair X @ v for a pair v."""
    out = np.zeros(X.shape[0]), np.zeros(X.shape[0])
    for block, rows, columns in _blocks(X):
        part = _product(block, (v[0][columns], v[1][columns]))
        out[0][rows], out[1][rows] = add((out[0][rows], out[1][rows]), part)
    return out


def rmatvec(X, v):
    """Return the pair X.T @ v for a pair v."""
    return matvec(X.T, v)


def _blocks(X):
    """Yield blocks of X in float64, with their rows and columns."""
    if sparse.issparse(X):
        by_rows = X.format == "csr"
        across = X.nnz / max(X.shape[0 if by_rows else 1], 1)
    else:
        by_rows = X.flags.c_contiguous
        across = X.shape[1 if by_rows else 0]
    step = int(max(_BLOCK_BYTES // (8 * max(across, 1)), 1))
    everything = slice(None)
    for start in range(0, X.shape[0 if by_rows else 1], step):
        part = slice(start, start + step)
        rows, columns = (part, everything) if by_rows else (everything, part)
        yield X[rows, columns].astype(np.float64), rows, columns


def _product(A, v):
    """Return the pair A @ v; A is overwritten."""
    # No sum has more terms than this, so it needs no rounding
    bits = (52 - max(A.shape[1], 1).bit_length()) // 2
    parts = np.stack(
        [*_slices(v[0].copy(), bits), *_slices(v[1].copy(), bits)], axis=1
    )
    out = np.zeros(A.shape[0]), np.zeros(A.shape[0])
    entries = A.data if sparse.issparse(A) else A
    for part in _slices(entries, bits):
        if sparse.issparse(A):
            part = type(A)((part, A.indices, A.indptr), shape=A.shape)
        for column in (part @ parts).T:
            out = add(out, (column, 0.0))
    return out


def _slices(rest, bits):
    """Yield arrays of `bits` bits, whose sum is `rest`, which is destroyed."""
    largest = np.abs(rest).max(initial=0.0)
    if not np.isfinite(largest):
        yield rest
        return
    exponent = math.frexp(largest)[1] - bits
    while True:
        # adding it rounds to multiples of 2^exponent
        shift = 1.5 * 2.0 ** min(exponent + 52, 1022)
        part = rest + shift
        part -= shift
        rest -= part
        yield part
        if not rest.any():
            return
        exponent -= bits + 1


def sigmoid(margins):
    """Return 1 / (1 + exp(-m)) for a pair of arrays m.

    Returns
    -------
    pair of arrays
        Each to a relative `UNIT`, also where it is tiny.
    """
    sign = np.where(margins[0] < 0, 1.0, -1.0)
    small = _exp((sign * margins[0], sign * margins[1]))
    large = divide((1.0, 0.0), add((1.0, 0.0), small))
    negative = margins[0] < 0
    small = multiply(small, large)
    return (
        np.where(negative, small[0], large[0]),
        np.where(negative, small[1], large[1]),
    )


def _exp(x):
    """Return exp(x) for a pair x <= 0, zero below exp(-708)."""
    tiny = x[0] < -708.0
    x = np.where(tiny, 0.0, x[0]), np.where(tiny, 0.0, x[1])
    k = np.rint(x[0] / math.log(2))
    for part in _LN2:
        x = add(x, two_product(-k, part))
    # exp(x / 256) - 1 by its series, then squared eight times
    x = x[0] / 256, x[1] / 256
    series = np.zeros_like(k), np.zeros_like(k)
    for divisor in range(11, 0, -1):
        series = multiply(x, add((1.0, 0.0), series))
        series = divide(series, (float(divisor), 0.0))
    for _ in range(8):
        double = 2 * series[0], 2 * series[1]
        series = add(double, multiply(series, series))
    out = add((1.0, 0.0), series)
    k = k.astype(int)
    return (
        np.where(tiny, 0.0, np.ldexp(out[0], k)),
        np.where(tiny, 0.0, np.ldexp(out[1], k)),
    )
