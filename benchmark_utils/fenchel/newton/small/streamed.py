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
from ...linalg.simd import LANES
from ...line_search import next_trial
from ...result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED
from . import hessian, vectors
from . import kernels as few
from .blocks import Vectors
from .descent import (
    factor,
    fit_tiny,
    slopes_of,
    solve_beside,
    stale_direction,
)
from .hessian import sums_size
from .layout import Fit, Layout, workspace_size
from .point import NOWHERE, balance, end, evaluate, keep_better
from .samples import BLOCK, Block, fill, flat, samples_of

# Columns begin at odd multiples of a cache line
_PITCH = BLOCK + LANES
# Rows of the smallest sample, for each column
_SAMPLE = 20
# Each sample has so many times the rows of the one before
_GROWTH = 8
# Newton steps on the smallest sample, and on each further one
_FIRST, _FURTHER = 8, 1
# A step is taken once the slope along it has fallen to this share
_FLAT = 0.5
# Passes of a search
_TRIALS = 12


@bare
def streamed_size(q):
    """Return the entries of `work` for `fit_streamed` of q columns."""
    width = (q + LANES) // LANES * LANES
    return (width + 3) * _PITCH + sums_size(q) + (q + 9) * width + LANES


@bare
def lay_out(samples, l2, tol, work):
    """Divide the buffer: one block, and vectors of its samples only."""
    q = samples.p + 1 if samples.intercept else samples.p
    width = (q + LANES) // LANES * LANES
    A = -(work.ctypes.data >> 3) & (LANES - 1)
    m = A + width * _PITCH
    sums = m + 3 * _PITCH
    U = sums + sums_size(q)
    g = U + q * width
    s = m + _PITCH
    # what a draft or a bent direction needs is nowhere
    at = Layout(
        q, width, 0, 0, Vectors(m, s, m + 2 * _PITCH, s), 0, 0, sums, U, g,
        g + width, g + 2 * width, g + 3 * width, g + 4 * width, g + 5 * width,
        g + 6 * width, g + 7 * width, g + 8 * width, 0, 0, 0, 0, 0,
    )
    few.clear(work, g, 9 * width)
    for j in range(samples.p):
        work[at.ridge + j] = l2
    block = Block(A, _PITCH, BLOCK, 0)
    if samples.n <= BLOCK:
        fill(samples, np.int64(0), work, block)
    return Fit(samples, work, work.view(np.float32), block, at, l2, tol)


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
def _search(fit, slope, sums):
    """Find the step along d by passes at the points themselves.

    The bend is that of a secant. Returns the `Point` there, the passes, and
    whether it is one.
    """
    work, at = fit.work, fit.at
    for j in range(at.q):
        work[at.old + j] = work[at.w + j]
    t, low, high = 1.0, 0.0, np.inf
    before, before_slope, passes = 0.0, slope, 0
    while True:
        for j in range(at.q):
            work[at.w + j] = work[at.old + j] + t * work[at.d + j]
        now = evaluate(fit, sums)
        passes += 1
        first = vectors.dot(work, at.g, at.d, at.width)
        found = abs(first) <= _FLAT * -slope
        if found or passes == _TRIALS:
            return now, passes, found
        if first < 0.0:
            low = t
        else:
            high = t
        bend = (first - before_slope) / (t - before)
        before, before_slope = t, first
        t = next_trial(t, first, bend, low, high)


@bare
def _descend(fit, now, max_iter):
    """Minimise F from w, whose `Point` is `now`, its Hessian summed.

    Returns iterations, passes, Hessians and what `descent.end` takes.
    """
    work, at = fit.work, fit.at
    iteration, passes, grams, fresh, share = 0, 1, 1, True, 1.0
    status, before, best = ITERATION_LIMIT, np.inf, NOWHERE
    while True:
        best = keep_better(fit, now, best)
        total, goal = now.gap + now.pull, fit.tol * now.value
        if now.gap <= goal:
            passes += fit.samples.intercept
            price, square = balance(fit, now)
            if price + square / (2.0 * fit.l2) <= goal:
                return iteration, passes, grams, (REACHED, now, price, square)
        if iteration >= max_iter:
            break
        status = FLOAT64_LIMIT
        if not total < 0.9 * before:
            break
        before = total
        iteration += 1
        if fresh:
            hessian.gather(work, at.sums, at.q, at.U, at.width)
            factor(fit, np.bool_(False))
            solve_beside(fit)
        else:
            stale_direction(fit, np.int64(0))
        slope = slopes_of(fit)[0]
        if not slope < 0.0:
            break
        # A Newton step leaves 0.1 to 2.5 times -slope / mass of the gap, one
        # more with the same factor twice that share
        if fresh:
            share = -slope / now.mass
            left = total * share
        else:
            left = total * 2.0 * share
        done = 0.1 * goal
        fresh = left > done and 2.0 * share * left > done
        now, trials, found = _search(fit, slope, at.sums if fresh else -1)
        passes += trials
        grams += fresh
        if not found:
            break
        status = ITERATION_LIMIT
    return iteration, passes, grams, (status, best, 0.0, 0.0)


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
    fit = lay_out(samples, l2, tol, work)
    at_zero = True
    for j in range(x.size):
        at_zero = at_zero and x[j] == 0.0
    if at_zero:
        _start(samples, l2, labels, room, x)
    for j in range(x.size):
        work[fit.at.w + j] = x[j]
    first = evaluate(fit, fit.at.sums)
    iterations, passes, grams, ended = _descend(fit, first, max_iter)
    if at_zero:
        x[:] = 0.0
    status, gap, value = end(fit, x, at_zero, first.size, ended)
    return iterations, passes, grams, status, gap, value


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
