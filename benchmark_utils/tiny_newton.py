r"""Newton for problems of microseconds: one function, no temporary array.

At 10 x 2 a NumPy call costs more than the whole problem. Here the signed
samples :math:`A_{ji} = y_i x_{ij}` are copied column by column into a buffer
that stays in the first-level cache; gradient and lower triangle of the
Hessian are dot products of its rows,

.. math::
    g_j = \lambda_2 w_j - \sum_i A_{ji} \sigma(-m_i), \qquad
    H_{jk} = \sum_i A_{ji} A_{ki} \sigma(m_i) \sigma(-m_i)
             + \lambda_2 \delta_{jk},

the Cholesky factor is computed in place, and the step length is found on the
margins (`vector_math`), longer than 1 where that pays. The weights of the
last trial are those of the next iteration, so no exponential is taken twice.
It stops on the certificate: without an intercept the duality gap at w is
exactly :math:`\|g\|^2 / (2 \lambda_2)`.
"""
import math

import numpy as np
from numba import njit

from benchmark_utils.vector_math import LOOPS, exp_of_negative, log1p_of_unit

# What a fit can end with
REACHED, FLOAT64_LIMIT, ITERATION_LIMIT = 0, 1, 2
# Pivots below this share of their diagonal entry are rounding
_PIVOT = 1e-15
# Iterations without progress that are waited for
_PATIENCE = 15


def workspace(n_samples, n_columns):
    """Buffers for `fit_tiny`, reusable for every problem not larger."""
    return (
        np.empty((n_columns, n_samples)),
        np.empty((5, n_samples)),
        np.empty((n_columns, n_columns)),
        np.empty((3, n_columns)),
    )


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _weights(m, s, h, n):
    """s = sigmoid(-m), h = sigmoid(m) sigmoid(-m); the sum of s."""
    total = 0.0
    for i in range(n):
        margin = m[i]
        e = exp_of_negative(-abs(margin))
        q = 1.0 / (1.0 + e)
        weight = e * q if margin > 0.0 else q
        s[i] = weight
        h[i] = e * q * q
        total += weight
    return total


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _loss(m, n):
    total = 0.0
    for i in range(n):
        margin = m[i]
        e = exp_of_negative(-abs(margin))
        total += log1p_of_unit(e) + (-margin if margin < 0.0 else 0.0)
    return total


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _gradient(A, s, ridge, w, g, n, p):
    for j in range(p):
        row = A[j]
        total = 0.0
        for i in range(n):
            total += row[i] * s[i]
        g[j] = ridge[j] * w[j] - total


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _hessian(A, h, ridge, scaled, H, n, p):
    for j in range(p):
        row = A[j]
        for i in range(n):
            scaled[i] = h[i] * row[i]
        for k in range(j + 1):
            other = A[k]
            total = 0.0
            for i in range(n):
                total += scaled[i] * other[i]
            H[j, k] = total
        H[j, j] += ridge[j]


@njit(error_model="numpy", cache=True)
def _solve(H, g, d, p):
    """d = -H^{-1} g; H becomes its factor, the inverse diagonal stored."""
    for j in range(p):
        diagonal = H[j, j]
        for k in range(j):
            total = H[j, k]
            for q in range(k):
                total -= H[j, q] * H[k, q]
            H[j, k] = total * H[k, k]
        pivot = diagonal
        for q in range(j):
            pivot -= H[j, q] * H[j, q]
        # rounding alone can make a pivot negative (duplicated columns)
        pivot = max(pivot, _PIVOT * diagonal)
        H[j, j] = 1.0 / math.sqrt(pivot) if pivot > 0.0 else 0.0
    for j in range(p):
        total = -g[j]
        for q in range(j):
            total -= H[j, q] * d[q]
        d[j] = total * H[j, j]
    for j in range(p - 1, -1, -1):
        total = d[j]
        for q in range(j + 1, p):
            total -= H[q, j] * d[q]
        d[j] = total * H[j, j]


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _margins(A, w, m, n, p):
    for i in range(n):
        m[i] = w[0] * A[0, i]
    for j in range(1, p):
        row = A[j]
        factor = w[j]
        for i in range(n):
            m[i] += factor * row[i]


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def _trial(m, dm, t, s, h, n):
    """Weights at m + t dm; phi'(t), phi''(t) of the loss, the sum of s."""
    first = 0.0
    second = 0.0
    mass = 0.0
    for i in range(n):
        d = dm[i]
        margin = m[i] + t * d
        e = exp_of_negative(-abs(margin))
        q = 1.0 / (1.0 + e)
        weight = e * q if margin > 0.0 else q
        bend = e * q * q
        s[i] = weight
        h[i] = bend
        first -= weight * d
        second += bend * d * d
        mass += weight
    return first, second, mass


@njit(error_model="numpy", cache=True)
def _balanced_gap(A, y, y0, m, s, w, l2, n, p):
    """The duality gap with an intercept, whose column is the last of A.

    The weights of the heavier class are scaled by c < 1 until
    sum_i y_i a_i = 0; the price is KL(c s || s) for each of its samples.
    """
    positive = 0.0
    negative = 0.0
    for i in range(n):
        if y[y0 + i] > 0.0:
            positive += s[i]
        else:
            negative += s[i]
    heavier = max(positive, negative)
    if heavier <= 0.0:
        c = 1.0
    else:
        c = min(positive, negative) / heavier
    sign = 1.0 if positive > negative else -1.0
    gap = 0.0
    for j in range(p - 1):
        total = 0.0
        for i in range(n):
            scale = c if y[y0 + i] * sign > 0.0 else 1.0
            total += A[j, i] * s[i] * scale
        gap += (total - l2 * w[j]) ** 2
    gap /= 2.0 * l2
    if c < 1.0:
        left = math.log1p(-c)
        for i in range(n):
            if y[y0 + i] * sign > 0.0:
                dual = c * s[i]
                x = left - m[i]
                rest = math.log1p(math.exp(-abs(x))) + max(x, 0.0)
                gap += max(
                    (dual * math.log(c) if c > 0.0 else 0.0)
                    + (1.0 - dual) * rest, 0.0,
                )
    return gap


