r"""Newton for many samples with few columns: each pass reads X once.

A pass takes `BLOCK` samples at a time: they are transposed into the
first-level cache, their margins, weights, loss, gradient and Hessian are
summed there (`small.kernels`), and nothing of length n is ever written. So
each pass certifies the point it is at, and costs little more than to read X.

The start is the solution on every 64th row, corrected by one step on every
8th. From there t = 1 is right nearly always; where it is not, the step length
is found by further passes, a bracket on the convex function of t.
"""
import numpy as np

from ...compilation import njit
from ...linalg.simd import LANES
from . import hessian
from . import kernels as few
from .blocks import fill
from .descent import (
    PIVOT,
    fit_tiny,
    flat,
    workspace_size,
)
from .gap import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
    class_factor,
    scale_class,
)
from .hessian import BLOCK, sums_size
from .kernels import FAR

# Columns begin at odd multiples of a cache line
_PITCH = BLOCK + LANES
# Rows of the smallest sample, for each column
_SAMPLE = 20
# Each sample has so many times the rows of the one before
_GROWTH = 8
# Newton steps on the smallest sample, and on each further one
_FIRST, _FURTHER = 8, 1


@njit
def streamed_size(q):
    """Entries of `work` for `fit_streamed` of q columns."""
    width = (q + LANES) // LANES * LANES
    return (
        (max(width, q) + 4) * _PITCH + sums_size(q) + (q + 10) * width + LANES
    )


