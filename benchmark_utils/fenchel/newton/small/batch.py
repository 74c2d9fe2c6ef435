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
from ...result import ITERATION_LIMIT, REACHED
from . import descent, layout, two_columns


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


@njit(by_hand=True)
def _fit_range(few, first, last, problems, options, results):
    """Solve the problems first, ..., last - 1.

    `few` is None where all are for `two_columns`, so that nothing else is
    compiled: which of both is called numba knows from its type.
    """
    data, y, data_offsets, row_offsets, feature_offsets = problems
    l2, intercept, tol, max_iter = options
    coef, intercepts, iterations, status, gaps = results
    n_max, p_max = 0, 0
    for k in range(first, last):
        n_max = max(n_max, row_offsets[k + 1] - row_offsets[k])
        p_max = max(p_max, feature_offsets[k + 1] - feature_offsets[k])
    if few is None:
        work = np.empty(two_columns.workspace_size(n_max))
    else:
        work = np.empty(layout.workspace_size(n_max, p_max + 1))
    x = np.empty(p_max + 1)
    for k in range(first, last):
        row, feature = row_offsets[k], feature_offsets[k]
        n, p = row_offsets[k + 1] - row, feature_offsets[k + 1] - feature
        x[:] = 0.0
        where, start = (data_offsets[k], p, 1, n, p, row), x[:p + intercept]
        if few is None:
            iterations[k], _, status[k], gap, value = two_columns.fit_tiny(
                data, y, where, l2, tol, max_iter, work, start
            )
        else:
            iterations[k], _, status[k], gap, value = descent.fit_tiny(
                data, y, where, l2, tol, max_iter, work, start
            )
        for j in range(p):
            coef[feature + j] = x[j]
        intercepts[k] = x[p] if intercept else 0.0
        gaps[k] = gap / value if value > 0.0 else gap


@njit(parallel=True)
def _fit_parallel(few, threads, problems, options, results):
    n_problems = results[1].size
    for thread in prange(threads):
        _fit_range(
            few, thread * n_problems // threads,
            (thread + 1) * n_problems // threads, problems, options, results,
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
        Arrays of shape (n_problems,): `iterations`, `converged`, `status` as
        numbers of `result.Status`, `relative_gap`; and `n_threads`. What has
        not converged is for `finish`.

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
    iterations, status = np.empty((2, n_problems), np.int64)
    threads = min(numba.get_num_threads(), n_problems)
    offsets = batch.feature_offsets
    # half a microsecond where the kernel for two columns saves as much
    widest = (offsets[1:] - offsets[:-1]).max() + fit_intercept
    few = None if widest <= 2 else 0
    problems = (
        batch.data, batch.y, batch.data_offsets, batch.row_offsets, offsets
    )
    options = float(l2), bool(fit_intercept), float(tol), int(max_iter)
    results = coef, intercepts, iterations, status, gaps
    if threads == 1:
        _fit_range(few, 0, n_problems, problems, options, results)
    else:
        _fit_parallel(few, threads, problems, options, results)
    return coef, intercepts, {
        "iterations": iterations,
        "converged": (status == REACHED) & (gaps <= tol), "status": status,
        "relative_gap": gaps, "n_threads": threads,
    }


def finish(batch, result, fit):
    """Fit the problems of a batch again that its kernels could not end.

    Those that have not converged for another reason than `max_iter`.

    Parameters
    ----------
    batch : Batch
    result : tuple
        What `fit_many` returned; changed.
    fit : callable
        fit(k, X, y) gives coef, intercept and a dict with `relative_gap`,
        `converged` and `n_iter`, as `fit_logistic` does.
    """
    coef, intercepts, info = result
    left = ~info["converged"] & (info["status"] != ITERATION_LIMIT)
    for k in np.flatnonzero(left):
        rows = slice(*batch.row_offsets[k:k + 2])
        features = slice(*batch.feature_offsets[k:k + 2])
        X = batch.data[slice(*batch.data_offsets[k:k + 2])]
        y = batch.y[rows]
        if abs(y.sum()) == len(y):
            # one class: with an intercept there is no minimiser
            continue
        coef[features], intercepts[k], told = fit(
            k, X.reshape(len(y), -1), y
        )
        info["converged"][k] = told["converged"]
        for name in info.keys() & {"relative_gap", "violation"}:
            info[name][k] = told[name]
        info["iterations"][k] += told["n_iter"]
