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

What is certified holds in exact arithmetic: to the gap that is computed comes
a bound of its rounding. The dual point is a = c sigmoid(-m) for the margins m
that were computed, so the rounding can enter in these ways only. An error d
of a margin adds at most d^2 / 8 to its divergence, plus (1 - c) a |d| where a
weight is scaled by c. An error e of an entry of v adds at most
(|lambda2 w - soft(v)| |e| + e^2 / 2) / lambda2, or |w e| where lambda2 = 0.
The balance sum(y a) = 0 holds for a c a little smaller than computed. By
Cauchy and Schwarz d and e are at most u times additions in a row times the
norms of the columns times those of w or a (`products.Sizes`).

Where that bound matters all is evaluated again with 90 bits
(`long_arithmetic`), where it is nothing.

References
----------
R. T. Rockafellar, Convex Analysis, 1970, section 31.
S.-J. Kim, K. Koh, M. Lustig, S. Boyd and D. Gorinevsky, "An interior-point
method for large-scale l1-regularized least squares", IEEE JSTSP 1(4), 2007,
doi:10.1109/JSTSP.2007.910971 (the scaling for lambda2 = 0).
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 2002,
chapter 3, doi:10.1137/1.9780898718027.
"""
import math
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from benchmark_utils.problem import long_arithmetic as pairs
from benchmark_utils.problem.loss import dual_weights, log_loss
from benchmark_utils.problem.products import matvec, measure, rmatvec

UNIT = 2.0**-53
# Additions that NumPy's pairwise sum of non-negative numbers may put in a
# row, and the roundings of a sigmoid: for sums of weights
_SUM_DEPTH = 64
# The rounding matters above this share of the gap and, at once, of F
SHARE_OF_GAP, SHARE_OF_VALUE = 0.1, 1e-13
# and F is evaluated again where it is not known to this
VALUE_ERROR = 1e-9


class Certificate(NamedTuple):
    """What is known about a point (w, b); sums over the samples, no means.

    Attributes
    ----------
    value : float
        F(w, b); not known better than to a relative 1e-9 by its bound, to
        1e-13 in practice, so as much of `relative_gap` (not of F) is unknown.
    gap : float
        At least F(w, b) minus the minimum of F, in exact arithmetic; at most
        `value`. It is no difference from `value`.
    kkt : float or None
        The largest violation of the optimality conditions, in units of the
        gradient of F; None where the penalty has no distance of its own.
    rounding : float
        What of the gap is the bound of rounding.
    """

    value: float
    gap: float
    kkt: float | None
    rounding: float = 0.0

    @property
    def lower_bound(self):
        """A number that the minimum of F is never below."""
        return self.value - self.gap

    @property
    def relative_gap(self):
        """(F - lower bound) / F, in [0, 1]."""
        return self.gap / self.value if self.value > 0 else 0.0

    def metrics(self, n_samples, lmbd1):
        """What the benchmark reports, sums divided by `n_samples`."""
        found = dict(
            value=self.value / n_samples,
            lower_bound=self.lower_bound / n_samples,
            relative_gap=self.relative_gap,
        )
        if self.kkt is not None:
            found["kkt"] = self.kkt / n_samples
        return found


class Point(NamedTuple):
    """A point, evaluated in one arithmetic."""

    value: float
    #: how wrong the value may be by the margins' errors
    value_error: float
    margins: np.ndarray
    #: bounds of the margins' errors: one each, or one of their norm
    margin_errors: np.ndarray
    #: sigmoid(-margins)
    weights: np.ndarray
    #: the parts of the samples (masks) whose weights are scaled, and factors
    #: not larger than those that balance the classes
    scaled: list
    #: X'(y a), an array or a pair of them, and bounds of its errors
    v: np.ndarray | tuple
    v_errors: np.ndarray
    #: how far v may be from that of exact margins: no error, as a is feasible
    #: in any case, but a gap that may be larger than need be
    v_drift: np.ndarray | float


def certify(
    X, y, coef, intercept, lmbd1, lmbd2, fit_intercept, sizes=None
):
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
    sizes : products.Sizes, optional
        `measure(X)`, for who certifies many points.

    Returns
    -------
    Certificate
        Entries that are not finite mean that F overflowed at this point.
    """
    with np.errstate(all="ignore"):
        sizes = measure(X) if sizes is None else sizes
        problem = X, y, coef, intercept, sizes, fit_intercept, lmbd1, lmbd2
        point, kkt = evaluate(*problem)
        gap, rounding, doubt = _gap(point, coef, lmbd1, lmbd2)
        if point.value_error > VALUE_ERROR * point.value or doubt > max(
            SHARE_OF_GAP * (gap - rounding), SHARE_OF_VALUE * point.value
        ):
            longer = evaluate_longer(*problem)
            *again, _ = _gap(longer, coef, lmbd1, lmbd2)
            if np.isfinite([longer.value, *again]).all():
                # rounding may have made a dual point that is better by chance
                if gap == point.value or again[0] < gap:
                    gap, rounding = again
                point = longer
    return Certificate(point.value, gap, kkt, rounding)


