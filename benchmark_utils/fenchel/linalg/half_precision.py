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

# The largest number, with room for rounding
LARGEST = 6.5e4
# Rows that tell the scale of the columns
_ROWS = 16
_SMALLEST = 1e-30
# The bits of a float64 that hold its exponent, and twice that of 1.0
_EXPONENT, _EXPONENTS = 0x7FF << 52, 2046 << 52


@intrinsic
def widen(typingctx, x):
    """Convert a half (uint16) to float32; keep a float."""
    if x != types.uint16:
        return x(x), lambda context, builder, signature, args: args[0]

    def codegen(context, builder, signature, args):
        half = builder.bitcast(args[0], ir.HalfType())
        return builder.fpext(half, ir.FloatType())

    return types.float32(x), codegen


def column_scales(X, scale, unscale):
    """Write powers of two that bring the columns of X near 1, and inverses.

    From the largest entry of a column in 16 rows, so that a half can hold
    what is up to 65504 times larger.

    Parameters
    ----------
    X : array of shape (n, p), C order, float32 or float64
    scale, unscale : arrays of shape (p,), float64, written
    """
    rows = X[::max(1, len(X) // _ROWS)]
    # NaN may be anything here: it shows in the first gradient
    with np.errstate(invalid="ignore"):
        largest = np.maximum(rows.max(axis=0), -rows.min(axis=0))
    # not beyond what float32 holds, either
    held = (largest > _SMALLEST) & (largest < 1.0 / _SMALLEST)
    # 2^-k has the exponent 2046 - e where 2^k has e; ldexp takes ten times
    # as long
    bits = np.where(held, largest, 1.0).astype(np.float64).view(np.int64)
    bits &= _EXPONENT
    unscale[:] = bits.view(np.float64)
    scale[:] = (_EXPONENTS - bits).view(np.float64)
