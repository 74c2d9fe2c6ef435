r"""L-BFGS for n < p / 2 on a copy in halves, in the span of the rows.

The minimiser is w = X'a, and so is every iterate from zero when the initial
matrix is a multiple of the identity: the gradient is g = X'r with
r = lambda2 a - y s. With A, the copy of X in halves, g = A'r is wrong by the
rounding of a half *of itself*, so nothing is summed up, and the margins A A'a
are wrong by much less, as rounding averages over the p entries of a row. (A
first gradient from X and changes by A would have a constant error, which lies
outside of the rows of A: there the curvature is lambda2 alone, and the steps
that end it are 1 / lambda2 long. 200 x 5000, l2 = 0.01: 20 instead of 14
iterations.)

Where the margins' error has become visible, or the end near, one exact pass
over X at w gives margins, weights s and gradient. Either it certifies, or

.. math::
    w \leftarrow w - (g_{exact} - A^\top r) / \lambda_2

takes out what w has outside of the rows of X: to the rounding of a half of
A'r, w is X'a then. The margins follow by A, as the change is small.
"""
import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import add, dot
from ...lbfgs import (
    MEMORY,
    add_pair,
    after_inverse,
    before_inverse,
)
from ...linalg.half_precision import LARGEST
from ...line_search import evaluate, search
from ..small.descent import ITERATION_LIMIT, REACHED
from .descent import HALF, NEEDS_CARE, SLOW
from .products import balanced_gap
from .threads import (
    along_by,
    exact_gradient_by,
    first_read_by,
    gradient_change_by,
    trial_by,
)