def _penalty(coef, lmbd1, lmbd2):
    return float(
        lmbd1 * np.abs(coef).sum() + 0.5 * lmbd2 * (coef @ coef)
    )


def evaluate(X, y, coef, intercept, sizes, fit_intercept, lmbd1, lmbd2):
    """Evaluate a point in float64; also the violation of optimality."""
    margins = y * (matvec(X, coef) + intercept)
    weights = dual_weights(margins)
    error = 1.01 * UNIT * (sizes.feature_depth + 4) * length(
        sizes.norms, coef, intercept, len(y)
    )
    size = norm(weights)
    residual = y * weights
    v = rmatvec(X, residual)
    kkt = _kkt(v, coef, lmbd1, lmbd2)
    scaled = [(slice(None), 1.0)]
    depth = sizes.sample_depth + 10
    if fit_intercept:
        # y @ weights is minus the derivative of F in the intercept
        kkt = max(kkt, abs(float(residual.sum())))
        masses = weights @ (y > 0), weights @ (y < 0)
        heavy = y > 0 if masses[0] > masses[1] else y < 0
        ratio = min(masses) / max(masses) if max(masses) > 0 else 1.0
        v = rmatvec(X, np.where(heavy, ratio * residual, residual))
        scaled = _factors(heavy, ratio, 2 * _SUM_DEPTH * UNIT)
        depth += 2 * _SUM_DEPTH
    return Point(
        log_loss(margins) + _penalty(coef, lmbd1, lmbd2),
        size * error + error * error / 8,
        margins, np.float64(error), weights, scaled,
        v, 1.01 * depth * UNIT * size * sizes.norms,
        error / 4 * sizes.norms,
    ), float(kkt)


def evaluate_longer(
    X, y, coef, intercept, sizes, fit_intercept, lmbd1, lmbd2
):
    """Evaluate a point with `long_arithmetic`."""
    products = pairs.matvec(X, (coef, np.zeros_like(coef)))
    products = pairs.add(products, (np.full(len(y), float(intercept)), 0.0))
    margins = y * products[0]
    weights = pairs.sigmoid((-margins, -y * products[1]))
    size = norm(weights[0])
    scaled = [(slice(None), 1.0)]
    if fit_intercept:
        scaled, weights = _balance_longer(y, weights)
    v = pairs.rmatvec(X, (y * weights[0], y * weights[1]))
    # what a margin loses as one float64, and what its pair may be wrong by
    errors = 2 * UNIT * np.abs(margins) + pairs.UNIT * length(
        sizes.norms, coef, intercept, len(y)
    )
    return Point(
        math.fsum(np.logaddexp(0.0, -margins)) + _penalty(coef, lmbd1, lmbd2),
        0.0,
        margins, errors, dual_weights(margins), scaled,
        v, 4 * pairs.UNIT * size * sizes.norms, 0.0,
    )


def norm(values):
    """Return the Euclidean norm, which BLAS takes without underflow."""
    return float(np.linalg.norm(values))


def length(norms, coef, intercept, n_samples):
    """Bound the norm of the vector whose entries are |x_i|'|w| + |b|."""
    absolute = np.abs(coef)
    return min(float(norms @ absolute), norm(norms) * norm(coef)) + (
        abs(float(intercept)) * math.sqrt(n_samples)
    )


def _balance_longer(y, weights):
    """Scale the heavier class down; return its factor and the weights."""
    masses = [
        pairs.total((weights[0][part], weights[1][part]))
        for part in (y > 0, y < 0)
    ]
    heavy = y > 0 if masses[0] > masses[1] else y < 0
    lighter, heavier = sorted(masses)
    ratio = pairs.divide(lighter, heavier) if heavier[0] > 0 else (1.0, 0.0)
    scaled = pairs.multiply(weights, ratio)
    return _factors(heavy, ratio[0], 4 * UNIT), (
        np.where(heavy, scaled[0], weights[0]),
        np.where(heavy, scaled[1], weights[1]),
    )


def _factors(heavy, ratio, error):
    """Return the parts of the samples and factors below the true ones.

    `ratio` has a relative error. A divergence grows as its factor falls, so
    that of a factor too small is a bound; near 1 either class may be the one
    to be scaled, so both are.
    """
    ratio = float(ratio)
    if ratio > 1.0 - 2 * error:
        return [(slice(None), ratio * (1.0 - 2 * error))]
    return [(heavy, ratio * (1.0 - error)), (~heavy, 1.0)]


