"""Data and parameters: are they a problem? The only checks there are.

Each takes what a caller gives, of any type, and returns what the kernels
take, or raises a DataError that names the argument, says what is wrong with
it and what to do. Nothing is changed, and copied only where it must be.
"""
import math
import numbers

import numpy as np
from scipy import sparse

from . import penalties

_FLOATS = np.dtype(np.float64), np.dtype(np.float32)
_DOUBLE = _FLOATS[0]
# Names of this module: `np.` costs 15 ns a time
_count, _contiguous = np.count_nonzero, np.ascontiguousarray
_errstate = np.errstate
_ONE = np.array(1.0)
_SIGNS = np.array([-1.0, 1.0])
_SIGNS.flags.writeable = False


class DataError(ValueError):
    """The data do not define a problem; the message says what to do."""


def check_design(X, name="X", entries=True):
    """Return X as a float array (C or F order), CSR or CSC.

    float32 and float64 are kept, everything else becomes float64. `entries`
    tells whether to look at floats: a pass, for which 1 ms is 16 % of a fit
    of 100000 x 20. Who does without it calls `check_entries` in the end.

    Raises
    ------
    DataError
        Where X is no two-dimensional table of finite numbers, or its sparse
        structure points outside of it.
    """
    if type(X) is not np.ndarray:
        if sparse.issparse(X):
            X = _check_sparse(X, name)
            if entries:
                check_entries(X, name)
            return X
        columns = getattr(X, "columns", None)
        X = _as_array(X, name)
    else:
        columns = None
    if X.ndim != 2 or X.size == 0:
        _refuse_shape(X, name)
    if X.dtype not in _FLOATS:
        X = _to_float64(X, name, columns)
    if not X.flags.forc:
        X = np.ascontiguousarray(X)
    if entries:
        check_entries(X, name, columns)
    return X


def check_entries(X, name="X", columns=None):
    """Look for entries of a checked design that are not finite.

    Parameters
    ----------
    columns : sequence, optional
        Names of the columns.

    Raises
    ------
    DataError
    """
    values = X.data if sparse.issparse(X) else X
    if not all_finite(values):
        _refuse_entries(values, name, columns)


def _refuse_shape(X, name):
    if X.ndim != 2:
        raise DataError(
            f"{name} has {X.ndim} dimension(s), not 2: give an array of "
            "shape (n_samples, n_features)."
        )
    raise DataError(
        f"{name} has shape {X.shape}: a problem needs at least one sample "
        "and one feature."
    )


def _as_array(values, name):
    """Return `numpy.asarray`, or say what is wrong."""
    masked = np.ma.MaskedArray
    if isinstance(values, masked) or (
        isinstance(values, (list, tuple))
        and any(isinstance(row, masked) for row in values)
    ):
        raise DataError(
            f"{name} is a masked array, and a mask is not used: drop or "
            "impute the masked entries and give a plain array."
        )
    try:
        return np.asarray(values)
    except Exception as error:
        # An `__array__` of somebody may raise anything
        raise DataError(
            f"{name} is no array ({type(error).__name__}: {error}): give "
            "rows of one length."
        ) from error


def _to_float64(values, name, columns=None):
    """Return an array of another dtype as float64, or say what is wrong."""
    kind = values.dtype.kind
    if kind == "c":
        raise DataError(
            f"{name} is complex: give real numbers, for example {name}.real."
        )
    if kind in "mM":
        raise DataError(
            f"{name} has dates: give numbers, for example days."
        )
    if kind in "biuf":
        return values.astype(np.float64)
    if kind == "O":
        for place, entry in enumerate(values.flat):
            if not isinstance(entry, (numbers.Real, np.bool_)):
                _refuse_entry(values, place, entry, name, columns)
        try:
            return values.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{name} has entries that are not numbers of float64 "
                f"({error}): scale or drop that column."
            ) from error
    if values.size:
        _refuse_entry(values, 0, values.flat[0], name, columns)
    return values.astype(np.float64)


def _refuse_entry(values, place, entry, name, columns):
    """Say which entry is no real number."""
    if isinstance(entry, numbers.Complex):
        what, todo = "complex", "give real numbers"
    elif isinstance(entry, np.ma.core.MaskedConstant):
        what, todo = "masked", "drop or impute it"
    elif _is_missing(entry):
        what, todo = "missing", "impute or drop those entries"
    else:
        what = f"a {type(entry).__name__}, and entries are not numbers"
        todo = "encode categories as numbers, for example one-hot"
    raise DataError(
        f"{name} has the entry {_short(entry)} in "
        f"{_where(values, place, columns)}, which is {what}: {todo}."
    )


