"""What one iteration of a descent reads of a dense X, each row once.

A read is a task, a tuple with what it needs beside the rows: `FirstRead`,
`Gradient`, `Along`, `Trial`, `Change`. `dense.threads.read_by` gives each of
several threads a part of the rows.
"""
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from ...compilation import LOOPS, njit
from ...datafits.margins import evaluate, evaluate_step
from ...duality import bounded, class_factor
from ...linalg.half_precision import narrow, widen

# On rows this short BLAS is faster than the loops below, whose vectors do not
# fill: 15 against 21 us for both products at 2000 x 100 in float32
SHORT_ROWS = 150
# Rows a block: a quarter of a megabyte stays in the second-level cache. Fewer
# rows than 32 cost more in the sums over blocks than the cache gives: 0.41
# instead of 0.16 ms for X'c at 200 x 5000 in float32
_BLOCK_BYTES, _BLOCK_ROWS = 250_000, 32
# Columns that are summed up in a row in float64
_CHUNK = 256
# Longer rows are copied while they are read, not after
_LONG = 800


class Rows(NamedTuple):
    """The data, and what belongs to each of n samples at two points."""

    X: np.ndarray  # (n, p), C order, float64 or float32
    A: np.ndarray  # X or a copy of it in float32 or halves (uint16)
    y: np.ndarray  # -1 and +1
    m: np.ndarray  # margins y (X w + b), all of these in float64
    s: np.ndarray  # weights sigmoid(-m)
    h: np.ndarray  # curvatures s (1 - s)
    m_new: np.ndarray  # these three at another point
    s_new: np.ndarray
    h_new: np.ndarray
    dm: np.ndarray  # what a direction changes in m
    r: np.ndarray  # work space, float64
    c: np.ndarray  # work space, A's dtype, float32 for halves


class FirstRead(NamedTuple):
    """Gradient of the loss at w = 0, column sums of squares, a copy of X."""

    copy: bool  # whether to write A
    zoom: np.ndarray  # what the columns of halves are multiplied by


class Gradient(NamedTuple):
    """New margins and the gradient of the loss, in float64."""

    w: np.ndarray  # (p,), float64
    b: float


class Along(NamedTuple):
    """dm = y (A v + shift) size."""

    v: np.ndarray  # a direction divided by `size`, (p,), c's dtype
    shift: float  # its intercept's entry, divided too
    size: float


class Trial(NamedTuple):
    """As `Along`; and new margins at a step t, the change of the gradient."""

    v: np.ndarray
    shift: float
    size: float
    t: float


class Change(NamedTuple):
    """The change of the gradient of the loss, from s and s_new."""


@njit
def exchanged(rows):
    """Return the rows with the new point as the point, and the reverse."""
    return Rows(
        rows.X, rows.A, rows.y, rows.m_new, rows.s_new, rows.h_new, rows.m,
        rows.s, rows.h, rows.dm, rows.r, rows.c,
    )


@njit
def block_rows(A):
    """Return the rows a block, a multiple of 8."""
    rows = _BLOCK_BYTES // (A.shape[1] * A.itemsize) // 8 * 8
    return max(_BLOCK_ROWS, rows)


def stored(value, scale, array):
    """Return value * scale as `array` holds it: a half, or without scale."""


@overload(stored)
def _stored(value, scale, array):
    if array.dtype == types.uint16:
        return lambda value, scale, array: narrow(np.float32(value * scale))
    return lambda value, scale, array: value


