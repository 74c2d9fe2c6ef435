"""Centre the sparse columns without a zero that are far from zero.

With an intercept that is not penalized the problem is the same, and so is the
sparsity, since every entry of such a column is stored. Timestamps, years or
identifiers beside one-hot columns are the case that people have.
"""
import numpy as np

# A column is far from zero where its middle is more than so many times its
# range
_FAR = 30.0
# and where it is constant, more than this
_HARMLESS = 1e3
# Rows that are looked at first: mostly no column is in all of them
_ROWS = 16


def _middle(values):
    """Return the middle of a column's entries, 0.0 unless far from zero."""
    low, high = float(values.min()), float(values.max())
    middle = low + 0.5 * (high - low)
    far = abs(middle) > (_FAR * (high - low) if high > low else _HARMLESS)
    return middle if far else 0.0


def _candidates(X):
    """Return the columns of CSR X that are full and far in some rows."""
    n = X.shape[0]
    rows = range(0, n, max(1, n // _ROWS))
    found = None
    for i in rows:
        row = X.indices[X.indptr[i]:X.indptr[i + 1]].tolist()
        found = set(row) if found is None else found.intersection(row)
        if not found:
            return []
    some = X[rows].tocsc()
    return [
        j for j in sorted(found)
        if _middle(some.data[some.indptr[j]:some.indptr[j + 1]])
    ]


def _places(X):
    """Yield (column, places of its entries in X.data) of full columns.

    A column is full with one entry in every row.
    """
    n, p = X.shape
    if X.nnz < n:
        return
    candidates = _candidates(X)
    if not candidates:
        return
    wanted = np.zeros(p, bool)
    wanted[candidates] = True
    at = np.flatnonzero(wanted[X.indices[:X.indptr[-1]]])
    columns = X.indices[at]
    for j in candidates:
        entries = at[columns == j]
        # entry k is in row k
        if len(entries) == n and (
            (X.indptr[:-1] <= entries) & (entries < X.indptr[1:])
        ).all():
            yield j, entries


def centre_full_columns(X):
    """Subtract the middle of full columns that are far from zero.

    Parameters
    ----------
    X : CSR matrix of shape (n_samples, n_features), float64
        Valid; not changed.

    Returns
    -------
    centred : matrix like X, float64, or None
        None where no column is such. It shares no array with X, which SciPy
        would sort or not together with this one.
    middles : array of shape (n_features,), float64, or None
        What was subtracted: scores of X are those of `centred` and
        ``middles @ coef``.
    """
    middles = np.zeros(X.shape[1])
    centred = None
    for j, entries in _places(X):
        middle = _middle(X.data[entries])
        if middle:
            centred = X.copy() if centred is None else centred
            middles[j] = middle
            # exact: both are within a factor of two
            centred.data[entries] -= middle
    return (None, None) if centred is None else (centred, middles)
