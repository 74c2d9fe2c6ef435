"""L2 logistic regression by the method that fits the problem, certified.

>>> from benchmark_utils.fenchel.fit import fit_logistic
>>> coef, intercept, info = fit_logistic(X, y, l2=1.0)  # doctest: +SKIP

`docs/fast_newton.md` explains the regimes and what each idea gained.
"""
import numba
import numpy as np
from scipy import sparse

from .newton.dense.fit import STATUS, DenseFit, objective_at
from .newton.small import descent as tiny_newton
from .newton.small import two_columns
from .newton.small.few_samples import fit_few_samples
from .newton.small.fit import fit_small
from .newton.small.samples import HELD
from .newton.small.streamed import fit_rows
from .newton.sparse.fit import (
    DENSE_ENTRIES,
    STATUS_FLOAT64,
    better_dense,
    fit_sparse,
)
from .result import FLOAT64_LIMIT, REACHED

_DOUBLE = np.dtype(np.float64)
# Names of this module: `np.` costs 15 ns a time
_ARRAY, _INFINITY, _zeros = np.ndarray, np.inf, np.zeros
# So few samples and an intercept are a tiny problem in their kernel matrix
_FEW_SAMPLES = 40
# Where X is larger than `_TINY_SIZE`: Newton with passes over X as it is. 1.1
# times as fast as L-BFGS at 1000000 x 20, 1.6 at 500000 x 8, 2.3 at 10^6 x 5
_STREAMED_COLUMNS = 32
# Up to here `fit_logistic` calls the tiny kernel before anything else
_DIRECT_SIZE = 250_000
# Entries up to which the tiny kernel is the fastest, and where several
# threads, which it has no use for, begin to pay
_TINY_SIZE, _THREADS_SIZE = 2**21, 2**19
# A copy and five entries take 0.19 us, a new dictionary 0.32 us
_TINY = {
    "regime": "tiny", "why": "few columns: Newton without temporaries",
    "n_iter": 0, "n_passes": 0, "n_gram": 0, "n_products": 0,
    "objective": 0.0, "relative_gap": 0.0, "converged": True,
    "status": STATUS[REACHED],
}


