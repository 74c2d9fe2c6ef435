r"""Newton for problems of microseconds: one function, no temporary array.

At 10 x 2 a NumPy call costs more than the whole problem. Here the signed
samples :math:`A_{ji} = y_i x_{ij}` are copied column by column into a buffer
that stays in the cache, and everything runs on vectors of eight
(`few_kernels`):

.. math::
    g = \lambda_2 w - A s, \qquad
    H = A \, \mathrm{diag}(h) A^\top + \lambda_2 I, \qquad
    s_i = \sigma(-m_i), \quad h_i = \sigma(m_i) \sigma(-m_i).

Directions are bent by the third derivative (`_bend_direction`). The step
length is found on the margins, longer than 1 where that pays. The weights of
the last trial are those of the next iteration, so no exponential is taken
twice. It stops on the certificate: without an intercept the duality
gap at w is exactly :math:`\|g\|^2 / (2 \lambda_2)`.
"""
import math

import numpy as np
from numba import njit, types

from benchmark_utils import few_hessian as hessian
from benchmark_utils import few_kernels as few
from benchmark_utils import few_vectors as vectors
from benchmark_utils.few_certificate import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    PATIENCE,
    REACHED,
    balanced_gap,
    watch,
)
from benchmark_utils.few_hessian import sums_size
from benchmark_utils.few_kernels import FAR
from benchmark_utils.few_pairs import (
    PAIRS,
    correct_after,
    correct_before,
    remember,
)
from benchmark_utils.simd import LANES
from benchmark_utils.simd_tiles import SUM_LANES
from benchmark_utils.two_columns import PIVOT, fit_two

# Of `fit_array`: nothing that it can answer
NOT_HERE = -1
# From this cost of a Hessian, in passes, its factor is used more than once
_DEAR = 1.2
_KEPT = 4.0
# From so many columns on Hessians are summed in float32, where their factor
# says that this suffices: of 200 x 10 each takes 0.15 us less and the copy
# 0.16, of 200 x 6 0.04 and 0.09. With registers of 64 bytes it was not tried
_SINGLES = 8 if SUM_LANES < LANES else 1000
# Margins that were so much larger on their way have rounding to be cleared;
# where they have gone less far than `_NEAR` it is nothing
_DRIFT, _NEAR = 10.0, 100.0
_FRESH_STARTS = 4


def flat(X):
    """X as (data, row_stride, column_stride), a copy only where it must be."""
    n, p = X.shape
    size = X.itemsize
    if X.strides == (size, n * size):
        return X.T.reshape(-1), 1, n
    return np.ascontiguousarray(X).reshape(-1), p, 1


@njit(error_model="numpy", cache=True)
def _pitch(n):
    """Entries between columns: an odd number of vectors, not one cache set."""
    return (n + LANES - 1) // LANES // 2 * 2 * LANES + LANES


@njit(error_model="numpy", cache=True)
def workspace_size(n, q):
    """Entries of `work` for `fit_tiny` of n samples and q columns."""
    pitch = _pitch(n)
    width = (q + LANES) // LANES * LANES
    columns = max(q + 5, width) * pitch
    if q >= _SINGLES:
        columns += (q + 2) * pitch // 2
    return columns + sums_size(q) + (q + 9 + 2 * PAIRS) * width + LANES


@njit(error_model="numpy", cache=True)
def _bend_direction(
    work, A, pitch, q, s, h, dm, padded, U, width, inverse, slope, d, z, e,
    c,
):
    r"""Chebyshev's correction of Newton's direction d, with its own factor.

    .. math:: d \leftarrow d + H^{-1} A c, \qquad
              c_i = \tfrac{1}{2} h_i (1 - 2 s_i) (A^\top d)_i^2,

    unless that is more than half of d in the norm of H: then the third
    derivative says little. `dm`, the margins' change along d, follows. Small
    passes all, and mostly one iteration fewer.

    J. M. Gutierrez and M. A. Hernandez, "A family of Chebyshev-Halley type
    methods in Banach spaces", Bull. Austral. Math. Soc. 55, 1997,
    doi:10.1017/S0004972700030586.
    """
    few.third_order(work, s, h, dm, c, padded)
    few.project(work, A, pitch, q, c, z, padded)
    hessian.eliminate(work, U, width, q, inverse, z)
    if vectors.weighted_square(work, z, inverse, width) <= 0.25 * -slope:
        hessian.substitute(work, U, width, q, inverse, z, 1, e)
        vectors.add(work, e, d, width)
        few.combine(work, A, pitch, q, d, dm, padded)


