r"""How far is (w, b) from the optimum? Answered without knowing the optimum.

The problem is

.. math::
    F(w, b) = \sum_i \log(1 + e^{-m_i}) + \lambda_1 \|w\|_1
              + \tfrac{\lambda_2}{2} \|w\|_2^2,
    \qquad m_i = y_i (x_i^\top w + b).

For every :math:`a \in [0, 1]^n` (with :math:`\sum_i y_i a_i = 0` where there
is an intercept, and :math:`\|v\|_\infty \le \lambda_1` where
:math:`\lambda_2 = 0`; :math:`v = X^\top (y a)`) the number

.. math::
    D(a) = -\sum_i [a_i \log a_i + (1 - a_i) \log(1 - a_i)]
           - \frac{\|\mathrm{soft}(v, \lambda_1)\|^2}{2 \lambda_2}

is at most the minimum of F (Fenchel-Rockafellar duality). ``a = sigmoid(-m)``
is optimal at the optimum, so ``F - D`` goes to zero with the error of w.

The gap ``F - D`` is not computed as a difference, which would lose all digits
below ``eps * F``, but as the sum of its Fenchel-Young terms, each of them
non-negative: one Kullback-Leibler divergence a sample, one term a feature.

References
----------
R. T. Rockafellar, Convex Analysis, 1970, section 31.
S.-J. Kim, K. Koh, M. Lustig, S. Boyd and D. Gorinevsky, "An interior-point
method for large-scale l1-regularized least squares", IEEE JSTSP 1(4), 2007,
doi:10.1109/JSTSP.2007.910971 (the scaling for lambda2 = 0).
"""
from typing import NamedTuple

import numpy as np

from benchmark_utils.problem.loss import (
    dual_weights,
    log_loss,
    predict_margins,
    rmatvec,
)


class Certificate(NamedTuple):
    """What is known about a point (w, b); sums over the samples, no means.

    Attributes
    ----------
    value : float
        F(w, b).
    gap : float
        F(w, b) minus `lower_bound`; at most `value`.
    kkt : float
        The largest violation of the optimality conditions, in units of the
        gradient of F.
    """

    value: float
    gap: float
    kkt: float

    @property
    def lower_bound(self):
        """A number that the minimum of F is never below."""
        return self.value - self.gap

    @property
    def relative_gap(self):
        """(F - lower bound) / F, in [0, 1]."""
        return self.gap / self.value if self.value > 0 else 0.0


def certify(X, y, coef, intercept, lmbd1, lmbd2, fit_intercept):
    """Certify the point (coef, intercept).

    Parameters
    ----------
    X : array or CSR or CSC matrix of shape (n_samples, n_features)
    y : array of shape (n_samples,), values -1 and +1
    coef : array of shape (n_features,), float64
    intercept : float
    lmbd1, lmbd2 : float
        Not both zero, and neither negative.
    fit_intercept : bool

    Returns
    -------
    Certificate
        Entries that are not finite mean that F overflowed at this point.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _certify(X, y, coef, intercept, lmbd1, lmbd2, fit_intercept)


def _certify(X, y, coef, intercept, lmbd1, lmbd2, fit_intercept):
    margins = predict_margins(X, y, coef, intercept)
    weights = dual_weights(margins)
    value = (
        log_loss(margins)
        + lmbd1 * np.abs(coef).sum()
        + 0.5 * lmbd2 * (coef @ coef)
    )
    # y @ weights is minus the derivative of F in the intercept
    imbalance = float(y @ weights)
    v = rmatvec(X, y * weights)
    kkt = _kkt(v, coef, lmbd1, lmbd2)
    if fit_intercept:
        kkt = max(kkt, abs(imbalance))

    # `scale` makes scale * weights dual feasible.
    scale = np.ones_like(y, dtype=np.float64)
    if fit_intercept:
        scale = _balance(y, weights)
        v = rmatvec(X, y * weights * scale)
    gaps = [value]  # a = 0 is always feasible, and its bound is 0
    if lmbd2 > 0:
        gaps.append(
            _loss_gap(margins, weights, scale)
            + _penalty_gap(v, coef, lmbd1, lmbd2)
        )
    largest = np.abs(v).max()
    if lmbd1 > 0 and (lmbd2 == 0 or largest > lmbd1):
        shrink = min(1.0, lmbd1 / largest) if largest > 0 else 1.0
        gaps.append(
            _loss_gap(margins, weights, scale * shrink)
            + _penalty_gap(v * shrink, coef, lmbd1, lmbd2)
        )
    return Certificate(value, float(np.min(gaps)), float(kkt))


def _balance(y, weights):
    """Scale the heavier class down, so that sum(y * weights) is zero."""
    positive = y > 0
    mass_pos = weights[positive].sum()
    mass_neg = weights[~positive].sum()
    heavier = max(mass_pos, mass_neg)
    if heavier == 0.0:
        return np.ones(len(y))
    ratio = min(mass_pos, mass_neg) / heavier
    return np.where(positive == (mass_pos > mass_neg), ratio, 1.0)


def _loss_gap(margins, weights, scale):
    """Sum of KL(scale * weights || weights), weights = sigmoid(-margins).

    With s a weight and c its scale: c s log c + (1 - c s) log1p((1 - c)
    exp(-m)), the last factor taken in logarithms so that no margin overflows.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        dual = scale * weights
        log_scale = np.where(scale > 0, np.log(scale), 0.0)
        rest = np.logaddexp(0.0, np.log1p(-scale) - margins)
    terms = dual * log_scale + (1.0 - dual) * rest
    return float(np.maximum(terms, 0.0).sum())


def _penalty_gap(v, coef, lmbd1, lmbd2):
    """Fenchel-Young gap of the penalty at (coef, v), feature by feature."""
    if lmbd2 == 0:
        terms = lmbd1 * np.abs(coef) - v * coef
    else:
        outside = np.abs(v) - lmbd1
        best = np.sign(v) * np.maximum(outside, 0.0) / lmbd2
        terms = np.where(
            outside > 0,
            0.5 * lmbd2 * (coef - best) ** 2
            + lmbd1 * (np.abs(coef) - np.sign(v) * coef),
            0.5 * lmbd2 * coef**2 + lmbd1 * np.abs(coef) - v * coef,
        )
    return float(np.maximum(terms, 0.0).sum())


def _kkt(v, coef, lmbd1, lmbd2):
    """Distance of zero from the subdifferential of F in w (max norm)."""
    smooth = lmbd2 * coef - v
    violation = np.where(
        coef != 0,
        np.abs(smooth + lmbd1 * np.sign(coef)),
        np.maximum(np.abs(smooth) - lmbd1, 0.0),
    )
    return violation.max()


def lambda1_max(X, y, fit_intercept):
    """The smallest lambda1 for which w = 0 is optimal (for any lambda2).

    The largest entry of the loss's gradient at w = 0, with an intercept
    taken at the best intercept-only model, whose probability is the share of
    the positive class.
    """
    if fit_intercept:
        share = (y > 0).mean()
        residual = (y > 0) - share
    else:
        residual = y / 2
    return float(np.abs(rmatvec(X, np.asarray(residual, float))).max())
