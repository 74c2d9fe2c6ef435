"""Which columns a factor of a sparse Hessian eliminates, and its cost."""
from typing import NamedTuple

import numpy as np

from ..compilation import njit

_1 = np.uint64(1)


class Plan(NamedTuple):
    """Which columns are eliminated, and what a factor costs."""

    #: as in a factor, see `linalg.sparse_cholesky`
    place: np.ndarray
    #: rows with an eliminated column, by that column, int64
    owned: np.ndarray
    #: of every eliminated column, where its rows start in `owned`
    owned_starts: np.ndarray
    #: columns that remain
    q: int
    #: entries of S that are added to
    updates: float
    #: upper bound of the entries of B
    n_b: int


@njit
def _columns(A, p, starts, rows):
    """Fill the rows of every column j, rows[starts[j]:starts[j + 1]]."""
    data, indices, row_starts = A
    for e in range(row_starts[0], row_starts[row_starts.size - 1]):
        starts[indices[e] + _1] += 1
    for j in range(p):
        starts[j + 1] += starts[j]
    following = starts[:p].copy()
    for i in range(np.uint64(row_starts.size - 1)):
        for e in range(row_starts[i], row_starts[i + _1]):
            j = indices[e]
            rows[following[j]] = i
            following[j] += 1


@njit
def _choose(starts, rows, by_count, owner, place):
    """Eliminate columns greedily, the rarest first; return their number."""
    count = 0
    for j in by_count:
        free = True
        for e in range(starts[j], starts[j + 1]):
            if not free:
                break
            free = owner[rows[e]] < 0
        if free:
            for e in range(starts[j], starts[j + 1]):
                owner[rows[e]] = count
            place[j] = -1 - count
            count += 1
    return count


@njit
def _costs(row_starts, owner, intercept, owned_starts, q):
    """Count entries of S added to, and at most how many B has."""
    updates = 0.0
    n_b = 0
    n_owners = owned_starts.size - 1
    widths = np.zeros(n_owners)
    for i in range(owner.size):
        k = float(row_starts[i + 1] - row_starts[i]) + intercept
        if owner[i] >= 0:
            k -= 1.0
            widths[owner[i]] += k
            n_b += int(k)
        updates += 0.5 * k * (k + 1.0)
    for c in range(n_owners):
        width = min(widths[c], q)
        updates += 0.5 * width * (width + 1.0)
    return updates, n_b


def make_plan(A, p, intercept):
    """Choose the columns of a packed matrix to eliminate.

    Parameters
    ----------
    A : tuple, packed matrix of p columns
    p : int
    intercept : bool
        A column of ones comes last, and stays.

    Returns
    -------
    Plan
    """
    n = len(A[2]) - 1
    starts = np.zeros(p + 1, np.int64)
    rows = np.empty(len(A[1]), np.uint32)
    _columns(A, p, starts, rows)
    owner = np.full(n, -1, np.int64)
    place = np.zeros(p + 1, np.int64)
    counts = np.diff(starts)
    n_owners = _choose(
        starts, rows, np.argsort(counts, kind="stable"), owner, place
    )
    kept = np.flatnonzero(place[:p] >= 0)
    q = len(kept) + bool(intercept)
    place[kept] = np.arange(len(kept))
    place[p] = q - 1
    owned = np.flatnonzero(owner >= 0)
    owned = owned[np.argsort(owner[owned], kind="stable")]
    owned_starts = np.zeros(n_owners + 1, np.int64)
    np.cumsum(
        np.bincount(owner[owned], minlength=n_owners), out=owned_starts[1:]
    )
    updates, n_b = _costs(
        A[2], owner, float(intercept), owned_starts, q
    )
    return Plan(place, owned, owned_starts, q, updates, n_b)
