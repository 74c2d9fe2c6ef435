r"""What Newton's method needs where X has few columns, in vectors of eight.

All arrays lie in one buffer, `work`; functions take offsets into it. The
signed samples are stored column by column: entry i of column j,
:math:`A_{ji} = y_i x_{ij}`, is work[A + j pitch + i]. Samples are padded with
zeros to whole vectors; the margins of the padding are `FAR`, so that it adds
1e-304 to sums (1e-37 in float32).

`work` is float64. `combine`, `project`, `clear`, `weigh`, `weigh_nothing`,
`weigh_along`, `third_order`, `advance` and `largest` also take its view as
float32; offsets count these then.
"""
import math

from ...compilation import njit
from ...datafits.simd_margins import (
    exp_of_negative,
    log1p_of_unit,
    twice_atanh,
    weights_of,
)
from ...linalg import simd
from ...linalg.simd import LANES, SINGLE_LANES, put
from ...linalg.tiles import SUM_LANES, narrow, transpose

# A margin whose sigmoid(-m) and loss are 1e-304
FAR = 1000.0

@njit
def signed_columns(
    data, start, row_stride, column_stride, n, p, y, y0, work, A, pitch,
):
    """Fill A from data[start + i row_stride + j column_stride].

    Columns are written by `SUM_LANES`: whole multiples of eight columns must
    belong to A. Rows of C order are transposed in registers: 100000 x 20 in
    0.9 instead of 2.1 ms.
    """
    whole = 0
    if column_stride == 1:
        # a vector may read over the end of its row, not of the data
        columns = (p + SUM_LANES - 1) // SUM_LANES * SUM_LANES
        room = (data.size - start - columns) // max(row_stride, 1) + 1
        whole = max(min(n, room) // LANES * LANES, 0)
        for i in range(0, whole, LANES):
            labels = simd.load(y, y0 + i)
            for j in range(0, p, SUM_LANES):
                transpose(
                    data, start + i * row_stride + j, row_stride, labels,
                    work, A + j * pitch + i, pitch,
                )
    elif row_stride == 1:
        whole = n // LANES * LANES
        for j in range(p):
            for i in range(0, whole, LANES):
                simd.store(work, A + j * pitch + i, simd.mul(
                    simd.load(y, y0 + i),
                    simd.load(data, start + j * column_stride + i),
                ))
    padded = (n + LANES - 1) // LANES * LANES
    for j in range(p):
        source = start + j * column_stride
        target = A + j * pitch
        for i in range(whole, n):
            work[target + i] = y[y0 + i] * data[source + i * row_stride]
        for i in range(n, padded):
            work[target + i] = 0.0


@njit
def narrow_columns(work, A, pitch, q, count, single, single_pitch):
    """A in float32, each column padded with zeros to its vectors.

    `single` and its pitch count float32 in `work`. While rows are transposed
    it was no faster.
    """
    for j in range(q):
        target = single + j * single_pitch
        for i in range(0, count, LANES):
            narrow(work, A + j * pitch + i, target + i)
        if count % SINGLE_LANES > 0:
            for i in range(count, count + SINGLE_LANES - LANES, 2):
                put(work, (target + i) // 2, 0.0)


@njit
def label_column(n, y, y0, work, target):
    """The signed column of an intercept: the labels themselves."""
    padded = (n + LANES - 1) // LANES * LANES
    for i in range(n):
        work[target + i] = y[y0 + i]
    for i in range(n, padded):
        work[target + i] = 0.0


@njit
def combine(work, A, pitch, q, points, w, out, count):
    """out = A' w for `count` samples, whole vectors; w is in `points`."""
    lanes = simd.lanes(work)
    last = count - 4 * lanes
    i = 0
    while i <= last:
        a = simd.fill(work, 0.0)
        b, c, d = a, a, a
        for j in range(q):
            factor = simd.fill(work, points[w + j])
            source = A + j * pitch + i
            a = simd.fma(factor, simd.read(work, source), a)
            b = simd.fma(factor, simd.read(work, source + lanes), b)
            c = simd.fma(factor, simd.read(work, source + 2 * lanes), c)
            d = simd.fma(factor, simd.read(work, source + 3 * lanes), d)
        simd.store(work, out + i, a)
        simd.store(work, out + i + lanes, b)
        simd.store(work, out + i + 2 * lanes, c)
        simd.store(work, out + i + 3 * lanes, d)
        i += 4 * lanes
    while i < count:
        a = simd.fill(work, 0.0)
        for j in range(q):
            a = simd.fma(
                simd.fill(work, points[w + j]),
                simd.read(work, A + j * pitch + i), a,
            )
        simd.store(work, out + i, a)
        i += lanes


@njit
def project(work, A, pitch, q, s, sums, out, count):
    """sums[out + j] = sum_i A_ji s_i."""
    lanes = simd.lanes(work)
    j = 0
    while j < q - 3:
        a = simd.fill(work, 0.0)
        b, c, d = a, a, a
        source = A + j * pitch
        for i in range(0, count, lanes):
            weight = simd.read(work, s + i)
            at = source + i
            a = simd.fma(weight, simd.read(work, at), a)
            b = simd.fma(weight, simd.read(work, at + pitch), b)
            c = simd.fma(weight, simd.read(work, at + 2 * pitch), c)
            d = simd.fma(weight, simd.read(work, at + 3 * pitch), d)
        sums[out + j] = simd.total(a)
        sums[out + j + 1] = simd.total(b)
        sums[out + j + 2] = simd.total(c)
        sums[out + j + 3] = simd.total(d)
        j += 4
    # the rest in pairs (the last column twice), two sums for each: one alone
    # would wait for itself; 200 x 10 in 0.105 instead of 0.12 us
    while j < q:
        a = simd.fill(work, 0.0)
        b, c, d = a, a, a
        at, beside = A + j * pitch, A + min(j + 1, q - 1) * pitch
        for i in range(0, count - lanes, 2 * lanes):
            first = simd.read(work, s + i)
            second = simd.read(work, s + i + lanes)
            a = simd.fma(first, simd.read(work, at + i), a)
            b = simd.fma(first, simd.read(work, beside + i), b)
            c = simd.fma(second, simd.read(work, at + i + lanes), c)
            d = simd.fma(second, simd.read(work, beside + i + lanes), d)
        if count // lanes % 2 == 1:
            i = count - lanes
            weight = simd.read(work, s + i)
            a = simd.fma(weight, simd.read(work, at + i), a)
            b = simd.fma(weight, simd.read(work, beside + i), b)
        sums[out + min(j + 1, q - 1)] = simd.total(simd.add(b, d))
        sums[out + j] = simd.total(simd.add(a, c))
        j += 2


@njit
def clear(work, start, count):
    """Set whole vectors to zero."""
    for i in range(0, count, simd.lanes(work)):
        simd.store(work, start + i, simd.fill(work, 0.0))


@njit
def weigh(work, m, s, h, count):
    """Weights and curvatures at the margins; returns the sum of weights."""
    mass = simd.fill(work, 0.0)
    for i in range(0, count, simd.lanes(work)):
        weight, bend = weights_of(simd.read(work, m + i))
        simd.store(work, s + i, weight)
        simd.store(work, h + i, bend)
        mass = simd.add(mass, weight)
    return simd.total(mass)


@njit
def weigh_nothing(work, s, h, n, padded):
    """As `weigh` where all margins are zero; the padding gets zeros."""
    half, quarter = simd.fill(work, 0.5), simd.fill(work, 0.25)
    for i in range(0, padded, simd.lanes(work)):
        simd.store(work, s + i, half)
        simd.store(work, h + i, quarter)
    for i in range(n, padded):
        work[s + i] = 0.0
        work[h + i] = 0.0
    return 0.5 * n


@njit
def weigh_and_lose(work, m, s, h, count):
    """As `weigh`; also the loss, sum log(1 + exp(-m)), which comes first."""
    total, mass = simd.splat(0.0), simd.splat(0.0)
    zero, one = total, simd.splat(1.0)
    for i in range(0, count, LANES):
        margin = simd.load(work, m + i)
        negative = simd.sub(zero, margin)
        e = exp_of_negative(simd.sub(zero, simd.magnitude(margin)))
        q = simd.div(one, simd.add(one, e))
        small = simd.mul(e, q)
        weight = simd.where_positive(margin, small, q)
        simd.store(work, s + i, weight)
        simd.store(work, h + i, simd.mul(small, q))
        mass = simd.add(mass, weight)
        total = simd.add(total, simd.add(
            log1p_of_unit(e), simd.where_positive(negative, negative, zero)
        ))
    return simd.total(total), simd.total(mass)


@njit
def weigh_along(work, m, dm, t, s, h, count):
    """The same at m + t dm; phi'(t), phi''(t) of the loss, sum of weights."""
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


@njit
def loss(work, m, s, count, mass):
    """sum log(1 + exp(-m)), s being the weights at m, `mass` their sum.

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
        for i in range(start, min(start + 512, count), LANES):
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


@njit
def _loss_one_by_one(work, m, s, count):
    """`loss` where it is small: also relative to it, nothing is lost.

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


@njit
def third_order(work, s, h, dm, out, count):
    """out = h (1 - 2 s) dm^2 / 2: what the curvature changes along dm."""
    one, two = simd.fill(work, 1.0), simd.fill(work, 2.0)
    half = simd.fill(work, 0.5)
    for i in range(0, count, simd.lanes(work)):
        d = simd.read(work, dm + i)
        bend = simd.mul(simd.mul(simd.read(work, h + i), half), d)
        tilt = simd.sub(one, simd.mul(two, simd.read(work, s + i)))
        simd.store(work, out + i, simd.mul(simd.mul(bend, d), tilt))


@njit
def advance(work, m, t, dm, count):
    """m += t dm; returns max |t dm|."""
    step, longest = simd.fill(work, t), simd.fill(work, 0.0)
    for i in range(0, count, simd.lanes(work)):
        moved = simd.mul(step, simd.read(work, dm + i))
        simd.store(work, m + i, simd.add(moved, simd.read(work, m + i)))
        longest = simd.larger(simd.magnitude(moved), longest)
    return simd.largest(longest)


@njit
def largest(work, m, n):
    """max |m_i| over the n samples, not over the padding."""
    result = 0.0
    for i in range(n):
        result = max(result, abs(work[m + i]))
    return result