@njit(error_model="numpy", cache=True)
def fit_tiny(
    data, start, row_stride, column_stride, n, p, y, y0, l2, intercept,
    tol, max_iter, work, x, x0,
):
    """Minimise F for one small problem.

    Parameters
    ----------
    data : array, flat, float64 or float32
        X[i, j] is data[start + i * row_stride + j * column_stride].
    start, row_stride, column_stride, n, p : int
    y : array, flat, float64
        -1 and +1; the labels are y[y0:y0 + n].
    y0 : int
    l2 : float, > 0
    intercept : bool
    tol : float
        Certified relative gap to reach.
    max_iter : int
    work : array, flat, float64
        At least `workspace_size(n, p + intercept)`.
    x : array, flat, float64
        x[x0:x0 + p + intercept] is the start and becomes the solution, the
        intercept last.
    x0 : int

    Returns
    -------
    iterations, grams : int
        Grams is how many Hessians were formed.
    status : int
        REACHED, FLOAT64_LIMIT or ITERATION_LIMIT.
    gap : float
        The certified duality gap.
    value : float
        F.
    """
    if p + intercept <= 2:
        return fit_two(
            data, start, row_stride, column_stride, n, p, y, y0, l2,
            intercept, tol, max_iter, work, x, x0,
        )
    iterations, grams = 0, 0
    for _ in range(_FRESH_STARTS):
        more, formed, status, gap, value, drifted = _fit_from(
            data, start, row_stride, column_stride, n, p, y, y0, l2,
            intercept, tol, max_iter - iterations, work, x, x0,
        )
        iterations += more
        grams += formed
        if not drifted:
            return iterations, grams, status, gap, value
    return iterations, grams, FLOAT64_LIMIT, gap, value


