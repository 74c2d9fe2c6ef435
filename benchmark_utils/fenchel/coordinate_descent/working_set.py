"""Logistic regression with any separable penalty, to a certified end.

All columns are read only to see which of them matter: a working set of the
coefficients that are not zero and of those nearest to leaving zero is solved
by `prox_newton`; then everything that is reported is computed anew from X and
w in float64.

T. B. Johnson and C. Guestrin, "Blitz: a principled meta-algorithm for scaling
sparse optimization", ICML 2015.
"""
import math

import numpy as np

from ..compilation import LOOPS, njit
from ..datafits.logistic import evaluate
from ..result import (
    ITERATION_LIMIT,
    NEEDS_CARE,
    REACHED,
    SLOW,
)
from .access import (
    add_squares,
    add_transposed,
    first_columns,
    most_columns,
    multiply,
    restrict,
    rows_per_block,
    width_of,
)
from .gap import duality_gap, margin_errors
from .prox_newton import (
    Goal,
    Point,
    Problem,
    descend,
    make_model,
    penalty_along,
)

# Columns that are always taken all together
_FEW = 40
# A working set takes coefficients whose gradient times this would leave zero
_NEAR = 1.25
# More than this share of the columns are taken without a copy
_MOST = 0.8
_BINS = 256
# Newton steps of the intercept, and halvings of one
_SHIFTS = 20
_UNIT = 2.0**-53


@njit
def make_point(n, p):
    """Allocate a point of n samples and p columns, at zero."""
    return Point(
        np.zeros(p + 1), np.zeros(p + 1), np.zeros(n), np.empty(n),
        np.empty(n), np.empty(n),
    )


@njit(fastmath=LOOPS)
def shift_margins(problem, point, loss):
    """Move margins along the intercept by Newton steps that lower the loss.

    Until its derivative is a hundredth: the rest is for the dual point.

    Returns
    -------
    loss, shift : float
    """
    y, m, s, h = problem.y, point.m, point.s, point.h
    first, shift, step, halvings = 0.0, 0.0, 0.0, 0
    for trial in range(_SHIFTS):
        slope = bend = 0.0
        for i in range(m.size):
            slope -= y[i] * s[i]
            bend += h[i]
        if trial == 0:
            first = abs(slope)
        if abs(slope) <= 0.01 * first and trial > 0 or not bend > 0.0:
            break
        step = -slope / bend
        new = np.inf
        for halvings in range(_SHIFTS):
            for i in range(m.size):
                m[i] += step * y[i]
            shift += step
            new = evaluate(m, s, h, problem.weights)
            if new <= loss:
                break
            # back by half of it
            step *= -0.5 if halvings == 0 else 0.5
        if not new <= loss:
            break
        loss = new
    return loss, shift


@njit(fastmath=LOOPS)
def balance(problem, point):
    """Find the best intercept for the margins; weights that sum to zero.

    Margins, s, h and r = -y a are written: a is s, the heavier class's
    scaled until sum y a = 0 where the penalty is convex.

    Returns
    -------
    loss, shift : float
        The intercept's change.
    scales : tuple (up, down)
    squares : float
        The sum of a^2.
    """
    y, m, s, h, r = problem.y, point.m, point.s, point.h, point.r
    loss, shift = evaluate(m, s, h, problem.weights), 0.0
    up = down = 1.0
    if problem.free:
        loss, shift = shift_margins(problem, point, loss)
        positive = negative = 0.0
        for i in range(m.size):
            if y[i] > 0.0:
                positive += s[i]
            else:
                negative += s[i]
        if problem.penalty.is_convex and positive + negative > 0.0:
            if positive > negative:
                up = negative / positive
            else:
                down = positive / negative
    squares = 0.0
    for i in range(m.size):
        a = s[i] * (up if y[i] > 0.0 else down)
        r[i] = -y[i] * a
        squares += a * a
    return loss, shift, (up, down), squares


@njit
def loss_gradient(X, r, work, bounds):
    """Compute X' r; on the way, once, what is asked of columns.

    Parameters
    ----------
    work : tuple (out, part, ...)
    bounds : tuple (norms, depths, noises)
        Where norms[0] is negative, norms and depths are written.
    """
    out, part = work[0], work[1]
    norms, depths = bounds[0], bounds[1]
    out[:] = 0.0
    new = norms[0] < 0.0
    if new:
        norms[:] = 0.0
        depths[:] = 0.0
    step = rows_per_block(X)
    for first in range(0, r.size, step):
        last = min(first + step, r.size)
        add_transposed(X, first, last, r, part, out)
        if new:
            add_squares(X, first, last, norms, depths)
    if new:
        for j in range(norms.size):
            norms[j] = math.sqrt(norms[j])


