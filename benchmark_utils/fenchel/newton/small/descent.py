r"""Newton for problems of microseconds: one function, no temporary array.

At 10 x 2 a NumPy call costs more than the whole problem. Here the signed
samples :math:`A_{ji} = y_i x_{ij}` are copied column by column into a buffer
that stays in the cache, and everything runs on vectors of eight
(`small.kernels`):

.. math::
    g = \lambda_2 w - A s, \qquad
    H = A \, \mathrm{diag}(h) A^\top + \lambda_2 I, \qquad
    s_i = \sigma(-m_i), \quad h_i = \sigma(m_i) \sigma(-m_i).

Directions are bent by the third derivative (`polish.bend`). The step length
is found on the margins, longer than 1 where that pays.

It begins as a draft in float32: margins, weights, products and Hessians, from
a copy of A. Points, gradients and factors are float64. Where the gap is
reached, has not fallen, or pivots or a search say that float32 is not enough,
the draft is over, and `small.polish` ends the fit in float64: mostly it only
certifies the point.
"""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import bare, njit
from ...linalg import simd
from ...line_search import next_trial
from . import kernels as few
from .entry import NOTHING, is_usual, machine_code, summary
from .kernels import FAR
from .layout import Fit, copy, lay_out, workspace_size
from .pairs import keep_step, remember
from .point import PATIENCE, end, evaluate, point_at, watch
from .polish import (
    bend,
    factor,
    form_single,
    polish,
    price_of_hessian,
    slopes_of,
    solve_beside,
    stale_direction,
)
from .reference import refer
from .samples import samples_of

# From this cost of a Hessian, in passes, its factor is used more than once
_DEAR = 1.2
_KEPT = 4.0
# Iterations without progress after which it no longer is
_TIRED = 5
# Trials of a step; one that needs more is looked for in float64
_TRIALS = 5
# A step is taken once the slope along it has fallen to this share
_FLAT = 0.1


class Pace(NamedTuple):
    """What decides how the next direction is found."""

    #: whether the last factor is used again
    stale: bool
    #: whether directions are bent
    bent: bool
    #: Newton's last ratio of gaps over the gap, and that of the last factor
    rate: float
    kept: float
    #: gap and pull before the last step
    before: float


@bare
def _begin(fit):
    """Compute margins and weights in float32; return the weights' sum."""
    singles, at, n = fit.singles, fit.at, fit.samples.n
    m, s, h = 2 * at.at.m, 2 * at.at.s, 2 * at.at.h
    few.combine(
        singles, at.narrow, at.narrow_pitch, at.q, fit.work, at.w, m,
        at.filled,
    )
    for i in range(n, at.filled):
        singles[m + i] = FAR
    return few.weigh(singles, m, s, h, at.filled)


@bare
def _next_pace(pace, total, goal, dear):
    """Decide on the next direction, from how the gap has fallen to `total`."""
    stale, _, rate, kept, before = pace
    ratio = total / before
    # Newton squares its ratio; what suffices is not bent
    bent = ratio * ratio * total > 0.01 * goal
    if dear < _DEAR:
        # the old factor keeps about four times Newton's last ratio
        stale = not stale and 4.0 * ratio * total <= 0.5 * goal
    else:
        if stale:
            kept = ratio
        else:
            # Newton's next ratio is as the gap
            rate, kept = ratio / before, _KEPT * ratio
        left = max(math.log(total / goal), 1.0)
        gain = min(left, -math.log(max(rate * total, 1e-30)))
        stale = (1.0 + dear) * min(left, -math.log(kept)) > gain
    return Pace(stale, bent, rate, kept, total)


@bare
def _search(fit, slopes):
    """Find the step along dm where the slope of F is a tenth of that at 0.

    The slopes are those of `slopes_of`. The weights and curvatures are those
    of the step then. Returns the step, the sum of the weights there, and
    whether it is one; else it is the last of `_TRIALS`.
    """
    at = fit.at
    slope, linear, quadratic = slopes
    t, low, high = 1.0, 0.0, np.inf
    k = 0
    while True:
        first, second, mass = few.weigh_along(
            fit.singles, 2 * at.at.m, 2 * at.dm, t, 2 * at.at.s, 2 * at.at.h,
            at.filled,
        )
        first += linear + t * quadratic
        k += 1
        if abs(first) <= _FLAT * -slope or k == _TRIALS:
            return t, mass, k < _TRIALS
        if first < 0.0:
            low = t
        else:
            high = t
        t = next_trial(t, first, second + quadratic, low, high)


@bare
def _step(fit, bent, slopes):
    """Bend d if asked to, find the step and take it.

    Returns the sum of the weights there, its length and whether it is one.
    """
    singles, at = fit.singles, fit.at
    again = True
    while True:
        few.combine(
            singles, at.narrow, at.narrow_pitch, at.q, fit.work, at.d,
            2 * at.dm, at.filled,
        )
        again = again and bent and bend(
            fit, singles, 2, (at.narrow, at.narrow_pitch, at.filled),
            slopes[0],
        )
        if not again:
            break
        again, slopes = False, slopes_of(fit)
    t, mass, found = _search(fit, slopes)
    if found:
        few.advance(singles, 2 * at.at.m, t, 2 * at.dm, at.filled)
        few.advance(fit.work, at.w, t, at.d, at.width)
    return mass, t, found