@njit(fastmath=LOOPS)
def _first_read(rows, task, part, out):
    """Add -X'y / 2 to the first p of out, sums of X[:, j]^2 to the others."""
    X, A, y, scale, copy = rows.X, rows.A, rows.y, task.zoom, task.copy
    n, p = X.shape
    gradient, squares = out[:p], out[p:]
    i = 0
    while i + 4 <= n:
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        c0, c1 = -0.5 * y[i], -0.5 * y[i + 1]
        c2, c3 = -0.5 * y[i + 2], -0.5 * y[i + 3]
        if copy and p > _LONG:
            t0, t1, t2, t3 = A[i], A[i + 1], A[i + 2], A[i + 3]
            for j in range(p):
                a0, a1 = np.float64(x0[j]), np.float64(x1[j])
                a2, a3 = np.float64(x2[j]), np.float64(x3[j])
                gradient[j] += (c0 * a0 + c1 * a1) + (c2 * a2 + c3 * a3)
                squares[j] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
                t0[j] = stored(a0, scale[j], A)
                t1[j] = stored(a1, scale[j], A)
                t2[j] = stored(a2, scale[j], A)
                t3[j] = stored(a3, scale[j], A)
        else:
            for j in range(p):
                a0, a1 = np.float64(x0[j]), np.float64(x1[j])
                a2, a3 = np.float64(x2[j]), np.float64(x3[j])
                gradient[j] += (c0 * a0 + c1 * a1) + (c2 * a2 + c3 * a3)
                squares[j] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
            if copy:
                for k in range(i, i + 4):
                    source, target = X[k], A[k]
                    for j in range(p):
                        target[j] = stored(source[j], scale[j], A)
        i += 4
    while i < n:
        for j in range(p):
            x = np.float64(X[i, j])
            gradient[j] -= 0.5 * y[i] * x
            squares[j] += x * x
            if copy:
                A[i, j] = stored(X[i, j], scale[j], A)
        i += 1
    return 0.0, 0.0, 0.0, 0.0


@njit(fastmath=LOOPS)
def _forward_loops(A, first, last, v, shift, out):
    p = A.shape[1]
    i = first
    while i + 8 <= last:
        x0, x1, x2, x3 = A[i], A[i + 1], A[i + 2], A[i + 3]
        x4, x5, x6, x7 = A[i + 4], A[i + 5], A[i + 6], A[i + 7]
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = v.dtype.type(0)
        for j in range(p):
            a0 += widen(x0[j]) * v[j]
            a1 += widen(x1[j]) * v[j]
            a2 += widen(x2[j]) * v[j]
            a3 += widen(x3[j]) * v[j]
            a4 += widen(x4[j]) * v[j]
            a5 += widen(x5[j]) * v[j]
            a6 += widen(x6[j]) * v[j]
            a7 += widen(x7[j]) * v[j]
        out[i] = a0 + shift
        out[i + 1] = a1 + shift
        out[i + 2] = a2 + shift
        out[i + 3] = a3 + shift
        out[i + 4] = a4 + shift
        out[i + 5] = a5 + shift
        out[i + 6] = a6 + shift
        out[i + 7] = a7 + shift
        i += 8
    while i < last:
        x0 = A[i]
        a0 = v.dtype.type(0)
        for j in range(p):
            a0 += widen(x0[j]) * v[j]
        out[i] = a0 + shift
        i += 1


@njit(fastmath=LOOPS)
def _forward_in_chunks(A, first, last, v, shift, out):
    """Add up `_CHUNK` columns, then the sums: rounding is less."""
    p = v.size
    i = first
    while i < last:
        # the last rows are read twice rather than one by one
        i = max(min(i, last - 4), first)
        b0 = b1 = b2 = b3 = shift
        rows = min(4, last - i) - 1
        for start in range(0, p, _CHUNK):
            stop = min(start + _CHUNK, p)
            w = v[start:stop]
            x0, x1 = A[i][start:stop], A[i + min(1, rows)][start:stop]
            x2 = A[i + min(2, rows)][start:stop]
            x3 = A[i + rows][start:stop]
            a0 = a1 = a2 = a3 = 0.0
            for j in range(w.size):
                a0 += x0[j] * w[j]
                a1 += x1[j] * w[j]
                a2 += x2[j] * w[j]
                a3 += x3[j] * w[j]
            b0, b1, b2, b3 = b0 + a0, b1 + a1, b2 + a2, b3 + a3
        out[i], out[i + min(1, rows)] = b0, b1
        out[i + min(2, rows)], out[i + rows] = b2, b3
        i += 4


