"""The point of a sparse fit in float64: value, gradient, certified gap."""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import dot
from ...duality import bounded
from ...linalg.csr import are_sorted, gather, scatter
from ...line_search import best_shift, evaluate


class Certificate(NamedTuple):
    """What is known of a point from X and its coefficients alone."""

    #: F
    value: float
    #: the duality gap as computed
    gap: float
    #: the part of the gap that pays for weights that were balanced
    price: float
    #: |lambda2 w - X'(y a)|^2
    square: float
    #: sum of a
    mass: float


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
    root = math.sqrt(price) + moved * math.sqrt(y.size / 8.0)
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
        if y[i] == heavy:
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


@njit(fastmath=LOOPS)
def _evaluate(X, order, given, w, g, M):
    """Fill margins, weights, curvatures and the gradient at w.

    Returns
    -------
    value, price, square, mass, total_h : float
    """
    y, l2, intercept = given
    n, p = y.size, g.size - 1
    # rows 3 and 6 on are in use
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
    return loss + 0.5 * l2 * norm, price, square, mass, total_h


def certify(X, order, problem, w, g, M):
    """Compute margins, gradient and gap at w from X itself, in float64.

    Parameters
    ----------
    X : tuple, the rows of X itself
    order : array of shape (n,) or (0,)
        Row k of the packed rows is row order[k] of X.
    problem : tuple (y, l2, intercept)
        y in the order of the packed rows.
    w : array of shape (p + 1,)
        The intercept, the last, is moved to its minimiser.
    g : array of shape (p + 1,), written
        The gradient; 0 last.
    M : array of shape (>= 6, n)
        Margins, weights, curvatures, written; the fifth and sixth row are
        work space.

    Returns
    -------
    certificate : Certificate
    total_h : float
    """
    value, price, square, mass, total_h = _evaluate(
        X, order, problem, w, g, M
    )
    gap = price + square / (2.0 * problem[1])
    return Certificate(value, gap, price, square, mass), total_h


def bound_gap(found, X, square, l2, intercept, w, tol):
    """Bound the gap of a certificate in exact arithmetic, and not too far.

    Parameters
    ----------
    found : Certificate
    X : tuple, the rows of X itself
    square : float
        |X|_F^2, of every stored entry by itself.
    l2 : float; intercept : bool
    w : array of shape (p + 1,)
    tol : float
        If the gap is within this share of F, but its bound is not, the
        entries of every column are counted, which takes three passes.
    """
    _, indices, starts = X
    longest = max(float(np.diff(starts).max()), 1.0)

    def bound(over_samples, repeated):
        ones = len(starts) - 1 if intercept else 0.0
        return bounded(
            found.price, found.square, l2,
            math.sqrt(square * repeated + ones), found.mass,
            math.sqrt(dot(w, w)), (over_samples, longest),
        )

    # so many additions at most, and entries that have one place
    gap = bound(float(len(indices)), longest)
    if found.gap <= tol * found.value < gap:
        most = np.bincount(indices).max(initial=0)
        gap = bound(float(most), 1.0 if are_sorted(X) else longest)
    return gap
