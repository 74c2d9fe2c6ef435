"""Fit logistic regressions by the method that suits, certified.

>>> from fenchel import fit_logistic
>>> coef, intercept, info = fit_logistic(X, y, l2=1.0)  # doctest: +SKIP

`docs/fenchel.md` explains the methods and what each idea gained.
"""
import numpy as np
from scipy import sparse

from . import select
from .coordinate_descent.bulk import fit_batch
from .linalg.writeable import writeable
from .newton.small import batch as many
from .newton.small import descent, two_columns
from .newton.small.samples import HELD
from .penalties import make
from .result import FLOAT64_LIMIT, REACHED, WORDS, Problem
from .select import DIRECT_COLUMNS
from .solve import in_longer_arithmetic, solve, solve_plainly, start_at
from .validation import (
    check_design,
    check_entries,
    check_l1_of_batch,
    check_labels,
    check_parameters,
    check_penalty_name,
    check_start,
    check_weights,
)

_DOUBLE = np.dtype(np.float64)
# Names of this module: `np.` costs 15 ns a time
_ARRAY, _INFINITY, _zeros = np.ndarray, np.inf, np.zeros
# Compared by identity: 10 ns instead of 30
_DEFAULT = "elasticnet"
# A copy and five entries take 0.19 us, a new dictionary 0.32 us
_DIRECT = {
    "regime": "few columns", "why": "Newton's method in one buffer",
    "n_iter": 0, "n_passes": 0, "n_gram": 0, "n_products": 0,
    "objective": 0.0, "relative_gap": 0.0, "converged": True,
    "status": WORDS[REACHED],
}


