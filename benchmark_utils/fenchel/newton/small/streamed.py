r"""Newton for many samples with few columns: each pass reads X once.

A pass takes `BLOCK` samples at a time: they are transposed into the
first-level cache, their margins, weights, loss, gradient and Hessian are
summed there (`small.blocks`), and nothing of length n is ever written. So
each pass certifies the point it is at, and costs little more than to read X.

The start is the solution on every 64th row, corrected by one step on every
8th. From there t = 1 is right nearly always; where it is not, the step length
is found by further passes.
"""
import numpy as np

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES
from . import kernels as few
from .blocks import Vectors
from .descent import fit_tiny
from .layout import Fit, Layout, workspace_size
from .point import end, evaluate
from .polish import polish
from .reference import refer
from .samples import BLOCK, Block, flat, samples_of

# Columns begin at odd multiples of a cache line
_PITCH = BLOCK + LANES
# Rows of the smallest sample, for each column
_SAMPLE = 20
# Each sample has so many times the rows of the one before
_GROWTH = 8
# Newton steps on the smallest sample, and on each further one
_FIRST, _FURTHER = 8, 1


@bare
def streamed_size(q):
    """Return the entries of `work` for `fit_streamed` of q columns."""
    width = (q + LANES) // LANES * LANES
    return (width + 3) * _PITCH + (q + 8) * width + LANES


@bare
def lay_out(samples, l2, tol, work):
    """Divide the buffer: one block, and vectors of its samples only."""
    q = samples.p + 1 if samples.intercept else samples.p
    width = (q + LANES) // LANES * LANES
    A = simd.first_line(work)
    m = A + width * _PITCH
    U = m + 3 * _PITCH
    g = U + q * width
    s = m + _PITCH
    # what a draft or a bent direction needs is nowhere
    at = Layout(
        q, width, 0, 0, Vectors(m, s, m + 2 * _PITCH, s), 0, 0, U, g,
        g + width, g + 2 * width, g + 3 * width, g + 4 * width, g + 5 * width,
        g + 6 * width, g + 7 * width, 0, 0, 0, 0, 0,
    )
    few.clear(work, g, 8 * width)
    for j in range(samples.p):
        work[at.ridge + j] = l2
    block = Block(A, _PITCH, BLOCK, 0)
    return Fit(samples, work, simd.as_singles(work), block, at, l2, tol)


@bare
def _start(samples, l2, labels, room, x):
    """Set x to a solution on samples of every 64th, then every 8th row."""
    n, step, steps = samples.n, 1, _FIRST
    while n // (step * _GROWTH) >= _SAMPLE * x.size:
        step *= _GROWTH
    while step > 1:
        rows = (n + step - 1) // step
        for i in range(rows):
            labels[i] = samples.y[samples.y0 + i * step]
        where = (
            samples.start, samples.row_stride * step, samples.column_stride,
            rows, samples.p, 0,
        )
        fit_tiny(
            samples.data, labels, where, l2 * rows / n, 1e-4, steps, room, x
        )
        steps = _FURTHER
        step //= _GROWTH


@bare
def fit_streamed(data, y, where, l2, tol, max_iter, buffers, x):
    """Minimise F, from Python.

    Parameters
    ----------
    data, y, where
        As for `samples_of`. An intercept is fitted where x has room for it.
    l2, tol : float
    max_iter : int
    buffers : tuple of arrays, flat, float64
        One of `streamed_size(q)`; for the start's samples, n // 8 + 1 and
        `workspace_size(n // 8 + 1, q)`.
    x : array of shape (p + intercept,)
        The start, from samples where it is zero; becomes the solution.

    Returns
    -------
    iterations, passes, grams : int
    status : int
        REACHED, ITERATION_LIMIT, or FLOAT64_LIMIT where it made no progress.
    gap, value : float
        A bound of the duality gap, and F.
    """
    samples = samples_of(data, y, where, x.size > where[4])
    work, labels, room = buffers
    fit = refer(lay_out(samples, l2, tol, work))
    at_zero = True
    for j in range(x.size):
        at_zero = at_zero and x[j] == 0.0
    if at_zero:
        _start(samples, l2, labels, room, x)
    for j in range(x.size):
        work[fit.at.w + j] = x[j]
    first, no = evaluate(fit, np.bool_(True)), np.bool_(False)
    iterations, passes, grams, ended = polish(fit, first, no, no, max_iter)
    if at_zero:
        x[:] = 0.0
    status, gap, value = end(fit, x, at_zero, first.size, ended)
    return iterations, passes + 1, grams, status, gap, value


def fit_rows(X, y, l2, tol, max_iter, x):
    """Minimise F for X of any layout; x is the start and the solution.

    Returns what `fit_streamed` does.
    """
    n, p = X.shape
    data, row_stride, column_stride = flat(X)
    room = n // _GROWTH + 1
    return fit_streamed(
        data, y, (0, row_stride, column_stride, n, p, 0), float(l2),
        float(tol), int(max_iter), (
            np.empty(streamed_size(x.size)), np.empty(room),
            np.empty(workspace_size(room, x.size)),
        ), x,
    )
