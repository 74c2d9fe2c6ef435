"""Visit one sample in dual coordinate descent (`coordinate_descent.dual`).

It solves t = m + q (sigma(-t) - a) for the dual variable sigma(-t).
"""
import numpy as np

from ..compilation import LOOPS, njit
from ..datafits.margins import atanh_of_third, exp_of_negative

# A visit ends when the next step of Newton's method is at most this share of
# the first; predicted to be at most that, it is not computed
_ENOUGH, SURE = 0.1, 0.03
# Half a step of theta up to which `small_change` is taken; curvatures below
# this have lost their digits where a is nearly 1
NEAR, FLAT = 0.25, 1e-8
# q up to which a first visit is a step of Newton's method from the margin
LIGHT = 2.0


@njit
def _sigmoid_of_minus(x):
    e = exp_of_negative(-abs(x))
    return (e if x > 0.0 else 1.0) / (1.0 + e)


@njit(fastmath={"contract"})
def small_change(x, a, h):
    """Compute sigma(-(theta - 2 x)) - a where sigma(-theta) = a.

    That is 2 h u / (1 - (1 - 2 a) u) with u = tanh(x), here its Pade
    approximant [5/4]: 1e-13 of the change for |x| <= 1 / 4. One division
    instead of two and an exponential.
    """
    square = x * x
    top = x * (945.0 + square * (105.0 + square))
    return 2.0 * h * top / (
        945.0 + square * (420.0 + 15.0 * square) - (1.0 - 2.0 * a) * top
    )


@njit(fastmath={"contract"})
def light_start(m, q):
    """Find nearly the root of a = sigma(-m - q a), for q <= 2.

    A step of Newton's method from a = 0, s / (1 + q s (1 - s)) for
    s = sigma(-m), with the Pade approximant [3/2] of tanh for the sigmoid:
    off by 0.015 + 0.035 q at most, and one division in all.
    """
    x = min(max(0.5 * m, -2.0), 2.0)
    square = x * x
    top, below = x * (15.0 + square), 15.0 + 6.0 * square
    return (
        2.0 * below * (below - top)
        / (4.0 * below * below + q * (below * below - top * top))
    )


@njit(fastmath=LOOPS)
def settle(theta, a):
    """Make theta log((1 - a) / a), which it is nearly already."""
    far = 0
    for i in range(theta.size):
        t, above, below = theta[i], 1.0 - a[i], a[i]
        # where a is 0 or 1 but for rounding theta knows more
        known = above * below <= FLAT
        # (1 - a) / a exp(-t) = (1 + z) / (1 - z)
        e = exp_of_negative(-abs(t))
        above *= e if t > 0.0 else 1.0
        below *= 1.0 if t > 0.0 else e
        z = (above - below) / (above + below)
        far += not (known or abs(z) < 1.0 / 3.0)
        theta[i] = t + (0.0 if known else 2.0 * atanh_of_third(z))
    if far:
        for i in range(theta.size):
            if a[i] * (1.0 - a[i]) > FLAT:
                theta[i] = np.log((1.0 - a[i]) / a[i])


@njit
def visit(theta, a, m, q):
    """Find nearly the root t of t - m - q (sigma(-t) - a), and sigma(-t).

    `theta` belongs to a: sigma(-theta) = a, but for the first visit, where
    a = 0 and theta is any guess.
    """
    low, high = m - q * a, m + q * (1.0 - a)
    t = theta
    if a > 0.0:
        step = (theta - m) / (1.0 + q * a * (1.0 - a))
        enough = _ENOUGH * min(1.0, abs(step))
        t -= step
    else:
        enough = _ENOUGH
    new = a
    for _ in range(50):
        if not low <= t <= high:
            t = 0.5 * (low + high)
        new = _sigmoid_of_minus(t)
        residual = t - m - q * (new - a)
        step = residual / (1.0 + q * new * (1.0 - new))
        if abs(step) <= enough:
            break
        if residual > 0.0:
            high = t
        else:
            low = t
        t -= step
    return t, new
