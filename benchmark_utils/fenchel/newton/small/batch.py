"""Thousands of independent small problems in one call.

The leaf models of boosted linear trees are such problems: 10 x 2, 200 x 10.
`pack_problems` lays them out flat, `fit_many` solves them one after the
other, or side by side where numba may use several threads.
"""
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from ...compilation import njit
from .descent import REACHED, fit_tiny, workspace_size


class Batch(NamedTuple):
    """Independent problems in flat arrays; problem k is between offsets.

    Attributes
    ----------
    data : array, float64
        The designs row by row, one after the other.
    y : array, float64
        Labels -1 and +1.
    data_offsets, row_offsets, feature_offsets : arrays of shape (K + 1,)
        Where the entries, samples and features of each problem begin.
    """

    data: np.ndarray
    y: np.ndarray
    data_offsets: np.ndarray
    row_offsets: np.ndarray
    feature_offsets: np.ndarray

    @property
    def n_problems(self):
        return len(self.row_offsets) - 1


def pack_problems(Xs, ys):
    """Lay out problems for `fit_many`.

    Parameters
    ----------
    Xs : sequence of arrays of shape (n_k, p_k)
    ys : sequence of arrays of shape (n_k,)
        Labels -1 and +1.

    Returns
    -------
    Batch

    Raises
    ------
    ValueError
        Where the lengths do not match, or a label is not -1 or +1.
    """
    if len(Xs) != len(ys) or len(Xs) == 0:
        raise ValueError(
            f"{len(Xs)} designs for {len(ys)} label vectors: give one each."
        )
    Xs = [np.asarray(X, dtype=np.float64) for X in Xs]
    for k, (X, y) in enumerate(zip(Xs, ys, strict=True)):
        if X.ndim != 2 or 0 in X.shape or len(y) != len(X):
            raise ValueError(
                f"problem {k}: X has shape {X.shape}, y has {len(y)} labels."
            )
    y = np.concatenate(ys).astype(np.float64)
    if not (np.abs(y) == 1.0).all():
        raise ValueError("labels must be -1 and +1.")

    def offsets(lengths):
        return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    return Batch(
        np.concatenate([X.ravel() for X in Xs]), y,
        offsets([X.size for X in Xs]), offsets([len(X) for X in Xs]),
        offsets([X.shape[1] for X in Xs]),
    )


@njit
def _fit_range(
    first, last, data, y, data_offsets, row_offsets, feature_offsets, l2,
    intercept, tol, max_iter, coef, intercepts, iterations, converged, gaps,
):
    n_max, p_max = 0, 0
    for k in range(first, last):
        n_max = max(n_max, row_offsets[k + 1] - row_offsets[k])
        p_max = max(p_max, feature_offsets[k + 1] - feature_offsets[k])
    work, x = np.empty(workspace_size(n_max, p_max + 1)), np.empty(p_max + 1)
    for k in range(first, last):
        row = row_offsets[k]
        n = row_offsets[k + 1] - row
        feature = feature_offsets[k]
        p = feature_offsets[k + 1] - feature
        for j in range(p + 1):
            x[j] = 0.0
        iterations[k], _, status, gap, value = fit_tiny(
            data, data_offsets[k], p, 1, n, p, y, row, l2, intercept, tol,
            max_iter, work, x, 0,
        )
        for j in range(p):
            coef[feature + j] = x[j]
        intercepts[k] = x[p] if intercept else 0.0
        converged[k] = status == REACHED
        gaps[k] = gap / value


@njit(parallel=True)
def _fit_parallel(
    threads, data, y, data_offsets, row_offsets, feature_offsets, l2,
    intercept, tol, max_iter, coef, intercepts, iterations, converged, gaps,
):
    n_problems = row_offsets.size - 1
    for thread in prange(threads):
        _fit_range(
            thread * n_problems // threads,
            (thread + 1) * n_problems // threads,
            data, y, data_offsets, row_offsets, feature_offsets, l2,
            intercept, tol, max_iter, coef, intercepts, iterations, converged,
            gaps,
        )


def fit_many(batch, l2=1.0, fit_intercept=False, tol=1e-8, max_iter=100):
    """Solve every problem of a batch for itself, by `fit_tiny`.

    Parameters
    ----------
    batch : Batch
        From `pack_problems`.
    l2 : float, > 0
    fit_intercept : bool
    tol : float
        Certified relative gap for each problem.
    max_iter : int

    Returns
    -------
    coef : array of shape (feature_offsets[-1],), float64
        The coefficients of problem k are
        coef[feature_offsets[k]:feature_offsets[k + 1]].
    intercepts : array of shape (n_problems,), float64
    info : dict
        Arrays of shape (n_problems,): `iterations`, `converged`,
        `relative_gap`; and `n_threads`.

    Raises
    ------
    ValueError
        Where l2 is not positive.
    """
    if not 0 < l2 < np.inf:
        raise ValueError(f"l2={l2} must be positive and finite.")
    # what is written around the loop takes 3 to 4 us, with some NumPy 12: as
    # much as 30 problems of 10 x 2
    n_problems = batch.n_problems
    coef = np.empty(batch.feature_offsets[-1])
    intercepts, gaps = np.empty(n_problems), np.empty(n_problems)
    iterations = np.empty(n_problems, np.int64)
    converged = np.empty(n_problems, np.bool_)
    threads = min(numba.get_num_threads(), n_problems)
    arguments = (
        batch.data, batch.y, batch.data_offsets, batch.row_offsets,
        batch.feature_offsets, float(l2), bool(fit_intercept), float(tol),
        int(max_iter), coef, intercepts, iterations, converged, gaps,
    )
    if threads == 1:
        _fit_range(0, n_problems, *arguments)
    else:
        _fit_parallel(threads, *arguments)
    return coef, intercepts, {
        "iterations": iterations, "converged": converged,
        "relative_gap": gaps, "n_threads": threads,
    }