def _where(values, place, columns):
    """Name the column of an entry from its place in C order."""
    if values.ndim != 2:
        return f"entry {place}"
    column = place % values.shape[1]
    text = f"column {column}"
    if columns is not None:
        text += f" ({_short(columns[column])})"
    return f"{text}, row {place // values.shape[1]}"


def _short(entry):
    """Return at most 40 characters of what an entry prints."""
    try:
        text = repr(entry.item() if isinstance(entry, np.generic) else entry)
    except Exception:
        text = f"<{type(entry).__name__}>"
    return text if len(text) <= 40 else text[:37] + "..."


def all_finite(values):
    """Return whether no entry is NaN or infinite, mostly without a mask."""
    # finite unless an entry is not, or some are huge
    with _errstate(over="ignore", invalid="ignore"):
        if values.dtype == _DOUBLE and values.size < 10_000:
            # 0.6 us for 200 x 10; a sum takes 2.5. BLAS calls its threads for
            # more entries, for which 10 us can become a millisecond
            flat = values.ravel("K")
            total = np.dot(flat, flat)
        else:
            total = values.sum(dtype=np.float64)
    return math.isfinite(total) or bool(np.isfinite(values).all())


def _refuse_entries(values, name, columns=None):
    bad = np.flatnonzero(~np.isfinite(values).ravel())
    raise DataError(
        f"{name} contains NaN or infinity: impute or drop those entries (or "
        f"their columns). There are {len(bad)}, the first in "
        f"{_where(values, int(bad[0]), columns)}."
    )


def _check_sparse(X, name):
    """Return a sparse matrix as CSR or CSC after a check of its structure.

    Kernels trust indices, so a wrong one would read foreign memory.
    """
    if X.ndim != 2 or 0 in X.shape:
        _refuse_shape(X, name)
    check = {
        "csr": _check_compressed, "csc": _check_compressed,
        "bsr": _check_compressed, "coo": _check_coordinates,
        "dia": _check_diagonals, "lil": _check_lists,
        "dok": lambda X: _check_coordinates(X.tocoo()),
    }.get(X.format)
    if check is None:
        raise DataError(
            f"{name} has the unknown sparse format {X.format!r}: convert it "
            "to CSR."
        )
    try:
        problem = check(X)
    except Exception as error:
        # Where a part of the structure is no array, or is missing
        problem = f"{type(error).__name__}: {error}"
    if problem:
        raise DataError(
            f"{name} is a sparse matrix ({X.format}) of broken structure: "
            f"{problem}. Build it anew, for example from rows, columns and "
            "values by scipy.sparse.coo_matrix."
        )
    if X.format not in ("csr", "csc"):
        X = X.tocsr()
    data, indices, indptr = X.data, X.indices, X.indptr
    n_entries = int(indptr[-1])
    if not len(data) == len(indices) == n_entries:
        # what is behind the last row is no part of the matrix
        data, indices = data[:n_entries], indices[:n_entries]
    if data.dtype not in _FLOATS:
        data = _to_float64(data, name)
    if data is not X.data:
        X = type(X)((data, indices, indptr), shape=X.shape)
    return X


def _integers(*arrays):
    return all(
        array.ndim == 1 and array.dtype.kind in "iu" for array in arrays
    )


def _outside(indices, size):
    """Return whether an index is not in [0, size)."""
    # unsigned, what is negative is huge: one pass instead of two
    return len(indices) > 0 and not (
        indices.view(indices.dtype.str.replace("i", "u")).max() < size
    )


def _check_compressed(X):
    """Return what is wrong with the structure of CSR, CSC or BSR, or None."""
    rows, columns = X.shape if X.format != "csc" else X.shape[::-1]
    if X.format == "bsr":
        height, width = X.data.shape[1:]
        if rows % height or columns % width:
            return "its blocks do not fit its shape"
        rows, columns = rows // height, columns // width
    elif X.data.ndim != 1:
        return "data has not one dimension"
    indptr, indices = X.indptr, X.indices
    if not _integers(indptr, indices):
        return "indices and indptr must be integers of one dimension"
    if len(indptr) != rows + 1:
        return f"indptr has {len(indptr)} entries, not {rows + 1}"
    if indptr[0] != 0:
        return f"indptr begins with {indptr[0]}, not 0"
    if (indptr[1:] < indptr[:-1]).any():
        return "indptr decreases"
    if indptr[-1] > min(len(indices), len(X.data)):
        return (
            f"indptr ends with {indptr[-1]}, but there are {len(indices)} "
            f"indices and {len(X.data)} values"
        )
    indices = indices[:int(indptr[-1])]
    if _outside(indices, columns):
        return (
            f"an index is {_stray(indices, columns)}, and must be in "
            f"0 to {columns - 1}"
        )
    return None


