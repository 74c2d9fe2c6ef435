"""What a fit ends with."""
from enum import IntEnum


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