@njit
def worst(problem, w, grad, total, noises):
    """Return the largest violation of stationarity, rounding included.

    `grad` is the loss's, without lambda2's part, and off by at most `noises`;
    `total` is the intercept's.
    """
    largest = abs(total) if problem.free else 0.0
    for j in range(problem.k):
        slope = grad[j] + problem.l2 * w[j]
        largest = max(largest, noises[j] + problem.penalty.distance(
            w[j], slope
        ))
    return largest


@njit
def outside(problem, grad, member):
    """Count coefficients outside the working set that would leave zero."""
    count = 0
    for j in range(problem.k):
        if not member[j] and problem.penalty.distance(0.0, grad[j]) > 0.0:
            count += 1
    return count


@njit
def choose(problem, w, grad, limit, member, chosen):
    """Choose the columns of the next working set.

    Those of coefficients that are not zero, and up to about `limit` of those
    whose gradient is the largest among the ones that would leave zero if it
    were a little larger.

    Parameters
    ----------
    member : array of shape (p,), bool, written
    chosen : array of shape (p,), written

    Returns
    -------
    int
        Their number.
    """
    p, penalty = problem.k, problem.penalty
    largest = 0.0
    for j in range(p):
        if w[j] == 0.0:
            largest = max(largest, abs(grad[j]))
    counts = np.zeros(_BINS + 1, np.int64)
    scale = _BINS / largest if largest > 0.0 else 0.0
    for j in range(p):
        if w[j] == 0.0 and penalty.distance(0.0, _NEAR * grad[j]) > 0.0:
            counts[int(abs(grad[j]) * scale)] += 1
    lowest, total = _BINS, counts[_BINS]
    while lowest > 0 and total + counts[lowest - 1] <= limit:
        lowest -= 1
        total += counts[lowest]
    k = 0
    for j in range(p):
        member[j] = w[j] != 0.0 or (
            int(abs(grad[j]) * scale) >= lowest
            and penalty.distance(0.0, _NEAR * grad[j]) > 0.0
        )
        if member[j]:
            chosen[k] = j
            k += 1
    if k > _MOST * p:
        member[:], k = True, p
        for j in range(p):
            chosen[j] = j
    return k


@njit
def assess(whole, sub, point, w, work, bounds):
    """Compute all that is known about a point anew, from X and w.

    Parameters
    ----------
    whole, sub : Problem
        Of all columns, and of the working set.
    point : Point
        Its w, in the columns of `sub`, is given; all else is written, of the
        gradient only the intercept's, at p.
    w : array of shape (p + 1,)
        The same coefficients in all columns; the intercept is made the best.
    work : tuple (grad, part, ...)
        The loss's gradient (p,), written, and work space.
    bounds : tuple (norms, depths, noises)
        Of columns; `noises` is written.

    Returns
    -------
    value : float
        F.
    gap : float
        The bound of the gap; the violation where r is not convex.
    """
    n, p, k = point.m.size, whole.k, sub.k
    point.m[:] = point.w[k]
    if k > 0:
        multiply(sub.X, 0, n, point.w[:k], point.w[k], point.m)
    for i in range(n):
        point.m[i] *= whole.y[i]
    loss, shift, scales, squares = balance(sub, point)
    point.w[k] += shift
    w[p] = point.w[k]
    grad = work[0]
    loss_gradient(whole.X, point.r, work, bounds)
    total = 0.0
    for i in range(n):
        total += point.r[i]
    norms, depths, noises = bounds
    value = loss + penalty_along(sub, point.w, point.w, 0.0)
    unit = 2.0 * _UNIT * math.sqrt(squares)
    for j in range(p):
        noises[j] = unit * (depths[j] + 2.0) * norms[j]
    point.grad[p] = 0.0
    if not whole.penalty.is_convex:
        point.grad[p] = total
        shift = whole.heaviest**2 * margin_errors(norms, w, n, k + 1.0)
        for j in range(p):
            # sigmoid's slope is 1 / 4 at most
            noises[j] += 0.25 * shift * norms[j]
        return value, worst(whole, w, grad, total, noises)
    return value, duality_gap(
        whole, point, grad, scales, (w, norms, noises, k + 1.0), value
    )