def _stray(indices, size):
    low = indices.min()
    return low if low < 0 else indices.max()


def _check_coordinates(X):
    """Return what is wrong with the structure of COO, or None."""
    if not _integers(X.row, X.col):
        return "row and col must be integers of one dimension"
    if not len(X.row) == len(X.col) == len(X.data):
        return "row, col and data have different lengths"
    for indices, size in zip((X.row, X.col), X.shape, strict=True):
        if _outside(indices, size):
            return (
                f"an index is {_stray(indices, size)}, and must be in 0 to "
                f"{size - 1}"
            )
    return None


def _check_diagonals(X):
    """Return what is wrong with the structure of DIA, or None."""
    if not _integers(X.offsets) or X.data.ndim != 2:
        return "offsets must be integers, and data have two dimensions"
    if len(X.offsets) != len(X.data):
        return f"{len(X.offsets)} offsets for {len(X.data)} diagonals"
    if len(np.unique(X.offsets)) != len(X.offsets):
        return "an offset is there twice"
    return None


def _check_lists(X):
    """Return what is wrong with the structure of LIL, or None."""
    if not len(X.rows) == len(X.data) == X.shape[0]:
        return "rows and data must have a list for each row"
    for columns, values in zip(X.rows, X.data, strict=True):
        if len(columns) != len(values):
            return "a row has more indices than values, or fewer"
        if _outside(np.asarray(columns, dtype=np.int64), X.shape[1]):
            return f"an index is not in 0 to {X.shape[1] - 1}"
    return None


def check_labels(y, n_samples, classes=None, name="y"):
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
    if type(y) is not np.ndarray:
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
    if classes is None and y.dtype == _DOUBLE:
        # 2 us for 200 labels; `y == 1` and `y == -1` take 3.3 us
        sizes = np.abs(y)
        if _count(np.equal(sizes, _ONE)) == n_samples and (
            abs(np.dot(y, sizes)) < n_samples
        ):
            return _contiguous(y), _SIGNS
    found = _classes_of(y, name)
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


def _classes_of(y, name):
    """Return the sorted values of labels."""
    kind = y.dtype.kind
    if kind == "c" or kind == "O" and any(
        isinstance(label, numbers.Complex)
        and not isinstance(label, numbers.Real) for label in y
    ):
        raise DataError(
            f"{name} is complex: give real labels, for example {name}.real."
        )
    if kind in "OmM" and any(_is_missing(label) for label in y):
        raise DataError(f"{name} has missing labels: drop those samples.")
    if kind == "f" and not np.isfinite(y).all():
        raise DataError(
            f"{name} contains NaN or infinity: drop the samples without a "
            "label."
        )
    try:
        return np.unique(y)
    except Exception as error:
        raise DataError(
            f"{name} mixes labels of several types ({error}): use two "
            "numbers or two strings."
        ) from error


def _is_missing(label):
    try:
        # NaN and NaT differ from themselves
        return label is None or bool(label != label)
    except (TypeError, ValueError):
        # pandas.NA is neither true nor false
        return True


def check_number(value, name, low=0.0):
    """Return a real number >= `low` as a float; infinity is none.

    Booleans, texts and arrays are refused; the numbers of NumPy are not.
    """
    if type(value) is not float:
        if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, numbers.Real
        ):
            raise DataError(
                f"{name}={_short(value)} is not a number: give one real "
                "number."
            )
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if not low <= value < math.inf:
        least = "negative" if low == 0.0 else f"below {low}"
        raise DataError(f"{name}={value} must be finite and not {least}.")
    return value


