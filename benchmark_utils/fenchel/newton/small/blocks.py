"""Products with signed samples in float64, block by block.

A block that holds all samples was filled once, by `samples.fill`; else each
product fills it again and again, from X: no copy of X is kept.
"""
from typing import NamedTuple

from ...compilation import bare
from . import hessian
from . import kernels as few
from .kernels import FAR
from .samples import fill, whole_vectors


class Vectors(NamedTuple):
    """Where the vectors of samples are, each padded to whole vectors."""

    #: margins, their weights and curvatures
    m: int
    s: int
    h: int
    #: weights of a dual point
    a: int


@bare
def _block(samples, first, work, block):
    """Fill the block unless it holds all; return its samples, padded."""
    if samples.n <= block.rows and block.kept == 1:
        return whole_vectors(samples.n)
    return fill(samples, first, work, block)


@bare
def _project(work, block, q, s, first, g, part, padded):
    """Set g = A s at the first block, add A s at others.

    `part` is room for q entries.
    """
    if first == 0:
        few.project(work, block.A, block.pitch, q, s, work, g, padded)
        return
    few.project(work, block.A, block.pitch, q, s, work, part, padded)
    for j in range(q):
        work[g + j] += work[part + j]


@bare
def _weigh(samples, first, work, block, w, at, padded):
    """Compute margins of a block at w; return the sum of their weights."""
    q = samples.p + 1 if samples.intercept else samples.p
    i = first * block.kept
    m = at.m + i
    few.combine(work, block.A, block.pitch, q, work, w, m, padded)
    for k in range(samples.n - first, padded):
        work[m + k] = FAR
    return few.weigh(work, m, at.s + i, at.h + i, padded)


@bare
def weigh_at(fit, summed):
    """Compute margins at w, their weights and curvatures, and g = A s.

    If `summed` the Hessian of the loss goes to U.

    Returns
    -------
    loss, mass, size : float
        sum log(1 + exp(-m)) and the sum of the weights; |A|_F squared where
        the Hessian is summed, else 0.
    """
    samples, work, block, at = fit.samples, fit.work, fit.block, fit.at
    loss, mass, size = 0.0, 0.0, 0.0
    if summed:
        few.clear(work, at.U, at.q * at.width)
    for first in range(0, samples.n, block.rows):
        padded = _block(samples, first, work, block)
        one = _weigh(samples, first, work, block, at.w, at.at, padded)
        i = first * block.kept
        loss += few.loss(work, at.at.m + i, at.at.s + i, padded, one)
        mass += one
        _project(
            work, block, at.q, at.at.s + i, first, at.g, at.part, padded
        )
        if summed:
            hessian.add_gram(
                work, block.A, block.pitch, at.q, at.at.h + i, padded, at.U,
                at.width,
            )
            size += few.square(work, block.A, block.pitch, at.q, padded)
    return loss, mass, size


@bare
def balance(samples, work, block, w, at, total, part, factor):
    """Scale the weights of a class by `factor` of `duality.class_factor`.

    They go to `at.a`, and their products with the features to `total`; `part`
    is room for as much. Returns the price, see `kernels.scale_class`. Where
    only vectors of a block are kept, margins are computed again.
    """
    p, price = samples.p, 0.0
    for first in range(0, samples.n, block.rows):
        padded = _block(samples, first, work, block)
        if block.kept == 0:
            _weigh(samples, first, work, block, w, at, padded)
        i = first * block.kept
        price += few.scale_class(
            work, block.A + p * block.pitch, at.m + i, at.s + i, at.a + i,
            factor, padded,
        )
        _project(work, block, p, at.a + i, first, total, part, padded)
    return price