@bare
def _draft(fit, at_zero, max_iter):
    """Minimise F from w in float32, as far as that gets.

    Returns iterations, Hessians, whether they are good enough in float32,
    and whether the gap seems to be reached.
    """
    work, at, n = fit.work, fit.at, fit.samples.n
    dear = price_of_hessian(at.q, n)
    # numba compiles what takes a bare 0 or True for that number alone
    zero, no = np.int64(0), np.bool_(False)
    # at zero there is no third derivative
    pace = Pace(no, not at_zero, 0.0, 1.0, np.inf)
    least, least_bound, worse = np.inf, np.inf, zero
    iteration, grams, count, mass = zero, zero, zero, _begin(fit)
    while True:
        few.project(
            fit.singles, at.narrow, at.narrow_pitch, at.q, 2 * at.at.s, work,
            at.g, at.filled,
        )
        # log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm
        now = point_at(fit, mass, mass, 0.0)
        total, goal = now.gap + now.pull, fit.tol * now.value
        least, least_bound, worse = watch(
            total, now.value, least, least_bound, worse
        )
        fall = 0.5 if now.gap < 0.01 * now.value else 0.9
        nearer = pace.stale or total < fall * pace.before
        # about what `balance` will find
        near = now.gap + max(1.0, 0.5 / fit.l2) * now.pull <= goal
        if near or not nearer or worse == PATIENCE or iteration >= max_iter:
            return iteration, grams, nearer, near and grams > 0
        if iteration > 0 and dear >= _DEAR:
            count = remember(work, at, count)
        if iteration > 0:
            pace = _next_pace(pace, total, goal, dear)
        else:
            pace = Pace(no, pace.bent, 0.0, 1.0, total)
        stale = pace.stale and worse < _TIRED
        if stale:
            stale_direction(fit, count)
            stale = slopes_of(fit)[0] < 0.0
        if not stale:
            grams, count = grams + 1, zero
            form_single(fit, 2 * at.at.h)
            # margins are 0 at the usual start
            if not factor(fit, 1.0):
                return iteration, grams, no, no
            solve_beside(fit)
        slopes = slopes_of(fit)
        if not slopes[0] < 0.0:
            return iteration, grams, no, no
        mass, t, found = _step(fit, pace.bent and not stale, slopes)
        if not found:
            return iteration, grams, no, no
        if dear >= _DEAR:
            keep_step(work, at, count, t)
        iteration += 1


@bare
def fit_tiny(data, y, where, l2, tol, max_iter, work, x):
    """Minimise F for one small problem.

    Parameters
    ----------
    data, y, where
        As for `samples_of`. An intercept is fitted where x has room for it.
    l2 : float, > 0
    tol : float
        Certified relative gap to reach.
    max_iter : int
    work : array, flat, float64
        At least `workspace_size(n, x.size)`.
    x : array of shape (p,) or (p + 1,), float64
        The start, becomes the solution, the intercept last.

    Returns
    -------
    iterations, grams : int
        Grams is how many Hessians were formed.
    status : int
        REACHED, FLOAT64_LIMIT or ITERATION_LIMIT; F is not above that of the
        start.
    gap : float
        A bound of the duality gap in exact arithmetic, see `duality.bounded`.
        By the gap without the bound's rounding it is REACHED.
    value : float
        F.
    """
    samples = samples_of(data, y, where, x.size > where[4])
    block, at = lay_out(samples, work)
    fit = refer(
        Fit(samples, work, simd.as_singles(work), block, at, l2, tol)
    )
    size, at_zero = copy(fit, x)
    iterations, grams, single, near = _draft(fit, at_zero, max_iter)
    now = evaluate(fit, np.bool_(False))
    more, _, formed, ended = polish(
        fit, now, single, near, max_iter - iterations
    )
    status, gap, value = end(fit, x, at_zero, size, ended)
    return iterations + more, grams + formed, status, gap, value


@njit(by_hand=True)
def _fit_one(X, y, l2, tol, max_iter, x):
    """Minimise F for X of shape (n, p), from x; return its `summary`.

    The buffer is allocated here: 40 ns, where NumPy takes 150 ns.
    """
    if not is_usual(X, y):
        return NOTHING
    n, p = X.shape
    return summary(*fit_tiny(
        simd.flattened(X), y, (0, p, 1, n, p, 0), l2, tol, max_iter,
        np.empty(workspace_size(n, x.size)), x,
    ))


def _compile_first(*arguments):
    """Load or compile `_fit_one`; its machine code takes this place."""
    global fit_array
    fit_array = machine_code(_fit_one)
    return fit_array(*arguments)


# `_fit_one` without numba's choice among its signatures, see `entry`. To be
# called as an attribute of this module: the first call replaces it
fit_array = _compile_first
