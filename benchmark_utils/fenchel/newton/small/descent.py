r"""Newton for problems of microseconds: one function, no temporary array.

At 10 x 2 a NumPy call costs more than the whole problem. Here the signed
samples :math:`A_{ji} = y_i x_{ij}` are copied column by column into a buffer
that stays in the cache, and everything runs on vectors of eight
(`small.kernels`):

.. math::
    g = \lambda_2 w - A s, \qquad
    H = A \, \mathrm{diag}(h) A^\top + \lambda_2 I, \qquad
    s_i = \sigma(-m_i), \quad h_i = \sigma(m_i) \sigma(-m_i).

Directions are bent by the third derivative (`_bend`). The step length is found
on the margins, longer than 1 where that pays.

It begins as a draft in float32: margins, weights, products and Hessians, from
a copy of A. Points, gradients and factors are float64. Where the gap is
reached, has not fallen, or pivots or a search say that float32 is not enough,
the draft is over. From there each gradient is of margins that are computed
anew, in float64, at the point itself, so that it ends with a certificate of
what it returns: mostly the first one suffices. Hessians stay in float32 where
that does. A itself is kept in float64 only where it is small; else products
in float64 read X (`small.blocks`).
"""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import bare, njit
from ...line_search import next_trial
from ...result import FLOAT64_LIMIT, ITERATION_LIMIT, NOT_HERE, REACHED
from . import blocks, hessian, vectors
from . import kernels as few
from .blocks import Vectors
from .entry import NOTHING, is_usual, machine_code, summary
from .gap import PATIENCE, watch
from .hessian import PIVOT
from .kernels import FAR
from .layout import Fit, copy, lay_out, workspace_size
from .pairs import correct_after, correct_before, remember
from .point import NOWHERE, balance, end, evaluate, keep_better, point_at
from .samples import narrow_vector, samples_of

# From this cost of a Hessian, in passes, its factor is used more than once
_DEAR = 1.2
_KEPT = 4.0
# Iterations without progress after which it no longer is
_TIRED = 5
# Trials of a step in a draft; one that needs more is looked for in float64
_DRAFT_TRIALS, _TRIALS = 5, 60
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
def _begin_draft(fit, at_zero):
    """Compute margins and weights in float32; return the weights' sum."""
    singles, at, n = fit.singles, fit.at, fit.samples.n
    m, s, h = 2 * at.at.m, 2 * at.at.s, 2 * at.at.h
    mass = 0.0
    if at_zero:
        few.clear(singles, m, at.filled)
        mass = few.weigh_nothing(singles, s, h, n, at.filled)
    else:
        few.combine(
            singles, at.narrow, at.narrow_pitch, at.q, fit.work, at.w, m,
            at.filled,
        )
    for i in range(n, at.filled):
        singles[m + i] = FAR
    if not at_zero:
        mass = few.weigh(singles, m, s, h, at.filled)
    return mass


@bare
def _draft_point(fit, mass):
    """Compute the gradient at w in float32 from weights whose sum is `mass`.

    log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm.
    """
    at = fit.at
    few.project(
        fit.singles, at.narrow, at.narrow_pitch, at.q, 2 * at.at.s, fit.work,
        at.g, at.filled,
    )
    return point_at(fit, mass, mass, 0.0)


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
def factor(fit, draft):
    """Factorize the Hessian's sums, -g beside it; return if it is trusted."""
    work, at = fit.work, fit.at
    # nothing else bounds an intercept's step where all weights are 0 or 1; a
    # stream, which has no margins of all samples, comes from a sample's end
    if fit.samples.intercept and fit.block.kept == 1:
        p = at.q - 1
        corner, least = at.U + p * at.width + p, 0.1 * abs(work[at.g + p])
        if work[corner] < least:
            n = fit.samples.n
            if draft:
                largest = few.largest(fit.singles, 2 * at.at.m, n)
            else:
                largest = few.largest(work, at.at.m, n)
            work[corner] = max(work[corner], least / max(largest, 1.0))
    for j in range(at.q):
        work[at.U + j * at.width + at.q] = -work[at.g + j]
    return hessian.factorize(
        work, at.U, at.width, at.q, at.inverse, at.ridge, PIVOT
    )


