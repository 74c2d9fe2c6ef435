"""The point of a sparse fit in float64: value, gradient, certified gap."""
import numpy as np
from numba import njit

from benchmark_utils.margin_search import best_shift, evaluate
from benchmark_utils.sparse_kernels import (
    gather,
    original_products,
    original_transposed,
    scatter,
    scatter_squares,
)
from benchmark_utils.vector_math import exp_of_negative, log1p_of_unit

_EPS = 2.220446049250313e-16
_LOOPS = {"contract", "reassoc", "arcp", "nsz"}


@njit(error_model="numpy", cache=True)
def diagonal(A, h, l2, intercept, inverse, h_then):
    """inverse = 1 / diag(H), of p + 1 entries; h_then = h."""
    p = inverse.size - 1
    inverse[:] = 0.0
    scatter_squares(A, h, inverse)
    total = 0.0
    for i in range(h.size):
        h_then[i] = h[i]
        total += h[i]
    for j in range(p):
        inverse[j] = 1.0 / (inverse[j] + l2)
    # where all margins are huge, 1 / total is no step for an intercept
    least = 1e-8 * h.size
    inverse[p] = 1.0 / max(total, least) if intercept else 0.0


@njit(fastmath=_LOOPS, error_model="numpy", cache=True)
def exact_point(
    A, packed, X, by_rows, order, y, l2, intercept, w, m, s, h, g
):
    """Margins, gradient and certified gap at w, all in float64.

    With an intercept it is first moved to its minimiser, on the margins;
    then the weights are scaled to sum y s = 0, which changes them by
    rounding only, and the scaling is charged to the gap.

    Returns
    -------
    value, gap, total_h : float
    """
    n, p = y.size, g.size - 1
    if packed:
        gather(A, 0, n, w, 0.0, m)
    else:
        original_products(X, by_rows, order, w, m)
    shift = w[p] if intercept else 0.0
    for i in range(n):
        m[i] = y[i] * (m[i] + shift)
    gap = 0.0
    r = np.empty(n)
    if intercept:
        step, loss, total_h = best_shift(m, y, s, h)
        w[p] += step
        gap = _balance(y, s, r)
    else:
        loss, total_h = evaluate(m, s, h)
        for i in range(n):
            r[i] = -y[i] * s[i]
    g[:] = 0.0
    if packed:
        scatter(A, 0, n, r, g)
    else:
        original_transposed(X, by_rows, order, r, g)
    norm = 0.0
    square = 0.0
    for j in range(p):
        g[j] += l2 * w[j]
        square += g[j] * g[j]
        norm += w[j] * w[j]
    g[p] = 0.0
    return loss + 0.5 * l2 * norm, gap + square / (2.0 * l2), total_h


@njit(fastmath=_LOOPS, error_model="numpy", cache=True)
def dual_point(A, y, l2, w, a, norms, sweeps, m):
    r"""Value and certified gap at w = X' (y a) / lambda2, without intercept.

    .. math::
        F(w) - D(a) = \sum_i KL(a_i \| \sigma(-m_i))
            + \tfrac{\lambda_2}{2} \| w - X^\top (y a) / \lambda_2 \|^2

    needs the margins only, half of `exact_point`. Where d = a - s is at most
    half of s and 1 - s, the divergence is bounded by d^2 / (2 s (1 - s)) and
    a factor that goes to 1 with d; elsewhere logarithms do not cancel. The
    last term is the rounding of `sweeps` sweeps: of w, whose norm is at most
    sqrt(2 n log(2) / lambda2), for dual coordinate descent never leaves
    D(a) >= 0, and of a.

    Parameters
    ----------
    A : tuple, packed matrix, the entries of X exactly
    y, a, norms : arrays of shape (n,)
        norms[i] = ||x_i||^2.
    w : array of shape (>= p,), float64
    sweeps : int
    m : array of shape (n,), float64, written
        The margins.

    Returns
    -------
    value, gap : float
    """
    n = y.size
    gather(A, 0, n, w, 0.0, m)
    loss = 0.0
    gap = 0.0
    lengths = 0.0
    far = 0
    for i in range(n):
        m[i] *= y[i]
        e = exp_of_negative(-abs(m[i]))
        large = 1.0 / (1.0 + e)
        small = e * large
        loss += log1p_of_unit(e) - min(m[i], 0.0)
        d = a[i] - (small if m[i] > 0.0 else large)
        share = abs(d) / small
        near = share < 0.5
        bend = 1.0 + share / (3.0 * (1.0 - (share if near else 0.5)))
        gap += 0.5 * d * d / (small * large) * bend if near else 0.0
        far += not near
        lengths += norms[i]
    if far:
        gap += _far_divergences(m, a)
    norm = 0.0
    for j in range(w.size):
        norm += w[j] * w[j]
    rounding = _EPS * sweeps * n
    gap += rounding * rounding * (
        4.0 * n * np.log(2.0) + lengths / (n * l2)
    )
    return loss + 0.5 * l2 * norm, gap


@njit(error_model="numpy", cache=True)
def _far_divergences(m, a):
    """The sum of KL(a || s) where a is far from s = sigma(-m)."""
    total = 0.0
    for i in range(m.size):
        e = exp_of_negative(-abs(m[i]))
        s, other = e / (1.0 + e), 1.0 / (1.0 + e)
        if m[i] <= 0.0:
            s, other = other, s
        if not abs(a[i] - s) / min(s, other) < 0.5:
            left = 1.0 - a[i]
            if a[i] > 0.0:
                total += a[i] * np.log(a[i] / s)
            if left > 0.0:
                total += left * np.log(left / other)
    return total


@njit(error_model="numpy", cache=True)
def _balance(y, s, r):
    """r = -y a for a = s scaled down in the heavier class to sum y a = 0.

    Returns sum kl(a_i || s_i), what the scaling adds to the gap.
    """
    positive = 0.0
    negative = 0.0
    for i in range(y.size):
        if y[i] > 0.0:
            positive += s[i]
        else:
            negative += s[i]
    heavy = 1.0 if positive > negative else -1.0
    ratio = min(positive, negative) / max(positive, negative)
    divergence = 0.0
    for i in range(y.size):
        r[i] = -y[i] * s[i]
        if y[i] == heavy:
            r[i] *= ratio
            lost = 1.0 - ratio
            other = max(1.0 - s[i], 1e-300)
            if lost < 1e-4:
                # an upper bound, chi-squared: the logarithms would cancel
                divergence += s[i] * lost * lost * (1.0 + s[i] / other)
            else:
                divergence += s[i] * ratio * np.log(ratio)
                divergence += (1.0 - ratio * s[i]) * np.log1p(
                    s[i] * lost / other
                )
    return divergence
