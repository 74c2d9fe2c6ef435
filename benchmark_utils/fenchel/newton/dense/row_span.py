r"""L-BFGS for n < p / 2 on a copy in halves, in the span of the rows.

The minimiser is w = X'a, and so is every iterate from zero when the initial
matrix is a multiple of the identity: the gradient is g = X'r with
r = lambda2 a - y s. With A, the copy of X in halves, g = A'r is wrong by the
rounding of a half *of itself*, so nothing is summed up, and the margins A A'a
are wrong by much less, as rounding averages over the p entries of a row. (A
first gradient from X and changes by A would have a constant error, which lies
outside of the rows of A: there the curvature is lambda2 alone, and the steps
that end it are 1 / lambda2 long. 200 x 5000, l2 = 0.01: 20 instead of 14
iterations.)

Where the margins' error has become visible, or the end near, one exact pass
over X at w gives margins, weights s and gradient. Either it certifies, or

.. math::
    w \leftarrow w - (g_{exact} - A^\top r) / \lambda_2

takes out what w has outside of the rows of X: to the rounding of a half of
A'r, w is X'a then. The margins follow by A, as the change is small.
"""
from typing import NamedTuple

import numpy as np

from ...compilation import LOOPS, njit
from ...datafits.margins import add, assign, dot, evaluate
from ...lbfgs import MEMORY, after_inverse, before_inverse
from ...result import ITERATION_LIMIT, NEEDS_CARE, REACHED, SLOW
from .descent import (
    CERTIFIED,
    GO_ON,
    GOAL,
    HALF,
    keep_pair,
    measure_columns,
    new_pairs,
    read_first,
    reset,
    search_along,
    set_direction,
    try_one,
)
from .products import Along, Change, Rows, exchanged
from .state import STATE, certify, evaluate_at, new_vectors
from .threads import read_by


class Span(NamedTuple):
    """Coefficients in the rows of A, of all that the descent keeps."""

    a: np.ndarray  # w = X'a, (n,)
    da: np.ndarray  # d = X'da, (n,)
    S: np.ndarray  # of the steps, (MEMORY, n)
    Y: np.ndarray  # of the changes of the gradient, (MEMORY, n)
    base: np.ndarray  # w at the last exact pass, (q,)


@njit(fastmath=LOOPS)
def _between(rows, s, s_new):
    """Return the rows with other weights, for the task `Change`."""
    return Rows(
        rows.X, rows.A, rows.y, rows.m, s, rows.h, rows.m_new, s_new,
        rows.h_new, rows.dm, rows.r, rows.c,
    )


@njit(fastmath=LOOPS)
def _product(threads, rows, s, s_new, vectors):
    """Set change = A'(y (s - s_new)), scaled; returns sum y (s - s_new)."""
    p = vectors.v.size
    vectors.change[:] = 0.0
    total, _, _, _ = read_by(
        threads, _between(rows, s, s_new), Change(), vectors.short,
        vectors.change[:p],
    )
    return total


@njit(fastmath=LOOPS)
def _start(threads, rows, vectors, state):
    """Set g = A'r at zero, where r = -y / 2; returns whether A holds X."""
    change, unzoom = vectors.change, vectors.unzoom
    read_first(threads, rows, vectors, state)
    if not measure_columns(vectors, state, rows.y.size):
        return False
    p, g, inverse = vectors.v.size, vectors.g, vectors.inverse
    rows.r[:] = 0.0
    total = _product(threads, rows, rows.r, rows.s, vectors)
    for j in range(p):
        g[j] = change[j] * unzoom[j]
    state.n_passes += 1
    # the curvature along a row, where the others are orthogonal to it
    curvature = 0.25 * state.row_norm * state.row_norm
    for j in range(p):
        inverse[j] = 1.0 / (curvature + state.l2)
    if state.intercept:
        g[p] = total
        inverse[p] = 1.0 / state.total_h
    state.gamma = 1.0
    return True


@njit(fastmath=LOOPS)
def _judge(rows, vectors, span, state):
    """Set value and gap; returns a status and the gap that is rounding.

    w has left the rows of X, and margins are wrong, by what X and A differ in
    since the last exact pass.
    """
    squares = vectors.squares
    base = span.base
    g, w, l2 = vectors.g, vectors.w, state.l2
    p = vectors.v.size
    square, norm, moved, spread = 0.0, 0.0, 0.0, 0.0
    for j in range(p):
        square += g[j] * g[j]
        norm += w[j] * w[j]
        change = (w[j] - base[j]) ** 2
        moved += change
        spread += squares[j] * change
    state.square = square
    state.gap = square / (2.0 * l2)
    state.value = state.loss + 0.5 * l2 * norm
    state.slope_b = (
        g[p] * g[p] / state.total_h if state.intercept else 0.0
    )
    state.total = state.gap + state.slope_b
    if not state.total < np.inf:
        return NEEDS_CARE, 0.0
    if state.first_total < 0.0:
        state.first_total = state.total
    rounding = HALF * HALF * max(
        l2 * l2 * moved,
        state.row_norm ** 2 * dot(rows.h, rows.h) * spread / rows.h.size,
    ) / (2.0 * l2)
    near = state.total <= max(GOAL * state.aim * state.value, rounding)
    if near or state.n_iter < 2 or state.n_passes < state.budget:
        return GO_ON, rounding
    rate = np.log(state.first_total / state.total) / state.n_iter
    left = np.log(state.total / (state.tol * state.value)) / max(rate, 1e-3)
    return SLOW if left > 0.5 * state.budget else GO_ON, rounding


