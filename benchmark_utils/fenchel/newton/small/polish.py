"""Newton in float64, each trial of a step at the point itself.

Margins, weights, F and gradient are computed anew from X at each point, so
what is returned has a certificate of its own. It ends what a draft in float32
began, and solves problems of many samples from a start that is near, where
each pass reads X once.
"""
import math

import numpy as np

from ...compilation import bare
from ...line_search import next_trial
from ...result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED
from . import hessian, vectors
from . import kernels as few
from .hessian import PIVOT
from .pairs import correct_after, correct_before
from .point import NOWHERE, PATIENCE, balance, evaluate, keep_better, watch
from .samples import narrow_vector

# A step is taken once the slope along it has fallen to this share
_FLAT = 0.5
# Passes of a search, also where F bends only far from the start; of a stream,
# which is near
_TRIALS, _FEW_TRIALS = 40, 12


@bare
def factor(fit, largest):
    """Factorize the Hessian's sums, -g beside it; return if it is trusted.

    An intercept's step is at most ten times the `largest` margin.
    """
    work, at = fit.work, fit.at
    # nothing else bounds it where all weights are 0 or 1
    if fit.samples.intercept:
        p = at.q - 1
        corner, least = at.U + p * at.width + p, 0.1 * abs(work[at.g + p])
        work[corner] = max(work[corner], least / max(largest, 1.0))
    for j in range(at.q):
        work[at.U + j * at.width + at.q] = -work[at.g + j]
    return hessian.factorize(
        work, at.U, at.width, at.q, at.inverse, at.ridge, PIVOT
    )


@bare
def form_single(fit, h):
    """Compute a Hessian from the copy of A in float32; h counts float32."""
    work, at = fit.work, fit.at
    few.clear(work, at.U, at.q * at.width)
    hessian.add_single_gram(
        work, at.narrow, at.narrow_pitch, at.q, h, at.padded, at.U, at.width
    )


@bare
def solve_beside(fit):
    """Set d from what `factor` has made of -g."""
    work, at = fit.work, fit.at
    for j in range(at.q):
        work[at.z + j] = work[at.U + j * at.width + at.q]
    hessian.substitute(work, at.U, at.width, at.q, at.inverse, at.z, at.d)


@bare
def stale_direction(fit, count):
    """Set d by the last factor, corrected by `count` pairs."""
    work, at = fit.work, fit.at
    for j in range(at.q):
        work[at.z + j] = -work[at.g + j]
    correct_before(work, at, count)
    hessian.eliminate(work, at.U, at.width, at.q, at.inverse, at.z)
    hessian.substitute(work, at.U, at.width, at.q, at.inverse, at.z, at.d)
    correct_after(work, at, count)


@bare
def slopes_of(fit):
    """Return g'd and what l2 adds to the slope and to the bend along d."""
    at = fit.at
    return vectors.slopes(fit.work, at.g, at.w, at.ridge, at.d, at.width)


@bare
def bend(fit, area, k, columns, slope):
    r"""Correct Newton's direction as Chebyshev, with its own factor.

    .. math:: d \leftarrow d + H^{-1} A c, \qquad
              c_i = \tfrac{1}{2} h_i (1 - 2 s_i) (A^\top d)_i^2,

    unless that is more than half of d in the norm of H: then the third
    derivative says little. A'd is at dm. Small passes all, and mostly one
    iteration fewer.

    J. M. Gutierrez and M. A. Hernandez, "A family of Chebyshev-Halley type
    methods in Banach spaces", Bull. Austral. Math. Soc. 55, 1997,
    doi:10.1017/S0004972700030586.

    Parameters
    ----------
    fit : Fit
    area : array
        The buffer, as float64 or as float32.
    k : int
        How many of its entries make a float64.
    columns : tuple of int
        Where A is in it, the distance of its columns, and samples, padded.
    slope : float
        g'd.

    Returns
    -------
    bool
        Whether d has changed: then A'd is another.
    """
    work, at, (A, pitch, count) = fit.work, fit.at, columns
    few.third_order(area, k * at.at.s, k * at.at.h, k * at.dm, k * at.c, count)
    few.project(area, A, pitch, at.q, k * at.c, work, at.z, count)
    hessian.eliminate(work, at.U, at.width, at.q, at.inverse, at.z)
    size = vectors.weighted_square(work, at.z, at.inverse, at.width)
    if size > 0.25 * -slope:
        return False
    hessian.substitute(work, at.U, at.width, at.q, at.inverse, at.z, at.part)
    few.advance(work, at.d, 1.0, at.part, at.width)
    return True


