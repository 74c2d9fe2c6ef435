"""Hold what fit_logistic claims against the referee."""
import warnings

import numpy as np

from benchmark_utils.fenchel import fit_logistic
from benchmark_utils.problem.certificate import certify


def _lower_bound(X, y, l2, fit_intercept):
    """Return the referee's bound of the minimum, at a point near it."""
    coef, intercept, _ = fit_logistic(
        X, y, l2=l2, fit_intercept=fit_intercept, tol=1e-13
    )
    return certify(
        X, y, coef, intercept, 0.0, l2, fit_intercept
    ).lower_bound


def check(X, y, l2, fit_intercept, tol, **options):
    """Fit, and hold what is claimed against the referee."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coef, intercept, info = fit_logistic(
            X, y, l2=l2, fit_intercept=fit_intercept, tol=tol, **options
        )
    assert coef.shape == (X.shape[1],) and np.isfinite(coef).all()
    assert np.isfinite(intercept)
    found = certify(X, y, coef, intercept, 0.0, l2, fit_intercept)
    claimed = info["relative_gap"]
    assert info["converged"] == (claimed <= tol)
    allowed = claimed * found.value * (1 + 1e-2) + 1e-14 * found.value
    if found.gap - found.rounding > allowed:
        # both are bounds, of dual points that differ by the rounding of
        # margins: what is claimed is how far the minimum is
        assert found.value - _lower_bound(X, y, l2, fit_intercept) <= allowed
    np.testing.assert_allclose(info["objective"], found.value, rtol=1e-6)
    at_zero = len(y) * np.log(2.0)
    assert found.value <= at_zero * (1 + 1e-9)
    return info