@njit(fastmath=LOOPS)
def _find_direction(rows, vectors, pairs, span, state):
    """Set d by the pairs of L-BFGS, and its coefficients on the way."""
    s = rows.s
    inverse = vectors.inverse
    a, Y, S = span.a, span.Y, span.S
    l2, gamma = state.l2, state.gamma
    u, g, da, y = vectors.u, vectors.g, span.da, rows.y
    square = state.square
    if state.intercept:
        square += g[-1] * g[-1]
    size = max(np.sqrt(square), 1e-300)
    for j in range(u.size):
        u[j] = -g[j] / size
    for i in range(y.size):
        da[i] = y[i] * s[i] - l2 * a[i]
    first = max(state.pairs - MEMORY, 0)
    before_inverse(u, pairs, state.pairs)
    for k in range(first, state.pairs):
        add(-size * pairs.alpha[k % MEMORY], Y[k % MEMORY], da)
    for j in range(u.size):
        u[j] *= gamma * inverse[j]
    for i in range(y.size):
        da[i] *= gamma * inverse[0]
    after_inverse(u, pairs, state.pairs)
    for k in range(first, state.pairs):
        add(size * pairs.alpha[k % MEMORY], S[k % MEMORY], da)
    set_direction(vectors, state, size)


@njit(fastmath=LOOPS)
def _keep(t, rows, vectors, pairs, span, state):
    """Append a step to the pairs; returns whether the gradient changed."""
    y, s, s_new = rows.y, rows.s, rows.s_new
    S, Y, da = span.S, span.Y, span.da
    l2 = state.l2
    moved = np.sqrt(dot(vectors.change, vectors.change))
    k = state.pairs % MEMORY
    scaled = keep_pair(t, vectors, pairs, state)
    if scaled > 0.0:
        for i in range(rows.y.size):
            change = y[i] * (s[i] - s_new[i])
            S[k, i] = t * da[i] / moved
            Y[k, i] = (l2 * t * da[i] + change) / moved
    return scaled >= 0.0


@njit(fastmath=LOOPS)
def _pass_over_x(threads, rows, vectors, state, step):
    """Evaluate at `trial` = w + step d from X, to the new of rows.

    Returns a status; NEEDS_CARE where the exact passes bring nothing, SLOW
    where the step is not good and a search has to come first.
    """
    w, exact = vectors.w, vectors.exact
    x, d, l2 = vectors.trial, vectors.d, state.l2
    p = vectors.v.size
    for j in range(x.size):
        x[j] = w[j] + step * d[j]
    loss, grad_b, total_h = evaluate_at(threads, rows, vectors, state, x)
    square, norm, slope = 0.0, 0.0, 0.0
    for j in range(p):
        new = exact[j] + l2 * x[j]
        square += new * new
        norm += x[j] * x[j]
        slope += new * d[j]
    slope_b = 0.0
    if state.intercept:
        slope += grad_b * d[p]
        slope_b = grad_b * grad_b / total_h
    if step > 0.0 and not abs(slope) <= -CERTIFIED * state.slope:
        return SLOW
    limit = state.n_iter >= state.max_iter
    state.n_iter += step > 0.0
    state.square, state.gap = square, square / (2.0 * l2)
    state.value = loss + 0.5 * l2 * norm
    state.grad_b = grad_b
    total = state.gap + slope_b
    goal = state.aim * state.value
    reached = state.gap <= GOAL * goal and slope_b <= goal
    if reached or limit:
        certify(exchanged(rows), vectors, state, x)
        reached = reached and state.gap <= state.tol * state.value
        if reached or limit:
            return REACHED if reached else ITERATION_LIMIT
        # the dual point of a nearly exact intercept is far off
        state.aim *= 0.1
        state.best = np.inf
    # each exact pass has to bring something
    if not total <= 0.1 * state.best:
        return NEEDS_CARE
    state.best = total
    return GO_ON