@njit
def read(
    data, row_stride, column_stride, n, p, y, intercept, work, A, w, g, part,
    sums, with_gram,
):
    """One pass at w.

    Parameters
    ----------
    data : array, flat, float64 or float32
        X[i, j] is data[i * row_stride + j * column_stride].
    y : array of shape (n,), -1 and +1
    work : array, flat, float64
        From A on it has room for a block and four vectors.
    w, g, part, sums : int
        Where the coefficients are; where the gradient of the loss goes;
        room for as much; where the Hessian goes, for `small.hessian.gather`.
    with_gram : bool
        Whether the Hessian is summed.

    Returns
    -------
    loss, mass : float
        sum log(1 + exp(-m)) and sum sigmoid(-m).
    """
    q = p + 1 if intercept else p
    m = A + max(q, (p + LANES - 1) // LANES * LANES) * _PITCH
    s, h = m + _PITCH, m + 2 * _PITCH
    for j in range(q):
        work[g + j] = 0.0
    if with_gram:
        few.clear(work, sums, sums_size(q))
    loss = 0.0
    mass = 0.0
    for first in range(0, n, BLOCK):
        count = min(n - first, BLOCK)
        padded = fill(
            data, 0, row_stride, column_stride, n, p, y, 0, intercept, work,
            A, _PITCH, BLOCK, first,
        )
        few.combine(work, A, _PITCH, q, work, w, m, padded)
        for i in range(count, padded):
            work[m + i] = FAR
        block_loss, block_mass = few.weigh_and_lose(work, m, s, h, padded)
        loss += block_loss
        mass += block_mass
        few.project(work, A, _PITCH, q, s, work, part, padded)
        for j in range(q):
            work[g + j] -= work[part + j]
        if with_gram:
            hessian.add_gram(work, A, _PITCH, q, h, padded // LANES, sums)
    return loss, mass


@njit
def balanced_gap(
    data, row_stride, column_stride, n, p, y, work, A, w, part, total, l2,
    ascent, mass,
):
    """The duality gap with an intercept, by one more pass.

    As `small.gap.balanced_gap`.
    """
    q = p + 1
    m = A + max(q, (p + LANES - 1) // LANES * LANES) * _PITCH
    s, h = m + _PITCH, m + 2 * _PITCH
    c, sign = class_factor(ascent, mass)
    for j in range(p):
        work[total + j] = 0.0
    gap = 0.0
    for first in range(0, n, BLOCK):
        count = min(n - first, BLOCK)
        padded = fill(
            data, 0, row_stride, column_stride, n, p, y, 0, True, work, A,
            _PITCH, BLOCK, first,
        )
        few.combine(work, A, _PITCH, q, work, w, m, padded)
        for i in range(count, padded):
            work[m + i] = FAR
        few.weigh(work, m, s, h, padded)
        gap += scale_class(
            work, A + p * _PITCH, m, s, s, c, sign, padded
        )
        few.project(work, A, _PITCH, p, s, work, part, padded)
        for j in range(p):
            work[total + j] += work[part + j]
    for j in range(p):
        gap += (work[total + j] - l2 * work[w + j]) ** 2 / (2.0 * l2)
    return gap


@njit
def _start(
    data, row_stride, column_stride, n, p, y, l2, intercept, smallest, labels,
    work, x,
):
    """x = an approximate solution, from samples of every 64th, 8th row."""
    step = 1
    while n // (step * _GROWTH) >= smallest:
        step *= _GROWTH
    steps = _FIRST
    while step > 1:
        rows = (n + step - 1) // step
        for i in range(rows):
            labels[i] = y[i * step]
        fit_tiny(
            data, 0, row_stride * step, column_stride, rows, p, labels, 0,
            l2 * rows / n, intercept, 1e-4, steps, work, x, 0,
        )
        steps = _FURTHER
        step //= _GROWTH


@njit
def fit_streamed(
    data, row_stride, column_stride, n, p, y, l2, intercept, tol, max_iter,
    smallest, labels, room, work, x,
):
    """Minimise F.

    Parameters
    ----------
    data, row_stride, column_stride, n, p, y, intercept
        As for `read`.
    l2, tol : float
    max_iter : int
    smallest : int
        Rows of the smallest sample; more than n for none.
    labels, room : arrays, flat, float64
        For the samples: n // 8 + 1 and `workspace_size(n // 8 + 1, q)`.
    work : array, flat, float64, of `streamed_size(q)`
    x : array of shape (p + intercept,)
        The start, unless there are samples; becomes the solution.

    Returns
    -------
    iterations, passes, grams : int
    status : int
        REACHED, ITERATION_LIMIT, or FLOAT64_LIMIT where it made no progress.
    gap, value : float
        The certified duality gap, and F.
    """
    q = p + 1 if intercept else p
    width = (q + LANES) // LANES * LANES
    A = -(work.ctypes.data >> 3) & (LANES - 1)
    sums = A + (max(width, q) + 4) * _PITCH
    U = sums + sums_size(q)
    w = U + q * width
    d, g, g_new, part = w + width, w + 2 * width, w + 3 * width, w + 4 * width
    ridge, inverse, z, old = (
        w + 5 * width, w + 6 * width, w + 7 * width, w + 8 * width
    )
    if smallest < n:
        _start(
            data, row_stride, column_stride, n, p, y, l2, intercept,
            smallest, labels, room, x,
        )
    for j in range(q):
        work[w + j] = x[j]
        work[ridge + j] = l2 if j < p else 0.0
    loss, mass = read(
        data, row_stride, column_stride, n, p, y, intercept, work, A, w, g,
        part, sums, True,
    )
    passes, grams, fresh, share = 1, 1, True, 1.0
    status, iteration, before, gap = ITERATION_LIMIT, 0, np.inf, np.inf
    while True:
        gap, norm = 0.0, 0.0
        ascent = work[part]
        if intercept:
            ascent = -work[g + p]
        for j in range(q):
            work[g + j] += work[ridge + j] * work[w + j]
            norm += work[ridge + j] * work[w + j] * work[w + j]
        for j in range(p):
            gap += work[g + j] * work[g + j]
        gap /= 2.0 * l2
        value = loss + 0.5 * norm
        if gap <= tol * value:
            if intercept:
                passes += 1
                gap = balanced_gap(
                    data, row_stride, column_stride, n, p, y, work, A, w,
                    part, z, l2, ascent, mass,
                )
            if gap <= tol * value:
                status = REACHED
                break
        total = gap + (work[g + p] * work[g + p] if intercept else 0.0)
        if iteration >= max_iter:
            break
        if not total < 0.9 * before:
            status = FLOAT64_LIMIT
            break
        before = total
        iteration += 1
        if fresh:
            hessian.gather(work, sums, q, U, width)
            for j in range(q):
                work[U + j * width + q] = -work[g + j]
            hessian.factorize(work, U, width, q, inverse, ridge, PIVOT)
            hessian.substitute(work, U, width, q, inverse, U + q, width, d)
        else:
            for j in range(q):
                work[z + j] = -work[g + j]
            hessian.eliminate(work, U, width, q, inverse, z)
            hessian.substitute(work, U, width, q, inverse, z, 1, d)
        slope = 0.0
        for j in range(q):
            slope += work[g + j] * work[d + j]
            work[old + j] = work[w + j]
        if not slope < 0.0:
            status = FLOAT64_LIMIT
            break
        # A Newton step leaves 0.1 to 2.5 times -slope / mass of the gap, one
        # more with the same factor twice that share
        if fresh:
            share = -slope / mass
            left = total * share
        else:
            left = total * 2.0 * share
        done = 0.1 * tol * value
        needed = left > done and 2.0 * share * left > done
        t, low, high = 1.0, 0.0, np.inf
        low_slope, high_slope, found = slope, 0.0, False
        for _ in range(12):
            for j in range(q):
                work[w + j] = work[old + j] + t * work[d + j]
            loss, mass = read(
                data, row_stride, column_stride, n, p, y, intercept, work, A,
                w, g_new, part, sums, needed,
            )
            passes += 1
            grams += needed
            first = 0.0
            for j in range(q):
                first += (
                    work[g_new + j] + work[ridge + j] * work[w + j]
                ) * work[d + j]
            if abs(first) <= 0.5 * -slope:
                found = True
                break
            if first < 0.0:
                low, low_slope = t, first
            else:
                high, high_slope = t, first
            if high == np.inf:
                # a secant through 0 and t, at most four times as far
                following = t * slope / (slope - first)
                t = min(max(following, 1.5 * t), 4.0 * t)
            else:
                part_way = low_slope / (low_slope - high_slope)
                t = low + min(max(part_way, 0.1), 0.9) * (high - low)
        fresh = needed
        if not found:
            for j in range(q):
                work[w + j] = work[old + j]
            status = FLOAT64_LIMIT
            break
        for j in range(q):
            work[g + j] = work[g_new + j]
    for j in range(q):
        x[j] = work[w + j]
    return iteration, passes, grams, status, gap, value


def fit_rows(X, y, l2, intercept, tol, max_iter, x, at_zero):
    """`fit_streamed` for X of any layout; x is the start and the solution.

    Returns what `fit_streamed` does.
    """
    n, p = X.shape
    data, row_stride, column_stride = flat(X)
    return fit_streamed(
        data, row_stride, column_stride, n, p, y, l2, intercept, tol,
        max_iter, _SAMPLE * len(x) if at_zero else n + 1,
        np.empty(n // _GROWTH + 1),
        np.empty(workspace_size(n // _GROWTH + 1, len(x))),
        np.empty(streamed_size(len(x))), x,
    )
