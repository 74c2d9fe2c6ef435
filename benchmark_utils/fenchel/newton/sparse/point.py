"""The point of a sparse fit in float64: value, gradient, certified gap."""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import dot
from ...duality import bounded
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


def certify(packed, y, l2, intercept, w, margins):
    """Compute margins, gradient and gap at w from X itself, in float64.

    Parameters
    ----------
    packed : Packed
    y : array of shape (n,), in the order of the packed rows
    l2 : float; intercept : bool
    w : array of shape (p + 1,)
        The intercept, the last, is moved to its minimiser.
    margins : array of shape (>= 3, n), written
        Margins, weights, curvatures.

    Returns
    -------
    certificate : Certificate
    g : array of shape (p + 1,)
    total_h : float
    """
    p = packed.p
    r = np.empty(len(y))
    z = packed.times(w)
    w[p], loss, total_h, price, mass = weigh(
        z, y, w[p], intercept, *margins[:3], r
    )
    g = packed.transposed_times(r)
    with np.errstate(over="ignore", invalid="ignore"):
        g[:p] += l2 * w[:p]
        # compiled: BLAS would wake up threads
        square = dot(g, g)
        value = loss + 0.5 * l2 * dot(w[:p], w[:p])
        gap = price + square / (2.0 * l2)
    return Certificate(value, gap, price, square, mass), g, total_h


def bound_gap(certificate, packed, l2, intercept, w, sharp):
    """Bound the gap of a certificate in exact arithmetic.

    Parameters
    ----------
    sharp : bool
        See `Packed.depths`.
    """
    over_samples, over_features, repeated = packed.depths(sharp)
    n = len(packed.rows[2]) - 1
    size = math.sqrt(packed.square * repeated + (n if intercept else 0.0))
    return bounded(
        certificate.price, certificate.square, l2, size, certificate.mass,
        math.sqrt(dot(w, w)), (over_samples, over_features),
    )
