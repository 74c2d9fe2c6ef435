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
Margins are computed at each point itself, so it ends with a certificate of
what it returns.
"""
import math
from typing import NamedTuple

import numpy as np

from ...compilation import bare, njit
from ...datafits.simd_margins import weights_of
from ...duality import bounded, class_factor
from ...linalg import simd
from ...linalg.simd import LANES
from ...line_search import next_trial
from ...result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED
from . import kernels as few
from .entry import NOTHING, is_usual, machine_code, summary
from .kernels import FAR
from .point import PATIENCE, watch
from .samples import samples_of, whole_vectors

# Pivots below this share of their diagonal entry are rounding
_PIVOT = 1e-15
# A step is taken once the slope along it has fallen to this share
_FLAT = 0.4


class Columns(NamedTuple):
    """Where both signed columns and vectors of samples are in the buffer."""

    #: two columns, and a third of what is added to the margins: `FAR` in the
    #: padding; their distance
    A: int
    pitch: int
    #: samples, and padded to whole vectors
    n: int
    padded: int
    #: margins, weights, weights of a dual point
    m: int
    s: int
    a: int
    #: room for a sum
    total: int


class Moments(NamedTuple):
    """The sums over the samples at a point."""

    #: of the weights
    mass: float
    #: A s
    b0: float
    b1: float
    #: the Hessian of the loss
    h00: float
    h01: float
    h11: float
    #: half of the third derivative, its sign changed
    t000: float
    t001: float
    t011: float
    t111: float


class Ended(NamedTuple):
    """Where a descent has ended, and what certifies it."""

    status: int
    #: the point
    w0: float
    w1: float
    #: of the gap, see `duality.bounded`; nothing unless the status is REACHED
    price: float
    square: float
    mass: float


@bare
def workspace_size(n):
    """Return the entries of `work` for n samples."""
    return 6 * (whole_vectors(n) + LANES) + 2 * LANES


@bare
def derivatives(work, at, w0, w1):
    """Compute margins and weights at w; return the `Moments`."""
    zero, half = simd.splat(0.0), simd.splat(0.5)
    a, b = simd.splat(w0), simd.splat(w1)
    mass, g0, g1, h00, h01 = zero, zero, zero, zero, zero
    h11, t000, t001, t011, t111 = zero, zero, zero, zero, zero
    for i in range(0, at.padded, LANES):
        x = simd.load(work, at.A + i)
        z = simd.load(work, at.A + at.pitch + i)
        margin = simd.fma(a, x, simd.load(work, at.A + 2 * at.pitch + i))
        margin = simd.fma(b, z, margin)
        weight, bend = weights_of(margin)
        simd.store(work, at.m + i, margin)
        simd.store(work, at.s + i, weight)
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
    return Moments(
        simd.total(mass), simd.total(g0), simd.total(g1), simd.total(h00),
        simd.total(h01), simd.total(h11), simd.total(t000),
        simd.total(t001), simd.total(t011), simd.total(t111),
    )


@bare
def derivatives_at_zero(work, at):
    """Return `derivatives` at zero, without exponentials; the third is 0."""
    zero, half = simd.splat(0.0), simd.splat(0.5)
    g0, g1, h00, h01, h11 = zero, zero, zero, zero, zero
    for i in range(0, at.padded, LANES):
        x = simd.load(work, at.A + i)
        z = simd.load(work, at.A + at.pitch + i)
        simd.store(work, at.m + i, simd.load(work, at.A + 2 * at.pitch + i))
        simd.store(work, at.s + i, half)
        g0, g1 = simd.add(g0, x), simd.add(g1, z)
        h00, h01 = simd.fma(x, x, h00), simd.fma(x, z, h01)
        h11 = simd.fma(z, z, h11)
    for i in range(at.n, at.padded):
        work[at.s + i] = 0.0
    return Moments(
        0.5 * at.n, 0.5 * simd.total(g0), 0.5 * simd.total(g1),
        0.25 * simd.total(h00), 0.25 * simd.total(h01),
        0.25 * simd.total(h11), 0.0, 0.0, 0.0, 0.0,
    )


@bare
def fourth_at_zero(work, at, d0, d1):
    """sum_i m_i^3 A_ji / 48 for m = A'd, a sixth of the fourth derivative."""
    a, b = simd.splat(d0), simd.splat(d1)
    c0, c1 = simd.splat(0.0), simd.splat(0.0)
    for i in range(0, at.padded, LANES):
        x = simd.load(work, at.A + i)
        z = simd.load(work, at.A + at.pitch + i)
        margin = simd.fma(b, z, simd.mul(a, x))
        cube = simd.mul(simd.mul(margin, margin), margin)
        c0, c1 = simd.fma(cube, x, c0), simd.fma(cube, z, c1)
    return simd.total(c0) / 48.0, simd.total(c1) / 48.0


