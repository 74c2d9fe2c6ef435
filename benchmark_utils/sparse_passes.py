"""Passes over a CSR matrix; what `dense_passes` is for a dense one.

Gathers of a block of rows run before its scatters: alternating them row by
row makes every scatter wait for the gather of the same cache lines. Indices
are unsigned, because numba checks signed ones for being negative.
"""
from typing import NamedTuple

import numpy as np
from numba import njit

from benchmark_utils.gram_kernel import add_panel
from benchmark_utils.vector_math import LOOPS, loss_weights_curvature

_BLOCK = 256


class Rows(NamedTuple):
    """A CSR matrix for compiled code: float data, unsigned indices."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray


def as_rows(X, dtype):
    """`Rows` of a canonical scipy CSR matrix; the data become `dtype`."""
    unsigned = np.uint32 if X.indices.dtype.itemsize == 4 else np.uint64
    return Rows(
        X.data.astype(dtype, copy=False), X.indices.view(unsigned),
        X.indptr.astype(np.uint64),
    )


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def dots(A, rows, first, last, v, shift, out):
    """out[i] = A[i] @ v + shift for i in rows[first:last]."""
    for k in range(first, last):
        i = rows[k]
        total = v[0] * 0
        for e in range(A.indptr[i], A.indptr[i + 1]):
            total += A.data[e] * v[A.indices[e]]
        out[i] = total + shift


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def add_rows(A, rows, first, last, c, out):
    """out += sum of c[i] A[i] over i in rows[first:last]."""
    for k in range(first, last):
        i = rows[k]
        factor = c[i]
        for e in range(A.indptr[i], A.indptr[i + 1]):
            out[A.indices[e]] += factor * A.data[e]


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def hessian_product(A, rows, count, v, shift, h, out, products, scaled):
    """As `dense_passes.hessian_product`."""
    total = 0.0
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        dots(A, rows, first, last, v, shift, products)
        for k in range(first, last):
            i = rows[k]
            value = h[i] * products[i]
            scaled[i] = value
            total += value
        add_rows(A, rows, first, last, scaled, out)
    return total


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def exact_gradient(X, y, rows, w, b, m, s, h, r, out):
    """As `dense_passes.exact_gradient`."""
    n = y.size
    loss = 0.0
    total = 0.0
    out[:] = 0.0
    for first in range(0, n, _BLOCK):
        last = min(first + _BLOCK, n)
        dots(X, rows, first, last, w, b, m)
        for i in range(first, last):
            m[i] *= y[i]
        loss += loss_weights_curvature(
            m[first:last], s[first:last], h[first:last]
        )
        for i in range(first, last):
            r[i] = -y[i] * s[i]
            total += r[i]
        add_rows(X, rows, first, last, r, out)
    return loss, total


@njit(fastmath=LOOPS, error_model="numpy", cache=True)
def add_squares(A, rows, count, h, out):
    """out[j] += sum of h[i] A[i, j]^2 over the first `count` rows."""
    for k in range(count):
        i = rows[k]
        weight = h[i]
        for e in range(A.indptr[i], A.indptr[i + 1]):
            out[A.indices[e]] += weight * A.data[e] * A.data[e]


@njit(error_model="numpy", cache=True)
def weighted_gram(X, p, roots, rows, count, intercept, panel, C):
    """As `gram_kernel.weighted_gram`; rows are scattered into the panel."""
    C[:] = 0
    panel[:] = 0
    depth = 0
    for k in range(count):
        root = roots[k]
        i = rows[k]
        packed = panel[depth]
        for e in range(X.indptr[i], X.indptr[i + 1]):
            packed[X.indices[e]] += X.data[e] * root
        if intercept:
            packed[p] = root
        depth += 1
        if depth == panel.shape[0]:
            add_panel(panel, depth, C)
            panel[:] = 0
            depth = 0
    if depth > 0:
        add_panel(panel, depth, C)
