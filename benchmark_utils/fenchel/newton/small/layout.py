"""Where a fit of few columns keeps its numbers: all in one buffer."""
from typing import NamedTuple

import numpy as np

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES, SINGLE_LANES
from . import kernels as few
from .blocks import Vectors
from .pairs import PAIRS
from .samples import (
    Block,
    Samples,
    block_rows,
    block_size,
    fill,
    narrow_vector,
    pitch_of,
    single_pitch,
    whole_vectors,
)


class Layout(NamedTuple):
    """Where everything is in the buffer, in entries of float64."""

    #: columns, the intercept among them, and their vectors' padded length
    q: int
    width: int
    #: samples, padded to whole vectors of float64 and of float32
    padded: int
    filled: int
    #: margins, weights, curvatures, dual weights: see `blocks.Vectors`
    at: Vectors
    #: the margins' change, which is where the dual weights are, and a product
    dm: int
    c: int
    #: a Hessian, and then its factor
    U: int
    #: vectors of columns: gradient, direction, point, ridge, the factor's
    #: inverse pivots, two for work, the best point
    g: int
    d: int
    w: int
    ridge: int
    inverse: int
    z: int
    part: int
    best: int
    #: pairs of `pairs`, and their scales
    pairs: int
    scales: int
    #: these count float32: A, the distance of its columns, and h
    narrow: int
    narrow_pitch: int
    narrow_h: int


class Fit(NamedTuple):
    """One problem, its buffer, and where things are in it."""

    samples: Samples
    work: np.ndarray
    #: the same buffer as float32
    singles: np.ndarray
    block: Block
    at: Layout
    l2: float
    tol: float


@bare
def workspace_size(n, q):
    """Return the entries of `work` for n samples and q columns."""
    width = (q + LANES) // LANES * LANES
    return (
        block_size(n, width) + 5 * pitch_of(n)
        + (q + 2) * single_pitch(n) // 2
        + (q + 8 + 2 * PAIRS) * width + 2 * PAIRS + 2 * LANES
    )


@bare
def lay_out(samples, work):
    """Divide the buffer; return the block and the layout."""
    n = samples.n
    q = samples.p + 1 if samples.intercept else samples.p
    width = (q + LANES) // LANES * LANES
    rows = block_rows(n, width)
    pitch, long = pitch_of(rows), pitch_of(n)
    A = simd.first_line(work)
    # `fill` writes up to seven columns too many: where it does so once, before
    # anything else is there
    m = A + (q if n <= rows else width) * pitch
    U = max(m + 5 * long, A + width * pitch)
    g = U + q * width
    scales = g + (8 + 2 * PAIRS) * width
    narrow = 2 * (scales + whole_vectors(2 * PAIRS))
    narrow_pitch = single_pitch(n)
    return Block(A, pitch, rows, 1), Layout(
        q, width, whole_vectors(n),
        (n + SINGLE_LANES - 1) // SINGLE_LANES * SINGLE_LANES,
        Vectors(m, m + 2 * long, m + 3 * long, m + long), m + long,
        m + 4 * long, U, g, g + width, g + 2 * width, g + 3 * width,
        g + 4 * width, g + 5 * width, g + 6 * width, g + 7 * width,
        g + 8 * width, scales, narrow, narrow_pitch,
        narrow + q * narrow_pitch,
    )


@bare
def copy(fit, x):
    """Fill the buffer from X and from x.

    Returns |X|_F squared, of the intercept's column too, and whether x is 0.
    """
    samples, work, at = fit.samples, fit.work, fit.at
    # vectors of `width` are zero from q on
    few.clear(work, at.g, 8 * at.width)
    size = 0.0
    for first in range(0, samples.n, fit.block.rows):
        count = fill(samples, first, work, fit.block)
        # while rows are transposed it was no faster
        for j in range(at.q):
            size += narrow_vector(
                work, fit.block.A + j * fit.block.pitch,
                at.narrow + j * at.narrow_pitch + first, count,
            )
    at_zero = True
    for j in range(at.q):
        work[at.w + j] = x[j]
        at_zero = at_zero and x[j] == 0.0
        work[at.ridge + j] = fit.l2 if j < samples.p else 0.0
    return size, at_zero
