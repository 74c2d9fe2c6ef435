r"""Products with X in float64 for few columns, without a copy of X.

What `small.kernels`, `small.hessian` and `small.gap` do with the signed
samples A, here from X itself: `BLOCK` samples at a time are transposed into
the first-level cache, each time anew. Where a block of all samples has at most
`HELD` entries (256 kB) it is filled only once, by `fill`.

All functions begin with the same arguments:

data, start, row_stride, column_stride, n, p, y, y0, intercept
    As for `small.descent.fit_tiny`.
work, A, pitch
    The buffer, and where a block is in it: `block_size` entries, `pitch`
    between columns.
rows : int
    Samples of a block, by `block_rows`.

Vectors of n samples are padded to whole vectors, as in `small.kernels`.
"""

from ...compilation import njit
from ...linalg.simd import LANES
from . import hessian
from . import kernels as few
from .gap import class_factor, scale_class
from .hessian import BLOCK
from .kernels import FAR

HELD = 2**15


@njit
def pitch_of(n):
    """Entries between columns: an odd number of vectors, not one cache set."""
    return (n + LANES - 1) // LANES // 2 * 2 * LANES + LANES


@njit
def block_rows(n, width):
    """Samples of a block of so many columns: all n, or `BLOCK`."""
    return n if n * width <= HELD else BLOCK


@njit
def block_size(n, width):
    """Entries of a block; grows with both, so it suffices for less too."""
    whole = HELD // width + 3 * LANES
    return width * min(pitch_of(n), max(pitch_of(BLOCK), whole))


@njit
def fill(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, first,
):
    """The samples from `first` on to A; returns their number, padded."""
    count = min(n - first, rows)
    few.signed_columns(
        data, start + first * row_stride, row_stride, column_stride, count, p,
        y, y0 + first, work, A, pitch,
    )
    if intercept:
        few.label_column(count, y, y0 + first, work, A + p * pitch)
    return (count + LANES - 1) // LANES * LANES


@njit
def _block(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, first,
):
    """`fill` unless A holds them already."""
    if n <= rows:
        return (n + LANES - 1) // LANES * LANES
    return fill(
        data, start, row_stride, column_stride, n, p, y, y0, intercept, work,
        A, pitch, rows, first,
    )


@njit
def _project_block(work, A, pitch, q, s, first, g, part, padded):
    """g = A s of the first block, += of the others; s begins with the first.

    `part` is room for q entries.
    """
    if first == 0:
        few.project(work, A, pitch, q, s, work, g, padded)
        return
    few.project(work, A, pitch, q, s + first, work, part, padded)
    for j in range(q):
        work[g + j] += work[part + j]


@njit
def weigh_at(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, w, m, s, h, g, part,
):
    """Margins at w, their weights s and curvatures h, g = A s, in one pass.

    Returns the sum of the weights; `part` is room for q entries.
    """
    q = p + 1 if intercept else p
    mass = 0.0
    first = 0
    while first < n:
        padded = _block(
            data, start, row_stride, column_stride, n, p, y, y0, intercept,
            work, A, pitch, rows, first,
        )
        few.combine(work, A, pitch, q, work, w, m + first, padded)
        for i in range(n, first + padded):
            work[m + i] = FAR
        mass += few.weigh(work, m + first, s + first, h + first, padded)
        _project_block(work, A, pitch, q, s, first, g, part, padded)
        first += rows
    return mass


@njit
def combine(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, w, out,
):
    """out = A' w."""
    q = p + 1 if intercept else p
    first = 0
    while first < n:
        padded = _block(
            data, start, row_stride, column_stride, n, p, y, y0, intercept,
            work, A, pitch, rows, first,
        )
        few.combine(work, A, pitch, q, work, w, out + first, padded)
        first += rows


@njit
def project(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, s, g, part,
):
    """g = A s; `part` is room for q entries."""
    q = p + 1 if intercept else p
    first = 0
    while first < n:
        padded = _block(
            data, start, row_stride, column_stride, n, p, y, y0, intercept,
            work, A, pitch, rows, first,
        )
        _project_block(work, A, pitch, q, s, first, g, part, padded)
        first += rows


@njit
def weighted_gram(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, h, sums, U, width,
):
    """`small.hessian.weighted_gram`."""
    q = p + 1 if intercept else p
    few.clear(work, sums, hessian.sums_size(q))
    first = 0
    while first < n:
        padded = _block(
            data, start, row_stride, column_stride, n, p, y, y0, intercept,
            work, A, pitch, rows, first,
        )
        hessian.add_blocks(work, A, pitch, q, h + first, padded, sums)
        first += rows
    hessian.gather(work, sums, q, U, width)


@njit
def balanced_gap(
    data, start, row_stride, column_stride, n, p, y, y0, intercept, work, A,
    pitch, rows, m, s, c_s, total, part, w, l2, ascent, mass,
):
    """`small.gap.balanced_gap`."""
    c, sign = class_factor(ascent, mass)
    gap = 0.0
    first = 0
    while first < n:
        padded = _block(
            data, start, row_stride, column_stride, n, p, y, y0, intercept,
            work, A, pitch, rows, first,
        )
        gap += scale_class(
            work, A + p * pitch, m + first, s + first, c_s + first, c, sign,
            padded,
        )
        _project_block(work, A, pitch, p, c_s, first, total, part, padded)
        first += rows
    for j in range(p):
        gap += (work[total + j] - l2 * work[w + j]) ** 2 / (2.0 * l2)
    return gap