@njit(error_model="numpy", cache=True)
def _fit_from(
    data, start, row_stride, column_stride, n, p, y, y0, l2, intercept,
    tol, max_iter, work, x, x0,
):
    """`fit_tiny` with margins that are updated by their changes only.

    Returns as it does, and whether they have drifted: they were more than
    `_DRIFT` times as large on their way, so their rounding is not that of
    the margins at x.
    """
    q = p + 1 if intercept else p
    padded = (n + LANES - 1) // LANES * LANES
    pitch = _pitch(n)
    width = (q + LANES) // LANES * LANES
    # whole cache lines
    A = -(work.ctypes.data >> 3) & (LANES - 1)
    # `signed_columns` writes up to seven columns too many, before these
    m = A + q * pitch
    dm, s, h, c = m + pitch, m + 2 * pitch, m + 3 * pitch, m + 4 * pitch
    sums = A + max(q + 5, width) * pitch
    U = sums + sums_size(q)
    g = U + q * width
    d, w, ridge = g + width, g + 2 * width, g + 3 * width
    inverse, z, old = g + 4 * width, g + 5 * width, g + 6 * width
    scales, pairs = g + 7 * width, g + 9 * width
    # these two count float32
    narrow_A = 2 * (g + (9 + 2 * PAIRS) * width)
    narrow_h = narrow_A + q * pitch
    single = q >= _SINGLES
    # vectors of `width` are zero from q on
    few.clear(work, g, (9 + 2 * PAIRS) * width)
    few.signed_columns(
        data, start, row_stride, column_stride, n, p, y, y0, work, A, pitch
    )
    if intercept:
        few.label_column(n, y, y0, work, A + p * pitch)
    at_zero = True
    for j in range(q):
        work[w + j] = x[x0 + j]
        at_zero = at_zero and x[x0 + j] == 0.0
        work[ridge + j] = l2 if j < p else 0.0
    if at_zero:
        few.clear(work, m, padded)
        mass = few.weigh_nothing(work, s, h, n, padded)
    else:
        few.combine(work, A, pitch, q, w, m, padded)
    for i in range(n, padded):
        work[m + i] = FAR
    travel = 0.0
    if not at_zero:
        mass = few.weigh(work, m, s, h, padded)
        travel = few.largest(work, m, n)
    if single:
        hessian.narrow_columns(work, A, pitch, q, padded, narrow_A)
    best, best_bound, worse = np.inf, np.inf, 0
    status, iteration, grams = ITERATION_LIMIT, 0, 0
    gap, before, stale = np.inf, np.inf, False
    # at zero there is no third derivative
    bent = not at_zero
    rate, kept, count = 0.0, 1.0, 0
    # what a Hessian and its factor cost, over a pass; fitted to measurements
    dear = (0.02 + 0.08 * q / n) * q * q / (
        1.2 + 0.17 * q + (300.0 + 40.0 * q) / n
    )
    while True:
        few.project(work, A, pitch, q, s, g, padded)
        squares, penalty = vectors.finish_gradient(work, w, ridge, g, width)
        gap = squares / (2.0 * l2)
        if dear > _DEAR and iteration > 0:
            count = remember(work, g, old, z, pairs, scales, count, width)
        # log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm
        bound = mass + 0.5 * penalty
        if gap <= tol * bound:
            if intercept:
                gap = balanced_gap(
                    work, A, pitch, p, padded, m, s, dm, d, w, l2,
                    -work[g + p], mass,
                )
            if gap <= tol * bound:
                status = REACHED
                break
        total = gap + (work[g + p] * work[g + p] if intercept else 0.0)
        best, best_bound, worse = watch(
            total, bound, best, best_bound, worse
        )
        if worse == PATIENCE:
            status = FLOAT64_LIMIT
            break
        if iteration == max_iter:
            break
        iteration += 1
        if iteration > 1:
            ratio = total / before
            single = single and ratio < 0.5
            # Newton squares its ratio; what suffices is not bent
            bent = ratio * ratio * total > 0.01 * tol * bound
            if dear < _DEAR:
                # the old factor keeps about four times Newton's last ratio
                stale = (
                    not stale and 4.0 * ratio * total <= 0.5 * tol * bound
                )
            else:
                if stale:
                    kept = ratio
                else:
                    # Newton's next ratio is as the gap
                    rate, kept = ratio / before, _KEPT * ratio
                left = max(math.log(total / (tol * bound)), 1.0)
                gain = min(left, -math.log(max(rate * total, 1e-30)))
                stale = (1.0 + dear) * min(left, -math.log(kept)) > gain
        before = total
        if stale:
            vectors.negate(work, g, z, width)
            correct_before(work, pairs, scales, count, width, z)
            hessian.eliminate(work, U, width, q, inverse, z)
            hessian.substitute(work, U, width, q, inverse, z, 1, d)
            correct_after(work, pairs, scales, count, width, d)
        else:
            count = 0
            while True:
                grams += 1
                if single:
                    hessian.weighted_single_gram(
                        work, narrow_A, pitch, q, h, padded, narrow_h, sums,
                        U, width,
                    )
                else:
                    hessian.weighted_gram(
                        work, A, pitch, q, h, padded, sums, U, width
                    )
                if intercept:
                    # nothing else bounds its step where all weights are 0 or 1
                    corner, least = U + p * width + p, 0.1 * abs(work[g + p])
                    if work[corner] < least:
                        largest = max(few.largest(work, m, n), 1.0)
                        work[corner] = max(work[corner], least / largest)
                for j in range(q):
                    work[U + j * width + q] = -work[g + j]
                trusted = hessian.factorize(
                    work, U, width, q, inverse, ridge, PIVOT
                )
                if trusted or not single:
                    break
                single = False
            hessian.substitute(work, U, width, q, inverse, U + q, width, d)
        slope, linear, quadratic = vectors.slopes(
            work, g, w, ridge, d, width
        )
        if not slope < 0.0:
            status = FLOAT64_LIMIT
            break
        few.combine(work, A, pitch, q, d, dm, padded)
        if bent and not stale:
            _bend_direction(
                work, A, pitch, q, s, h, dm, padded, U, width, inverse,
                slope, d, z, old, c,
            )
            slope, linear, quadratic = vectors.slopes(
                work, g, w, ridge, d, width
            )
        t, low, high = 1.0, 0.0, np.inf
        for _ in range(60):
            first, second, mass = few.weigh_along(
                work, m, dm, t, s, h, padded
            )
            first += linear + t * quadratic
            second += quadratic
            if abs(first) <= 0.1 * -slope:
                break
            if first < 0.0:
                low = t
            else:
                high = t
            following = t - first / second if second > 0.0 else np.inf
            if not low < following < high:
                following = 2.0 * t if high == np.inf else 0.5 * (low + high)
            if high == np.inf:
                following = min(following, 10.0 * t)
            t = following
        else:
            # no step was accepted: the weights are those of the one before
            _, _, mass = few.weigh_along(work, m, dm, t, s, h, padded)
        vectors.move(work, t, d, w, z, g, old, width)
        travel += few.advance(work, m, t, dm, padded)
    if status != REACHED and intercept:
        gap = balanced_gap(
            work, A, pitch, p, padded, m, s, dm, d, w, l2, -work[g + p],
            mass,
        )
    for j in range(q):
        x[x0 + j] = work[w + j]
    value = few.loss(work, m, s, padded, mass) + 0.5 * penalty
    drifted = travel > _NEAR and travel > _DRIFT * few.largest(work, m, n)
    return iteration, grams, status, gap, value, drifted


