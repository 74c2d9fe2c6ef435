"""Solve a checked problem: methods in order, until one is certified."""
import math

import numpy as np
from scipy import sparse

from . import longer, select
from .coordinate_descent import fit as by_coordinates
from .coordinate_descent import plain
from .linalg.centring import centre_columns, shifted_intercept
from .linalg.full_columns import centre_full_columns
from .newton import safeguarded
from .newton.dense.fit import DenseFit, objective_at
from .newton.small.few_samples import fit_few_samples
from .newton.small.fit import fit_small
from .newton.small.streamed import fit_rows
from .newton.sparse.fit import better_dense, fit_sparse
from .result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED, Outcome
from .validation import check_entries


def start_at(problem, x):
    """Return the outcome of no iteration: x, or zero if that is better."""
    weights = problem.weights
    size = len(problem.y) if weights is None else float(weights.sum())
    value = size * math.log(2.0)
    if x.any():
        there = _value(problem, x)
        # not where F is no number at x
        x, value = (x, there) if there <= value else (np.zeros_like(x), value)
    return Outcome(
        x, ITERATION_LIMIT, np.inf, value, (0, 0, 0, 0), "none",
        "no iteration",
    )


def _value(problem, x):
    """Return F at x, an intercept last."""
    X, y, weights = problem.X, problem.y, problem.weights
    coef = x[:X.shape[1]]
    value = objective_at(X, y, problem.l2, x)
    if weights is not None:
        losses = np.logaddexp(0.0, -y * (X @ coef + x[len(coef):].sum()))
        value += (weights - 1.0) @ losses
    if problem.penalty is not None:
        value += sum(map(problem.penalty.value, coef[coef != 0.0].tolist()))
    return value


def solve(problem, start, methods=None):
    """Try methods until one reaches the tolerance; return the best point.

    Those that `select` names, where none are given.

    Raises
    ------
    DataError
        Where no method ends because an entry of X is not finite.
    """
    X = problem.X
    is_sparse = sparse.issparse(X)
    if is_sparse and better_dense(X):
        return solve(_as_dense(problem), start, methods)
    if problem.intercept:
        centre = centre_full_columns if is_sparse else centre_columns
        centred, middles = centre(X)
        if centred is not None:
            return _solve_centred(problem, start, centred, middles, methods)
    best = start
    if methods is None:
        methods = select.methods(problem, is_sparse, not start.x.any())
    for name in methods:
        if name in select.DENSE and sparse.issparse(problem.X):
            problem = _as_dense(problem)
        # what failed is a start only where it is better than the first
        found = judged(problem, _METHODS[name](problem, best))
        best = _better(best, found)
        if found.status in (REACHED, ITERATION_LIMIT):
            break
        if best.value == start.value:
            check_entries(X)
    return best


def solve_plainly(problem, start):
    """Solve by the method that compiles nothing."""
    name = "safeguarded" if problem.penalty is None else "plain"
    return solve(problem, start, [name])


def _as_dense(problem):
    """Return a sparse problem as a dense one."""
    # repeated entries of float32 add up in float64
    return problem._replace(X=problem.X.astype(np.float64).toarray())


def _solve_centred(problem, start, centred, middles, methods):
    """Solve with the columns centred; the intercept takes up the rest."""
    p = len(middles)
    x = start.x.copy()
    x[p] += middles @ x[:p]
    given, problem = problem, problem._replace(X=centred)
    found = solve(problem, start._replace(x=x), methods)
    # beside a large intercept the one of the centred columns is rounded;
    # certified is what is left of it, on the centred columns
    x = found.x.copy()
    x[p], left = shifted_intercept(found.x, middles)
    found = found._replace(
        x=np.append(x[:p], left), regime=f"centred, {found.regime}",
        why=f"columns far from zero; centred: {found.why}",
    )
    if not problem.is_convex:
        # unlike F and a gap, a gradient is another one of centred columns
        return judged(given, in_longer_arithmetic(given, found._replace(x=x)))
    if problem.penalty is None:
        found = safeguarded.certified(problem, found)
    else:
        found = in_longer_arithmetic(problem, found)
    return judged(problem, found)._replace(x=x)


