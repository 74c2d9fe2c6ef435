"""Signed samples: y_i x_i, copied by columns into a block of a buffer.

Entry i of column j, :math:`A_{ji} = y_i x_{ij}`, is work[A + j pitch + i]. A
block holds all samples where that is small, else `BLOCK` of them at a time,
which stay in the first-level cache. Samples are padded with zeros to whole
vectors.
"""
from typing import NamedTuple

import numpy as np

from ...compilation import bare
from ...linalg import simd
from ...linalg.simd import LANES, SINGLE_LANES, least, put
from ...linalg.tiles import SUM_LANES, narrow, transpose

# Samples which, with at most 32 columns, stay in the first-level cache
BLOCK = 128
# A block of all samples has at most so many entries: 256 kB
HELD = 2**15


class Samples(NamedTuple):
    """Where X and the labels of a problem are.

    To be built by compiled code: numba 0.60 takes none with arrays from
    Python.
    """

    #: flat; X[i, j] is data[start + i * row_stride + j * column_stride]
    data: np.ndarray
    start: int
    row_stride: int
    column_stride: int
    #: samples, features
    n: int
    p: int
    #: the label of sample i, -1 or +1, is y[y0 + i]
    y: np.ndarray
    y0: int
    #: whether a column of labels follows the features
    intercept: bool


class Block(NamedTuple):
    """Where signed samples are in a buffer."""

    #: the first entry, and the distance of columns
    A: int
    pitch: int
    #: samples at a time; n where a block holds them all
    rows: int
    #: 1 where vectors of samples have all n, 0 where only those of a block
    kept: int


def flat(X):
    """X as (data, row_stride, column_stride), a copy only where it must be."""
    n, p = X.shape
    size = X.itemsize
    if X.strides == (size, n * size):
        return X.T.reshape(-1), 1, n
    return np.ascontiguousarray(X).reshape(-1), p, 1


@bare
def samples_of(data, y, where, intercept):
    """Build `Samples`; `where` is start, strides, n, p and y0."""
    start, row_stride, column_stride, n, p, y0 = where
    return Samples(
        data, start, row_stride, column_stride, n, p, y, y0, intercept
    )


@bare
def whole_vectors(n):
    """Round n up to whole vectors."""
    return (n + LANES - 1) // LANES * LANES


@bare
def pitch_of(n):
    """Return an odd number of vectors: columns not all in one cache set."""
    return (n + LANES - 1) // LANES // 2 * 2 * LANES + LANES


@bare
def single_pitch(n):
    """Return what `pitch_of` does, in float32."""
    pairs = (n + SINGLE_LANES - 1) // (2 * SINGLE_LANES)
    return (2 * pairs + 1) * SINGLE_LANES


@bare
def block_rows(n, width):
    """Samples of a block of so many columns: all n, or `BLOCK`."""
    return n if n * width <= HELD else least(n, BLOCK)


@bare
def block_size(n, width):
    """Entries of a block; grows with both, so it suffices for less too."""
    whole = HELD // width + 3 * LANES
    return width * least(pitch_of(n), max(pitch_of(BLOCK), whole))


@bare
def fill(samples, first, work, block):
    """Copy samples from `first` on to a block; return their number, padded.

    Columns are written by `SUM_LANES`: whole multiples of eight columns must
    belong to the block. Rows of C order are transposed in registers: 100000 x
    20 in 0.9 instead of 2.1 ms.
    """
    row_stride, column_stride = samples.row_stride, samples.column_stride
    data, y, p = samples.data, samples.y, samples.p
    A, pitch = block.A, block.pitch
    start, y0 = samples.start + first * row_stride, samples.y0 + first
    n = least(samples.n - first, block.rows)
    whole = 0
    if column_stride == 1:
        # a vector may read over the end of its row, not of the data
        columns = (p + SUM_LANES - 1) // SUM_LANES * SUM_LANES
        room = (data.size - start - columns) // max(row_stride, 1) + 1
        whole = max(least(n, room) // LANES * LANES, 0)
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
    padded = whole_vectors(n)
    for j in range(p):
        source, target = start + j * column_stride, A + j * pitch
        for i in range(whole, n):
            work[target + i] = y[y0 + i] * data[source + i * row_stride]
    if samples.intercept:
        for i in range(n):
            work[A + p * pitch + i] = y[y0 + i]
    for j in range(p + 1 if samples.intercept else p):
        for i in range(n, padded):
            work[A + j * pitch + i] = 0.0
    return padded


@bare
def narrow_vector(work, source, target, count):
    """Copy a vector to float32, padded with zeros; return its squared norm.

    `target` counts float32 in `work`.
    """
    even, odd = simd.splat(0.0), simd.splat(0.0)
    for i in range(0, count - LANES, 2 * LANES):
        one = simd.load(work, source + i)
        even = simd.fma(one, one, even)
        narrow(work, source + i, target + i)
        one = simd.load(work, source + i + LANES)
        odd = simd.fma(one, one, odd)
        narrow(work, source + i + LANES, target + i + LANES)
    if count // LANES % 2 == 1:
        one = simd.load(work, source + count - LANES)
        even = simd.fma(one, one, even)
        narrow(work, source + count - LANES, target + count - LANES)
    if count % SINGLE_LANES > 0:
        for i in range(count, count + SINGLE_LANES - LANES, 2):
            put(work, (target + i) // 2, 0.0)
    return simd.total(simd.add(even, odd))
