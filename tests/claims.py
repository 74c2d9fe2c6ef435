"""Hold what fit_logistic claims against the referee."""
import warnings
from unittest import mock

import numpy as np

from benchmark_utils.fenchel import fit_logistic
from benchmark_utils.problem import certificate
from benchmark_utils.problem.certificate import certify


def check(X, y, l2, fit_intercept, tol, **options):
    """Fit, and hold what is claimed against the referee."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coef, intercept, info = fit_logistic(
            X, y, l2=l2, fit_intercept=fit_intercept, tol=tol, **options
        )
    assert coef.shape == (X.shape[1],) and np.isfinite(coef).all()
    assert np.isfinite(intercept)
    # as sharp as it can be: it takes a gap that float64 makes up to a tenth
    # larger than need be
    with mock.patch.object(certificate, "SHARE_OF_GAP", 1e-3):
        found = certify(X, y, coef, intercept, 0.0, l2, fit_intercept)
    claimed = info["relative_gap"]
    assert info["converged"] == (claimed <= tol)
    # both are bounds, of dual points that differ by the rounding of margins
    assert found.gap - found.rounding <= (
        claimed * found.value * (1 + 1e-2) + 1e-14 * found.value
    )
    np.testing.assert_allclose(info["objective"], found.value, rtol=1e-6)
    at_zero = len(y) * np.log(2.0)
    assert found.value <= at_zero * (1 + 1e-9)
    return info
