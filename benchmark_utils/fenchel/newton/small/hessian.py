"""The Hessian of few columns and its factor, in vectors of eight.

A' diag(h) A of the signed columns that `small.kernels` describes is summed in
tiles, into row k of U from column k on; the factor takes its place. `width`
is the distance of the rows of U: q + 1 columns, in whole vectors.
"""

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES, get, least, put
from ...linalg.tiles import SINGLE_ROUND, make_tile

# Samples whose columns stay in the first-level cache, and of float32, which
# are as many bytes
_BLOCK, _SINGLE_BLOCK = 256, 512
# Where all pivots are above this share of their diagonal entry, sums in
# float32, off by 2e-7, give Newton's direction to 2e-3 or so by that estimate,
# a share that an iteration leaves anyway. breast_cancer, l2 = 0.01: 88 us, by
# 1e-2 155, and with 1e-5 no further change
TRUSTED = 1e-4

# Pivots below this share of their diagonal entry are rounding
PIVOT = 1e-15

_tile, _corner = make_tile(False), make_tile(True)
_single_tile, _single_corner = make_tile(False, True), make_tile(True, True)


@bare
def add_gram(work, A, pitch, q, h, count, U, width):
    """Add A diag(h) A' to U by tiles of 4 x 4; `count` samples are padded.

    Row k of U gets H_kj for j >= k; entries left of the diagonal, and from q
    on, are not defined after it.
    """
    for first in range(0, count, _BLOCK):
        depth = least(count - first, _BLOCK) // LANES
        for j in range(0, q, 4):
            a, rows = A + j * pitch + first, least(q - j, 4)
            for k in range(0, j, 4):
                _tile(
                    work, a, A + k * pitch + first, pitch, h + first, depth,
                    U + k * width + j, rows, width,
                )
            _corner(
                work, a, a, pitch, h + first, depth, U + j * width + j, rows,
                width,
            )


@bare
def add_single_gram(work, A, pitch, q, h, count, U, width):
    """Add as `add_gram`, in float32: A, pitch and h count these in `work`.

    They are padded with zeros to `SINGLE_ROUND`.
    """
    for first in range(0, count, _SINGLE_BLOCK):
        depth = (
            least(count - first, _SINGLE_BLOCK) + SINGLE_ROUND - 1
        ) // SINGLE_ROUND
        for j in range(0, q, 4):
            a, rows = A + j * pitch + first, least(q - j, 4)
            for k in range(0, j, 4):
                _single_tile(
                    work, a, A + k * pitch + first, pitch, h + first, depth,
                    U + k * width + j, rows, width,
                )
            _single_corner(
                work, a, a, pitch, h + first, depth, U + j * width + j, rows,
                width,
            )


@bare
def factorize(work, U, width, q, inverse, ridge, least):
    """Factorize U = D L' with unit L, in place, without square roots.

    Row k of the result is d_k times column k of L; inverse[k] = 1 / d_k. A
    right-hand side in column q goes through the same elimination. Pivots
    below `least` of their diagonal entry are rounding and are raised to it
    (duplicated columns); zero pivots count as infinite.

    Returns whether all pivots are above `TRUSTED` of their diagonal entry.
    """
    trusted = True
    for k in range(q):
        # before anything is subtracted
        at = U + k * width + k
        diagonal = get(work, at) + get(work, ridge + k)
        put(work, at, diagonal)
        put(work, inverse + k, diagonal * least)
    for k in range(q):
        row = U + k * width
        # not stored: a vector load would have to wait for it
        pivot, smallest = get(work, row + k), get(work, inverse + k)
        trusted = trusted and pivot * least > TRUSTED * smallest
        pivot = max(pivot, smallest)
        inv = 1.0 / pivot if pivot > 0.0 else 0.0
        put(work, inverse + k, inv)
        for i in range(k + 1, q):
            factor = simd.splat(-get(work, row + i) * inv)
            target = U + i * width
            for v in range(i // LANES * LANES, q + 1, LANES):
                simd.store(work, target + v, simd.fma(
                    factor, simd.load(work, row + v),
                    simd.load(work, target + v),
                ))
    return trusted


@bare
def substitute(work, U, width, q, inverse, z, out):
    """Solve D L' out = z, row by row from the last."""
    for k in range(q - 1, -1, -1):
        row = U + k * width
        value = get(work, z + k)
        for j in range(k + 1, q):
            value -= get(work, row + j) * get(work, out + j)
        put(work, out + k, value * get(work, inverse + k))


@bare
def eliminate(work, U, width, q, inverse, z):
    """Apply to z, of width q padded, what `factorize` did to column q."""
    for k in range(q):
        row = U + k * width
        factor = get(work, z + k) * get(work, inverse + k)
        for j in range(k + 1, q):
            put(work, z + j, get(work, z + j) - factor * get(work, row + j))
