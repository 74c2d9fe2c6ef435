"""Check what solvers return, and a dataset's generating coefficients.

The data and the penalty are checked by `fenchel.validation`.
"""
import numpy as np
from scipy import sparse

from benchmark_utils.fenchel.validation import (
    DataError,
    check_number,
    check_vector,
)

#: penalties that l1 and l2 alone select
_OF_L1_AND_L2 = ("l1", "l2", "elastic_net")


def check_coef_true(coef_true, n_features):
    """Return the generating coefficients as float64, or None.

    Raises
    ------
    DataError
    """
    if coef_true is None:
        return None
    return check_vector(coef_true, n_features, "coef_true")


def check_chosen_penalty(penalty, l1, known):
    """Check a penalty that is not the elastic net, by its name.

    Parameters
    ----------
    penalty : str
    l1 : float
        The fraction of lambda1_max, already checked.
    known : list of str
        The penalties that there are.

    Raises
    ------
    DataError
    """
    names = [name for name in known if name not in _OF_L1_AND_L2]
    if penalty in _OF_L1_AND_L2:
        raise DataError(
            f"penalty={penalty} is what l1 and l2 select: leave it out."
        )
    if penalty not in names:
        raise DataError(
            f"penalty={penalty} is unknown: choose among elasticnet, "
            f"{', '.join(names)}."
        )
    if float(l1) == 0:
        raise DataError(f"l1=0 leaves nothing of the penalty {penalty}.")


def check_scale(penalty, kind, gamma, l2):
    """Check gamma, and l2 where a certificate needs it.

    Raises
    ------
    DataError
    """
    least = getattr(kind, "least_gamma", 0.0)
    if not check_number(gamma, "gamma") > least:
        raise DataError(f"gamma={gamma} of {penalty} must be above {least:g}.")
    if kind.is_convex and float(l2) == 0:
        raise DataError(
            f"the penalty {penalty} is certified by its prox, which needs l2 "
            "above zero."
        )


class ResultError(ValueError):
    """A solver returned something that is no point (w, b)."""


def clean_result(result, n_features, n_intercepts, solver):
    """Check what a solver returned and give back (coef, intercept).

    Parameters
    ----------
    result : dict
        `coef`, and `intercept` where there is one.
    n_features : int
    n_intercepts : int
        1, or the number of problems of a batch.
    solver : str
        The solver's name, for the message.

    Returns
    -------
    coef : array of shape (n_features,), float64
    intercept : float, or array of shape (n_intercepts,)

    Raises
    ------
    ResultError
        Naming the solver and what is wrong.
    """
    unknown = set(result) - {"coef", "intercept"}
    if "coef" not in result or unknown:
        raise ResultError(
            f"{solver}: get_result returned the keys {sorted(result)}; it "
            "must return coef, and intercept where it fits one."
        )
    coef = _as_real(result["coef"], "coef", solver)
    if coef.shape != (n_features,):
        raise ResultError(
            f"{solver}: coef has shape {coef.shape}, expected "
            f"({n_features},)."
        )
    intercept = _as_real(result.get("intercept", 0.0), "intercept", solver)
    if intercept.size not in (1, n_intercepts):
        expected = (
            "one number" if n_intercepts == 1 else f"{n_intercepts} numbers"
        )
        raise ResultError(
            f"{solver}: intercept has shape {intercept.shape}, expected "
            f"{expected}."
        )
    if not np.isfinite(coef).all():
        bad = int((~np.isfinite(coef)).sum())
        raise ResultError(
            f"{solver}: {bad} of {n_features} coefficients are NaN or "
            "infinite."
        )
    if not np.isfinite(intercept).all():
        raise ResultError(f"{solver}: the intercept is {intercept}.")
    if n_intercepts == 1:
        return coef, float(intercept.reshape(()))
    return coef, np.broadcast_to(intercept.ravel(), n_intercepts)


def _as_real(value, name, solver):
    if sparse.issparse(value):
        raise ResultError(
            f"{solver}: {name} is a sparse matrix; return a dense array."
        )
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ResultError(f"{solver}: {name} is no array ({error}).") from (
            error
        )
    if array.dtype.kind not in "fiu":
        raise ResultError(
            f"{solver}: {name} is {type(value).__name__} of dtype "
            f"{array.dtype}, expected real numbers."
        )
    return array.astype(np.float64)
