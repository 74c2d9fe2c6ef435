r"""What Newton's method needs where X has few columns, in vectors of eight.

All arrays lie in one buffer, `work`; functions take offsets into it. The
signed samples are as in `small.samples`; the margins of their padding are
`FAR`, so that it adds 1e-304 to sums (1e-37 in float32).

`work` is float64. `combine`, `project`, `weigh`, `third_order` and `advance`
also take its view as float32; offsets count these then.
"""
import math

from ...compilation import bare
from ...datafits.simd_margins import (
    exp_of_negative,
    log1p_of_unit,
    twice_atanh,
    weights_of,
)
from ...linalg import simd
from ...linalg.simd import LANES, least

# A margin whose sigmoid(-m) and loss are 1e-304
FAR = 1000.0


@bare
def combine(work, A, pitch, q, points, w, out, count):
    """Compute out = A' w for `count` samples; w is in `points`."""
    lanes = simd.lanes(work)
    last = count - lanes
    for first in range(0, count, 4 * lanes):
        # the last vector again where there are no four
        second = least(first + lanes, last)
        third = least(first + 2 * lanes, last)
        fourth = least(first + 3 * lanes, last)
        a = simd.fill(work, 0.0)
        b, c, d = a, a, a
        for j in range(q):
            factor, k = simd.fill(work, points[w + j]), A + j * pitch
            a = simd.fma(factor, simd.read(work, k + first), a)
            b = simd.fma(factor, simd.read(work, k + second), b)
            c = simd.fma(factor, simd.read(work, k + third), c)
            d = simd.fma(factor, simd.read(work, k + fourth), d)
        simd.store(work, out + first, a)
        simd.store(work, out + second, b)
        simd.store(work, out + third, c)
        simd.store(work, out + fourth, d)


@bare
def project(work, A, pitch, q, s, sums, out, count):
    """Compute sums[out + j] = sum_i A_ji s_i."""
    lanes = simd.lanes(work)
    for j in range(0, q, 4):
        # the last column again where there are no four
        left = q - 1 - j
        second = least(left, 1)
        third, fourth = least(left, 2), least(left, 3)
        at = A + j * pitch - s
        to_b, to_c, to_d = second * pitch, third * pitch, fourth * pitch
        a = simd.fill(work, 0.0)
        b, c, d = a, a, a
        for i in range(s, s + count, lanes):
            weight, k = simd.read(work, i), at + i
            a = simd.fma(weight, simd.read(work, k), a)
            b = simd.fma(weight, simd.read(work, k + to_b), b)
            c = simd.fma(weight, simd.read(work, k + to_c), c)
            d = simd.fma(weight, simd.read(work, k + to_d), d)
        sums[out + j] = simd.total(a)
        sums[out + j + second] = simd.total(b)
        sums[out + j + third] = simd.total(c)
        sums[out + j + fourth] = simd.total(d)


@bare
def square(work, A, pitch, q, count):
    """Return the sum of the squares of a block."""
    even, odd = simd.splat(0.0), simd.splat(0.0)
    for j in range(q):
        for i in range(A + j * pitch, A + j * pitch + count, 2 * LANES):
            one = simd.load(work, i)
            even = simd.fma(one, one, even)
            if i + LANES < A + j * pitch + count:
                one = simd.load(work, i + LANES)
                odd = simd.fma(one, one, odd)
    return simd.total(simd.add(even, odd))


@bare
def clear(work, start, count):
    """Set whole vectors to zero."""
    for i in range(0, count, simd.lanes(work)):
        simd.store(work, start + i, simd.fill(work, 0.0))


@bare
def weigh(work, m, s, h, count):
    """Compute weights and curvatures; return the sum of the weights."""
    mass = simd.fill(work, 0.0)
    for i in range(0, count, simd.lanes(work)):
        weight, bend = weights_of(simd.read(work, m + i))
        simd.store(work, s + i, weight)
        simd.store(work, h + i, bend)
        mass = simd.add(mass, weight)
    return simd.total(mass)


@bare
def weigh_along(work, m, dm, t, s, h, count):
    """Compute weights and curvatures at m + t dm.

    Returns phi'(t) and phi''(t) of the loss, and the sum of the weights.
    """
    first = simd.fill(work, 0.0)
    second, mass, step = first, first, simd.fill(work, t)
    for i in range(0, count, simd.lanes(work)):
        d = simd.read(work, dm + i)
        weight, bend = weights_of(simd.fma(step, d, simd.read(work, m + i)))
        simd.store(work, s + i, weight)
        simd.store(work, h + i, bend)
        mass = simd.add(mass, weight)
        first = simd.fma(weight, d, first)
        second = simd.fma(simd.mul(bend, d), d, second)
    return -simd.total(first), simd.total(second), simd.total(mass)


