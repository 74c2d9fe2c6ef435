r"""The logistic loss of weighted samples, :math:`\sum_i c_i \log(1+e^{-m_i})`.

What a method with a separable penalty asks of a loss, of margins m and sample
weights c (an array, or None where each counts once, which compiles to what is
there without them): `evaluate`, `loss_along`, `divergence`. The dual variables
are a_i = c_i sigmoid(-m_i), in [0, c_i].
"""
import math

from ..compilation import LOOPS, njit
from . import margins
from .margins import exp_of_negative, log1p_of_unit


@njit(fastmath=LOOPS)
def evaluate(m, s, h, weights):
    """Compute dual variables and curvatures of n margins, and their loss.

    Parameters
    ----------
    m : array of shape (n,), float64
    s, h : arrays of shape (n,), float64, written
        c sigmoid(-m) and c sigmoid(m) sigmoid(-m).
    weights : array of shape (n,), float64, or None

    Returns
    -------
    float
        The loss.
    """
    if weights is None:
        loss, _ = margins.evaluate(m, s, h)
        return loss
    loss = 0.0
    for i in range(m.size):
        e = exp_of_negative(-abs(m[i]))
        q = 1.0 / (1.0 + e)
        s[i] = weights[i] * (e * q if m[i] > 0.0 else q)
        h[i] = weights[i] * (e * q * q)
        loss += weights[i] * (
            log1p_of_unit(e) + (-m[i] if m[i] < 0.0 else 0.0)
        )
    return loss


@njit(fastmath=LOOPS)
def loss_along(m, to, t, weights):
    """Return the loss at margins m + t (to - m)."""
    total = 0.0
    for i in range(m.size):
        x = m[i] + t * (to[i] - m[i])
        e = exp_of_negative(-abs(x))
        one = log1p_of_unit(e) + (-x if x < 0.0 else 0.0)
        if weights is None:
            total += one
        else:
            total += weights[i] * one
    return total


@njit(fastmath=LOOPS)
def divergence(y, m, s, up, down, weights):
    """Return the sum of c KL(f s / c || s / c), f = `up` where y > 0.

    Else f = `down`; both at most 1.
    """
    if up == 1.0 and down == 1.0:
        return 0.0
    total = 0.0
    logs = (
        math.log(up) if up > 0.0 else 0.0,
        math.log(down) if down > 0.0 else 0.0,
    )
    # of 1 - f; exp_of_negative makes nothing of -1e300
    rests = (
        math.log1p(-up) if up < 1.0 else -1e300,
        math.log1p(-down) if down < 1.0 else -1e300,
    )
    for i in range(m.size):
        positive = y[i] > 0.0
        a = s[i] * (up if positive else down)
        x = (rests[0] if positive else rests[1]) - m[i]
        rest = log1p_of_unit(exp_of_negative(-abs(x)))
        rest += x if x > 0.0 else 0.0
        most = 1.0 if weights is None else weights[i]
        term = a * (logs[0] if positive else logs[1]) + (most - a) * rest
        total += term if term > 0.0 else 0.0
    return total