@njit(fastmath=LOOPS)
def _return_to_rows(threads, rows, vectors, pairs, span, state, step):
    """Go on from the exact point `trial`, into the rows of X."""
    r, s_new, m, m_new, dm = rows.r, rows.s_new, rows.m, rows.m_new, rows.dm
    v, unzoom, exact = vectors.v, vectors.unzoom, vectors.exact
    da = span.da
    y, a, g, change = rows.y, span.a, vectors.g, vectors.change
    x, p, l2 = vectors.trial, vectors.v.size, state.l2
    # A'r there, the margins being exact
    for i in range(y.size):
        a[i] += step * da[i]
        r[i] = l2 * y[i] * a[i] - s_new[i]
    dm[:] = 0.0
    _product(threads, rows, r, dm, vectors)
    for j in range(p):
        new = change[j] * unzoom[j]
        change[j] = new - g[j]
        g[j] = new
        # out of the rows of A, and into those of X
        move = (new - exact[j]) / l2 - x[j]
        x[j] += move
        v[j] = move * unzoom[j]
    if state.intercept:
        change[p] = state.grad_b - g[p]
        g[p] = state.grad_b
    if step > 0.0:
        _keep(1.0, rows, vectors, pairs, span, state)
    assign(x, vectors.w)
    read_by(
        threads, rows, Along(v, 0.0, 1.0), vectors.short, change
    )
    for i in range(y.size):
        m[i] = m_new[i] + dm[i]
    state.loss, state.total_h = evaluate(m, rows.s, rows.h)
    total = _product(threads, rows, s_new, rows.s, vectors)
    state.n_passes += 1
    for j in range(p):
        g[j] += change[j] * unzoom[j]
    if state.intercept:
        g[p] += total
    assign(vectors.w, span.base)


@njit(fastmath=LOOPS)
def _step(threads, rows, vectors, pairs, span, state):
    """Step along d on A, to the new of rows; returns whether it did."""
    r = rows.r
    d, unzoom = vectors.d, vectors.unzoom
    y, a, da, l2 = rows.y, span.a, span.da, state.l2
    w, g, change = vectors.w, vectors.g, vectors.change
    p, t = vectors.v.size, 1.0
    taken, mass, total_h = False, 0.0, 0.0
    if state.trusted:
        # in the place of old weights, so that A'r comes out
        for i in range(y.size):
            r[i] = l2 * y[i] * (a[i] + da[i])
        taken, mass, _, total_h = try_one(
            threads, _between(rows, r, rows.s_new), rows.s, vectors,
            state,
        )
    if not taken:
        t, mass, total_h = search_along(
            threads, rows, vectors, state, state.trusted
        )
        if not t > 0.0:
            return False
        for i in range(y.size):
            r[i] = l2 * y[i] * (a[i] + t * da[i])
        _product(threads, rows, r, rows.s_new, vectors)
    state.trusted = 0.6 < t < 1.6
    state.loss, state.total_h = mass, total_h
    state.n_passes += 1
    for j in range(p):
        w[j] += t * d[j]
        new = change[j] * unzoom[j]
        change[j] = new - g[j]
        g[j] = new
    if state.intercept:
        w[p] += t * d[p]
        new = -dot(y, rows.s_new)
        change[p] = new - g[p]
        g[p] = new
    if not _keep(t, rows, vectors, pairs, span, state):
        return False
    add(t, da, a)
    return True


@njit(fastmath=LOOPS)
def _iterate(threads, rows, vectors, pairs, span, state):
    """Take steps until an end; returns its status."""
    # `loss` is a lower bound where margins come from A: the sum of weights
    while True:
        status, rounding = _judge(rows, vectors, span, state)
        limit = state.n_iter >= state.max_iter
        if status == NEEDS_CARE or status == SLOW and not limit:
            return status
        goal = max(GOAL * state.aim * state.value, rounding)
        near = limit or state.total <= goal
        _find_direction(rows, vectors, pairs, span, state)
        if not state.slope < 0.0 and not near:
            if state.pairs == 0:
                return NEEDS_CARE
            state.pairs = 0
            continue
        # the exact pass is the next step, if that is likely to suffice
        step = 0.0
        if state.trusted and not near:
            expected = state.total / state.last * state.total
            step = 1.0 if expected <= max(rounding, goal / 3.0) else 0.0
        state.last = state.total
        if near or step > 0.0:
            status = _pass_over_x(threads, rows, vectors, state, step)
            if status == GO_ON:
                _return_to_rows(
                    threads, rows, vectors, pairs, span, state, step
                )
            elif status == SLOW:
                state.trusted = False
            else:
                assign(vectors.trial, vectors.w)
                return status
            continue
        state.n_iter += 1
        if not _step(threads, rows, vectors, pairs, span, state):
            return NEEDS_CARE
        rows = exchanged(rows)


@njit(fastmath=LOOPS)
def descend_wide(threads, X, A, y, V, w, columns, memory):
    """Minimise F from w = 0; arguments and results as of `descend`.

    A, the copy of X in halves, is written.
    """
    state = memory.view(STATE)[0]
    n, q = y.size, w.size
    c = np.empty(n, np.float32)
    reset(state)
    rows = Rows(X, A, y, V[0], V[1], V[2], V[3], V[4], V[5], V[6], V[7], c)
    vectors = new_vectors(w, c, columns)
    if not _start(threads, rows, vectors, state):
        return NEEDS_CARE, np.inf, np.inf
    span = Span(
        np.zeros(n), np.empty(n), np.empty((MEMORY, n)),
        np.empty((MEMORY, n)), np.zeros(q),
    )
    status = _iterate(threads, rows, vectors, new_pairs(c, q), span, state)
    if status == REACHED or status == ITERATION_LIMIT:
        return status, state.bound, state.value
    return status, state.gap, state.value