def _long(v):
    """Return the loops for v's type: those of float64 are certified by."""
    return _forward_in_chunks if v.dtype == types.float64 else _forward_loops


def _forward_long(A, first, last, v, shift, out):
    """As `forward`, by loops."""


@overload(_forward_long)
def _of_long(A, first, last, v, shift, out):
    one = _long(v)
    return lambda A, first, last, v, shift, out: one(
        A, first, last, v, shift, out
    )


@njit(fastmath=LOOPS)
def _forward_same(A, first, last, v, shift, out):
    if A.shape[1] >= SHORT_ROWS:
        _forward_long(A, first, last, v, shift, out)
        return
    values = np.dot(A[first:last], v)
    for i in range(last - first):
        out[first + i] = values[i] + shift


def forward(A, first, last, v, shift, out):
    """Set out[i] = A[i] @ v + shift for the rows first, ..., last - 1.

    A may hold halves (uint16). The arithmetic is that of v; BLAS takes only v
    of A's dtype.
    """


@overload(forward)
def _forward(A, first, last, v, shift, out):
    one = _forward_same if A.dtype == v.dtype else _long(v)

    def call(A, first, last, v, shift, out):
        one(A, first, last, v, shift, out)

    return call


@njit(fastmath=LOOPS)
def _backward_loops(A, first, last, c, part, out):
    p = A.shape[1]
    part[:] = 0
    i = first
    while i + 8 <= last:
        x0, x1, x2, x3 = A[i], A[i + 1], A[i + 2], A[i + 3]
        x4, x5, x6, x7 = A[i + 4], A[i + 5], A[i + 6], A[i + 7]
        c0, c1, c2, c3 = c[i], c[i + 1], c[i + 2], c[i + 3]
        c4, c5, c6, c7 = c[i + 4], c[i + 5], c[i + 6], c[i + 7]
        for j in range(p):
            part[j] += (
                (c0 * widen(x0[j]) + c1 * widen(x1[j]))
                + (c2 * widen(x2[j]) + c3 * widen(x3[j]))
            ) + (
                (c4 * widen(x4[j]) + c5 * widen(x5[j]))
                + (c6 * widen(x6[j]) + c7 * widen(x7[j]))
            )
        i += 8
    while i < last:
        x0 = A[i]
        c0 = c[i]
        for j in range(p):
            part[j] += c0 * widen(x0[j])
        i += 1
    for j in range(p):
        out[j] += part[j]


@njit(fastmath=LOOPS)
def _backward_same(A, first, last, c, part, out):
    if A.shape[1] >= SHORT_ROWS:
        _backward_loops(A, first, last, c, part, out)
    else:
        out += np.dot(A[first:last].T, c[first:last])


def backward(A, first, last, c, part, out):
    """Add the sum of c[i] A[i] over the rows first, ..., last - 1 to out.

    The sum over a block is in the precision of c and of the work space
    `part`, that of the blocks in float64.
    """


@overload(backward)
def _backward(A, first, last, c, part, out):
    one = _backward_same if A.dtype == c.dtype else _backward_loops

    def call(A, first, last, c, part, out):
        one(A, first, last, c, part, out)

    return call


@njit(fastmath=LOOPS)
def _gradient(rows, task, part, out):
    """Write the new margins, add X'(-y s_new) to out.

    Returns the loss, the intercept's gradient and the sum of h_new.
    """
    m_new, r, s_new, h_new = rows.m_new, rows.r, rows.s_new, rows.h_new
    w, b = task.w, task.b
    X, y = rows.X, rows.y
    loss = 0.0
    grad_b = 0.0
    total_h = 0.0
    step = block_rows(X)
    for first in range(0, y.size, step):
        last = min(first + step, y.size)
        m, s = m_new[first:last], s_new[first:last]
        forward(X, first, last, w, b, m_new)
        for i in range(m.size):
            m[i] *= y[first + i]
        part_loss, part_h = evaluate(m, s, h_new[first:last])
        loss += part_loss
        total_h += part_h
        for i in range(m.size):
            value = -y[first + i] * s[i]
            r[first + i] = value
            grad_b += value
        backward(X, first, last, r, part, out)
    return loss, grad_b, total_h, 0.0


