r"""The logistic loss, its gradient and curvature: the only ones in NumPy here.

For margins :math:`m_i = y_i (x_i^\top w + b)` the loss is
:math:`\sum_i \log(1 + e^{-m_i})`. Everything below works on the margins, so
that ``X @ w`` is computed once and passed on, and is exact to rounding for
any finite margin (at ``m = -800`` the naive formula overflows).
"""
import numpy as np
from scipy import sparse
from scipy.special import expit

# Rows (or columns) that are converted to float64 at once: 32 MB of a
# dense block. The certificate then never holds a second copy of X.
_BLOCK_BYTES = 32 * 2**20


def log_loss(margins):
    """Sum of log(1 + exp(-m)).

    Parameters
    ----------
    margins : array of shape (n_samples,), float64

    Returns
    -------
    float
    """
    return float(np.logaddexp(0.0, -margins).sum())


def dual_weights(margins):
    """Minus the derivative of the loss in each margin, sigmoid(-m).

    Returns an array of shape (n_samples,) with values in [0, 1].
    """
    return expit(-margins)


def curvature(margins):
    """Second derivative of the loss in each margin, in [0, 1/4]."""
    return expit(margins) * expit(-margins)


def gradient(X, y, margins):
    """Gradient of the loss in w and in the intercept.

    Returns
    -------
    grad_coef : array of shape (n_features,), float64
    grad_intercept : float
    """
    residual = -y * dual_weights(margins)
    return rmatvec(X, residual), float(residual.sum())


def predict_margins(X, y, coef, intercept=0.0):
    """Margins y * (X @ coef + intercept), in float64 whatever X is."""
    return y * (matvec(X, coef) + intercept)


def _blocks(X):
    """Slices of X along its contiguous axis, and that axis.

    float64 data is one block: nothing is converted, so nothing is copied.
    """
    by_rows = (
        X.format == "csr" if sparse.issparse(X) else X.flags.c_contiguous
    )
    axis = 0 if by_rows else 1
    length, across = X.shape[axis], max(X.shape[1 - axis], 1)
    if X.dtype == np.float64:
        step = max(length, 1)
    else:
        step = max(_BLOCK_BYTES // (8 * across), 1)
    return axis, [
        slice(start, min(start + step, length))
        for start in range(0, length, step)
    ]


def matvec(X, v):
    """X @ v in float64.

    Parameters
    ----------
    X : array or CSR or CSC matrix of shape (n_samples, n_features)
        float64 or float32; float32 is converted block by block.
    v : array of shape (n_features,), float64
    """
    axis, blocks = _blocks(X)
    if axis == 0:
        parts = [_as_float64(X[rows]) @ v for rows in blocks]
        return np.concatenate(parts)
    out = np.zeros(X.shape[0])
    for cols in blocks:
        out += _as_float64(X[:, cols]) @ v[cols]
    return out


def rmatvec(X, v):
    """X.T @ v in float64; v has shape (n_samples,)."""
    axis, blocks = _blocks(X)
    if axis == 1:
        parts = [_as_float64(X[:, cols]).T @ v for cols in blocks]
        return np.concatenate(parts)
    out = np.zeros(X.shape[1])
    for rows in blocks:
        out += _as_float64(X[rows]).T @ v[rows]
    return out


def _as_float64(block):
    return block.astype(np.float64, copy=False)
