"""Directions of a sparse fit: L-BFGS, and Newton by conjugate gradients."""
import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import add, dot
from ...linalg.csr import gather, hessian_product
from ...linalg.sparse_cholesky import solve

# In CG, rows whose curvature is below this share of the largest add to the
# diagonal of H only; if that leaves out enough of them
_INACTIVE, _WORTH = 0.003, 0.8
_1 = np.uint64(1)


@njit(fastmath=LOOPS)
def largest(a):
    total = 0.0
    for j in range(a.size):
        total = max(total, abs(np.float64(a[j])))
    return total


@njit
def _precondition(factor, intercept, inverse, d):
    if factor[0].size > 0:
        solve(factor, intercept, d)
    else:
        for j in range(d.size):
            d[j] *= inverse[j]


@njit
def lbfgs_direction(
    S, Y, rho, alpha, count, head, factor, intercept, inverse, d
):
    """d, which holds -g, becomes minus the L-BFGS matrix times g."""
    memory = rho.size
    for k in range(count):
        i = (head - 1 - k) % memory
        alpha[i] = rho[i] * dot(S[i], d)
        add(-alpha[i], Y[i], d)
    _precondition(factor, intercept, inverse, d)
    for k in range(count - 1, -1, -1):
        i = (head - 1 - k) % memory
        add(alpha[i] - rho[i] * dot(Y[i], d), S[i], d)


@njit
def _matter(A, h):
    """(rows, entries) whose curvature counts in CG, all or much fewer."""
    starts = A[2]
    least = _INACTIVE * largest(h)
    count = 0
    entries = np.uint64(0)
    for i in range(np.uint64(h.size)):
        if h[i] > least:
            count += 1
            entries += starts[i + _1] - starts[i]
    if entries > _WORTH * A[0].size:
        return h.size, A[0].size
    return count, np.int64(entries)


@njit
def _divide(A, h, part, curvature, rest):
    """Copy the rows that count to `part`, their h to `curvature`.

    The others add to the diagonal of H only, `rest`; returns the sum of
    their h.
    """
    data, indices, starts = A
    values, columns, places = part
    least = _INACTIVE * largest(h)
    total = 0.0
    count = np.uint64(0)
    place = np.uint64(0)
    for i in range(np.uint64(h.size)):
        if h[i] > least:
            places[count] = place
            curvature[count] = h[i]
            count += _1
            for e in range(starts[i], starts[i + _1]):
                values[place] = data[e]
                columns[place] = indices[e]
                place += _1
        else:
            weight = h[i]
            total += weight
            for e in range(starts[i], starts[i + _1]):
                value = np.float64(data[e])
                rest[indices[e]] += weight * value * value
    places[count] = place
    return total


@njit(fastmath=LOOPS)
def _conjugate_gradients(
    B, h, l2, intercept, outside, factor, inverse, g, forcing, limit, d, r,
    z, v, Hv, rest, dm, products, scaled
):
    """CG on (B' diag(h) B + lambda2 I + rest) d = -g; dm += B d.

    Returns the products.
    """
    p = g.size - 1
    rz = 0.0
    for j in range(p + 1):
        d[j] = 0.0
        r[j] = -g[j]
        v[j] = r[j]
    _precondition(factor, intercept, inverse, v)
    for j in range(p + 1):
        rz += r[j] * v[j]
    goal = forcing * forcing * rz
    for k in range(limit):
        Hv[:] = 0.0
        total = hessian_product(B, v, v[p], h, Hv, products, scaled)
        curved = 0.0
        for j in range(p):
            Hv[j] += (l2 + rest[j]) * v[j]
            curved += v[j] * Hv[j]
        if intercept:
            Hv[p] = total + outside * v[p]
            curved += v[p] * Hv[p]
        if not curved > 0.0:
            return k + 1
        a = rz / curved
        previous = rz
        rz = 0.0
        for j in range(p + 1):
            d[j] += a * v[j]
            r[j] -= a * Hv[j]
            z[j] = r[j]
        _precondition(factor, intercept, inverse, z)
        for j in range(p + 1):
            rz += r[j] * z[j]
        for i in range(h.size):
            dm[i] += a * products[i]
        if not rz > goal:
            return k + 1
        b = rz / previous
        for j in range(p + 1):
            v[j] = z[j] + b * v[j]
    return limit


@njit
def newton_direction(
    A, h, l2, intercept, factor, inverse, g, forcing, limit, d, r, z, v, Hv,
    rest, dm, products, scaled
):
    """CG on H d = -g until the residual, in the norm of the preconditioner,
    is `forcing` times the first; dm = A d, without labels. r, z, v, Hv, rest
    are work space; r holds the residual after. Returns the passes."""
    n, p = h.size, g.size - 1
    count, entries = _matter(A, h)
    rest[:] = 0.0
    dm[:] = 0.0
    if count == n:
        return float(_conjugate_gradients(
            A, h, l2, intercept, 0.0, factor, inverse, g, forcing, limit, d,
            r, z, v, Hv, rest, dm, products, scaled
        ))
    part = (
        np.empty(entries, A[0].dtype), np.empty(entries, np.uint32),
        np.empty(count + 1, np.uint64),
    )
    curvature = np.empty(count)
    outside = _divide(A, h, part, curvature, rest)
    done = _conjugate_gradients(
        part, curvature, l2, intercept, outside, factor, inverse, g, forcing,
        limit, d, r, z, v, Hv, rest, dm, products, scaled
    )
    gather(A, 0, n, d, d[p], dm)
    return done * entries / A[0].size + 0.5
