"""Many small problems with a separable penalty in one call.

All columns are in the Gram matrix, in float64, and vectors run along the
samples of a transposed copy. One work space serves all problems: nothing is
allocated for one.
"""
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from ..compilation import njit
from ..penalties import PenaltyType
from ..result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED
from .access import width_of
from .fit import MARGIN
from .prox_newton import Goal, Problem, concavity, descend, make_model
from .working_set import assess, make_point, price_of


class Scaled(NamedTuple):
    """Penalize by a multiple of another penalty."""

    #: the other one
    base: tuple
    factor: float

    #: as `base`
    is_convex = None
    is_separable = True

    def value(self, w):
        return self.factor * self.base.value(w)

    def prox(self, x, step):
        return self.base.prox(x, self.factor * step)

    def distance(self, w, grad):
        return self.factor * self.base.distance(w, grad / self.factor)

    def slope(self, w):
        return self.factor * self.base.slope(w)

    def bend(self, w):
        return self.factor * self.base.bend(w)

    def dual_bound(self):
        return self.factor * self.base.dual_bound()

    def conjugate(self, v):
        return self.factor * self.base.conjugate(v / self.factor)


@intrinsic
def scale(typingctx, penalty, factor):
    """Make a `Scaled` penalty in compiled code, with its methods."""

    def codegen(context, builder, signature, args):
        return context.make_tuple(builder, signature.return_type, args)

    if isinstance(penalty, PenaltyType):
        kind = PenaltyType([penalty, types.float64], Scaled)
        return kind(penalty, types.float64), codegen
    return None


@njit
def solve_all(problem, points, model, work, bounds, limits, x):
    """Minimise F over all columns from x, in a given work space.

    Parameters
    ----------
    problem : Problem
    points : tuple of two Points
    model : Model of all columns
    work, bounds : tuples, see `working_set.assess`
    limits : tuple (tol, max_iter)
    x : array of shape (p + 1,), written

    Returns
    -------
    n_iter, status : int
    gap, value : float
    """
    here, there = points
    tol, max_iter = limits
    p = problem.k
    bounds[0][0] = -1.0
    model.memory[0], model.memory[1] = -1.0, np.inf
    model.memory[2] = 1.05 * concavity(problem.penalty)
    for j in range(p + 1):
        here.w[j] = x[j]
        model.v[j] = 0.0
    n_iter, failures = 0, 0
    best, least, status = np.inf, np.inf, FLOAT64_LIMIT
    while failures < 3:
        for j in range(p + 1):
            work[2][j] = here.w[j]
        value, gap = assess(
            problem, problem, here, work[2], work, bounds
        )
        failures += 1
        slack = 1e-12 * abs(best)
        if gap < 0.9 * least or value < best - slack:
            failures = 0
        if value < best - slack or (value <= best + slack and gap < least):
            best, least = value, gap
            for j in range(p + 1):
                x[j] = work[2][j]
        goal = tol * value if problem.penalty.is_convex else tol
        if gap <= goal and gap == least:
            status = REACHED
            break
        if n_iter >= max_iter:
            status = ITERATION_LIMIT
            break
        for j in range(p):
            here.grad[j] = work[0][j] + problem.l2 * here.w[j]
        taken, second, stuck, epochs, grams = descend(
            problem, model, here, there, work[1], value,
            Goal(0.3 * goal, max_iter - n_iter, price_of(p)),
        )
        n_iter += taken
        failures += stuck
        if second:
            here, there = there, here
    return n_iter, status, least, best


@njit
def fit_bulk(X, y, penalty, factors, l2, intercept, limits, out):
    """Minimise F for each of many problems of one shape.

    Parameters
    ----------
    X : array of shape (n_problems, n, p), C order, float64
    y : array of shape (n_problems, n), C order, float64, -1.0 and 1.0
    penalty : NamedTuple, see `fenchel.penalties`
        Separable.
    factors : array of shape (n_problems,), float64
        What the penalty is multiplied by.
    l2 : float
    intercept : bool
    limits : tuple (tol, max_iter)
    out : tuple (x, counts, statuses, gaps, values)
        Of shape (n_problems, p + 1), the starts and the solutions, and of
        shape (n_problems,), written; see `fit.fit`.
    """
    n_problems, n, p = X.shape
    x, counts, statuses, gaps, values = out
    points = make_point(n, p), make_point(n, p)
    like = np.empty(0)
    model = make_model(
        penalty, p, intercept, width_of(p + intercept, like), like
    )
    work = np.empty(p), np.empty(p), np.empty(p + 1)
    bounds = np.empty(p), np.empty(p), np.zeros(p)
    columns = np.empty((p, n))
    for a in range(n_problems):
        for i in range(n):
            for j in range(p):
                columns[j, i] = X[a, i, j]
        problem = Problem(
            columns.T, y[a], scale(penalty, factors[a]), l2, intercept, p,
            None, 1.0,
        )
        if not intercept:
            x[a, p] = 0.0
        counts[a], statuses[a], gaps[a], values[a] = solve_all(
            problem, points, model, work, bounds, limits, x[a]
        )


def fit_batch(batch, make_penalty, l1, l2, intercept, limits):
    """Minimise F for each problem of a batch, those of a shape in one call.

    Parameters
    ----------
    batch : Batch
        See `newton.small.batch`.
    make_penalty : callable
        Gives the penalty for lambda1 and a number of samples.
    l1 : float, or array of shape (n_problems,)
        As an array, for a penalty that is proportional to it.
    l2 : float
    intercept : bool
    limits : tuple (tol, max_iter)

    Returns
    -------
    coef, intercepts, info
        As `fit.fit_many` does.
    """
    tol, max_iter = limits
    shapes = np.column_stack([
        np.diff(batch.row_offsets), np.diff(batch.feature_offsets)
    ])
    n_problems = len(shapes)
    coef = np.empty(batch.feature_offsets[-1])
    intercepts = np.empty(n_problems)
    counts, status = np.empty((2, n_problems), np.int64)
    gaps = np.empty(n_problems)
    factors = np.ones(n_problems) if np.ndim(l1) == 0 else np.asarray(l1)
    for n, p in np.unique(shapes, axis=0).tolist():
        members = np.flatnonzero((shapes == (n, p)).all(axis=1))
        penalty = make_penalty(1.0 if np.ndim(l1) else l1, n)
        goal, size = tol / MARGIN, len(members)
        if not penalty.is_convex:
            goal *= l1
        x = np.zeros((size, p + 1))
        taken, ended = np.empty((2, size), np.int64)
        gap, value = np.empty((2, size))
        fit_bulk(
            _part(batch.data, batch.data_offsets, members, n * p).reshape(
                size, n, p
            ),
            _part(batch.y, batch.row_offsets, members, n), penalty,
            factors[members], l2, intercept, (goal, max_iter),
            (x, taken, ended, gap, value),
        )
        at = batch.feature_offsets[members][:, None] + np.arange(p)
        coef[at], intercepts[members] = x[:, :p], x[:, p]
        counts[members], status[members] = taken, ended
        scale = value if penalty.is_convex else n
        gaps[members] = MARGIN * gap / scale
    return coef, intercepts, {
        "iterations": counts, "converged": status == REACHED,
        "status": status, "n_threads": 1,
        "relative_gap" if penalty.is_convex else "violation": gaps,
    }


def _part(values, offsets, members, length):
    """Return `length` values of each member, a view where they are all."""
    if len(members) == len(offsets) - 1:
        return values.reshape(-1, length)
    return values[offsets[members][:, None] + np.arange(length)]
