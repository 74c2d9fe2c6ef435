"""Turn what a dataset returns into a problem, or say what is wrong with it.

Nothing here raises for bad data: a problem that cannot be solved is skipped
with a reason, and the rest of the run goes on.
"""
import numbers

import numpy as np
from scipy import sparse


class DataError(ValueError):
    """The data do not define a problem; the message says what to do."""


def clean_design(X, name="X"):
    """Return X as a float array (C or F order), CSR or CSC; never a change.

    float32 and float64 are kept, everything else becomes float64; a copy is
    made only where one is needed.

    Raises
    ------
    DataError
        Where X is no two-dimensional table of finite numbers.
    """
    if sparse.issparse(X):
        if X.format not in ("csr", "csc"):
            X = X.tocsr()
    else:
        X = _as_array(X, name)
    if X.ndim != 2:
        raise DataError(
            f"{name} has {X.ndim} dimension(s), not 2: give an array of "
            "shape (n_samples, n_features)."
        )
    if X.shape[0] == 0 or X.shape[1] == 0:
        raise DataError(
            f"{name} has shape {X.shape}: a problem needs at least one "
            "sample and one feature."
        )
    if X.dtype not in (np.float32, np.float64):
        if np.iscomplexobj(X):
            raise DataError(f"{name} is complex: give real numbers.")
        if X.dtype.kind in "mM":
            raise DataError(
                f"{name} has dates: give numbers, for example days."
            )
        try:
            X = X.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{name} has entries that are not numbers ({error}): encode "
                "categories as numbers, for example one-hot."
            ) from error
    values = X.data if sparse.issparse(X) else X
    if not _all_finite(values):
        raise DataError(
            f"{name} contains NaN or infinity: impute or drop those entries "
            "in the dataset."
        )
    if not (sparse.issparse(X) or X.flags.forc):
        X = np.ascontiguousarray(X)
    return X


def _as_array(values, name):
    """`numpy.asarray` that says what is wrong."""
    if np.ma.is_masked(values):
        raise DataError(
            f"{name} has masked entries: impute or drop them in the dataset."
        )
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} is no array ({error}): give rows of one length."
        ) from error


def _all_finite(values):
    """True where no entry is NaN or infinite, without a mask of X's size."""
    # The sum is finite unless an entry is not, or the entries are huge.
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum(dtype=np.float64)
    return bool(np.isfinite(total) or np.isfinite(values).all())


def clean_labels(y, n_samples, classes=None, name="y"):
    """Return y as -1.0 and +1.0 and the two classes; the larger is +1.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Any two values that can be sorted: {0, 1}, {1, 2}, booleans, strings.
    n_samples : int
        The number of rows of X.
    classes : array of shape (2,), optional
        The classes of the training labels, for test labels.

    Raises
    ------
    DataError
    """
    y = _as_array(y, name)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{name} has shape {y.shape}: give one label a sample, in an "
            "array of shape (n_samples,)."
        )
    if len(y) != n_samples:
        raise DataError(
            f"{name} has {len(y)} labels for {n_samples} samples: X and y "
            "must have the same length."
        )
    if y.dtype.kind in "OmM" and any(_is_missing(label) for label in y):
        raise DataError(f"{name} has missing labels: drop those samples.")
    if y.dtype.kind in "fc" and not np.isfinite(y).all():
        raise DataError(
            f"{name} contains NaN or infinity: drop the samples without a "
            "label."
        )
    try:
        found = np.unique(y)
    except TypeError as error:
        raise DataError(
            f"{name} mixes labels of several types ({error}): use two "
            "numbers or two strings."
        ) from error
    if classes is None:
        if len(found) == 1:
            raise DataError(
                f"{name} has the single class {found.tolist()[0]!r}: "
                "logistic regression needs samples of two classes."
            )
        if len(found) != 2:
            raise DataError(
                f"{name} has {len(found)} classes, not two: pick two, or "
                "group them into two (for instance one against the rest)."
            )
        classes = found
    elif not np.isin(found, classes).all():
        raise DataError(
            f"{name} has the labels {found.tolist()}, but the training "
            f"labels are {classes.tolist()}."
        )
    return np.where(y == classes[1], 1.0, -1.0), classes


def _is_missing(label):
    try:
        # NaN and NaT differ from themselves
        return label is None or bool(label != label)
    except TypeError:
        # pandas.NA is neither true nor false
        return True


def check_penalty(l1, l2, fit_intercept):
    """Check the parameters of the objective, which benchopt does not.

    Raises
    ------
    DataError
    """
    for name, value in (("l1", l1), ("l2", l2)):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise DataError(f"{name}={value!r} is not a number.")
        if not (np.isfinite(value) and value >= 0):
            raise DataError(f"{name}={value} must be finite and not negative.")
    if l1 > 1:
        raise DataError(
            f"l1={l1} is a fraction of lambda1_max, from which on the "
            "solution is zero: choose it between 0 and 1."
        )
    if l1 == 0 and l2 == 0:
        raise DataError(
            "no penalty at all (l1=0 and l2=0): a minimiser need not exist. "
            "Set l1 (a fraction of lambda1_max) or l2 above zero."
        )
    if not isinstance(fit_intercept, (bool, np.bool_)):
        raise DataError(f"fit_intercept={fit_intercept!r} is not a boolean.")


def check_coef_true(coef_true, n_features):
    """Return the generating coefficients as float64, or None.

    Raises
    ------
    DataError
    """
    if coef_true is None:
        return None
    coef_true = _as_array(coef_true, "coef_true")
    if coef_true.dtype.kind not in "fiu" or not _all_finite(coef_true):
        raise DataError("coef_true must be finite real numbers.")
    coef_true = coef_true.astype(np.float64)
    if coef_true.shape != (n_features,):
        raise DataError(
            f"coef_true has shape {coef_true.shape}, X has {n_features} "
            "features."
        )
    return coef_true


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