@njit(error_model="numpy", cache=True)
def fit_tiny(
    data, start, row_stride, column_stride, n, p, y, y0, l2, intercept,
    tol, max_iter, A, V, H, W, x, x0,
):
    """Minimise F for one small problem.

    Parameters
    ----------
    data : array, flat, float64 or float32
        X[i, j] is data[start + i * row_stride + j * column_stride].
    start, row_stride, column_stride, n, p : int
    y : array, flat, float64
        -1 and +1; the labels are y[y0:y0 + n].
    y0 : int
    l2 : float, > 0
    intercept : bool
    tol : float
        Certified relative gap to reach.
    max_iter : int
    A, V, H, W : arrays
        From `workspace`, at least of size (n, p + intercept).
    x : array, flat, float64
        x[x0:x0 + p + intercept] is the start and becomes the solution, the
        intercept last.
    x0 : int

    Returns
    -------
    iterations : int
    status : int
        REACHED, FLOAT64_LIMIT or ITERATION_LIMIT.
    gap : float
        The certified duality gap.
    value : float
        F.
    """
    m, dm, s, h, scaled = V[0], V[1], V[2], V[3], V[4]
    g, d, ridge = W[0], W[1], W[2]
    columns = p + 1 if intercept else p
    w = x[x0:x0 + columns]
    for j in range(p):
        ridge[j] = l2
        for i in range(n):
            A[j, i] = y[y0 + i] * data[
                start + i * row_stride + j * column_stride
            ]
    if intercept:
        ridge[p] = 0.0
        for i in range(n):
            A[p, i] = y[y0 + i]
    _margins(A, w, m, n, columns)
    mass = _weights(m, s, h, n)
    best, best_bound, worse = np.inf, np.inf, 0
    status, iteration, gap = ITERATION_LIMIT, 0, np.inf
    while True:
        _gradient(A, s, ridge, w, g, n, columns)
        gap = 0.0
        norm = 0.0
        for j in range(p):
            gap += g[j] * g[j]
            norm += w[j] * w[j]
        gap /= 2.0 * l2
        # log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm
        bound = mass + 0.5 * l2 * norm
        if gap <= tol * bound:
            if intercept:
                gap = _balanced_gap(A, y, y0, m, s, w, l2, n, columns)
            if gap <= tol * bound:
                status = REACHED
                break
        # a stall: neither the gap nor the bound on F falls
        total = gap + (g[p] * g[p] if intercept else 0.0)
        if total < 0.5 * best or bound < 0.99 * best_bound:
            worse = 0
        else:
            worse += 1
            if worse == _PATIENCE:
                status = FLOAT64_LIMIT
                break
        best = min(best, total)
        best_bound = min(best_bound, bound)
        if iteration == max_iter:
            break
        iteration += 1
        _hessian(A, h, ridge, scaled, H, n, columns)
        if intercept:
            # nothing else bounds its step where all weights are 0 or 1
            largest = 1.0
            for i in range(n):
                largest = max(largest, abs(m[i]))
            H[p, p] = max(H[p, p], abs(g[p]) / (10.0 * largest))
        _solve(H, g, d, columns)
        slope = 0.0
        linear = 0.0
        quadratic = 0.0
        for j in range(columns):
            slope += g[j] * d[j]
            linear += ridge[j] * w[j] * d[j]
            quadratic += ridge[j] * d[j] * d[j]
        if not slope < 0.0:
            status = FLOAT64_LIMIT
            break
        _margins(A, d, dm, n, columns)
        t, low, high = 1.0, 0.0, np.inf
        for _ in range(60):
            first, second, mass = _trial(m, dm, t, s, h, n)
            first += linear + t * quadratic
            second += quadratic
            if abs(first) <= 0.1 * -slope:
                break
            if first < 0.0:
                low = t
            else:
                high = t
            following = t - first / second if second > 0.0 else np.inf
            if not low < following < high:
                following = 2.0 * t if high == np.inf else 0.5 * (low + high)
            if high == np.inf:
                following = min(following, 10.0 * t)
            t = following
        for j in range(columns):
            w[j] += t * d[j]
        for i in range(n):
            m[i] += t * dm[i]
    if status != REACHED and intercept:
        gap = _balanced_gap(A, y, y0, m, s, w, l2, n, columns)
    norm = 0.0
    for j in range(p):
        norm += w[j] * w[j]
    return iteration, status, gap, _loss(m, n) + 0.5 * l2 * norm


@njit(error_model="numpy", cache=True)
def fit_one(X, y, l2, intercept, tol, max_iter, x):
    """`fit_tiny` for X of shape (n, p), C order; returns the same.

    Buffers are allocated here: five times 40 ns, where each of NumPy's takes
    150 ns. The first value returned is -1, and nothing is done, unless the
    labels are -1 and +1, both present.
    """
    n, p = X.shape
    positive = 0
    negative = 0
    for i in range(n):
        positive += y[i] == 1.0
        negative += y[i] == -1.0
    if positive + negative < n or positive == 0 or negative == 0:
        return -1, FLOAT64_LIMIT, np.inf, np.inf
    q = x.size
    return fit_tiny(
        X.reshape(n * p), 0, p, 1, n, p, y, 0, l2, intercept, tol, max_iter,
        np.empty((q, n)), np.empty((5, n)), np.empty((q, q)),
        np.empty((3, q)), x, 0,
    )
