"""Turn a table with categories and missing entries into numbers."""
import numpy as np
import pandas as pd
from scipy import sparse

# Below this share of nonzeros a table becomes CSR
SPARSE_BELOW = 0.1


def split_label(frame, label, source):
    """Take the column of labels out of a table, and what has no label.

    Parameters
    ----------
    frame : pandas.DataFrame
    label : str
        The column's name.
    source : str
        Where the table is from, for messages.

    Returns
    -------
    frame : pandas.DataFrame
    y : array of shape (n_samples,)

    Raises
    ------
    ValueError
        Where there is no such column.
    """
    if label not in frame.columns:
        known = ", ".join(map(str, frame.columns[:20]))
        more = ", ..." if frame.shape[1] > 20 else ""
        raise ValueError(
            f"{source} has no column {label!r}: set label to the name of "
            f"the column of labels, one of {known}{more}."
        )
    y = frame[label]
    return drop_unlabelled(frame.drop(columns=label), y, source)


def drop_unlabelled(X, y, source):
    """Drop the samples without a label, and say how many.

    Parameters
    ----------
    X : pandas.DataFrame, or CSR matrix of shape (n_samples, n_features)
    y : pandas.Series of shape (n_samples,)
    source : str

    Returns
    -------
    X, y
        y as an array.
    """
    missing = y.isna().to_numpy()
    if missing.any():
        print(f"{source}: {missing.sum()} samples without a label dropped.")
        X = X[~missing]
        y = y[~missing]
    # categories to plain values, which can be sorted
    return X, np.asarray(y.to_numpy())


def encode(frame, source):
    """Numbers as they are, categories one-hot, missing entries filled.

    A missing number becomes the median of its column; a missing category is
    a category of its own. A column without any entry, and a column of text
    with a different entry in more than half of the samples (a name, an
    address), is left out. Each of these is reported by a printed line.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_samples, n_columns)
    source : str
        Where the table is from, for the report.

    Returns
    -------
    X : array, or CSR matrix where less than 10 % are nonzero
        float64, or float32 where all columns are. First the numbers, then
        the levels of each category, sorted, without leaving one out.

    Raises
    ------
    ValueError
        Where no column is left.
    """
    left_out, numbers, categories = [], [], []
    n_missing = 0
    for name in frame.columns:
        column = frame[name]
        n_entries = column.count()
        if n_entries == 0:
            left_out.append(f"{name} (no entries)")
        elif pd.api.types.is_numeric_dtype(column.dtype):
            numbers.append(name)
            n_missing += len(column) - n_entries
        elif column.nunique() > max(len(column) / 2, 2):
            left_out.append(f"{name} (text)")
        else:
            categories.append(name)
            n_missing += len(column) - n_entries
    if left_out:
        print(f"{source}: left out {', '.join(left_out)}.")
    if n_missing:
        print(
            f"{source}: {n_missing} missing entries filled (numbers: the "
            "column's median; categories: a category of their own)."
        )
    if not numbers and not categories:
        raise ValueError(f"{source} has no column that can be a feature.")
    codes = [_codes(frame[name]) for name in categories]
    return _assemble([frame[name] for name in numbers], codes, len(frame))


def _codes(column):
    """Integer codes of a category's sorted levels, and their number."""
    values = column.astype(object)
    values = values.where(column.notna(), None)
    levels = sorted(
        {value for value in values if value is not None}, key=str
    )
    if column.isna().any():
        levels.append(None)
    place = {level: code for code, level in enumerate(levels)}
    return np.array([place[value] for value in values]), len(levels)


def _number(column):
    values = column.to_numpy(
        dtype=np.float32 if column.dtype == np.float32 else np.float64,
        na_value=np.nan,
    ).copy()
    missing = np.isnan(values)
    if missing.any():
        values[missing] = np.nanmedian(values)
    return values


def _assemble(columns, codes, n_samples):
    width = len(columns) + sum(n_levels for _, n_levels in codes)
    n_nonzeros = n_samples * len(codes) + sum(
        int((column != 0).sum()) for column in columns
    )
    single = columns and all(c.dtype == np.float32 for c in columns)
    dtype = np.float32 if single else np.float64
    rows = np.arange(n_samples)
    if n_nonzeros < SPARSE_BELOW * n_samples * width:
        parts = [
            sparse.csc_matrix(_number(column)[:, None]) for column in columns
        ] + [
            sparse.csc_matrix(
                (np.ones(n_samples, dtype), (rows, code)),
                shape=(n_samples, n_levels),
            )
            for code, n_levels in codes
        ]
        return sparse.hstack(parts, format="csr", dtype=dtype)
    X = np.zeros((n_samples, width), dtype=dtype)
    for j, column in enumerate(columns):
        X[:, j] = _number(column)
    start = len(columns)
    for code, n_levels in codes:
        X[rows, start + code] = 1
        start += n_levels
    return X
