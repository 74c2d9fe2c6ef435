"""What one iteration of a descent reads of a dense X, each row once.

`first_read` starts at w = 0, where no product with X is needed; it makes the
float32 copy on the way. `trial` tries a step of a given length: margins,
weights and the change of the gradient from one read, because the length is
right most of the time and X is the only thing that does not fit the cache.
"""
import numpy as np
from numba import types
from numba.extending import overload

from ...compilation import LOOPS, njit
from ...datafits.margins import loss_weights_curvature, weights_curvature
from ...linalg.half_precision import narrow, widen

# On rows this short BLAS is faster than the loops below, whose vectors do not
# fill: 15 against 21 us for both products at 2000 x 100 in float32
SHORT_ROWS = 150
# Rows a block: a quarter of a megabyte stays in the second-level cache. Fewer
# rows than 32 cost more in the sums over blocks than the cache gives: 0.41
# instead of 0.16 ms for X'c at 200 x 5000 in float32
_BLOCK_BYTES, _BLOCK_ROWS = 250_000, 32
# Longer rows are copied while they are read, not after
_LONG = 800


@njit
def block_rows(A):
    """Rows a block, a multiple of 8."""
    rows = _BLOCK_BYTES // (A.shape[1] * A.itemsize) // 8 * 8
    return max(_BLOCK_ROWS, rows)


def stored(value, scale, array):
    """value * scale as `array` holds it: a half, or without scale."""


@overload(stored)
def _stored(value, scale, array):
    if array.dtype == types.uint16:
        return lambda value, scale, array: narrow(np.float32(value * scale))
    return lambda value, scale, array: value


@njit(fastmath=LOOPS)
def first_read(X, y, copy, A, scale, out, squares):
    """Gradient of the loss at w = 0, column sums of squares, a copy of X.

    Parameters
    ----------
    X : array of shape (n, p), C order
    y : array of shape (n,), float64, -1 and +1
    copy : bool
        Whether to write A, an array of X's shape; without it A is not used.
    A : array of shape (n, p), float32, or uint16 for halves
    scale : array of shape (p,), float64
        What the columns of halves are multiplied by.
    out, squares : arrays of shape (p,), float64, written
        -X'y / 2 and the sums of X[:, j]^2.
    """
    n, p = X.shape
    out[:] = 0.0
    squares[:] = 0.0
    i = 0
    if copy and p > _LONG:
        while i + 4 <= n:
            x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
            t0, t1, t2, t3 = A[i], A[i + 1], A[i + 2], A[i + 3]
            c0, c1 = -0.5 * y[i], -0.5 * y[i + 1]
            c2, c3 = -0.5 * y[i + 2], -0.5 * y[i + 3]
            for j in range(p):
                a0, a1 = np.float64(x0[j]), np.float64(x1[j])
                a2, a3 = np.float64(x2[j]), np.float64(x3[j])
                out[j] += (c0 * a0 + c1 * a1) + (c2 * a2 + c3 * a3)
                squares[j] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
                t0[j] = stored(a0, scale[j], A)
                t1[j] = stored(a1, scale[j], A)
                t2[j] = stored(a2, scale[j], A)
                t3[j] = stored(a3, scale[j], A)
            i += 4
    while i + 4 <= n:
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        c0, c1 = -0.5 * y[i], -0.5 * y[i + 1]
        c2, c3 = -0.5 * y[i + 2], -0.5 * y[i + 3]
        for j in range(p):
            a0, a1 = np.float64(x0[j]), np.float64(x1[j])
            a2, a3 = np.float64(x2[j]), np.float64(x3[j])
            out[j] += (c0 * a0 + c1 * a1) + (c2 * a2 + c3 * a3)
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
            out[j] -= 0.5 * y[i] * x
            squares[j] += x * x
            if copy:
                A[i, j] = stored(X[i, j], scale[j], A)
        i += 1


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
def _forward_same(A, first, last, v, shift, out):
    if A.shape[1] >= SHORT_ROWS:
        _forward_loops(A, first, last, v, shift, out)
        return
    values = np.dot(A[first:last], v)
    for i in range(last - first):
        out[first + i] = values[i] + shift


def forward(A, first, last, v, shift, out):
    """out[i] = A[i] @ v + shift for the rows first, ..., last - 1.

    A may hold halves (uint16). The arithmetic is that of v; BLAS takes only v
    of A's dtype.
    """


