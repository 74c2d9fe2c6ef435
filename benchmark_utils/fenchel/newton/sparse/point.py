"""The point of a sparse fit in float64: value, gradient, certified gap."""
import numpy as np

from ...compilation import LOOPS, njit
from ...linalg.csr import (
    gather,
    original_products,
    original_transposed,
    scatter,
    scatter_squares,
)
from ...line_search import best_shift, evaluate


@njit
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


@njit(fastmath=LOOPS)
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


@njit
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
