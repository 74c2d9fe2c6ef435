r"""Newton's method in float64 on all rows, for what defeats `dense.descent`.

Every iteration: gradient, curvature, a Cholesky factor of the whole Hessian
(or its diagonal, where it is too large), a direction from :math:`H d = -g` by
conjugate gradients on that factor, which repair what rounding did to it, and
a step length on the margins.
"""
import numpy as np

from ..compilation import LOOPS, njit
from ..datafits.margins import exact_step
from ..linalg.cholesky import factorize, solve
from ..linalg.gram import weighted_gram
from .dense.products import (
    along,
    balanced_gap,
    exact_gradient,
    hessian_product,
)
from .small.descent import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
)

# Iterations without progress that are waited for
_PATIENCE = 10
# Products of one direction at most, with a factor and without
_MOST, _MOST_DIAGONAL = 60, 500


@njit(fastmath=LOOPS)
def _diagonal(X, h, ridge, inverse):
    """inverse = 1 / diag(X' diag(h) X + ridge), a column of ones last."""
    p = X.shape[1]
    inverse[:] = ridge
    for i in range(X.shape[0]):
        for j in range(p):
            inverse[j] += h[i] * X[i, j] * X[i, j]
        for j in range(p, inverse.size):
            inverse[j] += h[i]
    for j in range(inverse.size):
        inverse[j] = 1.0 / inverse[j] if inverse[j] > 0.0 else 0.0


@njit(fastmath=LOOPS)
def newton(
    X, y, l2, intercept, tol, max_iter, direct, w, V, rows, panel, C, L,
    scale, counts,
):
    """Minimise F from w.

    Parameters
    ----------
    X : array of shape (n, p), C order, float64
    y : array of shape (n,), float64, -1 and +1
    l2, tol : float; intercept : bool; max_iter : int
    direct : bool
        Factorize the Hessian.
    w : array of shape (q,), float64
        The start, becomes the solution; an intercept comes last.
    V : array of shape (7, n), float64; rows : array of shape (n,), int64
    panel, C, L : arrays, float64
        Of `weighted_gram` and `factorize`; empty where not `direct`.
    scale : array of shape (q,), float64
    counts : array of shape (4,), int64, added to
        Iterations, passes over the data, Gram matrices, products in CG.

    Returns
    -------
    status : int
    gap, value : float
        The certified gap and F.
    """
    n, p = X.shape
    q = w.size
    m, dm, s, h = V[0], V[1], V[2], V[3]
    r, products, roots = V[4], V[5], V[6]
    g, d, res = np.empty(q), np.empty(q), np.empty(q)
    z, step, ridge = np.empty(q), np.empty(q), np.zeros(q)
    work, data_grad, part, Hv = (
        np.empty(q), np.empty(p), np.empty(p), np.empty(q)
    )
    ridge[:p] = l2
    for i in range(n):
        rows[i] = i
    best, best_value, worse = np.inf, np.inf, 0
    last_decrement = np.inf
    status = ITERATION_LIMIT
    while True:
        loss, grad_b = exact_gradient(
            X, y, w[:p], w[p] if intercept else 0.0, m, s, h, r, part,
            data_grad,
        )
        counts[1] += 1
        gap = 0.0
        norm = 0.0
        for j in range(p):
            g[j] = data_grad[j] + l2 * w[j]
            gap += g[j] * g[j]
            norm += w[j] * w[j]
        gap /= 2.0 * l2
        value = loss + 0.5 * l2 * norm
        if intercept:
            g[p] = grad_b
        total = gap + (grad_b * grad_b if intercept else 0.0)
        if gap <= tol * value:
            if intercept:
                gap = balanced_gap(X, y, w[:p], m, s, r, l2, part, data_grad)
                counts[1] += 1
            if gap <= tol * value:
                status = REACHED
                break
        # a stall: neither the gap nor the value falls
        if total < 0.5 * best or value < 0.99 * best_value:
            worse = 0
        else:
            worse += 1
            if worse == _PATIENCE:
                status = FLOAT64_LIMIT
                break
        best = min(best, total)
        best_value = min(best_value, value)
        if counts[0] >= max_iter:
            break
        counts[0] += 1

        if direct:
            for i in range(n):
                roots[i] = np.sqrt(h[i])
            weighted_gram(X, p, roots, rows, n, intercept, panel, C)
            counts[2] += 1
            if factorize(C, q, ridge, scale, L) < 0.0:
                status = FLOAT64_LIMIT
                break
        else:
            _diagonal(X, h, ridge, scale)
            counts[1] += 1

        for j in range(q):
            d[j] = 0.0
            res[j] = -g[j]
        if direct:
            solve(L, scale, res, work, z)
        else:
            z[:] = scale * res
        rz = 0.0
        for j in range(q):
            step[j] = z[j]
            rz += res[j] * z[j]
        decrement = 0.0
        # CG is as exact as the quadratic model is, no more; and no more than
        # the certificate still asks for
        forcing = min(0.1, max(
            0.5 * np.sqrt(min(last_decrement / value, 1.0)),
            0.1 * tol * value / max(gap, 1e-300),
        ))
        forcing = max(forcing, 1e-3)
        for k in range(_MOST if direct else _MOST_DIAGONAL):
            Hv[:] = 0.0
            Hb = hessian_product(
                X, step[:p], step[p] if intercept else 0.0, h, products, r,
                part, Hv[:p],
            )
            counts[1] += 1
            counts[3] += 1
            if intercept:
                Hv[p] = Hb
            curved = 0.0
            for j in range(q):
                Hv[j] += ridge[j] * step[j]
                curved += step[j] * Hv[j]
            if not curved > 0.0:
                break
            a = rz / curved
            for j in range(q):
                d[j] += a * step[j]
                res[j] -= a * Hv[j]
            drop = 0.5 * a * rz
            decrement += drop
            if direct:
                solve(L, scale, res, work, z)
            else:
                z[:] = scale * res
            previous = rz
            rz = 0.0
            for j in range(q):
                rz += res[j] * z[j]
            if direct:
                done = 0.5 * rz * a <= forcing * decrement
            else:
                done = drop * (k + 1) <= forcing * decrement
            if done or not rz > 0.0:
                break
            for j in range(q):
                step[j] = z[j] + rz / previous * step[j]
        last_decrement = decrement

        linear = 0.0
        quadratic = 0.0
        for j in range(p):
            linear += l2 * w[j] * d[j]
            quadratic += l2 * d[j] * d[j]
        along(X, y, d[:p], d[p] if intercept else 0.0, 1.0, dm)
        counts[1] += 1
        t = exact_step(m, dm, linear, quadratic, 0.1)
        if not t > 0.0:
            status = FLOAT64_LIMIT
            break
        for j in range(q):
            w[j] += t * d[j]
    if status != REACHED and intercept:
        # report what can be certified where it stopped
        gap = balanced_gap(X, y, w[:p], m, s, r, l2, part, data_grad)
        counts[1] += 1
    return status, gap, value