def fit_logistic(
    X, y, l1=0.0, l2=1.0, fit_intercept=False, tol=1e-8, max_iter=1000,
    coef_init=None, intercept_init=0.0, float32_copy=True, compile=True,
    penalty=_DEFAULT, gamma=20.0, sample_weight=None,
):
    r"""Minimise F and certify the result.

    .. math::
        F(w, b) = \sum_i c_i \log(1 + e^{-y_i (x_i^\top w + b)})
                  + r(w) + \tfrac{\lambda_2}{2} \|w\|_2^2

    Parameters
    ----------
    X : array or scipy sparse matrix of shape (n_samples, n_features)
        Any real numbers. Dense float64 in C order and CSR need no
        conversion. Not changed.
    y : array of shape (n_samples,)
        Any two values; the larger is the positive class.
    l1 : float
        lambda1, of r.
    l2 : float
        lambda2 itself; scikit-learn's C is 1 / l2. Positive unless l1 is.
    fit_intercept : bool
        Fit an intercept, which is not penalized.
    tol : float
        Stop at this certified relative duality gap, (F - D) / F; where r is
        not convex, at a violation of stationarity of tol lambda1.
    max_iter : int
        Iterations at most, each a direction and a step.
    coef_init : array of shape (n_features,), optional
    intercept_init : float
        Start from there instead of zero, unless F is larger there.
    float32_copy : bool
        Make a copy of X for the products where that is faster: in float32
        or, where X is large, in half precision. It is the only copy of X
        but for up to 256 kB, for columns far from zero and, with l1, for
        the columns of the working set. Without it no copy is made of dense
        X or of CSR with int32 indices, unless X is that small.
    compile : bool
        False takes a method in plain NumPy and SciPy, which is slower and
        compiles nothing.
    penalty : str
        What r is: "elasticnet", lambda1 |w|_1; "mcp", "scad", not convex;
        or the name of another file of `penalties`.
    gamma : float
        How far "mcp" and "scad" go on falling; on the scale of the mean
        loss, as elsewhere. F is convex in each coefficient only where gamma
        is above 1 / mean_i(h_i x_ij^2), h the second derivative of the loss:
        8 to 20 for standardized columns.
    sample_weight : array of shape (n_samples,), optional
        c, not negative; 1 by default. A whole number is as many samples.

    Returns
    -------
    coef : array of shape (n_features,), float64
    intercept : float
    info : dict
        `regime` and `why` it was chosen; `n_iter`, `n_passes` over the data,
        `n_gram` matrices formed, `n_products` with the Hessian or, with l1,
        `n_epochs` of coordinate descent; `objective` F; `relative_gap`, a
        bound of (F - minimum) / F at the returned coefficients in exact
        arithmetic, or where r is not convex `violation`, a bound of the
        largest distance from stationarity, divided by sum c; `converged`,
        whether that is within `tol`, and `status` in words.

    Raises
    ------
    ValueError
        For data or parameters that define no problem; says what to do.
    NotImplementedError
        For a penalty that couples coefficients.

    References
    ----------
    J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., chapter 7,
    doi:10.1007/978-0-387-40065-5. J. Nocedal, "Updating quasi-Newton matrices
    with limited storage", Math. Comp. 35, 1980,
    doi:10.1090/S0025-5718-1980-0572855-7. J. D. Lee, Y. Sun and M. A.
    Saunders, "Proximal Newton-type methods for minimizing composite
    functions", SIAM J. Optim. 24(3), 2014, doi:10.1137/130921428.
    """
    if (
        coef_init is None and compile is True and type(X) is type(y) is _ARRAY
        and X.dtype is y.dtype is _DOUBLE and X.ndim == 2 and y.ndim == 1
        and type(l2) is type(tol) is float and type(max_iter) is int
        and type(fit_intercept) is type(float32_copy) is bool
        and l1 == 0.0 and penalty is _DEFAULT and sample_weight is None
        and 0.0 < l2 < _INFINITY and tol >= 0.0 and max_iter >= 0
    ):
        # the same as below in one call: 2.2 us instead of 5 at 10 x 2
        n, p = X.shape
        q = p + fit_intercept
        # most without a call, which takes 0.15 us
        if (
            q <= DIRECT_COLUMNS and 3 * n > 2 * p and n * (q + 10) <= HELD
            or select.is_direct(n, p, q, float32_copy)
        ):
            x = _zeros(q)
            info = _DIRECT.copy()
            (
                info["n_iter"], info["n_passes"], info["n_gram"], status,
                info["relative_gap"], info["objective"],
            ) = (two_columns if q <= 2 else descent).fit_array(
                X, y, l2, tol, max_iter, x
            )
            if status == REACHED and info["relative_gap"] <= tol:
                if fit_intercept:
                    return x[:p], float(x[p]), info
                return x, 0.0, info
    l1, l2, tol, max_iter, fit_intercept, *options = check_parameters(
        l1=l1, l2=l2, tol=tol, max_iter=max_iter, compile=compile,
        fit_intercept=fit_intercept, float32_copy=float32_copy,
    )
    names = getattr(X, "columns", None)
    X = check_design(X, entries=False)
    y, _ = check_labels(y, X.shape[0])
    weights, n_samples = None, X.shape[0]
    if sample_weight is not None:
        weights, X, y = _weighted(sample_weight, X, y, fit_intercept)
        n_samples = len(y) if weights is None else float(weights.sum())
    r = _penalty(penalty, l1, gamma, n_samples)
    if weights is not None and r is None:
        # the methods for L2 alone know no weights
        r = make("elasticnet", 0.0, gamma, n_samples)
    problem = Problem(
        _arranged(X), writeable(y), l2, fit_intercept, tol, max_iter,
        options[0], l1, r, weights,
    )
    x = np.zeros(X.shape[1] + fit_intercept)
    if coef_init is not None:
        x[:X.shape[1]], b = check_start(coef_init, intercept_init, X.shape[1])
        x[X.shape[1]:] = b
    if not compile:
        check_entries(X, columns=names)
    try:
        # entries that are not finite make nothing finite: found at the end
        with np.errstate(all="ignore"):
            start = start_at(problem, x)
            found = (solve if compile else solve_plainly)(problem, start)
    except Exception:
        check_entries(X, columns=names)
        raise
    if found.status != REACHED:
        check_entries(X, columns=names)
    return _told(problem, found)


def _weighted(sample_weight, X, y, fit_intercept):
    """Return weights, and the samples whose weight is not zero."""
    weights, kept = check_weights(sample_weight, y)
    if kept is not None:
        if sparse.issparse(X):
            X = X.tocsr()
        X, y = X[kept], y[kept]
        if fit_intercept and abs(y.sum()) == len(y):
            raise ValueError(
                "only samples of a single class have a weight: with an "
                "intercept no minimum exists."
            )
    return weights, X, y


