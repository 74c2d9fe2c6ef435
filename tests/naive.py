"""Slow oracles, written as the definitions are, in numbers of 120 digits."""
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext

import numpy as np

DIGITS = 120


def numbers(values):
    """Return the exact decimals of floats, in nested lists."""
    if isinstance(values, (list, tuple, np.ndarray)):
        return [numbers(value) for value in values]
    return Decimal(float(values))


def loss_of(margin):
    """Return log(1 + exp(-m)); the 1 is beyond all digits at m = -10^5."""
    return -margin if margin < -(10**5) else (1 + (-margin).exp()).ln()


def weight_of(margin):
    """Return sigmoid(-m)."""
    return (-margin).exp() if margin > 10**5 else 1 / (1 + margin.exp())


def divergence(a, margin):
    """Return KL(a || sigmoid(-m)) by its definition."""
    terms = Decimal(0)
    if a > 0:
        terms += a * (a.ln() + loss_of(-margin))
    if a < 1:
        terms += (1 - a) * ((1 - a).ln() + loss_of(margin))
    return terms


def certificate(
    X, y, coef, intercept, lmbd1, lmbd2, fit_intercept, dual_margins=None
):
    """Return F and the gap of the dual point that `certify` documents.

    Any margins give a dual point, by default the exact ones do.

    No rounding to speak of: margins to some 1e80, and differences of terms
    that agree in all digits of float64, keep theirs.
    """
    with localcontext() as context:
        context.prec = DIGITS
        context.Emax, context.Emin = MAX_EMAX, MIN_EMIN
        X, y, w = numbers(X), numbers(y), numbers(coef)
        b, l1, l2 = numbers(intercept), numbers(lmbd1), numbers(lmbd2)
        margins = [
            y_i * (dot(row, w) + b) for row, y_i in zip(X, y, strict=True)
        ]
        value = (
            sum(loss_of(m) for m in margins)
            + l1 * sum(abs(w_j) for w_j in w)
            + l2 * dot(w, w) / 2
        )
        dual_margins = margins if dual_margins is None else (
            numbers(dual_margins)
        )
        a = [weight_of(m) for m in dual_margins]
        if fit_intercept:
            a = balanced(a, y)
        v = [
            dot(column, [a_i * y_i for a_i, y_i in zip(a, y, strict=True)])
            for column in zip(*X, strict=True)
        ]
        largest = max(abs(v_j) for v_j in v)
        factors = [Decimal(1)] if l2 > 0 else []
        if l1 > 0:
            factors.append(min(1, l1 / largest) if largest > 0 else 1)
        gaps = [value]
        for factor in factors:
            gap = sum(
                divergence(factor * a_i, m)
                for a_i, m in zip(a, margins, strict=True)
            )
            gap += sum(
                penalty_gap(w_j, factor * v_j, l1, l2)
                for w_j, v_j in zip(w, v, strict=True)
            )
            gaps.append(gap)
        return float(value), float(min(gaps))


def dot(u, v):
    return sum(u_i * v_i for u_i, v_i in zip(u, v, strict=True))


def balanced(a, y):
    """Scale the heavier class down, so that sum(y * a) is zero."""
    mass = {
        sign: sum(a_i for a_i, y_i in zip(a, y, strict=True) if y_i == sign)
        for sign in (1, -1)
    }
    lighter = min(mass.values())
    if max(mass.values()) == 0:
        return a
    return [
        a_i * lighter / mass[int(y_i)]
        for a_i, y_i in zip(a, y, strict=True)
    ]


def penalty_gap(w, v, l1, l2):
    """Return P(w) + P*(v) - v w for P = l1 |w| + l2 w^2 / 2."""
    soft = max(abs(v) - l1, Decimal(0))
    conjugate = soft * soft / (2 * l2) if l2 > 0 else Decimal(0)
    return l1 * abs(w) + l2 * w * w / 2 + conjugate - v * w


def prox_cost(value, x, step, w):
    """Return what prox minimises over w, for a value of one number."""
    return (w - x) ** 2 / (2.0 * step) + value(w)


def prox(value, x, step, n_points=4001):
    """Return the best w of a grid between 0 and x, and x and 0 themselves."""
    grid = [*np.linspace(0.0, x, n_points), 0.0, x]
    return min(grid, key=lambda w: prox_cost(value, x, step, w))


def distance(value, w, grad, h):
    """Return how far -grad is from the slopes on both sides of w."""
    slopes = sorted([
        (value(w + h) - value(w)) / h, (value(w) - value(w - h)) / h
    ])
    return max(slopes[0] + grad, -grad - slopes[1], 0.0)
