r"""Preconditioned L-BFGS for dense data: one read of X an iteration.

Each iteration takes a direction from the last pairs, searches along it on
the margins, and updates the gradient by its *change*,

.. math::
    g(w + t d) = g(w) - X^\top (y (s_{new} - s_{old})) + \lambda_2 t d,

whose rounding is relative to the change. So products run on a copy of X in
float32 or in halves, with a float64 gradient only where g has come near the
noise of its updates.

The initial matrix is the diagonal, until as many passes are spent as a
Cholesky factor costs; then it is the factor, made anew by the same rule. That
never takes more than about twice the time of the better choice, and asks
nothing about the condition of the problem in advance.

J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp.
35, 1980, doi:10.1090/S0025-5718-1980-0572855-7.
"""
import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import (
    dot,
    exact_step,
    loss_weights_curvature,
    slope_along,
)
from ...lbfgs import (
    MEMORY,
    add_pair,
    after_inverse,
    before_inverse,
)
from ...linalg.cholesky import solve
from ...linalg.half_precision import LARGEST
from ...line_search import search
from ..small.descent import ITERATION_LIMIT, REACHED
from .factor import (
    CHOLESKY,
    GRAM32,
    GRAM64,
    PACKED,
    ROW,
    make_factor,
)
from .products import balanced_gap
from .threads import (
    along_by,
    exact_gradient_by,
    first_read_by,
    gradient_change_by,
    trial_by,
)

# Other ends than `small.descent` has: progress has stopped, float64 is needed;
# the budget without a factor is spent
NEEDS_CARE, SLOW = 3, 4
_L2_CACHE = 1_000_000
# More factors than a fit needs that makes progress (1 to 6): 1000 iterations
# and 215 factors have led nowhere
_MOST_FACTORS = 30
# Rounding of halves: 2e-4 of an entry, twice that to be safe (the error of a
# gradient was 0.2 to 0.5 of what this gives)
HALF = 4e-4


@njit(fastmath=LOOPS)
def _changed(h, h_then):
    """Sum of |h - h_then| as a share of the sum of h_then."""
    change = 0.0
    total = 0.0
    for i in range(h.size):
        change += abs(h[i] - h_then[i])
        total += h_then[i]
    return change / total if total > 0.0 else 1.0


