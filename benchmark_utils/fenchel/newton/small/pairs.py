"""L-BFGS on a factor of few columns: its pairs lie in one buffer.

J. Nocedal and S. Wright, Numerical Optimization, 2nd ed., algorithm 7.4.
"""

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES
from .kernels import advance
from .vectors import dot

# Changes of the gradient which a factor is corrected by
PAIRS = 6


@bare
def remember(work, at, count):
    """Append the step at z and what it changed g by; return the count.

    `at` is a `descent.Layout`. Pair k is the step at pairs + 2 k width and
    the change one width further; the inverse of their product is at
    scales + k.
    """
    if count == PAIRS:
        return count
    width = at.width
    step = at.pairs + 2 * count * width
    change = step + width
    for i in range(0, width, LANES):
        simd.store(work, step + i, simd.load(work, at.z + i))
        simd.store(work, change + i, simd.sub(
            simd.load(work, at.g + i), simd.load(work, at.old + i)
        ))
    product = dot(work, step, change, width)
    if not product > 0.0:
        return count
    work[at.scales + count] = 1.0 / product
    return count + 1


@bare
def correct_before(work, pairs, scales, count, width, z):
    """Apply the first of L-BFGS's two loops to z = -g."""
    for k in range(count - 1, -1, -1):
        step = pairs + 2 * k * width
        alpha = work[scales + k] * dot(work, step, z, width)
        work[scales + PAIRS + k] = alpha
        advance(work, z, -alpha, step + width, width)


@bare
def correct_after(work, pairs, scales, count, width, d):
    """Apply the second of L-BFGS's two loops to the direction."""
    for k in range(count):
        step = pairs + 2 * k * width
        beta = work[scales + k] * dot(work, step + width, d, width)
        advance(work, d, work[scales + PAIRS + k] - beta, step, width)
