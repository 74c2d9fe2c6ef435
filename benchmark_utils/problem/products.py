"""Products with a design, in float64, whatever its layout and its dtype.

Sums over the samples are taken by blocks of rows, whose own sums are added:
no sample goes through more additions than there are rows in a block and
blocks. All that is assumed of BLAS is that it adds k numbers by k - 1
additions in float64, in any order; then a sum is wrong by at most
k u / (1 - k u) times the sum of the absolute values, u = 2^-53.

N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 2002,
section 4.2, doi:10.1137/1.9780898718027.
"""
from typing import NamedTuple

import numpy as np
from scipy import sparse

# Of a dense block: it stays in the cache, and the certificate never holds a
# second copy of X in float64. 20000 x 500: 6.8 ms instead of 12.0 for X as one
# block, since the second use of a block reads no memory
_BLOCK_BYTES = 2**20
# Rows of a block at most, so that few additions follow each other
_BLOCK_ROWS = 4096


class Sizes(NamedTuple):
    """How large a design is, for bounds of the rounding in its products."""

    #: array of shape (n_features,), the columns' Euclidean norms
    norms: np.ndarray
    #: additions that follow each other in a sum over the samples
    sample_depth: int
    #: and in a sum over the features
    feature_depth: int


def measure(X):
    """Measure a design for the bounds of `certificate.certify`."""
    n, p = X.shape
    if not sparse.issparse(X):
        squares = np.zeros(p)
        blocks = list(_blocks(X))
        for rows, columns in blocks:
            block = _as_float64(X[rows, columns])
            squares[columns] += np.einsum("ij,ij->j", block, block)
        height = max(rows.stop - rows.start for rows, _ in blocks)
        depth = height + -(-n // height)
        width = max(columns.stop - columns.start for _, columns in blocks)
        return Sizes(np.sqrt(squares), depth, width + -(-p // width))
    minor = np.bincount(X.indices, minlength=n if X.format == "csc" else p)
    depths = [int(counts.max()) + 1 for counts in (np.diff(X.indptr), minor)]
    if X.format == "csr":
        depths.reverse()
    if not X.has_canonical_format:
        # entries given twice: the bounds are of the sums of absolute values
        X = X.copy()
        X.data = np.abs(X.data)
        X.sum_duplicates()
    squares = type(X)(
        (_as_float64(X.data) ** 2, X.indices, X.indptr), shape=X.shape
    )
    return Sizes(np.sqrt(squares.T @ np.ones(n)), *depths)


def _blocks(X):
    """Yield (rows, columns) of blocks of dense X, together all of it."""
    n, p = X.shape
    height = min(n, _BLOCK_ROWS)
    if X.flags.c_contiguous:
        height = min(height, max(_BLOCK_BYTES // (8 * p), 1))
        width = p
    else:
        width = min(p, max(_BLOCK_BYTES // (8 * height), 1))
    for first in range(0, p, width):
        for start in range(0, n, height):
            yield (
                slice(start, min(start + height, n)),
                slice(first, min(first + width, p)),
            )


def _slices(X):
    """Yield slices of sparse X along the axis that it is stored by.

    float64 data is one slice: nothing is converted, so nothing is copied.
    """
    length = X.shape[0] if X.format == "csr" else X.shape[1]
    step = max(length, 1)
    if X.dtype != np.float64:
        average = max(X.nnz // step, 1)
        step = max(16 * _BLOCK_BYTES // (8 * average), 1)
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def matvec(X, v):
    """Return X @ v in float64.

    Parameters
    ----------
    X : array or CSR or CSC matrix of shape (n_samples, n_features)
        float64 or float32; float32 is converted block by block.
    v : array of shape (n_features,), float64
    """
    if not sparse.issparse(X):
        out = np.zeros(X.shape[0])
        for rows, columns in _blocks(X):
            out[rows] += _as_float64(X[rows, columns]) @ v[columns]
        return out
    if X.dtype == np.float64:
        return X @ v
    if X.format == "csr":
        return np.concatenate(
            [_as_float64(X[rows]) @ v for rows in _slices(X)]
        )
    return sum(_as_float64(X[:, cols]) @ v[cols] for cols in _slices(X))


def rmatvec(X, v):
    """Return X.T @ v in float64; v has shape (n_samples,)."""
    if not sparse.issparse(X):
        out = np.zeros(X.shape[1])
        for rows, columns in _blocks(X):
            out[columns] += _as_float64(X[rows, columns]).T @ v[rows]
        return out
    return matvec(X.T, v)


def _as_float64(block):
    return block.astype(np.float64, copy=False)