@njit(fastmath=LOOPS)
def descend(
    threads, X, A, copy, at_zero, pass_cost, y, l2, intercept, tol, loose,
    max_iter, direct, sample, wide, budget, w, V, R, c, S, Y, zoom, unzoom,
    squares, panel, C, L, scale, counts,
):
    """Minimise F from w.

    Parameters
    ----------
    threads : int or None
        None for one (see `dense.threads`).
    X : array of shape (n, p), C order, float64 or float32
        The data of exact gradients.
    A : array of shape (n, p), C order
        X itself or, where `copy`, an array that is written: float32, or
        uint16 for halves.
    copy, at_zero : bool
        Whether A is to be filled; whether w is zero.
    pass_cost : float
        Seconds of a read of A, by a model; only its ratio to the cost of a
        factor counts.
    y : array of shape (n,), float64, -1 and +1
    l2, tol : float; intercept : bool; max_iter : int
    loose : float
        Stop already where a step is expected to lower F by less than this
        share; 0 to certify.
    direct : bool
        Factors may be made.
    sample : int
        Rows of a factor at most.
    wide : bool
        Take a multiple of the identity instead of the diagonal.
    budget : float
        Passes without a factor after which to return SLOW.
    w : array of shape (q,), float64
        The start, becomes the solution; an intercept comes last.
    V : array of shape (8, n), float64; R : array of shape (2, n), int64
    c : array of shape (n,), A's dtype; float32 for halves
    S, Y : arrays of shape (MEMORY, q), c's dtype
    zoom, unzoom : arrays of shape (p,), float64
        What the columns of A were multiplied by (1 but for halves), and the
        inverse.
    squares : array of shape (p,), float64
        Column sums of X^2, needed for halves; written where `at_zero`.
    panel, C, L, scale : arrays
        Of `dense.factor.make_factor`; empty where not `direct`.
    counts : array of shape (4,), int64, added to
        Iterations, passes over the data, factors, products (none here).

    Returns
    -------
    status : int
    gap, value : float
        The certified gap and F, where the status is REACHED.
    """
    n, p = X.shape
    q = w.size
    m, s, h, h_then = V[0], V[1], V[2], V[3]
    dm, m_new, s_new, h_new = V[4], V[5], V[6], V[7]
    # work space: what these hold is not needed where a factor is made or an
    # exact gradient taken
    roots, r = m_new, dm
    rows, chosen = R[0], R[1]
    g, d, Hv, z = np.zeros(q), np.zeros(q), np.zeros(q), np.empty(q)
    inverse, ridge = np.empty(q), np.zeros(q)
    data_grad, exact_part = np.empty(p), np.empty(p)
    v, part = np.empty(p, c.dtype), np.empty(p, c.dtype)
    work, u = np.empty(q, L.dtype), np.empty(q, c.dtype)
    rho, alpha = np.empty((2, MEMORY), c.dtype)
    for j in range(p):
        ridge[j] = l2 * zoom[j] * zoom[j]
    half = A.itemsize == 2
    # rounding of a product, relative to what it changes
    unit = 1e-15 if A.itemsize == 8 else 3e-8
    gram_rate = GRAM32 if C.itemsize == 4 else GRAM64
    large = A.size * A.itemsize > _L2_CACHE

    if at_zero:
        first_read_by(threads, X, y, copy, A, zoom, data_grad, squares)
        inverse[:p] = squares
        grad_b = 0.0
        for i in range(n):
            m[i], s[i], h[i] = 0.0, 0.5, 0.25
            grad_b -= 0.5 * y[i]
        loss = n * np.log(2.0)
    else:
        inverse[:] = 1.0
        b = w[p] if intercept else 0.0
        loss, grad_b = exact_gradient_by(
            threads, X, y, w[:p], b, m, s, h, r, exact_part, data_grad
        )
        norm = 0.0
        for j in range(p):
            norm += w[j] * w[j]
        # the length of a start is often wrong (a part of the rows is nearly
        # separable): take the best multiple of it
        slope, bend = slope_along(m, m, 0.0)
        factor = 1.0 - (slope + l2 * norm) / (bend + l2 * norm)
        if factor > 1.02:
            factor = 1.0 + exact_step(m, m, l2 * norm, l2 * norm, 0.1)
        elif factor < 0.98:
            for i in range(n):
                dm[i] = -m[i]
            factor = 1.0 - exact_step(m, dm, -l2 * norm, l2 * norm, 0.1)
        if abs(factor - 1.0) > 0.02:
            for j in range(q):
                w[j] *= factor
            b *= factor
            loss, grad_b = exact_gradient_by(
                threads, X, y, w[:p], b, m, s, h, r, exact_part, data_grad
            )
            counts[1] += 1
    counts[1] += 1
    total_h = 0.0
    for i in range(n):
        total_h += h[i]
    row_norm = 0.0
    if half:
        for j in range(p):
            if not squares[j] * zoom[j] * zoom[j] < LARGEST * LARGEST:
                return NEEDS_CARE, np.inf, np.inf
            row_norm += squares[j]
        row_norm = np.sqrt(row_norm / n)
    largest = 0.0
    for j in range(p):
        if wide:
            largest += inverse[j] / n
        else:
            inverse[j] = 1.0 / (total_h / n * inverse[j] + l2)
    if wide:
        inverse[:p] = 1.0 / (total_h / n * largest + l2)
    if intercept:
        # where all margins are huge, 1 / total_h is no step for an intercept
        inverse[p] = 1.0 / max(total_h, 1e-8 * n)
    gamma = 1.0

    factored = False
    factors = 0
    exact = True
    noise = 0.0
    pairs = 0
    spent = 0.0
    all_rows = False
    h_then[:] = h
    first_gap = -1.0
    since = 0
    trusted = not at_zero
    last = 0.0
    best, failures = np.inf, 0
    value = gap = np.inf
    # where it is not exact, `loss` is the sum of the weights, a lower bound
    while True:
        if exact:
            for j in range(p):
                g[j] = data_grad[j] + l2 * w[j]
            if intercept:
                g[p] = grad_b
            noise = 0.0
        square = 0.0
        norm = 0.0
        for j in range(p):
            square += g[j] * g[j]
            norm += w[j] * w[j]
        gap = square / (2.0 * l2)
        value = loss + 0.5 * l2 * norm
        slope_b = g[p] * g[p] / total_h if intercept else 0.0
        done = gap <= 0.8 * tol * value and slope_b <= tol * value
        if not gap < np.inf:
            return NEEDS_CARE, gap, value
        if done and (exact or unit < 1e-12):
            if not exact:
                value += loss_weights_curvature(m, s, h) - loss
            if not intercept:
                return REACHED, gap, value
            gap = balanced_gap(
                X, y, w[:p], m, s, r, l2, exact_part, data_grad
            )
            counts[1] += 1
            if gap <= tol * value:
                return REACHED, gap, value
            tol *= 0.1
            failures += 1
        elif done or not np.sqrt(square + slope_b * total_h) > noise:
            if exact:
                return NEEDS_CARE, gap, value
            loss, grad_b = exact_gradient_by(
                threads, X, y, w[:p], w[p] if intercept else 0.0, m, s, h, r,
                exact_part, data_grad,
            )
            counts[1] += 1
            exact = True
            continue
        total = gap + slope_b
        if exact:
            failures = failures + 1 if total > 0.25 * best else 0
            if half and total > 0.1 * best:
                return NEEDS_CARE, gap, value
            best = min(best, total)
            if failures == 4:
                return NEEDS_CARE, gap, value
        if counts[0] >= max_iter:
            # what is reported is certified, here too
            if not exact:
                loss, grad_b = exact_gradient_by(
                    threads, X, y, w[:p], w[p] if intercept else 0.0, m, s, h,
                    r, exact_part, data_grad,
                )
                counts[1] += 1
                exact = True
                continue
            if intercept:
                gap = balanced_gap(
                    X, y, w[:p], m, s, r, l2, exact_part, data_grad
                )
                counts[1] += 1
            return ITERATION_LIMIT, gap, value
        if first_gap < 0.0:
            first_gap = total
        exact = False

        # passes that are left at this rate
        left = 4.0
        if since >= 2 and total > tol * value:
            rate = np.log(first_gap / total) / since
            left = np.log(total / (tol * value)) / max(rate, 1e-3)
        if not factored and spent >= budget and left > 0.5 * budget:
            return SLOW, gap, value
        if direct:
            active = min(n * min(1.0, 8.0 * total_h / n), 1.0 * sample)
            cost = (
                active * (q * q / (2 * gram_rate) + PACKED * q + ROW)
                + q**3 / (6 * CHOLESKY) + min(n, 4 * sample) * ROW
            ) / pass_cost
            fresh = all_rows and _changed(h, h_then) < 0.05
            if fresh and since >= 15:
                return NEEDS_CARE, gap, value
            # a start from elsewhere is near enough for a factor at once
            if not fresh and (
                (spent >= cost and left > cost + 2.0)
                or not (factored or at_zero)
            ):
                taken, all_rows = make_factor(
                    A, h, ridge, intercept, sample, rows, chosen, roots,
                    panel, C, L, scale,
                )
                counts[2] += 1
                factors += 1
                if taken < 0 or factors == _MOST_FACTORS:
                    return NEEDS_CARE, gap, value
                for j in range(p):
                    scale[j] *= zoom[j]
                factored = True
                sample = min(2 * sample, n)
                h_then[:] = h
                pairs = 0
                spent = 0.0
                since = 0
                first_gap = total
                last = 0.0

        counts[0] += 1
        size = np.sqrt(square)
        if intercept:
            size = np.sqrt(square + g[p] * g[p])
        size = max(size, 1e-300)
        for j in range(q):
            u[j] = -g[j] / size
        before_inverse(u, S, Y, rho, alpha, pairs)
        if factored:
            for j in range(q):
                d[j] = u[j]
            solve(L, scale, d, work, z)
            for j in range(q):
                u[j] = z[j]
        else:
            for j in range(q):
                u[j] *= gamma * inverse[j]
        after_inverse(u, S, Y, rho, alpha, pairs)
        slope = 0.0
        norm = 0.0
        for j in range(q):
            d[j] = size * u[j]
            slope += g[j] * d[j]
            norm += d[j] * d[j]
        size = np.sqrt(norm)
        quadratic = l2 * (norm - d[p] * d[p] if intercept else norm)
        if not slope < 0.0:
            if pairs > 0:
                pairs = 0
                continue
            return NEEDS_CARE, gap, value

        if -0.5 * slope <= loose * value:
            return REACHED, gap, value
        # where the end is one step away, the pass that certifies is that step
        contraction = total / last
        last = total
        if trusted and 3.0 * contraction * total <= 0.8 * tol * value:
            for j in range(q):
                z[j] = w[j] + d[j]
            new_loss, new_grad_b = exact_gradient_by(
                threads, X, y, z[:p], z[p] if intercept else 0.0, m_new,
                s_new, h_new, r, exact_part, data_grad,
            )
            counts[1] += 1
            new_slope = 0.0
            moved = 0.0
            for j in range(p):
                Hv[j] = data_grad[j] + l2 * z[j] - g[j]
                new_slope += (Hv[j] + g[j]) * d[j]
                moved += Hv[j] * Hv[j]
            if intercept:
                Hv[p] = new_grad_b - g[p]
                new_slope += new_grad_b * d[p]
                moved += Hv[p] * Hv[p]
            if abs(new_slope) <= -0.5 * slope:
                exact = True
                loss, grad_b = new_loss, new_grad_b
                w[:] = z
                total_h = 0.0
                for i in range(n):
                    m[i] = m_new[i]
                    total_h += h_new[i]
                s, s_new = s_new, s
                h, h_new = h_new, h
                since += 1
                spent += 1.0
                scaled = add_pair(
                    1.0, d, Hv, np.sqrt(moved), inverse, S, Y, rho, pairs
                )
                if scaled > 0.0:
                    gamma = scaled
                    pairs += 1
                continue
        for j in range(p):
            v[j] = d[j] / size * unzoom[j]
        shift = d[p] / size if intercept else 0.0
        Hv[:] = 0.0
        t = 1.0
        found = False
        if trusted and large:
            mass, before, after, change = trial_by(
                threads, A, y, v, shift, size, t, m, s, dm, m_new, s_new,
                h_new, c, part, Hv[:p],
            )
            new_slope = slope + (after - before) + quadratic
            found = abs(new_slope) <= -0.4 * slope
            if not found:
                Hv[:] = 0.0
        else:
            along_by(threads, A, y, v, shift, size, dm)
        if not found:
            t, mass, total_h = search(
                m, dm, s, slope, quadratic, 0.3, s_new, h_new
            )
            if not t > 0.0:
                return NEEDS_CARE, gap, value
            change = gradient_change_by(
                threads, A, y, s, s_new, c, part, Hv[:p]
            )
            for i in range(n):
                m[i] += t * dm[i]
        else:
            total_h = 0.0
            for i in range(n):
                m[i] = m_new[i]
                total_h += h_new[i]
        trusted = 0.6 < t < 1.6
        loss = mass
        s, s_new = s_new, s
        h, h_new = h_new, h
        counts[1] += 1
        spent += 1.0
        since += 1
        moved = 0.0
        spread = 0.0
        for j in range(p):
            w[j] += t * d[j]
            Hv[j] = Hv[j] * unzoom[j] + l2 * t * d[j]
            moved += Hv[j] * Hv[j]
            g[j] += Hv[j]
            spread += squares[j] * d[j] * d[j]
        if intercept:
            w[p] += t * d[p]
            Hv[p] = change
            moved += change * change
            g[p] += change
        moved = np.sqrt(moved)
        if half:
            spread *= dot(h, h) / n
            noise += HALF * row_norm * (
                np.sqrt(dot(c, c)) + t * np.sqrt(spread)
            )
        else:
            noise += 10.0 * unit * moved
        scaled = add_pair(t, d, Hv, moved, inverse, S, Y, rho, pairs)
        if scaled < 0.0:
            return NEEDS_CARE, gap, value
        if scaled > 0.0:
            gamma = scaled
            pairs += 1
