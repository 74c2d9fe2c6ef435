"""Many independent problems as one: F is their sum, and so is the gap.

A batch is a block-diagonal problem whose blocks have an intercept each. Its
coefficients stand one after the other in one vector, its certificate is the
sum of the problems' certificates.
"""
import numpy as np

from benchmark_utils.fenchel.validation import (
    DataError,
    check_design,
    check_labels,
)
from benchmark_utils.problem.certificate import (
    Certificate,
    certify,
    lambda1_max,
)


class ManyProblems:
    """The designs of a batch.

    Parameters
    ----------
    designs : sequence of arrays of shape (n_k, p_k)
    """

    def __init__(self, designs):
        self.designs = list(designs)
        rows = [len(X) for X in self.designs]
        columns = [np.shape(X)[1] for X in self.designs]
        #: samples [rows[k]:rows[k + 1]] belong to problem k
        self.row_offsets = np.concatenate([[0], np.cumsum(rows)])
        #: and the coefficients [feature_offsets[k]:feature_offsets[k + 1]]
        self.feature_offsets = np.concatenate([[0], np.cumsum(columns)])
        self.shape = (
            int(self.row_offsets[-1]), int(self.feature_offsets[-1])
        )

    @property
    def n_problems(self):
        return len(self.designs)

    def split(self, y):
        """(X, y) of each problem, y being the labels of all."""
        for k, X in enumerate(self.designs):
            yield X, y[self.row_offsets[k]:self.row_offsets[k + 1]]


def clean_many(many, y):
    """Check each problem as a single one is checked.

    Returns
    -------
    (ManyProblems, array of -1 and +1 for all samples)

    Raises
    ------
    DataError
        Naming the problem that is wrong.
    """
    if many.n_problems == 0 or len(y) != many.shape[0]:
        raise DataError(
            f"{many.n_problems} problems with {many.shape[0]} samples, and "
            f"{len(y)} labels."
        )
    designs, labels = [], []
    for k, (X, y_k) in enumerate(many.split(np.asarray(y))):
        try:
            X = check_design(X)
            labels.append(check_labels(y_k, X.shape[0])[0])
        except DataError as error:
            raise DataError(f"problem {k}: {error}") from error
        designs.append(X)
    return ManyProblems(designs), np.concatenate(labels)


def lambda1_max_many(many, y, fit_intercept):
    """Return the median of the problems' lambda1_max.

    One lambda1 is for all of a batch: at 0.1 of the median hardly any problem
    has the solution zero, and hardly any is without a penalty.
    """
    return float(np.median([
        lambda1_max(X, y_k, fit_intercept) for X, y_k in many.split(y)
    ]))


def certify_many(
    many, y, coef, intercept, lmbd1, lmbd2, fit_intercept, sizes=None
):
    """Add up the problems' values and gaps, take the largest violation.

    `sizes` are `products.measure` of each design, for who certifies many
    points.
    """
    intercept = np.broadcast_to(intercept, many.n_problems)
    points = [
        certify(
            X, y_k, coef[first:last], b, lmbd1, lmbd2, fit_intercept, size
        )
        for (X, y_k), first, last, b, size in zip(
            many.split(y), many.feature_offsets[:-1],
            many.feature_offsets[1:], intercept,
            sizes or [None] * many.n_problems, strict=True,
        )
    ]
    return Certificate(
        sum(point.value for point in points),
        sum(point.gap for point in points),
        max(point.kkt for point in points),
        sum(point.rounding for point in points),
    )
