"""The sparse solver by flat arguments, and a naive certificate beside it."""
import numpy as np
from scipy.special import expit

from benchmark_utils.fenchel.linalg.packing import as_it_is, pack
from benchmark_utils.fenchel.newton.sparse import fit as sparse_fit
from benchmark_utils.fenchel.result import (
    FLOAT64_LIMIT,
    REACHED,
    WORDS,
    Problem,
)
from benchmark_utils.fenchel.validation import check_design


def prepared(X):
    """Return X as `fit_logistic` gives it to the sparse solver."""
    return check_design(X).tocsr().astype(np.float64, copy=False)


def packed(X, dtype):
    """Return the packed rows of any sparse X, and their order."""
    found = pack(as_it_is(prepared(X)).rows, dtype)
    return found.rows, found.order


def fit_sparse(X, y, l2, fit_intercept=False, tol=1e-8, **options):
    """Fit by flat arguments; return (coef, intercept, info)."""
    p = X.shape[1]
    start = None
    if "coef_init" in options:
        start = np.r_[options["coef_init"], options["intercept_init"]]
        start = start[:p + fit_intercept]
    outcome = sparse_fit.fit_sparse(Problem(
        prepared(X), y, l2, fit_intercept, tol, options.get("max_iter", 1000),
        options.get("float32_copy", True),
    ), start)
    gap = min(outcome.gap / outcome.value, 1.0) if outcome.value else 0.0
    status = outcome.status
    if status == REACHED and gap > tol:
        # rounding may be more than the tolerance
        status = FLOAT64_LIMIT
    iterations, passes, factors, products = outcome.counts
    return outcome.x[:p], float(outcome.x[p]) if fit_intercept else 0.0, {
        "regime": outcome.regime, "why": outcome.why, "n_iter": iterations,
        "n_passes": passes, "n_gram": factors, "n_products": products,
        "objective": outcome.value, "relative_gap": gap,
        "converged": status == REACHED, "status": WORDS[status],
        "stalled": outcome.status == FLOAT64_LIMIT,
    }


def certificate(X, y, coef, intercept, l2, fit_intercept):
    """(F, duality gap), by NumPy, from the definition of the dual."""
    m = y * (X @ coef + intercept)
    a = expit(-m)
    if fit_intercept:
        positive, negative = a[y > 0].sum(), a[y < 0].sum()
        least = min(positive, negative)
        a = a * np.where(y > 0, least / positive, least / negative)
    v = X.T @ (y * a)
    s = expit(-m)
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = np.where(a > 0, a * np.log(a / s), 0.0) + np.where(
            s < 1, (1 - a) * np.log1p((s - a) / (1 - s)), 0.0
        )
    value = np.logaddexp(0.0, -m).sum() + 0.5 * l2 * coef @ coef
    gap = ((v - l2 * coef) ** 2).sum() / (2 * l2)
    return value, gap + max(divergence.sum(), 0.0)
