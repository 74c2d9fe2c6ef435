"""How the kernels of this package are compiled."""
import os

import numba

# With it, compiled code sees to it that what it reads and writes belongs to
# its arrays, vectors too: for tests, a hundred times slower
CHECKED = os.environ.get("FENCHEL_CHECK") == "1"

# Loops may reorder sums and contract a * b + c; NaN and infinity keep their
# meaning, so an overflow is still seen
LOOPS = {"contract", "reassoc", "arcp", "nsz"}


def njit(function=None, **options):
    """Compile a function by numba, cached, division as NumPy's.

    To be used as ``@njit`` or, with more of numba's options,
    ``@njit(fastmath=LOOPS)``.
    """
    if CHECKED:
        options["boundscheck"] = True
    compiled = numba.njit(**{"error_model": "numpy", "cache": True} | options)
    return compiled if function is None else compiled(function)


def bare(function):
    """Compile by `njit` a function that allocates no array.

    Without counts of references to its arrays, which its callers hold: 200 x
    10 in 5.1 instead of 6.5 us. What it returns may contain arrays only where
    its callers are bare, too.
    """
    return njit(function, _nrt=False)


def inlined(function):
    """Compile a `bare` function whose code goes into that of its callers."""
    return njit(function, _nrt=False, forceinline=True)
