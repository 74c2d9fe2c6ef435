"""Directions of a sparse fit: scaled, and Newton by conjugate gradients."""
import numpy as np

from ...compilation import LOOPS, njit
from ...linalg.csr import gather, hessian_product, scatter_squares
from ...linalg.sparse_cholesky import solve
from .state import Hessian

# In CG, rows whose curvature is below this share of the largest add to the
# diagonal of H only
_INACTIVE = 0.003
# if that leaves out so many entries that at most this share remains
_WORTH = 0.8
_1 = np.uint64(1)


@njit(fastmath=LOOPS)
def largest(a):
    """Return the largest absolute value of an array."""
    total = 0.0
    for j in range(a.size):
        total = max(total, abs(np.float64(a[j])))
    return total


@njit
def diagonal(A, h, l2, intercept, inverse, h_then):
    """Fill the inverse of H's diagonal, of p + 1 entries; keep h in h_then."""
    p = inverse.size - 1
    inverse[:] = 0.0
    scatter_squares(A, h, inverse)
    total = 0.0
    for i in range(h.size):
        h_then[i] = h[i]
        total += h[i]
    for j in range(p):
        inverse[j] = 1.0 / (inverse[j] + l2)
    # where all margins are huge, 1 / total is no step for an intercept
    least = 1e-8 * h.size
    inverse[p] = 1.0 / max(total, least) if intercept else 0.0


@njit
def precondition(inverse, factor, intercept, d):
    """Multiply d by the inverse of H's diagonal, or of H by a factor.

    For None as `factor` nothing of a factor is compiled.
    """
    if factor is None:
        for j in range(d.size):
            d[j] *= inverse[j]
    else:
        solve(factor, intercept, d)


@njit
def _divide(A, h, ridge):
    """Copy the rows that matter in CG, if they are few, and their h.

    The others add to the diagonal of H only, `ridge`, the sum of their h to
    its last entry. Where all count, A and h are returned.
    """
    data, indices, starts = A
    least = _INACTIVE * largest(h)
    count = 0
    entries = np.uint64(0)
    for i in range(np.uint64(h.size)):
        if h[i] > least:
            count += 1
            entries += starts[i + _1] - starts[i]
    if entries > _WORTH * data.size:
        return A, h
    values, columns = np.empty(entries, data.dtype), np.empty(
        entries, np.uint32
    )
    places, curvature = np.zeros(count + 1, np.uint64), np.empty(count)
    k = place = np.uint64(0)
    for i in range(np.uint64(h.size)):
        if h[i] > least:
            curvature[k] = h[i]
            for e in range(starts[i], starts[i + _1]):
                values[place] = data[e]
                columns[place] = indices[e]
                place += _1
            k += _1
            places[k] = place
        else:
            ridge[ridge.size - 1] += h[i]
            for e in range(starts[i], starts[i + _1]):
                value = np.float64(data[e])
                ridge[indices[e]] += h[i] * value * value
    return (values, columns, places), curvature


@njit(fastmath=LOOPS)
def _conjugate_gradients(H, scaling, forcing, limit, V, point):
    """Solve H d = -g by CG; add B d to dm.

    Parameters
    ----------
    H : Hessian
    scaling : tuple (inverse, factor)
    forcing : float
        The residual to reach, in the norm of the preconditioner, as a share
        of the first.
    limit : int
        Products at most.
    V : array of shape (3, p + 1)
        The residual, written; work space.
    point : Point
        d and dm are written; `change`, `products` and `scaled` are work
        space.

    Returns
    -------
    int
        The products.
    """
    inverse, factor = scaling
    r, v, z = V[0], V[1], V[2]
    g, d, Hv = point.g, point.d, point.change
    p = g.size - 1
    rz = 0.0
    for j in range(p + 1):
        d[j] = 0.0
        r[j] = -g[j]
        v[j] = r[j]
    precondition(inverse, factor, H.intercept, v)
    for j in range(p + 1):
        rz += r[j] * v[j]
    goal = forcing * forcing * rz
    for k in range(limit):
        Hv[:] = 0.0
        total = hessian_product(
            H.rows, v, v[p], H.h, Hv, point.products, point.scaled
        )
        Hv[p] = total if H.intercept else 0.0
        curved = 0.0
        for j in range(p + 1):
            Hv[j] += H.ridge[j] * v[j]
            curved += v[j] * Hv[j]
        if not curved > 0.0:
            return k + 1
        a = rz / curved
        previous = rz
        rz = 0.0
        for j in range(p + 1):
            d[j] += a * v[j]
            r[j] -= a * Hv[j]
            z[j] = r[j]
        precondition(inverse, factor, H.intercept, z)
        for j in range(p + 1):
            rz += r[j] * z[j]
        for i in range(H.h.size):
            point.dm[i] += a * point.products[i]
        if not rz > goal:
            return k + 1
        b = rz / previous
        for j in range(p + 1):
            v[j] = z[j] + b * v[j]
    return limit


@njit
def newton_direction(A, problem, point, scaling, forcing, limit, V):
    """Solve H d = -g so far that the residual is `forcing` of the first.

    Parameters
    ----------
    A : tuple, packed matrix
    problem : Problem
    point : Point
        d, and dm = A d without labels, are written.
    scaling, forcing, limit : see `_conjugate_gradients`
    V : array of shape (4, p + 1)
        The residual, written; work space.

    Returns
    -------
    float
        The passes over A that the products took.
    """
    n, p = point.h.size, point.g.size - 1
    ridge = V[3]
    ridge[:p] = problem.l2
    ridge[p] = 0.0
    point.dm[:] = 0.0
    rows, h = _divide(A, point.h, ridge)
    H = Hessian(rows, h, ridge, problem.intercept)
    done = float(_conjugate_gradients(H, scaling, forcing, limit, V, point))
    if h.size == n:
        return done
    gather(A, 0, n, point.d, point.d[p], point.dm)
    return done * rows[0].size / A[0].size + 0.5