def _gap(point, coef, lmbd1, lmbd2):
    """Return a bound of F minus its minimum, its rounding and its doubt.

    The doubt is what longer arithmetic may gain.
    """
    # weights of zero are always feasible, and their bound is zero
    gaps, bounds, doubts = [point.value], [point.value], [0.0]
    # factors of the weights, and those that v without errors would allow
    factors = [(1.0, 1.0)] if lmbd2 > 0 else []
    sizes = np.abs(point.v[0] if isinstance(point.v, tuple) else point.v)
    largest = sizes.max() * (1 + 8 * UNIT)
    bound = (sizes + point.v_errors).max() * (1 + 8 * UNIT)
    if lmbd1 > 0 and (lmbd2 == 0 or bound > lmbd1):
        factors.append((
            lmbd1 / bound * (1 - 4 * UNIT) if bound > lmbd1 else 1.0,
            lmbd1 / largest if largest > lmbd1 else 1.0,
        ))
    for factor, allowed in factors:
        loss, loss_rounding = loss_gap(point, factor)
        penalty, penalty_rounding, drift = _penalty_gap(
            point, factor, coef, lmbd1, lmbd2
        )
        gaps.append(loss + penalty)
        # some units for the functions and the pairwise sums of their values
        bounds.append(
            gaps[-1] * (1 + 100 * UNIT) + loss_rounding + penalty_rounding
        )
        # the bound is concave in the factor, and zero for zero
        shrunk = max(point.value - gaps[-1], 0.0) * (allowed / factor - 1.0)
        doubts.append(drift + shrunk)
    gap = float(np.min(bounds))
    rounding = gap - float(np.min(gaps))
    return gap, rounding, rounding + max(doubts)


def loss_gap(point, shrink):
    """Sum of KL(c s || s), s = sigmoid(-margins), and its rounding.

    For a weight s and its factor c: c s log c + (1 - c s) log1p((1 - c)
    exp(-m)), the last factor taken in logarithms so that no margin overflows.
    """
    errors = point.margin_errors
    if errors.ndim == 0:
        rounding = errors * errors / 8
    else:
        bend = np.minimum(0.25, np.exp(errors - np.abs(point.margins)))
        rounding = bend @ (errors * errors) / 2
    gap = 0.0
    for part, factor in point.scaled:
        # not larger than the product
        factor *= shrink * (1.0 - 2 * UNIT) if shrink < 1.0 else 1.0
        if factor == 1.0:
            continue
        margins, weights = point.margins[part], point.weights[part]
        rest = np.logaddexp(0.0, math.log1p(-factor) - margins)
        # 1 - c s without the difference of two numbers close to 1
        rest *= (1.0 - factor) + factor * expit(margins)
        slope = -factor * math.log(factor) if factor > 0 else 0.0
        gap += np.maximum(rest - slope * weights, 0.0).sum()
        rounding += 8 * UNIT * slope * len(weights) ** 0.5 * norm(weights)
        rounding += 48 * UNIT * rest.sum() + (1.0 - factor) * (
            norm(weights) * errors if errors.ndim == 0
            else weights @ errors[part]
        )
    return float(gap), float(rounding)


def _penalty_gap(point, shrink, coef, lmbd1, lmbd2):
    """Fenchel-Young gap of the penalty at (coef, shrink * v).

    Also its rounding and, where lambda2 > 0, what the drift of v may add.

    |lambda2 w - soft(v)|^2 / (2 lambda2) + |w| (lambda1 - sign(w) clip(v)),
    feature by feature, v clipped to [-lambda1, lambda1].
    """
    v, errors = point.v, point.v_errors
    longer = isinstance(v, tuple)
    if longer:
        v, low = pairs.multiply(v, (shrink, 0.0)) if shrink < 1.0 else v
        target, target_low = pairs.two_product(lmbd2, coef)
    else:
        v, target = shrink * v if shrink < 1.0 else v, lmbd2 * coef
    gap = 0.0
    if lmbd1 > 0:
        clipped = np.clip(v, -lmbd1, lmbd1)
        slack = np.abs(coef) * lmbd1 - coef * clipped
        if longer:
            inside = clipped == v
            slack = np.abs(coef) * (
                (lmbd1 - np.sign(coef) * clipped)
                - np.where(inside, np.sign(coef) * low, 0.0)
            )
            v, rest = pairs.two_sum(v, -clipped)
            low = np.where(inside, 0.0, low + rest)
        else:
            v = v - clipped
        gap = float(np.maximum(slack, 0.0).sum())
    if lmbd2 == 0:
        return gap, float(np.abs(coef) @ errors), 0.0
    residual = target - v
    if longer:
        residual += target_low - low
    size = np.abs(residual)
    return (
        gap + float(residual @ residual) / (2 * lmbd2),
        float(errors @ (size + errors / 2)) / lmbd2,
        float(np.sum(point.v_drift * (size + point.v_drift / 2))) / lmbd2,
    )


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
