r"""Newton for one or two columns, the intercept among them.

Every derivative up to the third is then a few numbers, so one pass over the
signed samples A, at any point, gives all of them:

.. math::
    \sum_i s_i, \quad A s, \quad \sum_i h_i A_{ji} A_{ki}, \quad
    \sum_i \tfrac{1}{2} h_i (1 - 2 s_i) A_{ji} A_{ki} A_{li},

with the weights :math:`s_i = \sigma(-m_i)` and the curvatures
:math:`h_i = \sigma(m_i) \sigma(-m_i)` at the margins m = A'w. What is left of
an iteration (the direction, its correction by the third derivative as in
`small.descent`, the search) is arithmetic in registers. A trial of a step
costs as much as an iteration, so a search takes what an iteration can repair.
"""
import numpy as np

from ...compilation import njit
from ...datafits.simd_margins import weights_of
from ...linalg import simd
from ...linalg.simd import LANES
from . import kernels as few
from .gap import (
    FLOAT64_LIMIT,
    ITERATION_LIMIT,
    PATIENCE,
    REACHED,
    balanced_gap,
    watch,
)
from .kernels import FAR

# Pivots below this share of their diagonal entry are rounding
PIVOT = 1e-15
# A step is taken once the slope along it has fallen to this share
_FLAT = 0.4


@njit
def derivatives(work, A, pitch, m, s, padded, w0, w1):
    """The sums above at w; the margins and weights go to m and s.

    The mass, two of A s, the Hessian's 00, 01, 11 and the third derivative's
    000, 001, 011, 111. A third row of A is added to the margins: `FAR` in the
    padding.
    """
    zero, half = simd.splat(0.0), simd.splat(0.5)
    a, b = simd.splat(w0), simd.splat(w1)
    mass, g0, g1, h00, h01 = zero, zero, zero, zero, zero
    h11, t000, t001, t011, t111 = zero, zero, zero, zero, zero
    for i in range(0, padded, LANES):
        x, z = simd.load(work, A + i), simd.load(work, A + pitch + i)
        margin = simd.fma(a, x, simd.load(work, A + 2 * pitch + i))
        margin = simd.fma(b, z, margin)
        weight, bend = weights_of(margin)
        simd.store(work, m + i, margin)
        simd.store(work, s + i, weight)
        mass = simd.add(mass, weight)
        g0, g1 = simd.fma(weight, x, g0), simd.fma(weight, z, g1)
        bent = simd.mul(bend, x)
        xx, xz = simd.mul(bent, x), simd.mul(bent, z)
        zz = simd.mul(simd.mul(bend, z), z)
        h00, h01, h11 = simd.add(h00, xx), simd.add(h01, xz), simd.add(h11, zz)
        tilt = simd.sub(half, weight)
        x, z = simd.mul(tilt, x), simd.mul(tilt, z)
        t000, t001 = simd.fma(xx, x, t000), simd.fma(xx, z, t001)
        t011, t111 = simd.fma(zz, x, t011), simd.fma(zz, z, t111)
    return (
        simd.total(mass), simd.total(g0), simd.total(g1), simd.total(h00),
        simd.total(h01), simd.total(h11), simd.total(t000),
        simd.total(t001), simd.total(t011), simd.total(t111),
    )


@njit
def derivatives_at_zero(work, A, pitch, m, s, n, padded):
    """The same at w = 0, without exponentials; the third is zero there."""
    zero, half = simd.splat(0.0), simd.splat(0.5)
    g0, g1, h00, h01, h11 = zero, zero, zero, zero, zero
    for i in range(0, padded, LANES):
        x, z = simd.load(work, A + i), simd.load(work, A + pitch + i)
        simd.store(work, m + i, simd.load(work, A + 2 * pitch + i))
        simd.store(work, s + i, half)
        g0, g1 = simd.add(g0, x), simd.add(g1, z)
        h00, h01 = simd.fma(x, x, h00), simd.fma(x, z, h01)
        h11 = simd.fma(z, z, h11)
    for i in range(n, padded):
        work[s + i] = 0.0
    return (
        0.5 * n, 0.5 * simd.total(g0), 0.5 * simd.total(g1),
        0.25 * simd.total(h00), 0.25 * simd.total(h01),
        0.25 * simd.total(h11), 0.0, 0.0, 0.0, 0.0,
    )


@njit
def fourth_at_zero(work, A, pitch, padded, d0, d1):
    """sum_i m_i^3 A_ji / 48 for m = A'd, a sixth of the fourth derivative."""
    a, b = simd.splat(d0), simd.splat(d1)
    c0, c1 = simd.splat(0.0), simd.splat(0.0)
    for i in range(0, padded, LANES):
        x, z = simd.load(work, A + i), simd.load(work, A + pitch + i)
        margin = simd.fma(b, z, simd.mul(a, x))
        cube = simd.mul(simd.mul(margin, margin), margin)
        c0, c1 = simd.fma(cube, x, c0), simd.fma(cube, z, c1)
    return simd.total(c0) / 48.0, simd.total(c1) / 48.0


