"""A search along a direction, and along the intercept, on margins alone.

Each trial is one pass over n margins in a loop that LLVM vectorises, no
product with X; the weights of the accepted trial are kept.
"""
import numpy as np

from .compilation import njit
from .datafits.margins import dot, evaluate, evaluate_along

# Trials at most, and a change of the step, relative to it, that is none
_TRIALS, _SAME = 60, 1e-3
# Two roundings of the sum that the slope is
_ROUNDING = 4e-16


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


@njit
def search(m, dm, s, slopes, accuracy, s_new, h_new, guess=1.0):
    r"""Minimise phi(t) = F(w + t d) over t > 0, on the margins.

    Newton on phi' within a bracket. The step may be longer than 1: from a
    zero start t = 2 to 4 is common. The slope is taken as
    phi'(0) + (what the margins' slope has changed) + quadratic t, because
    near the end phi'(0) = g'd is much smaller than the error of the margins'
    own slope when dm comes from float32 entries.

    Parameters
    ----------
    m, dm, s : arrays of shape (n,), float64
        Margins, their change at t = 1, weights at t = 0.
    slopes : tuple of two floats
        phi'(0) = g'd, negative, and what the penalty adds to phi'',
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
    start, quadratic = slopes
    base = start + dot(s, dm)
    t, low, high = guess, 0.0, np.inf
    for k in range(_TRIALS):
        mass, slope, bend, size, total = evaluate_along(
            m, dm, t, s_new, h_new
        )
        slope += base + t * quadratic
        bend += quadratic
        if (
            abs(slope) <= accuracy * -start + _ROUNDING * size
            or k == _TRIALS - 1
        ):
            break
        if slope < 0.0:
            low = t
        else:
            high = t
        following = next_trial(t, slope, bend, low, high)
        if abs(following - t) < _SAME * t:
            break
        t = following
    if slope > -start:
        # no minimum was bracketed: phi falls up to `low`, which may be 0
        t = low
        mass, slope, bend, size, total = evaluate_along(
            m, dm, t, s_new, h_new
        )
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
