r"""Descent on a packed sparse matrix: L-BFGS, then Newton by CG.

Every iteration takes a direction d, one search along it on the margins, and
one product with X' for the *change* of the gradient,

    g(w + t d) = g(w) - X' (y * (s_new - s_old)) + lambda2 t d,

whose rounding is relative to the change, not to the gradient: where the
entries of X had to be rounded to float32, g keeps seven digits of its largest
change, and a gradient from X itself is needed only when g falls to that
noise.

L-BFGS starts: exact searches, memory 6, its initial matrix the inverse of
H's diagonal. From a zero start it takes about half of the passes that Newton
by CG takes, because nothing is solved on a Hessian that is about to change.
Where the end takes many iterations the conjugate directions of CG on the
fixed Hessian are better than six pairs, so it is Newton by CG that finishes,
solving no more exactly than the quadratic model predicted last time
(S. C. Eisenstat and H. F. Walker, "Choosing the forcing terms in an inexact
Newton method", SIAM J. Sci. Comput. 17(1), 1996, doi:10.1137/0917003).
"""
import numpy as np

from ...compilation import LOOPS, njit
from ...linalg.csr import gather, scatter
from ...line_search import search
from .directions import (
    largest,
    lbfgs_direction,
    newton_direction,
)
from .point import diagonal

# why `descend` returned
CLOSE, NOISY, SLOW, LIMIT, STUCK = 0, 1, 2, 3, 4
# Pairs of L-BFGS, more where they cost little beside X
FEWEST_PAIRS, MOST_PAIRS = 6, 16
# L-BFGS at least so long, at most so long
_AT_LEAST, _AT_MOST = 40, 60
# The diagonal is renewed after some iterations, if h changed by this share
_CHANGED = 0.1


@njit
def changed(h, h_then):
    """Sum of |h - h_then| as a share of the sum of h_then."""
    change = 0.0
    total = 0.0
    for i in range(h.size):
        change += abs(h[i] - h_then[i])
        total += h_then[i]
    return change / total if total > 0.0 else 1.0


