"""What one iteration of a descent reads of a dense X, each row once.

A read is a task, a tuple with what it needs beside the rows: `FirstRead`,
`Gradient`, `Along`, `Trial`, `Change`. `dense.threads.read_by` gives each of
several threads a part of the rows.
"""
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...compilation import LOOPS, njit
from ...datafits.margins import evaluate, evaluate_step
from ...linalg.products import backward, block_rows, forward

# Longer rows are copied while they are read, not after
_LONG = 800
# Rows of `Rows.V`: margins y (X w + b), weights sigmoid(-m) and curvatures
# s (1 - s) at a point, which is 0 or the other one, 3
M, S, H = 0, 1, 2
# ... what a direction changes in the margins, work space, and the curvatures
# that a factor was made for
DM, R, THEN = 6, 7, 8


class Rows(NamedTuple):
    """The data, and what belongs to each of n samples."""

    X: np.ndarray  # (n, p), C order, float64 or float32
    A: np.ndarray  # X or a copy of it in float32 or halves (uint16)
    y: np.ndarray  # -1 and +1
    V: np.ndarray  # (9, n), float64: see above
    c: np.ndarray  # work space, A's dtype, float32 for halves


class FirstRead(NamedTuple):
    """Gradient of the loss at w = 0, column sums of squares, a copy of X."""

    copy: bool  # whether to write A
    zoom: np.ndarray  # what the columns of halves are multiplied by


class Gradient(NamedTuple):
    """Margins, weights, curvatures and the gradient of the loss, float64."""

    w: np.ndarray  # float64
    b: float
    point: int


class Along(NamedTuple):
    """dm = y (A v + shift) size."""

    v: np.ndarray  # a direction divided by `size`, c's dtype
    shift: float  # its intercept's entry, divided too
    size: float


class Trial(NamedTuple):
    """As `Along`; and a step of 1 to `point`, the change of the gradient."""

    v: np.ndarray
    shift: float
    size: float
    old: int  # of V: weights that the change is from
    point: int


class Change(NamedTuple):
    """The change of the gradient of the loss, from weights to others."""

    old: int  # of V
    new: int


# not an overload: a function would be inlined too late for LLVM to vectorise
# the loops around it, 0.11 instead of 0.07 ms at 2000 x 100
@intrinsic
def stored(typingctx, value, scale, array):
    """Return value * scale as `array` holds it: a half, or without scale."""
    if array.dtype != types.uint16:
        return value(value, scale, array), lambda context, builder, _, args: (
            args[0]
        )

    def codegen(context, builder, signature, args):
        product = builder.fmul(args[0], args[1])
        single = builder.fptrunc(product, ir.FloatType())
        half = builder.fptrunc(single, ir.HalfType())
        return builder.bitcast(half, ir.IntType(16))

    return types.uint16(types.float64, types.float64, array), codegen


@njit(fastmath=LOOPS)
def _first_read(rows, task, first, last, part, out):
    """Add -X'y / 2 to the first p of out, sums of X[:, j]^2 to the others."""
    X, A, y, scale, copy = rows.X, rows.A, rows.y, task.zoom, task.copy
    p = X.shape[1]
    gradient, squares = out[:p], out[p:]
    i = first
    while i + 4 <= last:
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
    while i < last:
        for j in range(p):
            x = np.float64(X[i, j])
            gradient[j] -= 0.5 * y[i] * x
            squares[j] += x * x
            if copy:
                A[i, j] = stored(X[i, j], scale[j], A)
        i += 1
    return 0.0, 0.0, 0.0, 0.0


@njit(fastmath=LOOPS)
def _gradient(rows, task, start, stop, part, out):
    """Write margins, weights and curvatures, add X'(-y s) to out.

    Returns the loss, the intercept's gradient and the sum of h.
    """
    X, y, V, w, b = rows.X, rows.y, rows.V, task.w, task.b
    margins, weights, r = V[task.point + M], V[task.point + S], V[R]
    curvatures = V[task.point + H]
    loss, grad_b, total_h = 0.0, 0.0, 0.0
    step = block_rows(X)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        m, s = margins[first:last], weights[first:last]
        forward(X, first, last, w, b, margins)
        for i in range(m.size):
            m[i] *= y[first + i]
        part_loss, part_h = evaluate(m, s, curvatures[first:last])
        loss += part_loss
        total_h += part_h
        for i in range(m.size):
            value = -y[first + i] * s[i]
            r[first + i] = value
            grad_b += value
        backward(X, first, last, r, part, out)
    return loss, grad_b, total_h, 0.0


@njit(fastmath=LOOPS)
def _write_dm(rows, v, shift, size, first, last):
    """Write dm of some rows; c holds the products."""
    c, y, dm = rows.c, rows.y, rows.V[DM]
    forward(rows.A, first, last, v, shift, c)
    for i in range(first, last):
        dm[i] = size * y[i] * c[i]


@njit(fastmath=LOOPS)
def _along(rows, task, start, stop, part, out):
    """Write dm; `part` and `out` are not used."""
    step = block_rows(rows.A)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        _write_dm(rows, task.v, task.shift, task.size, first, last)
    return 0.0, 0.0, 0.0, 0.0


@njit(fastmath=LOOPS)
def _change_of(rows, old, new, first, last):
    """Write c = y (s - s_new) of some rows; returns its sum."""
    c, y, s, s_new = rows.c, rows.y, rows.V[old], rows.V[new]
    total = 0.0
    for i in range(first, last):
        value = y[i] * (s[i] - s_new[i])
        c[i] = value
        total += value
    return total


@njit(fastmath=LOOPS)
def _trial(rows, task, start, stop, part, out):
    """Write dm and the margins at a step of 1, add -X'(y (s_new - s)) to out.

    Returns the sum of the weights there, not more than the loss, the loss's
    derivative along the step, the change of the intercept's gradient, and the
    sum of h_new. The length of a step is right most of the time, and X is
    the only thing that does not fit the cache, so one read does all.
    """
    point, V, dm = task.point, rows.V, rows.V[DM]
    m, m_new, s_new = V[3 - point + M], V[point + M], V[point + S]
    h_new = V[point + H]
    mass, slope, change, total_h = 0.0, 0.0, 0.0, 0.0
    step = block_rows(rows.A)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        _write_dm(rows, task.v, task.shift, task.size, first, last)
        part_mass, part_slope, part_h = evaluate_step(
            m[first:last], dm[first:last], 1.0, m_new[first:last],
            s_new[first:last], h_new[first:last],
        )
        mass += part_mass
        slope += part_slope
        total_h += part_h
        change += _change_of(rows, task.old, point + S, first, last)
        backward(rows.A, first, last, rows.c, part, out)
    return mass, slope, change, total_h


@njit(fastmath=LOOPS)
def _change(rows, task, start, stop, part, out):
    """Add -A'(y (s_new - s)) to out; returns the intercept's change."""
    total = 0.0
    step = block_rows(rows.A)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        total += _change_of(rows, task.old, task.new, first, last)
        backward(rows.A, first, last, rows.c, part, out)
    return total, 0.0, 0.0, 0.0


def reader(task):
    """Return the function of a task's type."""
    return {
        FirstRead: _first_read, Gradient: _gradient, Along: _along,
        Trial: _trial, Change: _change,
    }[task.instance_class]
