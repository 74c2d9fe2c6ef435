"""What a fit ends with."""
from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """Why a fit, or a part of one, has ended.

    Compiled code takes the names below, which are plain numbers.
    """

    #: not a problem for this kernel; nothing was computed
    NOT_HERE = -1
    #: the certified gap is within the tolerance
    REACHED = 0
    #: rounding in float64 allows no more progress
    FLOAT64_LIMIT = 1
    #: `max_iter` iterations were taken
    ITERATION_LIMIT = 2
    #: float32 or a sample of the rows is not enough: a careful method is to
    #: go on
    NEEDS_CARE = 3
    #: the budget of passes is spent: another method may be faster
    SLOW = 4
    #: the gradient is as large as its own rounding: a new one is needed
    NOISY = 5


NOT_HERE = int(Status.NOT_HERE)
REACHED = int(Status.REACHED)
FLOAT64_LIMIT = int(Status.FLOAT64_LIMIT)
ITERATION_LIMIT = int(Status.ITERATION_LIMIT)
NEEDS_CARE = int(Status.NEEDS_CARE)
SLOW = int(Status.SLOW)
NOISY = int(Status.NOISY)

#: of those that a whole fit can end with
WORDS = {
    REACHED: "reached the tolerance",
    FLOAT64_LIMIT: "stopped at the accuracy that float64 allows",
    ITERATION_LIMIT: "stopped at max_iter iterations",
}


class Problem(NamedTuple):
    """A problem that was checked, in the one layout that kernels take."""

    #: array of shape (n_samples, n_features), float64 or float32, or CSR
    X: object
    #: array of shape (n_samples,), -1.0 and +1.0
    y: object
    #: lambda2, positive
    l2: float
    #: whether an intercept is fitted, which is not penalized
    intercept: bool
    #: the certified relative gap to reach; where the penalty is not convex,
    #: the violation of stationarity in units of lambda1
    tol: float
    #: directions with a step along each, at most
    max_iter: int
    #: whether X may be copied in float32 or half precision
    float32_copy: bool
    #: lambda1
    l1: float = 0.0
    #: beside lambda2's, see `penalties`; None without one
    penalty: object = None
    #: array of shape (n_samples,), positive, float64; None where each is 1
    weights: object = None

    @property
    def is_convex(self):
        """Whether there is a duality gap, and not a violation only."""
        return self.penalty is None or self.penalty.is_convex

    def goal(self, value):
        """Return the gap to reach where F is `value`, or the violation."""
        return self.tol * (value if self.is_convex else self.l1)


class Outcome(NamedTuple):
    """A point, what is certified of it, and what it took."""

    #: array of shape (n_features + intercept,), the intercept last
    x: object
    status: int
    #: a bound of the duality gap at x in exact arithmetic; where the penalty
    #: is not convex, of the violation
    gap: float
    #: F at x
    value: float
    #: iterations, passes over X, Gram matrices, products with the Hessian
    counts: tuple
    #: the name of the method, and why it was chosen
    regime: str
    why: str
