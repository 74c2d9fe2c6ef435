"""What certifies a fit of few columns, and what tells that it has stalled."""
import math

from ...compilation import bare
from ...datafits.simd_margins import exp_of_negative, log1p_of_unit
from ...linalg import simd
from ...linalg.simd import LANES

# Iterations without progress that are waited for
PATIENCE = 15


@bare
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
