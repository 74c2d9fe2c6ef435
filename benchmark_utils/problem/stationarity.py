r"""How far is a point from being stationary? For what is not convex.

No lower bound of F exists there, so no gap. What can be said is how far zero
is from the (Frechet, limiting) subdifferential of F,

.. math::
    \max_j \mathrm{dist}\bigl(-\nabla_j f(w, b), \partial r_j(w_j)\bigr),

f the loss and lambda2 / 2 |w|^2, and the derivative in the intercept beside
it: zero at every local minimiser, and at no point that some coefficient alone
could improve to first order. Solvers end at different such points, so the
value stands beside it.

The gradient that is computed has errors: of its own sums over the samples,
and of the margins, of which each changes a weight by at most a quarter. Their
bounds (`certificate` explains them) are part of what is reported, since a
distance changes by no more than the gradient does. Where they matter all is
evaluated again with 90 bits.

References
----------
P. Breheny and J. Huang, "Coordinate descent algorithms for nonconvex penalized
regression", Ann. Appl. Stat. 5(1), 2011, doi:10.1214/10-AOAS388.
R. T. Rockafellar and R. J.-B. Wets, Variational Analysis, 1998, theorem 10.1,
doi:10.1007/978-3-642-02431-3.
"""
from typing import NamedTuple

import numpy as np

from benchmark_utils.problem import long_arithmetic as pairs
from benchmark_utils.problem.certificate import UNIT, length, norm
from benchmark_utils.problem.loss import dual_weights, log_loss
from benchmark_utils.problem.products import matvec, measure, rmatvec

# The rounding matters above this share of the violation and, at once, of the
# largest entry of the loss's gradient, which is about lambda1 at a solution
_SHARE, _SHARE_OF_GRADIENT = 0.1, 1e-11


class Stationarity(NamedTuple):
    """What is known about a point where F is not convex; sums, no means.

    Attributes
    ----------
    value : float
        F(w, b).
    violation : float
        At least the largest distance of zero from the subdifferential of F.
    rounding : float
        What of the violation is the bound of rounding.
    """

    value: float
    violation: float
    rounding: float = 0.0

    def metrics(self, n_samples, lmbd1):
        """What the benchmark reports, sums divided by `n_samples`."""
        return dict(
            value=self.value / n_samples,
            violation=self.violation / n_samples,
            relative_violation=self.violation / lmbd1,
        )


def stationarity(
    X, y, coef, intercept, penalty, lmbd2, fit_intercept, sizes=None
):
    """Measure how far a point is from being stationary.

    Parameters
    ----------
    X, y, coef, intercept, fit_intercept, sizes
        As `certificate.certify` takes them.
    penalty : object
        Of `penalties`, with `distance`, without lambda2.
    lmbd2 : float

    Returns
    -------
    Stationarity
        Entries that are not finite mean that F overflowed at this point.
    """
    with np.errstate(all="ignore"):
        sizes = measure(X) if sizes is None else sizes
        point = X, y, coef, intercept, sizes
        loss, *gradient = _gradient(*point)
        found = _violation(*gradient, coef, penalty, lmbd2, fit_intercept)
        violation, rounding = found
        if rounding > max(
            _SHARE * (violation - rounding),
            _SHARE_OF_GRADIENT * np.abs(gradient[0]).max(),
        ):
            loss, *gradient = _gradient_longer(*point)
            again = _violation(
                *gradient, coef, penalty, lmbd2, fit_intercept
            )
            if np.isfinite(again).all():
                violation, rounding = min((violation, rounding), again)
        value = (
            loss + penalty.value(coef) + 0.5 * lmbd2 * float(coef @ coef)
        )
    return Stationarity(float(value), float(violation), float(rounding))


def _gradient(X, y, coef, intercept, sizes):
    """Return the loss, X'(y s), sum(y s), and bounds of the errors of both.

    s = sigmoid(-margins): minus the gradient.
    """
    margins = y * (matvec(X, coef) + intercept)
    weights = dual_weights(margins)
    error = 1.01 * UNIT * (sizes.feature_depth + 4) * length(
        sizes.norms, coef, intercept, len(y)
    )
    residual = y * weights
    size = norm(weights)
    own = 1.01 * (sizes.sample_depth + 10) * UNIT * size
    root = len(y) ** 0.5
    return (
        log_loss(margins), rmatvec(X, residual), float(residual.sum()),
        (own + error / 4) * sizes.norms, (128 * UNIT * size + error / 4) * root
    )


def _gradient_longer(X, y, coef, intercept, sizes):
    """Return what `_gradient` does, by `long_arithmetic`."""
    products = pairs.matvec(X, (coef, np.zeros_like(coef)))
    products = pairs.add(products, (np.full(len(y), float(intercept)), 0.0))
    margins = y * products[0]
    weights = pairs.sigmoid((-margins, -y * products[1]))
    residual = y * weights[0], y * weights[1]
    v, total = pairs.rmatvec(X, residual), pairs.total(residual)
    error = pairs.UNIT * length(sizes.norms, coef, intercept, len(y))
    size = 4 * pairs.UNIT * norm(weights[0]) + error / 4
    return (
        log_loss(margins), v[0] + v[1], total[0] + total[1],
        size * sizes.norms + UNIT * np.abs(v[0]),
        size * len(y) ** 0.5 + UNIT * abs(total[0]),
    )


def _violation(
    v, total, v_errors, total_error, coef, penalty, lmbd2, fit_intercept
):
    """Return the largest distance with its rounding, and that rounding."""
    grad = lmbd2 * coef - v
    distances = penalty.distance(coef, grad)
    # the slope of a penalty is about as large as what it balances
    errors = v_errors + 8 * UNIT * (
        np.abs(v) + np.abs(lmbd2 * coef) + np.abs(grad) + distances
    )
    computed, bounded = distances.max(), (distances + errors).max()
    if fit_intercept:
        computed = max(computed, abs(total))
        bounded = max(bounded, abs(total) + total_error)
    return bounded, bounded - computed