@njit(fastmath=LOOPS)
def _along(rows, task, part, out):
    """Write dm; `part` and `out` are not used."""
    v, shift, size = task.v, task.shift, task.size
    A, y, dm = rows.A, rows.y, rows.dm
    step = block_rows(A)
    for first in range(0, y.size, step):
        last = min(first + step, y.size)
        forward(A, first, last, v, shift, dm)
        for i in range(first, last):
            dm[i] *= size * y[i]
    return 0.0, 0.0, 0.0, 0.0


@njit(fastmath=LOOPS)
def _change_of(rows, first, last):
    """Write c = y (s - s_new) of some rows; returns its sum."""
    c, y, s, s_new = rows.c, rows.y, rows.s, rows.s_new
    total = 0.0
    for i in range(first, last):
        value = y[i] * (s[i] - s_new[i])
        c[i] = value
        total += value
    return total


@njit(fastmath=LOOPS)
def _trial(rows, task, part, out):
    """Write dm and the new margins at t, add -X'(y (s_new - s)) to out.

    Returns the sum of the weights at t, not more than the loss, the loss's
    derivative in t there, the change of the intercept's gradient, and the
    sum of h_new. The length of a step is right most of the time, and X is
    the only thing that does not fit the cache, so one read does all.
    """
    c, m = rows.c, rows.m
    m_new, s_new, h_new = rows.m_new, rows.s_new, rows.h_new
    v, shift, t, size = task.v, task.shift, task.t, task.size
    A, y, dm = rows.A, rows.y, rows.dm
    mass = 0.0
    slope = 0.0
    change = 0.0
    total_h = 0.0
    step = block_rows(A)
    for first in range(0, y.size, step):
        last = min(first + step, y.size)
        forward(A, first, last, v, shift, dm)
        for i in range(first, last):
            dm[i] *= size * y[i]
        part_mass, part_slope, part_h = evaluate_step(
            m[first:last], dm[first:last], t,
            m_new[first:last], s_new[first:last],
            h_new[first:last],
        )
        mass += part_mass
        slope += part_slope
        total_h += part_h
        change += _change_of(rows, first, last)
        backward(A, first, last, c, part, out)
    return mass, slope, change, total_h


@njit(fastmath=LOOPS)
def _change(rows, task, part, out):
    """Add -A'(y (s_new - s)) to out; returns the intercept's change."""
    total = 0.0
    step = block_rows(rows.A)
    for first in range(0, rows.y.size, step):
        last = min(first + step, rows.y.size)
        total += _change_of(rows, first, last)
        backward(rows.A, first, last, rows.c, part, out)
    return total, 0.0, 0.0, 0.0


def reader(task):
    """Return the function of a task's type."""
    return {
        FirstRead: _first_read, Gradient: _gradient, Along: _along,
        Trial: _trial, Change: _change,
    }[task.instance_class]