def judged(problem, found):
    """Set the status by the certificate, in longer arithmetic if it must be.

    A kernel may say REACHED where its gap is within `tol` but not the bound
    of its rounding.
    """
    if not found.value < np.inf or not np.isfinite(found.x).all():
        return found._replace(status=FLOAT64_LIMIT, gap=np.inf, value=np.inf)
    goal = problem.goal(found.value)
    near = found.gap <= 1e4 * goal
    if not found.gap <= goal and (
        found.status == REACHED or near and found.status == FLOAT64_LIMIT
    ):
        found = in_longer_arithmetic(problem, found)
    if found.gap <= problem.goal(found.value):
        return found._replace(status=REACHED)
    if found.status == REACHED:
        return found._replace(status=FLOAT64_LIMIT)
    return found


def in_longer_arithmetic(problem, found):
    """Certify an outcome anew, with the digits that float64 has not."""
    p = problem.X.shape[1]
    gap, value = longer.gap_at(
        problem.X, problem.y, problem.l2, found.x[:p], found.x[p:].sum(),
        problem.intercept, problem.penalty, problem.weights,
    )
    # from dual points of margins in float64 others find up to 0.4 % more
    return found._replace(gap=1.01 * gap, value=value)


def _better(best, found):
    """Return the better of two outcomes, with what both have taken."""
    counts = tuple(map(sum, zip(best.counts, found.counts, strict=True)))
    regime, why = found.regime, found.why
    if best.regime != "none":
        regime = f"{best.regime}, {regime}"
        why = f"{best.why}; that stalled, so {why}"
    same = found.value <= best.value * (1.0 + 1e-12)
    if found.status != REACHED and not (
        found.value < best.value * (1.0 - 1e-12)
        or same and found.gap < best.gap
    ):
        # no worse than the start, whatever has happened
        found = best._replace(status=found.status)
    return found._replace(counts=counts, regime=regime, why=why)


def _by_few_columns(problem, start):
    x = start.x.copy()
    n_iter, n_passes, n_gram, status, gap, value = fit_small(
        problem.X, problem.y, problem.l2, problem.tol, problem.max_iter, x
    )
    return Outcome(
        x, status, gap * value, value, (n_iter, n_passes, n_gram, 0),
        "few columns", "Newton's method in one buffer",
    )


def _by_few_samples(problem, start):
    x = start.x.copy()
    *counts, status, gap, value = fit_few_samples(
        np.ascontiguousarray(problem.X), problem.y, problem.l2,
        problem.intercept, problem.tol, problem.max_iter, x,
    )
    return Outcome(
        x, status, gap, value, (*counts, 0), "few samples",
        "few columns, of a factor of X X'",
    )


def _streamed(problem, start):
    x = start.x.copy()
    *counts, status, gap, value = fit_rows(
        problem.X, problem.y, problem.l2, problem.tol, problem.max_iter, x
    )
    return Outcome(
        x, status, gap, value, (*counts, 0), "streamed",
        "few columns, many samples: Newton's method, X read once a pass",
    )


def _by_many_columns(problem, start):
    x = start.x.copy()
    fit = DenseFit(
        problem.X, problem.y, problem.l2, problem.intercept, problem.tol,
        problem.max_iter, x, problem.float32_copy,
    )
    status, gap, value = fit.run()
    return Outcome(
        x, status, gap, value, tuple(fit.counts), fit.regime, fit.why,
    )


def _sparse(problem, start):
    return fit_sparse(problem, start.x if start.x.any() else None)


def _safeguarded(problem, start):
    x = start.x.copy()
    status, gap, value, counts = safeguarded.newton(
        problem.X, problem.y, problem.l2, problem.intercept, problem.tol,
        problem.max_iter, x,
    )
    return Outcome(
        x, status, gap, value, counts, "safeguarded",
        "Newton's method with safeguards, in NumPy",
    )


def _by_coordinates(problem, start):
    x, counts, status, gap, value = by_coordinates.fit(problem, start.x)
    return Outcome(
        x, status, gap, value, counts, "working set",
        "prox-Newton by coordinate descent on the columns that matter",
    )


def _plain(problem, start):
    x = start.x.copy()
    status, gap, value, counts = plain.minimise(problem, x)
    return Outcome(
        x, status, gap, value, counts, "plain",
        "prox-Newton by coordinate descent, in NumPy",
    )


_METHODS = {
    "few columns": _by_few_columns,
    "few samples": _by_few_samples,
    "streamed": _streamed,
    "many columns": _by_many_columns,
    "sparse": _sparse,
    "safeguarded": _safeguarded,
    "working set": _by_coordinates,
    "plain": _plain,
}
