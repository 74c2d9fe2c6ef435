r"""Numbers of two bytes, for matrices that are read again and again.

A pass over a matrix that does not fit the cache takes as long as its bytes
take to arrive: 20000 x 500 in half precision 0.8 ms, in float32 1.5 ms and
more. IEEE half precision has 11 bits, so a rounded entry is wrong by 2e-4 of
itself, and numbers up to 65504 only; columns are therefore scaled by powers of
two, exactly, to entries near 1. NumPy and numba know it as uint16 here;
numba's loops vectorise the conversion (`vcvtph2ps`).
"""
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..compilation import LOOPS, njit

# The largest number, with room for rounding
LARGEST = 6.5e4
# Rows that tell the scale of the columns
_ROWS = 16
_SMALLEST = 1e-30
# The bits of a float64 that hold its exponent, and twice that of 1.0
_EXPONENT, _EXPONENTS = 0x7FF << 52, 2046 << 52


@intrinsic
def widen(typingctx, x):
    """A half (uint16) as float32; a float as it is."""
    if x != types.uint16:
        return x(x), lambda context, builder, signature, args: args[0]

    def codegen(context, builder, signature, args):
        half = builder.bitcast(args[0], ir.HalfType())
        return builder.fpext(half, ir.FloatType())

    return types.float32(x), codegen


# NaN may be anything here: it shows in the first gradient. LLVM needs `nnan`
# to vectorise a maximum.
@njit(fastmath=LOOPS | {"nnan"})
def _raise_to(x, largest):
    for j in range(x.size):
        largest[j] = max(largest[j], abs(x[j]))


@njit
def column_scales(X, scale, unscale):
    """Powers of two that bring the columns of X near 1, and their inverses.

    From the largest entry of a column in 16 rows, so that a half can hold
    what is up to 65504 times larger.

    Parameters
    ----------
    X : array of shape (n, p), C order, float32 or float64
    scale, unscale : arrays of shape (p,), float64, written
    """
    n, p = X.shape
    for j in range(p):
        scale[j] = 0.0
    for i in range(0, n, max(1, n // _ROWS)):
        _raise_to(X[i], scale)
    for j in range(p):
        # not beyond what float32 holds, either
        if not _SMALLEST < scale[j] < 1.0 / _SMALLEST:
            scale[j] = 1.0
    # 2^-k has the exponent 2046 - e where 2^k has e
    bits, inverse = scale.view(np.int64), unscale.view(np.int64)
    for j in range(p):
        exponent = bits[j] & _EXPONENT
        inverse[j] = exponent
        bits[j] = _EXPONENTS - exponent
