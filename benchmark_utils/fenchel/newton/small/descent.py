r"""Newton for problems of microseconds: one function, no temporary array.

At 10 x 2 a NumPy call costs more than the whole problem. Here the signed
samples :math:`A_{ji} = y_i x_{ij}` are copied column by column into a buffer
that stays in the cache, and everything runs on vectors of eight
(`small.kernels`):

.. math::
    g = \lambda_2 w - A s, \qquad
    H = A \, \mathrm{diag}(h) A^\top + \lambda_2 I, \qquad
    s_i = \sigma(-m_i), \quad h_i = \sigma(m_i) \sigma(-m_i).

Directions are bent by the third derivative (`_bend`). The step
length is found on the margins, longer than 1 where that pays. The weights of
the last trial are those of the next iteration, so no exponential is taken
twice. It stops on the certificate: without an intercept the duality
gap at w is exactly :math:`\|g\|^2 / (2 \lambda_2)`.

It begins as a draft in float32: margins, weights, products and Hessians, from
a copy of A. Points, gradients and factors are float64. Where the gap is
reached, has not fallen, or pivots or a search say that float32 is not enough,
margins and weights are computed anew in float64, and all that follows is
float64 but Hessians for which float32 suffices: mostly one gradient, the
certificate. A itself is kept in float64 only where it is small; else products
in float64 read X (`small.blocks`).
"""
import math

import numpy as np
from numba import types

from ...compilation import njit
from ...linalg.simd import LANES, SINGLE_LANES
from . import blocks, hessian, vectors
from . import kernels as few
from .gap import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    PATIENCE,
    REACHED,
    watch,
)
from .hessian import sums_size
from .kernels import FAR
from .pairs import (
    PAIRS,
    correct_after,
    correct_before,
    remember,
)
from .two_columns import PIVOT, fit_two

# Of `fit_array`: nothing that it can answer
NOT_HERE = -1
# From this cost of a Hessian, in passes, its factor is used more than once
_DEAR = 1.2
_KEPT = 4.0
# Trials of a step there; one that needs more is looked for in float64
_DRAFT_TRIALS = 10
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


@njit
def _single_pitch(n):
    """The same in float32."""
    pairs = (n + SINGLE_LANES - 1) // (2 * SINGLE_LANES)
    return (2 * pairs + 1) * SINGLE_LANES


@njit
def workspace_size(n, q):
    """Entries of `work` for `fit_tiny` of n samples and q columns."""
    width = (q + LANES) // LANES * LANES
    return (
        blocks.block_size(n, width) + 5 * blocks.pitch_of(n)
        + (q + 2) * _single_pitch(n) // 2
        + sums_size(q) + (q + 10 + 2 * PAIRS) * width + LANES
    )


@njit
def _bend(work, U, width, q, inverse, slope, d, z, e):
    r"""Chebyshev's correction of Newton's direction d, with its own factor.

    .. math:: d \leftarrow d + H^{-1} A c, \qquad
              c_i = \tfrac{1}{2} h_i (1 - 2 s_i) (A^\top d)_i^2,

    unless that is more than half of d in the norm of H: then the third
    derivative says little. A c is in z. Returns whether d has changed: then
    A'd is to follow. Small passes all, and mostly one iteration fewer.

    J. M. Gutierrez and M. A. Hernandez, "A family of Chebyshev-Halley type
    methods in Banach spaces", Bull. Austral. Math. Soc. 55, 1997,
    doi:10.1017/S0004972700030586.
    """
    hessian.eliminate(work, U, width, q, inverse, z)
    if vectors.weighted_square(work, z, inverse, width) > 0.25 * -slope:
        return False
    hessian.substitute(work, U, width, q, inverse, z, 1, e)
    vectors.add(work, e, d, width)
    return True


@njit
def _search(area, m, dm, s, h, padded, slope, linear, quadratic, trials):
    """The step along dm where the slope of F is a tenth of that at zero.

    The step, the sum of the weights there, and whether it is one; else it is
    the last of so many trials. The weights at s and h are those of the step.
    """
    t, low, high = 1.0, 0.0, np.inf
    for _ in range(trials):
        first, second, mass = few.weigh_along(area, m, dm, t, s, h, padded)
        first += linear + t * quadratic
        second += quadratic
        if abs(first) <= 0.1 * -slope:
            return t, mass, True
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
    _, _, mass = few.weigh_along(area, m, dm, t, s, h, padded)
    return t, mass, False


