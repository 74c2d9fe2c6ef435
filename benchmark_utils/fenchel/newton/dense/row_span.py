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
import numpy as np
from numpy import int64

from ...compilation import LOOPS, njit
from ...datafits.margins import add, assign, dot, evaluate
from ...lbfgs import MEMORY, after_inverse, before_inverse
from ...result import ITERATION_LIMIT, NEEDS_CARE, REACHED, SLOW
from .descent import measure, result_of
from .reads import DM, Along, Change, H, M, R, Rows, S
from .start import measure_columns, read_first
from .state import (
    ALONG,
    CHANGE,
    INVERSE,
    RIDGE,
    SHORT,
    TRIAL,
    UNZOOM,
    D,
    G,
    U,
    Vectors,
    W,
    begin,
    certify,
    evaluate_at,
    state_of,
)
from .steps import (
    CERTIFIED,
    GO_ON,
    GOAL,
    HALF,
    keep_pair,
    pairs_of,
    search_along,
    set_direction,
    shorten_gradient,
    try_one,
)
from .threads import read_by

#: Rows of `span`, coefficients in the rows of A of all that the descent keeps:
#: w = X'a, d = X'da, the steps of L-BFGS and the changes of the gradient
AT, DA, STEPS = range(3)
CHANGES = STEPS + MEMORY
#: w at the last exact pass, where a descent keeps what a factor needs
BASE = RIDGE


@njit(fastmath=LOOPS)
def _product(threads, rows, old, new, vectors):
    """Set change = A'(y (s - s_new)), scaled, of two rows of V.

    Returns sum y (s - s_new). For each constant, which `int64` hides, numba
    would compile this again.
    """
    change, unzoom = vectors.F[CHANGE], vectors.F[UNZOOM]
    for j in range(change.size):
        change[j] = 0.0
    total, _, _, _ = read_by(
        threads, rows, Change(old, new), vectors.K[SHORT], change
    )
    for j in range(rows.A.shape[1]):
        change[j] *= unzoom[j]
    return total


@njit(fastmath=LOOPS)
def _start(threads, rows, vectors, state):
    """Set g = A'r at zero, where r = -y / 2; returns whether A holds X."""
    n, p = rows.X.shape
    read_first(threads, rows, vectors, state)
    if not measure_columns(p, n, vectors, state):
        return False
    change, g, r = vectors.F[CHANGE], vectors.F[G], rows.V[R]
    for i in range(n):
        r[i] = 0.0
    total = _product(threads, rows, int64(R), int64(S), vectors)
    state.n_passes += 1
    # the curvature along a row, where the others are orthogonal to it
    curvature = 0.25 * state.row_norm * state.row_norm
    inverse = vectors.F[INVERSE]
    for j in range(p):
        g[j] = change[j]
        inverse[j] = 1.0 / (curvature + state.l2)
    if state.intercept:
        g[p] = total
        inverse[p] = 1.0 / state.total_h
    return True