@njit
def price_of(k):
    """Estimate what a Gram matrix costs, in iterations without one."""
    # 0.8 at 569 x 30, 3.5 at 2000 x 100, 4 at 20000 x 500
    return min(0.5 + 0.03 * k, 4.0)


@njit
def columns(whole, chosen, k, place):
    """Make the problem of k columns of another; all of them without a copy."""
    X = whole.X
    if k < whole.k:
        X = restrict(X, whole.y.size, chosen, k, place)
    return Problem(
        X, whole.y, whole.penalty, whole.l2, whole.free, k, whole.weights,
        whole.heaviest,
    )


@njit
def spread(part, chosen, k, w):
    """Write k coefficients and the intercept into those of all columns."""
    p = w.size - 1
    for j in range(p):
        w[j] = 0.0
    for j in range(k):
        w[chosen[j]] = part[j]
    w[p] = part[k]


@njit
def heaviest_of(weights):
    """Return the root of the largest weight, 1.0 without any."""
    if weights is None:
        return 1.0
    return math.sqrt(weights.max())


@njit
def solve(X, samples, penalty, l2, free, limits, x, like):
    """Minimise F from x; see `fit.fit`.

    Parameters
    ----------
    samples : tuple (y, weights)
        Labels, and an array or None.
    limits : tuple (tol, max_iter)
    like : array
        H has its dtype.

    Returns
    -------
    counts : tuple of ints
        Iterations, readings of all of X, epochs, Gram matrices.
    status : int
    gap, value : float
    """
    tol, max_iter = limits
    y, weights = samples
    n, p = y.size, x.size - 1
    whole = Problem(
        X, y, penalty, l2, free, p, weights, heaviest_of(weights)
    )
    here, there = make_point(n, p), make_point(n, p)
    if not free:
        x[p] = 0.0
    work = (np.empty(p), np.empty(p))
    bounds = (np.full(p, -1.0), np.empty(p), np.zeros(p))
    member, chosen = np.ones(p, np.bool_), np.arange(p)
    place = np.empty(p, np.int64)
    k = p if p <= _FEW else choose(whole, x, np.zeros(p), 0, member, chosen)
    sub, model = columns(whole, chosen, k, place), make_model(
        penalty, 0, free, 0, like
    )
    w, best, least = x.copy(), np.inf, np.inf
    iterations = readings = epochs = grams = failures = 0
    status = NEEDS_CARE
    for j in range(k):
        here.w[j] = w[chosen[j]]
    here.w[k] = w[p]
    while failures < 4:
        value, gap = assess(whole, sub, here, w, work, bounds)
        readings += 1
        slack = 1e-12 * abs(best)
        failures += 1
        if gap < 0.9 * least or value < best - slack:
            failures = 0
        if value < best - slack or (value <= best + slack and gap < least):
            best, least = value, gap
            for j in range(p + 1):
                x[j] = w[j]
        goal = tol * value if penalty.is_convex else tol
        if gap <= goal and gap == least:
            status = REACHED
            break
        if iterations >= max_iter:
            status = ITERATION_LIMIT
            break
        new = outside(whole, work[0], member)
        if readings == 1 or new > 0:
            if p > _FEW:
                few, growth = first_columns(X)
                limit = max(growth * np.count_nonzero(w[:p]), few)
                if readings > 1:
                    limit = min(limit, new + few // 4)
                k = choose(whole, w, work[0], limit, member, chosen)
                sub = columns(whole, chosen, k, place)
            if k > most_columns(X):
                status = SLOW
                break
            width = width_of(k + free, like)
            model = make_model(penalty, k, free, width, like)
        for j in range(k):
            here.w[j] = w[chosen[j]]
            here.grad[j] = work[0][chosen[j]] + l2 * here.w[j]
        here.w[k], here.grad[k] = w[p], here.grad[p]
        target, budget = 0.3 * goal, max_iter - iterations
        if new > 0 and k < p and penalty.is_convex:
            target = max(target, 0.1 * gap)
            if gap > 0.1 * value:
                # what is left out matters more than these columns
                budget = min(budget, 2)
        taken, second, stuck, ran, made = descend(
            sub, model, here, there, work[1], value,
            Goal(target, budget, price_of(k)),
        )
        failures += stuck
        iterations += taken
        epochs += ran
        grams += made
        if second:
            here, there = there, here
        spread(here.w, chosen, k, w)
    return (iterations, readings, epochs, grams), status, least, best
