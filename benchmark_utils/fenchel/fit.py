"""L2 logistic regression by the method that fits the problem, certified.

>>> from fenchel import fit_logistic
>>> coef, intercept, info = fit_logistic(X, y, l2=1.0)  # doctest: +SKIP

`docs/fast_newton.md` explains the methods and what each idea gained.
"""
import math

import numpy as np
from scipy import sparse

from . import longer, select
from .linalg.centring import centre_columns, shifted_intercept
from .linalg.full_columns import centre_full_columns
from .newton import safeguarded
from .newton.dense.fit import DenseFit, objective_at
from .newton.small import batch as many
from .newton.small import descent, two_columns
from .newton.small.few_samples import fit_few_samples
from .newton.small.fit import fit_small
from .newton.small.streamed import fit_rows
from .newton.sparse.fit import better_dense, fit_sparse
from .result import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    REACHED,
    WORDS,
    Outcome,
    Problem,
)
from .validation import (
    check_design,
    check_entries,
    check_labels,
    check_parameters,
)

_DOUBLE = np.dtype(np.float64)
# Names of this module: `np.` costs 15 ns a time
_ARRAY, _INFINITY, _zeros = np.ndarray, np.inf, np.zeros
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
):
    r"""Minimise F and certify the result.

    .. math::
        F(w, b) = \sum_i \log(1 + e^{-y_i (x_i^\top w + b)})
                  + \tfrac{\lambda_2}{2} \|w\|_2^2

    Parameters
    ----------
    X : array or scipy sparse matrix of shape (n_samples, n_features)
        Any real numbers. Dense float64 in C order and CSR need no
        conversion. Not changed.
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
        Iterations at most, each a direction and a step.
    coef_init : array of shape (n_features,), optional
    intercept_init : float
        Start from there instead of zero, unless F is larger there.
    float32_copy : bool
        Make a copy of X for the products where that is faster: in float32
        or, where X is large, in half precision. It is the only copy of X
        but for up to 256 kB, and for columns far from zero. Without it no
        copy is made of dense X or of CSR with int32 indices, unless X is
        that small.
    compile : bool
        False takes a method in plain NumPy and SciPy, which is slower and
        compiles nothing.

    Returns
    -------
    coef : array of shape (n_features,), float64
    intercept : float
    info : dict
        `regime` and `why` it was chosen; `n_iter`, `n_passes` over the data,
        `n_gram` matrices formed, `n_products` with the Hessian; `objective`
        F; `relative_gap`, a bound of (F - minimum) / F at the returned
        coefficients in exact arithmetic; `converged`, whether that is at
        most `tol`, and `status` in words.

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
    if (
        coef_init is None and compile is True and type(X) is type(y) is _ARRAY
        and X.dtype is y.dtype is _DOUBLE and X.ndim == 2 and y.ndim == 1
        and type(l2) is type(tol) is float and type(max_iter) is int
        and type(fit_intercept) is type(float32_copy) is bool and l1 == 0.0
        and 0.0 < l2 < _INFINITY and tol >= 0.0 and max_iter >= 0
    ):
        # the same as below in one call: 2.2 us instead of 5 at 10 x 2
        n, p = X.shape
        q = p + fit_intercept
        if select.is_direct(n, p, q, float32_copy):
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
    check_parameters(
        l1=l1, l2=l2, tol=tol, max_iter=max_iter, compile=compile,
        fit_intercept=fit_intercept, float32_copy=float32_copy,
    )
    if l1:
        raise NotImplementedError(
            f"l1={l1}: only the L2 penalty is implemented; set l1=0."
        )
    X = check_design(X, late=compile and _is_checked_late(X, fit_intercept))
    y, _ = check_labels(y, X.shape[0])
    problem = Problem(
        _arranged(X), _writeable(y), float(l2), bool(fit_intercept),
        float(tol), int(max_iter), bool(float32_copy),
    )
    start = _start(problem, coef_init, intercept_init)
    methods = None if compile else ["safeguarded"]
    return _told(problem, _solve(problem, start, methods))


def fit_many(batch, l2=1.0, fit_intercept=False, tol=1e-8, max_iter=100):
    """Solve every problem of a batch for itself, each certified.

    `newton.small.batch.fit_many` tells of parameters and results. What its
    kernel cannot end, `fit_logistic` solves again.
    """
    result = many.fit_many(batch, l2, fit_intercept, tol, max_iter)
    # 0.1 us, where `all` takes 1.2
    if np.count_nonzero(result[2]["converged"]) < batch.n_problems:
        many.finish(batch, result, lambda X, y: fit_logistic(
            X, y, l2=l2, fit_intercept=fit_intercept, tol=tol
        ))
    return result


def _is_checked_late(X, intercept):
    """Tell whether the first method finds what is not finite by itself.

    Its first gradient sees all entries: to look at them before would take a
    tenth of the time of 200 x 5000.
    """
    if type(X) is not _ARRAY or X.ndim != 2:
        return False
    n, p = X.shape
    q = p + intercept
    return not (
        select.is_few_samples(n, p, q) or q <= select.STREAMED_COLUMNS
    )


def _arranged(X):
    """Return X in the one layout that kernels take: fewer compilations."""
    if sparse.issparse(X):
        X = X.tocsr()
        if X.dtype != np.float64:
            X = X.astype(np.float64)
        return X
    if X.dtype == np.float32 and 2 * X.nbytes <= select.CONVERTED_BYTES:
        X = X.astype(np.float64)
    return _writeable(X)


def _writeable(array):
    """Return a view that may be written to, which no kernel does.

    For numba a read-only array is another type, to be compiled for anew.
    """
    if array.flags.writeable:
        return array
    interface = dict(array.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    return np.asarray(_Exposed(array, interface))


class _Exposed:
    """Hold an array, and tell NumPy of it by another interface."""

    def __init__(self, array, interface):
        self.array = array
        self.__array_interface__ = interface


def _start(problem, coef_init, intercept_init):
    """Return the outcome of no iteration: the start, or zero if better."""
    n, p = problem.X.shape
    x = np.zeros(p + problem.intercept)
    value = n * math.log(2.0)
    if coef_init is not None:
        x[:p] = coef_init
        if problem.intercept:
            x[p] = intercept_init
        if not np.isfinite(x).all():
            raise ValueError("coef_init and intercept_init must be finite.")
        there = objective_at(problem.X, problem.y, problem.l2, x)
        if there <= value:
            value = there
        else:
            x[:] = 0.0
    return Outcome(
        x, ITERATION_LIMIT, np.inf, value, (0, 0, 0, 0), "none", "no iteration"
    )


def _solve(problem, start, methods=None):
    """Try methods until one reaches the tolerance; return the best point.

    Those that `select` names, where none are given.
    """
    X = problem.X
    n, p = X.shape
    is_sparse = sparse.issparse(X)
    if is_sparse and better_dense(X):
        return _solve(_as_dense(problem), start, methods)
    if problem.intercept:
        centre = centre_full_columns if is_sparse else centre_columns
        centred, middles = centre(X)
        if centred is not None:
            return _solve_centred(problem, start, centred, middles, methods)
    if methods:
        pass
    elif is_sparse:
        methods = select.sparse_methods(n, p)
    else:
        methods = select.dense_methods(
            n, p, p + problem.intercept, not start.x.any(),
            problem.float32_copy,
        )
    best = start
    for name in methods:
        if name == "many columns" and sparse.issparse(problem.X):
            problem = _as_dense(problem)
        # what failed is a start only where it is better than the first
        found = _METHODS[name](problem, best)
        found = _judged(problem, found)
        if found.status != REACHED and not sparse.issparse(problem.X):
            check_entries(problem.X)
        best = _better(best, found)
        if found.status in (REACHED, ITERATION_LIMIT):
            break
    return best


def _as_dense(problem):
    """Return a sparse problem as a dense one."""
    # repeated entries of float32 add up in float64
    return problem._replace(X=problem.X.astype(np.float64).toarray())


def _solve_centred(problem, start, centred, middles, methods):
    """Solve with the columns centred; the intercept takes up the rest."""
    p = len(middles)
    x = start.x.copy()
    x[p] += middles @ x[:p]
    problem = problem._replace(X=centred)
    found = _solve(problem, start._replace(x=x), methods)
    # beside a large intercept the one of the centred columns is rounded;
    # certified is what is left of it, on the centred columns
    x = found.x.copy()
    x[p], left = shifted_intercept(found.x, middles)
    found = found._replace(
        x=np.append(x[:p], left), regime=f"centred, {found.regime}",
        why=f"columns far from zero; centred: {found.why}",
    )
    found = _judged(problem, safeguarded.certified(problem, found))
    return found._replace(x=x)


def _judged(problem, found):
    """Set the status by the certificate, in longer arithmetic if it must be.

    A kernel may say REACHED where its gap is within `tol` but not the bound
    of its rounding.
    """
    tol = problem.tol
    if not found.value < np.inf or not np.isfinite(found.x).all():
        return found._replace(status=FLOAT64_LIMIT, gap=np.inf, value=np.inf)
    near = found.gap <= 1e4 * tol * found.value
    if not found.gap <= tol * found.value and (
        found.status == REACHED or near and found.status == FLOAT64_LIMIT
    ):
        found = _in_longer_arithmetic(problem, found)
    if found.gap <= tol * found.value:
        return found._replace(status=REACHED)
    if found.status == REACHED:
        return found._replace(status=FLOAT64_LIMIT)
    return found


def _in_longer_arithmetic(problem, found):
    """Certify an outcome anew, with the digits that float64 has not."""
    p = problem.X.shape[1]
    gap, value = longer.gap_at(
        problem.X, problem.y, problem.l2, found.x[:p], found.x[p:].sum(),
        problem.intercept,
    )
    # from dual points of margins in float64 others find up to 0.4 % more
    return found._replace(gap=1.01 * gap, value=value)


def _better(best, found):
    """Return the better of two outcomes, with what both have taken."""
    counts = tuple(map(sum, zip(best.counts, found.counts, strict=True)))
    regime, why = found.regime, found.why
    if best.regime != "none":
        regime = f"{best.regime}, {regime}"
        why = f"{best.why}; that stalled, so {why}"
    same = found.value <= best.value * (1.0 + 1e-12)
    if found.status != REACHED and not (
        found.value < best.value * (1.0 - 1e-12)
        or same and found.gap < best.gap
    ):
        # no worse than the start, whatever has happened
        found = best._replace(status=found.status)
    return found._replace(counts=counts, regime=regime, why=why)


def _told(problem, found):
    """Return what `fit_logistic` does of an outcome."""
    p = problem.X.shape[1]
    if found.status == FLOAT64_LIMIT:
        _refuse_overflow(problem.X)
    if found.status != REACHED:
        # how good it is all the same, and where nothing was better than the
        # start, how good that is
        found = _in_longer_arithmetic(problem, found)
    n_iter, n_passes, n_gram, n_products = found.counts
    relative = min(found.gap / found.value, 1.0) if found.value > 0 else 0.0
    # the status follows from this number alone
    status = REACHED if relative <= problem.tol else (
        FLOAT64_LIMIT if found.status == REACHED else found.status
    )
    return found.x[:p], float(found.x[p:].sum()), {
        "regime": found.regime, "why": found.why, "n_iter": n_iter,
        "n_passes": n_passes, "n_gram": n_gram, "n_products": n_products,
        "objective": found.value, "relative_gap": relative,
        "converged": status == REACHED, "status": WORDS[status],
    }


def _refuse_overflow(X):
    """Blame X where it is to blame: its squares, or their sum, overflow."""
    entries = X.data if sparse.issparse(X) else X
    with np.errstate(over="ignore"):
        size = np.square(entries, dtype=np.float64).sum()
    if not size < np.inf:
        raise ValueError(
            "a product with X overflows float64: scale its columns."
        )


def _by_few_columns(problem, start):
    x = start.x.copy()
    X, y, l2, _, tol, max_iter, _ = problem
    n_iter, n_passes, n_gram, status, gap, value = fit_small(
        X, y, l2, tol, max_iter, x
    )
    return Outcome(
        x, status, gap * value, value, (n_iter, n_passes, n_gram, 0),
        "few columns", "Newton's method in one buffer",
    )


def _by_few_samples(problem, start):
    x = start.x.copy()
    X, y, l2, intercept, tol, max_iter, _ = problem
    *counts, status, gap, value = fit_few_samples(
        np.ascontiguousarray(X), y, l2, intercept, tol, max_iter, x
    )
    return Outcome(
        x, status, gap, value, (*counts, 0), "few samples",
        "few columns, of a factor of X X'",
    )


def _streamed(problem, start):
    x = start.x.copy()
    X, y, l2, _, tol, max_iter, _ = problem
    *counts, status, gap, value = fit_rows(X, y, l2, tol, max_iter, x)
    return Outcome(
        x, status, gap, value, (*counts, 0), "streamed",
        "few columns, many samples: Newton's method, X read once a pass",
    )


def _by_many_columns(problem, start):
    x = start.x.copy()
    X, y, l2, intercept, tol, max_iter, float32_copy = problem
    fit = DenseFit(X, y, l2, intercept, tol, max_iter, x, float32_copy)
    status, gap, value = fit.run()
    return Outcome(
        x, status, gap, value, tuple(fit.counts), fit.regime,
        fit.why,
    )


def _sparse(problem, start):
    return fit_sparse(problem, start.x if start.x.any() else None)


def _safeguarded(problem, start):
    x = start.x.copy()
    X, y, l2, intercept, tol, max_iter, _ = problem
    status, gap, value, counts = safeguarded.newton(
        X, y, l2, intercept, tol, max_iter, x
    )
    return Outcome(
        x, status, gap, value, counts, "safeguarded",
        "Newton's method with safeguards, in NumPy",
    )


_METHODS = {
    "few columns": _by_few_columns,
    "few samples": _by_few_samples,
    "streamed": _streamed,
    "many columns": _by_many_columns,
    "sparse": _sparse,
    "safeguarded": _safeguarded,
}