@njit
def fit_two(
    data, start, row_stride, column_stride, n, p, y, y0, l2, intercept, tol,
    max_iter, work, x, x0,
):
    """`small.descent.fit_tiny` for p + intercept <= 2."""
    q = p + 1 if intercept else p
    padded = (n + LANES - 1) // LANES * LANES
    pitch = padded + LANES
    # whole cache lines
    A = -(work.ctypes.data >> 3) & (LANES - 1)
    far, m, s = A + 2 * pitch, A + 3 * pitch, A + 4 * pitch
    c_s, w, total = A + 5 * pitch, A + 6 * pitch, A + 6 * pitch + 2
    for i in range(n):
        sign, at = y[y0 + i], start + i * row_stride
        work[A + i] = sign * data[at]
        work[A + pitch + i] = (
            sign * data[at + column_stride] if p == 2
            else sign if intercept else 0.0
        )
        work[far + i] = 0.0
    for i in range(n, padded):
        work[A + i] = 0.0
        work[A + pitch + i] = 0.0
        work[far + i] = FAR
    ridge0, ridge1 = l2, 0.0 if intercept else l2
    w0 = x[x0]
    w1 = x[x0 + 1] if q == 2 else 0.0
    at_zero = w0 == 0.0 and w1 == 0.0
    if at_zero:
        mass, b0, b1, h00, h01, h11, t000, t001, t011, t111 = (
            derivatives_at_zero(work, A, pitch, m, s, n, padded)
        )
    else:
        mass, b0, b1, h00, h01, h11, t000, t001, t011, t111 = derivatives(
            work, A, pitch, m, s, padded, w0, w1
        )
    best, best_bound, worse = np.inf, np.inf, 0
    status, iteration = ITERATION_LIMIT, 0
    gap, g0, g1, penalty = np.inf, 0.0, 0.0, 0.0
    while True:
        g0, g1 = ridge0 * w0 - b0, ridge1 * w1 - b1
        penalty = ridge0 * w0 * w0 + ridge1 * w1 * w1
        squares = g0 * g0 if ridge1 == 0.0 else g0 * g0 + g1 * g1
        gap = squares / (2.0 * l2)
        # log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm
        bound = mass + 0.5 * penalty
        if gap <= tol * bound:
            if intercept:
                work[w], work[w + 1] = w0, w1
                gap = balanced_gap(
                    work, A, pitch, p, padded, m, s, c_s, total, w, l2,
                    -g1, mass,
                )
            if gap <= tol * bound:
                status = REACHED
                break
        merit = gap + (g1 * g1 if intercept else 0.0)
        best, best_bound, worse = watch(
            merit, bound, best, best_bound, worse
        )
        if worse == PATIENCE:
            status = FLOAT64_LIMIT
            break
        if iteration == max_iter:
            break
        iteration += 1
        if intercept:
            # nothing else bounds its step where all weights are 0 or 1
            least = 0.1 * abs(g1)
            if h11 < least:
                h11 = max(h11, least / max(few.largest(work, m, n), 1.0))
        # D and L of the Hessian
        diagonal, corner = h00 + ridge0, h11 + ridge1
        inverse0 = 1.0 / diagonal if diagonal > 0.0 else 0.0
        below = h01 * inverse0
        pivot = max(corner - below * h01, PIVOT * corner)
        inverse1 = 1.0 / pivot if pivot > 0.0 else 0.0
        d1 = (below * g0 - g1) * inverse1
        d0 = -g0 * inverse0 - below * d1
        slope = g0 * d0 + g1 * d1
        if not slope < 0.0:
            status = FLOAT64_LIMIT
            break
        # half of the third derivative along d twice, and its correction
        c0 = (t000 * d0 + 2.0 * t001 * d1) * d0 + t011 * d1 * d1
        c1 = (t001 * d0 + 2.0 * t011 * d1) * d0 + t111 * d1 * d1
        if at_zero:
            c0, c1 = fourth_at_zero(work, A, pitch, padded, d0, d1)
            at_zero = False
        rest = c1 - below * c0
        if c0 * c0 * inverse0 + rest * rest * inverse1 <= -0.25 * slope:
            e1 = rest * inverse1
            d0, d1 = d0 + c0 * inverse0 - below * e1, d1 + e1
            slope = g0 * d0 + g1 * d1
        t, low, high = 1.0, 0.0, np.inf
        start0, start1 = w0, w1
        for _ in range(60):
            w0, w1 = start0 + t * d0, start1 + t * d1
            mass, b0, b1, h00, h01, h11, t000, t001, t011, t111 = (
                derivatives(work, A, pitch, m, s, padded, w0, w1)
            )
            first = (ridge0 * w0 - b0) * d0 + (ridge1 * w1 - b1) * d1
            if abs(first) <= _FLAT * -slope:
                break
            if first < 0.0:
                low = t
            else:
                high = t
            second = (
                (h00 + ridge0) * d0 * d0 + 2.0 * h01 * d0 * d1
                + (h11 + ridge1) * d1 * d1
            )
            following = t - first / second if second > 0.0 else np.inf
            if not low < following < high:
                following = 2.0 * t if high == np.inf else 0.5 * (low + high)
            if high == np.inf:
                following = min(following, 10.0 * t)
            t = following
    if status != REACHED and intercept:
        work[w], work[w + 1] = w0, w1
        gap = balanced_gap(
            work, A, pitch, p, padded, m, s, c_s, total, w, l2, -g1, mass,
        )
    x[x0] = w0
    if q == 2:
        x[x0 + 1] = w1
    value = few.loss(work, m, s, padded, mass) + 0.5 * penalty
    return iteration, iteration, status, gap, value
