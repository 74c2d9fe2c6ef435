"""The two Newton kernels of the notebook, as they were: full steps.

Both minimise sum_i log(1 + exp(-y_i a_i'x)) + (1/2) sum_j ridge_j x_j^2 by

    x <- x - H^{-1} g,   g = A'(-y s(-m)) + ridge x,
                         H = A' diag(s(m) s(-m)) A + diag(ridge),

from x = 0 until the step is shorter than `tol`. Nothing guards a step: far
from the optimum they may diverge. They are the baselines to beat.
"""
import numpy as np
from numba import njit, prange

from benchmark_utils.baselines.logistic_numba import weight_at
from benchmark_utils.problem.loss import curvature, dual_weights


@njit(cache=True)
def raw_newton(A, y, ridge, tol, max_iter):
    """Newton with array expressions, the Hessian as one matrix product.

    Parameters
    ----------
    A : array of shape (n_samples, n_columns), float64, C order
    y : array of shape (n_samples,), float64, -1 and +1
    ridge : array of shape (n_columns,), float64
    tol : float
        Stop when the Euclidean norm of a step is smaller.
    max_iter : int

    Returns
    -------
    x : array of shape (n_columns,), float64

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the Hessian is singular to working precision.
    """
    x = np.zeros(A.shape[1])
    for _ in range(max_iter):
        margins = y * (A @ x)
        gradient = A.T @ (-y * dual_weights(margins)) + ridge * x
        s = curvature(margins)
        hessian = A.T @ (A * s.reshape(-1, 1)) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        x = x - step
        if np.linalg.norm(step) < tol:
            break
    return x


@njit(cache=True)
def loop_fused_newton(A, y, ridge, tol, max_iter):
    """Newton with gradient and Hessian accumulated in one loop over rows.

    Three nested loops fill the lower triangle of the Hessian, which is then
    mirrored. Parameters, returns and errors are those of `raw_newton`.
    """
    n_samples, n_columns = A.shape
    x = np.zeros(n_columns)
    gradient = np.empty(n_columns)
    hessian = np.empty((n_columns, n_columns))
    for _ in range(max_iter):
        for j in range(n_columns):
            gradient[j] = ridge[j] * x[j]
            for k in range(j + 1):
                hessian[j, k] = 0.0
            hessian[j, j] = ridge[j]
        for i in range(n_samples):
            z = 0.0
            for j in range(n_columns):
                z += A[i, j] * x[j]
            weight = weight_at(y[i] * z)
            residual = -y[i] * weight
            s = weight * (1.0 - weight)
            for j in range(n_columns):
                gradient[j] += residual * A[i, j]
                scaled = s * A[i, j]
                for k in range(j + 1):
                    hessian[j, k] += scaled * A[i, k]
        for j in range(n_columns):
            for k in range(j):
                hessian[k, j] = hessian[j, k]
        step = np.linalg.solve(hessian, gradient)
        x = x - step
        if np.linalg.norm(step) < tol:
            break
    return x


@njit(cache=True)
def _newton_range(
    part, fused, batch, lmbd2, free, tol, max_iter, solution
):
    """Solve the problems of a batch from part[0] on, before part[1]."""
    data, y, data_offsets, row_offsets, feature_offsets = batch
    for k in range(part[0], part[1]):
        rows = slice(row_offsets[k], row_offsets[k + 1])
        columns = slice(feature_offsets[k], feature_offsets[k + 1])
        p = columns.stop - columns.start
        A = data[data_offsets[k]:data_offsets[k + 1]].reshape(-1, p)
        ridge = np.full(p, lmbd2)
        if free:
            ridge[p - 1] = 0.0
        if fused:
            x = loop_fused_newton(A, y[rows], ridge, tol, max_iter)
        else:
            x = raw_newton(A, y[rows], ridge, tol, max_iter)
        solution[columns] = x


@njit(parallel=True, cache=True)
def newton_many(threads, fused, batch, lmbd2, free, tol, max_iter, solution):
    """Solve each problem of a batch by one of the two kernels above.

    Parameters
    ----------
    threads : int
        The problems are dealt out to so many threads.
    fused : bool
        `loop_fused_newton`, else `raw_newton`.
    batch : tuple of arrays
        A `small.batch.Batch`, as a plain tuple.
    lmbd2 : float
    free : bool
        Whether the last column of each problem is an intercept's.
    tol, max_iter
        As above.
    solution : array of shape (feature_offsets[-1],), float64, written
    """
    n_problems = batch[3].size - 1
    for thread in prange(threads):
        _newton_range(
            (
                thread * n_problems // threads,
                (thread + 1) * n_problems // threads,
            ),
            fused, batch, lmbd2, free, tol, max_iter, solution,
        )
