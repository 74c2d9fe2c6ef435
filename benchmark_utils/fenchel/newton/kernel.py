r"""Newton's method on n coefficients for hard problems with n < p.

The minimiser is w = X'a, so with the kernel matrix K = X X' the problem is
one in a: margins are y (K a + b), the gradient is X'r with
r = lambda2 a - y s, and the Newton direction X'u solves, with
D = diag(s (1 - s)) and S = D^(1/2),

.. math::
    (D K + \lambda_2 I) u = -r - D 1 u_b,
    \qquad (D K + \lambda_2 I)^{-1} = S (\lambda_2 I + S K S)^{-1} S^{-1},

a positive definite matrix of n x n whose condition is that of the
regularized problem, whatever the units of the columns. K costs n^2 p / 2
multiply-adds once; iterations do not read X.

C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning,
2006, section 3.4, https://gaussianprocess.org/gpml.
"""
import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..datafits.margins import evaluate
from ..line_search import search

_COLUMNS = 4096


def kernel_matrix(X):
    """X X' in float64; X of shape (n, p), by blocks of columns."""
    K = np.zeros((len(X), len(X)))
    for first in range(0, X.shape[1], _COLUMNS):
        block = X[:, first:first + _COLUMNS].astype(np.float64, copy=False)
        K += block @ block.T
    return K


def solve_by_kernel(K, y, l2, intercept, tol, max_iter):
    """Minimise F over w = X'a and b, from zero.

    Parameters
    ----------
    K : array of shape (n, n)
        X X'.
    y : array of shape (n,), -1.0 and +1.0
    l2, tol : float
        Stops where the gap that K tells is below tol F.
    intercept : bool
    max_iter : int

    Returns
    -------
    a : array of shape (n,)
    b : float
    n_iter : int
    """
    n = len(y)
    a, z, b = np.zeros(n), np.zeros(n), 0.0
    s, h, s_new, h_new = np.empty((4, n))
    best = np.inf
    for n_iter in range(max_iter + 1):
        m = y * (z + b)
        loss, total_h = evaluate(m, s, h)
        r = l2 * a - y * s
        grad_b = -(y @ s) if intercept else 0.0
        value = loss + 0.5 * l2 * (a @ z)
        gap = max(r @ (K @ r), 0.0) / (2.0 * l2)
        gap += grad_b**2 / max(total_h, 1e-300)
        if gap <= tol * value or n_iter == max_iter or not gap < 1e3 * best:
            break
        best = min(best, gap)
        S = np.sqrt(np.maximum(h, 1e-200))
        B = S[:, None] * K * S
        B.flat[::n + 1] += l2
        try:
            factor = cho_factor(B, lower=True, overwrite_a=True)
        except LinAlgError:
            break
        u = -S * cho_solve(factor, r / S)
        u_b = 0.0
        if intercept:
            response = S * cho_solve(factor, S)
            u_b = -(grad_b + h @ (K @ u)) / (
                total_h - h @ (K @ response)
            )
            u -= u_b * response
        Ku = K @ u
        dm = y * (Ku + u_b)
        slope = l2 * (a @ Ku) - s @ dm
        if not slope < 0.0:
            break
        t, _, _ = search(
            m, dm, s, (slope, l2 * (u @ Ku)), 0.1, s_new, h_new, 1.0
        )
        if not t > 0.0:
            break
        a += t * u
        z += t * Ku
        b += t * u_b
    return a, b, n_iter
