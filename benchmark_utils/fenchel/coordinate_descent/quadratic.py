r"""Coordinate descent on a quadratic model with a Gram matrix, plus a penalty.

The model at w is, for a symmetric H and the gradient g,

.. math::
    Q(v) = g^\top (v - w) + (v - w)^\top H (v - w) / 2 + \sum_j r(v_j).

Each visit minimises it in one coordinate by the prox of r with step
1 / H_jj. Where r is concave with more than H_jj, that would jump to another
basin, about which the model knows nothing: the step is made so short that the
prox is continuous. What moves is H (v - w), in the precision of H, while g
stays in float64: rounding is then relative to the step, not to the gradient,
and float32 does not limit what an outer iteration can reach.

Once the signs have settled, a Newton step on the support finds what
coordinate descent would take hundreds of epochs for.
"""
import math
from typing import NamedTuple

import numpy as np

from ..compilation import LOOPS, njit

# Newton steps in a row that end where a coefficient becomes zero
_CUTS = 30


class Model(NamedTuple):
    """A quadratic model and the place for minimising it; width >= k + 1."""

    #: (width, width), symmetric; all of a row is read
    H: np.ndarray
    #: coefficients with a penalty
    k: int
    #: whether one without a penalty follows them
    free: bool
    #: (k + 1,) where the model was made, and the gradient there
    w: np.ndarray
    grad: np.ndarray
    #: (k + 1,) the minimiser so far
    v: np.ndarray
    #: (width,) of H's dtype: H (v - w), and H times a Newton step
    move: np.ndarray
    shift: np.ndarray
    #: (k + 1,) coordinates that are visited
    active: np.ndarray
    #: (k + 1, k + 1) and (k + 1,) of float64, for Newton steps
    factor: np.ndarray
    step: np.ndarray
    #: (3,) steps since H was made, -1 where it is to be made; the largest
    #: violation before the last step; 1 / the longest step of a visit
    memory: np.ndarray


@njit(fastmath=LOOPS)
def solve_in_place(A, n, b, tiny):
    """Solve A x = b by Cholesky; A's lower triangle and b are overwritten.

    Where a pivot is not above `tiny` times its diagonal, the row depends on
    those before it, and its x is 0.
    """
    for i in range(n):
        row = A[i]
        for j in range(i):
            other = A[j]
            value = row[j]
            for t in range(j):
                value -= row[t] * other[t]
            row[j] = value / other[j]
        square = row[i]
        for t in range(i):
            square -= row[t] * row[t]
        row[i] = math.sqrt(square) if square > tiny * row[i] else np.inf
    for i in range(n):
        value = b[i]
        for t in range(i):
            value -= A[i, t] * b[t]
        b[i] = value / A[i, i]
    for i in range(n - 1, -1, -1):
        value = b[i] / A[i, i]
        b[i] = value
        for t in range(i):
            b[t] -= A[i, t] * value


@njit(fastmath=LOOPS)
def newton_step(model, penalty, count):
    """Minimise the model over active[:count], signs held, by one linear solve.

    The step ends where a coefficient would change its sign; it is taken only
    where the model falls.

    Returns
    -------
    largest : float
        The largest H_jj d_j^2 of the step; -1.0 where none was taken.
    left : int
        Coordinates that are left in `active`: one less than `count` where the
        step was cut.
    """
    H, k, v, active, b = model.H, model.k, model.v, model.active, model.step
    for a in range(count):
        j = active[a]
        row, source = model.factor[a], H[j]
        for c in range(a + 1):
            row[c] = source[active[c]]
        b[a] = -(model.grad[j] + model.move[j])
        if j < k:
            row[a] += penalty.bend(v[j])
            b[a] -= penalty.slope(v[j])
    # what is known of H
    tiny = 1e-6 if H.itemsize == 4 else 1e-14
    solve_in_place(model.factor, count, b, tiny)
    t, first = 1.0, -1
    for a in range(count):
        j = active[a]
        if j < k and (v[j] + t * b[a]) * v[j] < 0.0:
            t, first = -v[j] / b[a], a
    model.shift[:] = 0
    for a in range(count):
        d, row = model.move.dtype.type(t * b[a]), H[active[a]]
        for c in range(row.size):
            model.shift[c] += d * row[c]
    change, size, largest = 0.0, 0.0, 0.0
    for a in range(count):
        j = active[a]
        d = t * b[a]
        part = d * (model.grad[j] + model.move[j] + 0.5 * model.shift[j])
        change += part
        size += abs(part)
        largest = max(largest, d * d * H[j, j])
        if j < k:
            old, new = penalty.value(v[j]), penalty.value(v[j] + d)
            change += new - old
            size += old
    if not change <= 1e-15 * size:
        return -1.0, count
    for a in range(count):
        v[active[a]] += t * b[a]
    for c in range(model.move.size):
        model.move[c] += model.shift[c]
    if first >= 0:
        v[active[first]] = 0.0
        for a in range(first, count - 1):
            active[a] = active[a + 1]
        return largest, count - 1
    return largest, count