def check_count(value, name):
    """Return an integer >= 0 as an int."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, numbers.Integral
    ):
        raise DataError(
            f"{name}={_short(value)} is not an integer: give a whole number."
        )
    if value < 0:
        raise DataError(f"{name}={value} must not be negative.")
    return int(value)


def check_flag(value, name):
    """Return True or False."""
    if value is True or value is False:
        return value
    if not isinstance(value, np.bool_):
        raise DataError(
            f"{name}={_short(value)} is not a boolean: give True or False."
        )
    return bool(value)


def check_parameters(
    l1=0.0, l2=1.0, tol=1e-8, max_iter=1000, fit_intercept=False,
    float32_copy=True, compile=True,
):
    """Return (l1, l2, tol, max_iter, fit_intercept, float32_copy, compile).

    The parameters of a fit: lambda1 and lambda2 themselves, not both zero.
    `max_iter` is an integer; at 0 the start is returned, with its
    certificate.

    Raises
    ------
    DataError
    """
    if (
        type(l1) is type(l2) is type(tol) is float and type(max_iter) is int
        and type(fit_intercept) is type(float32_copy) is bool
        and type(compile) is bool
        and 0.0 <= l1 < math.inf and 0.0 <= l2 < math.inf and l1 + l2 > 0.0
        and 0.0 <= tol < math.inf and max_iter >= 0
    ):
        # by far the most frequent: 0.3 us instead of 1.4
        return l1, l2, tol, max_iter, fit_intercept, float32_copy, compile
    l1, l2 = check_number(l1, "l1"), check_number(l2, "l2")
    if l1 == l2 == 0.0:
        raise DataError(
            "no penalty at all (l1=0 and l2=0): a minimiser need not exist. "
            "l2 must be positive, or l1."
        )
    return (
        l1, l2, check_number(tol, "tol"), check_count(max_iter, "max_iter"),
        check_flag(fit_intercept, "fit_intercept"),
        check_flag(float32_copy, "float32_copy"),
        check_flag(compile, "compile"),
    )


def check_l1_of_batch(l1, n_problems, penalty):
    """Return lambda1 of a batch: a float, or one positive float a problem.

    Raises
    ------
    DataError
    """
    if type(l1) is float and 0.0 <= l1 < math.inf:
        return l1
    if np.ndim(l1) == 0:
        return check_number(l1, "l1")
    l1 = check_vector(l1, n_problems, "l1", "problem")
    if penalty != "elasticnet":
        raise DataError(
            f"l1 has a number a problem, which penalty={penalty!r} does not "
            "take: give one number."
        )
    if not l1.min() > 0.0:
        raise DataError("l1 must be above zero for each problem.")
    return l1


def check_penalty_name(name, l1, gamma):
    """Check a penalty's name, and what belongs to it.

    Raises
    ------
    DataError
    """
    if name == "elasticnet":
        return
    try:
        kind = penalties.load(name)
    except (TypeError, ValueError):
        kind = None
    if not getattr(kind, "is_selectable", kind is not None):
        known = ", ".join(["elasticnet", *penalties.selectable_names()])
        raise DataError(
            f"penalty={_short(name)} is unknown: choose among {known}."
        )
    if not l1 > 0.0:
        raise DataError(
            f"l1={l1} is nothing for penalty={name!r}: set it above zero."
        )
    least = getattr(kind, "least_gamma", 0.0)
    if not check_number(gamma, "gamma") > least:
        raise DataError(
            f"gamma={gamma} must be above {least:g} for penalty={name!r}."
        )


def check_start(coef, intercept, n_features):
    """Return the coefficients and the intercept that a fit is to start from.

    Raises
    ------
    DataError
    """
    coef = check_vector(coef, n_features, "coef_init")
    if isinstance(intercept, np.ndarray) and intercept.size == 1:
        intercept = intercept.reshape(())[()]
    return coef, check_number(intercept, "intercept_init", -math.inf)


def check_weights(values, y):
    """Return what samples count, as positive float64, and which rows stay.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Not negative; a sample of weight zero is none.
    y : array of shape (n_samples,)

    Returns
    -------
    weights : array of shape (n_kept,), or None where each counts once
    kept : array of shape (n_kept,), int, or None where all are

    Raises
    ------
    DataError
    """
    values = _as_array(values, "sample_weight")
    if values.shape != y.shape:
        raise DataError(
            f"sample_weight has shape {values.shape} for {len(y)} samples: "
            "give one number a sample."
        )
    values = _to_float64(values, "sample_weight")
    if not all_finite(values) or values.min() < 0.0:
        raise DataError(
            "sample_weight must be finite and not negative: 0 leaves a "
            "sample out."
        )
    if not values.any():
        raise DataError("sample_weight is zero everywhere.")
    kept = None
    if not values.all():
        kept = np.flatnonzero(values)
        values = values[kept]
    return None if (values == 1.0).all() else values, kept


def check_vector(values, size, name, of="feature"):
    """Return finite real numbers, one of each feature, as float64.

    Raises
    ------
    DataError
    """
    values = _as_array(values, name)
    if values.dtype.kind not in "fiub" or not all_finite(values):
        raise DataError(f"{name} must be finite real numbers.")
    if values.shape != (size,):
        raise DataError(
            f"{name} has shape {values.shape}, there are {size} {of}s: give "
            f"one number a {of}."
        )
    return values.astype(np.float64)


def check_penalty(l1, l2, fit_intercept):
    """Check penalties whose l1 is a fraction of lambda1_max.

    Raises
    ------
    DataError
    """
    l1, l2 = check_number(l1, "l1"), check_number(l2, "l2")
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
    check_flag(fit_intercept, "fit_intercept")
