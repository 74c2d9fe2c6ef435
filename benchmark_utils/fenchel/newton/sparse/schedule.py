"""When a sparse fit is preconditioned by a factor, and what it may spend."""
import numpy as np

from ...linalg.elimination import make_plan
from ...linalg.sparse_cholesky import factorize

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
# Factors in float32, and in all: then nothing helps but another method
_SINGLE, _TRIES = 2, 6
# Passes after a factor at least
_LEAST = 8.0


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
    """Passes to spend, and a factor whenever as many were spent as it costs.

    That never takes more than twice the time of the better choice, and asks
    nothing about the condition of the problem. Without it grants takes 2.5 to
    35 times as long at l2 = 0.01 and 1e-4, movielens 2.5 to 4 times, five
    categories of few levels 1.8; nothing changes for text.
    """

    def __init__(self, A, p, problem, since, alternative):
        self.A, self.p = A, p
        #: whether another method can take over
        self.alternative = alternative
        self.l2, self.intercept = problem.l2, problem.intercept
        self.plan = self.factor = None
        self.dtype = np.float32
        #: factors that were tried, and passes when the last was made
        self.count, self.since = 0, since
        self.waited = False
        self.pass_time = pass_time(len(A[0]), len(A[2]) - 1, p)
        # of a factor without elimination, whose plan costs three passes
        lengths = np.diff(A[2]).astype(np.float64)
        cost = factor_time(0.5 * float(lengths @ lengths), p)
        #: of a factor, in passes
        self.cost = min(max(cost / self.pass_time, _FEWEST), _MOST)

    def next(self, state, left, h):
        """Return the passes to go on with, 0.0 where another method is to.

        Parameters
        ----------
        state : record of `state.STATE`
            The passes are added to.
        left : float
            Passes to the tolerance at the rate so far.
        h : array of shape (n,)
            The curvatures.
        """
        while True:
            budget = self.cost - (state["passes"] - self.since)
            if self.plan and budget > 1.0:
                return budget
            if not (self.count or self.waited) and left < _NEAR * self.cost:
                self.waited = True
                return _LONGER * max(left, 1.0)
            if self.plan:
                return self._factorize(state, h)
            self.plan = make_plan(self.A, self.p, self.intercept)
            state["passes"] += 3
            self.cost = np.inf
            if self.plan.q <= _COLUMNS:
                cost = factor_time(self.plan.updates, self.plan.q)
                self.cost = cost / self.pass_time

    def _factorize(self, state, h):
        """Make a factor, in float64 where it is not positive in float32."""
        if self.count == _TRIES:
            return 0.0 if self.alternative else np.inf
        self.count += 1
        if self.count > _SINGLE:
            self.dtype = np.float64
        self.since = float(state["passes"])
        arguments = self.A, h, self.l2, self.intercept, self.plan
        self.factor = factorize(*arguments, self.dtype)
        if self.factor is None:
            self.dtype = np.float64
            self.factor = factorize(*arguments, self.dtype)
        if self.factor is None:
            self.cost = np.inf
        return max(self.cost, _LEAST)