def fit_logistic(
    X, y, l1=0.0, l2=1.0, fit_intercept=False, tol=1e-8, max_iter=1000,
    coef_init=None, intercept_init=0.0, float32_copy=True,
):
    r"""Minimise F and certify the result.

    .. math::
        F(w, b) = \sum_i \log(1 + e^{-y_i (x_i^\top w + b)})
                  + \tfrac{\lambda_2}{2} \|w\|_2^2

    Parameters
    ----------
    X : array or scipy sparse matrix of shape (n_samples, n_features)
        float64 or float32 are used as they are, other types are converted.
        Dense C order, CSR and CSC need no conversion. Not changed.
    y : array of shape (n_samples,)
        Any two values; the larger is the positive class.
    l1 : float
        lambda1; only 0.0 so far.
    l2 : float, > 0
        lambda2 itself; scikit-learn's C is 1 / l2.
    fit_intercept : bool
        Fit an intercept, which is not penalized.
    tol : float
        Stop at this certified relative duality gap, (F - D) / F.
    max_iter : int
        Iterations, each a direction and a step.
    coef_init : array of shape (n_features,), optional
    intercept_init : float
        Start from there instead of zero, unless F is larger there.
    float32_copy : bool
        Make a copy of X for the products where that is faster: in float32
        or, where X is large, in half precision. It is the only copy of X
        but for up to 256 kB. Without it no copy is made of dense X or of CSR
        with int32 indices, unless X is that small.

    Returns
    -------
    coef : array of shape (n_features,), float64
    intercept : float
    info : dict
        `regime` and `why` it was chosen; `n_iter`, `n_passes` over the data,
        `n_gram` matrices formed, `n_products` with the Hessian; `objective`
        F; `relative_gap`, certified; `converged`, and `status` in words.

    Raises
    ------
    ValueError
        For data or parameters that define no problem; says what to do.
    NotImplementedError
        For l1 != 0.

    References
    ----------
    J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., chapter 7,
    doi:10.1007/978-0-387-40065-5. J. Nocedal, "Updating quasi-Newton matrices
    with limited storage", Math. Comp. 35, 1980,
    doi:10.1090/S0025-5718-1980-0572855-7.
    """
    if l1:
        raise NotImplementedError(
            f"l1={l1}: only the L2 penalty is implemented; set l1=0."
        )
    if not 0.0 < l2 < _INFINITY:
        raise ValueError(f"l2={l2} must be positive and finite.")
    if (
        coef_init is None and type(X) is type(y) is _ARRAY
        and X.dtype is y.dtype is _DOUBLE and X.ndim == 2 and y.ndim == 1
    ):
        # the same as below in one call: 2.2 us instead of 5 at 10 x 2. This
        # is `is_direct`, whose call would cost 70 ns
        n, p = X.shape
        q = p + 1 if fit_intercept else p
        # within `_is_tiny`, without `_is_few_samples`
        if q <= 40 and 3 * n > 2 * p and n * (q + 10) <= (
            _DIRECT_SIZE if float32_copy else HELD
        ):
            x = _zeros(q)
            info = _TINY.copy()
            (
                info["n_iter"], info["n_passes"], info["n_gram"], status,
                info["relative_gap"], info["objective"],
            ) = (two_columns if q <= 2 else tiny_newton).fit_array(
                X, y, l2, tol, max_iter, x
            )
            if status >= REACHED:
                if status:
                    info["converged"], info["status"] = False, STATUS[status]
                if q > p:
                    return x[:p], float(x[p]), info
                return x, 0.0, info
    is_sparse = sparse.issparse(X)
    if is_sparse:
        if X.format not in ("csr", "csc"):
            X = X.tocsr()
        if better_dense(X):
            return fit_logistic(
                X.toarray(), y, l1, l2, fit_intercept, tol, max_iter,
                coef_init, intercept_init, float32_copy,
            )
    elif type(X) is not np.ndarray:
        X = np.asarray(X)
    if X.dtype != np.float64 and X.dtype != np.float32:
        X = X.astype(np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(
            f"X has shape {X.shape}: give (n_samples, n_features), both at "
            "least 1."
        )
    n, p = X.shape
    y = _signs(y, n)
    q = p + bool(fit_intercept)
    x = np.zeros(q)
    if coef_init is not None:
        x[:p] = coef_init
        if fit_intercept:
            x[p] = intercept_init
        if not np.isfinite(x).all():
            raise ValueError("coef_init and intercept_init must be finite.")
    if is_sparse:
        result = fit_sparse(
            X, y, l2, fit_intercept, tol, max_iter, coef_init,
            intercept_init, float32_copy,
        )
        if result[2]["status"] == STATUS_FLOAT64 and n * p <= DENSE_ENTRIES:
            return _or_dense(
                result, X, y, l2, fit_intercept, tol, max_iter, float32_copy
            )
        return result
    # `fit_sparse` sees to it itself, at the first point that it computes
    if x.any() and not objective_at(X, y, l2, x) <= n * np.log(2.0):
        x[:] = 0.0
    arguments = (
        X, y, float(l2), bool(fit_intercept), float(tol), int(max_iter)
    )
    if _is_few_samples(n, p, q) and not x.any():
        result = _fit_few_samples(*arguments, x)
        if result is not None:
            return result
    if _is_tiny(n, q, float32_copy):
        return _fit_tiny(*arguments, x)
    if q <= _STREAMED_COLUMNS:
        result = _fit_streamed(*arguments, x)
        if result is not None:
            return result
    return _fit_dense(*arguments, x, bool(float32_copy))


def _or_dense(result, X, y, l2, fit_intercept, tol, max_iter, float32_copy):
    """The dense solver where the sparse one has stalled, if it is better.

    300 x 100 to 1500 x 500, 5 % of the entries, rows of scales 1e-3 to 1e3,
    l2 of 1e-5 to 0.1: 7 of 12 stalled, of which 6 ended well.
    """
    first = result[2]
    coef, intercept, info = fit_logistic(
        X.toarray(), y, 0.0, l2, fit_intercept, tol,
        max_iter - first["n_iter"], None, 0.0, float32_copy,
    )
    if not info["converged"] and info["objective"] >= first["objective"]:
        return result
    for count in ("n_iter", "n_passes", "n_gram", "n_products"):
        info[count] += first[count]
    info["regime"] = f"{first['regime']}, {info['regime']}"
    info["why"] = f"{first['why']}; that stalled, so dense: {info['why']}"
    return coef, intercept, info


def is_direct(X, y, fit_intercept):
    """Whether `fit_logistic` begins with `small.descent.fit_array`."""
    return bool(
        type(X) is type(y) is _ARRAY and X.dtype is y.dtype is _DOUBLE
        and X.ndim == 2 and y.ndim == 1
        and X.shape[1] + fit_intercept <= 40
        and 3 * len(X) > 2 * X.shape[1]
        and len(X) * (X.shape[1] + fit_intercept + 10) <= _DIRECT_SIZE
    )


def _is_few_samples(n, p, q):
    """Whether a factor of X X' is the fastest; asked before `_is_tiny`.

    Measured ratios of the tiny kernel's time to its own: 5 x 10 1.0, 5 x 40
    3.3, 10 x 20 1.3, 20 x 40 1.7, 30 x 40 1.0, 35 x 60 1.4.
    """
    few = n < p if q > 40 else 3 * n <= 2 * p
    return few and n + q - p <= _FEW_SAMPLES


def _is_tiny(n, q, float32_copy):
    """Whether Newton in one buffer is the fastest.

    Measured ratios of the fastest other time to its own, the least and the
    largest of independent and correlated columns and l2 of 1 and 0.01, with
    AVX-512 / with AVX2: 10000 x 2 1.6, 100000 x 5 1.4 / 1.4, 50000 x 8 1.6 /
    1.6, 100000 x 20 1.3 / 1.2, 60 x 50 1.6 / 1.4, 10000 x 50 1.7 / 1.4,
    100 x 64 1.3 to 1.5 / 1.1 to 1.3, 1000 x 64 1.1 to 1.8 / 1.0 to 1.5,
    1600 x 80 1.2 to 1.3 / 1.1, 2500 x 100 1.2 to 1.4 / 1.1 to 1.3,
    20000 x 100 1.0 to 1.2 / 1.0, and beyond: 500 x 80 0.8, 1000 x 100 0.8,
    2000 x 100 0.8 to 1.3, 10000 x 128 1.1, 1000000 x 20 0.7 to 1.1.
    """
    if not float32_copy:
        return q <= 40 and n * (q + 10) <= HELD
    if q > 100 or q > 64 and 4 * n < q * q or q > 40 and n < q:
        return False
    return n * q <= _TINY_SIZE and (
        n * q <= _THREADS_SIZE or numba.get_num_threads() == 1
    )


def _signs(y, n_samples):
    """y as -1.0 and +1.0, contiguous."""
    y = np.asarray(y)
    if y.shape != (n_samples,):
        raise ValueError(
            f"y has shape {y.shape}, X has {n_samples} samples: give one "
            "label a sample."
        )
    if y.dtype == np.float64:
        positive = y == 1.0
        count = np.count_nonzero(positive)
        if 0 < count < n_samples and (
            count + np.count_nonzero(y == -1.0) == n_samples
        ):
            return np.ascontiguousarray(y)
    classes = np.unique(y)
    if len(classes) != 2 or classes[1] != classes[1]:
        raise ValueError(
            f"y has {len(classes)} classes ({classes[:4].tolist()}): "
            "logistic regression needs samples of exactly two."
        )
    return np.where(y == classes[1], 1.0, -1.0)


def _fit_tiny(X, y, l2, fit_intercept, tol, max_iter, x):
    n, p = X.shape
    n_iter, n_passes, n_gram, status, gap, value = fit_small(
        X, y, l2, tol, max_iter, x
    )
    if not gap < np.inf:
        _refuse_data(X)
    info = _TINY | {
        "n_iter": n_iter, "n_passes": n_passes, "n_gram": n_gram,
        "objective": value, "relative_gap": gap,
        "converged": status == REACHED, "status": STATUS[status],
    }
    return x[:p], float(x[p]) if fit_intercept else 0.0, info


def _fit_streamed(X, y, l2, fit_intercept, tol, max_iter, x):
    """None, and the best point in x, where it made no more progress."""
    return _or_none(
        x.copy(), x, "streamed",
        "few columns, many samples: Newton, X read once a pass", X.shape[1],
        *fit_rows(X, y, l2, tol, max_iter, x),
    )


def _fit_few_samples(X, y, l2, fit_intercept, tol, max_iter, x):
    """The same where rounding in X X' was too much."""
    return _or_none(
        x.copy(), x, "few samples", "a tiny problem in a factor of X X'",
        X.shape[1], *fit_few_samples(
            np.ascontiguousarray(X), y, l2, fit_intercept, tol, max_iter, x
        ),
    )


def _or_none(start, x, regime, why, p, *counts_and_end):
    """`_told` of a fit; None, and a start in x, where it failed."""
    *counts, status, gap, value = counts_and_end
    if status == FLOAT64_LIMIT or not gap < np.inf:
        if not np.isfinite(x).all():
            x[:] = start
        return None
    return _told(x, regime, why, p, *counts, 0, status, gap, value)


def _fit_dense(X, y, l2, fit_intercept, tol, max_iter, x, float32_copy):
    fit = DenseFit(X, y, l2, fit_intercept, tol, max_iter, x, float32_copy)
    status, gap, value = fit.run()
    if not gap < np.inf:
        _refuse_data(X)
    return _told(
        x, fit.regime, fit.why, X.shape[1], *fit.counts.tolist(), status, gap,
        value,
    )


def _told(
    x, regime, why, p, n_iter, n_passes, n_gram, n_products, status, gap,
    value,
):
    """What is returned of a fit."""
    info = {
        "regime": regime, "why": why, "n_iter": n_iter, "n_passes": n_passes,
        "n_gram": n_gram, "n_products": n_products, "objective": value,
        "relative_gap": min(gap / value, 1.0) if value > 0 else 0.0,
        "converged": status == REACHED, "status": STATUS[status],
    }
    return x[:p], float(x[p]) if len(x) > p else 0.0, info


def _refuse_data(X):
    if not np.isfinite(X).all():
        raise ValueError(
            "X contains NaN or infinity: impute or drop those entries."
        )
    raise ValueError(
        "a product with X overflows float64: scale its columns."
    )