@njit(error_model="numpy", cache=True)
def summary(iterations, grams, status, gap, value):
    """What is told of a fit, from what `fit_tiny` returns.

    Iterations, passes, Hessians, status, the relative gap and F.
    """
    relative = gap
    if gap < np.inf:
        relative = min(gap / value, 1.0) if value > 0.0 else 0.0
    return (
        iterations, 2 * iterations + 1 + grams, grams, status, relative, value
    )


@njit(error_model="numpy", cache=True)
def _fit_one(X, y, l2, intercept, tol, max_iter, x):
    """`fit_tiny` for X of shape (n, p), from x; returns its `summary`.

    The status is NOT_HERE, and x means nothing, unless the arrays are
    contiguous, neither is empty, the labels are -1 and +1, both present, and
    the gap is finite. The buffer is allocated here: 40 ns, where NumPy takes
    150 ns.
    """
    n, p = X.shape
    fits = (
        y.size == n and n > 0 and p > 0 and X.strides[0] == 8 * p
        and X.strides[1] == 8 and y.strides[0] == 8
    )
    positive = 0
    negative = 0
    if fits:
        for i in range(n):
            positive += y[i] == 1.0
            negative += y[i] == -1.0
    if not fits or positive + negative < n or positive * negative == 0:
        return 0, 0, 0, NOT_HERE, np.inf, np.inf
    n_iter, passes, grams, status, gap, value = summary(*fit_tiny(
        X.reshape(n * p), 0, p, 1, n, p, y, 0, l2, intercept, tol, max_iter,
        np.empty(workspace_size(n, x.size)), x, 0,
    ))
    if not gap < np.inf:
        status = NOT_HERE
    return n_iter, passes, grams, status, gap, value


_SIGNATURE = (
    types.Array(types.float64, 2, "C"), types.Array(types.float64, 1, "C"),
    types.float64, types.boolean, types.float64, types.int64,
    types.Array(types.float64, 1, "C"),
)


def _compile_first(*arguments):
    """Load or compile `_fit_one`; its machine code takes this place."""
    global fit_array
    _fit_one.compile(_SIGNATURE)
    fit_array = _fit_one.overloads[_SIGNATURE].entry_point
    return fit_array(*arguments)


# `_fit_one` without numba's choice among its signatures, 0.2 us. The caller
# sees to it that X and y are float64 arrays of two dimensions and one; their
# layout, which a signature stands for, is checked in the compiled code. To be
# called as an attribute of this module: the first call replaces it.
fit_array = _compile_first
