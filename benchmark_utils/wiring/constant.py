"""Find columns that some libraries leave out."""
import numpy as np
from scipy import sparse

from benchmark_utils.problem.batches import ManyProblems


def has_constant(X):
    """Whether a column has the same value, not zero, in all samples.

    Of a batch: whether one of its problems has such a column.
    """
    if isinstance(X, ManyProblems):
        return any(has_constant(one) for one in X.designs)
    low, high = X.min(axis=0), X.max(axis=0)
    if sparse.issparse(X):
        low, high = low.toarray(), high.toarray()
    return bool(np.any((low == high) & (low != 0)))