@bare
def loss(work, m, s, count, mass):
    """Return sum log(1 + exp(-m)); s are the weights at m, `mass` their sum.

    Without exponentials: sum max(-m, 0) - log prod max(s, 1 - s), where the
    product's rounding, 1e-16 a sample, is little; else each logarithm by its
    series. 200 samples in 0.06 instead of 0.33 us.
    """
    if mass < 1e-3 * count:
        return _loss_one_by_one(work, m, s, count)
    total, zero, one = 0.0, simd.splat(0.0), simd.splat(1.0)
    # factors are at least 1 / 2: 2^-512 is far from underflow
    for start in range(0, count, 512):
        hinge, product = zero, one
        for i in range(start, least(start + 512, count), LANES):
            weight = simd.load(work, s + i)
            negative = simd.sub(zero, simd.load(work, m + i))
            hinge = simd.add(
                hinge, simd.where_positive(negative, negative, zero)
            )
            product = simd.mul(product, simd.where_positive(
                negative, weight, simd.sub(one, weight)
            ))
        total += simd.total(hinge) - math.log(simd.product(product))
    return total


@bare
def _loss_one_by_one(work, m, s, count):
    """Return the `loss` exactly where it is small, relative to it too.

    log(1 + e), where e / (2 + e) = u / (2 - u) for u = e / (1 + e), the
    lesser of s and 1 - s.
    """
    total, zero = simd.splat(0.0), simd.splat(0.0)
    one, two = simd.splat(1.0), simd.splat(2.0)
    for i in range(0, count, LANES):
        margin, weight = simd.load(work, m + i), simd.load(work, s + i)
        negative = simd.sub(zero, margin)
        u = simd.where_positive(margin, weight, simd.sub(one, weight))
        total = simd.add(total, simd.add(
            twice_atanh(simd.div(u, simd.sub(two, u))),
            simd.where_positive(negative, negative, zero),
        ))
    return simd.total(total)


@bare
def third_order(work, s, h, dm, out, count):
    """Compute h (1 - 2 s) dm^2 / 2: how curvatures change along dm."""
    one, two = simd.fill(work, 1.0), simd.fill(work, 2.0)
    half = simd.fill(work, 0.5)
    for i in range(0, count, simd.lanes(work)):
        d = simd.read(work, dm + i)
        bend = simd.mul(simd.mul(simd.read(work, h + i), half), d)
        tilt = simd.sub(one, simd.mul(two, simd.read(work, s + i)))
        simd.store(work, out + i, simd.mul(simd.mul(bend, d), tilt))


@bare
def advance(work, m, t, dm, count):
    """Add t dm to m."""
    step = simd.fill(work, t)
    for i in range(0, count, simd.lanes(work)):
        simd.store(work, m + i, simd.fma(
            step, simd.read(work, dm + i), simd.read(work, m + i)
        ))


@bare
def largest(work, m, n):
    """Return max |m_i| over the n samples, not over the padding."""
    result = 0.0
    for i in range(n):
        result = max(result, abs(work[m + i]))
    return result


@bare
def scale_class(work, labels, m, s, c_s, factor, padded):
    """Scale weights s of a class, into c_s; return the price.

    `factor` is what they are scaled by and the class, the sign of its labels;
    the price is sum KL(c s || s) over it. s is sigmoid(-m).
    """
    c, sign = factor
    one, zero, price = simd.splat(1.0), simd.splat(0.0), simd.splat(0.0)
    part, side = simd.splat(c), simd.splat(sign)
    left = simd.splat(math.log1p(-c) if c < 1.0 else 0.0)
    log_c = simd.splat(math.log(c) if c > 0.0 else 0.0)
    for i in range(0, padded, LANES):
        # the padding has label zero
        heavy = simd.mul(simd.load(work, labels + i), side)
        dual = simd.load(work, s + i)
        dual = simd.where_positive(heavy, simd.mul(dual, part), dual)
        simd.store(work, c_s + i, dual)
        if c < 1.0:
            x = simd.sub(left, simd.load(work, m + i))
            e = exp_of_negative(simd.sub(zero, simd.magnitude(x)))
            rest = simd.add(
                log1p_of_unit(e), simd.where_positive(x, x, zero)
            )
            one_price = simd.fma(
                dual, log_c, simd.mul(simd.sub(one, dual), rest)
            )
            one_price = simd.where_positive(one_price, one_price, zero)
            price = simd.add(
                price, simd.where_positive(heavy, one_price, zero)
            )
    return simd.total(price)
