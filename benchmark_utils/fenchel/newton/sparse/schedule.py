"""When a sparse fit is preconditioned by a factor, and what it may spend."""
from typing import NamedTuple

import numpy as np

from ...linalg.elimination import make_plan
from ...linalg.sparse_cholesky import factorize
from .descent import changed

# Seconds of a pass over X: an entry, a row, a column
ENTRY = 0.65e-9
ROW = 4e-9
COLUMN = 3e-9
# Seconds of a factor: the call, an entry added to the Gram matrix, an entry
# of the matrix that is factorized, a multiplication in float32 Cholesky
FACTOR = 8e-5
FACTOR_ADDED = 0.45e-9
FACTOR_ENTRY = 1e-9
FACTOR_MULTIPLIED = 2.7e-11
# Columns of a dense factor at most: 256 MB in float32
_COLUMNS = 8000
# Passes before a factor is thought of
_FEWEST, _MOST = 4.0, 25.0
# Wait for the end rather than make a factor where it is nearer than this
# share of the factor's cost, by the mean rate so far: the end is slower, 0.5
# and more of it were wrong. Wait twice as long as that.
_NEAR, _LONGER = 0.35, 2.0
# Passes with a factor in float64 and conjugate gradients, which are as precise
# as there is, before the dense solver takes over
_LAST = 200.0
# Curvatures that changed less than this leave a factor as good as it was
_CHANGED = 0.1


class Advice(NamedTuple):
    """How to go on."""

    #: passes; 0 where nothing is left to do
    budget: float
    #: by Newton, or by L-BFGS anew; None as before
    newton: bool | None = None


def factor_time(updates, q):
    """Return the seconds that a factor takes, by a model."""
    return (
        FACTOR + FACTOR_ADDED * updates + FACTOR_ENTRY * q**2
        + FACTOR_MULTIPLIED * q**3 / 6.0
    )


def pass_time(entries, n, p):
    """Return the seconds that a pass over X takes, by a model."""
    return ENTRY * entries + ROW * n + COLUMN * p


class Schedule:
    """Passes to spend, and the factor once as many were spent as it costs.

    That never takes more than twice the time of the better choice, and asks
    nothing about the condition of the problem. Without it grants took 3 to 85
    times as long at l2 = 0.01 and 1e-4, movielens 2.9 to 4.6, one-hot 1.5 at
    0.01 and 0.6 at 1e-4, and nothing changed for text.
    """

    def __init__(self, A, p, problem, dtype, since, alternative):
        self.A, self.p = A, p
        self.l2, self.intercept = problem.l2, problem.intercept
        self.dtype = dtype
        #: whether another method can take over
        self.alternative = alternative
        self.plan = self.factor = None
        #: factors that were tried, and passes when the last was made
        self.count, self.since = 0, since
        self.waited, self.last = False, _LAST
        self.pass_time = pass_time(len(A[0]), len(A[2]) - 1, p)
        # of a factor without elimination, whose plan costs three passes
        lengths = np.diff(A[2]).astype(np.float64)
        cost = factor_time(0.5 * float(lengths @ lengths), p)
        #: of a factor, in passes
        self.cost = min(max(cost / self.pass_time, _FEWEST), _MOST)

    def next(self, state, left, newton, h, h_then):
        """Say how to go on after a budget that did not suffice.

        Parameters
        ----------
        state : record of `state.STATE`
            The passes are added to.
        left : float
            Passes to the tolerance at the rate so far.
        newton : bool
            Whether it is Newton that goes on.
        h : array of shape (n,)
            The curvatures.
        h_then : array of shape (n,), updated
            Those of the factor.

        Returns
        -------
        Advice
        """
        if self.plan is None:
            waiting = self._wait(left)
            if waiting:
                return Advice(waiting)
            self._make_plan(state)
        budget = self.cost - (state["passes"] - self.since)
        if budget > 1.0:
            return Advice(budget)
        waiting = self._wait(left)
        if waiting:
            return Advice(waiting)
        if self.count and changed(h, h_then) < _CHANGED:
            if not newton:
                # the factor is as good as its precision: conjugate gradients
                # on it, then more precision
                return Advice(max(self.cost, 20.0), True)
            if self.dtype == np.float64:
                return Advice(self._what_is_left())
            self.dtype = np.float64
        return self._renew(state, h, h_then)

    def _wait(self, left):
        """Return the passes to wait, once, where the end seems near."""
        if self.count or self.waited or not left < _NEAR * self.cost:
            return 0.0
        self.waited = True
        return _LONGER * max(left, 1.0)

    def _make_plan(self, state):
        self.plan = make_plan(self.A, self.p, self.intercept)
        state["passes"] += 3
        self.cost = np.inf
        if self.plan.q <= _COLUMNS:
            cost = factor_time(self.plan.updates, self.plan.q)
            self.cost = cost / self.pass_time

    def _what_is_left(self):
        """Return the last budget: rows of six decades went on for ever."""
        if not self.alternative:
            return np.inf
        self.last, given = 0.0, self.last
        return given

    def _renew(self, state, h, h_then):
        """Make a factor, in float64 where it is not positive in float32."""
        for dtype in (self.dtype, np.float64):
            self.dtype = dtype
            self.count += 1
            self.factor = factorize(
                self.A, h, self.l2, self.intercept, self.plan, dtype
            )
            if self.factor is not None:
                break
            if dtype == np.float64:
                self.cost = np.inf
                return Advice(np.inf)
        h_then[:] = h
        self.since = float(state["passes"])
        # pairs of another metric help no more; after a few factors nothing
        # but Newton's method itself
        return Advice(max(self.cost, 8.0), self.count > 4)
