"""Column scalings that datasets offer as a parameter."""
import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import (
    inplace_column_scale,
    mean_variance_axis,
    min_max_axis,
)

SCALINGS = ("raw", "standardized", "maxabs")
# Entries that are treated at once, 1 MB of float64: they stay in the cache
BLOCK = 2**17


def check_scaling(scaling):
    """Raise a ValueError for a scaling that does not exist."""
    if scaling not in SCALINGS:
        raise ValueError(
            f"scaling={scaling!r} is unknown: choose among "
            f"{', '.join(SCALINGS)}."
        )


def scale_columns(X, scaling):
    """Scale the columns of X; `scale_together` without test samples."""
    return scale_together(X, None, scaling)[0]


def scale_together(X, X_test, scaling, copy=True):
    """Scale the columns of X, and those of X_test by the same numbers.

    "standardized": mean 0 and variance 1 in X; sparse data are divided by
    the standard deviation and never centred, which would fill their zeros.
    "maxabs": the largest absolute value is 1 in X. A constant column (for
    "maxabs": a zero one) becomes zero, or stays what it is where X is
    sparse.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features)
    X_test : array, CSR or CSC matrix of shape (n_test, n_features), or None
    scaling : {"raw", "standardized", "maxabs"}
    copy : bool
        False to write into X and X_test; otherwise they are not changed,
        except that "raw" returns them as they are.

    Returns
    -------
    X, X_test
        float64 or float32, what they were.

    Raises
    ------
    ValueError
        For another `scaling`.
    """
    check_scaling(scaling)
    if scaling == "raw":
        return X, X_test
    statistics = _sparse_spread if sparse.issparse(X) else _dense_spread
    mean, spread = statistics(X, scaling)
    return tuple(
        None if part is None else _apply(part, mean, spread, copy)
        for part in (X, X_test)
    )


def _dense_spread(X, scaling):
    """Means (None for "maxabs") and divisors of the columns."""
    low, high = X.min(axis=0), X.max(axis=0)
    if scaling == "maxabs":
        spread = np.maximum(high, -low)
        return None, np.where(spread > 0, spread, 1)
    mean = X.mean(axis=0, dtype=np.float64)
    squares = np.zeros(X.shape[1])
    # By blocks, since `X.std` makes a copy of X
    step = max(BLOCK // X.shape[1], 1)
    for start in range(0, X.shape[0], step):
        block = X[start:start + step] - mean
        squares += np.einsum("ij,ij->j", block, block)
    spread = np.sqrt(squares / X.shape[0])
    # The mean of a constant column is rounded, so its spread may not be zero
    constant = low == high
    return np.where(constant, low, mean), np.where(constant, 1, spread)


def _sparse_spread(X, scaling):
    low, high = _sparse_extremes(X)
    if scaling == "maxabs":
        spread = np.maximum(high, -low)
        return None, np.where(spread > 0, spread, 1)
    _, variance = mean_variance_axis(X, axis=0)
    return None, np.where(low == high, 1, np.sqrt(variance))


def _sparse_extremes(X):
    """Smallest and largest entry of each column."""
    if X.format == "csc":
        return min_max_axis(X, axis=0)
    # scikit-learn's would make a CSC copy of X
    n_samples, n_features = X.shape
    full = np.bincount(X.indices, minlength=n_features) == n_samples
    low = np.where(full, np.inf, 0).astype(X.dtype)
    np.minimum.at(low, X.indices, X.data)
    high = np.where(full, -np.inf, 0).astype(X.dtype)
    np.maximum.at(high, X.indices, X.data)
    return low, high


def _apply(X, mean, spread, copy):
    if copy:
        X = X.copy("K") if isinstance(X, np.ndarray) else X.copy()
    spread = spread.astype(X.dtype, copy=False)
    if sparse.issparse(X) and X.format == "csc":
        inplace_column_scale(X, 1 / spread)
        return X
    if sparse.issparse(X):
        # By blocks, since scikit-learn's takes 16 bytes an entry
        for start in range(0, X.nnz, BLOCK):
            part = slice(start, start + BLOCK)
            X.data[part] /= spread[X.indices[part]]
        return X
    if mean is not None:
        X -= mean.astype(X.dtype, copy=False)
    X /= spread
    return X