@njit(fastmath=LOOPS)
def descend(
    A, exact, y, l2, intercept, tol, budget, max_iter, w, g, M, V, inverse,
    factor, S, Y, rho, state, counts,
):
    """Iterate until the gap seems reached or something else is needed.

    Parameters
    ----------
    A : tuple, packed matrix of n rows and p columns
    exact : bool
        No entry of A was rounded.
    y : array of shape (n,), float64
    l2, tol : float; intercept : bool
    budget : float
        Passes over A after which to return SLOW.
    max_iter : int
        Iterations in all, counted in counts[0].
    w, g : arrays of shape (p + 1,), float64, updated
        The intercept, and its derivative, come last.
    M : array of shape (9, n), float64
        Margins, weights and curvatures, updated; then h at `inverse`; then
        work space.
    V : array of shape (6, p + 1), float64
        Work space.
    inverse : array of shape (p + 1,), float64, updated
        The inverse of H's diagonal.
    factor : tuple, see `linalg.sparse_cholesky`
        Used instead of the diagonal unless it is empty.
    S, Y : arrays of shape (k, p + 1), float32; rho : (k,)
        The last k pairs.
    state : array of shape (6,), float64, updated
        A value not above F, the noise of g, sum of h; pairs stored,
        iterations of L-BFGS, 1 where Newton has taken over.
    counts : array of shape (4,), float64, added to
        Iterations, passes over A, products in CG, factors.

    Returns
    -------
    int
        CLOSE, NOISY, SLOW, LIMIT or STUCK.
    """
    n, p = y.size, g.size - 1
    m, s, h, h_then, s_new, h_new = M[0], M[1], M[2], M[3], M[4], M[5]
    dm, products, scaled = M[6], M[7], M[8]
    d, r, v, Hv, z, rest = V[0], V[1], V[2], V[3], V[4], V[5]
    alpha = np.empty_like(rho)
    # rounding of entries of either sign averages out: 3e-8 is the measured
    # error of the change of g where all were rounded
    unit = 1e-15 if exact else 3e-8
    started = counts[1]
    factored = factor[0].size > 0
    old_norm = -1.0
    model_norm = 0.0
    guess = 1.0
    while True:
        square = 0.0
        for j in range(p):
            square += g[j] * g[j]
        gap = square / (2.0 * l2)
        value = state[0]
        scale = largest(g)
        if gap <= 0.8 * tol * value and (
            not intercept or g[p] * g[p] <= tol * value * state[2]
        ):
            return CLOSE
        if not np.sqrt(square + g[p] * g[p]) > 10.0 * state[1]:
            return NOISY
        if counts[0] >= max_iter:
            return LIMIT
        if counts[1] - started >= budget:
            return SLOW
        counts[0] += 1
        newton = state[5] > 0.0
        if not newton:
            k = state[4]
            if (
                not factored and (k == 3 or k == 8 or k == 16 or k == 30)
                and changed(h, h_then) > _CHANGED
            ):
                diagonal(A, h, l2, intercept, inverse, h_then)
                counts[1] += 0.5
            for j in range(p + 1):
                d[j] = -g[j] / scale
            pairs = int(state[3])
            lbfgs_direction(
                S, Y, rho, alpha, min(pairs, rho.size), pairs % rho.size,
                factor, intercept, inverse, d,
            )
            slope = 0.0
            for j in range(p + 1):
                d[j] *= scale
                slope += g[j] * d[j]
            state[4] += 1
            newton = (
                state[4] > _AT_MOST
                or (state[4] > _AT_LEAST and -0.5 * slope < 1e-3 * value)
                or not slope < 0.0
            )
            if not newton:
                gather(A, 0, n, d, d[p], dm)
                counts[1] += 0.5
        if newton:
            state[5] = guess = 1.0
            if not factored:
                diagonal(A, h, l2, intercept, inverse, h_then)
            norm = 0.0
            for j in range(p + 1):
                norm += g[j] * g[j] * inverse[j]
            norm = np.sqrt(norm)
            forcing = 0.1
            if old_norm > 0.0:
                forcing = max(abs(norm - model_norm) / old_norm, 1e-3)
            forcing = max(forcing, 0.3 * np.sqrt(tol * value / gap))
            forcing = min(forcing, 0.5)
            limit = int(max(1.0, min(500.0, started + budget - counts[1])))
            done = newton_direction(
                A, h, l2, intercept, factor, inverse, g, forcing, limit, d, r,
                z, v, Hv, rest, dm, products, scaled,
            )
            counts[1] += done + 0.5
            counts[2] += done
            slope = 0.0
            for j in range(p + 1):
                slope += g[j] * d[j]
            if not slope < 0.0:
                return NOISY if state[1] > 0.0 else STUCK
        quadratic = 0.0
        for j in range(p):
            quadratic += d[j] * d[j]
        for i in range(n):
            dm[i] *= y[i]
        t, mass, total_h = search(
            m, dm, s, (slope, l2 * quadratic), 0.1, s_new, h_new, guess
        )
        if not t > 0.0:
            return NOISY if state[1] > 0.0 else STUCK
        # steps of L-BFGS are alike; after the first pairs
        guess = 1.0
        if not newton and state[3] > 2.0:
            guess = min(max(t, 0.3), 1.2)
        total = 0.0
        for i in range(n):
            c = y[i] * (s[i] - s_new[i])
            total += c
            scaled[i] = c
            m[i] += t * dm[i]
            s[i] = s_new[i]
            h[i] = h_new[i]
        Hv[:] = 0.0
        scatter(A, 0, n, scaled, Hv)
        counts[1] += 0.5
        change = 0.0
        norm = 0.0
        for j in range(p):
            w[j] += t * d[j]
            norm += w[j] * w[j]
            Hv[j] += l2 * t * d[j]
            change += Hv[j] * Hv[j]
            g[j] += Hv[j]
        if intercept:
            Hv[p] = total
            w[p] += t * d[p]
            g[p] += total
        state[0] = mass + 0.5 * l2 * norm
        state[1] += unit * np.sqrt(change + Hv[p] * Hv[p])
        state[2] = total_h
        if newton:
            # the residual that the model predicts at t
            model_norm = 0.0
            old_norm = 0.0
            for j in range(p + 1):
                before = g[j] - Hv[j]
                predicted = (1.0 - t) * before - t * r[j]
                model_norm += predicted * predicted * inverse[j]
                old_norm += before * before * inverse[j]
            model_norm = np.sqrt(model_norm)
            old_norm = np.sqrt(old_norm)
            continue
        # a pair, divided by the largest change, so that float32 holds it
        size = largest(Hv)
        if not size > 0.0:
            return NOISY if state[1] > 0.0 else STUCK
        k = int(state[3]) % rho.size
        curved = 0.0
        for j in range(p + 1):
            S[k, j] = t * d[j] / size
            Y[k, j] = Hv[j] / size
            curved += np.float64(S[k, j]) * Y[k, j]
        if curved > 0.0:
            rho[k] = 1.0 / curved
            state[3] += 1
