"""Coordinate descent on F itself, extrapolated, for any separable penalty.

Each coefficient is majorised by |x_j|^2 / 4 + lambda2; columns are those of
`columns`.

Q. Bertrand and M. Massias, "Anderson acceleration of coordinate descent",
AISTATS 2021, arXiv:2011.10065.
"""
import numpy as np

from ..compilation import njit
from ..datafits.logistic import evaluate
from .columns import (
    margins,
    penalties_of,
    shift,
    sigmoid,
    square,
    weighted,
    worst_of,
)
from .prox_newton import concavity
from .quadratic import solve_in_place

#: iterates that Anderson's extrapolation combines
MEMORY = 5


@njit
def _extrapolate(history, count):
    """Write the affine combination of iterates whose step is the shortest.

    Rows of `history` are iterates, the last is the newest, and is written.
    """
    k, size = count - 1, history.shape[1]
    gram, scale = np.empty((k, k)), 0.0
    for a in range(k):
        for b in range(a + 1):
            total = 0.0
            for j in range(size):
                total += (history[a + 1, j] - history[a, j]) * (
                    history[b + 1, j] - history[b, j]
                )
            gram[a, b] = gram[b, a] = total
        scale = max(scale, gram[a, a])
    weights = np.ones(k)
    for a in range(k):
        gram[a, a] += 1e-10 * scale
    solve_in_place(gram, k, weights, 0.0)
    weights /= weights.sum()
    for j in range(size):
        total = 0.0
        for a in range(k):
            total += weights[a] * history[a + 1, j]
        history[k, j] = total


@njit
def epoch(columns, y, penalty, l2, bends, m, s, x):
    """Visit every coefficient of F once, each majorised by its bound.

    `bends` (p + 1,) are the bounds, the intercept's last, 0.0 without one.
    """
    p = x.size - 1
    if bends[p] > 0.0:
        slope = 0.0
        for i in range(m.size):
            slope -= y[i] * s[i]
        d = -slope / bends[p]
        x[p] += d
        for i in range(m.size):
            m[i] += d * y[i]
            s[i] = sigmoid(-m[i])
    for j in range(p):
        if bends[j] > 0.0:
            grad = l2 * x[j] - weighted(columns, j, y, s)
            new = penalty.prox(x[j] - grad / bends[j], 1.0 / bends[j])
            if new != x[j]:
                shift(columns, j, new - x[j], y, m, s)
                x[j] = new


@njit
def descend_by_epochs(columns, y, penalty, l2, free, limits, x):
    """Minimise F from x by epochs of coordinate descent, extrapolated.

    Every `MEMORY` epochs Anderson's extrapolation of the last iterates is
    taken where F is lower there.

    Parameters
    ----------
    columns : array of shape (p, n) or tuple of CSC arrays
    y : array of shape (n,), float64, -1.0 and 1.0
    penalty : NamedTuple, see `fenchel.penalties`
    l2 : float
    free : bool
        Whether there is an intercept.
    limits : tuple (tol, max_epochs)
    x : array of shape (p + 1,), float64, written

    Returns
    -------
    n_epochs, n_extrapolated : int
    """
    tol, max_epochs = limits
    n, p = y.size, x.size - 1
    m, s, ones = np.empty(n), np.empty(n), np.ones(n)
    there, other, h = np.empty(n), np.empty(n), np.empty(n)
    grad = np.empty(p + 1)
    bends, floor = np.full(p + 1, 0.25 * n * free), 1.05 * concavity(penalty)
    for j in range(p):
        size = square(columns, j, ones)
        bends[j] = max(0.25 * size + l2, floor) if size > 0.0 else l2
    history = np.empty((MEMORY + 1, p + 1))
    history[0] = x
    count, taken = 1, 0
    margins(columns, y, x, m)
    evaluate(m, s, h, None)
    for n_epochs in range(max_epochs):
        epoch(columns, y, penalty, l2, bends, m, s, x)
        history[count] = x
        count += 1
        if count <= MEMORY:
            continue
        # margins that many visits moved are computed anew
        margins(columns, y, x, m)
        value = evaluate(m, s, h, None) + penalties_of(penalty, l2, x)
        _extrapolate(history, count)
        margins(columns, y, history[MEMORY], there)
        new = evaluate(there, other, h, None)
        new += penalties_of(penalty, l2, history[MEMORY])
        if new < value:
            x[:], m[:], s[:] = history[MEMORY], there, other
            taken += 1
        history[0], count = x, 1
        for i in range(n):
            other[i] = y[i] * s[i]
        largest = worst_of(columns, other, penalty, l2, x, grad)
        if max(largest, abs(grad[p]) if free else 0.0) <= tol:
            return n_epochs + 1, taken
    return max_epochs, taken
