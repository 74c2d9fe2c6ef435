"""The Hessian of few columns and its factor, in vectors of eight.

A' diag(h) A of the signed columns that `small.kernels` describes is summed in
tiles, into row k of U from column k on; the factor takes its place. `width`
is the distance of the rows of U: q + 1 columns, in whole vectors.
"""

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES, get, put
from ...linalg.tiles import (
    SINGLE_ROUND,
    SUM_LANES,
    make_tile,
    sum_four,
    sum_four_singles,
)
from .kernels import clear

# Samples that stay in the first-level cache where nothing else has to; 200 x
# 10 in 0.84 us, by 128 in 0.89
_GRAM_BLOCK = 256
# as many bytes
_SINGLE_BLOCK = 512
# Where all pivots are above this share of their diagonal entry, sums in
# float32, off by 2e-7, give Newton's direction to 2e-3 or so by that estimate,
# a share that an iteration leaves anyway. breast_cancer, l2 = 0.01: 88 us, by
# 1e-2 155, and with 1e-5 no further change
TRUSTED = 1e-4

# Pivots below this share of their diagonal entry are rounding
PIVOT = 1e-15

_tile, _corner = make_tile(False), make_tile(True)
_single_tile, _single_corner = make_tile(False, True), make_tile(True, True)
_whole_tile = make_tile(False, True, True)
_whole_corner = make_tile(True, True, True)


@bare
def add_gram(work, A, pitch, q, h, depth, sums):
    """Add A diag(h) A' to sums by tiles of 4 x 4, of `tiles.make_tile`.

    Tile t, of rows 4 i and columns 4 k <= 4 i, is the vectors at sums + 16
    SUM_LANES t, t counting along k first; `depth` is in vectors.
    """
    at = sums
    for j in range(0, q, 4):
        a, rows = A + j * pitch, min(q - j, 4)
        for k in range(0, j, 4):
            _tile(work, a, A + k * pitch, pitch, h, depth, at, rows)
            at += 16 * SUM_LANES
        _corner(work, a, a, pitch, h, depth, at, rows)
        at += 16 * SUM_LANES


@bare
def add_single_gram(work, A, pitch, q, h, depth, sums):
    """Add a Gram matrix in float32; A, pitch and h count float32 in `work`.

    `depth` is in `SINGLE_ROUND`.
    """
    at = 2 * sums
    for j in range(0, q, 4):
        a, rows = A + j * pitch, min(q - j, 4)
        for k in range(0, j, 4):
            _single_tile(work, a, A + k * pitch, pitch, h, depth, at, rows)
            at += 32 * SUM_LANES
        _single_corner(work, a, a, pitch, h, depth, at, rows)
        at += 32 * SUM_LANES


@bare
def sums_size(q):
    """Return the entries of `sums` for q columns."""
    blocks = (q + 3) // 4
    return blocks * (blocks + 1) // 2 * 16 * SUM_LANES


@bare
def gather(work, sums, q, U, width, single=False):
    """Add up the vectors: row k of U gets H_kj for j >= k.

    Those of `add_single_gram` are `single`. Entries left of the diagonal and
    from q on are not defined after it.
    """
    at = sums
    for j in range(0, q, 4):
        for k in range(0, j + 4, 4):
            for i in range(min(q - k, 4)):
                source = at + 4 * SUM_LANES * i
                target = U + (k + i) * width + j
                if single:
                    sum_four_singles(work, source, target)
                else:
                    sum_four(work, source, target)
            at += 16 * SUM_LANES


@bare
def add_blocks(work, A, pitch, q, h, count, sums):
    """Add a Gram matrix of more samples than stay in the cache."""
    for i in range(0, count, _GRAM_BLOCK):
        depth = min(count - i, _GRAM_BLOCK) // LANES
        add_gram(work, A + i, pitch, q, h + i, depth, sums)


@bare
def _whole_gram(work, A, pitch, q, h, depth, U, width):
    """Compute a Gram matrix in registers: 200 x 10 in 0.38, not 0.47 us."""
    for j in range(0, q, 4):
        a, rows = A + j * pitch, min(q - j, 4)
        for k in range(0, j, 4):
            _whole_tile(
                work, a, A + k * pitch, pitch, h, depth, U + k * width + j,
                rows, width,
            )
        _whole_corner(
            work, a, a, pitch, h, depth, U + j * width + j, rows, width
        )


@bare
def weighted_single_gram(work, A, pitch, q, h, count, sums, U):
    """Compute a Gram matrix in float32: A and h count float32 in `work`.

    They are padded with zeros to `SINGLE_ROUND`.
    """
    rounds = (count + SINGLE_ROUND - 1) // SINGLE_ROUND
    width = (q + LANES) // LANES * LANES
    if count <= _SINGLE_BLOCK:
        _whole_gram(work, A, pitch, q, h, rounds, U, width)
        return
    clear(work, sums, sums_size(q))
    block = _SINGLE_BLOCK // SINGLE_ROUND
    for i in range(0, rounds, block):
        at = i * SINGLE_ROUND
        add_single_gram(
            work, A + at, pitch, q, h + at, min(rounds - i, block), sums
        )
    gather(work, sums, q, U, width, True)


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