@njit(fastmath=LOOPS)
def descend_wide(
    threads, X, A, y, l2, intercept, tol, max_iter, budget, w, V, c, S, Y,
    zoom, unzoom, squares, counts,
):
    """Minimise F from w = 0.

    Parameters
    ----------
    threads : int or None
        None for one (see `dense.threads`).
    X : array of shape (n, p), C order, float64 or float32
    A : array of shape (n, p), uint16, written
        The copy of X in halves.
    y : array of shape (n,), float64, -1 and +1
    l2, tol : float; intercept : bool; max_iter : int
    budget : float
        Passes after which to return SLOW where many are left.
    w : array of shape (q,), float64, zero
        Becomes the solution; an intercept comes last.
    V : array of shape (8, n), float64; c : array of shape (n,), float32
    S, Y : arrays of shape (MEMORY, q), float32
    zoom, unzoom : arrays of shape (p,), float64
        What the columns of A were multiplied by, and the inverse.
    squares : array of shape (p,), float64, written
    counts : array of shape (4,), int64, added to
        Iterations, passes over the data, factors and products (none here).

    Returns
    -------
    status : int
    gap, value : float
        The certified gap and F, where the status is REACHED.
    """
    n, p = X.shape
    q = w.size
    m, s, h, r = V[0], V[1], V[2], V[3]
    dm, m_new, s_new, h_new = V[4], V[5], V[6], V[7]
    # w = X'a, d = X'da; pairs too have coefficients
    a, da = np.zeros(n), np.empty(n)
    S_a, Y_a = np.empty((MEMORY, n)), np.empty((MEMORY, n))
    g, d, Hv, z = np.zeros(q), np.zeros(q), np.zeros(q), np.zeros(q)
    base, inverse = np.zeros(q), np.zeros(q)
    data_grad, exact_part = np.empty(p), np.empty(p)
    v, part, u = np.empty(p, c.dtype), np.empty(p, c.dtype), np.empty(
        q, c.dtype
    )
    rho, alpha = np.empty((2, MEMORY), c.dtype)

    first_read_by(threads, X, y, True, A, zoom, data_grad, squares)
    row_norm = 0.0
    for j in range(p):
        if not squares[j] * zoom[j] * zoom[j] < LARGEST * LARGEST:
            return NEEDS_CARE, np.inf, np.inf
        row_norm += squares[j]
    row_norm = np.sqrt(row_norm / n)
    # A'r at zero, where r = -y / 2
    for i in range(n):
        m[i], s[i], h[i], r[i] = 0.0, 0.5, 0.25, 0.0
    change = gradient_change_by(threads, A, y, r, s, c, part, g[:p])
    for j in range(p):
        g[j] *= unzoom[j]
    counts[1] += 2
    total_h = 0.25 * n
    # the curvature along a row, where the others are orthogonal to it
    inverse[:p] = 1.0 / (0.25 * row_norm * row_norm + l2)
    if intercept:
        g[p] = change
        inverse[p] = 1.0 / total_h
    loss = n * np.log(2.0)
    gamma = 1.0
    pairs = 0
    first_gap = -1.0
    last = 0.0
    trusted = False
    best, aim = np.inf, tol
    # `loss` is a lower bound where margins come from A: the sum of weights
    while True:
        square, norm, moved, spread = 0.0, 0.0, 0.0, 0.0
        for j in range(p):
            square += g[j] * g[j]
            norm += w[j] * w[j]
            change = (w[j] - base[j]) ** 2
            moved += change
            spread += squares[j] * change
        gap = square / (2.0 * l2)
        value = loss + 0.5 * l2 * norm
        slope_b = g[p] * g[p] / total_h if intercept else 0.0
        total = gap + slope_b
        if not total < np.inf:
            return NEEDS_CARE, total, value
        if first_gap < 0.0:
            first_gap = total
        limit = counts[0] >= max_iter
        # a gap of rounding: w has left the rows of X, margins are wrong by
        # what X and A differ in since the last exact pass
        rounding = HALF * HALF * max(
            l2 * l2 * moved,
            row_norm * row_norm * dot(h, h) * spread / n,
        ) / (2.0 * l2)
        goal = max(0.8 * aim * value, rounding)
        near = limit or total <= goal
        if not near and counts[0] >= 2:
            left = np.log(total / (tol * value)) / max(
                np.log(first_gap / total) / counts[0], 1e-3
            )
            if counts[1] >= budget and left > 0.5 * budget:
                return SLOW, gap, value

        size = np.sqrt(square)
        if intercept:
            size = np.sqrt(square + g[p] * g[p])
        size = max(size, 1e-300)
        for j in range(q):
            u[j] = -g[j] / size
        for i in range(n):
            da[i] = y[i] * s[i] - l2 * a[i]
        # the coefficients go the way of the vector
        first = max(pairs - MEMORY, 0)
        before_inverse(u, S, Y, rho, alpha, pairs)
        for k in range(first, pairs):
            add(-size * alpha[k % MEMORY], Y_a[k % MEMORY], da)
        for j in range(q):
            u[j] *= gamma * inverse[j]
        for i in range(n):
            da[i] *= gamma * inverse[0]
        after_inverse(u, S, Y, rho, alpha, pairs)
        for k in range(first, pairs):
            add(size * alpha[k % MEMORY], S_a[k % MEMORY], da)
        slope, norm = 0.0, 0.0
        for j in range(q):
            d[j] = size * u[j]
            slope += g[j] * d[j]
            norm += d[j] * d[j]
        quadratic = l2 * (norm - d[p] * d[p] if intercept else norm)
        if not slope < 0.0 and not near:
            if pairs > 0:
                pairs = 0
                continue
            return NEEDS_CARE, gap, value

        # the exact pass is the next step, if that is likely to suffice
        step = 0.0
        if trusted and not near:
            expected = total / last * total
            step = 1.0 if expected <= max(rounding, goal / 3.0) else 0.0
        last = total
        if near or step > 0.0:
            for j in range(q):
                z[j] = w[j] + step * d[j]
            new_loss, new_grad_b = exact_gradient_by(
                threads, X, y, z[:p], z[p] if intercept else 0.0, m_new,
                s_new, h_new, r, exact_part, data_grad,
            )
            counts[1] += 1
            square, norm, new_slope = 0.0, 0.0, 0.0
            for j in range(p):
                value = data_grad[j] + l2 * z[j]
                square += value * value
                norm += z[j] * z[j]
                new_slope += value * d[j]
            new_total_h = 0.0
            for i in range(n):
                new_total_h += h_new[i]
            slope_b = 0.0
            if intercept:
                new_slope += new_grad_b * d[p]
                slope_b = new_grad_b * new_grad_b / new_total_h
            if step > 0.0 and not abs(new_slope) <= -0.5 * slope:
                trusted = False
                continue
            gap = square / (2.0 * l2)
            value = new_loss + 0.5 * l2 * norm
            counts[0] += step > 0.0
            total = gap + slope_b
            reached = gap <= 0.8 * aim * value and slope_b <= aim * value
            if intercept and (reached or limit):
                gap = balanced_gap(
                    X, y, z[:p], m_new, s_new, r, l2, exact_part, Hv[:p]
                )
                counts[1] += 1
                if reached and not gap <= tol * value:
                    # the dual point of a nearly exact intercept is far off
                    reached = False
                    aim *= 0.1
                    best = np.inf
            if reached or limit:
                w[:] = z
                return REACHED if reached else ITERATION_LIMIT, gap, value
            # each exact pass has to bring something
            if not total <= 0.1 * best:
                w[:] = z
                return NEEDS_CARE, total, value
            best = total

            # A'r at z, the margins being exact
            for i in range(n):
                a[i] += step * da[i]
                r[i] = l2 * y[i] * a[i] - s_new[i]
            dm[:] = 0.0
            Hv[:] = 0.0
            gradient_change_by(threads, A, y, r, dm, c, part, Hv[:p])
            moved = 0.0
            for j in range(p):
                new = Hv[j] * unzoom[j]
                Hv[j] = new - g[j]
                moved += Hv[j] * Hv[j]
                g[j] = new
                # out of the rows of A, and into those of X
                change = (new - data_grad[j]) / l2 - z[j]
                z[j] += change
                v[j] = change * unzoom[j]
            if intercept:
                Hv[p] = new_grad_b - g[p]
                moved += Hv[p] * Hv[p]
                g[p] = new_grad_b
            if step > 0.0:
                moved = np.sqrt(moved)
                scaled = add_pair(
                    1.0, d, Hv, moved, inverse, S, Y, rho, pairs
                )
                if scaled > 0.0:
                    k = pairs % MEMORY
                    for i in range(n):
                        S_a[k, i] = da[i] / moved
                        Y_a[k, i] = (
                            l2 * da[i] + y[i] * (s[i] - s_new[i])
                        ) / moved
                    gamma = scaled
                    pairs += 1
            w[:] = z
            along_by(threads, A, y, v, 0.0, 1.0, dm)
            for i in range(n):
                m[i] = m_new[i] + dm[i]
            loss, total_h = evaluate(m, s, h)
            Hv[:] = 0.0
            change = gradient_change_by(
                threads, A, y, s_new, s, c, part, Hv[:p]
            )
            counts[1] += 1
            for j in range(p):
                g[j] += Hv[j] * unzoom[j]
            if intercept:
                g[p] += change
            base[:] = w
            continue

        counts[0] += 1
        for j in range(p):
            v[j] = d[j] / size * unzoom[j]
        shift = d[p] / size if intercept else 0.0
        Hv[:] = 0.0
        t, found = 1.0, False
        # in the place of old weights, so that A'r comes out
        for i in range(n):
            r[i] = l2 * y[i] * (a[i] + da[i])
        if trusted:
            mass, _, after, _ = trial_by(
                threads, A, y, v, shift, size, t, m, r, dm, m_new, s_new,
                h_new, c, part, Hv[:p],
            )
            new_slope = slope + after + dot(s, dm) + quadratic
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
            for i in range(n):
                r[i] = l2 * y[i] * (a[i] + t * da[i])
                m[i] += t * dm[i]
            gradient_change_by(threads, A, y, r, s_new, c, part, Hv[:p])
        else:
            total_h = 0.0
            for i in range(n):
                m[i] = m_new[i]
                total_h += h_new[i]
        trusted = 0.6 < t < 1.6
        loss = mass
        counts[1] += 1
        moved = 0.0
        for j in range(p):
            w[j] += t * d[j]
            new = Hv[j] * unzoom[j]
            Hv[j] = new - g[j]
            moved += Hv[j] * Hv[j]
            g[j] = new
        if intercept:
            w[p] += t * d[p]
            new = -dot(y, s_new)
            Hv[p] = new - g[p]
            moved += Hv[p] * Hv[p]
            g[p] = new
        moved = np.sqrt(moved)
        scaled = add_pair(t, d, Hv, moved, inverse, S, Y, rho, pairs)
        if scaled < 0.0:
            return NEEDS_CARE, gap, value
        if scaled > 0.0:
            k = pairs % MEMORY
            for i in range(n):
                S_a[k, i] = t * da[i] / moved
                Y_a[k, i] = (
                    l2 * t * da[i] + y[i] * (s[i] - s_new[i])
                ) / moved
            gamma = scaled
            pairs += 1
        for i in range(n):
            a[i] += t * da[i]
        s, s_new = s_new, s
        h, h_new = h_new, h