@bare
def solve_beside(fit):
    """Set d from what `factor` has made of -g."""
    work, at = fit.work, fit.at
    for j in range(at.q):
        work[at.z + j] = work[at.U + j * at.width + at.q]
    hessian.substitute(work, at.U, at.width, at.q, at.inverse, at.z, at.d)


@bare
def _newton_direction(fit, draft, single):
    """Set d from a new Hessian, in float32 where that is enough.

    Returns how many Hessians were formed, and whether it was; where it was
    not, in a draft, there is no direction.
    """
    work, at, formed = fit.work, fit.at, 0
    if single:
        formed = 1
        if not draft:
            narrow_vector(work, at.at.h, at.narrow_h, at.padded)
        hessian.weighted_single_gram(
            work, at.narrow, at.narrow_pitch, at.q,
            2 * at.at.h if draft else at.narrow_h, at.padded, at.sums, at.U,
        )
        single = factor(fit, draft)
        if draft and not single:
            return formed, False
    if not single:
        formed += 1
        blocks.weighted_gram(
            fit.samples, work, fit.block, at.at.h, at.sums, at.U, at.width
        )
        factor(fit, draft)
    solve_beside(fit)
    return formed, single


@bare
def stale_direction(fit, count):
    """Set d by the last factor, corrected by `count` pairs."""
    work, at = fit.work, fit.at
    vectors.negate(work, at.g, at.z, at.width)
    correct_before(work, at.pairs, at.scales, count, at.width, at.z)
    hessian.eliminate(work, at.U, at.width, at.q, at.inverse, at.z)
    hessian.substitute(work, at.U, at.width, at.q, at.inverse, at.z, at.d)
    correct_after(work, at.pairs, at.scales, count, at.width, at.d)


@bare
def slopes_of(fit):
    """Return g'd and what l2 adds to the slope and to the bend along d."""
    at = fit.at
    return vectors.slopes(fit.work, at.g, at.w, at.ridge, at.d, at.width)


@bare
def _combine_direction(fit, draft):
    """Set dm = A' d."""
    at = fit.at
    if draft:
        few.combine(
            fit.singles, at.narrow, at.narrow_pitch, at.q, fit.work, at.d,
            2 * at.dm, at.filled,
        )
    else:
        blocks.combine(fit.samples, fit.work, fit.block, at.d, at.dm)


@bare
def _bend(fit, draft, slope):
    r"""Correct Newton's direction as Chebyshev, with its own factor.

    .. math:: d \leftarrow d + H^{-1} A c, \qquad
              c_i = \tfrac{1}{2} h_i (1 - 2 s_i) (A^\top d)_i^2,

    unless that is more than half of d in the norm of H: then the third
    derivative says little. Returns whether d has changed: then A'd is to
    follow. Small passes all, and mostly one iteration fewer.

    J. M. Gutierrez and M. A. Hernandez, "A family of Chebyshev-Halley type
    methods in Banach spaces", Bull. Austral. Math. Soc. 55, 1997,
    doi:10.1017/S0004972700030586.
    """
    work, at = fit.work, fit.at
    s, h = at.at.s, at.at.h
    if draft:
        singles = fit.singles
        few.third_order(
            singles, 2 * s, 2 * h, 2 * at.dm, 2 * at.c, at.filled
        )
        few.project(
            singles, at.narrow, at.narrow_pitch, at.q, 2 * at.c, work, at.z,
            at.filled,
        )
    else:
        few.third_order(work, s, h, at.dm, at.c, at.padded)
        blocks.project(
            fit.samples, work, fit.block, at.c, at.z, at.part
        )
    hessian.eliminate(work, at.U, at.width, at.q, at.inverse, at.z)
    size = vectors.weighted_square(work, at.z, at.inverse, at.width)
    if size > 0.25 * -slope:
        return False
    hessian.substitute(work, at.U, at.width, at.q, at.inverse, at.z, at.old)
    vectors.add(work, at.old, at.d, at.width)
    return True


