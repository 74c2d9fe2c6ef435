r"""Descent on a packed sparse matrix: L-BFGS, then Newton by CG.

Every iteration takes a direction d, one search along it on the margins, and
one product with X' for the *change* of the gradient,

    g(w + t d) = g(w) - X' (y * (s_new - s_old)) + lambda2 t d,

whose rounding is relative to the change, not to the gradient: where the
entries of X had to be rounded to float32, g keeps seven digits of its largest
change, and a gradient from X itself is needed only when g falls to that
noise.

L-BFGS starts: exact searches, its initial matrix the inverse of H's diagonal
or a factor of H. From a zero start it takes about half of the passes that
Newton by CG takes, because nothing is solved on a Hessian that is about to
change. Where the end takes many iterations the conjugate directions of CG on
the fixed Hessian are better than a few pairs, so it is Newton by CG that
finishes, solving no more exactly than the quadratic model predicted last time
(S. C. Eisenstat and H. F. Walker, "Choosing the forcing terms in an inexact
Newton method", SIAM J. Sci. Comput. 17(1), 1996, doi:10.1137/0917003).

Both kernels take

A : tuple, packed matrix of n rows and p columns
given : tuple (y, l2, intercept, unit), see `state.Problem`
stop : tuple (tol, end, max_iter)
    Relative gap, passes in all after which to return SLOW, iterations in all.
x : tuple (w, g, V, M), float64, updated
    Coefficients and gradient, of p + 1 entries, the intercept last; arrays of
    shapes (6, p + 1) and (9, n), of which the first three rows of M are the
    margins, weights and curvatures at w, the fourth the curvatures of which
    `inverse` was made, all else is work space.
scaling : tuple (inverse, factor)
    The inverse of H's diagonal, of p + 1 entries, updated; a factor, see
    `linalg.sparse_cholesky`, which is used instead, or None.
state : record of `state.STATE`, updated

and return REACHED, where the gap seems reached, NOISY, SLOW, ITERATION_LIMIT
or FLOAT64_LIMIT.
"""
import numpy as np

from ...compilation import LOOPS, njit
from ...lbfgs import Pairs, add_pair, after_inverse, before_inverse
from ...linalg.csr import gather, scatter
from ...line_search import search
from ...result import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    NEEDS_CARE,
    NOISY,
    REACHED,
    SLOW,
)
from .directions import diagonal, largest, newton_direction, precondition
from .state import Point, Problem

# L-BFGS takes at least so many iterations before Newton, and at most
_AT_LEAST, _AT_MOST = 40, 60
# The diagonal is renewed after some iterations, if h changed by this share
_CHANGED = 0.1
# Products of one direction of Newton at most
_PRODUCTS = 500.0
_GO_ON = -2


@njit
def changed(h, h_then):
    """Return the sum of |h - h_then| as a share of the sum of h_then."""
    change = 0.0
    total = 0.0
    for i in range(h.size):
        change += abs(h[i] - h_then[i])
        total += h_then[i]
    return change / total if total > 0.0 else 1.0


@njit
def _point_of(x):
    """Name the arrays of x."""
    w, g, V, M = x
    return Point(
        w, g, V[0], V[1], M[0], M[1], M[2], M[3], M[4], M[5], M[6], M[7], M[8]
    )


@njit(fastmath=LOOPS)
def _ending(g, problem, stop, state):
    """Tell why to stop here, or _GO_ON; and the gap by the gradient."""
    tol, end, max_iter = stop
    p = g.size - 1
    square = 0.0
    for j in range(p):
        square += g[j] * g[j]
    gap = square / (2.0 * problem.l2)
    last = g[p] * g[p]
    if gap <= 0.8 * tol * state.value and (
        not problem.intercept or last <= tol * state.value * state.curvature
    ):
        return REACHED, gap
    if not np.sqrt(square + last) > 10.0 * state.noise:
        return NOISY, gap
    if state.iterations >= max_iter:
        return ITERATION_LIMIT, gap
    return SLOW if state.passes >= end else _GO_ON, gap


@njit
def _stuck(state):
    """Tell why there is no progress: the gradient's noise, or float64."""
    return NOISY if state.noise > 0.0 else FLOAT64_LIMIT


