r"""The logistic loss, its gradient and curvature: the only ones in NumPy here.

For margins :math:`m_i = y_i (x_i^\top w + b)` the loss is
:math:`\sum_i \log(1 + e^{-m_i})`. Everything below works on the margins, so
that ``X @ w`` is computed once and passed on, and is exact to rounding for
any finite margin (at ``m = -800`` the naive formula overflows).
"""
import numpy as np
from scipy.special import expit

from benchmark_utils.problem.products import matvec, rmatvec


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
