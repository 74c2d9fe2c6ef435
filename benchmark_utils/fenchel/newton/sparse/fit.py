r"""L2 logistic regression on CSR matrices, certified.

.. math::
    F(w, b) = \sum_i \log(1 + e^{-y_i (x_i^\top w + b)})
              + \tfrac{\lambda_2}{2} \|w\|_2^2

`docs/fenchel_sparse.md` explains the regimes.
"""
import math

import numpy as np

from ...coordinate_descent.dual import ascend
from ...datafits.margins import dot
from ...linalg.packing import as_it_is, pack
from ...result import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    NEEDS_CARE,
    REACHED,
    SLOW,
    Outcome,
)
from ...validation import check_entries
from .descent import lbfgs, newton
from .directions import diagonal
from .point import Certificate, certify
from .schedule import Schedule
from .state import STATE

# A dense copy is made of at most so many entries (128 MB), of matrices that
# are denser than this, where n < p than that, or of at most so many entries
DENSE_ENTRIES = 2**24
DENSITY, DENSITY_WIDE, SMALL = 0.15, 0.3, 8192
# Where there are more samples than columns, but so many times as many at most,
# and the mean of ||x||^2 / lambda2 is at most this, dual coordinate descent is
# tried as well
MOST_SAMPLES, LIGHT = 3, 0.5
# Seconds of a sweep of it, a sample and an entry; of an iteration of L-BFGS,
# with its share of what comes before, a sample, an entry and a column; fitted
# by hand to some 170 timings
SWEEP_SAMPLE, SWEEP_ENTRY = 4e-8, 2.2e-9
LBFGS_SAMPLE, LBFGS_ENTRY, LBFGS_COLUMN = 3e-8, 2e-9, 1e-8
# Pairs of L-BFGS, and more for so few columns that all fit a cache of half a
# megabyte: grants at l2 = 2 1.3 to 1.9 times as fast, text of 500 or 2500
# columns up to 1.2; of 9000 and more columns it is no faster
PAIRS, MORE_PAIRS, _MANY_COLUMNS = 8, 16, 4096
# Factors after which L-BFGS begins anew
_FACTORS = 4
# float64 points without progress that are waited for
_PATIENCE = 3
_OVERFLOWS = "a product with X overflows float64: scale its columns."


def better_dense(X):
    """Tell whether the dense solver is faster, by size and density alone."""
    n, p = X.shape
    density = DENSITY if n >= p else DENSITY_WIDE
    return n * p <= DENSE_ENTRIES and (
        X.nnz > density * n * p or n * p <= SMALL
    )


def suits_the_dual(n, p, weight):
    """Tell whether visits of samples in turn may be faster than passes.

    They are where rows are nearly orthogonal, or light: `weight` is the mean
    of ||x||^2 / lambda2.
    """
    return n <= p or n <= MOST_SAMPLES * p and weight <= LIGHT


def sweep_price(entries, n, p):
    """Return how many sweeps take as long as an iteration of L-BFGS."""
    return (
        LBFGS_ENTRY * entries + LBFGS_SAMPLE * n + LBFGS_COLUMN * p
    ) / (SWEEP_ENTRY * entries + SWEEP_SAMPLE * n)


def fit_sparse(problem, start=None):
    """Minimise F and certify the result.

    Parameters
    ----------
    problem : Problem
        X is CSR, float64 and valid, its indices sorted or not. With
        `float32_copy` its entries are copied in float32, rows sorted by
        their length; without it X is read as it is, where its indices are
        int32.
    start : array of shape (n_features + intercept,), optional
        Where to start instead of zero, unless F is smaller at zero.

    Returns
    -------
    Outcome
        REACHED where the gap in float64 is within the tolerance; the gap that
        is returned is a bound in exact arithmetic. Its counts: iterations;
        passes over X, forward and back counted as one; factors; products
        with the Hessian.

    Raises
    ------
    ValueError
        For data that define no problem.
    """
    if problem.intercept and problem.y.min() == problem.y.max():
        raise ValueError(
            "y has a single class: with an intercept no minimum exists."
        )
    return _Fit(problem).run(start)


