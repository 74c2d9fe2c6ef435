"""A search along a direction, and along the intercept, on margins alone.

Each trial is one pass over n margins in a loop that LLVM vectorises, no
product with X; the weights of the accepted trial are kept.
"""
import numpy as np

from .compilation import LOOPS, njit
from .datafits.margins import exp_of_negative, log1p_of_unit


@njit(fastmath=LOOPS)
def evaluate(m, s, h):
    """Weights s = sigmoid(-m), curvatures h = s (1 - s) of n margins.

    Parameters
    ----------
    m, s, h : arrays of shape (n,), float64; s and h are written

    Returns
    -------
    loss, total_h : float
        sum log(1 + exp(-m)) and sum h.
    """
    loss = 0.0
    total = 0.0
    for i in range(m.size):
        e = exp_of_negative(-abs(m[i]))
        q = 1.0 / (1.0 + e)
        s[i] = e * q if m[i] > 0.0 else q
        h[i] = e * q * q
        total += e * q * q
        loss += log1p_of_unit(e) + (-m[i] if m[i] < 0.0 else 0.0)
    return loss, total


@njit(fastmath=LOOPS)
def trial(m, dm, t, s, h):
    """Weights and curvatures at m + t dm, with the slope and bend in t.

    Weights are kept, so that the trial that the search accepts (mostly the
    first) costs no second pass over the margins. Their sum takes the place
    of the loss, which is not less: a logarithm would add two thirds to all
    the rest (3.1 instead of 5.1 ns a margin with AVX2).

    Returns
    -------
    mass, slope, bend, size, total_h : float
        `mass` is sum s, `size` the sum of the absolute terms of the slope.
    """
    mass = 0.0
    slope = 0.0
    bend = 0.0
    size = 0.0
    total = 0.0
    for i in range(m.size):
        d = dm[i]
        x = m[i] + t * d
        e = exp_of_negative(-abs(x))
        q = 1.0 / (1.0 + e)
        w = e * q if x > 0.0 else q
        c = e * q * q
        s[i] = w
        h[i] = c
        slope -= w * d
        size += w * abs(d)
        bend += c * d * d
        total += c
        mass += w
    return mass, slope, bend, size, total


@njit(fastmath=LOOPS)
def _slope_here(dm, s):
    total = 0.0
    for i in range(s.size):
        total -= s[i] * dm[i]
    return total


@njit
def search(
    m, dm, s, start, quadratic, accuracy, s_new, h_new, guess=1.0
):
    r"""Minimise phi(t) = F(w + t d) over t > 0, on the margins.

    Newton on phi' within a bracket; each trial is one pass over n margins,
    no product with X. The step may be longer than 1: from a zero start
    t = 2 to 4 is common. The slope is taken as
    phi'(0) + (what the margins' slope has changed) + quadratic t, because
    near the end phi'(0) = g'd is much smaller than the error of the margins'
    own slope when dm comes from float32 entries.

    Parameters
    ----------
    m, dm, s : arrays of shape (n,), float64
        Margins, their change at t = 1, weights at t = 0.
    start : float
        phi'(0) = g'd, negative.
    quadratic : float
        lambda2 d'd.
    accuracy : float
        Stop when \|phi'(t)\| <= accuracy \|phi'(0)\|, or is rounding: near
        the end of a fit t = 1 is better than what rounding says.
    s_new, h_new : arrays of shape (n,), written
        Weights and curvatures at the step returned.
    guess : float
        The first trial.

    Returns
    -------
    t, mass, total_h : float
        The step, the sums of the weights and of the curvatures there.
    """
    base = start - _slope_here(dm, s)
    t, low, high = guess, 0.0, np.inf
    for k in range(60):
        mass, slope, bend, size, total = trial(m, dm, t, s_new, h_new)
        slope += base + t * quadratic
        bend += quadratic
        if abs(slope) <= accuracy * -start + 4e-16 * size or k == 59:
            break
        if slope < 0.0:
            low = t
        else:
            high = t
        # bend can underflow where all margins are large
        following = t - slope / bend if bend > 0.0 else np.inf
        if not low < following < high:
            if high == np.inf:
                following = 2.0 * low
            else:
                following = 0.5 * (low + high) if low > 0.0 else 0.1 * high
        if high == np.inf:
            following = min(following, 10.0 * t)
        if abs(following - t) < 1e-3 * t:
            break
        t = following
    if slope > -start:
        # no minimum was bracketed: phi falls up to `low`, which may be 0
        t = low
        mass, slope, bend, size, total = trial(m, dm, t, s_new, h_new)
    return t, mass, total


@njit
def best_shift(m, y, s, h):
    """Minimise sum log(1 + exp(-m - y c)) over c; m moves there.

    Safeguarded Newton on margins alone, no pass over X. It makes the
    intercept exact, so that the certificate loses nothing to it.

    Returns
    -------
    c, loss, total_h : float
    """
    total_shift, low, high = 0.0, -np.inf, np.inf
    loss, total_h = evaluate(m, s, h)
    previous = np.inf
    longest = 5.0
    for _ in range(100):
        slope = 0.0
        for i in range(m.size):
            slope -= y[i] * s[i]
        if slope == 0.0 or abs(slope) >= previous and abs(slope) < 1e-9:
            break
        previous = abs(slope)
        if slope < 0.0:
            low = total_shift
        else:
            high = total_shift
        step = -slope / total_h if total_h > 0.0 else -slope
        # Newton overshoots where all margins are large, so not far at once
        if not -longest < step < longest:
            step = longest if slope < 0.0 else -longest
        longest *= 2.0
        following = total_shift + step
        if not low < following < high:
            if low > -np.inf and high < np.inf:
                following = 0.5 * (low + high)
            else:
                break
        step = following - total_shift
        if abs(step) <= 1e-16 * (1.0 + abs(following)):
            break
        for i in range(m.size):
            m[i] += y[i] * step
        total_shift = following
        loss, total_h = evaluate(m, s, h)
    return total_shift, loss, total_h


@njit
def next_trial(t, slope, bend, low, high):
    """Return the step to try after t, by Newton within a bracket.

    `slope` and `bend` are the first two derivatives at t of a convex
    function; its minimum lies between `low`, 0 at first, and `high`, at first
    infinite, of which one is t. `bend` may have underflowed.
    """
    following = t - slope / bend if bend > 0.0 else np.inf
    if not low < following < high:
        if high == np.inf:
            following = 2.0 * t
        else:
            following = 0.5 * (low + high) if low > 0.0 else 0.1 * high
    return min(following, 10.0 * t) if high == np.inf else following