@bare
def _newton_direction(fit, single, summed):
    """Set d from a new Hessian, in float32 if `single` and that is enough.

    `summed` tells whether that in float64 is summed. Returns how many were
    formed, and whether float32 was enough.
    """
    work, at, formed, largest = fit.work, fit.at, 0, np.inf
    # a stream has no margins of all samples, and comes from a sample's end
    if fit.block.kept == 1:
        largest = few.largest(work, at.at.m, fit.samples.n)
    if single:
        formed = 1
        narrow_vector(work, at.at.h, at.narrow_h, at.padded)
        form_single(fit, at.narrow_h)
        single = factor(fit, largest)
    if not single:
        formed += 1
        if not summed:
            evaluate(fit, np.bool_(True))
        factor(fit, largest)
    solve_beside(fit)
    return formed, single


@bare
def _search(fit, slope, summed, trials):
    """Find the step along d by passes at the points themselves.

    The bend is that of a secant, and each third trial halves the bracket.
    Returns the `Point` there, the passes, and whether it is one.
    """
    work, at = fit.work, fit.at
    t, moved, low, high = 1.0, 0.0, 0.0, np.inf
    before, before_slope, passes = 0.0, slope, 0
    while True:
        few.advance(work, at.w, t - moved, at.d, at.width)
        moved = t
        now = evaluate(fit, summed)
        passes += 1
        first = vectors.dot(work, at.g, at.d, at.width)
        found = abs(first) <= _FLAT * -slope
        if found or passes == trials:
            return now, passes, found
        if first < 0.0:
            low = t
        else:
            high = t
        bend = (first - before_slope) / (t - before)
        if passes % 3 == 0 and high < np.inf:
            # where slopes jump, secants hardly get nearer
            bend = 0.0
        before, before_slope = t, first
        t = next_trial(t, first, bend, low, high)


@bare
def price_of_hessian(q, n):
    """Return what a Hessian and its factor cost in passes, by a model.

    Fitted to measurements.
    """
    return (0.02 + 0.08 * q / n) * q * q / (
        1.2 + 0.17 * q + (300.0 + 40.0 * q) / n
    )


@bare
def polish(fit, now, single, near, max_iter):
    """Minimise F from w, whose `Point` is `now`.

    Parameters
    ----------
    fit : Fit
    now : Point
        With a Hessian summed where its `size` says so.
    single : bool
        Whether Hessians from the copy in float32 are good enough.
    near : bool
        Whether the last factor will do for the first step.
    max_iter : int

    Returns
    -------
    iterations, passes, grams : int
    ended : tuple
        What `point.end` takes.
    """
    at, iteration, passes, grams = fit.at, 0, 0, 0
    fresh, found, share, status = not near, True, 1.0, ITERATION_LIMIT
    least, least_bound, worse, best = np.inf, np.inf, np.int64(0), NOWHERE
    # a stream is for others where it stalls
    streamed = fit.block.kept == 0
    held = not streamed and fit.samples.n <= fit.block.rows
    patience, allowed = (2, _FEW_TRIALS) if streamed else (PATIENCE, _TRIALS)
    dear, before, newest = price_of_hessian(at.q, fit.samples.n), np.inf, near
    while True:
        best = keep_better(fit, now, best)
        total, goal = now.gap + now.pull, fit.tol * now.value
        if now.gap <= goal < np.inf:
            passes += fit.samples.intercept
            price, square = balance(fit, now)
            if price + square / (2.0 * fit.l2) <= goal:
                return iteration, passes, grams, (REACHED, now, price, square)
        least, least_bound, worse = watch(
            total, now.value, least, least_bound, worse
        )
        if iteration >= max_iter:
            break
        if worse == patience:
            status = FLOAT64_LIMIT
            break
        if single and found and not newest and total < 0.5 * before:
            # as many steps with the old factor as a new one costs
            steps = math.log(total / goal) / math.log(before / total)
            fresh = steps > 1.0 + dear
        before = total
        if not fresh:
            stale_direction(fit, np.int64(0))
            fresh = not slopes_of(fit)[0] < 0.0
        newest = fresh
        if fresh:
            formed, single = _newton_direction(fit, single, now.size > 0.0)
            grams += formed
        slope = slopes_of(fit)[0]
        if not slope < 0.0:
            status = FLOAT64_LIMIT
            break
        # A Newton step leaves 0.1 to 2.5 times -slope / mass of the gap, one
        # more with the same factor twice that share
        if newest:
            share = -slope / now.mass
            left = total * share
            # plain where that ends it, or from a copy of A that is not here
            if left > 0.1 * goal and held:
                few.combine(
                    fit.work, fit.block.A, fit.block.pitch, at.q, fit.work,
                    at.d, at.dm, at.padded,
                )
                bend(
                    fit, fit.work, 1,
                    (fit.block.A, fit.block.pitch, at.padded), slope,
                )
                slope = slopes_of(fit)[0]
        else:
            left = total * 2.0 * share
        fresh = left * min(1.0, 2.0 * share) > 0.1 * goal or not (
            newest or streamed
        )
        now, trials, found = _search(
            fit, slope, fresh and not single, allowed
        )
        iteration += 1
        passes += trials
        if not found:
            # from a better Hessian, if there is one
            single, fresh = single and not newest, True
    return iteration, passes, grams, (status, best, 0.0, 0.0)
