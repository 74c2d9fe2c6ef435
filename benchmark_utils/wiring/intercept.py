"""An intercept as one more column of ones, last, for solvers that want it."""
import numpy as np
from scipy import sparse


def append_ones(X, fit_intercept):
    """X with a column of ones appended, or X itself without an intercept.

    Dense C and F order, CSR and CSC stay what they are.
    """
    if not fit_intercept:
        return X
    ones = np.ones((X.shape[0], 1), dtype=X.dtype)
    if sparse.issparse(X):
        return sparse.hstack([X, ones], format=X.format)
    order = "C" if X.flags.c_contiguous else "F"
    return np.asarray(np.hstack([X, ones]), order=order)


def split_intercept(x, fit_intercept):
    """(coef, intercept) of the coefficients of `append_ones(X)`."""
    if not fit_intercept:
        return x, 0.0
    return x[:-1], float(x[-1])


def ridge_diagonal(n_columns, lmbd2, fit_intercept):
    """lambda2 for every column, zero for the column of ones."""
    ridge = np.full(n_columns, float(lmbd2))
    if fit_intercept:
        ridge[-1] = 0.0
    return ridge