def _penalty(name, l1, gamma, n_samples):
    """Return the penalty beside lambda2's, None without one."""
    check_penalty_name(name, l1, gamma)
    if name == "elasticnet" and not l1:
        return None
    penalty = make(name, l1, gamma, n_samples)
    if not penalty.is_separable:
        raise NotImplementedError(
            f"penalty={name!r} couples coefficients, which no method of "
            "fit_logistic takes: use the solver proximal-gradient."
        )
    return penalty


def fit_many(
    batch, l2=1.0, fit_intercept=False, tol=1e-8, max_iter=100, l1=0.0,
    penalty="elasticnet", gamma=20.0,
):
    """Solve every problem of a batch for itself, each certified.

    Parameters
    ----------
    batch : Batch
        From `pack_problems`.
    l2 : float
    fit_intercept : bool
    tol : float
        For each problem, as of `fit_logistic`.
    max_iter : int
    l1 : float, or array of shape (n_problems,) with penalty "elasticnet"
    penalty, gamma
        As of `fit_logistic`.

    Returns
    -------
    coef : array of shape (feature_offsets[-1],), float64
        The coefficients of problem k are
        coef[feature_offsets[k]:feature_offsets[k + 1]].
    intercepts : array of shape (n_problems,), float64
    info : dict
        Arrays of shape (n_problems,): `iterations`, `converged`, `status` as
        numbers of `result.Status`, `relative_gap` or `violation`; and
        `n_threads`.

    Raises
    ------
    ValueError
    """
    l1 = check_l1_of_batch(l1, batch.n_problems, penalty)
    if penalty == "elasticnet" and type(l1) is float and l1 == 0.0:
        result = many.fit_many(batch, l2, fit_intercept, tol, max_iter)
    else:
        check_parameters(
            l1=float(np.min(l1)), l2=l2, tol=tol, max_iter=max_iter,
            fit_intercept=fit_intercept,
        )
        result = fit_batch(
            batch, lambda l1, n: _penalty(penalty, l1, gamma, n), l1,
            float(l2), bool(fit_intercept), (float(tol), int(max_iter)),
        )
    # 0.1 us, where `all` takes 1.2
    if np.count_nonzero(result[2]["converged"]) < batch.n_problems:
        many.finish(batch, result, lambda k, X, y: fit_logistic(
            X, y, float(np.broadcast_to(l1, batch.n_problems)[k]), l2,
            fit_intercept, tol, penalty=penalty, gamma=gamma,
        ))
    return result


def _arranged(X):
    """Return X in the one layout that kernels take: fewer compilations."""
    if sparse.issparse(X):
        X = X.tocsr()
        if X.dtype != np.float64:
            X = X.astype(np.float64)
        return X
    if X.dtype == np.float32 and 2 * X.nbytes <= select.CONVERTED_BYTES:
        X = X.astype(np.float64)
    return writeable(X)


def _told(problem, found):
    """Return what `fit_logistic` does of an outcome."""
    p = problem.X.shape[1]
    if found.status == FLOAT64_LIMIT:
        _refuse_overflow(problem.X)
    if found.status == FLOAT64_LIMIT or not found.gap < np.inf:
        # how good it is all the same, and where nothing was better than the
        # start, how good that is
        found = in_longer_arithmetic(problem, found)
    n_iter, n_passes, n_gram, n_others = found.counts
    info = {
        "regime": found.regime, "why": found.why, "n_iter": n_iter,
        "n_passes": n_passes, "n_gram": n_gram,
        "n_products" if problem.penalty is None else "n_epochs": n_others,
        "objective": found.value,
    }
    if problem.is_convex:
        told = min(found.gap / found.value, 1.0) if found.value > 0 else 0.0
        info["relative_gap"], limit = told, problem.tol
    else:
        told, limit = found.gap, problem.tol * problem.l1
        weights = problem.weights
        size = len(problem.y) if weights is None else weights.sum()
        info["violation"] = float(told / size)
    # the status follows from this number alone
    status = REACHED if told <= limit else (
        FLOAT64_LIMIT if found.status == REACHED else found.status
    )
    info["converged"], info["status"] = status == REACHED, WORDS[status]
    return found.x[:p], float(found.x[p:].sum()), info


def _refuse_overflow(X):
    """Blame X where it is to blame: its squares, or their sum, overflow."""
    entries = X.data if sparse.issparse(X) else X
    with np.errstate(over="ignore"):
        size = np.square(entries, dtype=np.float64).sum()
    if not size < np.inf:
        raise ValueError(
            "a product with X overflows float64: scale its columns."
        )