@njit(fastmath=LOOPS)
def _advance(A, problem, point, slope, guess, state):
    """Search along d and move there; return the step, 0.0 without one.

    Parameters
    ----------
    A : tuple; problem : Problem; point : Point; state : record
    slope : float
        g'd, negative.
    guess : float
        The first step to try.
    """
    y, l2 = problem.y, problem.l2
    w, g, d, change = point.w, point.g, point.d, point.change
    m, s, h, dm = point.m, point.s, point.h, point.dm
    n, p = y.size, g.size - 1
    quadratic = 0.0
    for j in range(p):
        quadratic += d[j] * d[j]
    for i in range(n):
        dm[i] *= y[i]
    t, mass, state.curvature = search(
        m, dm, s, (slope, l2 * quadratic), 0.1, point.s_new, point.h_new,
        guess,
    )
    if not t > 0.0:
        return 0.0
    total = 0.0
    for i in range(n):
        c = y[i] * (s[i] - point.s_new[i])
        total += c
        point.scaled[i] = c
        m[i] += t * dm[i]
        s[i] = point.s_new[i]
        h[i] = point.h_new[i]
    change[:] = 0.0
    scatter(A, 0, n, point.scaled, change)
    state.passes += 0.5
    square = 0.0
    norm = 0.0
    for j in range(p):
        w[j] += t * d[j]
        norm += w[j] * w[j]
        change[j] += l2 * t * d[j]
        square += change[j] * change[j]
        g[j] += change[j]
    if problem.intercept:
        change[p] = total
        w[p] += t * d[p]
        g[p] += total
    state.value = mass + 0.5 * l2 * norm
    state.noise += problem.unit * np.sqrt(square + change[p] * change[p])
    return t


@njit(fastmath=LOOPS)
def lbfgs(A, given, stop, x, scaling, pairs, state):
    """Descend by L-BFGS; NEEDS_CARE where Newton is to go on.

    Parameters
    ----------
    pairs : tuple (S, Y, rho, alpha), see `lbfgs.Pairs`
    """
    y, l2, intercept, unit = given
    problem = Problem(y, l2, intercept, unit)
    point = _point_of(x)
    inverse, factor = scaling
    S, Y, rho, alpha = pairs
    kept = Pairs(S, Y, rho, alpha)
    g, d = point.g, point.d
    p = g.size - 1
    # steps of L-BFGS are alike, after the first pairs
    guess = 1.0
    while True:
        status, _ = _ending(g, problem, stop, state)
        if status != _GO_ON:
            return status
        k = state.steps
        if (
            factor is None and (k == 3 or k == 8 or k == 16 or k == 30)
            and changed(point.h, point.h_then) > _CHANGED
        ):
            diagonal(A, point.h, l2, intercept, inverse, point.h_then)
            state.passes += 0.5
        scale = largest(g)
        for j in range(p + 1):
            d[j] = -g[j] / scale
        before_inverse(d, kept, state.pairs)
        precondition(inverse, factor, intercept, d)
        after_inverse(d, kept, state.pairs)
        slope = 0.0
        for j in range(p + 1):
            d[j] *= scale
            slope += g[j] * d[j]
        state.steps += 1
        if (
            state.steps > _AT_MOST
            or (state.steps > _AT_LEAST and -0.5 * slope < 1e-3 * state.value)
            or not slope < 0.0
        ):
            return NEEDS_CARE
        state.iterations += 1
        gather(A, 0, y.size, d, d[p], point.dm)
        state.passes += 0.5
        t = _advance(A, problem, point, slope, guess, state)
        if not t > 0.0:
            return _stuck(state)
        if state.pairs > 2:
            guess = min(max(t, 0.3), 1.2)
        scale = add_pair(t, d, point.change, inverse, kept, state.pairs)
        if scale < 0.0:
            return _stuck(state)
        state.pairs += scale > 0.0


@njit(fastmath=LOOPS)
def newton(A, given, stop, x, scaling, state):
    """Descend by Newton's method with conjugate gradients."""
    y, l2, intercept, unit = given
    problem = Problem(y, l2, intercept, unit)
    point = _point_of(x)
    inverse, factor = scaling
    g, d, V = point.g, point.d, x[2][2:]
    r = V[0]
    tol, end, _ = stop
    old_norm = -1.0
    model_norm = 0.0
    while True:
        status, gap = _ending(g, problem, stop, state)
        if status != _GO_ON:
            return status
        state.iterations += 1
        if factor is None:
            diagonal(A, point.h, l2, intercept, inverse, point.h_then)
        norm = 0.0
        for j in range(g.size):
            norm += g[j] * g[j] * inverse[j]
        norm = np.sqrt(norm)
        forcing = 0.1
        if old_norm > 0.0:
            forcing = max(abs(norm - model_norm) / old_norm, 1e-3)
        forcing = max(forcing, 0.3 * np.sqrt(tol * state.value / gap))
        forcing = min(forcing, 0.5)
        limit = int(max(1.0, min(_PRODUCTS, end - state.passes)))
        done = newton_direction(
            A, problem, point, scaling, forcing, limit, V
        )
        state.passes += done + 0.5
        state.products += done
        slope = 0.0
        for j in range(g.size):
            slope += g[j] * d[j]
        if not slope < 0.0:
            return _stuck(state)
        t = _advance(A, problem, point, slope, 1.0, state)
        if not t > 0.0:
            return _stuck(state)
        # the residual that the model predicts at t
        model_norm = 0.0
        old_norm = 0.0
        for j in range(g.size):
            before = g[j] - point.change[j]
            predicted = (1.0 - t) * before - t * r[j]
            model_norm += predicted * predicted * inverse[j]
            old_norm += before * before * inverse[j]
        model_norm = np.sqrt(model_norm)
        old_norm = np.sqrt(old_norm)