@overload(forward)
def _forward(A, first, last, v, shift, out):
    one = _forward_same if A.dtype == v.dtype else _forward_loops

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
    """out += sum of c[i] A[i] over the rows first, ..., last - 1.

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
def exact_gradient(X, y, w, b, m, s, h, r, part, out):
    """Margins, weights and gradient of the loss in float64, one read of X.

    Parameters
    ----------
    X : array of shape (n, p), C order, float32 or float64
    y : array of shape (n,), float64, -1 and +1
    w : array of shape (p,), float64
    b : float
    m, s, h, r : arrays of shape (n,), float64, written
        Margins, sigmoid(-m), sigmoid(m) sigmoid(-m), -y sigmoid(-m).
    part : array of shape (p,), float64, work space
    out : array of shape (p,), float64, written
        X' r.

    Returns
    -------
    loss : float
    grad_intercept : float
    """
    n = y.size
    loss = 0.0
    total = 0.0
    out[:] = 0.0
    step = block_rows(X)
    for first in range(0, n, step):
        last = min(first + step, n)
        forward(X, first, last, w, b, m)
        for i in range(first, last):
            m[i] *= y[i]
        loss += loss_weights_curvature(
            m[first:last], s[first:last], h[first:last]
        )
        for i in range(first, last):
            r[i] = -y[i] * s[i]
            total += r[i]
        backward(X, first, last, r, part, out)
    return loss, total


@njit(fastmath=LOOPS)
def hessian_product(X, v, shift, h, products, scaled, part, out):
    """out += X' diag(h) (X v + shift); the intercept's entry returned."""
    n = h.size
    total = 0.0
    step = block_rows(X)
    for first in range(0, n, step):
        last = min(first + step, n)
        forward(X, first, last, v, shift, products)
        for i in range(first, last):
            scaled[i] = h[i] * products[i]
            total += scaled[i]
        backward(X, first, last, scaled, part, out)
    return total


@njit(fastmath=LOOPS)
def balanced_gap(X, y, w, m, s, r, l2, part, out):
    """The duality gap at (w, b) of a problem with an intercept.

    The weights of the heavier class are scaled by c until
    sum_i y_i a_i = 0; one more read of X, and KL(c s || s) for each of its
    samples. r, part and out are written.
    """
    positive = 0.0
    negative = 0.0
    for i in range(y.size):
        if y[i] > 0.0:
            positive += s[i]
        else:
            negative += s[i]
    heavier = max(positive, negative)
    c = min(positive, negative) / heavier if heavier > 0.0 else 1.0
    sign = 1.0 if positive > negative else -1.0
    gap = 0.0
    left = np.log1p(-c) if c < 1.0 else 0.0
    for i in range(y.size):
        scaled = y[i] * sign > 0.0
        dual = c * s[i] if scaled else s[i]
        r[i] = -y[i] * dual
        if scaled and c < 1.0:
            x = left - m[i]
            rest = np.log1p(np.exp(-abs(x))) + max(x, 0.0)
            log_c = np.log(c) if c > 0.0 else 0.0
            gap += max(dual * log_c + (1.0 - dual) * rest, 0.0)
    out[:] = 0.0
    step = block_rows(X)
    for first in range(0, y.size, step):
        backward(X, first, min(first + step, y.size), r, part, out)
    for j in range(w.size):
        gap += (out[j] + l2 * w[j]) ** 2 / (2.0 * l2)
    return gap


@njit(fastmath=LOOPS)
def trial(
    A, y, v, shift, size, t, m, s, dm, m_new, s_new, h_new, c, part, out
):
    """Margins, weights and change of the gradient at a step of length t.

    Parameters
    ----------
    A : array of shape (n, p), C order, float32 or float64
    v : array of shape (p,), A's dtype
        The direction divided by `size`.
    shift : float
        The intercept's entry, divided too.
    t : float
    m, s : arrays of shape (n,), float64
        Margins y (X w + b) and weights sigmoid(-m).
    dm, m_new, s_new, h_new : arrays of shape (n,), float64, written
        The margins' change at t = 1, and margins, weights, curvatures at t.
    c : array of shape (n,), A's dtype, written
    part : array of shape (p,), A's dtype, work space
    out : array of shape (p,), float64, added to
        -X'(y (s_new - s)).

    Returns
    -------
    mass, old_slope, slope, change : float
        The sum of the weights at t, not more than the loss; the loss's
        derivative in t at 0 and at t; the change of the intercept's.
    """
    n = y.size
    mass = 0.0
    before = 0.0
    after = 0.0
    change = 0.0
    step = block_rows(A)
    for first in range(0, n, step):
        last = min(first + step, n)
        forward(A, first, last, v, shift, dm)
        for i in range(first, last):
            dm[i] *= size * y[i]
            m_new[i] = m[i] + t * dm[i]
        mass += weights_curvature(
            m_new[first:last], s_new[first:last], h_new[first:last]
        )
        for i in range(first, last):
            before -= s[i] * dm[i]
            after -= s_new[i] * dm[i]
            value = y[i] * (s[i] - s_new[i])
            c[i] = value
            change += value
        backward(A, first, last, c, part, out)
    return mass, before, after, change


@njit(fastmath=LOOPS)
def along(A, y, v, shift, size, dm):
    """dm = y (A v + shift) size: what a step changes in the margins."""
    step = block_rows(A)
    for first in range(0, y.size, step):
        last = min(first + step, y.size)
        forward(A, first, last, v, shift, dm)
        for i in range(first, last):
            dm[i] *= size * y[i]


@njit(fastmath=LOOPS)
def gradient_change(A, y, s, s_new, c, part, out):
    """out += -A'(y (s_new - s)); the change for the intercept returned."""
    total = 0.0
    step = block_rows(A)
    for first in range(0, y.size, step):
        last = min(first + step, y.size)
        for i in range(first, last):
            value = y[i] * (s[i] - s_new[i])
            c[i] = value
            total += value
        backward(A, first, last, c, part, out)
    return total
