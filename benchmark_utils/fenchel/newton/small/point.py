"""What certifies a point of few columns, and which point a fit ends at."""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import bare
from ...duality import bounded, class_factor
from ...linalg.simd import LANES
from ...result import REACHED
from . import blocks, vectors

# Iterations without progress that are waited for
PATIENCE = 15
# Sums of so many samples differ by this share of themselves, not more
_NOISE = 1e-14


class Point(NamedTuple):
    """What is known of the point w."""

    #: F; in a draft a bound below it
    value: float
    #: the sum of the weights
    mass: float
    #: the gradient without the intercept, squared; and the gap of that
    square: float
    gap: float
    #: the square of the intercept's gradient
    pull: float
    #: |X|_F squared, the intercept's column too, where a Hessian was summed
    size: float


#: a point that any other is better than
NOWHERE = Point(np.inf, 0.0, np.inf, np.inf, np.inf, 0.0)


@bare
def watch(merit, bound, best, best_bound, worse):
    """Follow a fit: the least merit and bound on F, and how long no better.

    An iteration is one without progress where neither the merit, a gap, is
    below half of the least one so far nor the bound below 0.99 of it. At
    `PATIENCE` of them in a row it is a stall.
    """
    better = merit < 0.5 * best or bound < 0.99 * best_bound
    return (
        min(best, merit), min(best_bound, bound), 0 if better else worse + 1
    )


@bare
def point_at(fit, loss, mass, size):
    """Finish the gradient, of which A s is at g; return the `Point`."""
    work, at = fit.work, fit.at
    square, penalty = vectors.finish_gradient(
        work, at.w, at.ridge, at.g, at.width
    )
    pull = work[at.g + at.q - 1] ** 2 if fit.samples.intercept else 0.0
    return Point(
        loss + 0.5 * penalty, mass, square, square / (2.0 * fit.l2), pull,
        size,
    )


@bare
def evaluate(fit, summed):
    """Compute margins at w in float64, their weights, and the gradient.

    If `summed` the Hessian of the loss, too. Returns the `Point`.
    """
    loss, mass, size = blocks.weigh_at(fit, summed)
    return point_at(fit, loss, mass, size)


@bare
def balance(fit, now):
    """Return the price and the square of the gap that an intercept allows."""
    if not fit.samples.intercept:
        return 0.0, now.square
    work, at = fit.work, fit.at
    price = blocks.balance(
        fit.samples, work, fit.block, at.w, at.at, at.d, at.part,
        class_factor(-work[at.g + at.q - 1], now.mass),
    )
    work[at.d + at.q - 1] = 0.0
    square, _ = vectors.finish_gradient(
        work, at.w, at.ridge, at.d, at.width
    )
    return price, square


@bare
def keep_better(fit, now, best):
    """Copy w to the best point if it is better; return the best one.

    That is by F, and by the gap where F differs by its rounding only.
    """
    noise = _NOISE * abs(best.value)
    if not (now.value < best.value - noise or (
        now.value <= best.value + noise
        and now.gap + now.pull < best.gap + best.pull
    )):
        return best
    for j in range(fit.at.q):
        fit.work[fit.at.best + j] = fit.work[fit.at.w + j]
    return now


@bare
def end(fit, x, at_zero, size, ended):
    """Write the point to x; return status, bounded gap and F of it.

    `size` is |X|_F squared. `ended` is a status, a `Point`, and the price and
    the square of its balanced gap. Where nothing is reached the point is the
    best one, at `best`, and the start, which x is, if F is less there.
    """
    status, now, price, square = ended
    work, at, n = fit.work, fit.at, fit.samples.n
    if status != REACHED:
        start = n * math.log(2.0)
        if not at_zero:
            for j in range(at.q):
                work[at.w + j] = x[j]
            start = evaluate(fit, np.bool_(False)).value
        best = now.value <= start * (1.0 + _NOISE)
        for j in range(at.q):
            work[at.w + j] = work[at.best + j] if best else x[j]
        now = evaluate(fit, np.bool_(False))
        price, square = balance(fit, now)
        if price + square / (2.0 * fit.l2) <= fit.tol * now.value:
            status = REACHED
    for j in range(at.q):
        x[j] = work[at.w + j]
    length = math.sqrt(vectors.dot(work, at.w, at.w, at.width))
    rows = fit.block.rows
    depths = (rows / LANES + n / rows + 4.0, at.q + 1.0)
    gap = bounded(
        price, square, fit.l2, math.sqrt(size), now.mass, length, depths
    )
    return status, gap, now.value