@njit
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
    if p + intercept <= 2 and n <= blocks.HELD // 2:
        return fit_two(
            data, start, row_stride, column_stride, n, p, y, y0, l2,
            intercept, tol, max_iter, work, x, x0,
        )
    iterations, grams = 0, 0
    for _ in range(_FRESH_STARTS):
        more, formed, status, gap, value, drifted = _fit_from(
            data, start, row_stride, column_stride, n, p, y, y0, l2,
            intercept, tol, max_iter - iterations, work, x, x0,
            iterations == 0,
        )
        iterations += more
        grams += formed
        if not drifted:
            return iterations, grams, status, gap, value
    return iterations, grams, FLOAT64_LIMIT, gap, value


@njit
def _fit_from(
    data, start, row_stride, column_stride, n, p, y, y0, l2, intercept,
    tol, max_iter, work, x, x0, draft,
):
    """`fit_tiny` with margins that are updated by their changes only.

    `draft` says whether to begin in float32.

    Returns as it does, and whether they have drifted: they were more than
    `_DRIFT` times as large on their way, so their rounding is not that of
    the margins at x.
    """
    q = p + 1 if intercept else p
    padded = (n + LANES - 1) // LANES * LANES
    width = (q + LANES) // LANES * LANES
    rows = blocks.block_rows(n, width)
    pitch, long = blocks.pitch_of(min(n, rows)), blocks.pitch_of(n)
    # whole cache lines
    A = -(work.ctypes.data >> 3) & (LANES - 1)
    # `signed_columns` writes up to seven columns too many: where it does so
    # once, before anything else is there
    m = A + (q if n <= rows else width) * pitch
    dm, s, h, c = m + long, m + 2 * long, m + 3 * long, m + 4 * long
    sums = max(m + 5 * long, A + width * pitch)
    U = sums + sums_size(q)
    g = U + q * width
    d, w, ridge = g + width, g + 2 * width, g + 3 * width
    inverse, z, old = g + 4 * width, g + 5 * width, g + 6 * width
    part, scales, pairs = g + 7 * width, g + 8 * width, g + 10 * width
    # these two count float32
    narrow_A = 2 * (g + (10 + 2 * PAIRS) * width)
    narrow_pitch = _single_pitch(n)
    narrow_h = narrow_A + q * narrow_pitch
    filled = (n + SINGLE_LANES - 1) // SINGLE_LANES * SINGLE_LANES
    # vectors of `width` are zero from q on
    few.clear(work, g, (10 + 2 * PAIRS) * width)
    if n <= rows:
        few.signed_columns(
            data, start, row_stride, column_stride, n, p, y, y0, work, A,
            pitch,
        )
        if intercept:
            few.label_column(n, y, y0, work, A + p * pitch)
        few.narrow_columns(work, A, pitch, q, padded, narrow_A, narrow_pitch)
    else:
        for first in range(0, n, rows):
            count = blocks.fill(
                data, start, row_stride, column_stride, n, p, y, y0, intercept,
                work, A, pitch, rows, first,
            )
            few.narrow_columns(
                work, A, pitch, q, count, narrow_A + first, narrow_pitch
            )
    at_zero = True
    for j in range(q):
        work[w + j] = x[x0 + j]
        at_zero = at_zero and x[x0 + j] == 0.0
        work[ridge + j] = l2 if j < p else 0.0
    singles = work.view(np.float32)
    mass = 0.0
    if draft and at_zero:
        few.clear(singles, 2 * m, filled)
        mass = few.weigh_nothing(singles, 2 * s, 2 * h, n, filled)
    elif draft:
        few.combine(
            singles, narrow_A, narrow_pitch, q, work, w, 2 * m, filled
        )
    if draft:
        for i in range(n, filled):
            singles[2 * m + i] = FAR
        if not at_zero:
            mass = few.weigh(singles, 2 * m, 2 * s, 2 * h, filled)
    travel = 0.0
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
    single, over, moved = True, not draft, False
    while True:
        summed = over
        if over:
            draft, over = False, False
            mass = blocks.weigh_at(
                data, start, row_stride, column_stride, n, p, y, y0,
                intercept, work, A, pitch, rows, w, m, s, h, g, part,
            )
        if draft:
            few.project(
                singles, narrow_A, narrow_pitch, q, 2 * s, work, g, filled
            )
        elif not summed:
            blocks.project(
                data, start, row_stride, column_stride, n, p, y, y0,
                intercept, work, A, pitch, rows, s, g, part,
            )
        squares, penalty = vectors.finish_gradient(work, w, ridge, g, width)
        gap = squares / (2.0 * l2)
        # log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm
        bound = mass + 0.5 * penalty
        pull = work[g + p] ** 2 if intercept else 0.0
        if draft:
            fall = 0.5 if gap < 0.01 * bound else 0.9
            single = stale or gap + pull < fall * before
            # about what `balanced_gap` will find
            near = gap + max(1.0, 0.5 / l2) * pull <= tol * bound
            over = near or not single or iteration == max_iter
            if over:
                continue
        if dear > _DEAR and moved:
            count = remember(work, g, old, z, pairs, scales, count, width)
            moved = False
        if gap <= tol * bound and not draft:
            if intercept:
                gap = blocks.balanced_gap(
                    data, start, row_stride, column_stride, n, p, y, y0,
                    True, work, A, pitch, rows, m, s, dm, d, part, w, l2,
                    -work[g + p], mass,
                )
            if gap <= tol * bound:
                status = REACHED
                break
        total = gap + pull
        best, best_bound, worse = watch(
            total, bound, best, best_bound, worse
        )
        if worse == PATIENCE:
            if draft:
                # margins and weights in float64 are not there yet
                single, over, worse = False, True, 0
                continue
            status = FLOAT64_LIMIT
            break
        if iteration == max_iter:
            break
        if iteration > 0:
            ratio = total / before
            single = single and (draft or stale or ratio < 0.5)
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
                    if not draft:
                        few.narrow_columns(
                            work, h, 0, 1, padded, narrow_h, 0
                        )
                    hessian.weighted_single_gram(
                        work, narrow_A, narrow_pitch, q,
                        2 * h if draft else narrow_h, padded, sums, U, width,
                    )
                else:
                    blocks.weighted_gram(
                        data, start, row_stride, column_stride, n, p, y, y0,
                        intercept, work, A, pitch, rows, h, sums, U, width,
                    )
                if intercept:
                    # nothing else bounds its step where all weights are 0 or 1
                    corner, least = U + p * width + p, 0.1 * abs(work[g + p])
                    if work[corner] < least:
                        if draft:
                            largest = few.largest(singles, 2 * m, n)
                        else:
                            largest = few.largest(work, m, n)
                        work[corner] = max(
                            work[corner], least / max(largest, 1.0)
                        )
                for j in range(q):
                    work[U + j * width + q] = -work[g + j]
                trusted = hessian.factorize(
                    work, U, width, q, inverse, ridge, PIVOT
                )
                if trusted or not single:
                    break
                single = False
                over = draft
                if over:
                    break
            if over:
                continue
            hessian.substitute(work, U, width, q, inverse, U + q, width, d)
        slope, linear, quadratic = vectors.slopes(
            work, g, w, ridge, d, width
        )
        if not slope < 0.0:
            if draft:
                single, over = False, True
                continue
            status = FLOAT64_LIMIT
            break
        turn = bent and not stale
        if draft:
            few.combine(
                singles, narrow_A, narrow_pitch, q, work, d, 2 * dm, filled
            )
            if turn:
                few.third_order(
                    singles, 2 * s, 2 * h, 2 * dm, 2 * c, filled
                )
                few.project(
                    singles, narrow_A, narrow_pitch, q, 2 * c, work, z, filled
                )
                turn = _bend(work, U, width, q, inverse, slope, d, z, old)
            if turn:
                few.combine(
                    singles, narrow_A, narrow_pitch, q, work, d, 2 * dm,
                    filled,
                )
        else:
            blocks.combine(
                data, start, row_stride, column_stride, n, p, y, y0,
                intercept, work, A, pitch, rows, d, dm,
            )
            if turn:
                few.third_order(work, s, h, dm, c, padded)
                blocks.project(
                    data, start, row_stride, column_stride, n, p, y, y0,
                    intercept, work, A, pitch, rows, c, z, part,
                )
                turn = _bend(work, U, width, q, inverse, slope, d, z, old)
            if turn:
                blocks.combine(
                    data, start, row_stride, column_stride, n, p, y, y0,
                    intercept, work, A, pitch, rows, d, dm,
                )
        if turn:
            slope, linear, quadratic = vectors.slopes(
                work, g, w, ridge, d, width
            )
        if draft:
            t, mass, found = _search(
                singles, 2 * m, 2 * dm, 2 * s, 2 * h, filled, slope, linear,
                quadratic, _DRAFT_TRIALS,
            )
            if not found:
                single, over = False, True
                continue
            few.advance(singles, 2 * m, t, 2 * dm, filled)
        else:
            t, mass, _ = _search(
                work, m, dm, s, h, padded, slope, linear, quadratic, 60
            )
            travel += few.advance(work, m, t, dm, padded)
        vectors.move(work, t, d, w, z, g, old, width)
        moved = True
        iteration += 1
    if status != REACHED and intercept:
        gap = blocks.balanced_gap(
            data, start, row_stride, column_stride, n, p, y, y0, True, work,
            A, pitch, rows, m, s, dm, d, part, w, l2, -work[g + p], mass,
        )
    for j in range(q):
        x[x0 + j] = work[w + j]
    value = few.loss(work, m, s, padded, mass) + 0.5 * penalty
    drifted = travel > _NEAR and travel > _DRIFT * few.largest(work, m, n)
    return iteration, grams, status, gap, value, drifted


@njit
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


@njit
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