@bare
def _copy(samples, work):
    """Fill the columns; return where they are."""
    n, p, y, y0 = samples.n, samples.p, samples.y, samples.y0
    padded = whole_vectors(n)
    pitch = padded + LANES
    A = simd.first_line(work)
    for i in range(n):
        sign, place = y[y0 + i], samples.start + i * samples.row_stride
        work[A + i] = sign * samples.data[place]
        work[A + pitch + i] = (
            sign * samples.data[place + samples.column_stride] if p == 2
            else sign if samples.intercept else 0.0
        )
        work[A + 2 * pitch + i] = 0.0
    for i in range(n, padded):
        work[A + i] = 0.0
        work[A + pitch + i] = 0.0
        work[A + 2 * pitch + i] = FAR
    return Columns(
        A, pitch, n, padded, A + 3 * pitch, A + 4 * pitch, A + 5 * pitch,
        A + 6 * pitch,
    )


@bare
def _balance(work, at, w0, l2, ascent, mass):
    """Return the price and the square of the gap with an intercept."""
    price = few.scale_class(
        work, at.A + at.pitch, at.m, at.s, at.a, class_factor(ascent, mass),
        at.padded,
    )
    few.project(work, at.A, at.pitch, 1, at.a, work, at.total, at.padded)
    return price, (work[at.total] - l2 * w0) ** 2


@bare
def _direction(work, at, now, gradient, ridge, at_zero):
    """Return Newton's direction, bent if that is little, and its slope."""
    g0, g1 = gradient
    ridge0, ridge1 = ridge
    h11 = now.h11
    if ridge1 == 0.0:
        # nothing else bounds an intercept's step where weights are 0 or 1
        least = 0.1 * abs(g1)
        if h11 < least:
            h11 = max(h11, least / max(few.largest(work, at.m, at.n), 1.0))
    # D and L of the Hessian
    diagonal, corner = now.h00 + ridge0, h11 + ridge1
    inverse0 = 1.0 / diagonal if diagonal > 0.0 else 0.0
    below = now.h01 * inverse0
    pivot = max(corner - below * now.h01, _PIVOT * corner)
    inverse1 = 1.0 / pivot if pivot > 0.0 else 0.0
    d1 = (below * g0 - g1) * inverse1
    d0 = -g0 * inverse0 - below * d1
    slope = g0 * d0 + g1 * d1
    # half of the third derivative along d twice, and its correction
    c0 = (now.t000 * d0 + 2.0 * now.t001 * d1) * d0 + now.t011 * d1 * d1
    c1 = (now.t001 * d0 + 2.0 * now.t011 * d1) * d0 + now.t111 * d1 * d1
    if at_zero:
        c0, c1 = fourth_at_zero(work, at, d0, d1)
    rest = c1 - below * c0
    if c0 * c0 * inverse0 + rest * rest * inverse1 <= -0.25 * slope:
        e1 = rest * inverse1
        d0, d1 = d0 + c0 * inverse0 - below * e1, d1 + e1
        slope = g0 * d0 + g1 * d1
    return d0, d1, slope


@bare
def _search(work, at, start, direction, ridge):
    """Find a step along the direction; return the point and its `Moments`."""
    d0, d1, slope = direction
    ridge0, ridge1 = ridge
    t, low, high, k = 1.0, 0.0, np.inf, 0
    while True:
        w0, w1 = start[0] + t * d0, start[1] + t * d1
        now = derivatives(work, at, w0, w1)
        first = (ridge0 * w0 - now.b0) * d0 + (ridge1 * w1 - now.b1) * d1
        k += 1
        if abs(first) <= _FLAT * -slope or k == 60:
            return w0, w1, now
        if first < 0.0:
            low = t
        else:
            high = t
        second = (
            (now.h00 + ridge0) * d0 * d0 + 2.0 * now.h01 * d0 * d1
            + (now.h11 + ridge1) * d1 * d1
        )
        t = next_trial(t, first, second, low, high)


