r"""Certify any convex penalty r by its prox, where lambda2 is positive.

For g = r + lambda2 / 2 |.|^2 and every v the conjugate is known at the point
w* = prox of r / lambda2 at v / lambda2: g*(v) = v'w* - g(w*). So with a dual
point a as in `certificate`, v = X'(y a) and s = v - lambda2 w*, which is a
subgradient of r at w*, the penalty's part of the gap F - D is

.. math::
    g(w) + g^*(v) - v^\top w
    = [r(w) - r(w^*) - s^\top (w - w^*)]
      + \tfrac{1}{2 \lambda_2} \|\lambda_2 w - (v - s)\|^2,

both terms not negative; the rest, of the loss, is that of `certificate`. The
right side with any s in the domain of r* is a bound, so that the rounding of
a prox can be allowed for: where s is d away from the subdifferential at w* the
first term grows by at most d |w - w*|, and the root of the second by d.

Total variation has s = D'u, |u| <= lambda1, for the differences D, and the
first term lambda1 |D w|_1 - u'D w needs no w*.

References
----------
R. T. Rockafellar, Convex Analysis, 1970, sections 16 and 31.
J.-J. Moreau, "Proximite et dualite dans un espace hilbertien", Bull. Soc.
Math. France 93, 1965, doi:10.24033/bsmf.1625.
"""
import numpy as np

from benchmark_utils.problem.certificate import (
    SHARE_OF_GAP,
    SHARE_OF_VALUE,
    UNIT,
    VALUE_ERROR,
    Certificate,
    evaluate,
    evaluate_longer,
    loss_gap,
)
from benchmark_utils.problem.products import measure
from benchmark_utils.problem.stationarity import stationarity


def certify_by_prox(
    X, y, coef, intercept, penalty, lmbd2, fit_intercept, sizes=None
):
    """Certify a point of a problem with a convex penalty.

    Parameters
    ----------
    X, y, coef, intercept, fit_intercept, sizes
        As `certificate.certify` takes them.
    penalty : object
        Of `penalties`, without lambda2.
    lmbd2 : float
        Above zero.

    Returns
    -------
    certificate.Certificate
        Entries that are not finite mean that F overflowed at this point.
    """
    with np.errstate(all="ignore"):
        sizes = measure(X) if sizes is None else sizes
        problem = X, y, coef, intercept, sizes, fit_intercept, 0.0, 0.0
        point, _ = evaluate(*problem)
        own = penalty.value(coef) + 0.5 * lmbd2 * float(coef @ coef)
        value = point.value + own
        gap, rounding = _gap(point, penalty, coef, lmbd2)
        if point.value_error > VALUE_ERROR * value or rounding > max(
            SHARE_OF_GAP * (gap - rounding), SHARE_OF_VALUE * value
        ):
            longer = evaluate_longer(*problem)
            again = _gap(longer, penalty, coef, lmbd2)
            if np.isfinite([longer.value, *again]).all():
                gap, rounding = min((gap, rounding), again)
                value = longer.value + own
        # the bound of weights of zero: the least of the penalty alone
        zero = penalty.prox(np.zeros_like(coef), 1.0 / lmbd2)
        least = penalty.value(zero) + 0.5 * lmbd2 * float(zero @ zero)
        if value - least < gap:
            gap, rounding = value - least, 0.0
        kkt = None
        if penalty.is_separable:
            kkt = stationarity(
                X, y, coef, intercept, penalty, lmbd2, fit_intercept, sizes
            ).violation
    return Certificate(value, gap, kkt, rounding)


def _gap(point, penalty, coef, lmbd2):
    """Return a bound of F minus its minimum, and what of it is rounding."""
    v, errors = point.v, point.v_errors
    if isinstance(v, tuple):
        v = v[0] + v[1]
    loss, loss_rounding = loss_gap(point, 1.0)
    slack, s, off, slack_rounding = _slack(penalty, coef, v, lmbd2)
    residual = lmbd2 * coef - (v - s)
    errors = errors + off + 4 * UNIT * (
        np.abs(lmbd2 * coef) + np.abs(v) + np.abs(s)
    )
    size = np.abs(residual)
    gap = loss + slack + float(residual @ residual) / (2 * lmbd2)
    rounding = loss_rounding + slack_rounding + 100 * UNIT * gap
    rounding += float(errors @ (size + errors / 2)) / lmbd2
    return gap + rounding, rounding


def _slack(penalty, w, v, lmbd2):
    """Return r(w) + r*(s) - s'w, s, how far s may be off, and the rounding."""
    if hasattr(penalty, "split"):
        s, u = penalty.split(v, lmbd2)
        jumps = np.diff(w)
        terms = penalty.lmbd * np.abs(jumps) - u * jumps
        scale = 2 * penalty.lmbd * (np.abs(w[1:]) + np.abs(w[:-1]))
        # s is D'u up to one rounding of each difference
        return (
            float(np.maximum(terms, 0.0).sum()), s, UNIT * np.abs(s),
            8 * UNIT * float(scale.sum()),
        )
    best = penalty.prox(v / lmbd2, 1.0 / lmbd2)
    s, move = v - lmbd2 * best, w - best
    scale = np.abs(s) * (np.abs(w) + np.abs(best))
    if not penalty.is_separable:
        here, there = penalty.value(w), penalty.value(best)
        slack = max(here - there - float(s @ move), 0.0)
        scale = abs(here) + abs(there) + float(scale.sum())
        return slack, s, 0.0, 64 * UNIT * scale
    here, there = penalty.values(w), penalty.values(best)
    off = penalty.distance(best, -s)
    terms = np.maximum(here - there - s * move, 0.0) + off * np.abs(move)
    scale = scale + np.abs(here) + np.abs(there)
    return float(terms.sum()), s, off, 16 * UNIT * float(scale.sum())
