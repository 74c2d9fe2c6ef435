"""Points, gradients and directions of few columns, in vectors of eight.

Each lies in `work` at its offset and is zero
from the last column up to `width`, whole vectors. `ridge` holds lambda2 for
each penalized column, zero for the intercept.
"""

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES


@bare
def dot(work, a, b, width):
    """Return sum_j a_j b_j."""
    total = simd.splat(0.0)
    for i in range(0, width, LANES):
        total = simd.fma(
            simd.load(work, a + i), simd.load(work, b + i), total
        )
    return simd.total(total)


@bare
def finish_gradient(work, w, ridge, g, width):
    """Set g = ridge w - g, where g was A s.

    Returns the squared norm of its penalized part and sum ridge w^2.
    """
    zero = simd.splat(0.0)
    squares, penalty = zero, zero
    for i in range(0, width, LANES):
        r, point = simd.load(work, ridge + i), simd.load(work, w + i)
        pull = simd.mul(r, point)
        change = simd.sub(pull, simd.load(work, g + i))
        simd.store(work, g + i, change)
        penalized = simd.where_positive(r, change, zero)
        squares = simd.fma(penalized, penalized, squares)
        penalty = simd.fma(pull, point, penalty)
    return simd.total(squares), simd.total(penalty)


@bare
def slopes(work, g, w, ridge, d, width):
    """Return g'd, sum ridge w d and sum ridge d^2."""
    slope = simd.splat(0.0)
    linear, quadratic = slope, slope
    for i in range(0, width, LANES):
        step = simd.load(work, d + i)
        slope = simd.fma(simd.load(work, g + i), step, slope)
        pull = simd.mul(simd.load(work, ridge + i), step)
        linear = simd.fma(pull, simd.load(work, w + i), linear)
        quadratic = simd.fma(pull, step, quadratic)
    return simd.total(slope), simd.total(linear), simd.total(quadratic)


@bare
def weighted_square(work, a, weights, width):
    """Return sum_j weights_j a_j^2."""
    total = simd.splat(0.0)
    for i in range(0, width, LANES):
        one = simd.load(work, a + i)
        total = simd.fma(
            simd.mul(one, one), simd.load(work, weights + i), total
        )
    return simd.total(total)