@bare
def _search(area, at, dm, count, slopes, trials):
    """Find the step along dm where the slope of F is a tenth of that at 0.

    The slopes are those of `slopes_of`. The weights and curvatures are those
    of the step then. Returns the step, the sum of the weights there, and
    whether it is one; else it is the last of so many trials.
    """
    slope, linear, quadratic = slopes
    t, low, high = 1.0, 0.0, np.inf
    k = 0
    while True:
        first, second, mass = few.weigh_along(
            area, at.m, dm, t, at.s, at.h, count
        )
        first += linear + t * quadratic
        k += 1
        if abs(first) <= _FLAT * -slope or k == trials:
            return t, mass, k < trials
        if first < 0.0:
            low = t
        else:
            high = t
        t = next_trial(t, first, second + quadratic, low, high)


@bare
def _move(fit, t):
    """Add t d to w; keep the step and the gradient for `pairs.remember`."""
    at = fit.at
    vectors.move(
        fit.work, t, at.d, at.w, at.z, at.g, at.old, at.width
    )


@bare
def _unit_step(fit, slopes, goal):
    """Take the step 1 if it is one; what shows it is needed there anyway.

    Else search, from where all is as it was but for rounding. Returns what is
    known of w + d, and whether that is the point now.
    """
    work, at = fit.work, fit.at
    _move(fit, 1.0)
    now = evaluate(fit, -at.q)
    if now.gap + now.pull <= goal or (
        abs(vectors.dot(work, at.g, at.d, at.width)) <= _FLAT * -slopes[0]
    ):
        return now, True
    for j in range(at.q):
        work[at.w + j] -= work[at.d + j]
        work[at.g + j] = work[at.old + j]
    blocks.combine(fit.samples, work, fit.block, at.d, at.dm)
    few.advance(work, at.at.m, -1.0, at.dm, at.padded)
    t, _, _ = _search(work, at.at, at.dm, at.padded, slopes, _TRIALS)
    _move(fit, t)
    return now, False


@bare
def _search_step(fit, draft, bent, slopes):
    """Bend d if asked to, find the step and take it.

    Returns the sum of the weights there and whether a step was found.
    """
    at = fit.at
    _combine_direction(fit, draft)
    if bent and _bend(fit, draft, slopes[0]):
        _combine_direction(fit, draft)
        slopes = slopes_of(fit)
    if draft:
        v = at.at
        t, mass, found = _search(
            fit.singles, Vectors(2 * v.m, 2 * v.s, 2 * v.h, at.dm), 2 * at.dm,
            at.filled, slopes, _DRAFT_TRIALS,
        )
        if not found:
            return mass, False
        few.advance(fit.singles, 2 * v.m, t, 2 * at.dm, at.filled)
    else:
        t, mass, found = _search(
            fit.work, at.at, at.dm, at.padded, slopes, _TRIALS
        )
    _move(fit, t)
    return mass, True


@bare
def _draft_is_over(fit, now, pace, worse):
    """Return whether a draft is to end, and whether it still gets nearer."""
    total = now.gap + now.pull
    fall = 0.5 if now.gap < 0.01 * now.value else 0.9
    nearer = pace.stale or total < fall * pace.before
    # about what `balance` will find
    near = now.gap + max(1.0, 0.5 / fit.l2) * now.pull
    over = near <= fit.tol * now.value or not nearer or worse == PATIENCE
    return over, nearer