@njit(fastmath=LOOPS)
def balanced(rows, w, l2, part, out):
    """Find what the gap at a point with an intercept consists of.

    The weights of the heavier class are scaled by c until
    sum_i y_i a_i = 0; one more read of X. rows.r, part and out are written.

    Returns
    -------
    price, square, mass : float
        sum KL(a_i || s_i), |lambda2 w - X'(y a)|^2 and sum a_i.
    """
    r = rows.r
    X, y, m, s = rows.X, rows.y, rows.m, rows.s
    p = X.shape[1]
    ascent, total = 0.0, 0.0
    for i in range(y.size):
        ascent += y[i] * s[i]
        total += s[i]
    c, sign = class_factor(ascent, total)
    left = np.log1p(-c) if c < 1.0 else 0.0
    log_c = np.log(c) if c > 0.0 else 0.0
    price, mass = 0.0, 0.0
    for i in range(y.size):
        scaled = y[i] * sign > 0.0
        dual = c * s[i] if scaled else s[i]
        r[i] = -y[i] * dual
        mass += dual
        if scaled and c < 1.0:
            x = left - m[i]
            rest = np.log1p(np.exp(-abs(x))) + max(x, 0.0)
            price += max(dual * log_c + (1.0 - dual) * rest, 0.0)
    out[:] = 0.0
    step = block_rows(X)
    for first in range(0, y.size, step):
        backward(X, first, min(first + step, y.size), r, part, out)
    square = 0.0
    for j in range(p):
        square += (out[j] + l2 * w[j]) ** 2
    return price, square, mass


@njit(fastmath=LOOPS)
def sum_of_terms(w, squares, n):
    """Bound the norm of |X| |w|, which the rounding of the margins is of.

    By the columns, so that those of other units count with their own
    coefficients. `squares` are the column sums of X^2; an intercept comes
    last in w.
    """
    total = 0.0
    for j in range(squares.size):
        total += np.sqrt(squares[j]) * abs(w[j])
    if w.size > squares.size:
        total += np.sqrt(np.float64(n)) * abs(w[-1])
    return total


@njit
def bounded_gap(X, l2, intercept, squares, terms, parts):
    """Bound the gap in exact arithmetic.

    Parameters
    ----------
    X : array of shape (n, p)
    l2 : float
    intercept : bool
    squares : float
        |X|_F^2.
    terms : float
        Of `sum_of_terms`.
    parts : tuple of three floats
        As of `balanced`.
    """
    n, p = X.shape
    price, square, mass = parts
    size = max(np.sqrt(squares + n if intercept else squares), 1e-300)
    # sums over samples are by blocks, in the longest case one by one inside
    rows = min(block_rows(X), n)
    columns = min(p, max(_CHUNK, SHORT_ROWS))
    depths = np.float64(rows + n // rows), np.float64(columns + p // columns)
    return bounded(price, square, l2, size, mass, terms / size, depths)


@njit
def certified(X, y, l2, w, squares):
    """Evaluate F and a bound of its gap at w, an intercept last.

    Parameters
    ----------
    X : array of shape (n, p), C order
    y : array of shape (n,), -1 and +1
    l2 : float
    w : array of shape (p,), or (p + 1,) with an intercept
    squares : float
        |X|_F^2.

    Returns
    -------
    gap, bound, value : float
        The gap as computed, its bound in exact arithmetic, and F.
    """
    n, p = X.shape
    V = np.empty((6, n))
    rows = Rows(
        X, X, y, V[0], V[1], V[2], V[0], V[1], V[2], V[3], V[4], V[5]
    )
    part, out = np.empty(p), np.zeros(p)
    b = w[p] if w.size > p else 0.0
    loss, _, _, _ = _gradient(rows, Gradient(w[:p], b), part, out)
    price, square, norm, mass = 0.0, 0.0, 0.0, 0.0
    for j in range(p):
        square += (out[j] + l2 * w[j]) ** 2
        norm += w[j] * w[j]
    if w.size > p:
        price, square, mass = balanced(rows, w, l2, part, out)
    else:
        for i in range(n):
            mass += rows.s[i]
    terms = np.sqrt(squares) * np.sqrt(norm)
    if w.size > p:
        terms += np.sqrt(np.float64(n)) * abs(w[p])
    return (
        price + square / (2.0 * l2),
        bounded_gap(
            X, l2, w.size > p, squares, terms, (price, square, mass)
        ),
        loss + 0.5 * l2 * norm,
    )