class _Fit:
    """Buffers and decisions of one fit."""

    def __init__(self, problem):
        self.problem = problem
        self.n, self.p = problem.X.shape
        self.source = as_it_is(problem.X)
        #: |X|_F^2
        self.square = dot(self.source.rows[0], self.source.rows[0])
        if not self.square < np.inf:
            check_entries(problem.X)
            raise ValueError(_OVERFLOWS)
        self.w, self.g = np.zeros((2, self.p + 1))
        self.M = np.empty((9, self.n))
        self.state = np.zeros(1, STATE)[0]
        self.newton = False
        self.schedules = []

    def take(self, packed):
        """Go on with a layout of X, and the labels in its order."""
        self.packed, self.y = packed, self.problem.y
        if len(packed.order):
            self.y = self.y[packed.order]

    def pack(self, dtype):
        """Pack X, unless no copy is allowed."""
        copy = self.problem.float32_copy
        self.take(pack(self.source.rows, dtype) if copy else self.source)

    def certify(self):
        """Compute F and the gap at w, margins and gradient there."""
        problem, state = self.problem, self.state
        *found, curvature = certify(
            self.source.rows, self.packed.order, (
                self.y, problem.l2, problem.intercept, self.square,
                problem.tol,
            ), self.w, self.g, self.M,
        )
        self.certificate = Certificate(*found)
        state["passes"] += 1
        state["value"], state["noise"] = self.certificate.value, 0.0
        state["curvature"] = curvature
        return self.certificate

    def is_within(self, certificate):
        """Tell whether the gap is within the tolerance."""
        return certificate.gap <= self.problem.tol * certificate.value

    def run(self, start):
        """Choose a method, then a more careful one, until one gets there."""
        regime = "sparse"
        why = "L-BFGS, then Newton by CG, scaled by the diagonal"
        at_zero = start is None or not np.any(start)
        if not at_zero:
            self.w[:len(start)] = start
        status = SLOW
        weight = self.square / (self.problem.l2 * self.n)
        if at_zero and suits_the_dual(self.n, self.p, weight):
            # few sweeps do not pay for a copy
            self.take(self.source)
            status = self.ascend()
        if status == REACHED:
            regime = "sparse, dual"
            why = "few or light samples: dual coordinate descent"
        else:
            self.pack(np.float32)
            status = self.iterate(_PATIENCE, 0.0)
        if status == FLOAT64_LIMIT:
            regime = "sparse, careful"
            why = "float32 made no more progress: float64 products"
            self.pack(np.float64)
            status = self.iterate(2 * _PATIENCE, float(self.state["passes"]))
        factors = 0
        for schedule in self.schedules:
            factors += schedule.count
            if schedule.count and "factor" not in regime:
                regime += ", factor"
                why += (
                    f"; then a factor of {schedule.plan.q} columns, whose "
                    f"{schedule.cost:.0f} passes had been spent without"
                )
        state = self.state
        counts = (
            int(state["iterations"]), float(state["passes"]), factors,
            int(state["products"]),
        )
        x = self.w if self.problem.intercept else self.w[:self.p]
        value, _, bound = self.certificate
        return Outcome(x, status, bound, value, counts, regime, why)

    def ascend(self):
        """Climb by dual coordinate descent while it promises to be faster."""
        problem, tol, state = self.problem, self.problem.tol, self.state
        n, entries = self.n, len(self.packed.rows[0])
        price = sweep_price(entries, n, self.p)
        turn = np.empty(n, np.int64)
        duals = np.empty(4 * n + 3)
        duals = duals[-(duals.ctypes.data >> 3) & 3:][:4 * n]
        goal = 0.1 * tol
        while True:
            sweeps = int(state["iterations"])
            done, share = ascend(
                self.packed.rows, (self.y, problem.l2, problem.intercept),
                (goal, price, problem.max_iter - sweeps), self.w,
                (duals, turn), sweeps,
            )
            state["iterations"] += done
            state["passes"] += done
            if share == np.inf:
                return SLOW
            found = self.certify()
            if self.is_within(found):
                return REACHED
            if not found.gap <= 1e3 * share * found.value:
                # the estimate is no guide: entries were rounded
                return SLOW
            goal = 0.1 * share * tol * found.value / found.gap

    def iterate(self, patience, since):
        """Descend until certified; the best point seen is kept in w.

        Parameters
        ----------
        patience : int
            Certificates without progress that are waited for.
        since : float
            Passes that were spent on something else.
        """
        best = start = self.start()
        if self.is_within(start):
            return REACHED
        coef = self.w.copy()
        self.prepare(since)
        self.first_gap = start.gap
        budget = self.schedule.cost
        least_gap, least_value = start.gap, start.value
        worse = 0
        while True:
            status = self.descend(budget)
            while status == SLOW:
                budget = self.next_budget()
                status = self.descend(budget) if budget else FLOAT64_LIMIT
            found = self.certify()
            if self.is_within(found):
                return REACHED
            # never one that is worse than the start
            if found.gap < best.gap and found.value <= start.value:
                best, coef = found, self.w.copy()
            if found.gap < 0.5 * least_gap or (
                found.value < least_value * (1 - 1e-6)
            ):
                worse = 0
            else:
                worse += 1
            least_gap = min(least_gap, found.gap)
            least_value = min(least_value, found.value)
            if worse == patience or status in (ITERATION_LIMIT, FLOAT64_LIMIT):
                self.w, self.certificate = coef, best
                return (
                    ITERATION_LIMIT if status == ITERATION_LIMIT
                    else FLOAT64_LIMIT
                )
            if worse:
                # pairs that came from rounding may be to blame
                self.state["pairs"] = 0
                self.newton = True

    def start(self):
        """Compute the first point: w, or zero where F is less there."""
        # with room for rounding
        at_zero = self.n * math.log(2.0) * (1.0 + 1e-9)
        found = self.certify()
        if self.w.any() and not found.value <= at_zero:
            self.w[:] = 0.0
            found = self.certify()
        if not found.gap < np.inf:
            raise ValueError(_OVERFLOWS)
        return found

    def prepare(self, since):
        """Lay out what the descent needs, and scale by the diagonal."""
        problem, p = self.problem, self.p
        self.V = np.zeros((6, p + 1))
        self.inverse = np.empty(p + 1)
        self.schedule = Schedule(
            self.packed.rows, p, problem, since, self.n * p <= DENSE_ENTRIES
        )
        self.schedules.append(self.schedule)
        k = MORE_PAIRS if p <= _MANY_COLUMNS else PAIRS
        S, Y = np.empty((2, k, p + 1), np.float32)
        self.pairs = S, Y, *np.empty((2, k))
        self.state["pairs"] = self.state["steps"] = 0
        self.newton = False
        diagonal(
            self.packed.rows, self.M[2], problem.l2, problem.intercept,
            self.inverse, self.M[3],
        )
        self.state["passes"] += 0.5

    def descend(self, budget):
        """Descend for some passes, by L-BFGS and then by Newton."""
        problem = self.problem
        # 1e-15: nothing was rounded. Otherwise rounding of entries of either
        # sign averages out: 3e-8 is the measured error of the change of g
        # where all were
        unit = 1e-15 if self.packed.exact else 3e-8
        arguments = (
            self.packed.rows, (self.y, problem.l2, problem.intercept, unit),
            (problem.tol, self.state["passes"] + budget, problem.max_iter),
            (self.w, self.g, self.V, self.M),
            (self.inverse, self.schedule.factor),
        )
        if not self.newton:
            status = lbfgs(*arguments, self.pairs, self.state)
            if status != NEEDS_CARE:
                return status
            self.newton = True
        return newton(*arguments, self.state)

    def next_budget(self):
        """Return the passes to go on with, 0 where nothing is left to do."""
        schedule, tried = self.schedule, self.schedule.count
        budget = schedule.next(self.state, self.passes_left(), self.M[2])
        if schedule.count > tried:
            # pairs of another metric help no more; after a few factors
            # nothing but Newton's method itself
            self.newton = schedule.count > _FACTORS
            self.state["pairs"] = self.state["steps"] = 0
        return budget

    def passes_left(self):
        """Return the passes to the tolerance at the rate so far."""
        g = self.g[:self.p]
        gap = dot(g, g) / (2.0 * self.problem.l2)
        goal = self.problem.tol * self.state["value"]
        if not goal < gap < self.first_gap:
            return 0.0 if gap <= goal else np.inf
        rate = np.log(self.first_gap / gap) / self.state["passes"]
        return np.log(gap / goal) / rate
