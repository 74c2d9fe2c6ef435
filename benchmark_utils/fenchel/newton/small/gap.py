"""The duality gap with an intercept, for few columns in vectors of eight.

Where the intercept is not optimal yet, the weights of the heavier class are
scaled until they are a dual point. The buffer is as in `small.kernels`.
"""
import math

from ...compilation import njit
from ...datafits.simd_margins import exp_of_negative, log1p_of_unit
from ...linalg import simd
from ...linalg.simd import LANES
from .kernels import project

# What a fit can end with
REACHED, FLOAT64_LIMIT, ITERATION_LIMIT = 0, 1, 2
# Iterations without progress that are waited for
PATIENCE = 15


@njit
def watch(merit, bound, best, best_bound, worse):
    """Follow a fit: the least merit and bound on F, and how long no better.

    An iteration is one without progress where neither the merit, a gap, is
    below half of the least one so far nor the bound below 0.99 of it. At
    `PATIENCE` of them in a row it is a stall.
    """
    better = merit < 0.5 * best or bound < 0.99 * best_bound
    return (
        min(best, merit), min(best_bound, bound), 0 if better else worse + 1
    )


@njit
def class_factor(ascent, mass):
    """What to scale the weights of the heavier class by, and its sign.

    `ascent` is sum_i y_i s_i, `mass` is sum_i s_i.
    """
    heavier = 0.5 * (mass + abs(ascent))
    lighter = max(0.5 * (mass - abs(ascent)), 0.0)
    c = lighter / heavier if heavier > 0.0 else 1.0
    return c, 1.0 if ascent > 0.0 else -1.0


@njit
def scale_class(work, labels, m, s, c_s, c, sign, padded):
    """c_s = s, times c in the class `sign`; returns its price.

    That is sum KL(c s || s) over the class; s is sigmoid(-m).
    """
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


@njit
def balanced_gap(
    work, A, pitch, p, padded, m, s, c_s, total, w, l2, ascent, mass
):
    """The duality gap with an intercept, whose column is row p of A.

    The weights of the heavier class are scaled by c < 1 until
    sum_i y_i a_i = 0; the price is KL(c s || s) for each of its samples.
    `ascent` is sum_i y_i s_i, `mass` is sum_i s_i.
    """
    c, sign = class_factor(ascent, mass)
    gap = scale_class(
        work, A + p * pitch, m, s, c_s, c, sign, padded
    )
    project(work, A, pitch, p, c_s, work, total, padded)
    for j in range(p):
        gap += (work[total + j] - l2 * work[w + j]) ** 2 / (2.0 * l2)
    return gap