@njit
def newton_steps(model, penalty, count):
    """Take Newton steps until one is not cut, or there were many.

    Returns
    -------
    float
        The largest H_jj d_j^2; -1.0 where no step was taken.
    """
    largest = -1.0
    for _ in range(_CUTS):
        one, left = newton_step(model, penalty, count)
        largest = max(largest, one)
        if left == count or left == 0:
            break
        count = left
    return largest


@njit(fastmath=LOOPS)
def epoch(model, penalty, count):
    """Visit active[:count] once; keep those that are not zero in front.

    Returns
    -------
    kept : int
    largest : float
        The largest H_jj d_j^2 of a visit.
    """
    H, k, v, move = model.H, model.k, model.v, model.move
    largest, kept = 0.0, 0
    for a in range(count):
        j = model.active[a]
        row = H[j]
        bend = np.float64(row[j])
        if not bend > 0.0:
            continue
        old = v[j]
        bend = max(bend, model.memory[2]) if j < k else bend
        new = old - (model.grad[j] + move[j]) / bend
        if j < k:
            new = penalty.prox(new, 1.0 / bend)
        if new != 0.0 or j == k:
            model.active[kept] = j
            kept += 1
        if new != old:
            v[j] = new
            d = move.dtype.type(new - old)
            largest = max(largest, (new - old) * (new - old) * bend)
            for c in range(move.size):
                move[c] += d * row[c]
    return kept, largest


@njit
def minimise(model, penalty, tol, max_epochs, settled):
    """Minimise the model from w by coordinate descent and Newton steps.

    Parameters
    ----------
    model : Model; v, move and the work space are written
    penalty : NamedTuple, see `fenchel.penalties`
    tol : float
        Stop where the largest H_jj d_j^2 of an epoch over all coordinates is
        below tol times that of the first.
    max_epochs : int
    settled : bool
        Whether the last model left the signs as they are: begin with a
        Newton step.

    Returns
    -------
    int
        Epochs.
    """
    k, v, active = model.k, model.v, model.active
    q = k + model.free
    model.move[:] = 0
    for j in range(q):
        v[j] = model.w[j]
    first = 0.0
    if settled:
        count = 0
        for j in range(q):
            if v[j] != 0.0 or j == k:
                active[count] = j
                count += 1
        if count > 0:
            first = max(newton_steps(model, penalty, count), 0.0)
    for j in range(q):
        active[j] = j
    count, everything, direct = q, True, True
    work = 0.0
    for n_epochs in range(max_epochs):
        # multiply-adds, and what a visit costs beside them
        work += count * (q + 20.0)
        count, largest = epoch(model, penalty, count)
        if n_epochs == 0:
            first = max(first, largest)
        if everything and (n_epochs > 0 or settled) and (
            largest <= tol * first
        ):
            return n_epochs + 1
        quiet = largest <= 0.5 * tol * first
        everything = False
        price = count * (count * count / 6.0 + 2.0 * q + 300.0)
        if direct and not quiet and n_epochs >= 3 and work > price:
            work = 0.0
            direct = newton_steps(model, penalty, count) >= 0.0
            quiet = direct
        if quiet or n_epochs % 50 == 49 or count == 0:
            count, everything = q, True
            for j in range(q):
                active[j] = j
    return max_epochs