@bare
def _ended(fit, now, best, worse, last):
    """Return what `end` takes; the status is NOT_HERE where it goes on."""
    goal = fit.tol * now.value
    if now.gap <= goal:
        price, square = balance(fit, now)
        if price + square / (2.0 * fit.l2) <= goal:
            return REACHED, now, price, square
    status = NOT_HERE
    if worse == PATIENCE:
        status = FLOAT64_LIMIT
    elif last:
        status = ITERATION_LIMIT
    return status, best, 0.0, 0.0


@bare
def _start(data, y, where, l2, tol, work, x):
    """Copy a problem to the buffer.

    Returns the `Fit`, |X|_F squared and whether x is zero.
    """
    samples = samples_of(data, y, where, x.size > where[4])
    block, at = lay_out(samples, work)
    fit = Fit(samples, work, work.view(np.float32), block, at, l2, tol)
    size, at_zero = copy(fit, x)
    return fit, size, at_zero


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
    fit, size, at_zero = _start(data, y, where, l2, tol, work, x)
    n, q = fit.samples.n, fit.at.q
    # numba compiles what takes a bare 0 or True for that number alone
    zero, no, yes = np.int64(0), np.bool_(False), np.bool_(True)
    mass, draft, single = _begin_draft(fit, at_zero), yes, yes
    # at zero there is no third derivative
    pace = Pace(no, not at_zero, 0.0, 1.0, np.inf)
    least, least_bound, worse, count = np.inf, np.inf, zero, zero
    iteration, grams, known, moved = zero, zero, no, no
    now = best = NOWHERE
    # what a Hessian and its factor cost, over a pass; fitted to measurements
    dear = (0.02 + 0.08 * q / n) * q * q / (
        1.2 + 0.17 * q + (300.0 + 40.0 * q) / n
    )
    while True:
        if not known:
            now = _draft_point(fit, mass) if draft else evaluate(fit, -q)
        known, total, goal = no, now.gap + now.pull, tol * now.value
        least, least_bound, worse = watch(
            total, now.value, least, least_bound, worse
        )
        if draft:
            over, single = _draft_is_over(fit, now, pace, worse)
            if over or iteration >= max_iter:
                draft, worse = no, zero
                continue
        else:
            best = keep_better(fit, now, best)
            ended = _ended(fit, now, best, worse, iteration >= max_iter)
            if ended[0] != NOT_HERE:
                break
        if dear > _DEAR and moved:
            count = remember(work, fit.at, count)
        moved = no
        if iteration > 0:
            single = single and (
                draft or pace.stale or total < 0.5 * pace.before
            )
            pace = _next_pace(pace, total, goal, dear)
        else:
            pace = Pace(no, pace.bent, 0.0, 1.0, total)
        slopes = (0.0, 0.0, 0.0)
        if pace.stale and worse < _TIRED:
            stale_direction(fit, count)
            slopes = slopes_of(fit)
        bent = pace.bent
        if slopes[0] < 0.0:
            bent = no
        else:
            count = zero
            formed, single = _newton_direction(fit, draft, single)
            grams += formed
            slopes = slopes_of(fit)
            if draft and not (single and slopes[0] < 0.0):
                draft = single = no
                continue
            if not slopes[0] < 0.0:
                ended = FLOAT64_LIMIT, best, 0.0, 0.0
                break
        if draft or bent:
            mass, moved = _search_step(fit, draft, bent, slopes)
        else:
            now, known = _unit_step(fit, slopes, goal)
            moved = yes
        if moved:
            iteration += 1
        else:
            draft = single = no
    status, gap, value = end(fit, x, at_zero, size, ended)
    return iteration, grams, status, gap, value


@njit
def _fit_one(X, y, l2, tol, max_iter, x):
    """Minimise F for X of shape (n, p), from x; return its `summary`.

    The buffer is allocated here: 40 ns, where NumPy takes 150 ns.
    """
    if not is_usual(X, y):
        return NOTHING
    n, p = X.shape
    return summary(*fit_tiny(
        X.reshape(n * p), y, (0, p, 1, n, p, 0), l2, tol, max_iter,
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
