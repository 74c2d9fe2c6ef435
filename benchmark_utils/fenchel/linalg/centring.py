"""Centre the columns that are far from zero, where there is an intercept.

An intercept that is not penalized takes up what is subtracted from a column,
so the problem is the same. In floating point it is not: timestamps or years
beside their spread leave few digits for it.
"""
import numpy as np

# A column is far from zero where its middle is more than so many times its
# range; below this all methods do as well without
_FAR = 30.0
# Rows that are looked at first
_ROWS = 16


def _middles(X):
    """Return the middle of each column, 0 where it is not far from zero."""
    low, high = X.min(axis=0), X.max(axis=0)
    low, high = low.astype(np.float64), high.astype(np.float64)
    # entries may not be finite: that is found out later
    with np.errstate(over="ignore", invalid="ignore"):
        middle = low + 0.5 * (high - low)
        return np.where(np.abs(middle) > _FAR * (high - low), middle, 0.0)


def centre_columns(X):
    """Subtract the middle of the columns that are far from zero.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Not changed.

    Returns
    -------
    centred : array like X, float64, or None
        None where no column is far from zero.
    middles : array of shape (n_features,), float64, or None
        What was subtracted, zero for the other columns.
    """
    # most data are known from a few rows, at 1 % of a pass
    if not _middles(X[::max(1, len(X) // _ROWS)]).any():
        return None, None
    middles = _middles(X)
    if not middles.any():
        return None, None
    return X.astype(np.float64) - middles, middles


def shifted_intercept(x, middles):
    """Return the intercept of the columns as they are, rounded.

    Parameters
    ----------
    x : array of shape (n_features + 1,), float64
        Coefficients and intercept of the centred columns.
    middles : array of shape (n_features,), float64

    Returns
    -------
    intercept : float
    left : float
        The intercept of the centred columns that it stands for.
    """
    moved = middles.astype(np.longdouble) @ x[:-1].astype(np.longdouble)
    intercept = float(np.longdouble(x[-1]) - moved)
    return intercept, float(np.longdouble(intercept) + moved)
