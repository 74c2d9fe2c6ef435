"""The point of a sparse fit in float64: value, gradient, certified gap."""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import LOOPS, njit
from ...duality import bounded
from ...linalg.csr import are_sorted, gather, scatter
from ...line_search import best_shift, evaluate


class Certificate(NamedTuple):
    """What is known of a point from X and its coefficients alone."""

    #: F
    value: float
    #: the duality gap as computed
    gap: float
    #: a bound of it in exact arithmetic
    bound: float


@njit(fastmath=LOOPS)
def weigh(z, y, b, intercept, m, s, h, r):
    """Fill margins, weights, curvatures and the dual point of z = X w.

    With an intercept it is first moved to its minimiser; then the weights
    are scaled to sum y s = 0, which changes them by rounding only.

    Parameters
    ----------
    z, y : arrays of shape (n,), float64
    b : float
    intercept : bool
    m, s, h, r : arrays of shape (n,), written
        r becomes -y a for the dual point a.

    Returns
    -------
    b, loss, total_h, price, mass : float
        `price` is sum kl(a_i || sigmoid(-m_i)), `mass` is sum a.
    """
    for i in range(y.size):
        m[i] = y[i] * (z[i] + b)
    if not intercept:
        loss, total_h = evaluate(m, s, h)
        mass = 0.0
        for i in range(y.size):
            r[i] = -y[i] * s[i]
            mass += s[i]
        return b, loss, total_h, 0.0, mass
    step, loss, total_h = best_shift(m, y, s, h)
    b += step
    price, mass = _balance(m, y, s, h, r)
    # the search has added to the margins in steps, not at once
    moved = 0.0
    for i in range(y.size):
        moved = max(moved, abs(m[i] - y[i] * (z[i] + b)))
    # of weights below 1e-200 rounding may leave less than zero
    root = math.sqrt(max(price, 0.0)) + moved * math.sqrt(y.size / 8.0)
    return b, loss, total_h, root * root, mass


@njit
def _balance(m, y, s, h, r):
    """Scale the heavier class to sum y a = 0, and fill r = -y a.

    Returns
    -------
    price, mass : float
        sum kl(a_i || s_i), what the scaling adds to the gap, and sum a.
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
    # not less than what is lost in exact arithmetic
    lost = 1.0 - ratio + 2.0**-53 * (y.size + 4.0)
    price = 0.0
    for i in range(y.size):
        r[i] = -y[i] * s[i]
        # a weight of zero has underflowed, as its curvature has
        if y[i] == heavy and s[i] > 0.0:
            r[i] *= ratio
            # s / (1 - s) without cancellation, up to 1e304
            odds = s[i] * (s[i] / h[i])
            if lost * (1.0 + odds) < 1e-4:
                # an upper bound, chi-squared: the logarithms would cancel
                price += s[i] * lost * lost * (1.0 + odds)
            else:
                # (1 - a) / (1 - s) = 1 + lost odds
                other = lost + ratio * (h[i] / s[i])
                rest = math.log1p(lost * odds)
                if m[i] < -690.0:
                    rest = math.log(lost) - m[i] + 1e-9
                price += ratio * s[i] * math.log(ratio) + other * rest
    return price, 2.0 * min(positive, negative)


@njit
def _loosest(X):
    """Return (additions over samples, over features, entries of one place).

    They bound how many follow each other in a sum, and coincide.
    """
    _, indices, starts = X
    longest = 1.0
    for i in range(starts.size - 1):
        longest = max(longest, np.float64(starts[i + 1] - starts[i]))
    return float(indices.size), longest, longest


@njit
def _sharp(X, p):
    """Count for `_loosest` the entries of every column: three passes."""
    _, indices, _ = X
    counts = np.zeros(p, np.int64)
    for j in indices:
        counts[j] += 1
    _, longest, _ = _loosest(X)
    return float(counts.max()), longest, 1.0 if are_sorted(X) else longest


@njit(fastmath=LOOPS)
def certify(X, order, given, w, g, M):
    """Compute margins, gradient and gap at w from X itself, in float64.

    Parameters
    ----------
    X : tuple, the rows of X itself
    order : array of shape (n,) or (0,)
        Row k of what is filled is row order[k] of X.
    given : tuple (y, l2, intercept, square, tol)
        y in that order; |X|_F^2, of every stored entry by itself; the
        relative gap for which a bound must be sharp.
    w : array of shape (p + 1,)
        The intercept, the last, is moved to its minimiser.
    g : array of shape (p + 1,), written
        The gradient; 0 last.
    M : array of shape (>= 6, n)
        Margins, weights, curvatures, written; the fifth and sixth row are
        work space.

    Returns
    -------
    value, gap, bound, total_h : float
        See `Certificate`; the sum of the curvatures.
    """
    y, l2, intercept, size, tol = given
    n, p = y.size, g.size - 1
    m, s, h, z, r = M[0], M[1], M[2], M[4], M[5]
    gather(X, 0, n, w, 0.0, r)
    if order.size:
        for k in range(n):
            z[k] = r[order[k]]
    else:
        z, r = r, z
    w[p], loss, total_h, price, mass = weigh(z, y, w[p], intercept, m, s, h, r)
    if order.size:
        for k in range(n):
            z[order[k]] = r[k]
        r = z
    g[:] = 0.0
    scatter(X, 0, n, r, g)
    square = 0.0
    norm = 0.0
    for j in range(p):
        g[j] += l2 * w[j]
        square += g[j] * g[j]
        norm += w[j] * w[j]
    value = loss + 0.5 * l2 * norm
    gap = price + square / (2.0 * l2)
    length = math.sqrt(norm + w[p] * w[p])
    ones = n if intercept else 0.0
    over_samples, over_features, places = _loosest(X)
    for _ in range(2):
        bound = bounded(
            price, square, l2, math.sqrt(size * places + ones), mass, length,
            (over_samples, over_features),
        )
        if not gap <= tol * value < bound:
            break
        over_samples, over_features, places = _sharp(X, p)
    return value, gap, bound, total_h
