"""How Python calls the kernels of small problems, without numba's 0.2 us."""
import numpy as np
from numba import types

from ...compilation import njit
from ...result import NOT_HERE

#: what is told where nothing is done
NOTHING = 0, 0, 0, NOT_HERE, np.inf, np.inf

_SIGNATURE = (
    types.Array(types.float64, 2, "C"), types.Array(types.float64, 1, "C"),
    types.float64, types.float64, types.int64,
    types.Array(types.float64, 1, "C"),
)


def machine_code(function):
    """Load or compile function(X, y, l2, tol, max_iter, x); return its code.

    Called directly it does not choose among signatures, which takes 0.2 us.
    The caller sees to it that X and y are float64 arrays of two dimensions
    and one; their layout, which a signature stands for, is asked for by
    `is_usual` in compiled code.
    """
    function.compile(_SIGNATURE)
    return function.overloads[_SIGNATURE].entry_point


@njit
def is_usual(X, y):
    """Whether arrays are contiguous, not empty, and labels -1 and +1, both."""
    n, p = X.shape
    # the stride of a single column, or row, means nothing
    if (
        y.size != n or n == 0 or p == 0
        or X.strides[0] != 8 * p and n > 1 or X.strides[1] != 8 and p > 1
        or y.strides[0] != 8
    ):
        return False
    positive, negative = 0, 0
    for i in range(n):
        positive += y[i] == 1.0
        negative += y[i] == -1.0
    return positive + negative == n and positive * negative > 0


@njit
def summary(iterations, grams, status, gap, value):
    """Return what is told of a fit.

    Iterations, passes, Hessians, status, the relative gap and F; the status
    is NOT_HERE, and the rest means nothing, where the gap is not finite.
    """
    relative = gap
    if gap < np.inf:
        relative = min(gap / value, 1.0) if value > 0.0 else 0.0
    else:
        status = NOT_HERE
    return (
        iterations, 2 * iterations + 1 + grams, grams, status, relative, value
    )
