"""Hold what fit_logistic claims against the referee."""
import warnings

import numpy as np
from scipy import sparse

from benchmark_utils.fenchel import fit_logistic
from benchmark_utils.problem.certificate import certify

LONG = np.longdouble


def oracle(X, y, w, b, l2, intercept):
    """F and the duality gap in longer arithmetic, and its gradient.

    All are arrays in `LONG`; the gradient has the intercept last.
    """
    m = y * (X @ w + b)
    e = np.exp(-abs(m))
    s = np.where(m > 0, e, LONG(1)) / (1 + e)
    value = (np.log1p(e) + np.maximum(-m, 0)).sum() + l2 / 2 * (w @ w)
    gradient = np.append(l2 * w - X.T @ (y * s), -(y @ s))
    a, price = s.copy(), LONG(0)
    sums = s[y > 0].sum(), s[y < 0].sum()
    if intercept and sums[0] != sums[1]:
        heavy = (y > 0) == (sums[0] > sums[1])
        c = min(sums) / max(sums)
        a[heavy] *= c
        left = np.log1p(-c) - m[heavy]
        rest = np.log1p(np.exp(-abs(left))) + np.maximum(left, 0)
        log_c = np.log(c) if c > 0 else LONG(0)
        price = np.maximum(a[heavy] * log_c + (1 - a[heavy]) * rest, 0).sum()
    v = l2 * w - X.T @ (y * a)
    return value, price + (v @ v) / (2 * l2), gradient, m, s * (1 - s)


def least_value(X, y, w, b, l2, intercept):
    """A lower bound of F: the dual's value after Newton's method from (w, b).

    Directions in float64, all else in longer arithmetic.
    """
    n, p = X.shape
    best, A = -LONG(np.inf), np.column_stack([X, np.ones(n)])
    q = p + intercept
    for _ in range(60):
        value, gap, g, m, h = oracle(X, y, w, b, l2, intercept)
        best = max(best, value - gap)
        if gap <= 1e-15 * value:
            break
        H = (A.T * h) @ A + l2 * np.diag(np.append(np.ones(p), 0.0))
        H, g = H[:q, :q], g[:q]
        scale = 1 / np.sqrt(np.maximum(np.diag(H), LONG(1e-300)))
        d = scale * np.linalg.lstsq(
            (H * scale * scale[:, None]).astype(float),
            (-g * scale).astype(float), rcond=None,
        )[0]
        t = LONG(1)
        while t > 1e-6:
            new = w + t * d[:p], b + (t * d[p] if intercept else 0)
            if oracle(X, y, *new, l2, intercept)[0] <= value:
                break
            t /= 4
        w, b = new
    return best


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
        wide = X.toarray() if sparse.issparse(X) else X
        wide, labels, w, b, l2 = (
            np.asarray(one, LONG) for one in (wide, y, coef, intercept, l2)
        )
        with np.errstate(all="ignore"):
            least = least_value(wide, labels, w, b, l2, fit_intercept)
        assert found.value - least <= allowed
    np.testing.assert_allclose(info["objective"], found.value, rtol=1e-6)
    at_zero = len(y) * np.log(2.0)
    assert found.value <= at_zero * (1 + 1e-9)
    return info