@bare
def _descend(work, at, w, now, ridge, tol, max_iter):
    """Minimise F from w, whose `Moments` are `now`.

    Returns iterations and what it has `Ended` with: where nothing is reached,
    the point of the least gap.
    """
    w0, w1 = w
    l2, ridge1 = ridge
    least, least_bound, worse, iteration = np.inf, np.inf, np.int64(0), 0
    best0, best1, status = w0, w1, ITERATION_LIMIT
    at_zero = w0 == 0.0 and w1 == 0.0
    while True:
        g0, g1 = l2 * w0 - now.b0, ridge1 * w1 - now.b1
        square = g0 * g0 if ridge1 == 0.0 else g0 * g0 + g1 * g1
        gap = square / (2.0 * l2)
        # log(1 + exp(-m)) >= sigmoid(-m): a bound below F without logarithm
        bound = now.mass + 0.5 * (l2 * w0 * w0 + ridge1 * w1 * w1)
        goal, price = tol * bound, 0.0
        if gap <= goal:
            if ridge1 == 0.0 and now.b1 != 0.0:
                price, square = _balance(work, at, w0, l2, now.b1, now.mass)
            if price + square / (2.0 * l2) <= goal:
                return iteration, Ended(
                    REACHED, w0, w1, price, square, now.mass
                )
        merit = gap + (g1 * g1 if ridge1 == 0.0 else 0.0)
        if merit < least:
            best0, best1 = w0, w1
        least, least_bound, worse = watch(
            merit, bound, least, least_bound, worse
        )
        if worse == PATIENCE:
            status = FLOAT64_LIMIT
            break
        if iteration >= max_iter:
            break
        direction = _direction(work, at, now, (g0, g1), ridge, at_zero)
        at_zero = False
        if not direction[2] < 0.0:
            status = FLOAT64_LIMIT
            break
        iteration += 1
        w0, w1, now = _search(work, at, (w0, w1), direction, ridge)
    return iteration, Ended(status, best0, best1, 0.0, np.inf, now.mass)


@bare
def _value(work, at, w0, w1, ridge):
    """Return F at w, whose weights go to the buffer, and the `Moments`."""
    now = derivatives(work, at, w0, w1)
    loss = few.loss(work, at.m, at.s, at.padded, now.mass)
    return loss + 0.5 * (ridge[0] * w0 * w0 + ridge[1] * w1 * w1), now


@bare
def _better(work, at, start, ended, ridge, tol):
    """Return F and the end at a point where nothing was reached.

    That is the start unless F is less at the other point.
    """
    status, w0, w1 = ended.status, ended.w0, ended.w1
    first, _ = _value(work, at, start[0], start[1], ridge)
    value, now = _value(work, at, w0, w1, ridge)
    if not value <= first:
        w0, w1 = start
        value, now = _value(work, at, w0, w1, ridge)
    price, square = 0.0, (ridge[0] * w0 - now.b0) ** 2
    if ridge[1] == 0.0 and now.b1 != 0.0:
        price, square = _balance(work, at, w0, ridge[0], now.b1, now.mass)
    else:
        square += (ridge[1] * w1 - now.b1) ** 2
    if price + square / (2.0 * ridge[0]) <= tol * value:
        status = REACHED
    return value, Ended(status, w0, w1, price, square, now.mass)


@bare
def fit_tiny(data, y, where, l2, tol, max_iter, work, x):
    """Minimise F as `descent.fit_tiny` does, for one or two columns.

    `work` has at least `workspace_size(n)` entries.
    """
    samples = samples_of(data, y, where, x.size > where[4])
    at = _copy(samples, work)
    # a second column of zeros is penalized as any
    ridge = l2, 0.0 if samples.intercept else l2
    two = samples.p == 2 or samples.intercept
    start = x[0], x[1] if two else 0.0
    now = derivatives_at_zero(work, at)
    size = 2.0 * math.sqrt(now.h00 + now.h11)
    if start[0] != 0.0 or start[1] != 0.0:
        now = derivatives(work, at, start[0], start[1])
    iterations, ended = _descend(work, at, start, now, ridge, tol, max_iter)
    if ended.status == REACHED:
        w0, w1 = ended.w0, ended.w1
        value = few.loss(work, at.m, at.s, at.padded, ended.mass)
        value += 0.5 * (ridge[0] * w0 * w0 + ridge[1] * w1 * w1)
    else:
        value, ended = _better(work, at, start, ended, ridge, tol)
        w0, w1 = ended.w0, ended.w1
    x[0] = w0
    if two:
        x[1] = w1
    gap = bounded(
        ended.price, ended.square, l2, size, ended.mass,
        math.sqrt(w0 * w0 + w1 * w1), (at.padded / LANES + 4.0, 2.0),
    )
    return iterations, iterations, ended.status, gap, value


@njit(by_hand=True)
def _fit_one(X, y, l2, tol, max_iter, x):
    """Minimise F for X of shape (n, p), from x; return its `summary`."""
    if not is_usual(X, y):
        return NOTHING
    n, p = X.shape
    return summary(*fit_tiny(
        simd.flattened(X), y, (0, p, 1, n, p, 0), l2, tol, max_iter,
        np.empty(workspace_size(n)), x,
    ))


def _compile_first(*arguments):
    """Load or compile `_fit_one`; its machine code takes this place."""
    global fit_array
    fit_array = machine_code(_fit_one)
    return fit_array(*arguments)


# As `descent.fit_array`: the first call replaces it
fit_array = _compile_first
