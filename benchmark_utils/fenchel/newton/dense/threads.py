"""The reads of a dense X by several threads, each of a part of the rows.

`threads` is None for one thread: numba then compiles the plain call and
nothing that is parallel. Sums over the rows are added in the order of the
parts, so a result depends on the number of threads, by rounding, and not on
which of them was first.
"""
import numpy as np
from numba import prange, types
from numba.extending import overload

from ...compilation import njit
from .reads import reader


@njit
def _add_up(parts, out):
    """Add the rows of `parts` to out, without threads of its own."""
    for k in range(parts.shape[0]):
        for j in range(out.size):
            out[j] += parts[k, j]


def _read(rows, task, first, last, part, out):
    """Run a task on the rows from `first` to `last`."""


@overload(_read)
def _read_one(rows, task, first, last, part, out):
    one = reader(task)
    return lambda rows, task, first, last, part, out: one(
        rows, task, first, last, part, out
    )


@njit(parallel=True)
def _in_parts(threads, rows, task, part, out):
    """Run a task by threads, as `read_by`; parts are multiples of 8."""
    n = rows.y.size
    count = -(-n // (8 * threads)) * 8
    parts = np.empty((threads, part.size), part.dtype)
    outs, sums = np.zeros((threads, out.size)), np.empty((threads, 4))
    for k in prange(threads):
        sums[k, 0], sums[k, 1], sums[k, 2], sums[k, 3] = _read(
            rows, task, min(k * count, n), min((k + 1) * count, n), parts[k],
            outs[k],
        )
    totals = np.zeros(4)
    _add_up(outs, out)
    _add_up(sums, totals)
    return totals[0], totals[1], totals[2], totals[3]


def read_by(threads, rows, task, part, out):
    """Run a task on rows, by `threads` or by one where that is None.

    Parameters
    ----------
    threads : int or None
    rows : Rows
    task : FirstRead, Gradient, Along, Trial or Change
    part : array of shape (>= p,), work space
        float64 for `Gradient`, c's dtype for `Trial` and `Change`.
    out : array of shape (>= p,), float64, added to
        Of 2 p entries for `FirstRead`.

    Returns
    -------
    tuple of four floats
    """


# not inlined by numba: the intercept's sums came out wrong then, and a fit of
# 300 x 400 took 150 iterations instead of 40
@overload(read_by)
def _read_by(threads, rows, task, part, out):
    if threads is not None and threads != types.none:
        return lambda threads, rows, task, part, out: _in_parts(
            threads, rows, task, part, out
        )
    one = reader(task)
    return lambda threads, rows, task, part, out: one(
        rows, task, 0, rows.y.size, part, out
    )