@njit(fastmath=LOOPS)
def _judge(rows, vectors, state):
    """Set value and gap; returns a status and the gap that is rounding.

    w has left the rows of X, and margins are wrong, by what X and A differ in
    since the last exact pass.
    """
    p, l2 = rows.X.shape[1], state.l2
    base, w = vectors.F[BASE], vectors.F[W]
    measure(p, vectors, state)
    moved, spread = 0.0, 0.0
    for j in range(p):
        change = (w[j] - base[j]) ** 2
        moved += change
        spread += vectors.both[p + j] * change
    if not state.total < np.inf:
        return NEEDS_CARE, 0.0
    if state.first_total < 0.0:
        state.first_total = state.total
    h = rows.V[state.at + H]
    rounding = HALF * HALF * max(
        l2 * l2 * moved, state.row_norm ** 2 * dot(h, h) * spread / h.size,
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
    u, inverse, gamma = vectors.K[U], vectors.F[INVERSE], state.gamma
    y, s, a, da = rows.y, rows.V[state.at + S], span[AT], span[DA]
    size = shorten_gradient(vectors, state)
    for i in range(y.size):
        da[i] = y[i] * s[i] - state.l2 * a[i]
    first = max(state.pairs - MEMORY, 0)
    before_inverse(u, pairs, state.pairs)
    for k in range(first, state.pairs):
        i = k % MEMORY
        add(-size * pairs.alpha[i], span[CHANGES + i], da)
    for j in range(u.size):
        u[j] *= gamma * inverse[j]
    for i in range(y.size):
        da[i] *= gamma * inverse[0]
    after_inverse(u, pairs, state.pairs)
    for k in range(first, state.pairs):
        i = k % MEMORY
        add(size * pairs.alpha[i], span[STEPS + i], da)
    set_direction(vectors, state, size)


@njit(fastmath=LOOPS)
def _keep(t, rows, vectors, pairs, span, state):
    """Append a step to the pairs; returns whether the gradient changed."""
    V, y, da = rows.V, rows.y, span[DA]
    s, s_new = V[state.at + S], V[3 - state.at + S]
    change = vectors.F[CHANGE]
    moved = np.sqrt(dot(change, change))
    k = state.pairs % MEMORY
    step, changed = span[STEPS + k], span[CHANGES + k]
    scaled = keep_pair(t, vectors, pairs, state)
    if scaled > 0.0:
        for i in range(y.size):
            step[i] = t * da[i] / moved
            changed[i] = (
                state.l2 * t * da[i] + y[i] * (s[i] - s_new[i])
            ) / moved
    return scaled >= 0.0


@njit(fastmath=LOOPS)
def _pass_over_x(threads, rows, vectors, state, step):
    """Evaluate at `TRIAL` = w + step d from X, to the other point.

    Returns a status; NEEDS_CARE where the exact passes bring nothing, SLOW
    where the step is not good and a search has to come first.
    """
    F, exact, l2 = vectors.F, vectors.both, state.l2
    w, x, d, p = F[W], F[TRIAL], F[D], rows.X.shape[1]
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
        certify(rows, vectors, state, 3 - state.at, x)
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
    """Go on from the exact point `TRIAL`, into the rows of X."""
    V, at, other, p = rows.V, state.at, 3 - state.at, rows.X.shape[1]
    m, m_new, s_new, dm, r = V[at + M], V[other + M], V[other + S], V[DM], V[R]
    F, y, a, l2 = vectors.F, rows.y, span[AT], state.l2
    g, change, x, v = F[G], F[CHANGE], F[TRIAL], vectors.K[ALONG]
    # A'r there, the margins being exact
    add(step, span[DA], a)
    for i in range(y.size):
        r[i] = l2 * y[i] * a[i] - s_new[i]
        dm[i] = 0.0
    _product(threads, rows, int64(R), int64(DM), vectors)
    for j in range(p):
        new = change[j]
        change[j] = new - g[j]
        g[j] = new
        # out of the rows of A, and into those of X
        move = (new - vectors.both[j]) / l2 - x[j]
        x[j] += move
        v[j] = move * F[UNZOOM, j]
    if state.intercept:
        change[p] = state.grad_b - g[p]
        g[p] = state.grad_b
    if step > 0.0:
        _keep(1.0, rows, vectors, pairs, span, state)
    assign(x, F[W])
    read_by(
        threads, rows, Along(v, 0.0, 1.0), vectors.K[SHORT], change
    )
    for i in range(y.size):
        m[i] = m_new[i] + dm[i]
    state.loss, state.total_h = evaluate(m, V[at + S], V[at + H])
    total = _product(threads, rows, other + S, at + S, vectors)
    state.n_passes += 1
    for j in range(p):
        g[j] += change[j]
    if state.intercept:
        g[p] += total
    assign(F[W], vectors.F[BASE])


@njit(fastmath=LOOPS)
def _set_r(t, rows, span, state):
    """Set V[R] so that `Change` from it to the weights gives A'r at t."""
    y, a, da, r, l2 = rows.y, span[AT], span[DA], rows.V[R], state.l2
    for i in range(y.size):
        r[i] = l2 * y[i] * (a[i] + t * da[i])


@njit(fastmath=LOOPS)
def _step(threads, rows, vectors, pairs, span, state):
    """Step along d on A, to the other point; returns whether it did."""
    F, p, t, other = vectors.F, rows.X.shape[1], 1.0, 3 - state.at
    g, change, unzoom = F[G], F[CHANGE], F[UNZOOM]
    taken, mass, total_h = False, 0.0, 0.0
    if state.trusted:
        _set_r(1.0, rows, span, state)
        taken, mass, _, total_h = try_one(threads, rows, R, vectors, state)
    if taken:
        for j in range(p):
            change[j] *= unzoom[j]
    else:
        t, mass, total_h = search_along(
            threads, rows, vectors, state, state.trusted
        )
        if not t > 0.0:
            return False
        _set_r(t, rows, span, state)
        _product(threads, rows, int64(R), other + S, vectors)
    state.trusted = 0.6 < t < 1.6
    state.loss, state.total_h = mass, total_h
    state.n_passes += 1
    add(t, F[D], F[W])
    if state.intercept:
        change[p] = -dot(rows.y, rows.V[other + S])
    for j in range(g.size):
        new = change[j]
        change[j] = new - g[j]
        g[j] = new
    if not _keep(t, rows, vectors, pairs, span, state):
        return False
    add(t, span[DA], span[AT])
    state.at = other
    return True


@njit(fastmath=LOOPS)
def _iterate(threads, rows, vectors, pairs, span, state):
    """Take steps until an end; returns its status."""
    # `loss` is a lower bound where margins come from A: the sum of weights
    while True:
        status, rounding = _judge(rows, vectors, state)
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
                state.trusted = 0
            else:
                assign(vectors.F[TRIAL], vectors.F[W])
                return status
            continue
        state.n_iter += 1
        if not _step(threads, rows, vectors, pairs, span, state):
            return NEEDS_CARE


@njit(fastmath=LOOPS)
def descend_wide(threads, data, coefficients, memory, span):
    """Minimise F from w = 0; arguments and results as of `descend`.

    A, the copy of X in halves, is written. `span` is of shape
    (2 + 2 MEMORY, n), its first row zero, as F[BASE] is.
    """
    X, A, y, V, c = data
    F, K, both, scalars = coefficients
    state = state_of(memory)
    begin(state)
    rows, vectors = Rows(X, A, y, V, c), Vectors(F, K, both)
    status = NEEDS_CARE
    if _start(threads, rows, vectors, state):
        status = _iterate(
            threads, rows, vectors, pairs_of(vectors, scalars), span, state
        )
    return result_of(status, state)
